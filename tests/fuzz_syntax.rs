//! No input, however broken, makes the parser panic, and what it says always has a place in the text.

mod support;

use fokker::diagnostics::{render, to_json};
use fokker::source::{FileId, SourceFile, SourceMap, Span};
use fokker::syntax::ast::*;
use fokker::syntax::{MAX_DEPTH, MAX_NESTING, parse, parse_bytes, parse_expr, parse_statement, print};
use proptest::prelude::*;
use support::{programs, without_spans};

/// Parses and checks every problem; a text without problems prints and parses back to the same tree.
fn survives(bytes: &[u8]) -> Result<(), TestCaseError> {
    let (text, parsed) = parse_bytes(FileId(0), bytes);
    let mut sources = SourceMap::default();
    sources.add(SourceFile { name: "a.sde".into(), text: text.as_str().into(), path: None, library: false });
    for (i, problem) in parsed.problems.iter().enumerate() {
        prop_assert!(!problem.labels.is_empty() && !problem.message.is_empty());
        for label in &problem.labels {
            let span = label.span;
            prop_assert!(span.start <= span.end, "{problem:?}");
            prop_assert!(text.get(span.start as usize..span.end as usize).is_some(), "{problem:?} in {text:?}");
            prop_assert!(span.end > span.start, "{problem:?} in {text:?}");
        }
        if i < 3 {
            prop_assert!(render(problem, &sources, false).starts_with("a.sde:"));
            prop_assert_eq!(&to_json(problem, &sources)["code"], problem.code.0);
        }
    }
    if parsed.problems.is_empty() {
        let printed = print::file(&parsed.file);
        let again = parse(FileId(0), &printed);
        prop_assert!(again.problems.is_empty(), "{text:?} printed as {printed:?}: {:?}", again.problems);
        prop_assert_eq!(shape(&again.file), shape(&parsed.file));
    }
    let _ = parse_expr(FileId(0), &text);
    let _ = parse_statement(FileId(0), &text);
    Ok(())
}

fn shape<T: std::fmt::Debug>(tree: &T) -> String {
    without_spans(&format!("{tree:?}"))
}

/// Pieces of programs, of other languages, and of nothing.
const PIECES: &[&str] = &[
    "model m() {",
    "}",
    "run r {",
    "state x = 1",
    "dx = x dt",
    "x' = x",
    "let y = ",
    "report mean(x)",
    "fn f(x) = ",
    "step {",
    "target t on x: real {",
    "solver s() on ito(a, b) {",
    "if x > 0 {",
    "} else {",
    "for i in 0..n",
    "every 10 steps {",
    "(",
    ")",
    "[",
    "]",
    "{",
    ",",
    ";",
    "\n",
    "\n\n",
    "\r\n",
    "\t",
    "+",
    "-",
    "*",
    "/",
    "^",
    "**",
    "&&",
    "||",
    "!",
    "'",
    "\"",
    "\"a\"",
    "#",
    "## doc\n",
    "//",
    "..",
    "...",
    ".",
    "1",
    "1.",
    ".5",
    "1e",
    "1_",
    "3x",
    "σ",
    "∘",
    "o",
    "²",
    "−",
    "“",
    "\u{a0}",
    "\u{200b}",
    "\u{0}",
    "\u{feff}",
    "x",
    "in",
    "then",
    "else",
    "return",
    "->",
    "=>",
    "~",
    "=",
    "==",
    "@",
    "dW",
    "++",
    "+=",
    "$",
    "\\",
    "`",
    "é",
];

fn mutated(text: &str, changes: &[(prop::sample::Index, u8, prop::sample::Index)]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for (place, kind, piece) in changes {
        let at = place.index(bytes.len() + 1);
        let piece = PIECES[piece.index(PIECES.len())].as_bytes();
        match kind % 5 {
            0 => drop(bytes.splice(at..at, piece.iter().copied())),
            1 => drop(bytes.drain(at..(at + 1).min(bytes.len()))),
            2 => drop(bytes.drain(at..(at + 40).min(bytes.len()))),
            3 => {
                let copy: Vec<u8> = bytes[at..(at + 60).min(bytes.len())].to_vec();
                drop(bytes.splice(at..at, copy));
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = byte.wrapping_add(*kind);
                }
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        survives(&bytes)?;
    }

    #[test]
    fn random_text(text in "\\PC{0,80}") {
        survives(text.as_bytes())?;
    }

    #[test]
    fn random_pieces(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40), spaces in any::<bool>()) {
        survives(pieces.join(if spaces { " " } else { "" }).as_bytes())?;
    }

    #[test]
    fn changed_programs(
        program in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<prop::sample::Index>()), 1..6),
    ) {
        let programs = programs();
        survives(&mutated(&programs[program.index(programs.len())].1, &changes))?;
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn random_trees(e in expression()) {
        let printed = print::expr(&e);
        let again = parse_expr(FileId(0), &printed);
        prop_assert!(again.is_ok(), "{printed}: {again:?}");
        prop_assert_eq!(shape(&without_brackets(again.unwrap())), shape(&without_brackets(e)), "{}", printed);
    }
}

// ---- random trees ----

const BINARY: &[BinaryOp] = &[
    BinaryOp::Add,
    BinaryOp::Sub,
    BinaryOp::Mul,
    BinaryOp::Div,
    BinaryOp::MatMul,
    BinaryOp::Pow,
    BinaryOp::And,
    BinaryOp::Or,
    BinaryOp::Lt,
    BinaryOp::Le,
    BinaryOp::Gt,
    BinaryOp::Ge,
    BinaryOp::Eq,
    BinaryOp::Ne,
];

fn at_nowhere(kind: ExprKind) -> Expr {
    Expr { kind, span: Span::default() }
}

fn ident(name: &str) -> Ident {
    Ident { name: name.into(), span: Span::default() }
}

/// Any expression that the grammar can write, with brackets nowhere: the printer must put them where they are needed.
fn expression() -> impl Strategy<Value = Expr> {
    let name = prop::sample::select(vec!["x", "σ", "o", "dt", "state", "x₁"]);
    let number = prop::sample::select(vec![("1", 1.0), ("2.5", 2.5), ("1e-3", 1e-3), ("1_0", 10.0)]);
    let leaf = prop_oneof![
        name.prop_map(|n| at_nowhere(ExprKind::Name(n.into()))),
        number.prop_map(|(text, value)| {
            let integer = !text.contains(['.', 'e']);
            at_nowhere(ExprKind::Number { value, text: text.into(), integer })
        }),
        Just(at_nowhere(ExprKind::Bool(true))),
        Just(at_nowhere(ExprKind::Text("a # b".into()))),
        Just(at_nowhere(ExprKind::Prime(Box::new(at_nowhere(ExprKind::Name("x".into())))))),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let one = inner.clone().prop_map(Box::new);
        let few = prop::collection::vec(inner.clone(), 0..3);
        let comp = (inner.clone(), prop::option::of(one.clone())).prop_map(|(over, condition)| Comp {
            clauses: vec![(ident("i"), over)],
            condition,
            span: Span::default(),
        });
        let sub = prop_oneof![Just(Sub::All(Span::default())), inner.clone().prop_map(Sub::At)];
        let subs = prop::collection::vec(sub, 1..3);
        let plain = |value| Arg { name: None, value, comp: None };
        let arg = prop_oneof![
            inner.clone().prop_map(plain),
            inner.clone().prop_map(|value| Arg { name: Some(ident("k")), value, comp: None }),
            (inner.clone(), comp.clone()).prop_map(|(value, comp)| Arg { name: None, value, comp: Some(comp) }),
        ];
        let binary = prop::sample::select(BINARY.to_vec());
        let unary = prop::sample::select(vec![UnaryOp::Neg, UnaryOp::Plus, UnaryOp::Not]);
        prop_oneof![
            1 => few.prop_map(ExprKind::List),
            1 => (one.clone(), comp).prop_map(|(e, c)| ExprKind::Comprehension(e, c)),
            1 => (one.clone(), prop::option::of(one.clone())).prop_map(|(a, b)| ExprKind::Range(a, b)),
            1 => (prop::sample::select(vec![0, 1, 2]), one.clone())
                .prop_map(|(n, e)| ExprKind::Lambda(["a", "b"][..n].iter().map(|n| ident(n)).collect(), e)),
            1 => (one.clone(), one.clone(), one.clone()).prop_map(|(a, b, c)| ExprKind::If(a, b, c)),
            4 => (unary, one.clone()).prop_map(|(op, e)| ExprKind::Unary(op, e)),
            6 => (binary, one.clone(), one.clone()).prop_map(|(op, a, b)| ExprKind::Binary(op, a, b)),
            1 => (one.clone(), prop::collection::vec(arg, 0..3)).prop_map(|(f, args)| ExprKind::Call(f, args)),
            1 => (one.clone(), subs.clone()).prop_map(|(e, s)| ExprKind::Index(e, s)),
            1 => one.clone().prop_map(|e| ExprKind::Field(e, ident("dim"))),
            1 => (one, any::<bool>(), prop::option::of(subs)).prop_map(|(e, stratonovich, subs)| ExprKind::Juxtapose {
                coefficient: e,
                stratonovich,
                differential: ident("dW"),
                subs: subs.unwrap_or_default(),
            }),
        ]
        .prop_map(at_nowhere)
    })
}

fn without_brackets(e: Expr) -> Expr {
    let boxed = |e: Box<Expr>| Box::new(without_brackets(*e));
    let comp = |c: Comp| Comp {
        clauses: c.clauses.into_iter().map(|(n, e)| (n, without_brackets(e))).collect(),
        condition: c.condition.map(boxed),
        span: c.span,
    };
    let subs = |s: Vec<Sub>| -> Vec<Sub> {
        s.into_iter().map(|s| if let Sub::At(e) = s { Sub::At(without_brackets(e)) } else { s }).collect()
    };
    let arg = |a: Arg| Arg { name: a.name, value: without_brackets(a.value), comp: a.comp.map(comp) };
    let kind = match e.kind {
        ExprKind::Paren(inner) => return without_brackets(*inner),
        ExprKind::List(items) => ExprKind::List(items.into_iter().map(without_brackets).collect()),
        ExprKind::Comprehension(e, c) => ExprKind::Comprehension(boxed(e), comp(c)),
        ExprKind::Range(a, b) => ExprKind::Range(boxed(a), b.map(boxed)),
        ExprKind::Lambda(names, e) => ExprKind::Lambda(names, boxed(e)),
        ExprKind::If(a, b, c) => ExprKind::If(boxed(a), boxed(b), boxed(c)),
        ExprKind::Unary(op, e) => ExprKind::Unary(op, boxed(e)),
        ExprKind::Binary(op, a, b) => ExprKind::Binary(op, boxed(a), boxed(b)),
        ExprKind::Call(f, args) => ExprKind::Call(boxed(f), args.into_iter().map(arg).collect()),
        ExprKind::Index(e, s) => ExprKind::Index(boxed(e), subs(s)),
        ExprKind::Field(e, name) => ExprKind::Field(boxed(e), name),
        ExprKind::Juxtapose { coefficient, stratonovich, differential, subs: s } => {
            ExprKind::Juxtapose { coefficient: boxed(coefficient), stratonovich, differential, subs: subs(s) }
        }
        leaf => leaf,
    };
    Expr { kind, span: e.span }
}

// ---- depth ----

/// Parses on a stack of two megabytes, that of the threads of a test or a pool.
fn problems_on_a_small_stack(text: String) -> Vec<String> {
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    let run = move || {
        let parsed = parse(FileId(0), &text);
        let _ = print::file(&parsed.file);
        let _ = shape(&parsed.file);
        parsed.problems.iter().map(|p| p.code.to_string()).collect()
    };
    thread.spawn(run).expect("a thread starts").join().expect("the stack is large enough")
}

fn nested(open: &str, close: &str, n: usize) -> String {
    format!("const c = {}1{}", open.repeat(n), close.repeat(n))
}

/// What nests by brackets, and what by operators.
const BRACKETS: &[(&str, &str)] = &[
    ("(", ")"),
    ("f(", ")"),
    ("[", "]"),
    ("x[", "]"),
    ("f(k = -2*", ")^2"),
    ("[", " for i in 0..n]"),
    ("(if a then b else ", ")"),
];
const OPERATORS: &[&str] = &["x -> ", "- ", "2^", "not ", "if a then b else ", "1 + ", "a and ", "- - +", "x*"];

#[test]
fn nesting_up_to_the_bound_is_fine() {
    let n = MAX_NESTING - 2;
    for (open, close) in BRACKETS {
        // What stands beside the brackets counts as operators.
        let n = n.min(MAX_DEPTH / 5);
        assert_eq!(problems_on_a_small_stack(nested(open, close, n)), [""; 0], "{open}");
    }
    for operator in OPERATORS {
        let n = (MAX_DEPTH - 1) / operator.split_whitespace().count().max(1);
        assert_eq!(problems_on_a_small_stack(nested(operator, "", n)), [""; 0], "{operator}");
    }
    let blocks = |n: usize, inner: &str| {
        format!("model m() {{ step {{ {}x' = {inner}{} }} }}", "if a { ".repeat(n), " }".repeat(n))
    };
    assert_eq!(problems_on_a_small_stack(blocks(n - 2, "1")), [""; 0]);
    let inner = format!("{}1{}", "(".repeat(n / 2), ")".repeat(n / 2));
    assert_eq!(problems_on_a_small_stack(blocks(n / 2 - 3, &inner)), [""; 0]);
}

#[test]
fn deeper_nesting_is_an_error_not_an_overflow() {
    for n in [MAX_DEPTH + 1, 100_000] {
        for (open, close) in BRACKETS {
            assert_eq!(problems_on_a_small_stack(nested(open, close, n)), ["E0107"], "{open} {n}");
        }
        for operator in OPERATORS {
            assert_eq!(problems_on_a_small_stack(nested(operator, "", n)), ["E0107"], "{operator} {n}");
        }
        let blocks = format!("model m() {{ {}{} }}", "step { ".repeat(n), " }".repeat(n));
        let problems = problems_on_a_small_stack(blocks);
        assert!(problems.contains(&"E0107".to_string()), "{problems:?}");
        for half in ["(", "[", "{", "f(x[", "model m() { step {", ")", "]", "}", "\"", "'"] {
            assert!(!problems_on_a_small_stack(half.repeat(n)).is_empty(), "{half}");
        }
    }
}
