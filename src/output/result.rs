//! What is told of a run, in whichever form: plain data for tables and JSON.

use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};

use crate::kernels::lane::Precision;
use crate::runtime::StatResult;
use crate::runtime::adaptive::Attempts;
use crate::runtime::enumerate::{Enumerated, LocalError};
use crate::runtime::orders::Converged;
use crate::runtime::statistics::chains::Estimate;

/// Everything that one command did: the object that `--json` prints.
#[derive(Clone, Debug, Serialize)]
pub struct Results {
    /// version
    pub fokker: String,
    pub file: String,
    pub runs: Vec<RunResult>,
    /// the page that was written
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
}

/// One variant of a run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RunResult {
    pub name: String,
    pub model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub solver: Option<String>,
    /// paths in the results
    pub paths: u64,
    pub steps: u64,
    pub seed: u64,
    /// of states and steps; told where it is single
    #[serde(skip_serializing_if = "is_double", serialize_with = "by_name")]
    pub precision: Precision,
    pub seconds: f64,
    pub compile_seconds: f64,
    pub path_steps_per_second: f64,
    pub diverged: u64,
    /// the steps that paths chose
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adaptive: Option<AdaptiveResult>,
    /// time at which the first path was not finite
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_divergence: Option<f64>,
    /// the run was stopped before all its paths were done
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// parameters that the sweep set, in its order
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_map")]
    pub sweep: Vec<(String, f64)>,
    pub reports: Vec<Report>,
    pub checks: Vec<Check>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub converge: Option<Convergence>,
    /// files that were written
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub saved: Vec<String>,
    /// plots that were drawn
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub plots: Vec<PlotFile>,
}

impl RunResult {
    /// Whether its paths move in time, and are not drawn at once.
    pub fn has_time(&self) -> bool {
        self.steps > 0 || self.adaptive.is_some()
    }
}

/// The file of a plot; of an animation, its first frame and their number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlotFile {
    /// as it is written
    pub plot: String,
    pub file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frames: Option<usize>,
}

/// The steps of a run whose paths chose them.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct AdaptiveResult {
    pub tol: f64,
    /// means over the paths
    pub accepted: f64,
    pub rejected: f64,
    /// paths that diverged because no step met the tolerance
    #[serde(skip_serializing_if = "is_zero")]
    pub stuck: u64,
}

impl AdaptiveResult {
    pub fn new(attempts: &Attempts, paths: u64, tol: f64) -> AdaptiveResult {
        let mean = |n: u64| n as f64 / paths.max(1) as f64;
        AdaptiveResult {
            tol,
            accepted: mean(attempts.accepted),
            rejected: mean(attempts.rejected),
            stuck: attempts.stuck,
        }
    }
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

fn is_double(precision: &Precision) -> bool {
    *precision == Precision::Double
}

fn by_name<S: Serializer>(precision: &Precision, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(precision.name())
}

/// When a statement looked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum When {
    /// at one time
    #[serde(rename = "at")]
    At(f64),
    /// pooled, in the words of the program: `t in [2, 10] every 0.01`
    #[serde(rename = "over")]
    Over(String),
}

/// A reported statistic (or expression of statistics) with its standard error.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub expr: String,
    #[serde(flatten)]
    pub when: When,
    #[serde(flatten)]
    pub value: Values,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Values and their errors in the shape of an array: `value` and `se` of the JSON object, with nested lists.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
    /// empty for a number without statistics, which has no error
    pub se: Vec<f64>,
    /// of the bins of histograms
    pub edges: Vec<Vec<f64>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Check {
    pub expr: String,
    pub passed: bool,
    /// the sides of a comparison
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe_number")]
    pub left: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe_number")]
    pub right: Option<f64>,
    /// the time it was asked at
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<f64>,
    /// more to say, such as where an invariance fails
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// of one that does not hold
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
}

/// Measured orders of convergence.
#[derive(Clone, Debug, Serialize)]
pub struct Convergence {
    pub strong_order: Pair,
    pub rms_order: Pair,
    pub weak_order: Pair,
    pub levels: Vec<ConvergenceLevel>,
    /// numbers of steps left out of the fit of the weak order, their errors being below their noise
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub too_noisy: Vec<u64>,
    /// numbers of steps whose errors are rounding, left out of all fits
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rounding: Vec<u64>,
    /// the steps follow no path: there are no strong errors
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pathless: bool,
    /// what the solver's declaration states for this model's noise
    pub stated: Orders,
    /// where the draws of a step take few values: its weak errors without sampling, in the place of levels
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enumerated: Option<Enumeration>,
}

#[derive(Copy, Clone, Debug, Default, PartialEq, Serialize)]
pub struct Orders {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strong: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weak: Option<f64>,
}

/// Weak errors of steps from all their outcomes.
#[derive(Clone, Debug, Serialize)]
pub struct Enumeration {
    /// combinations of the values of the draws of a step
    pub ways: usize,
    /// states that the steps began from
    pub starts: usize,
    /// of the moments whose error falls most slowly, and the highest that was compared
    pub degrees: [usize; 2],
    pub levels: Vec<EnumerationLevel>,
}

#[derive(Copy, Clone, Debug, Serialize)]
pub struct EnumerationLevel {
    pub h: f64,
    /// the number of steps of the whole time, times the difference of the moments of the increment between one step and
    /// two halves; in units of the increment of the longest step
    pub error: f64,
    /// the slope from the level before
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<f64>,
    /// the difference is no more than rounding
    pub rounding: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct ConvergenceLevel {
    pub steps: u64,
    pub h: f64,
    pub strong: Pair,
    pub rms: Pair,
    /// for each state row: of its mean, and of its mean square
    pub weak: Vec<[Pair; 2]>,
    pub diverged: u64,
    /// seconds that the steps of a path took, on one thread, without the noise: what the error is bought with
    #[serde(serialize_with = "number")]
    pub cost: f64,
}

impl Convergence {
    /// Whether the weak order is not one that is fitted to the errors of several means.
    pub fn weak_is_of_one(&self) -> bool {
        self.enumerated.is_some() || self.weak_order.value.is_nan() || self.weak_order == self.strong_order
    }
}

impl ConvergenceLevel {
    /// The largest error of a mean, over the components of the state.
    pub fn weak_of_mean(&self) -> Option<Pair> {
        self.weak.iter().map(|row| row[0]).max_by(|a, b| a.value.abs().total_cmp(&b.value.abs()))
    }
}

/// A number with its standard error.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    #[serde(serialize_with = "number")]
    pub value: f64,
    #[serde(serialize_with = "number")]
    pub se: f64,
}

impl From<Estimate> for Pair {
    fn from(e: Estimate) -> Pair {
        Pair { value: e.value, se: e.se }
    }
}

impl From<&Converged> for Convergence {
    fn from(c: &Converged) -> Convergence {
        let levels = c.levels.iter().map(|l| ConvergenceLevel {
            steps: l.steps,
            h: l.h,
            strong: l.strong.into(),
            rms: l.rms.into(),
            weak: l.weak.iter().map(|row| row.map(Pair::from)).collect(),
            diverged: l.diverged,
            cost: f64::NAN,
        });
        Convergence {
            strong_order: c.strong_order.into(),
            rms_order: c.rms_order.into(),
            weak_order: c.weak_order.into(),
            levels: levels.collect(),
            too_noisy: c.too_noisy.clone(),
            rounding: c.rounding.clone(),
            pathless: c.pathless,
            stated: Orders::default(),
            enumerated: None,
        }
    }
}

impl From<&Enumerated> for Convergence {
    fn from(e: &Enumerated) -> Convergence {
        let none = Pair { value: f64::NAN, se: f64::NAN };
        let level = |(k, l): (usize, &LocalError)| {
            let before = k.checked_sub(1).map(|k| &e.levels[k]).filter(|_| !l.rounding);
            let order = before.map(|b| (b.error / l.error).ln() / (b.h / l.h).ln());
            EnumerationLevel { h: l.h, error: l.error, order, rounding: l.rounding }
        };
        let levels = e.levels.iter().enumerate().map(level).collect();
        Convergence {
            strong_order: none,
            rms_order: none,
            weak_order: e.order.into(),
            levels: Vec::new(),
            too_noisy: Vec::new(),
            rounding: Vec::new(),
            pathless: true,
            stated: Orders::default(),
            enumerated: Some(Enumeration { ways: e.ways, starts: e.starts, degrees: e.degrees, levels }),
        }
    }
}

impl Values {
    pub fn scalar(value: f64, se: f64) -> Values {
        Values { shape: vec![], values: vec![value], se: vec![se], edges: vec![] }
    }
}

impl From<&StatResult> for Values {
    fn from(r: &StatResult) -> Values {
        Values { shape: r.shape.clone(), values: r.values.clone(), se: r.se.clone(), edges: r.edges.clone() }
    }
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = s.serialize_map(None)?;
        map.serialize_entry("value", &Nested { shape: &self.shape, values: &self.values })?;
        let exact = vec![0.0; if self.se.is_empty() { self.values.len() } else { 0 }];
        let se = if self.se.is_empty() { &exact } else { &self.se };
        map.serialize_entry("se", &Nested { shape: &self.shape, values: se })?;
        if !self.edges.is_empty() {
            map.serialize_entry("edges", &self.edges)?;
        }
        map.end()
    }
}

/// An array as nested lists.
struct Nested<'a> {
    shape: &'a [usize],
    values: &'a [f64],
}

impl Serialize for Nested<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let Some((first, rest)) = self.shape.split_first() else {
            return number(&self.values.first().copied().unwrap_or(f64::NAN), s);
        };
        let each = rest.iter().product::<usize>();
        let mut list = s.serialize_seq(Some(*first))?;
        for k in 0..*first {
            list.serialize_element(&Nested { shape: rest, values: &self.values[k * each..(k + 1) * each] })?;
        }
        list.end()
    }
}

/// JSON has no NaN and no infinity: both are written as null, so that what is a number is one everywhere.
fn number<S: Serializer>(x: &f64, s: S) -> Result<S::Ok, S::Error> {
    if x.is_finite() { s.serialize_f64(*x) } else { s.serialize_none() }
}

fn maybe_number<S: Serializer>(x: &Option<f64>, s: S) -> Result<S::Ok, S::Error> {
    number(&x.unwrap_or(f64::NAN), s)
}

fn as_map<S: Serializer>(pairs: &[(String, f64)], s: S) -> Result<S::Ok, S::Error> {
    s.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}
