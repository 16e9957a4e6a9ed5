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

use crate::{program, results};

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
# diagonal and additive
model own_additive() {
  state x: real[2] = [1, 0.5]
  dx = [-x[0] + sin(x[1]) - x[0]^3/3, cos(2*x[0]) - x[1]] dt + [0.6*(1 + t), 0.8] * dW
}
# stays positive
model growing() {
  state x = 0.3
  dx = 2*(1 - x)*x dt + 0.6*x dW
}
# a cubic drift, and paths that stay where no taming or truncation acts
model leashed() {
  state x = 0.5
  dx = (x - x^3) dt + 0.5*x dW
}
# fast enough that errors of high order are above rounding
model fast() {
  state x: real[2] = [1, 0.5]
  dx = [3*x[1], -3*sin(x[0]) + cos(3*t)] dt
}
model doubled() {
  state x: real[2] = [1, 0.5]
  dx = [3*x[1], -3*sin(2*x[0]) + cos(3*t)] dt
}
model faster() {
  state x: real[2] = [1, 0.5]
  dx = [4*x[1], -4*sin(2*x[0]) + 2*cos(4*t)] dt
}
model swing() {
  state q = 1.0
  state v = 0.0
  dq = v dt
  dv = (-q^3 + q*cos(t) - 0.5*v) dt
}
# without its Levy area the square of x[2] is off in the mean
model sweeping() {
  noise W: wiener[2]
  state x: real[3] = [1, 0, 0]
  dx = [-sin(x[0]), -x[1]/2, -x[2]] dt + [[0.8, 0], [0, 0.8], [-x[1], x[0]]] @ dW
}
# diagonal, with a clear bias of the mean
model biased() {
  state x: real[2] = [0.5, 1]
  dx = [x[1] - x[0]^2, cos(2*x[0]) - x[1]] dt + [0.6*sqrt(1 + x[0]^2), 0.5*x[1]] * dW
}
model duffing_forced() {
  state q = 1.0
  state v = 0.0
  dq = v dt
  dv = (-q^3 + q*cos(t) - 0.5*v) dt + 0.7 dW
}
# a linear part, each component by itself
model relaxing() {
  state x: real[2] = [1, 0.5]
  dx = (-2*x + 2*cos(x) + t) dt + [0.4*(1 + t), 0.8] * dW
}
model relaxing_smoothly() {
  state x: real[2] = [1, 0.5]
  dx = (-4*x + 2*sin(3*x) + t) dt
}
# a linear part that couples
model circling() {
  noise W: wiener[2]
  state x: real[2] = [1, 0]
  dx = ([[-1, 2], [-2, -3]] @ x + 2*cos(x)) dt + [[0.9, 0], [0.5 + 0.5*t, 0.8]] @ dW
}
# far from zero
model feller() {
  state x = 1.0
  dx = (1 - 2*x) dt + 0.7*sqrt(x) dW
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

/// Fewer paths, which are enough for most slopes.
const fn few(model: &'static str) -> Fit {
    fit(model, "[16, 32, 64, 128]", 1024, 400)
}

const fn many(model: &'static str) -> Fit {
    fit(model, "[8, 16, 32]", 256, 20_000)
}

/// Errors of order three are soon below rounding.
const fn third(model: &'static str, paths: u64) -> Fit {
    fit(model, "[8, 16, 32, 64]", 512, paths)
}

/// A model without noise: every path is the same.
const fn smooth(model: &'static str) -> Fit {
    fit(model, "[32, 64, 128]", 2048, 8)
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
    ("heun", "none", smooth("fast"), smooth("fast")),
    ("midpoint", "none", smooth("fast"), smooth("fast")),
    ("sriw1", "diagonal", few("each_its_own"), fit("biased", "[4, 8, 16]", 128, 20_000)),
    ("ralston", "any", few("turning"), many("drifting")),
    ("ralston", "commutative", few("commuting"), many("commuting")),
    ("ralston", "none", smooth("fast"), smooth("fast")),
    ("euler_heun", "any", few("turning"), many("drifting")),
    ("euler_heun", "commutative", few("commuting"), many("commuting")),
    ("reversible_heun", "any", few("turning"), many("drifting")),
    ("reversible_heun", "additive", few("bath"), fit("pendulum", "[8, 16, 32]", 256, 40_000)),
    ("reversible_heun", "none", smooth("fast"), smooth("fast")),
    ("platen_15", "scalar", few("one_noise"), fit("one_noise", "[8, 16, 32, 64]", 512, 40_000)),
    ("general_shark", "any", few("turning"), many("drifting")),
    ("general_shark", "commutative", few("commuting"), many("commuting")),
    ("general_shark", "additive", few("bath"), fit("pendulum", "[4, 8, 16]", 128, 20_000)),
    ("general_shark", "none", smooth("fast"), smooth("fast")),
    ("spark", "any", few("turning"), many("drifting")),
    ("spark", "commutative", few("commuting"), many("commuting")),
    ("spark", "additive", few("bath"), fit("pendulum", "[4, 8, 16]", 128, 20_000)),
    ("spark", "none", smooth("fast"), smooth("fast")),
    ("slow_rk", "any", few("turning"), fit("sweeping", "[4, 8, 16]", 128, 20_000)),
    ("slow_rk", "commutative", few("commuting"), fit("commuting", "[4, 8, 16]", 128, 40_000)),
    ("slow_rk", "none", smooth("fast"), smooth("fast")),
    ("shark", "additive", few("bath"), fit("pendulum", "[4, 8, 16]", 128, 20_000)),
    ("shark", "none", smooth("fast"), smooth("fast")),
    ("sea", "additive", few("bath"), few("bath")),
    ("taylor_15", "additive", few("bath"), fit("pendulum", "[4, 8, 16]", 128, 20_000)),
    ("taylor_15", "scalar", few("one_noise"), fit("one_noise", "[4, 8, 16]", 128, 160_000)),
    ("taylor_15", "diagonal", few("each_its_own"), fit("biased", "[4, 8, 16]", 128, 20_000)),
    ("sra2", "additive", few("bath"), fit("pendulum", "[4, 8, 16]", 128, 20_000)),
    ("sra3", "additive", few("bath"), fit("pendulum", "[4, 8, 16]", 128, 20_000)),
    ("sosra", "additive", few("bath"), fit("pendulum", "[4, 8, 16]", 128, 20_000)),
    ("sosra2", "additive", few("bath"), fit("pendulum", "[4, 8, 16]", 128, 20_000)),
    ("sra3", "none", smooth("fast"), smooth("fast")),
    ("sriw2", "scalar", few("one_noise"), fit("one_noise", "[4, 8, 16, 32]", 256, 20_000)),
    ("sriw2", "diagonal", few("each_its_own"), fit("biased", "[4, 8, 16]", 128, 20_000)),
    ("sosri", "scalar", few("one_noise"), fit("one_noise", "[8, 16, 32, 64]", 512, 40_000)),
    ("sosri", "diagonal", few("each_its_own"), fit("each_its_own", "[16, 32, 64]", 512, 20_000)),
    ("projected_euler", "any", few("leashed"), fit("leashed", "[16, 32, 64]", 512, 20_000)),
    ("truncated_euler", "any", few("leashed"), fit("leashed", "[16, 32, 64]", 512, 20_000)),
    ("full_truncation", "any", few("growing"), many("growing")),
    ("balanced_euler", "scalar", few("one_noise"), many("one_noise")),
    ("balanced_euler", "diagonal", few("each_its_own"), many("each_its_own")),
    ("balanced_milstein", "scalar", few("one_noise"), many("one_noise")),
    ("balanced_milstein", "diagonal", few("each_its_own"), many("each_its_own")),
    ("tamed_milstein", "scalar", few("one_noise"), many("one_noise")),
    ("tamed_milstein", "diagonal", few("each_its_own"), many("each_its_own")),
    ("skrock", "any", few("turning"), fit("turning", "[8, 16, 32]", 256, 40_000)),
    ("skrock", "additive", few("bath"), many("bath")),
    ("exponential_euler", "diagonal", few("each_its_own"), many("each_its_own")),
    ("exponential_euler", "additive", few("own_additive"), many("own_additive")),
    (
        "aboba",
        "any",
        fit("duffing_forced", "[4, 8, 16, 32]", 512, 1_000),
        fit("duffing_forced", "[2, 4, 8]", 64, 40_000),
    ),
    ("gjf", "any", fit("duffing_forced", "[4, 8, 16, 32]", 512, 1_000), fit("duffing_forced", "[2, 4, 8]", 64, 40_000)),
    (
        "vec",
        "any",
        fit("duffing_forced", "[4, 8, 16, 32]", 512, 1_000),
        fit("duffing_forced", "[4, 8, 16, 32]", 512, 1_000),
    ),
    (
        "klmc",
        "any",
        fit("duffing_forced", "[4, 8, 16, 32]", 512, 1_000),
        fit("duffing_forced", "[4, 8, 16, 32]", 512, 1_000),
    ),
    ("leapfrog", "none", smooth("swing"), smooth("swing")),
    ("symplectic_euler", "none", fit("swing", "[32, 64, 128]", 2048, 8), fit("swing", "[32, 64, 128]", 2048, 8)),
    ("forest_ruth", "none", smooth("swing"), smooth("swing")),
    ("ri1", "none", smooth("fast"), smooth("fast")),
    ("dri1", "none", smooth("fast"), smooth("fast")),
    ("rdi1wm", "none", smooth("fast"), smooth("fast")),
    ("rs1", "none", smooth("fast"), smooth("fast")),
    ("s_rock2", "none", smooth("fast"), smooth("fast")),
    ("rs2", "none", smooth("fast"), smooth("fast")),
    ("platen_weak_2", "none", smooth("fast"), smooth("fast")),
    ("adams_bashforth_2", "none", smooth("fast"), smooth("fast")),
    ("adams_bashforth_3", "none", smooth("fast"), smooth("fast")),
    ("adams_bashforth_4", "none", fit("fast", "[64, 128, 256]", 4096, 8), fit("fast", "[64, 128, 256]", 4096, 8)),
    ("bosh3", "none", smooth("fast"), smooth("fast")),
    ("dopri5", "none", smooth("fast"), smooth("fast")),
    ("tsit5", "none", fit("faster", "[32, 64, 128]", 1024, 8), fit("faster", "[32, 64, 128]", 1024, 8)),
    ("dopri8", "none", fit("doubled", "[8, 16, 32]", 256, 8), fit("doubled", "[8, 16, 32]", 256, 8)),
    ("milstein", "any", few("turning"), fit("drifting", "[16, 32, 64]", 512, 20_000)),
    ("platen", "any", few("turning"), fit("drifting", "[16, 32, 64]", 512, 20_000)),
    ("log_ode", "any", few("turning"), many("drifting")),
    ("ninomiya_victoir", "none", smooth("fast"), smooth("fast")),
    ("quicsort", "any", third("duffing_forced", 400), third("duffing_forced", 2_000)),
    ("sort_uld", "any", third("duffing_forced", 400), third("duffing_forced", 2_000)),
    ("should", "any", third("duffing_forced", 400), third("duffing_forced", 2_000)),
    ("align", "any", third("duffing_forced", 400), third("duffing_forced", 2_000)),
    ("drift_implicit_euler", "any", few("turning"), many("one_noise")),
    ("drift_implicit_euler", "additive", few("bath"), many("bath")),
    ("stochastic_theta", "any", few("turning"), many("one_noise")),
    ("stochastic_theta", "additive", few("bath"), fit("pendulum", "[4, 8, 16]", 128, 100_000)),
    ("stochastic_theta", "none", smooth("fast"), smooth("fast")),
    ("implicit_midpoint", "any", few("turning"), many("drifting")),
    ("implicit_midpoint", "commutative", few("commuting"), fit("commuting", "[8, 16, 32]", 256, 40_000)),
    ("implicit_midpoint", "none", smooth("fast"), smooth("fast")),
    ("split_step_backward_euler", "any", few("turning"), many("biased")),
    ("split_step_backward_euler", "additive", few("bath"), many("bath")),
    ("s_rock1", "any", few("turning"), fit("turning", "[8, 16, 32]", 256, 40_000)),
    ("s_rock1", "additive", few("bath"), many("bath")),
    ("etd1", "diagonal", few("relaxing"), many("relaxing")),
    ("etd1", "any", few("circling"), many("circling")),
    ("etdrk2", "diagonal", few("relaxing"), fit("relaxing", "[4, 8, 16]", 128, 80_000)),
    ("etdrk2", "none", smooth("relaxing_smoothly"), smooth("relaxing_smoothly")),
    ("etdrk2", "any", few("circling"), fit("circling", "[4, 8, 16]", 128, 40_000)),
    ("lamperti_cir", "any", few("feller"), fit("feller", "[16, 32, 64]", 512, 20_000)),
];

/// Solvers with weak orders alone: their draws are those of no other step size, or stand for a Wiener process only in law.
/// Their orders show in moments, in `moments.rs`, and those of [`LISTED`] in all outcomes of a step.
pub const UNCOUPLED: &[&str] = &[
    "dri1",
    "ninomiya_victoir",
    "obabo",
    "platen_weak_2",
    "randomized_midpoint",
    "rdi1wm",
    "ri1",
    "rs1",
    "rs2",
    "s_rock2",
    "simplified_euler",
    "ubu",
];

/// Solvers whose draws take few values, each with the noise of a declaration and models of it: `converge` finds the weak
/// order from all outcomes of a step, which needs no samples.
const LISTED: &[(&str, &str, &[&str])] = &[
    ("simplified_euler", "any", &["one_noise", "each_its_own", "drifting", "turning", "bath"]),
    ("platen_weak_2", "scalar", &["one_noise"]),
    ("platen_weak_2", "any", &["each_its_own", "drifting", "turning", "bath"]),
    ("ri1", "any", &["one_noise", "each_its_own", "drifting", "turning"]),
    ("dri1", "any", &["one_noise", "each_its_own", "drifting", "turning"]),
    ("rdi1wm", "any", &["one_noise", "each_its_own", "drifting", "turning"]),
    ("rs1", "any", &["one_noise", "each_its_own", "drifting", "turning"]),
    ("rs2", "any", &["one_noise", "each_its_own", "drifting", "turning"]),
    ("s_rock2", "any", &["one_noise", "each_its_own", "drifting", "turning"]),
];

/// Their errors are known but for the next power of h, which moves the slope between the last two steps by about half of what
/// it was before.
#[test]
fn weak_orders_of_all_outcomes_are_those_stated() {
    for (solver, class, models) in LISTED {
        let line = stated().into_iter().find(|s| s.solver == *solver && s.class == *class);
        let wanted = line.and_then(|s| s.weak).expect("a weak order is stated");
        for model in *models {
            // many stages, and so a large factor before the next power of h
            let steps = if *solver == "s_rock2" { "[64, 128]" } else { "[16, 32]" };
            let found = measured(solver, &fit(model, steps, 1024, 16));
            let order = found.weak_order;
            println!("{solver} on {model}: {:.4} ± {:.4}, stated {wanted}", order.value, order.se);
            assert!(found.enumerated.is_some(), "{solver} on {model}");
            assert!((order.value - wanted).abs() < 2.0 * order.se + 0.01, "{solver} on {model}: {order:?}");
            assert!(order.se < 0.1, "{solver} on {model}: {order:?}");
        }
    }
}

/// An `order` line of the library.
#[derive(Debug)]
pub struct Stated {
    pub solver: String,
    pub class: String,
    pub strong: Option<f64>,
    pub weak: Option<f64>,
}

impl Stated {
    /// Whether the line is about moments alone.
    fn uncoupled(&self) -> bool {
        self.strong.is_none() && UNCOUPLED.contains(&self.solver.as_str())
    }
}

pub fn stated() -> Vec<Stated> {
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
    for line in stated().into_iter().filter(|s| s.solver == solver && !s.uncoupled()) {
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

solvers! {
    aboba adams_bashforth_2 adams_bashforth_3 adams_bashforth_4 align balanced_euler balanced_milstein baoab bosh3
    dopri5 dopri8 dri1 drift_implicit_euler etd1 etdrk2 euler_heun euler_maruyama exponential_euler forest_ruth
    full_truncation general_shark gjf heun implicit_midpoint klmc lamperti_cir leapfrog log_ode midpoint milstein
    ninomiya_victoir platen platen_15 platen_weak_2 projected_euler quicsort ralston rdi1wm reversible_heun ri1 rk4 rs1
    rs2 s_rock1 s_rock2 sea shark should skrock slow_rk sort_uld sosra sosra2 sosri spark split_step_backward_euler sra1
    sra2 sra3 sriw1 sriw2 stochastic_theta symplectic_euler tamed_euler tamed_milstein taylor_15 truncated_euler tsit5 vec
}

#[test]
fn every_stated_order_is_measured() {
    for line in stated() {
        assert!(NAMES.contains(&line.solver.as_str()) || line.uncoupled(), "{line:?}");
    }
}
