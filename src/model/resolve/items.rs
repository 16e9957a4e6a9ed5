//! Names in targets, models and solvers.

use std::collections::HashMap;

use super::{Kind, Known, Resolver, What};
use crate::diagnostics::{Diagnostic, codes};
use crate::model::forms::{Form, NoiseClass};
use crate::model::{later, messages};
use crate::source::Span;
use crate::syntax::ast::{
    Block, BlockStmt, Expr, ExprKind, Flow, Ident, Model, ModelBody, ModelStmt, Noise, Solver, SolverBody, SolverStmt,
    Start, State, Sub, Target, TargetBody, TargetStmt, Trigger,
};

impl<'p> Resolver<'p> {
    pub(super) fn target(&mut self, target: &'p Target) {
        self.within(|s| {
            s.header(&target.header);
            match &target.body {
                TargetBody::Alias(e) => s.expr(e),
                TargetBody::Density { variable, ty, space, statements } => s.within(|s| {
                    s.below = target_names(statements);
                    s.density(variable, ty, space.as_ref(), statements);
                }),
            }
        });
    }

    fn density(
        &mut self,
        variable: &'p Ident,
        ty: &'p crate::syntax::ast::Type,
        space: Option<&'p Expr>,
        statements: &'p [TargetStmt],
    ) {
        // Data come first whatever their place: they fix sizes that the variable's type may use.
        for statement in statements {
            match statement {
                TargetStmt::Data(d) => self.data(d),
                TargetStmt::Const(c) => self.constant(c),
                _ => {}
            }
        }
        self.making_type(ty);
        if let Some(space) = space {
            self.space(later::TARGET_SPACE, space);
        }
        self.declare(variable, What::Value);
        for statement in statements {
            match statement {
                TargetStmt::Data(_) | TargetStmt::Const(_) => {}
                TargetStmt::Let(l) => self.let_statement(l),
                TargetStmt::Fn(f) => self.function(f),
                TargetStmt::LogDensity(e) | TargetStmt::Potential(e) => self.expr(e),
                TargetStmt::Tilde(left, law) => {
                    self.expr(left);
                    self.expr(law);
                }
            }
        }
    }

    fn data(&mut self, d: &'p crate::syntax::ast::Data) {
        self.fixing_type(&d.ty);
        self.expr(&d.value);
        self.declare(&d.name, What::Value);
    }

    fn constant(&mut self, c: &'p crate::syntax::ast::Const) {
        self.expr(&c.value);
        self.declare(&c.name, What::Value);
    }

    /// A space such as `interval(0, 1)`: the names of spaces are no functions, so only what is in their brackets is looked up.
    fn space(&mut self, what: &str, space: &'p Expr) {
        self.later(what, space.span, |s| match &space.kind {
            ExprKind::Call(_, args) => s.arguments(args),
            ExprKind::Name(_) => {}
            _ => s.expr(space),
        });
    }

    // Models.

    pub(super) fn model(&mut self, model: &'p Model) {
        let statements: &'p [ModelStmt] = match &model.body {
            ModelBody::Alias(_, with) => with,
            ModelBody::System(statements) => statements,
        };
        self.differentials = differentials(statements);
        self.below = model_names(statements);
        self.within(|s| {
            s.header(&model.header);
            match &model.body {
                ModelBody::System(_) => s.within(|s| s.model_statements(statements)),
                ModelBody::Alias(e, with) => {
                    s.expr(e);
                    if !with.is_empty() {
                        s.later(later::MODEL_WITH, model.name.span, |s| {
                            let names = s.names_of_model(e, 0);
                            s.model_frame(names, |s| s.model_statements(with));
                        });
                    }
                }
            }
        });
        self.differentials.clear();
    }

    fn model_statements(&mut self, statements: &'p [ModelStmt]) {
        let mut convention = None;
        for statement in statements {
            match statement {
                ModelStmt::State(state) => self.state(state),
                ModelStmt::Noise(noise) => self.noise(noise),
                ModelStmt::Flow(flow) => self.flow_equation(flow),
                ModelStmt::Let(l) => self.let_statement(l),
                ModelStmt::Const(c) => self.constant(c),
                ModelStmt::Data(d) => self.data(d),
                ModelStmt::Fn(f) => self.function(f),
                ModelStmt::Convention(e, span) => {
                    self.convention(e);
                    if let Some(first) = convention.replace(*span) {
                        self.report(messages::two_conventions(*span, first));
                    }
                }
                ModelStmt::Part { name, statements, .. } => {
                    self.used(name.span, name.span, Kind::Part);
                    self.within(|s| s.model_statements(statements));
                }
                ModelStmt::Step(block, span) => {
                    self.later(later::STEP_OF_MODEL, *span, |s| s.model_block(block));
                }
                ModelStmt::On(trigger, block, span) => self.later(later::event(trigger), *span, |s| {
                    s.trigger(trigger);
                    s.model_block(block);
                }),
            }
        }
    }

    fn model_block(&mut self, block: &'p Block) {
        let states = self.frames.iter().flat_map(|f| &f.names);
        let states = states.filter(|(_, k)| matches!(k.what, What::State)).map(|(n, _)| n.clone()).collect();
        self.block_with(states, block);
    }

    fn trigger(&mut self, trigger: &'p Trigger) {
        match trigger {
            Trigger::At(e) if matches!(&e.kind, ExprKind::Name(n) if n == "start" || n == "end") => {}
            Trigger::Every { period: e, .. } | Trigger::AtRate(e) | Trigger::At(e) | Trigger::When(e) => self.expr(e),
        }
    }

    fn convention(&mut self, e: &'p Expr) {
        // Names of conventions are no values; what is wrong with them is the elaborator's.
        if let ExprKind::Call(_, args) = &e.kind {
            self.arguments(args);
        }
    }

    /// A state of a model, a block or a solver.
    pub(super) fn state(&mut self, state: &'p State) {
        match later::state(state) {
            Some((what, span)) => self.later(&what, span, |s| s.state_parts(state)),
            None => self.state_parts(state),
        }
        self.declare(&state.name, What::State);
    }

    fn state_parts(&mut self, state: &'p State) {
        if let Some(ty) = &state.ty {
            self.making_type(ty);
        }
        match state.space.as_ref().map(|s| &s.kind) {
            Some(ExprKind::Call(_, args)) => self.arguments(args),
            Some(ExprKind::Name(_)) | None => {}
            Some(_) => self.expr(state.space.as_ref().expect("just seen")),
        }
        if let Some(Start::Value(e) | Start::Law(e)) = &state.start {
            self.expr(e);
        }
    }

    fn noise(&mut self, noise: &'p Noise) {
        let (kind, subs): (&Expr, &'p [Sub]) = match &noise.kind.kind {
            ExprKind::Index(inner, subs) => (inner, subs),
            _ => (&noise.kind, &[]),
        };
        let (name, args) = match &kind.kind {
            ExprKind::Name(n) => (Some(n.as_str()), None),
            ExprKind::Call(f, args) => match &f.kind {
                ExprKind::Name(n) => (Some(n.as_str()), Some(args)),
                _ => (None, Some(args)),
            },
            _ => (None, None),
        };
        match name {
            Some("wiener") if args.is_some() => self.report(messages::wiener_called(kind)),
            Some("wiener") => {}
            Some(n) if messages::NOISES.contains(&n) => {
                self.later(&format!("the noise `{n}`"), kind.span, |_| {});
            }
            _ => self.report(messages::unknown_noise(kind)),
        }
        if let Some(args) = args {
            self.arguments(args);
        }
        for sub in subs {
            if let Sub::At(e) = sub {
                self.size(e);
            }
        }
        if let Some((_, matrix)) = &noise.structure {
            self.expr(matrix);
        }
        self.declare(&noise.name, What::Noise);
    }

    fn flow_equation(&mut self, flow: &'p Flow) {
        let name = &flow.differential.name[1..];
        self.note_differential(&flow.differential);
        match self.find(name) {
            Some(Known { what: What::State, .. }) => {}
            _ if self.is_wild() => {}
            found => {
                let states = self.frames.iter().flat_map(|f| &f.names);
                let mut states: Vec<&str> =
                    states.filter(|(_, k)| matches!(k.what, What::State)).map(|(n, _)| n.as_str()).collect();
                states.sort_unstable();
                let problem = messages::flow_of_no_state(
                    &flow.differential,
                    &states,
                    found.map(|k| k.span).filter(|s| *s != Span::default()),
                );
                self.report(problem);
            }
        }
        let body = |s: &mut Self| {
            s.subscripts(&flow.subs);
            s.flow = true;
            s.expr(&flow.value);
            s.flow = false;
        };
        match &flow.comp {
            Some(comp) => self.comprehension(comp, body),
            None => body(self),
        }
    }

    // Solvers.

    pub(super) fn solver(&mut self, solver: &'p Solver) {
        self.within(|s| {
            s.header(&solver.header);
            match &solver.body {
                SolverBody::Alias(e) => s.solver_value(e),
                SolverBody::Rule { form, args, noise, statements } => {
                    s.rule(solver, form, args, noise.as_ref(), statements)
                }
            }
        });
    }

    fn rule(
        &mut self,
        solver: &'p Solver,
        form: &'p Ident,
        args: &'p [Ident],
        noise: Option<&'p Ident>,
        statements: &'p [SolverStmt],
    ) {
        let class = match noise.map(|n| (n, NoiseClass::named(&n.name))) {
            None => NoiseClass::Any,
            Some((_, Some(class))) => class,
            Some((n, None)) => {
                self.report(messages::unknown_class(n));
                NoiseClass::Any
            }
        };
        let kind = Form::named(&form.name);
        match kind {
            None => self.report(messages::unknown_form(form)),
            Some(kind) => {
                if let Some(problem) = messages::wrong_names(form, kind, class, args.len()) {
                    self.report(problem);
                }
            }
        }
        if !statements.iter().any(|s| matches!(s, SolverStmt::Step(..))) {
            self.report(messages::no_step(solver));
        }
        let mut body = |s: &mut Self| {
            s.form_names(kind, class, form.span);
            s.within(|s| {
                args.iter().for_each(|a| s.declare(a, What::Value));
                s.below = solver_names(statements);
                s.solver_statements(kind, statements);
            });
        };
        let framed = |s: &mut Self, body: &mut dyn FnMut(&mut Self)| s.within(|s| body(s));
        match kind {
            Some(Form::Later(name)) => {
                self.later(&format!("a solver on the form `{name}`"), form.span, |s| framed(s, &mut body));
            }
            _ => framed(self, &mut body),
        }
    }

    /// What a form gives besides the names in its brackets.
    fn form_names(&mut self, form: Option<Form>, class: NoiseClass, span: Span) {
        let mut names: Vec<&str> = match form {
            Some(Form::Kinetic) => vec!["q", "v"],
            Some(Form::Later("parts")) => vec!["x", "y"],
            _ => vec!["x"],
        };
        if form != Some(Form::Density) && class != NoiseClass::None {
            names.extend(["dW", "dZ", "levy", "levy_foster"]);
        }
        for name in names {
            self.put(name, span, What::Value);
        }
        let frame = self.frames.last_mut().expect("there is always a scope");
        frame.given = true;
        frame.wild = form.is_none();
    }

    fn solver_statements(&mut self, form: Option<Form>, statements: &'p [SolverStmt]) {
        let mut renewable: Vec<String> = match form {
            Some(Form::Kinetic) => vec!["q".into(), "v".into()],
            Some(Form::Later("parts")) => vec!["x".into(), "y".into()],
            _ => vec!["x".into()],
        };
        for statement in statements {
            match statement {
                SolverStmt::Order { fields, noise, .. } => self.order(fields, noise.as_ref()),
                SolverStmt::Let(l) => self.let_statement(l),
                SolverStmt::Const(c) => self.constant(c),
                SolverStmt::Fn(f) => self.function(f),
                SolverStmt::State(state) => {
                    self.state(state);
                    renewable.push(state.name.name.clone());
                }
                SolverStmt::Step(block, _) => self.block_with(renewable.clone(), block),
            }
        }
    }

    fn order(&mut self, fields: &'p [(Ident, Expr)], noise: Option<&'p Ident>) {
        for (name, e) in fields {
            if !["strong", "weak"].contains(&name.name.as_str()) {
                let message = format!("`{}` is not an order", name.name);
                let d = Diagnostic::error(codes::UNKNOWN_SETTING, message, name.span, "unknown order");
                self.report(d.help("orders are `strong` and `weak`: `order strong = 0.5, weak = 1`"));
            }
            self.expr(e);
        }
        if let Some(noise) = noise
            && NoiseClass::named(&noise.name).is_none()
        {
            self.report(messages::unknown_class(noise));
        }
    }
}

/// The names that would read as differentials in a model: `d` before a state or a noise.
fn differentials(statements: &[ModelStmt]) -> HashMap<String, (&'static str, Span)> {
    let mut all = HashMap::new();
    for statement in statements {
        match statement {
            ModelStmt::State(s) => all.insert(format!("d{}", s.name.name), ("state", s.name.span)),
            ModelStmt::Noise(n) => all.insert(format!("d{}", n.name.name), ("noise", n.name.span)),
            _ => None,
        };
    }
    all
}

fn target_names(statements: &[TargetStmt]) -> HashMap<String, Span> {
    let names = statements.iter().filter_map(|s| match s {
        TargetStmt::Let(l) => Some(&l.name),
        TargetStmt::Fn(f) => Some(&f.name),
        TargetStmt::Const(c) => Some(&c.name),
        TargetStmt::Data(d) => Some(&d.name),
        _ => None,
    });
    names.map(|n| (n.name.clone(), n.span)).collect()
}

fn model_names(statements: &[ModelStmt]) -> HashMap<String, Span> {
    let mut all = HashMap::new();
    for statement in statements {
        let name = match statement {
            ModelStmt::State(s) => &s.name,
            ModelStmt::Let(l) => &l.name,
            ModelStmt::Const(c) => &c.name,
            ModelStmt::Data(d) => &d.name,
            ModelStmt::Fn(f) => &f.name,
            ModelStmt::Part { statements, .. } => {
                all.extend(model_names(statements));
                continue;
            }
            ModelStmt::Step(block, _) | ModelStmt::On(_, block, _) => {
                block_names(block, &mut all);
                continue;
            }
            _ => continue,
        };
        all.insert(name.name.clone(), name.span);
    }
    all
}

fn solver_names(statements: &[SolverStmt]) -> HashMap<String, Span> {
    let mut all = HashMap::new();
    for statement in statements {
        let name = match statement {
            SolverStmt::State(s) => &s.name,
            SolverStmt::Let(l) => &l.name,
            SolverStmt::Const(c) => &c.name,
            SolverStmt::Fn(f) => &f.name,
            SolverStmt::Step(block, _) => {
                block_names(block, &mut all);
                continue;
            }
            SolverStmt::Order { .. } => continue,
        };
        all.insert(name.name.clone(), name.span);
    }
    all
}

fn block_names(block: &[BlockStmt], all: &mut HashMap<String, Span>) {
    for statement in block {
        let name = match statement {
            BlockStmt::Let(l) => &l.name,
            BlockStmt::Fn(f) => &f.name,
            BlockStmt::State(s) => &s.name,
            BlockStmt::Solve { name, .. } => name,
            BlockStmt::If { then, otherwise, .. } => {
                block_names(then, all);
                otherwise.iter().for_each(|b| block_names(b, all));
                continue;
            }
            BlockStmt::For { body, .. } => {
                block_names(body, all);
                continue;
            }
            _ => continue,
        };
        all.insert(name.name.clone(), name.span);
    }
}
