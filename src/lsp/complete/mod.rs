//! Completion: what a place wants (`expected`), from the names in sight and the tables of the language (`items`).

mod expected;
mod fields;
mod items;

use std::collections::HashSet;

use lsp_types::{
    CompletionItem, CompletionItemKind as ItemKindOf, Documentation, InsertTextFormat, MarkupContent, MarkupKind,
};

use super::document::Studied;
use super::snippets;
use crate::model::resolve::{Kind, names_in_run};
use crate::session::study::parameters;
use crate::syntax::context::{Context, context};
use crate::syntax::{Place, settings};
use expected::{Expected, continued, expected, in_header};

pub fn complete(studied: &Studied, at: usize, with_snippets: bool) -> Vec<CompletionItem> {
    let context = context(&studied.text, at);
    if context.in_text {
        return Vec::new();
    }
    let mut list = List { studied, context: &context, at, with_snippets, items: Vec::new(), seen: HashSet::new() };
    let before = studied.text[..at].trim_end_matches(crate::syntax::name_rest);
    match before.strip_suffix('.').filter(|b| !b.ends_with('.')) {
        Some(object) => list.fields(object),
        None => list.fill(),
    }
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
        if self.context.at_head {
            self.heads();
            // In the others a statement can begin with any value: `x[0] ~ normal()`.
            if !matches!(self.context.place, Place::Target | Place::Block) {
                return;
            }
        }
        let wanted = expected(&self.studied.loaded.library, self.context);
        if !matches!(wanted, Expected::Rest | Expected::Nothing) && !in_header(self.context) {
            self.arguments();
        }
        self.wanted(wanted);
    }

    fn wanted(&mut self, wanted: Expected) {
        match wanted {
            Expected::Nothing => {}
            Expected::Rest => self.rest(),
            Expected::Expression { paths, statistics } => self.expression(paths, statistics),
            Expected::Type => self.types(),
            Expected::Noise => self.word("wiener", "Independent Wiener processes: `wiener[2]`."),
            Expected::Convention => self.conventions(),
            Expected::Form => self.forms(),
            Expected::Class => self.classes(),
            Expected::Model => self.models(),
            Expected::Law => self.laws(),
            Expected::Solver => self.solvers(),
            Expected::Part => self.parts(),
            Expected::Plot { still } => self.plots(still),
            Expected::Words(setting) => setting.words.iter().for_each(|(word, _, doc)| self.word(word, doc)),
            Expected::Parameter => self.parameters(),
            Expected::State => self.of_run(&[Kind::State]),
            Expected::Levels => {
                self.put_snippet("steps", "steps = [${0:16, 32, 64, 128}]", ItemKindOf::PROPERTY, "Numbers of steps.");
                let doc = "The number of steps that the others are held against.";
                self.put_snippet("reference", "reference = ${0:1024}", ItemKindOf::PROPERTY, doc);
            }
        }
    }

    // ---- items ----

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

    fn word(&mut self, word: &str, doc: &str) {
        self.put(word, ItemKindOf::KEYWORD, None, Some(doc.to_string()));
    }

    /// As `put`, with a text to insert whose places are filled in where the client can do that.
    fn put_snippet(&mut self, label: &str, body: &str, kind: ItemKindOf, doc: &str) {
        self.put(label, kind, None, Some(doc.to_string()));
        self.insert(label, body);
    }

    /// As `put`, of something that is called: with its brackets, where there are none yet.
    fn put_called(&mut self, label: &str, kind: ItemKindOf, signature: &str, doc: Option<String>) {
        self.put(label, kind, Some(signature.to_string()), doc);
        let rest = self.studied.text[self.at..].trim_start_matches(crate::syntax::name_rest);
        if self.with_snippets && !rest.starts_with('(') {
            let inside = if signature.ends_with("()") { "" } else { "$0" };
            self.insert(label, &format!("{label}({inside})"));
        }
    }

    fn insert(&mut self, label: &str, body: &str) {
        let with_snippets = self.with_snippets;
        if let Some(item) = self.items.last_mut().filter(|i| i.label == label) {
            item.insert_text = Some(if with_snippets { body.to_string() } else { snippets::plain(body) });
            item.insert_text_format = with_snippets.then_some(InsertTextFormat::SNIPPET);
        }
    }

    // ---- statements ----

    /// The words and names that begin a statement here.
    fn heads(&mut self) {
        let given = |name: &str| self.context.others.iter().any(|w| w == name);
        let settings: Vec<_> = settings::TABLE.iter().filter(|s| !given(s.name)).collect();
        let once = |head: &str| head == "converge" && given(head);
        if self.context.place == Place::Run {
            for s in settings {
                self.put_snippet(s.name, &format!("{} = $0", s.name), ItemKindOf::PROPERTY, s.doc);
            }
        }
        for s in snippets::of(self.context.place).filter(|s| !once(s.head)) {
            self.put_snippet(s.head, s.body, ItemKindOf::SNIPPET, s.doc);
        }
        match self.context.place {
            Place::Model | Place::Part => {
                for name in self.own(&[Kind::State]) {
                    self.put_snippet(&format!("d{name}"), &format!("d{name} = $0"), ItemKindOf::EVENT, "A flow.");
                }
            }
            Place::Block => {
                for name in self.renewable() {
                    self.put_snippet(&format!("{name}'"), &format!("{name}' = $0"), ItemKindOf::EVENT, "A new value.");
                }
            }
            _ => {}
        }
    }

    // ---- names ----

    /// Names of the declaration around that are declared before this place.
    fn own(&self, kinds: &[Kind]) -> Vec<String> {
        let Some((start, _)) = self.context.item else { return Vec::new() };
        let main = self.studied.loaded.main;
        let here = |at: usize| start <= at && at < self.at;
        let uses = self.studied.names.uses.iter().filter(|u| u.at == u.of && u.at.file == main);
        let found = uses.filter(|u| here(u.at.start as usize) && (u.at.end as usize) < self.at);
        let found = found.filter(|u| kinds.contains(&u.kind));
        found.map(|u| self.studied.loaded.sources.text(u.at).to_string()).collect()
    }

    /// Names that the model of the run around gives to it.
    fn of_run(&mut self, kinds: &[Kind]) {
        let start = self.context.item.map_or(0, |i| i.0);
        for (name, kind) in names_in_run(&self.studied.loaded.library, self.studied.loaded.main, start) {
            if kinds.contains(&kind) {
                self.put(&name, kind_of(kind), Some("of the model".into()), None);
            }
        }
    }

    /// What the run around can sweep and has not yet swept.
    fn parameters(&mut self) {
        let start = self.context.item.map_or(0, |i| i.0);
        let known = parameters(&self.studied.loaded, self.studied.loaded.main, start);
        for p in known.iter().filter(|p| !self.context.before.contains(&p.name)) {
            let body = format!("{} = [$0]", p.name);
            self.put_snippet(&p.name, &body, ItemKindOf::PROPERTY, &format!("The parameter `{}`.", p.path));
        }
        if known.is_empty() {
            self.of_run(&[Kind::Parameter]);
        }
    }

    fn rest(&mut self) {
        let place = self.context.place;
        if matches!(place, Place::Model | Place::Part) && self.context.head().starts_with('d') {
            self.differentials();
        }
        for word in continued(self.context) {
            self.put(word, ItemKindOf::KEYWORD, None, None);
        }
    }

    fn differentials(&mut self) {
        let doc = || Some("The increment of the noise.".to_string());
        self.put("dt", ItemKindOf::EVENT, None, None);
        for name in self.own(&[Kind::Noise]) {
            self.put(&format!("d{name}"), ItemKindOf::EVENT, None, doc());
        }
        self.put("dW", ItemKindOf::EVENT, None, doc());
    }
}

fn kind_of(kind: Kind) -> ItemKindOf {
    match kind {
        Kind::Function => ItemKindOf::FUNCTION,
        Kind::State => ItemKindOf::FIELD,
        Kind::Noise => ItemKindOf::EVENT,
        Kind::Part => ItemKindOf::MODULE,
        _ => ItemKindOf::VARIABLE,
    }
}
