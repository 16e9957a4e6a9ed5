//! Operators between values: numbers of the compiler, arrays element by element, draws that wait, `@`.

use std::rc::Rc;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Id, Node, Op, Red, Ty};
use crate::model::elab::{Elab, Try, shape_text, shape_words};
use crate::model::messages;
use crate::model::value::{DrawExpr, Scope, Value};
use crate::source::Span;
use crate::syntax::ast::{BinaryOp, Expr};

impl Elab<'_> {
    pub(super) fn binary(&mut self, op: BinaryOp, a: &Expr, b: &Expr, scope: &Scope, span: Span) -> Try<Value> {
        if let Some(problem) = messages::chained(op, a) {
            return self.fail(problem);
        }
        // Both sides are worked out before either error stops us: several problems are told in one run.
        let (left, right) = (self.expr(a, scope), self.expr(b, scope));
        let (left, right) = (left?, right?);
        let pair = [(left, a.span), (right, b.span)];
        let swapped = [pair[1].clone(), pair[0].clone()];
        match op {
            BinaryOp::Add => self.apply(Op::Add, &pair, span),
            BinaryOp::Sub => self.apply(Op::Sub, &pair, span),
            BinaryOp::Mul => self.apply(Op::Mul, &pair, span),
            BinaryOp::Div => self.apply(Op::Div, &pair, span),
            BinaryOp::Pow => self.power(&pair, span),
            BinaryOp::And => self.apply(Op::And, &pair, span),
            BinaryOp::Or => self.apply(Op::Or, &pair, span),
            BinaryOp::Lt => self.apply(Op::Lt, &pair, span),
            BinaryOp::Le => self.apply(Op::Le, &pair, span),
            BinaryOp::Gt => self.apply(Op::Lt, &swapped, span),
            BinaryOp::Ge => self.apply(Op::Le, &swapped, span),
            BinaryOp::Eq => self.apply(Op::Eq, &pair, span),
            BinaryOp::Ne => self.apply(Op::Ne, &pair, span),
            BinaryOp::MatMul => {
                let x = self.real(&pair[0].0, a.span)?;
                let y = self.real(&pair[1].0, b.span)?;
                Ok(Value::Num(self.contract(x, a.span, y, b.span)?))
            }
        }
    }

    fn power(&mut self, pair: &[(Value, Span); 2], span: Span) -> Try<Value> {
        let exponent = match &pair[1].0 {
            Value::Int(n) => Some(*n),
            Value::Num(id) => match *self.g.node(*id) {
                Node::Real(bits) if f64::from_bits(bits).fract() == 0.0 && f64::from_bits(bits).abs() <= 64.0 => {
                    Some(f64::from_bits(bits) as i64)
                }
                _ => None,
            },
            _ => None,
        };
        match (&pair[0].0, exponent) {
            (Value::Int(base), Some(n)) if n >= 0 => match u32::try_from(n).ok().and_then(|n| base.checked_pow(n)) {
                Some(value) => Ok(Value::Int(value)),
                None => Ok(Value::Num(self.g.real((*base as f64).powf(n as f64)))),
            },
            (_, Some(n)) => self.apply(Op::Powi, &[pair[0].clone(), (Value::Int(n), pair[1].1)], span),
            _ => self.apply(Op::Pow, pair, span),
        }
    }

    /// A scalar operation on values: folded for integers, elementwise on arrays, waiting for a shape on draws.
    pub fn apply(&mut self, op: Op, args: &[(Value, Span)], span: Span) -> Try<Value> {
        if let Some(value) = fold_integers(op, args) {
            return Ok(value);
        }
        if args.iter().any(|(v, _)| self.is_draw(v)) {
            return self.apply_draws(op, args, span);
        }
        let mut ids = Vec::new();
        for (value, at) in args {
            ids.push((self.num(value, *at)?, *at));
        }
        let result = self.elementwise(op, &ids)?;
        self.has_a_value(op, &ids, result, span)?;
        Ok(Value::Num(result))
    }

    /// An operation on written numbers that has no value, such as `1/0`. In a branch that may not be taken it is let be.
    fn has_a_value(&mut self, op: Op, args: &[(Id, Span)], result: Id, span: Span) -> Try<()> {
        let literal = |s: &Self, id: Id| match s.g.node(id) {
            Node::Real(bits) => Some(f64::from_bits(*bits)),
            Node::Int(n) => Some(*n as f64),
            _ => None,
        };
        if self.conditional > 0 || !self.g.is_scalar(result) {
            return Ok(());
        }
        if op == Op::Div && literal(self, args[1].0) == Some(0.0) {
            let d =
                Diagnostic::error(codes::OUT_OF_RANGE, "a division by zero has no value", args[1].1, "this is zero");
            return self.fail(d.help("for a number without bound write `inf`"));
        }
        let given: Option<Vec<f64>> = args.iter().map(|(id, _)| literal(self, *id)).collect();
        let Some(given) = given.filter(|g| g.iter().all(|x| !x.is_nan())) else { return Ok(()) };
        if self.constant(result).is_some_and(f64::is_nan) {
            let shown: Vec<String> = given.iter().map(f64::to_string).collect();
            let message = format!("`{}` has no value at {}", op.name(), shown.join(", "));
            return self.error(codes::OUT_OF_RANGE, message, span, "not a number");
        }
        Ok(())
    }

    fn is_draw(&self, value: &Value) -> bool {
        matches!(value, Value::Draw(_)) || (self.draws.is_some() && matches!(value, Value::Target(_)))
    }

    fn apply_draws(&mut self, op: Op, args: &[(Value, Span)], span: Span) -> Try<Value> {
        let mut shape: Vec<usize> = Vec::new();
        let mut values = Vec::new();
        for (value, at) in args {
            let value = if let Value::Target(_) = value { self.begin_draw(value, *at)? } else { value.clone() };
            if let Value::Num(id) = &value
                && !self.g.is_scalar(*id)
            {
                shape = self.g.shape(*id).to_vec();
            }
            values.push(value);
        }
        if shape.is_empty() && values.iter().any(|v| matches!(v, Value::Draw(_))) {
            return Ok(Value::Draw(Rc::new(DrawExpr::Op(op, values, span))));
        }
        let mut ids = Vec::new();
        for (value, (_, at)) in values.iter().zip(args) {
            let id = if let Value::Draw(_) = value { self.draw_at(value, &shape, *at)? } else { self.num(value, *at)? };
            ids.push((id, *at));
        }
        Ok(Value::Num(self.elementwise(op, &ids)?))
    }

    /// Checks types and shapes, then applies `op` to every element.
    pub fn elementwise(&mut self, op: Op, args: &[(Id, Span)]) -> Try<Id> {
        let ids = self.coerce(op, args)?;
        self.same_shapes(op, &ids, args)?;
        Ok(self.elementwise_raw(&ids, |g, a| g.op(op, a)))
    }

    /// Brings the arguments of an operation to the types that it takes.
    fn coerce(&mut self, op: Op, args: &[(Id, Span)]) -> Try<Vec<Id>> {
        let types: Vec<Ty> = args.iter().map(|(id, _)| self.g.ty(*id)).collect();
        let all = |t: Ty| types.iter().all(|x| *x == t);
        let mut out = Vec::new();
        for (k, (id, span)) in args.iter().enumerate() {
            let id = match op {
                Op::And | Op::Or | Op::Not => self.boolean(&Value::Num(*id), *span)?,
                Op::Select if k == 0 => self.boolean(&Value::Num(*id), *span)?,
                Op::Select if types[1] == types[2] => *id,
                Op::Powi if k == 1 => *id,
                Op::Eq | Op::Ne if all(Ty::Bool) => *id,
                Op::Add | Op::Sub | Op::Mul | Op::Neg | Op::Min | Op::Max | Op::Mod | Op::Abs if all(Ty::Int) => *id,
                Op::Lt | Op::Le | Op::Eq | Op::Ne if all(Ty::Int) => *id,
                _ => self.to_real(*id, *span)?,
            };
            out.push(id);
        }
        Ok(out)
    }

    fn same_shapes(&mut self, op: Op, ids: &[Id], args: &[(Id, Span)]) -> Try<()> {
        let arrays: Vec<(Vec<usize>, Span)> = ids
            .iter()
            .zip(args)
            .filter(|(id, _)| !self.g.is_scalar(**id))
            .map(|(id, (_, span))| (self.g.shape(*id).to_vec(), *span))
            .collect();
        for pair in arrays.windows(2) {
            if pair[0].0 != pair[1].0 {
                let (a, b) = (&pair[0], &pair[1]);
                let message = format!(
                    "`{}` of arrays of different shapes, {} and {}",
                    written(op),
                    shape_text(&a.0),
                    shape_text(&b.0)
                );
                let label = |shape: &[usize]| format!("this has the shape {}", shape_text(shape));
                let d = Diagnostic::error(codes::SHAPE_MISMATCH, message, b.1, label(&b.0))
                    .label(a.1, label(&a.0))
                    .note("arrays combine element by element, without broadcasting of axes");
                return self.fail(if op == Op::Mul && a.0.last() == b.0.first() {
                    d.help("a product of matrices and vectors is written `@`: `A @ x`")
                        .instead(a.1.after().to(b.1.before()), " @ ")
                } else if a.0.len() == b.0.len() {
                    d.help("check the sizes")
                } else {
                    d.help("say which axis is meant by a comprehension: `[a[i, j]*b[j] for i in 0..n, j in 0..m]`")
                });
            }
        }
        Ok(())
    }

    /// `A @ B`: the last axis of A with the first of B.
    pub fn contract(&mut self, a: Id, a_span: Span, b: Id, b_span: Span) -> Try<Id> {
        let (sa, sb) = (self.g.shape(a).to_vec(), self.g.shape(b).to_vec());
        let fits = matches!((sa.last(), sb.first()), (Some(x), Some(y)) if x == y);
        if !fits {
            return self.fail(
                Diagnostic::error(
                    codes::SHAPE_MISMATCH,
                    format!("`@` of {} and {}", shape_words(&sa), shape_words(&sb)),
                    a_span.to(b_span),
                    "the last axis on the left is not as long as the first on the right",
                )
                .label(a_span, format!("this has the shape {}", shape_text(&sa)))
                .label(b_span, format!("this has the shape {}", shape_text(&sb)))
                .help(if sa.is_empty() || sb.is_empty() {
                    "use `*` to multiply by a number"
                } else {
                    "transpose with `.T`"
                }),
            );
        }
        let k = self.g.fresh_index(sa[sa.len() - 1]);
        let ki = self.g.index(k);
        let shape: Vec<usize> = sa[..sa.len() - 1].iter().chain(&sb[1..]).copied().collect();
        Ok(self.tabulate(&shape, |s, at| {
            let split = sa.len() - 1;
            let left: Vec<Id> = at[..split].iter().copied().chain([ki]).collect();
            let right: Vec<Id> = std::iter::once(ki).chain(at[split..].iter().copied()).collect();
            let (x, y) = (s.g.get(a, &left), s.g.get(b, &right));
            let product = s.g.op(Op::Mul, &[x, y]);
            s.g.reduce(Red::Sum, &[k], product)
        }))
    }
}

/// Arithmetic on integers known now stays integer; `/` never does.
fn fold_integers(op: Op, args: &[(Value, Span)]) -> Option<Value> {
    let ints: Vec<i64> =
        args.iter().map(|(v, _)| if let Value::Int(n) = v { Some(*n) } else { None }).collect::<Option<_>>()?;
    let value = match (op, ints.as_slice()) {
        (Op::Add, [a, b]) => a.checked_add(*b)?,
        (Op::Sub, [a, b]) => a.checked_sub(*b)?,
        (Op::Mul, [a, b]) => a.checked_mul(*b)?,
        (Op::Neg, [a]) => a.checked_neg()?,
        (Op::Abs, [a]) => a.checked_abs()?,
        (Op::Min, [a, b]) => *a.min(b),
        (Op::Max, [a, b]) => *a.max(b),
        (Op::Mod, [a, b]) if *b > 0 => a.rem_euclid(*b),
        _ => return None,
    };
    Some(Value::Int(value))
}

/// An operation as it is written in a program.
fn written(op: Op) -> &'static str {
    match op {
        Op::Add => "+",
        Op::Sub => "-",
        Op::Mul => "*",
        Op::Div => "/",
        Op::Pow | Op::Powi => "^",
        Op::Lt => "<",
        Op::Le => "<=",
        Op::Eq => "==",
        Op::Ne => "!=",
        other => other.name(),
    }
}
