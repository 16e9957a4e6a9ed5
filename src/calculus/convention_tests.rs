//! Conversions against corrections known in closed form, worked out at points by the evaluator of raw graphs.

use crate::math::eval::{Env, eval};
use crate::math::{Id, VarKind};

use super::convention::{drift_in, ito_correction, ito_drift, stratonovich_drift};
use super::system::System;
use super::testing::Builder;

fn value(b: &Builder, id: Id, env: &Env) -> Vec<f64> {
    eval(&b.g, id, env).expect("a value").values
}

fn same(b: &mut Builder, got: Id, wanted: &str, env: &Env) {
    let wanted_id = b.expr(wanted);
    let (got, want) = (value(b, got, env), value(b, wanted_id, env));
    assert_eq!(got.len(), want.len());
    for (x, y) in got.iter().zip(&want) {
        // a handful of operations on numbers of order one
        assert!((x - y).abs() <= 1e-14 * (1.0 + y.abs()), "{x} is not {y} ({wanted})");
    }
}

fn gbm(alpha: &str) -> (Builder, System) {
    let mut b = Builder::new();
    b.params("mu sigma c");
    b.states("x");
    b.noises("W");
    let s = b.system(alpha, &[("x", "mu*x", "sigma*x*dW")]);
    (b, s)
}

#[test]
fn geometric_brownian_motion_in_every_convention() {
    let values = [("mu", 0.3), ("sigma", 0.7), ("c", 0.3), ("x", 1.7)];
    for (alpha, ito, stratonovich) in [
        ("0", "mu*x", "mu*x - sigma^2*x/2"),
        ("0.5", "mu*x + sigma^2*x/2", "mu*x"),
        ("1", "mu*x + sigma^2*x", "mu*x + sigma^2*x/2"),
        ("c", "mu*x + c*sigma^2*x", "mu*x + (c - 0.5)*sigma^2*x"),
    ] {
        let (mut b, s) = gbm(alpha);
        let env = b.env(&values);
        let a = ito_drift(&mut b.g, &s)[0];
        same(&mut b, a, ito, &env);
        let a = stratonovich_drift(&mut b.g, &s)[0];
        same(&mut b, a, stratonovich, &env);
        let beta = b.expr("c");
        let a = drift_in(&mut b.g, &s, beta)[0];
        same(&mut b, a, &format!("{ito} - c*sigma^2*x"), &env);
    }
}

#[test]
fn a_conversion_to_the_own_convention_changes_nothing() {
    let (mut b, s) = gbm("0");
    assert_eq!(ito_drift(&mut b.g, &s), s.drift);
    let (mut b, s) = gbm("c");
    assert_eq!(drift_in(&mut b.g, &s, s.alpha), s.drift);
}

#[test]
fn the_kubo_oscillator_loses_amplitude_in_the_ito_form() {
    let mut b = Builder::new();
    b.params("omega sigma");
    b.states("x y");
    b.noises("W");
    let s = b.system("0.5", &[("x", "-omega*y", "-sigma*y*dW"), ("y", "omega*x", "sigma*x*dW")]);
    let env = b.env(&[("omega", 1.1), ("sigma", 0.6), ("x", 0.8), ("y", -0.5)]);
    let a = ito_drift(&mut b.g, &s);
    same(&mut b, a[0], "-omega*y - sigma^2*x/2", &env);
    same(&mut b, a[1], "omega*x - sigma^2*y/2", &env);
}

#[test]
fn noises_that_do_not_commute() {
    let mut b = Builder::new();
    b.states("x y");
    b.noises("W V");
    // B_W = (1, y), B_V = (0, x): (B_W . grad) B_W = (0, y), (B_V . grad) B_V = 0
    let s = b.system("0.5", &[("x", "0", "dW"), ("y", "0", "y*dW + x*dV")]);
    let env = b.env(&[("x", 0.8), ("y", -0.5)]);
    let a = ito_drift(&mut b.g, &s);
    same(&mut b, a[0], "0*x", &env);
    same(&mut b, a[1], "y/2", &env);
}

#[test]
fn terms_marked_with_a_circle_are_stratonovich_along_the_whole_column() {
    let mut b = Builder::new();
    b.params("p q");
    b.states("x");
    b.noises("W");
    let mut s = b.system("0", &[("x", "0", "p*x*dW")]);
    s.strat_terms[0] = Some(b.expr("q*x*dW"));
    let env = b.env(&[("p", 0.4), ("q", 0.7), ("x", 1.3)]);
    // d<q x, W> = q (p + q) x dt, of which one half
    let a = ito_drift(&mut b.g, &s);
    same(&mut b, a[0], "q*(p + q)*x/2", &env);
    let a = stratonovich_drift(&mut b.g, &s);
    same(&mut b, a[0], "q*(p + q)*x/2 - (p + q)^2*x/2", &env);
}

#[test]
fn arrays_keep_their_loops() {
    let mut b = Builder::new();
    b.declare("x", VarKind::State, &[5]);
    b.declare("W", VarKind::Noise, &[5]);
    b.declare("V", VarKind::Noise, &[]);
    let s = b.system("0.5", &[("x", "[i<5: -x[i]]", "[i<5: x[i]^2*dW[i] + x[(i + 1) % 5]*dV]")]);
    let mut env = Env::new();
    env.set(b.var("x"), vec![0.3, -0.2, 0.9, 1.4, -0.7]);
    let a = ito_drift(&mut b.g, &s)[0];
    same(&mut b, a, "[i<5: -x[i] + x[i]^3 + x[(i + 2) % 5]/2]", &env);
    let c = ito_correction(&mut b.g, &s)[0].expect("a correction");
    same(&mut b, c, "[i<5: x[i]^3 + x[(i + 2) % 5]/2]", &env);
}

#[test]
fn additive_noise_has_no_correction() {
    let mut b = Builder::new();
    b.params("s");
    b.states("x");
    b.noises("W");
    let s = b.system("0.5", &[("x", "-x^3", "s*exp(-t)*dW")]);
    assert_eq!(ito_drift(&mut b.g, &s), s.drift);
    assert_eq!(ito_correction(&mut b.g, &s), [None]);
}

#[test]
fn the_view_as_one_vector() {
    let mut b = Builder::new();
    b.declare("q", VarKind::State, &[2, 3]);
    b.declare("v", VarKind::State, &[]);
    b.declare("z", VarKind::State, &[4]);
    b.declare("W", VarKind::Noise, &[4]);
    b.declare("V", VarKind::Noise, &[]);
    let s = b.system(
        "0",
        &[
            ("q", "[i<2, j<3: q[i, j] + t*v]", "[i<2, j<3: q[i, j]*dV]"),
            ("v", "z[3]", "dV + z[0]*dW[1]"),
            ("z", "[i<4: z[i]*q[1, 2]]", "[i<4: dW[i]]"),
        ],
    );
    let d = s.dim();
    let x = b.declare("x", VarKind::State, &[d]);
    let (time, x_node) = (b.expr("2"), b.g.var(x));
    let a = s.drift_at(&mut b.g, &s.drift, time, x_node);
    let m = s.matrix_at(&mut b.g, time, x_node);
    let mut env = Env::new();
    env.set(x, (0..11).map(|k| k as f64).collect::<Vec<f64>>());
    let (q, v, z) = ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 6.0, [7.0, 8.0, 9.0, 10.0]);
    let mut wanted: Vec<f64> = q.iter().map(|q| q + 2.0 * v).collect();
    wanted.push(z[3]);
    wanted.extend(z.iter().map(|z| z * q[5]));
    assert_eq!(value(&b, a, &env), wanted);
    let mut rows = vec![[0.0; 5]; 11];
    for k in 0..6 {
        rows[k][4] = q[k];
    }
    rows[6] = [0.0, z[0], 0.0, 0.0, 1.0];
    for k in 0..4 {
        rows[7 + k][k] = 1.0;
    }
    assert_eq!(value(&b, m, &env), rows.concat());
}
