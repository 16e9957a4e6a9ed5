//! Consoles of the book: what stands after `$ ` is run by a shell, and what it prints is compared with the lines below.
//!
//! `...` on a line of its own stands for any lines. Times are not compared. `UPDATE=1 cargo test --release --test docs`
//! writes the lines of commands whose output has no `...` anew.

use std::path::Path;
use std::process::Command;

use super::page::{Block, Edits};

pub fn compare(block: &Block, folder: &Path, new: &mut Edits) -> Result<(), String> {
    if cfg!(any(debug_assertions, not(unix))) {
        return Ok(());
    }
    let mut wrong = Vec::new();
    let mut text = String::new();
    let mut last = 0;
    for (command, shown) in commands(&block.text) {
        let (printed, code) = run(command, last, folder);
        last = code;
        let printed: Vec<&str> = printed.lines().collect();
        let same = fits(&comparable(&shown), &comparable(&printed));
        let keep = same || shown.contains(&"...");
        let lines = if keep { &shown } else { &printed };
        text += &format!("$ {command}\n");
        text.extend(lines.iter().map(|line| format!("{}\n", line.trim_end())));
        if !same {
            wrong.push(format!("`{command}` prints\n{}", printed.join("\n")));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    if std::env::var_os("UPDATE").is_some() && text != block.text {
        new.put(block, text);
        return Ok(());
    }
    Err(wrong.join("\n"))
}

/// Commands, each with the lines below it.
fn commands(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("$ "), found.last_mut()) {
            (Some(command), _) => found.push((command, Vec::new())),
            (None, Some((_, shown))) => shown.push(line),
            (None, None) => panic!("a console begins with a command: {line}"),
        }
    }
    found
}

/// What a command prints, on both streams, and its exit code. `last` is the code of the one before, which `$?` tells.
fn run(command: &str, last: i32, folder: &Path) -> (String, i32) {
    let binary = Path::new(env!("CARGO_BIN_EXE_fokker")).parent().expect("a folder").to_path_buf();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(binary).chain(std::env::split_paths(&path))).expect("a path");
    let out = Command::new("sh")
        .args(["-c", &format!("(exit {last}); {command} 2>&1")])
        .current_dir(folder)
        .env("PATH", path)
        .env_remove("COLUMNS")
        .output()
        .expect("a shell");
    (String::from_utf8_lossy(&out.stdout).into_owned(), out.status.code().expect("an exit code"))
}

/// Lines without what differs from run to run: the time at the end of a line, the last column of a table of costs, and
/// space at the end.
fn comparable(lines: &[&str]) -> Vec<String> {
    let mut costs = false;
    let mut out: Vec<String> = lines.iter().map(|line| without_times(line.trim_end(), &mut costs)).collect();
    while out.last().is_some_and(String::is_empty) {
        out.pop();
    }
    out
}

fn without_times(line: &str, costs: &mut bool) -> String {
    if line.ends_with("µs a path") {
        *costs = true;
        return line.to_string();
    }
    *costs &= line.trim_start().starts_with(|c: char| c.is_ascii_digit());
    let head = |line: &str| line.rsplit_once(' ').map_or(String::new(), |(head, _)| head.trim_end().to_string());
    match line.strip_suffix(" s").and_then(|rest| rest.rsplit_once(' ')) {
        _ if *costs => head(line),
        Some((before, time)) if time.parse::<f64>().is_ok() => before.to_string(),
        _ => line.to_string(),
    }
}

/// Whether lines fit a pattern in which `...` stands for any lines.
fn fits(pattern: &[String], lines: &[String]) -> bool {
    match pattern.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first == "..." => (0..=lines.len()).any(|k| fits(rest, &lines[k..])),
        Some((first, rest)) => lines.split_first().is_some_and(|(line, others)| line == first && fits(rest, others)),
    }
}

#[test]
fn times_are_not_compared() {
    let first =
        ["a  m by heun: 10 paths of 4 steps, seed 0, 0.31 s", "  steps  E  µs a path", "  8  0.1  0.05", "  x  1 ± 2 "];
    let other =
        ["a  m by heun: 10 paths of 4 steps, seed 0, 2 s", "  steps  E  µs a path", "  8  0.1  14.3", "  x  1 ± 2", ""];
    assert!(fits(&comparable(&first), &comparable(&other)));
    assert!(fits(&comparable(&["...", "  x  1 ± 2"]), &comparable(&other)));
    assert!(!fits(&comparable(&["...", "  x  1 ± 3"]), &comparable(&other)));
    assert!(!fits(&comparable(&["  8  0.2  0.05"]), &comparable(&["  8  0.1  0.05"])));
}
