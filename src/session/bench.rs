//! Measurements of a user's runs: path-steps a second, where the time goes, and what the machine would allow.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::diagnostics::{Diagnostic, codes};
use crate::kernels::lane::{Lane, Precision};
use crate::kernels::rates;
use crate::math::Base;
use crate::model::elab::{Elab, Try};
use crate::runtime::stages::{self, middle};
use crate::runtime::{Control, Job, engine};
use crate::session::compile::{Build, parameters};
use crate::session::execute::combinations;
use crate::session::load::Loaded;
use crate::session::plan::Plan;
use crate::session::{Request, prepare};
use crate::step::Program;
use crate::step::work::{Work, work};

/// How long the whole of a run is repeated, and how long its stages.
const WHOLE: Duration = Duration::from_millis(1200);
const STAGES: Duration = Duration::from_millis(400);

/// Seconds that one repeat is to take: long beside the tables of steps, which are made for each.
const REPEAT: f64 = 0.05;

/// A run that is ready to be executed again and again: the first variant, on one thread unless the request says otherwise.
pub struct Prepared<T = f64> {
    pub name: String,
    pub solver: String,
    pub job: Job<T>,
    /// seconds from the plan to the code
    pub compile_seconds: f64,
}

/// What was measured of a run, on one thread. Times are nanoseconds for one step of one path.
#[derive(Clone, Debug, Serialize)]
pub struct Bench {
    pub run: String,
    pub solver: String,
    pub steps: u64,
    /// paths of one repeat
    pub paths: u64,
    pub repeats: usize,
    pub block_paths: usize,
    pub block_steps: u64,
    pub compile_seconds: f64,
    /// the median of the repeats, the slowest and the fastest
    pub path_steps_per_second: f64,
    pub slowest: f64,
    pub fastest: f64,
    pub ns: Parts,
    /// for one step of one path
    pub normals: usize,
    pub uniforms: usize,
    pub flops: f64,
    pub divisions: f64,
    pub function_values: f64,
    pub bytes: f64,
    pub bound: Bound,
}

/// Where the time of the fastest repeats goes.
#[derive(Copy, Clone, Debug, Serialize)]
pub struct Parts {
    pub noise: f64,
    pub step: f64,
    /// what looks at the states
    pub statistics: f64,
    /// starts, copies, tests of finiteness
    pub driver: f64,
    pub all: f64,
}

/// The least that this machine could take: its own rates times what there is to do.
#[derive(Copy, Clone, Debug, Serialize)]
pub struct Bound {
    /// draws, at the rate of the kernels in long rows
    pub noise: f64,
    /// operations at the rate of fused multiply-adds, divisions, and functions at the rate of their kernels
    pub arithmetic: f64,
    /// bytes of rows, at the rate of copies in memory of the block's size
    pub memory: f64,
    /// the noise, and the larger of arithmetic and memory
    pub all: f64,
}

/// The runs that are asked for, ready to be executed, in the precision `T`.
pub fn prepared<T: Lane>(loaded: &Loaded, request: &Request) -> (Vec<Prepared<T>>, Vec<Diagnostic>) {
    let (finished, ready) = prepare(loaded, request);
    let mut problems = finished.problems;
    let mut all = Vec::new();
    for (mut elab, plan, set) in ready {
        let begin = Instant::now();
        if let Ok(mut found) = elab.prepared(&plan, request, &set) {
            found.compile_seconds = begin.elapsed().as_secs_f64();
            all.push(found);
        }
        problems.extend(elab.diagnostics);
    }
    (all, problems)
}

/// Measures the runs that are asked for.
pub fn bench(loaded: &Loaded, request: &Request) -> (Vec<Bench>, Vec<Diagnostic>) {
    let (finished, ready) = prepare(loaded, request);
    let mut problems = finished.problems;
    let mut all = Vec::new();
    for (mut elab, plan, set) in ready {
        let measured = match plan.precision {
            Precision::Double => elab.measured::<f64>(&plan, request, &set),
            Precision::Single => elab.measured::<f32>(&plan, request, &set),
        };
        all.extend(measured.ok().flatten());
        problems.extend(elab.diagnostics);
    }
    (all, problems)
}

impl Elab<'_> {
    fn measured<T: Lane>(&mut self, plan: &Plan, request: &Request, set: &[(usize, f64)]) -> Try<Option<Bench>> {
        let begin = Instant::now();
        let mut found = self.prepared::<T>(plan, request, set)?;
        found.compile_seconds = begin.elapsed().as_secs_f64();
        Ok(measure(found))
    }

    fn prepared<T: Lane>(&mut self, plan: &Plan, request: &Request, set: &[(usize, f64)]) -> Try<Prepared<T>> {
        if plan.converge.is_some() || plan.steps.is_empty() {
            let what = if plan.converge.is_some() { "a run with `converge`" } else { "a target that is drawn" };
            let message = format!("{what} has no steps to measure");
            return self.fail(
                Diagnostic::error(codes::BAD_SETTING, message, plan.span, "this run")
                    .help("`--run NAME` picks a run with a solver and a time"),
            );
        }
        if let Some((_, span)) = plan.tolerance() {
            return self.fail(
                Diagnostic::error(
                    codes::BAD_SETTING,
                    "steps of a tolerance take their own time each",
                    span,
                    "this run",
                )
                .help("`--step 1e-3` measures the run with equal steps"),
            );
        }
        let programs = self.programs(plan, Build::by(request.backend))?;
        let g = Arc::new(self.g.clone());
        let first = combinations(&plan.sweeps).swap_remove(0);
        let set: Vec<(usize, f64)> = set.iter().chain(&first).copied().collect();
        let params = parameters(self, &set);
        let (mut job, _) = self.job(plan, &programs, 0, &g, &params, request.lanes)?;
        job.threads = request.threads.unwrap_or(1);
        let solver = plan.steps[0].solver.clone();
        Ok(Prepared { name: plan.name.clone(), solver, job, compile_seconds: 0.0 })
    }
}

/// Seconds of a run of a job.
fn seconds<T: Lane>(job: &Job<T>) -> f64 {
    let begin = Instant::now();
    engine::run(job, Control::default());
    begin.elapsed().as_secs_f64()
}

fn measure<T: Lane>(prepared: Prepared<T>) -> Option<Bench> {
    let Prepared { name, solver, mut job, compile_seconds } = prepared;
    job.threads = 1;
    let (lanes, chunk) = engine::block(&job);
    job.lanes = Some(lanes);
    let stages = stages::time(&job, STAGES)?;
    job.paths = few_paths(&job, lanes);
    let (mut whole, mut bare) = (Vec::new(), Vec::new());
    let begin = Instant::now();
    while whole.len() < 3 || begin.elapsed() < WHOLE {
        whole.push(seconds(&job));
        let observers = std::mem::take(&mut job.observers);
        bare.push(seconds(&job));
        job.observers = observers;
    }
    let count = job.paths as f64 * job.steps() as f64;
    let (middle, _) = (middle(&mut whole), middle(&mut bare));
    // the fastest repeats, which other work on the machine disturbed least, tell where the time goes
    let (all, bare, each) = (whole[0], bare[0], 1e9 / count);
    let program = &job.step.as_ref()?.program;
    let work = work(program);
    let draws = |base: Base| -> usize { program.draws.iter().filter(|d| d.base == base).map(|d| d.components).sum() };
    Some(Bench {
        run: name,
        solver,
        steps: job.steps(),
        paths: job.paths,
        repeats: whole.len(),
        block_paths: lanes,
        block_steps: chunk,
        compile_seconds,
        path_steps_per_second: count / middle,
        slowest: count / whole[whole.len() - 1],
        fastest: count / whole[0],
        ns: Parts {
            noise: stages.noise,
            step: stages.step,
            statistics: ((all - bare) * each).max(0.0),
            driver: (bare * each - stages.noise - stages.step).max(0.0),
            all: all * each,
        },
        normals: draws(Base::Normal),
        uniforms: draws(Base::Uniform),
        flops: work.flops,
        divisions: work.divisions,
        function_values: work.calls.values().sum(),
        bytes: work.bytes(program),
        bound: bound(program, &work, [draws(Base::Normal), draws(Base::Uniform)], lanes, chunk),
    })
}

/// Paths of a repeat: whole blocks, that take about as long as said.
fn few_paths<T: Lane>(job: &Job<T>, lanes: usize) -> u64 {
    let block = Job { paths: lanes as u64, ..shallow(job) };
    let least = (0..3).map(|_| seconds(&block)).fold(f64::INFINITY, f64::min);
    let blocks = (REPEAT / least).clamp(1.0, 1e6) as u64;
    (blocks * block.paths).min(job.paths)
}

/// A job with the same programs and tables, without observers.
fn shallow<T: Lane>(job: &Job<T>) -> Job<T> {
    Job {
        init: job.init.clone(),
        step: job.step.clone(),
        observers: Vec::new(),
        grid: job.grid.clone(),
        noise: job.noise.clone(),
        adaptive: job.adaptive.clone(),
        ..*job
    }
}

fn bound(program: &Program, work: &Work, draws: [usize; 2], lanes: usize, chunk: u64) -> Bound {
    let [normal, uniform] = rates::draw_ns(1024);
    let noise = draws[0] as f64 * normal + draws[1] as f64 * uniform;
    let calls: f64 = work.calls.iter().map(|(kernel, count)| count * rates::kernel_ns(*kernel)).sum();
    let arithmetic = work.operations * rates::fused_ns() + work.divisions * rates::division_ns() + calls;
    let rows = program.state_rows + program.scratch_rows + chunk as usize * program.draw_rows;
    let memory = work.bytes(program) * rates::byte_ns(rows * lanes * size_of::<f64>());
    Bound { noise, arithmetic, memory, all: noise + arithmetic.max(memory) }
}

impl Bench {
    /// The measurements as a small table.
    pub fn text(&self) -> String {
        use std::fmt::Write;
        let mut out = String::new();
        let spread = 50.0 * (self.fastest - self.slowest) / self.path_steps_per_second;
        let _ = writeln!(
            out,
            "{}  {}: {:.3e} path-steps/s on one thread (median of {}, ± {:.0} %)",
            self.run, self.solver, self.path_steps_per_second, self.repeats, spread
        );
        let _ = writeln!(
            out,
            "  {} paths of {} steps, in blocks of {} paths and {} steps; compiled in {:.1} ms",
            self.paths,
            self.steps,
            self.block_paths,
            self.block_steps,
            self.compile_seconds * 1e3
        );
        let _ = writeln!(out, "  {:<12}{:>10}  {:>6}", "fastest", "ns", "share");
        let parts = [
            ("noise", self.ns.noise),
            ("step", self.ns.step),
            ("statistics", self.ns.statistics),
            ("driver", self.ns.driver),
            ("all", self.ns.all),
        ];
        for (name, ns) in parts {
            let _ = writeln!(out, "  {:<12}{:>10}  {:>5.0}%", name, figures(ns), 100.0 * ns / self.ns.all);
        }
        let b = &self.bound;
        let noise = format!("{} normals, {} uniforms", self.normals, self.uniforms);
        let arithmetic = format!(
            "{} flops, {} divisions and roots, {} values of functions",
            figures(self.flops),
            figures(self.divisions),
            figures(self.function_values)
        );
        let memory = format!("{} bytes of rows", figures(self.bytes));
        let _ = writeln!(out, "  at least, on this machine:");
        for (name, ns, why) in
            [("noise", b.noise, noise), ("arithmetic", b.arithmetic, arithmetic), ("memory", b.memory, memory)]
        {
            let _ = writeln!(out, "  {:<12}{:>10}  {why}", name, figures(ns));
        }
        let _ = writeln!(
            out,
            "  {:<12}{:>10}  {:.0} % of the time spent",
            "bound",
            figures(b.all),
            100.0 * b.all / self.ns.all
        );
        out
    }
}

/// Three significant figures.
fn figures(x: f64) -> String {
    if x == 0.0 {
        return "0".into();
    }
    let digits = (2 - x.abs().log10().floor() as i32).max(0) as usize;
    format!("{x:.digits$}")
}
