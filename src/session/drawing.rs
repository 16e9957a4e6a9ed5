//! Plots of what runs kept, as at a prompt.
//!
//! A plot of the ends of paths is that of a run without steps, whose paths start at what was kept; a plot of whole paths is
//! that of a run whose steps read them. So both are gathered and drawn as those of any run.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::diagnostics::{Diagnostic, codes};
use crate::model::elab::{Elab, Try};
use crate::model::forms::Form;
use crate::model::plots::{self, Looks, Of, PlotKind, Row};
use crate::model::results::{Pool, RunContext, Times};
use crate::model::value::Scope;
use crate::output::number::count;
use crate::session::compile::Backend;
use crate::session::evaluate::{Answer, Bound, BoundRows, Earlier, Part, evaluate, with_results};
use crate::session::execute::Execution;
use crate::session::figures::gather::Gathered;
use crate::session::figures::{Drawn, figures_of};
use crate::session::keep::Kept;
use crate::session::load::Loaded;
use crate::session::plan::plots::{Facts, Plot};
use crate::session::plan::{Plan, Statement, TimeSpec};
use crate::session::replay::Replay;
use crate::session::results::Ran;
use crate::solve::Step;
use crate::source::{FileId, Span};
use crate::syntax::ast::{self, Expr, ExprKind};
use crate::syntax::{self, TokenKind, print};

/// A run that is over, under its name and those of its variants.
#[derive(Clone, Copy, Debug)]
pub struct Past<'a> {
    pub name: &'a str,
    /// `r`, or `r[0]`, `r[1]`, ...
    pub keys: &'a [String],
    pub ran: &'a Ran,
}

/// A plot that is asked for: `histogram(r.x) at 1 to "x.svg"`.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    pub what: &'a Expr,
    pub pool: Option<&'a ast::Pool>,
    pub path: Option<&'a str>,
    pub span: Span,
}

/// The figures of a plot, with what was kept for it in their captions.
pub fn draw(
    loaded: &Loaded,
    wish: Wish<'_>,
    past: &[Past<'_>],
    stop: &AtomicBool,
) -> Result<Vec<Drawn>, Vec<Diagnostic>> {
    let variants: Vec<Variant<'_>> = past.iter().flat_map(Variant::all).collect();
    let earlier: Vec<Earlier<'_>> = variants.iter().map(|v| Earlier { name: v.key, kept: v.kept }).collect();
    let row = kind(wish.what);
    match row {
        Some(row) if row.of == Of::Nothing => {
            with_results(loaded, &[], |elab, _, _| elab.drawing_of_orders(row, wish, past))
        }
        Some(row) if row.kind == PlotKind::Ladder => ladder(loaded, wish, past, &earlier, stop),
        _ => {
            let drawn = with_results(loaded, &earlier, |elab, bound, scope| {
                elab.drawing(wish, row, &Seen { bound, variants: &variants, earlier: &earlier }, scope, stop)
            });
            drawn.map_err(|problems| problems.into_iter().map(of_kept_times).collect())
        }
    }
}

/// The steps of the run that is drawn are the times that another one kept.
fn of_kept_times(mut d: Diagnostic) -> Diagnostic {
    if d.code == codes::OFF_GRID {
        d.message = d.message.replace("is not on the grid of steps", "is none of those that were kept");
        d.notes.iter_mut().for_each(|n| *n = n.replace("the nearest steps are", "the nearest ones are"));
        d.help = Some("take one of these, or give the run a `plot` of its own".into());
    }
    d
}

/// One variant of a run that is over.
struct Variant<'a> {
    key: &'a str,
    kept: &'a Kept,
    ran: &'a Ran,
    index: usize,
}

impl<'a> Variant<'a> {
    fn all(past: &Past<'a>) -> impl Iterator<Item = Variant<'a>> {
        let ran = past.ran;
        let kept = past.keys.iter().zip(&ran.kept).enumerate();
        kept.map(move |(index, (key, kept))| Variant { key, kept, ran, index })
    }

    /// What was kept of it, for a caption.
    fn words(&self, part: Part) -> Option<String> {
        let paths = part.of(self.kept).paths.len() as u64;
        match part {
            Part::Whole => Some(format!("{paths} whole paths were kept, at {} times", self.kept.times.len())),
            Part::Ends if paths < self.ran.finished => Some(format!("the ends of {} paths were kept", count(paths))),
            Part::Ends => None,
        }
    }
}

/// What a plot can be of.
struct Seen<'a> {
    bound: &'a Bound,
    variants: &'a [Variant<'a>],
    earlier: &'a [Earlier<'a>],
}

/// The kind of a plot, where it is one.
fn kind(e: &Expr) -> Option<&'static Row> {
    match &e.kind {
        ExprKind::Call(callee, _) => match &callee.kind {
            ExprKind::Name(name) => plots::find(name),
            _ => None,
        },
        _ => None,
    }
}

impl Elab<'_> {
    /// A plot of values of paths.
    fn drawing(
        &mut self,
        wish: Wish<'_>,
        row: Option<&'static Row>,
        seen: &Seen<'_>,
        scope: &Scope,
        stop: &AtomicBool,
    ) -> Try<Vec<Drawn>> {
        let span = wish.what.span;
        let (mut pool, inner) = self.pool(wish.pool, scope)?;
        // Which times were kept is known when it is known whose.
        let all_times = Times::LastSteps { steps: 0, span };
        if row.is_some_and(|r| r.looks == Looks::Over) && pool.times == Times::End {
            pool = Rc::new(Pool { times: all_times.clone(), ..(*pool).clone() });
        }
        let none = self.plan_of_sample(Vec::new(), Replay::default(), Vec::new(), RunContext::default(), 1, span);
        let mut plot = self.plot(wish.what, pool, wish.path, wish.span, &none, &inner)?;
        let mut context = self.run.take().unwrap_or_default();
        let used: Vec<&BoundRows> = seen.bound.rows.iter().filter(|r| self.is_drawn(&plot, &context, r)).collect();
        let Some(variant) = used.first().map(|r| &seen.variants[r.run]) else {
            let d =
                Diagnostic::error(codes::BAD_PLOT, "no run is named whose paths could be drawn", span, "drawn here");
            return self.fail(d.help("write `r.x` for what the run `r` kept of `x`, as in `histogram(r.x)`"));
        };
        let part = if plot.pool.times == Times::End { Part::Ends } else { Part::Whole };
        if part == Part::Whole && !variant.kept.is_in_time() {
            let message = format!("`{}` kept no paths in time, and this plot is of these", variant.key);
            let d = Diagnostic::error(codes::BAD_PLOT, message, span, "drawn here");
            return self.fail(d.help("draw the ends: `histogram(r.x)`, `density(r.x)`, `scatter(r.x, r.y)`"));
        }
        let paths = self.common_paths(&used, seen.earlier, part, span)?;
        if paths == 0 {
            let message = format!("`{}` kept no paths", variant.key);
            return self.error(codes::BAD_PLOT, message, span, "nothing to draw");
        }
        if plot.pool.times == all_times {
            let pool = Rc::new(Pool { times: self.kept_span(&variant.kept.times, span), ..(*plot.pool).clone() });
            context.asked.iter_mut().for_each(|a| a.pool = pool.clone());
            plot.pool = pool;
        }
        let (states, replay) = self.sample(&used, seen.earlier, part, span);
        let mut plan = self.plan_of_sample(states, replay, vec![Statement::Plot(plot)], context, paths as u64, span);
        if part == Part::Whole {
            self.go_along(&mut plan, &variant.kept.times, span);
        }
        let how = Execution { backend: Backend::Auto, lanes: None, stop, set: &[], progress: None };
        let gathered = self.execute(&plan, how)?.plots;
        Ok(figures(variant, part, gathered))
    }

    fn is_drawn(&self, plot: &Plot, context: &RunContext, row: &BoundRows) -> bool {
        let asked = context.asked.iter().flat_map(|a| &a.args);
        plot.record.iter().chain(asked).any(|id| self.g.depends_on(*id, row.var))
    }

    /// All times that were kept; without the last one where it is nearer than the others are to each other, since lags are
    /// of regular times.
    fn kept_span(&mut self, times: &[f64], span: Span) -> Times {
        let n = times.len();
        let shorter = n > 2 && times[n - 1] - times[n - 2] < (1.0 - 1e-6) * (times[1] - times[0]);
        let last = times[if shorter { n - 2 } else { n - 1 }];
        let (from, to) = (self.g.real(times[0]), self.g.real(last));
        Times::Over { from, to, every: None, words: "the times that were kept".into(), span }
    }

    /// Lets the states of a plan go where they went.
    fn go_along(&mut self, plan: &mut Plan, times: &[f64], span: Span) {
        let data = self.g.new_data("times", vec![times.len()], times.into());
        plan.time = Some(TimeSpec::Grid { times: self.g.data_node(data), span });
        let renew = plan.model.states.iter().map(|s| (s.var, s.start)).collect();
        plan.steps = vec![Step::plain("", Form::Ito, renew)];
    }

    /// The orders of a run with `converge`.
    fn drawing_of_orders(&mut self, row: &Row, wish: Wish<'_>, past: &[Past<'_>]) -> Try<Vec<Drawn>> {
        if let Some(path) = wish.path {
            self.ending_is_known(path, wish.span)?;
        }
        let name = match &wish.what.kind {
            ExprKind::Call(_, args) => args.iter().map(|a| print::expr(&a.value)).collect::<Vec<_>>().join(", "),
            _ => String::new(),
        };
        let measured = |p: &&Past<'_>| p.ran.variants.iter().any(|v| v.converge.is_some());
        let Some(run) = past.iter().filter(measured).find(|p| p.name == name) else {
            let (message, label) = match past.iter().any(|p| p.name == name) {
                true => (format!("`{name}` is a run without `converge`"), "no steps to compare"),
                false => (format!("`{}` is of a run that is over", row.name), "which run?"),
            };
            let known: Vec<&str> = past.iter().filter(measured).map(|p| p.name).collect();
            let help = match known.first() {
                Some(first) => format!("write `{}({first})`", row.name),
                None => "no run with `converge steps = [16, 32, 64], reference = 1024` is over".to_string(),
            };
            return self.fail(Diagnostic::error(codes::BAD_PLOT, message, wish.what.span, label).help(help));
        };
        let facts = facts(row.kind, wish, String::new(), None);
        Ok(figures_of(&of_all(run, vec![gathered(facts, 0, run.ran.finished)])))
    }
}

/// A statistic against the parameter that a run sweeps: the statistic of each variant, under the name of the run.
fn ladder(
    loaded: &Loaded,
    wish: Wish<'_>,
    past: &[Past<'_>],
    earlier: &[Earlier<'_>],
    stop: &AtomicBool,
) -> Result<Vec<Drawn>, Vec<Diagnostic>> {
    with_results(loaded, &[], |elab, _, _| match wish.path {
        Some(path) => elab.ending_is_known(path, wish.span),
        None => Ok(()),
    })?;
    let refused = |message: String, label: &str, help: &str| {
        Err(vec![Diagnostic::error(codes::BAD_PLOT, message, wish.what.span, label).help(help)])
    };
    let ExprKind::Call(_, args) = &wish.what.kind else { return Ok(Vec::new()) };
    let [arg] = &args[..] else {
        return refused("a ladder at the prompt is of one statistic".into(), "drawn here", "write `ladder(mean(r.x))`");
    };
    let swept = |p: &&Past<'_>| p.ran.variants.iter().any(|v| !v.sweep.is_empty());
    let Some(run) = past.iter().filter(swept).find(|p| names(&arg.value, p.name)) else {
        let help = "write `ladder(mean(r.x))` for the run `r`, which has `sweep NAME = [0.5, 1, 2]`";
        return refused("a ladder is of a run with a sweep".into(), "no such run is named", help);
    };
    let last = run.ran.variants.iter().find_map(|v| v.sweep.last()).map(|s| s.0.clone());
    let facts = facts(PlotKind::Ladder, wish, print::expr(&arg.value), last);
    let mut plots = Vec::new();
    for (variant, kept) in run.ran.kept.iter().enumerate() {
        let own = Earlier { name: run.name, kept };
        let all: Vec<Earlier<'_>> = earlier.iter().copied().chain([own]).collect();
        match evaluate(loaded, &arg.value, &all, stop)? {
            Answer::Numbers { values, .. } => {
                let one = gathered(facts.clone(), variant, kept.last.paths.len() as u64);
                plots.push(Gathered { values: vec![values], ..one });
            }
            _ => {
                let help = "write a statistic of it: `ladder(mean(r.x))`";
                return refused("a ladder is of one number for each value".into(), "a value for each path", help);
            }
        }
    }
    Ok(figures_of(&of_all(run, plots)))
}

/// Whether a name stands in an expression.
fn names(e: &Expr, name: &str) -> bool {
    let text = print::expr(e);
    let lexed = syntax::lex(FileId(0), &text);
    lexed.tokens.iter().any(|t| t.kind == TokenKind::Name && &text[t.start..t.end] == name)
}

fn facts(kind: PlotKind, wish: Wish<'_>, label: String, swept: Option<String>) -> Arc<Facts> {
    Arc::new(Facts {
        kind,
        text: print::expr(wish.what),
        labels: vec![label],
        parts: Vec::new(),
        shapes: Vec::new(),
        option: 0,
        swept,
        animated: false,
        path: wish.path.map(str::to_string),
        span: wish.what.span,
    })
}

fn gathered(facts: Arc<Facts>, variant: usize, paths: u64) -> Gathered {
    Gathered {
        facts,
        variant,
        paths,
        times: Vec::new(),
        pooled: None,
        results: Vec::new(),
        record: Default::default(),
        values: Vec::new(),
        backdrop: None,
    }
}

/// A run with other plots.
fn of_all(run: &Past<'_>, plots: Vec<Gathered>) -> Ran {
    Ran { name: run.name.into(), variants: run.ran.variants.clone(), plots, ..Ran::default() }
}

/// The figures of one variant.
fn figures(variant: &Variant<'_>, part: Part, mut plots: Vec<Gathered>) -> Vec<Drawn> {
    let own = variant.ran.variants.get(variant.index).cloned().unwrap_or_default();
    for plot in &mut plots {
        if part == Part::Ends {
            plot.times = if variant.kept.is_in_time() { vec![variant.kept.end] } else { Vec::new() };
        }
        // what was kept are the first of all paths
        if !plot.record.paths.is_empty() {
            plot.paths = variant.ran.finished;
        }
    }
    let ran = Ran { name: variant.key.into(), variants: vec![own], plots, ..Ran::default() };
    let mut drawn = figures_of(&ran);
    if let Some(words) = variant.words(part) {
        drawn.iter_mut().for_each(|d| d.figure.caption += &format!("; {words}"));
    }
    drawn
}
