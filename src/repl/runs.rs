//! Runs at the prompt, and what is asked of them when they are over.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use crate::diagnostics::Diagnostic;
use crate::output::bar::Bar;
use crate::output::number::count;
use crate::output::table;
use crate::repl::declarations::Added;
use crate::repl::{Ending, Repl, STOP, paths};
use crate::session::evaluate::Earlier;
use crate::session::figures::gather::Gathered;
use crate::session::figures::in_terminal;
use crate::session::files::Look;
use crate::session::keep::Kept;
use crate::session::results::Ran;
use crate::session::{Request, about, files, run_program};
use crate::syntax::ast::{Expr, ExprKind};
use crate::syntax::print_expr;

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

impl Repl {
    /// The results that expressions can name.
    pub(super) fn earlier(&self) -> Vec<Earlier<'_>> {
        let kept = self.outcomes.iter().flat_map(|o| o.keys.iter().zip(&o.ran.kept));
        let named = (!self.named.numbers.is_empty()).then_some(Earlier { name: "", kept: &self.named });
        kept.map(|(name, kept)| Earlier { name, kept }).chain(named).collect()
    }

    /// Tells of new declarations, and runs the runs among them where they were typed.
    pub(super) fn added(&mut self, added: Added, run: bool) {
        self.tell(&added.problems);
        self.parameters.take();
        self.named.numbers.retain(|(name, _)| !added.names.iter().any(|words| words.ends_with(&format!(" {name}"))));
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
        let Some(ran) = over else {
            if STOP.load(Ordering::Relaxed) {
                self.note(&format!("{name} was interrupted before any path was finished"));
            }
            return;
        };
        if ran.lost() {
            self.went(Ending::RunFailed);
        } else if ran.failed_checks() > 0 {
            self.went(Ending::CheckFailed);
        }
        let keys = match ran.kept.len() {
            1 => vec![name.to_string()],
            n => (0..n).map(|k| format!("{name}[{k}]")).collect(),
        };
        let declarations = uses.declarations.into_iter().chain([key]).collect();
        let outcome = Outcome { name: name.into(), ran, keys, uses: declarations, stale: false };
        self.say(&self.table(&outcome, None));
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

    /// The statistics and checks of a run, as `fokker run` shows them: of all its variants, or of one.
    fn table(&self, outcome: &Outcome, variant: Option<usize>) -> String {
        let ran = &outcome.ran;
        let shown = |k: usize| variant.is_none_or(|v| v == k);
        let variants = ran.variants.iter().enumerate().filter(|(k, _)| shown(*k));
        let mut text: String = variants.map(|(_, v)| table::run(v, self.style)).collect();
        text += &match variant {
            None => in_terminal(ran, self.style.is_coloured()),
            Some(k) => in_terminal(&plots_of(ran, k), self.style.is_coloured()),
        };
        for note in &ran.notes {
            text += &format!("  {}\n", self.style.faint(&format!("note: {note}")));
        }
        let first = variant.unwrap_or(0);
        if let (Some(key), Some(kept)) = (outcome.keys.get(first), ran.kept.get(first)) {
            let others = match outcome.keys.last() {
                Some(last) if last != key && variant.is_none() => format!("; so up to {last}"),
                _ => String::new(),
            };
            let words = kept_words(key, kept, ran.finished) + &others;
            text += &format!("  {}\n", self.style.faint(&words));
        }
        if outcome.stale {
            text += &format!("  {}\n", self.style.warning("from before a change of what it uses"));
        }
        text
    }

    /// A run with results by its name, or one of its variants by its key.
    fn outcome(&self, name: &str) -> Option<(&Outcome, Option<usize>)> {
        let whole = self.outcomes.iter().find(|o| o.name == name).map(|o| (o, None));
        let variant = |o: &Outcome| match name.strip_suffix("[0]") {
            // the one variant of a run is its first too
            Some(base) if o.keys.len() == 1 && o.name == base => Some(0),
            _ => o.keys.iter().position(|k| k == name),
        };
        whole.or_else(|| self.outcomes.iter().find_map(|o| Some((o, Some(variant(o)?)))))
    }

    /// `r`, `r.reports` and `r.paths`: what a run found, shown again.
    pub(super) fn show_result(&self, e: &Expr) -> bool {
        let (object, field) = match &e.kind {
            ExprKind::Field(object, field) => (&**object, field.name.as_str()),
            _ => (e, "reports"),
        };
        let Some((outcome, variant)) = self.outcome(&print_expr::expr(object)) else { return false };
        match field {
            "reports" => self.say(&self.table(outcome, variant)),
            "paths" => {
                let all = outcome.keys.iter().zip(&outcome.ran.kept).enumerate();
                for (_, (key, kept)) in all.filter(|(k, _)| variant.is_none_or(|v| v == *k)) {
                    self.say(&paths::table(key, kept));
                    paths::left_out(key, kept).into_iter().for_each(|words| self.note(&words));
                }
            }
            _ => return false,
        }
        true
    }
}

/// The plots of one variant alone.
fn plots_of(ran: &Ran, variant: usize) -> Ran {
    let plots = ran.plots.iter().filter(|p| p.variant == variant).cloned();
    let plots = plots.map(|p| Gathered { variant: 0, ..p }).collect();
    Ran {
        name: ran.name.clone(),
        variants: ran.variants.get(variant).cloned().into_iter().collect(),
        plots,
        ..Ran::default()
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
