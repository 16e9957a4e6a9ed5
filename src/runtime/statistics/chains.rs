//! Diagnostics of correlated draws: effective sample size, R-hat, autocorrelation.
//!
//! A. Vehtari, A. Gelman, D. Simpson, B. Carpenter, P.-C. Bürkner, "Rank-normalization, folding, and localization: an
//! improved R-hat", Bayesian Analysis 16 (2021) 667, with the estimator of the autocorrelation time as Stan's: Geyer's
//! initial monotone sequence (C. J. Geyer, Statistical Science 7 (1992) 473).

use super::fft::LaggedProducts;
use super::jackknife;
use super::moments::Moments;
use super::normal;
use super::sketch;

/// The fewest draws of a chain that can be judged.
pub const SHORTEST: usize = 8;

/// Draws of some chains, all of one length.
#[derive(Clone, Debug, Default)]
pub struct Chains {
    pub len: usize,
    /// the group of each chain, increasing
    pub groups: Vec<u64>,
    /// `[chains][len]`
    pub draws: Vec<f64>,
}

/// A number with its standard error.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Estimate {
    pub value: f64,
    pub se: f64,
}

/// Nothing is known.
pub const UNKNOWN: Estimate = Estimate { value: f64::NAN, se: f64::NAN };

impl Chains {
    pub fn count(&self) -> usize {
        self.groups.len()
    }

    fn chains(&self) -> impl Iterator<Item = &[f64]> {
        self.draws.chunks_exact(self.len.max(1))
    }

    /// Each chain cut in two halves; the middle draw of an odd length is left out.
    fn split(&self) -> Chains {
        let half = self.len / 2;
        let draws = self.chains().flat_map(|c| c[..half].iter().chain(&c[c.len() - half..]).copied()).collect();
        Chains { len: half, groups: self.groups.iter().flat_map(|g| [*g, *g]).collect(), draws }
    }

    /// Draws replaced by the normal scores of their ranks among all draws; draws that are equal, or nearly (to the
    /// 2^-32 of the range of their bit patterns), share their average rank.
    fn rank_normalised(&self) -> Chains {
        let keys = || self.draws.iter().map(|x| sketch::ordered(*x));
        let least = keys().min().unwrap_or(0);
        let range = keys().max().unwrap_or(0) - least;
        let drop = (u64::BITS - range.leading_zeros()).saturating_sub(u32::BITS);
        // The key above, the place of the draw below: sorting numbers is faster than sorting by a key.
        let mut order: Vec<u64> = keys().zip(0u64..).map(|(key, k)| (key - least) >> drop << 32 | k).collect();
        order.sort_unstable();
        let total = order.len() as f64;
        let mut draws = vec![0.0; order.len()];
        let mut start = 0;
        for ties in order.chunk_by(|a, b| a >> 32 == b >> 32) {
            let rank = start as f64 + (ties.len() as f64 + 1.0) / 2.0;
            let score = normal::quantile((rank - 0.375) / (total + 0.25));
            ties.iter().for_each(|place| draws[(place & 0xffff_ffff) as usize] = score);
            start += ties.len();
        }
        Chains { len: self.len, groups: self.groups.clone(), draws }
    }

    /// Distances from the median.
    fn folded(&self) -> Chains {
        let mut sorted = self.draws.clone();
        let middle = sorted.len() / 2;
        let median = *sorted.select_nth_unstable_by(middle, f64::total_cmp).1;
        Chains { draws: self.draws.iter().map(|x| (x - median).abs()).collect(), ..self.clone() }
    }

    /// Indices of the chains of each group.
    fn by_group(&self) -> Vec<std::ops::Range<usize>> {
        let mut ranges: Vec<std::ops::Range<usize>> = Vec::new();
        for (k, pair) in self.groups.iter().enumerate() {
            match ranges.last_mut() {
                Some(r) if self.groups[r.start] == *pair => r.end = k + 1,
                _ => ranges.push(k..k + 1),
            }
        }
        ranges
    }
}

/// Sums over the chains of a group: of the chains' means (as moments), of their variances.
#[derive(Clone, Debug, Default)]
struct Summary {
    means: Moments,
    /// mean of the unbiased variances
    vars: Moments,
    /// sums of lagged products about the chain's own mean, divided by the length
    acov: Vec<f64>,
}

impl Summary {
    fn merge(&self, other: &Summary) -> Summary {
        let acov = match (self.acov.is_empty(), other.acov.is_empty()) {
            (true, _) => other.acov.clone(),
            (_, true) => self.acov.clone(),
            _ => self.acov.iter().zip(&other.acov).map(|(a, b)| a + b).collect(),
        };
        Summary { means: self.means.merge(&other.means), vars: self.vars.merge(&other.vars), acov }
    }

    fn weight(&self) -> f64 {
        self.means.n as f64
    }
}

/// Mean and variance of the chains of each group.
fn summaries(chains: &Chains) -> Vec<Summary> {
    let summary = |range: std::ops::Range<usize>| {
        let mut s = Summary::default();
        for k in range {
            let m = Moments::of(&chains.draws[k * chains.len..(k + 1) * chains.len]);
            s.means.push(m.mean);
            s.vars.push(m.variance());
        }
        s
    };
    chains.by_group().into_iter().map(summary).collect()
}

/// Adds the autocovariances for lags below `lags`.
fn add_autocovariances(chains: &Chains, lags: usize, groups: &mut [Summary]) {
    let mut products = LaggedProducts::new(lags, chains.len);
    let mut centred = vec![0.0; chains.len];
    for (range, group) in chains.by_group().into_iter().zip(groups) {
        products.clear();
        for k in range {
            let draws = &chains.draws[k * chains.len..(k + 1) * chains.len];
            let mean = draws.iter().sum::<f64>() / chains.len as f64;
            centred.iter_mut().zip(draws).for_each(|(c, x)| *c = x - mean);
            products.add(&centred);
        }
        group.acov = products.sums().iter().map(|s| s / chains.len as f64).collect();
    }
}

fn together(groups: &[Summary]) -> Summary {
    groups.iter().fold(Summary::default(), |all, g| all.merge(g))
}

/// The sum of autocorrelations `1 + 2 (rho_1 + rho_2 + ...)`, cut by Geyer's initial monotone sequence; `None` if the
/// sequence did not end within the lags that are known.
fn autocorrelation_time(s: &Summary, len: usize) -> Option<f64> {
    let n = len as f64;
    let chains = s.means.n as f64;
    let within = s.vars.mean;
    let between = if s.means.n > 1 { s.means.variance() } else { 0.0 };
    let total = within * (n - 1.0) / n + between;
    if total.is_nan() || total <= 0.0 {
        return Some(f64::NAN);
    }
    let rho = |t: usize| if t == 0 { 1.0 } else { 1.0 - (within - s.acov[t] / chains) / total };
    // Sums of neighbouring pairs while they are positive, made monotone.
    let (mut sum, mut least, mut t) = (0.0, f64::INFINITY, 0);
    loop {
        // As in Stan, the last few lags are not looked at.
        if t + 4 >= len {
            break;
        }
        if t + 1 >= s.acov.len() {
            return None;
        }
        let pair = rho(t) + rho(t + 1);
        if pair.is_nan() || pair <= 0.0 {
            break;
        }
        least = pair.min(least);
        sum += least;
        t += 2;
    }
    // The even term after the last pair, if positive (improves the estimate for antithetic chains).
    let rest = if t > 0 && t < s.acov.len() { rho(t).max(0.0) } else { 0.0 };
    Some(2.0 * sum - 1.0 + rest)
}

/// Independent draws that the chains are worth, per draw: at most the cap of Stan, `log10` of the number of draws.
fn efficiency(s: &Summary, len: usize) -> Option<f64> {
    let draws = s.means.n as f64 * len as f64;
    // `max` would turn a NaN into the cap.
    autocorrelation_time(s, len).map(|tau| if tau.is_nan() { tau } else { 1.0 / tau.max(1.0 / draws.log10()) })
}

/// The split chains of some draws, and their normal scores: what effective sample size and R-hat are made of.
pub struct Scores {
    draws: usize,
    split: Chains,
    bulk: Chains,
}

impl Scores {
    /// `None` if the chains are too short, or there are none.
    pub fn of(chains: &Chains) -> Option<Scores> {
        if chains.len < SHORTEST || chains.count() == 0 {
            return None;
        }
        let split = chains.split();
        Some(Scores { draws: chains.count() * chains.len, bulk: split.rank_normalised(), split })
    }

    /// Bulk effective sample size of all draws.
    pub fn ess(&self) -> Estimate {
        let (z, draws) = (&self.bulk, self.draws as f64);
        let mut groups = summaries(z);
        let mut lags = 256.min(z.len);
        loop {
            add_autocovariances(z, lags, &mut groups);
            let value = efficiency(&together(&groups), z.len);
            if value.is_some() || lags == z.len {
                let value = value.unwrap_or(f64::NAN) * draws;
                let part = |s: &Summary| efficiency(s, z.len).unwrap_or(f64::NAN) * draws;
                return Estimate {
                    value,
                    se: jackknife::standard_error(&groups, Summary::weight, Summary::merge, part),
                };
            }
            lags = (8 * lags).min(z.len);
        }
    }

    /// The larger of the rank-normalised split R-hats of the draws and of their distances from the median.
    pub fn rhat(&self) -> Estimate {
        let (bulk, folded) = (scale_estimate(&self.bulk), scale_estimate(&self.split.folded().rank_normalised()));
        if folded.value > bulk.value { folded } else { bulk }
    }
}

fn scale_estimate(z: &Chains) -> Estimate {
    let groups = summaries(z);
    let value = scale_reduction(&together(&groups), z.len);
    let part = |s: &Summary| scale_reduction(s, z.len);
    Estimate { value, se: jackknife::standard_error(&groups, Summary::weight, Summary::merge, part) }
}

/// R-hat of normal scores.
fn scale_reduction(s: &Summary, len: usize) -> f64 {
    let n = len as f64;
    ((s.means.variance() * n / s.vars.mean + n - 1.0) / n).sqrt()
}

/// Sums about the mean of all draws, for the correlation at a lag.
#[derive(Clone, Debug, Default)]
struct LagSums {
    /// number of draws, their sum, their sum of squares
    n: f64,
    sum: f64,
    squares: f64,
    /// number of pairs, the sums of their first and second members, and of their products
    pairs: f64,
    first: f64,
    second: f64,
    products: f64,
}

impl LagSums {
    fn add(&mut self, draws: &[f64], lag: usize, about: f64) {
        for x in draws {
            let d = x - about;
            self.n += 1.0;
            self.sum += d;
            self.squares += d * d;
        }
        for (x, y) in draws.iter().zip(&draws[lag..]) {
            let (dx, dy) = (x - about, y - about);
            self.pairs += 1.0;
            self.first += dx;
            self.second += dy;
            self.products += dx * dy;
        }
    }

    fn merge(&self, other: &LagSums) -> LagSums {
        LagSums {
            n: self.n + other.n,
            sum: self.sum + other.sum,
            squares: self.squares + other.squares,
            pairs: self.pairs + other.pairs,
            first: self.first + other.first,
            second: self.second + other.second,
            products: self.products + other.products,
        }
    }

    fn correlation(&self) -> f64 {
        let mean = self.sum / self.n;
        let variance = self.squares / self.n - mean * mean;
        let covariance = (self.products - mean * (self.first + self.second)) / self.pairs + mean * mean;
        covariance / variance
    }
}

/// The autocorrelation at a lag of so many draws, about the mean of all.
pub fn autocorrelation(chains: &Chains, lag: usize) -> Estimate {
    if chains.len <= lag || chains.count() == 0 {
        return UNKNOWN;
    }
    let about = chains.draws.iter().sum::<f64>() / chains.draws.len() as f64;
    let groups: Vec<LagSums> = chains
        .by_group()
        .into_iter()
        .map(|range| {
            let mut sums = LagSums::default();
            range.for_each(|k| sums.add(&chains.draws[k * chains.len..(k + 1) * chains.len], lag, about));
            sums
        })
        .collect();
    let all = groups.iter().fold(LagSums::default(), |a, b| a.merge(b));
    let se = jackknife::standard_error(&groups, |s| s.n, LagSums::merge, LagSums::correlation);
    Estimate { value: all.correlation(), se }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::testing::Uniforms;

    fn ess(chains: &Chains) -> Estimate {
        Scores::of(chains).map_or(UNKNOWN, |s| s.ess())
    }

    fn rhat(chains: &Chains) -> Estimate {
        Scores::of(chains).map_or(UNKNOWN, |s| s.rhat())
    }

    /// Stationary AR(1) chains with unit variance, one a group.
    fn autoregressive(phi: f64, chains: usize, len: usize, seed: u64) -> Chains {
        let mut u = Uniforms::new(seed);
        let mut draws = Vec::with_capacity(chains * len);
        for _ in 0..chains {
            let mut x = u.normal();
            for _ in 0..len {
                draws.push(x);
                x = phi * x + (1.0 - phi * phi).sqrt() * u.normal();
            }
        }
        Chains { len, groups: (0..chains as u64).collect(), draws }
    }

    #[test]
    fn ess_of_an_autoregression_is_known() {
        // n (1 - phi)/(1 + phi), also for negative phi, where draws are worth more than their number.
        for (phi, len) in [(0.0, 500), (0.5, 1000), (0.9, 4000), (-0.4, 1000)] {
            let chains = autoregressive(phi, 16, len, 21);
            let want = (16 * len) as f64 * (1.0 - phi) / (1.0 + phi);
            let got = ess(&chains);
            assert!((got.value / want - 1.0).abs() < 0.12, "phi {phi}: {} for {want}", got.value);
            assert!(got.se > 0.0 && got.se < 0.15 * want, "phi {phi}: se {}", got.se);
            assert!((got.value - want).abs() < 4.5 * got.se, "phi {phi}: {got:?} for {want}");
        }
    }

    #[test]
    fn ess_does_not_depend_on_how_many_lags_are_tried_first() {
        // A slow chain: the sequence is longer than the first 256 lags.
        let chains = autoregressive(0.998, 4, 20_000, 5);
        let got = ess(&chains).value;
        let want = 80_000.0 * 0.002 / 1.998;
        assert!(got > 0.5 * want && got < 2.0 * want, "{got} for {want}");
    }

    #[test]
    fn ess_is_invariant_under_monotone_maps() {
        let chains = autoregressive(0.6, 4, 500, 3);
        let mapped = Chains { draws: chains.draws.iter().map(|x| (3.0 * x).exp()).collect(), ..chains.clone() };
        assert_eq!(ess(&chains), ess(&mapped));
        assert_eq!(rhat(&chains).value.max(0.0) > 0.0, rhat(&mapped).value > 0.0);
    }

    #[test]
    fn rhat_is_near_one_when_chains_agree_and_large_when_not() {
        let good = autoregressive(0.5, 8, 1000, 4);
        let r = rhat(&good);
        assert!(r.value < 1.01 && r.value > 0.99, "{r:?}");
        let mut apart = good.clone();
        apart.draws[..1000].iter_mut().for_each(|x| *x += 3.0);
        assert!(rhat(&apart).value > 1.2);
        // Equal means, one wider chain: only the folded draws show it.
        let mut wide = good.clone();
        wide.draws[..1000].iter_mut().for_each(|x| *x *= 6.0);
        assert!(rhat(&wide).value > 1.05, "{:?}", rhat(&wide));
        // A drift within the chains: only the split shows it.
        let mut drift = good;
        drift.draws.iter_mut().enumerate().for_each(|(k, x)| *x += 3.0 * (k % 1000) as f64 / 1000.0);
        assert!(rhat(&drift).value > 1.1);
    }

    #[test]
    fn scores_of_ranks_share_ties() {
        let chains = Chains { len: 4, groups: vec![0], draws: vec![2.0, 1.0, 2.0, 7.0] };
        let z = chains.rank_normalised().draws;
        assert_eq!(z[0], z[2]);
        assert!((z[0] - normal::quantile((2.5 - 0.375) / 4.25)).abs() < 1e-15);
        assert!(z[1] < z[0] && z[0] < z[3]);
        assert!((z[1] - normal::quantile(0.625 / 4.25)).abs() < 1e-15);
    }

    #[test]
    fn autocorrelations_of_an_autoregression() {
        let chains = autoregressive(0.8, 32, 2000, 6);
        for lag in [0, 1, 3, 10] {
            let got = autocorrelation(&chains, lag);
            let want = 0.8f64.powi(lag as i32);
            assert!((got.value - want).abs() < 4.5 * got.se + 1e-12, "lag {lag}: {got:?} for {want}");
            assert!(got.se < 0.02);
        }
    }

    #[test]
    fn what_cannot_be_judged_is_nan() {
        let short = autoregressive(0.1, 3, 5, 1);
        assert!(ess(&short).value.is_nan() && rhat(&short).value.is_nan());
        assert!(autocorrelation(&short, 5).value.is_nan());
        let constant = Chains { len: 20, groups: vec![0, 1], draws: vec![1.0; 40] };
        assert!(ess(&constant).value.is_nan() && rhat(&constant).value.is_nan());
    }
}
