//! Building blocks in single precision: as those of [`super::super::arith`], in the other format.

use super::super::arith::common;

/// Adding this to |x| < 2^22 rounds x to an integer (ties to even), whose two's complement stands in the low bits.
pub const ROUNDER: f32 = 12582912.0;
pub const LN2_HI: f32 = std::f32::consts::LN_2;
/// ln 2 - `LN2_HI`
pub const LN2_LO: f32 = -1.904_654_2e-9;
const ONE_BITS: u32 = 0x3f80_0000;

common!(f32, 23);

/// (nh + nl)/(dh + dl), rounded nearly once.
#[inline(always)]
pub fn divide((nh, nl): (f32, f32), (dh, dl): (f32, f32)) -> f32 {
    let r = 1.0 / dh;
    let q = nh * r;
    let rest = fma(-q, dh, nh) + fma(-q, dl, nl);
    fma(rest, r, q)
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
