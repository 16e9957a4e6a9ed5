//! The execution of runs: blocks of paths on all threads, noise by coordinates, statistics streamed and merged along a
//! fixed tree, so that an answer depends on the job alone.

pub mod adaptive;
mod aligned;
pub mod brownian;
mod chen;
pub mod collect;
pub mod coupled;
pub mod engine;
pub mod enumerate;
pub mod job;
pub mod layout;
pub mod memory;
pub mod noise;
pub mod orders;
pub mod plan;
pub mod points;
pub mod progress;
pub mod stages;
pub mod statistics;
#[cfg(test)]
pub mod testing;
pub mod tree;
pub mod ways;
pub mod wiener;
mod worker;

pub use engine::{Control, run};
pub use job::{Divergence, Job, Observed, Observer, Outcome, Recorded, Rows, Stage};
pub use noise::{Ars5, DrawRows, NoiseSource, START_STEP};
pub use progress::Progress;
pub use statistics::{Request, StatKind, StatResult};
