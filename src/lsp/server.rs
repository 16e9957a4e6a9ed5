//! The loop of the server: messages in, answers out.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use lsp_types::notification::{self as told, Notification as _};
use lsp_types::request::{self as asked, Request as _};
use lsp_types::{
    CodeActionProviderCapability, CompletionOptions, CompletionResponse, DocumentSymbolResponse,
    GotoDefinitionResponse, InitializeParams, InitializeResult, OneOf, PrepareRenameResponse, PublishDiagnosticsParams,
    Range, RenameOptions, ServerCapabilities, ServerInfo, SignatureHelpOptions, TextDocumentPositionParams,
    TextDocumentSyncCapability, TextDocumentSyncKind, TextEdit, Uri, WorkDoneProgressOptions,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::document::{Document, Shared, Studied};
use super::place::Units;
use super::{actions, complete, hints, hover, library, rename, signature, symbols, tell};
use crate::session::load::{Options, load_again};

type Failure = Box<dyn std::error::Error + Sync + Send>;

/// Serves one client on stdin and stdout until it says goodbye.
pub fn serve(options: Options) -> Result<(), Failure> {
    let (connection, threads) = Connection::stdio();
    let (id, params) = connection.initialize_start()?;
    let params: InitializeParams = serde_json::from_value(params)?;
    let units = Units::of(params.capabilities.general.as_ref().and_then(|g| g.position_encodings.as_deref()));
    let result = InitializeResult {
        capabilities: capabilities(units),
        server_info: Some(ServerInfo { name: "fokker".into(), version: Some(env!("CARGO_PKG_VERSION").into()) }),
    };
    connection.initialize_finish(id, serde_json::to_value(result)?)?;
    let library = if options.stdlib.is_none() { library::folder() } else { None };
    let mut shared = Shared { options, units, library, standard: None };
    // The standard library is parsed while the client gets ready.
    load_again("none", None, b"", &shared.options, &mut shared.standard);
    let mut server =
        Server { connection, shared, documents: HashMap::new(), told: Vec::new(), snippets: snippets(&params) };
    server.run()?;
    // The writer ends when nobody can send any more.
    drop(server);
    threads.join()?;
    Ok(())
}

fn capabilities(units: Units) -> ServerCapabilities {
    let no_progress = WorkDoneProgressOptions::default();
    ServerCapabilities {
        position_encoding: Some(units.kind()),
        text_document_sync: Some(TextDocumentSyncCapability::Kind(TextDocumentSyncKind::FULL)),
        hover_provider: Some(true.into()),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: no_progress,
        })),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(vec!["'".into()]),
            ..CompletionOptions::default()
        }),
        signature_help_provider: Some(SignatureHelpOptions {
            trigger_characters: Some(vec!["(".into(), ",".into(), "=".into()]),
            retrigger_characters: None,
            work_done_progress_options: no_progress,
        }),
        inlay_hint_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        document_formatting_provider: Some(OneOf::Left(true)),
        code_action_provider: Some(CodeActionProviderCapability::Simple(true)),
        ..ServerCapabilities::default()
    }
}

/// Whether the client fills in templates.
fn snippets(params: &InitializeParams) -> bool {
    let completion = params.capabilities.text_document.as_ref().and_then(|t| t.completion.as_ref());
    completion.and_then(|c| c.completion_item.as_ref()).and_then(|i| i.snippet_support).unwrap_or(false)
}

struct Server {
    connection: Connection,
    shared: Shared,
    documents: HashMap<String, Document>,
    /// the documents, for each open one, that were told problems
    told: Vec<(String, Uri)>,
    snippets: bool,
}

impl Server {
    fn run(&mut self) -> Result<(), Failure> {
        loop {
            // Problems are told when the client has said all that it has to say for now.
            if self.connection.receiver.is_empty() {
                self.tell_changed()?;
            }
            let Ok(message) = self.connection.receiver.recv() else { return Ok(()) };
            match message {
                Message::Request(request) => {
                    if self.connection.handle_shutdown(&request)? {
                        return Ok(());
                    }
                    let id = request.id.clone();
                    // A mistake of the server must not take the editor's session with it.
                    let answer = catch_unwind(AssertUnwindSafe(|| self.answer(request)));
                    let response = answer.unwrap_or_else(|_| {
                        Response::new_err(id, ErrorCode::InternalError as i32, "the server has a bug here".into())
                    });
                    self.connection.sender.send(response.into())?;
                }
                Message::Notification(notification) => self.note(notification)?,
                Message::Response(_) => {}
            }
        }
    }

    // ---- documents ----

    fn note(&mut self, notification: Notification) -> Result<(), Failure> {
        match notification.method.as_str() {
            told::DidOpenTextDocument::METHOD => {
                let Some(p) = read::<told::DidOpenTextDocument>(notification) else { return Ok(()) };
                let document = p.text_document;
                let key = document.uri.as_str().to_string();
                self.documents.insert(key, Document::new(document.uri, document.version, document.text));
            }
            told::DidChangeTextDocument::METHOD => {
                let Some(p) = read::<told::DidChangeTextDocument>(notification) else { return Ok(()) };
                let Some(change) = p.content_changes.into_iter().next_back() else { return Ok(()) };
                if let Some(document) = self.documents.get_mut(p.text_document.uri.as_str()) {
                    document.change(p.text_document.version, change.text);
                }
            }
            told::DidCloseTextDocument::METHOD => {
                let Some(p) = read::<told::DidCloseTextDocument>(notification) else { return Ok(()) };
                let key = p.text_document.uri.as_str().to_string();
                self.documents.remove(&key);
                self.take_back(&key, &[])?;
            }
            // What a program imports may have changed.
            told::DidSaveTextDocument::METHOD => {
                for document in self.documents.values_mut() {
                    document.forget();
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Studies what has changed and tells its problems.
    fn tell_changed(&mut self) -> Result<(), Failure> {
        let changed: Vec<String> =
            self.documents.iter().filter(|(_, d)| !d.is_told).map(|(key, _)| key.clone()).collect();
        for key in changed {
            let Some(document) = self.documents.get_mut(&key) else { continue };
            document.is_told = true;
            let version = document.version;
            let told = catch_unwind(AssertUnwindSafe(|| {
                let studied = document.studied(&mut self.shared);
                (tell::problems(&studied), studied)
            }));
            let Ok((all, studied)) = told else { continue };
            let now: Vec<Uri> = all.iter().map(|(uri, _)| uri.clone()).collect();
            self.take_back(&key, &now)?;
            for (uri, problems) in all {
                let version = (uri == studied.uri).then_some(version);
                self.publish(PublishDiagnosticsParams { uri, diagnostics: problems, version })?;
            }
            self.told.extend(now.into_iter().map(|uri| (key.clone(), uri)));
        }
        Ok(())
    }

    /// Takes back what was told because of an open document, but for the documents that are told anew.
    fn take_back(&mut self, key: &str, but: &[Uri]) -> Result<(), Failure> {
        let (old, kept) = std::mem::take(&mut self.told).into_iter().partition(|(k, _)| k == key);
        self.told = kept;
        let old: Vec<(String, Uri)> = old;
        for (_, uri) in old.into_iter().filter(|(_, uri)| !but.contains(uri)) {
            self.publish(PublishDiagnosticsParams { uri, diagnostics: Vec::new(), version: None })?;
        }
        Ok(())
    }

    fn publish(&self, params: PublishDiagnosticsParams) -> Result<(), Failure> {
        let method = told::PublishDiagnostics::METHOD.to_string();
        self.connection.sender.send(Notification::new(method, params).into())?;
        Ok(())
    }

    // ---- requests ----

    fn answer(&mut self, request: Request) -> Response {
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
                Ok(Some(rename::references(&studied, at, p.context.include_declaration)))
            }),
            asked::PrepareRenameRequest::METHOD => self.reply::<asked::PrepareRenameRequest, _>(request, |s, p| {
                let (studied, at) = s.place(&p)?;
                let found = rename::renamable(&studied, at)?;
                Ok(Some(PrepareRenameResponse::Range(studied.range(found.at))))
            }),
            asked::Rename::METHOD => self.reply::<asked::Rename, _>(request, |s, p| {
                let (studied, at) = s.place(&p.text_document_position)?;
                rename::rename(&studied, at, &p.new_name, &mut s.shared).map(Some)
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
                let studied = s.study(&p.text_document.uri)?;
                let (from, to) = offsets(&studied, p.range);
                Ok(Some(hints::hints(&studied, from, to)))
            }),
            asked::DocumentSymbolRequest::METHOD => self.reply::<asked::DocumentSymbolRequest, _>(request, |s, p| {
                let studied = s.study(&p.text_document.uri)?;
                Ok(Some(DocumentSymbolResponse::Nested(symbols::symbols(&studied))))
            }),
            asked::Formatting::METHOD => self.reply::<asked::Formatting, _>(request, |s, p| {
                let studied = s.study(&p.text_document.uri)?;
                Ok(format(&studied))
            }),
            asked::CodeActionRequest::METHOD => self.reply::<asked::CodeActionRequest, _>(request, |s, p| {
                let studied = s.study(&p.text_document.uri)?;
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
        F: FnOnce(&mut Server, R::Params) -> Result<R::Result, String>,
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

    fn study(&mut self, uri: &Uri) -> Result<Rc<Studied>, String> {
        let document = self.documents.get_mut(uri.as_str()).ok_or("the document is not open")?;
        Ok(document.studied(&mut self.shared))
    }

    fn place(&mut self, p: &TextDocumentPositionParams) -> Result<(Rc<Studied>, usize), String> {
        let studied = self.study(&p.text_document.uri)?;
        let at = studied.units.offset(&studied.text, p.position);
        Ok((studied, at))
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

fn read<N: told::Notification>(notification: Notification) -> Option<N::Params>
where
    N::Params: DeserializeOwned,
{
    serde_json::from_value(notification.params).ok()
}
