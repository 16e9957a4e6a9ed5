//! Completion: what is offered where, and what is not.

use serde_json::{Value, json};

use crate::PROGRAM;
use crate::client::{Client, URI, nth};

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
    assert!(has(&report, "mean") && has(&report, "k") && !has(&report, "far") && !has(&report, "yy"));
    let setting = labels(nth(&text, "\n  \n  solver", 0) + 3);
    assert!(has(&setting, "paths") && has(&setting, "report") && !has(&setting, "state"));
    assert!(!has(&setting, "model") && !has(&setting, "solver"), "they are given");
    let argument = labels(nth(&text, "k = 2)", 0));
    assert!(has(&argument, "m = "));
    assert!(labels(nth(&text, "towards", 0)).is_empty(), "nothing inside a comment");
}

/// A program with a model over a target, a user's solver, and a run that ends in `statement`; `|` marks the place.
fn program(statement: &str) -> String {
    format!(
        "target well(h = 1.0) on z: real {{\n  potential h*(z^2 - 1)^2\n}}

model kin(g = 1.0) {{\n  state q = 0.0\n  state v = 0.0\n  let r = q^2\n  part A {{\n    dq = v dt\n  }}
  part O {{\n    dv = -g*v dt + dW\n  }}\n}}

solver mine() = heun\n
run r {{\n  model  = kin()\n  paths  = 10\n  {statement}\n  seed   = 1\n}}\n"
    )
}

struct Offers {
    client: Client,
    version: i32,
}

impl Offers {
    fn new(name: &str) -> Offers {
        let mut client = Client::new(name);
        client.open(URI, "");
        Offers { client, version: 1 }
    }

    /// The labels that are offered at the mark of a text.
    fn at(&mut self, marked: &str) -> Vec<String> {
        let at = marked.find('|').expect("a mark");
        let text = marked.replacen('|', "", 1);
        self.version += 1;
        let document = json!({ "uri": URI, "version": self.version });
        let changes = json!({ "textDocument": document, "contentChanges": [{ "text": &text }] });
        self.client.tell("textDocument/didChange", changes);
        let items = self.client.ask_at("textDocument/completion", URI, &text, at, json!({}));
        let label = |i: &Value| i["label"].as_str().expect("a label").to_string();
        items.as_array().expect("a list").iter().map(label).collect()
    }

    /// Holds what is offered in a run against names that must and that must not be there.
    fn in_run(&mut self, statement: &str, with: &[&str], without: &[&str]) {
        let offered = self.at(&program(statement));
        let has = |name: &&&str| offered.iter().any(|o| o == **name);
        let missing: Vec<_> = with.iter().filter(|n| !has(n)).collect();
        let wrong: Vec<_> = without.iter().filter(has).collect();
        assert!(
            missing.is_empty() && wrong.is_empty(),
            "{statement}: without {missing:?}, with {wrong:?} in {offered:?}"
        );
    }
}

#[test]
fn settings_are_completed_by_what_they_can_be() {
    let mut offers = Offers::new("settings");
    offers.in_run("solver = |", &["mine", "heun", "milstein", "auto", "split"], &["exp", "kin", "mean", "q", "gbm"]);
    offers.in_run("solver = [heun, mi|]", &["mine", "auto"], &["exp", "kin"]);
    offers.in_run("solver = split([|])", &["A", "O"], &["heun", "exp"]);
    offers.in_run("solver = split([A, O], A = |)", &["heun", "mine"], &["A", "exp"]);
    offers.in_run("solver = sra1(|)", &["exp"], &["heun", "q"]);
    let target = "run s {\n  model = |\n}";
    let offered = offers.at(&format!("{}{target}", program("").replace('|', "")));
    for name in ["kin", "well", "gbm", "normal", "mixture"] {
        assert!(offered.iter().any(|o| o == name), "{name} in {offered:?}");
    }
    for name in ["exp", "heun", "mean", "reverse", "seed"] {
        assert!(!offered.iter().any(|o| o == name), "{name}");
    }
    assert_eq!(offered[..1], ["kin"], "what the file declares comes first");
    offers.in_run("precision = |", &["f32", "f64"], &["exp", "stream"]);
    offers.in_run("noise = |", &["stream", "tree"], &["exp", "f32"]);
    offers.in_run("time = 0 .. 1 |", &["step", "tol"], &["exp", "q"]);
    offers.in_run("solver = heun |", &[], &["and", "exp", "milstein"]);
    offers.in_run("threads = |", &["max"], &["q", "mean", "heun", "normal"]);
}

#[test]
fn statements_of_runs_are_completed_by_what_they_take() {
    let mut offers = Offers::new("statements");
    offers.in_run("|", &["solver", "time", "report", "threads"], &["model", "paths", "seed", "exp", "state"]);
    offers.in_run("plot |", &["fan", "histogram", "work_precision"], &["mean", "q", "exp", "heun"]);
    offers.in_run("plot fan(q), hi|", &["histogram"], &["exp"]);
    offers.in_run("plot fan(|)", &["q", "v", "r", "exp", "reference = "], &["mean", "histogram", "heun", "bins = "]);
    offers.in_run("plot animation(|)", &["histogram", "scatter"], &["fan", "exp", "animation"]);
    offers.in_run("plot ladder(|)", &["mean", "reference = "], &["fan"]);
    offers.in_run("plot fan(q) |", &["at", "over", "to"], &["exp", "fan"]);
    offers.in_run(
        "report |",
        &["mean", "se", "g", "exp"],
        &["q", "w1", "lme", "strong_order", "invariant", "heun", "fan"],
    );
    offers.in_run("report mean(max(q, |), v)", &["q", "r", "exp"], &["mean", "heun"]);
    offers.in_run("report mean(q) |", &["at", "over"], &["exp", "mean", "q"]);
    offers.in_run("report mean(q) at |", &["g"], &["mean", "q"]);
    offers.in_run("check mean(q) < 1 |", &["and", "at"], &["mean", "exp"]);
    offers.in_run("check |", &["mean", "invariant"], &["q", "strong_order", "w1"]);
    offers.in_run("converge steps = [16], reference = 64\n  check |", &["strong_order"], &[]);
    offers.in_run("check invariant(kin(), |)", &["well", "normal"], &["q", "heun"]);
    offers.in_run("sweep |", &["g"], &["exp", "q", "heun", "mean"]);
    offers.in_run("sweep g = |", &["linspace"], &["q", "mean"]);
    offers.in_run("init |", &["q", "v"], &["g", "r", "exp"]);
    offers.in_run("init q ~ |", &["normal", "well"], &["exp", "heun"]);
    offers.in_run("converge |", &["steps", "reference"], &["exp"]);
    offers.in_run("save |", &["q", "r"], &["mean", "heun"]);
    offers.in_run("let |", &[], &["exp", "q"]);
}

#[test]
fn sweeps_are_completed_by_the_parameters_of_the_tree() {
    let mut offers = Offers::new("sweeps");
    let swept = |statement: &str| {
        program(statement)
            .replace("model  = kin()", "solver = heun\n  time = 0 .. 1 step 0.1\n  model  = langevin(well())")
    };
    let offered = offers.at(&swept("sweep |"));
    assert!(offered.contains(&"h".to_string()) && !offered.contains(&"exp".to_string()), "{offered:?}");
    assert_eq!(offers.at(&swept("sweep well.|")), ["h"]);
    let two = swept("sweep |").replace("langevin(well())", "langevin(mixture([0.5, 0.5], [well(), twin()]))");
    let two = two.replace("model kin", "target twin(h = 2.0) on z: real {\n  potential h*z^2\n}\n\nmodel kin");
    let offered = offers.at(&two);
    assert!(
        offered.iter().any(|o| o.ends_with("well.h")) && offered.iter().any(|o| o.ends_with("twin.h")),
        "{offered:?}"
    );
}

#[test]
fn declarations_are_completed_by_what_they_take() {
    let mut offers = Offers::new("declarations");
    let mut check = |marked: &str, with: &[&str], without: &[&str]| {
        let offered = offers.at(marked);
        let has = |name: &&&str| offered.iter().any(|o| o == **name);
        let missing: Vec<_> = with.iter().filter(|n| !has(n)).collect();
        let wrong: Vec<_> = without.iter().filter(has).collect();
        assert!(missing.is_empty() && wrong.is_empty(), "{marked}: without {missing:?}, with {wrong:?} in {offered:?}");
    };
    check("|", &["model", "run"], &["exp", "paths"]);
    check("model m(k = 1.0) = |", &["ou", "langevin"], &["exp", "heun"]);
    check("model m(p: |) {\n}", &["target", "real"], &["exp"]);
    check("model m() = langevin(|)", &["normal", "mixture", "p = "], &["exp", "heun"]);
    check("target q() = |", &["normal", "mixture"], &["exp", "heun", "ou"]);
    check("solver s() = |", &["heun", "split"], &["exp", "ou"]);
    check("solver s() on |", &["ito", "kinetic"], &["exp", "jumps"]);
    check("solver s() on ito(a, b) for |", &["additive", "diagonal"], &["exp"]);
    check("model m() {\n  noise W: |\n}", &["wiener"], &["exp", "fbm"]);
    check("model m() {\n  state x: |\n}", &["real"], &["exp", "target"]);
    check("model m() {\n  state x ~ |\n}", &["normal"], &["exp", "heun"]);
    check("model m() {\n  convention |\n}", &["stratonovich"], &["exp"]);
    check("model m() {\n  state x = 0.0\n  dx = -x |\n}", &["dt", "dW"], &["exp", "x"]);
    check("model m() {\n  state |\n}", &[], &["exp"]);
    check("target p() on x: real {\n  x ~ |\n}", &["normal"], &["exp"]);
    check("target p() on x: real {\n  potential |\n}", &["exp"], &["heun", "mean", "ou"]);
    check("solver s() on ito(a, b) {\n  step {\n    x' = |\n  }\n}", &["x", "dt", "dW", "a", "exp"], &["mean"]);
}

#[test]
fn fields_are_those_that_there_are() {
    let mut offers = Offers::new("fields");
    let model = |line: &str| {
        format!("model m(p: target, k = 1.0, A: real[2, 2] = eye(2)) {{\n  state x: real[2] = zeros(2)\n  {line}\n}}")
    };
    assert_eq!(offers.at(&model("let y = p.|")), ["dim"]);
    assert_eq!(offers.at(&model("let y = x.|")), ["dim"]);
    assert_eq!(offers.at(&model("let y = A.|")), ["dim", "T"]);
    assert_eq!(offers.at(&model("let y = k.|")), Vec::<String>::new());
    assert_eq!(offers.at(&model("let y = 1.|")), Vec::<String>::new());
    assert_eq!(offers.at(&model("let y = exp.|")), Vec::<String>::new());
}
