//! The session: one API for the command line, the tests and, later, the REPL and the language server.

pub mod before;
pub mod check;
pub mod compile;
pub mod conclude;
pub mod convergence;
pub mod emit;
pub mod execute;
pub mod expectation;
pub mod files;
pub mod inspect;
pub mod load;
pub mod plan;
pub mod results;

use std::sync::atomic::{AtomicBool, Ordering};

pub use check::{check_loaded, check_source};

use crate::diagnostics::Diagnostic;
use crate::model::elab::Elab;
use compile::Backend;
use execute::Execution;
use load::Loaded;
use results::Ran;

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
    /// `name=value`
    pub set: Vec<String>,
    pub backend: Backend,
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

/// Runs the runs of a loaded program; each is handed to `each` as it ends.
pub fn run_program(loaded: &Loaded, request: &Request, stop: &AtomicBool, each: &mut dyn FnMut(&mut Ran)) -> Finished {
    let mut finished = Finished { problems: loaded.problems.clone(), ..Finished::default() };
    if loaded.has_errors() {
        return finished;
    }
    let (names, refused) = check::names(loaded);
    finished.problems.extend(names);
    if refused {
        finished.problems = check_loaded(loaded);
        return finished;
    }
    for (_, run) in loaded.library.runs() {
        if !request.runs.is_empty() && !request.runs.contains(&run.name.name) {
            continue;
        }
        let mut elab = Elab::new(&loaded.library, &loaded.sources);
        let overrides = plan::Overrides {
            paths: request.paths,
            seed: request.seed,
            solver: request.solver.clone(),
            step: request.step,
            threads: request.threads,
        };
        if let Ok(plan) = elab.plan(run, &overrides) {
            let set = elab.set_values(&request.set, run.name.span);
            if let Ok(set) = set
                && !elab.has_errors()
            {
                finished.started = true;
                let how = Execution { backend: request.backend, stop, set: &set };
                if let Ok(mut result) = elab.execute(&plan, how) {
                    finished.interrupted |= result.variants.iter().any(|v| v.interrupted);
                    each(&mut result);
                    finished.runs.push(result);
                }
            }
        }
        finished.problems.append(&mut elab.diagnostics);
        if stop.load(Ordering::Relaxed) {
            finished.interrupted = true;
            break;
        }
    }
    finished
}

impl Elab<'_> {
    /// `name=value` texts as values of parameters.
    fn set_values(
        &mut self,
        texts: &[String],
        span: crate::source::Span,
    ) -> crate::model::elab::Try<Vec<(usize, f64)>> {
        use crate::diagnostics::codes;
        let mut out = Vec::new();
        for text in texts {
            let Some((name, value)) = text.split_once('=') else {
                return self.error(codes::BAD_SETTING, format!("`--set {text}` has no `=`"), span, "in this run");
            };
            let Ok(value) = value.trim().parse::<f64>() else {
                return self.error(
                    codes::BAD_SETTING,
                    format!("`--set {text}`: `{value}` is not a number"),
                    span,
                    "in this run",
                );
            };
            out.push((self.find_param(name.trim(), span)?, value));
        }
        Ok(out)
    }
}
