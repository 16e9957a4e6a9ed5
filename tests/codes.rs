//! The explanations of the codes: a program that is wrong meets its code, and the one that is right is not refused.

use fokker::diagnostics::codes;
use fokker::session::check_source;

/// Expressions are recursive, and inlined functions multiply their depth: as on the command line.
const STACK: usize = 1 << 30;

/// Codes without a program that is wrong: what they tell of is no text, or known only when paths run.
const WITHOUT: [&str; 15] = [
    "E0101", "E0107", "W0212", "E0308", "E0507", "E0508", "E0509", "E0510", "W0511", "E0602", "E0603", "E0604",
    "E0605", "E0606", "E0607",
];

fn told(text: &str) -> Vec<String> {
    let text = text.to_string();
    let check = move || check_source("example.sde", &text).0.iter().map(|d| d.code.to_string()).collect();
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(check).expect("a thread");
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[test]
fn examples_are_what_they_say() {
    let mut failures = Vec::new();
    for (code, _) in codes::TABLE {
        let explanation = codes::explanation(code.0).expect("every code is explained");
        if let Some(wrong) = explanation.example("wrong") {
            let codes = told(&wrong);
            if !codes.contains(&code.0.to_string()) {
                failures.push(format!("{code}, wrong: told {codes:?}\n{wrong}"));
            }
        }
        if let Some(right) = explanation.example("right") {
            let codes = told(&right);
            if !codes.is_empty() {
                failures.push(format!("{code}, right: told {codes:?}\n{right}"));
            }
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
