//! What an input is: a command, declarations, or something to be worked out.

use crate::diagnostics::{Diagnostic, codes};
use crate::math::Ty;
use crate::output::number;
use crate::repl::{Ending, Next, Repl, commands};
use crate::session::evaluate::Answer;
use crate::source::FileId;
use crate::syntax::ast::{Expr, Ident, ItemKind, Let, RunStmt};
use crate::syntax::settings::NAMES as SETTINGS;
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
        if let Some((word, command)) = commands::meant(text)
            && !self.has(word)
        {
            return self.command(name, &command);
        }
        for range in syntax::statements(FileId(0), text) {
            let file = self.declarations.text(name.clone(), &text[range.clone()]);
            self.statement(file, &text[range]);
        }
        Next::Go
    }

    fn statement(&mut self, file: FileId, text: &str) {
        match syntax::parse_statement(file, text) {
            Err(problems) => self.tell(&with_help(problems, commands::colon_missing(text))),
            Ok(Statement::Item(_)) => {
                self.items(file, text);
            }
            Ok(Statement::Expr(e)) => self.expression(&e),
            Ok(Statement::Run(statement)) => self.run_statement(&statement, file, text),
        }
    }

    /// Takes declarations in; whether they were.
    fn items(&mut self, file: FileId, text: &str) -> bool {
        // Once more as a file, which has the documentation of its declarations.
        let parsed = syntax::parse(file, text);
        if let [item] = &parsed.file.items[..]
            && let ItemKind::Use(path, _) = &item.kind
        {
            return self.load(std::path::Path::new(path));
        }
        match self.declarations.add(file, parsed.file.items) {
            Ok(added) => {
                self.added(added, true);
                true
            }
            Err(problems) => {
                self.tell(&problems);
                false
            }
        }
    }

    /// What belongs into a run has a meaning at the prompt where it can be worked out now.
    fn run_statement(&mut self, statement: &RunStmt, file: FileId, text: &str) {
        match statement {
            RunStmt::Let(l, None) => self.let_statement(l, file, text),
            RunStmt::Report(exprs, None) => exprs.iter().for_each(|e| self.expression(e)),
            RunStmt::Check(e, None) => self.check(e),
            RunStmt::Plot { .. } => self.plot(statement),
            RunStmt::Setting { name, .. } => self.tell(&[setting_alone(name, text)]),
            _ => {
                let span = crate::source::Span::new(file, 0, text.len());
                let d = Diagnostic::error(codes::SYNTAX, "this statement belongs into a run", span, "no run around it");
                self.tell(&[d.help(match statement {
                    RunStmt::Let(..) | RunStmt::Report(..) | RunStmt::Check(..) => {
                        "of all paths a run keeps the ends: for other times write it in the run, as in \
                         `let early = mean(x) at 0.5`, and ask for `r.early`"
                    }
                    _ => "write it in `run NAME { ... }`",
                })]);
            }
        }
    }

    /// `let` names a value for the session, as `const` does in a file. What comes from the results of runs is kept as
    /// the number that it is now: declarations see that, and expressions its standard error too.
    fn let_statement(&mut self, l: &Let, file: FileId, text: &str) {
        let value = &text[(l.value.span.start as usize).min(text.len())..];
        let name = &l.name.name;
        if !self.reads_results(file, value) {
            self.constant(file, name, value);
            return;
        }
        let Some(answer) = self.worked_out(&l.value) else { return };
        let Answer::Numbers { values, ty, .. } = answer else {
            if !self.reads_runs(file, value) {
                self.constant(file, name, value);
                return;
            }
            let d = Diagnostic::error(codes::BAD_STATISTIC, "only a number can be kept", l.value.span, answer.kind());
            return self.tell(&[d.help(format!("take a statistic of what the run found: `let {name} = mean(r.x)`"))]);
        };
        if !values.values.iter().all(|x| x.is_finite()) {
            let d = Diagnostic::error(codes::BAD_STATISTIC, "this is no number", l.value.span, "not finite");
            return self.tell(&[d.help("an expression shows why: enter it without `let`")]);
        }
        if self.constant(file, name, &super::answer::literal(&values.shape, &values.values, ty)) {
            self.say(&format!("{name} = {}\n", super::answer::numbers(&values, ty)));
            if ty == Ty::Real {
                self.named.numbers.push((name.clone(), values));
            }
        }
    }

    /// Declares a constant of the session.
    fn constant(&mut self, file: FileId, name: &str, value: &str) -> bool {
        let text = format!("const {name} = {value}");
        let source = self.declarations.sources().get(file).name.clone();
        let file = self.declarations.text(source, &text);
        self.items(file, &text)
    }

    /// Whether the session has something of a name.
    fn has(&self, name: &str) -> bool {
        self.declarations.entries().iter().any(|e| e.name().is_some_and(|n| n.name == name))
    }

    /// Whether results are named in a text: a run that has some, or a number that was kept of one.
    fn reads_results(&self, file: FileId, text: &str) -> bool {
        self.reads_runs(file, text) || names_in(file, text).any(|name| self.named.numbers.iter().any(|n| n.0 == name))
    }

    fn reads_runs(&self, file: FileId, text: &str) -> bool {
        names_in(file, text).any(|name| self.outcomes.iter().any(|o| o.name == name))
    }

    fn check(&mut self, e: &Expr) {
        if let Some(Answer::Numbers { values, .. }) = self.worked_out(e) {
            let holds = values.values.first() == Some(&1.0);
            let mark = if holds { self.style.good("✓") } else { self.style.bad("✗") };
            self.say(&format!("{mark} {}\n", print_expr::spaced(e)));
            if !holds {
                self.went(Ending::CheckFailed);
            }
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

/// `name = value`: a setting of runs, an equation, or a value that is given like one.
fn setting_alone(name: &Ident, text: &str) -> Diagnostic {
    let (own, value) = (&name.name, text.split_once('=').map_or("", |p| p.1.trim()));
    let about = |message: &str, label: &str| Diagnostic::error(codes::SYNTAX, message, name.span, label);
    if SETTINGS.contains(&own.as_str()) {
        let d = about("this is a setting of a run", "no run around it");
        return d.help(format!("write it in `run NAME {{ ... }}`; `:set {own} = {value}` sets it for all runs"));
    }
    if value.split(' ').any(|word| word == "dt" || word.starts_with("dW")) {
        let d = about("an equation belongs into a model", "no model around it");
        return d.help(format!("write `model m() {{ state x = 1.0; {} }}`", text.trim()));
    }
    about("a value is named by `let`", "this is no setting of runs").help(format!("write `let {own} = {value}`"))
}

fn names_in(file: FileId, text: &str) -> impl Iterator<Item = &str> {
    let names = syntax::lex(file, text).tokens.into_iter().filter(|t| t.kind == TokenKind::Name);
    names.map(|t| &text[t.start..t.end])
}

/// Problems with another way out for the first of them, where there is one.
fn with_help(mut problems: Vec<Diagnostic>, help: Option<String>) -> Vec<Diagnostic> {
    if let (Some(first), Some(_)) = (problems.first_mut(), &help) {
        first.help = help;
    }
    problems
}

/// The shortest text that reads back as the same number.
pub fn exact(x: f64) -> String {
    let text = number::exact(x);
    if text.contains(['.', 'e', 'n', 'i']) { text } else { text + ".0" }
}
