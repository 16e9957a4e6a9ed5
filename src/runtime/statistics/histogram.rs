//! Histograms with bins of equal width, from sketches.

use super::sketch::Bins;

/// Bins that a histogram has at most when it chooses by itself.
const MOST: f64 = 80.0;

/// Points that a law on points has at most.
const FEW: usize = 1000;

/// A share of the values that is little: a mode beyond a fence has more, a light tail less.
const LITTLE: f64 = 0.002;

/// So many times the interquartile range from the middle half are the fences; the ends of light tails may be further out.
const FENCE: f64 = 3.0;
const LIGHT: f64 = 4.5;

/// Edges of the bins: as many as asked for, else by the rule of D. Freedman and P. Diaconis (Z. Wahrscheinlichkeitstheorie
/// 57 (1981) 453), or twice the cube root of the number of values where that is more (the quartiles of several modes say
/// little of each). Values further out than the outer fences of J. W. Tukey (Exploratory Data Analysis, 1977), three times the
/// interquartile range from the middle half, have no bin, unless they are a mode of their own or a tail that ends soon.
pub fn edges(bins: &Bins, wanted: Option<usize>) -> Vec<f64> {
    let (low, high) = range(bins);
    if low == high {
        let half = (low.abs() * 1e-3).max(0.5);
        return vec![low - half, low + half];
    }
    if wanted.is_none()
        && let Some(edges) = around_points(bins, low, high)
    {
        return edges;
    }
    let width = 2.0 * (bins.quantile(0.75) - bins.quantile(0.25)) / (bins.total() as f64).cbrt();
    let least = (2.0 * (bins.total() as f64).cbrt()).ceil();
    let fit = if width > 0.0 { ((high - low) / width).ceil().max(least).min(MOST) } else { MOST.min(10.0) };
    let count = wanted.unwrap_or(fit as usize).max(1);
    // the last one without rounding, which could leave the largest value out
    let edge = |k: usize| if k == count { high } else { low + (high - low) * k as f64 / count as f64 };
    (0..=count).map(edge).collect()
}

/// Edges halfway between the points of a law on few points of equal distances, such as whole numbers: bins of another width
/// would hold now one and now two of them. Of many points some stand together.
fn around_points(bins: &Bins, low: f64, high: f64) -> Option<Vec<f64>> {
    let points = bins.few_values(FEW)?;
    if bins.total() < 5 * points.len() as u64 {
        return None;
    }
    let gap = points.windows(2).map(|w| w[1] - w[0]).fold(f64::INFINITY, f64::min);
    let steps = |v: f64| (v - points[0]) / gap;
    let off = |v: &f64| (steps(*v) - steps(*v).round()).abs() > 1e-6;
    if gap <= 0.0 || !gap.is_finite() || points.iter().any(off) {
        return None;
    }
    let (first, last) = (steps(low).ceil(), steps(high).floor());
    let together = ((last - first + 1.0) / MOST).ceil();
    let count = ((last - first + 1.0) / together).ceil();
    // few points far from each other leave bins without any
    (count <= MOST)
        .then(|| (0..=count as u32).map(|k| points[0] + gap * (first - 0.5 + together * f64::from(k))).collect())
}

fn range(bins: &Bins) -> (f64, f64) {
    let (least, most) = (bins.quantile(0.0), bins.quantile(1.0));
    let (q1, q3) = (bins.quantile(0.25), bins.quantile(0.75));
    if q1 == q3 {
        return (least, most);
    }
    (end(bins, (q3, q1)), end(bins, (q1, q3)))
}

/// The end of the bins on the side of the second quartile. Heavy tails are cut at the fence. A light one is held but for a little,
/// and so is a mode of its own: a tail reaches ever further, so that a tenth of what lies beyond the fence is much further out than
/// half of it is, and in a mode both are as far.
fn end(bins: &Bins, (other, quartile): (f64, f64)) -> f64 {
    let upper = quartile > other;
    let outermost = |share: f64| bins.quantile(if upper { 1.0 - share } else { share });
    // how far out, in interquartile ranges
    let out = |v: f64| (v - quartile) / (quartile - other);
    let fence = quartile + FENCE * (quartile - other);
    let last = outermost(0.0);
    if out(last) <= LIGHT {
        return last;
    }
    let light = out(outermost(LITTLE));
    if light <= LIGHT {
        return if light > FENCE { outermost(LITTLE) } else { fence };
    }
    let below = bins.count_below(fence) / bins.total() as f64;
    let beyond = if upper { 1.0 - below } else { below };
    let reach = |share: f64| out(outermost(share * beyond)) - FENCE;
    if reach(0.1) > 2.0 * reach(0.5) {
        return fence;
    }
    if reach(0.0) < 3.0 * reach(0.5) { last } else { outermost(0.01 * beyond) }
}

/// The fraction of the values in each bin; the last bin has its upper edge.
pub fn fractions(bins: &Bins, edges: &[f64]) -> Vec<f64> {
    let total = bins.total() as f64;
    let most = bins.quantile(1.0);
    let last = edges[edges.len() - 1];
    let below = |x: f64| if x == last && most <= last { total } else { bins.count_below(x) };
    edges.windows(2).map(|e| (below(e[1]) - below(e[0])) / total).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sketch::Sketch;
    use super::*;
    use crate::runtime::testing::Uniforms;

    fn bins_of(values: impl IntoIterator<Item = f64>, capacity: usize) -> Bins {
        let mut s = Sketch::new(capacity);
        values.into_iter().for_each(|v| s.push(v));
        s.sorted()
    }

    #[test]
    fn all_values_are_counted() {
        let bins = bins_of((0..100).map(f64::from), 1000);
        let e = edges(&bins, Some(10));
        assert_eq!((e[0], e[10]), (0.0, 99.0));
        let f = fractions(&bins, &e);
        assert!((f.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(f.iter().all(|f| (f - 0.1).abs() < 0.011), "{f:?}");
    }

    #[test]
    fn rounding_leaves_no_value_out() {
        let mut u = Uniforms::new(6);
        for _ in 0..200 {
            let bins = bins_of((0..20).map(|_| u.normal()), 1000);
            let f = fractions(&bins, &edges(&bins, Some(7)));
            assert!((f.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{f:?}");
        }
    }

    #[test]
    fn a_normal_looks_normal() {
        let mut u = Uniforms::new(2);
        let bins = bins_of((0..100_000).map(|_| u.normal()), 1 << 12);
        let e = edges(&bins, None);
        assert!(e.len() > 20 && e.len() <= 81);
        for (f, e) in fractions(&bins, &e).iter().zip(e.windows(2)) {
            let p = 0.5 * (libm::erf(e[1] / 2f64.sqrt()) - libm::erf(e[0] / 2f64.sqrt()));
            assert!((f - p).abs() < 5.0 * (p / 1e5).sqrt() + 2e-4, "{f} for {p}");
        }
    }

    #[test]
    fn whole_numbers_stand_in_the_middle_of_bins() {
        let e = edges(&bins_of((0..700).map(|k| f64::from(k % 7)), 1000), None);
        assert_eq!(e, [-0.5, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5]);
        let e = edges(&bins_of((0..5000).map(|k| 0.5 * f64::from(k % 200)), 1000), None);
        assert_eq!((e.len(), e[0], e[1]), (68, -0.25, 1.25), "three together");
    }

    #[test]
    fn one_value_has_one_bin() {
        let bins = bins_of([3.0, 3.0], 10);
        let e = edges(&bins, None);
        assert_eq!(e, [2.5, 3.5]);
        assert_eq!(fractions(&bins, &e), [1.0]);
    }

    #[test]
    fn heavy_tails_are_cut_and_small_modes_are_not() {
        let mut u = Uniforms::new(5);
        let cauchy = bins_of((0..20_000).map(|_| (std::f64::consts::PI * (u.uniform() - 0.5)).tan()), 1 << 15);
        let e = edges(&cauchy, None);
        assert!((6.5..7.5).contains(&e[e.len() - 1]) && (-7.5..-6.5).contains(&e[0]), "{} {}", e[0], e[e.len() - 1]);
        let light = bins_of((0..20_000).map(|_| -u.uniform().ln()), 1 << 15);
        let e = edges(&light, None);
        assert!((5.5..6.5).contains(&e[e.len() - 1]), "an exponential but for a little: {}", e[e.len() - 1]);
        let far = |k: u32| if k.is_multiple_of(20) { 40.0 } else { 0.0 };
        let modes = bins_of((0..20_000).map(|k| far(k) + u.normal()), 1 << 15);
        let e = edges(&modes, None);
        assert!(e[e.len() - 1] > 41.0, "a mode of 5 %: {}", e[e.len() - 1]);
    }

    #[test]
    fn outliers_do_not_widen_it() {
        let mut u = Uniforms::new(9);
        let bins = bins_of((0..1000).map(|_| u.normal()).chain([1e6]), 10_000);
        let e = edges(&bins, None);
        assert!(e[e.len() - 1] < 10.0);
        assert!((fractions(&bins, &e).iter().sum::<f64>() - 1000.0 / 1001.0).abs() < 1e-12);
    }
}
