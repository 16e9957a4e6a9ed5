//! Tests of the resolver on its own: what the whole says of a program is tested in `tests/ui`.

use super::resolve;
use crate::diagnostics::Diagnostic;
use crate::session::load::{Options, load_text};

fn told(text: &str) -> Vec<String> {
    let loaded = load_text("test.sde", text, &Options::default());
    assert!(!loaded.has_errors(), "{:?}", loaded.problems);
    let mut problems = resolve(&loaded.library).problems;
    problems.sort_by_key(|d| d.labels[0].span.start);
    problems.iter().map(|d: &Diagnostic| format!("{} {}", d.code, loaded.sources.text(d.labels[0].span))).collect()
}

/// For each place of the name that stands at byte `at`: the text from there to the end of the word.
fn places_of(text: &str, at: usize) -> Vec<usize> {
    let loaded = load_text("test.sde", text, &Options::default());
    let uses = resolve(&loaded.library).uses;
    let of = uses.iter().find(|u| u.at.start as usize == at).expect("a name at this place").of;
    uses.iter().filter(|u| u.of == of).map(|u| u.at.start as usize).collect()
}

#[test]
fn uses_point_to_declarations() {
    let text = "model m(k = 1.0) {\n state x = k\n noise W: wiener\n let y = k*x\n dx = -y dt + k dW\n}
run r { model = m(k = 2); solver = euler; time = 0 .. 1 step 0.1; init x = 1; sweep k = [1, 2]; report mean(x) }";
    let places = |what: &str| text.match_indices(what).map(|(at, _)| at).collect::<Vec<_>>();
    assert_eq!(places_of(text, places("k = 1.0")[0]).len(), 6, "in the model, its arguments and the sweep");
    let x = places("x = k")[0];
    let after_d = places("dx")[0] + 1;
    let (init, report) = (places("x = 1;")[0], places("x) }")[0]);
    assert_eq!(places_of(text, x), [x, places("x\n dx")[0], after_d, init, report]);
    assert_eq!(places_of(text, places("W: ")[0]), [places("W: ")[0], places("dW")[0] + 1]);
    assert_eq!(places_of(text, places("m(k =")[1]), [places("m(k =")[0], places("m(k =")[1]]);
}

#[test]
fn the_library_is_in_order() {
    for (name, text) in crate::session::load::FILES {
        assert_eq!(told(text), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn bodies_that_no_run_reaches_are_resolved() {
    assert_eq!(told("fn f(x) = x + y"), ["E0201 y"]);
    assert_eq!(told("target p(q: target) on x: real[2] { potential sum(z) }"), ["E0201 z"]);
    assert_eq!(told("solver s() on ito(a, b) { step { x' = x + a(t, w)*dt } }"), ["E0201 w"]);
}

#[test]
fn constructs_of_later_versions_are_resolved_inside_and_told_once() {
    let text =
        "model m() {\n state x = 0.0\n step { x' = x + z }\n every 2 steps { x' = u }\n every 3 steps { x' = v }\n}";
    assert_eq!(
        told(text),
        ["E0901 step { x' = x + z }", "E0201 z", "E0901 every 2 steps { x' = u }", "E0201 u", "E0201 v"]
    );
}

#[test]
fn primes_belong_to_states_in_blocks() {
    assert_eq!(told("solver s() on ito(a, b) { step { let y = x'; x' = y' } }"), ["E0201 y'"]);
    assert_eq!(told("solver s() on ito(a, b) { state y = x; step { x' = y'; y' = x } }"), Vec::<String>::new());
    assert_eq!(told("model m() { state x = 1.0; dx = -x' dt }"), ["E0201 x'"]);
}

#[test]
fn names_hide_nothing_but_built_ins_and_the_library() {
    assert_eq!(told("const g = 1\nfn f(g) = g^2"), Vec::<String>::new());
    assert_eq!(told("const g = 1\nmodel m(g = 2.0) { state x = 0.0; dx = g dt }"), ["E0203 g"]);
    assert_eq!(told("model m(ou = 2.0) { state norm = 0.0; dnorm = ou dt }"), Vec::<String>::new());
    assert_eq!(told("model m() { state x = 0.0; dx = sum(t for t in 0..3) dt }"), ["E0208 t"]);
}

#[test]
fn a_run_sees_the_names_of_its_model() {
    let run = |e: &str| format!("run r {{ model = ou(); solver = heun; time = 0 .. 1 step 0.1; report {e} }}");
    assert_eq!(told(&run("mean(x)")), Vec::<String>::new());
    assert_eq!(told(&run("mean(y)")), ["E0201 y"]);
    assert_eq!(told("run r(m: model) { model = m; report mean(anything) }"), Vec::<String>::new());
}

#[test]
fn sizes_are_names_met_in_shapes() {
    assert_eq!(told("model m(a: real[n]) { state x: real[n] = zeros(n); dx = a dt }"), Vec::<String>::new());
    assert_eq!(told("model m() { state x: real[n] ~ normal(0, 1); dx = -x dt }"), ["E0306 n"]);
}

#[test]
fn arguments_are_held_against_headers() {
    let head = "fn f(x, k = 1) = k*x\n";
    assert_eq!(told(&format!("{head}const c = f(1, 2, 3)")), ["E0207 3"]);
    assert_eq!(told(&format!("{head}const c = f(1, j = 3)")), ["E0205 j"]);
    assert_eq!(told(&format!("{head}const c = f(k = 3)")), ["E0206 f(k = 3)"]);
    assert_eq!(told("const c = atan2(1)"), ["E0310 atan2(1)"]);
}
