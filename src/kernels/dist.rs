//! Samplers of laws as pure functions of the coordinates of a draw.
//!
//! Laws with a simple inverse use the uniform number (or the normal) of the coordinates. Laws that need several numbers
//! take them from a stream of their own ([`SubStream`]), so that a rejection never touches the draws of others.
//! Parameters outside their range give NaN.

use super::arith::fma;
use super::ars;
use super::elementary::{acos, cos, exp, log, log1p, sigmoid, tan};
use super::normal::{Coord, Key, box_muller, uniform, uniform_of_bits};
use super::special::{lgamma, poisson_pmf};
use std::f64::consts::PI;

/// Attempts before a rejection sampler gives up with NaN (each succeeds more often than it fails).
const ATTEMPTS: usize = 1000;

/// As many numbers as one draw needs: ARS under the draw's own block as a key, which no other draw shares but the
/// neighbouring path, told apart by the upper word of the counter.
struct SubStream {
    key: ars::Block,
    counter: ars::Block,
}

impl SubStream {
    #[inline(always)]
    fn new(key: Key, coord: Coord) -> Self {
        SubStream { key: ars::block([key.seed, key.stream], coord.counter()), counter: [0, coord.path & 1] }
    }

    /// The uniform number of the draw's coordinates themselves.
    #[inline(always)]
    fn own_uniform(&self) -> f64 {
        uniform_of_bits(self.key[self.counter[1] as usize])
    }

    /// The normal of the draw's coordinates themselves.
    #[inline(always)]
    fn own_normal(&self) -> f64 {
        box_muller(self.key)[self.counter[1] as usize]
    }

    #[inline(always)]
    fn block(&mut self) -> ars::Block {
        let b = ars::block(self.key, self.counter);
        self.counter[0] += 1;
        b
    }

    #[inline(always)]
    fn uniform(&mut self) -> f64 {
        uniform_of_bits(self.block()[0])
    }

    /// Two independent uniform numbers.
    #[inline(always)]
    fn uniforms(&mut self) -> (f64, f64) {
        let b = self.block();
        (uniform_of_bits(b[0]), uniform_of_bits(b[1]))
    }

    #[inline(always)]
    fn normal(&mut self) -> f64 {
        box_muller(self.block())[0]
    }
}

/// `body` on the draw's stream, compiled with fused multiply-adds where the machine has them (elsewhere they are calls,
/// with the same result).
macro_rules! samplers {
    ($($(#[$doc:meta])* $name:ident($($arg:ident),*) = $body:path;)*) => {$(
        $(#[$doc])*
        pub fn $name(key: Key, coord: Coord, $($arg: f64),*) -> f64 {
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("fma") {
                #[target_feature(enable = "fma")]
                fn fused(key: Key, coord: Coord, $($arg: f64),*) -> f64 {
                    $body(&mut SubStream::new(key, coord), $($arg),*)
                }
                // SAFETY: the feature was just detected
                return unsafe { fused(key, coord, $($arg),*) };
            }
            $body(&mut SubStream::new(key, coord), $($arg),*)
        }
    )*};
}

samplers! {
    /// Gamma law of the given shape > 0 and unit scale.
    sample_gamma(shape) = gamma;
    /// Beta law of a > 0, b > 0.
    sample_beta(a, b) = beta;
    /// Student's law of nu > 0 degrees of freedom.
    sample_student_t(nu) = student_t;
    /// Poisson's law of the given mean >= 0.
    sample_poisson(mean) = poisson;
    /// Successes in n trials (an integer >= 0) of probability p.
    sample_binomial(n, p) = binomial;
    /// Von Mises' law around 0 with concentration kappa >= 0, an angle in [-pi, pi].
    sample_von_mises(kappa) = von_mises;
    /// Exponential law of unit rate.
    sample_exponential() = exponential;
    /// Cauchy's law, standard.
    sample_cauchy() = cauchy;
    /// Laplace's law of unit scale around 0.
    sample_laplace() = laplace;
    /// The exponential of a normal of the given mean and standard deviation.
    sample_lognormal(mu, sigma) = lognormal;
    /// Uniform law on (a, b).
    sample_uniform(a, b) = uniform_between;
}

/// An index of `weights`, drawn in proportion to them; NaN unless they are >= 0 with a positive finite sum.
pub fn sample_discrete(key: Key, coord: Coord, weights: &[f64]) -> f64 {
    let total: f64 = weights.iter().sum();
    if !(total > 0.0 && total < f64::INFINITY && weights.iter().all(|w| *w >= 0.0)) {
        return f64::NAN;
    }
    let mut rest = uniform(key, coord) * total;
    let mut last = 0;
    for (i, w) in weights.iter().enumerate().filter(|(_, w)| **w > 0.0) {
        last = i;
        rest -= w;
        if rest < 0.0 {
            break;
        }
    }
    last as f64
}

#[inline(always)]
fn exponential(s: &mut SubStream) -> f64 {
    -log(s.own_uniform())
}

#[inline(always)]
fn cauchy(s: &mut SubStream) -> f64 {
    tan(PI * (s.own_uniform() - 0.5))
}

#[inline(always)]
fn laplace(s: &mut SubStream) -> f64 {
    let u = s.own_uniform();
    if u < 0.5 { log(2.0 * u) } else { -log(2.0 * (1.0 - u)) }
}

#[inline(always)]
fn lognormal(s: &mut SubStream, mu: f64, sigma: f64) -> f64 {
    exp(fma(sigma, s.own_normal(), mu))
}

#[inline(always)]
fn uniform_between(s: &mut SubStream, a: f64, b: f64) -> f64 {
    fma(b - a, s.own_uniform(), a)
}

/// Marsaglia and Tsang, "A simple method for generating gamma variables" (2000), for shape >= 1.
#[inline(always)]
fn gamma_from_one(s: &mut SubStream, shape: f64) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    for _ in 0..ATTEMPTS {
        let z = s.normal();
        let u = s.uniform();
        let v = 1.0 + c * z;
        if v <= 0.0 {
            continue;
        }
        let v = v * v * v;
        if log(u) < 0.5 * z * z + d * (1.0 - v + log(v)) {
            return d * v;
        }
    }
    f64::NAN
}

/// log of a gamma variable, which for small shapes would be zero itself.
#[inline(always)]
fn log_gamma_variable(s: &mut SubStream, shape: f64) -> f64 {
    let boost = if shape < 1.0 { log(s.uniform()) / shape } else { 0.0 };
    boost + log(gamma_from_one(s, if shape < 1.0 { shape + 1.0 } else { shape }))
}

#[inline(always)]
fn positive(x: f64) -> bool {
    x > 0.0 && x < f64::INFINITY
}

#[inline(always)]
fn gamma(s: &mut SubStream, shape: f64) -> f64 {
    if !positive(shape) {
        return f64::NAN;
    }
    if shape < 1.0 { exp(log_gamma_variable(s, shape)) } else { gamma_from_one(s, shape) }
}

/// X/(X + Y) of two gamma variables, by their logarithms.
#[inline(always)]
fn beta(s: &mut SubStream, a: f64, b: f64) -> f64 {
    if !(positive(a) && positive(b)) {
        return f64::NAN;
    }
    let x = log_gamma_variable(s, a);
    sigmoid(x - log_gamma_variable(s, b))
}

#[inline(always)]
fn student_t(s: &mut SubStream, nu: f64) -> f64 {
    if nu == f64::INFINITY {
        return s.normal();
    }
    if !positive(nu) {
        return f64::NAN;
    }
    let z = s.normal();
    z * exp(0.5 * (log(0.5 * nu) - log_gamma_variable(s, 0.5 * nu)))
}

/// Inversion for small means, else the transformed rejection with squeeze of Hörmann, "The transformed rejection method
/// for generating Poisson random variables" (1993).
#[inline(always)]
fn poisson(s: &mut SubStream, mean: f64) -> f64 {
    if !(0.0..1e15).contains(&mean) {
        return f64::NAN;
    }
    if mean < 10.0 {
        return by_inversion(s.uniform(), exp(-mean), |k| mean / (k + 1.0));
    }
    let b = 0.931 + 2.53 * mean.sqrt();
    let a = -0.059 + 0.02483 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let squeeze = 0.9277 - 3.6224 / (b - 2.0);
    for _ in 0..ATTEMPTS {
        let (u, v) = s.uniforms();
        let u = u - 0.5;
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b) * u + mean + 0.43).floor();
        if us >= 0.07 && v <= squeeze {
            return k;
        }
        if k < 0.0 || (us < 0.013 && v > us) {
            continue;
        }
        if v * inverse_alpha / (a / (us * us) + b) <= poisson_pmf(k, mean) {
            return k;
        }
    }
    f64::NAN
}

/// The smallest k whose distribution function exceeds u, from p(0) and the ratios p(k + 1)/p(k).
#[inline(always)]
fn by_inversion(u: f64, p0: f64, ratio: impl Fn(f64) -> f64) -> f64 {
    let (mut k, mut p, mut rest) = (0.0, p0, u - p0);
    while rest > 0.0 && k < 1000.0 {
        p *= ratio(k);
        rest -= p;
        k += 1.0;
    }
    k
}

/// Inversion for few expected successes, else the rejection `BTRS` of Hörmann, "The generation of binomial random
/// variates" (1993).
#[inline(always)]
fn binomial(s: &mut SubStream, n: f64, p: f64) -> f64 {
    if !((0.0..1e15).contains(&n) && n.fract() == 0.0 && (0.0..=1.0).contains(&p)) {
        return f64::NAN;
    }
    if p > 0.5 { n - rare_binomial(s, n, 1.0 - p) } else { rare_binomial(s, n, p) }
}

/// `binomial` for p <= 1/2.
#[inline(always)]
fn rare_binomial(s: &mut SubStream, n: f64, p: f64) -> f64 {
    let q = 1.0 - p;
    if n * p < 10.0 {
        let odds = p / q;
        return by_inversion(s.uniform(), exp(n * log1p(-p)), |k| odds * (n - k) / (k + 1.0)).min(n);
    }
    let spread = (n * p * q).sqrt();
    let b = 1.15 + 2.53 * spread;
    let a = -0.0873 + 0.0248 * b + 0.01 * p;
    let alpha = (2.83 + 5.1 / b) * spread;
    let squeeze = 0.92 - 4.2 / b;
    let mode = ((n + 1.0) * p).floor();
    let log_odds = log(p / q);
    let log_mode = lgamma(mode + 1.0) + lgamma(n - mode + 1.0);
    for _ in 0..ATTEMPTS {
        let (u, v) = s.uniforms();
        let u = u - 0.5;
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b) * u + n * p + 0.5).floor();
        if us >= 0.07 && v <= squeeze {
            return k;
        }
        if k < 0.0 || k > n {
            continue;
        }
        let log_ratio = log_mode - lgamma(k + 1.0) - lgamma(n - k + 1.0) + (k - mode) * log_odds;
        if log(v * alpha / (a / (us * us) + b)) <= log_ratio {
            return k;
        }
    }
    f64::NAN
}

/// Best and Fisher, "Efficient simulation of the von Mises distribution" (1979).
#[inline(always)]
fn von_mises(s: &mut SubStream, kappa: f64) -> f64 {
    if !(0.0..f64::INFINITY).contains(&kappa) {
        return f64::NAN;
    }
    if kappa < 1e-8 {
        return PI * (2.0 * s.uniform() - 1.0);
    }
    if kappa > 1e6 {
        // to a relative error of 1/kappa a normal of variance 1/kappa
        return s.normal() / kappa.sqrt();
    }
    let tau = 1.0 + (1.0 + 4.0 * kappa * kappa).sqrt();
    let rho = (tau - (2.0 * tau).sqrt()) / (2.0 * kappa);
    let r = if kappa < 1e-5 { 1.0 / kappa + kappa } else { (1.0 + rho * rho) / (2.0 * rho) };
    for _ in 0..ATTEMPTS {
        let (u, v) = s.uniforms();
        let z = cos(PI * u);
        let f = (1.0 + r * z) / (r + z);
        let c = kappa * (r - f);
        if c * (2.0 - c) > v || log(c / v) + 1.0 >= c {
            let angle = acos(f.clamp(-1.0, 1.0));
            return if s.uniform() < 0.5 { -angle } else { angle };
        }
    }
    f64::NAN
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::special::gamma_p;
    use crate::kernels::table::Kernel;

    fn draws(n: u64, sample: impl Fn(Key, Coord) -> f64) -> Vec<f64> {
        let key = Key { seed: 20_240_607, stream: 0 };
        (0..n).map(|path| sample(key, Coord { path, step: 3, site: 1, component: 0, turn: 0 })).collect()
    }

    /// Kolmogorov's distance to a distribution function times sqrt(n): above 2.2 with probability 1.3e-4.
    fn assert_law(name: &str, mut x: Vec<f64>, cdf: impl Fn(f64) -> f64) {
        x.sort_by(f64::total_cmp);
        let n = x.len() as f64;
        let distance = x.iter().enumerate().fold(0.0, |d: f64, (i, v)| {
            let f = cdf(*v);
            d.max((f - i as f64 / n).abs()).max((f - (i + 1) as f64 / n).abs())
        });
        assert!(distance * n.sqrt() < 2.2, "{name}: {}", distance * n.sqrt());
    }

    /// Pearson's chi-square of counts: within 5 standard deviations of its mean.
    fn assert_counts(name: &str, x: &[f64], pmf: impl Fn(f64) -> f64) {
        let (mut chi2, mut cells) = (0.0, 0.0);
        let n = x.len() as f64;
        let top = x.iter().fold(0.0, |m: f64, v| m.max(*v));
        let mut count = vec![0.0; top as usize + 1];
        x.iter().for_each(|v| count[*v as usize] += 1.0);
        for (k, c) in count.iter().enumerate() {
            let expected = n * pmf(k as f64);
            if expected > 10.0 {
                chi2 += (c - expected).powi(2) / expected;
                cells += 1.0;
            }
        }
        assert!(cells > 1.0 && (chi2 - cells).abs() < 5.0 * (2.0f64 * cells).sqrt(), "{name}: {chi2} of {cells} cells");
    }

    const N: u64 = 20_000;

    #[test]
    fn gamma_laws() {
        for shape in [0.3, 1.0, 2.5, 40.0] {
            let x = draws(N, |key, c| sample_gamma(key, c, shape));
            assert_law("gamma", x, |v| gamma_p(shape, v));
        }
    }

    #[test]
    fn beta_and_student_laws() {
        // beta(a, 1) has distribution function x^a, beta(1, b) its mirror image
        assert_law("beta", draws(N, |key, c| sample_beta(key, c, 0.2, 1.0)), |v| v.powf(0.2));
        assert_law("beta", draws(N, |key, c| sample_beta(key, c, 1.0, 3.0)), |v| 1.0 - (1.0 - v).powi(3));
        // Student's law with 1 and 2 degrees of freedom in closed form
        assert_law("t1", draws(N, |key, c| sample_student_t(key, c, 1.0)), |v| 0.5 + v.atan() / PI);
        assert_law("t2", draws(N, |key, c| sample_student_t(key, c, 2.0)), |v| 0.5 + v / (2.0 * (2.0 + v * v).sqrt()));
    }

    #[test]
    fn counts() {
        for mean in [0.5, 7.0, 30.0, 400.0] {
            assert_counts("poisson", &draws(N, |key, c| sample_poisson(key, c, mean)), |k| poisson_pmf(k, mean));
        }
        for (n, p) in [(5.0, 0.3), (40.0, 0.9), (200.0, 0.2), (1000.0, 0.7)] {
            let pmf = |k: f64| {
                let choose = lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0);
                if k > n { 0.0 } else { (choose + k * f64::ln(p) + (n - k) * f64::ln(1.0 - p)).exp() }
            };
            assert_counts("binomial", &draws(N, |key, c| sample_binomial(key, c, n, p)), pmf);
        }
        let weights = [1.0, 0.0, 3.0, 2.0];
        let x = draws(N, |key, c| sample_discrete(key, c, &weights));
        assert_counts("discrete", &x, |k| weights.get(k as usize).copied().unwrap_or(0.0) / 6.0);
        assert!(!x.contains(&1.0));
    }

    #[test]
    fn von_mises_moments() {
        // E cos = I1/I0; the variance of cos is at most 1/2
        for kappa in [0.0, 0.3, 4.0, 200.0] {
            let x = draws(N, |key, c| sample_von_mises(key, c, kappa));
            let tolerance = 5.0 * (0.5 / N as f64).sqrt();
            let mean = |f: fn(f64) -> f64| x.iter().map(|v| f(*v)).sum::<f64>() / N as f64;
            assert!((mean(f64::cos) - Kernel::BesselRatio.scalar1(kappa)).abs() < tolerance, "{kappa}");
            assert!(mean(f64::sin).abs() < tolerance, "{kappa}");
        }
    }

    #[test]
    fn simple_laws() {
        assert_law("exponential", draws(N, sample_exponential), |v| 1.0 - (-v).exp());
        assert_law("cauchy", draws(N, sample_cauchy), |v| 0.5 + v.atan() / PI);
        assert_law(
            "laplace",
            draws(N, sample_laplace),
            |v| {
                if v < 0.0 { 0.5 * v.exp() } else { 1.0 - 0.5 * (-v).exp() }
            },
        );
        let lognormal = draws(N, |key, c| sample_lognormal(key, c, 0.5, 2.0));
        assert_law("lognormal", lognormal, |v| Kernel::NormCdf.scalar1((v.ln() - 0.5) / 2.0));
        assert_law("uniform", draws(N, |key, c| sample_uniform(key, c, -1.0, 3.0)), |v| (v + 1.0) / 4.0);
    }

    /// The samplers give the same bits compiled with and without fused instructions.
    #[test]
    fn dispatch_does_not_show() {
        let key = Key { seed: 5, stream: 5 };
        for path in 0..500 {
            let c = Coord { path, step: 0, site: 0, component: 0, turn: 0 };
            let s = || SubStream::new(key, c);
            assert_eq!(sample_gamma(key, c, 0.7), gamma(&mut s(), 0.7));
            assert_eq!(sample_beta(key, c, 0.7, 3.0), beta(&mut s(), 0.7, 3.0));
            assert_eq!(sample_student_t(key, c, 3.0), student_t(&mut s(), 3.0));
            assert_eq!(sample_poisson(key, c, 50.0), poisson(&mut s(), 50.0));
            assert_eq!(sample_binomial(key, c, 90.0, 0.4), binomial(&mut s(), 90.0, 0.4));
            assert_eq!(sample_von_mises(key, c, 2.0), von_mises(&mut s(), 2.0));
            assert_eq!(sample_lognormal(key, c, 1.0, 2.0), lognormal(&mut s(), 1.0, 2.0));
        }
    }

    #[test]
    fn draws_are_pure_and_neighbours_differ() {
        let key = Key { seed: 1, stream: 2 };
        let at = |path, turn| Coord { path, step: 5, site: 0, component: 0, turn };
        let x = sample_gamma(key, at(6, 0), 2.0);
        assert_eq!(x, sample_gamma(key, at(6, 0), 2.0));
        assert_ne!(x, sample_gamma(key, at(7, 0), 2.0));
        assert_ne!(x, sample_gamma(key, at(6, 1), 2.0));
    }

    #[test]
    fn bad_parameters_give_nan() {
        let (key, c) = (Key { seed: 0, stream: 0 }, Coord { path: 0, step: 0, site: 0, component: 0, turn: 0 });
        for bad in [-1.0, f64::NAN] {
            assert!(sample_gamma(key, c, bad).is_nan());
            assert!(sample_beta(key, c, bad, 1.0).is_nan());
            assert!(sample_student_t(key, c, bad).is_nan());
            assert!(sample_poisson(key, c, bad).is_nan());
            assert!(sample_binomial(key, c, bad, 0.5).is_nan() && sample_binomial(key, c, 3.0, bad).is_nan());
            assert!(sample_von_mises(key, c, bad).is_nan());
            assert!(sample_discrete(key, c, &[1.0, bad]).is_nan());
        }
        assert!(sample_binomial(key, c, 2.5, 0.5).is_nan());
        assert!(sample_discrete(key, c, &[0.0, 0.0]).is_nan());
        assert_eq!(sample_binomial(key, c, 7.0, 1.0), 7.0);
        assert_eq!(sample_poisson(key, c, 0.0), 0.0);
    }
}
