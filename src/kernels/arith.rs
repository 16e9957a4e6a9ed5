//! Building blocks of the kernels: fused arithmetic, error-free transformations, polynomials, selects.
//!
//! Everything here is a fixed sequence of IEEE operations (`+ - * / sqrt fma` and integer logic), so that a function
//! built from it rounds alike in scalar code, in vectors of any width and on any machine.
//! Error-free transformations: Ogita, Rump, Oishi, "Accurate sum and dot product" (2005).

/// What both precisions have in common, with `ROUNDER` and `ONE_BITS` of the module; `$mantissa` is the number of stored bits.
macro_rules! common {
    ($real:ty, $mantissa:literal) => {
        /// `a*b + c`, rounded once.
        #[inline(always)]
        pub fn fma(a: $real, b: $real, c: $real) -> $real {
            a.mul_add(b, c)
        }

        /// `c ? a : b` without a branch: both values are at hand.
        #[inline(always)]
        pub fn select(c: bool, a: $real, b: $real) -> $real {
            if c { a } else { b }
        }

        /// x within [lo, hi]; NaN stays NaN.
        #[inline(always)]
        pub fn clamp(x: $real, lo: $real, hi: $real) -> $real {
            let x = select(x > hi, hi, x);
            select(x < lo, lo, x)
        }

        /// (s, e) with s = fl(a + b) and s + e = a + b exactly.
        #[inline(always)]
        pub fn two_sum(a: $real, b: $real) -> ($real, $real) {
            let s = a + b;
            let t = s - a;
            (s, (a - (s - t)) + (b - t))
        }

        /// `two_sum` for |a| >= |b| (or a = 0).
        #[inline(always)]
        pub fn fast_two_sum(a: $real, b: $real) -> ($real, $real) {
            let s = a + b;
            (s, (a - s) + b)
        }

        /// (p, e) with p = fl(a * b) and p + e = a*b exactly (no underflow).
        #[inline(always)]
        pub fn two_prod(a: $real, b: $real) -> ($real, $real) {
            let p = a * b;
            (p, fma(a, b, -p))
        }

        /// c[0] + c[1] x + c[2] x^2 + ..., by two interleaved Horner chains in x^2 (half the latency of one).
        #[inline(always)]
        pub fn poly<const N: usize>(x: $real, c: &[$real; N]) -> $real {
            let y = x * x;
            let (mut a, mut b) = (c[N - 1], c[N - 2]);
            let mut k = 2;
            while k < N {
                let next = c[N - 1 - k];
                if k.is_multiple_of(2) {
                    a = fma(a, y, next);
                } else {
                    b = fma(b, y, next);
                }
                k += 1;
            }
            if N.is_multiple_of(2) { fma(a, x, b) } else { fma(b, x, a) }
        }

        /// 2^n for the integer n = t - `ROUNDER`, where 2^n is a normal number.
        #[inline(always)]
        pub fn pow2_of_rounded(t: $real) -> $real {
            <$real>::from_bits((t.to_bits() << $mantissa).wrapping_add(ONE_BITS))
        }

        /// 2^n for an integer-valued n, where 2^n is a normal number.
        #[inline(always)]
        pub fn pow2(n: $real) -> $real {
            pow2_of_rounded(n + ROUNDER)
        }

        /// p * 2^n for 1/4 < p < 4 and an integer-valued n up to a little beyond the range of numbers, rounded once (also to
        /// subnormals and infinity).
        #[inline(always)]
        pub fn scale(p: $real, n: $real) -> $real {
            let half = fma(n, 0.5, ROUNDER);
            let rest = n - (half - ROUNDER);
            p * pow2_of_rounded(half) * pow2(rest)
        }
    };
}
pub(super) use common;

/// Adding this to |x| < 2^51 rounds x to an integer (ties to even), whose two's complement stands in the low bits.
pub const ROUNDER: f64 = 6755399441055744.0;
pub const LN2_HI: f64 = std::f64::consts::LN_2;
/// ln 2 - `LN2_HI`
pub const LN2_LO: f64 = 2.3190468138462996e-17;
const ONE_BITS: u64 = 0x3ff0_0000_0000_0000;

common!(f64, 52);

/// (nh + nl)/(dh + dl) to about 2^-100, as an unevaluated sum.
#[inline(always)]
pub fn divide((nh, nl): (f64, f64), (dh, dl): (f64, f64)) -> (f64, f64) {
    let r = 1.0 / dh;
    let q = nh * r;
    let rest = fma(-q, dh, nh) + fma(-q, dl, nl);
    (q, rest * r)
}

/// (m, k) with x = m * 2^k, sqrt(1/2) <= m < sqrt(2), for normal x > 0.
#[inline(always)]
pub fn mantissa_exponent(x: f64) -> (f64, f64) {
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    const MANTISSA: u64 = 0x000f_ffff_ffff_ffff;
    const TWO52: u64 = 0x4330_0000_0000_0000;
    let shifted = x.to_bits().wrapping_add(ONE_BITS - SQRT_HALF);
    let k = f64::from_bits((shifted >> 52) | TWO52) - (4503599627370496.0 + 1023.0);
    let m = f64::from_bits((shifted & MANTISSA).wrapping_add(SQRT_HALF));
    (m, k)
}

/// `mantissa_exponent` for every x > 0, subnormals too.
#[inline(always)]
pub fn mantissa_exponent_full(x: f64) -> (f64, f64) {
    const TWO54: f64 = 18014398509481984.0;
    let tiny = x < f64::MIN_POSITIVE;
    let (m, k) = mantissa_exponent(select(tiny, x * TWO54, x));
    (m, k - select(tiny, 54.0, 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_products_are_exact() {
        let (a, b) = (1.0, 2f64.powi(-70));
        assert_eq!(two_sum(a, b), (1.0, b));
        assert_eq!(two_sum(b, a), (1.0, b));
        assert_eq!(fast_two_sum(a, b), (1.0, b));
        let e = 2f64.powi(-30);
        assert_eq!(two_prod(1.0 + e, 1.0 + e), (1.0 + 2.0 * e, e * e));
    }

    #[test]
    fn polynomial_of_both_parities() {
        assert_eq!(poly(2.0, &[1.0, 2.0, 3.0]), 17.0);
        assert_eq!(poly(2.0, &[1.0, 2.0, 3.0, 4.0]), 49.0);
    }

    #[test]
    fn scaling_reaches_subnormals_and_infinity() {
        assert_eq!(scale(1.0, -1074.0), f64::from_bits(1));
        assert_eq!(scale(1.5, 1023.0), 1.5 * 2f64.powi(1023));
        assert_eq!(scale(1.0, 1024.0), f64::INFINITY);
        assert_eq!(scale(1.0, -1080.0), 0.0);
        for n in -1022..=1023 {
            assert_eq!(pow2(n as f64), 2f64.powi(n));
        }
    }

    #[test]
    fn mantissas_are_centred() {
        for x in [1.0, 0.7, 0.71, 1.41, 1.42, 1e300, 3e-308, 5e-324, 1e-310, f64::MAX] {
            let (m, k) = mantissa_exponent_full(x);
            assert!((std::f64::consts::FRAC_1_SQRT_2..std::f64::consts::SQRT_2).contains(&m), "{x}");
            assert_eq!(scale(m, k), x);
        }
    }
}
