//! `expect` and `invariant` in the statements of a run: numbers that no path is needed for.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::calculus::invariance;
use crate::calculus::structure::probe;
use crate::diagnostics::{Diagnostic, codes};
use crate::math::array::Array;
use crate::math::eval::Env;
use crate::math::{Id, Ty, VarId, VarKind};
use crate::model::elab::{Elab, Try};
use crate::model::quadrature::{Density, Quadrature, in_the_plane, on_the_line};
use crate::model::results::Expectation;
use crate::model::statistics::StatKind;
use crate::runtime::noise::Ars5;
use crate::runtime::points::Function;
use crate::runtime::{Control, Job, Observer, Request, StatResult, engine};
use crate::session::compile::{Compiled, Grid, stage};
use crate::session::execute::Execution;
use crate::session::plan::Plan;
use crate::source::Span;
use crate::step::Spec;

/// Exact draws for an expectation that has no quadrature.
const DRAWS: u64 = 100_000;

/// A quadrature is exact when its errors are below this share of the expectation of the absolute value.
const EXACT: f64 = 1e-7;
/// Beyond this share it says nothing; between the two it is told with its error.
const OPEN: f64 = 1e-2;
/// What lies behind the ends of the space is no more than this of an expectation that exists, for all that can be seen.
const BEHIND: f64 = 1e-3;

/// What a quadrature is worth.
enum Verdict {
    /// with errors, zero where it is exact
    Known(Vec<f64>),
    /// it has not converged
    Open,
    /// too much lies where no numbers reach
    Behind,
}

impl Verdict {
    fn of(q: &Quadrature) -> Verdict {
        let mut errors = Vec::new();
        let mut open = q.atoms || q.log_mass == f64::NEG_INFINITY;
        for k in 0..q.value.len() {
            let (error, size) = (q.error[k], q.absolute[k]);
            if q.behind[k] > BEHIND * size {
                return Verdict::Behind;
            }
            open |= !(q.value[k].is_finite() && error <= OPEN * size);
            errors.push(if error <= EXACT * size { 0.0 } else { error });
        }
        if open { Verdict::Open } else { Verdict::Known(errors) }
    }
}

/// A law by its density at a point.
#[derive(Copy, Clone)]
pub(super) struct Over<'a> {
    pub shape: &'a [usize],
    pub point: VarId,
    pub log_density: Id,
}

/// A target's density and a function of its points, compiled.
struct OverTarget {
    log: Function,
    all: Function,
    components: usize,
}

impl<const D: usize> Density<D> for OverTarget {
    fn components(&self) -> usize {
        self.components
    }

    fn log(&mut self, points: &[[f64; D]]) -> Vec<f64> {
        self.log.at(points).swap_remove(0)
    }

    fn all(&mut self, points: &[[f64; D]]) -> Vec<Vec<f64>> {
        self.all.at(points)
    }
}

impl Elab<'_> {
    /// Expectations under targets: by quadrature up to two dimensions, beyond by exact draws.
    pub(super) fn expectations(&mut self, plan: &Plan, how: Execution<'_>, env: &mut Env) -> Try<()> {
        for (k, e) in plan.context.expectations.iter().enumerate() {
            let size: usize = e.target.shape.iter().product();
            if let (true, Some(draw)) = (size > 2, e.draw) {
                let found = self.by_draws(plan, how, e, draw, k as u64 + 1, env)?;
                env.set(e.value, Array::new(found.shape.clone(), found.values));
                env.set(e.se, Array::new(found.shape, found.se));
                continue;
            }
            let over = Over { shape: &e.target.shape, point: e.point, log_density: e.log_density };
            let q = self.by_quadrature(over, e.integrand, e.span, how, env)?;
            let shape = self.g.shape(e.integrand).to_vec();
            if how.stop.load(Ordering::Relaxed) {
                let unknown = Array::new(shape, vec![f64::NAN; q.value.len()]);
                env.set(e.se, unknown.clone());
                env.set(e.value, unknown);
                continue;
            }
            match (Verdict::of(&q), e.draw) {
                (Verdict::Known(error), _) => {
                    env.set(e.se, Array::new(shape.clone(), error));
                    env.set(e.value, Array::new(shape, q.value));
                }
                (Verdict::Open, Some(draw)) => {
                    let found = self.by_draws(plan, how, e, draw, k as u64 + 1, env)?;
                    env.set(e.value, Array::new(found.shape.clone(), found.values));
                    env.set(e.se, Array::new(found.shape, found.se));
                }
                (verdict, _) => return self.no_expectation(e, &q, verdict),
            }
        }
        Ok(())
    }

    fn no_expectation<T>(&mut self, e: &Expectation, q: &Quadrature, verdict: Verdict) -> Try<T> {
        let message = format!("the expectation under `{}` cannot be worked out", e.target.name);
        let d = match verdict {
            Verdict::Behind => Diagnostic::error(codes::BAD_STATISTIC, message, e.span, "may have no finite value")
                .note(
                    "a good part of the integral lies where no numbers reach: in a tail that falls too slowly, or at a \
                     pole of the density",
                )
                .help("take a function that grows less, or a median or another quantile of draws"),
            _ if q.atoms => Diagnostic::error(codes::BAD_STATISTIC, message, e.span, "its law is discrete")
                .note("laws of single integers are summed; others must be such that they can be drawn from"),
            _ if q.log_mass == f64::NEG_INFINITY => {
                Diagnostic::error(codes::BAD_STATISTIC, message, e.span, "no density was found")
                    .note("the density was looked at on grids over many scales, and is nothing at all their points")
            }
            _ => {
                let worst = q.error.iter().zip(&q.absolute).map(|(e, a)| e / a).fold(0.0, f64::max);
                Diagnostic::error(codes::BAD_STATISTIC, message, e.span, "the quadrature has not converged")
                    .note(format!("its relative error may be {worst:.0e}, after as many points as it takes"))
                    .help("write the target so that it can be drawn from, or report a mean over a run")
            }
        };
        self.fail(d)
    }

    /// The mean over exact draws, with its standard error. The draws have a stream of their own, so they are independent
    /// of the run's paths.
    fn by_draws(
        &mut self,
        plan: &Plan,
        how: Execution<'_>,
        e: &Expectation,
        draw: Id,
        stream: u64,
        env: &Env,
    ) -> Try<StatResult> {
        let state = self.g.new_var("x", VarKind::State, Ty::Real, e.target.shape.clone());
        let x = self.g.var(state);
        let integrand = self.g.substitute_vars(&[e.integrand], &[(e.point, x)])[0];
        let states = vec![state];
        let init = Spec { states: states.clone(), renew: vec![(state, draw)], outs: Vec::new() };
        let observe = Spec { states, renew: Vec::new(), outs: vec![integrand] };
        let (init, observe) =
            (self.compiled(&init, how.build(), e.span)?, self.compiled(&observe, how.build(), e.span)?);
        let (g, clock) = (Arc::new(self.g.clone()), self.clock());
        let grid = Grid::new(vec![0.0]);
        let stage = |compiled: &Compiled, observer: bool| stage(&g, compiled, env, clock, &grid, observer);
        let (Ok(init), Ok(observe)) = (stage(&init, false), stage(&observe, true)) else {
            return self.error(codes::BAD_SETTING, "this expectation cannot be worked out", e.span, "asked for here");
        };
        let request = Request::of(StatKind::Mean, 0);
        let job = Job {
            init,
            step: None,
            observers: vec![Observer { stage: observe, looks: vec![0], requests: vec![request], record_first: 0 }],
            grid: grid.times.to_vec(),
            first_path: 0,
            paths: DRAWS,
            seed: plan.seed,
            stream,
            threads: plan.threads(),
            noise: Arc::new(Ars5),
            adaptive: None,
            lanes: None,
        };
        let mut outcome = engine::run(&job, Control { stop: Some(how.stop), progress: None });
        Ok(outcome.observed.remove(0).results.remove(0).remove(0))
    }

    /// The quadrature, over compiled code for the density and the integrand.
    pub(super) fn by_quadrature(
        &mut self,
        over: Over<'_>,
        integrand: Id,
        span: Span,
        how: Execution<'_>,
        env: &Env,
    ) -> Try<Quadrature> {
        let state = self.g.new_var("x", VarKind::State, Ty::Real, over.shape.to_vec());
        let x = self.g.var(state);
        let components = self.g.shape(integrand).iter().product();
        let [log, integrand] = self.g.substitute_vars(&[over.log_density, integrand], &[(over.point, x)])[..] else {
            unreachable!("two nodes, two results")
        };
        let spec = |outs: Vec<Id>| Spec { states: vec![state], renew: Vec::new(), outs };
        let log_alone = self.function(&spec(vec![log]), how, span, env)?;
        let all = self.function(&spec(vec![log, integrand]), how, span, env)?;
        let mut density = OverTarget { log: log_alone, all, components };
        Ok(if over.shape.iter().product::<usize>() <= 1 {
            on_the_line(&mut density, how.stop)
        } else {
            in_the_plane(&mut density, how.stop)
        })
    }

    pub(super) fn function(&mut self, spec: &Spec, how: Execution<'_>, span: Span, env: &Env) -> Try<Function> {
        let compiled = self.compiled(spec, how.build(), span)?;
        match stage(&Arc::new(self.g.clone()), &compiled, env, self.clock(), &Grid::new(vec![0.0]), true) {
            Ok(stage) => Ok(Function::new(stage)),
            Err(reason) => {
                let message = format!("this expectation cannot be worked out: {reason}");
                self.error(codes::BAD_SETTING, message, span, "asked for here")
            }
        }
    }

    /// Invariance of targets under models, with a sentence about each.
    pub(super) fn invariances(&mut self, plan: &Plan, env: &mut Env, notes: &mut HashMap<VarId, String>) -> Try<()> {
        for i in &plan.context.invariances {
            let system = self.system_of(&i.model);
            let parts: Vec<Id> = system.state_vars().into_iter().map(|v| self.g.var(v)).collect();
            let x = match parts.as_slice() {
                [one] if self.g.shape(*one) == i.target.shape.as_slice() => *one,
                _ => {
                    let flat = system.join(&mut self.g, &parts);
                    self.slice_as(flat, 0, &i.target.shape)
                }
            };
            let logp = self.log_density(&i.target, x, i.span)?;
            let (passed, note) = match invariance::invariant(&mut self.g, &system, logp, env, plan.seed) {
                Ok(answer) => (answer.holds(), self.residual_words(&answer)),
                Err(invariance::NoAnswer::NoPoint) => {
                    (false, "no point was found where the density and the residual are finite".into())
                }
                Err(invariance::NoAnswer::TooLong) => {
                    (false, format!("the residual of the Fokker-Planck equation, {}", probe::too_long()))
                }
                Err(invariance::NoAnswer::Eval(e)) => (false, format!("the residual cannot be worked out: {e}")),
            };
            notes.insert(i.value, note);
            env.set(i.value, f64::from(u8::from(passed)));
        }
        Ok(())
    }

    /// The largest residual and where it is.
    fn residual_words(&self, answer: &invariance::Invariance) -> String {
        if let Some(edge) = &answer.edge {
            let why = if edge.by_noise {
                "the density times the diffusion across it does not vanish there"
            } else {
                "there is a current through it"
            };
            return format!(
                "the support of the density has an edge at {}, and probability leaks through it: {why}",
                self.place_words(&edge.at)
            );
        }
        format!(
            "the largest relative residual of the Fokker-Planck equation over {} points is {:.2e}, at {}",
            answer.points,
            answer.residual,
            self.place_words(&answer.at)
        )
    }

    fn place_words(&self, at: &[(VarId, Array)]) -> String {
        let place: Vec<String> = at
            .iter()
            .map(|(var, value)| {
                let name = &self.g.var_info(*var).name;
                match value.values.as_slice() {
                    [x] => format!("{name} = {x:.4}"),
                    xs => {
                        let shown: Vec<String> = xs.iter().take(4).map(|x| format!("{x:.4}")).collect();
                        format!("{name} = [{}{}]", shown.join(", "), if xs.len() > 4 { ", ..." } else { "" })
                    }
                }
            })
            .collect();
        place.join(", ")
    }
}
