//! What the users of a node hand to its adjoint, and how the shares make a whole.

use std::collections::BTreeMap;

use crate::math::graph::{Graph, Id, IndexVar, Node};
use crate::math::ops::Op;
use crate::math::simplify;
use crate::math::total::Total;

use super::dense::tabulate;

/// Part of an adjoint.
#[derive(Copy, Clone, Debug)]
pub enum Share {
    /// an expression of the shape of the node
    Whole(Id),
    /// a scalar for the element at a place in row-major order
    Element(usize, Id),
}

/// Arrays up to this size are written out where elements of theirs are read one by one.
const LARGEST_WRITTEN: usize = 16;

/// The share of an array of which the element `at` has the adjoint `value`, summed over `over`. Where the places can be
/// solved for the loop indices it is a read, so stencils, slices and contractions stay what they are; else a scatter.
pub fn of_element(g: &mut Graph, array: Id, at: &[Id], over: &[IndexVar], value: Id) -> Option<Share> {
    let shape = g.shape(array).to_vec();
    if let (Some(places), true) = (constants(g, at), over.is_empty()) {
        return Some(Share::Element(flat(&shape, &places)?, value));
    }
    let whole = simplify::scatter(g, shape.clone(), over, at, value);
    if !matches!(g.node(whole), Node::Scatter { .. }) {
        return Some(Share::Whole(whole));
    }
    if let Some(whole) = by_digits(g, &shape, at, over, value) {
        return Some(Share::Whole(whole));
    }
    if let Some(c) = condition(g, value) {
        // Where nothing is added, the place may lie outside the array.
        let zero = g.int(0);
        let at: Vec<Id> = at.iter().map(|e| simplify::op(g, Op::Select, &[c, *e, zero])).collect();
        return Some(Share::Whole(simplify::scatter(g, shape, over, &at, value)));
    }
    Some(Share::Whole(whole))
}

/// The same where the places are made of digits of a loop index, as those of reshaped and tiled arrays are: the loop over
/// `i` becomes one over `c*p + q`, and `i div c` and `i mod c` can be solved for p and q.
fn by_digits(g: &mut Graph, shape: &[usize], at: &[Id], over: &[IndexVar], value: Id) -> Option<Id> {
    let (index, c) = at.iter().find_map(|e| digit(g, *e, over))?;
    let high = g.fresh_index(index.extent.div_ceil(c));
    let low = g.fresh_index(c);
    let (p, q, base) = (g.index(high), g.index(low), g.int(c as i64));
    let p = simplify::op(g, Op::Mul, &[base, p]);
    let whole = simplify::op(g, Op::Add, &[p, q]);
    let mut parts = at.to_vec();
    parts.push(value);
    let mut parts = simplify::substitute(g, &parts, &[(index.id, whole)], &[]);
    let value = parts.pop().expect("the value is the last part");
    let extent = g.int(index.extent as i64);
    let inside = simplify::op(g, Op::Lt, &[whole, extent]);
    let value = guarded(g, inside, value);
    let mut over: Vec<IndexVar> = over.iter().copied().filter(|i| *i != index).collect();
    over.extend([high, low]);
    let array = simplify::scatter(g, shape.to_vec(), &over, &parts, value);
    (!matches!(g.node(array), Node::Scatter { .. })).then_some(array)
}

/// A loop index that an expression divides by a constant less than its extent.
fn digit(g: &Graph, e: Id, over: &[IndexVar]) -> Option<(IndexVar, usize)> {
    g.reachable(&[e]).into_iter().find_map(|id| {
        let Node::Op(Op::IntDiv | Op::Mod, args) = g.node(id) else { return None };
        let Node::Int(c) = *g.node(args[1]) else { return None };
        let index = over.iter().find(|i| g.has_free(args[0], i.id))?;
        (c > 1 && c < index.extent as i64).then_some((*index, c as usize))
    })
}

fn constants(g: &Graph, at: &[Id]) -> Option<Vec<i64>> {
    at.iter().map(|e| if let Node::Int(k) = g.node(*e) { Some(*k) } else { None }).collect()
}

/// The place in row-major order; none outside the array, which only a branch that is not taken may read.
fn flat(shape: &[usize], at: &[i64]) -> Option<usize> {
    shape.iter().zip(at).try_fold(0, |place, (n, k)| {
        let k = usize::try_from(*k).ok().filter(|k| k < n)?;
        Some(place * n + k)
    })
}

/// The indices of a place in row-major order.
pub fn unflat(shape: &[usize], mut place: usize) -> Vec<usize> {
    let mut at: Vec<usize> = shape
        .iter()
        .rev()
        .map(|n| {
            let k = place % n;
            place /= n;
            k
        })
        .collect();
    at.reverse();
    at
}

/// The condition under which a value counts, if it is zero otherwise.
pub fn condition(g: &mut Graph, value: Id) -> Option<Id> {
    let Node::Op(Op::Select, args) = g.node(value) else { return None };
    let (c, a, b) = (args[0], args[1], args[2]);
    let zero = |id: Id| matches!(g.node(id), Node::Real(bits) if f64::from_bits(*bits) == 0.0);
    match (zero(a), zero(b)) {
        (false, true) => Some(c),
        (true, false) => Some(simplify::op(g, Op::Not, &[c])),
        _ => None,
    }
}

/// `c ? value : 0`
pub fn guarded(g: &mut Graph, c: Id, value: Id) -> Id {
    let zero = g.real(0.0);
    simplify::op(g, Op::Select, &[c, value, zero])
}

/// The adjoint of a node from its shares.
pub fn whole(g: &mut Graph, node: Id, shares: &[Share], total: &mut Total) -> Id {
    if g.is_scalar(node) {
        let values: Vec<Id> = shares.iter().map(|(Share::Whole(v) | Share::Element(_, v))| *v).collect();
        return scalar(g, node, &values, total);
    }
    array(g, node, shares)
}

/// The sum of scalar shares. If each counts under a condition only, so does the sum: where no user wants the node, its
/// slopes may be infinite or not numbers, and zero times them is not zero.
fn scalar(g: &mut Graph, node: Id, values: &[Id], total: &mut Total) -> Id {
    let sum = added(g, values);
    if values.len() < 2 || condition(g, sum).is_some() || total.holds(g, node) {
        return sum;
    }
    let mut any = g.boolean(false);
    for value in values {
        let Some(c) = condition(g, *value) else { return sum };
        any = simplify::op(g, Op::Or, &[any, c]);
    }
    guarded(g, any, sum)
}

fn added(g: &mut Graph, values: &[Id]) -> Id {
    let zero = g.real(0.0);
    values.iter().fold(zero, |sum, v| simplify::op(g, Op::Add, &[sum, *v]))
}

fn array(g: &mut Graph, node: Id, shares: &[Share]) -> Id {
    let shape = g.shape(node).to_vec();
    let size: usize = shape.iter().product();
    let mut wholes = Vec::new();
    let mut elements: BTreeMap<usize, Vec<Id>> = BTreeMap::new();
    for share in shares {
        match share {
            Share::Whole(array) => wholes.push(*array),
            Share::Element(place, value) => elements.entry(*place).or_default().push(*value),
        }
    }
    if let ([array], true) = (&wholes[..], elements.is_empty()) {
        return *array;
    }
    let elements: Vec<(usize, Id)> = elements.into_iter().map(|(place, values)| (place, added(g, &values))).collect();
    if !elements.is_empty() && (size <= LARGEST_WRITTEN || 2 * elements.len() >= size) {
        return written(g, &shape, &wholes, &elements);
    }
    tabulate(g, &shape, |g, at| {
        let mut values: Vec<Id> = wholes.iter().map(|a| simplify::get(g, *a, at)).collect();
        values.push(chosen(g, &shape, at, &elements));
        added(g, &values)
    })
}

/// The array element by element.
fn written(g: &mut Graph, shape: &[usize], wholes: &[Id], elements: &[(usize, Id)]) -> Id {
    let size = shape.iter().product();
    let mut all = Vec::with_capacity(size);
    for place in 0..size {
        let at: Vec<Id> = unflat(shape, place).into_iter().map(|k| g.int(k as i64)).collect();
        let mut values: Vec<Id> = wholes.iter().map(|a| simplify::get(g, *a, &at)).collect();
        values.extend(elements.iter().filter(|e| e.0 == place).map(|e| e.1));
        all.push(added(g, &values));
    }
    simplify::lit(g, shape.to_vec(), all)
}

/// The element at `at` of the array that has given elements and is zero elsewhere.
fn chosen(g: &mut Graph, shape: &[usize], at: &[Id], elements: &[(usize, Id)]) -> Id {
    let mut rest = g.real(0.0);
    for (place, value) in elements.iter().rev() {
        let mut here = g.boolean(true);
        for (e, k) in at.iter().zip(unflat(shape, *place)) {
            let k = g.int(k as i64);
            let equal = simplify::op(g, Op::Eq, &[*e, k]);
            here = simplify::op(g, Op::And, &[here, equal]);
        }
        rest = simplify::op(g, Op::Select, &[here, *value, rest]);
    }
    rest
}
