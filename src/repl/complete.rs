//! Completion: the names that could stand where the cursor is, from the tables of the compiler and from the session.

use crate::repl::Repl;
use crate::repl::commands;
use crate::session::{about, help};
use crate::syntax::{name_rest, name_start};

/// What can be completed, as it is before an input.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// names with their kinds: see [`help::names`]
    pub all: Vec<(String, &'static str)>,
    /// for each text that names a run's results, the names in it
    pub fields: Vec<(String, Vec<String>)>,
    pub settings: Vec<String>,
}

/// What a prefix can become: where it begins, and the words. `file` says that names of files go there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Completion {
    pub start: usize,
    pub words: Vec<String>,
    pub file: bool,
}

impl Names {
    /// The completions of the text before the cursor.
    pub fn complete(&self, before: &str) -> Completion {
        if let Some(command) = before.trim_start().strip_prefix(':') {
            let start = before.len() - command.len();
            match command.split_once(char::is_whitespace) {
                None => {
                    let names = commands::TABLE.iter().map(|c| c.name.to_string());
                    return Completion { start, words: starting(names, command), file: false };
                }
                Some(("load" | "watch" | "save", rest)) => {
                    return Completion { start: before.len() - rest.len(), file: true, ..Completion::default() };
                }
                Some(("set" | "unset", rest)) if !rest.contains('=') => {
                    let start = before.len() - rest.trim_start().len();
                    return Completion {
                        start,
                        words: starting(self.settings.iter().cloned(), &before[start..]),
                        file: false,
                    };
                }
                Some(("help", rest)) => {
                    let start = before.len() - rest.trim_start().len();
                    return Completion { start, words: self.starting(&before[start..], true), file: false };
                }
                Some(_) => {}
            }
        }
        let start = before.char_indices().rev().take_while(|(_, c)| name_rest(*c)).last().map_or(before.len(), |c| c.0);
        let word = &before[start..];
        if let Some(object) = before[..start].strip_suffix('.') {
            let field = self.fields.iter().filter(|(name, _)| ends_with_name(object, name));
            let names = field.max_by_key(|(name, _)| name.len()).map(|(_, names)| names.clone()).unwrap_or_default();
            return Completion { start, words: starting(names.into_iter(), word), file: false };
        }
        if !word.chars().next().is_some_and(name_start) {
            return Completion { start, ..Completion::default() };
        }
        Completion { start, words: self.starting(word, false), file: false }
    }

    fn starting(&self, word: &str, codes: bool) -> Vec<String> {
        let fit = |(_, kind): &&(String, &'static str)| codes || *kind != "diagnostic";
        starting(self.all.iter().filter(fit).map(|n| n.0.clone()), word)
    }

    /// The kind of a name: see [`help::names`].
    pub fn kind(&self, name: &str) -> Option<&'static str> {
        self.all.binary_search_by(|n| n.0.as_str().cmp(name)).ok().map(|k| self.all[k].1)
    }
}

fn starting(names: impl Iterator<Item = String>, word: &str) -> Vec<String> {
    names.filter(|n| n.starts_with(word)).collect()
}

/// Whether a text ends in a name, and not in a longer one.
fn ends_with_name(text: &str, name: &str) -> bool {
    text.strip_suffix(name).is_some_and(|rest| !rest.ends_with(name_rest))
}

impl Repl {
    /// The parameters of the session's runs; runs are worked out for them only when declarations have changed.
    pub(super) fn parameters(&self) -> Vec<String> {
        let find = || {
            let program = self.declarations.program();
            let runs = program.library.runs().map(|(_, r)| r.name.name.clone());
            runs.flat_map(|r| about::uses(&program, &r).parameters).collect()
        };
        self.parameters.borrow_mut().get_or_insert_with(find).clone()
    }

    pub(super) fn names(&self) -> Names {
        let program = self.declarations.program();
        let fields = self.outcomes.iter().flat_map(|o| {
            o.keys.iter().zip(&o.ran.kept).map(|(key, kept)| {
                let own = kept.names.iter().map(|n| &n.0).chain(kept.numbers.iter().map(|n| &n.0));
                (key.clone(), own.cloned().chain(["paths", "reports"].map(String::from)).collect())
            })
        });
        let mut settings: Vec<String> = super::settings::names().map(String::from).collect();
        settings.extend(self.parameters());
        settings.sort();
        settings.dedup();
        Names { all: help::names(&program.library), fields: fields.collect(), settings }
    }
}
