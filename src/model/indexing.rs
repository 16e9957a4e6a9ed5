//! Indexing: elements, slices and rows of arrays, with indices shown to lie inside.

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Id, Node, Op, Ty};
use crate::model::elab::{Elab, Try, shape_text};
use crate::model::value::{Scope, Value};
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, Sub};

/// One axis of a selection.
#[derive(Clone, Debug)]
pub enum Axis {
    At(Id),
    Slice { start: usize, len: usize },
}

impl Elab<'_> {
    /// `array[index]`: the sub-array at the first index.
    pub fn row(&mut self, array: Id, index: Id) -> Id {
        let rest = self.g.shape(array)[1..].to_vec();
        self.tabulate(&rest, |s, at| {
            let full: Vec<Id> = std::iter::once(index).chain(at.iter().copied()).collect();
            s.g.get(array, &full)
        })
    }

    pub(super) fn index_expr(&mut self, array: &Expr, subs: &[Sub], scope: &Scope, span: Span) -> Try<Value> {
        let value = self.expr(array, scope)?;
        match &value {
            Value::List(items) => {
                let [Sub::At(e)] = subs else {
                    return self.error(codes::BAD_INDEX, "a list has one axis", span, "too many indices");
                };
                let i = self.int_expr(e, scope)?;
                match usize::try_from(i).ok().and_then(|i| items.get(i)) {
                    Some(item) => Ok(item.clone()),
                    None => {
                        let message = format!("the index {i} is outside a list of {}", items.len());
                        self.error(codes::BAD_INDEX, message, e.span, "outside")
                    }
                }
            }
            _ => {
                let id = self.num(&value, array.span)?;
                Ok(Value::Num(self.index_array(id, array.span, subs, scope, span)?))
            }
        }
    }

    pub fn index_array(&mut self, array: Id, array_span: Span, subs: &[Sub], scope: &Scope, span: Span) -> Try<Id> {
        let shape = self.g.shape(array).to_vec();
        if subs.len() > shape.len() {
            let message = match shape.len() {
                0 => "a single number has no elements".to_string(),
                axes => {
                    format!("{} indices for an array of {axes} ax{}", subs.len(), if axes == 1 { "is" } else { "es" })
                }
            };
            return self.fail(
                Diagnostic::error(codes::BAD_INDEX, message, span, "too many indices")
                    .label(array_span, format!("this has the shape {}", shape_text(&shape))),
            );
        }
        let axes = self.subscripts(&shape, subs, scope)?;
        Ok(self.select_axes(array, &axes))
    }

    /// The axes that subscripts pick; missing ones are whole.
    pub fn subscripts(&mut self, shape: &[usize], subs: &[Sub], scope: &Scope) -> Try<Vec<Axis>> {
        let mut axes = Vec::new();
        for (k, extent) in shape.iter().enumerate() {
            axes.push(match subs.get(k) {
                None | Some(Sub::All(_)) => Axis::Slice { start: 0, len: *extent },
                Some(Sub::At(e)) => self.subscript(e, *extent, scope)?,
            });
        }
        Ok(axes)
    }

    fn subscript(&mut self, e: &Expr, extent: usize, scope: &Scope) -> Try<Axis> {
        if let ExprKind::Range(lo, hi) = &e.kind {
            let start = self.int_expr(lo, scope)?;
            let end = match hi {
                Some(hi) => self.int_expr(hi, scope)?,
                None => extent as i64,
            };
            if start < 0 || end > extent as i64 || start >= end {
                let message = format!("the slice {start}..{end} of an axis of length {extent}");
                return self.error(codes::BAD_INDEX, message, e.span, "empty, or outside the array");
            }
            return Ok(Axis::Slice { start: start as usize, len: (end - start) as usize });
        }
        let value = self.expr(e, scope)?;
        let id = self.num(&value, e.span)?;
        match self.g.ty(id) {
            Ty::Int => {}
            Ty::Real if matches!(value, Value::Int(_)) => {}
            _ => {
                return self.fail(
                    Diagnostic::error(codes::TYPE_MISMATCH, "an index is an integer", e.span, "not an integer")
                        .help("indices come from ranges (`for i in 0..n`), integer literals and `int` parameters"),
                );
            }
        }
        if !self.g.is_scalar(id) {
            return self.unsupported("gathering rows by an array of indices", e.span);
        }
        let last = extent as i64 - 1;
        let outside = |(lo, hi): (i64, i64)| {
            if self.conditional > 0 { hi < 0 || lo > last } else { lo < 0 || hi > last }
        };
        if let Some((lo, hi)) = self.interval(id).filter(|i| outside(*i)) {
            let message = if lo == hi {
                format!("the index {lo} is outside an axis of length {extent}")
            } else {
                format!("the index runs from {lo} to {hi}, outside an axis of length {extent}")
            };
            let help = if lo < hi {
                "for a ring, wrap the index around: `mod(i + 1, n)`, or use `roll`".to_string()
            } else if lo < 0 {
                format!("indices do not count from the end: the last one is {last}, or `n - 1` for a size `n`")
            } else {
                format!("indices begin at 0, so the last one is {last}")
            };
            let d = Diagnostic::error(codes::BAD_INDEX, message, e.span, "outside the array")
                .note(format!("indices run from 0 to {last}"))
                .help(help);
            return self.fail(if lo == hi { d.instead(e.span, last.to_string()) } else { d });
        }
        Ok(Axis::At(id))
    }

    pub fn select_axes(&mut self, array: Id, axes: &[Axis]) -> Id {
        let shape: Vec<usize> =
            axes.iter().filter_map(|a| if let Axis::Slice { len, .. } = a { Some(*len) } else { None }).collect();
        self.tabulate(&shape, |s, at| {
            let full = s.full_index(axes, at);
            s.element(array, &full)
        })
    }

    /// Indices of an array from those of a selection of its axes.
    pub fn full_index(&mut self, axes: &[Axis], at: &[Id]) -> Vec<Id> {
        let mut rest = at.iter();
        axes.iter()
            .map(|axis| match axis {
                Axis::At(id) => *id,
                Axis::Slice { start, .. } => {
                    let i = *rest.next().expect("one index for each sliced axis");
                    if *start == 0 {
                        return i;
                    }
                    let offset = self.g.int(*start as i64);
                    self.g.op(Op::Add, &[i, offset])
                }
            })
            .collect()
    }

    /// The least and greatest value of an index expression, where they can be told.
    pub fn interval(&self, id: Id) -> Option<(i64, i64)> {
        match self.g.node(id) {
            Node::Int(n) => Some((*n, *n)),
            Node::Index(i) => Some((0, i.extent as i64 - 1)),
            Node::Op(op, args) => {
                let parts: Vec<(i64, i64)> = args.iter().map(|a| self.interval(*a)).collect::<Option<_>>()?;
                match (op, parts.as_slice()) {
                    (Op::Add, [a, b]) => Some((a.0.checked_add(b.0)?, a.1.checked_add(b.1)?)),
                    (Op::Sub, [a, b]) => Some((a.0.checked_sub(b.1)?, a.1.checked_sub(b.0)?)),
                    (Op::Neg, [a]) => Some((a.1.checked_neg()?, a.0.checked_neg()?)),
                    (Op::Mul, [a, b]) => {
                        let all = [
                            a.0.checked_mul(b.0)?,
                            a.0.checked_mul(b.1)?,
                            a.1.checked_mul(b.0)?,
                            a.1.checked_mul(b.1)?,
                        ];
                        Some((*all.iter().min()?, *all.iter().max()?))
                    }
                    (Op::Mod, [_, b]) if b.0 == b.1 && b.0 > 0 => Some((0, b.0 - 1)),
                    (Op::Min, [a, b]) => Some((a.0.min(b.0), a.1.min(b.1))),
                    (Op::Max, [a, b]) => Some((a.0.max(b.0), a.1.max(b.1))),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// Row-major indices of a flat position.
pub fn unravel(mut flat: usize, shape: &[usize]) -> Vec<usize> {
    let mut at = vec![0; shape.len()];
    for (k, extent) in shape.iter().enumerate().rev() {
        at[k] = flat % extent;
        flat /= extent;
    }
    at
}
