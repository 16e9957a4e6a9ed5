//! An open text with what was found out about it.

use std::cell::{Cell, OnceCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lsp_types::{Location, Range, Uri};

use super::place::Units;
use super::uri;
use crate::model::library::item_name;
use crate::model::resolve::{Names, Use, resolve};
use crate::session::load::{Loaded, Options, Shelf, load_again};
use crate::session::study::{Study, study};
use crate::source::{FileId, Span};
use crate::syntax::ast::Item;
use crate::syntax::name_rest;

pub struct Document {
    pub uri: Uri,
    pub version: i32,
    pub text: String,
    /// the client knows the problems of this version
    pub is_told: bool,
    /// none since the last change
    studied: Option<Rc<Studied>>,
}

/// A program with its names, which are known at once, and a study of it, which takes longer and is made when something needs it.
pub struct Studied {
    pub text: String,
    pub loaded: Loaded,
    pub names: Names,
    study: OnceCell<Option<Study>>,
    clock: Rc<Clock>,
    pub units: Units,
    /// where the texts of the standard library can be opened
    pub library: Option<PathBuf>,
    pub uri: Uri,
}

/// What all documents of a desk share.
pub struct Shared {
    pub options: Options,
    pub units: Units,
    pub library: Option<PathBuf>,
    pub standard: Option<Shelf>,
    pub clock: Rc<Clock>,
}

/// Counts the changes of texts: those that the client has told of, and those that this desk has taken in.
#[derive(Debug, Default)]
pub struct Clock {
    pub told: Arc<AtomicU64>,
    pub taken: Cell<u64>,
}

impl Clock {
    /// Whether a newer text waits: what is studied now is not asked for any more.
    pub fn is_late(&self) -> bool {
        self.told.load(Ordering::Acquire) > self.taken.get()
    }
}

/// What a study of a stale text has found.
static NOTHING: std::sync::LazyLock<Study> = std::sync::LazyLock::new(Study::default);

impl Document {
    pub fn new(uri: Uri, version: i32, text: String) -> Document {
        Document { uri, version, text, is_told: false, studied: None }
    }

    pub fn change(&mut self, version: i32, text: String) {
        (self.version, self.text) = (version, text);
        self.forget();
    }

    /// Something that was studied is not as it was.
    pub fn forget(&mut self) {
        (self.is_told, self.studied) = (false, None);
    }

    /// Whether a study was begun and given up for a newer text.
    pub fn is_given_up(&self) -> bool {
        self.studied.as_ref().is_some_and(|s| s.is_given_up())
    }

    /// Whether it was studied with the text of a file, which is given by its canonical path.
    pub fn imports(&self, path: &Path) -> bool {
        let Some(studied) = &self.studied else { return false };
        let files = studied.loaded.files.iter().filter(|f| f.0 != studied.loaded.main);
        let mut paths = files.filter_map(|f| studied.loaded.sources.get(f.0).path.as_ref()?.canonicalize().ok());
        paths.any(|p| p == path)
    }

    pub fn studied(&mut self, shared: &mut Shared) -> Rc<Studied> {
        if let Some(studied) = self.studied.as_ref().filter(|s| !s.is_given_up()) {
            return studied.clone();
        }
        let studied = Rc::new(Studied::new(&self.uri, &self.text, shared));
        self.studied = Some(studied.clone());
        studied
    }
}

impl Studied {
    pub fn new(uri: &Uri, text: &str, shared: &mut Shared) -> Studied {
        let path = uri::to_path(uri);
        let name = path.as_ref().map_or(uri.as_str().to_string(), |p| p.display().to_string());
        let loaded = load_again(&name, path, text.as_bytes(), &shared.options, &mut shared.standard);
        let names = resolve(&loaded.library);
        Studied {
            text: text.to_string(),
            loaded,
            names,
            study: OnceCell::new(),
            clock: shared.clock.clone(),
            units: shared.units,
            library: shared.library.clone(),
            uri: uri.clone(),
        }
    }

    /// What a study found; nothing where it was given up for a newer text.
    pub fn study(&self) -> &Study {
        let study = self.study.get_or_init(|| study(&self.loaded, &self.names, &|| self.clock.is_late()));
        study.as_ref().unwrap_or(&NOTHING)
    }

    /// Whether a study was begun and given up.
    pub fn is_given_up(&self) -> bool {
        matches!(self.study.get(), Some(None))
    }

    /// The place of the protocol that a span has; none where its file cannot be opened.
    pub fn location(&self, span: Span) -> Option<Location> {
        let file = self.loaded.sources.get(span.file);
        let uri = match &file.path {
            _ if span.file == self.loaded.main => self.uri.clone(),
            Some(path) => uri::from_path(&std::path::absolute(path).ok()?)?,
            // Of a library given by `--stdlib` the names are paths.
            None => match std::path::absolute(&file.name).ok().filter(|p| p.exists()) {
                Some(path) => uri::from_path(&path)?,
                None => uri::from_path(&self.library.as_ref()?.join(&file.name))?,
            },
        };
        Some(Location { uri, range: self.units.range(&file.text, span) })
    }

    pub fn range(&self, span: Span) -> Range {
        self.units.range(&self.loaded.sources.get(span.file).text, span)
    }

    /// The use of a name that the byte `at` of the main text is in or directly after.
    pub fn use_at(&self, at: usize) -> Option<Use> {
        self.plain_use_at(at).or_else(|| self.nearest(&self.study().uses, at))
    }

    /// As `use_at`, of the names whose meaning the text alone tells.
    pub fn plain_use_at(&self, at: usize) -> Option<Use> {
        self.nearest(&self.names.uses, at)
    }

    fn nearest(&self, uses: &[Use], at: usize) -> Option<Use> {
        let uses = uses.iter().filter(|u| u.at.file == self.loaded.main);
        // The `d` before it is of a differential.
        let after_d = self.text[at..].starts_with('d') && !self.text[..at].ends_with(name_rest);
        let mut here = uses.clone().filter(|u| after_d && u.at.start as usize == at + 1);
        if let Some(found) = here.next() {
            return Some(*found);
        }
        let touching = uses.filter(|u| u.at.start as usize <= at && at <= u.at.end as usize);
        // `dx`: the state `x` in it is the shorter one
        touching.min_by_key(|u| (u.at.end as usize == at, u.at.end - u.at.start)).copied()
    }

    /// All uses of names.
    pub fn uses(&self) -> impl Iterator<Item = &Use> {
        self.names.uses.iter().chain(&self.study().uses)
    }

    /// The top-level declaration whose name stands at a place.
    pub fn declaration(&self, name: Span) -> Option<&Item> {
        let mut decls = self.loaded.library.decls();
        decls.find(|d| item_name(&d.item.kind).is_some_and(|n| n.span == name)).map(|d| &*d.item)
    }

    /// The declarations of the main text.
    pub fn items(&self) -> &[Item] {
        let main = |(file, _): &&(FileId, Vec<Item>)| *file == self.loaded.main;
        self.loaded.files.iter().find(main).map_or(&[], |(_, items)| items)
    }
}
