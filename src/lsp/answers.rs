//! Requests and what answers them.

use lsp_server::{ErrorCode, Request, Response};
use lsp_types::request::{self as asked, Request as _};
use lsp_types::{
    CompletionResponse, DocumentSymbolResponse, GotoDefinitionResponse, PrepareRenameResponse, Range, TextEdit,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::desk::Desk;
use super::document::Studied;
use super::{actions, complete, hints, hover, rename, signature, symbols};

impl Desk {
    pub(super) fn answer(&mut self, request: Request) -> Response {
        match request.method.as_str() {
            asked::HoverRequest::METHOD => self.reply::<asked::HoverRequest, _>(request, |s, p| {
                let (studied, at) = s.place(&p.text_document_position_params)?;
                Ok(hover::hover(&studied, at))
            }),
            asked::GotoDefinition::METHOD => self.reply::<asked::GotoDefinition, _>(request, |s, p| {
                let (studied, at) = s.place(&p.text_document_position_params)?;
                Ok(Some(GotoDefinitionResponse::Array(rename::definitions(&studied, at))))
            }),
            asked::References::METHOD => self.reply::<asked::References, _>(request, |s, p| {
                let (studied, at) = s.place(&p.text_document_position)?;
                Ok(Some(rename::references(&studied, &s.all(), at, p.context.include_declaration)))
            }),
            asked::PrepareRenameRequest::METHOD => self.reply::<asked::PrepareRenameRequest, _>(request, |s, p| {
                let (studied, at) = s.place(&p)?;
                let found = rename::renamable(&studied, at)?;
                Ok(Some(PrepareRenameResponse::Range(studied.range(found.at))))
            }),
            asked::Rename::METHOD => self.reply::<asked::Rename, _>(request, |s, p| {
                let (studied, at) = s.place(&p.text_document_position)?;
                rename::rename(&studied, &s.all(), at, &p.new_name, &mut s.shared).map(Some)
            }),
            asked::Completion::METHOD => self.reply::<asked::Completion, _>(request, |s, p| {
                let (studied, at) = s.place(&p.text_document_position)?;
                Ok(Some(CompletionResponse::Array(complete::complete(&studied, at, s.snippets))))
            }),
            asked::SignatureHelpRequest::METHOD => self.reply::<asked::SignatureHelpRequest, _>(request, |s, p| {
                let (studied, at) = s.place(&p.text_document_position_params)?;
                Ok(signature::signature(&studied, at))
            }),
            asked::InlayHintRequest::METHOD => self.reply::<asked::InlayHintRequest, _>(request, |s, p| {
                let studied = s.studied(&p.text_document.uri)?;
                let (from, to) = offsets(&studied, p.range);
                Ok(Some(hints::hints(&studied, from, to)))
            }),
            asked::DocumentSymbolRequest::METHOD => self.reply::<asked::DocumentSymbolRequest, _>(request, |s, p| {
                let studied = s.studied(&p.text_document.uri)?;
                Ok(Some(DocumentSymbolResponse::Nested(symbols::symbols(&studied))))
            }),
            asked::Formatting::METHOD => self.reply::<asked::Formatting, _>(request, |s, p| {
                let studied = s.studied(&p.text_document.uri)?;
                Ok(format(&studied))
            }),
            asked::CodeActionRequest::METHOD => self.reply::<asked::CodeActionRequest, _>(request, |s, p| {
                let studied = s.studied(&p.text_document.uri)?;
                let (from, to) = offsets(&studied, p.range);
                Ok(Some(actions::actions(&studied, from, to)))
            }),
            other => {
                let message = format!("`{other}` is not served");
                Response::new_err(request.id, ErrorCode::MethodNotFound as i32, message)
            }
        }
    }

    /// Reads the parameters of a request, and answers with what `work` makes of them.
    fn reply<R, F>(&mut self, request: Request, work: F) -> Response
    where
        R: asked::Request,
        R::Params: DeserializeOwned,
        R::Result: Serialize,
        F: FnOnce(&mut Desk, R::Params) -> Result<R::Result, String>,
    {
        let id = request.id;
        match serde_json::from_value(request.params) {
            Err(e) => Response::new_err(id, ErrorCode::InvalidParams as i32, e.to_string()),
            Ok(params) => match work(self, params) {
                Ok(result) => Response::new_ok(id, serde_json::to_value(result).unwrap_or(Value::Null)),
                Err(message) => Response::new_err(id, ErrorCode::RequestFailed as i32, message),
            },
        }
    }
}

fn offsets(studied: &Studied, range: Range) -> (usize, usize) {
    (studied.units.offset(&studied.text, range.start), studied.units.offset(&studied.text, range.end))
}

/// The whole text anew; nothing for a text that does not parse, whose problems are told already.
fn format(studied: &Studied) -> Option<Vec<TextEdit>> {
    let new_text = crate::syntax::format::format(studied.loaded.main, &studied.text).ok()?;
    let end = studied.units.position(&studied.text, studied.text.len());
    let range = Range::new(lsp_types::Position::new(0, 0), end);
    Some(if new_text == studied.text { Vec::new() } else { vec![TextEdit { range, new_text }] })
}
