//! An open text with what was found out about it.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::rc::Rc;

use lsp_types::{Location, Range, Uri};

use super::place::Units;
use super::uri;
use crate::diagnostics::Diagnostic;
use crate::model::library::item_name;
use crate::model::resolve::{Names, Use, resolve};
use crate::session::load::{Loaded, Options, Shelf, load_again};
use crate::session::study::{Study, study};
use crate::source::{FileId, Span};
use crate::syntax::ast::Item;

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
    study: OnceCell<Study>,
    pub units: Units,
    /// where the texts of the standard library can be opened
    pub library: Option<PathBuf>,
    pub uri: Uri,
}

/// What all documents of a server share.
pub struct Shared {
    pub options: Options,
    pub units: Units,
    pub library: Option<PathBuf>,
    pub standard: Option<Shelf>,
}

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

    pub fn studied(&mut self, shared: &mut Shared) -> Rc<Studied> {
        if let Some(studied) = &self.studied {
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
        let (text, uri) = (text.to_string(), uri.clone());
        let study = OnceCell::new();
        Studied { text, loaded, names, study, units: shared.units, library: shared.library.clone(), uri }
    }

    pub fn study(&self) -> &Study {
        self.study.get_or_init(|| study(&self.loaded, &self.names))
    }

    /// What is wrong with the text and its names: all that is known without a study.
    pub fn plain_problems(&self) -> impl Iterator<Item = &Diagnostic> {
        self.loaded.problems.iter().chain(&self.names.problems)
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
        let uses = self.names.uses.iter().filter(|u| u.at.file == self.loaded.main);
        let touching = uses.filter(|u| u.at.start as usize <= at && at <= u.at.end as usize);
        // `dx`: the state `x` in it is the shorter one
        touching.min_by_key(|u| (u.at.end as usize == at, u.at.end - u.at.start)).copied()
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
