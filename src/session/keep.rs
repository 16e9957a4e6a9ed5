//! What a run leaves for questions that are asked when it is over: the final states of its paths, some whole paths, and
//! its `let`s. Both kinds of paths are recorded like those of `save`, in bounded memory.

use std::rc::Rc;

use crate::math::{Id, Op, Rate, Ty, VarKind};
use crate::model::elab::Elab;
use crate::model::value::{Entry, Value};
use crate::output::paths::column_names;
use crate::output::result::Values;
use crate::runtime::Recorded;
use crate::session::plan::{Item, Plan, Save, Statement};
use crate::session::results::{Ran, Saved};
use crate::source::Span;

/// Numbers of final states that are kept of one variant.
const MOST_LAST: u64 = 1 << 20;
/// Whole paths, the times that are kept of each, and their numbers in all.
const WHOLE_PATHS: u64 = 16;
const WHOLE_TIMES: u64 = 200;
const MOST_WHOLE: u64 = 1 << 18;

/// What one variant of a run left.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// values of each path by name, with their shapes, in the order of the rows
    pub names: Vec<(String, Vec<usize>)>,
    /// at the end
    pub last: Recorded,
    pub end: f64,
    /// of a few paths, at some times
    pub whole: Recorded,
    pub times: Vec<f64>,
    /// the `let`s of the run that are one number (or array) of the run
    pub numbers: Vec<(String, Values)>,
}

/// What was added to a plan: it is taken out of the results again.
pub(super) struct Keeping {
    names: Vec<(String, Vec<usize>)>,
    numbers: Vec<String>,
    /// indices of the two recording statements, or nothing where there is nothing to record
    recorded: bool,
}

impl Kept {
    /// Whether the paths move in time, and are not drawn at once.
    pub fn is_in_time(&self) -> bool {
        self.times.len() > 1
    }

    /// The rows of a name in the records: the first, and the shape.
    pub fn rows(&self, name: &str) -> Option<(usize, &[usize])> {
        let mut first = 0;
        for (known, shape) in &self.names {
            if known == name {
                return Some((first, shape));
            }
            first += shape.iter().product::<usize>();
        }
        None
    }

    /// Names of the rows: `x`, or `x[0]`, `x[1]`, ...
    pub fn columns(&self) -> Vec<String> {
        self.names.iter().flat_map(|(name, shape)| column_names(name, shape)).collect()
    }
}

impl Elab<'_> {
    /// Adds to a plan what a run is to keep. It changes none of the numbers of the run.
    pub(super) fn keep(&mut self, plan: &mut Plan) -> Keeping {
        let values = self.values_of_paths(plan);
        let numbers = self.numbers_of_run(plan);
        let names = values.iter().map(|(name, id)| (name.clone(), self.g.shape(*id).to_vec())).collect();
        let keeping =
            Keeping { names, numbers: numbers.iter().map(|n| n.0.clone()).collect(), recorded: !values.is_empty() };
        if plan.converge.is_some() {
            return Keeping { names: Vec::new(), numbers: Vec::new(), recorded: false };
        }
        if !numbers.is_empty() {
            let items = numbers.into_iter().map(|(text, value)| Item { text, value, span: plan.span }).collect();
            plan.statements.push(Statement::Report { items, pool: Rc::default() });
        }
        if keeping.recorded {
            let rows = values.iter().map(|(_, id)| self.g.shape(*id).iter().product::<usize>() as u64).sum::<u64>();
            let save = |first: u64, points: Option<u64>| {
                let span = Span { end: plan.span.start, ..plan.span };
                Statement::Save(Save { columns: values.clone(), every: None, points, first, path: String::new(), span })
            };
            let last = save((MOST_LAST / rows.max(1)).max(1), None);
            let whole = save((MOST_WHOLE / (rows.max(1) * (WHOLE_TIMES + 1))).min(WHOLE_PATHS), Some(WHOLE_TIMES));
            plan.statements.extend([last, whole]);
        }
        keeping
    }

    /// The states of a run, the `let`s of its model and those of its own that have a value for each path.
    fn values_of_paths(&mut self, plan: &Plan) -> Vec<(String, Id)> {
        let mut found: Vec<(String, Id)> = Vec::new();
        for state in &plan.model.states {
            let id = self.g.var(state.var);
            found.push((state.name.clone(), id));
        }
        if plan.model.target.is_some() && found.iter().all(|f| f.0 != "x") {
            found.extend(found.first().map(|(_, id)| ("x".to_string(), *id)));
        }
        let own = plan.lets.iter().filter_map(|name| match plan.scope.get(name) {
            Some(Entry::Value(Value::Num(id), _)) => Some((name.clone(), id)),
            _ => None,
        });
        for (name, id) in plan.model.lets.iter().cloned().chain(own) {
            if self.g.rate(id) == Rate::Lane && self.has_value_at_looks(id) && found.iter().all(|f| f.0 != name) {
                found.push((name, self.as_real(id)));
            }
        }
        found
    }

    /// Whether something is known wherever a run looks: it depends on states, parameters and the time alone.
    fn has_value_at_looks(&self, id: Id) -> bool {
        self.g.vars_of(id).iter().all(|v| {
            let kind = &self.g.var_info(*v).kind;
            matches!(kind, VarKind::State | VarKind::Param | VarKind::Time | VarKind::StepIndex)
        })
    }

    fn numbers_of_run(&mut self, plan: &Plan) -> Vec<(String, Id)> {
        let own = plan.lets.iter().filter_map(|name| match plan.scope.get(name) {
            Some(Entry::Value(Value::Num(id), _)) if self.g.rate(id) <= Rate::Run => Some((name.clone(), id)),
            _ => None,
        });
        let own: Vec<(String, Id)> = own.collect();
        own.into_iter().map(|(name, id)| (name, self.as_real(id))).collect()
    }

    fn as_real(&mut self, id: Id) -> Id {
        match self.g.ty(id) {
            Ty::Real => id,
            Ty::Int => self.lift_to_real(id),
            Ty::Bool => self.elementwise_raw(&[id], |g, a| g.op(Op::ToReal, a)),
        }
    }
}

impl Keeping {
    /// Takes what was kept out of the results of a run: one for each variant.
    pub(super) fn take(&self, ran: &mut Ran) -> Vec<Kept> {
        let (mut own, files): (Vec<Saved>, Vec<Saved>) =
            std::mem::take(&mut ran.saved).into_iter().partition(|s| s.path.is_empty());
        ran.saved = files;
        let mut all = Vec::new();
        for (k, variant) in ran.variants.iter_mut().enumerate() {
            let mut kept = Kept { names: self.names.clone(), ..Kept::default() };
            // a run that was stopped before any path was done has no reports
            let at = variant.reports.len().saturating_sub(self.numbers.len());
            let numbers = variant.reports.split_off(at).into_iter();
            kept.numbers = self.numbers.iter().cloned().zip(numbers.map(|r| r.value)).collect();
            let mut records = own.extract_if(.., |s| s.variant == k);
            if let (true, Some(last), Some(whole)) = (self.recorded, records.next(), records.next()) {
                kept.end = last.times.last().copied().unwrap_or(0.0);
                kept.last = last.recorded;
                (kept.whole, kept.times) = (whole.recorded, whole.times);
            }
            drop(records);
            all.push(kept);
        }
        all
    }
}
