//! Whether reported standard errors are what they say: over many seeds, `z = (estimate - truth)/se` has mean 0 and
//! variance 1.
//!
//! With 200 seeds the variance of z is known to a tenth. Its band is that of a chi-square law at [`TAIL`] on either
//! side. Standard errors from 32 groups are themselves uncertain, which makes z a Student law of 31 degrees of freedom
//! with variance 31/29: the upper end is moved by that.

use fokker::session::Request;
use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};

use crate::{number, program, results};

const SEEDS: u64 = 200;
const TAIL: f64 = 1e-4;
const GROUPS: f64 = 32.0;

/// Runs a program whose reports estimate the given numbers with many seeds.
fn calibrated(text: &str, truths: &[(&str, f64)]) {
    let reports: Vec<String> = truths.iter().map(|(s, _)| format!("  report {s}\n")).collect();
    let loaded = program(&format!("{text}{}}}\n", reports.concat()));
    let mut z = vec![Vec::new(); truths.len()];
    for seed in 0..SEEDS {
        let request = Request { seed: Some(seed), ..Request::default() };
        let variant = results(&loaded, &request).remove(0);
        assert_eq!(variant.reports.len(), truths.len());
        for ((report, (_, truth)), z) in variant.reports.iter().zip(truths).zip(&mut z) {
            let (value, se) = number(report);
            assert!(se > 0.0, "{report:?}");
            z.push((value - truth) / se);
        }
    }
    let wrong: Vec<String> = truths.iter().zip(&z).filter_map(|((s, _), z)| out_of_band(s, z)).collect();
    assert!(wrong.is_empty(), "{text}\n{}", wrong.join("\n"));
}

/// What is wrong with the z of a statistic.
fn out_of_band(statistic: &str, z: &[f64]) -> Option<String> {
    let n = z.len() as f64;
    let mean = z.iter().sum::<f64>() / n;
    let var = z.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let chi = ChiSquared::new(n - 1.0).expect("a law");
    let low = chi.inverse_cdf(TAIL) / (n - 1.0);
    let high = chi.inverse_cdf(1.0 - TAIL) / (n - 1.0) * (GROUPS - 1.0) / (GROUPS - 3.0);
    println!("{statistic}: z has mean {mean:.3} and variance {var:.3}, band {low:.3} to {high:.3}");
    let inside = (low..high).contains(&var) && mean.abs() < 4.0 * (var / n).sqrt();
    (!inside).then(|| format!("{statistic}: z has mean {mean:.3} and variance {var:.3}, not in {low:.3} to {high:.3}"))
}

fn normal_cdf(x: f64) -> f64 {
    Normal::standard().cdf(x)
}

#[test]
fn of_independent_normal_draws() {
    let text =
        "target pair() = gaussian([1, -1], [[2, 0.6], [0.6, 0.5]])\nrun draws {\n  model = pair()\n  paths = 1_000\n";
    let s = 2f64.sqrt();
    let z90 = Normal::standard().inverse_cdf(0.9);
    calibrated(
        text,
        &[
            ("mean(x[0])", 1.0),
            ("var(x[0])", 2.0),
            ("std(x[0])", s),
            ("quantile(x[0], 0.5)", 1.0),
            ("quantile(x[0], 0.1)", 1.0 - s * z90),
            ("prob(x[0] < 0)", normal_cdf(-1.0 / s)),
            ("cov(x[0], x[1])", 0.6),
            ("corr(x[0], x[1])", 0.6),
            ("skewness(x[0])", 0.0),
            ("mean(x[0]*x[1])", -0.4),
        ],
    );
}

#[test]
fn of_skewed_draws() {
    let text = "target skew() on x: real { x ~ gamma(4, 1) }\nrun draws {\n  model = skew()\n  paths = 4_000\n";
    let gamma = statrs::distribution::Gamma::new(4.0, 1.0).expect("a law");
    let trigamma_of_4 = std::f64::consts::PI.powi(2) / 6.0 - 1.0 - 1.0 / 4.0 - 1.0 / 9.0;
    calibrated(
        text,
        &[
            ("mean(x)", 4.0),
            ("var(x)", 4.0),
            ("std(x)", 2.0),
            ("quantile(x, 0.95)", gamma.inverse_cdf(0.95)),
            ("quantile(x, 0.05)", gamma.inverse_cdf(0.05)),
            ("prob(x > 10)", gamma.sf(10.0)),
            // cov(x, log x) = 1 for every shape, and var(log x) is trigamma(4)
            ("corr(x, log(x))", 1.0 / (4.0 * trigamma_of_4).sqrt()),
        ],
    );
}

/// An autoregressive chain, stationary from its start: Euler steps of an Ornstein-Uhlenbeck process with r = 0.9. About
/// 20 values make an independent one.
fn chain(paths: u64, end: f64, pooled: &str, truths: &[(&str, f64)]) {
    let sd = (0.2f64 / 0.19).sqrt();
    let text = format!(
        "model ou_chain() {{ state x ~ normal(0, {sd})\n  dx = -x dt + sqrt(2) dW\n  let y = x + x^2/4\n}}\n\
         run chains {{\n  model = ou_chain()\n  solver = euler_maruyama\n  time = 0 .. {end} step 0.1\n  paths = {paths}\n"
    );
    let texts: Vec<String> = truths.iter().map(|(s, _)| format!("{s} {pooled}")).collect();
    let truths: Vec<(&str, f64)> = texts.iter().zip(truths).map(|(s, (_, truth))| (s.as_str(), *truth)).collect();
    calibrated(&text, &truths);
}

#[test]
fn of_averages_over_correlated_times() {
    let v = 0.2 / 0.19f64;
    let sd = v.sqrt();
    let z90 = Normal::standard().inverse_cdf(0.9);
    let truths = [
        ("mean(x)", 0.0),
        ("mean(x^2)", v),
        ("var(x)", v),
        ("std(x)", sd),
        ("quantile(x, 0.9)", sd * z90),
        ("quantile(x, 0.5)", 0.0),
        ("prob(x < -1)", normal_cdf(-1.0 / sd)),
        ("cov(x, y)", v),
        // var y = v + v^2/8
        ("corr(x, y)", v / (v * (v + v * v / 8.0)).sqrt()),
        ("skewness(x)", 0.0),
        ("kurtosis(x)", 3.0),
        ("autocorr(x, 5)", 0.9f64.powi(5)),
    ];
    chain(100, 20.0, "over t in [0, 20]", &truths);
    chain(100, 20.0, "over t in [0, 20] every 1", &truths[..11]);
}

/// Two chains alone: errors from stretches of their times.
#[test]
fn of_few_long_paths() {
    let v = 0.2 / 0.19f64;
    let sd = v.sqrt();
    let truths = [("mean(x)", 0.0), ("var(x)", v), ("prob(x < -1)", normal_cdf(-1.0 / sd)), ("cov(x, y)", v)];
    chain(2, 1000.0, "over t in [0, 1000]", &truths);
}

/// A random walk of standard deviation 2 on a normal law accepts 2/pi atan(2/2) = 1/2 of its proposals.
#[test]
fn of_acceptance() {
    let text = "target unit() on x: real { x ~ normal(0, 1) }\nrun walks {\n  model = unit()\n  solver = rwm(s = 2)\n  \
                time = 100 steps\n  paths = 64\n";
    calibrated(text, &[("acceptance()", 0.5), ("mean(x) over last 80 steps", 0.0), ("var(x) over last 80 steps", 1.0)]);
}
