//! `fokker fmt`.

use std::io::Read;
use std::path::Path;

use crate::cli::args::{Cli, FmtArgs};
use crate::cli::exit;
use crate::cli::tell::{say, tell};
use crate::session::files::replace;
use crate::session::format::{Formatted, format_bytes, format_file};

pub fn format(cli: &Cli, args: &FmtArgs) -> u8 {
    args.files.iter().map(|path| one(cli, path, args.check)).max().unwrap_or(exit::DONE)
}

/// Formats one file, or stdin for `-`; the exit code.
fn one(cli: &Cli, path: &Path, check: bool) -> u8 {
    let stdin = path == Path::new("-");
    let formatted = if stdin { from_stdin() } else { format_file(path) };
    let text = match &formatted.after {
        Ok(text) => text,
        Err(problems) => {
            tell(cli, problems, &formatted.sources);
            return exit::WRONG_PROGRAM;
        }
    };
    if check {
        return differs(path, &formatted);
    }
    if stdin {
        say(text);
    } else if formatted.differs()
        && let Err(problem) = replace(path, text)
    {
        tell(cli, &[problem], &formatted.sources);
        return exit::WRONG_PROGRAM;
    }
    exit::DONE
}

fn from_stdin() -> Formatted {
    let mut bytes = Vec::new();
    // What cannot be read is as if it were not there: the text ends.
    let _ = std::io::stdin().lock().read_to_end(&mut bytes);
    format_bytes("stdin", &bytes)
}

fn differs(path: &Path, formatted: &Formatted) -> u8 {
    let Some(line) = formatted.first_difference() else { return exit::DONE };
    say(&format!("{}:{line}: not formatted\n", path.display()));
    exit::CHECK_FAILED
}
