//! A run worked out: its settings, its model and solvers, what its statements ask for.

use std::rc::Rc;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Id, Op, Ty, VarKind};
use crate::model::elab::{Elab, Reported, Try};
use crate::model::results::{Pool, RunContext, Times};
use crate::model::system::Model;
use crate::model::value::{AppliedSolver, Entry, Scope, Value};
use crate::model::{later, messages, resolve};
use crate::solve::form::Structured;
use crate::solve::rule::Step;
use crate::source::Span;
use crate::syntax::ast::{self, Expr, ExprKind, PoolSpan, Run, RunStmt, SettingUnit};

/// A run, ready to be compiled.
#[derive(Debug)]
pub struct Plan {
    pub name: String,
    pub span: Span,
    pub model: Model,
    pub structured: Structured,
    /// one step for each solver; none where the model is a target that is drawn
    pub steps: Vec<Step>,
    pub time: Option<TimeSpec>,
    pub paths: u64,
    pub seed: u64,
    pub threads: Option<usize>,
    pub statements: Vec<Statement>,
    /// parameter (index in the elaborator's list) and its values
    pub sweeps: Vec<(usize, Vec<f64>)>,
    pub converge: Option<Converge>,
    pub context: RunContext,
    /// first and last site used by starts
    pub scope: Scope,
}

/// The time of a run; numbers are of run rate.
#[derive(Clone, Debug)]
pub enum TimeSpec {
    Stepped {
        from: Id,
        to: Id,
        step: Id,
        span: Span,
    },
    /// t = 0, 1, ..., n
    Count {
        steps: u64,
    },
    Grid {
        times: Id,
        span: Span,
    },
    /// the ends only, for `converge`
    Ends {
        from: Id,
        to: Id,
        span: Span,
    },
}

#[derive(Clone, Debug)]
pub struct Converge {
    pub steps: Vec<u64>,
    pub reference: u64,
    pub span: Span,
}

#[derive(Debug)]
pub enum Statement {
    Report {
        items: Vec<Item>,
        pool: Rc<Pool>,
    },
    Check {
        text: String,
        condition: Id,
        sides: Option<(Id, Id)>,
        pool: Rc<Pool>,
        span: Span,
    },
    Save(Save),
    /// plots wait for a later version; the text is kept for the note that says so
    Plot {
        text: String,
        span: Span,
    },
}

#[derive(Debug)]
pub struct Item {
    pub text: String,
    pub value: Id,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Save {
    /// column label and value
    pub columns: Vec<(String, Id)>,
    pub every: Option<Id>,
    pub first: u64,
    pub path: String,
    pub span: Span,
}

/// Settings given on the command line.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub paths: Option<u64>,
    pub seed: Option<u64>,
    pub solver: Option<String>,
    pub step: Option<f64>,
    pub threads: Option<usize>,
}

#[derive(Default)]
struct Settings<'r> {
    given: Vec<(&'r ast::Ident, &'r Expr, Option<&'r SettingUnit>)>,
}

impl<'r> Settings<'r> {
    /// The settings of a run; of one given twice (which the resolver tells of) the first.
    fn of(run: &'r Run) -> Settings<'r> {
        let mut settings = Settings::default();
        for statement in &run.statements {
            if let RunStmt::Setting { name, value, unit } = statement
                && settings.get(&name.name).is_none()
            {
                settings.given.push((name, value, unit.as_ref()));
            }
        }
        settings
    }

    fn get(&self, name: &str) -> Option<(&'r ast::Ident, &'r Expr, Option<&'r SettingUnit>)> {
        self.given.iter().copied().find(|(n, _, _)| n.name == name)
    }
}

impl Elab<'_> {
    /// Works out a run.
    pub fn plan(&mut self, run: &Run, overrides: &Overrides) -> Try<Plan> {
        self.path.push(run.name.name.clone());
        let result = self.plan_inner(run, overrides);
        self.path.pop();
        self.run = None;
        result
    }

    fn plan_inner(&mut self, run: &Run, overrides: &Overrides) -> Try<Plan> {
        let settings = Settings::of(run);
        let span = run.name.span;
        let scope = self.root_scope();
        self.bind_header(&run.name.name, &run.header, &[], span, &scope)?;
        let model = self.run_model(run, &settings, &scope);
        // The run sees the model's names; its own parameters may have the same ones.
        let inner = match &model {
            Ok(model) => model.scope.child(),
            Err(Reported) => self.names_of_broken(&settings, &scope),
        };
        for p in &run.header {
            if let Some(entry) = scope.get(&p.name.name) {
                inner.set(&p.name.name, entry);
            }
        }
        self.run = Some(RunContext::default());
        let solvers = self.run_solvers(&settings, overrides, &inner);
        if let (Some(context), Ok(solvers)) = (&mut self.run, &solvers) {
            context.solvers = solvers.iter().map(|s| s.name.clone()).collect();
        }
        let (mut model, mut broken) = match model {
            Ok(model) => (model, false),
            Err(Reported) => (self.no_model(span, &inner), true),
        };
        let structured = self.structured(&model);
        let mut steps = Vec::new();
        if !broken {
            broken |= self.inits(run, &mut model, &inner).is_err();
            match &solvers {
                Ok(solvers) => match self.steps(solvers, &settings, &model, &structured, span) {
                    Ok(made) => steps = made,
                    Err(Reported) => broken = true,
                },
                Err(Reported) => broken = true,
            }
        }
        let mut plan = Plan {
            name: run.name.name.clone(),
            span,
            model,
            structured,
            steps,
            time: None,
            paths: 1_000,
            seed: 0,
            threads: None,
            statements: Vec::new(),
            sweeps: Vec::new(),
            converge: None,
            context: RunContext::default(),
            scope: inner.clone(),
        };
        // In the order of the text: a setting sees the `let`s before it.
        for statement in &run.statements {
            broken |= match statement {
                RunStmt::Setting { name, .. } => self.plan_setting(&name.name, &settings, overrides, &mut plan, &inner),
                // The parameters of a model that is broken are not known.
                RunStmt::Sweep(..) if broken => Ok(()),
                _ => self.run_statement(statement, &mut plan, &inner),
            }
            .is_err();
        }
        let drawn = solvers.as_ref().is_ok_and(Vec::is_empty);
        if settings.get("time").is_none() && !drawn && solvers.is_ok() {
            return self.fail(
                Diagnostic::error(codes::MISSING_SETTING, "the run has a solver and no time", span, "no `time = ...`")
                    .help("add `time = 0 .. 1 step 1e-3`, or `time = 1_000 steps` for a chain"),
            );
        }
        if broken {
            return Err(Reported);
        }
        plan.paths = overrides.paths.unwrap_or(plan.paths);
        plan.seed = overrides.seed.unwrap_or(plan.seed);
        plan.threads = overrides.threads.or(plan.threads);
        plan.context = self.run.take().unwrap_or_default();
        self.whole(&plan, settings.get("time").map_or(span, |t| t.1.span))?;
        Ok(plan)
    }

    /// What can be told only of all statements together.
    fn whole(&mut self, plan: &Plan, time: Span) -> Try<()> {
        if matches!(plan.time, Some(TimeSpec::Ends { .. })) && plan.converge.is_none() {
            return self.fail(
                Diagnostic::error(codes::BAD_TIME, "this time has no step", time, "only the ends are given")
                    .help("add `step 1e-3`; a run with `converge` takes its steps from there"),
            );
        }
        match plan.context.orders.first() {
            Some(order) if plan.converge.is_none() => self.fail(
                Diagnostic::error(
                    codes::BAD_STATISTIC,
                    "an order is measured over several numbers of steps, and this run has one",
                    order.span,
                    "nothing to compare",
                )
                .help("add `converge steps = [16, 32, 64], reference = 1024`"),
            ),
            _ => Ok(()),
        }
    }

    /// The model of a run. Statistics have no meaning in it.
    fn run_model(&mut self, run: &Run, settings: &Settings<'_>, scope: &Scope) -> Try<Model> {
        let Some((_, e, _)) = settings.get("model") else {
            let message = format!("the run `{}` has no model", run.name.name);
            return self.fail(
                Diagnostic::error(codes::MISSING_SETTING, message, run.name.span, "no `model = ...`")
                    .help("add `model = name()`"),
            );
        };
        let path = std::mem::take(&mut self.path);
        let value = self.expr(e, scope);
        let model = value.and_then(|v| self.model(&v, e.span));
        self.path = path;
        model
    }

    /// The names that a broken model would have given, so that their uses are not told as errors.
    fn names_of_broken(&mut self, settings: &Settings<'_>, scope: &Scope) -> Scope {
        let inner = scope.child();
        let names = settings.get("model").and_then(|(_, e, _)| resolve::names_given(self.library, e));
        match names {
            Some(names) => names.into_iter().for_each(|name| inner.set(name, Entry::Broken)),
            None => inner.set_wild(),
        }
        inner
    }

    /// Stands for a model that could not be worked out, while the rest of its run is looked at.
    fn no_model(&mut self, span: Span, scope: &Scope) -> Model {
        let alpha = self.g.real(0.0);
        let dt = self.g.new_var("dt", VarKind::Hole, Ty::Real, vec![]);
        Model {
            name: String::new(),
            span,
            states: Vec::new(),
            noises: Vec::new(),
            lets: Vec::new(),
            alpha,
            dt,
            scope: scope.clone(),
            target: None,
            law: None,
        }
    }

    fn plan_setting(
        &mut self,
        name: &str,
        settings: &Settings<'_>,
        overrides: &Overrides,
        plan: &mut Plan,
        scope: &Scope,
    ) -> Try<()> {
        let Some((_, e, unit)) = settings.get(name) else { return Ok(()) };
        match name {
            "time" => plan.time = Some(self.time(e, unit, overrides, scope)?),
            "paths" => plan.paths = self.count("paths", e, scope)?,
            "seed" => plan.seed = self.count("seed", e, scope)?,
            "threads" => plan.threads = Some(self.count("threads", e, scope)? as usize),
            "precision" => self.word(e, "precision", "f64", &["f32"])?,
            "noise" => self.word(e, "noise", "stream", &["tree"])?,
            _ => {}
        }
        Ok(())
    }

    /// A setting that is one of a few words, of which this version has one.
    fn word(&mut self, e: &Expr, setting: &str, have: &str, later: &[&str]) -> Try<()> {
        match &e.kind {
            ExprKind::Name(n) if n == have => Ok(()),
            ExprKind::Name(n) if later.contains(&n.as_str()) => self.unsupported(&format!("`{setting} = {n}`"), e.span),
            _ => {
                let text = crate::syntax::print::expr(e);
                let message = format!("`{text}` is not a value of `{setting}`");
                let known = later.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ");
                self.fail(
                    Diagnostic::error(codes::BAD_SETTING, message, e.span, "unknown word")
                        .note(format!("it is `{have}`, or {known} in a later version")),
                )
            }
        }
    }

    /// A number of paths or threads (at least one), or a seed.
    fn count(&mut self, name: &str, e: &Expr, scope: &Scope) -> Try<u64> {
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

    /// `init x ~ law`, `init x = e`.
    fn inits(&mut self, run: &Run, model: &mut Model, scope: &Scope) -> Try<()> {
        for statement in &run.statements {
            let RunStmt::Init { name, start } = statement else { continue };
            let Some(k) = model.states.iter().position(|s| s.name == name.name) else {
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
                model.states.iter().filter(|s| s.name != name.name).map(|s| (s.var, s.start)).collect();
            model.states[k].start = self.g.substitute_vars(&[start], &others)[0];
            model.states[k].start_span = start_span;
        }
        Ok(())
    }

    /// The solvers that a run names; none where it names none.
    fn run_solvers(
        &mut self,
        settings: &Settings<'_>,
        overrides: &Overrides,
        scope: &Scope,
    ) -> Try<Vec<Rc<AppliedSolver>>> {
        let setting = settings.get("solver").map(|s| s.1);
        if let Some(name) = &overrides.solver {
            let at = setting.or(settings.get("model").map(|m| m.1)).map_or(Span::default(), |e| e.span);
            if !self.library.solver_names().contains(name) {
                return self.fail(messages::unknown_solver(self.library, name, at));
            }
            return Ok(vec![Rc::new(AppliedSolver { name: name.clone(), args: Vec::new(), span: at })]);
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

    /// One step for each solver; a model that needs one and has none is an error.
    fn steps(
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
                        "known by its density only",
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
                    .help("add `solver = euler_maruyama`; `fokker check` lists the solvers that fit"),
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
        for solver in solvers {
            match self.step(solver, model, structured) {
                Ok(step) => steps.push(step),
                Err(Reported) => broken = true,
            }
        }
        if broken { Err(Reported) } else { Ok(steps) }
    }

    fn solver_value(&mut self, e: &Expr, scope: &Scope) -> Try<Rc<AppliedSolver>> {
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
            if let Some(what) = messages::later_solver(n) {
                return self.unsupported(what, e.span);
            }
            if self.library.lookup(n).is_empty() {
                return self.fail(messages::unknown_solver(self.library, n, e.span));
            }
        }
        let value = match &e.kind {
            ExprKind::Name(n) if scope.get(n).is_none() => self.global(n, e.span)?.ok_or(Reported),
            _ => self.expr(e, scope),
        };
        match value? {
            Value::Solver(s) => Ok(match Rc::try_unwrap(s) {
                Ok(s) => Rc::new(AppliedSolver { span: e.span, ..s }),
                Err(shared) => {
                    Rc::new(AppliedSolver { name: shared.name.clone(), args: shared.args.clone(), span: e.span })
                }
            }),
            other => {
                let message = format!("a solver is wanted here, and this is {}", other.kind());
                self.error(codes::TYPE_MISMATCH, message, e.span, "not a solver")
            }
        }
    }

    fn time(&mut self, e: &Expr, unit: Option<&SettingUnit>, overrides: &Overrides, scope: &Scope) -> Try<TimeSpec> {
        let forced = overrides.step.map(|h| self.g.real(h));
        if let ExprKind::Range(lo, Some(hi)) = &e.kind {
            let (from, to) = (self.scalar_expr(lo, scope)?, self.scalar_expr(hi, scope)?);
            let step = match (unit, forced) {
                (_, Some(h)) => h,
                (Some(SettingUnit::Step(h)), None) => self.scalar_expr(h, scope)?,
                (Some(SettingUnit::Tol(h)), None) => return self.unsupported(later::ADAPTIVE, h.span),
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
            return Ok(TimeSpec::Stepped { from, to, step, span: e.span });
        }
        if let Some(SettingUnit::Steps) = unit {
            let n = self.int_expr(e, scope)?;
            if n < 1 {
                return self.error(codes::BAD_TIME, "a run has at least one step", e.span, format!("{n} steps"));
            }
            return Ok(TimeSpec::Count { steps: n as u64 });
        }
        let times = self.real_expr(e, scope)?;
        if self.g.shape(times).len() != 1 {
            return self.fail(
                Diagnostic::error(
                    codes::BAD_TIME,
                    "a time is a range with a step, a number of steps, or an array of times",
                    e.span,
                    "none of these",
                )
                .help("as in `time = 0 .. 1 step 1e-3`"),
            );
        }
        Ok(TimeSpec::Grid { times, span: e.span })
    }

    // Statements.

    fn run_statement(&mut self, statement: &RunStmt, plan: &mut Plan, scope: &Scope) -> Try<()> {
        match statement {
            RunStmt::Setting { .. } | RunStmt::Init { .. } => Ok(()),
            RunStmt::Let(l, pool) => {
                let (pool, inner) = self.pool(pool.as_ref(), scope)?;
                match self.with_pool(pool, |s| s.run_let(l, &inner)) {
                    Ok(value) => {
                        if let Some(Entry::Value(_, first)) = scope.get(&l.name.name)
                            && first != Span::default()
                        {
                            return self.fail(
                                Diagnostic::error(
                                    codes::SHADOWED,
                                    format!("`{}` hides a name of the model", l.name.name),
                                    l.name.span,
                                    "declared here",
                                )
                                .label(first, "already declared here"),
                            );
                        }
                        scope.define(&l.name.name, value, l.name.span);
                        Ok(())
                    }
                    Err(Reported) => {
                        scope.set(&l.name.name, Entry::Broken);
                        Err(Reported)
                    }
                }
            }
            RunStmt::Report(exprs, pool) => {
                let (pool, inner) = self.pool(pool.as_ref(), scope)?;
                let mut items = Vec::new();
                let mut broken = false;
                for e in exprs {
                    match self.with_pool(pool.clone(), |s| s.report_item(e, &inner)) {
                        Ok(item) => items.push(item),
                        Err(Reported) => broken = true,
                    }
                }
                if broken {
                    return Err(Reported);
                }
                plan.statements.push(Statement::Report { items, pool });
                Ok(())
            }
            RunStmt::Check(e, pool) => {
                let (pool, inner) = self.pool(pool.as_ref(), scope)?;
                let statement = self.with_pool(pool.clone(), |s| s.check(e, pool, &inner))?;
                plan.statements.push(statement);
                Ok(())
            }
            RunStmt::Plot(exprs, _, span) => {
                let text = exprs.iter().map(crate::syntax::print::expr).collect::<Vec<_>>().join(", ");
                plan.statements.push(Statement::Plot { text, span: *span });
                Ok(())
            }
            RunStmt::Save { value, every, first, path, span, .. } => {
                let save = self.save(value, every.as_ref(), first.as_ref(), path, *span, scope)?;
                plan.statements.push(Statement::Save(save));
                Ok(())
            }
            RunStmt::Sweep(sets, span) => self.sweep(sets, *span, plan, scope),
            RunStmt::Converge(fields, span) => {
                plan.converge = Some(self.converge(fields, *span, scope)?);
                Ok(())
            }
            RunStmt::Estimate { span, .. } => self.unsupported(later::ESTIMATE, *span),
            RunStmt::Train { span, .. } => self.unsupported(later::TRAIN, *span),
            RunStmt::Phase { span, .. } => self.unsupported(later::PHASE, *span),
            RunStmt::For { span, .. } => self.unsupported(later::PHASES, *span),
        }
    }

    /// A `let` of a run: a value per path, a number of the run, or a law.
    fn run_let(&mut self, l: &ast::Let, scope: &Scope) -> Try<Value> {
        let value = self.expr(&l.value, scope)?;
        if let (Value::Target(_), Some(ty)) = (&value, &l.ty)
            && matches!(&ty.kind, ast::TypeKind::Named(name, _) if name.name != "target")
        {
            return self.unsupported(later::DRAW_IN_RUN, l.value.span);
        }
        self.fit_let(l, value, scope)
    }

    fn report_item(&mut self, e: &Expr, scope: &Scope) -> Try<Item> {
        let value = self.expr(e, scope)?;
        let id = self.num(&value, e.span)?;
        self.of_statistics(id, e.span)?;
        Ok(Item { text: crate::syntax::print::expr(e), value: id, span: e.span })
    }

    /// A number of the run may depend on statistics and parameters, not on a single path.
    fn of_statistics(&mut self, id: Id, span: Span) -> Try<()> {
        if self.g.rate(id) <= crate::math::Rate::Run {
            return Ok(());
        }
        self.fail(
            Diagnostic::error(
                codes::BAD_STATISTIC,
                "this has a value for each path, not one for the run",
                span,
                "not a statistic",
            )
            .help("say which statistic is meant: `mean(...)`, `std(...)`, `quantile(..., 0.95)`"),
        )
    }

    fn check(&mut self, e: &Expr, pool: Rc<Pool>, scope: &Scope) -> Try<Statement> {
        let text = crate::syntax::print::expr(e);
        let sides = match &e.kind {
            ExprKind::Binary(op, a, b)
                if matches!(op, ast::BinaryOp::Lt | ast::BinaryOp::Le | ast::BinaryOp::Gt | ast::BinaryOp::Ge) =>
            {
                let (x, y) = (self.scalar_expr(a, scope), self.scalar_expr(b, scope));
                let (x, y) = (x?, y?);
                let (low, high) = if matches!(op, ast::BinaryOp::Lt | ast::BinaryOp::Le) { (x, y) } else { (y, x) };
                let strict = matches!(op, ast::BinaryOp::Lt | ast::BinaryOp::Gt);
                let condition = self.g.op(if strict { Op::Lt } else { Op::Le }, &[low, high]);
                Some((condition, x, y))
            }
            _ => None,
        };
        let (condition, sides) = match sides {
            Some((c, x, y)) => (c, Some((x, y))),
            None => {
                let value = self.expr(e, scope)?;
                let c = self.boolean(&value, e.span)?;
                if !self.g.is_scalar(c) {
                    return self.fail(
                        Diagnostic::error(
                            codes::SHAPE_MISMATCH,
                            "a check is one condition, and this is an array of them",
                            e.span,
                            "an array",
                        )
                        .help("write `all(...)`"),
                    );
                }
                (c, None)
            }
        };
        self.of_statistics(condition, e.span)?;
        Ok(Statement::Check { text, condition, sides, pool, span: e.span })
    }

    /// The pool of a statement, and the scope with the indices that it binds.
    fn pool(&mut self, pool: Option<&ast::Pool>, scope: &Scope) -> Try<(Rc<Pool>, Scope)> {
        let inner = scope.child();
        let mut out = Pool::default();
        match pool {
            None => {}
            Some(ast::Pool::At(e)) => {
                let id = self.real_expr(e, scope)?;
                let list = !self.g.is_scalar(id);
                let times = if list { self.elements(id) } else { vec![id] };
                out.times = Times::At { times, list, span: e.span };
            }
            Some(ast::Pool::Over(spans)) => {
                for span in spans {
                    self.pool_span(span, &mut out, scope, &inner)?;
                }
            }
        }
        Ok((Rc::new(out), inner))
    }

    fn pool_span(&mut self, span: &PoolSpan, out: &mut Pool, scope: &Scope, inner: &Scope) -> Try<()> {
        match span {
            PoolSpan::Last(e) => {
                let steps = self.int_expr(e, scope)?;
                if steps < 1 {
                    return self.error(
                        codes::BAD_TIME,
                        "`over last` takes at least one step",
                        e.span,
                        format!("{steps}"),
                    );
                }
                out.times = Times::LastSteps { steps, span: e.span };
                Ok(())
            }
            PoolSpan::In { name, range, every } if name.name == "t" => {
                let (lo, hi) = match &range.kind {
                    ExprKind::List(items) if items.len() == 2 => (&items[0], &items[1]),
                    ExprKind::Range(lo, Some(hi)) => (&**lo, &**hi),
                    _ => {
                        return self.fail(
                            Diagnostic::error(
                                codes::BAD_TIME,
                                "a span of time has two ends",
                                range.span,
                                "not `[a, b]`",
                            )
                            .help("write `over t in [1, 2] every 0.1`"),
                        );
                    }
                };
                let (from, to) = (self.scalar_expr(lo, scope)?, self.scalar_expr(hi, scope)?);
                let text = crate::syntax::print::expr;
                let (every, words) = match every {
                    Some(e) => (Some(self.scalar_expr(e, scope)?), format!("t in {} every {}", text(range), text(e))),
                    None => (None, format!("t in {}", text(range))),
                };
                out.times = Times::Over { from, to, every, words, span: range.span };
                Ok(())
            }
            PoolSpan::In { name, range, every } => {
                if let Some(e) = every {
                    return self.error(codes::BAD_TIME, "`every` belongs to a span of time", e.span, "not a time");
                }
                let value = self.expr(range, scope)?;
                let Value::Range(lo, hi) = value else {
                    return self.error(
                        codes::TYPE_MISMATCH,
                        "an axis is pooled over a range of indices",
                        range.span,
                        "write `0..n`",
                    );
                };
                if hi <= lo {
                    return self.error(
                        codes::EMPTY_RANGE,
                        format!("the range {lo}..{hi} is empty"),
                        range.span,
                        "no values",
                    );
                }
                let bound = self.g.fresh_index((hi - lo) as usize);
                let mut index = self.g.index(bound);
                if lo != 0 {
                    let low = self.g.int(lo);
                    index = self.g.op(Op::Add, &[index, low]);
                }
                inner.define(&name.name, Value::Num(index), name.span);
                out.axes.push(bound);
                Ok(())
            }
        }
    }

    fn save(
        &mut self,
        value: &Expr,
        every: Option<&Expr>,
        first: Option<&Expr>,
        path: &str,
        span: Span,
        scope: &Scope,
    ) -> Try<Save> {
        let items: Vec<&Expr> = match &value.kind {
            ExprKind::List(items) => items.iter().collect(),
            _ => vec![value],
        };
        let mut columns = Vec::new();
        for item in items {
            let v = self.expr(item, scope)?;
            let id = self.num(&v, item.span)?;
            let id = if self.g.ty(id) == Ty::Bool {
                self.elementwise_raw(&[id], |g, a| g.op(Op::ToReal, a))
            } else {
                self.to_real(id, item.span)?
            };
            columns.push((crate::syntax::print::expr(item), id));
        }
        let every = match every {
            Some(e) => Some(self.scalar_expr(e, scope)?),
            None => None,
        };
        let first = match first {
            Some(e) => self.int_expr(e, scope)?.max(0) as u64,
            None => u64::MAX,
        };
        let lower = path.to_ascii_lowercase();
        if lower.ends_with(".parquet") || lower.ends_with(".npz") {
            return self.unsupported("saving to Parquet or NPZ", span);
        }
        if !lower.ends_with(".csv") && !lower.ends_with(".npy") {
            return self.fail(
                Diagnostic::error(
                    codes::BAD_SETTING,
                    format!("the ending of `{path}` names no format"),
                    span,
                    "unknown ending",
                )
                .help("end it in `.csv` or `.npy`"),
            );
        }
        Ok(Save { columns, every, first, path: path.into(), span })
    }

    fn sweep(&mut self, sets: &[(ast::Path, Expr)], _span: Span, plan: &mut Plan, scope: &Scope) -> Try<()> {
        for (path, e) in sets {
            let name = path.parts.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(".");
            let at = path.parts[0].span.to(path.parts[path.parts.len() - 1].span);
            let k = self.find_param(&name, at)?;
            let id = self.real_expr(e, scope)?;
            let env = self.default_env();
            let Ok(values) = crate::math::eval::eval(&self.g, id, &env) else {
                return self.error(
                    codes::NOT_CONSTANT,
                    "the values of a sweep are known before the run",
                    e.span,
                    "not constant",
                );
            };
            if self.g.shape(id).len() != 1 {
                return self.error(codes::BAD_SWEEP, "a sweep runs over a list of values", e.span, "not a list");
            }
            if !self.g.var_info(self.params[k].var).shape.is_empty() {
                return self.unsupported("a sweep of an array", at);
            }
            if let Some(range) = self.params[k].range.clone() {
                for v in &values.values {
                    let node = self.g.real(*v);
                    self.check_range(&name, node, &range, e.span)?;
                }
            }
            plan.sweeps.push((k, values.values));
        }
        Ok(())
    }

    /// A parameter of the tree by its name or by its path.
    pub fn find_param(&mut self, name: &str, span: Span) -> Try<usize> {
        let exact: Vec<usize> = (0..self.params.len()).filter(|k| self.params[*k].path == name).collect();
        let suffix = format!(".{name}");
        let near: Vec<usize> = (0..self.params.len())
            .filter(|k| self.params[*k].name == name || self.params[*k].path.ends_with(&suffix))
            .collect();
        match (exact.as_slice(), near.as_slice()) {
            ([k], _) | ([], [k]) => Ok(*k),
            ([], []) => {
                let known: Vec<String> = self.params.iter().map(|p| p.name.clone()).collect();
                let list = if known.is_empty() {
                    "it has none: every parameter is fixed by an argument".to_string()
                } else {
                    known.join(", ")
                };
                let mut d = Diagnostic::error(
                    codes::BAD_SWEEP,
                    format!("`{name}` is not a parameter of this run"),
                    span,
                    "no such parameter",
                )
                .note(format!("the run's parameters: {list}"));
                if let Some(help) = crate::model::elab::did_you_mean(name, known.iter().map(String::as_str)) {
                    d = d.help(help);
                }
                self.fail(d)
            }
            (_, many) => {
                let paths: Vec<String> = many.iter().map(|k| self.params[*k].path.clone()).collect();
                self.fail(
                    Diagnostic::error(
                        codes::AMBIGUOUS_PARAMETER,
                        format!("`{name}` stands for several parameters"),
                        span,
                        "which one?",
                    )
                    .help(format!(
                        "use a path: {}",
                        paths.iter().map(|p| format!("`{p}`")).collect::<Vec<_>>().join(" or ")
                    )),
                )
            }
        }
    }

    fn converge(&mut self, fields: &[(ast::Ident, Expr)], span: Span, scope: &Scope) -> Try<Converge> {
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
                    steps = Some(values.values.iter().map(|v| *v as u64).collect::<Vec<_>>());
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
