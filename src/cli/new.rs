//! `fokker new`: a project to start from.

use std::path::Path;

use crate::cli::args::{Cli, NewArgs};
use crate::cli::exit;
use crate::cli::tell::{say, tell};
use crate::diagnostics::{Diagnostic, codes};
use crate::session::files::write_text;
use crate::source::{SourceMap, Span};

/// The files of a project. `PROJECT` in them is its name, and `FILE` the program as one writes it in a command.
const FILES: [(&str, &str); 3] = [
    ("PROJECT.sde", include_str!("new/model.sde")),
    ("README.md", include_str!("new/README.md")),
    (".gitignore", include_str!("new/gitignore")),
];

pub fn new(cli: &Cli, args: &NewArgs) -> u8 {
    match make(&args.name) {
        Ok(()) => {
            let folder = in_command(&args.name.to_string_lossy());
            let file = in_command(&format!("{}.sde", stem(&args.name)));
            say(&format!("made {}; `cd {folder}` and `fokker run {file}`\n", args.name.display()));
            exit::DONE
        }
        Err((message, help)) => {
            let d = Diagnostic {
                labels: Vec::new(),
                ..Diagnostic::error(codes::CANNOT_WRITE, message, Span::default(), "")
            };
            tell(cli, &[d.help(help)], &SourceMap::default());
            exit::WRONG_PROGRAM
        }
    }
}

fn stem(folder: &Path) -> String {
    folder.file_name().map_or_else(|| "model".into(), |n| n.to_string_lossy().into_owned())
}

/// A name as it is written in a command of a shell: quoted where the shell would see more than a name in it.
fn in_command(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./".contains(c);
    if name.chars().all(plain) && !name.starts_with('-') {
        return name.to_string();
    }
    format!("'{}'", name.replace('\'', "'\\''"))
}

/// Makes the folder and its files. Errors: what is wrong, and a way out.
fn make(folder: &Path) -> Result<(), (String, &'static str)> {
    let shown = folder.display();
    if folder.exists() {
        return Err((
            format!("`{shown}` is there already"),
            "choose a name that is not taken: nothing is written over",
        ));
    }
    let name = stem(folder);
    let file = in_command(&format!("{name}.sde"));
    for (made, text) in FILES {
        let path = folder.join(made.replace("PROJECT", &name));
        // The name comes last: it may have the other word in it.
        let text = text.replace("FILE", &file).replace("PROJECT", &name);
        write_text(&path, &text).map_err(|e| {
            (format!("cannot write `{}`: {e}", path.display()), "choose a folder that is yours to write to")
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_where_a_shell_would_take_them_apart() {
        assert_eq!(in_command("wells/my_wells.sde"), "wells/my_wells.sde");
        assert_eq!(in_command("σ"), "σ");
        assert_eq!(in_command("a b"), "'a b'");
        assert_eq!(in_command("it's"), "'it'\\''s'");
        assert_eq!(in_command("-x"), "'-x'");
    }
}
