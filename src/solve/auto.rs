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

/// A step of Euler's rule is stable while the step times the fastest rate is below two.
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
        let applied = AppliedSolver::named(name, Vec::new(), Span::default());
        let before = self.diagnostics.len();
        let rules = self.rules(&applied);
        self.diagnostics.truncate(before);
        let Ok((rules, _)) = rules else { return false };
        rules.iter().any(|rule| matches!(self.fit(rule, model, structured), Fit::Fits))
    }

    /// A stabilised rule, where the step is too long for the drift at the start.
    fn stiff(&mut self, model: &Model, structured: &Structured, h: Option<f64>) -> Option<Choice> {
        let rate = self.fastest_rate(model, structured)?;
        let h = h.filter(|h| h * rate > STIFF)?;
        if self.solver_fits("exact", model, structured) {
            return None;
        }
        let name = ["skrock", "drift_implicit_euler"].into_iter().find(|n| self.solver_fits(n, model, structured))?;
        let why =
            format!("its drift is stiff: at the start rates go up to {rate:.3}, which a step of {h} does not follow");
        Some(Choice { name, why })
    }

    /// The largest sum of sizes in a row of the drift's Jacobian at the start: no rate of the linearised drift is larger.
    fn fastest_rate(&mut self, model: &Model, structured: &Structured) -> Option<f64> {
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
        let mut most = 0.0f64;
        for (state, drift) in system.states.iter().zip(&structured.structure.ito) {
            for at in places(&mut self.g, &state.shape) {
                let component = self.element(*drift, &at);
                let mut row = 0.0;
                for other in &system.states {
                    for by in places(&mut self.g, &other.shape) {
                        let slope = self.g.partial(component, other.var, &by);
                        let slope = crate::math::clean(&mut self.g, &[slope]).ok()?[0];
                        row += eval(&self.g, slope, &env).ok()?.values[0].abs();
                    }
                }
                most = most.max(row);
            }
        }
        most.is_finite().then_some(most)
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
