//! Constructs of the language that this version does not support, by their names in messages.

use crate::model::functions::{Builtin, Function, FunctionKind};
use crate::syntax::ast::{BlockStmt, State, Trigger};

/// Declarations of the library that come with a later version.
pub const LIBRARY: &[&str] = &["annealed", "mult_almc", "mult_cdiff", "adam", "sgd"];

pub const STEP_OF_MODEL: &str = "a `step` block in a model";
pub const MODEL_WITH: &str = "a model extended by `with { ... }`";
pub const TARGET_SPACE: &str = "a target on a restricted space (`in ...`)";
pub const TARGET_TYPE: &str = "a target on integers or conditions";
pub const PRIMES_OF_INDICES: &str = "a comprehension of primes (`x'[i] = ... for i in ...`)";
pub const EARLIER_RUN: &str = "what an earlier run found (`run.name`)";
pub const INIT_FROM_RUN: &str = "starting where an earlier run stopped (`init = ...`)";
pub const ESTIMATE: &str = "an `estimate`";
pub const TRAIN: &str = "`train`";
pub const PHASE: &str = "a `phase`";
pub const PHASES: &str = "a `for` over phases";
pub const DRAW_IN_RUN: &str = "a draw in the `let` of a run";

/// What may do in the place of a construct, for its help.
const INSTEAD: &[(&str, &str)] = &[
    (
        EARLIER_RUN,
        "what runs find is asked for at the prompt (`fokker repl`), where `let m = mean(r.x)` keeps it as a number that \
         models and runs can name",
    ),
    (INIT_FROM_RUN, "let one run go on over both times, or start from a law, as in `init x ~ normal(m, s)`"),
    (ESTIMATE, "report the mean: its standard error is told, and falls with the root of `paths`"),
    (PHASE, "write it as a run of its own"),
    (PHASES, "write them as runs of their own"),
    (TARGET_SPACE, "write the density of a transformed variable, which is free on the whole line"),
    (MODEL_WITH, "write the equations out in a model of your own"),
];

/// A way out for a construct, where there is one.
pub fn instead(what: &str) -> Option<&'static str> {
    INSTEAD.iter().find(|i| i.0 == what).map(|i| i.1)
}

/// Whether a function of the table waits for a later version.
pub fn function(f: &Function) -> bool {
    use Builtin as B;
    let waits = [B::Scan, B::WeightEss, B::Logmeanexp, B::Ancestors, B::Mlp, B::Affine, B::Fourier, B::Choose];
    matches!(f.kind, FunctionKind::Builtin(b) if waits.contains(&b))
}

pub fn event(trigger: &Trigger) -> &'static str {
    match trigger {
        Trigger::Every { .. } => "an `every` event",
        Trigger::AtRate(_) => "a jump `at rate`",
        Trigger::At(_) => "an `at` event",
        Trigger::When(_) => "a `when` event",
    }
}

/// What a state has that is not supported, and where.
pub fn state(state: &State) -> Option<(String, crate::source::Span)> {
    use crate::syntax::ast::TypeKind;
    if state.weight {
        return Some(("a `weight`".into(), state.span));
    }
    if let Some(space) = &state.space {
        return Some(("a state on a restricted space (`in ...`)".into(), space.span));
    }
    if let Some(rule) = &state.boundary {
        return Some(("a boundary rule (`by ...`)".into(), rule.span));
    }
    match state.ty.as_ref().map(|ty| (&ty.kind, ty.span)) {
        Some((TypeKind::Named(name, _), span)) if matches!(name.name.as_str(), "int" | "bool") => {
            Some((format!("a state of type `{}`", name.name), span))
        }
        Some((TypeKind::Function(..), span)) => Some(("a state that is a function".into(), span)),
        _ => None,
    }
}

/// What a statement of a prime block is, where that is not supported in step rules.
pub fn block(statement: &BlockStmt) -> Option<(&'static str, crate::source::Span)> {
    match statement {
        BlockStmt::Tilde(e, _) => Some(("data in a step (`~`)", e.span)),
        BlockStmt::Stop(span) => Some(("`stop`", *span)),
        BlockStmt::Prime { comp: Some(comp), .. } => Some((PRIMES_OF_INDICES, comp.span)),
        _ => None,
    }
}
