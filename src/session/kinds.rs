//! What kind of thing a value is, in words.

use crate::math::{Rate, Ty};
use crate::model::elab::{Elab, shape_text};
use crate::model::value::{Func, Value};
use crate::syntax::print_expr;

impl Elab<'_> {
    /// The type of a value, in the words of the language where it has them.
    pub(super) fn type_words(&self, value: &Value) -> String {
        let array = |name: &str, shape: &[usize]| match shape {
            [] => name.to_string(),
            _ => format!("{name}{}", shape_text(shape)),
        };
        match value {
            Value::Num(id) => {
                let name = match self.g.ty(*id) {
                    Ty::Real => "real",
                    Ty::Int => "int",
                    Ty::Bool => "bool",
                };
                let each = if self.g.rate(*id) == Rate::Lane { ", for each path" } else { "" };
                array(name, self.g.shape(*id)) + each
            }
            Value::Int(_) | Value::Dim(_) => "int".into(),
            Value::Text(_) => "a text".into(),
            Value::Range(lo, hi) => format!("a range, {lo} .. {hi}"),
            Value::Func(f) => match &**f {
                Func::Closure { name, params, .. } if name == "->" => {
                    format!(
                        "a function of {}",
                        params.iter().map(|p| p.name.name.as_str()).collect::<Vec<_>>().join(", ")
                    )
                }
                Func::Closure { name, params, .. } => format!("a function, {name}{}", print_expr::header(params)),
                Func::Builtin(row) => format!("a function, {}", row.signature),
                Func::Distribution(row) => format!("a distribution, {}", crate::session::help::signature_of_law(row)),
                Func::Graph { name, .. } => format!("a function, {name}"),
            },
            Value::Target(target) => {
                let space = array("real", &target.shape);
                let drawn = if target.drawable() { "can be drawn from" } else { "known by its density" };
                format!("a target on {space}, {}: {drawn}", target.name)
            }
            Value::Model(applied) => match crate::model::library::item_name(&applied.decl.item.kind) {
                Some(name) => format!("a model, {}", name.name),
                None => "a model".into(),
            },
            Value::Solver(solver) => format!("a solver, {}", solver.name),
            Value::List(items) => format!("a list of {}", items.len()),
            other => other.kind().to_string(),
        }
    }
}
