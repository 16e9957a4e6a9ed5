//! The signature of the call that is being written.

use lsp_types::{
    Documentation, MarkupContent, MarkupKind, ParameterInformation, ParameterLabel, SignatureHelp, SignatureInformation,
};

use super::about::about_call;
use super::document::Studied;
use super::names::{head, parameters};
use crate::model::resolve::Kind;
use crate::syntax::ast::ItemKind;
use crate::syntax::context::{Call, Context, context};
use crate::syntax::print_expr::header;

pub fn signature(studied: &Studied, at: usize) -> Option<SignatureHelp> {
    let context = context(&studied.text, at);
    let call = context.call()?;
    let found = signatures(studied, call, &context);
    if found.is_empty() {
        return None;
    }
    let signatures = found.into_iter().map(|(label, doc)| information(label, doc, call)).collect();
    Some(SignatureHelp { signatures, active_signature: Some(0), active_parameter: Some(call.argument as u32) })
}

/// Texts and documentation: several for solvers of one name.
fn signatures(studied: &Studied, call: &Call, context: &Context) -> Vec<(String, Option<String>)> {
    if let Some(local) = local_function(studied, call) {
        return vec![(local, None)];
    }
    let decls = studied.loaded.library.lookup(&call.name);
    if !decls.is_empty() {
        let mut all: Vec<_> = decls.iter().map(|d| (head(&d.item), d.item.doc.clone())).collect();
        all.dedup_by(|a, b| a.0 == b.0);
        return all;
    }
    let topic = about_call(context);
    topic.map(|t| (t.signature.clone(), Some(t.doc))).into_iter().collect()
}

/// A `fn` inside the declaration around: from the line that declares it.
fn local_function(studied: &Studied, call: &Call) -> Option<String> {
    let found = studied.plain_use_at(call.at).filter(|u| u.kind == Kind::Function)?;
    let text = &studied.loaded.sources.get(found.of.file).text[found.of.start as usize..];
    let close = text.find(')')?;
    Some(format!("fn {}", &text[..=close]))
}

fn information(label: String, doc: Option<String>, call: &Call) -> SignatureInformation {
    let places = parameters(&label);
    let utf16 = |at: usize| label[..at].encode_utf16().count() as u32;
    let named = |name: &String| places.iter().position(|&(a, b)| word(&label[a..b]) == name);
    let active = call.named.as_ref().and_then(named).unwrap_or(call.argument);
    let parameters = places
        .iter()
        .map(|&(a, b)| ParameterInformation {
            label: ParameterLabel::LabelOffsets([utf16(a), utf16(b)]),
            documentation: None,
        })
        .collect();
    SignatureInformation {
        documentation: doc
            .map(|value| Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value })),
        parameters: Some(parameters),
        active_parameter: Some(active as u32),
        label,
    }
}

fn word(text: &str) -> &str {
    text.split(|c: char| !crate::syntax::name_rest(c)).next().unwrap_or("")
}

/// `(mu = 0.05, sigma = 0.2)` of a declaration; nothing for one that is not called.
pub fn header_text(kind: &ItemKind) -> String {
    kind.header().map(header).unwrap_or_default()
}
