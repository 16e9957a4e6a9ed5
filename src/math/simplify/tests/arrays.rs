//! Scatters and dense linear algebra.

use super::super::super::array::Array;
use super::super::super::eval::{Env, eval};
use super::super::{dense, scatter};
use super::parse::read;
use super::*;
use crate::math::ops::Dense;

/// The text of `scatter n at f(i) add u[i]`, with `i < 5`.
fn scattered(n: usize, at: impl FnOnce(&mut B, Id) -> Id) -> String {
    let mut b = B::new();
    let u = b.state("u", &[5]);
    let (i, k) = b.index(5);
    let at = at(&mut b, k);
    let at = b.simple(at);
    let body = b.get(u, &[k]);
    let id = scatter(&mut b.g, vec![n], &[i], &[at], body);
    expression(&b.g, id)
}

#[test]
fn scatters_are_turned_round() {
    assert_eq!(scattered(5, |_, i| i), "u");
    let wrapped = scattered(5, |b, i| {
        let (one, n) = (b.int(1), b.int(5));
        let s = b.sub(i, one);
        b.op(Op::Mod, &[s, n])
    });
    assert_eq!(wrapped, "map (i < 5) u[(i + 1) mod 5]");
    let shifted = scattered(6, |b, i| {
        let one = b.int(1);
        b.add(i, one)
    });
    assert_eq!(shifted, "map (i < 6) select(0 < i, u[i - 1], 0)");
    assert_eq!(scattered(5, |b, _| b.int(2)), "map (i < 5) select(i == 2, sum (j < 5) u[j], 0)");
    let strided = scattered(10, |b, i| {
        let two = b.int(2);
        b.mul(two, i)
    });
    assert_eq!(strided, "map (i < 10) select(i mod 2 == 0, u[i div 2], 0)");
}

#[test]
fn a_scatter_at_data_stays() {
    let mut b = B::new();
    let u = b.state("u", &[5]);
    let place = b.g.new_var("place", VarKind::Param, Ty::Int, vec![5]);
    let place = b.g.var(place);
    let (i, k) = b.index(5);
    let (at, body) = (b.get(place, &[k]), b.get(u, &[k]));
    let id = scatter(&mut b.g, vec![3], &[i], &[at], body);
    assert_eq!(expression(&b.g, id), "scatter [3] (i < 5) at [place[i]] add u[i]");
}

/// The simplified text of a matrix function of `diag`-like loops.
fn of_matrix(what: Dense, matrix: impl FnOnce(&mut B) -> Id, right: Option<&str>) -> String {
    let mut b = B::new();
    let m = matrix(&mut b);
    let mut args = vec![b.simple(m)];
    if let Some(text) = right {
        let r = read(&mut b, text);
        args.push(b.simple(r));
    }
    let id = dense(&mut b.g, what, &args);
    expression(&b.g, id)
}

#[test]
fn diagonal_matrices() {
    let matrix = |b: &mut B| read(b, "map(i<5, j<5: x*select(i == j, w[i]^2, 0))");
    let text = |what| of_matrix(what, matrix, None);
    assert_eq!(text(Dense::Cholesky), "map (i < 5, j < 5) select(i == j, sqrt(w[i]^2*x), 0)");
    assert_eq!(text(Dense::Inverse), "map (i < 5, j < 5) select(i == j, 1/(w[i]^2*x), 0)");
    assert_eq!(text(Dense::Det), "prod (i < 5) w[i]^2*x");
    assert_eq!(text(Dense::LogDet), "sum (i < 5) log(w[i]^2*abs(x))");
    assert_eq!(of_matrix(Dense::Solve, matrix, Some("v")), "map (i < 5) v[i]/(w[i]^2*x)");
    let scaled = |b: &mut B| read(b, "map(i<5, j<5: select(i == j, p, 0))");
    assert_eq!(of_matrix(Dense::Det, scaled, None), "p^5");
    assert_eq!(of_matrix(Dense::LogDet, scaled, None), "5*log(abs(p))");
}

#[test]
fn factors_are_zero_above_the_diagonal() {
    let mut b = B::new();
    let a = b.param("a", &[3, 3]);
    let l = dense(&mut b.g, Dense::Cholesky, &[a]);
    let (zero, one) = (b.int(0), b.int(1));
    let (above, below) = (b.get(l, &[zero, one]), b.get(l, &[one, zero]));
    assert_eq!(b.text(above), "0");
    assert_eq!(b.text(below), "cholesky(a)[1, 0]");
}

#[test]
fn constant_factors() {
    let mut b = B::new();
    let elements = [4.0, 2.0, 0.0, 2.0, 5.0, 2.0, 0.0, 2.0, 2.0].map(|x| b.real(x));
    let m = b.g.lit(vec![3, 3], elements.to_vec());
    let l = dense(&mut b.g, Dense::Cholesky, &[m]);
    assert_eq!(expression(&b.g, l), "lit [3, 3] [2, 0, 0, 1, 2, 0, 0, 1, 1]");
}

/// Closed forms have the values of the general algorithms, to some ulps times the condition of the matrix (below 10).
#[test]
fn two_rows_have_closed_forms() {
    let mut b = B::new();
    let (x, y, r) = (b.state("x", &[]), b.state("y", &[]), b.state("r", &[2]));
    let three = b.real(3.0);
    let (p, q) = (b.add(x, three), b.add(y, three));
    let m = b.g.lit(vec![2, 2], vec![p, x, x, q]);
    let mut env = Env::new();
    for (v, value) in [(0, Array::scalar(0.7)), (1, Array::scalar(-0.4)), (2, Array::vector(vec![1.5, -2.0]))] {
        env.set(VarId(v), value);
    }
    for what in [Dense::Cholesky, Dense::Inverse, Dense::Det, Dense::LogDet, Dense::Solve] {
        let args = if what == Dense::Solve { vec![m, r] } else { vec![m] };
        let raw = b.g.dense(what, &args);
        let simple = b.simple(raw);
        let closed = !b.g.reachable(&[simple]).iter().any(|id| matches!(b.g.node(*id), crate::math::Node::Dense(..)));
        assert!(closed, "{what:?}");
        let (old, new) = (eval(&b.g, raw, &env).expect("raw"), eval(&b.g, simple, &env).expect("simple"));
        assert_eq!(old.shape, new.shape);
        for (a, b) in old.values.iter().zip(&new.values) {
            assert!((a - b).abs() < 1e-14 * (1.0 + a.abs()) * 10.0, "{what:?}: {a} {b}");
        }
    }
}
