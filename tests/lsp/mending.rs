//! Changes that problems offer, and formatting.

use serde_json::{Value, json};

use crate::client::{Client, URI, edited, nth, position};

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

/// The texts that the changes at a place make, with their titles.
fn mended(client: &mut Client, text: &str, at: usize) -> Vec<(String, String)> {
    let at = position(text, at);
    let params = json!({ "textDocument": { "uri": URI }, "range": { "start": at, "end": at }, "context": { "diagnostics": [] } });
    let found = client.ask("textDocument/codeAction", params);
    let one = |a: &Value| (a["title"].as_str().expect("a title").to_string(), edited(text, &a["edit"]["changes"][URI]));
    found.as_array().expect("a list").iter().map(one).collect()
}

/// Programs of one mistake each: the wrong text, where, and the right one.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("const a = 2**3\n", "**", "const a = 2^3\n"),
    ("const a = 1 <> 2\n", "<>", "const a = 1 != 2\n"),
    ("fn f(x) = x > 0&&x < 1\n", "&&", "fn f(x) = x > 0 and x < 1\n"),
    ("fn f(x) = 0 < x < 1\n", "0 <", "fn f(x) = 0 < x and x < 1\n"),
    ("const a = 1 − 2\n", "−", "const a = 1 - 2\n"),
    ("const a = .5\n", ".5", "const a = 0.5\n"),
    ("fn f(x) = 2x\n", "2x", "fn f(x) = 2*x\n"),
    ("const a = (1 + 2\n", "(", "const a = (1 + 2)\n"),
    ("const a = (1 + 2]\n", "]", "const a = (1 + 2)\n"),
    ("const a = 1 + 2)\n", ")", "const a = 1 + 2\n"),
    ("const a = max(1, 2,)\n", ")", "const a = max(1, 2)\n"),
    ("const a == 1\n", "==", "const a = 1\n"),
    ("let a = 1\n", "let", "const a = 1\n"),
    ("fn f(x) = sin x\n", "x\n", "fn f(x) = sin(x)\n"),
    ("fn f(x: float) = x\n", "float", "fn f(x: real) = x\n"),
    ("fn f(x) = arcsin(x)\n", "arcsin", "fn f(x) = asin(x)\n"),
    (
        "model m() {\n  state x = 0.0\n  dx/dt = -x + 1\n}\n",
        "dx/dt",
        "model m() {\n  state x = 0.0\n  dx = (-x + 1) dt\n}\n",
    ),
    (
        "model m() {\n  noise W: wiener(2)\n  state x = 0.0\n  dx = dW[0] + dW[1]\n}\n",
        "wiener",
        "model m() {\n  noise W: wiener[2]\n  state x = 0.0\n  dx = dW[0] + dW[1]\n}\n",
    ),
    (
        "run r {\n  model = ou()\n  time = 0 .. 1 step 0.1\n}\n",
        "r {",
        "run r {\n  solver = auto\n  model = ou()\n  time = 0 .. 1 step 0.1\n}\n",
    ),
    (
        "run r {\n  model = ou\n  solver = heun\n  time = 0 .. 1 step 0.1\n}\n",
        "ou",
        "run r {\n  model = ou()\n  solver = heun\n  time = 0 .. 1 step 0.1\n}\n",
    ),
    (
        "run r {\n  model = ou()\n  solver = heun\n  time = 0 .. 1\n}\n",
        "0 .. 1",
        "run r {\n  model = ou()\n  solver = heun\n  time = 0 .. 1 step 1e-3\n}\n",
    ),
    (
        "run r {\n  model = ou()\n  solver = heun\n  time = 0 .. 1 step 0.1\n  report x\n}\n",
        "x\n}",
        "run r {\n  model = ou()\n  solver = heun\n  time = 0 .. 1 step 0.1\n  report mean(x)\n}\n",
    ),
    (
        "run r {\n  model = ou()\n  solver = heun\n  time = 0 .. 1 step 0.1\n  report mean(x) at 0.52\n}\n",
        "0.52",
        "run r {\n  model = ou()\n  solver = heun\n  time = 0 .. 1 step 0.1\n  report mean(x) at 0.5\n}\n",
    ),
    (
        "run r {\n  model = ou()\n  solver = heun\n  time = 0 .. 1 step 0.1\n  converge steps = [4, 8], reference = 64\n}\n",
        "0 .. 1",
        "run r {\n  model = ou()\n  solver = heun\n  time = 0 .. 1\n  converge steps = [4, 8], reference = 64\n}\n",
    ),
    (
        "model m(A: real[2, 2] = eye(2)) {\n  state x: real[2] = zeros(2)\n  dx = -A*x dt\n}\n",
        "x dt",
        "model m(A: real[2, 2] = eye(2)) {\n  state x: real[2] = zeros(2)\n  dx = -A @ x dt\n}\n",
    ),
    (
        "model m() {\n  state x: real[2] = zeros(2)\n  let y = x[2]\n  dx = -x dt\n}\n",
        "2]\n  dx",
        "model m() {\n  state x: real[2] = zeros(2)\n  let y = x[1]\n  dx = -x dt\n}\n",
    ),
    (
        "model m() {\n  state x: real[2] = zeros(2)\n  let y = mean(x)\n  dx = -x dt\n}\n",
        "mean",
        "model m() {\n  state x: real[2] = zeros(2)\n  let y = avg(x)\n  dx = -x dt\n}\n",
    ),
    (
        "run r {\n  model = ou()\n  solver = heun\n  time = 0 .. 1 step 0.1\n  plot histgram(x)\n}\n",
        "histgram",
        "run r {\n  model = ou()\n  solver = heun\n  time = 0 .. 1 step 0.1\n  plot histogram(x)\n}\n",
    ),
    (
        "run r {\n  model = ou()\n  solver = heun\n  time = 0 .. 1 step 0.1\n  paths 10\n}\n",
        "10\n",
        "run r {\n  model = ou()\n  solver = heun\n  time = 0 .. 1 step 0.1\n  paths = 10\n}\n",
    ),
];

#[test]
fn usual_mistakes_are_mended() {
    let mut client = Client::new("mistakes");
    client.open(URI, "");
    for (k, (wrong, place, right)) in MISTAKES.iter().enumerate() {
        let problems = client.change(URI, 2 * k as i32 + 2, wrong);
        assert!(!problems.is_empty(), "{wrong}");
        let offered = mended(&mut client, wrong, nth(wrong, place, 0));
        assert!(offered.iter().any(|(_, text)| text == right), "{wrong}: {offered:#?}");
        assert_eq!(client.change(URI, 2 * k as i32 + 3, right), Vec::<Value>::new(), "{right}");
    }
}

#[test]
fn a_noise_in_two_equations_is_declared_or_parted() {
    let mut client = Client::new("shared");
    let text = "model m() {\n  state x: real[2] = zeros(2)\n  state y: real[2] = zeros(2)\n  part A {\n    dx = -x dt + dW\n  }\n  dy = dW\n}\n";
    let problems = client.open(URI, text);
    assert_eq!(problems[0]["code"], "E0405");
    let shared = text.replace("  part A", "  noise W: wiener[2]\n  part A");
    let parted = text.replace("dy = dW", "dy = dW2");
    // At either of the two places.
    for n in 0..2 {
        let offered = mended(&mut client, text, nth(text, "dW", n));
        let texts: Vec<&str> = offered.iter().map(|o| o.1.as_str()).collect();
        assert_eq!(texts, [&shared, &parted]);
    }
    assert_eq!(client.change(URI, 2, &shared), Vec::<Value>::new());
    assert_eq!(client.change(URI, 3, &parted), Vec::<Value>::new());
}

/// All programs of a folder and those below it.
fn programs(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of programs").flatten() {
        let path = entry.path();
        if path.is_dir() {
            programs(&path, found);
        } else if path.extension().is_some_and(|e| e == "sde") {
            found.push(path);
        }
    }
}

#[test]
fn every_change_that_is_offered_mends() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui");
    let mut all = Vec::new();
    programs(&folder, &mut all);
    let mut client = Client::new("offered");
    let mut tried = 0;
    for path in all {
        // Those that are no texts have nothing that could be changed.
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let uri = format!("file://{}", path.display());
        let problems = client.open(&uri, &text);
        let mut version = 1;
        for problem in &problems {
            let document = json!({ "uri": uri });
            let range = &problem["range"];
            let params = json!({ "textDocument": document, "range": range, "context": { "diagnostics": [] } });
            let offered = client.ask("textDocument/codeAction", params);
            let own = |a: &&Value| a["diagnostics"][0] == *problem && a["edit"]["changes"][&uri].is_array();
            for action in offered.as_array().expect("a list").iter().filter(own) {
                let mended = edited(&text, &action["edit"]["changes"][&uri]);
                version += 1;
                let left = client.change(&uri, version, &mended);
                let same = left.iter().any(|p| p["message"] == problem["message"]);
                let title = &action["title"];
                assert!(!same && left.len() <= problems.len(), "{}: {title} leaves {left:#?}", path.display());
                tried += 1;
                version += 1;
                client.change(&uri, version, &text);
            }
        }
        client.tell("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    }
    assert!(tried > 50, "{tried} changes were offered");
}
