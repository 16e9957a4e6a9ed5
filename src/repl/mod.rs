//! The prompt: declarations, expressions, runs and commands, one after the other. What an input means is the session's to
//! say (`session::evaluate`, `session::run_program`); here is what is kept between inputs, and how answers are shown.

mod answer;
mod commands;
mod complete;
mod declarations;
mod highlight;
mod input;
mod line;
mod paths;
mod plots;
mod runs;
mod save;
mod settings;
#[cfg(test)]
mod tests;
mod watch;

use std::cell::{Cell, RefCell};
use std::io::BufRead;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use crate::diagnostics::{Diagnostic, render};
use crate::output::style::Style;
use crate::session::keep::Kept;
use crate::session::load::Options;
use declarations::Declarations;
use runs::Outcome;
use settings::Settings;

/// Raised by Ctrl-C: what is being worked out ends with what it has.
static STOP: AtomicBool = AtomicBool::new(false);

/// How a session went: the worst of what its inputs came to.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    #[default]
    Well,
    CheckFailed,
    /// every path of a run diverged
    RunFailed,
    /// something was told to be wrong
    Wrong,
}

/// What is kept between inputs.
pub struct Repl {
    declarations: Declarations,
    /// results of runs, in the order of their names' first runs
    outcomes: Vec<Outcome>,
    /// the session's own `let`s of results, with their standard errors
    named: Kept,
    settings: Settings,
    /// of the runs, until declarations change
    parameters: RefCell<Option<Vec<String>>>,
    /// files that `:load` read, for `:reload`
    loaded: Vec<PathBuf>,
    style: Style,
    /// a person is at the terminal
    interactive: bool,
    /// inputs so far: they name their texts
    inputs: usize,
    ending: Cell<Ending>,
}

/// What comes after an input.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Next {
    Go,
    Quit,
}

impl Repl {
    fn new(options: &Options, style: Style, interactive: bool) -> Repl {
        Repl {
            declarations: Declarations::new(options),
            outcomes: Vec::new(),
            named: Kept::default(),
            settings: Settings::default(),
            parameters: RefCell::default(),
            loaded: Vec::new(),
            style,
            interactive,
            inputs: 0,
            ending: Cell::default(),
        }
    }

    fn went(&self, ending: Ending) {
        self.ending.set(self.ending.get().max(ending));
    }

    /// Takes lines, each input as soon as it is complete.
    fn lines(&mut self, lines: impl Iterator<Item = String>) -> Next {
        let mut waiting = String::new();
        for line in lines {
            waiting += &line;
            if input::goes_on(&waiting) {
                waiting.push('\n');
            } else if self.input(&std::mem::take(&mut waiting)) == Next::Quit {
                return Next::Quit;
            }
        }
        self.input(&waiting)
    }

    fn say(&self, text: &str) {
        use std::io::Write;
        // A closed pipe is the reader's way to say "enough".
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes());
        let _ = out.flush();
    }

    fn note(&self, text: &str) {
        self.say(&format!("{}\n", self.style.faint(text)));
    }

    fn tell(&self, problems: &[Diagnostic]) {
        for problem in problems {
            if problem.is_error() {
                self.went(Ending::Wrong);
            }
            self.say(&format!("{}\n", render(problem, self.declarations.sources(), self.style.is_coloured())));
        }
    }
}

/// A session on a terminal, with line editing, completion and a history.
pub fn on_terminal(options: &Options, style: Style) {
    let _ = ctrlc::set_handler(|| STOP.store(true, std::sync::atomic::Ordering::Relaxed));
    let mut repl = Repl::new(options, style, true);
    repl.say(&format!(
        "fokker {}: {} lists the commands, {} leaves\n",
        env!("CARGO_PKG_VERSION"),
        style.known(":help"),
        style.known(":quit")
    ));
    line::read(&mut repl);
}

/// A session over a text without prompts, as from a pipe: each input as soon as it is complete. How it went.
pub fn on_text(options: &Options, style: Style, text: impl BufRead) -> Ending {
    let mut repl = Repl::new(options, style, false);
    // What is no UTF-8 is told as a character that the language does not have.
    let lines = text.split(b'\n').map_while(Result::ok);
    repl.lines(lines.map(|l| String::from_utf8_lossy(&l).trim_end_matches('\r').to_string()));
    repl.ending.get()
}
