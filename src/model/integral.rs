//! `integral(e ds for s in a .. b)`, and `integral(f dW for s in a .. b)` in step rules.

use crate::calculus::integrate;
use crate::diagnostics::{Diagnostic, codes};
use crate::math::array::Array;
use crate::math::eval::{Env, eval};
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
        let backwards = self.forwards(&mut integral)?;
        self.wiener.as_mut().expect("looked at before").integrals.push(integral);
        Ok(Value::Num(match backwards {
            Some(sign) => self.elementwise_raw(&[node, sign], |g, a| g.op(Op::Mul, a)),
            None => node,
        }))
    }

    /// Makes an integral go forwards in time, inside of the step; what it is to be multiplied by where it was not (or may
    /// not have been, with ends that are drawn).
    fn forwards(&mut self, integral: &mut WienerIntegral) -> Try<Option<Id>> {
        let ends = |s: &Self, h: f64| Some([s.at_step(integral.from, h)?, s.at_step(integral.to, h)?]);
        let known: Option<Vec<[f64; 2]>> =
            [1.0, 0.01].into_iter().map(|h| ends(self, h).map(|e| e.map(|x| x / h))).collect();
        if let Some(known) = known {
            let slack = 1e-9;
            if known.iter().flatten().any(|share| !(-slack..=1.0 + slack).contains(share)) {
                let [a, b] = known[0];
                return self.fail(
                    Diagnostic::error(
                        codes::BAD_STEP_RULE,
                        format!("a Wiener integral from {a} dt to {b} dt leaves the step"),
                        integral.span,
                        "integrated here",
                    )
                    .help("its ends lie between 0 and dt, which is now and the end of the step"),
                );
            }
            if known.iter().all(|[a, b]| a > b) {
                std::mem::swap(&mut integral.from, &mut integral.to);
                self.square_integrable(integral)?;
                return Ok(Some(self.g.real(-1.0)));
            }
            if known.iter().all(|[a, b]| a <= b) {
                self.square_integrable(integral)?;
                return Ok(None);
            }
        }
        let begins = self.at_step(integral.from, 1.0) == Some(0.0);
        let ends = self.at_step(integral.to, 1.0) == Some(1.0);
        if begins || ends {
            return Ok(None);
        }
        let (a, b) = (integral.from, integral.to);
        let ordered = self.g.op(Op::Le, &[a, b]);
        (integral.from, integral.to) = (self.g.op(Op::Min, &[a, b]), self.g.op(Op::Max, &[a, b]));
        let (one, minus) = (self.g.real(1.0), self.g.real(-1.0));
        Ok(Some(self.g.op(Op::Select, &[ordered, one, minus])))
    }

    /// A value of a step of length `h` from the time 0; none where it is not known before the run.
    fn at_step(&self, id: Id, h: f64) -> Option<f64> {
        eval(&self.g, id, &self.step_of_length(h)).ok().map(|v| v.values[0])
    }

    fn step_of_length(&self, h: f64) -> Env {
        let mut env = self.default_env();
        for (var, value) in [(self.time, 0.0), (self.time_next, h), (self.dt, h), (self.step_index, 0.0)] {
            env.set(var, Array::new(vec![], vec![value]));
        }
        env
    }

    /// Refuses an integrand that is no number somewhere, or whose square has no integral (it then grows faster than s^-1
    /// towards an end).
    fn square_integrable(&mut self, integral: &WienerIntegral) -> Try<()> {
        let (Some(a), Some(b)) = (self.at_step(integral.from, 1.0), self.at_step(integral.to, 1.0)) else {
            return Ok(());
        };
        let at = |s: &Self, share: f64| {
            let mut env = s.step_of_length(1.0);
            env.set(integral.variable, Array::new(vec![], vec![a + share * (b - a)]));
            let found = eval(&s.g, integral.integrand, &env).ok()?;
            Some(
                found
                    .values
                    .iter()
                    .map(|f| f.abs())
                    .fold(0.0, |m: f64, f| if f.is_nan() { f64::NAN } else { m.max(f) }),
            )
        };
        let inside: Option<Vec<f64>> = (1..32).map(|k| at(self, f64::from(k) / 32.0)).collect();
        let Some(inside) = inside else { return Ok(()) };
        let near = |s: &Self, d: f64| at(s, d).zip(at(s, 1.0 - d)).map_or(0.0, |(x, y)| x.max(y).powi(2) * d);
        let grows = near(self, 1e-12) > near(self, 1e-6).max(1e-300) && near(self, 1e-6) > near(self, 1e-3);
        let what = if inside.iter().any(|f| !f.is_finite()) {
            "is no number in a part of the step"
        } else if grows {
            "has no finite variance"
        } else {
            return Ok(());
        };
        let message = format!("the integrand of this Wiener integral {what}");
        self.error(codes::BAD_STEP_RULE, message, integral.span, "integrated here")
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
