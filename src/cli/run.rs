//! `fokker run` and `fokker test`.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use crate::cli::args::{BackendArg, Cli, Color, MessageFormat, Overrides, RunArgs, TestArgs};
use crate::cli::exit;
use crate::diagnostics::{Diagnostic, render, to_json};
use crate::session::compile::Backend;
use crate::session::load::{Options, load_file};
use crate::session::results::RunResult;
use crate::session::{Finished, Request, run_program};
use crate::source::SourceMap;

static STOP: AtomicBool = AtomicBool::new(false);

fn options(cli: &Cli) -> Options {
    Options { stdlib: cli.stdlib.clone() }
}

/// Whether to colour what goes to stderr.
pub fn colored(cli: &Cli) -> bool {
    use std::io::IsTerminal;
    match cli.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    }
}

/// Writes diagnostics to stderr.
pub fn tell(cli: &Cli, problems: &[Diagnostic], sources: &SourceMap) {
    for problem in problems {
        match cli.message_format {
            MessageFormat::Text => eprintln!("{}", render(problem, sources, colored(cli))),
            MessageFormat::Json => eprintln!("{}", to_json(problem, sources)),
        }
    }
}

fn request(overrides: &Overrides, runs: &[String]) -> Request {
    Request {
        runs: runs.to_vec(),
        paths: overrides.paths,
        seed: overrides.seed,
        solver: overrides.solver.clone(),
        step: overrides.step,
        threads: overrides.threads,
        set: overrides.set.clone(),
        backend: match overrides.backend {
            BackendArg::Cranelift => Backend::Cranelift,
            BackendArg::Interpreter => Backend::Interpreter,
        },
    }
}

pub fn run(cli: &Cli, args: &RunArgs) -> u8 {
    let _ = ctrlc::set_handler(|| STOP.store(true, std::sync::atomic::Ordering::Relaxed));
    let loaded = load_file(&args.file, &options(cli));
    let finished = run_program(&loaded, &request(&args.overrides, &args.runs), &STOP, &mut |r| {
        if !args.json {
            print_run(r);
        }
    });
    tell(cli, &finished.problems, &loaded.sources);
    code(&finished)
}

pub fn test(cli: &Cli, args: &TestArgs) -> u8 {
    let mut worst = exit::DONE;
    let (mut passed, mut failed) = (0, 0);
    for file in &args.files {
        let (code, p, f) = test_file(cli, file, &args.overrides);
        passed += p;
        failed += f;
        worst = worst.max(code);
    }
    println!("{passed} passed, {failed} failed");
    worst
}

fn test_file(cli: &Cli, file: &Path, overrides: &Overrides) -> (u8, usize, usize) {
    let loaded = load_file(file, &options(cli));
    let finished = run_program(&loaded, &request(overrides, &[]), &STOP, &mut |_| {});
    tell(cli, &finished.problems, &loaded.sources);
    let mut counts = (0, 0);
    for run in &finished.runs {
        for check in run.all_checks() {
            if check.passed {
                counts.0 += 1;
            } else {
                counts.1 += 1;
                println!(
                    "{}: {}: failed: {} ({:?} and {:?}) {}",
                    file.display(),
                    run.name,
                    check.text,
                    check.left,
                    check.right,
                    check.note.as_deref().unwrap_or("")
                );
            }
        }
    }
    println!("{}: {} checks passed, {} failed", file.display(), counts.0, counts.1);
    (code(&finished), counts.0, counts.1)
}

fn code(finished: &Finished) -> u8 {
    if finished.problems.iter().any(Diagnostic::is_error) {
        return if finished.started { exit::RUN_FAILED } else { exit::WRONG_PROGRAM };
    }
    if finished.interrupted {
        return exit::INTERRUPTED;
    }
    if finished.runs.iter().any(|r| r.failed_checks() > 0) { exit::CHECK_FAILED } else { exit::DONE }
}

fn print_run(run: &RunResult) {
    println!("run {}: model {}, compiled in {:.1} ms", run.name, run.model, 1e3 * run.compile_seconds);
    for v in &run.variants {
        println!(
            "  {:?} {:?}: {} paths x {} steps in {:.3} s = {:.3e}/s, {} diverged",
            v.solver,
            v.sweep,
            v.paths,
            v.steps,
            v.seconds,
            v.path_steps as f64 / v.seconds,
            v.diverged
        );
        for r in &v.reports {
            println!("    {} {:?} = {:?} ± {:?} {:?}", r.text, r.at, r.values, r.se, r.notes);
        }
        for c in &v.checks {
            println!(
                "    {} {} ({:?} {:?}) {:?}",
                if c.passed { "ok  " } else { "FAIL" },
                c.text,
                c.left,
                c.right,
                c.note
            );
        }
    }
    for c in &run.convergence {
        println!("  {} strong {:?} weak {:?} {:?}", c.solver, c.strong_order, c.weak_order, c.levels);
    }
    for c in &run.checks {
        println!("    {} {} ({:?} {:?})", if c.passed { "ok  " } else { "FAIL" }, c.text, c.left, c.right);
    }
    for n in &run.notes {
        println!("  note: {n}");
    }
}
