//! `fokker bench`.

use crate::cli::args::{BenchArgs, Cli};
use crate::cli::exit;
use crate::cli::run::{request, unknown_runs};
use crate::cli::tell::{options, say, tell};
use crate::diagnostics::Diagnostic;
use crate::session::Finished;
use crate::session::bench;
use crate::session::load::load_file;

pub fn bench(cli: &Cli, args: &BenchArgs) -> u8 {
    let loaded = load_file(&args.file, &options(cli));
    let request = request(&args.overrides, &args.runs);
    let (measured, problems) = bench::bench(&loaded, &request);
    let mut finished = Finished { problems, ..Finished::default() };
    unknown_runs(&loaded, &request, &mut finished);
    tell(cli, &finished.problems, &loaded.sources);
    if args.json {
        say(&format!("{}\n", serde_json::json!({ "file": args.file.display().to_string(), "runs": measured })));
    } else {
        measured.iter().for_each(|m| say(&m.text()));
    }
    if finished.problems.iter().any(Diagnostic::is_error) { exit::WRONG_PROGRAM } else { exit::DONE }
}
