//! The kinetic Langevin form: `dq = m v dt`, `dv = (force(t, q) - gamma v) dt + sigma dW`.

use crate::calculus::clean;
use crate::calculus::system::{System, open};
use crate::math::{Graph, Id, IndexVar, Node, Op};

use super::noise::Noise;
use super::{Finding, has_state, is_zero, jumps_along, same, tidy};

/// A position with its velocity; all coefficients are scalars where they are the same for every component, else arrays
/// of the state's shape.
#[derive(Clone, Debug)]
pub struct Pair {
    /// which state is the position, and which the velocity
    pub q: usize,
    pub v: usize,
    /// `dq = scale v dt` (the inverse of a mass, where v is a momentum); none for one
    pub scale: Option<Id>,
    /// the part of the drift of `v` that does not depend on velocities, an array of its shape
    pub force: Id,
    pub gamma: Id,
    pub sigma: Id,
}

/// Every state is a position or a velocity of one pair.
#[derive(Clone, Debug)]
pub struct Kinetic {
    pub pairs: Vec<Pair>,
}

/// The form, or the term that the form does not have. `ito` is the clean Ito drift.
pub fn kinetic(g: &mut Graph, system: &System, ito: &[Id], noise: &Noise) -> Result<Kinetic, String> {
    if system.states.len() < 2 {
        return Err("it has one state, and the form has a position and a velocity".into());
    }
    let pairs = pair_up(g, system, ito, noise)?;
    let name = |s: usize| system.states[s].name.as_str();
    let coefficients = noise_coefficients(system, noise)?;
    let velocities: Vec<usize> = pairs.iter().map(|(_, v, _)| *v).collect();
    let mut found = Vec::new();
    for (q, v, scale) in pairs {
        let (force, gamma) = friction(g, system, ito[v], v, &velocities)?;
        let sigma = uniform(g, coefficients[v]);
        if g.depends_on(sigma, system.time) {
            return Err(format!("the noise of {} depends on the time", name(v)));
        }
        found.push(Pair { q, v, scale, force, gamma, sigma });
    }
    Ok(Kinetic { pairs: found })
}

/// Positions with their velocities, first those without a factor in `dq = v dt`.
fn pair_up(
    g: &mut Graph,
    system: &System,
    ito: &[Id],
    noise: &Noise,
) -> Result<Vec<(usize, usize, Option<Id>)>, String> {
    let count = system.states.len();
    let candidates: Vec<_> = (0..count).map(|q| velocity_of(g, system, ito, q)).collect();
    let mut pairs = Vec::new();
    let mut used = vec![false; count];
    for plain in [true, false] {
        for (q, candidate) in candidates.iter().enumerate() {
            let Some((v, scale)) = candidate else { continue };
            if *v != q && !used[q] && !used[*v] && !noise.noisy[q] && scale.is_none() == plain {
                (used[q], used[*v]) = (true, true);
                pairs.push((q, *v, *scale));
            }
        }
    }
    if pairs.is_empty() {
        return Err("no state is a position: none has the equation dq = v dt for another state v".into());
    }
    pairs.sort_by_key(|(q, _, _)| *q);
    match (0..count).find(|s| !used[*s]) {
        Some(other) => Err(format!("{} is neither a position nor a velocity", system.states[other].name)),
        None => Ok(pairs),
    }
}

fn noise_coefficients<'a>(system: &System, noise: &'a Noise) -> Result<&'a [Id], String> {
    match &noise.additive {
        Finding::Yes => {}
        Finding::No(reason) => return Err(format!("the noise is not additive: {reason}")),
        Finding::Open { reason, .. } => return Err(format!("the noise is not proved additive: {reason}")),
    }
    match &noise.coefficients {
        Some(coefficients) => Ok(coefficients),
        None => {
            let reason = noise.diagonal.reason().unwrap_or("its components share noises");
            let names: Vec<&str> = system.states.iter().map(|s| s.name.as_str()).collect();
            Err(format!("the noise of {} is not one for each component: {reason}", names.join(", ")))
        }
    }
}

/// The state `v` and the constant `c` with `dq = c v dt`, element by element.
fn velocity_of(g: &mut Graph, system: &System, ito: &[Id], q: usize) -> Option<(usize, Option<Id>)> {
    let on: Vec<usize> = (0..system.states.len()).filter(|s| g.depends_on(ito[q], system.states[*s].var)).collect();
    let [v] = on[..] else { return None };
    if system.states[v].shape != system.states[q].shape {
        return None;
    }
    let (bounds, at) = open(g, &system.states[q].shape);
    let element = g.get(ito[q], &at);
    let (rest, slope) = affine(g, system, element, v, &at)?;
    let constant = !g.depends_on(slope, system.time);
    if !is_zero(g, rest) || !constant {
        return None;
    }
    let one = g.real(1.0);
    Some((v, (slope != one).then(|| array_or_scalar(g, &bounds, slope))))
}

/// Force and friction in the drift of a velocity.
fn friction(g: &mut Graph, system: &System, drift: Id, v: usize, velocities: &[usize]) -> Result<(Id, Id), String> {
    let state = &system.states[v];
    let (bounds, at) = open(g, &state.shape);
    let element = g.get(drift, &at);
    let equation = system.differential(g, v, &at, &bounds);
    let split = affine(g, system, element, v, &at);
    let Some((force, slope)) = split else {
        return Err(format!("the drift of {equation} is not a force minus a constant times {}", &equation[1..]));
    };
    if let Some(other) = velocities.iter().find(|s| g.depends_on(force, system.states[**s].var)) {
        return Err(format!("the force in {equation} depends on the velocity {}", system.states[*other].name));
    }
    if g.depends_on(slope, system.time) {
        return Err(format!("the friction of {equation} depends on the time"));
    }
    let gamma = g.op(Op::Neg, &[slope]);
    let gamma = tidy(g, gamma);
    let force = g.map(&bounds, force);
    let force = tidy(g, force);
    Ok((force, array_or_scalar(g, &bounds, gamma)))
}

/// `element = rest + slope * v[at]`, where neither part depends on `v` and the slope depends on no state; clean.
fn affine(g: &mut Graph, system: &System, element: Id, v: usize, at: &[Id]) -> Option<(Id, Id)> {
    let var = system.states[v].var;
    let (bounds, _) = open(g, &system.states[v].shape);
    let (zero, one) = (g.real(0.0), g.real(1.0));
    let (zeros, ones) = (g.map(&bounds, zero), g.map(&bounds, one));
    let rest = g.substitute_vars(&[element], &[(var, zeros)])[0];
    let slope = if g.depends_on(element, var) { g.jvp(element, var, ones) } else { zero };
    let [rest, slope] = clean(g, &[rest, slope])[..] else { unreachable!("two nodes, two results") };
    if has_state(g, system, slope) || jumps_along(g, &[var], element) {
        return None;
    }
    // the slope along ones is a sum over components, so it is tried whether it belongs to this one
    let velocity = g.var(var);
    let own = g.get(velocity, at);
    let product = g.op(Op::Mul, &[slope, own]);
    let whole = g.op(Op::Add, &[rest, product]);
    same(g, element, whole, &[]).is_ok().then_some((rest, slope))
}

fn array_or_scalar(g: &mut Graph, bounds: &[IndexVar], value: Id) -> Id {
    if bounds.iter().any(|b| g.has_free(value, b.id)) { g.map(bounds, value) } else { value }
}

/// An array whose elements are all the same scalar, as that scalar.
fn uniform(g: &mut Graph, array: Id) -> Id {
    match g.node(array).clone() {
        Node::Map(bounds, body) if bounds.iter().all(|b| !g.has_free(body, b.id)) => body,
        Node::Lit(_, elements) if elements.iter().all(|e| *e == elements[0]) => elements[0],
        _ => array,
    }
}
