//! The session as a file that runs.

use std::path::Path;

use crate::repl::Repl;
use crate::repl::declarations::Entry;
use crate::session::files;

/// The first line of a saved session: such a file may be written over.
const HEAD: &str = "# A session of fokker.";

impl Repl {
    /// Writes the declarations, in the order in which they came. Errors: what is wrong, and a way out.
    pub(super) fn save(&self, path: &Path) -> Result<(), (String, String)> {
        if let Ok(old) = std::fs::read_to_string(path)
            && !old.starts_with(HEAD)
        {
            let message = format!("`{}` is there, and is no saved session", path.display());
            return Err((message, "choose another name".into()));
        }
        files::write_text(path, &self.session_text())
            .map_err(|e| (format!("cannot write `{}`: {e}", path.display()), "choose another folder".into()))
    }

    pub(super) fn session_text(&self) -> String {
        let mut text = format!("{HEAD}\n");
        for setting in self.settings.words() {
            text += &format!("# with {setting}\n");
        }
        for entry in self.declarations.entries() {
            text += &format!("\n{}\n", self.entry_text(entry));
        }
        text
    }

    fn entry_text(&self, entry: &Entry) -> String {
        let doc =
            entry.item.doc.iter().flat_map(|d| d.lines()).map(|l| format!("## {l}").trim_end().to_string() + "\n");
        doc.collect::<String>() + self.declarations.sources().text(entry.item.span)
    }
}
