//! Powers and roots.

use super::super::graph::{Graph, Id, Node};
use super::super::ops::{Op, Ty};
use super::number::{known, known_int, not_negative, positive, real};
use super::product::{Product, mul, neg, scale};
use super::quotient::quotient;
use super::{int, select};

/// `x^n` for a known integer. `x^0` is 1 for every `x`, also 0 and NaN.
pub fn powi(g: &mut Graph, x: Id, n: i64) -> Id {
    match n {
        0 => return g.real(1.0),
        1 => return x,
        _ => {}
    }
    if let Some(c) = known(g, x).and_then(|c| folded(c, n)) {
        return real(g, c);
    }
    if n == -1 {
        let one = g.real(1.0);
        return quotient(g, one, x);
    }
    if n > 0 && select::opens(g, x, true) {
        let (c, a, b) = select::parts(g, x).expect("a select");
        let branches = [a, b].map(|y| powi(g, y, n));
        return select::select(g, c, branches[0], branches[1]);
    }
    if let Node::Op(op, args) = g.node(x).clone()
        && let Some(id) = of_operation(g, op, &args, n)
    {
        return id;
    }
    let n = g.int(n);
    g.op(Op::Powi, &[x, n])
}

/// A constant to a power by repeated squaring, as the back ends do it; nothing for powers that nobody writes.
fn folded(c: f64, n: i64) -> Option<f64> {
    let size = n.unsigned_abs();
    if size > 1024 {
        return None;
    }
    let (mut result, mut square, mut left) = (1.0, c, size);
    while left > 0 {
        if left & 1 == 1 {
            result *= square;
        }
        square *= square;
        left >>= 1;
    }
    Some(if n < 0 { 1.0 / result } else { result })
}

fn of_operation(g: &mut Graph, op: Op, args: &[Id], n: i64) -> Option<Id> {
    let x = args[0];
    let even = n % 2 == 0;
    match op {
        Op::Powi => {
            let m = known_int(g, args[1])?;
            Some(powi(g, x, m.checked_mul(n)?))
        }
        Op::Neg => {
            let power = powi(g, x, n);
            Some(if even { power } else { neg(g, power) })
        }
        // where the root is a number, x is not negative
        Op::Sqrt if even => Some(powi(g, x, n / 2)),
        Op::Abs if even => Some(powi(g, x, n)),
        // (1/b)^n
        Op::Div if known(g, x) == Some(1.0) => {
            let below = powi(g, args[1], n);
            Some(quotient(g, x, below))
        }
        Op::Mul => {
            // (c*x)^2, where c^2 is exact
            let c = known(g, x)?;
            if n != 2 || c.mul_add(c, -(c * c)) != 0.0 {
                return None;
            }
            let power = powi(g, args[1], 2);
            Some(scale(g, c * c, power))
        }
        _ => None,
    }
}

/// `a^b`: an integer power where `b` is one, square roots for halves.
pub fn pow(g: &mut Graph, a: Id, b: Id) -> Option<Id> {
    if g.ty(b) == Ty::Int
        && let Some(n) = known_int(g, b)
    {
        return Some(powi(g, a, n));
    }
    if known(g, a) == Some(1.0) {
        return Some(a);
    }
    let exponent = known(g, b)?;
    if exponent.fract() == 0.0 && exponent.abs() < 1e9 {
        return Some(powi(g, a, exponent as i64));
    }
    let whole = exponent.trunc();
    if (exponent - whole).abs() != 0.5 || exponent.abs() > 2.0 {
        return None;
    }
    // a^(k + 1/2); of a negative number both forms are NaN
    let root = sqrt(g, a);
    let power = powi(g, a, whole.abs() as i64);
    let product = mul(g, power, root);
    Some(if exponent < 0.0 { powi(g, product, -1) } else { product })
}

pub fn sqrt(g: &mut Graph, x: Id) -> Id {
    if let Some(c) = known(g, x) {
        return real(g, c.sqrt());
    }
    if select::opens(g, x, true) {
        let (c, a, b) = select::parts(g, x).expect("a select");
        let branches = [a, b].map(|y| sqrt(g, y));
        return select::select(g, c, branches[0], branches[1]);
    }
    if let Node::Op(Op::Powi, args) = g.node(x).clone()
        && let Some(n) = known_int(g, args[1]).filter(|n| n % 2 == 0)
    {
        let power = powi(g, args[0], n / 2);
        return abs(g, power);
    }
    g.op(Op::Sqrt, &[x])
}

pub fn abs(g: &mut Graph, x: Id) -> Id {
    if g.ty(x) == Ty::Int {
        return int::arithmetic(g, Op::Abs, &[x]).unwrap_or_else(|| g.op(Op::Abs, &[x]));
    }
    if let Some(c) = known(g, x) {
        return real(g, c.abs());
    }
    if not_negative(g, x) {
        return x;
    }
    let p = Product::of(g, x);
    // constants and positive factors come out
    let (outside, inside): (Vec<_>, Vec<_>) =
        p.factors.into_iter().partition(|(base, n)| n % 2 == 0 || positive(g, *base));
    if p.coefficient == 1.0 && outside.is_empty() {
        return g.op(Op::Abs, &[x]);
    }
    let mut result = Product { coefficient: p.coefficient.abs(), factors: outside };
    if !inside.is_empty() {
        let inside = Product { coefficient: 1.0, factors: inside }.finish(g);
        let inside = g.op(Op::Abs, &[inside]);
        result.times(inside, 1);
    }
    result.finish(g)
}
