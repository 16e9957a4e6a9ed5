//! The report of a program's runs: a page with its models, results, plots and manifests.

use std::path::Path;

use crate::calculus::explanation::Explanation;
use crate::diagnostics::Diagnostic;
use crate::output::report::{Page, Section, html};
use crate::plot::svg::draw_in_page;
use crate::plot::theme::{DARK, LIGHT, PAGE};
use crate::session::figures::{Drawn, figures_of, figures_of_orders};
use crate::session::load::Loaded;
use crate::session::results::Ran;
use crate::session::{Request, files, inspect};
use crate::source::Span;

/// Frames of an animation that a page holds.
const MOST_FRAMES: usize = 100;

/// Writes the page of some runs. `folder` is that of the files of the runs, from which their manifests look.
pub fn write(path: &Path, loaded: &Loaded, runs: &[Ran], folder: &Path, request: &Request) -> Option<Diagnostic> {
    if loaded.has_errors() || runs.is_empty() {
        return None;
    }
    let page = html(&page(loaded, runs, folder, request));
    let span = Span { file: loaded.main, start: 0, end: 0 };
    std::fs::write(path, page).err().map(|e| files::unwritable_report(path, &e, span))
}

/// What the page tells.
pub fn page(loaded: &Loaded, runs: &[Ran], folder: &Path, request: &Request) -> Page {
    let main = loaded.sources.get(loaded.main);
    let name = Path::new(&main.name).file_name().map_or(main.name.clone(), |n| n.to_string_lossy().into_owned());
    let (mut explanations, _) = inspect::explanations(loaded);
    explanations.extend(inspect::explanations_of_targets(loaded));
    Page {
        file: name,
        fokker: env!("CARGO_PKG_VERSION").into(),
        source: main.text.to_string(),
        colours: [LIGHT.properties(), DARK.properties()],
        mathematics: explanations.iter().map(Explanation::html).collect(),
        runs: runs.iter().enumerate().map(|(k, ran)| section(k, ran, loaded, folder, request)).collect(),
    }
}

fn section(k: usize, ran: &Ran, loaded: &Loaded, folder: &Path, request: &Request) -> Section {
    let results: Vec<String> = ran
        .variants
        .iter()
        .flat_map(|v| v.saved.iter().cloned().chain(v.plots.iter().map(|p| p.file.clone())))
        .collect();
    let manifest = files::manifest(ran, folder, loaded, request, results);
    let mut settings = ran.settings.clone();
    settings.extend(manifest.overrides.iter().map(|(name, value)| (format!("--{name}"), value.clone())));
    Section {
        name: ran.name.clone(),
        results: ran.variants.clone(),
        settings,
        notes: ran.notes.clone(),
        figures: figures(k, ran),
        manifest: manifest.to_json(),
    }
}

/// The figures of a run as SVG, frames of an animation together. Those of orders are there without being asked for.
fn figures(run: usize, ran: &Ran) -> Vec<Vec<String>> {
    let mut drawn = figures_of(ran).into_iter().peekable();
    let mut groups: Vec<Vec<Drawn>> = Vec::new();
    while let Some(first) = drawn.next() {
        let mut group = vec![first];
        while group[0].frame.is_some()
            && let Some(next) = drawn.next_if(|d| d.frame.is_some_and(|f| f > 1))
        {
            group.push(next);
        }
        groups.push(group);
    }
    let asked: Vec<_> = groups.iter().flatten().map(|d| d.figure.clone()).collect();
    let orders = figures_of_orders(ran).into_iter().filter(|f| !asked.contains(f)).map(|f| vec![f]);
    let all = groups.iter().map(|g| g.iter().map(|d| d.figure.clone()).collect()).chain(orders);
    all.enumerate()
        .map(|(k, group): (usize, Vec<_>)| {
            let every = group.len().div_ceil(MOST_FRAMES).max(1);
            let frames = group.iter().step_by(every).enumerate();
            frames.map(|(frame, f)| draw_in_page(f, &PAGE, &format!("f{run}-{k}-{frame}-"))).collect()
        })
        .collect()
}
