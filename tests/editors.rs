//! What editors know of the language without a server: words, functions, laws, statistics, solvers and templates, all made
//! from the compiler's tables. `UPDATE=1 cargo test --test editors` writes them anew.

use std::collections::BTreeSet;
use std::path::PathBuf;

use fokker::lsp::snippets;
use fokker::model::{distributions, functions, later, messages, operators, plots, results};
use fokker::session::load::{Options, load_text};
use fokker::syntax::{Place, RESERVED, keywords, settings};
use serde_json::{Value, json};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("editors").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_default()
}

/// Compares a file with what the tables say, or writes it.
fn file(name: &str, made: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path(name), made).expect("the file can be written");
    } else {
        let same = text(name) == made;
        assert!(same, "editors/{name} differs from the tables: UPDATE=1 cargo test --test editors");
    }
}

/// The same for the lines between two marks of a file.
fn part(name: &str, made: &str) {
    const BEGIN: &str = "made from the tables of the sources: UPDATE=1 cargo test --test editors\n";
    const END: &str = "end of what is made";
    let kept = text(name);
    let from = kept.find(BEGIN).expect("the mark of the begin") + BEGIN.len();
    let end = kept.find(END).expect("the mark of the end");
    let to = kept[..end].rfind('\n').expect("a line") + 1;
    file(name, &format!("{}{made}{}", &kept[..from], &kept[to..]));
}

// ---- words ----

/// Words that begin statements, and those inside them that are no operators of expressions.
fn words() -> Vec<&'static str> {
    let mut words: Vec<&str> = keywords().iter().copied().filter(|w| !operator_words().contains(w)).collect();
    words.retain(|w| !["true", "false"].contains(w));
    sorted(words)
}

fn operator_words() -> [&'static str; 3] {
    ["and", "or", "not"]
}

/// Functions and operators that work: names of the others are free for users to see as their own.
fn called() -> Vec<&'static str> {
    let functions = functions::TABLE.iter().filter(|f| !later::function(f)).map(|f| f.name);
    sorted(functions.chain(operators::TABLE.iter().filter(|o| o.supported).map(|o| o.name)).collect())
}

fn laws() -> Vec<&'static str> {
    sorted(distributions::TABLE.iter().flat_map(|d| d.aliases.iter().copied().chain([d.name])).collect())
}

fn statistics() -> Vec<&'static str> {
    sorted(results::supported_names().collect())
}

fn solvers() -> Vec<String> {
    let mut names = load_text("none", "", &Options::default()).library.solver_names();
    names.extend(values("solver").map(str::to_string));
    names.sort();
    names
}

/// Words that have a meaning in the value of a setting alone.
fn values(setting: &str) -> impl Iterator<Item = &'static str> {
    settings::lookup(setting).expect("a setting").words.iter().map(|w| w.0)
}

fn kinds_of_plots() -> Vec<&'static str> {
    sorted(plots::TABLE.iter().map(|row| row.name).collect())
}

fn sorted(mut words: Vec<&str>) -> Vec<&str> {
    words.sort_unstable();
    words.dedup();
    words
}

fn heads() -> BTreeSet<&'static str> {
    Place::ALL.iter().flat_map(|p| p.heads()).copied().collect()
}

// ---- VS Code ----

fn any(words: &[impl AsRef<str>]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    format!("\\b(?:{})\\b", words.join("|"))
}

fn pattern(name: &str, regex: &str) -> Value {
    json!({ "name": format!("{name}.sde"), "match": regex })
}

/// The begin of a statement: of a line, or after a brace or a semicolon.
const BEGIN: &str = "(?:^|(?<=[{;]))\\s*";

/// The same for what comes after something else.
fn after(before: &str, name: &str, regex: &str) -> Value {
    json!({ "match": format!("{before}({regex})"), "captures": { "1": { "name": format!("{name}.sde") } } })
}

/// A setting whose value is a word.
fn value_of(setting: &str) -> Value {
    json!({
        "match": format!("{BEGIN}({setting})\\s*(=)\\s*{}", any(&values(setting).collect::<Vec<_>>()).replacen("(?:", "(", 1)),
        "captures": {
            "1": { "name": "variable.parameter.setting.sde" },
            "2": { "name": "keyword.operator.sde" },
            "3": { "name": "constant.language.value.sde" }
        }
    })
}

/// The kinds of plots are that in `plot` statements alone; such a statement goes on in the next line after a comma.
fn plot_statement() -> Value {
    json!({
        "begin": format!("{BEGIN}(plot)\\b(?!\\s*=)"),
        "beginCaptures": { "1": { "name": "keyword.control.statement.sde" } },
        "end": "(?=[;}])|(?<=[^,\\s])\\s*$",
        "patterns": [
            // With its newline, so that the statement does not end there.
            { "match": ",\\s*(#.*)?\\n", "captures": { "1": { "name": "comment.line.number-sign.sde" } } },
            { "include": "#comments" },
            pattern("support.function.plot", &format!("{}(?=\\s*\\()", any(&kinds_of_plots()))),
            { "include": "#values" },
        ]
    })
}

/// The grammar that VS Code colours with where no server and no tree-sitter is at hand.
fn textmate() -> Value {
    json!({
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "Fokker",
        "scopeName": "source.sde",
        "fileTypes": ["sde"],
        "patterns": [
            { "include": "#comments" },
            { "include": "#statements" },
            { "include": "#values" }
        ],
        "repository": {
            "comments": { "patterns": [
                pattern("comment.line.documentation", "##.*$"),
                pattern("comment.line.number-sign", "#.*$")
            ] },
            "statements": { "patterns": statements() },
            "values": { "patterns": in_values() }
        }
    })
}

/// What begins statements, and what stands at one place of them alone.
fn statements() -> Value {
    let declared = format!(
        "{BEGIN}(target|model|solver|run|fn|const|data|let|state|weight|noise|part|phase)\\s+([\\p{{L}}_][\\p{{L}}\\p{{N}}_]*)"
    );
    let heads: Vec<&str> = heads().into_iter().collect();
    json!([
        plot_statement(),
        after(BEGIN, "variable.other.differential", "d\\p{L}[\\p{L}\\p{N}_]*(?=\\s*(?:\\[[^\\]]*\\])?\\s*=(?!=))"),
        value_of("noise"),
        value_of("precision"),
        {
            "match": declared,
            "captures": {
                "1": { "name": "keyword.declaration.sde" },
                "2": { "name": "entity.name.sde" }
            }
        },
        after(BEGIN, "variable.parameter.setting", &format!("{}(?=\\s*=(?!=))", any(&settings::NAMES))),
        after(BEGIN, "keyword.control.statement", &format!("{}(?!\\s*(?:[=(,'.\\[]))", any(&heads))),
        after(":\\s*", "storage.type.noise", &any(&messages::NOISES)),
        after(":\\s*", "storage.type", &any(&messages::TYPES))
    ])
}

/// What stands in expressions.
fn in_values() -> Value {
    let given = ["t", "dt", "step", "pi", "inf"];
    let numbers = ["real", "int", "bool"];
    let name = "[\\p{L}_][\\p{L}\\p{N}_]*";
    let subs = "\\s*(?:\\[[^\\]]*\\])?";
    let reserved = RESERVED.into_iter().filter(|w| !["true", "false", "and", "or", "not"].contains(w));
    json!([
        pattern("string.quoted.double", "\"[^\"\\n]*\""),
        pattern("constant.numeric", "\\b\\d(?:_?\\d)*(?:\\.\\d(?:_?\\d)*)?(?:[eE][+-]?\\d(?:_?\\d)*)?\\b"),
        pattern("constant.language", &any(&["true", "false"])),
        pattern("keyword.control", &any(&reserved.collect::<Vec<_>>())),
        pattern("keyword.operator.word", &any(&operator_words())),
        pattern("keyword.other", &format!("(?<![.])\\b(?:{})\\b(?!\\s*[-=(,)\\]+*/^'])", words().join("|"))),
        pattern("storage.type", &format!("{}(?!\\s*[=(])", any(&numbers))),
        pattern("support.function.solver", &format!("{}(?!\\s*=)", any(&solvers()))),
        pattern(
            "variable.other.differential",
            &format!("\\bd(?:\\p{{Lu}}[\\p{{L}}\\p{{N}}_]*|\\p{{L}})(?={subs}\\s*(?:[-+)\\n;}}]|for\\b|$))"),
        ),
        pattern("support.class.law", &format!("{}(?=\\s*\\()", any(&laws()))),
        pattern("support.function.statistic", &format!("{}(?=\\s*\\()", any(&statistics()))),
        pattern("support.function", &format!("{}(?=\\s*\\()", any(&called()))),
        pattern("entity.name.function", &format!("\\b{name}(?=\\s*\\()")),
        pattern("constant.language.given", &any(&given)),
        pattern("keyword.operator", "->|\\.\\.|==|!=|<=|>=|[-+*/^@<>=~∘']")
    ])
}

#[test]
fn vscode_grammar() {
    let made = serde_json::to_string_pretty(&textmate()).expect("it is JSON") + "\n";
    file("vscode/syntaxes/sde.tmLanguage.json", &made);
}

#[test]
fn vscode_snippets() {
    let mut all = serde_json::Map::new();
    for s in snippets::TABLE {
        // One of a word: the first place is that where it is met first.
        let entry = json!({ "prefix": s.head, "body": s.body.split('\n').collect::<Vec<_>>(), "description": s.doc });
        all.entry(s.head.to_string()).or_insert(entry);
    }
    let made = serde_json::to_string_pretty(&Value::Object(all)).expect("it is JSON") + "\n";
    file("vscode/snippets/sde.json", &made);
}

// ---- tree-sitter ----

#[test]
fn the_tree_sitter_grammar_has_every_word() {
    let grammar = text("tree-sitter-sde/grammar.js");
    let missing: Vec<&&str> = keywords().iter().filter(|w| !grammar.contains(&format!("'{w}'"))).collect();
    assert!(missing.is_empty(), "editors/tree-sitter-sde/grammar.js lacks {missing:?}");
}

#[test]
fn tree_sitter_highlights() {
    let quoted = |words: &[&str]| words.iter().map(|w| format!("\"{w}\"")).collect::<Vec<_>>();
    let lines = |words: Vec<String>| wrapped(&words, "  ");
    // `stop` is a statement of one word, and so a node by itself.
    let words: Vec<&str> = words().into_iter().filter(|w| *w != "stop").collect();
    let mut out = format!("[\n{}] @keyword\n\n(stop) @keyword\n\n", lines(quoted(&words)));
    out += &format!("[\n{}] @keyword.operator\n\n", lines(quoted(&operator_words())));
    let mut call = |words: Vec<&str>, kind: &str| {
        out += "((call function: (identifier) @";
        out += &format!("{kind})\n (#any-of? @{kind}\n{}))\n\n", lines(quoted(&words)).trim_end());
    };
    call(called(), "function.builtin");
    call(laws(), "type.builtin");
    call(statistics(), "function.macro");
    let kinds = lines(quoted(&kinds_of_plots()));
    out += "((plot (call function: (identifier) @function.builtin))\n (#any-of? @function.builtin\n";
    out += &format!("{}))\n\n", kinds.trim_end());
    part("tree-sitter-sde/queries/highlights.scm", &format!("\n{out}"));
}

/// Words in lines of up to 110 characters.
fn wrapped(words: &[String], indent: &str) -> String {
    let mut out = String::from(indent);
    let mut width = indent.len();
    for (k, word) in words.iter().enumerate() {
        if k > 0 && width + word.len() + 1 > 110 {
            out += &format!("\n{indent}");
            width = indent.len();
        } else if k > 0 {
            out.push(' ');
            width += 1;
        }
        out += word;
        width += word.chars().count();
    }
    out + "\n"
}

// ---- the book ----

#[test]
fn the_colours_of_the_book() {
    let mut out = String::new();
    let mut list = |name: &str, words: &[&str]| {
        let words = words.join(" ");
        out += &format!("  words.{name} =\n    '{words}';\n");
    };
    let statements: Vec<&str> = words().into_iter().chain(operator_words()).chain(settings::NAMES).collect();
    list("keyword", &sorted(statements));
    list("literal", &["true", "false", "pi", "inf"]);
    list("type", &messages::TYPES[..3]);
    list("built_in", &sorted([called(), laws(), statistics(), kinds_of_plots()].concat()));
    part("../docs/programs.js", &out);
}

// ---- Emacs ----

#[test]
fn emacs_mode() {
    let mut out = String::new();
    let mut list = |name: &str, doc: &str, words: Vec<String>| {
        let quoted: Vec<String> = words.iter().map(|w| format!("\"{w}\"")).collect();
        out += &format!("(defconst sde--{name}\n  '({})\n  \"{doc}\")\n\n", wrapped(&quoted, "    ").trim());
    };
    let owned = |words: Vec<&str>| words.into_iter().map(str::to_string).collect::<Vec<_>>();
    list("keywords", "Words of the language.", owned(words().into_iter().chain(operator_words()).collect()));
    list("functions", "Functions and operators.", owned(called()));
    list("laws", "Distributions.", owned(laws()));
    list("statistics", "Statistics of runs.", owned(statistics()));
    list("solvers", "Solvers of the standard library.", solvers());
    list("settings", "Settings of runs.", owned(settings::NAMES.to_vec()));
    list("plots", "Kinds of plots.", owned(kinds_of_plots()));
    part("emacs/sde-mode.el", &out);
}
