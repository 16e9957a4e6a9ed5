//! The numbers that the evaluator computes with: doubles, and nested dual numbers for derivatives.
//!
//! A dual number of level k is `value + slope*e_k` with `e_k^2 = 0`, where value and slope are numbers of lower levels.
//! Each derivative that is being taken has a level of its own, so derivatives nest without confusing their
//! perturbations (Griewank and Walther, Evaluating Derivatives, 2008; Siskind and Pearlmutter 2005).

use std::sync::Arc;

use super::machine::{Memo, Memos};
use super::rules;
use super::scalar::{Functions, scalar, second};
use super::special;
use crate::math::Op;

/// A number of the evaluator.
pub trait Number: Clone {
    /// Whether values of derivatives' frames are of this type (else those of the outermost frame are).
    const DUAL: bool;

    fn real(value: f64) -> Self;

    /// The value without its slopes.
    fn value(&self) -> f64;

    /// The largest absolute value among the value and all slopes.
    fn magnitude(&self) -> f64;

    fn add(&self, other: &Self) -> Self;
    fn sub(&self, other: &Self) -> Self;
    fn mul(&self, other: &Self) -> Self;
    fn div(&self, other: &Self) -> Self;
    fn neg(&self) -> Self;

    /// An operation of the graph.
    fn apply(functions: Functions, op: Op, x: &[Self]) -> Self;

    fn from_num(n: Num) -> Self;
    fn into_num(self) -> Num;

    /// The memo of a frame that computes with this type.
    fn memo(memos: &Memos, frame: usize) -> &Memo<Self>;
    fn memo_mut(memos: &mut Memos, frame: usize) -> &mut Memo<Self>;
}

impl Number for f64 {
    const DUAL: bool = false;

    fn real(value: f64) -> f64 {
        value
    }

    fn value(&self) -> f64 {
        *self
    }

    fn magnitude(&self) -> f64 {
        self.abs()
    }

    fn add(&self, other: &f64) -> f64 {
        self + other
    }

    fn sub(&self, other: &f64) -> f64 {
        self - other
    }

    fn mul(&self, other: &f64) -> f64 {
        self * other
    }

    fn div(&self, other: &f64) -> f64 {
        self / other
    }

    fn neg(&self) -> f64 {
        -self
    }

    fn apply(functions: Functions, op: Op, x: &[f64]) -> f64 {
        scalar(functions, op, x)
    }

    fn from_num(n: Num) -> f64 {
        n.value()
    }

    fn into_num(self) -> Num {
        Num::Real(self)
    }

    fn memo(memos: &Memos, _frame: usize) -> &Memo<f64> {
        &memos.base
    }

    fn memo_mut(memos: &mut Memos, _frame: usize) -> &mut Memo<f64> {
        &mut memos.base
    }
}

/// A double or a nested dual number.
#[derive(Clone, Debug)]
pub enum Num {
    Real(f64),
    Dual(Arc<Dual>),
}

#[derive(Debug)]
pub struct Dual {
    level: u32,
    value: Num,
    slope: Num,
}

/// A number taken apart at a level: its value and, where it has one, its slope.
pub type Parts = (Num, Option<Num>);

impl Num {
    /// `value + slope*e_level`; both are of lower levels.
    pub fn dual(level: u32, value: Num, slope: Option<Num>) -> Num {
        match slope {
            None => value,
            Some(slope) => {
                debug_assert!(value.level() < level && slope.level() < level, "levels nest");
                Num::Dual(Arc::new(Dual { level, value, slope }))
            }
        }
    }

    /// 0 for plain numbers.
    pub fn level(&self) -> u32 {
        match self {
            Num::Real(_) => 0,
            Num::Dual(d) => d.level,
        }
    }

    /// The number at a level that is at least its own.
    pub fn split(&self, level: u32) -> Parts {
        debug_assert!(self.level() <= level, "a number is taken apart from the outside");
        match self {
            Num::Dual(d) if d.level == level => (d.value.clone(), Some(d.slope.clone())),
            _ => (self.clone(), None),
        }
    }

    fn join(&self, other: &Num) -> (u32, Parts, Parts) {
        let level = self.level().max(other.level());
        (level, self.split(level), other.split(level))
    }
}

/// The sum of two slopes, where there is one.
pub fn sum(a: Option<Num>, b: Option<Num>) -> Option<Num> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.add(&b)),
        (a, b) => a.or(b),
    }
}

impl Number for Num {
    const DUAL: bool = true;

    fn real(value: f64) -> Num {
        Num::Real(value)
    }

    fn value(&self) -> f64 {
        match self {
            Num::Real(x) => *x,
            Num::Dual(d) => d.value.value(),
        }
    }

    fn magnitude(&self) -> f64 {
        match self {
            Num::Real(x) => x.abs(),
            Num::Dual(d) => d.value.magnitude().max(d.slope.magnitude()),
        }
    }

    fn add(&self, other: &Num) -> Num {
        if let (Num::Real(a), Num::Real(b)) = (self, other) {
            return Num::Real(a + b);
        }
        let (level, (a, da), (b, db)) = self.join(other);
        Num::dual(level, a.add(&b), sum(da, db))
    }

    fn sub(&self, other: &Num) -> Num {
        if let (Num::Real(a), Num::Real(b)) = (self, other) {
            return Num::Real(a - b);
        }
        let (level, (a, da), (b, db)) = self.join(other);
        Num::dual(level, a.sub(&b), sum(da, db.map(|d| d.neg())))
    }

    fn mul(&self, other: &Num) -> Num {
        if let (Num::Real(a), Num::Real(b)) = (self, other) {
            return Num::Real(a * b);
        }
        let (level, (a, da), (b, db)) = self.join(other);
        Num::dual(level, a.mul(&b), sum(da.map(|d| d.mul(&b)), db.map(|d| d.mul(&a))))
    }

    fn div(&self, other: &Num) -> Num {
        if let (Num::Real(a), Num::Real(b)) = (self, other) {
            return Num::Real(a / b);
        }
        let (level, (a, da), (b, db)) = self.join(other);
        let ratio = a.div(&b);
        let slope = sum(da, db.map(|d| d.mul(&ratio).neg())).map(|d| d.div(&b));
        Num::dual(level, ratio, slope)
    }

    fn neg(&self) -> Num {
        match self {
            Num::Real(x) => Num::Real(-x),
            Num::Dual(d) => Num::dual(d.level, d.value.neg(), Some(d.slope.neg())),
        }
    }

    fn apply(functions: Functions, op: Op, x: &[Num]) -> Num {
        match op {
            Op::Add => x[0].add(&x[1]),
            Op::Sub => x[0].sub(&x[1]),
            Op::Mul => x[0].mul(&x[1]),
            Op::Div => x[0].div(&x[1]),
            Op::Neg => x[0].neg(),
            Op::Min | Op::Max => x[second(op, x[0].value(), x[1].value()) as usize].clone(),
            Op::Select => x[if x[0].value() != 0.0 { 1 } else { 2 }].clone(),
            Op::Mod => {
                let whole = Num::Real((x[0].value() / x[1].value()).floor());
                x[0].sub(&x[1].mul(&whole))
            }
            _ if rules::flat(op) || x.iter().all(|a| a.level() == 0) => {
                let values: Vec<f64> = x.iter().map(Num::value).collect();
                Num::Real(scalar(functions, op, &values))
            }
            Op::BesselRatio => special::bessel_ratio(&x[0]),
            Op::GammaP if x[0].level() > 0 => special::gamma_p(functions, &x[0], &x[1]),
            _ => chain(functions, op, x),
        }
    }

    fn from_num(n: Num) -> Num {
        n
    }

    fn into_num(self) -> Num {
        self
    }

    fn memo(memos: &Memos, frame: usize) -> &Memo<Num> {
        &memos.frames[frame - 1].memo
    }

    fn memo_mut(memos: &mut Memos, frame: usize) -> &mut Memo<Num> {
        &mut memos.frames[frame - 1].memo
    }
}

/// The chain rule at the outermost level of the arguments.
fn chain(functions: Functions, op: Op, x: &[Num]) -> Num {
    let level = x.iter().map(Num::level).max().unwrap_or(0);
    let (values, slopes): (Vec<Num>, Vec<Option<Num>>) = x.iter().map(|a| a.split(level)).unzip();
    let value = Num::apply(functions, op, &values);
    let mut slope = None;
    for (k, s) in slopes.into_iter().enumerate() {
        let part = s.map(|s| rules::partial(functions, op, k, &values, &value).mul(&s));
        slope = sum(slope, part);
    }
    Num::dual(level, value, slope)
}
