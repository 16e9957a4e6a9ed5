//! Which bracket closes which. Where one has no partner, the place where it should have ended is guessed, so that the
//! rest of the file still parses.

use super::lex::{Token, TokenKind};
use crate::diagnostics::{Diagnostic, codes};
use crate::source::{FileId, Span};

/// For each token: where the bracket that it opens ends.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Partner {
    /// Not an opening bracket, or not known yet.
    None,
    /// Closed by this token.
    Token(usize),
    /// Never closed; taken to end just before this token.
    Missing(usize),
}

pub struct Brackets {
    pub partners: Vec<Partner>,
    /// For each token: the bracket character around it, or 0.
    pub inside: Vec<u8>,
    /// Closing brackets without a partner; the layout pass leaves them out.
    pub strays: Vec<usize>,
    /// Closing brackets of the wrong shape, and the right one for each.
    pub wrong: Vec<(usize, u8)>,
    pub problems: Vec<Diagnostic>,
}

pub fn match_brackets(file: FileId, text: &str, tokens: &[Token]) -> Brackets {
    let strict = Matcher::new(file, text, tokens, false).run();
    if strict.problems.is_empty() { strict } else { Matcher::new(file, text, tokens, true).run() }
}

struct Matcher<'t> {
    file: FileId,
    text: &'t str,
    tokens: &'t [Token],
    /// Guess from the layout of the text where an unclosed bracket ends. Only after a first pass has found that the
    /// brackets do not balance: a text that does may be laid out as it likes.
    recover: bool,
    stack: Vec<usize>,
    out: Brackets,
}

impl<'t> Matcher<'t> {
    fn new(file: FileId, text: &'t str, tokens: &'t [Token], recover: bool) -> Matcher<'t> {
        let count = tokens.len();
        let out = Brackets {
            partners: vec![Partner::None; count],
            inside: vec![0; count],
            strays: Vec::new(),
            wrong: Vec::new(),
            problems: Vec::new(),
        };
        Matcher { file, text, tokens, recover, stack: Vec::new(), out }
    }

    fn run(mut self) -> Brackets {
        for at in 0..self.tokens.len() {
            if self.recover && self.line_start(at) {
                self.line(at);
            }
            if self.recover && self.tokens[at].kind == TokenKind::Open && self.byte(at) == b'{' {
                self.unclosed(self.block_floor(), at, Some((at, "a block cannot begin inside it")));
            }
            self.out.inside[at] = self.stack.last().map_or(0, |&open| self.byte(open));
            match self.tokens[at].kind {
                TokenKind::Open => self.stack.push(at),
                TokenKind::Close => self.close(at),
                _ => {}
            }
        }
        self.unclosed(0, self.tokens.len(), None);
        self.out
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes()[self.tokens[at].start]
    }

    fn word(&self, at: usize) -> &'t str {
        self.tokens.get(at).map_or("", |t| &self.text[t.start..t.end])
    }

    fn span(&self, at: usize) -> Span {
        Span::new(self.file, self.tokens[at].start, self.tokens[at].end)
    }

    fn close(&mut self, at: usize) {
        let closer = self.byte(at);
        let Some(&top) = self.stack.last() else { return self.stray(at) };
        if self.recover && closer == b'}' {
            self.outdent(at);
        }
        if self.fits(self.stack.last().copied().unwrap_or(top), closer) {
            let open = self.stack.pop().unwrap_or(top);
            self.out.partners[open] = Partner::Token(at);
            self.out.inside[at] = self.stack.last().map_or(0, |&open| self.byte(open));
            return;
        }
        // The nearest bracket that this one can close. A round or square one is not sought outside of its block.
        let reach = if closer == b'}' { 0 } else { self.block_floor() }.max(self.stack.len().saturating_sub(300));
        match (reach..self.stack.len()).rev().find(|&i| self.fits(self.stack[i], closer)) {
            Some(level) => {
                self.unclosed(level + 1, at, Some((at, "closes an outer bracket")));
                self.close(at);
            }
            None if self.wrong_shape(at) => self.mismatch(at),
            None => self.stray(at),
        }
    }

    /// Whether the closing token `at`, which fits no open bracket, stands where the innermost one must end: it is
    /// round or square, and the right one does not come later in the line.
    fn wrong_shape(&self, at: usize) -> bool {
        let Some(&top) = self.stack.last().filter(|&&open| self.byte(open) != b'{' && self.byte(at) != b'}') else {
            return false;
        };
        let mut inner = 0;
        for later in at + 1..self.tokens.len() {
            match self.tokens[later].kind {
                TokenKind::Newline | TokenKind::Semicolon => break,
                TokenKind::Open => inner += 1,
                TokenKind::Close if inner > 0 => inner -= 1,
                TokenKind::Close if self.fits(top, self.byte(later)) => return false,
                _ => {}
            }
        }
        true
    }

    fn mismatch(&mut self, at: usize) {
        let Some(open) = self.stack.pop() else { return };
        let (opener, closer, wanted) = (self.byte(open) as char, self.byte(at) as char, partner(self.byte(open)));
        let message = format!("`{opener}` closed by `{closer}`");
        let problem = Diagnostic::error(codes::UNBALANCED, message, self.span(at), "closed here");
        let problem = problem.label(self.span(open), "opened here");
        let mended = (wanted as char).to_string();
        self.out.problems.push(problem.help(format!("write `{mended}`")).instead(self.span(at), mended));
        self.out.partners[open] = Partner::Token(at);
        self.out.wrong.push((at, wanted));
        self.out.inside[at] = self.stack.last().map_or(0, |&open| self.byte(open));
    }

    /// Whether `closer` ends the bracket opened by token `open`. The range of a parameter, `in [0, 1)`, may be half open.
    fn fits(&self, open: usize, closer: u8) -> bool {
        let opener = self.byte(open);
        let range = open > 0 && self.word(open - 1) == "in" && opener != b'{' && closer != b'}';
        range || partner(opener) == closer
    }

    /// The lowest stack level above the innermost brace.
    fn block_floor(&self) -> usize {
        self.stack.iter().rposition(|&open| self.byte(open) == b'{').map_or(0, |i| i + 1)
    }

    fn stray(&mut self, at: usize) {
        let closer = self.byte(at) as char;
        let opener = match closer {
            ')' => '(',
            ']' => '[',
            _ => '{',
        };
        let message = format!("`{closer}` without `{opener}`");
        let label = format!("no `{opener}` is open here");
        let mut problem = Diagnostic::error(codes::UNBALANCED, message, self.span(at), label);
        if let Some(&open) = self.stack.last() {
            let wanted = partner(self.byte(open)) as char;
            problem = problem.label(self.span(open), format!("the innermost open bracket; `{wanted}` closes it"));
        }
        self.out.problems.push(problem.instead(self.span(at), ""));
        self.out.strays.push(at);
    }

    /// The place after the last word or mark before token `at`.
    fn last_before(&self, at: usize) -> Option<Span> {
        let before =
            self.tokens[..at].iter().rposition(|t| !matches!(t.kind, TokenKind::Newline | TokenKind::Semicolon));
        before.map(|i| self.span(i).after())
    }

    /// Ends every open bracket from stack level `level` on before token `at`, and says so.
    fn unclosed(&mut self, level: usize, at: usize, seen: Option<(usize, &str)>) {
        for open in self.stack.split_off(level) {
            let (opener, wanted) = (self.byte(open) as char, partner(self.byte(open)) as char);
            let message = format!("`{opener}` without `{wanted}`");
            let mut problem =
                Diagnostic::error(codes::UNBALANCED, message, self.span(open), "opened here, never closed");
            problem = match seen {
                Some((token, why)) => problem.label(self.span(token), why),
                None => problem.label(self.end(), "the file ends here"),
            };
            let problem = problem.help(format!("add `{wanted}`"));
            self.out.problems.push(match self.last_before(at).filter(|_| wanted != '}') {
                Some(end) => problem.instead(end, wanted),
                None => problem,
            });
            self.out.partners[open] = Partner::Missing(at);
        }
    }

    /// The last character of the text (labels need something to stand under).
    fn end(&self) -> Span {
        let trimmed = self.text.trim_end();
        let last = trimmed.char_indices().next_back().map_or(0, |(i, _)| i);
        Span::new(self.file, last, trimmed.len())
    }

    // ---- guesses from the layout ----

    fn line_start(&self, at: usize) -> bool {
        self.tokens[at].kind != TokenKind::Newline && (at == 0 || self.tokens[at - 1].kind == TokenKind::Newline)
    }

    /// At the first token of a line: brackets that cannot go on here.
    fn line(&mut self, at: usize) {
        if self.stack.is_empty() || at == 0 {
            return;
        }
        let newline = (0..at).rev().take_while(|&i| self.tokens[i].kind == TokenKind::Newline).last().unwrap_or(at);
        let item = matches!(self.word(at), "target" | "model" | "solver" | "run")
            && self.tokens.get(at + 1).is_some_and(|t| t.kind == TokenKind::Name);
        let floor = self.block_floor();
        let statement = matches!(self.word(at), "let" | "const" | "fn" | "return");
        let two_values = newline > 0 && self.ends_value(newline - 1) && self.begins_value(at);
        if item {
            self.unclosed(0, newline, Some((at, "a declaration cannot begin inside it")));
        } else if statement {
            self.unclosed(floor, newline, Some((at, "a statement cannot begin inside it")));
        } else if two_values {
            self.unclosed(floor, newline, Some((at, "the next statement begins here")));
        }
        let around = self.stack.last().map_or(0, |&open| self.byte(open));
        self.out.inside[newline..at].fill(around);
    }

    fn ends_value(&self, at: usize) -> bool {
        match self.tokens[at].kind {
            TokenKind::Name => !matches!(self.word(at), "then" | "else" | "and" | "or" | "not" | "in" | "for" | "if"),
            TokenKind::Number | TokenKind::Text | TokenKind::Close => true,
            TokenKind::Operator => self.word(at) == "'",
            _ => false,
        }
    }

    fn begins_value(&self, at: usize) -> bool {
        match self.tokens[at].kind {
            TokenKind::Name => !matches!(self.word(at), "then" | "else" | "and" | "or" | "in" | "for" | "if" | "o"),
            TokenKind::Number | TokenKind::Text => true,
            _ => false,
        }
    }

    /// A `}` at the beginning of a line closes the block whose line is indented like it, if there is one.
    fn outdent(&mut self, at: usize) {
        if !self.line_start(at) {
            return;
        }
        let column = self.indent(at);
        let level = self.stack.iter().rposition(|&open| self.byte(open) == b'{' && self.indent(open) <= column);
        if let Some(level) = level.filter(|&l| self.indent(self.stack[l]) == column && l + 1 < self.stack.len()) {
            self.unclosed(level + 1, at, Some((at, "closes an outer block, by its indentation")));
        }
    }

    /// Bytes of white space before the first token of the line of token `at`.
    fn indent(&self, at: usize) -> usize {
        let line = self.text[..self.tokens[at].start].rfind('\n').map_or(0, |i| i + 1);
        self.text[line..].len() - self.text[line..].trim_start_matches([' ', '\t']).len()
    }
}

fn partner(opener: u8) -> u8 {
    match opener {
        b'(' => b')',
        b'[' => b']',
        _ => b'}',
    }
}
