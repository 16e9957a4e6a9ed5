//! Reading lines from a terminal: editing, history, completion, colours, and inputs of several lines.

use std::borrow::Cow;
use std::path::PathBuf;

use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use crate::output::style::Style;
use crate::repl::complete::Names;
use crate::repl::{Next, Repl, highlight, input};

const PROMPT: &str = "fokker> ";

/// Lines of the history.
const REMEMBERED: usize = 5000;

struct Assistant {
    names: Names,
    files: FilenameCompleter,
    style: Style,
}

/// Reads and takes inputs until the end.
pub fn read(repl: &mut Repl) {
    let config =
        Config::builder().completion_type(CompletionType::List).auto_add_history(true).max_history_size(REMEMBERED);
    let editor = config.and_then(|c| Editor::<Assistant, FileHistory>::with_config(c.build()));
    let mut editor = match editor {
        Ok(editor) => editor,
        Err(e) => return repl.say(&format!("the terminal cannot be read: {e}\n")),
    };
    let history = history_file();
    if let Some(file) = &history {
        // Without a history there is nothing to remember, and nothing lost.
        let _ = editor.load_history(file);
    }
    editor.set_helper(Some(Assistant { names: repl.names(), files: FilenameCompleter::new(), style: repl.style }));
    loop {
        match editor.readline(PROMPT) {
            Ok(text) => {
                // What was pasted may be several inputs; a line by itself can only be told to be one by a command in it.
                let commands = text.lines().any(|l| l.trim_start().starts_with(':'));
                let next = if commands { repl.lines(text.lines().map(String::from)) } else { repl.input(&text) };
                if next == Next::Quit {
                    break;
                }
                if let Some(assistant) = editor.helper_mut() {
                    assistant.names = repl.names();
                }
            }
            // Ctrl-C at the prompt drops what was typed.
            Err(ReadlineError::Interrupted) => continue,
            Err(_) => break,
        }
    }
    if let Some(file) = history
        && file.parent().is_none_or(|folder| std::fs::create_dir_all(folder).is_ok())
    {
        let _ = editor.save_history(&file);
    }
}

/// The history in the user's folder of data.
fn history_file() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let data = folder("XDG_DATA_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".local").join("share")))
        .or_else(|| folder("APPDATA"))?;
    Some(data.join("fokker").join("history"))
}

impl Helper for Assistant {}

impl Hinter for Assistant {
    type Hint = String;
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, context: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let found = self.names.complete(&line[..pos]);
        if found.file {
            return self.files.complete(line, pos, context);
        }
        let pair = |word: String| Pair { display: word.clone(), replacement: word };
        Ok((found.start, found.words.into_iter().map(pair).collect()))
    }
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if self.style.is_coloured() { highlight::highlight(line, &self.names, self.style).into() } else { line.into() }
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        self.style.prompt(prompt).into()
    }

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        self.style.is_coloured()
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if input::goes_on(context.input()) { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}
