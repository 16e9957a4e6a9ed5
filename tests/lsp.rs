//! The language server as an editor meets it: the binary, driven over stdio.

use std::io::BufReader;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use lsp_server::{Message, Notification, Request};
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

/// A client with one server, and a cache of its own.
struct Client {
    server: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    next: i32,
    cache: PathBuf,
    /// notifications that came while an answer was waited for
    notes: Vec<Notification>,
}

impl Client {
    fn new(name: &str) -> Client {
        let cache = std::env::temp_dir().join(format!("fokker-lsp-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&cache).expect("the temporary folder can be written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_fokker"));
        let command = command.arg("lsp").env("XDG_CACHE_HOME", &cache).env("LOCALAPPDATA", &cache);
        let mut server = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("fokker starts");
        let to = server.stdin.take().expect("a pipe");
        let from = BufReader::new(server.stdout.take().expect("a pipe"));
        let mut client = Client { server, to, from, next: 0, cache, notes: Vec::new() };
        let capabilities = json!({
            "general": { "positionEncodings": ["utf-16"] },
            "textDocument": { "completion": { "completionItem": { "snippetSupport": true } } }
        });
        let result = client.ask("initialize", json!({ "capabilities": capabilities }));
        assert_eq!(result["serverInfo"]["name"], "fokker");
        assert_eq!(result["capabilities"]["positionEncoding"], "utf-16");
        client.tell("initialized", json!({}));
        client
    }

    fn send(&mut self, message: Message) {
        message.write(&mut self.to).expect("the server reads");
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.send(Message::Notification(Notification::new(method.into(), params)));
    }

    fn read(&mut self) -> Message {
        Message::read(&mut self.from).expect("a message").expect("the server is there")
    }

    /// The answer to a request, or its error.
    fn try_ask(&mut self, method: &str, params: Value) -> Result<Value, String> {
        self.next += 1;
        self.send(Message::Request(Request::new(self.next.into(), method.into(), params)));
        loop {
            match self.read() {
                Message::Response(response) => {
                    assert_eq!(response.id, self.next.into());
                    return response.response_result.map_err(|e| e.message);
                }
                Message::Notification(note) => self.notes.push(note),
                Message::Request(request) => panic!("not expected: {request:?}"),
            }
        }
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.try_ask(method, params).unwrap_or_else(|e| panic!("{method}: {e}"))
    }

    /// Asks about a place of a document.
    fn ask_at(&mut self, method: &str, uri: &str, text: &str, at: usize, more: Value) -> Value {
        let params = params_at(uri, text, at, more);
        self.ask(method, params)
    }

    fn open(&mut self, uri: &str, text: &str) -> Vec<Value> {
        let document = json!({ "uri": uri, "languageId": "sde", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
        self.problems(uri)
    }

    fn change(&mut self, uri: &str, version: i32, text: &str) -> Vec<Value> {
        let document = json!({ "uri": uri, "version": version });
        self.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [{ "text": text }] }));
        self.problems(uri)
    }

    /// The next diagnostics of a document.
    fn problems(&mut self, uri: &str) -> Vec<Value> {
        loop {
            let note = if self.notes.is_empty() {
                match self.read() {
                    Message::Notification(note) => note,
                    other => panic!("not expected: {other:?}"),
                }
            } else {
                self.notes.remove(0)
            };
            if note.method == "textDocument/publishDiagnostics" && note.params["uri"] == uri {
                return note.params["diagnostics"].as_array().expect("a list").clone();
            }
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.ask("shutdown", Value::Null);
            self.tell("exit", Value::Null);
            assert!(self.server.wait().expect("the server ends").success());
        }
        let _ = self.server.kill();
        let _ = std::fs::remove_dir_all(&self.cache);
    }
}

/// A position, in units of UTF-16.
fn position(text: &str, at: usize) -> Value {
    let before = &text[..at];
    let line = before.rsplit('\n').next().unwrap_or("");
    json!({ "line": before.matches('\n').count(), "character": line.encode_utf16().count() })
}

fn params_at(uri: &str, text: &str, at: usize, more: Value) -> Value {
    let mut params = json!({ "textDocument": { "uri": uri }, "position": position(text, at) });
    for (key, value) in more.as_object().into_iter().flatten() {
        params[key] = value.clone();
    }
    params
}

/// Where `what` begins for the `n`-th time.
fn nth(text: &str, what: &str, n: usize) -> usize {
    text.match_indices(what).nth(n).unwrap_or_else(|| panic!("`{what}` is there")).0
}

fn offset(text: &str, position: &Value) -> usize {
    let line = position["line"].as_u64().expect("a line") as usize;
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let mut units = position["character"].as_u64().expect("a column") as usize;
    let inside = text[start..].char_indices().find(|(_, c)| {
        let done = units == 0;
        units = units.saturating_sub(c.len_utf16());
        done
    });
    inside.map_or(text.len(), |(i, _)| start + i)
}

fn edited(text: &str, edits: &Value) -> String {
    let mut edits: Vec<(usize, usize, String)> = edits
        .as_array()
        .expect("a list of edits")
        .iter()
        .map(|e| {
            let range = &e["range"];
            let new = e["newText"].as_str().expect("a text").to_string();
            (offset(text, &range["start"]), offset(text, &range["end"]), new)
        })
        .collect();
    edits.sort();
    let mut out = text.to_string();
    for (from, to, new) in edits.into_iter().rev() {
        out.replace_range(from..to, &new);
    }
    out
}

const URI: &str = "file:///tmp/a.sde";

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
fn references_and_renaming_know_differentials() {
    let mut client = Client::new("rename");
    client.open(URI, PROGRAM);
    let x = nth(PROGRAM, "x: real", 0);
    let all =
        client.ask_at("textDocument/references", URI, PROGRAM, x, json!({ "context": { "includeDeclaration": true } }));
    assert_eq!(all.as_array().expect("a list").len(), 4, "{all:#}");
    let renamed = client.ask_at("textDocument/rename", URI, PROGRAM, x, json!({ "newName": "pos" }));
    let text = edited(PROGRAM, &renamed["changes"][URI]);
    let expected = PROGRAM
        .replace("state x", "state pos")
        .replace("= x - m", "= pos - m")
        .replace("dx =", "dpos =")
        .replace("std(x[0])", "std(pos[0])");
    assert_eq!(text, expected);
    let mut refused = |at: usize, name: &str| {
        let params = params_at(URI, PROGRAM, at, json!({ "newName": name }));
        client.try_ask("textDocument/rename", params).expect_err("refused")
    };
    assert!(refused(x, "far").contains("far"), "it would be declared twice");
    assert!(refused(x, "2x").contains("not a name"));
    assert!(refused(x, "then").contains("word of the language"));
    assert!(refused(nth(PROGRAM, "heun", 0), "other").contains("standard library"));
    assert!(refused(nth(PROGRAM, "mean", 0), "other").contains("only names"));
}

#[test]
fn completion_knows_the_place() {
    let mut client = Client::new("completion");
    let text = format!(
        "{PROGRAM}\nmodel two() {{\n  state yy = 0.0\n  \n  dyy = ex\n}}\n\nrun more {{\n  model = ou()\n  \n  solver = mil\n  report mea\n}}\n"
    );
    client.open(URI, &text);
    let mut labels = |at: usize| {
        let items = client.ask_at("textDocument/completion", URI, &text, at, json!({}));
        let items = items.as_array().expect("a list").clone();
        items.into_iter().map(|i| (i["label"].as_str().expect("a label").to_string(), i)).collect::<Vec<_>>()
    };
    let has = |items: &[(String, Value)], name: &str| items.iter().any(|(label, _)| label == name);
    let head = labels(nth(&text, "\n  \n  dyy", 0) + 3);
    assert!(has(&head, "state") && has(&head, "noise") && has(&head, "dyy") && !has(&head, "report"));
    let state = &head.iter().find(|(label, _)| label == "state").expect("a word").1;
    assert_eq!((&state["insertText"], &state["insertTextFormat"]), (&json!("state ${1:x} = ${0:0.0}"), &json!(2)));
    let flow = labels(nth(&text, "= ex", 0) + 4);
    for name in ["exp", "yy", "dt", "normal"] {
        assert!(has(&flow, name), "{name}");
    }
    assert!(!has(&flow, "far") && !has(&flow, "heun") && !has(&flow, "std"));
    let solvers = labels(nth(&text, "mil\n", 0) + 3);
    assert!(has(&solvers, "milstein") && !has(&solvers, "exp"));
    let report = labels(nth(&text, "mea\n", 0) + 3);
    assert!(has(&report, "mean") && has(&report, "far") && !has(&report, "yy"));
    let setting = labels(nth(&text, "\n  \n  solver", 0) + 3);
    assert!(has(&setting, "paths") && has(&setting, "report") && !has(&setting, "state"));
    let argument = labels(nth(&text, "k = 2)", 0));
    assert!(has(&argument, "m = "));
    assert!(labels(nth(&text, "towards", 0)).is_empty(), "nothing inside a comment");
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
        (&json!("quantile(x, q)"), &json!(1))
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
fn formatting_and_changes_for_problems() {
    let mut client = Client::new("actions");
    let text = "model m(k=1.0) {\n  state x = 0.0\n  dx = -k*x dt + dW\n  dy = dW\n  dz = stepp dt\n}\n";
    let problems = client.open(URI, text);
    assert!(problems.len() >= 2, "{problems:#?}");
    let actions = |client: &mut Client, text: &str, what: &str| -> Vec<(String, String)> {
        let at = position(text, nth(text, what, 0));
        let params = json!({ "textDocument": { "uri": URI }, "range": { "start": at, "end": at }, "context": { "diagnostics": [] } });
        let found = client.ask("textDocument/codeAction", params);
        let one =
            |a: &Value| (a["title"].as_str().expect("a title").to_string(), edited(text, &a["edit"]["changes"][URI]));
        found.as_array().expect("a list").iter().map(one).collect()
    };
    let (title, with_state) = actions(&mut client, text, "dy =").remove(0);
    assert_eq!(title, "declare the state `y`");
    assert_eq!(with_state, text.replace("  dy =", "  state y = 0.0\n  dy ="));
    let (title, spelled) = actions(&mut client, text, "stepp").remove(0);
    assert_eq!((title.as_str(), spelled), ("change to `step`", text.replace("stepp", "step")));

    let text = "model m(k=1.0) {\n  state x = 0.0\n  state y = 0.0\n  dx = -k*x dt + dW\n  dy = dW\n}\n";
    client.change(URI, 2, text);
    let (title, with_noise) = actions(&mut client, text, "dW\n}").remove(0);
    assert_eq!(title, "declare the noise `W`, shared");
    assert_eq!(with_noise, text.replace("  dx =", "  noise W: wiener\n  dx ="));
    assert_eq!(client.change(URI, 3, &with_noise), Vec::<Value>::new());

    let options = json!({ "tabSize": 2, "insertSpaces": true });
    let edits = client.ask("textDocument/formatting", json!({ "textDocument": { "uri": URI }, "options": options }));
    assert_eq!(edited(&with_noise, &edits), with_noise.replace("k=1.0", "k = 1.0"));
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
