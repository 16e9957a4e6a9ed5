//! The statements of a run: what is reported, checked and saved.

use std::rc::Rc;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Id, Op, Rate, Ty, VarId};
use crate::model::elab::{Elab, Reported, Try};
use crate::model::later;
use crate::model::messages;
use crate::model::results::{Pool, Times};
use crate::model::value::{Entry, Scope, Value};
use crate::session::plan::{Item, Plan, Save, Statement};
use crate::source::Span;
use crate::syntax::ast::{self, Expr, ExprKind, RunStmt};

impl Elab<'_> {
    pub(super) fn run_statement(&mut self, statement: &RunStmt, plan: &mut Plan, scope: &Scope) -> Try<()> {
        match statement {
            RunStmt::Setting { .. } | RunStmt::Init { .. } => Ok(()),
            RunStmt::Let(l, pool) => {
                // a name that could not be made is known all the same, so that its uses are not told of again
                let named = self.name_let(l, pool.as_ref(), scope);
                if named.is_err() && scope.get(&l.name.name).is_none() {
                    scope.set(&l.name.name, Entry::Broken);
                }
                plan.lets.push(l.name.name.clone());
                named
            }
            RunStmt::Report(exprs, pool) => {
                let (pool, inner) = self.pool(pool.as_ref(), scope)?;
                let mut items = Vec::new();
                let mut broken = false;
                for e in exprs {
                    match self.with_pool(pool.clone(), |s| s.report_item(e, &pool, &inner)) {
                        Ok(item) => items.push(item),
                        Err(Reported) => broken = true,
                    }
                }
                if broken {
                    return Err(Reported);
                }
                self.axes_are_used(&pool, exprs.first().map_or(plan.span, |e| e.span))?;
                plan.statements.push(Statement::Report { items, pool });
                Ok(())
            }
            RunStmt::Check(e, pool) => {
                let (pool, inner) = self.pool(pool.as_ref(), scope)?;
                let statement = self.with_pool(pool.clone(), |s| s.check(e, pool.clone(), &inner))?;
                self.axes_are_used(&pool, e.span)?;
                plan.statements.push(statement);
                Ok(())
            }
            RunStmt::Plot { what, pool, path, span } => {
                let (pool, inner) = self.pool(pool.as_ref(), scope)?;
                let mut result = Ok(());
                for e in what {
                    match self.plot(e, pool.clone(), path.as_deref(), *span, plan, &inner) {
                        Ok(plot) => plan.statements.push(Statement::Plot(plot)),
                        Err(Reported) => result = Err(Reported),
                    }
                }
                result.and_then(|()| self.axes_are_used(&pool, *span))
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

    fn name_let(&mut self, l: &ast::Let, pool: Option<&ast::Pool>, scope: &Scope) -> Try<()> {
        let (pool, inner) = self.pool(pool, scope)?;
        if let Times::At { times, span, .. } = &pool.times
            && times.len() > 1
        {
            let message =
                format!("`{}` names one number, and this is one for each of {} times", l.name.name, times.len());
            return self.error(codes::BAD_TIME, message, *span, "a `let` looks at one time");
        }
        let times = pool.times.clone();
        let mut value = self.with_pool(pool.clone(), |s| s.run_let(l, &inner))?;
        self.axes_are_used(&pool, l.value.span)?;
        // a number of the run has the time that it looks at, wherever its name is used
        if let (Value::Num(id), Times::At { times, .. }) = (&value, &times)
            && let Some(at) = times.first()
            && self.reads_time_alone(*id)
        {
            value = Value::Num(self.g.substitute_vars(&[*id], &[(self.time, *at)])[0]);
        }
        if let Some(Entry::Value(_, first)) = scope.get(&l.name.name)
            && first != Span::default()
        {
            let message = format!("`{}` hides a name of the model", l.name.name);
            let hidden = Diagnostic::error(codes::SHADOWED, message, l.name.span, "declared here");
            return self.fail(hidden.label(first, "already declared here"));
        }
        scope.define(&l.name.name, value, l.name.span);
        Ok(())
    }

    /// Whether the time is all that changes a number in the course of a run.
    fn reads_time_alone(&self, id: Id) -> bool {
        let changing = |v: &&VarId| self.g.var_info(**v).kind.rate() > Rate::Run;
        let mut vars = self.g.vars_of(id).iter().filter(changing).peekable();
        vars.peek().is_some() && vars.all(|v| *v == self.time)
    }

    /// A `let` of a run: a value per path, a number of the run, or a law.
    pub(super) fn run_let(&mut self, l: &ast::Let, scope: &Scope) -> Try<Value> {
        let value = self.expr(&l.value, scope)?;
        if let (Value::Target(_), Some(ty)) = (&value, &l.ty)
            && matches!(&ty.kind, ast::TypeKind::Named(name, _) if name.name != "target")
        {
            return self.unsupported(later::DRAW_IN_RUN, l.value.span);
        }
        self.fit_let(l, value, scope)
    }

    pub(super) fn report_item(&mut self, e: &Expr, pool: &Pool, scope: &Scope) -> Try<Item> {
        let value = self.expr(e, scope)?;
        let id = self.num(&value, e.span)?;
        self.of_statistics(id, pool, e.span, Some(e))?;
        Ok(Item { text: crate::syntax::print::expr(e), value: id, span: e.span })
    }

    /// A number of the run may depend on statistics and parameters, not on a single path; and on the time, where it
    /// looks at one; `meant` is what may have been meant under a statistic.
    fn of_statistics(&mut self, id: Id, pool: &Pool, span: Span, meant: Option<&Expr>) -> Try<()> {
        if self.g.rate(id) <= Rate::Run {
            return Ok(());
        }
        if self.reads_time_alone(id) {
            return match pool.times {
                Times::End | Times::At { .. } | Times::Spread { .. } => Ok(()),
                Times::Over { .. } | Times::LastSteps { .. } => self.fail(
                    Diagnostic::error(
                        codes::BAD_TIME,
                        "this depends on the time, and many times are pooled",
                        span,
                        "which time?",
                    )
                    .help("look at a time, as in `at 1`, or put `t` into the statistic, as in `mean(x - t)`"),
                ),
            };
        }
        let message = "this has a value for each path, not one for the run";
        let d = Diagnostic::error(codes::BAD_STATISTIC, message, span, "not a statistic")
            .help("say which statistic is meant: `mean(...)`, `std(...)`, `quantile(..., 0.95)`");
        let mean = |e: &Expr| format!("mean({})", crate::syntax::print::expr(e));
        self.fail(match meant {
            Some(e) => d.instead(span, mean(e)),
            None => d,
        })
    }

    pub(super) fn check(&mut self, e: &Expr, pool: Rc<Pool>, scope: &Scope) -> Try<Statement> {
        let text = crate::syntax::print::expr(e);
        let sides = match &e.kind {
            ExprKind::Binary(op, a, b)
                if matches!(op, ast::BinaryOp::Lt | ast::BinaryOp::Le | ast::BinaryOp::Gt | ast::BinaryOp::Ge)
                    && messages::chained(*op, a).is_none() =>
            {
                let (x, y) = (self.compared(a, e, scope), self.compared(b, e, scope));
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
                    return self.fail(several_conditions(e).instead(e.span, format!("all({text})")));
                }
                (c, None)
            }
        };
        self.of_statistics(condition, &pool, e.span, None)?;
        Ok(Statement::Check { text, condition, sides, pool, span: e.span })
    }

    /// One side of the comparison `whole`.
    fn compared(&mut self, part: &Expr, whole: &Expr, scope: &Scope) -> Try<Id> {
        let value = self.expr(part, scope)?;
        match &value {
            Value::Num(id) if !self.g.is_scalar(*id) => self.fail(several_conditions(whole)),
            _ => self.scalar(&value, part.span),
        }
    }

    pub(super) fn save(
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
        Ok(Save { columns, every, points: None, first, path: path.into(), span })
    }
}

/// A check of an array.
fn several_conditions(e: &Expr) -> Diagnostic {
    let message = "a check is one condition, and this is an array of them";
    Diagnostic::error(codes::SHAPE_MISMATCH, message, e.span, "an array")
        .help(format!("write `all({})`", crate::syntax::print::expr(e)))
}
