//! What a run gathers for a plot, as data: figures are made of it when all variants are done.

use std::collections::HashMap;
use std::sync::Arc;

use crate::math::eval::Env;
use crate::model::elab::{Elab, Try};
use crate::output::result::Values;
use crate::plot::contour;
use crate::runtime::{Recorded, StatResult};
use crate::session::compile::Grid;
use crate::session::conclude::pool_words;
use crate::session::plan::plots::{Facts, Plot};

/// One plot of one variant.
#[derive(Clone, Debug)]
pub struct Gathered {
    pub facts: Arc<Facts>,
    pub variant: usize,
    /// paths of the run
    pub paths: u64,
    /// times that it looked at
    pub times: Vec<f64>,
    /// what was pooled, in words
    pub pooled: Option<String>,
    /// of each statistic its results, one a look or one in all
    pub results: Vec<Vec<StatResult>>,
    pub record: Recorded,
    /// of a formula, one a look
    pub values: Vec<Values>,
    pub backdrop: Option<Backdrop>,
}

/// What a plot is held against, worked out.
#[derive(Clone, Debug)]
pub enum Backdrop {
    Curve { name: String, points: Vec<(f64, f64)> },
    Plane { name: String, density: contour::Grid },
}

/// Paths that a plot keeps, with the times at which they were looked at.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub times: Vec<f64>,
    pub recorded: Recorded,
}

impl Gathered {
    /// A plot of a whole run, which needs nothing of its own.
    pub(crate) fn of_run(plot: &Plot, paths: u64) -> Gathered {
        Gathered {
            facts: plot.facts.clone(),
            variant: 0,
            paths,
            times: Vec::new(),
            pooled: pool_words(&plot.pool),
            results: Vec::new(),
            record: Recorded::default(),
            values: Vec::new(),
            backdrop: None,
        }
    }
}

impl Elab<'_> {
    /// What was found for a plot.
    pub(crate) fn gathered(
        &mut self,
        plot: &Plot,
        found: &HashMap<usize, Vec<StatResult>>,
        kept: Option<Kept>,
        grid: &Grid,
        env: &Env,
    ) -> Try<Gathered> {
        let mut gathered = Gathered::of_run(plot, 0);
        let Kept { times, recorded } = kept.unwrap_or_default();
        gathered.times = times;
        gathered.record = recorded;
        gathered.results = plot.asked.iter().map(|k| found.get(k).cloned().unwrap_or_default()).collect();
        if !plot.asked.is_empty() {
            let looks = self.looks(&plot.pool, grid, env)?;
            gathered.times = looks.iter().map(|k| grid.times[*k as usize]).collect();
        }
        Ok(gathered)
    }
}
