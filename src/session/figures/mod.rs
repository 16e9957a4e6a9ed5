//! Figures of a run, from what it gathered: plain data for `plot`, for files, a report page or a terminal.

mod backdrop;
mod curves;
pub mod gather;
mod images;
mod laws;
mod orders;
mod parts;
mod plane;

use crate::model::plots::{Of, PlotKind};
use crate::output::paths::slug;
use crate::output::width;
use crate::plot::{Figure, terminal};
use crate::session::results::Ran;
use crate::source::Span;
use gather::Gathered;

/// A figure with the name of its file, without folder and ending (those that the statement gives are kept apart).
#[derive(Clone, Debug)]
pub struct Drawn {
    pub figure: Figure,
    /// `terminal-fan-x`
    pub name: String,
    /// the ending that the statement asks for
    pub ending: Option<String>,
    /// the statement's plot as it is written
    pub text: String,
    pub variant: usize,
    /// one of a numbered sequence
    pub frame: Option<usize>,
    pub span: Span,
}

/// All figures of a run, in the order of its statements and variants.
pub fn figures_of(ran: &Ran) -> Vec<Drawn> {
    let mut drawn: Vec<Drawn> = Vec::new();
    let mut whole: Vec<Span> = Vec::new();
    for gathered in &ran.plots {
        let facts = &gathered.facts;
        let of_all = facts.kind.row().of == Of::Nothing || facts.kind == PlotKind::Ladder;
        if of_all && whole.contains(&facts.span) {
            continue;
        }
        let figures = if of_all {
            whole.push(facts.span);
            vec![of_run(ran, gathered)]
        } else {
            parts::titled(ran, gathered, figures(gathered))
        };
        let several = figures.len() > 1;
        for (k, figure) in figures.into_iter().enumerate() {
            let variant = (ran.variants.len() > 1 && !of_all).then_some(gathered.variant + 1);
            let look = several.then_some(k + 1);
            drawn.push(named(ran, gathered, figure, variant, look));
        }
    }
    apart(drawn)
}

/// The figures of a run as they are drawn in a terminal; of an animation its last frame.
pub fn in_terminal(ran: &Ran, coloured: bool) -> String {
    drawn_in_terminal(&figures_of(ran), coloured)
}

/// Figures as they are drawn in a terminal; of an animation its last frame.
pub fn drawn_in_terminal(all: &[Drawn], coloured: bool) -> String {
    // wider ones would be flat
    let columns = width::of_stdout().min(160);
    let last = |k: usize| all[k].frame.is_none() || all.get(k + 1).and_then(|n| n.frame).is_none_or(|n| n == 1);
    let shown = (0..all.len()).filter(|k| last(*k)).map(|k| &all[k].figure);
    shown.map(|f| format!("\n{}", terminal::draw(f, columns, 18, coloured))).collect()
}

/// The figures of one variant: one, or one for each time.
fn figures(gathered: &Gathered) -> Vec<Figure> {
    match gathered.facts.kind {
        PlotKind::Paths | PlotKind::Trace => vec![curves::paths(gathered)],
        PlotKind::Fan => vec![curves::fan(gathered)],
        PlotKind::Phase => vec![curves::phase(gathered)],
        PlotKind::Autocorr => vec![curves::autocorr(gathered)],
        PlotKind::Histogram => laws::histograms(gathered),
        PlotKind::Density if gathered.results.is_empty() => plane::in_plane(gathered),
        PlotKind::Density => laws::densities(gathered),
        PlotKind::Scatter => plane::scatters(gathered),
        PlotKind::Rank => laws::ranks(gathered),
        PlotKind::Image => images::images(gathered),
        PlotKind::Animation | PlotKind::Ladder | PlotKind::Convergence | PlotKind::WorkPrecision => Vec::new(),
    }
}

/// The figure of all variants together.
fn of_run(ran: &Ran, gathered: &Gathered) -> Figure {
    match gathered.facts.kind {
        PlotKind::Convergence => orders::convergence(ran),
        PlotKind::WorkPrecision => orders::work_precision(ran),
        _ => orders::ladder(ran, gathered),
    }
}

/// The figures that show the orders of a run with `converge`, whether it asks for them or not.
pub fn figures_of_orders(ran: &Ran) -> Vec<Figure> {
    if ran.variants.iter().all(|v| v.converge.is_none()) {
        return Vec::new();
    }
    vec![orders::convergence(ran), orders::work_precision(ran)]
}

fn named(ran: &Ran, gathered: &Gathered, figure: Figure, variant: Option<usize>, look: Option<usize>) -> Drawn {
    let facts = &gathered.facts;
    let (mut name, ending) = match facts.path.as_deref().and_then(|p| p.rsplit_once('.')) {
        Some((stem, ending)) => (stem.to_string(), Some(ending.to_ascii_lowercase())),
        None => (format!("{}-{}", ran.name, slug(&without_reference(&facts.text))), None),
    };
    if let Some(variant) = variant {
        name += &format!("-{variant}");
    }
    if let Some(look) = look {
        name += &if facts.animated { format!("-{look:03}") } else { format!("-at-{look}") };
    }
    let frame = look.filter(|_| facts.animated);
    let (text, variant) = (facts.text.clone(), gathered.variant);
    Drawn { figure, name, ending, text, variant, frame, span: facts.span }
}

/// The text of a plot up to what it is held against.
fn without_reference(text: &str) -> String {
    text.split(", reference").next().unwrap_or(text).to_string()
}

/// Gives figures that would have one name a number.
fn apart(mut drawn: Vec<Drawn>) -> Vec<Drawn> {
    for k in 1..drawn.len() {
        let (before, rest) = drawn.split_at_mut(k);
        let own = &mut rest[0];
        let taken = |name: &str| before.iter().any(|d| d.name == name && d.ending == own.ending);
        if taken(&own.name) {
            let free = (2..).map(|n| format!("{}-{n}", own.name)).find(|name| !taken(name));
            own.name = free.unwrap_or_default();
        }
    }
    drawn
}
