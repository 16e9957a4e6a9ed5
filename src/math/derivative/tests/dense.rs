//! Dense algebra: small matrices, at sizes below and above those that are written out in closed form.

use super::kit::*;
use crate::math::eval::Env;
use crate::math::{Dense, Red};

/// `A + A^T` made definite, with a slope in every element: `n` by `n` elements from a state of the same shape.
fn definite<'k>(k: &'k Kit, m: E<'k>) -> E<'k> {
    let n = m.shape()[0];
    k.table(&[n, n], |at| {
        let s = k.sum(n, |l| m.at(&[at[0], l]) * m.at(&[at[1], l]));
        k.select(at[0].equals(at[1]), s + 1.0, s)
    })
}

/// A scalar with curvature from an array.
fn curved<'k>(k: &'k Kit, a: E<'k>) -> E<'k> {
    if a.shape().is_empty() {
        return a.sin() + a * a;
    }
    k.reduce(Red::Sum, &a.shape(), |at| a.at(at).sin() + a.at(at).powi(2) * 0.5)
}

fn state<'k>(k: &'k Kit, n: usize) -> (V<'k>, Env) {
    let m = k.state("m", &[n, n]);
    (m, env_of(&[(m, numbers(n * n, -0.8, 1.0))]))
}

/// By all elements, in both modes; second derivatives along a line by both modes nested. The tolerances follow the
/// condition of the matrices, below 1e2, squared with each order.
fn check<'k>(k: &'k Kit, f: E<'k>, m: V<'k>, env: &Env) {
    agree_within(k.grad(f, m), env, 1e-11);
    agree_within(k.forward(f, m), env, 1e-11);
    let n = m.e.shape()[0];
    let along = k.table(&[n, n], |at| k.select(at[0].less(at[1]), k.real(0.4), k.real(-0.3)));
    let first = k.jvp(f, m, along);
    agree_within(k.jvp(first, m, along), env, 1e-10);
    let corner = k.int(n as i64 - 1);
    agree_within(k.partial(first, m, &[k.int(0), corner]), env, 1e-10);
}

#[test]
fn of_general_matrices() {
    for n in [1, 2, 3, 4] {
        for op in [Dense::Inverse, Dense::Det, Dense::LogDet, Dense::Expm] {
            let k = Kit::default();
            let (m, env) = state(&k, n);
            let shifted = k.table(&[n, n], |at| m.e.at(at) + k.select(at[0].equals(at[1]), k.real(1.5), k.real(0.0)));
            check(&k, curved(&k, k.dense(op, &[shifted])), m, &env);
        }
    }
}

#[test]
fn of_definite_matrices() {
    for n in [1, 2, 3, 4] {
        for op in [Dense::Cholesky, Dense::Inverse, Dense::LogDet] {
            let k = Kit::default();
            let (m, env) = state(&k, n);
            check(&k, curved(&k, k.dense(op, &[definite(&k, m.e)])), m, &env);
        }
    }
}

#[test]
fn solutions() {
    for n in [2, 3] {
        let k = Kit::default();
        let (m, env) = state(&k, n);
        let a = definite(&k, m.e);
        let vector = k.map(n, |i| m.e.at(&[i, k.int(0)]).exp());
        check(&k, curved(&k, k.dense(Dense::Solve, &[a, vector])), m, &env);
        let matrix = k.table(&[n, 2], |at| m.e.at(&[at[1], at[0]]).sin());
        check(&k, curved(&k, k.dense(Dense::Solve, &[a, matrix])), m, &env);
        // of one argument only
        let still = k.data("b", &[n], numbers(n, -1.0, 1.0));
        check(&k, curved(&k, k.dense(Dense::Solve, &[a, still])), m, &env);
        let unit = k.table(&[n, n], |at| k.select(at[0].less(at[1]), k.real(0.3), k.real(1.0)));
        let still = k.table(&[n, n], |at| unit.at(at) + k.select(at[0].equals(at[1]), k.real(2.0), k.real(0.0)));
        check(&k, curved(&k, k.dense(Dense::Solve, &[still, vector])), m, &env);
    }
}

/// A Gaussian density with a covariance from parameters, through its factor.
#[test]
fn a_gaussian_density() {
    let k = Kit::default();
    let (m, mut env) = state(&k, 3);
    let x = k.state("x", &[3]);
    env.set(x.var, vec![0.4, -1.0, 0.8]);
    let l = k.dense(Dense::Cholesky, &[definite(&k, m.e)]);
    let z = k.dense(Dense::Solve, &[l, x.e]);
    let logs = k.sum(3, |i| l.at(&[i, i]).f(crate::math::Op::Log));
    let density = k.sum(3, |i| z.at(&[i]).powi(2)) * -0.5 - logs;
    check(&k, density, m, &env);
    gradients_agree(density, x, &env);
    agree_within(k.jacobian(k.grad(density, x), m), &env, 1e-10);
    agree_within(k.hessian(density, x), &env, 1e-10);
}

/// Of the factor, by the elements of the matrix itself: the derivative by its symmetric part, so that flows along
/// gradients keep matrices symmetric.
#[test]
fn a_factor_by_its_symmetric_argument() {
    let k = Kit::default();
    let (m, _) = state(&k, 3);
    let env = env_of(&[(m, vec![4.0, 0.3, -0.6, 0.3, 3.0, 0.8, -0.6, 0.8, 2.5])]);
    let f = curved(&k, k.dense(Dense::Cholesky, &[m.e]));
    let d = k.clean(k.grad(f, m)).value(&env);
    assert_close(&k.clean(k.forward(f, m)).value(&env), &d, 1e-13, "both modes");
    for i in 0..3 {
        for j in 0..3 {
            assert!(close(d.values[3 * i + j], d.values[3 * j + i], 1e-14));
            // along symmetric directions it is the derivative
            let along = k.table(&[3, 3], |at| {
                let here = |a: i64, b: i64| at[0].equals(k.int(a)).and(at[1].equals(k.int(b)));
                let both = here(i as i64, j as i64).f2(crate::math::Op::Or, here(j as i64, i as i64));
                k.select(both, k.real(1.0), k.real(0.0))
            });
            let wanted = k.jvp(f, m, along).value(&env).values[0];
            let got = d.values[3 * i + j] + if i == j { 0.0 } else { d.values[3 * j + i] };
            assert!(close(got, wanted, 1e-13), "{i}, {j}: {got}, {wanted}");
        }
    }
}

#[test]
fn sorted_elements() {
    let k = Kit::default();
    let x = k.state("x", &[5]);
    let s = k.dense(Dense::Sort, &[x.e]);
    let f = k.sum(5, |i| s.at(&[i]).exp() * (i * k.real(0.5)));
    for point in [vec![0.4, -1.0, 0.8, 2.0, 0.1], vec![5.0, 4.0, 3.0, 2.0, 1.0]] {
        let env = env_of(&[(x, point)]);
        gradients_agree(f, x, &env);
        agree(k.hessian(f, x), &env);
        agree(k.jacobian(s, x), &env);
    }
    // the median, and equal elements: each has one place
    let env = env_of(&[(x, vec![1.0, 1.0, 0.0, 1.0, 2.0])]);
    let d = k.clean(k.grad(s.el(&[2]), x)).value(&env);
    assert_eq!(d.values.iter().sum::<f64>(), 1.0);
}
