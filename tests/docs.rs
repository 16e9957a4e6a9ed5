//! The book in `docs/`: its pages that are made from tables, and in `book/` its programs, consoles and links. `UPDATE=1 cargo
//! test --test docs` writes the former anew, with `--release` also what consoles show.

mod book;

use std::fmt::Write;
use std::path::Path;

use fokker::diagnostics::codes;
use fokker::model::{distributions, functions, plots, statistics};
use fokker::session::catalogue::{Stated, catalogue};
use fokker::session::load::{Options, load_text};
use fokker::syntax::ast::ItemKind;
use fokker::syntax::settings;

/// Compares the part of a page after its mark with what the tables say, or writes it.
fn page(name: &str, made: &str) {
    const MARK: &str = "<!-- made from the tables of the sources: UPDATE=1 cargo test --test docs -->\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    let kept = std::fs::read_to_string(&path).expect("the page exists");
    let at = kept.find(MARK).expect("the page has its mark") + MARK.len();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, format!("{}{made}", &kept[..at])).expect("the page can be written");
    } else {
        assert_eq!(&kept[at..], made, "docs/{name} differs from the tables: UPDATE=1 cargo test --test docs");
    }
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[test]
fn diagnostics_are_all_listed() {
    let mut out = String::from("\n| code | what it is about |\n|---|---|\n");
    for (code, title) in codes::TABLE {
        let _ = writeln!(out, "| {code} | {} |", cell(title));
    }
    out += "\n## The codes explained\n\nAs `fokker help CODE` tells it.\n";
    for (code, title) in codes::TABLE {
        let text = codes::explanation(code.0).expect("every code is explained").text;
        let heads = ["wrong", "right", "wrong data.csv", "right data.csv"];
        let set_apart = |text: String, head: &str| text.replace(&format!("\n{head}:\n"), &format!("\n{head}:\n\n"));
        let text = heads.into_iter().fold(text.to_string(), set_apart);
        let _ = write!(out, "\n### {code}: {title}\n\n{text}");
    }
    page("diagnostics.md", &out);
}

#[test]
fn statistics_are_all_listed() {
    let mut out = String::from("\n| statistic | what it is |\n|---|---|\n");
    for row in statistics::TABLE {
        let _ = writeln!(out, "| `{}` | {} |", row.name, cell(row.doc));
    }
    for row in statistics::FURTHER {
        let _ = writeln!(out, "| `{}` | {} |", cell(row.signature), cell(row.doc));
    }
    page("statistics.md", &out);
}

#[test]
fn the_reference_is_complete() {
    let mut out = String::from("\n## Functions\n\n| function | what it is |\n|---|---|\n");
    for f in functions::TABLE {
        let later = if f.stage > 1 { " *(not supported yet)*" } else { "" };
        let _ = writeln!(out, "| `{}` | {}{later} |", cell(f.signature), cell(f.doc));
    }
    out += "\n## Distributions\n\n| distribution | what it is | where |\n|---|---|---|\n";
    for d in distributions::TABLE {
        let params: Vec<String> =
            d.params.iter().map(|p| p.default.map_or(p.name.to_string(), |v| format!("{} = {v}", p.name))).collect();
        let also: Vec<String> = d.aliases.iter().map(|a| format!("; also `{a}`")).collect();
        let _ = writeln!(
            out,
            "| `{}({})` | {}{} | {} |",
            d.name,
            params.join(", "),
            cell(d.doc),
            also.concat(),
            cell(d.support)
        );
    }
    out += "\n## Plots\n\n| plot | what it shows |\n|---|---|\n";
    for row in plots::TABLE {
        let _ = writeln!(out, "| `{}` | {} |", cell(row.signature), cell(row.doc));
    }
    out += "\n## Settings of runs\n\n| setting | what it says |\n|---|---|\n";
    for s in settings::TABLE {
        let words: Vec<String> = s.words.iter().map(|(word, _, doc)| format!(" `{word}`: {doc}")).collect();
        let _ = writeln!(out, "| `{}` | {}{} |", cell(s.example), cell(s.doc), cell(&words.concat()));
    }
    for kind in ["Functions", "Targets", "Models"] {
        let _ = write!(out, "\n## {kind} of the standard library\n\n| name | what it is |\n|---|---|\n");
        for (name, doc) in library(kind) {
            let _ = writeln!(out, "| `{name}` | {} |", cell(&doc));
        }
    }
    out += &solvers();
    page("reference.md", &out);
}

/// The catalogue of solvers, as `fokker solvers` tells it.
fn solvers() -> String {
    let loaded = load_text("none", "", &Options::default());
    let mut out = String::from(
        "\n## Solvers of the standard library\n\n| name | for | orders | what it is |\n|---|---|---|---|\n",
    );
    for e in catalogue(&loaded.library) {
        let view = match (&e.form, &e.noise) {
            (Some(form), Some(noise)) if noise == "any" => form.clone(),
            (Some(form), Some(noise)) => format!("{form}, {noise}"),
            _ => e.alias.map_or(String::new(), |a| format!("= `{a}`")),
        };
        let orders: Vec<String> = e.orders.iter().map(|o| order(o, e.noise.as_deref())).collect();
        let header = if e.header == "()" { "" } else { &e.header };
        let _ = writeln!(out, "| `{}{}` | {view} | {} | {} |", e.name, cell(header), orders.join("; "), cell(&e.doc));
    }
    out
}

/// A stated order, with its noise where that is not the declaration's.
fn order(o: &Stated, declared: Option<&str>) -> String {
    let mut parts = Vec::new();
    parts.extend(o.strong.map(|v| format!("strong {v}")));
    parts.extend(o.weak.map(|v| format!("weak {v}")));
    let text = parts.join(", ");
    if Some(o.noise.as_str()) == declared { text } else { format!("{}: {text}", o.noise) }
}

/// Names and documentation of the declarations of the standard library of one kind.
fn library(kind: &str) -> Vec<(String, String)> {
    let loaded = load_text("none", "", &Options::default());
    let mut found: Vec<(String, String)> = loaded
        .library
        .decls()
        .filter_map(|d| {
            let name = match (&d.item.kind, kind) {
                (ItemKind::Fn(f), "Functions") => &f.name,
                (ItemKind::Target(t), "Targets") => &t.name,
                (ItemKind::Model(m), "Models") => &m.name,
                _ => return None,
            };
            Some((name.name.clone(), doc(&d.item.doc)))
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn doc(lines: &Option<String>) -> String {
    lines.clone().unwrap_or_default()
}
