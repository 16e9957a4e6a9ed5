//! Runs at the prompt, and what is asked of them when they are over.

use std::collections::HashSet;

use crate::diagnostics::Diagnostic;
use crate::output::bar::Bar;
use crate::output::number::{count, plain};
use crate::output::table;
use crate::repl::declarations::Added;
use crate::repl::{Repl, STOP};
use crate::session::evaluate::Earlier;
use crate::session::figures::in_terminal;
use crate::session::files::Look;
use crate::session::keep::Kept;
use crate::session::results::Ran;
use crate::session::{Request, about, files, run_program};
use crate::syntax::ast::{Expr, ExprKind};
use crate::syntax::print_expr;

/// Rows of whole paths that are shown, and paths.
const SHOWN_TIMES: usize = 11;
const SHOWN_PATHS: usize = 4;

/// A run that is over.
#[derive(Debug)]
pub struct Outcome {
    pub name: String,
    pub ran: Ran,
    /// the texts that name its variants: `r`, or `r[0]`, `r[1]`, ...
    pub keys: Vec<String>,
    /// declarations that it was made from
    pub uses: HashSet<(u16, u32)>,
    /// one of them has been replaced
    pub stale: bool,
}

/// What `:set` has set, for all runs.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub request: Request,
    /// parameters: name and value
    pub parameters: Vec<(String, String)>,
}

impl Repl {
    /// The results that expressions can name.
    pub(super) fn earlier(&self) -> Vec<Earlier<'_>> {
        let kept = self.outcomes.iter().flat_map(|o| o.keys.iter().zip(&o.ran.kept));
        kept.map(|(name, kept)| Earlier { name, kept }).collect()
    }

    /// Tells of new declarations, and runs the runs among them where they were typed.
    pub(super) fn added(&mut self, added: Added, run: bool) {
        self.tell(&added.problems);
        self.parameters.take();
        let mut stale = Vec::new();
        for outcome in &mut self.outcomes {
            if added.replaced.iter().any(|key| outcome.uses.contains(key)) && !added.runs.contains(&outcome.name) {
                outcome.stale = true;
                stale.push(outcome.name.clone());
            }
        }
        if !stale.is_empty() {
            let (verb, it) = if stale.len() == 1 { ("was", "it") } else { ("were", "them") };
            self.note(&format!("{} {verb} run before this change; `:run` runs {it} again", stale.join(", ")));
        }
        if run {
            added.runs.iter().for_each(|name| self.run(name));
        }
    }

    /// Runs a run and keeps what it found.
    pub(super) fn run(&mut self, name: &str) {
        let mut program = self.declarations.program();
        let uses = about::uses(&program, name);
        let entry = program.library.runs().find(|(_, r)| r.name.name == name).map(|(d, _)| (d.file, d.key()));
        let Some((file, key)) = entry else {
            let problems = self.declarations.problems_of(name);
            return self.tell(&problems);
        };
        program.main = file;
        let request = self.request(name, &uses.parameters);
        let bar = Bar::watch(self.interactive, &STOP);
        let look = Look { no_files: true, ..Look::default() };
        let request = Request { progress: Some(bar.progress()), ..request };
        let mut over: Option<Ran> = None;
        let mut problems = Vec::new();
        let folder = std::path::PathBuf::from(".");
        let finished = run_program(&program, &request, &STOP, &mut |ran| {
            problems.extend(files::write(ran, &folder, &program, &request, look));
            over = Some(ran.clone());
        });
        bar.finish();
        // Warnings were told when the run was declared.
        problems.extend(finished.problems.into_iter().filter(Diagnostic::is_error));
        self.tell(&problems);
        let Some(ran) = over else { return };
        let keys = match ran.kept.len() {
            1 => vec![name.to_string()],
            n => (0..n).map(|k| format!("{name}[{k}]")).collect(),
        };
        let declarations = uses.declarations.into_iter().chain([key]).collect();
        let outcome = Outcome { name: name.into(), ran, keys, uses: declarations, stale: false };
        self.say(&self.table(&outcome));
        match self.outcomes.iter_mut().find(|o| o.name == name) {
            Some(old) => *old = outcome,
            None => self.outcomes.push(outcome),
        }
    }

    fn request(&self, name: &str, parameters: &[String]) -> Request {
        // What a run does not have is meant for others.
        let own = self.settings.parameters.iter().filter(|(n, _)| parameters.contains(n));
        Request {
            runs: vec![name.to_string()],
            keep: true,
            plots: true,
            set: own.map(|(n, v)| format!("{n}={v}")).collect(),
            ..self.settings.request.clone()
        }
    }

    /// The statistics and checks of a run, as `fokker run` shows them.
    fn table(&self, outcome: &Outcome) -> String {
        let mut text: String = outcome.ran.variants.iter().map(|v| table::run(v, self.style)).collect();
        text += &in_terminal(&outcome.ran, self.style.is_coloured());
        for note in &outcome.ran.notes {
            text += &format!("  {}\n", self.style.faint(&format!("note: {note}")));
        }
        if let (Some(key), Some(kept)) = (outcome.keys.first(), outcome.ran.kept.first()) {
            let others = match outcome.keys.last() {
                Some(last) if last != key => format!("; so up to {last}"),
                _ => String::new(),
            };
            let words = kept_words(key, kept, outcome.ran.finished) + &others;
            text += &format!("  {}\n", self.style.faint(&words));
        }
        if outcome.stale {
            text += &format!("  {}\n", self.style.warning("from before a change of what it uses"));
        }
        text
    }

    /// `r`, `r.reports` and `r.paths`: what a run found, shown again.
    pub(super) fn show_result(&self, e: &Expr) -> bool {
        let (object, field) = match &e.kind {
            ExprKind::Field(object, field) => (&**object, field.name.as_str()),
            _ => (e, "reports"),
        };
        let name = print_expr::expr(object);
        let Some(outcome) = self.outcomes.iter().find(|o| o.name == name || o.keys.contains(&name)) else {
            return false;
        };
        match field {
            "reports" => self.say(&self.table(outcome)),
            "paths" => {
                for (key, kept) in
                    outcome.keys.iter().zip(&outcome.ran.kept).filter(|(k, _)| outcome.name == name || **k == name)
                {
                    self.say(&paths(key, kept));
                }
            }
            _ => return false,
        }
        true
    }
}

/// What was kept, in words.
fn kept_words(key: &str, kept: &Kept, finished: u64) -> String {
    let names: Vec<String> = kept
        .names
        .iter()
        .map(|n| &n.0)
        .chain(kept.numbers.iter().map(|n| &n.0))
        .map(|n| format!("{key}.{n}"))
        .collect();
    if names.is_empty() {
        return format!("{key} kept no paths");
    }
    let paths = kept.last.paths.len() as u64;
    let of =
        if paths < finished { format!("the ends of {} paths", count(paths)) } else { "the ends of all paths".into() };
    let whole = match kept.whole.paths.len() {
        n if n == 0 || kept.times.len() < 2 => String::new(),
        n => format!(", and {n} whole paths in {key}.paths"),
    };
    format!("kept {}: {of}{whole}", names.join(", "))
}

/// A few whole paths as a table.
fn paths(key: &str, kept: &Kept) -> String {
    let columns = kept.columns();
    let (looks, rows) = (kept.times.len(), kept.whole.rows);
    if kept.whole.paths.is_empty() || looks < 2 {
        return format!("{key} kept no whole paths\n");
    }
    let stride = looks.div_ceil(SHOWN_TIMES - 1).max(1);
    let mut times: Vec<usize> = (0..looks).step_by(stride).collect();
    if times.last() != Some(&(looks - 1)) {
        times.push(looks - 1);
    }
    let mut text = String::new();
    for (row, column) in columns.iter().enumerate().take(SHOWN_PATHS) {
        let shown = kept.whole.paths.len().min(SHOWN_PATHS);
        let mut lines: Vec<[String; SHOWN_PATHS + 1]> = vec![Default::default()];
        lines[0][0] = "t".into();
        for k in 0..shown {
            lines[0][k + 1] = format!("{column} of path {}", kept.whole.paths[k]);
        }
        for look in &times {
            let mut line: [String; SHOWN_PATHS + 1] = Default::default();
            line[0] = plain(kept.times[*look]);
            for k in 0..shown {
                line[k + 1] = plain(kept.whole.values[(k * looks + look) * rows + row]);
            }
            lines.push(line);
        }
        text += &table::aligned(&lines);
    }
    let more = columns.len().saturating_sub(SHOWN_PATHS);
    if more > 0 {
        text += &format!("... and {more} more columns\n");
    }
    text
}
