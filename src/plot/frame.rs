//! A panel: its frame, ticks, labels, legend and bar of colours, with the layers inside.

use super::colour;
use super::figure::{Ink, Layer, Mark, Panel};
use super::font;
use super::marks;
use super::svg::{Rect, Svg, Text};
use super::theme::Theme;
use super::ticks::{Tick, ticks};

/// Numbers to places on the page.
pub(super) struct Map<'p> {
    pub panel: &'p Panel,
    pub frame: Rect,
    pub ranges: [(f64, f64); 2],
}

impl Map<'_> {
    pub fn x(&self, v: f64) -> f64 {
        self.frame.x + self.frame.w * self.panel.x.scale.place(v, self.ranges[0])
    }

    pub fn y(&self, v: f64) -> f64 {
        self.frame.y + self.frame.h * (1.0 - self.panel.y.scale.place(v, self.ranges[1]))
    }

    pub fn point(&self, p: (f64, f64)) -> (f64, f64) {
        (self.x(p.0), self.y(p.1))
    }
}

const TICK: f64 = 4.0;
const BAR: f64 = 12.0;

/// Draws a panel into a cell of the page.
pub(super) fn panel(svg: &mut Svg, panel: &Panel, theme: &Theme, cell: Rect) {
    let mut ranges = panel.ranges();
    let size = theme.text_size;
    let small = size - 2.0;
    let top = 10.0 + if panel.title.is_empty() { 0.0 } else { size + 4.0 };
    let bottom = TICK + small + 8.0 + size + 8.0;
    let mut trial = Map { panel, frame: Rect { x: 0.0, y: 0.0, w: cell.w - 70.0, h: cell.h - top - bottom }, ranges };
    make_room(&mut trial, theme);
    ranges = trial.ranges;
    let y_ticks = ticks(panel.y.scale, ranges[1], ((cell.h / 52.0) as usize).max(3));
    let widest = y_ticks.iter().map(|t| font::width(&t.label, small)).fold(0.0, f64::max);
    let left = 12.0 + if panel.y.label.is_empty() { 0.0 } else { size + 4.0 } + widest + TICK + 4.0;
    let bar = panel.heat().filter(|_| panel.colours.is_some()).map(|heat| {
        let marks = ticks(Default::default(), heat.ends(), 5);
        let wide = marks.iter().map(|t| font::width(&t.label, small)).fold(0.0, f64::max);
        (heat.ends(), wide, marks)
    });
    let right = bar.as_ref().map_or(14.0, |(_, wide, _)| 14.0 + BAR + TICK + 4.0 + wide + size + 12.0);
    let mut frame = Rect { x: cell.x + left, y: cell.y + top, w: cell.w - left - right, h: cell.h - top - bottom };
    if panel.equal {
        equal(&mut frame, ranges);
    }
    let map = Map { panel, frame, ranges };
    let x_ticks = ticks(panel.x.scale, ranges[0], fitting(panel, ranges[0], frame.w, small));
    let filled = panel.heat().is_some();
    if !filled {
        grid(svg, &map, &x_ticks, &y_ticks, theme);
    }
    svg.clipped(frame, |svg| panel.layers.iter().for_each(|layer| marks::draw(svg, &map, layer, theme)));
    axes(svg, &map, &x_ticks, &y_ticks, theme);
    labels(svg, &map, theme, cell, widest);
    legend(svg, &map, theme);
    if let (Some((ends, _, marks)), Some(label)) = (bar, &panel.colours) {
        colour_bar(svg, frame, ends, &marks, label, theme);
    }
}

/// A frame in which a unit is as long on both axes, as large as there is room.
fn equal(frame: &mut Rect, [x, y]: [(f64, f64); 2]) {
    let unit = (frame.w / (x.1 - x.0)).min(frame.h / (y.1 - y.0));
    let (w, h) = (unit * (x.1 - x.0), unit * (y.1 - y.0));
    frame.x += 0.5 * (frame.w - w);
    frame.y += 0.5 * (frame.h - h);
    (frame.w, frame.h) = (w, h);
}

/// A number of ticks whose labels do not run into each other.
fn fitting(panel: &Panel, range: (f64, f64), width: f64, size: f64) -> usize {
    let fits = |n: &usize| {
        let all = ticks(panel.x.scale, range, *n);
        let told: Vec<&Tick> = all.iter().filter(|t| !t.label.is_empty()).collect();
        let wide = told.iter().map(|t| font::width(&t.label, size)).fold(0.0, f64::max) + 12.0;
        let place = |t: &Tick| width * panel.x.scale.place(t.at, range);
        told.windows(2).all(|w| place(w[1]) - place(w[0]) >= wide)
    };
    (2..=7).rev().find(fits).unwrap_or(2)
}

fn grid(svg: &mut Svg, map: &Map<'_>, x_ticks: &[Tick], y_ticks: &[Tick], theme: &Theme) {
    let style = format!("stroke=\"{}\" stroke-width=\"0.8\"", theme.grid);
    let Rect { x, y, w, h } = map.frame;
    for tick in x_ticks.iter().filter(|t| !t.label.is_empty()) {
        svg.line((map.x(tick.at), y), (map.x(tick.at), y + h), &style);
    }
    for tick in y_ticks.iter().filter(|t| !t.label.is_empty()) {
        svg.line((x, map.y(tick.at)), (x + w, map.y(tick.at)), &style);
    }
}

fn axes(svg: &mut Svg, map: &Map<'_>, x_ticks: &[Tick], y_ticks: &[Tick], theme: &Theme) {
    let style = format!("stroke=\"{}\" stroke-width=\"1\"", theme.ink);
    let Rect { x, y, w, h } = map.frame;
    svg.line((x, y + h), (x + w, y + h), &style);
    svg.line((x, y), (x, y + h), &style);
    if map.panel.heat().is_some() {
        svg.line((x, y), (x + w, y), &style);
        svg.line((x + w, y), (x + w, y + h), &style);
    }
    let small = theme.text_size - 2.0;
    let how = Text { size: small, fill: theme.faint, ..Text::of(theme) };
    let long = |t: &Tick| if t.label.is_empty() { 0.6 * TICK } else { TICK };
    for tick in x_ticks {
        let at = map.x(tick.at);
        svg.line((at, y + h), (at, y + h + long(tick)), &style);
        if !tick.label.is_empty() {
            svg.text(at, y + h + TICK + small + 1.0, &tick.label, Text { anchor: "middle", ..how });
        }
    }
    for tick in y_ticks {
        let at = map.y(tick.at);
        svg.line((x - long(tick), at), (x, at), &style);
        if !tick.label.is_empty() {
            svg.text(x - TICK - 3.0, at + 0.36 * small, &tick.label, Text { anchor: "end", ..how });
        }
    }
}

fn labels(svg: &mut Svg, map: &Map<'_>, theme: &Theme, cell: Rect, widest: f64) {
    let size = theme.text_size;
    let Rect { x, y, w, h } = map.frame;
    let middle = Text { anchor: "middle", ..Text::of(theme) };
    if !map.panel.x.label.is_empty() {
        svg.text(x + 0.5 * w, y + h + TICK + size - 2.0 + 6.0 + size, &map.panel.x.label, middle);
    }
    if !map.panel.y.label.is_empty() {
        let at = (x - widest - TICK - 12.0).max(cell.x + size);
        svg.text(at, y + 0.5 * h, &map.panel.y.label, Text { upwards: true, ..middle });
    }
    if !map.panel.title.is_empty() {
        svg.text(x + 0.5 * w, y - 7.0, &map.panel.title, middle);
    }
}

/// The size of a legend; none without names.
fn legend_size(panel: &Panel, theme: &Theme) -> Option<(f64, f64)> {
    let size = theme.text_size - 2.0;
    let widest = panel.legend().map(|(name, _)| font::width(name, size)).reduce(f64::max)?;
    Some((widest + 40.0, (size + 6.0) * panel.legend().count() as f64 + 8.0))
}

/// The corner where a legend hides least, and how much that is.
fn corner(map: &Map<'_>, (wide, tall): (f64, f64)) -> ((f64, f64), usize) {
    let Rect { x, y, w, h } = map.frame;
    let (gap, rights, bottoms) = (8.0, x + w - wide - 8.0, y + h - tall - 8.0);
    let corners = [(rights, y + gap), (x + gap, y + gap), (rights, bottoms), (x + gap, bottoms)];
    let under = |(left, top): (f64, f64), (a, b): (f64, f64)| {
        a > left - 4.0 && a < left + wide + 4.0 && b > top - 4.0 && b < top + tall + 4.0
    };
    let hidden = |at: (f64, f64)| marks::samples(map).filter(|p| under(at, *p)).count();
    let all = corners.map(|at| (at, hidden(at)));
    all.into_iter().min_by_key(|c| c.1).unwrap_or((corners[0], 0))
}

/// Gives a panel room above where its legend would hide something everywhere.
fn make_room(map: &mut Map<'_>, theme: &Theme) {
    let Some(size) = legend_size(map.panel, theme) else { return };
    if map.panel.equal || map.panel.y.range.is_some() || corner(map, size).1 == 0 {
        return;
    }
    let share = (size.1 + 12.0) / (map.frame.h - size.1 - 12.0).max(20.0);
    map.ranges[1] = map.panel.y.scale.raised(map.ranges[1], share.min(1.0));
}

fn legend(svg: &mut Svg, map: &Map<'_>, theme: &Theme) {
    let Some((wide, tall)) = legend_size(map.panel, theme) else { return };
    let (at, _) = corner(map, (wide, tall));
    let size = theme.text_size - 2.0;
    let row = size + 6.0;
    let back = if theme.background == "none" { "var(--background)" } else { theme.background };
    let style =
        format!("rx=\"3\" fill=\"{back}\" fill-opacity=\"0.82\" stroke=\"{}\" stroke-width=\"0.8\"", theme.grid);
    svg.rect(Rect { x: at.0, y: at.1, w: wide, h: tall }, &style);
    for (k, (name, layer)) in map.panel.legend().enumerate() {
        let middle = at.1 + 4.0 + row * (k as f64 + 0.5);
        sample(svg, layer, at.0 + 8.0, middle, theme);
        svg.text(at.0 + 34.0, middle + 0.36 * size, name, Text { size, ..Text::of(theme) });
    }
}

/// A layer in little, for the legend.
fn sample(svg: &mut Svg, layer: &Layer, x: f64, y: f64, theme: &Theme) {
    let ends = ((x, y), (x + 20.0, y));
    match &layer.mark {
        Mark::Band(_) | Mark::Bars { .. } => {
            svg.rect(Rect { x, y: y - 5.0, w: 20.0, h: 10.0 }, &marks::fill(layer.ink, &layer.mark, theme));
        }
        Mark::Dots(_) => svg.dots(&[(x + 10.0, y)], 2.6, marks::colour(layer.ink, theme), ""),
        Mark::Estimates(_) => {
            svg.line(ends.0, ends.1, &marks::stroke(layer.ink, theme));
            svg.dots(&[(x + 10.0, y)], 3.0, marks::colour(layer.ink, theme), "");
        }
        Mark::Line(_) if matches!(layer.ink, Ink::Faint(_)) => {
            svg.line(ends.0, ends.1, &format!("stroke=\"{}\" stroke-width=\"1.2\"", marks::colour(layer.ink, theme)));
        }
        _ => svg.line(ends.0, ends.1, &marks::stroke(layer.ink, theme)),
    }
}

fn colour_bar(svg: &mut Svg, frame: Rect, ends: (f64, f64), marks: &[Tick], label: &str, theme: &Theme) {
    let small = theme.text_size - 2.0;
    let x = frame.x + frame.w + 14.0;
    let tall = frame.h / colour::STEPS as f64;
    for k in 0..colour::STEPS {
        let y = frame.y + frame.h - tall * (k + 1) as f64;
        let style = format!("fill=\"{}\" shape-rendering=\"crispEdges\"", colour::hex(k));
        svg.rect(Rect { x, y, w: BAR, h: tall + 0.3 }, &style);
    }
    let style = format!("stroke=\"{}\" stroke-width=\"1\"", theme.ink);
    let how = Text { size: small, fill: theme.faint, ..Text::of(theme) };
    let mut wide = 0f64;
    for tick in marks {
        let y = frame.y + frame.h * (1.0 - (tick.at - ends.0) / (ends.1 - ends.0));
        svg.line((x + BAR, y), (x + BAR + TICK, y), &style);
        svg.text(x + BAR + TICK + 3.0, y + 0.36 * small, &tick.label, how);
        wide = wide.max(font::width(&tick.label, small));
    }
    let at = x + BAR + TICK + 3.0 + wide + 6.0 + small;
    svg.text(at, frame.y + 0.5 * frame.h, label, Text { anchor: "middle", upwards: true, ..Text::of(theme) });
}
