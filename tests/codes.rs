//! The explanations of the codes: a program that is wrong meets its code, and the one that is right is not refused.

use std::process::Command;

use fokker::diagnostics::codes;
use fokker::session::check_source;

/// Expressions are recursive, and inlined functions multiply their depth: as on the command line.
const STACK: usize = 1 << 30;

/// Codes without a program that is wrong: their texts are none, too long to read, or no programs.
const WITHOUT: [&str; 3] = ["E0101", "E0107", "E0607"];

/// The codes that a program is told when its names, kinds and runs are looked at.
fn told(text: &str) -> Vec<String> {
    let text = text.to_string();
    let check = move || check_source("example.sde", &text).0.iter().map(|d| d.code.to_string()).collect();
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(check).expect("a thread");
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// What a program says when it is run, beside its data.
fn said(code: &str, program: &str, data: Option<&str>) -> String {
    let folder = std::env::temp_dir().join(format!("fokker-codes-{}-{code}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
    std::fs::write(folder.join("example.sde"), program).expect("the temporary folder can be written");
    if let Some(data) = data {
        std::fs::write(folder.join("data.csv"), data).expect("the temporary folder can be written");
    }
    let mut fokker = Command::new(env!("CARGO_BIN_EXE_fokker"));
    let output = fokker.current_dir(&folder).args(["run", "example.sde"]).output().expect("fokker starts");
    let _ = std::fs::remove_dir_all(&folder);
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Every code that stands in brackets in what was said.
fn codes_in(said: &str) -> Vec<&str> {
    let codes = said.split('[').skip(1).filter_map(|rest| Some(rest.split_once(']')?.0));
    codes.filter(|c| codes::explanation(c).is_some()).collect()
}

/// A program that is wrong is told its code, when it is looked at or when it is run; one that is right is told nothing.
#[test]
fn examples_are_what_they_say() {
    let mut failures = Vec::new();
    for (code, _) in codes::TABLE {
        let explanation = codes::explanation(code.0).expect("every code is explained");
        let Some(wrong) = explanation.example("wrong") else { continue };
        let data = |which: &str| explanation.example(&format!("{which} data.csv"));
        let right = explanation.example("right").or_else(|| data("right").map(|_| wrong.clone()));
        let codes = told(&wrong);
        if data("wrong").is_none() && codes.contains(&code.0.to_string()) {
            if let Some(right) = right.filter(|right| !told(right).is_empty()) {
                failures.push(format!("{code}, right: told {:?}\n{right}", told(&right)));
            }
            continue;
        }
        let said = |program: &str, which: &str| said(code.0, program, data(which).as_deref());
        let told = said(&wrong, "wrong");
        if !codes_in(&told).contains(&code.0) {
            failures.push(format!("{code}, wrong: told {codes:?}, and\n{told}"));
        }
        // That there is no run is told of every file that declares nothing else.
        let told = right.as_ref().map(|right| said(right, "right")).unwrap_or_default();
        if codes_in(&told).iter().any(|c| *c != "W0511") || code.0 == "W0511" && !codes_in(&told).is_empty() {
            failures.push(format!("{code}, right: told\n{told}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn codes_without_examples_are_known() {
    let without =
        codes::TABLE.iter().filter(|(code, _)| codes::explanation(code.0).is_none_or(|e| e.example("wrong").is_none()));
    let without: Vec<&str> = without.map(|(code, _)| code.0).collect();
    assert_eq!(without, WITHOUT);
}

#[test]
fn explanations_say_more_than_titles() {
    for (code, title) in codes::TABLE {
        let text = codes::explanation(&code.0.to_lowercase()).expect("letters of either case").text;
        assert!(text.len() > title.len() + 20, "{code}");
        let outside = text.lines().filter(|l| !l.starts_with("    "));
        assert!(outside.clone().all(|l| l.chars().count() <= 110), "{code} has long lines");
    }
}
