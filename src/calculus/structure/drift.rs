//! Linear drifts and gradient drifts.

use crate::calculus::system::{System, UNROLLED, places};
use crate::math::eval::Env;
use crate::math::{Graph, Id, IndexVar, Op, Red};

use super::probe::vanishes;
use super::{Finding, along, directions, elements, has_state, is_zero, terms, tidy, vars};

/// Whether the drift is affine in the states: its derivative along a fixed direction does not depend on them.
pub fn linear(g: &mut Graph, system: &System, drift: &[Id], inputs: &Env) -> Finding {
    let holes = directions(g, system);
    let tangents = vars(g, &holes);
    let mut open = Finding::Yes;
    for (s, (bounds, at, element)) in elements(g, system, drift).into_iter().enumerate() {
        let element = tidy(g, element);
        let first = along(g, system, element, &tangents);
        let first = tidy(g, first);
        let second = along(g, system, first, &tangents);
        let second = tidy(g, second);
        if is_zero(g, second) {
            continue;
        }
        let term = nonlinear_term(g, system, element, &tangents);
        let term = system.show(g, &[term], &bounds).remove(0);
        let reason = format!("the term {term} of {} is not linear", system.differential(g, s, &at, &bounds));
        let (value, size) = (summed(g, &bounds, second), summed(g, &bounds, first));
        match vanishes(g, value, size, inputs) {
            Some(false) => return Finding::No(reason),
            Some(true) => {
                open = Finding::Open {
                    seems: true,
                    reason: "the second derivatives vanish at the points tried only".into(),
                }
            }
            None => open = Finding::Open { seems: false, reason },
        }
    }
    open
}

fn summed(g: &mut Graph, bounds: &[IndexVar], value: Id) -> Id {
    let size = g.op(Op::Abs, &[value]);
    if bounds.is_empty() { size } else { g.reduce(Red::Sum, bounds, size) }
}

/// The first term of a sum with a second derivative.
fn nonlinear_term(g: &mut Graph, system: &System, element: Id, tangents: &[Id]) -> Id {
    for term in terms(g, element) {
        if !has_state(g, system, term) {
            continue;
        }
        let first = along(g, system, term, tangents);
        let second = along(g, system, first, tangents);
        let second = tidy(g, second);
        if !is_zero(g, second) {
            return term;
        }
    }
    element
}

/// Whether the Jacobian of the drift is symmetric, so that the drift is the gradient of a function.
pub fn gradient(g: &mut Graph, system: &System, drift: &[Id], inputs: &Env) -> Finding {
    if system.dim() <= UNROLLED {
        gradient_unrolled(g, system, drift, inputs)
    } else {
        gradient_whole(g, system, drift, inputs)
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
            let sizes = slopes.map(|s| g.op(Op::Abs, &[s]));
            let size = g.op(Op::Add, &sizes);
            match vanishes(g, difference, size, inputs) {
                Some(false) => return Finding::No(reason),
                Some(true) => {
                    open = Finding::Open { seems: true, reason: format!("{reason}; they agree at the points tried") }
                }
                None => open = Finding::Open { seems: false, reason },
            }
        }
    }
    open
}

/// `w . (J u) = u . (J w)` for arbitrary `u` and `w`.
fn gradient_whole(g: &mut Graph, system: &System, drift: &[Id], inputs: &Env) -> Finding {
    let (u, w) = (directions(g, system), directions(g, system));
    let (u, w) = (vars(g, &u), vars(g, &w));
    let left = bilinear(g, system, drift, &w, &u);
    let right = bilinear(g, system, drift, &u, &w);
    let difference = g.op(Op::Sub, &[left, right]);
    let difference = tidy(g, difference);
    if is_zero(g, difference) {
        return Finding::Yes;
    }
    let sizes = [left, right].map(|s| g.op(Op::Abs, &[s]));
    let size = g.op(Op::Add, &sizes);
    match vanishes(g, difference, size, inputs) {
        Some(false) => Finding::No("the Jacobian of the drift is not symmetric".into()),
        Some(true) => {
            Finding::Open { seems: true, reason: "the Jacobian of the drift is symmetric at the points tried".into() }
        }
        None => Finding::Open { seems: false, reason: "the drift has no finite value at the points tried".into() },
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
