//! `error e`: a step rule's estimate of its own error, by which adaptive runs choose their steps.

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Id, Op, Red};
use crate::model::elab::{Elab, Try, shape_text};
use crate::model::value::Scope;
use crate::solve::rule::Rule;
use crate::source::Span;
use crate::syntax::ast::{self, BlockStmt, SolverStmt};

/// The estimate of a step's error, and the states that it is held against: `x` or `q` before the step and after it.
#[derive(Clone, Copy, Debug)]
pub struct Estimate {
    pub error: Id,
    pub old: Id,
    pub new: Id,
}

/// The `error` statements of a block, and whether each stands in a branch or a loop.
fn statements(block: &[BlockStmt], inside: bool, found: &mut Vec<(Span, bool)>) {
    for statement in block {
        match statement {
            BlockStmt::Error(_, span) => found.push((*span, inside)),
            BlockStmt::If { then, otherwise, .. } => {
                statements(then, true, found);
                otherwise.iter().for_each(|block| statements(block, true, found));
            }
            BlockStmt::For { body, .. } => statements(body, true, found),
            _ => {}
        }
    }
}

/// Whether a declaration estimates the error of its step.
pub fn estimates(declared: &[SolverStmt]) -> bool {
    let mut found = Vec::new();
    for statement in declared {
        if let SolverStmt::Step(block, _) = statement {
            statements(block, false, &mut found);
        }
    }
    !found.is_empty()
}

impl Rule {
    /// Whether the rule estimates its error.
    pub fn estimates(&self) -> bool {
        estimates(self.parts().1)
    }
}

impl Elab<'_> {
    /// A step has one estimate, which holds for all of it.
    pub(super) fn one_estimate(&mut self, block: &[BlockStmt]) -> Try<()> {
        let mut found = Vec::new();
        statements(block, false, &mut found);
        if let Some((span, _)) = found.iter().find(|f| f.1) {
            return self.fail(
                Diagnostic::error(codes::BAD_STEP_RULE, "an `error` inside a branch or a loop", *span, "stands inside")
                    .note("the estimate is one of the whole step")
                    .help("give the branches a value by `if c then e else f`, and write `error` after them"),
            );
        }
        match found[..] {
            [(first, _), (second, _), ..] => self.fail(
                Diagnostic::error(
                    codes::BAD_STEP_RULE,
                    "a step with two estimates of its error",
                    second,
                    "given again",
                )
                .label(first, "first given here"),
            ),
            _ => Ok(()),
        }
    }

    pub(super) fn error_estimate(&mut self, e: &ast::Expr, scope: &Scope) -> Try<()> {
        let value = self.expr(e, scope)?;
        let id = self.real(&value, e.span)?;
        if let Some(estimates) = &mut self.estimates {
            estimates.push((id, e.span));
        }
        Ok(())
    }

    /// The estimate of a step against the states `old` and `new` (called `name`).
    pub(super) fn estimate(&mut self, error: Id, span: Span, name: &str, old: Id, new: Id) -> Try<Estimate> {
        let (have, want) = (self.g.shape(error).to_vec(), self.g.shape(old).to_vec());
        if have.is_empty() || have == want {
            return Ok(Estimate { error, old, new });
        }
        let (have, want) = (shape_text(&have), shape_text(&want));
        self.fail(
            Diagnostic::error(
                codes::SHAPE_MISMATCH,
                format!("the error of a step is a number, or an array of the shape of `{name}`"),
                span,
                format!("this has the shape {have}, and `{name}` {want}"),
            )
            .help("write the difference of two results of the step, as in `error (k1 - k2)*dt`"),
        )
    }

    /// The error in units of the tolerance: the root mean square over components of `e/(tol + tol*|x|)`, `|x|` the larger
    /// of both ends of the step (E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, section
    /// II.4). A number counts as it is.
    pub fn in_tolerances(&mut self, of: &Estimate, tol: Id) -> Id {
        let shape = self.g.shape(of.error).to_vec();
        if shape != self.g.shape(of.old) {
            let size = self.g.op(Op::Abs, &[of.error]);
            return self.g.op(Op::Div, &[size, tol]);
        }
        let squares = self.elementwise_raw(&[of.error, of.old, of.new], |g, a| {
            let (old, new, one) = (g.op(Op::Abs, &[a[1]]), g.op(Op::Abs, &[a[2]]), g.real(1.0));
            let size = g.op(Op::Max, &[old, new]);
            let scale = g.op(Op::Add, &[one, size]);
            let scale = g.op(Op::Mul, &[tol, scale]);
            let ratio = g.op(Op::Div, &[a[0], scale]);
            g.op(Op::Mul, &[ratio, ratio])
        });
        let bounds: Vec<_> = shape.iter().map(|n| self.g.fresh_index(*n)).collect();
        let at: Vec<Id> = bounds.iter().map(|b| self.g.index(*b)).collect();
        let term = self.element(squares, &at);
        let sum = if bounds.is_empty() { term } else { self.g.reduce(Red::Sum, &bounds, term) };
        let count = self.g.real(shape.iter().product::<usize>() as f64);
        let mean = self.g.op(Op::Div, &[sum, count]);
        self.g.op(Op::Sqrt, &[mean])
    }
}
