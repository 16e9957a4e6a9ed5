//! Whole densities: what is left of them, in nodes, does not depend on the extents.

use super::*;
use crate::math::derivative::gradient;
use crate::math::expand::clean;
use crate::math::verify::verify;
use std::sync::Arc;

fn ring(b: &mut B, n: usize) -> Id {
    let phi = b.state("phi", &[n]);
    // phi - roll(phi, 1), elementwise powers and products, as an elaborator writes them
    let rolled = b.map(n, |b, i| {
        let one = b.int(1);
        let n = b.int(n as i64);
        let k = b.sub(i, one);
        let k = b.op(Op::Mod, &[k, n]);
        b.get(phi, &[k])
    });
    let difference = b.map(n, |b, i| {
        let (x, y) = (b.get(phi, &[i]), b.get(rolled, &[i]));
        b.sub(x, y)
    });
    let elastic = b.map(n, |b, i| {
        let d = b.get(difference, &[i]);
        let d = b.powi(d, 2);
        let c = b.real(0.5);
        b.mul(c, d)
    });
    let quartic = b.map(n, |b, i| {
        let x = b.get(phi, &[i]);
        let x = b.powi(x, 4);
        let c = b.real(0.25);
        b.mul(c, x)
    });
    let quadratic = b.map(n, |b, i| {
        let x = b.get(phi, &[i]);
        let x = b.powi(x, 2);
        let c = b.real(0.5);
        b.mul(c, x)
    });
    b.sum(n, |b, i| {
        let (e, q, m) = (b.get(elastic, &[i]), b.get(quartic, &[i]), b.get(quadratic, &[i]));
        let s = b.add(e, q);
        b.sub(s, m)
    })
}

fn mixture(b: &mut B, k: usize, d: usize) -> Id {
    let x = b.state("x", &[d]);
    let (w, m, s) = (b.param("w", &[k]), b.param("m", &[k, d]), b.param("s", &[]));
    b.reduce(Red::LogSumExp, k, |b, c| {
        let square = b.sum(d, |b, i| {
            let (x, m) = (b.get(x, &[i]), b.get(m, &[c, i]));
            let z = b.sub(x, m);
            b.powi(z, 2)
        });
        let two = b.real(2.0);
        let s2 = b.powi(s, 2);
        let s2 = b.mul(two, s2);
        let q = b.div(square, s2);
        let w = b.get(w, &[c]);
        let w = b.op(Op::Log, &[w]);
        b.sub(w, q)
    })
}

fn logistic(b: &mut B, n: usize, k: usize) -> Id {
    let beta = b.state("beta", &[k]);
    let x = b.g.new_data("X", vec![n, k], Arc::from(vec![0.5; n * k]));
    let y = b.g.new_data("y", vec![n], Arc::from(vec![1.0; n]));
    let (x, y) = (b.g.data_node(x), b.g.data_node(y));
    let z = b.map(n, |b, i| {
        b.sum(k, |b, j| {
            let (x, beta) = (b.get(x, &[i, j]), b.get(beta, &[j]));
            b.mul(x, beta)
        })
    });
    let likelihood = b.sum(n, |b, i| {
        let (y, z) = (b.get(y, &[i]), b.get(z, &[i]));
        let yz = b.mul(y, z);
        let s = b.op(Op::Softplus, &[z]);
        b.sub(yz, s)
    });
    let prior = b.sum(k, |b, j| {
        let c = b.real(-0.5);
        let x = b.get(beta, &[j]);
        let x = b.powi(x, 2);
        let q = b.mul(c, x);
        let l = b.real(0.918_938_533_204_672_8);
        b.sub(q, l)
    });
    b.add(likelihood, prior)
}

/// The text of a density at some extent, with the number of nodes in it.
fn text_and_count(density: impl Fn(&mut B, usize) -> Id, n: usize) -> (String, usize) {
    let mut b = B::new();
    let raw = density(&mut b, n);
    let id = b.simple(raw);
    assert_eq!(verify(&b.g, &[id]), Ok(()));
    (expression(&b.g, id), b.g.reachable(&[id]).len())
}

fn same_for_all_extents(density: impl Fn(&mut B, usize) -> Id + Copy, text: &str) {
    let (at_64, count) = text_and_count(density, 64);
    assert_eq!(at_64, text);
    for n in [100, 1600] {
        assert_eq!(text_and_count(density, n).1, count);
    }
}

#[test]
fn a_ring_of_any_length() {
    let text = "sum (i < 64) 0.25*phi[i]^4 - 0.5*phi[i]^2 + 0.5*(phi[i] - phi[(i - 1) mod 64])^2";
    same_for_all_extents(ring, text);
}

#[test]
fn a_mixture_of_any_number() {
    let text = "logsumexp (i < 64) log(w[i]) - 0.5/s^2*(sum (j < 2) (x[j] - m[i, j])^2)";
    same_for_all_extents(|b, n| mixture(b, n, 2), text);
}

#[test]
fn a_regression_of_any_size() {
    let text = "\
%0 = sum (i < 64)
  %1 = sum (j < 3) X[i, j]*beta[j]
  y[i]*%1 - softplus(%1)
%0 - 0.5*(sum (i < 3) beta[i]^2) - 2.7568155996140185";
    same_for_all_extents(|b, n| logistic(b, n, 3), text);
}

#[test]
fn the_same_text_every_time() {
    let texts: Vec<String> = (0..3).map(|_| text_and_count(|b, n| logistic(b, n, 3), 10).0).collect();
    assert!(texts.windows(2).all(|w| w[0] == w[1]));
}

/// Long chains and wide sums cost little more than their length.
#[test]
fn long_chains() {
    let mut b = B::new();
    let (x, y) = (b.state("x", &[]), b.state("y", &[]));
    let mut chain = x;
    for k in 0..1500 {
        let s = b.op(Op::Sin, &[chain]);
        let p = b.mul(s, y);
        let c = b.real(k as f64);
        chain = b.add(p, c);
    }
    let before = b.g.len();
    let simple = b.simple(chain);
    assert_eq!(verify(&b.g, &[simple]), Ok(()));
    assert!(b.g.len() < 4 * before, "{} nodes of {before}", b.g.len());
}

#[test]
fn wide_sums() {
    let mut b = B::new();
    let u = b.state("u", &[3000]);
    let mut sum = b.real(0.0);
    for k in 0..3000 {
        let k = b.int(k);
        let e = b.get(u, &[k]);
        let e = b.op(Op::Exp, &[e]);
        sum = b.add(sum, e);
    }
    let before = b.g.len();
    let simple = b.simple(sum);
    assert!(b.g.len() < 40 * before, "{} nodes of {before}", b.g.len());
    assert!(b.g.reachable(&[simple]).len() <= before);
}

/// Gradient and Laplacian of a density of the first variable.
fn derivatives(density: impl Fn(&mut B, usize) -> Id, n: usize) -> [String; 2] {
    let mut b = B::new();
    let raw = density(&mut b, n);
    let (id, var) = (b.simple(raw), VarId(0));
    let gradient = gradient(&mut b.g, id, var).expect("differentiable");
    let (i, k) = b.index(b.g.shape(gradient)[0]);
    let slope = b.get(gradient, &[k]);
    let second = b.g.partial(slope, var, &[k]);
    let raw = b.g.reduce(Red::Sum, &[i], second);
    let laplacian = clean(&mut b.g, &[raw]).expect("differentiable")[0];
    for id in [gradient, laplacian] {
        assert_eq!(verify(&b.g, &[id]), Ok(()));
        assert_eq!(b.simple(id), id);
    }
    [gradient, laplacian].map(|id| expression(&b.g, id))
}

#[test]
fn derivatives_of_a_ring() {
    let [gradient, laplacian] = derivatives(ring, 64);
    assert_eq!(gradient, "map (i < 64) phi[i]^3 + phi[i] - phi[(i + 1) mod 64] - phi[(i - 1) mod 64]");
    assert_eq!(laplacian, "3*(sum (i < 64) phi[i]^2) + 64");
}

#[test]
fn derivatives_of_a_regression() {
    let [gradient, laplacian] = derivatives(|b, n| logistic(b, n, 3), 64);
    let score = "map (i < 3) (sum (j < 64) X[j, i]*(y[j] - sigmoid(sum (k < 3) X[j, k]*beta[k]))) - beta[i]";
    assert_eq!(gradient, score);
    let text = "\
%0 = sum (i < 3)
  sum (j < 64)
    %1 = sigmoid(sum (k < 3) X[j, k]*beta[k])
    X[j, i]^2*(1 - %1)*%1
-(%0 + 3)";
    assert_eq!(laplacian, text);
}

#[test]
fn derivatives_of_a_mixture() {
    // the weights of the components sum to one
    let [_, laplacian] = derivatives(|b, n| mixture(b, n, 2), 64);
    assert!(laplacian.ends_with("- 2/%1"), "{laplacian}");
}
