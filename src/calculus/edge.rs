//! Edges of the support of a law, and what passes through them.
//!
//! A density that is cut off at an edge is stationary only when nothing crosses the edge. As a distribution on the whole
//! space its Fokker-Planck residual has there, besides what is inside, a layer of the strength of the current
//! `n . (a rho - 1/2 div(S rho))` and a double layer of the strength `1/2 n . S n rho`: both must vanish. They are followed
//! along lines from points inside to points outside.

use crate::math::array::Array;
use crate::math::eval::{Env, Evaluator, Functions};
use crate::math::{Graph, Id, Ty, VarId, VarKind};

use super::clean;
use super::generator::wall;
use super::invariance::NoAnswer;
use super::structure::probe::{MOST_EVALUATIONS, evaluations};
use super::system::System;

/// Edges that are looked at.
const MOST: usize = 12;
/// Distances from the edge, as fractions of that of the point inside.
const NEAR: [f64; 3] = [1e-2, 1e-4, 1e-6];
/// What falls by less than this over a hundredth of the distance counts as staying: a power of the distance below 1/13.
const FALLS: f64 = 0.7;
/// A current is none when it is so small beside the terms that cancel in it. The normal of a curved edge is known to
/// about 1e-6.
const NO_CURRENT: f64 = 1e-4;
/// A shift of a line by which the normal is found, as a fraction of its length.
const SHIFT: f64 = 1e-6;

/// An edge through which probability leaks.
#[derive(Clone, Debug)]
pub struct Edge {
    pub at: Vec<(VarId, Array)>,
    /// noise carries it out where the density ends (else the drift does, or brings some in)
    pub by_noise: bool,
}

/// Points inside and outside of the support, as they were met.
#[derive(Debug, Default)]
pub struct Edges {
    inside: Vec<Env>,
    outside: Vec<Env>,
}

/// The states along the line from one point to another.
struct Line<'s> {
    states: &'s [VarId],
    from: Vec<f64>,
    to: Vec<f64>,
    env: &'s Env,
}

impl Line<'_> {
    fn at(&self, s: f64) -> Vec<f64> {
        self.from.iter().zip(&self.to).map(|(a, b)| a + s * (b - a)).collect()
    }

    fn arrays(&self, s: f64) -> Vec<(VarId, Array)> {
        let mut rest = self.at(s).into_iter();
        let shapes = self.states.iter().map(|v| (*v, self.env.get(*v).map_or(Vec::new(), |a| a.shape.clone())));
        shapes
            .map(|(var, shape)| {
                let size = shape.iter().product();
                (var, Array::new(shape, rest.by_ref().take(size).collect()))
            })
            .collect()
    }

    /// The last place inside the support, as a fraction of the line.
    fn edge(&self, mut inside: impl FnMut(f64, &Self) -> bool) -> Option<f64> {
        if !inside(0.0, self) || inside(1.0, self) {
            return None;
        }
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high {
                break;
            }
            if inside(middle, self) {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(low)
    }
}

impl Edges {
    /// Takes note of a point and the log density there.
    pub fn met(&mut self, env: &Env, log_density: f64) {
        let list = if log_density.is_finite() { &mut self.inside } else { &mut self.outside };
        if log_density != f64::INFINITY && list.len() < MOST {
            list.push(env.clone());
        }
    }

    /// An edge between the points through which probability leaks, if there is one.
    pub fn leak(&self, g: &mut Graph, system: &System, logp: Id) -> Result<Option<Edge>, NoAnswer> {
        if self.outside.is_empty() || self.inside.is_empty() {
            return Ok(None);
        }
        let states = system.state_vars();
        let normal: Vec<VarId> =
            system.states.iter().map(|s| g.new_var("n", VarKind::Hole, Ty::Real, s.shape.clone())).collect();
        let parts: Vec<Id> = normal.iter().map(|v| g.var(*v)).collect();
        let wall = wall(g, system, logp, &parts);
        let roots = clean(g, &[logp, wall.current, wall.size, wall.across]);
        // each edge is found by bisection, and its normal by as many as there are components
        let work = evaluations(g, &roots[..1]) * (MOST * (system.dim() + 1) * 60) as f64;
        if work + evaluations(g, &roots) * (MOST * 4) as f64 > MOST_EVALUATIONS {
            return Err(NoAnswer::TooLong);
        }
        for (k, outside) in self.outside.iter().enumerate() {
            let inside = &self.inside[k % self.inside.len()];
            let numbers = |env: &Env| -> Vec<f64> {
                states.iter().filter_map(|v| env.get(*v)).flat_map(|a| a.values.iter().copied()).collect()
            };
            let line = Line { states: &states, from: numbers(inside), to: numbers(outside), env: inside };
            if line.from.len() != system.dim() || line.to.len() != system.dim() {
                continue;
            }
            if let Some(edge) = look(g, system, &roots, &normal, &line) {
                return Ok(Some(edge));
            }
        }
        Ok(None)
    }
}

/// Follows a line to the edge of the support; an edge that leaks.
fn look(g: &Graph, system: &System, roots: &[Id], normal: &[VarId], line: &Line<'_>) -> Option<Edge> {
    let mut ev = Evaluator::new(Functions::default());
    for var in g.var_ids() {
        if let Some(value) = line.env.get(var) {
            ev.set(g, var, value.clone());
        }
    }
    let mut inside = |s: f64, line: &Line<'_>| {
        for (var, value) in line.arrays(s) {
            ev.set(g, var, value);
        }
        ev.scalar(g, roots[0]).is_ok_and(|l| l > f64::NEG_INFINITY)
    };
    let edge = line.edge(&mut inside)?;
    if edge == 0.0 {
        return None;
    }
    // the place of the edge along the line, as the line is moved: its slope is the normal
    let mut slope = Vec::new();
    for k in 0..system.dim() {
        let by = SHIFT * (line.to[k] - line.from[k]).abs().max(1e-3);
        let moved = |v: &[f64]| {
            let mut v = v.to_vec();
            v[k] += by;
            v
        };
        let moved = Line { from: moved(&line.from), to: moved(&line.to), ..*line };
        slope.push((moved.edge(&mut inside)? - edge) / by);
    }
    let length = slope.iter().map(|s| s * s).sum::<f64>().sqrt();
    if !(length > 0.0 && length.is_finite()) {
        return None;
    }
    let mut rest = slope.iter().map(|s| s / length);
    for (state, var) in system.states.iter().zip(normal) {
        let size = state.shape.iter().product();
        ev.set(g, *var, Array::new(state.shape.clone(), rest.by_ref().take(size).collect()));
    }
    let mut at = |s: f64| -> Option<[f64; 4]> {
        for (var, value) in line.arrays(s) {
            ev.set(g, var, value);
        }
        let mut values = [0.0; 4];
        for (value, root) in values.iter_mut().zip(roots) {
            *value = ev.scalar(g, *root).ok()?;
        }
        Some(values)
    };
    let [log_inside, _, _, across_inside] = at(0.0)?;
    let mut noise = Vec::new();
    let mut current = Vec::new();
    let mut none = true;
    for near in NEAR {
        let [log_density, flow, size, across] = at(edge * (1.0 - near))?;
        let density = (log_density - log_inside).exp();
        noise.push(density * across);
        current.push((density * flow).abs());
        none &= flow.abs() <= NO_CURRENT * size || density * size == 0.0;
    }
    let stays = |v: &[f64], scale: f64| !(v[2] < FALLS * v[1] || v[2] <= 1e-9 * scale);
    let by_noise = stays(&noise, across_inside.max(noise[0]));
    if by_noise || (!none && stays(&current, current[0])) {
        return Some(Edge { at: line.arrays(edge), by_noise });
    }
    None
}
