//! Legends: inside a panel where nothing is drawn, else in rows above it.

use super::figure::{Ink, Layer, Mark, Panel};
use super::font;
use super::frame::Map;
use super::marks;
use super::svg::{Rect, Svg, Text};
use super::theme::Theme;

/// The sign of an entry with the room up to its text, and the room between entries of a row.
const SIGN: f64 = 26.0;
const BETWEEN: f64 = 18.0;

/// Between a legend inside and the frame.
const GAP: f64 = 8.0;

fn size(theme: &Theme) -> f64 {
    theme.text_size - 2.0
}

fn row(theme: &Theme) -> f64 {
    size(theme) + 6.0
}

/// Where each entry of a legend stands in rows of a width: from the left, and the row.
fn places(panel: &Panel, width: f64, theme: &Theme) -> Vec<(f64, usize)> {
    let (mut x, mut k) = (0.0, 0);
    let mut found = Vec::new();
    for (name, _) in panel.legend() {
        let own = SIGN + font::width(name, size(theme));
        if x > 0.0 && x + own > width {
            (x, k) = (0.0, k + 1);
        }
        found.push((x, k));
        x += own + BETWEEN;
    }
    found
}

/// The height of a legend in rows of a width; zero without names.
pub(super) fn height(panel: &Panel, width: f64, theme: &Theme) -> f64 {
    places(panel, width, theme).last().map_or(0.0, |last| row(theme) * (last.1 + 1) as f64 + 4.0)
}

/// Draws a legend in rows of a width, from a corner on.
pub(super) fn in_rows(svg: &mut Svg, panel: &Panel, (x, y): (f64, f64), width: f64, theme: &Theme) {
    for ((name, layer), (dx, k)) in panel.legend().zip(places(panel, width, theme)) {
        entry(svg, name, layer, (x + dx, y + row(theme) * (k as f64 + 0.5)), theme);
    }
}

/// The size of a legend in a column.
fn column(panel: &Panel, theme: &Theme) -> (f64, f64) {
    let widest = panel.legend().map(|(name, _)| font::width(name, size(theme))).fold(0.0, f64::max);
    (widest + SIGN + 14.0, row(theme) * panel.legend().count() as f64 + 8.0)
}

/// A corner or the middle of a side where a legend in a column hides nothing.
pub(super) fn free_place(map: &Map<'_>, theme: &Theme) -> Option<(f64, f64)> {
    let (wide, tall) = column(map.panel, theme);
    let Rect { x, y, w, h } = map.frame;
    if map.panel.heat().is_some() || wide > 0.6 * w || tall > 0.6 * h {
        return None;
    }
    let across = [x + w - wide - GAP, x + GAP, x + 0.5 * (w - wide)];
    let down = [y + GAP, y + h - tall - GAP, y + 0.5 * (h - tall)];
    let order = [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (2, 1), (0, 2), (1, 2)];
    let covered: Vec<(f64, f64)> = marks::samples(map).collect();
    let hides = |(left, top): (f64, f64)| {
        let (right, bottom) = (left + wide + 4.0, top + tall + 4.0);
        covered.iter().any(|(a, b)| *a > left - 4.0 && *a < right && *b > top - 4.0 && *b < bottom)
    };
    order.map(|(a, d)| (across[a], down[d])).into_iter().find(|at| !hides(*at))
}

/// Draws a legend in a column.
pub(super) fn inside(svg: &mut Svg, panel: &Panel, (x, y): (f64, f64), theme: &Theme) {
    let (wide, tall) = column(panel, theme);
    let back = if theme.background == "none" { "var(--background)" } else { theme.background };
    let style = format!("rx=\"3\" fill=\"{back}\" fill-opacity=\"0.9\" stroke=\"{}\" stroke-width=\"0.8\"", theme.grid);
    svg.rect(Rect { x, y, w: wide, h: tall }, &style);
    for (k, (name, layer)) in panel.legend().enumerate() {
        entry(svg, name, layer, (x + GAP, y + 4.0 + row(theme) * (k as f64 + 0.5)), theme);
    }
}

/// A layer in little with its name; `y` is the middle.
fn entry(svg: &mut Svg, name: &str, layer: &Layer, (x, y): (f64, f64), theme: &Theme) {
    let ends = ((x, y), (x + 20.0, y));
    match &layer.mark {
        Mark::Band(_) | Mark::Bars { .. } => {
            svg.rect(Rect { x, y: y - 5.0, w: 20.0, h: 10.0 }, &marks::fill(layer.ink, &layer.mark, theme));
        }
        Mark::Dots(_) => svg.dots(&[(x + 10.0, y)], 2.6, marks::colour(layer.ink, theme), ""),
        Mark::Stems(_) => {
            svg.line((x + 10.0, y + 5.0), (x + 10.0, y - 3.0), &marks::stroke(layer.ink, theme));
            svg.dots(&[(x + 10.0, y - 3.0)], 3.0, marks::colour(layer.ink, theme), "");
        }
        Mark::Estimates(_) => {
            svg.line(ends.0, ends.1, &marks::stroke(layer.ink, theme));
            svg.dots(&[(x + 10.0, y)], 3.0, marks::colour(layer.ink, theme), "");
        }
        Mark::Line(_) if matches!(layer.ink, Ink::Faint(_)) => {
            svg.line(ends.0, ends.1, &format!("stroke=\"{}\" stroke-width=\"1.2\"", marks::colour(layer.ink, theme)));
        }
        _ => svg.line(ends.0, ends.1, &marks::stroke(layer.ink, theme)),
    }
    svg.text(x + SIGN, y + 0.36 * size(theme), name, Text { size: size(theme), ..Text::of(theme) });
}
