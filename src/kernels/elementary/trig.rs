//! sin, cos and tan.
//!
//! For |x| <= [`FAST_LIMIT`] the argument is reduced by multiples of pi/2 in three parts (Cody and Waite, "Software
//! Manual for the Elementary Functions", 1980), which fused multiply-adds make exact enough: with P1 + P2 + P3 = pi/2,
//! x - n*P1 is exact (a multiple of 2^-53 below 1), n*P2 is split into product and error, n*P3 needs one rounding.
//! Beyond, the scalar functions of `libm` (Payne and Hanek's reduction) are called, in every width.

use crate::kernels::arith::*;
use crate::kernels::coefficients::{COS, SIN};

/// Largest |x| of the branch-free versions.
pub const FAST_LIMIT: f64 = 1073741824.0;
const P1: f64 = std::f64::consts::FRAC_PI_2;
const P2: f64 = 6.123233995736766e-17;
const P3: f64 = -1.4973849048591698e-33;

/// The argument as quadrant (low two bits) and remainder hi + lo, |hi| <= 0.7855.
struct Reduced {
    quadrant: u64,
    hi: f64,
    lo: f64,
}

#[inline(always)]
fn reduce(x: f64) -> Reduced {
    let t = fma(x, std::f64::consts::FRAC_2_PI, ROUNDER);
    let n = t - ROUNDER;
    let (p, pe) = two_prod(n, P2);
    let (hi, e) = two_sum(fma(n, -P1, x), -p);
    Reduced { quadrant: t.to_bits(), hi, lo: fma(n, -P3, e - pe) }
}

/// sin(hi + lo) and cos(hi + lo), each as an unevaluated sum.
#[inline(always)]
fn sin_cos_parts(hi: f64, lo: f64) -> ((f64, f64), (f64, f64)) {
    let z = hi * hi;
    let w = fma(z, -0.5, 1.0);
    let sin_rest = fma(hi * z, poly(z, &SIN), lo * w);
    let w_rest = fma(z, -0.5, 1.0 - w);
    let cos_rest = w_rest + fma(z * z, poly(z, &COS), -(hi * lo));
    ((hi, sin_rest), (w, cos_rest))
}

/// Sine of quadrant `q`: s, c, -s, -c.
#[inline(always)]
fn in_quadrant(q: u64, s: f64, c: f64) -> f64 {
    let v = select(q & 1 == 0, s, c);
    f64::from_bits(v.to_bits() ^ ((q & 2) << 62))
}

/// `sin` for |x| <= `FAST_LIMIT` or NaN.
#[inline(always)]
pub fn sin_fast(x: f64) -> f64 {
    let r = reduce(x);
    let (s, c) = sin_cos_parts(r.hi, r.lo);
    select(x == 0.0, x, in_quadrant(r.quadrant, s.0 + s.1, c.0 + c.1))
}

/// `cos` for |x| <= `FAST_LIMIT` or NaN.
#[inline(always)]
pub fn cos_fast(x: f64) -> f64 {
    let r = reduce(x);
    let (s, c) = sin_cos_parts(r.hi, r.lo);
    in_quadrant(r.quadrant.wrapping_add(1), s.0 + s.1, c.0 + c.1)
}

/// `tan` for |x| <= `FAST_LIMIT` or NaN.
#[inline(always)]
pub fn tan_fast(x: f64) -> f64 {
    let r = reduce(x);
    let (s, c) = sin_cos_parts(r.hi, r.lo);
    let (s, c) = (fast_two_sum(s.0, s.1), fast_two_sum(c.0, c.1));
    let even = r.quadrant & 1 == 0;
    let num = (select(even, s.0, -c.0), select(even, s.1, -c.1));
    let den = (select(even, c.0, s.0), select(even, c.1, s.1));
    let (q, e) = divide(num, den);
    select(x == 0.0, x, q + e)
}

/// Whether `x` needs the slow path.
#[inline(always)]
pub fn is_far(x: f64) -> bool {
    x.abs() > FAST_LIMIT
}

/// Sine. Error below 1 ulp.
#[inline(always)]
pub fn sin(x: f64) -> f64 {
    if is_far(x) { libm::sin(x) } else { sin_fast(x) }
}

/// Cosine. Error below 1 ulp.
#[inline(always)]
pub fn cos(x: f64) -> f64 {
    if is_far(x) { libm::cos(x) } else { cos_fast(x) }
}

/// Tangent. Error below 1.2 ulp.
#[inline(always)]
pub fn tan(x: f64) -> f64 {
    if is_far(x) { libm::tan(x) } else { tan_fast(x) }
}
