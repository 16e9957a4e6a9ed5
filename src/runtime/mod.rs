//! The execution of runs: blocks of paths on all threads, noise by coordinates, statistics streamed and merged along a
//! fixed tree, so that an answer depends on the job alone.

mod aligned;
pub mod collect;
pub mod coupled;
pub mod engine;
pub mod job;
pub mod layout;
pub mod memory;
pub mod noise;
pub mod orders;
pub mod plan;
pub mod points;
pub mod stages;
pub mod statistics;
#[cfg(test)]
pub mod testing;
pub mod tree;
mod worker;

pub use engine::{Control, Progress, run};
pub use job::{Divergence, Job, Observed, Observer, Outcome, Recorded, Rows, Stage};
pub use noise::{Ars5, DrawRows, NoiseSource, START_STEP};
pub use statistics::{Request, StatKind, StatResult};
