//! Plots against time, and in the plane of two values.

use crate::model::plots::PlotKind;
use crate::output::number::{count, plain};
use crate::plot::{Axis, Figure, Ink, Layer, Mark, Panel};
use crate::session::figures::gather::Gathered;
use crate::session::figures::parts::{by_element, curve, element, first_of, label};
use crate::session::figures::plane::alike;
use crate::session::plan::plots::FAN;

/// The values of a row of a kept path at all looks.
fn row(g: &Gathered, path: usize, row: usize) -> impl Iterator<Item = f64> + '_ {
    let (looks, rows) = (g.record.looks, g.record.rows);
    (0..looks).map(move |look| g.record.values[(path * looks + look) * rows + row])
}

/// The first paths against time: many in one colour, or chains each in its own.
pub(super) fn paths(g: &Gathered) -> Figure {
    let chains = g.facts.kind == PlotKind::Trace;
    let n = g.record.paths.len();
    let panel = |k: usize| {
        let ink = |p: usize| match n {
            _ if chains => Ink::Series(p),
            0..=7 => Ink::Series(p),
            _ => Ink::Faint(0),
        };
        let thin = |ink: Ink| match ink {
            Ink::Series(p) if chains => Ink::Faint(p),
            other => other,
        };
        let line = |p: usize| g.times.iter().copied().zip(row(g, p, k)).collect();
        let mut layers: Vec<Layer> = (0..n).map(|p| Layer::new(thin(ink(p)), Mark::Line(line(p)))).collect();
        layers.extend(curve(g));
        let range = without_explosions((0..n).map(|p| row(g, p, k).collect()));
        Panel { x: Axis::new("t"), y: Axis { range, ..Axis::new(element(g, k)) }, layers, ..Panel::default() }
    };
    by_element(g, &sentence(&first_of(g)), panel)
}

/// Paths reach so many times further than most of their values, and explode.
const EXPLOSION: f64 = 1e3;

/// The range of an axis on which paths are seen although some of them explode: that of the paths which do not, with room
/// enough to see the others leave. None where all is well.
fn without_explosions(paths: impl Iterator<Item = Vec<f64>>) -> Option<(f64, f64)> {
    let paths: Vec<Vec<f64>> = paths.collect();
    let mut all: Vec<f64> = paths.concat();
    all.retain(|v| v.is_finite());
    all.sort_by(f64::total_cmp);
    let at = |q: f64| all.get((q * all.len().saturating_sub(1) as f64).round() as usize).copied();
    let (least, low, high, most) = (at(0.0)?, at(0.1)?, at(0.9)?, at(1.0)?);
    let reach = EXPLOSION * (high - low);
    if reach <= 0.0 || (low - least <= reach && most - high <= reach) {
        return None;
    }
    let calm = |v: &f64| low - v <= reach && v - high <= reach;
    let whole = |path: &&Vec<f64>| path.iter().all(|v| v.is_finite() && calm(v));
    let ends =
        |values: &mut dyn Iterator<Item = f64>| values.map(|v| (v, v)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    let (a, b) = ends(&mut paths.iter().filter(whole).flatten().copied()).unwrap_or((low, high));
    let margin = 0.15 * (b - a).max(high - low);
    Some((a - margin, b + margin))
}

pub(super) fn sentence(text: &str) -> String {
    let mut signs = text.chars();
    signs.next().map_or(String::new(), |first| first.to_uppercase().chain(signs).collect())
}

/// Quantiles against time.
pub(super) fn fan(g: &Gathered) -> Figure {
    let panel = |k: usize| {
        let looks = g.results.first().map_or(&[][..], Vec::as_slice);
        let at = |q: usize| {
            let n = FAN.len();
            move |(t, r): (&f64, &crate::runtime::StatResult)| {
                (*t, r.values.get(k * n + q).copied().unwrap_or(f64::NAN))
            }
        };
        let line = |q: usize| g.times.iter().zip(looks).map(at(q)).collect::<Vec<(f64, f64)>>();
        let band = |low: usize, high: usize| {
            let points = line(low).into_iter().zip(line(high)).map(|(a, b)| (a.0, a.1, b.1)).collect();
            Mark::Band(points)
        };
        let mut layers = vec![
            Layer::new(Ink::Faint(0), band(0, 4)).named("5 to 95 %"),
            Layer::new(Ink::Series(0), band(1, 3)).named("25 to 75 %"),
            Layer::new(Ink::Series(0), Mark::Line(line(2))).named("median"),
        ];
        layers.extend(curve(g));
        let quantiles = (0..FAN.len()).map(|q| line(q).into_iter().map(|p| p.1).collect());
        let range = without_explosions(quantiles);
        Panel { x: Axis::new("t"), y: Axis { range, ..Axis::new(element(g, k)) }, layers, ..Panel::default() }
    };
    let over = g.pooled.as_ref().map_or(String::new(), |w| format!(", over {w}"));
    by_element(g, &format!("Quantiles of {} paths{over}", count(g.paths)), panel)
}

/// The first paths as curves in a plane.
pub(super) fn phase(g: &Gathered) -> Figure {
    let (pairs, names) = plane_rows(g);
    let n = g.record.paths.len();
    let mut layers = Vec::new();
    for p in 0..n {
        for (a, b) in &pairs {
            let ink = Ink::Faint(if n > 1 { p } else { 0 });
            layers.push(Layer::new(ink, Mark::Line(row(g, p, *a).zip(row(g, p, *b)).collect())));
        }
    }
    let side = |of: fn(&(usize, usize)) -> usize, name: &str| {
        let rows = (0..n).flat_map(|p| pairs.iter().map(move |pair| (p, pair)));
        let range = without_explosions(rows.map(|(p, pair)| row(g, p, of(pair)).collect()));
        Axis { range, ..Axis::new(name) }
    };
    let mut panel = Panel { x: side(|p| p.0, &names[0]), y: side(|p| p.1, &names[1]), layers, ..Panel::default() };
    // the elements of one vector have one unit
    panel.equal = g.facts.labels.len() == 1 && g.facts.parts.is_empty() && alike(panel.ranges());
    Figure { caption: sentence(&first_of(g)), panels: vec![panel], ..Figure::default() }
}

/// Rows of a record that make points of a plane, with the names of its axes: two values, or the last axis of one.
pub(super) fn plane_rows(g: &Gathered) -> (Vec<(usize, usize)>, [String; 2]) {
    match g.facts.labels.len() {
        2 => {
            let n = g.record.rows / 2;
            ((0..n).map(|k| (k, n + k)).collect(), [label(g, 0).into(), label(g, 1).into()])
        }
        _ => {
            let name = |k: usize| match g.facts.shapes.first().map_or(0, Vec::len) {
                0 | 1 => element(g, k),
                _ => format!("{}[.., {k}]", label(g, 0)),
            };
            ((0..g.record.rows / 2).map(|k| (2 * k, 2 * k + 1)).collect(), [name(0), name(1)])
        }
    }
}

/// The time between two looks where they are regular, else 1.
pub(super) fn lag_length(g: &Gathered) -> f64 {
    let gaps: Vec<f64> = g.times.windows(2).map(|w| w[1] - w[0]).collect();
    match gaps.first() {
        Some(first) if gaps.iter().all(|h| (h - first).abs() < 1e-6 * first) => *first,
        _ => 1.0,
    }
}

/// Autocorrelations against the lag.
pub(super) fn autocorr(g: &Gathered) -> Figure {
    let h = lag_length(g);
    let regular = g.times.windows(2).all(|w| (w[1] - w[0] - h).abs() < 1e-6 * h);
    let panel = |k: usize| {
        let at = |(lag, looks): (usize, &Vec<crate::runtime::StatResult>)| {
            let r = looks.first()?;
            let (value, se) = (*r.values.get(k)?, *r.se.get(k)?);
            value.is_finite().then_some((lag as f64 * h, value, se))
        };
        let points = g.results.iter().enumerate().filter_map(at).collect();
        let mut layers = vec![Layer::new(Ink::Series(0), Mark::Estimates(points))];
        layers.extend(curve(g));
        let x = Axis::new(if regular { "lag (time)" } else { "lag (looks)" });
        Panel { x, y: Axis::new(format!("autocorrelation of {}", element(g, k))), layers, ..Panel::default() }
    };
    let over = g.pooled.as_ref().map_or(String::new(), |w| format!("Over {w}; "));
    let words = format!("{over}{} looks at a distance of {}; bars: standard errors", g.times.len(), plain(h));
    by_element(g, &words, panel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explosion_does_not_hide_the_other_paths() {
        let wave = |k: usize| (0..100).map(|t| ((t + k) as f64 / 5.0).sin()).collect::<Vec<f64>>();
        assert_eq!(without_explosions((0..5).map(wave)), None);
        let mut paths: Vec<Vec<f64>> = (0..5).map(wave).collect();
        paths[2][98] = 1e200;
        paths[2][99] = f64::NAN;
        let (low, high) = without_explosions(paths.into_iter()).expect("a range");
        assert!((-2.0..-1.0).contains(&low) && (1.0..2.0).contains(&high), "{low} {high}");
        assert_eq!(without_explosions(std::iter::empty()), None);
        assert_eq!(without_explosions([vec![3.0; 9]].into_iter()), None);
    }
}
