//! Statistics over paths: what can be asked (`model::statistics`), how it is gathered while paths run, and what is made of it.

pub mod chains;
mod fft;
pub mod finish;
pub mod histogram;
pub mod jackknife;
pub mod lanes;
pub mod moments;
pub mod normal;
pub mod sketch;
mod taped;
pub use crate::model::statistics as table;

pub use table::{Arity, Row, StatKind, TABLE};

/// A statistic of some outs of an observer.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub stat: StatKind,
    /// indices of the outs of the observer's program that it is of: none, one or two
    pub args: Vec<usize>,
    /// all looks together (`over t in ...`), or one result for each look (`at ...`)
    pub pool_times: bool,
    /// axes of the outs that are pooled (`over i in ...`), increasing
    pub pool_axes: Vec<usize>,
    /// also without each group of paths, for the errors of formulas of several statistics
    pub replicates: bool,
}

impl Request {
    /// A statistic of one out, for each look by itself.
    pub fn of(stat: StatKind, out: usize) -> Request {
        Request { stat, args: vec![out], pool_times: false, pool_axes: Vec::new(), replicates: false }
    }

    /// The same with all looks pooled.
    pub fn pooled(mut self) -> Request {
        self.pool_times = true;
        self
    }
}

/// A statistic with its standard error, element by element.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatResult {
    /// that of the expression without pooled axes; quantiles at a list, and histograms, have one more axis at the end
    pub shape: Vec<usize>,
    /// row-major
    pub values: Vec<f64>,
    /// standard errors; NaN where there is none (too few paths)
    pub se: Vec<f64>,
    /// number of values that went into an element (the largest of all elements)
    pub n: u64,
    /// what a reader should know: values left out, draws thinned, resolution of a sketch
    pub notes: Vec<String>,
    /// histograms: the edges of the bins of each element, one more than there are bins
    pub edges: Vec<Vec<f64>>,
    /// the statistic without each group of paths; empty where that was not asked for, or is not known
    pub without: Vec<Replicate>,
}

/// A statistic of all paths but those of one group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replicate {
    /// number of values in the group (the largest of all elements)
    pub weight: f64,
    /// as those of the whole
    pub values: Vec<f64>,
}
