//! Stand-ins for tests: random numbers, noise, and code that is a closure.

use std::sync::Arc;

use super::job::{Rows, Stage};
use super::noise::{DrawRows, NoiseSource};
use crate::backend::{Block, Code};
use crate::math::{Base, VarId};
use crate::step::program::{DrawSlot, OutSlot, Program, StateSlot};

/// SplitMix64: G. L. Steele, D. Lea, C. H. Flood, OOPSLA 2014.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn unit(word: u64) -> f64 {
    ((word >> 11) as f64 + 0.5) / (1u64 << 53) as f64
}

/// A stream of random numbers.
pub struct Uniforms(u64);

impl Uniforms {
    pub fn new(seed: u64) -> Uniforms {
        Uniforms(mix(seed))
    }

    pub fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(1);
        unit(mix(self.0))
    }

    pub fn normal(&mut self) -> f64 {
        let (u, v) = (self.uniform(), self.uniform());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }
}

/// Noise that is a hash of its coordinates.
pub struct HashNoise;

fn word(rows: &DrawRows, step: u64, component: u64, path: u64, which: u64) -> u64 {
    let parts = [rows.key.0, rows.key.1, path, step, u64::from(rows.site), component, u64::from(rows.turn)];
    parts.iter().fold(which, |h, p| mix(h ^ *p))
}

fn fill(rows: &DrawRows, out: &mut [f64], draw: impl Fn(&dyn Fn(u64) -> f64) -> f64) {
    for step in 0..rows.steps {
        for component in 0..rows.components {
            for lane in 0..rows.lanes {
                let (at, path) = (rows.step + step as u64, rows.path + lane as u64);
                out[step * rows.step_stride + component * rows.lanes + lane] =
                    draw(&|which| unit(word(rows, at, component as u64, path, which)));
            }
        }
    }
}

impl NoiseSource for HashNoise {
    fn normals(&self, rows: &DrawRows, out: &mut [f64]) {
        fill(rows, out, |u| (-2.0 * u(1).ln()).sqrt() * (std::f64::consts::TAU * u(2)).cos());
    }

    fn uniforms(&self, rows: &DrawRows, out: &mut [f64]) {
        fill(rows, out, |u| u(3));
    }
}

/// What a step rule sees of one lane at one step; the state is renewed in place.
pub struct Lane<'a> {
    pub state: &'a mut [f64],
    pub out: &'a mut [f64],
    pub run: &'a [f64],
    pub step: &'a [f64],
    pub noise: &'a [f64],
}

type Rule = dyn Fn(Lane<'_>) + Send + Sync;

struct ClosureCode {
    program: Program,
    rule: Box<Rule>,
}

impl Code for ClosureCode {
    fn run(&self, block: Block<'_>) {
        let p = &self.program;
        let lanes = block.lanes;
        let take = |rows: &[f64], lane: usize, column: &mut [f64]| {
            column.iter_mut().zip(rows.iter().skip(lane).step_by(lanes)).for_each(|(to, from)| *to = *from);
        };
        let put = |column: &[f64], lane: usize, rows: &mut [f64]| {
            column.iter().zip(rows.iter_mut().skip(lane).step_by(lanes)).for_each(|(from, to)| *to = *from);
        };
        let (mut state, mut out, mut draws) = (vec![0.0; p.state_rows], vec![0.0; p.out_rows], vec![0.0; p.draw_rows]);
        for k in 0..block.steps {
            let noise = &block.noise[k * p.draw_rows * lanes..(k + 1) * p.draw_rows * lanes];
            for lane in 0..lanes {
                take(block.state, lane, &mut state);
                take(noise, lane, &mut draws);
                (self.rule)(Lane {
                    state: &mut state,
                    out: &mut out,
                    run: block.run,
                    step: &block.step[k * p.step_len..(k + 1) * p.step_len],
                    noise: &draws,
                });
                put(&state, lane, block.state);
                put(&out, lane, block.out);
            }
        }
    }
}

/// A stage of `states` scalar states, outs of the given shapes, and one normal draw (site 0) of `draws` components,
/// whose step rows `table` gives (`step_len` values each).
pub fn stage(
    states: usize,
    outs: &[&[usize]],
    draws: usize,
    step_len: usize,
    table: Rows,
    rule: impl Fn(Lane<'_>) + Send + Sync + 'static,
) -> Stage {
    let mut program = Program { state_rows: states, step_len, draw_rows: draws, ..Program::default() };
    program.states = (0..states)
        .map(|k| StateSlot { var: VarId(k as u32), shape: vec![], first_row: k, renewed: true })
        .collect::<Vec<_>>();
    for shape in outs {
        program.outs.push(OutSlot { shape: shape.to_vec(), first_row: program.out_rows });
        program.out_rows += shape.iter().product::<usize>();
    }
    if draws > 0 {
        let slot = DrawSlot { var: VarId(99), base: Base::Normal, site: 0, turn: 0, components: draws, first_row: 0 };
        program.draws.push(slot);
    }
    let code = Arc::new(ClosureCode { program: program.clone(), rule: Box::new(rule) });
    Stage { code, program: Arc::new(program), run: Vec::new(), rows: table }
}

/// Step rows of nothing.
pub fn no_rows() -> Rows {
    Arc::new(|_| Vec::new())
}
