//! The call `csv(path, column = ...)` in `data` lines.

use std::path::PathBuf;

use crate::diagnostics::{Diagnostic, codes};
use crate::model::data::{Request, Selection};
use crate::model::elab::{Elab, Try};
use crate::model::value::{Scope, Value};
use crate::source::Span;
use crate::syntax::ast::Arg;

impl Elab<'_> {
    pub fn csv_call(&mut self, args: &[Arg], scope: &Scope, span: Span) -> Try<Value> {
        let args = self.plain_args(args, scope)?;
        let mut path: Option<(String, Span)> = None;
        let mut selection = Selection::All;
        let mut selection_span = span;
        let mut chosen: Option<Span> = None;
        for arg in &args {
            let name = arg.name.as_ref().map(|n| n.name.as_str());
            if let Some("column" | "columns") = name
                && let Some(first) = chosen.replace(arg.span)
            {
                return self.fail(
                    Diagnostic::error(
                        codes::TOO_MANY_ARGUMENTS,
                        "`csv` is told twice which columns to take",
                        arg.span,
                        "and here",
                    )
                    .label(first, "columns are chosen here")
                    .note("`column` takes one column as a vector, `columns` neighbouring ones as a matrix")
                    .help("keep one of the two; for both write two `data` lines"),
                );
            }
            match (arg.name.as_ref().map(|n| n.name.as_str()), &arg.value) {
                (None, Value::Text(text)) if path.is_none() => path = Some((text.to_string(), arg.span)),
                (Some("column"), Value::Text(name)) => {
                    selection = Selection::One(name.to_string());
                    selection_span = arg.span;
                }
                (Some("columns"), Value::Pair(pair)) => {
                    let (Value::Text(from), Value::Text(to)) = (&pair.0, &pair.1) else {
                        return self.error(
                            codes::TYPE_MISMATCH,
                            "a range of columns goes from one name to another",
                            arg.span,
                            "not two names",
                        );
                    };
                    selection = Selection::Range(from.to_string(), to.to_string());
                    selection_span = arg.span;
                }
                (Some(other), _) if !matches!(other, "column" | "columns") => {
                    let at = arg.name.as_ref().map_or(arg.span, |n| n.span);
                    return self.fail(
                        Diagnostic::error(
                            codes::UNKNOWN_ARGUMENT,
                            format!("`csv` has no parameter `{other}`"),
                            at,
                            "no such parameter",
                        )
                        .note("csv(path), csv(path, column = \"a\"), csv(path, columns = \"a\" .. \"b\")"),
                    );
                }
                (None, Value::Text(_)) => {
                    return self.fail(
                        Diagnostic::error(codes::TOO_MANY_ARGUMENTS, "`csv` reads one file", arg.span, "a second text")
                            .help("columns are chosen by name: `column = \"a\"`, `columns = \"a\" .. \"b\"`"),
                    );
                }
                _ => {
                    return self.fail(
                        Diagnostic::error(
                            codes::TYPE_MISMATCH,
                            "`csv` takes a path and names of columns, as texts",
                            arg.span,
                            "not as wanted",
                        )
                        .help("csv(path), csv(path, column = \"a\"), csv(path, columns = \"a\" .. \"b\")"),
                    );
                }
            }
        }
        let Some((shown, path_span)) = path else {
            return self.error(codes::MISSING_ARGUMENT, "`csv` needs the path of a file", span, "no path");
        };
        let folder: PathBuf = self.sources.folder(path_span.file);
        let request = Request { path: folder.join(&shown), shown: shown.clone(), path_span, selection, selection_span };
        match self.data_cache.load(&request) {
            Ok(data) => {
                let id = self.g.new_data(shown, data.shape, data.values);
                Ok(Value::Num(self.g.data_node(id)))
            }
            Err(problem) => self.fail(*problem),
        }
    }
}
