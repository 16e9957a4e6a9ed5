//! Where a name is used, and another name for it.

use std::collections::HashMap;

use lsp_types::{Location, TextEdit, WorkspaceEdit};

use super::document::{Shared, Studied};
use crate::model::resolve::Use;
use crate::source::Span;
use crate::syntax::{RESERVED, name_rest, name_start};

/// Where the name at byte `at` is declared; solvers have several declarations of one name.
pub fn definitions(studied: &Studied, at: usize) -> Vec<Location> {
    let Some(found) = studied.use_at(at) else { return Vec::new() };
    let of = studied.names.uses.iter().filter(|u| u.at == found.at).map(|u| u.of);
    of.filter_map(|span| studied.location(span)).collect()
}

/// All places of the name at byte `at`.
pub fn references(studied: &Studied, at: usize, with_declaration: bool) -> Vec<Location> {
    let all = uses(studied, at).into_iter().filter(|u| with_declaration || u.at != u.of);
    all.filter_map(|u| studied.location(u.at)).collect()
}

fn uses(studied: &Studied, at: usize) -> Vec<Use> {
    let Some(found) = studied.use_at(at) else { return Vec::new() };
    let of = |span: Span| studied.names.uses.iter().filter(move |u| u.of == span);
    let mut all: Vec<Use> = of(found.of).copied().collect();
    all.dedup_by_key(|u| u.at);
    all
}

/// The place of the name at byte `at`, if it can be renamed; else why not.
pub fn renamable(studied: &Studied, at: usize) -> Result<Use, String> {
    let found = studied.use_at(at).ok_or("only names that a file declares can be renamed")?;
    let sources = &studied.loaded.sources;
    match sources.get(found.of.file).library {
        true => Err(format!("`{}` is a name of the standard library", sources.text(found.of))),
        false => Ok(found),
    }
}

/// The changes that rename the name at byte `at`; or why it cannot have the new name.
// The protocol's type of addresses holds a cache, which does not take part in its comparison.
#[allow(clippy::mutable_key_type)]
pub fn rename(studied: &Studied, at: usize, name: &str, shared: &mut Shared) -> Result<WorkspaceEdit, String> {
    renamable(studied, at)?;
    if !name.starts_with(name_start) || !name.chars().all(name_rest) {
        return Err(format!("`{name}` is not a name"));
    }
    if RESERVED.contains(&name) {
        return Err(format!("`{name}` is a word of the language"));
    }
    let uses = uses(studied, at);
    still_means(studied, &uses, name, shared)?;
    let mut changes: HashMap<_, Vec<TextEdit>> = HashMap::new();
    for location in uses.iter().filter_map(|u| studied.location(u.at)) {
        changes.entry(location.uri).or_default().push(TextEdit { range: location.range, new_text: name.to_string() });
    }
    Ok(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() })
}

/// Whether the main text with the new name has no problems that it did not have.
fn still_means(studied: &Studied, uses: &[Use], name: &str, shared: &mut Shared) -> Result<(), String> {
    let mut text = studied.text.clone();
    for u in uses.iter().rev().filter(|u| u.at.file == studied.loaded.main) {
        text.replace_range(u.at.start as usize..u.at.end as usize, name);
    }
    let elsewhere = uses.iter().any(|u| u.at.file != studied.loaded.main);
    let then = Studied::new(&studied.uri, &text, shared);
    if elsewhere || then.plain_problems().count() <= studied.plain_problems().count() {
        return Ok(());
    }
    let old: Vec<&str> = studied.plain_problems().map(|p| p.message.as_str()).collect();
    let new = then.plain_problems().find(|p| !old.contains(&p.message.as_str()));
    Err(new.map_or("the program would mean something else".to_string(), |p| p.message.clone()))
}
