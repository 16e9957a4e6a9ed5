//! Broken programs and what they are told. Every `tests/ui/**/*.sde` begins with a line `# expect CODE ...`: the codes of
//! its diagnostics in the order of the text, or `ok` for a program that may not be refused. What is shown to the user
//! stands beside it in a `.stderr` file; `UPDATE=1 cargo test --test ui` writes these anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fokker::diagnostics::{Diagnostic, codes, render};
use fokker::session::{check_loaded, load};

/// Codes that need more than the text of a program: paths that diverge, checks that fail, files that cannot be written,
/// manifests, and the random points of an invariance check. The tests of the command line have them.
const AT_RUN_TIME: [&str; 6] = ["E0507", "E0508", "E0510", "W0511", "E0606", "E0607"];

/// Expressions are recursive, and inlined functions multiply their depth: as on the command line.
const STACK: usize = 1 << 30;

/// The diagnostics of a program, and how they are shown.
fn check(path: &Path, bytes: &[u8], kept: &mut Option<load::Shelf>) -> (Vec<Diagnostic>, String) {
    let name = path.display().to_string().replace('\\', "/");
    let loaded = load::load_again(&name, Some(path.to_path_buf()), bytes, &load::Options::default(), kept);
    let diagnostics = check_loaded(&loaded);
    let shown: Vec<String> = diagnostics.iter().map(|d| render(d, &loaded.sources, false)).collect();
    (diagnostics, shown.join("\n"))
}

#[test]
fn programs_are_told_what_stands_beside_them() {
    let all = std::thread::Builder::new().stack_size(STACK).spawn(tell_all);
    all.expect("a thread").join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

fn tell_all() {
    let update = std::env::var_os("UPDATE").is_some();
    let (mut failures, mut kept) = (Vec::new(), None);
    for path in programs() {
        let bytes = std::fs::read(&path).expect("a file that was just listed");
        let (diagnostics, shown) = check(&path, &bytes, &mut kept);
        let told: Vec<&str> = diagnostics.iter().map(|d| d.code.0).collect();
        let expected = expected(&path, &bytes);
        if told != expected {
            failures.push(format!("{}: expected {expected:?}, told {told:?}\n{shown}", path.display()));
        }
        if let Err(difference) = compare(&path.with_extension("stderr"), &shown, update) {
            failures.push(difference);
        }
    }
    assert!(failures.is_empty(), "{} of the programs:\n\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_code_has_a_program() {
    let mut used = BTreeSet::from(AT_RUN_TIME.map(str::to_string));
    for path in programs() {
        used.extend(expected(&path, &std::fs::read(&path).expect("a file that was just listed")));
    }
    let known: BTreeSet<String> = codes::TABLE.iter().map(|(code, _)| code.0.to_string()).collect();
    assert_eq!(used.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new(), "codes that do not exist");
    assert_eq!(known.difference(&used).collect::<Vec<_>>(), Vec::<&String>::new(), "codes without a program");
}

#[test]
fn every_shown_text_has_its_program() {
    for shown in files("stderr") {
        assert!(shown.with_extension("sde").exists(), "{} is left over", shown.display());
    }
}

/// The programs, in the order of their paths.
fn programs() -> Vec<PathBuf> {
    let found = files("sde");
    assert!(found.len() > 100, "run from the root of the project");
    found
}

fn files(extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from("tests/ui")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of programs") {
            let path = entry.expect("an entry of the folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The codes on the first line; none for `ok`.
fn expected(path: &Path, bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let first = text.lines().next().unwrap_or("");
    let Some(codes) = first.strip_prefix("# expect ") else {
        panic!("{} does not begin with `# expect CODE`", path.display());
    };
    codes.split_whitespace().filter(|c| *c != "ok").map(str::to_string).collect()
}

/// Compares what is shown with the file that holds it (no file for nothing), or writes that file.
fn compare(file: &Path, shown: &str, update: bool) -> Result<(), String> {
    let kept = std::fs::read_to_string(file).unwrap_or_default();
    if kept == shown {
        return Ok(());
    }
    if update && shown.is_empty() {
        std::fs::remove_file(file).map_err(|e| format!("{}: {e}", file.display()))
    } else if update {
        std::fs::write(file, shown).map_err(|e| format!("{}: {e}", file.display()))
    } else {
        Err(format!("{}: kept\n{kept}\nshown now\n{shown}", file.display()))
    }
}
