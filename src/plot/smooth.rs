//! Densities from counts: smoothing by a normal kernel.

/// A histogram of fine bins as a smooth curve: its counts spread by a normal of standard deviation `width`.
pub fn smoothed(edges: &[f64], densities: &[f64], width: f64) -> Vec<(f64, f64)> {
    let middle = |k: usize| 0.5 * (edges[k] + edges[k + 1]);
    let kernel = |d: f64| (-0.5 * (d / width).powi(2)).exp() / (width * (2.0 * std::f64::consts::PI).sqrt());
    let mass = |k: usize| densities[k] * (edges[k + 1] - edges[k]);
    let n = densities.len().min(edges.len().saturating_sub(1));
    let at = |x: f64| (0..n).map(|k| mass(k) * kernel(x - middle(k))).sum::<f64>();
    (0..n).map(|k| (middle(k), at(middle(k)))).collect()
}

/// The width of the kernel by the rule of B. W. Silverman (Density Estimation, 1986, 3.31), for a histogram of `n` values:
/// 0.9 min(standard deviation, interquartile range / 1.34) n^(-1/5), and no less than a bin.
pub fn silverman(edges: &[f64], densities: &[f64], n: f64) -> f64 {
    let cells: Vec<(f64, f64)> =
        edges.windows(2).zip(densities).map(|(e, d)| (0.5 * (e[0] + e[1]), d * (e[1] - e[0]))).collect();
    let total: f64 = cells.iter().map(|c| c.1).sum();
    let mean = cells.iter().map(|c| c.0 * c.1).sum::<f64>() / total;
    let std = (cells.iter().map(|c| (c.0 - mean).powi(2) * c.1).sum::<f64>() / total).sqrt();
    let quantile = |q: f64| {
        let mut sum = 0.0;
        let found = cells.iter().find(|c| {
            sum += c.1;
            sum >= q * total
        });
        found.map_or(mean, |c| c.0)
    };
    let middle = (quantile(0.75) - quantile(0.25)) / 1.34;
    let spread = if middle > 0.0 { std.min(middle) } else { std };
    let bin = edges.windows(2).map(|e| e[1] - e[0]).fold(0.0, f64::max);
    (0.9 * spread * n.powf(-0.2)).max(bin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_keeps_the_mass() {
        let edges: Vec<f64> = (0..=200).map(|k| -5.0 + 0.05 * f64::from(k)).collect();
        let normal = |x: f64| (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let densities: Vec<f64> = edges.windows(2).map(|e| normal(0.5 * (e[0] + e[1]))).collect();
        let width = silverman(&edges, &densities, 10_000.0);
        assert!((width - 0.9 * 10_000f64.powf(-0.2)).abs() < 0.02, "{width}");
        let curve = smoothed(&edges, &densities, width);
        let mass: f64 = curve.iter().map(|p| p.1 * 0.05).sum();
        assert!((mass - 1.0).abs() < 1e-3, "{mass}");
    }
}
