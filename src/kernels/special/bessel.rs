//! The logarithm of I0, and I1/I0, its derivative.

use crate::kernels::arith::*;
use crate::kernels::coefficients::{BESSEL_RATIO_TAIL, I0, I1, LOG_I0_TAIL};
use crate::kernels::elementary::{log, log1p_parts};

/// log(2 pi)/2
const HALF_LOG_2PI: f64 = 0.9189385332046727;

/// ((I0(x) - 1)/z - 1)/z
const I0_TAIL: [f64; I0.len() - 1] = {
    let mut tail = [0.0; I0.len() - 1];
    let mut k = 0;
    while k < tail.len() {
        tail[k] = I0[k + 1];
        k += 1;
    }
    tail
};

/// x^2/4 as an unevaluated sum.
#[inline(always)]
fn quarter_square(x: f64) -> (f64, f64) {
    let (z, e) = two_prod(x, x);
    (0.25 * z, 0.25 * e)
}

/// z*p(z) as an unevaluated sum, for a polynomial with p(0) = 1.
#[inline(always)]
fn series<const N: usize>((z, zl): (f64, f64), p: &[f64; N]) -> (f64, f64) {
    let q = poly(z, p);
    let (s, e) = two_prod(z, q);
    (s, fma(zl, q, e))
}

/// log I0(x), even in x. Error below 2 ulp.
#[inline(always)]
pub fn log_i0(x: f64) -> f64 {
    let a = x.abs();
    // I0 - 1 = z + z^2 q
    let (z, zl) = quarter_square(clamp(a, 0.0, 11.0));
    let (h, l) = two_sum(z, fma(z * z, poly(z, &I0_TAIL), zl));
    // the error terms of tiny squares underflow, and log(1 + h) is h long before
    let near = select(h < 1e-30, h, log1p_parts(h, l));
    let t = 1.0 / a;
    let far = a - (HALF_LOG_2PI + fma(-t, poly(t, &LOG_I0_TAIL), 0.5 * log(a)));
    let far = select(a == f64::INFINITY, a, far);
    select(a < 10.0, near, far)
}

/// I1(x)/I0(x), odd in x, from -1 to 1. Error below 4 ulp.
#[inline(always)]
pub fn bessel_ratio(x: f64) -> f64 {
    let a = x.abs();
    let z = quarter_square(clamp(a, 0.0, 11.0));
    let (i0, i0l) = series(z, &I0);
    let (d, e) = two_sum(1.0, i0);
    let i1 = poly(z.0, &I1);
    let (n, nl) = two_prod(0.5 * a, i1);
    let (q, ql) = divide((n, nl), (d, e + i0l));
    let t = 1.0 / a;
    let far = fma(-t, poly(t, &BESSEL_RATIO_TAIL), 1.0);
    select(a < 10.0, q + ql, far).copysign(x)
}
