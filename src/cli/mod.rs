//! The command line: arguments in, exit codes out. What is shown is made by `output`, what is done by `session`.

pub mod args;
pub mod bench;
pub mod format;
pub mod help;
pub mod inspect;
pub mod lsp;
pub mod new;
pub mod repl;
pub mod run;
pub mod solvers;
mod tell;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

/// Exit codes of every command.
pub mod exit {
    pub const DONE: u8 = 0;
    pub const CHECK_FAILED: u8 = 1;
    pub const WRONG_PROGRAM: u8 = 2;
    pub const RUN_FAILED: u8 = 3;
    pub const INTERRUPTED: u8 = 130;
}

/// Stack of the thread that compiles: expressions are recursive, and inlined functions multiply their depth. Only what is
/// used is ever touched.
const STACK: usize = 1 << 30;

pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // clap tells help and version through errors too.
            let code = if e.use_stderr() { exit::WRONG_PROGRAM } else { exit::DONE };
            let _ = e.print();
            return ExitCode::from(code);
        }
    };
    let worker = std::thread::Builder::new().stack_size(STACK).spawn(move || dispatch(&cli));
    match worker.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => ExitCode::from(code),
        _ => ExitCode::from(exit::RUN_FAILED),
    }
}

fn dispatch(cli: &Cli) -> u8 {
    let Some(command) = &cli.command else { return repl::without_command(cli) };
    match command {
        Command::Run(args) => run::run(cli, args),
        Command::Test(args) => run::test(cli, args),
        Command::Converge(args) => run::converge(cli, args),
        Command::Bench(args) => bench::bench(cli, args),
        Command::Check(args) => inspect::check(cli, args),
        Command::Explain(args) => inspect::explain(cli, args),
        Command::Fmt(args) => format::format(cli, args),
        Command::Lsp => lsp::lsp(cli),
        Command::Solvers(args) => solvers::solvers(cli, args),
        Command::Repl => repl::repl(cli),
        Command::New(args) => new::new(cli, args),
        Command::Help(args) => help::help(cli, args),
        Command::Cite(args) => help::cite(cli, args),
    }
}
