//! Laws with vector parameters: log densities and draws.

use super::formula::{formula, of_params};
use super::scalar::HALF_LOG_2PI;
use crate::math::{Dense, Graph, Id, Red, Shape};

/// How far the sum of a point of the simplex may be from 1.
const SIMPLEX_TOLERANCE: f64 = 1e-9;

/// `log N(x; mean, S)` by the Cholesky factor `S = L L'`: `-|L^-1 (x - mean)|^2/2 - sum log L_ii - n log(2 pi)/2`.
/// `L^-1` is a node of its own, so for a constant covariance it is worked out once a run.
pub fn gaussian(g: &mut Graph, p: &[Id], x: Id) -> Id {
    formula(g, p, x, |[mean, covariance], x| {
        let n = mean.extent(0);
        let factor = covariance.dense(Dense::Cholesky);
        let inverse = factor.dense(Dense::Inverse);
        let z = mean.vector(n, |i| mean.sum(n, |j| inverse.at(&[i, j]) * (x.at(&[j]) - mean.at(&[j]))));
        let log_det = mean.sum(n, |i| factor.at(&[i, i]).log());
        let distance = mean.sum(n, |i| z.at(&[i]).square());
        -distance / 2.0 - log_det - HALF_LOG_2PI * n as f64
    })
}

/// `mean + L z`
pub fn draw_gaussian(g: &mut Graph, p: &[Id], z: Id) -> Id {
    formula(g, p, z, |[mean, covariance], z| {
        let n = mean.extent(0);
        let factor = covariance.dense(Dense::Cholesky);
        mean.vector(n, |i| mean.at(&[i]) + mean.sum(n, |j| factor.at(&[i, j]) * z.at(&[j])))
    })
}

/// The shape of the first parameter.
pub fn shape_of_first(g: &Graph, p: &[Id]) -> Shape {
    g.shape(p[0]).to_vec()
}

/// One event is a number.
pub fn scalar_event(_: &Graph, _: &[Id]) -> Shape {
    Vec::new()
}

/// Density over the first n - 1 coordinates of a point of the simplex.
pub fn dirichlet(g: &mut Graph, p: &[Id], x: Id) -> Id {
    formula(g, p, x, |[alpha], x| {
        let n = alpha.extent(0);
        let scale = alpha.sum(n, |i| alpha.at(&[i])).lgamma() - alpha.sum(n, |i| alpha.at(&[i]).lgamma());
        let density = scale + alpha.sum(n, |i| (alpha.at(&[i]) - 1.0) * x.at(&[i]).log());
        let positive = x.reduce(Red::All, n, |i| i.real(0.0).lt(x.at(&[i])));
        let off = (x.sum(n, |i| x.at(&[i])) - 1.0).abs();
        positive.and(off.le(off.real(SIMPLEX_TOLERANCE))).supports(density)
    })
}

/// Independent gamma draws, brought to sum 1.
pub fn draw_dirichlet(g: &mut Graph, p: &[Id], gammas: Id) -> Id {
    formula(g, p, gammas, |[alpha], gammas| {
        let n = alpha.extent(0);
        let total = gammas.sum(n, |i| gammas.at(&[i]));
        gammas.vector(n, |i| gammas.at(&[i]) / total)
    })
}

/// `logits[x] - logsumexp(logits)` for the index x.
pub fn categorical_logit(g: &mut Graph, p: &[Id], x: Id) -> Id {
    formula(g, p, x, |[logits], x| {
        let n = logits.extent(0);
        let chosen = logits.sum(n, |i| i.to_real().equals(x).select(logits.at(&[i]), x.real(0.0)));
        let inside = x.reduce(Red::Any, n, |i| i.to_real().equals(x));
        let all = logits.reduce(Red::LogSumExp, n, |i| logits.at(&[i]));
        inside.supports(chosen - all)
    })
}

/// Weights of a categorical law from logits, the largest of them 1.
pub fn weights_of_logits(g: &mut Graph, p: &[Id]) -> Id {
    of_params(g, p, |[logits]| {
        let n = logits.extent(0);
        let top = logits.reduce(Red::Max, n, |i| logits.at(&[i]));
        logits.vector(n, |i| (logits.at(&[i]) - top).exp())
    })
}

/// The shapes of the gamma draws behind a Dirichlet draw.
pub fn concentrations(_: &mut Graph, p: &[Id]) -> Id {
    p[0]
}
