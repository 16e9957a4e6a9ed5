//! Plots of laws: histograms, densities, points in the plane, ranks, images.

use crate::output::number::count;
use crate::plot::figure::Heat;
use crate::plot::{Axis, Figure, Ink, Layer, Mark, Panel, contour, smooth};
use crate::runtime::StatResult;
use crate::session::figures::backdrop::SHARES;
use crate::session::figures::curves::{plane_rows, sentence};
use crate::session::figures::gather::{Backdrop, Gathered};
use crate::session::figures::parts::{by_element, curve, element, first_of, label, when};

/// Cells of a side of a density in the plane, at most.
const CELLS: usize = 80;

/// Cells of a side of an image, beyond which they are averaged.
const PIXELS: usize = 160;

/// Bins of ranks.
const RANKS: usize = 20;

/// The bins of an element: edges and densities.
fn bins(r: &StatResult, k: usize) -> (&[f64], &[f64]) {
    let edges = r.edges.get(k).map_or(&[][..], Vec::as_slice);
    let each = r.shape.last().copied().unwrap_or(0);
    let n = edges.len().saturating_sub(1);
    (edges, r.values.get(k * each..k * each + n).unwrap_or(&[]))
}

/// A figure for each look, all with one pair of axes where they are frames.
fn by_look(g: &Gathered, words: &str, layers: impl Fn(&StatResult, usize) -> Vec<Layer>) -> Vec<Figure> {
    let looks = g.results.first().map_or(&[][..], Vec::as_slice);
    let figure = |(look, r): (usize, &StatResult)| {
        let panel = |k: usize| {
            let mut layers = layers(r, k);
            layers.extend(curve(g));
            Panel { x: Axis::new(label(g, 0)), y: Axis::new("density"), layers, ..Panel::default() }
        };
        let outside: Vec<&str> = r.notes.iter().map(String::as_str).collect();
        let notes = if outside.is_empty() { String::new() } else { format!("; {}", outside.join("; ")) };
        let figure = by_element(g, &format!("{} {words}{notes}", count(r.n)), panel);
        Figure { title: when(g, look), ..figure }
    };
    common_axes(g, looks.iter().enumerate().map(figure).collect())
}

/// Gives frames the axes that hold all of them.
fn common_axes(g: &Gathered, mut figures: Vec<Figure>) -> Vec<Figure> {
    if !g.facts.animated {
        return figures;
    }
    let panels = figures.iter().map(|f| f.panels.len()).max().unwrap_or(0);
    for k in 0..panels {
        let ranges: Vec<[(f64, f64); 2]> = figures.iter().filter_map(|f| f.panels.get(k)).map(Panel::ranges).collect();
        let hold = |axis: usize| {
            let ends = ranges.iter().map(|r| r[axis]).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
            let tallest = |f: &Figure| f.panels.get(k).map_or(0.0, |p| p.ranges()[1].1);
            // a law that starts in a point would leave no room for the rest
            match (axis, ends) {
                (1, Some((0.0, high))) => {
                    let mut tops: Vec<f64> = figures.iter().map(tallest).collect();
                    tops.sort_by(f64::total_cmp);
                    Some((0.0, high.min(3.0 * tops[tops.len() / 2])))
                }
                _ => ends,
            }
        };
        let (x, y) = (hold(0), hold(1));
        for panel in figures.iter_mut().filter_map(|f| f.panels.get_mut(k)) {
            (panel.x.range, panel.y.range) = (x, y);
        }
    }
    figures
}

pub(super) fn histograms(g: &Gathered) -> Vec<Figure> {
    by_look(g, "values", |r, k| {
        let (edges, heights) = bins(r, k);
        vec![Layer::new(Ink::Series(0), Mark::Bars { edges: edges.to_vec(), heights: heights.to_vec() })]
    })
}

pub(super) fn densities(g: &Gathered) -> Vec<Figure> {
    by_look(g, "values, smoothed by a normal kernel", |r, k| {
        let (edges, heights) = bins(r, k);
        if heights.is_empty() {
            return Vec::new();
        }
        let width = smooth::silverman(edges, heights, r.n as f64);
        let points = smooth::smoothed(edges, heights, width);
        let band = points.iter().map(|p| (p.0, 0.0, p.1)).collect();
        vec![Layer::new(Ink::Faint(0), Mark::Band(band)), Layer::new(Ink::Series(0), Mark::Line(points))]
    })
}

/// The points of the plane that were kept, for each look, or all together where looks are pooled.
pub(crate) fn plane_points(g: &Gathered) -> Vec<Vec<(f64, f64)>> {
    let (pairs, _) = plane_rows(g);
    let (looks, rows) = (g.record.looks, g.record.rows);
    let mut found = vec![Vec::new(); if g.pooled.is_some() { 1 } else { looks }];
    let n = found.len();
    for (k, values) in g.record.values.chunks_exact(rows.max(1)).enumerate() {
        let look = k % looks.max(1);
        let points = pairs.iter().map(|(a, b)| (values[*a], values[*b]));
        found[look.min(n - 1)].extend(points.filter(|p| p.0.is_finite() && p.1.is_finite()));
    }
    found
}

/// Contours of the law that a plot is held against.
fn contours(g: &Gathered, ink: Ink) -> Option<(Layer, &str, [(f64, f64); 2])> {
    let Some(Backdrop::Plane { name, density }) = &g.backdrop else { return None };
    let levels = contour::levels(&density.values, &SHARES);
    let lines = levels.iter().flat_map(|level| contour::lines(density, *level)).collect();
    let ends = |axis: &[f64]| (axis[0], axis[axis.len() - 1]);
    Some((Layer::new(ink, Mark::Contours(lines)), name, [ends(&density.x), ends(&density.y)]))
}

fn held(name: Option<&str>) -> String {
    name.map_or(String::new(), |n| format!("; the contours hold 50, 90 and 99 % of {n}"))
}

pub(super) fn scatters(g: &Gathered) -> Vec<Figure> {
    let (_, names) = plane_rows(g);
    let figure = |(look, points): (usize, Vec<(f64, f64)>)| {
        let n = points.len() as u64;
        let mut layers = vec![Layer::new(Ink::Series(0), Mark::Dots(points))];
        let found = contours(g, Ink::Series(1));
        let name = found.as_ref().map(|f| f.1);
        layers.extend(found.as_ref().map(|f| f.0.clone().named(f.1)));
        let mut panel = Panel { x: Axis::new(&names[0]), y: Axis::new(&names[1]), layers, ..Panel::default() };
        panel.equal = alike(panel.ranges());
        let caption = sentence(&format!("{}, {} points{}", first_of(g), count(n), held(name)));
        Figure { title: when(g, look), caption, panels: vec![panel] }
    };
    common_axes(g, plane_points(g).into_iter().enumerate().map(figure).collect())
}

/// Whether both axes have lengths of one size, so that one unit for both leaves no panel thin.
fn alike([x, y]: [(f64, f64); 2]) -> bool {
    let ratio = (x.1 - x.0) / (y.1 - y.0);
    (0.4..2.5).contains(&ratio)
}

/// Points in cells, as colours.
pub(super) fn in_plane(g: &Gathered) -> Vec<Figure> {
    let (_, names) = plane_rows(g);
    let all: Vec<Vec<(f64, f64)>> = plane_points(g);
    let everything: Vec<(f64, f64)> = all.concat();
    let found = contours(g, Ink::Over);
    let ends = |of: fn(&(f64, f64)) -> f64, k: usize| {
        let mut values: Vec<f64> = everything.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        // a few points far out would leave the rest in one cell
        let at = |q: f64| values.get((q * (values.len().saturating_sub(1)) as f64) as usize).copied().unwrap_or(0.0);
        let (low, high) = (at(0.0005), at(0.9995));
        let margin = (0.02 * (high - low)).max(1e-9);
        match &found {
            Some((_, _, window)) => (window[k].0.min(low - margin), window[k].1.max(high + margin)),
            None => (low - margin, high + margin),
        }
    };
    let (x, y) = (ends(|p| p.0, 0), ends(|p| p.1, 1));
    let figure = |(look, points): (usize, &Vec<(f64, f64)>)| {
        let n = ((points.len() as f64).sqrt() / 2.5).ceil().clamp(4.0, CELLS as f64) as usize;
        let mut values = vec![0.0; n * n];
        let area = (x.1 - x.0) * (y.1 - y.0) / (n * n) as f64;
        for (a, b) in points {
            let (u, v) = ((a - x.0) / (x.1 - x.0), (b - y.0) / (y.1 - y.0));
            if (0.0..1.0).contains(&u) && (0.0..1.0).contains(&v) {
                values[(v * n as f64) as usize * n + (u * n as f64) as usize] += 1.0 / (points.len() as f64 * area);
            }
        }
        let heat = Heat { x, y, columns: n, values, range: None };
        let mut layers = vec![Layer::new(Ink::Series(0), Mark::Heat(heat))];
        layers.extend(found.as_ref().map(|f| f.0.clone()));
        let mut panel = Panel { x: Axis::new(&names[0]), y: Axis::new(&names[1]), layers, ..Panel::default() };
        panel.equal = alike([x, y]);
        panel.colours = Some("density".into());
        let name = found.as_ref().map(|f| f.1);
        let caption = sentence(&format!("{}, {} points{}", first_of(g), count(points.len() as u64), held(name)));
        Figure { title: when(g, look), caption, panels: vec![panel] }
    };
    common_axes(g, all.iter().enumerate().map(figure).collect())
}

/// For each chain the ranks of its values among those of all chains.
pub(super) fn ranks(g: &Gathered) -> Vec<Figure> {
    (0..g.record.rows.max(1)).map(|row| ranks_of(g, row)).collect()
}

/// Ranks of one element, which are among its own values.
fn ranks_of(g: &Gathered, row: usize) -> Figure {
    let (looks, rows, chains) = (g.record.looks, g.record.rows.max(1), g.record.paths.len());
    let mut order: Vec<(f64, usize)> = Vec::new();
    for (k, values) in g.record.values.chunks_exact(rows).enumerate() {
        order.extend(Some(values[row]).filter(|v| v.is_finite()).map(|v| (v, k / looks.max(1))));
    }
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total = order.len();
    let mut counts = vec![vec![0.0; RANKS]; chains];
    for (rank, (_, chain)) in order.iter().enumerate() {
        counts[*chain][rank * RANKS / total] += 1.0;
    }
    let even = total as f64 / (chains.max(1) * RANKS) as f64;
    let edges: Vec<f64> = (0..=RANKS).map(|k| (k * total) as f64 / RANKS as f64).collect();
    let top = counts.iter().flatten().copied().fold(0.0, f64::max) * 1.1;
    let panel = |(chain, heights): (usize, Vec<f64>)| Panel {
        title: format!("path {}", g.record.paths[chain]),
        x: Axis::new("rank"),
        y: Axis { range: Some((0.0, top)), ..Axis::new("values") },
        layers: vec![
            Layer::new(Ink::Series(chain), Mark::Bars { edges: edges.clone(), heights }),
            Layer::new(Ink::Reference, Mark::Line(vec![(0.0, even), (total as f64, even)])),
        ],
        ..Panel::default()
    };
    let over = g.pooled.as_ref().map_or(String::new(), |w| format!(" over {w}"));
    let caption =
        format!("Ranks of {} among all {} values{over}; dashed: even ranks", element(g, row), count(total as u64));
    Figure { caption, panels: counts.into_iter().enumerate().map(panel).collect(), ..Figure::default() }
}

/// Matrices as colours; a vector against time.
pub(super) fn images(g: &Gathered) -> Vec<Figure> {
    let shape = g.facts.shapes.first().cloned().unwrap_or_default();
    if let Some(value) = g.values.first() {
        let image = image(g, &value.values, shape[0], shape[1], None);
        return vec![Figure { title: when(g, 0), panels: vec![image], ..Figure::default() }];
    }
    let (looks, rows) = (g.record.looks, g.record.rows);
    let caption = sentence(&first_of(g));
    if let [n] = shape[..] {
        // index upwards, time to the right
        let values: Vec<f64> =
            (0..n).flat_map(|i| (0..looks).map(move |l| (l, i))).map(|(l, i)| g.record.values[l * rows + i]).collect();
        let mut panel = image(g, &values, n, looks, None);
        panel.equal = false;
        let time = g.times.first().zip(g.times.last()).map_or((0.0, 1.0), |(a, b)| (*a, *b));
        for layer in &mut panel.layers {
            if let Mark::Heat(heat) = &mut layer.mark {
                (heat.x, heat.y) = (time, (0.0, n as f64));
            }
        }
        panel.x = Axis::new("t");
        panel.y = Axis::new("index");
        return vec![Figure { caption, panels: vec![panel], ..Figure::default() }];
    }
    let finite = || g.record.values.iter().copied().filter(|v| v.is_finite());
    let range = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    let figure = |look: usize| {
        let values = &g.record.values[look * rows..(look + 1) * rows];
        let panel = image(g, values, shape[0], shape[1], g.facts.animated.then_some(range));
        Figure { title: when(g, look), caption: caption.clone(), panels: vec![panel] }
    };
    (0..if g.record.paths.is_empty() { 0 } else { looks }).map(figure).collect()
}

/// A matrix with its first index upwards.
fn image(g: &Gathered, values: &[f64], rows: usize, columns: usize, range: Option<(f64, f64)>) -> Panel {
    let (values, small_rows, small_columns) = averaged(values, rows, columns);
    let heat = Heat { x: (0.0, columns as f64), y: (0.0, rows as f64), columns: small_columns, values, range };
    debug_assert_eq!(heat.rows(), small_rows);
    Panel {
        x: Axis::new("second index"),
        y: Axis::new("first index"),
        layers: vec![Layer::new(Ink::Series(0), Mark::Heat(heat))],
        equal: alike([(0.0, columns as f64), (0.0, rows as f64)]),
        colours: Some(label(g, 0).to_string()),
        ..Panel::default()
    }
}

/// A matrix that is no larger than can be seen: cells of a large one are averages.
fn averaged(values: &[f64], rows: usize, columns: usize) -> (Vec<f64>, usize, usize) {
    let (by_row, by_column) = (rows.div_ceil(PIXELS).max(1), columns.div_ceil(PIXELS).max(1));
    let (r, c) = (rows.div_ceil(by_row), columns.div_ceil(by_column));
    let mean = |i: usize, j: usize| {
        let of = |i0: usize, n: usize, by: usize| (i0 * by..((i0 + 1) * by).min(n)).collect::<Vec<usize>>();
        let (is, js) = (of(i, rows, by_row), of(j, columns, by_column));
        let sum: f64 = is.iter().flat_map(|a| js.iter().map(move |b| values[a * columns + b])).sum();
        sum / (is.len() * js.len()) as f64
    };
    ((0..r).flat_map(|i| (0..c).map(move |j| (i, j))).map(|(i, j)| mean(i, j)).collect(), r, c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_images_are_averaged() {
        let values: Vec<f64> = (0..320 * 2).map(|k| f64::from(k / 2 % 2)).collect();
        let (small, rows, columns) = averaged(&values, 320, 2);
        assert_eq!((rows, columns), (160, 2));
        assert!(small.iter().all(|v| *v == 0.5));
        assert_eq!(averaged(&[1.0, 2.0, 3.0, 4.0], 2, 2).0, [1.0, 2.0, 3.0, 4.0]);
    }
}
