use std::sync::atomic::AtomicBool;

use super::*;
use crate::math::VarId;
use crate::runtime::testing::{HashNoise, Lane, no_rows, stage};
use crate::step::program::DrawSlot;

const SIGMA: f64 = 0.6;
const MU: f64 = 0.5;

fn dt_rows(steps: u64) -> crate::runtime::Rows {
    Arc::new(move |range| range.map(|_| 1.0 / steps as f64).collect())
}

/// A level of a scheme for a scalar equation: `rule(x, dt, noise)`.
fn level(steps: u64, draws: usize, rule: fn(f64, f64, &[f64]) -> f64) -> Level {
    let stage = stage(1, &[], draws, 1, dt_rows(steps), move |l: Lane<'_>| {
        l.state[0] = rule(l.state[0], l.step[0], l.noise);
    });
    Level { stage, steps }
}

fn job(levels: Vec<Level>, reference: Level, paths: u64) -> CoupledJob {
    CoupledJob {
        init: stage(1, &[], 0, 0, no_rows(), |l: Lane<'_>| l.state[0] = 1.0),
        levels,
        reference,
        wiener: vec![Wiener { sites: [0, 512, 768], dims: 1 }],
        levy: 1020,
        own: 3584,
        rows: vec![0],
        span: 1.0,
        paths,
        seed: 3,
        stream: 0,
        trees: None,
        threads: 2,
        deterministic: false,
        noise: Arc::new(HashNoise),
        spent: Vec::new(),
    }
}

fn exact(x: f64, dt: f64, noise: &[f64]) -> f64 {
    x * ((MU - 0.5 * SIGMA * SIGMA) * dt + SIGMA * dt.sqrt() * noise[0]).exp()
}

fn euler(x: f64, dt: f64, noise: &[f64]) -> f64 {
    x + MU * x * dt + SIGMA * x * dt.sqrt() * noise[0]
}

fn milstein(x: f64, dt: f64, noise: &[f64]) -> f64 {
    let dw = dt.sqrt() * noise[0];
    euler(x, dt, noise) + 0.5 * SIGMA * SIGMA * x * (dw * dw - dt)
}

fn orders(rule: fn(f64, f64, &[f64]) -> f64) -> Converged {
    let levels = [16, 32, 64, 128].map(|n| level(n, 1, rule)).to_vec();
    run(&job(levels, level(512, 1, exact), 2000), Control::default()).expect("a coupling")
}

#[test]
fn euler_has_strong_order_one_half_and_milstein_one() {
    let e = orders(euler);
    assert!((e.strong_order.value - 0.5).abs() < 0.08, "{:?}", e.strong_order);
    assert!((e.rms_order.value - 0.5).abs() < 0.1, "{:?}", e.rms_order);
    assert!(e.strong_order.se > 0.0 && e.strong_order.se < 0.05);
    let m = orders(milstein);
    assert!((m.strong_order.value - 1.0).abs() < 0.08, "{:?}", m.strong_order);
    assert!((m.weak_order.value - 1.0).abs() < 0.15, "{:?}", m.weak_order);
    assert_eq!((m.finished, m.levels.len()), (2000, 4));
    assert!(m.levels.windows(2).all(|w| w[1].strong.value < w[0].strong.value));
}

#[test]
fn without_noise_the_orders_are_certain() {
    let forward = |x: f64, dt: f64, _: &[f64]| x + MU * x * dt;
    let levels = [16, 32, 64].map(|n| level(n, 1, forward)).to_vec();
    let c = run(&job(levels, level(1 << 16, 1, forward), 8), Control::default()).expect("a coupling");
    for order in [c.strong_order, c.rms_order, c.weak_order] {
        assert!((order.value - 1.0).abs() < 0.02 && order.se < 1e-12, "{order:?}");
    }
    let levels = [16, 32, 64].map(|n| level(n, 1, forward)).to_vec();
    let one = run(&job(levels, level(1 << 16, 1, forward), 1), Control::default()).expect("a coupling").strong_order;
    assert!((one.value - 1.0).abs() < 0.02 && one.se.is_nan(), "{one:?}");
}

#[test]
fn an_exact_scheme_has_only_rounding_errors() {
    let levels = [3, 8, 24].map(|n| level(n, 1, exact)).to_vec();
    let c = run(&job(levels, level(240, 1, exact), 100), Control::default()).expect("a coupling");
    assert!(c.levels.iter().all(|l| l.rms.value < 1e-13), "{:?}", c.levels);
}

/// Draws of u and of v, as two slots.
fn with_integral(mut l: Level) -> Level {
    let mut program = (*l.stage.program).clone();
    program.draws[0].components = 1;
    let v = DrawSlot { var: VarId(98), base: Base::Normal, site: 512, turn: 0, components: 1, first_row: 1 };
    program.draws.push(v);
    l.stage.program = Arc::new(program);
    l
}

#[test]
fn time_integrals_are_carried_over_exactly() {
    // dx = W dt: x(1) is the integral of W, which the scheme x' = x + w dt + dZ, w' = w + dW gives exactly.
    let rule = |l: Lane<'_>| {
        let dt: f64 = l.step[0];
        let dw = dt.sqrt() * l.noise[0];
        let dz = 0.5 * dt.powf(1.5) * (l.noise[0] + l.noise[1] / 3f64.sqrt());
        l.state[0] += l.state[1] * dt + dz;
        l.state[1] += dw;
    };
    let level = |steps| with_integral(Level { stage: stage(2, &[], 2, 1, dt_rows(steps), rule), steps });
    let mut j = job(vec![level(1), level(4), level(12)], level(96), 4000);
    j.init = stage(2, &[], 0, 0, no_rows(), |l: Lane<'_>| l.state.fill(0.0));
    j.wiener = vec![Wiener { sites: [0, 512, 768], dims: 1 }];
    j.rows = vec![0, 1];
    let c = run(&j, Control::default()).expect("a coupling");
    assert!(c.levels.iter().all(|l| l.rms.value < 1e-13), "{:?}", c.levels);
    // The single step of the first level has the right law: var Z = 1/3, var W = 1, through E x^2 of the reference.
    let weak: Vec<f64> = c.levels[0].weak.iter().map(|row| row[1].value).collect();
    assert!(weak.iter().all(|w| w.abs() < 1e-12), "{weak:?}");
}

#[test]
fn levels_may_use_integrals_that_the_reference_does_not() {
    // With dx = W dt again: the reference is a plain Riemann sum of fine steps.
    let plain = |l: Lane<'_>| {
        l.state[0] += l.state[1] * l.step[0];
        l.state[1] += l.step[0].sqrt() * l.noise[0];
    };
    let taylor = |l: Lane<'_>| {
        let dt: f64 = l.step[0];
        l.state[0] += l.state[1] * dt + 0.5 * dt.powf(1.5) * (l.noise[0] + l.noise[1] / 3f64.sqrt());
        l.state[1] += dt.sqrt() * l.noise[0];
    };
    let coarse = with_integral(Level { stage: stage(2, &[], 2, 1, dt_rows(4), taylor), steps: 4 });
    let fine = Level { stage: stage(2, &[], 1, 1, dt_rows(1024), plain), steps: 1024 };
    let mut j = job(vec![coarse], fine, 1000);
    j.init = stage(2, &[], 0, 0, no_rows(), |l: Lane<'_>| l.state.fill(0.0));
    j.wiener = vec![Wiener { sites: [0, 512, 768], dims: 1 }];
    // The Riemann sum misses the sum of dZ, of variance h^3/3 each: h^2/3 in all.
    let rms = run(&j, Control::default()).expect("a coupling").levels[0].rms.value;
    assert!((rms * 1024.0 * 3f64.sqrt() - 1.0).abs() < 0.15, "{rms}");
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let make = |threads| {
        let levels = [16, 64].map(|n| level(n, 1, euler)).to_vec();
        CoupledJob { threads, ..job(levels, level(128, 1, milstein), 777) }
    };
    let one = run(&make(1), Control::default());
    assert_eq!(format!("{one:?}"), format!("{:?}", run(&make(2), Control::default())));
    assert_eq!(format!("{one:?}"), format!("{:?}", run(&make(3), Control::default())));
}

#[test]
fn paths_that_break_are_counted_and_left_out() {
    let fragile = |x: f64, dt: f64, noise: &[f64]| if noise[0] > 3.0 { f64::NAN } else { exact(x, dt, noise) };
    let c = run(&job(vec![level(16, 1, fragile), level(32, 1, exact)], level(64, 1, exact), 2000), Control::default());
    let c = c.expect("a coupling");
    // 32,000 coarse normals, each above 3 with probability 0.00135.
    assert!((c.levels[0].diverged as f64 - 43.0).abs() < 30.0, "{}", c.levels[0].diverged);
    assert_eq!((c.levels[1].diverged, c.reference_diverged), (0, 0));
    assert!(c.levels[0].rms.value < 1e-13);
}

#[test]
fn what_cannot_be_coupled_is_refused() {
    let refused = |j: &CoupledJob| run(j, Control::default()).expect_err("a refusal");
    let bad = job(vec![level(24, 1, euler)], level(64, 1, euler), 8);
    assert_eq!(refused(&bad), Refusal::Indivisible { steps: 24, reference: 64 });
    let same = job(vec![level(64, 1, euler)], level(64, 1, euler), 8);
    assert!(refused(&same).to_string().contains("proper divisor"));
    assert_eq!(refused(&job(vec![], level(64, 1, euler), 8)), Refusal::NoLevels);
    let mut other = job(vec![level(16, 1, euler)], level(64, 1, euler), 8);
    other.wiener = vec![Wiener { sites: [7, 512, 768], dims: 1 }];
    assert_eq!(refused(&other), Refusal::OtherDraw { site: 0 });
}

#[test]
fn a_stopped_comparison_keeps_what_it_has() {
    let stopped = AtomicBool::new(true);
    let c = run(
        &job(vec![level(16, 1, euler)], level(64, 1, euler), 100),
        Control { stop: Some(&stopped), progress: None },
    )
    .expect("a coupling");
    assert_eq!(c.finished, 0);
    assert!(c.strong_order.value.is_nan());
}
