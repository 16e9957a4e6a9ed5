//! Densities from counts in fine bins: point masses apart, the rest smoothed by diffusion.

use std::f64::consts::PI;

/// Bins that hold so many values at least, and so many times those of their neighbours together, are point masses.
const MANY: f64 = 20.0;
const ALONE: f64 = 5.0;

/// A law on so few bins, of many values each, is one of point masses.
const FEW_BINS: usize = 64;

/// Stages of the plug-in bandwidth.
const STAGES: i32 = 7;

/// A law in two parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parts {
    /// places and shares of the values there, from the left
    pub masses: Vec<(f64, f64)>,
    /// the shares of all other values, by bin
    pub rest: Vec<f64>,
    /// no value lies outside of the bins
    pub whole: bool,
}

/// Parts a histogram of `n` values in fine bins into point masses and the rest. A place is that of its bin; at an end it is the
/// end.
pub fn parts(edges: &[f64], densities: &[f64], n: f64) -> Parts {
    let shares: Vec<f64> = edges.windows(2).zip(densities).map(|(e, d)| d * (e[1] - e[0])).collect();
    let held = shares.iter().filter(|s| **s > 0.0).count();
    let lattice = held <= FEW_BINS.min(shares.len() / 4) && n >= MANY * held as f64;
    let at = |k: usize| if k < shares.len() { shares[k] } else { 0.0 };
    let is_mass = |k: usize| {
        let around = at(k.wrapping_sub(1)) + at(k + 1);
        shares[k] > 0.0 && (lattice || shares[k] * n >= MANY && shares[k] >= 0.01 && shares[k] > ALONE * around)
    };
    let place = |k: usize| match k {
        0 => edges[0],
        _ if k + 1 == shares.len() => edges[k + 1],
        _ => 0.5 * (edges[k] + edges[k + 1]),
    };
    let found: Vec<usize> = (0..shares.len()).filter(|k| is_mass(*k)).collect();
    let whole = shares.iter().sum::<f64>() > 1.0 - 1e-9;
    let mut rest = shares.clone();
    found.iter().for_each(|k| rest[*k] = 0.0);
    // what lies in the bin besides is as much as in those beside it: without it there would be a gap in the rest
    let beside = |k: usize| {
        let near: Vec<f64> = [k.wrapping_sub(1), k + 1].iter().filter_map(|j| rest.get(*j)).copied().collect();
        near.iter().sum::<f64>() / near.len().max(1) as f64
    };
    let besides: Vec<f64> = found.iter().map(|k| beside(*k)).collect();
    let masses = found.iter().zip(&besides).map(|(k, more)| (place(*k), shares[*k] - more)).collect();
    found.iter().zip(besides).for_each(|(k, more)| rest[*k] = more);
    Parts { masses, rest, whole }
}

/// The density of what is no point mass, of `n` values, as a curve: shares in bins of equal width diffuse, without leaving the
/// range, for a time that is found from themselves. That smooths as a normal kernel does, whose standard deviation is the
/// improved bandwidth of Sheather and Jones (Z. I. Botev, J. F. Grotowski, D. P. Kroese, The Annals of Statistics 38 (2010)
/// 2916): one that does not take the law for a normal one, and so keeps several modes apart. It is wider where values are few.
pub fn density(edges: &[f64], parts: &Parts, n: f64) -> Vec<(f64, f64)> {
    let bins = parts.rest.len().min(edges.len().saturating_sub(1));
    let shares = &parts.rest[..bins];
    let total: f64 = shares.iter().sum();
    if bins < 2 || total <= 0.0 {
        return Vec::new();
    }
    let n = (n * total).max(2.0);
    let waves: Vec<f64> = Cosines::new(bins).forwards(shares).iter().map(|a| a / total).collect();
    let time = diffusion_time(&waves, n);
    let width = (edges[bins] - edges[0]) / bins as f64;
    let times = local_times(shares, time, n / total);
    let inside = spread(shares, &times);
    let room = if parts.whole { open_ends(&inside, edges, n) } else { [0.0; 2] };
    let reach = 3.0 * time.sqrt() * bins as f64;
    let [before, after] = room.map(|most| reach.min(most / width).ceil() as usize);
    let heights = match before + after {
        0 => inside,
        more => {
            let padded = |inner: &[f64]| [vec![0.0; before], inner.to_vec(), vec![0.0; after]].concat();
            let shorter = (bins as f64 / (bins + more) as f64).powi(2);
            let times: Vec<f64> = times.iter().map(|t| t * shorter).collect();
            spread(&padded(shares), &padded(&times))
        }
    };
    let middle = |k: usize| edges[0] + width * (k as f64 - before as f64 + 0.5);
    heights.iter().enumerate().map(|(k, h)| (middle(k), h / width)).collect()
}

/// How far a curve may go on beyond each end of the values, given what it is inside. Where it ends high there, the law has an
/// edge; few values do not tell that well. Zero is an edge of what does not cross it.
fn open_ends(inside: &[f64], edges: &[f64], n: f64) -> [f64; 2] {
    let top = inside.iter().copied().fold(0.0, f64::max);
    let high = match n {
        n if n < 20.0 => f64::INFINITY,
        n if n < 200.0 => 0.8,
        _ => 0.1,
    };
    let (low, up) = (edges[0], edges[edges.len() - 1]);
    let to_zero = [if low >= 0.0 { low } else { f64::INFINITY }, if up <= 0.0 { -up } else { f64::INFINITY }];
    let open = |k: usize, end: f64| if end <= high * top { to_zero[k] } else { 0.0 };
    [open(0, inside[0]), open(1, inside[inside.len() - 1])]
}

/// For each bin a time to diffuse: that of all, longer where so few values are within a bandwidth that the curve would show each.
fn local_times(shares: &[f64], time: f64, n: f64) -> Vec<f64> {
    let enough = CLOSE.min(n / 10.0);
    let width = time.sqrt() * shares.len() as f64;
    // a curve that is smooth enough to tell how many values are around
    let pilot = diffused(shares, 9.0 * time);
    let level = |around: f64| LEVELS.iter().copied().find(|f| f * around >= enough).unwrap_or(LEVELS[LEVELS.len() - 1]);
    pilot.iter().map(|share| time * level(2.0 * width * n * share).powi(2)).collect()
}

/// Values within a bandwidth to each side that are enough for a curve.
const CLOSE: f64 = 40.0;

/// How much wider than the common one a bandwidth can be.
const LEVELS: [f64; 6] = [1.0, 1.4, 2.0, 2.8, 4.0, 5.6];

/// Shares after each has diffused for its own time.
fn spread(shares: &[f64], times: &[f64]) -> Vec<f64> {
    let mut different: Vec<f64> = shares.iter().zip(times).filter(|(s, _)| **s > 0.0).map(|(_, t)| *t).collect();
    different.sort_by(f64::total_cmp);
    different.dedup();
    let mut all = vec![0.0; shares.len()];
    for time in different {
        let own: Vec<f64> = shares.iter().zip(times).map(|(s, t)| if *t == time { *s } else { 0.0 }).collect();
        all.iter_mut().zip(diffused(&own, time)).for_each(|(sum, h)| *sum += h);
    }
    all
}

/// Shares of bins after diffusing between the ends for a time, on a range of length one.
fn diffused(shares: &[f64], time: f64) -> Vec<f64> {
    let cosines = Cosines::new(shares.len());
    let damped = |(k, a): (usize, &f64)| a * (-0.5 * (k as f64 * PI).powi(2) * time).exp();
    let waves: Vec<f64> = cosines.forwards(shares).iter().enumerate().map(damped).collect();
    // what is left of a wave can be a little below zero
    cosines.backwards(&waves).iter().map(|h| (h / shares.len() as f64).max(0.0)).collect()
}

/// The square of the bandwidth on a range of length one, from the amplitudes of the cosines of `n` values.
fn diffusion_time(waves: &[f64], n: f64) -> f64 {
    // no less than a part of a bin, which is a smoothing by itself
    let least = (0.3 / waves.len() as f64).powi(2);
    least_root(least, |t| t - plug_in(waves, n, t)).unwrap_or(0.28 * n.powf(-0.4))
}

/// Where a function of the time first grows through zero, from a least time on: that one where it is above zero already.
/// None where it stays below.
pub(super) fn least_root(least: f64, off: impl Fn(f64) -> f64) -> Option<f64> {
    const FACTOR: f64 = 1.3;
    const MOST: f64 = 0.1;
    let mut low = least;
    if off(low) > 0.0 {
        return Some(least);
    }
    while low < MOST {
        let high = FACTOR * low;
        if off(high) > 0.0 {
            let halved = |(a, b): (f64, f64), _| {
                let middle = 0.5 * (a + b);
                if off(middle) > 0.0 { (a, middle) } else { (middle, b) }
            };
            return Some((0..30).fold((low, high), halved).0);
        }
        low = high;
    }
    None
}

/// The time that would be best if the law were as rough as it is after diffusing for a time that the rougher derivatives, one
/// after the other, make best for each other, from `t` on.
fn plug_in(waves: &[f64], n: f64, t: f64) -> f64 {
    // the squared norm of a derivative of the law after a time
    let roughness = |order: i32, time: f64| {
        let term = |(k, a): (usize, &f64)| {
            let square = (k as f64 * PI).powi(2);
            square.powi(order) * (-square * time).exp() * a * a
        };
        // amplitudes on a range of length one: twice the squares of the coefficients
        2.0 * waves.iter().enumerate().skip(1).map(term).sum::<f64>()
    };
    let mut norm = roughness(STAGES, t);
    for order in (2..STAGES).rev() {
        let odd: f64 = (1..=order).map(|k| f64::from(2 * k - 1)).product();
        let factor = (1.0 + 0.5f64.powf(f64::from(order) + 0.5)) / 3.0;
        let time = (2.0 * factor * odd / (2.0 * PI).sqrt() / (n * norm)).powf(2.0 / f64::from(3 + 2 * order));
        norm = roughness(order, time);
    }
    (2.0 * n * PI.sqrt() * norm).powf(-0.4)
}

/// The cosine transform of so many bins, written out: there are few of them.
pub(super) struct Cosines {
    bins: usize,
    table: Vec<f64>,
}

impl Cosines {
    pub fn new(bins: usize) -> Cosines {
        Cosines { bins, table: (0..4 * bins).map(|j| (PI * j as f64 / (2 * bins) as f64).cos()).collect() }
    }

    /// cos(pi k (j + 1/2) / bins)
    fn at(&self, k: usize, j: usize) -> f64 {
        self.table[k * (2 * j + 1) % (4 * self.bins)]
    }

    pub fn forwards(&self, shares: &[f64]) -> Vec<f64> {
        (0..self.bins).map(|k| shares.iter().enumerate().map(|(j, s)| s * self.at(k, j)).sum()).collect()
    }

    pub fn backwards(&self, waves: &[f64]) -> Vec<f64> {
        let at = |j: usize| waves[0] + 2.0 * (1..self.bins).map(|k| waves[k] * self.at(k, j)).sum::<f64>();
        (0..self.bins).map(at).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::testing::Uniforms;

    const BINS: usize = 512;

    fn counted(values: &[f64], low: f64, high: f64) -> (Vec<f64>, Vec<f64>) {
        let width = (high - low) / BINS as f64;
        let mut densities = vec![0.0; BINS];
        values.iter().for_each(|v| densities[(((v - low) / width) as usize).min(BINS - 1)] += 1.0);
        densities.iter_mut().for_each(|d| *d /= width * values.len() as f64);
        ((0..=BINS).map(|k| low + width * k as f64).collect(), densities)
    }

    fn normal(x: f64, s: f64) -> f64 {
        (-0.5 * (x / s).powi(2)).exp() / (s * (2.0 * PI).sqrt())
    }

    fn smooth(values: &[f64], low: f64, high: f64) -> Vec<(f64, f64)> {
        let (edges, densities) = counted(values, low, high);
        let n = values.len() as f64;
        density(&edges, &parts(&edges, &densities, n), n)
    }

    #[test]
    fn a_normal_keeps_its_height() {
        let mut u = Uniforms::new(1);
        let values: Vec<f64> = (0..20_000).map(|_| u.normal()).collect();
        let curve = smooth(&values, -4.5, 4.5);
        let width = curve[1].0 - curve[0].0;
        assert!((curve.iter().map(|p| p.1 * width).sum::<f64>() - 1.0).abs() < 1e-9);
        let worst = curve.iter().map(|(x, y)| (y - normal(*x, 1.0)).abs()).fold(0.0, f64::max);
        assert!(worst < 0.02, "{worst}");
    }

    #[test]
    fn two_narrow_modes_are_not_smoothed_away() {
        let mut u = Uniforms::new(2);
        let values: Vec<f64> = (0..5_000).map(|k| (if k % 2 == 0 { -1.0 } else { 1.0 }) + 0.1 * u.normal()).collect();
        let curve = smooth(&values, -1.5, 1.5);
        let truth = |x: f64| 0.5 * (normal(x - 1.0, 0.1) + normal(x + 1.0, 0.1));
        let worst = curve.iter().map(|(x, y)| (y - truth(*x)).abs()).fold(0.0, f64::max);
        assert!(worst < 0.12 * truth(1.0), "{worst} of {}", truth(1.0));
        let turns = curve.windows(3).filter(|w| w[1].1 > w[0].1 && w[1].1 >= w[2].1 && w[1].1 > 0.2).count();
        assert_eq!(turns, 2, "two modes and no ripples");
    }

    #[test]
    fn a_law_with_an_edge_keeps_it() {
        let mut u = Uniforms::new(3);
        let values: Vec<f64> = (0..20_000).map(|_| 0.5 * (u.normal().powi(2) + u.normal().powi(2))).collect();
        let curve = smooth(&values, 0.0, 9.0);
        assert!((curve[0].1 - 1.0).abs() < 0.1, "{}", curve[0].1);
    }

    #[test]
    fn a_law_with_a_pole_has_a_smooth_tail() {
        let mut u = Uniforms::new(10);
        let values: Vec<f64> = (0..500).map(|_| u.normal().powi(2)).collect();
        let curve = smooth(&values, 0.0, 8.0);
        let tail: Vec<f64> = curve.iter().filter(|p| p.0 > 0.5 && p.0 < 4.0).map(|p| p.1).collect();
        let rise: f64 = tail.windows(2).map(|w| (w[1] - w[0]).max(0.0)).sum();
        assert!(rise < 0.5 * tail[0], "{rise} up on the way down from {}", tail[0]);
        assert!(curve[0].1 > 5.0 * tail[0], "the pole stays");
    }

    #[test]
    fn few_values_have_a_curve_that_falls_to_zero() {
        let mut u = Uniforms::new(8);
        let values: Vec<f64> = (0..30).map(|_| u.normal()).collect();
        let ends = values.iter().fold((0.0f64, 0.0f64), |e, v| (e.0.min(*v), e.1.max(*v)));
        let curve = smooth(&values, ends.0, ends.1 + 1e-9);
        let (first, last) = (curve[0], curve[curve.len() - 1]);
        assert!(first.0 < ends.0 && last.0 > ends.1 && first.1 < 0.02 && last.1 < 0.02, "{first:?} {last:?}");
        let width = curve[1].0 - first.0;
        assert!((curve.iter().map(|p| p.1 * width).sum::<f64>() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_curve_of_positive_values_stays_positive() {
        let mut u = Uniforms::new(9);
        let values: Vec<f64> = (0..60).map(|_| (0..4).map(|_| u.normal().powi(2)).sum()).collect();
        let ends = values.iter().fold((f64::INFINITY, 0.0f64), |e, v| (e.0.min(*v), e.1.max(*v)));
        let curve = smooth(&values, ends.0, ends.1 + 1e-9);
        assert!(curve[0].0 >= -0.05, "{} for {}", curve[0].0, ends.0);
    }

    #[test]
    fn point_masses_stand_apart() {
        let mut u = Uniforms::new(4);
        let values: Vec<f64> = (0..4_000).map(|_| u.normal().max(0.0)).collect();
        let (edges, densities) = counted(&values, 0.0, 4.0);
        let found = parts(&edges, &densities, 4_000.0);
        assert_eq!(found.masses.len(), 1);
        assert!(found.masses[0].0 == 0.0 && (found.masses[0].1 - 0.5).abs() < 0.03);
        assert!(found.rest[0] > 0.0 && found.rest[0] < 0.01, "no gap where the mass was");
        let whole: Vec<f64> = (0..6_000).map(|k| f64::from(k % 6)).collect();
        let (edges, densities) = counted(&whole, 0.0, 5.0);
        let found = parts(&edges, &densities, 6_000.0);
        assert_eq!(found.masses.len(), 6);
        assert!(found.rest.iter().all(|s| *s == 0.0));
        let normal: Vec<f64> = (0..50).map(|_| u.normal()).collect();
        let (edges, densities) = counted(&normal, -4.0, 4.0);
        assert!(parts(&edges, &densities, 50.0).masses.is_empty(), "few values are no masses");
    }

    #[test]
    fn nothing_and_one_bin_have_no_curve() {
        let of = |rest: &[f64]| Parts { rest: rest.to_vec(), ..Parts::default() };
        assert!(density(&[], &of(&[]), 0.0).is_empty());
        assert!(density(&[0.0, 1.0], &of(&[1.0]), 10.0).is_empty());
        assert!(density(&[0.0, 1.0, 2.0], &of(&[0.0, 0.0]), 10.0).is_empty());
    }
}
