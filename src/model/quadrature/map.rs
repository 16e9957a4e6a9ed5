//! Coordinates in which a density is smooth and falls off exponentially, by axis: from the whole line, or from the edges
//! of the support, where a density may jump or have a pole.

use super::modes::{Log, Mode};

/// One axis: x as a function of u.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Axis {
    /// `c + s sinh(u)`
    Line { centre: f64, scale: f64 },
    /// `edge + s exp(u)`, with `s` negative for what lies below
    Half { edge: f64, scale: f64 },
    /// `lo + (hi - lo)/(1 + exp(-u))`
    Between { lo: f64, hi: f64 },
}

/// sinh(36) is about 2e15, and exp(80) about 5e34.
const END: f64 = 36.0;
const FAR: f64 = 80.0;

/// The distance from an edge below which there are no numbers to tell points apart.
fn resolution(edge: f64) -> f64 {
    if edge == 0.0 { 1e-300 } else { 2.0 * f64::EPSILON * edge.abs() }
}

impl Axis {
    fn x(&self, u: f64) -> f64 {
        match *self {
            Axis::Line { centre, scale } => centre + scale * u.sinh(),
            Axis::Half { edge, scale } => edge + scale * u.exp(),
            Axis::Between { lo, hi } if u < 0.0 => lo + (hi - lo) * (u.exp() / (1.0 + u.exp())),
            Axis::Between { lo, hi } => hi - (hi - lo) * ((-u).exp() / (1.0 + (-u).exp())),
        }
    }

    fn u(&self, x: f64) -> f64 {
        let u = match *self {
            Axis::Line { centre, scale } => ((x - centre) / scale).asinh(),
            Axis::Half { edge, scale } => ((x - edge) / scale).ln(),
            Axis::Between { lo, hi } => ((x - lo) / (hi - x)).ln(),
        };
        let (low, high) = self.ends();
        if u.is_nan() { low } else { u.clamp(low, high) }
    }

    /// dx/du, without its sign.
    fn stretch(&self, u: f64) -> f64 {
        match *self {
            Axis::Line { scale, .. } => scale * u.cosh(),
            Axis::Half { scale, .. } => scale.abs() * u.exp(),
            Axis::Between { lo, hi } => {
                let e = (-u.abs()).exp();
                (hi - lo) * e / ((1.0 + e) * (1.0 + e))
            }
        }
    }

    /// Where the mapped space ends.
    pub fn ends(&self) -> (f64, f64) {
        match *self {
            Axis::Line { .. } => (-END, END),
            Axis::Half { edge, scale } => ((resolution(edge) / scale.abs()).ln().min(-2.0), FAR),
            Axis::Between { lo, hi } => {
                let end = |edge: f64| (resolution(edge) / (hi - lo)).ln().min(-2.0);
                (end(lo), -end(hi))
            }
        }
    }

    /// Whether an edge lies within a few widths of a mode.
    pub fn is_at_an_edge(&self, at: f64, width: f64) -> bool {
        let near = |edge: f64| (at - edge).abs() <= 4.0 * width;
        match *self {
            Axis::Line { .. } => false,
            Axis::Half { edge, .. } => near(edge),
            Axis::Between { lo, hi } => near(lo) || near(hi),
        }
    }

    /// How much may lie behind the lower and the upper end, in units of what lies in the last piece of length 1 before it:
    /// a pole at an edge falls off slowly.
    fn behind(&self) -> (f64, f64) {
        match self {
            Axis::Line { .. } => (1.0, 1.0),
            Axis::Half { .. } => (10.0, 1.0),
            Axis::Between { .. } => (10.0, 10.0),
        }
    }
}

/// The coordinates of all axes.
#[derive(Copy, Clone, Debug)]
pub struct Map<const D: usize> {
    pub axes: [Axis; D],
    /// see [`Axis::behind`]
    pub behind: [(f64, f64); D],
}

impl<const D: usize> Map<D> {
    pub fn x(&self, u: [f64; D]) -> [f64; D] {
        std::array::from_fn(|k| self.axes[k].x(u[k]))
    }

    pub fn u(&self, x: [f64; D]) -> [f64; D] {
        std::array::from_fn(|k| self.axes[k].u(x[k]))
    }

    pub fn stretch(&self, axis: usize, u: f64) -> f64 {
        self.axes[axis].stretch(u)
    }

    /// The place of a mode. One at an edge, which is infinitely far there, stands a width away from it.
    pub fn place(&self, at: [f64; D], width: [f64; D]) -> [f64; D] {
        let inside = |k: usize| match self.axes[k] {
            Axis::Line { .. } => at[k],
            Axis::Half { edge, scale } if scale > 0.0 => at[k].max(edge + width[k]),
            Axis::Half { edge, .. } => at[k].min(edge - width[k]),
            Axis::Between { lo, hi } => {
                let by = width[k].min((hi - lo) / 2.0);
                at[k].clamp(lo + by, hi - by)
            }
        };
        self.u(std::array::from_fn(inside))
    }

    /// A map with its bulk where the modes are, from the edges of the support where it has some across an axis.
    pub fn of(log: &mut Log<'_, D>, modes: &[Mode<D>]) -> Map<D> {
        let points = around(log, modes);
        let top = modes.iter().map(|m| m.height).fold(f64::NEG_INFINITY, f64::max);
        let axes = std::array::from_fn(|k| {
            let lo = modes.iter().map(|m| m.at[k]).fold(f64::INFINITY, f64::min);
            let hi = modes.iter().map(|m| m.at[k]).fold(f64::NEG_INFINITY, f64::max);
            let wide = modes.iter().map(|m| m.width[k]).fold(0.0, f64::max);
            let [below, above] = [-1.0, 1.0].map(|side| edge(log, &points, k, side, wide, top));
            match (below, above) {
                (Some(lo), Some(hi)) if hi > lo => Axis::Between { lo, hi },
                (Some(edge), None) => Axis::Half { edge, scale: (hi - edge).max(wide) },
                (None, Some(edge)) => Axis::Half { edge, scale: -(edge - lo).max(wide) },
                _ => Axis::Line { centre: (lo + hi) / 2.0, scale: ((hi - lo) / 2.0).max(2.0 * wide) },
            }
        });
        Map { axes, behind: axes.map(|axis| axis.behind()) }
    }
}

/// A slower fall than by this exponent is not told from none.
const SLOWEST: f64 = 1e-3;

impl Map<1> {
    /// The same, with what may lie behind an end by how the density of u falls off towards it: as `1/a` for `exp(a u)`.
    pub fn with_tails(mut self, log: &mut Log<'_, 1>) -> Map<1> {
        let axis = self.axes[0];
        let (lo, hi) = axis.ends();
        let mut fall = |end: f64, inward: f64| {
            let at = [[axis.x(end + 0.5 * inward)], [axis.x(end + 1.5 * inward)]];
            let by = log(&at);
            let u = [end + 0.5 * inward, end + 1.5 * inward].map(|u| axis.stretch(u).ln());
            let rise = (by[1] + u[1]) - (by[0] + u[0]);
            if rise.is_nan() { 1.0 } else { 1.0 / rise.max(SLOWEST) }
        };
        let (below, above) = self.behind[0];
        self.behind[0] = (below.max(fall(lo, 1.0)), above.max(fall(hi, -1.0)));
        self
    }
}

/// Points with a density at the modes and around them.
fn around<const D: usize>(log: &mut Log<'_, D>, modes: &[Mode<D>]) -> Vec<[f64; D]> {
    let mut points = Vec::new();
    for m in modes {
        points.push(m.at);
        for k in 0..D {
            for by in [-2.0, -0.5, 0.5, 2.0] {
                let mut x = m.at;
                x[k] += by * m.width[k];
                points.push(x);
            }
        }
    }
    let values = log(&points);
    points.into_iter().zip(values).filter(|(_, l)| *l > f64::NEG_INFINITY).map(|p| p.0).collect()
}

/// The edge of the support across an axis, below (`side` -1) or above: where lines from all the points meet the end of
/// it at one place.
fn edge<const D: usize>(
    log: &mut Log<'_, D>,
    points: &[[f64; D]],
    axis: usize,
    side: f64,
    width: f64,
    top: f64,
) -> Option<f64> {
    let moved = |x: &[f64; D], to: f64| {
        let mut x = *x;
        x[axis] = to;
        x
    };
    let mut lines: Vec<(f64, f64)> = Vec::new();
    for x in points {
        let far: Vec<f64> = (0..140).map(|j| x[axis] + side * width * 1e-3 * 2f64.powi(j)).collect();
        let values = log(&far.iter().map(|to| moved(x, *to)).collect::<Vec<_>>());
        let last = values.iter().rposition(|l| *l > f64::NEG_INFINITY);
        if last.is_some_and(|j| j + 1 == far.len()) {
            return None;
        }
        lines.push((last.map_or(x[axis], |j| far[j]), far[last.map_or(0, |j| j + 1)]));
    }
    // an edge at 0 is met at once; bisection would take a thousand turns through ever smaller numbers
    let tiny = -side * 1e-290;
    let at_zero = lines.iter().all(|(inside, outside)| inside * side <= 0.0 && outside * side >= 0.0)
        && log(&points.iter().map(|x| moved(x, tiny)).collect::<Vec<_>>()).iter().all(|l| *l > f64::NEG_INFINITY);
    if at_zero && lines.iter().all(|l| l.1 != 0.0 || l.0 != 0.0) {
        lines.iter_mut().for_each(|l| *l = (0.0, 0.0));
    }
    for _ in 0..120 {
        let middles: Vec<[f64; D]> = points.iter().zip(&lines).map(|(x, l)| moved(x, 0.5 * (l.0 + l.1))).collect();
        let values = log(&middles);
        for ((line, value), middle) in lines.iter_mut().zip(values).zip(middles) {
            let end = if value > f64::NEG_INFINITY { &mut line.0 } else { &mut line.1 };
            *end = middle[axis];
        }
    }
    let first = lines.first()?.0;
    let near = |e: f64| (e - first).abs() <= 1e-9 * (first.abs() + 1e-3 * width);
    if !lines.iter().all(|l| near(l.0)) {
        return None;
    }
    // an edge where the density has long fallen to nothing is the end of the numbers
    let inside: Vec<[f64; D]> = points.iter().map(|x| moved(x, first + 1e-6 * (x[axis] - first))).collect();
    log(&inside).into_iter().any(|l| l > top - 700.0).then_some(first)
}
