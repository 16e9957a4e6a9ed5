//! Orders of convergence from errors at several step sizes.

use super::statistics::chains::Estimate;
use super::statistics::jackknife;
use super::statistics::moments::Moments;
use super::tree::Merge;

/// Comparisons of the levels with the reference over some paths. The functions of the state `x` that weak errors are
/// about are x and x^2, for each compared row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cells {
    /// for each row: of f(reference)
    pub reference: Vec<[Moments; 2]>,
    /// for each level: of the distance |x - reference| and its square
    pub strong: Vec<[Moments; 2]>,
    /// for each level and row: of f(x) - f(reference)
    pub weak: Vec<Vec<[Moments; 2]>>,
    /// paths that are not finite, at the reference and each level; they take part nowhere
    pub broken: Vec<u64>,
}

impl Merge for Cells {
    fn merge(&mut self, right: &Cells) {
        let pairs = |a: &mut [[Moments; 2]], b: &[[Moments; 2]]| {
            a.iter_mut().zip(b).for_each(|(a, b)| *a = [a[0].merge(&b[0]), a[1].merge(&b[1])]);
        };
        pairs(&mut self.reference, &right.reference);
        pairs(&mut self.strong, &right.strong);
        self.weak.iter_mut().zip(&right.weak).for_each(|(a, b)| pairs(a, b));
        self.broken.iter_mut().zip(&right.broken).for_each(|(a, b)| *a += b);
    }
}

/// What is measured at one number of steps.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelError {
    pub steps: u64,
    /// step length
    pub h: f64,
    /// E |x - reference|, the distance over all compared rows
    pub strong: Estimate,
    /// the root of E |x - reference|^2
    pub rms: Estimate,
    /// for each row: E f(x) - E f(reference) for f = x and f = x^2
    pub weak: Vec<[Estimate; 2]>,
    /// paths that were not finite
    pub diverged: u64,
}

/// Errors of all levels, and the orders fitted to them.
#[derive(Clone, Debug, PartialEq)]
pub struct Converged {
    pub levels: Vec<LevelError>,
    /// slope of the strong error in the step length; NaN if it cannot be fitted
    pub strong_order: Estimate,
    pub rms_order: Estimate,
    /// slope of the weak errors of all rows and functions together, each in units of the standard deviation of f
    pub weak_order: Estimate,
    pub reference_diverged: u64,
    pub finished: u64,
    /// numbers of steps whose weak error is below its noise; they are left out of the fit
    pub too_noisy: Vec<u64>,
    /// numbers of steps whose errors are no more than rounding; they are left out of all fits
    pub rounding: Vec<u64>,
    /// the steps follow no path, though noise was shared
    pub pathless: bool,
}

impl Converged {
    /// The distances from the reference say nothing.
    pub fn follows_no_path(&mut self) {
        let none = Estimate { value: f64::NAN, se: f64::NAN };
        (self.strong_order, self.rms_order, self.pathless) = (none, none, true);
        self.levels.iter_mut().for_each(|level| (level.strong, level.rms) = (none, none));
    }
}

/// How exact the paths are that errors are measured with.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Exactness {
    /// the relative rounding of an operation
    pub epsilon: f64,
    /// steps of the reference
    pub reference: u64,
    /// all paths are the same
    pub deterministic: bool,
}

/// Errors below so many roundings of the state at each step, which add up like independent ones, are rounding.
const ROUNDINGS: f64 = 4.0;

/// Weak errors count for the order if they are so many standard errors large.
const CLEAR: f64 = 2.0;

/// Errors are not taken as known better than this, relatively: without noise all levels are certain and weigh the same.
const CERTAIN: f64 = 1e-9;

pub(super) fn conclude(
    steps: &[u64],
    span: f64,
    rows: usize,
    groups: &[Cells],
    finished: u64,
    exact: Exactness,
) -> Converged {
    let all = together(groups, steps.len(), rows);
    let size = all.reference.iter().map(|r| r[1].mean.max(0.0)).sum::<f64>().sqrt();
    let least = ROUNDINGS * exact.epsilon * size * (exact.reference as f64).sqrt();
    let h: Vec<f64> = steps.iter().map(|n| span / *n as f64).collect();
    let levels: Vec<LevelError> = (0..steps.len()).map(|k| level(&all, k, steps[k], h[k])).collect();
    let order = |error: &dyn Fn(&Cells, usize) -> f64, relative: &dyn Fn(usize) -> Option<f64>| {
        let weights: Vec<f64> = (0..steps.len()).map(|k| relative(k).map_or(0.0, |r| 1.0 / (r * r))).collect();
        let fit = |cells: &Cells| slope(&h, &(0..h.len()).map(|k| error(cells, k)).collect::<Vec<_>>(), &weights);
        let weight = |c: &Cells| c.strong.first().map_or(0.0, |s| s[0].n as f64);
        Estimate { value: fit(&all), se: jackknife::standard_error(groups, weight, merged, fit) }
    };
    let rounding = |k: usize| levels[k].rms.value <= least;
    let strong = |k: usize| if rounding(k) { None } else { relative(&levels[k].strong) };
    let rms = |k: usize| if rounding(k) { None } else { relative(&levels[k].rms) };
    let weak = |k: usize| {
        if rounding(k) {
            return None;
        }
        let size = weak_size(&all, k);
        let r = weak_noise(&all, k) / size;
        (size > 0.0 && r < 1.0 / CLEAR).then_some(r.max(CERTAIN))
    };
    let strong_order = order(&|c, k| c.strong[k][0].mean, &strong);
    // A single path that is the only one there is has no spread to compare its errors with: both errors are the same.
    let single = exact.deterministic && finished == 1;
    Converged {
        strong_order,
        rms_order: order(&|c, k| c.strong[k][1].mean.sqrt(), &rms),
        weak_order: if single { strong_order } else { order(&weak_size, &weak) },
        reference_diverged: all.broken.first().copied().unwrap_or(0),
        finished,
        too_noisy: (0..steps.len())
            .filter(|k| !single && !rounding(*k) && weak(*k).is_none())
            .map(|k| steps[k])
            .collect(),
        rounding: (0..steps.len()).filter(|k| rounding(*k)).map(|k| steps[k]).collect(),
        pathless: false,
        levels,
    }
}

fn together(groups: &[Cells], levels: usize, rows: usize) -> Cells {
    let mut all = Cells {
        reference: vec![Default::default(); rows],
        strong: vec![Default::default(); levels],
        weak: vec![vec![Default::default(); rows]; levels],
        broken: vec![0; levels + 1],
    };
    groups.iter().for_each(|g| all.merge(g));
    all
}

fn merged(a: &Cells, b: &Cells) -> Cells {
    let mut both = a.clone();
    both.merge(b);
    both
}

fn level(all: &Cells, k: usize, steps: u64, h: f64) -> LevelError {
    let mean = |m: &Moments| Estimate { value: if m.n == 0 { f64::NAN } else { m.mean }, se: m.mean_se() };
    let square = mean(&all.strong[k][1]);
    let rms = square.value.sqrt();
    LevelError {
        steps,
        h,
        strong: mean(&all.strong[k][0]),
        rms: Estimate { value: rms, se: square.se / (2.0 * rms) },
        weak: all.weak[k].iter().map(|row| [mean(&row[0]), mean(&row[1])]).collect(),
        diverged: all.broken[k + 1],
    }
}

/// The standard error in units of the value. That of a single path is unknown at every level: they weigh the same.
fn relative(e: &Estimate) -> Option<f64> {
    (e.value > 0.0).then(|| (e.se / e.value).max(CERTAIN))
}

/// Means and standard errors of the weak errors of a level, in units of the standard deviation of f(reference).
fn scaled_weak(cells: &Cells, k: usize) -> impl Iterator<Item = (f64, f64)> {
    let rows = cells.weak[k].iter().zip(&cells.reference);
    rows.flat_map(|(row, reference)| {
        [0, 1].map(|f| {
            let spread = reference[f].std();
            let unit = if spread > 0.0 { spread } else { 1.0 };
            (row[f].mean / unit, row[f].mean_se() / unit)
        })
    })
}

/// The length of the vector of weak errors, freed of what noise adds to its square on average.
fn weak_size(cells: &Cells, k: usize) -> f64 {
    scaled_weak(cells, k).map(|(d, se)| d * d - se * se).sum::<f64>().max(0.0).sqrt()
}

/// The standard error of that length, to first order.
fn weak_noise(cells: &Cells, k: usize) -> f64 {
    let (mut along, mut size) = (0.0, 0.0);
    for (d, se) in scaled_weak(cells, k) {
        along += d * d * se * se;
        size += d * d;
    }
    if size > 0.0 { (along / size).sqrt() } else { f64::INFINITY }
}

/// The slope of log2(error) in log2(h), by weighted least squares; points without a weight or a positive error do not
/// take part. NaN for fewer than two.
pub fn slope(h: &[f64], errors: &[f64], weights: &[f64]) -> f64 {
    let points = h.iter().zip(errors).zip(weights).filter(|((_, e), w)| **e > 0.0 && e.is_finite() && **w > 0.0);
    let points: Vec<(f64, f64, f64)> = points.map(|((h, e), w)| (h.log2(), e.log2(), *w)).collect();
    if points.len() < 2 {
        return f64::NAN;
    }
    let total: f64 = points.iter().map(|p| p.2).sum();
    let mean_x = points.iter().map(|p| p.2 * p.0).sum::<f64>() / total;
    let mean_y = points.iter().map(|p| p.2 * p.1).sum::<f64>() / total;
    let xy: f64 = points.iter().map(|p| p.2 * (p.0 - mean_x) * (p.1 - mean_y)).sum();
    let xx: f64 = points.iter().map(|p| p.2 * (p.0 - mean_x) * (p.0 - mean_x)).sum();
    xy / xx
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::testing::Uniforms;

    #[test]
    fn the_slope_of_a_power_is_its_exponent() {
        let h = [0.5, 0.25, 0.125, 0.0625];
        let errors: Vec<f64> = h.iter().map(|h: &f64| 3.0 * h.powf(1.5)).collect();
        for weights in [[1.0; 4], [1.0, 2.0, 3.0, 0.0]] {
            assert!((slope(&h, &errors, &weights) - 1.5).abs() < 1e-12);
        }
        assert!(slope(&h[..1], &errors[..1], &[1.0]).is_nan());
        assert!(slope(&h, &[0.0; 4], &[1.0; 4]).is_nan());
    }

    const EXACT: Exactness = Exactness { epsilon: f64::EPSILON, reference: 128, deterministic: false };

    #[test]
    fn errors_that_are_rounding_have_no_order() {
        let steps = [8u64, 16, 32];
        let cells = |errors: [f64; 3]| Cells {
            reference: vec![[Moments::of(&[1.0]), Moments::of(&[1.0])]],
            strong: errors.iter().map(|e| [Moments::of(&[*e]), Moments::of(&[e * e])]).collect(),
            weak: errors.iter().map(|e| vec![[Moments::of(&[*e]), Moments::of(&[2.0 * e])]]).collect(),
            broken: vec![0; 4],
        };
        let exact = Exactness { deterministic: true, ..EXACT };
        let c = conclude(&steps, 1.0, 1, &[cells([5e-16, 1.7e-16, 1e-16])], 1, exact);
        assert!(c.strong_order.value.is_nan() && c.weak_order.value.is_nan(), "{c:?}");
        assert_eq!(c.rounding, steps);
        let c = conclude(&steps, 1.0, 1, &[cells([4e-3, 1e-3, 2.5e-4])], 1, exact);
        assert!((c.strong_order.value - 2.0).abs() < 1e-9, "{c:?}");
        assert!((c.weak_order.value - 2.0).abs() < 1e-9, "{c:?}");
        assert!(c.rounding.is_empty() && c.too_noisy.is_empty());
    }

    /// Synthetic paths: strong errors of order 1/2, weak errors of order 1.
    fn synthetic(paths: usize, noise: f64, seed: u64) -> (Vec<u64>, Vec<Cells>) {
        let mut u = Uniforms::new(seed);
        let steps = [8u64, 16, 32, 64];
        let groups = (0..32).map(|_| {
            let mut values = vec![vec![]; 4];
            let mut reference = vec![];
            for _ in 0..paths / 32 {
                let x = u.normal();
                reference.push(x);
                for (k, n) in steps.iter().enumerate() {
                    let h = 1.0 / *n as f64;
                    values[k].push(x + 0.2 * h + noise * h.sqrt() * u.normal());
                }
            }
            let of = |f: &dyn Fn(usize) -> f64| Moments::of(&(0..reference.len()).map(f).collect::<Vec<_>>());
            let gap = |k: usize, p: usize| values[k][p] - reference[p];
            Cells {
                reference: vec![[of(&|p| reference[p]), of(&|p| reference[p].powi(2))]],
                strong: (0..4).map(|k| [of(&|p| gap(k, p).abs()), of(&|p| gap(k, p).powi(2))]).collect(),
                weak: (0..4)
                    .map(|k| vec![[of(&|p| gap(k, p)), of(&|p| values[k][p].powi(2) - reference[p].powi(2))]])
                    .collect(),
                broken: vec![0; 5],
            }
        });
        (steps.to_vec(), groups.collect())
    }

    #[test]
    fn orders_of_synthetic_errors() {
        let (steps, groups) = synthetic(32_000, 1.0, 2);
        let c = conclude(&steps, 1.0, 1, &groups, 32_000, EXACT);
        // The drift adds a little to the strong error of large steps.
        assert!((c.strong_order.value - 0.5).abs() < 0.02, "{:?}", c.strong_order);
        assert!(c.strong_order.se < 0.01);
        let (steps, groups) = synthetic(32_000, 0.05, 3);
        let c = conclude(&steps, 1.0, 1, &groups, 32_000, EXACT);
        assert!((c.weak_order.value - 1.0).abs() < 4.0 * c.weak_order.se + 0.01, "{:?}", c.weak_order);
        assert!(c.weak_order.se < 0.1);
        assert!(c.too_noisy.is_empty());
    }

    #[test]
    fn noisy_weak_errors_are_left_out() {
        let (steps, groups) = synthetic(320, 1.0, 4);
        let c = conclude(&steps, 1.0, 1, &groups, 320, EXACT);
        assert!(c.too_noisy.contains(&64), "{:?}", c.too_noisy);
        assert!(c.weak_order.value.is_nan() || c.weak_order.se > 0.1);
    }

    #[test]
    fn without_paths_nothing_is_known() {
        let c = conclude(&[8, 16], 1.0, 1, &[], 0, EXACT);
        assert!(c.strong_order.value.is_nan() && c.levels[0].strong.value.is_nan());
    }
}
