//! Log densities of targets at points, and their gradients.

use std::rc::Rc;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Id, IndexVar, Op, Red, Ty, VarId, VarKind};
use crate::model::distributions::{DistKind, Distribution};
use crate::model::elab::{Elab, Try, shape_text};
use crate::model::functions::{Builtin, Function};
use crate::model::target::{Parts, Target, TargetKind};
use crate::model::value::{BoundArg, Value};
use crate::source::Span;

impl Elab<'_> {
    /// The log density of a target at `x` (a node of the target's shape; any shape for a law of single numbers, any rows
    /// for one of vectors).
    pub fn log_density(&mut self, target: &Rc<Target>, x: Id, span: Span) -> Try<Id> {
        if let TargetKind::Scalar { law, params } = &target.kind {
            return self.scalar_law_density(law, params, x, target, span);
        }
        let target = &self.for_each_row(target, self.g.shape(x));
        self.check_point(target, x, span)?;
        let (hole, body) = self.abstract_density(target)?;
        Ok(self.g.substitute_vars(&[body], &[(hole, x)])[0])
    }

    fn check_point(&mut self, target: &Rc<Target>, x: Id, span: Span) -> Try<()> {
        if self.g.shape(x) == target.shape.as_slice() {
            return Ok(());
        }
        let (want, have) = (shape_text(&target.shape), shape_text(self.g.shape(x)));
        self.fail(
            Diagnostic::error(
                codes::SHAPE_MISMATCH,
                format!("`{}` is a law over the shape {want}, and this has {have}", target.name),
                span,
                format!("the shape is {have}"),
            )
            .label(target.span, "the target"),
        )
    }

    fn scalar_law_density(
        &mut self,
        law: &'static Distribution,
        params: &[Id],
        x: Id,
        target: &Rc<Target>,
        span: Span,
    ) -> Try<Id> {
        let DistKind::Scalar { log_density, .. } = &law.kind else { unreachable!("a law of single numbers") };
        if !self.g.is_scalar(x) && !target.shape.is_empty() {
            self.check_point(target, x, span)?;
        }
        let all: Vec<Id> = params.iter().copied().chain([x]).collect();
        let terms = self.elementwise_raw(&all, |g, a| {
            let (x, params) = a.split_last().expect("the point is last");
            log_density(g, params, *x)
        });
        Ok(self.sum_all(terms))
    }

    /// The log density with the point as a hole; worked out once a target.
    pub fn abstract_density(&mut self, target: &Rc<Target>) -> Try<(VarId, Id)> {
        if let Some(done) = *target.cache.borrow() {
            return Ok(done);
        }
        let hole = self.g.new_var("x", VarKind::Hole, Ty::Real, target.shape.clone());
        let x = self.g.var(hole);
        let body = self.density_body(target, x)?;
        *target.cache.borrow_mut() = Some((hole, body));
        Ok((hole, body))
    }

    fn density_body(&mut self, target: &Rc<Target>, x: Id) -> Try<Id> {
        let span = target.span;
        match &target.kind {
            TargetKind::Scalar { .. } => self.log_density(target, x, span),
            TargetKind::Vector { law, params } => {
                let DistKind::Vector { log_density, .. } = &law.kind else { unreachable!("a law of vectors") };
                Ok(log_density(&mut self.g, params, x))
            }
            TargetKind::Density { var, log_density, .. } => {
                Ok(self.g.substitute_vars(&[*log_density], &[(*var, x)])[0])
            }
            TargetKind::Mixture { weights, parts } => self.mixture_density(*weights, parts, x, span),
            TargetKind::Product { part } => {
                let (n, rest) = (target.shape[0], part.shape.clone());
                let k = self.g.fresh_index(n);
                let ki = self.g.index(k);
                let row = if rest.is_empty() { self.g.get(x, &[ki]) } else { self.row(x, ki) };
                let term = self.log_density(part, row, span)?;
                Ok(self.g.reduce(Red::Sum, &[k], term))
            }
            TargetKind::Rows { index, body } => {
                let (fresh, at) = self.same_row(*index);
                let own = if body.shape.is_empty() { self.g.get(x, &[at]) } else { self.row(x, at) };
                // under the index of the rows, so that parameters and the point are of the same row
                let term = self.log_density(body, own, span)?;
                let term = self.g.substitute_indices(&[term], &[(index.id, at)])[0];
                Ok(self.g.reduce(Red::Sum, &[fresh], term))
            }
            TargetKind::Temper { part, power } => {
                let inner = self.log_density(part, x, span)?;
                Ok(self.g.op(Op::Mul, &[*power, inner]))
            }
            TargetKind::Tilt { part, tilt, span } => {
                let inner = self.log_density(part, x, *span)?;
                let added = self.tilt_value(tilt, x, *span)?;
                Ok(self.g.op(Op::Add, &[inner, added]))
            }
            TargetKind::Shift { part, by } => {
                let moved = self.elementwise(Op::Sub, &[(x, span), (*by, span)])?;
                self.log_density(part, moved, span)
            }
            TargetKind::Scale { part, by } => {
                let scaled = self.elementwise(Op::Div, &[(x, span), (*by, span)])?;
                let inner = self.log_density(part, scaled, span)?;
                let d = self.g.real(target.shape.iter().product::<usize>() as f64);
                let size = self.g.op(Op::Abs, &[*by]);
                let log = self.g.op(Op::Log, &[size]);
                let volume = self.g.op(Op::Mul, &[d, log]);
                Ok(self.g.op(Op::Sub, &[inner, volume]))
            }
        }
    }

    /// A fresh index over the same rows, with its value.
    pub(super) fn same_row(&mut self, index: IndexVar) -> (IndexVar, Id) {
        let fresh = self.g.fresh_index(index.extent);
        (fresh, self.g.index(fresh))
    }

    fn tilt_value(&mut self, tilt: &Value, x: Id, span: Span) -> Try<Id> {
        let Value::Func(f) = tilt else {
            return self.error(codes::TYPE_MISMATCH, "`tilt` takes a function of the point", span, "not a function");
        };
        let value = self.call_value(f, &[BoundArg { name: None, value: Value::Num(x), span }], span)?;
        self.scalar(&value, span)
    }

    fn mixture_density(&mut self, weights: Id, parts: &Parts, x: Id, span: Span) -> Try<Id> {
        let total = self.sum_all(weights);
        let log_total = self.g.op(Op::Log, &[total]);
        let (k, terms) = match parts {
            Parts::Family { index, body } => {
                let lp = self.log_density(body, x, span)?;
                let (fresh, parts) = self.g.open(&[*index], &[lp]);
                (fresh[0], parts[0])
            }
            Parts::List(list) => {
                let mut terms = Vec::new();
                for part in list {
                    terms.push(self.log_density(part, x, span)?);
                }
                let array = self.g.lit(vec![terms.len()], terms);
                let k = self.g.fresh_index(self.g.shape(array)[0]);
                let ki = self.g.index(k);
                (k, self.g.get(array, &[ki]))
            }
        };
        let ki = self.g.index(k);
        let w = self.g.get(weights, &[ki]);
        let log_w = self.g.op(Op::Log, &[w]);
        let term = self.g.op(Op::Add, &[log_w, terms]);
        let sum = self.g.reduce(Red::LogSumExp, &[k], term);
        Ok(self.g.op(Op::Sub, &[sum, log_total]))
    }

    /// `score(p, x)`, `logpdf(p, x)`, `potential(p, x)`.
    pub fn density_call(
        &mut self,
        row: &'static Function,
        builtin: Builtin,
        args: &[BoundArg],
        span: Span,
    ) -> Try<Value> {
        let [p, x] = args else { return self.wrong_count(row, "2", args.len(), span) };
        let Value::Target(target) = &p.value else {
            let message = format!("`{}` wants a target first, and this is {}", row.name, p.value.kind());
            return self.fail(
                Diagnostic::error(codes::TYPE_MISMATCH, message, p.span, "not a target")
                    .note(format!("{}: {}", row.signature, row.doc)),
            );
        };
        let point = self.real(&x.value, x.span)?;
        if builtin == Builtin::Score {
            return Ok(Value::Num(self.score(target, point, x.span)?));
        }
        let lp = self.log_density(target, point, x.span)?;
        Ok(Value::Num(if builtin == Builtin::Potential { self.g.op(Op::Neg, &[lp]) } else { lp }))
    }

    /// The gradient of the log density at a point.
    pub fn score(&mut self, target: &Rc<Target>, x: Id, span: Span) -> Try<Id> {
        let elementwise = matches!(target.kind, TargetKind::Scalar { .. });
        let shape = self.g.shape(x).to_vec();
        let hole = self.g.new_var("x", VarKind::Hole, Ty::Real, shape.clone());
        let point = self.g.var(hole);
        let lp = if elementwise {
            self.log_density(target, point, span)?
        } else {
            let target = &self.for_each_row(target, &shape);
            self.check_point(target, x, span)?;
            self.log_density(target, point, span)?
        };
        let gradient = self.tabulate(&shape, |s, at| s.g.partial(lp, hole, at));
        Ok(self.g.substitute_vars(&[gradient], &[(hole, x)])[0])
    }
}
