//! One worker: takes a block of paths from its start to its end.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::adaptive::{Attempts, Pilot};
use super::collect::{Collector, Gathered, Seen};
use super::job::{Divergence, Job, Stage};
use super::layout::Layout;
use super::memory::{Memory, health};
use super::noise::{Fill, START_STEP};
use super::plan::Plan;
use super::progress::Progress;
use crate::backend::Code;
use crate::kernels::lane::Lane;
use crate::step::program::Program;

/// Steps whose states wait for observers at most, as the work of a look is shared by them; numbers that wait at most, to
/// stay in the nearest cache; and the fewest steps for which it pays.
const MOST_WAITING: u64 = 16;
const WAITING_NUMBERS: usize = 2048;
const LEAST_WAITING: u64 = 4;

/// Looks for which steps are compiled once more.
const MANY_LOOKS: usize = 64;

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
    /// code of steps that keeps the states after each
    pub traced: Option<Box<dyn Code<T>>>,
    pub stop: &'a AtomicBool,
    pub path_steps: AtomicU64,
    pub progress: Option<&'a Progress>,
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
    /// room for states at some steps in a row, `[state_rows][steps][lanes]`, and how many steps fit in
    trace: Vec<T>,
    traced: u64,
    /// the same as `[steps][state_rows][lanes]`
    stepped: Vec<T>,
    /// observers whose outs are the states
    plain: Vec<bool>,
    /// up to this grid point steps go one by one, as a lane diverges before it
    careful: u64,
}

impl<'a, T: Lane> Worker<'a, T> {
    pub fn new(shared: &'a Shared<'a, T>) -> Worker<'a, T> {
        let job = shared.job;
        let step = job.step.iter().map(|stage| (stage, shared.chunk));
        let memory = Memory::new(std::iter::once((&job.init, 1)).chain(step), shared.lanes);
        let pilot = Pilot::new(job, shared.lanes);
        let traced = if pilot.is_some() { 0 } else { waiting_steps(job, shared.lanes) };
        let wide = shared.lanes * traced.max(1) as usize;
        let mut observed = Memory::new(job.observers.iter().map(|o| (&o.stage, 1)), wide);
        observed.lanes = shared.lanes;
        Worker {
            shared,
            collector: Collector::new(shared.plan, shared.layout, shared.gathered, shared.lanes),
            saved: memory.state.clone(),
            memory,
            observed,
            drawn: 0..0,
            alive: vec![false; shared.lanes],
            health: vec![T::default(); shared.lanes],
            diverged: Divergence::default(),
            pilot,
            trace: Vec::new(),
            stepped: Vec::new(),
            plain: job.observers.iter().map(|o| o.stage.program.is_identity()).collect(),
            traced,
            careful: 0,
        }
    }

    /// Runs the block that begins at `position`. `None` if it was stopped midway; it then counts for nothing. Otherwise
    /// what diverged in it, the steps that were tried, and the number of its paths.
    pub fn block(&mut self, position: u64) -> Option<(Divergence, Attempts, u64)> {
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
        self.careful = 0;
        let mut next = vec![0usize; job.observers.len()];
        self.look(0, first_path, &mut next);
        let mut at = 0;
        while at < job.steps() {
            if self.shared.stop.load(Ordering::Relaxed) {
                return None;
            }
            let (tried, lost) = (self.tried(), self.diverged.paths);
            let end = match self.traced_end(at, &next) {
                Some(end) if self.trace(at, end, first_path, &mut next) => end,
                _ => self.steps(at, first_path, &mut next)?,
            };
            let steps = if self.pilot.is_some() { self.tried() - tried } else { (end - at) * paths };
            self.shared.path_steps.fetch_add(steps, Ordering::Relaxed);
            if let Some(progress) = self.shared.progress {
                progress.add_steps(steps, self.diverged.paths - lost);
            }
            at = end;
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

    /// Steps to the next grid point at which something looks, and looks; returns it. `None` if it was stopped midway.
    fn steps(&mut self, at: u64, first_path: u64, next: &mut [usize]) -> Option<u64> {
        let end = self.chunk_end(at, next);
        if self.alive.contains(&true) && !self.move_on(at, end, first_path) {
            return None;
        }
        self.look(end, first_path, next);
        Some(end)
    }

    /// The end of a stretch of steps whose states may wait: each observer looks at all grid points in it, or at none.
    fn traced_end(&self, at: u64, next: &[usize]) -> Option<u64> {
        let job = self.shared.job;
        if self.traced == 0 || at < self.careful || !self.alive.contains(&true) {
            return None;
        }
        let drawn = if self.drawn.contains(&at) { self.drawn.end } else { at + self.shared.chunk };
        let mut end = (at + self.traced).min(drawn).min(job.steps());
        let mut any = false;
        for (observer, next) in job.observers.iter().zip(next) {
            match observer.looks.get(*next) {
                None => {}
                Some(look) if *look > at + 1 => end = end.min(look - 1),
                Some(_) => {
                    any = true;
                    let at_all = |end: u64| observer.looks.get(next + (end - at - 1) as usize) == Some(&end);
                    while !at_all(end) {
                        end -= 1;
                    }
                }
            }
        }
        (any && end >= at + LEAST_WAITING).then_some(end)
    }

    /// Steps from `at` to `end`, whose states observers then see together. Where a lane leaves the finite numbers nothing
    /// is seen: the states are those at `at` again, and the answer is no.
    fn trace(&mut self, at: u64, end: u64, first_path: u64, next: &mut [usize]) -> bool {
        let shared = self.shared;
        let Some(stage) = &shared.job.step else { return false };
        let before = self.memory.state.clone();
        self.ready(stage, at..end, first_path);
        let mut stepped = std::mem::take(&mut self.stepped);
        stepped.resize(before.len() * (end - at) as usize, T::default());
        match &shared.traced {
            Some(code) => {
                let fill = self.fill(first_path, at, (end - at) as usize);
                let offset = (at - self.drawn.start) as usize;
                let memory = &mut self.memory;
                let run = |rows: &[f64]| memory.run(&**code, stage, fill, rows, offset, &mut stepped);
                with_rows(&shared.steps, stage, at..end, run);
            }
            None => {
                for (point, after) in (at..end).zip(stepped.chunks_exact_mut(before.len())) {
                    self.step(stage, point..point + 1, first_path);
                    after.copy_from_slice(&self.memory.state);
                }
            }
        }
        let well = T::all_finite(&stepped) || !self.sick_in(&stepped);
        if well {
            self.look_back(&mut stepped, at, (end - at) as usize, next);
        } else {
            self.memory.state.copy_from_slice(&before);
            self.careful = end;
        }
        self.stepped = stepped;
        well
    }

    /// Steps by one call.
    fn step(&mut self, stage: &Stage<T>, steps: Range<u64>, first_path: u64) {
        let fill = self.fill(first_path, steps.start, (steps.end - steps.start) as usize);
        let offset = (steps.start - self.drawn.start) as usize;
        with_rows(&self.shared.steps, stage, steps, |rows| self.memory.call(stage, fill, rows, offset));
    }

    /// Turns `[steps][state_rows][lanes]` into `[state_rows][steps][lanes]`.
    fn turn(&mut self, stepped: &mut Vec<T>, steps: usize) {
        let lanes = self.shared.lanes;
        let rows = stepped.len() / (steps * lanes);
        if rows == 1 {
            return;
        }
        self.trace.resize(stepped.len(), T::default());
        for (k, from) in stepped.chunks_exact(lanes).enumerate() {
            self.trace[(k % rows * steps + k / rows) * lanes..][..lanes].copy_from_slice(from);
        }
        std::mem::swap(stepped, &mut self.trace);
    }

    /// Whether a lane that is alive is not finite in a trace.
    fn sick_in(&mut self, trace: &[T]) -> bool {
        health(trace, &mut self.health);
        self.any_sick()
    }

    /// All observers that look at the points of a trace, which begins after `at`.
    fn look_back(&mut self, trace: &mut Vec<T>, at: u64, steps: usize, next: &mut [usize]) {
        let shared = self.shared;
        self.turn(trace, steps);
        for (k, observer) in shared.job.observers.iter().enumerate() {
            if observer.looks.get(next[k]) != Some(&(at + 1)) {
                continue;
            }
            let first_look = next[k];
            next[k] += steps;
            if observer.requests.is_empty() && !self.collector.records(k) {
                continue;
            }
            let memory = &mut self.observed;
            memory.lanes = shared.lanes * steps;
            let key = shared.job.key();
            let fill = Fill { key, first_path: 0, first_step: at, steps: 1, lanes: memory.lanes };
            T::lend(trace, &mut memory.state);
            let rows = if self.plain[k] {
                &memory.state[..]
            } else {
                memory.call(&observer.stage, fill, &[], 0);
                &memory.out[..observer.stage.program.out_rows * memory.lanes]
            };
            memory.lanes = shared.lanes;
            self.collector.look(k, Seen { rows, first_look, looks: steps, alive: &self.alive });
            T::take_back(trace, &mut memory.state);
        }
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
        self.ready(stage, at..end, first_path);
        self.step(stage, at..end, first_path);
        if self.sick() {
            self.find_first(stage, end, first_path);
        }
    }

    /// Draws the noise of a chunk from here on, where that of the steps is not there.
    fn ready(&mut self, stage: &Stage<T>, steps: Range<u64>, first_path: u64) {
        let (at, shared) = (steps.start, self.shared);
        if !(self.drawn.contains(&at) && steps.end <= self.drawn.end) {
            self.drawn = at..(at + shared.chunk).min(shared.job.steps());
            let fill = self.fill(first_path, at, (self.drawn.end - at) as usize);
            self.memory.draw(&*shared.job.noise, stage, fill);
            self.saved.copy_from_slice(&self.memory.state);
        }
    }

    /// Whether a lane that is alive has a state that is not finite; fills `health`.
    fn sick(&mut self) -> bool {
        if T::all_finite(&self.memory.state) {
            self.health.fill(T::default());
            return false;
        }
        health(&self.memory.state, &mut self.health);
        self.any_sick()
    }

    fn any_sick(&self) -> bool {
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
            let rows = &self.observed.out[..rows];
            self.collector.look(k, Seen { rows, first_look: look, looks: 1, alive: &self.alive });
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

/// Steps whose states may wait for observers; none where an observer reads the time or draws, or is not cheap. An
/// observer then sees the steps as so many lanes more.
fn waiting_steps<T>(job: &Job<T>, lanes: usize) -> u64 {
    let Some(step) = &job.step else { return 0 };
    let plain = |program: &Program| program.step_len == 0 && program.draws.is_empty() && program.is_straight();
    if !job.observers.iter().all(|o| plain(&o.stage.program)) {
        return 0;
    }
    let steps = WAITING_NUMBERS.checked_div(step.program.state_rows * lanes).unwrap_or(0) as u64;
    if steps < LEAST_WAITING { 0 } else { steps.min(MOST_WAITING) }
}

/// Code that keeps the states after each step, where it is worth to be compiled.
pub fn traced_code<T>(job: &Job<T>, lanes: usize) -> Option<Box<dyn Code<T>>> {
    let many = job.observers.iter().any(|o| o.looks.len() >= MANY_LOOKS);
    if !many || waiting_steps(job, lanes) == 0 {
        return None;
    }
    job.step.as_ref()?.code.traced()
}

/// Calls `f` with the rows of some steps of a table.
fn with_rows<T>(table: &Table, stage: &Stage<T>, steps: Range<u64>, f: impl FnOnce(&[f64])) {
    let len = stage.program.step_len;
    match table {
        Table::Whole(all) => f(&all[steps.start as usize * len..steps.end as usize * len]),
        Table::Asked => f(&(stage.rows)(steps)),
    }
}
