//! A panel: its frame, ticks, labels and bar of colours, with the layers inside.

use super::colour;
use super::figure::Panel;
use super::font;
use super::legend;
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

/// How a panel lies in its cell.
struct Layout<'p> {
    map: Map<'p>,
    y_ticks: Vec<Tick>,
    /// of the labels of these
    widest: f64,
    /// of the bar of colours: its ends and ticks
    bar: Option<((f64, f64), Vec<Tick>)>,
    /// the frame if its units need not be equal
    room: Rect,
}

fn small(theme: &Theme) -> f64 {
    theme.text_size - 2.0
}

/// Lays a panel out, with some room above its frame for the legend.
fn layout<'p>(panel: &'p Panel, theme: &Theme, cell: Rect, above: f64) -> Layout<'p> {
    let ranges = panel.ranges();
    let (size, small) = (theme.text_size, small(theme));
    let wide = |ticks: &[Tick]| ticks.iter().map(|t| font::width(&t.label, small)).fold(0.0, f64::max);
    let top = 10.0 + above + if panel.title.is_empty() { 0.0 } else { size + 4.0 };
    let bottom = TICK + small + 8.0 + size + 8.0;
    let y_ticks = ticks(panel.y.scale, ranges[1], ((cell.h / 52.0) as usize).max(3));
    let widest = wide(&y_ticks);
    let left = 12.0 + if panel.y.label.is_empty() { 0.0 } else { size + 4.0 } + widest + TICK + 4.0;
    let bar = panel.heat().filter(|_| panel.colours.is_some());
    let bar = bar.map(|heat| (heat.ends(), ticks(Default::default(), heat.ends(), 5)));
    let right = bar.as_ref().map_or(14.0, |(_, marks)| 14.0 + BAR + TICK + 4.0 + wide(marks) + size + 12.0);
    let mut frame = Rect { x: cell.x + left, y: cell.y + top, w: cell.w - left - right, h: cell.h - top - bottom };
    let room = frame;
    if panel.equal {
        equal(&mut frame, ranges);
    }
    Layout { map: Map { panel, frame, ranges }, y_ticks, widest, bar, room }
}

/// The room that the legend of a panel needs above its frame: none where it has a free place inside.
pub(super) fn room_above(panel: &Panel, theme: &Theme, cell: Rect) -> f64 {
    let plain = layout(panel, theme, cell, 0.0);
    match panel.is_named() && legend::free_place(&plain.map, theme).is_none() {
        true => legend::height(panel, plain.room.w, theme),
        false => 0.0,
    }
}

/// Draws a panel into a cell of the page; its legend above the frame where there is room for it, else inside, or not at all.
pub(super) fn panel(svg: &mut Svg, panel: &Panel, theme: &Theme, cell: Rect, above: f64, with_legend: bool) {
    let Layout { map, y_ticks, widest, bar, room } = layout(panel, theme, cell, above);
    let frame = map.frame;
    let x_ticks = ticks(panel.x.scale, map.ranges[0], fitting(panel, map.ranges[0], frame.w, small(theme)));
    if panel.heat().is_none() {
        grid(svg, &map, &x_ticks, &y_ticks, theme);
    }
    svg.clipped(frame, |svg| panel.layers.iter().for_each(|layer| marks::draw(svg, &map, layer, theme)));
    axes(svg, &map, &x_ticks, &y_ticks, theme);
    labels(svg, &map, theme, cell, widest);
    if !panel.title.is_empty() {
        let middle = Text { anchor: "middle", ..Text::of(theme) };
        svg.text(frame.x + 0.5 * frame.w, frame.y - above - 7.0, &panel.title, middle);
    }
    if with_legend && panel.is_named() {
        match legend::free_place(&map, theme).filter(|_| above == 0.0) {
            Some(at) => legend::inside(svg, panel, at, theme),
            None => legend::in_rows(svg, panel, (room.x, frame.y - above), room.w, theme),
        }
    }
    if let (Some((ends, marks)), Some(label)) = (bar, &panel.colours) {
        colour_bar(svg, frame, ends, &marks, label, theme);
    }
}

/// The height of a cell that a panel with equal units has no use for.
pub(super) fn spare(panel: &Panel, theme: &Theme, cell: Rect) -> f64 {
    let plain = layout(panel, theme, cell, 0.0);
    plain.room.h - plain.map.frame.h
}

/// A frame in which a unit is as long on both axes, as large as there is room, from the top on.
fn equal(frame: &mut Rect, [x, y]: [(f64, f64); 2]) {
    let (long, tall) = ((x.1 - x.0).abs(), (y.1 - y.0).abs());
    let unit = (frame.w / long).min(frame.h / tall);
    let (w, h) = (unit * long, unit * tall);
    frame.x += 0.5 * (frame.w - w);
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
        let label = fitted(&map.panel.x.label, size, cell.w);
        svg.text(x + 0.5 * w, y + h + TICK + size - 2.0 + 6.0 + size, &label, middle);
    }
    if !map.panel.y.label.is_empty() {
        let at = (x - widest - TICK - 12.0).max(cell.x + size);
        svg.text(at, y + 0.5 * h, &fitted(&map.panel.y.label, size, cell.h), Text { upwards: true, ..middle });
    }
}

/// A label that is no longer than its side of the cell.
fn fitted(label: &str, size: f64, room: f64) -> String {
    if font::width(label, size) <= room {
        return label.into();
    }
    let signs: Vec<char> = label.chars().collect();
    let short = |n: usize| signs[..n].iter().collect::<String>() + "...";
    // widths grow with the number of signs
    let (mut fits, mut too_long) = (0, signs.len());
    while too_long - fits > 1 {
        let middle = fits.midpoint(too_long);
        if font::width(&short(middle), size) <= room { fits = middle } else { too_long = middle }
    }
    short(fits)
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
