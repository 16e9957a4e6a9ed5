//! Colours of what is typed: by the tokens of the language and the tables of its names.

use crate::output::style::Style;
use crate::repl::complete::Names;
use crate::source::FileId;
use crate::syntax::{TokenKind, lex};

/// A text with its words, names, numbers, strings and comments marked.
pub fn highlight(text: &str, names: &Names, style: Style) -> String {
    if let Some(rest) = text.strip_prefix(':') {
        let end = rest.find(char::is_whitespace).map_or(text.len(), |at| at + 1);
        return style.keyword(&text[..end]) + &tokens(&text[end..], names, style);
    }
    tokens(text, names, style)
}

fn tokens(text: &str, names: &Names, style: Style) -> String {
    let lexed = lex(FileId(0), text);
    let comments = lexed.comments.iter().map(|c| (c.span.start as usize, c.span.end as usize, None));
    let marks = lexed.tokens.iter().map(|t| (t.start, t.end, Some(t.kind)));
    let mut marks: Vec<(usize, usize, Option<TokenKind>)> = comments.chain(marks).collect();
    marks.sort_by_key(|m| m.0);
    let (mut out, mut at) = (String::new(), 0);
    for (start, end, kind) in marks {
        let (Some(between), Some(own)) = (text.get(at..start), text.get(start..end)) else { continue };
        out += between;
        out += &match kind {
            None => style.faint(own),
            Some(TokenKind::Number) => style.number(own),
            Some(TokenKind::Text) => style.text(own),
            Some(TokenKind::Name) => match names.kind(own) {
                Some("word") => style.keyword(own),
                Some(_) => style.known(own),
                None => own.to_string(),
            },
            Some(_) => own.to_string(),
        };
        at = end;
    }
    out + text.get(at..).unwrap_or_default()
}
