//! Running a job: blocks of paths on all threads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::adaptive::Attempts;
use super::collect::{Gathered, Harvest};
use super::job::{Divergence, Job, Observed, Outcome, Recorded};
use super::layout::{GROUPS, Layout};
use super::plan::Plan;
use super::progress::Progress;
use super::statistics::finish::Finisher;
use super::worker::{self, Shared, Table, Worker};
use crate::kernels::lane::Lane;

/// Lanes of a block at most.
const MOST_LANES: usize = 64;

/// Bytes that the rows of a block of [`MOST_LANES`] may take: about a second-level cache.
const NEAR_BYTES: usize = 512 << 10;

/// Lanes of the noise at full speed: with fewer a draw takes a tenth longer, which is more than what a cache further away
/// takes (measured on rings of 16 to 1600 sites).
const FULL_LANES: usize = 32;

/// Bytes that the rows of any block may take: a part of a third-level cache.
const BLOCK_BYTES: usize = 8 << 20;

/// How a run is watched and stopped from outside.
#[derive(Copy, Clone, Default)]
pub struct Control<'a> {
    /// when it becomes true, unfinished blocks are dropped and the rest is reported
    pub stop: Option<&'a AtomicBool>,
    /// counts what is done
    pub progress: Option<&'a Progress>,
}

/// Runs a job. The numbers in the outcome depend on the job alone: not on the threads, nor on the size of blocks.
pub fn run<T: Lane>(job: &Job<T>, control: Control<'_>) -> Outcome {
    let begin = Instant::now();
    let layout = Layout::new(job.first_path, job.paths);
    let plan = Plan::new(job, &layout);
    let gathered = Gathered::new(&plan);
    let never = AtomicBool::new(false);
    let lanes = job.lanes.unwrap_or_else(|| lanes(job, &layout));
    let least = T::PRECISION.lane_multiple();
    assert!(lanes.is_power_of_two() && (least..=MOST_LANES).contains(&lanes), "{lanes} lanes");
    let shared = Shared {
        job,
        plan: &plan,
        layout: &layout,
        gathered: &gathered,
        steps: job.step.as_ref().map_or(Table::Asked, |s| Table::of_steps(s, job.steps())),
        looks: job.observers.iter().map(|o| Table::of_looks(&o.stage, &o.looks)).collect(),
        chunk: chunk(job),
        lanes,
        traced: worker::traced_code(job, lanes),
        stop: control.stop.unwrap_or(&never),
        path_steps: AtomicU64::new(0),
        progress: control.progress,
    };
    if let Some(progress) = control.progress {
        // How many steps there will be is not known where paths choose them.
        let steps = if job.adaptive.is_some() { 0 } else { job.paths.saturating_mul(job.steps()) };
        progress.expect(job.paths, steps);
    }
    let pool = Pool::new(&shared);
    pool.run();
    let diverged = pool.diverged.into_inner().unwrap_or_else(PoisonError::into_inner);
    let finished = pool.finished.into_inner();
    let attempts = pool.attempts.into_inner().unwrap_or_else(PoisonError::into_inner);
    let path_steps = shared.path_steps.load(Ordering::Relaxed);
    drop(shared);
    let harvest = gathered.finish();
    let mut outcome = conclude(job, &plan, &layout, &harvest, diverged, finished);
    outcome.path_steps = path_steps;
    outcome.attempts = job.adaptive.as_ref().map(|_| attempts);
    outcome.seconds = begin.elapsed().as_secs_f64();
    outcome
}

fn conclude<T>(
    job: &Job<T>,
    plan: &Plan,
    layout: &Layout,
    harvest: &Harvest,
    diverged: Divergence,
    finished: u64,
) -> Outcome {
    let finisher = Finisher::new(plan, layout, harvest, diverged, finished, job.threads);
    let observed = job.observers.iter().enumerate().map(|(k, observer)| {
        let sources = observer.requests.iter().zip(&plan.sources[k]);
        Observed {
            results: sources.map(|(request, source)| finisher.results(observer, request, *source)).collect(),
            record: plan.records[k].map_or_else(Recorded::default, |tape| recorded(job, k, layout, harvest, tape)),
        }
    });
    Outcome {
        paths: job.paths,
        finished,
        interrupted: finished < job.paths,
        diverged,
        observed: observed.collect(),
        path_steps: 0,
        attempts: None,
        seconds: 0.0,
    }
}

fn recorded<T>(job: &Job<T>, observer: usize, layout: &Layout, harvest: &Harvest, tape: usize) -> Recorded {
    let reels = &harvest.reels[tape];
    Recorded {
        paths: reels.keys().map(|position| layout.base + position).collect(),
        looks: job.observers[observer].looks.len(),
        rows: job.observers[observer].stage.program.out_rows,
        values: reels.values().flat_map(|reel| reel.iter().copied()).collect(),
    }
}

/// Paths of a block of a job, and steps of a call of its code.
pub fn block<T: Lane>(job: &Job<T>) -> (usize, u64) {
    let layout = Layout::new(job.first_path, job.paths);
    (job.lanes.unwrap_or_else(|| lanes(job, &layout)), chunk(job))
}

/// Steps of one call of the code: enough to make calls cheap, few enough for the noise to stay in a cache. It depends on
/// the program alone, because divergence is looked for between calls.
fn chunk<T>(job: &Job<T>) -> u64 {
    if job.adaptive.is_some() {
        return 1;
    }
    let rows = job.step.as_ref().map_or(0, |s| s.program.draw_rows);
    (1024 / rows.max(1)).clamp(8, 64) as u64
}

/// Lanes of a block: as many as fit a cache, but not so many that threads have nothing to do.
fn lanes<T: Lane>(job: &Job<T>, layout: &Layout) -> usize {
    let Some(step) = &job.step else { return MOST_LANES };
    let p = &step.program;
    let rows = 2 * p.state_rows + p.scratch_rows + p.out_rows + chunk(job) as usize * p.draw_rows;
    let mut lanes = MOST_LANES;
    let idle = |lanes: usize| layout.positions().div_ceil(lanes as u64) < job.threads as u64;
    let room = |lanes: usize| if lanes > FULL_LANES { NEAR_BYTES } else { BLOCK_BYTES };
    while lanes > T::PRECISION.lane_multiple() && (rows * lanes * size_of::<T>() > room(lanes) || idle(lanes)) {
        lanes /= 2;
    }
    lanes
}

/// The blocks that are still to do, and what has come of the others.
struct Pool<'a, T> {
    shared: &'a Shared<'a, T>,
    blocks: u64,
    next: AtomicU64,
    finished: AtomicU64,
    diverged: Mutex<Divergence>,
    attempts: Mutex<Attempts>,
}

impl<'a, T: Lane> Pool<'a, T> {
    fn new(shared: &'a Shared<'a, T>) -> Pool<'a, T> {
        Pool {
            shared,
            blocks: shared.layout.positions().div_ceil(shared.lanes as u64),
            next: AtomicU64::new(0),
            finished: AtomicU64::new(0),
            diverged: Mutex::default(),
            attempts: Mutex::default(),
        }
    }

    fn run(&self) {
        let threads = (self.shared.job.threads as u64).min(self.blocks).max(1);
        if threads == 1 {
            return self.work();
        }
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| self.work());
            }
        });
    }

    fn work(&self) {
        let mut worker = Worker::new(self.shared);
        while let Some(block) = self.take() {
            let Some((diverged, attempts, paths)) = worker.block(block * self.shared.lanes as u64) else { break };
            self.finished.fetch_add(paths, Ordering::Relaxed);
            if let Some(progress) = self.shared.progress {
                progress.add_paths(paths);
            }
            if diverged.paths > 0 {
                self.diverged.lock().unwrap_or_else(PoisonError::into_inner).merge(&diverged);
            }
            self.attempts.lock().unwrap_or_else(PoisonError::into_inner).merge(&attempts);
        }
        worker.collector.finish();
    }

    /// The next block. They are dealt out in turn to all groups of paths, so that a run that is stopped early has all
    /// groups.
    fn take(&self) -> Option<u64> {
        let each = self.blocks.div_ceil(GROUPS);
        loop {
            let n = self.next.fetch_add(1, Ordering::Relaxed);
            if n >= each * GROUPS || self.shared.stop.load(Ordering::Relaxed) {
                return None;
            }
            let block = n % GROUPS * each + n / GROUPS;
            if block < self.blocks {
                return Some(block);
            }
        }
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
