//! The declarations of a program: the user's file, what it imports, and the standard library.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use crate::source::FileId;
use crate::syntax::ast::{self, Item, ItemKind};

/// One declaration and the file it stands in.
#[derive(Clone, Debug)]
pub struct Decl {
    pub file: FileId,
    pub item: Rc<Item>,
    /// from the standard library
    pub library: bool,
}

impl Decl {
    /// What tells it from other declarations: its file and where it begins.
    pub fn key(&self) -> (u16, u32) {
        (self.file.0, self.item.span.start)
    }
}

/// A text of the standard library, parsed when somebody asks for one of its declarations: a program uses few of them.
#[derive(Debug)]
struct Text {
    file: FileId,
    text: Arc<str>,
    decls: OnceCell<Vec<Decl>>,
}

impl Text {
    fn decls(&self) -> &[Decl] {
        self.decls.get_or_init(|| {
            let items = crate::syntax::parse(self.file, &self.text).file.items;
            let decl = |item| Decl { file: self.file, item: Rc::new(item), library: true };
            items.into_iter().map(decl).collect()
        })
    }
}

/// The standard library: its texts, and what they declare.
#[derive(Debug, Default)]
pub struct Standard {
    texts: Vec<Text>,
    by_name: HashMap<String, Vec<usize>>,
    solvers: BTreeSet<String>,
}

impl Standard {
    /// The texts, with the places that they have among the sources.
    pub fn new(texts: impl Iterator<Item = (FileId, Arc<str>)>) -> Standard {
        let mut standard = Standard::default();
        for (k, (file, text)) in texts.enumerate() {
            for (word, name) in headings(&text) {
                let of_name = standard.by_name.entry(name.to_string()).or_default();
                if of_name.last() != Some(&k) {
                    of_name.push(k);
                }
                if word == "solver" {
                    standard.solvers.insert(name.to_string());
                }
            }
            standard.texts.push(Text { file, text, decls: OnceCell::new() });
        }
        standard
    }

    fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Decl> {
        let texts = self.by_name.get(name).into_iter().flatten();
        let decls = texts.flat_map(|k| self.texts[*k].decls());
        decls.filter(move |d| item_name(&d.item.kind).is_some_and(|n| n.name == name))
    }
}

/// The first word and the name of each declaration of a formatted text: they stand at the beginning of a line.
fn headings(text: &str) -> impl Iterator<Item = (&str, &str)> {
    const WORDS: [&str; 7] = ["const", "data", "fn", "model", "run", "solver", "target"];
    text.lines().filter_map(|line| {
        let (word, rest) = line.split_once(' ')?;
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        WORDS.contains(&word).then_some((word, &rest[..end]))
    })
}

/// All declarations by name. A user's declaration hides the library's of the same name.
#[derive(Clone, Debug, Default)]
pub struct Library {
    own: Vec<Decl>,
    by_name: HashMap<String, Vec<usize>>,
    standard: Rc<Standard>,
}

impl Library {
    /// Adds declarations of the user's.
    pub fn add(&mut self, file: FileId, items: Vec<Item>) {
        for item in items {
            let name = item_name(&item.kind).map(|n| n.name.clone());
            self.own.push(Decl { file, item: Rc::new(item), library: false });
            if let Some(name) = name {
                self.by_name.entry(name).or_default().push(self.own.len() - 1);
            }
        }
    }

    pub fn set_standard(&mut self, standard: Rc<Standard>) {
        self.standard = standard;
    }

    /// The declarations that a name may mean, runs left out: the user's if there are any, else the library's.
    pub fn lookup<'a>(&'a self, name: &'a str) -> Vec<&'a Decl> {
        let own = self.named(name, false);
        if own.is_empty() { self.named(name, true) } else { own }
    }

    /// As `lookup`, in a text of the library (which does not know the user's declarations) or of the user.
    pub fn lookup_in<'a>(&'a self, name: &'a str, library: bool) -> Vec<&'a Decl> {
        if library { self.named(name, true) } else { self.lookup(name) }
    }

    fn named<'a>(&'a self, name: &'a str, library: bool) -> Vec<&'a Decl> {
        let no_run = |d: &&Decl| !matches!(d.item.kind, ItemKind::Run(_));
        if library {
            return self.standard.named(name).filter(no_run).collect();
        }
        self.by_name.get(name).into_iter().flatten().map(|i| &self.own[*i]).filter(no_run).collect()
    }

    /// The user's declarations.
    pub fn own(&self) -> impl Iterator<Item = &Decl> {
        self.own.iter()
    }

    /// All declarations, the user's first: the whole standard library is then parsed.
    pub fn decls(&self) -> impl Iterator<Item = &Decl> {
        self.own.iter().chain(self.standard.texts.iter().flat_map(Text::decls))
    }

    /// The user's runs, in the order of the text.
    pub fn runs(&self) -> impl Iterator<Item = (&Decl, &ast::Run)> {
        self.own.iter().filter_map(|d| match &d.item.kind {
            ItemKind::Run(run) => Some((d, run)),
            _ => None,
        })
    }

    /// Names of all declarations but runs.
    pub fn names(&self) -> Vec<String> {
        self.by_name.keys().chain(self.standard.by_name.keys()).cloned().collect()
    }

    pub fn solver_names(&self) -> Vec<String> {
        let own = self.own.iter().filter_map(|d| match &d.item.kind {
            ItemKind::Solver(s) => Some(s.name.name.clone()),
            _ => None,
        });
        own.chain(self.standard.solvers.iter().cloned()).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// The name that an item declares.
pub fn item_name(kind: &ItemKind) -> Option<&ast::Ident> {
    match kind {
        ItemKind::Use(..) => None,
        ItemKind::Const(c) => Some(&c.name),
        ItemKind::Data(d) => Some(&d.name),
        ItemKind::Fn(f) => Some(&f.name),
        ItemKind::Target(t) => Some(&t.name),
        ItemKind::Model(m) => Some(&m.name),
        ItemKind::Solver(s) => Some(&s.name),
        ItemKind::Run(r) => Some(&r.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_the_declarations_of_the_standard_library() {
        for (file, text) in crate::session::load::FILES {
            let parsed = crate::syntax::parse(FileId(0), text);
            assert!(parsed.problems.is_empty(), "{file}: {:?}", parsed.problems);
            let named: Vec<&str> =
                parsed.file.items.iter().filter_map(|i| Some(item_name(&i.kind)?.name.as_str())).collect();
            assert_eq!(headings(text).map(|h| h.1).collect::<Vec<_>>(), named, "{file}");
        }
    }

    #[test]
    fn texts_are_parsed_when_they_are_asked_for() {
        let texts = ["solver a() on ito(f, g) { step { x' = x } }\n", "fn b(x) = x\n"];
        let standard = Standard::new((0u16..).map(FileId).zip(texts.map(Arc::from)));
        let mut library = Library::default();
        library.set_standard(Rc::new(standard));
        assert_eq!((library.names().len(), library.solver_names()), (2, vec!["a".to_string()]));
        assert!(library.standard.texts.iter().all(|t| t.decls.get().is_none()));
        assert_eq!(library.lookup("b").len(), 1);
        assert!(library.standard.texts[0].decls.get().is_none());
        assert_eq!(library.lookup("c").len(), 0);
    }
}
