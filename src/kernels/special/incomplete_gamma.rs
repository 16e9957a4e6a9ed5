//! The regularised incomplete gamma functions.

use super::gamma::lgamma;
use crate::kernels::arith::poly;
use crate::kernels::coefficients::{TEMME_0, TEMME_1, TEMME_2, TEMME_3};
use crate::kernels::elementary::{erfc, exp, log};
use std::f64::consts::PI;

/// P(a, x), the distribution function at x of the gamma law of shape a >= 0; NaN for a < 0 or x < 0.
/// Relative error below 1e-13 while the exponent of the density stays below 100, absolute error below 1e-14.
#[inline(always)]
pub fn gamma_p(a: f64, x: f64) -> f64 {
    let (p, q) = incomplete_gamma(a, x);
    if p < 0.0 { 1.0 - q } else { p }
}

/// Q(a, x) = 1 - P(a, x), accurate where it is small.
#[inline(always)]
pub fn gamma_q(a: f64, x: f64) -> f64 {
    let (p, q) = incomplete_gamma(a, x);
    if q < 0.0 { 1.0 - p } else { q }
}

/// (P, Q), one of which may be -1: to be had from the other.
#[inline(always)]
fn incomplete_gamma(a: f64, x: f64) -> (f64, f64) {
    if a.is_nan() || x.is_nan() || a < 0.0 || x < 0.0 || (a == f64::INFINITY && x == f64::INFINITY) {
        return (f64::NAN, f64::NAN);
    }
    if x == 0.0 || a == f64::INFINITY {
        return (0.0, 1.0);
    }
    if a == 0.0 || x == f64::INFINITY {
        return (1.0, 0.0);
    }
    let eta2 = 2.0 * deviance(a, x);
    if a >= 1e4 && eta2 < 0.25 {
        return uniform_expansion(a, x, eta2);
    }
    let density = density(a, x, 0.5 * eta2);
    if x < a + 1.0 { (density * series(a, x), -1.0) } else { (-1.0, density * a * fraction(a, x)) }
}

/// Probability of k under Poisson's law of the given mean, for an integer k >= 0 and a mean > 0.
#[inline(always)]
pub fn poisson_pmf(k: f64, mean: f64) -> f64 {
    if k == 0.0 { exp(-mean) } else { density(k, mean, deviance(k, mean)) }
}

/// x/a - 1 - log(x/a) >= 0.
#[inline(always)]
fn deviance(a: f64, x: f64) -> f64 {
    let mu = (x - a) / a;
    if mu.abs() > 0.3 {
        return mu - log(x / a);
    }
    // mu - log(1 + mu) with log(1 + mu) = 2 atanh(v), v = mu/(2 + mu), without its leading terms (Loader 2000)
    let v = mu / (2.0 + mu);
    let z = v * v;
    let mut power = 2.0 * v * z;
    let mut tail = 0.0;
    let mut k = 3.0;
    while power.abs() > 1e-18 * (mu * v).abs() && k < 80.0 {
        tail += power / k;
        power *= z;
        k += 2.0;
    }
    // mu - 2v = mu*v
    mu * v - tail
}

/// x^a e^-x/Gamma(a + 1).
#[inline(always)]
fn density(a: f64, x: f64, deviance: f64) -> f64 {
    if a < 20.0 {
        return exp(a * log(x) - x - lgamma(a + 1.0));
    }
    // Gamma(a + 1) by Stirling's series
    let z = 1.0 / (a * a);
    let stirling = poly(z, &[1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0]) / a;
    exp(-a * deviance - stirling) / (2.0 * PI * a).sqrt()
}

/// 1 + x/(a + 1) + x^2/((a + 1)(a + 2)) + ...
#[inline(always)]
fn series(a: f64, x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    let mut k = 1.0;
    while term > sum * 1e-17 && k < 1e5 {
        term *= x / (a + k);
        sum += term;
        k += 1.0;
    }
    sum
}

/// Gamma(a, x)/(x^a e^-x) by Legendre's continued fraction, in Lentz's way.
#[inline(always)]
fn fraction(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let mut c = 1e300;
    let mut d = 1.0 / b;
    let mut h = d;
    let mut k = 1.0;
    while k < 1e5 {
        let an = k * (a - k);
        b += 2.0;
        d = 1.0 / (an * d + b);
        c = b + an / c;
        let factor = c * d;
        h *= factor;
        if (factor - 1.0).abs() < 2e-16 {
            break;
        }
        k += 1.0;
    }
    h
}

/// Temme's expansion for large a and eta^2 < 1/4 (DLMF 8.12.3 and 8.12.7): both functions from erfc.
#[inline(always)]
fn uniform_expansion(a: f64, x: f64, eta2: f64) -> (f64, f64) {
    let eta = eta2.sqrt().copysign(x - a);
    let c = [poly(eta, &TEMME_0), poly(eta, &TEMME_1), poly(eta, &TEMME_2), poly(eta, &TEMME_3)];
    let rest = exp(-0.5 * a * eta2) / (2.0 * PI * a).sqrt() * poly(1.0 / a, &c);
    let y = eta * (0.5 * a).sqrt();
    (0.5 * erfc(-y) - rest, 0.5 * erfc(y) + rest)
}
