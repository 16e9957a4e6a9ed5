//! What a place wants: from the words before it and the statement around it.

use crate::lsp::names::parameters;
use crate::model::library::Library;
use crate::model::{operators, plots, statistics};
use crate::session::help::of_language;
use crate::syntax::context::Context;
use crate::syntax::settings::{self, Setting};
use crate::syntax::{Place, keywords, name_rest};

/// What can stand at a place.
#[derive(Copy, Clone, Debug)]
pub enum Expected {
    /// a value; in a run perhaps of each path, perhaps of a statistic
    Expression {
        paths: bool,
        statistics: bool,
    },
    /// what goes on after a value
    Rest,
    /// `: |`
    Type,
    /// `noise W: |`
    Noise,
    Convention,
    /// `solver s() on |`
    Form,
    /// `for |` after it
    Class,
    Model,
    /// a target, or a law
    Law,
    Solver,
    /// of a model, in `split`
    Part,
    /// a kind of plot; of the kinds that can be animated
    Plot {
        still: bool,
    },
    /// a setting whose values are words
    Words(&'static Setting),
    /// what `sweep` can name
    Parameter,
    State,
    /// `converge |`
    Levels,
    /// a new name, or nothing
    Nothing,
}

use Expected::{Expression, Law, Model, Nothing, Rest, Solver, Type};

const PLAIN: Expected = Expression { paths: false, statistics: false };

/// Words after which a declaration has its name.
const NAMING: [&str; 13] =
    ["let", "const", "data", "fn", "noise", "state", "weight", "part", "phase", "target", "model", "solver", "run"];

pub fn expected(library: &Library, context: &Context) -> Expected {
    let (place, head, last) = (context.place, context.head(), context.last());
    let first = context.before.len() == 1;
    if first && NAMING.contains(&last) || last == "use" {
        return Nothing;
    }
    if after_value(context) {
        return Rest;
    }
    if let Some(wanted) = of_argument(library, context) {
        return wanted;
    }
    match last {
        ":" if place == Place::Model && head == "noise" => return Expected::Noise,
        ":" => return Type,
        "~" => return Law,
        _ => {}
    }
    match place {
        Place::File => of_declaration(context),
        Place::Model if head == "convention" => Expected::Convention,
        Place::Run => of_run(context),
        _ => PLAIN,
    }
}

/// Whether the word before is a value, after which no other can stand.
fn after_value(context: &Context) -> bool {
    let last = context.last();
    let number = last.starts_with(|c: char| c.is_ascii_digit());
    let name = last.chars().all(name_rest) && !last.is_empty() && !number;
    let is_word = keywords().contains(&last) || context.before.len() == 1 && context.place.heads().contains(&last);
    // `end` of a block before it belongs to another statement
    number || name && !is_word || matches!(last, ")" | "]" | "'") || last.starts_with('"')
}

/// What the call around wants as this argument, if it begins here.
fn of_argument(library: &Library, context: &Context) -> Option<Expected> {
    let call = context.call()?;
    if !matches!(context.last(), "(" | "," | "=" | "[") {
        return None;
    }
    let in_run = context.place == Place::Run;
    if call.name == "split" && (in_run || context.head() == "solver") {
        return Some(if call.named.is_some() { Solver } else { Expected::Part });
    }
    if call.name == "animation" && in_run && call.argument == 0 {
        return Some(Expected::Plot { still: true });
    }
    let signature = signature(library, &call.name)?;
    let params: Vec<&str> = parameters(&signature).into_iter().map(|(a, b)| &signature[a..b]).collect();
    let named = |name: &String| params.iter().position(|p| p.split([':', ' ', '=']).next() == Some(name));
    let param = params.get(call.named.as_ref().map_or(Some(call.argument), named)?)?;
    match param.split_once(':').map(|(_, ty)| ty.trim_start()) {
        Some(ty) if ty.starts_with("target") => Some(Law),
        Some(ty) if ty.starts_with("model") => Some(Model),
        Some(ty) if ty.starts_with("solver") => Some(Solver),
        _ => None,
    }
}

/// The declared or built-in signature of something that is called.
fn signature(library: &Library, name: &str) -> Option<String> {
    if let Some(header) = library.lookup(name).first().and_then(|d| d.item.kind.header()) {
        return Some(crate::syntax::print_expr::header(header));
    }
    of_language(name).into_iter().map(|t| t.signature).find(|s| s.contains('('))
}

/// The head of a declaration, before its block.
fn of_declaration(context: &Context) -> Expected {
    let last = context.last();
    if context.depth > 0 && in_header(context) {
        return if last == "=" || last == "in" { PLAIN } else { Nothing };
    }
    match (context.head(), last) {
        ("model", "=") => Model,
        ("target", "=") => Law,
        ("solver", "=") => Solver,
        ("solver", "on") => Expected::Form,
        ("solver", "for") => Expected::Class,
        _ => PLAIN,
    }
}

/// Whether the brackets around are those of the declaration's own parameters: `model m(k = |`.
pub fn in_header(context: &Context) -> bool {
    let own = context.before.get(1).zip(context.calls.first()).is_some_and(|(name, call)| *name == call.name);
    context.place == Place::File && own && context.before.get(2).is_some_and(|b| b == "(")
}

fn of_run(context: &Context) -> Expected {
    let (head, last) = (context.head(), context.last());
    let next = context.depth == 0 && (last == head || last == ",");
    let called = |f: &dyn Fn(&str) -> bool| context.calls.iter().any(|c| f(&c.name));
    let in_statistic = called(&|name| statistics::find(name).is_some());
    let pooled = context.before.iter().any(|w| w == "at" || w == "over");
    match head {
        "model" if context.calls.is_empty() => Model,
        "solver" if context.calls.is_empty() => Solver,
        "precision" | "noise" => settings::lookup(head).map_or(PLAIN, Expected::Words),
        "sweep" if next => Expected::Parameter,
        "converge" if next => Expected::Levels,
        "init" if last == "init" => Expected::State,
        "plot" if next => Expected::Plot { still: false },
        "plot" => {
            let formula = called(&|name| plots::find(name).is_some_and(|row| row.of == plots::Of::Statistic));
            Expression { paths: true, statistics: formula && !in_statistic }
        }
        "report" | "check" | "let" | "estimate" if in_statistic => Expression { paths: true, statistics: false },
        "report" | "check" | "let" | "estimate" if !pooled => Expression { paths: head == "let", statistics: true },
        "save" => Expression { paths: true, statistics: false },
        _ => PLAIN,
    }
}

/// Words that go on after a value, in a statement with one of these heads.
const CONTINUED: &[(Place, &[&str], &[&str])] = &[
    (Place::Run, &["time"], &["step", "steps", "tol"]),
    (Place::Run, &["report", "check", "let"], &["at", "over"]),
    (Place::Run, &["plot"], &["at", "over", "to"]),
    (Place::Run, &["save"], &["every", "first", "to"]),
    (Place::Run, &["estimate"], &["to"]),
    (Place::Model, &["noise"], &["with"]),
    (Place::Model, &["every"], &["steps"]),
    (Place::Block, &["solve"], &["from", "by"]),
    (Place::File, &["solver"], &["on", "for"]),
    (Place::File, &["target"], &["on"]),
    (Place::Solver, &["order"], &["for"]),
];

/// The words that can follow a value.
pub fn continued(context: &Context) -> Vec<&'static str> {
    let has = |word: &str| context.before.iter().any(|w| w == word);
    let mut words: Vec<&str> = Vec::new();
    if context.depth == 0 {
        let fits = |row: &&(Place, &[&str], &[&str])| row.0 == context.place && row.1.contains(&context.head());
        words.extend(CONTINUED.iter().filter(fits).flat_map(|row| row.2).filter(|w| !has(w)));
    }
    let choice = [("then", has("if") && !has("then")), ("else", has("then")), ("in", has("for"))];
    words.extend(choice.into_iter().filter(|c| c.1).map(|c| c.0));
    if ["<", ">", "<=", ">=", "==", "!=", "not", "if", "when", "check"].iter().any(|w| has(w)) {
        words.extend(["and", "or"]);
    }
    if context.depth > 0 || context.place == Place::Model {
        words.push("for");
    }
    words
}

/// Whether an operator of the table gives what is wanted, and works.
pub fn gives(operator: &operators::Operator, what: &str) -> bool {
    operator.supported && operator.signature.ends_with(&format!("-> {what}"))
}
