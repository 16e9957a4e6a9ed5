//! What figures have in common: titles, captions, panels for elements of arrays.

use crate::output::number::{count, counted, plain};
use crate::output::paths::subscript;
use crate::output::result::RunResult;
use crate::plot::{Figure, Ink, Layer, Mark, Panel};
use crate::session::figures::gather::{Backdrop, Gathered};
use crate::session::results::Ran;

/// Elements of an array that have panels.
pub(super) const MOST_PANELS: usize = 9;

/// The label of a value of a plot.
pub(super) fn label(g: &Gathered, k: usize) -> &str {
    g.facts.labels.get(k).map_or("", String::as_str)
}

/// Elements of the first value.
pub(super) fn elements(g: &Gathered) -> usize {
    g.facts.shapes.first().map_or(1, |s| s.iter().product())
}

/// The name of an element: `x[2]`, or of `[s, v]` the name of its part.
pub(super) fn element(g: &Gathered, k: usize) -> String {
    let shape = g.facts.shapes.first().map_or(&[][..], Vec::as_slice);
    let all: usize = shape.iter().product();
    let parts = &g.facts.parts;
    if parts.is_empty() || !all.is_multiple_of(parts.len()) {
        return format!("{}{}", label(g, 0), subscript(shape, k));
    }
    // the axes that a part has itself
    let each = all / parts.len();
    let own = (0..=shape.len()).rev().find(|from| shape[*from..].iter().product::<usize>() == each);
    format!("{}{}", parts[k / each], subscript(&shape[own.unwrap_or(shape.len())..], k % each))
}

/// One panel for each element, with a caption that says what is left out.
pub(super) fn by_element(g: &Gathered, words: &str, panel: impl Fn(usize) -> Panel) -> Figure {
    let all = elements(g);
    let shown = all.min(MOST_PANELS);
    let mut panels: Vec<Panel> = (0..shown).map(panel).collect();
    if shown > 1 {
        // one legend is enough
        panels[1..].iter_mut().flat_map(|p| &mut p.layers).for_each(|l| l.name = None);
    }
    let left_out =
        if shown < all { format!("; the first {shown} of {} elements", count(all as u64)) } else { String::new() };
    Figure { caption: format!("{words}{left_out}"), panels, ..Figure::default() }
}

/// `the first 50 of 1 000 paths`, or `1 000 paths` where these are all.
pub(super) fn first_of(g: &Gathered) -> String {
    let kept = g.record.paths.len() as u64;
    let word = |n: u64| if n == 1 { "path" } else { "paths" };
    match kept {
        _ if kept >= g.paths => format!("{} {}", count(kept), word(kept)),
        1 => format!("the first of {} paths", count(g.paths)),
        _ => format!("the first {} of {} paths", count(kept), count(g.paths)),
    }
}

/// The reference curve of a plot, as a layer.
pub(super) fn curve(g: &Gathered) -> Option<Layer> {
    match &g.backdrop {
        Some(Backdrop::Curve { name, points }) => {
            Some(Layer::new(Ink::Reference, Mark::Line(points.clone())).named(name.clone()))
        }
        _ => None,
    }
}

/// When a look was, for titles.
pub(super) fn when(g: &Gathered, look: usize) -> String {
    match (&g.pooled, g.times.get(look)) {
        (Some(words), _) => format!(" over {words}"),
        (None, Some(t)) => format!(" at t = {}", plain(*t)),
        (None, None) => String::new(),
    }
}

/// Figures with the title of their variant.
pub(super) fn titled(ran: &Ran, g: &Gathered, figures: Vec<Figure>) -> Vec<Figure> {
    let Some(variant) = ran.variants.get(g.variant) else { return figures };
    let by = variant.solver.as_ref().map_or(String::new(), |s| format!(" by {s}"));
    let sweep: String = variant.sweep.iter().map(|(name, value)| format!(", {name} = {}", plain(*value))).collect();
    let words = format!("{}{by}{sweep}", variant.model);
    let lost = diverged(variant);
    let title = |f: Figure| Figure {
        title: format!("{}: {words}{}", ran.name, f.title),
        caption: [f.caption.as_str(), &lost].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join("; "),
        ..f
    };
    figures.into_iter().map(title).collect()
}

/// What a caption says of paths that diverged: nothing where there are none.
pub(super) fn diverged(variant: &RunResult) -> String {
    if variant.diverged == 0 {
        return String::new();
    }
    let when = variant.first_divergence.map_or(String::new(), |t| format!(", the first at t = {}", plain(t)));
    let (own, all) = (count(variant.diverged), counted(variant.paths, "path"));
    format!("{own} of {all} diverged{when}, and are left out from then on")
}
