//! The solvers of a run, and the step that each takes.

use std::rc::Rc;

use crate::diagnostics::{Diagnostic, Edit, codes};
use crate::model::elab::{Elab, Reported, Try};
use crate::model::messages;
use crate::model::system::Model;
use crate::model::target::TargetKind;
use crate::model::value::{AppliedSolver, BoundArg, Scope, Value};
use crate::session::plan::{Overrides, Plan, Settings};
use crate::solve::auto::Wanted;
use crate::solve::form::Structured;
use crate::solve::rule::Step;
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, SettingUnit};
use crate::syntax::{parse_expr, print};

impl Elab<'_> {
    /// The solvers that a run names; none where it names none.
    pub(super) fn run_solvers(
        &mut self,
        settings: &Settings<'_>,
        overrides: &Overrides,
        scope: &Scope,
    ) -> Try<Vec<Rc<AppliedSolver>>> {
        let setting = settings.get("solver").map(|s| s.1);
        if let Some(text) = &overrides.solver {
            // What does not fit is the model, and the file's own solver has no part in it.
            let at = settings.get("model").map_or(Span::default(), |m| m.1.span);
            let solver = self.told_of("--solver", text, |s| match crate::syntax::parse_expr(at.file, text) {
                Ok(e) => s.solver_value(&e, scope),
                Err(_) => s.error(codes::SYNTAX, "this is no solver", at, ""),
            })?;
            return Ok(vec![Rc::new(AppliedSolver {
                name: solver.name.clone(),
                text: solver.text.clone(),
                args: solver.args.iter().map(|a| BoundArg { span: at, ..a.clone() }).collect(),
                span: at,
                library: solver.library,
                split: solver.split.clone(),
            })]);
        }
        let items: Vec<&Expr> = match setting.map(|e| (e, &e.kind)) {
            None => Vec::new(),
            Some((_, ExprKind::List(items))) => items.iter().collect(),
            Some((e, _)) => vec![e],
        };
        let mut out = Vec::new();
        let mut broken = false;
        for item in items {
            match self.solver_value(item, scope) {
                Ok(solver) => out.push(solver),
                Err(Reported) => broken = true,
            }
        }
        if broken { Err(Reported) } else { Ok(out) }
    }

    /// As `steps`, where the solver may be the command line's.
    pub(super) fn steps_of(
        &mut self,
        overrides: &Overrides,
        solvers: &[Rc<AppliedSolver>],
        settings: &Settings<'_>,
        model: &Model,
        structured: &Structured,
        span: Span,
    ) -> Try<Vec<Step>> {
        match &overrides.solver {
            Some(text) => self.told_of("--solver", text, |s| s.steps(solvers, settings, model, structured, span)),
            None => self.steps(solvers, settings, model, structured, span),
        }
    }

    /// One step for each solver; a model that needs one and has none is an error.
    pub(super) fn steps(
        &mut self,
        solvers: &[Rc<AppliedSolver>],
        settings: &Settings<'_>,
        model: &Model,
        structured: &Structured,
        span: Span,
    ) -> Try<Vec<Step>> {
        let moves = model.states.iter().any(|s| s.flow.is_some());
        let named = settings.get("solver").map(|s| s.1.span);
        match (&model.target, solvers.first()) {
            (Some(target), None) if !target.drawable() => {
                return self.fail(
                    Diagnostic::error(
                        codes::NOT_DRAWABLE,
                        format!("`{}` cannot be drawn from exactly", model.name),
                        model.span,
                        match &target.kind {
                            TargetKind::Density { uncovered: Some(component), .. } => {
                                format!("`{component}` has no law")
                            }
                            _ => "known by its density only".into(),
                        },
                    )
                    .note("laws written with `~` on every component, distributions and mixtures of them can be drawn from")
                    .help("give the run a solver that is a kernel on a density, such as `mala`, or use `langevin(p)` as the model"),
                );
            }
            (None, None) if moves => {
                return self.fail(
                    Diagnostic::error(
                        codes::MISSING_SETTING,
                        "the run has a model that moves and no solver",
                        span,
                        "no `solver = ...`",
                    )
                    .help("add `solver = auto`, which takes one that fits; `fokker check` lists all that do")
                    .fix("add `solver = auto`", Edit::StatementInto(span, "solver = auto".into())),
                );
            }
            (None, Some(solver)) if !moves => {
                let message = format!("the model `{}` has no flow that a solver could follow", model.name);
                let d =
                    Diagnostic::error(codes::NO_FLOW, message, named.unwrap_or(solver.span), "nothing to do for it");
                return self.fail(match model.states.first() {
                    Some(state) => d
                        .label(state.span, "has no equation")
                        .help(format!("give it one, as in `d{} = ... dt`, or leave the solver out", state.name)),
                    None => {
                        d.label(model.span, "has no states").help("declare one: `state x = 0.0`, and `dx = ... dt`")
                    }
                });
            }
            _ => {}
        }
        let mut steps = Vec::new();
        let mut broken = false;
        let noise = settings.get("noise").map(|s| &s.1.kind);
        let wanted = Wanted {
            step: self.step_length(settings),
            adaptive: matches!(settings.unit("time"), Some(SettingUnit::Tol(_))),
            span: self.time_span(settings),
            tree: matches!(noise, Some(ExprKind::Name(n)) if n == "tree"),
        };
        for solver in solvers {
            let made = self.resolved(solver, model, structured, wanted).and_then(|(solver, why)| {
                let step = self.step(&solver, model, structured)?;
                Ok(Step { why, ..step })
            });
            match made {
                Ok(step) => steps.push(step),
                Err(Reported) => broken = true,
            }
        }
        if broken { Err(Reported) } else { Ok(steps) }
    }

    /// The step of `time = a .. b step h`, where it is known now.
    fn step_length(&mut self, settings: &Settings<'_>) -> Option<f64> {
        let Some(SettingUnit::Step(e)) = settings.unit("time") else { return None };
        self.cheap_number(e)
    }

    /// The length of the time, where it goes from one number to another.
    fn time_span(&mut self, settings: &Settings<'_>) -> Option<f64> {
        let ExprKind::Range(from, Some(to)) = &settings.get("time")?.1.kind else { return None };
        Some(self.cheap_number(to)? - self.cheap_number(from)?)
    }

    /// A number of a setting, if it is easily known; nobody hears of problems.
    fn cheap_number(&mut self, e: &Expr) -> Option<f64> {
        let before = self.diagnostics.len();
        let scope = self.root_scope(false);
        let value = self.expr(e, &scope).and_then(|v| self.scalar(&v, e.span));
        self.diagnostics.truncate(before);
        self.cheap_value(value.ok()?, &self.default_env()).map(|v| v.values[0])
    }

    pub(super) fn solver_value(&mut self, e: &Expr, scope: &Scope) -> Try<Rc<AppliedSolver>> {
        let name = match &e.kind {
            ExprKind::Name(n) => Some(n.clone()),
            ExprKind::Call(f, _) => match &f.kind {
                ExprKind::Name(n) => Some(n.clone()),
                _ => None,
            },
            _ => None,
        };
        if let Some(n) = name.as_deref()
            && scope.get(n).is_none()
        {
            if n == "auto" {
                return Ok(Rc::new(AppliedSolver::named("auto", Vec::new(), e.span)));
            }
            if n == "split" && matches!(e.kind, ExprKind::Name(_)) {
                return self.split_value(&[], scope, e.span).and(Err(Reported));
            }
            if n != "split" && self.library.lookup(n).is_empty() {
                return self.fail(messages::unknown_solver(self.library, n, e.span));
            }
        }
        let value = match &e.kind {
            ExprKind::Name(n) if scope.get(n).is_none() => self.global(n, e.span, scope.in_library())?.ok_or(Reported),
            _ => self.expr(e, scope),
        };
        match value? {
            Value::Solver(s) => {
                let text = self.text_of_solver(&s, e);
                Ok(Rc::new(AppliedSolver {
                    name: s.name.clone(),
                    text,
                    args: s.args.clone(),
                    span: e.span,
                    split: s.split.clone(),
                    library: s.library,
                }))
            }
            other => {
                let message = format!("a solver is wanted here, and this is {}", other.kind());
                self.error(codes::TYPE_MISMATCH, message, e.span, "not a solver")
            }
        }
    }

    /// A solver as it is written, with its arguments; where a name stands for it, as it was written there.
    fn text_of_solver(&self, solver: &AppliedSolver, e: &Expr) -> String {
        match &e.kind {
            ExprKind::Call(..) => print::expr(e),
            _ if solver.args.is_empty() && solver.split.is_none() => solver.name.clone(),
            _ => match parse_expr(solver.span.file, self.sources.text(solver.span)) {
                Ok(written) => print::expr(&written),
                Err(_) => solver.name.clone(),
            },
        }
    }

    /// What the solvers of a run are called in its results: their names, with arguments where these tell variants apart.
    pub(super) fn titles(&self, plan: &Plan, solvers: &[Rc<AppliedSolver>]) -> Vec<String> {
        let name = |k: usize| plan.steps[k].solver.as_str();
        let swept: Vec<&str> = plan.sweeps.iter().map(|s| self.params[s.0].name.as_str()).collect();
        let title = |(k, solver): (usize, &Rc<AppliedSolver>)| {
            let shared = (0..plan.steps.len()).any(|other| other != k && name(other) == name(k));
            let fixes = solver.args.iter().any(|a| a.name.as_ref().is_some_and(|n| swept.contains(&n.name.as_str())));
            // `auto` is the name of the one that it takes
            let chosen = solver.name != name(k);
            if (shared || fixes) && !chosen { solver.text.clone() } else { name(k).to_string() }
        };
        solvers.iter().enumerate().take(plan.steps.len()).map(title).collect()
    }
}
