//! Weak orders of solvers whose draws are coupled over no steps: errors of moments that are known in closed form.
//!
//! The errors of a few moments, each in units of its standard deviation, are taken as one vector. Its length at two numbers of
//! steps gives the order; the standard error of a moment is one over the root of the number of paths in these units.

use fokker::output::result::RunResult;
use fokker::session::Request;

use crate::orders::{UNCOUPLED, stated};
use crate::{number, program, results};

/// Terms of the next order, as in `orders.rs`.
const ALLOWANCE: f64 = 0.12;

/// A model, moments to report at time 1, and their values.
struct Known {
    model: &'static str,
    text: &'static str,
    moments: &'static str,
    exact: fn() -> Vec<f64>,
}

/// x = sinh(t + W) (Kloeden & Platen, 1992, section 4.4), so that z = t + W is normal with mean 1 and variance 1.
const ARC: Known = Known {
    model: "arc",
    text: "
model arc() {
  noise W: wiener
  state x = 0.0
  dx = (x/2 + sqrt(x^2 + 1)) dt + sqrt(x^2 + 1) dW
  let z = log(x + sqrt(x^2 + 1))
}",
    moments: "mean(z^2), mean(z^3)",
    exact: || vec![2.0, 4.0],
};

/// Linear, with noises that do not commute: the second moments solve a linear equation.
const TURN: Known = Known {
    model: "turn",
    text: "
model turn() {
  noise W: wiener[2]
  state x: real[2] = [1, 0.5]
  dx = [-0.3*x[0] + x[1]/2, -0.3*x[1] - x[0]/2] dt + [[0.2*x[0] + 0.8*x[1], 0.3*x[1]], [-0.8*x[0], 0.7*x[0]]] @ dW
}",
    moments: "mean(x[0]^2), mean(x[0]*x[1]), mean(x[1]^2)",
    exact: turning_moments,
};

/// The same with a third noise, so that pairs of double integrals share one of their indices.
const WHIRL: Known = Known {
    model: "whirl",
    text: "
model whirl() {
  noise W: wiener[3]
  state x: real[2] = [1, 0.5]
  dx = [-0.3*x[0] + x[1]/2, -0.3*x[1] - x[0]/2] dt
       + [[0.2*x[0] + 0.8*x[1], 0.3*x[1], 0.5*x[0]], [-0.8*x[0], 0.7*x[0], 0.4*x[0] - 0.5*x[1]]] @ dW
}",
    moments: "mean(x[0]^2), mean(x[0]*x[1]), mean(x[1]^2)",
    exact: whirling_moments,
};

/// The process of Beneš, whose law at time 1 is a mixture of two normal laws with means x0 + b and x0 - b, variance 1 and the
/// weights (1 + tanh(b x0))/2 and (1 - tanh(b x0))/2 (Beneš, Stochastics 5 (1981) 65; here b = 2, x0 = 0.3).
const BENES: Known = Known {
    model: "benes",
    text: "
model benes() {
  state x = 0.3
  dx = 2*tanh(2*x) dt + 1 dW
}",
    moments: "mean(x), mean(x^2), mean(x^3)",
    exact: || {
        let (up, x, b) = ((1.0 + 0.6f64.tanh()) / 2.0, 0.3, 2.0);
        let both = |f: fn(f64) -> f64| up * f(x + b) + (1.0 - up) * f(x - b);
        vec![both(|m| m), both(|m| m * m + 1.0), both(|m| m * m * m + 3.0 * m)]
    },
};

/// A damped oscillator with noise: dP = (A P + P A' + diag(0, 1)) dt for its second moments.
const SPRING: Known = Known {
    model: "oscillator",
    text: "
model oscillator() {
  state q = 1.0
  state v = 0.0
  dq = v dt
  dv = (-2*q - v) dt + 1 dW
}",
    moments: "mean(q^2), mean(q*v), mean(v^2)",
    exact: || {
        const A: Matrix = [[0.0, 1.0], [-2.0, -1.0]];
        let p = integrated([[1.0, 0.0], [0.0, 0.0]], |p| {
            add(&add(&product(&A, p), &product(p, &transpose(&A)), 1.0), &[[0.0, 0.0], [0.0, 1.0]], 1.0)
        });
        vec![p[0][0], p[0][1], p[1][1]]
    },
};

fn turning_moments() -> Vec<f64> {
    second_moments(&[[[0.2, 0.8], [-0.8, 0.0]], [[0.0, 0.3], [0.7, 0.0]]])
}

fn whirling_moments() -> Vec<f64> {
    second_moments(&[[[0.2, 0.8], [-0.8, 0.0]], [[0.0, 0.3], [0.7, 0.0]], [[0.5, 0.0], [0.4, -0.5]]])
}

/// dP = (A P + P A' + the sum of B P B' over the noises) dt for P = E x x'.
fn second_moments(noises: &[Matrix]) -> Vec<f64> {
    const A: Matrix = [[-0.3, 0.5], [-0.5, -0.3]];
    let rate = |p: &Matrix| {
        let drift = add(&product(&A, p), &product(p, &transpose(&A)), 1.0);
        noises.iter().fold(drift, |sum, b| add(&sum, &around(b, p), 1.0))
    };
    let p = integrated([[1.0, 0.5], [0.5, 0.25]], rate);
    vec![p[0][0], p[0][1], p[1][1]]
}

/// What a matrix is at time 1, by small Runge-Kutta steps.
fn integrated(mut p: Matrix, rate: impl Fn(&Matrix) -> Matrix) -> Matrix {
    let n = 1000;
    let h = 1.0 / f64::from(n);
    for _ in 0..n {
        let k1 = rate(&p);
        let k2 = rate(&add(&p, &k1, h / 2.0));
        let k3 = rate(&add(&p, &k2, h / 2.0));
        let k4 = rate(&add(&p, &k3, h));
        p = [(k1, 1.0), (k2, 2.0), (k3, 2.0), (k4, 1.0)].iter().fold(p, |p, (k, w)| add(&p, k, w * h / 6.0));
    }
    p
}

type Matrix = [[f64; 2]; 2];

fn add(a: &Matrix, b: &Matrix, c: f64) -> Matrix {
    [0, 1].map(|i| [0, 1].map(|j| a[i][j] + c * b[i][j]))
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    [0, 1].map(|i| [0, 1].map(|j| a[i][0] * b[0][j] + a[i][1] * b[1][j]))
}

fn transpose(a: &Matrix) -> Matrix {
    [0, 1].map(|i| [0, 1].map(|j| a[j][i]))
}

/// b p b'
fn around(b: &Matrix, p: &Matrix) -> Matrix {
    product(&product(b, p), &transpose(b))
}

/// The length of the vector of errors with `n` steps, freed of what noise adds to its square on average.
fn error(solver: &str, known: &Known, n: u32, paths: u64) -> f64 {
    let text = format!(
        "{}\nrun r {{\n  model = {}()\n  solver = {solver}\n  time = 0 .. 1 step {}\n  paths = {paths}\n  seed = 11\n  \
         report {}\n}}\n",
        known.text,
        known.model,
        1.0 / f64::from(n),
        known.moments
    );
    let variant = results(&program(&text), &Request::default()).remove(0);
    let errors = variant.reports.iter().zip((known.exact)()).map(|(report, exact)| {
        let (value, se) = number(report);
        ((value - exact) / se).powi(2) - 1.0
    });
    (errors.sum::<f64>().max(0.0) / paths as f64).sqrt()
}

/// Solver, the noise of the declaration, its weak order, where that shows, the smaller number of steps, and paths.
const CASES: &[(&str, &str, f64, Known, u32, u64)] = &[
    ("simplified_euler", "any", 1.0, TURN, 4, 1_000_000),
    ("platen_weak_2", "scalar", 2.0, ARC, 4, 8_000_000),
    ("platen_weak_2", "any", 2.0, TURN, 2, 3_000_000),
    ("ri1", "any", 2.0, TURN, 2, 3_000_000),
    ("dri1", "any", 2.0, TURN, 2, 3_000_000),
    ("rdi1wm", "any", 1.0, TURN, 4, 1_000_000),
    ("rs1", "any", 2.0, TURN, 2, 3_000_000),
    ("rs2", "any", 2.0, TURN, 2, 3_000_000),
    ("platen_weak_2", "any", 2.0, WHIRL, 2, 3_000_000),
    ("ri1", "any", 2.0, WHIRL, 2, 8_000_000),
    ("dri1", "any", 2.0, WHIRL, 2, 8_000_000),
    ("rs1", "any", 2.0, WHIRL, 2, 3_000_000),
    ("rs2", "any", 2.0, WHIRL, 2, 3_000_000),
    ("s_rock2", "any", 2.0, ARC, 2, 4_000_000),
    ("s_rock2", "any", 2.0, WHIRL, 2, 16_000_000),
    ("ninomiya_victoir", "any", 2.0, TURN, 2, 16_000_000),
    ("randomized_midpoint", "additive", 2.0, BENES, 6, 16_000_000),
    ("randomized_midpoint", "additive", 3.0, SPRING, 2, 6_000_000),
];

#[test]
fn errors_of_moments_fall_as_stated() {
    for (solver, class, wanted, known, n, paths) in CASES {
        // Debug builds check that the cases run.
        let paths = if cfg!(debug_assertions) { 1_000 } else { *paths };
        let (coarse, fine) = (error(solver, known, *n, paths), error(solver, known, 2 * n, paths));
        if cfg!(debug_assertions) {
            continue;
        }
        let noise = 1.0 / (paths as f64).sqrt();
        let (order, se) = ((coarse / fine).log2(), (noise / coarse).hypot(noise / fine) / std::f64::consts::LN_2);
        println!("{solver} for {class}: {order:.3} ± {se:.3}, stated {wanted}");
        // Orders one apart are told from each other.
        assert!(3.0 * se + ALLOWANCE < 0.5, "{solver} for {class}: {order} ± {se} says little");
        assert!((order - wanted).abs() < 3.0 * se + ALLOWANCE, "{solver} for {class}: {order} ± {se}, not {wanted}");
    }
}

#[test]
fn every_order_that_nothing_couples_is_tested_here() {
    for line in stated().into_iter().filter(|s| s.strong.is_none()) {
        assert!(UNCOUPLED.contains(&line.solver.as_str()), "{line:?}");
        let moments = CASES.iter().any(|c| c.0 == line.solver && c.1 == line.class && Some(c.2) == line.weak);
        assert!(moments || ["obabo", "ubu"].contains(&line.solver.as_str()), "{line:?}");
    }
    for (solver, class, weak, ..) in CASES {
        let is_stated = stated().iter().any(|s| s.solver == *solver && s.class == *class && s.weak == Some(*weak));
        assert!(is_stated, "{solver} for {class} does not state the weak order {weak}");
    }
}

fn on_a_spring(solver: &str, h: f64) -> Vec<RunResult> {
    let text = format!(
        "target spring() on x: real {{ potential x^2/2 }}\nrun biased {{\n  model = underdamped(spring(), gamma = 1)\n  \
         solver = {solver}\n  time = 0 .. 20 step {h}\n  paths = 20_000\n  seed = 5\n  report var(q), var(v)\n}}\n"
    );
    results(&program(&text), &Request::default())
}

fn has_variances(variant: &RunResult, h: f64, exact: [f64; 2]) {
    for (report, exact) in variant.reports.iter().zip(exact) {
        let (value, se) = number(report);
        assert!((value - exact).abs() < 4.0 * se, "{:?} at {h}: {value} ± {se}, not {exact}", variant.solver);
        assert!(se < 0.02, "{se}");
    }
}

/// On a harmonic oscillator (frequency 1) the Verlet step inside OBABO keeps v^2 + q^2 (1 - h^2/4), and its two halves
/// of friction and noise keep the normal law of v: the stationary variance of q is 1/(1 - h^2/4), off by h^2/4 to
/// leading order, which is weak order 2. BAOAB has the variance 1 of q exactly, and 1 - h^2/4 of v (Leimkuhler & Matthews,
/// Molecular Dynamics, 2015, section 7.4).
#[test]
fn obabo_is_biased_as_its_order_says() {
    for h in [0.5, 1.0] {
        let variants = on_a_spring("[obabo, baoab]", h);
        has_variances(&variants[0], h, [1.0 / (1.0 - h * h / 4.0), 1.0]);
        has_variances(&variants[1], h, [1.0, 1.0 - h * h / 4.0]);
    }
}

/// The stationary covariance of UBU on the same oscillator with friction 1 solves S = M S M' + K N K' + N for the map M of a
/// step, its second part K (the kick and half a step) and the covariance N of the noise of half a step.
fn ubu_covariance(h: f64) -> Matrix {
    let (s, decay) = (h / 2.0, (-h / 2.0).exp());
    let (one, two) = (1.0 - decay, 1.0 - decay * decay);
    let half: Matrix = [[1.0, one], [0.0, decay]];
    let noise: Matrix = [[2.0 * (s - 2.0 * one + two / 2.0), one * one], [one * one, two]];
    let second = product(&half, &[[1.0, 0.0], [-h, 1.0]]);
    let whole = product(&second, &half);
    let fresh = add(&around(&second, &noise), &noise, 1.0);
    (0..2000).fold([[1.0, 0.0], [0.0, 1.0]], |p, _| add(&around(&whole, &p), &fresh, 1.0))
}

#[test]
fn ubu_is_biased_as_its_order_says() {
    for h in [0.5, 1.0] {
        let exact = ubu_covariance(h);
        has_variances(&on_a_spring("ubu", h)[0], h, [exact[0][0], exact[1][1]]);
    }
    // Weak order 2: half the step leaves a quarter of the bias.
    for k in [0, 1] {
        let bias = |h: f64| (ubu_covariance(h)[k][k] - 1.0).abs();
        let order = (bias(0.1) / bias(0.05)).log2();
        assert!((order - 2.0).abs() < 0.02, "{order}");
    }
}
