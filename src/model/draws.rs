//! Exact draws of targets: when a law is a draw, and how it is made.

use std::cell::RefCell;
use std::rc::Rc;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Base, Id, IndexVar, Op, Red, Ty, VarId, VarKind};
use crate::model::distributions::{DistKind, Distribution, ScalarDraw, VectorDraw};
use crate::model::elab::{Elab, Try};
use crate::model::functions::Function;
use crate::model::indexing::Axis;
use crate::model::target::{Parts, Piece, Target, TargetKind};
use crate::model::value::{BoundArg, DrawExpr, Value};
use crate::source::Span;

impl Elab<'_> {
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

    /// Replacements of variables for some nodes, with those of the draws in them whose laws have parameters that depend on
    /// what is replaced: the parameters are no part of a node.
    pub fn with_draws(&mut self, roots: &[Id], mut pairs: Vec<(VarId, Id)>) -> Vec<(VarId, Id)> {
        for var in self.draws_with_parameters(roots) {
            if pairs.iter().any(|p| p.0 == var) {
                continue;
            }
            let info = self.g.var_info(var).clone();
            let VarKind::Draw { base: Base::Law(sampler, params), site, turn } = info.kind else { continue };
            let placed = self.g.substitute_vars(&params, &pairs);
            if placed != params {
                let kind = VarKind::Draw { base: Base::Law(sampler, placed), site, turn };
                let fresh = self.g.new_var(info.name, kind, info.ty, info.shape);
                let node = self.g.var(fresh);
                pairs.push((var, node));
            }
        }
        pairs
    }

    /// The draws in some nodes, and in the parameters of their laws, of laws with parameters: each after those that it
    /// depends on.
    fn draws_with_parameters(&self, roots: &[Id]) -> Vec<VarId> {
        let mut found = std::collections::BTreeSet::new();
        let mut stack: Vec<Id> = roots.to_vec();
        while let Some(id) = stack.pop() {
            for var in self.g.vars_of(id) {
                if let VarKind::Draw { base: Base::Law(_, params), .. } = &self.g.var_info(*var).kind
                    && found.insert(*var)
                {
                    stack.extend(params);
                }
            }
        }
        // parameters are made before the draw
        found.into_iter().collect()
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
}
