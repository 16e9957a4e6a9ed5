//! Plots of laws on the line: histograms, densities, ranks.

use crate::output::number::{count, counted, plain};
use crate::plot::{Axis, Figure, Ink, Layer, Mark, Panel, smooth};
use crate::runtime::StatResult;
use crate::session::figures::gather::Gathered;
use crate::session::figures::parts::{by_element, curve, element, when};
use crate::session::figures::plane::alike;

/// Bins of ranks.
const RANKS: usize = 20;

/// The bins of an element: edges and densities.
fn bins(r: &StatResult, k: usize) -> (&[f64], &[f64]) {
    let edges = r.edges.get(k).map_or(&[][..], Vec::as_slice);
    let each = r.shape.last().copied().unwrap_or(0);
    let n = edges.len().saturating_sub(1);
    (edges, r.values.get(k * each..k * each + n).unwrap_or(&[]))
}

/// What is drawn of one element: layers, and what their heights are.
type Content = (Vec<Layer>, &'static str);

/// A figure for each look, all with one pair of axes where they are frames.
fn by_look(g: &Gathered, drawn: impl Fn(&StatResult, usize) -> Content) -> Vec<Figure> {
    let looks = g.results.first().map_or(&[][..], Vec::as_slice);
    let figure = |(look, r): (usize, &StatResult)| {
        let panel = |k: usize| {
            let (mut layers, heights) = drawn(r, k);
            layers.extend(curve(g));
            Panel { x: Axis::new(element(g, k)), y: Axis::new(heights), layers, ..Panel::default() }
        };
        let outside: Vec<&str> = r.notes.iter().map(String::as_str).collect();
        let notes = if outside.is_empty() { String::new() } else { format!("; {}", outside.join("; ")) };
        let mut figure = by_element(g, "", panel);
        let curves = |p: &Panel| p.layers.iter().any(|l| matches!(&l.mark, Mark::Band(points) if !points.is_empty()));
        let how = if figure.panels.iter().any(curves) { ", smoothed by a normal kernel" } else { "" };
        figure.caption = format!("{}{how}{notes}{}", counted(r.n, "value"), figure.caption);
        Figure { title: when(g, look), ..figure }
    };
    common_axes(g, looks.iter().enumerate().map(figure).collect())
}

/// Gives frames the axes that hold all of them.
pub(super) fn common_axes(g: &Gathered, mut figures: Vec<Figure>) -> Vec<Figure> {
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
        // frames are of one size, so their units are equal in all or in none
        let may_be = figures.iter().filter_map(|f| f.panels.get(k)).any(|p| p.equal);
        let equal = may_be && x.zip(y).is_some_and(|(x, y)| alike([x, y]));
        for panel in figures.iter_mut().filter_map(|f| f.panels.get_mut(k)) {
            (panel.x.range, panel.y.range, panel.equal) = (x, y, equal);
        }
    }
    figures
}

pub(super) fn histograms(g: &Gathered) -> Vec<Figure> {
    by_look(g, |r, k| {
        let (edges, heights) = bins(r, k);
        match one_value(g, edges) {
            Some(value) => (vec![masses(&[(value, 1.0)])], "probability"),
            None => {
                let bars = Mark::Bars { edges: edges.to_vec(), heights: heights.to_vec() };
                (vec![Layer::new(Ink::Series(0), bars)], "density")
            }
        }
    })
}

/// The value that all values are: then a histogram has one bin, though not asked for one.
fn one_value(g: &Gathered, edges: &[f64]) -> Option<f64> {
    match edges {
        [low, high] if g.facts.option != 1 => Some(0.5 * (low + high)),
        _ => None,
    }
}

pub(super) fn densities(g: &Gathered) -> Vec<Figure> {
    by_look(g, |r, k| {
        let (edges, heights) = bins(r, k);
        if let Some(value) = one_value(g, edges) {
            return (vec![masses(&[(value, 1.0)])], "probability");
        }
        let parts = smooth::parts(edges, heights, r.n as f64);
        let left: f64 = parts.rest.iter().sum();
        if left < LITTLE && !parts.masses.is_empty() {
            return (vec![masses(&parts.masses)], "probability");
        }
        let points = smooth::density(edges, &parts, r.n as f64);
        let top = points.iter().map(|p| p.1).fold(0.0, f64::max);
        let band = points.iter().map(|p| (p.0, 0.0, p.1)).collect();
        let mut layers =
            vec![Layer::new(Ink::Faint(0), Mark::Band(band)), Layer::new(Ink::Series(0), Mark::Line(points))];
        layers.extend((!parts.masses.is_empty()).then(|| beside(&parts.masses, top)));
        (layers, "density")
    })
}

/// A share of the values that is too little for a curve beside point masses.
const LITTLE: f64 = 0.005;

/// Point masses as high as they are probable.
fn masses(points: &[(f64, f64)]) -> Layer {
    Layer::new(Ink::Series(0), Mark::Stems(points.to_vec()))
}

/// Point masses beside a density, which have no height on its axis: the heaviest is as high as the curve, and they are told.
fn beside(points: &[(f64, f64)], top: f64) -> Layer {
    let heaviest = points.iter().map(|p| p.1).fold(0.0, f64::max);
    let percent = |share: f64| format!("{} %", plain((1000.0 * share).round() / 10.0));
    let name = match points {
        [(x, share)] => format!("{} of the values are {}", percent(*share), plain((x * 1e3).round() / 1e3)),
        _ => format!("{} of the values are in {} points", percent(points.iter().map(|p| p.1).sum()), points.len()),
    };
    let stems = points.iter().map(|(x, share)| (*x, top * share / heaviest)).collect();
    Layer::new(Ink::Series(1), Mark::Stems(stems)).named(name)
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
