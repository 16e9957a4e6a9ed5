//! The step program: what a block of paths does in one step, as straight-line code and loops over lanes.

mod choose;
pub mod cost;
pub mod index;
pub mod kernel;
pub mod lower;
pub mod print;
pub mod program;
pub mod schedule;
pub mod semantics;
pub mod verify;
pub mod work;

pub use choose::cheapest;
pub use lower::{Spec, lower};
pub use program::{DrawSlot, OutSlot, Program, StateSlot, TableSlot};
