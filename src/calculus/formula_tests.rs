//! Golden strings for text and LaTeX.

use crate::math::VarKind;

use super::formula::{Equation, Formula};
use super::testing::Builder;
use super::{latex, pretty};

fn builder() -> Builder {
    let mut b = Builder::new();
    b.params("mu sigma omega beta kappa theta a b c s r rho sigma_max gamma1 n0");
    b.states("x y z vol x0");
    b.noises("W B");
    b.declare("q", VarKind::State, &[64]);
    b.declare("A", VarKind::Param, &[3, 3]);
    b.declare("Z", VarKind::Noise, &[3]);
    b
}

fn check(table: &[(&str, &str, &str)]) {
    for (source, text, latex) in table {
        let mut b = builder();
        let id = b.expr(source);
        assert_eq!(pretty::text(&b.g, id), *text, "text of {source}");
        assert_eq!(latex::latex(&b.g, id), *latex, "LaTeX of {source}");
    }
}

#[test]
fn sums_and_signs() {
    check(&[
        ("x - y", "x - y", "x - y"),
        ("x + -1*y", "x - y", "x - y"),
        ("-x + y", "y - x", "y - x"),
        ("-x - y", "-x - y", "-x - y"),
        ("x - (y - z)", "x - y + z", "x - y + z"),
        ("x - (y + z)*2", "x - 2*(y + z)", "x - 2 (y + z)"),
        ("-(x*y) + 3", "3 - x*y", "3 - x y"),
        ("-(-x)", "x", "x"),
        ("-(x + y)", "-x - y", "-x - y"),
        ("-(x - y)", "y - x", "y - x"),
        ("-1 + x^2", "x^2 - 1", "x^{2} - 1"),
    ]);
}

#[test]
fn products_and_fractions() {
    check(&[
        ("x*mu", "mu*x", "\\mu x"),
        ("s*(y - x)", "s*(y - x)", "s (y - x)"),
        ("(y - x)*s", "s*(y - x)", "s (y - x)"),
        ("x*0.5", "x/2", "\\frac{x}{2}"),
        ("0.2*x", "0.2*x", "0.2 x"),
        ("x/y/z", "x/(y*z)", "\\frac{x}{y z}"),
        ("1/(1 + x^2)", "1/(1 + x^2)", "\\frac{1}{1 + x^{2}}"),
        ("x^-2*2", "2/x^2", "\\frac{2}{x^{2}}"),
        ("x/(y/z)", "x*z/y", "\\frac{x z}{y}"),
        ("2*3*x", "2*3*x", "2 \\cdot 3 x"),
        ("-x*-y", "x*y", "x y"),
        ("(1 - c)*x/(1 + x)", "(1 - c)*x/(1 + x)", "\\frac{(1 - c) x}{1 + x}"),
        ("(x + y/z)*a", "a*(x + y/z)", "a \\left(x + \\frac{y}{z}\\right)"),
    ]);
}

#[test]
fn numbers() {
    check(&[
        ("2.6666666666666665*z", "8*z/3", "\\frac{8 z}{3}"),
        ("6.283185307179586*x", "2*pi*x", "2 \\pi x"),
        ("1.4142135623730951", "sqrt(2)", "\\sqrt{2}"),
        ("0.0000000001*x", "1e-10*x", "10^{-10} x"),
        ("0.5", "0.5", "0.5"),
        ("0.25 - x", "0.25 - x", "0.25 - x"),
        ("x + -3.25", "x - 3.25", "x - 3.25"),
    ]);
}

#[test]
fn powers_and_functions() {
    check(&[
        ("(x^2)^3", "(x^2)^3", "(x^{2})^{3}"),
        ("(-x)^2", "(-x)^2", "(-x)^{2}"),
        ("(a*x)^2", "a^2*x^2", "a^{2} x^{2}"),
        ("sqrt(x + 1)^2", "x + 1", "x + 1"),
        ("-x^2", "-x^2", "-x^{2}"),
        ("x^a", "x^a", "x^{a}"),
        ("x^(a + b)", "x^(a + b)", "x^{a + b}"),
        ("exp(-x^2/2)", "exp(-x^2/2)", "e^{-\\frac{x^{2}}{2}}"),
        ("exp(x)^2", "exp(x)^2", "(e^{x})^{2}"),
        ("sqrt(2/beta)*x", "sqrt(2/beta)*x", "\\sqrt{\\frac{2}{\\beta}} x"),
        ("max(vol, 0)", "max(vol, 0)", "\\max(\\mathrm{vol}, 0)"),
        ("max(x, max(y, z))", "max(x, y, z)", "\\max(x, y, z)"),
        ("abs(x/y)", "abs(x/y)", "\\left|\\frac{x}{y}\\right|"),
        ("log1p(x)*2", "2*log1p(x)", "2 \\log(1 + x)"),
        ("1 - expm1(x)", "1 - expm1(x)", "1 - (e^{x} - 1)"),
        ("erf(x)", "erf(x)", "\\operatorname{erf}(x)"),
    ]);
}

#[test]
fn names() {
    check(&[
        ("sigma_max", "sigma_max", "\\sigma_{\\mathrm{max}}"),
        ("gamma1", "gamma1", "\\gamma_{1}"),
        ("x0", "x0", "x_{0}"),
        ("q[3]", "q[3]", "q_{3}"),
        ("A[0, 1]", "A[0, 1]", "A_{0, 1}"),
    ]);
    assert_eq!(latex::symbol("σ"), "\\sigma");
    assert_eq!(latex::symbol("x'"), "x'");
}

#[test]
fn conditions() {
    check(&[
        (
            "if x < 0 then -x else x",
            "if x < 0 then -x else x",
            "\\begin{cases} -x & \\text{if } x < 0 \\\\ x & \\text{otherwise} \\end{cases}",
        ),
        (
            "2*(if x < 0 then 1 else if x < 1 then 2 else 3)",
            "2*(if x < 0 then 1 else if x < 1 then 2 else 3)",
            "2 \\begin{cases} 1 & \\text{if } x < 0 \\\\ 2 & \\text{if } x < 1 \\\\ 3 & \\text{otherwise} \\end{cases}",
        ),
    ]);
}

#[test]
fn index_spaces() {
    check(&[
        ("sum(i<64: q[i]^2)/64", "(sum_{i<64} q[i]^2)/64", "\\frac{1}{64} \\sum_{i=0}^{63} q_{i}^{2}"),
        ("0.5*sum(i<3: A[i, 0]*q[i])", "(sum_{i<3} A[i, 0]*q[i])/2", "\\frac{1}{2} \\sum_{i=0}^{2} A_{i, 0} q_{i}"),
        (
            "sum(i<3, j<3: if i < j then A[i, j] else 0)",
            "sum_{i<3, j<3, i < j} A[i, j]",
            "\\sum_{0 \\le i < 3, \\; 0 \\le j < 3, \\; i < j} A_{i, j}",
        ),
        (
            "[i<64: q[i] - q[(i + 63) % 64]]",
            "[q[i] - q[(i - 1) mod 64] for i < 64]",
            "[q_{i} - q_{(i - 1) \\bmod 64}]_{0 \\le i < 64}",
        ),
        (
            "[i<3: sum(j<3: A[i, j]*q[j])]",
            "[sum_{j<3} A[i, j]*q[j] for i < 3]",
            "\\left[\\sum_{j=0}^{2} A_{i, j} q_{j}\\right]_{0 \\le i < 3}",
        ),
        (
            "logsumexp(k<8: -q[k]^2)",
            "logsumexp_{i<8}(-q[i]^2)",
            "\\operatorname*{logsumexp}_{0 \\le i < 8} (-q_{i}^{2})",
        ),
        ("sum(i<3: q[i]) + x", "sum_{i<3} q[i] + x", "\\sum_{i=0}^{2} q_{i} + x"),
        ("sum(i<3: q[i] + x)", "sum_{i<3} (q[i] + x)", "\\sum_{i=0}^{2} (q_{i} + x)"),
    ]);
}

#[test]
fn differentials() {
    check(&[
        ("sigma*x*dW", "sigma*x dW", "\\sigma x \\, dW"),
        ("dW*x*sigma - y*dB", "sigma*x dW - y dB", "\\sigma x \\, dW - y \\, dB"),
        ("(x + y)*dW", "(x + y) dW", "(x + y) \\, dW"),
        ("s/sqrt(x)*dZ[2]", "s/sqrt(x) dZ[2]", "\\frac{s}{\\sqrt{x}} \\, dZ_{2}"),
        (
            "vol*(rho*dZ[0] + sqrt(1 - rho^2)*dZ[1])",
            "vol*(rho dZ[0] + sqrt(1 - rho^2) dZ[1])",
            "\\mathrm{vol} (\\rho \\, dZ_{0} + \\sqrt{1 - \\rho^{2}} \\, dZ_{1})",
        ),
        ("sum(j<3: A[0, j]*dZ[j])", "sum_{i<3} A[0, i] dZ[i]", "\\sum_{i=0}^{2} A_{0, i} \\, dZ_{i}"),
    ]);
}

#[test]
fn equations_and_derivatives() {
    let of = |name: &str| Formula::name(name);
    let mixed = of("f").derivative(vec![(of("x"), 1), (of("y"), 1)]);
    assert_eq!(pretty::formula(&mixed), "∂^2 f/(∂x ∂y)");
    assert_eq!(latex::formula(&mixed), "\\frac{\\partial^{2} f}{\\partial x \\, \\partial y}");
    let flux = Formula::product([of("mu"), of("x"), of("rho")]).derivative(vec![(of("x"), 2)]);
    assert_eq!(pretty::formula(&flux), "∂^2/∂x^2 (mu*x*rho)");
    assert_eq!(latex::formula(&flux), "\\frac{\\partial^{2}}{\\partial x^{2}} [\\mu x \\rho]");
    let drift = Formula::sum([of("a"), of("b").negated()]).along(Formula::Differential("t".into()), false);
    let noise = of("s").along(Formula::Differential("W".into()), true);
    let e = Equation { left: Formula::Differential("x".into()), right: Formula::sum([drift, noise]), over: vec![] };
    assert_eq!(pretty::equation(&e), "dx = (a - b) dt + s ∘ dW");
    assert_eq!(latex::equation(&e), "dx = (a - b) \\, dt + s \\circ dW");
}

#[test]
fn large_common_parts_are_named_once() {
    let mut b = builder();
    let part = "exp(-(x - a)^2/(2*s^2)) + exp(-(y - b)^2/(2*s^2)) + exp(-(z - c)^2/(2*s^2))";
    let id = b.expr(&format!("({part})^2*log({part})*sin({part})*cos({part})*tanh({part})*x/({part})"));
    let mut reader = super::reader::Reader::new(&b.g, &[id]);
    let line = pretty::formula(&reader.read(id));
    assert_eq!(line, "u1^2*x*log(u1)*sin(u1)*cos(u1)*tanh(u1)/u1");
    let definitions: Vec<String> = reader.definitions().iter().map(pretty::equation).collect();
    assert_eq!(definitions, ["u1 = exp(-(x - a)^2/(2*s^2)) + exp(-(y - b)^2/(2*s^2)) + exp(-(z - c)^2/(2*s^2))"]);
}
