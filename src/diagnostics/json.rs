//! A diagnostic as JSON, for `--message-format json`: one object each.

use super::{Diagnostic, Severity};
use crate::source::{SourceMap, Span};
use serde_json::{Value, json};

/// `{"code", "severity", "message", "file", "line", "column", "labels": [{"file", "line", "column", "end_line",
/// "end_column", "text"}], "notes", "help"}`. Lines and columns count from one, columns in characters; an end is the
/// place after the last character. The place of the whole is that of its first label.
pub fn to_json(d: &Diagnostic, sources: &SourceMap) -> Value {
    let labels: Vec<Value> = d.labels.iter().map(|label| place(label.span, &label.text, sources)).collect();
    let first = labels.first().cloned().unwrap_or(Value::Null);
    json!({
        "code": d.code.to_string(),
        "severity": severity(d.severity),
        "message": d.message,
        "file": first["file"],
        "line": first["line"],
        "column": first["column"],
        "labels": labels,
        "notes": d.notes,
        "help": d.help,
    })
}

fn place(span: Span, text: &str, sources: &SourceMap) -> Value {
    let (line, column) = sources.line_column(span);
    let end = Span { start: span.end.max(span.start), ..span };
    let (end_line, end_column) = sources.line_column(end);
    json!({
        "file": sources.get(span.file).name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "text": text,
    })
}

pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::codes;
    use crate::source::SourceFile;

    #[test]
    fn places_are_lines_and_columns_in_characters() {
        let mut sources = SourceMap::default();
        let text = "let σ = 1\nlet y = σσ z";
        let file = sources.add(SourceFile { name: "a.sde".into(), text: text.into(), path: None, library: false });
        let at = text.find("σσ").unwrap();
        let d = Diagnostic::error(codes::UNKNOWN_NAME, "no `σσ`", Span::new(file, at, at + 4), "here").help("σ");
        let value = to_json(&d, &sources);
        assert_eq!(value["code"], "E0201");
        assert_eq!(value["severity"], "error");
        assert_eq!((&value["file"], &value["line"], &value["column"]), (&json!("a.sde"), &json!(2), &json!(9)));
        assert_eq!(value["labels"][0]["end_column"], 11);
        assert_eq!(value["labels"][0]["text"], "here");
        assert_eq!(value["notes"], json!([]));
        assert_eq!(value["help"], "σ");
    }
}
