//! Paths at several step sizes driven by the same Wiener processes: measured orders of convergence.
//!
//! The finest level draws its noise; that of a step made of m fine ones follows exactly (see `chen`). What a Wiener
//! integral has beyond W, H and K is small over a short step, and each level draws it for itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::chen::{Coarse, Processes, Rows};
use super::engine::Control;
use super::job::Stage;
use super::layout::Layout;
use super::memory::{self, Memory};
use super::noise::{self, Fill, NoiseSource, START_STEP};
use super::orders::{Cells, Converged, Exactness, conclude};
use super::statistics::moments::Moments;
use super::tree::{Tree, fold};
use super::wiener::TreeNoise;
use crate::kernels::lane::{Lane, Precision};
use crate::math::{Base, VarId};
use crate::step::program::{DrawSlot, Program};

/// Fine steps of one call.
const CHUNK: u64 = 64;

/// The draws that stand for one Wiener process: the sites of u, v and w, and the number of its components.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Wiener {
    pub sites: [u32; 3],
    pub dims: usize,
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
    /// the site of the normals of Levy areas; their turn is one less than the order of the expansion
    pub levy: u32,
    /// draws from this site on are of each level's own
    pub own: u32,
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
    /// where the steps meet the noise over parts of them: for each level, and the reference last, its noise from Brownian
    /// paths, in the place of sums of fine draws
    pub trees: Option<Vec<TreeNoise>>,
    /// femtoseconds that a step of a path took at each level, in the fastest call: others shared the machine with other work
    pub spent: Vec<AtomicU64>,
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
    /// two approximations of the Levy areas, which cannot be those of one path
    TwoExpansions,
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
            Refusal::TwoExpansions => write!(f, "the step uses both `levy` and `levy_foster`"),
        }
    }
}

/// Runs all levels and compares them with the reference at the end.
///
/// `progress` counts the steps of the reference, which take most of the time.
pub fn run<T: Lane>(job: &CoupledJob<T>, control: Control<'_>) -> Result<Converged, Refusal> {
    let plan = Plan::new(job)?;
    let layout = Layout::new(0, job.paths);
    if let Some(progress) = control.progress {
        progress.expect(job.paths, job.paths.saturating_mul(job.reference.steps));
    }
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
            let Some(paths) = worker.block(position, &layout, control, &tree) else { return };
            finished.fetch_add(paths, Ordering::Relaxed);
            if let Some(progress) = control.progress {
                progress.add_paths(paths);
            }
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
    processes: Processes,
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
        // a number of events in a step of one length says nothing of that in another
        if let Some(slot) = draws(job).find(|slot| matches!(slot.base, Base::Law(..))) {
            return Err(Refusal::OtherDraw { site: slot.site });
        }
        if let Some(trees) = &job.trees {
            return Plan::by_trees(job, trees);
        }
        let levels: Vec<Rows> = job.levels.iter().map(|l| rows(&l.stage, job)).collect::<Result<_, _>>()?;
        let reference = rows(&job.reference.stage, job)?;
        let turns: Vec<u16> = draws(job).filter(|d| d.site == job.levy).map(|d| d.turn).collect();
        if turns.windows(2).any(|w| w[0] != w[1]) {
            return Err(Refusal::TwoExpansions);
        }
        let dims = job.wiener.iter().map(|w| w.dims);
        let mut plan = Plan {
            lanes: lanes(job),
            processes: Processes::new(dims, turns.first().map(|turn| turn + 1)),
            draws: Program::default(),
            fine: Rows::default(),
            levels,
            reference,
        };
        plan.add_draws(job);
        Ok(plan)
    }

    /// Nothing is drawn for all levels together where each asks the paths.
    fn by_trees<T: Lane>(job: &CoupledJob<T>, trees: &[TreeNoise]) -> Result<Plan, Refusal> {
        for (level, tree) in job.levels.iter().chain([&job.reference]).zip(trees) {
            let mut shared = level.stage.program.draws.iter().filter(|slot| slot.site < job.own);
            if let Some(slot) = shared.find(|slot| !tree.fills(slot)) {
                return Err(Refusal::OtherDraw { site: slot.site });
            }
        }
        Ok(Plan {
            lanes: lanes(job),
            processes: Processes::default(),
            draws: Program::default(),
            fine: Rows::default(),
            levels: Vec::new(),
            reference: Rows::default(),
        })
    }

    /// Room for what is wanted of each process among the draws of the fine steps. The lower moments of a long step go
    /// into the higher ones.
    fn add_draws<T: Lane>(&mut self, job: &CoupledJob<T>) {
        let wanted = |plan: &Plan, k: usize| {
            let all = plan.levels.iter().chain([&plan.reference]);
            let areas = plan.processes.levy.map_or(0, |order| usize::from(order) + 1);
            all.filter_map(|r| r.of[k].iter().rposition(Option::is_some)).map(|last| last + 1).max().max(Some(areas))
        };
        for (k, w) in job.wiener.iter().enumerate() {
            let count = wanted(self, k).unwrap_or(0);
            let mut of = [None; 3];
            for (row, site) in of.iter_mut().zip(w.sites).take(count) {
                *row = Some(self.draw(site, 0, w.dims));
            }
            self.fine.of.push(of);
        }
        if let Some(order) = self.processes.levy {
            let n = self.processes.dims;
            self.fine.levy = Some(self.draw(job.levy, order - 1, n * n.saturating_sub(1) / 2));
        }
        self.fine.draw_rows = self.draws.draw_rows;
    }

    fn draw(&mut self, site: u32, turn: u16, components: usize) -> usize {
        let first_row = self.draws.draw_rows;
        self.draws.draw_rows += components;
        self.draws.draws.push(DrawSlot { var: VarId(0), base: Base::Normal, site, turn, components, first_row });
        first_row
    }

    /// The noise of a fine step, as the reference wants it.
    fn copy<T: Lane>(&self, fine: &[T], noise: &mut [T]) {
        let mut rows = |from: Option<usize>, to: Option<usize>, count: usize| {
            if let (Some(from), Some(to)) = (from, to) {
                let len = count * self.lanes;
                noise[to * self.lanes..][..len].copy_from_slice(&fine[from * self.lanes..][..len]);
            }
        };
        for ((_, dims), (from, to)) in self.processes.spans.iter().zip(self.fine.of.iter().zip(&self.reference.of)) {
            (0..3).for_each(|k| rows(from[k], to[k], *dims));
        }
        let n = self.processes.dims;
        rows(self.fine.levy, self.reference.levy, n * n.saturating_sub(1) / 2);
    }
}

/// The steps of a level, of `ratio` fine ones each, that end with `steps` fine steps from `at` on.
fn ended(at: u64, steps: usize, ratio: u64) -> (u64, u64) {
    (at / ratio, (at + steps as u64) / ratio)
}

/// The draws of all programs.
fn draws<T>(job: &CoupledJob<T>) -> impl Iterator<Item = &DrawSlot> {
    job.levels.iter().chain([&job.reference]).flat_map(|l| &l.stage.program.draws)
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

fn rows<T>(stage: &Stage<T>, job: &CoupledJob<T>) -> Result<Rows, Refusal> {
    let mut rows = Rows { draw_rows: stage.program.draw_rows, of: vec![[None; 3]; job.wiener.len()], levy: None };
    for slot in stage.program.draws.iter().filter(|slot| slot.site < job.own) {
        let found =
            job.wiener.iter().enumerate().find_map(|(k, w)| Some((k, w.sites.iter().position(|s| *s == slot.site)?)));
        match found {
            _ if slot.base != Base::Normal => return Err(Refusal::OtherDraw { site: slot.site }),
            Some((process, normal)) if slot.turn == 0 => rows.of[process][normal] = Some(slot.first_row),
            None if slot.site == job.levy => rows.levy = Some(slot.first_row),
            _ => return Err(Refusal::OtherDraw { site: slot.site }),
        }
    }
    Ok(rows)
}

/// The draws of a program that are of a level's own.
fn own_draws<T>(stage: &Stage<T>, own: u32) -> Program {
    let draws = stage.program.draws.iter().filter(|slot| slot.site >= own).cloned().collect();
    Program { draws, draw_rows: stage.program.draw_rows, ..Program::default() }
}

struct Worker<'a, T> {
    job: &'a CoupledJob<T>,
    plan: &'a Plan,
    start: Memory<T>,
    /// the draws of the fine steps of a chunk
    fine: Vec<T>,
    reference: Memory<T>,
    levels: Vec<(Memory<T>, Coarse)>,
    /// what each level draws for itself, the reference last
    own: Vec<Program>,
}

impl<'a, T: Lane> Worker<'a, T> {
    fn new(job: &'a CoupledJob<T>, plan: &'a Plan) -> Worker<'a, T> {
        let lanes = plan.lanes;
        let memory = |level: &Level<T>| Memory::new([(&level.stage, CHUNK)].into_iter(), lanes);
        let coarse = |level: &Level<T>| Coarse::new(job.reference.steps / level.steps, &plan.processes, lanes);
        let own = job.levels.iter().chain([&job.reference]).map(|l| own_draws(&l.stage, job.own)).collect();
        Worker {
            job,
            plan,
            start: Memory::new([(&job.init, 1)].into_iter(), lanes),
            fine: vec![T::default(); CHUNK as usize * plan.draws.draw_rows * lanes],
            reference: memory(&job.reference),
            levels: job.levels.iter().map(|l| (memory(l), coarse(l))).collect(),
            own,
        }
    }

    /// Runs a block; the number of its paths, or `None` if it was stopped.
    fn block(
        &mut self,
        position: u64,
        layout: &Layout,
        control: Control<'_>,
        tree: &Mutex<Tree<Cells>>,
    ) -> Option<u64> {
        let paths = (0..self.plan.lanes as u64).filter(|lane| layout.holds(position + lane)).count() as u64;
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
            if control.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
                return None;
            }
            let steps = CHUNK.min(self.job.reference.steps - at);
            self.advance(at, Fill { first_step: at, steps: steps as usize, ..fill });
            at += steps;
            if let Some(progress) = control.progress {
                progress.add_steps(steps * paths, 0);
            }
        }
        self.tally(position, layout, tree);
        Some(paths)
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
        let job = self.job;
        let stage = &job.reference.stage;
        match &job.trees {
            Some(trees) => self.ask(trees, at, fill),
            None => self.sum(fill),
        }
        let own = |k: usize, fill: Fill| Fill { key: (fill.key.0, fill.key.1 ^ (k as u64 + 1) << 32), ..fill };
        let last = job.levels.len();
        noise::fill(&*job.noise, &self.own[last], own(last, fill), &mut self.reference.noise);
        self.reference.call(stage, fill, &(stage.rows)(at..at + fill.steps as u64), 0);
        for (k, ((memory, coarse), level)) in self.levels.iter_mut().zip(&job.levels).enumerate() {
            coarse.ready = 0;
            let (first, end) = ended(at, fill.steps, coarse.ratio);
            if end > first {
                let fill = Fill { first_step: first, steps: (end - first) as usize, ..fill };
                noise::fill(&*job.noise, &self.own[k], own(k, fill), &mut memory.noise);
                let rows = (level.stage.rows)(first..end);
                let begin = Instant::now();
                memory.call(&level.stage, fill, &rows, 0);
                if let Some(least) = job.spent.get(k) {
                    let steps = (end - first) * self.plan.lanes as u64;
                    least.fetch_min(begin.elapsed().as_nanos() as u64 * 1_000_000 / steps, Ordering::Relaxed);
                }
            }
        }
    }

    /// Draws the noise of fine steps, and adds it up for the levels.
    fn sum(&mut self, fill: Fill) {
        let plan = self.plan;
        noise::fill(&*self.job.noise, &plan.draws, fill, &mut self.fine);
        for step in 0..fill.steps {
            let noise = &self.fine[step * plan.draws.draw_rows * plan.lanes..];
            plan.copy(noise, &mut self.reference.noise[step * plan.reference.draw_rows * plan.lanes..]);
            for (k, (memory, coarse)) in self.levels.iter_mut().enumerate() {
                coarse.add(&plan.processes, &plan.fine, noise);
                if coarse.seen == coarse.ratio {
                    coarse.put(&plan.processes, &plan.levels[k], &mut memory.noise);
                }
            }
        }
    }

    /// Each level, and the reference, asks the paths for its own noise.
    fn ask(&mut self, trees: &[TreeNoise], at: u64, fill: Fill) {
        let levels = self.levels.iter_mut().map(|(memory, coarse)| (memory, coarse.ratio));
        let all = levels.chain([(&mut self.reference, 1)]).zip(self.job.levels.iter().chain([&self.job.reference]));
        for (((memory, ratio), level), tree) in all.zip(trees) {
            let (first, end) = ended(at, fill.steps, ratio);
            let fill = Fill { first_step: first, steps: (end - first) as usize, ..fill };
            tree.fill(&level.stage.program, fill, &mut memory.noise);
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
                memory::health(&memory.state, &mut health);
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

#[cfg(test)]
#[path = "coupled_tests.rs"]
mod tests;
