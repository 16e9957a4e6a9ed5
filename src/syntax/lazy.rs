//! The declarations of a text by name, each parsed when it is asked for: for libraries, of which a program uses little.
//! Cutting a text into declarations costs a twentieth of parsing it.

use super::ast::Item;
use super::build::Builder;
use super::grammar::Place;
use super::layout::{Layout, layout};
use super::lex::TokenKind;
use crate::diagnostics::Diagnostic;
use crate::source::FileId;
use std::sync::Arc;

/// A text whose declarations are known by name but not yet parsed.
pub struct Declarations {
    file: FileId,
    text: Arc<str>,
    layout: Layout,
}

impl Declarations {
    pub fn new(file: FileId, text: Arc<str>) -> Declarations {
        let layout = layout(file, &text);
        Declarations { file, text, layout }
    }

    /// What is wrong with the text as a whole: characters, brackets, strings.
    pub fn problems(&self) -> &[Diagnostic] {
        &self.layout.problems
    }

    pub fn len(&self) -> usize {
        self.layout.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.layout.items.is_empty()
    }

    /// The first two words of declaration `i`: its kind (`model`, `fn`, ...) and its name.
    pub fn head(&self, i: usize) -> (&str, &str) {
        let first = self.layout.items[i].tokens.start;
        let word = |at: usize| {
            let token = self.layout.tokens.get(at).filter(|t| t.kind == TokenKind::Name);
            token.map_or("", |t| &self.text[t.start..t.end])
        };
        (word(first), word(first + 1))
    }

    /// Declaration `i`, with what is wrong with it; nothing if it cannot be read.
    pub fn item(&self, i: usize) -> (Option<Item>, Vec<Diagnostic>) {
        let mut builder = Builder::new(self.file, &self.text, &self.layout);
        let piece = &self.layout.items[i];
        let mut item = builder.statement(piece, Place::File, Builder::item);
        if let Some(item) = &mut item {
            let after = i.checked_sub(1).map_or(0, |before| self.layout.items[before].end);
            item.doc = builder.doc(after, piece.start);
        }
        (item, builder.problems)
    }
}
