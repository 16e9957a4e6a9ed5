//! The settings of a run: time, paths, seed, starts, levels of `converge`.

use crate::diagnostics::{Diagnostic, codes};
use crate::kernels::lane::Precision;
use crate::model::elab::{Elab, Try};
use crate::model::system::Model;
use crate::model::value::{Entry, Scope, Value};
use crate::model::{later, messages};
use crate::session::plan::{Converge, Noise, Overrides, Plan, Settings, TimeSpec};
use crate::source::Span;
use crate::syntax::ast::{self, Expr, ExprKind, Run, RunStmt, SettingUnit};

impl Elab<'_> {
    pub(super) fn plan_setting(
        &mut self,
        name: &str,
        settings: &Settings<'_>,
        overrides: &Overrides,
        plan: &mut Plan,
        scope: &Scope,
    ) -> Try<()> {
        let Some((at, e, unit)) = settings.get(name) else { return Ok(()) };
        match name {
            "init" => self.unsupported(later::INIT_FROM_RUN, at.span)?,
            "time" => plan.time = Some(self.time(e, unit, overrides, scope)?),
            "paths" => plan.paths = self.count("paths", e, scope)?,
            "seed" => plan.seed = self.count("seed", e, scope)?,
            "threads" => plan.threads = Some(self.count("threads", e, scope)? as usize),
            "precision" => plan.precision = self.precision(e)?,
            "noise" => plan.noise = self.noise_setting(e)?,
            _ => {}
        }
        Ok(())
    }

    fn precision(&mut self, e: &Expr) -> Try<Precision> {
        if let ExprKind::Name(n) = &e.kind
            && let Some(precision) = Precision::by_name(n)
        {
            return Ok(precision);
        }
        let message = format!("`{}` is not a value of `precision`", crate::syntax::print::expr(e));
        self.fail(Diagnostic::error(codes::BAD_SETTING, message, e.span, "unknown word").note("it is `f64`, or `f32`"))
    }

    fn noise_setting(&mut self, e: &Expr) -> Try<Noise> {
        match &e.kind {
            ExprKind::Name(n) if n == "stream" => Ok(Noise::Stream),
            ExprKind::Name(n) if n == "tree" => Ok(Noise::Tree),
            _ => {
                let message = format!("`{}` is not a value of `noise`", crate::syntax::print::expr(e));
                self.fail(
                    Diagnostic::error(codes::BAD_SETTING, message, e.span, "unknown word")
                        .note("it is `stream`, or `tree` for a noise that runs with other steps share"),
                )
            }
        }
    }

    /// A number of paths or threads (at least one), or a seed.
    pub(super) fn count(&mut self, name: &str, e: &Expr, scope: &Scope) -> Try<u64> {
        let value = self.expr(e, scope)?;
        let id = self.scalar(&value, e.span)?;
        let least = if name == "seed" { 0.0 } else { 1.0 };
        match (self.constant(id), &value) {
            (_, Value::Int(n)) if *n as f64 >= least => Ok(*n as u64),
            (Some(v), _) if v >= least && v.fract() == 0.0 && v < 9e15 => Ok(v as u64),
            (Some(v), _) => {
                let message = format!("`{name}` is a whole number of at least {least}, and this is {v}");
                self.error(codes::BAD_SETTING, message, e.span, "cannot be used")
            }
            (None, _) => {
                let message = format!("`{name}` must be known when the file is compiled");
                self.error(codes::NOT_CONSTANT, message, e.span, "known only at run time")
            }
        }
    }

    pub(super) fn time(
        &mut self,
        e: &Expr,
        unit: Option<&SettingUnit>,
        overrides: &Overrides,
        scope: &Scope,
    ) -> Try<TimeSpec> {
        let forced = overrides.step.map(|h| self.g.real(h));
        if let ExprKind::Range(lo, Some(hi)) = &e.kind {
            let (from, to) = (self.scalar_expr(lo, scope)?, self.scalar_expr(hi, scope)?);
            let step = match (unit, forced) {
                (_, Some(h)) => h,
                (Some(SettingUnit::Step(h)), None) => self.scalar_expr(h, scope)?,
                (Some(SettingUnit::Tol(tol)), None) => {
                    let tol = self.scalar_expr(tol, scope)?;
                    return Ok(TimeSpec::Adaptive { from, to, tol, span: e.span });
                }
                (Some(SettingUnit::Steps), None) => {
                    return self.error(
                        codes::BAD_TIME,
                        "a range of times with `steps`",
                        e.span,
                        "write `0 .. 1 step h`, or `n steps`",
                    );
                }
                (None, None) => return Ok(TimeSpec::Ends { from, to, span: e.span }),
            };
            let step_span = match (unit, forced) {
                (Some(SettingUnit::Step(h)), None) => h.span,
                _ => e.span,
            };
            return Ok(TimeSpec::Stepped { from, to, step, span: e.span, step_span });
        }
        if overrides.step.is_some() {
            return self.fail(
                Diagnostic::error(
                    codes::BAD_TIME,
                    "`--step` has no meaning for this time",
                    e.span,
                    "has no step length",
                )
                .help("it is for times such as `0 .. 1 step 1e-3`; leave it out, or name runs with `--run`"),
            );
        }
        if let Some(SettingUnit::Steps) = unit {
            let n = self.int_expr(e, scope)?;
            if n < 1 {
                return self.error(codes::BAD_TIME, "a run has at least one step", e.span, format!("{n} steps"));
            }
            self.few_enough(n as f64, e.span)?;
            return Ok(TimeSpec::Count { steps: n as u64 });
        }
        let times = self.real_expr(e, scope)?;
        if self.g.shape(times).len() != 1 {
            let text = crate::syntax::print::expr(e);
            let whole = self.constant(times).is_some_and(|n| n >= 1.0 && n.fract() == 0.0);
            let help = match whole {
                true => format!("write `time = {text} steps`, or `time = 0 .. {text} step 1e-3`"),
                false => "as in `time = 0 .. 1 step 1e-3`".to_string(),
            };
            return self.fail(
                Diagnostic::error(
                    codes::BAD_TIME,
                    "a time is a range with a step, a number of steps, or an array of times",
                    e.span,
                    "none of these",
                )
                .help(help),
            );
        }
        Ok(TimeSpec::Grid { times, span: e.span })
    }

    /// `init x ~ law`, `init x = e`.
    pub(super) fn inits(&mut self, run: &Run, model: &mut Model, scope: &Scope) -> Try<()> {
        for statement in &run.statements {
            let RunStmt::Init { name, start } = statement else { continue };
            let point = model.target.is_some() && name.name == "x";
            let Some(k) = model.states.iter().position(|s| point || s.name == name.name) else {
                let known: Vec<&str> = model.states.iter().map(|s| s.name.as_str()).collect();
                let first = match scope.get(&name.name) {
                    Some(Entry::Value(_, first)) if first != Span::default() => Some(first),
                    _ => None,
                };
                return self.fail(messages::init_of_no_state(name, &known, first));
            };
            let shape = model.states[k].shape.clone();
            let (start, start_span) = self.start(Some(start), Some(&shape), name, scope)?;
            let others: Vec<_> =
                model.states.iter().enumerate().filter(|(j, _)| *j != k).map(|(_, s)| (s.var, s.start)).collect();
            model.states[k].start = self.g.substitute_vars(&[start], &others)[0];
            model.states[k].start_span = start_span;
        }
        Ok(())
    }

    pub(super) fn converge(&mut self, fields: &[(ast::Ident, Expr)], span: Span, scope: &Scope) -> Try<Converge> {
        let mut steps = None;
        let mut reference = None;
        for (name, e) in fields {
            match name.name.as_str() {
                "steps" => {
                    let id = self.real_expr(e, scope)?;
                    let env = self.default_env();
                    let Ok(values) = crate::math::eval::eval(&self.g, id, &env) else {
                        return self.error(
                            codes::NOT_CONSTANT,
                            "the numbers of steps are known before the run",
                            e.span,
                            "not constant",
                        );
                    };
                    if let Some(bad) = values.values.iter().find(|v| !(v.fract() == 0.0 && **v >= 1.0 && **v < 1e15)) {
                        let message = format!("a number of steps is whole and at least 1, and this is {bad}");
                        return self.error(codes::BAD_SETTING, message, e.span, "not a number of steps");
                    }
                    let counts: Vec<u64> = values.values.iter().map(|v| *v as u64).collect();
                    if let Some(twice) = counts.iter().enumerate().find(|(k, n)| counts[..*k].contains(n)) {
                        let message = format!("the number of steps {} comes twice", twice.1);
                        return self.error(codes::BAD_SETTING, message, e.span, "one error for each number");
                    }
                    steps = Some(counts);
                }
                "reference" => reference = Some(self.int_expr(e, scope)?.max(1) as u64),
                other => {
                    return self.fail(
                        Diagnostic::error(
                            codes::UNKNOWN_SETTING,
                            format!("`{other}` is not a field of `converge`"),
                            name.span,
                            "unknown field",
                        )
                        .help("write `converge steps = [16, 32, 64], reference = 1024`"),
                    );
                }
            }
        }
        if let Some(reference) = reference {
            self.few_enough(reference as f64, span)?;
        }
        let (Some(steps), Some(reference)) = (steps, reference) else {
            return self.fail(
                Diagnostic::error(
                    codes::MISSING_SETTING,
                    "`converge` needs numbers of steps and a reference",
                    span,
                    "one is missing",
                )
                .help("write `converge steps = [16, 32, 64], reference = 1024`"),
            );
        };
        if steps.len() < 2 {
            return self.fail(
                Diagnostic::error(
                    codes::BAD_SETTING,
                    "an order is measured between numbers of steps",
                    span,
                    "one alone",
                )
                .help("give at least two, as in `converge steps = [16, 32, 64], reference = 1024`"),
            );
        }
        if let Some(bad) = steps.iter().find(|n| **n == 0 || reference % **n != 0 || **n >= reference) {
            return self.fail(
                Diagnostic::error(
                    codes::BAD_SETTING,
                    format!("{bad} steps do not divide the reference of {reference}"),
                    span,
                    "the reference refines every level",
                )
                .help("take powers of two"),
            );
        }
        Ok(Converge { steps, reference, span })
    }
}
