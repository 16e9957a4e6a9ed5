//! sigmoid, softplus, logaddexp and logit: exp and log1p joined without loss of digits.

use super::exp::ExpParts;
use super::log::{log, log1p_parts};
use crate::kernels::arith::*;

/// e^-(d + dl), d >= 0, as an unevaluated sum; beyond 40 rounded.
#[inline(always)]
fn exp_neg(d: f64, dl: f64) -> (f64, f64) {
    let parts = ExpParts::of(clamp(-d, -750.0, 0.0), -dl);
    let (p, e) = parts.mantissa();
    let (h, l) = fast_two_sum(p, e);
    let low = select(parts.n < -900.0, 0.0, l);
    (scale(h, parts.n), low * pow2(clamp(parts.n, -1000.0, 0.0)))
}

/// `exp_neg` of |x| <= 600.
#[inline(always)]
fn exp_neg_near(x: f64) -> (f64, f64) {
    let parts = ExpParts::of(-x.abs(), 0.0);
    let (p, e) = parts.mantissa();
    let (h, l) = fast_two_sum(p, e);
    (h * parts.power(), l * parts.power())
}

/// Whether `sigmoid_near` and `softplus_near` do not hold.
#[inline(always)]
pub fn is_beyond_sigmoid(x: f64) -> bool {
    x.abs() > 600.0
}

/// 1/(1 + e^-x). Error below 1 ulp.
#[inline(always)]
pub fn sigmoid(x: f64) -> f64 {
    sigmoid_of(x, exp_neg(x.abs(), 0.0))
}

/// `sigmoid` for |x| <= 600 or NaN.
#[inline(always)]
pub fn sigmoid_near(x: f64) -> f64 {
    sigmoid_of(x, exp_neg_near(x))
}

/// 1/(1 + e^-x) by e^-|x|.
#[inline(always)]
fn sigmoid_of(x: f64, (t, tl): (f64, f64)) -> f64 {
    let (d, dl) = fast_two_sum(1.0, t);
    let up = x > 0.0;
    let (q, e) = divide((select(up, 1.0, t), select(up, 0.0, tl)), (d, dl + tl));
    q + e
}

/// log(1 + e^x), the smooth maximum of 0 and x. Error below 1.5 ulp.
#[inline(always)]
pub fn softplus(x: f64) -> f64 {
    softplus_of(x, exp_neg(x.abs(), 0.0))
}

/// `softplus` for |x| <= 600 or NaN.
#[inline(always)]
pub fn softplus_near(x: f64) -> f64 {
    softplus_of(x, exp_neg_near(x))
}

/// log(1 + e^x) by e^-|x|.
#[inline(always)]
fn softplus_of(x: f64, (t, tl): (f64, f64)) -> f64 {
    let l = select(t < 5.5e-17, t, log1p_parts(t, tl));
    select(x > 0.0, x, select(x <= 0.0, 0.0, x)) + l
}

/// log(e^a + e^b). Error below 2 ulp of the larger of |max(a, b)|, |result| (the result may cancel to zero).
#[inline(always)]
pub fn logaddexp(a: f64, b: f64) -> f64 {
    let (big, small) = (select(a < b, b, a), select(a < b, a, b));
    let (d, dl) = two_sum(big, -small);
    // equal infinities: their difference is not a number, their logaddexp is theirs
    let (d, dl) = (select(a == b, 0.0, d), select(d < 750.0, dl, 0.0));
    let (t, tl) = exp_neg(d, dl);
    let l = select(t < 5.5e-17, t, log1p_parts(t, tl));
    big + l
}

/// log(x/(1 - x)); -inf at 0, inf at 1, NaN outside. Error below 1.5 ulp.
#[inline(always)]
pub fn logit(x: f64) -> f64 {
    let (d, dl) = fast_two_sum(1.0, -x);
    let middle = x > 0.25 && x < 0.75;
    let (q, e) = divide((2.0 * x - 1.0, 0.0), (d, dl));
    let inner = log1p_parts(select(middle, q, 0.0), select(middle, e, 0.0));
    select(middle, inner, log(x / d))
}
