//! Who waits for what: answers from the text come at once, and nothing waits for a study of an older text.

use std::time::{Duration, Instant};

use lsp_server::{Message, Request};
use serde_json::{Value, json};

use crate::client::{Client, URI, nth, params_at};

/// The dearest of the examples.
const DEAR: &str = include_str!("../../examples/systems/009_sqrtd.sde");

fn change(client: &mut Client, version: i32, text: &str) {
    let document = json!({ "uri": URI, "version": version });
    client.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [{ "text": text }] }));
}

#[test]
fn a_newer_text_ends_what_waits_for_an_older_one() {
    let mut client = Client::new("newer");
    // Many runs, each of which takes its time.
    let runs = |n: usize| {
        let run = &DEAR[nth(DEAR, "\nrun ", 0)..];
        let one = |k: usize| run.replacen("run ", &format!("run more{k}_"), 1);
        DEAR.to_string() + &(0..n).map(one).collect::<String>()
    };
    let old = runs(20);
    client.open(URI, "");
    change(&mut client, 2, &old);
    let hover = params_at(URI, &old, nth(&old, "model ", 0) + 6, json!({}));
    client.send(Message::Request(Request::new(1001.into(), "textDocument/hover".into(), hover)));
    change(&mut client, 3, "model m() {\n  state x = 0.0\n  dx = zz dt\n}\n");
    // Completion does not wait for either.
    let began = Instant::now();
    client.send(Message::Request(Request::new(
        1002.into(),
        "textDocument/completion".into(),
        json!({ "textDocument": { "uri": URI }, "position": { "line": 2, "character": 7 } }),
    )));
    let mut told: Vec<Value> = Vec::new();
    let (mut completed, mut hovered) = (None, None);
    while told.is_empty() || completed.is_none() || hovered.is_none() {
        match client.read() {
            Message::Response(r) if r.id == 1002.into() => completed = Some(began.elapsed()),
            Message::Response(r) => hovered = Some(r.response_result.map_err(|e| e.code)),
            Message::Notification(n) if n.params["version"] == 3 => told.push(n.params["diagnostics"].clone()),
            Message::Notification(n) => assert_ne!(n.params["version"], 2, "nobody asks for the older text any more"),
            Message::Request(request) => panic!("not expected: {request:?}"),
        }
    }
    assert_eq!(told[0][0]["code"], "E0201");
    assert_eq!(hovered.expect("an answer"), Err(-32801), "the content was modified");
    assert!(completed.expect("an answer") < Duration::from_secs(5));
}

#[test]
fn a_request_can_be_taken_back() {
    let mut client = Client::new("cancel");
    client.open(URI, DEAR);
    let symbols = json!({ "textDocument": { "uri": URI } });
    client.tell("$/cancelRequest", json!({ "id": 77 }));
    let hover = params_at(URI, DEAR, nth(DEAR, "model ", 0) + 6, json!({}));
    client.send(Message::Request(Request::new(77.into(), "textDocument/hover".into(), hover)));
    match client.read() {
        Message::Response(r) => assert_eq!(r.response_result.map_err(|e| e.code), Err(-32800)),
        other => panic!("not expected: {other:?}"),
    }
    assert!(!client.ask("textDocument/documentSymbol", symbols).as_array().expect("a list").is_empty());
}
