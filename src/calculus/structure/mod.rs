//! What kind of system this is: the class of its noise, a linear or a gradient drift, the kinetic Langevin form. Found
//! by differentiation on the clean graph; what the simplifier cannot decide is tried at random points.

pub mod drift;
mod entries;
mod kinetic;
pub mod linear;
mod noise;
pub mod probe;

use crate::calculus::clean;
use crate::math::eval::Env;
use crate::math::{Graph, Id, IndexVar, Node, Op, Red, Ty, VarId, VarKind};

use super::convention::ito_drift;
use super::reader::Reader;
use super::system::{System, open};
use super::{formula::Formula, polynomial, pretty, reader};

pub use kinetic::{Kinetic, Pair};
pub use noise::{Noise, NoiseClass, diagonal_coefficients};

/// An answer about a system.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    Yes,
    /// not so, with the term in the way
    No(String),
    /// not proved; `seems` is what random points say, where they say something
    Open {
        seems: Option<bool>,
        reason: String,
    },
}

impl Finding {
    pub fn proved(&self) -> bool {
        *self == Finding::Yes
    }

    /// Why not, where the answer is not yes.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Finding::Yes => None,
            Finding::No(reason) | Finding::Open { reason, .. } => Some(reason),
        }
    }
}

/// The structure of a system, as far as methods ask for it; see [`drift`] for more.
#[derive(Clone, Debug)]
pub struct Structure {
    pub noise: Noise,
    /// the kinetic Langevin form, or why the system does not have it
    pub kinetic: Result<Kinetic, String>,
    /// the Ito drift, clean
    pub ito: Vec<Id>,
}

/// Finds the structure. `inputs` has the values of parameters, and typical values of states where known; it matters only
/// where the simplifier cannot decide.
pub fn structure(g: &mut Graph, system: &System, inputs: &Env) -> Structure {
    let raw = ito_drift(g, system);
    let ito = clean(g, &raw);
    let noise = noise::noise(g, system, inputs);
    let kinetic = kinetic::kinetic(g, system, &ito, &noise);
    Structure { noise, kinetic, ito }
}

// Helpers of the parts.

/// A clean node.
fn tidy(g: &mut Graph, id: Id) -> Id {
    clean(g, &[id])[0]
}

/// Whether a clean scalar is zero, as it stands or multiplied out.
pub(super) fn is_zero(g: &Graph, id: Id) -> bool {
    match g.node(id) {
        Node::Real(bits) => f64::from_bits(*bits) == 0.0,
        Node::Int(n) => *n == 0,
        _ => polynomial::is_zero(g, id),
    }
}

/// [`is_zero`] for other layers.
pub fn is_nothing(g: &Graph, clean: Id) -> bool {
    is_zero(g, clean)
}

/// Abstract arrays of the shapes of the states: directions to differentiate along.
fn directions(g: &mut Graph, system: &System) -> Vec<VarId> {
    system.states.iter().map(|s| g.new_var("u", VarKind::Hole, Ty::Real, s.shape.clone())).collect()
}

/// The derivative of a scalar along tangents of all the states.
fn along(g: &mut Graph, system: &System, of: Id, tangents: &[Id]) -> Id {
    let mut sum = None;
    for (state, tangent) in system.states.iter().zip(tangents) {
        if g.depends_on(of, state.var) {
            let part = g.jvp(of, state.var, *tangent);
            sum = Some(sum.map_or(part, |sum| g.op(Op::Add, &[sum, part])));
        }
    }
    sum.unwrap_or_else(|| g.real(0.0))
}

fn vars(g: &mut Graph, ids: &[VarId]) -> Vec<Id> {
    ids.iter().map(|v| g.var(*v)).collect()
}

/// The nodes with other values of the states: `y` in the place of `x`.
fn elsewhere(g: &mut Graph, system: &System, roots: &[Id], y: &[Id]) -> Vec<Id> {
    let pairs: Vec<(VarId, Id)> = system.state_vars().into_iter().zip(y.iter().copied()).collect();
    g.substitute_vars(roots, &pairs)
}

/// Whether two scalars are the same function, with the difference and the size of what cancels in it where that is not
/// proved. Open indices are summed over, so that both have values.
fn same(g: &mut Graph, a: Id, b: Id, bounds: &[IndexVar]) -> Result<(), (Id, Id)> {
    let difference = g.op(Op::Sub, &[a, b]);
    let difference = tidy(g, difference);
    if is_zero(g, difference) {
        return Ok(());
    }
    let sizes = [a, b].map(|s| probe::magnitude(g, s));
    let size = g.op(Op::Add, &sizes);
    Err((sum_of_sizes(g, bounds, difference), sum_of_sizes(g, bounds, size)))
}

/// The sum of the absolute values of a scalar over its open indices.
fn sum_of_sizes(g: &mut Graph, bounds: &[IndexVar], value: Id) -> Id {
    let size = g.op(Op::Abs, &[value]);
    let bounds: Vec<_> = bounds.iter().copied().filter(|b| g.has_free(size, b.id)).collect();
    if bounds.is_empty() { size } else { g.reduce(Red::Sum, &bounds, size) }
}

fn has_state(g: &Graph, system: &System, id: Id) -> bool {
    system.states.iter().any(|s| g.depends_on(id, s.var))
}

/// Whether something jumps as the states move. Its derivative does not show that: it is zero where a step function stands
/// still, which is no constant for that.
fn jumps(g: &Graph, system: &System, id: Id) -> bool {
    jumps_along(g, &system.states.iter().map(|s| s.var).collect::<Vec<_>>(), id)
}

/// The same for some of the states.
fn jumps_along(g: &Graph, vars: &[VarId], id: Id) -> bool {
    let moves = |id: Id| vars.iter().any(|v| g.depends_on(id, *v));
    let mut seen = rustc_hash::FxHashSet::default();
    let mut stack = vec![id];
    while let Some(id) = stack.pop() {
        if !moves(id) || !seen.insert(id) {
            continue;
        }
        let through = match g.node(id) {
            Node::Op(Op::Select, args) => &args[..1],
            Node::Op(
                Op::Sign
                | Op::Floor
                | Op::Ceil
                | Op::IntDiv
                | Op::Mod
                | Op::StopGrad
                | Op::Lt
                | Op::Le
                | Op::Eq
                | Op::Ne
                | Op::And
                | Op::Or
                | Op::Not,
                args,
            ) => &args[..],
            _ => &[],
        };
        if through.iter().any(|a| moves(*a)) {
            return true;
        }
        stack.extend(g.parts(id));
    }
    false
}

/// The terms of a sum, without their signs.
fn terms(g: &Graph, id: Id) -> Vec<Id> {
    match g.node(id) {
        Node::Op(Op::Add | Op::Sub | Op::Neg, args) => args.iter().flat_map(|a| terms(g, *a)).collect(),
        _ => vec![id],
    }
}

impl System {
    /// A reader of formulas that shows states and noises by their names in the model.
    pub fn reader<'a>(&self, g: &'a Graph, roots: &[Id]) -> Reader<'a> {
        let mut reader = Reader::new(g, roots);
        for state in &self.states {
            reader.rename(state.var, Formula::name(&state.name));
        }
        for noise in &self.noises {
            reader.rename(noise.var, Formula::Differential(noise.name.clone()));
        }
        reader
    }

    /// Nodes as text for a sentence, with the same names for the open indices in all of them. Long ones lose their ends.
    fn show(&self, g: &Graph, ids: &[Id], bounds: &[IndexVar]) -> Vec<String> {
        let mut reader = self.reader(g, ids);
        bounds.iter().for_each(|b| {
            reader.open(*b);
        });
        ids.iter().map(|id| shortened(pretty::formula(&reader.read(*id)))).collect()
    }

    /// The differential of the element `at` of a state, as in `dx[i]`.
    fn differential(&self, g: &Graph, state: usize, at: &[Id], bounds: &[IndexVar]) -> String {
        let mut reader = self.reader(g, at);
        bounds.iter().for_each(|b| {
            reader.open(*b);
        });
        let at = at.iter().map(|i| reader.read(*i)).collect();
        pretty::formula(&reader::element(Formula::Differential(self.states[state].name.clone()), at))
    }
}

fn shortened(text: String) -> String {
    const LONG: usize = 80;
    if text.chars().count() <= LONG { text } else { text.chars().take(LONG - 4).chain(" ...".chars()).collect() }
}

/// The element of each state at fresh indices, for what is looked at component by component.
fn elements(g: &mut Graph, system: &System, arrays: &[Id]) -> Vec<(Vec<IndexVar>, Vec<Id>, Id)> {
    let mut found = Vec::new();
    for (state, array) in system.states.iter().zip(arrays) {
        let (bounds, at) = open(g, &state.shape);
        let element = g.get(*array, &at);
        found.push((bounds, at, element));
    }
    found
}
