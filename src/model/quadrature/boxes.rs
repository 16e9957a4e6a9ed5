//! Adaptive quadrature over boxes.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::map::Map;
use super::modes::Mode;
use super::{Density, Effort, tamed};

/// `exp(log(x) - top)` times 1 and each function, over u with `x = map(u)`.
pub struct Integrand<'a, const D: usize> {
    pub density: &'a mut dyn Density<D>,
    pub map: Map<D>,
    pub top: f64,
    pub components: usize,
    /// relative error of the density from the rounding of x
    pub noise: f64,
    pub evaluations: usize,
}

/// Sums by component; the first is the mass.
pub struct Total {
    pub value: Vec<f64>,
    pub error: Vec<f64>,
    /// of the absolute values
    pub absolute: Vec<f64>,
    /// the part of the error that may lie behind the ends of the space
    pub behind: Vec<f64>,
}

/// Nodes of the Kronrod rule of 15 points from the outside to the centre, their weights, and the weights of the Gauss
/// rule of 7 points at every other node (QUADPACK, qk15).
#[allow(clippy::excessive_precision)]
const NODES: [(f64, f64, f64); 8] = [
    (0.991455371120812639206854697526329, 0.022935322010529224963732008058970, 0.0),
    (0.949107912342758524526189684047851, 0.063092092629978553290700663189204, 0.129484966168869693270611432679082),
    (0.864864423359769072789712788640926, 0.104790010322250183839876322541518, 0.0),
    (0.741531185599394439863864773280788, 0.140653259715525918745189590510238, 0.279705391489276667901467771423780),
    (0.586087235467691130294144838258730, 0.169004726639267902826583426598550, 0.0),
    (0.405845151377397166906606412076961, 0.190350578064785409913256402421014, 0.381830050505118944950369775488975),
    (0.207784955007898467600689403773245, 0.204432940075298892414161999234649, 0.0),
    (0.0, 0.209482141084727828012999174891714, 0.417959183673469387755102040816327),
];

/// Node, Kronrod weight and Gauss weight on [-1, 1].
fn rule() -> [(f64, f64, f64); 15] {
    std::array::from_fn(|k| {
        let (x, w, g) = NODES[if k < 8 { k } else { 14 - k }];
        (if k < 8 { -x } else { x }, w, g)
    })
}

struct Cell<const D: usize> {
    lo: [f64; D],
    hi: [f64; D],
    value: Vec<f64>,
    error: Vec<f64>,
    /// integrals of the absolute values
    absolute: Vec<f64>,
    /// axis along which the rules differ most
    axis: usize,
    /// largest error relative to the whole integral of that component
    key: f64,
}

impl<const D: usize> PartialEq for Cell<D> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<const D: usize> Eq for Cell<D> {}

impl<const D: usize> PartialOrd for Cell<D> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<const D: usize> Ord for Cell<D> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.total_cmp(&other.key)
    }
}

/// The integrals. Boxes are halved until the error is small against the integrals of the absolute values, and until no
/// box is much larger than a neighbour that carries something: what lies between the nodes of a large box shows at its
/// border.
pub fn integrate<const D: usize>(
    integrand: &mut Integrand<D>,
    modes: &[Mode<D>],
    further: &[Mode<D>],
    effort: Effort<'_>,
) -> Total {
    let mut cells = Cells { done: BinaryHeap::new(), size: vec![0.0; integrand.components + 1] };
    let first: Vec<Cell<D>> =
        first_boxes(&integrand.map, modes, further).into_iter().map(|(lo, hi)| measure(integrand, lo, hi)).collect();
    for cell in &first {
        for (size, a) in cells.size.iter_mut().zip(&cell.absolute) {
            *size += a;
        }
    }
    for cell in first {
        cells.push(cell);
    }
    // below the rounding nothing is won
    let effort = Effort { tolerance: effort.tolerance + 2.0 * integrand.noise, ..effort };
    cells.refine(integrand, effort);
    while cells.balance(integrand, effort) {
        cells.refine(integrand, effort);
    }
    sum(integrand.components, &integrand.map, cells.done)
}

/// Boxes are compared with one another up to so many.
const MOST_COMPARED: usize = 6000;

/// Boxes that cover the space, the one with the largest error on top.
struct Cells<const D: usize> {
    done: BinaryHeap<Cell<D>>,
    /// rough integrals of the absolute values, by component
    size: Vec<f64>,
}

impl<const D: usize> Cells<D> {
    /// The largest of these, relative to the whole of its component.
    fn relative(&self, parts: &[f64]) -> f64 {
        parts.iter().zip(&self.size).map(|(p, s)| if *p == 0.0 { 0.0 } else { p.abs() / s }).fold(0.0, f64::max)
    }

    /// Keeps a box; its error relative to the whole.
    fn push(&mut self, cell: Cell<D>) -> f64 {
        let key = self.relative(&cell.error);
        self.done.push(Cell { key, ..cell });
        key
    }

    /// Replaces a box by its halves; the error of both.
    fn split(&mut self, integrand: &mut Integrand<D>, cell: &Cell<D>, axis: usize) -> f64 {
        let middle = (cell.lo[axis] + cell.hi[axis]) / 2.0;
        let parts = halves(cell.lo, cell.hi, axis, middle);
        parts.into_iter().map(|(lo, hi)| self.push(measure(integrand, lo, hi))).sum()
    }

    /// Halves the worst box again and again.
    fn refine(&mut self, integrand: &mut Integrand<D>, effort: Effort<'_>) {
        let mut left: f64 = self.done.iter().map(|c| c.key).sum();
        while left > effort.tolerance && integrand.evaluations < effort.evaluations && !effort.stopped() {
            let Some(worst) = self.done.pop() else { return };
            let (lo, hi) = (worst.lo[worst.axis], worst.hi[worst.axis]);
            left -= worst.key;
            if hi - lo < 1e-13 * hi.abs().max(1e-3) {
                // a pole or a jump at the limit of the numbers: its error stays in the sum
                self.done.push(Cell { key: 0.0, ..worst });
            } else {
                left += self.split(integrand, &worst, worst.axis);
            }
        }
    }

    /// Halves the boxes that are much larger than a neighbour that carries something; whether there were any.
    fn balance(&mut self, integrand: &mut Integrand<D>, effort: Effort<'_>) -> bool {
        if self.done.len() > MOST_COMPARED {
            return false;
        }
        let cells = std::mem::take(&mut self.done).into_vec();
        let carriers: Vec<(Corners<D>, f64)> = cells
            .iter()
            .map(|c| ((c.lo, c.hi), self.relative(&c.absolute)))
            .filter(|(_, part)| *part > effort.tolerance)
            .collect();
        let mut changed = false;
        for cell in cells {
            let length = |(lo, hi): Corners<D>, k: usize| hi[k] - lo[k];
            let axis = (0..D).find(|k| {
                let much_larger = |n: &&(Corners<D>, f64)| length((cell.lo, cell.hi), *k) > 4.0 * length(n.0, *k);
                carriers.iter().filter(much_larger).any(|n| touch((cell.lo, cell.hi), n.0))
            });
            match axis {
                Some(axis) if integrand.evaluations < effort.evaluations && !effort.stopped() => {
                    changed = true;
                    self.split(integrand, &cell, axis);
                }
                _ => self.done.push(cell),
            }
        }
        changed
    }
}

type Corners<const D: usize> = ([f64; D], [f64; D]);

/// Whether two closed boxes have a point in common.
fn touch<const D: usize>(a: Corners<D>, b: Corners<D>) -> bool {
    (0..D).all(|k| a.0[k] <= b.1[k] && b.0[k] <= a.1[k])
}

fn halves<const D: usize>(lo: [f64; D], hi: [f64; D], axis: usize, middle: f64) -> [Corners<D>; 2] {
    let (mut below, mut above) = (hi, lo);
    below[axis] = middle;
    above[axis] = middle;
    [(lo, below), (above, hi)]
}

fn sum<const D: usize>(components: usize, map: &Map<D>, cells: BinaryHeap<Cell<D>>) -> Total {
    let none = vec![0.0; components + 1];
    let mut total = Total { value: none.clone(), error: none.clone(), absolute: none.clone(), behind: none };
    for cell in cells {
        let behind = (0..D)
            .map(|k| {
                let ((lo, hi), (below, above)) = (map.axes[k].ends(), map.behind[k]);
                let below = if cell.lo[k] <= lo { below } else { 0.0 };
                let above = if cell.hi[k] >= hi { above } else { 0.0 };
                // the piece of length 1 at the end may have been halved: its last part stands for it
                below.max(above) / (cell.hi[k] - cell.lo[k]).min(1.0)
            })
            .fold(0.0, f64::max);
        for k in 0..=components {
            total.value[k] += cell.value[k];
            total.absolute[k] += cell.absolute[k];
            total.error[k] += cell.error[k] + behind * cell.absolute[k];
            total.behind[k] += behind * cell.absolute[k];
        }
    }
    total
}

/// Boxes that are small at the modes: at most a few widths long at each, and growing no faster than the distance from
/// it, so that no ridge that leads away slips between the nodes of a large box.
fn first_boxes<const D: usize>(map: &Map<D>, modes: &[Mode<D>], further: &[Mode<D>]) -> Vec<Corners<D>> {
    let places: Vec<([f64; D], [f64; D])> = modes
        .iter()
        .map(|m| {
            let u = map.place(m.at, m.width);
            (u, std::array::from_fn(|k| m.width[k] / map.stretch(k, u[k])))
        })
        .chain(further.iter().map(|m| (m.at, m.width)))
        .collect();
    // The ends are cut off so that what is there can be seen.
    let parts: [[(f64, f64); 3]; D] = std::array::from_fn(|k| {
        let (lo, hi) = map.axes[k].ends();
        [(lo, lo + 1.0), (lo + 1.0, hi - 1.0), (hi - 1.0, hi)]
    });
    let mut open: Vec<Corners<D>> = (0..3usize.pow(D as u32))
        .map(|code| {
            let part = |k: usize| parts[k][code / 3usize.pow(k as u32) % 3];
            (std::array::from_fn(|k| part(k).0), std::array::from_fn(|k| part(k).1))
        })
        .collect();
    let mut done = Vec::new();
    while let Some((lo, hi)) = open.pop() {
        match too_long(&places, lo, hi) {
            Some(axis) => open.extend(halves(lo, hi, axis, (lo[axis] + hi[axis]) / 2.0)),
            None => done.push((lo, hi)),
        }
    }
    done
}

/// No first box is shorter: a mode that is narrower is left to what is found in its box.
const SHORTEST: f64 = 1e-9;

/// The axis along which a box is longest against what some mode allows, where that is too long.
fn too_long<const D: usize>(places: &[([f64; D], [f64; D])], lo: [f64; D], hi: [f64; D]) -> Option<usize> {
    let mut longest = (0, 1.0);
    for (at, width) in places {
        let distance = (0..D).map(|k| (lo[k] - at[k]).max(at[k] - hi[k])).fold(0.0, f64::max);
        for k in 0..D {
            let ratio = (hi[k] - lo[k]) / (4.0 * width[k]).max(0.7 * distance).max(SHORTEST * (1.0 + at[k].abs()));
            if ratio > longest.1 {
                longest = (k, ratio);
            }
        }
    }
    (longest.1 > 1.0).then_some(longest.0)
}

/// The integrals over one box.
fn measure<const D: usize>(integrand: &mut Integrand<D>, lo: [f64; D], hi: [f64; D]) -> Cell<D> {
    let n = integrand.components + 1;
    let rule = rule();
    let mut fine = vec![0.0; n];
    let mut absolute = vec![0.0; n];
    // by axis, the Gauss rule along it and Kronrod along the others; last, Gauss along all
    let mut coarse = vec![vec![0.0; n]; D + 1];
    let half: [f64; D] = std::array::from_fn(|k| (hi[k] - lo[k]) / 2.0);
    let nodes: Vec<[(f64, f64, f64); D]> = (0..15usize.pow(D as u32))
        .map(|code| std::array::from_fn(|k| rule[code / 15usize.pow(k as u32) % 15]))
        .collect();
    let place = |nodes: &[(f64, f64, f64); D]| std::array::from_fn(|k| (hi[k] + lo[k]) / 2.0 + half[k] * nodes[k].0);
    let found = integrand.at(&nodes.iter().map(place).collect::<Vec<_>>());
    for (nodes, values) in nodes.iter().zip(found) {
        let Some(values) = values else { continue };
        let weight = |gauss: &dyn Fn(usize) -> bool| -> f64 {
            (0..D).map(|k| half[k] * if gauss(k) { nodes[k].2 } else { nodes[k].1 }).product()
        };
        let all = weight(&|_| false);
        let by_axis: Vec<f64> = (0..D).map(|axis| weight(&|k| k == axis)).chain([weight(&|_| true)]).collect();
        for (c, v) in values.into_iter().enumerate() {
            fine[c] += all * v;
            absolute[c] += all * v.abs();
            for (sum, w) in coarse.iter_mut().zip(&by_axis) {
                sum[c] += w * v;
            }
        }
    }
    let difference = |c: usize, which: usize| (fine[c] - coarse[which][c]).abs();
    let error = (0..n)
        .map(|c| estimate((0..=D).map(|w| difference(c, w)).fold(0.0, f64::max), absolute[c], integrand.noise))
        .collect();
    let rough = |axis: usize| -> f64 {
        (0..n).map(|c| if absolute[c] > 0.0 { difference(c, axis) / absolute[c] } else { 0.0 }).fold(0.0, f64::max)
    };
    let axis = (0..D)
        .max_by(|a, b| rough(*a).total_cmp(&rough(*b)).then((hi[*a] - lo[*a]).total_cmp(&(hi[*b] - lo[*b]))))
        .unwrap_or(0);
    Cell { lo, hi, value: fine, error, absolute, axis, key: 0.0 }
}

/// QUADPACK's estimate from the difference of the two rules: it falls faster than the difference, as the error of the
/// finer rule does, and is never below the rounding.
fn estimate(difference: f64, absolute: f64, noise: f64) -> f64 {
    if absolute == 0.0 || difference.is_nan() {
        return difference;
    }
    let ratio = difference / absolute;
    absolute * (200.0 * ratio).powf(1.5).min(1.0).max(noise)
}

impl<const D: usize> Integrand<'_, D> {
    /// All components at each of some u; none where the density is 0.
    fn at(&mut self, places: &[[f64; D]]) -> Vec<Option<Vec<f64>>> {
        self.evaluations += places.len();
        let points: Vec<[f64; D]> = places.iter().map(|u| self.map.x(*u)).collect();
        let found = self.density.all(&points);
        let one = |(k, u): (usize, &[f64; D])| {
            let stretch: f64 = (0..D).map(|axis| self.map.stretch(axis, u[axis])).product();
            let p = (tamed(found[0][k]) - self.top).exp() * stretch;
            if p == 0.0 || p.is_nan() {
                return None;
            }
            Some(std::iter::once(p).chain(found[1..].iter().map(|f| f[k] * p)).collect())
        };
        places.iter().enumerate().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The Kronrod rule of 15 points is exact for polynomials up to degree 22 (23, by symmetry), Gauss up to 13.
    #[test]
    fn the_rules_are_exact() {
        for degree in 0..=23 {
            let exact = if degree % 2 == 1 { 0.0 } else { 2.0 / f64::from(degree + 1) };
            let kronrod: f64 = rule().iter().map(|(x, w, _)| w * x.powi(degree)).sum();
            assert!((kronrod - exact).abs() < 2e-16 * 8.0, "degree {degree}: {kronrod}");
            if degree <= 13 {
                let gauss: f64 = rule().iter().map(|(x, _, g)| g * x.powi(degree)).sum();
                assert!((gauss - exact).abs() < 2e-16 * 8.0, "degree {degree}: {gauss}");
            }
        }
    }
}
