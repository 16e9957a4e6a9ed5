//! Expectations under unnormalised densities on the line and in the plane, by adaptive quadrature.
//!
//! The modes of the density are searched on grids over many scales (`modes`). The space is then mapped (`map`) by
//! `x = c + s sinh(u)`, which turns algebraic tails into exponential ones, or from the edges of the support by
//! `x = a + s exp(u)`, which does so with poles; cut into boxes that are small at each mode,
//! and the boxes with the largest error are halved until the error is small (`boxes`: tensor Gauss-Kronrod rules of
//! 7 and 15 points; Piessens et al., QUADPACK, 1983). A mode that is much narrower than what surrounds it, and that no
//! slope leads to, cannot be found by looking at points. Laws of integers are summed (`lattice`).

mod boxes;
mod lattice;
mod map;
mod modes;

use std::sync::atomic::{AtomicBool, Ordering};

use boxes::Integrand;

/// Expectations with estimates of their errors; the errors are infinite where there is no density to be found.
#[derive(Clone, Debug, PartialEq)]
pub struct Quadrature {
    pub value: Vec<f64>,
    pub error: Vec<f64>,
    /// expectations of the absolute values
    pub absolute: Vec<f64>,
    /// the part of the errors that may lie where no numbers reach: in a tail, or at a pole
    pub behind: Vec<f64>,
    /// the law has atoms, which no integral sees
    pub atoms: bool,
    /// logarithm of the integral of the density
    pub log_mass: f64,
}

/// What is given up on: evaluations of the density, and the error aimed at; or someone asks to stop.
#[derive(Copy, Clone, Debug)]
struct Effort<'s> {
    evaluations: usize,
    tolerance: f64,
    stop: &'s AtomicBool,
}

impl Effort<'_> {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// An unnormalised density with functions whose expectations are wanted, at many points at once.
pub trait Density<const D: usize> {
    /// Number of functions.
    fn components(&self) -> usize;

    /// The logarithm of the density at each point: minus infinity (or NaN) outside the support.
    fn log(&mut self, points: &[[f64; D]]) -> Vec<f64>;

    /// The same, and then for each function its values at the points.
    fn all(&mut self, points: &[[f64; D]]) -> Vec<Vec<f64>>;
}

/// The expectations on the line.
pub fn on_the_line(density: &mut dyn Density<1>, stop: &AtomicBool) -> Quadrature {
    let effort = Effort { evaluations: 400_000, tolerance: 1e-12, stop };
    let found = expect(density, effort, |log, map| map.with_tails(log));
    if !found.atoms && found.log_mass > f64::NEG_INFINITY {
        return found;
    }
    lattice::sum(density, effort).unwrap_or(found)
}

/// The expectations in the plane.
pub fn in_the_plane(density: &mut dyn Density<2>, stop: &AtomicBool) -> Quadrature {
    expect(density, Effort { evaluations: 4_000_000, tolerance: 1e-9, stop }, |_, map| map)
}

/// `tails` says what may lie behind the ends of the map.
fn expect<const D: usize>(
    density: &mut dyn Density<D>,
    effort: Effort<'_>,
    tails: impl FnOnce(&mut modes::Log<'_, D>, map::Map<D>) -> map::Map<D>,
) -> Quadrature {
    let components = density.components();
    let mut log = |points: &[[f64; D]]| density.log(points).into_iter().map(tamed).collect::<Vec<f64>>();
    let modes = modes::find(&mut log);
    let top = modes.iter().map(|m| m.height).reduce(f64::max);
    let (Some(top), false) = (top, modes.iter().any(|m| m.atom)) else {
        let mut none = Quadrature::unknown(components);
        none.atoms = top.is_some();
        return none;
    };
    let map = map::Map::of(&mut log, &modes);
    let map = tails(&mut log, map);
    let further = modes::in_the_map(&mut log, &map);
    let mut integrand = Integrand { density, map, top, components, noise: noise(&modes, &map), evaluations: 0 };
    let total = boxes::integrate(&mut integrand, &modes, &further, effort);
    let (mass, mass_error) = (total.value[0], total.error[0]);
    let by_mass = |v: &[f64]| -> Vec<f64> { v[1..].iter().map(|v| v / mass).collect() };
    let (value, absolute, behind) = (by_mass(&total.value), by_mass(&total.absolute), by_mass(&total.behind));
    let error = absolute.iter().zip(&total.error[1..]).map(|(v, e)| (e + v * mass_error) / mass).collect();
    let behind = behind.iter().zip(&absolute).map(|(b, a)| b + a * total.behind[0] / mass).collect();
    Quadrature { value, error, absolute, behind, atoms: false, log_mass: mass.ln() + top }
}

impl Quadrature {
    fn unknown(components: usize) -> Quadrature {
        Quadrature {
            value: vec![f64::NAN; components],
            error: vec![f64::INFINITY; components],
            absolute: vec![f64::NAN; components],
            behind: vec![0.0; components],
            atoms: false,
            log_mass: f64::NEG_INFINITY,
        }
    }
}

/// An infinite density at a point is a pole; its neighbours tell of it.
fn tamed(log: f64) -> f64 {
    if log.is_nan() || log == f64::INFINITY { f64::NEG_INFINITY } else { log }
}

/// Rounding moves x by an ulp, which counts where a mode is narrow against its distance from 0. A pole at an edge is no
/// mode of its own: what is too near to the edge is counted as lying behind it.
fn noise<const D: usize>(modes: &[modes::Mode<D>], map: &map::Map<D>) -> f64 {
    let inside = |m: &modes::Mode<D>, k: usize| !map.axes[k].is_at_an_edge(m.at[k], m.width[k]);
    let relative =
        |m: &modes::Mode<D>| (0..D).filter(|k| inside(m, *k)).map(|k| m.at[k].abs() / m.width[k]).fold(1.0, f64::max);
    f64::EPSILON * modes.iter().map(relative).fold(1.0, f64::max)
}

#[cfg(test)]
mod tests;
