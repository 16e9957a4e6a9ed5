//! Plots of all variants of a run together: orders of convergence, work against error, ladders of a sweep.

use crate::output::number::{count, counted, estimate, plain};
use crate::output::result::{ConvergenceLevel, Pair, RunResult};
use crate::plot::{Axis, Figure, Ink, Layer, Mark, Panel, Scale};
use crate::session::figures::gather::{Backdrop, Gathered};
use crate::session::figures::parts::when;
use crate::session::results::Ran;

type Error = fn(&ConvergenceLevel) -> Option<Pair>;

fn strong(level: &ConvergenceLevel) -> Option<Pair> {
    Some(level.strong)
}

fn weak(level: &ConvergenceLevel) -> Option<Pair> {
    level.weak_of_mean().map(|w| Pair { value: w.value.abs(), se: w.se })
}

/// Errors of each solver against some number of a level.
fn errors(variant: &RunResult, along: fn(&ConvergenceLevel) -> f64, error: Error) -> Vec<(f64, f64, f64)> {
    let levels = variant.converge.iter().flat_map(|c| &c.levels);
    let point = |l: &ConvergenceLevel| error(l).map(|e| (along(l), e.value, e.se)).filter(|p| p.0 > 0.0 && p.1 > 0.0);
    levels.filter_map(point).collect()
}

fn name(variant: &RunResult) -> String {
    variant.solver.clone().unwrap_or_else(|| variant.model.clone())
}

/// Errors of a variant against the step, and the order that is fitted to them.
type Errors = fn(&RunResult) -> (Vec<(f64, f64, f64)>, f64, f64);

fn strong_errors(variant: &RunResult) -> (Vec<(f64, f64, f64)>, f64, f64) {
    let Some(c) = variant.converge.as_ref().filter(|c| !c.pathless) else { return (Vec::new(), f64::NAN, f64::NAN) };
    (errors(variant, |l| l.h, strong), c.strong_order.value, c.strong_order.se)
}

/// The points are errors of means alone, and so no line of an order that is fitted to more goes with them.
fn weak_errors(variant: &RunResult) -> (Vec<(f64, f64, f64)>, f64, f64) {
    (errors(variant, |l| l.h, weak), f64::NAN, f64::NAN)
}

fn listed_errors(variant: &RunResult) -> (Vec<(f64, f64, f64)>, f64, f64) {
    let Some(c) = &variant.converge else { return (Vec::new(), f64::NAN, f64::NAN) };
    let levels = c.enumerated.iter().flat_map(|e| &e.levels).filter(|l| !l.rounding);
    (levels.map(|l| (l.h, l.error, 0.0)).collect(), c.weak_order.value, c.weak_order.se)
}

/// Strong and weak errors against the step, with lines of the fitted orders; a panel for each kind that there is.
pub(super) fn convergence(ran: &Ran) -> Figure {
    let kinds: [(&str, &str, Errors); 3] = [
        ("strong error", "E|x − ref|", strong_errors),
        ("weak error of the mean", "|E x − E ref|", weak_errors),
        ("weak error from all outcomes of a step", "one step − two halves", listed_errors),
    ];
    let panel = |(title, label, of): (&str, &str, Errors)| {
        let mut layers = Vec::new();
        for (s, variant) in ran.variants.iter().enumerate() {
            let (points, order, se) = of(variant);
            if points.is_empty() {
                continue;
            }
            layers.extend(fitted(&points, order));
            let told = if order.is_finite() { format!(", order {}", estimate(order, se)) } else { String::new() };
            layers.push(Layer::new(Ink::Series(s), Mark::Estimates(points)).named(format!("{}{told}", name(variant))));
        }
        (!layers.is_empty()).then(|| Panel {
            title: title.into(),
            x: Axis::log("step h"),
            y: Axis::log(label),
            layers,
            ..Panel::default()
        })
    };
    let panels = kinds.into_iter().filter_map(panel).collect();
    Figure { title: heading(ran), caption: caption(ran, "dashed: the fitted orders"), panels }
}

/// A line of a given slope in the logarithms, through the middle of points.
fn fitted(points: &[(f64, f64, f64)], slope: f64) -> Option<Layer> {
    let (first, last) = (points.first()?, points.last()?);
    if !slope.is_finite() || points.len() < 2 {
        return None;
    }
    let n = points.len() as f64;
    let mean = |of: fn(&(f64, f64, f64)) -> f64| points.iter().map(|p| of(p).ln()).sum::<f64>() / n;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let at = |h: f64| (h, (y + slope * (h.ln() - x)).exp());
    Some(Layer::new(Ink::Reference, Mark::Line(vec![at(first.0), at(last.0)])))
}

/// The strong error against the time of a path.
pub(super) fn work_precision(ran: &Ran) -> Figure {
    let line = |(s, variant): (usize, &RunResult)| {
        let points = errors(variant, |l| l.cost * 1e6, strong);
        Layer::new(Ink::Series(s), Mark::Estimates(points)).named(name(variant))
    };
    let followed = |(_, variant): &(usize, &RunResult)| variant.converge.as_ref().is_some_and(|c| !c.pathless);
    let layers = ran.variants.iter().enumerate().filter(followed).map(line).collect();
    let panel = Panel {
        x: Axis::log("time of the steps of a path (µs)"),
        y: Axis::log("E|x − ref|"),
        layers,
        ..Panel::default()
    };
    Figure { title: heading(ran), caption: caption(ran, "on one thread, without the noise"), panels: vec![panel] }
}

fn heading(ran: &Ran) -> String {
    ran.variants.first().map_or(String::new(), |v| format!("{}: {}", ran.name, v.model))
}

fn caption(ran: &Ran, more: &str) -> String {
    let followed = |v: &&RunResult| v.converge.as_ref().is_none_or(|c| c.enumerated.is_none());
    let Some(v) = ran.variants.iter().find(followed) else { return more.into() };
    let levels = ran.variants.iter().flat_map(|v| v.converge.iter().flat_map(|c| &c.levels));
    let most = levels.map(|l| l.diverged).max().filter(|n| *n > 0);
    let lost = most.map_or(String::new(), |n| format!("; up to {} diverged at a step", counted(n, "path")));
    format!(
        "{} against {}; bars: standard errors; {more}{lost}",
        counted(v.paths, "coupled path"),
        counted(v.steps, "step")
    )
}

/// A statistic against the swept parameter, a line for each solver and value of further parameters.
pub(super) fn ladder(ran: &Ran, plot: &Gathered) -> Figure {
    let own: Vec<&Gathered> = ran.plots.iter().filter(|g| g.facts.span == plot.facts.span).collect();
    let swept = plot.facts.swept.clone().unwrap_or_default();
    let mut lines: Vec<(String, Vec<(f64, f64, f64)>)> = Vec::new();
    let mut reference: Vec<(f64, f64)> = Vec::new();
    for g in own {
        let Some(variant) = ran.variants.get(g.variant) else { continue };
        let Some((_, x)) = variant.sweep.iter().find(|(name, _)| *name == swept) else { continue };
        let several = ran.variants.iter().any(|v| v.solver != variant.solver);
        let mut words: Vec<String> = variant.solver.iter().filter(|_| several).cloned().collect();
        words.extend(variant.sweep.iter().filter(|s| s.0 != swept).map(|(n, v)| format!("{n} = {}", plain(*v))));
        for (look, values) in g.values.iter().enumerate() {
            let time = g.times.get(look).filter(|_| g.values.len() > 1).map(|t| format!("t = {}", plain(*t)));
            for (k, value) in values.values.iter().enumerate() {
                let index = crate::output::paths::subscript(&values.shape, k);
                let index = (!index.is_empty()).then_some(index);
                let words: Vec<String> = words.iter().cloned().chain(index).chain(time.clone()).collect();
                let point = (*x, *value, values.se.get(k).copied().unwrap_or(f64::NAN));
                let name = words.join(", ");
                match lines.iter_mut().find(|l| l.0 == name) {
                    Some(line) => line.1.push(point),
                    None => lines.push((name, vec![point])),
                }
            }
        }
        if let Some(Backdrop::Curve { points, .. }) = &g.backdrop {
            reference.extend(points);
        }
    }
    let mut layers: Vec<Layer> = Vec::new();
    for (k, (name, mut points)) in lines.into_iter().enumerate() {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let layer = Layer::new(Ink::Series(k), Mark::Estimates(points));
        layers.push(if name.is_empty() { layer } else { layer.named(name) });
    }
    if let Some(Backdrop::Curve { name, .. }) = &plot.backdrop {
        reference.sort_by(|a, b| a.0.total_cmp(&b.0));
        reference.dedup();
        layers.push(Layer::new(Ink::Reference, Mark::Line(reference)).named(name.clone()));
    }
    let label = plot.facts.labels.first().cloned().unwrap_or_default();
    let scale = scale_of(layers.iter().filter_map(|l| l.mark.extent(true, Scale::Linear)));
    let panel = Panel { x: Axis { scale, ..Axis::new(&swept) }, y: Axis::new(label), layers, ..Panel::default() };
    let by = ran.variants.first().map_or(String::new(), |v| match &v.solver {
        Some(solver) if ran.variants.iter().all(|w| w.solver.as_ref() == Some(solver)) => format!(" by {solver}"),
        _ => String::new(),
    });
    let lost: Vec<String> = ran.variants.iter().filter(|v| v.diverged > 0).map(|v| lost_at(v, &swept)).collect();
    let lost = if lost.is_empty() { String::new() } else { format!("; paths that diverged: {}", lost.join(", ")) };
    let at = if plot.values.len() == 1 { when(plot, 0).replacen(' ', ", ", 1) } else { String::new() };
    Figure {
        title: format!("{}{by}", heading(ran)),
        caption: format!("{} for each value{at}; bars: standard errors{lost}", counted(plot.paths, "path")),
        panels: vec![panel],
    }
}

/// Positive values over more than this ratio stand on a logarithmic axis.
const WIDE: f64 = 30.0;

/// The scale of values with these extents.
fn scale_of(extents: impl Iterator<Item = (f64, f64)>) -> Scale {
    let ends = extents.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    let wide = ends.is_some_and(|(low, high)| low > 0.0 && high / low > WIDE);
    if wide { Scale::Log } else { Scale::Linear }
}

/// `12 at k = 2`
fn lost_at(variant: &RunResult, swept: &str) -> String {
    let at =
        variant.sweep.iter().find(|s| s.0 == swept).map_or(String::new(), |s| format!(" at {swept} = {}", plain(s.1)));
    format!("{}{at}", count(variant.diverged))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeps_over_decades_are_logarithmic() {
        assert_eq!(scale_of([(0.01, 10.0)].into_iter()), Scale::Log);
        assert_eq!(scale_of([(0.5, 1.0), (1.0, 4.0)].into_iter()), Scale::Linear);
        assert_eq!(scale_of([(0.0, 100.0)].into_iter()), Scale::Linear);
        assert_eq!(scale_of(std::iter::empty()), Scale::Linear);
    }
}
