//! `fokker repl`, and `fokker` by itself.

use std::io::IsTerminal;

use clap::CommandFactory;

use crate::cli::args::Cli;
use crate::cli::exit;
use crate::cli::tell::{options, style};
use crate::repl::{self, Ending};

/// The prompt, where there is a person; else the commands are told.
pub fn without_command(cli: &Cli) -> u8 {
    if std::io::stdin().is_terminal() {
        return repl(cli);
    }
    eprint!("{}", Cli::command().render_help());
    exit::WRONG_PROGRAM
}

pub fn repl(cli: &Cli) -> u8 {
    let input = std::io::stdin();
    if input.is_terminal() {
        repl::on_terminal(&options(cli), style(cli));
        return exit::DONE;
    }
    match repl::on_text(&options(cli), style(cli), input.lock()) {
        Ending::Well => exit::DONE,
        Ending::CheckFailed => exit::CHECK_FAILED,
        Ending::RunFailed => exit::RUN_FAILED,
        Ending::Wrong => exit::WRONG_PROGRAM,
    }
}
