//! The layout pass, between the text and the grammar.
//!
//! It drops the newlines that do not end a statement, pairs the brackets, bounds the depth of nesting, and cuts the
//! text into statements, with the statements of each block inside its braces. Every statement is then parsed by itself
//! (`build.rs`), so that a mistake in one does not hide those in others.

use super::brackets::{Brackets, Partner, match_brackets};
use super::depth::{Depth, MAX_NESTING};
use super::lex::{Comment, Lexed, Token, TokenKind, lex};
use crate::diagnostics::{Diagnostic, codes};
use crate::source::{FileId, Span};

/// A text cut into statements.
pub struct Layout {
    /// The text as the grammar reads it: same length, without comments, dropped newlines and mistakes.
    pub masked: String,
    pub tokens: Vec<Token>,
    pub comments: Vec<Comment>,
    pub problems: Vec<Diagnostic>,
    pub items: Vec<Piece>,
}

/// One statement: the bytes `start..end`, and the blocks directly in it.
#[derive(Debug)]
pub struct Piece {
    pub start: usize,
    pub end: usize,
    /// Its tokens, those in its blocks among them.
    pub tokens: std::ops::Range<usize>,
    pub blocks: Vec<Block>,
    /// Closing brackets that the author forgot at its end.
    pub missing: String,
    /// Has a mistake that was reported already: a failure to parse says nothing new.
    pub broken: bool,
    /// Not to be parsed: nested too deeply.
    pub too_deep: bool,
}

/// The statements between the brace at `open` and that at `close` (or where it should be).
#[derive(Debug)]
pub struct Block {
    pub open: usize,
    pub close: usize,
    pub statements: Vec<Piece>,
}

impl Piece {
    /// Whether the byte `at` belongs to the statement itself, not to the inside of one of its blocks.
    pub fn owns(&self, at: usize) -> bool {
        (self.start..self.end.max(self.start + 1)).contains(&at)
            && !self.blocks.iter().any(|b| (b.open + 1..b.close).contains(&at))
    }

    /// The text that the grammar reads: the statement with the insides of its blocks blanked, at the same offsets.
    pub fn text(&self, masked: &str) -> String {
        let mut bytes = masked.as_bytes()[self.start..self.end].to_vec();
        for block in &self.blocks {
            let (from, to) = (block.open + 1 - self.start, block.close.clamp(block.open + 1, self.end) - self.start);
            bytes[from..to].fill(b' ');
        }
        for byte in &mut bytes {
            if *byte == b'\n' {
                *byte = b' ';
            }
        }
        let text = String::from_utf8(bytes).expect("whole tokens are blanked, so characters stay whole");
        text + &self.missing
    }
}

pub fn layout(file: FileId, text: &str) -> Layout {
    let Lexed { tokens, comments, mut masked, mut problems } = lex(file, text);
    let brackets = match_brackets(file, text, &tokens);
    problems.extend(brackets.problems.iter().cloned());
    for &stray in &brackets.strays {
        masked[tokens[stray].start] = b' ';
    }
    for &(closer, right) in &brackets.wrong {
        masked[tokens[closer].start] = right;
    }
    let mut pass =
        Pass { file, tokens: &tokens, brackets: &brackets, masked, dropped: vec![false; tokens.len()], problems };
    pass.newlines();
    let items = pass.statements(0..tokens.len(), 0);
    let Pass { masked, problems, .. } = pass;
    let masked = String::from_utf8(masked).expect("whole characters are masked");
    let mut layout = Layout { masked, tokens, comments, problems, items };
    mark_broken(&mut layout);
    layout
}

struct Pass<'t> {
    file: FileId,
    tokens: &'t [Token],
    brackets: &'t Brackets,
    masked: Vec<u8>,
    /// For each token: a newline that does not end a statement, or a bracket without a partner.
    dropped: Vec<bool>,
    problems: Vec<Diagnostic>,
}

impl Pass<'_> {
    fn word(&self, at: usize) -> &str {
        let token = self.tokens[at];
        std::str::from_utf8(&self.masked[token.start..token.end]).unwrap_or("").trim_end()
    }

    // ---- newlines ----

    /// Drops newlines inside `( )` and `[ ]`, after a token that cannot end a statement, and before one that cannot
    /// begin one.
    fn newlines(&mut self) {
        for &stray in &self.brackets.strays {
            self.dropped[stray] = true;
        }
        let mut at = 0;
        while at < self.tokens.len() {
            if self.tokens[at].kind != TokenKind::Newline {
                at += 1;
                continue;
            }
            let mut end = at;
            while end < self.tokens.len() && (self.tokens[end].kind == TokenKind::Newline || self.dropped[end]) {
                end += 1;
            }
            if self.joins(at, end) {
                for newline in at..end {
                    self.dropped[newline] = true;
                    self.masked[self.tokens[newline].start] = b' ';
                }
            }
            at = end;
        }
    }

    /// Whether the newlines `at..end` do not count.
    fn joins(&mut self, at: usize, end: usize) -> bool {
        if matches!(self.brackets.inside[at], b'(' | b'[') {
            return true;
        }
        let before = (0..at).rev().find(|&i| !self.dropped[i]);
        if before.is_some_and(|b| joins_next(self.word(b))) {
            return true;
        }
        if end == self.tokens.len() {
            return false;
        }
        if self.word(end) == "{" && before.is_some_and(|b| !matches!(self.word(b), "{" | ";" | "}")) {
            let span = Span::new(self.file, self.tokens[end].start, self.tokens[end].end);
            let message = "`{` must stand on the line of its statement";
            let problem = Diagnostic::error(codes::SYNTAX, message, span, "begins a line of its own");
            self.problems.push(problem.help("move it to the end of the line above: a newline ends a statement"));
            return true;
        }
        joins_previous(self.word(end))
    }

    // ---- statements ----

    /// Cuts the tokens of `range`, all at one level, into statements.
    fn statements(&mut self, range: std::ops::Range<usize>, level: usize) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut start = range.start;
        let mut at = range.start;
        let mut blocks = Vec::new();
        while at <= range.end {
            let ends = at == range.end
                || !self.dropped[at] && matches!(self.tokens[at].kind, TokenKind::Newline | TokenKind::Semicolon);
            if ends {
                pieces.extend(self.piece(start..at, std::mem::take(&mut blocks), level));
                at += 1;
                start = at;
                continue;
            }
            let next = match self.brackets.partners[at] {
                Partner::None => at + 1,
                Partner::Token(close) => close + 1,
                Partner::Missing(before) => before,
            };
            if self.word(at) == "{" {
                blocks.push(self.block(at, level));
            }
            at = next.clamp(at + 1, range.end.max(at + 1));
        }
        pieces
    }

    fn block(&mut self, open: usize, level: usize) -> Block {
        let (inner, close) = match self.brackets.partners[open] {
            Partner::Token(close) => (open + 1..close, self.tokens[close].start),
            Partner::Missing(before) => {
                (open + 1..before.max(open + 1), self.tokens.get(before).map_or(self.masked.len(), |t| t.start))
            }
            Partner::None => (open + 1..open + 1, self.tokens[open].end),
        };
        let deep = level + 1 >= MAX_NESTING;
        if deep {
            self.too_deep(open, "braces are nested too deeply");
        }
        let statements = if deep { Vec::new() } else { self.statements(inner, level + 1) };
        Block { open: self.tokens[open].start, close, statements }
    }

    fn piece(&mut self, range: std::ops::Range<usize>, blocks: Vec<Block>, level: usize) -> Option<Piece> {
        let mut kept = range.clone().filter(|&i| !self.dropped[i]);
        let first = kept.next()?;
        let last = kept.next_back().unwrap_or(first);
        let tokens = first..last + 1;
        let (start, end) = (self.tokens[first].start, self.tokens[last].end);
        let mut piece = Piece { start, end, tokens, blocks, missing: String::new(), broken: false, too_deep: false };
        // The block of the last open brace may end after the last token, where its `}` is missing.
        piece.missing = self.missing(&piece, range.end);
        piece.too_deep = self.depth(&piece, level);
        Some(piece)
    }

    /// The closing brackets that are missing at the end of a statement, innermost first.
    fn missing(&self, piece: &Piece, end: usize) -> String {
        let own = piece.tokens.clone().filter(|&i| piece.owns(self.tokens[i].start));
        let open = own.filter(|&i| matches!(self.brackets.partners[i], Partner::Missing(before) if before >= end));
        let mut closers: Vec<char> = open
            .map(|i| match self.word(i) {
                "(" => ')',
                "[" => ']',
                _ => '}',
            })
            .collect();
        closers.reverse();
        closers.into_iter().collect()
    }

    // ---- depth ----

    /// Whether the statement is nested too deeply; reported if so.
    fn depth(&mut self, piece: &Piece, level: usize) -> bool {
        let mut depth = Depth::new(level);
        for at in piece.tokens.clone() {
            if self.dropped[at] || !piece.owns(self.tokens[at].start) {
                continue;
            }
            if let Err(message) = depth.token(self.tokens[at].kind, self.word(at)) {
                self.too_deep(at, message);
                return true;
            }
        }
        false
    }

    fn too_deep(&mut self, at: usize, message: &str) {
        let span = Span::new(self.file, self.tokens[at].start, self.tokens[at].end);
        let problem = Diagnostic::error(codes::TOO_DEEP, message, span, "too deep here");
        self.problems
            .push(problem.help("name parts of it with `let`, or write long sums as `sum(f(i) for i in 0..n)`"));
    }
}

/// Whether a statement goes on in the next line after this token.
pub fn joins_next(word: &str) -> bool {
    is_binary(word) || matches!(word, "=" | "," | "~" | "->" | "then" | "else" | "not")
}

/// Whether a line that begins with this token goes on with the statement before it.
pub fn joins_previous(word: &str) -> bool {
    is_binary(word) || matches!(word, "then" | "else")
}

fn is_binary(word: &str) -> bool {
    matches!(
        word,
        "+" | "-" | "*" | "/" | "^" | "@" | "<" | "<=" | ">" | ">=" | "==" | "!=" | "and" | "or" | ".." | "∘"
    )
}

/// Marks the statements in which a mistake was found already.
fn mark_broken(layout: &mut Layout) {
    let mut places: Vec<usize> = layout.problems.iter().map(|p| p.labels[0].span.start as usize).collect();
    places.sort_unstable();
    mark(&mut layout.items, &places);
}

fn mark(pieces: &mut [Piece], places: &[usize]) {
    for piece in pieces {
        let from = places.partition_point(|&p| p < piece.start);
        let to = places.partition_point(|&p| p < piece.end.max(piece.start + 1));
        piece.broken = places[from..to].iter().any(|&p| piece.owns(p));
        for block in &mut piece.blocks {
            mark(&mut block.statements, &places[from..to.max(from)]);
        }
    }
}
