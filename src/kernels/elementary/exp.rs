//! exp and expm1.

use crate::kernels::arith::*;
use crate::kernels::coefficients::EXP;

/// e^(x + xl) as 2^n * (1 + h + l), with |h| <= 0.3466 and l its correction below 0.07.
///
/// n is x/ln 2 rounded, so x - n*`LN2_HI` is exact: a multiple of 2^-54 (n = 0 apart) no larger than 0.35.
#[derive(Clone, Copy)]
pub struct ExpParts {
    pub n: f64,
    pub h: f64,
    pub l: f64,
}

impl ExpParts {
    /// For |x| < 2^40 and |xl| <= ulp(x).
    #[inline(always)]
    pub fn of(x: f64, xl: f64) -> Self {
        let n = fma(x, std::f64::consts::LOG2_E, ROUNDER) - ROUNDER;
        let r = fma(n, -LN2_HI, x);
        // where the second term is the larger, the loss is far below the last place of the result
        let (h, rest) = fast_two_sum(r, fma(n, -LN2_LO, xl));
        let l = fma(h * h, poly(h, &EXP), fma(rest, h, rest));
        ExpParts { n, h, l }
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

    /// e^(x + xl) - 1 as an unevaluated sum, for n <= 1000.
    #[inline(always)]
    pub fn minus_one(self) -> (f64, f64) {
        let s = pow2(self.n);
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

/// e^x - 1. Error below 1.2 ulp.
#[inline(always)]
pub fn expm1(x: f64) -> f64 {
    let parts = ExpParts::of(clamp(x, -40.0, 710.0), 0.0);
    let over = select(parts.n > 1000.0, parts.n - 1000.0, 0.0);
    let (u, v) = ExpParts { n: parts.n - over, ..parts }.minus_one();
    // for |x| < 2^-54 the answer is x, also for -0
    select(x.abs() < 5.5e-17, x, (u + v) * pow2(over))
}
