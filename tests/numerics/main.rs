//! The table of mathematics that the implementation must agree with: stated orders, closed forms, exact draws, reported
//! standard errors, and which laws a model keeps.

#[path = "../running/mod.rs"]
mod running;

mod battery;
mod calibration;
mod closed_forms;
mod draws;
mod invariance;
mod moments;
mod orders;

use std::sync::atomic::AtomicBool;

use fokker::output::result::{Report, RunResult};
use fokker::session::load::{Loaded, Options, load_text};
use fokker::session::{Request, run_program};

/// A program from a text, without mistakes.
fn program(text: &str) -> Loaded {
    let loaded = load_text("numerics.sde", text, &Options::default());
    assert!(loaded.problems.is_empty(), "{:#?}\n{text}", loaded.problems);
    loaded
}

/// The variants of all runs of a program.
fn results(loaded: &Loaded, request: &Request) -> Vec<RunResult> {
    let finished = run_program(loaded, request, &AtomicBool::new(false), &mut |_| {});
    assert!(finished.problems.is_empty(), "{:#?}", finished.problems);
    finished.runs.into_iter().flat_map(|ran| ran.variants).collect()
}

/// Value and standard error of a report of one number.
fn number(report: &Report) -> (f64, f64) {
    assert_eq!(report.value.values.len(), 1, "{report:?}");
    (report.value.values[0], report.value.se[0])
}
