//! Figures as SVG. Text stays text, so that it can be searched and edited; coordinates have two decimals.

use std::fmt::Write;

use super::figure::{Figure, Panel};
use super::font::{self, FAMILIES};
use super::frame;
use super::legend;
use super::theme::Theme;

/// The width of a figure of one panel, and the height of its drawing without title and caption.
const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 370.0;

/// A figure as the text of an SVG file.
pub fn draw(figure: &Figure, theme: &Theme) -> String {
    draw_in_page(figure, theme, "c")
}

/// The same for a page with several, whose ids begin with `prefix`.
pub fn draw_in_page(figure: &Figure, theme: &Theme, prefix: &str) -> String {
    let columns = columns(figure.panels.len());
    let rows = figure.panels.len().div_ceil(columns).max(1);
    let shrink = [1.0, 0.72, 0.62][columns - 1];
    let square = figure.panels.iter().any(|p| p.equal);
    let (cell_w, cell_h) = match square {
        true => {
            (if figure.panels.iter().any(|p| p.colours.is_some()) { 520.0 } else { 470.0 } * shrink, 440.0 * shrink)
        }
        false => (WIDTH * shrink, HEIGHT * shrink),
    };
    let whole = Rect { x: 0.0, y: 0.0, w: cell_w, h: cell_h };
    let spare = figure.panels.iter().map(|p| frame::spare(p, theme, whole)).reduce(f64::min).unwrap_or(0.0);
    let cell_h = cell_h - spare;
    let width = cell_w * columns as f64;
    let size = theme.text_size;
    let titles = font::lines(&figure.title, size + 1.0, width - 24.0);
    let captions = font::lines(&figure.caption, size - 2.0, width - 24.0);
    let below = 10.0 + titles.len() as f64 * (size + 6.0);
    let shared = shared_legend(figure);
    let top = below + shared.map_or(0.0, |p| legend::height(p, width - 24.0, theme) + 6.0);
    let bottom = captions.len() as f64 * (size + 2.0) + 8.0;
    let height = top + cell_h * rows as f64 + bottom;
    let mut svg = Svg::new(width, height, theme, prefix);
    for (k, line) in titles.iter().enumerate() {
        svg.text(
            12.0,
            8.0 + (k as f64 + 1.0) * (size + 5.0),
            line,
            Text { size: size + 1.0, bold: true, ..Text::of(theme) },
        );
    }
    if let Some(panel) = shared {
        legend::in_rows(&mut svg, panel, (12.0, below + 4.0), width - 24.0, theme);
    }
    let cell = |k: usize| {
        let (x, y) = ((k % columns) as f64 * cell_w, top + (k / columns) as f64 * cell_h);
        Rect { x, y, w: cell_w, h: cell_h }
    };
    let panels = || figure.panels.iter().enumerate();
    let above = match shared {
        Some(_) => 0.0,
        None => panels().map(|(k, p)| frame::room_above(p, theme, cell(k))).fold(0.0, f64::max),
    };
    for (k, panel) in panels() {
        frame::panel(&mut svg, panel, theme, cell(k), above, shared.is_none());
    }
    for (k, line) in captions.iter().enumerate() {
        let y = top + cell_h * rows as f64 + (k as f64 + 1.0) * (size + 2.0) - 4.0;
        svg.text(12.0, y, line, Text { size: size - 2.0, fill: theme.faint, ..Text::of(theme) });
    }
    svg.end()
}

/// The panel whose legend is that of all: the first of several, where the others name nothing.
fn shared_legend(figure: &Figure) -> Option<&Panel> {
    let (first, others) = figure.panels.split_first()?;
    (!others.is_empty() && first.is_named() && !others.iter().any(Panel::is_named)).then_some(first)
}

/// Columns that so many panels stand in.
pub fn columns(panels: usize) -> usize {
    match panels {
        0 | 1 => 1,
        2 | 4 => 2,
        _ => 3,
    }
}

/// Text with the signs that XML reads as its own made literal.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) struct Rect {
    pub x: f64,
    pub y: f64,
    pub w: f64,
    pub h: f64,
}

/// How a text is set.
#[derive(Copy, Clone, Debug)]
pub(super) struct Text {
    pub size: f64,
    pub fill: &'static str,
    /// `start`, `middle` or `end`
    pub anchor: &'static str,
    pub bold: bool,
    /// turned to read upwards
    pub upwards: bool,
}

impl Text {
    pub fn of(theme: &Theme) -> Text {
        Text { size: theme.text_size, fill: theme.ink, anchor: "start", bold: false, upwards: false }
    }
}

/// An SVG text as it is written.
pub(super) struct Svg {
    out: String,
    prefix: String,
    clips: usize,
}

impl Svg {
    fn new(width: f64, height: f64, theme: &Theme, prefix: &str) -> Svg {
        let mut out = String::new();
        let _ = writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"{FAMILIES}\">"
        );
        if theme.background != "none" {
            let _ = writeln!(out, "<rect width=\"100%\" height=\"100%\" fill=\"{}\"/>", theme.background);
        }
        Svg { out, prefix: prefix.into(), clips: 0 }
    }

    fn end(mut self) -> String {
        self.out += "</svg>\n";
        self.out
    }

    pub fn text(&mut self, x: f64, y: f64, text: &str, how: Text) {
        let turn = if how.upwards { format!(" transform=\"rotate(-90 {x:.2} {y:.2})\"") } else { String::new() };
        // drawn twice as thick outlines: the font has no bold face
        let bold = if how.bold { format!(" stroke=\"{}\" stroke-width=\"0.35\"", how.fill) } else { String::new() };
        let _ = writeln!(
            self.out,
            "<text x=\"{x:.2}\" y=\"{y:.2}\" font-size=\"{}\" fill=\"{}\" text-anchor=\"{}\"{bold}{turn}>{}</text>",
            how.size,
            how.fill,
            how.anchor,
            escaped(text)
        );
    }

    pub fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), style: &str) {
        let _ = writeln!(self.out, "<path d=\"M{x1:.2} {y1:.2}L{x2:.2} {y2:.2}\" fill=\"none\" {style}/>");
    }

    /// Lines through points, each begun anew; one element.
    pub fn curves(&mut self, curves: &[Vec<(f64, f64)>], style: &str) {
        let mut d = String::new();
        for curve in curves.iter().filter(|c| !c.is_empty()) {
            for (k, (x, y)) in curve.iter().enumerate() {
                let _ = write!(d, "{}{x:.2} {y:.2}", if k == 0 { "M" } else { "L" });
            }
        }
        if !d.is_empty() {
            let _ = writeln!(self.out, "<path d=\"{d}\" fill=\"none\" stroke-linejoin=\"round\" {style}/>");
        }
    }

    pub fn area(&mut self, outline: &[(f64, f64)], style: &str) {
        let points: Vec<String> = outline.iter().map(|(x, y)| format!("{x:.2} {y:.2}")).collect();
        if !points.is_empty() {
            let _ = writeln!(self.out, "<path d=\"M{}Z\" {style}/>", points.join("L"));
        }
    }

    pub fn rect(&mut self, r: Rect, style: &str) {
        let Rect { x, y, w, h } = r;
        let _ = writeln!(self.out, "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{w:.2}\" height=\"{h:.2}\" {style}/>");
    }

    /// Discs of one size; one element of round ends.
    pub fn dots(&mut self, points: &[(f64, f64)], radius: f64, colour: &str, more: &str) {
        let mut d = String::new();
        for (x, y) in points {
            let _ = write!(d, "M{x:.2} {y:.2}h0");
        }
        if !d.is_empty() {
            let _ = writeln!(
                self.out,
                "<path d=\"{d}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{:.2}\" stroke-linecap=\"round\" {more}/>",
                2.0 * radius
            );
        }
    }

    /// What `body` draws is cut off outside of a rectangle.
    pub fn clipped(&mut self, r: Rect, body: impl FnOnce(&mut Svg)) {
        self.clips += 1;
        let id = format!("{}{}", self.prefix, self.clips);
        let Rect { x, y, w, h } = r;
        let _ = writeln!(
            self.out,
            "<clipPath id=\"{id}\"><rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{w:.2}\" height=\"{h:.2}\"/></clipPath>\n<g clip-path=\"url(#{id})\">"
        );
        body(self);
        self.out += "</g>\n";
    }
}
