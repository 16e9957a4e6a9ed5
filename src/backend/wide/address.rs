//! Addresses: index expressions as integer code. In a loop without calls the offsets of rows are running: they are
//! incremented from turn to turn, and brought back where a remainder wraps around.

use super::emit::{COUNTER, Emitter, ROW_BYTES, slots};
use super::encode::*;
use super::shape::LARGEST_FACTOR;
use super::vector::{Loop, Node, Place, Source, Vector};
use crate::step::program::{Atom, Counter, Index, Space, Table};

/// What an index counts.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Unit {
    /// rows of the group
    Near,
    /// rows of the block
    Far,
    Cell,
}

/// An offset in bytes, without what is constant (but for rows of the block, whose length is not known here).
#[derive(Clone, Debug, PartialEq)]
struct Key {
    unit: Unit,
    index: Index,
}

/// Where an offset is kept.
#[derive(Copy, Clone, Debug, PartialEq)]
enum Home {
    Gpr(Gpr),
    Word(i32),
}

/// What happens to an offset from turn to turn, in units.
#[derive(Copy, Clone, Debug, PartialEq)]
enum Motion {
    Still,
    By(i64),
    /// by a number, times a factor, modulo `n`
    Around {
        by: i64,
        factor: i64,
        n: i64,
    },
}

struct Running {
    key: Key,
    home: Home,
    motion: Motion,
}

#[derive(Default)]
pub struct Addresses {
    /// offsets of the loop at hand
    running: Vec<Running>,
    /// offsets made in the body at hand
    made: Vec<(Key, Gpr)>,
    turn: usize,
    /// counters of open loops in words of the frame, but that of a leaf, which is in a register
    counters: Vec<(u32, i32)>,
}

/// General registers for offsets.
const POOL: [Gpr; 4] = [RSI, RDI, R8, R9];

impl Emitter<'_> {
    fn unit_bytes(&self, unit: Unit) -> Option<i64> {
        match unit {
            Unit::Near => Some(self.layout.row_bytes() as i64),
            Unit::Cell => Some(8),
            Unit::Far => None,
        }
    }

    fn unit_of(&self, space: Space) -> Unit {
        match space {
            Space::Draw | Space::Out => Unit::Far,
            // states in registers are read from the block before the steps
            Space::State if self.layout.registers => Unit::Far,
            Space::State | Space::Next | Space::Scratch => Unit::Near,
        }
    }

    /// The address of a vector of a row. It holds until the next address is made.
    pub fn row(&mut self, space: Space, row: &Index, v: usize) -> Mem {
        self.place(self.unit_of(space), row, |e| e.base_of(space), 32 * v as i32)
    }

    pub fn cell(&mut self, table: Table, at: &Index) -> Mem {
        self.place(Unit::Cell, at, |_| base_of_table(table), 0)
    }

    fn base_of(&mut self, space: Space) -> Gpr {
        match space {
            Space::State => RBX,
            Space::Next => RBP,
            Space::Scratch => R12,
            Space::Draw => R13,
            Space::Out => {
                self.asm.mov(RDX, Mem::at(RSP, slots::OUT));
                RDX
            }
        }
    }

    fn place(&mut self, unit: Unit, index: &Index, base: impl FnOnce(&mut Self) -> Gpr, extra: i32) -> Mem {
        let disp = self.unit_bytes(unit).map_or(0, |bytes| index.constant * bytes);
        let disp = i32::try_from(disp).expect("rows of a group are near") + extra;
        let index = self.offset(unit, index);
        Mem::At { base: base(self), index, disp }
    }

    /// What is added to the base for the moving part of an index.
    fn offset(&mut self, unit: Unit, index: &Index) -> Option<(Gpr, u8)> {
        if unit == Unit::Far {
            match index.known() {
                Some(0) => return None,
                Some(n @ (1 | 2 | 4 | 8)) => return Some((ROW_BYTES, n as u8)),
                _ => {}
            }
        } else if index.terms.is_empty() {
            return None;
        }
        if let (Unit::Cell, [(Atom::Counter(c), 1)]) = (unit, index.terms.as_slice())
            && self.leaf == Some(*c)
        {
            return Some((COUNTER, 8));
        }
        let parts = self.parts(unit, index);
        let homes: Vec<Option<Home>> = parts.iter().map(|p| self.running(p)).collect();
        if parts.len() > 1 && homes.iter().all(Option::is_some) {
            self.asm.mov_number(RAX, 0);
            for home in homes.into_iter().flatten() {
                match home {
                    Home::Gpr(r) => self.asm.arith(Int::Add, RAX, r),
                    Home::Word(w) => self.asm.arith(Int::Add, RAX, Mem::at(RSP, w)),
                }
            }
            return Some((RAX, 1));
        }
        Some((self.key(&whole(unit, index)), 1))
    }

    fn running(&self, key: &Key) -> Option<Home> {
        self.addresses.running.iter().find(|r| r.key == *key).map(|r| r.home)
    }

    /// The register with an offset.
    fn key(&mut self, key: &Key) -> Gpr {
        let home = self.running(key);
        if let Some(Home::Gpr(r)) = home {
            return r;
        }
        if let Some((_, r)) = self.addresses.made.iter().find(|(k, _)| k == key) {
            return *r;
        }
        let target = self.free_gpr();
        match home {
            Some(Home::Word(w)) => self.asm.mov(target, Mem::at(RSP, w)),
            _ => {
                self.scaled(key);
                self.asm.mov(target, RAX);
            }
        }
        if target != RCX {
            self.addresses.made.push((key.clone(), target));
        }
        target
    }

    /// A register for an offset: one of those that no running offset has, or one for a short time.
    fn free_gpr(&mut self) -> Gpr {
        let taken: Vec<Gpr> = self
            .addresses
            .running
            .iter()
            .filter_map(|r| if let Home::Gpr(r) = r.home { Some(r) } else { None })
            .collect();
        let free: Vec<Gpr> = POOL.into_iter().filter(|r| !taken.contains(r)).collect();
        if free.is_empty() {
            return RCX;
        }
        self.addresses.turn += 1;
        let r = free[self.addresses.turn % free.len()];
        self.addresses.made.retain(|(_, other)| *other != r);
        r
    }

    /// An offset in `rax`.
    fn scaled(&mut self, key: &Key) {
        self.value(&key.index, 0);
        match self.unit_bytes(key.unit) {
            Some(bytes) => self.asm.multiply_number(RAX, RAX, bytes as i32),
            None => self.asm.multiply(RAX, ROW_BYTES),
        }
    }

    /// The value of an index in `rax`; `rcx` and `rdx` are lost.
    pub fn value(&mut self, index: &Index, depth: usize) {
        let kept = Mem::at(RSP, slots::INDEX + 8 * depth as i32);
        if index.terms.is_empty() {
            self.asm.mov_number(RAX, index.constant);
            return;
        }
        for (k, (atom, factor)) in index.terms.iter().enumerate() {
            self.atom(atom, depth + 1);
            if *factor != 1 {
                self.asm.multiply_number(RAX, RAX, *factor as i32);
            }
            if k > 0 {
                self.asm.arith(Int::Add, RAX, kept);
            }
            if k + 1 < index.terms.len() {
                self.asm.mov(kept, RAX);
            }
        }
        if index.constant != 0 {
            self.asm.arith(Int::Add, RAX, index.constant as i32);
        }
    }

    fn atom(&mut self, atom: &Atom, depth: usize) {
        match atom {
            Atom::Counter(c) if self.leaf == Some(*c) => self.asm.mov(RAX, COUNTER),
            Atom::Counter(c) => {
                let counters = &self.addresses.counters;
                let (_, word) = counters.iter().find(|(id, _)| *id == c.id).expect("the counter is open");
                self.asm.mov(RAX, Mem::at(RSP, *word));
            }
            Atom::Mod(e, n) => {
                self.value(e, depth);
                let (lo, hi) = e.range();
                if lo >= -n && hi < 2 * n {
                    self.near_remainder(RAX, *n, (lo < 0, hi >= *n));
                } else {
                    self.divide(*n);
                    self.asm.mov(RAX, RDX);
                    self.near_remainder(RAX, *n, (true, false));
                }
            }
            Atom::Div(e, n) => {
                self.value(e, depth);
                self.divide(*n);
                // the machine cuts towards zero
                self.asm.lea(RCX, Mem::at(RAX, -1));
                self.asm.arith(Int::Cmp, RDX, 0);
                self.asm.move_if(Cond::Less, RAX, RCX);
            }
            Atom::Clamp(e, lo, hi) => {
                self.value(e, depth);
                self.asm.mov_number(RCX, *lo);
                self.asm.arith(Int::Cmp, RAX, RCX);
                self.asm.move_if(Cond::Less, RAX, RCX);
                self.asm.mov_number(RCX, *hi);
                self.asm.arith(Int::Cmp, RCX, RAX);
                self.asm.move_if(Cond::Less, RAX, RCX);
            }
            Atom::Cell(table, at) => self.cell_integer(*table, at, depth),
        }
    }

    /// The integer that a cell holds, as `index::cell_integer`: NaN is 0, far numbers are cut. Sizes are compared by the
    /// bits without the sign.
    fn cell_integer(&mut self, table: Table, at: &Index, depth: usize) {
        const FAR: i64 = 1 << 52;
        let kept = Mem::at(RSP, slots::INDEX + 8 * depth as i32);
        self.value(at, depth);
        let cell = Mem::At { base: base_of_table(table), index: Some((RAX, 8)), disp: 0 };
        self.asm.mov(RDX, cell);
        self.asm.integer_of_cell(RAX, cell);
        self.asm.mov(kept, RDX);
        self.asm.arith(Int::Add, RDX, RDX);
        let done = self.asm.label();
        self.asm.mov_number(RCX, ((FAR as f64).to_bits() << 1) as i64);
        self.asm.arith(Int::Cmp, RDX, RCX);
        self.asm.jump_if(Cond::Below, done);
        self.asm.mov_number(RAX, 0);
        self.asm.mov_number(RCX, (f64::INFINITY.to_bits() << 1) as i64);
        self.asm.arith(Int::Cmp, RDX, RCX);
        self.asm.jump_if(Cond::Above, done);
        self.asm.mov_number(RAX, FAR);
        self.asm.mov_number(RCX, -FAR);
        self.asm.arith(Int::Cmp, kept, 0);
        self.asm.move_if(Cond::Less, RAX, RCX);
        self.asm.bind(done);
    }

    fn divide(&mut self, n: i64) {
        self.asm.mov_number(RCX, n);
        self.asm.divide(RCX);
    }

    /// Brings a number at most one period away into `0..n`; `rdx` is lost.
    fn near_remainder(&mut self, r: Gpr, n: i64, (below, above): (bool, bool)) {
        let n = n as i32;
        if below {
            self.asm.lea(RDX, Mem::at(r, n));
            self.asm.arith(Int::Cmp, r, 0);
            self.asm.move_if(Cond::Less, r, RDX);
        }
        if above {
            self.asm.lea(RDX, Mem::at(r, -n));
            self.asm.arith(Int::Cmp, r, n);
            self.asm.move_if(Cond::GreaterOrEqual, r, RDX);
        }
    }

    /// Offsets and counters are forgotten: a call or a loop changes the registers.
    pub fn forget_addresses(&mut self) {
        self.addresses.made.clear();
    }

    pub fn open_counter(&mut self, counter: Counter) -> i32 {
        let word = self.word();
        self.addresses.counters.push((counter.id, word));
        word
    }

    pub fn close_counter(&mut self) {
        self.addresses.counters.pop();
    }

    /// Starts the running offsets of a loop without calls, whose counter is 0 now.
    pub fn start_running(&mut self, l: &Loop) {
        self.forget_addresses();
        let mut wanted: Vec<(Key, Motion, usize)> = Vec::new();
        for (unit, index) in self.indices(l) {
            if self.is_direct(unit, &index) {
                continue;
            }
            let parts = self.parts(unit, &index);
            let motions: Vec<Option<Motion>> = parts.iter().map(|p| motion(&p.index, l.counter)).collect();
            // where rows have a length that is not known here, what wraps around is worked out each time
            let far = |m: &Option<Motion>| unit == Unit::Far && matches!(m, Some(Motion::Around { .. }));
            if motions.iter().any(|m| m.is_none() || far(m)) {
                continue;
            }
            for (key, motion) in parts.into_iter().zip(motions.into_iter().flatten()) {
                match wanted.iter_mut().find(|w| w.0 == key) {
                    Some(w) => w.2 += 1,
                    None => wanted.push((key, motion, 1)),
                }
            }
        }
        wanted.sort_by_key(|w| std::cmp::Reverse(w.2));
        // the running offsets are named only when all are made: none may be taken for another meanwhile
        let mut running = Vec::new();
        for (k, (key, motion, _)) in wanted.into_iter().enumerate() {
            self.scaled(&key);
            let home = match POOL.get(k) {
                Some(r) => {
                    self.asm.mov(*r, RAX);
                    Home::Gpr(*r)
                }
                None => {
                    let word = self.word();
                    self.asm.mov(Mem::at(RSP, word), RAX);
                    Home::Word(word)
                }
            };
            running.push(Running { key, home, motion });
        }
        self.addresses.running = running;
    }

    /// Whether an offset needs no register of its own.
    fn is_direct(&self, unit: Unit, index: &Index) -> bool {
        match (unit, index.known()) {
            (Unit::Far, Some(n)) => matches!(n, 0 | 1 | 2 | 4 | 8),
            (_, Some(_)) => true,
            (Unit::Cell, None) => {
                matches!(index.terms.as_slice(), [(Atom::Counter(c), 1)] if self.leaf == Some(*c))
            }
            _ => false,
        }
    }

    /// All indices of rows and cells in a loop.
    fn indices(&self, l: &Loop) -> Vec<(Unit, Index)> {
        let mut found = Vec::new();
        let mut vals = Vec::new();
        for node in &l.body {
            let Node::Vector(_, vector) = node else { continue };
            vector.reads(&mut |v| vals.push(v));
            match vector {
                Vector::Load { space, row, .. } | Vector::Store { space, row, .. } => {
                    found.push((self.unit_of(*space), row.clone()));
                }
                Vector::Splat { at, .. } => found.push((Unit::Cell, at.clone())),
                Vector::Gather { from: Source::Row(space), first, .. } => {
                    found.push((self.unit_of(*space), first.clone()));
                }
                Vector::Gather { from: Source::Cell(_), first, .. } => found.push((Unit::Cell, first.clone())),
                _ => {}
            }
        }
        for val in vals {
            if let Some(Place::Row(space, row, _)) = &self.vals[val as usize].place {
                found.push((self.unit_of(*space), row.clone()));
            }
        }
        found
    }

    /// An index cut into parts that can run: what wraps around in the loop at hand goes by itself.
    fn parts(&self, unit: Unit, index: &Index) -> Vec<Key> {
        let Some(counter) = self.leaf else { return vec![whole(unit, index)] };
        let key = whole(unit, index);
        let moves = |atom: &Atom| {
            let mut found = false;
            let one = Index { constant: 0, terms: vec![(atom.clone(), 1)] };
            one.counters(&mut |c| found |= c == counter);
            !matches!(atom, Atom::Counter(_)) && found
        };
        let (around, rest): (Vec<_>, Vec<_>) = key.index.terms.into_iter().partition(|(atom, _)| moves(atom));
        let mut parts: Vec<Key> =
            around.into_iter().map(|term| Key { unit, index: Index { constant: 0, terms: vec![term] } }).collect();
        let rest = Index { constant: key.index.constant, terms: rest };
        if parts.is_empty() || rest != Index::of(0) {
            parts.push(Key { unit, index: rest });
        }
        parts
    }

    /// Takes the running offsets to the next turn.
    pub fn advance_running(&mut self) {
        let running = std::mem::take(&mut self.addresses.running);
        for r in &running {
            let (by, around) = match r.motion {
                Motion::Still => continue,
                Motion::By(by) => (by, None),
                Motion::Around { by, factor, n } => (by * factor, Some((by < 0, n * factor))),
            };
            let reg = match r.home {
                Home::Gpr(reg) => reg,
                Home::Word(w) => {
                    self.asm.mov(RCX, Mem::at(RSP, w));
                    RCX
                }
            };
            match self.unit_bytes(r.key.unit) {
                Some(bytes) => {
                    self.asm.arith(Int::Add, reg, (by * bytes) as i32);
                    if let Some((below, period)) = around {
                        self.near_remainder(reg, period * bytes, (below, !below));
                    }
                }
                None if by == 1 => self.asm.arith(Int::Add, reg, ROW_BYTES),
                None => {
                    self.asm.multiply_number(RAX, ROW_BYTES, by as i32);
                    self.asm.arith(Int::Add, reg, RAX);
                }
            }
            if let Home::Word(w) = r.home {
                self.asm.mov(Mem::at(RSP, w), reg);
            }
        }
        self.addresses.running = running;
    }

    pub fn stop_running(&mut self) {
        self.addresses.running.clear();
        self.forget_addresses();
    }
}

fn base_of_table(table: Table) -> Gpr {
    match table {
        Table::Run => R15,
        Table::Step => R14,
    }
}

/// The offset of an index as one.
fn whole(unit: Unit, index: &Index) -> Key {
    let constant = if unit == Unit::Far { index.constant } else { 0 };
    Key { unit, index: Index { constant, terms: index.terms.clone() } }
}

/// How an index moves with a counter, if it can be told from one turn to the next.
fn motion(index: &Index, counter: Option<Counter>) -> Option<Motion> {
    let Some(counter) = counter else {
        // from step to step, cells of the step table change
        let mut moves = false;
        index.cells(&mut |table, _| moves |= table == Table::Step);
        return (!moves).then_some(Motion::Still);
    };
    let slope = |index: &Index| -> Option<i64> {
        let mut slope = 0;
        for (atom, factor) in &index.terms {
            let mut found = false;
            Index { constant: 0, terms: vec![(atom.clone(), 1)] }.counters(&mut |c| found |= c == counter);
            match atom {
                Atom::Counter(c) if *c == counter => slope += factor,
                _ if found => return None,
                _ => {}
            }
        }
        Some(slope)
    };
    match (slope(index), index.terms.as_slice()) {
        (Some(0), _) => Some(Motion::Still),
        (Some(by), _) => Some(Motion::By(by)),
        (None, [(Atom::Mod(e, n), factor)]) if index.constant == 0 && *factor > 0 => {
            let by = slope(e)?;
            let small = *n * factor < LARGEST_FACTOR;
            (small && by != 0 && by.abs() <= *n).then_some(Motion::Around { by, factor: *factor, n: *n })
        }
        _ => None,
    }
}
