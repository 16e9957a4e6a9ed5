//! Resolving names: every name in every body of the user's files is looked up, whether a run reaches it or not.
//!
//! A walk over the trees with the scopes of the language (a name is declared before it is used and never hidden, except by
//! the parameters of functions). It finds unknown names, names declared twice or hidden, arguments that a header does not
//! have, and constructs that this version does not support; kinds and shapes are the elaborator's (`model::elab`).

mod blocks;
mod expr;
mod items;
mod runs;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use crate::diagnostics::{Diagnostic, codes, suggest};
use crate::model::elab::{did_you_mean, unsupported};
use crate::model::later;
use crate::model::library::{Library, item_name};
use crate::model::{distributions, functions, habits, messages, operators, results};
use crate::source::{FileId, Span};
use crate::syntax::ast::{
    Expr, ExprKind, Fn, Ident, Item, ItemKind, Model, ModelBody, ModelStmt, Param, RunStmt, TargetBody, TargetStmt,
    Type, TypeKind,
};

/// The names in the user's files: what is wrong with them, in no particular order, and what they mean.
#[derive(Debug, Default)]
pub struct Names {
    pub problems: Vec<Diagnostic>,
    pub uses: Vec<Use>,
}

/// A place where a name stands that something declares. The place of the declaration itself is a use too.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Use {
    pub at: Span,
    /// the name where it is declared
    pub of: Span,
    pub kind: Kind,
}

/// What a declared name is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Value,
    Parameter,
    Function,
    State,
    Noise,
    Size,
    /// of a model, which `split` composes
    Part,
    Declaration,
}

/// Looks up every name in the user's files.
pub fn resolve(library: &Library) -> Names {
    let mut resolver = Resolver::new(library);
    for decl in library.own() {
        resolver.item(&decl.item);
    }
    let mut uses = resolver.uses;
    uses.sort_unstable();
    uses.dedup();
    let mut problems = resolver.problems;
    // What is wrong may be why nothing is left that uses a state.
    if !problems.iter().any(Diagnostic::is_error) {
        problems.extend(unused_states(library, &uses));
    }
    Names { problems, uses }
}

/// States of models that have no equation and stand nowhere else, where there is a run that could have asked for them.
fn unused_states(library: &Library, uses: &[Use]) -> Vec<Diagnostic> {
    let used: HashSet<Span> = uses.iter().filter(|u| u.at != u.of).map(|u| u.of).collect();
    let models = library.own().filter(|_| library.runs().next().is_some());
    let states = models.flat_map(|d| match &d.item.kind {
        ItemKind::Model(Model { body: ModelBody::System(statements), .. }) => statements.as_slice(),
        _ => &[],
    });
    let states = states.filter_map(|s| if let ModelStmt::State(state) = s { Some(&state.name) } else { None });
    let unused = |name: &Ident| {
        let message = format!("the state `{}` has no equation, and nothing uses it", name.name);
        Diagnostic::warning(codes::UNUSED_STATE, message, name.span, "keeps its start")
            .help(format!("add its equation, as in `d{} = ... dt`, or leave the state out", name.name))
    };
    states.filter(|name| !used.contains(&name.span)).map(unused).collect()
}

/// States that are listed where a name is unknown, at most.
const LISTED: usize = 12;

/// Names that have a meaning everywhere, and are declared nowhere, with what they are.
pub const GIVEN: [(&str, &str); 5] = [
    ("t", "the time"),
    ("dt", "the length of a step"),
    ("step", "the index of a step"),
    ("pi", "a number"),
    ("inf", "a number"),
];

/// The names that the model of an expression gives to its run; `None` where they cannot be told from the text.
pub fn names_given(library: &Library, model: &Expr) -> Option<Vec<String>> {
    let names = Resolver::new(library).names_of_model(model, 0)?;
    Some(names.into_iter().map(|(name, _)| name.to_string()).collect())
}

/// The names that the model of a run gives to it, and its parts; the run begins at byte `start` of a file.
pub fn names_in_run(library: &Library, file: FileId, start: usize) -> Vec<(String, Kind)> {
    let mut runs = library.runs().filter(|(d, _)| d.file == file && d.item.span.start as usize == start);
    let model = runs.next().and_then(|(_, run)| {
        run.statements.iter().find_map(|s| match s {
            RunStmt::Setting { name, value, .. } if name.name == "model" => Some(value),
            _ => None,
        })
    });
    let Some(e) = model else { return Vec::new() };
    let resolver = Resolver::new(library);
    let names = resolver.names_of_model(e, 0).unwrap_or_default();
    let names = names.into_iter().map(|(name, known)| (name.to_string(), known.what.kind()));
    names.chain(resolver.parts_of_model(e, 0).into_iter().map(|p| (p.name.clone(), Kind::Part))).collect()
}

/// What a name stands for, as far as names go.
#[derive(Copy, Clone, Debug)]
enum What<'p> {
    Value,
    Parameter,
    Function(&'p [Param]),
    State,
    Noise,
    Size,
}

impl What<'_> {
    fn kind(self) -> Kind {
        match self {
            What::Value => Kind::Value,
            What::Parameter => Kind::Parameter,
            What::Function(_) => Kind::Function,
            What::State => Kind::State,
            What::Noise => Kind::Noise,
            What::Size => Kind::Size,
        }
    }
}

#[derive(Copy, Clone, Debug)]
struct Known<'p> {
    span: Span,
    what: What<'p>,
}

/// One level of names.
#[derive(Debug, Default)]
struct Frame<'p> {
    names: HashMap<String, Known<'p>>,
    /// names given by the language here: no declaration to point at
    given: bool,
    /// holds names that cannot be listed (the states of a model that is an argument): nothing is unknown
    wild: bool,
}

struct Resolver<'p> {
    library: &'p Library,
    problems: Vec<Diagnostic>,
    uses: Vec<Use>,
    frames: Vec<Frame<'p>>,
    /// depth of constructs that are not supported: those inside are not told again
    muted: usize,
    /// constructs told of in this item
    told: HashSet<String>,
    /// names that this item declares somewhere, for names used before they are declared
    below: HashMap<String, Span>,
    /// names that would read as differentials of the states and noises of this model
    differentials: HashMap<String, (&'static str, Span)>,
    /// what can be renewed here; `None` outside prime blocks
    renewable: Option<Vec<String>>,
    /// inside the right side of a flow
    flow: bool,
    /// inside a run: statistics have a meaning
    run: bool,
    /// runs declared so far
    runs: Vec<&'p str>,
    /// the parts of the model of this run
    parts: Vec<&'p Ident>,
}

impl<'p> Resolver<'p> {
    fn new(library: &'p Library) -> Resolver<'p> {
        let given = |name: &str| (name.to_string(), Known { span: Span::default(), what: What::Value });
        let names = GIVEN.map(|g| given(g.0)).into_iter().collect();
        let mut top = Frame::default();
        for decl in library.own() {
            if matches!(decl.item.kind, ItemKind::Run(_)) {
                continue;
            }
            if let Some(name) = item_name(&decl.item.kind) {
                let what = decl.item.kind.header().map_or(What::Value, What::Function);
                top.names.entry(name.name.clone()).or_insert(Known { span: name.span, what });
            }
        }
        Resolver {
            library,
            problems: Vec::new(),
            uses: Vec::new(),
            frames: vec![Frame { names, given: true, wild: false }, top],
            muted: 0,
            told: HashSet::new(),
            below: HashMap::new(),
            differentials: HashMap::new(),
            renewable: None,
            flow: false,
            run: false,
            runs: Vec::new(),
            parts: Vec::new(),
        }
    }

    fn item(&mut self, item: &'p Item) {
        self.told.clear();
        self.below.clear();
        if let Some(name) = item_name(&item.kind) {
            self.used(name.span, name.span, Kind::Declaration);
            if self.frames[0].names.contains_key(&name.name) {
                self.given(name);
            }
        }
        match &item.kind {
            ItemKind::Use(..) => {}
            ItemKind::Const(c) => self.expr(&c.value),
            ItemKind::Data(d) => self.within(|s| {
                s.fixing_type(&d.ty);
                s.expr(&d.value);
            }),
            ItemKind::Fn(f) => self.function_body(f),
            ItemKind::Target(t) => self.target(t),
            ItemKind::Model(m) => self.model(m),
            ItemKind::Solver(s) => self.solver(s),
            ItemKind::Run(r) => self.run_item(r),
        }
    }

    fn report(&mut self, problem: Diagnostic) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Tells, once in an item, that a construct is not supported, and resolves what is inside it in silence about others.
    fn later(&mut self, what: &str, span: Span, inside: impl FnOnce(&mut Self)) {
        if self.muted == 0 && self.told.insert(what.to_string()) {
            self.report(unsupported(what, span));
        }
        self.muted += 1;
        inside(self);
        self.muted -= 1;
    }

    // Scopes.

    /// Resolves something in a scope of its own.
    fn within<T>(&mut self, body: impl FnOnce(&mut Self) -> T) -> T {
        self.frames.push(Frame::default());
        let result = body(self);
        self.frames.pop();
        result
    }

    /// As `within`, in a place where unknown names have a meaning of their own.
    fn within_wild(&mut self, body: impl FnOnce(&mut Self)) {
        self.frames.push(Frame { wild: true, ..Frame::default() });
        body(self);
        self.frames.pop();
    }

    fn find(&self, name: &str) -> Option<Known<'p>> {
        self.frames.iter().rev().find_map(|f| f.names.get(name)).copied()
    }

    /// Found in a scope, not only among the user's top-level declarations.
    fn find_local(&self, name: &str) -> Option<Known<'p>> {
        self.frames[2..].iter().rev().find_map(|f| f.names.get(name)).copied()
    }

    fn is_wild(&self) -> bool {
        self.frames.iter().any(|f| f.wild)
    }

    fn insert(&mut self, name: &str, span: Span, what: What<'p>) {
        self.used(span, span, what.kind());
        self.put(name, span, what);
    }

    /// Puts a name into the innermost scope that is declared elsewhere.
    fn put(&mut self, name: &str, span: Span, what: What<'p>) {
        let frame = self.frames.last_mut().expect("there is always a scope");
        frame.names.insert(name.to_string(), Known { span, what });
    }

    /// Declares a name, which may hide nothing but a built-in function or a name of the library.
    fn declare(&mut self, ident: &Ident, what: What<'p>) {
        let name = &ident.name;
        if !self.reads_as_differential(ident) {
            let here = self.frames.last().and_then(|f| f.names.get(name)).copied();
            let around = self.frames.iter().rev().skip(1).find_map(|f| f.names.get(name).map(|k| (k.span, f.given)));
            match (here, around) {
                (Some(first), _) => self.declared_twice(ident, first.span),
                (None, Some((_, true))) => self.given(ident),
                (None, Some((first, false))) => self.hides(ident, first),
                (None, None) => {}
            }
        }
        self.insert(name, ident.span, what);
    }

    /// Declares a parameter of a function, which may hide anything.
    fn declare_argument(&mut self, ident: &Ident) {
        let here = self.frames.last().and_then(|f| f.names.get(&ident.name)).copied();
        match here {
            Some(first) => self.declared_twice(ident, first.span),
            None => {
                self.reads_as_differential(ident);
            }
        }
        self.insert(&ident.name, ident.span, What::Parameter);
    }

    fn reads_as_differential(&mut self, ident: &Ident) -> bool {
        let Some((what, first)) = self.differentials.get(&ident.name).copied() else { return false };
        let message = format!("`{}` would read as the differential of the {what} `{}`", ident.name, &ident.name[1..]);
        let d = Diagnostic::error(codes::RESERVED_NAME, message, ident.span, "declared here");
        let d = d.label(first, format!("the {what}"));
        self.report(d.help("give it a name that is not `d` followed by a state or a noise"));
        true
    }

    fn declared_twice(&mut self, ident: &Ident, first: Span) {
        let message = format!("`{}` is declared twice", ident.name);
        let d = Diagnostic::error(codes::DUPLICATE_NAME, message, ident.span, "declared again");
        self.report(if first == Span::default() { d } else { d.label(first, "first declared here") });
    }

    fn given(&mut self, ident: &Ident) {
        let given = GIVEN.iter().find(|g| g.0 == ident.name);
        let what = given.map_or("given by the form of the solver", |g| g.1);
        let message = format!("`{}` is {what} and cannot be declared", ident.name);
        let d = Diagnostic::error(codes::RESERVED_NAME, message, ident.span, "has a meaning already");
        self.report(d.help("give it another name; only the parameters of a `fn` or `->` may be called so"));
    }

    fn hides(&mut self, ident: &Ident, first: Span) {
        let message = format!("`{}` hides another name", ident.name);
        self.report(
            Diagnostic::error(codes::SHADOWED, message, ident.span, "declared again in an inner place")
                .label(first, "declared here")
                .note("a name means one thing; only the parameters of a `fn` or `->` may hide another")
                .help("give one of the two another name"),
        );
    }

    // Uses of names.

    /// Notes what a name at some place means; names that the language gives are declared nowhere.
    fn used(&mut self, at: Span, of: Span, kind: Kind) {
        if of != Span::default() {
            self.uses.push(Use { at, of, kind });
        }
    }

    /// Notes a name that a scope holds or a file declares.
    fn note(&mut self, name: &str, at: Span) {
        match self.find(name) {
            Some(known) if self.find_local(name).is_some() => self.used(at, known.span, known.what.kind()),
            _ => {
                let names = self.library.lookup(name).into_iter().filter_map(|d| item_name(&d.item.kind));
                let places: Vec<Span> = names.map(|n| n.span).collect();
                places.into_iter().for_each(|of| self.used(at, of, Kind::Declaration));
            }
        }
    }

    /// Notes the state, value or noise after the `d` of a differential.
    fn note_differential(&mut self, ident: &Ident) {
        let at = Span { start: ident.span.start + 1, ..ident.span };
        if let Some(known) = ident.name.strip_prefix('d').and_then(|rest| self.find_local(rest)) {
            self.used(at, known.span, known.what.kind());
        }
    }

    /// Notes a differential whose whole name a scope holds: `dW` in a step rule.
    fn note_local(&mut self, ident: &Ident) {
        if let Some(known) = self.find_local(&ident.name) {
            self.used(ident.span, known.span, known.what.kind());
        }
    }

    /// Notes a parameter that an argument names.
    fn note_argument(&mut self, params: &[Param], arg: &Ident) {
        if let Some(param) = params.iter().find(|p| p.name.name == arg.name) {
            self.used(arg.span, param.name.span, Kind::Parameter);
        }
    }

    /// A name that is read as a value.
    fn use_name(&mut self, name: &str, span: Span) {
        self.note(name, span);
        match self.find(name) {
            Some(Known { what: What::Noise, span: first }) => self.noise_as_value(name, span, first),
            Some(_) => {}
            None if self.flow && is_differential(name) && !self.built_in(name) => {
                self.note_differential(&Ident { name: name.into(), span });
            }
            None => self.use_global(name, span),
        }
    }

    fn built_in(&self, name: &str) -> bool {
        functions::lookup(name).is_some()
            || distributions::lookup(name).is_some()
            || !self.library.lookup(name).is_empty()
    }

    fn use_global(&mut self, name: &str, span: Span) {
        if !self.library.lookup(name).is_empty() || distributions::lookup(name).is_some() {
            return;
        }
        match functions::lookup(name) {
            Some(f) if later::function(f) => self.later(&format!("`{name}`"), span, |_| {}),
            Some(_) => {}
            None if operators::lookup(name).is_some() => {}
            None if self.run && results::statistic(name).is_some() => {}
            None => self.unknown(name, span),
        }
    }

    fn unknown(&mut self, name: &str, span: Span) {
        if self.is_wild() {
            return;
        }
        if self.runs.contains(&name) {
            return self.later(later::EARLIER_RUN, span, |_| {});
        }
        if later::LIBRARY.contains(&name) {
            return self.later(&format!("the library's `{name}`"), span, |_| {});
        }
        if results::statistic(name).is_some() {
            return self.statistic_outside(name, span);
        }
        if let Some(rest) = name.strip_prefix('d')
            && let Some(Known { what: What::Noise | What::State, .. }) = self.find(rest)
        {
            return self.differential_outside(name, span);
        }
        let mut d = Diagnostic::error(codes::UNKNOWN_NAME, format!("`{name}` is not declared"), span, "unknown name");
        if let Some(below) = self.below.get(name).filter(|b| **b != span) {
            d = d.label(*below, "declared only here, or in another place");
            d = d.help("a name is declared before it is used, and known inside the braces and loops around it");
        } else if let Some(variable) = self.variable_of_let(name).filter(|_| self.run) {
            let help =
                format!("the `let`s of a target are its own: write `let {name} = ...` from `{variable}` in the run");
            d = d.help(help);
        } else if let Some(habit) = habits::of_name(name) {
            d = messages::with_habit(d, habit);
        } else {
            let known = self.known_names();
            let near = suggest(name, known.iter().map(String::as_str));
            let (what, names) = self.names_here();
            if !names.is_empty() {
                d = d.note(format!("{what}: {}", names.join(", ")));
            }
            d = d.did_you_mean(&near, span);
        }
        self.report(d);
    }

    /// The point of a target of the user's files that has a `let` of a name.
    fn variable_of_let(&self, name: &str) -> Option<&str> {
        let targets = self.library.own().filter_map(|d| match &d.item.kind {
            ItemKind::Target(target) => Some(target),
            _ => None,
        });
        let has = |s: &TargetStmt| matches!(s, TargetStmt::Let(l) if l.name.name == name);
        targets.into_iter().find_map(|t| match &t.body {
            TargetBody::Density { variable, statements, .. } if statements.iter().any(has) => {
                Some(variable.name.as_str())
            }
            _ => None,
        })
    }

    /// The names that are near at hand: in a run the states of its model, elsewhere what the declaration itself gives.
    fn names_here(&self) -> (&'static str, Vec<&str>) {
        let inner = self.frames.iter().skip(2).filter(|f| !f.given).flat_map(|f| &f.names);
        let fits = |what: What<'_>| if self.run { matches!(what, What::State) } else { !matches!(what, What::Noise) };
        let mut names: Vec<&str> = inner.filter(|(_, k)| fits(k.what)).map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names.truncate(LISTED);
        (if self.run { "states of the model" } else { "names that are known here" }, names)
    }

    fn suggestion(&self, name: &str) -> Option<String> {
        if let Some(habit) = habits::of_name(name) {
            return Some(habit);
        }
        did_you_mean(name, self.known_names().iter().map(String::as_str))
    }

    /// Every name that could stand here.
    fn known_names(&self) -> Vec<String> {
        let mut known: Vec<String> = self.frames.iter().flat_map(|f| f.names.keys().cloned()).collect();
        known.sort();
        known.extend(self.library.names());
        known.extend(functions::names().map(str::to_string));
        known.extend(distributions::TABLE.iter().map(|d| d.name.to_string()));
        known.extend(operators::TABLE.iter().map(|o| o.name.to_string()));
        if self.run {
            known.extend(results::statistic_names().map(str::to_string));
        }
        known
    }

    fn statistic_outside(&mut self, name: &str, span: Span) {
        let message = format!("`{name}` is a statistic over paths, which only a run can take");
        let d = Diagnostic::error(codes::BAD_STATISTIC, message, span, "not in a run");
        let d = d.note("inside a path there is only that path");
        self.report(match name {
            "mean" => d.help("the average of an array is `avg(x)`").instead(span, "avg"),
            "quantile" | "var" | "std" => d.help("take it in a `report` or a `check` of a run"),
            _ => d,
        });
    }

    fn noise_as_value(&mut self, name: &str, span: Span, first: Span) {
        let message = format!("the noise `{name}` has no value; only its increment `d{name}` is used, in a flow");
        self.report(
            Diagnostic::error(codes::NOISE_MISUSE, message, span, "used as a value")
                .label(first, "declared here")
                .help(format!("for its path declare a state that follows it: `state B = 0.0` and `dB = d{name}`")),
        );
    }

    fn differential_outside(&mut self, name: &str, span: Span) {
        let message = format!("the differential `{name}` stands outside a flow");
        self.report(
            Diagnostic::error(codes::NOISE_MISUSE, message, span, "not in an equation `dx = ...`")
                .note("a differential has a meaning only on the right side of a flow, and in the steps of solvers"),
        );
    }

    // Types and sizes.

    /// The type of something that has its value elsewhere (an argument, data): sizes met first are fixed by it.
    fn fixing_type(&mut self, ty: &'p Type) {
        match &ty.kind {
            TypeKind::Function(args, result) => {
                args.iter().for_each(|a| self.fixing_type(a));
                self.fixing_type(result);
            }
            TypeKind::Named(name, dims) => {
                self.type_name(name);
                for dim in dims {
                    self.new_sizes(dim);
                    self.expr(dim);
                }
            }
        }
    }

    /// The type of something that is made here: its sizes must be known.
    fn making_type(&mut self, ty: &'p Type) {
        if let TypeKind::Named(name, dims) = &ty.kind {
            self.type_name(name);
            dims.iter().for_each(|dim| self.size(dim));
        }
    }

    fn type_name(&mut self, name: &Ident) {
        if !messages::TYPES.contains(&name.name.as_str()) {
            self.report(messages::unknown_type(&name.name, name.span));
        }
    }

    /// Plain names in the sizes of a type that nothing has declared become sizes.
    fn new_sizes(&mut self, dim: &'p Expr) {
        match &dim.kind {
            ExprKind::Name(name) if self.find(name).is_none() && functions::lookup(name).is_none() => {
                self.insert(name, dim.span, What::Size);
            }
            ExprKind::Binary(_, a, b) => {
                self.new_sizes(a);
                self.new_sizes(b);
            }
            ExprKind::Paren(a) => self.new_sizes(a),
            _ => {}
        }
    }

    /// A size that must be known.
    fn size(&mut self, dim: &'p Expr) {
        match &dim.kind {
            ExprKind::Name(name) if self.find(name).is_none() && !self.is_wild() => {
                let near = self.suggestion(name);
                self.report(messages::open_size(name, dim.span, near));
            }
            _ => self.expr(dim),
        }
    }

    /// The parameters of a declaration (not of a function), and the sizes in their types.
    fn header(&mut self, params: &'p [Param]) {
        for param in params {
            if let Some(ty) = &param.ty {
                let own =
                    |s: &Self, name: &str| s.find_local(name).is_none() && params.iter().any(|p| p.name.name == name);
                self.param_type(ty, &own);
            }
            self.param_rest(param);
            self.declare(&param.name, What::Parameter);
        }
    }

    /// The sizes of a parameter's type; a size may be a later parameter of the header.
    fn param_type(&mut self, ty: &'p Type, own: &dyn std::ops::Fn(&Self, &str) -> bool) {
        match &ty.kind {
            TypeKind::Named(name, dims) => {
                self.type_name(name);
                for dim in dims {
                    if !matches!(&dim.kind, ExprKind::Name(n) if own(self, n)) {
                        self.new_sizes(dim);
                        self.expr(dim);
                    }
                }
            }
            TypeKind::Function(args, result) => {
                args.iter().for_each(|a| self.param_type(a, own));
                self.param_type(result, own);
            }
        }
    }

    fn param_rest(&mut self, param: &'p Param) {
        if let Some(default) = &param.default {
            self.expr(default);
        }
        if let Some(range) = &param.range {
            self.expr(&range.lo);
            self.expr(&range.hi);
        }
    }

    /// `fn` in any place: its name is known from here on (in its own body too: recursion is told by the elaborator).
    fn function(&mut self, f: &'p Fn) {
        self.declare(&f.name, What::Function(&f.header));
        self.function_body(f);
    }

    fn function_body(&mut self, f: &'p Fn) {
        self.within(|s| {
            let before = std::mem::take(&mut s.flow);
            for param in &f.header {
                if let Some(ty) = &param.ty {
                    let own = |_: &Self, name: &str| f.header.iter().any(|p| p.name.name == name);
                    s.param_type(ty, &own);
                }
                s.param_rest(param);
                s.declare_argument(&param.name);
            }
            s.within(|s| {
                f.lets.iter().for_each(|l| s.let_statement(l));
                s.expr(&f.value);
            });
            s.flow = before;
        });
    }

    fn let_statement(&mut self, l: &'p crate::syntax::ast::Let) {
        if let Some(ty) = &l.ty {
            self.fixing_type(ty);
        }
        self.expr(&l.value);
        self.declare(&l.name, What::Value);
    }
}

/// `d` and at least one more letter.
fn is_differential(name: &str) -> bool {
    name.chars().count() > 1 && name.starts_with('d')
}
