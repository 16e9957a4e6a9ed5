//! Names in expressions, and the arguments of calls.

use super::{Known, Resolver, What, is_differential};
use crate::model::distributions::Distribution;
use crate::model::functions::{Builtin, Function, FunctionKind};
use crate::model::operators::Operator;
use crate::model::results::Named;
use crate::model::{distributions, functions, later, messages, operators, results};
use crate::source::Span;
use crate::syntax::ast::{Arg, Comp, Expr, ExprKind, Ident, ItemKind, Param, Sub};

/// Operators with an argument that speaks of the variable of another one.
const OVER_ANOTHER: &[&str] = &["condition", "generator", "fokker_planck", "retime"];

impl<'p> Resolver<'p> {
    pub(super) fn expr(&mut self, e: &'p Expr) {
        match &e.kind {
            ExprKind::Number { .. } | ExprKind::Text(_) | ExprKind::Bool(_) => {}
            ExprKind::Name(name) => self.use_name(name, e.span),
            ExprKind::Paren(a) | ExprKind::Unary(_, a) => self.expr(a),
            ExprKind::List(items) => items.iter().for_each(|i| self.expr(i)),
            ExprKind::Comprehension(body, comp) => self.comprehension(comp, |s| s.expr(body)),
            ExprKind::Range(a, b) => {
                self.expr(a);
                if let Some(b) = b {
                    self.expr(b);
                }
            }
            ExprKind::Lambda(params, body) => self.within(|s| {
                params.iter().for_each(|p| s.declare_argument(p));
                s.expr(body);
            }),
            ExprKind::If(c, a, b) => [c, a, b].into_iter().for_each(|e| self.expr(e)),
            ExprKind::Binary(op, a, b) => {
                if let Some(problem) = messages::chained(*op, a) {
                    self.report(problem);
                }
                self.expr(a);
                self.expr(b);
            }
            ExprKind::Call(callee, args) => self.call(callee, args, e.span),
            ExprKind::Index(array, subs) => {
                self.expr(array);
                self.subscripts(subs);
            }
            ExprKind::Prime(inner) => self.prime(inner, e.span),
            ExprKind::Field(object, field) => self.field(object, field),
            ExprKind::Juxtapose { coefficient, differential, subs, .. } => {
                if !self.flow {
                    self.report(messages::juxtaposed(differential, coefficient.span, e.span));
                }
                self.expr(coefficient);
                self.note_differential(differential);
                self.note_local(differential);
                self.subscripts(subs);
            }
        }
    }

    pub(super) fn subscripts(&mut self, subs: &'p [Sub]) {
        for sub in subs {
            if let Sub::At(e) = sub {
                self.expr(e);
            }
        }
    }

    /// The clauses of a comprehension, then its body inside them.
    pub(super) fn comprehension(&mut self, comp: &'p Comp, body: impl FnOnce(&mut Self)) {
        self.within(|s| {
            for (name, over) in &comp.clauses {
                s.expr(over);
                s.declare(name, What::Value);
            }
            if let Some(condition) = &comp.condition {
                s.expr(condition);
            }
            body(s);
        });
    }

    fn prime(&mut self, inner: &'p Expr, span: Span) {
        let ExprKind::Name(name) = &inner.kind else { return self.expr(inner) };
        self.note(name, inner.span);
        let known = match &self.renewable {
            Some(names) => name == "t" || names.contains(name),
            None => false,
        };
        if known || self.is_wild() {
            return;
        }
        if self.find(name).is_none() {
            return self.use_name(name, inner.span);
        }
        self.report(messages::primed(name, span));
    }

    fn field(&mut self, object: &'p Expr, field: &'p Ident) {
        if let ExprKind::Name(name) = &object.kind
            && self.find(name).is_none()
            && self.runs.contains(&name.as_str())
        {
            let span = object.span.to(field.span);
            return self.later(later::EARLIER_RUN, span, |_| {});
        }
        self.expr(object);
    }

    // Calls.

    fn call(&mut self, callee: &'p Expr, args: &'p [Arg], span: Span) {
        let ExprKind::Name(name) = &callee.kind else {
            self.expr(callee);
            return self.arguments(args);
        };
        self.note(name, callee.span);
        if let Some(local) = self.find_local(name) {
            match local {
                Known { what: What::Function(header), .. } => self.check_arguments(name, header, args, span),
                _ => self.use_name(name, callee.span),
            }
            return self.arguments(args);
        }
        let decls = self.library.lookup(name);
        if let Some(first) = decls.first() {
            // Solvers of one name may have different headers; which is meant depends on the model.
            let solver = matches!(first.item.kind, ItemKind::Solver(_)) && decls.len() > 1;
            match first.item.kind.header() {
                Some(header) if !solver => self.check_arguments(name, header, args, span),
                _ => {
                    let headers: Vec<&'p [Param]> = decls.iter().filter_map(|d| d.item.kind.header()).collect();
                    for arg in args.iter().filter_map(|a| a.name.as_ref()) {
                        headers.iter().for_each(|header| self.note_argument(header, arg));
                    }
                }
            }
            return self.arguments(args);
        }
        if self.run
            && let Some(statistic) = results::statistic(name)
        {
            return match statistic {
                Named::Later(name) => {
                    self.later(&format!("the statistic `{name}`"), span, |s| s.arguments(args));
                }
                _ => self.arguments(args),
            };
        }
        if let Some(operator) = operators::lookup(name) {
            return self.operator_call(operator, args, span);
        }
        match (functions::lookup(name), distributions::lookup(name)) {
            (Some(f), _) => self.function_call(f, args, span),
            (None, Some(law)) => {
                self.law_arguments(law, args, span);
                self.arguments(args);
            }
            (None, None) => {
                self.use_name(name, callee.span);
                self.arguments(args);
            }
        }
    }

    pub(super) fn arguments(&mut self, args: &'p [Arg]) {
        for arg in args {
            match &arg.comp {
                Some(comp) => self.comprehension(comp, |s| s.expr(&arg.value)),
                None => self.expr(&arg.value),
            }
        }
    }

    fn operator_call(&mut self, operator: &'static Operator, args: &'p [Arg], span: Span) {
        if operator.supported {
            return self.arguments(args);
        }
        self.later(&format!("`{}`", operator.name), span, |s| {
            let split = if OVER_ANOTHER.contains(&operator.name) { args.len().min(1) } else { args.len() };
            s.arguments(&args[..split]);
            s.within_wild(|s| s.arguments(&args[split..]));
        });
    }

    fn function_call(&mut self, f: &'static Function, args: &'p [Arg], span: Span) {
        if f.kind == FunctionKind::Builtin(Builtin::Integral) {
            return self.integral(args);
        }
        if later::function(f) {
            return self.later(&format!("`{}`", f.name), span, |s| s.arguments(args));
        }
        // `argmin(y -> e, guess)`
        if matches!(f.name, "argmin" | "argmax") && args.len() == 2 {
            return self.later(&format!("`{}` of a function", f.name), span, |s| s.arguments(args));
        }
        let reduces = f.reducer.is_some() && args.len() == 1;
        if let Some(arity) = f.arity()
            && !reduces
        {
            match args.iter().find_map(|a| a.name.as_ref()) {
                Some(name) => self.report(messages::no_names(f, name)),
                None if args.len() != arity => self.report(messages::bad_arity(f, args.len(), span)),
                None => {}
            }
        }
        self.arguments(args);
    }

    /// `integral(e ds for s in a .. b)`: the differential is that of the index, or of a noise.
    fn integral(&mut self, args: &'p [Arg]) {
        for arg in args {
            let Some(comp) = &arg.comp else {
                self.expr(&arg.value);
                continue;
            };
            self.comprehension(comp, |s| match &arg.value.kind {
                ExprKind::Juxtapose { coefficient, subs, .. } => {
                    s.expr(coefficient);
                    s.subscripts(subs);
                }
                ExprKind::Name(name) if is_differential(name) => {}
                // A sum whose last term alone has the differential: the elaborator tells of it.
                _ => {
                    let before = std::mem::replace(&mut s.flow, true);
                    s.expr(&arg.value);
                    s.flow = before;
                }
            });
        }
    }

    // Arguments against a header.

    pub(super) fn check_arguments(&mut self, name: &str, params: &'p [Param], args: &'p [Arg], span: Span) {
        args.iter().filter_map(|a| a.name.as_ref()).for_each(|arg| self.note_argument(params, arg));
        let known: Vec<&str> = params.iter().map(|p| p.name.name.as_str()).collect();
        match messages::match_arguments(name, &known, &places(args)) {
            Err(problem) => self.report(*problem),
            Ok(slots) => {
                for (param, slot) in params.iter().zip(slots) {
                    if slot.is_none() && param.default.is_none() {
                        self.report(messages::missing_argument(name, param, span));
                    }
                }
            }
        }
    }

    fn law_arguments(&mut self, law: &'static Distribution, args: &'p [Arg], span: Span) {
        let known: Vec<&str> = law.params.iter().map(|p| p.name).collect();
        match messages::match_arguments(law.name, &known, &places(args)) {
            Err(mut problem) => {
                problem.notes = vec![messages::law_note(law)];
                self.report(*problem);
            }
            Ok(slots) => {
                let missing = law.params.iter().zip(slots).find(|(p, slot)| slot.is_none() && p.default.is_none());
                if let Some((param, _)) = missing {
                    self.report(messages::missing_law_argument(law, param.name, span));
                }
            }
        }
    }
}

fn places(args: &[Arg]) -> Vec<(Option<&Ident>, Span)> {
    args.iter().map(|a| (a.name.as_ref(), a.value.span)).collect()
}
