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
use super::ways::{LANES, Unlisted, Ways, epsilon, place};
use crate::kernels::lane::Lane;

/// States that steps begin from, at most.
const STARTS: usize = 32;

/// Outcomes of two steps from all starts together, at most.
const MOST_OUTCOMES: usize = 1 << 19;

/// Functions of the increment: its powers up to this one, of each component and of sums of two.
const POWERS: usize = 4;
const MOST_FUNCTIONALS: usize = 24;

/// Differences are rounding below so many roundings of the state in units of its increment.
const ROUNDINGS: f64 = 1e3;

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
    /// from the longest step to the shortest
    pub levels: Vec<LocalError>,
    /// from the two shortest steps whose errors are not rounding; its error is the change from the pair before (NaN with
    /// fewer pairs)
    pub order: Estimate,
}

/// The weak error of a step.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct LocalError {
    pub h: f64,
    /// the number of steps of the whole time, times the difference of the moments of the increment between one step and
    /// two halves: the root of their mean square over starts and moments, in units of the increment of the longest step
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
    let ways = Ways::of(&coarsest.whole, &job.starts)?;
    let count = (MOST_OUTCOMES / (ways.count() * ways.count())).clamp(1, STARTS).min(job.starts.len());
    let starts = &job.starts[..count];
    let functionals = functionals(job.rows);
    let units = units(&coarsest.whole, starts, &ways, &functionals);
    let floor = rounding(starts, &functionals, &units);
    let mut levels = Vec::new();
    for pair in &job.pairs {
        let whole = Ways::of(&pair.whole, &job.starts)?;
        let half = Ways::of(&pair.halves, &job.starts)?;
        let gap = difference(pair, starts, [&whole, &half], &functionals, &units);
        levels.push(LocalError { h: pair.h, error: gap * job.span / pair.h, rounding: gap <= floor });
    }
    Ok(Enumerated { ways: ways.count(), starts: count, order: order(&levels), levels })
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

/// The components that are looked at, and sums of two of them: the rows of each.
fn functionals(rows: &[usize]) -> Vec<Vec<usize>> {
    let single = rows.iter().map(|r| vec![*r]);
    let pairs = rows.iter().enumerate().flat_map(|(k, a)| rows[k + 1..].iter().map(move |b| vec![*a, *b]));
    single.take(MOST_FUNCTIONALS / 2).chain(pairs.take(MOST_FUNCTIONALS / 2)).collect()
}

fn value<T: Lane>(functional: &[usize], x: &[T]) -> f64 {
    functional.iter().map(|r| x[*r].wide()).sum()
}

/// Moments of the increments from a state: `[functionals][POWERS]`.
#[derive(Clone)]
struct Moments {
    sums: Vec<[f64; POWERS]>,
}

impl Moments {
    fn new(functionals: usize) -> Moments {
        Moments { sums: vec![[0.0; POWERS]; functionals] }
    }

    fn add<T: Lane>(&mut self, weight: f64, functionals: &[Vec<usize>], start: &[T], after: &[T]) {
        for (sums, functional) in self.sums.iter_mut().zip(functionals) {
            let gap = value(functional, after) - value(functional, start);
            let mut power = weight;
            for sum in sums {
                power *= gap;
                *sum += power;
            }
        }
    }

    fn join(&mut self, weight: f64, other: &Moments) {
        for (to, from) in self.sums.iter_mut().zip(&other.sums) {
            to.iter_mut().zip(from).for_each(|(to, from)| *to += weight * from);
        }
    }
}

/// For each functional the root mean square of its increment in a step.
fn units<T: Lane>(stage: &Stage<T>, starts: &[Vec<T>], ways: &Ways<T>, functionals: &[Vec<usize>]) -> Vec<f64> {
    let mut memory = Memory::new(std::iter::once((stage, 1)), LANES);
    let rows = (stage.rows)(0..1);
    let mut all = Moments::new(functionals.len());
    for start in starts {
        outcomes(&mut memory, (stage, &rows), start, ways, |weight, x| all.add(weight, functionals, start, x));
    }
    let unit = |sums: &[f64; POWERS]| (sums[1] / starts.len() as f64).sqrt();
    all.sums.iter().map(unit).map(|u| if u > 0.0 { u } else { 1.0 }).collect()
}

/// The difference between one step and two halves.
fn difference<T: Lane>(
    pair: &Pair<T>,
    starts: &[Vec<T>],
    [whole, half]: [&Ways<T>; 2],
    functionals: &[Vec<usize>],
    units: &[f64],
) -> f64 {
    let mut memory = Memory::new([(&pair.whole, 1), (&pair.halves, 1)].into_iter(), LANES);
    let once = (pair.whole.rows)(0..1);
    let twice = [(pair.halves.rows)(0..1), (pair.halves.rows)(1..2)];
    let (mut total, mut count) = (0.0, 0.0);
    for start in starts {
        let (mut one, mut two) = (Moments::new(functionals.len()), Moments::new(functionals.len()));
        outcomes(&mut memory, (&pair.whole, &once), start, whole, |w, x| one.add(w, functionals, start, x));
        let mut middle = Vec::with_capacity(half.count());
        outcomes(&mut memory, (&pair.halves, &twice[0]), start, half, |w, x| middle.push((w, x.to_vec())));
        for (weight, x) in &middle {
            let mut from = Moments::new(functionals.len());
            outcomes(&mut memory, (&pair.halves, &twice[1]), x, half, |w, y| from.add(w, functionals, start, y));
            two.join(*weight, &from);
        }
        for ((a, b), unit) in one.sums.iter().zip(&two.sums).zip(units) {
            for k in 0..POWERS {
                total += ((a[k] - b[k]) / unit.powi(k as i32 + 1)).powi(2);
                count += 1.0;
            }
        }
    }
    (total / count).sqrt()
}

/// What differences are at least known to.
fn rounding<T: Lane>(starts: &[Vec<T>], functionals: &[Vec<usize>], units: &[f64]) -> f64 {
    let size = |(functional, unit): (&Vec<usize>, &f64)| {
        starts.iter().map(|x| value(functional, x).abs()).fold(0.0, f64::max) / unit
    };
    ROUNDINGS * epsilon::<T>() * functionals.iter().zip(units).map(size).fold(1.0, f64::max)
}

#[cfg(test)]
#[path = "enumerate_tests.rs"]
mod tests;
