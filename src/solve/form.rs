//! Forms: the views of a model that step rules are written for, and whether a model has them.

use std::cell::OnceCell;
use std::rc::Rc;

pub use crate::model::forms::{Form, NoiseClass};

use crate::calculus::convention;
use crate::calculus::structure::linear::Linear;
use crate::calculus::structure::{self, Finding, Kinetic, Structure};
use crate::calculus::system::{Component, Correlated, NoiseInput, System, Written};
use crate::math::{Graph, Id, Node, Op, Ty, VarId, VarKind};
use crate::model::elab::{Elab, Try};
use crate::model::system::{Model, State};
use crate::model::value::{Func, Scope, Value};
use crate::source::Span;
use crate::syntax::ast::NoiseStructure;

/// A model with its structure found.
#[derive(Debug)]
pub struct Structured {
    pub system: System,
    pub structure: Structure,
    /// the linear part of the drift, once it has been asked for
    pub linear: OnceCell<Option<Linear>>,
    /// the same where no state is negative, if that is simpler, once it has been asked for
    pub positive: OnceCell<Option<Box<Structured>>>,
}

impl Structured {
    /// What is known of the noise being within a class.
    pub fn finding(&self, class: NoiseClass) -> &Finding {
        let noise = &self.structure.noise;
        match class {
            NoiseClass::Any => &Finding::Yes,
            NoiseClass::None => &noise.none,
            NoiseClass::Additive => &noise.additive,
            NoiseClass::Scalar => &noise.scalar,
            NoiseClass::Diagonal => &noise.diagonal,
            NoiseClass::Commutative => &noise.commutative,
        }
    }

    /// Whether the noise is within a class; the reason when it is not, or not provably.
    pub fn within(&self, class: NoiseClass) -> Result<(), String> {
        match self.finding(class) {
            Finding::Yes => Ok(()),
            other => Err(other.reason().unwrap_or_default().to_string()),
        }
    }

    pub fn kinetic(&self) -> Result<&Kinetic, String> {
        self.structure.kinetic.as_ref().map_err(Clone::clone)
    }
}

impl Elab<'_> {
    /// The system of a model: coefficients of its differentials.
    pub fn system_of(&mut self, model: &Model) -> System {
        let mut correlated = Vec::new();
        let mut independent = Vec::new();
        for n in &model.noises {
            let mut name = n.name.clone();
            if let Some((structure, matrix, _)) = n.matrix {
                name = self.name_of_independent(model, &n.name);
                let covariance = structure == NoiseStructure::Covariance;
                let n = Correlated { name: n.name.clone(), independent: name.clone(), covariance, matrix };
                correlated.push(n);
            }
            independent.push((name, n.var, n.strat));
        }
        let mut system = self.system_in(model, &independent, |s| s.flow);
        if !correlated.is_empty() {
            let seen: Vec<_> = model.noises.iter().map(|n| (n.name.clone(), n.seen, n.seen_strat)).collect();
            let written = self.system_in(model, &seen, |s| s.written);
            system.written = Some(Box::new(Written { system: written, correlated }));
        }
        system
    }

    /// A name for the independent noises behind correlated ones, which the model does not have.
    fn name_of_independent(&self, model: &Model, noise: &str) -> String {
        let correlated = model.noises.iter().filter(|n| n.matrix.is_some()).count();
        let taken = |name: &str| {
            model.noises.iter().any(|n| n.name == name)
                || model.states.iter().any(|s| s.name == name)
                || model.lets.iter().any(|l| l.0 == name)
                || self.params.iter().any(|p| p.name == name)
        };
        if correlated == 1 && !taken("B") { "B".into() } else { format!("B_{noise}") }
    }

    /// The system in some of the noises: a name, the variable, and that of the circled terms.
    fn system_in(
        &mut self,
        model: &Model,
        noises: &[(String, VarId, VarId)],
        flow: impl Fn(&State) -> Option<Id>,
    ) -> System {
        let one = self.g.real(1.0);
        let zero = self.g.real(0.0);
        let mut plain = Vec::new();
        let mut circled = Vec::new();
        for ((_, var, strat), noise) in noises.iter().zip(&model.noises) {
            let none = self.filled(&noise.shape, 0.0);
            plain.push((*var, none));
            circled.push((*strat, none));
        }
        let inputs = noises.iter().zip(&model.noises);
        let inputs =
            inputs.map(|((name, var, _), n)| NoiseInput { name: name.clone(), var: *var, shape: n.shape.clone() });
        let mut system = System {
            time: self.time,
            states: Vec::new(),
            noises: inputs.collect(),
            drift: Vec::new(),
            diffusion: Vec::new(),
            alpha: model.alpha,
            strat_terms: Vec::new(),
            written: None,
        };
        for state in &model.states {
            let Some(rhs) = flow(state) else { continue };
            system.states.push(Component { name: state.name.clone(), var: state.var, shape: state.shape.clone() });
            let drift: Vec<(VarId, Id)> = plain.iter().chain(&circled).copied().chain([(model.dt, one)]).collect();
            system.drift.push(self.g.substitute_vars(&[rhs], &drift)[0]);
            let diffusion: Vec<(VarId, Id)> = circled.iter().copied().chain([(model.dt, zero)]).collect();
            system.diffusion.push(self.g.substitute_vars(&[rhs], &diffusion)[0]);
            let uses_circle = noises.iter().any(|n| self.g.depends_on(rhs, n.2));
            system.strat_terms.push(uses_circle.then(|| {
                // The circled increments are the same noise: only the reading differs.
                let mut pairs: Vec<(VarId, Id)> = plain.to_vec();
                pairs.push((model.dt, zero));
                let term = self.g.substitute_vars(&[rhs], &pairs)[0];
                let same: Vec<(VarId, Id)> = noises.iter().map(|n| (n.2, self.g.var(n.1))).collect();
                self.g.substitute_vars(&[term], &same)[0]
            }));
        }
        system
    }

    /// A model's system and its structure.
    pub fn structured(&mut self, model: &Model) -> Structured {
        let system = self.system_of(model);
        let env = self.default_env();
        let structure = structure::structure(&mut self.g, &system, &env);
        Structured { system, structure, linear: OnceCell::new(), positive: OnceCell::new() }
    }

    /// A model as rules on a form see it. A square-root process stays above zero: it is seen without `max(x, 0)`.
    pub fn seen_by<'s>(&mut self, form: Form, structured: &'s Structured) -> &'s Structured {
        match form {
            Form::SquareRoot => {
                structured.positive.get_or_init(|| self.where_positive(structured)).as_deref().unwrap_or(structured)
            }
            _ => structured,
        }
    }

    /// A model where none of its states is negative: `max(x, 0)` is then `x`.
    fn where_positive(&mut self, structured: &Structured) -> Option<Box<Structured>> {
        let mut system = structured.system.clone();
        let roots: Vec<Id> = system.drift.iter().chain(&system.diffusion).copied().collect();
        let states = system.state_vars();
        let mut clipped = Vec::new();
        for id in self.g.reachable(&roots) {
            let Node::Op(Op::Max, args) = self.g.node(id) else { continue };
            let [a, b] = args[..] else { continue };
            let state = |g: &Graph, id: Id| matches!(g.node(id), Node::Var(v) if states.contains(v));
            let zero = |g: &Graph, id: Id| match g.node(id) {
                Node::Real(bits) => f64::from_bits(*bits) == 0.0,
                Node::Op(Op::ToReal, n) => matches!(g.node(n[0]), Node::Int(0)),
                _ => false,
            };
            if let Some((x, _)) = [(a, b), (b, a)].into_iter().find(|(x, z)| state(&self.g, *x) && zero(&self.g, *z)) {
                clipped.push((id, x));
            }
        }
        if clipped.is_empty() {
            return None;
        }
        system.drift = self.g.replace(&system.drift, &clipped);
        system.diffusion = self.g.replace(&system.diffusion, &clipped);
        for term in system.strat_terms.iter_mut().flatten() {
            *term = self.g.replace(&[*term], &clipped)[0];
        }
        let env = self.default_env();
        let structure = structure::structure(&mut self.g, &system, &env);
        Some(Box::new(Structured { system, structure, linear: OnceCell::new(), positive: OnceCell::new() }))
    }

    /// A value with its derivatives worked out. A step that is made of stages nests what it is given stage in stage: a
    /// derivative of a derivative of ... would be opened anew in each.
    pub fn settled(&mut self, id: Id) -> Id {
        if !self.g.has_derivative(id) {
            return id;
        }
        crate::math::clean(&mut self.g, &[id]).map_or(id, |c| c[0])
    }

    /// `a(t, x)` or the like as a function value.
    pub fn graph_function(&mut self, name: &str, params: Vec<VarId>, body: Id) -> Value {
        let body = self.settled(body);
        Value::Func(Rc::new(Func::Graph { name: name.into(), params, body }))
    }

    pub fn hole(&mut self, name: &str, shape: Vec<usize>) -> (VarId, Id) {
        let var = self.g.new_var(name, VarKind::Hole, Ty::Real, shape);
        (var, self.g.var(var))
    }

    /// Defines `a`, `b` of the forms `ito` and `stratonovich` in a rule's scope.
    pub fn define_coefficients(
        &mut self,
        form: Form,
        class: NoiseClass,
        names: &[String],
        system: &System,
        scope: &Scope,
        span: Span,
    ) -> Try<()> {
        let drift = match form {
            Form::Stratonovich => convention::stratonovich_drift(&mut self.g, system),
            _ => convention::ito_drift(&mut self.g, system),
        };
        let d = system.dim();
        let (t, t_node) = self.hole("t", vec![]);
        let (x, x_node) = self.hole("x", vec![d]);
        let a = system.drift_at(&mut self.g, &drift, t_node, x_node);
        let a = self.graph_function(&names[0], vec![t, x], a);
        scope.define(&names[0], a, span);
        let matrix = |s: &mut Self| system.matrix_at(&mut s.g, t_node, x_node);
        let b = match class {
            NoiseClass::None => return Ok(()),
            NoiseClass::Additive => {
                // The coefficients do not depend on the state, so any point will do.
                let body = matrix(self);
                let origin = self.filled(&[d], 0.0);
                let body = self.g.substitute_vars(&[body], &[(x, origin)])[0];
                self.graph_function(&names[1], vec![t], body)
            }
            NoiseClass::Scalar | NoiseClass::Diagonal => {
                // With every noise at one, each component shows the coefficient of the only noise that it meets.
                let ones = self.filled(&[system.noise_dim()], 1.0);
                let body = system.diffusion_at(&mut self.g, t_node, x_node, ones);
                self.graph_function(&names[1], vec![t, x], body)
            }
            NoiseClass::Commutative | NoiseClass::Any => {
                let body = matrix(self);
                self.graph_function(&names[1], vec![t, x], body)
            }
        };
        scope.define(&names[1], b, span);
        Ok(())
    }

    /// Defines `force`, `gamma`, `sigma` of the form `kinetic` in a rule's scope. Positions of several pairs are one
    /// vector, and so are velocities; a mass is scaled away (`v` is the velocity, whatever the model's momentum is).
    pub fn define_kinetic(&mut self, names: &[String], system: &System, kinetic: &Kinetic, scope: &Scope, span: Span) {
        let (t, t_node) = self.hole("t", vec![]);
        let shape = self.kinetic_shape(system, kinetic);
        let (q, q_node) = self.hole("q", shape.clone());
        let mut pairs = vec![(self.time, t_node)];
        pairs.extend(
            self.kinetic_parts(system, kinetic, q_node)
                .into_iter()
                .zip(&kinetic.pairs)
                .map(|(part, p)| (system.states[p.q].var, part)),
        );
        let mut forces = Vec::new();
        let mut gammas = Vec::new();
        let mut sigmas = Vec::new();
        for p in &kinetic.pairs {
            let own = system.states[p.v].shape.clone();
            let scaled = |s: &mut Self, id: Id| match p.scale {
                Some(m) => s.elementwise_raw(&[id, m], |g, a| g.op(Op::Mul, a)),
                None => id,
            };
            forces.push(scaled(self, p.force));
            let sigma = scaled(self, p.sigma);
            gammas.push(self.fill_shape(p.gamma, &own));
            sigmas.push(self.fill_shape(sigma, &own));
        }
        let force = self.kinetic_join(system, &forces);
        let force = self.g.substitute_vars(&[force], &pairs)[0];
        let force = self.graph_function(&names[0], vec![t, q], force);
        scope.define(&names[0], force, span);
        let single = kinetic.pairs.len() == 1;
        let gamma = if single { kinetic.pairs[0].gamma } else { self.kinetic_join(system, &gammas) };
        let sigma = self.kinetic_join(system, &sigmas);
        scope.define(&names[1], Value::Num(gamma), span);
        scope.define(&names[2], Value::Num(sigma), span);
    }

    fn fill_shape(&mut self, id: Id, shape: &[usize]) -> Id {
        if self.g.is_scalar(id) { self.tabulate(shape, |_, _| id) } else { id }
    }

    /// The shape of `q` and `v` as a kinetic rule sees them: that of the states where there is one pair.
    pub fn kinetic_shape(&self, system: &System, kinetic: &Kinetic) -> Vec<usize> {
        match kinetic.pairs.as_slice() {
            [one] => system.states[one.q].shape.clone(),
            many => vec![many.iter().map(|p| system.states[p.q].shape.iter().product::<usize>()).sum()],
        }
    }

    /// Arrays of the pairs as one.
    pub fn kinetic_join(&mut self, system: &System, parts: &[Id]) -> Id {
        if let [one] = parts { *one } else { system.join(&mut self.g, parts) }
    }

    /// The inverse of [`Self::kinetic_join`].
    pub fn kinetic_parts(&mut self, system: &System, kinetic: &Kinetic, whole: Id) -> Vec<Id> {
        if kinetic.pairs.len() == 1 {
            return vec![whole];
        }
        let mut offset = 0;
        let mut parts = Vec::new();
        for p in &kinetic.pairs {
            let shape = system.states[p.q].shape.clone();
            parts.push(self.slice_as(whole, offset, &shape));
            offset += shape.iter().product::<usize>();
        }
        parts
    }

    /// `vector[offset..]` in another shape.
    pub fn slice_as(&mut self, vector: Id, offset: usize, shape: &[usize]) -> Id {
        self.tabulate(shape, |s, at| {
            let mut flat = s.g.int(0);
            for (i, extent) in at.iter().zip(shape) {
                let n = s.g.int(*extent as i64);
                let scaled = s.g.op(Op::Mul, &[flat, n]);
                flat = s.g.op(Op::Add, &[scaled, *i]);
            }
            let k = s.g.int(offset as i64);
            let flat = s.g.op(Op::Add, &[flat, k]);
            s.g.get(vector, &[flat])
        })
    }

    /// For diagonal noise: the increments that each component of a state meets, an array of the state's shape. `noises`
    /// are the increments of each noise of the system.
    pub fn own_noise(&mut self, system: &System, state: usize, noises: &[Id]) -> Try<Id> {
        let shape = system.states[state].shape.clone();
        let total = system.total_diffusion(&mut self.g)[state];
        let Ok(clean) = crate::math::clean(&mut self.g, &[total]) else {
            let zero = self.filled(&shape, 0.0);
            return Ok(zero);
        };
        let clean = clean[0];
        let met: Vec<usize> = (0..noises.len()).filter(|n| self.g.depends_on(clean, system.noises[*n].var)).collect();
        if let [n] = met.as_slice()
            && system.noises[*n].shape == shape
            && shape.iter().product::<usize>() > crate::calculus::system::UNROLLED
        {
            return Ok(noises[*n]);
        }
        let mut elements = Vec::new();
        for element in self.elements(clean) {
            elements.push(self.met_noise(system, element, &met, noises)?);
        }
        Ok(if shape.is_empty() { elements[0] } else { self.g.lit(shape, elements) })
    }

    /// The increment that occurs in one component.
    fn met_noise(&mut self, system: &System, element: Id, met: &[usize], noises: &[Id]) -> Try<Id> {
        let element = crate::math::clean(&mut self.g, &[element]).map_or(element, |c| c[0]);
        for n in met {
            for (k, increment) in self.elements(noises[*n]).into_iter().enumerate() {
                let at: Vec<Id> = crate::model::indexing::unravel(k, &system.noises[*n].shape)
                    .into_iter()
                    .map(|i| self.g.int(i as i64))
                    .collect();
                let coefficient = self.g.partial(element, system.noises[*n].var, &at);
                let zero = match crate::math::clean(&mut self.g, &[coefficient]) {
                    Ok(c) => matches!(self.g.node(c[0]), Node::Real(bits) if f64::from_bits(*bits) == 0.0),
                    Err(_) => false,
                };
                if !zero {
                    return Ok(increment);
                }
            }
        }
        Ok(self.g.real(0.0))
    }
}
