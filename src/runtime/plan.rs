//! What must be gathered for the requests of a job, each thing once.

use super::job::{Job, Observer};
use super::layout::Layout;
use super::statistics::{Request, StatKind};

/// Values that one tape keeps at most.
pub const TAPE_CAP: u64 = 10_000_000;

/// Paths that a tape keeps at least before it leaves out times.
const TAPE_PATHS: u64 = 64;

/// Values of some rows of an observer, brought together in cells: one a look (unless times are pooled) and result
/// element.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    pub observer: usize,
    /// rows of the observer's out block that are pushed, as (first argument, second argument, element)
    pub rows: Vec<(usize, usize, usize)>,
    /// elements of the result
    pub elements: usize,
    pub looks: usize,
    pub pool_times: bool,
    /// several values of a path meet in a cell
    pub clustered: bool,
    /// sketches are kept of each group of paths
    pub by_group: bool,
    pub kind: Gather,
    /// where its cells begin in the store of its kind
    pub first_cell: usize,
}

/// How the values of a cell are brought together.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Gather {
    /// moments up to the order, of all values
    Moments(u8),
    /// count and sum of each unit (a path, or a batch of its times): moments of those pairs
    Units,
    /// co-moments of two rows
    Pairs,
    /// counts in bins
    Sketch,
}

impl Tally {
    /// The cell of an element at a look.
    pub fn cell(&self, look: usize, element: usize) -> usize {
        let look = if self.pool_times { 0 } else { look };
        self.first_cell + look * self.elements + element
    }

    pub fn cells(&self) -> usize {
        self.elements * if self.pool_times { 1 } else { self.looks }
    }
}

/// Draws that are kept: `rows` consecutive rows of an observer for some of its looks and paths.
#[derive(Clone, Debug, PartialEq)]
pub struct Tape {
    pub observer: usize,
    pub first_row: usize,
    pub rows: usize,
    /// every so many looks
    pub every_look: usize,
    pub looks: usize,
    pub paths: TapePaths,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TapePaths {
    /// those at every so many positions
    Every(u64),
    /// those before a position
    Before(u64),
}

impl Tape {
    pub fn keeps(&self, position: u64) -> bool {
        match self.paths {
            TapePaths::Every(n) => position.is_multiple_of(n),
            TapePaths::Before(end) => position < end,
        }
    }
}

/// Where the answer to a request comes from.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Tally(usize),
    Tape(usize),
    /// the count of divergences
    Divergence,
}

/// The plan of a job.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub tallies: Vec<Tally>,
    pub tapes: Vec<Tape>,
    /// for each observer, for each of its requests
    pub sources: Vec<Vec<Source>>,
    /// for each observer, the tape of its record
    pub records: Vec<Option<usize>>,
    /// cells in each store: moments, pairs (and units), sketches
    pub moment_cells: usize,
    pub pair_cells: usize,
    pub sketch_cells: usize,
}

impl Plan {
    pub fn new<T>(job: &Job<T>, layout: &Layout) -> Plan {
        let mut plan = Plan::default();
        for (k, observer) in job.observers.iter().enumerate() {
            let sources = observer.requests.iter().map(|r| plan.source(k, observer, r, layout)).collect();
            plan.sources.push(sources);
            let record = (observer.record_first > 0).then(|| {
                let end = layout.first_path - layout.base + observer.record_first;
                let rows = observer.stage.program.out_rows;
                plan.tape(Tape {
                    observer: k,
                    first_row: 0,
                    rows,
                    every_look: 1,
                    looks: observer.looks.len(),
                    paths: TapePaths::Before(end),
                })
            });
            plan.records.push(record);
        }
        plan
    }

    fn source(&mut self, observer: usize, of: &Observer, request: &Request, layout: &Layout) -> Source {
        assert_eq!(request.args.len(), request.stat.args(), "{} has its arguments", request.stat.name());
        match request.stat {
            StatKind::Divergences => Source::Divergence,
            StatKind::Ess | StatKind::Rhat | StatKind::Autocorr { .. } if request.pool_times => {
                let slot = &of.stage.program.outs[request.args[0]];
                let rows = slot.shape.iter().product();
                Source::Tape(self.tape(draws_tape(observer, slot.first_row, rows, of.looks.len(), layout)))
            }
            _ => Source::Tally(self.tally(observer, of, request)),
        }
    }

    fn tape(&mut self, tape: Tape) -> usize {
        let at = self.tapes.iter().position(|t| *t == tape);
        at.unwrap_or_else(|| {
            self.tapes.push(tape);
            self.tapes.len() - 1
        })
    }

    /// The tally of a request, shared with requests that need the same one.
    fn tally(&mut self, observer: usize, of: &Observer, request: &Request) -> usize {
        let clustered = request.pool_times || !request.pool_axes.is_empty();
        let kind = gather(&request.stat, clustered);
        let (rows, elements) = rows(of, request);
        let mut tally = Tally {
            observer,
            rows,
            elements,
            looks: of.looks.len(),
            pool_times: request.pool_times,
            clustered,
            by_group: kind == Gather::Sketch && (clustered || request.replicates),
            kind,
            first_cell: 0,
        };
        let same = self.tallies.iter().position(|t| Tally { first_cell: 0, ..t.clone() } == tally);
        same.unwrap_or_else(|| {
            let store = match kind {
                Gather::Moments(_) => &mut self.moment_cells,
                Gather::Units | Gather::Pairs => &mut self.pair_cells,
                Gather::Sketch => &mut self.sketch_cells,
            };
            tally.first_cell = *store;
            *store += tally.cells();
            self.tallies.push(tally);
            self.tallies.len() - 1
        })
    }
}

fn gather(stat: &StatKind, clustered: bool) -> Gather {
    match (stat, clustered) {
        (StatKind::Mean | StatKind::Prob | StatKind::Acceptance, true) => Gather::Units,
        (StatKind::Var | StatKind::Std, true) => Gather::Moments(2),
        (StatKind::Cov | StatKind::Corr, _) => Gather::Pairs,
        (StatKind::Quantile { .. } | StatKind::Histogram { .. }, _) => Gather::Sketch,
        _ => Gather::Moments(4),
    }
}

/// The shape of what a request is of (the larger of two arguments, of which one may be a scalar).
fn shape_of(of: &Observer, request: &Request) -> Vec<usize> {
    let shapes = request.args.iter().map(|a| &of.stage.program.outs[*a].shape);
    let shape = shapes.max_by_key(|s| s.len()).cloned().unwrap_or_default();
    for a in &request.args {
        let own = &of.stage.program.outs[*a].shape;
        assert!(own.is_empty() || *own == shape, "the arguments of a statistic have one shape");
    }
    shape
}

/// The shape of a request's elements: that of its arguments without the pooled axes.
pub fn element_shape(of: &Observer, request: &Request) -> Vec<usize> {
    let shape = shape_of(of, request);
    (0..shape.len()).filter(|k| !request.pool_axes.contains(k)).map(|k| shape[k]).collect()
}

/// The element of each row of an array of `shape` when some axes are pooled, and the number of elements.
pub fn elements(shape: &[usize], pool_axes: &[usize]) -> (Vec<usize>, usize) {
    let count: usize = shape.iter().product();
    let mut elements = vec![0; count];
    for (row, element) in elements.iter_mut().enumerate() {
        let (mut rest, mut stride) = (row, 1);
        for axis in (0..shape.len()).rev() {
            if !pool_axes.contains(&axis) {
                *element += rest % shape[axis] * stride;
                stride *= shape[axis];
            }
            rest /= shape[axis];
        }
    }
    let kept = (0..shape.len()).filter(|k| !pool_axes.contains(k)).map(|k| shape[k]).product();
    (elements, kept)
}

fn rows(of: &Observer, request: &Request) -> (Vec<(usize, usize, usize)>, usize) {
    let shape = shape_of(of, request);
    let (elements, count) = elements(&shape, &request.pool_axes);
    let slot = |k: usize| &of.stage.program.outs[request.args[k.min(request.args.len() - 1)]];
    let row = |k: usize, at: usize| slot(k).first_row + if slot(k).shape.is_empty() { 0 } else { at };
    let rows = elements.iter().enumerate().map(|(at, element)| (row(0, at), row(1, at), *element)).collect();
    (rows, count)
}

/// A tape of all draws if the cap allows; else of fewer paths, and of fewer times only if few paths are left.
fn draws_tape(observer: usize, first_row: usize, rows: usize, looks: usize, layout: &Layout) -> Tape {
    let each = (rows * looks).max(1) as u64;
    let fit = TAPE_CAP / each;
    let least = layout.paths.clamp(1, TAPE_PATHS);
    let (every_path, every_look) = if fit >= layout.paths {
        (1, 1)
    } else if fit >= least {
        (layout.positions().div_ceil(fit), 1)
    } else {
        let every_look = (each * least).div_ceil(TAPE_CAP);
        (layout.positions().div_ceil(least), every_look)
    };
    Tape {
        observer,
        first_row,
        rows,
        every_look: every_look as usize,
        looks: looks.div_ceil(every_look as usize),
        paths: TapePaths::Every(every_path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pooled_axes_share_elements() {
        assert_eq!(elements(&[2, 3], &[]), (vec![0, 1, 2, 3, 4, 5], 6));
        assert_eq!(elements(&[2, 3], &[0]), (vec![0, 1, 2, 0, 1, 2], 3));
        assert_eq!(elements(&[2, 3], &[1]), (vec![0, 0, 0, 1, 1, 1], 2));
        assert_eq!(elements(&[2, 3], &[0, 1]), (vec![0; 6], 1));
        assert_eq!(elements(&[], &[]), (vec![0], 1));
    }

    #[test]
    fn tapes_stay_under_their_cap() {
        for (paths, rows, looks) in [(64, 31, 801), (1000, 2, 2000), (100_000, 1, 1000), (10, 5, 10_000_000)] {
            let layout = Layout::new(0, paths);
            let tape = draws_tape(0, 0, rows, looks, &layout);
            let TapePaths::Every(every) = tape.paths else { panic!("a tape of draws") };
            let kept = paths.div_ceil(every);
            assert!(kept * (rows * tape.looks) as u64 <= TAPE_CAP, "{paths} {rows} {looks}");
            assert!(kept >= paths.min(TAPE_PATHS));
        }
    }
}
