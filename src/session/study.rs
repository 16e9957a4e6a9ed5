//! A program studied for an editor: what is wrong with it, of what types its names are, what its models are.

use std::collections::HashMap;
use std::rc::Rc;

use crate::calculus::explain::brief;
use crate::diagnostics::Diagnostic;
use crate::math::{Graph, Ty};
use crate::model::elab::Elab;
use crate::model::library::item_name;
use crate::model::resolve::Names;
use crate::model::system::Model;
use crate::model::value::{Seen, Value};
use crate::session::check::check_with;
use crate::session::load::Loaded;
use crate::session::plan::Overrides;
use crate::solve::form::Structured;
use crate::source::Span;

#[derive(Debug, Default)]
pub struct Study {
    pub problems: Vec<Diagnostic>,
    /// types of declared names by the places of the declarations, as `real[2]`; only where the program could be worked out
    pub types: HashMap<Span, String>,
    /// classes of the noise of models by the places of their names
    pub classes: HashMap<Span, String>,
}

/// Studies a loaded program whose names are known. A text that does not parse as a whole has no types.
pub fn study(loaded: &Loaded, names: &Names) -> Study {
    let mut study = Study::default();
    let seen = Seen::default();
    let (types, classes) = (&mut study.types, &mut study.classes);
    study.problems = check_with(loaded, names, Some(&seen), &mut |elab, model| {
        for (span, value) in seen.borrow_mut().drain(..) {
            if let Some(text) = type_of(&elab.g, &value) {
                types.entry(span).or_insert(text);
            }
        }
        if let Some((model, structured)) = model
            && model.states.iter().any(|s| s.flow.is_some())
            && let Some(at) = name_of(loaded, &model.name)
        {
            classes.entry(at).or_insert_with(|| structured.structure.noise.class().name().to_string());
        }
    });
    study
}

/// Where the declaration of a model has its name.
fn name_of(loaded: &Loaded, model: &str) -> Option<Span> {
    Some(item_name(&loaded.library.lookup(model).first()?.item.kind)?.span)
}

/// The type of a value as the language writes it; none for what has no name there.
fn type_of(g: &Graph, value: &Value) -> Option<String> {
    let sized = |name: &str, shape: &[usize]| if shape.is_empty() { name.into() } else { format!("{name}{shape:?}") };
    Some(match value {
        Value::Num(id) => {
            let name = match g.ty(*id) {
                Ty::Real => "real",
                Ty::Int => "int",
                Ty::Bool => "bool",
            };
            sized(name, g.shape(*id))
        }
        Value::Int(n) => format!("int = {n}"),
        Value::Target(target) => format!("target on {}", sized("real", &target.shape)),
        _ => return None,
    })
}

/// The equations of a model that is declared at a place, derived, in text: of the first run that has it, or with its defaults.
pub fn equations(loaded: &Loaded, declared: Span) -> Option<String> {
    if loaded.has_errors() {
        return None;
    }
    let is_it = |model: &Model| name_of(loaded, &model.name) == Some(declared);
    for (_, run) in loaded.library.runs() {
        let mut elab = Elab::new(&loaded.library, &loaded.sources);
        if let Ok(plan) = elab.plan(run, &Overrides::default())
            && is_it(&plan.model)
        {
            return Some(brief_text(&mut elab, &plan.model, &plan.structured));
        }
    }
    let decl = loaded.library.decls().find(|d| item_name(&d.item.kind).is_some_and(|n| n.span == declared))?;
    let mut elab = Elab::new(&loaded.library, &loaded.sources);
    let applied = crate::model::value::Applied { decl: decl.clone(), args: Vec::new(), span: declared };
    let model = elab.model(&Value::Model(Rc::new(applied)), declared).ok()?;
    let structured = elab.structured(&model);
    Some(brief_text(&mut elab, &model, &structured))
}

fn brief_text(elab: &mut Elab<'_>, model: &Model, structured: &Structured) -> String {
    brief(&mut elab.g, &model.name, &structured.system, &structured.structure).text()
}
