//! Dense linear algebra where the structure of the matrix gives the result: diagonal matrices of any size, matrices of
//! one and two rows, constants.

use super::super::graph::{Graph, Id, IndexVar, Node};
use super::super::ops::{Dense, Op, Red};
use super::number::{is_zero, known, real};
use super::{array, op, reduce, select};

pub fn dense(g: &mut Graph, what: Dense, args: &[Id]) -> Id {
    let n = g.shape(args[0]).first().copied().unwrap_or(0);
    let found = match what {
        Dense::Sort if n == 1 => Some(args[0]),
        Dense::Sort => None,
        _ if n == 0 => None,
        _ if n == 1 => small(g, what, args, 1),
        _ => of_diagonal(g, what, args).or_else(|| written_out(g, what, args, n)),
    };
    found.unwrap_or_else(|| g.dense(what, args))
}

/// A diagonal matrix, by its element at a fresh index.
struct Diagonal {
    index: IndexVar,
    value: Id,
}

/// The diagonal of a matrix whose other elements are zero by their form.
fn diagonal(g: &mut Graph, matrix: Id) -> Option<Diagonal> {
    let n = g.shape(matrix)[0];
    let (index, column) = (g.fresh_index(n), g.fresh_index(n));
    let (i, j) = (g.index(index), g.index(column));
    if let Node::Lit(_, elements) = g.node(matrix).clone() {
        let off = elements.iter().enumerate().filter(|(k, _)| k % (n + 1) != 0);
        if !off.into_iter().all(|(_, e)| is_zero(g, *e)) {
            return None;
        }
        let values = elements.iter().step_by(n + 1).copied().collect();
        let values = array::lit(g, vec![n], values);
        return Some(Diagonal { index, value: array::get(g, values, &[i]) });
    }
    let element = array::get(g, matrix, &[i, j]);
    let (c, value, other) = select::parts(g, element)?;
    let equal = select::compare(g, Op::Eq, i, j);
    (c == equal && is_zero(g, other) && !g.has_free(value, column.id)).then_some(Diagonal { index, value })
}

impl Diagonal {
    /// The diagonal matrix with a function of the elements.
    fn mapped(&self, g: &mut Graph, f: impl FnOnce(&mut Graph, Id) -> Id) -> Id {
        let column = g.fresh_index(self.index.extent);
        let (i, j) = (g.index(self.index), g.index(column));
        let value = f(g, self.value);
        let here = select::compare(g, Op::Eq, i, j);
        let body = select::or_zero(g, here, value);
        array::map(g, &[self.index, column], body)
    }
}

fn of_diagonal(g: &mut Graph, what: Dense, args: &[Id]) -> Option<Id> {
    let d = diagonal(g, args[0])?;
    let n = d.index.extent;
    // small ones that are written out stay so
    if let Node::Lit(..) = g.node(args[0])
        && n <= 2
    {
        return None;
    }
    Some(match what {
        Dense::Cholesky => d.mapped(g, |g, x| op(g, Op::Sqrt, &[x])),
        Dense::Inverse => d.mapped(g, inverse),
        Dense::Expm => d.mapped(g, |g, x| op(g, Op::Exp, &[x])),
        Dense::Det => reduce::reduce(g, Red::Prod, &[d.index], d.value),
        Dense::LogDet => {
            let logs = log_abs(g, d.value);
            reduce::reduce(g, Red::Sum, &[d.index], logs)
        }
        Dense::Solve => {
            let axes: Vec<IndexVar> = g.shape(args[1])[1..].to_vec().iter().map(|n| g.fresh_index(*n)).collect();
            let bounds: Vec<IndexVar> = [d.index].into_iter().chain(axes).collect();
            let at: Vec<Id> = bounds.iter().map(|b| g.index(*b)).collect();
            let right = array::get(g, args[1], &at);
            let body = op(g, Op::Div, &[right, d.value]);
            array::map(g, &bounds, body)
        }
        Dense::Sort => return None,
    })
}

fn inverse(g: &mut Graph, x: Id) -> Id {
    let one = g.real(1.0);
    op(g, Op::Div, &[one, x])
}

fn log_abs(g: &mut Graph, x: Id) -> Id {
    let x = op(g, Op::Abs, &[x]);
    op(g, Op::Log, &[x])
}

/// Matrices that are no inputs: closed forms of two rows, and factors of constants.
fn written_out(g: &mut Graph, what: Dense, args: &[Id], n: usize) -> Option<Id> {
    if n == 2 && matches!(g.node(args[0]), Node::Lit(..) | Node::Map(..)) {
        return small(g, what, args, 2);
    }
    match (what, g.node(args[0])) {
        (Dense::Cholesky, Node::Lit(_, elements)) => {
            let values: Vec<f64> = elements.iter().map(|e| known(g, *e)).collect::<Option<_>>()?;
            let factor = cholesky(&values, n)?;
            let elements = factor.into_iter().map(|x| real(g, x)).collect();
            Some(array::lit(g, vec![n, n], elements))
        }
        _ => None,
    }
}

/// The lower Cholesky factor of a matrix of constants, by rows; nothing if it is not positive definite. Reads the lower
/// triangle (Golub and Van Loan, Matrix Computations, 4.2).
fn cholesky(a: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut l = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let sum = (0..j).fold(a[i * n + j], |s, k| s - l[i * n + k] * l[j * n + k]);
            if i > j {
                l[i * n + j] = sum / l[j * n + j];
            } else if sum > 0.0 {
                l[i * n + i] = sum.sqrt();
            } else {
                return None;
            }
        }
    }
    Some(l)
}

/// Closed forms for one and two rows. Cramer's rule of two rows is as accurate as elimination (Higham, Accuracy and
/// Stability of Numerical Algorithms, 1.10.1).
fn small(g: &mut Graph, what: Dense, args: &[Id], n: usize) -> Option<Id> {
    let elements: Vec<Id> = (0..n * n).map(|k| element(g, args[0], &[k / n, k % n])).collect();
    if n == 1 {
        let a = elements[0];
        let function = match what {
            Dense::Cholesky => op(g, Op::Sqrt, &[a]),
            Dense::Inverse => inverse(g, a),
            Dense::Expm => op(g, Op::Exp, &[a]),
            Dense::Det => return Some(a),
            Dense::LogDet => return Some(log_abs(g, a)),
            Dense::Solve => return Some(solve_rows(g, args[1], |g, row| vec![op(g, Op::Div, &[row[0], a])])),
            Dense::Sort => return None,
        };
        return Some(array::lit(g, vec![1, 1], vec![function]));
    }
    let [a, b, c, d] = elements[..] else { return None };
    if what == Dense::Cholesky {
        let first = op(g, Op::Sqrt, &[a]);
        let below = op(g, Op::Div, &[c, first]);
        let square = op(g, Op::Mul, &[below, below]);
        let rest = op(g, Op::Sub, &[d, square]);
        let last = op(g, Op::Sqrt, &[rest]);
        let zero = g.real(0.0);
        return Some(array::lit(g, vec![2, 2], vec![first, zero, below, last]));
    }
    let det = cross(g, a, d, b, c);
    Some(match what {
        Dense::Det => det,
        Dense::LogDet => log_abs(g, det),
        Dense::Inverse => {
            let (b, c) = (op(g, Op::Neg, &[b]), op(g, Op::Neg, &[c]));
            let elements = [d, b, c, a].map(|x| op(g, Op::Div, &[x, det]));
            array::lit(g, vec![2, 2], elements.to_vec())
        }
        Dense::Solve => solve_rows(g, args[1], |g, row| {
            let (x, y) = (cross(g, d, row[0], b, row[1]), cross(g, a, row[1], c, row[0]));
            [x, y].map(|x| op(g, Op::Div, &[x, det])).to_vec()
        }),
        _ => return None,
    })
}

/// `a*d - b*c`.
fn cross(g: &mut Graph, a: Id, d: Id, b: Id, c: Id) -> Id {
    let ad = op(g, Op::Mul, &[a, d]);
    let bc = op(g, Op::Mul, &[b, c]);
    op(g, Op::Sub, &[ad, bc])
}

fn element(g: &mut Graph, array: Id, at: &[usize]) -> Id {
    let at: Vec<Id> = at.iter().map(|k| g.int(*k as i64)).collect();
    array::get(g, array, &at)
}

/// The solution for each column of the right-hand side, or for the one vector that it is.
fn solve_rows(g: &mut Graph, right: Id, solve: impl Fn(&mut Graph, &[Id]) -> Vec<Id>) -> Id {
    let shape = g.shape(right).to_vec();
    let columns = shape.get(1).copied().unwrap_or(1);
    let mut elements = vec![right; shape.iter().product()];
    for k in 0..columns {
        let column: Vec<Id> = (0..shape[0])
            .map(|i| if shape.len() == 1 { element(g, right, &[i]) } else { element(g, right, &[i, k]) })
            .collect();
        for (i, x) in solve(g, &column).into_iter().enumerate() {
            elements[i * columns + k] = x;
        }
    }
    array::lit(g, shape, elements)
}
