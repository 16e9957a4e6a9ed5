//! Diagnostics for people, drawn by ariadne. The only file that knows colours.

use super::json::severity;
use super::text::filled;
use super::{Diagnostic, Label, Severity};
use crate::source::{FileId, SourceMap, Span};
use ariadne::{Cache, Color, Config, IndexType, LabelAttach, Report, ReportKind, Source};
use std::collections::HashMap;
use std::fmt::Write;
use std::ops::Range;

/// A diagnostic as text. Its first line is `file:line:column: error[code]: message`; then the labelled lines of the
/// text, why, and a way out. `color` is for terminals.
pub fn render(d: &Diagnostic, sources: &SourceMap, color: bool) -> String {
    let mut out = String::new();
    if let Some(label) = d.labels.first() {
        let (line, column) = sources.line_column(label.span);
        let _ = write!(out, "{}:{line}:{column}: ", sources.get(label.span.file).name);
    }
    let kind = format!("{}[{}]", severity(d.severity), d.code);
    let _ = writeln!(out, "{}: {}", paint(&kind, d.severity, color), d.message);
    if d.labels.is_empty() {
        for note in &d.notes {
            let _ = writeln!(out, "  Note: {note}");
        }
        if let Some(help) = &d.help {
            let _ = writeln!(out, "  Help: {help}");
        }
    } else {
        out.push_str(&snippet(d, sources, color));
    }
    out
}

fn paint(text: &str, severity: Severity, color: bool) -> String {
    let number = if severity == Severity::Error { 31 } else { 33 };
    if color { format!("\x1b[1;{number}m{text}\x1b[0m") } else { text.to_string() }
}

/// The lines of the text with their labels, the notes and the help.
fn snippet(d: &Diagnostic, sources: &SourceMap, color: bool) -> String {
    let mut texts = Texts::new(sources, &d.labels);
    let kind = if d.severity == Severity::Error { ReportKind::Error } else { ReportKind::Warning };
    let config = Config::default()
        .with_color(color)
        .with_index_type(IndexType::Byte)
        .with_label_attach(LabelAttach::Start)
        .with_tab_width(2);
    let primary = &d.labels[0];
    let mut report = Report::build(kind, texts.range(primary.span)).with_config(config);
    let primary_color = if d.severity == Severity::Error { Color::Red } else { Color::Yellow };
    for (i, label) in in_order(&d.labels) {
        let shade = if i == 0 { primary_color } else { Color::Blue };
        let mut drawn = ariadne::Label::new(texts.range(label.span)).with_message(&label.text);
        if color {
            drawn = drawn.with_color(shade);
        }
        report = report.with_label(drawn);
    }
    let margin = MARGIN + if d.notes.len() > 1 { 2 } else { 0 };
    report = d.notes.iter().fold(report, |report, note| report.with_note(in_lines(note, margin)));
    report = d.help.iter().fold(report, |report, help| report.with_help(in_lines(help, MARGIN)));
    let mut bytes = Vec::new();
    let drawn = report.finish().write(&mut texts, &mut bytes);
    debug_assert!(drawn.is_ok(), "writing to memory does not fail");
    let text = String::from_utf8_lossy(&bytes);
    // Ariadne's own headline is left out: ours names the place.
    text.split_once('\n').map(|(_, rest)| rest.to_string()).unwrap_or_default()
}

/// Columns before a note: the numbers of lines, and `Note: `.
const MARGIN: usize = 12;

/// A note in lines that are not too long; ariadne puts its margin before each.
fn in_lines(note: &str, margin: usize) -> String {
    let lines = note.lines().flat_map(|line| {
        let filled = filled(line, margin);
        filled.lines().map(|l| l.trim_start().to_string()).collect::<Vec<_>>()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Labels with their index: those of one file together, each file in the order of its text, the primary file first.
fn in_order(labels: &[Label]) -> Vec<(usize, &Label)> {
    let mut files: Vec<FileId> = Vec::new();
    for label in labels {
        if !files.contains(&label.span.file) {
            files.push(label.span.file);
        }
    }
    let mut ordered: Vec<(usize, &Label)> = labels.iter().enumerate().collect();
    ordered.sort_by_key(|(_, l)| (files.iter().position(|f| *f == l.span.file), l.span.start));
    ordered
}

/// The texts that a report shows, prepared for a terminal.
struct Texts<'s> {
    sources: &'s SourceMap,
    shown: HashMap<FileId, Source<String>>,
}

impl<'s> Texts<'s> {
    fn new(sources: &'s SourceMap, labels: &[Label]) -> Texts<'s> {
        let files: Vec<FileId> = labels.iter().map(|l| l.span.file).collect();
        let shown = files.into_iter().map(|f| (f, Source::from(printable(&sources.get(f).text)))).collect();
        Texts { sources, shown }
    }

    /// The bytes of a span, made to lie on whole characters of the text and to end before the end of a line.
    fn range(&self, span: Span) -> (FileId, Range<usize>) {
        let text = &*self.sources.get(span.file).text;
        let start = text.floor_char_boundary(span.start as usize);
        let end = text.ceil_char_boundary((span.end as usize).clamp(start, text.len()));
        let end = start + text[start..end].trim_end().len();
        if end > start {
            return (span.file, start..end);
        }
        let next = text[start..].chars().next().filter(|c| *c != '\n' && *c != '\r');
        (span.file, start..start + next.map_or(0, char::len_utf8))
    }
}

impl Cache<FileId> for &mut Texts<'_> {
    type Storage = String;

    fn fetch(&mut self, id: &FileId) -> Result<&Source<String>, impl std::fmt::Debug> {
        self.shown.get(id).ok_or("a file without labels")
    }

    fn display<'a>(&self, id: &'a FileId) -> Option<impl std::fmt::Display + 'a> {
        Some(self.sources.get(*id).name.clone())
    }
}

/// The text with everything that a terminal would act on replaced, byte for byte: control and invisible characters,
/// and line ends other than `\n`, which would shift the line numbers.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        out.push(match c {
            '\n' | '\t' => c,
            '\r' if characters.peek() == Some(&'\n') => c,
            '\0'..='\u{1f}' | '\u{7f}' => '?',
            '\u{80}'..='\u{9f}' => '¿',
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => '\u{fffd}',
            _ => c,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::codes;
    use crate::source::SourceFile;
    use proptest::prelude::*;

    fn sources(texts: &[(&str, &str)]) -> SourceMap {
        let mut sources = SourceMap::default();
        for (name, text) in texts {
            sources.add(SourceFile { name: (*name).into(), text: (*text).into(), path: None, library: false });
        }
        sources
    }

    #[test]
    fn the_first_line_names_place_code_and_message() {
        let sources = sources(&[("a.sde", "model m() {\n  state σ = 1\n  dσ = y dt\n}\n")]);
        let at = sources.get(FileId(0)).text.find("y dt").unwrap();
        let d = Diagnostic::error(codes::UNKNOWN_NAME, "no `y`", Span::new(FileId(0), at, at + 1), "not declared")
            .note("names are declared before use")
            .help("did you mean `σ`?");
        let text = render(&d, &sources, false);
        assert_eq!(
            text.lines().map(str::trim_end).collect::<Vec<_>>(),
            [
                "a.sde:3:8: error[E0201]: no `y`",
                "   ╭─[ a.sde:3:8 ]",
                "   │",
                " 3 │   dσ = y dt",
                "   │        ┬",
                "   │        ╰── not declared",
                "   │",
                "   │ Help: did you mean `σ`?",
                "   │",
                "   │ Note: names are declared before use",
                "───╯",
            ]
        );
    }

    #[test]
    fn labels_in_two_files() {
        let sources = sources(&[("a.sde", "one\ntwo\nthree"), ("b.sde", "four five")]);
        let d = Diagnostic::error(codes::DUPLICATE_NAME, "twice", Span::new(FileId(1), 5, 9), "again")
            .label(Span::new(FileId(0), 8, 13), "third")
            .label(Span::new(FileId(0), 0, 3), "first");
        let text = render(&d, &sources, false);
        assert!(text.starts_with("b.sde:1:6: error[E0202]: twice\n"), "{text}");
        for part in ["b.sde:1:6", "a.sde:1:1", "again", "third", "first", "four five", "three"] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert_eq!(text.matches("a.sde:").count(), 1, "one block for each file:\n{text}");
    }

    #[test]
    fn colour_only_when_asked() {
        let sources = sources(&[("a.sde", "x")]);
        let d = Diagnostic::warning(codes::UNUSED_STATE, "unused", Span::new(FileId(0), 0, 1), "here");
        assert!(!render(&d, &sources, false).contains('\x1b'));
        assert!(render(&d, &sources, true).contains('\x1b'));
        assert!(render(&d, &sources, false).starts_with("a.sde:1:1: warning[W0212]: unused"));
    }

    #[test]
    fn without_labels_notes_and_help_are_kept() {
        let mut d = Diagnostic::error(codes::FILE_NOT_FOUND, "gone", Span::default(), "").note("why").help("how");
        d.labels.clear();
        let text = render(&d, &SourceMap::default(), false);
        assert_eq!(text, "error[E0601]: gone\n  Note: why\n  Help: how\n");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let sources = sources(&[("a.sde", "a\x1b[31m\u{202e}\u{85}\u{2028}b\rc\r\nd")]);
        let text =
            render(&Diagnostic::error(codes::BAD_TOKEN, "bad", Span::new(FileId(0), 1, 2), "x"), &sources, false);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        assert!(!text.contains('\u{202e}'));
    }

    proptest! {
        #[test]
        fn any_span_of_any_text_renders(text in "\\PC{0,40}|[a-z \n\r\tσ∘\u{2028}\u{85}]{0,40}", a in 0u32..60, b in 0u32..60, c in 0u32..60) {
            let sources = sources(&[("a.sde", &text)]);
            let span = |start, end| Span { file: FileId(0), start, end };
            let d = Diagnostic::error(codes::SYNTAX, "m", span(a, b), "one").label(span(b, c), "two").help("h\nmore");
            for color in [false, true] {
                let out = render(&d, &sources, color);
                prop_assert!(out.starts_with("a.sde:"));
                prop_assert!(out.contains("one") && out.contains("two"));
            }
        }
    }
}
