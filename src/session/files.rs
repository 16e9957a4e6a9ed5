//! Files of a run: saved paths, and the manifest from which the run can be repeated.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::diagnostics::{Diagnostic, codes};
use crate::kernels::lane::Precision;
use crate::output::manifest::{FORM, Manifest, TimeNote, hash};
use crate::output::paths::{Format, Paths, save};
use crate::output::result::PlotFile;
use crate::plot::theme::{LIGHT, Theme};
use crate::plot::{self, Figure};
use crate::session::Request;
use crate::session::compile::Backend;
use crate::session::figures::{Drawn, figures_of};
use crate::session::load::Loaded;
use crate::session::plan::{Plan, Statement};
use crate::session::results::Ran;
use crate::source::Span;

/// How the plots of a run are written.
#[derive(Copy, Clone, Debug)]
pub struct Look {
    pub theme: &'static Theme,
    /// where the statement names no file: SVG, or PNG
    pub png: bool,
    /// plots have no files: they are shown in another way
    pub no_files: bool,
}

impl Default for Look {
    fn default() -> Look {
        Look { theme: &LIGHT, png: false, no_files: false }
    }
}

/// Writes what a run saves and plots below `folder`, with a manifest beside it. Adds the names of the files to the variants.
pub fn write(ran: &mut Ran, folder: &Path, loaded: &Loaded, request: &Request, look: Look) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut written = Vec::new();
    let first = ran.saved.first().map(|s| s.span).or(ran.plots.first().map(|p| p.facts.span));
    let span = first.unwrap_or_default();
    for saved in std::mem::take(&mut ran.saved) {
        let name = if ran.variants.len() > 1 { numbered(&saved.path, saved.variant + 1) } else { saved.path.clone() };
        let path = folder.join(&name);
        let Some(format) = Format::of(&path) else { continue };
        let paths = Paths { recorded: &saved.recorded, times: &saved.times, columns: &saved.columns };
        match save(&path, format, &paths) {
            Ok(()) => {
                let shown = path.display().to_string();
                if let Some(variant) = ran.variants.get_mut(saved.variant) {
                    variant.saved.push(shown);
                }
                written.push(name);
            }
            Err(e) => problems.push(unwritable(&path, &e, saved.span)),
        }
    }
    written.extend(write_plots(ran, folder, look, &mut problems));
    // What was typed at a prompt is no file that a manifest could name.
    if !written.is_empty() && loaded.sources.get(loaded.main).path.is_some() {
        let path = folder.join(format!("{}.manifest.json", ran.name));
        if let Err(e) = std::fs::write(&path, manifest(ran, folder, loaded, request, written).to_json()) {
            problems.push(unwritable(&path, &e, span));
        }
    }
    problems
}

/// Writes the plots of a run; the names of the files, from the folder.
fn write_plots(ran: &mut Ran, folder: &Path, look: Look, problems: &mut Vec<Diagnostic>) -> Vec<String> {
    let mut written: Vec<String> = Vec::new();
    if look.no_files {
        return written;
    }
    for drawn in figures_of(ran) {
        let ending = drawn.ending.as_deref().unwrap_or(if look.png { "png" } else { "svg" });
        let name = format!("{}.{ending}", drawn.name);
        let path = folder.join(&name);
        if let Err(e) = write_figure(&path, &drawn.figure, ending == "png", look.theme) {
            problems.push(unwritable(&path, &e, drawn.span));
            continue;
        }
        written.push(name);
        let Some(variant) = ran.variants.get_mut(drawn.variant) else { continue };
        match (drawn.frame, variant.plots.last_mut()) {
            (Some(k), Some(first)) if k > 1 => first.frames = Some(k),
            _ => variant.plots.push(PlotFile { plot: drawn.text, file: path.display().to_string(), frames: None }),
        }
    }
    written
}

/// Writes figures that were asked for by themselves; the names of the files.
pub fn write_drawn(all: &[Drawn]) -> Result<Vec<String>, Diagnostic> {
    let mut written = Vec::new();
    for drawn in all {
        let ending = drawn.ending.as_deref().unwrap_or("svg");
        let name = format!("{}.{ending}", drawn.name);
        let failed = |e: std::io::Error| {
            let message = format!("cannot write `{name}`: {e}");
            Diagnostic::error(codes::CANNOT_WRITE, message, drawn.span, "drawn here")
        };
        write_figure(Path::new(&name), &drawn.figure, ending == "png", &LIGHT).map_err(failed)?;
        written.push(name);
    }
    Ok(written)
}

fn write_figure(path: &Path, figure: &Figure, png: bool, theme: &Theme) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let svg = plot::svg::draw(figure, theme);
    match png {
        true => std::fs::write(path, plot::png::paint(&svg).map_err(std::io::Error::other)?),
        false => std::fs::write(path, svg),
    }
}

/// Whether the files of a run can be written, before its paths are run: the folder is there or can be made, and a file
/// that is there can be opened. Of several files the first is told.
pub fn can_write(plan: &Plan, folder: &Path) -> Vec<Diagnostic> {
    for statement in &plan.statements {
        let (path, span) = match statement {
            Statement::Save(save) => (folder.join(&save.path), save.span),
            Statement::Plot(plot) => (folder.join(plot.facts.path.as_deref().unwrap_or("plot.svg")), plot.facts.span),
            _ => continue,
        };
        if let Err(e) = try_to_open(&path) {
            return vec![unwritable(&path, &e, span)];
        }
    }
    Vec::new()
}

/// Writes a text, making its folder where needed.
pub fn write_text(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text)
}

fn try_to_open(path: &Path) -> std::io::Result<()> {
    if path.exists() {
        return std::fs::OpenOptions::new().append(true).open(path).map(|_| ());
    }
    // A new file is made and taken away again, in the nearest folder that there is.
    let mut folder = path.parent().unwrap_or(Path::new(""));
    while !folder.as_os_str().is_empty() && !folder.exists() {
        folder = folder.parent().unwrap_or(Path::new(""));
    }
    let trial = folder.join(format!(".fokker-{}", std::process::id()));
    std::fs::File::create(&trial)?;
    std::fs::remove_file(&trial)
}

/// Whether the page of a report can be written, before anything runs.
pub fn can_write_report(path: &Path, span: Span) -> Option<Diagnostic> {
    try_to_open(path).err().map(|e| unwritable_report(path, &e, span))
}

/// That the page of a report cannot be written.
pub(crate) fn unwritable_report(path: &Path, e: &std::io::Error, span: Span) -> Diagnostic {
    let message = format!("cannot write `{}`: {e}", path.display());
    Diagnostic::error(codes::CANNOT_WRITE, message, span, "the runs of this file")
        .help("name another file: `--report FILE`")
}

/// Writes a text over a file of the user.
pub fn replace(path: &Path, text: &str) -> Result<(), Diagnostic> {
    std::fs::write(path, text).map_err(|e| {
        let mut problem = unwritable(path, &e, Span::default());
        problem.labels.clear();
        problem.help = None;
        problem
    })
}

fn unwritable(path: &Path, e: &std::io::Error, span: Span) -> Diagnostic {
    let help = match path.is_absolute() {
        true => "name a file in a folder that is yours to write to",
        false => "choose another folder with `--out DIR`",
    };
    Diagnostic::error(codes::CANNOT_WRITE, format!("cannot write `{}`: {e}", path.display()), span, "saved by this run")
        .help(help)
}

/// `paths.csv` of the second variant is `paths-2.csv`.
fn numbered(name: &str, k: usize) -> String {
    match name.rsplit_once('.') {
        Some((stem, ending)) => format!("{stem}-{k}.{ending}"),
        None => format!("{name}-{k}"),
    }
}

/// A path as it is seen from a folder; unchanged where either cannot be found.
fn from_folder(folder: &Path, path: &Path) -> String {
    let shown = || path.display().to_string();
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let (Ok(folder), Ok(path)) = (folder.canonicalize(), path.canonicalize()) else { return shown() };
    let common = folder.components().zip(path.components()).take_while(|(a, b)| a == b).count();
    if common == 0 {
        return shown();
    }
    let up = folder.components().skip(common).map(|_| "..".to_string());
    let down = path.components().skip(common).map(|c| c.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

pub(crate) fn manifest(ran: &Ran, folder: &Path, loaded: &Loaded, request: &Request, results: Vec<String>) -> Manifest {
    let main = loaded.sources.get(loaded.main);
    let mut overrides = BTreeMap::new();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            overrides.insert(name.to_string(), value);
        }
    };
    put("paths", request.paths.map(|v| v.to_string()));
    put("seed", request.seed.map(|v| v.to_string()));
    put("solver", request.solver.clone());
    put("step", request.step.map(|v| v.to_string()));
    put("precision", request.precision.map(|p| p.name().into()));
    for set in &request.set {
        if let Some((name, value)) = set.split_once('=') {
            put(&format!("set {name}"), Some(value.to_string()));
        }
    }
    let sources = loaded
        .sources
        .iter()
        .filter(|(_, f)| !f.library)
        .map(|(_, f)| (from_folder(folder, Path::new(&f.name)), hash(f.text.as_bytes())))
        .chain(ran.data.iter().map(|(path, hash)| (from_folder(folder, path), hash.clone())))
        .collect();
    Manifest {
        form: FORM,
        fokker: env!("CARGO_PKG_VERSION").into(),
        file: from_folder(folder, Path::new(&main.name)),
        sources,
        run: ran.name.clone(),
        seed: ran.variants.first().map_or(0, |v| v.seed),
        paths: ran.planned_paths,
        finished: ran.finished,
        precision: ran.precision.name().into(),
        backend: request.backend.name().into(),
        generator: "ars5".into(),
        time: TimeNote { start: ran.time.0, end: ran.time.1, steps: ran.time.2 },
        settings: ran.settings.clone(),
        overrides,
        variants: ran.variants.iter().map(|v| v.sweep.iter().cloned().collect()).collect(),
        results,
    }
}

/// The file and the request that repeat a run. Errors: a text that is no manifest, a source that has changed.
pub fn repeat(path: &Path) -> Result<(PathBuf, Request), Diagnostic> {
    // No text of a program is at fault, so there is no place to point at.
    let fail = |message: String| Diagnostic {
        labels: Vec::new(),
        ..Diagnostic::error(codes::BAD_MANIFEST, message, Span::default(), "")
            .help("a manifest repeats the run only from the very files that it was made with")
    };
    let text = std::fs::read_to_string(path).map_err(|e| fail(format!("cannot read `{}`: {e}", path.display())))?;
    let manifest = Manifest::from_json(&text).map_err(|e| fail(e.to_string()))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    manifest.verify(|name| std::fs::read(folder.join(name)).ok()).map_err(|e| fail(e.to_string()))?;
    if manifest.fokker != env!("CARGO_PKG_VERSION") {
        return Err(fail(format!(
            "the results were made by version {}, and this is {}",
            manifest.fokker,
            env!("CARGO_PKG_VERSION")
        )));
    }
    let over = |name: &str| manifest.overrides.get(name).cloned();
    let request = Request {
        runs: vec![manifest.run.clone()],
        paths: over("paths").and_then(|v| v.parse().ok()),
        seed: over("seed").and_then(|v| v.parse().ok()),
        solver: over("solver"),
        step: over("step").and_then(|v| v.parse().ok()),
        threads: None,
        precision: over("precision").and_then(|v| Precision::by_name(&v)),
        set: manifest
            .overrides
            .iter()
            .filter_map(|(k, v)| k.strip_prefix("set ").map(|name| format!("{name}={v}")))
            .collect(),
        backend: Backend::by_name(&manifest.backend).unwrap_or_default(),
        out: None,
        lanes: None,
        ..Request::default()
    };
    Ok((folder.join(manifest.file), request))
}
