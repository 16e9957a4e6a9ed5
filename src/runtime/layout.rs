//! How paths are grouped for statistics: a function of the number of paths alone, never of blocks or threads.
//!
//! Paths have positions 0, 1, ... from the (aligned) first path. Consecutive positions form *leaves* (64 paths, fewer
//! when there are few paths), and leaves form up to 32 *groups*, whose differences give the standard errors of
//! statistics that have no formula for one. Values of a leaf are first brought together in *pieces* of up to 8 paths;
//! within a group pieces merge along a binary tree. With very few paths, and times pooled, a group is a stretch of the
//! times of one path (batch means).

/// Groups that a run is cut into where it has enough paths.
pub const GROUPS: u64 = 32;

/// Paths of a leaf where there are enough.
const LEAF: u64 = 64;

/// Paths of a piece where a leaf has as many.
const PIECE: u64 = 8;

/// With fewer paths, pooled times are cut into batches.
const FEW: u64 = 8;

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// first path, rounded down to a multiple of 8: position 0
    pub base: u64,
    pub first_path: u64,
    pub paths: u64,
    /// paths of a leaf and of a piece, powers of two
    leaf: u64,
    pub piece: u64,
    /// stretches of the times of each path
    pub batches: u64,
    pub groups: u64,
}

/// Where a piece stands: its group, and its index among the group's pieces.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub group: u64,
    pub index: u64,
}

impl Layout {
    pub fn new(first_path: u64, paths: u64) -> Layout {
        let base = first_path & !7;
        let leaf = if paths < 2 * GROUPS { 1 } else { 1 << (paths / GROUPS).ilog2() }.min(LEAF);
        let batches = if paths < FEW { GROUPS.div_ceil(paths.max(1)) } else { 1 };
        let mut layout = Layout { base, first_path, paths, leaf, piece: leaf.min(PIECE), batches, groups: 0 };
        layout.groups = if batches > 1 { layout.positions() * batches } else { layout.leaves().min(GROUPS) };
        layout
    }

    /// Number of positions, with those before the first path.
    pub fn positions(&self) -> u64 {
        self.first_path + self.paths - self.base
    }

    /// Whether a position is a path of the run (and not padding).
    pub fn holds(&self, position: u64) -> bool {
        (self.first_path..self.first_path + self.paths).contains(&(self.base + position))
    }

    fn leaves(&self) -> u64 {
        self.positions().div_ceil(self.leaf)
    }

    /// Where the piece that begins at a position stands, in a batch of times.
    pub fn place(&self, position: u64, batch: u64) -> Place {
        if self.batches > 1 {
            return Place { group: position * self.batches + batch, index: 0 };
        }
        let leaf = position / self.leaf;
        let group = leaf * self.groups / self.leaves();
        let first_leaf = (group * self.leaves()).div_ceil(self.groups);
        Place { group, index: (position - first_leaf * self.leaf) / self.piece }
    }

    /// The batch of a look, of `looks` in all.
    pub fn batch(&self, look: u64, looks: u64) -> u64 {
        look * self.batches / looks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_balanced_and_indices_run_without_gaps() {
        for paths in [8, 31, 32, 63, 64, 1000, 2047, 2048, 5000, 100_000] {
            let layout = Layout::new(0, paths);
            let mut sizes = vec![0u64; layout.groups as usize];
            let mut next = vec![0u64; layout.groups as usize];
            for position in (0..paths).step_by(layout.piece as usize) {
                let place = layout.place(position, 0);
                let group = place.group as usize;
                assert_eq!(place.index, next[group], "{paths} paths, position {position}");
                next[group] += 1;
                sizes[group] += layout.piece.min(paths - position);
            }
            let (low, high) = (*sizes.iter().min().unwrap(), *sizes.iter().max().unwrap());
            assert!(low > 0 && high - low <= 2 * layout.leaf, "{paths} paths: groups of {low} to {high}");
            assert_eq!(layout.groups, paths.min(32).max(layout.groups.min(32)));
        }
    }

    #[test]
    fn leaves_are_aligned_in_blocks() {
        for paths in [64, 1000, 5000] {
            let layout = Layout::new(0, paths);
            for position in (0..paths - 1).step_by(layout.piece as usize) {
                let (a, b) = (layout.place(position, 0), layout.place(position + layout.piece - 1, 0));
                assert_eq!(a, b, "a piece stands in one place");
            }
        }
    }

    #[test]
    fn few_paths_have_batches_of_times() {
        let layout = Layout::new(0, 1);
        assert_eq!((layout.batches, layout.groups), (32, 32));
        assert_eq!(layout.batch(0, 1000), 0);
        assert_eq!(layout.batch(999, 1000), 31);
        let three = Layout::new(0, 3);
        assert_eq!((three.batches, three.groups), (11, 33));
        assert_eq!(three.place(2, 10), Place { group: 32, index: 0 });
    }

    #[test]
    fn a_run_may_begin_at_any_path() {
        let layout = Layout::new(13, 1);
        assert_eq!((layout.base, layout.positions()), (8, 6));
        assert!(!layout.holds(4) && layout.holds(5) && !layout.holds(6));
    }
}
