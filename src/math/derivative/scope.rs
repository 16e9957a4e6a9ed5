//! Binders opened for one pass over a graph.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use crate::math::graph::{FRESH, Graph, Id, IndexVar, Node};

/// Opened bounds, and the parts under them.
pub type Opened = (Vec<IndexVar>, Vec<Id>);

/// Names of indices opened by differentiation, and those opened by the pass around it. Both lie above the names that the
/// simplifier gives, so that in every pass the index of an outer loop comes after those of inner ones, as it does among
/// bound indices: operands then have one order.
const DERIVATIVE: u32 = FRESH + (1 << 30) + (1 << 28);
const EXPANSION: u32 = FRESH + (1 << 30) + (1 << 29);

/// Opens binders, equal ones in the same way: each bound index of an extent has one name in the whole pass. So terms
/// that several loops have in common stay one node when these are opened, and work on a graph stays in proportion to the
/// graph, however deep loops are nested.
///
/// No name is captured. A bound index is higher than all those bound below it, so an opened body has no binder that
/// would take the same name; and the names of the two passes do not meet.
#[derive(Debug)]
pub struct Scopes {
    base: u32,
    names: HashMap<IndexVar, IndexVar>,
    taken: HashSet<u32>,
    opened: HashMap<Id, Opened>,
}

impl Scopes {
    /// For one derivative, within a pass of [`Scopes::of_expansion`].
    pub fn of_derivative() -> Scopes {
        Scopes::starting(DERIVATIVE)
    }

    /// For the pass that works out all the derivatives of a graph.
    pub fn of_expansion() -> Scopes {
        Scopes::starting(EXPANSION)
    }

    fn starting(base: u32) -> Scopes {
        Scopes { base, names: HashMap::default(), taken: HashSet::default(), opened: HashMap::default() }
    }

    /// The bounds and scalar parts of a `Map`, `Reduce` or `Scatter`: for the last, where it points, then the body.
    pub fn open(&mut self, g: &mut Graph, node: Id) -> Opened {
        if let Some(done) = self.opened.get(&node) {
            return done.clone();
        }
        let bounds = match g.node(node) {
            Node::Map(bounds, _) | Node::Reduce(_, bounds, _) | Node::Scatter { bounds, .. } => bounds.clone(),
            _ => Vec::new(),
        };
        let named: Vec<IndexVar> = bounds.iter().map(|b| self.name(*b)).collect();
        let pairs: Vec<(u32, Id)> = bounds.iter().zip(&named).map(|(b, n)| (b.id, g.index(*n))).collect();
        let parts = g.parts(node);
        let parts = g.substitute_indices(&parts, &pairs);
        self.opened.insert(node, (named.clone(), parts.clone()));
        (named, parts)
    }

    fn name(&mut self, bound: IndexVar) -> IndexVar {
        if let Some(name) = self.names.get(&bound) {
            return *name;
        }
        let mut id = self.base + (bound.id << 8);
        while !self.taken.insert(id) {
            id += 1;
        }
        let name = IndexVar { id, extent: bound.extent };
        self.names.insert(bound, name);
        name
    }
}
