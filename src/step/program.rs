//! The types of a step program: its tables of rows, and its instructions.
//!
//! A program reads and writes *rows*: one `f64` for each path ("lane") of a block. Values that are the same for all
//! paths come from two tables that the host fills: `run` once a run, `step` once a step. Draws come as rows too, filled
//! by the noise kernels, so a program is a pure function of its inputs.

use crate::math::{Base, Id, Shape, VarId};

/// A state variable: `shape.product()` rows from `first_row`, in row-major order of its elements.
#[derive(Clone, Debug)]
pub struct StateSlot {
    pub var: VarId,
    pub shape: Shape,
    pub first_row: usize,
}

/// An output that is not a state (something observed): rows of the `out` block.
#[derive(Clone, Debug)]
pub struct OutSlot {
    pub shape: Shape,
    pub first_row: usize,
}

/// Rows of one draw variable; component `k` of the draw is row `first_row + k`.
#[derive(Clone, Debug)]
pub struct DrawSlot {
    pub var: VarId,
    pub base: Base,
    pub site: u32,
    pub turn: u16,
    pub components: usize,
    pub first_row: usize,
}

/// A value that the host works out (by `math::eval`) and writes at `offset` of the run or step table.
#[derive(Clone, Debug)]
pub struct TableSlot {
    pub value: Id,
    pub offset: usize,
    pub len: usize,
}

#[derive(Clone, Debug, Default)]
pub struct Program {
    pub states: Vec<StateSlot>,
    pub state_rows: usize,
    pub outs: Vec<OutSlot>,
    pub out_rows: usize,
    pub draws: Vec<DrawSlot>,
    pub draw_rows: usize,
    pub run_table: Vec<TableSlot>,
    pub run_len: usize,
    pub step_table: Vec<TableSlot>,
    pub step_len: usize,
    /// rows of scratch that the body needs
    pub scratch_rows: usize,
}
