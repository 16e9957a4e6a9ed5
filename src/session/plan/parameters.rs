//! Sweeps, and the parameters of a run by name or path.

use crate::diagnostics::{Diagnostic, codes, suggest};
use crate::math::Ty;
use crate::model::elab::{Elab, Try};
use crate::model::messages::SETTINGS;
use crate::model::value::Scope;
use crate::output::number::plain;
use crate::session::compile::parameters;
use crate::session::plan::Plan;
use crate::source::Span;
use crate::syntax::ast::{self, Expr, ExprKind};

/// Elements of a parameter that are told.
const SHOWN: usize = 8;

impl Elab<'_> {
    pub(super) fn sweep(&mut self, sets: &[(ast::Path, Expr)], _span: Span, plan: &mut Plan, scope: &Scope) -> Try<()> {
        for (path, e) in sets {
            let (name, at) = path_text(path);
            let k = self.find_param(&name, at)?;
            if let ExprKind::Range(lo, Some(hi)) = &e.kind
                && self.g.var_info(self.params[k].var).ty == Ty::Real
            {
                let [lo, hi] = [lo, hi].map(|end| crate::syntax::print::expr(end));
                let message =
                    format!("`{name}` is a real number, and `{lo} .. {hi}` does not say which values it takes");
                return self.fail(
                    Diagnostic::error(codes::BAD_SWEEP, message, e.span, "a range of whole numbers, without its end")
                        .note("a sweep makes a run for each of a list of values")
                        .help(format!(
                            "write the values, as in `[{lo}, {hi}]`, or so many of equal distance, as in `linspace({lo}, {hi}, 11)`"
                        ))
                        .instead(e.span, format!("[{lo}, {hi}]"))
                        .instead(e.span, format!("linspace({lo}, {hi}, 11)")),
                );
            }
            if !self.g.var_info(self.params[k].var).shape.is_empty() {
                return self.unsupported("a sweep of an array", at);
            }
            let id = self.real_expr(e, scope)?;
            let env = self.default_env();
            let Ok(values) = crate::math::eval::eval(&self.g, id, &env) else {
                return self.error(
                    codes::NOT_CONSTANT,
                    "the values of a sweep are known before the run",
                    e.span,
                    "not constant",
                );
            };
            if self.g.shape(id).len() != 1 {
                return self.error(codes::BAD_SWEEP, "a sweep runs over a list of values", e.span, "not a list");
            }
            if let Some(range) = self.params[k].range.clone() {
                for v in &values.values {
                    let node = self.g.real(*v);
                    self.check_range(&name, node, &range, e.span)?;
                }
            }
            plan.sweeps.push((k, values.values));
        }
        Ok(())
    }

    /// A statement after a sweep may have brought a parameter of the same name: then it is not certain which one is meant.
    pub(super) fn sweeps_are_certain(&mut self, run: &ast::Run) -> Try<()> {
        for statement in &run.statements {
            let ast::RunStmt::Sweep(sets, _) = statement else { continue };
            for (path, _) in sets {
                let (name, at) = path_text(path);
                self.find_param(&name, at)?;
            }
        }
        Ok(())
    }

    /// The parameters of a run that it does not sweep, by name where that is enough, with their values.
    pub(in crate::session) fn parameters_of(&self, plan: &Plan, set: &[(usize, f64)]) -> Vec<(String, String)> {
        let env = parameters(self, set);
        let name = |k: usize| {
            let own = &self.params[k];
            let alone = self.params.iter().filter(|p| p.name == own.name).count() == 1;
            if alone { own.name.clone() } else { own.path.clone() }
        };
        let value = |k: usize| {
            let value = env.get(self.params[k].var)?;
            let numbers: Vec<String> = value.values.iter().take(SHOWN).map(|v| plain(*v)).collect();
            let more = if value.values.len() > SHOWN { ", ..." } else { "" };
            Some(if value.shape.is_empty() { numbers.concat() } else { format!("[{}{more}]", numbers.join(", ")) })
        };
        let swept = |k: &usize| plan.sweeps.iter().any(|s| s.0 == *k);
        (0..self.params.len()).filter(|k| !swept(k)).filter_map(|k| Some((name(k), value(k)?))).collect()
    }

    /// Whether some parameter of the tree has a name, or a path that ends in it.
    pub fn has_param(&self, name: &str) -> bool {
        let suffix = format!(".{name}");
        self.params.iter().any(|p| p.name == name || p.path == name || p.path.ends_with(&suffix))
    }

    /// The parameters of the tree that a name or a path stands for.
    pub fn params_named(&self, name: &str) -> Vec<usize> {
        let exact: Vec<usize> = (0..self.params.len()).filter(|k| self.params[*k].path == name).collect();
        if let [k] = exact[..] {
            return vec![k];
        }
        let suffix = format!(".{name}");
        let named = |k: &usize| self.params[*k].name == name || self.params[*k].path.ends_with(&suffix);
        let near: Vec<usize> = (0..self.params.len()).filter(named).collect();
        if near.is_empty() { exact } else { near }
    }

    /// A parameter of the tree by its name or by its path.
    pub fn find_param(&mut self, name: &str, span: Span) -> Try<usize> {
        match self.params_named(name).as_slice() {
            [k] => Ok(*k),
            [] => {
                let known: Vec<String> = self.params.iter().map(|p| p.name.clone()).collect();
                let list = if known.is_empty() {
                    "it has none: every parameter is fixed by an argument".to_string()
                } else {
                    known.join(", ")
                };
                let mut d = Diagnostic::error(
                    codes::BAD_SWEEP,
                    format!("`{name}` is not a parameter of this run"),
                    span,
                    "no such parameter",
                )
                .note(format!("the run's parameters: {list}"));
                let near = suggest(name, known.iter().map(String::as_str));
                if SETTINGS.contains(&name) {
                    let other =
                        if name == "solver" { "`solver = [a, b]` takes several" } else { "write a run for each value" };
                    d = d.help(format!("`{name}` is a setting, and a sweep is over parameters: {other}"));
                }
                self.fail(d.did_you_mean(&near, span))
            }
            many => {
                let mut paths: Vec<String> = many.iter().map(|k| format!("`{}`", self.params[*k].path)).collect();
                let all = paths.len();
                paths.sort();
                paths.dedup();
                let mut d = Diagnostic::error(
                    codes::AMBIGUOUS_PARAMETER,
                    format!("`{name}` stands for several parameters"),
                    span,
                    "which one?",
                );
                let mut declared: Vec<Span> = many.iter().map(|k| self.params[*k].span).collect();
                declared.dedup();
                for at in declared.iter().filter(|s| **s != Span::default()) {
                    d = d.label(*at, "declared here");
                }
                self.fail(if paths.len() == all {
                    let help = d.help(format!("use a path: {}", paths.join(" or ")));
                    paths.iter().fold(help, |d, path| d.instead(span, path.trim_matches('`')))
                } else {
                    d.note("it is written several times with other arguments, and each has its own")
                        .help(format!("give it by an argument where it is written: `{name} = ...`"))
                })
            }
        }
    }
}

/// A path as it is written, and where.
fn path_text(path: &ast::Path) -> (String, Span) {
    let name = path.parts.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(".");
    (name, path.parts[0].span.to(path.parts[path.parts.len() - 1].span))
}
