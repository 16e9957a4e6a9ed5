//! From what was gathered to statistics with standard errors.

use std::collections::BTreeMap;

use super::chains::{self, Chains, Estimate};
use super::histogram;
use super::jackknife;
use super::moments::{Moments, Pairs};
use super::sketch::Bins;
use super::{Request, StatKind, StatResult};
use crate::runtime::collect::{CellSketch, Harvest, Node, Reel};
use crate::runtime::job::{Divergence, Observer};
use crate::runtime::layout::Layout;
use crate::runtime::plan::{self, Plan, Source, Tally, Tape};
use crate::runtime::tree::Merge;

/// Everything that a run brought together.
pub struct Finisher<'a> {
    pub plan: &'a Plan,
    pub layout: &'a Layout,
    pub harvest: &'a Harvest,
    /// all groups merged
    pub total: Node,
    pub diverged: Divergence,
    /// paths that finished, with those that diverged
    pub finished: u64,
}

impl<'a> Finisher<'a> {
    pub fn new(
        plan: &'a Plan,
        layout: &'a Layout,
        harvest: &'a Harvest,
        diverged: Divergence,
        finished: u64,
    ) -> Finisher<'a> {
        let mut total = Node::new(plan);
        harvest.groups.iter().for_each(|(_, node)| total.merge(node));
        Finisher { plan, layout, harvest, total, diverged, finished }
    }

    /// The answers to a request: one a look, or one in all.
    pub fn results(&self, of: &Observer, request: &Request, source: Source) -> Vec<StatResult> {
        let looks = if request.pool_times { 1 } else { of.looks.len() };
        let shape = plan::element_shape(of, request);
        let one = |look: usize| match source {
            Source::Divergence => self.divergences(),
            Source::Tally(k) => self.tallied(&self.plan.tallies[k], k, request, look, shape.clone()),
            Source::Tape(k) => self.taped(k, of, request, look, shape.clone()),
        };
        (0..looks).map(one).collect()
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
        for element in 0..tally.elements {
            let cell = tally.cell(look, element);
            match &request.stat {
                StatKind::Quantile { at, .. } => self.quantiles(&mut result, cell, at),
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
            StatKind::Quantile { at, list: true } => result.shape.push(at.len()),
            StatKind::Histogram { .. } => pad(&mut result, tally.elements),
            _ => {}
        }
        self.say_lost(&mut result, k);
        result
    }

    fn say_lost(&self, result: &mut StatResult, tally: usize) {
        let lost = self.total.lost[tally];
        if lost > 0 {
            result.notes.push(format!("{lost} values were not finite and are left out"));
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

    fn quantiles(&self, result: &mut StatResult, cell: usize, at: &[f64]) {
        let sketch = &self.harvest.sketches[cell];
        let bins = sketch.all.sorted();
        let groups = group_bins(sketch);
        result.n = result.n.max(bins.total());
        for q in at {
            let value = bins.quantile(*q);
            let sampling = quantile_se(&bins, *q, fraction_se(&bins, &groups, *q, |b| b.count_below(value)));
            let rounding = bins.half_width(*q);
            result.values.push(value);
            result.se.push(sampling.hypot(rounding / 3f64.sqrt()));
            if rounding > 0.25 * sampling {
                result.notes.push(format!("sketched: the quantile at {q} is known to {rounding:.1e}"));
            }
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
            result.notes.push(format!("{:.2} % of the values are outside its bins", 100.0 * outside));
        }
        result.edges.push(edges);
    }

    fn taped(&self, k: usize, of: &Observer, request: &Request, look: usize, shape: Vec<usize>) -> StatResult {
        let tape = &self.plan.tapes[k];
        let slot = &of.stage.program.outs[request.args[0]];
        let (elements, count) = plan::elements(&slot.shape, &request.pool_axes);
        let mut result = StatResult { shape, ..StatResult::default() };
        let mut broken = 0;
        for element in 0..count {
            let rows: Vec<usize> = (0..elements.len()).filter(|r| elements[*r] == element).collect();
            let looks = if request.pool_times { 0..tape.looks } else { look..look + 1 };
            let (chains, left_out) = self.chains(tape, &self.harvest.reels[k], &rows, looks);
            broken = broken.max(left_out);
            let estimate = self.of_draws(request, tape, &chains, &mut result);
            result.values.push(estimate.value);
            result.se.push(estimate.se);
            result.n = result.n.max(chains.draws.len() as u64);
        }
        if broken > 0 {
            result.notes.push(format!("{broken} chains have values that are not finite and are left out"));
        }
        let kept = self.harvest.reels[k].len() as u64;
        if kept < self.finished {
            result.notes.push(format!(
                "from every {}th path ({kept} of {})",
                self.finished.div_ceil(kept.max(1)),
                self.finished
            ));
        }
        if tape.every_look > 1 {
            result.notes.push(format!("from every {}th of the times", tape.every_look));
        }
        result.notes.dedup();
        result
    }

    /// The draws of some rows at some of the kept looks, one chain a path and row; and how many chains were left out.
    fn chains(
        &self,
        tape: &Tape,
        reels: &BTreeMap<u64, Reel>,
        rows: &[usize],
        looks: std::ops::Range<usize>,
    ) -> (Chains, usize) {
        let mut chains = Chains { len: looks.len(), ..Chains::default() };
        let mut left_out = 0;
        for (position, reel) in reels {
            // With very few paths groups are stretches of time; chains are whole, so each path is a group.
            let group = if self.layout.batches > 1 { *position } else { self.layout.place(*position, 0).group };
            for row in rows {
                let start = chains.draws.len();
                chains.draws.extend(looks.clone().map(|look| reel[look * tape.rows + row]));
                if chains.draws[start..].iter().all(|x| x.is_finite()) {
                    chains.groups.push(group);
                } else {
                    chains.draws.truncate(start);
                    left_out += 1;
                }
            }
        }
        (chains, left_out)
    }

    fn of_draws(&self, request: &Request, tape: &Tape, chains: &Chains, result: &mut StatResult) -> Estimate {
        // What the kept chains are worth, for all.
        let alive = (self.finished - self.diverged.paths) as f64;
        let kept = self.kept_alive(tape);
        let scale = if kept > 0.0 { (alive / kept).max(1.0) } else { 1.0 };
        if chains.len == 1 && request.stat == StatKind::Ess {
            result.notes.push("at one time every path is an independent draw".to_string());
            return Estimate { value: chains.count() as f64 * scale, se: 0.0 };
        }
        if let StatKind::Autocorr { lag } = request.stat {
            if lag % tape.every_look != 0 || chains.len <= lag / tape.every_look {
                result.notes.push(format!("the kept times have no lag of {lag}"));
            }
            let known = lag % tape.every_look == 0;
            let lag = if known { lag / tape.every_look } else { usize::MAX };
            return chains::autocorrelation(chains, lag);
        }
        if chains.len < chains::SHORTEST {
            result.notes.push(format!("needs at least {} times of a path", chains::SHORTEST));
        }
        if request.stat == StatKind::Rhat {
            return chains::rhat(chains);
        }
        let e = chains::ess(chains);
        Estimate { value: e.value * scale, se: e.se * scale }
    }

    /// Number of kept paths that did not diverge.
    fn kept_alive(&self, tape: &Tape) -> f64 {
        let k = self.plan.tapes.iter().position(|t| t == tape).expect("a tape of the plan");
        self.harvest.reels[k].values().filter(|r| r.iter().rev().take(tape.rows).any(|x| !x.is_nan())).count() as f64
    }
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
        _ if all.n == 0 => Estimate { value: f64::NAN, se: f64::NAN },
        _ => Estimate { value: all.mean, se: all.mean_se() },
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

/// The standard error of a quantile whose probability has the standard error `s`: half the distance of the quantiles at
/// `q - s` and `q + s` (R. S. Woodruff, J. Amer. Statist. Assoc. 47 (1952) 635). The extremes have none.
fn quantile_se(bins: &Bins, q: f64, s: f64) -> f64 {
    if bins.total() < 2 || q <= 0.0 || q >= 1.0 {
        return f64::NAN;
    }
    let (low, high) = ((q - s).max(0.0), (q + s).min(1.0));
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
