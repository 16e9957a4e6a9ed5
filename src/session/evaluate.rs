//! Expressions by themselves, as at a prompt: over the declarations of a session and over what its runs kept.
//!
//! A statistic of kept states is worked out like one of a run: a run without steps whose paths start where those of the
//! earlier one ended. So it has the same standard error, and the same bits.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::diagnostics::{Diagnostic, codes};
use crate::kernels::lane::Precision;
use crate::math::array::Array;
use crate::math::{Base, Id, Rate, Ty, VarId, VarKind};
use crate::model::elab::{Elab, Try};
use crate::model::results::{self, Given, RunContext};
use crate::model::system::{Model, State};
use crate::model::value::{Scope, Value};
use crate::output::result::{Report, Values, When};
use crate::runtime::Recorded;
use crate::session::about::made;
use crate::session::compile::{Backend, parameters};
use crate::session::execute::Execution;
use crate::session::keep::Kept;
use crate::session::load::Loaded;
use crate::session::plan::{Item, Noise, Plan, Statement};
use crate::session::replay::{Replay, Row};
use crate::source::Span;
use crate::syntax::ast::{Arg, Expr, ExprKind};
use crate::syntax::print_expr;

/// What one run found, under the text that names it: `r`, or `r[1]` for the second of its variants. Numbers without such
/// a name are known by their own.
#[derive(Clone, Copy, Debug)]
pub struct Earlier<'a> {
    pub name: &'a str,
    pub kept: &'a Kept,
}

/// What an expression comes to.
#[derive(Clone, Debug)]
pub enum Answer {
    /// numbers, with their standard errors where there is chance in them
    Numbers {
        values: Values,
        ty: Ty,
        notes: Vec<String>,
    },
    /// a value for each path that was kept: its statistics
    Paths {
        reports: Vec<Report>,
        paths: usize,
        /// none where the paths are drawn at once
        end: Option<f64>,
    },
    Text(String),
    /// something that is no number, in words
    Thing(String),
}

impl Answer {
    /// What it is, in a few words.
    pub fn kind(&self) -> &str {
        match self {
            Answer::Numbers { .. } => "a number",
            Answer::Paths { .. } => "a value for each path",
            Answer::Text(_) => "a text",
            Answer::Thing(words) => words,
        }
    }
}

/// The type of an expression, in the words of the language.
pub fn type_of(loaded: &Loaded, e: &Expr, earlier: &[Earlier<'_>]) -> Result<String, Vec<Diagnostic>> {
    with_results(loaded, earlier, |elab, _, scope| {
        let value = elab.expr(&made(&loaded.library, e), scope)?;
        let value = if let Value::Draw(_) = value { Value::Num(elab.num(&value, e.span)?) } else { value };
        Ok(elab.type_words(&value))
    })
}

/// The value of an expression.
pub fn evaluate(
    loaded: &Loaded,
    e: &Expr,
    earlier: &[Earlier<'_>],
    stop: &AtomicBool,
) -> Result<Answer, Vec<Diagnostic>> {
    with_results(loaded, earlier, |elab, bound, scope| {
        let value = elab.expr(e, scope)?;
        match &value {
            Value::Num(_) | Value::Int(_) | Value::Dim(_) | Value::Draw(_) => {
                let id = elab.num(&value, e.span)?;
                elab.answer(e, id, bound, earlier, stop)
            }
            Value::Text(text) => Ok(Answer::Text(text.to_string())),
            other => Ok(Answer::Thing(elab.type_words(other))),
        }
    })
}

/// The variables that stand for what was kept.
#[derive(Default)]
pub(super) struct Bound {
    pub rows: Vec<BoundRows>,
}

/// A name of a run: a variable that stands for the value of a path.
pub(super) struct BoundRows {
    pub var: VarId,
    name: String,
    /// index among the earlier runs, and the first row of its record
    pub run: usize,
    first: usize,
}

/// Which of the kept values are taken.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// of all paths, where they ended
    Ends,
    /// of a few paths, at all the times that were kept
    Whole,
}

impl Part {
    pub fn of(self, kept: &Kept) -> &Recorded {
        match self {
            Part::Ends => &kept.last,
            Part::Whole => &kept.whole,
        }
    }
}

pub(super) fn with_results<T>(
    loaded: &Loaded,
    earlier: &[Earlier<'_>],
    body: impl FnOnce(&mut Elab<'_>, &Bound, &Scope) -> Try<T>,
) -> Result<T, Vec<Diagnostic>> {
    let mut elab = Elab::new(&loaded.library, &loaded.sources);
    elab.run = Some(RunContext::default());
    let scope = elab.root_scope(false);
    let bound = elab.bind_results(earlier, &scope);
    let result = body(&mut elab, &bound, &scope);
    match result {
        Ok(value) if !elab.has_errors() => Ok(value),
        _ => Err(elab.diagnostics),
    }
}

impl Elab<'_> {
    /// Gives the results of runs their names: `r.x`.
    fn bind_results(&mut self, earlier: &[Earlier<'_>], scope: &Scope) -> Bound {
        let mut bound = Bound::default();
        for (run, result) in earlier.iter().enumerate() {
            let mut found = HashMap::new();
            let mut first = 0;
            for (name, shape) in &result.kept.names {
                let label = format!("{}.{name}", result.name);
                let var = self.g.new_var(label, VarKind::State, Ty::Real, shape.clone());
                found.insert(name.clone(), Value::Num(self.g.var(var)));
                bound.rows.push(BoundRows { var, name: name.clone(), run, first });
                first += shape.iter().product::<usize>();
            }
            for (name, values) in &result.kept.numbers {
                let [value, se] =
                    ["value", "se"].map(|what| self.g.new_var(what, VarKind::Result, Ty::Real, values.shape.clone()));
                let errors = if values.se.len() == values.values.len() { values.se.clone() } else { Vec::new() };
                let errors = if errors.is_empty() { vec![0.0; values.values.len()] } else { errors };
                let array = |numbers: Vec<f64>| Array::new(values.shape.clone(), numbers);
                let given = Given { value, se, numbers: array(values.values.clone()), errors: array(errors) };
                self.run.as_mut().expect("made with a context").given.push(given);
                found.insert(name.clone(), Value::Num(self.g.var(value)));
            }
            if result.name.is_empty() {
                found.into_iter().for_each(|(name, value)| scope.define(name, value, Span::default()));
            } else {
                self.found.insert(result.name.to_string(), found);
            }
        }
        bound
    }

    fn answer(&mut self, e: &Expr, id: Id, bound: &Bound, earlier: &[Earlier<'_>], stop: &AtomicBool) -> Try<Answer> {
        let own = |v: &VarId| bound.rows.iter().any(|r| r.var == *v);
        let moving: Vec<VarId> =
            self.g.vars_of(id).iter().copied().filter(|v| self.g.var_info(*v).kind.rate() > Rate::Run).collect();
        if let Some(other) = moving.iter().find(|v| !own(v)) {
            let name = self.g.var_info(*other).name.clone();
            let d = Diagnostic::error(
                codes::BAD_STATISTIC,
                format!("`{name}` has no value outside of a run"),
                e.span,
                "depends on it",
            );
            return self.fail(d.help("ask it of a run that is over: `mean(r.x)` for the run `r`"));
        }
        let per_path = !moving.is_empty();
        let items = if per_path {
            self.summary(e, id)?
        } else {
            vec![Item { text: print_expr::spaced(e), value: id, span: e.span }]
        };
        let (reports, sample) = self.reports(e, items, bound, earlier, stop)?;
        if per_path {
            let (paths, end) = sample.unwrap_or_default();
            return Ok(Answer::Paths { reports, paths, end });
        }
        let report = reports.into_iter().next();
        let (values, notes) = report.map(|r| (r.value, r.notes)).unwrap_or_default();
        Ok(Answer::Numbers { values, ty: self.g.ty(id), notes })
    }

    /// What is told of something that has a value for each path.
    fn summary(&mut self, e: &Expr, id: Id) -> Try<Vec<Item>> {
        let span = e.span;
        let text = print_expr::spaced(e);
        let scope = Scope::top(false);
        scope.define("it", Value::Num(id), span);
        let name = Expr { kind: ExprKind::Name("it".into()), span };
        let number =
            |value: f64| Expr { kind: ExprKind::Number { value, text: value.to_string(), integer: false }, span };
        let quantiles = Expr { kind: ExprKind::List([0.05, 0.5, 0.95].map(number).to_vec()), span };
        let asked: [(&str, &[&Expr]); 3] = [("mean", &[&name]), ("std", &[&name]), ("quantile", &[&name, &quantiles])];
        let mut items = Vec::new();
        for (statistic, args) in asked {
            let row = results::statistic(statistic).expect("a row of the table");
            let given: Vec<Arg> = args.iter().map(|a| Arg { name: None, value: (*a).clone(), comp: None }).collect();
            let value = self.statistic_call(row, &given, &scope, span)?;
            let more = if args.len() > 1 { ", [0.05, 0.5, 0.95]" } else { "" };
            items.push(Item { text: format!("{statistic}({text}{more})"), value: self.num(&value, span)?, span });
        }
        Ok(items)
    }

    /// The values of items over the kept states that they use; how many paths there are, and their time.
    fn reports(
        &mut self,
        e: &Expr,
        items: Vec<Item>,
        bound: &Bound,
        earlier: &[Earlier<'_>],
        stop: &AtomicBool,
    ) -> Try<(Vec<Report>, Option<(usize, Option<f64>)>)> {
        let context = self.run.take().unwrap_or_default();
        let used =
            |row: &&BoundRows| context.asked.iter().any(|a| a.args.iter().any(|arg| self.g.depends_on(*arg, row.var)));
        let used: Vec<&BoundRows> = bound.rows.iter().filter(used).collect();
        if let (None, Some(asked)) = (used.first(), context.asked.iter().find(|a| !a.args.is_empty())) {
            return self.of_no_paths(asked.stat.name(), e.span);
        }
        let sample = used.first().map(|r| earlier[r.run].kept);
        let paths = self.common_paths(&used, earlier, Part::Ends, e.span)?;
        let gathered = !context.asked.is_empty();
        let (states, replay) = self.sample(&used, earlier, Part::Ends, e.span);
        let statements = vec![Statement::Report { items, pool: Default::default() }];
        let plan = self.plan_of_sample(states, replay, statements, context, paths as u64, e.span);
        let how = Execution { backend: Backend::Auto, lanes: None, stop, set: &[], progress: None };
        let reports = if gathered {
            self.execute(&plan, how)?.variants.into_iter().next().map(|v| v.reports).unwrap_or_default()
        } else {
            self.without_paths(&plan, how)?
        };
        Ok((reports, sample.map(|kept| (kept.last.paths.len(), kept.is_in_time().then_some(kept.end)))))
    }

    /// A statistic of something that is the same for all paths.
    fn of_no_paths<T>(&mut self, name: &str, span: Span) -> Try<T> {
        let message = format!("`{name}` is over the paths of a run, and none is named");
        let d = Diagnostic::error(codes::BAD_STATISTIC, message, span, "the same for all paths");
        self.fail(d.help(format!("write `{name}(r.x)` for what the run `r` kept; the average of an array is `avg(a)`")))
    }

    /// Items that no statistic of paths is in.
    fn without_paths(&mut self, plan: &Plan, how: Execution<'_>) -> Try<Vec<Report>> {
        let mut env = parameters(self, &[]);
        plan.context.give(&mut env);
        self.expectations(plan, how, &mut env)?;
        self.invariances(plan, &mut env, &mut HashMap::new())?;
        let items = plan.statements.iter().flat_map(|s| match s {
            Statement::Report { items, .. } => items.as_slice(),
            _ => &[],
        });
        Ok(items.map(|item| self.report_line(plan, item, When::At(0.0), &[], &mut env)).collect())
    }

    /// How many paths the runs kept that are used: one number for all of them.
    pub(super) fn common_paths(
        &mut self,
        used: &[&BoundRows],
        earlier: &[Earlier<'_>],
        part: Part,
        span: Span,
    ) -> Try<usize> {
        let paths = |row: &BoundRows| part.of(earlier[row.run].kept).paths.len();
        let first = used.first().map_or(1, |row| paths(row));
        let Some(other) = used.iter().map(|row| paths(row)).find(|n| *n != first) else { return Ok(first) };
        let message = format!("these runs kept different numbers of paths, {first} and {other}");
        let d = Diagnostic::error(codes::SHAPE_MISMATCH, message, span, "paths of both");
        self.fail(d.help("keep what is asked of one as a number, `let m = mean(r.x)`, or give both the same `paths`"))
    }

    /// States that start at the first of the kept values, with these as draws.
    pub(super) fn sample(
        &mut self,
        used: &[&BoundRows],
        earlier: &[Earlier<'_>],
        part: Part,
        span: Span,
    ) -> (Vec<State>, Replay) {
        let (mut states, mut rows) = (Vec::new(), Vec::new());
        for (site, row) in used.iter().enumerate() {
            let shape = self.g.var_info(row.var).shape.clone();
            let kind = VarKind::Draw { base: Base::Normal, site: site as u32, turn: 0 };
            let draw = self.g.new_var("kept", kind, Ty::Real, shape.clone());
            let components = shape.iter().product();
            rows.push(Row::of(part.of(earlier[row.run].kept), row.first, components));
            states.push(State {
                name: row.name.clone(),
                span,
                var: row.var,
                shape,
                start: self.g.var(draw),
                start_span: span,
                flow: None,
                written: None,
                flow_span: None,
            });
        }
        (states, Replay { rows })
    }

    /// A run without steps of such states.
    pub(super) fn plan_of_sample(
        &mut self,
        states: Vec<State>,
        replay: Replay,
        statements: Vec<Statement>,
        context: RunContext,
        paths: u64,
        span: Span,
    ) -> Plan {
        let scope = Scope::top(false);
        let model = Model { states, ..self.no_model(span, &scope) };
        Plan {
            name: String::new(),
            span,
            structured: self.structured(&model),
            model,
            steps: Vec::new(),
            titles: Vec::new(),
            time: None,
            paths,
            seed: 0,
            threads: None,
            precision: Precision::Double,
            noise: Noise::Stream,
            replay: Some(Arc::new(replay)),
            statements,
            sweeps: Vec::new(),
            converge: None,
            context,
            lets: Vec::new(),
            settings: Default::default(),
            scope,
        }
    }
}
