//! What a run found: plain data for tables, JSON and files.

/// One variant of a run (a solver, a point of a sweep).
#[derive(Clone, Debug, Default)]
pub struct Variant {
    pub solver: Option<String>,
    pub sweep: Vec<(String, f64)>,
    pub paths: u64,
    pub finished: u64,
    pub steps: u64,
    pub seconds: f64,
    pub path_steps: u64,
    pub interrupted: bool,
    pub diverged: u64,
    /// the first time at which a path diverged, and the path
    pub first_divergence: Option<(f64, u64)>,
    pub reports: Vec<Report>,
    pub checks: Vec<Check>,
    pub saved: Vec<Saved>,
}

/// A reported number or array with its standard error.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub text: String,
    /// the time it is at, when it was asked for at times
    pub at: Option<f64>,
    /// what was pooled, in words
    pub over: Option<String>,
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
    /// empty when there is none
    pub se: Vec<f64>,
    pub notes: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Check {
    pub text: String,
    pub at: Option<f64>,
    pub passed: bool,
    pub left: Option<f64>,
    pub right: Option<f64>,
    /// more to say, such as where an invariance fails
    pub note: Option<String>,
}

/// A table of paths that goes to a file.
#[derive(Clone, Debug)]
pub struct Saved {
    pub path: String,
    /// labels of the components, in order
    pub columns: Vec<String>,
    pub times: Vec<f64>,
    pub path_ids: Vec<u64>,
    /// `[path][time][column]`
    pub values: Vec<f64>,
}

/// Measured convergence of one solver.
#[derive(Clone, Debug)]
pub struct Convergence {
    pub solver: String,
    pub strong_order: (f64, f64),
    pub weak_order: (f64, f64),
    /// steps, strong error and its standard error
    pub levels: Vec<(u64, f64, f64)>,
    pub stated: Option<f64>,
}

/// A run with all its variants.
#[derive(Clone, Debug, Default)]
pub struct RunResult {
    pub name: String,
    pub model: String,
    pub seed: u64,
    pub compile_seconds: f64,
    pub variants: Vec<Variant>,
    pub convergence: Vec<Convergence>,
    /// checks on measured orders, which are of all solvers together
    pub checks: Vec<Check>,
    pub notes: Vec<String>,
}

impl RunResult {
    pub fn failed_checks(&self) -> usize {
        self.all_checks().filter(|c| !c.passed).count()
    }

    pub fn all_checks(&self) -> impl Iterator<Item = &Check> {
        self.variants.iter().flat_map(|v| &v.checks).chain(&self.checks)
    }
}
