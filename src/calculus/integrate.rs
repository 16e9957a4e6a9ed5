//! Integrals of an expression over an interval, as an expression of its ends.
//!
//! Sums of `c s^n exp(k s + d)` are integrated in closed form where the exponent moves far over the interval; everything
//! else by Gauss and Legendre's rule, which is exact for polynomials (with as many nodes as their degree wants) and
//! loses no digits to cancellation: `1 - 2 exp(-x) + exp(-2x)` written out has none left at a small x. The closed form is
//! for the large ones, where the rule has too few nodes.

use crate::math::{Graph, Id, Node, Op, VarId, VarKind, clean};

/// `coef * s^power * exp(rate*s + offset)`; none of these depends on `s`.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    pub coef: Id,
    pub power: u32,
    pub exponent: Option<(Id, Id)>,
}

/// More terms than this are not written out.
const MOST_TERMS: usize = 64;

/// Polynomials of a higher degree are left to the rule with many nodes.
const MOST_DEGREE: u32 = 30;

/// Nodes where the integrand is of no known form. Exact up to the degree 63.
const MANY_NODES: usize = 32;

/// Nodes for exponentials whose exponents move by less than [`SMALL`] over the interval: the relative error of the rule is
/// then below 1e-16.
const FEW_NODES: usize = 8;
const SMALL: f64 = 2.0;

/// The integral of a scalar `f` by `s` from `a` to `b`.
pub fn integrate(g: &mut Graph, f: Id, s: VarId, a: Id, b: Id) -> Id {
    let f = clean(g, &[f]).map_or(f, |c| c[0]);
    let length = g.op(Op::Sub, &[b, a]);
    if !g.depends_on(f, s) {
        return g.op(Op::Mul, &[f, length]);
    }
    let Some(terms) = terms(g, f, s) else { return by_rule(g, f, s, a, b, MANY_NODES) };
    let degree = terms.iter().map(|t| t.power).max().unwrap_or(0);
    let mut rates: Vec<Id> = terms.iter().filter_map(|t| t.exponent).map(|e| e.0).collect();
    rates.dedup();
    if rates.is_empty() {
        return by_rule(g, f, s, a, b, (degree as usize + 2) / 2);
    }
    let spread = farthest(g, &rates, length);
    let few = by_rule(g, f, s, a, b, FEW_NODES + degree as usize / 2);
    let closed = closed_form(g, &terms, a, b, length);
    let bound = g.real(SMALL);
    let small = g.op(Op::Lt, &[spread, bound]);
    g.op(Op::Select, &[small, few, closed])
}

/// `max |k| * length` over some rates.
fn farthest(g: &mut Graph, rates: &[Id], length: Id) -> Id {
    let mut most: Option<Id> = None;
    for k in rates {
        let size = g.op(Op::Abs, &[*k]);
        most = Some(most.map_or(size, |m| g.op(Op::Max, &[m, size])));
    }
    let most = most.expect("there is a rate");
    g.op(Op::Mul, &[most, length])
}

/// A clean scalar as a sum of terms in `s`, if it is one.
pub fn terms(g: &mut Graph, f: Id, s: VarId) -> Option<Vec<Term>> {
    let one = g.real(1.0);
    if !g.depends_on(f, s) {
        return Some(vec![Term { coef: f, power: 0, exponent: None }]);
    }
    match g.node(f).clone() {
        Node::Var(v) if v == s => Some(vec![Term { coef: one, power: 1, exponent: None }]),
        Node::Op(op, args) => match op {
            Op::Add | Op::Sub => {
                let mut sum = terms(g, args[0], s)?;
                let second = terms(g, args[1], s)?;
                let second = if op == Op::Sub { scaled(g, second, -1.0) } else { second };
                sum.extend(second);
                (sum.len() <= MOST_TERMS).then_some(sum)
            }
            Op::Neg => {
                let inner = terms(g, args[0], s)?;
                Some(scaled(g, inner, -1.0))
            }
            Op::Mul => {
                let (x, y) = (terms(g, args[0], s)?, terms(g, args[1], s)?);
                product(g, &x, &y)
            }
            Op::Div if !g.depends_on(args[1], s) => {
                let inner = terms(g, args[0], s)?;
                Some(inner.into_iter().map(|t| Term { coef: g.op(Op::Div, &[t.coef, args[1]]), ..t }).collect())
            }
            Op::Powi => match *g.node(args[1]) {
                Node::Int(n) if (1..=8).contains(&n) => {
                    let base = terms(g, args[0], s)?;
                    let mut all = base.clone();
                    for _ in 1..n {
                        all = product(g, &all, &base)?;
                    }
                    Some(all)
                }
                _ => None,
            },
            Op::Exp => Some(vec![exponential(g, args[0], s)?]),
            Op::Expm1 => {
                let power = exponential(g, args[0], s)?;
                let minus = g.real(-1.0);
                Some(vec![power, Term { coef: minus, power: 0, exponent: None }])
            }
            _ => None,
        },
        _ => None,
    }
}

fn scaled(g: &mut Graph, terms: Vec<Term>, by: f64) -> Vec<Term> {
    let by = g.real(by);
    terms.into_iter().map(|t| Term { coef: g.op(Op::Mul, &[by, t.coef]), ..t }).collect()
}

fn product(g: &mut Graph, x: &[Term], y: &[Term]) -> Option<Vec<Term>> {
    if x.len() * y.len() > MOST_TERMS {
        return None;
    }
    let mut all = Vec::new();
    for a in x {
        for b in y {
            let exponent = match (a.exponent, b.exponent) {
                (Some((k, d)), Some((l, e))) => Some((g.op(Op::Add, &[k, l]), g.op(Op::Add, &[d, e]))),
                (one, other) => one.or(other),
            };
            let power = a.power + b.power;
            if power > MOST_DEGREE {
                return None;
            }
            all.push(Term { coef: g.op(Op::Mul, &[a.coef, b.coef]), power, exponent });
        }
    }
    Some(all)
}

/// `exp(e)` with an exponent that is linear in `s`.
fn exponential(g: &mut Graph, e: Id, s: VarId) -> Option<Term> {
    let inner = terms(g, e, s)?;
    if inner.iter().any(|t| t.exponent.is_some() || t.power > 1) {
        return None;
    }
    let zero = g.real(0.0);
    let mut parts = [zero, zero];
    for t in inner {
        let at = &mut parts[t.power as usize];
        *at = g.op(Op::Add, &[*at, t.coef]);
    }
    let [offset, rate] = parts;
    Some(Term { coef: g.real(1.0), power: 0, exponent: Some((rate, offset)) })
}

/// A sum of terms, integrated term by term.
fn closed_form(g: &mut Graph, terms: &[Term], a: Id, b: Id, length: Id) -> Id {
    let mut sum = g.real(0.0);
    for t in terms {
        let value = match t.exponent {
            Some(exponent) => exponential_term(g, *t, exponent, a, b, length),
            None => power_term(g, t.power, a, length),
        };
        let value = g.op(Op::Mul, &[t.coef, value]);
        sum = g.op(Op::Add, &[sum, value]);
    }
    sum
}

/// The integral of `s^n` from `a` to `a + length`: the sum of `C(n, j) a^(n-j) length^(j+1)/(j+1)`.
fn power_term(g: &mut Graph, n: u32, a: Id, length: Id) -> Id {
    let mut sum = g.real(0.0);
    for j in 0..=n {
        let (left, right) = (power(g, a, n - j), power(g, length, j + 1));
        let c = g.real(binomial(n, j) / f64::from(j + 1));
        let term = g.op(Op::Mul, &[left, right]);
        let term = g.op(Op::Mul, &[c, term]);
        sum = g.op(Op::Add, &[sum, term]);
    }
    sum
}

/// The integral of `s^n exp(k s + d)`. With p the end at which the exponential is largest and r the distance from it, it
/// is `exp(k p + d)` times the sum of `C(n, j) p^(n-j) (+-1)^j J_j`, where `J_j` is the integral of `r^j exp(-|k| r)`:
/// nothing overflows that need not.
fn exponential_term(g: &mut Graph, t: Term, (k, d): (Id, Id), a: Id, b: Id, length: Id) -> Id {
    let (zero, one, minus) = (g.real(0.0), g.real(1.0), g.real(-1.0));
    let rising = g.op(Op::Lt, &[zero, k]);
    let end = g.op(Op::Select, &[rising, b, a]);
    let sign = g.op(Op::Select, &[rising, minus, one]);
    let rate = g.op(Op::Abs, &[k]);
    let far = g.op(Op::Mul, &[rate, length]);
    let down = g.op(Op::Neg, &[far]);
    let fallen = g.op(Op::Exp, &[down]);
    let top = g.op(Op::Mul, &[k, end]);
    let top = g.op(Op::Add, &[top, d]);
    let top = g.op(Op::Exp, &[top]);
    let less = g.op(Op::Expm1, &[down]);
    let less = g.op(Op::Neg, &[less]);
    let mut moment = g.op(Op::Div, &[less, rate]);
    let mut sum = zero;
    for j in 0..=t.power {
        if j > 0 {
            let (times, reach) = (g.real(f64::from(j)), power(g, length, j));
            let before = g.op(Op::Mul, &[times, moment]);
            let tail = g.op(Op::Mul, &[reach, fallen]);
            let difference = g.op(Op::Sub, &[before, tail]);
            moment = g.op(Op::Div, &[difference, rate]);
        }
        let c = g.real(binomial(t.power, j));
        let (left, turned) = (power(g, end, t.power - j), power(g, sign, j));
        let term = g.op(Op::Mul, &[left, turned]);
        let term = g.op(Op::Mul, &[term, moment]);
        let term = g.op(Op::Mul, &[c, term]);
        sum = g.op(Op::Add, &[sum, term]);
    }
    g.op(Op::Mul, &[top, sum])
}

fn power(g: &mut Graph, x: Id, n: u32) -> Id {
    let n = g.int(i64::from(n));
    g.op(Op::Powi, &[x, n])
}

fn binomial(n: u32, k: u32) -> f64 {
    (0..k).fold(1.0, |c, i| c * f64::from(n - i) / f64::from(i + 1))
}

/// Gauss and Legendre's rule with `n` nodes, as a loop over them.
fn by_rule(g: &mut Graph, f: Id, s: VarId, a: Id, b: Id, n: usize) -> Id {
    let half = g.real(0.5);
    let (sum, difference) = (g.op(Op::Add, &[a, b]), g.op(Op::Sub, &[b, a]));
    let (middle, reach) = (g.op(Op::Mul, &[half, sum]), g.op(Op::Mul, &[half, difference]));
    let at = |g: &mut Graph, x: Id| {
        let shift = g.op(Op::Mul, &[reach, x]);
        let point = g.op(Op::Add, &[middle, shift]);
        g.substitute_vars(&[f], &[(s, point)])[0]
    };
    let mut total = g.real(0.0);
    for (x, w) in legendre(n) {
        let (x, w) = (g.real(x), g.real(w));
        let value = at(g, x);
        let value = g.op(Op::Mul, &[w, value]);
        total = g.op(Op::Add, &[total, value]);
    }
    g.op(Op::Mul, &[reach, total])
}

/// Nodes and weights of Gauss and Legendre's rule on [-1, 1], by Newton's method on the three-term recurrence
/// (P. J. Davis, P. Rabinowitz, Methods of Numerical Integration, 1984, section 2.7).
pub fn legendre(n: usize) -> Vec<(f64, f64)> {
    let degree = n as f64;
    let mut rule = Vec::new();
    for k in 0..n {
        let mut x = (std::f64::consts::PI * (k as f64 + 0.75) / (degree + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..100 {
            let (mut p, mut before) = (1.0, 0.0);
            for j in 1..=n {
                let j = j as f64;
                (p, before) = (((2.0 * j - 1.0) * x * p - (j - 1.0) * before) / j, p);
            }
            slope = degree * (x * p - before) / (x * x - 1.0);
            let step = p / slope;
            x -= step;
            if step.abs() < 1e-16 {
                break;
            }
        }
        rule.push((if 2 * k + 1 == n { 0.0 } else { x }, 2.0 / ((1.0 - x * x) * slope * slope)));
    }
    rule
}

/// A fresh input that stands for the variable of integration.
pub fn variable(g: &mut Graph, name: &str) -> VarId {
    g.new_var(name, VarKind::Hole, crate::math::Ty::Real, vec![])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::array::Array;
    use crate::math::eval::{Env, eval};

    /// The integral of what `f` makes of `s` and a rate `k`, evaluated, beside composite quadrature on the real line.
    fn check(
        f: impl Fn(&mut Graph, Id, Id) -> Id,
        exact: impl Fn(f64, f64) -> f64,
        ends: (f64, f64),
        k: f64,
        tol: f64,
    ) {
        let mut g = Graph::new();
        let s = variable(&mut g, "s");
        let rate = variable(&mut g, "k");
        let (at, node) = (g.var(s), g.var(rate));
        let body = f(&mut g, at, node);
        let (a, b) = (g.real(ends.0), g.real(ends.1));
        let integral = integrate(&mut g, body, s, a, b);
        let mut env = Env::default();
        env.set(rate, Array::new(vec![], vec![k]));
        let value = eval(&g, integral, &env).expect("it has a value").values[0];
        let want = exact(ends.1, k) - exact(ends.0, k);
        assert!((value - want).abs() <= tol * want.abs(), "k = {k}: {value} is not {want}");
    }

    #[test]
    fn rules_have_the_weights_of_the_tables() {
        let three = legendre(3);
        assert!((three[0].0 - 0.6f64.sqrt()).abs() < 1e-15 && (three[0].1 - 5.0 / 9.0).abs() < 1e-15);
        assert!((three[1].1 - 8.0 / 9.0).abs() < 1e-15);
        for n in 1..40 {
            let sum: f64 = legendre(n).iter().map(|r| r.1).sum();
            assert!((sum - 2.0).abs() < 1e-13, "{n} nodes: weights add up to {sum}");
        }
    }

    #[test]
    fn polynomials_are_exact() {
        let f = |g: &mut Graph, s: Id, _: Id| {
            let n = g.int(5);
            let p = g.op(Op::Powi, &[s, n]);
            g.op(Op::Add, &[p, s])
        };
        check(f, |s, _| s.powi(6) / 6.0 + s * s / 2.0, (-0.5, 2.0), 0.0, 1e-15);
    }

    #[test]
    fn exponentials_are_right_at_all_rates() {
        // s exp(k s): both the rule and the closed form, for rising and falling ones, far beyond overflow of one factor
        let f = |g: &mut Graph, s: Id, k: Id| {
            let e = g.op(Op::Mul, &[k, s]);
            let two = g.real(2.0);
            let shift = g.op(Op::Mul, &[k, two]);
            let e = g.op(Op::Sub, &[e, shift]);
            let e = g.op(Op::Exp, &[e]);
            g.op(Op::Mul, &[s, e])
        };
        for k in [0.3, 0.99, 1.4, 5.0, 80.0, 900.0] {
            check(f, |s, k| (k * (s - 2.0)).exp() * (s / k - 1.0 / (k * k)), (0.5, 2.0), k, 4e-14);
        }
        let falling = |g: &mut Graph, s: Id, k: Id| {
            let e = g.op(Op::Mul, &[k, s]);
            let e = g.op(Op::Neg, &[e]);
            g.op(Op::Exp, &[e])
        };
        for k in [0.3, 5.0, 80.0, 900.0] {
            check(falling, |s, k| -(-k * s).exp() / k, (0.0, 2.0), k, 4e-15);
        }
    }

    #[test]
    fn small_rates_lose_no_digits() {
        // (1 - exp(-k (h - s)))^2 over (0, h) is k^2 h^3/3 (1 - 3/4 k h + ...)
        let f = |g: &mut Graph, s: Id, k: Id| {
            let one = g.real(1.0);
            let left = g.op(Op::Sub, &[one, s]);
            let e = g.op(Op::Mul, &[k, left]);
            let e = g.op(Op::Neg, &[e]);
            let e = g.op(Op::Exp, &[e]);
            let d = g.op(Op::Sub, &[one, e]);
            let two = g.int(2);
            g.op(Op::Powi, &[d, two])
        };
        let mut g = Graph::new();
        let s = variable(&mut g, "s");
        let at = g.var(s);
        let rate = g.real(1e-5);
        let body = f(&mut g, at, rate);
        let (a, b) = (g.real(0.0), g.real(1.0));
        let integral = integrate(&mut g, body, s, a, b);
        let value = eval(&g, integral, &Env::default()).expect("it has a value").values[0];
        let k = 1e-5f64;
        let want = k * k / 3.0 * (1.0 - 0.75 * k + 0.35 * k * k);
        assert!((value / want - 1.0).abs() < 1e-10, "{value} is not {want}");
    }

    #[test]
    fn others_go_by_the_rule_with_many_nodes() {
        check(|g, s, _| g.op(Op::Sin, &[s]), |s, _| -s.cos(), (0.0, 3.0), 0.0, 1e-15);
    }
}
