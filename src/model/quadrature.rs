//! Expectations under unnormalised densities on the line and in the plane, by adaptive quadrature.
//!
//! The modes of the density are searched on grids over many scales (`modes`). The space is then mapped by
//! `x = c + s sinh(u)`, which turns algebraic tails into exponential ones, cut into boxes that are small at each mode,
//! and the boxes with the largest error are halved until the error is small (`boxes`: tensor Gauss-Kronrod rules of
//! 7 and 15 points; Piessens et al., QUADPACK, 1983). A mode that is much narrower than what surrounds it, and that no
//! slope leads to, cannot be found by looking at points.

mod boxes;
mod modes;

use boxes::Integrand;

/// Expectations with estimates of their errors; the errors are infinite where there is no density to be found.
#[derive(Clone, Debug, PartialEq)]
pub struct Quadrature {
    pub value: Vec<f64>,
    pub error: Vec<f64>,
    /// logarithm of the integral of the density
    pub log_mass: f64,
}

/// What is given up on: evaluations of the density, and the error aimed at.
#[derive(Copy, Clone, Debug)]
struct Effort {
    evaluations: usize,
    tolerance: f64,
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
pub fn on_the_line(density: &mut dyn Density<1>) -> Quadrature {
    expect(density, Effort { evaluations: 200_000, tolerance: 1e-12 })
}

/// The expectations in the plane.
pub fn in_the_plane(density: &mut dyn Density<2>) -> Quadrature {
    expect(density, Effort { evaluations: 400_000, tolerance: 1e-9 })
}

fn expect<const D: usize>(density: &mut dyn Density<D>, effort: Effort) -> Quadrature {
    let components = density.components();
    let mut log = |points: &[[f64; D]]| density.log(points).into_iter().map(tamed).collect::<Vec<f64>>();
    let modes = modes::find(&mut log);
    let Some(top) = modes.iter().map(|m| m.height).reduce(f64::max) else {
        let n = components;
        return Quadrature { value: vec![f64::NAN; n], error: vec![f64::INFINITY; n], log_mass: f64::NEG_INFINITY };
    };
    let map = modes::map(&modes);
    let mut integrand = Integrand { density, map, top, components, noise: noise(&modes), evaluations: 0 };
    let total = boxes::integrate(&mut integrand, &modes, effort);
    let (mass, mass_error) = (total.value[0], total.error[0]);
    let value: Vec<f64> = total.value[1..].iter().map(|v| v / mass).collect();
    let error = value.iter().zip(&total.error[1..]).map(|(v, e)| (e + v.abs() * mass_error) / mass).collect();
    Quadrature { value, error, log_mass: mass.ln() + top }
}

/// An infinite density at a point is a pole; its neighbours tell of it.
fn tamed(log: f64) -> f64 {
    if log.is_nan() || log == f64::INFINITY { f64::NEG_INFINITY } else { log }
}

/// Rounding moves x by an ulp, which counts where a mode is narrow against its distance from 0.
fn noise<const D: usize>(modes: &[modes::Mode<D>]) -> f64 {
    let relative = |m: &modes::Mode<D>| (0..D).map(|k| m.at[k].abs() / m.width[k]).fold(1.0, f64::max);
    f64::EPSILON * modes.iter().map(relative).fold(1.0, f64::max)
}

#[cfg(test)]
mod tests;
