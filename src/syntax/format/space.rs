//! Spaces between two words of a line.

use super::super::explain::RESERVED;
use super::super::grammar::keywords;
use super::super::lex::TokenKind;
use super::lines::Word;

/// The columns between two words.
pub fn gap(a: &Word<'_>, b: &Word<'_>) -> usize {
    let least = usize::from(spaced(a, b));
    // Numbers in the rows of a list may stand in columns.
    let kept = b.in_list && matches!(a.text, "," | "[") && b.kind != TokenKind::Close;
    if kept { least.max(b.room) } else { least }
}

fn spaced(a: &Word<'_>, b: &Word<'_>) -> bool {
    if a.sign {
        return b.sign;
    }
    // `1.x` would read as a number.
    if b.text == "." {
        return a.kind == TokenKind::Number;
    }
    match (a.text, b.text) {
        (".", _) | (_, "," | "'" | ")" | "]") | ("(" | "[", _) => false,
        ("{", _) | (_, "{" | "}") | (",", _) => true,
        (_, ":") => false,
        (":", _) => true,
        ("*" | "/" | "^", _) | (_, "*" | "/" | "^") => false,
        ("..", _) => a.wide,
        (_, "..") => b.wide,
        (_, "(" | "[") => opens(a, b),
        _ => true,
    }
}

/// Whether a bracket stands apart from the word before it: not the arguments of a function. A word that may be a
/// keyword or a name has it as the author wrote it.
fn opens(a: &Word<'_>, b: &Word<'_>) -> bool {
    match a.kind {
        TokenKind::Name if RESERVED.contains(&a.text) => true,
        TokenKind::Name => keywords().contains(&a.text) && b.spaced,
        TokenKind::Operator => a.text != "'",
        _ => false,
    }
}
