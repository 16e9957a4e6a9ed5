//! Whether a step rule of the user's is consistent: on a constant drift and a constant noise the first terms of its step
//! are `a dt + b dW`. It is what the conditions on the weights of a tableau come to (Kloeden & Platen, Numerical Solution
//! of Stochastic Differential Equations, 1992, section 9.6), found by running the rule's own step on two numbers.

use crate::diagnostics::{Diagnostic, codes};
use crate::math::array::Array;
use crate::math::eval::{Env, eval};
use crate::math::{Base, Id, Op, Ty, VarId, VarKind};
use crate::model::elab::Elab;
use crate::model::system::{Model, Noise, State};
use crate::model::value::AppliedSolver;
use crate::solve::form::{Form, NoiseClass};
use crate::solve::rule::{Fit, Rule};
use crate::source::Span;

/// A short step: what is of a higher order in it is far below [`SLACK`].
const STEP: f64 = 1e-8;

/// How far the first terms may be off, relative.
const SLACK: f64 = 1e-2;

/// Whether what a noise does is in proportion to the normals it is made of, or nothing. Increments of two or three values
/// are not: of them a few normals tell nothing.
fn grows(moved: [f64; 3]) -> bool {
    let [one, more, most] = moved;
    if one == 0.0 { more == 0.0 && most == 0.0 } else { (more / (SCALES[1] * one) - 1.0).abs() <= SLACK }
}

/// A constant drift, a start, and standard normals, with nothing special about them.
const DRIFT: [f64; 2] = [1.3, 0.4];
const START: [f64; 2] = [0.31, 0.72];
const NORMALS: [f64; 2] = [0.83, -0.57];
const NOISE: f64 = 0.61;
const FRICTION: f64 = 0.9;

/// The normals are taken times these.
const SCALES: [f64; 3] = [1.0, 1.1, 5.0];

impl Elab<'_> {
    /// Warns of a rule whose step is not consistent. Rules on other forms, and those that cannot be worked out for the
    /// test equation, are left alone.
    pub fn warn_inconsistent(&mut self, rule: &Rule, solver: &AppliedSolver) {
        // The noise of one step by itself: sections of a path are not known by a few normals.
        let coupled = std::mem::replace(&mut self.coupled_noise, false);
        match rule.form {
            _ if rule.library => {}
            Form::Ito | Form::Stratonovich => self.warn_of_terms(rule, solver),
            Form::Kinetic => self.warn_of_motion(rule, solver),
            _ => {}
        }
        self.coupled_noise = coupled;
    }

    fn warn_of_terms(&mut self, rule: &Rule, solver: &AppliedSolver) {
        let before = self.diagnostics.len();
        let moved = self.tried(rule, solver, DRIFT, [0.0, 1.0]);
        let unused = moved.is_some() && moved == self.tried(rule, solver, [0.0; 2], [0.0, 1.0]);
        let gain = moved.map(|moved| [moved[0] / (DRIFT[0] * STEP), moved[1] / (DRIFT[1] * STEP)]);
        let noisy = rule.class != NoiseClass::None;
        let mut shaken = |scale| if noisy { self.tried(rule, solver, [0.0; 2], [NOISE, scale]) } else { None };
        // A rule with a memory may spread the noise over several steps.
        let memory = rule.remembers();
        let tried = SCALES.map(|scale| if memory { None } else { shaken(scale) });
        self.diagnostics.truncate(before);
        let off = |x: f64| (x - 1.0).abs() > SLACK;
        let shake = match tried {
            [Some(one), Some(more), Some(most)] if (0..2).all(|k| grows([one[k], more[k], most[k]])) => Some(one),
            _ => None,
        };
        let span = rule.solver().name.span;
        let name = &rule.solver().name.name;
        if unused {
            let message = format!("the step of the solver `{name}` does not use the drift `a`");
            self.report(
                Diagnostic::warning(codes::INCONSISTENT, message, span, "this rule")
                    .note("it can be right for those models alone whose drift is written into it"),
            );
        } else if let Some(gain) = gain
            && gain.iter().any(|g| off(*g))
        {
            let message = format!(
                "the solver `{name}` is not consistent: a constant drift `a` moves the state by {:.4} a dt in a step",
                gain[0]
            );
            self.report(
                Diagnostic::warning(codes::INCONSISTENT, message, span, "this rule")
                    .note("its paths do not converge to those of the equation, however short the step")
                    .help("the weights of the drift's stages add up to one"),
            );
        } else if let Some(moved) = shake {
            let scalar = rule.class == NoiseClass::Scalar;
            let unit = NOISE * STEP.sqrt();
            let gain = [moved[0] / (unit * NORMALS[0]), moved[1] / (unit * NORMALS[usize::from(!scalar)])];
            if gain.iter().any(|g| off(*g)) {
                let message = format!(
                    "the solver `{name}` is not consistent: a constant noise `b` moves the state by {:.4} b dW in a step",
                    gain[0]
                );
                self.report(
                    Diagnostic::warning(codes::INCONSISTENT, message, span, "this rule")
                        .note("its paths do not converge to those of the equation, however short the step")
                        .help("the weights of the noise's stages add up to one"),
                );
            }
        }
    }

    /// The same for kinetic rules: q moves by v dt, and v by (force - gamma v) dt + sigma dW.
    fn warn_of_motion(&mut self, rule: &Rule, solver: &AppliedSolver) {
        let before = self.diagnostics.len();
        let quiet = self.in_motion(rule, solver, [0.0; 2], 1.0);
        let slowed = self.in_motion(rule, solver, [FRICTION, 0.0], 1.0);
        let noisy = rule.class != NoiseClass::None && !rule.remembers();
        let tried = SCALES.map(|scale| if noisy { self.in_motion(rule, solver, [0.0, NOISE], scale) } else { None });
        self.diagnostics.truncate(before);
        let off = |x: f64| (x - 1.0).abs() > SLACK;
        let (span, name) = (rule.solver().name.span, rule.solver().name.name.clone());
        let Some([q, v]) = quiet else { return };
        let position = q[0] / (START[0] * STEP);
        let velocity = v[0] / (DRIFT[0] * STEP);
        // A rule may leave out the friction and the noise, for models that have none.
        let used = |gain: &f64| *gain != 0.0;
        let friction = slowed.map(|[_, s]| (v[0] - s[0]) / (FRICTION * START[0] * STEP)).filter(used);
        let shaken = match tried {
            [Some([_, one]), Some([_, more]), Some([_, most])] => {
                let moved = [one, more, most].map(|s| s[0] - v[0]);
                Some(moved[0]).filter(|_| grows(moved))
            }
            _ => None,
        };
        let noise = shaken.map(|moved| moved / (NOISE * STEP.sqrt() * NORMALS[0])).filter(used);
        let wrong = if off(position) {
            format!("a velocity moves the position by {position:.4} v dt in a step")
        } else if off(velocity) {
            format!("a force moves the velocity by {velocity:.4} force dt in a step")
        } else if let Some(gain) = friction.filter(|g| off(*g)) {
            format!("the friction slows the velocity by {gain:.4} gamma v dt in a step")
        } else if let Some(gain) = noise.filter(|g| off(*g)) {
            format!("the noise moves the velocity by {gain:.4} sigma dW in a step")
        } else {
            return;
        };
        let message = format!("the solver `{name}` is not consistent: {wrong}");
        self.report(
            Diagnostic::warning(codes::INCONSISTENT, message, span, "this rule")
                .note("its paths do not converge to those of the equation, however short the step"),
        );
    }

    /// How far the rule moves two positions and two velocities under a constant force, friction and noise.
    fn in_motion(
        &mut self,
        rule: &Rule,
        solver: &AppliedSolver,
        [friction, noise]: [f64; 2],
        scale: f64,
    ) -> Option<[[f64; 2]; 2]> {
        let dt = self.g.new_var("dt", VarKind::Hole, Ty::Real, vec![]);
        let w = self.constant_noise(vec![2]);
        let [q, v] = ["q", "v"].map(|name| self.g.new_var(name, VarKind::State, Ty::Real, vec![2]));
        let length = self.g.var(dt);
        let speed = self.g.var(v);
        let drift = self.elementwise_raw(&[speed], |g, a| g.op(Op::Mul, &[a[0], length]));
        let increments = self.g.var(w.var);
        let pushed = self.tabulate(&[2], |s, at| {
            let speed = s.g.get(speed, at);
            let first = s.g.int(0);
            let is_first = s.g.op(Op::Eq, &[at[0], first]);
            let (one, other) = (s.g.real(DRIFT[0]), s.g.real(DRIFT[1]));
            let force = s.g.op(Op::Select, &[is_first, one, other]);
            let (friction, b) = (s.g.real(friction), s.g.real(noise));
            let slowed = s.g.op(Op::Mul, &[friction, speed]);
            let net = s.g.op(Op::Sub, &[force, slowed]);
            let moved = s.g.op(Op::Mul, &[net, length]);
            let own = s.g.get(increments, at);
            let shaken = s.g.op(Op::Mul, &[b, own]);
            s.g.op(Op::Add, &[moved, shaken])
        });
        let states = vec![self.constant_state("q", q, drift), self.constant_state("v", v, pushed)];
        let noises = if rule.class == NoiseClass::None { Vec::new() } else { vec![w] };
        let model = self.test_model(states, noises, dt);
        let moved = self.moved(rule, solver, &model, &[q, v], scale)?;
        Some([moved[0], moved[1]])
    }

    /// How far the rule moves two components with a constant drift and noise, with the normals times a number.
    fn tried(
        &mut self,
        rule: &Rule,
        solver: &AppliedSolver,
        drift: [f64; 2],
        [noise, scale]: [f64; 2],
    ) -> Option<[f64; 2]> {
        let model = self.constant_model(rule.class, drift, noise);
        let x = model.states[0].var;
        self.moved(rule, solver, &model, &[x], scale).map(|moved| moved[0])
    }

    /// How far a step of the rule moves some states (of two components each), with the normals times a number.
    fn moved(
        &mut self,
        rule: &Rule,
        solver: &AppliedSolver,
        model: &Model,
        of: &[VarId],
        scale: f64,
    ) -> Option<Vec<[f64; 2]>> {
        let structured = self.structured(model);
        if !matches!(self.fit(rule, model, &structured), Fit::Fits) {
            return None;
        }
        let step = self.step_of(rule, &solver.args, solver, model, &structured).ok()?;
        let mut env = self.default_env();
        for state in &model.states {
            env.set(state.var, Array::new(vec![2], START.to_vec()));
        }
        for (var, start) in &step.memory {
            let known = self.known(*start, &env, scale)?;
            env.set(*var, known);
        }
        let values: Option<Vec<Id>> = of.iter().map(|x| Some(step.renew.iter().find(|r| r.0 == *x)?.1)).collect();
        let values = crate::math::clean(&mut self.g, &values?).ok()?;
        let each = values.into_iter().map(|id| self.known(id, &env, scale));
        each.map(|v| v.map(|v| [v.values[0] - START[0], v.values[1] - START[1]])).collect()
    }

    /// The value of a step's expression, with the normals of W as they stand above and those of areas zero. None where it
    /// draws something else: its mean is then not seen in one draw.
    fn known(&mut self, id: Id, env: &Env, scale: f64) -> Option<Array> {
        let mut env = env.clone();
        for (var, value) in [(self.time, 0.0), (self.time_next, STEP), (self.dt, STEP), (self.step_index, 0.0)] {
            env.set(var, Array::new(vec![], vec![value]));
        }
        for var in self.g.vars_of(id).to_vec() {
            let info = self.g.var_info(var).clone();
            let VarKind::Draw { base, site, .. } = info.kind else { continue };
            if base != Base::Normal || site >= crate::model::system::LEVY_SITE {
                return None;
            }
            let count: usize = info.shape.iter().product();
            let scale = if site < crate::model::system::INTEGRAL_SITE { scale } else { 0.0 };
            let values = NORMALS[..count].iter().map(|z| z * scale).collect();
            env.set(var, Array::new(info.shape, values));
        }
        eval(&self.g, id, &env).ok().filter(|v| v.values.iter().all(|x| x.is_finite()))
    }

    /// `dx = drift dt + noise dW` for two components: one noise for both where the rule is for scalar noise.
    fn constant_model(&mut self, class: NoiseClass, drift: [f64; 2], noise: f64) -> Model {
        let dt = self.g.new_var("dt", VarKind::Hole, Ty::Real, vec![]);
        let shape = if class == NoiseClass::Scalar { vec![] } else { vec![2] };
        let w = self.constant_noise(shape.clone());
        let (seen, length) = (self.g.var(w.var), self.g.var(dt));
        let components = drift.into_iter().enumerate().map(|(k, a)| {
            let at: Vec<Id> = shape.iter().map(|_| self.g.int(k as i64)).collect();
            let own = if shape.is_empty() { seen } else { self.g.get(seen, &at) };
            let (a, b) = (self.g.real(a), self.g.real(noise));
            let (moved, shaken) = (self.g.op(Op::Mul, &[a, length]), self.g.op(Op::Mul, &[b, own]));
            self.g.op(Op::Add, &[moved, shaken])
        });
        let components = components.collect();
        let flow = self.g.lit(vec![2], components);
        let x = self.g.new_var("x", VarKind::State, Ty::Real, vec![2]);
        let state = self.constant_state("x", x, flow);
        self.test_model(vec![state], if class == NoiseClass::None { Vec::new() } else { vec![w] }, dt)
    }

    fn constant_state(&mut self, name: &str, var: VarId, flow: Id) -> State {
        let span = Span::default();
        State {
            name: name.into(),
            span,
            var,
            shape: vec![2],
            start: self.filled(&[2], 0.0),
            start_span: span,
            flow: Some(flow),
            written: Some(flow),
            flow_span: Some(span),
        }
    }

    fn constant_noise(&mut self, shape: Vec<usize>) -> Noise {
        let increments = |s: &mut Self, name: &str| s.g.new_var(name, VarKind::Noise, Ty::Real, shape.clone());
        let (var, strat): (VarId, VarId) = (increments(self, "W"), increments(self, "∘W"));
        Noise {
            name: "W".into(),
            place: 0,
            span: Span::default(),
            shape,
            var,
            strat,
            seen: var,
            seen_strat: strat,
            mixed: None,
            declared: true,
            matrix: None,
        }
    }

    fn test_model(&mut self, states: Vec<State>, noises: Vec<Noise>, dt: VarId) -> Model {
        Model {
            name: "a constant drift".into(),
            span: Span::default(),
            states,
            noises,
            lets: Vec::new(),
            alpha: self.g.real(0.0),
            dt,
            scope: self.root_scope(false),
            target: None,
            law: None,
            parts: Vec::new(),
        }
    }
}
