//! The plots of a run: what each needs of the paths, and what it is held against.

use std::rc::Rc;
use std::sync::Arc;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Id, Op, Ty, VarKind};
use crate::model::elab::{Elab, Try, did_you_mean, shape_text};
use crate::model::plots::{self, COUNTED, Looks, Of, PlotKind, Row, SCATTERED, TABLE};
use crate::model::results::{Pool, Times};
use crate::model::statistics::StatKind;
use crate::model::value::Scope;
use crate::session::plan::references::Reference;
use crate::session::plan::{Item, Plan};
use crate::source::Span;
use crate::syntax::ast::{Arg, Expr, ExprKind};
use crate::syntax::print;

/// Quantiles of a fan, from the lowest to the highest.
pub const FAN: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// Bins of a histogram that is to be smoothed.
const FINE: usize = 400;

/// Times of an image of a vector against time.
const AGAINST_TIME: usize = 300;

/// A plot, with all that a run must gather for it.
#[derive(Debug)]
pub struct Plot {
    pub facts: Arc<Facts>,
    /// statistics, by their places in what the run asks for
    pub asked: Vec<usize>,
    /// values of paths that are kept
    pub record: Vec<Id>,
    /// a formula of statistics
    pub value: Option<Item>,
    pub pool: Rc<Pool>,
    pub reference: Option<Reference>,
}

/// What is known of a plot before the run.
#[derive(Clone, Debug)]
pub struct Facts {
    pub kind: PlotKind,
    /// as it is written
    pub text: String,
    /// its values as they are written, with their shapes
    pub labels: Vec<String>,
    pub shapes: Vec<Vec<usize>>,
    /// `n`, `bins`, `lags`
    pub option: usize,
    /// the parameter that a ladder goes along: the last one that is swept
    pub swept: Option<String>,
    /// a figure for each time, on one pair of axes
    pub animated: bool,
    pub path: Option<String>,
    pub span: Span,
}

/// The arguments of a plot, sorted.
pub(super) struct Arguments<'e> {
    pub row: &'static Row,
    pub values: Vec<&'e Expr>,
    pub option: usize,
    pub reference: Option<&'e Expr>,
}

impl Plot {
    /// Paths that are kept where it looks at so many times.
    pub fn first(&self, looks: usize) -> u64 {
        let elements: usize = self.facts.shapes.first().map_or(1, |s| s.iter().product());
        let elements = if self.facts.labels.len() == 2 { elements } else { elements / 2 };
        let points = |most: u64| most.div_ceil((looks * elements).max(1) as u64);
        match self.facts.kind {
            PlotKind::Scatter => points(SCATTERED),
            PlotKind::Density => points(COUNTED),
            PlotKind::Image => 1,
            _ => self.facts.option as u64,
        }
    }
}

impl Elab<'_> {
    /// Works out a plot of a statement with a pool.
    pub(in crate::session) fn plot(
        &mut self,
        e: &Expr,
        pool: Rc<Pool>,
        path: Option<&str>,
        statement: Span,
        plan: &Plan,
        scope: &Scope,
    ) -> Try<Plot> {
        if let Some(path) = path {
            self.ending_is_known(path, statement)?;
        }
        let mut arguments = self.plot_arguments(e, scope)?;
        let mut animated = false;
        let mut pool = pool;
        if arguments.row.of == Of::Plot {
            let frames = arguments.option;
            let [inner] = arguments.values[..] else { return self.wrong_plot_arguments(arguments.row, e.span) };
            arguments = self.plot_arguments(inner, scope)?;
            if !arguments.row.kind.is_still() {
                let still: Vec<&str> = TABLE.iter().filter(|r| r.kind.is_still()).map(|r| r.name).collect();
                let message = format!("`{}` is not a plot of one time, so it cannot be animated", arguments.row.name);
                let d = Diagnostic::error(codes::BAD_PLOT, message, inner.span, "animated here");
                return self.fail(d.note(format!("plots of one time are {}", still.join(", "))));
            }
            if pool.times != Times::End {
                let d =
                    Diagnostic::error(codes::BAD_PLOT, "an animation has times of its own", e.span, "animated here");
                return self.fail(d.help("leave `at` or `over` out; `frames = 50` says how many"));
            }
            pool = Rc::new(Pool { times: Times::Spread { most: frames }, ..(*pool).clone() });
            animated = true;
        }
        let row = arguments.row;
        pool = self.plot_pool(row, pool, e.span)?;
        let mut plot = Plot {
            facts: Arc::new(Facts {
                kind: row.kind,
                text: print::expr(e),
                labels: arguments.values.iter().map(|v| print::expr(v)).collect(),
                shapes: Vec::new(),
                option: arguments.option,
                swept: None,
                animated,
                path: path.map(str::to_string),
                span: e.span,
            }),
            asked: Vec::new(),
            record: Vec::new(),
            value: None,
            pool: pool.clone(),
            reference: None,
        };
        match row.of {
            Of::Statistic => {
                let item = self.with_pool(pool.clone(), |s| s.report_item(arguments.values[0], &pool, scope))?;
                plot.shape_of(vec![self.g.shape(item.value).to_vec()]);
                plot.value = Some(item);
            }
            Of::Values(..) => self.plot_values(&mut plot, &arguments, scope)?,
            Of::Plot | Of::Nothing => {}
        }
        plot.reference = match arguments.reference {
            Some(r) => Some(self.plot_reference(row, r, &plot.facts, scope)?),
            None => self.law_of_plot(&plot, &arguments, plan),
        };
        Ok(plot)
    }

    pub(in crate::session) fn ending_is_known(&mut self, path: &str, span: Span) -> Try<()> {
        let lower = path.to_ascii_lowercase();
        if lower.ends_with(".svg") || lower.ends_with(".png") {
            return Ok(());
        }
        let message = format!("the ending of `{path}` names no format of a plot");
        let d = Diagnostic::error(codes::BAD_SETTING, message, span, "unknown ending");
        self.fail(d.help("end it in `.svg` or `.png`"))
    }

    /// The kind of a plot with its arguments.
    fn plot_arguments<'e>(&mut self, e: &'e Expr, scope: &Scope) -> Try<Arguments<'e>> {
        let (name, args, span): (&str, &'e [Arg], Span) = match &e.kind {
            ExprKind::Call(callee, args) => match &callee.kind {
                ExprKind::Name(name) => (name, args, callee.span),
                _ => ("", args, callee.span),
            },
            _ => ("", &[], e.span),
        };
        let Some(row) = plots::find(name) else {
            let names: Vec<&str> = TABLE.iter().map(|r| r.name).collect();
            let (message, label) = match name {
                "" => ("a plot is a kind with what it is of".to_string(), "not a kind of plot"),
                _ => (format!("`{name}` is not a kind of plot"), "unknown kind"),
            };
            let help = match did_you_mean(name, names.iter().copied()) {
                Some(near) if !name.is_empty() => near,
                _ => {
                    let of = if name.is_empty() { crate::syntax::print::expr(e) } else { "x".into() };
                    format!("write `paths({of})`, `fan({of})` or `histogram({of})`")
                }
            };
            let d = Diagnostic::error(codes::BAD_PLOT, message, span, label);
            return self.fail(d.note(format!("kinds of plots are {}", names.join(", "))).help(help));
        };
        let (least, most) = match row.of {
            Of::Values(least, most) => (least, most),
            Of::Statistic | Of::Plot => (1, 1),
            Of::Nothing => (0, 0),
        };
        let mut found = Arguments { row, values: Vec::new(), option: row.option.map_or(0, |o| o.1), reference: None };
        for arg in args {
            let own = arg.name.as_ref().map(|n| n.name.as_str());
            match (own, row.option) {
                (None, _) if found.values.len() < most => found.values.push(&arg.value),
                (Some("reference"), _) if row.reference => found.reference = Some(&arg.value),
                (None, Some((option, _, top))) => found.option = self.plot_option(option, top, &arg.value, scope)?,
                (Some(name), Some((option, _, top))) if name == option => {
                    found.option = self.plot_option(option, top, &arg.value, scope)?;
                }
                (Some(name), _) => {
                    let message = format!("`{}` has no argument `{name}`", row.name);
                    let d = Diagnostic::error(codes::UNKNOWN_ARGUMENT, message, arg.value.span, "not known");
                    return self.fail(d.note(format!("it is written `{}`", row.signature)));
                }
                (None, None) => return self.wrong_plot_arguments(row, e.span),
            }
        }
        if found.values.len() < least { self.wrong_plot_arguments(row, e.span) } else { Ok(found) }
    }

    fn wrong_plot_arguments<T>(&mut self, row: &Row, span: Span) -> Try<T> {
        let message = format!("these are not the arguments of `{}`", row.name);
        let d = Diagnostic::error(codes::WRONG_ARITY, message, span, "drawn here");
        self.fail(d.note(format!("it is written `{}`", row.signature)).help(row.doc))
    }

    fn plot_option(&mut self, name: &str, most: usize, e: &Expr, scope: &Scope) -> Try<usize> {
        let n = self.int_expr(e, scope)?;
        match usize::try_from(n) {
            Ok(n) if (1..=most).contains(&n) => Ok(n),
            _ => self.error(
                codes::OUT_OF_RANGE,
                format!("`{name}` of a plot is from 1 to {most}, and this is {n}"),
                e.span,
                "outside",
            ),
        }
    }

    /// The pool of a plot: that of its statement, or the times that its kind looks at by itself.
    fn plot_pool(&mut self, row: &Row, pool: Rc<Pool>, span: Span) -> Try<Rc<Pool>> {
        let pooled = matches!(pool.times, Times::Over { .. } | Times::LastSteps { .. });
        match row.looks {
            Looks::Over if !pooled => self.fail(
                Diagnostic::error(codes::BAD_TIME, format!("`{}` is of many times", row.name), span, "which times?")
                    .help("end the statement in `over t in [a, b] every s`, or in `over last 1_000 steps`"),
            ),
            Looks::Spread(most) if pool.times == Times::End => {
                Ok(Rc::new(Pool { times: Times::Spread { most }, ..(*pool).clone() }))
            }
            // quantiles of each time are wanted, so none are pooled
            Looks::Spread(_) if row.kind == PlotKind::Fan && pooled => self.fail(
                Diagnostic::error(codes::BAD_TIME, "a fan has quantiles at each time", span, "many times are pooled")
                    .help("leave `over` out, which is for all plots of its statement, or name the times: `at [0.5, 1, 2]`"),
            ),
            _ => Ok(pool),
        }
    }

    /// What a plot of values asks the run for.
    fn plot_values(&mut self, plot: &mut Plot, arguments: &Arguments<'_>, scope: &Scope) -> Try<()> {
        let mut ids = Vec::new();
        for e in &arguments.values {
            let value = self.expr(e, scope)?;
            let id = self.num(&value, e.span)?;
            let id = if self.g.ty(id) == Ty::Bool {
                self.elementwise_raw(&[id], |g, a| g.op(Op::ToReal, a))
            } else {
                self.to_real(id, e.span)?
            };
            ids.push(id);
        }
        let span = plot.facts.span;
        let of_statistics = ids.iter().any(|id| self.has_result(*id));
        if plot.facts.kind == PlotKind::Image && of_statistics {
            return self.image_of_statistic(plot, arguments, scope);
        }
        if of_statistics {
            let message = format!("`{}` of an expression that has a statistic in it", arguments.row.name);
            let d = Diagnostic::error(codes::BAD_PLOT, message, span, "known only when the run is over");
            return self.fail(d.help("draw the values of the paths; `ladder(s)` draws statistics of a sweep"));
        }
        let own: Vec<Vec<usize>> = ids.iter().map(|id| self.g.shape(*id).to_vec()).collect();
        self.plot_shapes(arguments, &own, span)?;
        let used: Vec<u32> =
            plot.pool.axes.iter().filter(|a| ids.iter().any(|id| self.g.has_free(*id, a.id))).map(|a| a.id).collect();
        if let Some(run) = &mut self.run {
            run.pooled.extend(used);
        }
        let ids: Vec<Id> = ids.into_iter().map(|id| self.map_over(&plot.pool.axes, id)).collect();
        plot.shape_of(ids.iter().map(|id| self.g.shape(*id).to_vec()).collect());
        let pool = plot.pool.clone();
        match plot.facts.kind {
            PlotKind::Fan => {
                let stat = StatKind::Quantile { at: FAN.to_vec(), list: true };
                let shape = own[0].iter().copied().chain([FAN.len()]).collect();
                plot.asked.push(self.ask(stat, ids, pool, shape, span));
                plot.shape_of(own);
            }
            PlotKind::Histogram | PlotKind::Density if plot.is_on_the_line() => {
                let bins = match (plot.facts.kind, plot.facts.option) {
                    (PlotKind::Density, _) => Some(FINE),
                    (_, 0) => None,
                    (_, n) => Some(n),
                };
                let shape = own[0].iter().copied().chain([1]).collect();
                plot.asked.push(self.ask(StatKind::Histogram { bins }, ids, pool, shape, span));
                plot.shape_of(own);
            }
            PlotKind::Autocorr => {
                for lag in 0..=plot.facts.option {
                    let stat = StatKind::Autocorr { lag };
                    plot.asked.push(self.ask(stat, ids.clone(), pool.clone(), own[0].clone(), span));
                }
                plot.shape_of(own);
            }
            PlotKind::Image if own[0].len() == 1 && pool.times == Times::End => {
                plot.pool = Rc::new(Pool { times: Times::Spread { most: AGAINST_TIME }, ..(*pool).clone() });
                plot.record = ids;
            }
            _ => plot.record = ids,
        }
        Ok(())
    }

    fn has_result(&self, id: Id) -> bool {
        self.g.vars_of(id).iter().any(|v| self.g.var_info(*v).kind == VarKind::Result)
    }

    /// The shapes that a kind can draw.
    fn plot_shapes(&mut self, arguments: &Arguments<'_>, shapes: &[Vec<usize>], span: Span) -> Try<()> {
        let row = arguments.row;
        let wrong = match (row.kind, shapes) {
            (PlotKind::Scatter | PlotKind::Phase, [one]) if one.last() != Some(&2) => {
                "wants two values, or vectors of two"
            }
            (PlotKind::Scatter | PlotKind::Phase | PlotKind::Density, [a, b]) if a != b => {
                "wants two values of one shape"
            }
            (PlotKind::Image, [one]) if !(1..=2).contains(&one.len()) => "wants a vector or a matrix",
            _ => return Ok(()),
        };
        let given: Vec<String> = shapes.iter().map(|s| of_shape(s)).collect();
        let message = format!("`{}` {wrong}", row.name);
        let label = format!("this is {}", given.join(" and "));
        let d = Diagnostic::error(codes::SHAPE_MISMATCH, message, span, label);
        self.fail(d.note(format!("it is written `{}`", row.signature)))
    }

    fn image_of_statistic(&mut self, plot: &mut Plot, arguments: &Arguments<'_>, scope: &Scope) -> Try<()> {
        let (e, pool) = (arguments.values[0], plot.pool.clone());
        let item = self.with_pool(pool.clone(), |s| s.report_item(e, &pool, scope))?;
        let shape = self.g.shape(item.value).to_vec();
        if shape.len() != 2 {
            let label = format!("this is {}", of_shape(&shape));
            return self.error(codes::SHAPE_MISMATCH, "`image` of a statistic wants a matrix", e.span, label);
        }
        plot.shape_of(vec![shape]);
        plot.value = Some(item);
        Ok(())
    }

    /// Works something out and takes back what it asked the run for.
    pub(super) fn without_trace<T>(&mut self, body: impl FnOnce(&mut Self) -> T) -> T {
        let count = |s: &Self| s.run.as_ref().map_or((0, 0), |r| (r.asked.len(), r.formulas.len()));
        let (asked, formulas) = count(self);
        let result = body(self);
        if let Some(run) = &mut self.run {
            run.asked.truncate(asked);
            run.formulas.truncate(formulas);
        }
        result
    }

    /// What can be told of plots only when all of the run is known.
    pub(super) fn check_plots(&mut self, plan: &mut Plan) -> Try<()> {
        let swept = plan.sweeps.last().map(|(k, _)| self.params[*k].name.clone());
        for statement in &mut plan.statements {
            if let super::Statement::Plot(plot) = statement {
                plot.with(|facts| facts.swept.clone_from(&swept));
            }
        }
        for statement in &plan.statements {
            let super::Statement::Plot(plot) = statement else { continue };
            let row = plot.facts.kind.row();
            let of_orders = row.of == Of::Nothing;
            let (message, help) = match (of_orders, plan.converge.is_some()) {
                (true, false) => (
                    format!("`{}` is of a run with `converge`, and this run has none", row.name),
                    "add `converge steps = [16, 32, 64], reference = 1024`",
                ),
                (false, true) => (
                    format!("a run with `converge` compares steps, and gathers nothing for `{}`", row.name),
                    "draw `convergence()` or `work_precision()`, or make a run without `converge`",
                ),
                _ if row.kind == PlotKind::Ladder && plan.sweeps.is_empty() => {
                    ("a ladder is of a sweep, and this run has none".to_string(), "add `sweep NAME = [0.5, 1, 2]`")
                }
                _ if plan.time.is_none() && matches!(plot.pool.times, Times::Spread { .. }) => (
                    format!("`{}` is against time, and this run has none", plot.facts.text),
                    "draw `histogram(x)` or `scatter(x, y)`, or give the run a time and a solver",
                ),
                _ => continue,
            };
            let label = if of_orders { "no steps to compare" } else { "drawn here" };
            return self.fail(Diagnostic::error(codes::BAD_PLOT, message, plot.facts.span, label).help(help));
        }
        Ok(())
    }
}

/// A value of a shape, in words.
pub(super) fn of_shape(shape: &[usize]) -> String {
    if shape.is_empty() { "a single number".into() } else { format!("an array of the shape {}", shape_text(shape)) }
}

impl Plot {
    fn shape_of(&mut self, shapes: Vec<Vec<usize>>) {
        self.with(|facts| facts.shapes = shapes);
    }

    fn with(&mut self, change: impl FnOnce(&mut Facts)) {
        let mut facts = (*self.facts).clone();
        change(&mut facts);
        self.facts = Arc::new(facts);
    }

    /// Of one value, which is no point of the plane.
    fn is_on_the_line(&self) -> bool {
        let of_points = self.facts.kind == PlotKind::Density
            && (self.facts.labels.len() == 2 || self.facts.shapes.first().is_some_and(|s| *s == [2]));
        !of_points
    }
}
