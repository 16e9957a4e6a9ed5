//! The language server: `fokker lsp`, over stdin and stdout.
//!
//! A text is studied (`session::study`) after it has changed, when an answer needs it or nothing else is waiting; every answer is
//! worked out from that study and the text. What a client is told of names comes from the tables of the language. What needs
//! no study is answered by another thread (`server`), and waits for none.

mod about;
mod actions;
mod answers;
mod complete;
mod desk;
mod document;
mod hints;
mod hover;
mod library;
mod names;
mod place;
mod rename;
mod server;
mod signature;
pub mod snippets;
mod symbols;
mod tell;
#[cfg(test)]
mod tests;
mod uri;

pub use server::serve;
