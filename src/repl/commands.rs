//! The commands of the prompt: lines that begin with `:`.

use std::path::Path;
use std::time::Instant;

use crate::diagnostics::text::filled;
use crate::diagnostics::{Diagnostic, codes, suggest};
use crate::output::number::plain;
use crate::repl::{Next, Repl};
use crate::session::about::{self, Facts};
use crate::session::catalogue;
use crate::session::{evaluate, help, lists};
use crate::source::{FileId, Span};
use crate::syntax::ast::{Expr, ExprKind};
use crate::syntax::{Statement, parse_expr, parse_statement};

/// A row of [`TABLE`].
#[derive(Copy, Clone, Debug)]
pub struct Command {
    pub name: &'static str,
    pub args: &'static str,
    pub doc: &'static str,
    run: fn(&mut Repl, &Line) -> Next,
}

/// What a command is given: its text, and where that stands.
pub struct Line {
    file: FileId,
    /// all of the line, from its colon
    text: String,
    /// where the argument begins
    start: usize,
    /// the command as it is written
    usage: String,
}

impl Line {
    pub(super) fn arg(&self) -> &str {
        self.text[self.start..].trim()
    }

    fn span(&self) -> Span {
        Span::new(self.file, self.start, self.text.len())
    }
}

/// Words that stand for a command without its colon, where the session has nothing of that name.
const PLAIN: &[(&str, &str)] = &[("help", "help"), ("?", "help"), ("quit", "quit"), ("exit", "quit")];

/// The command that a text means without saying so: `help`, `help exp`, `quit`, `exit()`.
pub fn meant(text: &str) -> Option<(&'static str, String)> {
    let text = text.trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let word = word.strip_suffix("()").unwrap_or(word);
    let (written, command) = PLAIN.iter().find(|p| p.0 == word)?;
    let name = |c: char| c.is_alphanumeric() || c == '_';
    rest.trim().chars().all(name).then(|| (*written, format!("{command} {rest}").trim_end().to_string()))
}

/// The way out for a text that begins with the name of a command and is nothing else.
pub fn colon_missing(text: &str) -> Option<String> {
    let text = text.trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let command = TABLE.iter().find(|c| c.name == word)?;
    // `run`, `save` and `plot` begin statements too, which go on in another way.
    let statement = crate::syntax::keywords::lookup(word).is_some();
    let fits =
        if statement { rest.trim().split(' ').count() == 1 } else { rest.is_empty() || !command.args.is_empty() };
    (fits && !text.contains('\n')).then(|| format!("commands begin with a colon: `:{text}`"))
}

const fn row(name: &'static str, args: &'static str, doc: &'static str, run: fn(&mut Repl, &Line) -> Next) -> Command {
    Command { name, args, doc, run }
}

/// All commands.
pub const TABLE: &[Command] = &[
    row("help", "[NAME]", "the commands, or what is known of a name or of the code of a diagnostic", Repl::help),
    row("type", "EXPR", "the type and the shape of an expression", Repl::type_of),
    row("explain", "NAME", "the equations, the generator and the density of a model, a target or a run", Repl::explain),
    row("solvers", "[MODEL]", "all solvers, or those that apply to a model and why others do not", Repl::solvers),
    row("run", "[NAME]", "runs a run (again), or all runs of the session", Repl::run_command),
    row(
        "plot",
        "PLOT [to \"FILE\"]",
        "draws what a run kept, as in `:plot histogram(r.x)`, or writes it to a file",
        Repl::plot_command,
    ),
    row("time", "RUN or EXPR", "does it and tells how long it took", Repl::time),
    row(
        "set",
        "[NAME = VALUE]",
        "paths, seed, step, solver, threads, precision, backend or a parameter, for all runs",
        Repl::set,
    ),
    row("unset", "NAME", "leaves it to the runs again", Repl::unset),
    row("load", "FILE", "reads the declarations of a file", Repl::load_command),
    row("reload", "", "reads the files again", Repl::reload),
    row(
        "watch",
        "FILE",
        "reads a file and runs its runs, again whenever it changes, until Ctrl-C",
        Repl::watch_command,
    ),
    row("save", "FILE", "writes the declarations of the session as a file that runs", Repl::save_command),
    row("quit", "", "leaves", |_, _| Next::Quit),
];

impl Repl {
    /// A command, without its colon; beginnings that mean one command stand for it.
    pub(super) fn command(&mut self, name: String, text: &str) -> Next {
        let whole = format!(":{}", text.trim_end());
        let file = self.declarations.text(name, &whole);
        let word = text.trim_start().split(|c: char| c.is_whitespace()).next().unwrap_or_default();
        let start = whole.find(word).map_or(whole.len(), |at| at + word.len());
        let start = start + (whole[start..].len() - whole[start..].trim_start().len());
        let word = PLAIN.iter().find(|p| p.0 == word).map_or(word, |p| p.1);
        let near: Vec<&Command> = TABLE.iter().filter(|c| !word.is_empty() && c.name.starts_with(word)).collect();
        let found = TABLE.iter().find(|c| c.name == word).or(match near[..] {
            [one] => Some(one),
            _ => None,
        });
        let usage = found.map_or(String::new(), |c| format!(":{} {}", c.name, c.args));
        let line = Line { file, text: whole, start, usage };
        match found {
            Some(command) => (command.run)(self, &line),
            None => self.unknown_command(word, &near, &line),
        }
    }

    fn unknown_command(&mut self, word: &str, near: &[&Command], line: &Line) -> Next {
        let span = Span::new(line.file, 0, line.text.find(word).unwrap_or(0) + word.len());
        let d =
            Diagnostic::error(codes::UNKNOWN_NAME, format!("there is no command `:{word}`"), span, "unknown command");
        let near: Vec<&str> = match near {
            [] => suggest(word, TABLE.iter().map(|c| c.name)),
            several => several.iter().map(|c| c.name).collect(),
        };
        self.tell(&[match near.is_empty() {
            true => d.help("`:help` lists the commands"),
            false => d.help(format!(
                "did you mean {}?",
                near.iter().map(|n| format!("`:{n}`")).collect::<Vec<_>>().join(" or ")
            )),
        }]);
        Next::Go
    }

    pub(super) fn wrong(&mut self, line: &Line, message: impl Into<String>, help: &str) -> Next {
        let d = Diagnostic::error(codes::BAD_SETTING, message, line.span(), "asked for here");
        self.tell(&[if help.is_empty() { d } else { d.help(help) }]);
        Next::Go
    }

    /// The argument as an expression. It is parsed at its place in the line, so that marks stand under it.
    fn argument(&mut self, line: &Line) -> Option<Expr> {
        if line.arg().is_empty() {
            self.wrong(line, "it is not said of what", &format!("write `{}`", line.usage));
            return None;
        }
        let padded = " ".repeat(line.start) + &line.text[line.start..];
        parse_expr(line.file, &padded).map_err(|problems| self.tell(&problems)).ok()
    }

    fn help(&mut self, line: &Line) -> Next {
        let name = line.arg();
        if name.is_empty() {
            let width = TABLE.iter().map(|c| c.name.len() + c.args.len() + 2).max().unwrap_or(0);
            for c in TABLE {
                let head = format!(":{} {}", c.name, c.args);
                self.say(&format!("{head:<width$}  {}\n", filled(c.doc, width + 2)));
            }
            self.say("Anything else is a declaration, a run or an expression; `r.x` is what the run `r` found.\n");
            return Next::Go;
        }
        let plain = name.strip_prefix(':').unwrap_or(name);
        let command = TABLE.iter().find(|c| c.name == plain);
        if let Some(c) = command {
            self.say(&format!("command :{} {}\n  {}\n", c.name, c.args, filled(c.doc, 2)));
        }
        let program = self.declarations.program();
        let topics = if plain == name { help::topics(&program.library, name) } else { Vec::new() };
        let list = lists::list(&program.library, name);
        if topics.is_empty() && command.is_none() && list.is_none() {
            let d = Diagnostic::error(
                codes::UNKNOWN_NAME,
                help::unknown(&program.library, name),
                line.span(),
                "no such name",
            );
            self.tell(&[
                d.help("`:help` lists the commands; `:help NAME` is on functions, solvers, models, words and codes, `:help models` a list")
            ]);
            return Next::Go;
        }
        topics.iter().for_each(|t| self.say(&t.text()));
        list.into_iter().for_each(|list| self.say(&list));
        Next::Go
    }

    fn type_of(&mut self, line: &Line) -> Next {
        let Some(e) = self.argument(line) else { return Next::Go };
        let program = self.declarations.program();
        match evaluate::type_of(&program, &e, &self.earlier()) {
            Ok(words) => self.say(&format!("{words}\n")),
            Err(problems) => self.tell(&problems),
        }
        Next::Go
    }

    fn explain(&mut self, line: &Line) -> Next {
        let Some(e) = self.argument(line) else { return Next::Go };
        match about::explain(&self.declarations.program(), &e) {
            Ok(explanation) => self.say(&format!("{}\n", explanation.text())),
            Err(problems) => self.tell(&problems),
        }
        Next::Go
    }

    fn solvers(&mut self, line: &Line) -> Next {
        let program = self.declarations.program();
        if line.arg().is_empty() {
            self.say(&catalogue::table(&catalogue::catalogue(&program.library)));
            return Next::Go;
        }
        let Some(e) = self.argument(line) else { return Next::Go };
        match about::facts(&program, &e) {
            Ok(Facts::Model(facts)) => self.say(&facts.solvers_text()),
            Ok(Facts::Target(facts)) => self.say(&facts.text()),
            Err(problems) => self.tell(&problems),
        }
        Next::Go
    }

    fn run_command(&mut self, line: &Line) -> Next {
        let names = self.declarations.runs();
        let wanted = line.arg();
        if wanted.is_empty() && names.is_empty() {
            self.note("the session has no runs yet: `run NAME { ... }` declares one, `:load FILE` reads some");
        }
        if !wanted.is_empty() && !names.iter().any(|n| n == wanted) {
            let help = match names.is_empty() {
                true => "the session has no runs yet: `run NAME { ... }` declares one".to_string(),
                false => format!("its runs: {}", names.join(", ")),
            };
            return self.wrong(line, format!("the session has no run `{wanted}`"), &help);
        }
        for name in names.iter().filter(|n| wanted.is_empty() || *n == wanted) {
            self.run(name);
            if super::STOP.load(std::sync::atomic::Ordering::Relaxed) {
                break;
            }
        }
        Next::Go
    }

    /// The plot is parsed as a statement, whose word is written out where its beginning stood.
    fn plot_command(&mut self, line: &Line) -> Next {
        if line.arg().is_empty() {
            return self.wrong(line, "there is nothing to draw", "write `:plot histogram(r.x)` for the run `r`");
        }
        let name = self.declarations.sources().get(line.file).name.clone();
        let text = format!(":plot {}", line.arg());
        let file = self.declarations.text(name, &text);
        match parse_statement(file, &text.replacen(':', " ", 1)) {
            Ok(Statement::Run(statement)) => self.plot(&statement),
            Ok(_) => return self.wrong(line, "this is no plot", "write `:plot histogram(r.x)` for the run `r`"),
            Err(problems) => self.tell(&problems),
        }
        Next::Go
    }

    fn time(&mut self, line: &Line) -> Next {
        let Some(e) = self.argument(line) else { return Next::Go };
        let program = self.declarations.program();
        let begin = Instant::now();
        match &e.kind {
            ExprKind::Name(name) if program.library.runs().any(|(_, r)| r.name.name == *name) => {
                self.run(name);
                let seconds = begin.elapsed().as_secs_f64();
                let last = self.outcomes.iter().find(|o| o.name == *name);
                let compile = last.and_then(|o| o.ran.variants.first()).map_or(0.0, |v| v.compile_seconds);
                let speed = last.and_then(|o| o.ran.variants.last()).map_or(0.0, |v| v.path_steps_per_second);
                let told = [seconds, compile].map(|s| plain((s * 1e6).round() / 1e6));
                self.note(&format!("{} s in all, of them {} s to compile; {speed:.2e} path-steps/s", told[0], told[1]));
            }
            _ => {
                self.expression(&e);
                self.note(&format!("{} s", plain((begin.elapsed().as_secs_f64() * 1e6).round() / 1e6)));
            }
        }
        Next::Go
    }

    fn load_command(&mut self, line: &Line) -> Next {
        match line.arg() {
            "" => self.wrong(line, "no file is named", "write `:load FILE`"),
            file => {
                let file = file.trim_matches('"').to_string();
                self.load(Path::new(&file));
                Next::Go
            }
        }
    }

    fn watch_command(&mut self, line: &Line) -> Next {
        match line.arg() {
            "" => self.wrong(line, "no file is named", "write `:watch FILE`"),
            _ if !self.interactive => self.wrong(
                line,
                "a file is watched until Ctrl-C, which only a terminal has",
                "`:load FILE` and `:run` do it once",
            ),
            file => {
                let file = file.trim_matches('"').to_string();
                self.watch(Path::new(&file));
                Next::Go
            }
        }
    }

    fn save_command(&mut self, line: &Line) -> Next {
        match line.arg() {
            "" => self.wrong(line, "no file is named", "write `:save FILE`"),
            file => {
                let file = file.trim_matches('"').to_string();
                match self.save(Path::new(&file)) {
                    Ok(()) => {
                        self.note(&format!("saved {file}"));
                        Next::Go
                    }
                    Err((message, help)) => self.wrong(line, message, &help),
                }
            }
        }
    }

    fn reload(&mut self, line: &Line) -> Next {
        if self.loaded.is_empty() {
            return self.wrong(line, "no file has been read", "`:load FILE` reads one");
        }
        for path in self.loaded.clone() {
            self.load(&path);
        }
        Next::Go
    }
}
