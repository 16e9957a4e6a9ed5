use super::complete::Names;
use super::highlight::highlight;
use super::input::goes_on;
use super::*;
use crate::output::style::Colour;

fn repl(inputs: &[&str]) -> Repl {
    let mut repl = Repl::new(&Options::default(), Style::PLAIN, false);
    inputs.iter().for_each(|i| assert_eq!(repl.input(i), Next::Go));
    repl
}

#[test]
fn an_input_knows_when_it_goes_on() {
    for open in
        ["model m() {", "[1, 2,", "f(\n1", "let a =", "1 +", "x -> ", "## what it is", "a\n and", "if x then 1 else"]
    {
        assert!(goes_on(open), "{open:?}");
    }
    for whole in [
        "",
        "1 + 2",
        "model m() { state x = 1.0 }",
        "f(1))",
        "(1]",
        "# a remark",
        ":load [",
        "\"open",
        "a # {",
        "dx = -x dt",
    ] {
        assert!(!goes_on(whole), "{whole:?}");
    }
}

#[test]
fn names_are_completed_from_the_tables() {
    let names = repl(&["model my_model(k_own = 1.0) { state x = 1.0; dx = -k_own*x dt + dW }"]).names();
    let words = |before: &str| names.complete(before).words;
    assert_eq!(words("1 + my_m"), ["my_model"]);
    assert_eq!(names.complete("1 + my_m").start, 4);
    assert!(words("solver = euler_m").contains(&"euler_maruyama".to_string()));
    assert!(words("log").contains(&"log1p".to_string()));
    assert_eq!(words("log_de"), ["log_density"]);
    assert!(words("quan").contains(&"quantile".to_string()));
    assert_eq!(words(":sol"), ["solvers"]);
    assert_eq!(words(":help E040"), ["E0401", "E0402", "E0403", "E0404", "E0405", "E0406", "E0407", "E0408", "E0409"]);
    assert_eq!(words("E040"), Vec::<String>::new());
    assert_eq!(words(":set thr"), ["threads"]);
    assert!(names.complete(":load exa").file);
    assert_eq!(words("1 + "), Vec::<String>::new());
}

#[test]
fn results_are_completed_by_what_was_kept() {
    let run = "run r { model = gbm(); solver = milstein; time = 0 .. 1 step 0.1; paths = 16; let m = mean(x) }";
    let names = repl(&[run]).names();
    assert_eq!(names.complete("mean(r.").words, ["x", "m", "paths", "reports"]);
    assert_eq!(names.complete("mean(r.x").words, ["x"]);
    assert_eq!(names.complete("other.").words, Vec::<String>::new());
    assert!(names.settings.contains(&"sigma".to_string()), "{:?}", names.settings);
}

#[test]
fn colours_leave_the_text_as_it_is() {
    let names = Names { all: vec![("exp".into(), "function"), ("if".into(), "word")], ..Names::default() };
    let style = Style::new(Colour::Always, true);
    let text = "if exp(1.5) > a then \"σ\" # so\n:x";
    let coloured = highlight(text, &names, style);
    assert!(coloured.contains("\x1b[35mif\x1b[0m") && coloured.contains("\x1b[36mexp\x1b[0m"), "{coloured:?}");
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\x1b') {
        plain += before;
        rest = after.split_once('m').expect("a colour").1;
    }
    assert_eq!(plain + rest, text);
    assert!(highlight(":type exp", &names, style).starts_with("\x1b[35m:type\x1b[0m"));
}

#[test]
fn every_command_has_its_own_name() {
    for c in commands::TABLE {
        assert_eq!(commands::TABLE.iter().filter(|o| o.name == c.name).count(), 1, "{}", c.name);
        assert!(!c.doc.is_empty());
    }
}

#[test]
fn a_mistake_loses_nothing() {
    let mut repl = repl(&["const a = 2", "const b = )", "fn f(x) = y", "f(", ":set paths = none", ":nonsense"]);
    assert_eq!(repl.declarations.entries().len(), 1);
    repl.input("const a = 3");
    assert_eq!(repl.session_text(), "# A session of fokker.\n\nconst a = 3\n");
}

#[test]
fn a_run_that_measures_orders_keeps_no_paths() {
    let run = "run c { model = gbm(); solver = milstein; time = 0 .. 1; paths = 64; converge steps = [8, 16], reference = 64 }";
    let mut repl = repl(&[run, "mean(c.x)"]);
    assert_eq!(repl.outcomes.len(), 1);
    assert!(repl.outcomes[0].ran.kept[0].names.is_empty());
    let fields = repl.names().fields;
    assert_eq!(fields, [("c".to_string(), vec!["paths".to_string(), "reports".to_string()])]);
    assert_eq!(repl.input(":quit"), Next::Quit);
}

/// Pieces of inputs in any order: whatever comes of them, nothing panics, and the session goes on.
#[test]
fn no_input_ends_the_session() {
    const PIECES: [&str; 30] = [
        "1",
        "x",
        "r.x",
        "r",
        "[1, 2]",
        "mean",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "+",
        "*",
        "/",
        "=",
        ",",
        "..",
        "->",
        "'",
        "let a",
        "const b",
        "check",
        "report",
        ":type",
        ":help",
        ":explain",
        ":solvers r",
        "\"",
        "∘ dW",
    ];
    let all = std::thread::Builder::new().stack_size(1 << 28).spawn(|| {
        let mut repl = repl(&["run r { model = gbm(); solver = milstein; time = 0 .. 1 step 0.5; paths = 8 }"]);
        let mut seed = 1u64;
        for _ in 0..400 {
            let mut text = String::new();
            for _ in 0..1 + seed % 6 {
                seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                text += PIECES[(seed >> 33) as usize % PIECES.len()];
                text.push(' ');
            }
            assert_eq!(repl.input(&text), Next::Go, "{text}");
            let _ = (repl.names().complete(&text), goes_on(&text), highlight(&text, &repl.names(), Style::PLAIN));
        }
        assert!(matches!(repl.worked_out_text("mean(r.x)"), Some(crate::session::evaluate::Answer::Numbers { .. })));
    });
    all.expect("a thread").join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

impl Repl {
    fn worked_out_text(&mut self, text: &str) -> Option<crate::session::evaluate::Answer> {
        let file = self.declarations.text("a test".into(), text);
        self.worked_out(&crate::syntax::parse_expr(file, text).expect("an expression"))
    }
}
