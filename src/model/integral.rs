//! `integral(e ds for s in a .. b)`, and `integral(f dW for s in a .. b)` in step rules.

use crate::calculus::integrate;
use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Id, Op, VarId, VarKind};
use crate::model::elab::{Elab, Try, WienerIntegral, shape_text};
use crate::model::functions::Function;
use crate::model::value::{Scope, Value};
use crate::source::Span;
use crate::syntax::ast::{Arg, BinaryOp, Expr, ExprKind, Ident};

/// An integral as it is written.
struct Written<'a> {
    integrand: Option<&'a Expr>,
    differential: &'a str,
    at: Span,
    variable: &'a Ident,
    from: &'a Expr,
    to: &'a Expr,
}

fn read(args: &[Arg]) -> Option<Written<'_>> {
    let [Arg { name: None, value, comp: Some(comp) }] = args else { return None };
    let ([(variable, over)], None) = (comp.clauses.as_slice(), &comp.condition) else { return None };
    let ExprKind::Range(from, Some(to)) = &over.kind else { return None };
    let (integrand, differential, at) = match &value.kind {
        ExprKind::Juxtapose { coefficient, stratonovich: false, differential, subs } if subs.is_empty() => {
            (Some(&**coefficient), differential.name.as_str(), differential.span)
        }
        ExprKind::Name(name) => (None, name.as_str(), value.span),
        _ => return None,
    };
    Some(Written { integrand, differential, at, variable, from, to })
}

impl Elab<'_> {
    pub fn integral_call(&mut self, row: &'static Function, args: &[Arg], scope: &Scope, span: Span) -> Try<Value> {
        let Some(written) = read(args) else {
            return self.fail(
                Diagnostic::error(codes::WRONG_ARITY, "this is not an integral", span, "read here")
                    .note(format!("{}: {}", row.signature, row.doc))
                    .help(match args.first().map(|a| &a.value.kind) {
                        Some(ExprKind::Binary(BinaryOp::Add | BinaryOp::Sub, ..)) => {
                            "the differential multiplies the last term alone: put the integrand in parentheses".into()
                        }
                        _ => format!("for example `{}`", row.example),
                    }),
            );
        };
        let (from, to) = (self.expr(written.from, scope)?, self.expr(written.to, scope)?);
        let (from, to) = (self.scalar(&from, written.from.span)?, self.scalar(&to, written.to.span)?);
        let name = &written.variable.name;
        let variable = integrate::variable(&mut self.g, name);
        let inner = scope.child();
        let node = self.g.var(variable);
        inner.define(name, Value::Num(node), written.variable.span);
        let integrand = match written.integrand {
            None => self.g.real(1.0),
            Some(e) => {
                let value = self.expr(e, &inner)?;
                self.real(&value, e.span)?
            }
        };
        if written.differential.strip_prefix('d') == Some(name) {
            return Ok(Value::Num(self.integrated(&[integrand], variable, from, to)));
        }
        let Some(shape) = self.wiener.as_ref().map(|w| w.shape.clone()).filter(|_| written.differential == "dW") else {
            return self.unknown_differential(&written, name);
        };
        self.wiener_integral(integrand, shape, WienerIntegral { integrand, variable, from, to, stands: variable, span })
    }

    fn wiener_integral(&mut self, integrand: Id, shape: Vec<usize>, mut integral: WienerIntegral) -> Try<Value> {
        let have = self.g.shape(integrand).to_vec();
        if !have.is_empty() && have != shape {
            let message = format!(
                "the integrand of a Wiener integral is a number, or one for each component of `dW`: {}, and not {}",
                shape_text(&shape),
                shape_text(&have)
            );
            return self.error(codes::SHAPE_MISMATCH, message, integral.span, "integrated here");
        }
        integral.stands = self.g.new_var("integral", VarKind::Hole, crate::math::Ty::Real, shape);
        let node = self.g.var(integral.stands);
        self.wiener.as_mut().expect("looked at before").integrals.push(integral);
        Ok(Value::Num(node))
    }

    /// The integral of a product of numbers and arrays, element by element.
    pub fn integrated(&mut self, factors: &[Id], variable: VarId, from: Id, to: Id) -> Id {
        self.elementwise_raw(factors, |g, parts| {
            let mut product = parts[0];
            for p in &parts[1..] {
                product = g.op(Op::Mul, &[product, *p]);
            }
            integrate::integrate(g, product, variable, from, to)
        })
    }

    fn unknown_differential<T>(&mut self, written: &Written<'_>, name: &str) -> Try<T> {
        let message = format!("nothing is integrated by `{}` here", written.differential);
        let d = Diagnostic::error(codes::BAD_STEP_RULE, message, written.at, "this differential");
        self.fail(match written.differential {
            "dW" => d.help(
                "`dW` is the noise of a step: a Wiener integral stands in the `step` of a solver for models with noise",
            ),
            _ => d.help(format!("write `d{name}`, or `dW` in the step of a solver")),
        })
    }
}
