//! `converge`: measured strong and weak orders from coupled paths, and from all outcomes of a step where there are few.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::diagnostics::{Diagnostic, codes};
use crate::kernels::lane::Lane;
use crate::math::eval::{Env, eval};
use crate::math::{Graph, VarId, VarKind};
use crate::model::elab::{Elab, Try};
use crate::model::system::{AREA_SITE, INTEGRAL_SITE, LEVY_SITE, NOISE_SITE, REST_SITE};
use crate::output::number::estimate;
use crate::output::result::{Convergence, Orders, RunResult};
use crate::runtime::coupled::{self, CoupledJob, Level, Wiener};
use crate::runtime::enumerate::{self, Enumerated, Enumeration, Pair};
use crate::runtime::job::Stage;
use crate::runtime::noise::Ars5;
use crate::runtime::ways::{Cuts, Unlisted, Ways};
use crate::session::compile::{Compiled, Grid, parameters, stage};
use crate::session::execute::Execution;
use crate::session::figures::gather::Gathered;
use crate::session::plan::{Converge, Plan, Statement, TimeSpec};
use crate::session::results::Ran;
use crate::solve::Step;
use crate::source::Span;
use crate::step::program::StateSlot;

/// The reference should be so much finer than the finest level: of an order of one its error is then an eighth of that.
const FINER: u64 = 8;

/// An order falls short of what is stated where it is less by so many of its errors and by this.
const CLEAR: f64 = 3.0;
const SHORT_OF: f64 = 0.25;

/// Slopes that differ by more than this, and by more than their errors, are no order.
const UNSETTLED: f64 = 0.6;

/// Steps that are enumerated are also halved so often: that costs little, and the order is one of short steps.
const SHORTER: u32 = 4;

/// What is measured, of all solvers of a run.
struct Measure<'a> {
    plan: &'a Plan,
    converge: &'a Converge,
    how: Execution<'a>,
    params: &'a Env,
    ends: (f64, f64),
    /// of the time
    span: Span,
    deterministic: bool,
}

/// A solver on a model, compiled.
struct Scheme<T> {
    g: Arc<Graph>,
    init: Compiled<T>,
    step: Compiled<T>,
}

/// The slopes of the errors between the longest steps and between the shortest, where they are not the same.
fn unsettled(found: &Convergence) -> Option<[f64; 2]> {
    let points: Vec<(f64, f64, f64)> = match &found.enumerated {
        Some(e) => {
            let clear: Vec<_> = e.levels.iter().filter(|l| !l.rounding).collect();
            // the longest of these are asked for, and the shortest count
            clear[clear.len().saturating_sub(3)..].iter().map(|l| (l.h, l.error, 0.0)).collect()
        }
        None if found.pathless => return None,
        None => found.levels.iter().map(|l| (l.h, l.strong.value, l.strong.se / l.strong.value)).collect(),
    };
    let slope = |w: &[(f64, f64, f64)]| {
        let width = (w[0].0 / w[1].0).ln();
        ((w[0].1 / w[1].1).ln() / width, w[0].2.hypot(w[1].2) / width)
    };
    let slopes: Vec<(f64, f64)> = points.windows(2).map(slope).filter(|s| s.0.is_finite()).collect();
    let (first, last) = (slopes.first()?, slopes.last()?);
    let apart = (first.0 - last.0).abs() > UNSETTLED + CLEAR * first.1.hypot(last.1);
    apart.then_some([first.0, last.0])
}

impl Elab<'_> {
    pub(super) fn converge_run<T: Lane>(
        &mut self,
        plan: &Plan,
        converge: &Converge,
        how: Execution<'_>,
        ran: &mut Ran,
    ) -> Try<()> {
        let params = parameters(self, how.set);
        self.check_values(&params)?;
        let Some(TimeSpec::Ends { from, to, span }) = plan.time.clone() else {
            unreachable!("the plan of a run with `converge` has the ends of a time")
        };
        let ends = (eval(&self.g, from, &params), eval(&self.g, to, &params));
        let (Ok(a), Ok(b)) = ends else {
            return self.error(
                codes::BAD_TIME,
                "the ends of the time cannot be worked out",
                span,
                "not known before the run",
            );
        };
        let (a, b) = (a.values[0], b.values[0]);
        if b <= a {
            return self.error(
                codes::BAD_TIME,
                format!("a run goes from a time to a later one, not from {a} to {b}"),
                span,
                "no such time",
            );
        }
        let random = |id| self.g.vars_of(id).iter().any(|v| matches!(self.g.var_info(*v).kind, VarKind::Draw { .. }));
        let deterministic = plan.model.noises.is_empty() && !plan.model.states.iter().any(|s| random(s.start));
        if plan.paths == 1 && !deterministic {
            return self.fail(
                Diagnostic::error(
                    codes::BAD_SETTING,
                    "orders are measured by means over paths, and this run has one path",
                    converge.span,
                    "asked for here",
                )
                .help("give the run `paths = 1_000` or so"),
            );
        }
        let mut env = params.clone();
        self.expectations(plan, how, &mut env)?;
        if plan.statements.iter().any(|s| matches!(s, Statement::Report { .. } | Statement::Save(_))) {
            ran.notes.push("a run with `converge` measures orders: its reports and files are left out".into());
        }
        for step in &plan.steps {
            self.couples(step, converge)?;
        }
        let finest = converge.steps.iter().copied().max().unwrap_or(1);
        if converge.reference < FINER * finest {
            ran.notes.push(format!(
                "the reference has only {} times the steps of the finest level, and an error of its own: the orders come \
                 out too high; take {} steps or more",
                converge.reference / finest,
                FINER * finest
            ));
        }
        let measure = Measure { plan, converge, how, params: &params, ends: (a, b), span, deterministic };
        let (mut listed, mut pathless) = (Vec::new(), Vec::new());
        for k in 0..plan.steps.len() {
            self.begin_part(plan, k, plan.steps.len(), &[], how);
            let solver = &plan.steps[k].solver;
            let result = self.orders_of::<T>(&measure, k)?;
            let Some(found) = &result.converge else { unreachable!("orders were measured") };
            for order in plan.context.orders.iter().filter(|o| o.solver == *solver) {
                let estimate = if order.strong { found.strong_order } else { found.weak_order };
                env.set(order.value, estimate.value);
                env.set(order.se, estimate.se);
            }
            let stated =
                [("strong", found.strong_order, found.stated.strong), ("weak", found.weak_order, found.stated.weak)];
            for (kind, found, stated) in stated {
                if let Some(stated) = stated
                    && found.value + CLEAR * found.se + SHORT_OF < stated
                {
                    ran.notes.push(format!(
                        "`{solver}` states {kind} order {stated}, and {} was measured",
                        estimate(found.value, found.se)
                    ));
                }
            }
            if let Some([first, last]) = unsettled(found) {
                ran.notes.push(format!(
                    "the errors of `{solver}` fall with a slope of {first:.2} between the longest steps and {last:.2} between the \
                     shortest: no single order describes them, so take shorter steps"
                ));
            }
            match found.enumerated {
                Some(_) => listed.push(format!("`{solver}`")),
                None if found.pathless => pathless.push(format!("`{solver}`")),
                None => {}
            }
            ran.variants.push(result);
        }
        if !pathless.is_empty() {
            ran.notes.push(format!(
                "the noise of a step of {} takes few values and follows no path, so there is no strong order; its outcomes \
                 are too many to list, or it has a memory, and the weak order is one of samples",
                pathless.join(", ")
            ));
        }
        if !listed.is_empty() {
            ran.notes.push(format!(
                "the noise of a step of {} takes few values and follows no path, so there is no strong order; the weak one \
                 compares all outcomes of one step with those of two halves",
                listed.join(", ")
            ));
        }
        ran.plots.extend(plan.statements.iter().filter_map(|s| match s {
            Statement::Plot(plot) => Some(Gathered::of_run(plot, plan.paths)),
            _ => None,
        }));
        ran.time = (a, b, converge.reference);
        env.set(self.time, b);
        ran.finished = plan.paths;
        let last = ran.variants.len().saturating_sub(1);
        for statement in &plan.statements {
            if let Statement::Check { text, condition, sides, .. } = statement {
                let check = self.check_line(text, *condition, *sides, None, &env);
                // A check names its solver; it is told with the variant of that solver, else with the last one.
                let own = plan.context.orders.iter().find(|o| self.g.depends_on(*condition, o.value));
                let at = own.and_then(|o| plan.steps.iter().position(|s| s.solver == o.solver)).unwrap_or(last);
                if let Some(variant) = ran.variants.get_mut(at) {
                    variant.checks.push(check);
                }
            }
        }
        Ok(())
    }

    /// The orders of one solver.
    fn orders_of<T: Lane>(&mut self, measure: &Measure<'_>, k: usize) -> Try<RunResult> {
        let Measure { plan, converge, how, .. } = *measure;
        let begin = Instant::now();
        let (init, step) = self.dynamics::<T>(plan, k, None, how.build())?;
        let step = step.expect("a run with steps has a step");
        let compile_seconds = begin.elapsed().as_secs_f64();
        let scheme = Scheme { g: Arc::new(self.g.clone()), init, step };
        let job = self.coupled_job(measure, k, &scheme)?;
        let stated = plan.steps[k].orders;
        let stated = Orders { strong: stated.strong, weak: stated.weak };
        let mut result = RunResult {
            name: plan.name.clone(),
            model: plan.model.name.clone(),
            solver: Some(plan.steps[k].solver.clone()),
            steps: converge.reference,
            seed: plan.seed,
            precision: plan.precision,
            compile_seconds,
            ..RunResult::default()
        };
        let begin = Instant::now();
        let listed = self.enumerated(measure, &scheme, &job);
        if let Ok(found) = &listed {
            result.paths = found.starts as u64;
            result.steps = 1;
            result.converge = Some(Convergence { stated, ..Convergence::from(found) });
            result.seconds = begin.elapsed().as_secs_f64();
            return Ok(result);
        }
        let mut found = match coupled::run(&job, how.control()) {
            Ok(found) => found,
            Err(reason) => {
                return self.fail(Diagnostic::error(
                    codes::SOLVER_MISFIT,
                    format!("the order of `{}` cannot be measured: {reason}", plan.steps[k].solver),
                    converge.span,
                    "asked for here",
                ));
            }
        };
        if let Err(Unlisted::Many(_) | Unlisted::Remembered) = listed {
            found.follows_no_path();
        }
        let mut convergence = Convergence { stated, ..Convergence::from(&found) };
        for (level, spent) in convergence.levels.iter_mut().zip(&job.spent) {
            level.cost = spent.load(Ordering::Relaxed) as f64 * 1e-15 * level.steps as f64;
        }
        let total: u64 = converge.steps.iter().sum::<u64>() + converge.reference;
        result.paths = found.finished;
        result.seconds = begin.elapsed().as_secs_f64();
        result.path_steps_per_second = found.finished as f64 * total as f64 / result.seconds.max(1e-9);
        result.diverged = found.reference_diverged;
        result.converge = Some(convergence);
        Ok(result)
    }

    /// Coupled paths of one solver at all levels.
    fn coupled_job<T: Lane>(&mut self, measure: &Measure<'_>, k: usize, scheme: &Scheme<T>) -> Try<CoupledJob<T>> {
        let Measure { plan, converge, params, ends: (a, b), .. } = *measure;
        let counts: Vec<u64> = converge.steps.iter().copied().chain([converge.reference]).collect();
        let (mut levels, mut starts) = (Vec::new(), Vec::new());
        for steps in &counts {
            let grid = Grid::equal(a, b, *steps);
            levels.push(Level { stage: self.stage_of(measure, &scheme.g, &scheme.step, &grid)?, steps: *steps });
            starts.push(self.stage_of(measure, &scheme.g, &scheme.init, &grid)?);
        }
        let reference = levels.pop().expect("the reference is last");
        let mut start = starts[0].clone();
        start.rows = Arc::new(move |level| (starts[level.start as usize].rows)(0..1));
        let flowing: Vec<VarId> = plan.model.states.iter().filter(|s| s.flow.is_some()).map(|s| s.var).collect();
        let moved = scheme.init.program.states.iter().filter(|s| flowing.contains(&s.var));
        let rows = moved.flat_map(|s| s.first_row..s.first_row + s.shape.iter().product::<usize>()).collect();
        let wiener = (0u32..).zip(&plan.model.noises).map(|(n, noise)| Wiener {
            sites: [NOISE_SITE, INTEGRAL_SITE, AREA_SITE].map(|first| first + n),
            dims: noise.shape.iter().product(),
        });
        // What is met over parts of a step, and the rest of it, comes from Brownian paths.
        let trees = (!plan.steps[k].parts.is_empty())
            .then(|| counts.iter().map(|n| self.tree_noise(plan, k, &Grid::equal(a, b, *n), params)).collect());
        Ok(CoupledJob {
            init: start,
            levels,
            reference,
            wiener: wiener.collect(),
            levy: LEVY_SITE,
            own: REST_SITE,
            rows,
            span: b - a,
            paths: plan.paths,
            seed: plan.seed,
            stream: 0,
            threads: plan.threads(),
            deterministic: measure.deterministic,
            noise: Arc::new(Ars5),
            trees,
            spent: converge.steps.iter().map(|_| AtomicU64::new(u64::MAX)).collect(),
        })
    }

    fn stage_of<T: Lane>(
        &mut self,
        measure: &Measure<'_>,
        g: &Arc<Graph>,
        compiled: &Compiled<T>,
        grid: &Grid,
    ) -> Try<Stage<T>> {
        match stage(g, compiled, measure.params, self.clock(), grid, false) {
            Ok(stage) => Ok(stage),
            Err(reason) => self.error(codes::BAD_SETTING, reason, measure.span, "needed for this"),
        }
    }

    /// Weak errors of steps of the lengths of all levels, and of some shorter ones, without sampling, if the draws of a step
    /// take few values.
    fn enumerated<T: Lane>(
        &mut self,
        measure: &Measure<'_>,
        scheme: &Scheme<T>,
        job: &CoupledJob<T>,
    ) -> Result<Enumerated, Unlisted> {
        let memory = |s: &StateSlot| s.renewed && !job.rows.contains(&s.first_row);
        let coarsest = job.levels.iter().enumerate().min_by_key(|(_, level)| level.steps);
        let (None, Some((at, coarsest))) = (&job.trees, coarsest) else { return Err(Unlisted::Continuous) };
        let walked = coarsest.steps / 2;
        let key = (job.seed, job.stream);
        let starts = enumerate::starts((&job.init, at as u64), &coarsest.stage, walked, &*job.noise, key);
        if scheme.step.program.states.iter().any(memory) {
            return match Ways::of(&coarsest.stage, &starts, &mut Cuts::default()) {
                Ok(_) | Err(Unlisted::Many(_)) => Err(Unlisted::Remembered),
                Err(other) => Err(other),
            };
        }
        let time = measure.ends.0 + job.span * walked as f64 / coarsest.steps as f64;
        let mut counts: Vec<u64> = measure.converge.steps.clone();
        counts.sort_unstable();
        let finest = counts.last().copied().unwrap_or(1);
        counts.extend((1..=SHORTER).map(|k| finest << k));
        let mut pairs = Vec::new();
        for steps in counts {
            let h = job.span / steps as f64;
            let mut part = |steps: u64| {
                let stage = self.stage_of(measure, &scheme.g, &scheme.step, &Grid::equal(time, time + h, steps));
                stage.map_err(|_| Unlisted::Continuous)
            };
            pairs.push(Pair { h, whole: part(1)?, halves: part(2)? });
        }
        enumerate::run(&Enumeration { starts, pairs, rows: &job.rows, span: job.span })
    }

    /// Refuses steps with Wiener integrals over a part of the step: what they share with other step sizes is not known.
    fn couples(&mut self, step: &Step, converge: &Converge) -> Try<()> {
        let Some(part) = step.part_of_step else { return Ok(()) };
        self.fail(
            Diagnostic::error(
                codes::SOLVER_MISFIT,
                format!(
                    "the order of `{}` cannot be measured: it integrates the noise over a part of a step that is not \
                     fixed, or with weights that are not polynomials, which paths of other step sizes do not know",
                    step.solver
                ),
                converge.span,
                "asked for here",
            )
            .label(part, "this integral"),
        )
    }
}
