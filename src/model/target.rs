//! Targets: laws given by an unnormalised log density, and how exact draws are made from those that allow it.

use std::cell::RefCell;
use std::rc::Rc;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Base, Id, IndexVar, Op, Red, Ty, VarId, VarKind};
use crate::model::distributions::{DistKind, DistParam, Distribution, ScalarDraw, VectorDraw};
use crate::model::elab::{Elab, Reported, Try, shape_text};
use crate::model::expr::Axis;
use crate::model::functions::{Builtin, Function};
use crate::model::messages;
use crate::model::value::{BoundArg, DrawExpr, Value};
use crate::source::Span;

/// A law over a variable of a fixed shape.
#[derive(Debug)]
pub struct Target {
    pub name: String,
    /// shape of the variable; a scalar law used on an array is applied to every element
    pub shape: Vec<usize>,
    pub kind: TargetKind,
    pub span: Span,
    /// the log density as a function of a hole, once it is worked out
    cache: RefCell<Option<(VarId, Id)>>,
}

#[derive(Debug)]
pub enum TargetKind {
    /// a row of the table of distributions; parameters are scalars or arrays of the target's shape
    Scalar {
        law: &'static Distribution,
        params: Vec<Id>,
    },
    Vector {
        law: &'static Distribution,
        params: Vec<Id>,
    },
    /// a `target` declaration
    Density {
        var: VarId,
        log_density: Id,
        pieces: Option<Vec<Piece>>,
    },
    Mixture {
        weights: Id,
        parts: Parts,
    },
    Product {
        part: Rc<Target>,
    },
    /// independent rows, each with parameters of its own: those of `body` at `index`
    Rows {
        index: IndexVar,
        body: Rc<Target>,
    },
    /// log density times a number
    Temper {
        part: Rc<Target>,
        power: Id,
    },
    /// log density plus a function
    Tilt {
        part: Rc<Target>,
        tilt: Value,
        span: Span,
    },
    Shift {
        part: Rc<Target>,
        by: Id,
    },
    Scale {
        part: Rc<Target>,
        by: Id,
    },
}

/// A piece of a generative density: `var[axes] ~ law`, whose parameters may use the pieces before.
#[derive(Debug)]
pub struct Piece {
    pub axes: Vec<Axis>,
    pub law: Rc<Target>,
}

/// Components of a mixture.
#[derive(Debug)]
pub enum Parts {
    List(Vec<Rc<Target>>),
    Family { index: IndexVar, body: Rc<Target> },
}

impl Target {
    pub fn new(name: impl Into<String>, shape: Vec<usize>, kind: TargetKind, span: Span) -> Target {
        Target { name: name.into(), shape, kind, span, cache: RefCell::default() }
    }

    pub fn unit_uniform(elab: &mut Elab<'_>, span: Span) -> Try<Target> {
        let law = crate::model::distributions::lookup("uniform").expect("a row of the table");
        let params = vec![elab.g.real(0.0), elab.g.real(1.0)];
        Ok(Target::new("uniform", vec![], TargetKind::Scalar { law, params }, span))
    }

    /// Whether exact draws are possible.
    pub fn drawable(&self) -> bool {
        match &self.kind {
            TargetKind::Scalar { .. } | TargetKind::Vector { .. } => true,
            TargetKind::Density { pieces, .. } => pieces.as_ref().is_some_and(|p| p.iter().all(|p| p.law.drawable())),
            TargetKind::Mixture { parts: Parts::List(parts), .. } => parts.iter().all(|p| p.drawable()),
            TargetKind::Mixture { parts: Parts::Family { body, .. }, .. } | TargetKind::Rows { body, .. } => {
                body.drawable()
            }
            TargetKind::Product { part } | TargetKind::Shift { part, .. } | TargetKind::Scale { part, .. } => {
                part.drawable()
            }
            TargetKind::Temper { .. } | TargetKind::Tilt { .. } => false,
        }
    }
}

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
        Ok(Value::Target(Rc::new(self.law_target(law, &params, span)?)))
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
    pub fn for_each_row(&mut self, target: &Rc<Target>, shape: &[usize]) -> Rc<Target> {
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

    /// The log density of a target at `x` (a node of the target's shape; any shape for a law of single numbers, any rows
    /// for one of vectors).
    pub fn log_density(&mut self, target: &Rc<Target>, x: Id, span: Span) -> Try<Id> {
        if let TargetKind::Scalar { law, params } = &target.kind {
            return self.scalar_law_density(law, params, x, target, span);
        }
        let target = &self.for_each_row(target, &self.g.shape(x).to_vec());
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
    fn same_row(&mut self, index: IndexVar) -> (IndexVar, Id) {
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

    // Draws.

    /// A law in a place where a number is wanted: a draw that may still wait for its shape.
    pub fn begin_draw(&mut self, value: &Value, span: Span) -> Try<Value> {
        let Value::Target(target) = value else { return Ok(value.clone()) };
        let Some(draws) = &mut self.draws else {
            let d = Diagnostic::error(
                codes::TYPE_MISMATCH,
                "a number is wanted here, and this is a law",
                span,
                "a target, not a number",
            );
            let d = d.note("a distribution is a fresh draw only in steps, prime blocks and the starts of states");
            return self.fail(d.help("for its density write `logpdf(p, x)`"));
        };
        let (site, turn) = (draws.next_site, draws.turn);
        draws.next_site += 1;
        let law = DrawExpr::Law { target: target.clone(), site, turn, span, drawn: RefCell::default() };
        let waiting = Value::Draw(Rc::new(law));
        if target.shape.is_empty() {
            Ok(waiting)
        } else {
            Ok(Value::Num(self.draw_at(&waiting, &target.shape.clone(), span)?))
        }
    }

    /// The draws in an expression, made at a shape.
    pub fn draw_at(&mut self, value: &Value, shape: &[usize], span: Span) -> Try<Id> {
        let value = self.begin_draw(value, span)?;
        let draw = match &value {
            Value::Draw(draw) => draw.clone(),
            other => return self.num(other, span),
        };
        match &*draw {
            DrawExpr::Law { target, site, turn, span, drawn } => {
                if let Some(id) = *drawn.borrow() {
                    return Ok(id);
                }
                let id = self.draw_target(target, shape, *site, *turn, *span)?;
                *drawn.borrow_mut() = Some(id);
                Ok(id)
            }
            DrawExpr::Op(op, args, span) => {
                let mut ids = Vec::new();
                for arg in args {
                    let id =
                        if let Value::Draw(_) = arg { self.draw_at(arg, shape, *span)? } else { self.num(arg, *span)? };
                    ids.push((id, *span));
                }
                self.elementwise(*op, &ids)
            }
        }
    }

    fn raw_draw(&mut self, base: Base, shape: &[usize], site: u32, turn: u16) -> Id {
        let around = self.draw_bounds();
        let name = format!("draw{site}");
        let whole: Vec<usize> = around.iter().map(|b| b.extent).chain(shape.iter().copied()).collect();
        let var = self.g.new_var(name, VarKind::Draw { base, site, turn }, Ty::Real, whole);
        let all = self.g.var(var);
        if around.is_empty() {
            return all;
        }
        // Inside comprehensions: the draws of the indices around.
        let at: Vec<Id> = around.iter().map(|b| self.g.index(*b)).collect();
        self.tabulate(shape, |s, own| {
            let full: Vec<Id> = at.iter().chain(own).copied().collect();
            s.g.get(all, &full)
        })
    }

    /// Indices of the comprehensions around, in which every index has draws of its own.
    fn draw_bounds(&self) -> Vec<IndexVar> {
        self.draws.as_ref().map(|d| d.bounds.clone()).unwrap_or_default()
    }

    /// A parameter of a raw draw over the indices around.
    fn spread_over_bounds(&mut self, param: Id) -> Id {
        let around = self.draw_bounds();
        if around.is_empty() { param } else { self.map_over(&around, param) }
    }

    fn next_site(&mut self) -> u32 {
        let draws = self.draws.as_mut().expect("draws are made where they are allowed");
        draws.next_site += 1;
        draws.next_site - 1
    }

    /// An exact draw of a target.
    pub fn draw_target(&mut self, target: &Rc<Target>, shape: &[usize], site: u32, turn: u16, span: Span) -> Try<Id> {
        match &target.kind {
            TargetKind::Scalar { law, params } => {
                let own = if target.shape.is_empty() { shape.to_vec() } else { target.shape.clone() };
                Ok(self.draw_scalars(law, params, &own, site, turn))
            }
            TargetKind::Vector { law, params } => {
                let spread = self.for_each_row(target, shape);
                match spread.kind {
                    TargetKind::Product { .. } => self.draw_target(&spread, shape, site, turn, span),
                    _ => self.draw_vector(law, params, &target.shape, site, turn, span),
                }
            }
            TargetKind::Rows { index, body } => self.draw_rows(*index, body, site, turn, span),
            TargetKind::Density { var, pieces: Some(pieces), .. } => self.draw_pieces(target, *var, pieces, turn, span),
            TargetKind::Mixture { weights, parts } => self.draw_mixture(target, *weights, parts, site, turn, span),
            TargetKind::Product { part } => {
                if let TargetKind::Scalar { law, params } = &part.kind
                    && part.shape.is_empty()
                {
                    return Ok(self.draw_scalars(law, params, &target.shape, site, turn));
                }
                let index = self.g.fresh_index(target.shape[0]);
                self.draw_rows(index, part, site, turn, span)
            }
            TargetKind::Shift { part, by } => {
                let x = self.draw_target(part, shape, site, turn, span)?;
                self.elementwise(Op::Add, &[(x, span), (*by, span)])
            }
            TargetKind::Scale { part, by } => {
                let x = self.draw_target(part, shape, site, turn, span)?;
                self.elementwise(Op::Mul, &[(x, span), (*by, span)])
            }
            TargetKind::Density { .. } | TargetKind::Temper { .. } | TargetKind::Tilt { .. } => self.fail(
                Diagnostic::error(
                    codes::NOT_DRAWABLE,
                    format!("`{}` cannot be drawn from exactly", target.name),
                    span,
                    "a draw is wanted here",
                )
                .label(target.span, "this law is known by its density only")
                .note("laws written with `~` on every component, distributions and mixtures of them can be drawn from")
                .help("sample it with a dynamics instead: `langevin(p)`, or a kernel such as `mala`"),
            ),
        }
    }

    /// Independent draws for the rows of an index, which may stand in the parameters.
    fn draw_rows(&mut self, index: IndexVar, body: &Rc<Target>, site: u32, turn: u16, span: Span) -> Try<Id> {
        self.draws.as_mut().expect("draws are made where they are allowed").bounds.push(index);
        let drawn = self.draw_target(body, &body.shape, site, turn, span);
        self.draws.as_mut().expect("as before").bounds.pop();
        let (fresh, at) = self.same_row(index);
        let drawn = self.g.substitute_indices(&[drawn?], &[(index.id, at)])[0];
        Ok(self.map_over(&[fresh], drawn))
    }

    fn draw_scalars(&mut self, law: &'static Distribution, params: &[Id], shape: &[usize], site: u32, turn: u16) -> Id {
        let DistKind::Scalar { draw, .. } = &law.kind else { unreachable!("a law of single numbers") };
        let (base, transform) = match draw {
            ScalarDraw::FromNormal(f) => (Base::Normal, f),
            ScalarDraw::FromUniform(f) => (Base::Uniform, f),
            ScalarDraw::Sampler(sampler, make, f) => {
                let wide = self.tabulate_all(params, shape);
                let bounds: Vec<_> = shape.iter().map(|n| self.g.fresh_index(*n)).collect();
                let at: Vec<Id> = bounds.iter().map(|b| self.g.index(*b)).collect();
                let elements: Vec<Id> = wide.iter().map(|p| self.element(*p, &at)).collect();
                let made = make(&mut self.g, &elements);
                let around = self.draw_bounds();
                let all: Vec<_> = around.iter().chain(&bounds).copied().collect();
                let arrays = made.into_iter().map(|m| self.g.map(&all, m)).collect();
                (Base::Law(*sampler, arrays), f)
            }
        };
        let raw = self.raw_draw(base, shape, site, turn);
        let all: Vec<Id> = params.iter().copied().chain([raw]).collect();
        self.elementwise_raw(&all, |g, a| {
            let (z, params) = a.split_last().expect("the raw draw is last");
            transform(g, params, *z)
        })
    }

    /// Scalars spread over a shape; arrays as they are.
    fn tabulate_all(&mut self, params: &[Id], shape: &[usize]) -> Vec<Id> {
        params.iter().map(|p| if self.g.is_scalar(*p) { self.tabulate(shape, |_, _| *p) } else { *p }).collect()
    }

    fn draw_vector(
        &mut self,
        law: &'static Distribution,
        params: &[Id],
        shape: &[usize],
        site: u32,
        turn: u16,
        span: Span,
    ) -> Try<Id> {
        let DistKind::Vector { draw, .. } = &law.kind else { unreachable!("a law of vectors") };
        match draw {
            VectorDraw::FromNormal(f) => {
                let z = self.raw_draw(Base::Normal, shape, site, turn);
                Ok(f(&mut self.g, params, z))
            }
            VectorDraw::Gammas(shapes, f) => {
                let alpha = shapes(&mut self.g, params);
                let alpha = self.spread_over_bounds(alpha);
                let raw = self.raw_draw(Base::Law(crate::math::Sampler::Gamma, vec![alpha]), shape, site, turn);
                Ok(f(&mut self.g, params, raw))
            }
            VectorDraw::Categorical(weights) => {
                let w = weights(&mut self.g, params);
                self.draw_index(w, site, turn, span)
            }
        }
    }

    /// A random index by weights. One set of weights serves all the indices of a comprehension around.
    fn draw_index(&mut self, weights: Id, site: u32, turn: u16, span: Span) -> Try<Id> {
        if self.draw_bounds().iter().any(|b| self.g.has_free(weights, b.id)) {
            return self.unsupported("a random index whose weights depend on the index of a comprehension", span);
        }
        Ok(self.raw_draw(Base::Law(crate::math::Sampler::Categorical, vec![weights]), &[], site, turn))
    }

    /// Pieces in the order of the text; each sees the values drawn before.
    fn draw_pieces(&mut self, target: &Rc<Target>, var: VarId, pieces: &[Piece], turn: u16, span: Span) -> Try<Id> {
        let mut x = self.filled(&target.shape, 0.0);
        for piece in pieces {
            let shape: Vec<usize> = piece
                .axes
                .iter()
                .filter_map(|a| if let Axis::Slice { len, .. } = a { Some(*len) } else { None })
                .collect();
            let site = self.next_site();
            let drawn = self.draw_target(&piece.law, &shape, site, turn, span)?;
            let drawn = self.g.substitute_vars(&[drawn], &[(var, x)])[0];
            x = self.with_piece(x, &piece.axes, drawn);
        }
        Ok(x)
    }

    /// `array` with the elements that `axes` pick replaced by those of `value` (a scalar fills them all).
    pub fn with_piece(&mut self, array: Id, axes: &[Axis], value: Id) -> Id {
        let shape = self.g.shape(array).to_vec();
        if shape.is_empty() {
            return value;
        }
        self.tabulate(&shape, |s, at| {
            let mut inside = s.g.boolean(true);
            let mut inner = Vec::new();
            for ((axis, i), extent) in axes.iter().zip(at).zip(&shape) {
                match axis {
                    Axis::At(k) => {
                        let here = s.g.op(Op::Eq, &[*i, *k]);
                        inside = s.g.op(Op::And, &[inside, here]);
                    }
                    Axis::Slice { start: 0, len } if len == extent => inner.push(*i),
                    Axis::Slice { start, len } => {
                        let (lo, hi) = (s.g.int(*start as i64), s.g.int((start + len) as i64));
                        let (above, below) = (s.g.op(Op::Le, &[lo, *i]), s.g.op(Op::Lt, &[*i, hi]));
                        let here = s.g.op(Op::And, &[above, below]);
                        inside = s.g.op(Op::And, &[inside, here]);
                        inner.push(s.g.op(Op::Sub, &[*i, lo]));
                    }
                }
            }
            let (new, old) = (s.element(value, &inner), s.g.get(array, at));
            s.g.op(Op::Select, &[inside, new, old])
        })
    }

    fn draw_mixture(
        &mut self,
        target: &Rc<Target>,
        weights: Id,
        parts: &Parts,
        site: u32,
        turn: u16,
        span: Span,
    ) -> Try<Id> {
        let pick = self.draw_index(weights, site, turn, span)?;
        let count = self.g.shape(weights)[0];
        let list: Vec<(i64, Rc<Target>)> = match parts {
            Parts::List(list) => list.iter().cloned().enumerate().map(|(k, p)| (k as i64, p)).collect(),
            Parts::Family { .. } => Vec::new(),
        };
        if let Parts::Family { index, body } = parts {
            return self.draw_family(target, *index, count, body, pick, turn, span);
        }
        let mut result: Option<Id> = None;
        for (k, part) in list {
            let own = self.next_site();
            let x = self.draw_target(&part, &target.shape, own, turn, span)?;
            let number = self.g.real(k as f64);
            let here = self.g.op(Op::Eq, &[pick, number]);
            result = Some(match result {
                None => x,
                Some(before) => self.elementwise_raw(&[x, before], |g, a| g.op(Op::Select, &[here, a[0], a[1]])),
            });
        }
        Ok(result.expect("a mixture has components"))
    }

    /// A draw from the family at a random index: one set of raw draws, the parameters picked by the index.
    #[allow(clippy::too_many_arguments)]
    fn draw_family(
        &mut self,
        target: &Rc<Target>,
        index: IndexVar,
        count: usize,
        body: &Rc<Target>,
        pick: Id,
        turn: u16,
        span: Span,
    ) -> Try<Id> {
        let own = self.next_site();
        let x = self.draw_target(body, &target.shape, own, turn, span)?;
        let k = self.g.fresh_index(count);
        let ki = self.g.index(k);
        let at_k = self.g.substitute_indices(&[x], &[(index.id, ki)])[0];
        let kr = self.g.op(Op::ToReal, &[ki]);
        let here = self.g.op(Op::Eq, &[kr, pick]);
        let zero = self.g.real(0.0);
        Ok(self.elementwise_raw(&[at_k], |g, a| {
            let term = g.op(Op::Select, &[here, a[0], zero]);
            g.reduce(Red::Sum, &[k], term)
        }))
    }

    /// `sample(p)`.
    pub fn sample_call(&mut self, row: &'static Function, args: &[BoundArg], span: Span) -> Try<Value> {
        let [p] = args else { return self.wrong_count(row, "1", args.len(), span) };
        let Value::Target(target) = &p.value else {
            let message = format!("`sample` wants a target, and this is {}", p.value.kind());
            return self.error(codes::TYPE_MISMATCH, message, p.span, "not a target");
        };
        let shape = target.shape.clone();
        Ok(Value::Num(self.draw_at(&Value::Target(target.clone()), &shape, span)?))
    }

    /// A target among the arguments of a composition.
    pub fn target_arg(&mut self, arg: &BoundArg) -> Try<Rc<Target>> {
        match &arg.value {
            Value::Target(t) => Ok(t.clone()),
            other => {
                let message = format!("a target is wanted here, and this is {}", other.kind());
                let _: Try<()> = self.error(codes::TYPE_MISMATCH, message, arg.span, "not a target");
                Err(Reported)
            }
        }
    }
}
