//! From a plan to code: starts, steps and what is observed, each a step program with its tables.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::backend::{self, Code};
use crate::diagnostics::{Diagnostic, codes};
use crate::kernels::lane::Lane;
use crate::math::array::Array;
use crate::math::derivative::NotDifferentiable;
use crate::math::eval::{Env, Evaluator, Functions};
use crate::math::{Graph, Id, VarId};
use crate::model::elab::Elab;
use crate::runtime::{Rows, Stage};
use crate::source::Span;
use crate::step::{Program, Spec, cheapest};

/// Which back end runs the programs. The numbers are the same.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// the widest that the machine and the program allow
    #[default]
    Auto,
    /// 256-bit code, and Cranelift's for programs that have none
    Avx2,
    Cranelift,
    Interpreter,
}

impl Backend {
    pub const ALL: [Backend; 4] = [Backend::Auto, Backend::Avx2, Backend::Cranelift, Backend::Interpreter];

    /// The name on the command line and in manifests.
    pub fn name(self) -> &'static str {
        match self {
            Backend::Auto => "auto",
            Backend::Avx2 => "avx2",
            Backend::Cranelift => "cranelift",
            Backend::Interpreter => "interpreter",
        }
    }

    pub fn by_name(name: &str) -> Option<Backend> {
        Backend::ALL.into_iter().find(|b| b.name() == name)
    }
}

/// How code is made: by which back end, and until a flag is raised.
#[derive(Copy, Clone, Debug, Default)]
pub struct Build<'a> {
    pub backend: Backend,
    pub stop: Option<&'a AtomicBool>,
}

impl Build<'_> {
    /// Nobody can stop it.
    pub fn by(backend: Backend) -> Build<'static> {
        Build { backend, stop: None }
    }

    /// Asked between two stages, each of which may take long for a large model.
    fn goes_on(self) -> Result<(), NoCode> {
        match self.stop {
            Some(stop) if stop.load(Ordering::Relaxed) => Err(NoCode::Stopped),
            _ => Ok(()),
        }
    }
}

/// Why there is no code.
#[derive(Debug)]
pub enum NoCode {
    Stopped,
    Refused(Box<Diagnostic>),
}

/// A program with its code, for lanes of type `T`.
#[derive(Clone)]
pub struct Compiled<T = f64> {
    pub program: Arc<Program>,
    pub code: Arc<dyn Code<T>>,
}

/// The inputs of the clock, by which the rows of step tables are made.
#[derive(Copy, Clone, Debug)]
pub struct Clock {
    pub time: VarId,
    pub time_next: VarId,
    pub dt: VarId,
    pub step_index: VarId,
}

/// Times of a run: n + 1 points, and the lengths of the n steps.
#[derive(Clone, Debug)]
pub struct Grid {
    pub times: Arc<[f64]>,
    pub steps: Arc<[f64]>,
}

/// The most steps of a run: its grid is held in memory.
pub const MAX_STEPS: u64 = 100_000_000;

impl Grid {
    pub fn new(times: Vec<f64>) -> Grid {
        let steps = times.windows(2).map(|w| w[1] - w[0]).collect();
        Grid { times: times.into(), steps }
    }

    /// Whether all steps are of one length, to rounding.
    pub fn is_equal(&self) -> bool {
        let first = self.steps.first().copied().unwrap_or(0.0);
        self.steps.iter().all(|h| (h - first).abs() <= 1e-6 * first)
    }

    /// `n = ceil((b - a)/h - 1e-9)` steps of length h, the last one shortened.
    pub fn stepped(a: f64, b: f64, h: f64) -> Grid {
        let n = ((b - a) / h - 1e-9).ceil().max(1.0) as usize;
        let mut times: Vec<f64> = (0..n).map(|k| a + k as f64 * h).collect();
        times.push(b);
        let mut steps = vec![h; n];
        let last = b - times[n - 1];
        if (last - h).abs() > 1e-9 * h {
            steps[n - 1] = last;
        }
        Grid { times: times.into(), steps: steps.into() }
    }

    /// n equal steps.
    pub fn equal(a: f64, b: f64, n: u64) -> Grid {
        let h = (b - a) / n as f64;
        let mut times: Vec<f64> = (0..n).map(|k| a + k as f64 * h).collect();
        times.push(b);
        Grid { times: times.into(), steps: vec![h; n as usize].into() }
    }

    pub fn len(&self) -> u64 {
        self.steps.len() as u64
    }

    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

/// Cleans, lowers and compiles a specification of raw nodes.
pub fn compile<T: Lane>(elab: &mut Elab<'_>, spec: &Spec, build: Build<'_>, span: Span) -> Result<Compiled<T>, NoCode> {
    let refused = |d: Diagnostic| NoCode::Refused(Box::new(d));
    let roots: Vec<Id> = spec.renew.iter().map(|r| r.1).chain(spec.outs.iter().copied()).collect();
    build.goes_on()?;
    let (clean, names) = crate::math::clean_named(&mut elab.g, &roots).map_err(|e| refused(no_derivative(&e, span)))?;
    build.goes_on()?;
    let (renewed, outs) = clean.split_at(spec.renew.len());
    let spec = Spec {
        states: spec.states.clone(),
        renew: spec.renew.iter().map(|r| r.0).zip(renewed.iter().copied()).collect(),
        outs: outs.to_vec(),
    };
    let program = cheapest(&mut elab.g, &spec, &names).at(T::PRECISION);
    build.goes_on()?;
    let code = code(&program, build.backend).map_err(|message| {
        let d = Diagnostic::error(codes::UNSUPPORTED, message, span, "compiled for this");
        refused(d.help("`--backend interpreter` runs it"))
    })?;
    Ok(Compiled { program: Arc::new(program), code })
}

fn code<T: Lane>(program: &Program, backend: Backend) -> Result<Arc<dyn Code<T>>, String> {
    if backend == Backend::Interpreter {
        return Ok(Arc::new(backend::interpreter::Interpreter::new(program)));
    }
    if backend == Backend::Avx2 && !backend::wide::is_available() {
        return Err("this machine does not run AVX2 code".into());
    }
    if backend != Backend::Cranelift
        && let Some(code) = backend::wide::compile(program)
    {
        return Ok(Arc::from(code));
    }
    let code = backend::cranelift::compile(program);
    code.map(Arc::from).map_err(|reason| format!("the code generator refuses this program: {reason}"))
}

/// A derivative that cannot be taken, in something that needs it.
pub fn no_derivative(e: &NotDifferentiable, span: Span) -> Diagnostic {
    let message = format!("a derivative cannot be taken: {}", e.reason);
    Diagnostic::error(codes::NOT_DIFFERENTIABLE, message, span, "needed for this")
        .help("write what has no derivative in another way, or hold it fixed by `stop_grad(e)`")
}

/// The tables of a program for given parameters, over a grid. For observers the step k is the grid point k.
pub fn stage<T: Lane>(
    g: &Arc<Graph>,
    compiled: &Compiled<T>,
    params: &Env,
    clock: Clock,
    grid: &Grid,
    observer: bool,
) -> Result<Stage<T>, String> {
    let mut evaluator = Evaluator::new(Functions::default());
    for var in g.var_ids() {
        if let Some(value) = params.get(var) {
            evaluator.set(g, var, value.clone());
        }
    }
    let program = compiled.program.clone();
    let mut run = vec![0.0; program.run_len];
    for slot in &program.run_table {
        let value = evaluator.eval_where_inside(g, slot.value).map_err(|e| e.to_string())?;
        run[slot.offset..slot.offset + slot.len].copy_from_slice(&value.values);
    }
    let rows = rows(g.clone(), program.clone(), evaluator, clock, grid.clone(), observer);
    Ok(Stage { code: compiled.code.clone(), program, run, rows })
}

fn rows(g: Arc<Graph>, program: Arc<Program>, evaluator: Evaluator, clock: Clock, grid: Grid, observer: bool) -> Rows {
    // What depends on the length of the step alone is kept for as long as the length stays.
    let moments = [clock.time, clock.time_next, clock.step_index];
    let steady: Vec<bool> =
        program.step_table.iter().map(|slot| !moments.iter().any(|m| g.depends_on(slot.value, *m))).collect();
    let evaluator = Mutex::new((evaluator, f64::NAN, vec![0.0; program.step_len]));
    Arc::new(move |range: Range<u64>| {
        let len = program.step_len;
        let mut table = vec![0.0; len * (range.end - range.start) as usize];
        if len == 0 {
            return table;
        }
        let mut kept = evaluator.lock().unwrap_or_else(PoisonError::into_inner);
        let (evaluator, length, known) = &mut *kept;
        for (k, row) in range.zip(table.chunks_mut(len)) {
            let k = k as usize;
            let t = grid.times[k.min(grid.times.len() - 1)];
            let step = grid.steps.get(k).or(grid.steps.last()).copied().unwrap_or(0.0);
            let next = if observer { t } else { grid.times.get(k + 1).copied().unwrap_or(t) };
            for (var, value) in
                [(clock.time, t), (clock.time_next, next), (clock.dt, step), (clock.step_index, k as f64)]
            {
                evaluator.set_scalar(&g, var, value);
            }
            let same = *length == step;
            for (slot, steady) in program.step_table.iter().zip(&steady) {
                let place = slot.offset..slot.offset + slot.len;
                if same && *steady {
                    row[place.clone()].copy_from_slice(&known[place]);
                    continue;
                }
                // What depends on the clock alone has a value; a failure shows as NaN, which no average takes.
                match evaluator.eval_where_inside(&g, slot.value) {
                    Ok(value) => row[place].copy_from_slice(&value.values),
                    Err(_) => row[place].fill(f64::NAN),
                }
            }
            *length = step;
            known.copy_from_slice(row);
        }
        table
    })
}

/// Values of the run's parameters: defaults in order, then what was set.
pub fn parameters(elab: &Elab<'_>, set: &[(usize, f64)]) -> Env {
    let mut env = Env::default();
    for (k, p) in elab.params.iter().enumerate() {
        if let Some((_, value)) = set.iter().rev().find(|(i, _)| *i == k) {
            env.set(p.var, Array::new(vec![], vec![*value]));
        } else if let Some(default) = p.default
            && let Ok(value) = crate::math::eval::eval(&elab.g, default, &env)
        {
            env.set(p.var, value);
        }
    }
    env
}

/// Seconds since a moment, for the timings in reports.
pub fn since(begin: Instant) -> f64 {
    begin.elapsed().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::load::{Options, load_text};
    use crate::session::plan::Overrides;

    /// Nodes of the graph and instructions of the program for so many leapfrog steps.
    fn sizes(target: &str, steps: usize) -> [usize; 2] {
        let text = format!(
            "run a {{\n  model = {target}\n  solver = hmc(steps = {steps})\n  time = 1 steps\n  paths = 1\n  report mean(x[0])\n}}\n"
        );
        let loaded = load_text("turns", &text, &Options::default());
        let mut elab = Elab::new(&loaded.library, &loaded.sources);
        let (_, run) = loaded.library.runs().next().expect("a run");
        let plan = elab.plan(run, &Overrides::default()).expect("the run is sound");
        let states = elab.starts(&plan, 0).iter().map(|s| s.0).collect();
        let spec = Spec { states, renew: plan.steps[0].renew.clone(), outs: Vec::new() };
        let compiled = compile::<f64>(&mut elab, &spec, Build::by(Backend::Interpreter), plan.span).expect("compiles");
        [elab.g.len(), compiled.program.size()]
    }

    #[test]
    fn the_turns_of_a_loop_cost_the_same_each() {
        for target in ["eight_schools()", "grid25()"] {
            let [few, more, many] = [12, 24, 48].map(|steps| sizes(target, steps));
            for k in 0..2 {
                let (first, then) = (more[k] - few[k], many[k] - more[k]);
                assert!(10 * then <= 23 * first, "{target}: {} {} {}", few[k], more[k], many[k]);
            }
        }
    }
}
