//! Dense linear algebra on small matrices, for doubles and dual numbers alike. Matrices are row-major slices.
//!
//! Methods: Golub and Van Loan, Matrix Computations (LU with partial pivoting 3.4, Cholesky 4.2); Higham 2005, "The
//! scaling and squaring method for the matrix exponential revisited". A matrix that is singular, or not positive
//! definite, gives infinities or NaN, as dividing by 0 does.

use super::number::Number;
use super::scalar::Functions;
use crate::math::{Dense, Op};

/// The value of a dense operation; `n` is the extent of the first axis of the first argument. A determinant is an array
/// of one element.
pub fn dense<N: Number>(functions: Functions, op: Dense, n: usize, args: &[Vec<N>]) -> Vec<N> {
    let a = &args[0];
    match op {
        Dense::Cholesky => cholesky(functions, n, a),
        Dense::Inverse => Lu::of(n, a).solve(&identity(n), n),
        Dense::Solve => {
            let columns = args[1].len().checked_div(n).unwrap_or(0);
            Lu::of(n, a).solve(&args[1], columns)
        }
        Dense::Det => vec![det(n, a)],
        Dense::LogDet => vec![Lu::of(n, a).log_det(functions)],
        Dense::Expm => expm(n, a),
        Dense::Sort => {
            let mut sorted = a.clone();
            sorted.sort_by(|x, y| x.value().total_cmp(&y.value()));
            sorted
        }
    }
}

fn identity<N: Number>(n: usize) -> Vec<N> {
    (0..n * n).map(|k| N::real(if k % (n + 1) == 0 { 1.0 } else { 0.0 })).collect()
}

/// The lower factor; only the lower triangle of `a` is read.
fn cholesky<N: Number>(functions: Functions, n: usize, a: &[N]) -> Vec<N> {
    let mut l = vec![N::real(0.0); n * n];
    for i in 0..n {
        for j in 0..=i {
            let mut sum = a[i * n + j].clone();
            for k in 0..j {
                sum = sum.sub(&l[i * n + k].mul(&l[j * n + k]));
            }
            l[i * n + j] = if i == j { N::apply(functions, Op::Sqrt, &[sum]) } else { sum.div(&l[j * n + j]) };
        }
    }
    l
}

/// P A = L U, in one array; `odd` when P is an odd permutation.
struct Lu<N> {
    n: usize,
    lu: Vec<N>,
    rows: Vec<usize>,
    odd: bool,
}

impl<N: Number> Lu<N> {
    fn of(n: usize, a: &[N]) -> Lu<N> {
        let mut f = Lu { n, lu: a.to_vec(), rows: (0..n).collect(), odd: false };
        for k in 0..n {
            f.pivot(k);
            for i in k + 1..n {
                let factor = f.lu[i * n + k].div(&f.lu[k * n + k]);
                for j in k + 1..n {
                    f.lu[i * n + j] = f.lu[i * n + j].sub(&factor.mul(&f.lu[k * n + j]));
                }
                f.lu[i * n + k] = factor;
            }
        }
        f
    }

    /// Brings the row with the largest element of column k to place k.
    fn pivot(&mut self, k: usize) {
        let n = self.n;
        let size = |lu: &[N], i: usize| lu[i * n + k].value().abs();
        let mut best = k;
        for i in k + 1..n {
            if size(&self.lu, i) > size(&self.lu, best) {
                best = i;
            }
        }
        if best != k {
            self.odd = !self.odd;
            self.rows.swap(k, best);
            for j in 0..n {
                self.lu.swap(k * n + j, best * n + j);
            }
        }
    }

    /// X with A X = B for `b: [n, columns]`.
    fn solve(&self, b: &[N], columns: usize) -> Vec<N> {
        let n = self.n;
        let mut x: Vec<N> = Vec::with_capacity(n * columns);
        for &row in &self.rows {
            x.extend_from_slice(&b[row * columns..(row + 1) * columns]);
        }
        for c in 0..columns {
            for i in 0..n {
                for k in 0..i {
                    x[i * columns + c] = x[i * columns + c].sub(&self.lu[i * n + k].mul(&x[k * columns + c]));
                }
            }
            for i in (0..n).rev() {
                for k in i + 1..n {
                    x[i * columns + c] = x[i * columns + c].sub(&self.lu[i * n + k].mul(&x[k * columns + c]));
                }
                x[i * columns + c] = x[i * columns + c].div(&self.lu[i * n + i]);
            }
        }
        x
    }

    fn det(&self) -> N {
        let sign = N::real(if self.odd { -1.0 } else { 1.0 });
        (0..self.n).fold(sign, |product, i| product.mul(&self.lu[i * self.n + i]))
    }

    fn log_det(&self, functions: Functions) -> N {
        let log_abs = |x: &N| {
            let size = N::apply(functions, Op::Abs, std::slice::from_ref(x));
            N::apply(functions, Op::Log, &[size])
        };
        (0..self.n).fold(N::real(0.0), |sum, i| sum.add(&log_abs(&self.lu[i * self.n + i])))
    }
}

/// Up to three rows by the formula, which has derivatives at singular matrices too.
fn det<N: Number>(n: usize, a: &[N]) -> N {
    let minor = |i: usize, j: usize, k: usize, l: usize| a[i].mul(&a[j]).sub(&a[k].mul(&a[l]));
    match n {
        0 => N::real(1.0),
        1 => a[0].clone(),
        2 => minor(0, 3, 1, 2),
        3 => {
            let first = a[0].mul(&minor(4, 8, 5, 7));
            first.sub(&a[1].mul(&minor(3, 8, 5, 6))).add(&a[2].mul(&minor(3, 7, 4, 6)))
        }
        _ => Lu::of(n, a).det(),
    }
}

fn product<N: Number>(n: usize, a: &[N], b: &[N]) -> Vec<N> {
    let mut c = vec![N::real(0.0); n * n];
    for i in 0..n {
        for k in 0..n {
            for j in 0..n {
                c[i * n + j] = c[i * n + j].add(&a[i * n + k].mul(&b[k * n + j]));
            }
        }
    }
    c
}

/// The combination of matrices with these factors.
fn combine<N: Number>(terms: &[(f64, &[N])]) -> Vec<N> {
    let scaled = |c: f64, m: &[N]| -> Vec<N> { m.iter().map(|x| x.mul(&N::real(c))).collect() };
    let mut sum = scaled(terms[0].0, terms[0].1);
    for (c, m) in &terms[1..] {
        for (s, x) in sum.iter_mut().zip(scaled(*c, m)) {
            *s = s.add(&x);
        }
    }
    sum
}

/// Pade approximant of order 13 with scaling and squaring.
fn expm<N: Number>(n: usize, a: &[N]) -> Vec<N> {
    const THETA: f64 = 5.371920351148152;
    const B: [f64; 14] = [
        64764752532480000.0,
        32382376266240000.0,
        7771770303897600.0,
        1187353796428800.0,
        129060195264000.0,
        10559470521600.0,
        670442572800.0,
        33522128640.0,
        1323241920.0,
        40840800.0,
        960960.0,
        16380.0,
        182.0,
        1.0,
    ];
    let norm = (0..n).map(|j| (0..n).map(|i| a[i * n + j].value().abs()).sum::<f64>()).fold(0.0, f64::max);
    if !norm.is_finite() || a.iter().any(|x| x.value().is_nan()) {
        return vec![N::real(f64::NAN); n * n];
    }
    let squarings = if norm > THETA { (norm / THETA).log2().ceil() as i32 } else { 0 };
    let a = combine(&[(0.5f64.powi(squarings), a)]);
    let one = identity(n);
    let a2 = product(n, &a, &a);
    let a4 = product(n, &a2, &a2);
    let a6 = product(n, &a4, &a2);
    let high = combine(&[(B[13], &a6), (B[11], &a4), (B[9], &a2)]);
    let inner = combine(&[(1.0, &product(n, &a6, &high)), (B[7], &a6), (B[5], &a4), (B[3], &a2), (B[1], &one)]);
    let u = product(n, &a, &inner);
    let high = combine(&[(B[12], &a6), (B[10], &a4), (B[8], &a2)]);
    let v = combine(&[(1.0, &product(n, &a6, &high)), (B[6], &a6), (B[4], &a4), (B[2], &a2), (B[0], &one)]);
    let mut e = Lu::of(n, &combine(&[(1.0, &v), (-1.0, &u)])).solve(&combine(&[(1.0, &v), (1.0, &u)]), n);
    for _ in 0..squarings {
        e = product(n, &e, &e);
    }
    e
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(op: Dense, n: usize, args: &[Vec<f64>]) -> Vec<f64> {
        dense(Functions::Libm, op, n, args)
    }

    fn close(a: &[f64], b: &[f64], tolerance: f64) {
        assert_eq!(a.len(), b.len());
        for (x, y) in a.iter().zip(b) {
            assert!((x - y).abs() <= tolerance * (1.0 + y.abs()), "{a:?} and {b:?}");
        }
    }

    #[test]
    fn cholesky_by_hand_reads_the_lower_triangle() {
        let a = vec![4.0, f64::NAN, f64::NAN, 2.0, 5.0, f64::NAN, 6.0, 7.0, 14.0];
        close(&run(Dense::Cholesky, 3, &[a]), &[2.0, 0.0, 0.0, 1.0, 2.0, 0.0, 3.0, 2.0, 1.0], 1e-15);
        assert!(run(Dense::Cholesky, 1, &[vec![-1.0]])[0].is_nan());
    }

    #[test]
    fn solving_needs_pivots() {
        // 0 in the first place
        let a = vec![0.0, 2.0, 1.0, 1.0, 0.0, 1.0, 2.0, 1.0, 0.0];
        let x = [1.0, -2.0, 3.0];
        let b: Vec<f64> = (0..3).map(|i| (0..3).map(|j| a[i * 3 + j] * x[j]).sum()).collect();
        close(&run(Dense::Solve, 3, &[a.clone(), b]), &x, 1e-15);
        let inverse = run(Dense::Inverse, 3, std::slice::from_ref(&a));
        close(&product(3, &a, &inverse), &identity::<f64>(3), 1e-15);
        close(&run(Dense::Det, 3, std::slice::from_ref(&a)), &[5.0], 1e-15);
        close(&run(Dense::LogDet, 3, &[a]), &[5f64.ln()], 1e-15);
    }

    #[test]
    fn a_system_with_several_right_sides() {
        let a = vec![2.0, 1.0, 1.0, 3.0];
        let x = run(Dense::Solve, 2, &[a, vec![3.0, 1.0, 5.0, 0.0, 4.0, -2.0]]);
        close(&x, &[1.8, -0.2, 3.4, -0.6, 1.4, -1.8], 1e-14);
    }

    #[test]
    fn determinants_by_both_methods() {
        let a = [2.0, -1.0, 0.5, 0.3, 1.0, 2.0, -2.0, 0.7, 3.0];
        close(&[Lu::of(3, &a).det()], &[det(3, &a)], 1e-14);
        let mut four = vec![0.0; 16];
        for (k, d) in [(0, 2.0), (7, 3.0), (9, 4.0), (14, 5.0)] {
            four[k] = d;
        }
        // an even permutation: (1 3 2) is a cycle of three
        close(&run(Dense::Det, 4, &[four]), &[120.0], 1e-15);
    }

    #[test]
    fn exponentials_of_matrices() {
        let t = 3.0f64;
        let rotation = run(Dense::Expm, 2, &[vec![0.0, -t, t, 0.0]]);
        close(&rotation, &[t.cos(), -t.sin(), t.sin(), t.cos()], 1e-14);
        // a Jordan block, large enough to be scaled
        let e = run(Dense::Expm, 2, &[vec![10.0, 1.0, 0.0, 10.0]]);
        close(&e, &[10f64.exp(), 10f64.exp(), 0.0, 10f64.exp()], 1e-13);
        assert!(run(Dense::Expm, 1, &[vec![f64::NAN]])[0].is_nan());
    }

    #[test]
    fn sorting() {
        close(&run(Dense::Sort, 4, &[vec![3.0, -1.0, 2.0, 0.5]]), &[-1.0, 0.5, 2.0, 3.0], 0.0);
    }
}
