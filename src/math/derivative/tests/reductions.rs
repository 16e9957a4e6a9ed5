//! Reductions over one and two loops.

use super::kit::*;
use crate::math::Red;
use crate::math::eval::Env;

const ALL: [Red; 5] = [Red::Sum, Red::Prod, Red::Max, Red::Min, Red::LogSumExp];

/// First and second derivatives of a scalar in both modes.
fn check(f: E<'_>, x: V<'_>, env: &Env) {
    gradients_agree(f, x, env);
    let h = agree(f.kit.hessian(f, x), env).value(env);
    let n = h.shape[0];
    for i in 0..n {
        for j in 0..n {
            assert!(close(h.values[i * n + j], h.values[j * n + i], 1e-13), "symmetric");
        }
    }
}

#[test]
fn over_one_loop() {
    for red in ALL {
        let k = Kit::default();
        let (x, p) = (k.state("x", &[5]), k.param("p", &[5]));
        let env = env_of(&[(x, numbers(5, -1.0, 2.0)), (p, numbers(5, 0.5, 1.5))]);
        let f = k.reduce(red, &[5], |i| x.e.at(i).sin() * p.e.at(i) + x.e.at(i));
        check(f, x, &env);
        check(f.exp() + f.powi(2), x, &env);
    }
}

#[test]
fn over_two_loops() {
    for red in ALL {
        let k = Kit::default();
        let (x, p) = (k.state("x", &[4]), k.param("p", &[3, 4]));
        let env = env_of(&[(x, numbers(4, -1.0, 2.0)), (p, numbers(12, 0.5, 1.5))]);
        let f = k.reduce(red, &[3, 4], |at| (x.e.at(&at[1..]) * p.e.at(at)).sin() + x.e.at(&at[1..]));
        check(f, x, &env);
    }
}

/// Of a loop that the body uses only in part, or not at all.
#[test]
fn over_loops_that_are_not_used() {
    for red in [Red::Sum, Red::Prod, Red::Max, Red::LogSumExp] {
        let k = Kit::default();
        let x = k.state("x", &[3]);
        let env = env_of(&[(x, vec![0.3, -0.8, 1.1])]);
        check(k.reduce(red, &[4, 3], |at| x.e.at(&at[1..]).exp()), x, &env);
        check(k.reduce(red, &[4], |_| x.e.el(&[1]).powi(2)), x, &env);
    }
}

#[test]
fn loops_inside_loops() {
    for outer in ALL {
        for inner in ALL {
            let k = Kit::default();
            let (x, a) = (k.state("x", &[3]), k.param("a", &[4, 3]));
            let env = env_of(&[(x, vec![0.3, -0.8, 1.1]), (a, numbers(12, -1.0, 1.0))]);
            let f = k.reduce(outer, &[4], |i| {
                let inner = k.reduce(inner, &[3], |j| a.e.at(&[i[0], j[0]]) * x.e.at(j));
                inner.sin() + x.e.el(&[0]) * 0.5
            });
            check(f, x, &env);
        }
    }
}

/// Zeros among the factors: the derivative by a factor is the product of the others, in any order.
#[test]
fn products_with_zeros() {
    let k = Kit::default();
    let x = k.state("x", &[4]);
    let f = k.reduce(Red::Prod, &[4], |i| x.e.at(i));
    for point in [[2.0, 0.0, 3.0, 5.0], [0.0, 0.0, 3.0, 5.0], [0.0, 0.0, 0.0, 5.0], [2.0, -1.0, 3.0, 5.0]] {
        let env = env_of(&[(x, point.to_vec())]);
        check(f, x, &env);
        let g = k.clean(k.grad(f, x)).value(&env);
        for i in 0..4 {
            let wanted: f64 = (0..4).filter(|j| *j != i).map(|j| point[j]).product();
            assert_eq!(g.values[i], wanted);
        }
        let third = k.jacobian(k.hessian(f, x), x);
        agree(third, &env);
    }
    let f = k.reduce(Red::Prod, &[2, 2], |at| x.e.at(&[at[0] * 2 + at[1]]));
    check(f, x, &env_of(&[(x, vec![2.0, 0.0, 3.0, 5.0])]));
}

/// Where several terms are the largest, the first has the slope. The evaluator takes the first too.
#[test]
fn extremes_with_ties() {
    let k = Kit::default();
    let x = k.state("x", &[4]);
    for (red, point, wanted) in [
        (Red::Max, [1.0, 3.0, 3.0, 2.0], [0.0, 1.0, 0.0, 0.0]),
        (Red::Min, [1.0, 3.0, 3.0, 1.0], [1.0, 0.0, 0.0, 0.0]),
        (Red::Max, [2.0; 4], [1.0, 0.0, 0.0, 0.0]),
    ] {
        let env = env_of(&[(x, point.to_vec())]);
        let f = k.reduce(red, &[4], |i| x.e.at(i));
        assert_eq!(gradients_agree(f, x, &env).value(&env).values, wanted);
        let f = k.reduce(red, &[2, 2], |at| x.e.at(&[at[0] * 2 + at[1]]));
        assert_eq!(gradients_agree(f, x, &env).value(&env).values, wanted);
    }
}

/// The derivative of a maximum reads where it is: no loop over all terms is left in forward mode.
#[test]
fn the_slope_of_a_maximum_is_read_at_its_place() {
    let k = Kit::default();
    let (x, v) = (k.state("x", &[8]), k.state("v", &[8]));
    let f = k.reduce(Red::Max, &[8], |i| x.e.at(i).powi(2));
    let d = k.clean(k.jvp(f, x, v.e));
    assert_eq!(d.text(), "%0 = argmax (i < 8) x[i]^2\n2*x[%0]*v[%0]");
}

/// Weights of a mixture whose logarithms are far apart or infinite.
#[test]
fn logsumexp_far_from_zero() {
    let k = Kit::default();
    let (x, p) = (k.state("x", &[3]), k.param("p", &[3]));
    let f = k.reduce(Red::LogSumExp, &[3], |i| p.e.at(i) - x.e.at(i).powi(2) * 0.5);
    let point = vec![0.5, -1.0, 2.0];
    for weights in [vec![-2000.0, -2001.0, -5000.0], vec![700.0, 720.0, 800.0], vec![0.0, f64::NEG_INFINITY, 1.0]] {
        let env = env_of(&[(x, point.clone()), (p, weights)]);
        // exponents of size 1e3 are rounded to 1e-13
        agree_within(k.grad(f, x), &env, 1e-12);
        agree_within(k.hessian(f, x), &env, 1e-12);
    }
}

#[test]
fn reductions_without_slope() {
    let k = Kit::default();
    let x = k.state("x", &[4]);
    let env = env_of(&[(x, vec![0.3, -0.8, 1.1, 0.2])]);
    let place = k.reduce(Red::Argmax, &[4], |i| x.e.at(i));
    let d = gradients_agree(x.e.at(&[place]).powi(2), x, &env);
    assert_eq!(d.value(&env).values, [0.0, 0.0, 2.2, 0.0]);
    let any = k.reduce(Red::Any, &[4], |i| x.e.at(i).less(k.real(0.0)));
    let f = k.select(any, x.e.el(&[0]), x.e.el(&[1]));
    gradients_agree(f, x, &env);
}

#[test]
fn reductions_of_nothing_and_of_one() {
    let k = Kit::default();
    let (x, e) = (k.state("x", &[1]), k.state("e", &[0]));
    let env = env_of(&[(x, vec![0.4]), (e, vec![])]);
    for red in ALL {
        check(k.reduce(red, &[1], |i| x.e.at(i).exp()), x, &env);
        let nothing = k.reduce(red, &[0], |i| x.e.el(&[0]) * e.e.at(i));
        if red == Red::Sum || red == Red::Prod {
            gradients_agree(nothing, x, &env);
        }
        gradients_agree(k.reduce(Red::Sum, &[0], |i| e.e.at(i)), e, &env);
    }
}
