//! Building instructions: scopes, value numbering, constants.
//!
//! Scopes are the loop bodies that are open, the whole program at level 0. A value goes to the outermost scope in which
//! everything it reads is known, so nothing that does not change in a loop is done in it.

use rustc_hash::FxHashMap as HashMap;

use super::super::program::*;
use crate::math::Id;

/// What is known of a scalar while lowering: a constant, or a register.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Val {
    Real(f64),
    Truth(bool),
    Reg(Reg),
}

/// A node with the values of its free indices: what a value is remembered by.
pub type Key = (Id, Vec<Index>);

#[derive(Clone, Debug, Default)]
pub struct Scope {
    counter: Option<Counter>,
    code: Vec<Inst>,
    values: HashMap<Value, Reg>,
    calls: HashMap<(Kernel, Vec<Reg>), Reg>,
    memo: HashMap<Key, Val>,
}

#[derive(Clone, Debug)]
pub struct Builder {
    pub regs: Vec<Kind>,
    /// the scope in which each register is named
    levels: Vec<usize>,
    scopes: Vec<Scope>,
    counters: u32,
}

impl Builder {
    pub fn new() -> Builder {
        Builder { regs: Vec::new(), levels: Vec::new(), scopes: vec![Scope::default()], counters: 0 }
    }

    pub fn finish(mut self) -> (Vec<Kind>, Vec<Inst>) {
        assert_eq!(self.scopes.len(), 1, "all loops are closed");
        (self.regs, self.scopes.remove(0).code)
    }

    /// The innermost open scope.
    pub fn level(&self) -> usize {
        self.scopes.len() - 1
    }

    /// Sets the scopes below `level` aside, so that code goes to `level` at the deepest.
    pub fn set_aside(&mut self, level: usize) -> Vec<Scope> {
        self.scopes.split_off(level + 1)
    }

    pub fn put_back(&mut self, scopes: Vec<Scope>) {
        self.scopes.extend(scopes);
    }

    /// The level at which an index expression is known; nothing if one of its counters is not open.
    pub fn open_level(&self, index: &Index) -> Option<usize> {
        let mut level = Some(0);
        index.counters(&mut |c| {
            let at = self.scopes.iter().position(|s| s.counter == Some(c));
            level = level.zip(at).map(|(a, b)| a.max(b));
        });
        level
    }

    pub fn level_of(&self, index: &Index) -> usize {
        self.open_level(index).expect("the counters of an index in use are open")
    }

    fn level_of_val(&self, val: Val) -> usize {
        match val {
            Val::Reg(r) => self.levels[r.0 as usize],
            _ => 0,
        }
    }

    pub fn remembered(&self, key: &Key) -> Option<Val> {
        let level = self.key_level(key);
        self.scopes[level].memo.get(key).copied()
    }

    pub fn remember(&mut self, key: Key, val: Val) {
        // reading memory written in a loop can tie a value to a scope below that of its indices
        let level = self.key_level(&key);
        if self.level_of_val(val) <= level {
            self.scopes[level].memo.insert(key, val);
        }
    }

    pub fn key_level(&self, key: &Key) -> usize {
        key.1.iter().map(|i| self.level_of(i)).max().unwrap_or(0)
    }

    fn name(&mut self, kind: Kind, level: usize) -> Reg {
        let reg = Reg(self.regs.len() as u32);
        self.regs.push(kind);
        self.levels.push(level);
        reg
    }

    /// A new register of the innermost scope.
    pub fn fresh(&mut self, kind: Kind) -> Reg {
        self.name(kind, self.level())
    }

    pub fn kind(&self, reg: Reg) -> Kind {
        self.regs[reg.0 as usize]
    }

    fn kind_of(&self, value: &Value) -> Kind {
        match value {
            Value::Truth(_) | Value::Compare(..) | Value::Logic(..) | Value::Not(_) => Kind::Mask,
            _ => Kind::Real,
        }
    }

    /// The register of a value, where it is known outermost.
    pub fn emit(&mut self, value: Value) -> Reg {
        self.emit_below(value, 0)
    }

    /// As `emit`, for a value that may not be made above `least` (it reads memory written there).
    pub fn emit_below(&mut self, value: Value, least: usize) -> Reg {
        let mut level = least;
        value.reads(&mut |r| level = level.max(self.levels[r.0 as usize]));
        if let Some(index) = value.index() {
            level = level.max(self.level_of(index));
        }
        if let Some(reg) = self.scopes[level].values.get(&value) {
            return *reg;
        }
        let reg = self.name(self.kind_of(&value), level);
        self.scopes[level].values.insert(value.clone(), reg);
        self.scopes[level].code.push(Inst::Let(reg, value));
        reg
    }

    /// Reads a row that may have changed since it was read before, in the innermost scope.
    pub fn read_again(&mut self, space: Space, row: Index) -> Reg {
        let reg = self.fresh(Kind::Real);
        self.push(Inst::Let(reg, Value::Load(space, row)));
        reg
    }

    /// An instruction with an effect, in the innermost scope.
    pub fn push(&mut self, inst: Inst) {
        let level = self.level();
        self.scopes[level].code.push(inst);
    }

    /// A call of an elementary function; equal calls are one.
    pub fn call(&mut self, kernel: Kernel, args: Vec<Reg>) -> Reg {
        let level = args.iter().map(|r| self.levels[r.0 as usize]).max().unwrap_or(0);
        if let Some(reg) = self.scopes[level].calls.get(&(kernel, args.clone())) {
            return *reg;
        }
        let dst = self.name(Kind::Real, level);
        self.scopes[level].calls.insert((kernel, args.clone()), dst);
        self.scopes[level].code.push(Inst::Call(Call { kernel, dsts: vec![dst], args: vec![args] }));
        dst
    }

    /// Opens a loop; code goes to its body until it is closed.
    pub fn open_loop(&mut self, extent: usize) -> Counter {
        let counter = Counter { id: self.counters, extent };
        self.counters += 1;
        self.scopes.push(Scope { counter: Some(counter), ..Scope::default() });
        counter
    }

    /// The register that a carried value has in the body of the loop just opened.
    pub fn carry(&mut self, init: Reg) -> Reg {
        self.fresh(self.kind(init))
    }

    /// Closes the innermost loop. `carried` are (init, inner, next); gives the results.
    pub fn close_loop(&mut self, carried: &[(Reg, Reg, Reg)]) -> Vec<Reg> {
        let scope = self.scopes.pop().expect("a loop is open");
        let counter = scope.counter.expect("the outermost scope is no loop");
        let results: Vec<Reg> = carried.iter().map(|(init, _, _)| self.fresh(self.kind(*init))).collect();
        let carried = carried
            .iter()
            .zip(&results)
            .map(|((init, inner, next), result)| Carried { init: *init, inner: *inner, next: *next, result: *result })
            .collect();
        self.push(Inst::Loop(Loop { counter, carried, body: scope.code }));
        results
    }

    /// The register that holds a value.
    pub fn reg(&mut self, val: Val) -> Reg {
        match val {
            Val::Real(x) => self.emit(Value::Const(x.to_bits())),
            Val::Truth(b) => self.emit(Value::Truth(b)),
            Val::Reg(r) => r,
        }
    }

    // Arithmetic with the identities that hold for every value but the sign of zero.

    pub fn neg(&mut self, a: Val) -> Val {
        match a {
            Val::Real(x) => Val::Real(-x),
            _ => self.unary(Unary::Neg, a),
        }
    }

    pub fn unary(&mut self, op: Unary, a: Val) -> Val {
        match a {
            Val::Real(x) => Val::Real(op.apply(x)),
            _ => {
                let a = self.reg(a);
                Val::Reg(self.emit(Value::Unary(op, a)))
            }
        }
    }

    pub fn binary(&mut self, op: Binary, a: Val, b: Val) -> Val {
        match (op, a, b) {
            (_, Val::Real(x), Val::Real(y)) => return Val::Real(op.apply(x, y)),
            (Binary::Add, Val::Real(0.0), x) | (Binary::Add | Binary::Sub, x, Val::Real(0.0)) => return x,
            (Binary::Mul, Val::Real(1.0), x) | (Binary::Mul | Binary::Div, x, Val::Real(1.0)) => return x,
            (Binary::Sub, Val::Real(0.0), x) => return self.neg(x),
            (Binary::Max, Val::Real(f64::NEG_INFINITY), x) | (Binary::Min, Val::Real(f64::INFINITY), x) => return x,
            (Binary::Mul, Val::Real(-1.0), x) | (Binary::Mul | Binary::Div, x, Val::Real(-1.0)) => return self.neg(x),
            _ => {}
        }
        let (mut a, mut b) = (self.reg(a), self.reg(b));
        if matches!(op, Binary::Add | Binary::Mul) && b < a {
            (a, b) = (b, a);
        }
        Val::Reg(self.emit(Value::Binary(op, a, b)))
    }

    pub fn add(&mut self, a: Val, b: Val) -> Val {
        self.binary(Binary::Add, a, b)
    }

    pub fn sub(&mut self, a: Val, b: Val) -> Val {
        self.binary(Binary::Sub, a, b)
    }

    pub fn mul(&mut self, a: Val, b: Val) -> Val {
        self.binary(Binary::Mul, a, b)
    }

    pub fn fused(&mut self, form: Fused, a: Val, b: Val, c: Val) -> Val {
        if let (Val::Real(x), Val::Real(y), Val::Real(z)) = (a, b, c) {
            return Val::Real(form.apply(x, y, z));
        }
        let plain = [(a, b), (b, a)].into_iter().find(|(one, _)| *one == Val::Real(1.0) || *one == Val::Real(-1.0));
        if let Some((one, x)) = plain {
            let x = if one == Val::Real(1.0) { x } else { self.neg(x) };
            return match form {
                Fused::MulAdd => self.add(x, c),
                Fused::MulSub => self.sub(x, c),
                Fused::NegMulAdd => self.sub(c, x),
                Fused::NegMulSub => {
                    let sum = self.add(x, c);
                    self.neg(sum)
                }
            };
        }
        if c == Val::Real(0.0) {
            let product = self.mul(a, b);
            return match form {
                Fused::MulAdd | Fused::MulSub => product,
                Fused::NegMulAdd | Fused::NegMulSub => self.neg(product),
            };
        }
        let (mut a, mut b, c) = (self.reg(a), self.reg(b), self.reg(c));
        if b < a {
            (a, b) = (b, a);
        }
        Val::Reg(self.emit(Value::Fused(form, a, b, c)))
    }

    pub fn compare(&mut self, op: Relation, a: Val, b: Val) -> Val {
        if let (Val::Real(x), Val::Real(y)) = (a, b) {
            return Val::Truth(op.apply(x, y));
        }
        let (a, b) = (self.reg(a), self.reg(b));
        Val::Reg(self.emit(Value::Compare(op, a, b)))
    }

    pub fn logic(&mut self, op: Logic, a: Val, b: Val) -> Val {
        match (op, a, b) {
            (_, Val::Truth(x), Val::Truth(y)) => return Val::Truth(op.apply(x, y)),
            (Logic::And, Val::Truth(true), x) | (Logic::And, x, Val::Truth(true)) => return x,
            (Logic::And, Val::Truth(false), _) | (Logic::And, _, Val::Truth(false)) => return Val::Truth(false),
            (Logic::Or, Val::Truth(false), x) | (Logic::Or, x, Val::Truth(false)) => return x,
            (Logic::Or, Val::Truth(true), _) | (Logic::Or, _, Val::Truth(true)) => return Val::Truth(true),
            (Logic::AndNot, x, Val::Truth(false)) => return x,
            (Logic::AndNot, _, Val::Truth(true)) | (Logic::AndNot, Val::Truth(false), _) => return Val::Truth(false),
            (Logic::AndNot, Val::Truth(true), x) => return self.not(x),
            _ => {}
        }
        let (a, b) = (self.reg(a), self.reg(b));
        Val::Reg(self.emit(Value::Logic(op, a, b)))
    }

    pub fn not(&mut self, a: Val) -> Val {
        match a {
            Val::Truth(x) => Val::Truth(!x),
            _ => {
                let a = self.reg(a);
                Val::Reg(self.emit(Value::Not(a)))
            }
        }
    }

    /// `mask ? a : b`; of masks too.
    pub fn select(&mut self, mask: Val, a: Val, b: Val) -> Val {
        match mask {
            Val::Truth(true) => return a,
            Val::Truth(false) => return b,
            _ if a == b => return a,
            _ => {}
        }
        if self.is_mask(a) || self.is_mask(b) {
            let yes = self.logic(Logic::And, mask, a);
            let no = self.logic(Logic::AndNot, b, mask);
            return self.logic(Logic::Or, yes, no);
        }
        let (mask, a, b) = (self.reg(mask), self.reg(a), self.reg(b));
        Val::Reg(self.emit(Value::Select(mask, a, b)))
    }

    pub fn is_mask(&self, val: Val) -> bool {
        match val {
            Val::Real(_) => false,
            Val::Truth(_) => true,
            Val::Reg(r) => self.kind(r) == Kind::Mask,
        }
    }

    /// A truth value as 1 or 0, a number as it is.
    pub fn as_real(&mut self, val: Val) -> Val {
        match val {
            Val::Truth(b) => Val::Real(f64::from(b)),
            _ if self.is_mask(val) => self.select(val, Val::Real(1.0), Val::Real(0.0)),
            _ => val,
        }
    }

    /// A number as a truth value: whether it is not 0.
    pub fn as_mask(&mut self, val: Val) -> Val {
        if self.is_mask(val) { val } else { self.compare(Relation::Ne, val, Val::Real(0.0)) }
    }
}
