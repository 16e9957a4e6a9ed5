//! A program studied for an editor: what is wrong with it, of what types its names are, what its models are.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::rc::Rc;

use crate::calculus::explain::brief;
use crate::diagnostics::Diagnostic;
use crate::math::{Graph, Ty};
use crate::model::elab::Elab;
use crate::model::library::item_name;
use crate::model::resolve::{Kind, Names, Use};
use crate::model::system::Model;
use crate::model::value::{Seen, Value};
use crate::session::check::check_with;
use crate::session::load::Loaded;
use crate::session::plan::Overrides;
use crate::solve::form::Structured;
use crate::source::{FileId, Span};
use crate::syntax::ast::{Path, Run, RunStmt};

#[derive(Debug, Default)]
pub struct Study {
    pub problems: Vec<Diagnostic>,
    /// types of declared names by the places of the declarations, as `real[2]`; only where the program could be worked out
    pub types: HashMap<Span, String>,
    /// classes of the noise of models by the places of their names
    pub classes: HashMap<Span, String>,
    /// the parameters that runs name by paths, which the text alone does not tell
    pub uses: Vec<Use>,
}

/// Studies a loaded program whose names are known; nothing where `stop` has said so meanwhile. A text that does not parse as a
/// whole has no types.
pub fn study(loaded: &Loaded, names: &Names, stop: &dyn Fn() -> bool) -> Option<Study> {
    let mut study = Study::default();
    let seen = Seen::default();
    let (types, classes, uses) = (&mut study.types, &mut study.classes, &mut study.uses);
    let mut stopped = stop();
    if stopped {
        return None;
    }
    study.problems = check_with(loaded, names, Some(&seen), &mut |elab, part| {
        for (span, value) in seen.borrow_mut().drain(..) {
            if let Some(text) = type_of(&elab.g, &value) {
                types.entry(span).or_insert(text);
            }
        }
        if let Some((model, structured)) = part.model
            && model.states.iter().any(|s| s.flow.is_some())
            && let Some(at) = name_of(loaded, &model.name)
        {
            classes.entry(at).or_insert_with(|| structured.structure.noise.class().name().to_string());
        }
        part.run.into_iter().for_each(|run| uses.extend(swept(loaded, elab, run)));
        stopped = stop();
        if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    (!stopped).then_some(study)
}

/// The parameters that the sweeps of a run name, and the declarations on the paths to them.
fn swept(loaded: &Loaded, elab: &Elab<'_>, run: &Run) -> Vec<Use> {
    let mut uses = Vec::new();
    let paths = run.statements.iter().filter_map(|s| match s {
        RunStmt::Sweep(sets, _) => Some(sets.iter().map(|set| &set.0)),
        _ => None,
    });
    for path in paths.flatten() {
        let [k] = elab.params_named(&written(path))[..] else { continue };
        let (last, above) = path.parts.split_last().expect("a path has a name");
        uses.push(Use { at: last.span, of: elab.params[k].span, kind: Kind::Parameter });
        for part in above {
            let names = loaded.library.lookup(&part.name).into_iter().filter_map(|d| item_name(&d.item.kind));
            uses.extend(names.map(|n| Use { at: part.span, of: n.span, kind: Kind::Declaration }));
        }
    }
    uses
}

fn written(path: &Path) -> String {
    path.parts.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(".")
}

/// A parameter of a run as `sweep` and `--set` name it.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// its name where that is unique, else its path
    pub name: String,
    pub path: String,
    /// where it is declared
    pub declared: Span,
}

/// The parameters of the run that begins at byte `start` of a file, as far as it can be worked out.
pub fn parameters(loaded: &Loaded, file: FileId, start: usize) -> Vec<Parameter> {
    let mut runs = loaded.library.runs().filter(|(d, _)| d.file == file && d.item.span.start as usize == start);
    let Some((_, run)) = runs.next() else { return Vec::new() };
    let mut elab = Elab::new(&loaded.library, &loaded.sources);
    let _ = elab.plan(run, &Overrides::default());
    let unique = |name: &str| elab.params_named(name).len() == 1;
    let known = elab.params.iter().map(|p| Parameter {
        name: if unique(&p.name) { p.name.clone() } else { p.path.clone() },
        path: p.path.clone(),
        declared: p.span,
    });
    known.collect()
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
