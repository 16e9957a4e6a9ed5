//! Statistics inside comprehensions: an array of them, one for each index, of which the body sees its own.

use crate::math::{Id, IndexVar, Node};
use crate::model::elab::Elab;

impl Elab<'_> {
    /// The open indices of some values, besides those that a statement pools.
    pub(super) fn open_indices(&self, values: &[Id], pooled: &[IndexVar]) -> Vec<IndexVar> {
        let open = |v: &IndexVar| {
            values.iter().any(|x| self.g.has_free(*x, v.id)) && pooled.iter().all(|axis| axis.id != v.id)
        };
        let nodes = self.g.reachable(values).into_iter();
        let mut found: Vec<IndexVar> = nodes
            .filter_map(|id| match self.g.node(id) {
                Node::Index(v) if open(v) => Some(*v),
                _ => None,
            })
            .collect();
        found.sort_unstable_by_key(|v| v.id);
        found.dedup_by_key(|v| v.id);
        found
    }

    /// Of an array with an axis for each open index first: what it has at these.
    pub(super) fn at_open(&mut self, array: Id, open: &[IndexVar]) -> Id {
        if open.is_empty() {
            return array;
        }
        let at: Vec<Id> = open.iter().map(|v| self.g.index(*v)).collect();
        let rest = self.g.shape(array)[open.len()..].to_vec();
        self.tabulate(&rest, |s, inner| s.g.get(array, &[&at, inner].concat()))
    }
}
