//! Building blocks in single precision: as those of [`super::super::arith`], in the other format.

/// Adding this to |x| < 2^22 rounds x to an integer (ties to even), whose two's complement stands in the low bits.
pub const ROUNDER: f32 = 12582912.0;
pub const LN2_HI: f32 = std::f32::consts::LN_2;
/// ln 2 - `LN2_HI`
pub const LN2_LO: f32 = -1.904_654_2e-9;
const ONE_BITS: u32 = 0x3f80_0000;

/// `a*b + c`, rounded once.
#[inline(always)]
pub fn fma(a: f32, b: f32, c: f32) -> f32 {
    a.mul_add(b, c)
}

/// `c ? a : b` without a branch: both values are at hand.
#[inline(always)]
pub fn select(c: bool, a: f32, b: f32) -> f32 {
    if c { a } else { b }
}

/// x within [lo, hi]; NaN stays NaN.
#[inline(always)]
pub fn clamp(x: f32, lo: f32, hi: f32) -> f32 {
    let x = select(x > hi, hi, x);
    select(x < lo, lo, x)
}

/// (s, e) with s = fl(a + b) and s + e = a + b exactly.
#[inline(always)]
pub fn two_sum(a: f32, b: f32) -> (f32, f32) {
    let s = a + b;
    let t = s - a;
    (s, (a - (s - t)) + (b - t))
}

/// `two_sum` for |a| >= |b| (or a = 0).
#[inline(always)]
pub fn fast_two_sum(a: f32, b: f32) -> (f32, f32) {
    let s = a + b;
    (s, (a - s) + b)
}

/// (p, e) with p = fl(a * b) and p + e = a*b exactly (no underflow).
#[inline(always)]
pub fn two_prod(a: f32, b: f32) -> (f32, f32) {
    let p = a * b;
    (p, fma(a, b, -p))
}

/// (nh + nl)/(dh + dl), rounded nearly once.
#[inline(always)]
pub fn divide((nh, nl): (f32, f32), (dh, dl): (f32, f32)) -> f32 {
    let r = 1.0 / dh;
    let q = nh * r;
    let rest = fma(-q, dh, nh) + fma(-q, dl, nl);
    fma(rest, r, q)
}

/// c[0] + c[1] x + c[2] x^2 + ..., by two interleaved Horner chains in x^2.
#[inline(always)]
pub fn poly<const N: usize>(x: f32, c: &[f32; N]) -> f32 {
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

/// 2^n for the integer n = t - `ROUNDER`, -126 <= n <= 127.
#[inline(always)]
pub fn pow2_of_rounded(t: f32) -> f32 {
    f32::from_bits((t.to_bits() << 23).wrapping_add(ONE_BITS))
}

/// 2^n for an integer-valued n, -126 <= n <= 127.
#[inline(always)]
pub fn pow2(n: f32) -> f32 {
    pow2_of_rounded(n + ROUNDER)
}

/// p * 2^n for an integer-valued n in [-160, 160] and 1/4 < p < 4, rounded once (also to subnormals and infinity).
#[inline(always)]
pub fn scale(p: f32, n: f32) -> f32 {
    let half = fma(n, 0.5, ROUNDER);
    let rest = n - (half - ROUNDER);
    p * pow2_of_rounded(half) * pow2(rest)
}

/// (m, k) with x = m * 2^k, sqrt(1/2) <= m < sqrt(2), for normal x > 0.
#[inline(always)]
pub fn mantissa_exponent(x: f32) -> (f32, f32) {
    const SQRT_HALF: u32 = 0x3f35_04f3;
    const MANTISSA: u32 = 0x007f_ffff;
    let shifted = x.to_bits().wrapping_add(ONE_BITS - SQRT_HALF);
    let k = (shifted >> 23) as i32 - 127;
    let m = f32::from_bits((shifted & MANTISSA).wrapping_add(SQRT_HALF));
    (m, k as f32)
}

/// `mantissa_exponent` for every x > 0, subnormals too.
#[inline(always)]
pub fn mantissa_exponent_full(x: f32) -> (f32, f32) {
    const TWO24: f32 = 16777216.0;
    let tiny = x < f32::MIN_POSITIVE;
    let (m, k) = mantissa_exponent(select(tiny, x * TWO24, x));
    (m, k - select(tiny, 24.0, 0.0))
}
