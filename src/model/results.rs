//! Statistics in the statements of a run: each call becomes a number that the run works out, an input of the graph.

use std::rc::Rc;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::array::Array;
use crate::math::eval::Env;
use crate::math::{Id, IndexVar, Node, Op, Ty, VarId, VarKind};
use crate::model::call::plural;
use crate::model::elab::{Elab, Reported, Try, shape_text};
use crate::model::functions::Function;
use crate::model::statistics::{Arity, Row, StatKind};
use crate::model::value::{BoundArg, Scope, Value};
use crate::source::Span;
use crate::syntax::ast::{Arg, ExprKind};

/// What the statements of a run have asked for so far.
#[derive(Debug, Default)]
pub struct RunContext {
    /// the pool of the statement being worked out
    pub pool: Option<Rc<Pool>>,
    pub asked: Vec<Asked>,
    pub expectations: Vec<Expectation>,
    pub orders: Vec<Order>,
    pub invariances: Vec<Invariance>,
    pub formulas: Vec<Formula>,
    /// numbers that earlier runs found
    pub given: Vec<Given>,
    /// indices of pooled axes that some statistic uses
    pub pooled: Vec<u32>,
    /// names of the run's solvers, for `strong_order`
    pub solvers: Vec<String>,
}

/// A statistic of per-path values.
#[derive(Clone, Debug)]
pub struct Asked {
    pub stat: StatKind,
    /// per-path values; with pooled axes these come first in their shapes
    pub args: Vec<Id>,
    pub pool: Rc<Pool>,
    pub value: VarId,
    pub se: VarId,
    pub span: Span,
}

/// When a statement looks, and which axes it pools.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pool {
    pub times: Times,
    pub axes: Vec<IndexVar>,
    /// the axes as written: `i in 0..n`
    pub axis_words: Vec<String>,
}

/// Times of a statement, as run-rate numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Times {
    #[default]
    End,
    /// one result for each; `list` when written as a list
    At {
        times: Vec<Id>,
        list: bool,
        span: Span,
        /// of each time, where they are written one by one
        each: Vec<Span>,
    },
    /// all pooled
    Over {
        from: Id,
        to: Id,
        every: Option<Id>,
        /// as written
        words: String,
        span: Span,
    },
    LastSteps {
        steps: i64,
        span: Span,
    },
    /// at most so many, one result for each, spread evenly over the run: for plots
    Spread {
        most: usize,
    },
}

/// `expect(p, f)`: the integral of f under p.
#[derive(Clone, Debug)]
pub struct Expectation {
    pub target: Rc<crate::model::target::Target>,
    /// the point, the log density and the value at it
    pub point: VarId,
    pub log_density: Id,
    pub integrand: Id,
    /// a draw of the target, where it can be drawn
    pub draw: Option<Id>,
    pub value: VarId,
    /// zero where the value is by quadrature
    pub se: VarId,
    pub span: Span,
}

/// A number that an earlier run found, with its standard error.
#[derive(Clone, Debug)]
pub struct Given {
    pub value: VarId,
    pub se: VarId,
    pub numbers: Array,
    pub errors: Array,
}

impl RunContext {
    /// Puts what is known from earlier runs into an environment.
    pub fn give(&self, env: &mut Env) {
        for given in &self.given {
            env.set(given.value, given.numbers.clone());
            env.set(given.se, given.errors.clone());
        }
    }
}

/// `se(...)` of a formula of statistics.
#[derive(Clone, Debug)]
pub struct Formula {
    pub of: Id,
    pub se: VarId,
}

/// `strong_order(s)` or `weak_order(s)`.
#[derive(Clone, Debug)]
pub struct Order {
    pub strong: bool,
    pub solver: String,
    pub value: VarId,
    pub se: VarId,
    pub span: Span,
}

/// `invariant(model, target)` in a check.
#[derive(Debug)]
pub struct Invariance {
    pub model: crate::model::system::Model,
    pub target: Rc<crate::model::target::Target>,
    pub value: VarId,
    pub span: Span,
}

pub use crate::model::statistics::TABLE as STATISTICS;

/// Statistics by name, with those that are not of per-path values.
#[derive(Copy, Clone, Debug)]
pub enum Named {
    OfPaths(&'static Row),
    StandardError,
    StrongOrder,
    WeakOrder,
    Invariant,
    /// of a later stage
    Later(&'static str),
}

/// Statistics of later stages.
const LATER: &[&str] = &["lme", "w1", "w2", "sliced_w2", "mmd", "energy", "ks", "ksd", "tv"];

pub fn statistic(name: &str) -> Option<Named> {
    match name {
        "se" => Some(Named::StandardError),
        "strong_order" => Some(Named::StrongOrder),
        "weak_order" => Some(Named::WeakOrder),
        "invariant" => Some(Named::Invariant),
        _ => match LATER.iter().find(|n| **n == name) {
            Some(n) => Some(Named::Later(n)),
            None => crate::model::statistics::find(name).map(Named::OfPaths),
        },
    }
}

/// The names of all statistics.
pub fn statistic_names() -> impl Iterator<Item = &'static str> {
    supported_names().chain(LATER.iter().copied())
}

/// Those that this version works out.
pub fn supported_names() -> impl Iterator<Item = &'static str> {
    STATISTICS.iter().map(|s| s.name).chain(crate::model::statistics::FURTHER.iter().map(|f| f.name))
}

impl Elab<'_> {
    pub fn statistic_call(&mut self, stat: Named, args: &[Arg], scope: &Scope, span: Span) -> Try<Value> {
        match stat {
            Named::Later(name) => self.unsupported(&format!("the statistic `{name}`"), span),
            Named::StandardError => self.standard_error(args, scope, span),
            Named::StrongOrder | Named::WeakOrder => {
                self.order_call(matches!(stat, Named::StrongOrder), args, scope, span)
            }
            Named::Invariant => self.invariant_call(args, scope, span),
            Named::OfPaths(row) => self.path_statistic(row, args, scope, span),
        }
    }

    fn result_var(&mut self, name: &str, shape: Vec<usize>) -> VarId {
        self.g.new_var(name, VarKind::Result, Ty::Real, shape)
    }

    fn path_statistic(&mut self, row: &'static Row, args: &[Arg], scope: &Scope, span: Span) -> Try<Value> {
        let args = self.plain_args(args, scope)?;
        let wanted = match row.arity {
            Arity::None => 0,
            Arity::One | Arity::Condition => 1,
            Arity::OneAnd(_) | Arity::Two => 2,
        };
        let extra = usize::from(row.name == "histogram");
        if args.len() < wanted || args.len() > wanted + extra {
            return self.fail(
                Diagnostic::error(
                    codes::WRONG_ARITY,
                    format!(
                        "`{}` takes {wanted} argument{}, and {} {} given",
                        row.name,
                        plural(wanted),
                        args.len(),
                        if args.len() == 1 { "is" } else { "are" }
                    ),
                    span,
                    "called here",
                )
                .note(row.doc),
            );
        }
        let timed = self.run.as_ref().and_then(|r| r.pool.as_ref()).is_some_and(|p| p.times != Times::End);
        if row.name == "divergences" && timed {
            return self.fail(
                Diagnostic::error(
                    codes::BAD_STATISTIC,
                    "`divergences()` counts over the whole run",
                    span,
                    "at other times",
                )
                .help("give it a statement of its own, without `at` and `over`"),
            );
        }
        self.has_times(row, span)?;
        let Some(stat) = self.stat_kind(row, &args)? else { unreachable!("every row has its kind") };
        let outs = match row.arity {
            Arity::None => 0,
            Arity::Two => 2,
            _ => 1,
        };
        let pool = self.run.as_ref().and_then(|r| r.pool.clone()).unwrap_or_default();
        let mut values = Vec::new();
        let mut shape: Option<Vec<usize>> = None;
        let mut unused: Vec<usize> = if outs == 0 { Vec::new() } else { (0..pool.axes.len()).collect() };
        for arg in &args[..outs] {
            let id = self.observed(row, arg)?;
            unused.retain(|k| !self.g.has_free(id, pool.axes[*k].id));
            let own = self.g.shape(id).to_vec();
            if let Some(first) = &shape
                && *first != own
            {
                let message = format!(
                    "`{}` of arrays of different shapes, {} and {}",
                    row.name,
                    shape_text(first),
                    shape_text(&own)
                );
                return self.error(
                    codes::SHAPE_MISMATCH,
                    message,
                    arg.span,
                    format!("the shape is {}", shape_text(&own)),
                );
            }
            shape = Some(own);
            values.push(id);
        }
        let open = self.open_indices(&values, &pool.axes);
        if matches!(stat, StatKind::Histogram { .. }) && !open.is_empty() {
            return self.unsupported("a histogram inside a comprehension", span);
        }
        let axes: Vec<IndexVar> = pool.axes.iter().chain(&open).copied().collect();
        let values = values.into_iter().map(|id| self.map_over(&axes, id)).collect();
        if outs > 0 {
            let used = (0..pool.axes.len()).filter(|k| !unused.contains(k)).map(|k| pool.axes[k].id);
            let used: Vec<u32> = used.collect();
            self.run.as_mut().expect("statistics stand in runs").pooled.extend(used);
        }
        let mut shape: Vec<usize> = open.iter().map(|v| v.extent).chain(shape.unwrap_or_default()).collect();
        match &stat {
            StatKind::Quantile { at, list: true } => shape.push(at.len()),
            StatKind::Histogram { .. } => shape.push(1),
            _ => {}
        }
        let asked = self.ask(stat, values, pool, shape, span);
        let value = self.run.as_ref().expect("statistics stand in runs").asked[asked].value;
        let value = self.g.var(value);
        Ok(Value::Num(self.at_open(value, &open)))
    }

    /// A statistic of chains needs several times of each.
    fn has_times(&mut self, row: &'static Row, span: Span) -> Try<()> {
        let pool = self.run.as_ref().and_then(|r| r.pool.clone()).unwrap_or_default();
        if !matches!(row.name, "rhat" | "autocorr")
            || matches!(pool.times, Times::Over { .. } | Times::LastSteps { .. })
        {
            return Ok(());
        }
        let message = format!("`{}` compares values of a path at several times, and here is one", row.name);
        self.fail(
            Diagnostic::error(codes::BAD_STATISTIC, message, span, "at one time")
                .help("end the statement of the run in `over last 500 steps`, or in `over t in [a, b]`"),
        )
    }

    /// Asks the run for a statistic of per-path values, which have the pooled axes first; `shape` is that of the result. Its
    /// place among what is asked.
    pub fn ask(&mut self, stat: StatKind, args: Vec<Id>, pool: Rc<Pool>, shape: Vec<usize>, span: Span) -> usize {
        let (value, se) = (self.result_var(stat.name(), shape.clone()), self.result_var("se", shape));
        let asked = &mut self.run.as_mut().expect("statistics stand in runs").asked;
        asked.push(Asked { stat, args, pool, value, se, span });
        asked.len() - 1
    }

    /// A per-path value that is observed: real, and free of other statistics.
    fn observed(&mut self, row: &'static Row, arg: &BoundArg) -> Try<Id> {
        let id = self.num(&arg.value, arg.span)?;
        let id = match (self.g.ty(id), row.arity) {
            (Ty::Bool, _) => self.elementwise_raw(&[id], |g, a| g.op(Op::ToReal, a)),
            (_, Arity::Condition) => self.boolean(&Value::Num(id), arg.span)?,
            _ => self.to_real(id, arg.span)?,
        };
        if self.g.vars_of(id).iter().any(|v| self.g.var_info(*v).kind == VarKind::Result) {
            return self.fail(
                Diagnostic::error(
                    codes::BAD_STATISTIC,
                    format!("`{}` of an expression that has a statistic in it", row.name),
                    arg.span,
                    "known only when the run is over",
                )
                .note("statistics are gathered while the paths run, so one cannot be of another")
                .help("for a central moment use `var`, `skewness` or `kurtosis`"),
            );
        }
        Ok(id)
    }

    fn stat_kind(&mut self, row: &'static Row, args: &[BoundArg]) -> Try<Option<StatKind>> {
        let number = |s: &mut Self, arg: &BoundArg| -> Try<Vec<f64>> {
            let id = s.real(&arg.value, arg.span)?;
            let env = s.default_env();
            match crate::math::eval::eval(&s.g, id, &env) {
                Ok(v) => Ok(v.values),
                Err(_) => s.error(
                    codes::NOT_CONSTANT,
                    format!("this argument of `{}` must be known before the run", row.name),
                    arg.span,
                    "not a constant",
                ),
            }
        };
        Ok(Some(match row.name {
            "mean" => StatKind::Mean,
            "var" => StatKind::Var,
            "std" => StatKind::Std,
            "prob" => StatKind::Prob,
            "cov" => StatKind::Cov,
            "corr" => StatKind::Corr,
            "skewness" => StatKind::Skewness,
            "kurtosis" => StatKind::Kurtosis,
            "ess" => StatKind::Ess,
            "rhat" => StatKind::Rhat,
            "acceptance" => StatKind::Acceptance,
            "divergences" => StatKind::Divergences,
            "histogram" => {
                let bins = match args.get(1) {
                    Some(arg) => Some(self.as_int(&arg.value, arg.span)?.max(1) as usize),
                    None => None,
                };
                StatKind::Histogram { bins }
            }
            "autocorr" => StatKind::Autocorr { lag: self.as_int(&args[1].value, args[1].span)?.max(0) as usize },
            "quantile" => {
                let at = number(self, &args[1])?;
                if let Some(bad) = at.iter().find(|q| !(0.0..=1.0).contains(*q)) {
                    let message = format!("{bad} is not a probability");
                    return self.error(
                        codes::OUT_OF_RANGE,
                        message,
                        args[1].span,
                        "quantiles are at probabilities in [0, 1]",
                    );
                }
                let id = self.num(&args[1].value, args[1].span)?;
                StatKind::Quantile { at, list: !self.g.is_scalar(id) }
            }
            _ => return Ok(None),
        }))
    }

    /// `se(s)`: the standard error of a statistic.
    fn standard_error(&mut self, args: &[Arg], scope: &Scope, span: Span) -> Try<Value> {
        let shown = args.first().map(|a| crate::syntax::print::expr(&a.value)).filter(|_| args.len() == 1);
        let args = self.plain_args(args, scope)?;
        let found = match args.as_slice() {
            [BoundArg { value: Value::Num(id), .. }] => self.se_of_value(*id),
            _ => None,
        };
        match found {
            Some(se) => Ok(Value::Num(se)),
            None => {
                let of = shown.unwrap_or_else(|| "x".into());
                self.fail(
                    Diagnostic::error(codes::BAD_STATISTIC, "`se` takes a statistic", span, "no statistic in it").help(
                        format!("write `se(mean({of}))`, or a formula of statistics such as `se(mean(x) - mean(y))`"),
                    ),
                )
            }
        }
    }

    /// The error of a statistic, of an element of one, or of a formula.
    fn se_of_value(&mut self, of: Id) -> Option<Id> {
        let (array, at) = match self.g.node(of) {
            Node::Var(v) => (*v, Vec::new()),
            Node::Get(array, at) => match self.g.node(*array) {
                Node::Var(v) => (*v, at.clone()),
                _ => return self.se_of_formula(of),
            },
            _ => return self.se_of_formula(of),
        };
        match self.se_of(array) {
            Some(se) => {
                let se = self.g.var(se);
                Some(self.g.get(se, &at))
            }
            None => self.se_of_formula(of),
        }
    }

    /// The error of a formula in which there are statistics of paths.
    fn se_of_formula(&mut self, of: Id) -> Option<Id> {
        let open = self.open_indices(&[of], &[]);
        let of = self.map_over(&open, of);
        let run = self.run.as_ref()?;
        let counts = self.g.ty(of) == Ty::Real
            && run
                .asked
                .iter()
                .map(|a| a.value)
                .chain(run.expectations.iter().map(|e| e.value))
                .chain(run.given.iter().map(|g| g.value))
                .any(|v| self.g.depends_on(of, v));
        if !counts {
            return None;
        }
        let se = self.result_var("se", self.g.shape(of).to_vec());
        self.run.as_mut()?.formulas.push(Formula { of, se });
        let se = self.g.var(se);
        Some(self.at_open(se, &open))
    }

    fn se_of(&self, value: VarId) -> Option<VarId> {
        let run = self.run.as_ref()?;
        let asked = run.asked.iter().find(|a| a.value == value).map(|a| a.se);
        asked
            .or_else(|| run.orders.iter().find(|o| o.value == value).map(|o| o.se))
            .or_else(|| run.expectations.iter().find(|e| e.value == value).map(|e| e.se))
            .or_else(|| run.given.iter().find(|g| g.value == value).map(|g| g.se))
    }

    fn order_call(&mut self, strong: bool, args: &[Arg], scope: &Scope, span: Span) -> Try<Value> {
        let name = if strong { "strong_order" } else { "weak_order" };
        let args = self.plain_args(args, scope)?;
        let [BoundArg { value: Value::Solver(solver), .. }] = args.as_slice() else {
            return self.error(
                codes::BAD_STATISTIC,
                format!("`{name}` takes one of the run's solvers"),
                span,
                "not a solver",
            );
        };
        let known = self.run.as_ref().map(|r| r.solvers.clone()).unwrap_or_default();
        if !known.contains(&solver.name) {
            let message = format!("`{}` is not a solver of this run", solver.name);
            return self.error(codes::BAD_STATISTIC, message, span, format!("the run's solvers: {}", known.join(", ")));
        }
        if known.iter().filter(|k| **k == solver.name).count() > 1 {
            return self.fail(
                Diagnostic::error(
                    codes::BAD_STATISTIC,
                    format!("the run has several solvers `{}`", solver.name),
                    span,
                    "which of them is not said",
                )
                .help(format!("give them names: `solver mine() = {}(...)`", solver.name)),
            );
        }
        let (value, se) = (self.result_var(name, vec![]), self.result_var("se", vec![]));
        let order = Order { strong, solver: solver.name.clone(), value, se, span };
        self.run.as_mut().expect("statistics stand in runs").orders.push(order);
        Ok(Value::Num(self.g.var(value)))
    }

    /// `invariant(model, target)`: true when the target's density is stationary under the model.
    fn invariant_call(&mut self, args: &[Arg], scope: &Scope, span: Span) -> Try<Value> {
        let args = self.plain_args(args, scope)?;
        let [m, p] = args.as_slice() else {
            return self.error(codes::WRONG_ARITY, "`invariant` takes a model and a target", span, "called here");
        };
        let target = self.target_arg(p)?;
        let model = self.model(&m.value, m.span)?;
        if model.states.iter().all(|s| s.flow.is_none()) {
            return self.error(
                codes::NO_FLOW,
                "this model has no flow that could leave a law invariant",
                m.span,
                "does not move",
            );
        }
        let dim: usize =
            model.states.iter().filter(|s| s.flow.is_some()).map(|s| s.shape.iter().product::<usize>()).sum();
        let own: usize = target.shape.iter().product();
        if dim != own {
            let message = format!("the model's flowing states have {dim} components, and the target {own}");
            return self.fail(
                Diagnostic::error(
                    codes::SHAPE_MISMATCH,
                    message,
                    p.span,
                    format!("a law over the shape {}", shape_text(&target.shape)),
                )
                .label(m.span, "the model")
                .help("the target is a law over all flowing states in the order of the text"),
            );
        }
        let value = self.g.new_var("invariant", VarKind::Result, Ty::Bool, vec![]);
        let entry = Invariance { model, target, value, span };
        self.run.as_mut().expect("checks stand in runs").invariances.push(entry);
        Ok(Value::Num(self.g.var(value)))
    }

    /// `expect(p, x -> f(x))`.
    pub fn expect_call(&mut self, row: &'static Function, args: &[Arg], scope: &Scope, span: Span) -> Try<Value> {
        if self.run.is_none() {
            return self.error(
                codes::BAD_STATISTIC,
                "`expect` has a meaning only in the statements of a run",
                span,
                "not in a run",
            );
        }
        let [p, f] = args else { return self.wrong_count(row, "2", args.len(), span) };
        let bound = self.plain_args(std::slice::from_ref(p), scope)?;
        let target = self.target_arg(&bound[0])?;
        let function = match &f.value.kind {
            ExprKind::Lambda(..) | ExprKind::Name(_) => self.expr(&f.value, scope)?,
            _ => {
                return self.error(
                    codes::TYPE_MISMATCH,
                    "`expect` wants a function of the point",
                    f.value.span,
                    "write `x -> f(x)`",
                );
            }
        };
        let Value::Func(function) = function else {
            return self.error(
                codes::TYPE_MISMATCH,
                "`expect` wants a function of the point",
                f.value.span,
                "not a function",
            );
        };
        let point = self.g.new_var("x", VarKind::Hole, Ty::Real, target.shape.clone());
        let x = self.g.var(point);
        let log_density = self.log_density(&target, x, span)?;
        let arg = BoundArg { name: None, value: Value::Num(x), span: f.value.span };
        let value = self.call_value(&function, &[arg], span)?;
        let id = self.num(&value, f.value.span)?;
        let integrand = if self.g.ty(id) == Ty::Bool {
            self.elementwise_raw(&[id], |g, a| g.op(Op::ToReal, a))
        } else {
            self.to_real(id, f.value.span)?
        };
        if !self.open_indices(&[log_density], &[]).is_empty() {
            return self
                .unsupported("an expectation under a target that depends on the index of a comprehension", span);
        }
        let open = self.open_indices(&[integrand], &[]);
        let integrand = self.map_over(&open, integrand);
        let size: usize = target.shape.iter().product();
        let draw = if target.drawable() {
            Some(self.with_start_draws(|s| s.draw_at(&Value::Target(target.clone()), &target.shape, span))?)
        } else {
            None
        };
        if size > 2 && draw.is_none() {
            return self.fail(
                Diagnostic::error(
                    codes::BAD_STATISTIC,
                    format!("the expectation under `{}` cannot be worked out", target.name),
                    span,
                    format!("{size} dimensions, and no exact draws"),
                )
                .note("quadrature goes up to two dimensions; beyond, the target must be one that can be drawn from"),
            );
        }
        let shape = self.g.shape(integrand).to_vec();
        let (value, se) = (self.result_var("expect", shape.clone()), self.result_var("se", shape));
        let entry = Expectation { target, point, log_density, integrand, draw, value, se, span };
        self.run.as_mut().expect("checked above").expectations.push(entry);
        let value = self.g.var(value);
        Ok(Value::Num(self.at_open(value, &open)))
    }

    /// Some statistic of a statement uses each index of its pool: else nothing is pooled.
    pub fn axes_are_used(&mut self, pool: &Pool, span: Span) -> Try<()> {
        let used = self.run.as_ref().map(|r| r.pooled.clone()).unwrap_or_default();
        let Some(k) = (0..pool.axes.len()).find(|k| !used.contains(&pool.axes[*k].id)) else { return Ok(()) };
        let words = &pool.axis_words[k];
        let index = words.split(' ').next().unwrap_or_default();
        self.fail(
            Diagnostic::error(
                codes::BAD_STATISTIC,
                format!("`over {words}` pools nothing: no statistic uses `{index}`"),
                span,
                format!("the same for every `{index}`"),
            )
            .help(format!("take one element by it, as in `mean(x[{index}])`, or leave `over` out")),
        )
    }

    /// Runs `body` with the pool of a statement.
    pub fn with_pool<T>(
        &mut self,
        pool: Rc<Pool>,
        body: impl FnOnce(&mut Self) -> Result<T, Reported>,
    ) -> Result<T, Reported> {
        let before = self.run.as_mut().and_then(|r| r.pool.replace(pool));
        let result = body(self);
        if let Some(run) = &mut self.run {
            run.pool = before;
        }
        result
    }
}
