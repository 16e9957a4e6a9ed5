//! Lines as text: indentation, columns of settings, columns of comments.

use super::lines::{Begins, Line, Role, Word, width};
use super::space::gap;

const INDENT: usize = 2;

/// A continuation that stands this far to the right of its statement keeps its place below a token.
const ALIGNED: usize = 4;

/// Columns before a comment at the end of a line.
const BEFORE_COMMENT: usize = 2;

/// A statement that may be continued: its column in the author's text and here, and where its words begin.
#[derive(Copy, Clone, Default)]
struct Open {
    old: usize,
    new: usize,
    words: usize,
}

#[derive(Default)]
struct Writer {
    /// columns of all words, in the author's text and here
    columns: Vec<(usize, usize)>,
    /// the statement inside so many braces
    open: Vec<Open>,
}

pub fn write(lines: &mut [Line<'_>]) -> String {
    let heads = setting_columns(lines);
    let equals = equals_columns(lines);
    let mut writer = Writer::default();
    let pads = heads.into_iter().zip(equals).map(|(head, equals)| head.or(equals));
    let texts: Vec<String> = lines.iter().zip(pads).map(|(line, pad)| writer.line(line, pad)).collect();
    let margins = comment_columns(lines, &texts);
    let mut out = String::new();
    for ((line, text), margin) in lines.iter().zip(texts).zip(margins) {
        if line.blank_before {
            out.push('\n');
        }
        out.push_str(&text);
        if let Some(comment) = line.comment {
            out.push_str(&" ".repeat(margin - width(&text)));
            out.push_str(comment.trim_end());
        }
        out.push('\n');
    }
    out
}

impl Writer {
    /// The words of a line, or the space before a comment of its own line.
    fn line(&mut self, line: &Line<'_>, pad: Option<Pad>) -> String {
        let indent = self.indent(line);
        let mut out = " ".repeat(indent);
        let mut before: Option<&Word<'_>> = None;
        for (k, word) in line.words.iter().enumerate() {
            if let Some(a) = before {
                let ends = word.begins.is_some() && a.text != "{" && a.text != ";";
                out.push_str(if ends { ";" } else { "" });
                let least = pad.filter(|p| p.word == k).map_or(0, |p| (indent + p.column).saturating_sub(width(&out)));
                out.push_str(&" ".repeat(gap(a, word).max(least)));
            }
            let column = width(&out);
            if word.begins.is_some() {
                self.begin(word, column);
            }
            self.columns.push((word.old, column));
            out.push_str(word.text);
            before = Some(word);
        }
        if line.semicolon {
            out.push(';');
        }
        out
    }

    fn begin(&mut self, word: &Word<'_>, column: usize) {
        self.open.resize(word.depth + 1, Open::default());
        self.open[word.depth] = Open { old: word.old, new: column, words: self.columns.len() };
    }

    fn indent(&self, line: &Line<'_>) -> usize {
        let depth = match line.role {
            Role::Level(depth) => return INDENT * depth,
            Role::Continuation(depth) => depth,
        };
        let open = self.open.get(depth).copied().unwrap_or_default();
        let closes = line.words.first().is_some_and(|w| matches!(w.text, ")" | "]"));
        let least = open.new + if closes { 0 } else { INDENT };
        let moved = (open.new + line.old).saturating_sub(open.old);
        let above = self.columns[open.words..].iter().rev().find(|(old, _)| *old == line.old);
        match above {
            Some((_, new)) if line.old > open.old + ALIGNED => (*new).max(least),
            _ => moved.max(least),
        }
    }
}

/// A word that stands in a column, counted from the indentation of its line.
#[derive(Copy, Clone)]
struct Pad {
    word: usize,
    column: usize,
}

/// What follows the first word of each setting of a run. A column goes to the next blank line, past statements that are
/// none of its own.
fn setting_columns(lines: &[Line<'_>]) -> Vec<Option<Pad>> {
    let mut pads = vec![None; lines.len()];
    let mut group: Vec<usize> = Vec::new();
    let mut level = Role::Level(0);
    for (k, line) in lines.iter().enumerate() {
        let leaves = line.role != level && matches!(line.role, Role::Level(_));
        if line.blank_before || leaves {
            close(lines, &mut group, &mut pads);
        }
        if matches!(line.role, Role::Level(_)) {
            level = line.role;
        }
        if line.words.first().is_some_and(|w| w.begins == Some(Begins::Setting)) {
            group.push(k);
        }
    }
    close(lines, &mut group, &mut pads);
    pads
}

fn close(lines: &[Line<'_>], group: &mut Vec<usize>, pads: &mut [Option<Pad>]) {
    let widest = group.iter().map(|&k| width(lines[k].words[0].text)).max().unwrap_or(0);
    for k in group.drain(..) {
        pads[k] = Some(Pad { word: 1, column: widest + 1 });
    }
}

/// The `=` of successive statements, where the author had put them into one column.
fn equals_columns(lines: &[Line<'_>]) -> Vec<Option<Pad>> {
    let mut pads = vec![None; lines.len()];
    let found: Vec<Option<usize>> = lines.iter().map(equals).collect();
    let column = |k: usize| found[k].map(|e| lines[k].words[e].old);
    let mut start = 0;
    while start < lines.len() {
        let same = |k: &usize| {
            column(*k).is_some()
                && column(*k) == column(start)
                && lines[*k].role == lines[start].role
                && !lines[*k].blank_before
        };
        let end = (start + 1..lines.len()).take_while(same).last().map_or(start + 1, |last| last + 1);
        let group = || (start..end).filter_map(|k| Some((k, found[k]?)));
        if end > start + 1 && group().any(|(k, e)| lines[k].words[e].room > 1) {
            let widest = group().map(|(k, e)| plain_width(&lines[k].words[..e])).max().unwrap_or(0);
            group().for_each(|(k, e)| pads[k] = Some(Pad { word: e, column: widest + 1 }));
        }
        start = end;
    }
    pads
}

/// The `=` of a statement that is no setting of a run, and has no brackets before it but those of its type.
fn equals(line: &Line<'_>) -> Option<usize> {
    line.words.first().filter(|w| w.begins == Some(Begins::Statement))?;
    let at = line.words.iter().position(|w| w.text == "=")?;
    line.words[..at].iter().all(|w| w.text != "(" && w.text != "{").then_some(at)
}

fn plain_width(words: &[Word<'_>]) -> usize {
    let gaps: usize = words.windows(2).map(|pair| gap(&pair[0], &pair[1])).sum();
    gaps + words.iter().map(|w| width(w.text)).sum::<usize>()
}

/// The column of the comment of each line. Comments at the ends of successive lines stand in one column.
fn comment_columns(lines: &[Line<'_>], texts: &[String]) -> Vec<usize> {
    let mut columns: Vec<usize> = texts.iter().map(|t| width(t)).collect();
    let trails = |k: usize| lines[k].comment.is_some() && !lines[k].words.is_empty();
    let mut start = 0;
    while start < lines.len() {
        let mut end = start;
        while end < lines.len() && trails(end) && (end == start || !lines[end].blank_before) {
            end += 1;
        }
        let widest = columns[start..end].iter().max().copied().unwrap_or(0) + BEFORE_COMMENT;
        columns[start..end].fill(widest);
        start = end.max(start + 1);
    }
    columns
}
