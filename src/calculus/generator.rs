//! The generator of a process, its adjoint (the Fokker-Planck operator), and the residual of a candidate stationary law.
//!
//! With the Stratonovich drift `s` and the columns `B_k` of the noise matrix as vector fields,
//!
//! ```text
//! L f    = s . grad f + 1/2 sum_k B_k . grad (B_k . grad f)
//! L* rho = -div(s rho) + 1/2 sum_k div(B_k div(B_k rho))
//! ```
//!
//! which equal `a . grad f + 1/2 (B B^T) : hess f` and its adjoint with the Ito drift `a` (Risken, The Fokker-Planck
//! Equation, section 3.4; Pavliotis, Stochastic Processes and Applications, section 3.5).

use crate::math::{Graph, Id, IndexVar, Op, Red, Shape, Ty, VarKind};

use super::convention::{along_column, ito_drift, stratonovich_drift};
use super::system::{System, open};

/// `L f` for a scalar `f` of the states (and the time, whose derivative is not part of `L`), by the Ito form.
pub fn generator(g: &mut Graph, system: &System, f: Id) -> Id {
    let drift = ito_drift(g, system);
    let mut sum = g.real(0.0);
    for (state, drift) in system.states.iter().zip(&drift) {
        if g.depends_on(f, state.var) {
            let part = g.jvp(f, state.var, *drift);
            sum = g.op(Op::Add, &[sum, part]);
        }
    }
    let second = second_order(g, system, f);
    g.op(Op::Add, &[sum, second])
}

/// `1/2 sum_k B_k^T (hess f) B_k`. The columns are held fixed under the second derivative: they enter after it was taken.
fn second_order(g: &mut Graph, system: &System, f: Id) -> Id {
    let total = system.total_diffusion(g);
    let shapes: Vec<Shape> = system.states.iter().map(|s| s.shape.clone()).collect();
    let holes: Vec<_> = shapes.iter().map(|s| g.new_var("u", VarKind::Hole, Ty::Real, s.clone())).collect();
    let along = |g: &mut Graph, of: Id| {
        let mut sum = g.real(0.0);
        for (state, hole) in system.states.iter().zip(&holes) {
            if g.depends_on(of, state.var) {
                let tangent = g.var(*hole);
                let part = g.jvp(of, state.var, tangent);
                sum = g.op(Op::Add, &[sum, part]);
            }
        }
        sum
    };
    let once = along(g, f);
    let twice = along(g, once);
    let mut sum = g.real(0.0);
    for n in 0..system.noises.len() {
        let shape = system.noises[n].shape.clone();
        let (bounds, k) = open(g, &shape);
        let column = system.column(g, &total, n, &k);
        let pairs: Vec<_> = holes.iter().copied().zip(column).collect();
        let body = g.substitute_vars(&[twice], &pairs)[0];
        let part = sum_over(g, &bounds, body);
        sum = g.op(Op::Add, &[sum, part]);
    }
    let half = g.real(0.5);
    g.op(Op::Mul, &[half, sum])
}

/// The right side of the Fokker-Planck equation for a density `rho` of the states, a scalar.
pub fn fokker_planck(g: &mut Graph, system: &System, rho: Id) -> Id {
    let drift = stratonovich_drift(g, system);
    let total = system.total_diffusion(g);
    let carried = scaled(g, &drift, rho);
    let carried = divergence(g, system, &carried);
    let mut sum = g.op(Op::Neg, &[carried]);
    for n in 0..system.noises.len() {
        let shape = system.noises[n].shape.clone();
        let (bounds, k) = open(g, &shape);
        let column = system.column(g, &total, n, &k);
        let inner = scaled(g, &column, rho);
        let inner = divergence(g, system, &inner);
        let outer = scaled(g, &column, inner);
        let outer = divergence(g, system, &outer);
        let spread = sum_over(g, &bounds, outer);
        let half = g.real(0.5);
        let part = g.op(Op::Mul, &[half, spread]);
        sum = g.op(Op::Add, &[sum, part]);
    }
    sum
}

/// The Fokker-Planck residual of a law, divided by its density.
#[derive(Copy, Clone, Debug)]
pub struct Residual {
    /// zero everywhere exactly where the law is stationary (for smooth densities without flux through a boundary)
    pub value: Id,
    /// the sum of the sizes of the terms that cancel in `value`
    pub size: Id,
}

/// The residual of the density `exp(logp)`. Dividing `L* rho` by `rho = exp(l)` gives, with
/// `g_k = div B_k + B_k . grad l`,
///
/// ```text
/// -div s - s . grad l + 1/2 sum_k (g_k^2 + B_k . grad g_k)
/// ```
///
/// as `div(v rho)/rho = div v + v . grad l` for any field `v`, applied twice for the noise. In the Ito form this is
/// `-div a - a . grad l + 1/2 sum_ij (d_ij S_ij + 2 d_i S_ij d_j l + S_ij (d_ij l + d_i l d_j l))` with `S = B B^T`.
///
/// `diagonal` has the coefficients of diagonal noise where it is that (`structure::Noise::coefficients`): the columns
/// then have one component each, and nothing grows with the square of the dimension.
pub fn residual(g: &mut Graph, system: &System, logp: Id, diagonal: Option<&[Id]>) -> Residual {
    let drift = stratonovich_drift(g, system);
    let (carried, mut size) = flow_of(g, system, &drift, logp);
    let mut value = g.op(Op::Neg, &[carried]);
    let spread = match diagonal {
        Some(coefficients) => diagonal_spread(g, system, coefficients, logp),
        None => spread(g, system, logp),
    };
    for part in spread {
        value = g.op(Op::Add, &[value, part.value]);
        size = g.op(Op::Add, &[size, part.size]);
    }
    Residual { value, size }
}

/// What passes through a wall with the normal `n`, divided by the density.
#[derive(Copy, Clone, Debug)]
pub struct Wall {
    /// the probability current through it
    pub current: Id,
    /// the sum of the sizes of the terms that cancel in `current`
    pub size: Id,
    /// `n . S n`, how far noise moves across it
    pub across: Id,
}

/// The current of the density `exp(logp)` through a wall, by the Stratonovich form: `n . s - 1/2 sum_k (n . B_k) g_k`
/// with the `g_k` of [`residual`]. `normal` has a part for each state.
pub fn wall(g: &mut Graph, system: &System, logp: Id, normal: &[Id]) -> Wall {
    let drift = stratonovich_drift(g, system);
    let mut current = along(g, system, &drift, normal);
    let mut size = g.op(Op::Abs, &[current]);
    let mut across = g.real(0.0);
    let total = system.total_diffusion(g);
    let half = g.real(0.5);
    for n in 0..system.noises.len() {
        let shape = system.noises[n].shape.clone();
        let (bounds, k) = open(g, &shape);
        let column = system.column(g, &total, n, &k);
        let through = along(g, system, &column, normal);
        let (flow, flow_size) = flow_of(g, system, &column, logp);
        let lost = g.op(Op::Mul, &[through, flow]);
        let through_size = g.op(Op::Abs, &[through]);
        let lost_size = g.op(Op::Mul, &[through_size, flow_size]);
        let square = g.op(Op::Mul, &[through, through]);
        let [lost, lost_size, square] = [lost, lost_size, square].map(|body| sum_over(g, &bounds, body));
        let [lost, lost_size] = [lost, lost_size].map(|term| g.op(Op::Mul, &[half, term]));
        current = g.op(Op::Sub, &[current, lost]);
        size = g.op(Op::Add, &[size, lost_size]);
        across = g.op(Op::Add, &[across, square]);
    }
    Wall { current, size, across }
}

/// The inner product of two fields.
fn along(g: &mut Graph, system: &System, field: &[Id], other: &[Id]) -> Id {
    let mut sum = g.real(0.0);
    for ((state, a), b) in system.states.iter().zip(field).zip(other) {
        let (bounds, at) = open(g, &state.shape);
        let (a, b) = (g.get(*a, &at), g.get(*b, &at));
        let product = g.op(Op::Mul, &[a, b]);
        let part = sum_over(g, &bounds, product);
        sum = g.op(Op::Add, &[sum, part]);
    }
    sum
}

/// What each noise contributes, summed over its components.
fn spread(g: &mut Graph, system: &System, logp: Id) -> Vec<Residual> {
    let total = system.total_diffusion(g);
    let mut parts = Vec::new();
    for n in 0..system.noises.len() {
        let shape = system.noises[n].shape.clone();
        let (bounds, k) = open(g, &shape);
        let column = system.column(g, &total, n, &k);
        let (flow, flow_size) = flow_of(g, system, &column, logp);
        let change = along_column(g, system, flow, &total, n, &k).unwrap_or_else(|| g.real(0.0));
        parts.push(half_of_squares(g, &bounds, (flow, flow_size), change));
    }
    parts
}

/// The same by the components of the states, where each has a noise of its own.
fn diagonal_spread(g: &mut Graph, system: &System, coefficients: &[Id], logp: Id) -> Vec<Residual> {
    let mut parts = Vec::new();
    for (state, coefficient) in system.states.iter().zip(coefficients) {
        let (bounds, at) = open(g, &state.shape);
        let b = g.get(*coefficient, &at);
        let (slope, pull) = (g.partial(b, state.var, &at), g.partial(logp, state.var, &at));
        let pull = g.op(Op::Mul, &[b, pull]);
        let flow = g.op(Op::Add, &[slope, pull]);
        let (slope, pull) = (g.op(Op::Abs, &[slope]), g.op(Op::Abs, &[pull]));
        let flow_size = g.op(Op::Add, &[slope, pull]);
        let change = g.partial(flow, state.var, &at);
        let change = g.op(Op::Mul, &[b, change]);
        parts.push(half_of_squares(g, &bounds, (flow, flow_size), change));
    }
    parts
}

/// `1/2 sum (flow^2 + change)`, with its size.
fn half_of_squares(g: &mut Graph, bounds: &[IndexVar], flow: (Id, Id), change: Id) -> Residual {
    let half = g.real(0.5);
    let change_size = g.op(Op::Abs, &[change]);
    let [value, size] = [(flow.0, change), (flow.1, change_size)].map(|(flow, change)| {
        let square = g.op(Op::Mul, &[flow, flow]);
        let sum = g.op(Op::Add, &[square, change]);
        let sum = sum_over(g, bounds, sum);
        g.op(Op::Mul, &[half, sum])
    });
    Residual { value, size }
}

/// `div v + v . grad l`, and the same with the absolute value of every product.
fn flow_of(g: &mut Graph, system: &System, field: &[Id], logp: Id) -> (Id, Id) {
    let (mut value, mut size) = (g.real(0.0), g.real(0.0));
    for (state, part) in system.states.iter().zip(field) {
        let (bounds, at) = open(g, &state.shape);
        let element = g.get(*part, &at);
        let slope = g.partial(element, state.var, &at);
        let pull = g.partial(logp, state.var, &at);
        let pull = g.op(Op::Mul, &[element, pull]);
        let sum = g.op(Op::Add, &[slope, pull]);
        let sum = sum_over(g, &bounds, sum);
        value = g.op(Op::Add, &[value, sum]);
        let (slope, pull) = (g.op(Op::Abs, &[slope]), g.op(Op::Abs, &[pull]));
        let sizes = g.op(Op::Add, &[slope, pull]);
        let sizes = sum_over(g, &bounds, sizes);
        size = g.op(Op::Add, &[size, sizes]);
    }
    (value, size)
}

/// `sum_i d v_i / d x_i` over all states.
pub fn divergence(g: &mut Graph, system: &System, field: &[Id]) -> Id {
    let mut sum = g.real(0.0);
    for (state, part) in system.states.iter().zip(field) {
        let (bounds, at) = open(g, &state.shape);
        let element = g.get(*part, &at);
        let slope = g.partial(element, state.var, &at);
        let slope = sum_over(g, &bounds, slope);
        sum = g.op(Op::Add, &[sum, slope]);
    }
    sum
}

/// A field times a scalar.
fn scaled(g: &mut Graph, field: &[Id], factor: Id) -> Vec<Id> {
    let mut parts = Vec::new();
    for part in field {
        let shape = g.shape(*part).to_vec();
        let (bounds, at) = open(g, &shape);
        let element = g.get(*part, &at);
        let product = g.op(Op::Mul, &[element, factor]);
        parts.push(g.map(&bounds, product));
    }
    parts
}

/// The sum of a body over bounds; the body itself where there are none.
pub fn sum_over(g: &mut Graph, bounds: &[IndexVar], body: Id) -> Id {
    if bounds.is_empty() { body } else { g.reduce(Red::Sum, bounds, body) }
}
