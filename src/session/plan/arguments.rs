//! The arguments of a plot, by the table of kinds.

use std::rc::Rc;

use crate::diagnostics::{Diagnostic, codes, suggest};
use crate::model::elab::{Elab, Try};
use crate::model::plots::{self, Looks, Of, PlotKind, Row, TABLE};
use crate::model::results::{Pool, Times};
use crate::model::value::Scope;
use crate::source::Span;
use crate::syntax::ast::{Arg, Expr, ExprKind};

/// The arguments of a plot, sorted.
pub(super) struct Arguments<'e> {
    pub row: &'static Row,
    pub values: Vec<&'e Expr>,
    pub option: usize,
    pub reference: Option<&'e Expr>,
}

impl Elab<'_> {
    /// The kind of a plot with its arguments.
    pub(super) fn plot_arguments<'e>(&mut self, e: &'e Expr, scope: &Scope) -> Try<Arguments<'e>> {
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
            let of = if name.is_empty() { crate::syntax::print::expr(e) } else { "x".into() };
            let d = Diagnostic::error(codes::BAD_PLOT, message, span, label)
                .note(format!("kinds of plots are {}", names.join(", ")))
                .help(format!("write `paths({of})`, `fan({of})` or `histogram({of})`"));
            let near = if name.is_empty() { Vec::new() } else { suggest(name, names.iter().copied()) };
            return self.fail(d.did_you_mean(&near, span));
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

    pub(super) fn wrong_plot_arguments<T>(&mut self, row: &Row, span: Span) -> Try<T> {
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
    pub(super) fn plot_pool(&mut self, row: &Row, pool: Rc<Pool>, span: Span) -> Try<Rc<Pool>> {
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
}
