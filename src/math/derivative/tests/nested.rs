//! Derivatives of derivatives, at points, along directions, by variables that are bound.

use super::kit::*;
use crate::math::array::Array;
use crate::math::{Node, Op, Red};

/// Rosenbrock's function with coefficients, a quartic whose third derivatives are not zero.
fn rosenbrock<'k>(k: &'k Kit, x: E<'k>) -> E<'k> {
    let n = x.shape()[0];
    k.sum(n - 1, |i| {
        let (a, b) = (x.at(&[i]), x.at(&[i + 1]));
        (b - a.powi(2)).powi(2) * 5.0 + (1.0 - a).powi(2)
    })
}

#[test]
fn hessians_laplacians_and_products() {
    let k = Kit::default();
    let (x, v) = (k.state("x", &[4]), k.param("v", &[4]));
    let env = env_of(&[(x, vec![0.3, -0.8, 1.1, 0.4]), (v, vec![1.0, 0.5, -2.0, 0.7])]);
    let f = rosenbrock(&k, x.e).sin() + rosenbrock(&k, x.e);
    let h = agree(k.hessian(f, x), &env).value(&env);
    let lap = agree(k.laplacian(f, x), &env).value(&env).values[0];
    let trace: f64 = (0..4).map(|i| h.values[5 * i]).sum();
    assert!(close(lap, trace, 1e-13));
    // products with a vector: forward over reverse, reverse over forward
    let wanted: Vec<f64> =
        (0..4).map(|i| (0..4).map(|j| h.values[4 * i + j] * [1.0, 0.5, -2.0, 0.7][j]).sum()).collect();
    let gradient = k.grad(f, x);
    let forward = k.map(4, |i| k.jvp(gradient.at(&[i]), x, v.e));
    let reverse = k.grad(k.jvp(f, x, v.e), x);
    for product in [forward, reverse] {
        assert_close(&agree(product, &env).value(&env), &Array::vector(wanted.clone()), 1e-12, "H v");
    }
}

#[test]
fn third_derivatives() {
    let k = Kit::default();
    let x = k.state("x", &[3]);
    let env = env_of(&[(x, vec![0.3, -0.8, 1.1])]);
    let f = rosenbrock(&k, x.e).exp();
    let t = agree(k.jacobian(k.hessian(f, x), x), &env).value(&env);
    let at = |i: usize, j: usize, l: usize| t.values[9 * i + 3 * j + l];
    for (i, j, l) in [(0, 1, 2), (0, 0, 1), (2, 1, 1)] {
        assert!(close(at(i, j, l), at(l, i, j), 1e-12) && close(at(i, j, l), at(j, l, i), 1e-12));
    }
    agree(k.grad(k.laplacian(f, x), x), &env);
    agree(k.laplacian(k.laplacian(rosenbrock(&k, x.e), x), x), &env);
}

/// By different variables: a mixed derivative, and one that changes what the other sees.
#[test]
fn by_two_variables() {
    let k = Kit::default();
    let (x, s) = (k.state("x", &[3]), k.state("s", &[]));
    let env = env_of(&[(x, vec![0.3, -0.8, 1.1]), (s, vec![0.6])]);
    let f = k.sum(3, |i| (x.e.at(&[i]) * s.e).sin() / s.e);
    let mixed = k.jacobian(k.grad(f, x), s);
    let other = k.grad(k.grad(f, s), x);
    assert_close(&agree(mixed, &env).value(&env), &agree(other, &env).value(&env), 1e-13, "mixed");
    // d/dx (x d/ds (x + s)) = 1: the two are not confused
    let (a, b) = (k.state("a", &[]), k.state("b", &[]));
    let nested = k.grad(a.e * k.grad(a.e + b.e, b), a);
    assert_eq!(k.clean(nested).id, k.real(1.0).id);
}

/// Where the variable of a derivative has been replaced: by a number, by a function of itself, by one of another
/// variable, under an outer derivative.
#[test]
fn at_points() {
    let k = Kit::default();
    let (x, y) = (k.state("x", &[3]), k.state("y", &[3]));
    let env = env_of(&[(x, vec![0.3, -0.8, 1.1]), (y, vec![1.2, 0.4, -0.5])]);
    let f = rosenbrock(&k, x.e) + k.sum(3, |i| x.e.at(&[i]) * y.e.at(&[i]));
    let gradient = k.grad(f, x);
    for point in [
        k.map(3, |_| k.real(0.25)),
        k.map(3, |i| x.e.at(&[i]).powi(2)),
        k.map(3, |i| y.e.at(&[(i + 1).modulo(3)]).sin()),
        k.map(3, |i| x.e.at(&[i]) + gradient.at(&[i]) * 0.1),
    ] {
        let moved = k.substitute(gradient, x, point);
        agree(moved, &env);
        let whole = k.sum(3, |i| moved.at(&[i]).powi(2));
        agree(k.grad(whole, x), &env);
        agree(k.grad(whole, y), &env);
        let along = k.jvp(f, x, k.map(3, |i| x.e.at(&[i]) * y.e.at(&[i])));
        let moved = k.substitute(along, x, point);
        agree(moved, &env);
        agree(k.grad(moved, x), &env);
    }
}

/// The same by elements of the point that depend on a loop outside: nothing is captured.
#[test]
fn at_points_that_depend_on_loops() {
    let k = Kit::default();
    let (x, y) = (k.state("x", &[]), k.state("y", &[4]));
    let env = env_of(&[(x, vec![0.3]), (y, vec![1.2, 0.4, -0.5, 0.9])]);
    // f(x) = sum_i sin(x y[i]), f'(y[j]) for all j
    let f = k.sum(4, |i| (x.e * y.e.at(&[i])).sin());
    let slope = k.partial(f, x, &[]);
    let all = k.map(4, |j| k.substitute(slope, x, y.e.at(&[j])));
    agree(all, &env);
    agree(k.jacobian(all, y), &env);
    let twice =
        k.map(4, |j| k.substitute(k.partial(slope, x, &[]), x, y.e.at(&[j]) * k.substitute(slope, x, y.e.at(&[j]))));
    agree(twice, &env);
    agree(k.reduce(Red::LogSumExp, &[4], |j| twice.at(j)), &env);
}

/// A function that is used as an argument of itself: f(f(x)) with derivatives inside.
#[test]
fn functions_of_functions() {
    let k = Kit::default();
    let x = k.state("x", &[]);
    let env = env_of(&[(x, vec![0.4])]);
    let f = x.e.sin() * x.e;
    let step = x.e + k.grad(f, x) * 0.3;
    let twice = k.substitute(step, x, step);
    let thrice = k.substitute(twice, x, step);
    agree(thrice, &env);
    agree(k.grad(thrice, x), &env);
    agree(k.grad(k.grad(twice, x), x), &env);
}

/// Directions that depend on the variable are taken as they stand: d/dx f'(x) g(x) has both terms.
#[test]
fn directions_with_slopes() {
    let k = Kit::default();
    let x = k.state("x", &[2]);
    let env = env_of(&[(x, vec![0.4, -1.1])]);
    let g = k.map(2, |i| x.e.at(&[i]).exp());
    let f = x.e.el(&[0]).powi(2) * x.e.el(&[1]).sin();
    let lie = k.jvp(f, x, g);
    agree(lie, &env);
    agree(k.grad(lie, x), &env);
    agree(k.jvp(lie, x, g), &env);
    // two directions of one function, and one inside the other
    let h = k.map(2, |i| x.e.at(&[(i + 1).modulo(2)]) * lie);
    agree(k.jvp(lie, x, h) - k.jvp(f, x, h) * lie, &env);
}

/// The Stratonovich correction b db/dx of a matrix of noises, and the divergence of a flux.
#[test]
fn corrections() {
    let k = Kit::default();
    let x = k.state("x", &[3]);
    let env = env_of(&[(x, vec![0.4, -1.1, 0.7])]);
    let b = k.table(&[3, 2], |at| (x.e.at(&at[..1]) * (at[1] + 1)).sin() + x.e.at(&[(at[0] + 1).modulo(3)]));
    let correction = k.map(3, |i| {
        let terms = k.reduce(Red::Sum, &[2, 3], |at| b.at(&[at[1], at[0]]) * k.partial(b.at(&[i, at[0]]), x, &at[1..]));
        terms * 0.5
    });
    agree(correction, &env);
    agree(k.divergence(correction, x), &env);
    // of noise element by element: one product, no loop
    let diagonal = k.map(3, |i| {
        let sum = k.sum(3, |j| {
            let here = k.select(i.equals(j), x.e.at(&[i]).sin(), k.real(0.0));
            let there = k.select(i.equals(j), x.e.at(&[j]).sin(), k.real(0.0));
            there * k.partial(here, x, &[j])
        });
        sum * 0.5
    });
    let clean = agree(diagonal, &env);
    assert!(!clean.has(|n| matches!(n, Node::Reduce(..) | Node::Op(Op::Select, _))), "{}", clean.text());
}

/// Derivatives by the time inside those by the state.
#[test]
fn by_the_time() {
    let k = Kit::default();
    let (x, t) = (k.state("x", &[2]), k.var("t", crate::math::VarKind::Time, &[]));
    let env = env_of(&[(x, vec![0.4, -1.1]), (t, vec![0.8])]);
    let f = k.sum(2, |i| (x.e.at(&[i]) * t.e).sin() + (t.e.f(Op::Sqrt) * x.e.at(&[i])).exp());
    let rate = k.partial(f, t, &[]);
    agree(k.grad(rate, x), &env);
    agree(k.laplacian(rate, x) + rate, &env);
    let flux = k.map(2, |i| k.partial(k.partial(f, x, &[i]), t, &[]));
    agree(flux, &env);
}
