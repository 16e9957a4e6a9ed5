//! Code actions: the changes that diagnostics offer.

use std::collections::HashMap;

use lsp_types::{CodeAction, CodeActionKind, CodeActionOrCommand, Range, TextEdit, WorkspaceEdit};

use super::document::Studied;
use super::tell::{one, place};
use crate::diagnostics::Edit;
use crate::source::Span;
use crate::syntax::context::statement_at;

/// The changes for the problems that touch the bytes `from..=to` of the main text.
// The protocol's type of addresses holds a cache, which does not take part in its comparison.
#[allow(clippy::mutable_key_type)]
pub fn actions(studied: &Studied, from: usize, to: usize) -> Vec<CodeActionOrCommand> {
    let mut out = Vec::new();
    for problem in &studied.study().problems {
        let at = place(studied, problem);
        if at.file != studied.loaded.main || at.start as usize > to || (at.end as usize) < from {
            continue;
        }
        for fix in problem.fixes() {
            let Some((span, edit)) = edit(studied, &fix.edit) else { continue };
            let Some(location) = studied.location(span) else { continue };
            let changes = HashMap::from([(location.uri, vec![edit])]);
            out.push(CodeActionOrCommand::CodeAction(CodeAction {
                title: fix.title.clone(),
                kind: Some(CodeActionKind::QUICKFIX),
                diagnostics: Some(vec![one(studied, problem)]),
                edit: Some(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }),
                is_preferred: Some(problem.fixes().len() == 1),
                ..CodeAction::default()
            }));
        }
    }
    out
}

fn edit(studied: &Studied, edit: &Edit) -> Option<(Span, TextEdit)> {
    match edit {
        Edit::Replace(span, text) => Some((*span, TextEdit { range: studied.range(*span), new_text: text.clone() })),
        Edit::StatementBefore(span, statement) => {
            let text = &studied.loaded.sources.get(span.file).text;
            let (start, begins_line) = statement_at(text, span.start as usize);
            let line = text[..start].rfind('\n').map_or(0, |i| i + 1);
            let end = if begins_line { format!("\n{}", &text[line..start]) } else { "; ".to_string() };
            let at = studied.units.position(text, start);
            Some((*span, TextEdit { range: Range::new(at, at), new_text: format!("{statement}{end}") }))
        }
    }
}
