//! The entries of the noise matrix that are not zero, clean. Small systems are written out; in large ones an entry
//! stands for a block, with open indices.

use rustc_hash::FxHashSet as HashSet;

use crate::calculus::clean;
use crate::calculus::system::{System, UNROLLED, open, places, size};
use crate::math::{Graph, Id, IndexVar, Node, VarId};

use super::{is_zero, tidy};

/// The coefficient of the noise `noise[k]` in the equation of `state[at]`.
#[derive(Clone, Debug)]
pub struct Entry {
    pub state: usize,
    pub at: Vec<Id>,
    pub noise: usize,
    pub k: Vec<Id>,
    /// the open indices in `at` and `k`
    pub bounds: Vec<IndexVar>,
    pub value: Id,
}

impl Entry {
    /// Whether the entry is a diagonal of a block: each component of the state meets the component of the noise in its own
    /// place, and the value is that coefficient.
    pub fn aligned(&self) -> bool {
        self.at == self.k
    }

    /// Whether the entry is a block with components of the noise that are independent of those of the state.
    pub fn is_block(&self) -> bool {
        !self.bounds.is_empty() && !self.aligned()
    }
}

pub struct Entries {
    pub list: Vec<Entry>,
    /// every entry stands for itself
    pub unrolled: bool,
}

pub fn entries(g: &mut Graph, system: &System) -> Entries {
    let raw = system.total_diffusion(g);
    let total = clean(g, &raw);
    let unrolled = system.dim() <= UNROLLED && system.noise_dim() <= UNROLLED;
    let mut list = Vec::new();
    for (state, moved) in total.into_iter().enumerate() {
        for noise in 0..system.noises.len() {
            if !g.depends_on(moved, system.noises[noise].var) {
                continue;
            }
            if unrolled {
                written_out(g, system, moved, state, noise, &mut list);
            } else {
                list.push(block(g, system, moved, state, noise));
            }
        }
    }
    let raw: Vec<Id> = list.iter().map(|e| e.value).collect();
    for (entry, value) in list.iter_mut().zip(clean(g, &raw)) {
        entry.value = value;
    }
    list.retain(|e| !is_zero(g, e.value));
    Entries { list, unrolled }
}

fn written_out(g: &mut Graph, system: &System, total: Id, state: usize, noise: usize, list: &mut Vec<Entry>) {
    let columns = places(g, &system.noises[noise].shape);
    for at in places(g, &system.states[state].shape) {
        let element = g.get(total, &at);
        for k in &columns {
            let value = system.coefficient(g, element, noise, k);
            list.push(Entry { state, at: at.clone(), noise, k: k.clone(), bounds: vec![], value });
        }
    }
}

fn block(g: &mut Graph, system: &System, total: Id, state: usize, noise: usize) -> Entry {
    let (mut bounds, at) = open(g, &system.states[state].shape);
    let element = g.get(total, &at);
    let element = tidy(g, element);
    let var = system.noises[noise].var;
    if !at.is_empty() && read_only_at(g, element, var, &at) {
        // linear in the noise, so the coefficient is the value where this noise is one and the others are zero
        let value = with_unit_noise(g, system, element, noise);
        return Entry { state, at: at.clone(), noise, k: at, bounds, value };
    }
    let shape = &system.noises[noise].shape;
    let (columns, k) = if size(shape) == 1 { (vec![], places(g, shape).remove(0)) } else { open(g, shape) };
    bounds.extend(columns);
    let value = system.coefficient(g, element, noise, &k);
    Entry { state, at, noise, k, bounds, value }
}

fn with_unit_noise(g: &mut Graph, system: &System, element: Id, noise: usize) -> Id {
    let mut pairs = Vec::new();
    for (n, input) in system.noises.iter().enumerate() {
        let value = g.real(if n == noise { 1.0 } else { 0.0 });
        let (bounds, _) = open(g, &input.shape);
        pairs.push((input.var, g.map(&bounds, value)));
    }
    g.substitute_vars(&[element], &pairs)[0]
}

/// Whether a node reads a variable in no other way than by its element `at` (by itself, if it is a scalar).
pub fn read_only_at(g: &Graph, id: Id, var: VarId, at: &[Id]) -> bool {
    let mut seen = HashSet::default();
    let mut stack = vec![id];
    while let Some(id) = stack.pop() {
        if !g.depends_on(id, var) || !seen.insert(id) {
            continue;
        }
        match g.node(id) {
            Node::Var(_) if !at.is_empty() => return false,
            Node::Get(array, places) if places == at && *g.node(*array) == Node::Var(var) => {}
            _ => stack.extend(g.parts(id)),
        }
    }
    true
}
