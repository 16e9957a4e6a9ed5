//! Implicit stages: `solve z: F(z) == G(z) from guess`.
//!
//! Newton's method with the symbolic Jacobian, a fixed number of times for all paths (blocks of paths step together). Where
//! the last change is not small the stage has no solution that could be trusted: it is then NaN, the path counts as
//! diverged, and the run says so. `by fixed_point(n)` iterates an equation of the form `z == G(z)` instead, which wants no
//! derivative.

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Dense, Id, Op, Red, Ty, VarId, VarKind};
use crate::model::elab::{Elab, Try, shape_text};
use crate::model::value::{Scope, Value};
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, Expr, ExprKind, Ident};

/// Steps of Newton's method where the rule does not say. It doubles the digits in each: from a guess with one right digit
/// five are enough, and the others are for stiff steps that begin farther away.
const NEWTON: i64 = 8;

/// Iterations that a rule may ask for.
const MOST: i64 = 64;

/// The last change, relative to `1 + |z|`, below which a stage is solved. Newton's method then leaves its square.
const SMALL: f64 = 1e-6;

/// How an equation is solved, and in how many iterations.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Method {
    Newton(i64),
    FixedPoint(i64),
}

/// An implicit stage as it is written.
pub struct Stage<'a> {
    pub name: &'a Ident,
    pub equation: &'a Expr,
    pub guess: &'a Expr,
    pub method: Option<&'a Expr>,
    pub span: Span,
}

impl Elab<'_> {
    pub fn implicit(&mut self, stage: &Stage<'_>, scope: &Scope) -> Try<()> {
        let solved = self.solved(stage, scope);
        match solved {
            Ok(id) => scope.define(&stage.name.name, Value::Num(id), stage.name.span),
            Err(_) => scope.set(&stage.name.name, crate::model::value::Entry::Broken),
        }
        solved.map(|_| ())
    }

    fn solved(&mut self, stage: &Stage<'_>, scope: &Scope) -> Try<Id> {
        let guess = self.expr(stage.guess, scope)?;
        let guess = self.real(&guess, stage.guess.span)?;
        let shape = self.g.shape(guess).to_vec();
        if shape.len() > 1 {
            let message = format!("`solve` finds a number or a vector, and this has the shape {}", shape_text(&shape));
            return self.error(codes::SHAPE_MISMATCH, message, stage.guess.span, "the guess");
        }
        let method = self.method(stage.method, scope)?;
        let z = self.g.new_var(stage.name.name.clone(), VarKind::Hole, Ty::Real, shape.clone());
        let inner = scope.child();
        let node = self.g.var(z);
        inner.define(&stage.name.name, Value::Num(node), stage.name.span);
        let ExprKind::Binary(BinaryOp::Eq, left, right) = &stage.equation.kind else {
            return self.fail(
                Diagnostic::error(
                    codes::BAD_STEP_RULE,
                    "`solve` wants an equation",
                    stage.equation.span,
                    "no `==` here",
                )
                .help(format!("write `solve {0}: {0} == x + a(t', {0})*dt from x`", stage.name.name)),
            );
        };
        let sides = [self.side(left, &inner, &shape)?, self.side(right, &inner, &shape)?];
        match method {
            Method::Newton(n) => Ok(self.newton(z, sides, guess, n)),
            Method::FixedPoint(n) if sides[0] == node && !self.g.depends_on(guess, z) => {
                Ok(self.fixed_point(z, sides[1], guess, n))
            }
            Method::FixedPoint(_) => self.fail(
                Diagnostic::error(
                    codes::BAD_STEP_RULE,
                    "fixed points are those of an equation that is solved for its unknown",
                    left.span,
                    format!("this should be `{}` alone", stage.name.name),
                )
                .help("bring it to the form `z == g(z)`, or leave out `by fixed_point(...)` for Newton's method"),
            ),
        }
    }

    /// A side of the equation, of the shape of the unknown.
    fn side(&mut self, e: &Expr, scope: &Scope, shape: &[usize]) -> Try<Id> {
        let value = self.expr(e, scope)?;
        let id = self.real(&value, e.span)?;
        let have = self.g.shape(id).to_vec();
        if have.is_empty() && !shape.is_empty() {
            return Ok(self.tabulate(shape, |_, _| id));
        }
        if have == shape {
            return Ok(id);
        }
        let message = format!(
            "the equation is for an unknown of the shape {}, and this side has {}",
            shape_text(shape),
            shape_text(&have)
        );
        self.error(codes::SHAPE_MISMATCH, message, e.span, "another shape")
    }

    fn method(&mut self, e: Option<&Expr>, scope: &Scope) -> Try<Method> {
        let Some(e) = e else { return Ok(Method::Newton(NEWTON)) };
        let named = match &e.kind {
            ExprKind::Name(name) => Some((name.as_str(), None)),
            ExprKind::Call(f, args) => match (&f.kind, args.as_slice()) {
                (ExprKind::Name(name), [ast::Arg { name: None, value, comp: None }]) => {
                    Some((name.as_str(), Some(value)))
                }
                _ => None,
            },
            _ => None,
        };
        let count = match named.and_then(|n| n.1) {
            Some(value) => {
                let n = self.expr(value, scope)?;
                let n = self.as_int(&n, value.span)?;
                if !(1..=MOST).contains(&n) {
                    let message = format!("an implicit stage takes 1 to {MOST} iterations, and not {n}");
                    return self.error(codes::OUT_OF_RANGE, message, value.span, "out of range");
                }
                n
            }
            None => NEWTON,
        };
        match named.map(|n| n.0) {
            Some("newton") => Ok(Method::Newton(count)),
            Some("fixed_point") => Ok(Method::FixedPoint(count)),
            _ => self.fail(
                Diagnostic::error(codes::BAD_STEP_RULE, "no such method for an implicit stage", e.span, "not known")
                    .help("write `by newton(6)` or `by fixed_point(20)`, or nothing for Newton's method"),
            ),
        }
    }

    fn newton(&mut self, z: VarId, [left, right]: [Id; 2], guess: Id, n: i64) -> Id {
        let f = self.elementwise_raw(&[left, right], |g, a| g.op(Op::Sub, a));
        let change = self.newton_change(z, f);
        let (mut at, mut last) = (guess, guess);
        for _ in 0..n {
            last = self.g.substitute_vars(&[change], &[(z, at)])[0];
            at = self.elementwise_raw(&[at, last], |g, a| g.op(Op::Sub, a));
        }
        // One step of the method is the rule itself (linearly implicit), and not an attempt at the solution.
        if n == 1 { at } else { self.trusted(at, last) }
    }

    /// `J(z)^-1 F(z)`.
    fn newton_change(&mut self, z: VarId, f: Id) -> Id {
        let shape = self.g.shape(f).to_vec();
        let [n] = shape[..] else {
            let slope = self.g.partial(f, z, &[]);
            return self.g.op(Op::Div, &[f, slope]);
        };
        let entry = |s: &mut Self, at: &[Id]| {
            let one = s.g.get(f, &at[..1]);
            s.g.partial(one, z, &at[1..])
        };
        if n > 3 {
            let jacobian = self.tabulate(&[n, n], entry);
            return self.g.dense(Dense::Solve, &[jacobian, f]);
        }
        let places: Vec<Id> = (0..n as i64).map(|k| self.g.int(k)).collect();
        let rows: Vec<Vec<Id>> =
            places.iter().map(|i| places.iter().map(|j| entry(self, &[*i, *j])).collect()).collect();
        let f = self.elements(f);
        let whole = self.determinant(&rows);
        let parts = (0..n).map(|column| {
            let mut replaced = rows.clone();
            replaced.iter_mut().zip(&f).for_each(|(row, f)| row[column] = *f);
            let part = self.determinant(&replaced);
            self.g.op(Op::Div, &[part, whole])
        });
        let parts = parts.collect();
        self.g.lit(vec![n], parts)
    }

    /// The determinant of a small matrix, written out: straight code for all lanes at once.
    fn determinant(&mut self, rows: &[Vec<Id>]) -> Id {
        if let [row] = rows {
            return row[0];
        }
        let mut sum = self.g.real(0.0);
        for column in 0..rows.len() {
            let minor: Vec<Vec<Id>> = rows[1..]
                .iter()
                .map(|row| row.iter().enumerate().filter(|(k, _)| *k != column).map(|(_, e)| *e).collect())
                .collect();
            let minor = self.determinant(&minor);
            let term = self.g.op(Op::Mul, &[rows[0][column], minor]);
            sum = self.g.op(if column % 2 == 0 { Op::Add } else { Op::Sub }, &[sum, term]);
        }
        sum
    }

    fn fixed_point(&mut self, z: VarId, next: Id, guess: Id, n: i64) -> Id {
        let (mut at, mut before) = (guess, guess);
        for _ in 0..n {
            before = at;
            at = self.g.substitute_vars(&[next], &[(z, at)])[0];
        }
        let last = self.elementwise_raw(&[at, before], |g, a| g.op(Op::Sub, a));
        self.trusted(at, last)
    }

    /// The solution, or NaN where the last change is not small.
    fn trusted(&mut self, at: Id, last: Id) -> Id {
        self.implicit_stages += 1;
        let shape = self.g.shape(at).to_vec();
        let (small, one, nan) = (self.g.real(SMALL), self.g.real(1.0), self.g.real(f64::NAN));
        let still = self.elementwise_raw(&[at, last], |g, a| {
            let (size, change) = (g.op(Op::Abs, &[a[0]]), g.op(Op::Abs, &[a[1]]));
            let scale = g.op(Op::Add, &[one, size]);
            let bound = g.op(Op::Mul, &[small, scale]);
            g.op(Op::Le, &[change, bound])
        });
        let solved = if shape.is_empty() {
            still
        } else {
            let bound = self.g.fresh_index(shape[0]);
            let i = self.g.index(bound);
            let one = self.g.get(still, &[i]);
            self.g.reduce(Red::All, &[bound], one)
        };
        self.elementwise_raw(&[at], |g, a| g.op(Op::Select, &[solved, a[0], nan]))
    }
}
