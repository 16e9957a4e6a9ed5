use std::f64::consts::PI;

use statrs::distribution::{self as st, Continuous, ContinuousCDF, Discrete};
use statrs::function::erf;

use super::{DistKind, Distribution, Domain, ScalarDraw, TABLE, VectorDraw, lookup};
use crate::math::eval::{Env, eval};
use crate::math::{Graph, Id, Ty, VarKind};

fn reals(g: &mut Graph, values: &[f64]) -> Vec<Id> {
    values.iter().map(|v| g.real(*v)).collect()
}

fn array(g: &mut Graph, shape: &[usize], values: &[f64]) -> Id {
    let elements = reals(g, values);
    g.lit(shape.to_vec(), elements)
}

fn value(g: &Graph, id: Id) -> Vec<f64> {
    eval(g, id, &Env::new()).expect("a formula without variables has a value").values
}

/// Log density of a law of one number.
fn lp(name: &str, params: &[f64], x: f64) -> f64 {
    let d = lookup(name).expect("a law of the table");
    let DistKind::Scalar { log_density, .. } = &d.kind else { panic!("{name} is not a law of one number") };
    let mut g = Graph::new();
    let params = reals(&mut g, params);
    let x = g.real(x);
    let id = log_density(&mut g, &params, x);
    value(&g, id)[0]
}

/// A draw, from the raw draw.
fn transformed(name: &str, params: &[f64], raw: f64) -> f64 {
    let d = lookup(name).expect("a law of the table");
    let DistKind::Scalar { draw, .. } = &d.kind else { panic!("{name} is not a law of one number") };
    let (ScalarDraw::FromNormal(f) | ScalarDraw::FromUniform(f) | ScalarDraw::Sampler(_, _, f)) = draw;
    let mut g = Graph::new();
    let params = reals(&mut g, params);
    let raw = g.real(raw);
    let id = f(&mut g, &params, raw);
    value(&g, id)[0]
}

/// Two log densities, to rounding of the special functions in the reference (about 1e-13).
fn same(name: &str, x: f64, ours: f64, theirs: f64) {
    let close = ours == theirs || (ours - theirs).abs() <= 1e-11 * (1.0 + theirs.abs());
    assert!(close, "{name} at {x}: {ours} against {theirs}");
}

const POINTS: &[f64] = &[-7.5, -2.0, -0.3, 0.0, 1e-8, 0.2, 0.7, 1.0, 2.5, 9.0, 40.0];
const COUNTS: &[u64] = &[0, 1, 2, 3, 7, 12, 30];

fn against<D: Continuous<f64, f64>>(name: &str, params: &[f64], reference: &D, inside: impl Fn(f64) -> bool) {
    for &x in POINTS {
        let theirs = if inside(x) { reference.ln_pdf(x) } else { f64::NEG_INFINITY };
        same(name, x, lp(name, params, x), theirs);
    }
}

fn against_counts<D: Discrete<u64, f64>>(name: &str, params: &[f64], reference: &D) {
    for &k in COUNTS {
        same(name, k as f64, lp(name, params, k as f64), reference.ln_pmf(k));
    }
    for outside in [-1.0, -0.5, 0.5, 2.25] {
        assert_eq!(lp(name, params, outside), f64::NEG_INFINITY, "{name} at {outside}");
    }
}

#[test]
fn densities_on_the_line_agree_with_statrs() {
    let real = |_: f64| true;
    against("normal", &[0.5, 2.0], &st::Normal::new(0.5, 2.0).unwrap(), real);
    against("student_t", &[3.5, 0.5, 2.0], &st::StudentsT::new(0.5, 2.0, 3.5).unwrap(), real);
    against("cauchy", &[0.5, 2.0], &st::Cauchy::new(0.5, 2.0).unwrap(), real);
    against("laplace", &[0.5, 2.0], &st::Laplace::new(0.5, 2.0).unwrap(), real);
    against("uniform", &[-1.0, 2.5], &st::Uniform::new(-1.0, 2.5).unwrap(), |x| (-1.0..=2.5).contains(&x));
}

#[test]
fn densities_on_a_half_line_agree_with_statrs_and_vanish_outside() {
    let positive = |x: f64| x > 0.0;
    against("gamma", &[2.5, 3.0], &st::Gamma::new(2.5, 3.0).unwrap(), positive);
    against("gamma", &[0.4, 1.5], &st::Gamma::new(0.4, 1.5).unwrap(), positive);
    against("inverse_gamma", &[2.5, 3.0], &st::InverseGamma::new(2.5, 3.0).unwrap(), positive);
    against("exponential", &[1.5], &st::Exp::new(1.5).unwrap(), |x| x >= 0.0);
    against("lognormal", &[0.3, 0.8], &st::LogNormal::new(0.3, 0.8).unwrap(), positive);
    against("beta", &[2.5, 0.7], &st::Beta::new(2.5, 0.7).unwrap(), |x| x > 0.0 && x < 1.0);
}

#[test]
fn masses_agree_with_statrs_and_vanish_off_the_integers() {
    against_counts("poisson", &[3.7], &st::Poisson::new(3.7).unwrap());
    against_counts("binomial", &[12.0, 0.3], &st::Binomial::new(0.3, 12).unwrap());
    against_counts("bernoulli", &[0.3], &st::Bernoulli::new(0.3).unwrap());
}

#[test]
fn edges_of_parameters_give_certainty_and_no_nan() {
    assert!(lp("poisson", &[0.0], 0.0).abs() < 1e-15);
    assert_eq!(lp("poisson", &[0.0], 1.0), f64::NEG_INFINITY);
    assert_eq!(lp("poisson", &[0.0], -1.0), f64::NEG_INFINITY);
    for (p, sure) in [(0.0, 0.0), (1.0, 5.0)] {
        assert!(lp("binomial", &[5.0, p], sure).abs() < 1e-12);
        assert_eq!(lp("binomial", &[5.0, p], 5.0 - sure), f64::NEG_INFINITY);
        assert_eq!(lp("binomial", &[5.0, p], 6.0), f64::NEG_INFINITY);
        assert_eq!(lp("bernoulli", &[p], p), 0.0);
        assert_eq!(lp("bernoulli", &[p], 1.0 - p), f64::NEG_INFINITY);
    }
}

#[test]
fn logits_stay_exact_far_out() {
    for logit in [-800.0f64, -40.0, -1.0, 0.0, 3.0, 40.0, 800.0] {
        let log_p = if logit > 0.0 { -(-logit).exp().ln_1p() } else { logit - logit.exp().ln_1p() };
        same("bernoulli_logit", logit, lp("bernoulli_logit", &[logit], 1.0), log_p);
        same("bernoulli_logit", logit, lp("bernoulli_logit", &[logit], 0.0), log_p - logit);
    }
    assert_eq!(lp("bernoulli_logit", &[0.4], 0.5), f64::NEG_INFINITY);
}

#[test]
fn the_angle_has_a_density_of_integral_one() {
    // the trapezoid rule is exact to rounding for periodic functions
    let n = 256;
    let angle = |k: usize| -PI + 2.0 * PI * k as f64 / n as f64;
    let total: f64 = (0..n).map(|k| lp("von_mises", &[0.7, 2.0], angle(k)).exp()).sum::<f64>() * 2.0 * PI / n as f64;
    assert!((total - 1.0).abs() < 1e-12, "{total}");
    assert!((lp("von_mises", &[0.7, 2.0], 0.1) - lp("von_mises", &[0.7, 2.0], 0.1 + 2.0 * PI)).abs() < 1e-12);
}

#[test]
fn uniform_draws_invert_the_distribution_function() {
    for u in [1e-9, 0.03, 0.25, 0.5, 0.6, 0.99, 1.0 - 1e-9] {
        let check = |name: &str, params: &[f64], cdf: &dyn Fn(f64) -> f64| {
            let back = cdf(transformed(name, params, u));
            assert!((back - u).abs() < 1e-12, "{name}: {back} against {u}");
        };
        check("cauchy", &[0.5, 2.0], &|x| st::Cauchy::new(0.5, 2.0).unwrap().cdf(x));
        check("laplace", &[0.5, 2.0], &|x| st::Laplace::new(0.5, 2.0).unwrap().cdf(x));
        check("exponential", &[1.5], &|x| st::Exp::new(1.5).unwrap().cdf(x));
        check("uniform", &[-1.0, 2.5], &|x| st::Uniform::new(-1.0, 2.5).unwrap().cdf(x));
        // one below p, zero above
        assert_eq!(transformed("bernoulli", &[0.3], u), f64::from(u < 0.3));
        assert_eq!(transformed("bernoulli_logit", &[(0.3f64 / 0.7).ln()], u), f64::from(u < 0.3));
    }
}

#[test]
fn normal_draws_carry_the_standard_normal_over() {
    for z in [-6.0, -1.0, 0.0, 0.4, 3.0] {
        let phi = |z: f64| 0.5 * erf::erfc(-z / 2f64.sqrt());
        let x = transformed("normal", &[0.5, 2.0], z);
        assert!((phi((x - 0.5) / 2.0) - phi(z)).abs() < 1e-12);
        let x = transformed("lognormal", &[0.3, 0.8], z);
        assert!((phi((x.ln() - 0.3) / 0.8) - phi(z)).abs() < 1e-12);
    }
}

/// log density of x + log |dx/draw| = log density of the raw draw, by a central difference.
#[test]
fn sampled_laws_are_the_raw_law_moved() {
    let raw_laws: &[(&str, &[f64], &str, &[f64])] = &[
        ("student_t", &[3.5, 0.5, 2.0], "student_t", &[3.5, 0.0, 1.0]),
        ("gamma", &[2.5, 3.0], "gamma", &[2.5, 1.0]),
        ("inverse_gamma", &[2.5, 3.0], "gamma", &[2.5, 1.0]),
        ("beta", &[2.5, 0.7], "beta", &[2.5, 0.7]),
        ("von_mises", &[0.7, 2.0], "von_mises", &[0.0, 2.0]),
    ];
    for (name, params, raw_name, raw_params) in raw_laws {
        for raw in [0.1, 0.45, 0.9] {
            let h = 1e-5;
            let slope = (transformed(name, params, raw + h) - transformed(name, params, raw - h)) / (2.0 * h);
            let x = transformed(name, params, raw);
            let difference = lp(name, params, x) + slope.abs().ln() - lp(raw_name, raw_params, raw);
            // the difference quotient is good to about h^2
            assert!(difference.abs() < 1e-7, "{name} at {raw}: {difference}");
        }
    }
}

#[test]
fn draws_of_an_angle_stay_in_one_turn() {
    for (mu, raw) in [(3.0, 2.0), (-3.0, -2.0), (10.0, 0.0), (0.0, 0.5)] {
        let x = transformed("von_mises", &[mu, 1.0], raw);
        assert!((-PI..PI).contains(&x), "{x}");
        assert!((x - mu - raw).cos() > 1.0 - 1e-12);
    }
}

/// Slopes by the point and by every parameter are numbers, in the support, on its border and outside.
#[test]
fn slopes_are_never_nan() {
    let laws: &[(&str, &[f64])] = &[
        ("normal", &[0.5, 2.0]),
        ("student_t", &[3.5, 0.5, 2.0]),
        ("cauchy", &[0.5, 2.0]),
        ("laplace", &[0.5, 2.0]),
        ("gamma", &[2.5, 3.0]),
        ("inverse_gamma", &[2.5, 3.0]),
        ("beta", &[2.5, 0.7]),
        ("exponential", &[1.5]),
        ("lognormal", &[0.3, 0.8]),
        ("uniform", &[-1.0, 2.5]),
        ("poisson", &[3.7]),
        ("binomial", &[12.0, 0.3]),
        ("bernoulli", &[0.3]),
        ("bernoulli_logit", &[-0.4]),
        ("von_mises", &[0.7, 2.0]),
    ];
    for (name, params) in laws {
        let DistKind::Scalar { log_density, .. } = lookup(name).expect("a law of the table").kind else {
            panic!("{name} is not a law of one number")
        };
        let mut g = Graph::new();
        let vars: Vec<_> = (0..=params.len()).map(|_| g.new_var("v", VarKind::Param, Ty::Real, vec![])).collect();
        let nodes: Vec<Id> = vars.iter().map(|v| g.var(*v)).collect();
        let density = log_density(&mut g, &nodes[1..], nodes[0]);
        let slopes: Vec<Id> = vars.iter().map(|v| g.partial(density, *v, &[])).collect();
        for x in [-7.5, -1.0, 0.0, 0.2, 1.0, 2.5, 12.0, 40.0] {
            let mut env = Env::new();
            for (var, value) in vars.iter().zip(std::iter::once(&x).chain(*params)) {
                env.set(*var, *value);
            }
            for slope in &slopes {
                let slope = eval(&g, *slope, &env).expect("every variable has a value");
                assert!(!slope.values[0].is_nan(), "{name} at {x}");
            }
        }
    }
}

fn vector_kind(name: &str) -> (super::LogDensity, &'static VectorDraw) {
    match &lookup(name).expect("a law of the table").kind {
        DistKind::Vector { log_density, draw, .. } => (*log_density, draw),
        DistKind::Scalar { .. } => panic!("{name} is a law of one number"),
    }
}

#[test]
fn the_gaussian_has_the_density_of_its_covariance() {
    let (log_density, draw) = vector_kind("gaussian");
    let mut g = Graph::new();
    let (a, b, c) = (2.0, 0.6, 0.5);
    let params = [array(&mut g, &[2], &[1.0, -1.0]), array(&mut g, &[2, 2], &[a, b, b, c])];
    let x = array(&mut g, &[2], &[0.3, 0.4]);
    let id = log_density(&mut g, &params, x);
    let (dx, dy, det) = (0.3 - 1.0, 0.4 + 1.0, a * c - b * b);
    let distance = (c * dx * dx - 2.0 * b * dx * dy + a * dy * dy) / det;
    same("gaussian", 0.3, value(&g, id)[0], -distance / 2.0 - det.ln() / 2.0 - (2.0 * PI).ln());

    // a draw x = mean + L z has |L^-1 (x - mean)|^2 = |z|^2
    let VectorDraw::FromNormal(transform) = draw else { panic!("drawn from normals") };
    let z = array(&mut g, &[2], &[0.7, -1.2]);
    let drawn = transform(&mut g, &params, z);
    let id = log_density(&mut g, &params, drawn);
    let expected = -(0.49 + 1.44) / 2.0 - det.ln() / 2.0 - (2.0 * PI).ln();
    same("gaussian draw", 0.0, value(&g, id)[0], expected);
}

#[test]
fn the_dirichlet_of_two_is_a_beta() {
    let (log_density, draw) = vector_kind("dirichlet");
    let mut g = Graph::new();
    let alpha = array(&mut g, &[2], &[2.5, 0.7]);
    for x in [0.1, 0.5, 0.8] {
        let point = array(&mut g, &[2], &[x, 1.0 - x]);
        let id = log_density(&mut g, &[alpha], point);
        same("dirichlet", x, value(&g, id)[0], lp("beta", &[2.5, 0.7], x));
    }
    for outside in [[0.5, 0.6], [1.2, -0.2], [0.0, 1.0]] {
        let point = array(&mut g, &[2], &outside);
        let id = log_density(&mut g, &[alpha], point);
        assert_eq!(value(&g, id)[0], f64::NEG_INFINITY);
    }
    let VectorDraw::Gammas(shapes, transform) = draw else { panic!("drawn from gammas") };
    assert_eq!(shapes(&mut g, &[alpha]), alpha);
    let raw = array(&mut g, &[2], &[3.0, 1.0]);
    let id = transform(&mut g, &[alpha], raw);
    assert_eq!(value(&g, id), [0.75, 0.25]);
}

#[test]
fn a_category_has_the_probability_of_its_logit() {
    let (log_density, draw) = vector_kind("categorical_logit");
    let mut g = Graph::new();
    let logits = array(&mut g, &[3], &[900.0, 901.0, 899.5]);
    let at = |g: &mut Graph, k: f64| {
        let k = g.real(k);
        let id = log_density(g, &[logits], k);
        value(g, id)[0]
    };
    let total: f64 = (0..3).map(|k| at(&mut g, k as f64).exp()).sum();
    assert!((total - 1.0).abs() < 1e-12);
    assert!((at(&mut g, 1.0) - at(&mut g, 2.0) - 1.5).abs() < 1e-12);
    for outside in [-1.0, 0.5, 3.0] {
        assert_eq!(at(&mut g, outside), f64::NEG_INFINITY);
    }
    let VectorDraw::Categorical(weights) = draw else { panic!("drawn by weight") };
    let id = weights(&mut g, &[logits]);
    assert_eq!(value(&g, id), [(-1f64).exp(), 1.0, (-1.5f64).exp()]);
}

#[test]
fn samplers_get_the_parameters_they_name() {
    let params_of = |d: &Distribution| match &d.kind {
        DistKind::Scalar { draw: ScalarDraw::Sampler(_, f, _), .. } => {
            let mut g = Graph::new();
            let ids: Vec<Id> = (0..d.params.len()).map(|k| g.real(k as f64 + 0.5)).collect();
            f(&mut g, &ids).iter().map(|i| ids.iter().position(|j| j == i).unwrap()).collect::<Vec<_>>()
        }
        _ => Vec::new(),
    };
    let named = |name: &str| params_of(lookup(name).unwrap());
    assert_eq!(named("student_t"), [0]);
    assert_eq!(named("gamma"), [0]);
    assert_eq!(named("inverse_gamma"), [0]);
    assert_eq!(named("beta"), [0, 1]);
    assert_eq!(named("poisson"), [0]);
    assert_eq!(named("binomial"), [0, 1]);
    assert_eq!(named("von_mises"), [1]);
}

#[test]
fn names_are_distinct_and_defaults_lie_in_their_domains() {
    let mut names: Vec<&str> =
        TABLE.iter().flat_map(|d| std::iter::once(d.name).chain(d.aliases.iter().copied())).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(lookup("multivariate_normal").is_some_and(|d| d.name == "gaussian"));
    assert!(lookup("norml").is_none());
    for d in TABLE {
        assert!(!d.doc.is_empty() && !d.support.is_empty());
        assert!(d.params.iter().all(|p| p.default.is_none_or(|v| p.domain.contains(v))), "{}", d.name);
    }
}

#[test]
fn domains_say_what_belongs_to_them() {
    assert!(Domain::Count.contains(3.0) && !Domain::Count.contains(2.5) && !Domain::Count.contains(-1.0));
    assert!(Domain::Unit.contains(1.0) && !Domain::Unit.contains(1.1));
    assert!(!Domain::Positive.contains(0.0) && Domain::NonNegative.contains(0.0));
    assert!(!Domain::Real.contains(f64::NAN) && !Domain::Positive.contains(f64::INFINITY));
}
