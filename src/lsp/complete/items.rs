//! What the tables and the declarations of a program have for each kind of place.

use lsp_types::CompletionItemKind as ItemKindOf;

use super::expected::gives;
use super::{List, kind_of};
use crate::lsp::names::{head, law_signature};
use crate::lsp::signature::header_text;
use crate::model::forms::{Form, NoiseClass};
use crate::model::library::{Decl, item_name};
use crate::model::messages::TYPES;
use crate::model::resolve::Kind;
use crate::model::{distributions, functions, later, operators, plots, results, statistics};
use crate::syntax::ast::{ItemKind, SolverBody};
use crate::syntax::{Place, keywords, settings, words};

/// How models are read.
const CONVENTIONS: [&str; 4] = ["ito", "stratonovich", "anti_ito", "alpha(1/2)"];

impl List<'_> {
    // ---- values ----

    pub(super) fn expression(&mut self, paths: bool, statistics: bool) {
        if statistics {
            self.statistics();
        }
        self.names_in_sight(paths);
        self.declarations(|kind| matches!(kind, ItemKind::Fn(_) | ItemKind::Const(_) | ItemKind::Data(_)));
        self.functions();
        let place = self.context.place;
        if matches!(place, Place::Model | Place::Part | Place::Block | Place::Target | Place::Solver) {
            self.laws();
        }
        for word in ["if", "not", "true", "false"] {
            self.put(word, ItemKindOf::KEYWORD, None, None);
        }
    }

    fn names_in_sight(&mut self, paths: bool) {
        for kind in [Kind::State, Kind::Value, Kind::Parameter, Kind::Function, Kind::Size] {
            for name in self.own(&[kind]) {
                self.put(&name, kind_of(kind), None, None);
            }
        }
        match self.context.place {
            Place::Run if paths => self.of_run(&[Kind::State, Kind::Value, Kind::Parameter, Kind::Function]),
            Place::Run if self.context.head() != "model" => self.of_run(&[Kind::Parameter, Kind::Function]),
            Place::Model | Place::Part if self.context.head().starts_with('d') => self.differentials(),
            Place::Block => self.in_block(),
            _ => {}
        }
        ["t", "pi", "inf"].iter().for_each(|name| self.put(name, ItemKindOf::CONSTANT, None, None));
    }

    /// What the form of a solver gives to its step: states, and the names in its brackets.
    fn in_block(&mut self) {
        for name in self.renewable() {
            self.put(&name, ItemKindOf::FIELD, None, None);
            self.put(&format!("{name}'"), ItemKindOf::FIELD, None, Some("The newest value.".into()));
        }
        ["dt", "dW", "dZ"].iter().for_each(|name| self.put(name, ItemKindOf::EVENT, None, None));
    }

    /// The states that the block around can renew.
    pub(super) fn renewable(&self) -> Vec<String> {
        let mut names = self.own(&[Kind::State]);
        let start = self.context.item.map_or(0, |i| i.0);
        let around = self.studied.items().iter().find(|item| item.span.start as usize == start);
        if let Some(ItemKind::Solver(solver)) = around.map(|item| &item.kind)
            && let SolverBody::Rule { form, .. } = &solver.body
        {
            let own: &[&str] = if form.name == "kinetic" { &["q", "v"] } else { &["x"] };
            names.extend(own.iter().map(|n| n.to_string()));
        }
        names
    }

    fn statistics(&mut self) {
        let in_check = self.context.head() == "check";
        let measures = self.context.others.iter().any(|w| w == "converge");
        for row in statistics::TABLE {
            self.put_called(row.name, ItemKindOf::FUNCTION, &row.signature(), Some(row.doc.into()));
        }
        for row in statistics::FURTHER {
            let fits = match results::statistic(row.name) {
                Some(results::Named::Invariant) => in_check,
                Some(results::Named::StrongOrder | results::Named::WeakOrder) => measures,
                _ => true,
            };
            if fits {
                self.put_called(row.name, ItemKindOf::FUNCTION, row.signature, Some(row.doc.into()));
            }
        }
    }

    fn functions(&mut self) {
        for f in functions::TABLE.iter().filter(|f| !later::function(f)) {
            self.put_called(f.name, ItemKindOf::FUNCTION, f.signature, Some(f.doc.into()));
        }
    }

    /// The named arguments of the call around that are not yet given.
    pub(super) fn arguments(&mut self) {
        let Some(call) = self.context.call().filter(|c| c.named.is_none()) else { return };
        if !matches!(self.context.last(), "(" | ",") {
            return;
        }
        let decls = self.studied.loaded.library.lookup(&call.name);
        let mut names: Vec<String> = Vec::new();
        for params in decls.iter().filter_map(|d| d.item.kind.header()) {
            names.extend(params.iter().map(|p| p.name.name.clone()));
        }
        let law = distributions::lookup(&call.name).filter(|_| decls.is_empty());
        names.extend(law.iter().flat_map(|l| l.params).map(|p| p.name.to_string()));
        let in_plot = self.context.place == Place::Run && self.context.head() == "plot";
        if let Some(row) = plots::find(&call.name).filter(|_| in_plot) {
            names.extend(row.option.map(|o| o.0.to_string()));
            names.extend(row.reference.then(|| "reference".to_string()));
        }
        let before = &self.context.before;
        let given = |name: &String| before.windows(2).any(|w| w[0] == *name && w[1] == "=");
        for name in names.iter().filter(|name| !given(name)) {
            self.put(&format!("{name} = "), ItemKindOf::PROPERTY, Some(format!("of `{}`", call.name)), None);
        }
    }

    // ---- declarations ----

    pub(super) fn declarations(&mut self, wanted: impl std::ops::Fn(&ItemKind) -> bool) {
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
            let doc = decl.item.doc.clone();
            match &decl.item.kind {
                ItemKind::Const(_) | ItemKind::Data(_) => self.put(&name, kind, Some(head(&decl.item)), doc),
                // A solver without arguments is written by its name alone.
                solver @ ItemKind::Solver(_) => self.put(&name, kind, Some(header_text(solver)), doc),
                called => self.put_called(&name, kind, &header_text(called), doc),
            }
        }
    }

    pub(super) fn models(&mut self) {
        self.own_parameters();
        self.declarations(|kind| matches!(kind, ItemKind::Model(_)));
        self.operators("model");
        self.laws();
    }

    /// Targets, operators on them, and the laws of the tables.
    pub(super) fn laws(&mut self) {
        self.own_parameters();
        self.declarations(|kind| matches!(kind, ItemKind::Target(_)));
        for law in distributions::TABLE {
            self.put_called(law.name, ItemKindOf::CLASS, &law_signature(law), Some(law.doc.into()));
        }
        self.operators("target");
    }

    fn operators(&mut self, result: &str) {
        for o in operators::TABLE.iter().filter(|o| gives(o, result)) {
            self.put_called(o.name, ItemKindOf::FUNCTION, o.signature, Some(o.doc.into()));
        }
    }

    /// Parameters of the declaration around can be targets, models and solvers.
    fn own_parameters(&mut self) {
        for name in self.own(&[Kind::Parameter]) {
            self.put(&name, ItemKindOf::VARIABLE, None, None);
        }
    }

    pub(super) fn solvers(&mut self) {
        let words = settings::lookup("solver").map_or(&[][..], |s| s.words);
        for (word, _, doc) in words {
            match *word {
                "split" => self.put_snippet("split", "split([${1:A, B/2}]$0)", ItemKindOf::METHOD, doc),
                word => self.word(word, doc),
            }
        }
        self.own_parameters();
        self.declarations(|kind| matches!(kind, ItemKind::Solver(_)));
    }

    pub(super) fn parts(&mut self) {
        self.of_run(&[Kind::Part, Kind::State]);
    }

    // ---- words ----

    pub(super) fn plots(&mut self, still: bool) {
        for row in plots::TABLE.iter().filter(|row| !still || row.kind.is_still()) {
            self.put_called(row.name, ItemKindOf::FUNCTION, row.signature, Some(row.doc.into()));
        }
    }

    pub(super) fn types(&mut self) {
        // What is no number is known to headers alone.
        let header = self.context.place == Place::File;
        let own = words::TABLE.iter().filter(|w| w.kind == words::Kind::Type).map(|w| (w.word, w.doc));
        // parameters of headers may be declarations too
        let declared = keywords::TABLE.iter().filter(|k| header && TYPES.contains(&k.word)).map(|k| (k.word, k.doc));
        for (name, doc) in own.chain(declared) {
            self.word(name, doc);
        }
    }

    pub(super) fn conventions(&mut self) {
        CONVENTIONS.iter().for_each(|name| self.put(name, ItemKindOf::KEYWORD, None, None));
    }

    pub(super) fn forms(&mut self) {
        let forms = Form::NAMES.iter().filter_map(|name| Form::named(name));
        for form in forms.filter(|f| !matches!(f, Form::Later(_))) {
            self.put_snippet(form.name(), form.example(), ItemKindOf::KEYWORD, form.doc());
        }
    }

    pub(super) fn classes(&mut self) {
        for class in NoiseClass::ALL {
            self.word(class.name(), class.doc());
        }
    }
}
