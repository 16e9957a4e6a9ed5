//! Dense algebra under differentiation (Giles, Collected matrix derivative results, 2008).

use crate::math::graph::{Graph, Id};
use crate::math::ops::{Dense, Op, Red};
use crate::math::simplify;

/// An array over `shape` from its indices.
pub fn tabulate(g: &mut Graph, shape: &[usize], f: impl FnOnce(&mut Graph, &[Id]) -> Id) -> Id {
    let bounds: Vec<_> = shape.iter().map(|n| g.fresh_index(*n)).collect();
    let at: Vec<Id> = bounds.iter().map(|b| g.index(*b)).collect();
    let body = f(g, &at);
    simplify::map(g, &bounds, body)
}

fn elementwise(g: &mut Graph, o: Op, a: Id, b: Id) -> Id {
    let shape = g.shape(a).to_vec();
    tabulate(g, &shape, |g, at| {
        let (x, y) = (simplify::get(g, a, at), simplify::get(g, b, at));
        simplify::op(g, o, &[x, y])
    })
}

fn negated(g: &mut Graph, a: Id) -> Id {
    let shape = g.shape(a).to_vec();
    tabulate(g, &shape, |g, at| {
        let x = simplify::get(g, a, at);
        simplify::op(g, Op::Neg, &[x])
    })
}

fn transposed(g: &mut Graph, a: Id) -> Id {
    let s = g.shape(a).to_vec();
    tabulate(g, &[s[1], s[0]], |g, at| simplify::get(g, a, &[at[1], at[0]]))
}

/// `(a + a^T)/2`
fn symmetrised(g: &mut Graph, a: Id) -> Id {
    let shape = g.shape(a).to_vec();
    tabulate(g, &shape, |g, at| {
        let (x, y) = (simplify::get(g, a, at), simplify::get(g, a, &[at[1], at[0]]));
        let (sum, half) = (simplify::op(g, Op::Add, &[x, y]), g.real(0.5));
        simplify::op(g, Op::Mul, &[half, sum])
    })
}

/// `a @ b` for matrices, or a matrix and a vector.
fn product(g: &mut Graph, a: Id, b: Id) -> Id {
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

/// `a b^T` for vectors, or for matrices of columns.
fn outer(g: &mut Graph, a: Id, b: Id) -> Id {
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

/// The derivative of the matrix exponential at `a` in the direction `e`: the upper right block of
/// `exp([[a, e], [0, a]])` (Mathias 1996; Higham, Functions of Matrices, 2008, eq. 3.16).
fn expm_along(g: &mut Graph, a: Id, e: Id) -> Id {
    let n = g.shape(a)[0];
    let size = g.int(n as i64);
    let block = tabulate(g, &[2 * n, 2 * n], |g, at| {
        let [top, left] = [at[0], at[1]].map(|i| simplify::op(g, Op::Lt, &[i, size]));
        let [row, column] = [at[0], at[1]].map(|i| simplify::op(g, Op::Sub, &[i, size]));
        let (upper, lower) = (simplify::get(g, a, at), simplify::get(g, a, &[row, column]));
        let (right, zero) = (simplify::get(g, e, &[at[0], column]), g.real(0.0));
        let above = simplify::op(g, Op::Select, &[left, upper, right]);
        let below = simplify::op(g, Op::Select, &[left, zero, lower]);
        simplify::op(g, Op::Select, &[top, above, below])
    });
    let whole = simplify::dense(g, Dense::Expm, &[block]);
    tabulate(g, &[n, n], |g, at| {
        let column = simplify::op(g, Op::Add, &[at[1], size]);
        simplify::get(g, whole, &[at[0], column])
    })
}

/// The place that the element `at` of `v` has in increasing order; of equal elements the first comes first.
fn rank(g: &mut Graph, v: Id, at: Id) -> Id {
    let j = g.fresh_index(g.shape(v)[0]);
    let ji = g.index(j);
    let (x, y) = (simplify::get(g, v, &[at]), simplify::get(g, v, &[ji]));
    let (less, equal) = (simplify::op(g, Op::Lt, &[y, x]), simplify::op(g, Op::Eq, &[y, x]));
    let earlier = simplify::op(g, Op::Lt, &[ji, at]);
    let tie = simplify::op(g, Op::And, &[equal, earlier]);
    let before = simplify::op(g, Op::Or, &[less, tie]);
    let (one, zero) = (g.int(1), g.int(0));
    let count = simplify::op(g, Op::Select, &[before, one, zero]);
    simplify::reduce(g, Red::Sum, &[j], count)
}

/// Adjoints of the arguments from that of the result (a scalar for `det` and `logdet`). The argument of `cholesky` is
/// taken as symmetric: it has the derivative by its symmetric part.
pub fn adjoints(g: &mut Graph, node: Id, op: Dense, args: &[Id], bar: Id) -> Vec<Id> {
    match op {
        Dense::Inverse => {
            let t = transposed(g, node);
            let left = product(g, t, bar);
            let both = product(g, left, t);
            vec![negated(g, both)]
        }
        Dense::Solve => {
            let t = transposed(g, args[0]);
            let b = simplify::dense(g, Dense::Solve, &[t, bar]);
            let outer = outer(g, b, node);
            vec![negated(g, outer), b]
        }
        Dense::LogDet | Dense::Det => {
            let inverse = simplify::dense(g, Dense::Inverse, &[args[0]]);
            let scale = if op == Dense::Det { simplify::op(g, Op::Mul, &[bar, node]) } else { bar };
            let shape = g.shape(inverse).to_vec();
            vec![tabulate(g, &shape, |g, at| {
                let x = simplify::get(g, inverse, &[at[1], at[0]]);
                simplify::op(g, Op::Mul, &[scale, x])
            })]
        }
        Dense::Cholesky => {
            let (l, lt) = (node, transposed(g, node));
            let p = product(g, lt, bar);
            let p = phi(g, p);
            let inverse = simplify::dense(g, Dense::Inverse, &[l]);
            let it = transposed(g, inverse);
            let left = product(g, it, p);
            let s = product(g, left, inverse);
            vec![symmetrised(g, s)]
        }
        Dense::Expm => {
            let t = transposed(g, args[0]);
            vec![expm_along(g, t, bar)]
        }
        Dense::Sort => {
            let shape = g.shape(node).to_vec();
            vec![tabulate(g, &shape, |g, at| {
                let place = rank(g, args[0], at[0]);
                simplify::get(g, bar, &[place])
            })]
        }
    }
}

/// The tangent of the result from those of the arguments.
pub fn tangent(g: &mut Graph, node: Id, op: Dense, args: &[Id], dots: &[Option<Id>]) -> Option<Id> {
    if op == Dense::Solve {
        return solve_tangent(g, node, args[0], dots);
    }
    let dot = dots[0]?;
    Some(match op {
        Dense::Inverse => {
            let left = product(g, node, dot);
            let both = product(g, left, node);
            negated(g, both)
        }
        Dense::LogDet | Dense::Det => {
            let inverse = simplify::dense(g, Dense::Inverse, &[args[0]]);
            let t = transposed(g, inverse);
            let trace = inner(g, t, dot);
            if op == Dense::Det { simplify::op(g, Op::Mul, &[node, trace]) } else { trace }
        }
        Dense::Cholesky => {
            let dot = symmetrised(g, dot);
            let inverse = simplify::dense(g, Dense::Inverse, &[node]);
            let it = transposed(g, inverse);
            let left = product(g, inverse, dot);
            let both = product(g, left, it);
            let p = phi(g, both);
            product(g, node, p)
        }
        Dense::Expm => expm_along(g, args[0], dot),
        Dense::Sort => {
            let shape = g.shape(node).to_vec();
            let i = g.fresh_index(shape[0]);
            let at = g.index(i);
            let place = rank(g, args[0], at);
            let body = simplify::get(g, dot, &[at]);
            simplify::scatter(g, shape, &[i], &[place], body)
        }
        Dense::Solve => unreachable!("handled above"),
    })
}

/// `A^-1 (db - dA x)` for x = `node`.
fn solve_tangent(g: &mut Graph, node: Id, a: Id, dots: &[Option<Id>]) -> Option<Id> {
    let right = match (dots[0], dots[1]) {
        (None, right) => right?,
        (Some(da), right) => {
            let p = product(g, da, node);
            match right {
                Some(db) => elementwise(g, Op::Sub, db, p),
                None => negated(g, p),
            }
        }
    };
    Some(simplify::dense(g, Dense::Solve, &[a, right]))
}
