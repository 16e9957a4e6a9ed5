//! log and log1p.

use crate::kernels::arith::*;
use crate::kernels::coefficients::LOG;

/// k ln 2 + log(1 + f) + c for sqrt(1/2) <= 1 + f < sqrt(2) and a small correction c.
///
/// With s = f/(2 + f), log(1 + f) = 2 atanh(s) = f - (f^2/2 - s*(f^2/2 + R(s^2))) (Sun fdlibm).
#[inline(always)]
pub fn log_core(f: f64, k: f64, c: f64) -> f64 {
    let s = f / (2.0 + f);
    let z = s * s;
    let half = 0.5 * f * f;
    let rest = fma(s, fma(z, poly(z, &LOG), half), fma(k, LN2_LO, c));
    fma(k, LN2_HI, f - (half - rest))
}

/// log(1 + h + l) for finite h > -1 and |l| <= ulp(h).
#[inline(always)]
pub fn log1p_parts(h: f64, l: f64) -> f64 {
    let (u, e) = two_sum(1.0, h);
    let (m, k) = mantissa_exponent(u);
    log_core(m - 1.0, k, (e + l) / u)
}

/// Natural logarithm. Error below 1 ulp. Negative x give NaN, 0 gives -inf.
#[inline(always)]
pub fn log(x: f64) -> f64 {
    let (m, k) = mantissa_exponent_full(x);
    let r = select(x == f64::INFINITY, f64::INFINITY, log_core(m - 1.0, k, 0.0));
    select(x > 0.0, r, select(x == 0.0, f64::NEG_INFINITY, f64::NAN))
}

/// log(1 + x). Error below 1 ulp.
#[inline(always)]
pub fn log1p(x: f64) -> f64 {
    let r = select(x == f64::INFINITY, f64::INFINITY, log1p_parts(x, 0.0));
    let r = select(x.abs() < 5.5e-17, x, r);
    select(x > -1.0, r, select(x == -1.0, f64::NEG_INFINITY, f64::NAN))
}
