//! Calls: functions of the program, of the table, of the graph; declarations applied to arguments.

use std::rc::Rc;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Id, Op, Ty, VarId, VarKind};
use crate::model::elab::{Elab, Reported, Try, shape_text};
use crate::model::functions::{Function, FunctionKind, Reducer};
use crate::model::library::Decl;
use crate::model::value::{Applied, AppliedSolver, BoundArg, Entry, Func, Scope, Value};
use crate::model::{later, messages, resolve};
use crate::source::Span;
use crate::syntax::ast::{self, Arg, Expr, ExprKind, ItemKind, Param};

impl Elab<'_> {
    /// The value of a top-level name, if there is one, as a text of the library or of the user sees it. Declarations with
    /// headers stand for themselves only in calls.
    pub fn global(&mut self, name: &str, span: Span, library: bool) -> Try<Option<Value>> {
        let Some(decl) = self.library.lookup_in(name, library).first().map(|d| (*d).clone()) else { return Ok(None) };
        let key = decl.key();
        self.reached.insert(key);
        if let Some(value) = self.globals.get(&key) {
            return Ok(Some(value.clone()));
        }
        let value = match &decl.item.kind {
            ItemKind::Const(c) => self.guarded(name, decl.library, span, |s| {
                let root = s.root_scope(decl.library);
                s.expr(&c.value, &root)
            })?,
            ItemKind::Data(d) => self.guarded(name, decl.library, span, |s| {
                let root = s.root_scope(decl.library);
                s.data_value(d, &root)
            })?,
            ItemKind::Fn(f) => {
                let root = self.root_scope(decl.library);
                self.closure(f, &root)
            }
            ItemKind::Solver(_) => {
                let solver = AppliedSolver::named(name, Vec::new(), span);
                return Ok(Some(Value::Solver(Rc::new(AppliedSolver { library, ..solver }))));
            }
            ItemKind::Target(_) | ItemKind::Model(_) => {
                let what = if matches!(decl.item.kind, ItemKind::Target(_)) { "target" } else { "model" };
                return self.fail(
                    Diagnostic::error(
                        codes::TYPE_MISMATCH,
                        format!("the {what} `{name}` needs its arguments"),
                        span,
                        "named, not made",
                    )
                    .help(format!("write `{name}()`; arguments that are left out become parameters of the run"))
                    .instead(span, format!("{name}()")),
                );
            }
            ItemKind::Run(_) | ItemKind::Use(..) => return Ok(None),
        };
        self.globals.insert(key, value.clone());
        Ok(Some(value))
    }

    pub fn call(&mut self, callee: &Expr, args: &[Arg], scope: &Scope, span: Span) -> Try<Value> {
        if let ExprKind::Name(name) = &callee.kind
            && scope.get(name).is_none()
        {
            return self.call_global(name, callee.span, args, scope, span);
        }
        let value = self.expr(callee, scope)?;
        match value {
            Value::Func(f) => self.call_func(&f, args, scope, span),
            // A declaration of this name was refused where it stands.
            Value::Num(_) | Value::Int(_)
                if matches!(&callee.kind, ExprKind::Name(name)
                    if resolve::GIVEN.iter().any(|g| g.0 == name) && !self.library.lookup(name).is_empty()) =>
            {
                Err(Reported)
            }
            Value::Num(_) | Value::Int(_) => {
                let mut d =
                    Diagnostic::error(codes::TYPE_MISMATCH, "a number is not a function", callee.span, "called here");
                if let ExprKind::Name(_) | ExprKind::Number { .. } | ExprKind::Paren(_) = callee.kind {
                    d = d.help(called_number(callee, self.run.is_some() && matches!(callee.kind, ExprKind::Name(_))));
                    d = d.instead(callee.span.after(), "*");
                }
                self.fail(d)
            }
            Value::Target(_) => self.fail(
                Diagnostic::error(codes::TYPE_MISMATCH, "a target is not a function", callee.span, "called here")
                    .help("its log density is `logpdf(p, x)`, its score `score(p, x)`"),
            ),
            other => {
                let message = format!("{} is not a function", other.kind());
                self.error(codes::TYPE_MISMATCH, message, callee.span, "called here")
            }
        }
    }

    fn call_global(&mut self, name: &str, at: Span, args: &[Arg], scope: &Scope, span: Span) -> Try<Value> {
        let library = scope.in_library();
        let decl = self.library.lookup_in(name, library).first().map(|d| (*d).clone());
        if let Some(decl) = &decl {
            self.reached.insert(decl.key());
        }
        match decl.as_ref().map(|d| &d.item.kind) {
            None if name == "split" => return self.split_value(args, scope, span),
            Some(ItemKind::Target(t)) => {
                let args = self.plain_args(args, scope)?;
                let decl = decl.clone().expect("just found");
                return self.guarded(name, decl.library, at, |s| s.apply_target(t, &decl, &args, span));
            }
            Some(ItemKind::Model(_)) => {
                let args = self.plain_args(args, scope)?;
                let decl: Decl = decl.clone().expect("just found");
                return Ok(Value::Model(Rc::new(Applied { decl, args, span })));
            }
            Some(ItemKind::Solver(_)) => {
                let args = self.plain_args(args, scope)?;
                return Ok(Value::Solver(Rc::new(AppliedSolver { library, ..AppliedSolver::named(name, args, span) })));
            }
            _ => {}
        }
        if decl.is_none()
            && self.run.is_some()
            && let Some(stat) = crate::model::results::statistic(name)
        {
            return self.statistic_call(stat, args, scope, span);
        }
        if decl.is_none()
            && let Some(op) = crate::model::operators::lookup(name)
        {
            let args = if op.supported { self.plain_args(args, scope)? } else { Vec::new() };
            return self.operator(op, &args, span);
        }
        match self.name(name, at, scope)? {
            Value::Func(f) => self.call_func(&f, args, scope, span),
            other => {
                let message = format!("`{name}` is {}, not a function", other.kind());
                self.error(codes::TYPE_MISMATCH, message, at, "called here")
            }
        }
    }

    /// Arguments that are evaluated before the call; comprehensions have no meaning among them.
    pub fn plain_args(&mut self, args: &[Arg], scope: &Scope) -> Try<Vec<BoundArg>> {
        let mut out = Vec::new();
        let mut broken = false;
        for arg in args {
            if let Some(comp) = &arg.comp {
                let _: Try<()> = self.fail(
                    Diagnostic::error(codes::TYPE_MISMATCH, "`for` without brackets belongs to a reducer", comp.span, "not a reducer")
                        .help("reducers are sum, prod, max, min, avg, logsumexp, any, all, argmin, argmax; for an array write `[... for ...]`"),
                );
                broken = true;
                continue;
            }
            match self.expr(&arg.value, scope) {
                Ok(value) => out.push(BoundArg { name: arg.name.clone(), value, span: arg.value.span }),
                Err(Reported) => broken = true,
            }
        }
        if broken { Err(Reported) } else { Ok(out) }
    }

    fn call_func(&mut self, f: &Rc<Func>, args: &[Arg], scope: &Scope, span: Span) -> Try<Value> {
        match &**f {
            Func::Builtin(row) => self.call_table(row, args, scope, span),
            Func::Distribution(d) => {
                let args = self.plain_args(args, scope)?;
                self.distribution(d, &args, span)
            }
            _ => {
                let args = self.plain_args(args, scope)?;
                self.call_value(f, &args, span)
            }
        }
    }

    /// Calls a function value with evaluated arguments.
    pub fn call_value(&mut self, f: &Rc<Func>, args: &[BoundArg], span: Span) -> Try<Value> {
        match &**f {
            Func::Closure { name, params, lets, body, scope, span: at } => {
                let key = format!("{name}@{}:{}", at.file.0, at.start);
                if self.active.iter().filter(|(n, _)| *n == key).count() > 0 && name != "->" {
                    let first = self.active.iter().find(|(n, _)| *n == key).expect("just counted").1;
                    return self.fail(
                        Diagnostic::error(codes::RECURSION, format!("`{name}` uses itself"), span, "called while it is worked out")
                            .label(first, "this call started it")
                            .help("functions are inlined, so recursion has no end; use a loop (`for`, `sum`, a state) instead"),
                    );
                }
                if self.active.len() > 100 {
                    return self.error(codes::TOO_DEEP, "calls are nested too deeply", span, "called here");
                }
                self.count_call(span)?;
                self.active.push((key, span));
                let result = self.call_closure(name, params, lets, body, scope, args, span);
                self.active.pop();
                result
            }
            Func::Graph { name, params, body } => self.call_graph(name, params, *body, args, span),
            Func::Builtin(row) => {
                let FunctionKind::Elementwise(op) = row.kind else {
                    return self.unsupported("a built-in function as a value", span);
                };
                let values: Vec<(Value, Span)> = args.iter().map(|a| (a.value.clone(), a.span)).collect();
                self.check_arity(row, values.len(), span)?;
                self.apply(op, &values, span)
            }
            Func::Distribution(d) => self.distribution(d, args, span),
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn call_closure(
        &mut self,
        name: &str,
        params: &[Param],
        lets: &[ast::Let],
        body: &Expr,
        scope: &Scope,
        args: &[BoundArg],
        span: Span,
    ) -> Try<Value> {
        let inner = scope.child();
        let values = self.match_args(name, params, args)?;
        let mut holes = Vec::new();
        for (param, value) in params.iter().zip(values) {
            let (value, at) = match (value, &param.default) {
                (Some(arg), _) => (arg.value, arg.span),
                (None, Some(default)) => (self.expr(default, &inner)?, default.span),
                (None, None) => return self.missing_argument(name, param, span),
            };
            let value = match (&value, &param.ty) {
                // An argument has a name inside, so its draws are made now, as in a `let`.
                (Value::Draw(_), None) => Value::Num(self.draw_at(&value, &[], at)?),
                (Value::Draw(_), Some(ty)) => {
                    let shape = self.type_shape(ty, &inner)?;
                    Value::Num(self.draw_at(&value, &shape, at)?)
                }
                _ => self.fit_param(param, value, at, &inner)?,
            };
            // A derivative by a whole number is one by the real number that it is.
            let value = match &value {
                Value::Int(n) if mentions_derivative_by(&param.name.name, lets, body) => {
                    Value::Num(self.g.real(*n as f64))
                }
                _ => value,
            };
            let value = match &value {
                Value::Num(id)
                    if self.g.ty(*id) != Ty::Bool && mentions_derivative_by(&param.name.name, lets, body) =>
                {
                    let id = self.to_real(*id, at)?;
                    let shape = self.g.shape(id).to_vec();
                    let hole = self.g.new_var(param.name.name.clone(), VarKind::Hole, Ty::Real, shape);
                    holes.push((hole, id));
                    Value::Num(self.g.var(hole))
                }
                _ => value,
            };
            inner.define(&param.name.name, value, param.name.span);
        }
        for l in lets {
            self.define_let(l, &inner)?;
        }
        let result = self.expr(body, &inner)?;
        match result {
            Value::Num(id) if !holes.is_empty() => Ok(Value::Num(self.g.substitute_vars(&[id], &holes)[0])),
            other => Ok(other),
        }
    }

    /// `let name: type = value` in any place where it is a plain name.
    pub fn define_let(&mut self, l: &ast::Let, scope: &Scope) -> Try<Value> {
        let value = match self.expr(&l.value, scope) {
            Ok(value) => value,
            Err(Reported) => {
                scope.set(&l.name.name, Entry::Broken);
                return Err(Reported);
            }
        };
        let fitted = self.fit_let(l, value, scope);
        match fitted {
            Ok(value) => {
                scope.define(&l.name.name, value.clone(), l.name.span);
                Ok(value)
            }
            Err(Reported) => {
                scope.set(&l.name.name, Entry::Broken);
                Err(Reported)
            }
        }
    }

    pub fn fit_let(&mut self, l: &ast::Let, value: Value, scope: &Scope) -> Try<Value> {
        let waits = matches!(value, Value::Draw(_)) || (self.draws.is_some() && matches!(value, Value::Target(_)));
        match &l.ty {
            None if waits => Ok(Value::Num(self.draw_at(&value, &[], l.value.span)?)),
            None => Ok(value),
            Some(ty) if waits => {
                let shape = self.type_shape(ty, scope)?;
                Ok(Value::Num(self.draw_at(&value, &shape, l.value.span)?))
            }
            Some(ty) => self.fit_type(ty, value, l.value.span, scope),
        }
    }

    /// Arguments put in the order of the header; `None` where one is left out.
    pub fn match_args(&mut self, name: &str, params: &[Param], args: &[BoundArg]) -> Try<Vec<Option<BoundArg>>> {
        let known: Vec<&str> = params.iter().map(|p| p.name.name.as_str()).collect();
        let places: Vec<_> = args.iter().map(|a| (a.name.as_ref(), a.span)).collect();
        match messages::match_arguments(name, &known, &places) {
            Ok(slots) => Ok(slots.into_iter().map(|slot| slot.map(|k| args[k].clone())).collect()),
            Err(problem) => self.fail(*problem),
        }
    }

    pub fn missing_argument<T>(&mut self, name: &str, param: &Param, span: Span) -> Try<T> {
        self.fail(messages::missing_argument(name, param, span))
    }

    /// A function of the graph: its inputs replaced by the arguments.
    fn call_graph(&mut self, name: &str, params: &[VarId], body: Id, args: &[BoundArg], span: Span) -> Try<Value> {
        if args.len() != params.len() {
            let message = format!(
                "`{name}` takes {} argument{} here, and {} {} given",
                params.len(),
                plural(params.len()),
                args.len(),
                if args.len() == 1 { "is" } else { "are" }
            );
            let code = if args.len() > params.len() { codes::TOO_MANY_ARGUMENTS } else { codes::MISSING_ARGUMENT };
            return self.fail(
                Diagnostic::error(code, message, span, "called here")
                    .note("for additive noise `b` depends on t alone: `b(t)`; otherwise `a(t, x)`, `b(t, x)`"),
            );
        }
        let mut pairs = Vec::new();
        for (var, arg) in params.iter().zip(args) {
            let id = self.real(&arg.value, arg.span)?;
            let shape = self.g.var_info(*var).shape.clone();
            pairs.push((*var, self.fit_shape(name, id, &shape, arg.span)?));
        }
        Ok(Value::Num(self.g.substitute_vars(&[body], &pairs)[0]))
    }

    fn fit_shape(&mut self, name: &str, id: Id, shape: &[usize], span: Span) -> Try<Id> {
        if self.g.shape(id) == shape {
            return Ok(id);
        }
        let message =
            format!("`{name}` wants the shape {}, and this has {}", shape_text(shape), shape_text(self.g.shape(id)));
        self.error(codes::SHAPE_MISMATCH, message, span, "another shape")
    }

    // The table of functions.

    pub fn check_arity(&mut self, row: &'static Function, given: usize, span: Span) -> Try<()> {
        match row.arity() {
            Some(arity) if arity != given => self.fail(messages::bad_arity(row, given, span)),
            _ => Ok(()),
        }
    }

    fn call_table(&mut self, row: &'static Function, args: &[Arg], scope: &Scope, span: Span) -> Try<Value> {
        if later::function(row) {
            return self.unsupported(&format!("`{}`", row.name), span);
        }
        if let Some(reducer) = row.reducer
            && let [Arg { name: None, value, comp }] = args
        {
            return self.reduce(reducer, value, comp.as_ref(), scope, span);
        }
        match row.kind {
            FunctionKind::Elementwise(op) => {
                let args = self.plain_args(args, scope)?;
                self.refuse_names(row, &args)?;
                self.check_arity(row, args.len(), span)?;
                let values: Vec<(Value, Span)> = args.into_iter().map(|a| (a.value, a.span)).collect();
                self.apply(op, &values, span)
            }
            FunctionKind::Builtin(builtin) => self.builtin(row, builtin, args, scope, span),
        }
    }

    pub fn refuse_names(&mut self, row: &'static Function, args: &[BoundArg]) -> Try<()> {
        match args.iter().find_map(|a| a.name.clone()) {
            Some(name) => self.fail(messages::no_names(row, &name)),
            None => Ok(()),
        }
    }

    /// A reducer over a comprehension or over all elements of an array.
    pub fn reduce(
        &mut self,
        reducer: Reducer,
        value: &Expr,
        comp: Option<&ast::Comp>,
        scope: &Scope,
        span: Span,
    ) -> Try<Value> {
        if let Some(comp) = comp
            && let Some(nothing) = self.of_nothing(reducer, comp, scope)
        {
            return Ok(Value::Num(nothing));
        }
        let (bounds, body, condition) = match comp {
            Some(comp) => {
                let opened = self.open(comp, scope)?;
                self.conditional += usize::from(opened.condition.is_some());
                let body = self.expr(value, &opened.scope).and_then(|body| self.num(&body, value.span));
                self.conditional -= usize::from(opened.condition.is_some());
                self.close(&opened);
                (opened.bounds, body?, opened.condition)
            }
            None => {
                let array = self.num_expr(value, scope)?;
                if self.g.is_scalar(array)
                    && matches!(reducer, Reducer::Plain(crate::math::Red::Max | crate::math::Red::Min))
                    && self.run.is_some()
                    && !scope.in_library()
                {
                    let (what, extreme) = if matches!(reducer, Reducer::Plain(crate::math::Red::Max)) {
                        ("max", "largest")
                    } else {
                        ("min", "smallest")
                    };
                    return self.fail(
                        Diagnostic::error(
                            codes::TYPE_MISMATCH,
                            format!("`{what}` of one number is that number"),
                            span,
                            format!("the {extreme} element of an array, or of two numbers"),
                        )
                        .help(format!(
                            "`{what}(a, b)` is of two numbers; what a path was at its {extreme} must be a state of the model that \
                             follows it"
                        )),
                    );
                }
                if self.g.is_scalar(array) {
                    // One number is an array with one element: a rule for vectors serves targets on a number.
                    return Ok(Value::Num(array));
                }
                let shape = self.g.shape(array).to_vec();
                let bounds: Vec<_> = shape.iter().map(|n| self.g.fresh_index(*n)).collect();
                let at: Vec<Id> = bounds.iter().map(|b| self.g.index(*b)).collect();
                (bounds, self.g.get(array, &at), None)
            }
        };
        self.reduce_body(reducer, &bounds, body, condition, value.span, span)
    }

    /// A sum (or the like) over the empty range `0..n` of a size that is zero, as a rule for any number of noises meets it.
    fn of_nothing(&mut self, reducer: Reducer, comp: &ast::Comp, scope: &Scope) -> Option<Id> {
        use crate::math::Red;
        let empty = comp.clauses.iter().any(|(_, over)| {
            let before = self.diagnostics.len();
            let value = self.expr(over, scope);
            self.diagnostics.truncate(before);
            matches!(value, Ok(Value::Range(lo, hi)) if lo == hi)
        });
        match reducer {
            _ if !empty => None,
            Reducer::Plain(Red::Sum) => Some(self.g.real(0.0)),
            Reducer::Plain(Red::Prod) => Some(self.g.real(1.0)),
            Reducer::Plain(Red::Any) => Some(self.g.boolean(false)),
            Reducer::Plain(Red::All) => Some(self.g.boolean(true)),
            _ => None,
        }
    }

    fn reduce_body(
        &mut self,
        reducer: Reducer,
        bounds: &[crate::math::IndexVar],
        body: Id,
        condition: Option<Id>,
        body_span: Span,
        span: Span,
    ) -> Try<Value> {
        use crate::math::Red;
        let red = match reducer {
            Reducer::Plain(red) => red,
            Reducer::Average => Red::Sum,
        };
        let body = match red {
            Red::Any | Red::All => self.boolean(&Value::Num(body), body_span)?,
            Red::Argmax | Red::Argmin if bounds.len() != 1 => {
                return self.error(
                    codes::SHAPE_MISMATCH,
                    "argmin and argmax run over one axis",
                    span,
                    "more than one axis",
                );
            }
            _ if self.g.ty(body) == Ty::Bool => self.to_real(body, body_span)?,
            Red::Sum | Red::Prod | Red::Max | Red::Min if self.g.ty(body) == Ty::Int && reducer != Reducer::Average => {
                body
            }
            _ => self.to_real(body, body_span)?,
        };
        let shape = self.g.shape(body).to_vec();
        let result = self.tabulate(&shape, |s, at| {
            let element = s.element(body, at);
            let kept = match condition {
                None => element,
                Some(c) => {
                    let neutral = s.neutral(red, element);
                    s.g.op(Op::Select, &[c, element, neutral])
                }
            };
            s.g.reduce(red, bounds, kept)
        });
        if reducer != Reducer::Average {
            return Ok(Value::Num(result));
        }
        let count = match condition {
            None => self.g.real(bounds.iter().map(|b| b.extent).product::<usize>() as f64),
            Some(c) => {
                let (one, zero) = (self.g.real(1.0), self.g.real(0.0));
                let term = self.g.op(Op::Select, &[c, one, zero]);
                self.g.reduce(Red::Sum, bounds, term)
            }
        };
        Ok(Value::Num(self.elementwise(Op::Div, &[(result, span), (count, span)])?))
    }

    /// The value that changes nothing in a reduction.
    fn neutral(&mut self, red: crate::math::Red, like: Id) -> Id {
        use crate::math::Red;
        match (red, self.g.ty(like)) {
            (Red::Any, _) => self.g.boolean(false),
            (Red::All, _) => self.g.boolean(true),
            (Red::Sum, Ty::Int) => self.g.int(0),
            (Red::Prod, Ty::Int) => self.g.int(1),
            (Red::Max | Red::Argmax, Ty::Int) => self.g.int(i64::MIN / 4),
            (Red::Min | Red::Argmin, Ty::Int) => self.g.int(i64::MAX / 4),
            (Red::Sum, _) => self.g.real(0.0),
            (Red::Prod, _) => self.g.real(1.0),
            (Red::Max | Red::Argmax | Red::LogSumExp, _) => self.g.real(f64::NEG_INFINITY),
            (Red::Min | Red::Argmin, _) => self.g.real(f64::INFINITY),
        }
    }
}

/// A way out for a number that is called.
fn called_number(callee: &Expr, in_run: bool) -> String {
    let name = crate::syntax::print::expr(callee);
    match in_run {
        true => format!(
            "a product needs its `*`; what `{name}` is at a time is asked by the statement: `mean({name}) at 0.5`"
        ),
        false => "a product needs its `*`".into(),
    }
}

pub fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}

/// Whether a function's own text takes a derivative by one of its parameters.
fn mentions_derivative_by(param: &str, lets: &[ast::Let], body: &Expr) -> bool {
    lets.iter().any(|l| expr_mentions(param, &l.value)) || expr_mentions(param, body)
}

const DERIVATIVES: &[&str] = &["grad", "jacobian", "hessian", "div", "laplacian", "jvp", "vjp", "hvp"];

fn expr_mentions(param: &str, e: &Expr) -> bool {
    let any = |items: &[&Expr]| items.iter().any(|e| expr_mentions(param, e));
    match &e.kind {
        ExprKind::Number { .. } | ExprKind::Text(_) | ExprKind::Bool(_) | ExprKind::Name(_) => false,
        ExprKind::Paren(a) | ExprKind::Unary(_, a) | ExprKind::Prime(a) | ExprKind::Field(a, _) => any(&[a]),
        ExprKind::Lambda(_, a) | ExprKind::Comprehension(a, _) => any(&[a]),
        ExprKind::List(items) => items.iter().any(|i| expr_mentions(param, i)),
        ExprKind::Range(a, b) => any(&[a]) || b.as_deref().is_some_and(|b| expr_mentions(param, b)),
        ExprKind::If(a, b, c) => any(&[a, b, c]),
        ExprKind::Binary(_, a, b) => any(&[a, b]),
        ExprKind::Index(a, subs) => {
            any(&[a]) || subs.iter().any(|s| matches!(s, ast::Sub::At(e) if expr_mentions(param, e)))
        }
        ExprKind::Juxtapose { coefficient, .. } => any(&[coefficient]),
        ExprKind::Call(f, args) => {
            let direct = matches!(&f.kind, ExprKind::Name(n) if DERIVATIVES.contains(&n.as_str()))
                && args.get(1).is_some_and(|a| variable_name(&a.value) == Some(param));
            direct || any(&[f]) || args.iter().any(|a| expr_mentions(param, &a.value))
        }
    }
}

fn variable_name(e: &Expr) -> Option<&str> {
    match &e.kind {
        ExprKind::Name(n) => Some(n),
        ExprKind::Paren(inner) | ExprKind::Index(inner, _) => variable_name(inner),
        _ => None,
    }
}
