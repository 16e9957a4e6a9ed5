//! Reductions: what does not depend on the loop comes out, what a condition determines needs no loop.
//!
//! Sums are re-ordered and split freely (see the module's head); a split is made only for the addends that then need no
//! loop, or a smaller one.

use super::super::graph::{Graph, Id, IndexVar, Node};
use super::super::ops::{Op, Red, Ty};
use super::super::total::Total;
use super::delta::Guarded;
use super::function::times_count;
use super::number::{is_zero, known, known_bool, zero_like};
use super::product::{Product, mul, scale};
use super::rebuild::open;
use super::sum::{Sum, add};
use super::{power, select, substitute};

/// A reduction of `body` over opened `bounds`; of no bounds, the body.
pub fn reduce(g: &mut Graph, red: Red, bounds: &[IndexVar], body: Id) -> Id {
    if bounds.is_empty() {
        return body;
    }
    if bounds.iter().any(|b| b.extent == 0) {
        return empty(g, red, bounds, body);
    }
    let (bounds, body) = single(g, red, bounds, body);
    if bounds.is_empty() {
        return body;
    }
    match red {
        Red::Sum => sum(g, &bounds, body),
        Red::Prod => product(g, &bounds, body),
        Red::Any | Red::All => truth(g, red, &bounds, body),
        Red::Max | Red::Min => extreme(g, red, &bounds, body),
        Red::LogSumExp => log_sum_exp(g, &bounds, body),
        Red::Argmax | Red::Argmin if !depends(g, body, &bounds) => g.int(0),
        Red::Argmax | Red::Argmin => g.reduce(red, &bounds, body),
    }
}

fn depends(g: &Graph, id: Id, bounds: &[IndexVar]) -> bool {
    bounds.iter().any(|b| g.has_free(id, b.id))
}

fn count(bounds: &[IndexVar]) -> usize {
    bounds.iter().map(|b| b.extent).product()
}

/// The reduction of nothing, where it has a value.
fn empty(g: &mut Graph, red: Red, bounds: &[IndexVar], body: Id) -> Id {
    match red {
        Red::Sum => zero_like(g, body),
        Red::Prod if g.ty(body) == Ty::Int => g.int(1),
        Red::Prod => g.real(1.0),
        Red::Any => g.boolean(false),
        Red::All => g.boolean(true),
        _ => g.reduce(red, bounds, body),
    }
}

/// Bounds of one round are not loops. `argmax` keeps its one bound, for the place that it gives.
fn single(g: &mut Graph, red: Red, bounds: &[IndexVar], body: Id) -> (Vec<IndexVar>, Id) {
    if matches!(red, Red::Argmax | Red::Argmin) || bounds.iter().all(|b| b.extent > 1) {
        return (bounds.to_vec(), body);
    }
    let zero = g.int(0);
    let (one, loops): (Vec<IndexVar>, Vec<IndexVar>) = bounds.iter().partition(|b| b.extent == 1);
    let pairs: Vec<(u32, Id)> = one.iter().map(|b| (b.id, zero)).collect();
    (loops, substitute(g, &[body], &pairs, &[])[0])
}

fn sum(g: &mut Graph, bounds: &[IndexVar], body: Id) -> Id {
    if is_zero(g, body) {
        return body;
    }
    if g.ty(body) != Ty::Real {
        return integer_sum(g, bounds, body);
    }
    let mut total = g.real(0.0);
    let mut rest = Sum { terms: Vec::new() };
    for (c, base) in Sum::of(g, body).terms {
        let mut parts = vec![(c, base)];
        if let Some((single, others)) = distributed(g, bounds, base) {
            parts = vec![(c, single), (c, others)];
        }
        for (c, base) in parts {
            match collapsed(g, bounds, base) {
                Some(value) => {
                    let value = scale(g, c, value);
                    total = add(g, total, value);
                }
                None => rest.terms.push((c, base)),
            }
        }
    }
    let looped = factored(g, bounds, rest);
    add(g, total, looped)
}

fn integer_sum(g: &mut Graph, bounds: &[IndexVar], body: Id) -> Id {
    if depends(g, body, bounds) {
        return g.reduce(Red::Sum, bounds, body);
    }
    let n = g.int(count(bounds) as i64);
    super::op(g, Op::Mul, &[n, body])
}

/// The sum of one term, if it needs no loop or a smaller one.
fn collapsed(g: &mut Graph, bounds: &[IndexVar], term: Id) -> Option<Id> {
    if is_zero(g, term) {
        return Some(term);
    }
    let (used, unused): (Vec<_>, Vec<_>) = bounds.iter().partition(|b| g.has_free(term, b.id));
    if !unused.is_empty() {
        let inner = reduce(g, Red::Sum, &used, term);
        return Some(times_count(g, count(&unused), inner));
    }
    if let Some((c, a, b)) = select::parts(g, term) {
        if !depends(g, c, bounds) {
            let branches = [a, b].map(|x| reduce(g, Red::Sum, bounds, x));
            return Some(select::select(g, c, branches[0], branches[1]));
        }
        if is_zero(g, b) {
            return determined(g, bounds, c, a);
        }
    }
    if let Some(total) = total_weight(g, bounds, term) {
        return Some(total);
    }
    exchanged(g, bounds, term)
}

/// The sum of weights `exp(f(k) - logsumexp(k) f(k))` is one; with a constant in the exponent, its exponential.
fn total_weight(g: &mut Graph, bounds: &[IndexVar], term: Id) -> Option<Id> {
    let Node::Op(Op::Exp, args) = g.node(term).clone() else { return None };
    let logs = |g: &mut Graph, id: Id| {
        let terms = Sum::of(g, id).terms;
        terms.iter().filter(|t| matches!(g.node(t.1), Node::Reduce(Red::LogSumExp, ..))).count()
    };
    let before = logs(g, args[0]);
    if before == 0 {
        return None;
    }
    let log = reduce(g, Red::LogSumExp, bounds, args[0]);
    (logs(g, log) < before).then(|| super::op(g, Op::Exp, &[log]))
}

/// The sum of `a` where `c` holds: bounds that `c` determines go, and conditions on none of the bounds come out.
fn determined(g: &mut Graph, bounds: &[IndexVar], c: Id, a: Id) -> Option<Id> {
    let conditions = select::conjuncts(g, c);
    let before = conditions.len();
    let solved = Guarded { bounds: bounds.to_vec(), conditions, body: a }.solve(g);
    let (inner, outer): (Vec<Id>, Vec<Id>) = solved.conditions.iter().partition(|c| depends(g, **c, &solved.bounds));
    if solved.bounds.len() == bounds.len() && inner.len() == before {
        return None;
    }
    let inner = select::all_of(g, &inner);
    let body = select::or_zero(g, inner, solved.body);
    let sum = reduce(g, Red::Sum, &solved.bounds, body);
    let outer = select::all_of(g, &outer);
    Some(select::or_zero(g, outer, sum))
}

/// A sum inside the term, `f(i) * sum(j) [i == e(j)]*h(j)`, whose condition determines a bound of this loop: the sums
/// change places.
fn exchanged(g: &mut Graph, bounds: &[IndexVar], term: Id) -> Option<Id> {
    let p = Product::of(g, term);
    let (k, inner_bounds, inner_body) =
        p.factors.iter().enumerate().find_map(|(k, (base, n))| match g.node(*base) {
            Node::Reduce(Red::Sum, b, body) if *n == 1 => {
                let (c, _, other) = select::parts(g, *body)?;
                (is_zero(g, other) && depends(g, c, bounds)).then(|| (k, b.clone(), *body))
            }
            _ => None,
        })?;
    let mut others = p.clone();
    others.factors.remove(k);
    let avoid = g.free(term).iter().copied().collect();
    let (inner, parts) = open(g, &inner_bounds, &[inner_body], &avoid);
    let others = others.finish(g);
    let body = mul(g, others, parts[0]);
    let (c, a, _) = select::parts(g, body).filter(|p| is_zero(g, p.2))?;
    let solved = Guarded { bounds: bounds.to_vec(), conditions: select::conjuncts(g, c), body: a }.solve(g);
    if solved.bounds.len() == bounds.len() {
        return None;
    }
    let condition = select::all_of(g, &solved.conditions);
    let body = select::or_zero(g, condition, solved.body);
    let all: Vec<IndexVar> = solved.bounds.iter().chain(&inner).copied().collect();
    Some(reduce(g, Red::Sum, &all, body))
}

/// A product with a sum for a factor, `(a + b)*c`, as `a*c` and `b*c`, where the sum over `a*c` collapses by a
/// condition and that over `b*c` does not.
fn distributed(g: &mut Graph, bounds: &[IndexVar], term: Id) -> Option<(Id, Id)> {
    let p = Product::of(g, term);
    let is_sum = |g: &Graph, f: &(Id, i64)| f.1 == 1 && matches!(g.node(f.0), Node::Op(Op::Add | Op::Sub, _));
    let k = p.factors.iter().position(|f| is_sum(g, f) && depends(g, f.0, bounds))?;
    let addends = Sum::of(g, p.factors[k].0);
    let (single, others): (Vec<_>, Vec<_>) = addends.terms.iter().partition(|t| selects_bound(g, t.1, bounds));
    if single.is_empty() {
        return None;
    }
    let mut rest = p.clone();
    rest.factors.remove(k);
    let rest = rest.finish(g);
    let [single, others] = [single, others].map(|terms| {
        let sum = Sum { terms }.finish(g);
        mul(g, rest, sum)
    });
    Some((single, others))
}

/// A select with a zero branch and a condition that some bound equals something.
fn selects_bound(g: &mut Graph, id: Id, bounds: &[IndexVar]) -> bool {
    let Some((c, _, b)) = select::parts(g, id) else { return false };
    let conditions = select::conjuncts(g, c);
    is_zero(g, b) && Guarded { bounds: bounds.to_vec(), conditions, body: c }.solve(g).bounds.len() < bounds.len()
}

/// The sum of what does need the loop, with the factors that do not depend on it in front.
fn factored(g: &mut Graph, bounds: &[IndexVar], rest: Sum) -> Id {
    let [(c, base)] = rest.terms[..] else {
        let body = rest.finish(g);
        if is_zero(g, body) {
            return body;
        }
        // signs and constants that the terms have in common
        let p = Product::of(g, body);
        if p.coefficient != 1.0 {
            let body = Product { coefficient: 1.0, ..p.clone() }.finish(g);
            let loops = g.reduce(Red::Sum, bounds, body);
            return scale(g, p.coefficient, loops);
        }
        return g.reduce(Red::Sum, bounds, body);
    };
    // [c]*a: factors of a
    let (condition, inside) = match select::parts(g, base) {
        Some((condition, a, b)) if is_zero(g, b) => (Some(condition), a),
        _ => (None, base),
    };
    let p = Product::of(g, inside);
    let (mut inner, mut outer) = (Product::one(), Product { coefficient: c * p.coefficient, factors: Vec::new() });
    for (base, n) in p.factors {
        let side = if depends(g, base, bounds) { &mut inner } else { &mut outer };
        side.times(base, n);
    }
    if inner.factors.is_empty() || (condition.is_some() && !holds(g, &outer)) {
        let loops = g.reduce(Red::Sum, bounds, base);
        return scale(g, c, loops);
    }
    let (inner, divisor) = pull_divisor(g, inner, bounds);
    let mut body = inner.finish(g);
    if let Some(condition) = condition {
        body = select::or_zero(g, condition, body);
    }
    // without them it may collapse
    let loops = if body != base { sum(g, bounds, body) } else { g.reduce(Red::Sum, bounds, body) };
    let outer = outer.finish(g);
    let whole = mul(g, outer, loops);
    match divisor {
        Some(d) => super::op(g, Op::Div, &[whole, d]),
        None => whole,
    }
}

/// Factors that come out of a condition are worked out where no turn meets it, and multiply a zero there: their reads
/// must be inside their arrays, and they must be finite.
fn holds(g: &Graph, p: &Product) -> bool {
    let mut total = Total::default();
    p.factors.iter().all(|(base, n)| *n >= 0 && total.holds(g, *base))
}

/// `f(j)/d` with `d` outside the loop.
fn pull_divisor(g: &mut Graph, p: Product, bounds: &[IndexVar]) -> (Product, Option<Id>) {
    for (k, (base, n)) in p.factors.iter().enumerate() {
        let Node::Op(Op::Div, args) = g.node(*base).clone() else { continue };
        if *n == 1 && !depends(g, args[1], bounds) {
            let mut inner = p.clone();
            inner.factors.remove(k);
            let rest = inner.finish(g);
            let body = mul(g, rest, args[0]);
            return (Product::of(g, body), Some(args[1]));
        }
    }
    (p, None)
}

fn product(g: &mut Graph, bounds: &[IndexVar], body: Id) -> Id {
    if g.ty(body) != Ty::Real || depends(g, body, bounds) {
        return g.reduce(Red::Prod, bounds, body);
    }
    power::powi(g, body, count(bounds) as i64)
}

fn truth(g: &mut Graph, red: Red, bounds: &[IndexVar], body: Id) -> Id {
    if known_bool(g, body).is_some() || !depends(g, body, bounds) {
        return body;
    }
    g.reduce(red, bounds, body)
}

fn extreme(g: &mut Graph, red: Red, bounds: &[IndexVar], body: Id) -> Id {
    let used: Vec<IndexVar> = bounds.iter().copied().filter(|b| g.has_free(body, b.id)).collect();
    if used.is_empty() { body } else { g.reduce(red, &used, body) }
}

/// Addends that do not depend on the loop come out; for those that are infinite, the value is theirs either way.
fn log_sum_exp(g: &mut Graph, bounds: &[IndexVar], body: Id) -> Id {
    let (inner, outer): (Vec<_>, Vec<_>) = Sum::of(g, body).terms.into_iter().partition(|t| depends(g, t.1, bounds));
    if inner.is_empty() {
        let log = log_of(g, count(bounds));
        return add(g, body, log);
    }
    if known(g, body).is_some() || outer.is_empty() {
        return g.reduce(Red::LogSumExp, bounds, body);
    }
    let inner = Sum { terms: inner }.finish(g);
    let loops = g.reduce(Red::LogSumExp, bounds, inner);
    let outer = Sum { terms: outer }.finish(g);
    add(g, outer, loops)
}

fn log_of(g: &mut Graph, n: usize) -> Id {
    let n = g.real(n as f64);
    super::function::unary(g, Op::Log, n)
}
