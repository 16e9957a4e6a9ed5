//! References of plots: curves of functions, normalised densities on the line, densities in the plane.

use crate::math::eval::{Env, eval};
use crate::math::{Ty, VarKind};
use crate::model::elab::{Elab, Try};
use crate::model::plots::PlotKind;
use crate::plot::contour::{Grid, levels};
use crate::session::execute::Execution;
use crate::session::expectation::Over;
use crate::session::figures::gather::{Backdrop, Gathered};
use crate::session::figures::plane::plane_points;
use crate::session::plan::plots::Plot;
use crate::session::plan::references::Reference;
use crate::step::Spec;

/// Points of a curve, and of a side of the plane: first in the large, then where the density is.
const CURVE: usize = 400;
const COARSE: usize = 81;
const PLANE: usize = 161;

/// The share of a law that contours show.
pub(super) const SHARES: [f64; 3] = [0.99, 0.9, 0.5];

impl Elab<'_> {
    /// Works out what a plot is held against, over the range of what was gathered.
    pub(crate) fn backdrop(
        &mut self,
        plot: &Plot,
        gathered: &mut Gathered,
        how: Execution<'_>,
        env: &mut Env,
    ) -> Try<()> {
        let span = plot.facts.span;
        gathered.backdrop = match &plot.reference {
            None => None,
            Some(Reference::Function { name, point, value }) => {
                let Some(xs) = self.curve_points(plot, gathered, env) else { return Ok(()) };
                let mut own = env.clone();
                let mut points = Vec::new();
                for x in xs {
                    own.set(*point, x);
                    let y = eval(&self.g, *value, &own).ok().and_then(|v| v.values.first().copied());
                    points.push((x, y.unwrap_or(f64::NAN)));
                }
                Some(Backdrop::Curve { name: name.clone(), points })
            }
            Some(Reference::Law { name, target, point, log_density }) if target.shape.is_empty() => {
                let over = Over { shape: &[], point: *point, log_density: *log_density };
                let one = self.g.real(1.0);
                let mass = self.by_quadrature(over, one, span, how, env)?;
                let Some(xs) = self.curve_points(plot, gathered, env).filter(|_| !mass.atoms) else { return Ok(()) };
                let points: Vec<[f64; 1]> = xs.iter().map(|x| [*x]).collect();
                let logs = self.log_at(over, &points, how, plot, env)?;
                let points = xs.iter().zip(logs).map(|(x, l)| (*x, (l - mass.log_mass).exp())).collect();
                Some(Backdrop::Curve { name: name.clone(), points })
            }
            Some(Reference::Law { name, point, log_density, .. }) => {
                let over = Over { shape: &[2], point: *point, log_density: *log_density };
                let density = self.in_plane(over, gathered, how, plot, env)?;
                density.map(|density| Backdrop::Plane { name: name.clone(), density })
            }
        };
        Ok(())
    }

    /// Where a curve is looked at: over the x axis of the plot.
    fn curve_points(&self, plot: &Plot, gathered: &Gathered, env: &Env) -> Option<Vec<f64>> {
        if plot.facts.kind == PlotKind::Ladder {
            let name = plot.facts.swept.as_deref()?;
            let param = self.params.iter().find(|p| p.name == name)?;
            return env.get(param.var).map(|v| vec![v.values[0]]);
        }
        let ends = |values: &mut dyn Iterator<Item = f64>| {
            let ends = values
                .filter(|v| v.is_finite())
                .fold((f64::INFINITY, f64::NEG_INFINITY), |e, v| (e.0.min(v), e.1.max(v)));
            (ends.0 < ends.1).then_some(ends)
        };
        let (a, b) = match plot.facts.kind {
            PlotKind::Histogram | PlotKind::Density => {
                ends(&mut gathered.results.iter().flatten().flat_map(|r| r.edges.iter().flatten().copied()))?
            }
            PlotKind::Autocorr => (0.0, super::curves::lag_length(gathered) * plot.facts.option as f64),
            _ => ends(&mut gathered.times.iter().copied())?,
        };
        Some((0..CURVE).map(|k| a + (b - a) * k as f64 / (CURVE - 1) as f64).collect())
    }

    fn log_at<const D: usize>(
        &mut self,
        over: Over<'_>,
        points: &[[f64; D]],
        how: Execution<'_>,
        plot: &Plot,
        env: &Env,
    ) -> Try<Vec<f64>> {
        let state = self.g.new_var("x", VarKind::State, Ty::Real, over.shape.to_vec());
        let x = self.g.var(state);
        let log = self.g.substitute_vars(&[over.log_density], &[(over.point, x)])[0];
        let spec = Spec { states: vec![state], renew: Vec::new(), outs: vec![log] };
        let mut function = self.function(&spec, how, plot.facts.span, env)?;
        Ok(function.at(points).swap_remove(0))
    }

    /// The density on a grid that holds the points and nearly all of the law that is to be seen around them.
    fn in_plane(
        &mut self,
        over: Over<'_>,
        gathered: &Gathered,
        how: Execution<'_>,
        plot: &Plot,
        env: &Env,
    ) -> Try<Option<Grid>> {
        let points: Vec<(f64, f64)> = plane_points(gathered).concat();
        let Some(near) = window(&points, 0.0) else { return Ok(None) };
        let around = window(&points, 0.6).unwrap_or(near);
        let coarse = self.grid_of(over, around, COARSE, how, plot, env)?;
        let Some(level) = levels(&coarse.values, &SHARES[..1]).first().copied() else { return Ok(None) };
        let cell = |k: usize| (coarse.x[k % COARSE], coarse.y[k / COARSE]);
        let held: Vec<(f64, f64)> = (0..coarse.values.len()).filter(|k| coarse.values[*k] >= level).map(cell).collect();
        let all: Vec<(f64, f64)> = held.into_iter().chain([(near[0].0, near[1].0), (near[0].1, near[1].1)]).collect();
        let Some(shown) = window(&all, 0.06) else { return Ok(None) };
        self.grid_of(over, shown, PLANE, how, plot, env).map(Some)
    }

    fn grid_of(
        &mut self,
        over: Over<'_>,
        [x, y]: [(f64, f64); 2],
        n: usize,
        how: Execution<'_>,
        plot: &Plot,
        env: &Env,
    ) -> Try<Grid> {
        let axis = |(a, b): (f64, f64)| (0..n).map(|k| a + (b - a) * k as f64 / (n - 1) as f64).collect::<Vec<f64>>();
        let (x, y) = (axis(x), axis(y));
        let points: Vec<[f64; 2]> = y.iter().flat_map(|b| x.iter().map(move |a| [*a, *b])).collect();
        let logs = self.log_at(over, &points, how, plot, env)?;
        let top = logs.iter().copied().filter(|l| l.is_finite()).fold(f64::NEG_INFINITY, f64::max);
        let values = logs.iter().map(|l| if l.is_nan() { 0.0 } else { (l - top).exp() }).collect();
        Ok(Grid { x, y, values })
    }
}

/// The rectangle around points, with a margin.
fn window(points: &[(f64, f64)], share: f64) -> Option<[(f64, f64); 2]> {
    let side = |of: fn(&(f64, f64)) -> f64| {
        let values = points.iter().map(of).filter(|v| v.is_finite());
        let (a, b) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |e, v| (e.0.min(v), e.1.max(v)));
        (a < b).then_some((a - share * (b - a), b + share * (b - a)))
    };
    Some([side(|p| p.0)?, side(|p| p.1)?])
}
