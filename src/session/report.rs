//! The report of a program's runs: a page with its models, results, plots and manifests.

use std::collections::BTreeMap;
use std::path::Path;

use crate::calculus::explanation::Explanation;
use crate::diagnostics::Diagnostic;
use crate::output::number::{counted, plain};
use crate::output::report::{Page, Picture, Section, Setting, html};
use crate::output::result::RunResult;
use crate::plot::svg::{self, draw_in_page};
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
    files::write_text(path, &page).err().map(|e| files::unwritable_report(path, &e, span))
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
    let overrides = &manifest.overrides;
    // both are names, or paths that end in them
    let ends_in = |path: &str, name: &str| path == name || path.ends_with(&format!(".{name}"));
    let set = || overrides.keys().filter_map(|key| key.strip_prefix("set "));
    let is_set = |name: &str| set().any(|given| ends_in(given, name) || ends_in(name, given));
    let parameter = |(name, value): &(String, String)| Setting {
        name: name.clone(),
        value: value.clone(),
        from: if is_set(name) { "--set".into() } else { "default".into() },
    };
    Section {
        name: ran.name.clone(),
        results: ran.variants.clone(),
        settings: settings(ran, overrides),
        parameters: ran.parameters.iter().map(parameter).collect(),
        notes: ran.notes.clone(),
        figures: figures(k, ran),
        manifest: manifest.to_json(),
    }
}

/// All settings that were in force: those of the program in its words, what the command line put in their place, and defaults.
fn settings(ran: &Ran, overrides: &BTreeMap<String, String>) -> Vec<Setting> {
    let mut found = Vec::new();
    let mut put = |name: &str, value: String, from: &str| {
        found.push(Setting { name: name.into(), value, from: from.into() });
    };
    let converges = ran.variants.iter().any(|v| v.converge.is_some());
    let in_time = ran.variants.iter().any(RunResult::has_time);
    let own = |name: &str| ran.settings.get(name).cloned();
    let over = |name: &str| overrides.get(name).cloned();
    if let Some(model) = own("model") {
        put("model", model, "");
    }
    match (over("solver"), own("solver")) {
        (Some(value), _) => put("solver", value, "--solver"),
        (None, Some(value)) => {
            let chosen: Vec<String> = ran.variants.iter().filter_map(|v| v.solver.clone()).collect();
            let from = if value == "auto" {
                chosen.first().map_or(String::new(), |s| format!("chosen: {s}"))
            } else {
                String::new()
            };
            put("solver", value, &from);
        }
        (None, None) => {}
    }
    if let Some(time) = own("time") {
        let (start, end, steps) = ran.time;
        let each = if steps > 0 && !converges { counted(steps, "step") } else { String::new() };
        match over("step") {
            Some(step) => put("time", format!("{} .. {} step {step}", plain(start), plain(end)), "--step"),
            None => put("time", time, &each),
        }
    }
    for (name, values) in swept(ran) {
        put(&format!("sweep {name}"), values, "");
    }
    let followed = |v: &'_ &RunResult| v.converge.as_ref().is_some_and(|c| c.enumerated.is_none());
    if let Some((variant, c)) = ran.variants.iter().find(followed).and_then(|v| v.converge.as_ref().map(|c| (v, c))) {
        let steps: Vec<String> = c.levels.iter().map(|l| l.steps.to_string()).collect();
        put("converge", format!("steps = [{}], reference = {}", steps.join(", "), variant.steps), "");
    }
    let mut usual = |name: &str, value: String| match (over(name), own(name)) {
        (Some(_), _) => put(name, value, &format!("--{name}")),
        (None, Some(_)) => put(name, value, ""),
        (None, None) => put(name, value, "default"),
    };
    usual("paths", ran.planned_paths.to_string());
    usual("seed", ran.variants.first().map_or(0, |v| v.seed).to_string());
    usual("precision", ran.precision.name().into());
    if converges {
        put("noise", "paths of all steps share it".into(), "converge");
    } else if in_time {
        usual("noise", own("noise").unwrap_or_else(|| "stream".into()));
    }
    let told = ["model", "solver", "time", "paths", "seed", "precision", "noise"];
    for (name, value) in ran.settings.iter().filter(|(name, _)| !told.contains(&name.as_str())) {
        put(name, value.clone(), "");
    }
    found
}

/// The parameters that were swept, with their values in order.
fn swept(ran: &Ran) -> Vec<(String, String)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for (name, value) in ran.variants.iter().flat_map(|v| &v.sweep) {
        let value = plain(*value);
        match found.iter_mut().find(|f| f.0 == *name) {
            Some((_, values)) if values.contains(&value) => {}
            Some((_, values)) => values.push(value),
            None => found.push((name.clone(), vec![value])),
        }
    }
    found.into_iter().map(|(name, values)| (name, format!("[{}]", values.join(", ")))).collect()
}

/// The figures of a run as SVG, frames of an animation together. Those of orders are there without being asked for.
fn figures(run: usize, ran: &Ran) -> Vec<Picture> {
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
            let panels = group.iter().map(|f| f.panels.len()).max().unwrap_or(0);
            let draw = |(frame, f)| draw_in_page(f, &PAGE, &format!("f{run}-{k}-{frame}-"));
            Picture { frames: frames.map(draw).collect(), columns: svg::columns(panels) }
        })
        .collect()
}
