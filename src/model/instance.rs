//! Instances: a declaration's header bound to arguments, and `target` declarations worked out.

use std::rc::Rc;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Id, Node, Op, Ty, VarId, VarKind};
use crate::model::elab::{Elab, Reported, RunParam, Try, shape_text, shape_words};
use crate::model::indexing::Axis;
use crate::model::later;
use crate::model::library::Decl;
use crate::model::target::{Parts, Piece, Target, TargetKind};
use crate::model::types::open_sizes;
use crate::model::value::{BoundArg, Entry, Scope, Value};
use crate::source::Span;
use crate::syntax::ast::{self, Expr, ExprKind, Param, Sub, TargetBody, TargetStmt, TypeKind};

/// Components of a mixture are put into one array up to so many numbers.
const MAX_STACKED: usize = 1 << 16;

impl Elab<'_> {
    /// Binds a header. Real parameters that no argument fixes become parameters of the run.
    pub fn bind_header(
        &mut self,
        name: &str,
        params: &[Param],
        args: &[BoundArg],
        span: Span,
        scope: &Scope,
    ) -> Try<()> {
        open_sizes(params, scope, self)?;
        let values = self.match_args(name, params, args)?;
        let mut broken = false;
        for (param, given) in params.iter().zip(values) {
            match self.bind_param(name, param, given, span, scope) {
                Ok(value) => scope.define(&param.name.name, value, param.name.span),
                Err(Reported) => {
                    scope.set(&param.name.name, Entry::Broken);
                    broken = true;
                }
            }
        }
        if broken { Err(Reported) } else { Ok(()) }
    }

    fn bind_param(
        &mut self,
        owner: &str,
        param: &Param,
        given: Option<BoundArg>,
        span: Span,
        scope: &Scope,
    ) -> Try<Value> {
        let Some(arg) = given else { return self.bind_default(owner, param, span, scope) };
        let value = self.fit_param(param, arg.value, arg.span, scope)?;
        let value = match (&value, &param.ty) {
            // An untyped number is real.
            (Value::Int(_), None) => Value::Num(self.real(&value, arg.span)?),
            (Value::Num(id), None) if self.g.ty(*id) == Ty::Int => Value::Num(self.real(&value, arg.span)?),
            (Value::Num(_) | Value::Dim(_) | Value::Range(..), None) => value,
            (_, None) if param.default.as_ref().is_some_and(numeric_literal) => {
                let message = format!("`{}` is a number, and this is {}", param.name.name, value.kind());
                let d = Diagnostic::error(codes::TYPE_MISMATCH, message, arg.span, "not a number");
                return self.fail(d.label(param.name.span, "its default says so"));
            }
            _ => value,
        };
        if let (Some(range), Some(id)) = (&param.range, self.numeric(&value)) {
            let range = self.param_range(range, scope)?;
            self.check_range(&param.name.name, id, &range, arg.span)?;
        }
        Ok(value)
    }

    /// The default of a parameter that no argument gives: a real one becomes a parameter of the run.
    fn bind_default(&mut self, owner: &str, param: &Param, span: Span, scope: &Scope) -> Try<Value> {
        let Some(default) = &param.default else { return self.missing_argument(owner, param, span) };
        let value = self.expr(default, scope)?;
        let value = self.fit_param(param, value, default.span, scope)?;
        let real = match &param.ty {
            Some(ty) => matches!(&ty.kind, TypeKind::Named(name, _) if name.name == "real"),
            None => match &value {
                Value::Int(_) => true,
                Value::Num(id) => self.g.ty(*id) != Ty::Bool,
                _ => false,
            },
        };
        if real {
            let id = self.real(&value, default.span)?;
            return self.run_param(param, id, default.span, scope);
        }
        if let (Some(range), Some(id)) = (&param.range, self.numeric(&value)) {
            let range = self.param_range(range, scope)?;
            self.check_range(&param.name.name, id, &range, default.span)?;
        }
        Ok(value)
    }

    fn numeric(&mut self, value: &Value) -> Option<Id> {
        match value {
            Value::Num(id) if self.g.ty(*id) != Ty::Bool => Some(*id),
            Value::Int(n) => Some(self.g.real(*n as f64)),
            _ => None,
        }
    }

    fn run_param(&mut self, param: &Param, default: Id, span: Span, scope: &Scope) -> Try<Value> {
        let name = param.name.name.clone();
        let shape = self.g.shape(default).to_vec();
        let range = match &param.range {
            Some(range) => Some(self.param_range(range, scope)?),
            None => None,
        };
        if let Some(range) = &range {
            self.check_range(&name, default, range, span)?;
        }
        let path = self.param_path(&name);
        if let Some(var) = self.shared_param(param, default, &path) {
            return Ok(Value::Num(self.g.var(var)));
        }
        let var = self.g.new_var(name.clone(), VarKind::Param, Ty::Real, shape);
        self.params.push(RunParam { name, path, var, default: Some(default), range, span: param.name.span });
        Ok(Value::Num(self.g.var(var)))
    }

    /// The parameter that one is that has been met before: of the same place in the tree, or, for an instance that a
    /// statement of the run writes again, the one that the tree has of it.
    fn shared_param(&self, param: &Param, default: Id, path: &str) -> Option<VarId> {
        let alike = |p: &&RunParam| p.span == param.name.span && p.default == Some(default);
        if let Some(known) = self.params.iter().filter(alike).find(|p| p.path == path) {
            return Some(known.var);
        }
        self.run.as_ref()?;
        // The paths of what statements write begin with the name of the run.
        let own = path.split_once('.').map_or(path, |(_, rest)| rest);
        let ends = |long: &str, short: &str| long == short || long.ends_with(&format!(".{short}"));
        let mut known = self.params.iter().filter(alike).filter(|p| ends(&p.path, own) || ends(own, &p.path));
        match (known.next(), known.next()) {
            (Some(one), None) => Some(one.var),
            _ => None,
        }
    }

    /// A `target` declaration applied to arguments.
    pub fn apply_target(&mut self, decl: &ast::Target, at: &Decl, args: &[BoundArg], span: Span) -> Try<Value> {
        let scope = self.root_scope(at.library);
        self.path.push(decl.name.name.clone());
        let draws = self.draws.take();
        let result =
            self.bind_header(&decl.name.name, &decl.header, args, span, &scope).and_then(|()| match &decl.body {
                TargetBody::Alias(e) => self.alias_target(decl, e, &scope),
                TargetBody::Density { variable, ty, space, statements } => {
                    self.density_target(decl, variable, ty, space.as_ref(), statements, &scope, span)
                }
            });
        self.draws = draws;
        self.path.pop();
        result
    }

    fn alias_target(&mut self, decl: &ast::Target, e: &Expr, scope: &Scope) -> Try<Value> {
        let value = self.expr(e, scope)?;
        match value {
            Value::Target(_) => Ok(value),
            other => {
                let message = format!("`{}` is declared as a target, and this is {}", decl.name.name, other.kind());
                self.error(codes::TYPE_MISMATCH, message, e.span, "not a target")
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn density_target(
        &mut self,
        decl: &ast::Target,
        variable: &ast::Ident,
        ty: &ast::Type,
        space: Option<&Expr>,
        statements: &[TargetStmt],
        scope: &Scope,
        span: Span,
    ) -> Try<Value> {
        if let Some(space) = space {
            return self.unsupported(later::TARGET_SPACE, space.span);
        }
        // Data come first whatever their place: they fix sizes that the variable's type may use.
        let mut broken = false;
        for statement in statements {
            broken |= match statement {
                TargetStmt::Data(d) => self.define_data(d, scope).is_err(),
                TargetStmt::Const(c) => self.define_const(c, scope).is_err(),
                _ => false,
            };
        }
        if broken {
            return Err(Reported);
        }
        if matches!(&ty.kind, TypeKind::Named(n, _) if matches!(n.name.as_str(), "int" | "bool")) {
            return self.unsupported(later::TARGET_TYPE, ty.span);
        }
        let shape = self.type_shape(ty, scope)?;
        let var = self.g.new_var(variable.name.clone(), VarKind::Hole, Ty::Real, shape.clone());
        let x = self.g.var(var);
        scope.define(&variable.name, Value::Num(x), variable.span);
        let mut terms: Vec<Id> = Vec::new();
        let mut pieces: Option<Vec<Piece>> = Some(Vec::new());
        for statement in statements {
            if self.target_statement(statement, variable, &shape, scope, &mut terms, &mut pieces).is_err() {
                broken = true;
            }
        }
        if broken {
            return Err(Reported);
        }
        if terms.is_empty() {
            return self.fail(
                Diagnostic::error(
                    codes::BAD_DENSITY,
                    format!("the target `{}` has no density", decl.name.name),
                    decl.name.span,
                    "nothing adds to it",
                )
                .help("add `potential e`, `log_density e` or `x ~ law`"),
            );
        }
        let mut total = terms[0];
        for term in &terms[1..] {
            total = self.g.op(Op::Add, &[total, *term]);
        }
        let uncovered = pieces.as_ref().and_then(|p| self.without_law(p, &variable.name, &shape));
        let pieces = pieces.and_then(|p| self.in_drawing_order(p, var, &shape));
        let kind = TargetKind::Density { var, log_density: total, pieces, uncovered };
        let span = if span == Span::default() { decl.name.span } else { span };
        Ok(Value::Target(Rc::new(Target::new(decl.name.name.clone(), shape, kind, span))))
    }

    pub fn define_const(&mut self, c: &ast::Const, scope: &Scope) -> Try<()> {
        match self.expr(&c.value, scope) {
            Ok(value) => {
                scope.define(&c.name.name, value, c.name.span);
                Ok(())
            }
            Err(Reported) => {
                scope.set(&c.name.name, Entry::Broken);
                Err(Reported)
            }
        }
    }

    pub fn define_data(&mut self, d: &ast::Data, scope: &Scope) -> Try<()> {
        match self.data_value(d, scope) {
            Ok(value) => {
                scope.define(&d.name.name, value, d.name.span);
                Ok(())
            }
            Err(Reported) => {
                scope.set(&d.name.name, Entry::Broken);
                Err(Reported)
            }
        }
    }

    /// The value of a `data` line, its sizes fixed by what the file holds.
    pub fn data_value(&mut self, d: &ast::Data, scope: &Scope) -> Try<Value> {
        let value = self.expr(&d.value, scope)?;
        if let Value::Num(id) = value
            && let Node::Data(data) = *self.g.node(id)
        {
            self.g.rename_data(data, d.name.name.clone());
        }
        self.fit_type(&d.ty, value, d.value.span, scope)
    }

    fn target_statement(
        &mut self,
        statement: &TargetStmt,
        variable: &ast::Ident,
        shape: &[usize],
        scope: &Scope,
        terms: &mut Vec<Id>,
        pieces: &mut Option<Vec<Piece>>,
    ) -> Try<()> {
        match statement {
            TargetStmt::Data(_) | TargetStmt::Const(_) => Ok(()),
            TargetStmt::Let(l) => self.define_let(l, scope).map(|_| ()),
            TargetStmt::Fn(f) => {
                let closure = self.closure(f, scope);
                scope.define(&f.name.name, closure, f.name.span);
                Ok(())
            }
            TargetStmt::LogDensity(e) => {
                *pieces = None;
                terms.push(self.scalar_density(e, scope)?);
                Ok(())
            }
            TargetStmt::Potential(e) => {
                *pieces = None;
                let u = self.scalar_density(e, scope)?;
                terms.push(self.g.op(Op::Neg, &[u]));
                Ok(())
            }
            TargetStmt::Tilde(left, law) => {
                let x = self.real_expr(left, scope)?;
                let value = self.expr(law, scope)?;
                let Value::Target(target) = value else {
                    let message = format!("`~` wants a law on its right, and this is {}", value.kind());
                    return self.error(codes::TYPE_MISMATCH, message, law.span, "not a target");
                };
                let target = self.for_each_row(&target, self.g.shape(x));
                terms.push(self.log_density(&target, x, left.span)?);
                match (self.piece_axes(left, variable, shape, scope), pieces.as_mut()) {
                    (Some(axes), Some(list)) => list.push(Piece { axes, law: target }),
                    _ => *pieces = None,
                }
                Ok(())
            }
        }
    }

    fn scalar_density(&mut self, e: &Expr, scope: &Scope) -> Try<Id> {
        let id = self.real_expr(e, scope)?;
        if self.g.is_scalar(id) {
            return Ok(id);
        }
        let message = format!("a density is a single number, and this has the shape {}", shape_text(self.g.shape(id)));
        self.fail(Diagnostic::error(codes::SHAPE_MISMATCH, message, e.span, "an array").help("sum it: `sum(...)`"))
    }

    /// The axes of the variable that the left side of `~` is, when it is the variable or a piece of it.
    fn piece_axes(&mut self, left: &Expr, variable: &ast::Ident, shape: &[usize], scope: &Scope) -> Option<Vec<Axis>> {
        let subs: &[Sub] = match &left.kind {
            ExprKind::Name(n) if *n == variable.name => &[],
            ExprKind::Index(inner, subs) => match &inner.kind {
                ExprKind::Name(n) if *n == variable.name => subs,
                _ => return None,
            },
            ExprKind::Paren(inner) => return self.piece_axes(inner, variable, shape, scope),
            _ => return None,
        };
        self.subscripts(shape, subs, scope).ok()
    }

    // Compositions of targets.

    /// `mixture(weights, parts)`.
    pub fn mixture(&mut self, args: &[BoundArg], span: Span) -> Try<Value> {
        let [w, parts] = args else {
            return self.error(codes::WRONG_ARITY, "`mixture` takes weights and components", span, "called here");
        };
        let weights = self.real(&w.value, w.span)?;
        let shape = self.g.shape(weights).to_vec();
        if shape.len() != 1 {
            let message =
                format!("the weights of a mixture are a vector, and these have the shape {}", shape_text(&shape));
            return self.error(codes::SHAPE_MISMATCH, message, w.span, "not a vector");
        }
        self.check_weights(weights, w.span)?;
        let (count, variable, made) = match &parts.value {
            Value::List(items) => {
                let mut list = Vec::new();
                for item in items.iter() {
                    list.push(self.target_arg(&BoundArg { name: None, value: item.clone(), span: parts.span })?);
                }
                let Some(first) = list.first().map(|t| t.shape.clone()) else {
                    return self.error(codes::EMPTY_RANGE, "a mixture has at least one component", parts.span, "empty");
                };
                if let Some(other) = list.iter().find(|t| t.shape != first) {
                    let message = format!(
                        "the components of this mixture are laws over {} and {}",
                        shape_words(&first),
                        shape_words(&other.shape)
                    );
                    return self.error(codes::SHAPE_MISMATCH, message, parts.span, "different shapes");
                }
                let made = self.as_family(&list).unwrap_or(Parts::List(list.clone()));
                (list.len(), first, made)
            }
            Value::Family { index, body } => {
                let body = self.target_arg(&BoundArg { name: None, value: (**body).clone(), span: parts.span })?;
                (index.extent, body.shape.clone(), Parts::Family { index: *index, body })
            }
            other => {
                let message =
                    format!("the components of a mixture are a list of targets, and this is {}", other.kind());
                return self.error(codes::TYPE_MISMATCH, message, parts.span, "not a list of targets");
            }
        };
        if count != shape[0] {
            let message = format!("a mixture of {count} components with {} weights", shape[0]);
            return self.fail(
                Diagnostic::error(codes::SIZE_CONFLICT, message, w.span, format!("{} weights", shape[0]))
                    .label(parts.span, format!("{count} components")),
            );
        }
        let kind = TargetKind::Mixture { weights, parts: made };
        Ok(Value::Target(Rc::new(Target::new("mixture", variable, kind, span))))
    }

    /// Constant weights are not negative, and some are positive.
    fn check_weights(&mut self, weights: Id, span: Span) -> Try<()> {
        let closed = self.g.vars_of(weights).is_empty();
        let value = if closed { self.cheap_value(weights, &crate::math::eval::Env::default()) } else { None };
        let Some(value) = value else { return Ok(()) };
        if let Some(bad) = value.values.iter().find(|v| !(**v >= 0.0 && v.is_finite())) {
            let message = format!("the weights of a mixture must be not negative, and one is {bad}");
            return self.error(codes::OUT_OF_RANGE, message, span, "not weights");
        }
        if value.values.iter().all(|v| *v == 0.0) {
            return self.error(codes::OUT_OF_RANGE, "the weights of a mixture are all zero", span, "not weights");
        }
        Ok(())
    }

    /// Components that are one law with different parameters become one body with an index: one loop, not many copies.
    fn as_family(&mut self, list: &[Rc<Target>]) -> Option<Parts> {
        let params: Vec<(&'static crate::model::distributions::Distribution, Vec<Id>, bool)> = list
            .iter()
            .map(|t| match &t.kind {
                TargetKind::Scalar { law, params } => Some((*law, params.clone(), true)),
                TargetKind::Vector { law, params } => Some((*law, params.clone(), false)),
                _ => None,
            })
            .collect::<Option<_>>()?;
        let (law, first, scalar) = params.first()?.clone();
        let same = params.iter().all(|(l, p, _)| {
            l.name == law.name && p.iter().zip(&first).all(|(a, b)| self.g.shape(*a) == self.g.shape(*b))
        });
        let size: usize = first.iter().map(|p| self.g.shape(*p).iter().product::<usize>()).sum();
        if !same || list.len() < 2 || size.saturating_mul(list.len()) > MAX_STACKED {
            return None;
        }
        let index = self.g.fresh_index(list.len());
        let ki = self.g.index(index);
        let mut stacked = Vec::new();
        for slot in 0..first.len() {
            let shape: Vec<usize> = self.g.shape(first[slot]).to_vec();
            let mut elements = Vec::new();
            for (_, p, _) in &params {
                elements.extend(self.elements(p[slot]));
            }
            let full: Vec<usize> = std::iter::once(list.len()).chain(shape).collect();
            let all = self.g.lit(full, elements);
            stacked.push(if first.is_empty() || self.g.shape(all).len() == 1 {
                self.g.get(all, &[ki])
            } else {
                self.row(all, ki)
            });
        }
        let kind = if scalar {
            TargetKind::Scalar { law, params: stacked }
        } else {
            TargetKind::Vector { law, params: stacked }
        };
        let body = Target::new(law.name, list[0].shape.clone(), kind, list[0].span);
        Some(Parts::Family { index, body: Rc::new(body) })
    }

    /// `product`, `temper`, `tilt`, `shift`, `scale`.
    pub fn compose_target(&mut self, name: &str, args: &[BoundArg], span: Span) -> Try<Value> {
        let [p, e] = args else {
            return self.error(
                codes::WRONG_ARITY,
                format!("`{name}` takes a target and one more argument"),
                span,
                "called here",
            );
        };
        let part = self.target_arg(p)?;
        let shape = part.shape.clone();
        let (shape, kind) = match name {
            "product" => {
                let n = self.as_int(&e.value, e.span)?;
                if n < 1 {
                    return self.error(
                        codes::SIZE_UNKNOWN,
                        format!("{n} is not a number of copies"),
                        e.span,
                        "at least 1",
                    );
                }
                let full: Vec<usize> = std::iter::once(n as usize).chain(shape).collect();
                self.fits_memory(&full, e.span)?;
                (full, TargetKind::Product { part })
            }
            "temper" => (shape, TargetKind::Temper { part, power: self.scalar(&e.value, e.span)? }),
            "tilt" => (shape, TargetKind::Tilt { part, tilt: e.value.clone(), span: e.span }),
            "shift" => (shape, TargetKind::Shift { part, by: self.real(&e.value, e.span)? }),
            _ => (shape, TargetKind::Scale { part, by: self.scalar(&e.value, e.span)? }),
        };
        Ok(Value::Target(Rc::new(Target::new(name, shape, kind, span))))
    }
}

/// Whether a default is a number by its looks (so that the parameter is real).
fn numeric_literal(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Number { .. } => true,
        ExprKind::Paren(a) | ExprKind::Unary(_, a) => numeric_literal(a),
        ExprKind::Binary(_, a, b) => numeric_literal(a) && numeric_literal(b),
        ExprKind::Name(n) => n == "pi" || n == "inf",
        ExprKind::Call(f, args) => {
            matches!(&f.kind, ExprKind::Name(n) if crate::model::functions::lookup(n).is_some_and(|f| f.arity().is_some()))
                && args.iter().all(|a| numeric_literal(&a.value))
        }
        _ => false,
    }
}
