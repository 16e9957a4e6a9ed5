//! Choices, truth values and comparisons.
//!
//! A read outside its array may stand in the branch that is not taken, so nothing is moved out of a branch unless it is
//! in both.

use super::super::graph::{Graph, Id, Node};
use super::super::ops::{Op, Ty};
use super::number::{is_zero, known, known_bool, zero_like};
use super::{int, order};

/// Condition and branches of a select.
pub fn parts(g: &Graph, id: Id) -> Option<(Id, Id, Id)> {
    match g.node(id) {
        Node::Op(Op::Select, args) => Some((args[0], args[1], args[2])),
        _ => None,
    }
}

/// A select that factors go into: one with a zero branch; with `constants`, also one of two constants.
pub fn opens(g: &Graph, id: Id, constants: bool) -> bool {
    parts(g, id).is_some_and(|(_, a, b)| {
        is_zero(g, a) || is_zero(g, b) || (constants && known(g, a).is_some() && known(g, b).is_some())
    })
}

/// `c ? a : b`.
pub fn select(g: &mut Graph, c: Id, a: Id, b: Id) -> Id {
    if let Some(c) = known_bool(g, c) {
        return if c { a } else { b };
    }
    if a == b {
        return a;
    }
    if g.ty(a) == Ty::Bool
        && let Some(id) = of_truths(g, c, a, b)
    {
        return id;
    }
    // a negated condition swaps the branches
    match g.node(c).clone() {
        Node::Op(Op::Not, args) => return select(g, args[0], b, a),
        Node::Op(Op::Ne, args) => {
            let c = g.op(Op::Eq, &args);
            return select(g, c, b, a);
        }
        _ => {}
    }
    let (a, b) = (assuming(g, a, c, true), assuming(g, b, c, false));
    let a = at_equal(g, c, a);
    if a == b {
        return a;
    }
    if let Some(id) = joined(g, c, a, b) {
        return id;
    }
    g.op(Op::Select, &[c, a, b])
}

/// The branch of a select that is taken when `c` is known, for selects on `c` right below.
fn assuming(g: &mut Graph, id: Id, c: Id, truth: bool) -> Id {
    let Some((d, a, b)) = parts(g, id) else { return id };
    let known = if d == c {
        Some(truth)
    } else if truth && conjuncts(g, c).contains(&d) {
        Some(true)
    } else if !truth && conjuncts(g, d).contains(&c) {
        Some(false)
    } else {
        None
    };
    match known {
        Some(true) => assuming(g, a, c, truth),
        Some(false) => assuming(g, b, c, truth),
        None => {
            let d = if truth { without(g, d, c) } else { d };
            select_raw(g, d, a, b, id)
        }
    }
}

/// What is left to test of the conjunction `d` where `c` holds.
fn without(g: &mut Graph, d: Id, c: Id) -> Id {
    let known = conjuncts(g, c);
    let all = conjuncts(g, d);
    let left: Vec<Id> = all.iter().copied().filter(|x| !known.contains(x)).collect();
    if left.len() == all.len() { d } else { all_of(g, &left) }
}

fn select_raw(g: &mut Graph, c: Id, a: Id, b: Id, same: Id) -> Id {
    if parts(g, same) == Some((c, a, b)) { same } else { select(g, c, a, b) }
}

/// Under `i == e`, with `e` a constant or an index of an outer loop, a branch may say `e` for `i`.
fn at_equal(g: &mut Graph, c: Id, branch: Id) -> Id {
    for conjunct in conjuncts(g, c) {
        let Node::Op(Op::Eq, args) = g.node(conjunct).clone() else { continue };
        let (from, to) = match (g.node(args[0]), g.node(args[1])) {
            (Node::Index(i), Node::Int(_)) => (*i, args[1]),
            (Node::Index(i), Node::Index(k)) if i > k => (*i, args[1]),
            (Node::Index(_), Node::Index(k)) => (*k, args[0]),
            _ => continue,
        };
        if g.has_free(branch, from.id) {
            let new = super::substitute(g, &[branch], &[(from.id, to)], &[])[0];
            return at_equal(g, c, new);
        }
    }
    branch
}

/// Selects with the same other branch, one in the other, as one with both conditions. Only where the inner condition
/// reads no array: it would be read where it was not before.
fn joined(g: &mut Graph, c: Id, a: Id, b: Id) -> Option<Id> {
    let (d, x, y) = parts(g, a)?;
    if y != b || !is_zero(g, y) || reads(g, d) {
        return None;
    }
    let both = and(g, c, d);
    Some(select(g, both, x, y))
}

fn reads(g: &Graph, id: Id) -> bool {
    super::array::any_below(g, id, |node| matches!(node, Node::Get(..)))
}

fn of_truths(g: &mut Graph, c: Id, a: Id, b: Id) -> Option<Id> {
    match (known_bool(g, a), known_bool(g, b)) {
        (Some(true), Some(false)) => Some(c),
        (Some(false), Some(true)) => Some(not(g, c)),
        (Some(true), None) if !reads(g, b) => Some(or(g, c, b)),
        (None, Some(false)) if !reads(g, a) => Some(and(g, c, a)),
        _ => None,
    }
}

/// The conditions of a conjunction.
pub fn conjuncts(g: &Graph, c: Id) -> Vec<Id> {
    let mut found = Vec::new();
    let mut stack = vec![c];
    while let Some(c) = stack.pop() {
        match g.node(c) {
            Node::Op(Op::And, args) => stack.extend(args.iter().rev()),
            _ => found.push(c),
        }
    }
    found
}

/// The conjunction of conditions, each once, in canonical order.
pub fn all_of(g: &mut Graph, conditions: &[Id]) -> Id {
    let mut all = conditions.to_vec();
    all.sort_by(|a, b| order::compare(g, *a, *b));
    all.dedup();
    all.retain(|c| known_bool(g, *c) != Some(true));
    if all.iter().any(|c| known_bool(g, *c) == Some(false)) {
        return g.boolean(false);
    }
    let Some((first, rest)) = all.split_first() else { return g.boolean(true) };
    rest.iter().fold(*first, |node, c| g.op(Op::And, &[node, *c]))
}

/// A conjunction with more conditions than this is left as it stands.
const MOST_CONDITIONS: usize = 32;

pub fn and(g: &mut Graph, a: Id, b: Id) -> Id {
    match (known_bool(g, a), known_bool(g, b)) {
        (Some(true), _) => return b,
        (_, Some(true)) => return a,
        (Some(false), _) | (_, Some(false)) => return g.boolean(false),
        _ => {}
    }
    let mut all = conjuncts(g, a);
    all.extend(conjuncts(g, b));
    if all.len() > MOST_CONDITIONS {
        return g.op(Op::And, &[a, b]);
    }
    let contrary = not(g, a);
    if all.contains(&contrary) {
        return g.boolean(false);
    }
    all_of(g, &all)
}

pub fn or(g: &mut Graph, a: Id, b: Id) -> Id {
    match (known_bool(g, a), known_bool(g, b)) {
        (Some(false), _) => return b,
        (_, Some(false)) => return a,
        (Some(true), _) | (_, Some(true)) => return g.boolean(true),
        _ => {}
    }
    if a == b {
        return a;
    }
    if not(g, a) == b {
        return g.boolean(true);
    }
    let (a, b) = if order::compare(g, a, b).is_gt() { (b, a) } else { (a, b) };
    g.op(Op::Or, &[a, b])
}

/// The negation. That of `a < b` is `b <= a` for integers only: a real comparison with NaN is false either way.
pub fn not(g: &mut Graph, c: Id) -> Id {
    match g.node(c).clone() {
        Node::Bool(b) => g.boolean(!b),
        Node::Op(Op::Not, args) => args[0],
        Node::Op(Op::Eq, args) => g.op(Op::Ne, &args),
        Node::Op(Op::Ne, args) => g.op(Op::Eq, &args),
        Node::Op(Op::Lt, args) if g.ty(args[0]) == Ty::Int => compare(g, Op::Le, args[1], args[0]),
        _ => g.op(Op::Not, &[c]),
    }
}

/// One of the four comparisons.
pub fn compare(g: &mut Graph, op: Op, a: Id, b: Id) -> Id {
    if g.ty(a) == Ty::Int && g.ty(b) == Ty::Int {
        return int::comparison(g, op, a, b).unwrap_or_else(|| g.op(op, &[a, b]));
    }
    if let (Some(x), Some(y)) = (known(g, a), known(g, b)) {
        return g.boolean(match op {
            Op::Lt => x < y,
            Op::Le => x <= y,
            Op::Eq => x == y,
            _ => x != y,
        });
    }
    if let (Some(x), Some(y)) = (known_bool(g, a), known_bool(g, b)) {
        return g.boolean((x == y) ^ (op == Op::Ne));
    }
    if let Some(id) = of_integers(g, op, a, b) {
        return id;
    }
    // nothing is less than itself, not even NaN; `x == x` asks whether x is a number
    if a == b && op == Op::Lt {
        return g.boolean(false);
    }
    // constants on the right
    let swapped = known(g, a).is_some() || (known(g, b).is_none() && order::compare(g, a, b).is_gt());
    let (a, b) = if matches!(op, Op::Eq | Op::Ne) && swapped { (b, a) } else { (a, b) };
    g.op(op, &[a, b])
}

/// Comparisons of integers made real.
fn of_integers(g: &mut Graph, op: Op, a: Id, b: Id) -> Option<Id> {
    let a = as_integer(g, a)?;
    let b = as_integer(g, b)?;
    Some(compare(g, op, a, b))
}

/// The integer behind a real, if there is one.
pub fn as_integer(g: &mut Graph, id: Id) -> Option<Id> {
    match g.node(id).clone() {
        Node::Op(Op::ToReal, args) if g.ty(args[0]) == Ty::Int => Some(args[0]),
        Node::Real(bits) => {
            let x = f64::from_bits(bits);
            (x.fract() == 0.0 && x.abs() < 9e15).then(|| g.int(x as i64))
        }
        Node::Int(_) => Some(id),
        _ => None,
    }
}

/// A truth value or an integer as a real.
pub fn to_real(g: &mut Graph, x: Id) -> Id {
    match (g.ty(x), g.node(x).clone()) {
        (Ty::Real, _) => x,
        (Ty::Int, Node::Int(c)) => g.real(c as f64),
        (Ty::Int, _) => g.op(Op::ToReal, &[x]),
        (Ty::Bool, _) => {
            let (one, zero) = (g.real(1.0), g.real(0.0));
            select(g, x, one, zero)
        }
    }
}

/// The zero that `x` would be added to.
pub fn or_zero(g: &mut Graph, c: Id, x: Id) -> Id {
    let zero = zero_like(g, x);
    select(g, c, x, zero)
}
