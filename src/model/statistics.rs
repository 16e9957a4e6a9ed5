//! The table of statistics: one row each.

/// What is asked of some observed values.
#[derive(Clone, Debug, PartialEq)]
pub enum StatKind {
    Mean,
    Var,
    Std,
    /// at probabilities in [0, 1]; `list`: they were given as a list, so the result has an axis for them
    Quantile {
        at: Vec<f64>,
        list: bool,
    },
    /// of a condition, observed as 0 or 1
    Prob,
    Cov,
    Corr,
    Skewness,
    Kurtosis,
    /// with so many bins, or as many as fit the data
    Histogram {
        bins: Option<usize>,
    },
    /// at a lag of so many looks
    Autocorr {
        lag: usize,
    },
    Ess,
    Rhat,
    /// of the acceptances that the solver observes
    Acceptance,
    Divergences,
}

/// What a statistic takes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Arity {
    /// nothing
    None,
    /// one expression
    One,
    /// a condition
    Condition,
    /// an expression and a compile-time argument: probabilities, a lag
    OneAnd(&'static str),
    /// two expressions of one shape
    Two,
}

/// What a statistic keeps while paths run.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// a few numbers an element
    Moments,
    /// counts in bins, up to about a megabyte an element
    Sketch,
    /// the draws themselves, up to `runtime::plan::TAPE_CAP` values
    Draws,
    Nothing,
}

#[derive(Copy, Clone, Debug)]
pub struct Row {
    pub name: &'static str,
    pub arity: Arity,
    pub keeps: Keeps,
    /// what it is, and where its standard error comes from
    pub doc: &'static str,
}

impl Row {
    /// As it is written: `quantile(e, q)`.
    pub fn signature(&self) -> String {
        let args = match self.arity {
            Arity::None => String::new(),
            Arity::One => "e".into(),
            Arity::Condition => "condition".into(),
            Arity::OneAnd(more) => format!("e, {more}"),
            Arity::Two => "e, f".into(),
        };
        format!("{}({args})", self.name)
    }

    /// A call of it.
    pub fn example(&self) -> String {
        let args = match self.arity {
            Arity::None => "",
            Arity::One => "x",
            Arity::Condition => "x > 0",
            Arity::OneAnd("q") => "x, 0.95",
            Arity::OneAnd(_) => "x, 1",
            Arity::Two => "x, y",
        };
        format!("{}({args})", self.name)
    }
}

/// What the statements of a run name besides: numbers that are not gathered from the values of paths.
#[derive(Copy, Clone, Debug)]
pub struct Further {
    pub name: &'static str,
    pub signature: &'static str,
    pub doc: &'static str,
}

const fn further(name: &'static str, signature: &'static str, doc: &'static str) -> Further {
    Further { name, signature, doc }
}

/// All of these.
pub const FURTHER: &[Further] = &[
    further(
        "se",
        "se(s)",
        "The standard error of a statistic, or of a formula of statistics (by the jackknife over groups of paths).",
    ),
    further(
        "strong_order",
        "strong_order(s: solver)",
        "The strong order of convergence that a run with `converge` measures.",
    ),
    further(
        "weak_order",
        "weak_order(s: solver)",
        "The weak order of convergence that a run with `converge` measures.",
    ),
    further(
        "invariant",
        "invariant(m: model, p: target)",
        "Whether the density of the target is stationary under the model: a condition of `check`, derived symbolically.",
    ),
];

const fn row(name: &'static str, arity: Arity, keeps: Keeps, doc: &'static str) -> Row {
    Row { name, arity, keeps, doc }
}

/// All statistics, by the names of the language.
pub const TABLE: &[Row] = &[
    row(
        "mean",
        Arity::One,
        Keeps::Moments,
        "The mean. Standard error: the standard deviation over paths by the root of their number; with pooled values, \
         that of the paths' own averages, so correlation within a path is accounted for.",
    ),
    row(
        "var",
        Arity::One,
        Keeps::Moments,
        "The unbiased variance. Standard error from the fourth moment; with pooled values by the jackknife over groups \
         of paths.",
    ),
    row(
        "std",
        Arity::One,
        Keeps::Moments,
        "The standard deviation, the root of `var`. Standard error that of `var` by twice the value.",
    ),
    row(
        "quantile",
        Arity::OneAnd("q"),
        Keeps::Sketch,
        "The quantile at a probability, or at each of a list. Exact for up to 32768 distinct values, then from bins \
         about 2^-11 of the value wide on either side. Standard error from the spread of the quantiles around it; none with fewer than \
         5 values beyond.",
    ),
    row(
        "prob",
        Arity::Condition,
        Keeps::Moments,
        "The fraction of paths for which a condition holds. Standard error as for `mean`.",
    ),
    row("cov", Arity::Two, Keeps::Moments, "The unbiased covariance. Standard error by the jackknife over groups."),
    row("corr", Arity::Two, Keeps::Moments, "The correlation. Standard error by the jackknife over groups of paths."),
    row(
        "skewness",
        Arity::One,
        Keeps::Moments,
        "The third central moment by the 3/2 power of the second. Standard error by the jackknife over groups.",
    ),
    row(
        "kurtosis",
        Arity::One,
        Keeps::Moments,
        "The fourth central moment by the square of the second: plain, 3 for a normal. Standard error by the jackknife \
         over groups.",
    ),
    row(
        "histogram",
        Arity::One,
        Keeps::Sketch,
        "The density in bins of equal width; values far out have none, and are told. Standard error of each bin's fraction, \
         binomial or from groups of paths.",
    ),
    row(
        "autocorr",
        Arity::OneAnd("lag"),
        Keeps::Draws,
        "The correlation of a path with itself some pooled times later. Standard error by the jackknife over groups.",
    ),
    row(
        "ess",
        Arity::One,
        Keeps::Draws,
        "The effective number of independent draws (bulk): rank-normalised split chains, Geyer's initial monotone \
         sequence. At most n log10(n) for n draws, as in Stan: chains that repel reach it. Standard error by the jackknife \
         over groups of paths.",
    ),
    row(
        "rhat",
        Arity::One,
        Keeps::Draws,
        "The potential scale reduction: rank-normalised, split chains, the larger of bulk and folded. Near 1 when paths \
         have forgotten their starts. Standard error by the jackknife over groups of paths.",
    ),
    row(
        "acceptance",
        Arity::None,
        Keeps::Moments,
        "The fraction of proposals that the solver accepted. Standard error as for `mean`.",
    ),
    row(
        "divergences",
        Arity::None,
        Keeps::Nothing,
        "The number of paths that went to a NaN or an infinity. Standard error binomial.",
    ),
];

impl StatKind {
    pub fn name(&self) -> &'static str {
        match self {
            StatKind::Mean => "mean",
            StatKind::Var => "var",
            StatKind::Std => "std",
            StatKind::Quantile { .. } => "quantile",
            StatKind::Prob => "prob",
            StatKind::Cov => "cov",
            StatKind::Corr => "corr",
            StatKind::Skewness => "skewness",
            StatKind::Kurtosis => "kurtosis",
            StatKind::Histogram { .. } => "histogram",
            StatKind::Autocorr { .. } => "autocorr",
            StatKind::Ess => "ess",
            StatKind::Rhat => "rhat",
            StatKind::Acceptance => "acceptance",
            StatKind::Divergences => "divergences",
        }
    }

    /// Number of outs that it is of. (The solver's acceptances are observed as an out.)
    pub fn args(&self) -> usize {
        match self {
            StatKind::Divergences => 0,
            StatKind::Cov | StatKind::Corr => 2,
            _ => 1,
        }
    }
}

/// The row of a statistic of the language.
pub fn find(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statistic_has_its_row() {
        let kinds = [
            StatKind::Mean,
            StatKind::Var,
            StatKind::Std,
            StatKind::Quantile { at: vec![0.5], list: false },
            StatKind::Prob,
            StatKind::Cov,
            StatKind::Corr,
            StatKind::Skewness,
            StatKind::Kurtosis,
            StatKind::Histogram { bins: None },
            StatKind::Autocorr { lag: 1 },
            StatKind::Ess,
            StatKind::Rhat,
            StatKind::Acceptance,
            StatKind::Divergences,
        ];
        assert_eq!(kinds.len(), TABLE.len());
        for kind in kinds {
            let row = find(kind.name()).expect("a row");
            assert_eq!(row.arity == Arity::Two, kind.args() == 2, "{}", row.name);
        }
        assert!(find("median").is_none());
        for row in FURTHER {
            use crate::model::results::{Named, statistic};
            let named = statistic(row.name).expect("a statistic");
            assert!(!matches!(named, Named::OfPaths(_) | Named::Later(_)), "{}", row.name);
            assert!(row.signature.starts_with(row.name));
        }
    }
}
