//! Expressions: from the tree to values. What each kind of them means is in `arithmetic`, `lists`, `comprehension`
//! and `indexing`.

use std::rc::Rc;

use crate::diagnostics::{Diagnostic, codes, suggest};
use crate::math::{Id, Node, Op};
use crate::model::elab::{Elab, MAX_DEPTH, Try};
use crate::model::value::{Entry, Func, Scope, Value};
use crate::model::{later, messages};
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, Ident, UnaryOp};

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
            ExprKind::Name(name) => match self.is_run(name, scope) {
                true => self.run_as_value(e).unwrap_or_else(|| self.unknown_name(name, e.span, scope)),
                false => self.name(name, e.span, scope),
            },
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
            ExprKind::Index(array, subs) => match &array.kind {
                ExprKind::Name(name) if self.is_run(name, scope) => {
                    self.run_as_value(e).unwrap_or_else(|| self.unknown_name(name, e.span, scope))
                }
                _ => self.index_expr(array, subs, scope, e.span),
            },
            ExprKind::Prime(inner) => self.prime(inner, scope, e.span),
            ExprKind::Field(object, field) => self.field(object, field, scope),
            ExprKind::Juxtapose { coefficient, differential, .. } => {
                self.fail(messages::juxtaposed(differential, coefficient.span, e.span))
            }
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
        if matches!(name, "levy" | "levy_foster") && self.accepted.is_some() {
            return self.no_levy(span);
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
        if let Some(differential) = name.strip_prefix('∘') {
            return self.fail(messages::circle_before(differential, span));
        }
        if self.run.is_some()
            && let Some(d) = messages::statistic_alone(name, span)
        {
            return self.fail(d);
        }
        let d = Diagnostic::error(codes::UNKNOWN_NAME, format!("`{name}` is not declared"), span, "unknown name");
        if let Some(habit) = crate::model::habits::of_name(name) {
            return self.fail(messages::with_habit(d, habit));
        }
        let known = self.known_names(scope);
        self.fail(d.did_you_mean(&suggest(name, known.iter().map(String::as_str)), span))
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
        if let Some(found) = self.found_by_run(object, &field.name, object.span.to(field.span)) {
            return found;
        }
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
            (Value::Num(id), "dim") if !self.g.is_scalar(*id) => Ok(Value::Dim(Rc::new(self.g.shape(*id).to_vec()))),
            (Value::Target(_), "space") => self.unsupported("the space of a target", field.span),
            (Value::Num(id), "T") if self.g.shape(*id).len() == 2 => {
                let (a, shape) = (*id, self.g.shape(*id).to_vec());
                Ok(Value::Num(self.tabulate(&[shape[1], shape[0]], |s, at| s.g.get(a, &[at[1], at[0]]))))
            }
            _ => {
                let message = format!("{} has no field `{}`", value.kind(), field.name);
                self.fail(
                    Diagnostic::error(codes::UNKNOWN_FIELD, message, field.span, "no such field")
                        .help("targets and arrays have `dim`, matrices have `T`"),
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
}
