//! The declarations of a text as an outline.

use lsp_types::{DocumentSymbol, SymbolKind};

use super::document::Studied;
use super::names::head;
use crate::model::library::item_name;
use crate::model::resolve::Kind;
use crate::source::Span;
use crate::syntax::ast::{Item, ItemKind};

pub fn symbols(studied: &Studied) -> Vec<DocumentSymbol> {
    studied.items().iter().filter_map(|item| declaration(studied, item)).collect()
}

fn declaration(studied: &Studied, item: &Item) -> Option<DocumentSymbol> {
    let name = item_name(&item.kind)?;
    let kind = match &item.kind {
        ItemKind::Use(..) => SymbolKind::MODULE,
        ItemKind::Const(_) | ItemKind::Data(_) => SymbolKind::CONSTANT,
        ItemKind::Fn(_) => SymbolKind::FUNCTION,
        ItemKind::Target(_) => SymbolKind::INTERFACE,
        ItemKind::Model(_) => SymbolKind::CLASS,
        ItemKind::Solver(_) => SymbolKind::METHOD,
        ItemKind::Run(_) => SymbolKind::EVENT,
    };
    let mut symbol = symbol(studied, &name.name, kind, item.span, name.span);
    symbol.detail = Some(head(item));
    symbol.children = Some(inside(studied, item, name.span));
    Some(symbol)
}

/// The names that a declaration declares inside.
fn inside(studied: &Studied, item: &Item, own: Span) -> Vec<DocumentSymbol> {
    let uses = studied.names.uses.iter().filter(|u| u.at == u.of && u.at != own && u.at.file == item.span.file);
    let found = uses.filter(|u| item.span.start <= u.at.start && u.at.end <= item.span.end);
    let mut symbols: Vec<DocumentSymbol> = Vec::new();
    for u in found {
        let kind = match u.kind {
            Kind::State => SymbolKind::FIELD,
            Kind::Noise => SymbolKind::EVENT,
            Kind::Function => SymbolKind::FUNCTION,
            Kind::Part => SymbolKind::NAMESPACE,
            Kind::Parameter | Kind::Size => SymbolKind::TYPE_PARAMETER,
            Kind::Value | Kind::Declaration => SymbolKind::VARIABLE,
        };
        let one = symbol(studied, studied.loaded.sources.text(u.at), kind, u.at, u.at);
        if symbols.last().is_none_or(|last| last.range != one.range) {
            symbols.push(one);
        }
    }
    symbols
}

// The protocol has a field that it has given up.
#[allow(deprecated)]
fn symbol(studied: &Studied, name: &str, kind: SymbolKind, whole: Span, at: Span) -> DocumentSymbol {
    DocumentSymbol {
        name: name.to_string(),
        detail: None,
        kind,
        tags: None,
        deprecated: None,
        range: studied.range(whole),
        selection_range: studied.range(at),
        children: None,
    }
}
