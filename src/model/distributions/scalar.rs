//! Laws of one number: log densities and draws.
//!
//! Formulas are those of the usual references (Johnson, Kotz & Balakrishnan, *Continuous Univariate Distributions*, 2nd
//! ed. 1994-95; Johnson, Kemp & Kotz, *Univariate Discrete Distributions*, 3rd ed. 2005). Parameters and the point are
//! real scalars.

use std::f64::consts::PI;

use super::formula::{Ex, formula};
use crate::math::{Graph, Id, Op};

/// log(2 pi)/2
pub const HALF_LOG_2PI: f64 = 0.918_938_533_204_672_8;
/// log(pi)
const LOG_PI: f64 = 1.144_729_885_849_400_2;

fn standard_normal(z: Ex<'_>) -> Ex<'_> {
    -z.square() / 2.0 - HALF_LOG_2PI
}

pub fn normal(g: &mut Graph, p: &[Id], x: Id) -> Id {
    formula(g, p, x, |[mean, sd], x| standard_normal((x - mean) / sd) - sd.log())
}

pub fn draw_normal(g: &mut Graph, p: &[Id], z: Id) -> Id {
    formula(g, p, z, |[mean, sd], z| mean + sd * z)
}

pub fn lognormal(g: &mut Graph, p: &[Id], x: Id) -> Id {
    formula(g, p, x, |[mu, sigma], x| {
        let density = standard_normal((x.log() - mu) / sigma) - sigma.log() - x.log();
        x.real(0.0).lt(x).supports(density)
    })
}

pub fn draw_lognormal(g: &mut Graph, p: &[Id], z: Id) -> Id {
    formula(g, p, z, |[mu, sigma], z| (mu + sigma * z).exp())
}

pub fn student_t(g: &mut Graph, p: &[Id], x: Id) -> Id {
    formula(g, p, x, |[nu, loc, scale], x| {
        let z = (x - loc) / scale;
        let half = (nu + 1.0) / 2.0;
        half.lgamma() - (nu / 2.0).lgamma() - (nu.log() + LOG_PI) / 2.0 - scale.log() - half * (z.square() / nu).log1p()
    })
}

/// Location and scale applied to a raw draw; for laws with the parameters (other, loc, scale).
pub fn place_student_t(g: &mut Graph, p: &[Id], raw: Id) -> Id {
    formula(g, p, raw, |[_, loc, scale], raw| loc + scale * raw)
}

pub fn cauchy(g: &mut Graph, p: &[Id], x: Id) -> Id {
    formula(g, p, x, |[loc, scale], x| -((x - loc) / scale).square().log1p() - scale.log() - LOG_PI)
}

pub fn draw_cauchy(g: &mut Graph, p: &[Id], u: Id) -> Id {
    formula(g, p, u, |[loc, scale], u| loc + scale * ((u - 0.5) * PI).op(Op::Tan, &[]))
}

pub fn laplace(g: &mut Graph, p: &[Id], x: Id) -> Id {
    formula(g, p, x, |[loc, scale], x| -((x - loc) / scale).abs() - (2.0 * scale).log())
}

pub fn draw_laplace(g: &mut Graph, p: &[Id], u: Id) -> Id {
    formula(g, p, u, |[loc, scale], u| {
        let v = u - 0.5;
        loc - scale * v.op(Op::Sign, &[]) * (-2.0 * v.abs()).log1p()
    })
}

pub fn gamma(g: &mut Graph, p: &[Id], x: Id) -> Id {
    formula(g, p, x, |[shape, rate], x| {
        let density = shape * rate.log() - shape.lgamma() + (shape - 1.0) * x.log() - rate * x;
        x.real(0.0).lt(x).supports(density)
    })
}

pub fn place_gamma(g: &mut Graph, p: &[Id], raw: Id) -> Id {
    formula(g, p, raw, |[_, rate], raw| raw / rate)
}

pub fn inverse_gamma(g: &mut Graph, p: &[Id], x: Id) -> Id {
    formula(g, p, x, |[shape, scale], x| {
        let density = shape * scale.log() - shape.lgamma() - (shape + 1.0) * x.log() - scale / x;
        x.real(0.0).lt(x).supports(density)
    })
}

pub fn place_inverse_gamma(g: &mut Graph, p: &[Id], raw: Id) -> Id {
    formula(g, p, raw, |[_, scale], raw| scale / raw)
}

pub fn beta(g: &mut Graph, p: &[Id], x: Id) -> Id {
    formula(g, p, x, |[a, b], x| {
        let scale = (a + b).lgamma() - a.lgamma() - b.lgamma();
        let density = scale + (a - 1.0) * x.log() + (b - 1.0) * (-x).log1p();
        x.real(0.0).lt(x).and(x.lt(x.real(1.0))).supports(density)
    })
}

pub fn exponential(g: &mut Graph, p: &[Id], x: Id) -> Id {
    formula(g, p, x, |[rate], x| x.real(0.0).le(x).supports(rate.log() - rate * x))
}

pub fn draw_exponential(g: &mut Graph, p: &[Id], u: Id) -> Id {
    formula(g, p, u, |[rate], u| -(-u).log1p() / rate)
}

pub fn uniform(g: &mut Graph, p: &[Id], x: Id) -> Id {
    formula(g, p, x, |[lo, hi], x| lo.le(x).and(x.le(hi)).supports(-(hi - lo).log()))
}

pub fn draw_uniform(g: &mut Graph, p: &[Id], u: Id) -> Id {
    formula(g, p, u, |[lo, hi], u| lo + (hi - lo) * u)
}

pub fn von_mises(g: &mut Graph, p: &[Id], x: Id) -> Id {
    formula(g, p, x, |[mu, kappa], x| kappa * (x - mu).op(Op::Cos, &[]) - kappa.op(Op::LogI0, &[]) - 2.0 * HALF_LOG_2PI)
}

/// The angle `mu + raw`, brought back to [-pi, pi).
pub fn place_von_mises(g: &mut Graph, p: &[Id], raw: Id) -> Id {
    formula(g, p, raw, |[mu, _], raw| (mu + raw + PI).op(Op::Mod, &[raw.real(2.0 * PI)]) - PI)
}

// Discrete laws. Where the point is outside the support, a term of minus infinity is added instead of a selection: it
// depends on the point alone (mostly data, known once a run), and derivatives in the parameters stay as short as the law.

/// 0 where `inside` holds, minus infinity elsewhere.
fn penalty(inside: Ex<'_>) -> Ex<'_> {
    inside.supports(inside.real(0.0))
}

fn is_bit(x: Ex<'_>) -> Ex<'_> {
    x.equals(x.real(0.0)).or(x.equals(x.real(1.0)))
}

pub fn poisson(g: &mut Graph, p: &[Id], x: Id) -> Id {
    formula(g, p, x, |[rate], k| {
        let inside = k.is_integer().and(k.real(0.0).le(k));
        k.times(rate.log()) - rate - (k.op(Op::Max, &[k.real(0.0)]) + 1.0).lgamma() + penalty(inside)
    })
}

pub fn binomial(g: &mut Graph, p: &[Id], x: Id) -> Id {
    formula(g, p, x, |[n, p], k| {
        let inside = k.is_integer().and(k.real(0.0).le(k)).and(k.le(n));
        let k = k.op(Op::Max, &[k.real(0.0)]).op(Op::Min, &[n]);
        let choose = (n + 1.0).lgamma() - (k + 1.0).lgamma() - (n - k + 1.0).lgamma();
        choose + k.times(p.log()) + (n - k).times((-p).log1p()) + penalty(inside)
    })
}

pub fn bernoulli(g: &mut Graph, p: &[Id], x: Id) -> Id {
    formula(g, p, x, |[p], x| x.equals(x.real(1.0)).select(p.log(), (-p).log1p()) + penalty(is_bit(x)))
}

pub fn draw_bernoulli(g: &mut Graph, p: &[Id], u: Id) -> Id {
    formula(g, p, u, |[p], u| u.lt(p).select(u.real(1.0), u.real(0.0)))
}

pub fn bernoulli_logit(g: &mut Graph, p: &[Id], x: Id) -> Id {
    formula(g, p, x, |[logit], x| x * logit - logit.op(Op::Softplus, &[]) + penalty(is_bit(x)))
}

pub fn draw_bernoulli_logit(g: &mut Graph, p: &[Id], u: Id) -> Id {
    formula(g, p, u, |[logit], u| u.lt(logit.op(Op::Sigmoid, &[])).select(u.real(1.0), u.real(0.0)))
}

// Parameters of samplers.

/// The parameters as they are.
pub fn as_they_are(_: &mut Graph, p: &[Id]) -> Vec<Id> {
    p.to_vec()
}

/// The first parameter alone.
pub fn first(_: &mut Graph, p: &[Id]) -> Vec<Id> {
    vec![p[0]]
}

/// The second parameter alone.
pub fn second(_: &mut Graph, p: &[Id]) -> Vec<Id> {
    vec![p[1]]
}

/// The raw draw as it is.
pub fn unchanged(_: &mut Graph, _: &[Id], raw: Id) -> Id {
    raw
}
