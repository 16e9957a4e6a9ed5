//! One worker: takes a block of paths from its start to its end.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::adaptive::{Attempts, Pilot};
use super::collect::{Collector, Gathered};
use super::job::{Divergence, Job, Stage};
use super::layout::Layout;
use super::memory::Memory;
use super::noise::{Fill, START_STEP};
use super::plan::Plan;
use crate::kernels::lane::Lane;

/// Values that a step table may have to be held whole.
const WHOLE_TABLE: usize = 1 << 21;

/// The rows of a stage at the steps (or looks) at which it runs: held whole, or asked for each time.
pub enum Table {
    Whole(Vec<f64>),
    Asked,
}

impl Table {
    /// For steps `0..steps`.
    pub fn of_steps<T>(stage: &Stage<T>, steps: u64) -> Table {
        let len = stage.program.step_len;
        if len.saturating_mul(steps as usize) > WHOLE_TABLE {
            Table::Asked
        } else {
            Table::Whole((stage.rows)(0..steps))
        }
    }

    /// For single steps.
    pub fn of_looks<T>(stage: &Stage<T>, looks: &[u64]) -> Table {
        let len = stage.program.step_len;
        if len.saturating_mul(looks.len()) > WHOLE_TABLE {
            return Table::Asked;
        }
        Table::Whole(looks.iter().flat_map(|k| (stage.rows)(*k..*k + 1)).collect())
    }
}

/// What workers share.
pub struct Shared<'a, T> {
    pub job: &'a Job<T>,
    pub plan: &'a Plan,
    pub layout: &'a Layout,
    pub gathered: &'a Gathered,
    pub steps: Table,
    /// for each observer
    pub looks: Vec<Table>,
    /// steps of one call of the code, at most
    pub chunk: u64,
    pub lanes: usize,
    pub stop: &'a AtomicBool,
    pub path_steps: AtomicU64,
}

pub struct Worker<'a, T> {
    shared: &'a Shared<'a, T>,
    pub collector: Collector<'a>,
    memory: Memory<T>,
    /// where observers work, on the states as double numbers
    observed: Memory,
    /// the steps whose noise is in memory
    drawn: Range<u64>,
    /// the states at the start of `drawn`
    saved: Vec<T>,
    /// lanes that are paths of the run and have not diverged
    alive: Vec<bool>,
    /// zero, or NaN where a lane is not finite
    health: Vec<T>,
    diverged: Divergence,
    /// chooses the steps, where paths do
    pilot: Option<Pilot<T>>,
}

impl<'a, T: Lane> Worker<'a, T> {
    pub fn new(shared: &'a Shared<'a, T>) -> Worker<'a, T> {
        let job = shared.job;
        let step = job.step.iter().map(|stage| (stage, shared.chunk));
        let memory = Memory::new(std::iter::once((&job.init, 1)).chain(step), shared.lanes);
        Worker {
            shared,
            collector: Collector::new(shared.plan, shared.layout, shared.gathered, shared.lanes),
            saved: memory.state.clone(),
            memory,
            observed: Memory::new(job.observers.iter().map(|o| (&o.stage, 1)), shared.lanes),
            drawn: 0..0,
            alive: vec![false; shared.lanes],
            health: vec![T::default(); shared.lanes],
            diverged: Divergence::default(),
            pilot: Pilot::new(job, shared.lanes),
        }
    }

    /// Runs the block that begins at `position`. `None` if it was stopped midway; it then counts for nothing. Otherwise
    /// what diverged in it, the steps that were tried, and the number of its paths.
    pub fn block(&mut self, position: u64, tick: &dyn Fn()) -> Option<(Divergence, Attempts, u64)> {
        let (job, layout) = (self.shared.job, self.shared.layout);
        let first_path = layout.base + position;
        self.collector.begin(position);
        self.diverged = Divergence::default();
        for (lane, alive) in self.alive.iter_mut().enumerate() {
            *alive = layout.holds(position + lane as u64);
        }
        let paths = self.alive.iter().filter(|a| **a).count() as u64;
        self.start(first_path);
        self.drawn = 0..0;
        if let Some(pilot) = &mut self.pilot {
            pilot.begin(first_path);
        }
        let mut next = vec![0usize; job.observers.len()];
        self.look(0, first_path, &mut next);
        let mut at = 0;
        while at < job.steps() {
            if self.shared.stop.load(Ordering::Relaxed) {
                return None;
            }
            let end = self.chunk_end(at, &next);
            let tried = self.tried();
            if self.alive.contains(&true) && !self.move_on(at, end, first_path) {
                return None;
            }
            let steps = if self.pilot.is_some() { self.tried() - tried } else { (end - at) * paths };
            self.shared.path_steps.fetch_add(steps, Ordering::Relaxed);
            at = end;
            self.look(at, first_path, &mut next);
            tick();
        }
        self.collector.commit();
        Some((self.diverged, self.pilot.as_ref().map(|p| p.attempts).unwrap_or_default(), paths))
    }

    /// Steps tried so far in this block, where paths choose them.
    fn tried(&self) -> u64 {
        self.pilot.as_ref().map_or(0, |p| p.attempts.accepted + p.attempts.rejected)
    }

    /// From grid point `at` to `end`. `false` if it was stopped midway.
    fn move_on(&mut self, at: u64, end: u64, first_path: u64) -> bool {
        let shared = self.shared;
        let fill = self.fill(first_path, at, 1);
        let Some(pilot) = &mut self.pilot else {
            self.advance(at, end, first_path);
            return true;
        };
        let to = shared.job.grid[end as usize];
        let done = pilot.go(shared.job, &mut self.memory, fill, &self.alive, to, shared.stop);
        for lane in &pilot.lost {
            self.alive[*lane] = false;
            self.diverged.add(end, first_path + *lane as u64);
        }
        done
    }

    /// The next grid point at which something looks, or the end of a chunk: it does not depend on blocks.
    fn chunk_end(&self, at: u64, next: &[usize]) -> u64 {
        let job = self.shared.job;
        let looks = job.observers.iter().zip(next).filter_map(|(o, k)| o.looks.get(*k).copied());
        looks.fold((at + self.shared.chunk).min(job.steps()), u64::min)
    }

    fn fill(&self, first_path: u64, first_step: u64, steps: usize) -> Fill {
        Fill { key: self.shared.job.key(), first_path, first_step, steps, lanes: self.shared.lanes }
    }

    fn start(&mut self, first_path: u64) {
        let job = self.shared.job;
        let fill = self.fill(first_path, START_STEP, 1);
        self.memory.draw(&*job.noise, &job.init, fill);
        self.memory.state.fill(T::default());
        self.memory.call(&job.init, fill, &(job.init.rows)(0..1), 0);
        if self.sick() {
            self.bury(|_| 0, first_path);
        }
    }

    /// From grid point `at` to `end`, at most a chunk further. Noise is drawn for whole chunks, also where something
    /// looks at the states before the chunk is done.
    fn advance(&mut self, at: u64, end: u64, first_path: u64) {
        let shared = self.shared;
        let Some(stage) = &shared.job.step else { return };
        if !(self.drawn.contains(&at) && end <= self.drawn.end) {
            self.drawn = at..(at + shared.chunk).min(shared.job.steps());
            let fill = self.fill(first_path, at, (self.drawn.end - at) as usize);
            self.memory.draw(&*shared.job.noise, stage, fill);
            self.saved.copy_from_slice(&self.memory.state);
        }
        let fill = self.fill(first_path, at, (end - at) as usize);
        let offset = (at - self.drawn.start) as usize;
        with_rows(&shared.steps, stage, at..end, |rows| self.memory.call(stage, fill, rows, offset));
        if self.sick() {
            self.find_first(stage, end, first_path);
        }
    }

    /// Whether a lane that is alive has a state that is not finite; fills `health`.
    fn sick(&mut self) -> bool {
        self.memory.health(&mut self.health);
        self.health.iter().zip(&self.alive).any(|(h, alive)| *alive && h.is_nan())
    }

    /// Repeats what was drawn, up to `end`, one step at a time, to see when each lane left the finite numbers.
    fn find_first(&mut self, stage: &Stage<T>, end: u64, first_path: u64) {
        let end_state = self.memory.state.clone();
        let end_health = self.health.clone();
        self.memory.state.copy_from_slice(&self.saved);
        let begin = self.drawn.start;
        let mut first = vec![end; self.shared.lanes];
        for step in begin..end - 1 {
            let (point, one) = (step + 1, self.fill(first_path, step, 1));
            let offset = (step - begin) as usize;
            with_rows(&self.shared.steps, stage, step..point, |rows| self.memory.call(stage, one, rows, offset));
            if self.sick() {
                let found = first.iter_mut().zip(&self.health).filter(|(_, h)| h.is_nan());
                found.for_each(|(f, _)| *f = point.min(*f));
            }
        }
        self.memory.state.copy_from_slice(&end_state);
        self.health.copy_from_slice(&end_health);
        self.bury(|lane| first[lane], first_path);
    }

    /// Lanes that are marked in `health` are dead from now on; `point` is the grid point of each one's first bad state.
    fn bury(&mut self, point: impl Fn(usize) -> u64, first_path: u64) {
        for lane in 0..self.shared.lanes {
            if self.alive[lane] && self.health[lane].is_nan() {
                self.alive[lane] = false;
                self.diverged.add(point(lane), first_path + lane as u64);
            }
        }
    }

    /// All observers that look at a grid point.
    fn look(&mut self, at: u64, first_path: u64, next: &mut [usize]) {
        let shared = self.shared;
        for (k, observer) in shared.job.observers.iter().enumerate() {
            if observer.looks.get(next[k]) != Some(&at) {
                continue;
            }
            let look = next[k];
            next[k] += 1;
            if observer.requests.is_empty() && !self.collector.records(k) {
                continue;
            }
            if self.alive.contains(&true) {
                self.observe(k, look, at, first_path);
            }
            let rows = observer.stage.program.out_rows * shared.lanes;
            self.collector.look(k, look, &self.observed.out[..rows], &self.alive);
        }
    }

    fn observe(&mut self, k: usize, look: usize, at: u64, first_path: u64) {
        let shared = self.shared;
        let stage = &shared.job.observers[k].stage;
        let len = stage.program.step_len;
        let asked;
        let rows = match &shared.looks[k] {
            Table::Whole(all) => &all[look * len..(look + 1) * len],
            Table::Asked => {
                asked = (stage.rows)(at..at + 1);
                &asked[..]
            }
        };
        let fill = self.fill(first_path, at, 1);
        self.observed.draw(&*shared.job.noise, stage, fill);
        T::lend(&mut self.memory.state, &mut self.observed.state);
        self.observed.call(stage, fill, rows, 0);
        T::take_back(&mut self.memory.state, &mut self.observed.state);
    }
}

/// Whether all numbers of a row are finite, without branches: a product with zero is a zero, of either sign, or NaN.
pub fn all_finite(row: &[f64]) -> bool {
    row.iter().fold(0, |bits, x| bits | (x * 0.0).to_bits()) << 1 == 0
}

/// Calls `f` with the rows of some steps of a table.
fn with_rows<T>(table: &Table, stage: &Stage<T>, steps: Range<u64>, f: impl FnOnce(&[f64])) {
    let len = stage.program.step_len;
    match table {
        Table::Whole(all) => f(&all[steps.start as usize * len..steps.end as usize * len]),
        Table::Asked => f(&(stage.rows)(steps)),
    }
}

#[cfg(test)]
mod tests {
    use super::all_finite;

    #[test]
    fn infinities_and_nans_are_seen() {
        let mut row = [-0.0, 1e308, -1e308, 5e-324, 0.0, 1.0, -1.0, 2.0];
        assert!(all_finite(&row));
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -f64::NAN] {
            for k in 0..row.len() {
                let kept = std::mem::replace(&mut row[k], bad);
                assert!(!all_finite(&row), "{bad} at {k}");
                row[k] = kept;
            }
        }
    }
}
