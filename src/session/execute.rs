//! Executing a plan: one job for each variant, then the numbers of its statements.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::array::Array;
use crate::math::eval::{Env, eval};
use crate::math::{Graph, Id, Op, VarId};
use crate::model::elab::{Elab, RangeCheck, Try};
use crate::model::results::{Asked, Pool, Times};
use crate::model::statistics::StatKind;
use crate::output::paths::column_names;
use crate::output::result::{Check, Report, RunResult, Values, When};
use crate::runtime::noise::Ars5;
use crate::runtime::{Control, Job, Observer, Outcome, Request, StatResult, engine};
use crate::session::compile::{Backend, Clock, Compiled, Grid, compile, parameters, stage};
use crate::session::plan::{Plan, Save, Statement, TimeSpec};
use crate::session::results::{Ran, Saved};
use crate::source::Span;
use crate::step::Spec;

/// How a run is executed.
#[derive(Clone, Copy)]
pub struct Execution<'a> {
    pub backend: Backend,
    pub stop: &'a AtomicBool,
    pub set: &'a [(usize, f64)],
}

/// The programs of a plan: starts and steps for each solver, and what looks at the states.
struct Programs {
    init: Vec<Compiled>,
    step: Vec<Option<Compiled>>,
    observers: Vec<Vec<Watch>>,
}

/// An observer before it has a grid: one pool, or one `save`.
struct Watch {
    compiled: Compiled,
    pool: Arc<Pool>,
    /// indices of what was asked, in the order of the requests
    asked: Vec<usize>,
    requests: Vec<Request>,
    save: Option<usize>,
}

impl Elab<'_> {
    /// Runs a plan.
    pub fn execute(&mut self, plan: &Plan, how: Execution<'_>) -> Try<Ran> {
        let mut ran = Ran { name: plan.name.clone(), planned_paths: plan.paths, ..Ran::default() };
        for statement in &plan.statements {
            if let Statement::Plot { text, .. } = statement {
                ran.notes.push(format!("`plot {text}` is not drawn by this version"));
            }
        }
        if let Some(converge) = &plan.converge {
            self.converge_run(plan, converge, how, &mut ran)?;
            return Ok(ran);
        }
        let begin = Instant::now();
        let programs = self.programs(plan, how.backend)?;
        let compile_seconds = begin.elapsed().as_secs_f64();
        let g = Arc::new(self.g.clone());
        for combination in combinations(&plan.sweeps) {
            for solver in 0..programs.init.len() {
                let set: Vec<(usize, f64)> = how.set.iter().chain(&combination).copied().collect();
                let mut variant = self.variant(plan, &programs, solver, &g, &set, &combination, how, &mut ran)?;
                variant.compile_seconds = compile_seconds;
                let stopped = variant.interrupted;
                ran.variants.push(variant);
                if stopped {
                    return Ok(ran);
                }
            }
        }
        Ok(ran)
    }

    fn compiled(&mut self, spec: &Spec, backend: Backend, span: Span) -> Try<Compiled> {
        match compile(self, spec, backend, span) {
            Ok(compiled) => Ok(compiled),
            Err(problem) => self.fail(problem),
        }
    }

    fn programs(&mut self, plan: &Plan, backend: Backend) -> Try<Programs> {
        let mut programs = Programs { init: Vec::new(), step: Vec::new(), observers: Vec::new() };
        let count = plan.steps.len().max(1);
        for k in 0..count {
            let (init, step) = self.dynamics(plan, k, backend)?;
            programs.init.push(init);
            programs.step.push(step);
            let watches = self.watches(plan, k, backend)?;
            programs.observers.push(watches);
        }
        Ok(programs)
    }

    /// All state variables under a solver, with their starts.
    pub(super) fn starts(&mut self, plan: &Plan, k: usize) -> Vec<(VarId, Id)> {
        let mut starts: Vec<(VarId, Id)> = plan.model.states.iter().map(|s| (s.var, s.start)).collect();
        if let Some(step) = plan.steps.get(k) {
            let values: Vec<Id> = step.memory.iter().map(|m| m.1).collect();
            let values = self.g.substitute_vars(&values, &starts);
            starts.extend(step.memory.iter().map(|m| m.0).zip(values));
            if let Some((last, sum)) = step.acceptance {
                let zero = self.g.real(0.0);
                starts.extend([(last, zero), (sum, zero)]);
            }
        }
        starts
    }

    pub(super) fn dynamics(&mut self, plan: &Plan, k: usize, backend: Backend) -> Try<(Compiled, Option<Compiled>)> {
        let starts = self.starts(plan, k);
        let states: Vec<VarId> = starts.iter().map(|s| s.0).collect();
        let init =
            self.compiled(&Spec { states: states.clone(), renew: starts, outs: Vec::new() }, backend, plan.model.span)?;
        let step = match plan.steps.get(k) {
            Some(step) => {
                let span = plan.model.states.iter().find_map(|s| s.flow_span).unwrap_or(plan.span);
                Some(self.compiled(&Spec { states, renew: step.renew.clone(), outs: Vec::new() }, backend, span)?)
            }
            None => None,
        };
        Ok((init, step))
    }

    /// Observers: one for each pool of times, and one for each `save`.
    fn watches(&mut self, plan: &Plan, k: usize, backend: Backend) -> Try<Vec<Watch>> {
        let states: Vec<VarId> = self.starts(plan, k).iter().map(|s| s.0).collect();
        let mut groups: Vec<(Arc<Pool>, Vec<usize>)> = Vec::new();
        for (index, asked) in plan.context.asked.iter().enumerate() {
            match groups.iter_mut().find(|(pool, _)| pool.times == asked.pool.times) {
                Some((_, list)) => list.push(index),
                None => groups.push((Arc::new((*asked.pool).clone()), vec![index])),
            }
        }
        let mut watches = Vec::new();
        for (pool, list) in groups {
            let mut outs: Vec<Id> = Vec::new();
            let mut requests = Vec::new();
            for index in &list {
                let asked = &plan.context.asked[*index];
                let args = self.observed_args(plan, k, asked)?;
                let places: Vec<usize> = args
                    .into_iter()
                    .map(|id| match outs.iter().position(|o| *o == id) {
                        Some(p) => p,
                        None => {
                            outs.push(id);
                            outs.len() - 1
                        }
                    })
                    .collect();
                requests.push(Request {
                    stat: asked.stat.clone(),
                    args: places,
                    pool_times: matches!(pool.times, Times::Over { .. } | Times::LastSteps { .. }),
                    pool_axes: (0..asked.pool.axes.len()).collect(),
                });
            }
            let span = plan.context.asked[list[0]].span;
            let compiled = self.compiled(&Spec { states: states.clone(), renew: Vec::new(), outs }, backend, span)?;
            watches.push(Watch { compiled, pool, asked: list, requests, save: None });
        }
        for (index, statement) in plan.statements.iter().enumerate() {
            let Statement::Save(save) = statement else { continue };
            let outs = save.columns.iter().map(|c| c.1).collect();
            let compiled =
                self.compiled(&Spec { states: states.clone(), renew: Vec::new(), outs }, backend, save.span)?;
            watches.push(Watch {
                compiled,
                pool: Arc::default(),
                asked: Vec::new(),
                requests: Vec::new(),
                save: Some(index),
            });
        }
        Ok(watches)
    }

    /// The nodes that a statistic observes; acceptances are those of the solver.
    pub(super) fn observed_args(&mut self, plan: &Plan, k: usize, asked: &Asked) -> Try<Vec<Id>> {
        if asked.stat != StatKind::Acceptance {
            return Ok(asked.args.clone());
        }
        let Some((last, sum)) = plan.steps.get(k).and_then(|s| s.acceptance) else {
            return self.fail(
                Diagnostic::error(
                    codes::BAD_STATISTIC,
                    "no step of this run accepts or rejects anything",
                    asked.span,
                    "`acceptance()` of a solver without `accept`",
                )
                .help("kernels such as `mala` have an acceptance"),
            );
        };
        if matches!(asked.pool.times, Times::Over { .. } | Times::LastSteps { .. }) {
            return Ok(vec![self.g.var(last)]);
        }
        let (total, steps) = (self.g.var(sum), self.g.var(self.step_index));
        Ok(vec![self.g.op(Op::Div, &[total, steps])])
    }

    #[allow(clippy::too_many_arguments)]
    fn variant(
        &mut self,
        plan: &Plan,
        programs: &Programs,
        solver: usize,
        g: &Arc<Graph>,
        set: &[(usize, f64)],
        sweep: &[(usize, f64)],
        how: Execution<'_>,
        ran: &mut Ran,
    ) -> Try<RunResult> {
        let params = parameters(self, set);
        self.check_values(&params)?;
        let grid = self.grid(plan, &params)?;
        let clock = self.clock();
        let make = |s: &mut Self, compiled: &Compiled, observer: bool, span: Span| match stage(
            g, compiled, &params, clock, &grid, observer,
        ) {
            Ok(stage) => Ok(stage),
            Err(reason) => s.error(
                codes::BAD_SETTING,
                format!("a value of this run cannot be worked out: {reason}"),
                span,
                "needed for this",
            ),
        };
        let mut observers = Vec::new();
        for watch in &programs.observers[solver] {
            let looks = match watch.save {
                Some(index) => self.save_looks(plan, index, &grid, &params)?,
                None => self.looks(&watch.pool, &grid, &params)?,
            };
            let record_first = match watch.save {
                Some(index) => match &plan.statements[index] {
                    Statement::Save(save) => save.first.min(plan.paths),
                    _ => 0,
                },
                None => 0,
            };
            observers.push(Observer {
                stage: make(self, &watch.compiled, true, plan.span)?,
                looks,
                requests: watch.requests.clone(),
                record_first,
            });
        }
        let job = Job {
            init: make(self, &programs.init[solver], false, plan.model.span)?,
            step: match &programs.step[solver] {
                Some(step) => Some(make(self, step, false, plan.span)?),
                None => None,
            },
            observers,
            grid: grid.times.clone(),
            first_path: 0,
            paths: plan.paths,
            seed: plan.seed,
            stream: 0,
            threads: plan.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
            noise: Arc::new(Ars5),
            lanes: None,
        };
        let outcome = engine::run(&job, Control { stop: Some(how.stop), progress: None });
        self.conclude(plan, programs, solver, &job, &outcome, &grid, params, sweep, ran)
    }

    pub(super) fn clock(&self) -> Clock {
        Clock { time: self.time, time_next: self.time_next, dt: self.dt, step_index: self.step_index }
    }

    /// Parameters and arguments against their ranges, at the values that they really have.
    pub(super) fn check_values(&mut self, params: &Env) -> Try<()> {
        for check in self.ranges.clone() {
            self.check_argument(&check, params)?;
        }
        for p in self.params.clone() {
            let (Some(range), Some(value)) = (&p.range, params.get(p.var)) else { continue };
            let (Ok(lo), Ok(hi)) = (eval(&self.g, range.lo, params), eval(&self.g, range.hi, params)) else { continue };
            for v in &value.values {
                if !crate::model::types::inside(*v, lo.values[0], hi.values[0], range) {
                    return self.fail(crate::model::types::out_of_range(
                        &p.name,
                        *v,
                        lo.values[0],
                        hi.values[0],
                        range,
                        p.span,
                    ));
                }
            }
        }
        Ok(())
    }

    /// An argument that depends on parameters of the run, against the range of the parameter that it is given to.
    fn check_argument(&mut self, check: &RangeCheck, params: &Env) -> Try<()> {
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

    fn number(&mut self, id: Id, params: &Env, span: Span) -> Try<f64> {
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
            None => Ok(Grid { times: vec![0.0], steps: Vec::new() }),
            Some(TimeSpec::Count { steps }) => Ok(Grid::equal(0.0, steps as f64, steps)),
            Some(TimeSpec::Stepped { from, to, step, span }) => {
                let (a, b, h) = (
                    self.number(from, params, span)?,
                    self.number(to, params, span)?,
                    self.number(step, params, span)?,
                );
                if !(h > 0.0 && h.is_finite() && a.is_finite() && b.is_finite() && b > a) {
                    let message =
                        format!("a run goes from a time to a later one by positive steps, not from {a} to {b} by {h}");
                    return self.error(codes::BAD_TIME, message, span, "no such grid");
                }
                if (b - a) / h > 1e9 {
                    let message = format!("{} steps are too many", (b - a) / h);
                    return self.error(codes::BAD_TIME, message, span, "at most 10^9 steps");
                }
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
            Some(TimeSpec::Ends { span, .. }) => {
                self.error(codes::BAD_TIME, "this time has no step", span, "add `step h`")
            }
        }
    }

    /// The grid point of a time; a time off the grid is an error that names its neighbours.
    fn snap(&mut self, t: f64, grid: &Grid, span: Span) -> Try<u64> {
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
        self.fail(
            Diagnostic::error(
                codes::OFF_GRID,
                format!("the time {t} is not on the grid of steps"),
                span,
                "asked for here",
            )
            .note(if lo == hi {
                format!("the run goes from {} to {}", grid.times[0], grid.times[grid.times.len() - 1])
            } else {
                format!("the nearest steps are at {lo} and {hi}")
            })
            .help("take one of these, or a step that divides the time"),
        )
    }

    /// The grid points at which a pool looks.
    pub(super) fn looks(&mut self, pool: &Pool, grid: &Grid, params: &Env) -> Try<Vec<u64>> {
        let last = grid.times.len() as u64 - 1;
        match &pool.times {
            Times::End => Ok(vec![last]),
            Times::At { times, span, .. } => {
                let mut looks = Vec::new();
                for t in times {
                    let t = self.number(*t, params, *span)?;
                    looks.push(self.snap(t, grid, *span)?);
                }
                if looks.windows(2).any(|w| w[1] <= w[0]) {
                    return self.error(
                        codes::BAD_TIME,
                        "the times of `at` increase from one to the next",
                        *span,
                        "not increasing",
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
        }
    }

    fn regular(&mut self, a: f64, b: f64, s: f64, grid: &Grid, span: Span) -> Try<Vec<u64>> {
        if !(s > 0.0 && s.is_finite()) || b < a {
            return self.error(codes::BAD_TIME, format!("from {a} to {b} every {s}"), span, "no such times");
        }
        let n = ((b - a) / s + 1e-6).floor() as u64;
        let mut looks = Vec::new();
        for k in 0..=n {
            looks.push(self.snap(a + k as f64 * s, grid, span)?);
        }
        looks.dedup();
        Ok(looks)
    }

    pub(super) fn save_looks(&mut self, plan: &Plan, index: usize, grid: &Grid, params: &Env) -> Try<Vec<u64>> {
        let Statement::Save(Save { every, span, .. }) = &plan.statements[index] else { return Ok(Vec::new()) };
        match every {
            None => Ok(vec![grid.times.len() as u64 - 1]),
            Some(e) => {
                let s = self.number(*e, params, *span)?;
                let (a, b) = (grid.times[0], grid.times[grid.times.len() - 1]);
                self.regular(a, b, s, grid, *span)
            }
        }
    }

    // The numbers of the statements.

    #[allow(clippy::too_many_arguments)]
    fn conclude(
        &mut self,
        plan: &Plan,
        programs: &Programs,
        solver: usize,
        job: &Job,
        outcome: &Outcome,
        grid: &Grid,
        params: Env,
        sweep: &[(usize, f64)],
        ran: &mut Ran,
    ) -> Try<RunResult> {
        ran.time = (grid.times[0], grid.times[grid.times.len() - 1], grid.len());
        ran.finished = outcome.finished;
        let mut variant = RunResult {
            name: plan.name.clone(),
            model: plan.model.name.clone(),
            seed: plan.seed,
            solver: plan.steps.get(solver).map(|s| s.solver.clone()),
            sweep: sweep.iter().map(|(k, v)| (self.params[*k].name.clone(), *v)).collect(),
            paths: outcome.finished,
            steps: grid.len(),
            seconds: outcome.seconds,
            path_steps_per_second: outcome.path_steps as f64 / outcome.seconds.max(1e-9),
            interrupted: outcome.interrupted,
            diverged: outcome.diverged.paths,
            first_divergence: outcome.diverged.first.map(|(k, _)| grid.times[k as usize]),
            ..RunResult::default()
        };
        let watches = &programs.observers[solver];
        let mut found: HashMap<usize, Vec<StatResult>> = HashMap::new();
        for (watch, observed) in watches.iter().zip(&outcome.observed) {
            for (index, results) in watch.asked.iter().zip(&observed.results) {
                found.insert(*index, results.clone());
            }
            if let Some(index) = watch.save
                && let Statement::Save(save) = &plan.statements[index]
            {
                let saved = self.saved(save, observed, job, watch, grid, ran.variants.len());
                ran.saved.push(saved);
            }
        }
        let mut env = params;
        let mut notes = HashMap::new();
        self.expectations(plan, &mut env)?;
        self.invariances(plan, &mut env, &mut notes)?;
        for statement in &plan.statements {
            let pool = match statement {
                Statement::Report { pool, .. } | Statement::Check { pool, .. } => pool.clone(),
                _ => continue,
            };
            let times = match &pool.times {
                Times::At { times, .. } => times.len(),
                _ => 1,
            };
            for look in 0..times {
                fill(&mut env, plan, &found, &pool, look);
                let at = match &pool.times {
                    Times::At { times, span, .. } => Some(self.number(times[look], &env, *span)?),
                    _ => None,
                };
                match statement {
                    Statement::Report { items, .. } => {
                        for item in items {
                            let report = self.report_line(
                                plan,
                                item,
                                &found,
                                &pool,
                                look,
                                at,
                                grid.times[grid.times.len() - 1],
                                &env,
                            );
                            variant.reports.push(report);
                        }
                    }
                    Statement::Check { text, condition, sides, .. } => {
                        let mut check = self.check_line(text, *condition, *sides, at, &env);
                        check.note = plan
                            .context
                            .invariances
                            .iter()
                            .find(|i| self.g.depends_on(*condition, i.value))
                            .and_then(|i| notes.get(&i.value).cloned());
                        variant.checks.push(check);
                    }
                    _ => {}
                }
            }
        }
        Ok(variant)
    }

    pub(super) fn check_line(
        &self,
        text: &str,
        condition: Id,
        sides: Option<(Id, Id)>,
        at: Option<f64>,
        env: &Env,
    ) -> Check {
        let value = |id: Id| eval(&self.g, id, env).ok().and_then(|v| v.values.first().copied());
        let (left, right) = match sides {
            Some((a, b)) => (value(a), value(b)),
            None => (None, None),
        };
        // A NaN on either side fails the check: comparisons with it are false.
        let passed = value(condition) == Some(1.0);
        Check { expr: text.into(), at, passed, left, right, note: None }
    }

    #[allow(clippy::too_many_arguments)]
    fn report_line(
        &mut self,
        plan: &Plan,
        item: &crate::session::plan::Item,
        found: &HashMap<usize, Vec<StatResult>>,
        pool: &Pool,
        look: usize,
        at: Option<f64>,
        end: f64,
        env: &Env,
    ) -> Report {
        let when = match (at, pool_words(pool)) {
            (Some(t), _) => When::At(t),
            (None, Some(words)) => When::Over(words),
            (None, None) => When::At(end),
        };
        let mut report = Report { expr: item.text.clone(), when, value: Values::default(), notes: Vec::new() };
        let direct =
            plan.context.asked.iter().position(|a| *self.g.node(item.value) == crate::math::Node::Var(a.value));
        if let Some(result) =
            direct.and_then(|k| found.get(&k)).and_then(|r| r.get(look.min(r.len().saturating_sub(1))))
        {
            report.value = Values::from(result);
            report.notes = result.notes.clone();
            return report;
        }
        match eval(&self.g, item.value, env) {
            Ok(value) => {
                let se = if value.values.len() == 1 {
                    self.propagated(plan, item.value, env).unwrap_or(0.0)
                } else {
                    f64::NAN
                };
                let se = vec![se; value.values.len()];
                report.value = Values { shape: value.shape.clone(), values: value.values, se, edges: Vec::new() };
            }
            Err(e) => report.notes.push(format!("has no value: {e}")),
        }
        report
    }

    /// The standard error of a formula of scalar statistics to first order, the statistics taken as independent.
    fn propagated(&mut self, plan: &Plan, value: Id, env: &Env) -> Option<f64> {
        let mut sum = 0.0;
        let mut any = false;
        for asked in &plan.context.asked {
            if !self.g.depends_on(value, asked.value) {
                continue;
            }
            if !self.g.var_info(asked.value).shape.is_empty() {
                return None;
            }
            let slope = self.g.partial(value, asked.value, &[]);
            let slope = eval(&self.g, slope, env).ok()?.values[0];
            let se = env.get(asked.se)?.values[0];
            sum += (slope * se).powi(2);
            any = true;
        }
        any.then(|| sum.sqrt())
    }

    #[allow(clippy::too_many_arguments)]
    fn saved(
        &self,
        save: &Save,
        observed: &crate::runtime::Observed,
        job: &Job,
        watch: &Watch,
        grid: &Grid,
        variant: usize,
    ) -> Saved {
        let columns = save.columns.iter().flat_map(|(label, id)| column_names(label, self.g.shape(*id))).collect();
        let observer = job.observers.iter().find(|o| std::ptr::eq(&*o.stage.program, &*watch.compiled.program));
        let times = observer.map(|o| o.looks.iter().map(|k| grid.times[*k as usize]).collect()).unwrap_or_default();
        Saved { variant, path: save.path.clone(), columns, times, recorded: observed.record.clone() }
    }
}

/// The values of the statistics for one look of a statement.
fn fill(env: &mut Env, plan: &Plan, found: &HashMap<usize, Vec<StatResult>>, pool: &Pool, look: usize) {
    for (index, asked) in plan.context.asked.iter().enumerate() {
        let Some(results) = found.get(&index) else { continue };
        let own = if asked.pool.times == pool.times { look } else { 0 };
        let Some(result) = results.get(own.min(results.len().saturating_sub(1))) else { continue };
        env.set(asked.value, Array::new(result.shape.clone(), result.values.clone()));
        env.set(asked.se, Array::new(result.shape.clone(), result.se.clone()));
    }
}

/// What a pool takes together, in words.
fn pool_words(pool: &Pool) -> Option<String> {
    match &pool.times {
        Times::Over { words, .. } => Some(words.clone()),
        Times::LastSteps { steps, .. } => Some(format!("last {steps} steps")),
        _ => (!pool.axes.is_empty()).then(|| "an axis".to_string()),
    }
}

/// All points of the sweeps, the last one running fastest.
fn combinations(sweeps: &[(usize, Vec<f64>)]) -> Vec<Vec<(usize, f64)>> {
    let mut all = vec![Vec::new()];
    for (k, values) in sweeps {
        all = all
            .iter()
            .flat_map(|c| values.iter().map(move |v| c.iter().copied().chain([(*k, *v)]).collect()))
            .collect();
    }
    all
}
