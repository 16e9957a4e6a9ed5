//! `fokker new`: a project to start from.

use std::path::Path;

use crate::cli::args::{Cli, NewArgs};
use crate::cli::exit;
use crate::cli::tell::{say, tell};
use crate::diagnostics::{Diagnostic, codes};
use crate::session::files::write_text;
use crate::source::{SourceMap, Span};

/// The files of a project; `NAME` in them is its name.
const FILES: [(&str, &str); 3] = [
    ("NAME.sde", include_str!("new/model.sde")),
    ("README.md", include_str!("new/README.md")),
    (".gitignore", include_str!("new/gitignore")),
];

pub fn new(cli: &Cli, args: &NewArgs) -> u8 {
    match make(&args.name) {
        Ok(()) => {
            let name = args.name.display();
            say(&format!("made {name}; `cd {name}` and `fokker run {}.sde`\n", stem(&args.name)));
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
    for (file, text) in FILES {
        let path = folder.join(file.replace("NAME", &name));
        write_text(&path, &text.replace("NAME", &name)).map_err(|e| {
            (format!("cannot write `{}`: {e}", path.display()), "choose a folder that is yours to write to")
        })?;
    }
    Ok(())
}
