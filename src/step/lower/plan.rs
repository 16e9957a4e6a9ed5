//! Decisions made before lowering: which index spaces are written out and which become loops.

use std::collections::{HashMap, HashSet};

use crate::math::{Graph, Id, IndexVar, Node, Op, Rate};

/// Index spaces up to this extent may be written out.
const LARGEST_UNROLLED: usize = 16;
/// Straight-line code is wanted up to this many operations.
const LARGEST_CODE: usize = 500;

#[derive(Clone, Debug)]
pub struct Plan {
    /// indices with at most this extent are written out
    pub limit: usize,
    /// nodes whose code contains calls of elementary functions
    pub calls: HashSet<Id>,
}

impl Plan {
    pub fn unrolls(&self, bound: &IndexVar) -> bool {
        bound.extent <= self.limit
    }
}

pub fn plan(g: &Graph, roots: &[Id]) -> Plan {
    let order = g.reachable(roots);
    let free = free_indices(g, &order);
    let mut extents: Vec<usize> = order.iter().flat_map(|id| bounds(g, *id)).map(|b| b.extent).collect();
    extents.extend(roots.iter().flat_map(|r| g.shape(*r).to_vec()));
    extents.retain(|e| *e <= LARGEST_UNROLLED);
    extents.push(1);
    extents.sort_unstable();
    extents.dedup();
    let limit = extents.into_iter().rev().find(|limit| size(g, &order, &free, *limit) <= LARGEST_CODE);
    Plan { limit: limit.unwrap_or(1), calls: calls(g, &order) }
}

fn bounds(g: &Graph, id: Id) -> Vec<IndexVar> {
    match g.node(id) {
        Node::Map(bounds, _) | Node::Reduce(_, bounds, _) | Node::Scatter { bounds, .. } => bounds.clone(),
        _ => Vec::new(),
    }
}

/// The free indices of each node, with their extents.
fn free_indices(g: &Graph, order: &[Id]) -> HashMap<Id, Vec<IndexVar>> {
    let mut free: HashMap<Id, Vec<IndexVar>> = HashMap::new();
    for id in order {
        let mut all = match g.node(*id) {
            Node::Index(i) => vec![*i],
            _ => g.parts(*id).iter().flat_map(|p| free[p].clone()).collect(),
        };
        all.retain(|i| g.has_free(*id, i.id));
        all.sort_unstable();
        all.dedup();
        free.insert(*id, all);
    }
    free
}

/// How many operations the code has if indices up to `limit` are written out: each node once for every value of its
/// free indices that are.
fn size(g: &Graph, order: &[Id], free: &HashMap<Id, Vec<IndexVar>>, limit: usize) -> usize {
    let copies = |indices: &[IndexVar]| {
        indices.iter().map(|i| i.extent).filter(|e| *e <= limit).fold(1usize, |n, e| n.saturating_mul(e))
    };
    let lane = order.iter().filter(|id| g.rate(**id) == Rate::Lane);
    lane.map(|id| match g.node(*id) {
        Node::Op(..) => copies(&free[id]),
        Node::Reduce(_, bounds, _) => copies(&free[id]).saturating_mul(copies(bounds)),
        _ => 0,
    })
    .fold(0, usize::saturating_add)
}

fn calls(g: &Graph, order: &[Id]) -> HashSet<Id> {
    let mut calls = HashSet::new();
    for id in order.iter().filter(|id| g.rate(**id) == Rate::Lane) {
        let own = matches!(g.node(*id), Node::Op(op, _) if super::super::kernel::Kernel::of(*op).is_some());
        if own || g.parts(*id).iter().any(|p| calls.contains(p)) {
            calls.insert(*id);
        }
    }
    calls
}

/// How many nodes read each node.
pub fn uses(g: &Graph, roots: &[Id]) -> HashMap<Id, usize> {
    let mut uses = HashMap::new();
    for id in roots {
        *uses.entry(*id).or_insert(0) += 1;
    }
    for id in g.reachable(roots) {
        for part in g.parts(id) {
            *uses.entry(part).or_insert(0) += 1;
        }
    }
    uses
}

/// Quotients that are rounded to integers or compared: a product with the reciprocal would put 3/3 below 1.
pub fn exact_quotients(g: &Graph, roots: &[Id]) -> HashSet<Id> {
    let mut exact = HashSet::new();
    for id in g.reachable(roots) {
        let Node::Op(op, args) = g.node(id) else { continue };
        if matches!(op, Op::Floor | Op::Ceil | Op::Mod | Op::IntDiv | Op::Lt | Op::Le | Op::Eq | Op::Ne) {
            exact.extend(args.iter().filter(|a| matches!(g.node(**a), Node::Op(Op::Div, _))));
        }
    }
    exact
}
