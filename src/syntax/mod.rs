//! Syntax: from text to tree. Never panics; a broken text gives a tree of what could be read and a list of problems.
//!
//! `lex` cuts the text into tokens, `layout` into statements, `grammar` (pest, `grammar/sde.pest`) parses each
//! statement, `build` and its parts make the tree of `ast`, `explain` and `mistakes` turn failures into messages, `print`
//! goes back from tree to text. `format` lays out a text anew, comments and all.

pub mod ast;
mod brackets;
mod build;
mod build_expr;
mod build_stmt;
pub mod context;
mod depth;
mod explain;
pub mod format;
mod grammar;
pub mod keywords;
mod layout;
mod lazy;
mod lex;
mod mistakes;
pub mod print;
pub mod print_expr;
pub mod settings;
mod slips;
#[cfg(test)]
mod tests;
pub mod words;

pub use depth::{MAX_DEPTH, MAX_NESTING};
pub use explain::RESERVED;
pub use grammar::{Place, keywords};
pub use lazy::Declarations;
pub use lex::{Comment, Lexed, Token, TokenKind, lex, name_rest, name_start};

use crate::diagnostics::{Diagnostic, codes};
use crate::source::{FileId, Span};
use ast::{Expr, File, Item, RunStmt};
use build::Builder;
use grammar::{Grammar, Node, Rule};
use layout::{Layout, layout};
use pest::Parser;

/// At most so many problems are told of one file; a text that is no program has one in every line.
const MAX_PROBLEMS: usize = 100;

/// A parsed file: the declarations that could be read, every comment, and what is wrong, in the order of the text.
/// Without an error among the problems the tree is complete.
#[derive(Clone, Debug)]
pub struct Parsed {
    pub file: File,
    pub comments: Vec<Comment>,
    pub problems: Vec<Diagnostic>,
}

/// What an interactive line can be.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    Item(Box<Item>),
    Run(Box<RunStmt>),
    Expr(Expr),
}

/// Parses a file. Spans are byte offsets into `text`.
pub fn parse(file: FileId, text: &str) -> Parsed {
    if text.len() >= u32::MAX as usize {
        let problem = Diagnostic::error(codes::SYNTAX, "the file is too large", Span::new(file, 0, 1), "4 GiB or more");
        return Parsed { file: File { items: Vec::new() }, comments: Vec::new(), problems: vec![problem] };
    }
    let layout = layout(file, text);
    let mut builder = Builder::new(file, text, &layout);
    let tree = builder.file();
    let problems = collect(&layout, builder.problems);
    Parsed { file: tree, comments: layout.comments, problems }
}

/// Parses bytes that may not be text. Gives the text too, with U+FFFD for what is not UTF-8 (then it is not parsed).
pub fn parse_bytes(file: FileId, bytes: &[u8]) -> (String, Parsed) {
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return (text.to_string(), parse(file, text)),
        Err(error) => error,
    };
    let text = String::from_utf8_lossy(bytes).into_owned();
    let problem = not_utf8(file, bytes, error.valid_up_to());
    (text, Parsed { file: File { items: Vec::new() }, comments: Vec::new(), problems: vec![problem] })
}

fn not_utf8(file: FileId, bytes: &[u8], at: usize) -> Diagnostic {
    let line = bytes[..at].iter().filter(|b| **b == b'\n').count() + 1;
    let message =
        format!("the file is not UTF-8 text: byte {} of the file, 0x{:02X}, in line {line}", at + 1, bytes[at]);
    // U+FFFD takes three bytes in the text that the span points into.
    let problem = Diagnostic::error(codes::NOT_UTF8, message, Span::new(file, at, at + 3), "not UTF-8 from here");
    let utf16 = bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]);
    problem.help(if utf16 { "it looks like UTF-16; save it as UTF-8" } else { "save the file in the encoding UTF-8" })
}

/// Parses one expression, as in `--set sigma=0.3` or at the prompt.
pub fn parse_expr(file: FileId, text: &str) -> Result<Expr, Vec<Diagnostic>> {
    let layout = layout(file, text);
    let mut builder = Builder::new(file, text, &layout);
    let tree = match &layout.items[..] {
        [piece] if !piece.too_deep => {
            let read = piece.text(&layout.masked);
            let root = Grammar::parse(Rule::one_expr, &read);
            let root = root
                .map_err(|e| explain::plain(&explain::Failure::new(file, text, &layout, piece, Place::Run, &read, &e)));
            match root {
                Ok(mut pairs) => pairs.next().map(|pair| builder.expr(Node { pair, piece }.only())),
                Err(_) if piece.broken => None,
                Err(problem) => {
                    builder.problems.push(problem);
                    None
                }
            }
        }
        [] => {
            builder.problems.push(empty(file, text));
            None
        }
        [_] => None,
        [_, second, ..] => {
            let span = Span::new(file, second.start, second.end);
            let message = "expected one expression, found several";
            builder.problems.push(Diagnostic::error(codes::SYNTAX, message, span, "a second one"));
            None
        }
    };
    finish(tree, collect(&layout, builder.problems))
}

/// Parses one line of an interactive session: a declaration, an expression, or a statement of a run.
pub fn parse_statement(file: FileId, text: &str) -> Result<Statement, Vec<Diagnostic>> {
    let layout = layout(file, text);
    let [piece] = &layout.items[..] else {
        return parse_expr(file, text).map(Statement::Expr);
    };
    let read = if piece.too_deep { String::new() } else { piece.text(&layout.masked) };
    let fits = |rule| Grammar::parse(rule, &read).is_ok();
    let head = layout.tokens[piece.tokens.start];
    let headed = |place: Place| place.heads().contains(&&layout.masked[head.start..head.end]);
    let mut builder = Builder::new(file, text, &layout);
    let tree = if fits(Rule::one_expr) {
        return parse_expr(file, text).map(Statement::Expr);
    } else if fits(Rule::one_item) || !headed(Place::Run) && headed(Place::File) {
        let item = builder.statement(piece, Place::File, Builder::item);
        item.map(|i| Statement::Item(Box::new(i)))
    } else if fits(Rule::one_run_stmt) || headed(Place::Run) {
        let statement = builder.statement(piece, Place::Run, Builder::run_stmt);
        statement.map(|s| Statement::Run(Box::new(s)))
    } else {
        return parse_expr(file, text).map(Statement::Expr);
    };
    finish(tree, collect(&layout, builder.problems))
}

/// Whether a text is not over yet, so that a prompt reads on: a bracket is open, the last line ends in something that waits
/// for more, or it is the documentation of a declaration to come.
pub fn goes_on(text: &str) -> bool {
    let lexed = lex(FileId(0), text);
    let mut open = Vec::new();
    let mut last = None;
    for token in &lexed.tokens {
        let word = &text[token.start..token.end];
        match (token.kind, word) {
            (TokenKind::Open, _) => open.push(word),
            // A bracket that closes another one is a mistake, which more lines do not mend.
            (TokenKind::Close, _) => match (open.pop(), word) {
                (Some("("), ")") | (Some("["), "]") | (Some("{"), "}") => {}
                _ => return false,
            },
            _ => {}
        }
        if token.kind != TokenKind::Newline {
            last = Some(word);
        }
    }
    match last {
        Some(word) => !open.is_empty() || layout::joins_next(word),
        None => lexed.comments.last().is_some_and(|c| c.text.starts_with("##")),
    }
}

/// The statements of a text, each with the comments before it, as ranges of bytes.
pub fn statements(file: FileId, text: &str) -> Vec<std::ops::Range<usize>> {
    let pieces = layout(file, text).items;
    let starts = std::iter::once(0).chain(pieces.iter().map(|p| p.end));
    starts.zip(&pieces).map(|(start, piece)| start..piece.end.max(start)).collect()
}

fn empty(file: FileId, text: &str) -> Diagnostic {
    let span = Span::new(file, 0, text.len());
    Diagnostic::error(codes::SYNTAX, "expected an expression, found nothing", span, "nothing here")
}

fn finish<T>(tree: Option<T>, problems: Vec<Diagnostic>) -> Result<T, Vec<Diagnostic>> {
    match tree {
        Some(tree) if problems.is_empty() => Ok(tree),
        _ => Err(problems),
    }
}

/// All problems in the order of the text, but not too many.
fn collect(layout: &Layout, built: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut problems = layout.problems.clone();
    problems.extend(built);
    problems.sort_by_key(|p| p.labels[0].span);
    let more = problems.len().saturating_sub(MAX_PROBLEMS);
    problems.truncate(MAX_PROBLEMS);
    if more > 0
        && let Some(last) = problems.last_mut()
    {
        last.notes.push(format!("{more} more problems are not shown"));
    }
    problems
}
