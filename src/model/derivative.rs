//! `grad`, `jacobian`, ... as nodes: the derivative is written down here and worked out by `math::derivative`.

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Id, Node, Op, Red, Ty, VarId, VarKind};
use crate::model::elab::{Elab, Try, shape_text};
use crate::model::functions::{Builtin, Function};
use crate::model::value::{Scope, Value};
use crate::source::Span;
use crate::syntax::ast::Arg;

/// What a derivative is taken by: a variable, or a piece of one picked by leading indices.
#[derive(Clone, Debug)]
struct Wrt {
    var: VarId,
    prefix: Vec<Id>,
    shape: Vec<usize>,
}

impl Elab<'_> {
    pub fn derivative(
        &mut self,
        row: &'static Function,
        builtin: Builtin,
        args: &[Arg],
        scope: &Scope,
        span: Span,
    ) -> Try<Value> {
        let args = self.plain_args(args, scope)?;
        self.refuse_names(row, &args)?;
        let wanted = match builtin {
            Builtin::Ddt => 1,
            Builtin::Jvp | Builtin::Vjp | Builtin::Hvp => 3,
            _ => 2,
        };
        if args.len() != wanted {
            return self.wrong_count(row, &wanted.to_string(), args.len(), span);
        }
        let e = self.real(&args[0].value, args[0].span)?;
        if builtin == Builtin::Ddt {
            let t = self.time;
            return Ok(Value::Num(self.elementwise_raw(&[e], |g, a| g.partial(a[0], t, &[]))));
        }
        let by = self.real(&args[1].value, args[1].span)?;
        let wrt = self.variable(by, args[1].span)?;
        // The paths depend on parameters, which a derivative of the formula alone would not see.
        let result = |v: &VarId| self.g.var_info(*v).kind == VarKind::Result && *v != wrt.var;
        if self.g.vars_of(e).iter().any(result) {
            return self.unsupported("a derivative of a statistic, which goes through the paths", span);
        }
        let scalar_needed = matches!(builtin, Builtin::Grad | Builtin::Hessian | Builtin::Laplacian | Builtin::Hvp);
        if scalar_needed && !self.g.is_scalar(e) {
            let shape = shape_text(self.g.shape(e));
            return self.fail(
                Diagnostic::error(
                    codes::SHAPE_MISMATCH,
                    format!("`{}` is taken of a single number, and this has the shape {shape}", row.name),
                    args[0].span,
                    "an array",
                )
                .help("for an array of functions use `jacobian`, `jvp` or `div`"),
            );
        }
        let third = match args.get(2) {
            Some(arg) => Some((self.real(&arg.value, arg.span)?, arg.span)),
            None => None,
        };
        let id = match builtin {
            Builtin::Grad => self.gradient(e, &wrt),
            Builtin::Jacobian => self.jacobian(e, &wrt),
            Builtin::Hessian => {
                let gradient = self.gradient(e, &wrt);
                self.jacobian(gradient, &wrt)
            }
            Builtin::Laplacian => {
                let gradient = self.gradient(e, &wrt);
                self.divergence(gradient, &wrt)
            }
            Builtin::Div => {
                self.same_as_variable("div", e, args[0].span, &wrt)?;
                self.divergence(e, &wrt)
            }
            Builtin::Jvp => {
                let (v, at) = third.expect("counted above");
                let v = self.fit_tangent(v, at, &wrt)?;
                self.along(e, &wrt, v)
            }
            Builtin::Hvp => {
                let (v, at) = third.expect("counted above");
                let v = self.fit_tangent(v, at, &wrt)?;
                let gradient = self.gradient(e, &wrt);
                self.along(gradient, &wrt, v)
            }
            Builtin::Vjp => {
                let (w, at) = third.expect("counted above");
                let product = self.elementwise(Op::Mul, &[(e, args[0].span), (w, at)])?;
                let frozen = self.freeze_weight(product, e, w, &args, at)?;
                self.gradient(frozen, &wrt)
            }
            _ => unreachable!("only derivatives come here"),
        };
        Ok(Value::Num(id))
    }

    /// `sum(stop_grad(w)*e)`, whose gradient is the product of `w` with the Jacobian.
    fn freeze_weight(
        &mut self,
        _product: Id,
        e: Id,
        w: Id,
        args: &[crate::model::value::BoundArg],
        at: Span,
    ) -> Try<Id> {
        let still = self.elementwise_raw(&[w], |g, a| g.op(Op::StopGrad, a));
        let product = self.elementwise(Op::Mul, &[(e, args[0].span), (still, at)])?;
        Ok(self.sum_all(product))
    }

    /// The variable behind an expression: a state, a parameter, an argument, or an element or row of one.
    fn variable(&mut self, id: Id, span: Span) -> Try<Wrt> {
        let found = match self.g.node(id).clone() {
            Node::Var(var) => Some((var, Vec::new())),
            Node::Get(array, at) => match *self.g.node(array) {
                Node::Var(var) => Some((var, at)),
                _ => None,
            },
            Node::Map(bounds, body) => match self.g.node(body).clone() {
                Node::Get(array, at) => match *self.g.node(array) {
                    Node::Var(var) => {
                        let split = at.len() - bounds.len().min(at.len());
                        let trailing =
                            at[split..].iter().zip(&bounds).all(|(i, b)| *self.g.node(*i) == Node::Index(*b));
                        let leading_free =
                            at[..split].iter().all(|i| bounds.iter().all(|b| !self.g.has_free(*i, b.id)));
                        (trailing && leading_free).then(|| (var, at[..split].to_vec()))
                    }
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        };
        match found {
            Some((var, prefix)) if self.g.var_info(var).ty == Ty::Real => {
                Ok(Wrt { var, prefix, shape: self.g.shape(id).to_vec() })
            }
            _ => self.fail(
                Diagnostic::error(
                    codes::NOT_A_VARIABLE,
                    "a derivative is taken with respect to a variable",
                    span,
                    "this is an expression, not a state, a parameter or an argument of a function",
                )
                .help("make it the argument of a function: `fn g(y) = grad(f(y), y)`, then `g(e)`"),
            ),
        }
    }

    fn full(&self, wrt: &Wrt, at: &[Id]) -> Vec<Id> {
        wrt.prefix.iter().chain(at).copied().collect()
    }

    fn gradient(&mut self, e: Id, wrt: &Wrt) -> Id {
        let wrt = wrt.clone();
        self.tabulate(&wrt.shape.clone(), |s, at| {
            let full = s.full(&wrt, at);
            s.g.partial(e, wrt.var, &full)
        })
    }

    fn jacobian(&mut self, e: Id, wrt: &Wrt) -> Id {
        let (wrt, rank) = (wrt.clone(), self.g.shape(e).len());
        let shape: Vec<usize> = self.g.shape(e).iter().chain(&wrt.shape).copied().collect();
        self.tabulate(&shape, |s, at| {
            let element = s.element(e, &at[..rank]);
            let full = s.full(&wrt, &at[rank..]);
            s.g.partial(element, wrt.var, &full)
        })
    }

    fn divergence(&mut self, e: Id, wrt: &Wrt) -> Id {
        if wrt.shape.is_empty() {
            return self.gradient(e, wrt);
        }
        let bounds: Vec<_> = wrt.shape.iter().map(|n| self.g.fresh_index(*n)).collect();
        let at: Vec<Id> = bounds.iter().map(|b| self.g.index(*b)).collect();
        let element = self.g.get(e, &at);
        let full = self.full(wrt, &at);
        let term = self.g.partial(element, wrt.var, &full);
        self.g.reduce(Red::Sum, &bounds, term)
    }

    /// Directional derivative of every element of `e`.
    fn along(&mut self, e: Id, wrt: &Wrt, v: Id) -> Id {
        let whole = self.g.var_info(wrt.var).shape.clone();
        let tangent = if wrt.prefix.is_empty() {
            v
        } else {
            let axes: Vec<_> = wrt
                .prefix
                .iter()
                .map(|i| crate::model::indexing::Axis::At(*i))
                .chain(wrt.shape.iter().map(|n| crate::model::indexing::Axis::Slice { start: 0, len: *n }))
                .collect();
            let zero = self.filled(&whole, 0.0);
            self.with_piece(zero, &axes, v)
        };
        let var = wrt.var;
        self.elementwise_raw(&[e], |g, a| g.jvp(a[0], var, tangent))
    }

    fn fit_tangent(&mut self, v: Id, span: Span, wrt: &Wrt) -> Try<Id> {
        if self.g.shape(v) == wrt.shape.as_slice() {
            return Ok(v);
        }
        let message = format!(
            "the direction has the shape {}, and the variable {}",
            shape_text(self.g.shape(v)),
            shape_text(&wrt.shape)
        );
        self.error(codes::SHAPE_MISMATCH, message, span, "another shape than the variable's")
    }

    fn same_as_variable(&mut self, what: &str, e: Id, span: Span, wrt: &Wrt) -> Try<()> {
        if self.g.shape(e) == wrt.shape.as_slice() {
            return Ok(());
        }
        let message = format!(
            "`{what}` wants one function for each element of the variable: shapes {} and {}",
            shape_text(self.g.shape(e)),
            shape_text(&wrt.shape)
        );
        self.error(codes::SHAPE_MISMATCH, message, span, format!("the shape is {}", shape_text(self.g.shape(e))))
    }
}
