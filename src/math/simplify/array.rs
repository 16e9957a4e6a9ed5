//! Arrays: reads, maps, arrays written out, scatters.

use rustc_hash::FxHashSet as HashSet;

use super::super::affine::{self, Affine};
use super::super::graph::{Graph, Id, IndexVar, Node, Shape};
use super::super::ops::{Dense, Op, Red, Ty};
use super::delta::Guarded;
use super::number::{is_zero, known_int};
use super::{reduce, select, substitute};

/// One element. A read of a map is its body with the indices put in: maps are only values that were not read yet.
pub fn get(g: &mut Graph, array: Id, at: &[Id]) -> Id {
    if at.is_empty() {
        return array;
    }
    let at: Vec<Id> = at.iter().map(|e| settled(g, *e)).collect();
    let read = match g.node(array).clone() {
        Node::Map(bounds, body) => {
            let pairs: Vec<(u32, Id)> = bounds.iter().zip(&at).map(|(b, e)| (b.id, *e)).collect();
            Some(substitute(g, &[body], &pairs, &[])[0])
        }
        Node::Lit(shape, elements) => element(g, &shape, &elements, &at),
        Node::Scatter { bounds, at: targets, body, .. } => of_scatter(g, &bounds, &targets, body, &at),
        Node::Dense(Dense::Cholesky, _) => above_diagonal(g, &at),
        _ => None,
    };
    read.unwrap_or_else(|| g.get(array, &at))
}

/// An index that has one value only is that value.
fn settled(g: &mut Graph, e: Id) -> Id {
    if g.ty(e) != Ty::Int {
        return e;
    }
    match Affine::of(g, e).known() {
        Some(c) => g.int(c),
        None => e,
    }
}

/// An element of an array that is written out, if the place is known or all elements are the same. A place outside,
/// which only a branch that is not taken may ask for, stays.
fn element(g: &Graph, shape: &[usize], elements: &[Id], at: &[Id]) -> Option<Id> {
    let (first, rest) = elements.split_first()?;
    if rest.iter().all(|e| e == first) {
        return Some(*first);
    }
    let mut place = 0;
    for (n, e) in shape.iter().zip(at) {
        let k = usize::try_from(known_int(g, *e)?).ok().filter(|k| k < n)?;
        place = place * n + k;
    }
    Some(elements[place])
}

/// Zero for an element above the diagonal of a lower factor.
fn above_diagonal(g: &mut Graph, at: &[Id]) -> Option<Id> {
    let difference = Affine::of(g, at[1]).plus(g, &Affine::of(g, at[0]), -1)?;
    let (low, _) = difference.range(g)?;
    (low > 0).then(|| g.real(0.0))
}

/// An element of a scatter: the sum of the bodies that point there, if the bounds follow from the place.
fn of_scatter(g: &mut Graph, bounds: &[IndexVar], targets: &[Id], body: Id, at: &[Id]) -> Option<Id> {
    let mut parts = targets.to_vec();
    parts.push(body);
    let avoid = at.iter().flat_map(|e| g.free(*e).to_vec()).collect();
    let (bounds, mut parts) = super::rebuild::open(g, bounds, &parts, &avoid);
    let body = parts.pop().expect("the body is the last part");
    inverted(g, &bounds, &parts, body, at)
}

/// The sum of `body` over `bounds` where `targets == at`, if no condition on the bounds is left.
fn inverted(g: &mut Graph, bounds: &[IndexVar], targets: &[Id], body: Id, at: &[Id]) -> Option<Id> {
    let conditions: Vec<Id> = targets.iter().zip(at).map(|(t, e)| super::op(g, Op::Eq, &[*t, *e])).collect();
    let solved = Guarded { bounds: bounds.to_vec(), conditions, body }.solve(g);
    let stuck = solved.conditions.iter().any(|c| solved.bounds.iter().any(|b| g.has_free(*c, b.id)));
    if stuck {
        return None;
    }
    let sum = reduce::reduce(g, Red::Sum, &solved.bounds, solved.body);
    let condition = select::all_of(g, &solved.conditions);
    Some(select::or_zero(g, condition, sum))
}

/// The array of `body`; that of all the elements of an array is the array.
pub fn map(g: &mut Graph, bounds: &[IndexVar], body: Id) -> Id {
    if let Node::Get(array, at) = g.node(body).clone()
        && bounds.len() == at.len()
        && bounds.iter().map(|b| b.extent).eq(g.shape(array).iter().copied())
        && bounds.iter().all(|b| !g.has_free(array, b.id))
        && bounds.iter().zip(&at).all(|(b, e)| is_index(g, *b, *e))
    {
        return array;
    }
    g.map(bounds, body)
}

fn is_index(g: &Graph, bound: IndexVar, e: Id) -> bool {
    match g.node(e) {
        Node::Index(i) => *i == bound,
        Node::Int(0) => bound.extent == 1,
        _ => false,
    }
}

/// An array written out; one that copies all elements of an array is the array.
pub fn lit(g: &mut Graph, shape: Shape, elements: Vec<Id>) -> Id {
    copied(g, &shape, &elements).unwrap_or_else(|| g.lit(shape, elements))
}

fn copied(g: &Graph, shape: &[usize], elements: &[Id]) -> Option<Id> {
    let Node::Get(array, _) = g.node(*elements.first()?) else { return None };
    if g.shape(*array) != shape {
        return None;
    }
    for (place, e) in elements.iter().enumerate() {
        let Node::Get(other, at) = g.node(*e) else { return None };
        if other != array {
            return None;
        }
        let mut here = 0;
        for (n, k) in shape.iter().zip(at) {
            here = here * n + usize::try_from(known_int(g, *k)?).ok()?;
        }
        if here != place {
            return None;
        }
    }
    Some(*array)
}

/// The array that sums bodies where they point; a map where that can be turned round.
pub fn scatter(g: &mut Graph, shape: Shape, bounds: &[IndexVar], at: &[Id], body: Id) -> Id {
    let places: Vec<IndexVar> = shape.iter().map(|n| g.fresh_index(*n)).collect();
    if is_zero(g, body) || bounds.iter().any(|b| b.extent == 0) {
        let zero = g.real(0.0);
        return map(g, &places, zero);
    }
    let indices: Vec<Id> = places.iter().map(|p| g.index(*p)).collect();
    let indices: Vec<Id> = indices.into_iter().map(|i| settled(g, i)).collect();
    match inverted(g, bounds, at, body, &indices) {
        Some(sum) => map(g, &places, sum),
        None => g.scatter(shape, bounds, at, body),
    }
}

/// Whether every read in a scalar is inside its array, as far as intervals tell.
pub fn reads_inside(g: &Graph, id: Id) -> bool {
    !any_below(g, id, |node| match node {
        Node::Get(array, at) => !at.iter().zip(g.shape(*array)).all(|(e, n)| inside(g, *e, *n)),
        _ => false,
    })
}

/// Whether some node below satisfies a predicate.
pub fn any_below(g: &Graph, id: Id, predicate: impl Fn(&Node) -> bool) -> bool {
    let mut seen = HashSet::from_iter([id]);
    let mut stack = vec![id];
    while let Some(id) = stack.pop() {
        if predicate(g.node(id)) {
            return true;
        }
        stack.extend(g.parts(id).into_iter().filter(|p| seen.insert(*p)));
    }
    false
}

fn inside(g: &Graph, e: Id, extent: usize) -> bool {
    affine::range(g, e).is_some_and(|(low, high)| low >= 0 && high < extent as i64)
}
