//! Inlay hints: shapes of values that are written without a type, and the class of the noise of each model.

use lsp_types::{InlayHint, InlayHintKind, InlayHintLabel, Position};

use super::document::Studied;
use crate::model::library::item_name;
use crate::model::resolve::Kind;
use crate::syntax::ast::ItemKind;

/// The hints of the bytes `from..to`.
pub fn hints(studied: &Studied, from: usize, to: usize) -> Vec<InlayHint> {
    let mut out = Vec::new();
    for u in studied.names.uses.iter().filter(|u| u.at == u.of && u.at.file == studied.loaded.main) {
        let end = u.at.end as usize;
        let typed = studied.text[end..].trim_start().starts_with(':');
        if !(from..=to).contains(&end) || typed || !matches!(u.kind, Kind::Value | Kind::State) {
            continue;
        }
        // Numbers are the rule; only what is more than one is told.
        if let Some(ty) = studied.study().types.get(&u.at).filter(|ty| ty.contains('[')) {
            out.push(hint(studied.units.position(&studied.text, end), format!(": {ty}"), InlayHintKind::TYPE));
        }
    }
    for item in studied.items().iter().filter(|i| matches!(i.kind, ItemKind::Model(_))) {
        let Some(class) = item_name(&item.kind).and_then(|name| studied.study().classes.get(&name.span)) else {
            continue;
        };
        let start = item.span.start as usize;
        let end = studied.text[start..].find('\n').map_or(studied.text.len(), |i| start + i);
        if (from..=to).contains(&end) {
            let at = studied.units.position(&studied.text, end);
            let mut one = hint(at, format!("noise: {class}"), InlayHintKind::PARAMETER);
            one.padding_left = Some(true);
            out.push(one);
        }
    }
    out
}

fn hint(position: Position, label: String, kind: InlayHintKind) -> InlayHint {
    InlayHint {
        position,
        label: InlayHintLabel::String(label),
        kind: Some(kind),
        text_edits: None,
        tooltip: None,
        padding_left: None,
        padding_right: None,
        data: None,
    }
}
