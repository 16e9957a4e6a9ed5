//! The session: one API for the command line, the tests and, later, the REPL and the language server.

pub mod about;
mod adaptive;
pub mod before;
pub mod bench;
pub mod catalogue;
pub mod check;
pub mod cite;
pub mod compile;
pub mod conclude;
pub mod convergence;
pub mod drawing;
pub mod emit;
pub mod evaluate;
pub mod execute;
pub mod expectation;
pub mod figures;
pub mod files;
pub mod format;
pub mod help;
pub mod inspect;
pub mod keep;
mod kinds;
pub mod lists;
pub mod load;
pub mod plan;
mod propagation;
pub mod reference;
pub mod replay;
pub mod report;
pub mod results;
pub mod study;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use check::{check_loaded, check_source};

use crate::diagnostics::{Diagnostic, codes};
use crate::kernels::lane::Precision;
use crate::model::elab::{Elab, Try};
use crate::output::number::plain;
use crate::runtime::Progress;
use compile::Backend;
use execute::Execution;
use load::Loaded;
use plan::Plan;
use results::Ran;

use crate::source::Span;
use crate::syntax::ast;

/// What to run, and what overrides the file.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// names of runs; all when empty
    pub runs: Vec<String>,
    pub paths: Option<u64>,
    pub seed: Option<u64>,
    pub solver: Option<String>,
    pub step: Option<f64>,
    pub threads: Option<usize>,
    pub precision: Option<Precision>,
    /// `name=value`
    pub set: Vec<String>,
    pub backend: Backend,
    /// folder of the files of `save`, where they are written
    pub out: Option<std::path::PathBuf>,
    /// paths of a block, a power of two from 8 to 64 (at least 16 in single precision); the results are the same for every choice
    pub lanes: Option<usize>,
    /// keep what can be asked for when a run is over, see [`keep`]
    pub keep: bool,
    /// counts what is done
    pub progress: Option<Arc<Progress>>,
    /// what the plots of the runs need is gathered
    pub plots: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Finished {
    pub runs: Vec<Ran>,
    pub problems: Vec<Diagnostic>,
    /// a run had begun when the last problem arose
    pub started: bool,
    pub interrupted: bool,
}

/// Runs the runs of a loaded program; each is handed to `each` as it ends. All are worked out before the first begins, so
/// a mistake in a later one costs no time.
pub fn run_program(loaded: &Loaded, request: &Request, stop: &AtomicBool, each: &mut dyn FnMut(&mut Ran)) -> Finished {
    let (mut finished, ready) = prepare(loaded, request);
    for (mut elab, mut plan, set) in ready {
        finished.started = true;
        let keeping = request.keep.then(|| elab.keep(&mut plan));
        let progress = request.progress.as_deref();
        let how = Execution { backend: request.backend, lanes: request.lanes, stop, set: &set, progress };
        if let Ok(mut result) = elab.execute(&plan, how) {
            if let Some(keeping) = keeping {
                result.kept = keeping.take(&mut result);
            }
            finished.interrupted |= result.variants.iter().any(|v| v.interrupted);
            finished.add(all_diverged(&plan, &result));
            each(&mut result);
            finished.runs.push(result);
        }
        finished.add(elab.diagnostics);
        if stop.load(Ordering::Relaxed) {
            finished.interrupted = true;
            break;
        }
    }
    finished
}

/// That nothing is left of a run, or of a variant of it.
fn all_diverged(plan: &Plan, ran: &Ran) -> Option<Diagnostic> {
    let lost = ran.variants.iter().find(|v| v.paths > 0 && v.diverged >= v.paths)?;
    let first = lost.first_divergence.map_or_else(String::new, |t| format!(", the first at t = {}", plain(t)));
    let sweep: String = lost.sweep.iter().map(|(name, value)| format!(" with {name} = {}", plain(*value))).collect();
    let message = format!("every path of the run `{}`{sweep} diverged{first}", plan.name);
    let span = plan.model.states.iter().find_map(|s| s.flow_span).unwrap_or(plan.span);
    let d = Diagnostic::error(codes::ALL_DIVERGED, message, plan.span, "no path is left");
    let d = if span == plan.span { d } else { d.label(span, "a step of this goes to a NaN or an infinity") };
    Some(
        d.note(
            "the step is too long for the equations, or a value leaves its domain, as the root of a negative number",
        )
        .help("shorten the step, or take a tamed or an implicit solver; `fokker check` lists what applies"),
    )
}

/// Works out the runs that are asked for; none if there are problems.
fn prepare<'l>(loaded: &'l Loaded, request: &Request) -> (Finished, Vec<Ready<'l>>) {
    let mut finished = Finished { problems: loaded.problems.clone(), ..Finished::default() };
    if loaded.has_errors() {
        return (finished, Vec::new());
    }
    let asked = |run: &ast::Run| request.runs.is_empty() || request.runs.contains(&run.name.name);
    // What is wrong in a run that nobody asked for is no obstacle.
    let others: Vec<Span> = loaded.library.runs().filter(|(_, run)| !asked(run)).map(|(d, _)| d.item.span).collect();
    let (names, refused) = check::names(loaded, &others);
    finished.add(names);
    // Without a run nothing would be worked out, and what is wrong would not be told.
    if refused || loaded.library.runs().next().is_none() {
        finished.problems = check_loaded(loaded);
        return (finished, Vec::new());
    }
    let mut ready = Vec::new();
    for (_, run) in loaded.library.runs() {
        if !asked(run) {
            continue;
        }
        let mut elab = Elab::new(&loaded.library, &loaded.sources);
        match elab.plan(run, &request.overrides()) {
            Ok(plan) => ready.push((elab, plan)),
            Err(_) => finished.add(elab.diagnostics),
        }
    }
    let mut ready = set_all(ready, &request.set, &mut finished);
    for (elab, plan, set) in &mut ready {
        let _ = elab.check_before(plan, set);
        if let Some(out) = &request.out {
            finished.add(files::can_write(plan, out));
        }
        finished.add(elab.diagnostics.drain(..));
    }
    if finished.problems.iter().any(Diagnostic::is_error) {
        ready.clear();
    }
    (finished, ready)
}

impl Request {
    fn overrides(&self) -> plan::Overrides {
        plan::Overrides {
            paths: self.paths,
            seed: self.seed,
            solver: self.solver.clone(),
            step: self.step,
            threads: self.threads,
            precision: self.precision,
            without_plots: !self.plots,
        }
    }
}

impl Finished {
    /// Adds problems; what several runs share is told once.
    fn add(&mut self, problems: impl IntoIterator<Item = Diagnostic>) {
        for problem in problems {
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
    }
}

/// A run that is ready, with the parameters that the command line sets.
type Ready<'l> = (Elab<'l>, Plan, Vec<(usize, f64)>);

/// Gives the `name=value` texts to the runs that have such a parameter; each text must be of one.
fn set_all<'l>(plans: Vec<(Elab<'l>, Plan)>, texts: &[String], finished: &mut Finished) -> Vec<Ready<'l>> {
    let mut ready: Vec<Ready<'l>> = plans.into_iter().map(|(elab, plan)| (elab, plan, Vec::new())).collect();
    for text in texts {
        let has = |elab: &Elab<'_>| elab.has_param(text.split_once('=').map_or("", |(name, _)| name.trim()));
        // Where no run has it, the first one says what there is.
        let any = ready.iter().any(|r| has(&r.0));
        for (k, (elab, plan, set)) in ready.iter_mut().enumerate() {
            if (has(elab) || !any && k == 0)
                && let Ok(value) = elab.set_value(text, plan)
            {
                set.push(value);
            }
            finished.add(elab.diagnostics.drain(..));
        }
    }
    ready
}

impl Elab<'_> {
    /// Works out something that the command line says. What is wrong with it is told of the command line, and not of a
    /// place in the file.
    pub(crate) fn told_of<T>(&mut self, option: &str, text: &str, body: impl FnOnce(&mut Self) -> Try<T>) -> Try<T> {
        let before = self.diagnostics.len();
        let result = body(self);
        for d in &mut self.diagnostics[before..] {
            // That a model and a solver do not fit is about the model too.
            if d.code != codes::SOLVER_MISFIT {
                d.message = format!("`{option} {text}`: {}", d.message);
                d.labels.clear();
            }
        }
        result
    }

    /// A `name=value` text as the value of a parameter.
    fn set_value(&mut self, text: &str, plan: &Plan) -> Try<(usize, f64)> {
        let span = plan.span;
        self.told_of("--set", text, |s| {
            let Some((name, value)) = text.split_once('=') else {
                let d = Diagnostic::error(codes::BAD_SETTING, "there is no `=` in it", span, "");
                return s.fail(d.help("write `--set NAME=VALUE`"));
            };
            let Ok(value) = value.trim().replace('_', "").parse::<f64>() else {
                return s.error(codes::BAD_SETTING, format!("`{value}` is not a number"), span, "");
            };
            let param = s.find_param(name.trim(), span)?;
            if plan.sweeps.iter().any(|sweep| sweep.0 == param) {
                let message = format!("the run `{}` goes through values of `{}`", plan.name, name.trim());
                let d = Diagnostic::error(codes::BAD_SETTING, message, span, "");
                return s.fail(d.help("take its `sweep` out of the file, or change the values there"));
            }
            Ok((param, value))
        })
    }
}
