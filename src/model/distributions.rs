//! The table of distributions: one row each, with its parameters, log density and way to draw.
//!
//! Log densities are normalised, and minus infinity outside the support (never NaN). All formulas are nodes of the math
//! graph, so they are differentiated and compiled like everything else; reference pages are made from the rows.

mod formula;
mod scalar;
#[cfg(test)]
mod tests;
mod vector;

use crate::math::{Graph, Id, Sampler, Shape};

/// A row of the table.
#[derive(Debug)]
pub struct Distribution {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    /// one line, with the parametrisation
    pub doc: &'static str,
    pub params: &'static [DistParam],
    pub kind: DistKind,
    /// a law of whole numbers
    pub discrete: bool,
    /// where the density is not zero, in words
    pub support: &'static str,
}

/// A parameter of a distribution.
#[derive(Debug)]
pub struct DistParam {
    pub name: &'static str,
    pub default: Option<f64>,
    /// 0 scalar, 1 vector, 2 matrix
    pub rank: u8,
    /// what every element must be
    pub domain: Domain,
}

/// Ranges of parameters.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Domain {
    Real,
    /// x > 0
    Positive,
    /// x >= 0
    NonNegative,
    /// 0 <= x <= 1
    Unit,
    /// 0, 1, 2, ...
    Count,
    /// a symmetric positive definite matrix
    Covariance,
}

/// From the parameters and the point to the log density.
pub type LogDensity = fn(&mut Graph, &[Id], Id) -> Id;
/// From the parameters and a raw draw to a draw.
pub type Transform = fn(&mut Graph, &[Id], Id) -> Id;

#[derive(Debug)]
pub enum DistKind {
    /// a law of one number; arrays of draws are independent. Parameters and the point are real scalars
    Scalar { log_density: LogDensity, draw: ScalarDraw },
    /// a law with vector parameters; one event has the shape `event_shape` (that of a scalar for an index)
    Vector { log_density: LogDensity, draw: VectorDraw, event_shape: fn(&Graph, &[Id]) -> Shape },
}

/// How one number is drawn.
#[derive(Debug)]
pub enum ScalarDraw {
    /// a transformation of a standard normal
    FromNormal(Transform),
    /// a transformation of a uniform draw on (0, 1)
    FromUniform(Transform),
    /// `Sampler` with its parameters worked out from the law's, then a transformation of the raw draw
    Sampler(Sampler, fn(&mut Graph, &[Id]) -> Vec<Id>, Transform),
}

/// How one event of a law with vector parameters is drawn.
#[derive(Debug)]
pub enum VectorDraw {
    /// a transformation of standard normals of the event's shape
    FromNormal(Transform),
    /// a transformation of gamma draws of unit scale, whose shapes (an array of the event's shape) come first
    Gammas(fn(&mut Graph, &[Id]) -> Id, Transform),
    /// an index, by weights `[n]` that need not be normalised
    Categorical(fn(&mut Graph, &[Id]) -> Id),
}

/// The distribution of a name or an alias.
pub fn lookup(name: &str) -> Option<&'static Distribution> {
    TABLE.iter().find(|d| d.name == name || d.aliases.contains(&name))
}

impl Domain {
    /// Whether a number is in the domain (elements only: for a matrix, finite).
    pub fn contains(self, x: f64) -> bool {
        match self {
            Domain::Real | Domain::Covariance => x.is_finite(),
            Domain::Positive => x > 0.0 && x.is_finite(),
            Domain::NonNegative => x >= 0.0 && x.is_finite(),
            Domain::Unit => (0.0..=1.0).contains(&x),
            Domain::Count => x >= 0.0 && x.is_finite() && x.floor() == x,
        }
    }

    /// In words, as in "sd must be positive".
    pub fn words(self) -> &'static str {
        match self {
            Domain::Real => "finite",
            Domain::Positive => "positive",
            Domain::NonNegative => "not negative",
            Domain::Unit => "between 0 and 1",
            Domain::Count => "a whole number that is not negative",
            Domain::Covariance => "a symmetric positive definite matrix",
        }
    }
}

const fn scalar(name: &'static str, domain: Domain) -> DistParam {
    DistParam { name, default: None, rank: 0, domain }
}

const fn with_default(name: &'static str, domain: Domain, default: f64) -> DistParam {
    DistParam { name, default: Some(default), rank: 0, domain }
}

const fn array(name: &'static str, rank: u8, domain: Domain) -> DistParam {
    DistParam { name, default: None, rank, domain }
}

use Domain::{Count, Covariance, NonNegative, Positive, Real, Unit};
use ScalarDraw::{FromNormal, FromUniform};

/// Every distribution.
pub const TABLE: &[Distribution] = &[
    Distribution {
        name: "normal",
        aliases: &[],
        doc: "normal law with the given mean and standard deviation",
        params: &[with_default("mean", Real, 0.0), with_default("sd", Positive, 1.0)],
        kind: DistKind::Scalar { log_density: scalar::normal, draw: FromNormal(scalar::draw_normal) },
        discrete: false,
        support: "real",
    },
    Distribution {
        name: "gaussian",
        aliases: &["multivariate_normal"],
        doc: "normal law of a vector with mean `[n]` and covariance matrix `[n, n]`",
        params: &[array("mean", 1, Real), array("covariance", 2, Covariance)],
        kind: DistKind::Vector {
            log_density: vector::gaussian,
            draw: VectorDraw::FromNormal(vector::draw_gaussian),
            event_shape: vector::shape_of_first,
        },
        discrete: false,
        support: "real[n]",
    },
    Distribution {
        name: "student_t",
        aliases: &[],
        doc: "Student's t law with nu degrees of freedom, moved by loc and scaled by scale",
        params: &[scalar("nu", Positive), with_default("loc", Real, 0.0), with_default("scale", Positive, 1.0)],
        kind: DistKind::Scalar {
            log_density: scalar::student_t,
            draw: ScalarDraw::Sampler(Sampler::StudentT, scalar::first, scalar::place_student_t),
        },
        discrete: false,
        support: "real",
    },
    Distribution {
        name: "cauchy",
        aliases: &[],
        doc: "Cauchy law with location (median) and scale (half the width at half height)",
        params: &[with_default("loc", Real, 0.0), with_default("scale", Positive, 1.0)],
        kind: DistKind::Scalar { log_density: scalar::cauchy, draw: FromUniform(scalar::draw_cauchy) },
        discrete: false,
        support: "real",
    },
    Distribution {
        name: "laplace",
        aliases: &[],
        doc: "Laplace law exp(-|x - loc|/scale)/(2 scale); its variance is 2 scale^2",
        params: &[with_default("loc", Real, 0.0), with_default("scale", Positive, 1.0)],
        kind: DistKind::Scalar { log_density: scalar::laplace, draw: FromUniform(scalar::draw_laplace) },
        discrete: false,
        support: "real",
    },
    Distribution {
        name: "gamma",
        aliases: &[],
        doc: "gamma law with shape and rate: mean shape/rate, variance shape/rate^2",
        params: &[scalar("shape", Positive), with_default("rate", Positive, 1.0)],
        kind: DistKind::Scalar {
            log_density: scalar::gamma,
            draw: ScalarDraw::Sampler(Sampler::Gamma, scalar::first, scalar::place_gamma),
        },
        discrete: false,
        support: "x > 0",
    },
    Distribution {
        name: "inverse_gamma",
        aliases: &[],
        doc: "law of scale/g for g from gamma(shape, 1): mean scale/(shape - 1)",
        params: &[scalar("shape", Positive), scalar("scale", Positive)],
        kind: DistKind::Scalar {
            log_density: scalar::inverse_gamma,
            draw: ScalarDraw::Sampler(Sampler::Gamma, scalar::first, scalar::place_inverse_gamma),
        },
        discrete: false,
        support: "x > 0",
    },
    Distribution {
        name: "beta",
        aliases: &[],
        doc: "beta law with density proportional to x^(a - 1) (1 - x)^(b - 1): mean a/(a + b)",
        params: &[scalar("a", Positive), scalar("b", Positive)],
        kind: DistKind::Scalar {
            log_density: scalar::beta,
            draw: ScalarDraw::Sampler(Sampler::Beta, scalar::as_they_are, scalar::unchanged),
        },
        discrete: false,
        support: "0 < x < 1",
    },
    Distribution {
        name: "exponential",
        aliases: &[],
        doc: "exponential law with the given rate: mean 1/rate",
        params: &[scalar("rate", Positive)],
        kind: DistKind::Scalar { log_density: scalar::exponential, draw: FromUniform(scalar::draw_exponential) },
        discrete: false,
        support: "x >= 0",
    },
    Distribution {
        name: "lognormal",
        aliases: &[],
        doc: "law of exp(y) for y from normal(mu, sigma)",
        params: &[with_default("mu", Real, 0.0), with_default("sigma", Positive, 1.0)],
        kind: DistKind::Scalar { log_density: scalar::lognormal, draw: FromNormal(scalar::draw_lognormal) },
        discrete: false,
        support: "x > 0",
    },
    Distribution {
        name: "uniform",
        aliases: &[],
        doc: "uniform law on the interval from lo to hi",
        params: &[with_default("lo", Real, 0.0), with_default("hi", Real, 1.0)],
        kind: DistKind::Scalar { log_density: scalar::uniform, draw: FromUniform(scalar::draw_uniform) },
        discrete: false,
        support: "lo <= x <= hi",
    },
    Distribution {
        name: "poisson",
        aliases: &[],
        doc: "Poisson law of a count with the given mean",
        params: &[scalar("rate", NonNegative)],
        kind: DistKind::Scalar {
            log_density: scalar::poisson,
            draw: ScalarDraw::Sampler(Sampler::Poisson, scalar::as_they_are, scalar::unchanged),
        },
        discrete: true,
        support: "0, 1, 2, ...",
    },
    Distribution {
        name: "binomial",
        aliases: &[],
        doc: "number of successes in n trials of probability p",
        params: &[scalar("n", Count), scalar("p", Unit)],
        kind: DistKind::Scalar {
            log_density: scalar::binomial,
            draw: ScalarDraw::Sampler(Sampler::Binomial, scalar::as_they_are, scalar::unchanged),
        },
        discrete: true,
        support: "0, 1, ..., n",
    },
    Distribution {
        name: "bernoulli",
        aliases: &[],
        doc: "1 with probability p, else 0",
        params: &[scalar("p", Unit)],
        kind: DistKind::Scalar { log_density: scalar::bernoulli, draw: FromUniform(scalar::draw_bernoulli) },
        discrete: true,
        support: "0 or 1",
    },
    Distribution {
        name: "bernoulli_logit",
        aliases: &[],
        doc: "1 with probability sigmoid(logit), else 0",
        params: &[scalar("logit", Real)],
        kind: DistKind::Scalar {
            log_density: scalar::bernoulli_logit,
            draw: FromUniform(scalar::draw_bernoulli_logit),
        },
        discrete: true,
        support: "0 or 1",
    },
    Distribution {
        name: "categorical_logit",
        aliases: &[],
        doc: "index k of n with probability softmax(logits)[k]",
        params: &[array("logits", 1, Real)],
        kind: DistKind::Vector {
            log_density: vector::categorical_logit,
            draw: VectorDraw::Categorical(vector::weights_of_logits),
            event_shape: vector::scalar_event,
        },
        discrete: true,
        support: "0, 1, ..., n - 1",
    },
    Distribution {
        name: "dirichlet",
        aliases: &[],
        doc: "Dirichlet law of n positive numbers that sum to 1, with concentrations alpha: mean alpha/sum(alpha)",
        params: &[array("alpha", 1, Positive)],
        kind: DistKind::Vector {
            log_density: vector::dirichlet,
            draw: VectorDraw::Gammas(vector::concentrations, vector::draw_dirichlet),
            event_shape: vector::shape_of_first,
        },
        discrete: false,
        support: "the simplex of n numbers",
    },
    Distribution {
        name: "von_mises",
        aliases: &[],
        doc: "von Mises law of an angle with density proportional to exp(kappa cos(x - mu)); draws are in [-pi, pi)",
        params: &[scalar("mu", Real), scalar("kappa", NonNegative)],
        kind: DistKind::Scalar {
            log_density: scalar::von_mises,
            draw: ScalarDraw::Sampler(Sampler::VonMises, scalar::second, scalar::place_von_mises),
        },
        discrete: false,
        support: "an angle, modulo 2 pi",
    },
];
