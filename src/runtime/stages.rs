//! The stages of a run by themselves, for measurements: the noise of a chunk, and the steps of a chunk.

use std::time::{Duration, Instant};

use super::engine;
use super::job::Job;
use super::memory::Memory;
use super::noise::{Fill, START_STEP};
use crate::kernels::lane::Lane;

/// Nanoseconds for one step of one path.
#[derive(Copy, Clone, Debug, Default)]
pub struct Stages {
    pub noise: f64,
    pub step: f64,
}

/// Times the first block of a job, chunk by chunk, for about as long as said; the middle of the chunks counts. `None`
/// where nothing moves.
pub fn time<T: Lane>(job: &Job<T>, long: Duration) -> Option<Stages> {
    let stage = job.step.as_ref()?;
    let (lanes, chunk) = engine::block(job);
    let mut memory = Memory::new([(&job.init, 1), (stage, chunk)].into_iter(), lanes);
    let fill = |first_step, steps| Fill { key: job.key(), first_path: job.first_path & !7, first_step, steps, lanes };
    let (mut noise, mut step) = (Vec::new(), Vec::new());
    let begin = Instant::now();
    let mut at = job.steps();
    while noise.len() < 3 || begin.elapsed() < long {
        if at >= job.steps() {
            let start = fill(START_STEP, 1);
            memory.draw(&*job.noise, &job.init, start);
            memory.state.fill(T::default());
            memory.call(&job.init, start, &(job.init.rows)(0..1), 0);
            at = 0;
        }
        let end = (at + chunk).min(job.steps());
        let rows = (stage.rows)(at..end);
        let now = fill(at, (end - at) as usize);
        let each = 1e9 / (now.steps * lanes) as f64;
        let (a, ()) = (Instant::now(), memory.draw(&*job.noise, stage, now));
        let (b, ()) = (Instant::now(), memory.call(stage, now, &rows, 0));
        noise.push((b - a).as_secs_f64() * each);
        step.push(b.elapsed().as_secs_f64() * each);
        at = end;
    }
    Some(Stages { noise: middle(&mut noise), step: middle(&mut step) })
}

/// The median.
pub fn middle(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
