//! Formatting files.

use std::path::Path;

use crate::diagnostics::Diagnostic;
use crate::session::load;
use crate::source::{SourceFile, SourceMap};
use crate::syntax;

/// A text before and after formatting; or what is wrong with it, and then it is left alone.
#[derive(Debug)]
pub struct Formatted {
    pub sources: SourceMap,
    pub before: String,
    pub after: Result<String, Vec<Diagnostic>>,
}

impl Formatted {
    pub fn differs(&self) -> bool {
        self.after.as_ref().is_ok_and(|after| *after != self.before)
    }

    /// Number of the first line that formatting changes.
    pub fn first_difference(&self) -> Option<usize> {
        let after = self.after.as_ref().ok()?;
        let same = self.before.lines().zip(after.lines()).take_while(|(a, b)| a == b).count();
        self.differs().then_some(same + 1)
    }
}

/// Formats a text; `name` is what its problems call it.
pub fn format_bytes(name: &str, bytes: &[u8]) -> Formatted {
    let mut sources = SourceMap::default();
    let id = crate::source::FileId(0);
    let (before, parsed) = match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_string(), None),
        Err(_) => {
            let (text, parsed) = syntax::parse_bytes(id, bytes);
            (text, Some(parsed))
        }
    };
    let after = match parsed {
        None => syntax::format::format(id, &before),
        Some(parsed) => Err(parsed.problems),
    };
    sources.add(SourceFile { name: name.into(), text: before.as_str().into(), path: None, library: false });
    Formatted { sources, before, after }
}

/// Formats a file, without writing it.
pub fn format_file(path: &Path) -> Formatted {
    let name = path.display().to_string();
    match crate::source::files::read(path) {
        Ok(bytes) => format_bytes(&name, &bytes),
        Err(e) => {
            let problem = load::unreadable_main(&name, &e);
            Formatted { sources: SourceMap::default(), before: String::new(), after: Err(vec![problem]) }
        }
    }
}
