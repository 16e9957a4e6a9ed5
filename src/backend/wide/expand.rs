//! A step program as vector instructions: each register of the program becomes one value for all lanes, or one for each
//! vector of the group. Instructions have positions, by which the uses of a value are ordered.

use std::collections::{HashMap, HashSet};

use super::elementary::is_inlined;
use super::encode::{self as x86, Op};
use super::shape::Layout;
use super::uses;
use super::vector::{Call, Carried, Info, Loop, Node, Place, Source, Val, Vector};
use super::waiting::{self, is_whole};
use crate::step::program::{self as step, Binary, Index, Inst, Logic, Precision, Program, Relation, Space, Unary};

#[derive(Clone)]
enum Vals {
    Uniform(Val),
    Lanes(Vec<Option<Val>>),
}

/// The group of lanes as a program of vectors.
pub struct Expanded {
    pub steps: Loop,
    pub vals: Vec<Info>,
    /// cells of the run table that are kept on the stack, with their places
    pub pool: Vec<(usize, i32)>,
    /// the vectors of the states at the end, by row
    pub results: Vec<(usize, usize, Val)>,
    /// bytes of the stack that are taken
    pub stack: i32,
}

pub struct Expansion<'p> {
    program: &'p Program,
    pub layout: Layout,
    vals: Vec<Info>,
    by_reg: HashMap<step::Reg, Vals>,
    constants: HashMap<u64, Val>,
    pool: HashMap<usize, Val>,
    pooled: Vec<(usize, i32)>,
    stack: i32,
    /// states in registers
    state: Vec<Vec<Val>>,
    next: Vec<Vec<Option<Val>>>,
    /// loads that wait until they are used, in the stretch at hand
    waiting: HashSet<step::Reg>,
    /// registers that are read outside the stretch that makes them
    escaping: HashSet<step::Reg>,
}

/// Expands a program for groups of `layout.vectors` vectors.
pub fn expand(program: &Program, layout: Layout, stack: i32) -> Expanded {
    let mut e = Expansion {
        program,
        layout,
        vals: Vec::new(),
        by_reg: HashMap::new(),
        constants: HashMap::new(),
        pool: HashMap::new(),
        pooled: Vec::new(),
        stack,
        state: Vec::new(),
        next: Vec::new(),
        waiting: HashSet::new(),
        escaping: waiting::escaping(&program.body),
    };
    let (mut steps, results) = e.steps();
    let after: Vec<Val> = results.iter().map(|r| r.2).collect();
    uses::number(&mut steps, &after, &mut e.vals);
    Expanded { steps, vals: e.vals, pool: e.pooled, results, stack: e.stack }
}

impl Expansion<'_> {
    pub fn new_val(&mut self, place: Option<Place>) -> Val {
        self.vals.push(Info { place, ..Info::default() });
        self.vals.len() as Val - 1
    }

    /// Room on the stack, in vectors.
    fn room(&mut self, vectors: usize) -> i32 {
        let at = self.stack;
        self.stack += 32 * vectors as i32;
        at
    }

    pub fn push(&mut self, body: &mut Vec<Node>, vector: Vector) {
        body.push(Node::Vector(0, vector));
    }

    /// A number in all lanes, rounded to the precision.
    pub fn number(&mut self, x: f64) -> Val {
        self.pattern(match self.layout.precision {
            Precision::Double => x.to_bits(),
            Precision::Single => twice((x as f32).to_bits()),
        })
    }

    /// 64 bits, repeated.
    fn pattern(&mut self, bits: u64) -> Val {
        if let Some(val) = self.constants.get(&bits) {
            return *val;
        }
        let val = self.new_val(Some(Place::Constant(bits)));
        self.constants.insert(bits, val);
        val
    }

    fn pooled(&mut self, cell: usize) -> Val {
        if let Some(val) = self.pool.get(&cell) {
            return *val;
        }
        let at = self.room(1);
        let val = self.new_val(Some(Place::Stack(at)));
        self.pooled.push((cell, at));
        self.pool.insert(cell, val);
        val
    }

    /// The number of a value that is a constant.
    fn known(&self, val: Val) -> Option<f64> {
        match self.vals[val as usize].place {
            Some(Place::Constant(bits)) => Some(match self.layout.precision {
                Precision::Double => f64::from_bits(bits),
                Precision::Single => f64::from(f32::from_bits(bits as u32)),
            }),
            _ => None,
        }
    }

    /// The loop over steps, and the values of the states after it.
    fn steps(&mut self) -> (Loop, Vec<(usize, usize, Val)>) {
        let program = self.program;
        let (rows, vectors) = (if self.layout.registers { program.state_rows } else { 0 }, self.layout.vectors);
        let mut inits = Vec::new();
        for row in 0..rows {
            for v in 0..vectors {
                inits.push(self.new_val(Some(Place::Row(Space::State, Index::of(row as i64), v))));
            }
        }
        let inner: Vec<Val> = inits.iter().map(|_| self.new_val(None)).collect();
        self.state = inner.chunks(vectors).map(<[Val]>::to_vec).collect();
        self.next = vec![vec![None; vectors]; rows];
        let mut body = Vec::new();
        self.body(&program.body, &mut body);
        let next: Vec<Option<Val>> = std::mem::take(&mut self.next).into_iter().flatten().collect();
        let mut carried = Vec::new();
        for (k, (init, inner)) in inits.into_iter().zip(&inner).enumerate() {
            carried.push(Carried { init, inner: *inner, next: next[k].unwrap_or(*inner), result: 0 });
        }
        let mut results = Vec::new();
        for (k, c) in carried.iter_mut().enumerate() {
            c.result = self.new_val(None);
            results.push((k / vectors, k % vectors, c.result));
        }
        (Loop { counter: None, carried, body, start: 0, end: 0 }, results)
    }

    /// A body: stretches of lane instructions go in parts of the group, calls and loops for all of it.
    fn body(&mut self, insts: &[Inst], out: &mut Vec<Node>) {
        let mut k = 0;
        while k < insts.len() {
            match &insts[k] {
                Inst::Call(call) if !is_inlined(&insts[k]) => self.call(call, out),
                Inst::Loop(l) => self.inner(l, out),
                _ => {
                    let n = insts[k..].iter().take_while(|i| !is_whole(i)).count();
                    self.stretch(&insts[k..k + n], out);
                    k += n;
                    continue;
                }
            }
            k += 1;
        }
    }

    fn stretch(&mut self, insts: &[Inst], out: &mut Vec<Node>) {
        self.waiting = waiting::waiting(insts, &self.escaping);
        let part = self.layout.interleaved;
        for first in (0..self.layout.vectors).step_by(part) {
            for inst in insts {
                self.inst(inst, first..first + part, out);
            }
        }
    }

    fn inst(&mut self, inst: &Inst, window: std::ops::Range<usize>, out: &mut Vec<Node>) {
        match inst {
            Inst::Let(dst, value) => self.define(*dst, value, window, out),
            Inst::Store { space: Space::Next, row, value } if self.layout.registers => {
                let row = row.known().expect("rows of straight-line code are known") as usize;
                for v in window {
                    self.next[row][v] = Some(self.get(*value, v));
                }
            }
            Inst::Store { space, row, value } => {
                for v in window {
                    let value = self.get(*value, v);
                    self.push(out, Vector::Store { space: *space, row: row.clone(), v, value });
                }
            }
            Inst::Call(call) => {
                for v in window {
                    for (dst, args) in call.dsts.iter().zip(&call.args) {
                        let x = self.get(args[0], v);
                        let val = self.exp(x, out);
                        self.set(*dst, v, val);
                    }
                }
            }
            _ => unreachable!("programs with other instructions are not expanded"),
        }
    }

    fn get(&self, reg: step::Reg, v: usize) -> Val {
        match &self.by_reg[&reg] {
            Vals::Uniform(val) => *val,
            Vals::Lanes(vals) => vals[v].expect("a verified program reads what it has named"),
        }
    }

    fn set(&mut self, reg: step::Reg, v: usize, val: Val) {
        let all = vec![None; self.layout.vectors];
        if let Vals::Lanes(vals) = self.by_reg.entry(reg).or_insert(Vals::Lanes(all)) {
            vals[v] = Some(val);
        }
    }

    fn define(&mut self, dst: step::Reg, value: &step::Value, window: std::ops::Range<usize>, out: &mut Vec<Node>) {
        if matches!(self.by_reg.get(&dst), Some(Vals::Uniform(_))) && window.start > 0 {
            return;
        }
        if let Some(val) = self.uniform(value, out) {
            self.by_reg.insert(dst, Vals::Uniform(val));
            return;
        }
        for v in window {
            let val = self.lanes(dst, value, v, out);
            self.set(dst, v, val);
        }
    }

    /// A value that is the same for all lanes, if it is.
    fn uniform(&mut self, value: &step::Value, out: &mut Vec<Node>) -> Option<Val> {
        match value {
            step::Value::Const(bits) => Some(self.number(f64::from_bits(*bits))),
            step::Value::Truth(b) => Some(self.pattern(if *b { u64::MAX } else { 0 })),
            step::Value::Cell(step::Table::Run, at) if at.known().is_some() => {
                Some(self.pooled(at.known().expect("just asked") as usize))
            }
            step::Value::Cell(table, at) => {
                let dst = self.new_val(None);
                self.push(out, Vector::Splat { dst, table: *table, at: at.clone() });
                Some(dst)
            }
            step::Value::Count(index) => match index.known() {
                Some(n) => Some(self.number(n as f64)),
                None => {
                    let dst = self.new_val(None);
                    self.push(out, Vector::Count { dst, index: index.clone() });
                    Some(dst)
                }
            },
            step::Value::Load(..) | step::Value::Gather { .. } | step::Value::GatherCell { .. } => None,
            _ => {
                let mut all = true;
                value.reads(&mut |r| all &= matches!(self.by_reg[&r], Vals::Uniform(_)));
                all.then(|| self.operation(value, 0, out))
            }
        }
    }

    fn lanes(&mut self, dst: step::Reg, value: &step::Value, v: usize, out: &mut Vec<Node>) -> Val {
        match value {
            step::Value::Load(Space::State, row) if self.layout.registers => {
                self.state[row.known().expect("rows of straight-line code are known") as usize][v]
            }
            step::Value::Load(space, row) if self.waiting.contains(&dst) => {
                self.new_val(Some(Place::Row(*space, row.clone(), v)))
            }
            step::Value::Load(space, row) => {
                let dst = self.new_val(None);
                self.push(out, Vector::Load { dst, space: *space, row: row.clone(), v });
                dst
            }
            step::Value::Gather { space, first, len, at } => {
                self.gather(Source::Row(*space), first, *len, self.get(*at, v), v, out)
            }
            step::Value::GatherCell { table, first, len, at } => {
                self.gather(Source::Cell(*table), first, *len, self.get(*at, v), v, out)
            }
            _ => self.operation(value, v, out),
        }
    }

    /// The numbers are brought into the span first: the greater of NaN and 0 is 0 in this order.
    fn gather(&mut self, from: Source, first: &Index, len: usize, at: Val, v: usize, out: &mut Vec<Node>) -> Val {
        let (zero, top) = (self.number(0.0), self.number(len as f64 - 1.0));
        let at = self.two(x86::MAX, [at, zero], out);
        let at = self.two(x86::MIN, [at, top], out);
        let dst = self.new_val(None);
        self.push(out, Vector::Gather { dst, from, first: first.clone(), v, at });
        dst
    }

    pub fn two(&mut self, op: Op, args: [Val; 2], out: &mut Vec<Node>) -> Val {
        let dst = self.new_val(None);
        self.push(out, Vector::Two { op, dst, args, number: None });
        dst
    }

    pub fn compared(&mut self, args: [Val; 2], number: u8, out: &mut Vec<Node>) -> Val {
        let dst = self.new_val(None);
        self.push(out, Vector::Two { op: x86::COMPARE, dst, args, number: Some(number) });
        dst
    }

    /// An operation on vectors of registers.
    fn operation(&mut self, value: &step::Value, v: usize, out: &mut Vec<Node>) -> Val {
        match value {
            step::Value::Unary(op, a) => self.unary(*op, self.get(*a, v), out),
            step::Value::Binary(op, a, b) => self.binary(*op, [self.get(*a, v), self.get(*b, v)], out),
            step::Value::Fused(form, a, b, c) => {
                let args = [self.get(*a, v), self.get(*b, v), self.get(*c, v)];
                let dst = self.new_val(None);
                self.push(out, Vector::Fused { form: *form, dst, args });
                dst
            }
            step::Value::Compare(op, a, b) => self.compared([self.get(*a, v), self.get(*b, v)], predicate(*op), out),
            step::Value::Logic(op, a, b) => {
                let (a, b) = (self.get(*a, v), self.get(*b, v));
                match op {
                    Logic::And => self.two(x86::AND, [a, b], out),
                    Logic::Or => self.two(x86::OR, [a, b], out),
                    // the machine complements the first
                    Logic::AndNot => self.two(x86::AND_NOT, [b, a], out),
                }
            }
            step::Value::Not(a) => {
                let ones = self.pattern(u64::MAX);
                self.two(x86::XOR, [self.get(*a, v), ones], out)
            }
            step::Value::Select(m, a, b) => {
                let (mask, a, b) = (self.get(*m, v), self.get(*a, v), self.get(*b, v));
                self.blend(mask, a, b, out)
            }
            _ => unreachable!("made elsewhere: {value}"),
        }
    }

    fn blend(&mut self, mask: Val, a: Val, b: Val, out: &mut Vec<Node>) -> Val {
        let dst = self.new_val(None);
        self.push(out, Vector::Blend { dst, mask, a, b });
        dst
    }

    fn unary(&mut self, op: Unary, a: Val, out: &mut Vec<Node>) -> Val {
        let sign = match self.layout.precision {
            Precision::Double => 1 << 63,
            Precision::Single => twice(1 << 31),
        };
        let (op, number) = match op {
            Unary::Neg => {
                let sign = self.pattern(sign);
                return self.two(x86::XOR, [a, sign], out);
            }
            Unary::Abs => {
                let rest = self.pattern(!sign);
                return self.two(x86::AND, [a, rest], out);
            }
            Unary::Sqrt => (x86::SQRT, None),
            // towards minus and plus infinity, without an exception for inexact results
            Unary::Floor => (x86::ROUND, Some(9)),
            Unary::Ceil => (x86::ROUND, Some(10)),
        };
        let dst = self.new_val(None);
        self.push(out, Vector::One { op, dst, a, number });
        dst
    }

    fn binary(&mut self, op: Binary, [a, b]: [Val; 2], out: &mut Vec<Node>) -> Val {
        let op = match op {
            Binary::Add => x86::ADD,
            Binary::Sub => x86::SUB,
            Binary::Mul => x86::MUL,
            Binary::Div => x86::DIV,
            Binary::Min => x86::MIN,
            Binary::Max => x86::MAX,
        };
        if op != x86::MIN && op != x86::MAX {
            return self.two(op, [a, b], out);
        }
        match (self.known(a), self.known(b)) {
            (Some(a1), _) if !a1.is_nan() => self.two(op, [a, b], out),
            // the machine gives its second if one is NaN; equal numbers other than zeros are the same
            (_, Some(b1)) if !b1.is_nan() && b1 != 0.0 => self.two(op, [b, a], out),
            // a zero of either sign plus 0 is 0
            (_, Some(b1)) if op == x86::MAX && b1.to_bits() == 0 => {
                let greater = self.two(op, [b, a], out);
                self.two(x86::ADD, [greater, b], out)
            }
            _ => {
                let chosen = self.two(op, [a, b], out);
                let nan = self.compared([a, a], x86::UNORDERED, out);
                self.blend(nan, a, chosen, out)
            }
        }
    }

    /// Arguments go to an area on the stack row by row, the results take the places of the first.
    fn call(&mut self, call: &step::Call, out: &mut Vec<Node>) {
        let (rows, vectors) = (call.dsts.len(), self.layout.vectors);
        let area = self.room(rows * vectors * call.kernel.arity());
        for (k, args) in call.args.iter().enumerate() {
            for (j, arg) in args.iter().enumerate() {
                for v in 0..vectors {
                    let value = self.get(*arg, v);
                    self.push(out, Vector::Argument { area, at: (j * rows + k) * vectors + v, value });
                }
            }
        }
        out.push(Node::Call(Call { at: 0, kernel: call.kernel, rows, area }));
        for (k, dst) in call.dsts.iter().enumerate() {
            for v in 0..vectors {
                let val = self.new_val(Some(Place::Stack(area + 32 * (k * vectors + v) as i32)));
                self.set(*dst, v, val);
            }
        }
    }

    fn inner(&mut self, l: &step::Loop, out: &mut Vec<Node>) {
        let vectors = self.layout.vectors;
        if l.counter.extent == 0 {
            for c in &l.carried {
                let init = self.by_reg[&c.init].clone();
                self.by_reg.insert(c.result, init);
            }
            return;
        }
        let inits: Vec<Val> = l.carried.iter().flat_map(|c| (0..vectors).map(|v| self.get(c.init, v))).collect();
        let mut inner = Vec::new();
        for c in &l.carried {
            for v in 0..vectors {
                let val = self.new_val(None);
                inner.push(val);
                self.set(c.inner, v, val);
            }
        }
        let mut body = Vec::new();
        self.body(&l.body, &mut body);
        let mut carried = Vec::new();
        for (k, c) in l.carried.iter().enumerate() {
            for v in 0..vectors {
                let (init, inner) = (inits[k * vectors + v], inner[k * vectors + v]);
                carried.push(Carried { init, inner, next: self.get(c.next, v), result: 0 });
            }
        }
        for (k, c) in l.carried.iter().enumerate() {
            for v in 0..vectors {
                let result = self.new_val(None);
                carried[k * vectors + v].result = result;
                self.set(c.result, v, result);
            }
        }
        out.push(Node::Loop(Loop { counter: Some(l.counter), carried, body, start: 0, end: 0 }));
    }
}

fn twice(bits: u32) -> u64 {
    u64::from(bits) << 32 | u64::from(bits)
}

/// The predicate of a comparison that raises nothing.
fn predicate(op: Relation) -> u8 {
    match op {
        Relation::Lt => x86::LESS,
        Relation::Le => 0x12,
        Relation::Eq => 0,
        Relation::Ne => 4,
    }
}
