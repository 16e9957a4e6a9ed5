//! How wide the terminal is.

use console::Term;

/// Columns of what is no terminal, and of one that does not say.
const USUAL: usize = 80;

/// Columns of standard output: `COLUMNS` where it is set, else those of the terminal.
pub fn of_stdout() -> usize {
    columns(&Term::stdout())
}

/// The same of standard error.
pub fn of_stderr() -> usize {
    columns(&Term::stderr())
}

fn columns(terminal: &Term) -> usize {
    let own = terminal.size_checked().map(|(_, columns)| usize::from(columns));
    chosen(std::env::var("COLUMNS").ok().as_deref(), own)
}

/// A number that is set goes before that of the terminal.
fn chosen(set: Option<&str>, own: Option<usize>) -> usize {
    let set = set.and_then(|c| c.trim().parse().ok());
    set.filter(|n| *n > 0).or(own.filter(|n| *n > 0)).unwrap_or(USUAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_goes_first() {
        assert_eq!(chosen(Some("120"), Some(90)), 120);
        assert_eq!(chosen(None, Some(90)), 90);
        assert_eq!(chosen(Some("wide"), Some(90)), 90);
        assert_eq!(chosen(Some("0"), Some(0)), USUAL);
        assert_eq!(chosen(None, None), USUAL);
    }
}
