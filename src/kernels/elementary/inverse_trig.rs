//! asin, acos, atan and atan2.

use crate::kernels::arith::*;
use crate::kernels::coefficients::{ASIN, ATAN};
use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

/// pi/2 - `FRAC_PI_2`; a quarter of pi and pi itself scale it.
const PI_2_LO: f64 = 6.123233995736766e-17;

/// (s, p) with asin(s) = s + s*p and asin(a) = s + s*p for a <= 1/2, else pi/2 - 2*(s + s*p).
#[inline(always)]
fn asin_parts(a: f64) -> (f64, f64) {
    let big = a > 0.5;
    let z = select(big, fma(a, -0.5, 0.5), a * a);
    let s = select(big, z.sqrt(), a);
    (s, z * poly(z, &ASIN))
}

/// Arc sine; NaN outside [-1, 1]. Error below 1.3 ulp.
#[inline(always)]
pub fn asin(x: f64) -> f64 {
    let a = x.abs();
    let (s, p) = asin_parts(a);
    let near = fma(s, p, s);
    let (u, e) = fast_two_sum(FRAC_PI_2, -2.0 * s);
    let far = u + (e + fma(-2.0 * s, p, PI_2_LO));
    select(a > 0.5, far, near).copysign(x)
}

/// Arc cosine; NaN outside [-1, 1]. Error below 1.3 ulp.
#[inline(always)]
pub fn acos(x: f64) -> f64 {
    let a = x.abs();
    let (s, p) = asin_parts(a);
    let (u, e) = fast_two_sum(FRAC_PI_2, -x);
    let middle = u + (e + fma(-x, p, PI_2_LO));
    let right = fma(2.0 * s, p, 2.0 * s);
    let left = fma(-2.0, s, PI) + fma(-2.0 * s, p, 2.0 * PI_2_LO);
    select(a > 0.5, select(x > 0.0, right, left), middle)
}

/// The angle of the point (b, a), a and b >= 0, or pi minus it when `flip`.
///
/// With a/b on either side of tan(pi/8) and tan(3 pi/8) the angle is 0, pi/4 or pi/2 plus atan of a ratio below 0.4143.
#[inline(always)]
fn angle(a: f64, b: f64, flip: bool) -> f64 {
    let steep = a > 2.414213562373095 * b;
    let middle = a > 0.41421356237309503 * b;
    let (num, den) = (select(middle, a, 0.0), select(middle, b, 0.0));
    let (diff, sum) = (two_sum(num, -den), two_sum(num, den));
    let num = (select(steep, -b, select(middle, diff.0, a)), select(steep, 0.0, diff.1));
    let den = (select(steep, a, select(middle, sum.0, b)), select(steep, 0.0, sum.1));
    let quarters = select(steep, 2.0, select(middle, 1.0, 0.0));
    let quarters = select(flip, 4.0 - quarters, quarters);
    let (u, ul) = divide(num, den);
    let (u, ul) = (select(flip, -u, u), select(flip, -ul, ul));
    let z = u * u;
    let rest = fma(u * z, poly(z, &ATAN), fma(quarters, 0.5 * PI_2_LO, ul));
    let (v, e) = fast_two_sum(quarters * FRAC_PI_4, u);
    select(quarters == 0.0, u + rest, v + (e + rest))
}

/// Arc tangent. Error below 1 ulp.
#[inline(always)]
pub fn atan(x: f64) -> f64 {
    angle(clamp(x.abs(), 0.0, 1e300), 1.0, false).copysign(x)
}

/// The angle of the point (x, y) in [-pi, pi], signs of zeros and infinities as in C. Error below 1.5 ulp.
#[inline(always)]
pub fn atan2(y: f64, x: f64) -> f64 {
    const BIG: f64 = 1.0715086071862673e301; // 2^1000
    const UP: f64 = 1.2676506002282294e30; // 2^100
    let (a, b) = (y.abs(), x.abs());
    // an infinity is 1 beside 0, or beside another 1
    let (a_inf, b_inf) = (a == f64::INFINITY, b == f64::INFINITY);
    let infinite = a_inf || b_inf;
    let a = select(infinite && !y.is_nan(), select(a_inf, 1.0, 0.0), a);
    let b = select(infinite && !x.is_nan(), select(b_inf, 1.0, 0.0), b);
    let b = select(a == 0.0 && b == 0.0, 1.0, b);
    // a + b must not overflow, and the ratio must not lose bits of subnormals
    let large = a > BIG || b > BIG;
    let small = a < 1.0 / BIG && b < 1.0 / BIG;
    let factor = select(large, 1.0 / UP, select(small, UP, 1.0));
    angle(a * factor, b * factor, x.is_sign_negative()).copysign(y)
}
