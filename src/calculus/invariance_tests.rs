//! Laws that are stationary, and laws that are not.

use crate::math::eval::{Env, eval};
use crate::math::{Id, VarKind};

use super::clean;
use super::generator::{fokker_planck, generator, residual};
use super::invariance::{Invariance, NoAnswer, invariant};
use super::structure::diagonal_coefficients;
use super::system::System;
use super::testing::Builder;

fn try_law(b: &mut Builder, s: &System, logp: &str, values: &[(&str, f64)]) -> Invariance {
    let logp = b.expr(logp);
    let env = b.env(values);
    let found = invariant(&mut b.g, s, logp, &env, 1).expect("an answer");
    assert_eq!(found.points, 32);
    found
}

fn value(b: &Builder, id: Id, env: &Env) -> f64 {
    eval(&b.g, id, env).expect("a value").values[0]
}

#[test]
fn overdamped_langevin_keeps_its_target() {
    let mut b = Builder::new();
    b.params("beta h");
    b.states("x");
    b.noises("W");
    let s = b.system("0", &[("x", "-4*h*x*(x^2 - 1)", "sqrt(2/beta)*dW")]);
    let values = [("beta", 1.7), ("h", 0.6)];
    assert!(try_law(&mut b, &s, "-beta*h*(x^2 - 1)^2", &values).holds());
    let other = try_law(&mut b, &s, "-h*(x^2 - 1)^2", &values);
    assert!(other.residual > 1e-2, "{other:?}");
}

#[test]
fn kinetic_langevin_keeps_the_joint_law() {
    let mut b = Builder::new();
    b.params("gamma");
    b.declare("q", VarKind::State, &[5]);
    b.declare("v", VarKind::State, &[5]);
    b.declare("W", VarKind::Noise, &[5]);
    let force = "-q[i]^3 + q[i] - (q[i] - q[(i + 1) % 5]) - (q[i] - q[(i + 4) % 5])";
    let drift = format!("[i<5: {force} - gamma*v[i]]");
    let s = b.system("0", &[("q", "[i<5: v[i]]", "[i<5: 0*dW[i]]"), ("v", &drift, "[i<5: sqrt(2*gamma)*dW[i]]")]);
    let law = "-sum(i<5: q[i]^4/4 - q[i]^2/2 + (q[i] - q[(i + 1) % 5])^2/2 + v[i]^2/2)";
    assert!(try_law(&mut b, &s, law, &[("gamma", 0.8)]).holds());
    let warm = "-sum(i<5: q[i]^4/4 - q[i]^2/2 + (q[i] - q[(i + 1) % 5])^2/2 + v[i]^2)";
    assert!(!try_law(&mut b, &s, warm, &[("gamma", 0.8)]).holds());
}

fn colloid(correction: &str) -> (Builder, System) {
    let mut b = Builder::new();
    b.params("c");
    b.states("x");
    b.noises("W");
    let drift = format!("-(0.5 + 1/(1 + x^2))*x + {correction}*(-2*x/(1 + x^2)^2)");
    let s = b.system("c", &[("x", &drift, "sqrt(2*(0.5 + 1/(1 + x^2)))*dW")]);
    (b, s)
}

#[test]
fn the_colloid_reaches_the_boltzmann_law_in_every_convention() {
    for c in [0.0, 0.25, 0.5, 1.0] {
        let (mut b, s) = colloid("(1 - c)");
        let found = try_law(&mut b, &s, "-x^2/2", &[("c", c)]);
        assert!(found.holds(), "{found:?} at {c}");
        let (mut b, s) = colloid("0");
        let found = try_law(&mut b, &s, "-x^2/2", &[("c", c)]);
        assert_eq!(found.holds(), c == 1.0, "{found:?} at {c}");
        assert_eq!(found.at.len(), 1);
    }
}

#[test]
fn multiplicative_noise_in_two_dimensions() {
    // dx = (S grad l + div S) dt + sqrt(2) B dW with S = B B^T, B = [[1, 0], [x, 1]]; l = -(x^2 + y^2)/2
    let mut b = Builder::new();
    b.states("x y");
    b.noises("W V");
    let right = "-x*x - (1 + x^2)*y + 1";
    let s =
        b.system("0", &[("x", "-x - x*y", "1.4142135623730951*dW"), ("y", right, "1.4142135623730951*(x*dW + dV)")]);
    let found = try_law(&mut b, &s, "-(x^2 + y^2)/2", &[]);
    assert!(found.holds(), "{found:?}");
    let s = System { alpha: b.expr("0.5"), ..s };
    assert!(!try_law(&mut b, &s, "-(x^2 + y^2)/2", &[]).holds());
}

/// The residual as it stands, worked out by dual numbers, with and without the knowledge that the noise is diagonal.
#[test]
fn the_residual_does_not_depend_on_how_it_is_worked_out() {
    let mut b = Builder::new();
    b.declare("x", VarKind::State, &[3]);
    b.declare("W", VarKind::Noise, &[3]);
    let s = b.system("0.5", &[("x", "[i<3: -x[i]*x[(i + 1) % 3]]", "[i<3: (1 + x[i]^2)*dW[i]]")]);
    let logp = b.expr("-sum(i<3: x[i]^2*x[(i + 1) % 3]^4)");
    let mut env = Env::new();
    env.set(b.var("x"), vec![0.3, -0.8, 1.1]);
    let diagonal = diagonal_coefficients(&mut b.g, &s, &env).expect("diagonal noise");
    let plain = residual(&mut b.g, &s, logp, None);
    let quick = residual(&mut b.g, &s, logp, Some(&diagonal));
    let cleaned = clean(&mut b.g, &[quick.value, quick.size, plain.value, plain.size]);
    let wanted = value(&b, plain.value, &env);
    assert!(wanted.abs() > 0.1);
    for id in [quick.value, cleaned[0], cleaned[2]] {
        assert!((value(&b, id, &env) - wanted).abs() < 1e-12 * value(&b, plain.size, &env));
    }
    assert!((value(&b, cleaned[1], &env) - value(&b, quick.size, &env)).abs() < 1e-12);
}

#[test]
fn laws_on_half_lines_are_tried_inside() {
    // Cox-Ingersoll-Ross: a gamma law of shape 2 kappa theta/sigma^2
    let mut b = Builder::new();
    b.params("kappa theta sigma");
    b.states("x");
    b.noises("W");
    let s = b.system("0", &[("x", "kappa*(theta - x)", "sigma*sqrt(max(x, 0))*dW")]);
    let law = "(2*kappa*theta/sigma^2 - 1)*log(x) - 2*kappa*x/sigma^2";
    let values = [("kappa", 1.0), ("theta", 0.5), ("sigma", 0.5)];
    let found = try_law(&mut b, &s, law, &values);
    assert!(found.holds(), "{found:?}");
    let nowhere = b.expr("log(-1 - x^2)");
    let env = b.env(&values);
    assert_eq!(invariant(&mut b.g, &s, nowhere, &env, 1).unwrap_err(), NoAnswer::NoPoint);
}

#[test]
fn generator_and_adjoint_agree_with_the_ito_formulas() {
    let mut b = Builder::new();
    b.params("s");
    b.states("x y");
    b.noises("W V");
    let s = b.system("0", &[("x", "x*y", "x*dW + s*dV"), ("y", "sin(x)", "y*x*dW")]);
    let env = b.env(&[("s", 0.4), ("x", 0.7), ("y", -1.2)]);
    // f = x^2 y: f_x = 2xy, f_y = x^2, f_xx = 2y, f_xy = 2x, f_yy = 0; S_xx = x^2 + s^2, S_xy = x^2 y
    let f = b.expr("x^2*y");
    let l = generator(&mut b.g, &s, f);
    let wanted = b.expr("2*x*y*x*y + x^2*sin(x) + (x^2 + s^2)*y + x^2*y*2*x");
    assert!((value(&b, l, &env) - value(&b, wanted, &env)).abs() < 1e-13);
    // integration by parts in the form L* rho = -div(a rho) + 1/2 d_ij (S_ij rho), with rho = exp(x + 2y) so that every
    // derivative of rho is a multiple of it
    let rho = b.expr("exp(x + 2*y)");
    let l = fokker_planck(&mut b.g, &s, rho);
    // -(d_x(a) + a) - 2 sin(x); (S_xx)' terms: S_xx + 2 S_xx' + S_xx''; S_xy = x^2 y; S_yy = x^2 y^2
    let drift = "(y + x*y + 2*sin(x))";
    let xx = "(x^2 + s^2 + 2*2*x + 2)/2";
    let xy = "(2*x^2*y + x^2 + 2*2*x*y + 2*x)";
    let yy = "(4*x^2*y^2 + 2*2*2*x^2*y + 2*x^2)/2";
    let wanted = b.expr(&format!("exp(x + 2*y)*(-{drift} + {xx} + {xy} + {yy})"));
    assert!((value(&b, l, &env) - value(&b, wanted, &env)).abs() < 1e-13);
}
