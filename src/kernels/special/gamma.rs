//! log gamma and its derivatives.

use crate::kernels::arith::{poly, two_sum};
use crate::kernels::coefficients::{DIGAMMA, DIGAMMA_ROOT};
use crate::kernels::elementary::{log, pow, tan};
use std::f64::consts::PI;

/// log |Gamma(x)|. Error below 2 ulp for x > 0; for x < 0 relative to the largest of 1 and the result.
#[inline(always)]
pub fn lgamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// The derivative of log Gamma. Error below 3 ulp for x > 0; for x < 0 relative to the largest of 1 and the result.
/// -inf at 0 (+inf at -0), NaN at the negative integers and -inf.
#[inline(always)]
pub fn digamma(x: f64) -> f64 {
    if x > 0.0 {
        return digamma_positive(x);
    }
    if x == 0.0 {
        return -1.0 / x;
    }
    if x.fract() == 0.0 || x.is_nan() || x == f64::NEG_INFINITY {
        return f64::NAN;
    }
    // psi(x) = psi(1 - x) - pi/tan(pi x), of period 1
    digamma_positive(1.0 - x) - PI / tan(PI * (x - x.round()))
}

/// `digamma` for x > 0: the asymptotic series from 10 on, recurrence to [1, 2] below.
#[inline(always)]
fn digamma_positive(mut x: f64) -> f64 {
    if x >= 10.0 {
        // B_2k/2k for k = 1 ... 7
        const SERIES: [f64; 7] =
            [1.0 / 12.0, -1.0 / 120.0, 1.0 / 252.0, -1.0 / 240.0, 1.0 / 132.0, -691.0 / 32760.0, 1.0 / 12.0];
        let z = 1.0 / (x * x);
        return log(x) - (0.5 / x + z * poly(z, &SERIES));
    }
    let mut sum = 0.0;
    if x < 1.0 {
        sum = -1.0 / x;
        if x < 1e-17 {
            return sum;
        }
        x += 1.0;
    }
    while x > 2.0 {
        x -= 1.0;
        sum += 1.0 / x;
    }
    sum + (x - DIGAMMA_ROOT[0] - DIGAMMA_ROOT[1]) * poly(x - 1.5, &DIGAMMA)
}

/// The n-th derivative of digamma, for integers 0 <= n <= 170 (else NaN). Relative error below 4e-15 for x > 0 and
/// n <= 20; at x = 0, -1, -2, ... the pole: inf for odd n, NaN for even n.
///
/// (-1)^(n+1) n! zeta(n + 1, x); for x < 0 the terms of negative base are summed as a difference of two zetas.
#[inline(always)]
pub fn polygamma(n: f64, x: f64) -> f64 {
    if n == 0.0 {
        return digamma(x);
    }
    if !(1.0..=170.0).contains(&n) || n.fract() != 0.0 || x.is_nan() || x == f64::NEG_INFINITY {
        return f64::NAN;
    }
    let odd = n % 2.0 == 1.0;
    let factorial = (2..=n as u32).fold(1.0, |p, k| p * f64::from(k));
    let scale = if odd { factorial } else { -factorial };
    if x == f64::INFINITY {
        return 0.0 * scale;
    }
    if x > 0.0 {
        return scale * hurwitz_zeta(n + 1.0, x);
    }
    if x.fract() == 0.0 {
        return if odd { f64::INFINITY } else { f64::NAN };
    }
    // x + k > 0 from k = ceil(-x) on; before, the bases are -y, -(y + 1), ..., x
    let above = x + (-x).ceil();
    let y = 1.0 - above;
    let below = hurwitz_zeta(n + 1.0, y) - hurwitz_zeta(n + 1.0, 1.0 - x);
    scale * (hurwitz_zeta(n + 1.0, above) + if odd { below } else { -below })
}

/// y^-s for an integer s >= 2.
#[inline(always)]
fn inverse_power(y: f64, s: f64) -> f64 {
    let square = 1.0 / (y * y);
    match s {
        2.0 => square,
        3.0 => square / y,
        4.0 => square * square,
        _ => pow(y, -s),
    }
}

/// sum over k >= 0 of (x + k)^-s for x > 0 and s >= 2, by Euler and Maclaurin.
#[inline(always)]
fn hurwitz_zeta(s: f64, x: f64) -> f64 {
    // B_2j/(2j)!
    const BERNOULLI: [f64; 10] = [
        0.08333333333333333,
        -0.001388888888888889,
        3.306878306878307e-05,
        -8.267195767195768e-07,
        2.08767569878681e-08,
        -5.284190138687493e-10,
        1.3382536530684679e-11,
        -3.3896802963225827e-13,
        8.586062056277845e-15,
        -2.174868698558062e-16,
    ];
    let mut sum = 0.0;
    let mut rest = 0.0;
    let mut y = x;
    let start = 10.0 + s;
    while y < start {
        let (t, e) = two_sum(sum, inverse_power(y, s));
        sum = t;
        rest += e;
        y += 1.0;
    }
    let last = inverse_power(y, s);
    let mut term = s * last / y;
    let mut tail = 0.0;
    for (j, b) in BERNOULLI.iter().enumerate() {
        tail += b * term;
        let k = s + 2.0 * j as f64;
        term *= (k + 1.0) * (k + 2.0) / (y * y);
    }
    sum + (rest + (last * y / (s - 1.0) + 0.5 * last + tail))
}
