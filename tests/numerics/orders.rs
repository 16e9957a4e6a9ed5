//! Every order that a solver of the library states, measured from coupled paths.
//!
//! What is stated is read from `stdlib/solvers`, so that a new line there fails here until it is measured.
//!
//! The measured order may differ from the stated one by three of its own standard errors and by [`ALLOWANCE`], in either
//! direction: an error of order 1 against a reference with an eighth of the smallest step falls as `h - r`, which makes
//! the slope 0.07 too large over two halvings, and terms of the next order in h add a few hundredths at the steps used.

use std::path::Path;

use fokker::output::result::{Convergence, Pair};
use fokker::session::Request;

use crate::{number, program, results};

/// How far a fit may be off before the asymptotic regime.
const ALLOWANCE: f64 = 0.12;

/// Models of each class of noise, all nonlinear.
const PROBLEMS: &str = "
model without() {
  state x: real[2] = [1, 0.5]
  dx = [x[1] - x[0]*x[1], -sin(x[0]) - 0.3*x[1]^2 + t] dt
}
# strong noise, so that its part of the error leads
model bath() {
  state x: real[2] = [1, 0]
  dx = [x[1] - sin(2*x[0]), cos(x[0] + 2*x[1])] dt + [[0.9, 0], [0.5 + 0.3*t, 0.8]] @ dW
}
# a clear bias of the mean
model pendulum() {
  state x: real[2] = [1, 0]
  dx = [x[1], -sin(2*x[0]) - x[1] + t] dt + [[0.8, 0], [0.5 + 0.5*t, 1]] @ dW
}
model one_noise() {
  noise W: wiener
  state x = 0.7
  dx = (sin(2*x) - x/2) dt + 0.7*sqrt(1 + x^2/2)*(1 + t/2) dW
}
model each_its_own() {
  state x: real[2] = [1, 0.5]
  dx = [-x[0] + sin(x[1]), cos(x[0]) - x[1]] dt + 0.6*sqrt(1 + x^2) * dW
}
# columns (m s(x0), n s(x1)) with the same s commute
model commuting() {
  noise W: wiener[2]
  state x: real[2] = [1, 0.5]
  let s = sqrt(1 + x^2)
  dx = [-x[0] + sin(x[1]), cos(x[0]) - x[1]] dt + [[0.5*s[0], 0.3*s[0]], [-0.2*s[1], 0.5*s[1]]] @ dW
}
# the missing Levy area leads
model turning() {
  noise W: wiener[2]
  state x: real[2] = [1, 0.5]
  dx = [-sin(x[0])/2, cos(x[1])/2] dt + [[0.9*cos(x[1]), 0.4], [0.3, 0.9*sin(x[0])]] @ dW
}
# does not commute, with a clear bias of the mean
model drifting() {
  noise W: wiener[2]
  state x: real[2] = [1, 0.5]
  dx = [x[1] - x[0]^2/2, cos(x[0]) - x[1]] dt + [[0.5*x[1], 0.3], [0.4*x[0], 0.5*sin(x[0])]] @ dW
}
model duffing_forced() {
  state q = 1.0
  state v = 0.0
  dq = v dt
  dv = (-q^3 + q*cos(t) - 0.5*v) dt + 0.7 dW
}
";

/// Steps over which an order is fitted, those of the reference, and paths.
struct Fit {
    model: &'static str,
    steps: &'static str,
    reference: u64,
    paths: u64,
}

const fn fit(model: &'static str, steps: &'static str, reference: u64, paths: u64) -> Fit {
    Fit { model, steps, reference, paths }
}

/// Fine steps for strong orders, and many paths for weak ones, whose errors are small beside the noise.
const fn fine(model: &'static str) -> Fit {
    fit(model, "[16, 32, 64, 128]", 2048, 1_000)
}

const fn many(model: &'static str) -> Fit {
    fit(model, "[8, 16, 32]", 256, 20_000)
}

/// Solver, class of noise (of the declaration, or of its line `order ... for`), and where both orders are measured.
const CASES: &[(&str, &str, Fit, Fit)] = &[
    ("rk4", "none", fit("without", "[4, 8, 16, 32]", 512, 8), fit("without", "[4, 8, 16, 32]", 512, 8)),
    ("euler_maruyama", "any", fine("turning"), many("turning")),
    ("euler_maruyama", "additive", fine("bath"), fine("bath")),
    ("tamed_euler", "any", fine("turning"), many("turning")),
    ("heun", "any", fine("turning"), many("drifting")),
    ("heun", "commutative", fine("commuting"), many("commuting")),
    ("heun", "additive", fine("bath"), fit("pendulum", "[4, 8, 16]", 128, 40_000)),
    ("midpoint", "any", fine("turning"), many("drifting")),
    ("midpoint", "commutative", fine("commuting"), fine("commuting")),
    ("milstein", "scalar", fine("one_noise"), many("one_noise")),
    ("milstein", "diagonal", fine("each_its_own"), fine("each_its_own")),
    ("milstein", "commutative", fine("commuting"), fine("commuting")),
    ("platen", "scalar", fine("one_noise"), many("one_noise")),
    ("platen", "diagonal", fine("each_its_own"), fine("each_its_own")),
    ("sra1", "additive", fine("bath"), fit("pendulum", "[4, 8, 16]", 128, 20_000)),
    ("sriw1", "scalar", fine("one_noise"), fit("one_noise", "[4, 8, 16, 32]", 256, 20_000)),
    (
        "baoab",
        "any",
        fit("duffing_forced", "[4, 8, 16, 32]", 512, 2_000),
        fit("duffing_forced", "[2, 4, 8]", 64, 40_000),
    ),
];

/// `obabo` draws two normals a step, which no other step size shares; its order shows in `obabo_is_biased_as_its_order_says`.
const UNCOUPLED: &str = "obabo";

/// An `order` line of the library.
#[derive(Debug)]
struct Stated {
    solver: String,
    class: String,
    strong: Option<f64>,
    weak: Option<f64>,
}

fn stated() -> Vec<Stated> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("stdlib/solvers");
    let mut found = Vec::new();
    for name in crate::running::names(&folder) {
        let text = std::fs::read_to_string(folder.join(&name).with_extension("sde")).expect("a solver can be read");
        let (mut solver, mut class) = (String::new(), String::new());
        for line in text.lines().map(str::trim) {
            let for_class = line.split_once(" for ").map(|(_, c)| c.trim_end_matches(['{', ' ']).to_string());
            if let Some(rest) = line.strip_prefix("solver ") {
                solver = rest.split('(').next().expect("a name").to_string();
                class = for_class.unwrap_or_else(|| "any".to_string());
            } else if line.starts_with("order ") {
                let class = for_class.unwrap_or_else(|| class.clone());
                found.push(Stated {
                    solver: solver.clone(),
                    class,
                    strong: order(line, "strong"),
                    weak: order(line, "weak"),
                });
            }
        }
    }
    found
}

/// The number after `strong =` or `weak =`.
fn order(line: &str, which: &str) -> Option<f64> {
    let rest = line.split_once(&format!("{which} = "))?.1;
    rest.split([',', ' ']).next()?.parse().ok()
}

fn measured(solver: &str, fit: &Fit) -> Convergence {
    let text = format!(
        "{PROBLEMS}\nrun order {{\n  model = {}()\n  solver = {solver}\n  time = 0 .. 1\n  paths = {}\n  seed = 2024\n  \
         converge steps = {}, reference = {}\n}}\n",
        fit.model, fit.paths, fit.steps, fit.reference
    );
    let mut variants = results(&program(&text), &Request::default());
    variants.remove(0).converge.expect("a measured order")
}

fn agrees(what: &str, found: Pair, stated: Option<f64>) {
    let stated = stated.expect("an order is stated");
    println!("{what}: {:.3} ± {:.3}, stated {stated}", found.value, found.se);
    // An error bar that is too wide to tell this order from its neighbours would let everything pass.
    assert!(3.0 * found.se < 0.25, "{what}: {found:?} says little");
    let off = (found.value - stated).abs();
    assert!(off < 3.0 * found.se + ALLOWANCE, "{what}: measured {found:?}, stated {stated}");
}

fn orders_of(solver: &str) {
    let mut cases = 0;
    for line in stated().into_iter().filter(|s| s.solver == solver) {
        let case = CASES.iter().find(|(s, class, ..)| *s == solver && *class == line.class);
        let Some((_, _, strong, weak)) = case else { panic!("{line:?} is not measured") };
        agrees(&format!("{solver} for {}, strong", line.class), measured(solver, strong).strong_order, line.strong);
        agrees(&format!("{solver} for {}, weak", line.class), measured(solver, weak).weak_order, line.weak);
        cases += 1;
    }
    assert_eq!(cases, CASES.iter().filter(|c| c.0 == solver).count(), "cases of {solver} that are not stated");
}

macro_rules! solvers {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];
        $(#[test] fn $name() { orders_of(stringify!($name)); })*
    };
}

solvers! { baoab euler_maruyama heun midpoint milstein platen rk4 sra1 sriw1 tamed_euler }

#[test]
fn every_stated_order_is_measured() {
    for line in stated() {
        assert!(NAMES.contains(&line.solver.as_str()) || line.solver == UNCOUPLED, "{line:?}");
    }
}

/// On a harmonic oscillator (frequency 1) the Verlet step inside OBABO keeps v^2 + q^2 (1 - h^2/4), and its two halves
/// of friction and noise keep the normal law of v: the stationary variance of q is 1/(1 - h^2/4), off by h^2/4 to
/// leading order, which is weak order 2. BAOAB has the variance 1 of q exactly, and 1 - h^2/4 of v (Leimkuhler & Matthews,
/// Molecular Dynamics, 2015, section 7.4).
#[test]
fn obabo_is_biased_as_its_order_says() {
    for h in [0.5, 1.0] {
        let text = format!(
            "target spring() on x: real {{ potential x^2/2 }}\nrun biased {{\n  model = underdamped(spring(), gamma = 1)\n  \
             solver = [obabo, baoab]\n  time = 0 .. 20 step {h}\n  paths = 20_000\n  seed = 5\n  report var(q), var(v)\n}}\n"
        );
        let variants = results(&program(&text), &Request::default());
        let exact = [[1.0 / (1.0 - h * h / 4.0), 1.0], [1.0, 1.0 - h * h / 4.0]];
        for (variant, exact) in variants.iter().zip(exact) {
            for (report, exact) in variant.reports.iter().zip(exact) {
                let (value, se) = number(report);
                assert!((value - exact).abs() < 4.0 * se, "{:?} at {h}: {value} ± {se}, not {exact}", variant.solver);
                assert!(se < 0.02, "{se}");
            }
        }
    }
}
