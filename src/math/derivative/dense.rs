//! Dense algebra under differentiation (Giles, Collected matrix derivative results, 2008).

use crate::math::graph::{Graph, Id};
use crate::math::ops::{Dense, Op, Red};
use crate::math::simplify;

use super::{Differentiable, NotDifferentiable};

/// An array over `shape` from its indices.
pub fn tabulate(g: &mut Graph, shape: &[usize], f: impl FnOnce(&mut Graph, &[Id]) -> Id) -> Id {
    let bounds: Vec<_> = shape.iter().map(|n| g.fresh_index(*n)).collect();
    let at: Vec<Id> = bounds.iter().map(|b| g.index(*b)).collect();
    let body = f(g, &at);
    simplify::map(g, &bounds, body)
}

pub fn elementwise(g: &mut Graph, o: Op, a: Id, b: Id) -> Id {
    let shape = g.shape(a).to_vec();
    tabulate(g, &shape, |g, at| {
        let (x, y) = (simplify::get(g, a, at), simplify::get(g, b, at));
        simplify::op(g, o, &[x, y])
    })
}

pub fn negated(g: &mut Graph, a: Id) -> Id {
    let shape = g.shape(a).to_vec();
    tabulate(g, &shape, |g, at| {
        let x = simplify::get(g, a, at);
        simplify::op(g, Op::Neg, &[x])
    })
}

pub fn transposed(g: &mut Graph, a: Id) -> Id {
    let s = g.shape(a).to_vec();
    tabulate(g, &[s[1], s[0]], |g, at| simplify::get(g, a, &[at[1], at[0]]))
}

/// `a @ b` for matrices, or a matrix and a vector.
pub fn product(g: &mut Graph, a: Id, b: Id) -> Id {
    let (sa, sb) = (g.shape(a).to_vec(), g.shape(b).to_vec());
    let shape: Vec<usize> = sa[..1].iter().chain(&sb[1..]).copied().collect();
    let k = g.fresh_index(sa[1]);
    let ki = g.index(k);
    tabulate(g, &shape, |g, at| {
        let x = simplify::get(g, a, &[at[0], ki]);
        let right: Vec<Id> = std::iter::once(ki).chain(at[1..].iter().copied()).collect();
        let y = simplify::get(g, b, &right);
        let p = simplify::op(g, Op::Mul, &[x, y]);
        simplify::reduce(g, Red::Sum, &[k], p)
    })
}

fn outer_or_product_t(g: &mut Graph, a: Id, b: Id) -> Id {
    // a b^T for vectors or for matrices of columns
    if g.shape(a).len() == 1 {
        let (n, m) = (g.shape(a)[0], g.shape(b)[0]);
        return tabulate(g, &[n, m], |g, at| {
            let (x, y) = (simplify::get(g, a, &at[..1]), simplify::get(g, b, &at[1..]));
            simplify::op(g, Op::Mul, &[x, y])
        });
    }
    let t = transposed(g, b);
    product(g, a, t)
}

/// Sum over all elements of the product of two arrays.
fn inner(g: &mut Graph, a: Id, b: Id) -> Id {
    let bounds: Vec<_> = g.shape(a).to_vec().into_iter().map(|n| g.fresh_index(n)).collect();
    let at: Vec<Id> = bounds.iter().map(|b| g.index(*b)).collect();
    let (x, y) = (simplify::get(g, a, &at), simplify::get(g, b, &at));
    let p = simplify::op(g, Op::Mul, &[x, y]);
    simplify::reduce(g, Red::Sum, &bounds, p)
}

/// Lower triangle with half the diagonal.
fn phi(g: &mut Graph, a: Id) -> Id {
    let n = g.shape(a)[0];
    tabulate(g, &[n, n], |g, at| {
        let x = simplify::get(g, a, at);
        let (zero, half) = (g.real(0.0), g.real(0.5));
        let halved = simplify::op(g, Op::Mul, &[half, x]);
        let (below, on) = (simplify::op(g, Op::Lt, &[at[1], at[0]]), simplify::op(g, Op::Eq, &[at[0], at[1]]));
        let rest = simplify::op(g, Op::Select, &[on, halved, zero]);
        simplify::op(g, Op::Select, &[below, x, rest])
    })
}

fn refuse<T>(node: Id, op: Dense) -> Differentiable<T> {
    Err(NotDifferentiable { node, reason: format!("the derivative of `{}` is not available", op.name()) })
}

/// Adjoints of the arguments from that of the result (a scalar for `det` and `logdet`).
pub fn adjoints(g: &mut Graph, node: Id, op: Dense, args: &[Id], bar: Id) -> Differentiable<Vec<Id>> {
    match op {
        Dense::Inverse => {
            let t = transposed(g, node);
            let left = product(g, t, bar);
            let both = product(g, left, t);
            Ok(vec![negated(g, both)])
        }
        Dense::Solve => {
            let t = transposed(g, args[0]);
            let b = simplify::dense(g, Dense::Solve, &[t, bar]);
            let outer = outer_or_product_t(g, b, node);
            Ok(vec![negated(g, outer), b])
        }
        Dense::LogDet | Dense::Det => {
            let inverse = simplify::dense(g, Dense::Inverse, &[args[0]]);
            let t = transposed(g, inverse);
            let scale = if op == Dense::Det { simplify::op(g, Op::Mul, &[bar, node]) } else { bar };
            let shape = g.shape(t).to_vec();
            Ok(vec![tabulate(g, &shape, |g, at| {
                let x = simplify::get(g, t, at);
                simplify::op(g, Op::Mul, &[scale, x])
            })])
        }
        Dense::Cholesky => {
            let (l, lt) = (node, transposed(g, node));
            let p = product(g, lt, bar);
            let p = phi(g, p);
            let inverse = simplify::dense(g, Dense::Inverse, &[l]);
            let it = transposed(g, inverse);
            let left = product(g, it, p);
            let s = product(g, left, inverse);
            // The argument is symmetric: the adjoint is made so.
            let st = transposed(g, s);
            let sum = elementwise(g, Op::Add, s, st);
            let shape = g.shape(sum).to_vec();
            Ok(vec![tabulate(g, &shape, |g, at| {
                let (x, half) = (simplify::get(g, sum, at), g.real(0.5));
                simplify::op(g, Op::Mul, &[half, x])
            })])
        }
        Dense::Expm | Dense::Sort => refuse(node, op),
    }
}

/// The tangent of the result from those of the arguments.
pub fn tangent(g: &mut Graph, node: Id, op: Dense, args: &[Id], dots: &[Option<Id>]) -> Differentiable<Option<Id>> {
    let dot = |k: usize| dots.get(k).copied().flatten();
    Ok(match op {
        Dense::Inverse => match dot(0) {
            Some(d) => {
                let left = product(g, node, d);
                let both = product(g, left, node);
                Some(negated(g, both))
            }
            None => None,
        },
        Dense::Solve => {
            let mut rhs = dot(1);
            if let Some(d) = dot(0) {
                let p = product(g, d, node);
                rhs = Some(match rhs {
                    Some(b) => elementwise(g, Op::Sub, b, p),
                    None => negated(g, p),
                });
            }
            rhs.map(|r| simplify::dense(g, Dense::Solve, &[args[0], r]))
        }
        Dense::LogDet | Dense::Det => match dot(0) {
            Some(d) => {
                let inverse = simplify::dense(g, Dense::Inverse, &[args[0]]);
                let t = transposed(g, inverse);
                let trace = inner(g, t, d);
                Some(if op == Dense::Det { simplify::op(g, Op::Mul, &[node, trace]) } else { trace })
            }
            None => None,
        },
        Dense::Cholesky => match dot(0) {
            Some(d) => {
                let inverse = simplify::dense(g, Dense::Inverse, &[node]);
                let it = transposed(g, inverse);
                let left = product(g, inverse, d);
                let both = product(g, left, it);
                let p = phi(g, both);
                Some(product(g, node, p))
            }
            None => None,
        },
        Dense::Expm | Dense::Sort => match dot(0) {
            Some(_) => return refuse(node, op),
            None => None,
        },
    })
}
