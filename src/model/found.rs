//! What earlier runs found, as fields of their names: `r.x`.

use crate::diagnostics::{Diagnostic, codes};
use crate::model::elab::{Elab, Try};
use crate::model::value::Value;
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind};
use crate::syntax::print_expr;

impl Elab<'_> {
    /// The value of `r.x` or `r[1].x`, where `r` is a run whose results are known. Nothing where it is something else.
    pub(super) fn found_by_run(&mut self, object: &Expr, field: &str, span: Span) -> Option<Try<Value>> {
        if self.found.is_empty() || !matches!(object.kind, ExprKind::Name(_) | ExprKind::Index(..)) {
            return None;
        }
        let name = print_expr::expr(object);
        if let Some(found) = self.found.get(&name) {
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
        let variants = format!("{name}[");
        if self.found.keys().any(|k| k.starts_with(&variants)) {
            let help = format!("name one of them, from 0 on: `{name}[0].{field}`");
            return Some(self.no_result(format!("the run `{name}` has several variants"), span, help));
        }
        None
    }

    fn no_result<T>(&mut self, message: String, span: Span, help: String) -> Try<T> {
        self.fail(Diagnostic::error(codes::UNKNOWN_FIELD, message, span, "not kept").help(help))
    }
}
