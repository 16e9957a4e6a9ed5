//! What an input is: a command, declarations, or something to be worked out.

use crate::diagnostics::{Diagnostic, codes};
use crate::output::number;
use crate::repl::{Next, Repl};
use crate::session::evaluate::Answer;
use crate::source::FileId;
use crate::syntax::ast::{Expr, ItemKind, Let, RunStmt};
use crate::syntax::{self, Statement, TokenKind, print_expr};

/// Whether an input is not over yet. Commands are lines of their own.
pub fn goes_on(text: &str) -> bool {
    !text.trim_start().starts_with(':') && syntax::goes_on(text)
}

impl Repl {
    /// Takes an input. Nothing that is wrong with it loses what was there before.
    pub(super) fn input(&mut self, text: &str) -> Next {
        super::STOP.store(false, std::sync::atomic::Ordering::Relaxed);
        let text = text.trim_end();
        if text.trim().is_empty() {
            return Next::Go;
        }
        self.inputs += 1;
        let name = format!("input {}", self.inputs);
        if let Some(command) = text.trim_start().strip_prefix(':') {
            return self.command(name, command);
        }
        for range in syntax::statements(FileId(0), text) {
            let file = self.declarations.text(name.clone(), &text[range.clone()]);
            self.statement(file, &text[range]);
        }
        Next::Go
    }

    fn statement(&mut self, file: FileId, text: &str) {
        match syntax::parse_statement(file, text) {
            Err(problems) => self.tell(&problems),
            Ok(Statement::Item(_)) => self.items(file, text),
            Ok(Statement::Expr(e)) => self.expression(&e),
            Ok(Statement::Run(statement)) => self.run_statement(&statement, file, text),
        }
    }

    fn items(&mut self, file: FileId, text: &str) {
        // Once more as a file, which has the documentation of its declarations.
        let parsed = syntax::parse(file, text);
        if let [item] = &parsed.file.items[..]
            && let ItemKind::Use(path, _) = &item.kind
        {
            self.load(std::path::Path::new(path));
            return;
        }
        match self.declarations.add(file, parsed.file.items) {
            Ok(added) => self.added(added, true),
            Err(problems) => self.tell(&problems),
        }
    }

    /// What belongs into a run has a meaning at the prompt where it can be worked out now.
    fn run_statement(&mut self, statement: &RunStmt, file: FileId, text: &str) {
        match statement {
            RunStmt::Let(l, None) => self.let_statement(l, file, text),
            RunStmt::Report(exprs, None) => exprs.iter().for_each(|e| self.expression(e)),
            RunStmt::Check(e, None) => self.check(e),
            RunStmt::Plot { .. } => self.plot(statement),
            RunStmt::Setting { name, .. } => {
                let d = Diagnostic::error(codes::SYNTAX, "this sets something of a run", name.span, "no run around it");
                let (name, value) = (&name.name, text.split_once('=').map_or("", |p| p.1.trim()));
                self.tell(&[d.help(format!(
                    "`:set {name} = {value}` sets it for all runs; `let {name} = {value}` names a value"
                ))]);
            }
            _ => {
                let span = crate::source::Span::new(file, 0, text.len());
                let d = Diagnostic::error(codes::SYNTAX, "this statement belongs into a run", span, "no run around it");
                self.tell(&[d.help("write it in `run NAME { ... }`")]);
            }
        }
    }

    /// `let` names a value for the session, as `const` does in a file. What comes from the results of runs is kept as
    /// the number that it is now.
    fn let_statement(&mut self, l: &Let, file: FileId, text: &str) {
        let value = &text[(l.value.span.start as usize).min(text.len())..];
        let value = if self.reads_results(file, value) {
            let Some(Answer::Numbers { values, ty, .. }) = self.worked_out(&l.value) else { return };
            self.say(&format!("{} = {}\n", l.name.name, super::answer::numbers(&values, ty)));
            super::answer::literal(&values.shape, &values.values)
        } else {
            value.to_string()
        };
        let text = format!("const {} = {value}", l.name.name);
        let name = self.declarations.sources().get(file).name.clone();
        let file = self.declarations.text(name, &text);
        self.items(file, &text);
    }

    /// Whether a run with results is named in a text.
    fn reads_results(&self, file: FileId, text: &str) -> bool {
        let lexed = syntax::lex(file, text);
        let names = lexed.tokens.iter().filter(|t| t.kind == TokenKind::Name).map(|t| &text[t.start..t.end]);
        names.into_iter().any(|name| self.outcomes.iter().any(|o| o.name == name))
    }

    fn check(&mut self, e: &Expr) {
        if let Some(Answer::Numbers { values, .. }) = self.worked_out(e) {
            let holds = values.values.first() == Some(&1.0);
            let mark = if holds { self.style.good("✓") } else { self.style.bad("✗") };
            self.say(&format!("{mark} {}\n", print_expr::spaced(e)));
        }
    }

    /// Works an expression out and shows it.
    pub(super) fn expression(&mut self, e: &Expr) {
        if self.show_result(e) {
            return;
        }
        if let Some(answer) = self.worked_out(e) {
            self.show(&answer);
        }
    }
}

/// The shortest text that reads back as the same number.
pub fn exact(x: f64) -> String {
    let text = number::exact(x);
    if text.contains(['.', 'e', 'n', 'i']) { text } else { text + ".0" }
}
