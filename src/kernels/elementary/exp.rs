//! exp and expm1.

use crate::kernels::arith::*;
use crate::kernels::coefficients::EXP;

/// e^(x + xl) as 2^n * (1 + h + l), with |h| <= 0.3466 and l its correction below 0.07.
///
/// n is x/ln 2 rounded, so x - n*`LN2_HI` is exact: a multiple of 2^-54 (n = 0 apart) no larger than 0.35.
#[derive(Clone, Copy)]
pub struct ExpParts {
    pub n: f64,
    /// n + `ROUNDER`
    rounded: f64,
    pub h: f64,
    pub l: f64,
}

impl ExpParts {
    /// For |x| < 2^40 and |xl| <= ulp(x).
    #[inline(always)]
    pub fn of(x: f64, xl: f64) -> Self {
        let rounded = fma(x, std::f64::consts::LOG2_E, ROUNDER);
        let n = rounded - ROUNDER;
        let r = fma(n, -LN2_HI, x);
        // where the second term is the larger, the loss is far below the last place of the result
        let (h, rest) = fast_two_sum(r, fma(n, -LN2_LO, xl));
        let l = fma(h * h, poly(h, &EXP), fma(rest, h, rest));
        ExpParts { n, rounded, h, l }
    }

    /// 1 + h + l as an unevaluated sum.
    #[inline(always)]
    pub fn mantissa(self) -> (f64, f64) {
        let (p, e) = fast_two_sum(1.0, self.h);
        (p, e + self.l)
    }

    /// The value, rounded.
    #[inline(always)]
    pub fn value(self) -> f64 {
        scale(1.0 + (self.h + self.l), self.n)
    }

    /// 2^n, for n from -1022 to 1023.
    #[inline(always)]
    pub fn power(self) -> f64 {
        pow2_of_rounded(self.rounded)
    }

    /// The value, where it and 2^n are normal numbers: by an addition to the exponent.
    #[inline(always)]
    fn value_near(self) -> f64 {
        let mantissa = 1.0 + (self.h + self.l);
        f64::from_bits(mantissa.to_bits().wrapping_add(self.rounded.to_bits() << 52))
    }

    /// s*(1 + h + l) - 1 as an unevaluated sum, for s = 2^n with n <= 1000.
    #[inline(always)]
    pub fn minus_one(self, s: f64) -> (f64, f64) {
        let (a, e) = two_sum(s, -1.0);
        let (u, v) = two_sum(a, s * self.h);
        (u, fma(s, self.l, v + e))
    }
}

/// e^x. Error below 0.9 ulp.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    ExpParts::of(clamp(x, -750.0, 710.0), 0.0).value()
}

/// `exp` for |x| <= 700.
#[inline(always)]
pub fn exp_near(x: f64) -> f64 {
    ExpParts::of(x, 0.0).value_near()
}

/// Whether `exp_near` does not hold, or x is not a number.
#[inline(always)]
pub fn is_beyond_exp(x: f64) -> bool {
    let near = x.abs() <= 700.0;
    !near
}

/// e^x - 1. Error below 1.2 ulp.
#[inline(always)]
pub fn expm1(x: f64) -> f64 {
    let parts = ExpParts::of(clamp(x, -40.0, 710.0), 0.0);
    let over = select(parts.n > 1000.0, parts.n - 1000.0, 0.0);
    let (u, v) = parts.minus_one(pow2(parts.n - over));
    // for |x| < 2^-54 the answer is x, also for -0
    select(x.abs() < 5.5e-17, x, (u + v) * pow2(over))
}

/// `expm1` for -40 <= x <= 690.
#[inline(always)]
pub fn expm1_near(x: f64) -> f64 {
    let parts = ExpParts::of(x, 0.0);
    let (u, v) = parts.minus_one(parts.power());
    select(x.abs() < 5.5e-17, x, u + v)
}

/// Whether `expm1_near` does not hold, or x is not a number.
#[inline(always)]
pub fn is_beyond_expm1(x: f64) -> bool {
    !(-40.0..=690.0).contains(&x)
}
