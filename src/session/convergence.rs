//! `converge`: measured strong and weak orders from coupled paths.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::diagnostics::{Diagnostic, codes};
use crate::kernels::lane::Lane;
use crate::math::eval::eval;
use crate::math::{VarId, VarKind};
use crate::model::elab::{Elab, Try};
use crate::model::system::{AREA_SITE, INTEGRAL_SITE, LEVY_SITE, NOISE_SITE, REST_SITE};
use crate::output::result::{Convergence, RunResult};
use crate::runtime::coupled::{self, CoupledJob, Level, Wiener};
use crate::runtime::noise::Ars5;
use crate::session::compile::{Grid, parameters, stage};
use crate::session::execute::Execution;
use crate::session::figures::gather::Gathered;
use crate::session::plan::{Converge, Plan, Statement, TimeSpec};
use crate::session::results::Ran;
use crate::solve::Step;

/// The reference should be so much finer than the finest level: of an order of one its error is then an eighth of that.
const FINER: u64 = 8;

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
        for k in 0..plan.steps.len() {
            self.begin_part(plan, k, plan.steps.len(), &[], how);
            let begin = std::time::Instant::now();
            let total: u64 = converge.steps.iter().sum::<u64>() + converge.reference;
            let (init, step) = self.dynamics::<T>(plan, k, None, how.build())?;
            let compile_seconds = begin.elapsed().as_secs_f64();
            let step = step.expect("a run with steps has a step");
            let g = Arc::new(self.g.clone());
            let clock = self.clock();
            let level = |n: u64| {
                let grid = Grid::equal(a, b, n);
                stage(&g, &step, &params, clock, &grid, false).map(|stage| Level { stage, steps: n })
            };
            let mut levels = Vec::new();
            for n in converge.steps.iter().chain([&converge.reference]) {
                match level(*n) {
                    Ok(l) => levels.push(l),
                    Err(reason) => return self.error(codes::BAD_SETTING, reason, span, "needed for this"),
                }
            }
            let reference = levels.pop().expect("the reference is last");
            let mut starts = Vec::new();
            for n in converge.steps.iter().chain([&converge.reference]) {
                match stage(&g, &init, &params, clock, &Grid::equal(a, b, *n), false) {
                    Ok(s) => starts.push(s),
                    Err(reason) => return self.error(codes::BAD_SETTING, reason, span, "needed for this"),
                }
            }
            let mut start = starts[0].clone();
            start.rows = Arc::new(move |level| (starts[level.start as usize].rows)(0..1));
            let flowing: Vec<VarId> = plan.model.states.iter().filter(|s| s.flow.is_some()).map(|s| s.var).collect();
            let rows = init
                .program
                .states
                .iter()
                .filter(|s| flowing.contains(&s.var))
                .flat_map(|s| s.first_row..s.first_row + s.shape.iter().product::<usize>())
                .collect();
            let wiener = (0u32..).zip(&plan.model.noises).map(|(n, noise)| Wiener {
                sites: [NOISE_SITE, INTEGRAL_SITE, AREA_SITE].map(|first| first + n),
                dims: noise.shape.iter().product(),
            });
            // What is met over parts of a step, and the rest of it, comes from Brownian paths.
            let trees = (!plan.steps[k].parts.is_empty()).then(|| {
                let all = converge.steps.iter().chain([&converge.reference]);
                all.map(|n| self.tree_noise(plan, k, &Grid::equal(a, b, *n), &params)).collect()
            });
            let job = CoupledJob {
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
                deterministic,
                noise: Arc::new(Ars5),
                trees,
                spent: converge.steps.iter().map(|_| Default::default()).collect(),
            };
            let found = match coupled::run(&job, how.control()) {
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
            for order in plan.context.orders.iter().filter(|o| o.solver == plan.steps[k].solver) {
                let estimate = if order.strong { found.strong_order } else { found.weak_order };
                env.set(order.value, estimate.value);
                env.set(order.se, estimate.se);
            }
            let mut convergence = Convergence::from(&found);
            for (level, spent) in convergence.levels.iter_mut().zip(&job.spent) {
                let [time, counted] = [0, 1].map(|k| spent[k].load(Ordering::Relaxed) as f64);
                level.cost = time * 1e-9 / counted * level.steps as f64;
            }
            ran.variants.push(RunResult {
                name: plan.name.clone(),
                model: plan.model.name.clone(),
                solver: Some(plan.steps[k].solver.clone()),
                paths: found.finished,
                steps: converge.reference,
                seed: plan.seed,
                precision: plan.precision,
                seconds: begin.elapsed().as_secs_f64() - compile_seconds,
                compile_seconds,
                path_steps_per_second: found.finished as f64 * total as f64 / begin.elapsed().as_secs_f64().max(1e-9),
                diverged: found.reference_diverged,
                converge: Some(convergence),
                ..RunResult::default()
            });
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

    /// Refuses steps with Wiener integrals over a part of the step: what they share with other step sizes is not known.
    fn couples(&mut self, step: &Step, converge: &Converge) -> Try<()> {
        let Some(part) = step.part_of_step else { return Ok(()) };
        self.fail(
            Diagnostic::error(
                codes::SOLVER_MISFIT,
                format!(
                    "the order of `{}` cannot be measured: it integrates the noise over a part of a step, which paths of \
                     other step sizes do not know",
                    step.solver
                ),
                converge.span,
                "asked for here",
            )
            .label(part, "this integral"),
        )
    }
}
