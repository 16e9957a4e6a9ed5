//! Reads, maps, slices, products of arrays, scatters.

use super::kit::*;
use crate::math::array::Array;
use crate::math::{Node, Op, Red};

/// A scalar with curvature from an array, so that adjoints are not constants.
fn curved<'k>(k: &'k Kit, a: E<'k>) -> E<'k> {
    k.reduce(Red::Sum, &a.shape(), |at| a.at(at).sin() + a.at(at).powi(2) * 0.5)
}

fn scatters(e: E<'_>) -> bool {
    e.has(|n| matches!(n, Node::Scatter { .. }))
}

/// Gradients in both modes, the Hessian, and no loop that adds where a read would do.
fn check<'k>(k: &'k Kit, a: E<'k>, x: V<'k>, at: Vec<f64>) -> E<'k> {
    let env = env_of(&[(x, at)]);
    let f = curved(k, a);
    let d = gradients_agree(f, x, &env);
    assert!(!scatters(d), "{}", d.text());
    agree(k.hessian(f, x), &env);
    agree(k.jacobian(a, x), &env);
    d
}

#[test]
fn slices_and_stencils() {
    let k = Kit::default();
    let x = k.state("x", &[7]);
    let at = numbers(7, -1.0, 2.0);
    // x[2..6], x[..5], reversed, every second, forwards and backwards
    check(&k, k.map(4, |i| x.e.at(&[i + 2])), x, at.clone());
    check(&k, k.map(5, |i| x.e.at(&[i]).exp()), x, at.clone());
    check(&k, k.map(7, |i| x.e.at(&[k.int(6) - i])), x, at.clone());
    check(&k, k.map(4, |i| x.e.at(&[k.int(2) * i])), x, at.clone());
    check(&k, k.map(3, |i| x.e.at(&[k.int(5) - k.int(2) * i])), x, at.clone());
    // differences of neighbours, second differences
    check(&k, k.map(6, |i| x.e.at(&[i + 1]) - x.e.at(&[i])), x, at.clone());
    check(&k, k.map(5, |i| x.e.at(&[i + 2]) - 2.0 * x.e.at(&[i + 1]) + x.e.at(&[i])), x, at);
}

#[test]
fn wrap_around() {
    let k = Kit::default();
    let x = k.state("x", &[5]);
    let at = numbers(5, -1.0, 2.0);
    for shift in [-7, -1, 1, 3, 5] {
        check(&k, k.map(5, |i| x.e.at(&[(i + shift).modulo(5)]) * x.e.at(&[i])), x, at.clone());
    }
    check(&k, k.map(5, |i| x.e.at(&[(k.int(2) - i).modulo(5)])), x, at.clone());
    // a roll of a roll, and of part of the ring
    let rolled = k.map(5, |i| x.e.at(&[(i - 1).modulo(5)]).sin());
    let again = k.map(5, |i| rolled.at(&[(i - 1).modulo(5)]) * rolled.at(&[i]));
    check(&k, again, x, at.clone());
    check(&k, k.map(3, |i| x.e.at(&[(i + 4).modulo(5)])), x, at);
}

#[test]
fn repeated_and_broadcast() {
    let k = Kit::default();
    let x = k.state("x", &[3]);
    let at = vec![0.4, -0.7, 1.2];
    check(&k, k.table(&[4, 3], |at| x.e.at(&at[1..])), x, at.clone());
    check(&k, k.table(&[3, 3], |at| x.e.at(&at[1..]) * x.e.at(&at[..1])), x, at.clone());
    check(&k, k.map(4, |_| x.e.el(&[2])), x, at.clone());
    // tile: x[i mod 3], repeat: x[i div 2]
    check(&k, k.map(6, |i| x.e.at(&[i.modulo(3)])), x, at.clone());
    check(&k, k.map(6, |i| x.e.at(&[i.f2(Op::IntDiv, k.int(2))])), x, at);
}

#[test]
fn matrices() {
    let k = Kit::default();
    let m = k.state("m", &[3, 4]);
    let at = numbers(12, -1.0, 1.0);
    let transposed = k.table(&[4, 3], |at| m.e.at(&[at[1], at[0]]));
    check(&k, transposed, m, at.clone());
    check(&k, k.map(3, |i| m.e.at(&[i, i])), m, at.clone());
    check(&k, k.map(4, |j| m.e.at(&[k.int(1), j])), m, at.clone());
    check(&k, k.map(3, |i| k.sum(4, |j| m.e.at(&[i, j]).exp())), m, at.clone());
    // m m^T
    let gram = k.table(&[3, 3], |at| k.sum(4, |l| m.e.at(&[at[0], l]) * transposed.at(&[l, at[1]])));
    check(&k, gram, m, at.clone());
    // reshape to 2 x 6 and to a vector
    check(&k, k.map(12, |i| m.e.at(&[i.f2(Op::IntDiv, k.int(4)), i.modulo(4)])), m, at.clone());
    let six = k.table(&[2, 6], |at| {
        let place = k.int(6) * at[0] + at[1];
        m.e.at(&[place.f2(Op::IntDiv, k.int(4)), place.modulo(4)])
    });
    check(&k, six, m, at);
}

/// A x, x^T A, x^T A x, and the products of two matrices that both depend on the variable.
#[test]
fn products() {
    let k = Kit::default();
    let (x, m) = (k.state("x", &[4]), k.state("m", &[3, 4]));
    let a = k.data("A", &[4, 4], numbers(16, -1.0, 1.0));
    let at = vec![0.3, -0.8, 1.1, 0.5];
    let ax = k.product(a, x.e);
    let d = check(&k, ax, x, at.clone());
    assert!(d.size() < 40, "{}", d.text());
    check(&k, k.map(4, |j| k.sum(4, |i| x.e.at(&[i]) * a.at(&[i, j]))), x, at.clone());
    let form = k.sum(4, |i| x.e.at(&[i]) * ax.at(&[i]));
    let env = env_of(&[(x, at.clone()), (m, numbers(12, -1.0, 1.0))]);
    gradients_agree(form, x, &env);
    let mx = k.product(m.e, x.e);
    let f = curved(&k, mx);
    gradients_agree(f, x, &env);
    gradients_agree(f, m, &env);
    agree(k.jacobian(k.grad(f, x), m), &env);
}

/// Arrays made of pieces: written out, appended, with a piece replaced.
#[test]
fn arrays_of_pieces() {
    let k = Kit::default();
    let x = k.state("x", &[3]);
    let at = vec![0.4, -0.7, 1.2];
    let [a, b, c] = [0, 1, 2].map(|i| x.e.el(&[i]));
    check(&k, k.lit(&[4], &[a * b, b.sin(), c, k.real(2.0)]), x, at.clone());
    check(&k, k.lit(&[2, 2], &[a, b, b, c.exp()]), x, at.clone());
    let appended = k.map(4, |i| k.select(i.less(k.int(3)), x.e.at(&[i]), b * c));
    check(&k, appended, x, at.clone());
    let replaced = k.map(3, |i| k.select(i.equals(k.int(1)), a * 2.0, x.e.at(&[i])));
    check(&k, replaced, x, at.clone());
    // x[1..] after x[..2]
    let both = k.map(4, |i| k.select(i.less(k.int(2)), x.e.at(&[i + 1]), x.e.at(&[i - 2])));
    check(&k, both, x, at);
}

/// Elements by constant places: a gradient of few elements is written out, one of many is a choice by place.
#[test]
fn single_elements() {
    let k = Kit::default();
    let (x, y) = (k.state("x", &[2]), k.state("y", &[40]));
    let env = env_of(&[(x, vec![0.4, -0.7]), (y, numbers(40, -1.0, 1.0))]);
    let f = x.e.el(&[0]).powi(2) * 0.5 + (x.e.el(&[1]) - x.e.el(&[0]).powi(2)).powi(2);
    let d = gradients_agree(f, x, &env);
    assert!(d.has(|n| matches!(n, Node::Lit(..))) && !d.has(|n| matches!(n, Node::Map(..))), "{}", d.text());
    agree(k.hessian(f, x), &env);
    let f = k.sum(40, |i| y.e.at(&[i]).powi(4)) + y.e.el(&[0]).sin() * y.e.el(&[39]);
    let d = gradients_agree(f, y, &env);
    assert!(d.has(|n| matches!(n, Node::Map(..))) && d.size() < 40, "{}", d.text());
    agree(k.hessian(f, y), &env);
}

/// Places that data or a state choose: the adjoint is a loop that adds.
#[test]
fn places_from_data() {
    let k = Kit::default();
    let x = k.state("x", &[3]);
    let groups = integers(&k, &[0, 2, 2, 1, 0, 2]);
    let y = k.data("y", &[6], numbers(6, -1.0, 1.0));
    let env = env_of(&[(x, vec![0.4, -0.7, 1.2])]);
    let f = k.sum(6, |i| (y.at(&[i]) - x.e.at(&[groups.at(&[i])])).powi(2).sin());
    let d = gradients_agree(f, x, &env);
    assert!(scatters(d), "{}", d.text());
    agree(k.hessian(f, x), &env);
    agree(k.laplacian(f, x), &env);
    // places in two axes, one of them solvable
    let m = k.state("m", &[3, 6]);
    let env = env_of(&[(m, numbers(18, -1.0, 1.0))]);
    let f = k.sum(6, |i| (m.e.at(&[groups.at(&[i]), i]) * y.at(&[i])).exp());
    gradients_agree(f, m, &env);
    agree(k.laplacian(f, m), &env);
}

fn integers<'k>(k: &'k Kit, values: &[i64]) -> E<'k> {
    let elements: Vec<E<'k>> = values.iter().map(|n| k.int(*n)).collect();
    k.lit(&[values.len()], &elements)
}

/// Where a branch guards a read, the read's place may lie outside, in the adjoint too.
#[test]
fn guarded_places() {
    let k = Kit::default();
    let x = k.state("x", &[4]);
    let shift = integers(&k, &[0, 3, 1, 4, 2]);
    let env = env_of(&[(x, vec![0.4, -0.7, 1.2, 0.1])]);
    let f = k.sum(5, |i| {
        let place = shift.at(&[i]) - 1;
        k.select(k.int(0).less(shift.at(&[i])), x.e.at(&[place]).powi(3), k.real(1.0))
    });
    gradients_agree(f, x, &env);
    agree(k.hessian(f, x), &env);
}

#[test]
fn scatters_have_derivatives() {
    let k = Kit::default();
    let x = k.state("x", &[6]);
    let groups = integers(&k, &[0, 2, 2, 1, 0, 2]);
    let sums = k.scatter(&[3], &[6], |i| (vec![groups.at(i)], x.e.at(i).powi(2)));
    let env = env_of(&[(x, numbers(6, -1.0, 1.0))]);
    let f = curved(&k, sums);
    gradients_agree(f, x, &env);
    agree(k.hessian(f, x), &env);
    agree(k.jacobian(sums, x), &env);
}

/// A derivative under a loop whose index is free in it.
#[test]
fn under_loops() {
    let k = Kit::default();
    let (x, p) = (k.state("x", &[4]), k.param("p", &[5]));
    let env = env_of(&[(x, vec![0.4, -0.7, 1.2, 0.1]), (p, numbers(5, 0.5, 1.5))]);
    let family = k.map(5, |i| {
        let f = k.sum(4, |j| (x.e.at(&[j]) * p.e.at(&[i])).sin());
        k.partial(f, x, &[k.int(2)]) + p.e.at(&[i])
    });
    agree(family, &env);
    // by an element that the loop chooses, of a function that it chooses
    let diagonal = k.map(4, |i| {
        let f = k.sum(4, |j| (x.e.at(&[j]) * p.e.at(&[i])).sin() * x.e.at(&[i]));
        k.partial(f, x, &[i])
    });
    agree(diagonal, &env);
    let total = k.sum(4, |i| k.sum(4, |j| k.partial(x.e.at(&[i]).exp() * x.e.at(&[j]), x, &[j])));
    agree(total, &env);
    agree(k.grad(total, x), &env);
}

/// The Jacobian of a drift element by element is diagonal by its form.
#[test]
fn jacobian_of_an_elementwise_drift() {
    let k = Kit::default();
    let x = k.state("x", &[9]);
    let drift = k.map(9, |i| x.e.at(&[i]) - x.e.at(&[i]).powi(3));
    let j = k.clean(k.jacobian(drift, x));
    assert_eq!(j.text(), "map (i < 9, j < 9) select(i == j, 1 - 3*x[i]^2, 0)");
    let d = k.clean(k.divergence(drift, x));
    assert_eq!(d.text(), "9 - 3*(sum (i < 9) x[i]^2)");
}

#[test]
fn whole_variables() {
    let k = Kit::default();
    let (x, s) = (k.state("x", &[3]), k.state("s", &[]));
    let env = env_of(&[(x, vec![0.4, -0.7, 1.2]), (s, vec![0.3])]);
    assert_eq!(agree(k.grad(s.e, s), &env).value(&env), Array::scalar(1.0));
    let j = agree(k.jacobian(x.e, x), &env);
    assert_eq!(j.value(&env).values, [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    assert_eq!(agree(k.divergence(x.e, x), &env).value(&env), Array::scalar(3.0));
    assert_eq!(agree(k.grad(s.e, x), &env).value(&env).values, [0.0; 3]);
}
