//! What is told about models, word for word.

use crate::math::eval::Env;
use crate::math::{Op, Red, VarKind};

use super::explain::{Law, Subject, explain};
use super::structure::drift::drift;
use super::structure::structure;
use super::system::System;
use super::testing::Builder;

fn told(b: &mut Builder, s: &System, law: Option<&Law>) -> super::explanation::Explanation {
    let found = structure(&mut b.g, s, &Env::new());
    let drift = drift(&mut b.g, s, &found.ito, &Env::new());
    explain(&mut b.g, Subject { title: "model", system: s, structure: &found, drift: &drift, law })
}

fn section(text: &str, title: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|l| *l != title).skip(1).take_while(|l| !l.is_empty());
    lines.map(|l| l.trim().to_string()).collect()
}

#[test]
fn geometric_brownian_motion() {
    let mut b = Builder::new();
    b.params("mu sigma");
    b.states("x");
    b.noises("W");
    let s = b.system("0", &[("x", "mu*x", "sigma*x*dW")]);
    let e = told(&mut b, &s, None);
    let text = e.text();
    assert_eq!(section(&text, "Equations as written (Ito)"), ["dx = mu*x dt + sigma*x dW"]);
    assert_eq!(
        section(&text, "Ito correction: the Ito drift minus the Stratonovich drift"),
        ["correction(x) = sigma^2*x/2"]
    );
    assert_eq!(section(&text, "Generator"), ["L(f) = mu*x ∂f/∂x + sigma^2*x^2/2 ∂^2 f/∂x^2"]);
    assert_eq!(section(&text, "Fokker-Planck equation"), ["∂rho/∂t = -∂/∂x (mu*x*rho) + ∂^2/∂x^2 (sigma^2*x^2*rho/2)"]);
    assert!(e.latex().contains("\\[ dx = \\mu x \\, dt + \\sigma x \\, dW \\]"), "{}", e.latex());
}

/// Without a correction one form serves for both, and that is said.
#[test]
fn both_forms_of_additive_noise() {
    let mut b = Builder::new();
    b.states("x");
    b.noises("W");
    let s = b.system("0", &[("x", "-x", "(1 + t)*dW")]);
    assert_eq!(section(&told(&mut b, &s, None).text(), "Stratonovich form"), ["the same as the Ito form"]);
    let s = b.system("0.5", &[("x", "-x", "(1 + t)*dW")]);
    assert_eq!(section(&told(&mut b, &s, None).text(), "Ito form"), ["the same as the Stratonovich form"]);
}

/// A small array whose components have equations of their own is shown by component.
#[test]
fn components_with_their_own_equations() {
    let mut b = Builder::new();
    b.params("s");
    b.declare("x", VarKind::State, &[2]);
    b.noises("W");
    let s = b.system("0.5", &[("x", "[i<2: 0*x[i]]", "[i<2: if i < 1 then -s*x[1]*dW else s*x[0]*dW]")]);
    let text = told(&mut b, &s, None).text();
    assert_eq!(
        section(&text, "Ito form"),
        ["dx[0] = -s^2*x[0]/2 dt - s*x[1] dW", "dx[1] = -s^2*x[1]/2 dt + s*x[0] dW"]
    );
}

#[test]
fn the_kubo_oscillator() {
    let mut b = Builder::new();
    b.params("omega sigma");
    b.states("x y");
    b.noises("W");
    let s = b.system("0.5", &[("x", "-omega*y", "-sigma*y*dW"), ("y", "omega*x", "sigma*x*dW")]);
    let text = told(&mut b, &s, None).text();
    assert_eq!(
        section(&text, "Equations as written (Stratonovich)"),
        ["dx = -omega*y dt - sigma*y ∘ dW", "dy = omega*x dt + sigma*x ∘ dW"]
    );
    assert_eq!(
        section(&text, "Ito correction: the Ito drift minus the Stratonovich drift"),
        ["correction(x) = -sigma^2*x/2", "correction(y) = -sigma^2*y/2"]
    );
    let generator = section(&text, "Generator");
    assert_eq!(
        generator,
        ["L(f) = (-sigma^2*x/2 - omega*y) ∂f/∂x + (omega*x - sigma^2*y/2) ∂f/∂y + sigma^2*y^2/2 ∂^2 f/∂x^2 \
             - sigma^2*x*y ∂^2 f/(∂x ∂y) + sigma^2*x^2/2 ∂^2 f/∂y^2"]
    );
    assert!(text.contains("\nIto form\n") && !text.contains("\nStratonovich form\n"));
}

#[test]
fn a_target_brings_its_score() {
    let mut b = Builder::new();
    b.params("beta h");
    b.states("x");
    b.noises("W");
    let logp = b.expr("-h*(x^2 - 1)^2");
    let s = b.system("0", &[("x", "-4*h*x*(x^2 - 1)", "sqrt(2/beta)*dW")]);
    let law = Law { name: "double_well".into(), logp };
    let text = told(&mut b, &s, Some(&law)).text();
    let lines = section(&text, "Target double_well and its score");
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[1].starts_with("∂log(p)/∂x = "), "{text}");
    assert_eq!(section(&text, "Noise")[0], "additive (one noise, 1 component)");
}

#[test]
fn arrays_stay_loops() {
    let mut b = Builder::new();
    b.params("s");
    b.declare("x", VarKind::State, &[64]);
    b.declare("W", VarKind::Noise, &[64]);
    let s = b.system("0", &[("x", "[i<64: x[(i + 1) % 64] - x[i]]", "[i<64: s*x[i]*dW[i]]")]);
    let text = told(&mut b, &s, None).text();
    assert_eq!(
        section(&text, "Equations as written (Ito)"),
        ["dx[i] = (x[(i + 1) mod 64] - x[i]) dt + s*x[i] dW[i]  for i < 64"]
    );
    let generator = &section(&text, "Generator")[0];
    assert!(generator.contains("sum_{i<64} s^2*x[i]^2/2 ∂^2 f/∂x[i]^2"), "{generator}");
}

#[test]
fn a_correlation_matrix_is_multiplied_out() {
    let mut b = Builder::new();
    b.params("rho");
    b.states("x y");
    b.declare("W", VarKind::Noise, &[2]);
    let (zero, one, rho) = (b.g.real(0.0), b.g.real(1.0), b.expr("rho"));
    let rest = b.expr("sqrt(1 - rho^2)");
    let factor = b.g.lit(vec![2, 2], vec![one, zero, rho, rest]);
    let mut s = b.system("0", &[("x", "0", "dW[0]"), ("y", "-y", "dW[0]")]);
    for (row, state) in [(0, "x"), (1, "y")] {
        let k = b.g.fresh_index(2);
        let (at, row_at, w) = (b.g.index(k), b.g.int(row), b.expr("dW"));
        let (coefficient, noise) = (b.g.get(factor, &[row_at, at]), b.g.get(w, &[at]));
        let body = b.g.op(Op::Mul, &[coefficient, noise]);
        let seen = b.g.reduce(Red::Sum, &[k], body);
        let state = b.expr(state);
        s.diffusion[row as usize] = b.g.op(Op::Mul, &[state, seen]);
    }
    let text = told(&mut b, &s, None).text();
    assert_eq!(
        section(&text, "Equations as written (Ito)"),
        ["dx = x dW[0]", "dy = -y dt + y*(rho dW[0] + sqrt(1 - rho^2) dW[1])"]
    );
}
