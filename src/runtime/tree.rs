//! Merging along a fixed binary tree, whatever the order in which its leaves arrive.

use std::collections::BTreeMap;

use super::layout::Place;

/// Something that merges with its right neighbour.
pub trait Merge: Sized {
    fn merge(&mut self, right: &Self);
}

/// The pieces of all groups, merged as far as neighbours are present. The node `(level, index)` of a group covers its
/// pieces `index << level .. (index + 1) << level`; it is merged with its sibling as soon as that is there, so the tree
/// (and every rounding) depends on the set of pieces alone, and few nodes wait at any time.
#[derive(Debug)]
pub struct Tree<T> {
    waiting: BTreeMap<(u64, u64, u32), T>,
}

impl<T> Default for Tree<T> {
    fn default() -> Self {
        Tree { waiting: BTreeMap::new() }
    }
}

impl<T: Merge> Tree<T> {
    /// Adds the node `(level, place.index)` of a group.
    pub fn insert(&mut self, place: Place, level: u32, mut node: T) {
        let (mut index, mut level) = (place.index, level);
        let key = |index: u64, level: u32| (place.group, index << level, level);
        while let Some(sibling) = self.waiting.remove(&key(index ^ 1, level)) {
            if index & 1 == 1 {
                let right = std::mem::replace(&mut node, sibling);
                node.merge(&right);
            } else {
                node.merge(&sibling);
            }
            index >>= 1;
            level += 1;
        }
        self.waiting.insert(key(index, level), node);
    }

    /// One node a group, by group; groups without pieces are absent. What has no sibling is merged from the left.
    pub fn finish(self) -> Vec<(u64, T)> {
        let mut groups: Vec<(u64, T)> = Vec::new();
        for ((group, _, _), node) in self.waiting {
            match groups.last_mut() {
                Some((last, all)) if *last == group => all.merge(&node),
                _ => groups.push((group, node)),
            }
        }
        groups
    }
}

/// Merges neighbours in place along the tree, as far as both stand in `nodes`: items are the place of a node (index at
/// level 0) and the node, in increasing order. Calls `done` with each node that is left, its index and its level.
pub fn fold<T: Merge>(nodes: &mut [(Place, T)], mut done: impl FnMut(Place, u32, &T)) {
    // `live[k]`: the level of the node that stands at k, none if it was merged into one further left.
    let mut live: Vec<Option<u32>> = vec![Some(0); nodes.len()];
    let mut level = 0;
    loop {
        let mut merged = false;
        let at: Vec<usize> = (0..nodes.len()).filter(|k| live[*k] == Some(level)).collect();
        let mut k = 0;
        while k + 1 < at.len() {
            let (a, b) = (at[k], at[k + 1]);
            let (left, right) = (nodes[a].0, nodes[b].0);
            let siblings = left.group == right.group && (right.index >> level) == (left.index >> level) ^ 1;
            if siblings && right.index > left.index {
                let (head, tail) = nodes.split_at_mut(b);
                head[a].1.merge(&tail[0].1);
                live[a] = Some(level + 1);
                live[b] = None;
                merged = true;
                k += 1;
            }
            k += 1;
        }
        if !merged {
            break;
        }
        level += 1;
    }
    for (k, (place, node)) in nodes.iter().enumerate() {
        if let Some(level) = live[k] {
            done(Place { group: place.group, index: place.index >> level }, level, node);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::testing::Uniforms;

    /// A merge that is neither commutative nor associative: it writes down its tree.
    #[derive(Clone, Debug, PartialEq)]
    struct Word(String);

    impl Merge for Word {
        fn merge(&mut self, right: &Self) {
            self.0 = format!("({}{})", self.0, right.0);
        }
    }

    fn leaf(group: u64, index: u64) -> (Place, Word) {
        (Place { group, index }, Word(format!("{group}.{index} ")))
    }

    fn tree_of(leaves: &[(Place, Word)]) -> Vec<(u64, Word)> {
        let mut tree = Tree::default();
        leaves.iter().for_each(|(place, w)| tree.insert(*place, 0, w.clone()));
        tree.finish()
    }

    #[test]
    fn any_order_of_arrival_gives_one_tree() {
        let leaves: Vec<_> = (0..3).flat_map(|g| (0..7 + g).map(move |i| leaf(g, i))).collect();
        let want = tree_of(&leaves);
        assert_eq!(want[0].1.0, "((((0.0 0.1 )(0.2 0.3 ))(0.4 0.5 ))0.6 )");
        let mut u = Uniforms::new(1);
        for _ in 0..20 {
            let mut shuffled = leaves.clone();
            for k in (1..shuffled.len()).rev() {
                shuffled.swap(k, (u.uniform() * (k + 1) as f64) as usize);
            }
            assert_eq!(tree_of(&shuffled), want);
        }
    }

    #[test]
    fn folding_blocks_first_gives_the_same_tree() {
        let leaves: Vec<_> = (0..2).flat_map(|g| (0..11).map(move |i| leaf(g, i))).collect();
        let want = tree_of(&leaves);
        for block in [1, 2, 3, 4, 8, 16, 22] {
            let mut tree = Tree::default();
            for part in leaves.chunks(block) {
                fold(&mut part.to_vec(), |place, level, node| tree.insert(place, level, node.clone()));
            }
            assert_eq!(tree.finish(), want, "blocks of {block}");
        }
    }
}
