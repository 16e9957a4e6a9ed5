//! What names mean: hover, definitions, references, renaming.

use serde_json::{Value, json};

use crate::PROGRAM;
use crate::client::{Client, URI, edited, nth, offset, params_at};

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

const TREE: &str = "## A double well.
target well(h = 1.0, c = 0.0) on z: real {
  potential h*(z^2 - 1)^2 + c*z
}

model over(p: target, gamma = 1.0) {
  state x: real = 0.5
  dx = gamma*score(p, x) dt + sqrt(2*gamma) dW
}

run one {
  model  = over(p = well(c = 0.1), gamma = 2)
  solver = heun
  time   = 0 .. 1 step 0.1
  sweep  h = [1, 2]
  report mean(x)
}

run two {
  model  = over(well())
  solver = heun
  time   = 0 .. 1 step 0.1
  sweep  well.h = [1, 2], gamma = [1, 2]
  report mean(x)
}
";

fn renamed(client: &mut Client, text: &str, at: usize, name: &str) -> String {
    let found = client.ask_at("textDocument/rename", URI, text, at, json!({ "newName": name }));
    edited(text, &found["changes"][URI])
}

#[test]
fn swept_parameters_are_followed_into_the_tree() {
    let mut client = Client::new("swept");
    assert_eq!(client.open(URI, TREE), Vec::<Value>::new());
    let declared = nth(TREE, "h = 1.0", 0);
    for at in [nth(TREE, "h = [1, 2]", 0), nth(TREE, "well.h", 0) + 5] {
        let found = client.ask_at("textDocument/definition", URI, TREE, at, json!({}));
        assert_eq!(offset(TREE, &found[0]["range"]["start"]), declared);
        let hover = client.ask_at("textDocument/hover", URI, TREE, at, json!({}));
        assert!(hover["contents"]["value"].as_str().expect("a text").contains("(parameter) h: real"), "{hover}");
    }
    let include = json!({ "context": { "includeDeclaration": true } });
    let all = client.ask_at("textDocument/references", URI, TREE, nth(TREE, "h = [1, 2]", 0), include);
    let lines: Vec<u64> =
        all.as_array().expect("a list").iter().filter_map(|l| l["range"]["start"]["line"].as_u64()).collect();
    assert_eq!(lines, [1, 2, 14, 22]);
}

#[test]
fn renaming_reaches_arguments_sweeps_and_paths() {
    let mut client = Client::new("tree");
    client.open(URI, TREE);
    let height = TREE.replace("well(h =", "well(height =").replace("potential h*", "potential height*");
    let height = height.replace("sweep  h =", "sweep  height =").replace("well.h =", "well.height =");
    for at in [nth(TREE, "h = 1.0", 0), nth(TREE, "h*(z", 0), nth(TREE, "h = [1, 2]", 0), nth(TREE, "well.h", 0) + 5] {
        assert_eq!(renamed(&mut client, TREE, at, "height"), height);
    }
    let tilt = TREE.replace("c = 0.0", "tilt = 0.0").replace("c*z", "tilt*z").replace("well(c =", "well(tilt =");
    assert_eq!(renamed(&mut client, TREE, nth(TREE, "c = 0.1", 0), "tilt"), tilt);
    let rate = TREE.replace("gamma", "rate");
    assert_eq!(renamed(&mut client, TREE, nth(TREE, "gamma = 2", 0), "rate"), rate);
    assert_eq!(renamed(&mut client, TREE, nth(TREE, "gamma = [1", 0), "rate"), rate);
    let law =
        TREE.replace("p: target", "law: target").replace("score(p,", "score(law,").replace("over(p =", "over(law =");
    assert_eq!(renamed(&mut client, TREE, nth(TREE, "p = well", 0), "law"), law);
    let hill = TREE.replace("well", "hill").replace("## A double hill", "## A double well");
    assert_eq!(renamed(&mut client, TREE, nth(TREE, "well.h", 0), "hill"), hill);
}

#[test]
fn parts_and_solvers_of_one_name_are_renamed_together() {
    let text = "model kin() {\n  state q = 0.0\n  state v = 0.0\n  part A {\n    dq = v dt\n  }\n  part O {\n    dv = -v dt + dW\n  }\n}

solver mine() on ito(a, b) for additive {\n  step {\n    x' = x + a(t, x)*dt + b(t) @ dW\n  }\n}
solver mine() on ito(a, b) {\n  step {\n    x' = x + a(t, x)*dt + b(t, x) @ dW\n  }\n}

run r {\n  model = kin()\n  solver = split([A, O/2, A, O/2], O = mine)\n  time = 0 .. 1 step 0.1\n}\n";
    let mut client = Client::new("parts");
    client.open(URI, text);
    let parts = text.replace("part O", "part friction").replace("O/2", "friction/2").replace("O =", "friction =");
    assert_eq!(renamed(&mut client, text, nth(text, "O/2", 1), "friction"), parts);
    assert_eq!(renamed(&mut client, text, nth(text, "part O", 0) + 5, "friction"), parts);
    assert_eq!(renamed(&mut client, text, nth(text, "mine)", 0), "ours"), text.replace("mine", "ours"));
    assert_eq!(renamed(&mut client, text, nth(text, "mine()", 1), "ours"), text.replace("mine", "ours"));
}

#[test]
fn renaming_that_would_change_a_meaning_is_refused() {
    let text = "model m(k = 1.0) {
  state x = 0.0
  fn g(y) = y + k
  let far = exp(x)
  dx = -g(x) dt + dW
  dx2 = dV
}
"
    .replace("  dx2 = dV\n", "");
    let mut client = Client::new("capture");
    client.open(URI, &text);
    let mut refused = |what: &str, n: usize, name: &str| {
        let params = params_at(URI, &text, nth(&text, what, n), json!({ "newName": name }));
        client.try_ask("textDocument/rename", params).expect_err("refused")
    };
    assert!(refused("k = 1.0", 0, "y").contains("line 3"), "the argument of `g` would hide it");
    assert!(refused("k = 1.0", 0, "x").contains("`x`"));
    assert!(refused("x = 0.0", 0, "exp").contains("line 4"), "the function would be hidden");
    assert!(refused("k = 1.0", 0, "t").contains("the time"));
    assert!(refused("far =", 0, "dW").contains("dW"), "the differential would be a value");
    let broken = TREE.replace("report mean(x)\n}\n\nrun two", "report mean(\n}\n\nrun two");
    client.change(URI, 2, &broken);
    let params = params_at(URI, &broken, nth(&broken, "h = 1.0", 0), json!({ "newName": "height" }));
    let message = client.try_ask("textDocument/rename", params).expect_err("refused");
    assert!(message.contains("`sweep` in line 15"), "{message}");
}

#[test]
fn names_of_imported_files_are_followed_and_renamed() {
    let folder = std::env::temp_dir().join(format!("fokker-lsp-import-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
    let folder = folder.canonicalize().expect("it is there");
    let uri = |name: &str| format!("file://{}/{name}", folder.display());
    let shared = "fn twice(x) = 2*x\n";
    std::fs::write(folder.join("shared.sde"), shared).expect("written");
    let main = "use \"shared.sde\"\nconst c = twice(1)\n";
    let mut client = Client::new("imports");
    assert_eq!(client.open(&uri("main.sde"), main), Vec::<Value>::new());
    let at = params_at(&uri("main.sde"), main, nth(main, "twice", 0), json!({ "newName": "double" }));
    let found = client.ask("textDocument/rename", at);
    assert_eq!(edited(main, &found["changes"][uri("main.sde")]), main.replace("twice", "double"));
    assert_eq!(edited(shared, &found["changes"][uri("shared.sde")]), shared.replace("twice", "double"));
    // Asked where it is declared, programs that import it and are open are changed too.
    let document = json!({ "uri": uri("shared.sde"), "languageId": "sde", "version": 1, "text": shared });
    client.tell("textDocument/didOpen", json!({ "textDocument": document }));
    let at = params_at(&uri("shared.sde"), shared, nth(shared, "twice", 0), json!({ "newName": "double" }));
    let found = client.ask("textDocument/rename", at);
    assert_eq!(edited(main, &found["changes"][uri("main.sde")]), main.replace("twice", "double"));
    assert_eq!(edited(shared, &found["changes"][uri("shared.sde")]), shared.replace("twice", "double"));
    client.notes.clear();
    // What is open is what is imported.
    let document = json!({ "uri": uri("shared.sde"), "version": 2 });
    let text = shared.replace("twice", "thrice");
    client.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [{ "text": text }] }));
    let problems = loop {
        let problems = client.problems(&uri("main.sde"));
        if !problems.is_empty() {
            break problems;
        }
    };
    assert!(problems[0]["message"].as_str().expect("a text").contains("`twice` is not declared"), "{problems:#?}");
    let _ = std::fs::remove_dir_all(&folder);
}

#[test]
fn hover_knows_settings_plots_and_statistics() {
    let text = PROGRAM.replace("report mean", "noise  = tree\n  plot paths(x, n = 5), histogram(x[0])\n  check se(mean(x[0])) < 1\n  report histogram(x[0]), mean");
    let text = text.replace("k = 1.0,", "k: real = 1.0,");
    let mut client = Client::new("told");
    assert_eq!(client.open(URI, &text), Vec::<Value>::new());
    let mut told = |at: usize| {
        let hover = client.ask_at("textDocument/hover", URI, &text, at, json!({}));
        hover["contents"]["value"].as_str().unwrap_or("").to_string()
    };
    assert!(told(nth(&text, "paths  =", 0)).contains("How many independent paths"));
    assert!(told(nth(&text, "paths(x", 0)).contains("The first n paths against time"));
    assert!(told(nth(&text, "n = 5", 0)).contains("paths(e, n = 50"));
    assert!(told(nth(&text, "histogram(x[0])\n", 0)).contains("of all paths"), "a plot");
    assert!(told(nth(&text, "histogram(x[0]),", 0)).contains("bins of equal width"), "a statistic");
    assert!(told(nth(&text, "noise  =", 0)).contains("Where the increments come from"));
    assert!(told(nth(&text, "tree", 0)).contains("Brownian path"));
    assert!(told(nth(&text, "se(mean", 0)).contains("standard error"));
    assert!(told(nth(&text, "time", 0)).contains("chosen by each path"));
    assert!(told(nth(&text, "state x", 0)).contains("What a path carries"));
    assert!(told(nth(&text, "real = 1.0", 0)).contains("an array of them"));
    assert!(told(nth(&text, "real[2]", 0)).contains("an array of them"));
    assert!(told(nth(&text, "dt +", 0)).contains("differential of the time"));
    assert!(told(nth(&text, "dW", 0)).contains("Wiener process of its equation alone"));
}
