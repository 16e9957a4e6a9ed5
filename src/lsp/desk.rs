//! A desk of the server: documents, what was found out about them, and who is told.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use lsp_server::{ErrorCode, Message, Notification, Request, Response};
use lsp_types::notification::{self as told, Notification as _};
use lsp_types::{PublishDiagnosticsParams, TextDocumentPositionParams, Uri};
use serde::de::DeserializeOwned;

use super::document::{Clock, Document, Shared, Studied};
use super::place::Units;
use super::server::Failure;
use super::{tell, uri};
use crate::session::load::{Options, load_again};

/// Where messages to the client go.
pub type Out = Box<dyn Fn(Message) -> Result<(), Failure> + Send>;

/// What the desks of a server have in common.
#[derive(Clone)]
pub struct Setup {
    pub options: Options,
    pub units: Units,
    /// where the texts of the standard library can be opened
    pub library: Option<PathBuf>,
    /// the client fills in templates
    pub snippets: bool,
    /// changes of texts that the client has told of
    pub told: Arc<AtomicU64>,
}

pub struct Desk {
    out: Out,
    pub shared: Shared,
    documents: HashMap<String, Document>,
    /// the documents, for each open one, that were told problems
    told: Vec<(String, Uri)>,
    pub snippets: bool,
}

impl Desk {
    pub fn new(setup: Setup, out: Out) -> Desk {
        let Setup { options, units, library, snippets, told } = setup;
        let clock = Rc::new(Clock { told, ..Clock::default() });
        let mut shared = Shared { options, units, library, standard: None, clock };
        // The standard library is parsed while the client gets ready.
        load_again("none", None, b"", &shared.options, &mut shared.standard);
        Desk { out, shared, documents: HashMap::new(), told: Vec::new(), snippets }
    }

    pub fn send(&self, message: Message) -> Result<(), Failure> {
        (self.out)(message)
    }

    // ---- documents ----

    /// Whether a notification changes texts.
    pub fn is_change(method: &str) -> bool {
        let all = [
            told::DidOpenTextDocument::METHOD,
            told::DidChangeTextDocument::METHOD,
            told::DidCloseTextDocument::METHOD,
            told::DidSaveTextDocument::METHOD,
        ];
        all.contains(&method)
    }

    pub fn note(&mut self, notification: &Notification) -> Result<(), Failure> {
        let method = notification.method.as_str();
        if Desk::is_change(method) {
            let taken = &self.shared.clock.taken;
            taken.set(taken.get() + 1);
        }
        match method {
            told::DidOpenTextDocument::METHOD => {
                let Some(p) = read::<told::DidOpenTextDocument>(notification) else { return Ok(()) };
                let document = p.text_document;
                self.is_open(&document.uri, Some(&document.text));
                let key = document.uri.as_str().to_string();
                self.documents.insert(key, Document::new(document.uri, document.version, document.text));
            }
            told::DidChangeTextDocument::METHOD => {
                let Some(p) = read::<told::DidChangeTextDocument>(notification) else { return Ok(()) };
                let Some(change) = p.content_changes.into_iter().next_back() else { return Ok(()) };
                self.is_open(&p.text_document.uri, Some(&change.text));
                if let Some(document) = self.documents.get_mut(p.text_document.uri.as_str()) {
                    document.change(p.text_document.version, change.text);
                }
            }
            told::DidCloseTextDocument::METHOD => {
                let Some(p) = read::<told::DidCloseTextDocument>(notification) else { return Ok(()) };
                let key = p.text_document.uri.as_str().to_string();
                self.is_open(&p.text_document.uri, None);
                self.documents.remove(&key);
                self.take_back(&key, &[])?;
            }
            // What a program reads besides its own text may have changed.
            told::DidSaveTextDocument::METHOD => {
                for document in self.documents.values_mut() {
                    document.forget();
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Programs that import a file read the text that an editor has open, and are studied anew when that changes.
    fn is_open(&mut self, uri: &Uri, text: Option<&str>) {
        let Some(path) = uri::to_path(uri).and_then(|p| p.canonicalize().ok()) else { return };
        for document in self.documents.values_mut().filter(|d| d.imports(&path)) {
            document.forget();
        }
        match text {
            Some(text) => self.shared.options.open.insert(path, text.to_string()),
            None => self.shared.options.open.remove(&path),
        };
    }

    /// An open document as far as its text and its names tell; a study of it is made when something asks for it.
    pub fn studied(&mut self, uri: &Uri) -> Result<Rc<Studied>, String> {
        let document = self.documents.get_mut(uri.as_str()).ok_or("the document is not open")?;
        Ok(document.studied(&mut self.shared))
    }

    /// All open documents.
    pub fn all(&mut self) -> Vec<Rc<Studied>> {
        self.documents.values_mut().map(|d| d.studied(&mut self.shared)).collect()
    }

    /// A document and a byte of its text.
    pub fn place(&mut self, p: &TextDocumentPositionParams) -> Result<(Rc<Studied>, usize), String> {
        let studied = self.studied(&p.text_document.uri)?;
        let at = studied.units.offset(&studied.text, p.position);
        Ok((studied, at))
    }

    // ---- answers ----

    pub fn respond(&mut self, request: Request) -> Result<(), Failure> {
        let id = request.id.clone();
        // A mistake of the server must not take the editor's session with it.
        let answer = catch_unwind(AssertUnwindSafe(|| self.answer(request)));
        let mut response = answer.unwrap_or_else(|_| {
            Response::new_err(id.clone(), ErrorCode::InternalError as i32, "the server has a bug here".into())
        });
        for document in self.documents.values_mut().filter(|d| d.is_given_up()) {
            document.forget();
            let code = ErrorCode::ContentModified as i32;
            response = Response::new_err(id.clone(), code, "there is a newer text".into());
        }
        self.send(response.into())
    }

    // ---- problems ----

    /// Studies what has changed and tells its problems.
    pub fn tell_changed(&mut self) -> Result<(), Failure> {
        let changed: Vec<String> =
            self.documents.iter().filter(|(_, d)| !d.is_told).map(|(key, _)| key.clone()).collect();
        for key in changed {
            let Some(document) = self.documents.get_mut(&key) else { continue };
            document.is_told = true;
            let version = document.version;
            let found = catch_unwind(AssertUnwindSafe(|| {
                let studied = document.studied(&mut self.shared);
                (tell::problems(&studied), studied)
            }));
            let Ok((all, studied)) = found else { continue };
            if studied.is_given_up() {
                document.forget();
                return Ok(());
            }
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
        self.send(Notification::new(method, params).into())
    }
}

fn read<N: told::Notification>(notification: &Notification) -> Option<N::Params>
where
    N::Params: DeserializeOwned,
{
    serde_json::from_value(notification.params.clone()).ok()
}
