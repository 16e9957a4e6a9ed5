//! `fokker help` and `fokker cite`: what is known of a name or a code, and where methods come from.

use clap::CommandFactory;

use crate::cli::args::{CiteArgs, Cli, HelpArgs};
use crate::cli::exit;
use crate::cli::tell::{options, say, tell};
use crate::diagnostics::{Diagnostic, codes};
use crate::session::load::{load_file, load_text};
use crate::session::{cite, help, lists};
use crate::source::{SourceMap, Span};

/// A command, a name or a code; without any, the commands.
pub fn help(cli: &Cli, args: &HelpArgs) -> u8 {
    let mut command = Cli::command();
    command.build();
    let Some(name) = &args.name else {
        say(&format!("{}\n{}\n", command.render_help(), lists::sentence()));
        return exit::DONE;
    };
    let loaded = match &args.file {
        Some(file) => load_file(file, &options(cli)),
        None => load_text("none", "", &options(cli)),
    };
    let topics = help::topics(&loaded.library, name);
    let of_command = command.find_subcommand_mut(name).map(|c| c.render_help().to_string());
    let list = lists::list(&loaded.library, name);
    if topics.is_empty() && of_command.is_none() && list.is_none() {
        let message = help::unknown(&loaded.library, name);
        let d =
            Diagnostic { labels: Vec::new(), ..Diagnostic::error(codes::UNKNOWN_NAME, message, Span::default(), "") };
        tell(
            cli,
            &[d.note(lists::sentence().replace('\n', " ")).help(
                "as in `fokker help quantile`, `fokker help milstein`, `fokker help E0405`, `fokker help models`",
            )],
            &SourceMap::default(),
        );
        return exit::WRONG_PROGRAM;
    }
    say(&topics.iter().map(help::Topic::text).chain(list).chain(of_command).collect::<Vec<_>>().join("\n"));
    exit::DONE
}

pub fn cite(cli: &Cli, args: &CiteArgs) -> u8 {
    let loaded = load_file(&args.file, &options(cli));
    let (cited, problems) = cite::cite(&loaded);
    tell(cli, &problems, &loaded.sources);
    if problems.iter().any(Diagnostic::is_error) {
        return exit::WRONG_PROGRAM;
    }
    say(&if args.bibtex { cite::bibtex(&cited) } else { cite::text(&cited) });
    exit::DONE
}
