//! Central moments up to the fourth, streamed and merged without cancellation.
//!
//! Update and merge formulas: P. Pébay, "Formulas for robust, one-pass parallel computation of covariances and
//! arbitrary-order statistical moments", SAND2008-6212 (2008).

/// Count, mean and central power sums `m_k = sum (x - mean)^k` of some numbers.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct Moments {
    pub n: u64,
    pub mean: f64,
    pub m2: f64,
    pub m3: f64,
    pub m4: f64,
}

impl Moments {
    /// Moments of a few numbers in two passes, in their order.
    pub fn of(values: &[f64]) -> Moments {
        if values.is_empty() {
            return Moments::default();
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let mut m = Moments { n: values.len() as u64, mean, ..Moments::default() };
        for v in values {
            let d = v - mean;
            let d2 = d * d;
            m.m2 += d2;
            m.m3 += d2 * d;
            m.m4 += d2 * d2;
        }
        m
    }

    /// The same for at most eight numbers, whose sums are taken as a tree of fixed form.
    pub fn of_few(values: &[f64]) -> Moments {
        let count = values.len();
        if count == 0 {
            return Moments::default();
        }
        let mut d = [0.0; 8];
        d[..count].copy_from_slice(values);
        let mean = tree_sum(&d) / count as f64;
        d[..count].iter_mut().for_each(|x| *x -= mean);
        let square = d.map(|x| x * x);
        let product = |a: &[f64; 8], b: &[f64; 8]| tree_sum(&std::array::from_fn(|k| a[k] * b[k]));
        Moments {
            n: count as u64,
            mean,
            m2: tree_sum(&square),
            m3: product(&square, &d),
            m4: product(&square, &square),
        }
    }

    pub fn push(&mut self, x: f64) {
        let before = self.n as f64;
        self.n += 1;
        let n = self.n as f64;
        let d = x - self.mean;
        let dn = d / n;
        let term = d * dn * before;
        self.m4 += term * dn * dn * (n * n - 3.0 * n + 3.0) + 6.0 * dn * dn * self.m2 - 4.0 * dn * self.m3;
        self.m3 += term * dn * (n - 2.0) - 3.0 * dn * self.m2;
        self.m2 += term;
        self.mean += dn;
    }

    /// The moments of both sets together. The order matters in the last bits: `self` comes first.
    pub fn merge(&self, other: &Moments) -> Moments {
        if self.n == 0 {
            return *other;
        }
        if other.n == 0 {
            return *self;
        }
        let (na, nb) = (self.n as f64, other.n as f64);
        let d = other.mean - self.mean;
        let dn = d / (na + nb);
        let term = d * dn * na * nb;
        Moments {
            n: self.n + other.n,
            mean: self.mean + dn * nb,
            m2: self.m2 + other.m2 + term,
            m3: self.m3 + other.m3 + term * dn * (na - nb) + 3.0 * dn * (na * other.m2 - nb * self.m2),
            m4: self.m4
                + other.m4
                + term * dn * dn * (na * na - na * nb + nb * nb)
                + 6.0 * dn * dn * (na * na * other.m2 + nb * nb * self.m2)
                + 4.0 * dn * (na * other.m3 - nb * self.m3),
        }
    }

    /// The unbiased variance; NaN for fewer than two numbers.
    pub fn variance(&self) -> f64 {
        if self.n < 2 { f64::NAN } else { self.m2 / (self.n - 1) as f64 }
    }

    pub fn std(&self) -> f64 {
        self.variance().sqrt()
    }

    /// Standard error of the mean of independent numbers; NaN where the squares overflow.
    pub fn mean_se(&self) -> f64 {
        known((self.variance() / self.n as f64).sqrt())
    }

    /// Standard error of the variance of independent numbers, `var(s^2) = (mu4 - s^4 (n-3)/(n-1))/n`.
    pub fn variance_se(&self) -> f64 {
        let n = self.n as f64;
        let s2 = self.variance();
        let square = (self.m4 / n - s2 * s2 * (n - 3.0) / (n - 1.0)) / n;
        // rounding may leave a little less than nothing
        if square < 0.0 { 0.0 } else { known(square.sqrt()) }
    }

    /// Third standardised moment, `mu3/mu2^(3/2)`.
    pub fn skewness(&self) -> f64 {
        let n = self.n as f64;
        let s2 = self.m2 / n;
        self.m3 / n / (s2 * s2.sqrt())
    }

    /// Fourth standardised moment, `mu4/mu2^2`: 3 for a normal (plain, not excess).
    pub fn kurtosis(&self) -> f64 {
        let n = self.n as f64;
        let s2 = self.m2 / n;
        self.m4 / n / (s2 * s2)
    }
}

/// An error that came out of an overflow is not known.
fn known(se: f64) -> f64 {
    if se.is_finite() { se } else { f64::NAN }
}

fn tree_sum(x: &[f64; 8]) -> f64 {
    let four: [f64; 4] = std::array::from_fn(|k| x[k] + x[k + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}

/// Count, means and central second moments of pairs.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct Pairs {
    pub n: u64,
    pub mean: [f64; 2],
    pub xx: f64,
    pub xy: f64,
    pub yy: f64,
}

impl Pairs {
    /// Moments of a few pairs in two passes, in their order.
    pub fn of(pairs: &[[f64; 2]]) -> Pairs {
        if pairs.is_empty() {
            return Pairs::default();
        }
        let n = pairs.len() as f64;
        let mean = [pairs.iter().map(|p| p[0]).sum::<f64>() / n, pairs.iter().map(|p| p[1]).sum::<f64>() / n];
        let mut m = Pairs { n: pairs.len() as u64, mean, ..Pairs::default() };
        for p in pairs {
            let (dx, dy) = (p[0] - mean[0], p[1] - mean[1]);
            m.xx += dx * dx;
            m.xy += dx * dy;
            m.yy += dy * dy;
        }
        m
    }

    pub fn push(&mut self, x: f64, y: f64) {
        self.n += 1;
        let n = self.n as f64;
        let (dx, dy) = (x - self.mean[0], y - self.mean[1]);
        self.mean[0] += dx / n;
        self.mean[1] += dy / n;
        let (ex, ey) = (x - self.mean[0], y - self.mean[1]);
        self.xx += dx * ex;
        self.xy += dx * ey;
        self.yy += dy * ey;
    }

    /// Both sets together; `self` comes first.
    pub fn merge(&self, other: &Pairs) -> Pairs {
        if self.n == 0 {
            return *other;
        }
        if other.n == 0 {
            return *self;
        }
        let (na, nb) = (self.n as f64, other.n as f64);
        let n = na + nb;
        let (dx, dy) = (other.mean[0] - self.mean[0], other.mean[1] - self.mean[1]);
        let weight = na * nb / n;
        Pairs {
            n: self.n + other.n,
            mean: [self.mean[0] + dx * nb / n, self.mean[1] + dy * nb / n],
            xx: self.xx + other.xx + dx * dx * weight,
            xy: self.xy + other.xy + dx * dy * weight,
            yy: self.yy + other.yy + dy * dy * weight,
        }
    }

    /// The unbiased covariance; NaN for fewer than two pairs.
    pub fn covariance(&self) -> f64 {
        if self.n < 2 { f64::NAN } else { self.xy / (self.n - 1) as f64 }
    }

    pub fn correlation(&self) -> f64 {
        self.xy / (self.xx.sqrt() * self.yy.sqrt())
    }

    /// For pairs (number of values, their sum), one of each independent unit: the mean of all values.
    pub fn ratio(&self) -> f64 {
        self.mean[1] / self.mean[0]
    }

    /// The standard error of [`Pairs::ratio`] by linearisation: the sum over units of `(sum - ratio*count)^2`, which is
    /// the plain formula for the mean of the units' means where all counts are equal.
    /// W. G. Cochran, Sampling Techniques (3rd ed., 1977), section 2.11.
    pub fn ratio_se(&self) -> f64 {
        if self.n < 2 {
            return f64::NAN;
        }
        let r = self.ratio();
        let n = self.n as f64;
        let spread = (self.yy - 2.0 * r * self.xy + r * r * self.xx).max(0.0);
        (spread / (n - 1.0) / n).sqrt() / self.mean[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::testing::Uniforms;

    fn direct(values: &[f64]) -> (f64, f64, f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let power = |k: i32| values.iter().map(|v| (v - mean).powi(k)).sum::<f64>();
        (mean, power(2), power(3), power(4))
    }

    fn close(a: f64, b: f64, scale: f64) {
        assert!((a - b).abs() <= 1e-11 * scale.abs().max(b.abs()), "{a} is not {b}");
    }

    fn agree(m: &Moments, values: &[f64]) {
        let (mean, m2, m3, m4) = direct(values);
        let s = (m2 / values.len() as f64).sqrt();
        assert_eq!(m.n, values.len() as u64);
        close(m.mean, mean, s);
        close(m.m2, m2, m2);
        close(m.m3, m3, m2 * s);
        close(m.m4, m4, m4);
    }

    #[test]
    fn push_merge_and_two_passes_agree_with_the_definition() {
        let mut u = Uniforms::new(7);
        let values: Vec<f64> = (0..1000).map(|_| 100.0 + (3.0 * u.normal()).exp().min(50.0)).collect();
        let mut pushed = Moments::default();
        values.iter().for_each(|v| pushed.push(*v));
        agree(&pushed, &values);
        agree(&Moments::of(&values), &values);
        (1..=8).for_each(|n| agree(&Moments::of_few(&values[..n]), &values[..n]));
        assert_eq!(Moments::of_few(&[]), Moments::default());
        let merged = values.chunks(13).map(Moments::of).fold(Moments::default(), |a, b| a.merge(&b));
        agree(&merged, &values);
    }

    #[test]
    fn merging_with_nothing_changes_nothing() {
        let m = Moments::of(&[1.0, 2.0, 4.0]);
        assert_eq!(m.merge(&Moments::default()), m);
        assert_eq!(Moments::default().merge(&m), m);
        let p = Pairs::of(&[[1.0, 2.0], [3.0, 5.0]]);
        assert_eq!(p.merge(&Pairs::default()), p);
        assert_eq!(Pairs::default().merge(&p), p);
    }

    #[test]
    fn a_large_offset_does_not_cancel() {
        let values: Vec<f64> = (0..100).map(|k| 1e9 + f64::from(k % 7)).collect();
        let m = values.chunks(8).map(Moments::of).fold(Moments::default(), |a, b| a.merge(&b));
        let small: Vec<f64> = (0..100).map(|k| f64::from(k % 7)).collect();
        let (_, m2, _, _) = direct(&small);
        assert!((m.m2 / m2 - 1.0).abs() < 1e-6);
    }

    #[test]
    fn pairs_agree_with_the_definition() {
        let mut u = Uniforms::new(8);
        let pairs: Vec<[f64; 2]> = (0..500)
            .map(|_| {
                let x = u.normal();
                [x, 0.5 * x + u.normal() + 10.0]
            })
            .collect();
        let mean = |k: usize| pairs.iter().map(|p| p[k]).sum::<f64>() / 500.0;
        let (mx, my) = (mean(0), mean(1));
        let xy: f64 = pairs.iter().map(|p| (p[0] - mx) * (p[1] - my)).sum();
        let mut pushed = Pairs::default();
        pairs.iter().for_each(|p| pushed.push(p[0], p[1]));
        let merged = pairs.chunks(9).map(Pairs::of).fold(Pairs::default(), |a, b| a.merge(&b));
        for p in [pushed, merged, Pairs::of(&pairs)] {
            close(p.xy, xy, xy);
            close(p.covariance(), xy / 499.0, 1.0);
            close(p.mean[1], my, 1.0);
        }
    }

    #[test]
    fn the_ratio_of_equal_counts_is_the_mean_of_means() {
        let sums = [3.0, 4.0, 8.0, 5.5];
        let units: Vec<[f64; 2]> = sums.iter().map(|s| [10.0, *s]).collect();
        let means: Vec<f64> = sums.iter().map(|s| s / 10.0).collect();
        let (p, m) = (Pairs::of(&units), Moments::of(&means));
        close(p.ratio(), m.mean, 1.0);
        close(p.ratio_se(), m.mean_se(), 1.0);
    }
}
