//! Laws in the plane: points, and densities by colours, with the contours of what they are held against.

use crate::output::number::counted;
use crate::plot::figure::Heat;
use crate::plot::{Axis, Figure, Ink, Layer, Mark, Panel, contour, smooth_plane};
use crate::session::figures::backdrop::SHARES;
use crate::session::figures::curves::{plane_rows, sentence};
use crate::session::figures::gather::{Backdrop, Gathered};
use crate::session::figures::laws::common_axes;
use crate::session::figures::parts::{first_of, when};

/// Cells of a side of a density.
const CELLS: usize = 96;

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

/// Of how many paths there are so many points; where each has one, the paths alone.
fn points_of(g: &Gathered, points: u64) -> String {
    let paths = first_of(g);
    if points == g.record.paths.len() as u64 { paths } else { format!("{paths}, {}", counted(points, "point")) }
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
        let caption = sentence(&format!("{}{}", points_of(g, n), held(name)));
        Figure { title: when(g, look), caption, panels: vec![panel] }
    };
    common_axes(g, plane_points(g).into_iter().enumerate().map(figure).collect())
}

/// Whether both axes have lengths of one size, so that one unit for both leaves no panel thin.
pub(super) fn alike([x, y]: [(f64, f64); 2]) -> bool {
    let ratio = (x.1 - x.0) / (y.1 - y.0);
    (0.4..2.5).contains(&ratio)
}

/// The density of points, as colours.
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
        // few points do not tell where their law ends
        let share = if values.len() < 200 { 0.2 } else { 0.02 };
        let margin = (share * (high - low)).max(1e-9);
        match &found {
            Some((_, _, window)) => (window[k].0.min(low - margin), window[k].1.max(high + margin)),
            None => (low - margin, high + margin),
        }
    };
    let (x, y) = (ends(|p| p.0, 0), ends(|p| p.1, 1));
    let figure = |(look, points): (usize, &Vec<(f64, f64)>)| {
        let n = CELLS;
        let mut shares = vec![0.0; n * n];
        for (a, b) in points {
            let (u, v) = ((a - x.0) / (x.1 - x.0), (b - y.0) / (y.1 - y.0));
            if (0.0..1.0).contains(&u) && (0.0..1.0).contains(&v) {
                shares[(v * n as f64) as usize * n + (u * n as f64) as usize] += 1.0 / points.len() as f64;
            }
        }
        let area = (x.1 - x.0) * (y.1 - y.0) / (n * n) as f64;
        let values = smooth_plane::spread(&shares, n, points.len() as f64).iter().map(|s| s / area).collect();
        let heat = Heat { x, y, columns: n, values, range: None };
        let mut layers = vec![Layer::new(Ink::Series(0), Mark::Heat(heat))];
        layers.extend(found.as_ref().map(|f| f.0.clone()));
        let mut panel = Panel { x: Axis::new(&names[0]), y: Axis::new(&names[1]), layers, ..Panel::default() };
        panel.equal = alike([x, y]);
        panel.colours = Some("density".into());
        let name = found.as_ref().map(|f| f.1);
        let caption =
            sentence(&format!("{}, smoothed by a normal kernel{}", points_of(g, points.len() as u64), held(name)));
        Figure { title: when(g, look), caption, panels: vec![panel] }
    };
    common_axes(g, all.iter().enumerate().map(figure).collect())
}
