//! `solver = auto`: a rule of the library by the structure of the model, and why.

use std::rc::Rc;

use crate::calculus::system::{open, places};
use crate::diagnostics::{Diagnostic, codes};
use crate::math::array::Array;
use crate::math::eval::{Env, eval};
use crate::math::{Id, Node, Op};
use crate::model::elab::{Elab, Try};
use crate::model::system::Model;
use crate::model::value::{AppliedSolver, BoundArg, Value};
use crate::solve::form::{Form, NoiseClass, Structured};
use crate::solve::rule::{Fit, Rule};
use crate::source::Span;
use crate::syntax::ast::Ident;

/// A step of Euler's rule is stable while the step times the fastest rate of decay is below two.
const STIFF: f64 = 2.0;

/// Powers of the Jacobian, after the 32nd, whose traces must go on like those of a decay.
const FOLLOWED: usize = 8;

/// The Jacobian of a larger system is not looked at.
const MOST_COMPONENTS: usize = 64;

/// Stages of the stabilised rule: as the library has them, and at most.
const STAGES: i64 = 5;
const MOST_STAGES: i64 = 60;

/// With `s` stages that rule is stable up to a step times rate of so much `s^2`, and the rate at the start may grow by a part.
const STABLE: f64 = 1.93;
const GROWTH: f64 = 1.3;

/// A solver that was chosen, with the reason in a sentence.
#[derive(Clone, Debug)]
pub struct Choice {
    pub name: &'static str,
    /// of the stabilised rule
    pub stages: Option<i64>,
    pub why: String,
}

impl Choice {
    fn new(name: &'static str, why: impl Into<String>) -> Choice {
        Choice { name, stages: None, why: why.into() }
    }
}

/// What a run asks of its solver.
#[derive(Copy, Clone, Debug, Default)]
pub struct Wanted {
    /// the length of a step, where it is known
    pub step: Option<f64>,
    /// steps are chosen by the error
    pub adaptive: bool,
    /// the length of the time, where it is known
    pub span: Option<f64>,
    /// the noise is a Brownian path
    pub tree: bool,
}

/// Explicit steps as short as the fastest rate asks for are then more than a thousand.
const STIFF_SPAN: f64 = 2000.0;

impl Elab<'_> {
    /// The solver for a model.
    pub fn automatic(&mut self, model: &Model, structured: &Structured, wanted: Wanted, span: Span) -> Try<Choice> {
        if model.target.is_some() {
            return self.fail(
                Diagnostic::error(
                    codes::SOLVER_MISFIT,
                    "`auto` chooses solvers of dynamics, and this is a density",
                    span,
                    "a target is the model",
                )
                .help(
                    "name a kernel with its step size, such as `mala(h = 0.1)` or `hmc(h = 0.1)`, or use `langevin(p)`",
                ),
            );
        }
        let class = structured.structure.noise.class().name();
        let with_noise = format!("its noise is {class}");
        let root = self.square_root_of(structured);
        let positive = root.as_ref().map_or(String::new(), |x| {
            format!(
                "its noise is real only while `{x}` is not negative, and rules of a higher order let it fall below zero"
            )
        });
        let commutes = structured.within(NoiseClass::Commutative).is_ok();
        // Exact steps and Levy areas are no functions of the path.
        let (drawn, areas) = (!wanted.tree, !wanted.tree || commutes);
        let adaptive: &[(&'static str, bool, &str)] = &[
            ("dopri5", structured.within(NoiseClass::None).is_ok(), "it has no noise"),
            ("shark", structured.within(NoiseClass::Additive).is_ok(), &with_noise),
            ("slow_rk", commutes, &with_noise),
            ("heun", true, &with_noise),
        ];
        let fixed: &[(&'static str, bool, &str)] = &[
            ("exact", drawn, "the law of its step is known in closed form"),
            ("full_truncation", root.is_some(), &positive),
            (
                "baoab",
                model.law.is_some(),
                "it is kinetic Langevin dynamics of a target, and averages have a small error",
            ),
            ("quicsort", structured.within(NoiseClass::None).is_err(), "it is kinetic Langevin dynamics"),
            ("dopri5", structured.within(NoiseClass::None).is_ok(), "it has no noise"),
            ("shark", structured.within(NoiseClass::Additive).is_ok(), &with_noise),
            ("sosri", true, &with_noise),
            ("slow_rk", commutes, &with_noise),
            ("milstein", areas, &with_noise),
            ("euler_heun", true, "no rule of a higher order fits"),
        ];
        let stiff = match wanted.adaptive {
            true => self.stiff_throughout(model, structured, wanted.span),
            false => self.stiff(model, structured, wanted.step),
        };
        if let Some(choice) = stiff {
            return Ok(choice);
        }
        for (name, suits, why) in if wanted.adaptive { adaptive } else { fixed } {
            if *suits && self.solver_fits(name, model, structured) {
                let mut why = format!("{why}{}", self.orders_in_words(name, model, structured));
                if wanted.adaptive && !positive.is_empty() {
                    why += &format!("; but {positive}: equal steps, `step h`, have a rule for that");
                }
                return Ok(Choice::new(name, why));
            }
        }
        Ok(Choice::new("euler_maruyama", "no other rule fits"))
    }

    /// A state that the noise has a root of, in a model that makes sense only while the state is not negative: of all that
    /// the coefficients depend on but linearly, only such roots.
    fn square_root_of(&mut self, structured: &Structured) -> Option<String> {
        let system = &structured.system;
        let roots: Vec<Id> = system.diffusion.clone();
        let mut found: Option<usize> = None;
        for id in self.g.reachable(&roots) {
            let inside = match self.g.node(id) {
                Node::Op(Op::Sqrt, args) => args[0],
                Node::Op(Op::Pow, args) => args[0],
                _ => continue,
            };
            let met: Vec<usize> =
                (0..system.states.len()).filter(|k| self.g.depends_on(inside, system.states[*k].var)).collect();
            let [k] = met[..] else { continue };
            let state = &system.states[k];
            if !state.shape.is_empty() {
                continue;
            }
            // in proportion to the state, and so zero where it is
            let slope = self.g.partial(inside, state.var, &[]);
            let Ok(clean) = crate::math::clean(&mut self.g, &[slope]) else { continue };
            if !self.g.depends_on(clean[0], state.var) {
                let zero = self.g.real(0.0);
                let at_zero = self.g.substitute_vars(&[inside], &[(state.var, zero)])[0];
                let clean = crate::math::clean(&mut self.g, &[at_zero]).ok()?[0];
                if crate::calculus::structure::is_nothing(&self.g, clean) {
                    found.get_or_insert(k);
                }
            }
        }
        let found = found?;
        // Another state that may be negative must not be cut off where coefficients read it.
        let coefficients: Vec<Id> = system.diffusion.iter().chain(&structured.structure.ito).copied().collect();
        let others = system.states.iter().enumerate().filter(|(k, _)| *k != found);
        for (_, other) in others {
            for id in &coefficients {
                let shape = self.g.shape(*id).to_vec();
                let (bounds, at) = open(&mut self.g, &shape);
                let element = if bounds.is_empty() { *id } else { self.element(*id, &at) };
                let read = crate::math::clean(&mut self.g, &[element]).map_or(element, |c| c[0]);
                if !self.g.depends_on(read, other.var) {
                    continue;
                }
                let zero = self.filled(&other.shape, 0.0);
                let at_zero = self.g.substitute_vars(&[read], &[(other.var, zero)])[0];
                let clean = crate::math::clean(&mut self.g, &[at_zero]).ok()?[0];
                if !crate::calculus::structure::is_nothing(&self.g, clean) {
                    return None;
                }
            }
        }
        Some(system.states[found].name.clone())
    }

    /// Whether some rule of a solver fits a model, estimates its error and converges with steps chosen by it.
    pub fn adapts(&mut self, name: &str, model: &Model, structured: &Structured) -> bool {
        let rules = self.rules_by_narrowness(name);
        let fits = rules.iter().find(|r| matches!(self.fit(r, model, structured), Fit::Fits));
        let within = |class| structured.within(class).is_ok();
        let converges = |r: &Rule| {
            let strong = r.orders(within).strong;
            r.form != Form::Ito || within(NoiseClass::Additive) || strong.is_some_and(|order| order >= 1.0)
        };
        fits.is_some_and(|r| r.estimates() && converges(r))
    }

    /// The orders that a solver states for a model, as the end of a sentence.
    fn orders_in_words(&mut self, name: &str, model: &Model, structured: &Structured) -> String {
        let applied = AppliedSolver::named(name, Vec::new(), Span::default());
        let Ok((rule, _)) = self.choose(&applied, model, structured) else { return String::new() };
        let orders = rule.orders(|class| structured.within(class).is_ok());
        let part = |kind: &str, order: Option<f64>| order.map(|o| format!("{kind} order {o}"));
        let parts: Vec<String> =
            [part("strong", orders.strong), part("weak", orders.weak)].into_iter().flatten().collect();
        if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
    }

    /// Whether some rule of a solver fits; nobody hears of problems.
    pub fn solver_fits(&mut self, name: &str, model: &Model, structured: &Structured) -> bool {
        if self.library.lookup(name).is_empty() {
            return false;
        }
        self.rules_by_narrowness(name).iter().any(|rule| matches!(self.fit(rule, model, structured), Fit::Fits))
    }

    /// A stabilised rule, where the step is too long for the drift at the start.
    fn stiff(&mut self, model: &Model, structured: &Structured, h: Option<f64>) -> Option<Choice> {
        let rate = self.fastest_rate(model, structured)?;
        let h = h.filter(|h| h * rate > STIFF)?;
        if self.solver_fits("exact", model, structured) {
            return None;
        }
        // Where the stiff part is linear, exponential rules keep its law; the others only damp it.
        let stages = ((GROWTH * h * rate / STABLE).sqrt().ceil()).max(STAGES as f64);
        let explicit = stages <= MOST_STAGES as f64;
        let name = ["etdrk2", "skrock", "drift_implicit_euler"]
            .into_iter()
            .find(|n| (explicit || *n != "skrock") && self.solver_fits(n, model, structured))?;
        let stages = (name == "skrock").then_some(stages as i64);
        let why = format!(
            "its drift is stiff: at the start it decays at rates up to {rate:.3}, which a step of {h} does not follow"
        );
        Some(Choice { name, stages, why })
    }

    /// An implicit rule where steps are chosen by the error, and those of explicit ones would all be as short as the fastest
    /// rate asks for.
    fn stiff_throughout(&mut self, model: &Model, structured: &Structured, span: Option<f64>) -> Option<Choice> {
        let name = "stochastic_theta";
        let within = |class| structured.within(class).is_ok();
        if !(within(NoiseClass::Additive) && self.solver_fits(name, model, structured)) {
            return None;
        }
        let span = span?;
        let rate = self.fastest_rate(model, structured).filter(|rate| rate * span > STIFF_SPAN)?;
        let why = format!(
            "its drift is stiff: at the start it decays at rates up to {rate:.3}, which explicit steps would have to follow \
             all the time"
        );
        Some(Choice { name, stages: None, why })
    }

    /// The fastest rate of decay of the drift linearised at the start, where the fastest of all rates is one.
    fn fastest_rate(&mut self, model: &Model, structured: &Structured) -> Option<f64> {
        let rows = self.jacobian_at_start(model, structured)?;
        fastest_decay(&rows)
    }

    /// The Jacobian of the drift at the start.
    fn jacobian_at_start(&mut self, model: &Model, structured: &Structured) -> Option<Vec<Vec<f64>>> {
        let system = &structured.system;
        if system.dim() > MOST_COMPONENTS {
            return None;
        }
        let mut env: Env = self.default_env();
        env.set(self.time, Array::new(vec![], vec![0.0]));
        for state in &model.states {
            let start = self.cheap_value(state.start, &env);
            let size = state.shape.iter().product();
            env.set(state.var, start.unwrap_or_else(|| Array::new(state.shape.clone(), vec![0.0; size])));
        }
        let mut rows = Vec::new();
        for (state, drift) in system.states.iter().zip(&structured.structure.ito) {
            for at in places(&mut self.g, &state.shape) {
                let component = self.element(*drift, &at);
                let mut row = Vec::new();
                for other in &system.states {
                    for by in places(&mut self.g, &other.shape) {
                        let slope = self.g.partial(component, other.var, &by);
                        let slope = crate::math::clean(&mut self.g, &[slope]).ok()?[0];
                        row.push(eval(&self.g, slope, &env).ok()?.values[0]);
                    }
                }
                rows.push(row);
            }
        }
        Some(rows)
    }

    /// A named solver, or the one that `auto` stands for, with the reason.
    pub fn resolved(
        &mut self,
        solver: &Rc<AppliedSolver>,
        model: &Model,
        structured: &Structured,
        wanted: Wanted,
    ) -> Try<(Rc<AppliedSolver>, Option<String>)> {
        if solver.name != "auto" {
            return Ok((solver.clone(), None));
        }
        let Choice { name, stages, why } = self.automatic(model, structured, wanted, solver.span)?;
        let shown = stages.map_or(name.to_string(), |n| format!("{name}(stages = {n})"));
        let note = format!("auto takes {shown}: {why}");
        let named = |n: i64| BoundArg {
            name: Some(Ident { name: "stages".into(), span: solver.span }),
            value: Value::Int(n),
            span: solver.span,
        };
        let args = stages.into_iter().map(named).collect();
        Ok((Rc::new(AppliedSolver::named(name, args, solver.span)), Some(note)))
    }
}

/// The size of the eigenvalue of largest size, where that is real and negative: by powers of the matrix up to the 33rd,
/// whose traces are then `r^32` and `-r^33`, other eigenvalues fading. None where the largest turn (are not real), or grow.
fn fastest_decay(rows: &[Vec<f64>]) -> Option<f64> {
    let n = rows.len();
    let size = |m: &[Vec<f64>]| m.iter().flatten().map(|x| x * x).sum::<f64>().sqrt();
    let times = |a: &[Vec<f64>], b: &[Vec<f64>]| -> Vec<Vec<f64>> {
        (0..n).map(|i| (0..n).map(|j| (0..n).map(|k| a[i][k] * b[k][j]).sum()).collect()).collect()
    };
    let trace = |m: &[Vec<f64>]| (0..n).map(|i| m[i][i]).sum::<f64>();
    // the matrix is scaled after each squaring; `logarithm` is that of the scale of its power
    let (mut power, mut logarithm) = (rows.to_vec(), 0.0);
    for _ in 0..5 {
        let scale = size(&power);
        if !(scale > 0.0 && scale.is_finite()) {
            return None;
        }
        power.iter_mut().flatten().for_each(|x| *x /= scale);
        logarithm = 2.0 * (logarithm + scale.ln());
        power = times(&power, &power);
    }
    let first = trace(&power);
    let rate = ((first.ln() + logarithm) / 32.0).exp();
    // Those of eigenvalues that turn change their sign too, but not each time, nor by the rate.
    let mut last = first;
    for _ in 0..FOLLOWED {
        power = times(&power, rows);
        power.iter_mut().flatten().for_each(|x| *x /= rate);
        let next = trace(&power);
        let ratio = -next / last;
        if !(0.5..2.0).contains(&ratio) {
            return None;
        }
        last = next;
    }
    (first > 0.0).then_some(rate)
}

#[cfg(test)]
mod tests {
    use super::fastest_decay;

    #[test]
    fn decay_is_told_from_turning_and_growth() {
        let near = |m: &[Vec<f64>], want: f64| {
            let rate = fastest_decay(m).expect("a decay");
            assert!((rate / want - 1.0).abs() < 0.05, "{rate} is not {want}");
        };
        near(&[vec![-100.0, 1.0], vec![1.0, -3.0]], 100.0);
        near(&[vec![-2.0]], 2.0);
        // a pendulum, weakly damped; a rotation; growth; nothing
        assert_eq!(fastest_decay(&[vec![0.0, 1.0], vec![-1e4, -1.0]]), None);
        assert_eq!(fastest_decay(&[vec![0.0, 300.0], vec![-300.0, 0.0]]), None);
        assert_eq!(fastest_decay(&[vec![-1.5, 100.0], vec![-100.0, -1.5]]), None);
        assert_eq!(fastest_decay(&[vec![5.0]]), None);
        assert_eq!(fastest_decay(&[vec![0.0]]), None);
        // overdamped: the eigenvalues are -1 and -100
        near(&[vec![0.0, 1.0], vec![-100.0, -101.0]], 100.0);
    }
}
