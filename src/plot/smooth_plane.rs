//! Densities in the plane from counts in cells, smoothed by diffusion as on the line.

use std::f64::consts::PI;

use super::smooth::{Cosines, least_root};

/// The largest order of a derivative whose roughness is estimated from that of rougher ones.
const STAGES: usize = 4;

/// Shares of `n` values in the cells of a square, row by row, spread as by a normal kernel that has for each axis a standard
/// deviation of its own, found from the shares (Z. I. Botev, J. F. Grotowski, D. P. Kroese, The Annals of Statistics 38 (2010)
/// 2916). The sum stays what it is.
pub fn spread(shares: &[f64], side: usize, n: f64) -> Vec<f64> {
    let total: f64 = shares.iter().sum();
    if side < 2 || total <= 0.0 {
        return shares.to_vec();
    }
    let cosines = Cosines::new(side);
    let waves = both_ways(shares, side, |line| cosines.forwards(line));
    let law = Law { squares: waves.iter().map(|a| (a / total).powi(2)).collect(), side, n: (n * total).max(2.0) };
    let [down, along] = law.times();
    let damped = |k: usize, time: f64| (-0.5 * (k as f64 * PI).powi(2) * time).exp();
    let calm: Vec<f64> =
        waves.iter().enumerate().map(|(k, a)| a * damped(k / side, down) * damped(k % side, along)).collect();
    // what is left of a wave can be a little below zero
    let mut heights = both_ways(&calm, side, |line| cosines.backwards(line));
    heights.iter_mut().for_each(|h| *h = h.max(0.0));
    let sum: f64 = heights.iter().sum();
    heights.iter().map(|h| h * total / sum).collect()
}

/// Transforms all rows, then all columns.
fn both_ways(values: &[f64], side: usize, transform: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let rows = |values: &[f64]| values.chunks(side).flat_map(&transform).collect::<Vec<f64>>();
    let turned = |values: &[f64]| (0..side * side).map(|k| values[k % side * side + k / side]).collect::<Vec<f64>>();
    turned(&rows(&turned(&rows(values))))
}

/// A law by the squares of its amplitudes.
struct Law {
    squares: Vec<f64>,
    side: usize,
    n: f64,
}

impl Law {
    /// The squares of the bandwidths down the rows and along them, on a square of length one.
    fn times(&self) -> [f64; 2] {
        let least = (0.3 / self.side as f64).powi(2);
        let best = |t: f64| {
            let all = self.rough([0, 2], t) + self.rough([2, 0], t) + 2.0 * self.rough([1, 1], t);
            (2.0 * PI * self.n * all).powf(-1.0 / 3.0)
        };
        let time = least_root(least, |t| t - best(t)).unwrap_or(0.1 * self.n.powf(-1.0 / 3.0));
        let [down, along, mixed] = [[2, 0], [0, 2], [1, 1]].map(|order| self.rough(order, time));
        let common = 4.0 * PI * self.n * (mixed + (down * along).sqrt());
        let own = |this: f64, other: f64| ((other / this).powf(0.75) / common).cbrt();
        [own(down, along), own(along, down)].map(|t| if t.is_finite() { t.max(least) } else { time })
    }

    /// The squared norm of a derivative of the law, with a sign: at a time that the next rougher ones make best.
    fn rough(&self, order: [usize; 2], t: f64) -> f64 {
        let sum = order[0] + order[1];
        if sum > STAGES {
            return self.norm(order, t);
        }
        let rougher = self.rough([order[0] + 1, order[1]], t) + self.rough([order[0], order[1] + 1], t);
        let odd = |s: usize| (1..=s).map(|k| (2 * k - 1) as f64).product::<f64>() * sign(s) / (2.0 * PI).sqrt();
        let factor = (1.0 + 0.5f64.powi(sum as i32 + 1)) / 3.0;
        let time = (-2.0 * factor * odd(order[0]) * odd(order[1]) / (self.n * rougher)).powf(1.0 / (2 + sum) as f64);
        self.norm(order, time)
    }

    /// The same after diffusing for a time.
    fn norm(&self, order: [usize; 2], time: f64) -> f64 {
        let weights = |s: usize| -> Vec<f64> {
            let one = |k: usize| {
                let square = (k as f64 * PI).powi(2);
                let twice = if k == 0 { 1.0 } else { 2.0 };
                twice * square.powi(s as i32) * (-square * time).exp()
            };
            (0..self.side).map(one).collect()
        };
        let (down, along) = (weights(order[0]), weights(order[1]));
        let row = |(k, row): (usize, &[f64])| down[k] * row.iter().zip(&along).map(|(a, w)| a * w).sum::<f64>();
        sign(order[0] + order[1]) * self.squares.chunks(self.side).enumerate().map(row).sum::<f64>()
    }
}

fn sign(order: usize) -> f64 {
    if order.is_multiple_of(2) { 1.0 } else { -1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::testing::Uniforms;

    #[test]
    fn a_normal_in_the_plane_keeps_its_shape() {
        const SIDE: usize = 64;
        let mut u = Uniforms::new(7);
        let n = 4_000;
        let mut shares = vec![0.0; SIDE * SIDE];
        // twice as wide along the rows
        let cell = |v: f64| ((v + 4.0) / 8.0 * SIDE as f64).clamp(0.0, SIDE as f64 - 1.0) as usize;
        for _ in 0..n {
            let (x, y) = (u.normal(), 0.5 * u.normal());
            shares[cell(y) * SIDE + cell(x)] += 1.0 / f64::from(n);
        }
        let smooth = spread(&shares, SIDE, f64::from(n));
        assert!((smooth.iter().sum::<f64>() - 1.0).abs() < 1e-6);
        let area = (8.0 / SIDE as f64).powi(2);
        let middle = |k: usize| -4.0 + 8.0 * (k as f64 + 0.5) / SIDE as f64;
        let truth = |x: f64, y: f64| (-0.5 * (x * x + 4.0 * y * y)).exp() / PI;
        let off = |values: &[f64]| {
            let one = |k: usize| (values[k] / area - truth(middle(k % SIDE), middle(k / SIDE))).abs();
            (0..SIDE * SIDE).map(one).fold(0.0, f64::max)
        };
        assert!(off(&smooth) < 0.05 && off(&shares) > 0.1, "{} from {}", off(&smooth), off(&shares));
    }

    #[test]
    fn a_point_and_nothing_stay() {
        assert_eq!(spread(&[0.0; 16], 4, 10.0), vec![0.0; 16]);
        let mut point = vec![0.0; 32 * 32];
        point[5 * 32 + 7] = 1.0;
        let smooth = spread(&point, 32, 1_000.0);
        assert!((smooth.iter().sum::<f64>() - 1.0).abs() < 1e-6);
        let top = smooth.iter().copied().fold(0.0, f64::max);
        assert_eq!(smooth.iter().position(|v| *v == top), Some(5 * 32 + 7));
    }
}
