//! Usual mistakes at the level of statements: what another language would have written here, a statement in the wrong
//! place, a missing word.

use super::explain::{Failure, RESERVED, found};
use super::grammar::{Grammar, Place, Rule};
use super::lex::TokenKind;
use super::settings::NAMES as SETTINGS;
use crate::diagnostics::suggest::suggest;
use crate::diagnostics::{Diagnostic, Edit, codes};
use crate::source::Span;
use pest::Parser;

/// Functions of one number that are often written without brackets on paper.
const CALLED: [&str; 16] = [
    "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan", "exp", "log", "sqrt", "abs", "sign", "erf",
    "floor",
];

/// The message for a mistake that is recognised as a whole.
pub fn recognise(failure: &Failure) -> Option<Diagnostic> {
    const CHECKS: [fn(&Failure) -> Option<Diagnostic>; 13] = [
        setting_without_value,
        unfinished_line,
        quotient_of_differentials,
        reserved_name,
        setting_without_equals,
        assignment,
        elsewhere,
        stray_word,
        unknown_head,
        comma_at_line_end,
        choice_without_else,
        choice_in_braces,
        several_parameters,
    ];
    CHECKS.iter().find_map(|check| check(failure))
}

/// The change that mends a failure of the plain form.
pub fn mended(f: &Failure) -> Option<(Span, String)> {
    let (found, previous) = (f.found(), f.previous());
    let here = f.span();
    let before = f.here.checked_sub(1).map(|i| f.span_of(i))?;
    Some(match found {
        "==" if f.wants(Rule::eq) => (here, "=".into()),
        "=" if f.after_value() && f.word(0) != "let" => (here, "==".into()),
        ")" | "]" | "}" if previous == "," => (before, String::new()),
        "minimize" | "maximize" => (here, found.replace('z', "s")),
        _ if f.begins_line(f.here) || !missing_operator(f) || f.wants(Rule::comma) => return None,
        _ if CALLED.contains(&previous) => (before.to(here), format!("{previous}({found})")),
        _ if f.kind(f.here) == Some(TokenKind::Name) && !previous.ends_with([')', ']']) => {
            (before.after().to(here.before()), "*".into())
        }
        _ => return None,
    })
}

/// A way out for a failure that is told in the plain form.
pub fn hint(f: &Failure) -> Option<String> {
    let (found, previous) = (f.found(), f.previous());
    let text = match found {
        ":" if f.word(0) == "sweep" => {
            "the values of a sweep are a list: `[0.1, 0.2, 0.4]`, or `linspace(0.1, 0.4, 4)`"
        }
        ":" if f.after_value() && f.kind(f.here + 1) == Some(TokenKind::Number) => "a range is written `0..n`",
        "over" | "at" if f.after_value() && f.place == Place::Run => {
            "when to look stands at the end of a statement: `report mean(x) at 0.5`, `report mean(x) over t in [0, 1]`"
        }
        "(" if f.wants(Rule::kw_in) && f.words.iter().any(|w| w.text == "over") => {
            "`over` ends a statement: what looks at other times stands in a statement of its own"
        }
        ":" if f.word(0) == "fn" => "a function is written `fn f(x) = e`, or as a block `{ ... return e }`",
        "," if f.word(0) == "save" => "several values stand in a list: `save [x, y] to \"paths.csv\"`",
        "," if matches!(f.word(0), "report" | "plot") && f.words.iter().any(|w| matches!(w.text, "at" | "to")) => {
            "the times and the file are those of the whole statement: write a statement for each"
        }
        _ if f.here >= 2 && f.word(f.here - 2) == "last" => "the last steps of a run are `over last 500 steps`",
        "{" if f.word(0) == "target" && previous == ")" => {
            "say what it is a law of: `target p() on theta: real[3] { ... }`; data are declared beside it"
        }
        _ if f.word(0) == "use" && f.here == 1 => "the name of a file stands in double quotes: `use \"models.sde\"`",
        _ if f.word(0) == "data" && f.here <= 2 => {
            "data have a type: `data y: real[n] = ...` for a column or a list, `data X: real[n, k] = ...` for a table"
        }
        "==" if f.wants(Rule::eq) => "a value is given with `=`; `==` compares",
        "=" if f.after_value() && f.word(0) != "let" => "`==` compares; `=` only gives a value to a name",
        ")" | "]" | "}" if previous == "," => "leave out the last comma",
        "if" if previous == "else" => "nest it: `else { if c { ... } }`",
        "," if f.word(f.here + 2) == "->" => "several parameters stand in brackets: `(x, y) -> e`",
        "*" | "/" | "^" | "+" | "-" if previous == "." => {
            "operations are elementwise by themselves: leave out the point"
        }
        ".." if previous == "[" => "a range begins with a number: `0..n`",
        "if" if f.after_value() || f.previous_is_operator() => {
            "a choice inside an expression stands in brackets: `(if c then a else b)`"
        }
        "=" if f.word(0) == "noise" && f.here == 2 => "a noise is written `noise W: wiener`, or `noise W: wiener[2]`",
        "," | ":" if f.word(0) == "time" => "a time is written `a .. b step h`",
        "{" if f.word(0) == "target" && previous == f.word(3) => "say over what: `on x: real`, `on x: real[n]`",
        "for" if f.place == Place::Target && f.words.iter().any(|w| w.text == "~") => {
            "a law on an array holds for each of its elements: `x ~ normal(0, 1)`, `x[1..] ~ normal(x[0], 1)`"
        }
        _ if previous == "lambda" => "a function without a name is written `y -> e`",
        "minimize" => "the word is `minimise`",
        "maximize" => "the word is `maximise`",
        ":" | "do" | "then" | "" if wants_block(f) => "a block stands in braces: `{ ... }`",
        "for" if f.after_value() && f.place != Place::Run => {
            "a comprehension stands in brackets, or as the only argument of a reducer"
        }
        "=" | "," | "~" | "->" if f.here == 0 => "to go on with the line above, end that line with it",
        "" if f.wants(Rule::eq) && f.word(0) == "let" => "write `let x = e`",
        _ if f.wants(Rule::eq) && f.word(0) == "let" && f.here <= 2 => "a `let` gives a value at once: `let x = e`",
        _ if f.place == Place::Function && f.here == 0 => "the block of a function has `let`s and ends in `return e`",
        _ if f.begins_line(f.here) && missing_operator(f) => "a comma or a bracket may be missing before this line",
        _ if f.wants(Rule::kw_step) && f.word(0) == "time" => "a time is written `a .. b step h`",
        word if missing_operator(f) && f.place.heads().contains(&word) => {
            return Some(format!("a statement ends with its line, or with `;`: write `; {word}`"));
        }
        _ if missing_operator(f) && f.wants(Rule::comma) => "is a `,` missing before it, or a `*`?",
        _ if missing_operator(f) && CALLED.contains(&previous) => {
            return Some(format!("the argument of a function stands in brackets: `{previous}({found})`"));
        }
        _ if missing_operator(f) && f.kind(f.here) == Some(TokenKind::Name) && !previous.ends_with([')', ']']) => {
            return Some(format!("a product needs its `*`: write `{previous}*{found}`"));
        }
        _ => return None,
    };
    Some(text.to_string())
}

fn wants_block(f: &Failure) -> bool {
    use Rule::*;
    [open, block, fn_block, target_block, model_block, part_block, solver_block, run_block].iter().any(|r| f.wants(*r))
}

/// A value directly after a value.
fn missing_operator(f: &Failure) -> bool {
    let begins = match f.kind(f.here) {
        Some(TokenKind::Name) => !RESERVED.contains(&f.found()),
        Some(TokenKind::Number) => true,
        _ => false,
    };
    begins && f.after_value() && f.here > 0
}

/// A line that ends in an operator, and a statement in the next.
fn unfinished_line(f: &Failure) -> Option<Diagnostic> {
    let begins = |i: usize| {
        f.begins_line(i)
            && f.words[i - 1].kind == TokenKind::Operator
            && Place::ALL.iter().any(|p| p.heads().contains(&f.word(i)))
    };
    let i = (f.here.saturating_sub(1)..=f.here).find(|&i| i > 0 && begins(i))?;
    let operator = f.word(i - 1);
    let message = format!("expected an expression after `{operator}`, found the next line");
    let label = "a line that ends so goes on in the next";
    let problem = Diagnostic::error(codes::SYNTAX, message, f.span_of(i - 1), label);
    Some(problem.label(f.span_of(i), "which begins a statement of its own"))
}

/// `dx/dt = f`
fn quotient_of_differentials(f: &Failure) -> Option<Diagnostic> {
    // `d x/dt` is read like `dx/dt`
    let apart = usize::from(f.word(0) == "d" && f.word(2) == "/");
    let (dx, dt) = (if apart == 1 { format!("d{}", f.word(1)) } else { f.word(0).to_string() }, f.word(2 + apart));
    let quotient = f.word(1 + apart) == "/" && dx.len() > 1 && dx.starts_with('d') && dt.starts_with('d');
    if !quotient || !f.words.iter().any(|w| w.text == "=") {
        return None;
    }
    let span = f.span_of(0).to(f.span_of(2 + apart));
    let problem = Diagnostic::error(codes::SYNTAX, "a flow is written in differentials", span, "a quotient");
    let problem = problem.help(format!("write `{dx} = ... {dt}`"));
    let last = f.words.len() - 1;
    if f.word(3) != "=" || last < 4 {
        return Some(problem);
    }
    let right = f.span_of(4).to(f.span_of(last));
    let text = &f.text[right.start as usize..right.end as usize];
    let is_product = !f.words[4..].iter().any(|w| matches!(w.text, "+" | "-" | "if" | "->"));
    let right_text = if is_product { text.to_string() } else { format!("({text})") };
    Some(problem.instead(f.span_of(0).to(right), format!("{dx} = {right_text} {dt}")))
}

/// A reserved word where a name is wanted.
fn reserved_name(f: &Failure) -> Option<Diagnostic> {
    if !f.wants(Rule::name) || f.wants_value() || !RESERVED.contains(&f.found()) || f.here == 0 {
        return None;
    }
    let message = format!("`{}` is a word of the language and cannot be a name", f.found());
    let problem = Diagnostic::error(codes::RESERVED_NAME, message, f.span(), "reserved");
    let words = RESERVED.map(|w| format!("`{w}`")).join(", ");
    Some(problem.note(format!("the reserved words are {words}")).help("choose another name"))
}

/// `paths 1_000`
fn setting_without_equals(f: &Failure) -> Option<Diagnostic> {
    let name = f.word(0);
    if f.place != Place::Run || !SETTINGS.contains(&name) || f.here != 1 || f.words.len() == 1 {
        return None;
    }
    let message = format!("expected `=` after `{name}`, found {}", found(f));
    let problem = Diagnostic::error(codes::SYNTAX, message, f.span(), "expected `=`");
    Some(
        problem
            .help(format!("a setting is written `{name} = value`"))
            .fix("add `=`", Edit::Replace(f.span().before(), "= ".into())),
    )
}

/// `solver =` at the end of a line, before another setting.
fn setting_without_value(f: &Failure) -> Option<Diagnostic> {
    let (name, next) = (f.word(0), f.word(2));
    let settings = SETTINGS.contains(&name) && f.word(1) == "=" && SETTINGS.contains(&next) && f.word(3) == "=";
    if f.place != Place::Run || f.here != 3 || !settings || !f.begins_line(2) {
        return None;
    }
    let message = format!("a value is missing after `{name} =`");
    Some(Diagnostic::error(codes::SYNTAX, message, f.span_of(0).to(f.span_of(1)), "nothing follows on this line"))
}

/// `x = e` where a value cannot just be given.
fn assignment(f: &Failure) -> Option<Diagnostic> {
    let name = f.word(0);
    if f.place == Place::Run || f.kind(0) != Some(TokenKind::Name) || RESERVED.contains(&name) {
        return None;
    }
    let equals = f.word(1) == "=" || f.word(1) == "[" && f.found() == "=" && f.previous() == "]";
    if !equals || is_flow(f) {
        return None;
    }
    let message = format!("`{name} = ...` cannot stand {}", f.place.location());
    if SETTINGS.contains(&name) {
        let message = format!("`{name} = ...` is a setting of a run");
        let problem = Diagnostic::error(codes::SYNTAX, message, f.span_of(0), format!("not {}", f.place.location()));
        return Some(problem.help("move it into a `run`"));
    }
    let help = match f.place {
        _ if f.word(1) == "=" && f.place.heads().contains(&name) => {
            format!("`{name}` begins a statement of its own, without `=`")
        }
        Place::Target => format!("write `let {name} = e` to name a value, `{name} ~ law` for a term of the density"),
        Place::Block => format!("write `{name}' = e` for the new value of a state, `let {name} = e` for a new name"),
        Place::Model => {
            format!(
                "write `let {name} = e` to name a value, `state {name} = e` for a state, `d{name} = e dt` for its flow"
            )
        }
        Place::File => format!("write `const {name} = e`"),
        Place::Solver => format!("write `let {name} = e`, or `{name}' = e` inside `step {{ }}`"),
        _ => format!("write `let {name} = e`"),
    };
    Some(Diagnostic::error(codes::SYNTAX, message, f.span_of(0), "a word is missing before this").help(help))
}

/// `dx = ... dt`
fn is_flow(f: &Failure) -> bool {
    let differential = |word: &str| {
        let mut letters = word.chars();
        letters.next() == Some('d') && letters.next().is_some_and(super::lex::name_start)
    };
    differential(f.word(0)) && f.words[1..].iter().any(|w| differential(w.text))
}

/// `for` or `else` at the head of a statement that does not begin so.
fn stray_word(f: &Failure) -> Option<Diagnostic> {
    if f.here == 0 && f.word(0) == "for" {
        let message = format!("`for` cannot begin a statement {}", f.place.location());
        let problem = Diagnostic::error(codes::SYNTAX, message, f.span(), "begins a line");
        return Some(
            problem.help("if it belongs to the line above, it must stand on that line; a loop stands in a block"),
        );
    }
    if f.word(0) != "else" || f.here != 0 {
        return None;
    }
    let problem = Diagnostic::error(codes::SYNTAX, "`else` without `if`", f.span(), "no `if` before this");
    Some(problem.help("write `if c { ... } else { ... }`, or `if c then a else b` for a value"))
}

/// A good statement in the wrong place.
fn elsewhere(f: &Failure) -> Option<Diagnostic> {
    let homes: Vec<Place> = Place::ALL.into_iter().filter(|p| *p != f.place && at_home(f, *p)).collect();
    let &first = homes.first()?;
    let what = match (f.word(0), f.word(1)) {
        (_, "'") => "a new value",
        _ if is_flow(f) && homes.contains(&Place::Model) => "a flow",
        (_, _) if f.words.iter().any(|w| w.text == "~") && homes == [Place::Target, Place::Block] => "`~`",
        _ => "",
    };
    let what = if what.is_empty() { format!("`{}`", f.word(0)) } else { what.to_string() };
    let names: Vec<String> = homes.iter().map(|p| p.location()).collect();
    let places = match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    };
    let message = format!("{what} cannot stand {}", f.place.location());
    let mut problem = Diagnostic::error(codes::SYNTAX, message, f.span_of(0), "not allowed here");
    if f.word(0) == "let" && f.place == Place::File {
        problem = problem.instead(f.span_of(0), "const");
    }
    Some(problem.help(match f.word(0) {
        "use" | "target" | "model" | "solver" | "run" if first == Place::File => {
            "declarations stand at the top level; is a `}` missing above?".to_string()
        }
        name if f.place == Place::Model && f.word(1) == "'" => {
            format!("the equation of a state is written `d{name} = ... dt`; a new value `{name}'` can stand {places}")
        }
        "if" if f.place == Place::Model => "choose inside an equation: `dx = (if x > 0 then 1 else 0) dt`".to_string(),
        "let" if f.place == Place::File => "write `const` for a value of the whole file".to_string(),
        _ => format!("it can stand {places}"),
    }))
}

/// Whether the statement would be right in another place.
fn at_home(f: &Failure, place: Place) -> bool {
    let setting = place == Place::Run && f.word(1) == "=" && !SETTINGS.contains(&f.word(0));
    let sentence = place.heads().contains(&f.word(0)) || matches!(f.word(1), "'" | "=") || is_flow(f);
    let law = f.words.iter().any(|w| w.text == "~");
    !setting && (sentence || law) && Grammar::parse(place.rule(), f.read).is_ok()
}

/// What other languages call the words that begin a statement.
const SYNONYMS: &[(&str, &str)] = &[
    ("def", "fn"),
    ("function", "fn"),
    ("func", "fn"),
    ("fun", "fn"),
    ("import", "use"),
    ("include", "use"),
    ("from", "use"),
    ("system", "model"),
    ("process", "model"),
    ("sde", "model"),
    ("class", "model"),
    ("density", "target"),
    ("distribution", "target"),
    ("posterior", "target"),
    ("scheme", "solver"),
    ("method", "solver"),
    ("experiment", "run"),
    ("simulate", "run"),
    ("param", "const"),
    ("parameter", "const"),
    ("var", "let"),
    ("val", "let"),
    ("set", "let"),
    ("variable", "state"),
    ("init", "state"),
    ("brownian", "noise"),
    ("wiener", "noise"),
    ("print", "report"),
    ("output", "report"),
    ("assert", "check"),
    ("expect", "check"),
    ("write", "save"),
    ("while", "for"),
    ("break", "stop"),
    ("loop", "for"),
    ("energy", "potential"),
    ("logp", "log_density"),
];

/// A word that begins no statement here.
fn unknown_head(f: &Failure) -> Option<Diagnostic> {
    let word = f.word(0);
    let heads = f.place.heads();
    let follows = matches!(f.kind(1), Some(TokenKind::Name | TokenKind::Number | TokenKind::Text));
    let headed = f.kind(0) == Some(TokenKind::Name) && !heads.contains(&word) && !RESERVED.contains(&word);
    if !headed || !(f.place == Place::File || f.here <= 1 && follows) {
        return None;
    }
    let what = if f.place == Place::File { "declaration" } else { "statement" };
    let message = format!("`{word}` does not begin a {what}");
    let label = format!("unknown {}", f.place.location());
    let problem = Diagnostic::error(codes::SYNTAX, message, f.span_of(0), label);
    let synonym = SYNONYMS.iter().find(|(other, ours)| *other == word && heads.contains(ours)).map(|(_, ours)| *ours);
    let near = synonym.or_else(|| suggest(word, heads.iter().copied()).first().copied());
    let words = heads.iter().map(|h| format!("`{h}`")).collect::<Vec<_>>().join(", ");
    if f.place != Place::File && matches!(word, "param" | "params" | "parameter" | "parameters") {
        return Some(
            problem.help(
                "parameters stand in the header, as in `model m(k = 1.0) { ... }` and `run r(K = 100.0) { ... }`",
            ),
        );
    }
    Some(match near {
        Some(near) => problem.did_you_mean(&[near], f.span_of(0)),
        None => problem.help(format!("the words that begin a {what} here are {words}")),
    })
}

/// `a = 1,` at the end of a line
fn comma_at_line_end(f: &Failure) -> Option<Diagnostic> {
    if f.found() != "," || !(f.begins_line(f.here + 1) || f.here + 1 == f.words.len()) || !f.wants(Rule::EOI) {
        return None;
    }
    let message = "a statement does not end in a comma";
    let problem = Diagnostic::error(codes::SYNTAX, message, f.span(), "leave it out");
    Some(problem.help("a newline or `;` ends a statement").instead(f.span(), ""))
}

/// `if c then a`
fn choice_without_else(f: &Failure) -> Option<Diagnostic> {
    if !f.wants(Rule::kw_else) || f.words.iter().all(|w| w.text != "then") {
        return None;
    }
    let open = f.words[..f.here].iter().rposition(|w| w.text == "if")?;
    let problem = Diagnostic::error(codes::SYNTAX, "`if` without `else`", f.span_of(open), "has no `else`");
    let problem = problem.label(f.span(), "expected `else` here");
    let statement = if f.place == Place::Block { "; a statement is `if c { ... }`" } else { "" };
    Some(problem.help(format!("a choice has a value in both cases: `if c then a else b`{statement}")))
}

/// `x = if c { a } else { b }`
fn choice_in_braces(f: &Failure) -> Option<Diagnostic> {
    if !f.wants(Rule::kw_then) || f.found() != "{" {
        return None;
    }
    let problem = Diagnostic::error(codes::SYNTAX, "expected `then`, found `{`", f.span(), "expected `then`");
    Some(problem.help("a choice between values is written `if c then a else b`"))
}

/// `x, y -> e`
fn several_parameters(f: &Failure) -> Option<Diagnostic> {
    if f.found() != "->" {
        return None;
    }
    if f.word(0) == "fn" && f.previous() == ")" {
        let message = "the type of a result is not written";
        let problem = Diagnostic::error(codes::SYNTAX, message, f.span(), "leave out the arrow and the type");
        return Some(problem.help("the value tells it: `fn f(x: real) = e`"));
    }
    let message = "the parameters of a function are a name, or names in brackets";
    let problem = Diagnostic::error(codes::SYNTAX, message, f.span(), "no parameters before this");
    Some(problem.help("write `x -> e` or `(x, y) -> e`"))
}
