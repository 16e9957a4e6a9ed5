//! Weak orders without sampling, for steps whose draws take few values: all outcomes of one step, with their
//! probabilities, against all outcomes of two steps of half the length.
//!
//! A rule of weak order p has moments of the increment that are wrong by `O(h^(p+1))` at every state (Kloeden & Platen,
//! Numerical Solution of SDEs, Springer 1992, theorem 14.5.2), and so are those of two half steps, with another factor. The
//! difference of the two is known but for rounding.

use super::job::Stage;
use super::memory::Memory;
use super::noise::{Fill, NoiseSource, START_STEP};
use super::statistics::chains::Estimate;
use super::ways::{Cuts, LANES, Unlisted, Ways, epsilon, place};
use crate::kernels::lane::Lane;

/// States that steps begin from, at most.
const STARTS: usize = 32;

/// Fewer starts say little of all states.
const LEAST_STARTS: usize = 4;

/// Outcomes of two steps from all starts together, at most.
const MOST_OUTCOMES: usize = 1 << 19;

/// Functions of the increment: all products of powers of its components up to a degree, as high as this number of them
/// allows, and no higher than orders up to three need (2 p + 1).
const MOST_MONOMIALS: usize = 130;
const HIGHEST: usize = 7;

/// Differences are rounding below so many roundings of the state in units of its increment.
const ROUNDINGS: f64 = 1e3;

/// A slope that changes by less from one pair to the next is near an order.
const SETTLED: f64 = 0.3;

/// A step and two halves of it, from the time at which the starts stand.
pub struct Pair<T> {
    pub h: f64,
    pub whole: Stage<T>,
    /// its rows are those of both halves
    pub halves: Stage<T>,
}

/// What is compared.
pub struct Enumeration<'a, T> {
    /// states that a step begins from, `[state_rows]` each
    pub starts: Vec<Vec<T>>,
    /// from the longest step to the shortest
    pub pairs: Vec<Pair<T>>,
    /// the state rows whose increments are compared
    pub rows: &'a [usize],
    /// the length of the time that the steps are to fill
    pub span: f64,
}

/// Weak errors of steps, and the order that follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Enumerated {
    /// combinations of the values of the draws of a step
    pub ways: usize,
    /// states that the steps began from
    pub starts: usize,
    /// of the moments whose error falls most slowly, and the highest that was compared
    pub degrees: [usize; 2],
    /// of those moments, from the longest step to the shortest
    pub levels: Vec<LocalError>,
    /// from the two shortest steps whose errors are not rounding; its error is the change from the pair before (NaN with
    /// fewer pairs)
    pub order: Estimate,
}

/// The weak error of a step.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct LocalError {
    pub h: f64,
    /// the number of steps of the whole time, times the difference of moments of the increment between one step and two
    /// halves: the root of their mean square over starts and moments, in units of the increment of the longest step
    pub error: f64,
    /// the difference is no more than rounding
    pub rounding: bool,
}

/// States on the way: those of some paths after `steps` steps of a stage.
pub fn starts<T: Lane>(
    init: (&Stage<T>, u64),
    stage: &Stage<T>,
    steps: u64,
    noise: &dyn NoiseSource,
    key: (u64, u64),
) -> Vec<Vec<T>> {
    let mut memory = Memory::new([(init.0, 1), (stage, 1)].into_iter(), STARTS);
    let fill = |first_step| Fill { key, first_path: 0, first_step, steps: 1, lanes: STARTS };
    memory.draw(noise, init.0, fill(START_STEP));
    memory.state.fill(T::default());
    memory.call(init.0, fill(START_STEP), &(init.0.rows)(init.1..init.1 + 1), 0);
    for step in 0..steps {
        memory.draw(noise, stage, fill(step));
        memory.call(stage, fill(step), &(stage.rows)(step..step + 1), 0);
    }
    let column = |lane: usize| memory.state.iter().skip(lane).step_by(STARTS).copied().collect::<Vec<T>>();
    let all = (0..STARTS).map(column);
    all.filter(|x| x.iter().all(|v| v.wide().is_finite())).collect()
}

/// Compares one step with two halves for all pairs.
pub fn run<T: Lane>(job: &Enumeration<'_, T>) -> Result<Enumerated, Unlisted> {
    let Some(coarsest) = job.pairs.first() else { return Err(Unlisted::Certain) };
    let mut known = Cuts::default();
    let ways = Ways::of(&coarsest.whole, &job.starts, &mut known)?;
    let count = (MOST_OUTCOMES / (ways.count() * ways.count())).min(STARTS).min(job.starts.len());
    if count < LEAST_STARTS.min(job.starts.len()) {
        return Err(Unlisted::Many(ways.count()));
    }
    let starts = &job.starts[..count];
    let monomials = Monomials::new(job.rows);
    let units = units(&coarsest.whole, starts, &ways, &monomials);
    let (scales, floor) = (monomials.scales(&units), rounding(starts, &monomials, &units));
    let mut levels: Vec<Vec<LocalError>> = vec![Vec::new(); monomials.degree];
    for pair in &job.pairs {
        let whole = Ways::of(&pair.whole, &job.starts, &mut known)?;
        let half = Ways::of(&pair.halves, &job.starts, &mut known)?;
        // outcomes that come and go with the length of the step have probabilities that were not found for all
        if [whole.count(), half.count()] != [ways.count(); 2] {
            return Err(Unlisted::Continuous);
        }
        let gaps = difference(pair, starts, [&whole, &half], &monomials, &scales);
        for (levels, gap) in levels.iter_mut().zip(gaps) {
            levels.push(LocalError { h: pair.h, error: gap * job.span / pair.h, rounding: gap <= floor });
        }
    }
    // In the end the moments that fall most slowly are all that is left; slopes that still change count where there are
    // no others.
    let orders: Vec<Estimate> = levels.iter().map(|l| order(l)).collect();
    let known = || orders.iter().enumerate().filter(|(_, order)| order.value.is_finite());
    let settled = known().filter(|(_, order)| order.se < SETTLED);
    let least = |a: &(usize, &Estimate), b: &(usize, &Estimate)| a.1.value.total_cmp(&b.1.value);
    let slowest = settled.min_by(least).or_else(|| known().min_by(least)).map_or(0, |(k, _)| k);
    Ok(Enumerated {
        ways: ways.count(),
        starts: count,
        degrees: [slowest + 1, monomials.degree],
        order: orders[slowest],
        levels: levels.swap_remove(slowest),
    })
}

/// The order from errors, from the longest step to the shortest.
fn order(levels: &[LocalError]) -> Estimate {
    let clear: Vec<&LocalError> = levels.iter().filter(|l| !l.rounding).collect();
    let slope = |w: &[&LocalError]| (w[0].error / w[1].error).log2() / (w[0].h / w[1].h).log2();
    let slopes: Vec<f64> = clear.windows(2).map(slope).collect();
    match slopes[..] {
        [.., before, last] => Estimate { value: last, se: (last - before).abs() },
        // one slope says nothing of how far it is from that of short steps
        _ => Estimate { value: f64::NAN, se: f64::NAN },
    }
}

/// All outcomes of the `step`-th step of a stage from a state; calls `see` with the probability and the new state of each.
fn outcomes<T: Lane>(
    memory: &mut Memory<T>,
    (stage, rows): (&Stage<T>, &[f64]),
    start: &[T],
    ways: &Ways<T>,
    mut see: impl FnMut(f64, &[T]),
) {
    let fill = Fill { key: (0, 0), first_path: 0, first_step: 0, steps: 1, lanes: LANES };
    let mut after = vec![T::default(); start.len()];
    for (draws, weights) in ways.draws.chunks(LANES).zip(ways.weights.chunks(LANES)) {
        place(memory, std::iter::repeat_n(start, LANES));
        for lane in 0..LANES {
            let draws = &draws[lane.min(draws.len() - 1)];
            memory.noise.iter_mut().skip(lane).step_by(LANES).zip(draws).for_each(|(to, from)| *to = *from);
        }
        memory.call(stage, fill, rows, 0);
        for (lane, weight) in weights.iter().enumerate() {
            after.iter_mut().zip(memory.state.iter().skip(lane).step_by(LANES)).for_each(|(to, from)| *to = *from);
            see(*weight, &after);
        }
    }
}

/// Products of powers of the components of an increment.
struct Monomials {
    rows: Vec<usize>,
    /// the highest degree
    degree: usize,
    /// each is an earlier one (none: the constant) times a component
    each: Vec<(Option<usize>, usize)>,
    degrees: Vec<usize>,
}

impl Monomials {
    /// Of all degrees up to one that leaves them not too many; of many components the first.
    fn new(rows: &[usize]) -> Monomials {
        let rows = rows[..rows.len().min(MOST_MONOMIALS)].to_vec();
        let first = (0..rows.len()).map(|c| (None, c)).collect();
        let mut m = Monomials { each: first, degrees: vec![1; rows.len()], degree: 1, rows };
        let mut last = 0..m.each.len();
        while m.degree < HIGHEST {
            // components in increasing order, so that each product is made once
            let ends = |m: &Monomials, k: usize| m.each[k].1;
            let more: Vec<(Option<usize>, usize)> =
                last.clone().flat_map(|k| (ends(&m, k)..m.rows.len()).map(move |c| (Some(k), c))).collect();
            if m.each.len() + more.len() > MOST_MONOMIALS {
                break;
            }
            last = m.each.len()..m.each.len() + more.len();
            m.degree += 1;
            m.degrees.resize(m.each.len() + more.len(), m.degree);
            m.each.extend(more);
        }
        m
    }

    /// Adds the products of an increment, times a weight, to sums.
    fn add<T: Lane>(&self, weight: f64, start: &[T], after: &[T], values: &mut Vec<f64>, sums: &mut [f64]) {
        values.clear();
        for ((before, component), sum) in self.each.iter().zip(sums) {
            let row = self.rows[*component];
            let gap = after[row].wide() - start[row].wide();
            let value = before.map_or(1.0, |k| values[k]) * gap;
            values.push(value);
            *sum += weight * value;
        }
    }

    /// The products of units of the components.
    fn scales(&self, units: &[f64]) -> Vec<f64> {
        let mut scales: Vec<f64> = Vec::new();
        for (before, component) in &self.each {
            scales.push(before.map_or(1.0, |k| scales[k]) * units[*component]);
        }
        scales
    }
}

/// For each component the root mean square of its increment in a step.
fn units<T: Lane>(stage: &Stage<T>, starts: &[Vec<T>], ways: &Ways<T>, monomials: &Monomials) -> Vec<f64> {
    let mut memory = Memory::new(std::iter::once((stage, 1)), LANES);
    let rows = (stage.rows)(0..1);
    let mut squares = vec![0.0; monomials.rows.len()];
    for start in starts {
        outcomes(&mut memory, (stage, &rows), start, ways, |weight, x| {
            for (square, row) in squares.iter_mut().zip(&monomials.rows) {
                *square += weight * (x[*row].wide() - start[*row].wide()).powi(2);
            }
        });
    }
    let unit = |square: f64| if square > 0.0 { (square / starts.len() as f64).sqrt() } else { 1.0 };
    squares.into_iter().map(unit).collect()
}

/// The differences between one step and two halves, for each degree.
fn difference<T: Lane>(
    pair: &Pair<T>,
    starts: &[Vec<T>],
    [whole, half]: [&Ways<T>; 2],
    monomials: &Monomials,
    scales: &[f64],
) -> Vec<f64> {
    let mut memory = Memory::new([(&pair.whole, 1), (&pair.halves, 1)].into_iter(), LANES);
    let once = (pair.whole.rows)(0..1);
    let twice = [(pair.halves.rows)(0..1), (pair.halves.rows)(1..2)];
    let (mut total, mut values) = (vec![0.0; monomials.degree], Vec::new());
    for start in starts {
        let (mut one, mut two) = (vec![0.0; scales.len()], vec![0.0; scales.len()]);
        outcomes(&mut memory, (&pair.whole, &once), start, whole, |w, x| {
            monomials.add(w, start, x, &mut values, &mut one);
        });
        let mut middle = Vec::with_capacity(half.count());
        outcomes(&mut memory, (&pair.halves, &twice[0]), start, half, |w, x| middle.push((w, x.to_vec())));
        for (weight, x) in &middle {
            let mut from = vec![0.0; scales.len()];
            outcomes(&mut memory, (&pair.halves, &twice[1]), x, half, |w, y| {
                monomials.add(w, start, y, &mut values, &mut from);
            });
            two.iter_mut().zip(&from).for_each(|(two, from)| *two += weight * from);
        }
        for (k, degree) in monomials.degrees.iter().enumerate() {
            total[degree - 1] += ((one[k] - two[k]) / scales[k]).powi(2);
        }
    }
    let of_degree = |d: usize| monomials.degrees.iter().filter(|k| **k == d + 1).count();
    total.iter().enumerate().map(|(d, sum)| (sum / (starts.len() * of_degree(d)) as f64).sqrt()).collect()
}

/// What differences are at least known to.
fn rounding<T: Lane>(starts: &[Vec<T>], monomials: &Monomials, units: &[f64]) -> f64 {
    let size = |(row, unit): (&usize, &f64)| starts.iter().map(|x| x[*row].wide().abs()).fold(0.0, f64::max) / unit;
    ROUNDINGS * epsilon::<T>() * monomials.rows.iter().zip(units).map(size).fold(1.0, f64::max)
}

#[cfg(test)]
#[path = "enumerate_tests.rs"]
mod tests;
