//! Integers: index arithmetic in affine form, remainders and quotients decided by intervals.

use std::cmp::Ordering;

use super::super::affine::{Affine, range};
use super::super::graph::{Graph, Id, Node};
use super::super::ops::{Op, Ty};
use super::order;

/// An operation whose arguments are all integers and that gives one. Nothing where no rule applies.
pub fn arithmetic(g: &mut Graph, op: Op, args: &[Id]) -> Option<Id> {
    match op {
        Op::Add => sum(g, args[0], args[1], 1),
        Op::Sub => sum(g, args[0], args[1], -1),
        Op::Neg => {
            let a = Affine::of(g, args[0]).times(-1)?;
            Some(a.build(g))
        }
        Op::Mul => product(g, args[0], args[1]),
        Op::Mod => remainder(g, args[0], args[1]),
        Op::IntDiv => quotient(g, args[0], args[1]),
        Op::Min => extreme(g, args[0], args[1], true),
        Op::Max => extreme(g, args[0], args[1], false),
        Op::Abs => {
            let (low, high) = range(g, args[0])?;
            match () {
                _ if low >= 0 => Some(args[0]),
                _ if high <= 0 => arithmetic(g, Op::Neg, &[args[0]]),
                _ => None,
            }
        }
        _ => None,
    }
}

/// An affine combination, with pairs `c*n*(a div n) + c*(a mod n)` put together again.
pub fn build(g: &mut Graph, a: &Affine) -> Id {
    let mut a = a.clone();
    while let Some(joined) = rejoin(g, &a) {
        a = joined;
    }
    a.build(g)
}

fn sum(g: &mut Graph, a: Id, b: Id, scale: i64) -> Option<Id> {
    let sum = Affine::of(g, a).plus(g, &Affine::of(g, b), scale)?;
    Some(build(g, &sum))
}

fn product(g: &mut Graph, a: Id, b: Id) -> Option<Id> {
    let (x, y) = (Affine::of(g, a), Affine::of(g, b));
    match (x.known(), y.known()) {
        (Some(c), _) => Some(y.times(c)?.build(g)),
        (_, Some(c)) => Some(x.times(c)?.build(g)),
        _ if order::compare(g, a, b) == Ordering::Greater => Some(g.op(Op::Mul, &[b, a])),
        _ => None,
    }
}

fn rejoin(g: &Graph, sum: &Affine) -> Option<Affine> {
    for (k, (atom, c)) in sum.terms.iter().enumerate() {
        let Some((divided, n)) = by_constant(g, *atom, Op::IntDiv) else { continue };
        for (l, (other, d)) in sum.terms.iter().enumerate() {
            let Some((reduced, m)) = by_constant(g, *other, Op::Mod) else { continue };
            let divided = Affine::of(g, divided);
            if m != n || d.checked_mul(n) != Some(*c) || !congruent(g, &divided, &Affine::of(g, reduced), n) {
                continue;
            }
            let mut rest = sum.clone();
            rest.terms.remove(k.max(l));
            rest.terms.remove(k.min(l));
            return rest.plus(g, &divided, *d);
        }
    }
    None
}

fn congruent(g: &Graph, a: &Affine, b: &Affine, n: i64) -> bool {
    a.plus(g, b, -1).and_then(|d| d.known()).is_some_and(|d| d % n == 0)
}

/// `op(a, n)` with a positive constant `n`.
pub fn by_constant(g: &Graph, id: Id, op: Op) -> Option<(Id, i64)> {
    match g.node(id) {
        Node::Op(o, args) if *o == op && g.ty(id) == Ty::Int => match g.node(args[1]) {
            Node::Int(n) if *n > 0 => Some((args[0], *n)),
            _ => None,
        },
        _ => None,
    }
}

/// `a mod n`: gone where an interval shows which period `a` is in; else coefficients are taken modulo `n`, those of
/// least size, and remainders inside by a multiple of `n` are dropped.
fn remainder(g: &mut Graph, a: Id, n: Id) -> Option<Id> {
    let divisor = constant(g, n).filter(|n| *n > 0)?;
    let x = Affine::of(g, a);
    if let Some(inside) = in_period(g, &x, divisor) {
        return Some(build(g, &inside));
    }
    let mut reduced = Affine::constant(x.constant);
    for (atom, c) in &x.terms {
        let part = match by_constant(g, *atom, Op::Mod) {
            Some((inner, m)) if m % divisor == 0 => Affine::of(g, inner),
            _ => Affine { terms: vec![(*atom, 1)], constant: 0 },
        };
        reduced = reduced.plus(g, &part, *c)?;
    }
    reduced.constant = least(reduced.constant, divisor);
    for t in &mut reduced.terms {
        t.1 = least(t.1, divisor);
    }
    reduced.terms.retain(|t| t.1 != 0);
    if let Some(inside) = in_period(g, &reduced, divisor) {
        return Some(build(g, &inside));
    }
    let a = build(g, &reduced);
    Some(g.op(Op::Mod, &[a, n]))
}

/// The value modulo `n` if all values lie between two neighbouring multiples of `n`.
fn in_period(g: &Graph, a: &Affine, n: i64) -> Option<Affine> {
    let (low, high) = a.range(g)?;
    let period = low.div_euclid(n);
    (high.div_euclid(n) == period).then(|| Affine { constant: a.constant - period * n, ..a.clone() })
}

/// The representative of least size, `n/2` rather than `-n/2`.
fn least(c: i64, n: i64) -> i64 {
    let r = c.rem_euclid(n);
    if 2 * r > n { r - n } else { r }
}

/// `a div n`: multiples of `n` come out; the rest is gone where an interval decides it.
fn quotient(g: &mut Graph, a: Id, n: Id) -> Option<Id> {
    let divisor = constant(g, n).filter(|n| *n > 0)?;
    if divisor == 1 {
        return Some(a);
    }
    let x = Affine::of(g, a);
    let mut outside = Affine::constant(x.constant.div_euclid(divisor));
    let mut inside = Affine::constant(x.constant.rem_euclid(divisor));
    for (atom, c) in &x.terms {
        let atom = Affine { terms: vec![(*atom, 1)], constant: 0 };
        outside = outside.plus(g, &atom, c / divisor)?;
        inside = inside.plus(g, &atom, c % divisor)?;
    }
    if let Some((low, high)) = inside.range(g)
        && low.div_euclid(divisor) == high.div_euclid(divisor)
    {
        outside.constant += low.div_euclid(divisor);
        return Some(build(g, &outside));
    }
    let quotient = nested_quotient(g, &inside, divisor);
    let sum = outside.plus(g, &Affine { terms: vec![(quotient, 1)], constant: 0 }, 1)?;
    Some(build(g, &sum))
}

/// `(b div m) div n` is `b div m*n`.
fn nested_quotient(g: &mut Graph, a: &Affine, n: i64) -> Id {
    if let ([(atom, 1)], 0) = (a.terms.as_slice(), a.constant)
        && let Some((b, m)) = by_constant(g, *atom, Op::IntDiv)
        && let Some(mn) = m.checked_mul(n)
    {
        let mn = g.int(mn);
        return g.op(Op::IntDiv, &[b, mn]);
    }
    let a = build(g, a);
    let n = g.int(n);
    g.op(Op::IntDiv, &[a, n])
}

/// The smaller or larger of two, where intervals tell.
fn extreme(g: &mut Graph, a: Id, b: Id, smaller: bool) -> Option<Id> {
    let difference = Affine::of(g, a).plus(g, &Affine::of(g, b), -1)?;
    match difference.range(g) {
        Some((_, high)) if high <= 0 => Some(if smaller { a } else { b }),
        Some((low, _)) if low >= 0 => Some(if smaller { b } else { a }),
        _ => None,
    }
}

fn constant(g: &Graph, id: Id) -> Option<i64> {
    if let Node::Int(c) = g.node(id) { Some(*c) } else { None }
}

/// A comparison of integers: decided by intervals, else with the difference in canonical form. `op` is one of the four
/// comparisons.
pub fn comparison(g: &mut Graph, op: Op, a: Id, b: Id) -> Option<Id> {
    let mut d = Affine::of(g, a).plus(g, &Affine::of(g, b), -1)?;
    if op == Op::Le {
        // a <= b is a < b + 1
        d.constant = d.constant.checked_sub(1)?;
    }
    let strict = matches!(op, Op::Lt | Op::Le);
    if let Some(known) = d.range(g).and_then(|(low, high)| decided(strict, low, high)) {
        return Some(g.boolean(known ^ (op == Op::Ne)));
    }
    if let Some(known) = indivisible(&mut d, strict) {
        return Some(g.boolean(known ^ (op == Op::Ne)));
    }
    if !strict && let Some(known) = same_remainder(g, &d) {
        return Some(g.boolean(known ^ (op == Op::Ne)));
    }
    if !strict && let Some((left, right)) = wrapped(g, &d) {
        return Some(g.op(op, &[left, right]));
    }
    if !strict && d.terms[0].1 < 0 {
        d = d.times(-1)?;
    }
    let (left, right) = sides(g, &d);
    Some(g.op(if strict { Op::Lt } else { op }, &[left, right]))
}

/// `d < 0` or `d == 0` for `d` in an interval.
fn decided(strict: bool, low: i64, high: i64) -> Option<bool> {
    match strict {
        true if high < 0 => Some(true),
        true if low >= 0 => Some(false),
        false if low == 0 && high == 0 => Some(true),
        false if low > 0 || high < 0 => Some(false),
        _ => None,
    }
}

/// `a mod n == b mod n`, or `a mod n == b` with `b` in `0..n`, where `a - b` is a constant.
fn same_remainder(g: &Graph, d: &Affine) -> Option<bool> {
    let (k, n) = d.terms.iter().enumerate().find_map(|(k, (atom, c))| {
        let (_, n) = by_constant(g, *atom, Op::Mod)?;
        (c.abs() == 1).then_some((k, n))
    })?;
    let mut rest = d.clone();
    let (atom, c) = rest.terms.remove(k);
    let inside = Affine::of(g, by_constant(g, atom, Op::Mod)?.0);
    // atom == target
    let target = rest.times(-c)?;
    let other = match target.terms[..] {
        [(other, 1)] if target.constant == 0 => by_constant(g, other, Op::Mod).filter(|m| m.1 == n),
        _ => None,
    };
    let target = match other {
        Some((b, _)) => Affine::of(g, b),
        None if target.range(g).is_some_and(|(low, high)| low >= 0 && high < n) => target,
        None => return None,
    };
    let difference = inside.plus(g, &target, -1)?;
    Some(difference.known()?.rem_euclid(n) == 0)
}

/// `i == (s*j + t) mod n` with both indices in `0..n`: written with the index of the inner loop alone.
fn wrapped(g: &mut Graph, d: &Affine) -> Option<(Id, Id)> {
    let ([(p, c), (q, e)], 0) = (d.terms.as_slice(), d.constant) else { return None };
    let (p, q) = if c + e == 0 && c.abs() == 1 { (*p, *q) } else { return None };
    for (lone, modulus) in [(p, q), (q, p)] {
        let Node::Index(i) = *g.node(lone) else { continue };
        let Some((inside, n)) = by_constant(g, modulus, Op::Mod) else { continue };
        let inside = Affine::of(g, inside);
        let [(atom, s)] = inside.terms[..] else { continue };
        let Node::Index(j) = *g.node(atom) else { continue };
        if i.extent as i64 != n || j.extent as i64 != n || s.abs() != 1 {
            continue;
        }
        if i > j {
            return Some((lone, modulus));
        }
        // j == s*(i - t)
        let turned = Affine { terms: vec![(lone, 1)], constant: -inside.constant }.times(s)?;
        let turned = build(g, &turned);
        let n = g.int(n);
        let turned = remainder(g, turned, n)?;
        return Some((atom, turned));
    }
    None
}

/// Divides by the common factor of the coefficients; an equation without a solution is false.
fn indivisible(d: &mut Affine, strict: bool) -> Option<bool> {
    let common = d.terms.iter().fold(0, |n, t| gcd(n, t.1.abs()));
    if common <= 1 {
        return None;
    }
    if !strict && d.constant % common != 0 {
        return Some(false);
    }
    for t in &mut d.terms {
        t.1 /= common;
    }
    // c*s + k < 0 is s < -k/c, so s < ceil(-k/c) = -floor(k/c)
    d.constant = d.constant.div_euclid(common);
    None
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// `d = left - right` with positive terms left and negative ones right. The constant stands beside other terms, on the
/// right where either side would do.
fn sides(g: &mut Graph, d: &Affine) -> (Id, Id) {
    let (positive, negative): (Vec<_>, Vec<_>) = d.terms.iter().copied().partition(|t| t.1 > 0);
    let mut left = Affine { terms: positive, constant: 0 };
    let mut right = Affine { terms: negative.into_iter().map(|(a, c)| (a, -c)).collect(), constant: 0 };
    if left.terms.is_empty() {
        left.constant = d.constant;
    } else {
        right.constant = -d.constant;
    }
    (left.build(g), right.build(g))
}
