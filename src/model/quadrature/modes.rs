//! The modes of a density, found by its logarithm alone.

use super::map::Map;

/// A local maximum.
#[derive(Clone, Debug)]
pub struct Mode<const D: usize> {
    pub at: [f64; D],
    /// log density there
    pub height: f64,
    /// along each axis, the distance at which the log density has fallen by 1 (the smaller of both directions, but for
    /// one in which the support ends here)
    pub width: [f64; D],
    /// there is nothing around it: a law of atoms
    pub atom: bool,
}

impl<const D: usize> Mode<D> {
    /// A rough logarithm of its mass.
    fn weight(&self) -> f64 {
        self.height + self.width.iter().map(|w| w.ln()).sum::<f64>()
    }
}

/// At most this many modes are kept.
const MOST: usize = 64;

/// The logarithm of a density, at many points at once.
pub type Log<'a, const D: usize> = dyn FnMut(&[[f64; D]]) -> Vec<f64> + 'a;

/// Searches a grid over all scales and then, evenly, the box that holds what was found.
pub fn find<const D: usize>(log: &mut Log<'_, D>) -> Vec<Mode<D>> {
    // on the line there is time for 2 % between neighbours, in the plane for 30 %
    let (step, far): (f64, f64) = if D == 1 { (0.02, 36.0) } else { (0.3, 20.0) };
    let small = if D == 1 { 1e-3 } else { 1e-2 };
    let n = (far / step) as i64;
    let axis: Vec<f64> = (-n..=n).map(|k| small * (k as f64 * step).sinh()).collect();
    let mut modes = search(log, &std::array::from_fn(|_| axis.clone()));
    let near: Vec<f64> = (-40..=40).map(|k| f64::from(k) * 0.5).collect();
    modes.extend(search(log, &std::array::from_fn(|_| near.clone())));
    let modes = distinct(modes);
    if modes.is_empty() {
        return modes;
    }
    let points = if D == 1 { 2000 } else { 100 };
    let even = std::array::from_fn(|k| {
        let lo = modes.iter().map(|m| m.at[k] - 10.0 * m.width[k]).fold(f64::INFINITY, f64::min);
        let hi = modes.iter().map(|m| m.at[k] + 10.0 * m.width[k]).fold(f64::NEG_INFINITY, f64::max);
        (0..=points).map(|i| lo + (hi - lo) * f64::from(i) / f64::from(points)).collect()
    });
    let more = search(log, &even);
    distinct(modes.into_iter().chain(more).collect())
}

/// The maxima of a grid, each climbed from.
fn search<const D: usize>(log: &mut Log<'_, D>, axes: &[Vec<f64>; D]) -> Vec<Mode<D>> {
    let shape: [usize; D] = std::array::from_fn(|k| axes[k].len());
    let total: usize = shape.iter().product();
    let place = |mut flat: usize| -> [usize; D] {
        let mut at = [0; D];
        for k in (0..D).rev() {
            at[k] = flat % shape[k];
            flat /= shape[k];
        }
        at
    };
    let point = |at: [usize; D]| -> [f64; D] { std::array::from_fn(|k| axes[k][at[k]]) };
    let values = log(&(0..total).map(|flat| point(place(flat))).collect::<Vec<_>>());
    let mut tops: Vec<usize> = (0..total).filter(|flat| is_top(&values, place(*flat), shape)).collect();
    tops.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
    tops.truncate(MOST);
    let climbed = tops.into_iter().filter_map(|flat| {
        let at = place(flat);
        let step = std::array::from_fn(|k| {
            let next = if at[k] + 1 < shape[k] { at[k] + 1 } else { at[k] - 1 };
            (axes[k][next] - axes[k][at[k]]).abs() / 2.0
        });
        let top = climb(log, point(at), step);
        mode(log, top)
    });
    climbed.collect()
}

/// Whether no neighbour on the grid is higher; of a plateau one corner is.
fn is_top<const D: usize>(values: &[f64], at: [usize; D], shape: [usize; D]) -> bool {
    let flat = |at: [usize; D]| (0..D).fold(0, |f, k| f * shape[k] + at[k]);
    let here = values[flat(at)];
    if here == f64::NEG_INFINITY {
        return false;
    }
    (0..3usize.pow(D as u32)).all(|code| {
        let shift: [i64; D] = std::array::from_fn(|k| (code / 3usize.pow(k as u32) % 3) as i64 - 1);
        let next: [i64; D] = std::array::from_fn(|k| at[k] as i64 + shift[k]);
        if (0..D).any(|k| next[k] < 0 || next[k] >= shape[k] as i64) {
            return true;
        }
        let there = values[flat(std::array::from_fn(|k| next[k] as usize))];
        let later = shift.iter().find(|s| **s != 0).is_none_or(|s| *s > 0);
        if later { here >= there } else { here > there }
    })
}

/// The downhill simplex of Nelder and Mead (1965), uphill, started twice so that a collapsed simplex recovers.
fn climb<const D: usize>(log: &mut Log<'_, D>, from: [f64; D], step: [f64; D]) -> [f64; D] {
    let mut best = from;
    for scale in [1.0, 1e-3] {
        let mut simplex = vec![(log(&[best])[0], best)];
        for k in 0..D {
            let mut corner = best;
            corner[k] += step[k] * scale;
            simplex.push((log(&[corner])[0], corner));
        }
        for _ in 0..120 * D {
            simplex.sort_by(|a, b| b.0.total_cmp(&a.0));
            let small = |k: usize| simplex.iter().all(|s| (s.1[k] - simplex[0].1[k]).abs() <= 1e-9 * step[k] * scale);
            if (0..D).all(small) {
                break;
            }
            move_worst(log, &mut simplex);
        }
        best = simplex.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).map_or(best, |s| s.1);
    }
    best
}

fn move_worst<const D: usize>(log: &mut Log<'_, D>, simplex: &mut [(f64, [f64; D])]) {
    let worst = simplex[D];
    let middle: [f64; D] = std::array::from_fn(|k| simplex[..D].iter().map(|s| s.1[k]).sum::<f64>() / D as f64);
    let mut along = |t: f64| {
        let x: [f64; D] = std::array::from_fn(|k| middle[k] + t * (worst.1[k] - middle[k]));
        (log(&[x])[0], x)
    };
    let mirrored = along(-1.0);
    let next = if mirrored.0 > simplex[0].0 {
        let further = along(-2.0);
        if further.0 > mirrored.0 { further } else { mirrored }
    } else if mirrored.0 > simplex[D - 1].0 {
        mirrored
    } else {
        along(if mirrored.0 > worst.0 { -0.5 } else { 0.5 })
    };
    if next.0 > worst.0 {
        simplex[D] = next;
        return;
    }
    let best = simplex[0].1;
    for s in &mut simplex[1..] {
        let x = std::array::from_fn(|k| (s.1[k] + best[k]) / 2.0);
        *s = (log(&[x])[0], x);
    }
}

/// A maximum with its widths; none where the density is not finite.
fn mode<const D: usize>(log: &mut Log<'_, D>, at: [f64; D]) -> Option<Mode<D>> {
    let height = log(&[at])[0];
    if !height.is_finite() {
        return None;
    }
    let mut atom = false;
    let width = std::array::from_fn(|k| {
        let mut w = 1e-14 * at[k].abs().max(1e-6);
        let mut along = |d: f64| {
            let mut x = at;
            x[k] += d;
            log(&[x])[0]
        };
        let inside: Vec<f64> = [1.0, -1.0].into_iter().filter(|d| along(d * w) > f64::NEG_INFINITY).collect();
        if inside.is_empty() {
            atom = true;
            return w;
        }
        while w < 1e14 && !inside.iter().any(|d| along(d * w) < height - 1.0) {
            w *= 2.0;
        }
        w
    });
    Some(Mode { at, height, width, atom })
}

/// The maxima, on an even grid over u, of the density of u: what a pole or a slow tail carries is seen there. In the plane
/// the far ends are left out.
pub fn in_the_map<const D: usize>(log: &mut Log<'_, D>, map: &Map<D>) -> Vec<Mode<D>> {
    let (density, far) = if D == 1 { (20.0, f64::INFINITY) } else { (1.5, 40.0) };
    let axes = std::array::from_fn(|axis: usize| {
        let (lo, hi) = map.axes[axis].ends();
        let (lo, hi) = (lo.max(-far), hi.min(far));
        let count = (density * (hi - lo)) as usize;
        (0..=count).map(|k| lo + (hi - lo) * k as f64 / count as f64).collect()
    });
    let mut of_u = |places: &[[f64; D]]| {
        let points: Vec<[f64; D]> = places.iter().map(|u| map.x(*u)).collect();
        let stretch = |u: &[f64; D]| (0..D).map(|k| map.stretch(k, u[k]).ln()).sum::<f64>();
        log(&points).into_iter().zip(places).map(|(l, u)| l + stretch(u)).collect::<Vec<f64>>()
    };
    distinct(search(&mut of_u, &axes))
}

/// Each mode once, the heaviest first, without those that carry nothing.
fn distinct<const D: usize>(mut modes: Vec<Mode<D>>) -> Vec<Mode<D>> {
    modes.sort_by(|a, b| b.weight().total_cmp(&a.weight()));
    let mut kept: Vec<Mode<D>> = Vec::new();
    for m in modes {
        let same = |n: &Mode<D>| (0..D).all(|k| (m.at[k] - n.at[k]).abs() < 0.1 * m.width[k].min(n.width[k]));
        let light = kept.first().is_some_and(|top| m.weight() < top.weight() - 60.0);
        if !light && kept.len() < MOST && !kept.iter().any(same) {
            kept.push(m);
        }
    }
    kept
}
