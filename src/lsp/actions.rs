//! Code actions: the changes that diagnostics offer.

use std::collections::HashMap;

use lsp_types::{CodeAction, CodeActionKind, CodeActionOrCommand, Range, TextEdit, WorkspaceEdit};

use super::document::Studied;
use super::tell::one;
use crate::diagnostics::{Diagnostic, Edit};
use crate::source::Span;
use crate::syntax::context::{block_at, statement_at};

/// The changes for the problems that touch the bytes `from..=to` of the main text: where they are told, or at one of the places
/// that they are about.
pub fn actions(studied: &Studied, from: usize, to: usize) -> Vec<CodeActionOrCommand> {
    let touches = |at: Span| at.file == studied.loaded.main && at.start as usize <= to && from <= at.end as usize;
    let problems = studied.study().problems.iter().filter(|d| d.labels.iter().any(|l| touches(l.span)));
    problems.flat_map(|problem| fixes(studied, problem)).collect()
}

// The protocol's type of addresses holds a cache, which does not take part in its comparison.
#[allow(clippy::mutable_key_type)]
fn fixes(studied: &Studied, problem: &Diagnostic) -> Vec<CodeActionOrCommand> {
    let one_of = problem.fixes().len();
    let action = |fix: &crate::diagnostics::Fix| {
        let (span, edit) = edit(studied, &fix.edit)?;
        let changes = HashMap::from([(studied.location(span)?.uri, vec![edit])]);
        Some(CodeActionOrCommand::CodeAction(CodeAction {
            title: fix.title.clone(),
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: Some(vec![one(studied, problem)]),
            edit: Some(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }),
            is_preferred: Some(one_of == 1),
            ..CodeAction::default()
        }))
    };
    problem.fixes().iter().filter_map(action).collect()
}

fn edit(studied: &Studied, edit: &Edit) -> Option<(Span, TextEdit)> {
    let text = |span: &Span| &studied.loaded.sources.get(span.file).text;
    let insert = |span: &Span, at: usize, new_text: String| {
        let at = studied.units.position(text(span), at);
        Some((*span, TextEdit { range: Range::new(at, at), new_text }))
    };
    match edit {
        Edit::Replace(span, new) => Some((*span, TextEdit { range: studied.range(*span), new_text: new.clone() })),
        Edit::StatementBefore(span, statement) => {
            let head = statement.split_whitespace().next().unwrap_or("");
            let (start, begins_line) = statement_at(text(span), span.start as usize, head);
            let line = text(span)[..start].rfind('\n').map_or(0, |i| i + 1);
            let end = if begins_line { format!("\n{}", &text(span)[line..start]) } else { "; ".to_string() };
            insert(span, start, format!("{statement}{end}"))
        }
        Edit::StatementInto(span, statement) => {
            let (open, first) = block_at(text(span), span.start as usize)?;
            match text(span)[open..first].rfind('\n') {
                Some(i) => insert(span, first, format!("{statement}\n{}", &text(span)[open + i + 1..first])),
                None => insert(span, open, format!(" {statement};")),
            }
        }
    }
}
