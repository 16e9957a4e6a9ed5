//! The parser and printer through the public interface: programs, spans, precedence, layout, and what is said of
//! mistakes.

mod support;

use fokker::diagnostics::render;
use fokker::source::{FileId, SourceFile, SourceMap, Span};
use fokker::syntax::ast::*;
use fokker::syntax::{Declarations, Parsed, Statement, parse, parse_bytes, parse_expr, parse_statement, print};
use std::path::Path as FilePath;
use support::{programs, without_spans};

fn ok(text: &str) -> File {
    let parsed = parse(FileId(0), text);
    assert!(parsed.problems.is_empty(), "{}", told("text", text));
    parsed.file
}

/// Every problem of a text as a user sees it.
fn told(name: &str, text: &str) -> String {
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile { name: name.into(), text: text.into(), path: None, library: false });
    let parsed = parse(file, text);
    let reports: Vec<String> = parsed.problems.iter().map(|d| render(d, &sources, false)).collect();
    // Ariadne ends lines in spaces.
    reports.join("\n").lines().map(|line| line.trim_end().to_string() + "\n").collect()
}

fn shape<T: std::fmt::Debug>(tree: &T) -> String {
    without_spans(&format!("{tree:#?}"))
}

// ---- programs ----

#[test]
fn every_program_parses_and_prints_back() {
    for (name, text) in programs() {
        let file = ok(&text);
        let printed = print::file(&file);
        let again = ok(&printed);
        assert_eq!(shape(&file), shape(&again), "{name} printed as\n{printed}");
        assert_eq!(print::file(&again), printed, "printing is stable: {name}");
    }
}

#[test]
fn printing_is_canonical() {
    let text = "model m(a:int=1 , k = 2 in [0,1)){state x:real[n]~normal( 0,1 );every 10 steps{x'[0]=-  1;-x ~ p}}";
    let expected = "model m(a: int = 1, k = 2 in [0, 1)) {
  state x: real[n] ~ normal(0, 1)
  every 10 steps {
    x'[0] = -1;
    -x ~ p
  }
}
";
    let file = ok(text);
    assert_eq!(print::file(&file), expected);
    assert_eq!(shape(&ok(expected)), shape(&file), "a line that begins with a sign does not join the one before");
}

#[test]
fn declarations_of_a_library_are_parsed_one_by_one() {
    for (name, text) in programs() {
        let whole = ok(&text);
        let library = Declarations::new(FileId(0), text.into());
        assert!(library.problems().is_empty());
        assert_eq!(library.len(), whole.items.len(), "{name}");
        for (i, item) in whole.items.iter().enumerate() {
            let (alone, problems) = library.item(i);
            assert!(problems.is_empty());
            assert_eq!(alone.as_ref(), Some(item), "{name}");
            let named = matches!(item.kind, ItemKind::Use(..)) || text_of(item).contains(library.head(i).1);
            assert!(named && !library.head(i).0.is_empty());
        }
    }
}

fn text_of(item: &Item) -> String {
    print::item(item)
}

// ---- expressions ----

/// An expression with every operation in brackets.
fn grouped(e: &Expr) -> String {
    let list = |es: &[Expr]| es.iter().map(grouped).collect::<Vec<_>>().join(", ");
    match &e.kind {
        ExprKind::Paren(inner) => grouped(inner),
        ExprKind::Unary(UnaryOp::Not, a) => format!("(not {})", grouped(a)),
        ExprKind::Unary(UnaryOp::Neg, a) => format!("(-{})", grouped(a)),
        ExprKind::Unary(UnaryOp::Plus, a) => format!("(+{})", grouped(a)),
        ExprKind::Binary(op, a, b) => format!("({} {op:?} {})", grouped(a), grouped(b)),
        ExprKind::Juxtapose { coefficient, stratonovich, differential, subs } => {
            let mark = if *stratonovich { "∘ " } else { "" };
            format!("({} {mark}{}{})", grouped(coefficient), differential.name, "[]".repeat(subs.len()))
        }
        ExprKind::Range(a, b) => format!("({} .. {})", grouped(a), b.as_ref().map_or(String::new(), |b| grouped(b))),
        ExprKind::If(c, a, b) => format!("(if {} {} {})", grouped(c), grouped(a), grouped(b)),
        ExprKind::Lambda(names, body) => {
            let names: Vec<&str> = names.iter().map(|n| n.name.as_str()).collect();
            format!("({} -> {})", names.join(" "), grouped(body))
        }
        ExprKind::Call(f, args) => {
            let args: Vec<Expr> = args.iter().map(|a| a.value.clone()).collect();
            format!("{}({})", grouped(f), list(&args))
        }
        ExprKind::Index(x, subs) => format!("{}[{}]", grouped(x), subs.len()),
        ExprKind::Field(x, name) => format!("{}.{}", grouped(x), name.name),
        ExprKind::Prime(x) => format!("{}'", grouped(x)),
        ExprKind::List(items) => format!("[{}]", list(items)),
        _ => print::expr(e),
    }
}

#[test]
fn precedence() {
    let table = [
        ("a + b*c", "(a Add (b Mul c))"),
        ("a - b - c", "((a Sub b) Sub c)"),
        ("a/b*c", "((a Div b) Mul c)"),
        ("a/b @ c", "((a Div b) MatMul c)"),
        ("-x^2", "(-(x Pow 2))"),
        ("2^-x^2", "(2 Pow (-(x Pow 2)))"),
        ("a^b^c", "(a Pow (b Pow c))"),
        ("-a*b", "((-a) Mul b)"),
        ("a*-b", "(a Mul (-b))"),
        ("- -a", "(-(-a))"),
        ("f(x)^2", "(f(x) Pow 2)"),
        ("x[i]^2", "(x[1] Pow 2)"),
        ("A.T @ x", "(A.T MatMul x)"),
        ("x'[0] + t'", "(x'[1] Add t')"),
        ("p.x'", "p.x'"),
        ("a < b + c", "(a Lt (b Add c))"),
        ("not a == b", "(not (a Eq b))"),
        ("not a and not b or c", "(((not a) And (not b)) Or c)"),
        ("a or b and c", "(a Or (b And c))"),
        ("0..n - 1", "(0 .. (n Sub 1))"),
        ("a or b .. c", "((a Or b) .. c)"),
        ("1..", "(1 .. )"),
        ("a dt", "(a dt)"),
        ("a/b dt", "((a Div b) dt)"),
        ("-x dt", "((-x) dt)"),
        ("x^2 dt + b*c dW[0]", "(((x Pow 2) dt) Add ((b Mul c) dW[]))"),
        ("b ∘ dW - c o dV", "((b ∘ dW) Sub (c ∘ dV))"),
        ("a*dt", "(a Mul dt)"),
        ("o o dW", "(o ∘ dW)"),
        ("if a then b else c + d", "(if a b (c Add d))"),
        ("if a then b else if c then d else e", "(if a b (if c d e))"),
        ("x -> x + 1", "(x -> (x Add 1))"),
        ("(x, y) -> x", "(x y -> x)"),
        ("() -> 1", "( -> 1)"),
        ("x -> y -> x", "(x -> (y -> x))"),
        ("expect(p, x -> f(x))", "expect(p, (x -> f(x)))"),
        ("(a + b)*c", "((a Add b) Mul c)"),
        ("a < b < c", "((a Lt b) Lt c)"),
        ("a != b and c >= d and e <= f and g > h", "((((a Ne b) And (c Ge d)) And (e Le f)) And (g Gt h))"),
        ("f(x)(y)[0].z", "f(x)(y)[1].z"),
    ];
    for (text, expected) in table {
        let e = parse_expr(FileId(0), text).unwrap_or_else(|p| panic!("{text}: {p:?}"));
        assert_eq!(grouped(&e), expected, "{text}");
        let printed = print::expr(&e);
        let again = parse_expr(FileId(0), &printed).unwrap();
        assert_eq!(shape(&again), shape(&e), "{text} printed as {printed}");
    }
}

#[test]
fn numbers_keep_their_text() {
    for (text, number, whole) in [
        ("1", 1.0, true),
        ("1.5", 1.5, false),
        ("1e-3", 1e-3, false),
        ("2E+5", 2e5, false),
        ("100_000", 1e5, true),
        ("1_0.2_5e1_0", 10.25e10, false),
        ("0", 0.0, true),
        ("0.0e5", 0.0, false),
    ] {
        let e = parse_expr(FileId(0), text).unwrap();
        assert_eq!(e.kind, ExprKind::Number { value: number, text: text.into(), integer: whole });
    }
}

#[test]
fn names_may_have_letters_of_any_script() {
    for name in ["σ", "beta_max", "x₁", "é", "переменная", "_x", "state", "time", "o", "d", "step"] {
        assert_eq!(parse_expr(FileId(0), name).unwrap().kind, ExprKind::Name(name.into()));
    }
}

#[test]
fn words_are_keywords_only_at_the_head_of_a_statement() {
    let file = ok("
model m(state = 1, data = 2) {
  state noise = state
  state every = data
  dnoise = every dt
  step { every' = noise; state stop = 1; stop' = 2; stop }
  at rate { every' = 1 }
  at rate every { every' = 1 }
}
run r { report = 3; save = 4; time = time step step; init step = last }
target t on potential: real { potential ~ normal(0, 1); potential potential^2 }
");
    let ItemKind::Run(run) = &file.items[1].kind else { panic!() };
    assert!(matches!(&run.statements[0], RunStmt::Setting { name, .. } if name.name == "report"));
    assert!(matches!(&run.statements[2], RunStmt::Setting { unit: Some(SettingUnit::Step(_)), .. }));
    let ItemKind::Model(Model { body: ModelBody::System(statements), .. }) = &file.items[0].kind else { panic!() };
    assert!(matches!(&statements[4], ModelStmt::On(Trigger::At(_), ..)));
    assert!(matches!(&statements[5], ModelStmt::On(Trigger::AtRate(_), ..)));
}

// ---- layout ----

#[test]
fn newlines_that_do_not_end_a_statement() {
    let one = shape(&ok("const x = f(a, b + c*2)"));
    for text in [
        "const x =\n\n  f(a, b + c*2)",
        "const x = f(\na\n,\nb\n+\nc\n*2\n)\n",
        "const x = f(a, b + # note\n c*2)",
        "\n;;const x = f(a, b + c*2);;\n",
        "const x = # why\r\n  f(a, b + c*2)\r\n",
        "\u{feff}const x = f(a, b + c*2)",
    ] {
        assert_eq!(shape(&ok(text)), one, "{text:?}");
    }
    let pairs = [
        ("const x = a\n  + b\n  # between\n  - c", "const x = a + b - c"),
        ("const x = a *\n b", "const x = a*b"),
        ("const x = if a\n then b\n else c", "const x = if a then b else c"),
        ("const x = if a then\n b else\n c", "const x = if a then b else c"),
        ("const x = y ->\n y", "const x = y -> y"),
        ("const x = a\n and not\n b", "const x = a and not b"),
        ("const x = 0 ..\n 3", "const x = 0..3"),
        ("model m() { step { if a { stop }\n else { stop } } }", "model m() { step { if a { stop } else { stop } } }"),
        ("target t() on x: real { x ~\n normal(0, 1) }", "target t() on x: real { x ~ normal(0, 1) }"),
        ("model m() { dx = a ∘\n dW }", "model m() { dx = a ∘ dW }"),
    ];
    for (broken, whole) in pairs {
        assert_eq!(shape(&ok(broken)), shape(&ok(whole)), "{broken:?}");
    }
    let two = ok("const a = 1\nconst b = 2;const c = 3");
    assert_eq!(two.items.len(), 3);
}

#[test]
fn documentation_goes_with_the_next_declaration() {
    let parsed: Parsed = parse(
        FileId(0),
        "## Old.\n\n## First line.\n##  Second.\n# plain\nconst a = 1 ## not a doc\nconst b = 2\n  ## Third.\n\nconst c = 3\n## Tail.\n",
    );
    let docs: Vec<Option<&str>> = parsed.file.items.iter().map(|i| i.doc.as_deref()).collect();
    assert_eq!(docs, [Some("First line.\n Second."), None, Some("Third.")]);
    let comments: Vec<(&str, bool)> = parsed.comments.iter().map(|c| (c.text.as_str(), c.own_line)).collect();
    assert_eq!(
        comments,
        [
            ("## Old.", true),
            ("## First line.", true),
            ("##  Second.", true),
            ("# plain", true),
            ("## not a doc", false),
            ("## Third.", true),
            ("## Tail.", true)
        ]
    );
}

#[test]
fn a_hash_in_a_string_is_no_comment() {
    let parsed = parse(FileId(0), "use \"a#b.sde\" # yes");
    assert!(parsed.problems.is_empty());
    assert!(matches!(&parsed.file.items[0].kind, ItemKind::Use(path, _) if path == "a#b.sde"));
    assert_eq!(parsed.comments.len(), 1);
}

// ---- spans ----

fn children(e: &Expr) -> Vec<&Expr> {
    fn comp(c: &Comp) -> impl Iterator<Item = &Expr> {
        c.clauses.iter().map(|(_, e)| e).chain(c.condition.as_deref())
    }
    fn subs(subs: &[Sub]) -> impl Iterator<Item = &Expr> {
        subs.iter().filter_map(|s| if let Sub::At(e) = s { Some(e) } else { None })
    }
    match &e.kind {
        ExprKind::Paren(a) | ExprKind::Unary(_, a) | ExprKind::Prime(a) | ExprKind::Field(a, _) => vec![a],
        ExprKind::Lambda(_, a) => vec![a],
        ExprKind::List(items) => items.iter().collect(),
        ExprKind::Comprehension(a, c) => std::iter::once(&**a).chain(comp(c)).collect(),
        ExprKind::Range(a, b) => std::iter::once(&**a).chain(b.as_deref()).collect(),
        ExprKind::If(a, b, c) => vec![a, b, c],
        ExprKind::Binary(_, a, b) => vec![a, b],
        ExprKind::Call(f, args) => {
            let args = args.iter().flat_map(|a| std::iter::once(&a.value).chain(a.comp.iter().flat_map(comp)));
            std::iter::once(&**f).chain(args).collect()
        }
        ExprKind::Index(a, s) => std::iter::once(&**a).chain(subs(s)).collect(),
        ExprKind::Juxtapose { coefficient, subs: s, .. } => std::iter::once(&**coefficient).chain(subs(s)).collect(),
        _ => Vec::new(),
    }
}

fn values(file: &File) -> Vec<&Expr> {
    let mut found = Vec::new();
    for item in &file.items {
        match &item.kind {
            ItemKind::Model(Model { body: ModelBody::System(statements), .. }) => {
                for statement in statements {
                    match statement {
                        ModelStmt::Let(l) => found.push(&l.value),
                        ModelStmt::Flow(f) => found.push(&f.value),
                        _ => {}
                    }
                }
            }
            ItemKind::Run(run) => {
                for statement in &run.statements {
                    match statement {
                        RunStmt::Let(l, _) => found.push(&l.value),
                        RunStmt::Report(es, _) | RunStmt::Plot { what: es, .. } => found.extend(es),
                        RunStmt::Check(e, _) => found.push(e),
                        RunStmt::Setting { value, .. } => found.push(value),
                        _ => {}
                    }
                }
            }
            ItemKind::Fn(f) => found.push(&f.value),
            ItemKind::Target(Target { body: TargetBody::Alias(e), .. }) => found.push(e),
            _ => {}
        }
    }
    found
}

/// The bytes of every expression are an expression by themselves, and the same one.
#[test]
fn spans_are_exact() {
    let mut count = 0;
    for (name, text) in programs() {
        let file = ok(&text);
        let mut open = values(&file);
        while let Some(e) = open.pop() {
            let written = &text[e.span.start as usize..e.span.end as usize];
            let alone = parse_expr(FileId(0), written).unwrap_or_else(|_| panic!("{name}: {written:?}"));
            assert_eq!(shape(&alone), shape(e), "{name}: {written:?}");
            assert_eq!(written.trim(), written, "{name}: no white space at the ends");
            count += 1;
            open.extend(children(e));
        }
    }
    assert!(count > 2000, "{count} expressions were looked at");
}

#[test]
fn spans_of_statements_and_names() {
    let text = "# σ\nmodel m() {\n  state σx: real = 1  # note\n  noise W: wiener[2] with correlation C ;\n}\n";
    let file = ok(text);
    let at = |span: Span| &text[span.start as usize..span.end as usize];
    assert_eq!(at(file.items[0].span), text.trim_end().strip_prefix("# σ\n").unwrap());
    let ItemKind::Model(Model { body: ModelBody::System(statements), .. }) = &file.items[0].kind else { panic!() };
    let [ModelStmt::State(state), ModelStmt::Noise(noise)] = &statements[..] else { panic!() };
    assert_eq!(at(state.span), "state σx: real = 1");
    assert_eq!(at(state.name.span), "σx");
    assert_eq!(at(state.ty.as_ref().unwrap().span), "real");
    assert_eq!(at(noise.span), "noise W: wiener[2] with correlation C");
}

// ---- one expression, one line ----

#[test]
fn single_expressions() {
    assert!(parse_expr(FileId(3), " [1, 2] ").is_ok_and(|e| e.span == Span::new(FileId(3), 1, 7)));
    for text in ["", "# nothing", "1 +", "1; 2", "(", "x = 1", "1.2.3", "if"] {
        let problems = parse_expr(FileId(0), text).expect_err(text);
        assert!(!problems.is_empty(), "{text}");
    }
}

#[test]
fn lines_of_a_session() {
    let kind = |text: &str| match parse_statement(FileId(0), text) {
        Ok(Statement::Item(_)) => "item",
        Ok(Statement::Run(_)) => "run",
        Ok(Statement::Expr(_)) => "expr",
        Err(_) => "error",
    };
    let table = [
        ("x + 1", "expr"),
        ("model m() { state x = 1 }", "item"),
        ("fn f(x) = x", "item"),
        ("let y = 3", "run"),
        ("report mean(x) at 1", "run"),
        ("paths = 100", "run"),
        ("model m( = 3", "error"),
        ("report mean(", "error"),
        ("", "error"),
    ];
    for (text, expected) in table {
        assert_eq!(kind(text), expected, "{text}");
    }
}

// ---- mistakes ----

/// The files of `tests/data/mistakes`, each with what is said of it beside it. `UPDATE_EXPECTED=1` rewrites that.
#[test]
fn mistakes_are_explained() {
    let folder = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mistakes");
    let update = std::env::var_os("UPDATE_EXPECTED").is_some();
    let mut different = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "sde") {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let found = told(&name, &std::fs::read_to_string(&path).unwrap());
        let beside = path.with_extension("txt");
        if update {
            std::fs::write(&beside, &found).unwrap();
        } else if std::fs::read_to_string(&beside).unwrap_or_default() != found {
            different.push(format!("{name} gives\n{found}"));
        }
    }
    assert!(different.is_empty(), "run with UPDATE_EXPECTED=1 if this is meant:\n{}", different.join("\n"));
}

#[test]
fn a_mistake_does_not_hide_the_rest() {
    let text = "model a() { state x = ; dx = x dt }\nconst b = 1\nrun c { paths = }\nconst d = 2";
    let parsed = parse(FileId(0), text);
    assert_eq!(parsed.problems.len(), 2);
    assert_eq!(parsed.file.items.len(), 4);
    let ItemKind::Model(Model { body: ModelBody::System(statements), .. }) = &parsed.file.items[0].kind else {
        panic!()
    };
    assert!(matches!(statements[..], [ModelStmt::Flow(_)]));
}

#[test]
fn problems_are_in_order_and_not_too_many() {
    let parsed = parse(FileId(0), &"const x = $\n".repeat(1000));
    assert_eq!(parsed.problems.len(), 100);
    assert!(parsed.problems.is_sorted_by_key(|p| p.labels[0].span.start));
    assert!(parsed.problems[99].notes[0].contains("900"));
}

#[test]
fn bytes_that_are_not_text() {
    let (text, parsed) = parse_bytes(FileId(0), b"const a = 1\nconst b = \xff\xfe\n");
    let [problem] = &parsed.problems[..] else { panic!("{:?}", parsed.problems) };
    assert_eq!(problem.code.0, "E0101");
    assert!(problem.message.contains("byte 23") && problem.message.contains("line 2"), "{}", problem.message);
    let span = problem.labels[0].span;
    assert_eq!(&text[span.start as usize..span.end as usize], "\u{fffd}");
    let (_, parsed) = parse_bytes(FileId(0), b"\xff\xfeu\0s\0e\0");
    assert!(parsed.problems[0].help.as_ref().unwrap().contains("UTF-16"));
    let (text, parsed) = parse_bytes(FileId(0), "const σ = 1".as_bytes());
    assert!(parsed.problems.is_empty() && text == "const σ = 1");
}
