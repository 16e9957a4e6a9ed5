//! `solver = auto`: a rule of the library by the structure of the model, and why.

use std::rc::Rc;

use crate::calculus::system::places;
use crate::diagnostics::{Diagnostic, codes};
use crate::math::array::Array;
use crate::math::eval::{Env, eval};
use crate::model::elab::{Elab, Try};
use crate::model::system::Model;
use crate::model::value::AppliedSolver;
use crate::solve::form::{NoiseClass, Structured};
use crate::solve::rule::Fit;
use crate::source::Span;

/// A step of Euler's rule is stable while the step times the fastest rate of decay is below two.
const STIFF: f64 = 2.0;

/// The Jacobian of a larger system is not looked at.
const MOST_COMPONENTS: usize = 64;

/// A solver that was chosen, with the reason in a sentence.
#[derive(Clone, Debug)]
pub struct Choice {
    pub name: &'static str,
    pub why: String,
}

impl Elab<'_> {
    /// The solver for a model. `h` is the step of the run, where it is known.
    pub fn automatic(&mut self, model: &Model, structured: &Structured, h: Option<f64>, span: Span) -> Try<Choice> {
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
        let candidates: [(&'static str, bool, &str); 9] = [
            ("exact", true, "the law of its step is known in closed form"),
            (
                "baoab",
                model.law.is_some(),
                "it is kinetic Langevin dynamics of a target, and averages have a small error",
            ),
            ("quicsort", true, "it is kinetic Langevin dynamics"),
            ("dopri5", structured.within(NoiseClass::None).is_ok(), "it has no noise"),
            ("shark", structured.within(NoiseClass::Additive).is_ok(), &with_noise),
            ("sosri", true, &with_noise),
            ("slow_rk", structured.within(NoiseClass::Commutative).is_ok(), &with_noise),
            ("milstein", true, &with_noise),
            ("euler_heun", true, "no rule of a higher order fits"),
        ];
        if let Some(choice) = self.stiff(model, structured, h) {
            return Ok(choice);
        }
        for (name, wanted, why) in candidates {
            if wanted && self.solver_fits(name, model, structured) {
                let why = format!("{why}{}", self.orders_in_words(name, model, structured));
                return Ok(Choice { name, why });
            }
        }
        Ok(Choice { name: "euler_maruyama", why: "no other rule fits".into() })
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
        let name = ["etdrk2", "skrock", "drift_implicit_euler"]
            .into_iter()
            .find(|n| self.solver_fits(n, model, structured))?;
        let why = format!(
            "its drift is stiff: at the start it decays at rates up to {rate:.3}, which a step of {h} does not follow"
        );
        Some(Choice { name, why })
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
        h: Option<f64>,
    ) -> Try<(Rc<AppliedSolver>, Option<String>)> {
        if solver.name != "auto" {
            return Ok((solver.clone(), None));
        }
        let Choice { name, why } = self.automatic(model, structured, h, solver.span)?;
        let note = format!("auto takes {name}: {why}");
        Ok((Rc::new(AppliedSolver::named(name, Vec::new(), solver.span)), Some(note)))
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
    let (even, odd) = (trace(&power), trace(&times(&power, rows)));
    let rate = ((even.ln() + logarithm) / 32.0).exp();
    (even > 0.0 && odd < -0.5 * even * rate).then_some(rate)
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
        assert_eq!(fastest_decay(&[vec![5.0]]), None);
        assert_eq!(fastest_decay(&[vec![0.0]]), None);
        // overdamped: the eigenvalues are -1 and -100
        near(&[vec![0.0, 1.0], vec![-100.0, -101.0]], 100.0);
    }
}
