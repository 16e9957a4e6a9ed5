//! Types and sizes: what a header or a `let` says of a value, and how a size gets its value.

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Id, Ty};
use crate::model::call::plural;
use crate::model::elab::{Elab, Range, RangeCheck, Reported, Try, shape_text};
use crate::model::library::item_name;
use crate::model::messages;
use crate::model::value::{Entry, Func, Scope, Value};
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, ItemKind, Param, ParamRange, Type, TypeKind};

impl Elab<'_> {
    /// The shape that a type says; all its sizes must be known.
    pub fn type_shape(&mut self, ty: &Type, scope: &Scope) -> Try<Vec<usize>> {
        let TypeKind::Named(name, dims) = &ty.kind else {
            return self.error(codes::TYPE_MISMATCH, "an array type is wanted here", ty.span, "a function type");
        };
        if !matches!(name.name.as_str(), "real" | "int" | "bool") {
            if messages::TYPES.contains(&name.name.as_str()) {
                return self.error(codes::TYPE_MISMATCH, "an array type is wanted here", ty.span, "not of numbers");
            }
            return self.unknown_type(&name.name, name.span);
        }
        self.sizes(dims, ty.span, scope)
    }

    /// The shape that a list of sizes says.
    pub fn sizes(&mut self, dims: &[Expr], span: Span, scope: &Scope) -> Try<Vec<usize>> {
        let mut shape = Vec::new();
        for dim in dims {
            match self.size_expr(dim, scope)? {
                Value::Dim(piece) => shape.extend(piece.iter().copied()),
                value => shape.push(self.size(&value, dim.span)?),
            }
        }
        self.fits_memory(&shape, span)?;
        Ok(shape)
    }

    /// A size; a name that is declared nowhere is a size that nothing fixes.
    fn size_expr(&mut self, dim: &Expr, scope: &Scope) -> Try<Value> {
        if let ExprKind::Name(name) = &dim.kind
            && self.is_open_size(name, scope)
        {
            let near = self.did_you_mean(name, scope);
            return self.fail(messages::open_size(name, dim.span, near));
        }
        if let ExprKind::Name(name) = &dim.kind
            && scope.get(name).is_none()
            && let Some(problem) = self.declared_as_no_size(name, dim.span, scope)
        {
            return self.fail(problem);
        }
        self.expr(dim, scope)
    }

    /// What is wrong with a size that has the name of a declaration.
    fn declared_as_no_size(&self, name: &str, span: Span, scope: &Scope) -> Option<Diagnostic> {
        let kind = &self.library.lookup_in(name, scope.in_library()).first()?.item.kind;
        let what = match kind {
            ItemKind::Model(_) => "a model",
            ItemKind::Target(_) => "a target",
            ItemKind::Solver(_) => "a solver",
            ItemKind::Fn(_) => "a function",
            _ => return None,
        };
        let message = format!("`{name}` is {what}, and a size is a whole number");
        let d = Diagnostic::error(codes::SIZE_UNKNOWN, message, span, "a size is wanted here");
        let d = item_name(kind).into_iter().fold(d, |d, first| d.label(first.span, "declared here"));
        Some(d.help("give the size or the declaration another name"))
    }

    /// An integer that is a size.
    pub fn size(&mut self, value: &Value, span: Span) -> Try<usize> {
        let n = self.as_int(value, span)?;
        match usize::try_from(n) {
            Ok(n) if n > 0 => {
                self.fits_memory(&[n], span)?;
                Ok(n)
            }
            _ => self.error(codes::SIZE_UNKNOWN, format!("{n} is not a size"), span, "sizes are positive integers"),
        }
    }

    /// Whether a function can be called with so many arguments as its type says.
    fn takes(&mut self, f: &Func, count: usize, span: Span, ty: Span) -> Try<()> {
        let Func::Closure { params, .. } = f else { return Ok(()) };
        let least = params.iter().filter(|p| p.default.is_none()).count();
        if (least..=params.len()).contains(&count) {
            return Ok(());
        }
        let takes = if count < least { least } else { params.len() };
        let names: Vec<String> = (1..=count).map(|k| format!("x{k}")).collect();
        let written = if count == 1 { "x -> ...".to_string() } else { format!("({}) -> ...", names.join(", ")) };
        let message = format!("a function of {count} argument{} is wanted, and this one takes {takes}", plural(count));
        let label = if count < takes { "too many arguments" } else { "too few arguments" };
        self.fail(
            Diagnostic::error(codes::TYPE_MISMATCH, message, span, label)
                .label(ty, "this is the type")
                .help(format!("write one with the arguments that it gets: `{written}`")),
        )
    }

    fn unknown_type<T>(&mut self, name: &str, span: Span) -> Try<T> {
        self.fail(messages::unknown_type(name, span))
    }

    /// Makes a value fit a parameter's type; a default alone makes the parameter real when it is a number.
    pub fn fit_param(&mut self, param: &Param, value: Value, span: Span, scope: &Scope) -> Try<Value> {
        match &param.ty {
            Some(ty) => self.fit_type(ty, value, span, scope),
            None => Ok(value),
        }
    }

    pub fn fit_type(&mut self, ty: &Type, value: Value, span: Span, scope: &Scope) -> Try<Value> {
        let (name, dims) = match &ty.kind {
            TypeKind::Function(args, _) => {
                if let Value::Func(f) = &value {
                    self.takes(f, args.len(), span, ty.span)?;
                }
                return self.want(matches!(value, Value::Func(_)), "a function", value, span, ty.span);
            }
            TypeKind::Named(name, dims) => (name, dims),
        };
        if matches!(name.name.as_str(), "target" | "model" | "solver") && !dims.is_empty() {
            return self.unsupported(&format!("a list of {}s as a parameter", name.name), ty.span);
        }
        match name.name.as_str() {
            "target" => self.want(matches!(value, Value::Target(_)), "a target", value, span, ty.span),
            "model" => self.want(matches!(value, Value::Model(_)), "a model", value, span, ty.span),
            "solver" => self.want(matches!(value, Value::Solver(_)), "a solver", value, span, ty.span),
            "int" if dims.is_empty() => {
                let n = self.as_int(&value, span)?;
                Ok(Value::Int(n))
            }
            "real" | "int" | "bool" => {
                let id = match name.name.as_str() {
                    "real" => self.real(&value, span)?,
                    "bool" => self.boolean(&value, span)?,
                    _ => self.integers(&value, span, ty.span)?,
                };
                let shape = self.g.shape(id).to_vec();
                self.match_shape(dims, &shape, ty.span, span, scope)?;
                Ok(Value::Num(id))
            }
            _ => self.unknown_type(&name.name, name.span),
        }
    }

    /// An array of integers.
    fn integers(&mut self, value: &Value, span: Span, ty: Span) -> Try<Id> {
        let id = self.num(value, span)?;
        if self.g.ty(id) == Ty::Int {
            return Ok(id);
        }
        self.fail(
            Diagnostic::error(codes::TYPE_MISMATCH, "integers are wanted here", span, "not integers")
                .label(ty, "the type says so"),
        )
    }

    fn want(&mut self, fits: bool, what: &str, value: Value, span: Span, ty: Span) -> Try<Value> {
        if fits {
            return Ok(value);
        }
        let message = format!("{what} is wanted here, and this is {}", value.kind());
        let d = Diagnostic::error(codes::TYPE_MISMATCH, message, span, format!("not {what}"))
            .label(ty, "the parameter says so");
        self.fail(match what {
            "a target" => {
                d.help("targets are made by `target` declarations and distributions: `double_well()`, `normal(0, 1)`")
            }
            "a model" => d.help("models are made by `model` declarations: `ou()`, `langevin(normal(0, 1))`"),
            "a function" => d.help("give the name of a `fn`, or write one: `x -> x^2`"),
            _ => d,
        })
    }

    /// Matches the sizes written in a type with the shape of a value; a size met first is fixed by it.
    pub fn match_shape(&mut self, dims: &[Expr], actual: &[usize], ty: Span, at: Span, scope: &Scope) -> Try<()> {
        let mut rest = actual;
        for (k, dim) in dims.iter().enumerate() {
            if let ExprKind::Name(name) = &dim.kind
                && self.is_open_size(name, scope)
            {
                let Some((first, tail)) = rest.split_first() else {
                    return self.wrong_shape(dims, actual, ty, at, scope);
                };
                scope_fix(scope, name, *first, at);
                rest = tail;
                continue;
            }
            let piece = self.dim_sizes(dim, rest.first().copied(), scope)?;
            if rest.len() < piece.len() {
                return self.wrong_shape(dims, actual, ty, at, scope);
            }
            if rest[..piece.len()] != piece {
                return self.size_conflict(dim, k, &piece, rest[0], ty, at, scope, actual);
            }
            rest = &rest[piece.len()..];
        }
        if rest.is_empty() { Ok(()) } else { self.wrong_shape(dims, actual, ty, at, scope) }
    }

    fn is_open_size(&mut self, name: &str, scope: &Scope) -> bool {
        match scope.get(name) {
            Some(Entry::OpenSize(_)) => true,
            Some(_) => false,
            None => {
                self.library.lookup_in(name, scope.in_library()).is_empty()
                    && crate::model::functions::lookup(name).is_none()
            }
        }
    }

    /// The sizes that one entry of a type stands for; `n + 1` with an open `n` is solved from the actual size.
    fn dim_sizes(&mut self, dim: &Expr, actual: Option<usize>, scope: &Scope) -> Try<Vec<usize>> {
        if let (ExprKind::Binary(op, a, b), Some(actual)) = (&dim.kind, actual)
            && let ExprKind::Name(name) = &a.kind
            && self.is_open_size(name, scope)
        {
            use crate::syntax::ast::BinaryOp::{Add, Sub};
            let shift = self.int_expr(b, scope)?;
            let n = match op {
                Add => actual as i64 - shift,
                Sub => actual as i64 + shift,
                _ => {
                    return self.error(
                        codes::SIZE_UNKNOWN,
                        format!("nothing has fixed the size `{name}` yet"),
                        a.span,
                        "used here",
                    );
                }
            };
            if n > 0 {
                scope_fix(scope, name, n as usize, dim.span);
                return Ok(vec![actual]);
            }
        }
        match self.size_expr(dim, scope)? {
            Value::Dim(piece) => Ok(piece.to_vec()),
            value => Ok(vec![self.size(&value, dim.span)?]),
        }
    }

    fn wrong_shape<T>(&mut self, dims: &[Expr], actual: &[usize], ty: Span, at: Span, _scope: &Scope) -> Try<T> {
        let wanted = dims.iter().map(crate::syntax::print::expr).collect::<Vec<_>>().join(", ");
        let wanted = if dims.is_empty() { "a single number".to_string() } else { format!("the shape [{wanted}]") };
        self.fail(
            Diagnostic::error(
                codes::SHAPE_MISMATCH,
                format!("{wanted} is wanted, and this has the shape {}", shape_text(actual)),
                at,
                format!("the shape is {}", shape_text(actual)),
            )
            .label(ty, "declared here"),
        )
    }

    #[allow(clippy::too_many_arguments)]
    fn size_conflict<T>(
        &mut self,
        dim: &Expr,
        axis: usize,
        piece: &[usize],
        actual: usize,
        ty: Span,
        at: Span,
        scope: &Scope,
        shape: &[usize],
    ) -> Try<T> {
        let text = crate::syntax::print::expr(dim);
        let mut d = Diagnostic::error(
            codes::SIZE_CONFLICT,
            format!(
                "`{text}` is {}, and axis {axis} here has the length {actual}",
                shape_text(piece).trim_matches(['[', ']'])
            ),
            at,
            format!("the shape is {}", shape_text(shape)),
        )
        .label(ty, format!("`{text}` in this type"));
        if let ExprKind::Name(name) = &dim.kind
            && let Some(Entry::Value(_, first)) = scope.get(name)
            && first != Span::default()
        {
            d = d.label(first, format!("`{name}` was fixed here"));
        }
        self.fail(d)
    }

    /// A parameter's declared range, its ends worked out.
    pub fn param_range(&mut self, range: &ParamRange, scope: &Scope) -> Try<Range> {
        let (lo, hi) = (self.scalar_expr(&range.lo, scope), self.scalar_expr(&range.hi, scope));
        Ok(Range { lo: lo?, hi: hi?, lo_closed: range.lo_closed, hi_closed: range.hi_closed, span: range.span })
    }

    /// The value of a scalar that depends on nothing, where it is cheap to work out.
    pub fn constant(&self, id: Id) -> Option<f64> {
        if !self.g.vars_of(id).is_empty() {
            return None;
        }
        let value = self.cheap_value(id, &crate::math::eval::Env::default())?;
        value.values.first().copied()
    }

    /// A value against the range of the parameter that it is given to: now if both are constant, else when the run knows them.
    pub fn check_range(&mut self, name: &str, value: Id, range: &Range, span: Span) -> Try<()> {
        let constants = |s: &Self, id: Id| -> Option<Vec<f64>> {
            let closed = s.g.vars_of(id).is_empty();
            let value = if closed { s.cheap_value(id, &crate::math::eval::Env::default()) } else { None };
            value.map(|v| v.values)
        };
        let known = (constants(self, value), self.constant(range.lo), self.constant(range.hi));
        let (Some(values), Some(lo), Some(hi)) = known else {
            if self.g.rate(value) <= crate::math::Rate::Run {
                self.ranges.push(RangeCheck { name: name.into(), value, range: range.clone(), span });
            }
            return Ok(());
        };
        match values.iter().find(|v| !inside(**v, lo, hi, range)) {
            Some(v) => self.fail(out_of_range(name, *v, lo, hi, range, span)),
            None => Ok(()),
        }
    }
}

/// Whether a value lies in a range with open or closed ends.
pub fn inside(v: f64, lo: f64, hi: f64, range: &Range) -> bool {
    let above = if range.lo_closed { v >= lo } else { v > lo };
    let below = if range.hi_closed { v <= hi } else { v < hi };
    above && below
}

pub fn out_of_range(name: &str, v: f64, lo: f64, hi: f64, range: &Range, span: Span) -> Diagnostic {
    let (open, close) = (if range.lo_closed { '[' } else { '(' }, if range.hi_closed { ']' } else { ')' });
    Diagnostic::error(codes::OUT_OF_RANGE, format!("`{name}` = {v} is outside its range"), span, "this value")
        .label(range.span, format!("the range is {open}{lo}, {hi}{close}"))
}

/// Fixes a size where its name stands, or in this scope when it is met first.
fn scope_fix(scope: &Scope, name: &str, value: usize, at: Span) {
    let entry = Entry::Value(Value::Int(value as i64), at);
    if scope.get(name).is_some() { scope.replace(name, entry) } else { scope.set(name, entry) }
}

/// Sizes named in the types of a header, met before anything fixes them.
pub fn open_sizes(params: &[Param], scope: &Scope, elab: &mut Elab<'_>) -> Result<(), Reported> {
    for param in params {
        let Some(Type { kind: TypeKind::Named(_, dims), .. }) = &param.ty else { continue };
        for dim in dims {
            if let ExprKind::Name(name) = &dim.kind
                && elab.is_open_size(name, scope)
                && !params.iter().any(|p| p.name.name == *name)
                && scope.get(name).is_none()
            {
                scope.set(name, Entry::OpenSize(dim.span));
            }
        }
    }
    Ok(())
}
