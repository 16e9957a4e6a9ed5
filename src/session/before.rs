//! Numbers that are known before a run: parameters in their ranges, the grid of times, the times that are looked at.

use crate::diagnostics::{Diagnostic, codes};
use crate::math::Id;
use crate::math::eval::{Env, eval};
use crate::model::elab::{Elab, RangeCheck, Try};
use crate::model::plots::MOST_LOOKS;
use crate::model::results::{Pool, Times};
use crate::session::adaptive::spread;
use crate::session::compile::{Grid, MAX_STEPS};
use crate::session::plan::plots::Plot;
use crate::session::plan::{Plan, Save, TimeSpec};
use crate::source::Span;

impl Elab<'_> {
    /// Parameters and arguments against their ranges, at the values that they really have.
    pub(super) fn check_values(&mut self, params: &Env) -> Try<()> {
        for check in self.ranges.clone() {
            self.check_argument(&check, params)?;
        }
        for check in self.matrices.clone() {
            self.check_matrix(&check, params)?;
        }
        match (0..self.params.len()).find_map(|k| self.outside_range(k, params)) {
            Some(problem) => self.fail(problem),
            None => Ok(()),
        }
    }

    /// That a parameter has a value outside of its range.
    pub(super) fn outside_range(&self, k: usize, params: &Env) -> Option<Diagnostic> {
        let p = &self.params[k];
        let (range, value) = (p.range.as_ref()?, params.get(p.var)?);
        let (lo, hi) =
            (eval(&self.g, range.lo, params).ok()?.values[0], eval(&self.g, range.hi, params).ok()?.values[0]);
        let outside = value.values.iter().find(|v| !crate::model::types::inside(**v, lo, hi, range))?;
        Some(crate::model::types::out_of_range(&p.name, *outside, lo, hi, range, p.span))
    }

    /// An argument that depends on parameters of the run, against the range of the parameter that it is given to.
    pub(super) fn check_argument(&mut self, check: &RangeCheck, params: &Env) -> Try<()> {
        let range = &check.range;
        let values =
            (eval(&self.g, check.value, params), eval(&self.g, range.lo, params), eval(&self.g, range.hi, params));
        let (Ok(values), Ok(lo), Ok(hi)) = values else { return Ok(()) };
        let (lo, hi) = (lo.values[0], hi.values[0]);
        match values.values.iter().find(|v| !crate::model::types::inside(**v, lo, hi, range)) {
            Some(v) => self.fail(crate::model::types::out_of_range(&check.name, *v, lo, hi, range, check.span)),
            None => Ok(()),
        }
    }

    pub(super) fn number(&mut self, id: Id, params: &Env, span: Span) -> Try<f64> {
        match eval(&self.g, id, params) {
            Ok(v) => Ok(v.values[0]),
            Err(e) => self.error(
                codes::BAD_TIME,
                format!("this time cannot be worked out: {e}"),
                span,
                "not known before the run",
            ),
        }
    }

    pub(super) fn grid(&mut self, plan: &Plan, params: &Env) -> Try<Grid> {
        match plan.time.clone() {
            None => Ok(Grid::new(vec![0.0])),
            Some(TimeSpec::Count { steps }) => Ok(Grid::equal(0.0, steps as f64, steps)),
            Some(TimeSpec::Stepped { from, to, step, span, step_span }) => {
                let (a, b, h) = (
                    self.number(from, params, span)?,
                    self.number(to, params, span)?,
                    self.number(step, params, span)?,
                );
                if !(h > 0.0 && h.is_finite()) {
                    let message = format!("a step is a positive length of time, and this is {h}");
                    return self.error(codes::BAD_TIME, message, step_span, "cannot be a step");
                }
                if !(a.is_finite() && b.is_finite() && b > a) {
                    let message = format!("a run goes from a time to a later one, not from {a} to {b}");
                    return self.error(codes::BAD_TIME, message, span, "no such grid");
                }
                self.few_enough((b - a) / h, span)?;
                Ok(Grid::stepped(a, b, h))
            }
            Some(TimeSpec::Grid { times, span }) => {
                let values = match eval(&self.g, times, params) {
                    Ok(v) => v.values,
                    Err(e) => {
                        return self.error(
                            codes::BAD_TIME,
                            format!("these times cannot be worked out: {e}"),
                            span,
                            "not known before the run",
                        );
                    }
                };
                if values.len() < 2 || values.windows(2).any(|w| w[1] <= w[0]) {
                    let falling = values.len() > 1 && values.windows(2).all(|w| w[1] < w[0]);
                    if falling {
                        return self.unsupported("a decreasing time grid", span);
                    }
                    return self.error(
                        codes::BAD_TIME,
                        "the times of a run increase from one to the next",
                        span,
                        "not increasing",
                    );
                }
                Ok(Grid::new(values))
            }
            Some(TimeSpec::Adaptive { from, to, span, .. }) => self.look_grid(plan, from, to, span, params),
            Some(TimeSpec::Ends { span, .. }) => {
                self.error(codes::BAD_TIME, "this time has no step", span, "add `step h`")
            }
        }
    }

    /// Refuses grids that are too long to be held in memory.
    pub(super) fn few_enough(&mut self, steps: f64, span: Span) -> Try<()> {
        if steps <= MAX_STEPS as f64 {
            return Ok(());
        }
        self.error(codes::BAD_TIME, format!("{steps} steps are too many"), span, format!("at most {MAX_STEPS}"))
    }

    /// The grid point of a time; a time off the grid is an error that names its neighbours.
    pub(super) fn snap(&mut self, t: f64, grid: &Grid, span: Span) -> Try<u64> {
        let at = grid.times.partition_point(|x| *x < t);
        let candidates = [at.saturating_sub(1), at.min(grid.times.len() - 1)];
        let best = candidates
            .into_iter()
            .min_by(|a, b| (grid.times[*a] - t).abs().total_cmp(&(grid.times[*b] - t).abs()))
            .unwrap_or(0);
        let h = grid.steps.get(best).or(grid.steps.last()).copied().unwrap_or(1.0);
        if (grid.times[best] - t).abs() <= 1e-6 * h {
            return Ok(best as u64);
        }
        let (lo, hi) = (grid.times[candidates[0]], grid.times[candidates[1]]);
        let message = format!("the time {} is not on the grid of steps", shown(t));
        let d = Diagnostic::error(codes::OFF_GRID, message, span, "asked for here")
            .note(if lo == hi {
                format!("the run goes from {} to {}", shown(grid.times[0]), shown(grid.times[grid.times.len() - 1]))
            } else {
                format!("the nearest steps are at {} and {}", shown(lo), shown(hi))
            })
            .help("take one of these, or a step that divides the time");
        // Of a list or a formula it is not certain what is to be changed.
        let is_number = self.sources.text(span).parse::<f64>().is_ok();
        let near = if !is_number {
            &[][..]
        } else if lo == hi {
            &[lo]
        } else {
            &[lo, hi][..]
        };
        self.fail(near.iter().fold(d, |d, time| d.instead(span, shown(*time).to_string())))
    }

    /// The grid points at which a pool looks.
    pub(super) fn looks(&mut self, pool: &Pool, grid: &Grid, params: &Env) -> Try<Vec<u64>> {
        let last = grid.times.len() as u64 - 1;
        match &pool.times {
            Times::End => Ok(vec![last]),
            Times::At { times, span, each, .. } => {
                let mut looks: Vec<u64> = Vec::new();
                for (k, t) in times.iter().enumerate() {
                    let own = each.get(k).copied().unwrap_or(*span);
                    let t = self.number(*t, params, own)?;
                    looks.push(self.snap(t, grid, own)?);
                }
                if let Some(k) = looks.windows(2).position(|w| w[1] <= w[0]) {
                    let own = each.get(k + 1).copied().unwrap_or(*span);
                    return self.error(
                        codes::BAD_TIME,
                        "the times of `at` increase from one to the next",
                        own,
                        "not after the one before",
                    );
                }
                Ok(looks)
            }
            Times::Over { from, to, every, span, .. } => {
                let (a, b) = (self.number(*from, params, *span)?, self.number(*to, params, *span)?);
                let (first, end) = (self.snap(a, grid, *span)?, self.snap(b, grid, *span)?);
                let Some(every) = every else { return Ok((first..=end).collect()) };
                let s = self.number(*every, params, *span)?;
                self.regular(a, b, s, grid, *span)
            }
            Times::LastSteps { steps, span } => {
                if *steps as u64 > last {
                    return self.error(codes::BAD_TIME, format!("the run has {last} steps"), *span, "fewer than these");
                }
                Ok((last - *steps as u64 + 1..=last).collect())
            }
            Times::Spread { most } => {
                let (a, b) = (grid.times[0], grid.times[last as usize]);
                let mut looks: Vec<u64> = match last < *most as u64 {
                    true => (0..=last).collect(),
                    false => spread(a, b, *most).map(|t| nearest(grid, t)).collect(),
                };
                looks.dedup();
                Ok(looks)
            }
        }
    }

    pub(super) fn regular(&mut self, a: f64, b: f64, s: f64, grid: &Grid, span: Span) -> Try<Vec<u64>> {
        if !(s > 0.0 && s.is_finite()) || b < a {
            return self.error(codes::BAD_TIME, format!("from {a} to {b} every {s}"), span, "no such times");
        }
        let n = ((b - a) / s + 1e-6).floor() as u64;
        if n >= grid.times.len() as u64 {
            return self.fail(
                Diagnostic::error(
                    codes::OFF_GRID,
                    format!("{s} is less than a step of the run"),
                    span,
                    "asked for here",
                )
                .note(format!("from {a} to {b} the run has {} steps", grid.len()))
                .help("take a multiple of the step"),
            );
        }
        let mut looks = Vec::new();
        for k in 0..=n {
            looks.push(self.snap(a + k as f64 * s, grid, span)?);
        }
        looks.dedup();
        Ok(looks)
    }

    /// The grid points at which a plot keeps paths: those of its pool, or some of them where a drawing would not show more.
    pub(super) fn plot_looks(&mut self, plot: &Plot, grid: &Grid, params: &Env) -> Try<Vec<u64>> {
        let looks = self.looks(&plot.pool, grid, params)?;
        Ok(looks.iter().copied().step_by(looks.len().div_ceil(MOST_LOOKS).max(1)).collect())
    }

    pub(super) fn save_looks(&mut self, save: &Save, grid: &Grid, params: &Env) -> Try<Vec<u64>> {
        let Save { every, points, span, .. } = save;
        if let Some(points) = points {
            let (last, stride) = (grid.len(), grid.len().div_ceil(*points).max(1));
            let inner = (0..last).step_by(stride as usize);
            return Ok(inner.chain([last]).collect());
        }
        match every {
            None => Ok(vec![grid.times.len() as u64 - 1]),
            Some(e) => {
                let s = self.number(*e, params, *span)?;
                let (a, b) = (grid.times[0], grid.times[grid.times.len() - 1]);
                self.regular(a, b, s, grid, *span)
            }
        }
    }
}

/// The grid point nearest to a time.
fn nearest(grid: &Grid, t: f64) -> u64 {
    let at = grid.times.partition_point(|x| *x < t).min(grid.times.len() - 1);
    let before = at.saturating_sub(1);
    (if t - grid.times[before] < grid.times[at] - t { before } else { at }) as u64
}

/// A time as a person writes it: what rounding did to its last digits is not shown.
fn shown(t: f64) -> f64 {
    format!("{t:.12e}").parse().unwrap_or(t)
}
