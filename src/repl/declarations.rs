//! The declarations of a session: a program that grows, in which a declaration can be replaced.

use std::path::{Path, PathBuf};

use crate::diagnostics::Diagnostic;
use crate::model::library::item_name;
use crate::session::check_loaded;
use crate::session::load::{self, Loaded, Options, load_text};
use crate::source::{FileId, SourceFile, SourceMap, Span};
use crate::syntax::ast::{Ident, Item, ItemKind, SolverBody};

/// One declaration and where it comes from.
#[derive(Clone, Debug)]
pub struct Entry {
    pub file: FileId,
    pub item: Item,
    /// the file that `:load` read, or nothing for one from the prompt
    pub from: Option<PathBuf>,
}

impl Entry {
    pub fn name(&self) -> Option<&Ident> {
        item_name(&self.item.kind)
    }

    pub fn key(&self) -> (u16, u32) {
        (self.file.0, self.item.span.start)
    }

    fn holds(&self, span: Span) -> bool {
        span.file == self.file && self.item.span.start <= span.start && span.end <= self.item.span.end
    }
}

/// What came of new declarations.
#[derive(Debug, Default)]
pub struct Added {
    /// kinds and names, in order
    pub names: Vec<String>,
    pub runs: Vec<String>,
    /// keys of what is no longer there
    pub replaced: Vec<(u16, u32)>,
    /// warnings, and errors that others now have
    pub problems: Vec<Diagnostic>,
}

pub struct Declarations {
    /// the library, and every text that was read
    base: Loaded,
    entries: Vec<Entry>,
    /// problems that are known
    known: Vec<Diagnostic>,
}

impl Declarations {
    pub fn new(options: &Options) -> Declarations {
        let mut base = load_text("the prompt", "", options);
        base.files.clear();
        Declarations { known: base.problems.clone(), base, entries: Vec::new() }
    }

    pub fn sources(&self) -> &SourceMap {
        &self.base.sources
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// A text of its own for something that is read at the prompt.
    pub fn text(&mut self, name: String, text: &str) -> FileId {
        self.base.sources.add(SourceFile { name, text: text.into(), path: None, library: false })
    }

    /// What is wrong with a run.
    pub fn problems_of(&self, run: &str) -> Vec<Diagnostic> {
        let named = |e: &&Entry| matches!(e.item.kind, ItemKind::Run(_)) && e.name().is_some_and(|n| n.name == run);
        let Some(entry) = self.entries.iter().find(named) else { return Vec::new() };
        let own = |d: &&Diagnostic| d.is_error() && d.labels.first().is_some_and(|l| entry.holds(l.span));
        self.known.iter().filter(own).cloned().collect()
    }

    /// The names of the runs, in order.
    pub fn runs(&self) -> Vec<String> {
        let runs = self.entries.iter().filter(|e| matches!(e.item.kind, ItemKind::Run(_)));
        runs.filter_map(|e| Some(e.name()?.name.clone())).collect()
    }

    /// The session as a program. What is known to be wrong is left out of it, so that the rest can be used.
    pub fn program(&self) -> Loaded {
        let broken =
            |e: &&Entry| self.known.iter().any(|d| d.is_error() && d.labels.first().is_some_and(|l| e.holds(l.span)));
        self.program_of(self.entries.iter().filter(|e| !broken(e)))
    }

    fn program_of<'e>(&self, entries: impl Iterator<Item = &'e Entry>) -> Loaded {
        let mut loaded = Loaded {
            sources: self.base.sources.clone(),
            library: self.base.library.clone(),
            main: self.base.main,
            ..Loaded::default()
        };
        for entry in entries {
            loaded.library.add(entry.file, vec![entry.item.clone()]);
            loaded.files.push((entry.file, vec![entry.item.clone()]));
        }
        loaded
    }

    /// Takes the declarations of a text in, each in place of one that has its name; refused as a whole if one is wrong.
    pub fn add(&mut self, file: FileId, items: Vec<Item>) -> Result<Added, Vec<Diagnostic>> {
        let new = items.into_iter().map(|item| Entry { file, item, from: None }).collect();
        self.put(new, &|_| false)
    }

    /// Reads a file in, in place of what it had before.
    pub fn load(&mut self, path: &Path) -> Result<Added, Vec<Diagnostic>> {
        let (files, problems) = load::read_into(&mut self.base, path);
        if problems.iter().any(Diagnostic::is_error) {
            return Err(problems);
        }
        let mut new = Vec::new();
        for (file, items) in files {
            let own = items.into_iter().filter(|i| !matches!(i.kind, ItemKind::Use(..)));
            new.extend(own.map(|item| Entry { file, item, from: Some(path.to_path_buf()) }));
        }
        self.put(new, &|e| e.from.as_deref() == Some(path))
    }

    fn put(&mut self, new: Vec<Entry>, gone: &dyn Fn(&Entry) -> bool) -> Result<Added, Vec<Diagnostic>> {
        let replaced = |e: &Entry| gone(e) || new.iter().any(|n| same(n, e));
        let (old, kept): (Vec<Entry>, Vec<Entry>) = self.entries.iter().cloned().partition(replaced);
        // A declaration takes the place of the one that it replaces.
        let mut entries = kept;
        let place = old.first().and_then(|o| self.entries.iter().position(|e| e.key() == o.key()));
        let place = place.unwrap_or(entries.len()).min(entries.len());
        entries.splice(place..place, new.iter().cloned());
        let mut program = self.program_of(entries.iter());
        program.find_duplicates();
        let problems = check_loaded(&program);
        let own = |d: &Diagnostic| d.labels.first().is_some_and(|l| new.iter().any(|n| n.file == l.span.file));
        if problems.iter().any(|d| d.is_error() && own(d)) {
            return Err(problems.into_iter().filter(own).collect());
        }
        let fresh = problems.iter().filter(|d| !self.known.contains(d)).cloned().collect();
        let runs = new.iter().filter(|e| matches!(e.item.kind, ItemKind::Run(_)));
        let added = Added {
            names: new.iter().filter_map(words).collect(),
            runs: runs.filter_map(|e| Some(e.name()?.name.clone())).collect(),
            replaced: old.iter().map(Entry::key).collect(),
            problems: fresh,
        };
        (self.entries, self.known) = (entries, problems);
        Ok(added)
    }
}

/// Whether one declaration stands in place of another: they have one name, and are not two solvers of one name for
/// different models. Runs have names of their own.
fn same(a: &Entry, b: &Entry) -> bool {
    let (Some(x), Some(y)) = (a.name(), b.name()) else { return false };
    if x.name != y.name {
        return false;
    }
    match (&a.item.kind, &b.item.kind) {
        (ItemKind::Run(_), ItemKind::Run(_)) => true,
        (ItemKind::Run(_), _) | (_, ItemKind::Run(_)) => false,
        (ItemKind::Solver(s), ItemKind::Solver(t)) => match (&s.body, &t.body) {
            (SolverBody::Rule { form, noise, .. }, SolverBody::Rule { form: f, noise: n, .. }) => {
                let name = |i: &Option<Ident>| i.as_ref().map(|i| i.name.clone());
                form.name == f.name && name(noise) == name(n)
            }
            _ => true,
        },
        _ => true,
    }
}

/// `model ou`
fn words(entry: &Entry) -> Option<String> {
    let kind = match &entry.item.kind {
        ItemKind::Use(..) => return None,
        ItemKind::Const(_) => "const",
        ItemKind::Data(_) => "data",
        ItemKind::Fn(_) => "fn",
        ItemKind::Target(_) => "target",
        ItemKind::Model(_) => "model",
        ItemKind::Solver(_) => "solver",
        ItemKind::Run(_) => "run",
    };
    Some(format!("{kind} {}", entry.name()?.name))
}
