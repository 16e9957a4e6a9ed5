//! Files of a run: saved paths, and the manifest from which the run can be repeated.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::diagnostics::{Diagnostic, codes};
use crate::kernels::lane::Precision;
use crate::output::manifest::{FORM, Manifest, TimeNote, hash};
use crate::output::paths::{Format, Paths, save};
use crate::session::Request;
use crate::session::compile::Backend;
use crate::session::load::Loaded;
use crate::session::plan::{Plan, Statement};
use crate::session::results::Ran;
use crate::source::Span;

/// Writes what a run saves below `folder`, with a manifest beside it. Adds the names of the files to the variants.
pub fn write(ran: &mut Ran, folder: &Path, loaded: &Loaded, request: &Request) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut written = Vec::new();
    let span = ran.saved.first().map_or(Span::default(), |s| s.span);
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
    if !written.is_empty() {
        let path = folder.join(format!("{}.manifest.json", ran.name));
        if let Err(e) = std::fs::write(&path, manifest(ran, folder, loaded, request, written).to_json()) {
            problems.push(unwritable(&path, &e, span));
        }
    }
    problems
}

/// Whether the files of a run can be written, before its paths are run: the folder is there or can be made, and a file
/// that is there can be opened. Of several files the first is told.
pub fn can_write(plan: &Plan, folder: &Path) -> Vec<Diagnostic> {
    let saves = plan.statements.iter().filter_map(|s| match s {
        Statement::Save(save) => Some(save),
        _ => None,
    });
    for save in saves {
        if let Err(e) = try_to_open(&folder.join(&save.path)) {
            return vec![unwritable(&folder.join(&save.path), &e, save.span)];
        }
    }
    Vec::new()
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
    Diagnostic::error(codes::CANNOT_WRITE, format!("cannot write `{}`: {e}", path.display()), span, "saved by this run")
        .help("choose another folder with `--out DIR`")
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

fn manifest(ran: &Ran, folder: &Path, loaded: &Loaded, request: &Request, results: Vec<String>) -> Manifest {
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
    };
    Ok((folder.join(manifest.file), request))
}
