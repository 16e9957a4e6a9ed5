//! Equations between indices, solved for the bounds of a loop: the rules behind `sum(j) [j == e]*f(j) = f(e)`.

use super::super::affine::Affine;
use super::super::graph::{Graph, Id, IndexVar, Node};
use super::super::ops::{Op, Ty};
use super::number::known_bool;
use super::{int, select, substitute};

/// A loop body that counts only where all of `conditions` hold.
#[derive(Clone, Debug)]
pub struct Guarded {
    pub bounds: Vec<IndexVar>,
    pub conditions: Vec<Id>,
    pub body: Id,
}

impl Guarded {
    /// Removes every bound that a condition determines. Its value is put in, and that it lies in the range of the bound
    /// becomes a condition, unless intervals show it.
    pub fn solve(mut self, g: &mut Graph) -> Guarded {
        self.flatten(g);
        self.join_digits(g);
        while let Some((c, b, solution)) = self.first_solvable(g) {
            let bound = self.bounds.remove(b);
            self.conditions.remove(c);
            let mut parts = self.conditions.clone();
            parts.push(self.body);
            let mut parts = substitute(g, &parts, &[(bound.id, solution.value)], &[]);
            self.body = parts.pop().expect("the body is the last part");
            self.conditions = parts;
            self.conditions.extend(solution.conditions);
            self.flatten(g);
            self.join_digits(g);
        }
        self
    }

    /// Equations for the quotient and the remainder of one number, `x div n == q` and `x mod n == r`, as one for the
    /// number, `x == n*q + r` with `r` in `0..n`: its bounds can be solved for where those of the digits cannot.
    fn join_digits(&mut self, g: &mut Graph) {
        while let Some((quotient, remainder, conditions)) = self.first_pair(g) {
            self.conditions.remove(quotient.max(remainder));
            self.conditions.remove(quotient.min(remainder));
            self.conditions.extend(conditions);
            self.flatten(g);
        }
    }

    /// The places of such a pair, and what stands for them.
    fn first_pair(&self, g: &mut Graph) -> Option<(usize, usize, Vec<Id>)> {
        for (a, first) in self.conditions.iter().enumerate() {
            for (x, n, q) in digits(g, *first, Op::IntDiv) {
                if !self.bounds.iter().any(|b| g.has_free(x, b.id)) {
                    continue;
                }
                for (b, second) in self.conditions.iter().enumerate() {
                    for (y, m, r) in digits(g, *second, Op::Mod) {
                        if x == y
                            && n == m
                            && let Some(value) = q.times(n).and_then(|q| q.plus(g, &r, 1))
                        {
                            let (value, r) = (int::build(g, &value), int::build(g, &r));
                            let mut conditions = vec![select::compare(g, Op::Eq, x, value)];
                            conditions.extend(within(g, r, n as usize));
                            return Some((a, b, conditions));
                        }
                    }
                }
            }
        }
        None
    }

    fn flatten(&mut self, g: &mut Graph) {
        let all: Vec<Id> = self.conditions.iter().flat_map(|c| select::conjuncts(g, *c)).collect();
        self.conditions = all.into_iter().filter(|c| known_bool(g, *c) != Some(true)).collect();
        self.conditions.dedup();
    }

    /// The condition and the bound to solve first. An equation of digits has to give the leading one before a lower one
    /// is eliminated; else, equations that need no division come before others.
    fn first_solvable(&self, g: &mut Graph) -> Option<(usize, usize, Solution)> {
        for way in [by_leading_digit, by_unit, by_remainder, by_digit] {
            for (c, condition) in self.conditions.iter().enumerate() {
                let Some(difference) = equation(g, *condition) else { continue };
                for (b, bound) in self.bounds.iter().enumerate() {
                    if g.has_free(*condition, bound.id)
                        && let Some(solution) = way(g, &difference, *bound, &self.bounds)
                    {
                        return Some((c, b, solution));
                    }
                }
            }
        }
        None
    }
}

struct Solution {
    value: Id,
    conditions: Vec<Id>,
}

/// The difference of the sides of an equation of integers.
fn equation(g: &Graph, condition: Id) -> Option<Affine> {
    match g.node(condition) {
        Node::Op(Op::Eq, args) if args.iter().all(|a| g.ty(*a) == Ty::Int) => {
            Affine::of(g, args[0]).plus(g, &Affine::of(g, args[1]), -1)
        }
        _ => None,
    }
}

/// The readings of an equation as `x op n == value` with a constant `n`.
fn digits(g: &Graph, condition: Id, op: Op) -> Vec<(Id, i64, Affine)> {
    let Some(d) = equation(g, condition) else { return Vec::new() };
    let read = |(atom, c): &(Id, i64)| {
        let (x, n) = int::by_constant(g, *atom, op).filter(|_| c.abs() == 1)?;
        let value = d.plus(g, &Affine { terms: vec![(*atom, 1)], constant: 0 }, -c)?.times(-c)?;
        Some((x, n, value))
    };
    d.terms.iter().filter_map(read).collect()
}

/// `a - coefficient * j`.
fn rest(g: &mut Graph, a: &Affine, j: IndexVar, coefficient: i64) -> Option<Affine> {
    let j = Affine { terms: vec![(g.index(j), 1)], constant: 0 };
    a.plus(g, &j, -coefficient)
}

/// That `0 <= value < extent`.
fn within(g: &mut Graph, value: Id, extent: usize) -> Vec<Id> {
    let zero = g.int(0);
    let extent = g.int(extent as i64);
    vec![select::compare(g, Op::Le, zero, value), select::compare(g, Op::Lt, value, extent)]
}

/// `+-j + r == 0`.
fn by_unit(g: &mut Graph, d: &Affine, j: IndexVar, _: &[IndexVar]) -> Option<Solution> {
    let c = d.coefficient(g, j.id).filter(|c| c.abs() == 1)?;
    let value = rest(g, d, j, c)?.times(-c)?;
    let value = int::build(g, &value);
    Some(Solution { value, conditions: within(g, value, j.extent) })
}

/// `+-((+-j + t) mod n) + r == 0` with the extent of `j` at most `n`: the wrap-around has one inverse.
fn by_remainder(g: &mut Graph, d: &Affine, j: IndexVar, _: &[IndexVar]) -> Option<Solution> {
    let mut holders = d.terms.iter().filter(|t| g.has_free(t.0, j.id));
    let (atom, c) = *holders.next()?;
    if holders.next().is_some() || c.abs() != 1 {
        return None;
    }
    let (inside, n) = int::by_constant(g, atom, Op::Mod)?;
    let inside = Affine::of(g, inside);
    let s = inside.coefficient(g, j.id).filter(|s| s.abs() == 1)?;
    if j.extent as i64 > n {
        return None;
    }
    let target = d.plus(g, &Affine { terms: vec![(atom, 1)], constant: 0 }, -c)?.times(-c)?;
    // s*j + t == target modulo n
    let shift = rest(g, &inside, j, s)?;
    let value = target.plus(g, &shift, -1)?.times(s)?;
    let value = int::build(g, &value);
    let modulus = g.int(n);
    let value = super::op(g, Op::Mod, &[value, modulus]);
    let target = int::build(g, &target);
    let mut conditions = within(g, target, n as usize);
    conditions.extend(within(g, value, j.extent));
    Some(Solution { value, conditions })
}

/// As [`by_digit`], with `w` not zero.
fn by_leading_digit(g: &mut Graph, d: &Affine, j: IndexVar, bounds: &[IndexVar]) -> Option<Solution> {
    let others = bounds.iter().filter(|b| b.id != j.id);
    let lower = others.into_iter().any(|b| d.terms.iter().any(|t| g.has_free(t.0, b.id)));
    if lower { by_digit(g, d, j, bounds) } else { None }
}

/// `c*j + w - v == 0`, where `w` has the other bounds and lies in `0..c`: `j` and `w` are quotient and remainder of `v`.
fn by_digit(g: &mut Graph, d: &Affine, j: IndexVar, bounds: &[IndexVar]) -> Option<Solution> {
    let c = d.coefficient(g, j.id).filter(|c| c.abs() > 1)?;
    let (d, c) = if c < 0 { (d.times(-1)?, -c) } else { (d.clone(), c) };
    let rest = rest(g, &d, j, c)?;
    let (inner, outer): (Vec<_>, Vec<_>) =
        rest.terms.iter().copied().partition(|t| bounds.iter().any(|b| g.has_free(t.0, b.id)));
    let digit = Affine { terms: inner, constant: 0 };
    let (low, high) = digit.range(g)?;
    if low < 0 || high >= c {
        return None;
    }
    let whole = Affine { terms: outer, constant: rest.constant }.times(-1)?;
    let whole = int::build(g, &whole);
    let divisor = g.int(c);
    let value = super::op(g, Op::IntDiv, &[whole, divisor]);
    let remainder = super::op(g, Op::Mod, &[whole, divisor]);
    let digit = int::build(g, &digit);
    let mut conditions = vec![select::compare(g, Op::Eq, digit, remainder)];
    conditions.extend(within(g, value, j.extent));
    Some(Solution { value, conditions })
}
