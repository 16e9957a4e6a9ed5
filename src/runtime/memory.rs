//! The memory that a stage works in, for one block of paths.

use super::aligned::Aligned;
use super::job::Stage;
use super::noise::{self, Fill, NoiseSource};
use crate::backend::{Block, Code};
use crate::kernels::lane::Lane;

pub struct Memory<T = f64> {
    pub lanes: usize,
    /// `[state_rows][lanes]`
    pub state: Vec<T>,
    /// `[steps][draw_rows][lanes]`
    pub noise: Aligned<T>,
    /// `[out_rows][lanes]`
    pub out: Vec<T>,
    scratch: Aligned<T>,
}

impl<T: Lane> Memory<T> {
    /// Room for any of some stages, which share their states. Each comes with the number of steps of a call.
    pub fn new<'a>(stages: impl Iterator<Item = (&'a Stage<T>, u64)>, lanes: usize) -> Memory<T> {
        let mut memory =
            Memory { lanes, state: vec![], noise: Aligned::default(), out: vec![], scratch: Aligned::default() };
        let grow = |rows: &mut Vec<T>, len: usize| rows.resize(rows.len().max(len * lanes), T::default());
        for (k, (stage, steps)) in stages.enumerate() {
            let p = &stage.program;
            assert!(k == 0 || memory.state.len() == p.state_rows * lanes, "the programs of a job share their states");
            grow(&mut memory.state, p.state_rows);
            memory.noise.grow(p.draw_rows * steps as usize * lanes);
            grow(&mut memory.out, p.out_rows);
            memory.scratch.grow(p.scratch_rows * lanes);
        }
        memory
    }

    /// Fills the noise of a call.
    pub fn draw(&mut self, source: &dyn NoiseSource, stage: &Stage<T>, fill: Fill) {
        noise::fill(source, &stage.program, fill, &mut self.noise);
    }

    /// Runs a stage on the state, with the noise that stands from `offset` steps on.
    pub fn call(&mut self, stage: &Stage<T>, fill: Fill, rows: &[f64], offset: usize) {
        let mut out = std::mem::take(&mut self.out);
        self.run(&*stage.code, stage, fill, rows, offset, &mut out);
        self.out = out;
    }

    /// The same by other code for the stage, with the outs somewhere else.
    pub fn run(
        &mut self,
        code: &dyn Code<T>,
        stage: &Stage<T>,
        fill: Fill,
        rows: &[f64],
        offset: usize,
        out: &mut [T],
    ) {
        let (p, lanes) = (&stage.program, self.lanes);
        code.run(Block {
            lanes,
            steps: fill.steps,
            state: &mut self.state,
            out,
            run: &stage.run,
            step: rows,
            noise: &self.noise[offset * p.draw_rows * lanes..][..fill.steps * p.draw_rows * lanes],
            scratch: &mut self.scratch[..p.scratch_rows * lanes],
            first_path: fill.first_path,
            first_step: fill.first_step,
            key: fill.key,
        });
    }
}

/// Zero for lanes that are finite in all rows, NaN for others.
pub fn health<T: Lane>(rows: &[T], health: &mut [T]) {
    health.fill(T::default());
    for row in rows.chunks_exact(health.len()) {
        health.iter_mut().zip(row).for_each(|(h, x)| *h = *h + *x * T::default());
    }
}
