//! Programs of the book. A block `sde` runs and its checks hold; `exit=1` says that one does not; `error=E0405` names what
//! is told of a wrong program; `check-only` is not run. Debug builds run nothing.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::page::Block;

/// Not held against a program: pages also show declarations by themselves.
const NO_RUN: &str = "W0511";

pub fn try_out(block: &Block, folder: &Path) -> Result<(), String> {
    let name = block.option("file").map_or(format!("line_{}.sde", block.line), str::to_string);
    std::fs::write(folder.join(&name), &block.text).expect("a program can be written");
    let wanted: Vec<&str> = block.option("error").into_iter().collect();
    let told = codes(&name, folder);
    if told != wanted {
        return Err(format!("{told:?} is told of the program, and {wanted:?} is wanted"));
    }
    if cfg!(debug_assertions) || !wanted.is_empty() || block.has("check-only") {
        return Ok(());
    }
    let wanted: i32 = block.option("exit").map_or(0, |code| code.parse().expect("an exit code"));
    let ran = fokker(&["run", &name], folder);
    match ran.status.code() {
        Some(code) if code == wanted => Ok(()),
        code => Err(format!(
            "exit code {code:?} where {wanted} is wanted\n{}{}",
            String::from_utf8_lossy(&ran.stdout),
            String::from_utf8_lossy(&ran.stderr)
        )),
    }
}

/// The codes of all that is told of a program.
fn codes(name: &str, folder: &Path) -> Vec<String> {
    let out = fokker(&["check", "--message-format", "json", name], folder);
    String::from_utf8_lossy(&out.stderr)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|e| panic!("{name}: {e}: {line}")))
        .map(|told| told["code"].as_str().expect("a code").to_string())
        .filter(|code| code != NO_RUN)
        .collect()
}

fn fokker(args: &[&str], folder: &Path) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_fokker")).args(args).current_dir(folder).output().expect("fokker starts")
}
