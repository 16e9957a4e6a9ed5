//! Plain data: what a run is to do, and what came out.

use std::ops::Range;
use std::sync::Arc;

use super::adaptive::{Adaptive, Attempts};
use super::noise::NoiseSource;
use super::statistics::{Request, StatResult};
use crate::backend::Code;
use crate::step::program::Program;

/// Rows of a step table, `[steps][step_len]`, for a range of steps. For an observer the step `k` is the grid point `k`.
pub type Rows = Arc<dyn Fn(Range<u64>) -> Vec<f64> + Send + Sync>;

/// A program with its code, for lanes of type `T`, and the tables that it reads.
#[derive(Clone)]
pub struct Stage<T = f64> {
    pub code: Arc<dyn Code<T>>,
    pub program: Arc<Program>,
    /// `[run_len]`
    pub run: Vec<f64>,
    pub rows: Rows,
}

/// Something that looks at the states at some times. Its program computes the outs from the states, which it leaves as
/// they are. Statistics are double, so it sees states of single precision widened.
pub struct Observer {
    pub stage: Stage,
    /// indices of grid points, increasing
    pub looks: Vec<u64>,
    pub requests: Vec<Request>,
    /// keep every out of the first so many paths
    pub record_first: u64,
}

/// One variant of a run, with states and steps of type `T`.
pub struct Job<T = f64> {
    /// a program of one step that sets the states at the first time; its draws have the step coordinate
    /// [`super::START_STEP`]
    pub init: Stage<T>,
    /// `None` where nothing moves: the grid is then one time
    pub step: Option<Stage<T>>,
    pub observers: Vec<Observer>,
    /// the times, one more than there are steps
    pub grid: Vec<f64>,
    pub first_path: u64,
    pub paths: u64,
    pub seed: u64,
    pub stream: u64,
    pub threads: usize,
    pub noise: Arc<dyn NoiseSource>,
    /// where paths choose their steps; the grid is then the times that are looked at
    pub adaptive: Option<Adaptive>,
    /// lanes of a block, a power of two from 8 (16 in single precision) to 64; `None`: chosen by the sizes of the programs. The results are the
    /// same for every choice
    pub lanes: Option<usize>,
}

impl<T> Job<T> {
    /// Number of steps.
    pub fn steps(&self) -> u64 {
        self.grid.len() as u64 - 1
    }

    pub fn key(&self) -> (u64, u64) {
        (self.seed, self.stream)
    }
}

/// Paths that went to a NaN or an infinity.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct Divergence {
    pub paths: u64,
    /// the grid point at which the first of them was not finite, and its path
    pub first: Option<(u64, u64)>,
}

impl Divergence {
    /// One more path, not finite at a grid point.
    pub fn add(&mut self, point: u64, path: u64) {
        self.merge(&Divergence { paths: 1, first: Some((point, path)) });
    }

    pub fn merge(&mut self, other: &Divergence) {
        self.paths += other.paths;
        self.first = match (self.first, other.first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}

/// The outs that an observer kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recorded {
    /// the paths, increasing (those that a run finished)
    pub paths: Vec<u64>,
    pub looks: usize,
    /// out rows of the observer
    pub rows: usize,
    /// `[paths][looks][rows]`; NaN from the time at which a path diverged
    pub values: Vec<f64>,
}

/// What one observer saw.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// for each request one result a look, or one in all where times are pooled
    pub results: Vec<Vec<StatResult>>,
    pub record: Recorded,
}

/// What came out of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// paths asked for
    pub paths: u64,
    /// paths in the results: fewer when the run was interrupted. Those that diverged count
    pub finished: u64,
    pub interrupted: bool,
    pub diverged: Divergence,
    pub observed: Vec<Observed>,
    pub path_steps: u64,
    /// where paths chose their steps
    pub attempts: Option<Attempts>,
    pub seconds: f64,
}
