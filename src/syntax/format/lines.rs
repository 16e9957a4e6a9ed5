//! A text as lines of words and comments: which words stand on one line, and what each line is.

use super::super::explain::RESERVED;
use super::super::grammar::{Place, keywords};
use super::super::layout::{Layout, Piece, joins_next, joins_previous};
use super::super::lex::{Token, TokenKind};
use std::collections::HashMap;

/// A token that is written.
pub struct Word<'t> {
    pub text: &'t str,
    pub kind: TokenKind,
    /// column in the author's text
    pub old: usize,
    /// white space before it in the author's text; `room` is how much of it on the same line
    pub spaced: bool,
    pub room: usize,
    /// the braces around it
    pub depth: usize,
    /// what it begins, if it begins a statement
    pub begins: Option<Begins>,
    /// `-` or `+` before an operand
    pub sign: bool,
    /// `..` with spaces around it
    pub wide: bool,
    /// in a list that is broken over lines, or in a row of one, where the author may have made columns
    pub in_list: bool,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Begins {
    Statement,
    /// a statement of a run whose first word stands in a column
    Setting,
}

/// What decides the indentation of a line.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// a statement, or a comment between statements, inside so many braces
    Level(usize),
    /// goes on with the statement inside so many braces
    Continuation(usize),
}

/// A line to be written.
pub struct Line<'t> {
    pub words: Vec<Word<'t>>,
    pub comment: Option<&'t str>,
    /// column of the first word, or of the comment, in the author's text
    pub old: usize,
    pub blank_before: bool,
    pub role: Role,
    /// a `;` must end it
    pub semicolon: bool,
}

/// The columns that a text takes; a tab counts as four.
pub fn width(text: &str) -> usize {
    text.chars().map(|c| if c == '\t' { 4 } else { 1 }).sum()
}

pub fn lines<'t>(layout: &Layout, text: &'t str) -> Vec<Line<'t>> {
    let mut begins = HashMap::new();
    statements(layout, &layout.items, Place::File, &mut begins);
    let rows: Vec<usize> = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1).collect();
    let mut walk = Walk {
        text,
        tokens: &layout.tokens,
        begins,
        broken: Vec::new(),
        rows,
        out: Vec::new(),
        row: 0,
        depth: 0,
        lists: Vec::new(),
    };
    walk.broken = walk.broken();
    let mut comments = layout.comments.iter().peekable();
    for (i, token) in layout.tokens.iter().enumerate() {
        while let Some(c) = comments.next_if(|c| (c.span.start as usize) < token.start) {
            walk.comment(c.span.start as usize, c.span.end as usize);
        }
        let last_of_row =
            comments.peek().is_some_and(|c| walk.row_of(c.span.start as usize) == walk.row_of(token.start));
        match token.kind {
            TokenKind::Newline => {}
            TokenKind::Semicolon => walk.semicolon(i, last_of_row),
            _ => walk.word(i),
        }
    }
    for c in comments {
        walk.comment(c.span.start as usize, c.span.end as usize);
    }
    let mut out = walk.out;
    levels_of_comments(&mut out);
    needed_semicolons(&mut out);
    out
}

/// Where statements begin, by offset.
fn statements(layout: &Layout, pieces: &[Piece], place: Place, begins: &mut HashMap<usize, Begins>) {
    for piece in pieces {
        let first = layout.tokens[piece.tokens.start];
        let head = &layout.masked[first.start..first.end];
        let column = place == Place::Run && first.kind == TokenKind::Name && !matches!(head, "let" | "for" | "phase");
        begins.insert(piece.start, if column { Begins::Setting } else { Begins::Statement });
        for block in &piece.blocks {
            let inside = place.inside(head).unwrap_or(place);
            statements(layout, &block.statements, inside, begins);
        }
    }
}

struct Walk<'l, 't> {
    text: &'t str,
    tokens: &'l [Token],
    begins: HashMap<usize, Begins>,
    /// for each token: a bracket whose partner stands on another line
    broken: Vec<bool>,
    /// starts of the lines of the author after the first
    rows: Vec<usize>,
    out: Vec<Line<'t>>,
    /// line of the author of what was written last
    row: usize,
    depth: usize,
    /// the open brackets: whether each is a list over several lines, or a row of one
    lists: Vec<bool>,
}

impl<'t> Walk<'_, 't> {
    fn row_of(&self, at: usize) -> usize {
        self.rows.partition_point(|&start| start <= at)
    }

    fn column(&self, at: usize) -> usize {
        let start = self.row_of(at).checked_sub(1).map_or(0, |row| self.rows[row]);
        width(self.text[start..at].trim_start_matches('\u{feff}'))
    }

    fn broken(&self) -> Vec<bool> {
        let mut broken = vec![false; self.tokens.len()];
        let mut open = Vec::new();
        for (i, token) in self.tokens.iter().enumerate() {
            match token.kind {
                TokenKind::Open => open.push(i),
                TokenKind::Close => {
                    let Some(partner) = open.pop() else { continue };
                    let inside = &self.text[self.tokens[partner].end..token.start];
                    let over = inside.contains('\n') && inside.contains(|c: char| !c.is_whitespace() && c != ';');
                    (broken[partner], broken[i]) = (over, over);
                }
                _ => {}
            }
        }
        broken
    }

    fn line(&mut self, at: usize, role: Role) {
        let row = self.row_of(at);
        let opens = self.out.last().is_some_and(Line::opens);
        let blank_before = !self.out.is_empty() && row > self.row + 1 && !opens && !self.text[at..].starts_with('}');
        let old = self.column(at);
        self.out.push(Line { words: Vec::new(), comment: None, old, blank_before, role, semicolon: false });
        self.row = row;
    }

    fn comment(&mut self, start: usize, end: usize) {
        let row = self.row_of(start);
        let beside = self.out.last().is_some_and(|l| l.comment.is_none()) && row == self.row;
        if !beside {
            self.line(start, Role::Level(self.depth));
        }
        if let Some(line) = self.out.last_mut() {
            line.comment = Some(&self.text[start..end]);
        }
    }

    /// Semicolons are written where they are needed, whatever the author wrote. But one that a comment follows keeps
    /// it from being a comment of its own line, which may be documentation.
    fn semicolon(&mut self, i: usize, comment_follows: bool) {
        let alone = self.out.is_empty() || self.row_of(self.tokens[i].start) > self.row;
        let last = self.tokens.get(i + 1).is_none_or(|t| t.kind == TokenKind::Newline);
        if alone && last && comment_follows {
            self.line(self.tokens[i].start, Role::Level(self.depth));
            let word = self.read(i);
            self.push(word);
        }
    }

    fn word(&mut self, i: usize) {
        let token = self.tokens[i];
        let word = self.read(i);
        let closes = word.text == "}";
        let inner = self.depth - usize::from(closes);
        if self.breaks(i, word.text) {
            let same_level = word.begins.is_some() || closes || word.text == "else" && self.last("}");
            let role = if same_level { Role::Level(inner) } else { Role::Continuation(inner) };
            self.line(token.start, role);
        }
        self.depth = if word.text == "{" { self.depth + 1 } else { inner };
        match token.kind {
            TokenKind::Open => self.lists.push(word.text == "[" && (self.broken[i] || word.in_list)),
            TokenKind::Close => drop(self.lists.pop()),
            _ => {}
        }
        self.push(word);
        self.row = self.row_of(token.start);
    }

    fn push(&mut self, word: Word<'t>) {
        if let Some(line) = self.out.last_mut() {
            line.words.push(word);
        }
    }

    fn last(&self, text: &str) -> bool {
        self.out.last().is_some_and(|l| l.comment.is_none() && l.words.last().is_some_and(|w| w.text == text))
    }

    /// Whether a word begins a line: where the author began one, and at the braces of a block that is broken.
    fn breaks(&self, i: usize, text: &str) -> bool {
        let Some(line) = self.out.last() else { return true };
        if line.comment.is_some() {
            return true;
        }
        let natural = self.row_of(self.tokens[i].start) > self.row;
        if self.last("{") && text == "}" || self.last("}") && text == "else" {
            return false;
        }
        let opened = self.last("{") && self.is_in_broken(i);
        natural || opened || text == "}" && self.broken[i]
    }

    /// Whether the last bracket that opens before token `i` has its partner on another line.
    fn is_in_broken(&self, i: usize) -> bool {
        let opener = (0..i).rev().find(|&k| self.tokens[k].kind == TokenKind::Open);
        opener.is_some_and(|k| self.broken[k])
    }

    fn read(&self, i: usize) -> Word<'t> {
        let token = self.tokens[i];
        let text = &self.text[token.start..token.end];
        let before = &self.text[..token.start];
        let room = before.len() - before.trim_end_matches([' ', '\t']).len();
        let after = self.text[token.end..].starts_with([' ', '\t', '\r', '\n', '#']);
        let spaced = before.ends_with([' ', '\t', '\r', '\n']);
        let begins = self.begins.get(&token.start).copied();
        let in_list = self.lists.last() == Some(&true);
        let sign = matches!(text, "-" | "+") && (begins.is_some() || self.operand_follows(spaced, after));
        let closes = self.tokens.get(i + 1).is_some_and(|t| t.kind == TokenKind::Close);
        let wide = text == ".." && (spaced || after) && !closes;
        let old = self.column(token.start);
        Word { text, kind: token.kind, old, spaced, room, depth: self.depth, begins, sign, wide, in_list }
    }

    /// Whether a `-` here has no operand before it. After a word that may be a keyword or a name, the author's spaces
    /// tell.
    fn operand_follows(&self, spaced: bool, after: bool) -> bool {
        let Some(before) = self.out.iter().rev().find_map(|l| l.words.last()) else { return true };
        match before.kind {
            TokenKind::Open => true,
            TokenKind::Operator => before.text != "'",
            TokenKind::Name if matches!(before.text, "true" | "false") => false,
            TokenKind::Name if RESERVED.contains(&before.text) => true,
            TokenKind::Name => keywords().contains(&before.text) && spaced && !after,
            _ => false,
        }
    }
}

impl Line<'_> {
    /// Whether it ends in a brace that opens (a comment may follow).
    fn opens(&self) -> bool {
        self.words.last().is_some_and(|w| w.text == "{")
    }
}

/// A comment inside a statement moves with its lines.
fn levels_of_comments(lines: &mut [Line<'_>]) {
    let mut next = None;
    for line in lines.iter_mut().rev() {
        if !line.words.is_empty() {
            next = Some(line.role);
        } else if let Some(role @ Role::Continuation(_)) = next {
            line.role = role;
        }
    }
}

/// Newlines end statements but before and after some tokens.
fn needed_semicolons(lines: &mut [Line<'_>]) {
    let mut before: Option<usize> = None;
    for k in 0..lines.len() {
        let Some(first) = lines[k].words.first() else { continue };
        if let Some(b) = before
            && first.begins.is_some()
            && let Some(last) = lines[b].words.last()
            && last.text != "{"
        {
            lines[b].semicolon = joins_previous(first.text) || joins_next(last.text);
        }
        before = Some(k);
    }
}
