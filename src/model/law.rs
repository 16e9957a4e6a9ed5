//! Laws of the table of distributions with their arguments: parameters checked, shapes found, rows of laws of vectors.

use std::rc::Rc;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Dense, Id};
use crate::model::distributions::{DistKind, DistParam, Distribution, Domain};
use crate::model::elab::{Elab, MatrixCheck, Try, shape_text};
use crate::model::messages;
use crate::model::target::{Target, TargetKind};
use crate::model::value::{BoundArg, Value};
use crate::source::Span;
use crate::syntax::ast::NoiseStructure;

impl Elab<'_> {
    /// A distribution of the table with its arguments.
    pub fn distribution(&mut self, law: &'static Distribution, args: &[BoundArg], span: Span) -> Try<Value> {
        let known: Vec<&str> = law.params.iter().map(|p| p.name).collect();
        let places: Vec<_> = args.iter().map(|a| (a.name.as_ref(), a.span)).collect();
        let slots = match messages::match_arguments(law.name, &known, &places) {
            Ok(slots) => slots,
            Err(mut problem) => {
                problem.notes = vec![messages::law_note(law)];
                return self.fail(*problem);
            }
        };
        let mut given: Vec<Option<(Id, Span)>> = Vec::new();
        for slot in slots {
            given.push(match slot {
                Some(k) => Some((self.real(&args[k].value, args[k].span)?, args[k].span)),
                None => None,
            });
        }
        let mut params = Vec::new();
        for (k, param) in law.params.iter().enumerate() {
            params.push(match (given[k], param.default) {
                (Some(p), _) => p,
                (None, Some(default)) => (self.g.real(default), span),
                (None, None) => return self.fail(messages::missing_law_argument(law, param.name, span)),
            });
        }
        self.check_law_domains(law, &params)?;
        self.check_covariances(law, &params)?;
        Ok(Value::Target(Rc::new(self.law_target(law, &params, span)?)))
    }

    /// A covariance is one at the values that its parameters have.
    fn check_covariances(&mut self, law: &'static Distribution, params: &[(Id, Span)]) -> Try<()> {
        for (param, (id, span)) in law.params.iter().zip(params) {
            let &[n, m] = self.g.shape(*id) else { continue };
            if param.domain != Domain::Covariance || n != m || !self.g.free(*id).is_empty() {
                continue;
            }
            let check = MatrixCheck { structure: NoiseStructure::Covariance, value: *id, size: n, span: *span };
            let defaults = self.default_env();
            self.check_matrix(&check, &defaults)?;
            let factor = self.g.dense(Dense::Cholesky, &[*id]);
            let inverse = self.g.dense(Dense::Inverse, &[factor]);
            if self.is_undefined(inverse, &[*id]) {
                let d = Diagnostic::error(codes::BAD_CORRELATION, "this is not a covariance matrix", *span, "singular");
                return self.fail(d.note("the law keeps to a plane, and has no density"));
            }
            if self.g.rate(*id) <= crate::math::Rate::Run {
                self.matrices.push(check);
            }
        }
        Ok(())
    }

    /// Constant parameters outside their domain are errors now.
    fn check_law_domains(&mut self, law: &'static Distribution, params: &[(Id, Span)]) -> Try<()> {
        for (param, (id, span)) in law.params.iter().zip(params) {
            let closed = self.g.vars_of(*id).is_empty();
            let value = if closed { self.cheap_value(*id, &crate::math::eval::Env::default()) } else { None };
            let constants = value.map(|v| v.values).unwrap_or_default();
            if let Some(x) = constants.iter().find(|x| !param.domain.contains(**x)) {
                let message =
                    format!("`{}` of `{}` must be {}, and is {x}", param.name, law.name, param.domain.words());
                return self.error(codes::OUT_OF_RANGE, message, *span, "outside the domain of the law");
            }
        }
        Ok(())
    }

    fn law_target(&mut self, law: &'static Distribution, params: &[(Id, Span)], span: Span) -> Try<Target> {
        let ids: Vec<Id> = params.iter().map(|p| p.0).collect();
        match &law.kind {
            DistKind::Scalar { .. } => {
                let mut shape = Vec::new();
                for (id, at) in params {
                    let s = self.g.shape(*id).to_vec();
                    if !s.is_empty() && !shape.is_empty() && s != shape {
                        let message = format!(
                            "the parameters of `{}` have the shapes {} and {}",
                            law.name,
                            shape_text(&shape),
                            shape_text(&s)
                        );
                        return self.error(
                            codes::SHAPE_MISMATCH,
                            message,
                            *at,
                            format!("this has the shape {}", shape_text(&s)),
                        );
                    }
                    if !s.is_empty() {
                        shape = s;
                    }
                }
                Ok(Target::new(law.name, shape, TargetKind::Scalar { law, params: ids }, span))
            }
            DistKind::Vector { event_shape, .. } => {
                // axes before those of one event are rows
                let extra = |(param, (id, _)): (&DistParam, &(Id, Span))| {
                    self.g.shape(*id).len() as i64 - i64::from(param.rank)
                };
                let extras: Vec<i64> = law.params.iter().zip(params).map(extra).collect();
                if let Some(k) = extras.iter().position(|e| *e < 0) {
                    let (param, (id, at)) = (&law.params[k], params[k]);
                    let kind = ["a number", "a vector", "a matrix"][param.rank as usize];
                    let message = format!(
                        "`{}` of `{}` is {kind}, and this has the shape {}",
                        param.name,
                        law.name,
                        shape_text(self.g.shape(id))
                    );
                    return self.error(codes::SHAPE_MISMATCH, message, at, format!("not {kind}"));
                }
                let most = extras.iter().copied().max().unwrap_or(0);
                if most > 0 {
                    let by_row: Vec<bool> = extras.iter().map(|e| *e == most).collect();
                    return self.law_of_rows(law, params, &by_row, span);
                }
                let sizes: Vec<usize> = ids.iter().flat_map(|i| self.g.shape(*i).to_vec()).collect();
                if sizes.windows(2).any(|w| w[0] != w[1]) {
                    let message = format!("the parameters of `{}` do not fit together", law.name);
                    let shapes = ids.iter().map(|i| shape_text(self.g.shape(*i))).collect::<Vec<_>>().join(" and ");
                    return self.error(codes::SHAPE_MISMATCH, message, span, format!("shapes {shapes}"));
                }
                let shape = event_shape(&self.g, &ids);
                Ok(Target::new(law.name, shape, TargetKind::Vector { law, params: ids }, span))
            }
        }
    }

    /// A law of vectors whose parameters marked `by_row` have one more axis: a row of them for each row of the variable.
    fn law_of_rows(
        &mut self,
        law: &'static Distribution,
        params: &[(Id, Span)],
        by_row: &[bool],
        span: Span,
    ) -> Try<Target> {
        let mut rows: Option<(usize, usize)> = None;
        for (k, (id, at)) in params.iter().enumerate().filter(|(k, _)| by_row[*k]) {
            let n = self.g.shape(*id)[0];
            match rows {
                Some((first, m)) if m != n => {
                    let names = [first, k].map(|k| law.params[k].name);
                    let message = format!("`{}` of `{}` has {m} rows, and `{}` has {n}", names[0], law.name, names[1]);
                    return self.fail(
                        Diagnostic::error(codes::SHAPE_MISMATCH, message, *at, format!("{n} rows"))
                            .label(params[first].1, format!("{m} rows")),
                    );
                }
                _ => rows = Some((k, n)),
            }
        }
        let (_, n) = rows.expect("a parameter has rows");
        let index = self.g.fresh_index(n);
        let at = self.g.index(index);
        let own: Vec<(Id, Span)> =
            params.iter().zip(by_row).map(|((id, s), by)| (if *by { self.row(*id, at) } else { *id }, *s)).collect();
        let body = Rc::new(self.law_target(law, &own, span)?);
        let shape = std::iter::once(n).chain(body.shape.iter().copied()).collect();
        Ok(Target::new(law.name, shape, TargetKind::Rows { index, body }, span))
    }

    /// A law of vectors at an array with axes before those of one event: independent copies, as a law of single numbers
    /// has them. Other laws are what they are.
    pub fn for_each_row(&self, target: &Rc<Target>, shape: &[usize]) -> Rc<Target> {
        let mut spread = target.clone();
        let is_law = matches!(target.kind, TargetKind::Vector { .. } | TargetKind::Rows { .. });
        if let Some(copies) = shape.strip_suffix(target.shape.as_slice()).filter(|_| is_law) {
            for n in copies.iter().rev() {
                let shape = std::iter::once(*n).chain(spread.shape.iter().copied()).collect();
                let kind = TargetKind::Product { part: spread };
                spread = Rc::new(Target::new(target.name.clone(), shape, kind, target.span));
            }
        }
        spread
    }
}
