//! Bounds on nesting, found from the tokens before anything recursive looks at the text.

use super::lex::TokenKind;

/// How deep brackets and braces may nest. Bounds the recursion of the parser.
pub const MAX_NESTING: usize = 200;

/// How many operators, calls and brackets may stand on top of each other in one expression. Bounds the depth of the
/// tree, and so the recursion of everything that walks it.
pub const MAX_DEPTH: usize = 500;

/// What stands between two brackets, or in the whole statement.
#[derive(Default)]
struct Frame {
    /// Operators since the last comma: each may add a level to the tree.
    operators: usize,
    /// The deepest bracket since the last comma.
    deepest: usize,
    /// The deepest of the parts before the last comma.
    before: usize,
}

impl Frame {
    fn depth(&self) -> usize {
        self.before.max(self.operators + self.deepest)
    }

    fn comma(&mut self) {
        *self = Frame { before: self.depth(), ..Frame::default() };
    }
}

/// An upper bound on the depth of the tree of a statement, token by token.
pub struct Depth {
    frames: Vec<Frame>,
    outside: usize,
}

impl Depth {
    /// For a statement inside of `outside` braces.
    pub fn new(outside: usize) -> Depth {
        Depth { frames: vec![Frame::default()], outside }
    }

    /// Takes the next token; an error says what is nested too deeply there.
    pub fn token(&mut self, kind: TokenKind, text: &str) -> Result<(), &'static str> {
        let nested = self.frames.len() > 1;
        let top = self.frames.last_mut().expect("the outermost frame stays");
        match (kind, text) {
            (_, "{" | "}") => {}
            (TokenKind::Open, _) => {
                top.operators += 1;
                self.frames.push(Frame::default());
            }
            (TokenKind::Close, _) if nested => {
                let inner = self.frames.pop().map_or(0, |f| f.depth());
                if let Some(top) = self.frames.last_mut() {
                    top.deepest = top.deepest.max(inner);
                }
            }
            (TokenKind::Operator, ",") => top.comma(),
            (TokenKind::Operator, "=" | ":" | "~" | "") => {}
            (TokenKind::Operator, _) | (TokenKind::Name, "if" | "and" | "or" | "not") => top.operators += 1,
            _ => {}
        }
        if self.frames.len() + self.outside > MAX_NESTING {
            return Err("brackets are nested too deeply");
        }
        match self.frames.last() {
            Some(top) if top.depth() > MAX_DEPTH => Err("an expression has too many operators on top of each other"),
            _ => Ok(()),
        }
    }
}
