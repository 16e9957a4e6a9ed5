//! Splitting solvers as they are written: `split([O/2, B/2, A, B/2, O/2], B = euler_maruyama)`.

use std::rc::Rc;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Id, Op};
use crate::model::elab::{Elab, Reported, Try};
use crate::model::value::{AppliedSolver, Scope, Value};
use crate::source::Span;
use crate::syntax::ast::{Arg, BinaryOp, Expr, ExprKind, Ident, UnaryOp};

/// The parts of a step in order, and the solvers that some of them are moved by.
#[derive(Debug)]
pub struct Split {
    pub pieces: Vec<Piece>,
    pub rules: Vec<(Ident, Rc<AppliedSolver>)>,
}

/// A part of the model with its share of the step.
#[derive(Debug)]
pub struct Piece {
    pub part: Ident,
    pub share: Id,
}

impl Elab<'_> {
    /// `split(...)` as a solver.
    pub fn split_value(&mut self, args: &[Arg], scope: &Scope, span: Span) -> Try<Value> {
        let mut pieces = Vec::new();
        let mut rules = Vec::new();
        let mut list = None;
        for arg in args {
            match (&arg.name, &arg.value.kind) {
                (None, ExprKind::List(items)) if list.is_none() => list = Some(items),
                (Some(part), _) => {
                    if let Some((first, _)) = rules.iter().find(|(p, _): &&(Ident, _)| p.name == part.name) {
                        let first: Span = first.span;
                        let message = format!("the part `{}` has two solvers", part.name);
                        return self.fail(
                            Diagnostic::error(codes::DUPLICATE_NAME, message, part.span, "named again")
                                .label(first, "named here"),
                        );
                    }
                    let value = self.expr(&arg.value, scope)?;
                    let Value::Solver(solver) = value else {
                        let message =
                            format!("the part `{}` is moved by a solver, and this is {}", part.name, value.kind());
                        return self.error(codes::TYPE_MISMATCH, message, arg.value.span, "not a solver");
                    };
                    rules.push((part.clone(), solver));
                }
                _ => return self.no_split(arg.value.span),
            }
        }
        let Some(items) = list else { return self.no_split(span) };
        let mut broken = false;
        for item in items {
            match self.piece(item, scope) {
                Ok(piece) => pieces.push(piece),
                Err(Reported) => broken = true,
            }
        }
        if broken {
            return Err(Reported);
        }
        let words: Vec<String> = items.iter().map(crate::syntax::print::expr).collect();
        let name = format!("split([{}])", words.join(", "));
        Ok(Value::Solver(Rc::new(AppliedSolver {
            text: name.clone(),
            name,
            args: Vec::new(),
            span,
            library: false,
            split: Some(Rc::new(Split { pieces, rules })),
        })))
    }

    fn no_split<T>(&mut self, span: Span) -> Try<T> {
        self.fail(
            Diagnostic::error(
                codes::BAD_SETTING,
                "`split` takes a list of parts, and solvers by the names of parts",
                span,
                "read here",
            )
            .help("write `split([A, B/2], B = euler_maruyama)`: parts in order, with their shares of a step"),
        )
    }

    /// `B`, `B/2`, `c*B` or `-c*B/2`.
    fn piece(&mut self, e: &Expr, scope: &Scope) -> Try<Piece> {
        let (op, part, factor) = match &e.kind {
            ExprKind::Name(n) => {
                let part = Ident { name: n.clone(), span: e.span };
                return Ok(Piece { part, share: self.g.real(1.0) });
            }
            ExprKind::Unary(UnaryOp::Neg, a) => {
                let Piece { part, share } = self.piece(a, scope)?;
                return Ok(Piece { part, share: self.g.op(Op::Neg, &[share]) });
            }
            ExprKind::Binary(BinaryOp::Div, a, b) => (Op::Div, a, b),
            ExprKind::Binary(BinaryOp::Mul, a, b) if ends_in_name(b) => (Op::Mul, b, a),
            ExprKind::Binary(BinaryOp::Mul, a, b) => (Op::Mul, a, b),
            _ => {
                let d = Diagnostic::error(
                    codes::BAD_SETTING,
                    "this is no part with a share of the step",
                    e.span,
                    "read here",
                );
                return self.fail(d.help("write `B`, `B/2` or `0.25*B`"));
            }
        };
        let Piece { part, share } = self.piece(part, scope)?;
        let value = self.expr(factor, scope)?;
        let value = self.scalar(&value, factor.span)?;
        Ok(Piece { part, share: self.g.op(op, &[share, value]) })
    }
}

/// Whether a factor is a part, by itself or with a sign.
fn ends_in_name(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Name(_) => true,
        ExprKind::Unary(UnaryOp::Neg, a) => ends_in_name(a),
        _ => false,
    }
}
