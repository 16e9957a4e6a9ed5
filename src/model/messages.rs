//! What is said of names, arguments and forms, by the resolver (of every body) and the elaborator (of what is used).

use crate::diagnostics::{Diagnostic, Edit, codes, suggest};
use crate::model::call::plural;
use crate::model::distributions::Distribution;
use crate::model::forms::{Form, NoiseClass};
use crate::model::functions::Function;
use crate::model::habits;
use crate::model::library::Library;
use crate::model::statistics;
use crate::source::Span;
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, Ident, Param, Solver};
pub use crate::syntax::settings::NAMES as SETTINGS;
pub use crate::syntax::words::NOISES;

/// Names of types.
pub const TYPES: [&str; 6] = ["real", "int", "bool", "target", "model", "solver"];

/// Adds the known names near to `name`, which stands where the diagnostic is.
fn with_near<'a>(d: Diagnostic, name: &str, known: impl IntoIterator<Item = &'a str>) -> Diagnostic {
    let at = d.labels[0].span;
    d.did_you_mean(&suggest(name, known), at)
}

/// Adds what is written here instead of a name of another language, which stands where the diagnostic is.
pub fn with_habit(d: Diagnostic, habit: String) -> Diagnostic {
    let at = d.labels[0].span;
    match habits::replacement(&habit).map(str::to_string) {
        Some(name) => d.help(habit).instead(at, name),
        None => d.help(habit),
    }
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}

// Types and sizes.

pub fn unknown_type(name: &str, span: Span) -> Diagnostic {
    let d = Diagnostic::error(codes::UNKNOWN_NAME, format!("`{name}` is not a type"), span, "unknown type");
    let d = d.note(
        "types are real, int, bool, arrays of them (`real[n, m]`), target, model, solver, and functions `(real) -> real`",
    );
    match habits::of_type(name) {
        Some(habit) => with_habit(d, habit),
        None => with_near(d, name, TYPES),
    }
}

/// A size that nothing fixes; `near` is what could have been meant.
pub fn open_size(name: &str, span: Span, near: Option<String>) -> Diagnostic {
    let message = format!("nothing fixes the size `{name}`");
    let d = Diagnostic::error(codes::SIZE_UNKNOWN, message, span, "a size without a value");
    d.help(near.unwrap_or_else(|| {
        format!("a size is fixed by an argument, a `data` line of the same block or a `const`, as by the parameter `{name}: int = 3`")
    }))
}

// Expressions.

/// `a < b < c`, which compares a condition with a number.
pub fn chained(op: BinaryOp, left: &Expr) -> Option<Diagnostic> {
    use BinaryOp::{Eq, Ge, Gt, Le, Lt, Ne};
    let compares = |op: BinaryOp| matches!(op, Lt | Le | Gt | Ge | Eq | Ne);
    match &left.kind {
        ExprKind::Binary(inner, _, middle) if compares(op) && compares(*inner) => {
            let middle = crate::syntax::print::expr(middle);
            Some(
                Diagnostic::error(codes::TYPE_MISMATCH, "comparisons do not chain", left.span, "true or false already")
                    .help(format!("join two conditions on `{middle}` by `and`"))
                    .instead(left.span.after(), format!(" and {middle}")),
            )
        }
        _ => None,
    }
}

/// `e dx` outside a flow; `coefficient` is the place of `e`.
pub fn juxtaposed(differential: &Ident, coefficient: Span, span: Span) -> Diagnostic {
    let message = format!("the differential `{}` stands outside a flow", differential.name);
    Diagnostic::error(codes::NOISE_MISUSE, message, span, "not in an equation `dx = ...`")
        .note("a product beside a differential has a meaning only on the right side of a flow")
        .help("in a `solver` or a prime block, multiply: `e*dt`, `b(t, x) @ dW`")
        .instead(coefficient.after().to(differential.span.before()), "*")
}

/// `e ∘ dt`: what is no noise has no convention.
pub fn circle_before(differential: &str, span: Span) -> Diagnostic {
    let message = format!("`∘` stands before a noise, and `{differential}` is none");
    Diagnostic::error(codes::NOISE_MISUSE, message, span, "not a noise")
        .note("`b ∘ dW` is a term of the Stratonovich kind; a drift has no kinds")
        .help(format!("write `{differential}` without it"))
}

/// `x'` where nothing renews `x`.
pub fn primed(name: &str, span: Span) -> Diagnostic {
    let message = format!("`{name}'` has no meaning here");
    Diagnostic::error(codes::UNKNOWN_NAME, message, span, "nothing renews it here")
        .note("a primed name is the newest value of a state, in a `step`, `every`, `at` or `when` block")
        .help("elsewhere write the name without a prime")
        .instead(span, name)
}

// Noises, states and what renews them.

pub fn unknown_noise(kind: &Expr) -> Diagnostic {
    let text = match &kind.kind {
        ExprKind::Call(f, _) => crate::syntax::print::expr(f),
        _ => crate::syntax::print::expr(kind),
    };
    let message = format!("`{text}` is not a kind of noise");
    let d = Diagnostic::error(codes::UNKNOWN_NAME, message, kind.span, "unknown noise")
        .note(format!("kinds of noise are {}", NOISES.join(", ")));
    with_near(d, &text, NOISES)
}

/// A model is read in one way.
pub fn two_conventions(again: Span, first: Span) -> Diagnostic {
    Diagnostic::error(codes::DUPLICATE_NAME, "the convention is given twice", again, "given again")
        .label(first, "given here")
        .help("mark single terms as Stratonovich by `b ∘ dW`")
}

/// `wiener(2)`: what looks like a size, and would be lost.
pub fn wiener_called(kind: &Expr) -> Diagnostic {
    let d = Diagnostic::error(codes::TOO_MANY_ARGUMENTS, "`wiener` takes no arguments", kind.span, "called here")
        .help("a vector of noises has its size in brackets: `noise W: wiener[2]`; a factor stands in the equation");
    match &kind.kind {
        ExprKind::Call(_, args) if args.len() == 1 => {
            d.instead(kind.span, format!("wiener[{}]", crate::syntax::print::expr(&args[0].value)))
        }
        _ => d,
    }
}

fn no_state(name: &Ident, what: &str, label: &str, states: &[&str], first: Option<Span>) -> Diagnostic {
    let mut d = Diagnostic::error(codes::NOT_A_STATE, what, name.span, label);
    if let Some(first) = first {
        d = d.label(first, format!("`{}` is declared here", name.name));
    }
    if states.is_empty() { d } else { d.note(format!("the states are {}", quoted(states))) }
}

/// A flow `dx = ...` of something that is not a state; `first` is where that is declared.
pub fn flow_of_no_state(differential: &Ident, states: &[&str], first: Option<Span>) -> Diagnostic {
    let name = &differential.name[1..];
    let own = Ident { name: name.into(), span: differential.span };
    let message = format!("`{}` is an equation for `{name}`, which is not a state", differential.name);
    let d = no_state(&own, &message, "its left side is no state's differential", states, first);
    let after_d = Span { start: differential.span.start + 1, ..differential.span };
    match suggest(name, states.iter().copied()) {
        near if !near.is_empty() && first.is_none() => d.did_you_mean(&near, after_d),
        _ if first.is_some() => d.help(format!(
            "a `let` follows from the states by itself; to give `{name}` a motion of its own, declare it by `state`"
        )),
        _ => {
            let state = format!("state {name} = 0.0");
            let title = format!("declare the state `{name}`");
            d.help(format!("declare it: `{state}`")).fix(title, Edit::StatementBefore(differential.span, state))
        }
    }
}

/// A prime `x' = ...` of something that the block cannot renew.
pub fn not_renewable(name: &Ident, states: &[&str], first: Option<Span>) -> Diagnostic {
    let message = format!("`{}` is not a state that this block can renew", name.name);
    let d = no_state(name, &message, "renewed here", states, first);
    match suggest(&name.name, states.iter().copied()) {
        near if !near.is_empty() => d.did_you_mean(&near, name.span),
        _ => d.help(format!("for a value of this step alone write `let {} = ...`", name.name)),
    }
}

/// `init x = ...` of something that is not a state of the run's model.
pub fn init_of_no_state(name: &Ident, states: &[&str], first: Option<Span>) -> Diagnostic {
    let message = format!("`{}` is not a state of the model", name.name);
    let d = no_state(name, &message, "has no start that could be replaced", states, first);
    with_near(d, &name.name, states.iter().copied())
}

// Calls.

pub fn unknown_argument(name: &str, ident: &Ident, known: &[&str]) -> Diagnostic {
    let list = match known {
        [] => format!("`{name}` takes no arguments"),
        _ => format!("its parameters: {}", known.join(", ")),
    };
    let message = format!("`{name}` has no parameter `{}`", ident.name);
    let d = Diagnostic::error(codes::UNKNOWN_ARGUMENT, message, ident.span, "no such parameter").note(list);
    with_near(d, &ident.name, known.iter().copied())
}

pub fn too_many(name: &str, known: &[&str], given: usize, at: Span) -> Diagnostic {
    let verb = if given == 1 { "is" } else { "are" };
    if known.is_empty() {
        let message = format!("`{name}` takes no arguments, and {given} {verb} given");
        return Diagnostic::error(codes::TOO_MANY_ARGUMENTS, message, at, "one too many");
    }
    let n = known.len();
    let message = format!("`{name}` takes {n} argument{}, and {given} {verb} given", plural(n));
    Diagnostic::error(codes::TOO_MANY_ARGUMENTS, message, at, "one too many")
        .note(format!("its parameters: {}", known.join(", ")))
}

pub fn given_twice(name: &str, param: &str, at: Span, first: Span) -> Diagnostic {
    let message = format!("the parameter `{param}` of `{name}` is given twice");
    Diagnostic::error(codes::TOO_MANY_ARGUMENTS, message, at, "given again").label(first, "given here")
}

pub fn missing_argument(name: &str, param: &Param, span: Span) -> Diagnostic {
    let message = match name {
        "->" => format!("this function needs its argument `{}`", param.name.name),
        _ => format!("`{name}` needs its argument `{}`", param.name.name),
    };
    Diagnostic::error(codes::MISSING_ARGUMENT, message, span, "left out here")
        .label(param.name.span, "declared here, without a default")
}

/// Slots of a header filled by arguments: for each parameter the index of its argument, or what is wrong.
pub fn match_arguments(
    name: &str,
    known: &[&str],
    args: &[(Option<&Ident>, Span)],
) -> Result<Vec<Option<usize>>, Box<Diagnostic>> {
    let mut slots: Vec<Option<usize>> = vec![None; known.len()];
    let mut next = 0;
    for (k, (ident, at)) in args.iter().enumerate() {
        let slot = match ident {
            Some(ident) => {
                known.iter().position(|p| *p == ident.name).ok_or_else(|| unknown_argument(name, ident, known))?
            }
            None => {
                next += 1;
                next - 1
            }
        };
        if slot >= known.len() {
            return Err(Box::new(too_many(name, known, args.len(), *at)));
        }
        if let Some(first) = slots[slot] {
            return Err(Box::new(given_twice(name, known[slot], *at, args[first].1)));
        }
        slots[slot] = Some(k);
    }
    Ok(slots)
}

/// The parameters of a law with what it is.
pub fn law_note(law: &Distribution) -> String {
    let names: Vec<&str> = law.params.iter().map(|p| p.name).collect();
    format!("{}({}): {}", law.name, names.join(", "), law.doc)
}

pub fn missing_law_argument(law: &'static Distribution, param: &str, span: Span) -> Diagnostic {
    let message = format!("`{}` needs its argument `{param}`", law.name);
    Diagnostic::error(codes::MISSING_ARGUMENT, message, span, "left out here").note(law_note(law))
}

pub fn bad_arity(f: &'static Function, given: usize, span: Span) -> Diagnostic {
    let wanted = f.arity().unwrap_or_default();
    let verb = if given == 1 { "is" } else { "are" };
    let message = format!("`{}` takes {wanted} argument{}, and {given} {verb} given", f.name, plural(wanted));
    Diagnostic::error(codes::WRONG_ARITY, message, span, "called here").note(format!("{}: {}", f.signature, f.doc))
}

/// A statistic without its brackets: `std` for `std(x)`.
pub fn statistic_alone(name: &str, span: Span) -> Option<Diagnostic> {
    let row = statistics::find(name)?;
    let message = format!("`{name}` is a statistic, and is called");
    let d = Diagnostic::error(codes::WRONG_ARITY, message, span, "without its brackets").note(row.doc);
    Some(d.help(format!("write `{}`", row.example())))
}

pub fn no_names(f: &'static Function, name: &Ident) -> Diagnostic {
    let message = format!("`{}` has no parameter `{}`", f.name, name.name);
    let label = "arguments of built-in functions have no names";
    Diagnostic::error(codes::UNKNOWN_ARGUMENT, message, name.span, label).note(f.signature)
}

// Solvers.

pub fn unknown_solver(library: &Library, name: &str, span: Span) -> Diagnostic {
    let known = library.solver_names();
    let d = Diagnostic::error(codes::UNKNOWN_SOLVER, format!("`{name}` is not a solver"), span, "unknown solver")
        .note("`fokker solvers` lists those of the library");
    with_near(d, name, known.iter().map(String::as_str))
}

pub fn unknown_form(form: &Ident) -> Diagnostic {
    let message = format!("`{}` is not a form of model", form.name);
    let d = Diagnostic::error(codes::BAD_FORM, message, form.span, "unknown form")
        .note(format!("forms are {}", Form::NAMES.join(", ")));
    with_near(d, &form.name, Form::NAMES)
}

pub fn unknown_class(noise: &Ident) -> Diagnostic {
    let names: Vec<&str> = NoiseClass::ALL.iter().map(|c| c.name()).collect();
    let message = format!("`{}` is not a class of noise", noise.name);
    let d = Diagnostic::error(codes::BAD_FORM, message, noise.span, "unknown class")
        .note(format!("classes of noise are {}", names.join(", ")));
    with_near(d, &noise.name, names)
}

/// A form with another number of names in its brackets than it has.
pub fn wrong_names(form: &Ident, kind: Form, class: NoiseClass, given: usize) -> Option<Diagnostic> {
    let all = kind.arity();
    // Without noise there is no `b`.
    let least = if class == NoiseClass::None && all == 2 { 1 } else { all };
    if (least..=all).contains(&given) {
        return None;
    }
    let verb = if given == 1 { "is" } else { "are" };
    let message =
        format!("the form `{}` has {all} name{} in its brackets, and {given} {verb} given", form.name, plural(all));
    let label = format!("as in `{}`", kind.example());
    Some(Diagnostic::error(codes::BAD_FORM, message, form.span, label).note(kind.doc()))
}

pub fn no_step(solver: &Solver) -> Diagnostic {
    let message = format!("the solver `{}` has no step", solver.name.name);
    Diagnostic::error(codes::BAD_STEP_RULE, message, solver.name.span, "nothing says how it moves a model")
        .help("add `step { x' = ... }`")
}

/// A name in a run that its model and its file both declare.
pub fn two_meanings(name: &str, span: Span, model: Span, file: Span) -> Diagnostic {
    let message = format!("`{name}` is of the run's model and also a declaration of this file");
    Diagnostic::error(codes::SHADOWED, message, span, "which one?")
        .label(file, "declared here")
        .label(model, "the model has it too")
        .note("a name means one thing")
        .help(format!("give the declaration of the file another name than `{name}`"))
}
