//! The seam to the noise kernels: draws by their coordinates, laid out as a program wants them.

use crate::math::Base;
use crate::step::program::Program;

/// The step coordinate of the draws of starts.
pub const START_STEP: u64 = (1 << 40) - 1;

/// Rows of one draw: `[steps][components][lanes]`, where steps are `step_stride` values apart. Lane `k` belongs to the
/// path `path + k`, the `j`-th step has the coordinate `step + j`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct DrawRows {
    pub key: (u64, u64),
    pub path: u64,
    pub step: u64,
    pub site: u32,
    pub turn: u16,
    pub components: usize,
    pub lanes: usize,
    pub steps: usize,
    pub step_stride: usize,
}

/// Random numbers as a pure function of their coordinates.
pub trait NoiseSource: Send + Sync {
    /// Standard normals. The first path and the number of lanes are even.
    fn normals(&self, rows: &DrawRows, out: &mut [f64]);

    /// Uniforms on (0, 1).
    fn uniforms(&self, rows: &DrawRows, out: &mut [f64]);
}

/// Which draws a block needs.
#[derive(Copy, Clone, Debug)]
pub struct Fill {
    pub key: (u64, u64),
    pub first_path: u64,
    pub first_step: u64,
    pub steps: usize,
    pub lanes: usize,
}

/// Fills `[steps][draw_rows][lanes]`. Draws of laws with parameters are left to the code, which knows the parameters;
/// it has the coordinates in its [`crate::backend::Block`].
pub fn fill(source: &dyn NoiseSource, program: &Program, fill: Fill, noise: &mut [f64]) {
    for slot in &program.draws {
        let rows = DrawRows {
            key: fill.key,
            path: fill.first_path,
            step: fill.first_step,
            site: slot.site,
            turn: slot.turn,
            components: slot.components,
            lanes: fill.lanes,
            steps: fill.steps,
            step_stride: program.draw_rows * fill.lanes,
        };
        let out = &mut noise[slot.first_row * fill.lanes..];
        match slot.base {
            Base::Normal => source.normals(&rows, out),
            Base::Uniform => source.uniforms(&rows, out),
            Base::Law(..) => {}
        }
    }
}
