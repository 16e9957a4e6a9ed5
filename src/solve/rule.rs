//! Step rules: which declaration of a solver's name fits a model, and the step that it makes.

use std::rc::Rc;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Id, Op, Ty, VarId, VarKind};
use crate::model::elab::{AcceptSink, Draws, Elab, Reported, Try, WienerSink};
use crate::model::messages;
use crate::model::system::{Model, RULE_SITE};
use crate::model::target::Target;
use crate::model::value::{AppliedSolver, Scope, Value};
use crate::solve::block::Newest;
use crate::solve::estimate::Estimate;
use crate::solve::form::{Form, NoiseClass, Structured};
use crate::solve::integral::Asked;
use crate::source::Span;
use crate::syntax::ast::{self, Ident, ItemKind, SolverBody, SolverStmt};

/// No rule has a higher order than this.
const MOST_ORDER: f64 = 20.0;

/// A step, as new values of states in terms of old ones and draws.
#[derive(Debug)]
pub struct Step {
    pub solver: String,
    pub renew: Vec<(VarId, Id)>,
    /// what the rule remembers: variable and start (in terms of the starts of the states)
    pub memory: Vec<(VarId, Id)>,
    /// accepted in this step (0 to 1), and summed over steps
    pub acceptance: Option<(VarId, VarId)>,
    pub orders: Orders,
    /// a Wiener integral over a part of the step
    pub part_of_step: Option<Span>,
    /// the turns of Wiener processes that are met over a part of the step, with its ends as shares of the step
    pub parts: Vec<(u16, [Id; 2])>,
    /// it has implicit stages, which are NaN where they are not solved
    pub implicit: bool,
    /// why it was chosen, where `auto` did
    pub why: Option<String>,
    pub form: Form,
    /// what the rule says of its error
    pub estimate: Option<Estimate>,
}

impl Step {
    /// A step that renews states, of which nothing else is said.
    pub fn plain(solver: &str, form: Form, renew: Vec<(VarId, Id)>) -> Step {
        Step {
            solver: solver.into(),
            renew,
            memory: Vec::new(),
            acceptance: None,
            orders: Orders::default(),
            part_of_step: None,
            parts: Vec::new(),
            implicit: false,
            why: None,
            form,
            estimate: None,
        }
    }
}

/// Orders of convergence that a declaration states.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Orders {
    pub strong: Option<f64>,
    pub weak: Option<f64>,
}

/// One declaration of a solver's name.
#[derive(Clone, Debug)]
pub struct Rule {
    pub decl: Rc<ast::Item>,
    pub form: Form,
    pub class: NoiseClass,
    pub library: bool,
}

/// Whether a rule can move a model.
#[derive(Clone, Debug)]
pub enum Fit {
    Fits,
    /// in a sentence
    No(String),
}

impl Rule {
    pub fn solver(&self) -> &ast::Solver {
        match &self.decl.kind {
            ItemKind::Solver(s) => s,
            _ => unreachable!("rules are made of solver declarations"),
        }
    }

    /// By which the narrowest rule comes first: a form that says more of the model, then a narrower noise.
    pub fn narrowness(&self) -> (u8, NoiseClass) {
        let form = match self.form {
            Form::Geometric | Form::SquareRoot | Form::Linear => 0,
            Form::Kinetic | Form::Density => 1,
            Form::Semilinear => 2,
            Form::Ito | Form::Stratonovich | Form::Later(_) => 3,
        };
        (form, self.class)
    }

    pub fn parts(&self) -> (&[Ident], &[SolverStmt]) {
        match &self.solver().body {
            SolverBody::Rule { args, statements, .. } => (args, statements),
            SolverBody::Alias(_) => (&[], &[]),
        }
    }

    /// The `order` lines of a declaration, with the noise that each is for where it says so.
    pub fn stated(statements: &[SolverStmt]) -> impl Iterator<Item = (Option<NoiseClass>, Orders)> {
        statements.iter().filter_map(|statement| {
            let SolverStmt::Order { fields, noise, .. } = statement else { return None };
            let field = |name: &str| {
                fields.iter().find(|(k, _)| k.name == name).and_then(|(_, e)| match &e.kind {
                    ast::ExprKind::Number { value, .. } => Some(*value),
                    _ => None,
                })
            };
            let class = noise.as_ref().and_then(|n| NoiseClass::named(&n.name));
            Some((class, Orders { strong: field("strong"), weak: field("weak") }))
        })
    }

    /// Whether the step keeps something of its own for the next one.
    pub fn remembers(&self) -> bool {
        self.parts().1.iter().any(|s| matches!(s, SolverStmt::State(_)))
    }

    /// The orders stated for a noise of some class: the narrowest statement that covers it.
    pub fn orders(&self, covers: impl Fn(NoiseClass) -> bool) -> Orders {
        let lines = Rule::stated(self.parts().1).map(|(class, orders)| (class.unwrap_or(NoiseClass::Any), orders));
        lines.filter(|(class, _)| covers(*class)).min_by_key(|(class, _)| *class).map(|l| l.1).unwrap_or_default()
    }
}

impl Elab<'_> {
    /// The splitting that a solver's name stands for, in `solver mine() = split(...)`.
    fn split_behind(&mut self, solver: &AppliedSolver) -> Try<Option<Rc<AppliedSolver>>> {
        let decls = self.library.lookup_in(&solver.name, solver.library);
        let [decl] = decls[..] else { return Ok(None) };
        let decl = decl.clone();
        let ItemKind::Solver(ast::Solver { name, header, body: SolverBody::Alias(e) }) = &decl.item.kind else {
            return Ok(None);
        };
        let scope = self.root_scope(decl.library);
        self.bind_header(&name.name, header, &solver.args, solver.span, &scope)?;
        let value = self.guarded(&name.name, decl.library, solver.span, |this| this.expr(e, &scope))?;
        match value {
            Value::Solver(inner) if inner.split.is_some() => Ok(Some(inner)),
            Value::Solver(inner) => self.split_behind(&inner),
            _ => Ok(None),
        }
    }

    /// The rules of a solver's name, the narrowest first. Nobody hears of problems: of a name with some, there are none.
    pub fn rules_by_narrowness(&mut self, name: &str) -> Vec<Rule> {
        let before = self.diagnostics.len();
        let rules = self.rules(&AppliedSolver::named(name, Vec::new(), Span::default()));
        self.diagnostics.truncate(before);
        let mut rules = rules.map_or_else(|_| Vec::new(), |r| r.0);
        rules.sort_by_key(Rule::narrowness);
        rules
    }

    /// The declarations of a solver's name, aliases followed.
    pub fn rules(&mut self, solver: &AppliedSolver) -> Try<(Vec<Rule>, Vec<crate::model::value::BoundArg>)> {
        let decls: Vec<crate::model::library::Decl> = self
            .library
            .lookup_in(&solver.name, solver.library)
            .into_iter()
            .filter(|d| matches!(d.item.kind, ItemKind::Solver(_)))
            .cloned()
            .collect();
        let mut rules: Vec<Rule> = Vec::new();
        for decl in &decls {
            let ItemKind::Solver(s) = &decl.item.kind else { continue };
            match &s.body {
                SolverBody::Alias(e) => {
                    let scope = self.root_scope(decl.library);
                    self.bind_header(&s.name.name, &s.header, &solver.args, solver.span, &scope)?;
                    let e = e.clone();
                    return self.guarded(&s.name.name, decl.library, solver.span, |this| {
                        match this.expr(&e, &scope)? {
                            Value::Solver(inner) => this.rules(&inner),
                            other => {
                                let message = format!("a solver is wanted here, and this is {}", other.kind());
                                this.error(codes::TYPE_MISMATCH, message, e.span, "not a solver")
                            }
                        }
                    });
                }
                SolverBody::Rule { form, args, noise, .. } => {
                    let rule = self.rule_head(decl, form, args, noise.as_ref())?;
                    let same = |r: &&Rule| (r.form, r.class, r.library) == (rule.form, rule.class, rule.library);
                    if let Some(first) = rules.iter().find(same) {
                        let (form, class) = (rule.form.name(), rule.class.name());
                        let message = format!("`{}` on {form} for {class} is declared twice", s.name.name);
                        let first = first.solver().name.span;
                        return self.fail(
                            Diagnostic::error(codes::DUPLICATE_NAME, message, s.name.span, "declared again")
                                .label(first, "declared here"),
                        );
                    }
                    rules.push(rule);
                }
            }
        }
        // Rules on forms of later versions give way to others of the same name.
        let later = rules.iter().find_map(|r| match (r.form, &r.solver().body) {
            (Form::Later(name), SolverBody::Rule { form, .. }) => Some((name, form.span)),
            _ => None,
        });
        rules.retain(|r| !matches!(r.form, Form::Later(_)));
        match later {
            Some((name, span)) if rules.is_empty() => self.unsupported(&format!("a solver on the form `{name}`"), span),
            _ => Ok((rules, solver.args.clone())),
        }
    }

    fn rule_head(
        &mut self,
        decl: &crate::model::library::Decl,
        form: &Ident,
        args: &[Ident],
        noise: Option<&Ident>,
    ) -> Try<Rule> {
        let Some(kind) = Form::named(&form.name) else { return self.fail(messages::unknown_form(form)) };
        let class = match noise {
            None => NoiseClass::Any,
            Some(n) => match NoiseClass::named(&n.name) {
                Some(class) => class,
                None => return self.fail(messages::unknown_class(n)),
            },
        };
        if let Some(problem) = messages::wrong_names(form, kind, class, args.len()) {
            return self.fail(problem);
        }
        let rule = Rule { decl: decl.item.clone(), form: kind, class, library: decl.library };
        for (_, orders) in Rule::stated(rule.parts().1) {
            let stated = [orders.strong, orders.weak].into_iter().flatten();
            if let Some(bad) = stated.into_iter().find(|order| !(*order > 0.0 && *order <= MOST_ORDER)) {
                let message = format!("an order of convergence is positive and at most {MOST_ORDER}, and not {bad}");
                return self.error(codes::BAD_STEP_RULE, message, rule.solver().name.span, "states such an order");
            }
        }
        Ok(rule)
    }

    /// Whether a rule fits a model, with the reason when it does not.
    pub fn fit(&mut self, rule: &Rule, model: &Model, structured: &Structured) -> Fit {
        let flows = !structured.system.states.is_empty();
        match rule.form {
            Form::Density => match &model.target {
                Some(_) => Fit::Fits,
                None => Fit::No("it is a kernel on a density, and the model is a dynamics".into()),
            },
            Form::Later(name) => Fit::No(format!("the form `{name}` is not supported yet")),
            _ if !flows => Fit::No("the model has no flow".into()),
            Form::Kinetic => match structured.kinetic() {
                Ok(_) => structured.within(rule.class).map_or_else(Fit::No, |()| Fit::Fits),
                Err(reason) => Fit::No(format!("the model is not kinetic Langevin: {reason}")),
            },
            Form::Semilinear | Form::Linear | Form::Geometric | Form::SquareRoot => {
                match self.misses_linear(rule.form, rule.class, structured) {
                    None => Fit::Fits,
                    Some(reason) => Fit::No(reason),
                }
            }
            Form::Ito | Form::Stratonovich => match structured.within(rule.class) {
                Ok(()) => Fit::Fits,
                Err(reason) => Fit::No(reason),
            },
        }
    }

    /// The rule of a solver for a model: the narrowest that fits.
    pub fn choose(
        &mut self,
        solver: &AppliedSolver,
        model: &Model,
        structured: &Structured,
    ) -> Try<(Rule, Vec<crate::model::value::BoundArg>)> {
        let (mut rules, args) = self.rules(solver)?;
        rules.sort_by_key(Rule::narrowness);
        let mut reasons = Vec::new();
        for rule in &rules {
            match self.fit(rule, model, structured) {
                Fit::Fits => return Ok((rule.clone(), args)),
                Fit::No(reason) => reasons.push((rule.class, rule.form, reason)),
            }
        }
        let mut d = Diagnostic::error(
            codes::SOLVER_MISFIT,
            format!("the solver `{}` does not fit the model `{}`", solver.name, model.name),
            solver.span,
            reasons.last().map_or_else(|| "has no rule".to_string(), |r| r.2.clone()),
        );
        if let Some(state) = model.states.iter().find_map(|s| s.flow_span) {
            d = d.label(state, "the model's equations");
        }
        for (class, form, reason) in &reasons {
            d = d.note(format!("`on {} for {}`: {reason}", form.name(), class.name()));
        }
        self.fail(d.help("`fokker check` lists the solvers that fit each model"))
    }

    /// The step of a solver on a model.
    pub fn step(&mut self, solver: &AppliedSolver, model: &Model, structured: &Structured) -> Try<Step> {
        let behind = if solver.split.is_some() { None } else { self.split_behind(solver)? };
        if let Some(split) = behind.as_ref().map_or(&solver.split, |b| &b.split).clone() {
            let step = self.split_step(solver, &split, model)?;
            return Ok(Step { solver: solver.name.clone(), ..step });
        }
        let (rule, args) = self.choose(solver, model, structured)?;
        self.warn_inconsistent(&rule, solver);
        self.step_of(&rule, &args, solver, model, structured)
    }

    /// The step of a rule that fits.
    pub fn step_of(
        &mut self,
        rule: &Rule,
        args: &[crate::model::value::BoundArg],
        solver: &AppliedSolver,
        model: &Model,
        structured: &Structured,
    ) -> Try<Step> {
        let s = rule.solver().clone();
        let scope = self.root_scope(rule.library);
        let next = self.g.var(self.time_next);
        scope.define("t'", Value::Num(next), Span::default());
        self.path.push(s.name.name.clone());
        let bound = self.bind_header(&s.name.name, &s.header, args, solver.span, &scope);
        let stages = self.implicit_stages;
        let result = bound.and_then(|()| self.rule_step(rule, model, structured, &scope));
        self.path.pop();
        let mut step = result?;
        step.orders = rule.orders(|class| rule.form != Form::Density && structured.within(class).is_ok());
        step.solver = solver.name.clone();
        step.implicit = self.implicit_stages > stages;
        Ok(step)
    }

    fn rule_step(&mut self, rule: &Rule, model: &Model, structured: &Structured, scope: &Scope) -> Try<Step> {
        let structured = self.seen_by(rule.form, structured);
        let (names, statements) = rule.parts();
        let names: Vec<String> = names.iter().map(|n| n.name.clone()).collect();
        let statements = statements.to_vec();
        let span = rule.solver().name.span;
        let system = &structured.system;
        // The states as the rule sees them: names, and the model's states that they stand for.
        let mut renewed: Vec<(String, VarId)> = Vec::new();
        let hole = |this: &mut Self, name: &str, shape: Vec<usize>| {
            let var = this.g.new_var(name, VarKind::Hole, Ty::Real, shape);
            let node = this.g.var(var);
            scope.define(name, Value::Num(node), Span::default());
            var
        };
        match rule.form {
            Form::Density => {
                let target: Rc<Target> = model.target.clone().expect("the fit was checked");
                let shape = target.shape.clone();
                scope.define(&names[0], Value::Target(target), span);
                renewed.push(("x".into(), hole(self, "x", shape)));
            }
            Form::Kinetic => {
                let kinetic = structured.kinetic().expect("the fit was checked").clone();
                self.define_kinetic(&names, system, &kinetic, scope, span);
                let shape = self.kinetic_shape(system, &kinetic);
                for name in ["q", "v"] {
                    renewed.push((name.into(), hole(self, name, shape.clone())));
                }
            }
            Form::Semilinear | Form::Linear | Form::Geometric | Form::SquareRoot => {
                self.define_linear(rule, &names, structured, scope, span)?;
                renewed.push(("x".into(), hole(self, "x", vec![system.dim()])));
            }
            _ => {
                self.define_coefficients(rule.form, rule.class, &names, system, scope, span)?;
                renewed.push(("x".into(), hole(self, "x", vec![system.dim()])));
            }
        }
        let noisy = rule.form != Form::Density && rule.class != NoiseClass::None;
        let wiener = if noisy { Some(self.define_wiener(rule, model, structured, scope)?) } else { None };
        let sink = wiener.as_ref().map(|w| WienerSink { shape: w.shape.clone(), integrals: Vec::new() });
        let before = (
            self.draws.replace(Draws { next_site: RULE_SITE, ..Draws::default() }),
            self.accepted.replace(AcceptSink::default()),
            self.estimates.replace(Vec::new()),
            std::mem::replace(&mut self.wiener, sink),
            std::mem::take(&mut self.turns),
        );
        let result = self.rule_body(&statements, &renewed, scope, span);
        let mut decisions = self.accepted.take().map(|s| s.decisions).unwrap_or_default();
        let mut error = self.estimates.take().and_then(|all| all.first().copied());
        let mut integrals = self.wiener.take().map(|s| s.integrals).unwrap_or_default();
        let turns = std::mem::take(&mut self.turns).values;
        (self.draws, self.accepted, self.estimates, self.wiener, self.turns) = before;
        let (mut newest, memory) = result?;
        if !turns.is_empty() {
            let ends = integrals.iter_mut().flat_map(|i| [&mut i.integrand, &mut i.from, &mut i.to]);
            let all = newest.values_mut().chain(&mut decisions).chain(error.iter_mut().map(|e| &mut e.0)).chain(ends);
            let all: Vec<&mut Id> = all.collect();
            let roots: Vec<Id> = all.iter().map(|id| **id).collect();
            all.into_iter().zip(self.with_turns(&turns, &roots)).for_each(|(id, whole)| *id = whole);
        }
        let (mut parts, mut open) = (Vec::new(), None);
        if let Some(wiener) = wiener.filter(|_| !integrals.is_empty()) {
            let errors = error.iter().map(|e| e.0);
            let roots: Vec<Id> = newest.values().chain(&decisions).copied().chain(errors).collect();
            let old: Vec<VarId> = renewed.iter().map(|r| r.1).chain(memory.iter().map(|m| m.1)).collect();
            let asked = Asked { integrals: &integrals, roots: &roots, old: &old };
            let joint = self.joint_integrals(rule, model, structured, &wiener, &asked)?;
            (parts, open) = (joint.parts, joint.open);
            let mut roots = self.g.substitute_vars(&roots, &joint.values).into_iter();
            let all = newest.values_mut().chain(&mut decisions).chain(error.iter_mut().map(|e| &mut e.0));
            all.for_each(|id| *id = roots.next().expect("as many as before"));
        }
        let step = self.finish_step(rule, model, structured, &renewed, newest, memory, &decisions, error)?;
        Ok(Step { part_of_step: open, parts, ..step })
    }

    /// The statements of a declaration: definitions, memory, and the step itself.
    #[allow(clippy::type_complexity)]
    fn rule_body(
        &mut self,
        statements: &[SolverStmt],
        renewed: &[(String, VarId)],
        scope: &Scope,
        span: Span,
    ) -> Try<(Newest, Vec<(String, VarId, Id)>)> {
        let mut memory = Vec::new();
        let mut newest: Newest = renewed.iter().map(|(name, var)| (name.clone(), self.g.var(*var))).collect();
        let mut stepped = false;
        for statement in statements {
            match statement {
                SolverStmt::Order { .. } => {}
                SolverStmt::Let(l) => {
                    self.define_let(l, scope)?;
                }
                SolverStmt::Const(c) => self.define_const(c, scope)?,
                SolverStmt::Fn(f) => {
                    let closure = self.closure(f, scope);
                    scope.define(&f.name.name, closure, f.name.span);
                }
                SolverStmt::State(s) => {
                    let declared = self.state_shape(s, scope)?;
                    let (start, _) = self.start(s.start.as_ref(), declared.as_deref(), &s.name, scope)?;
                    let shape = self.g.shape(start).to_vec();
                    let var = self.g.new_var(s.name.name.clone(), VarKind::State, Ty::Real, shape);
                    let node = self.g.var(var);
                    scope.define(&s.name.name, Value::Num(node), s.name.span);
                    newest.insert(s.name.name.clone(), node);
                    memory.push((s.name.name.clone(), var, start));
                }
                SolverStmt::Step(block, _) => {
                    stepped = true;
                    for (name, id) in &newest {
                        scope.define(format!("{name}'"), Value::Num(*id), Span::default());
                    }
                    self.one_estimate(block)?;
                    self.block(block, scope, &mut newest)?;
                }
            }
        }
        if !stepped {
            return self.error(codes::BAD_STEP_RULE, "a solver has a `step` block", span, "none here");
        }
        Ok((newest, memory))
    }

    /// Puts the model's own states in the place of the rule's.
    #[allow(clippy::too_many_arguments)]
    fn finish_step(
        &mut self,
        rule: &Rule,
        model: &Model,
        structured: &Structured,
        renewed: &[(String, VarId)],
        newest: Newest,
        memory: Vec<(String, VarId, Id)>,
        decisions: &[Id],
        error: Option<(Id, Span)>,
    ) -> Try<Step> {
        let span = rule.solver().name.span;
        for (name, var) in renewed {
            if newest[name] == self.g.var(*var) {
                return self.fail(
                    Diagnostic::error(
                        codes::BAD_STEP_RULE,
                        format!("the step of `{}` does not renew `{name}`", rule.solver().name.name),
                        span,
                        "this rule",
                    )
                    .help(format!("end the block with `{name}' = ...`")),
                );
            }
        }
        let estimate = match error {
            Some((error, span)) => {
                let (name, var) = &renewed[0];
                let old = self.g.var(*var);
                Some(self.estimate(error, span, name, old, newest[name])?)
            }
            None => None,
        };
        let system = &structured.system;
        // Old values: holes of the rule replaced by the model's states.
        let mut old: Vec<(VarId, Id)> = Vec::new();
        match rule.form {
            Form::Density => old.push((renewed[0].1, self.g.var(model.states[0].var))),
            Form::Kinetic => {
                let kinetic = structured.kinetic().expect("the fit was checked").clone();
                let mut q = Vec::new();
                let mut v = Vec::new();
                for p in &kinetic.pairs {
                    q.push(self.g.var(system.states[p.q].var));
                    let own = self.g.var(system.states[p.v].var);
                    v.push(match p.scale {
                        Some(m) => self.elementwise_raw(&[own, m], |g, a| g.op(Op::Mul, a)),
                        None => own,
                    });
                }
                old.push((renewed[0].1, self.kinetic_join(system, &q)));
                old.push((renewed[1].1, self.kinetic_join(system, &v)));
            }
            _ => {
                let parts: Vec<Id> = system.state_vars().into_iter().map(|v| self.g.var(v)).collect();
                let x = system.join(&mut self.g, &parts);
                old.push((renewed[0].1, x));
            }
        }
        let mut renew = Vec::new();
        match rule.form {
            Form::Density => renew.push((model.states[0].var, newest["x"])),
            Form::Kinetic => {
                let kinetic = structured.kinetic().expect("the fit was checked").clone();
                let (q, v) = (
                    self.kinetic_parts(system, &kinetic, newest["q"]),
                    self.kinetic_parts(system, &kinetic, newest["v"]),
                );
                for ((p, q), v) in kinetic.pairs.iter().zip(q).zip(v) {
                    renew.push((system.states[p.q].var, q));
                    let v = match p.scale {
                        Some(m) => self.elementwise_raw(&[v, m], |g, a| g.op(Op::Div, a)),
                        None => v,
                    };
                    renew.push((system.states[p.v].var, v));
                }
            }
            _ => {
                let parts = system.split(&mut self.g, newest["x"]);
                renew.extend(system.state_vars().into_iter().zip(parts));
            }
        }
        for (name, var, _) in &memory {
            renew.push((*var, newest[name]));
        }
        let ids: Vec<Id> = renew.iter().map(|r| r.1).collect();
        let errors = estimate.iter().flat_map(|e| [e.error, e.old, e.new]);
        let roots: Vec<Id> = ids.iter().chain(decisions).copied().chain(errors).collect();
        let old = self.with_draws(&roots, old);
        let ids = self.g.substitute_vars(&ids, &old);
        let mut renew: Vec<(VarId, Id)> = renew.iter().map(|r| r.0).zip(ids).collect();
        let starts: Vec<Id> = memory.iter().map(|m| m.2).collect();
        let starts = self.g.substitute_vars(&starts, &old);
        let memory = memory.iter().map(|m| m.1).zip(starts).collect();
        let decisions = self.g.substitute_vars(decisions, &old);
        let acceptance = self.acceptance(&decisions, &mut renew)?;
        let estimate = estimate.map(|e| {
            let ids = self.g.substitute_vars(&[e.error, e.old, e.new], &old);
            Estimate { error: ids[0], old: ids[1], new: ids[2] }
        });
        Ok(Step { memory, acceptance, estimate, ..Step::plain("", rule.form, renew) })
    }

    /// Two hidden states count what `accept` answered.
    fn acceptance(
        &mut self,
        decisions: &[Id],
        renew: &mut Vec<(VarId, Id)>,
    ) -> Result<Option<(VarId, VarId)>, Reported> {
        if decisions.is_empty() {
            return Ok(None);
        }
        let mut total = self.g.real(0.0);
        for d in decisions {
            let yes = self.g.op(Op::ToReal, &[*d]);
            total = self.g.op(Op::Add, &[total, yes]);
        }
        let n = self.g.real(decisions.len() as f64);
        let share = self.g.op(Op::Div, &[total, n]);
        let last = self.g.new_var("accepted", VarKind::State, Ty::Real, vec![]);
        let sum = self.g.new_var("accepted_sum", VarKind::State, Ty::Real, vec![]);
        let before = self.g.var(sum);
        let after = self.g.op(Op::Add, &[before, share]);
        renew.push((last, share));
        renew.push((sum, after));
        Ok(Some((last, sum)))
    }
}
