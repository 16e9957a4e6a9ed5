//! Fills of normals by the vectors of x86-64: the blocks of many counters go through the cipher and through Box and
//! Muller's transformation together.
//!
//! The work on a vector of blocks is a chain of more than a hundred cycles, longer than a processor looks ahead, so
//! `GROUPS` pairs of vectors take each stage together. Nanoseconds per normal on a Zen 4 core, rows of 64 lanes, with one
//! group and with four: 1.72 and 1.48 on 256 bits, 1.22 and 1.05 on 512 bits; a loop that the compiler vectorises takes
//! 1.63, and 2.6 where rows have 8 lanes (here 1.57 and 1.32), because rows are not cut at their ends here.
//! Each lane is [`super::normal::box_muller`] operation by operation, so the bits are the same.
//!
//! Loops over groups are written with indices: a closure that an iterator calls is compiled without the instructions of
//! its function.
#![allow(clippy::needless_range_loop, reason = "see above")]

use super::ars::{Block, RoundKeys};
use super::normal::{Coord, Rows, block_normals};

/// Pairs of vectors that take each stage together.
const GROUPS: usize = 4;

/// Draws that stand together: rows are cut into units.
const UNIT: usize = 8;

/// The units of rows: for each the counter of its first block, and the place of its first draw.
struct Walk<'a> {
    rows: &'a Rows,
    /// the row, and the lane in it at which the next vector begins
    step: usize,
    component: usize,
    lane: usize,
    /// the counter of lane 0 of the row, and its place
    counter: Block,
    start: usize,
}

impl<'a> Walk<'a> {
    fn new(rows: &'a Rows) -> Walk<'a> {
        let (counter, start) = (rows.first.counter(), 0);
        Walk { rows, step: 0, component: 0, lane: 0, counter, start }
    }

    #[inline(always)]
    fn next_row(&mut self) {
        let rows = self.rows;
        self.lane = 0;
        self.component += 1;
        if self.component == rows.components {
            self.component = 0;
            self.step += 1;
        }
        let step = rows.first.step + self.step as u64;
        let component = rows.first.component + self.component as u32;
        self.counter = Coord { step, component, ..rows.first }.counter();
        self.start = self.step * rows.step_stride + self.component * rows.lanes;
    }

    /// The counter and the place of the next vector. There must be one.
    #[inline(always)]
    fn next(&mut self) -> (Block, usize) {
        if self.lane + UNIT > self.rows.lanes {
            self.next_row();
        }
        let [low, high] = self.counter;
        let next = ([low + self.lane as u64 / 2, high], self.start + self.lane);
        self.lane += UNIT;
        next
    }
}

/// The draws at the ends of rows that do not fill a vector of `width`.
#[inline(always)]
fn ends(rows: &Rows, keys: &RoundKeys, out: &mut [f64], transform: impl Fn(&RoundKeys, Block) -> [f64; 2]) {
    let whole = rows.lanes / UNIT * UNIT;
    if whole == rows.lanes {
        return;
    }
    for step in 0..rows.steps {
        for component in 0..rows.components {
            let place = step * rows.step_stride + component * rows.lanes;
            let (step, component) = (rows.first.step + step as u64, rows.first.component + component as u32);
            let [low, high] = Coord { step, component, ..rows.first }.counter();
            let (pairs, _) = out[place + whole..place + rows.lanes].as_chunks_mut::<2>();
            for (k, pair) in pairs.iter_mut().enumerate() {
                *pair = transform(keys, [low + (whole / 2 + k) as u64, high]);
            }
        }
    }
}

/// Names for the instructions of one width, and the few that differ in more than their names.
mod v256 {
    use super::Block;
    use std::arch::x86_64::*;
    pub use std::arch::x86_64::{
        __m256d as Real, __m256i as Bits, _mm256_add_epi64 as add_bits, _mm256_add_pd as add, _mm256_and_si256 as and,
        _mm256_castpd_si256 as to_bits, _mm256_castsi256_pd as from_bits, _mm256_div_pd as div, _mm256_fmadd_pd as fma,
        _mm256_loadu_si256 as load, _mm256_mul_pd as mul, _mm256_or_si256 as or, _mm256_set1_epi64x as all_bits,
        _mm256_set1_pd as all, _mm256_slli_epi64 as shift_left, _mm256_sqrt_pd as sqrt,
        _mm256_srli_epi64 as shift_right, _mm256_storeu_pd as store, _mm256_sub_pd as sub,
        _mm256_unpackhi_epi64 as high_words, _mm256_unpackhi_pd as second_pairs, _mm256_unpacklo_epi64 as low_words,
        _mm256_unpacklo_pd as first_pairs, _mm256_xor_si256 as xor,
    };

    /// Blocks of a vector.
    pub const BLOCKS: usize = 2;

    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn repeat([low, high]: Block) -> __m256i {
        _mm256_broadcastsi128_si256(_mm_set_epi64x(high as i64, low as i64))
    }

    /// What the counters of a vector are beyond the first.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn ramp() -> __m256i {
        _mm256_set_epi64x(0, 1, 0, 0)
    }
}

/// As `v256`.
mod v512 {
    use super::Block;
    use std::arch::x86_64::*;
    pub use std::arch::x86_64::{
        __m512d as Real, __m512i as Bits, _mm512_add_epi64 as add_bits, _mm512_add_pd as add,
        _mm512_aesenc_epi128 as round, _mm512_aesenclast_epi128 as last_round, _mm512_and_si512 as and,
        _mm512_castpd_si512 as to_bits, _mm512_castsi512_pd as from_bits, _mm512_div_pd as div, _mm512_fmadd_pd as fma,
        _mm512_loadu_si512 as load, _mm512_mul_pd as mul, _mm512_or_si512 as or, _mm512_set1_epi64 as all_bits,
        _mm512_set1_pd as all, _mm512_slli_epi64 as shift_left, _mm512_sqrt_pd as sqrt,
        _mm512_srli_epi64 as shift_right, _mm512_storeu_pd as store, _mm512_sub_pd as sub,
        _mm512_unpackhi_epi64 as high_words, _mm512_unpackhi_pd as second_pairs, _mm512_unpacklo_epi64 as low_words,
        _mm512_unpacklo_pd as first_pairs, _mm512_xor_si512 as xor,
    };

    pub const BLOCKS: usize = 4;

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub fn repeat([low, high]: Block) -> __m512i {
        _mm512_broadcast_i32x4(_mm_set_epi64x(high as i64, low as i64))
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub fn ramp() -> __m512i {
        _mm512_set_epi64(0, 3, 0, 2, 0, 1, 0, 0)
    }
}

/// Rounds of AES on 256 bits, by AES-NI.
mod halves {
    use std::arch::x86_64::*;

    #[inline]
    #[target_feature(enable = "avx2,aes")]
    pub fn round(s: __m256i, key: __m256i) -> __m256i {
        let half = |s, key| _mm_aesenc_si128(s, key);
        let low = half(_mm256_castsi256_si128(s), _mm256_castsi256_si128(key));
        _mm256_set_m128i(half(_mm256_extracti128_si256::<1>(s), _mm256_extracti128_si256::<1>(key)), low)
    }

    #[inline]
    #[target_feature(enable = "avx2,aes")]
    pub fn last_round(s: __m256i, key: __m256i) -> __m256i {
        let half = |s, key| _mm_aesenclast_si128(s, key);
        let low = half(_mm256_castsi256_si128(s), _mm256_castsi256_si128(key));
        _mm256_set_m128i(half(_mm256_extracti128_si256::<1>(s), _mm256_extracti128_si256::<1>(key)), low)
    }
}

/// Rounds of AES on 256 bits, by VAES.
mod whole {
    pub use std::arch::x86_64::{_mm256_aesenc_epi128 as round, _mm256_aesenclast_epi128 as last_round};
}

/// A fill for one instruction set.
macro_rules! implement {
    ($name:ident, $features:meta, $($from:ident),+) => {
        pub mod $name {
            use super::super::ars::ROUNDS;
            use super::super::coefficients::{COS_PI, MINUS_2_LOG, SIN_PI};
            use super::*;
            $(use super::$from::*;)+

            type Group<T> = [T; GROUPS];

            /// Draws of a vector.
            const WIDTH: usize = 2 * BLOCKS;

            /// Vectors that go through the stages together.
            const VECTORS: usize = 2 * GROUPS;

            /// `arith::poly` of each.
            #[inline]
            #[$features]
            fn poly<const N: usize>(x: &Group<Real>, c: &[f64; N]) -> Group<Real> {
                let (mut a, mut b) = ([all(c[N - 1]); GROUPS], [all(c[N - 2]); GROUPS]);
                let mut y = *x;
                for g in 0..GROUPS {
                    y[g] = mul(x[g], x[g]);
                }
                let mut k = 2;
                while k < N {
                    let next = all(c[N - 1 - k]);
                    for g in 0..GROUPS {
                        if k.is_multiple_of(2) {
                            a[g] = fma(a[g], y[g], next);
                        } else {
                            b[g] = fma(b[g], y[g], next);
                        }
                    }
                    k += 1;
                }
                for g in 0..GROUPS {
                    y[g] = if N.is_multiple_of(2) { fma(a[g], x[g], b[g]) } else { fma(b[g], x[g], a[g]) };
                }
                y
            }

            /// The blocks of counters. Each caller has its own copy, told by a number, so that it is inlined there: with one
            /// for both a normal took up to six instructions more.
            #[inline]
            #[$features]
            fn encrypt<const CALLER: usize>(keys: &[Bits; ROUNDS + 1], mut s: Group<[Bits; 2]>) -> Group<[Bits; 2]> {
                for g in 0..GROUPS {
                    s[g] = [xor(s[g][0], keys[0]), xor(s[g][1], keys[0])];
                }
                for key in &keys[1..ROUNDS] {
                    for g in 0..GROUPS {
                        s[g] = [round(s[g][0], *key), round(s[g][1], *key)];
                    }
                }
                for g in 0..GROUPS {
                    s[g] = [last_round(s[g][0], keys[ROUNDS]), last_round(s[g][1], keys[ROUNDS])];
                }
                s
            }

            /// `box_muller` of each block; a vector of blocks gives a vector of pairs. See `encrypt` for the number.
            #[inline]
            #[$features]
            fn transform<const CALLER: usize>(blocks: &Group<[Bits; 2]>) -> Group<[Real; 2]> {
                const ONE: i64 = 0x3ff0_0000_0000_0000;
                const TWO52: i64 = 0x4330_0000_0000_0000;
                const MANTISSA: i64 = 0x000f_ffff_ffff_ffff;
                const SQRT_HALF: i64 = 0x3fe6_a09e_667f_3bcd;
                let zero = [all(0.0); GROUPS];
                let (mut t, mut z, mut k, mut s, mut s2) = (zero, zero, zero, zero, zero);
                let mut low = [all_bits(0); GROUPS];
                for g in 0..GROUPS {
                    let [first, second] = blocks[g];
                    low[g] = low_words(first, second);
                    let high = high_words(first, second);
                    let u = sub(from_bits(or(shift_right::<12>(low[g]), all_bits(ONE))), all(1.0 - f64::EPSILON));
                    t[g] = sub(from_bits(or(shift_right::<12>(high), all_bits(ONE))), all(1.5));
                    z[g] = mul(t[g], t[g]);
                    let shifted = add_bits(to_bits(u), all_bits(ONE - SQRT_HALF));
                    let exponent = from_bits(or(shift_right::<52>(shifted), all_bits(TWO52)));
                    k[g] = sub(exponent, all(4503599627370496.0 + 1023.0));
                    let m = from_bits(add_bits(and(shifted, all_bits(MANTISSA)), all_bits(SQRT_HALF)));
                    s[g] = div(sub(m, all(1.0)), add(m, all(1.0)));
                    s2[g] = mul(s[g], s[g]);
                }
                let (cos, sin, log) = (poly(&z, &COS_PI), poly(&z, &SIN_PI), poly(&s2, &MINUS_2_LOG));
                let mut pairs = [[all(0.0); 2]; GROUPS];
                for g in 0..GROUPS {
                    let radius = sqrt(fma(k[g], all(-2.0 * std::f64::consts::LN_2), mul(s[g], log[g])));
                    let cos = from_bits(xor(to_bits(cos[g]), shift_left::<63>(low[g])));
                    let (x, y) = (mul(radius, cos), mul(radius, mul(t[g], sin[g])));
                    pairs[g] = [first_pairs(x, y), second_pairs(x, y)];
                }
                pairs
            }

            #[inline]
            #[$features]
            fn write(v: Real, out: &mut [f64]) {
                assert_eq!(out.len(), WIDTH);
                // SAFETY: a vector has as many numbers as `out`
                unsafe { store(out.as_mut_ptr(), v) }
            }

            /// The normals of any blocks, which `out` has room for.
            #[$features]
            pub fn each(round_keys: &RoundKeys, counters: &[Block], out: &mut [[f64; 2]]) {
                const MOST: usize = VECTORS * BLOCKS;
                let keys = round_keys.0.map(|key| repeat(key));
                for (counters, out) in counters.chunks(MOST).zip(out.chunks_mut(MOST)) {
                    let mut padded = [[0; 2]; MOST];
                    padded[..counters.len()].copy_from_slice(counters);
                    let mut blocks = [[all_bits(0); 2]; GROUPS];
                    for k in 0..VECTORS {
                        // SAFETY: a vector is as large as `BLOCKS` blocks
                        blocks[k / 2][k % 2] = unsafe { load(padded[k * BLOCKS..][..BLOCKS].as_ptr().cast()) };
                    }
                    let pairs = transform::<0>(&encrypt::<0>(&keys, blocks));
                    let mut draws = [[0.0; 2]; MOST];
                    for k in 0..VECTORS {
                        write(pairs[k / 2][k % 2], draws[k * BLOCKS..][..BLOCKS].as_flattened_mut());
                    }
                    out.copy_from_slice(&draws[..counters.len()]);
                }
            }

            #[$features]
            pub fn fill(rows: &Rows, out: &mut [f64]) {
                let round_keys = RoundKeys::new([rows.key.seed, rows.key.stream]);
                let keys = round_keys.0.map(|key| repeat(key));
                let (ramp, next) = (ramp(), repeat([BLOCKS as u64, 0]));
                let mut walk = Walk::new(rows);
                let mut left = rows.steps * rows.components * (rows.lanes / UNIT) * (UNIT / WIDTH);
                while left > 0 {
                    let (mut counter, mut place) = (ramp, 0);
                    let mut places = [0; VECTORS];
                    let mut counters = [[counter; 2]; GROUPS];
                    for k in 0..VECTORS {
                        if (k * WIDTH).is_multiple_of(UNIT) {
                            let (first, start) = walk.next();
                            (counter, place) = (add_bits(repeat(first), ramp), start);
                        } else {
                            (counter, place) = (add_bits(counter, next), place + WIDTH);
                        }
                        (counters[k / 2][k % 2], places[k]) = (counter, place);
                    }
                    let pairs = transform::<1>(&encrypt::<1>(&keys, counters));
                    if left >= VECTORS {
                        for k in 0..VECTORS {
                            write(pairs[k / 2][k % 2], &mut out[places[k]..][..WIDTH]);
                        }
                        left -= VECTORS;
                    } else {
                        // a copy, as what is indexed by a variable is kept in memory
                        let copy = pairs;
                        for k in 0..left {
                            write(copy[k / 2][k % 2], &mut out[places[k]..][..WIDTH]);
                        }
                        left = 0;
                    }
                }
                ends(rows, &round_keys, out, |keys, counter| block_normals(keys, counter));
            }
        }
    };
}

implement!(aes, target_feature(enable = "avx2,fma,aes"), v256, halves);
implement!(vaes, target_feature(enable = "avx2,fma,aes,vaes"), v256, whole);
implement!(vaes512, target_feature(enable = "avx2,fma,aes,vaes,avx512f"), v512);
