//! The derivative of each scalar operation by each argument.

use crate::math::graph::{Graph, Id};
use crate::math::ops::Op;
use crate::math::simplify::op;

use super::{Differentiable, NotDifferentiable};

/// Builds formulas from nodes; every method simplifies.
pub struct Formula<'g>(pub &'g mut Graph);

impl Formula<'_> {
    pub fn num(&mut self, x: f64) -> Id {
        self.0.real(x)
    }
    pub fn op(&mut self, o: Op, args: &[Id]) -> Id {
        op(self.0, o, args)
    }
    pub fn add(&mut self, a: Id, b: Id) -> Id {
        self.op(Op::Add, &[a, b])
    }
    pub fn sub(&mut self, a: Id, b: Id) -> Id {
        self.op(Op::Sub, &[a, b])
    }
    pub fn mul(&mut self, a: Id, b: Id) -> Id {
        self.op(Op::Mul, &[a, b])
    }
    pub fn div(&mut self, a: Id, b: Id) -> Id {
        self.op(Op::Div, &[a, b])
    }
    pub fn neg(&mut self, a: Id) -> Id {
        self.op(Op::Neg, &[a])
    }
    pub fn sq(&mut self, a: Id) -> Id {
        self.powi(a, 2)
    }
    pub fn powi(&mut self, a: Id, n: i64) -> Id {
        let n = self.0.int(n);
        self.op(Op::Powi, &[a, n])
    }
    pub fn recip(&mut self, a: Id) -> Id {
        let one = self.num(1.0);
        self.div(one, a)
    }
    pub fn select(&mut self, c: Id, a: Id, b: Id) -> Id {
        self.op(Op::Select, &[c, a, b])
    }
    /// `c ? a : 0`
    pub fn where_(&mut self, c: Id, a: Id) -> Id {
        let zero = self.num(0.0);
        self.select(c, a, zero)
    }
}

/// Whether there are arguments of an operation by which [`partial`] may refuse to take its derivative.
pub fn may_refuse(o: Op) -> bool {
    matches!(o, Op::Polygamma | Op::GammaP)
}

/// The derivative of `y = o(args)` by the argument `k`; `None` where it is zero everywhere.
pub fn partial(g: &mut Graph, o: Op, args: &[Id], y: Id, k: usize) -> Differentiable<Option<Id>> {
    let x = args[0];
    let mut f = Formula(g);
    let refuse = |reason: &str| Err(NotDifferentiable { node: y, reason: reason.into() });
    Ok(Some(match o {
        Op::Add => f.num(1.0),
        Op::Sub => f.num(if k == 0 { 1.0 } else { -1.0 }),
        Op::Neg => f.num(-1.0),
        Op::Mul => args[1 - k],
        Op::Div if k == 0 => f.recip(args[1]),
        Op::Div => {
            let q = f.div(y, args[1]);
            f.neg(q)
        }
        Op::Powi if k == 0 => powi(&mut f, x, args[1]),
        Op::Pow => return pow(&mut f, args, y, k),
        // 0 at 0: a subgradient
        Op::Abs => f.op(Op::Sign, &[x]),
        Op::Min | Op::Max => {
            // At a tie the derivative goes to the first argument.
            let (a, b) = if o == Op::Min { (args[0], args[1]) } else { (args[1], args[0]) };
            let first = f.op(Op::Le, &[a, b]);
            let (one, zero) = (f.num(1.0), f.num(0.0));
            if k == 0 { f.select(first, one, zero) } else { f.select(first, zero, one) }
        }
        Op::Mod if k == 0 => f.num(1.0),
        Op::Mod => {
            let q = f.div(x, args[1]);
            let whole = f.op(Op::Floor, &[q]);
            f.neg(whole)
        }
        Op::Exp => y,
        Op::Expm1 => {
            let one = f.num(1.0);
            f.add(y, one)
        }
        Op::Log => f.recip(x),
        Op::Log1p => {
            let one = f.num(1.0);
            let d = f.add(one, x);
            f.recip(d)
        }
        Op::Sqrt => {
            let half = f.num(0.5);
            f.div(half, y)
        }
        Op::Cbrt => {
            let (one, three) = (f.num(1.0), f.num(3.0));
            let s = f.sq(y);
            let d = f.mul(three, s);
            f.div(one, d)
        }
        Op::Sin => f.op(Op::Cos, &[x]),
        Op::Cos => {
            let s = f.op(Op::Sin, &[x]);
            f.neg(s)
        }
        Op::Tan => {
            let (one, s) = (f.num(1.0), f.sq(y));
            f.add(one, s)
        }
        Op::Asin | Op::Acos => {
            let (one, s) = (f.num(1.0), f.sq(x));
            let d = f.sub(one, s);
            let root = f.op(Op::Sqrt, &[d]);
            let r = f.recip(root);
            if o == Op::Asin { r } else { f.neg(r) }
        }
        Op::Atan => {
            let (one, s) = (f.num(1.0), f.sq(x));
            let d = f.add(one, s);
            f.recip(d)
        }
        Op::Atan2 => {
            let (p, q) = (f.sq(args[0]), f.sq(args[1]));
            let d = f.add(p, q);
            let r = f.div(args[1 - k], d);
            if k == 0 { r } else { f.neg(r) }
        }
        Op::Sinh => f.op(Op::Cosh, &[x]),
        Op::Cosh => f.op(Op::Sinh, &[x]),
        Op::Tanh => {
            let (one, s) = (f.num(1.0), f.sq(y));
            f.sub(one, s)
        }
        Op::Erf | Op::Erfc => {
            let c = f.num(2.0 / std::f64::consts::PI.sqrt());
            let s = f.sq(x);
            let n = f.neg(s);
            let e = f.op(Op::Exp, &[n]);
            let d = f.mul(c, e);
            if o == Op::Erf { d } else { f.neg(d) }
        }
        Op::Erfinv => {
            let c = f.num(std::f64::consts::PI.sqrt() / 2.0);
            let s = f.sq(y);
            let e = f.op(Op::Exp, &[s]);
            f.mul(c, e)
        }
        Op::Sigmoid => {
            let one = f.num(1.0);
            let rest = f.sub(one, y);
            f.mul(y, rest)
        }
        Op::Softplus => f.op(Op::Sigmoid, &[x]),
        Op::Logit => {
            let one = f.num(1.0);
            let rest = f.sub(one, x);
            let d = f.mul(x, rest);
            f.recip(d)
        }
        Op::Logaddexp => {
            let d = f.sub(args[k], args[1 - k]);
            f.op(Op::Sigmoid, &[d])
        }
        Op::Lgamma => f.op(Op::Digamma, &[x]),
        Op::Digamma => {
            let one = f.0.int(1);
            f.op(Op::Polygamma, &[one, x])
        }
        Op::Polygamma if k == 1 => match *f.0.node(x) {
            crate::math::Node::Int(n) => {
                let next = f.0.int(n + 1);
                f.op(Op::Polygamma, &[next, args[1]])
            }
            crate::math::Node::Real(bits) => {
                let next = f.num(f64::from_bits(bits) + 1.0);
                f.op(Op::Polygamma, &[next, args[1]])
            }
            _ => return refuse("the order of `polygamma` is not a constant"),
        },
        Op::GammaP if k == 1 => gamma_density(&mut f, args),
        Op::GammaP => return refuse("the derivative of `gamma_p(a, x)` by `a` has no closed form"),
        Op::LogI0 => f.op(Op::BesselRatio, &[x]),
        Op::BesselRatio => bessel_ratio(&mut f, x, y),
        Op::Select if k > 0 => {
            let (one, zero) = (f.num(1.0), f.num(0.0));
            if k == 1 { f.select(args[0], one, zero) } else { f.select(args[0], zero, one) }
        }
        Op::Sign
        | Op::Floor
        | Op::Ceil
        | Op::IntDiv
        | Op::StopGrad
        | Op::ToReal
        | Op::Lt
        | Op::Le
        | Op::Eq
        | Op::Ne
        | Op::And
        | Op::Or
        | Op::Not
        | Op::Select
        | Op::Powi
        | Op::Polygamma => return Ok(None),
    }))
}

/// `n x^(n-1)`
fn powi(f: &mut Formula<'_>, x: Id, n: Id) -> Id {
    match *f.0.node(n) {
        crate::math::Node::Int(n) => {
            let (c, p) = (f.num(n as f64), f.powi(x, n - 1));
            f.mul(c, p)
        }
        _ => {
            let one = f.0.int(1);
            let m = f.op(Op::Sub, &[n, one]);
            let (c, p) = (f.op(Op::ToReal, &[n]), f.op(Op::Powi, &[x, m]));
            f.mul(c, p)
        }
    }
}

/// `a^b`: by `a` b a^(b-1); by `b` a^b log a, which is 0 at a = 0 (for b > 0).
fn pow(f: &mut Formula<'_>, args: &[Id], y: Id, k: usize) -> Differentiable<Option<Id>> {
    let (a, b) = (args[0], args[1]);
    Ok(Some(if k == 0 {
        let one = f.num(1.0);
        let m = f.sub(b, one);
        let p = f.op(Op::Pow, &[a, m]);
        f.mul(b, p)
    } else {
        let zero = f.num(0.0);
        let positive = f.op(Op::Lt, &[zero, a]);
        let log = f.op(Op::Log, &[a]);
        let value = f.mul(y, log);
        f.where_(positive, value)
    }))
}

/// `x^(a-1) exp(-x) / Gamma(a)`
fn gamma_density(f: &mut Formula<'_>, args: &[Id]) -> Id {
    let (a, x) = (args[0], args[1]);
    let (one, log) = (f.num(1.0), f.op(Op::Log, &[x]));
    let m = f.sub(a, one);
    let (p, l) = (f.mul(m, log), f.op(Op::Lgamma, &[a]));
    let d = f.sub(p, x);
    let e = f.sub(d, l);
    f.op(Op::Exp, &[e])
}

/// `1 - r/x - r^2` for r = I1/I0 (Abramowitz and Stegun 9.6.26). At 0 it is the first terms of its series, so that the
/// next derivatives are right there too.
fn bessel_ratio(f: &mut Formula<'_>, x: Id, r: Id) -> Id {
    let (zero, one) = (f.num(0.0), f.num(1.0));
    let at_zero = f.op(Op::Eq, &[x, zero]);
    let (q, s) = (f.div(r, x), f.sq(r));
    let a = f.sub(one, q);
    let b = f.sub(a, s);
    // r = x/2 - x^3/16 + x^5/96 - ...
    let mut series = f.num(0.5);
    for (n, c) in [(2, -3.0 / 16.0), (4, 5.0 / 96.0)] {
        let (c, p) = (f.num(c), f.powi(x, n));
        let term = f.mul(c, p);
        series = f.add(series, term);
    }
    f.select(at_zero, series, b)
}
