//! Offsets in a text and positions of the protocol: lines, and units of UTF-8 or UTF-16 in them.

use lsp_types::{Position, PositionEncodingKind, Range};

use crate::source::Span;

/// In what units a client counts inside a line.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Units {
    Utf8,
    #[default]
    Utf16,
}

impl Units {
    /// UTF-8 where the client knows it.
    pub fn of(offered: Option<&[PositionEncodingKind]>) -> Units {
        let utf8 = offered.is_some_and(|kinds| kinds.contains(&PositionEncodingKind::UTF8));
        if utf8 { Units::Utf8 } else { Units::Utf16 }
    }

    pub fn kind(self) -> PositionEncodingKind {
        match self {
            Units::Utf8 => PositionEncodingKind::UTF8,
            Units::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    fn width(self, c: char) -> usize {
        match self {
            Units::Utf8 => c.len_utf8(),
            Units::Utf16 => c.len_utf16(),
        }
    }

    /// The position of a byte; of one inside a character, that of the character.
    pub fn position(self, text: &str, at: usize) -> Position {
        let mut at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &text[..at];
        let line = before.bytes().filter(|b| *b == b'\n').count();
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        let character: usize = before[start..].chars().map(|c| self.width(c)).sum();
        Position::new(line as u32, character as u32)
    }

    /// The byte at a position; of one behind the end of a line, the end.
    pub fn offset(self, text: &str, position: Position) -> usize {
        let line = position.line as usize;
        let starts = text.match_indices('\n').map(|(i, _)| i + 1);
        let Some(start) = std::iter::once(0).chain(starts).nth(line) else { return text.len() };
        let mut units = 0;
        for (i, c) in text[start..].char_indices() {
            if c == '\n' || units >= position.character as usize {
                return start + i;
            }
            units += self.width(c);
        }
        text.len()
    }

    pub fn range(self, text: &str, span: Span) -> Range {
        Range::new(self.position(text, span.start as usize), self.position(text, span.end as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let text = "let σ = 𝛼\nlet y\r\n\nend";
        for units in [Units::Utf8, Units::Utf16] {
            for (at, _) in text.char_indices().chain([(text.len(), ' ')]) {
                assert_eq!(units.offset(text, units.position(text, at)), at, "{units:?} {at}");
            }
            assert_eq!(units.offset(text, Position::new(1, 99)), text.find("\r\n").unwrap() + 1);
            assert_eq!(units.offset(text, Position::new(99, 0)), text.len());
        }
        let after = text.find("\nlet y").unwrap();
        assert_eq!(Units::Utf16.position(text, after).character, 10);
        assert_eq!(Units::Utf8.position(text, after).character, 13);
    }
}
