//! What `:set` sets for all runs: settings that every run has, from one table, and parameters.

use crate::kernels::lane::Precision;
use crate::output::number::whole;
use crate::repl::commands::Line;
use crate::repl::{Next, Repl};
use crate::session::Request;
use crate::session::compile::Backend;

/// What holds for all runs.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub request: Request,
    /// parameters: name and value
    pub parameters: Vec<(String, String)>,
}

/// A setting that overrides that of the runs.
struct Row {
    name: &'static str,
    /// what it takes, in words
    takes: &'static str,
    /// gives it a value; nothing where it does not take this one
    put: fn(&mut Request, &str) -> Option<()>,
    get: fn(&Request) -> Option<String>,
    clear: fn(&mut Request),
}

const TABLE: &[Row] = &[
    Row {
        name: "paths",
        takes: "a whole number of at least 1",
        put: |r, v| put(&mut r.paths, whole(v).filter(|n| *n > 0).map(Some)),
        get: |r| Some(r.paths?.to_string()),
        clear: |r| r.paths = None,
    },
    Row {
        name: "seed",
        takes: "a whole number that is not negative",
        put: |r, v| put(&mut r.seed, whole(v).map(Some)),
        get: |r| Some(r.seed?.to_string()),
        clear: |r| r.seed = None,
    },
    Row {
        name: "step",
        takes: "a positive length of time",
        put: |r, v| put(&mut r.step, number(v).filter(|h| *h > 0.0 && h.is_finite()).map(Some)),
        get: |r| Some(r.step?.to_string()),
        clear: |r| r.step = None,
    },
    Row {
        name: "solver",
        takes: "the name of a solver",
        put: |r, v| put(&mut r.solver, Some(v.to_string()).filter(|v| !v.is_empty()).map(Some)),
        get: |r| r.solver.clone(),
        clear: |r| r.solver = None,
    },
    Row {
        name: "threads",
        takes: "a whole number of at least 1",
        put: |r, v| put(&mut r.threads, v.parse().ok().filter(|n| *n > 0).map(Some)),
        get: |r| Some(r.threads?.to_string()),
        clear: |r| r.threads = None,
    },
    Row {
        name: "precision",
        takes: "`f32` or `f64`",
        put: |r, v| put(&mut r.precision, Precision::by_name(v).map(Some)),
        get: |r| Some(r.precision?.name().to_string()),
        clear: |r| r.precision = None,
    },
    Row {
        name: "backend",
        takes: "`auto`, `avx2`, `cranelift` or `interpreter`",
        put: |r, v| put(&mut r.backend, Backend::by_name(v)),
        get: |r| (r.backend != Backend::Auto).then(|| r.backend.name().to_string()),
        clear: |r| r.backend = Backend::Auto,
    },
];

fn put<T>(place: &mut T, value: Option<T>) -> Option<()> {
    *place = value?;
    Some(())
}

fn number(text: &str) -> Option<f64> {
    text.replace('_', "").parse().ok()
}

/// The names of the settings that every run has.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|row| row.name)
}

impl Settings {
    /// Gives a setting or a parameter a value; the error says what it takes.
    fn put(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        if let Some(row) = TABLE.iter().find(|row| row.name == name) {
            return (row.put)(&mut self.request, value).ok_or(row.takes);
        }
        number(value).ok_or("a number")?;
        self.parameters.retain(|(n, _)| n != name);
        self.parameters.push((name.to_string(), value.to_string()));
        Ok(())
    }

    fn clear(&mut self, name: &str) {
        match TABLE.iter().find(|row| row.name == name) {
            Some(row) => (row.clear)(&mut self.request),
            None => self.parameters.retain(|(n, _)| n != name),
        }
    }

    /// What is set, as commands that set it.
    pub fn words(&self) -> Vec<String> {
        let own = TABLE.iter().filter_map(|row| Some((row.name, (row.get)(&self.request)?)));
        let parameters = self.parameters.iter().map(|(name, value)| (name.as_str(), value.clone()));
        own.chain(parameters).map(|(name, value)| format!(":set {name} = {value}")).collect()
    }
}

impl Repl {
    /// `:set NAME = VALUE`; without an argument, what is set.
    pub(super) fn set(&mut self, line: &Line) -> Next {
        let text = line.arg().to_string();
        if text.is_empty() {
            match self.settings.words() {
                none if none.is_empty() => self.note("nothing is set: runs have their own settings"),
                words => words.iter().for_each(|w| self.say(&format!("{w}\n"))),
            }
            return Next::Go;
        }
        let Some((name, value)) = text.split_once('=').map(|(n, v)| (n.trim(), v.trim())) else {
            return self.wrong(line, "there is no `=` in it", "write `:set NAME = VALUE`, as in `:set paths = 10_000`");
        };
        if let Err(wanted) = self.settings.put(name, value) {
            return self.wrong(line, format!("`{name}` takes {wanted}, and this is `{value}`"), "");
        }
        if !names().any(|n| n == name) && !self.parameters().iter().any(|p| p == name) {
            self.note(&format!("no run of the session has a parameter `{name}` so far"));
        }
        Next::Go
    }

    /// `:unset NAME`
    pub(super) fn unset(&mut self, line: &Line) -> Next {
        let name = line.arg();
        let before = self.settings.words();
        self.settings.clear(name);
        if before != self.settings.words() {
            return Next::Go;
        }
        let message = if name.is_empty() { "no setting is named".into() } else { format!("`{name}` is not set") };
        self.wrong(line, message, "`:set` lists what is")
    }
}
