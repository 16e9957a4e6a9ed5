//! Diagnostics on stderr, as text or as JSON.

use crate::cli::args::{Cli, Color, MessageFormat};
use crate::diagnostics::{Diagnostic, render, to_json};
use crate::output::bar::Bar;
use crate::output::style::{Colour, Style};
use crate::session::load::Options;
use crate::source::SourceMap;

pub fn options(cli: &Cli) -> Options {
    Options { stdlib: cli.stdlib.clone(), ..Options::default() }
}

fn colour(cli: &Cli) -> Colour {
    match cli.color {
        Color::Auto => Colour::Auto,
        Color::Always => Colour::Always,
        Color::Never => Colour::Never,
    }
}

/// How to mark up what goes to stdout.
pub fn style(cli: &Cli) -> Style {
    use std::io::IsTerminal;
    Style::new(colour(cli), std::io::stdout().is_terminal())
}

/// A bar on stderr that shows how far a run is, where a person sees it and wants it.
pub fn bar(cli: &Cli, quiet: bool) -> Bar {
    use std::io::IsTerminal;
    let text = cli.message_format == MessageFormat::Text;
    Bar::watch(std::io::stderr().is_terminal() && text && !quiet && !cli.quiet, &super::run::STOP)
}

/// Writes diagnostics to stderr.
pub fn tell(cli: &Cli, problems: &[Diagnostic], sources: &SourceMap) {
    use std::io::IsTerminal;
    let coloured = Style::new(colour(cli), std::io::stderr().is_terminal()).is_coloured();
    for problem in problems {
        match cli.message_format {
            MessageFormat::Text => eprintln!("{}", render(problem, sources, coloured)),
            MessageFormat::Json => eprintln!("{}", to_json(problem, sources)),
        }
    }
}

/// Text to stdout; a closed pipe is the reader's way to say "enough".
pub fn say(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}
