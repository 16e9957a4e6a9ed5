//! What plots are held against: the densities of targets, and functions.

use std::rc::Rc;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Id, Rate, Ty, VarId, VarKind};
use crate::model::elab::{Elab, Try};
use crate::model::plots::{PlotKind, Row};
use crate::model::target::Target;
use crate::model::value::{BoundArg, Scope, Value};
use crate::session::plan::Plan;
use crate::session::plan::arguments::Arguments;
use crate::session::plan::plots::{Facts, Plot, of_shape};
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind};
use crate::syntax::print;

/// What a plot is held against.
#[derive(Clone, Debug)]
pub enum Reference {
    Law { name: String, target: Rc<Target>, point: VarId, log_density: Id },
    Function { name: String, point: VarId, value: Id },
}

impl Elab<'_> {
    /// What `reference = ...` says.
    pub(super) fn plot_reference(&mut self, row: &Row, e: &Expr, facts: &Facts, scope: &Scope) -> Try<Reference> {
        let dims = match row.kind {
            PlotKind::Scatter => 2,
            PlotKind::Density if facts.labels.len() == 2 || facts.shapes.first().is_some_and(|s| *s == [2]) => 2,
            _ => 1,
        };
        match self.expr(e, scope)? {
            Value::Target(target)
                if matches!(row.kind, PlotKind::Histogram | PlotKind::Density | PlotKind::Scatter) =>
            {
                let shape = if dims == 2 { vec![2] } else { Vec::new() };
                if target.shape != shape {
                    let message = format!("the reference is a law of {}", of_shape(&target.shape));
                    return self.error(
                        codes::SHAPE_MISMATCH,
                        message,
                        e.span,
                        format!("the plot is of {}", of_shape(&shape)),
                    );
                }
                self.law_reference(&target, print::expr(e), e.span)
            }
            Value::Func(function) if dims == 1 => {
                let point = self.g.new_var("x", VarKind::Hole, Ty::Real, vec![]);
                let x = BoundArg { name: None, value: Value::Num(self.g.var(point)), span: e.span };
                let value = self.call_value(&function, &[x], e.span)?;
                let value = self.scalar(&value, e.span)?;
                let name = match &e.kind {
                    ExprKind::Lambda(_, body) => print::expr(body),
                    _ => print::expr(e),
                };
                if self.g.rate(value) > Rate::Run && self.g.vars_of(value).iter().any(|v| *v != point) {
                    return self.error(
                        codes::BAD_PLOT,
                        "a reference is the same for all paths",
                        e.span,
                        "depends on more",
                    );
                }
                Ok(Reference::Function { name, point, value })
            }
            other => {
                let wanted = match row.kind {
                    _ if dims == 2 => "a target over vectors of two",
                    PlotKind::Histogram | PlotKind::Density => "a target, or a function of one number",
                    _ => "a function of one number",
                };
                let message = format!("the reference of this plot is {wanted}, and this is {}", other.kind());
                let d = Diagnostic::error(codes::TYPE_MISMATCH, message, e.span, "held against this");
                self.fail(d.note(format!("it is written `{}`", row.signature)))
            }
        }
    }

    fn law_reference(&mut self, target: &Rc<Target>, name: String, span: Span) -> Try<Reference> {
        let point = self.g.new_var("x", VarKind::Hole, Ty::Real, target.shape.clone());
        let x = self.g.var(point);
        let log_density = self.log_density(target, x, span)?;
        Ok(Reference::Law { name, target: target.clone(), point, log_density })
    }

    /// The law that a model is drawn from or made over, where the plot is of its first state.
    pub(super) fn law_of_plot(&mut self, plot: &Plot, arguments: &Arguments<'_>, plan: &Plan) -> Option<Reference> {
        if !plot.facts.kind.is_still() || plot.facts.kind == PlotKind::Image {
            return None;
        }
        let [Expr { kind: ExprKind::Name(name), .. }] = arguments.values[..] else { return None };
        let target = plan.model.target.clone().or_else(|| plan.model.law.clone())?;
        let state = plan.model.states.iter().find(|s| s.flow.is_some() || plan.model.target.is_some())?;
        let known = state.name == *name || plan.model.target.is_some() && name == "x";
        let size: usize = target.shape.iter().product();
        if !known || state.shape != target.shape || plot.facts.shapes != [target.shape.clone()] || size > 2 {
            return None;
        }
        if !(target.shape.is_empty() || target.shape == [2]) || !plot.pool.axes.is_empty() {
            return None;
        }
        self.law_reference(&target, target.name.clone(), plot.facts.span).ok()
    }
}
