//! Elementary functions in single precision, by the methods of [`crate::kernels::elementary`] with shorter polynomials.
//! Each result is within 2 ulp, as the table says and its tests measure against the functions of double precision.

use super::arith::*;
use super::coefficients::{COS, ERF, EXP, LOG, LOG_ERFC, SIN};

/// e^(x + xl) as 2^n * (1 + h + l), with |h| <= 0.3466 and l its correction below 0.07.
#[derive(Clone, Copy)]
struct ExpParts {
    n: f32,
    h: f32,
    l: f32,
}

impl ExpParts {
    /// For |x| < 2^10 and |xl| <= ulp(x).
    #[inline(always)]
    fn of(x: f32, xl: f32) -> Self {
        let n = fma(x, std::f32::consts::LOG2_E, ROUNDER) - ROUNDER;
        let r = fma(n, -LN2_HI, x);
        let (h, rest) = fast_two_sum(r, fma(n, -LN2_LO, xl));
        let l = fma(h * h, poly(h, &EXP), fma(rest, h, rest));
        ExpParts { n, h, l }
    }

    /// 1 + h + l as an unevaluated sum.
    #[inline(always)]
    fn mantissa(self) -> (f32, f32) {
        let (p, e) = fast_two_sum(1.0, self.h);
        (p, e + self.l)
    }

    /// e^(x + xl) - 1 as an unevaluated sum, for n <= 120.
    #[inline(always)]
    fn minus_one(self) -> (f32, f32) {
        let s = pow2(self.n);
        let (a, e) = two_sum(s, -1.0);
        let (u, v) = two_sum(a, s * self.h);
        (u, fma(s, self.l, v + e))
    }
}

/// The least x for which e^x is a normal number.
pub const LEAST_EXP: f32 = -87.336_54;

/// e^x, or 0 where that is no normal number: arithmetic on subnormal ones is slow, and the weights of far modes are such
/// (a step in the mixture P3 takes 3.7 ns in place of 5.8). The reduced argument is one number: its rounding adds a little.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let below = x < LEAST_EXP;
    let x = clamp(x, LEAST_EXP, 89.0);
    let n = fma(x, std::f32::consts::LOG2_E, ROUNDER) - ROUNDER;
    let r = fma(n, -LN2_LO, fma(n, -LN2_HI, x));
    select(below, 0.0, scale(1.0 + fma(r * r, poly(r, &EXP), r), n))
}

/// e^x - 1.
#[inline(always)]
pub fn expm1(x: f32) -> f32 {
    let parts = ExpParts::of(clamp(x, -20.0, 89.0), 0.0);
    let over = select(parts.n > 120.0, parts.n - 120.0, 0.0);
    let (u, v) = ExpParts { n: parts.n - over, ..parts }.minus_one();
    // for |x| < 2^-25 the answer is x, also for -0
    select(x.abs() < 2.9e-8, x, (u + v) * pow2(over))
}

/// k ln 2 + log(1 + f) + c for sqrt(1/2) <= 1 + f < sqrt(2) and a small correction c.
#[inline(always)]
fn log_core(f: f32, k: f32, c: f32) -> f32 {
    let z = f * f;
    let half = 0.5 * z;
    let rest = fma(f * z, poly(f, &LOG), fma(k, LN2_LO, c));
    fma(k, LN2_HI, f - (half - rest))
}

/// log(1 + h + l) for finite h > -1 and |l| <= ulp(h).
#[inline(always)]
fn log1p_parts(h: f32, l: f32) -> f32 {
    let (u, e) = two_sum(1.0, h);
    let (m, k) = mantissa_exponent(u);
    log_core(m - 1.0, k, (e + l) / u)
}

/// Natural logarithm. Negative x give NaN, 0 gives -inf.
#[inline(always)]
pub fn log(x: f32) -> f32 {
    let (m, k) = mantissa_exponent_full(x);
    let r = select(x == f32::INFINITY, f32::INFINITY, log_core(m - 1.0, k, 0.0));
    select(x > 0.0, r, select(x == 0.0, f32::NEG_INFINITY, f32::NAN))
}

/// log(1 + x).
#[inline(always)]
pub fn log1p(x: f32) -> f32 {
    let r = select(x == f32::INFINITY, f32::INFINITY, log1p_parts(x, 0.0));
    let r = select(x.abs() < 2.9e-8, x, r);
    select(x > -1.0, r, select(x == -1.0, f32::NEG_INFINITY, f32::NAN))
}

/// Largest |x| of the sine and cosine of single precision; beyond, those of double precision are taken.
const FAST_LIMIT: f32 = 32768.0;
const P1: f32 = std::f32::consts::FRAC_PI_2;
const P2: f32 = -4.371_139e-8;
const P3: f32 = -1.715_124_4e-15;

/// sin x and cos x, without the sign of the quadrant, and the quadrant (low two bits). As in double precision,
/// x - n*P1 is exact, n*P2 is split into product and error, n*P3 needs one rounding.
#[inline(always)]
fn sin_cos(x: f32) -> (f32, f32, u32) {
    let t = fma(x, std::f32::consts::FRAC_2_PI, ROUNDER);
    let n = t - ROUNDER;
    let (p, pe) = two_prod(n, P2);
    let (hi, e) = two_sum(fma(n, -P1, x), -p);
    let lo = fma(n, -P3, e - pe);
    let z = hi * hi;
    let w = fma(z, -0.5, 1.0);
    let sin = hi + fma(hi * z, poly(z, &SIN), lo * w);
    let w_rest = fma(z, -0.5, 1.0 - w);
    let cos = w + (w_rest + fma(z * z, poly(z, &COS), -(hi * lo)));
    (sin, cos, t.to_bits())
}

/// Sine of quadrant `q`: s, c, -s, -c.
#[inline(always)]
fn in_quadrant(q: u32, s: f32, c: f32) -> f32 {
    let v = select(q & 1 == 0, s, c);
    f32::from_bits(v.to_bits() ^ ((q & 2) << 30))
}

/// Whether the argument of a sine or cosine is beyond the fast versions.
#[inline(always)]
pub fn is_far(x: f32) -> bool {
    x.abs() > FAST_LIMIT
}

/// `sin` where not `is_far`.
#[inline(always)]
pub fn sin_fast(x: f32) -> f32 {
    let (s, c, q) = sin_cos(x);
    select(x == 0.0, x, in_quadrant(q, s, c))
}

/// `cos` where not `is_far`.
#[inline(always)]
pub fn cos_fast(x: f32) -> f32 {
    let (s, c, q) = sin_cos(x);
    in_quadrant(q.wrapping_add(1), s, c)
}

/// Sine.
#[inline(always)]
pub fn sin(x: f32) -> f32 {
    if is_far(x) { crate::kernels::elementary::sin(f64::from(x)) as f32 } else { sin_fast(x) }
}

/// Cosine.
#[inline(always)]
pub fn cos(x: f32) -> f32 {
    if is_far(x) { crate::kernels::elementary::cos(f64::from(x)) as f32 } else { cos_fast(x) }
}

/// Hyperbolic tangent: tanh(y) = -E/(2 + E) with E = e^(-2y) - 1.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let y = clamp(x.abs(), 0.0, 12.0);
    let (u, v) = ExpParts::of(-2.0 * y, 0.0).minus_one();
    let (e, el) = fast_two_sum(u, v);
    let (d, dl) = fast_two_sum(2.0, e);
    divide((-e, -el), (d, dl + el)).copysign(x)
}

/// e^-d, d >= 0, as an unevaluated sum; beyond 80 rounded.
#[inline(always)]
fn exp_neg(d: f32) -> (f32, f32) {
    let parts = ExpParts::of(clamp(-d, -105.0, 0.0), 0.0);
    let (p, e) = parts.mantissa();
    let (h, l) = fast_two_sum(p, e);
    let low = select(parts.n < -90.0, 0.0, l);
    (scale(h, parts.n), low * pow2(clamp(parts.n, -100.0, 0.0)))
}

/// 1/(1 + e^-x).
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    let (t, tl) = exp_neg(x.abs());
    let (d, dl) = fast_two_sum(1.0, t);
    let up = x > 0.0;
    divide((select(up, 1.0, t), select(up, 0.0, tl)), (d, dl + tl))
}

/// log(1 + e^x).
#[inline(always)]
pub fn softplus(x: f32) -> f32 {
    let (t, tl) = exp_neg(x.abs());
    let l = select(t < 2.9e-8, t, log1p_parts(t, tl));
    select(x > 0.0, x, select(x <= 0.0, 0.0, x)) + l
}

/// Error function: a polynomial up to 0.9, then 1 - e^(log erfc), which is 1 from 4 on.
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let a = clamp(x.abs(), 0.0, 4.0);
    let near = fma(a, poly(a * a, &ERF), a);
    let far = 1.0 - exp(poly(a - 1.0, &LOG_ERFC));
    select(a < 0.9, near, far).copysign(x)
}
