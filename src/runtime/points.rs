//! A program as a plain function: its outputs for points that somebody else chooses, many at a time.

use super::job::Stage;
use super::memory::Memory;
use super::noise::Fill;

/// Points of one call for many points, and for few.
const MANY: usize = 64;
const FEW: usize = crate::backend::LANE_MULTIPLE;

/// An observer's program without draws, with memory to run in.
pub struct Function {
    stage: Stage,
    rows: Vec<f64>,
    many: Memory,
    few: Memory,
}

impl Function {
    pub fn new(stage: Stage) -> Function {
        assert_eq!(stage.program.draw_rows, 0, "a function has no draws");
        let memory = |lanes| Memory::new(std::iter::once((&stage, 1)), lanes);
        let (many, few) = (memory(MANY), memory(FEW));
        Function { rows: (stage.rows)(0..1), many, few, stage }
    }

    /// For each output its values at all points. A point is as long as the states have components.
    pub fn at<const D: usize>(&mut self, points: &[[f64; D]]) -> Vec<Vec<f64>> {
        assert_eq!(self.stage.program.state_rows, D, "a number for each component");
        let outs = self.stage.program.out_rows;
        let mut found = vec![Vec::with_capacity(points.len()); outs];
        let memory = if points.len() <= FEW { &mut self.few } else { &mut self.many };
        let lanes = memory.lanes;
        let fill = Fill { key: (0, 0), first_path: 0, first_step: 0, steps: 1, lanes };
        for block in points.chunks(lanes) {
            for (k, row) in memory.state.chunks_exact_mut(lanes).enumerate() {
                // the lanes that are left over repeat the last point
                for (lane, x) in row.iter_mut().enumerate() {
                    *x = block[lane.min(block.len() - 1)][k];
                }
            }
            memory.call(&self.stage, fill, &self.rows, 0);
            for (values, row) in found.iter_mut().zip(memory.out.chunks_exact(lanes)) {
                values.extend_from_slice(&row[..block.len()]);
            }
        }
        found
    }
}
