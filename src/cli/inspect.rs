//! `fokker check` and `fokker explain`.

use crate::cli::args::{CheckArgs, Cli, Emit, ExplainArgs};
use crate::cli::exit;
use crate::cli::tell::{options, say, tell};
use crate::diagnostics::Diagnostic;
use crate::session::load::load_file;
use crate::session::{check_loaded, emit, inspect};

pub fn check(cli: &Cli, args: &CheckArgs) -> u8 {
    let loaded = load_file(&args.file, &options(cli));
    let (facts, more) = inspect::facts(&loaded);
    let targets: Vec<_> = inspect::targets(&loaded).into_iter().flatten().collect();
    let mut problems = check_loaded(&loaded);
    // Of a program that is wrong, what the facts lack only follows from that.
    if !problems.iter().any(Diagnostic::is_error) {
        let new: Vec<Diagnostic> = more.into_iter().filter(|p| !problems.contains(p)).collect();
        problems.extend(new);
    }
    tell(cli, &problems, &loaded.sources);
    if args.json {
        let file = args.file.display().to_string();
        let mut told = serde_json::json!({ "file": file, "models": facts });
        if !targets.is_empty() {
            told["targets"] = serde_json::json!(targets);
        }
        say(&format!("{told}\n"));
    } else {
        for f in &facts {
            say(&format!("{}\n", f.text()));
        }
        for t in &targets {
            say(&format!("{}\n", t.text()));
        }
    }
    code(&problems)
}

pub fn explain(cli: &Cli, args: &ExplainArgs) -> u8 {
    let loaded = load_file(&args.file, &options(cli));
    if let Some(what) = args.emit {
        let (text, problems) = match what {
            Emit::Ast => emit::ast(&loaded),
            Emit::Ir => emit::ir(&loaded),
            Emit::Step => emit::step(&loaded),
            Emit::Clif => emit::clif(&loaded),
            Emit::Asm => emit::asm(&loaded),
        };
        tell(cli, &problems, &loaded.sources);
        say(&text);
        return code(&problems);
    }
    let (mut explanations, problems) = inspect::explanations(&loaded);
    explanations.extend(inspect::explanations_of_targets(&loaded));
    tell(cli, &problems, &loaded.sources);
    for e in &explanations {
        say(&format!("{}\n", if args.latex { e.latex() } else { e.text() }));
    }
    code(&problems)
}

fn code(problems: &[Diagnostic]) -> u8 {
    if problems.iter().any(Diagnostic::is_error) { exit::WRONG_PROGRAM } else { exit::DONE }
}
