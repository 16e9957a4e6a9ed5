//! Where a name is used, and another name for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::rc::Rc;

use lsp_types::{Location, TextEdit, WorkspaceEdit};

use super::document::{Shared, Studied};
use super::tell::place;
use super::uri;
use crate::diagnostics::Diagnostic;
use crate::model::library::item_name;
use crate::model::resolve::{Kind, Use};
use crate::source::{FileId, Span};
use crate::syntax::ast::{ItemKind, RunStmt};
use crate::syntax::{RESERVED, name_rest, name_start};

/// Where the name at byte `at` is declared; solvers have several declarations of one name.
pub fn definitions(studied: &Studied, at: usize) -> Vec<Location> {
    let Some(found) = studied.use_at(at) else { return Vec::new() };
    let of: BTreeSet<Span> = studied.uses().filter(|u| u.at == found.at).map(|u| u.of).collect();
    of.into_iter().filter_map(|span| studied.location(span)).collect()
}

/// All places of the name at byte `at`, in its program and in others that are open.
pub fn references(studied: &Studied, others: &[Rc<Studied>], at: usize, with_declaration: bool) -> Vec<Location> {
    let Some(found) = studied.use_at(at) else { return Vec::new() };
    let declared = declarations(studied, found);
    let all = places(studied, &declared).into_iter().filter(|at| with_declaration || !declared.contains(at));
    let mut found: Vec<Location> = all.filter_map(|at| studied.location(at)).collect();
    for (other, places) in elsewhere(studied, others, &declared) {
        found.extend(places.into_iter().filter_map(|at| other.location(at)));
    }
    found
}

/// The places of names in programs that read the same files, where this program does not know of them.
fn elsewhere<'o>(
    studied: &Studied,
    others: &'o [Rc<Studied>],
    declared: &BTreeSet<Span>,
) -> Vec<(&'o Studied, BTreeSet<Span>)> {
    let own: Vec<(PathBuf, FileId)> = files(studied);
    let path = |file: FileId| own.iter().find(|f| f.1 == file).map(|f| &f.0);
    let mut found = Vec::new();
    for other in others.iter().filter(|o| o.uri != studied.uri) {
        let theirs = files(other);
        let same = |span: &Span| {
            let file = theirs.iter().find(|f| Some(&f.0) == path(span.file))?.1;
            Some(Span { file, ..*span })
        };
        let declared: BTreeSet<Span> = declared.iter().filter_map(same).collect();
        let is_new = |at: &Span| !theirs.iter().any(|f| f.1 == at.file && own.iter().any(|o| o.0 == f.0));
        found.push((&**other, places(other, &declared).into_iter().filter(is_new).collect()));
    }
    found
}

/// The files of a program that are the user's, by their canonical paths.
fn files(studied: &Studied) -> Vec<(PathBuf, FileId)> {
    let path = |file: FileId| match file == studied.loaded.main {
        true => uri::to_path(&studied.uri),
        false => studied.loaded.sources.get(file).path.clone(),
    };
    let files = studied.loaded.files.iter().map(|f| f.0);
    files.filter_map(|file| Some((path(file)?.canonicalize().ok()?, file))).collect()
}

/// The declarations of a name: one, but for solvers, of which several share a name.
fn declarations(studied: &Studied, found: Use) -> BTreeSet<Span> {
    let mut all = BTreeSet::from([found.of]);
    if let Some(ItemKind::Solver(solver)) = studied.declaration(found.of).map(|item| &item.kind) {
        let same = studied.loaded.library.lookup(&solver.name.name).into_iter();
        all.extend(same.filter_map(|d| item_name(&d.item.kind)).map(|name| name.span));
    }
    all
}

/// The places of the names that are declared there, in the order of the text.
fn places(studied: &Studied, declared: &BTreeSet<Span>) -> BTreeSet<Span> {
    studied.uses().filter(|u| declared.contains(&u.of)).map(|u| u.at).collect()
}

/// The place of the name at byte `at`, if it can be renamed; else why not.
pub fn renamable(studied: &Studied, at: usize) -> Result<Use, String> {
    let found = studied.use_at(at).ok_or("only names that a file declares can be renamed")?;
    let sources = &studied.loaded.sources;
    if sources.get(found.of.file).library {
        return Err(format!("`{}` is a name of the standard library", sources.text(found.of)));
    }
    match uncertain_sweep(studied, found) {
        Some(line) => Err(format!(
            "the `sweep` in line {line} may mean `{}`, which cannot be told before the errors of the program are mended",
            sources.text(found.of)
        )),
        None => Ok(found),
    }
}

/// The line of a sweep that names a parameter as this one is called, and of which it is not known what it means.
fn uncertain_sweep(studied: &Studied, found: Use) -> Option<usize> {
    let sources = &studied.loaded.sources;
    let name = sources.text(found.of);
    let runs = studied.loaded.library.runs().flat_map(|(_, run)| &run.statements);
    let sets = runs.filter_map(|s| match s {
        RunStmt::Sweep(sets, _) if found.kind == Kind::Parameter => Some(sets),
        _ => None,
    });
    let mut same = sets.flatten().filter_map(|(path, _)| path.parts.last()).filter(|part| part.name == name);
    let unknown = same.find(|part| !studied.uses().any(|u| u.at == part.span))?;
    Some(sources.line_column(unknown.span).0)
}

/// The changes that rename the name at byte `at`, in its program and in others that are open; or why it cannot have the new name.
// The protocol's type of addresses holds a cache, which does not take part in its comparison.
#[allow(clippy::mutable_key_type)]
pub fn rename(
    studied: &Studied,
    others: &[Rc<Studied>],
    at: usize,
    name: &str,
    shared: &mut Shared,
) -> Result<WorkspaceEdit, String> {
    let found = renamable(studied, at)?;
    if !name.starts_with(name_start) || !name.chars().all(name_rest) {
        return Err(format!("`{name}` is not a name"));
    }
    if RESERVED.contains(&name) {
        return Err(format!("`{name}` is a word of the language"));
    }
    let declared = declarations(studied, found);
    Renamed { studied, places: &places(studied, &declared), name }.still_means(shared)?;
    let mut changes: HashMap<_, Vec<TextEdit>> = HashMap::new();
    for location in references(studied, others, at, true) {
        changes.entry(location.uri).or_default().push(TextEdit { range: location.range, new_text: name.to_string() });
    }
    Ok(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() })
}

/// A program with another name at some places.
struct Renamed<'s> {
    studied: &'s Studied,
    places: &'s BTreeSet<Span>,
    name: &'s str,
}

impl Renamed<'_> {
    /// Whether the program has no new problems, and every name in it means what it meant; else why not.
    fn still_means(&self, shared: &mut Shared) -> Result<(), String> {
        let mut texts: BTreeMap<FileId, String> = BTreeMap::new();
        for at in self.places.iter().rev() {
            let file = self.studied.loaded.sources.get(at.file);
            let text = texts.entry(at.file).or_insert_with(|| file.text.to_string());
            text.replace_range(at.start as usize..at.end as usize, self.name);
        }
        let main = texts.remove(&self.studied.loaded.main).unwrap_or_else(|| self.studied.text.clone());
        let kept = shared.options.open.clone();
        for (file, text) in texts {
            let path = self.studied.loaded.sources.get(file).path.as_ref().and_then(|p| p.canonicalize().ok());
            shared.options.open.extend(path.map(|path| (path, text)));
        }
        let then = Studied::new(&self.studied.uri, &main, shared);
        shared.options.open = kept;
        // What is said of names says best what is wrong with one.
        self.same_problems(&self.studied.names.problems, &then.names.problems, &then)?;
        self.same_meanings(&then)?;
        self.same_problems(&self.studied.study().problems, &then.study().problems, &then)
    }

    /// Where a place is afterwards.
    fn moved(&self, span: Span) -> Span {
        let by = |at: &Span| self.name.len() as i64 - (at.end - at.start) as i64;
        let shift = |byte: u32| {
            let before = self.places.iter().filter(|at| at.file == span.file && at.end <= byte);
            (byte as i64 + before.map(by).sum::<i64>()) as u32
        };
        Span { file: span.file, start: shift(span.start), end: shift(span.end) }
    }

    fn same_problems(&self, old: &[Diagnostic], new: &[Diagnostic], then: &Studied) -> Result<(), String> {
        let old: Vec<_> = old.iter().map(|d| (d.code, self.moved(place(self.studied, d)))).collect();
        match new.iter().find(|d| !old.contains(&(d.code, place(then, d)))) {
            Some(problem) => Err(problem.message.clone()),
            None => Ok(()),
        }
    }

    fn same_meanings(&self, then: &Studied) -> Result<(), String> {
        let moved = |u: &Use| (self.moved(u.at), self.moved(u.of));
        let old: BTreeSet<(Span, Span)> = self.studied.uses().map(moved).collect();
        let new: BTreeSet<(Span, Span)> = then.uses().map(|u| (u.at, u.of)).collect();
        let Some((at, _)) = old.symmetric_difference(&new).next() else { return Ok(()) };
        let (line, _) = then.loaded.sources.line_column(*at);
        Err(format!("`{}` would mean something else in line {line}", then.loaded.sources.text(*at)))
    }
}
