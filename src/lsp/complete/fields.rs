//! What can follow a point: `p.dim`, `A.T`, and the paths of parameters in a sweep.

use lsp_types::CompletionItemKind as ItemKindOf;

use super::List;
use crate::model::resolve::{Kind, Use};
use crate::session::study::parameters;
use crate::syntax::ast::ItemKind;
use crate::syntax::{Place, name_rest};

impl List<'_> {
    /// The fields of what `before`, the text up to the point, ends with.
    pub(super) fn fields(&mut self, before: &str) {
        if self.context.place == Place::Run && self.context.head() == "sweep" {
            return self.paths(before);
        }
        let name = &before[before.trim_end_matches(name_rest).len()..];
        let Some(found) = self.declared(name) else { return };
        let item = self.studied.declaration(found.of);
        if item.is_some_and(|item| !matches!(item.kind, ItemKind::Target(_) | ItemKind::Data(_))) {
            return;
        }
        let axes = self.axes(found);
        if axes.is_none_or(|n| n > 0) {
            self.put(
                "dim",
                ItemKindOf::FIELD,
                None,
                Some("The size: of a vector its length, of a target that of a point.".into()),
            );
        }
        if axes.is_none_or(|n| n == 2) && found.kind != Kind::Declaration {
            self.put("T", ItemKindOf::FIELD, None, Some("The transpose of a matrix.".into()));
        }
    }

    /// The declaration of a name before this place. (A statement that is not finished has no names of its own.)
    fn declared(&self, name: &str) -> Option<Use> {
        let start = self.context.item.map_or(0, |i| i.0);
        let own = |u: &Use| (start..self.at).contains(&(u.at.start as usize)) && u.at.file == self.studied.loaded.main;
        let same = |u: &&Use| u.at == u.of && self.studied.loaded.sources.text(u.at) == name;
        let declared = self.studied.names.uses.iter().filter(same).filter(|u| own(u) || u.kind == Kind::Declaration);
        declared.max_by_key(|u| own(u)).copied()
    }

    /// The number of axes that the declaration of a name writes; none where it writes no type.
    fn axes(&self, found: Use) -> Option<usize> {
        let text = &self.studied.loaded.sources.get(found.of.file).text[found.of.end as usize..];
        let Some(ty) = text.trim_start().strip_prefix(':') else {
            // A number by its default or its start.
            let value = text.trim_start().strip_prefix('=').map(str::trim_start);
            let number = value.is_some_and(|v| v.starts_with(|c: char| c.is_ascii_digit() || c == '-'));
            return (number || !matches!(found.kind, Kind::Value | Kind::State | Kind::Parameter | Kind::Declaration))
                .then_some(0);
        };
        let ty = ty.trim_start();
        let name = &ty[..ty.find(|c| !name_rest(c)).unwrap_or(ty.len())];
        match ty[name.len()..].strip_prefix('[').and_then(|sizes| sizes.split(']').next()) {
            Some(sizes) => Some(sizes.split(',').count()),
            None if name == "target" => Some(1),
            None => Some(0),
        }
    }

    /// The rest of the paths that go on where `before` ends.
    fn paths(&mut self, before: &str) {
        let path = &before[before.trim_end_matches(|c| name_rest(c) || c == '.').len()..];
        let start = self.context.item.map_or(0, |i| i.0);
        for p in parameters(&self.studied.loaded, self.studied.loaded.main, start) {
            let whole = format!(".{}", p.path);
            if let Some((_, rest)) = whole.split_once(&format!(".{path}.")) {
                self.put_snippet(rest, &format!("{rest} = [$0]"), ItemKindOf::PROPERTY, &p.path);
            }
        }
    }
}
