//! Names in runs: those of the model are in sight, whatever expression makes it.

use super::{Kind, Known, Resolver, What};
use crate::diagnostics::{Diagnostic, codes, suggest};
use crate::model::messages::SETTINGS;
use crate::model::{distributions, habits, later, messages, operators, plots};
use crate::source::Span;
use crate::syntax::ast::{
    Expr, ExprKind, Ident, ItemKind, ModelBody, ModelStmt, Param, Pool, PoolSpan, Run, RunStmt, SettingUnit, Start,
    TargetBody, TypeKind,
};

/// How far a model is followed through aliases and operators.
const MAX_ALIASES: usize = 32;

/// The names that a model gives to a run.
type Names<'p> = Vec<(&'p str, Known<'p>)>;

impl<'p> Resolver<'p> {
    pub(super) fn run_item(&mut self, run: &'p Run) {
        self.run = true;
        self.parts.clear();
        self.below = run_names(&run.statements);
        self.within(|s| {
            s.header(&run.header);
            s.run_body(&run.statements, &run.header);
        });
        self.run = false;
        self.runs.push(&run.name.name);
    }

    fn run_body(&mut self, statements: &'p [RunStmt], header: &'p [Param]) {
        let settings = self.settings(statements);
        let model = settings.iter().find(|(n, _)| n.name == "model").map(|(_, e)| *e);
        if let Some(e) = model {
            self.expr(e);
            self.parts = self.parts_of_model(e, 0);
        }
        let body = |s: &mut Self| {
            // The run's own parameters may have the names of the model's, as in `m(T = T)`.
            for p in header {
                s.put(&p.name.name, p.name.span, What::Parameter);
            }
            if let Some((_, e)) = settings.iter().find(|(n, _)| n.name == "solver") {
                s.solver_setting(e);
            }
            s.within(|s| statements.iter().for_each(|statement| s.run_statement(statement)));
        };
        match model {
            Some(e) => {
                let names = self.names_of_model(e, 0);
                self.model_frame(names, body);
            }
            // A phase goes on with the model of its run.
            None if self.frames.iter().any(|f| f.names.values().any(|k| matches!(k.what, What::State))) => {
                self.within(body);
            }
            None => self.within_wild(body),
        }
    }

    pub(super) fn model_frame(&mut self, names: Option<Names<'p>>, body: impl FnOnce(&mut Self)) {
        let Some(names) = names else { return self.within_wild(body) };
        self.within(|s| {
            for (name, known) in names {
                // What the file declares is not hidden by a name inside a model of the library.
                if matches!(known.what, What::State) || !s.frames[1].names.contains_key(name) {
                    s.put(name, known.span, known.what);
                }
            }
            body(s);
        });
    }

    /// Settings are those of the language, each given once.
    fn settings(&mut self, statements: &'p [RunStmt]) -> Vec<(&'p Ident, &'p Expr)> {
        let mut given: Vec<(&Ident, &Expr)> = Vec::new();
        for statement in statements {
            let RunStmt::Setting { name, value, .. } = statement else { continue };
            if name.name == "init" {
                self.later(later::INIT_FROM_RUN, name.span, |_| {});
            } else if !SETTINGS.contains(&name.name.as_str()) {
                self.report(unknown_setting(name));
            } else if let Some((first, _)) = given.iter().find(|(n, _)| n.name == name.name) {
                let message = format!("the setting `{}` is given twice", name.name);
                let d = Diagnostic::error(codes::DUPLICATE_NAME, message, name.span, "given again");
                self.report(d.label(first.span, "given here"));
            } else {
                given.push((name, value));
            }
        }
        given
    }

    fn run_statement(&mut self, statement: &'p RunStmt) {
        match statement {
            RunStmt::Setting { name, value, unit } => self.setting(name, value, unit.as_ref()),
            RunStmt::Let(l, pool) => {
                self.pooled(pool.as_ref(), |s| {
                    if let Some(ty) = &l.ty {
                        s.making_type(ty);
                    }
                    s.expr(&l.value);
                });
                self.declare(&l.name, What::Value);
            }
            RunStmt::Report(exprs, pool) => self.pooled(pool.as_ref(), |s| exprs.iter().for_each(|e| s.expr(e))),
            RunStmt::Plot { what, pool, .. } => self.pooled(pool.as_ref(), |s| what.iter().for_each(|e| s.plot(e))),
            RunStmt::Check(e, pool) => self.pooled(pool.as_ref(), |s| s.expr(e)),
            RunStmt::Save { value, every, first, .. } => {
                self.expr(value);
                every.iter().chain(first).for_each(|e| self.expr(e));
            }
            RunStmt::Estimate { value, error, span } => self.later(later::ESTIMATE, *span, |s| {
                s.expr(value);
                s.expr(error);
            }),
            RunStmt::Init { name, start } => self.init(name, start),
            // What is swept are parameters of the tree, which are no names here but for those of the model itself.
            RunStmt::Sweep(sets, _) => sets.iter().for_each(|(path, e)| {
                if let [name] = &path.parts[..]
                    && let Some(Known { what: What::Parameter, span }) = self.find_local(&name.name)
                {
                    self.used(name.span, span, Kind::Parameter);
                }
                self.expr(e);
            }),
            RunStmt::Converge(fields, _) => fields.iter().for_each(|(_, e)| self.expr(e)),
            RunStmt::Train { objective, optimiser, steps, span, .. } => self.later(later::TRAIN, *span, |s| {
                s.expr(objective);
                match &optimiser.kind {
                    ExprKind::Call(_, args) => s.arguments(args),
                    ExprKind::Name(_) => {}
                    _ => s.expr(optimiser),
                }
                s.expr(steps);
            }),
            RunStmt::Phase { name, statements, span } => {
                self.later(later::PHASE, *span, |s| s.within(|s| s.run_body(statements, &[])));
                self.declare(name, What::Value);
            }
            RunStmt::For { name, over, statements, span } => self.later(later::PHASES, *span, |s| {
                s.expr(over);
                s.within(|s| {
                    s.declare(name, What::Value);
                    s.run_body(statements, &[]);
                });
            }),
        }
    }

    fn setting(&mut self, name: &'p Ident, value: &'p Expr, unit: Option<&'p SettingUnit>) {
        match name.name.as_str() {
            // Looked up before the statements, or words of their own.
            "model" | "solver" | "precision" | "noise" | "init" => {}
            "time" | "paths" | "seed" | "threads" => {
                self.expr(value);
                match unit {
                    Some(SettingUnit::Step(e) | SettingUnit::Tol(e)) => self.expr(e),
                    Some(SettingUnit::Steps) | None => {}
                }
            }
            _ => self.within_wild(|s| s.expr(value)),
        }
    }

    fn solver_setting(&mut self, e: &'p Expr) {
        match &e.kind {
            ExprKind::List(items) => items.iter().for_each(|i| self.solver_value(i)),
            _ => self.solver_value(e),
        }
    }

    /// An expression that is a solver.
    pub(super) fn solver_value(&mut self, e: &'p Expr) {
        let (name, args) = match &e.kind {
            ExprKind::Name(n) => (n, None),
            ExprKind::Call(f, args) => match &f.kind {
                ExprKind::Name(n) => (n, Some(args)),
                _ => return self.expr(e),
            },
            ExprKind::Paren(inner) => return self.solver_value(inner),
            _ => return self.expr(e),
        };
        if self.find_local(name).is_some() {
            return self.expr(e);
        }
        if name == "split" {
            return self.split(args.map_or(&[], |a| a.as_slice()));
        }
        if name == "auto" {
            return self.arguments(args.map_or(&[], |a| a.as_slice()));
        }
        if later::LIBRARY.contains(&name.as_str()) {
            let what = format!("the library's `{name}`");
            return self.later(&what, e.span, |s| s.arguments(args.map_or(&[], |a| a.as_slice())));
        }
        if self.library.lookup(name).is_empty() {
            if !self.is_wild() {
                self.report(messages::unknown_solver(self.library, name, e.span));
            }
            return self.arguments(args.map_or(&[], |a| a.as_slice()));
        }
        self.expr(e);
    }

    /// `split([A, B/2], B = solver)`: names of parts, and solvers for them.
    fn split(&mut self, args: &'p [crate::syntax::ast::Arg]) {
        for arg in args {
            match &arg.name {
                Some(part) => {
                    self.part(&part.name, part.span);
                    self.solver_value(&arg.value);
                }
                None => {
                    self.parts_in(&arg.value);
                    self.within_wild(|s| s.expr(&arg.value));
                }
            }
        }
    }

    fn parts_in(&mut self, e: &'p Expr) {
        match &e.kind {
            ExprKind::Name(name) => self.part(name, e.span),
            ExprKind::List(items) => items.iter().for_each(|i| self.parts_in(i)),
            ExprKind::Paren(a) | ExprKind::Unary(_, a) => self.parts_in(a),
            ExprKind::Binary(_, a, b) => [a, b].into_iter().for_each(|e| self.parts_in(e)),
            _ => {}
        }
    }

    /// Notes a part of the run's model; an equation by itself is a part with the name of its state.
    fn part(&mut self, name: &str, at: Span) {
        let part = self.parts.iter().find(|p| p.name == name).map(|p| (p.span, Kind::Part));
        let state = self.find_local(name).filter(|k| matches!(k.what, What::State)).map(|k| (k.span, Kind::State));
        if let Some((of, kind)) = part.or(state) {
            self.used(at, of, kind);
        }
    }

    /// `fan(x)`: the kinds of plots are no functions. That a kind is not known is told when the run is worked out.
    fn plot(&mut self, e: &'p Expr) {
        let ExprKind::Call(callee, args) = &e.kind else { return self.expr(e) };
        let row = match &callee.kind {
            ExprKind::Name(name) => plots::find(name),
            _ => None,
        };
        let of_plot = row.is_some_and(|row| row.of == plots::Of::Plot);
        let (first, rest) = args.split_at(usize::from(of_plot).min(args.len()));
        first.iter().for_each(|arg| self.plot(&arg.value));
        self.arguments(rest);
    }

    fn init(&mut self, name: &'p Ident, start: &'p Start) {
        self.note(&name.name, name.span);
        match self.find(&name.name) {
            Some(Known { what: What::State, .. }) => {}
            _ if self.is_wild() => {}
            found => {
                let states = self.frames.iter().flat_map(|f| &f.names);
                let mut states: Vec<&str> =
                    states.filter(|(_, k)| matches!(k.what, What::State)).map(|(n, _)| n.as_str()).collect();
                states.sort_unstable();
                let first = found.map(|k| k.span).filter(|s| *s != Span::default());
                self.report(messages::init_of_no_state(name, &states, first));
            }
        }
        match start {
            Start::Value(e) | Start::Law(e) => self.expr(e),
        }
    }

    /// A statement with its pool; an axis that is pooled has a name inside it.
    fn pooled(&mut self, pool: Option<&'p Pool>, body: impl FnOnce(&mut Self)) {
        self.within(|s| {
            match pool {
                None => {}
                Some(Pool::At(e)) => s.expr(e),
                Some(Pool::Over(spans)) => spans.iter().for_each(|span| s.span(span)),
            }
            body(s);
        });
    }

    fn span(&mut self, span: &'p PoolSpan) {
        match span {
            PoolSpan::Last(e) => self.expr(e),
            PoolSpan::In { name, range, every } => {
                self.expr(range);
                if let Some(e) = every {
                    self.expr(e);
                }
                if name.name != "t" {
                    self.declare(name, What::Value);
                }
            }
        }
    }

    // The names of a model.

    /// The parts that the model of an expression names.
    pub(super) fn parts_of_model(&self, e: &'p Expr, depth: usize) -> Vec<&'p Ident> {
        let name = match &e.kind {
            ExprKind::Paren(inner) if depth <= MAX_ALIASES => return self.parts_of_model(inner, depth + 1),
            ExprKind::Call(callee, _) if depth <= MAX_ALIASES => match &callee.kind {
                ExprKind::Name(name) => name,
                _ => return Vec::new(),
            },
            _ => return Vec::new(),
        };
        let parts = |statements: &'p [ModelStmt]| {
            statements.iter().filter_map(|s| match s {
                ModelStmt::Part { name, .. } => Some(name),
                _ => None,
            })
        };
        match self.library.lookup(name).first().map(|d| &d.item.kind) {
            Some(ItemKind::Model(m)) => match &m.body {
                ModelBody::System(statements) => parts(statements).collect(),
                ModelBody::Alias(inner, with) => {
                    self.parts_of_model(inner, depth + 1).into_iter().chain(parts(with)).collect()
                }
            },
            _ => Vec::new(),
        }
    }

    /// The names that the model of an expression gives; `None` where they cannot be told from the text.
    pub(super) fn names_of_model(&self, e: &'p Expr, depth: usize) -> Option<Names<'p>> {
        if depth > MAX_ALIASES {
            return None;
        }
        let (name, args) = match &e.kind {
            ExprKind::Paren(inner) => return self.names_of_model(inner, depth + 1),
            ExprKind::Call(callee, args) => match &callee.kind {
                ExprKind::Name(name) => (name, args),
                _ => return None,
            },
            _ => return None,
        };
        if self.find_local(name).is_some() {
            return None;
        }
        let point = vec![("x", known_state(Span::default()))];
        match self.library.lookup(name).first().map(|d| &d.item.kind) {
            Some(ItemKind::Model(m)) => {
                let mut names = header_names(&m.header);
                match &m.body {
                    ModelBody::System(statements) => statement_names(statements, &mut names),
                    ModelBody::Alias(inner, with) => {
                        names = self.names_of_model(inner, depth + 1)?;
                        statement_names(with, &mut names);
                    }
                }
                Some(names)
            }
            Some(ItemKind::Target(t)) => Some(match &t.body {
                TargetBody::Density { variable, .. } if variable.name != "x" => {
                    point.into_iter().chain([(variable.name.as_str(), known_state(variable.span))]).collect()
                }
                _ => point,
            }),
            Some(_) => None,
            None if distributions::lookup(name).is_some() => Some(point),
            None => match operators::lookup(name) {
                Some(o) if o.signature.ends_with("model") => self.names_of_model(&args.first()?.value, depth + 1),
                Some(o) if o.signature.ends_with("target") => Some(point),
                _ => None,
            },
        }
    }
}

fn known_state<'p>(span: Span) -> Known<'p> {
    Known { span, what: What::State }
}

fn header_names(params: &[Param]) -> Names<'_> {
    let known = |span, what| Known { span, what };
    let mut names: Names = Vec::new();
    for param in params {
        if let Some(TypeKind::Named(_, dims)) = param.ty.as_ref().map(|t| &t.kind) {
            for dim in dims {
                if let ExprKind::Name(name) = &dim.kind {
                    names.push((name, known(dim.span, What::Size)));
                }
            }
        }
        names.push((&param.name.name, known(param.name.span, What::Parameter)));
    }
    names
}

fn statement_names<'p>(statements: &'p [ModelStmt], names: &mut Names<'p>) {
    for statement in statements {
        let (ident, what) = match statement {
            ModelStmt::State(s) => (&s.name, What::State),
            ModelStmt::Let(l) => (&l.name, What::Value),
            ModelStmt::Const(c) => (&c.name, What::Value),
            ModelStmt::Data(d) => (&d.name, What::Value),
            ModelStmt::Fn(f) => (&f.name, What::Function(&f.header)),
            ModelStmt::Part { statements, .. } => {
                statement_names(statements, names);
                continue;
            }
            _ => continue,
        };
        names.push((&ident.name, Known { span: ident.span, what }));
    }
}

fn run_names(statements: &[RunStmt]) -> std::collections::HashMap<String, Span> {
    let lets = statements.iter().filter_map(|s| match s {
        RunStmt::Let(l, _) => Some((l.name.name.clone(), l.name.span)),
        _ => None,
    });
    lets.collect()
}

fn unknown_setting(name: &Ident) -> Diagnostic {
    let message = format!("`{}` is not a setting of a run", name.name);
    let d = Diagnostic::error(codes::UNKNOWN_SETTING, message, name.span, "unknown setting")
        .note(format!("settings are {}", SETTINGS.join(", ")));
    let near = suggest(&name.name, SETTINGS);
    match habits::of_setting(&name.name) {
        Some(help) => d.help(help),
        None if !near.is_empty() => d.did_you_mean(&near, name.span),
        None => d.help("parameters of the model are set in its arguments, or by `sweep` and `--set`"),
    }
}
