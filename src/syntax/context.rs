//! Where a place of a text is, as far as tokens tell: for editors, whose texts are mostly unfinished.

use super::grammar::Place;
use super::layout::{Layout, Piece, layout};
use super::lex::{Token, TokenKind};
use crate::source::FileId;

/// What surrounds a place of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// what the block around it holds
    pub place: Place,
    /// where the statement around it begins, and its first word; none between statements
    pub statement: Option<(usize, String)>,
    /// the word that is being written begins the statement
    pub at_head: bool,
    /// the call whose arguments it is among
    pub call: Option<Call>,
    /// where the top-level declaration around it stands
    pub item: Option<(usize, usize)>,
    /// inside a comment or a string
    pub in_text: bool,
}

/// `name(a, b` up to a place: the name, where it stands, and the number of the argument, from zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub name: String,
    pub at: usize,
    pub argument: usize,
}

/// The context of byte `at` of a text.
pub fn context(text: &str, at: usize) -> Context {
    let layout = layout(FileId(0), text);
    let mut out = Context {
        place: Place::File,
        statement: None,
        at_head: true,
        call: None,
        item: None,
        in_text: in_text(&layout, at),
    };
    let (mut place, mut pieces) = (Place::File, &layout.items[..]);
    loop {
        out.place = place;
        let Some(piece) = pieces.iter().find(|p| p.start <= at && at <= end(p, &layout, at)) else {
            out.statement = None;
            break;
        };
        if place == Place::File {
            out.item = Some((piece.start, piece.end));
        }
        let head = word(&layout, layout.tokens[piece.tokens.start]);
        out.statement = Some((piece.start, head.to_string()));
        let Some(block) = piece.blocks.iter().find(|b| b.open < at && at <= b.close) else { break };
        place = place.inside(head).unwrap_or(place);
        pieces = &block.statements;
    }
    out.at_head = out.statement.as_ref().is_none_or(|(start, head)| at <= start + head.len());
    out.call = call(&layout, out.statement.as_ref().map_or(at, |s| s.0), at);
    out
}

/// Where a statement ends for somebody who is writing at its end: white space on its line belongs to it.
fn end(piece: &Piece, layout: &Layout, at: usize) -> usize {
    let after = layout.masked.get(piece.end..at).unwrap_or("\n");
    if after.bytes().all(|b| b == b' ' || b == b'\t') { at.max(piece.end) } else { piece.end }
}

fn word(layout: &Layout, token: Token) -> &str {
    &layout.masked[token.start..token.end]
}

fn in_text(layout: &Layout, at: usize) -> bool {
    let comment = layout.comments.iter().any(|c| (c.span.start as usize) < at && at <= c.span.end as usize);
    comment || layout.tokens.iter().any(|t| t.kind == TokenKind::Text && t.start < at && at < t.end)
}

/// The innermost call that is open at `at`, in the statement that begins at `start`.
fn call(layout: &Layout, start: usize, at: usize) -> Option<Call> {
    let mut open: Vec<(Option<Token>, usize)> = Vec::new();
    let mut before: Option<Token> = None;
    for token in layout.tokens.iter().filter(|t| t.start >= start && t.end <= at) {
        match token.kind {
            TokenKind::Open => {
                let callee = before.filter(|b| b.kind == TokenKind::Name && word(layout, *token) == "(");
                open.push((callee, 0));
            }
            TokenKind::Close => drop(open.pop()),
            TokenKind::Operator if word(layout, *token) == "," => {
                if let Some(last) = open.last_mut() {
                    last.1 += 1;
                }
            }
            _ => {}
        }
        before = Some(*token);
    }
    let (callee, argument) = open.into_iter().rev().find_map(|(callee, n)| Some((callee?, n)))?;
    Some(Call { name: word(layout, callee).to_string(), at: callee.start, argument })
}

/// The name, with its place, that the byte `at` is in or directly after.
pub fn name_at(text: &str, at: usize) -> Option<(usize, usize)> {
    let lexed = super::lex(FileId(0), text);
    let token = lexed.tokens.iter().find(|t| t.kind == TokenKind::Name && t.start <= at && at <= t.end)?;
    Some((token.start, token.end))
}

/// Where the statement that a place is in begins, and whether it begins its line.
pub fn statement_at(text: &str, at: usize) -> (usize, bool) {
    let start = context(text, at).statement.map_or(at, |s| s.0);
    let line = text[..start].rfind('\n').map_or(0, |i| i + 1);
    (start, text[line..start].trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The context of the place that `|` marks.
    fn marked(text: &str) -> Context {
        let at = text.find('|').expect("a mark");
        context(&text.replacen('|', "", 1), at)
    }

    #[test]
    fn places_in_programs() {
        let table = [
            ("mod|", Place::File, true),
            ("model m() {\n  st|\n}", Place::Model, true),
            ("model m() {\n  |\n}", Place::Model, true),
            ("model m() {\n  state x = |\n}", Place::Model, false),
            ("run r {\n  solver = eu|\n}", Place::Run, false),
            ("solver s() on ito(a, b) {\n step {\n  |\n }\n}", Place::Block, true),
            ("target t on x: real { pot| }", Place::Target, true),
            ("run r {\n  model = m()\n  rep|", Place::Run, true),
        ];
        for (text, place, at_head) in table {
            let found = marked(text);
            assert_eq!((found.place, found.at_head), (place, at_head), "{text}");
        }
    }

    #[test]
    fn calls_and_texts() {
        let call = |text: &str| marked(text).call.map(|c| (c.name, c.argument));
        assert_eq!(call("const a = f(1, g(2), |)"), Some(("f".into(), 2)));
        assert_eq!(call("const a = f(1, g(2, [3, |]))"), Some(("g".into(), 1)));
        assert_eq!(call("const a = f(1)|"), None);
        assert_eq!(call("const a = f(1, |\nconst b = 2"), Some(("f".into(), 1)));
        assert!(marked("const a = 1 # c|").in_text && marked("use \"a|b\"").in_text);
        assert!(!marked("const a = 1| # c").in_text);
    }
}
