//! `fokker run`, `fokker test` and `fokker converge`.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cli::args::{BackendArg, Cli, Overrides, PlotFormat, PlotTheme, Plots, PrecisionArg, RunArgs, TestArgs};
use crate::cli::exit;
use crate::cli::tell::{bar, options, say, style, tell};
use crate::diagnostics::{Diagnostic, codes};
use crate::kernels::lane::Precision;
use crate::output::result::Results;
use crate::output::{json, table};
use crate::plot::theme::{DARK, LIGHT};
use crate::session::compile::Backend;
use crate::session::figures::in_terminal;
use crate::session::files::Look;
use crate::session::load::{Loaded, load_file};
use crate::session::results::Ran;
use crate::session::{Finished, Request, files, report, run_program};
use crate::source::{SourceMap, Span};

/// Raised by Ctrl-C.
pub(super) static STOP: AtomicBool = AtomicBool::new(false);

pub(super) fn request(overrides: &Overrides, runs: &[String]) -> Request {
    Request {
        runs: runs.to_vec(),
        paths: overrides.paths,
        seed: overrides.seed,
        solver: overrides.solver.clone(),
        step: overrides.step,
        threads: overrides.threads,
        precision: overrides.precision.map(|p| match p {
            PrecisionArg::F32 => Precision::Single,
            PrecisionArg::F64 => Precision::Double,
        }),
        set: overrides.set.clone(),
        backend: match overrides.backend {
            BackendArg::Auto => Backend::Auto,
            BackendArg::Avx2 => Backend::Avx2,
            BackendArg::Cranelift => Backend::Cranelift,
            BackendArg::Interpreter => Backend::Interpreter,
        },
        ..Request::default()
    }
}

pub fn run(cli: &Cli, args: &RunArgs) -> u8 {
    let (file, request) = match (&args.manifest, &args.file) {
        (Some(manifest), _) => match files::repeat(manifest) {
            Ok(found) => found,
            Err(problem) => {
                tell(cli, &[problem], &SourceMap::default());
                return exit::WRONG_PROGRAM;
            }
        },
        (None, Some(file)) => (file.clone(), request(&args.overrides, &args.runs)),
        (None, None) => {
            eprintln!("fokker run needs a file, or `--manifest FILE`");
            return exit::WRONG_PROGRAM;
        }
    };
    execute(cli, &file, &request, args, &|_| true)
}

/// Only the runs with `converge`.
pub fn converge(cli: &Cli, args: &RunArgs) -> u8 {
    let Some(file) = &args.file else {
        eprintln!("fokker converge needs a file");
        return exit::WRONG_PROGRAM;
    };
    let request = request(&args.overrides, &args.runs);
    execute(cli, file, &request, args, &|ran| ran.variants.iter().any(|v| v.converge.is_some()))
}

fn execute(cli: &Cli, file: &Path, request: &Request, args: &RunArgs, shown: &dyn Fn(&Ran) -> bool) -> u8 {
    let (out, as_json) = (&args.out, args.json);
    // Ctrl-C stops the run; what was finished is kept. A second one ends the program at once.
    let _ = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(exit::INTERRUPTED));
        }
    });
    let loaded = load_file(file, &options(cli));
    let style = style(cli);
    let mut unwritten = Vec::new();
    let mut results = Results {
        fokker: env!("CARGO_PKG_VERSION").into(),
        file: file.display().to_string(),
        runs: Vec::new(),
        report: None,
    };
    let whole = Span { file: loaded.main, start: 0, end: 0 };
    if let Some(problem) = args.report.as_ref().and_then(|path| files::can_write_report(path, whole)) {
        tell(cli, &[problem], &loaded.sources);
        return exit::WRONG_PROGRAM;
    }
    let bar = bar(cli, as_json);
    let request =
        &Request { out: Some(out.to_path_buf()), plots: true, progress: Some(bar.progress()), ..request.clone() };
    let look = look(&args.plots);
    let mut finished = run_program(&loaded, request, &STOP, &mut |ran| {
        if !shown(ran) {
            return;
        }
        unwritten.extend(files::write(ran, out, &loaded, request, look));
        if !as_json {
            bar.aside(|| {
                ran.variants.iter().for_each(|v| say(&table::run(v, style)));
                if args.plots.plot_terminal {
                    say(&in_terminal(ran, style.is_coloured()));
                }
                let notes = ran.notes.iter().map(|n| format!("  {}\n", style.faint(&format!("note: {n}"))));
                notes.for_each(|n| say(&n));
            });
        }
        results.runs.extend(ran.variants.iter().cloned());
    });
    bar.finish();
    if let Some(path) = &args.report {
        unwritten.extend(report::write(path, &loaded, &finished.runs, out, request));
    }
    finished.problems.extend(unwritten);
    unknown_runs(&loaded, request, &mut finished);
    if !finished.problems.iter().any(Diagnostic::is_error) {
        finished.problems.extend(no_run(&loaded));
    }
    tell(cli, &finished.problems, &loaded.sources);
    if finished.interrupted && results.runs.is_empty() {
        eprintln!("interrupted before any path was finished");
    }
    if as_json {
        results.report = args.report.as_ref().map(|p| p.display().to_string());
        say(&format!("{}\n", json::to_json(&results)));
    }
    code(&finished)
}

/// How plots are written.
fn look(plots: &Plots) -> Look {
    let theme = match plots.plot_theme {
        PlotTheme::Light => &LIGHT,
        PlotTheme::Dark => &DARK,
    };
    Look { theme, png: plots.plot_format == PlotFormat::Png, no_files: plots.plot_terminal }
}

/// Names given by `--run` that no run has.
pub(super) fn unknown_runs(loaded: &Loaded, request: &Request, finished: &mut Finished) {
    if loaded.has_errors() {
        return;
    }
    let known: Vec<&str> = loaded.library.runs().map(|(_, r)| r.name.name.as_str()).collect();
    for name in request.runs.iter().filter(|n| !known.contains(&n.as_str())) {
        let span = Span { file: loaded.main, start: 0, end: 0 };
        let mut problem =
            Diagnostic::error(codes::UNKNOWN_NAME, format!("the file has no run `{name}`"), span, "this file")
                .note(format!("its runs: {}", known.join(", ")));
        if let Some(near) = crate::diagnostics::suggest(name, known.iter().copied()).first() {
            problem = problem.help(format!("did you mean `{near}`?"));
        }
        finished.problems.push(problem);
        finished.started = false;
    }
}

/// A file that declares no run is a library: there is nothing to do, which is said.
fn no_run(loaded: &Loaded) -> Option<Diagnostic> {
    if loaded.library.runs().next().is_some() {
        return None;
    }
    let span = Span { file: loaded.main, start: 0, end: 0 };
    let problem = Diagnostic::warning(codes::NO_RUN, "the file has no run, so nothing is done", span, "this file");
    Some(problem.help("add `run NAME { ... }`; `fokker check` looks at models by themselves"))
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
    if worst != exit::WRONG_PROGRAM || passed + failed > 0 {
        say(&format!("{passed} passed, {failed} failed\n"));
    }
    worst
}

fn test_file(cli: &Cli, file: &Path, overrides: &Overrides) -> (u8, usize, usize) {
    let loaded = load_file(file, &options(cli));
    let bar = bar(cli, false);
    let request = Request { progress: Some(bar.progress()), ..request(overrides, &[]) };
    let finished = run_program(&loaded, &request, &STOP, &mut |_| {});
    bar.finish();
    tell(cli, &finished.problems, &loaded.sources);
    let style = style(cli);
    let total: usize = finished.runs.iter().map(Ran::checks).sum();
    let failed: usize = finished.runs.iter().map(Ran::failed_checks).sum();
    let shown = file.display();
    // Of a program that was refused there is nothing to count.
    if finished.started || !finished.problems.iter().any(Diagnostic::is_error) {
        say(&format!("{shown}: {} of {total} checks hold\n", total - failed));
    }
    for ran in finished.runs.iter().filter(|r| r.failed_checks() > 0) {
        for variant in ran.variants.iter().filter(|v| v.checks.iter().any(|c| !c.passed)) {
            say(&table::run(variant, style));
        }
    }
    (code(&finished), total - failed, failed)
}

fn code(finished: &Finished) -> u8 {
    if finished.problems.iter().any(Diagnostic::is_error) {
        return if finished.started { exit::RUN_FAILED } else { exit::WRONG_PROGRAM };
    }
    if finished.interrupted {
        return exit::INTERRUPTED;
    }
    if finished.runs.iter().any(Ran::lost) {
        return exit::RUN_FAILED;
    }
    if finished.runs.iter().any(|r| r.failed_checks() > 0) { exit::CHECK_FAILED } else { exit::DONE }
}
