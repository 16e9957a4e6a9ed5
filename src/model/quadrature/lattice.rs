//! Expectations under laws of integers, by their sums.

use super::{Density, Effort, Quadrature, tamed};

/// Integers of one call.
const BLOCK: usize = 4096;
/// At most so many are summed.
const MOST: usize = 1 << 24;
/// What is less than the top by this factor (in logarithms) carries nothing.
const LIGHT: f64 = 45.0;
/// Blocks that add less than this share to every sum end it.
const ENOUGH: f64 = 1e-16;

/// Sums over a range of integers, the mass first.
#[derive(Default)]
struct Sums {
    value: Vec<f64>,
    absolute: Vec<f64>,
    /// of the last blocks on either side
    last: Vec<f64>,
    terms: usize,
}

/// The expectations, if the law has weight on integers that lie not too far apart.
pub fn sum(density: &mut dyn Density<1>, effort: Effort<'_>) -> Option<Quadrature> {
    let grid = candidates();
    let log: Vec<f64> = density.log(&grid).into_iter().map(tamed).collect();
    let best = (0..grid.len()).max_by(|a, b| log[*a].total_cmp(&log[*b]))?;
    if log[best] == f64::NEG_INFINITY {
        return None;
    }
    let (peak, top) = climb(density, grid[best][0], log[best]);
    let heavy = grid.iter().zip(&log).filter(|(_, l)| **l > top - LIGHT).map(|(x, _)| x[0]);
    let (low, high) = heavy.fold((peak, peak), |(a, b), x| (a.min(x), b.max(x)));
    if high - low > MOST as f64 {
        return None;
    }
    let mut sums = Sums::default();
    let mut at = low;
    while at <= high {
        let count = ((high - at) as usize + 1).min(BLOCK);
        sums.add(density, at, count, top);
        at += count as f64;
    }
    sums.last = vec![0.0; sums.value.len()];
    for side in [-1.0, 1.0] {
        let mut at = if side > 0.0 { high + 1.0 } else { low - BLOCK as f64 };
        loop {
            let added = sums.add(density, at, BLOCK, top);
            if sums.terms > MOST || effort.stopped() {
                return None;
            }
            if added.iter().zip(&sums.absolute).all(|(a, all)| *a <= ENOUGH * all) {
                sums.last.iter_mut().zip(added).for_each(|(last, a)| *last += a);
                break;
            }
            at += side * BLOCK as f64;
        }
    }
    let mass = sums.value[0];
    let by_mass = |v: &[f64]| -> Vec<f64> { v[1..].iter().map(|v| v / mass).collect() };
    let absolute = by_mass(&sums.absolute);
    // What follows the last block falls off faster than that; the sums themselves round.
    let behind: Vec<f64> = by_mass(&sums.last);
    let error = absolute.iter().zip(&behind).map(|(a, b)| b + a * f64::EPSILON * 64.0).collect();
    let log_mass = mass.ln() + top;
    Some(Quadrature { value: by_mass(&sums.value), error, absolute, behind, atoms: false, log_mass })
}

/// Integers over all scales, every one near 0.
fn candidates() -> Vec<[f64; 1]> {
    let mut all: Vec<f64> = (0..=2048).map(f64::from).collect();
    let mut x = 2048.0f64;
    while x < 1e15 {
        x = (x * 1.01).round();
        all.push(x);
    }
    all.iter().rev().map(|x| [-x]).chain(all.iter().skip(1).map(|x| [*x])).collect()
}

/// Uphill from an integer by steps that are halved.
fn climb(density: &mut dyn Density<1>, from: f64, height: f64) -> (f64, f64) {
    let (mut at, mut top) = (from, height);
    let mut step = 2f64.powi((from.abs() + 1.0).log2() as i32);
    while step >= 1.0 {
        let near = [[at - step], [at + step]];
        let found = density.log(&near).into_iter().map(tamed).zip(near).max_by(|a, b| a.0.total_cmp(&b.0));
        match found {
            Some((higher, [x])) if higher > top => (at, top) = (x, higher),
            _ => step /= 2.0,
        }
    }
    (at, top)
}

impl Sums {
    /// Adds some integers; the sums of the absolute values of what they add.
    fn add(&mut self, density: &mut dyn Density<1>, from: f64, count: usize, top: f64) -> Vec<f64> {
        let points: Vec<[f64; 1]> = (0..count).map(|k| [from + k as f64]).collect();
        let found = density.all(&points);
        let (mut value, mut absolute) = (vec![0.0; found.len()], vec![0.0; found.len()]);
        for k in 0..count {
            let p = (tamed(found[0][k]) - top).exp();
            if p == 0.0 {
                continue;
            }
            for (c, column) in found.iter().enumerate() {
                let term = if c == 0 { p } else { p * column[k] };
                value[c] += term;
                absolute[c] += term.abs();
            }
        }
        self.value.resize(found.len(), 0.0);
        self.absolute.resize(found.len(), 0.0);
        self.value.iter_mut().zip(&value).for_each(|(a, b)| *a += b);
        self.absolute.iter_mut().zip(&absolute).for_each(|(a, b)| *a += b);
        self.terms += count;
        absolute
    }
}
