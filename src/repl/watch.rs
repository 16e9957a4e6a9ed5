//! Files at the prompt: read once, read again, and watched.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use crate::repl::{Repl, STOP};

/// Between two looks at a file.
const LOOK: Duration = Duration::from_millis(200);

impl Repl {
    /// Reads the declarations of a file; its runs wait for `:run`.
    pub(super) fn load(&mut self, path: &Path) -> bool {
        match self.declarations.load(path) {
            Ok(added) => {
                if !self.loaded.iter().any(|p| p == path) {
                    self.loaded.push(path.to_path_buf());
                }
                let runs = if added.runs.is_empty() { "" } else { "; `:run` runs what there is to run" };
                let names = if added.names.is_empty() { "no declarations".into() } else { added.names.join(", ") };
                self.note(&format!("{}: {names}{runs}", path.display()));
                self.added(added, false);
                true
            }
            Err(problems) => {
                self.tell(&problems);
                false
            }
        }
    }

    /// Reads a file and runs its runs, and again when it or a file that it brings in has changed, until Ctrl-C.
    pub(super) fn watch(&mut self, path: &Path) {
        let mut seen = None;
        while !STOP.load(Ordering::Relaxed) {
            let now = self.changed(path);
            if seen.as_ref() != Some(&now) {
                if self.load(path) {
                    self.run_all_of(path);
                }
                // The file may bring in others, known only now.
                seen = Some(self.changed(path));
                if !STOP.load(Ordering::Relaxed) {
                    self.note(&format!("watching {}; Ctrl-C ends it", path.display()));
                }
            }
            std::thread::sleep(LOOK);
        }
        self.note("no longer watching");
    }

    fn run_all_of(&mut self, path: &Path) {
        let own = self.declarations.entries().iter().filter(|e| e.from.as_deref() == Some(path));
        let runs: Vec<String> = own
            .filter(|e| matches!(e.item.kind, crate::syntax::ast::ItemKind::Run(_)))
            .filter_map(|e| Some(e.name()?.name.clone()))
            .collect();
        for name in runs {
            if !STOP.load(Ordering::Relaxed) {
                self.run(&name);
            }
        }
    }

    /// When a file, and those that it brought in, last changed.
    fn changed(&self, path: &Path) -> Vec<Option<SystemTime>> {
        let entries = self.declarations.entries().iter().filter(|e| e.from.as_deref() == Some(path));
        let brought = entries.filter_map(|e| self.declarations.sources().get(e.file).path.clone());
        let mut all: Vec<_> = brought.chain([path.to_path_buf()]).collect();
        all.sort();
        all.dedup();
        all.iter().map(|p| std::fs::metadata(p).and_then(|m| m.modified()).ok()).collect()
    }
}
