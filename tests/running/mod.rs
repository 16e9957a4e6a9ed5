//! What the tests that run whole programs share.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use fokker::diagnostics::render;
use fokker::session::load::{Loaded, Options, load_file};
use fokker::session::{Finished, Request, check_loaded, run_program};

/// The names of the programs of a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder of programs")
        .map(|entry| entry.expect("an entry of the folder").path())
        .filter(|path| path.extension().is_some_and(|e| e == "sde"))
        .map(|path| path.file_stem().expect("a file has a name").to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Works a program out without running it: no errors.
pub fn check(path: &Path) {
    let loaded = load_file(path, &Options::default());
    let problems = check_loaded(&loaded);
    assert!(!problems.iter().any(|p| p.is_error()), "{}", told(&loaded, &problems));
}

/// Runs a program, with fewer paths where given: no errors, and all checks hold.
pub fn run(path: &Path, paths: Option<u64>) {
    let (loaded, finished) = finish(path, paths);
    assert!(!finished.problems.iter().any(|p| p.is_error()), "{}", told(&loaded, &finished.problems));
    assert_eq!(finished.runs.len(), loaded.library.runs().count(), "every run has results");
    for ran in &finished.runs {
        for variant in &ran.variants {
            let failed: Vec<_> = variant.checks.iter().filter(|c| !c.passed).collect();
            assert!(failed.is_empty(), "{} of {}: {failed:#?}", ran.name, path.display());
        }
    }
}

/// Everything that came of running a program.
pub fn finish(path: &Path, paths: Option<u64>) -> (Loaded, Finished) {
    let loaded = load_file(path, &Options::default());
    let request = Request { paths, ..Request::default() };
    let finished = run_program(&loaded, &request, &AtomicBool::new(false), &mut |_| {});
    (loaded, finished)
}

fn told(loaded: &Loaded, problems: &[fokker::diagnostics::Diagnostic]) -> String {
    problems.iter().map(|p| render(p, &loaded.sources, false)).collect::<Vec<_>>().join("\n")
}
