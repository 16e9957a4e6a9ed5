//! Expressions: from the tree to values, with shapes checked on the way.

use std::rc::Rc;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Id, IndexVar, Node, Op, Red, Ty};
use crate::model::elab::{Elab, MAX_DEPTH, MAX_ELEMENTS, Try, shape_text, shape_words};
use crate::model::value::{DrawExpr, Entry, Func, Scope, Value};
use crate::model::{later, messages};
use crate::source::Span;
use crate::syntax::ast::{BinaryOp, Comp, Expr, ExprKind, Ident, Sub, UnaryOp};

/// Rows of so many elements are written out when they are put together.
const MAX_WRITTEN: usize = 4096;

/// A comprehension whose indices are open: its body is worked out in `scope`.
pub struct Opened {
    pub bounds: Vec<IndexVar>,
    pub scope: Scope,
    pub condition: Option<Id>,
    /// how many comprehensions draws were inside of before
    outside: usize,
}

impl Elab<'_> {
    pub fn expr(&mut self, e: &Expr, scope: &Scope) -> Try<Value> {
        if self.depth >= MAX_DEPTH {
            return self.error(
                codes::TOO_DEEP,
                "this expression is nested too deeply",
                e.span,
                "nested too deeply here",
            );
        }
        self.depth += 1;
        let result = self.expr_inner(e, scope);
        self.depth -= 1;
        if let Ok(Value::Num(id)) = &result {
            let shape = self.g.shape(*id).to_vec();
            self.fits_memory(&shape, e.span)?;
        }
        result
    }

    /// A number, as a node.
    pub fn num_expr(&mut self, e: &Expr, scope: &Scope) -> Try<Id> {
        let value = self.expr(e, scope)?;
        self.num(&value, e.span)
    }

    pub fn real_expr(&mut self, e: &Expr, scope: &Scope) -> Try<Id> {
        let value = self.expr(e, scope)?;
        self.real(&value, e.span)
    }

    pub fn scalar_expr(&mut self, e: &Expr, scope: &Scope) -> Try<Id> {
        let value = self.expr(e, scope)?;
        self.scalar(&value, e.span)
    }

    pub fn int_expr(&mut self, e: &Expr, scope: &Scope) -> Try<i64> {
        let value = self.expr(e, scope)?;
        self.as_int(&value, e.span)
    }

    fn expr_inner(&mut self, e: &Expr, scope: &Scope) -> Try<Value> {
        match &e.kind {
            ExprKind::Number { value, integer: true, .. } if value.abs() < 9e15 => Ok(Value::Int(*value as i64)),
            ExprKind::Number { value, .. } => Ok(Value::Num(self.g.real(*value))),
            ExprKind::Text(text) => Ok(Value::Text(Rc::from(text.as_str()))),
            ExprKind::Bool(b) => Ok(Value::Num(self.g.boolean(*b))),
            ExprKind::Name(name) => self.name(name, e.span, scope),
            ExprKind::Paren(inner) => self.expr(inner, scope),
            ExprKind::List(items) => self.list(items, scope),
            ExprKind::Comprehension(body, comp) => self.comprehension(body, comp, scope, e.span),
            ExprKind::Range(lo, hi) => self.range(lo, hi.as_deref(), scope, e.span),
            ExprKind::Lambda(params, body) => Ok(self.lambda(params, body, scope, e.span)),
            ExprKind::If(c, a, b) => self.if_expr(c, a, b, scope, e.span),
            ExprKind::Unary(op, a) => {
                let value = self.expr(a, scope)?;
                match op {
                    UnaryOp::Plus => Ok(value),
                    UnaryOp::Neg => self.apply(Op::Neg, &[(value, a.span)], e.span),
                    UnaryOp::Not => self.apply(Op::Not, &[(value, a.span)], e.span),
                }
            }
            ExprKind::Binary(op, a, b) => self.binary(*op, a, b, scope, e.span),
            ExprKind::Call(callee, args) => self.call(callee, args, scope, e.span),
            ExprKind::Index(array, subs) => self.index_expr(array, subs, scope, e.span),
            ExprKind::Prime(inner) => self.prime(inner, scope, e.span),
            ExprKind::Field(object, field) => self.field(object, field, scope),
            ExprKind::Juxtapose { differential, .. } => self.fail(messages::juxtaposed(differential, e.span)),
        }
    }

    // Names.

    pub fn name(&mut self, name: &str, span: Span, scope: &Scope) -> Try<Value> {
        match scope.get(name) {
            Some(Entry::Value(value, _)) => return Ok(value),
            Some(Entry::Broken) => return Err(crate::model::elab::Reported),
            Some(Entry::Both { model, file }) => return self.fail(messages::two_meanings(name, span, model, file)),
            Some(Entry::OpenSize(first)) => {
                let d = messages::open_size(name, span, None);
                return self.fail(if first == span { d } else { d.label(first, "first met here") });
            }
            Some(Entry::Outside) | None => {}
        }
        if name == "levy" && self.accepted.is_some() {
            return self.unsupported(later::LEVY, span);
        }
        if let Some(value) = self.global(name, span, scope.in_library())? {
            return Ok(value);
        }
        if let Some(f) = crate::model::functions::lookup(name) {
            return Ok(Value::Func(Rc::new(Func::Builtin(f))));
        }
        if let Some(d) = crate::model::distributions::lookup(name) {
            return Ok(Value::Func(Rc::new(Func::Distribution(d))));
        }
        self.unknown_name(name, span, scope)
    }

    pub fn unknown_name<T>(&mut self, name: &str, span: Span, scope: &Scope) -> Try<T> {
        let mut d = Diagnostic::error(codes::UNKNOWN_NAME, format!("`{name}` is not declared"), span, "unknown name");
        if let Some(help) = self.did_you_mean(name, scope) {
            d = d.help(help);
        }
        self.fail(d)
    }

    fn prime(&mut self, inner: &Expr, scope: &Scope, span: Span) -> Try<Value> {
        let ExprKind::Name(name) = &inner.kind else {
            return self.error(codes::TYPE_MISMATCH, "a prime belongs to the name of a state", span, "not a name");
        };
        match scope.get(&format!("{name}'")) {
            Some(Entry::Value(value, _)) => Ok(value),
            Some(_) => Err(crate::model::elab::Reported),
            None => self.fail(messages::primed(name, span)),
        }
    }

    fn field(&mut self, object: &Expr, field: &Ident, scope: &Scope) -> Try<Value> {
        if let ExprKind::Name(name) = &object.kind
            && scope.get(name).is_none()
            && self.library.lookup_in(name, scope.in_library()).is_empty()
            && self.library.runs().any(|(_, run)| run.name.name == *name)
        {
            return self.unsupported(later::EARLIER_RUN, object.span.to(field.span));
        }
        let value = self.expr(object, scope)?;
        match (&value, field.name.as_str()) {
            (Value::Target(t), "dim") => Ok(Value::Dim(Rc::new(t.shape.clone()))),
            (Value::Target(_), "space") => self.unsupported("the space of a target", field.span),
            (Value::Num(id), "T") if self.g.shape(*id).len() == 2 => {
                let (a, shape) = (*id, self.g.shape(*id).to_vec());
                Ok(Value::Num(self.tabulate(&[shape[1], shape[0]], |s, at| s.g.get(a, &[at[1], at[0]]))))
            }
            _ => {
                let message = format!("{} has no field `{}`", value.kind(), field.name);
                self.fail(
                    Diagnostic::error(codes::UNKNOWN_FIELD, message, field.span, "no such field")
                        .help("targets have `dim`, matrices have `T`"),
                )
            }
        }
    }

    fn lambda(&mut self, params: &[Ident], body: &Expr, scope: &Scope, span: Span) -> Value {
        let params = params
            .iter()
            .map(|p| crate::syntax::ast::Param { name: p.clone(), ty: None, default: None, range: None })
            .collect();
        Value::Func(Rc::new(Func::Closure {
            name: "->".into(),
            params,
            lets: Vec::new(),
            body: body.clone(),
            scope: scope.clone(),
            span,
        }))
    }

    // Operators.

    fn binary(&mut self, op: BinaryOp, a: &Expr, b: &Expr, scope: &Scope, span: Span) -> Try<Value> {
        if let Some(problem) = messages::chained(op, a, span) {
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
        Ok(Value::Num(self.elementwise(op, &ids)?))
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
                return self.fail(
                    Diagnostic::error(
                        codes::SHAPE_MISMATCH,
                        format!(
                            "`{}` of arrays of different shapes, {} and {}",
                            written(op),
                            shape_text(&a.0),
                            shape_text(&b.0)
                        ),
                        b.1,
                        format!("this has the shape {}", shape_text(&b.0)),
                    )
                    .label(a.1, format!("this has the shape {}", shape_text(&a.0)))
                    .note("arrays combine element by element, without broadcasting of axes")
                    .help(if op == Op::Mul && a.0.last() == b.0.first() {
                        "a product of matrices and vectors is written `@`: `A @ x`"
                    } else if a.0.len() == b.0.len() {
                        "check the sizes"
                    } else {
                        "say which axis is meant by a comprehension: `[a[i, j]*b[j] for i in 0..n, j in 0..m]`"
                    }),
                );
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

    fn if_expr(&mut self, c: &Expr, a: &Expr, b: &Expr, scope: &Scope, span: Span) -> Try<Value> {
        let condition = self.expr(c, scope)?;
        if let Value::Num(id) = &condition
            && let Node::Bool(known) = *self.g.node(*id)
        {
            return self.expr(if known { a } else { b }, scope);
        }
        self.conditional += 1;
        let (x, y) = (self.expr(a, scope), self.expr(b, scope));
        self.conditional -= 1;
        self.apply(Op::Select, &[(condition, c.span), (x?, a.span), (y?, b.span)], span)
    }

    // Lists, ranges, comprehensions.

    fn list(&mut self, items: &[Expr], scope: &Scope) -> Try<Value> {
        let mut values = Vec::new();
        for item in items {
            values.push((self.expr(item, scope), item.span));
        }
        self.list_of(values.into_iter().map(|(v, s)| v.map(|v| (v, s))).collect::<Try<_>>()?)
    }

    /// An array where all values are numbers, else a list.
    fn list_of(&mut self, values: Vec<(Value, Span)>) -> Try<Value> {
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

    fn range(&mut self, lo: &Expr, hi: Option<&Expr>, scope: &Scope, span: Span) -> Try<Value> {
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

    /// `array[index]`: the sub-array at the first index.
    pub fn row(&mut self, array: Id, index: Id) -> Id {
        let rest = self.g.shape(array)[1..].to_vec();
        self.tabulate(&rest, |s, at| {
            let full: Vec<Id> = std::iter::once(index).chain(at.iter().copied()).collect();
            s.g.get(array, &full)
        })
    }

    fn comprehension(&mut self, body: &Expr, comp: &Comp, scope: &Scope, span: Span) -> Try<Value> {
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

    // Indexing.

    fn index_expr(&mut self, array: &Expr, subs: &[Sub], scope: &Scope, span: Span) -> Try<Value> {
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
            return self.fail(
                Diagnostic::error(codes::BAD_INDEX, message, e.span, "outside the array")
                    .note(format!("indices run from 0 to {last}"))
                    .help(help),
            );
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

/// One axis of a selection.
#[derive(Clone, Debug)]
pub enum Axis {
    At(Id),
    Slice { start: usize, len: usize },
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
