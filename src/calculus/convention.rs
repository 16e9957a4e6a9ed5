//! Conversions between the conventions of a stochastic integral, for any dimension and any noise matrix.
//!
//! With `B_k` the columns of the noise matrix, an equation read with the integrand taken at the fraction `alpha` of each
//! step is the Ito equation with the drift `a + alpha sum_k (B_k . grad) B_k` (Kloeden and Platen, Numerical Solution of
//! Stochastic Differential Equations, section 4.9, for `alpha = 1/2`). The correction is the covariation of the integrand
//! with the noise it multiplies. So when the terms of an equation are read in different ways, each contributes its own
//! fraction of the derivative of its own coefficient along the *whole* column.

use crate::math::{Graph, Id, Node, Op, Red};

use super::system::{System, open, zip};

/// The drift of the same process for another reading: per state. `beta` is 0 for Ito, 1/2 for Stratonovich.
pub fn drift_in(g: &mut Graph, system: &System, beta: Id) -> Vec<Id> {
    let correction = correction(g, system, beta);
    let sums = system.drift.iter().zip(correction).map(|(drift, correction)| match correction {
        Some(correction) => zip(g, Op::Add, *drift, correction),
        None => *drift,
    });
    sums.collect()
}

pub fn ito_drift(g: &mut Graph, system: &System) -> Vec<Id> {
    let beta = g.real(0.0);
    drift_in(g, system, beta)
}

pub fn stratonovich_drift(g: &mut Graph, system: &System) -> Vec<Id> {
    let beta = g.real(0.5);
    drift_in(g, system, beta)
}

/// What is added to the drift as written when the equation is read with `beta`: per state, none where nothing is.
pub fn correction(g: &mut Graph, system: &System, beta: Id) -> Vec<Option<Id>> {
    let half = g.real(0.5);
    let own = difference(g, system.alpha, beta);
    let circled = difference(g, half, beta);
    let total = system.total_diffusion(g);
    let mut parts = Vec::new();
    for s in 0..system.states.len() {
        let terms = [(own, Some(system.diffusion[s])), (circled, system.strat_terms.get(s).copied().flatten())];
        parts.push(correction_of(g, system, s, &terms, &total));
    }
    parts
}

/// The term that takes a Stratonovich drift to the Ito drift, `1/2 sum_k (B_k . grad) B_k`, per state; none where the
/// noise of the state does not depend on any state.
pub fn ito_correction(g: &mut Graph, system: &System) -> Vec<Option<Id>> {
    let total = system.total_diffusion(g);
    let half = g.real(0.5);
    let read = System { diffusion: total, alpha: half, strat_terms: vec![None; system.states.len()], ..system.clone() };
    let ito = g.real(0.0);
    correction(g, &read, ito)
}

fn correction_of(g: &mut Graph, system: &System, s: usize, terms: &[(Id, Option<Id>)], total: &[Id]) -> Option<Id> {
    let (bounds, at) = open(g, &system.states[s].shape);
    let mut body = None;
    for (factor, array) in terms {
        let Some(array) = *array else { continue };
        if is_real(g, *factor, 0.0) {
            continue;
        }
        let element = g.get(array, &at);
        for n in 0..system.noises.len() {
            let Some(term) = covariation(g, system, element, n, total) else { continue };
            let scaled = g.op(Op::Mul, &[*factor, term]);
            body = Some(body.map_or(scaled, |sum| g.op(Op::Add, &[sum, scaled])));
        }
    }
    body.map(|body| g.map(&bounds, body))
}

/// `sum_k (B_k . grad) e_k` for the coefficients `e_k` of the noise `n` in the scalar `element`; none where they do not
/// depend on a state with noise.
fn covariation(g: &mut Graph, system: &System, element: Id, n: usize, total: &[Id]) -> Option<Id> {
    let noise = &system.noises[n];
    let (bounds, k) = open(g, &noise.shape);
    if !g.depends_on(element, noise.var) {
        return None;
    }
    let coefficient = system.coefficient(g, element, n, &k);
    let derivative = along_column(g, system, coefficient, total, n, &k)?;
    Some(if bounds.is_empty() { derivative } else { g.reduce(Red::Sum, &bounds, derivative) })
}

/// `(B_k . grad) of` for a scalar `of` and the column of the noise `n` at `k`; none where that is plainly zero.
pub fn along_column(g: &mut Graph, system: &System, of: Id, total: &[Id], n: usize, k: &[Id]) -> Option<Id> {
    let mut sum = None;
    for (s, state) in system.states.iter().enumerate() {
        if !g.depends_on(of, state.var) || !g.depends_on(total[s], system.noises[n].var) {
            continue;
        }
        let (bounds, at) = open(g, &state.shape);
        let element = g.get(total[s], &at);
        let entry = system.coefficient(g, element, n, k);
        let tangent = g.map(&bounds, entry);
        let part = g.jvp(of, state.var, tangent);
        sum = Some(sum.map_or(part, |sum| g.op(Op::Add, &[sum, part])));
    }
    sum
}

/// `a - b`, worked out for constants so that conversions that change nothing leave no trace.
fn difference(g: &mut Graph, a: Id, b: Id) -> Id {
    if a == b {
        return g.real(0.0);
    }
    match (g.node(a), g.node(b)) {
        (Node::Real(x), Node::Real(y)) => {
            let value = f64::from_bits(*x) - f64::from_bits(*y);
            g.real(value)
        }
        (_, Node::Real(y)) if f64::from_bits(*y) == 0.0 => a,
        _ => g.op(Op::Sub, &[a, b]),
    }
}

fn is_real(g: &Graph, id: Id, value: f64) -> bool {
    matches!(g.node(id), Node::Real(bits) if f64::from_bits(*bits) == value)
}
