//! The seam to the noise kernels: draws by their coordinates, laid out as a program wants them.

use super::wiener::TreeNoise;
use crate::kernels::lane::{Lane, RowsMut};
use crate::kernels::normal::{self, Coord, Key};
use crate::kernels::single;
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

    /// Standard normals in single precision. The first path and the number of lanes are multiples of four.
    fn normals_single(&self, rows: &DrawRows, out: &mut [f32]) {
        rounded(rows, out, |rows, wide| self.normals(rows, wide));
    }

    /// The Brownian paths that the draws of Wiener processes are taken from, if they are.
    fn tree(&self) -> Option<&TreeNoise> {
        None
    }

    /// Uniforms on (0, 1) in single precision, of such rows.
    fn uniforms_single(&self, rows: &DrawRows, out: &mut [f32]) {
        rounded(rows, out, |rows, wide| self.uniforms(rows, wide));
    }
}

/// Draws of double precision, rounded.
fn rounded(rows: &DrawRows, out: &mut [f32], draw: impl Fn(&DrawRows, &mut [f64])) {
    let len = rows.components * rows.lanes;
    let mut wide = vec![0.0; len];
    for s in 0..rows.steps {
        draw(&DrawRows { step: rows.step + s as u64, steps: 1, step_stride: len, ..*rows }, &mut wide);
        out[s * rows.step_stride..][..len].iter_mut().zip(&wide).for_each(|(to, from)| *to = *from as f32);
    }
}

/// The generator of the library: ARS-5 with Box and Muller's transformation.
#[derive(Copy, Clone, Debug, Default)]
pub struct Ars5;

impl NoiseSource for Ars5 {
    fn normals(&self, rows: &DrawRows, out: &mut [f64]) {
        normal::fill_normals(&kernel_rows(rows), out);
    }

    fn uniforms(&self, rows: &DrawRows, out: &mut [f64]) {
        normal::fill_uniforms(&kernel_rows(rows), out);
    }

    fn normals_single(&self, rows: &DrawRows, out: &mut [f32]) {
        single::normal::fill_normals(&kernel_rows(rows), out);
    }

    fn uniforms_single(&self, rows: &DrawRows, out: &mut [f32]) {
        single::normal::fill_uniforms(&kernel_rows(rows), out);
    }
}

fn kernel_rows(rows: &DrawRows) -> normal::Rows {
    normal::Rows {
        key: Key { seed: rows.key.0, stream: rows.key.1 },
        first: Coord { path: rows.path, step: rows.step, site: rows.site, component: 0, turn: rows.turn },
        lanes: rows.lanes,
        components: rows.components,
        steps: rows.steps,
        step_stride: rows.step_stride,
    }
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
pub fn fill<T: Lane>(source: &dyn NoiseSource, program: &Program, fill: Fill, noise: &mut [T]) {
    let tree = source.tree();
    if let Some(tree) = tree {
        tree.fill(program, fill, noise);
    }
    for slot in &program.draws {
        if tree.is_some_and(|tree| tree.fills(slot)) {
            continue;
        }
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
        match (&slot.base, T::rows(out)) {
            (Base::Normal, RowsMut::Double(out)) => source.normals(&rows, out),
            (Base::Normal, RowsMut::Single(out)) => source.normals_single(&rows, out),
            (Base::Uniform, RowsMut::Double(out)) => source.uniforms(&rows, out),
            (Base::Uniform, RowsMut::Single(out)) => source.uniforms_single(&rows, out),
            (Base::Law(..), _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::VarId;
    use crate::step::program::DrawSlot;

    #[test]
    fn draws_stand_where_the_program_wants_them() {
        let slot = |base, site, components, first_row| DrawSlot {
            var: VarId(site),
            base,
            site,
            turn: 3,
            components,
            first_row,
        };
        let program = Program {
            draws: vec![slot(Base::Uniform, 5, 1, 2), slot(Base::Normal, 9, 2, 0)],
            draw_rows: 3,
            ..Program::default()
        };
        let request = Fill { key: (11, 7), first_path: 64, first_step: START_STEP - 2, steps: 2, lanes: 8 };
        let mut noise = vec![f64::NAN; 2 * 3 * 8];
        fill(&Ars5, &program, request, &mut noise);
        for step in 0..2 {
            for (row, (site, component)) in [(9, 0), (9, 1), (5, 0)].into_iter().enumerate() {
                for lane in 0..8 {
                    let path = 64 + lane as u64;
                    let at = Coord { path, step: START_STEP - 2 + step as u64, site, component, turn: 3 };
                    let key = Key { seed: 11, stream: 7 };
                    let want = if site == 5 { normal::uniform(key, at) } else { normal::normal(key, at) };
                    assert_eq!(noise[(step * 3 + row) * 8 + lane], want);
                }
            }
        }
    }
}
