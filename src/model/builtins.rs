//! The functions of the table that are more than one operation for each element.

use std::rc::Rc;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Dense, Id, Op, Red};
use crate::model::elab::{Elab, Try, shape_text};
use crate::model::functions::{Builtin, Function, Reducer};
use crate::model::value::{BoundArg, Scope, Value};
use crate::source::Span;
use crate::syntax::ast::Arg;

/// Halvings of an interval until its ends are neighbouring numbers, nearly.
const BISECTIONS: usize = 60;

impl Elab<'_> {
    pub fn builtin(
        &mut self,
        row: &'static Function,
        builtin: Builtin,
        args: &[Arg],
        scope: &Scope,
        span: Span,
    ) -> Try<Value> {
        use Builtin as B;
        match builtin {
            B::Grad | B::Jacobian | B::Hessian | B::Div | B::Laplacian | B::Jvp | B::Vjp | B::Hvp | B::Ddt => {
                return self.derivative(row, builtin, args, scope, span);
            }
            B::Expect => return self.expect_call(row, args, scope, span),
            B::Integral => return self.integral_call(row, args, scope, span),
            B::Csv => return self.csv_call(args, scope, span),
            _ => {}
        }
        let args = self.plain_args(args, scope)?;
        self.refuse_names(row, &args)?;
        let reducer = |red| Some(Reducer::Plain(red));
        let lone = match builtin {
            B::Sum => reducer(Red::Sum),
            B::Prod => reducer(Red::Prod),
            B::Avg => Some(Reducer::Average),
            B::Any => reducer(Red::Any),
            B::All => reducer(Red::All),
            B::Argmin => reducer(Red::Argmin),
            B::Argmax => reducer(Red::Argmax),
            B::Logsumexp => reducer(Red::LogSumExp),
            _ => None,
        };
        if lone.is_some() {
            return self.wrong_count(row, "1", args.len(), span);
        }
        match builtin {
            B::Score | B::Logpdf | B::Potential => self.density_call(row, builtin, &args, span),
            B::Accept => self.accept_call(row, &args, span),
            B::Sample => self.sample_call(row, &args, span),
            B::Dense(op) => self.dense_call(row, op, &args, span),
            B::Zeros | B::Ones | B::Eye | B::Linspace | B::Geometric | B::Karras => {
                self.made_array(row, builtin, &args, span)
            }
            _ => self.array_call(row, builtin, &args, span),
        }
    }

    pub fn wrong_count<T>(&mut self, row: &'static Function, wanted: &str, given: usize, span: Span) -> Try<T> {
        self.fail(
            Diagnostic::error(
                codes::WRONG_ARITY,
                format!(
                    "`{}` takes {wanted} argument{}, and {given} {} given",
                    row.name,
                    if wanted == "1" { "" } else { "s" },
                    if given == 1 { "is" } else { "are" }
                ),
                span,
                "called here",
            )
            .note(format!("{}: {}", row.signature, row.doc)),
        )
    }

    fn take<const N: usize>(&mut self, row: &'static Function, args: &[BoundArg], span: Span) -> Try<[BoundArg; N]> {
        match <[BoundArg; N]>::try_from(args.to_vec()) {
            Ok(args) => Ok(args),
            Err(_) => self.wrong_count(row, &N.to_string(), args.len(), span),
        }
    }

    /// An argument of a given rank.
    fn ranked(&mut self, row: &'static Function, arg: &BoundArg, rank: usize) -> Try<Id> {
        let id = self.real(&arg.value, arg.span)?;
        let shape = self.g.shape(id).to_vec();
        if shape.len() == rank {
            return Ok(id);
        }
        let kind = ["a single number", "a vector", "a matrix"][rank];
        self.fail(
            Diagnostic::error(
                codes::SHAPE_MISMATCH,
                format!("`{}` wants {kind} here, and this has the shape {}", row.name, shape_text(&shape)),
                arg.span,
                format!("not {kind}"),
            )
            .note(format!("{}: {}", row.signature, row.doc)),
        )
    }

    fn any_array(&mut self, row: &'static Function, arg: &BoundArg) -> Try<Id> {
        let id = self.real(&arg.value, arg.span)?;
        if !self.g.is_scalar(id) {
            return Ok(id);
        }
        self.fail(
            Diagnostic::error(
                codes::SHAPE_MISMATCH,
                format!("`{}` wants an array, and this is a single number", row.name),
                arg.span,
                "a number",
            )
            .note(format!("{}: {}", row.signature, row.doc)),
        )
    }

    fn array_call(&mut self, row: &'static Function, builtin: Builtin, args: &[BoundArg], span: Span) -> Try<Value> {
        use Builtin as B;
        let id = match builtin {
            B::Norm => {
                let [x] = self.take(row, args, span)?;
                let x = self.real(&x.value, x.span)?;
                let squares = self.elementwise_raw(&[x], |g, a| {
                    let two = g.int(2);
                    g.op(Op::Powi, &[a[0], two])
                });
                let total = self.sum_all(squares);
                self.g.op(Op::Sqrt, &[total])
            }
            B::Dot => {
                let [x, y] = self.take(row, args, span)?;
                let a = [(self.any_array(row, &x)?, x.span), (self.any_array(row, &y)?, y.span)];
                let product = self.elementwise(Op::Mul, &a)?;
                self.sum_all(product)
            }
            B::Outer => {
                let [x, y] = self.take(row, args, span)?;
                let (x, y) = (self.ranked(row, &x, 1)?, self.ranked(row, &y, 1)?);
                let shape = [self.g.shape(x)[0], self.g.shape(y)[0]];
                self.tabulate(&shape, |s, at| {
                    let (a, b) = (s.g.get(x, &at[..1]), s.g.get(y, &at[1..]));
                    s.g.op(Op::Mul, &[a, b])
                })
            }
            B::Cross => {
                let [x, y] = self.take(row, args, span)?;
                let ids = [(self.ranked(row, &x, 1)?, x.span), (self.ranked(row, &y, 1)?, y.span)];
                for (id, at) in ids {
                    if self.g.shape(id) != [3] {
                        let message = format!(
                            "`cross` wants vectors of length 3, and this has the shape {}",
                            shape_text(self.g.shape(id))
                        );
                        return self.error(codes::SHAPE_MISMATCH, message, at, "not of length 3");
                    }
                }
                self.cross(ids[0].0, ids[1].0)
            }
            B::Trace => {
                let [x] = self.take(row, args, span)?;
                let a = self.square(row, &x)?;
                let i = self.g.fresh_index(self.g.shape(a)[0]);
                let ii = self.g.index(i);
                let body = self.g.get(a, &[ii, ii]);
                self.g.reduce(Red::Sum, &[i], body)
            }
            B::Clamp => {
                let [x, lo, hi] = self.take(row, args, span)?;
                let low = self.apply(Op::Max, &[(x.value, x.span), (lo.value, lo.span)], span)?;
                return self.apply(Op::Min, &[(low, span), (hi.value, hi.span)], span);
            }
            B::Softmax => {
                let [x] = self.take(row, args, span)?;
                let x = self.ranked(row, &x, 1)?;
                let k = self.g.fresh_index(self.g.shape(x)[0]);
                let ki = self.g.index(k);
                let body = self.g.get(x, &[ki]);
                let total = self.g.reduce(Red::LogSumExp, &[k], body);
                self.elementwise_raw(&[x, total], |g, a| {
                    let d = g.op(Op::Sub, &[a[0], a[1]]);
                    g.op(Op::Exp, &[d])
                })
            }
            B::Roll => {
                let [x, k] = self.take(row, args, span)?;
                let (a, by) = (self.any_array(row, &x)?, self.as_int(&k.value, k.span)?);
                self.roll(a, by)
            }
            B::Append => {
                let [x, y] = self.take(row, args, span)?;
                self.append(&x, &y)?
            }
            B::Diag => {
                let [x] = self.take(row, args, span)?;
                let given = self.any_array(row, &x)?;
                if self.g.shape(given).len() == 2 { self.diagonal_of(row, &x)? } else { self.diagonal_matrix(row, &x)? }
            }
            B::Standardize => {
                let [x] = self.take(row, args, span)?;
                let a = self.any_array(row, &x)?;
                self.standardize(a)
            }
            B::WithIntercept => {
                let [x] = self.take(row, args, span)?;
                let a = self.ranked(row, &x, 2)?;
                let (n, k) = (self.g.shape(a)[0], self.g.shape(a)[1]);
                self.tabulate(&[n, k + 1], |s, at| {
                    let (one, zero) = (s.g.int(1), s.g.int(0));
                    let first = s.g.op(Op::Eq, &[at[1], zero]);
                    let column = s.g.op(Op::Sub, &[at[1], one]);
                    let (value, ones) = (s.g.get(a, &[at[0], column]), s.g.real(1.0));
                    s.g.op(Op::Select, &[first, ones, value])
                })
            }
            B::EqualIn => {
                let [f, a, b, n] = self.take(row, args, span)?;
                let Value::Func(f) = &f.value else {
                    let message =
                        format!("`equal_in` takes a function of the time first, and this is {}", f.value.kind());
                    return self.error(codes::TYPE_MISMATCH, message, f.span, "not a function");
                };
                let steps = self.size(&n.value, n.span)?;
                let (a, b) = (self.scalar(&a.value, a.span)?, self.scalar(&b.value, b.span)?);
                self.equal_in(f, a, b, steps, span)?
            }
            _ => return self.unsupported(&format!("`{}`", row.name), span),
        };
        Ok(Value::Num(id))
    }

    /// The points from a to b at which a monotone f takes equally spaced values, by bisection.
    fn equal_in(&mut self, f: &Rc<crate::model::value::Func>, a: Id, b: Id, steps: usize, span: Span) -> Try<Id> {
        let at = self.g.new_var("s", crate::math::VarKind::Hole, crate::math::Ty::Real, vec![]);
        let node = self.g.var(at);
        let value = self.call_value(f, &[BoundArg { name: None, value: Value::Num(node), span }], span)?;
        let value = self.scalar(&value, span)?;
        let (first, last) =
            (self.g.substitute_vars(&[value], &[(at, a)])[0], self.g.substitute_vars(&[value], &[(at, b)])[0]);
        let levels = self.spaced(first, last, steps, steps + 1);
        let (half, rising) = (self.g.real(0.5), self.g.op(Op::Lt, &[first, last]));
        Ok(self.tabulate(&[steps + 1], |s, k| {
            let level = s.g.get(levels, k);
            let (mut low, mut high) = (a, b);
            for _ in 0..BISECTIONS {
                let sum = s.g.op(Op::Add, &[low, high]);
                let middle = s.g.op(Op::Mul, &[half, sum]);
                let here = s.g.substitute_vars(&[value], &[(at, middle)])[0];
                let (under, over) = (s.g.op(Op::Lt, &[here, level]), s.g.op(Op::Lt, &[level, here]));
                let before = s.g.op(Op::Select, &[rising, under, over]);
                low = s.g.op(Op::Select, &[before, middle, low]);
                high = s.g.op(Op::Select, &[before, high, middle]);
            }
            // the ends exactly
            let (zero, end) = (s.g.int(0), s.g.int(steps as i64));
            let (is_first, is_last) = (s.g.op(Op::Eq, &[k[0], zero]), s.g.op(Op::Eq, &[k[0], end]));
            let inside = s.g.op(Op::Select, &[is_last, b, high]);
            s.g.op(Op::Select, &[is_first, a, inside])
        }))
    }

    pub fn sum_all(&mut self, array: Id) -> Id {
        let shape = self.g.shape(array).to_vec();
        if shape.is_empty() {
            return array;
        }
        let bounds: Vec<_> = shape.iter().map(|n| self.g.fresh_index(*n)).collect();
        let at: Vec<Id> = bounds.iter().map(|b| self.g.index(*b)).collect();
        let body = self.g.get(array, &at);
        self.g.reduce(Red::Sum, &bounds, body)
    }

    fn cross(&mut self, x: Id, y: Id) -> Id {
        let (a, b) = (self.elements(x), self.elements(y));
        let elements = (0..3)
            .map(|k| {
                let (i, j) = ((k + 1) % 3, (k + 2) % 3);
                let (p, q) = (self.g.op(Op::Mul, &[a[i], b[j]]), self.g.op(Op::Mul, &[a[j], b[i]]));
                self.g.op(Op::Sub, &[p, q])
            })
            .collect();
        self.g.lit(vec![3], elements)
    }

    /// `roll(x, k)[i] = x[i - k]` along the first axis, wrapped around.
    fn roll(&mut self, array: Id, by: i64) -> Id {
        let shape = self.g.shape(array).to_vec();
        self.tabulate(&shape, |s, at| {
            let (k, n) = (s.g.int(by), s.g.int(shape[0] as i64));
            let shifted = s.g.op(Op::Sub, &[at[0], k]);
            let wrapped = s.g.op(Op::Mod, &[shifted, n]);
            let full: Vec<Id> = std::iter::once(wrapped).chain(at[1..].iter().copied()).collect();
            s.g.get(array, &full)
        })
    }

    fn append(&mut self, x: &BoundArg, y: &BoundArg) -> Try<Id> {
        let (a, b) = (self.real(&x.value, x.span)?, self.real(&y.value, y.span)?);
        let as_array = |s: &mut Self, id: Id| if s.g.is_scalar(id) { s.g.lit(vec![1], vec![id]) } else { id };
        let (a, b) = (as_array(self, a), as_array(self, b));
        let (sa, sb) = (self.g.shape(a).to_vec(), self.g.shape(b).to_vec());
        if sa[1..] != sb[1..] {
            let message = format!("`append` of shapes {} and {}", shape_text(&sa), shape_text(&sb));
            return self.error(codes::SHAPE_MISMATCH, message, y.span, "the later axes differ");
        }
        let shape: Vec<usize> = std::iter::once(sa[0] + sb[0]).chain(sa[1..].iter().copied()).collect();
        Ok(self.tabulate(&shape, |s, at| {
            let n = s.g.int(sa[0] as i64);
            let first = s.g.op(Op::Lt, &[at[0], n]);
            let shifted = s.g.op(Op::Sub, &[at[0], n]);
            let tail: Vec<Id> = std::iter::once(shifted).chain(at[1..].iter().copied()).collect();
            let (u, v) = (s.g.get(a, at), s.g.get(b, &tail));
            s.g.op(Op::Select, &[first, u, v])
        }))
    }

    /// Columns shifted and scaled to mean 0 and standard deviation 1 (population); constant columns become 0.
    fn standardize(&mut self, array: Id) -> Id {
        let shape = self.g.shape(array).to_vec();
        let n = shape[0] as f64;
        let column = |s: &mut Self, at: &[Id], f: &mut dyn FnMut(&mut Self, Id) -> Id| {
            let i = s.g.fresh_index(shape[0]);
            let ii = s.g.index(i);
            let full: Vec<Id> = std::iter::once(ii).chain(at.iter().copied()).collect();
            let x = s.g.get(array, &full);
            let body = f(s, x);
            let total = s.g.reduce(Red::Sum, &[i], body);
            let n = s.g.real(n);
            s.g.op(Op::Div, &[total, n])
        };
        let means = self.tabulate(&shape[1..], |s, at| column(s, at, &mut |_, x| x));
        let deviations = self.tabulate(&shape[1..], |s, at| {
            let m = s.element(means, at);
            let variance = column(s, at, &mut |s, x| {
                let (d, two) = (s.g.op(Op::Sub, &[x, m]), s.g.int(2));
                s.g.op(Op::Powi, &[d, two])
            });
            let sd = s.g.op(Op::Sqrt, &[variance]);
            let (zero, one) = (s.g.real(0.0), s.g.real(1.0));
            let flat = s.g.op(Op::Le, &[sd, zero]);
            s.g.op(Op::Select, &[flat, one, sd])
        });
        self.tabulate(&shape, |s, at| {
            let x = s.g.get(array, at);
            let (m, sd) = (s.element(means, &at[1..]), s.element(deviations, &at[1..]));
            let d = s.g.op(Op::Sub, &[x, m]);
            s.g.op(Op::Div, &[d, sd])
        })
    }

    fn square(&mut self, row: &'static Function, arg: &BoundArg) -> Try<Id> {
        let a = self.ranked(row, arg, 2)?;
        let shape = self.g.shape(a).to_vec();
        if shape[0] == shape[1] {
            return Ok(a);
        }
        let message = format!("`{}` wants a square matrix, and this has the shape {}", row.name, shape_text(&shape));
        self.error(codes::SHAPE_MISMATCH, message, arg.span, "not square")
    }

    fn diagonal_of(&mut self, row: &'static Function, arg: &BoundArg) -> Try<Id> {
        let a = self.square(row, arg)?;
        let n = self.g.shape(a)[0];
        Ok(self.tabulate(&[n], |s, at| s.g.get(a, &[at[0], at[0]])))
    }

    fn diagonal_matrix(&mut self, row: &'static Function, arg: &BoundArg) -> Try<Id> {
        let v = self.ranked(row, arg, 1)?;
        let n = self.g.shape(v)[0];
        Ok(self.tabulate(&[n, n], |s, at| {
            let (same, zero) = (s.g.op(Op::Eq, &[at[0], at[1]]), s.g.real(0.0));
            let element = s.g.get(v, &at[..1]);
            s.g.op(Op::Select, &[same, element, zero])
        }))
    }

    fn dense_call(&mut self, row: &'static Function, op: Dense, args: &[BoundArg], span: Span) -> Try<Value> {
        let ids = match op {
            Dense::Sort => {
                let [x] = self.take(row, args, span)?;
                vec![self.ranked(row, &x, 1)?]
            }
            Dense::Solve => {
                let [a, b] = self.take(row, args, span)?;
                let (m, v) = (self.square(row, &a)?, self.any_array(row, &b)?);
                let (sm, sv) = (self.g.shape(m).to_vec(), self.g.shape(v).to_vec());
                if sm[0] != sv[0] {
                    let message =
                        format!("`solve` of a matrix {} with a right side {}", shape_text(&sm), shape_text(&sv));
                    return self.error(codes::SHAPE_MISMATCH, message, b.span, "another length");
                }
                vec![m, v]
            }
            _ => {
                let [a] = self.take(row, args, span)?;
                vec![self.square(row, &a)?]
            }
        };
        let result = self.g.dense(op, &ids);
        let singular = match op {
            Dense::Inverse | Dense::Solve => Some("the matrix is singular: it has no inverse"),
            Dense::Cholesky => Some("the matrix is not positive definite"),
            _ => None,
        };
        if let Some(message) = singular
            && self.conditional == 0
            && self.is_undefined(result, &ids)
        {
            let at = args.first().map_or(span, |a| a.span);
            return self.error(codes::OUT_OF_RANGE, message, at, "no value can be made of it");
        }
        Ok(Value::Num(result))
    }

    /// Whether something made of constants is not finite, though they are.
    pub(super) fn is_undefined(&self, result: Id, of: &[Id]) -> bool {
        let none = crate::math::eval::Env::default();
        let finite = |id: Id| -> Option<bool> {
            let closed = self.g.vars_of(id).is_empty();
            let value = if closed { self.cheap_value(id, &none) } else { None };
            value.map(|v| v.values.iter().all(|x| x.is_finite()))
        };
        of.iter().all(|id| finite(*id) == Some(true)) && finite(result) == Some(false)
    }

    /// Arrays from sizes and numbers.
    fn made_array(&mut self, row: &'static Function, builtin: Builtin, args: &[BoundArg], span: Span) -> Try<Value> {
        use Builtin as B;
        let id = match builtin {
            B::Zeros | B::Ones => {
                let mut shape = Vec::new();
                for arg in args {
                    match &arg.value {
                        Value::Dim(piece) => shape.extend(piece.iter().copied()),
                        value => shape.push(self.size(value, arg.span)?),
                    }
                }
                self.filled(&shape, if builtin == B::Ones { 1.0 } else { 0.0 })
            }
            B::Eye => {
                let [n] = self.take(row, args, span)?;
                let n = self.size(&n.value, n.span)?;
                self.tabulate(&[n, n], |s, at| {
                    let same = s.g.op(Op::Eq, &[at[0], at[1]]);
                    let (one, zero) = (s.g.real(1.0), s.g.real(0.0));
                    s.g.op(Op::Select, &[same, one, zero])
                })
            }
            B::Linspace => {
                let [a, b, n] = self.take(row, args, span)?;
                let (lo, hi) = (self.scalar(&a.value, a.span)?, self.scalar(&b.value, b.span)?);
                let n = self.size(&n.value, n.span)?;
                self.spaced(lo, hi, n.saturating_sub(1).max(1), n)
            }
            B::Geometric => {
                let [a, b, n] = self.take(row, args, span)?;
                let (lo, hi) = (self.scalar(&a.value, a.span)?, self.scalar(&b.value, b.span)?);
                let steps = self.size(&n.value, n.span)?;
                let ends = (lo, hi);
                let (lo, hi) = (self.g.op(Op::Log, &[lo]), self.g.op(Op::Log, &[hi]));
                let logs = self.spaced(lo, hi, steps, steps + 1);
                let inner = self.elementwise_raw(&[logs], |g, a| g.op(Op::Exp, a));
                self.with_ends(inner, ends, steps + 1)
            }
            B::Karras => {
                let [n, hi, lo] = self.take(row, args, span)?;
                let steps = self.size(&n.value, n.span)?;
                let (hi, lo) = (self.scalar(&hi.value, hi.span)?, self.scalar(&lo.value, lo.span)?);
                let ends = (hi, lo);
                let (seventh, seven) = (self.g.real(1.0 / 7.0), self.g.int(7));
                let (hi, lo) = (self.g.op(Op::Pow, &[hi, seventh]), self.g.op(Op::Pow, &[lo, seventh]));
                let roots = self.spaced(hi, lo, steps, steps + 1);
                let inner = self.elementwise_raw(&[roots], |g, a| g.op(Op::Powi, &[a[0], seven]));
                self.with_ends(inner, ends, steps + 1)
            }
            _ => return self.unsupported(&format!("`{}`", row.name), span),
        };
        Ok(Value::Num(id))
    }

    /// A grid whose ends are the numbers that were given, and not what rounding makes of them.
    fn with_ends(&mut self, inner: Id, (first, last): (Id, Id), count: usize) -> Id {
        self.tabulate(&[count], |s, at| {
            let (start, end) = (s.g.int(0), s.g.int(count as i64 - 1));
            let (is_first, is_last) = (s.g.op(Op::Eq, &[at[0], start]), s.g.op(Op::Eq, &[at[0], end]));
            let element = s.g.get(inner, &[at[0]]);
            let rest = s.g.op(Op::Select, &[is_last, last, element]);
            s.g.op(Op::Select, &[is_first, first, rest])
        })
    }

    /// `lo + (hi - lo)*i/steps` for `i < count`.
    fn spaced(&mut self, lo: Id, hi: Id, steps: usize, count: usize) -> Id {
        self.tabulate(&[count], |s, at| {
            let (i, n) = (s.g.op(Op::ToReal, &[at[0]]), s.g.real(steps as f64));
            let u = s.g.op(Op::Div, &[i, n]);
            let d = s.g.op(Op::Sub, &[hi, lo]);
            let step = s.g.op(Op::Mul, &[u, d]);
            s.g.op(Op::Add, &[lo, step])
        })
    }

    /// `accept(log_ratio)`: yes with probability min(1, exp(log_ratio)).
    fn accept_call(&mut self, row: &'static Function, args: &[BoundArg], span: Span) -> Try<Value> {
        let [ratio] = self.take(row, args, span)?;
        if self.accepted.is_none() {
            return self.error(
                codes::BAD_STEP_RULE,
                "`accept` has a meaning only in a step rule",
                span,
                "used outside a solver's `step`",
            );
        }
        let log_ratio = self.scalar(&ratio.value, ratio.span)?;
        let uniform = Value::Target(Rc::new(crate::model::target::Target::unit_uniform(self, span)?));
        let u = self.draw_at(&uniform, &[], span)?;
        let log_u = self.g.op(Op::Log, &[u]);
        let yes = self.g.op(Op::Lt, &[log_u, log_ratio]);
        if let Some(sink) = &mut self.accepted {
            sink.decisions.push(yes);
        }
        Ok(Value::Num(yes))
    }
}
