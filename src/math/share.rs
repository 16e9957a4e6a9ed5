//! Values that several rounds of loops need, as arrays.
//!
//! The simplifier puts the bodies of arrays where they are read, so a value can stand in a loop that it does not depend
//! on, or in many places at shifted indices. This last pass before the lowering gives such values their arrays back, so
//! that the lowering may store them; it decides whether to. Its results are for reading only: simplified again, the
//! arrays would dissolve.
//!
//! Two cases are found:
//! - a value inside a loop whose index it does not have, though it has one of a loop further in: `sum(j) X[j, i]*r(j)`
//!   for each `i` works `r` out for each `i`;
//! - a value that stands in several loops, or at several shifts of its index: `f(i - 1) + f(i) + f(i + 1)`.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::affine::Affine;
use super::graph::{Graph, Id, IndexVar, Node, Rate};
use super::ops::{Op, Red, Ty};
use super::simplify::{self, open, reads_inside, substitute};

/// A value is worth an array from this many operations saved for each of its elements.
const WORTH: f64 = 6.0;
/// Shifts of one index that are tried for one value.
const MOST_SHIFTS: usize = 9;
/// The roots of larger graphs are looked at in halves, so that many turns of a loop take no longer each; one with more
/// values than this is left as it stands.
const MOST_VALUES: usize = 5_000;
/// Loops of at most this extent are written out, and then every value is worked out once anyway.
const TINY: usize = 4;
/// Arrays that are given back, at most.
const MOST_ARRAYS: usize = 24;

/// The largest extent of a loop.
fn largest_extent(g: &Graph, roots: &[Id], values: &[Id]) -> usize {
    let loops = values.iter().flat_map(|id| match g.node(*id) {
        Node::Map(bounds, _) | Node::Reduce(_, bounds, _) | Node::Scatter { bounds, .. } => bounds.as_slice(),
        _ => &[],
    });
    let shapes = roots.iter().flat_map(|r| g.shape(*r));
    loops.map(|b| b.extent).chain(shapes.copied()).max().unwrap_or(0)
}

/// The roots with arrays for the values that are needed several times.
pub fn share(g: &mut Graph, roots: &[Id]) -> Vec<Id> {
    let mut roots = roots.to_vec();
    let values = g.reachable(&roots);
    if largest_extent(g, &roots, &values) <= TINY {
        return roots;
    }
    if values.len() > MOST_VALUES {
        if roots.len() > 1 {
            let rest = roots.split_off(roots.len() / 2);
            roots = share(g, &roots);
            roots.extend(share(g, &rest));
        }
        return roots;
    }
    let mut forms = Forms::default();
    for _ in 0..MOST_ARRAYS {
        let Some(array) = most_wanted(g, &mut forms, &roots) else { break };
        let mut pass = Replace { array, forms: &mut forms, memo: HashMap::default() };
        roots = roots.iter().map(|r| pass.apply(g, *r, &[])).collect();
    }
    roots
}

/// A loop index with the loop that binds it.
type Level = (IndexVar, Id);

/// The array with the most work for an element among those whose elements are worked out too often.
fn most_wanted(g: &mut Graph, forms: &mut Forms, roots: &[Id]) -> Option<Id> {
    let mut search = Search { forms, evaluations: Vec::new(), places: HashMap::default(), seen: HashSet::default() };
    for root in roots {
        search.visit(g, *root, &[]);
    }
    let mut best: Option<(f64, Id)> = None;
    for (array, evaluations) in search.evaluations {
        let size = g.shape(array).iter().product::<usize>() as f64;
        let Node::Map(_, body) = *g.node(array) else { continue };
        let work = work(g, body);
        let worth = (evaluations / size - 1.0) * work >= WORTH;
        if worth && best.is_none_or(|(most, _)| work > most) {
            best = Some((work, array));
        }
    }
    best.map(|b| b.1)
}

/// The part of a nest of loops, outermost first, down to the innermost whose index a value has: there its code is.
fn place<'n>(g: &Graph, id: Id, nest: &'n [Level]) -> &'n [Level] {
    let inner = nest.iter().rposition(|b| g.has_free(id, b.0.id)).map_or(0, |k| k + 1);
    &nest[..inner]
}

fn count(bounds: &[IndexVar]) -> f64 {
    bounds.iter().map(|b| b.extent as f64).product()
}

/// Roughly how many operations a scalar takes, once for each value of its free indices.
fn work(g: &Graph, id: Id) -> f64 {
    let (mut seen, mut stack, mut work) = (HashSet::default(), vec![(id, 1.0)], 0.0);
    while let Some((id, times)) = stack.pop() {
        if g.rate(id) < Rate::Lane || !seen.insert(id) {
            continue;
        }
        match g.node(id) {
            // the lowering keeps the exponentials of a logsumexp
            Node::Op(Op::Exp, args) if is_weight(g, args[0]) => work += times,
            Node::Op(op, args) => {
                work += times * cost(*op);
                stack.extend(args.iter().map(|a| (*a, times)));
            }
            Node::Reduce(red, bounds, body) => {
                let each = if *red == Red::LogSumExp { 10.0 } else { 1.0 };
                let rounds = times * count(bounds);
                work += rounds * each;
                stack.push((*body, rounds));
            }
            Node::Get(_, at) => stack.extend(at.iter().map(|a| (*a, times))),
            Node::Dense(..) => work += times * 100.0,
            _ => {}
        }
    }
    work
}

/// `f - logsumexp f`, or as much of it as shows from outside.
fn is_weight(g: &Graph, exponent: Id) -> bool {
    match g.node(exponent) {
        Node::Op(Op::Sub, args) => matches!(g.node(args[1]), Node::Reduce(Red::LogSumExp, ..)) || is_weight(g, args[0]),
        Node::Op(Op::Add, args) => args.iter().any(|a| is_weight(g, *a)),
        _ => false,
    }
}

fn cost(op: Op) -> f64 {
    use Op::*;
    match op {
        Add | Sub | Mul | Neg | Abs | Min | Max | ToReal | Lt | Le | Eq | Ne | And | Or | Not | Select => 1.0,
        StopGrad => 0.0,
        Powi => 2.0,
        Div | Sqrt | Floor | Ceil | Mod | IntDiv | Sign => 4.0,
        _ => 10.0,
    }
}

/// Values as elements of arrays of one form for all shifts.
#[derive(Default)]
struct Forms {
    memo: HashMap<(Id, Vec<IndexVar>), Option<(Id, Vec<Id>)>>,
}

impl Forms {
    /// The array and the indices at which a scalar in a nest of loops is its element. Nothing for what is not worth one.
    fn of(&mut self, g: &mut Graph, id: Id, nest: &[Level]) -> Option<(Id, Vec<Id>)> {
        let used: Vec<IndexVar> = nest.iter().map(|b| b.0).filter(|b| g.has_free(id, b.id)).collect();
        let wanted = matches!(g.node(id), Node::Op(..) | Node::Reduce(..)) && g.ty(id) == Ty::Real;
        if !wanted || g.rate(id) < Rate::Lane || used.is_empty() || used.len() < g.free(id).len() {
            return None;
        }
        let key = (id, used);
        if let Some(known) = self.memo.get(&key) {
            return known.clone();
        }
        let form = if work(g, id) >= 3.0 && !reads_arrays(g, id) { Some(form(g, id, &key.1)) } else { None };
        self.memo.insert(key, form.clone());
        form
    }
}

/// Reads arrays that this pass has made.
fn reads_arrays(g: &Graph, id: Id) -> bool {
    g.reachable(&[id]).iter().any(|id| matches!(g.node(*id), Node::Get(a, _) if matches!(g.node(*a), Node::Map(..))))
}

/// The form with each index shifted such that the array is the oldest of those that shifts give.
fn form(g: &mut Graph, id: Id, used: &[IndexVar]) -> (Id, Vec<Id>) {
    let mut value = id;
    let mut bounds = Vec::new();
    let mut at = Vec::new();
    for i in used {
        let mut best: Option<(Id, IndexVar, Id)> = None;
        for (shift, extent) in shifts(g, value, *i) {
            if let Some(other) = shifted(g, value, *i, shift, extent)
                && best.is_none_or(|b| other.0 < b.0)
            {
                best = Some(other);
            }
        }
        let here = g.index(*i);
        let best = best.unwrap_or((value, *i, here));
        value = best.0;
        bounds.push(best.1);
        at.push(best.2);
    }
    (g.map(&bounds, value), at)
}

/// The constants that an index is surely read at, with the extents of the axes: `i + c` or `(i + c) mod n`. The value is
/// asked for only where those reads are inside. Reads in the branches of a choice do not show that.
fn shifts(g: &Graph, id: Id, i: IndexVar) -> Vec<(i64, usize)> {
    let mut found = Vec::new();
    let (mut seen, mut stack) = (HashSet::default(), vec![id]);
    while let Some(node) = stack.pop() {
        if !seen.insert(node) {
            continue;
        }
        match g.node(node) {
            Node::Op(Op::Select | Op::And | Op::Or, args) => stack.push(args[0]),
            _ => stack.extend(g.parts(node)),
        }
        let Node::Get(array, at) = g.node(node) else { continue };
        for (e, n) in at.iter().zip(g.shape(*array)) {
            let inner = match g.node(*e) {
                // over another number of rounds, what is read inside tells nothing of the index
                Node::Op(Op::Mod, args) if *g.node(args[1]) == Node::Int(*n as i64) && i.extent == *n => args[0],
                _ => *e,
            };
            let a = Affine::of(g, inner);
            if let [(atom, 1)] = a.terms[..]
                && matches!(g.node(atom), Node::Index(j) if j.id == i.id)
                && !found.contains(&(a.constant, *n))
            {
                found.push((a.constant, *n));
            }
        }
    }
    found.truncate(MOST_SHIFTS);
    found
}

/// The value with `k - c` for `i`, `k < extent`, and the `k` of the value itself. Nothing if it then reads outside.
fn shifted(g: &mut Graph, id: Id, i: IndexVar, c: i64, extent: usize) -> Option<(Id, IndexVar, Id)> {
    let k = IndexVar { id: i.id, extent };
    let wraps = wraps(g, id, i, extent);
    let (shift, n) = (g.int(c), g.int(extent as i64));
    let (old, new) = (g.index(i), g.index(k));
    let mut back = simplify::op(g, Op::Sub, &[new, shift]);
    let mut at = simplify::op(g, Op::Add, &[old, shift]);
    if wraps {
        back = simplify::op(g, Op::Mod, &[back, n]);
        at = simplify::op(g, Op::Mod, &[at, n]);
    }
    let value = substitute(g, &[id], &[(i.id, back)], &[])[0];
    reads_inside(g, value).then_some((value, k, at))
}

/// Whether some read of the index goes round an axis of its own extent.
fn wraps(g: &Graph, id: Id, i: IndexVar, extent: usize) -> bool {
    i.extent == extent
        && g.reachable(&[id]).iter().any(|id| match g.node(*id) {
            Node::Op(Op::Mod, args) => g.has_free(args[0], i.id) && *g.node(args[1]) == Node::Int(extent as i64),
            _ => false,
        })
}

/// Counts how often the elements of each possible array are worked out.
struct Search<'f> {
    forms: &'f mut Forms,
    evaluations: Vec<(Id, f64)>,
    /// where each array is in `evaluations`
    places: HashMap<Id, usize>,
    /// values met, by the loops that their code is in
    seen: HashSet<(Id, Vec<Id>)>,
}

impl Search<'_> {
    fn visit(&mut self, g: &mut Graph, id: Id, nest: &[Level]) {
        if g.rate(id) < Rate::Lane {
            return;
        }
        let nest = place(g, id, nest).to_vec();
        if !self.seen.insert((id, nest.iter().map(|b| b.1).collect())) {
            return;
        }
        if let Some((array, _)) = self.forms.of(g, id, &nest) {
            let times = nest.iter().map(|b| b.0.extent as f64).product::<f64>();
            let k = *self.places.entry(array).or_insert(self.evaluations.len());
            if k == self.evaluations.len() {
                self.evaluations.push((array, 0.0));
            }
            self.evaluations[k].1 += times;
        }
        let (nest, parts) = inside(g, id, &nest);
        for part in parts {
            self.visit(g, part, &nest);
        }
    }
}

/// The parts of a node, opened, and the loops around them.
fn inside(g: &mut Graph, id: Id, nest: &[Level]) -> (Vec<Level>, Vec<Id>) {
    let (Node::Map(bounds, _) | Node::Reduce(_, bounds, _) | Node::Scatter { bounds, .. }) = g.node(id).clone() else {
        return (nest.to_vec(), g.parts(id));
    };
    let parts = g.parts(id);
    let (opened, parts) = open(g, &bounds, &parts, &nest.iter().map(|b| b.0.id).collect());
    let nest = nest.iter().copied().chain(opened.into_iter().map(|b| (b, id))).collect();
    (nest, parts)
}

/// Puts reads of one array for its elements.
struct Replace<'f> {
    array: Id,
    forms: &'f mut Forms,
    memo: HashMap<(Id, Vec<Id>), Id>,
}

impl Replace<'_> {
    fn apply(&mut self, g: &mut Graph, id: Id, nest: &[Level]) -> Id {
        if g.rate(id) < Rate::Lane || id == self.array {
            return id;
        }
        let nest = place(g, id, nest).to_vec();
        let key = (id, nest.iter().map(|b| b.1).collect::<Vec<_>>());
        if let Some(done) = self.memo.get(&key) {
            return *done;
        }
        let new = match self.forms.of(g, id, &nest) {
            Some((array, at)) if array == self.array => g.get(array, &at),
            _ => self.rebuild(g, id, &nest),
        };
        self.memo.insert(key, new);
        new
    }

    fn rebuild(&mut self, g: &mut Graph, id: Id, nest: &[Level]) -> Id {
        let (inner, parts) = inside(g, id, nest);
        let bounds: Vec<IndexVar> = inner[nest.len()..].iter().map(|b| b.0).collect();
        let mut parts: Vec<Id> = parts.into_iter().map(|p| self.apply(g, p, &inner)).collect();
        match g.node(id).clone() {
            Node::Op(op, _) => g.op(op, &parts),
            Node::Dense(op, _) => g.dense(op, &parts),
            Node::Lit(shape, _) => g.lit(shape, parts),
            Node::Get(..) => g.get(parts[0], &parts[1..]),
            Node::Map(..) => g.map(&bounds, parts[0]),
            Node::Reduce(red, ..) => g.reduce(red, &bounds, parts[0]),
            Node::Scatter { shape, .. } => {
                let body = parts.pop().expect("the body is the last part");
                g.scatter(shape, &bounds, &parts, body)
            }
            _ => id,
        }
    }
}
