//! Models: states with their starts, noises, flow equations and reported `let`s, worked out from a declaration.

use std::rc::Rc;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Dense, Id, Node, Op, Red, Ty, VarId, VarKind};
use crate::model::elab::{Draws, Elab, MatrixCheck, Reported, Try, shape_text};
use crate::model::flow::Equation;
use crate::model::target::{Target, TargetKind};
use crate::model::value::{Applied, Entry, Scope, Value};
use crate::model::{later, messages};
use crate::source::Span;
use crate::syntax::ast::{self, ExprKind, ItemKind, ModelBody, ModelStmt};

/// Sites of draws: the noises first, with the normals of their increments over a step, of their space-time areas H (and so
/// of dZ) and of their space-time-time areas K; Levy areas; starts; draws written in step rules; and what Wiener integrals
/// of a step have beyond W, H and K.
pub const NOISE_SITE: u32 = 0;
pub const INTEGRAL_SITE: u32 = 512;
pub const AREA_SITE: u32 = 768;
pub const LEVY_SITE: u32 = 1020;
pub const START_SITE: u32 = 1024;
pub const RULE_SITE: u32 = 2048;
pub const REST_SITE: u32 = 3584;

/// A model worked out.
#[derive(Debug)]
pub struct Model {
    pub name: String,
    pub span: Span,
    pub states: Vec<State>,
    pub noises: Vec<Noise>,
    /// named values that are reported like states
    pub lets: Vec<(String, Id)>,
    /// 0 Ito, 1/2 Stratonovich, 1 anti-Ito, or an expression of parameters
    pub alpha: Id,
    /// stands for dt in the equations
    pub dt: VarId,
    /// the names that a run sees
    pub scope: Scope,
    /// when the model is a target (exact draws, or a kernel on a density)
    pub target: Option<Rc<Target>>,
    /// the first target among the arguments of a model over a target
    pub law: Option<Rc<Target>>,
    /// the flows of its parts; an equation outside of them is a part that is named by its state
    pub parts: Vec<Part>,
}

/// Some of the flows of a model.
#[derive(Clone, Debug)]
pub struct Part {
    pub name: String,
    pub span: Span,
    /// states by their index, with right sides of their shapes
    pub flows: Vec<(usize, Id)>,
}

#[derive(Clone, Debug)]
pub struct State {
    pub name: String,
    pub span: Span,
    pub var: VarId,
    pub shape: Vec<usize>,
    /// the starting value in terms of parameters and draws
    pub start: Id,
    pub start_span: Span,
    /// the right side of its equation: linear in `dt` and the independent noises
    pub flow: Option<Id>,
    /// the same as it is written, in the noises that the equations see
    pub written: Option<Id>,
    pub flow_span: Option<Span>,
}

#[derive(Clone, Debug)]
pub struct Noise {
    pub name: String,
    /// its place among the noises of the model: the coordinate of its draws
    pub place: u32,
    pub span: Span,
    pub shape: Vec<usize>,
    /// independent standard Wiener increments
    pub var: VarId,
    /// the same increments in terms written with `∘`
    pub strat: VarId,
    /// the increments as the equations see them, for both: those above, or others that are correlated
    pub seen: VarId,
    pub seen_strat: VarId,
    /// what those are in terms of the independent ones, where they are correlated
    pub mixed: Option<[(VarId, Id); 2]>,
    pub declared: bool,
    /// correlation or covariance matrix
    pub matrix: Option<(ast::NoiseStructure, Id, Span)>,
}

impl Elab<'_> {
    /// Works out a model expression's value: a declaration applied, or a target used as a model.
    pub fn model(&mut self, value: &Value, span: Span) -> Try<Model> {
        match value {
            Value::Model(applied) => self.apply_model(applied),
            Value::Target(target) => self.target_model(target, span),
            other => {
                let message = format!("a model is wanted here, and this is {}", other.kind());
                self.error(codes::TYPE_MISMATCH, message, span, "not a model")
            }
        }
    }

    /// A target as a model: one state that is drawn exactly, or renewed by a kernel. It goes by the name that its
    /// declaration gives it, and by `x`.
    fn target_model(&mut self, target: &Rc<Target>, span: Span) -> Try<Model> {
        let scope = self.root_scope(false);
        let name = match &target.kind {
            TargetKind::Density { var, .. } => self.g.var_info(*var).name.clone(),
            _ => "x".into(),
        };
        let var = self.g.new_var(name.clone(), VarKind::State, Ty::Real, target.shape.clone());
        let x = self.g.var(var);
        scope.define("x", Value::Num(x), span);
        scope.define(&name, Value::Num(x), span);
        let start = if target.drawable() {
            self.with_start_draws(|s| s.draw_at(&Value::Target(target.clone()), &target.shape, span))?
        } else {
            // A kernel on a density needs some start: a standard normal for each component.
            let normal = crate::model::distributions::lookup("normal").expect("a row of the table");
            let Value::Target(law) = self.distribution(normal, &[], span)? else {
                unreachable!("a distribution is a target")
            };
            self.with_start_draws(|s| s.draw_at(&Value::Target(law), &target.shape, span))?
        };
        let state = State {
            name,
            span,
            var,
            shape: target.shape.clone(),
            start,
            start_span: span,
            flow: None,
            written: None,
            flow_span: None,
        };
        let alpha = self.g.real(0.0);
        let dt = self.g.new_var("dt", VarKind::Hole, Ty::Real, vec![]);
        Ok(Model {
            name: target.name.clone(),
            span,
            states: vec![state],
            noises: Vec::new(),
            lets: Vec::new(),
            alpha,
            dt,
            scope,
            target: Some(target.clone()),
            law: None,
            parts: Vec::new(),
        })
    }

    pub fn with_start_draws<T>(&mut self, f: impl FnOnce(&mut Self) -> Try<T>) -> Try<T> {
        let next = self.start_site;
        let before = self.draws.replace(Draws { next_site: next, ..Draws::default() });
        let result = f(self);
        if let Some(draws) = &self.draws {
            self.start_site = draws.next_site;
        }
        self.draws = before;
        result
    }

    fn apply_model(&mut self, applied: &Rc<Applied>) -> Try<Model> {
        let ItemKind::Model(decl) = &applied.decl.item.kind else { unreachable!("an applied model is a model") };
        let name = decl.name.name.clone();
        let scope = self.root_scope(applied.decl.library);
        self.path.push(name.clone());
        let result = self.guarded(&name, applied.decl.library, applied.span, |s| {
            s.bind_header(&name, &decl.header, &applied.args, applied.span, &scope)?;
            match &decl.body {
                ModelBody::Alias(_, with) if !with.is_empty() => s.unsupported(later::MODEL_WITH, decl.name.span),
                ModelBody::Alias(e, _) => {
                    let value = s.expr(e, &scope)?;
                    s.model(&value, e.span)
                }
                ModelBody::System(statements) => s.system(decl, statements, &scope, applied.span),
            }
        });
        self.path.pop();
        result
    }

    fn system(&mut self, decl: &ast::Model, statements: &[ModelStmt], scope: &Scope, span: Span) -> Try<Model> {
        let alpha = self.g.real(0.0);
        let dt = self.g.new_var("dt", VarKind::Hole, Ty::Real, vec![]);
        let mut model = Model {
            name: decl.name.name.clone(),
            span,
            states: Vec::new(),
            noises: Vec::new(),
            lets: Vec::new(),
            alpha,
            dt,
            scope: scope.clone(),
            target: None,
            law: None,
            parts: Vec::new(),
        };
        let mut equations = Vec::new();
        let mut broken = false;
        for statement in statements {
            broken |= self.model_statement(statement, &mut model, scope, &mut equations).is_err();
        }
        if broken {
            return Err(Reported);
        }
        self.assemble_flows(&mut model, equations)?;
        model.law = decl.header.iter().find_map(|p| match scope.get(&p.name.name) {
            Some(Entry::Value(Value::Target(t), _)) => Some(t),
            _ => None,
        });
        Ok(model)
    }

    fn model_statement(
        &mut self,
        statement: &ModelStmt,
        model: &mut Model,
        scope: &Scope,
        equations: &mut Vec<Equation>,
    ) -> Try<()> {
        match statement {
            ModelStmt::State(state) => self.state(state, model, scope),
            ModelStmt::Noise(noise) => {
                let result = self.noise(noise, model, scope);
                if result.is_err() {
                    scope.set(format!("d{}", noise.name.name), Entry::Broken);
                }
                result
            }
            ModelStmt::Flow(flow) => {
                let equation = self.flow(flow, model, scope)?;
                equations.push(equation);
                Ok(())
            }
            ModelStmt::Let(l) => {
                let value = self.define_let(l, scope)?;
                if let Value::Num(id) = value {
                    model.lets.push((l.name.name.clone(), id));
                }
                Ok(())
            }
            ModelStmt::Const(c) => self.define_const(c, scope),
            ModelStmt::Data(d) => self.define_data(d, scope),
            ModelStmt::Fn(f) => {
                let closure = self.closure(f, scope);
                scope.define(&f.name.name, closure, f.name.span);
                Ok(())
            }
            ModelStmt::Convention(e, span) => {
                model.alpha = self.convention(e, *span, scope)?;
                Ok(())
            }
            ModelStmt::Part { name, statements, .. } => self.part(name, statements, model, scope, equations),
            ModelStmt::Step(_, span) => self.unsupported(later::STEP_OF_MODEL, *span),
            ModelStmt::On(trigger, _, span) => self.unsupported(later::event(trigger), *span),
        }
    }

    fn state(&mut self, state: &ast::State, model: &mut Model, scope: &Scope) -> Try<()> {
        let result = self.state_inner(state, model, scope);
        if result.is_err() {
            scope.set(&state.name.name, Entry::Broken);
        }
        result
    }

    fn state_inner(&mut self, state: &ast::State, model: &mut Model, scope: &Scope) -> Try<()> {
        let name = &state.name;
        let shape = self.state_shape(state, scope)?;
        let (start, start_span) = self.start(state.start.as_ref(), shape.as_deref(), name, scope)?;
        let shape = self.g.shape(start).to_vec();
        let starts: Vec<(VarId, Id)> = model.states.iter().map(|s| (s.var, s.start)).collect();
        let starts = self.with_draws(&[start], starts);
        let start = self.g.substitute_vars(&[start], &starts)[0];
        let var = self.g.new_var(name.name.clone(), VarKind::State, Ty::Real, shape.clone());
        let node = self.g.var(var);
        scope.define(&name.name, Value::Num(node), name.span);
        model.states.push(State {
            name: name.name.clone(),
            span: name.span,
            var,
            shape,
            start,
            start_span,
            flow: None,
            written: None,
            flow_span: None,
        });
        Ok(())
    }

    /// The shape that a state declares, if it has a type.
    pub fn state_shape(&mut self, state: &ast::State, scope: &Scope) -> Try<Option<Vec<usize>>> {
        if let Some((what, span)) = later::state(state) {
            return self.unsupported(&what, span);
        }
        state.ty.as_ref().map(|ty| self.type_shape(ty, scope)).transpose()
    }

    /// The starting value of a state, of the declared shape.
    pub fn start(
        &mut self,
        start: Option<&ast::Start>,
        shape: Option<&[usize]>,
        name: &ast::Ident,
        scope: &Scope,
    ) -> Try<(Id, Span)> {
        let (value, e) = match start {
            None => {
                return self.fail(
                    Diagnostic::error(
                        codes::MISSING_EQUATION,
                        format!("the state `{}` has no start", name.name),
                        name.span,
                        "no `=` and no `~`",
                    )
                    .help(format!("write `state {} = value` or `state {} ~ law`", name.name, name.name)),
                );
            }
            Some(ast::Start::Value(e)) | Some(ast::Start::Law(e)) => {
                let scope = scope.clone();
                let value = self.with_start_draws(|s| {
                    let value = s.expr(e, &scope)?;
                    let wanted = shape.unwrap_or(&[]);
                    match &value {
                        Value::Target(_) | Value::Draw(_) => Ok(Value::Num(s.draw_at(&value, wanted, e.span)?)),
                        _ => Ok(value),
                    }
                })?;
                if matches!(start, Some(ast::Start::Law(_))) && !self.is_law(e, &value) {
                    return self.error(codes::TYPE_MISMATCH, "`~` wants a law on its right", e.span, "not a target");
                }
                (value, e)
            }
        };
        let id = self.real(&value, e.span)?;
        let have = self.g.shape(id).to_vec();
        match shape {
            Some(want) if have.is_empty() && !want.is_empty() => Ok((self.tabulate(want, |_, _| id), e.span)),
            Some(want) if have != want => {
                let message = format!(
                    "the state `{}` has the shape {}, and its start {}",
                    name.name,
                    shape_text(want),
                    shape_text(&have)
                );
                self.fail(
                    Diagnostic::error(
                        codes::SHAPE_MISMATCH,
                        message,
                        e.span,
                        format!("this has the shape {}", shape_text(&have)),
                    )
                    .label(name.span, format!("declared with the shape {}", shape_text(want))),
                )
            }
            _ => Ok((id, e.span)),
        }
    }

    /// `~` was followed by a law (its value is a draw by now, so the text decides).
    fn is_law(&self, e: &ast::Expr, value: &Value) -> bool {
        match value {
            Value::Num(id) => {
                self.g.vars_of(*id).iter().any(|v| matches!(self.g.var_info(*v).kind, VarKind::Draw { .. }))
            }
            _ => !matches!(e.kind, ExprKind::Number { .. }),
        }
    }

    fn convention(&mut self, e: &ast::Expr, span: Span, scope: &Scope) -> Try<Id> {
        match &e.kind {
            ExprKind::Name(n) if n == "ito" => Ok(self.g.real(0.0)),
            ExprKind::Name(n) if n == "stratonovich" => Ok(self.g.real(0.5)),
            ExprKind::Name(n) if n == "anti_ito" => Ok(self.g.real(1.0)),
            ExprKind::Call(f, args) if matches!(&f.kind, ExprKind::Name(n) if n == "alpha") && args.len() == 1 => {
                let c = self.scalar_expr(&args[0].value, scope)?;
                let (zero, one) = (self.g.real(0.0), self.g.real(1.0));
                let range = crate::model::elab::Range { lo: zero, hi: one, lo_closed: true, hi_closed: true, span };
                self.check_range("alpha", c, &range, args[0].value.span)?;
                Ok(c)
            }
            _ => {
                let text = crate::syntax::print::expr(e);
                let mut d = Diagnostic::error(
                    codes::BAD_CONVENTION,
                    format!("`{text}` is not a convention"),
                    e.span,
                    "unknown convention",
                )
                .note("conventions are ito, stratonovich, anti_ito and alpha(c) with c in [0, 1]");
                if let ExprKind::Name(n) = &e.kind {
                    let near = crate::diagnostics::suggest(n, ["ito", "stratonovich", "anti_ito", "alpha"]);
                    d = d.did_you_mean(&near, e.span);
                }
                self.fail(d)
            }
        }
    }

    fn noise(&mut self, noise: &ast::Noise, model: &mut Model, scope: &Scope) -> Try<()> {
        let (kind, subs): (&ast::Expr, &[ast::Sub]) = match &noise.kind.kind {
            ExprKind::Index(inner, subs) => (inner, subs),
            _ => (&noise.kind, &[]),
        };
        let text = match &kind.kind {
            ExprKind::Name(n) => n.clone(),
            ExprKind::Call(f, _) => crate::syntax::print::expr(f),
            _ => crate::syntax::print::expr(kind),
        };
        if text != "wiener" {
            if messages::NOISES.contains(&text.as_str()) {
                return self.unsupported(&format!("the noise `{text}`"), kind.span);
            }
            return self.fail(messages::unknown_noise(kind));
        }
        if let ExprKind::Call(..) = &kind.kind {
            return self.fail(messages::wiener_called(kind));
        }
        let mut sizes = Vec::new();
        for sub in subs {
            match sub {
                ast::Sub::All(span) => {
                    return self.error(codes::SIZE_UNKNOWN, "the size of a noise is a number", *span, "`:` here");
                }
                ast::Sub::At(e) => sizes.push(e.clone()),
            }
        }
        let shape = self.sizes(&sizes, noise.kind.span, scope)?;
        let matrix = match &noise.structure {
            None => None,
            Some((structure, e)) => Some((*structure, self.noise_matrix(*structure, e, &shape, scope)?, e.span)),
        };
        self.add_noise(model, &noise.name.name, noise.name.span, shape, matrix, true);
        Ok(())
    }

    /// Adds a noise; correlated increments are the Cholesky factor times independent ones.
    pub fn add_noise(
        &mut self,
        model: &mut Model,
        name: &str,
        span: Span,
        shape: Vec<usize>,
        matrix: Option<(ast::NoiseStructure, Id, Span)>,
        declared: bool,
    ) {
        let var = self.g.new_var(format!("d{name}"), VarKind::Noise, Ty::Real, shape.clone());
        let strat = self.g.new_var(format!("d{name}"), VarKind::Noise, Ty::Real, shape.clone());
        let factor = matrix.as_ref().map(|(_, m, _)| self.g.dense(Dense::Cholesky, &[*m]));
        let mixed = |s: &mut Self, var: VarId, l: Id| {
            let z = s.g.var(var);
            s.tabulate(&shape, |s, at| {
                let k = s.g.fresh_index(shape[0]);
                let ki = s.g.index(k);
                let (a, b) = (s.g.get(l, &[at[0], ki]), s.g.get(z, &[ki]));
                let product = s.g.op(Op::Mul, &[a, b]);
                s.g.reduce(Red::Sum, &[k], product)
            })
        };
        let mut seen = [var, strat];
        let mixed = factor.map(|l| {
            seen = seen.map(|_| self.g.new_var(format!("d{name}"), VarKind::Noise, Ty::Real, shape.clone()));
            [(seen[0], mixed(self, var, l)), (seen[1], mixed(self, strat, l))]
        });
        let place = model.noises.len() as u32;
        model.noises.push(Noise {
            name: name.into(),
            place,
            span,
            shape,
            var,
            strat,
            seen: seen[0],
            seen_strat: seen[1],
            mixed,
            declared,
            matrix,
        });
    }

    fn noise_matrix(
        &mut self,
        structure: ast::NoiseStructure,
        e: &ast::Expr,
        shape: &[usize],
        scope: &Scope,
    ) -> Try<Id> {
        let id = self.real_expr(e, scope)?;
        let have = self.g.shape(id).to_vec();
        let word = if structure == ast::NoiseStructure::Correlation { "correlation" } else { "covariance" };
        if shape.len() != 1 || have != [shape[0], shape[0]] {
            let want = if shape.len() == 1 {
                format!("[{0}, {0}]", shape[0])
            } else {
                "a square matrix over a vector of noises".into()
            };
            let message = format!("the {word} of this noise has the shape {}, not {want}", shape_text(&have));
            return self.error(codes::SHAPE_MISMATCH, message, e.span, format!("the shape is {}", shape_text(&have)));
        }
        let check = MatrixCheck { structure, value: id, size: shape[0], span: e.span };
        let defaults = self.default_env();
        self.check_matrix(&check, &defaults)?;
        self.matrices.push(check);
        Ok(id)
    }

    /// The matrix of a noise at some values of the parameters, if it can be worked out.
    pub fn check_matrix(&mut self, check: &MatrixCheck, params: &crate::math::eval::Env) -> Try<()> {
        let MatrixCheck { structure, value, size, span } = *check;
        let Some(m) = self.cheap_value(value, params) else { return Ok(()) };
        match matrix_fault(structure, &m.values, size) {
            None => Ok(()),
            Some(fault) => {
                let word = if structure == ast::NoiseStructure::Correlation { "correlation" } else { "covariance" };
                let rule = if word == "correlation" { ", with ones on the diagonal" } else { "" };
                self.fail(
                    Diagnostic::error(codes::BAD_CORRELATION, format!("this is not a {word} matrix"), span, fault)
                        .note(format!("a {word} matrix is symmetric and positive definite{rule}")),
                )
            }
        }
    }

    /// Values of the run's parameters at their defaults.
    pub fn default_env(&self) -> crate::math::eval::Env {
        let mut env = crate::math::eval::Env::default();
        for p in &self.params {
            if let Some(default) = p.default
                && let Some(value) = self.cheap_value(default, &env)
            {
                env.set(p.var, value);
            }
        }
        env
    }

    /// Whether a node is the constant zero after folding.
    pub fn is_constant(&self, id: Id, value: f64) -> bool {
        matches!(self.g.node(id), Node::Real(bits) if f64::from_bits(*bits) == value)
    }
}

/// What is wrong with a correlation or covariance matrix, if anything.
fn matrix_fault(structure: ast::NoiseStructure, m: &[f64], n: usize) -> Option<String> {
    let at = |i: usize, j: usize| m[i * n + j];
    for i in 0..n {
        for j in 0..n {
            if !at(i, j).is_finite() {
                return Some(format!("element [{i}, {j}] is {}", at(i, j)));
            }
            if (at(i, j) - at(j, i)).abs() > 1e-12 * (1.0 + at(i, j).abs()) {
                return Some(format!("not symmetric: [{i}, {j}] is {} and [{j}, {i}] is {}", at(i, j), at(j, i)));
            }
        }
        if structure == ast::NoiseStructure::Correlation && (at(i, i) - 1.0).abs() > 1e-12 {
            return Some(format!("the diagonal element [{i}, {i}] is {}, not 1", at(i, i)));
        }
    }
    if structure == ast::NoiseStructure::Correlation
        && let Some((i, j)) = (0..n).flat_map(|i| (0..n).map(move |j| (i, j))).find(|(i, j)| at(*i, *j).abs() > 1.0)
    {
        return Some(format!("the correlation [{i}, {j}] is {}, outside [-1, 1]", at(i, j)));
    }
    (!semidefinite(m, n)).then(|| "not positive definite".to_string())
}

/// Cholesky with a tolerance for rank-deficient matrices.
fn semidefinite(m: &[f64], n: usize) -> bool {
    let mut l = vec![0.0; n * n];
    let scale = (0..n).map(|i| m[i * n + i].abs()).fold(0.0, f64::max);
    for i in 0..n {
        for j in 0..=i {
            let s: f64 = (0..j).map(|k| l[i * n + k] * l[j * n + k]).sum();
            let rest = m[i * n + j] - s;
            if i == j {
                if rest < -1e-10 * scale {
                    return false;
                }
                l[i * n + i] = rest.max(0.0).sqrt();
            } else if l[j * n + j] > 1e-8 * scale.sqrt() {
                l[i * n + j] = rest / l[j * n + j];
            } else if rest.abs() > 1e-8 * scale {
                return false;
            }
        }
    }
    true
}
