//! What is known of one model, target or run that an expression names, without running it.

use std::collections::HashSet;

use crate::calculus::explanation::Explanation;
use crate::diagnostics::Diagnostic;
use crate::model::elab::{Elab, Try};
use crate::model::library::Library;
use crate::model::system::Model;
use crate::session::inspect::{ModelFacts, TargetFacts};
use crate::session::load::Loaded;
use crate::session::plan::Overrides;
use crate::syntax::ast::{Expr, ExprKind, ItemKind};

/// The facts about a model or a target.
#[derive(Clone, Debug)]
pub enum Facts {
    Model(Box<ModelFacts>),
    Target(Box<TargetFacts>),
}

/// What a run uses.
#[derive(Clone, Debug, Default)]
pub struct Uses {
    /// declarations, by [`crate::model::library::Decl::key`]
    pub declarations: HashSet<(u16, u32)>,
    /// its parameters, under the names that set them
    pub parameters: Vec<String>,
}

/// The derived equations of a model, or the density and score of a target. A name alone stands for the declaration with
/// its defaults, that of a run for the run's model.
pub fn explain(loaded: &Loaded, e: &Expr) -> Result<Explanation, Vec<Diagnostic>> {
    of_model(loaded, e, |elab, model| match elab.target_explanation(model, None) {
        Some(explanation) => explanation,
        None => elab.explanation(model),
    })
}

/// The facts about a model or a target, named likewise.
pub fn facts(loaded: &Loaded, e: &Expr) -> Result<Facts, Vec<Diagnostic>> {
    of_model(loaded, e, |elab, model| match elab.target_facts(model, None) {
        Some(facts) => Facts::Target(Box::new(facts)),
        None => {
            let structured = elab.structured(model);
            Facts::Model(Box::new(elab.model_facts(model, &structured, None)))
        }
    })
}

/// What a run uses; nothing of one that cannot be worked out.
pub fn uses(loaded: &Loaded, run: &str) -> Uses {
    let Some((_, run)) = loaded.library.runs().find(|(_, r)| r.name.name == run) else { return Uses::default() };
    let mut elab = Elab::new(&loaded.library, &loaded.sources);
    if elab.plan(run, &Overrides::default()).is_err() {
        return Uses::default();
    }
    let parameters = elab.params.iter().flat_map(|p| [p.name.clone(), p.path.clone()]).collect();
    Uses { declarations: elab.reached, parameters }
}

fn of_model<T>(loaded: &Loaded, e: &Expr, f: impl FnOnce(&mut Elab<'_>, &Model) -> T) -> Result<T, Vec<Diagnostic>> {
    let mut elab = Elab::new(&loaded.library, &loaded.sources);
    match elab.model_named(loaded, e) {
        Ok(model) => Ok(f(&mut elab, &model)),
        Err(_) => Err(elab.diagnostics),
    }
}

impl Elab<'_> {
    fn model_named(&mut self, loaded: &Loaded, e: &Expr) -> Try<Model> {
        if let ExprKind::Name(name) = &e.kind
            && let Some((_, run)) = loaded.library.runs().find(|(_, r)| r.name.name == *name)
        {
            return self.plan(run, &Overrides::default()).map(|plan| plan.model);
        }
        let scope = self.root_scope(false);
        let value = self.expr(&made(&loaded.library, e), &scope)?;
        self.model(&value, e.span)
    }
}

/// `m` as `m()`, where it is a declaration of a model or a target.
pub(super) fn made(library: &Library, e: &Expr) -> Expr {
    let ExprKind::Name(name) = &e.kind else { return e.clone() };
    let declared = library.lookup(name).iter().any(|d| matches!(d.item.kind, ItemKind::Model(_) | ItemKind::Target(_)));
    if !declared {
        return e.clone();
    }
    Expr { kind: ExprKind::Call(Box::new(e.clone()), Vec::new()), span: e.span }
}
