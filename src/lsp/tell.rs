//! Diagnostics as the protocol has them.

use lsp_types::{Diagnostic as Told, DiagnosticRelatedInformation, DiagnosticSeverity, NumberOrString, Uri};

use super::document::Studied;
use crate::diagnostics::{Diagnostic, Severity};
use crate::source::Span;

/// The problems of a program by the documents that they are in; the main one is always among them.
pub fn problems(studied: &Studied) -> Vec<(Uri, Vec<Told>)> {
    let mut by_document = vec![(studied.uri.clone(), Vec::new())];
    for problem in &studied.study().problems {
        let place = place(studied, problem);
        let uri = studied.location(place).map_or(studied.uri.clone(), |l| l.uri);
        let told = one(studied, problem);
        match by_document.iter_mut().find(|(u, _)| *u == uri) {
            Some((_, all)) => all.push(told),
            None => by_document.push((uri, vec![told])),
        }
    }
    by_document
}

pub fn place(studied: &Studied, problem: &Diagnostic) -> Span {
    problem.labels.first().map_or(Span::new(studied.loaded.main, 0, 0), |l| l.span)
}

pub fn one(studied: &Studied, problem: &Diagnostic) -> Told {
    let mut message = problem.message.clone();
    if let Some(label) = problem.labels.first().filter(|l| !l.text.is_empty()) {
        message += &format!(": {}", label.text);
    }
    for note in &problem.notes {
        message += &format!("\nnote: {note}");
    }
    if let Some(help) = &problem.help {
        message += &format!("\nhelp: {help}");
    }
    let related = problem.labels.iter().skip(1).filter_map(|label| {
        let location = studied.location(label.span)?;
        Some(DiagnosticRelatedInformation { location, message: label.text.clone() })
    });
    let severity = match problem.severity {
        Severity::Error => DiagnosticSeverity::ERROR,
        Severity::Warning => DiagnosticSeverity::WARNING,
    };
    Told {
        range: studied.range(place(studied, problem)),
        severity: Some(severity),
        code: Some(NumberOrString::String(problem.code.to_string())),
        source: Some("fokker".to_string()),
        message,
        related_information: Some(related.collect()),
        ..Told::default()
    }
}
