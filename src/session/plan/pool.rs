//! The pool of a statement: the times it looks at and the axes it takes together.

use std::rc::Rc;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::Op;
use crate::model::elab::{Elab, Try};
use crate::model::results::{Pool, Times};
use crate::model::value::{Scope, Value};
use crate::syntax::ast::{self, ExprKind, PoolSpan};

impl Elab<'_> {
    /// The pool of a statement, and the scope with the indices that it binds.
    pub(in crate::session) fn pool(&mut self, pool: Option<&ast::Pool>, scope: &Scope) -> Try<(Rc<Pool>, Scope)> {
        let inner = scope.child();
        let mut out = Pool::default();
        match pool {
            None => {}
            Some(ast::Pool::At(e)) => {
                let id = self.real_expr(e, scope)?;
                let list = !self.g.is_scalar(id);
                let times = if list { self.elements(id) } else { vec![id] };
                let each = match &e.kind {
                    ExprKind::List(items) if items.len() == times.len() => items.iter().map(|i| i.span).collect(),
                    _ => Vec::new(),
                };
                out.times = Times::At { times, list, span: e.span, each };
            }
            Some(ast::Pool::Over(spans)) => {
                for span in spans {
                    self.pool_span(span, &mut out, scope, &inner)?;
                }
            }
        }
        Ok((Rc::new(out), inner))
    }

    pub(super) fn pool_span(&mut self, span: &PoolSpan, out: &mut Pool, scope: &Scope, inner: &Scope) -> Try<()> {
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
                out.axis_words.push(format!("{} in {}", name.name, crate::syntax::print::expr(range)));
                Ok(())
            }
        }
    }
}
