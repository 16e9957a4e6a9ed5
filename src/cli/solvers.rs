//! `fokker solvers`: the catalogue of the library, and of a file.

use crate::cli::args::{Cli, SolversArgs};
use crate::cli::exit;
use crate::cli::tell::{options, say, tell};
use crate::session::catalogue::{catalogue, table};
use crate::session::load::{load_file, load_text};

pub fn solvers(cli: &Cli, args: &SolversArgs) -> u8 {
    let loaded = match &args.file {
        Some(file) => load_file(file, &options(cli)),
        None => load_text("none", "", &options(cli)),
    };
    tell(cli, &loaded.problems, &loaded.sources);
    let entries = catalogue(&loaded.library);
    if args.json {
        say(&format!("{}\n", serde_json::json!({ "solvers": entries })));
    } else {
        say(&table(&entries));
    }
    if loaded.has_errors() { exit::WRONG_PROGRAM } else { exit::DONE }
}
