//! Softmax weights, `exp(f(k) - logsumexp(k) f(k))`, as arrays: the exponentials are worked out once, in one batch, and
//! sums over them divided once.
//!
//! A weight does not change when all exponents move by the same amount. So the addends that they have in common are left
//! out, those inside squares included: of `-(x - m(k))^2/2` it leaves `m(k)*x - m(k)^2/2`, one multiplication where the
//! square takes three operations. The exponents then have an error of some units of the last place of `m(k)*x`, which is
//! small beside 1 unless the modes are very far apart in units of their widths.
//!
//! This is no rule of the simplifier, as it would be seen in formulas.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::super::graph::{Graph, Id, IndexVar, Node, Rate, VarId, VarKind};
use super::super::named::Names;
use super::super::ops::{Op, Red, Ty};
use super::number::is_zero;
use super::product::{Product, mul};
use super::sum::{Sum, add, sub};
use super::{op, open, reduce};

/// Graphs with more values than this are left as they stand.
const MOST_VALUES: usize = 5_000;

/// Softmax weights by names: the roots, and the names with those of the weights among them.
pub fn weights(g: &mut Graph, roots: &[Id], names: &Names) -> (Vec<Id>, Names) {
    let all: Vec<Id> = names.iter().map(|n| n.1).chain(roots.iter().copied()).collect();
    let order = g.reachable(&all);
    let mut pass = Weights { whole: wanted_whole(g, &all, &order), ..Weights::default() };
    for id in &order {
        let holds =
            is_weight(g, *id) || pass.whole.contains(id) || g.parts(*id).iter().any(|p| pass.holders.contains(p));
        if holds {
            pass.holders.insert(*id);
        }
    }
    if pass.holders.is_empty() || order.len() > MOST_VALUES {
        return (roots.to_vec(), names.clone());
    }
    for (var, value) in names {
        let value = pass.apply(g, *value);
        pass.names.push((*var, value));
    }
    let roots = roots.iter().map(|r| pass.apply(g, *r)).collect();
    (roots, pass.names)
}

fn is_weight(g: &mut Graph, id: Id) -> bool {
    weight_of(g, id).is_some()
}

/// For `exp(f(at) - logsumexp(k) f(k))` with a logsumexp that is the same in all loops: it, and the indices.
fn weight_of(g: &mut Graph, id: Id) -> Option<(Id, Vec<Id>)> {
    let Node::Op(Op::Exp, args) = g.node(id).clone() else { return None };
    let mut sum = Sum::of(g, args[0]);
    let is_log = |g: &Graph, id: Id| matches!(g.node(id), Node::Reduce(Red::LogSumExp, ..)) && g.free(id).is_empty();
    let k = sum.terms.iter().position(|(c, base)| *c == -1.0 && is_log(g, *base))?;
    let whole = sum.terms.remove(k).1;
    let own = sum.finish(g);
    Some((whole, instance_of(g, whole, own)?))
}

/// The logsumexps of weights that something else needs too.
fn wanted_whole(g: &mut Graph, roots: &[Id], order: &[Id]) -> HashSet<Id> {
    let mut differences = HashSet::default();
    let mut wholes = HashSet::default();
    for id in order {
        let Some((whole, _)) = weight_of(g, *id) else { continue };
        differences.insert(g.parts(*id)[0]);
        wholes.insert(whole);
    }
    let inside: HashSet<Id> = differences.iter().flat_map(|d| under_sums(g, *d)).collect();
    let others = order.iter().filter(|id| !inside.contains(id)).flat_map(|id| g.parts(*id));
    others.chain(roots.iter().copied()).filter(|id| wholes.contains(id)).collect()
}

/// The sums of sums that a scalar is made of.
fn under_sums(g: &Graph, id: Id) -> Vec<Id> {
    let (mut found, mut next) = (vec![id], 0);
    while next < found.len() {
        if let Node::Op(Op::Add | Op::Sub | Op::Neg, args) = g.node(found[next]) {
            let sums = args.iter().filter(|a| matches!(g.node(**a), Node::Op(Op::Add | Op::Sub | Op::Neg, _)));
            found.extend(sums.copied().filter(|a| !found.contains(a)).collect::<Vec<_>>());
        }
        next += 1;
    }
    found
}

/// One softmax: the names of the exponentials and of one over their sum, and the logsumexp of its exponents.
#[derive(Copy, Clone, Debug)]
struct Softmax {
    exponentials: VarId,
    reciprocal: VarId,
    log: Id,
}

#[derive(Default)]
struct Weights {
    /// nodes with a weight below them; opened ones are looked at again
    holders: HashSet<Id>,
    /// logsumexps that something else than weights needs: there the exponents stay as they are
    whole: HashSet<Id>,
    known: HashMap<Id, Softmax>,
    names: Names,
    memo: HashMap<Id, Id>,
}

impl Weights {
    fn apply(&mut self, g: &mut Graph, id: Id) -> Id {
        if g.rate(id) < Rate::Lane || (g.free(id).is_empty() && !self.holders.contains(&id)) {
            return id;
        }
        if let Some(done) = self.memo.get(&id) {
            return *done;
        }
        let new = self.rebuild(g, id);
        self.memo.insert(id, new);
        new
    }

    fn each(&mut self, g: &mut Graph, ids: &[Id]) -> Vec<Id> {
        ids.iter().map(|i| self.apply(g, *i)).collect()
    }

    fn rebuild(&mut self, g: &mut Graph, id: Id) -> Id {
        match g.node(id).clone() {
            Node::Op(Op::Exp, _) if is_weight(g, id) => {
                let (whole, at) = weight_of(g, id).expect("a weight");
                let softmax = self.softmax(g, whole);
                let [e, reciprocal] = [softmax.exponentials, softmax.reciprocal].map(|v| g.var(v));
                let e = super::get(g, e, &at);
                mul(g, e, reciprocal)
            }
            Node::Reduce(Red::LogSumExp, ..) if self.whole.contains(&id) => self.softmax(g, id).log,
            Node::Op(o, args) => {
                let args = self.each(g, &args);
                op(g, o, &args)
            }
            Node::Lit(shape, elements) => {
                let elements = self.each(g, &elements);
                super::lit(g, shape, elements)
            }
            Node::Get(array, at) => {
                let array = self.apply(g, array);
                let at = self.each(g, &at);
                super::get(g, array, &at)
            }
            Node::Map(bounds, body) => {
                let (bounds, parts) = open(g, &bounds, &[body], &HashSet::default());
                let body = self.apply(g, parts[0]);
                super::map(g, &bounds, body)
            }
            Node::Reduce(red, bounds, body) => {
                let (bounds, parts) = open(g, &bounds, &[body], &HashSet::default());
                let body = self.apply(g, parts[0]);
                match red {
                    Red::Sum => self.mean(g, &bounds, body),
                    _ => reduce(g, red, &bounds, body),
                }
            }
            Node::Dense(what, args) => {
                let args = self.each(g, &args);
                super::dense(g, what, &args)
            }
            _ => id,
        }
    }

    /// The sum of `body`; of weights times `a + b(k)` with all of them, `a` plus the sum of weights times `b(k)`.
    fn mean(&mut self, g: &mut Graph, bounds: &[IndexVar], body: Id) -> Id {
        let whole = |g: &mut Graph| reduce(g, Red::Sum, bounds, body);
        let p = Product::of(g, body);
        let Some((softmax, weight)) = p.factors.iter().find_map(|f| Some((self.weight(g, bounds, f)?, f.0))) else {
            return whole(g);
        };
        let reciprocal = g.var(softmax.reciprocal);
        let is_sum = |g: &Graph, f: &(Id, i64)| f.1 == 1 && matches!(g.node(f.0), Node::Op(Op::Add | Op::Sub, _));
        let addends = p.factors.iter().find(|f| is_sum(g, f) && depends(g, f.0, bounds)).map(|f| f.0);
        let (Some(addends), true) = (addends, p.factors.contains(&(reciprocal, 1))) else { return whole(g) };
        let (own, common): (Vec<_>, Vec<_>) =
            Sum::of(g, addends).terms.into_iter().partition(|t| depends(g, t.1, bounds));
        let mut rest = p;
        rest.factors.retain(|f| ![addends, weight, reciprocal].contains(&f.0));
        if common.is_empty() || rest.factors.iter().any(|f| depends(g, f.0, bounds)) {
            return whole(g);
        }
        let rest = rest.finish(g);
        let [own, common] = [own, common].map(|terms| Sum { terms }.finish(g));
        let weighted = mul(g, weight, own);
        let weighted = reduce(g, Red::Sum, bounds, weighted);
        let weighted = mul(g, weighted, reciprocal);
        let mean = add(g, common, weighted);
        mul(g, rest, mean)
    }

    /// The softmax that a factor is the exponential of, at exactly the bounds.
    fn weight(&self, g: &Graph, bounds: &[IndexVar], factor: &(Id, i64)) -> Option<Softmax> {
        let Node::Get(array, at) = g.node(factor.0) else { return None };
        let Node::Var(var) = g.node(*array) else { return None };
        let softmax = self.known.values().find(|s| s.exponentials == *var)?;
        let same = at.len() == bounds.len() && at.iter().zip(bounds).all(|(e, b)| *g.node(*e) == Node::Index(*b));
        (factor.1 == 1 && same).then_some(*softmax)
    }

    fn softmax(&mut self, g: &mut Graph, whole: Id) -> Softmax {
        if let Some(known) = self.known.get(&whole) {
            return *known;
        }
        let Node::Reduce(_, bounds, body) = g.node(whole).clone() else { unreachable!("a logsumexp") };
        let (bounds, parts) = open(g, &bounds, &[body], &HashSet::default());
        let body = self.apply(g, parts[0]);
        let at: Vec<Id> = bounds.iter().map(|b| g.index(*b)).collect();
        let exponent = if self.whole.contains(&whole) { body } else { own_part(g, &bounds, body) };
        let exponents = super::map(g, &bounds, exponent);
        let exponents = self.name(g, "exponents", exponents);
        let exponents = g.var(exponents);
        let exponent = super::get(g, exponents, &at);
        let greatest = reduce(g, Red::Max, &bounds, exponent);
        // an infinite element is not subtracted: inf - inf is NaN
        let size = op(g, Op::Abs, &[greatest]);
        let (infinity, zero) = (g.real(f64::INFINITY), g.real(0.0));
        let infinite = op(g, Op::Eq, &[size, infinity]);
        let shift = op(g, Op::Select, &[infinite, zero, greatest]);
        let difference = sub(g, exponent, shift);
        let e = op(g, Op::Exp, &[difference]);
        let e = super::map(g, &bounds, e);
        let exponentials = self.name(g, "exponentials", e);
        let array = g.var(exponentials);
        let e = super::get(g, array, &at);
        let sum = reduce(g, Red::Sum, &bounds, e);
        let one = g.real(1.0);
        let reciprocal = op(g, Op::Div, &[one, sum]);
        let reciprocal = self.name(g, "one over their sum", reciprocal);
        let log = op(g, Op::Log, &[sum]);
        let log = add(g, log, shift);
        let softmax = Softmax { exponentials, reciprocal, log };
        self.known.insert(whole, softmax);
        softmax
    }

    fn name(&mut self, g: &mut Graph, name: &str, value: Id) -> VarId {
        let shape = g.shape(value).to_vec();
        let var = g.new_var(name, VarKind::Hole, Ty::Real, shape);
        self.names.push((var, value));
        var
    }
}

fn depends(g: &Graph, id: Id, bounds: &[IndexVar]) -> bool {
    bounds.iter().any(|b| g.has_free(id, b.id))
}

/// What is left of an exponent without the addends that do not depend on the bounds.
fn own_part(g: &mut Graph, bounds: &[IndexVar], exponent: Id) -> Id {
    let mut own = g.real(0.0);
    let mut terms = vec![(1.0, exponent)];
    while let Some((c, base)) = terms.pop() {
        // a number times a sum is a sum too
        if matches!(g.node(base), Node::Op(Op::Add | Op::Sub | Op::Neg | Op::Mul, _)) {
            let inner = Sum::of(g, base).terms;
            if inner.iter().all(|t| t.1 != base) {
                terms.extend(inner.into_iter().map(|(d, x)| (c * d, x)));
                continue;
            }
        }
        if depends(g, base, bounds) {
            let parts = square(g, bounds, base).unwrap_or_else(|| vec![base]);
            for part in parts {
                let part = super::product::scale(g, c, part);
                own = add(g, own, part);
            }
        }
    }
    if is_zero(g, own) { exponent } else { own }
}

/// `p*(q*(a + b(k)))^2`, or the sum of such terms over an axis, without `p*q^2*a^2`: what differs from path to path, and
/// what does not. Only where nothing but `b` depends on `k`, and `b` is the same for all paths.
fn square(g: &mut Graph, bounds: &[IndexVar], term: Id) -> Option<Vec<Id>> {
    if let Node::Reduce(Red::Sum, axes, body) = g.node(term).clone() {
        let avoid = g.free(term).iter().copied().collect();
        let (axes, parts) = open(g, &axes, &[body], &avoid);
        let parts = square(g, bounds, parts[0])?;
        return Some(parts.into_iter().map(|p| reduce(g, Red::Sum, &axes, p)).collect());
    }
    let mut outer = Product::of(g, term);
    let k = outer.factors.iter().position(|f| f.1 == 2 && depends(g, f.0, bounds))?;
    let root = outer.factors.remove(k).0;
    let mut inner = Product::of(g, root);
    let k = inner.factors.iter().position(|f| f.1 == 1 && depends(g, f.0, bounds))?;
    let sum = inner.factors.remove(k).0;
    if outer.factors.iter().chain(&inner.factors).any(|f| depends(g, f.0, bounds)) {
        return None;
    }
    let (own, common): (Vec<_>, Vec<_>) = Sum::of(g, sum).terms.into_iter().partition(|t| depends(g, t.1, bounds));
    if common.is_empty() || own.iter().any(|t| g.rate(t.1) == Rate::Lane) {
        return None;
    }
    let [a, b] = [common, own].map(|terms| Sum { terms }.finish(g));
    outer.coefficient *= inner.coefficient * inner.coefficient;
    inner.factors.iter().for_each(|f| outer.times(f.0, 2 * f.1));
    let scale = outer.finish(g);
    let mut two_b = super::product::scale(g, 2.0, b);
    two_b = mul(g, scale, two_b);
    let square = mul(g, b, b);
    Some(vec![mul(g, two_b, a), mul(g, scale, square)])
}

/// For `x - logsumexp(bounds, body)` where `x` is the body at some indices: `x`, the logsumexp, and the indices.
pub fn softmax_of(g: &Graph, difference: Id) -> Option<(Id, Id, Vec<Id>)> {
    let Node::Op(Op::Sub, args) = g.node(difference) else { return None };
    Some((args[0], args[1], instance_of(g, args[1], args[0])?))
}

/// The indices at which the body of a logsumexp is `x`.
fn instance_of(g: &Graph, whole: Id, x: Id) -> Option<Vec<Id>> {
    let Node::Reduce(Red::LogSumExp, bounds, body) = g.node(whole) else { return None };
    let mut found = vec![None; bounds.len()];
    if !instance(g, *body, x, bounds, &mut found) {
        return None;
    }
    found.into_iter().collect()
}

/// Whether `x` is `body` with some integers for its bound indices, which are collected.
fn instance(g: &Graph, body: Id, x: Id, bounds: &[IndexVar], found: &mut [Option<Id>]) -> bool {
    if let Node::Index(i) = g.node(body)
        && let Some(k) = bounds.iter().position(|b| b == i)
    {
        let same = found[k].is_none_or(|f| f == x);
        found[k] = Some(x);
        return same;
    }
    if bounds.iter().all(|b| !g.has_free(body, b.id)) {
        return body == x;
    }
    let (p, q) = (g.parts(body), g.parts(x));
    same_head(g.node(body), g.node(x))
        && p.len() == q.len()
        && p.iter().zip(&q).all(|(a, b)| instance(g, *a, *b, bounds, found))
}

/// Whether two nodes differ in their parts only.
fn same_head(a: &Node, b: &Node) -> bool {
    match (a, b) {
        (Node::Op(p, _), Node::Op(q, _)) => p == q,
        (Node::Get(..), Node::Get(..)) => true,
        (Node::Lit(s, _), Node::Lit(t, _)) => s == t,
        // bound indices are named by height, which new indices outside do not change
        (Node::Reduce(p, b, _), Node::Reduce(q, c, _)) => p == q && b == c,
        (Node::Map(b, _), Node::Map(c, _)) => b == c,
        _ => false,
    }
}
