//! Loading a program: the user's file, what it imports, and the standard library.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::diagnostics::{Diagnostic, codes};
use crate::model::library::{Library, Standard, item_name};
use crate::source::{FileId, SourceFile, SourceMap, Span};
use crate::syntax::ast::{Item, ItemKind};

include!(concat!(env!("OUT_DIR"), "/stdlib.rs"));

/// A program with everything that it can name.
#[derive(Debug, Default)]
pub struct Loaded {
    pub sources: SourceMap,
    pub library: Library,
    pub problems: Vec<Diagnostic>,
    pub main: FileId,
    /// the user's files, in the order of loading
    pub files: Vec<(FileId, Vec<Item>)>,
}

/// Where the standard library comes from.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// a folder with `.sde` files instead of the embedded ones
    pub stdlib: Option<PathBuf>,
    /// texts that are read in place of files, by their canonical paths: what an editor has open
    pub open: BTreeMap<PathBuf, String>,
}

impl Options {
    /// The contents of a file that is imported.
    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        let open = || Some(self.open.get(&path.canonicalize().ok()?)?.as_bytes().to_vec());
        let known = if self.open.is_empty() { None } else { open() };
        known.map_or_else(|| std::fs::read(path), Ok)
    }
}

/// Loads a file from disk; a file that cannot be read is a diagnostic.
pub fn load_file(path: &Path, options: &Options) -> Loaded {
    let name = path.display().to_string();
    match std::fs::read(path) {
        Ok(bytes) => load_bytes(&name, Some(path.to_path_buf()), &bytes, options),
        Err(e) => {
            let mut loaded = Loaded::default();
            let file =
                SourceFile { name: name.clone(), text: "".into(), path: Some(path.to_path_buf()), library: false };
            let id = loaded.sources.add(file);
            loaded.main = id;
            loaded.problems.push(unreadable_main(&name, &e));
            loaded
        }
    }
}

/// Loads a text under a name (paths in it are relative to the working directory).
pub fn load_text(name: &str, text: &str, options: &Options) -> Loaded {
    load_bytes(name, None, text.as_bytes(), options)
}

pub fn load_bytes(name: &str, path: Option<PathBuf>, bytes: &[u8], options: &Options) -> Loaded {
    load_again(name, path, bytes, options, &mut None)
}

/// The standard library for a first place among the sources.
#[derive(Debug)]
pub struct Shelf {
    first: usize,
    files: Vec<SourceFile>,
    standard: Rc<Standard>,
    problems: Vec<Diagnostic>,
}

/// [`load_bytes`] that keeps the standard library from one call to the next, for those who load a text after every change.
pub fn load_again(
    name: &str,
    path: Option<PathBuf>,
    bytes: &[u8],
    options: &Options,
    kept: &mut Option<Shelf>,
) -> Loaded {
    let mut loaded = Loaded::default();
    let mut seen = Vec::new();
    loaded.main = add(&mut loaded, name, path, bytes, options, &mut seen);
    let own: Vec<(FileId, Vec<Item>)> = std::mem::take(&mut loaded.files);
    loaded.duplicates(&own);
    for (file, items) in &own {
        loaded.library.add(*file, items.clone());
    }
    loaded.files = own;
    loaded.standard(options, kept);
    loaded
}

fn add(
    loaded: &mut Loaded,
    name: &str,
    path: Option<PathBuf>,
    bytes: &[u8],
    options: &Options,
    seen: &mut Vec<PathBuf>,
) -> FileId {
    // The text is known only after decoding; the file id is the next one.
    let id = FileId(loaded.sources.iter().count() as u16);
    let (text, parsed) = crate::syntax::parse_bytes(id, bytes);
    let folder = path.as_deref().and_then(Path::parent).map(Path::to_path_buf).unwrap_or_default();
    if let Some(canonical) = path.as_ref().and_then(|p| p.canonicalize().ok()) {
        seen.push(canonical);
    }
    loaded.sources.add(SourceFile { name: name.into(), text: text.into(), path, library: false });
    let items = parsed.file.items;
    let broken: Vec<Span> = parsed.problems.iter().filter_map(|d| Some(d.labels.first()?.span)).collect();
    loaded.problems.extend(parsed.problems);
    for item in &items {
        let unclear = broken.iter().any(|b| item.span.start <= b.start && b.start < item.span.end);
        if let ItemKind::Use(what, span) = &item.kind
            && !unclear
        {
            import(loaded, &folder.join(what), *span, options, seen);
        }
    }
    loaded.files.push((id, items));
    id
}

/// Reads a file, and what it imports, into what is loaded already: its texts and its declarations, which are not yet those
/// of the program, and what is wrong with them.
pub fn read_into(loaded: &mut Loaded, path: &Path) -> (Vec<(FileId, Vec<Item>)>, Vec<Diagnostic>) {
    let (files, problems) = (std::mem::take(&mut loaded.files), std::mem::take(&mut loaded.problems));
    let name = path.display().to_string();
    match std::fs::read(path) {
        Ok(bytes) => {
            add(loaded, &name, Some(path.to_path_buf()), &bytes, &Options::default(), &mut Vec::new());
        }
        Err(e) => {
            let mut problem = unreadable(&name, &e, Span::default());
            problem.labels.clear();
            problem.help = None;
            loaded.problems.push(problem);
        }
    }
    (std::mem::replace(&mut loaded.files, files), std::mem::replace(&mut loaded.problems, problems))
}

fn import(loaded: &mut Loaded, path: &Path, span: Span, options: &Options, seen: &mut Vec<PathBuf>) {
    if path.canonicalize().is_ok_and(|p| seen.contains(&p)) {
        return;
    }
    let name = path.display().to_string();
    match options.read(path) {
        Ok(bytes) => {
            add(loaded, &name, Some(path.to_path_buf()), &bytes, options, seen);
        }
        Err(e) => loaded.problems.push(unreadable(&name, &e, span)),
    }
}

/// Of a file that a command names: there is no text that a label could stand in.
pub(super) fn unreadable_main(name: &str, e: &std::io::Error) -> Diagnostic {
    let mut problem = unreadable(name, e, Span::default());
    problem.labels.clear();
    problem.help = None;
    problem
}

fn unreadable(name: &str, e: &std::io::Error, span: Span) -> Diagnostic {
    let reason = match e.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_string(),
        std::io::ErrorKind::PermissionDenied => "it may not be read".to_string(),
        std::io::ErrorKind::IsADirectory => "it is a folder".to_string(),
        _ => e.to_string(),
    };
    Diagnostic::error(codes::FILE_NOT_FOUND, format!("cannot read `{name}`: {reason}"), span, "needed here")
        .help("paths are relative to the file that names them")
}

impl Loaded {
    /// Whether all texts could be read; names declared twice are no obstacle to looking for more.
    pub fn is_readable(&self) -> bool {
        self.problems.iter().all(|d| !d.is_error() || d.code == codes::DUPLICATE_NAME)
    }

    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(Diagnostic::is_error)
    }

    /// Tells of names declared twice in the user's files. Solvers of one name for different noises are no duplicates.
    pub fn find_duplicates(&mut self) {
        let own = std::mem::take(&mut self.files);
        self.duplicates(&own);
        self.files = own;
    }

    fn duplicates(&mut self, own: &[(FileId, Vec<Item>)]) {
        let mut first: Vec<(&str, Span, bool, bool)> = Vec::new();
        for item in own.iter().flat_map(|(_, items)| items) {
            let Some(name) = item_name(&item.kind) else { continue };
            let (solver, run) = (matches!(item.kind, ItemKind::Solver(_)), matches!(item.kind, ItemKind::Run(_)));
            let clash = first.iter().find(|(n, _, s, r)| *n == name.name && *r == run && !(*s && solver));
            match clash {
                Some((_, before, _, _)) => self.problems.push(
                    Diagnostic::error(
                        codes::DUPLICATE_NAME,
                        format!("`{}` is declared twice", name.name),
                        name.span,
                        "declared again",
                    )
                    .label(*before, "declared here"),
                ),
                None => first.push((&name.name, name.span, solver, run)),
            }
        }
    }

    fn standard(&mut self, options: &Options, kept: &mut Option<Shelf>) {
        let first = self.sources.iter().count();
        if kept.as_ref().is_none_or(|k| k.first != first) {
            *kept = Some(Shelf::new(options, first));
        }
        let Some(shelf) = kept else { return };
        shelf.files.iter().for_each(|file| _ = self.sources.add(file.clone()));
        self.library.set_standard(shelf.standard.clone());
        self.problems.extend(shelf.problems.clone());
    }
}

impl Shelf {
    fn new(options: &Options, first: usize) -> Shelf {
        let texts: Vec<(String, String)> = match &options.stdlib {
            Some(folder) => folder_texts(folder),
            None => FILES.iter().map(|(n, t)| (n.to_string(), t.to_string())).collect(),
        };
        let file = |(name, text): (String, String)| SourceFile { name, text: text.into(), path: None, library: true };
        let files: Vec<SourceFile> = texts.into_iter().map(file).collect();
        let placed = || (first..).map(|k| FileId(k as u16)).zip(files.iter().map(|f| f.text.clone()));
        // the embedded texts are tested to be right
        let problems = match &options.stdlib {
            Some(_) => placed().flat_map(|(id, text)| crate::syntax::parse(id, &text).problems).collect(),
            None => Vec::new(),
        };
        let standard = Rc::new(Standard::new(placed()));
        Shelf { first, files, standard, problems }
    }
}

fn folder_texts(folder: &Path) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(here) = folders.pop() {
        for entry in std::fs::read_dir(here).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "sde")
                && let Ok(text) = std::fs::read_to_string(&path)
            {
                texts.push((path.display().to_string(), text));
            }
        }
    }
    texts.sort();
    texts
}
