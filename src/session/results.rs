//! What a run gives besides its numbers: recorded paths for files, notes, and what a manifest has to say.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::kernels::lane::Precision;
use crate::output::result::RunResult;
use crate::runtime::Recorded;
use crate::session::figures::gather::Gathered;
use crate::session::keep::Kept;

/// A run with all its variants, in order.
#[derive(Clone, Debug, Default)]
pub struct Ran {
    pub name: String,
    pub variants: Vec<RunResult>,
    pub saved: Vec<Saved>,
    /// what was gathered for plots: see `session::figures`
    pub plots: Vec<Gathered>,
    pub notes: Vec<String>,
    /// for questions that come later, where the request says so: one for each variant
    pub kept: Vec<Kept>,
    /// start, end and number of steps
    pub time: (f64, f64, u64),
    pub planned_paths: u64,
    pub precision: Precision,
    pub finished: u64,
    /// files of data that were read, with their hashes
    pub data: BTreeMap<PathBuf, String>,
    /// settings of the run in the words of the program
    pub settings: BTreeMap<String, String>,
    /// parameters that no argument fixed and no sweep sets, with their values
    pub parameters: Vec<(String, String)>,
}

/// Recorded paths of one variant that go to a file.
#[derive(Clone, Debug)]
pub struct Saved {
    /// index of the variant
    pub variant: usize,
    pub path: String,
    /// of the statement
    pub span: crate::source::Span,
    pub columns: Vec<String>,
    pub times: Vec<f64>,
    pub recorded: Recorded,
}

impl Ran {
    pub fn failed_checks(&self) -> usize {
        self.variants.iter().flat_map(|v| &v.checks).filter(|c| !c.passed).count()
    }

    pub fn checks(&self) -> usize {
        self.variants.iter().map(|v| v.checks.len()).sum()
    }

    /// Every path of some variant diverged.
    pub fn lost(&self) -> bool {
        self.variants.iter().any(|v| v.paths > 0 && v.diverged >= v.paths)
    }
}
