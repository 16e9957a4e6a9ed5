//! sinh, cosh and tanh.

use super::exp::ExpParts;
use crate::kernels::arith::*;
use crate::kernels::coefficients::{COSH, SINH};

/// sinh and cosh of |x|, by the addition theorem at n ln 2 + r: the hyperbolic functions of n ln 2 are (2^n -+ 2^-n)/2.
#[inline(always)]
fn sinh_cosh(x: f64) -> (f64, f64) {
    let y = clamp(x.abs(), 0.0, 711.0);
    let n = fma(y, std::f64::consts::LOG2_E, ROUNDER) - ROUNDER;
    let (r, e) = two_sum(fma(n, -LN2_HI, y), n * -LN2_LO);
    // beyond 2^128 the second exponential is nothing, and the first is scaled to stay finite
    let over = select(n > 128.0, 64.0, 0.0);
    let (up, down) = (pow2(n - over - 1.0), pow2(over - n - 1.0));
    let (s0, s0_rest) = fast_two_sum(up, -down);
    let (c0, c0_rest) = fast_two_sum(up, down);
    let z = r * r;
    let s1 = fma(r * z, poly(z, &SINH), e);
    let c1 = fma(z * z, poly(z, &COSH), fma(0.5, z, r * e));
    let back = pow2(over);
    let sinh = {
        let (u, v) = two_sum(s0, c0 * r);
        u + fma(c0, s1, fma(s0, c1, (v + s0_rest) + fma(c0, r, -(c0 * r))))
    };
    let cosh = {
        let (u, v) = two_sum(c0, s0 * r);
        u + fma(s0, s1, fma(c0, c1, (v + c0_rest) + fma(s0, r, -(s0 * r))))
    };
    (sinh * back, cosh * back)
}

/// Hyperbolic sine. Error below 1 ulp.
#[inline(always)]
pub fn sinh(x: f64) -> f64 {
    sinh_cosh(x).0.copysign(x)
}

/// Hyperbolic cosine. Error below 1 ulp.
#[inline(always)]
pub fn cosh(x: f64) -> f64 {
    sinh_cosh(x).1
}

/// Hyperbolic tangent. Error below 1 ulp.
///
/// tanh(y) = -E/(2 + E) with E = e^(-2y) - 1, numerator and denominator carried as sums of two.
#[inline(always)]
pub fn tanh(x: f64) -> f64 {
    let y = clamp(x.abs(), 0.0, 25.0);
    let parts = ExpParts::of(-2.0 * y, 0.0);
    let (u, v) = parts.minus_one(parts.power());
    let (e, el) = fast_two_sum(u, v);
    let (d, dl) = fast_two_sum(2.0, e);
    let (q, rest) = divide((-e, -el), (d, dl + el));
    (q + rest).copysign(x)
}
