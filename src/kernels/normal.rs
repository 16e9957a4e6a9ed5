//! The noise contract: bits, uniforms and normals as pure functions of coordinates.
//!
//! A draw is named by the key (seed, stream) and by path, step, site, component and turn. One ARS-5 block serves the
//! two paths 2j and 2j + 1, so its counter is, from the lowest bit: path/2 (40 bits), step (40), component (20), site
//! (12), turn (16). Path 2j takes the low word, path 2j + 1 the high word; of normals, Box and Muller's transformation
//! of the block gives path 2j the cosine and path 2j + 1 the sine.
//! Scalars and block fills, on any instruction set, give the same bits.

use super::arith::{fma, mantissa_exponent, poly};
use super::ars::{self, Block, RoundKeys};
use super::coefficients::{COS_PI, MINUS_2_LOG, SIN_PI};
use std::mem::MaybeUninit;

pub const PATH_BITS: u32 = 41;
pub const STEP_BITS: u32 = 40;
pub const SITE_BITS: u32 = 12;
pub const COMPONENT_BITS: u32 = 20;
pub const TURN_BITS: u32 = 16;

/// The key of all draws of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub seed: u64,
    pub stream: u64,
}

/// The coordinates of a draw under a key. Each is below 2 to its `*_BITS`; higher bits are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Coord {
    pub path: u64,
    pub step: u64,
    pub site: u32,
    pub component: u32,
    pub turn: u16,
}

impl Coord {
    /// The counter of the block that this draw shares with the neighbouring path.
    #[inline(always)]
    pub fn counter(self) -> Block {
        const PAIRS: u64 = (1 << (PATH_BITS - 1)) - 1;
        let pair = (self.path >> 1) & PAIRS;
        let step = self.step & ((1 << STEP_BITS) - 1);
        let component = u64::from(self.component) & ((1 << COMPONENT_BITS) - 1);
        let site = u64::from(self.site) & ((1 << SITE_BITS) - 1);
        let place = component | site << COMPONENT_BITS;
        [pair | step << 40, step >> 24 | place << 16 | u64::from(self.turn) << 48]
    }
}

/// 64 random bits.
pub fn bits(key: Key, coord: Coord) -> u64 {
    ars::block([key.seed, key.stream], coord.counter())[(coord.path & 1) as usize]
}

/// A uniform number on the odd multiples of 2^-53 in (0, 1).
pub fn uniform(key: Key, coord: Coord) -> f64 {
    uniform_of_bits(bits(key, coord))
}

/// A standard normal number, at most 8.49 in size.
pub fn normal(key: Key, coord: Coord) -> f64 {
    let block = ars::block([key.seed, key.stream], coord.counter());
    let pair = box_muller_dispatched(block);
    pair[(coord.path & 1) as usize]
}

/// The uniform number of 64 random bits: the upper 52 bits and a half, over 2^52.
#[inline(always)]
pub fn uniform_of_bits(w: u64) -> f64 {
    const ONE: u64 = 0x3ff0_0000_0000_0000;
    f64::from_bits((w >> 12) | ONE) - (1.0 - f64::EPSILON / 2.0)
}

/// Two independent normals of a block (Box and Muller 1958).
///
/// The radius comes from u = (upper 52 bits of the low word + 1)/2^52, in (0, 1]; the angle is pi times t, t on the grid
/// of 2^-52 in [-1/2, 1/2) from the high word; the lowest bit of the low word is the sign of the cosine.
#[inline(always)]
pub fn box_muller(block: Block) -> [f64; 2] {
    const ONE: u64 = 0x3ff0_0000_0000_0000;
    let u = f64::from_bits((block[0] >> 12) | ONE) - (1.0 - f64::EPSILON);
    let t = f64::from_bits((block[1] >> 12) | ONE) - 1.5;
    let (m, k) = mantissa_exponent(u);
    let s = (m - 1.0) / (m + 1.0);
    let radius = fma(k, -2.0 * std::f64::consts::LN_2, s * poly(s * s, &MINUS_2_LOG)).sqrt();
    let z = t * t;
    let cos = f64::from_bits(poly(z, &COS_PI).to_bits() ^ (block[0] << 63));
    let sin = t * poly(z, &SIN_PI);
    [radius * cos, radius * sin]
}

fn box_muller_dispatched(block: Block) -> [f64; 2] {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("fma") {
        #[target_feature(enable = "fma")]
        fn fused(block: Block) -> [f64; 2] {
            box_muller(block)
        }
        // SAFETY: the feature was just detected
        return unsafe { fused(block) };
    }
    box_muller(block)
}

/// The instruction sets that fills are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FillLevel {
    /// the baseline of the compilation target, AES in software
    Portable,
    /// x86-64 with AVX2, FMA and AES-NI
    Aes,
    /// the same with VAES, on 256-bit registers
    Vaes,
}

impl FillLevel {
    /// The levels that this machine can run, the best last.
    pub fn available() -> Vec<FillLevel> {
        let best = FillLevel::best();
        [FillLevel::Portable, FillLevel::Aes, FillLevel::Vaes].into_iter().filter(|l| *l <= best).collect()
    }

    /// The best level that this machine can run.
    pub fn best() -> FillLevel {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("aes") {
            return if is_x86_feature_detected!("vaes") { FillLevel::Vaes } else { FillLevel::Aes };
        }
        FillLevel::Portable
    }
}

/// Blocks between the two passes of a fill: 4 KB of words stay in the first cache.
const CHUNK: usize = 256;

/// Draws of one site and turn for neighbouring paths, components and steps:
/// `out[s*step_stride + c*lanes + i]` is the draw of path `first.path + i`, component `first.component + c` and step
/// `first.step + s`. `first.path` and `lanes` are even.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    pub key: Key,
    pub first: Coord,
    /// number of paths
    pub lanes: usize,
    pub components: usize,
    pub steps: usize,
    /// elements of `out` from one step to the next, at least `components*lanes`
    pub step_stride: usize,
}

impl Rows {
    /// One row: `lanes` paths at one step and component.
    pub fn one(key: Key, first: Coord, lanes: usize) -> Rows {
        Rows { key, first, lanes, components: 1, steps: 1, step_stride: lanes }
    }

    fn check(&self, out: &[f64]) {
        let (path, lanes) = (self.first.path, self.lanes);
        assert!(path.is_multiple_of(2) && lanes.is_multiple_of(2), "paths are drawn in pairs");
        assert!(self.step_stride >= self.components * lanes, "steps overlap");
        if self.steps > 0 {
            assert!(out.len() >= (self.steps - 1) * self.step_stride + self.components * lanes, "too little room");
        }
        debug_assert!(path + lanes as u64 <= 1 << PATH_BITS, "too many paths");
        debug_assert!(self.first.step + self.steps as u64 <= 1 << STEP_BITS, "too many steps");
        debug_assert!(self.first.component as usize + self.components <= 1 << COMPONENT_BITS, "too many components");
        debug_assert!(self.first.site < 1 << SITE_BITS, "too many sites");
    }
}

/// Words of a chunk, then their transformation; the passes are compiled together for one instruction set.
macro_rules! fill_fn {
    ($name:ident, $words:path, $transform:path $(, $attr:meta)?) => {
        $(#[$attr])?
        fn $name(rows: &Rows, out: &mut [f64]) {
            let keys: RoundKeys = RoundKeys::new([rows.key.seed, rows.key.stream]);
            let mut scratch = [const { MaybeUninit::<Block>::uninit() }; CHUNK];
            for s in 0..rows.steps {
                for c in 0..rows.components {
                    let step = rows.first.step + s as u64;
                    let component = rows.first.component + c as u32;
                    let mut counter = Coord { step, component, ..rows.first }.counter();
                    let start = s * rows.step_stride + c * rows.lanes;
                    for chunk in out[start..start + rows.lanes].chunks_mut(2 * CHUNK) {
                        let n = chunk.len() / 2;
                        // SAFETY: any bits are a block, and all n are written before they are read
                        let words = unsafe { &mut *(&raw mut scratch[..n] as *mut [Block]) };
                        $words(&keys, counter, words);
                        counter[0] += n as u64;
                        let (pairs, _) = chunk.as_chunks_mut::<2>();
                        for (pair, block) in pairs.iter_mut().zip(words.iter()) {
                            *pair = $transform(*block);
                        }
                    }
                }
            }
        }
    };
}

#[inline(always)]
fn uniform_pair(block: Block) -> [f64; 2] {
    [uniform_of_bits(block[0]), uniform_of_bits(block[1])]
}

fill_fn!(normals_portable, ars::software::fill, box_muller);
fill_fn!(uniforms_portable, ars::software::fill, uniform_pair);
#[cfg(target_arch = "x86_64")]
fill_fn!(normals_aes, ars::x86::fill, box_muller, target_feature(enable = "avx2,fma,aes"));
#[cfg(target_arch = "x86_64")]
fill_fn!(uniforms_aes, ars::x86::fill, uniform_pair, target_feature(enable = "avx2,fma,aes"));
#[cfg(target_arch = "x86_64")]
fill_fn!(normals_vaes, ars::x86::fill_wide, box_muller, target_feature(enable = "avx2,fma,aes,vaes"));
#[cfg(target_arch = "x86_64")]
fill_fn!(uniforms_vaes, ars::x86::fill_wide, uniform_pair, target_feature(enable = "avx2,fma,aes,vaes"));

/// Fills rows with normals, each the bits of [`normal`] at its coordinates.
pub fn fill_normals(rows: &Rows, out: &mut [f64]) {
    fill_normals_at(FillLevel::best(), rows, out);
}

/// Fills rows with uniform numbers, each the bits of [`uniform`] at its coordinates.
pub fn fill_uniforms(rows: &Rows, out: &mut [f64]) {
    fill_uniforms_at(FillLevel::best(), rows, out);
}

/// `fill_normals` at a level that this machine can run.
pub fn fill_normals_at(level: FillLevel, rows: &Rows, out: &mut [f64]) {
    rows.check(out);
    match level {
        // SAFETY: the caller's level is one of this machine
        #[cfg(target_arch = "x86_64")]
        FillLevel::Vaes => unsafe { normals_vaes(rows, out) },
        // SAFETY: as above
        #[cfg(target_arch = "x86_64")]
        FillLevel::Aes => unsafe { normals_aes(rows, out) },
        _ => normals_portable(rows, out),
    }
}

/// `fill_uniforms` at a level that this machine can run.
pub fn fill_uniforms_at(level: FillLevel, rows: &Rows, out: &mut [f64]) {
    rows.check(out);
    match level {
        // SAFETY: the caller's level is one of this machine
        #[cfg(target_arch = "x86_64")]
        FillLevel::Vaes => unsafe { uniforms_vaes(rows, out) },
        // SAFETY: as above
        #[cfg(target_arch = "x86_64")]
        FillLevel::Aes => unsafe { uniforms_aes(rows, out) },
        _ => uniforms_portable(rows, out),
    }
}
