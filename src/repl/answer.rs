//! Answers as text.

use std::sync::atomic::Ordering;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::Ty;
use crate::output::number::{counted, estimate, plain};
use crate::output::result::{Report, Values, When};
use crate::output::table;
use crate::repl::{Repl, STOP};
use crate::session::evaluate::{Answer, evaluate};
use crate::syntax::ast::Expr;

/// Elements of an axis that are all shown; of more, the first [`HEAD`] and the last.
const WHOLE: usize = 12;
const HEAD: usize = 6;

/// Numbers, with their errors where they have some.
pub fn numbers(values: &Values, ty: Ty) -> String {
    let one = |k: usize| match (ty, values.values[k]) {
        (Ty::Bool, x) => (if x == 0.0 { "false" } else { "true" }).to_string(),
        (_, x) => estimate(x, values.se.get(k).copied().unwrap_or(f64::NAN)),
    };
    nested(&values.shape, 0, &one)
}

/// Exact numbers as the language reads them.
pub fn literal(shape: &[usize], values: &[f64], ty: Ty) -> String {
    match shape {
        [] => {
            let x = values.first().copied().unwrap_or(f64::NAN);
            if ty == Ty::Bool { (x != 0.0).to_string() } else { super::input::exact(x) }
        }
        [n, rest @ ..] => {
            let each = values.len() / (*n).max(1);
            let parts: Vec<String> = values.chunks(each.max(1)).map(|part| literal(rest, part, ty)).collect();
            format!("[{}]", parts.join(", "))
        }
    }
}

fn nested(shape: &[usize], first: usize, one: &dyn Fn(usize) -> String) -> String {
    let [n, rest @ ..] = shape else { return one(first) };
    let each = rest.iter().product::<usize>();
    let part = |k: usize| nested(rest, first + k * each, one);
    let mut parts: Vec<String> = (0..if *n > WHOLE { HEAD } else { *n }).map(part).collect();
    if *n > WHOLE {
        parts.extend([format!("... {n} in all"), part(n - 1)]);
    }
    format!("[{}]", parts.join(if rest.is_empty() { ", " } else { ",\n " }))
}

impl Repl {
    /// The value of an expression; what is wrong with it is told.
    pub(super) fn worked_out(&mut self, e: &Expr) -> Option<Answer> {
        let program = self.declarations.program();
        let answer = evaluate(&program, e, &self.earlier(), &STOP);
        if STOP.load(Ordering::Relaxed) {
            self.note("interrupted");
            return None;
        }
        answer.map_err(|problems| self.tell(&self.with_results_named(problems))).ok()
    }

    /// A name that is not declared may be one that a run kept.
    pub(super) fn with_results_named(&self, problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let named = |d: Diagnostic| {
            let Some(label) = d.labels.first().filter(|_| d.code == codes::UNKNOWN_NAME) else { return d };
            let name = self.declarations.sources().text(label.span);
            let kept = self.earlier().into_iter().find(|e| e.kept.names.iter().any(|n| n.0 == name));
            let kept = kept.map(|e| format!("`{}.{name}` is what the run kept", e.name));
            match kept.or_else(|| super::commands::colon_missing(name)) {
                Some(help) => d.help(help),
                None => d,
            }
        };
        problems.into_iter().map(named).collect()
    }

    pub(super) fn show(&self, answer: &Answer) {
        match answer {
            Answer::Numbers { values, ty, notes } => {
                if values.edges.is_empty() {
                    self.say(&format!("{}\n", numbers(values, *ty)));
                } else {
                    let report = Report {
                        expr: String::new(),
                        when: When::Over(String::new()),
                        value: values.clone(),
                        notes: Vec::new(),
                    };
                    self.say(&table::estimates(&[report]));
                }
                notes.iter().for_each(|n| self.note(n));
            }
            Answer::Paths { reports, paths, end } => {
                let at = end.map_or(String::new(), |t| format!(", at t = {}", plain(t)));
                self.note(&format!("a value for each of {}{at}", counted(*paths as u64, "path")));
                self.say(&table::estimates(reports));
            }
            Answer::Text(text) => self.say(&format!("{text:?}\n")),
            Answer::Thing(words) => self.say(&format!("{words}\n")),
        }
    }
}
