//! From numbers to places: linear and logarithmic scales.

use super::figure::Scale;

impl Scale {
    fn along(self, v: f64) -> f64 {
        match self {
            Scale::Linear | Scale::Index => v,
            Scale::Log => v.log10(),
        }
    }

    fn back(self, v: f64) -> f64 {
        match self {
            Scale::Linear | Scale::Index => v,
            Scale::Log => 10f64.powf(v),
        }
    }

    /// Where a number lies between the ends of a range: 0 and 1 at these.
    pub(super) fn place(self, v: f64, (low, high): (f64, f64)) -> f64 {
        (self.along(v) - self.along(low)) / (self.along(high) - self.along(low))
    }

    /// A range with a share of its length more on either side; a single number gets a range around it.
    pub(super) fn widened(self, (low, high): (f64, f64), share: f64) -> (f64, f64) {
        let (a, b) = (self.along(low), self.along(high));
        let margin = match b - a {
            length if length > 1e-12 * a.abs().max(b.abs()) => share * length,
            _ if self == Scale::Log => 0.5,
            _ => (0.1 * a.abs()).max(0.5),
        };
        (self.back(a - margin), self.back(b + margin))
    }
}
