//! Paths at several step sizes driven by the same Wiener processes: measured orders of convergence.
//!
//! The normals of a step stand for the increment of a Wiener process and its time integral over the step of length h:
//!
//! ```text
//! dW = h^(1/2) u,    dZ = int (W_s - W_0) ds = h^(3/2) (u + v/sqrt(3))/2
//! ```
//!
//! with independent standard normals u and v (P. E. Kloeden, E. Platen, Numerical Solution of Stochastic Differential
//! Equations, 1992, section 10.4). The finest level draws them; those of a step made of m fine ones follow exactly, from
//! the sum of the increments, and from the integrals and where the process stood at the start of each fine step.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::job::Stage;
use super::layout::Layout;
use super::memory::Memory;
use super::noise::{self, Fill, NoiseSource, START_STEP};
use super::orders::{Cells, Converged, Exactness, conclude};
use super::statistics::moments::Moments;
use super::tree::{Tree, fold};
use crate::kernels::lane::{Lane, Precision};
use crate::math::Base;
use crate::step::program::{DrawSlot, Program};

/// Fine steps of one call.
const CHUNK: u64 = 64;

/// The draws that stand for one Wiener process: sites and turns of u and, where a scheme uses dZ, of v.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Wiener {
    pub increment: (u32, u16),
    pub integral: Option<(u32, u16)>,
}

/// A scheme at a number of equal steps.
#[derive(Clone)]
pub struct Level<T = f64> {
    pub stage: Stage<T>,
    pub steps: u64,
}

pub struct CoupledJob<T = f64> {
    /// see [`super::Job::init`]; its row k is for level k, whose step length a solver's memory may begin from, and the row
    /// after them for the reference
    pub init: Stage<T>,
    pub levels: Vec<Level<T>>,
    pub reference: Level<T>,
    pub wiener: Vec<Wiener>,
    /// the state rows that are compared
    pub rows: Vec<usize>,
    /// length of the time from start to end
    pub span: f64,
    pub paths: u64,
    pub seed: u64,
    pub stream: u64,
    pub threads: usize,
    /// nothing random moves or starts a path
    pub deterministic: bool,
    pub noise: Arc<dyn NoiseSource>,
}

/// Why paths cannot be coupled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// nothing to compare
    NoLevels,
    /// a number of steps that does not divide that of the reference, or is not smaller
    Indivisible { steps: u64, reference: u64 },
    /// a draw that is not part of a Wiener process: it has no meaning across step sizes
    OtherDraw { site: u32 },
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::NoLevels => write!(f, "there is no number of steps to compare with the reference"),
            Refusal::Indivisible { steps, reference } => write!(
                f,
                "paths of {steps} steps cannot share the noise of the reference: {steps} is not a proper divisor of \
                 {reference}"
            ),
            Refusal::OtherDraw { .. } => write!(
                f,
                "the step draws random numbers that are not increments of a Wiener process; they cannot be shared \
                 between step sizes"
            ),
        }
    }
}

/// Where a program wants the normals of the Wiener processes: for each process the row of u, of v, and its dimension.
#[derive(Clone, Debug, Default)]
struct Rows {
    draw_rows: usize,
    of: Vec<(Option<usize>, Option<usize>)>,
}

/// Runs all levels and compares them with the reference at the end.
pub fn run<T: Lane>(job: &CoupledJob<T>, stop: &AtomicBool) -> Result<Converged, Refusal> {
    let plan = Plan::new(job)?;
    let layout = Layout::new(0, job.paths);
    let tree = Mutex::new(Tree::default());
    let (next, finished) = (AtomicU64::new(0), AtomicU64::new(0));
    let blocks = layout.positions().div_ceil(plan.lanes as u64);
    let work = || {
        let mut worker = Worker::new(job, &plan);
        loop {
            let block = next.fetch_add(1, Ordering::Relaxed);
            if block >= blocks {
                return;
            }
            let position = block * plan.lanes as u64;
            let Some(paths) = worker.block(position, &layout, stop, &tree) else { return };
            finished.fetch_add(paths, Ordering::Relaxed);
        }
    };
    let threads = (job.threads as u64).min(blocks).max(1);
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let groups = tree.into_inner().unwrap_or_else(PoisonError::into_inner).finish();
    let groups: Vec<Cells> = groups.into_iter().map(|g| g.1).collect();
    let steps: Vec<u64> = job.levels.iter().map(|l| l.steps).collect();
    let exact = Exactness {
        epsilon: match T::PRECISION {
            Precision::Single => f64::from(f32::EPSILON),
            Precision::Double => f64::EPSILON,
        },
        reference: job.reference.steps,
        deterministic: job.deterministic,
    };
    Ok(conclude(&steps, job.span, job.rows.len(), &groups, finished.into_inner(), exact))
}

struct Plan {
    lanes: usize,
    /// dimension of each Wiener process, and the first of its rows among all
    wiener: Vec<(usize, usize)>,
    /// rows of all processes together
    dims: usize,
    /// the draws of the fine steps: what any level or the reference wants
    draws: Program,
    fine: Rows,
    levels: Vec<Rows>,
    reference: Rows,
}

impl Plan {
    fn new<T: Lane>(job: &CoupledJob<T>) -> Result<Plan, Refusal> {
        if job.levels.is_empty() {
            return Err(Refusal::NoLevels);
        }
        let reference = job.reference.steps;
        for level in &job.levels {
            if level.steps == 0 || level.steps >= reference || !reference.is_multiple_of(level.steps) {
                return Err(Refusal::Indivisible { steps: level.steps, reference });
            }
        }
        let levels: Vec<Rows> = job.levels.iter().map(|l| rows(&l.stage, &job.wiener)).collect::<Result<_, _>>()?;
        let reference = rows(&job.reference.stage, &job.wiener)?;
        let mut plan = Plan {
            lanes: lanes(job),
            wiener: vec![],
            dims: 0,
            draws: Program::default(),
            fine: Rows::default(),
            levels,
            reference,
        };
        job.wiener.iter().for_each(|w| plan.add_process(job, w));
        plan.fine.draw_rows = plan.draws.draw_rows;
        Ok(plan)
    }

    /// Room for a process among the draws of the fine steps.
    fn add_process<T>(&mut self, job: &CoupledJob<T>, w: &Wiener) {
        let programs = || job.levels.iter().chain([&job.reference]).map(|l| &l.stage.program);
        let draw = |at: (u32, u16)| programs().flat_map(|p| &p.draws).find(|d| (d.site, d.turn) == at).cloned();
        let (u, v) = (draw(w.increment), w.integral.and_then(draw));
        let dims = u.as_ref().or(v.as_ref()).map_or(0, |d| d.components);
        self.wiener.push((dims, self.dims));
        self.dims += dims;
        // The normal u of a coarse step is wanted whenever v is.
        let u = u.or_else(|| v.clone().map(|v| DrawSlot { site: w.increment.0, turn: w.increment.1, ..v }));
        let mut room = |slot: Option<DrawSlot>| {
            slot.map(|slot| {
                let first_row = self.draws.draw_rows;
                self.draws.draw_rows += dims;
                self.draws.draws.push(DrawSlot { first_row, ..slot });
                first_row
            })
        };
        let of = (room(u), room(v));
        self.fine.of.push(of);
    }
}

impl Plan {
    /// The noise of a fine step, as the reference wants it.
    fn copy<T: Lane>(&self, fine: &[T], noise: &mut [T]) {
        for ((dims, _), (from, to)) in self.wiener.iter().zip(self.fine.of.iter().zip(&self.reference.of)) {
            for (from, to) in [(from.0, to.0), (from.1, to.1)] {
                if let (Some(from), Some(to)) = (from, to) {
                    let len = dims * self.lanes;
                    noise[to * self.lanes..][..len].copy_from_slice(&fine[from * self.lanes..][..len]);
                }
            }
        }
    }
}

fn lanes<T: Lane>(job: &CoupledJob<T>) -> usize {
    let p = &job.reference.stage.program;
    let rows = 2 * p.state_rows + p.scratch_rows + CHUNK as usize * p.draw_rows;
    let mut lanes = 64;
    while lanes > T::PRECISION.lane_multiple() && rows * lanes * size_of::<T>() > 256 << 10 {
        lanes /= 2;
    }
    lanes
}

fn rows<T>(stage: &Stage<T>, wiener: &[Wiener]) -> Result<Rows, Refusal> {
    let mut of = vec![(None, None); wiener.len()];
    for slot in &stage.program.draws {
        let at = (slot.site, slot.turn);
        let found = wiener.iter().position(|w| w.increment == at || w.integral == Some(at));
        let Some(k) = found.filter(|_| slot.base == Base::Normal) else {
            return Err(Refusal::OtherDraw { site: slot.site });
        };
        if wiener[k].increment == at {
            of[k].0 = Some(slot.first_row);
        } else {
            of[k].1 = Some(slot.first_row);
        }
    }
    Ok(Rows { draw_rows: stage.program.draw_rows, of })
}

/// The noise of a coarse step in the making: sums over its fine steps so far, in double precision.
struct Coarse {
    /// fine steps of a coarse one
    ratio: u64,
    seen: u64,
    /// sum of u, and of what makes up the integral, `[dims][lanes]`
    sum: Vec<f64>,
    integral: Vec<f64>,
    /// coarse steps whose noise is ready
    ready: usize,
}

struct Worker<'a, T> {
    job: &'a CoupledJob<T>,
    plan: &'a Plan,
    start: Memory<T>,
    /// the draws of the fine steps of a chunk
    fine: Vec<T>,
    reference: Memory<T>,
    levels: Vec<(Memory<T>, Coarse)>,
}

impl<'a, T: Lane> Worker<'a, T> {
    fn new(job: &'a CoupledJob<T>, plan: &'a Plan) -> Worker<'a, T> {
        let lanes = plan.lanes;
        let memory = |level: &Level<T>| Memory::new([(&level.stage, CHUNK)].into_iter(), lanes);
        let coarse = |level: &Level<T>| Coarse {
            ratio: job.reference.steps / level.steps,
            seen: 0,
            sum: vec![0.0; plan.dims * lanes],
            integral: vec![0.0; plan.dims * lanes],
            ready: 0,
        };
        Worker {
            job,
            plan,
            start: Memory::new([(&job.init, 1)].into_iter(), lanes),
            fine: vec![T::default(); CHUNK as usize * plan.draws.draw_rows * lanes],
            reference: memory(&job.reference),
            levels: job.levels.iter().map(|l| (memory(l), coarse(l))).collect(),
        }
    }

    /// Runs a block; the number of its paths, or `None` if it was stopped.
    fn block(&mut self, position: u64, layout: &Layout, stop: &AtomicBool, tree: &Mutex<Tree<Cells>>) -> Option<u64> {
        let fill = Fill {
            key: (self.job.seed, self.job.stream),
            first_path: position,
            first_step: START_STEP,
            steps: 1,
            lanes: self.plan.lanes,
        };
        self.begin(fill);
        let mut at = 0;
        while at < self.job.reference.steps {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            let steps = CHUNK.min(self.job.reference.steps - at);
            self.advance(at, Fill { first_step: at, steps: steps as usize, ..fill });
            at += steps;
        }
        self.tally(position, layout, tree);
        Some((0..self.plan.lanes as u64).filter(|lane| layout.holds(position + lane)).count() as u64)
    }

    fn begin(&mut self, fill: Fill) {
        let job = self.job;
        self.start.draw(&*job.noise, &job.init, fill);
        for k in 0..=self.levels.len() {
            self.start.state.fill(T::default());
            let row = k as u64;
            self.start.call(&job.init, fill, &(job.init.rows)(row..row + 1), 0);
            let state = match self.levels.get_mut(k) {
                Some((memory, coarse)) => {
                    coarse.clear();
                    &mut memory.state
                }
                None => &mut self.reference.state,
            };
            state.copy_from_slice(&self.start.state);
        }
    }

    fn advance(&mut self, at: u64, fill: Fill) {
        let (job, plan) = (self.job, self.plan);
        let stage = &job.reference.stage;
        noise::fill(&*job.noise, &plan.draws, fill, &mut self.fine);
        for step in 0..fill.steps {
            let noise = &self.fine[step * plan.draws.draw_rows * plan.lanes..];
            plan.copy(noise, &mut self.reference.noise[step * plan.reference.draw_rows * plan.lanes..]);
            for (k, (memory, coarse)) in self.levels.iter_mut().enumerate() {
                coarse.add(plan, noise);
                if coarse.seen == coarse.ratio {
                    coarse.put(plan, &plan.levels[k], &mut memory.noise);
                }
            }
        }
        self.reference.call(stage, fill, &(stage.rows)(at..at + fill.steps as u64), 0);
        for ((memory, coarse), level) in self.levels.iter_mut().zip(&job.levels) {
            let steps = std::mem::take(&mut coarse.ready);
            if steps > 0 {
                let end = (at + fill.steps as u64) / coarse.ratio;
                let first = end - steps as u64;
                let fill = Fill { first_step: first, steps, ..fill };
                memory.call(&level.stage, fill, &(level.stage.rows)(first..end), 0);
            }
        }
    }

    /// Compares the levels with the reference, piece by piece.
    fn tally(&mut self, position: u64, layout: &Layout, tree: &Mutex<Tree<Cells>>) {
        let (lanes, piece) = (self.plan.lanes, layout.piece as usize);
        let health: Vec<Vec<T>> = [&self.reference]
            .into_iter()
            .chain(self.levels.iter().map(|l| &l.0))
            .map(|memory| {
                let mut health = vec![T::default(); lanes];
                memory.health(&mut health);
                health
            })
            .collect();
        let mut pieces = Vec::new();
        for start in (0..lanes).step_by(piece).filter(|s| position + (*s as u64) < layout.positions()) {
            let inside: Vec<usize> = (start..start + piece).filter(|l| layout.holds(position + *l as u64)).collect();
            let whole: Vec<usize> = inside.iter().copied().filter(|l| health.iter().all(|h| !h[*l].is_nan())).collect();
            let broken = health.iter().map(|h| inside.iter().filter(|l| h[**l].is_nan()).count() as u64).collect();
            pieces.push((layout.place(position + start as u64, 0), self.cells(&whole, broken)));
        }
        let mut left = Vec::new();
        fold(&mut pieces, |place, level, cells| left.push((place, level, cells.clone())));
        let mut tree = tree.lock().unwrap_or_else(PoisonError::into_inner);
        left.into_iter().for_each(|(place, level, cells)| tree.insert(place, level, cells));
    }

    fn cells(&self, whole: &[usize], broken: Vec<u64>) -> Cells {
        let of = |value: &dyn Fn(usize) -> f64| Moments::of(&whole.iter().map(|l| value(*l)).collect::<Vec<_>>());
        let lanes = self.plan.lanes;
        let mut cells = Cells { broken, ..Cells::default() };
        for row in &self.job.rows {
            let x = &self.reference.state[row * lanes..];
            cells.reference.push([of(&|l| x[l].wide()), of(&|l| x[l].wide() * x[l].wide())]);
        }
        for (memory, _) in &self.levels {
            let distance = |l: usize| {
                let gap =
                    |row: &usize| memory.state[row * lanes + l].wide() - self.reference.state[row * lanes + l].wide();
                self.job.rows.iter().map(gap).map(|d| d * d).sum::<f64>()
            };
            cells.strong.push([of(&|l| distance(l).sqrt()), of(&distance)]);
            let weak = self.job.rows.iter().map(|row| {
                let (x, y) = (&memory.state[row * lanes..], &self.reference.state[row * lanes..]);
                let pair = |l: usize| (x[l].wide(), y[l].wide());
                [of(&|l| pair(l).0 - pair(l).1), of(&|l| pair(l).0 * pair(l).0 - pair(l).1 * pair(l).1)]
            });
            cells.weak.push(weak.collect());
        }
        cells
    }
}

impl Coarse {
    fn clear(&mut self) {
        self.seen = 0;
        self.sum.fill(0.0);
        self.integral.fill(0.0);
    }

    /// Adds a fine step.
    fn add<T: Lane>(&mut self, plan: &Plan, noise: &[T]) {
        let lanes = plan.lanes;
        let third = 3f64.sqrt().recip();
        for ((dims, first), (u, v)) in plan.wiener.iter().zip(&plan.fine.of) {
            for dim in 0..*dims {
                let Some(u) = u.map(|row| &noise[(row + dim) * lanes..][..lanes]) else { continue };
                let v = v.map(|row| &noise[(row + dim) * lanes..][..lanes]);
                let range = (first + dim) * lanes..(first + dim + 1) * lanes;
                let (sums, integrals) = (&mut self.sum[range.clone()], &mut self.integral[range]);
                for lane in 0..lanes {
                    let u = u[lane].wide();
                    if let Some(v) = v {
                        integrals[lane] += sums[lane] + 0.5 * (u + third * v[lane].wide());
                    }
                    sums[lane] += u;
                }
            }
        }
        self.seen += 1;
    }

    /// The coarse step is complete: its normals, as the level wants them.
    fn put<T: Lane>(&mut self, plan: &Plan, rows: &Rows, noise: &mut [T]) {
        let lanes = plan.lanes;
        let base = self.ready * rows.draw_rows;
        let m = self.ratio as f64;
        for ((dims, first), (u_row, v_row)) in plan.wiener.iter().zip(&rows.of) {
            for dim in 0..*dims {
                for lane in 0..lanes {
                    let from = (first + dim) * lanes + lane;
                    let u = self.sum[from] / m.sqrt();
                    let v = 3f64.sqrt() * (2.0 * self.integral[from] / (m * m.sqrt()) - u);
                    if let Some(row) = u_row {
                        noise[(base + row + dim) * lanes + lane] = T::of(u);
                    }
                    if let Some(row) = v_row {
                        noise[(base + row + dim) * lanes + lane] = T::of(v);
                    }
                }
            }
        }
        self.ready += 1;
        self.clear();
    }
}

#[cfg(test)]
#[path = "coupled_tests.rs"]
mod tests;
