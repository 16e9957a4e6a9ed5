//! Tokens: what the layout pass looks at, and the only place that knows which characters the language has.
//!
//! The grammar reads text, not tokens. So beside the tokens the lexer makes a *masked* copy of the text, of the same
//! length, in which comments are spaces and every mistake is replaced by something harmless: offsets stay those of the
//! file, and one bad character does not hide what comes after it.

use super::slips;
use crate::diagnostics::{Diagnostic, codes};
use crate::source::{FileId, Span};

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Name,
    Number,
    Text,
    /// Punctuation and operators; the prime too. Also what the language does not have: then its masked text is what
    /// was meant, or nothing.
    Operator,
    Open,
    Close,
    Newline,
    Semicolon,
}

/// A token as a range of bytes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: TokenKind,
    pub start: usize,
    pub end: usize,
}

/// A comment, kept for the formatter. `text` is as written, from its `#`; `own_line` when nothing stands before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    pub span: Span,
    pub text: String,
    pub own_line: bool,
}

/// The result of lexing. `masked` has the length of the text, with the same characters at the same offsets but for
/// comments (spaces) and mistakes.
pub struct Lexed {
    pub tokens: Vec<Token>,
    pub comments: Vec<Comment>,
    pub masked: Vec<u8>,
    pub problems: Vec<Diagnostic>,
}

pub fn lex(file: FileId, text: &str) -> Lexed {
    let out =
        Lexed { tokens: Vec::new(), comments: Vec::new(), masked: text.as_bytes().to_vec(), problems: Vec::new() };
    let mut lexer = Lexer { file, text, at: 0, out };
    if text.starts_with('\u{feff}') {
        lexer.mask(0, 3, "");
        lexer.at = 3;
    }
    while lexer.at < text.len() {
        lexer.token();
    }
    lexer.out
}

/// Whether a name may begin with `c`.
pub fn name_start(c: char) -> bool {
    c == '_' || pest::unicode::XID_START(c)
}

/// Whether a name may go on with `c`: letters, digits, `_`, subscript digits. Unicode counts the middle dot among
/// these; here it is a slip for `*`.
pub fn name_rest(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    ('\u{2080}'..='\u{2089}').contains(&c) || (pest::unicode::XID_CONTINUE(c) && !matches!(c, '\u{b7}' | '\u{387}'))
}

struct Lexer<'t> {
    file: FileId,
    text: &'t str,
    at: usize,
    out: Lexed,
}

impl<'t> Lexer<'t> {
    fn token(&mut self) {
        let rest = &self.text[self.at..];
        let c = rest.chars().next().expect("the lexer is inside the text");
        match c {
            ' ' | '\t' | '\r' => self.at += 1,
            '\n' => self.push(TokenKind::Newline, 1),
            ';' => self.push(TokenKind::Semicolon, 1),
            '#' => self.comment(),
            '"' => self.string(),
            '\'' => self.prime(),
            '(' | '[' | '{' => self.push(TokenKind::Open, 1),
            ')' | ']' | '}' => self.push(TokenKind::Close, 1),
            _ if name_start(c) => {
                let length = rest.find(|c| !name_rest(c)).unwrap_or(rest.len());
                self.push(TokenKind::Name, length);
            }
            _ if c.is_ascii_digit() => self.number(),
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number(),
            _ => self.operator(rest),
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    fn push(&mut self, kind: TokenKind, length: usize) {
        self.out.tokens.push(Token { kind, start: self.at, end: self.at + length });
        self.at += length;
    }

    /// Replaces the masked bytes `start..end` by `with` and spaces.
    fn mask(&mut self, start: usize, end: usize, with: &str) {
        let bytes = &mut self.out.masked[start..end];
        bytes.fill(b' ');
        bytes[..with.len()].copy_from_slice(with.as_bytes());
    }

    fn comment(&mut self) {
        let line = self.text[self.at..].split('\n').next().unwrap_or("");
        let (start, end) = (self.at, self.at + line.len());
        let before = self.text[..start].rsplit('\n').next().unwrap_or("");
        let text = line.trim_end().to_string();
        let span = self.span(start, start + text.len());
        self.out.comments.push(Comment { span, text, own_line: before.trim().is_empty() });
        self.mask(start, end, "");
        self.at = end;
    }

    /// `"..."` on one line, without escapes. An unfinished one is taken to end before the bracket or comma that the
    /// author most likely meant to stand outside.
    fn string(&mut self) {
        let start = self.at;
        let line = self.text[start + 1..].split('\n').next().unwrap_or("");
        if let Some(length) = line.find('"') {
            return self.push(TokenKind::Text, length + 2);
        }
        let length = line.find([')', ']', '}', ',', ';', '#']).unwrap_or(line.len());
        let length = line[..length].trim_end().len() + 1;
        let problem = Diagnostic::error(
            codes::BAD_STRING,
            "this string has no end",
            self.span(start, start + length),
            "begins here and is still open at the end of the line",
        );
        let end = self.span(start + length, start + length);
        self.out.problems.push(problem.help("close it with `\"` on the same line").instead(end, "\""));
        self.mask(start, start + length, if length == 1 { "0" } else { "\"" });
        if length > 1 {
            self.out.masked[start + length - 1] = b'"';
        }
        self.push(TokenKind::Text, length);
    }

    /// `'` directly after a name is the new value; anywhere else it is a slip.
    fn prime(&mut self) {
        let start = self.at;
        let previous = self.out.tokens.last().copied();
        let touches = previous.is_some_and(|t| t.end == start);
        if touches && previous.is_some_and(|t| t.kind == TokenKind::Name) {
            return self.push(TokenKind::Operator, 1);
        }
        let line = self.text[start + 1..].split('\n').next().unwrap_or("");
        let quoted = line.find('\'').filter(|_| !touches && previous.is_none_or(|t| t.kind != TokenKind::Name));
        if let Some(length) = quoted {
            let problem = Diagnostic::error(
                codes::BAD_TOKEN,
                "strings stand in double quotes",
                self.span(start, start + length + 2),
                "`'` is the prime of a new value, not a quotation mark",
            );
            let text = format!("\"{}\"", &line[..length]);
            let whole = self.span(start, start + length + 2);
            self.out.problems.push(problem.help(format!("write {text}")).instead(whole, text));
            self.out.masked[start] = b'"';
            self.out.masked[start + length + 1] = b'"';
            return self.push(TokenKind::Text, length + 2);
        }
        let problem = slips::stray_prime(self.span(start, start + 1), self.text, previous);
        self.out.problems.push(problem);
        self.mask(start, start + 1, "");
        self.push(TokenKind::Operator, 1);
    }

    fn number(&mut self) {
        let start = self.at;
        let length = number_length(&self.text[start..]);
        let text = &self.text[start..start + length];
        if let Err((reason, help)) = check_number(text) {
            let message = format!("`{text}` is not a number");
            let problem = Diagnostic::error(codes::BAD_NUMBER, message, self.span(start, start + length), reason);
            let whole = self.span(start, start + length);
            let mended = slips::first_written(&help).map(str::to_string);
            let problem = problem.help(help);
            self.out.problems.push(match mended {
                Some(text) => problem.instead(whole, text),
                None => problem,
            });
            self.out.masked[start..start + length].fill(b'0');
        }
        self.push(TokenKind::Number, length);
    }

    fn operator(&mut self, rest: &str) {
        if let Some(slip) = slips::operator(rest, self.out.tokens.last().map(|t| t.kind)) {
            return self.slip(slip);
        }
        const TWO: [&str; 6] = ["->", "..", "<=", ">=", "==", "!="];
        const ONE: [char; 14] = ['+', '-', '*', '/', '^', '@', '<', '>', '=', '~', ',', ':', '.', '∘'];
        if TWO.iter().any(|op| rest.starts_with(op)) {
            return self.push(TokenKind::Operator, 2);
        }
        match rest.chars().next() {
            Some(c) if ONE.contains(&c) => self.push(TokenKind::Operator, c.len_utf8()),
            _ => self.bad_characters(rest),
        }
    }

    /// Reports a recognised slip and goes on as if the right token stood there.
    fn slip(&mut self, slip: slips::Slip) {
        let (start, end) = (self.at, self.at + slip.length);
        let message = format!("the language has no `{}`", &self.text[start..end]);
        let problem = Diagnostic::error(codes::BAD_TOKEN, message, self.span(start, end), slip.label);
        let problem = problem.help(slip.help);
        self.out.problems.push(match slip.mended {
            Some(text) => problem.instead(self.span(start, end), spaced(text, &self.text[..start], &self.text[end..])),
            None => problem,
        });
        if slip.rest_of_line {
            let line = self.text[start..].split('\n').next().unwrap_or("");
            self.mask(start, start + line.len(), "");
            self.at += line.len();
            return;
        }
        self.mask(start, end, slip.instead);
        self.push(TokenKind::Operator, slip.length);
    }

    /// One report for a whole run of characters that mean nothing.
    fn bad_characters(&mut self, rest: &str) {
        let known = |c: char| c.is_whitespace() && c.is_ascii() || c.is_ascii_graphic() || name_start(c) || c == '∘';
        let first = rest.chars().next().unwrap_or(' ');
        let length = rest.char_indices().skip(1).find(|(_, c)| known(*c)).map_or(rest.len(), |(i, _)| i);
        let length = if known(first) { first.len_utf8() } else { length };
        let (start, end) = (self.at, self.at + length);
        self.out.problems.push(slips::bad_characters(self.span(start, end), &rest[..length]));
        self.mask(start, end, "");
        self.push(TokenKind::Operator, length);
    }
}

/// A word apart from the names around it; an operator as it is.
fn spaced(text: &str, before: &str, after: &str) -> String {
    let is_word = text.starts_with(name_start);
    let left = if is_word && before.ends_with(|c: char| !c.is_whitespace() && c != '(') { " " } else { "" };
    let right = if is_word && after.starts_with(|c: char| !c.is_whitespace()) { " " } else { "" };
    format!("{left}{text}{right}")
}

/// The length of everything that an author would see as one number, well formed or not: `1.2.3`, `1e`, `3x`.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let c = text[at..].chars().next().expect("inside the text");
        let next = bytes.get(at + 1).copied();
        let plain = || text[..at].bytes().all(|b| b.is_ascii_digit() || matches!(b, b'_' | b'.'));
        if matches!(c, 'e' | 'E') && matches!(next, Some(b'+' | b'-')) && plain() {
            let digit = bytes.get(at + 2).is_some_and(u8::is_ascii_digit);
            at += if digit { 2 } else { 1 };
        } else if name_rest(c) {
            at += c.len_utf8();
        } else if c == '.' && next != Some(b'.') && !(at > 0 && bytes[at - 1] == b'.') {
            at += 1;
        } else {
            break;
        }
    }
    at
}

/// Whether `text` is a number of the language; otherwise why not, and what to write.
fn check_number(text: &str) -> Result<(), (String, String)> {
    let fail = |reason: &str, help: String| Err((reason.to_string(), help));
    if let Some(rest) = text.strip_prefix('.') {
        return fail("a point needs a digit on both sides", format!("write `0.{rest}`"));
    }
    let tail = text.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '_' | '.'));
    let mantissa = &text[..text.len() - tail.len()];
    if mantissa.matches('.').count() > 1 {
        return fail("more than one point", "a range is written `a..b`".to_string());
    }
    if mantissa.ends_with('.') {
        let whole = mantissa.trim_end_matches('.');
        return fail("a point needs a digit on both sides", format!("write `{whole}.0`"));
    }
    if !mantissa.split('.').all(well_grouped) {
        return fail("an underscore stands between two digits", "as in `100_000`".to_string());
    }
    let Some(exponent) = tail.strip_prefix(['e', 'E']) else {
        if tail.is_empty() {
            return finite(text);
        }
        if mantissa == "0" && tail.starts_with(['x', 'b', 'o']) {
            return fail("numbers are decimal", "write the number in decimal digits".to_string());
        }
        return fail("a name may not follow a number at once", product_help(mantissa, tail));
    };
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if digits.is_empty() {
        return fail("the exponent has no digits", format!("write `{mantissa}`, or an exponent as in `{mantissa}e-3`"));
    }
    if !well_grouped(digits) {
        return if digits.starts_with(|c: char| c.is_ascii_digit()) {
            fail("the exponent is a whole number", format!("an example: `{mantissa}e-3`"))
        } else {
            fail("a name may not follow a number at once", product_help(mantissa, tail))
        };
    }
    finite(text)
}

fn product_help(mantissa: &str, tail: &str) -> String {
    if tail.starts_with('d') && tail.chars().count() > 1 {
        return format!("write `{mantissa} {tail}` if `{tail}` is a differential, `{mantissa}*{tail}` for a product");
    }
    format!("write `{mantissa}*{tail}` for a product")
}

/// Digits with single underscores between them.
fn well_grouped(digits: &str) -> bool {
    let bytes = digits.as_bytes();
    let ends = bytes.first().is_some_and(u8::is_ascii_digit) && bytes.last().is_some_and(u8::is_ascii_digit);
    ends && !digits.contains("__") && bytes.iter().all(|b| b.is_ascii_digit() || *b == b'_')
}

/// Whether a well-formed number fits a double: neither infinite nor, unless written as zero, zero.
fn finite(text: &str) -> Result<(), (String, String)> {
    let value = number_value(text);
    let zero = text.split(['e', 'E']).next().is_some_and(|m| m.bytes().all(|b| matches!(b, b'0' | b'.' | b'_')));
    if value.is_infinite() {
        return Err((
            "larger than any number".to_string(),
            "the largest is about 1.8e308; `inf` is infinity".to_string(),
        ));
    }
    if value == 0.0 && !zero {
        return Err(("smaller than any positive number".to_string(), "the smallest is about 5e-324".to_string()));
    }
    Ok(())
}

/// The value of a well-formed number.
pub fn number_value(text: &str) -> f64 {
    text.replace('_', "").parse().unwrap_or(f64::NAN)
}
