//! The `fokker` command.

fn main() -> std::process::ExitCode {
    fokker::cli::main()
}
