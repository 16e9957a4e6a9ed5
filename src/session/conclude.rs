//! When a run is over: the numbers of its statements, from the statistics that were gathered.

use std::collections::HashMap;

use crate::math::array::Array;
use crate::math::eval::{Env, eval};
use crate::math::Id;
use crate::model::elab::{Elab, Try};
use crate::model::results::{Pool, Times};
use crate::output::paths::column_names;
use crate::output::result::{Check, Report, RunResult, Values, When};
use crate::runtime::{Job, Outcome, StatResult};
use crate::session::compile::Grid;
use crate::session::execute::{Programs, Watch};
use crate::session::plan::{Plan, Save, Statement};
use crate::session::results::{Ran, Saved};

impl Elab<'_> {
    #[allow(clippy::too_many_arguments)]
    pub(super) fn conclude(
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
    pub(super) fn report_line(
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
    pub(super) fn propagated(&mut self, plan: &Plan, value: Id, env: &Env) -> Option<f64> {
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
    pub(super) fn saved(
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
