//! The language server as an editor meets it: the binary, driven over stdio.

mod client;
mod completion;
mod mending;
mod names;
mod waiting;

use client::{Client, URI, nth, offset, position};
use serde_json::{Value, json};

const PROGRAM: &str = "## Relaxation towards `m`.
model ou(k = 1.0, m = 0.5) {
  state x: real[2] = [1, 0]
  let far = x - m
  dx = -k*far dt + 0.3 dW
}

run rest {
  model  = ou(k = 2)
  solver = heun
  time   = 0 .. 1 step 0.01
  paths  = 64
  report mean(far[0]), std(x[0])
}
";

#[test]
fn diagnostics_follow_the_text() {
    let mut client = Client::new("diagnostics");
    assert_eq!(client.open(URI, PROGRAM), Vec::<Value>::new());
    let broken = PROGRAM.replace("-k*far", "-kk*fat").replace("std(x[0])", "std(y)");
    let problems = client.change(URI, 2, &broken);
    assert_eq!(problems.len(), 3, "{problems:#?}");
    assert_eq!((&problems[0]["code"], &problems[0]["severity"]), (&json!("E0201"), &json!(1)));
    assert_eq!(offset(&broken, &problems[0]["range"]["start"]), nth(&broken, "kk", 0));
    assert!(problems[1]["message"].as_str().expect("a text").contains("did you mean `far`?"));
    let unfinished = PROGRAM.replace("  dx = -k*far dt + 0.3 dW\n", "  dx = -k*(far dt +\n");
    assert!(!client.change(URI, 3, &unfinished).is_empty());
    assert_eq!(client.change(URI, 4, PROGRAM), Vec::<Value>::new());
    client.tell("textDocument/didClose", json!({ "textDocument": { "uri": URI } }));
    assert_eq!(client.problems(URI), Vec::<Value>::new());
}

#[test]
fn hover_tells_types_documentation_and_equations() {
    let mut client = Client::new("hover");
    client.open(URI, PROGRAM);
    let mut told = |at: usize| {
        let hover = client.ask_at("textDocument/hover", URI, PROGRAM, at, json!({}));
        hover["contents"]["value"].as_str().unwrap_or("").to_string()
    };
    assert!(told(nth(PROGRAM, "far[0]", 0)).contains("(value) far: real[2]"));
    assert!(told(nth(PROGRAM, "x: real", 0)).contains("(state) x: real[2]"));
    assert!(told(nth(PROGRAM, "dx", 0) + 1).contains("(state) x: real[2]"));
    let model = told(nth(PROGRAM, "ou(k = 2)", 0));
    for part in ["model ou(k = 1.0, m = 0.5)", "Relaxation towards", "Noise: additive", "dx"] {
        assert!(model.contains(part), "{part} in {model}");
    }
    assert!(told(nth(PROGRAM, "heun", 0)).contains("Stochastic Heun"));
    assert!(told(nth(PROGRAM, "std(", 0)).contains("standard deviation"));
    assert_eq!(told(nth(PROGRAM, "0.3", 0)), "");
}

#[test]
fn definitions_are_found_in_the_text_and_in_the_library() {
    let mut client = Client::new("definition");
    client.open(URI, PROGRAM);
    let mut found = |at: usize| client.ask_at("textDocument/definition", URI, PROGRAM, at, json!({}));
    let far = found(nth(PROGRAM, "far[0]", 0));
    assert_eq!(far[0]["uri"], URI);
    assert_eq!(offset(PROGRAM, &far[0]["range"]["start"]), nth(PROGRAM, "far =", 0));
    let argument = found(nth(PROGRAM, "k = 2", 0));
    assert_eq!(offset(PROGRAM, &argument[0]["range"]["start"]), nth(PROGRAM, "k = 1.0", 0));
    let heun = found(nth(PROGRAM, "heun", 0));
    let path = heun[0]["uri"].as_str().and_then(|u| u.strip_prefix("file://")).expect("a file");
    let text = std::fs::read_to_string(path).expect("the library is written");
    assert_eq!(&text[offset(&text, &heun[0]["range"]["start"])..][..4], "heun");
    // Texts of the library are served like others.
    let uri = heun[0]["uri"].as_str().expect("a text").to_string();
    assert_eq!(client.open(&uri, &text), Vec::<Value>::new());
    let step = client.ask_at("textDocument/definition", &uri, &text, nth(&text, "e)", 0), json!({}));
    assert_eq!(offset(&text, &step[0]["range"]["start"]), nth(&text, "e = x", 0));
}

#[test]
fn signatures_of_calls() {
    let mut client = Client::new("signature");
    let text = PROGRAM.replace("ou(k = 2)", "ou(1, m = )").replace("std(x[0])", "quantile(x[0], 0.5)");
    client.open(URI, &text);
    let mut help = |at: usize| client.ask_at("textDocument/signatureHelp", URI, &text, at, json!({}));
    let call = help(nth(&text, "m = )", 0) + 4);
    assert_eq!(call["signatures"][0]["label"], "model ou(k = 1.0, m = 0.5)");
    assert_eq!(call["signatures"][0]["activeParameter"], 1);
    let statistic = help(nth(&text, "0.5)\n", 0));
    assert_eq!(
        (&statistic["signatures"][0]["label"], &statistic["activeParameter"]),
        (&json!("quantile(e, q)"), &json!(1))
    );
    assert_eq!(help(nth(&text, "solver", 0)), Value::Null);
}

#[test]
fn hints_and_symbols() {
    let mut client = Client::new("hints");
    client.open(URI, PROGRAM);
    let range = json!({ "start": position(PROGRAM, 0), "end": position(PROGRAM, PROGRAM.len()) });
    let hints = client.ask("textDocument/inlayHint", json!({ "textDocument": { "uri": URI }, "range": range }));
    let told: Vec<(usize, &str)> = hints
        .as_array()
        .expect("a list")
        .iter()
        .map(|h| (offset(PROGRAM, &h["position"]), h["label"].as_str().expect("a text")))
        .collect();
    assert_eq!(told, [(nth(PROGRAM, "far =", 0) + 3, ": real[2]"), (nth(PROGRAM, "{", 0) + 1, "noise: additive")]);
    let symbols = client.ask("textDocument/documentSymbol", json!({ "textDocument": { "uri": URI } }));
    let names = |of: &Value| -> Vec<String> {
        of.as_array().into_iter().flatten().map(|s| s["name"].as_str().unwrap_or("").to_string()).collect()
    };
    assert_eq!(names(&symbols), ["ou", "rest"]);
    assert_eq!(names(&symbols[0]["children"]), ["k", "m", "x", "far"]);
}

#[test]
fn positions_are_units_of_utf16() {
    let mut client = Client::new("units");
    let text = "model m(𝛼 = 1.0) {\n  state σ = 𝛼\n  dσ = 𝛼*zz dt\n}\n";
    let problems = client.open(URI, text);
    assert_eq!(offset(text, &problems[0]["range"]["start"]), nth(text, "zz", 0));
    let found = client.ask_at("textDocument/definition", URI, text, nth(text, "𝛼*", 0), json!({}));
    assert_eq!(offset(text, &found[0]["range"]["start"]), nth(text, "𝛼", 0));
}

#[test]
fn what_is_not_served_is_refused() {
    let mut client = Client::new("refused");
    assert!(client.try_ask("textDocument/foldingRange", json!({})).expect_err("refused").contains("not served"));
    let lost = json!({ "textDocument": { "uri": URI }, "position": { "line": 0, "character": 0 } });
    assert!(client.try_ask("textDocument/hover", lost).expect_err("refused").contains("not open"));
    assert!(client.try_ask("textDocument/hover", json!({})).is_err());
}
