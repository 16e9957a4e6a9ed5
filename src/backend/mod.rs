//! Back ends: the interpreter (the oracle), Cranelift, and an emitter of 256-bit code. Each turns a step program into code that steps a block.

pub mod cranelift;
pub mod interpreter;
mod native;
pub mod wide;

pub use native::draw as draw_of_law;

use crate::kernels::lane::Lane;
use crate::step::Program;

/// The memory of a block of paths for one call. Rows are `lanes` long and follow one another. Lanes are of the
/// program's precision `T`; tables are double.
pub struct Block<'a, T = f64> {
    /// number of paths in the block, a multiple of [`crate::kernels::lane::Precision::lane_multiple`]
    pub lanes: usize,
    /// number of steps to do
    pub steps: usize,
    /// `[state_rows][lanes]`, read and renewed
    pub state: &'a mut [T],
    /// `[out_rows][lanes]`, of the last step; for the code of [`Code::traced`] `[steps][state_rows][lanes]`
    pub out: &'a mut [T],
    /// `[run_len]`
    pub run: &'a [f64],
    /// `[steps][step_len]`
    pub step: &'a [f64],
    /// `[steps][draw_rows][lanes]`
    pub noise: &'a [T],
    /// `[scratch_rows][lanes]`
    pub scratch: &'a mut [T],
    /// coordinates for draws that the code makes itself: the first path, the index of the first step, the key
    pub first_path: u64,
    pub first_step: u64,
    pub key: (u64, u64),
}

/// Blocks of double precision have a multiple of this many lanes.
pub const LANE_MULTIPLE: usize = 8;

/// Code for a step program, shared by all threads.
pub trait Code<T = f64>: Send + Sync {
    /// Does `block.steps` steps. The lanes never influence each other.
    fn run(&self, block: Block<'_, T>);

    /// Code for the same steps that also puts the states after each of them into `out`, where the back end has such:
    /// then all steps between two looks need not be calls by themselves.
    fn traced(&self) -> Option<Box<dyn Code<T>>> {
        None
    }
}

/// Asserts that the memory of a block has the extents that a program needs.
fn check<T: Lane>(program: &Program, block: &Block<'_, T>) {
    let (n, multiple) = (block.lanes, T::PRECISION.lane_multiple());
    assert_eq!(program.precision, T::PRECISION, "the precision of the program");
    assert!(n > 0 && n.is_multiple_of(multiple), "lanes come in multiples of {multiple}");
    assert!(block.state.len() >= program.state_rows * n, "rows for the states");
    assert!(block.out.len() >= program.out_rows * n, "rows for the outputs");
    assert!(block.run.len() >= program.run_len, "the run table");
    assert!(block.step.len() >= block.steps * program.step_len, "a step table for each step");
    assert!(block.noise.len() >= block.steps * program.draw_rows * n, "draws for each step");
    assert!(block.scratch.len() >= program.scratch_rows * n, "rows of scratch");
}

#[cfg(test)]
mod tests;
