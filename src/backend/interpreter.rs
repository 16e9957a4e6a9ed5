//! The interpreter: executes a step program instruction by instruction, each register a row over the lanes of the
//! block. It is the oracle for the other back ends, so it is plain: no unsafe code, no scheduling.

use rustc_hash::FxHashMap as HashMap;

use super::{Block, Code, native};
use crate::kernels::lane::Lane;
use crate::step::kernel::apply;
use crate::step::program::*;
use crate::step::semantics::gather_offset;

/// A program as its own code.
pub struct Interpreter {
    program: Program,
}

impl Interpreter {
    pub fn new(program: &Program) -> Interpreter {
        Interpreter { program: program.clone() }
    }
}

impl<T: Lane> Code<T> for Interpreter {
    fn run(&self, mut block: Block<'_, T>) {
        super::check(&self.program, &block);
        let mut frame = Frame {
            program: &self.program,
            regs: vec![Vec::new(); self.program.regs.len()],
            counters: HashMap::default(),
            next: vec![T::default(); self.program.state_rows * block.lanes],
            step: 0,
            block: &mut block,
        };
        for step in 0..frame.block.steps {
            frame.step = step;
            frame.body(&self.program.body);
            frame.renew();
        }
    }
}

/// Masks are rows of 1 and 0.
fn truth<T: Lane>(holds: bool) -> T {
    T::of(f64::from(holds))
}

fn holds<T: Lane>(mask: T) -> bool {
    mask.wide() != 0.0
}

/// The state of an execution.
struct Frame<'a, 'b, T> {
    program: &'a Program,
    regs: Vec<Vec<T>>,
    counters: HashMap<u32, i64>,
    next: Vec<T>,
    step: usize,
    block: &'a mut Block<'b, T>,
}

impl<T> IndexEnv for Frame<'_, '_, T> {
    fn counter(&self, counter: Counter) -> i64 {
        self.counters[&counter.id]
    }

    fn cell(&self, table: Table, at: usize) -> f64 {
        match table {
            Table::Run => self.block.run[at],
            Table::Step => self.block.step[self.step * self.program.step_len + at],
        }
    }
}

impl<T: Lane> Frame<'_, '_, T> {
    fn body(&mut self, body: &[Inst]) {
        for inst in body {
            self.inst(inst);
        }
    }

    fn index(&self, index: &Index) -> usize {
        index.value(self) as usize
    }

    fn reg(&self, reg: Reg) -> &[T] {
        &self.regs[reg.0 as usize]
    }

    fn set(&mut self, reg: Reg, row: Vec<T>) {
        self.regs[reg.0 as usize] = row;
    }

    fn splat(&self, value: f64) -> Vec<T> {
        vec![T::of(value); self.block.lanes]
    }

    fn row(&self, space: Space, row: usize) -> &[T] {
        let n = self.block.lanes;
        match space {
            Space::State => &self.block.state[row * n..][..n],
            Space::Next => &self.next[row * n..][..n],
            Space::Out => &self.block.out[row * n..][..n],
            Space::Draw => &self.block.noise[(self.step * self.program.draw_rows + row) * n..][..n],
            Space::Scratch => &self.block.scratch[row * n..][..n],
        }
    }

    fn row_mut(&mut self, space: Space, row: usize) -> &mut [T] {
        let n = self.block.lanes;
        match space {
            Space::Next => &mut self.next[row * n..][..n],
            Space::Out => &mut self.block.out[row * n..][..n],
            Space::Scratch => &mut self.block.scratch[row * n..][..n],
            Space::State | Space::Draw => unreachable!("states and draws are only read"),
        }
    }

    /// The states of the next step.
    fn renew(&mut self) {
        let n = self.block.lanes;
        for slot in self.program.states.iter().filter(|s| s.renewed) {
            let rows = slot.first_row * n..(slot.first_row + slot.shape.iter().product::<usize>()) * n;
            self.block.state[rows.clone()].copy_from_slice(&self.next[rows]);
        }
    }

    fn map(&self, regs: &[Reg], f: impl Fn(&[T]) -> T) -> Vec<T> {
        let mut args = vec![T::default(); regs.len()];
        (0..self.block.lanes)
            .map(|lane| {
                for (a, r) in args.iter_mut().zip(regs) {
                    *a = self.reg(*r)[lane];
                }
                f(&args)
            })
            .collect()
    }

    fn value(&self, value: &Value) -> Vec<T> {
        match value {
            Value::Const(bits) => self.splat(f64::from_bits(*bits)),
            Value::Truth(b) => self.splat(f64::from(*b)),
            Value::Cell(table, at) => self.splat(self.cell(*table, self.index(at))),
            Value::Count(index) => self.splat(index.value(self) as f64),
            Value::Load(space, row) => self.row(*space, self.index(row)).to_vec(),
            Value::Unary(op, a) => self.map(&[*a], |x| op.apply(x[0])),
            Value::Binary(op, a, b) => self.map(&[*a, *b], |x| op.apply(x[0], x[1])),
            Value::Fused(form, a, b, c) => self.map(&[*a, *b, *c], |x| form.apply(x[0], x[1], x[2])),
            Value::Compare(op, a, b) => self.map(&[*a, *b], |x| truth(op.apply(x[0], x[1]))),
            Value::Logic(op, a, b) => self.map(&[*a, *b], |x| truth(op.apply(holds(x[0]), holds(x[1])))),
            Value::Not(a) => self.map(&[*a], |x| truth(!holds(x[0]))),
            Value::Select(m, a, b) => self.map(&[*m, *a, *b], |x| if holds(x[0]) { x[1] } else { x[2] }),
            Value::Gather { space, first, len, at } => {
                let first = self.index(first);
                let at = self.reg(*at);
                let row = |lane: usize| self.row(*space, first + gather_offset(at[lane], *len))[lane];
                (0..self.block.lanes).map(row).collect()
            }
            Value::GatherCell { table, first, len, at } => {
                let first = self.index(first);
                self.map(&[*at], |x| T::of(self.cell(*table, first + gather_offset(x[0], *len))))
            }
        }
    }

    fn inst(&mut self, inst: &Inst) {
        match inst {
            Inst::Let(dst, value) => {
                let row = self.value(value);
                self.set(*dst, row);
            }
            Inst::Store { space, row, value } => {
                let (row, value) = (self.index(row), self.reg(*value).to_vec());
                self.row_mut(*space, row).copy_from_slice(&value);
            }
            Inst::ScatterAdd { first, len, at, value } => {
                let (first, at, value) = (self.index(first), self.reg(*at).to_vec(), self.reg(*value).to_vec());
                for lane in 0..self.block.lanes {
                    let at = at[lane].wide();
                    if at >= 0.0 && at < *len as f64 {
                        let cell = &mut self.row_mut(Space::Scratch, first + at as usize)[lane];
                        *cell = *cell + value[lane];
                    }
                }
            }
            Inst::Call(call) => {
                for (dst, args) in call.dsts.iter().zip(&call.args) {
                    let args: Vec<&[T]> = args.iter().map(|a| self.reg(*a)).collect();
                    let row = apply(call.kernel, &args);
                    self.set(*dst, row);
                }
            }
            Inst::Loop(l) => self.run_loop(l),
            Inst::Dense(call) => native::dense(call, self.block.scratch, self.block.lanes),
            Inst::Product(p) => self.product(p),
            Inst::Sample(call) => {
                let mut row = self.splat(0.0);
                let first = self.index(&call.first) * self.block.lanes;
                let origin = native::Origin {
                    key: self.block.key,
                    path: self.block.first_path,
                    step: self.block.first_step + self.step as u64,
                    component: self.index(&call.component) as u32,
                };
                let params = &self.block.scratch[first..first + call.len * self.block.lanes];
                native::sample(call, origin, params, &mut row);
                self.set(call.dst, row);
            }
        }
    }

    fn product(&mut self, p: &Product) {
        let s = &p.shape;
        let (x, out) = (self.index(&p.x), self.index(&p.out));
        for (i, c) in (0..s.rows).flat_map(|i| (0..s.columns).map(move |c| (i, c))) {
            let mut sums = [self.splat(-0.0), self.splat(-0.0)];
            for j in 0..s.terms {
                let a = self.factor(&p.a, i * s.a[0] + j * s.a[1]);
                let x = self.row(p.space, x + j * s.x[0] + c * s.x[1]);
                for ((sum, a), x) in sums[j % 2].iter_mut().zip(a).zip(x) {
                    *sum = a.mul_add(*x, *sum);
                }
            }
            let [even, odd] = sums;
            let row = self.row_mut(Space::Scratch, out + i * s.out[0] + c * s.out[1]);
            row.iter_mut().zip(even).zip(odd).for_each(|((sum, a), b)| *sum = a + b);
        }
    }

    /// An element of the left factor of a product, `at` from its first.
    fn factor(&self, a: &Factor, at: usize) -> Vec<T> {
        match a {
            Factor::Cells(table, first) => self.splat(self.cell(*table, self.index(first) + at)),
            Factor::Rows(space, first) => self.row(*space, self.index(first) + at).to_vec(),
        }
    }

    fn run_loop(&mut self, l: &Loop) {
        for c in &l.carried {
            let row = self.reg(c.init).to_vec();
            self.set(c.inner, row);
        }
        for i in 0..l.counter.extent {
            self.counters.insert(l.counter.id, i as i64);
            self.body(&l.body);
            let next: Vec<Vec<T>> = l.carried.iter().map(|c| self.reg(c.next).to_vec()).collect();
            for (c, row) in l.carried.iter().zip(next) {
                self.set(c.inner, row);
            }
        }
        for c in &l.carried {
            let row = self.reg(c.inner).to_vec();
            self.set(c.result, row);
        }
    }
}
