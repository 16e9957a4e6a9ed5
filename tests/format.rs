//! The formatter on programs that ship, and on changed ones: the tree and the comments stay, a second time changes nothing.

mod support;

use fokker::source::FileId;
use fokker::syntax::{format::format, lex, parse};
use proptest::prelude::*;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use support::{programs, without_spans};

/// The files of the project that are kept formatted. Programs of `tests/ui`, `tests/data` are as their authors wrote them on
/// purpose.
const KEPT: [&str; 4] = ["stdlib", "examples", "tests/programs", "tests/numerics"];

fn files(folders: &[&str]) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<_> = folders.iter().map(|f| root.join(f)).collect();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of programs") {
            let path = entry.expect("an entry of the folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "sde")
                && let Ok(text) = std::fs::read_to_string(&path)
            {
                found.push((path.display().to_string(), text));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty());
    found
}

/// Formats a text and checks what must hold; `None` if it is broken.
fn formatted(text: &str) -> Result<Option<String>, TestCaseError> {
    let Ok(once) = format(FileId(0), text) else {
        prop_assert!(parse(FileId(0), text).problems.iter().any(|p| p.is_error()));
        return Ok(None);
    };
    let (before, after) = (parse(FileId(0), text), parse(FileId(0), &once));
    prop_assert!(after.problems.is_empty(), "{text:?} became {once:?}: {:?}", after.problems);
    prop_assert_eq!(shape(&before.file), shape(&after.file), "{:?} became {:?}", text, once);
    prop_assert_eq!(comments(text), comments(&once), "{:?} became {:?}", text, once);
    prop_assert_eq!(&format(FileId(0), &once).expect("it parses"), &once, "not stable: {:?}", text);
    prop_assert!(once.lines().all(|line| !line.ends_with(' ')), "{once:?}");
    Ok(Some(once))
}

fn shape<T: std::fmt::Debug>(tree: &T) -> String {
    without_spans(&format!("{tree:?}"))
}

/// Comments, and whether each stands on a line of its own.
fn comments(text: &str) -> Vec<(String, bool)> {
    lex(FileId(0), text).comments.into_iter().map(|c| (c.text, c.own_line)).collect()
}

#[test]
fn files_of_the_project_are_formatted() {
    for (name, text) in files(&KEPT) {
        let now = format(FileId(0), &text).unwrap_or_else(|p| panic!("{name}: {p:?}"));
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&name, now).expect("a file of the project can be written");
        } else {
            assert!(now == text, "{name} is not formatted: fokker fmt {name}");
        }
    }
}

#[test]
fn every_program_keeps_its_tree_and_comments() {
    let mut count = 0;
    for (name, text) in files(&["stdlib", "examples", "tests"]) {
        count += usize::from(formatted(&text).unwrap_or_else(|e| panic!("{name}: {e}")).is_some());
    }
    assert!(count > 300, "only {count} programs parse");
}

/// White space, comments and brackets that an author may put between two tokens.
const BETWEEN: [&str; 12] =
    ["", " ", "  ", "\n", "\n\n\n", "\t", " # c\n", "\n# own\n", "\n\n## doc\n  ", ";", " ; # c\n", "\r\n   "];

/// A program with other white space between some of its tokens.
fn respaced() -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), 0..BETWEEN.len());
    (prop::sample::select(programs()), prop::collection::vec(change, 1..12)).prop_map(|((_, mut text), changes)| {
        for (place, what) in changes {
            let tokens = lex(FileId(0), &text).tokens;
            let token = tokens[place.index(tokens.len())];
            text.insert_str(token.start, BETWEEN[what]);
        }
        text
    })
}

/// A program without any white space that is not needed, but for the ends of lines.
fn squeezed(text: &str) -> String {
    text.lines().map(|line| line.trim().replace(", ", ",").replace(" = ", "=").replace(" + ", "+") + "\n").collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn other_spaces_and_comments(text in respaced()) {
        formatted(&text)?;
    }

    #[test]
    fn squeezed_programs(text in respaced()) {
        formatted(&squeezed(&text))?;
    }
}

#[test]
fn layout_does_not_depend_on_indentation() {
    for (name, text) in files(&["stdlib", "examples"]) {
        let flat: String = text.lines().map(|l| l.trim_start().to_string() + "\n").collect();
        let deep: String = text.lines().map(|l| format!("     {l}\n")).collect();
        assert!(formatted(&flat).expect("it formats").is_some(), "{name}");
        assert!(formatted(&deep).expect("it formats") == Some(text), "{name}");
    }
}

// ---- the command ----

fn fokker(args: &[&str], stdin: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fokker"));
    let child = command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("fokker starts");
    child.stdin.take().expect("a pipe").write_all(stdin).expect("fokker reads");
    child.wait_with_output().expect("fokker ends")
}

#[test]
fn stdin_goes_to_stdout() {
    let output = fokker(&["fmt", "-"], b"const a=1");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"const a = 1\n"[..]));
    let output = fokker(&["fmt", "-"], b"const a=");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("stdin:1:"));
}

#[test]
fn files_are_written_in_place_and_broken_ones_left_alone() {
    let folder = std::env::temp_dir().join(format!("fokker-format-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
    let file = |name: &str, text: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("the temporary folder can be written");
        path.display().to_string()
    };
    let (good, ugly) = (file("good.sde", b"const a = 1\n"), file("ugly.sde", b"const a = 1\nconst b=1"));
    let (broken, bytes) = (file("broken.sde", b"const a= ("), file("bytes.sde", b"const a=1 # \xff"));
    let code = |args: &[&str]| fokker(args, b"").status.code();

    assert_eq!(code(&["fmt", "--check", &good]), Some(0));
    let told = fokker(&["fmt", "--check", &good, &ugly], b"");
    assert_eq!(told.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&told.stdout), format!("{ugly}:2: not formatted\n"));
    assert_eq!(code(&["fmt", &broken, &ugly, &bytes]), Some(2), "the worst decides");
    let read = |path: &str| std::fs::read(path).expect("a file that was written");
    assert_eq!(read(&ugly), b"const a = 1\nconst b = 1\n");
    assert_eq!(read(&broken), b"const a= (");
    assert_eq!(read(&bytes), b"const a=1 # \xff");
    let missing = folder.join("none.sde").display().to_string();
    let told = fokker(&["fmt", &missing], b"");
    assert_eq!(told.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&told.stderr).contains("E0601"));
    std::fs::remove_dir_all(&folder).expect("the temporary folder can be removed");
}
