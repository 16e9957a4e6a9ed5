//! The declarations of a program: the user's file, what it imports, and the standard library.

use std::collections::HashMap;
use std::rc::Rc;

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

/// All declarations by name. A user's declaration hides the library's of the same name.
#[derive(Clone, Debug, Default)]
pub struct Library {
    decls: Vec<Decl>,
    by_name: HashMap<String, Vec<usize>>,
}

impl Library {
    pub fn add(&mut self, file: FileId, library: bool, items: Vec<Item>) {
        let items: Vec<Rc<Item>> = items.into_iter().map(Rc::new).collect();
        self.add_shared(file, library, &items);
    }

    /// As `add`, of trees that others have too.
    pub fn add_shared(&mut self, file: FileId, library: bool, items: &[Rc<Item>]) {
        for item in items {
            let name = item_name(&item.kind).map(|n| n.name.clone());
            self.decls.push(Decl { file, item: item.clone(), library });
            if let Some(name) = name {
                self.by_name.entry(name).or_default().push(self.decls.len() - 1);
            }
        }
    }

    /// The declarations that a name may mean, runs left out: the user's if there are any, else the library's.
    pub fn lookup(&self, name: &str) -> Vec<&Decl> {
        let own = self.named(name, false);
        if own.is_empty() { self.named(name, true) } else { own }
    }

    /// As `lookup`, in a text of the library (which does not know the user's declarations) or of the user.
    pub fn lookup_in(&self, name: &str, library: bool) -> Vec<&Decl> {
        if library { self.named(name, true) } else { self.lookup(name) }
    }

    fn named(&self, name: &str, library: bool) -> Vec<&Decl> {
        let all = self.by_name.get(name).into_iter().flatten().map(|i| &self.decls[*i]);
        all.filter(|d| d.library == library && !matches!(d.item.kind, ItemKind::Run(_))).collect()
    }

    pub fn decls(&self) -> impl Iterator<Item = &Decl> {
        self.decls.iter()
    }

    /// The user's runs, in the order of the text.
    pub fn runs(&self) -> impl Iterator<Item = (&Decl, &ast::Run)> {
        self.decls.iter().filter(|d| !d.library).filter_map(|d| match &d.item.kind {
            ItemKind::Run(run) => Some((d, run)),
            _ => None,
        })
    }

    /// Names of all declarations but runs.
    pub fn names(&self) -> Vec<String> {
        self.by_name.keys().cloned().collect()
    }

    pub fn solver_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .decls
            .iter()
            .filter_map(|d| match &d.item.kind {
                ItemKind::Solver(s) => Some(s.name.name.clone()),
                _ => None,
            })
            .collect();
        names.sort();
        names.dedup();
        names
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
