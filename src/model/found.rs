//! What earlier runs found, as fields of their names: `r.x`.

use crate::diagnostics::{Diagnostic, codes};
use crate::model::elab::{Elab, Try};
use crate::model::value::{Scope, Value};
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind};
use crate::syntax::print_expr;

impl Elab<'_> {
    /// Whether a name is that of a run with results, and of nothing else.
    pub(super) fn is_run(&self, name: &str, scope: &Scope) -> bool {
        let variants = format!("{name}[");
        let known = |key: &String| key == name || key.starts_with(&variants);
        self.found.keys().any(known) && scope.get(name).is_none() && self.library.lookup(name).is_empty()
    }

    /// The value of `r.x` or `r[1].x`, where `r` is a run whose results are known. Nothing where it is something else.
    pub(super) fn found_by_run(&mut self, object: &Expr, field: &str, span: Span) -> Option<Try<Value>> {
        if self.found.is_empty() || !matches!(object.kind, ExprKind::Name(_) | ExprKind::Index(..)) {
            return None;
        }
        let name = print_expr::expr(object);
        let base = match &object.kind {
            ExprKind::Index(array, _) => print_expr::expr(array),
            _ => name.clone(),
        };
        // The one variant of a run is its first too.
        let first = format!("{base}[0]");
        let key = if name == first && !self.found.contains_key(&name) { &base } else { &name };
        if let Some(found) = self.found.get(key) {
            if let Some(value) = found.get(field) {
                return Some(Ok(value.clone()));
            }
            let mut names: Vec<&str> = found.keys().map(String::as_str).collect();
            names.sort_unstable();
            let help = match names.is_empty() {
                true => "runs that measure orders keep no paths".to_string(),
                false => format!("it kept {}", names.join(", ")),
            };
            return Some(self.no_result(format!("the run `{name}` kept no `{field}`"), span, help));
        }
        let (message, help) = self.variants_of(&base, &name, Some(field))?;
        Some(self.no_result(message, span, help))
    }

    /// What is told of a run that stands where a value is wanted: `r`, or `r[1]`. Nothing where no such run has results.
    pub(super) fn run_as_value(&mut self, e: &Expr) -> Option<Try<Value>> {
        let name = print_expr::expr(e);
        let base = match &e.kind {
            ExprKind::Index(array, _) => print_expr::expr(array),
            _ => name.clone(),
        };
        let (message, help) = match self.found.get(&name) {
            Some(found) => {
                let first = found.keys().min().map_or(String::new(), |f| format!(", as in `mean({name}.{f})`"));
                (format!("`{name}` is a run, and no number"), format!("statistics are of what it kept{first}"))
            }
            None => self.variants_of(&base, &name, None)?,
        };
        Some(self.no_result(message, e.span, help))
    }

    fn variants_of(&self, base: &str, name: &str, field: Option<&str>) -> Option<(String, String)> {
        let variants = self.found.keys().filter(|k| k.starts_with(&format!("{base}["))).count();
        let after = field.map_or(String::new(), |f| format!(".{f}"));
        if variants == 0 {
            self.found.get(base)?;
            let message = format!("the run `{base}` has one variant, and no `{name}`");
            return Some((message, format!("write `{base}{after}`")));
        }
        Some(match name == base {
            true => {
                let message = format!("the run `{base}` has several variants");
                (message, format!("name one of them, from 0 on: `{base}[0]{after}`"))
            }
            false => {
                let message = format!("the run `{base}` has {variants} variants, and no `{name}`");
                let last = variants - 1;
                let to = if last == 1 { "and" } else { "to" };
                (message, format!("they are `{base}[0]{after}` {to} `{base}[{last}]{after}`, by their numbers"))
            }
        })
    }

    fn no_result<T>(&mut self, message: String, span: Span, help: String) -> Try<T> {
        self.fail(Diagnostic::error(codes::UNKNOWN_FIELD, message, span, "no such result").help(help))
    }
}
