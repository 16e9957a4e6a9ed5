//! Derivatives of large targets are about as large as the targets: loops stay loops.

use super::kit::*;
use crate::math::{Op, Red};

const N: usize = 1000;

/// Gradient, Hessian times a vector, and Laplacian, each with no more than so many times the nodes of the target.
fn check<'k>(k: &'k Kit, f: E<'k>, x: V<'k>) {
    let size = k.clean(f).size();
    let v = k.state("v", &[N]).e;
    let derivatives =
        [("gradient", k.grad(f, x), 4), ("product", k.jvp(k.grad(f, x), x, v), 8), ("laplacian", k.laplacian(f, x), 8)];
    for (what, raw, most) in derivatives {
        let clean = k.clean(raw);
        assert!(clean.size() <= most * size, "the {what} has {} nodes of {size}:\n{}", clean.size(), clean.text());
    }
}

fn square<'k>(e: E<'k>) -> E<'k> {
    e.powi(2)
}

#[test]
fn a_lattice() {
    let k = Kit::default();
    let (x, m) = (k.state("x", &[N]), k.param("m", &[]));
    let f = k.sum(N, |i| {
        let (here, next) = (x.e.at(&[i]), x.e.at(&[(i + 1).modulo(N as i64)]));
        square(next - here) * 0.5 + square(here) * m.e * 0.5 + here.powi(4) * 0.25
    });
    check(&k, f, x);
}

#[test]
fn a_plane() {
    let k = Kit::default();
    let x = k.state("x", &[N]);
    let f = k.reduce(Red::Sum, &[25, 40], |at| {
        let here = x.e.at(&[at[0] * 40 + at[1]]);
        let right = x.e.at(&[at[0] * 40 + (at[1] + 1).modulo(40)]);
        let below = x.e.at(&[(at[0] + 1).modulo(25) * 40 + at[1]]);
        (right - here).f(Op::Cos) + (below - here).f(Op::Cos)
    });
    check(&k, f, x);
}

#[test]
fn a_funnel() {
    let k = Kit::default();
    let x = k.state("x", &[N]);
    let first = x.e.el(&[0]);
    let f = square(first) / 18.0
        + k.sum(N - 1, |i| square(x.e.at(&[i + 1]))) * (-first).exp() * 0.5
        + first * ((N - 1) as f64 / 2.0);
    check(&k, f, x);
}

#[test]
fn a_regression() {
    let k = Kit::default();
    let x = k.state("x", &[N]);
    let features = k.data("features", &[50, N], numbers(50 * N, -1.0, 1.0));
    let labels = k.data("labels", &[50], numbers(50, 0.0, 1.0));
    let f = k.sum(50, |r| {
        let logit = k.sum(N, |j| features.at(&[r, j]) * x.e.at(&[j]));
        logit.f(Op::Softplus) - labels.at(&[r]) * logit
    }) + k.sum(N, |j| square(x.e.at(&[j]))) * 0.5;
    check(&k, f, x);
}

#[test]
fn a_mixture() {
    let k = Kit::default();
    let x = k.state("x", &[N]);
    let centres = k.data("centres", &[20, N], numbers(20 * N, -3.0, 3.0));
    let f = k.reduce(Red::LogSumExp, &[20], |c| -k.sum(N, |j| square(x.e.at(&[j]) - centres.at(&[c[0], j]))) * 0.5);
    check(&k, f, x);
}
