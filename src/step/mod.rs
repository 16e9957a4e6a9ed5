//! The step program: what a block of paths does in one step, as straight-line code and loops over lanes.

pub mod program;

pub use program::{DrawSlot, OutSlot, Program, StateSlot, TableSlot};
