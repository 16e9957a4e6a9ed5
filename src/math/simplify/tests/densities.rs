//! Whole densities: what is left of them, in nodes, does not depend on the extents.

use super::*;
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

#[test]
fn show() {
    for f in [ring as fn(&mut B, usize) -> Id, |b, n| mixture(b, n, 2), |b, n| logistic(b, n, 3)] {
        let mut b = B::new();
        let id = f(&mut b, 64);
        println!("{}", b.text(id));
    }
}
