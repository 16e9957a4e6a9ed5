//! Executing a plan: one job for each variant, then the numbers of its statements.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use crate::diagnostics::{Diagnostic, codes};
use crate::kernels::lane::{Lane, Precision};
use crate::math::eval::Env;
use crate::math::{Graph, Id, Op, VarId};
use crate::model::elab::{Elab, Reported, Try};
use crate::model::results::{Asked, Pool, Times};
use crate::model::statistics::StatKind;
use crate::output::result::RunResult;
use crate::runtime::noise::{Ars5, NoiseSource};
use crate::runtime::progress::Part;
use crate::runtime::wiener::TreeNoise;
use crate::runtime::{Control, Job, Observer, Progress, Request, Stage, engine};
use crate::session::adaptive::ClockStates;
use crate::session::compile::{Backend, Build, Clock, Compiled, Grid, NoCode, compile, parameters, stage};
use crate::session::plan::{Noise, Plan, Statement};
use crate::session::results::Ran;
use crate::solve::Step;
use crate::source::Span;
use crate::step::Spec;

/// How a run is executed.
#[derive(Clone, Copy)]
pub struct Execution<'a> {
    pub backend: Backend,
    pub lanes: Option<usize>,
    pub stop: &'a AtomicBool,
    pub set: &'a [(usize, f64)],
    pub progress: Option<&'a Progress>,
}

impl<'a> Execution<'a> {
    /// How the runtime is watched and stopped.
    pub(super) fn control(self) -> Control<'a> {
        Control { stop: Some(self.stop), progress: self.progress }
    }

    /// How its code is made.
    pub(super) fn build(self) -> Build<'a> {
        Build { backend: self.backend, stop: Some(self.stop) }
    }
}

/// The programs of a plan: starts and steps for each solver, and what looks at the states.
pub(super) struct Programs<T> {
    pub init: Vec<Compiled<T>>,
    pub step: Vec<Option<Compiled<T>>>,
    /// of each solver, where paths choose their steps
    pub clocks: Vec<Option<ClockStates>>,
    pub observers: Vec<Vec<Watch>>,
}

/// An observer before it has a grid: one pool, or the paths that a `save` or a plot keeps.
pub(super) struct Watch {
    pub compiled: Compiled,
    pub pool: Arc<Pool>,
    /// indices of what was asked, in the order of the requests
    pub asked: Vec<usize>,
    pub requests: Vec<Request>,
    /// the statement whose paths are kept
    pub keeps: Option<usize>,
}

impl Plan {
    /// What a reader should know of probabilities and quantiles by solvers that have a weak order alone.
    fn of_laws_by_moments(&self) -> Option<String> {
        let of_law =
            |stat: &StatKind| matches!(stat, StatKind::Quantile { .. } | StatKind::Prob | StatKind::Histogram { .. });
        let asked = self.context.asked.iter().find(|a| of_law(&a.stat))?;
        let weak = self.steps.iter().filter(|s| s.orders.strong.is_none() && s.orders.weak.is_some());
        let names: Vec<String> = weak.map(|s| format!("`{}`", s.solver)).collect();
        (!names.is_empty()).then(|| {
            format!(
                "{} has a weak order alone: that is of means of smooth functions, and `{}` is none; increments of few values \
                 put all paths on few points, which its standard error does not see",
                names.join(", "),
                asked.stat.name()
            )
        })
    }
}

impl Elab<'_> {
    /// Runs a plan.
    pub fn execute(&mut self, plan: &Plan, how: Execution<'_>) -> Try<Ran> {
        let mut ran = Ran {
            name: plan.name.clone(),
            planned_paths: plan.paths,
            precision: plan.precision,
            data: self.data_cache.hashes.clone(),
            settings: plan.settings.clone(),
            parameters: self.parameters_of(plan, how.set),
            ..Ran::default()
        };
        ran.notes.extend(plan.steps.iter().filter_map(|s| s.why.clone()));
        ran.notes.extend(plan.of_laws_by_moments());
        match plan.precision {
            Precision::Double => self.execute_in::<f64>(plan, how, &mut ran)?,
            Precision::Single => self.execute_in::<f32>(plan, how, &mut ran)?,
        }
        // of each point of the sweeps, the solvers in their order
        for (variant, title) in ran.variants.iter_mut().zip(plan.titles.iter().cycle()) {
            variant.solver = Some(title.clone());
        }
        Ok(ran)
    }

    /// Runs a plan with states and steps of type `T`.
    fn execute_in<T: Lane>(&mut self, plan: &Plan, how: Execution<'_>, ran: &mut Ran) -> Try<()> {
        if let Some(converge) = &plan.converge {
            return self.converge_run::<T>(plan, converge, how, ran);
        }
        let begin = Instant::now();
        let programs = self.programs::<T>(plan, how.build())?;
        let compile_seconds = begin.elapsed().as_secs_f64();
        let g = Arc::new(self.g.clone());
        let combinations = combinations(&plan.sweeps);
        let of = combinations.len() * programs.init.len();
        for combination in combinations {
            for solver in 0..programs.init.len() {
                self.begin_part(plan, ran.variants.len(), of, &combination, how);
                let set: Vec<(usize, f64)> = how.set.iter().chain(&combination).copied().collect();
                let mut variant = self.variant(plan, &programs, solver, &g, &set, &combination, how, ran)?;
                variant.compile_seconds = compile_seconds;
                let stopped = variant.interrupted;
                ran.variants.push(variant);
                if stopped {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// A program with its code. One that was stopped is told of by nobody: who stopped it knows.
    pub(super) fn compiled<T: Lane>(&mut self, spec: &Spec, build: Build<'_>, span: Span) -> Try<Compiled<T>> {
        match compile(self, spec, build, span) {
            Ok(compiled) => Ok(compiled),
            Err(NoCode::Stopped) => Err(Reported),
            Err(NoCode::Refused(problem)) => self.fail(*problem),
        }
    }

    pub(super) fn programs<T: Lane>(&mut self, plan: &Plan, build: Build<'_>) -> Try<Programs<T>> {
        let mut programs = Programs { init: Vec::new(), step: Vec::new(), clocks: Vec::new(), observers: Vec::new() };
        let count = plan.steps.len().max(1);
        for k in 0..count {
            let clock = plan.tolerance().map(|_| self.clock_states());
            let (init, step) = self.dynamics(plan, k, clock, build)?;
            programs.init.push(init);
            programs.step.push(step);
            programs.clocks.push(clock);
            let watches = self.watches(plan, k, clock, build)?;
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

    pub(super) fn dynamics<T: Lane>(
        &mut self,
        plan: &Plan,
        k: usize,
        clock: Option<ClockStates>,
        build: Build<'_>,
    ) -> Try<(Compiled<T>, Option<Compiled<T>>)> {
        let mut starts = self.starts(plan, k);
        starts.extend(clock.iter().flat_map(|clock| self.clock_starts(*clock)));
        let states: Vec<VarId> = starts.iter().map(|s| s.0).collect();
        let init =
            self.compiled(&Spec { states: states.clone(), renew: starts, outs: Vec::new() }, build, plan.model.span)?;
        let step = match plan.steps.get(k) {
            Some(step) => {
                let span = plan.model.states.iter().find_map(|s| s.flow_span).unwrap_or(plan.span);
                let renew = self.renewals(plan, step, clock);
                Some(self.compiled(&Spec { states, renew, outs: Vec::new() }, build, span)?)
            }
            None => None,
        };
        Ok((init, step))
    }

    /// What a step renews, by the clock of the run or of each lane.
    pub(super) fn renewals(&mut self, plan: &Plan, step: &Step, clock: Option<ClockStates>) -> Vec<(VarId, Id)> {
        match (clock, plan.tolerance()) {
            (Some(clock), Some((tol, _))) => self.adaptive_renewals(step, clock, tol),
            _ => step.renew.clone(),
        }
    }

    /// Observers: one for each pool of times, and one for each `save`.
    fn watches(&mut self, plan: &Plan, k: usize, clock: Option<ClockStates>, build: Build<'_>) -> Try<Vec<Watch>> {
        let mut states: Vec<VarId> = self.starts(plan, k).iter().map(|s| s.0).collect();
        states.extend(clock.iter().flat_map(|clock| self.clock_starts(*clock)).map(|s| s.0));
        let mut groups: Vec<(Arc<Pool>, Vec<usize>)> = Vec::new();
        for (index, asked) in plan.context.asked.iter().enumerate() {
            match groups.iter_mut().find(|(pool, _)| pool.times == asked.pool.times) {
                Some((_, list)) => list.push(index),
                None => groups.push((Arc::new((*asked.pool).clone()), vec![index])),
            }
        }
        let replicated = self.replicated(plan);
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
                    replicates: replicated[*index],
                });
            }
            let span = plan.context.asked[list[0]].span;
            let compiled = self.compiled(&Spec { states: states.clone(), renew: Vec::new(), outs }, build, span)?;
            watches.push(Watch { compiled, pool, asked: list, requests, keeps: None });
        }
        for (index, statement) in plan.statements.iter().enumerate() {
            let (outs, span): (Vec<Id>, Span) = match statement {
                Statement::Save(save) => (save.columns.iter().map(|c| c.1).collect(), save.span),
                Statement::Plot(plot) if !plot.record.is_empty() => (plot.record.clone(), plot.facts.span),
                _ => continue,
            };
            let compiled = self.compiled(&Spec { states: states.clone(), renew: Vec::new(), outs }, build, span)?;
            watches.push(Watch {
                compiled,
                pool: Arc::default(),
                asked: Vec::new(),
                requests: Vec::new(),
                keeps: Some(index),
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

    /// Tells what begins to those who watch.
    pub(super) fn begin_part(&self, plan: &Plan, index: usize, of: usize, sweep: &[(usize, f64)], how: Execution<'_>) {
        let Some(progress) = how.progress else { return };
        let values = sweep.iter().map(|(k, v)| format!(", {} = {v}", self.params[*k].name));
        let name = plan.name.clone() + &values.collect::<String>();
        progress.begin(Part { name, index: index as u64, of: of as u64 });
    }

    #[allow(clippy::too_many_arguments)]
    fn variant<T: Lane>(
        &mut self,
        plan: &Plan,
        programs: &Programs<T>,
        solver: usize,
        g: &Arc<Graph>,
        set: &[(usize, f64)],
        sweep: &[(usize, f64)],
        how: Execution<'_>,
        ran: &mut Ran,
    ) -> Try<RunResult> {
        let params = parameters(self, set);
        let (job, grid) = self.job(plan, programs, solver, g, &params, how.lanes)?;
        let outcome = engine::run(&job, how.control());
        let watches = &programs.observers[solver];
        self.conclude(plan, watches, solver, &job.observers, &outcome, &grid, params, sweep, how, ran)
    }

    /// The job of a variant, with its grid.
    pub(super) fn job<T: Lane>(
        &mut self,
        plan: &Plan,
        programs: &Programs<T>,
        solver: usize,
        g: &Arc<Graph>,
        params: &Env,
        lanes: Option<usize>,
    ) -> Try<(Job<T>, Grid)> {
        self.check_values(params)?;
        let grid = self.grid(plan, params)?;
        let clock = self.clock();
        let make = Making { g, params, clock, grid: &grid };
        let mut observers = Vec::new();
        for watch in &programs.observers[solver] {
            let (looks, first) = match watch.keeps.map(|index| &plan.statements[index]) {
                Some(Statement::Save(save)) => (self.save_looks(save, &grid, params)?, save.first),
                Some(Statement::Plot(plot)) => {
                    let looks = self.plot_looks(plot, &grid, params)?;
                    let first = plot.first(looks.len());
                    (looks, first)
                }
                _ => (self.looks(&watch.pool, &grid, params)?, 0),
            };
            let record_first = first.min(plan.paths);
            observers.push(Observer {
                stage: make.stage(self, &watch.compiled, true, plan.span)?,
                looks,
                requests: watch.requests.clone(),
                record_first,
            });
        }
        let job = Job {
            init: make.stage(self, &programs.init[solver], false, plan.model.span)?,
            step: match &programs.step[solver] {
                Some(step) => Some(make.stage(self, step, false, plan.span)?),
                None => None,
            },
            observers,
            grid: grid.times.to_vec(),
            first_path: 0,
            paths: plan.paths,
            seed: plan.seed,
            stream: 0,
            threads: plan.threads(),
            noise: self.noise_source(plan, solver, &grid, params),
            adaptive: match (programs.clocks[solver], &programs.step[solver]) {
                (Some(clock), Some(step)) => Some(self.adaptive_job(plan, solver, clock, &step.program, params)),
                _ => None,
            },
            lanes: lanes.map(|n| n.max(T::PRECISION.lane_multiple())),
        };
        Ok((job, grid))
    }

    /// Where the draws of a run on a grid come from. (Adaptive steps ask the paths themselves.)
    pub(super) fn noise_source(&self, plan: &Plan, k: usize, grid: &Grid, params: &Env) -> Arc<dyn NoiseSource> {
        if let Some(replay) = &plan.replay {
            return replay.clone();
        }
        match plan.noise {
            Noise::Tree if plan.tolerance().is_none() => Arc::new(self.tree_noise(plan, k, grid, params)),
            _ => Arc::new(Ars5),
        }
    }

    /// Noise from Brownian paths for the steps of the k-th solver on a grid.
    pub(super) fn tree_noise(&self, plan: &Plan, k: usize, grid: &Grid, params: &Env) -> TreeNoise {
        TreeNoise { sites: plan.wiener_sites(k, &self.g, params), times: grid.times.clone() }
    }

    pub(super) fn clock(&self) -> Clock {
        Clock { time: self.time, time_next: self.time_next, dt: self.dt, step_index: self.step_index }
    }
}

/// What tables are made from.
struct Making<'a> {
    g: &'a Arc<Graph>,
    params: &'a Env,
    clock: Clock,
    grid: &'a Grid,
}

impl Making<'_> {
    fn stage<T: Lane>(&self, elab: &mut Elab<'_>, compiled: &Compiled<T>, observer: bool, span: Span) -> Try<Stage<T>> {
        match stage(self.g, compiled, self.params, self.clock, self.grid, observer) {
            Ok(stage) => Ok(stage),
            Err(reason) => elab.error(
                codes::BAD_SETTING,
                format!("a value of this run cannot be worked out: {reason}"),
                span,
                "needed for this",
            ),
        }
    }
}

/// All points of the sweeps, the last one running fastest.
pub(super) fn combinations(sweeps: &[(usize, Vec<f64>)]) -> Vec<Vec<(usize, f64)>> {
    let mut all = vec![Vec::new()];
    for (k, values) in sweeps {
        all = all
            .iter()
            .flat_map(|c| values.iter().map(move |v| c.iter().copied().chain([(*k, *v)]).collect()))
            .collect();
    }
    all
}
