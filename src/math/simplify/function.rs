//! Functions of one or two reals: exact values, symmetries, inverses.

use super::super::graph::{Graph, Id, Node};
use super::super::ops::Op;
use super::number::{is_zero, known, positive, real};
use super::product::{mul, neg, split};
use super::{order, power};

/// A function of one real.
pub fn unary(g: &mut Graph, op: Op, x: Id) -> Id {
    match op {
        Op::Neg => return neg(g, x),
        Op::Sqrt => return power::sqrt(g, x),
        Op::Abs => return power::abs(g, x),
        _ => {}
    }
    if let Some(value) = known(g, x).and_then(|x| exact(op, x)) {
        return real(g, value);
    }
    if let Some(id) = by_symmetry(g, op, x) {
        return id;
    }
    inverse(g, op, x).unwrap_or_else(|| g.op(op, &[x]))
}

/// Values that are exact, whatever computes them.
fn exact(op: Op, x: f64) -> Option<f64> {
    use Op::*;
    Some(match op {
        Floor => x.floor(),
        Ceil => x.ceil(),
        Sign if x > 0.0 => 1.0,
        Sign if x < 0.0 => -1.0,
        StopGrad | ToReal => x,
        Exp | Cos | Cosh | Erfc if x == 0.0 => 1.0,
        Sin | Tan | Asin | Atan | Sinh | Tanh | Erf | Erfinv | Expm1 | Log1p | Cbrt | Sign | LogI0 | BesselRatio
            if x == 0.0 =>
        {
            0.0
        }
        Log | Acos if x == 1.0 => 0.0,
        Cbrt if x.abs() == 1.0 => x,
        Lgamma if x == 1.0 || x == 2.0 => 0.0,
        Sigmoid if x == 0.0 => 0.5,
        Logit if x == 0.5 => 0.0,
        _ => return None,
    })
}

/// Odd functions let a negative factor out, even ones drop it.
fn by_symmetry(g: &mut Graph, op: Op, x: Id) -> Option<Id> {
    use Op::*;
    let odd = matches!(op, Sin | Tan | Asin | Atan | Sinh | Tanh | Erf | Erfinv | Cbrt | Sign | BesselRatio);
    let even = matches!(op, Cos | Cosh | LogI0);
    if !odd && !even {
        return None;
    }
    let (c, _) = split(g, x);
    if c >= 0.0 || known(g, x).is_some() {
        return None;
    }
    let x = neg(g, x);
    let value = unary(g, op, x);
    Some(if odd { neg(g, value) } else { value })
}

fn inverse(g: &mut Graph, op: Op, x: Id) -> Option<Id> {
    let Node::Op(inner, args) = g.node(x).clone() else { return None };
    let y = args[0];
    match (op, inner) {
        // where the inner value neither overflows nor underflows
        (Op::Log, Op::Exp)
        | (Op::Log1p, Op::Expm1)
        | (Op::Expm1, Op::Log1p)
        | (Op::Logit, Op::Sigmoid)
        | (Op::Erf, Op::Erfinv) => Some(y),
        // outside its domain the logarithm is NaN, so only where y is positive anyway
        (Op::Exp, Op::Log) if positive(g, y) => Some(y),
        (Op::Floor | Op::Ceil, Op::Floor | Op::Ceil) => Some(x),
        (Op::Floor | Op::Ceil, Op::ToReal) => Some(x),
        (Op::StopGrad, Op::StopGrad) => Some(x),
        (Op::Sign, _) if positive(g, x) => Some(g.real(1.0)),
        _ => None,
    }
}

/// A function of two reals.
pub fn binary(g: &mut Graph, op: Op, a: Id, b: Id) -> Id {
    match op {
        Op::Min | Op::Max => return extreme(g, op, a, b),
        Op::Pow => {
            if let Some(id) = power::pow(g, a, b) {
                return id;
            }
        }
        Op::Mod => {
            if let (Some(x), Some(y)) = (known(g, a), known(g, b))
                && y != 0.0
            {
                return real(g, x - y * (x / y).floor());
            }
        }
        Op::Logaddexp => {
            let (a, b) = if order::compare(g, a, b).is_gt() { (b, a) } else { (a, b) };
            for (x, y) in [(a, b), (b, a)] {
                if known(g, x) == Some(f64::NEG_INFINITY) {
                    return y;
                }
            }
            return g.op(op, &[a, b]);
        }
        Op::Atan2 if is_zero(g, a) && positive(g, b) => return a,
        _ => {}
    }
    g.op(op, &[a, b])
}

/// The smaller or larger of two reals; of a number and NaN, whichever the back ends say.
fn extreme(g: &mut Graph, op: Op, a: Id, b: Id) -> Id {
    if a == b {
        return a;
    }
    let limit = if op == Op::Min { f64::INFINITY } else { f64::NEG_INFINITY };
    match (known(g, a), known(g, b)) {
        (Some(x), Some(y)) => return real(g, if op == Op::Min { x.min(y) } else { x.max(y) }),
        (Some(x), _) if x == limit => return b,
        (_, Some(y)) if y == limit => return a,
        _ => {}
    }
    // constants on the right
    let swapped = known(g, a).is_some() || (known(g, b).is_none() && order::compare(g, a, b).is_gt());
    let (a, b) = if swapped { (b, a) } else { (a, b) };
    g.op(op, &[a, b])
}

/// `n * x` for a count.
pub fn times_count(g: &mut Graph, n: usize, x: Id) -> Id {
    let n = g.real(n as f64);
    mul(g, n, x)
}
