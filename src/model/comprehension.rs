//! Comprehensions: loops of the graph, or one value after another for lists that are no arrays.

use std::rc::Rc;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Id, IndexVar, Op};
use crate::model::elab::{Elab, MAX_ELEMENTS, Try};
use crate::model::value::{Scope, Value};
use crate::source::Span;
use crate::syntax::ast::{Comp, Expr, Ident};

/// A comprehension whose indices are open: its body is worked out in `scope`.
pub struct Opened {
    pub bounds: Vec<IndexVar>,
    pub scope: Scope,
    pub condition: Option<Id>,
    /// how many comprehensions draws were inside of before
    outside: usize,
}

impl Elab<'_> {
    /// Opens the clauses of a comprehension: indices become open, element names are bound. Draws inside are made anew for
    /// each index until it is closed again.
    pub fn open(&mut self, comp: &Comp, scope: &Scope) -> Try<Opened> {
        let first = self.expr(&comp.clauses[0].1, scope);
        self.open_with(comp, first?, scope)
    }

    /// As `open`, with what the first clause runs over worked out.
    fn open_with(&mut self, comp: &Comp, first: Value, scope: &Scope) -> Try<Opened> {
        let outside = self.draws.as_ref().map_or(0, |d| d.bounds.len());
        let result = self.open_clauses(comp, first, scope);
        if result.is_err() {
            self.leave(outside);
        }
        let (bounds, scope, condition) = result?;
        Ok(Opened { bounds, scope, condition, outside })
    }

    /// Ends the comprehension: draws are outside it again.
    pub fn close(&mut self, opened: &Opened) {
        self.leave(opened.outside);
    }

    fn leave(&mut self, outside: usize) {
        if let Some(draws) = &mut self.draws {
            draws.bounds.truncate(outside);
        }
    }

    fn open_clauses(&mut self, comp: &Comp, first: Value, scope: &Scope) -> Try<(Vec<IndexVar>, Scope, Option<Id>)> {
        let inner = scope.child();
        let mut bounds = Vec::new();
        let mut first = Some(first);
        for (name, over) in &comp.clauses {
            let value = match first.take() {
                Some(value) => value,
                None => self.expr(over, &inner)?,
            };
            let (bound, element) = self.open_clause(&value, over.span)?;
            inner.define(&name.name, element, name.span);
            bounds.push(bound);
            if let Some(draws) = &mut self.draws {
                draws.bounds.push(bound);
            }
        }
        let condition = match &comp.condition {
            None => None,
            Some(c) => {
                let value = self.expr(c, &inner)?;
                let condition = self.boolean(&value, c.span)?;
                if !self.g.is_scalar(condition) {
                    let message = "a condition on indices is one for each of them, and this is an array";
                    return self.error(codes::SHAPE_MISMATCH, message, c.span, "an array");
                }
                Some(condition)
            }
        };
        Ok((bounds, inner, condition))
    }

    fn open_clause(&mut self, over: &Value, span: Span) -> Try<(IndexVar, Value)> {
        let whole;
        let over = match over {
            Value::Pair(_) => {
                let (lo, hi) = self.index_range(over, span)?;
                whole = Value::Range(lo, hi);
                &whole
            }
            Value::Range(lo, hi) if hi.saturating_sub(*lo) > MAX_ELEMENTS as i64 => {
                let message = format!("a loop of {} turns is too long", hi.saturating_sub(*lo));
                let label = format!("more than {MAX_ELEMENTS} turns");
                return self.error(codes::SIZE_UNKNOWN, message, span, label);
            }
            _ => over,
        };
        match over {
            Value::Range(lo, hi) if hi > lo => {
                let bound = self.g.fresh_index((hi - lo) as usize);
                let mut index = self.g.index(bound);
                if *lo != 0 {
                    let offset = self.g.int(*lo);
                    index = self.g.op(Op::Add, &[index, offset]);
                }
                Ok((bound, Value::Num(index)))
            }
            Value::Range(lo, hi) => {
                let message = format!("the range {lo}..{hi} is empty");
                self.error(codes::EMPTY_RANGE, message, span, "no values")
            }
            Value::Num(array) if !self.g.is_scalar(*array) => {
                let bound = self.g.fresh_index(self.g.shape(*array)[0]);
                let index = self.g.index(bound);
                let element = self.row(*array, index);
                Ok((bound, Value::Num(element)))
            }
            other => {
                let message = format!("`for` runs over a range or an array, and this is {}", other.kind());
                self.fail(
                    Diagnostic::error(codes::TYPE_MISMATCH, message, span, "cannot be run over")
                        .help("write `0..n`, or the name of an array"),
                )
            }
        }
    }

    pub(super) fn comprehension(&mut self, body: &Expr, comp: &Comp, scope: &Scope, span: Span) -> Try<Value> {
        let first = self.expr(&comp.clauses[0].1, scope)?;
        if let (Value::List(items), [(name, _)]) = (&first, comp.clauses.as_slice()) {
            return self.over_list(body, comp, name, &items.clone(), scope);
        }
        let opened = self.open_with(comp, first, scope)?;
        let value = self.comprehended(body, comp, &opened, span);
        self.close(&opened);
        value
    }

    fn comprehended(&mut self, body: &Expr, comp: &Comp, opened: &Opened, span: Span) -> Try<Value> {
        if let (Some(_), Some(condition)) = (opened.condition, &comp.condition) {
            return self.fail(
                Diagnostic::error(
                    codes::SIZE_UNKNOWN,
                    "an array comprehension with a condition has no fixed size",
                    condition.span,
                    "how many indices it keeps is not known",
                )
                .label(span, "this array")
                .help("conditions belong to reducers such as `sum(... if c)`; in an array write `if c then a else b`"),
            );
        }
        let value = self.expr(body, &opened.scope)?;
        match value {
            Value::Target(_) if self.draws.is_some() => {}
            Value::Target(_) | Value::Func(_) | Value::Family { .. } if opened.bounds.len() == 1 => {
                return Ok(Value::Family { index: opened.bounds[0], body: Rc::new(value) });
            }
            _ => {}
        }
        let id = self.num(&value, body.span)?;
        let shape: Vec<usize> =
            opened.bounds.iter().map(|b| b.extent).chain(self.g.shape(id).iter().copied()).collect();
        self.fits_memory(&shape, span)?;
        Ok(Value::Num(self.map_over(&opened.bounds, id)))
    }

    /// The array over `bounds` of a body that may itself be an array.
    pub fn map_over(&mut self, bounds: &[IndexVar], body: Id) -> Id {
        let inner: Vec<IndexVar> = self.g.shape(body).to_vec().into_iter().map(|n| self.g.fresh_index(n)).collect();
        let at: Vec<Id> = inner.iter().map(|b| self.g.index(*b)).collect();
        let element = self.element(body, &at);
        let all: Vec<IndexVar> = bounds.iter().chain(&inner).copied().collect();
        self.g.map(&all, element)
    }

    /// A comprehension over a list that is no array: one value for each element, worked out one by one.
    fn over_list(&mut self, body: &Expr, comp: &Comp, name: &Ident, items: &[Value], scope: &Scope) -> Try<Value> {
        if let Some(condition) = &comp.condition {
            return self.unsupported("a condition in a comprehension over a list", condition.span);
        }
        let mut values = Vec::new();
        for item in items {
            let inner = scope.child();
            inner.define(&name.name, item.clone(), name.span);
            values.push((self.expr(body, &inner)?, body.span));
        }
        self.list_of(values)
    }
}
