//! The server: messages in, to one of its two desks, answers out.
//!
//! The front desk answers at once what the text alone tells: completion, signatures, the outline, formatting. What takes a
//! study of the program is for a desk on a thread of its own: problems, types, the parameters of runs. A newer text ends the
//! study of an older one.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};

use lsp_server::{Connection, ErrorCode, Message, RequestId, Response};
use lsp_types::notification::{self as told, Notification as _};
use lsp_types::request::{self as asked, Request as _};
use lsp_types::{
    CancelParams, CodeActionProviderCapability, CompletionOptions, InitializeParams, InitializeResult, NumberOrString,
    OneOf, RenameOptions, ServerCapabilities, ServerInfo, SignatureHelpOptions, TextDocumentSyncCapability,
    TextDocumentSyncKind, WorkDoneProgressOptions,
};

use super::desk::{Desk, Out, Setup};
use super::library;
use super::place::Units;
use crate::session::load::Options;

pub type Failure = Box<dyn std::error::Error + Sync + Send>;

/// Requests that the client has taken back.
type Cancelled = Arc<Mutex<HashSet<RequestId>>>;

/// Serves one client on stdin and stdout until it says goodbye. Studies have a stack of so many bytes, as expressions are
/// recursive.
pub fn serve(options: Options, stack: usize) -> Result<(), Failure> {
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
    let setup = Setup { options, units, library, snippets: snippets(&params), told: Arc::default() };
    run(&connection, setup, stack)?;
    // The writer ends when nobody can send any more.
    drop(connection);
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
            trigger_characters: Some(vec!["'".into(), ".".into()]),
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

fn run(connection: &Connection, setup: Setup, stack: usize) -> Result<(), Failure> {
    let (orders, queue) = channel();
    let cancelled = Cancelled::default();
    let back = (setup.clone(), sender(connection), cancelled.clone());
    let study = std::thread::Builder::new().name("study".into()).stack_size(stack).spawn(move || {
        let (setup, out, cancelled) = back;
        work(&mut Desk::new(setup, out), &queue, &cancelled)
    })?;
    let changes = setup.told.clone();
    front(connection, &mut Desk::new(setup, sender(connection)), &changes, &cancelled, &|m| Ok(orders.send(m)?))?;
    drop(orders);
    study.join().unwrap_or_else(|_| Err("the thread of studies has a bug".into()))
}

fn sender(connection: &Connection) -> Out {
    let sender = connection.sender.clone();
    Box::new(move |message| Ok(sender.send(message)?))
}

/// The loop of the front desk: until the client says goodbye.
fn front(
    connection: &Connection,
    desk: &mut Desk,
    changes: &AtomicU64,
    cancelled: &Cancelled,
    to_study: &dyn Fn(Message) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for message in &connection.receiver {
        match message {
            Message::Request(request) => {
                if connection.handle_shutdown(&request)? {
                    return Ok(());
                }
                if takes_study(&request.method) {
                    to_study(request.into())?;
                } else {
                    desk.respond(request)?;
                }
            }
            Message::Notification(n) if n.method == told::Cancel::METHOD => {
                if let Ok(params) = serde_json::from_value::<CancelParams>(n.params) {
                    cancelled.lock().unwrap_or_else(PoisonError::into_inner).insert(id(params.id));
                }
            }
            Message::Notification(n) => {
                if Desk::is_change(&n.method) {
                    // Told before it waits in the queue, so that what is studied now can be given up.
                    changes.fetch_add(1, Ordering::Release);
                    desk.note(&n)?;
                }
                to_study(n.into())?;
            }
            Message::Response(_) => {}
        }
    }
    Ok(())
}

fn id(id: NumberOrString) -> RequestId {
    match id {
        NumberOrString::Number(n) => n.into(),
        NumberOrString::String(s) => s.into(),
    }
}

/// What is answered from a study; what is not is answered from the text and its names.
fn takes_study(method: &str) -> bool {
    let all = [
        asked::HoverRequest::METHOD,
        asked::GotoDefinition::METHOD,
        asked::References::METHOD,
        asked::PrepareRenameRequest::METHOD,
        asked::Rename::METHOD,
        asked::InlayHintRequest::METHOD,
        asked::CodeActionRequest::METHOD,
    ];
    all.contains(&method)
}

/// The loop of the desk that studies: until there can be no more orders.
fn work(desk: &mut Desk, queue: &Receiver<Message>, cancelled: &Cancelled) -> Result<(), Failure> {
    loop {
        let message = match queue.try_recv() {
            Ok(message) => message,
            Err(TryRecvError::Disconnected) => return Ok(()),
            Err(TryRecvError::Empty) => {
                // Problems are told when the client has said all that it has to say for now.
                desk.tell_changed()?;
                let Ok(message) = queue.recv() else { return Ok(()) };
                message
            }
        };
        match message {
            Message::Request(request) => {
                if cancelled.lock().unwrap_or_else(PoisonError::into_inner).remove(&request.id) {
                    let code = ErrorCode::RequestCanceled as i32;
                    desk.send(Response::new_err(request.id, code, "taken back".into()).into())?;
                } else {
                    desk.respond(request)?;
                }
            }
            Message::Notification(n) => desk.note(&n)?,
            Message::Response(_) => {}
        }
    }
}
