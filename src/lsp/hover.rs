//! What is told of a name: what it is, its type, its documentation, derived equations.

use lsp_types::{Hover, HoverContents, MarkupContent, MarkupKind};

use super::about::about;
use super::document::Studied;
use super::names::head;
use crate::model::resolve::{Kind, Use};
use crate::session::help::Topic;
use crate::session::study::equations;
use crate::source::Span;
use crate::syntax::ast::ItemKind;
use crate::syntax::context::name_at;

pub fn hover(studied: &Studied, at: usize) -> Option<Hover> {
    let (text, span) = match studied.use_at(at) {
        Some(found) => (declared(studied, found), found.at),
        None => {
            let (start, end) = name_at(&studied.text, at)?;
            let topic = about(&studied.text, start, end)?;
            (markdown(&topic), Span::new(studied.loaded.main, start, end))
        }
    };
    let value = MarkupContent { kind: MarkupKind::Markdown, value: text };
    Some(Hover { contents: HoverContents::Markup(value), range: Some(studied.range(span)) })
}

fn code(text: &str) -> String {
    format!("```sde\n{}\n```", text.trim_end())
}

/// What the language says of a name, as Markdown.
pub fn markdown(topic: &Topic) -> String {
    let (kind, name) = (topic.kind, &topic.name);
    let head = if topic.signature.is_empty() { format!("({kind}) {name}") } else { topic.signature.clone() };
    let mut parts = vec![code(&head)];
    parts.push(topic.doc.clone());
    parts.extend(topic.facts.iter().map(|fact| format!("- {fact}")));
    if !topic.example.is_empty() {
        parts.push(format!("For example `{}`.", topic.example));
    }
    parts.retain(|p| !p.is_empty());
    parts.join("\n\n")
}

fn declared(studied: &Studied, found: Use) -> String {
    if found.kind != Kind::Declaration {
        return local(studied, found);
    }
    let Some(item) = studied.declaration(found.of) else { return local(studied, found) };
    let mut parts = vec![code(&head(item))];
    if let Some(class) = studied.study().classes.get(&found.of) {
        parts.push(format!("Noise: {class}."));
    }
    parts.extend(item.doc.clone());
    if matches!(item.kind, ItemKind::Model(_)) {
        parts.extend(equations(&studied.loaded, found.of).map(|text| format!("```text\n{}\n```", text.trim_end())));
    }
    parts.join("\n\n")
}

/// A name inside a declaration: its type, and the line that declares it.
fn local(studied: &Studied, found: Use) -> String {
    let what = match found.kind {
        Kind::Value => "value",
        Kind::Parameter => "parameter",
        Kind::Function => "function",
        Kind::State => "state",
        Kind::Noise => "noise",
        Kind::Size => "size",
        Kind::Part => "part",
        Kind::Declaration => "declaration",
    };
    let name = studied.loaded.sources.text(found.of);
    let typed = studied.study().types.get(&found.of).map(|ty| format!(": {ty}")).unwrap_or_default();
    let line = line_of(studied, found.of);
    format!("{}\n\nDeclared by `{line}`.", code(&format!("({what}) {name}{typed}")))
}

fn line_of(studied: &Studied, span: Span) -> String {
    let text = &studied.loaded.sources.get(span.file).text;
    let start = text[..span.start as usize].rfind('\n').map_or(0, |i| i + 1);
    text[start..].lines().next().unwrap_or("").trim().replace('`', "'")
}
