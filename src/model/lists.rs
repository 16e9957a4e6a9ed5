//! Lists and ranges: values put together to arrays, and arrays taken apart.

use std::rc::Rc;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Id, Node, Op, Ty};
use crate::model::elab::{Elab, Try, shape_text};
use crate::model::indexing::unravel;
use crate::model::value::{Scope, Value};
use crate::source::Span;
use crate::syntax::ast::Expr;

/// Rows of so many elements are written out when they are put together.
const MAX_WRITTEN: usize = 4096;

impl Elab<'_> {
    pub(super) fn list(&mut self, items: &[Expr], scope: &Scope) -> Try<Value> {
        let mut values = Vec::new();
        for item in items {
            values.push((self.expr(item, scope), item.span));
        }
        self.list_of(values.into_iter().map(|(v, s)| v.map(|v| (v, s))).collect::<Try<_>>()?)
    }

    /// An array where all values are numbers, else a list.
    pub(super) fn list_of(&mut self, values: Vec<(Value, Span)>) -> Try<Value> {
        let numeric = |v: &Value| matches!(v, Value::Num(_) | Value::Int(_) | Value::Dim(_));
        let draws = self.draws.is_some();
        if !values.is_empty() && values.iter().all(|(v, _)| numeric(v) || (draws && matches!(v, Value::Draw(_)))) {
            return self.stack(&values);
        }
        Ok(Value::List(Rc::new(values.into_iter().map(|(v, _)| v).collect())))
    }

    /// Equal-shaped numbers on a new first axis.
    pub fn stack(&mut self, values: &[(Value, Span)]) -> Try<Value> {
        let mut ids = Vec::new();
        for (value, span) in values {
            ids.push(self.num(value, *span)?);
        }
        let types: Vec<Ty> = ids.iter().map(|i| self.g.ty(*i)).collect();
        if types.windows(2).any(|w| w[0] != w[1]) {
            for (id, (_, span)) in ids.iter_mut().zip(values) {
                *id = self.to_real(*id, *span)?;
            }
        }
        let shape = self.g.shape(ids[0]).to_vec();
        for (id, (_, span)) in ids.iter().zip(values) {
            if self.g.shape(*id) != shape.as_slice() {
                let (here, first) = (shape_text(self.g.shape(*id)), shape_text(&shape));
                return self.fail(
                    Diagnostic::error(
                        codes::SHAPE_MISMATCH,
                        format!("the elements of this array have different shapes, {first} and {here}"),
                        *span,
                        format!("the shape is {here}"),
                    )
                    .label(values[0].1, format!("the shape is {first}")),
                );
            }
        }
        let full: Vec<usize> = std::iter::once(ids.len()).chain(shape).collect();
        self.fits_memory(&full, values[0].1)?;
        if full[1..].iter().product::<usize>() > MAX_WRITTEN {
            return Ok(Value::Num(self.rows(&full, &ids)));
        }
        let mut elements = Vec::new();
        for id in &ids {
            elements.extend(self.elements(*id));
        }
        Ok(Value::Num(self.g.lit(full, elements)))
    }

    /// Large rows on a new first axis: a loop that chooses among them.
    fn rows(&mut self, shape: &[usize], rows: &[Id]) -> Id {
        self.tabulate(shape, |s, at| {
            let mut value = s.element(rows[rows.len() - 1], &at[1..]);
            for (k, row) in rows.iter().enumerate().rev().skip(1) {
                let k = s.g.int(k as i64);
                let here = s.g.op(Op::Eq, &[at[0], k]);
                let own = s.element(*row, &at[1..]);
                value = s.g.op(Op::Select, &[here, own, value]);
            }
            value
        })
    }

    /// All elements of an array in row-major order, as scalars.
    pub fn elements(&mut self, array: Id) -> Vec<Id> {
        if let Node::Lit(_, elements) = self.g.node(array) {
            return elements.clone();
        }
        let shape = self.g.shape(array).to_vec();
        let count: usize = shape.iter().product();
        (0..count)
            .map(|flat| {
                let at: Vec<Id> = unravel(flat, &shape).into_iter().map(|i| self.g.int(i as i64)).collect();
                self.element(array, &at)
            })
            .collect()
    }

    pub(super) fn range(&mut self, lo: &Expr, hi: Option<&Expr>, scope: &Scope, span: Span) -> Try<Value> {
        let Some(hi) = hi else {
            return self.error(
                codes::TYPE_MISMATCH,
                "a range without an end has a meaning only in a slice",
                span,
                "no end",
            );
        };
        let (a, b) = (self.expr(lo, scope)?, self.expr(hi, scope)?);
        match (&a, &b) {
            (Value::Int(_) | Value::Dim(_), Value::Int(_) | Value::Dim(_)) => {
                Ok(Value::Range(self.as_int(&a, lo.span)?, self.as_int(&b, hi.span)?))
            }
            _ => Ok(Value::Pair(Rc::new((a, b)))),
        }
    }

    /// The ends of a range that must be of integers known now.
    pub fn index_range(&mut self, value: &Value, span: Span) -> Try<(i64, i64)> {
        match value {
            Value::Range(lo, hi) => Ok((*lo, *hi)),
            Value::Pair(ends) => Ok((self.as_int(&ends.0, span)?, self.as_int(&ends.1, span)?)),
            other => {
                let message = format!("a range of integers is wanted here, and this is {}", other.kind());
                self.error(codes::TYPE_MISMATCH, message, span, "write `0..n`")
            }
        }
    }
}
