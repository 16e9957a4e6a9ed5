#![allow(clippy::needless_range_loop, reason = "indices of matrices")]

use super::*;
use crate::kernels::elementary::erfc;
use crate::runtime::testing::Uniforms;

fn identity(path: u64) -> Identity {
    Identity { key: (7, 0), path, noise: 0, component: 0 }
}

fn path(k: u64) -> Path<1> {
    Path::new(identity(k))
}

fn flat(a: &Area<1>) -> [f64; 3] {
    [a.w[0], a.h[0], a.k[0]]
}

fn bits(a: &Area<1>) -> [u64; 3] {
    flat(a).map(f64::to_bits)
}

fn close(a: [f64; 3], b: [f64; 3], h: f64) {
    for (k, (x, y)) in a.iter().zip(b).enumerate() {
        assert!((x - y).abs() < 1e-13 * h.sqrt(), "{k}: {a:?} {b:?}");
    }
}

/// W, H and K as weights of white noise: polynomials in the time r since the start of an interval of length h, by their
/// values. `H` is the integral of (h/2 - r)/h, and `K` of what its definition gives after an integration by parts.
fn weights(r: f64, h: f64) -> [f64; 3] {
    let x = r / h;
    [1.0, 0.5 - x, 0.5 * (x * x - x) + 1.0 / 12.0]
}

/// Covariances of weights on intervals `[start, start + length]` by three Gauss points, exact for their degree.
fn covariance(first: (f64, f64), second: (f64, f64)) -> [[f64; 3]; 3] {
    let (lo, hi) = (first.0.max(second.0), (first.0 + first.1).min(second.0 + second.1));
    let mut all = [[0.0; 3]; 3];
    if hi <= lo {
        return all;
    }
    let (mid, half) = (0.5 * (lo + hi), 0.5 * (hi - lo));
    for (x, weight) in [(-0.6f64.sqrt(), 5.0 / 9.0), (0.0, 8.0 / 9.0), (0.6f64.sqrt(), 5.0 / 9.0)] {
        let r = mid + half * x;
        let (a, b) = (weights(r - first.0, first.1), weights(r - second.0, second.1));
        for i in 0..3 {
            for j in 0..3 {
                all[i][j] += weight * half * a[i] * b[j];
            }
        }
    }
    all
}

/// The weights of H and K against their definitions, by sums over a fine path.
#[test]
fn areas_are_what_their_definitions_say() {
    let (n, h) = (4000, 0.7);
    let mut random = Uniforms::new(3);
    let steps: Vec<f64> = (0..n).map(|_| random.normal() * (h / n as f64).sqrt()).collect();
    let w: f64 = steps.iter().sum();
    let (mut at, mut area, mut second, mut weighted) = (0.0, 0.0, 0.0, [0.0; 3]);
    for (k, dw) in steps.iter().enumerate() {
        let r = h * (k as f64 + 0.5) / n as f64;
        let bridge = at + 0.5 * dw - r / h * w;
        area += bridge / n as f64;
        second += bridge * (0.5 * h - r) / (h * n as f64);
        at += dw;
        weighted.iter_mut().zip(weights(r, h)).for_each(|(sum, x)| *sum += x * dw);
    }
    for (a, b) in [w, area, second].into_iter().zip(weighted) {
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }
}

#[test]
fn areas_of_an_interval_are_independent() {
    let h = 0.3;
    let cov = covariance((0.0, h), (0.0, h));
    for i in 0..3 {
        for j in 0..3 {
            let want = if i == j { h / [1.0, 12.0, 720.0][i] } else { 0.0 };
            assert!((cov[i][j] - want).abs() < 1e-15, "{i} {j}");
        }
    }
}

/// `join` as a linear map: its columns are what it makes of units.
fn joined(p: f64, q: f64) -> [[f64; 6]; 3] {
    let mut map = [[0.0; 6]; 3];
    for column in 0..6 {
        let unit = |k: usize| Area::<1>::of(|_| std::array::from_fn(|i| f64::from(k + i == column)));
        let whole = flat(&unit(0).join(p, &unit(3), q));
        (0..3).for_each(|row| map[row][column] = whole[row]);
    }
    map
}

/// The map of `join` gives the weights of the whole from those of the parts, at all times.
#[test]
fn neighbours_join_by_the_relation_of_chen() {
    for (p, q) in [(0.3, 0.7), (1.0, 1.0), (2.0, 0.01)] {
        let map = joined(p, q);
        for k in 0..100 {
            let r = (p + q) * (k as f64 + 0.5) / 100.0;
            let mut parts = [0.0; 6];
            if r < p {
                parts[..3].copy_from_slice(&weights(r, p));
            } else {
                parts[3..].copy_from_slice(&weights(r - p, q));
            }
            for (row, want) in map.iter().zip(weights(r, p + q)) {
                let got: f64 = row.iter().zip(parts).map(|(a, b)| a * b).sum();
                assert!((got - want).abs() < 1e-13, "{p} {q} {r}: {got} {want}");
            }
        }
    }
}

/// Means and covariances of the first part given the whole, from the covariances of white noise.
#[test]
fn parts_have_their_law_given_the_whole() {
    for (p, q) in [(0.3, 0.7), (0.5, 0.5), (0.02, 1.0), (3.0, 0.2)] {
        let h: f64 = p + q;
        let cross = covariance((0.0, p), (0.0, h));
        let own = covariance((0.0, p), (0.0, p));
        let variance = [h, h / 12.0, h / 720.0];
        let split = Split::new(p, q);
        for unit in 0..3 {
            let [w, a, k] = std::array::from_fn(|i| f64::from(i == unit));
            let mean = split.mean(w, a, k);
            for i in 0..3 {
                assert!((mean[i] - cross[i][unit] / variance[unit]).abs() < 1e-13, "{p} {q} {i} {unit}");
            }
        }
        for i in 0..3 {
            for j in 0..3 {
                let known: f64 = (0..3).map(|k| cross[i][k] * cross[j][k] / variance[k]).sum();
                let factor: f64 = (0..3).map(|k| split.factor[i][k] * split.factor[j][k]).sum();
                let want = own[i][j] - known;
                assert!((Split::covariance(p, q)[i][j] - want).abs() < 1e-13 * h, "{p} {q} {i} {j}");
                assert!((factor - want).abs() < 1e-13 * h, "{p} {q} {i} {j}");
            }
        }
    }
}

#[test]
fn halves_are_parts_at_the_middle() {
    let whole = Area::<1> { w: [0.3], h: [-0.2], k: [0.05] };
    let z = [[0.4], [-1.1], [0.7]];
    for h in [1.0, 0.3] {
        let (halves, parts) = (whole.halves(h, &z), whole.split(0.5 * h, 0.5 * h, &z));
        for (a, b) in halves.iter().zip(&parts) {
            close(flat(a), flat(b), h);
        }
        close(flat(&halves[0].join(0.5 * h, &halves[1], 0.5 * h)), flat(&whole), h);
    }
}

fn queries(random: &mut Uniforms, count: usize, scale: f64) -> Vec<(f64, f64)> {
    let mut one = || {
        let (a, b) = (scale * (2.0 * random.uniform() - 1.0), scale * (2.0 * random.uniform() - 1.0));
        // some at dyadic times, where a way ends early
        let round = if random.uniform() < 0.3 { |x: f64| (x * 16.0).round() / 16.0 } else { |x| x };
        (round(a.min(b)), round(a.max(b)) + 1.0 / 1024.0)
    };
    (0..count).map(|_| one()).collect()
}

#[test]
fn answers_do_not_depend_on_the_order_of_questions() {
    for scale in [1e-3f64, 1.0, 3.0, 1e4] {
        let asked = queries(&mut Uniforms::new(scale.to_bits()), 20, scale);
        let fresh: Vec<_> = asked.iter().map(|(s, u)| bits(&path(3).over(*s, *u))).collect();
        let mut random = Uniforms::new(1);
        for _ in 0..5 {
            let mut order: Vec<usize> = (0..20).collect();
            order.sort_by_key(|_| (random.uniform() * 1e9) as u64);
            let mut one = path(3);
            for k in order {
                assert_eq!(bits(&one.over(asked[k].0, asked[k].1)), fresh[k], "{:?}", asked[k]);
            }
        }
    }
}

#[test]
fn neighbouring_paths_have_the_bits_of_single_ones() {
    let mut eight: Path<8> = Path::new(identity(16));
    let mut random = Uniforms::new(5);
    for (s, u) in queries(&mut random, 20, 2.0) {
        let all = eight.over(s, u);
        for lane in 0..8 {
            let one = path(16 + lane as u64).over(s, u);
            assert_eq!(bits(&one), [all.w[lane], all.h[lane], all.k[lane]].map(f64::to_bits));
        }
    }
}

#[test]
fn neighbouring_intervals_join_to_the_whole() {
    let mut random = Uniforms::new(9);
    let mut one = path(5);
    for scale in [1e-6, 0.01, 1.0, 50.0] {
        for _ in 0..50 {
            let mut t: [f64; 3] = std::array::from_fn(|_| scale * (2.0 * random.uniform() - 1.0));
            t.sort_by(f64::total_cmp);
            let [s, r, u] = t;
            let (a, b, whole) = (one.over(s, r), one.over(r, u), one.over(s, u));
            close(flat(&a.join(r - s, &b, u - r)), flat(&whole), 10.0 * (u - s));
        }
    }
}

/// Far from zero the areas of short intervals have their size: nothing is a difference of large numbers.
#[test]
fn short_intervals_far_away_are_exact() {
    let (s, h) = (1_000_000.25, 1.0 / 64.0);
    let mut one = path(1);
    let parts: Vec<_> = (0..4).map(|k| one.over(s + h * k as f64, s + h * (k + 1) as f64)).collect();
    let half = |k: usize| parts[k].join(h, &parts[k + 1], h);
    close(flat(&half(0).join(2.0 * h, &half(2), 2.0 * h)), flat(&one.over(s, s + 4.0 * h)), h);
}

/// Sample covariances of two neighbouring intervals over many paths, in units of their standard errors.
fn sample(s: f64, r: f64, u: f64) {
    const N: u64 = 8_000;
    let mut sums = [[0.0; 6]; 6];
    let (p, q) = (r - s, u - r);
    for k in 0..N {
        let mut one = path(k);
        let (a, b) = (one.over(s, r).normals(p), one.over(r, u).normals(q));
        let all = [a[0][0], a[1][0], a[2][0], b[0][0], b[1][0], b[2][0]];
        for i in 0..6 {
            for j in 0..6 {
                sums[i][j] += all[i] * all[j];
            }
        }
    }
    for i in 0..6 {
        for j in 0..6 {
            let (mean, want) = (sums[i][j] / N as f64, f64::from(i == j));
            let se = ((1.0 + want) / N as f64).sqrt();
            assert!((mean - want).abs() < 4.5 * se, "[{s}, {r}, {u}] {i} {j}: {mean}");
        }
    }
}

#[test]
fn neighbouring_intervals_are_independent() {
    sample(0.0, 0.1, 0.2);
    sample(0.3, 0.31, 0.5);
    sample(-0.3, 0.2, 1.7);
    sample(-2.0, -1.9, -1.0);
    sample(3.9, 4.2, 900.0);
    sample(1e-40, 3e-40, 4e-40);
    sample(1234.5, 1234.50001, 1234.50003);
}

/// The distance of Kolmogorov and Smirnov of increments from their normal law.
#[test]
fn increments_are_normal() {
    const N: usize = 8_000;
    for (s, u) in [(0.0, 1e-3), (0.7, 1.3), (17.01, 17.02)] {
        for which in 0..3 {
            let mut all: Vec<f64> = (0..N as u64).map(|k| path(k).over(s, u).normals(u - s)[which][0]).collect();
            all.sort_by(f64::total_cmp);
            let distance = all.iter().enumerate().map(|(k, x)| {
                let law = 0.5 * erfc(-x / 2f64.sqrt());
                (law - k as f64 / N as f64).abs().max((law - (k + 1) as f64 / N as f64).abs())
            });
            let most = distance.fold(0.0, f64::max) * (N as f64).sqrt();
            assert!(most < 2.2, "[{s}, {u}] {which}: {most}");
        }
    }
}

/// Draws of the tree are none of a stream's, and components, noises and paths have their own.
#[test]
fn trees_differ() {
    let of = identity(4);
    let others = [
        Identity { key: (8, 0), ..of },
        Identity { key: (7, 1), ..of },
        Identity { path: 5, ..of },
        Identity { noise: 1, ..of },
        Identity { component: 1, ..of },
    ];
    let first = bits(&Path::<1>::new(of).over(0.0, 1.0));
    for other in others {
        assert_ne!(first, bits(&Path::<1>::new(other).over(0.0, 1.0)));
    }
    assert_ne!(first, bits(&Path::<1>::new(of).over(-1.0, 0.0)));
}

#[test]
fn no_two_pieces_share_their_numbers() {
    let (mut seen, mut places) = (std::collections::HashSet::new(), vec![Place::Spine(0)]);
    assert!(seen.insert((FLOOR - 1, 0)), "the root below 1");
    for e in [0, 1, 1023] {
        assert!(seen.insert((e, 0)), "the root of a binade");
        places.push(Place::Heap(e, 1));
    }
    while let Some(place) = places.pop() {
        assert!(seen.insert(place.numbers()), "{place:?}");
        if !matches!(place, Place::Heap(_, n) if n >= 8) {
            places.extend(place.halves());
        }
    }
    const { assert!(1u64 << (DEPTH + 1) << 2 <= 1 << normal::STEP_BITS) }
    const { assert!(((1023 - FLOOR + 1) as u16) < 1 << 15) }
}
