//! ARS: counter-based random bits from rounds of AES with a Weyl sequence of round keys.
//!
//! Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011); Random123. Five rounds pass
//! BigCrush. A block is a function of a 128-bit counter and a 128-bit key; here both are pairs of `u64`, low word first.
//! Three implementations give the same bits: software, AES-NI (one block an instruction) and VAES (two).

/// Rounds of the generator in use.
pub const ROUNDS: usize = 5;

/// A 128-bit block, low word first.
pub type Block = [u64; 2];

/// Steps of the Weyl sequences of the two halves of the key: the golden ratio and sqrt(3) - 1.
const WEYL: Block = [0x9e37_79b9_7f4a_7c15, 0xbb67_ae85_84ca_a73b];

/// The keys of `N - 1` rounds and the whitening before them.
#[derive(Clone, Copy)]
pub struct RoundKeys<const N: usize = { ROUNDS + 1 }>(pub [Block; N]);

impl<const N: usize> RoundKeys<N> {
    #[inline(always)]
    pub fn new(key: Block) -> Self {
        let mut keys = [key; N];
        for i in 1..N {
            keys[i] = [keys[i - 1][0].wrapping_add(WEYL[0]), keys[i - 1][1].wrapping_add(WEYL[1])];
        }
        RoundKeys(keys)
    }
}

/// The block of `counter` under `key`, by the fastest implementation at hand.
pub fn block(key: Block, counter: Block) -> Block {
    let keys: RoundKeys = RoundKeys::new(key);
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("aes") {
        // SAFETY: the feature was just detected
        return unsafe { x86::block(&keys, counter) };
    }
    software::block(&keys, counter)
}

/// AES in plain code (FIPS 197), with one table of 256 columns. A block is four columns of four bytes.
pub(super) mod software {
    use super::{Block, RoundKeys};

    /// Multiplication by x in GF(2^8).
    const fn xtime(a: u8) -> u8 {
        (a << 1) ^ if a & 0x80 != 0 { 0x1b } else { 0 }
    }

    const fn multiply(mut a: u8, mut b: u8) -> u8 {
        let mut p = 0;
        while b != 0 {
            if b & 1 != 0 {
                p ^= a;
            }
            a = xtime(a);
            b >>= 1;
        }
        p
    }

    /// a^254, the inverse of a (0 for 0).
    const fn inverse(a: u8) -> u8 {
        let mut p = 1;
        let mut i = 0;
        while i < 254 {
            p = multiply(p, a);
            i += 1;
        }
        p
    }

    const fn sbox() -> [u8; 256] {
        let mut table = [0; 256];
        let mut i = 0;
        while i < 256 {
            let b = inverse(i as u8);
            table[i] = b ^ b.rotate_left(1) ^ b.rotate_left(2) ^ b.rotate_left(3) ^ b.rotate_left(4) ^ 0x63;
            i += 1;
        }
        table
    }

    /// What a byte in row 0 adds to its column in SubBytes and MixColumns: (2, 1, 1, 3) times its substitute.
    const fn columns() -> [u32; 256] {
        let mut table = [0; 256];
        let mut i = 0;
        while i < 256 {
            let s = SBOX[i];
            let twice = xtime(s);
            table[i] = u32::from_le_bytes([twice, s, s, twice ^ s]);
            i += 1;
        }
        table
    }

    const SBOX: [u8; 256] = sbox();
    static COLUMNS: [u32; 256] = columns();
    static SBOX_TABLE: [u8; 256] = SBOX;

    type State = [u32; 4];

    fn state([lo, hi]: Block) -> State {
        [lo as u32, (lo >> 32) as u32, hi as u32, (hi >> 32) as u32]
    }

    fn words(s: State) -> Block {
        [s[0] as u64 | (s[1] as u64) << 32, s[2] as u64 | (s[3] as u64) << 32]
    }

    /// The byte that ShiftRows moves to row `r` of column `c`.
    fn shifted(s: State, c: usize, r: usize) -> usize {
        (s[(c + r) % 4] >> (8 * r)) as u8 as usize
    }

    fn round(s: State, key: State) -> State {
        std::array::from_fn(|c| (0..4).fold(key[c], |x, r| x ^ COLUMNS[shifted(s, c, r)].rotate_left(8 * r as u32)))
    }

    fn last_round(s: State, key: State) -> State {
        std::array::from_fn(|c| (0..4).fold(key[c], |x, r| x ^ (SBOX_TABLE[shifted(s, c, r)] as u32) << (8 * r)))
    }

    /// The block of `counter`.
    pub fn block<const N: usize>(keys: &RoundKeys<N>, counter: Block) -> Block {
        let key = |i: usize| state(keys.0[i]);
        let first = [counter[0] ^ keys.0[0][0], counter[1] ^ keys.0[0][1]];
        let s = (1..N - 1).fold(state(first), |s, i| round(s, key(i)));
        words(last_round(s, key(N - 1)))
    }

    /// The blocks of `counter`, `counter + 1`, ... (in the low word, which must not overflow).
    pub fn fill(keys: &RoundKeys, counter: Block, out: &mut [Block]) {
        for (i, b) in out.iter_mut().enumerate() {
            *b = block(keys, [counter[0] + i as u64, counter[1]]);
        }
    }
}

/// AES by instructions.
#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    use super::{Block, RoundKeys};
    use std::arch::x86_64::*;

    #[inline]
    #[target_feature(enable = "sse2")]
    fn load(b: Block) -> __m128i {
        _mm_set_epi64x(b[1] as i64, b[0] as i64)
    }

    #[inline]
    #[target_feature(enable = "aes")]
    fn encrypt<const N: usize>(keys: &[__m128i; N], counter: __m128i) -> __m128i {
        let mut s = _mm_xor_si128(counter, keys[0]);
        for key in &keys[1..N - 1] {
            s = _mm_aesenc_si128(s, *key);
        }
        _mm_aesenclast_si128(s, keys[N - 1])
    }

    /// The block of `counter`.
    #[inline]
    #[target_feature(enable = "aes")]
    pub fn block<const N: usize>(keys: &RoundKeys<N>, counter: Block) -> Block {
        let s = encrypt(&keys.0.map(|k| load(k)), load(counter));
        let mut out = [0; 2];
        // SAFETY: `out` is 16 bytes long
        unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), s) };
        out
    }

    /// As `software::fill`.
    #[inline]
    #[target_feature(enable = "aes")]
    pub fn fill(keys: &RoundKeys, counter: Block, out: &mut [Block]) {
        let keys = keys.0.map(|k| load(k));
        let one = _mm_set_epi64x(0, 1);
        let mut c = load(counter);
        for b in out {
            // SAFETY: a block is 16 bytes long
            unsafe { _mm_storeu_si128(b.as_mut_ptr().cast(), encrypt(&keys, c)) };
            c = _mm_add_epi64(c, one);
        }
    }

    #[inline]
    #[target_feature(enable = "vaes,avx2")]
    fn encrypt_two<const N: usize>(keys: &[__m256i; N], counters: __m256i) -> __m256i {
        let mut s = _mm256_xor_si256(counters, keys[0]);
        for key in &keys[1..N - 1] {
            s = _mm256_aesenc_epi128(s, *key);
        }
        _mm256_aesenclast_epi128(s, keys[N - 1])
    }

    /// As `software::fill`, two blocks an instruction.
    #[inline]
    #[target_feature(enable = "vaes,avx2")]
    pub fn fill_wide(keys: &RoundKeys, counter: Block, out: &mut [Block]) {
        let wide = keys.0.map(|k| _mm256_broadcastsi128_si256(load(k)));
        let two = _mm256_set_epi64x(0, 2, 0, 2);
        let [lo, hi] = [counter[0] as i64, counter[1] as i64];
        let mut c = _mm256_set_epi64x(hi, lo.wrapping_add(1), hi, lo);
        let (pairs, rest) = out.as_chunks_mut::<2>();
        for pair in pairs.iter_mut() {
            // SAFETY: two blocks are 32 bytes long
            unsafe { _mm256_storeu_si256(pair.as_mut_ptr().cast(), encrypt_two(&wide, c)) };
            c = _mm256_add_epi64(c, two);
        }
        let done = 2 * pairs.len() as u64;
        fill(keys, [counter[0] + done, counter[1]], rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks as the 32-bit words of Random123's test files.
    fn from_words(w: [u32; 4]) -> Block {
        [w[0] as u64 | (w[1] as u64) << 32, w[2] as u64 | (w[3] as u64) << 32]
    }

    /// All implementations of `N - 1` rounds.
    fn all<const N: usize>(key: Block, counter: Block) -> Vec<Block> {
        let keys = RoundKeys::<N>::new(key);
        let mut results = vec![software::block(&keys, counter)];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("aes") {
            // SAFETY: the feature was just detected
            results.push(unsafe { x86::block(&keys, counter) });
        }
        results
    }

    /// Lines `ars4x32 10` of Random123's `kat_vectors`: counter, key, result.
    const TEN_ROUNDS: [[[u32; 4]; 3]; 5] = [
        [
            [0x886a3f24, 0xd308a385, 0x2e8a1913, 0x44737003],
            [0, 0, 0, 0x80000000],
            [0xb80e41ea, 0x4a1fa670, 0x348659dd, 0xee801943],
        ],
        [
            [0x223809a4, 0xd0319f29, 0x98fa2e08, 0x896c4eec],
            [0, 0, 0, 0x80000000],
            [0x020ddcdd, 0x4a5fbd4f, 0x03373d33, 0x9415f871],
        ],
        [
            [0xe6212845, 0x7713d038, 0xcf6654be, 0x6c0ce934],
            [0, 0, 0x00800000, 0],
            [0x6bec8130, 0xae19560b, 0x5c138b96, 0x3fcb10a4],
        ],
        [
            [0x886a3f24, 0xd308a385, 0x2e8a1913, 0x44737003],
            [1, 0, 0, 0],
            [0x21d40a5c, 0x21e528aa, 0xa1a359eb, 0x9c02b159],
        ],
        [[0, 0, 0x00ff0000, 0], [0x00010000, 0, 0, 0], [0xee67b8e8, 0x64d2128b, 0x85a2de0e, 0x93a9aff6]],
    ];

    #[test]
    fn known_answers_of_random123() {
        for [counter, key, result] in TEN_ROUNDS {
            for b in all::<11>(from_words(key), from_words(counter)) {
                assert_eq!(b, from_words(result));
            }
        }
    }

    /// Answers in the tests of Random123.jl, for 1, 2, 3 and 10 rounds of one counter.
    #[test]
    fn known_answers_of_few_rounds() {
        let counter = [0xb476_0719_0d0d_fefc, 0x9799_b5d5_4f7b_9227];
        let key = [0x5a7d_a274_d3b8_146a, 0x07b8_e4b6_aa98_ec24];
        let check = |results: Vec<Block>, expected| results.iter().for_each(|b| assert_eq!(*b, expected));
        check(all::<2>(key, counter), [0xe548_ef12_3313_96ef, 0x1a0b_14c7_07b6_4224]);
        check(all::<3>(key, counter), [0x8336_318b_a22e_8ae1, 0x3ced_8e09_7069_0f71]);
        check(all::<4>(key, counter), [0x67c8_4164_2c32_fc19, 0xb662_1a8b_0063_19e8]);
        check(all::<11>(key, counter), [0x4e28_7697_bad2_f9a2, 0xac35_df44_f996_ed82]);
    }

    #[test]
    fn fills_agree() {
        let keys: RoundKeys = RoundKeys::new([7, 9]);
        for n in [1, 2, 3, 8, 17] {
            let mut expected = vec![[0; 2]; n];
            software::fill(&keys, [40, 50], &mut expected);
            assert_eq!(expected[n - 1], block([7, 9], [40 + n as u64 - 1, 50]));
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("aes") {
                let mut out = vec![[0; 2]; n];
                // SAFETY: the feature was just detected
                unsafe { x86::fill(&keys, [40, 50], &mut out) };
                assert_eq!(out, expected);
            }
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("vaes") && is_x86_feature_detected!("avx2") {
                let mut out = vec![[0; 2]; n];
                // SAFETY: the features were just detected
                unsafe { x86::fill_wide(&keys, [40, 50], &mut out) };
                assert_eq!(out, expected);
            }
        }
    }
}
