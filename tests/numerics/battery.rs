//! A battery of statistical tests of the generator, on words taken along each coordinate of a draw.
//!
//! A generator by coordinates has as many sequences as there are ways through its counter. Those that programs take are
//! tested: along paths, steps, components, sites, turns and seeds, in the order in which a run of blocks takes them, and
//! with strides that change few bits high in the counter. The tests are the usual ones (Knuth, The Art of Computer
//! Programming, vol. 2, section 3.3.2; Marsaglia's birthday spacings and ranks; L'Ecuyer and Simard, TestU01, ACM TOMS 33,
//! 2007, which applied to ARS-5 is reported in Salmon et al., 2011).
//!
//! Each test gives a p-value, uniform on (0, 1) for a good generator. With some 170 of them, all are within 1e-7 and
//! 1 - 1e-7 but with a probability of 4e-5, and their own distribution passes a test of Kolmogorov and Smirnov at 1e-4.
//! Keys are fixed, so the outcome is the same each time; a defect of the generator shows as p-values of 1e-20 and less.

use fokker::kernels::normal::{Coord, FillLevel, Key, Rows, bits, fill_normals};
use statrs::distribution::{Binomial, ChiSquared, ContinuousCDF, Discrete, DiscreteCDF, Normal, Poisson};

/// Words of a sequence; fewer where the tests themselves are compiled without optimisation.
const WORDS: usize = if cfg!(debug_assertions) { 1 << 17 } else { 1 << 21 };

const KEY: Key = Key { seed: 0x5eed, stream: 3 };

/// Where the k-th word of a sequence is taken.
type Place = fn(u64) -> (Key, Coord);

fn at(path: u64, step: u64, site: u32, component: u32, turn: u16) -> (Key, Coord) {
    (KEY, Coord { path, step, site, component, turn })
}

const SEQUENCES: [(&str, Place); 10] = [
    ("paths", |k| at(k, 7, 1, 0, 0)),
    ("steps", |k| at(12, k, 1, 0, 0)),
    ("components", |k| at(3, 9 + (k >> 20), 1, (k & 0xfffff) as u32, 0)),
    ("sites", |k| at(3, k >> 12, (k & 0xfff) as u32, 2, 0)),
    ("turns", |k| at(3, k >> 16, 1, 2, (k & 0xffff) as u16)),
    // 64 paths of three draws, step by step
    ("blocks", |k| at(k % 64, k / 192, 1, (k / 64 % 3) as u32, 0)),
    // 64 paths of one draw, component by component: a lattice field
    ("fields", |k| at(k % 8, k / 8 / 1024, 1, (k / 8 % 1024) as u32, 0)),
    ("far paths", |k| at(k << 19, 7, 1, 0, 0)),
    ("far steps", |k| at(12, k << 18, 1, 0, 0)),
    ("seeds", |k| (Key { seed: k, stream: 0 }, Coord { path: 0, step: 0, site: 0, component: 0, turn: 0 })),
];

/// P(X > x) of chi-square.
fn chi_square_tail(x: f64, freedom: f64) -> f64 {
    ChiSquared::new(freedom).expect("degrees of freedom").sf(x)
}

/// Pearson's test of counts against expectations; neighbours are joined until ten are expected.
fn pearson(counts: &[f64], expected: &[f64]) -> f64 {
    let (mut sum, mut cells) = (0.0, 0);
    let (mut count, mut weight) = (0.0, 0.0);
    let mut rest: f64 = expected.iter().sum();
    for (c, e) in counts.iter().zip(expected) {
        (count, weight, rest) = (count + c, weight + e, rest - e);
        if weight >= 10.0 && rest >= 10.0 {
            sum += (count - weight).powi(2) / weight;
            (count, weight, cells) = (0.0, 0.0, cells + 1);
        }
    }
    sum += (count - weight).powi(2) / weight;
    chi_square_tail(sum, f64::from(cells))
}

/// Counts of `0..cells` that are equally likely.
fn equal_cells(values: impl Iterator<Item = usize>, cells: usize) -> f64 {
    let mut counts = vec![0.0; cells];
    values.for_each(|v| counts[v] += 1.0);
    let each = counts.iter().sum::<f64>() / cells as f64;
    pearson(&counts, &vec![each; cells])
}

/// Of a count with the law of Poisson; half of the probability of the count itself is taken, as it is discrete.
fn poisson_p(count: u64, mean: f64) -> f64 {
    let law = Poisson::new(mean).expect("a mean");
    law.sf(count) + 0.5 * law.pmf(count)
}

fn unit(w: u64) -> f64 {
    (w >> 11) as f64 * 2f64.powi(-53)
}

/// The number of ones at each of the 64 places.
fn places_of_bits(words: &[u64]) -> f64 {
    let mut ones = [0u64; 64];
    for w in words {
        ones.iter_mut().enumerate().for_each(|(k, n)| *n += w >> k & 1);
    }
    let n = words.len() as f64;
    chi_square_tail(ones.iter().map(|c| (2.0 * *c as f64 - n).powi(2) / n).sum(), 64.0)
}

fn bytes(words: &[u64]) -> f64 {
    equal_cells(words.iter().flat_map(|w| w.to_le_bytes()).map(usize::from), 256)
}

/// Groups of `D` words as points of a lattice of `2^bits` places an axis, from the bits that begin at `shift`.
fn cells<const D: usize>(words: &[u64], bits: u32, shift: u32) -> impl Iterator<Item = usize> + '_ {
    let mask = (1 << bits) - 1;
    words.as_chunks::<D>().0.iter().map(move |g| g.iter().fold(0, |c, w| c << bits | (w >> shift & mask) as usize))
}

/// Points in 2^32 cells: how many fall where another one is. In groups of 2^17, of which two collide on average.
fn collisions<const D: usize>(words: &[u64]) -> f64 {
    const GROUP: usize = 1 << 17;
    let bits = 32 / D as u32;
    let mut points: Vec<usize> = cells::<D>(words, bits, 64 - bits).collect();
    let (mut found, mut mean) = (0, 0.0);
    for group in points.chunks_mut(GROUP) {
        group.sort_unstable();
        found += group.windows(2).filter(|w| w[0] == w[1]).count() as u64;
        mean += (group.len() as f64).powi(2) / 2f64.powi(33);
    }
    poisson_p(found, mean)
}

/// Lengths of the gaps between numbers below 1/8: geometric.
fn gaps(words: &[u64]) -> f64 {
    let mut counts = vec![0.0; 120];
    let mut gap = 0;
    for w in words {
        if unit(*w) < 0.125 {
            counts[gap.min(119)] += 1.0;
            gap = 0;
        } else {
            gap += 1;
        }
    }
    let n: f64 = counts.iter().sum();
    let mut expected: Vec<f64> = (0..120).map(|k| n * 0.125 * 0.875f64.powi(k)).collect();
    expected[119] = n * 0.875f64.powi(119);
    pearson(&counts, &expected)
}

/// Lengths of ascending runs; the number after a run is thrown away, which makes them independent: r with the
/// probability 1/r! - 1/(r + 1)!.
fn runs(words: &[u64]) -> f64 {
    let mut counts = [0.0; 9];
    let mut k = 0;
    while k < words.len() {
        let start = k;
        while k + 1 < words.len() && words[k + 1] > words[k] {
            k += 1;
        }
        if k + 1 < words.len() {
            counts[(k - start).min(8)] += 1.0;
        }
        k += 2;
    }
    let n: f64 = counts.iter().sum();
    let factorial = |r: usize| (1..=r).product::<usize>() as f64;
    let mut expected: Vec<f64> = (1..=9).map(|r| n * (1.0 / factorial(r) - 1.0 / factorial(r + 1))).collect();
    expected[8] = n / factorial(9);
    pearson(&counts, &expected)
}

/// Marsaglia's birthday spacings: 4096 birthdays in a year of 2^32 days, equal spacings are Poisson of mean 4.
fn birthdays(words: &[u64], shift: u32) -> f64 {
    let mut total = 0;
    let mut years = 0.0;
    for year in words.as_chunks::<4096>().0 {
        let mut days = year.map(|w| w >> shift & 0xffff_ffff);
        days.sort_unstable();
        let mut spacings: Vec<u64> = days.windows(2).map(|d| d[1] - d[0]).collect();
        spacings.sort_unstable();
        total += spacings.windows(2).filter(|s| s[0] == s[1]).count() as u64;
        years += 1.0;
    }
    poisson_p(total, 4.0 * years)
}

fn rank(mut rows: [u32; 32]) -> usize {
    let mut rank = 0;
    for bit in 0..32 {
        let Some(pivot) = (rank..32).find(|r| rows[*r] >> bit & 1 == 1) else { continue };
        rows.swap(rank, pivot);
        for r in rank + 1..32 {
            if rows[r] >> bit & 1 == 1 {
                rows[r] ^= rows[rank];
            }
        }
        rank += 1;
    }
    rank
}

/// Ranks of 32 x 32 matrices of bits.
fn ranks(words: &[u64], shift: u32) -> f64 {
    let mut counts = [0.0; 4];
    for m in words.as_chunks::<32>().0 {
        counts[(32 - rank(m.map(|w| (w >> shift) as u32))).min(3)] += 1.0;
    }
    // the probability that the rank lacks d of 32: 2^(-d^2) prod_{i=d+1..32} (1 - 2^-i)^2 / prod_{i=1..32-d} (1 - 2^-i)
    let law = |d: i32| {
        let up: f64 = (d + 1..=32).map(|i| 1.0 - 2f64.powi(-i)).product();
        let down: f64 = (1..=32 - d).map(|i| 1.0 - 2f64.powi(-i)).product();
        2f64.powi(-d * d) * up * up / down
    };
    let n: f64 = counts.iter().sum();
    let few: Vec<f64> = (0..3).map(|d| n * law(d)).collect();
    pearson(&counts, &[few[0], few[1], few[2], n - few.iter().sum::<f64>()])
}

/// The number of ones of each word.
fn weights(words: &[u64]) -> f64 {
    let mut counts = [0.0; 65];
    words.iter().for_each(|w| counts[w.count_ones() as usize] += 1.0);
    let law = Binomial::new(0.5, 64).expect("a law");
    let expected: Vec<f64> = (0..=64).map(|k| words.len() as f64 * law.pmf(k)).collect();
    pearson(&counts, &expected)
}

/// The largest of eight: its eighth power is uniform.
fn largest(words: &[u64]) -> f64 {
    let largest = |g: &[u64; 8]| unit(*g.iter().max().expect("eight")).powi(8);
    equal_cells(words.as_chunks::<8>().0.iter().map(|g| (largest(g) * 256.0) as usize), 256)
}

/// Correlations of numbers that are 1, 2, ..., 32 apart.
fn correlations(words: &[u64]) -> f64 {
    let centred: Vec<f64> = words.iter().map(|w| (unit(*w) - 0.5) * 12f64.sqrt()).collect();
    let at = |lag: usize| {
        let sum: f64 = centred.iter().zip(&centred[lag..]).map(|(a, b)| a * b).sum();
        sum * sum / (words.len() - lag) as f64
    };
    chi_square_tail((1..=32).map(at).sum(), 32.0)
}

/// Bits that differ between words that are 1, 2, ..., 32 apart.
fn differences(words: &[u64]) -> f64 {
    let at = |lag: usize| {
        let ones: u64 = words.iter().zip(&words[lag..]).map(|(a, b)| u64::from((a ^ b).count_ones())).sum();
        let n = 64.0 * (words.len() - lag) as f64;
        (2.0 * ones as f64 - n).powi(2) / n
    };
    chi_square_tail((1..=32).map(at).sum(), 32.0)
}

/// The number of ones of a word against that of the next.
fn weight_pairs(words: &[u64]) -> f64 {
    let weight = |w: u64| f64::from(w.count_ones()) - 32.0;
    let sum: f64 = words.windows(2).map(|w| weight(w[0]) * weight(w[1])).sum();
    Normal::standard().sf(sum / 16.0 / (words.len() as f64 - 1.0).sqrt())
}

/// The p-value of a sequence of words.
type Test = fn(&[u64]) -> f64;

const TESTS: [(&str, Test); 19] = [
    ("places of bits", places_of_bits),
    ("bytes", bytes),
    ("pairs, high bits", |w| equal_cells(cells::<2>(w, 7, 57), 1 << 14)),
    ("pairs, low bits", |w| equal_cells(cells::<2>(w, 7, 0), 1 << 14)),
    ("triples, high bits", |w| equal_cells(cells::<3>(w, 4, 60), 1 << 12)),
    ("triples, middle bits", |w| equal_cells(cells::<3>(w, 4, 30), 1 << 12)),
    ("collisions in 2 dimensions", collisions::<2>),
    ("collisions in 4 dimensions", collisions::<4>),
    ("gaps", gaps),
    ("runs", runs),
    ("birthdays, high bits", |w| birthdays(w, 32)),
    ("birthdays, low bits", |w| birthdays(w, 0)),
    ("ranks, high bits", |w| ranks(w, 32)),
    ("ranks, low bits", |w| ranks(w, 0)),
    ("weights", weights),
    ("weights of neighbours", weight_pairs),
    ("largest of eight", largest),
    ("correlations", correlations),
    ("differences", differences),
];

/// P(D > d) of the distance of Kolmogorov and Smirnov for n numbers (Stephens 1970).
fn kolmogorov(mut p: Vec<f64>) -> f64 {
    p.sort_unstable_by(f64::total_cmp);
    let n = p.len() as f64;
    let step = |k: usize| ((k as f64 + 1.0) / n - p[k]).max(p[k] - k as f64 / n);
    let d = (0..p.len()).map(step).fold(0.0, f64::max);
    let t = d * (n.sqrt() + 0.12 + 0.11 / n.sqrt());
    2.0 * (1..50).map(|j| -(-1f64).powi(j) * (-2.0 * f64::from(j * j) * t * t).exp()).sum::<f64>()
}

fn all_tests(words: &[u64]) -> Vec<(&'static str, f64)> {
    TESTS.iter().map(|(name, test)| (*name, test(words))).collect()
}

#[test]
fn every_sequence_passes() {
    let mut all = Vec::new();
    for (sequence, place) in SEQUENCES {
        let words: Vec<u64> = (0..WORDS as u64).map(place).map(|(key, coord)| bits(key, coord)).collect();
        for (test, p) in all_tests(&words) {
            assert!((1e-7..=1.0 - 1e-7).contains(&p), "{test} along {sequence}: p = {p:e}");
            all.push(p);
        }
    }
    let p = kolmogorov(all);
    assert!(p > 1e-4, "the p-values are not uniform: {p:e}");
}

/// The battery can fail: sequences with a defect that each is to find.
#[test]
fn defects_are_found() {
    let good: Vec<u64> = (0..WORDS as u64).map(|k| bits(KEY, at(k, 7, 1, 0, 0).1)).collect();
    let fails = |words: Vec<u64>| -> Vec<&str> {
        all_tests(&words).into_iter().filter(|(_, p)| !(1e-7..=1.0 - 1e-7).contains(p)).map(|t| t.0).collect()
    };
    let lcg: Vec<u64> = (0..WORDS as u64)
        .scan(1u64, |s, _| {
            *s = s.wrapping_mul(6364136223846793005).wrapping_add(1);
            Some(*s)
        })
        .collect();
    let found = fails(lcg);
    assert!(found.contains(&"pairs, low bits") && found.contains(&"differences"), "{found:?}");
    let counter = fails((0..WORDS as u64).map(|k| k.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect());
    for test in ["birthdays, high bits", "runs", "gaps", "correlations", "largest of eight"] {
        assert!(counter.contains(&test), "{test} of a Weyl sequence: {counter:?}");
    }
    let stuck = fails(good.iter().map(|w| w | w >> 9 & 1 << 20).collect());
    for test in ["places of bits", "bytes", "weights"] {
        assert!(stuck.contains(&test), "{test} of a biased bit: {stuck:?}");
    }
    let echo: Vec<u64> =
        (0..WORDS).map(|k| if k % 4 == 3 { good[k] & !0xff | good[k - 3] & 0xff } else { good[k] }).collect();
    let found = fails(echo);
    assert!(found.contains(&"differences"), "a byte that comes again: {found:?}");
    let twice: Vec<u64> = (0..WORDS).map(|k| good[k / 4096 * 2048 + k % 2048]).collect();
    let found = fails(twice);
    assert!(found.contains(&"birthdays, low bits"), "words that come again: {found:?}");
}

/// Normals beyond 4, 5, 5.5 and 6, which words of all 64 bits must make: 8.5 beyond 6 are expected of 2^32.
#[test]
fn tails_have_their_weight() {
    // fewer where they take long
    let few = cfg!(debug_assertions) || FillLevel::best() == FillLevel::Portable;
    let normals: u64 = if few { 1 << 22 } else { 1 << 32 };
    const LANES: usize = 1 << 12;
    let limits = [4.0, 5.0, 5.5, 6.0];
    let mut counts = [0u64; 4];
    let mut z = vec![0.0; LANES];
    for step in 0..normals / LANES as u64 {
        let first = Coord { path: 0, step, site: 2, component: 0, turn: 0 };
        fill_normals(&Rows::one(KEY, first, LANES), &mut z);
        let beyond = z.iter().map(|z| u32::from(z.abs() > limits[0])).sum::<u32>();
        if beyond > 0 {
            for (count, limit) in counts.iter_mut().zip(limits) {
                *count += z.iter().filter(|z| z.abs() > limit).count() as u64;
            }
        }
    }
    for (count, limit) in counts.into_iter().zip(limits) {
        let mean = 2.0 * normals as f64 * Normal::standard().sf(limit);
        let p = poisson_p(count, mean);
        assert!((1e-5..=1.0 - 1e-5).contains(&p), "{count} beyond {limit}, expected {mean:.1}: p = {p:e}");
    }
    assert!(few || counts[3] > 0, "{counts:?}");
}
