//! `fokker lsp`.

use crate::cli::args::Cli;
use crate::cli::tell::options;
use crate::cli::{STACK, exit};

/// Serves an editor on stdin and stdout.
pub fn lsp(cli: &Cli) -> u8 {
    match crate::lsp::serve(options(cli), STACK) {
        Ok(()) => exit::DONE,
        Err(e) => {
            eprintln!("fokker lsp: {e}");
            exit::RUN_FAILED
        }
    }
}
