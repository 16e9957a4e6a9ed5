//! Forms: the views of a model that step rules are written for, and whether a model has them.

use std::rc::Rc;

use crate::calculus::structure::{self, Structure};
use crate::calculus::system::{Component, NoiseInput, System};
use crate::calculus::{convention, kinetic};
use crate::math::{Id, Op, Ty, VarId, VarKind};
use crate::model::elab::{Elab, Try};
use crate::model::system::Model;
use crate::model::value::{Func, Scope, Value};
use crate::source::Span;

/// A form that a solver can ask for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Form {
    Ito,
    Stratonovich,
    Kinetic,
    Density,
    /// forms of later stages, by name
    Later(&'static str),
}

/// The noise that a rule is written for, from narrow to wide.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoiseClass {
    None,
    Additive,
    Scalar,
    Diagonal,
    Commutative,
    Any,
}

impl Form {
    pub fn named(name: &str) -> Option<Form> {
        Some(match name {
            "ito" => Form::Ito,
            "stratonovich" => Form::Stratonovich,
            "kinetic" => Form::Kinetic,
            "density" => Form::Density,
            "semilinear" => Form::Later("semilinear"),
            "denoising" => Form::Later("denoising"),
            "parts" => Form::Later("parts"),
            "jumps" => Form::Later("jumps"),
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Form::Ito => "ito",
            Form::Stratonovich => "stratonovich",
            Form::Kinetic => "kinetic",
            Form::Density => "density",
            Form::Later(name) => name,
        }
    }

    /// The number of names in its brackets.
    pub fn arity(self) -> usize {
        match self {
            Form::Ito | Form::Stratonovich => 2,
            Form::Density => 1,
            _ => 3,
        }
    }
}

impl NoiseClass {
    pub const ALL: [NoiseClass; 6] =
        [NoiseClass::None, NoiseClass::Additive, NoiseClass::Scalar, NoiseClass::Diagonal, NoiseClass::Commutative, NoiseClass::Any];

    pub fn named(name: &str) -> Option<NoiseClass> {
        NoiseClass::ALL.into_iter().find(|c| c.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            NoiseClass::None => "none",
            NoiseClass::Additive => "additive",
            NoiseClass::Scalar => "scalar",
            NoiseClass::Diagonal => "diagonal",
            NoiseClass::Commutative => "commutative",
            NoiseClass::Any => "any",
        }
    }
}

/// A model with its structure found.
#[derive(Debug)]
pub struct Structured {
    pub system: System,
    pub structure: Structure,
}

impl Elab<'_> {
    /// The system of a model: coefficients of its differentials.
    pub fn system_of(&mut self, model: &Model) -> System {
        let one = self.g.real(1.0);
        let zeros = |s: &mut Self, strat: bool| -> Vec<(VarId, Id)> {
            model
                .noises
                .iter()
                .map(|n| {
                    let var = if strat { n.strat } else { n.var };
                    (var, s.filled(&n.shape, 0.0))
                })
                .collect()
        };
        let zero = self.g.real(0.0);
        let (plain, circled) = (zeros(self, false), zeros(self, true));
        let mut system = System {
            time: self.time,
            states: Vec::new(),
            noises: model
                .noises
                .iter()
                .map(|n| NoiseInput { name: n.name.clone(), var: n.var, shape: n.shape.clone() })
                .collect(),
            drift: Vec::new(),
            diffusion: Vec::new(),
            alpha: model.alpha,
            strat_terms: Vec::new(),
        };
        for state in &model.states {
            let Some(rhs) = state.flow else { continue };
            system.states.push(Component { name: state.name.clone(), var: state.var, shape: state.shape.clone() });
            let drift: Vec<(VarId, Id)> = plain.iter().chain(&circled).copied().chain([(model.dt, one)]).collect();
            system.drift.push(self.g.substitute_vars(&[rhs], &drift)[0]);
            let diffusion: Vec<(VarId, Id)> = circled.iter().copied().chain([(model.dt, zero)]).collect();
            system.diffusion.push(self.g.substitute_vars(&[rhs], &diffusion)[0]);
            let uses_circle = model.noises.iter().any(|n| self.g.depends_on(rhs, n.strat));
            system.strat_terms.push(uses_circle.then(|| {
                // The circled increments are the same noise: only the reading differs.
                let mut pairs: Vec<(VarId, Id)> = plain.to_vec();
                pairs.push((model.dt, zero));
                let term = self.g.substitute_vars(&[rhs], &pairs)[0];
                let same: Vec<(VarId, Id)> = model.noises.iter().map(|n| (n.strat, self.g.var(n.var))).collect();
                self.g.substitute_vars(&[term], &same)[0]
            }));
        }
        system
    }

    /// A model's system and its structure.
    pub fn structured(&mut self, model: &Model) -> Structured {
        let system = self.system_of(model);
        let env = self.default_env();
        let structure = structure::analyse(&mut self.g, &system, &env);
        Structured { system, structure }
    }

    /// `a(t, x)` or the like as a function value.
    fn graph_function(&mut self, name: &str, params: Vec<VarId>, body: Id) -> Value {
        Value::Func(Rc::new(Func::Graph { name: name.into(), params, body }))
    }

    fn hole(&mut self, name: &str, shape: Vec<usize>) -> (VarId, Id) {
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
            NoiseClass::Scalar => {
                let one = self.filled(&[1], 1.0);
                let body = system.diffusion_at(&mut self.g, t_node, x_node, one);
                self.graph_function(&names[1], vec![t, x], body)
            }
            NoiseClass::Diagonal => {
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

    /// Defines `force`, `gamma`, `sigma` of the form `kinetic` in a rule's scope.
    pub fn define_kinetic(&mut self, names: &[String], parts: &kinetic::Kinetic, scope: &Scope, span: Span) {
        let (t, t_node) = self.hole("t", vec![]);
        let shape = self.g.var_info(parts.q).shape.clone();
        let (q, q_node) = self.hole("q", shape);
        let force = self.g.substitute_vars(&[parts.force], &[(self.time, t_node), (parts.q, q_node)])[0];
        let force = self.graph_function(&names[0], vec![t, q], force);
        scope.define(&names[0], force, span);
        scope.define(&names[1], Value::Num(parts.gamma), span);
        scope.define(&names[2], Value::Num(parts.sigma), span);
    }

    /// Independent standard increments of a step, `sqrt(dt)` times normals, flat over all noises; and, when asked for,
    /// the integrals of the noises over the step.
    pub fn increments(&mut self, model: &Model, system: &System) -> Increments {
        let mut normals = Vec::new();
        let mut seconds = Vec::new();
        for (k, noise) in model.noises.iter().enumerate() {
            let draw = |s: &mut Self, site: u32, what: &str| {
                let kind = VarKind::Draw { base: crate::math::Base::Normal, site: site + k as u32, turn: 0 };
                let var = s.g.new_var(format!("{what}{}", noise.name), kind, Ty::Real, noise.shape.clone());
                s.g.var(var)
            };
            normals.push(draw(self, crate::model::system::NOISE_SITE, "z"));
            seconds.push(draw(self, crate::model::system::INTEGRAL_SITE, "w"));
        }
        let (z, w) = (system.join(&mut self.g, &normals), system.join(&mut self.g, &seconds));
        let dt = self.g.var(self.dt);
        let root = self.g.op(Op::Sqrt, &[dt]);
        let dw = self.elementwise_raw(&[z], |g, a| g.op(Op::Mul, &[root, a[0]]));
        // Kloeden & Platen (1992), section 10.4: the integral of W over a step is dt/2 (dW + sqrt(dt/3) w).
        let (half, third) = (self.g.real(0.5), self.g.real(1.0 / 3f64.sqrt()));
        let spread = self.g.op(Op::Mul, &[third, root]);
        let scale = self.g.op(Op::Mul, &[half, dt]);
        let dz = self.elementwise_raw(&[dw, w], |g, a| {
            let second = g.op(Op::Mul, &[spread, a[1]]);
            let sum = g.op(Op::Add, &[a[0], second]);
            g.op(Op::Mul, &[scale, sum])
        });
        Increments { dw, dz }
    }
}

/// The noise of a step, flat over the noises of a model.
#[derive(Copy, Clone, Debug)]
pub struct Increments {
    pub dw: Id,
    pub dz: Id,
}
