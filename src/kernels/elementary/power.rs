//! sqrt, cbrt and pow.

use super::exp::ExpParts;
use crate::kernels::arith::*;
use crate::kernels::coefficients::{CBRT, LOG_TAIL};

/// Square root, correctly rounded.
#[inline(always)]
pub fn sqrt(x: f64) -> f64 {
    x.sqrt()
}

/// Cube root. Error below 0.6 ulp.
///
/// |x| = w * 8^j with w = m * 2^(-1, 0 or 1); r ~ w^(-1/3) from a polynomial, one step of third order
/// r (1 - h)^(-1/3), h = 1 - w r^3, then y = w r^2 and one step of Newton with an exact residual.
#[inline(always)]
pub fn cbrt(x: f64) -> f64 {
    let (m, k) = mantissa_exponent_full(x.abs());
    let j = fma(k, 1.0 / 3.0, ROUNDER) - ROUNDER;
    let rest = fma(j, -3.0, k);
    let w = m * select(rest > 0.0, 2.0, select(rest < 0.0, 0.5, 1.0));
    // 2^(-rest/3)
    let root = select(rest > 0.0, 0.7937005259840998, select(rest < 0.0, 1.2599210498948732, 1.0));
    let r = root * poly(m, &CBRT);
    let h = fma(-w * r, r * r, 1.0);
    let r = fma(r * h, fma(h, fma(h, 14.0 / 81.0, 2.0 / 9.0), 1.0 / 3.0), r);
    let y = w * (r * r);
    let (y2, y2l) = two_prod(y, y);
    let residual = fma(y2l, y, fma(y2, y, -w));
    let y = fma(residual * (-1.0 / 3.0), r * r, y) * pow2(j);
    select(x == 0.0 || x.abs() == f64::INFINITY || x.is_nan(), x, y.copysign(x))
}

/// log(x) for finite x > 0 as an unevaluated sum, to about 2^-66 relative.
#[inline(always)]
fn log_parts(x: f64) -> (f64, f64) {
    const THIRD: f64 = 1.0 / 3.0;
    const THIRD_LO: f64 = 1.850371707708594e-17;
    let (m, k) = mantissa_exponent_full(x);
    let f = m - 1.0;
    let (s, sl) = divide((f, 0.0), fast_two_sum(2.0, f));
    let (z, ze) = two_prod(s, s);
    let zl = fma(2.0 * s, sl, ze);
    // atanh(s) = s + s*a, a = z/3 + z^2 P(z)
    let (t, te) = two_prod(z, THIRD);
    let (a, ae) = fast_two_sum(t, (z * z) * poly(z, &LOG_TAIL));
    let al = ae + (te + fma(z, THIRD_LO, zl * THIRD));
    let (b, be) = two_prod(s, a);
    let bl = be + fma(s, al, sl * a);
    let (g, ge) = fast_two_sum(2.0 * s, 2.0 * b);
    let gl = ge + 2.0 * (sl + bl);
    let (c, ce) = two_prod(k, LN2_HI);
    let (u, ue) = two_sum(c, g);
    fast_two_sum(u, ue + (fma(k, LN2_LO, ce) + gl))
}

/// x^y with the special values of C. Error below 1.5 ulp.
#[inline(always)]
pub fn pow(x: f64, y: f64) -> f64 {
    const TWO52: f64 = 4503599627370496.0;
    const INF: f64 = f64::INFINITY;
    let a = x.abs();
    let (lh, ll) = log_parts(a);
    let p = y * lh;
    let pl = fma(y, ll, fma(y, lh, -p));
    let within = p.abs() < 760.0;
    let r = ExpParts::of(clamp(p, -760.0, 760.0), select(within, pl, 0.0)).value();
    let r = select(a == 1.0, 1.0, r);
    let r = select(a == 0.0, select(y < 0.0, INF, 0.0), r);
    let r = select(a == INF, select(y < 0.0, 0.0, INF), r);
    // |y| >= 2^53 is an even integer, and below 2^52 adding 2^52 rounds to an integer
    let b = y.abs();
    let integer = b >= TWO52 || (b + TWO52) - TWO52 == b;
    let half = 0.5 * b;
    let odd = integer && b < 2.0 * TWO52 && (half + TWO52) - TWO52 != half;
    let sign = select(odd, (1.0f64).copysign(x), 1.0);
    let r = select(x < 0.0 && a < INF && !integer, f64::NAN, r * sign);
    let r = select(x.is_nan() || y.is_nan(), f64::NAN, r);
    select(x == 1.0 || y == 0.0, 1.0, r)
}
