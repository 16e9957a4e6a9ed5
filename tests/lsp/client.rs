//! A client with one server, and positions in texts.

use std::io::BufReader;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use lsp_server::{Message, Notification, Request};
use serde_json::{Value, json};

/// A client with one server, and a cache of its own.
pub struct Client {
    server: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    next: i32,
    cache: PathBuf,
    /// notifications that came while an answer was waited for
    pub notes: Vec<Notification>,
}

impl Client {
    pub fn new(name: &str) -> Client {
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

    pub fn send(&mut self, message: Message) {
        message.write(&mut self.to).expect("the server reads");
    }

    pub fn tell(&mut self, method: &str, params: Value) {
        self.send(Message::Notification(Notification::new(method.into(), params)));
    }

    pub fn read(&mut self) -> Message {
        Message::read(&mut self.from).expect("a message").expect("the server is there")
    }

    /// The answer to a request, or its error.
    pub fn try_ask(&mut self, method: &str, params: Value) -> Result<Value, String> {
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

    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        self.try_ask(method, params).unwrap_or_else(|e| panic!("{method}: {e}"))
    }

    /// Asks about a place of a document.
    pub fn ask_at(&mut self, method: &str, uri: &str, text: &str, at: usize, more: Value) -> Value {
        let params = params_at(uri, text, at, more);
        self.ask(method, params)
    }

    pub fn open(&mut self, uri: &str, text: &str) -> Vec<Value> {
        let document = json!({ "uri": uri, "languageId": "sde", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
        self.problems(uri)
    }

    pub fn change(&mut self, uri: &str, version: i32, text: &str) -> Vec<Value> {
        let document = json!({ "uri": uri, "version": version });
        self.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [{ "text": text }] }));
        self.problems(uri)
    }

    /// The next diagnostics of a document.
    pub fn problems(&mut self, uri: &str) -> Vec<Value> {
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
pub fn position(text: &str, at: usize) -> Value {
    let before = &text[..at];
    let line = before.rsplit('\n').next().unwrap_or("");
    json!({ "line": before.matches('\n').count(), "character": line.encode_utf16().count() })
}

pub fn params_at(uri: &str, text: &str, at: usize, more: Value) -> Value {
    let mut params = json!({ "textDocument": { "uri": uri }, "position": position(text, at) });
    for (key, value) in more.as_object().into_iter().flatten() {
        params[key] = value.clone();
    }
    params
}

/// Where `what` begins for the `n`-th time.
pub fn nth(text: &str, what: &str, n: usize) -> usize {
    text.match_indices(what).nth(n).unwrap_or_else(|| panic!("`{what}` is there")).0
}

pub fn offset(text: &str, position: &Value) -> usize {
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

pub fn edited(text: &str, edits: &Value) -> String {
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

pub const URI: &str = "file:///tmp/a.sde";
