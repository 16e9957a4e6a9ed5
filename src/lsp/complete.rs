//! Completion: the words that begin a statement, names in sight, and the tables of the language.

use std::collections::HashSet;

use lsp_types::{
    CompletionItem, CompletionItemKind as ItemKindOf, Documentation, InsertTextFormat, MarkupContent, MarkupKind,
};

use super::document::Studied;
use super::names::{head, law_signature, statistic_signature};
use super::signature::header_text;
use super::snippets;
use crate::model::library::{Decl, item_name};
use crate::model::messages::SETTINGS;
use crate::model::resolve::{Kind, names_in_run};
use crate::model::{distributions, functions, operators, statistics};
use crate::syntax::ast::ItemKind;
use crate::syntax::context::{Context, context};
use crate::syntax::{Place, RESERVED};

pub fn complete(studied: &Studied, at: usize, with_snippets: bool) -> Vec<CompletionItem> {
    let context = context(&studied.text, at);
    let before = studied.text[..at].trim_end_matches(crate::syntax::name_rest);
    if context.in_text || before.ends_with('.') && !before.ends_with("..") {
        return Vec::new();
    }
    let mut list = List { studied, context: &context, at, with_snippets, items: Vec::new(), seen: HashSet::new() };
    list.fill();
    list.items
}

struct List<'s> {
    studied: &'s Studied,
    context: &'s Context,
    at: usize,
    with_snippets: bool,
    items: Vec<CompletionItem>,
    seen: HashSet<String>,
}

impl List<'_> {
    fn fill(&mut self) {
        let place = self.context.place;
        if self.context.at_head {
            self.heads();
        }
        let head = self.context.statement.as_ref().map_or("", |s| s.1.as_str());
        if place == Place::Run && !self.context.at_head && self.context.call.is_none() {
            match head {
                "solver" => return self.declarations(|kind| matches!(kind, ItemKind::Solver(_))),
                "model" => {
                    self.declarations(|kind| matches!(kind, ItemKind::Model(_)));
                    return self.declarations(|kind| matches!(kind, ItemKind::Target(_)));
                }
                _ => {}
            }
        }
        let only_statements = matches!(place, Place::File | Place::Run | Place::Part) && self.context.at_head;
        if only_statements {
            return;
        }
        self.arguments();
        self.names_in_sight();
        if place == Place::Run {
            self.statistics();
        }
        self.declarations(|kind| matches!(kind, ItemKind::Fn(_) | ItemKind::Const(_) | ItemKind::Data(_)));
        self.declarations(|kind| matches!(kind, ItemKind::Target(_) | ItemKind::Model(_)));
        self.tables();
        for word in RESERVED.into_iter().filter(|w| !["let", "const", "fn", "return"].contains(w)) {
            self.put(word, ItemKindOf::KEYWORD, None, None);
        }
    }

    fn put(&mut self, label: &str, kind: ItemKindOf, detail: Option<String>, doc: Option<String>) {
        if !self.seen.insert(label.to_string()) {
            return;
        }
        let doc = doc.map(|value| Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value }));
        // In the order of the list: what is nearest comes first.
        let sort = format!("{:04}", self.items.len());
        let item = CompletionItem { kind: Some(kind), detail, documentation: doc, ..CompletionItem::default() };
        self.items.push(CompletionItem { label: label.into(), sort_text: Some(sort), ..item });
    }

    /// As `put`, with a text to insert whose places are filled in where the client can do that.
    fn put_snippet(&mut self, label: &str, body: &str, kind: ItemKindOf, doc: &str) {
        self.put(label, kind, None, Some(doc.to_string()));
        if let Some(item) = self.items.last_mut().filter(|i| i.label == label) {
            let text = if self.with_snippets { body.to_string() } else { snippets::plain(body) };
            item.insert_text = Some(text);
            item.insert_text_format = self.with_snippets.then_some(InsertTextFormat::SNIPPET);
        }
    }

    // ---- statements ----

    fn heads(&mut self) {
        for s in snippets::of(self.context.place) {
            self.put_snippet(s.head, s.body, ItemKindOf::SNIPPET, s.doc);
        }
        match self.context.place {
            Place::Run => {
                for name in SETTINGS {
                    self.put_snippet(name, &format!("{name} = $0"), ItemKindOf::PROPERTY, "A setting of the run.");
                }
            }
            Place::Model | Place::Part => {
                for name in self.own(|kind| kind == Kind::State) {
                    self.put_snippet(&format!("d{name}"), &format!("d{name} = $0"), ItemKindOf::EVENT, "A flow.");
                }
            }
            Place::Block => {
                let given = ["x", "q", "v"].map(str::to_string);
                for name in self.own(|kind| kind == Kind::State).into_iter().chain(given) {
                    self.put_snippet(&format!("{name}'"), &format!("{name}' = $0"), ItemKindOf::EVENT, "A new value.");
                }
            }
            _ => {}
        }
    }

    // ---- names ----

    /// Names of the declaration around that are declared before this place.
    fn own(&self, wanted: impl std::ops::Fn(Kind) -> bool) -> Vec<String> {
        let Some((start, _)) = self.context.item else { return Vec::new() };
        let main = self.studied.loaded.main;
        let here = |at: usize| start <= at && at < self.at;
        let uses = self.studied.names.uses.iter().filter(|u| u.at == u.of && u.at.file == main);
        let found = uses.filter(|u| here(u.at.start as usize) && (u.at.end as usize) < self.at && wanted(u.kind));
        found.map(|u| self.studied.loaded.sources.text(u.at).to_string()).collect()
    }

    fn names_in_sight(&mut self) {
        let of = |kind: Kind| match kind {
            Kind::Function => ItemKindOf::FUNCTION,
            Kind::State => ItemKindOf::FIELD,
            Kind::Noise => ItemKindOf::EVENT,
            _ => ItemKindOf::VARIABLE,
        };
        for kind in [Kind::State, Kind::Value, Kind::Parameter, Kind::Function, Kind::Size] {
            for name in self.own(|k| k == kind) {
                self.put(&name, of(kind), None, None);
            }
        }
        for name in self.own(|k| k == Kind::Noise) {
            self.put(&format!("d{name}"), ItemKindOf::EVENT, None, Some("The increment of the noise.".into()));
        }
        let place = self.context.place;
        if place == Place::Run {
            let start = self.context.item.map_or(0, |i| i.0);
            for name in names_in_run(&self.studied.loaded.library, self.studied.loaded.main, start) {
                self.put(&name, ItemKindOf::FIELD, Some("of the model".into()), None);
            }
        }
        if matches!(place, Place::Model | Place::Part | Place::Block) {
            ["dt", "dW"].iter().for_each(|name| self.put(name, ItemKindOf::EVENT, None, None));
        }
        ["t", "pi", "inf"].iter().for_each(|name| self.put(name, ItemKindOf::CONSTANT, None, None));
    }

    /// The named arguments of the call around.
    fn arguments(&mut self) {
        let Some(call) = &self.context.call else { return };
        let decls = self.studied.loaded.library.lookup(&call.name);
        let mut names: Vec<String> = Vec::new();
        for params in decls.iter().filter_map(|d| d.item.kind.header()) {
            names.extend(params.iter().map(|p| p.name.name.clone()));
        }
        if let Some(law) = distributions::lookup(&call.name).filter(|_| decls.is_empty()) {
            names.extend(law.params.iter().map(|p| p.name.to_string()));
        }
        for name in names {
            self.put(&format!("{name} = "), ItemKindOf::PROPERTY, Some(format!("of `{}`", call.name)), None);
        }
    }

    // ---- tables ----

    fn declarations(&mut self, wanted: impl std::ops::Fn(&ItemKind) -> bool) {
        let library = &self.studied.loaded.library;
        let mut decls: Vec<&Decl> = library.decls().filter(|d| wanted(&d.item.kind)).collect();
        // Those of the file first.
        decls.sort_by_key(|d| d.library);
        for decl in decls {
            let Some(name) = item_name(&decl.item.kind).map(|n| n.name.clone()) else { continue };
            let kind = match &decl.item.kind {
                ItemKind::Fn(_) => ItemKindOf::FUNCTION,
                ItemKind::Const(_) | ItemKind::Data(_) => ItemKindOf::CONSTANT,
                ItemKind::Solver(_) => ItemKindOf::METHOD,
                _ => ItemKindOf::CLASS,
            };
            let detail = match &decl.item.kind {
                ItemKind::Const(_) | ItemKind::Data(_) => head(&decl.item),
                called => header_text(called),
            };
            self.put(&name, kind, Some(detail), decl.item.doc.clone());
        }
    }

    fn statistics(&mut self) {
        for row in statistics::TABLE {
            self.put(row.name, ItemKindOf::FUNCTION, Some(statistic_signature(row)), Some(row.doc.into()));
        }
        for name in crate::model::results::statistic_names() {
            self.put(name, ItemKindOf::FUNCTION, Some("statistic".into()), None);
        }
    }

    fn tables(&mut self) {
        for f in functions::TABLE {
            self.put(f.name, ItemKindOf::FUNCTION, Some(f.signature.into()), Some(f.doc.into()));
        }
        for law in distributions::TABLE {
            self.put(law.name, ItemKindOf::CLASS, Some(law_signature(law)), Some(law.doc.into()));
        }
        for o in operators::TABLE {
            self.put(o.name, ItemKindOf::FUNCTION, Some(o.signature.into()), Some(o.doc.into()));
        }
    }
}
