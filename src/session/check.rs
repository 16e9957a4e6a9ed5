//! Checking: every problem of a program that can be told before it runs, whether a run reaches it or not.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::rc::Rc;

use crate::diagnostics::{Code, Diagnostic, codes};
use crate::math::Id;
use crate::math::eval::Env;
use crate::model::elab::{Elab, Try};
use crate::model::library::Decl;
use crate::model::resolve::Names;
use crate::model::results::Times;
use crate::model::statistics::StatKind;
use crate::model::system::Model;
use crate::model::value::{Applied, Seen, Value};
use crate::session::compile::{Grid, MAX_STEPS, parameters};
use crate::session::load::Loaded;
use crate::session::plan::{Overrides, Plan, Statement, TimeSpec};
use crate::solve::form::Structured;
use crate::source::{SourceMap, Span};
use crate::syntax::ast::{ItemKind, Param, Run};

/// Grids of at most so many steps are laid out to look for times that are not on them.
const MAX_LAID_OUT: f64 = 1e6;

/// At most so many points of the sweeps are looked at.
const MAX_COMBINATIONS: usize = 256;

/// All problems of a loaded program, in the order of the text.
pub fn check_loaded(loaded: &Loaded) -> Vec<Diagnostic> {
    let names = crate::model::resolve::resolve(&loaded.library);
    check_with(loaded, &names, None, &mut |_, _| ControlFlow::Continue(()))
}

/// A part of a program that has been worked out.
#[derive(Debug, Default)]
pub struct Part<'p> {
    /// the run that it is
    pub run: Option<&'p Run>,
    /// the model of the run, or that it declares, with its structure; none where that could not be worked out
    pub model: Option<(&'p Model, &'p Structured)>,
}

/// What is done with each part, while the elaborator knows what is in it; whether to go on.
pub type Each<'e> = dyn FnMut(&mut Elab<'_>, Part<'_>) -> ControlFlow<()> + 'e;

/// [`check_loaded`], showing what was worked out on the way; `seen` collects the values of declared names. Where it is told to
/// stop, it knows the problems that were found so far.
pub fn check_with(loaded: &Loaded, names: &Names, seen: Option<&Seen>, each: &mut Each<'_>) -> Vec<Diagnostic> {
    let mut problems = Problems::new(loaded);
    if !loaded.is_readable() {
        return problems.in_order();
    }
    problems.names(names.problems.clone());
    let begin = || {
        let mut elab = Elab::new(&loaded.library, &loaded.sources);
        elab.seen = seen.cloned();
        elab
    };
    let mut reached = HashSet::new();
    for (_, run) in loaded.library.runs() {
        let mut elab = begin();
        let plan = elab.plan(run, &Overrides::default());
        if let Ok(plan) = &plan {
            elab.check_plan(plan);
        }
        let model = plan.as_ref().ok().map(|p| (&p.model, &p.structured));
        let go_on = each(&mut elab, Part { run: Some(run), model });
        reached.extend(elab.reached);
        problems.add(elab.diagnostics);
        if go_on.is_break() {
            return problems.in_order();
        }
    }
    for decl in loaded.library.own().filter(|d| !reached.contains(&d.key())) {
        let mut elab = begin();
        let model = elab.check_declaration(decl);
        let structured = model.filter(|_| seen.is_some()).map(|m| (elab.structured(&m), m));
        let go_on = each(&mut elab, Part { run: None, model: structured.as_ref().map(|(s, m)| (m, s)) });
        problems.add(elab.diagnostics);
        if go_on.is_break() {
            break;
        }
    }
    problems.in_order()
}

/// [`check_loaded`] of a text.
pub fn check_source(name: &str, text: &str) -> (Vec<Diagnostic>, SourceMap) {
    let loaded = crate::session::load::load_text(name, text, &crate::session::load::Options::default());
    (check_loaded(&loaded), loaded.sources)
}

/// The warnings of the names in a program, and whether there are errors that no run may ignore. (A construct that is not
/// supported matters to the runs that use it.) What is wrong in the spans of `elsewhere` does not count.
pub fn names(loaded: &Loaded, elsewhere: &[Span]) -> (Vec<Diagnostic>, bool) {
    let mut all = crate::model::resolve::resolve(&loaded.library).problems;
    all.retain(|d| !elsewhere.iter().any(|span| contains(*span, place(d))));
    let refused = all.iter().any(|d| d.is_error() && d.code != codes::UNSUPPORTED);
    (all.into_iter().filter(|d| !d.is_error()).collect(), refused)
}

/// What has been found so far. Nothing is told twice, and nothing that only follows from what is told already.
struct Problems<'l> {
    loaded: &'l Loaded,
    all: Vec<Diagnostic>,
    /// declarations in which names are declared twice or hidden: what they mean there is not certain
    unclear: Vec<Span>,
}

/// Errors after which the names of a declaration may mean something else than the author thinks.
const UNCLEAR: [Code; 3] = [codes::DUPLICATE_NAME, codes::SHADOWED, codes::RESERVED_NAME];

impl<'l> Problems<'l> {
    fn new(loaded: &'l Loaded) -> Problems<'l> {
        Problems { loaded, all: loaded.problems.clone(), unclear: Vec::new() }
    }

    fn names(&mut self, found: Vec<Diagnostic>) {
        let items = || self.loaded.files.iter().flat_map(|(_, items)| items);
        for problem in found.iter().filter(|d| UNCLEAR.contains(&d.code)) {
            self.unclear.extend(items().map(|i| i.span).filter(|item| contains(*item, place(problem))));
        }
        self.all.extend(found);
    }

    fn add(&mut self, found: Vec<Diagnostic>) {
        for problem in found {
            if !self.is_told(&problem) {
                self.all.push(problem);
            }
        }
    }

    fn is_told(&self, problem: &Diagnostic) -> bool {
        let here = place(problem);
        let same = |other: &Diagnostic| {
            let there = place(other);
            let unsupported = problem.code == codes::UNSUPPORTED && other.code == codes::UNSUPPORTED;
            here == there || unsupported && (overlap(here, there) || problem.message == other.message)
        };
        self.all.iter().any(same) || self.unclear.iter().any(|item| contains(*item, here))
    }

    fn in_order(mut self) -> Vec<Diagnostic> {
        self.all.sort_by_key(|d| (place(d).file, place(d).start));
        self.all
    }
}

fn place(d: &Diagnostic) -> Span {
    d.labels.first().map_or(Span::default(), |l| l.span)
}

fn contains(outer: Span, inner: Span) -> bool {
    outer.file == inner.file && outer.start <= inner.start && inner.end <= outer.end
}

fn overlap(a: Span, b: Span) -> bool {
    a.file == b.file && a.start < b.end && b.start < a.end
}

impl Elab<'_> {
    /// Works out a declaration that no run reaches, where its header has defaults for everything; the model, if it is one.
    fn check_declaration(&mut self, decl: &Decl) -> Option<Model> {
        let name = |n: &crate::syntax::ast::Ident| (n.name.clone(), n.span);
        let complete = |header: &[Param]| header.iter().all(|p| p.default.is_some());
        match &decl.item.kind {
            ItemKind::Const(c) => {
                let (name, span) = name(&c.name);
                let _ = self.global(&name, span, decl.library);
            }
            ItemKind::Data(d) => {
                let (name, span) = name(&d.name);
                let _ = self.global(&name, span, decl.library);
            }
            ItemKind::Target(t) if complete(&t.header) => {
                let _ = self
                    .guarded(&t.name.name, decl.library, t.name.span, |s| s.apply_target(t, decl, &[], t.name.span));
            }
            ItemKind::Model(m) if complete(&m.header) => {
                let applied = Applied { decl: decl.clone(), args: Vec::new(), span: m.name.span };
                if let Ok(model) = self.model(&Value::Model(Rc::new(applied)), m.name.span) {
                    let flows: Vec<(Id, Span)> =
                        model.states.iter().filter_map(|s| Some((s.flow?, s.flow_span.unwrap_or(s.span)))).collect();
                    for (flow, span) in flows {
                        self.check_derivatives(&[flow], span);
                    }
                    return Some(model);
                }
            }
            _ => {}
        }
        None
    }

    /// What can be told of a plan before it runs: derivatives, ranges, times that are asked for.
    fn check_plan(&mut self, plan: &Plan) {
        self.check_programs(plan);
        // What is dear to work out is left to the run.
        if self.params.iter().filter_map(|p| p.default).any(|d| !self.is_cheap(d)) {
            return;
        }
        let _ = self.check_acceptances(plan);
        for combination in combinations(plan) {
            if self.check_at(plan, &combination).is_err() {
                return;
            }
        }
    }

    /// What can be told of a run before it begins, with the parameters that it is really given.
    pub(super) fn check_before(&mut self, plan: &Plan, set: &[(usize, f64)]) -> Try<()> {
        self.check_set(plan, set)?;
        for combination in combinations(plan) {
            let set: Vec<(usize, f64)> = set.iter().chain(&combination).copied().collect();
            self.check_at(plan, &set)?;
        }
        self.check_acceptances(plan)
    }

    /// Acceptances are those of every solver of the run.
    fn check_acceptances(&mut self, plan: &Plan) -> Try<()> {
        for asked in plan.context.asked.iter().filter(|a| a.stat == StatKind::Acceptance) {
            for k in 0..plan.steps.len().max(1) {
                self.observed_args(plan, k, asked)?;
            }
        }
        Ok(())
    }

    /// The values of the command line, against the ranges of their parameters.
    fn check_set(&mut self, plan: &Plan, set: &[(usize, f64)]) -> Try<()> {
        let params = parameters(self, set);
        for (k, value) in set {
            let Some(mut d) = self.outside_range(*k, &params) else { continue };
            // Where the parameter has its default is not where the value stands.
            d.message = format!("`--set {}={value}`: {}", self.params[*k].name, d.message);
            d.labels.remove(0);
            if d.labels.is_empty() {
                d = d.label(plan.span, "in this run");
            }
            return self.fail(d);
        }
        Ok(())
    }

    fn check_programs(&mut self, plan: &Plan) {
        let flows = plan.model.states.iter().find_map(|s| s.flow_span).unwrap_or(plan.span);
        for state in &plan.model.states {
            self.check_derivatives(&[state.start], state.start_span);
        }
        for step in &plan.steps {
            let ids: Vec<Id> = step.renew.iter().chain(&step.memory).map(|r| r.1).collect();
            self.check_derivatives(&ids, flows);
        }
        for k in 0..plan.steps.len().max(1) {
            // that a solver has no acceptance is told below
            for asked in plan.context.asked.iter().filter(|a| a.stat != StatKind::Acceptance) {
                if let Ok(args) = self.observed_args(plan, k, asked) {
                    self.check_derivatives(&args, asked.span);
                }
            }
        }
        for statement in &plan.statements {
            if let Statement::Save(save) = statement {
                let ids: Vec<Id> = save.columns.iter().map(|c| c.1).collect();
                self.check_derivatives(&ids, save.span);
            }
            if let Statement::Plot(plot) = statement {
                self.check_derivatives(&plot.record, plot.facts.span);
            }
        }
    }

    fn check_derivatives(&mut self, ids: &[Id], span: Span) {
        if let Err(e) = crate::math::differentiable(&mut self.g, ids) {
            self.report(crate::session::compile::no_derivative(&e, span));
        }
    }

    /// Ranges, the grid and the times asked for, at one point of the sweeps.
    fn check_at(&mut self, plan: &Plan, set: &[(usize, f64)]) -> Try<()> {
        let params = parameters(self, set);
        self.check_values(&params)?;
        if !self.can_lay_out(plan, &params) {
            return Ok(());
        }
        let grid = self.grid(plan, &params)?;
        self.check_times(plan, &grid, &params)
    }

    fn check_times(&mut self, plan: &Plan, grid: &Grid, params: &Env) -> Try<()> {
        if plan.converge.is_some() {
            return Ok(());
        }
        let asked = plan.context.asked.iter().map(|a| a.pool.clone());
        let statements = plan.statements.iter().filter_map(|s| s.pool().cloned());
        let mut result = Ok(());
        for pool in asked.chain(statements).collect::<Vec<_>>() {
            if self.is_dense(&pool.times, params) {
                continue;
            }
            result = result.and(self.looks(&pool, grid, params).map(|_| ()));
        }
        for statement in &plan.statements {
            if let Statement::Save(save) = statement
                && !save
                    .every
                    .is_some_and(|e| self.too_many(grid.times[0], grid.times[grid.times.len() - 1], e, params))
            {
                result = result.and(self.save_looks(save, grid, params).map(|_| ()));
            }
        }
        result
    }

    /// Whether the grid is small enough to be laid out, or wrong (then laying it out says so).
    fn can_lay_out(&self, plan: &Plan, params: &Env) -> bool {
        match &plan.time {
            None => true,
            Some(TimeSpec::Count { steps }) => *steps as f64 <= MAX_LAID_OUT,
            Some(TimeSpec::Stepped { from, to, step, .. }) => {
                let ends = (self.value_at(*from, params), self.value_at(*to, params), self.value_at(*step, params));
                match ends {
                    (Some(a), Some(b), Some(h)) => {
                        let steps = (b - a) / h;
                        !(MAX_LAID_OUT..=MAX_STEPS as f64).contains(&steps)
                    }
                    _ => true,
                }
            }
            Some(TimeSpec::Grid { times, .. }) => self.is_cheap(*times),
            Some(TimeSpec::Adaptive { .. }) => true,
            Some(TimeSpec::Ends { .. }) => plan.converge.is_none(),
        }
    }

    /// Whether a pool asks for more times than are worth looking at.
    fn is_dense(&self, times: &Times, params: &Env) -> bool {
        match times {
            Times::Over { from, to, every: Some(every), .. } => {
                match (self.value_at(*from, params), self.value_at(*to, params)) {
                    (Some(a), Some(b)) => self.too_many(a, b, *every, params),
                    _ => false,
                }
            }
            _ => false,
        }
    }

    fn too_many(&self, a: f64, b: f64, every: Id, params: &Env) -> bool {
        self.value_at(every, params).is_some_and(|s| (b - a) / s > MAX_LAID_OUT)
    }

    fn value_at(&self, id: Id, params: &Env) -> Option<f64> {
        self.cheap_value(id, params).and_then(|v| v.values.first().copied())
    }
}

/// The points of the sweeps, not too many.
fn combinations(plan: &Plan) -> Vec<Vec<(usize, f64)>> {
    let mut all = vec![Vec::new()];
    for (k, values) in &plan.sweeps {
        if all.len().saturating_mul(values.len()) > MAX_COMBINATIONS {
            break;
        }
        all = all
            .iter()
            .flat_map(|c: &Vec<(usize, f64)>| values.iter().map(move |v| c.iter().copied().chain([(*k, *v)]).collect()))
            .collect();
    }
    all
}
