//! The forms whose drift has a linear part: `semilinear(A, f, b)`, and those that can be followed exactly: `linear(A, c, b)`,
//! `geometric(A, s)` and `square_root(A, c, s)`.

use crate::calculus::structure::linear::{Linear, MOST_ROWS, Matrix, linear_part};
use crate::calculus::system::{System, open, places};
use crate::math::{Id, Node, Op, VarId};
use crate::model::elab::{Elab, Try};
use crate::model::value::{Scope, Value};
use crate::solve::form::{Form, NoiseClass, Structured};
use crate::solve::rule::Rule;
use crate::source::Span;

impl Elab<'_> {
    /// The linear part of a model's drift, worked out once.
    pub fn linear_of<'s>(&mut self, structured: &'s Structured) -> Option<&'s Linear> {
        let g = &mut self.g;
        structured.linear.get_or_init(|| linear_part(g, &structured.system, &structured.structure.ito)).as_ref()
    }

    /// Why a model does not have one of these forms; nothing where it has.
    pub fn misses_linear(&mut self, form: Form, class: NoiseClass, structured: &Structured) -> Option<String> {
        let structured = self.seen_by(form, structured);
        let system = &structured.system;
        let own = match form {
            Form::Geometric | Form::SquareRoot => NoiseClass::Diagonal,
            _ => class,
        };
        if let Err(reason) = structured.within(own) {
            return Some(reason);
        }
        let Some(linear) = self.linear_of(structured).cloned() else {
            return Some("the linear part of the drift couples too many components to be written as a matrix".into());
        };
        let timed = |s: &Self, ids: &[Id]| ids.iter().any(|id| s.g.depends_on(*id, system.time));
        let stated =
            |s: &Self, ids: &[Id]| ids.iter().any(|id| system.states.iter().any(|x| s.g.depends_on(*id, x.var)));
        if form != Form::Semilinear && stated(self, &linear.rest) {
            return Some("the drift is not linear".into());
        }
        if own == NoiseClass::Diagonal && matches!(linear.matrix, Matrix::Full(_)) {
            return Some("the linear part of the drift couples components".into());
        }
        if matches!(form, Form::Semilinear | Form::Linear)
            && let Err(reason) = structured.within(NoiseClass::Additive)
        {
            return Some(reason);
        }
        if form == Form::Semilinear {
            let none = linear.entries().iter().all(|e| self.vanishes_everywhere(*e));
            return none.then(|| "the drift has no linear part".into());
        }
        let noise = system.total_diffusion(&mut self.g);
        let all: Vec<Id> = linear.entries().into_iter().chain(linear.rest.iter().copied()).chain(noise).collect();
        if timed(self, &all) {
            return Some("its coefficients depend on the time".into());
        }
        match form {
            Form::Geometric if !linear.rest.iter().all(|e| self.vanishes_everywhere(*e)) => {
                Some("the drift is not proportional to the state".into())
            }
            Form::Geometric if self.proportional(structured, 1).is_none() => {
                Some("the noise is not proportional to the state".into())
            }
            Form::SquareRoot if self.proportional(structured, 2).is_none() => {
                Some("the square of the noise is not proportional to the state".into())
            }
            _ => None,
        }
    }

    /// Whether a number, or every element of an array, is zero.
    fn vanishes_everywhere(&mut self, id: Id) -> bool {
        let shape = self.g.shape(id).to_vec();
        let (_, at) = open(&mut self.g, &shape);
        let element = self.element(id, &at);
        let clean = crate::math::clean(&mut self.g, &[element]).map_or(element, |c| c[0]);
        matches!(self.g.node(clean), Node::Real(bits) if f64::from_bits(*bits) == 0.0)
    }

    /// For diagonal noise whose coefficient to some power is `s x` in each component: `s`, for each state an array.
    fn proportional(&mut self, structured: &Structured, power: i64) -> Option<Vec<Id>> {
        let system = &structured.system;
        let coefficients = structured.structure.noise.coefficients.clone()?;
        let mut all = Vec::new();
        for (state, b) in system.states.iter().zip(coefficients) {
            let (bounds, at) = open(&mut self.g, &state.shape);
            let by_loop = self.slope(system, state.var, b, &at, power).map(|slope| self.g.map(&bounds, slope));
            let small = state.shape.iter().product::<usize>() <= MOST_ROWS;
            let slope = match by_loop {
                // An array whose elements were written out is not seen through by a loop.
                None if small && !state.shape.is_empty() => {
                    let each: Option<Vec<Id>> = places(&mut self.g, &state.shape)
                        .into_iter()
                        .map(|at| self.slope(system, state.var, b, &at, power))
                        .collect();
                    each.map(|each| self.g.lit(state.shape.clone(), each))
                }
                found => found,
            };
            all.push(slope?);
        }
        Some(all)
    }

    /// `s` of a component whose coefficient to some power is `s x`.
    fn slope(&mut self, system: &System, state: VarId, b: Id, at: &[Id], power: i64) -> Option<Id> {
        let element = self.element(b, at);
        let n = self.g.int(power);
        let element = self.g.op(Op::Powi, &[element, n]);
        let x = self.g.var(state);
        let x = self.element(x, at);
        let slope = self.g.partial(element, state, at);
        let straight = self.g.op(Op::Mul, &[slope, x]);
        let off = self.g.op(Op::Sub, &[element, straight]);
        let clean = crate::math::clean(&mut self.g, &[slope, off]).ok()?;
        let off_is_zero = crate::calculus::structure::is_nothing(&self.g, clean[1]);
        let free = !system.states.iter().any(|s| self.g.depends_on(clean[0], s.var));
        (off_is_zero && free).then_some(clean[0])
    }

    /// Defines the names of these forms in a rule's scope.
    pub fn define_linear(
        &mut self,
        rule: &Rule,
        names: &[String],
        structured: &Structured,
        scope: &Scope,
        span: Span,
    ) -> Try<()> {
        let system = &structured.system;
        let linear = self.linear_of(structured).expect("the fit was checked").clone();
        let (t, t_node) = self.hole("t", vec![]);
        let (x, x_node) = self.hole("x", vec![system.dim()]);
        let matrix = match &linear.matrix {
            Matrix::Diagonal(parts)
                if rule.class == NoiseClass::Diagonal || rule.form != Form::Linear && rule.form != Form::Semilinear =>
            {
                system.join(&mut self.g, parts)
            }
            Matrix::Diagonal(parts) => {
                let vector = system.join(&mut self.g, parts);
                let d = system.dim();
                let zero = self.g.real(0.0);
                self.tabulate(&[d, d], |s, at| {
                    let same = s.g.op(Op::Eq, &[at[0], at[1]]);
                    let entry = s.g.get(vector, &at[..1]);
                    s.g.op(Op::Select, &[same, entry, zero])
                })
            }
            Matrix::Full(rows) => {
                let d = rows.len();
                self.g.lit(vec![d, d], rows.concat())
            }
        };
        let rest = system.drift_at(&mut self.g, &linear.rest, t_node, x_node);
        let noise = self.noise_coefficients(rule, structured, t_node, x_node);
        let at_time = |s: &mut Self, id: Id| s.g.substitute_vars(&[id], &[(system.time, t_node)])[0];
        let origin = self.filled(&[system.dim()], 0.0);
        let constant = |s: &mut Self, id: Id| {
            let zero = s.g.real(0.0);
            s.g.substitute_vars(&[id], &[(x, origin), (t, zero)])[0]
        };
        let values: Vec<Value> = match rule.form {
            Form::Semilinear => {
                let matrix = at_time(self, matrix);
                let noise = self.g.substitute_vars(&[noise], &[(x, origin)])[0];
                vec![
                    self.graph_function(&names[0], vec![t], matrix),
                    self.graph_function(&names[1], vec![t, x], rest),
                    self.graph_function(&names[2], vec![t], noise),
                ]
            }
            Form::Linear => {
                vec![Value::Num(matrix), Value::Num(constant(self, rest)), Value::Num(constant(self, noise))]
            }
            _ => {
                let power = if rule.form == Form::Geometric { 1 } else { 2 };
                let slopes = self.proportional(structured, power).expect("the fit was checked");
                let slope = system.join(&mut self.g, &slopes);
                let sigma = if power == 1 { slope } else { self.elementwise_raw(&[slope], |g, a| g.op(Op::Sqrt, a)) };
                match rule.form {
                    Form::Geometric => vec![Value::Num(matrix), Value::Num(sigma)],
                    _ => vec![Value::Num(matrix), Value::Num(constant(self, rest)), Value::Num(sigma)],
                }
            }
        };
        for (name, value) in names.iter().zip(values) {
            scope.define(name, value, span);
        }
        Ok(())
    }

    /// `b`: a number for each component of a rule for diagonal noise, a matrix otherwise.
    fn noise_coefficients(&mut self, rule: &Rule, structured: &Structured, t: Id, x: Id) -> Id {
        let system: &System = &structured.system;
        if rule.class == NoiseClass::Diagonal {
            let ones = self.filled(&[system.noise_dim()], 1.0);
            return system.diffusion_at(&mut self.g, t, x, ones);
        }
        system.matrix_at(&mut self.g, t, x)
    }
}
