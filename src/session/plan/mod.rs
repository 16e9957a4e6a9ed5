//! A run worked out: its settings, its model and solvers, what its statements ask for.

mod arguments;
mod parameters;
pub mod plots;
mod pool;
pub mod references;
mod settings;
mod solvers;
mod statements;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::diagnostics::{Diagnostic, Edit, codes};
use crate::kernels::lane::Precision;
use crate::math::{Id, Ty, VarKind};
use crate::model::elab::{Elab, Reported, Try};
use crate::model::library::item_name;
use crate::model::resolve;
use crate::model::results::{Pool, RunContext};
use crate::model::system::Model;
use crate::model::value::{Entry, Scope};
use crate::session::plan::plots::Plot;
use crate::session::replay::Replay;
use crate::solve::form::Structured;
use crate::solve::rule::Step;
use crate::source::Span;
use crate::syntax::ast::{self, Expr, Run, RunStmt, SettingUnit};

/// A run, ready to be compiled.
#[derive(Debug)]
pub struct Plan {
    pub name: String,
    pub span: Span,
    pub model: Model,
    pub structured: Structured,
    /// one step for each solver; none where the model is a target that is drawn
    pub steps: Vec<Step>,
    /// what their solvers are called in the results
    pub titles: Vec<String>,
    pub time: Option<TimeSpec>,
    pub paths: u64,
    pub seed: u64,
    pub threads: Option<usize>,
    /// of states and steps
    pub precision: Precision,
    pub noise: Noise,
    /// values in place of the draws of starts
    pub replay: Option<Arc<Replay>>,
    pub statements: Vec<Statement>,
    /// parameter (index in the elaborator's list) and its values
    pub sweeps: Vec<(usize, Vec<f64>)>,
    pub converge: Option<Converge>,
    pub context: RunContext,
    /// names of the run's own `let`s
    pub lets: Vec<String>,
    /// in the words of the program
    pub settings: BTreeMap<String, String>,
    /// first and last site used by starts
    pub scope: Scope,
}

impl Plan {
    /// Threads to run on: those asked for, or all of the machine.
    pub fn threads(&self) -> usize {
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    }
}

/// Where the increments of a run's noises come from.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Noise {
    /// a draw for each step
    #[default]
    Stream,
    /// one Brownian path, whatever the steps
    Tree,
}

/// The time of a run; numbers are of run rate.
#[derive(Clone, Debug)]
pub enum TimeSpec {
    Stepped {
        from: Id,
        to: Id,
        step: Id,
        span: Span,
        step_span: Span,
    },
    /// t = 0, 1, ..., n
    Count {
        steps: u64,
    },
    Grid {
        times: Id,
        span: Span,
    },
    /// steps that each path chooses by their errors
    Adaptive {
        from: Id,
        to: Id,
        tol: Id,
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
    Report { items: Vec<Item>, pool: Rc<Pool> },
    Check { text: String, condition: Id, sides: Option<(Id, Id)>, pool: Rc<Pool>, span: Span },
    Save(Save),
    Plot(Plot),
}

impl Statement {
    /// The formulas of statistics that it tells, with their errors.
    pub fn items(&self) -> &[Item] {
        match self {
            Statement::Report { items, .. } => items,
            Statement::Plot(plot) => plot.value.as_slice(),
            _ => &[],
        }
    }

    /// When it looks, where it has a pool.
    pub fn pool(&self) -> Option<&Rc<Pool>> {
        match self {
            Statement::Report { pool, .. } | Statement::Check { pool, .. } => Some(pool),
            Statement::Plot(plot) => Some(&plot.pool),
            Statement::Save(_) => None,
        }
    }
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
    /// at so many points of the grid, spread evenly, in place of `every`
    pub points: Option<u64>,
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
    pub precision: Option<Precision>,
    /// plots are looked at for mistakes, and nothing is gathered for them
    pub without_plots: bool,
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

    /// The unit of a setting, as in `step 1e-3`.
    fn unit(&self, name: &str) -> Option<&'r SettingUnit> {
        self.given.iter().find(|(n, ..)| n.name == name).and_then(|s| s.2)
    }

    /// Each setting as it is written.
    fn words(&self) -> BTreeMap<String, String> {
        let one = |(name, value, unit): &(&ast::Ident, &Expr, Option<&SettingUnit>)| {
            (name.name.clone(), crate::syntax::print::setting(value, *unit))
        };
        self.given.iter().map(one).collect()
    }

    fn get(&self, name: &str) -> Option<(&'r ast::Ident, &'r Expr, Option<&'r SettingUnit>)> {
        self.given.iter().copied().find(|(n, _, _)| n.name == name)
    }
}

/// The statement that makes the run around a place measure orders.
fn converging(at: Span) -> Edit {
    Edit::StatementInto(at, "converge steps = [16, 32, 64], reference = 1024".into())
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
        let scope = self.root_scope(false);
        self.bind_header(&run.name.name, &run.header, &[], span, &scope)?;
        let model = self.run_model(run, &settings, &scope);
        // The run sees the model's names; its own parameters may have the same ones.
        let inner = match &model {
            Ok(model) => self.names_in_run(model),
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
        let tree = settings.get("noise").is_some_and(|s| matches!(&s.1.kind, ast::ExprKind::Name(n) if n == "tree"));
        let adaptive = matches!(settings.unit("time"), Some(SettingUnit::Tol(_)));
        self.coupled_noise = tree || adaptive || run.statements.iter().any(|s| matches!(s, RunStmt::Converge(..)));
        if !broken {
            broken |= self.inits(run, &mut model, &inner).is_err();
            match &solvers {
                Ok(solvers) => match self.steps_of(overrides, solvers, &settings, &model, &structured, span) {
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
            titles: Vec::new(),
            time: None,
            paths: 1_000,
            seed: 0,
            threads: None,
            precision: Precision::Double,
            noise: Noise::Stream,
            replay: None,
            statements: Vec::new(),
            sweeps: Vec::new(),
            converge: None,
            context: RunContext::default(),
            lets: Vec::new(),
            settings: settings.words(),
            scope: inner.clone(),
        };
        // In the order of the text: a setting sees the `let`s before it.
        for statement in &run.statements {
            broken |= match statement {
                RunStmt::Setting { name, .. } => self.plan_setting(&name.name, &settings, overrides, &mut plan, &inner),
                // The parameters of a model that is broken are not known.
                RunStmt::Sweep(..) if broken => Ok(()),
                RunStmt::Plot { .. } if overrides.without_plots => self.without_trace(|s| {
                    let before = plan.statements.len();
                    let planned = s.run_statement(statement, &mut plan, &inner);
                    plan.statements.truncate(before);
                    planned
                }),
                _ => self.run_statement(statement, &mut plan, &inner),
            }
            .is_err();
        }
        let drawn = solvers.as_ref().is_ok_and(Vec::is_empty);
        if settings.get("time").is_none() && !drawn && solvers.is_ok() {
            return self.fail(
                Diagnostic::error(codes::MISSING_SETTING, "the run has a solver and no time", span, "no `time = ...`")
                    .help("add `time = 0 .. 1 step 1e-3`, or `time = 1_000 steps` for a chain")
                    .fix("add `time = 0 .. 1 step 1e-3`", Edit::StatementInto(span, "time = 0 .. 1 step 1e-3".into())),
            );
        }
        if broken {
            return Err(Reported);
        }
        self.sweeps_are_certain(run)?;
        plan.titles = self.titles(&plan, solvers.as_deref().unwrap_or(&[]));
        plan.paths = overrides.paths.unwrap_or(plan.paths);
        plan.seed = overrides.seed.unwrap_or(plan.seed);
        plan.threads = overrides.threads.or(plan.threads);
        plan.precision = overrides.precision.unwrap_or(plan.precision);
        plan.context = self.run.take().unwrap_or_default();
        self.check_plots(&mut plan)?;
        self.whole(&plan, overrides, settings.get("time").map_or(span, |t| t.1.span))?;
        Ok(plan)
    }

    /// What can be told only of all statements together.
    fn whole(&mut self, plan: &Plan, overrides: &Overrides, time: Span) -> Try<()> {
        if matches!(plan.time, Some(TimeSpec::Ends { .. })) && plan.converge.is_none() {
            return self.fail(
                Diagnostic::error(codes::BAD_TIME, "this time has no step", time, "only the ends are given")
                    .help("add `step 1e-3`; a run with `converge` takes its steps from there")
                    .instead(time.after(), " step 1e-3"),
            );
        }
        if let Some(converge) = &plan.converge {
            self.time_of_convergence(plan, converge, time, overrides)?;
        }
        self.check_paths(plan)?;
        if let (Some(converge), false) = (&plan.converge, plan.sweeps.is_empty()) {
            return self.unsupported("a sweep in a run with `converge`", converge.span);
        }
        match plan.context.orders.first() {
            Some(order) if plan.converge.is_none() => self.fail(
                Diagnostic::error(
                    codes::BAD_STATISTIC,
                    "an order is measured over several numbers of steps, and this run has one",
                    order.span,
                    "nothing to compare",
                )
                .help("add `converge steps = [16, 32, 64], reference = 1024`")
                .fix("add `converge`", converging(order.span)),
            ),
            _ => Ok(()),
        }
    }

    /// A run with `converge` has the ends of its time alone: the steps are those that it compares.
    fn time_of_convergence(&mut self, plan: &Plan, converge: &Converge, time: Span, overrides: &Overrides) -> Try<()> {
        let (message, label, help) = match plan.time {
            // that steps are equal is told with the other limits of adaptive time
            Some(TimeSpec::Ends { .. } | TimeSpec::Adaptive { .. }) | None => return Ok(()),
            Some(TimeSpec::Stepped { .. }) if overrides.step.is_some() => (
                "`--step` has no meaning for a run with `converge`",
                "its steps are those of `converge`",
                "leave it out, or name runs with `--run`",
            ),
            Some(TimeSpec::Stepped { .. }) => (
                "this time has a step, and the run takes its steps from `converge`",
                "the step would not be used",
                "leave `step ...` out, as in `time = 0 .. 1`",
            ),
            Some(TimeSpec::Count { .. } | TimeSpec::Grid { .. }) => (
                "`converge` needs a time from `a .. b`",
                "not the ends of a time",
                "write the ends alone, as in `time = 0 .. 1`",
            ),
        };
        let d = Diagnostic::error(codes::BAD_TIME, message, time, label)
            .label(converge.span, "the numbers of steps are here")
            .help(help);
        self.fail(match plan.time {
            Some(TimeSpec::Stepped { step_span, .. }) => d.instead(time.after().to(step_span), ""),
            _ => d,
        })
    }

    /// The model of a run. Statistics have no meaning in it.
    fn run_model(&mut self, run: &Run, settings: &Settings<'_>, scope: &Scope) -> Try<Model> {
        let Some((_, e, _)) = settings.get("model") else {
            // Phases have models of their own; that they wait for a later version is told at each of them.
            if run.statements.iter().any(|s| matches!(s, RunStmt::Phase { .. } | RunStmt::For { .. })) {
                return Err(Reported);
            }
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

    /// The names that a model gives to the statements of its run, which stand in the user's file: what the file declares
    /// stays what it is there, and a model of the library that has the same name inside does not change it.
    fn names_in_run(&self, model: &Model) -> Scope {
        let inner = model.scope.child_in(false);
        for decl in self.library.own().filter(|d| !matches!(d.item.kind, ast::ItemKind::Run(_))) {
            let Some(file) = item_name(&decl.item.kind) else { continue };
            let Some(entry) = model.scope.get(&file.name) else { continue };
            let reported = model.states.iter().any(|s| s.name == file.name)
                || model.target.is_some() && file.name == "x"
                || model.lets.iter().any(|l| l.0 == file.name);
            inner.set(
                &file.name,
                match entry {
                    Entry::Value(_, span) if reported => Entry::Both { model: span, file: file.span },
                    _ => Entry::Outside,
                },
            );
        }
        inner
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
    pub(super) fn no_model(&mut self, span: Span, scope: &Scope) -> Model {
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
            parts: Vec::new(),
        }
    }
}
