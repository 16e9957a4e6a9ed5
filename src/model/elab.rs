//! The elaborator's state: the graph under construction, the parameters of the tree, the problems found so far.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::diagnostics::{Code, Diagnostic, codes};
use crate::math::{Graph, Id, IndexVar, Node, Op, Ty, VarId, VarKind};
use crate::model::later;
use crate::model::library::Library;
use crate::model::results::RunContext;
use crate::model::value::{Scope, Seen, Value};
use crate::source::{SourceMap, Span};
use crate::syntax::ast;

/// Proof that a problem has been reported; carries nothing.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Reported;

pub type Try<T> = Result<T, Reported>;

/// A real parameter that no argument fixed: an input of the run.
#[derive(Clone, Debug)]
pub struct RunParam {
    /// its own name, and those of the declarations above it: `double_well.h`
    pub name: String,
    pub path: String,
    pub var: VarId,
    /// value when nothing sets it; of run rate, may use earlier parameters
    pub default: Option<Id>,
    pub range: Option<Range>,
    pub span: Span,
}

/// The declared range of a parameter.
#[derive(Clone, Debug)]
pub struct Range {
    pub lo: Id,
    pub hi: Id,
    pub lo_closed: bool,
    pub hi_closed: bool,
    pub span: Span,
}

/// An argument whose range can be checked only when the run knows its parameters.
#[derive(Clone, Debug)]
pub struct RangeCheck {
    pub name: String,
    pub value: Id,
    pub range: Range,
    /// of the argument
    pub span: Span,
}

/// The matrix of a noise, which must be one at all values of the run's parameters.
#[derive(Clone, Debug)]
pub struct MatrixCheck {
    pub structure: ast::NoiseStructure,
    pub value: Id,
    pub size: usize,
    pub span: Span,
}

/// Where draws are allowed: the next free site and the turn of the loops around.
#[derive(Clone, Debug, Default)]
pub struct Draws {
    pub next_site: u32,
    pub turn: u16,
    /// indices of the comprehensions around: a draw inside them is a fresh one for each
    pub bounds: Vec<IndexVar>,
}

/// Works out a program: names, shapes, instances; expressions become nodes of a raw graph.
pub struct Elab<'p> {
    pub g: Graph,
    pub library: &'p Library,
    pub sources: &'p SourceMap,
    pub diagnostics: Vec<Diagnostic>,
    pub params: Vec<RunParam>,
    /// arguments to be held against their ranges when the run knows them
    pub ranges: Vec<RangeCheck>,
    /// matrices of noises to be looked at when the run knows its parameters
    pub matrices: Vec<MatrixCheck>,
    pub time: VarId,
    pub time_next: VarId,
    pub dt: VarId,
    pub step_index: VarId,
    /// values of top-level constants, data and functions, once worked out
    pub globals: HashMap<(u16, u32), Value>,
    /// declarations that were worked out
    pub reached: HashSet<(u16, u32)>,
    /// declarations being worked out, to find recursion
    pub active: Vec<(String, Span)>,
    /// draws are allowed here
    pub draws: Option<Draws>,
    /// names of the declarations around, for the paths of parameters
    pub path: Vec<String>,
    /// the run whose statements are being worked out: statistics have a meaning
    pub run: Option<RunContext>,
    /// what earlier runs found, by the text that names the run and by the name in it: `r.x`
    pub found: HashMap<String, HashMap<String, Value>>,
    pub data_cache: crate::model::data::Cache,
    pub accepted: Option<AcceptSink>,
    /// the long loops of the step rule that is being worked out
    pub turns: Turns,
    /// the noise of the step rule that is being worked out
    pub wiener: Option<WienerSink>,
    /// the noise of steps is shared between step sizes: Wiener integrals are brought to W, H and K where they can
    pub coupled_noise: bool,
    /// implicit stages so far that are NaN where they are not solved
    pub implicit_stages: usize,
    /// collects what a step rule says of its error
    pub estimates: Option<Vec<(Id, Span)>>,
    pub depth: usize,
    /// calls worked out so far
    pub calls: usize,
    /// inside a condition: an index may leave the array in the branch that is not taken
    pub conditional: usize,
    /// the next free site for the draws of starts
    pub start_site: u32,
    /// collects the values of declared names, if anybody asks for them
    pub seen: Option<Seen>,
}

/// Collects the yes-or-no of `accept` in a step rule.
#[derive(Clone, Debug, Default)]
pub struct AcceptSink {
    /// one boolean node for each written `accept`
    pub decisions: Vec<Id>,
}

/// What the turns of long loops in a step rule give the states.
#[derive(Clone, Debug, Default)]
pub struct Turns {
    /// inside such a loop
    pub long: bool,
    /// states that are renewed piece by piece there
    pub pieces: HashSet<String>,
    /// the new values, with the variables that stand for them until the rule is worked out; each reads those before it
    pub values: Vec<(VarId, Id)>,
}

/// Collects the Wiener integrals of a step rule; they are drawn jointly when all are known.
#[derive(Clone, Debug, Default)]
pub struct WienerSink {
    /// the shape of `dW` in the rule
    pub shape: Vec<usize>,
    pub integrals: Vec<WienerIntegral>,
}

/// `integral(f(s) dW for s in from .. to)`
#[derive(Clone, Debug)]
pub struct WienerIntegral {
    /// a number, or an array of the shape of `dW`, in terms of `variable`
    pub integrand: Id,
    pub variable: VarId,
    pub from: Id,
    pub to: Id,
    /// stands for its value until it is drawn
    pub stands: VarId,
    pub span: Span,
}

/// How deep expressions and calls may nest before the elaborator gives up with a diagnostic.
pub const MAX_DEPTH: usize = 400;

/// The most calls of functions and uses of declarations in a run: each is written out, so functions that call one
/// another twice would grow without end.
const MAX_CALLS: usize = 200_000;

/// The largest array, in elements.
pub const MAX_ELEMENTS: usize = 1 << 24;

/// The most operations that are spent on working out a number before a run.
const MAX_FOLDED: f64 = 1e6;

impl<'p> Elab<'p> {
    pub fn new(library: &'p Library, sources: &'p SourceMap) -> Elab<'p> {
        let mut g = Graph::new();
        let time = g.new_var("t", VarKind::Time, Ty::Real, vec![]);
        let time_next = g.new_var("t'", VarKind::TimeNext, Ty::Real, vec![]);
        let dt = g.new_var("dt", VarKind::Dt, Ty::Real, vec![]);
        let step_index = g.new_var("step", VarKind::StepIndex, Ty::Real, vec![]);
        Elab {
            g,
            library,
            sources,
            diagnostics: Vec::new(),
            params: Vec::new(),
            ranges: Vec::new(),
            matrices: Vec::new(),
            time,
            time_next,
            dt,
            step_index,
            globals: HashMap::new(),
            reached: HashSet::new(),
            active: Vec::new(),
            draws: None,
            path: Vec::new(),
            run: None,
            found: HashMap::new(),
            data_cache: Default::default(),
            accepted: None,
            turns: Turns::default(),
            wiener: None,
            coupled_noise: false,
            implicit_stages: 0,
            estimates: None,
            depth: 0,
            calls: 0,
            conditional: 0,
            start_site: crate::model::system::START_SITE,
            seen: None,
        }
    }

    /// Records a problem (once) and returns the proof.
    pub fn report(&mut self, diagnostic: Diagnostic) -> Reported {
        if !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
        Reported
    }

    pub fn error<T>(&mut self, code: Code, message: impl Into<String>, span: Span, label: impl Into<String>) -> Try<T> {
        Err(self.report(Diagnostic::error(code, message, span, label)))
    }

    pub fn fail<T>(&mut self, diagnostic: Diagnostic) -> Try<T> {
        Err(self.report(diagnostic))
    }

    /// A construct of a later stage.
    pub fn unsupported<T>(&mut self, what: &str, span: Span) -> Try<T> {
        Err(self.report(unsupported(what, span)))
    }

    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// Names that could have been meant instead of `name`, ready for a help line.
    pub fn did_you_mean(&self, name: &str, scope: &Scope) -> Option<String> {
        if let Some(habit) = crate::model::habits::of_name(name) {
            return Some(habit);
        }
        did_you_mean(name, self.known_names(scope).iter().map(String::as_str))
    }

    /// Every name that could stand in a scope.
    pub fn known_names(&self, scope: &Scope) -> Vec<String> {
        let mut known: Vec<String> = scope.names();
        known.extend(self.library.names());
        known.extend(crate::model::functions::TABLE.iter().map(|f| f.name.to_string()));
        known.extend(crate::model::distributions::TABLE.iter().map(|d| d.name.to_string()));
        known.extend(crate::model::operators::TABLE.iter().map(|o| o.name.to_string()));
        if self.run.is_some() {
            known.extend(crate::model::results::statistic_names().map(str::to_string));
        }
        known
    }

    /// The scope of a file's top level (of the library or of the user): what is given everywhere.
    pub fn root_scope(&mut self, library: bool) -> Scope {
        let scope = Scope::top_noting(library, self.seen.clone());
        let span = Span::default();
        let given = [("t", self.time), ("dt", self.dt), ("step", self.step_index)];
        for (name, var) in given {
            let node = self.g.var(var);
            scope.define(name, Value::Num(node), span);
        }
        for (name, value) in [("pi", std::f64::consts::PI), ("inf", f64::INFINITY)] {
            let node = self.g.real(value);
            scope.define(name, Value::Num(node), span);
        }
        scope
    }

    /// Counts a call; too many are an error.
    pub fn count_call(&mut self, span: Span) -> Try<()> {
        self.calls += 1;
        if self.calls <= MAX_CALLS {
            return Ok(());
        }
        if self.calls > MAX_CALLS + 1 {
            return Err(Reported);
        }
        self.fail(
            Diagnostic::error(codes::TOO_DEEP, "the calls of this program are too many", span, "reached here")
                .note(format!(
                    "functions are written out where they are called, and this comes to more than {MAX_CALLS} calls"
                ))
                .help("name a value that is used twice by `let`; write what repeats as a loop (`for`, `sum`)"),
        )
    }

    /// Runs `body`, a declaration of the library or of the user, with recursion and depth watched.
    pub fn guarded<T>(
        &mut self,
        name: &str,
        library: bool,
        span: Span,
        body: impl FnOnce(&mut Self) -> Try<T>,
    ) -> Try<T> {
        let key = if library { format!("{name} of the library") } else { name.to_string() };
        if let Some((_, first)) = self.active.iter().find(|(n, _)| *n == key) {
            let first = *first;
            return self.fail(
                Diagnostic::error(
                    codes::RECURSION,
                    format!("`{name}` uses itself"),
                    span,
                    "used here, while it is worked out",
                )
                .label(first, "this use started it")
                .help("each is made from the other: one of them must be given by something else"),
            );
        }
        self.count_call(span)?;
        self.active.push((key, span));
        let result = body(self);
        self.active.pop();
        result
    }

    /// The value of an integer known now.
    pub fn as_int(&mut self, value: &Value, span: Span) -> Try<i64> {
        match value {
            Value::Int(n) => Ok(*n),
            Value::Dim(shape) => Ok(shape.iter().product::<usize>() as i64),
            Value::Num(id) => match self.g.node(*id).clone() {
                Node::Int(n) => Ok(n),
                Node::Real(bits) if f64::from_bits(bits).fract() == 0.0 && f64::from_bits(bits).abs() < 1e15 => {
                    Ok(f64::from_bits(bits) as i64)
                }
                Node::Real(_) => self.error(codes::TYPE_MISMATCH, "a whole number is wanted here", span, "this is not one"),
                _ => self.fail(
                    Diagnostic::error(
                        codes::NOT_CONSTANT,
                        "an integer that is known when the file is compiled is wanted here",
                        span,
                        "this is known only at run time",
                    )
                    .help("sizes, ranges and `int` parameters are fixed at compile time; write a literal, a `const` or an `int` parameter"),
                ),
            },
            other => {
                let message = format!("an integer is wanted here, and this is {}", other.kind());
                self.error(codes::TYPE_MISMATCH, message, span, "not an integer")
            }
        }
    }

    /// The node of a number; integers and dimensions become constants, a law becomes a draw where draws are allowed.
    pub fn num(&mut self, value: &Value, span: Span) -> Try<Id> {
        match value {
            Value::Num(id) => Ok(*id),
            Value::Int(n) => Ok(self.g.int(*n)),
            Value::Dim(_) => {
                let n = self.as_int(value, span)?;
                Ok(self.g.int(n))
            }
            Value::Draw(_) | Value::Target(_) => self.draw_at(value, &[], span),
            Value::Range(lo, hi) => {
                if hi <= lo {
                    let message = format!("the range {lo}..{hi} is empty");
                    return self.error(codes::EMPTY_RANGE, message, span, "no values");
                }
                let shape = [hi.abs_diff(*lo) as usize];
                self.fits_memory(&shape, span)?;
                let lo = self.g.int(*lo);
                Ok(self.tabulate(&shape, |s, at| s.g.op(Op::Add, &[at[0], lo])))
            }
            other => {
                let message = format!("a number is wanted here, and this is {}", other.kind());
                let d = Diagnostic::error(codes::TYPE_MISMATCH, message, span, "not a number");
                self.fail(match other {
                    Value::Func(_) => d.help("call the function: add its arguments in parentheses"),
                    _ => d,
                })
            }
        }
    }

    /// A number as a real scalar or array.
    pub fn real(&mut self, value: &Value, span: Span) -> Try<Id> {
        let id = self.num(value, span)?;
        self.to_real(id, span)
    }

    /// Converts integers to reals; booleans are refused.
    pub fn to_real(&mut self, id: Id, span: Span) -> Try<Id> {
        match self.g.ty(id) {
            Ty::Real => Ok(id),
            Ty::Int => Ok(self.lift_to_real(id)),
            Ty::Bool => {
                let message = "a number is wanted here, and this is true or false";
                let number = format!("(if {} then 1 else 0)", self.sources.text(span));
                let d = Diagnostic::error(codes::TYPE_MISMATCH, message, span, "a condition");
                self.fail(d.help("write `if condition then 1 else 0`").instead(span, number))
            }
        }
    }

    pub fn lift_to_real(&mut self, id: Id) -> Id {
        if let Node::Int(n) = *self.g.node(id) {
            return self.g.real(n as f64);
        }
        if let Node::Lit(shape, elements) = self.g.node(id).clone() {
            let elements = elements.into_iter().map(|e| self.lift_to_real(e)).collect();
            return self.g.lit(shape, elements);
        }
        self.elementwise_raw(&[id], |g, a| g.op(Op::ToReal, a))
    }

    /// Refuses arrays that no machine holds for a block of paths.
    pub fn fits_memory(&mut self, shape: &[usize], span: Span) -> Try<()> {
        let total = shape.iter().try_fold(1usize, |total, n| total.checked_mul(*n));
        if total.is_some_and(|total| total <= MAX_ELEMENTS) {
            return Ok(());
        }
        let message = format!("an array of the shape {} is too large", shape_text(shape));
        let label = format!("more than {MAX_ELEMENTS} elements");
        self.error(codes::SIZE_UNKNOWN, message, span, label)
    }

    /// How many operations it takes to work out a node, roughly: each below it as often as the loops around it turn.
    pub fn cost(&self, id: Id) -> f64 {
        let order = self.g.reachable(&[id]);
        let mut turns: HashMap<Id, f64> = HashMap::from([(id, 1.0)]);
        let mut total = 0.0;
        for node in order.iter().rev() {
            let own = turns.get(node).copied().unwrap_or(1.0);
            let size: f64 = self.g.shape(*node).iter().map(|n| *n as f64).product();
            let (cost, inner) = match self.g.node(*node) {
                Node::Map(bounds, _) | Node::Reduce(_, bounds, _) | Node::Scatter { bounds, .. } => {
                    (own, own * bounds.iter().map(|b| b.extent as f64).product::<f64>())
                }
                Node::Dense(..) => (own * size.powf(1.5), own),
                _ => (own, own),
            };
            total += cost;
            for part in self.g.parts(*node) {
                let known = turns.entry(part).or_insert(inner);
                *known = known.max(inner);
            }
        }
        total
    }

    pub fn is_cheap(&self, id: Id) -> bool {
        self.cost(id) <= MAX_FOLDED
    }

    /// The value of something that depends on nothing but what `env` holds, where that is cheap to work out.
    pub fn cheap_value(&self, id: Id, env: &crate::math::eval::Env) -> Option<crate::math::array::Array> {
        if self.g.rate(id) > crate::math::Rate::Run || !self.g.free(id).is_empty() || !self.is_cheap(id) {
            return None;
        }
        crate::math::eval::eval(&self.g, id, env).ok()
    }

    /// A scalar real; arrays are refused.
    pub fn scalar(&mut self, value: &Value, span: Span) -> Try<Id> {
        let id = self.real(value, span)?;
        if self.g.is_scalar(id) {
            return Ok(id);
        }
        let message =
            format!("a single number is wanted here, and this has the shape {}", shape_text(self.g.shape(id)));
        self.error(codes::SHAPE_MISMATCH, message, span, "an array")
    }

    pub fn boolean(&mut self, value: &Value, span: Span) -> Try<Id> {
        let id = self.num(value, span)?;
        if self.g.ty(id) == Ty::Bool {
            return Ok(id);
        }
        self.fail(
            Diagnostic::error(
                codes::TYPE_MISMATCH,
                "a condition is wanted here, and this is a number",
                span,
                "not true or false",
            )
            .help("compare it with something: `e > 0`"),
        )
    }

    /// Applies a scalar construction to every element; scalars combine with arrays, arrays have one shape (checked before).
    pub fn elementwise_raw(&mut self, args: &[Id], f: impl FnOnce(&mut Graph, &[Id]) -> Id) -> Id {
        let shape: Vec<usize> =
            args.iter().map(|a| self.g.shape(*a)).find(|s| !s.is_empty()).map(<[usize]>::to_vec).unwrap_or_default();
        let bounds: Vec<_> = shape.iter().map(|n| self.g.fresh_index(*n)).collect();
        let at: Vec<Id> = bounds.iter().map(|b| self.g.index(*b)).collect();
        let parts: Vec<Id> = args.iter().map(|a| self.element(*a, &at)).collect();
        let body = f(&mut self.g, &parts);
        self.g.map(&bounds, body)
    }

    /// An element of an array, or a scalar as it is.
    pub fn element(&mut self, array: Id, at: &[Id]) -> Id {
        if self.g.is_scalar(array) { array } else { self.g.get(array, at) }
    }

    /// A new array over `shape` whose body is made from its indices.
    pub fn tabulate(&mut self, shape: &[usize], f: impl FnOnce(&mut Self, &[Id]) -> Id) -> Id {
        let bounds: Vec<_> = shape.iter().map(|n| self.g.fresh_index(*n)).collect();
        let at: Vec<Id> = bounds.iter().map(|b| self.g.index(*b)).collect();
        let body = f(self, &at);
        self.g.map(&bounds, body)
    }

    /// A constant array (or scalar) of the given shape.
    pub fn filled(&mut self, shape: &[usize], value: f64) -> Id {
        let value = self.g.real(value);
        self.tabulate(shape, |_, _| value)
    }

    /// A name for a new parameter that is not in use: its own, or its path.
    pub fn param_path(&self, name: &str) -> String {
        self.path.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join(".")
    }

    /// Names used twice among the parameters of the tree.
    pub fn ambiguous_params(&self) -> HashSet<String> {
        let mut seen = HashSet::new();
        self.params.iter().filter(|p| !seen.insert(p.name.clone())).map(|p| p.name.clone()).collect()
    }

    pub fn closure(&self, f: &ast::Fn, scope: &Scope) -> Value {
        Value::Func(Rc::new(crate::model::value::Func::Closure {
            name: f.name.name.clone(),
            params: f.header.clone(),
            lets: f.lets.clone(),
            body: f.value.clone(),
            scope: scope.clone(),
            span: f.name.span,
        }))
    }
}

/// "not supported yet", naming the construct.
pub fn unsupported(what: &str, span: Span) -> Diagnostic {
    let d = Diagnostic::error(codes::UNSUPPORTED, format!("{what}: not supported yet"), span, "this construct")
        .note("the construct is part of the language's design and parses, but this version cannot run it");
    match later::instead(what) {
        Some(help) => d.help(help),
        None => d,
    }
}

pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    crate::diagnostics::suggest::did_you_mean(&crate::diagnostics::suggest(name, known))
}

/// `real[3, 4]` as "the shape [3, 4]"; a scalar as "a single number".
pub fn shape_words(shape: &[usize]) -> String {
    if shape.is_empty() { "a single number".into() } else { format!("the shape {}", shape_text(shape)) }
}

/// `real[3, 4]` as `[3, 4]`; a scalar in words.
pub fn shape_text(shape: &[usize]) -> String {
    if shape.is_empty() {
        return "of a single number".into();
    }
    format!("[{}]", shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", "))
}
