//! Diagnostics: the one type for everything that is told to a user about a program.

pub mod codes;
pub mod json;
pub mod render;
pub mod suggest;
pub mod text;

pub use codes::Code;
pub use json::to_json;
pub use render::render;
pub use suggest::suggest;

use crate::source::Span;

#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

/// A place in the text with a remark. The first label of a diagnostic is the primary one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub span: Span,
    pub text: String,
    /// what an editor may offer to do about it
    pub fixes: Vec<Fix>,
}

/// A change of the text that may be made as it stands; `title` says what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    pub title: String,
    pub edit: Edit,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// the text of a place by another
    Replace(Span, String),
    /// a statement on a line of its own before the one that a place is in
    StatementBefore(Span, String),
    /// a statement at the begin of the block of the declaration that a place is in
    StatementInto(Span, String),
}

/// An error or a warning: what is wrong (`message`), where (`labels`), why (`notes`) and a way out (`help`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    pub message: String,
    pub labels: Vec<Label>,
    pub notes: Vec<String>,
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error with its primary label; `message` says what is wrong, `label` why this place.
    pub fn error(code: Code, message: impl Into<String>, span: Span, label: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: Severity::Error,
            message: message.into(),
            labels: vec![Label { span, text: label.into(), fixes: Vec::new() }],
            notes: Vec::new(),
            help: None,
        }
    }

    /// A warning; see [`Diagnostic::error`].
    pub fn warning(code: Code, message: impl Into<String>, span: Span, label: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, message, span, label) }
    }

    pub fn label(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, text: text.into(), fixes: Vec::new() });
        self
    }

    pub fn note(mut self, text: impl Into<String>) -> Diagnostic {
        self.notes.push(text.into());
        self
    }

    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help = Some(text.into());
        self
    }

    /// A change that an editor may offer; it goes with the primary label.
    pub fn fix(mut self, title: impl Into<String>, edit: Edit) -> Diagnostic {
        if let Some(label) = self.labels.first_mut() {
            label.fixes.push(Fix { title: title.into(), edit });
        }
        self
    }

    /// As `fix`: another text for the one at `span`, which may be empty, as may the text.
    pub fn instead(self, span: Span, text: impl Into<String>) -> Diagnostic {
        let text = text.into();
        let title = match (text.trim(), span.start == span.end) {
            ("", _) => "leave it out".to_string(),
            (new, true) => format!("add `{new}`"),
            (new, false) => format!("change to `{new}`"),
        };
        self.fix(title, Edit::Replace(span, text))
    }

    /// What an editor may offer to do.
    pub fn fixes(&self) -> &[Fix] {
        self.labels.first().map_or(&[], |label| &label.fixes)
    }

    /// Names that were meant perhaps, as help and as changes of the text at `span`.
    pub fn did_you_mean(self, near: &[&str], span: Span) -> Diagnostic {
        let Some(help) = suggest::did_you_mean(near) else { return self };
        near.iter().fold(self.help(help), |d, name| d.instead(span, *name))
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// A result whose failure has been, or will be, told to the user. Boxed: a diagnostic is large and rare.
pub type Res<T> = Result<T, Box<Diagnostic>>;
