//! The draws of a step that take few values: which, and with what probabilities.
//!
//! That is not declared but found: the new state as a function of a draw is constant but for a few jumps, at the same places
//! for all states.

use std::collections::HashMap;

use super::job::Stage;
use super::memory::Memory;
use super::noise::Fill;
use super::statistics::normal::quantile;
use crate::kernels::elementary::norm_cdf;
use crate::kernels::lane::{Lane, Precision};
use crate::math::Base;

/// Lanes of a call.
pub const LANES: usize = 64;

/// Probes of a draw: states and values of the other draws.
const PROBES: usize = 8;

/// A draw with more jumps is taken as continuous.
const MOST_CUTS: usize = 16;

/// Combinations of the values of all draws of a step, at most.
const MOST_WAYS: usize = 4096;

/// Draws between which jumps are looked for: so many that are equally likely, and some of the tails, each with half the
/// probability of the one before.
const CELLS: usize = 1024;
const TAILS: i32 = 40;

/// The state is the same where it differs by so many roundings: a sum may be added up in two ways.
const ROUNDINGS: f64 = 64.0;

/// How near to a jump that is known the state is tried.
const NEAR: f64 = 1e-12;

/// Where in a piece its value is taken: nowhere special. In the middle the sign of a normal that is seen by its symmetry
/// alone would be zero.
const INSIDE: f64 = 0.618_033_988_749_894_9;

/// Jumps closer than this are one.
const SAME: f64 = 1e-9;

/// Why a step has no list of outcomes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Unlisted {
    /// nothing random happens
    Certain,
    /// a draw takes more than a few values
    Continuous,
    /// few values, but too many combinations, at least so many
    Many(usize),
    /// few values, in a step with a memory
    Remembered,
}

/// The jumps of the new state along each draw, by its row.
pub type Cuts = HashMap<usize, Vec<f64>>;

/// All combinations of the values of the draws of a step.
pub struct Ways<T> {
    /// `[ways][draw_rows]`
    pub draws: Vec<Vec<T>>,
    pub weights: Vec<f64>,
}

impl<T: Lane> Ways<T> {
    pub fn count(&self) -> usize {
        self.weights.len()
    }

    /// The ways of the first step of a stage, as seen from some states. `known` are the jumps of each draw in a like stage,
    /// which are tried first; those of this one take their place.
    pub fn of(stage: &Stage<T>, starts: &[Vec<T>], known: &mut Cuts) -> Result<Ways<T>, Unlisted> {
        let mut ways = Ways { draws: vec![vec![T::default(); stage.program.draw_rows]], weights: vec![1.0] };
        let mut probe = Probe::new(stage);
        for slot in &stage.program.draws {
            let law = match slot.base {
                Base::Normal => Law::Normal,
                Base::Uniform => Law::Uniform,
                Base::Law(..) => return Err(Unlisted::Continuous),
            };
            for row in slot.first_row..slot.first_row + slot.components {
                let cuts = match known.remove(&row).filter(|cuts| probe.has_cuts(row, law, starts, cuts)) {
                    Some(cuts) => cuts,
                    None => probe.cuts_for_all(row, law, starts).ok_or(Unlisted::Continuous)?,
                };
                ways = ways.times(row, &law.values(&cuts));
                known.insert(row, cuts);
                if ways.count() > MOST_WAYS {
                    return Err(Unlisted::Many(ways.count()));
                }
            }
        }
        if ways.count() == 1 { Err(Unlisted::Certain) } else { Ok(ways) }
    }

    /// Each way with each value of one more draw.
    fn times(&self, row: usize, values: &[(f64, f64)]) -> Ways<T> {
        let mut all = Ways { draws: Vec::new(), weights: Vec::new() };
        for (draws, weight) in self.draws.iter().zip(&self.weights) {
            for (value, share) in values {
                let mut draws = draws.clone();
                draws[row] = T::of(*value);
                all.draws.push(draws);
                all.weights.push(weight * share);
            }
        }
        all
    }
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Law {
    Normal,
    Uniform,
}

impl Law {
    fn quantile(self, p: f64) -> f64 {
        match self {
            Law::Normal => quantile(p),
            Law::Uniform => p,
        }
    }

    fn below(self, z: f64) -> f64 {
        match self {
            Law::Normal => norm_cdf(z),
            Law::Uniform => z.clamp(0.0, 1.0),
        }
    }

    /// Draws to look between, increasing.
    fn grid(self) -> Vec<f64> {
        let inner = (0..CELLS).map(|k| (k as f64 + 0.5) / CELLS as f64);
        let tail = |k: i32| 0.25 / CELLS as f64 * 0.5f64.powi(k);
        let mut grid: Vec<f64> = inner.chain((0..TAILS).map(tail)).map(|p| self.quantile(p)).collect();
        grid.extend((0..TAILS).map(|k| match self {
            Law::Normal => -self.quantile(tail(k)),
            Law::Uniform => 1.0 - tail(k),
        }));
        grid.sort_by(f64::total_cmp);
        grid
    }

    /// A value from each piece between cuts, and its probability.
    fn values(self, cuts: &[f64]) -> Vec<(f64, f64)> {
        let ends: Vec<f64> =
            std::iter::once(0.0).chain(cuts.iter().map(|c| self.below(*c))).chain(std::iter::once(1.0)).collect();
        ends.windows(2).map(|w| (self.quantile(w[0] + INSIDE * (w[1] - w[0])), w[1] - w[0])).collect()
    }
}

/// Sees what the new state is where one draw varies and all else stays.
struct Probe<'a, T> {
    stage: &'a Stage<T>,
    rows: Vec<f64>,
    memory: Memory<T>,
}

impl<'a, T: Lane> Probe<'a, T> {
    fn new(stage: &'a Stage<T>) -> Probe<'a, T> {
        Probe { stage, rows: (stage.rows)(0..1), memory: Memory::new(std::iter::once((stage, 1)), LANES) }
    }

    /// The jumps of the new state along a draw, if it is constant between them and they are the same from all states.
    fn cuts_for_all(&mut self, row: usize, law: Law, starts: &[Vec<T>]) -> Option<Vec<f64>> {
        let mut all: Vec<f64> = Vec::new();
        for k in 0..PROBES {
            let start = starts.get(k % starts.len().max(1))?;
            all.extend(self.cuts(row, law, start, k)?);
        }
        all.sort_by(f64::total_cmp);
        let clusters: Vec<&[f64]> = all.chunk_by(|a, b| b - a <= SAME).collect();
        // a jump that only one of the probes has is one that depends on the state
        clusters.iter().all(|c| c.len() > 1).then(|| clusters.iter().map(|c| c[c.len() / 2]).collect())
    }

    /// Whether these are the jumps, for all that two points beside each and some between them tell.
    fn has_cuts(&mut self, row: usize, law: Law, starts: &[Vec<T>], cuts: &[f64]) -> bool {
        let beside = |c: &f64| {
            let width = NEAR * c.abs().max(1.0);
            [c - width, c + width]
        };
        let mut points: Vec<f64> = cuts.iter().flat_map(beside).collect();
        let between = LANES - points.len();
        points.extend((0..between).map(|k| law.quantile((k as f64 + 0.5) / between as f64)));
        points.sort_by(f64::total_cmp);
        let expected = |k: usize| cuts.iter().any(|c| points[k] < *c && *c < points[k + 1]);
        let mut seen = vec![false; points.len()];
        for k in 0..PROBES {
            let Some(start) = starts.get(k % starts.len().max(1)) else { return false };
            self.set(k);
            for jump in self.jumps(row, &points, start) {
                if !expected(jump) {
                    return false;
                }
                seen[jump] = true;
            }
        }
        (0..points.len() - 1).all(|k| seen[k] || !expected(k))
    }

    /// The jumps from one state, with the other draws of the `k`-th probe; `None` if there are many.
    fn cuts(&mut self, row: usize, law: Law, start: &[T], k: usize) -> Option<Vec<f64>> {
        self.set(k);
        let grid = law.grid();
        let mut cuts = Vec::new();
        for at in (0..grid.len() - 1).step_by(LANES - 1) {
            let points = &grid[at..grid.len().min(at + LANES)];
            self.between(row, points, start, &mut cuts)?;
        }
        // a point that a jump is exactly on belongs to neither side
        cuts.dedup_by(|b, a| *b - *a <= SAME);
        Some(cuts)
    }

    /// Adds the jumps between points, each as exactly as numbers are.
    fn between(&mut self, row: usize, points: &[f64], start: &[T], cuts: &mut Vec<f64>) -> Option<()> {
        let jumps = self.jumps(row, points, start);
        if cuts.len() + jumps.len() > MOST_CUTS {
            return None;
        }
        let least = 4.0 * epsilon::<T>();
        for k in jumps {
            let (a, b) = (points[k], points[k + 1]);
            if b - a <= least * a.abs().max(1.0) {
                cuts.push(a + (b - a) / 2.0);
            } else {
                let finer = |j: usize| if j + 1 == LANES { b } else { a + (b - a) * j as f64 / (LANES - 1) as f64 };
                self.between(row, &(0..LANES).map(finer).collect::<Vec<_>>(), start, cuts)?;
            }
        }
        Some(())
    }

    /// The other draws of a probe.
    fn set(&mut self, k: usize) {
        for slot in &self.stage.program.draws {
            let law = if slot.base == Base::Normal { Law::Normal } else { Law::Uniform };
            for row in slot.first_row..slot.first_row + slot.components {
                let p = ((row + 1) as f64 * INSIDE + (k as f64 + 0.5) / PROBES as f64).fract();
                self.memory.noise[row * LANES..][..LANES].fill(T::of(law.quantile(p)));
            }
        }
    }

    /// The places among points after which the new state is another.
    fn jumps(&mut self, row: usize, points: &[f64], start: &[T]) -> Vec<usize> {
        let noise = &mut self.memory.noise[row * LANES..][..LANES];
        let kept = noise.to_vec();
        for (lane, z) in noise.iter_mut().enumerate() {
            *z = T::of(points[lane.min(points.len() - 1)]);
        }
        place(&mut self.memory, std::iter::repeat_n(start, LANES));
        let fill = Fill { key: (0, 0), first_path: 0, first_step: 0, steps: 1, lanes: LANES };
        self.memory.call(self.stage, fill, &self.rows, 0);
        self.memory.noise[row * LANES..][..LANES].copy_from_slice(&kept);
        let slack = ROUNDINGS * epsilon::<T>();
        let same = |a: f64, b: f64| (a - b).abs() <= slack * a.abs().max(b.abs()) || a.is_nan() && b.is_nan();
        let state = &self.memory.state;
        (0..points.len() - 1)
            .filter(|k| state.chunks_exact(LANES).any(|x| !same(x[*k].wide(), x[k + 1].wide())))
            .collect()
    }
}

/// The relative rounding of an operation.
pub fn epsilon<T: Lane>() -> f64 {
    match T::PRECISION {
        Precision::Single => f64::from(f32::EPSILON),
        Precision::Double => f64::EPSILON,
    }
}

/// Puts states into the lanes of a memory.
pub fn place<'a, T: Lane>(memory: &mut Memory<T>, states: impl Iterator<Item = &'a [T]>) {
    let lanes = memory.lanes;
    for (lane, state) in states.enumerate() {
        memory.state.iter_mut().skip(lane).step_by(lanes).zip(state).for_each(|(to, from)| *to = *from);
    }
}
