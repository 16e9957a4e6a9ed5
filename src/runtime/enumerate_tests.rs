use std::sync::Arc;

use super::*;
use crate::runtime::testing::{self, HashNoise, no_rows};

/// A scheme for a scalar equation: `rule(x, dt, noise)`.
type Scheme = fn(f64, f64, &[f64]) -> f64;

fn stage(draws: usize, dt: f64, rule: Scheme) -> Stage {
    let rows = Arc::new(move |range: std::ops::Range<u64>| range.map(|_| dt).collect());
    testing::stage(1, &[], draws, 1, rows, move |l: testing::Lane<'_>| {
        l.state[0] = rule(l.state[0], l.step[0], l.noise);
    })
}

fn found(draws: usize, rule: Scheme) -> Result<Enumerated, Unlisted> {
    let init = testing::stage(1, &[], 0, 0, no_rows(), |l: testing::Lane<'_>| l.state[0] = 0.7);
    let starts = starts((&init, 0), &stage(draws, 0.1, rule), 5, &HashNoise, (1, 0));
    assert_eq!(starts.len(), STARTS);
    let pair = |k: i32| {
        let h = 0.5f64.powi(k);
        Pair { h, whole: stage(draws, h, rule), halves: stage(draws, h / 2.0, rule) }
    };
    run(&Enumeration { starts, pairs: (3..9).map(pair).collect(), rows: &[0], span: 1.0 })
}

/// Whether the order is this, but for what is left of the next power of the step.
fn is_of_order(wanted: f64, draws: usize, rule: Scheme) -> bool {
    let order = found(draws, rule).expect("a few outcomes").order;
    println!("{order:?}, wanted {wanted}");
    order.se < 0.05 && (order.value - wanted).abs() < 2.0 * order.se + 0.01
}

const ONE_IN_SIX: f64 = 0.967_421_566_101_701;

fn two_values(z: f64) -> f64 {
    z.signum()
}

/// With the moments of a normal up to the fifth.
fn three_values(z: f64) -> f64 {
    if z.abs() < ONE_IN_SIX { 0.0 } else { 3f64.sqrt() * z.signum() }
}

/// Euler's scheme for dx = sin x dt + cos x dW.
fn euler(x: f64, dt: f64, w: f64) -> f64 {
    x + x.sin() * dt + x.cos() * w * dt.sqrt()
}

/// Platen's scheme of weak order 2 for the same (Kloeden & Platen, 15.1.1).
fn platen(x: f64, dt: f64, w: f64) -> f64 {
    let r = dt.sqrt();
    let (f, g) = (x.sin(), x.cos());
    let y = x + f * dt;
    let (up, down) = ((y + g * r).cos(), (y - g * r).cos());
    let w = w * r;
    x + (f + (y + g * w).sin()) / 2.0 * dt + (up + down + 2.0 * g) / 4.0 * w + (up - down) / 4.0 * (w * w - dt) / r
}

#[test]
fn orders_are_those_of_theory() {
    assert!(is_of_order(1.0, 1, |x, dt, z| euler(x, dt, two_values(z[0]))));
    assert!(is_of_order(1.0, 1, |x, dt, z| euler(x, dt, three_values(z[0]))));
    assert!(is_of_order(2.0, 1, |x, dt, z| platen(x, dt, three_values(z[0]))));
}

#[test]
fn two_values_are_not_enough_for_order_two() {
    assert!(is_of_order(1.0, 1, |x, dt, z| platen(x, dt, two_values(z[0]))));
}

#[test]
fn moments_of_high_degree_and_of_several_components_count() {
    // E w^5 is not zero: order 3/2
    const VALUES: [(f64, f64); 4] = [(-2.0, 4.0 / 45.0), (-0.5, 32.0 / 63.0), (1.0, 7.0 / 18.0), (3.0, 1.0 / 70.0)];
    fn skewed(z: f64) -> f64 {
        let (mut p, at) = (0.0, crate::kernels::elementary::norm_cdf(z));
        for (value, share) in VALUES {
            p += share;
            if at < p {
                return value;
            }
        }
        3.0
    }
    assert!(is_of_order(1.5, 1, |x, dt, z| x + dt.sqrt() * skewed(z[0])));
    // the product of three signs, each pair of which is independent: order 1/2
    let rule = |dt: f64| {
        let rows = Arc::new(move |range: std::ops::Range<u64>| range.map(|_| dt).collect());
        testing::stage(3, &[], 2, 1, rows, move |l: testing::Lane<'_>| {
            let (a, b, r) = (two_values(l.noise[0]), two_values(l.noise[1]), l.step[0].sqrt());
            [a, b, a * b].iter().zip(l.state).for_each(|(w, x)| *x += r * w);
        })
    };
    let pair = |k: i32| Pair { h: 0.5f64.powi(k), whole: rule(0.5f64.powi(k)), halves: rule(0.5f64.powi(k + 1)) };
    let starts = vec![vec![0.1, 0.2, 0.3], vec![1.0, 2.0, 3.0], vec![0.0; 3], vec![-1.0; 3]];
    let e = run(&Enumeration { starts, pairs: (3..9).map(pair).collect(), rows: &[0, 1, 2], span: 1.0 }).expect("few");
    assert!((e.order.value - 0.5).abs() < 0.05 && e.degrees == [3, 7], "{e:?}");
}

#[test]
fn a_sign_that_is_seen_by_its_symmetry_alone_is_never_zero() {
    let rule: Scheme = |x, dt, z| {
        let s = if z[1] == 0.0 { 0.0 } else { z[1].signum() };
        x + dt.sqrt() * three_values(z[0]) * s * s
    };
    let e = found(2, rule).expect("three outcomes");
    assert!(e.ways == 3 && e.levels.iter().all(|l| l.rounding || l.error > 0.0), "{e:?}");
    assert!(is_of_order(2.0, 2, rule));
}

#[test]
fn rare_values_are_seen() {
    let (starts, rare) = (vec![vec![0.2], vec![0.9]], |x: f64, _: f64, z: &[f64]| x + f64::from(z[0] < -4.5));
    let ways = Ways::of(&stage(1, 0.1, rare), &starts, &mut Cuts::default()).expect("two values");
    let share = crate::kernels::elementary::norm_cdf(-4.5);
    assert!((ways.weights[0] / share - 1.0).abs() < 1e-9, "{:?}", ways.weights);
}

#[test]
fn each_combination_of_draws_counts_once() {
    let e = found(2, |x, dt, z| euler(x, dt, three_values(z[0])) + 0.1 * dt.sqrt() * two_values(z[1])).expect("few");
    assert_eq!((e.ways, e.starts), (6, STARTS));
    let (starts, stage) = (vec![vec![0.2], vec![0.9]], stage(1, 0.1, |x, _, z| x + three_values(z[0])));
    let ways = Ways::of(&stage, &starts, &mut Cuts::default()).expect("three values");
    let shares = [1.0 / 6.0, 2.0 / 3.0, 1.0 / 6.0];
    for (weight, share) in ways.weights.iter().zip(shares) {
        assert!((weight - share).abs() < 1e-13, "{weight} for {share}");
    }
}

#[test]
fn draws_that_matter_continuously_are_seen() {
    let refused = |draws, rule: Scheme| found(draws, rule).expect_err("no list");
    assert_eq!(refused(1, |x, dt, z| euler(x, dt, z[0])), Unlisted::Continuous);
    // few values, with jumps that depend on the state, as of a step that is accepted or not
    assert_eq!(refused(1, |x, dt, z| if z[0] < x { x + dt } else { x }), Unlisted::Continuous);
    // continuous in the tails alone
    assert_eq!(refused(1, |x, _, z| x + z[0].clamp(-3.2, 3.2) * f64::from(z[0].abs() > 2.9)), Unlisted::Continuous);
    assert_eq!(refused(1, |x, dt, _| x + dt), Unlisted::Certain);
    let many: Scheme = |x, dt, z| x + dt.sqrt() * z.iter().map(|z| three_values(*z)).sum::<f64>();
    assert!(matches!(refused(8, many), Unlisted::Many(n) if n > 4096));
}

#[test]
fn an_exact_step_has_no_order() {
    // its moments do not depend on the length of the step
    let e = found(1, |x, _, z| x + 0.0 * two_values(z[0])).map(|e| e.order.value.is_nan());
    assert_eq!(e, Err(Unlisted::Certain));
    let e = found(1, |_, _, z| two_values(z[0])).expect("two outcomes");
    assert!(e.order.value.is_nan() && e.levels.iter().all(|l| l.rounding), "{e:?}");
}
