//! The prompt, driven by texts: each `tests/repl/*.txt` is a session, and what is said stands beside it in a `.out` file;
//! `UPDATE=1 cargo test --test repl` writes these anew.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn session(folder: &Path, text: &str) -> String {
    let mut fokker = Command::new(env!("CARGO_BIN_EXE_fokker"))
        .current_dir(folder)
        .arg("repl")
        .env_remove("COLUMNS")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("fokker starts");
    fokker.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("fokker reads");
    let output = fokker.wait_with_output().expect("fokker ends");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = without_times(&String::from_utf8_lossy(&output.stdout));
    // What went wrong is in the exit code: a text from a pipe is a program too.
    let wanted = match () {
        _ if said.contains("error[") => 2,
        _ if said.contains('✗') => 1,
        _ => 0,
    };
    assert_eq!(output.status.code(), Some(wanted), "{said}");
    said
}

/// The seconds that a run took, and the costs of steps, are the machine's.
fn without_times(text: &str) -> String {
    let mut out = String::new();
    let mut costs = false;
    for line in text.lines() {
        let line = line.trim_end();
        costs = line.ends_with("µs a path") || costs && line.trim_start().starts_with(|c: char| c.is_ascii_digit());
        let line = match line.rsplit_once(' ') {
            Some((before, _)) if costs && !line.ends_with("µs a path") => before.trim_end(),
            _ => line,
        };
        let kept = line.strip_suffix(" s").and_then(|l| l.rsplit_once(", ")).filter(|(_, n)| n.parse::<f64>().is_ok());
        out += kept.map_or(line, |(before, _)| before);
        out.push('\n');
    }
    out
}

fn sessions() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repl");
    let entries = std::fs::read_dir(folder).expect("the folder of sessions").map(|e| e.expect("an entry").path());
    let mut found: Vec<PathBuf> = entries.filter(|p| p.extension().is_some_and(|e| e == "txt")).collect();
    found.sort();
    assert!(found.len() >= 4);
    found
}

#[test]
fn sessions_say_what_stands_beside_them() {
    let mut failures = Vec::new();
    for path in sessions() {
        let text = std::fs::read_to_string(&path).expect("a session");
        let said = session(path.parent().expect("a folder"), &text);
        let beside = path.with_extension("out");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&beside, &said).expect("the folder can be written");
        } else if std::fs::read_to_string(&beside).unwrap_or_default() != said {
            failures.push(format!("{}:\n{said}", path.display()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What the prompt says of a run is what `fokker run` says, and asking again takes the numbers of the run.
#[test]
fn a_run_at_the_prompt_is_the_run_of_a_file() {
    let folder = std::env::temp_dir().join(format!("fokker-repl-{}-same", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
    let program = "model ou(k = 1.0) { state x: real[2] = 1; dx = -k*x dt + dW }\n\
                   run r { model = ou(); solver = heun; time = 0 .. 1 step 0.1; paths = 777; seed = 5\n\
                   report mean(x), quantile(x, 0.3), corr(x[0], x[1]) }\n";
    std::fs::write(folder.join("r.sde"), program).expect("the temporary folder can be written");
    let run = Command::new(env!("CARGO_BIN_EXE_fokker")).current_dir(&folder).args(["run", "r.sde"]).output();
    let of_file = without_times(&String::from_utf8_lossy(&run.expect("fokker starts").stdout));
    let at_prompt = session(&folder, program);
    assert!(at_prompt.starts_with(&of_file), "{at_prompt}\n{of_file}");
    // adaptive runs too, whose steps depend on what is looked at
    let adaptive = program.replace("step 0.1", "tol 1e-2");
    std::fs::write(folder.join("r.sde"), &adaptive).expect("the temporary folder can be written");
    let run = Command::new(env!("CARGO_BIN_EXE_fokker")).current_dir(&folder).args(["run", "r.sde"]).output();
    let of_file = without_times(&String::from_utf8_lossy(&run.expect("fokker starts").stdout));
    assert!(session(&folder, &adaptive).starts_with(&of_file));
    let again = session(&folder, &(program.to_string() + "mean(r.x)\nquantile(r.x, 0.3)\ncorr(r.x[0], r.x[1])\n"));
    let asked: Vec<&str> = again.lines().rev().take(3).collect();
    let reported: Vec<&str> = again.lines().filter(|l| l.contains(" ± ")).collect();
    let number = |l: &str| l.rsplit("  ").next().unwrap_or_default().trim().to_string();
    assert_eq!(asked[2], format!("[{}, {}]", number(reported[0]), number(reported[1])), "{again}");
    assert_eq!(asked[1], format!("[{}, {}]", number(reported[2]), number(reported[3])), "{again}");
    assert_eq!(asked[0], number(reported[4]), "{again}");
    let _ = std::fs::remove_dir_all(&folder);
}

/// Plots are written where they say; what was kept for them is in their captions.
#[test]
fn plots_of_what_was_kept_are_written() {
    let folder = std::env::temp_dir().join(format!("fokker-repl-{}-plots", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
    let text = "model ou() { state x = 1.0; dx = -x dt + dW }\n\
                run r { model = ou(); solver = heun; time = 0 .. 1 step 0.1; paths = 100 }\n\
                :plot paths(r.x) to \"paths.svg\"\nplot histogram(r.x) to \"x.png\"\n:pl fan(r.x) to \"fan.gif\"\n";
    let said = session(&folder, text);
    assert!(said.contains("plotted paths.svg\nplotted x.png\n"), "{said}");
    assert!(said.contains("`fan.gif` names no format"), "{said}");
    let paths = std::fs::read_to_string(folder.join("paths.svg")).expect("a file of the plot");
    assert!(paths.contains("first 16 of 100 paths; 16 whole paths were kept, at 11 times"), "{paths}");
    assert!(std::fs::read(folder.join("x.png")).expect("a file of the plot").starts_with(b"\x89PNG"));
    let _ = std::fs::remove_dir_all(&folder);
}

/// A saved session runs, and is written over only where it is one.
#[test]
fn a_session_is_saved_as_a_file_that_runs() {
    let folder = std::env::temp_dir().join(format!("fokker-repl-{}-save", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
    std::fs::write(folder.join("mine.sde"), "# mine\n").expect("the temporary folder can be written");
    let text = "let k = 2\n## Pulled.\nmodel ou() { state x = 1.0; dx = -k*x dt + dW }\n1 + 1\n\
                run r { model = ou(); solver = heun; time = 0 .. 1 step 0.1; paths = 10; report mean(x) }\n\
                const k = 3\n:save s.sde\n:save s.sde\n:save mine.sde\n";
    let said = session(&folder, text);
    assert_eq!(said.matches("saved s.sde").count(), 2, "{said}");
    assert!(said.contains("`mine.sde` is there, and is no saved session"), "{said}");
    let saved = std::fs::read_to_string(folder.join("s.sde")).expect("a saved session");
    assert!(saved.contains("const k = 3\n\n## Pulled.\nmodel ou()"), "{saved}");
    let run = Command::new(env!("CARGO_BIN_EXE_fokker")).current_dir(&folder).args(["run", "s.sde"]).output();
    assert!(run.expect("fokker starts").status.success());
    let _ = std::fs::remove_dir_all(&folder);
}
