//! Where a place of a text is, as far as tokens tell: for editors, whose texts are mostly unfinished.

use super::grammar::Place;
use super::layout::{Layout, Piece, layout};
use super::lex::{Token, TokenKind};
use crate::source::FileId;

/// What surrounds a place of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// what the block around it holds
    pub place: Place,
    /// where the statement around it begins, and its first word; none between statements
    pub statement: Option<(usize, String)>,
    /// the word that is being written begins the statement
    pub at_head: bool,
    /// the words and marks of the statement before the word that is being written
    pub before: Vec<String>,
    /// the brackets of the statement that are open there
    pub depth: usize,
    /// the first words of the other statements in the block
    pub others: Vec<String>,
    /// the calls whose arguments it is among, the innermost last
    pub calls: Vec<Call>,
    /// where the top-level declaration around it stands
    pub item: Option<(usize, usize)>,
    /// inside a comment or a string
    pub in_text: bool,
}

/// `name(a, b = c` up to a place: the name, where it stands, the number of the argument, from zero, and its name, if it has
/// one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub name: String,
    pub at: usize,
    pub argument: usize,
    pub named: Option<String>,
}

impl Context {
    /// The innermost call around.
    pub fn call(&self) -> Option<&Call> {
        self.calls.last()
    }

    /// The last word or mark before the word that is being written.
    pub fn last(&self) -> &str {
        self.before.last().map_or("", String::as_str)
    }

    /// The word that begins the statement.
    pub fn head(&self) -> &str {
        self.statement.as_ref().map_or("", |s| &s.1)
    }
}

/// The context of byte `at` of a text.
pub fn context(text: &str, at: usize) -> Context {
    let layout = layout(FileId(0), text);
    let mut out = Context { in_text: in_text(&layout, at), ..Context::default() };
    let (mut place, mut pieces) = (Place::File, &layout.items[..]);
    loop {
        out.place = place;
        let here = pieces.iter().position(|p| p.start <= at && at <= end(p, &layout, at));
        let others = pieces.iter().enumerate().filter(|(k, _)| Some(*k) != here);
        out.others = others.map(|(_, p)| head(&layout, p).to_string()).collect();
        let Some(piece) = here.map(|k| &pieces[k]) else {
            out.statement = None;
            break;
        };
        if place == Place::File {
            out.item = Some((piece.start, piece.end));
        }
        let head = head(&layout, piece);
        out.statement = Some((piece.start, head.to_string()));
        let Some(block) = piece.blocks.iter().find(|b| b.open < at && at <= b.close) else { break };
        place = place.inside(head).unwrap_or(place);
        pieces = &block.statements;
    }
    let start = out.statement.as_ref().map_or(at, |s| s.0);
    out.at_head = out.statement.as_ref().is_none_or(|(start, head)| at <= start + head.len());
    (out.calls, out.depth) = calls(&layout, start, at);
    // What ends here may go on.
    let whole = |t: &&Token| t.end < at || t.end == at && !matches!(t.kind, TokenKind::Name | TokenKind::Number);
    let written = layout.tokens.iter().filter(|t| t.start >= start && t.kind != TokenKind::Newline).filter(whole);
    out.before = written.map(|t| word(&layout, *t).to_string()).collect();
    out
}

fn head<'l>(layout: &'l Layout, piece: &Piece) -> &'l str {
    word(layout, layout.tokens[piece.tokens.start])
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

/// The calls that are open at `at`, in the statement that begins at `start`, and how many brackets are open.
fn calls(layout: &Layout, start: usize, at: usize) -> (Vec<Call>, usize) {
    let mut open: Vec<Open> = Vec::new();
    let mut before: Option<Token> = None;
    for token in layout.tokens.iter().filter(|t| t.start >= start && t.end <= at) {
        match (token.kind, word(layout, *token)) {
            (TokenKind::Open, bracket) => {
                let callee = before.filter(|b| b.kind == TokenKind::Name && bracket == "(");
                open.push(Open { callee, argument: 0, named: None });
            }
            (TokenKind::Close, _) => drop(open.pop()),
            (TokenKind::Operator, mark @ ("," | "=")) => {
                if let Some(last) = open.last_mut() {
                    last.argument += usize::from(mark == ",");
                    last.named = before.filter(|b| b.kind == TokenKind::Name && mark == "=");
                }
            }
            _ => {}
        }
        before = Some(*token);
    }
    let depth = open.len();
    let called = open.into_iter().filter_map(|o| {
        let callee = o.callee?;
        let named = o.named.map(|t| word(layout, t).to_string());
        Some(Call { name: word(layout, callee).to_string(), at: callee.start, argument: o.argument, named })
    });
    (called.collect(), depth)
}

/// A bracket that is open: the name before it, and what was written in it so far.
struct Open {
    callee: Option<Token>,
    argument: usize,
    named: Option<Token>,
}

/// The name, with its place, that the byte `at` is in or directly after.
pub fn name_at(text: &str, at: usize) -> Option<(usize, usize)> {
    let lexed = super::lex(FileId(0), text);
    let token = lexed.tokens.iter().find(|t| t.kind == TokenKind::Name && t.start <= at && at <= t.end)?;
    Some((token.start, token.end))
}

/// Where the statement that a place is in begins, and whether it begins its line: the innermost one beside which a statement
/// that begins with `head` can stand.
pub fn statement_at(text: &str, at: usize, head: &str) -> (usize, bool) {
    let layout = layout(FileId(0), text);
    let (mut place, mut pieces, mut start) = (Place::File, &layout.items[..], at);
    let is_word = Place::ALL.iter().any(|p| p.heads().contains(&head));
    while let Some(piece) = pieces.iter().find(|p| p.start <= at && at <= p.end) {
        if !is_word || place.heads().contains(&head) {
            start = piece.start;
        }
        let Some(block) = piece.blocks.iter().find(|b| b.open < at && at <= b.close) else { break };
        place = place.inside(self::head(&layout, piece)).unwrap_or(place);
        pieces = &block.statements;
    }
    let line = text[..start].rfind('\n').map_or(0, |i| i + 1);
    (start, text[line..start].trim().is_empty())
}

/// The block of the top-level declaration that a place is in: where its inside begins, and its first statement.
pub fn block_at(text: &str, at: usize) -> Option<(usize, usize)> {
    let layout = layout(FileId(0), text);
    let block = layout.items.iter().find(|p| p.start <= at && at <= p.end)?.blocks.first()?;
    Some((block.open + 1, block.statements.first().map_or(block.close, |s| s.start)))
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
    fn what_stands_before() {
        let found = marked("run r {\n  model = m()\n  plot fan(x), hi|\n  seed = 1\n}");
        assert_eq!(found.before, ["plot", "fan", "(", "x", ")", ","]);
        assert_eq!((found.depth, found.last(), found.head()), (0, ",", "plot"));
        assert_eq!(found.others, ["model", "seed"]);
        let found = marked("run r {\n  solver = [heun, |\n}");
        assert_eq!((found.depth, found.last(), found.call()), (1, ",", None));
    }

    #[test]
    fn calls_and_texts() {
        let call = |text: &str| marked(text).call().map(|c| (c.name.clone(), c.argument));
        let named = |text: &str| marked(text).call().and_then(|c| c.named.clone());
        assert_eq!(named("const a = f(1, b = |)"), Some("b".into()));
        assert_eq!(named("const a = f(b = 1, |)"), None);
        assert_eq!(call("const a = f(1, g(2), |)"), Some(("f".into(), 2)));
        assert_eq!(call("const a = f(1, g(2, [3, |]))"), Some(("g".into(), 1)));
        assert_eq!(call("const a = f(1)|"), None);
        assert_eq!(call("const a = f(1, |\nconst b = 2"), Some(("f".into(), 1)));
        assert!(marked("const a = 1 # c|").in_text && marked("use \"a|b\"").in_text);
        assert!(!marked("const a = 1| # c").in_text);
    }
}
