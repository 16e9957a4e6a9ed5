//! erf, erfc and the normal distribution function.
//!
//! For a >= 0, erfc(a) = e^(-a^2) G(t)/(1 + 2a) with t = (a - 4)/(a + 4); G is so flat (from 1 to 1.13, by 1.25) that
//! one polynomial serves the whole half line (after Shepherd and Laframboise, Math. Comp. 36, 1981).

use super::exp::ExpParts;
use crate::kernels::arith::*;
use crate::kernels::coefficients::{ERF, ERFC, ERFC_HI, ERFC_LO};
use std::f64::consts::FRAC_1_SQRT_2;

/// 1/sqrt(2) - `FRAC_1_SQRT_2`
const FRAC_1_SQRT_2_LO: f64 = -4.833646656726457e-17;

/// erfc(a + al) for a >= 0, whose square is eh + el (which matters far more than a itself).
#[inline(always)]
fn erfc_half((a, al): (f64, f64), (eh, el): (f64, f64)) -> f64 {
    let a = clamp(a, 0.0, 28.0);
    let t = (a - 4.0) / (a + 4.0);
    let (g, ge) = fast_two_sum(ERFC_HI, t * poly(t, &ERFC));
    let d = fma(2.0, a, 1.0);
    let (q, ql) = divide((g, ge + ERFC_LO), (d, fma(2.0, al, fma(2.0, a, 1.0 - d))));
    let parts = ExpParts::of(clamp(-eh, -800.0, 0.0), -el);
    let (p, pe) = parts.mantissa();
    let (r, re) = two_prod(q, p);
    scale(r + (re + fma(q, pe, ql * p)), parts.n)
}

/// erf for |x| <= 0.65.
#[inline(always)]
fn erf_near(x: f64) -> f64 {
    fma(x, poly(x * x, &ERF), x)
}

/// Complementary error function. Error below 1.5 ulp.
#[inline(always)]
pub fn erfc(x: f64) -> f64 {
    let a = clamp(x.abs(), 0.0, 28.0);
    let r = erfc_half((a, 0.0), two_prod(a, a));
    let far = select(x < 0.0, 2.0 - r, r);
    select(a < 0.45, 1.0 - erf_near(x), far)
}

/// Error function. Error below 1 ulp.
#[inline(always)]
pub fn erf(x: f64) -> f64 {
    let a = clamp(x.abs(), 0.0, 28.0);
    let far = 1.0 - erfc_half((a, 0.0), two_prod(a, a));
    select(a < 0.65, erf_near(a), far).copysign(x)
}

/// Distribution function of the standard normal, erfc(-x/sqrt(2))/2. Error below 1.5 ulp (of the smallest normal number
/// where the value is subnormal).
#[inline(always)]
pub fn norm_cdf(x: f64) -> f64 {
    let y = clamp(x, -40.0, 40.0);
    let (s, sl) = two_prod(y, y);
    let (a, e) = two_prod(y, FRAC_1_SQRT_2);
    let al = fma(y, FRAC_1_SQRT_2_LO, e) * 1f64.copysign(y);
    let r = 0.5 * erfc_half((a.abs(), al), (0.5 * s, 0.5 * sl));
    let near = fma(0.5, erf_near(a), 0.5);
    select(a.abs() < 0.45, near, select(x > 0.0, 1.0 - r, r))
}
