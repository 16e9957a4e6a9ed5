//! Choices: a branch that is not taken has no influence on derivatives, not even through what is not a number.

use super::kit::*;
use crate::math::{Op, Red};

/// Gradients in both modes and the Hessian at points of both branches.
fn check<'k>(k: &'k Kit, f: E<'k>, x: V<'k>, points: &[&[f64]]) {
    for point in points {
        let env = env_of(&[(x, point.to_vec())]);
        assert!(f.value(&env).values[0].is_finite());
        let d = gradients_agree(f, x, &env).value(&env);
        assert!(d.values.iter().all(|d| d.is_finite()), "{point:?}: {d:?}");
        let h = agree(k.hessian(f, x), &env).value(&env);
        assert!(h.values.iter().all(|d| d.is_finite()), "{point:?}: {h:?}");
    }
}

#[test]
fn one_choice() {
    let k = Kit::default();
    let x = k.state("x", &[2]);
    let (a, b) = (x.e.el(&[0]), x.e.el(&[1]));
    let zero = k.real(0.0);
    let points: &[&[f64]] = &[&[0.7, 1.3], &[-0.7, 1.3], &[0.7, -1.3], &[-0.7, -1.3]];
    // the root, the logarithm, the power and the quotient are no numbers, or infinite, on the other side
    for bad in [a.f(Op::Sqrt), a.f(Op::Log) * b, a.f2(Op::Pow, b), (a + 0.7).f(Op::Log)] {
        check(&k, k.select(zero.less(a), bad * b, b * b), x, points);
        check(&k, k.select(a.less(zero), a.powi(3), bad), x, points);
    }
    let quotient = b / (a + 0.7);
    check(&k, k.select((a + 0.7).equals(zero), b, quotient), x, points);
    // exponentials that overflow
    let large = (a * -2000.0).exp();
    check(&k, k.select(zero.less(a), large * b, b), x, points);
}

/// A node that several branches use, none of them taken: masks are joined before its slope comes in.
#[test]
fn shared_by_branches_that_are_not_taken() {
    let k = Kit::default();
    let x = k.state("x", &[2]);
    let (a, b) = (x.e.el(&[0]), x.e.el(&[1]));
    let zero = k.real(0.0);
    let root = a.f(Op::Sqrt);
    let first = k.select(zero.less(a), root * b, b);
    let second = k.select(k.real(0.5).less(a), root.sin(), a);
    let third = k.select(k.real(0.25).less(a).and(b.less(zero)), root * root, a * b);
    let points: &[&[f64]] = &[&[0.7, 1.3], &[-0.7, 1.3], &[0.3, 1.3], &[-0.7, -1.3], &[0.3, -1.0]];
    check(&k, first + second, x, points);
    check(&k, first * second + third, x, points);
    // inside, a product of the root and of what is used elsewhere too
    let square = b * b;
    let product = root * square;
    let f = k.select(zero.less(a), product, b) + k.select(k.real(0.5).less(a), product.sin(), a) + square;
    check(&k, f, x, points);
}

/// The same in loops: no turn wants the node.
#[test]
fn shared_by_turns_that_are_not_taken() {
    let k = Kit::default();
    let (x, p) = (k.state("x", &[3]), k.param("p", &[]));
    let root = p.e.f(Op::Sqrt);
    let f = k.sum(3, |i| {
        let wanted = x.e.at(&[i]).less(p.e);
        k.select(wanted, root * x.e.at(&[i]), x.e.at(&[i]).powi(2))
    });
    for value in [-0.5, 0.5] {
        let env = env_of(&[(x, vec![0.3, 0.8, -0.1]), (p, vec![value])]);
        if value > 0.0 {
            gradients_agree(f, p, &env);
        } else {
            let env = env_of(&[(x, vec![0.3, 0.8, 0.1]), (p, vec![value])]);
            assert_eq!(gradients_agree(f, p, &env).value(&env).values, [0.0]);
        }
        gradients_agree(f, x, &env_of(&[(x, vec![0.3, 0.8, 0.1]), (p, vec![value])]));
    }
}

#[test]
fn branches_inside_branches() {
    let k = Kit::default();
    let x = k.state("x", &[2]);
    let (a, b) = (x.e.el(&[0]), x.e.el(&[1]));
    let zero = k.real(0.0);
    let inner = k.select(b.less(zero), (-b).f(Op::Log) * a.f(Op::Sqrt), b.f(Op::Sqrt) * a);
    let f = k.select(zero.less(a), inner, k.select(b.less(a), a / (a - b), b * a.powi(2)));
    check(&k, f, x, &[&[0.7, 1.3], &[-0.7, 1.3], &[0.7, -1.3], &[-0.7, -1.3]]);
}

/// Pieces of one function: the sum over choices in a loop, with edges by index and by value.
#[test]
fn choices_by_element() {
    let k = Kit::default();
    let x = k.state("x", &[4]);
    let huber = k.sum(4, |i| {
        let z = x.e.at(&[i]);
        k.select(z.f(Op::Abs).less(k.real(1.0)), z * z * 0.5, z.f(Op::Abs) - 0.5)
    });
    check(&k, huber, x, &[&[0.3, 1.7, -0.4, -2.5]]);
    let edges = k.sum(4, |i| {
        let z = x.e.at(&[i]);
        let before = x.e.at(&[i - 1]);
        k.select(i.equals(k.int(0)), z.powi(2), (z - before).powi(2) * z.exp())
    });
    check(&k, edges, x, &[&[0.3, 1.7, -0.4, -2.5]]);
    let positive = k.reduce(Red::Sum, &[4], |i| {
        let z = x.e.at(i);
        k.select(k.real(0.0).less(z), z.f(Op::Log) * z, k.real(0.0))
    });
    check(&k, positive, x, &[&[0.3, 1.7, -0.4, -2.5], &[-0.3, -1.7, -0.4, -2.5]]);
}

/// `and`, `or`, `not`, `min` and `max` in conditions and as choices.
#[test]
fn choices_in_other_words() {
    let k = Kit::default();
    let x = k.state("x", &[2]);
    let (a, b) = (x.e.el(&[0]), x.e.el(&[1]));
    let (low, high) = (a.less(b), k.real(0.5).less(a.f(Op::Abs)));
    let points: &[&[f64]] = &[&[0.7, 1.3], &[-0.2, -1.3], &[0.3, -1.3], &[-0.7, 0.2]];
    for c in [low.and(high), low.f2(Op::Or, high), low.f(Op::Not), low.f2(Op::Ne, high)] {
        check(&k, k.select(c, a * b, a.exp() - b), x, points);
    }
    check(&k, a.f2(Op::Max, b).powi(3) + a.f2(Op::Min, k.real(0.5)) * b, x, points);
    // a clamped argument
    let clamped = a.f2(Op::Max, k.real(0.1)).f(Op::Sqrt);
    check(&k, clamped * b, x, points);
}
