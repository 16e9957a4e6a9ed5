//! The layers of a panel as SVG.

use super::colour as heat_colour;
use super::figure::{Heat, Ink, Layer, Mark};
use super::frame::Map;
use super::svg::{Rect, Svg};
use super::theme::Theme;

/// Points of a curve that are drawn at most: beyond, the lowest and highest of each stretch stand for it.
const MOST_POINTS: usize = 2_000;

pub(super) fn colour(ink: Ink, theme: &Theme) -> &'static str {
    match ink {
        Ink::Series(k) | Ink::Faint(k) => theme.series(k),
        Ink::Reference => theme.ink,
        Ink::Over => "#ffffff",
    }
}

pub(super) fn stroke(ink: Ink, theme: &Theme) -> String {
    let colour = colour(ink, theme);
    match ink {
        Ink::Series(_) => format!("stroke=\"{colour}\" stroke-width=\"1.8\""),
        Ink::Faint(_) => format!("stroke=\"{colour}\" stroke-width=\"0.9\" stroke-opacity=\"0.55\""),
        Ink::Over => format!("stroke=\"{colour}\" stroke-width=\"1.2\""),
        Ink::Reference => format!("stroke=\"{colour}\" stroke-width=\"1.5\" stroke-dasharray=\"6 3.5\""),
    }
}

pub(super) fn fill(ink: Ink, mark: &Mark, theme: &Theme) -> String {
    let colour = colour(ink, theme);
    match (mark, ink) {
        (Mark::Bars { .. }, _) => {
            format!("fill=\"{colour}\" fill-opacity=\"0.45\" stroke=\"{colour}\" stroke-width=\"0.8\"")
        }
        (_, Ink::Faint(_)) => format!("fill=\"{colour}\" fill-opacity=\"0.18\" stroke=\"none\""),
        _ => format!("fill=\"{colour}\" fill-opacity=\"0.32\" stroke=\"none\""),
    }
}

/// Draws a layer.
pub(super) fn draw(svg: &mut Svg, map: &Map<'_>, layer: &Layer, theme: &Theme) {
    let style = || stroke(layer.ink, theme);
    match &layer.mark {
        Mark::Line(points) => svg.curves(&pieces(points, map), &style()),
        Mark::Contours(lines) => {
            let curves: Vec<Vec<(f64, f64)>> = lines.iter().flat_map(|l| pieces(l, map)).collect();
            svg.curves(&curves, &format!("stroke=\"{}\" stroke-width=\"1.1\"", colour(layer.ink, theme)));
        }
        Mark::Band(points) => {
            let known: Vec<_> = points.iter().filter(|p| p.1.is_finite() && p.2.is_finite()).collect();
            let upper = known.iter().map(|p| near(map.point((p.0, p.2))));
            let lower = known.iter().rev().map(|p| near(map.point((p.0, p.1))));
            svg.area(&upper.chain(lower).collect::<Vec<_>>(), &fill(layer.ink, &layer.mark, theme));
        }
        Mark::Dots(points) => {
            let places: Vec<_> = points.iter().map(|p| map.point(*p)).filter(inside(map)).collect();
            let (radius, opacity) = match places.len() {
                0..200 => (2.6, 0.8),
                200..2_000 => (1.8, 0.5),
                _ => (1.3, 0.35),
            };
            svg.dots(&places, radius, colour(layer.ink, theme), &format!("stroke-opacity=\"{opacity}\""));
        }
        Mark::Estimates(points) => estimates(svg, map, layer, points, theme),
        Mark::Bars { edges, heights } => bars(svg, map, layer, edges, heights, theme),
        Mark::Stems(points) => stems(svg, map, layer, points, theme),
        Mark::Heat(heat) => cells(svg, map, heat),
    }
}

fn inside<'a>(map: &'a Map<'_>) -> impl Fn(&(f64, f64)) -> bool + 'a {
    let Rect { x, y, w, h } = map.frame;
    move |(a, b)| *a >= x - 1.0 && *a <= x + w + 1.0 && *b >= y - 1.0 && *b <= y + h + 1.0
}

/// A place far outside of the page is as good as one just outside, and viewers can draw it.
fn near((x, y): (f64, f64)) -> (f64, f64) {
    (x.clamp(-1e4, 1e4), y.clamp(-1e4, 1e4))
}

/// The parts of a curve where it is finite, as places on the page.
fn pieces(points: &[(f64, f64)], map: &Map<'_>) -> Vec<Vec<(f64, f64)>> {
    let places: Vec<(f64, f64)> = points.iter().map(|p| map.point(*p)).collect();
    let finite = |p: &(f64, f64)| p.0.is_finite() && p.1.is_finite();
    let parts = places.split(|p| !finite(p)).filter(|c| c.len() > 1);
    parts.map(|c| thinned(&c.iter().map(|p| near(*p)).collect::<Vec<_>>())).collect()
}

/// A long curve by the first, lowest, highest and last point of each of its stretches.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() <= MOST_POINTS || points.windows(2).any(|w| w[1].0 < w[0].0) {
        return points.to_vec();
    }
    let mut kept = Vec::new();
    for stretch in points.chunks(points.len().div_ceil(MOST_POINTS / 4)) {
        let by = |k: &usize| stretch[*k].1;
        let low = (0..stretch.len()).min_by(|a, b| by(a).total_cmp(&by(b))).unwrap_or(0);
        let high = (0..stretch.len()).max_by(|a, b| by(a).total_cmp(&by(b))).unwrap_or(0);
        let mut at = [0, low, high, stretch.len() - 1];
        at.sort_unstable();
        kept.extend(at.iter().map(|k| stretch[*k]));
    }
    kept.dedup();
    kept
}

fn estimates(svg: &mut Svg, map: &Map<'_>, layer: &Layer, points: &[(f64, f64, f64)], theme: &Theme) {
    let line: Vec<(f64, f64)> = points.iter().map(|p| (p.0, p.1)).collect();
    svg.curves(&pieces(&line, map), &stroke(layer.ink, theme));
    let colour = colour(layer.ink, theme);
    let style = format!("stroke=\"{colour}\" stroke-width=\"1.2\"");
    for (x, y, se) in points.iter().filter(|p| p.2 > 0.0 && p.2.is_finite()) {
        let (at, high) = near(map.point((*x, y + se)));
        let low = near((at, map.y(y - se))).1;
        // below the lower end of a log scale
        let low = if low.is_finite() { low } else { map.frame.y + map.frame.h };
        svg.line((at, low), (at, high), &style);
        for end in [low, high] {
            svg.line((at - 3.0, end), (at + 3.0, end), &style);
        }
    }
    let places: Vec<_> = line.iter().map(|p| map.point(*p)).filter(|p| p.0.is_finite() && p.1.is_finite()).collect();
    svg.dots(&places, 3.2, colour, "");
}

fn bars(svg: &mut Svg, map: &Map<'_>, layer: &Layer, edges: &[f64], heights: &[f64], theme: &Theme) {
    let floor = map.y(map.ranges[1].0.max(0.0));
    let style = fill(layer.ink, &layer.mark, theme);
    for (edge, height) in edges.windows(2).zip(heights).filter(|(_, h)| h.is_finite() && **h > 0.0) {
        let (left, top) = near((map.x(edge[0]), map.y(*height)));
        let right = near((map.x(edge[1]), top)).0;
        svg.rect(Rect { x: left, y: top, w: right - left, h: (floor - top).max(0.0) }, &style);
    }
}

/// Lines from zero with a disc at their ends.
fn stems(svg: &mut Svg, map: &Map<'_>, layer: &Layer, points: &[(f64, f64)], theme: &Theme) {
    let floor = map.y(map.ranges[1].0.max(0.0));
    let places: Vec<_> = points.iter().map(|p| map.point(*p)).filter(|p| p.0.is_finite() && p.1.is_finite()).collect();
    let (thick, radius) = if places.len() > 40 { (1.2, 2.0) } else { (2.0, 3.4) };
    let colour = colour(layer.ink, theme);
    for at in &places {
        svg.line((at.0, floor), near(*at), &format!("stroke=\"{colour}\" stroke-width=\"{thick}\""));
    }
    svg.dots(&places, radius, colour, "");
}

/// A heat map as rectangles; neighbours in a row that have one colour are one.
fn cells(svg: &mut Svg, map: &Map<'_>, heat: &Heat) {
    let (rows, columns) = (heat.rows(), heat.columns);
    let (low, high) = heat.ends();
    let at = |(a, b): (f64, f64), k: usize, n: usize| a + (b - a) * k as f64 / n as f64;
    for row in 0..rows {
        let ends = [row, row + 1].map(|k| map.y(at(heat.y, k, rows)));
        let (top, bottom) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
        let line = &heat.values[row * columns..(row + 1) * columns];
        let mut begin = 0;
        while begin < columns {
            let step = |v: f64| v.is_finite().then(|| heat_colour::step((v - low) / (high - low)));
            let own = step(line[begin]);
            let end = (begin..columns).find(|k| step(line[*k]) != own).unwrap_or(columns);
            if let Some(own) = own {
                let (left, right) = (map.x(at(heat.x, begin, columns)), map.x(at(heat.x, end, columns)));
                // a little larger, so that rounding leaves no gap to the ones drawn next
                let r = Rect { x: left, y: top - 0.4, w: right - left + 0.4, h: bottom - top + 0.4 };
                svg.rect(r, &format!("fill=\"{}\" shape-rendering=\"crispEdges\"", heat_colour::hex(own)));
            }
            begin = end;
        }
    }
}

/// Points of a layer that are looked at.
const MOST_SAMPLES: usize = 3_000;

/// Places that the layers cover, for the legend to keep away from.
pub(super) fn samples<'m>(map: &'m Map<'_>) -> impl Iterator<Item = (f64, f64)> + 'm {
    map.panel.layers.iter().flat_map(move |layer| covered(map, &layer.mark))
}

fn covered(map: &Map<'_>, mark: &Mark) -> Vec<(f64, f64)> {
    let few = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
        let every = points.len().div_ceil(MOST_SAMPLES).max(1);
        points.iter().step_by(every).map(|p| map.point(*p)).collect()
    };
    let along = |a: (f64, f64), b: (f64, f64)| -> Vec<(f64, f64)> {
        let (a, b) = (map.point(a), map.point(b));
        // closer than a legend is tall
        let n = ((b.0 - a.0).abs().max((b.1 - a.1).abs()) / 8.0).ceil().clamp(1.0, 100.0);
        (0..=n as usize).map(|k| k as f64 / n).map(|s| (a.0 + s * (b.0 - a.0), a.1 + s * (b.1 - a.1))).collect()
    };
    let curve = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
        match points.len() {
            0 | 1 => few(points),
            2..400 => points.windows(2).flat_map(|w| along(w[0], w[1])).collect(),
            _ => few(points),
        }
    };
    match mark {
        Mark::Line(points) => curve(points),
        Mark::Dots(points) => points.iter().map(|p| map.point(*p)).collect(),
        Mark::Contours(lines) => lines.iter().flat_map(|l| curve(l)).collect(),
        Mark::Band(points) => points.iter().flat_map(|p| along((p.0, p.1), (p.0, p.2))).collect(),
        Mark::Estimates(points) => {
            let bars =
                points.iter().filter(|p| p.2.is_finite()).flat_map(|p| along((p.0, p.1 - p.2), (p.0, p.1 + p.2)));
            curve(&points.iter().map(|p| (p.0, p.1)).collect::<Vec<_>>()).into_iter().chain(bars).collect()
        }
        Mark::Stems(points) => points.iter().flat_map(|p| along((p.0, 0.0), *p)).collect(),
        Mark::Bars { edges, heights } => {
            let bar =
                |(e, h): (&[f64], &f64)| [e[0], 0.5 * (e[0] + e[1]), e[1]].map(|x| along((x, 0.0), (x, *h))).concat();
            edges.windows(2).zip(heights).flat_map(bar).collect()
        }
        Mark::Heat(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_curves_keep_their_extremes() {
        let mut points: Vec<(f64, f64)> = (0..50_000).map(|k| (f64::from(k), (f64::from(k) * 0.01).sin())).collect();
        points[31_234].1 = 7.0;
        let kept = thinned(&points);
        assert!(kept.len() <= MOST_POINTS + 4, "{}", kept.len());
        assert!(kept.iter().any(|p| p.1 == 7.0));
        assert_eq!((kept.first(), kept.last()), (points.first(), points.last()));
    }
}
