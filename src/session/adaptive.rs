//! Runs whose paths choose their own steps: what they cannot have, and what they are made of.

use crate::diagnostics::{Diagnostic, codes};
use crate::math::eval::{Env, eval};
use crate::math::{Graph, Id, Ty, VarId, VarKind};
use crate::model::elab::{Elab, Try};
use crate::model::results::{Pool, Times};
use crate::model::system::{AREA_SITE, INTEGRAL_SITE, LEVY_SITE, NOISE_SITE, REST_SITE, RULE_SITE, START_SITE};
use crate::runtime::adaptive::{Adaptive, ClockRows};
use crate::runtime::wiener::WienerSites;
use crate::session::compile::{Grid, MAX_STEPS};
use crate::session::plan::{Noise, Plan, Save, Statement, TimeSpec};
use crate::solve::form::{Form, NoiseClass};
use crate::solve::rule::Step;
use crate::source::Span;
use crate::step::Program;

/// Times that are closer than this part of the run are one.
const SAME: f64 = 1e-9;

/// Times that a statement may ask an adaptive run for.
const MOST_LOOKS: f64 = 1e6;

/// Times that a plot may have an adaptive run step to.
const MOST_SPREAD: usize = 101;

/// The states by which the code of an adaptive step has a clock for each lane.
#[derive(Copy, Clone, Debug)]
pub(super) struct ClockStates {
    time: VarId,
    next: VarId,
    dt: VarId,
    error: VarId,
}

impl Plan {
    /// The tolerance of a run whose paths choose their steps, and the time that says so.
    pub(super) fn tolerance(&self) -> Option<(Id, Span)> {
        match &self.time {
            Some(TimeSpec::Adaptive { tol, span, .. }) => Some((*tol, *span)),
            _ => None,
        }
    }

    /// Which draws of a step of the k-th solver stand for the noises of the model; the nodes and values of its shares are
    /// those of `g` and `params`. A share that cannot be worked out is one that no program uses.
    pub(super) fn wiener_sites(&self, k: usize, g: &Graph, params: &Env) -> WienerSites {
        let share = |id: Id| eval(g, id, params).map_or(f64::NAN, |v| v.values[0]);
        let parts = self.steps.get(k).map_or(&[][..], |step| &step.parts);
        WienerSites {
            first: [NOISE_SITE, INTEGRAL_SITE, AREA_SITE],
            noises: self.model.noises.len() as u32,
            parts: parts.iter().map(|(turn, ends)| (*turn, ends.map(share))).collect(),
        }
    }
}

/// What a draw is, as far as paths are concerned.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Kind {
    /// W, H or K of a noise
    Areas,
    /// of the path as well, but not known by these
    OfPath(&'static str),
    /// written in the rule, or made for it
    Own,
    Start,
}

fn kind(site: u32) -> Kind {
    match site {
        _ if site < LEVY_SITE => Kind::Areas,
        _ if (LEVY_SITE..START_SITE).contains(&site) => Kind::OfPath("Levy areas"),
        _ if site >= REST_SITE => Kind::OfPath("Wiener integrals that W, H and K do not determine"),
        _ if site < RULE_SITE => Kind::Start,
        _ => Kind::Own,
    }
}

impl Elab<'_> {
    /// What `noise = tree` and adaptive steps ask of the solvers and statements of a plan.
    pub(super) fn check_paths(&mut self, plan: &Plan) -> Try<()> {
        if plan.noise == Noise::Tree || plan.tolerance().is_some() {
            for step in &plan.steps {
                self.check_draws(plan, step)?;
            }
        }
        let Some((_, span)) = plan.tolerance() else { return Ok(()) };
        if let Some(converge) = &plan.converge {
            return self.fail(
                Diagnostic::error(codes::BAD_TIME, "`converge` takes equal steps", span, "steps of a tolerance")
                    .label(converge.span, "the steps are given here")
                    .help("give the ends alone, as in `time = 0 .. 1`"),
            );
        }
        if plan.steps.is_empty() {
            return self.error(codes::BAD_TIME, "a run without a solver has no steps to choose", span, "a tolerance");
        }
        for step in &plan.steps {
            self.check_solver(plan, step, span)?;
        }
        self.check_clock(plan, span)?;
        self.check_pools(plan, span)
    }

    fn draws_of(&self, step: &Step) -> Vec<u32> {
        let ids = step.renew.iter().map(|r| r.1).chain(step.estimate.iter().map(|e| e.error));
        let vars = ids.flat_map(|id| self.g.vars_of(id).iter().copied());
        let site = |v: VarId| match self.g.var_info(v).kind {
            VarKind::Draw { site, .. } => Some(site),
            _ => None,
        };
        vars.filter_map(site).collect()
    }

    /// Where the noise is a path, what a step draws must be known from the path.
    fn check_draws(&mut self, plan: &Plan, step: &Step) -> Try<()> {
        let (adaptive, at) = match plan.tolerance() {
            Some((_, span)) => (true, span),
            None => (false, plan.span),
        };
        for site in self.draws_of(step) {
            let what = match kind(site) {
                Kind::Areas => continue,
                Kind::OfPath(what) => what,
                Kind::Own => "random numbers of its own",
                Kind::Start => continue,
            };
            let message = format!("the step of `{}` draws {what}, which are not a function of the path", step.solver);
            let d = Diagnostic::error(codes::SOLVER_MISFIT, message, at, "the noise of this run is a Brownian path");
            return self.fail(if adaptive {
                d.note("a step that is rejected would draw them anew, and the accepted ones would not have their law")
                    .help("take fixed steps, or a solver that knows the noise by `dW` and `dZ`")
            } else {
                d.note("the path is known by the increment of each interval and the areas H and K between it and its chord")
                    .help("leave `noise = tree` out, or take a solver that knows the noise by `dW` and `dZ`")
            });
        }
        Ok(())
    }

    /// Whether steps that a solver chooses by its own error lead to the solution.
    fn check_solver(&mut self, plan: &Plan, step: &Step, span: Span) -> Try<()> {
        let name = &step.solver;
        if step.estimate.is_none() {
            let message = format!("the solver `{name}` gives no estimate of its error");
            let help = self.with_estimates(plan);
            let mut d =
                Diagnostic::error(codes::SOLVER_MISFIT, message, span, "steps are chosen by the error").help(help);
            if !step.memory.is_empty() {
                d = d.note("it remembers earlier steps, and its coefficients may be those of equal steps");
            }
            return self.fail(d);
        }
        let noise = |class| plan.structured.within(class).is_ok();
        let low = step.orders.strong.is_none_or(|order| order < 1.0);
        if step.form == Form::Ito && low && !noise(NoiseClass::None) && !noise(NoiseClass::Additive) {
            let help = self.with_estimates(plan);
            return self.fail(
                Diagnostic::error(
                    codes::SOLVER_MISFIT,
                    format!("with steps chosen by the error, `{name}` does not converge to the Ito solution"),
                    span,
                    "steps are chosen by the error",
                )
                .note("a step that is accepted for its increment of the noise biases the sum of these increments, which a rule of strong order below 1 does not correct (Gaines & Lyons, SIAM J. Appl. Math. 57 (1997) 1455; Foster & Jelinčič, 2024)")
                .help(help),
            );
        }
        let clock = [self.dt, self.time_next, self.step_index];
        if step.memory.iter().any(|m| clock.iter().any(|v| self.g.depends_on(m.1, *v))) {
            let message = format!("what `{name}` remembers begins from the length of a step");
            return self.error(codes::SOLVER_MISFIT, message, span, "steps are chosen by the error");
        }
        Ok(())
    }

    /// The library's solvers that estimate their error and fit a model, in a sentence.
    fn with_estimates(&mut self, plan: &Plan) -> String {
        let mut names = Vec::new();
        for name in self.library.solver_names() {
            if self.adapts(&name, &plan.model, &plan.structured) {
                names.push(format!("`{name}`"));
            }
        }
        match names.is_empty() {
            true => "no solver of the library estimates its error for this model; take fixed steps".into(),
            false => format!("for this model, the error is estimated by {}", names.join(", ")),
        }
    }

    /// Steps have no number that all paths share, and a look falls between two of them.
    fn check_clock(&mut self, plan: &Plan, span: Span) -> Try<()> {
        let refuse = |s: &mut Self, what: &str, at: Span| {
            s.fail(
                Diagnostic::error(
                    codes::BAD_TIME,
                    format!("{what} in a run whose paths choose their steps"),
                    at,
                    "here",
                )
                .label(span, "steps of a tolerance")
                .help("use the time `t`, or take fixed steps"),
            )
        };
        for step in &plan.steps {
            let ids: Vec<Id> = step.renew.iter().map(|r| r.1).collect();
            if ids.iter().any(|id| self.g.depends_on(*id, self.step_index)) {
                let at = plan.model.states.iter().find_map(|s| s.flow_span).unwrap_or(plan.span);
                return refuse(self, "the number of a step (`step`)", at);
            }
        }
        let asked = plan.context.asked.iter().flat_map(|a| a.args.iter().map(|id| (*id, a.span)));
        let saved =
            plan.statements.iter().filter_map(|s| if let Statement::Save(save) = s { Some(save) } else { None });
        let saved = saved.flat_map(|s| s.columns.iter().map(|c| (c.1, s.span)));
        let plotted =
            plan.statements.iter().filter_map(|s| if let Statement::Plot(plot) = s { Some(plot) } else { None });
        let plotted = plotted.flat_map(|p| p.record.iter().map(|id| (*id, p.facts.span)));
        for (id, at) in asked.chain(saved).chain(plotted).collect::<Vec<_>>() {
            if self.g.depends_on(id, self.step_index) {
                return refuse(self, "the number of a step (`step`)", at);
            }
            if self.g.depends_on(id, self.dt) {
                return refuse(self, "the length of a step (`dt`)", at);
            }
        }
        Ok(())
    }

    fn check_pools(&mut self, plan: &Plan, span: Span) -> Try<()> {
        for pool in pools(plan) {
            let (message, at, help) = match &pool.times {
                Times::LastSteps { span, .. } => (
                    "the last steps are at other times for each path",
                    *span,
                    "give the times: `over t in [a, b] every s`",
                ),
                Times::Over { every: None, span, .. } => {
                    ("the steps between two times are others for each path", *span, "give the times: add `every s`")
                }
                _ => continue,
            };
            return self.fail(
                Diagnostic::error(codes::BAD_TIME, message, at, "pooled here")
                    .label(span, "steps of a tolerance")
                    .help(help),
            );
        }
        Ok(())
    }

    /// The times at which an adaptive run is looked at, with its ends: paths step exactly to each of them.
    pub(super) fn look_grid(&mut self, plan: &Plan, from: Id, to: Id, span: Span, params: &Env) -> Try<Grid> {
        let (a, b) = (self.number(from, params, span)?, self.number(to, params, span)?);
        if !(a.is_finite() && b.is_finite() && b > a) {
            let message = format!("a run goes from a time to a later one, not from {a} to {b}");
            return self.error(codes::BAD_TIME, message, span, "no such time");
        }
        if let Some((tol, span)) = plan.tolerance() {
            let tol = self.number(tol, params, span)?;
            if !(tol > 0.0 && tol < 1.0) {
                let message = format!("a tolerance lies between 0 and 1, and this is {tol}");
                return self.error(codes::BAD_TIME, message, span, "no such tolerance");
            }
        }
        let mut times = vec![a, b];
        for pool in pools(plan) {
            match &pool.times {
                Times::At { times: at, span, .. } => {
                    for t in at {
                        times.push(self.number(*t, params, *span)?);
                    }
                }
                Times::Over { from, to, every: Some(every), span, .. } => {
                    let ends = (self.number(*from, params, *span)?, self.number(*to, params, *span)?);
                    times.extend(self.every(ends, *every, *span, params)?);
                }
                Times::Spread { most } => times.extend(spread(a, b, (*most).min(MOST_SPREAD))),
                _ => {}
            }
        }
        for statement in &plan.statements {
            if let Statement::Save(Save { every: Some(every), span, .. }) = statement {
                times.extend(self.every((a, b), *every, *span, params)?);
            }
        }
        // Those outside are told of where they are asked for.
        times.retain(|t| (a..=b).contains(t));
        times.sort_by(f64::total_cmp);
        let mut apart = vec![a];
        for t in times {
            if t - apart[apart.len() - 1] > SAME * (b - a) {
                apart.push(t);
            }
        }
        apart.pop();
        apart.push(b);
        Ok(Grid::new(apart))
    }

    fn every(&mut self, (a, b): (f64, f64), every: Id, span: Span, params: &Env) -> Try<Vec<f64>> {
        let s = self.number(every, params, span)?;
        if !(s > 0.0 && s.is_finite()) || b < a {
            return self.error(codes::BAD_TIME, format!("from {a} to {b} every {s}"), span, "no such times");
        }
        let n = ((b - a) / s + 1e-6).floor();
        if n > MOST_LOOKS {
            let message = format!("{n} times are too many to step exactly to");
            return self.error(codes::BAD_TIME, message, span, format!("at most {MOST_LOOKS}"));
        }
        Ok((0..=n as u64).map(|k| a + k as f64 * s).collect())
    }

    /// States for the clock of each lane and for the error of its step.
    pub(super) fn clock_states(&mut self) -> ClockStates {
        let mut state = |name: &str| self.g.new_var(name, VarKind::State, Ty::Real, vec![]);
        ClockStates { time: state("t"), next: state("t'"), dt: state("dt"), error: state("error") }
    }

    /// What the states of the clock begin with.
    pub(super) fn clock_starts(&mut self, clock: ClockStates) -> [(VarId, Id); 4] {
        let zero = self.g.real(0.0);
        [clock.time, clock.next, clock.dt, clock.error].map(|var| (var, zero))
    }

    /// What a step renews, with the clock of its lane for that of the run, and its error in units of the tolerance.
    pub(super) fn adaptive_renewals(&mut self, step: &Step, clock: ClockStates, tol: Id) -> Vec<(VarId, Id)> {
        let mut renew = step.renew.clone();
        if let Some(estimate) = step.estimate {
            renew.push((clock.error, self.in_tolerances(&estimate, tol)));
        }
        let own = [(self.time, clock.time), (self.time_next, clock.next), (self.dt, clock.dt)];
        let pairs: Vec<(VarId, Id)> = own.into_iter().map(|(var, state)| (var, self.g.var(state))).collect();
        let ids: Vec<Id> = renew.iter().map(|r| r.1).collect();
        let ids = self.g.substitute_vars(&ids, &pairs);
        renew.iter().map(|r| r.0).zip(ids).collect()
    }

    /// How the engine takes adaptive steps by a program.
    pub(super) fn adaptive_job(
        &self,
        plan: &Plan,
        k: usize,
        clock: ClockStates,
        program: &Program,
        params: &Env,
    ) -> Adaptive {
        let row = |var: VarId| {
            let slot = program.states.iter().find(|s| s.var == var);
            slot.expect("the states of the clock are states of the program").first_row
        };
        let [time, next, dt, error] = [clock.time, clock.next, clock.dt, clock.error].map(row);
        let step = &plan.steps[k];
        let quiet = plan.structured.within(NoiseClass::None).is_ok();
        // The error of one step of a rule of strong order p is of order p + 1/2 under noise; the estimate of a rule without
        // noise is that of its embedded rule of one order less.
        let order = step.orders.strong.unwrap_or(1.0) + if quiet { 0.0 } else { 0.5 };
        Adaptive {
            rows: ClockRows { time, next, dt, error },
            sites: plan.wiener_sites(k, &self.g, params),
            order,
            noisy: !quiet,
            most_steps: MAX_STEPS,
        }
    }
}

/// So many times, evenly from one to another.
pub(super) fn spread(a: f64, b: f64, n: usize) -> impl Iterator<Item = f64> {
    (0..n).map(move |k| a + (b - a) * k as f64 / (n - 1).max(1) as f64)
}

/// The pools of all that a plan looks at.
fn pools(plan: &Plan) -> Vec<std::rc::Rc<Pool>> {
    let asked = plan.context.asked.iter().map(|a| a.pool.clone());
    let statements = plan.statements.iter().filter_map(|s| s.pool().cloned());
    asked.chain(statements).collect()
}
