//! When a run is over: the numbers of its statements, from the statistics that were gathered.

use std::collections::HashMap;
use std::rc::Rc;

use crate::diagnostics::codes;
use crate::math::array::Array;
use crate::math::eval::{Env, eval};
use crate::math::{Id, VarId};
use crate::model::elab::{Elab, Try};
use crate::model::results::{Asked, Pool, Times};
use crate::output::paths::column_names;
use crate::output::result::{AdaptiveResult, Check, Report, RunResult, Values, When};
use crate::runtime::{Observer, Outcome, StatResult};
use crate::session::compile::Grid;
use crate::session::execute::{Execution, Watch};
use crate::session::figures::gather::Kept;
use crate::session::plan::plots::Plot;
use crate::session::plan::{Item, Plan, Save, Statement};
use crate::session::propagation::Seen;
use crate::session::results::{Ran, Saved};
use crate::solve::Step;

impl Elab<'_> {
    /// Whether a rule remembers values at the beginnings of earlier steps (not at the end of the last one, which would depend
    /// on its length), and not their lengths.
    fn takes_steps_as_equal(&self, step: &Step) -> bool {
        let memory: Vec<VarId> = step.memory.iter().map(|m| m.0).collect();
        let renewals = step.renew.iter().filter(|r| memory.contains(&r.0)).map(|r| r.1);
        let states: Vec<VarId> = step.renew.iter().map(|r| r.0).filter(|v| !memory.contains(v)).collect();
        let on_state = |id: Id| states.iter().any(|v| self.g.depends_on(id, *v));
        let on_length = |id: Id| self.g.depends_on(id, self.dt);
        let renewals: Vec<Id> = renewals.collect();
        renewals.iter().any(|id| on_state(*id) && !on_length(*id))
            && !renewals.iter().any(|id| on_length(*id) && !on_state(*id))
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn conclude(
        &mut self,
        plan: &Plan,
        watches: &[Watch],
        solver: usize,
        observers: &[Observer],
        outcome: &Outcome,
        grid: &Grid,
        params: Env,
        sweep: &[(usize, f64)],
        how: Execution<'_>,
        ran: &mut Ran,
    ) -> Try<RunResult> {
        // Paths that choose their steps have no number of them in common.
        let steps = if outcome.attempts.is_some() { 0 } else { grid.len() };
        ran.time = (grid.times[0], grid.times[grid.times.len() - 1], steps);
        ran.finished = outcome.finished;
        let tol = match plan.tolerance() {
            Some((tol, span)) => self.number(tol, &params, span)?,
            None => 0.0,
        };
        let mut variant = RunResult {
            name: plan.name.clone(),
            model: plan.model.name.clone(),
            seed: plan.seed,
            precision: plan.precision,
            solver: plan.steps.get(solver).map(|s| s.solver.clone()),
            sweep: sweep.iter().map(|(k, v)| (self.params[*k].name.clone(), *v)).collect(),
            paths: outcome.finished,
            steps,
            seconds: outcome.seconds,
            path_steps_per_second: outcome.path_steps as f64 / outcome.seconds.max(1e-9),
            interrupted: outcome.interrupted,
            diverged: outcome.diverged.paths,
            first_divergence: outcome
                .attempts
                .and_then(|a| a.first_failure)
                .map(|f| f.0)
                .or_else(|| outcome.diverged.first.map(|(k, _)| grid.times[k as usize])),
            adaptive: outcome.attempts.map(|a| AdaptiveResult::new(&a, outcome.finished, tol)),
            ..RunResult::default()
        };
        if let Some(step) = plan.steps.get(solver).filter(|s| self.takes_steps_as_equal(s))
            && !grid.is_equal()
        {
            ran.notes.push(format!(
                "`{}` remembers values of earlier steps and takes all steps for equally long, which they are not here: its \
                 order does not hold",
                step.solver
            ));
        }
        if variant.diverged > 0
            && let Some(step) = plan.steps.get(solver).filter(|s| s.implicit)
        {
            ran.notes.push(format!(
                "`{}` solves an equation in each step; paths for which it finds no solution count as diverged: a shorter step \
                 or a better guess may help",
                step.solver
            ));
        }
        let mut found: HashMap<usize, Vec<StatResult>> = HashMap::new();
        let mut kept: HashMap<usize, Kept> = HashMap::new();
        for (watch, observed) in watches.iter().zip(&outcome.observed) {
            for (index, results) in watch.asked.iter().zip(&observed.results) {
                found.insert(*index, results.clone());
            }
            match watch.keeps.map(|index| (index, &plan.statements[index])) {
                Some((_, Statement::Save(save))) => {
                    let saved = self.saved(save, observed, observers, watch, grid, ran.variants.len());
                    ran.saved.push(saved);
                }
                Some((index, _)) => {
                    let times = look_times(observers, watch, grid);
                    kept.insert(index, Kept { times, recorded: observed.record.clone() });
                }
                None => {}
            }
        }
        if outcome.finished == 0 {
            return Ok(variant);
        }
        let mut env = params;
        plan.context.give(&mut env);
        let mut notes = HashMap::new();
        self.expectations(plan, how, &mut env)?;
        variant.interrupted |= how.stop.load(std::sync::atomic::Ordering::Relaxed);
        self.invariances(plan, &mut env, &mut notes)?;
        let end = grid.times[grid.times.len() - 1];
        for (index, statement) in plan.statements.iter().enumerate() {
            let Some(pool) = statement.pool().cloned() else { continue };
            if let Statement::Plot(plot) = statement {
                let mut gathered = self.gathered(plot, &found, kept.remove(&index), grid, &env)?;
                gathered.variant = ran.variants.len();
                gathered.paths = outcome.finished;
                // What is drawn at once has no time.
                if plan.time.is_none() {
                    gathered.times.clear();
                }
                self.backdrop(plot, &mut gathered, how, &mut env)?;
                ran.plots.push(gathered);
                if plot.value.is_none() {
                    continue;
                }
            }
            let times = match &pool.times {
                Times::At { times, .. } => times.len(),
                _ => 1,
            };
            for look in 0..times {
                let seen = seen(plan, &found, &pool, look);
                fill(&mut env, plan, &seen);
                let at = match &pool.times {
                    Times::At { times, span, .. } => Some(self.number(times[look], &env, *span)?),
                    _ => None,
                };
                env.set(self.time, at.unwrap_or(end));
                self.formula_errors(plan, statement, &seen, &mut env);
                match statement {
                    Statement::Report { items, .. } => {
                        for item in items {
                            let when = self.when(plan, item, &pool, at, end, &env);
                            variant.reports.push(self.report_line(plan, item, when, &seen, &mut env));
                        }
                    }
                    Statement::Plot(Plot { value: Some(item), .. }) => {
                        let when = self.when(plan, item, &pool, at, end, &env);
                        let line = self.report_line(plan, item, when, &seen, &mut env);
                        if let Some(gathered) = ran.plots.last_mut() {
                            gathered.values.push(line.value);
                            gathered.times.extend(at.or(plan.time.as_ref().map(|_| end)));
                        }
                    }
                    Statement::Check { text, condition, sides, .. } => {
                        let mut check = self.check_line(text, *condition, *sides, at, &env);
                        let mut invariances = plan.context.invariances.iter();
                        if let Some(i) = invariances.find(|i| self.g.depends_on(*condition, i.value)) {
                            check.note = notes.get(&i.value).cloned();
                            check.code = check.code.map(|_| codes::NOT_INVARIANT.0);
                        }
                        variant.checks.push(check);
                    }
                    _ => {}
                }
            }
        }
        Ok(variant)
    }

    /// Works out what a statement wants of `se(...)` of formulas.
    fn formula_errors(&self, plan: &Plan, statement: &Statement, seen: &Seen<'_>, env: &mut Env) {
        let wanted: Vec<Id> = match statement {
            Statement::Report { .. } | Statement::Plot(_) => statement.items().iter().map(|i| i.value).collect(),
            Statement::Check { condition, .. } => vec![*condition],
            _ => return,
        };
        for formula in &plan.context.formulas {
            if wanted.iter().any(|id| self.g.depends_on(*id, formula.se)) {
                let se = self.formula_error(plan, formula.of, seen, env);
                env.set(formula.se, Array::new(self.g.shape(formula.of).to_vec(), se));
            }
        }
    }

    /// When the statistics of a reported item looked: that is its statement's time, unless all are of `let`s that looked
    /// at another one.
    fn when(&mut self, plan: &Plan, item: &Item, pool: &Pool, at: Option<f64>, end: f64, env: &Env) -> When {
        let asked = plan.context.asked.iter().filter(|a| self.g.depends_on(item.value, a.value));
        let own: Vec<Rc<Pool>> = asked.map(|a| a.pool.clone()).collect();
        let elsewhere =
            own.first().filter(|first| first.times != pool.times && own.iter().all(|p| p.times == first.times));
        let (pool, at) = match elsewhere {
            None => (pool, at),
            Some(own) => (
                &**own,
                match &own.times {
                    Times::At { times, .. } => eval(&self.g, times[0], env).ok().map(|v| v.values[0]),
                    _ => None,
                },
            ),
        };
        match (at, pool_words(pool)) {
            (Some(t), _) => When::At(t),
            (None, Some(words)) => When::Over(words),
            (None, None) => When::At(end),
        }
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
        let unknown = [left, right].iter().flatten().any(|x| x.is_nan());
        let note = unknown.then(|| "a side of it is not a number".to_string());
        Check { expr: text.into(), at, passed, left, right, note, code: (!passed).then_some(codes::CHECK_FAILED.0) }
    }

    pub(super) fn report_line(&self, plan: &Plan, item: &Item, when: When, seen: &Seen<'_>, env: &mut Env) -> Report {
        let mut report = Report { expr: item.text.clone(), when, value: Values::default(), notes: Vec::new() };
        if let Some(result) = self.as_statistic(plan, item.value).and_then(|k| seen[k]) {
            report.value = Values::from(result);
            report.notes = result.notes.clone();
            return report;
        }
        match eval(&self.g, item.value, env) {
            Ok(value) => {
                let se = self.formula_error(plan, item.value, seen, env);
                report.value = Values { shape: value.shape.clone(), values: value.values, se, edges: Vec::new() };
            }
            Err(e) => report.notes.push(format!("has no value: {e}")),
        }
        report
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn saved(
        &self,
        save: &Save,
        observed: &crate::runtime::Observed,
        observers: &[Observer],
        watch: &Watch,
        grid: &Grid,
        variant: usize,
    ) -> Saved {
        let columns = save.columns.iter().flat_map(|(label, id)| column_names(label, self.g.shape(*id))).collect();
        let times = look_times(observers, watch, grid);
        Saved { variant, path: save.path.clone(), span: save.span, columns, times, recorded: observed.record.clone() }
    }
}

/// The times at which an observer looks.
fn look_times(observers: &[Observer], watch: &Watch, grid: &Grid) -> Vec<f64> {
    let observer = observers.iter().find(|o| std::ptr::eq(&*o.stage.program, &*watch.compiled.program));
    observer.map(|o| o.looks.iter().map(|k| grid.times[*k as usize]).collect()).unwrap_or_default()
}

/// What one look of a statement sees: of a statistic with the statement's times its own look, of another all there is.
fn seen<'a>(
    plan: &Plan,
    found: &'a HashMap<usize, Vec<StatResult>>,
    pool: &Pool,
    look: usize,
) -> Vec<Option<&'a StatResult>> {
    let one = |(index, asked): (usize, &Asked)| {
        let results = found.get(&index)?;
        let own = if asked.pool.times == pool.times { look } else { 0 };
        results.get(own.min(results.len().saturating_sub(1)))
    };
    plan.context.asked.iter().enumerate().map(one).collect()
}

/// The values of the statistics for one look of a statement.
fn fill(env: &mut Env, plan: &Plan, seen: &Seen<'_>) {
    for (asked, result) in plan.context.asked.iter().zip(seen) {
        let Some(result) = result else { continue };
        env.set(asked.value, Array::new(result.shape.clone(), result.values.clone()));
        env.set(asked.se, Array::new(result.shape.clone(), result.se.clone()));
    }
}

/// What a pool takes together, in words.
pub(super) fn pool_words(pool: &Pool) -> Option<String> {
    let times = match &pool.times {
        Times::Over { words, .. } => Some(words.clone()),
        Times::LastSteps { steps, .. } => Some(format!("last {steps} steps")),
        _ => None,
    };
    let words: Vec<String> = times.into_iter().chain(pool.axis_words.iter().cloned()).collect();
    (!words.is_empty()).then(|| words.join(", "))
}
