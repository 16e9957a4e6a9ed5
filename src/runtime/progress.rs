//! How far a run is: counters that workers add to after each stretch of steps, for others to read. Who reads them, and
//! when, is nothing that the runtime knows.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The counters of a run with its parts: the variants of a sweep or a list of solvers, one after the other.
#[derive(Debug, Default)]
pub struct Progress {
    /// of all parts so far
    steps: AtomicU64,
    diverged: AtomicU64,
    /// of the part that runs
    part_steps: AtomicU64,
    paths: AtomicU64,
    of_steps: AtomicU64,
    of_paths: AtomicU64,
    part: Mutex<Part>,
}

/// Which part runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// in words: the run, with the values of its sweep
    pub name: String,
    /// from 0
    pub index: u64,
    pub of: u64,
}

/// The counters at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reached {
    pub part: Part,
    /// paths of this part that are done, and all
    pub paths: u64,
    pub of_paths: u64,
    /// steps of paths, of all parts so far
    pub path_steps: u64,
    pub diverged: u64,
    /// of all parts, from 0 to 1
    pub fraction: f64,
}

impl Progress {
    /// A part begins; how much there is to do in it is told by [`Progress::expect`].
    pub fn begin(&self, part: Part) {
        self.expect(0, 0);
        *self.part.lock().unwrap_or_else(PoisonError::into_inner) = part;
    }

    /// What the part will take: its paths, and their steps together (0 where that is not known).
    pub(super) fn expect(&self, paths: u64, steps: u64) {
        for (counter, value) in
            [(&self.of_paths, paths), (&self.of_steps, steps), (&self.paths, 0), (&self.part_steps, 0)]
        {
            counter.store(value, Ordering::Relaxed);
        }
    }

    pub(super) fn add_steps(&self, steps: u64, diverged: u64) {
        self.steps.fetch_add(steps, Ordering::Relaxed);
        self.part_steps.fetch_add(steps, Ordering::Relaxed);
        if diverged > 0 {
            self.diverged.fetch_add(diverged, Ordering::Relaxed);
        }
    }

    pub(super) fn add_paths(&self, paths: u64) {
        self.paths.fetch_add(paths, Ordering::Relaxed);
    }

    pub fn reached(&self) -> Reached {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let part = self.part.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (paths, of_paths, of_steps) = (read(&self.paths), read(&self.of_paths), read(&self.of_steps));
        // Where the number of steps is not known, paths are what is counted.
        let (done, all) = if of_steps > 0 { (read(&self.part_steps), of_steps) } else { (paths, of_paths) };
        let own = if all > 0 { (done as f64 / all as f64).min(1.0) } else { 0.0 };
        let fraction = ((part.index as f64 + own) / part.of.max(1) as f64).min(1.0);
        Reached { part, paths, of_paths, path_steps: read(&self.steps), diverged: read(&self.diverged), fraction }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_share_the_whole() {
        let progress = Progress::default();
        progress.begin(Part { name: "r".into(), index: 1, of: 4 });
        progress.expect(100, 1000);
        progress.add_steps(500, 3);
        let reached = progress.reached();
        assert_eq!((reached.fraction, reached.path_steps, reached.diverged), (0.375, 500, 3));
        progress.begin(Part { name: "r".into(), index: 2, of: 4 });
        progress.expect(100, 0);
        progress.add_paths(50);
        progress.add_steps(20, 0);
        let reached = progress.reached();
        assert_eq!((reached.fraction, reached.path_steps, reached.diverged), (0.625, 520, 3));
    }
}
