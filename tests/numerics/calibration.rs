//! Whether reported standard errors are what they say: over many seeds the estimates have the right mean, and
//! `z = (estimate - truth)/se` has variance 1.
//!
//! The mean of z itself says less: where an estimate and its standard error are correlated it is off by order 1/sqrt(n)
//! (0.13 for the correlation of x and log x below), though the estimate has no such bias.
//!
//! With 200 seeds the variance of z is known to a tenth. Its band is that of a chi-square law at [`TAIL`] on either
//! side. Standard errors from 32 groups are themselves uncertain, which makes z a Student law of 31 degrees of freedom
//! with variance 31/29: the upper end is moved by that.

use fokker::session::Request;
use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};

use crate::{number, program, results};

const SEEDS: u64 = 200;
const TAIL: f64 = 1e-4;
/// Standard errors by which a mean over seeds may be off; there are some 50 of them.
const LIMIT: f64 = 4.5;
const GROUPS: f64 = 32.0;

/// Runs a program whose reports estimate the given numbers with many seeds.
fn calibrated(text: &str, truths: &[(&str, f64)]) {
    let reports: Vec<String> = truths.iter().map(|(s, _)| format!("  report {s}\n")).collect();
    let loaded = program(&format!("{text}{}}}\n", reports.concat()));
    let mut errors = vec![Vec::new(); truths.len()];
    for seed in 0..SEEDS {
        let request = Request { seed: Some(seed), ..Request::default() };
        let variant = results(&loaded, &request).remove(0);
        assert_eq!(variant.reports.len(), truths.len());
        for ((report, (_, truth)), errors) in variant.reports.iter().zip(truths).zip(&mut errors) {
            let (value, se) = number(report);
            assert!(se > 0.0, "{report:?}");
            errors.push((value - truth, se));
        }
    }
    let wrong: Vec<String> = truths.iter().zip(&errors).filter_map(|((s, _), e)| out_of_band(s, e)).collect();
    assert!(wrong.is_empty(), "{text}\n{}", wrong.join("\n"));
}

/// What is wrong with a statistic, given its errors with their standard errors.
fn out_of_band(statistic: &str, errors: &[(f64, f64)]) -> Option<String> {
    let n = errors.len() as f64;
    let bias = mean_and_variance(errors.iter().map(|e| e.0));
    let bias = bias.0 / (bias.1 / n).sqrt();
    let var = mean_and_variance(errors.iter().map(|(off, se)| off / se)).1;
    let chi = ChiSquared::new(n - 1.0).expect("a law");
    let low = chi.inverse_cdf(TAIL) / (n - 1.0);
    let high = chi.inverse_cdf(1.0 - TAIL) / (n - 1.0) * (GROUPS - 1.0) / (GROUPS - 3.0);
    let told =
        format!("{statistic}: off by {bias:.2} standard errors; z has variance {var:.3} in {low:.3} to {high:.3}");
    println!("{told}");
    let inside = (low..high).contains(&var) && bias.abs() < LIMIT;
    (!inside).then_some(told)
}

fn mean_and_variance(x: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = x.clone().count() as f64;
    let mean = x.clone().sum::<f64>() / n;
    (mean, x.map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0))
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

/// A hundred values leave few around a quantile.
#[test]
fn of_quantiles_of_few_draws() {
    let text = "target unit() on x: real { x ~ normal(0, 1) }\nrun draws {\n  model = unit()\n  paths = 100\n";
    let quantile = |p| Normal::standard().inverse_cdf(p);
    calibrated(text, &[("quantile(x, 0.9)", quantile(0.9)), ("quantile(x, 0.3)", quantile(0.3))]);
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

/// Formulas of several statistics of the same paths.
#[test]
fn of_formulas() {
    let text =
        "target pair() = gaussian([1, -1], [[2, 0.6], [0.6, 0.5]])\nrun draws {\n  model = pair()\n  paths = 1_000\n";
    calibrated(
        text,
        &[
            ("mean(x[0]) + mean(x[1])", 0.0),
            ("mean(x[0]) - mean(x[1])", 2.0),
            ("mean(x[0]^2) - mean(x[0])^2", 2.0),
            ("mean(x[0])/mean(x[1])", -1.0),
            ("var(x[0])/var(x[1])", 4.0),
            ("cov(x[0], x[1])/(std(x[0])*std(x[1]))", 0.6),
            ("quantile(x[0], 0.75) - quantile(x[0], 0.25)", 2.0 * 2f64.sqrt() * Normal::standard().inverse_cdf(0.75)),
        ],
    );
    let v = 0.2 / 0.19f64;
    // mean(y) = v/4, and x and x^2 - v are not correlated
    let truths = [("mean(x) + mean(y)", v / 4.0), ("mean(x^2) - mean(x)^2", v), ("mean(y)/mean(x^2)", 0.25)];
    chain(100, 20.0, "over t in [0, 20]", &truths);
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
