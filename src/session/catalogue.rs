//! The solvers of a program as a catalogue: what their declarations say of themselves.

use serde::Serialize;

use crate::model::library::Library;
use crate::solve::form::NoiseClass;
use crate::solve::rule::Rule;
use crate::syntax::ast::{self, ItemKind, SolverBody};
use crate::syntax::print_expr;

/// One declaration of a solver.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    pub name: String,
    /// the parameters with their defaults, in brackets
    pub header: String,
    /// none for another name of a solver
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// the noise that it is declared for
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<String>,
    /// what the name stands for, where it is another name
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    pub orders: Vec<Stated>,
    /// it estimates its error, and so can choose its steps
    pub adaptive: bool,
    /// the first sentence of the documentation
    pub summary: String,
    pub doc: String,
}

/// An `order` line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stated {
    pub noise: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strong: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weak: Option<f64>,
}

/// All declarations of solvers, by name; those of one name from narrow noise to wide.
pub fn catalogue(library: &Library) -> Vec<Entry> {
    let mut entries: Vec<(Option<NoiseClass>, Entry)> = library
        .decls()
        .filter_map(|decl| match &decl.item.kind {
            ItemKind::Solver(solver) => Some(entry(solver, decl.item.doc.as_deref().unwrap_or_default())),
            _ => None,
        })
        .collect();
    entries.sort_by(|a, b| (&a.1.name, a.0).cmp(&(&b.1.name, b.0)));
    entries.into_iter().map(|e| e.1).collect()
}

fn entry(solver: &ast::Solver, doc: &str) -> (Option<NoiseClass>, Entry) {
    let doc = doc.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut entry = Entry {
        name: solver.name.name.clone(),
        header: print_expr::header(&solver.header),
        form: None,
        noise: None,
        alias: None,
        orders: Vec::new(),
        adaptive: false,
        summary: first_sentence(&doc).to_string(),
        doc,
    };
    match &solver.body {
        SolverBody::Alias(e) => {
            entry.alias = Some(print_expr::expr(e));
            (None, entry)
        }
        SolverBody::Rule { form, noise, statements, .. } => {
            let class = noise.as_ref().and_then(|n| NoiseClass::named(&n.name)).unwrap_or(NoiseClass::Any);
            entry.adaptive = crate::solve::estimate::estimates(statements);
            entry.form = Some(form.name.clone());
            entry.noise = Some(class.name().into());
            entry.orders = Rule::stated(statements)
                .map(|(of, orders)| Stated {
                    noise: of.unwrap_or(class).name().into(),
                    strong: orders.strong,
                    weak: orders.weak,
                })
                .collect();
            (Some(class), entry)
        }
    }
}

/// Up to the first stop before a blank; all of it if there is none.
fn first_sentence(doc: &str) -> &str {
    doc.find(". ").map_or(doc, |at| &doc[..=at])
}

/// The catalogue as a table: a line for each stated order.
pub fn table(entries: &[Entry]) -> String {
    let number = |o: Option<f64>| o.map_or("-".to_string(), |v| v.to_string());
    let mut out = format!(
        "{:<25} {:<13} {:<12} {:<7} {:<5} {:<4} {}\n",
        "solver", "form", "noise", "strong", "weak", "tol", "what it is"
    );
    for e in entries {
        let form = e.form.as_deref().unwrap_or("");
        let (what, mut first) = (e.alias.as_ref().map_or(e.summary.clone(), |a| format!("= {a}")), true);
        let none = [Stated { noise: e.noise.clone().unwrap_or_default(), strong: None, weak: None }];
        for o in if e.orders.is_empty() { &none[..] } else { &e.orders } {
            let (name, form, what) = if first { (e.name.as_str(), form, what.as_str()) } else { ("", "", "") };
            let (strong, weak) = (number(o.strong), number(o.weak));
            let tol = if first && e.adaptive { "yes" } else { "" };
            let line = format!("{name:<25} {form:<13} {:<12} {strong:<7} {weak:<5} {tol:<4} {what}", o.noise);
            out += &format!("{}\n", line.trim_end());
            first = false;
        }
    }
    out
}
