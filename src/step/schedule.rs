//! Passes over a program: dead code goes, calls of one elementary function are brought together.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::program::*;

/// Rows done by one call at most.
const LARGEST_BATCH: usize = 32;

/// Removes instructions whose results nothing uses.
pub fn remove_dead(program: &mut Program) {
    let mut needs: HashMap<Reg, Vec<Reg>> = HashMap::default();
    let mut live: Vec<Reg> = Vec::new();
    dependencies(&program.body, &mut needs, &mut live);
    let mut marked: HashSet<Reg> = HashSet::default();
    while let Some(reg) = live.pop() {
        if marked.insert(reg) {
            live.extend(needs.get(&reg).into_iter().flatten());
        }
    }
    sweep(&mut program.body, &marked);
}

fn dependencies(body: &[Inst], needs: &mut HashMap<Reg, Vec<Reg>>, live: &mut Vec<Reg>) {
    for inst in body {
        match inst {
            Inst::Let(dst, value) => value.reads(&mut |r| needs.entry(*dst).or_default().push(r)),
            Inst::Call(call) => {
                for (dst, args) in call.dsts.iter().zip(&call.args) {
                    needs.entry(*dst).or_default().extend(args);
                }
            }
            Inst::Loop(l) => {
                for c in &l.carried {
                    needs.entry(c.result).or_default().extend([c.init, c.inner]);
                    needs.entry(c.inner).or_default().extend([c.init, c.next]);
                }
                dependencies(&l.body, needs, live);
            }
            Inst::Store { .. } | Inst::ScatterAdd { .. } => inst.reads(&mut |r| live.push(r)),
            Inst::Dense(_) | Inst::Product(_) | Inst::Sample(_) => {}
        }
    }
}

fn sweep(body: &mut Vec<Inst>, marked: &HashSet<Reg>) {
    body.retain_mut(|inst| match inst {
        Inst::Let(dst, _) => marked.contains(dst),
        Inst::Sample(s) => marked.contains(&s.dst),
        Inst::Call(call) => {
            let kept: Vec<bool> = call.dsts.iter().map(|d| marked.contains(d)).collect();
            let mut k = kept.iter();
            call.dsts.retain(|_| *k.next().expect("one each"));
            let mut k = kept.iter();
            call.args.retain(|_| *k.next().expect("one each"));
            !call.dsts.is_empty()
        }
        Inst::Loop(l) => {
            l.carried.retain(|c| marked.contains(&c.inner) || marked.contains(&c.result));
            sweep(&mut l.body, marked);
            !l.body.is_empty() || !l.carried.is_empty()
        }
        Inst::Store { .. } | Inst::ScatterAdd { .. } | Inst::Dense(_) | Inst::Product(_) => true,
    });
}

/// Brings calls of one function that do not wait for each other together: one call does them all.
pub fn schedule(program: &mut Program) {
    let body = std::mem::take(&mut program.body);
    program.body = schedule_body(body);
}

fn schedule_body(body: Vec<Inst>) -> Vec<Inst> {
    let inner = |inst| match inst {
        Inst::Loop(l) => Inst::Loop(Loop { body: schedule_body(l.body), ..l }),
        other => other,
    };
    let body: Vec<Inst> = body.into_iter().map(inner).collect();
    if body.iter().filter(|i| matches!(i, Inst::Call(_))).count() < 2 {
        return body;
    }
    let mut out = Vec::with_capacity(body.len());
    Order::new(body).emit(&mut out);
    out
}

/// Instructions of a body, with what each waits for.
struct Order {
    insts: Vec<Option<Inst>>,
    waits: Vec<Vec<usize>>,
    /// how many calls stand one after the other up to here
    depth: Vec<usize>,
}

impl Order {
    fn new(insts: Vec<Inst>) -> Order {
        let mut by_reg: HashMap<Reg, usize> = HashMap::default();
        let mut touched = Touched::default();
        let (mut waits, mut depth): (Vec<Vec<usize>>, Vec<usize>) = (Vec::new(), Vec::new());
        for (k, inst) in insts.iter().enumerate() {
            let mut before = Vec::new();
            inst.reads(&mut |r| before.extend(by_reg.get(&r)));
            let mut accesses = Vec::new();
            memory(inst, &mut accesses);
            before.extend(touched.before(&accesses));
            accesses.into_iter().for_each(|a| touched.add(k, a));
            let calls = usize::from(matches!(inst, Inst::Call(_)));
            depth.push(before.iter().map(|j| depth[*j]).max().unwrap_or(0) + calls);
            waits.push(before);
            inst.defines(&mut |r| {
                by_reg.insert(r, k);
            });
        }
        Order { insts: insts.into_iter().map(Some).collect(), waits, depth }
    }

    fn emit(mut self, out: &mut Vec<Inst>) {
        let deepest = self.depth.iter().copied().max().unwrap_or(0);
        for level in 1..=deepest {
            let calls: Vec<usize> = (0..self.insts.len())
                .filter(|k| self.depth[*k] == level && matches!(self.insts[*k], Some(Inst::Call(_))))
                .collect();
            self.emit_waited_for(&calls, out);
            self.emit_calls(&calls, out);
        }
        out.extend(self.insts.into_iter().flatten());
    }

    /// Emits, in order, what the calls wait for.
    fn emit_waited_for(&mut self, calls: &[usize], out: &mut Vec<Inst>) {
        let mut wanted = vec![false; self.insts.len()];
        let mut stack: Vec<usize> = calls.iter().flat_map(|c| self.waits[*c].clone()).collect();
        while let Some(k) = stack.pop() {
            if self.insts[k].is_some() && !std::mem::replace(&mut wanted[k], true) {
                stack.extend(&self.waits[k]);
            }
        }
        for (k, wanted) in wanted.into_iter().enumerate() {
            if wanted {
                out.extend(self.insts[k].take());
            }
        }
    }

    fn emit_calls(&mut self, calls: &[usize], out: &mut Vec<Inst>) {
        let mut batches: Vec<Call> = Vec::new();
        for k in calls {
            let Some(Inst::Call(call)) = self.insts[*k].take() else { unreachable!("a call") };
            let open = batches.iter_mut().find(|b| b.kernel == call.kernel && b.dsts.len() < LARGEST_BATCH);
            match open {
                Some(batch) => {
                    batch.dsts.extend(call.dsts);
                    batch.args.extend(call.args);
                }
                None => batches.push(call),
            }
        }
        out.extend(batches.into_iter().map(Inst::Call));
    }
}

/// Rows that an instruction touches.
struct Access {
    space: Space,
    writes: bool,
    first: Index,
    len: usize,
    /// the least row and the first behind all
    span: (i64, i64),
}

impl Access {
    /// Whether the order of two accesses matters.
    fn conflicts(&self, other: &Access) -> bool {
        if self.space != other.space || !(self.writes || other.writes) {
            return false;
        }
        // most are far apart, and quickly seen to be
        if self.span.1 <= other.span.0 || other.span.1 <= self.span.0 {
            return false;
        }
        let (lo, hi) = match (self.first.known(), other.first.known()) {
            (Some(a), Some(b)) => (a - b, a - b),
            _ => self.first.sub(&other.first).range(),
        };
        // apart if the one begins after the other has ended
        lo < other.len as i64 && -hi < self.len as i64
    }
}

/// What instructions have touched so far, by blocks of rows.
#[derive(Default)]
struct Touched {
    accesses: Vec<(usize, Access)>,
    blocks: HashMap<(Space, i64), Vec<usize>>,
    /// those of many blocks
    wide: Vec<usize>,
}

impl Touched {
    const BLOCK: i64 = 32;
    const MOST_BLOCKS: i64 = 64;

    fn add(&mut self, inst: usize, access: Access) {
        let k = self.accesses.len();
        match Touched::blocks(&access) {
            Some(blocks) => blocks.for_each(|b| self.blocks.entry((access.space, b)).or_default().push(k)),
            None => self.wide.push(k),
        }
        self.accesses.push((inst, access));
    }

    /// The instructions whose order to one with these accesses matters.
    fn before(&self, accesses: &[Access]) -> Vec<usize> {
        let mut found = Vec::new();
        for access in accesses {
            let mut look = |k: usize| {
                let (inst, other) = &self.accesses[k];
                if access.conflicts(other) {
                    found.push(*inst);
                }
            };
            match Touched::blocks(access) {
                Some(blocks) => {
                    blocks.filter_map(|b| self.blocks.get(&(access.space, b))).flatten().for_each(|k| look(*k));
                    self.wide.iter().for_each(|k| look(*k));
                }
                None => (0..self.accesses.len()).for_each(look),
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn blocks(access: &Access) -> Option<std::ops::RangeInclusive<i64>> {
        let (first, last) = (access.span.0.div_euclid(Self::BLOCK), (access.span.1 - 1).div_euclid(Self::BLOCK));
        (last - first < Self::MOST_BLOCKS).then_some(first..=last)
    }
}

/// The rows that an instruction touches in memory that is written.
fn memory(inst: &Inst, out: &mut Vec<Access>) {
    let mut touch = |space, writes, first: &Index, len| {
        if matches!(space, Space::Next | Space::Out | Space::Scratch) {
            let (lo, hi) = first.range();
            out.push(Access { space, writes, first: first.clone(), len, span: (lo, hi.saturating_add(len as i64)) });
        }
    };
    match inst {
        Inst::Store { space, row, .. } => touch(*space, true, row, 1),
        Inst::Let(_, Value::Load(space, row)) => touch(*space, false, row, 1),
        Inst::Let(_, Value::Gather { space, first, len, .. }) => touch(*space, false, first, *len),
        Inst::ScatterAdd { first, len, .. } => touch(Space::Scratch, true, first, *len),
        Inst::Sample(s) => touch(Space::Scratch, false, &s.first, s.len),
        Inst::Dense(d) => {
            let largest = d.n * d.n.max(d.m);
            d.args.iter().for_each(|a| touch(Space::Scratch, false, &Index::of(*a as i64), largest));
            touch(Space::Scratch, true, &Index::of(d.out as i64), largest);
        }
        Inst::Product(p) => {
            let [a, x, result] = p.shape.reaches();
            if let Factor::Rows(space, first) = &p.a {
                touch(*space, false, first, a);
            }
            touch(p.space, false, &p.x, x);
            touch(Space::Scratch, true, &p.out, result);
        }
        Inst::Loop(l) => l.body.iter().for_each(|i| memory(i, out)),
        Inst::Let(..) | Inst::Call(_) => {}
    }
}

/// Removes stores to scratch rows that nothing reads. What they stored may be dead then.
pub fn remove_dead_stores(program: &mut Program) {
    loop {
        let mut accesses = Vec::new();
        program.body.iter().for_each(|i| memory(i, &mut accesses));
        accesses.retain(|a| a.space == Space::Scratch && (!a.writes || a.len > 1));
        let before = program.size();
        remove_unread(&mut program.body, &accesses);
        remove_dead(program);
        if program.size() == before {
            return;
        }
    }
}

fn remove_unread(body: &mut Vec<Inst>, reads: &[Access]) {
    body.retain_mut(|inst| match inst {
        Inst::Store { space: Space::Scratch, row, .. } => {
            let (lo, hi) = row.range();
            reads.iter().any(|r| lo < r.span.1 && r.span.0 <= hi)
        }
        Inst::Loop(l) => {
            remove_unread(&mut l.body, reads);
            true
        }
        _ => true,
    });
}
