//! What there is of a kind, one line each: `fokker help models`.

use crate::diagnostics::text::filled;
use crate::model::library::Library;
use crate::session::help::{LATER, every_name, topics};

/// What can be listed: under which name, and which kinds of names these are.
const LISTS: &[(&str, &[&str])] = &[
    ("functions", &["function"]),
    ("distributions", &["distribution"]),
    ("operators", &["operator"]),
    ("statistics", &["statistic"]),
    ("plots", &["plot"]),
    ("models", &["model"]),
    ("targets", &["target"]),
    ("words", &["word"]),
    ("settings", &["setting", "value of a setting"]),
    ("noises", &["noise", "convention"]),
    ("forms", &["form"]),
    ("codes", &["diagnostic"]),
];

/// Columns of a name, at most, before its line.
const NAME: usize = 24;

/// All lists in a sentence.
pub fn sentence() -> String {
    let names: Vec<&str> = LISTS.iter().map(|l| l.0).collect();
    filled(&format!("There are lists of {}; and `fokker solvers`.", names.join(", ")), 0)
}

/// The names of a kind with a line about each; nothing where there is no such list.
pub fn list(library: &Library, name: &str) -> Option<String> {
    let (_, kinds) = LISTS.iter().find(|l| l.0 == name)?;
    let mut found: Vec<(String, &'static str)> = every_name(library);
    found.retain(|(_, kind)| kinds.contains(kind));
    found.sort();
    found.dedup();
    let width = found.iter().map(|(n, _)| n.chars().count()).max().unwrap_or(0).min(NAME) + 2;
    let line = |(name, kind): &(String, &'static str)| {
        let topic = topics(library, name).into_iter().find(|t| t.kind == *kind).unwrap_or_default();
        let later = if topic.facts.iter().any(|f| f == LATER) { ", not supported yet" } else { "" };
        format!("{name:<width$}{}\n", filled(&format!("{}{later}", first_sentence(&topic.doc)), width))
    };
    Some(found.iter().map(line).collect())
}

/// A text up to its first stop at the end of a word or of a line.
fn first_sentence(doc: &str) -> &str {
    let line = doc.split("\n\n").next().unwrap_or_default();
    let ends = |at: &usize| line[at + 1..].trim_start().chars().next().is_none_or(|c| c.is_uppercase() || c == '`');
    let stop = line.match_indices(". ").chain(line.match_indices(".\n")).map(|m| m.0).filter(ends).min();
    line[..stop.unwrap_or(line.len())].trim().trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::load::{Options, load_text};

    #[test]
    fn every_list_has_lines_that_say_something() {
        let loaded = load_text("none", "", &Options::default());
        for (name, _) in LISTS {
            let text = list(&loaded.library, name).expect("a list");
            assert!(text.lines().count() > 3, "{name}: {text}");
            assert!(
                text.lines()
                    .all(|l| (l.starts_with(' ') || l.split_whitespace().count() > 1) && l.chars().count() <= 100),
                "{name}: {text}"
            );
        }
        assert!(list(&loaded.library, "models").is_some_and(|m| m.contains("heston") && m.contains("langevin")));
        assert_eq!(list(&loaded.library, "things"), None);
    }

    #[test]
    fn a_sentence_ends_with_its_stop() {
        assert_eq!(first_sentence("One thing. Another."), "One thing");
        assert_eq!(first_sentence("As of e.g. this\none. `b`."), "As of e.g. this\none");
        assert_eq!(first_sentence("A title.\n\nA text."), "A title");
    }
}
