//! Figures in a terminal: marks in braille (two by four dots a sign), axes and ticks in text.

use super::figure::{Figure, Heat, Ink, Mark, Panel};
use super::ticks::{Tick, ticks};

/// Signs of a heat map, from low to high.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];

/// Colours of the series as ANSI codes of 256 colours: those nearest to the palette of Okabe and Ito that read on dark and
/// light alike.
const ANSI: [u8; 7] = [32, 166, 36, 175, 172, 74, 136];

/// A figure as lines of text no wider than `width` columns (24 at least); each panel has about `height` lines.
pub fn draw(figure: &Figure, width: usize, height: usize, colour: bool) -> String {
    let (width, height) = (width.max(24), height.max(6));
    let mut out = String::new();
    for line in wrapped(&figure.title, width) {
        out += &format!("{line}\n");
    }
    for panel in &figure.panels {
        out += &draw_panel(panel, width, height, colour);
    }
    out
}

/// A text in lines of so many signs; a word that is longer is cut.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= most => *line += &format!(" {word}"),
            _ => lines.push(cut(word, most)),
        }
    }
    lines
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        text.into()
    } else {
        text.chars().take(most.saturating_sub(3)).chain("...".chars()).collect()
    }
}

/// Dots of a panel: for each sign its eight dots, and the series drawn last.
struct Canvas {
    columns: usize,
    rows: usize,
    dots: Vec<u8>,
    inks: Vec<Option<Ink>>,
    shades: Vec<Option<char>>,
}

impl Canvas {
    fn new(columns: usize, rows: usize) -> Canvas {
        let n = columns * rows;
        Canvas { columns, rows, dots: vec![0; n], inks: vec![None; n], shades: vec![None; n] }
    }

    fn dot(&mut self, x: i64, y: i64, ink: Ink) {
        // the bits of the dots of a sign, by row and column
        const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        if x < 0 || y < 0 || x >= 2 * self.columns as i64 || y >= 4 * self.rows as i64 {
            return;
        }
        let (x, y) = (x as usize, y as usize);
        let at = y / 4 * self.columns + x / 2;
        self.dots[at] |= BITS[y % 4][x % 2];
        self.inks[at] = Some(ink);
    }

    fn line(&mut self, a: (f64, f64), b: (f64, f64), ink: Ink) {
        let n = (b.0 - a.0).abs().max((b.1 - a.1).abs()).ceil().clamp(1.0, 4096.0);
        for k in 0..=n as i64 {
            let s = k as f64 / n;
            self.dot((a.0 + s * (b.0 - a.0)).round() as i64, (a.1 + s * (b.1 - a.1)).round() as i64, ink);
        }
    }

    fn sign(&self, at: usize) -> char {
        match (self.dots[at], self.shades[at]) {
            (0, shade) => shade.unwrap_or(' '),
            (dots, _) => char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' '),
        }
    }

    fn row(&self, row: usize, colour: bool) -> String {
        let mut line = String::new();
        let mut on = None;
        for at in row * self.columns..(row + 1) * self.columns {
            let wanted = self.inks[at].filter(|_| colour).and_then(code);
            if wanted != on {
                line += &wanted.map_or("\x1b[0m".to_string(), |c| format!("\x1b[38;5;{c}m"));
                on = wanted;
            }
            line.push(self.sign(at));
        }
        if on.is_some() {
            line += "\x1b[0m";
        }
        if colour { line } else { line.trim_end().to_string() }
    }
}

fn code(ink: Ink) -> Option<u8> {
    match ink {
        Ink::Series(k) | Ink::Faint(k) => Some(ANSI[k % ANSI.len()]),
        Ink::Reference | Ink::Over => None,
    }
}

fn draw_panel(panel: &Panel, width: usize, height: usize, colour: bool) -> String {
    let ranges = panel.ranges();
    let rows = height.saturating_sub(3).max(3);
    let y_ticks = ticks(panel.y.scale, ranges[1], (rows / 3).max(2));
    let margin = y_ticks.iter().map(|t| t.label.chars().count()).max().unwrap_or(0);
    let columns = width.saturating_sub(margin + 2).max(8);
    let mut canvas = Canvas::new(columns, rows);
    let place = |p: (f64, f64)| {
        let x = panel.x.scale.place(p.0, ranges[0]) * (2 * columns - 1) as f64;
        let y = (1.0 - panel.y.scale.place(p.1, ranges[1])) * (4 * rows - 1) as f64;
        (x, y)
    };
    for layer in &panel.layers {
        mark(&mut canvas, &layer.mark, layer.ink, &place);
    }
    let mut out = String::new();
    let heading: Vec<&str> =
        [panel.title.as_str(), panel.y.label.as_str()].into_iter().filter(|t| !t.is_empty()).collect();
    if !heading.is_empty() {
        out += &format!("{}\n", cut(&heading.join(": "), width));
    }
    for row in 0..rows {
        let tick = y_ticks.iter().find(|t| !t.label.is_empty() && (place((ranges[0].0, t.at)).1 / 4.0) as usize == row);
        let label = tick.map_or("", |t| t.label.as_str());
        let line = if tick.is_some() { '┤' } else { '│' };
        out += format!("{label:>margin$} {line}{}", canvas.row(row, colour)).trim_end();
        out.push('\n');
    }
    out += &x_axis(panel, ranges[0], margin, columns);
    out += &legend(panel, margin, width, colour);
    out
}

fn mark(canvas: &mut Canvas, mark: &Mark, ink: Ink, place: &dyn Fn((f64, f64)) -> (f64, f64)) {
    let mut curve = |points: &[(f64, f64)]| {
        for pair in points.windows(2) {
            let (a, b) = (place(pair[0]), place(pair[1]));
            if [a.0, a.1, b.0, b.1].iter().all(|v| v.is_finite()) {
                canvas.line(a, b, ink);
            }
        }
    };
    match mark {
        Mark::Line(points) => curve(points),
        Mark::Contours(lines) => lines.iter().for_each(|l| curve(l)),
        Mark::Band(points) => {
            // the two edges alone: a filled band would hide the rest
            curve(&points.iter().map(|p| (p.0, p.1)).collect::<Vec<_>>());
            curve(&points.iter().map(|p| (p.0, p.2)).collect::<Vec<_>>());
        }
        Mark::Dots(points) => {
            for p in points.iter().map(|p| place(*p)).filter(|p| p.0.is_finite() && p.1.is_finite()) {
                canvas.dot(p.0.round() as i64, p.1.round() as i64, ink);
            }
        }
        Mark::Estimates(points) => curve(&points.iter().map(|p| (p.0, p.1)).collect::<Vec<_>>()),
        Mark::Bars { edges, heights } => {
            for (edge, height) in edges.windows(2).zip(heights).filter(|(_, h)| h.is_finite()) {
                let ((left, floor), (right, top)) = (place((edge[0], 0.0)), place((edge[1], *height)));
                for x in left.round() as i64..=(right.round() as i64 - 1).max(left.round() as i64) {
                    canvas.line((x as f64, floor), (x as f64, top), ink);
                }
            }
        }
        Mark::Stems(points) => {
            for (x, y) in points {
                let (foot, top) = (place((*x, 0.0)), place((*x, *y)));
                if [foot.0, foot.1, top.1].iter().all(|v| v.is_finite()) {
                    canvas.line(foot, top, ink);
                }
            }
        }
        Mark::Heat(heat) => shade(canvas, heat, place),
    }
}

fn shade(canvas: &mut Canvas, heat: &Heat, place: &dyn Fn((f64, f64)) -> (f64, f64)) {
    let (low, high) = heat.ends();
    let (a, b) = (place((heat.x.0, heat.y.0)), place((heat.x.1, heat.y.1)));
    for row in 0..canvas.rows {
        for column in 0..canvas.columns {
            let u = ((2 * column) as f64 + 0.5 - a.0) / (b.0 - a.0);
            let v = ((4 * row) as f64 + 1.5 - a.1) / (b.1 - a.1);
            if !(0.0..1.0).contains(&u) || !(0.0..1.0).contains(&v) {
                continue;
            }
            let cell = (v * heat.rows() as f64) as usize * heat.columns + (u * heat.columns as f64) as usize;
            let share = (heat.values[cell] - low) / (high - low);
            if share.is_finite() {
                canvas.shades[row * canvas.columns + column] = Some(SHADES[((share * 5.0) as usize).min(4)]);
            }
        }
    }
}

/// The lower axis: its line with the ticks, and their labels with that of the axis.
fn x_axis(panel: &Panel, range: (f64, f64), margin: usize, columns: usize) -> String {
    let mut line: Vec<char> = vec!['─'; columns];
    let mut labels: Vec<char> = vec![' '; columns];
    let place =
        |t: &Tick| ((panel.x.scale.place(t.at, range) * (columns - 1) as f64).round() as usize).min(columns - 1);
    let told =
        |n: usize| ticks(panel.x.scale, range, n).into_iter().filter(|t| !t.label.is_empty()).collect::<Vec<_>>();
    // as many as do not run into each other
    let fits = |n: &usize| {
        let all = told(*n);
        let widest = all.iter().map(|t| t.label.chars().count()).max().unwrap_or(0);
        all.windows(2).all(|w| place(&w[1]) >= place(&w[0]) + widest + 3)
    };
    for tick in told((2..=8).rev().find(fits).unwrap_or(2)) {
        let at = place(&tick);
        line[at] = '┬';
        let signs: Vec<char> = tick.label.chars().collect();
        let begin = at.saturating_sub(signs.len() / 2).min(columns.saturating_sub(signs.len()));
        let room = begin.saturating_sub(1)..(begin + signs.len() + 1).min(columns);
        if labels[room].iter().all(|c| *c == ' ') {
            labels.splice(begin..begin + signs.len(), signs);
        }
    }
    let pad = " ".repeat(margin);
    let (line, labels): (String, String) = (line.into_iter().collect(), labels.into_iter().collect());
    let name = if panel.x.label.is_empty() {
        String::new()
    } else {
        format!("{pad}  {:^columns$}", cut(&panel.x.label, columns)).trim_end().to_string() + "\n"
    };
    format!("{pad} └{line}\n{}\n{name}", format!("{pad}  {labels}").trim_end())
}

fn legend(panel: &Panel, margin: usize, width: usize, colour: bool) -> String {
    let mut out = String::new();
    for (name, layer) in panel.legend() {
        let sign = match (&layer.mark, layer.ink) {
            (_, Ink::Reference) => "╌╌",
            (Mark::Bars { .. } | Mark::Band(_), _) => "▆▆",
            (Mark::Dots(_), _) => "··",
            (Mark::Stems(_), _) => " │",
            _ => "──",
        };
        let sign = match code(layer.ink).filter(|_| colour) {
            Some(c) => format!("\x1b[38;5;{c}m{sign}\x1b[0m"),
            None => sign.to_string(),
        };
        out += &format!("{}  {sign} {}\n", " ".repeat(margin), cut(name, width.saturating_sub(margin + 5)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::figure::{Axis, Layer};
    use super::*;

    fn figure(mark: Mark) -> Figure {
        let panel = Panel {
            x: Axis::new("t"),
            y: Axis::new("x"),
            layers: vec![Layer::new(Ink::Series(0), mark).named("a path")],
            ..Panel::default()
        };
        Figure { title: "run".into(), panels: vec![panel], ..Figure::default() }
    }

    #[test]
    fn braille_dots_are_where_they_belong() {
        let mut canvas = Canvas::new(1, 1);
        canvas.dot(0, 0, Ink::Series(0));
        assert_eq!(canvas.sign(0), '⠁');
        canvas.dot(1, 3, Ink::Series(0));
        assert_eq!(canvas.sign(0), '⢁');
        canvas.dot(-1, 9, Ink::Series(0));
        assert_eq!(canvas.sign(0), '⢁', "outside is nowhere");
    }

    #[test]
    fn a_line_goes_from_corner_to_corner() {
        let text = draw(&figure(Mark::Line(vec![(0.0, 0.0), (10.0, 1.0)])), 40, 12, false);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.iter().all(|l| l.chars().count() <= 40), "{text}");
        assert!(lines[0].contains("run") && text.contains("a path") && text.contains("┬"), "{text}");
        let braille = |l: &str| l.chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c));
        assert!(lines.iter().filter(|l| braille(l)).count() >= 8, "{text}");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let long = "a name that is longer than a narrow terminal is wide";
        for mark in [Mark::Line(vec![(0.0, -1e7), (10.0, 1e7)]), Mark::Stems(vec![(1.0, 0.5), (2.0, 0.25)])] {
            let mut f = figure(mark);
            f.title = long.into();
            (f.panels[0].x.label, f.panels[0].y.label) = (long.into(), long.into());
            f.panels[0].layers[0].name = Some(long.into());
            for width in [24, 40, 80, 200] {
                let text = draw(&f, width, 12, false);
                let widest = text.lines().map(|l| l.chars().count()).max();
                assert!(widest.is_some_and(|w| w <= width), "{width}: {widest:?}\n{text}");
            }
        }
    }

    #[test]
    fn colours_are_only_there_when_asked_for() {
        let f = figure(Mark::Bars { edges: vec![0.0, 1.0, 2.0], heights: vec![1.0, 3.0] });
        assert!(!draw(&f, 40, 10, false).contains('\x1b'));
        assert!(draw(&f, 40, 10, true).contains("\x1b[38;5;32m"));
    }

    #[test]
    fn nothing_that_is_drawn_panics() {
        let odd = [f64::NAN, f64::INFINITY, -1e308, 1e308, 0.0];
        let points: Vec<(f64, f64)> = odd.iter().flat_map(|x| odd.iter().map(|y| (*x, *y))).collect();
        for mark in [
            Mark::Line(points.clone()),
            Mark::Dots(points.clone()),
            Mark::Stems(points.clone()),
            Mark::Band(points.iter().map(|p| (p.0, p.1, p.0)).collect()),
            Mark::Estimates(points.iter().map(|p| (p.0, p.1, p.0)).collect()),
            Mark::Bars { edges: odd.to_vec(), heights: odd.to_vec() },
            Mark::Heat(Heat { x: (0.0, 1.0), y: (0.0, 1.0), columns: 2, values: vec![f64::NAN; 4], range: None }),
            Mark::Contours(vec![points.clone(), Vec::new()]),
            Mark::Line(Vec::new()),
        ] {
            let f = figure(mark);
            draw(&f, 30, 8, true);
            super::super::svg::draw(&f, &super::super::theme::LIGHT);
        }
    }
}
