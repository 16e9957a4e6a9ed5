//! The table of the kinds of plots: one row each.

/// What is drawn.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PlotKind {
    Paths,
    Fan,
    Histogram,
    Density,
    Scatter,
    Phase,
    Autocorr,
    Trace,
    Rank,
    Image,
    Animation,
    Ladder,
    Convergence,
    WorkPrecision,
}

/// What a plot is of.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// so many values of paths, at least and at most
    Values(usize, usize),
    /// a formula of statistics
    Statistic,
    /// another plot
    Plot,
    /// the run
    Nothing,
}

/// The times that a plot looks at, where its statement does not say.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Looks {
    /// the end
    End,
    /// at most so many, over the whole run
    Spread(usize),
    /// the statement must say: `over t in ...`
    Over,
}

#[derive(Copy, Clone, Debug)]
pub struct Row {
    pub kind: PlotKind,
    pub name: &'static str,
    /// as it is written
    pub signature: &'static str,
    pub of: Of,
    pub looks: Looks,
    /// a number that it takes besides: its name, its default, the most
    pub option: Option<(&'static str, usize, usize)>,
    /// takes `reference = ...`
    pub reference: bool,
    /// what is seen, and what is left out
    pub doc: &'static str,
}

/// Paths of which a scatter or a density in the plane keeps the points.
pub const SCATTERED: u64 = 5_000;
pub const COUNTED: u64 = 50_000;

/// Times of a record that is drawn as curves, at most.
pub const MOST_LOOKS: usize = 4_000;

const CURVE: Row = Row {
    kind: PlotKind::Paths,
    name: "",
    signature: "",
    of: Of::Values(1, 1),
    looks: Looks::Spread(500),
    option: None,
    reference: false,
    doc: "",
};

/// All kinds of plots, by their names in the language.
pub const TABLE: &[Row] = &[
    Row {
        kind: PlotKind::Paths,
        name: "paths",
        signature: "paths(e, n = 50, reference = t -> f)",
        option: Some(("n", 50, 1_000)),
        reference: true,
        doc: "The first n paths against time, with a function of the time. Of an array a panel for each element, nine at most.",
        ..CURVE
    },
    Row {
        kind: PlotKind::Fan,
        name: "fan",
        signature: "fan(e, reference = t -> f)",
        looks: Looks::Spread(60),
        reference: true,
        doc: "The median against time, with bands from the quantile 0.25 to 0.75 and from 0.05 to 0.95 of all paths.",
        ..CURVE
    },
    Row {
        kind: PlotKind::Histogram,
        name: "histogram",
        signature: "histogram(e, bins = ..., reference = p)",
        looks: Looks::End,
        option: Some(("bins", 0, 1_000)),
        reference: true,
        doc: "The density in bins, of all paths, with the density of a target or a function. A state of a model over a target \
              on the line has that one without asking.",
        ..CURVE
    },
    Row {
        kind: PlotKind::Density,
        name: "density",
        signature: "density(x, reference = p), density(x, y, reference = p)",
        of: Of::Values(1, 2),
        looks: Looks::End,
        reference: true,
        doc: "The density as a curve: fine bins of all paths, smoothed by diffusion with the improved bandwidth of Sheather and \
              Jones (Botev et al., Annals of Statistics 38 (2010) 2916), which keeps several modes apart, and a wider one \
              where values are few. Point masses are lines. Of two values, or of a vector of two, in the plane by colours: of the first 50 000 points, with contours of \
              the target.",
        ..CURVE
    },
    Row {
        kind: PlotKind::Scatter,
        name: "scatter",
        signature: "scatter(x, y, reference = p)",
        of: Of::Values(1, 2),
        looks: Looks::End,
        reference: true,
        doc: "Points in the plane, of two values or of a vector of two: the first 5 000, with the contours that hold 50, 90 and \
              99 % of a target.",
        ..CURVE
    },
    Row {
        kind: PlotKind::Phase,
        name: "phase",
        signature: "phase(x, y, n = 1)",
        of: Of::Values(1, 2),
        looks: Looks::Spread(4_000),
        option: Some(("n", 1, 50)),
        doc: "The first n paths as curves in the plane of two values, or of a vector of two.",
        ..CURVE
    },
    Row {
        kind: PlotKind::Autocorr,
        name: "autocorr",
        signature: "autocorr(e, lags = 40, reference = s -> f) over t in ...",
        looks: Looks::Over,
        option: Some(("lags", 40, 200)),
        reference: true,
        doc: "The autocorrelation against the lag in time, with standard errors, over the times of the statement.",
        ..CURVE
    },
    Row {
        kind: PlotKind::Trace,
        name: "trace",
        signature: "trace(e, n = 4)",
        looks: Looks::Spread(1_000),
        option: Some(("n", 4, 7)),
        doc: "The first n paths as chains, each in its colour: whether they mix.",
        ..CURVE
    },
    Row {
        kind: PlotKind::Rank,
        name: "rank",
        signature: "rank(e, n = 4) over t in ...",
        looks: Looks::Over,
        option: Some(("n", 4, 9)),
        doc: "For each of the first n paths the ranks of its values among those of all n: even when they have one law (Vehtari \
              et al., Bayesian Analysis 16 (2021) 667).",
        ..CURVE
    },
    Row {
        kind: PlotKind::Image,
        name: "image",
        signature: "image(e)",
        looks: Looks::End,
        doc: "A matrix by colours, as it is written: of the first path, or of a statistic. A vector of the first path against time \
              and index.",
        ..CURVE
    },
    Row {
        kind: PlotKind::Animation,
        name: "animation",
        signature: "animation(plot, frames = 24)",
        of: Of::Plot,
        looks: Looks::Spread(24),
        option: Some(("frames", 24, 1_000)),
        doc: "A histogram, a density, a scatter or an image at times over the whole run: a numbered sequence of files with one \
              pair of axes.",
        ..CURVE
    },
    Row {
        kind: PlotKind::Ladder,
        name: "ladder",
        signature: "ladder(s, reference = p -> f)",
        of: Of::Statistic,
        looks: Looks::End,
        reference: true,
        doc: "A statistic, or a formula of statistics, against the swept parameter, with standard errors; a line for each solver \
              and for each value of further parameters.",
        ..CURVE
    },
    Row {
        kind: PlotKind::Convergence,
        name: "convergence",
        signature: "convergence()",
        of: Of::Nothing,
        looks: Looks::End,
        doc: "Of a run with `converge`: strong and weak errors against the step, with standard errors and the orders that are \
              fitted.",
        ..CURVE
    },
    Row {
        kind: PlotKind::WorkPrecision,
        name: "work_precision",
        signature: "work_precision()",
        of: Of::Nothing,
        looks: Looks::End,
        doc: "Of a run with `converge`: the strong error against the time that the steps of a path take.",
        ..CURVE
    },
];

/// The row of a kind of plot.
pub fn find(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == name)
}

impl PlotKind {
    pub fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.kind == self).expect("every kind has its row")
    }

    /// Whether it shows a time, and so can be animated.
    pub fn is_still(self) -> bool {
        matches!(self, PlotKind::Histogram | PlotKind::Density | PlotKind::Scatter | PlotKind::Image)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_row() {
        for row in TABLE {
            assert_eq!(row.kind.row().name, row.name);
            assert!(row.signature.starts_with(row.name) && !row.doc.is_empty(), "{}", row.name);
            assert_eq!(row.reference, row.signature.contains("reference"), "{}", row.name);
            assert_eq!(row.option.is_some(), row.option.is_some_and(|o| row.signature.contains(o.0)), "{}", row.name);
        }
    }
}
