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
#[cfg(target_arch = "x86_64")]
use super::normal_wide;
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

/// The two normals of each of some blocks, told by their counters: the bits of [`normal`] at any coordinates.
pub fn normals_of_blocks(key: Key, counters: &[Block], out: &mut [[f64; 2]]) {
    normals_of_blocks_at(FillLevel::best(), key, counters, out);
}

/// `normals_of_blocks` at a level that this machine can run.
pub fn normals_of_blocks_at(level: FillLevel, key: Key, counters: &[Block], out: &mut [[f64; 2]]) {
    assert_eq!(counters.len(), out.len(), "a pair for each block");
    let keys: RoundKeys = RoundKeys::new([key.seed, key.stream]);
    match level {
        // SAFETY: the caller's level is one of this machine
        #[cfg(target_arch = "x86_64")]
        FillLevel::Vaes512 => unsafe { normal_wide::vaes512::each(&keys, counters, out) },
        // SAFETY: as above
        #[cfg(target_arch = "x86_64")]
        FillLevel::Vaes => unsafe { normal_wide::vaes::each(&keys, counters, out) },
        // SAFETY: as above
        #[cfg(target_arch = "x86_64")]
        FillLevel::Aes => unsafe { normal_wide::aes::each(&keys, counters, out) },
        _ => out.iter_mut().zip(counters).for_each(|(pair, c)| *pair = box_muller(ars::software::block(&keys, *c))),
    }
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

/// The normals of the block of a counter, compiled for the instructions of the wide fills.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "fma,aes")]
pub(super) fn block_normals(keys: &RoundKeys, counter: Block) -> [f64; 2] {
    box_muller(ars::x86::block(keys, counter))
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
    /// the same with AVX-512, on 512-bit registers
    Vaes512,
}

impl FillLevel {
    /// The levels that this machine can run, the best last.
    pub fn available() -> Vec<FillLevel> {
        let best = FillLevel::best();
        let all = [FillLevel::Portable, FillLevel::Aes, FillLevel::Vaes, FillLevel::Vaes512];
        all.into_iter().filter(|level| *level <= best).collect()
    }

    /// The best level that this machine can run.
    pub fn best() -> FillLevel {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("aes") {
            return match (is_x86_feature_detected!("vaes"), is_x86_feature_detected!("avx512f")) {
                (true, true) => FillLevel::Vaes512,
                (true, false) => FillLevel::Vaes,
                _ => FillLevel::Aes,
            };
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
fill_fn!(uniforms_aes, ars::x86::fill, uniform_pair, target_feature(enable = "avx2,fma,aes"));
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
        FillLevel::Vaes512 => unsafe { normal_wide::vaes512::fill(rows, out) },
        // SAFETY: as above
        #[cfg(target_arch = "x86_64")]
        FillLevel::Vaes => unsafe { normal_wide::vaes::fill(rows, out) },
        // SAFETY: as above
        #[cfg(target_arch = "x86_64")]
        FillLevel::Aes => unsafe { normal_wide::aes::fill(rows, out) },
        _ => normals_portable(rows, out),
    }
}

/// `fill_uniforms` at a level that this machine can run.
pub fn fill_uniforms_at(level: FillLevel, rows: &Rows, out: &mut [f64]) {
    rows.check(out);
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
        out
    }

    #[test]
    fn coordinates_fill_the_counter() {
        let last = Coord { path: (1 << 41) - 1, step: (1 << 40) - 1, site: 4095, component: 1048575, turn: 65535 };
        assert_eq!(last.counter(), [u64::MAX; 2]);
        let c = Coord { path: 0x54321, step: 0xab_cdef_0123, site: 0x123, component: 0x45678, turn: 0x9abc };
        assert_eq!(c.counter(), [0xef01_2300_0002_a190, 0x9abc_1234_5678_abcd]);
        // path 2j and 2j + 1 share a block
        assert_eq!(at(6, 1).counter(), at(7, 1).counter());
    }

    /// The transformation of known blocks, against 40-digit arithmetic: within two units of the largest radius.
    #[test]
    fn known_answers_of_box_muller() {
        let cases: [(Block, [f64; 2]); 8] = [
            ([0x4164d8399f767c45, 0x5bc8fbbcbde5c099], [-1.4916294851849017, -0.7103081442613163]),
            ([0xb0c11fdecb91ce37, 0xd76d4330f1446bea], [-0.4110682859966065, 0.7562112407994636]),
            ([0xa6eb8c9ebd69fe29, 0x87b0b125ec1d7da0], [-0.9207220285254651, 0.08715017200127302]),
            ([0xd7210dff076ce2ef, 0xc6a5387777330bdb], [-0.3816998403380992, 0.4496479851557742]),
            ([0x0000000000000fff, 0x0000000000000000], [-1.754997989568201e-42, -8.490424416849509]),
            ([0x0000000000000001, 0xffffffffffffffff], [-5.922696771650542e-15, 8.490424416849509]),
            ([0xffffffffffffffff, 0x00000000075bcd15], [0.0, 0.0]),
            ([0x8000000000000000, 0x4000000000000000], [0.8325546111576975, -0.8325546111576975]),
        ];
        for (block, expected) in cases {
            let z = box_muller(block);
            for (a, b) in z.iter().zip(expected) {
                assert!((a - b).abs() < 2e-15, "{block:x?}: {a} {b}");
            }
        }
        // the largest radius, and radius 0
        assert!((box_muller([0, 1 << 63])[0] - 72.0873056f64.sqrt()).abs() < 1e-7);
        assert_eq!(box_muller([u64::MAX << 1, 1 << 63]), [0.0, 0.0]);
    }

    /// Fixed bits: a change here changes every result of every program.
    #[test]
    fn contract_is_kept() {
        let c = Coord { path: 1001, step: 77, site: 3, component: 5, turn: 2 };
        let key = Key { seed: 7, stream: 1 };
        assert_eq!(bits(key, c), 0xe56a_1216_a9ee_07e7);
        assert_eq!(uniform(key, c), 0.8961497598010554);
        assert_eq!(normal(key, c), 1.1107795202342146);
    }

    #[test]
    fn uniforms_are_inside() {
        assert_eq!(uniform_of_bits(0), 2f64.powi(-53));
        assert_eq!(uniform_of_bits(u64::MAX), 1.0 - 2f64.powi(-53));
    }

    #[test]
    fn normals_of_blocks_are_those_of_their_coordinates() {
        for (level, n) in FillLevel::available().into_iter().flat_map(|l| [0, 1, 3, 32, 77].map(|n| (l, n))) {
            let coord =
                |k: usize| Coord { path: 10, step: 1 << 37 | k as u64, site: 2, component: k as u32 % 3, turn: 1 };
            let counters: Vec<Block> = (0..n).map(|k| coord(k).counter()).collect();
            let mut all = vec![[0.0; 2]; n];
            normals_of_blocks_at(level, KEY, &counters, &mut all);
            for (k, pair) in all.iter().enumerate() {
                let each = [10, 11].map(|path| normal(KEY, Coord { path, ..coord(k) }));
                assert_eq!(pair.map(f64::to_bits), each.map(f64::to_bits), "{level:?} {k} of {n}");
            }
        }
    }

    #[test]
    fn fills_equal_the_scalar_reference() {
        for level in FillLevel::available() {
            for lanes in [0, 2, 8, 30, 514, 1030] {
                let first = Coord { path: 10, step: 1 << 30, site: 2, component: 9, turn: 1 };
                let (components, steps, step_stride) = (3, 2, 3 * lanes + 5);
                let rows = Rows { key: KEY, first, lanes, components, steps, step_stride };
                let mut z = vec![f64::NAN; 2 * step_stride];
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

    #[test]
    #[should_panic(expected = "pairs")]
    fn odd_rows_are_refused() {
        row(KEY, at(1, 0), 4);
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

    /// Counts beyond 1, 2, 3 and 4 within 5 standard errors, and Pearson's chi-square over 64 cells of equal weight.
    #[test]
    fn tails_and_cells() {
        let n = 1 << 19;
        let z = row(KEY, at(0, 1), n);
        for c in [1.0, 2.0, 3.0, 4.0] {
            for sign in [-1.0, 1.0] {
                let expected = n as f64 * Kernel::NormCdf.scalar1(-c);
                let count = z.iter().filter(|v| sign * **v > c).count() as f64;
                assert!((count - expected).abs() < 5.0 * expected.sqrt(), "{count} beyond {c}, expected {expected}");
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
        let even: Vec<f64> = z.iter().copied().step_by(2).collect();
        let odd: Vec<f64> = z.iter().copied().skip(1).step_by(2).collect();
        check("pair", &even, &odd);
        check("next pair", &even[1..], &odd[..even.len() - 1]);
        check("step", &z, &row(KEY, Coord { step: 10, ..base }, n));
        check("site", &z, &row(KEY, Coord { site: 5, ..base }, n));
        check("component", &z, &row(KEY, Coord { component: 7, ..base }, n));
        check("turn", &z, &row(KEY, Coord { turn: 1, ..base }, n));
        check("seed", &z, &row(Key { seed: KEY.seed + 1, ..KEY }, base, n));
        check("stream", &z, &row(Key { stream: KEY.stream + 1, ..KEY }, base, n));
    }
}
