//! From what was gathered to statistics with standard errors.

use super::chains::{Estimate, UNKNOWN};
use super::histogram;
use super::jackknife;
use super::moments::{Moments, Pairs};
use super::sketch::Bins;
use super::taped::Tapes;
use super::{Replicate, Request, StatKind, StatResult};
use crate::runtime::collect::{CellSketch, Harvest, Node};
use crate::runtime::job::{Divergence, Observer};
use crate::runtime::layout::Layout;
use crate::runtime::plan::{self, Plan, Source, Tally};
use crate::runtime::tree::Merge;

/// Everything that a run brought together.
pub struct Finisher<'a> {
    plan: &'a Plan,
    harvest: &'a Harvest,
    /// all groups merged
    total: Node,
    diverged: Divergence,
    /// paths that finished, with those that diverged
    finished: u64,
    tapes: Tapes<'a>,
}

impl<'a> Finisher<'a> {
    pub fn new(
        plan: &'a Plan,
        layout: &'a Layout,
        harvest: &'a Harvest,
        diverged: Divergence,
        finished: u64,
        threads: usize,
    ) -> Finisher<'a> {
        let mut total = Node::new(plan);
        harvest.groups.iter().for_each(|(_, node)| total.merge(node));
        let alive = finished - diverged.paths;
        let tapes = Tapes::new(&plan.tapes, layout, &harvest.reels, alive, threads);
        Finisher { plan, harvest, total, diverged, finished, tapes }
    }

    /// The answers to a request: one a look, or one in all.
    pub fn results(&self, of: &Observer, request: &Request, source: Source) -> Vec<StatResult> {
        let looks = if request.pool_times { 1 } else { of.looks.len() };
        let shape = plan::element_shape(of, request);
        let one = |look: usize| match source {
            Source::Divergence => self.divergences(),
            Source::Tally(k) => self.tallied(&self.plan.tallies[k], k, request, look, shape.clone()),
            Source::Tape(k) => self.tapes.result(k, of, request, shape.clone()),
        };
        (0..looks).map(one).map(without_overflow).collect()
    }

    fn divergences(&self) -> StatResult {
        let (n, count) = (self.finished as f64, self.diverged.paths as f64);
        let p = count / n;
        StatResult {
            values: vec![count],
            se: vec![(n * p * (1.0 - p)).sqrt()],
            n: self.finished,
            ..StatResult::default()
        }
    }

    fn tallied(&self, tally: &Tally, k: usize, request: &Request, look: usize, shape: Vec<usize>) -> StatResult {
        let mut result = StatResult { shape, ..StatResult::default() };
        let mut coarse = false;
        for element in 0..tally.elements {
            let cell = tally.cell(look, element);
            match &request.stat {
                StatKind::Quantile { at, .. } => self.quantiles(&mut result, tally, cell, at, &mut coarse),
                StatKind::Histogram { bins } => self.histogram(&mut result, cell, *bins),
                stat => {
                    let (estimate, n) = self.estimate(tally, cell, stat);
                    result.values.push(estimate.value);
                    result.se.push(estimate.se);
                    result.n = result.n.max(n);
                }
            }
        }
        match &request.stat {
            StatKind::Quantile { at, list } => {
                if *list {
                    result.shape.push(at.len());
                }
                let tail = |q: f64| q.min(1.0 - q) * result.n as f64;
                let unknown = at.iter().any(|q| *q > 0.0 && *q < 1.0 && tail(*q) < HANDFUL);
                if unknown && result.n > 1 && result.se.iter().any(|se| se.is_nan()) {
                    result.notes.push(format!("fewer than {HANDFUL} values lie beyond, too few for a standard error"));
                }
                if coarse {
                    result.notes.push("the width of the sketch's bins is a good part of the error".to_string());
                }
            }
            StatKind::Prob if !tally.clustered => say_certain(&mut result),
            StatKind::Histogram { .. } => pad(&mut result, tally.elements),
            StatKind::Ess => result.notes.push("at one time every path is an independent draw".to_string()),
            StatKind::Rhat | StatKind::Autocorr { .. } => {
                result.notes.push("needs several times: `over t in ...`".to_string())
            }
            _ => {}
        }
        self.say_lost(&mut result, k);
        if request.replicates {
            result.without = self.replicates(tally, request, look, &result);
        }
        result
    }

    /// The statistic without each group of paths.
    fn replicates(&self, tally: &Tally, request: &Request, look: usize, whole: &StatResult) -> Vec<Replicate> {
        let mut all = vec![Replicate::default(); self.harvest.groups.len()];
        for element in 0..tally.elements {
            let cell = tally.cell(look, element);
            let (weights, values) = match &request.stat {
                StatKind::Quantile { at, .. } => self.quantiles_without(cell, at, &whole.values[element * at.len()..]),
                stat => self.without_each(tally, cell, stat),
            };
            if values.is_empty() {
                return Vec::new();
            }
            let each = values.len() / all.len();
            for (g, replicate) in all.iter_mut().enumerate() {
                replicate.weight = weights[g].max(replicate.weight);
                replicate.values.extend(&values[g * each..(g + 1) * each]);
            }
        }
        all
    }

    /// For each group its number of values in a cell, and the statistic without it; nothing where that is not known.
    fn without_each(&self, tally: &Tally, cell: usize, stat: &StatKind) -> (Vec<f64>, Vec<f64>) {
        let groups = &self.harvest.groups;
        let of_pairs = |statistic: fn(&Pairs) -> f64, values: fn(&Pairs) -> f64| {
            let cells: Vec<Pairs> = groups.iter().map(|g| g.1.pairs[cell]).collect();
            (cells.iter().map(values).collect(), jackknife::without_each(&cells, Pairs::merge, statistic))
        };
        match (tally.kind, stat) {
            (plan::Gather::Units, _) => of_pairs(Pairs::ratio, |p| p.mean[0] * p.n as f64),
            (plan::Gather::Pairs, StatKind::Cov) => of_pairs(Pairs::covariance, |p| p.n as f64),
            (plan::Gather::Pairs, _) => of_pairs(Pairs::correlation, |p| p.n as f64),
            (plan::Gather::Moments(_), _) => match moment_statistic(stat) {
                Some(statistic) => {
                    let cells: Vec<Moments> = groups.iter().map(|g| g.1.moments[cell]).collect();
                    let weights = cells.iter().map(|m| m.n as f64).collect();
                    (weights, jackknife::without_each(&cells, Moments::merge, statistic))
                }
                None => Default::default(),
            },
            (plan::Gather::Sketch, _) => Default::default(),
        }
    }

    /// The same for quantiles, to first order: the quantile moves by the change of the probability below it over the
    /// density there (R. R. Bahadur, Ann. Math. Statist. 37 (1966) 577).
    fn quantiles_without(&self, cell: usize, at: &[f64], whole: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let sketch = &self.harvest.sketches[cell];
        if sketch.groups.len() < 2 {
            return Default::default();
        }
        let bins = sketch.all.sorted();
        let n = bins.total() as f64;
        let groups: Vec<Option<Bins>> =
            self.harvest.groups.iter().map(|(g, _)| sketch.groups.get(g).map(super::sketch::Sketch::sorted)).collect();
        let below: Vec<f64> = at.iter().zip(whole).map(|(_, x)| all_below(&groups, *x)).collect();
        let mut values = Vec::new();
        for group in &groups {
            let own = group.as_ref().map_or(0.0, |b| b.total() as f64);
            for ((q, x), below) in at.iter().zip(whole).zip(&below) {
                let s = (q * (1.0 - q) / n).sqrt();
                let per_probability = quantile_se(&bins, *q, s) / s;
                let without = (below - group.as_ref().map_or(0.0, |b| b.count_below(*x))) / (n - own);
                let moved = x - (without - below / n) * per_probability;
                values.push(if own > 0.0 { moved } else { *x });
            }
        }
        (groups.iter().map(|g| g.as_ref().map_or(0.0, |b| b.total() as f64)).collect(), values)
    }

    fn say_lost(&self, result: &mut StatResult, tally: usize) {
        let lost = self.total.lost[tally];
        if lost > 0 {
            let words = if lost == 1 { "value was not finite and is" } else { "values were not finite and are" };
            result.notes.push(format!("{lost} {words} left out"));
        }
    }

    fn estimate(&self, tally: &Tally, cell: usize, stat: &StatKind) -> (Estimate, u64) {
        match tally.kind {
            plan::Gather::Units => {
                let units = self.total.pairs[cell];
                let n = (units.mean[0] * units.n as f64).round() as u64;
                (Estimate { value: units.ratio(), se: units.ratio_se() }, n)
            }
            plan::Gather::Pairs => {
                let all = self.total.pairs[cell];
                let statistic = |p: &Pairs| if *stat == StatKind::Cov { p.covariance() } else { p.correlation() };
                let groups: Vec<Pairs> = self.harvest.groups.iter().map(|g| g.1.pairs[cell]).collect();
                let se = jackknife::standard_error(&groups, |p| p.n as f64, Pairs::merge, statistic);
                (Estimate { value: statistic(&all), se }, all.n)
            }
            _ => {
                let all = self.total.moments[cell];
                let groups = || self.harvest.groups.iter().map(|g| g.1.moments[cell]).collect::<Vec<_>>();
                (of_moments(stat, &all, tally.clustered, groups), all.n)
            }
        }
    }

    fn quantiles(&self, result: &mut StatResult, tally: &Tally, cell: usize, at: &[f64], coarse: &mut bool) {
        let clustered = tally.clustered;
        let sketch = &self.harvest.sketches[cell];
        let bins = sketch.all.sorted();
        let groups = if clustered { group_bins(sketch) } else { Vec::new() };
        result.n = result.n.max(bins.total());
        for q in at {
            let value = bins.quantile(*q);
            let sampling = quantile_se(&bins, *q, fraction_se(&bins, &groups, *q, |b| b.count_below(value)));
            let rounding = bins.half_width(*q);
            result.values.push(value);
            result.se.push(sampling.hypot(rounding / 3f64.sqrt()));
            *coarse |= rounding > 0.25 * sampling;
        }
    }

    fn histogram(&self, result: &mut StatResult, cell: usize, wanted: Option<usize>) {
        let sketch = &self.harvest.sketches[cell];
        let bins = sketch.all.sorted();
        result.n = result.n.max(bins.total());
        if bins.total() == 0 {
            result.edges.push(vec![]);
            return;
        }
        let groups = group_bins(sketch);
        let edges = histogram::edges(&bins, wanted);
        let fractions = histogram::fractions(&bins, &edges);
        for (p, e) in fractions.iter().zip(edges.windows(2)) {
            let se = fraction_se(&bins, &groups, *p, |b| b.count_below(e[1]) - b.count_below(e[0]));
            result.values.push(p / (e[1] - e[0]));
            result.se.push(se / (e[1] - e[0]));
        }
        let outside = 1.0 - fractions.iter().sum::<f64>();
        if outside > 0.5 / bins.total() as f64 {
            let share = if outside < 5e-5 { "less than 0.01".into() } else { format!("{:.2}", 100.0 * outside) };
            result.notes.push(format!("{share} % of the values are outside its bins"));
        }
        result.edges.push(edges);
    }
}

/// A value that overflowed has no known error.
fn without_overflow(mut result: StatResult) -> StatResult {
    for (value, se) in result.values.iter().zip(&mut result.se) {
        if !(value.is_finite() && se.is_finite()) {
            *se = f64::NAN;
        }
    }
    result
}

/// What a statistic is of the moments of some values; none for those that are of chains.
fn moment_statistic(stat: &StatKind) -> Option<fn(&Moments) -> f64> {
    match stat {
        StatKind::Var => Some(Moments::variance),
        StatKind::Std => Some(Moments::std),
        StatKind::Skewness => Some(Moments::skewness),
        StatKind::Kurtosis => Some(Moments::kurtosis),
        StatKind::Mean | StatKind::Prob | StatKind::Acceptance => Some(|m| m.mean),
        _ => None,
    }
}

/// Values of all groups below a number.
fn all_below(groups: &[Option<Bins>], x: f64) -> f64 {
    groups.iter().flatten().map(|b| b.count_below(x)).sum()
}

fn of_moments(stat: &StatKind, all: &Moments, clustered: bool, groups: impl Fn() -> Vec<Moments>) -> Estimate {
    let by_groups = |statistic: fn(&Moments) -> f64| Estimate {
        value: statistic(all),
        se: jackknife::standard_error(&groups(), |m| m.n as f64, Moments::merge, statistic),
    };
    match stat {
        StatKind::Var if !clustered => Estimate { value: all.variance(), se: all.variance_se() },
        StatKind::Std if !clustered => Estimate { value: all.std(), se: all.variance_se() / (2.0 * all.std()) },
        StatKind::Var => by_groups(Moments::variance),
        StatKind::Std => by_groups(Moments::std),
        StatKind::Skewness => by_groups(Moments::skewness),
        StatKind::Kurtosis => by_groups(Moments::kurtosis),
        StatKind::Ess => Estimate { value: all.n as f64, se: 0.0 },
        StatKind::Rhat | StatKind::Autocorr { .. } => UNKNOWN,
        _ if all.n == 0 => UNKNOWN,
        _ => Estimate { value: all.mean, se: all.mean_se() },
    }
}

/// A fraction of 0 or 1 has no spread, but is not certain: the bound that leaves such a result a chance of 5 %.
fn say_certain(result: &mut StatResult) {
    if result.n > 0 && result.values.iter().any(|p| *p == 0.0 || *p == 1.0) {
        let bound = 1.0 - 0.05f64.powf(1.0 / result.n as f64);
        result.notes.push(format!("where all {} paths agree, the probability is within {bound:.1e} of that", result.n));
    }
}

fn group_bins(sketch: &CellSketch) -> Vec<Bins> {
    sketch.groups.values().map(super::sketch::Sketch::sorted).collect()
}

/// Standard error of the fraction of values in a set, where `count` counts those of some bins: binomial, or from the
/// fractions of groups.
fn fraction_se(all: &Bins, groups: &[Bins], fraction: f64, count: impl Fn(&Bins) -> f64) -> f64 {
    let n = all.total() as f64;
    if groups.is_empty() {
        return (fraction * (1.0 - fraction) / n).sqrt();
    }
    let g = groups.len() as f64;
    let whole = groups.iter().map(&count).sum::<f64>() / n;
    let spread = groups.iter().map(|b| (count(b) - whole * b.total() as f64) / n).map(|d| d * d).sum::<f64>();
    (spread * g / (g - 1.0)).sqrt()
}

/// A quantile with fewer values beyond it has no standard error: the interval that it comes from would reach past all of
/// them.
const HANDFUL: f64 = 5.0;

/// The standard error of a quantile whose probability has the standard error `s`: a quarter of the distance of the
/// quantiles at `q - 2 s` and `q + 2 s`, the interval of 95 % (R. S. Woodruff, J. Amer. Statist. Assoc. 47 (1952) 635).
/// A narrower one has so few values inside that its length is mostly chance, and errors come out too small. In a tail the
/// interval takes no more than half of what lies beyond, where the quantiles are far apart: in one that falls
/// exponentially the error is then 10 % too large and not 60 %. The extremes, and quantiles with a few values beyond them,
/// have none.
fn quantile_se(bins: &Bins, q: f64, s: f64) -> f64 {
    let beyond = q.min(1.0 - q);
    if bins.total() < 2 || q <= 0.0 || q >= 1.0 || beyond * bins.total() as f64 + 1e-9 < HANDFUL {
        return f64::NAN;
    }
    let reach = (2.0 * s).min(0.5 * beyond);
    let (low, high) = (q - reach, q + reach);
    (bins.quantile(high) - bins.quantile(low)) / (high - low) * s
}

/// Gives the histograms of all elements one length, by empty bins after the last.
fn pad(result: &mut StatResult, elements: usize) {
    let most = result.edges.iter().map(|e| e.len().saturating_sub(1)).max().unwrap_or(0);
    let (values, se) = (std::mem::take(&mut result.values), std::mem::take(&mut result.se));
    let mut start = 0;
    for edges in &result.edges {
        let count = edges.len().saturating_sub(1);
        for (from, to) in [(&values, &mut result.values), (&se, &mut result.se)] {
            to.extend(&from[start..start + count]);
            to.extend(std::iter::repeat_n(f64::NAN, most - count));
        }
        start += count;
    }
    debug_assert_eq!(result.edges.len(), elements);
    result.shape.push(most);
}
