//! The parser cuts a text into statements and parses each by itself; the grammar can also read a whole text at once.
//! Both must accept the same texts.

use super::grammar::{Grammar, Rule};
use super::layout::layout;
use crate::source::FileId;
use pest::Parser;
use proptest::prelude::*;

/// Whether the rule `file` accepts a text, once the layout pass has found nothing wrong with it.
fn accepted_whole(text: &str) -> Option<bool> {
    let layout = layout(FileId(0), text);
    layout.problems.is_empty().then(|| Grammar::parse(Rule::file, &layout.masked).is_ok())
}

fn agree(text: &str) -> Result<(), String> {
    let parsed = super::parse(FileId(0), text);
    let Some(whole) = accepted_whole(text) else { return Ok(()) };
    // The builder refuses two things that the grammar cannot say.
    let beyond = |m: &str| m.starts_with("the function") || m.ends_with("than what it multiplies");
    let problems: Vec<&str> = parsed.problems.iter().map(|p| p.message.as_str()).filter(|m| !beyond(m)).collect();
    if whole == problems.is_empty() {
        Ok(())
    } else {
        Err(format!("whole: {whole}, by statements: {problems:?}\n{text}"))
    }
}

/// Words from which statements of every kind can be made, and some that fit nowhere.
pub const WORDS: &[&str] = &[
    "model",
    "target",
    "solver",
    "run",
    "fn",
    "const",
    "data",
    "use",
    "let",
    "state",
    "noise",
    "weight",
    "part",
    "step",
    "every",
    "at",
    "rate",
    "when",
    "if",
    "then",
    "else",
    "for",
    "in",
    "and",
    "or",
    "not",
    "return",
    "report",
    "check",
    "sweep",
    "save",
    "to",
    "init",
    "time",
    "paths",
    "steps",
    "over",
    "last",
    "on",
    "with",
    "potential",
    "order",
    "true",
    "x",
    "y",
    "dx",
    "dW",
    "dt",
    "f",
    "o",
    "σ",
    "x'",
    "1",
    "2.5",
    "0",
    "1e-3",
    "\"a\"",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "{ }",
    "()",
    "+",
    "-",
    "*",
    "/",
    "^",
    "@",
    "=",
    "==",
    "<",
    "~",
    "->",
    "..",
    ",",
    ":",
    ".",
    "∘",
    "\n",
    "\n",
    ";",
    "# c\n",
    " ",
];

#[test]
fn whole_and_by_statements_on_programs() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["examples", "tests/data/programs", "tests/data/mistakes"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "sde") {
                agree(&std::fs::read_to_string(&path).unwrap()).unwrap();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn whole_and_by_statements_on_words(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..30)) {
        agree(&words.join(" ")).map_err(TestCaseError::fail)?;
    }

    /// Statements with one word changed are nearly right, so that both ways get far.
    #[test]
    fn whole_and_by_statements_on_changed_statements(at in 0usize..200, word in proptest::sample::select(WORDS)) {
        let text = "model m ( k = 1 , n : int = 2 in [ 0 , 3 ) ) { state x : real [ n ] ~ normal ( 0 , 1 ) ; let u = if k > 1 then x else - x ^ 2 \n \
            dx [ i ] = - k * x [ i ] dt + k ∘ dW [ i ] for i in 0 .. n ; every 2 steps { let a = f ( y -> y , b = 2 ) \n x' [ 0 ] = a } } \n \
            solver s ( ) on ito ( a , b ) for scalar { order strong = 1 ; step { x' = x + a ( t , x ) * dt } } \n \
            run r { model = m ( ) ; time = 0 .. 1 step 1e-3 ; report mean ( x ) , std ( x ) over t in [ 0 , 1 ] every 0.1 , last 3 steps }";
        let mut words: Vec<&str> = text.split(' ').collect();
        let at = at % words.len();
        words[at] = word;
        agree(&words.join(" ")).map_err(TestCaseError::fail)?;
        words.remove(at);
        agree(&words.join(" ")).map_err(TestCaseError::fail)?;
    }
}
