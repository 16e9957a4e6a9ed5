//! The noise contract in single precision: four draws of a block of bits.
//!
//! Coordinates and key are those of [`crate::kernels::normal`]. One ARS-5 block serves the four paths 4j ... 4j + 3: its
//! counter has path/4 where that of double precision has path/2, and the top bit of that field set, so that draws of the
//! two precisions share no block (for paths below 2^40). The 32-bit words of the block, from the lowest, belong to the
//! four paths in turn. Of normals, the words of paths 4j and 4j + 1 give these two the cosine and the sine of Box and
//! Muller's transformation; likewise those of 4j + 2 and 4j + 3.
//! Scalars and fills, on any instruction set, give the same bits.

use std::mem::MaybeUninit;

use super::arith::{fma, mantissa_exponent, poly};
use super::coefficients::{COS_PI, MINUS_2_LOG, SIN_PI};
use crate::kernels::ars::{self, Block, RoundKeys};
use crate::kernels::normal::{Coord, FillLevel, Key, Rows};

/// Paths that share a block.
pub const SHARED: usize = 4;

/// The counter of the block that a draw shares with its neighbours.
#[inline(always)]
fn counter(coord: Coord) -> Block {
    const MARK: u64 = 1 << 39;
    let pairs = Coord { path: coord.path >> 1, ..coord }.counter();
    [pairs[0] | MARK, pairs[1]]
}

/// The word of a draw's block for two paths: those of an even path 2k and of 2k + 1, which has the upper half.
fn word(key: Key, coord: Coord) -> u64 {
    ars::block([key.seed, key.stream], counter(coord))[(coord.path >> 1 & 1) as usize]
}

/// A uniform number on the odd multiples of 2^-24 in (0, 1).
pub fn uniform(key: Key, coord: Coord) -> f32 {
    uniform_pair(word(key, coord))[(coord.path & 1) as usize]
}

/// A standard normal number, at most 6.67 in size.
pub fn normal(key: Key, coord: Coord) -> f32 {
    box_muller(word(key, coord))[(coord.path & 1) as usize]
}

/// The uniform numbers of two words of 32 bits.
#[inline(always)]
fn uniform_pair(w: u64) -> [f32; 2] {
    [uniform_of_bits(w as u32), uniform_of_bits((w >> 32) as u32)]
}

/// The upper 23 bits and a half, over 2^23.
#[inline(always)]
fn uniform_of_bits(w: u32) -> f32 {
    const ONE: u32 = 0x3f80_0000;
    f32::from_bits((w >> 9) | ONE) - (1.0 - f32::EPSILON / 2.0)
}

/// Two independent normals of 64 bits (Box and Muller 1958).
///
/// The radius comes from u = (k + 1/2)/2^31, in (0, 1], k the lower 31 bits: rounded to a number of single precision, so
/// that small u, the tail, keep all their bits. The angle is pi times t = j/2^32, j the upper 32 bits as a signed
/// integer. Bit 31 is the sign of the cosine.
#[inline(always)]
pub fn box_muller(w: u64) -> [f32; 2] {
    let r = radius(w as u32);
    let (cos, sin) = cos_sin(w as u32, (w >> 32) as u32);
    [r * cos, r * sin]
}

const SIGN: u32 = 1 << 31;

/// sqrt(-2 log u)
#[inline(always)]
fn radius(low: u32) -> f32 {
    const U: f32 = 1.0 / (1u64 << 31) as f32;
    let u = fma((low & !SIGN) as i32 as f32, U, 0.5 * U);
    let (m, k) = mantissa_exponent(u);
    let f = m - 1.0;
    fma(k, -2.0 * std::f32::consts::LN_2, f * poly(f, &MINUS_2_LOG)).sqrt()
}

/// Cosine, with its random sign, and sine of pi t.
#[inline(always)]
fn cos_sin(low: u32, high: u32) -> (f32, f32) {
    const T: f32 = 1.0 / (1u64 << 32) as f32;
    let t = high as i32 as f32 * T;
    let z = t * t;
    let cos = f32::from_bits(poly(z, &COS_PI).to_bits() ^ (low & SIGN));
    (cos, t * poly(z, &SIN_PI))
}

/// Words that are transformed side by side, two vectors of 256 bits.
const WIDE: usize = 16;

/// `box_muller` of all words. Of some at a time the halves are parted first, so that the compiler works on whole vectors
/// of them.
#[inline(always)]
fn all_normals(words: &[u64], out: &mut [f32]) {
    let (words, last_words) = words.as_chunks::<WIDE>();
    let (rows, last_row) = out.as_chunks_mut::<{ 2 * WIDE }>();
    for (out, words) in rows.iter_mut().zip(words) {
        let (mut low, mut high) = ([0; WIDE], [0; WIDE]);
        for (k, w) in words.iter().enumerate() {
            (low[k], high[k]) = (*w as u32, (*w >> 32) as u32);
        }
        let (mut even, mut odd) = ([0.0; WIDE], [0.0; WIDE]);
        for k in 0..WIDE {
            let r = radius(low[k]);
            let (cos, sin) = cos_sin(low[k], high[k]);
            (even[k], odd[k]) = (r * cos, r * sin);
        }
        for k in 0..WIDE {
            (out[2 * k], out[2 * k + 1]) = (even[k], odd[k]);
        }
    }
    for (pair, word) in last_row.as_chunks_mut::<2>().0.iter_mut().zip(last_words) {
        *pair = box_muller(*word);
    }
}

#[inline(always)]
fn all_uniforms(words: &[u64], out: &mut [f32]) {
    for (pair, word) in out.as_chunks_mut::<2>().0.iter_mut().zip(words) {
        *pair = uniform_pair(*word);
    }
}

/// Blocks between the two passes of a fill: 4 KB of words stay in the first cache.
const CHUNK: usize = 256;

fn check(rows: &Rows, out: &[f32]) {
    let shared = |n: u64| n.is_multiple_of(SHARED as u64);
    assert!(shared(rows.first.path) && shared(rows.lanes as u64), "paths are drawn in fours");
    assert!(rows.step_stride >= rows.components * rows.lanes, "steps overlap");
    if rows.steps > 0 {
        let end = (rows.steps - 1) * rows.step_stride + rows.components * rows.lanes;
        assert!(out.len() >= end, "too little room");
    }
}

/// Words of a chunk, then their transformation; the passes are compiled together for one instruction set. Rows that
/// follow one another in memory share a chunk.
macro_rules! fill_fn {
    ($name:ident, $words:path, $transform:path $(, $attr:meta)?) => {
        $(#[$attr])?
        fn $name(rows: &Rows, out: &mut [f32]) {
            let keys: RoundKeys = RoundKeys::new([rows.key.seed, rows.key.stream]);
            let mut scratch = [const { MaybeUninit::<Block>::uninit() }; CHUNK];
            // blocks that wait, and where their numbers go
            let (mut waiting, mut start) = (0, 0);
            for row in 0..rows.steps * rows.components {
                let (s, c) = (row / rows.components, row % rows.components);
                let mut at = s * rows.step_stride + c * rows.lanes;
                let mut left = rows.lanes / SHARED;
                let coord = Coord {
                    step: rows.first.step + s as u64,
                    component: rows.first.component + c as u32,
                    ..rows.first
                };
                let mut counter = counter(coord);
                while left > 0 {
                    if waiting == CHUNK || waiting > 0 && at != start + SHARED * waiting {
                        transform!(scratch, waiting, out, start, $transform);
                        waiting = 0;
                    }
                    if waiting == 0 {
                        start = at;
                    }
                    let n = left.min(CHUNK - waiting);
                    // SAFETY: any bits are a block, and these are written before they are read
                    let words = unsafe { &mut *(&raw mut scratch[waiting..waiting + n] as *mut [Block]) };
                    $words(&keys, counter, words);
                    counter[0] += n as u64;
                    waiting += n;
                    left -= n;
                    at += SHARED * n;
                }
            }
            transform!(scratch, waiting, out, start, $transform);
        }
    };
}

macro_rules! transform {
    ($scratch:ident, $n:ident, $out:ident, $start:ident, $transform:path) => {
        // SAFETY: that many blocks have been written
        let words = unsafe { &*(&raw const $scratch[..$n] as *const [Block]) };
        $transform(words.as_flattened(), &mut $out[$start..$start + SHARED * $n]);
    };
}

fill_fn!(normals_portable, ars::software::fill, all_normals);
fill_fn!(uniforms_portable, ars::software::fill, all_uniforms);
#[cfg(target_arch = "x86_64")]
fill_fn!(normals_aes, ars::x86::fill, all_normals, target_feature(enable = "avx2,fma,aes"));
#[cfg(target_arch = "x86_64")]
fill_fn!(uniforms_aes, ars::x86::fill, all_uniforms, target_feature(enable = "avx2,fma,aes"));
#[cfg(target_arch = "x86_64")]
fill_fn!(normals_vaes, ars::x86::fill_wide, all_normals, target_feature(enable = "avx2,fma,aes,vaes"));
#[cfg(target_arch = "x86_64")]
fill_fn!(uniforms_vaes, ars::x86::fill_wide, all_uniforms, target_feature(enable = "avx2,fma,aes,vaes"));
#[cfg(target_arch = "x86_64")]
fill_fn!(normals_vaes512, ars::x86::fill_wide, all_normals, target_feature(enable = "avx2,fma,aes,vaes,avx512f"));

/// Fills rows (of paths and lanes in multiples of four) with normals, each the bits of [`normal`] at its coordinates.
pub fn fill_normals(rows: &Rows, out: &mut [f32]) {
    fill_normals_at(FillLevel::best(), rows, out);
}

/// Fills rows with uniform numbers, each the bits of [`uniform`] at its coordinates.
pub fn fill_uniforms(rows: &Rows, out: &mut [f32]) {
    fill_uniforms_at(FillLevel::best(), rows, out);
}

/// `fill_normals` at a level that this machine can run.
pub fn fill_normals_at(level: FillLevel, rows: &Rows, out: &mut [f32]) {
    check(rows, out);
    match level {
        // SAFETY: the caller's level is one of this machine
        #[cfg(target_arch = "x86_64")]
        FillLevel::Vaes512 => unsafe { normals_vaes512(rows, out) },
        // SAFETY: as above
        #[cfg(target_arch = "x86_64")]
        FillLevel::Vaes => unsafe { normals_vaes(rows, out) },
        // SAFETY: as above
        #[cfg(target_arch = "x86_64")]
        FillLevel::Aes => unsafe { normals_aes(rows, out) },
        _ => normals_portable(rows, out),
    }
}

/// `fill_uniforms` at a level that this machine can run.
pub fn fill_uniforms_at(level: FillLevel, rows: &Rows, out: &mut [f32]) {
    check(rows, out);
    match level {
        // SAFETY: the caller's level is one of this machine
        #[cfg(target_arch = "x86_64")]
        FillLevel::Vaes | FillLevel::Vaes512 => unsafe { uniforms_vaes(rows, out) },
        // SAFETY: as above
        #[cfg(target_arch = "x86_64")]
        FillLevel::Aes => unsafe { uniforms_aes(rows, out) },
        _ => uniforms_portable(rows, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::table::Kernel;

    const KEY: Key = Key { seed: 0x0123_4567_89ab_cdef, stream: 42 };

    fn at(path: u64, step: u64) -> Coord {
        Coord { path, step, site: 0, component: 0, turn: 0 }
    }

    fn row(key: Key, first: Coord, lanes: usize) -> Vec<f64> {
        let mut out = vec![0.0; lanes];
        fill_normals(&Rows::one(key, first, lanes), &mut out);
        out.into_iter().map(f64::from).collect()
    }

    /// Four paths share a block, and none is a block of double precision.
    #[test]
    fn coordinates_fill_the_counter() {
        let last = Coord { path: (1 << 41) - 1, step: (1 << 40) - 1, site: 4095, component: 1048575, turn: 65535 };
        assert_eq!(counter(last), [u64::MAX; 2]);
        assert_eq!(counter(at(4, 1)), counter(at(7, 1)));
        assert_ne!(counter(at(4, 1)), counter(at(8, 1)));
        assert!((0..64).all(|p| (0..64).all(|q| counter(at(p, 1)) != at(q, 1).counter())));
    }

    /// The transformation against that in double precision.
    #[test]
    fn box_muller_is_accurate() {
        for k in 0..200_000u64 {
            let w = k.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (k << 17);
            let u = ((w & 0x7fff_ffff) as f64 + 0.5) / 2f64.powi(31);
            let angle = std::f64::consts::PI * ((w >> 32) as i32 as f64 / 2f64.powi(32));
            let (sin, cos) = angle.sin_cos();
            let sign = if w & 1 << 31 == 0 { 1.0 } else { -1.0 };
            let r = (-2.0 * u.ln()).sqrt();
            // near u = 1 the rounding of u is larger than the radius' own
            let tolerance = 1e-6 * r + 2f64.powi(-24) / r;
            let [a, b] = box_muller(w);
            assert!((f64::from(a) - r * cos * sign).abs() < tolerance, "{w:x}: {a} for {}", r * cos * sign);
            assert!((f64::from(b) - r * sin).abs() < tolerance, "{w:x}: {b} for {}", r * sin);
        }
        // the largest sizes, and none
        assert!((box_muller(0)[0] - 6.6604).abs() < 1e-4);
        assert!((box_muller(1 << 63)[1] + 6.6604).abs() < 1e-4);
        assert_eq!(box_muller(0x7fff_ffff), [0.0, 0.0]);
    }

    /// Fixed bits: a change here changes every result of every program in single precision.
    #[test]
    fn contract_is_kept() {
        let c = Coord { path: 1001, step: 77, site: 3, component: 5, turn: 2 };
        let key = Key { seed: 7, stream: 1 };
        assert_eq!(word(key, c), 0x135a_38da_0545_a227);
        assert_eq!(uniform(key, c), 0.07559544);
        assert_eq!(normal(key, c), 0.5942096);
    }

    #[test]
    fn uniforms_are_inside() {
        assert_eq!(uniform_pair(0), [2f32.powi(-24); 2]);
        assert_eq!(uniform_pair(u64::MAX), [1.0 - 2f32.powi(-24); 2]);
    }

    #[test]
    fn fills_equal_the_scalar_reference() {
        for level in FillLevel::available() {
            for lanes in [0, 4, 8, 36, 512, 1100] {
                for gap in [0, 5] {
                    let first = Coord { path: 12, step: 1 << 30, site: 2, component: 9, turn: 1 };
                    let (components, steps, step_stride) = (3, 2, 3 * lanes + gap);
                    let rows = Rows { key: KEY, first, lanes, components, steps, step_stride };
                    let mut z = vec![f32::NAN; 2 * step_stride];
                    let mut u = z.clone();
                    fill_normals_at(level, &rows, &mut z);
                    fill_uniforms_at(level, &rows, &mut u);
                    for (s, c, i) in (0..2).flat_map(|s| (0..3).flat_map(move |c| (0..lanes).map(move |i| (s, c, i)))) {
                        let (path, step) = (first.path + i as u64, first.step + s as u64);
                        let coord = Coord { path, step, component: first.component + c as u32, ..first };
                        let k = s * step_stride + c * lanes + i;
                        assert_eq!(z[k].to_bits(), normal(KEY, coord).to_bits(), "{level:?} {coord:?}");
                        assert_eq!(u[k].to_bits(), uniform(KEY, coord).to_bits(), "{level:?} {coord:?}");
                    }
                    assert!(z[3 * lanes..step_stride].iter().all(|v| v.is_nan()), "gaps between steps are left alone");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "fours")]
    fn rows_that_split_a_block_are_refused() {
        row(KEY, at(2, 0), 4);
    }

    /// Averages of z^k within 5 standard errors of the moments of the normal law.
    #[test]
    fn moments() {
        let n = 1 << 19;
        let z = row(KEY, at(0, 0), n);
        let moments = [1.0, 0.0, 1.0, 0.0, 3.0, 0.0, 15.0, 0.0, 105.0, 0.0, 945.0, 0.0, 10395.0];
        for k in 1..=6 {
            let mean = z.iter().map(|v| v.powi(k as i32)).sum::<f64>() / n as f64;
            let error = ((moments[2 * k] - moments[k] * moments[k]) / n as f64).sqrt();
            assert!((mean - moments[k]).abs() < 5.0 * error, "moment {k}: {mean}");
        }
    }

    /// Counts beyond 1 to 5 within 5 standard errors, and Pearson's chi-square over 64 cells of equal weight.
    #[test]
    fn tails_and_cells() {
        let n = 1 << 23;
        let z = row(KEY, at(0, 1), n);
        for c in [1.0, 2.0, 3.0, 4.0, 5.0] {
            for sign in [-1.0, 1.0] {
                let expected = n as f64 * Kernel::NormCdf.scalar1(-c);
                let count = z.iter().filter(|v| sign * **v > c).count() as f64;
                let far = 5.0 * expected.sqrt() + 3.0;
                assert!((count - expected).abs() < far, "{count} beyond {c}, expected {expected}");
            }
        }
        let mut cells = [0.0; 64];
        for v in &z {
            cells[(Kernel::NormCdf.scalar1(*v) * 64.0) as usize] += 1.0;
        }
        let expected = n as f64 / 64.0;
        let chi2: f64 = cells.iter().map(|c: &f64| (c - expected).powi(2) / expected).sum();
        assert!((chi2 - 63.0).abs() < 5.0 * 126f64.sqrt(), "{chi2}");
    }

    /// Neighbours in every coordinate are uncorrelated, in themselves and in their squares.
    #[test]
    fn neighbours_are_independent() {
        let n = 1 << 16;
        let base = Coord { path: 0, step: 9, site: 4, component: 6, turn: 0 };
        let z = row(KEY, base, n);
        let check = |name: &str, x: &[f64], y: &[f64]| {
            let m = x.len() as f64;
            let product = x.iter().zip(y).map(|(a, b)| a * b).sum::<f64>() / m;
            assert!(product.abs() < 5.0 / m.sqrt(), "{name}: {product}");
            let squares = x.iter().zip(y).map(|(a, b)| (a * a - 1.0) * (b * b - 1.0)).sum::<f64>() / m;
            assert!(squares.abs() < 5.0 * 2.0 / m.sqrt(), "{name}: squares {squares}");
        };
        let of = |k: usize| z.iter().copied().skip(k).step_by(4).collect::<Vec<f64>>();
        for (a, b) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)] {
            check(&format!("paths {a} and {b} of a block"), &of(a), &of(b));
        }
        check("next block", &of(0)[1..], &of(3)[..n / 4 - 1]);
        check("step", &z, &row(KEY, Coord { step: 10, ..base }, n));
        check("site", &z, &row(KEY, Coord { site: 5, ..base }, n));
        check("component", &z, &row(KEY, Coord { component: 7, ..base }, n));
        check("turn", &z, &row(KEY, Coord { turn: 1, ..base }, n));
        check("seed", &z, &row(Key { seed: KEY.seed + 1, ..KEY }, base, n));
        check("stream", &z, &row(Key { stream: KEY.stream + 1, ..KEY }, base, n));
    }
}
