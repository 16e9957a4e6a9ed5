//! Linear drifts and gradient drifts.

use crate::calculus::system::{System, UNROLLED, places};
use crate::math::eval::Env;
use crate::math::{Graph, Id, IndexVar, Op, Red};

use super::probe::{Trial, magnitude, vanishes};
use super::{Finding, along, directions, elements, elsewhere, has_state, is_zero, jumps, same, terms, tidy, vars};

/// What the drift is like.
#[derive(Clone, Debug)]
pub struct Drift {
    /// affine in the states
    pub linear: Finding,
    /// a gradient: its Jacobian is symmetric
    pub gradient: Finding,
}

/// Looks at the (clean, Ito) drift.
pub fn drift(g: &mut Graph, system: &System, drift: &[Id], inputs: &Env) -> Drift {
    let linear = linear(g, system, drift, inputs);
    let gradient = gradient(g, system, drift, inputs, matches!(linear, Finding::Yes));
    Drift { linear, gradient }
}

/// Whether the drift is affine in the states: its derivative along a fixed direction is the same everywhere. (That a
/// second derivative is zero would not do: that of `max(x, 0)` is.)
fn linear(g: &mut Graph, system: &System, drift: &[Id], inputs: &Env) -> Finding {
    let mut open = Finding::Yes;
    for (s, (bounds, at, element)) in elements(g, system, drift).into_iter().enumerate() {
        let element = tidy(g, element);
        let Err((difference, size)) = affine(g, system, element, &bounds) else { continue };
        let term = nonlinear_term(g, system, element, &bounds);
        let term = system.show(g, &[term], &bounds).remove(0);
        let equation = system.differential(g, s, &at, &bounds);
        let trial = vanishes(g, difference, size, inputs);
        let reason = match trial {
            Trial::NotZero => format!("the term {term} of {equation} is not linear"),
            _ => format!("the term {term} of {equation} is not linear as it is written"),
        };
        match trial.finding(reason, "though it is") {
            no @ Finding::No(_) => return no,
            unsure => open = unsure,
        }
    }
    open
}

/// Whether the derivative of a scalar by the states is the same at any two points, and the scalar has no jumps.
fn affine(g: &mut Graph, system: &System, element: Id, bounds: &[IndexVar]) -> Result<(), (Id, Id)> {
    let (u, y) = (directions(g, system), directions(g, system));
    let (u, y) = (vars(g, &u), vars(g, &y));
    let slope = along(g, system, element, &u);
    let slope = tidy(g, slope);
    let whole = if jumps(g, system, element) {
        element
    } else if has_state(g, system, slope) {
        slope
    } else {
        return Ok(());
    };
    let moved = elsewhere(g, system, &[whole], &y)[0];
    same(g, whole, moved, bounds)
}

/// The first term of a sum that is not affine.
fn nonlinear_term(g: &mut Graph, system: &System, element: Id, bounds: &[IndexVar]) -> Id {
    let found =
        terms(g, element).into_iter().find(|t| has_state(g, system, *t) && affine(g, system, *t, bounds).is_err());
    found.unwrap_or(element)
}

/// Whether the Jacobian of the drift is symmetric, so that the drift is the gradient of a function.
fn gradient(g: &mut Graph, system: &System, drift: &[Id], inputs: &Env, linear: bool) -> Finding {
    if system.dim() <= UNROLLED {
        gradient_unrolled(g, system, drift, inputs)
    } else {
        gradient_whole(g, system, drift, inputs, linear)
    }
}

fn gradient_unrolled(g: &mut Graph, system: &System, drift: &[Id], inputs: &Env) -> Finding {
    let mut components: Vec<(usize, Vec<Id>, Id)> = Vec::new();
    for (s, state) in system.states.iter().enumerate() {
        for at in places(g, &state.shape) {
            let element = g.get(drift[s], &at);
            let element = tidy(g, element);
            components.push((s, at, element));
        }
    }
    let mut open = Finding::Yes;
    for j in 0..components.len() {
        for i in 0..j {
            let slopes = [(i, j), (j, i)].map(|(of, by)| {
                let (s, at, _) = &components[by];
                let slope = g.partial(components[of].2, system.states[*s].var, at);
                tidy(g, slope)
            });
            let difference = g.op(Op::Sub, &slopes);
            let difference = tidy(g, difference);
            if is_zero(g, difference) {
                continue;
            }
            let shown = system.show(g, &slopes, &[]);
            let names = [i, j].map(|c| {
                let (s, at, _) = &components[c];
                system.differential(g, *s, at, &[])[1..].to_string()
            });
            let [x, y] = names;
            let reason =
                format!("the drift of {x} changes with {y} by {}, that of {y} with {x} by {}", shown[0], shown[1]);
            let sizes = slopes.map(|s| magnitude(g, s));
            let size = g.op(Op::Add, &sizes);
            match vanishes(g, difference, size, inputs).finding(reason, "which are equal") {
                no @ Finding::No(_) => return no,
                unsure => open = unsure,
            }
        }
    }
    open
}

/// `w . (J u) = u . (J w)` for arbitrary `u` and `w`.
fn gradient_whole(g: &mut Graph, system: &System, drift: &[Id], inputs: &Env, linear: bool) -> Finding {
    let directions = [directions(g, system), directions(g, system)];
    let [u, w] = directions.clone().map(|d| vars(g, &d));
    let left = bilinear(g, system, drift, &w, &u);
    let right = bilinear(g, system, drift, &u, &w);
    let [left, right] = [left, right].map(|id| tidy(g, id));
    let difference = g.op(Op::Sub, &[left, right]);
    let difference = tidy(g, difference);
    if is_zero(g, difference) {
        return Finding::Yes;
    }
    let sizes = [left, right].map(|s| magnitude(g, s));
    let size = g.op(Op::Add, &sizes);
    match vanishes(g, difference, size, inputs) {
        Trial::NotZero => Finding::No("the Jacobian of the drift is not symmetric".into()),
        // The Jacobian is one matrix of numbers: a bilinear form that is not zero vanishes at no random point.
        Trial::Zero if linear && g.vars_of(difference).iter().all(|v| directions.iter().flatten().any(|d| d == v)) => {
            Finding::Yes
        }
        trial => trial.finding("the Jacobian of the drift is not symmetric as it is written".into(), "though it is"),
    }
}

fn bilinear(g: &mut Graph, system: &System, drift: &[Id], weights: &[Id], tangents: &[Id]) -> Id {
    let mut sum = g.real(0.0);
    for (s, (bounds, at, element)) in elements(g, system, drift).into_iter().enumerate() {
        let slope = along(g, system, element, tangents);
        let weight = g.get(weights[s], &at);
        let part = g.op(Op::Mul, &[weight, slope]);
        let part = if bounds.is_empty() { part } else { g.reduce(Red::Sum, &bounds, part) };
        sum = g.op(Op::Add, &[sum, part]);
    }
    sum
}
