//! Whether a law is stationary under a process: the Fokker-Planck residual, tried at random points.

use crate::math::array::Array;
use crate::math::eval::{Env, EvalError, eval_all};
use crate::math::{Graph, Id, VarId};

use super::clean;
use super::edge::{Edge, Edges};
use super::generator::residual;
use super::points::Points;
use super::structure::diagonal_coefficients;
use super::structure::probe::{MOST_EVALUATIONS, evaluations};
use super::system::System;

/// Points at which the residual is wanted.
const WANTED: usize = 32;
/// Points that are tried for each that is wanted; the rest have no finite density.
const TRIES: usize = 25;

/// The largest residual, relative to the sizes of the terms that cancel in it, that counts as zero.
///
/// Every term is worked out in double precision by some hundreds of operations, each with a relative error of
/// `2^-53 = 1.1e-16`; sums over `d` components add their terms' errors, which the size in the denominator grows with as
/// well. What is left is cancellation inside a single term (a drift written as a difference of large numbers): the bound
/// leaves room for five lost digits beyond the thousand operations. A drift that is wrong by a term of the size of the
/// others gives residuals of order 0.1 to 1, and an error below the bound is one of the ninth digit of a coefficient.
pub const BOUND: f64 = 1e-8;

/// What a trial found.
#[derive(Clone, Debug)]
pub struct Invariance {
    /// the largest relative residual
    pub residual: f64,
    /// the residual itself there, divided by the density
    pub value: f64,
    /// where that was: the states, and the time when the residual depends on it
    pub at: Vec<(VarId, Array)>,
    /// number of points tried
    pub points: usize,
    /// an edge of the support that the law does not keep to
    pub edge: Option<Edge>,
}

/// Why a trial says nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum NoAnswer {
    /// no point was found where density and residual are finite
    NoPoint,
    /// a point would take more than [`MOST_EVALUATIONS`](super::structure::probe::MOST_EVALUATIONS)
    TooLong,
    Eval(EvalError),
}

impl Invariance {
    pub fn holds(&self) -> bool {
        self.residual <= BOUND && self.edge.is_none()
    }
}

/// Tries whether `exp(logp)`, a function of the system's states, is stationary. `inputs` has the values of parameters
/// and, where known, typical values of states.
pub fn invariant(g: &mut Graph, system: &System, logp: Id, inputs: &Env, seed: u64) -> Result<Invariance, NoAnswer> {
    let diagonal = diagonal_coefficients(g, system, inputs);
    let parts = residual(g, system, logp, diagonal.as_deref());
    let roots = clean(g, &[logp, parts.value, parts.size]);
    let points_allowed = MOST_EVALUATIONS / evaluations(g, &roots);
    if points_allowed < 1.0 {
        return Err(NoAnswer::TooLong);
    }
    let mut vars: Vec<VarId> = roots.iter().flat_map(|r| g.vars_of(*r).to_vec()).collect();
    vars.extend(system.state_vars());
    vars.sort_unstable();
    vars.dedup();
    let shown: Vec<VarId> =
        vars.iter().copied().filter(|v| system.state_vars().contains(v) || *v == system.time).collect();
    let mut points = Points::new(g, &vars, inputs, seed);
    let mut worst: Option<Invariance> = None;
    let mut count = 0;
    let mut edges = Edges::default();
    for _ in 0..(points_allowed as usize).min(WANTED * TRIES) {
        let env = points.draw(g);
        let values = eval_all(g, &roots, &env).map_err(NoAnswer::Eval)?;
        let [density, value, size] = [0, 1, 2].map(|k| values[k].values[0]);
        edges.met(&env, density);
        if !(density.is_finite() && value.is_finite() && size.is_finite()) {
            continue;
        }
        count += 1;
        // with nothing to cancel (no drift and no noise there) the law stays
        let residual = if size == 0.0 { 0.0 } else { value.abs() / size };
        if worst.as_ref().is_none_or(|w| residual > w.residual) {
            let at = shown.iter().filter_map(|v| Some((*v, env.get(*v)?.clone()))).collect();
            worst = Some(Invariance { residual, value, at, points: 0, edge: None });
        }
        if count == WANTED {
            break;
        }
    }
    let worst = worst.ok_or(NoAnswer::NoPoint)?;
    // inside the support all may be well while probability leaks through its edge
    let edge = if worst.residual <= BOUND { edges.leak(g, system, logp)? } else { None };
    Ok(Invariance { points: count, edge, ..worst })
}
