//! The structure of systems whose structure is known.

use crate::math::VarKind;
use crate::math::eval::{Env, eval};

use super::pretty;
use super::structure::drift::{Drift, drift};
use super::structure::probe::{self, Trial};
use super::structure::{Finding, NoiseClass, Structure, structure};
use super::system::System;
use super::testing::Builder;

fn builder() -> Builder {
    let mut b = Builder::new();
    b.params("a c s mu sigma rho kappa theta xi beta gamma m omega p r");
    b
}

fn look(b: &mut Builder, s: &System) -> Structure {
    structure(&mut b.g, s, &Env::new())
}

/// Scalar states and noises by name.
fn found(states: &str, noises: &str, alpha: &str, equations: &[(&str, &str, &str)]) -> Structure {
    let mut b = builder();
    b.states(states);
    b.noises(noises);
    let s = b.system(alpha, equations);
    look(&mut b, &s)
}

/// Arrays of 64 components, with a noise of the same size and a single one.
fn large(drift: &str, diffusion: &str) -> Structure {
    let mut b = builder();
    b.declare("x", VarKind::State, &[64]);
    b.declare("W", VarKind::Noise, &[64]);
    b.declare("V", VarKind::Noise, &[]);
    let s = b.system("0", &[("x", drift, diffusion)]);
    look(&mut b, &s)
}

#[test]
fn noise_classes() {
    use NoiseClass::*;
    type Case =
        (&'static str, NoiseClass, &'static str, &'static str, &'static [(&'static str, &'static str, &'static str)]);
    let cases: [Case; 13] = [
        ("ordinary", None, "x y", "", &[("x", "y", "0"), ("y", "-x", "0")]),
        ("Ornstein-Uhlenbeck", Additive, "x", "W", &[("x", "-x", "s*dW")]),
        ("additive in time", Additive, "x", "W", &[("x", "-x^3", "s*exp(-t)*dW")]),
        ("correlated additive", Additive, "x y", "W V", &[("x", "0", "dW"), ("y", "0", "rho*dW + s*dV")]),
        ("cancelling", Additive, "x", "W", &[("x", "0", "(x + 1)^2*dW - (x^2 + 2*x)*dW")]),
        ("geometric", Scalar, "x", "W", &[("x", "mu*x", "sigma*x*dW")]),
        ("Kubo", Scalar, "x y", "W", &[("x", "-omega*y", "-s*y*dW"), ("y", "omega*x", "s*x*dW")]),
        ("two geometric", Diagonal, "x y", "W V", &[("x", "y", "x*dW"), ("y", "x", "sin(y)*dV")]),
        (
            "diagonal with a quiet state",
            Diagonal,
            "x y z",
            "W V",
            &[("x", "z", "x*dW"), ("y", "x", "y^2*dV"), ("z", "x", "0")],
        ),
        (
            "commuting, not diagonal",
            Commutative,
            "x y",
            "W V",
            &[("x", "0", "a*x*dW + c*x*dV"), ("y", "0", "s*y*dW + p*y*dV")],
        ),
        ("sine and cosine", Diagonal, "x y", "W V", &[("x", "0", "x*(sin(y)^2 + cos(y)^2)*dW"), ("y", "0", "y*dV")]),
        ("Heisenberg", General, "x y", "W V", &[("x", "0", "dW"), ("y", "0", "x*dV")]),
        (
            "Heston",
            General,
            "s2 v",
            "W V",
            &[("s2", "mu*s2", "sqrt(v)*s2*dW"), ("v", "kappa*(theta - v)", "xi*sqrt(v)*(rho*dW + sqrt(1 - rho^2)*dV)")],
        ),
    ];
    for (name, class, states, noises, equations) in cases {
        let structure = found(states, noises, "0", equations);
        assert_eq!(structure.noise.class(), class, "{name}: {:?}", structure.noise);
    }
}

/// Columns `A x` and `B x` of constant matrices commute when the matrices do, which shows only in the numbers.
#[test]
fn matrices_that_commute() {
    for (first, second, class) in [
        ([1.0, 2.0, 2.0, 1.0], [0.0, 1.0, 1.0, 0.0], NoiseClass::Commutative),
        ([1.0, 2.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0], NoiseClass::General),
    ] {
        let mut b = builder();
        b.declare("x", VarKind::State, &[2]);
        b.noises("W V");
        let holes = [("A", first), ("B", second)].map(|(name, m)| (b.declare(name, VarKind::Param, &[2, 2]), m));
        let diffusion = "[i<2: sum(j<2: A[i, j]*x[j])*dW + sum(j<2: B[i, j]*x[j])*dV]";
        let mut s = b.system("0", &[("x", "[i<2: -x[i]]", diffusion)]);
        for (var, m) in holes {
            let elements = m.iter().map(|v| b.g.real(*v)).collect();
            let matrix = b.g.lit(vec![2, 2], elements);
            s.diffusion = b.g.substitute_vars(&s.diffusion, &[(var, matrix)]);
        }
        let noise = look(&mut b, &s).noise;
        assert_eq!(noise.class(), class, "{noise:?}");
    }
}

#[test]
fn noise_classes_of_large_arrays() {
    use NoiseClass::*;
    let cases = [
        ("[i<64: s*dW[i]]", Additive),
        ("[i<64: sigma*x[i]*dV]", Scalar),
        ("[i<64: sigma*x[i]*dW[i]]", Diagonal),
        ("[i<64: (1 + sin(x[i])^2)*dW[i]]", Diagonal),
        ("[i<64: sum(j<64: x[j])*dW[i]]", General),
        ("[i<64: x[(i + 1) % 64]*dW[i]]", General),
        ("[i<64: x[i]*dW[i] + x[i]*dV]", Commutative),
    ];
    for (diffusion, class) in cases {
        let structure = large("[i<64: -x[i]]", diffusion);
        let found = structure.noise.class();
        // a bracket that is zero may be left to the random points, which then say so
        let unproved = matches!(structure.noise.commutative, Finding::Open { seems: Some(true), .. });
        assert!(found == class || (class == Commutative && unproved), "{diffusion}: {:?}", structure.noise);
    }
}

#[test]
fn coefficients_of_diagonal_and_scalar_noise() {
    let mut b = builder();
    b.declare("x", VarKind::State, &[64]);
    b.declare("W", VarKind::Noise, &[64]);
    let s = b.system("0", &[("x", "[i<64: -x[i]]", "[i<64: s*x[i]^2*dW[i]]")]);
    let found = look(&mut b, &s).noise;
    let mut env = b.env(&[("s", 0.5)]);
    let x: Vec<f64> = (0..64).map(f64::from).collect();
    let wanted: Vec<f64> = x.iter().map(|x| 0.5 * (x * x)).collect();
    env.set(b.var("x"), x);
    let value = |b: &Builder, id| eval(&b.g, id, &env).expect("a value").values;
    assert_eq!(value(&b, found.coefficients.expect("diagonal")[0]), wanted);
    let v = b.g.new_var("V", VarKind::Noise, crate::math::Ty::Real, vec![]);
    let node = b.g.var(v);
    let (bounds, _) = super::system::open(&mut b.g, &[64]);
    let (spread, w) = (b.g.map(&bounds, node), b.var("dW"));
    let moved = b.g.substitute_vars(&s.diffusion, &[(w, spread)]);
    let noise = super::system::NoiseInput { name: "V".into(), var: v, shape: vec![] };
    let s = System { noises: vec![noise], diffusion: moved, ..s };
    let found = look(&mut b, &s).noise;
    assert_eq!(found.class(), NoiseClass::Scalar);
    assert_eq!(value(&b, found.column.expect("scalar")[0]), wanted);
}

#[test]
fn additive_noise_has_a_finer_structure() {
    let s = found("x y", "W V", "0", &[("x", "0", "dW"), ("y", "0", "s*dV")]);
    assert!(s.noise.additive.proved() && s.noise.diagonal.proved());
    let s = found("x y", "W V", "0", &[("x", "0", "dW"), ("y", "0", "rho*dW + s*dV")]);
    assert!(s.noise.additive.proved() && s.noise.commutative.proved());
    assert_eq!(s.noise.diagonal.reason(), Some("dW enters both dx and dy"));
    assert_eq!(s.noise.dim, 2);
}

#[test]
fn reasons_name_the_term() {
    let s = found("x", "W", "0", &[("x", "0", "s*x*dW")]);
    assert_eq!(s.noise.additive.reason(), Some("the coefficient s*x of dW in dx depends on x"));
    let s = found("x y", "W V", "0", &[("x", "0", "y*dW"), ("y", "0", "dV")]);
    assert_eq!(s.noise.scalar.reason(), Some("there are 2 independent noises: dW, dV"));
    assert_eq!(s.noise.diagonal.reason(), Some("the coefficient y of dW in dx depends on more than x (on y)"));
    assert_eq!(
        s.noise.commutative.reason(),
        Some("the columns of dW and dV do not commute: their Lie bracket has the x component -1")
    );
    let s = found("x y", "W", "0", &[("x", "0", "x*dW"), ("y", "0", "y*dW")]);
    assert_eq!(s.noise.diagonal.reason(), Some("dW enters both dx and dy"));
    let s = large("[i<64: -x[i]]", "[i<64: sigma*x[i]*dW[i]]");
    assert_eq!(s.noise.additive.reason(), Some("the coefficient sigma*x[i] of dW[i] in dx[i] depends on x"));
    assert_eq!(s.noise.scalar.reason(), Some("there are 64 independent noises: dW[0], ..., dW[63]"));
}

fn drift_of(states: &str, noises: &str, alpha: &str, equations: &[(&str, &str, &str)]) -> Drift {
    let mut b = builder();
    b.states(states);
    b.noises(noises);
    let s = b.system(alpha, equations);
    let ito = look(&mut b, &s).ito;
    drift(&mut b.g, &s, &ito, &Env::new())
}

fn large_drift(of: &str) -> Drift {
    let mut b = builder();
    b.declare("x", VarKind::State, &[64]);
    b.declare("W", VarKind::Noise, &[64]);
    let s = b.system("0", &[("x", of, "[i<64: dW[i]]")]);
    let ito = look(&mut b, &s).ito;
    drift(&mut b.g, &s, &ito, &Env::new())
}

#[test]
fn linear_drifts() {
    let d = drift_of("x y", "W", "0", &[("x", "-a*x + t*y", "dW"), ("y", "c - x*exp(-t)", "0")]);
    assert!(d.linear.proved());
    let d = drift_of("x y", "W", "0", &[("x", "a*(y - x)", "dW"), ("y", "x*(r - y) - y", "0")]);
    assert_eq!(d.linear.reason(), Some("the term x*(r - y) of dy is not linear"));
    let d = drift_of("x", "W", "0", &[("x", "x - x^3", "dW")]);
    assert_eq!(d.linear.reason(), Some("the term x^3 of dx is not linear"));
    // linear in pieces is not linear, though the second derivative vanishes
    let d = drift_of("x", "W", "0", &[("x", "a*(c - max(x, 0))", "dW")]);
    assert!(matches!(d.linear, Finding::No(_)), "{:?}", d.linear);
    assert!(large_drift("[i<64: x[(i + 1) % 64] - 2*x[i] + x[(i + 63) % 64]]").linear.proved());
    // the Ito drift counts: a Stratonovich equation without drift may have a nonlinear one
    let d = drift_of("x", "W", "0.5", &[("x", "0", "sin(x)*dW")]);
    assert!(matches!(d.linear, Finding::No(_)));
}

#[test]
fn gradient_drifts() {
    let d = drift_of("x y", "W V", "0", &[("x", "-2*x*y^2", "dW"), ("y", "-2*x^2*y", "dV")]);
    assert!(d.gradient.proved(), "{:?}", d.gradient);
    let d = drift_of("x y", "W V", "0", &[("x", "-x + y", "dW"), ("y", "-y - x", "dV")]);
    assert_eq!(d.gradient.reason(), Some("the drift of x changes with y by 1, that of y with x by -1"));
    let ring = large_drift("[i<64: x[(i + 1) % 64] - 2*x[i] + x[(i + 63) % 64] - x[i]^3]").gradient;
    assert!(ring.proved() || matches!(ring, Finding::Open { seems: Some(true), .. }), "{ring:?}");
    assert!(matches!(large_drift("[i<64: x[(i + 1) % 64] - x[i]]").gradient, Finding::No(_)));
}

/// A zero that the simplifier does not see is not taken for a noise that depends on the state.
#[test]
fn hidden_zeros() {
    let s = found("x", "W", "0", &[("x", "0", "(exp(x + log(2)) - 2*exp(x))*dW")]);
    let Finding::Open { seems: Some(true), reason } = &s.noise.additive else { panic!("{:?}", s.noise.additive) };
    assert!(reason.ends_with("depends on x, though not at the points that were tried"), "{reason}");
}

/// A form with more turns of its loops than any machine has time for is not tried.
#[test]
fn forms_that_take_too_long() {
    let mut b = builder();
    b.declare("x", VarKind::State, &[3000]);
    let small = b.expr("sum(i<3000: x[i]*x[(i + 1) % 3000])");
    let count = probe::evaluations(&b.g, &[small]);
    assert!((3000.0..30_000.0).contains(&count), "{count}");
    let large = b.expr("sum(i<3000, j<3000: exp(x[i]*x[j]))");
    assert!(probe::evaluations(&b.g, &[large]) > probe::MOST_EVALUATIONS);
    let size = b.expr("1.0");
    assert_eq!(probe::vanishes(&b.g, large, size, &Env::new()), Trial::TooLong);
    // what does not depend on the inner loop is worked out once for each turn of the outer one
    let hoisted = b.expr("sum(i<3000: exp(x[i])*sum(j<3000: sin(x[j])))");
    assert!(probe::evaluations(&b.g, &[hoisted]) < 60_000.0);
    let words = Trial::TooLong.finding("the term is not linear".into(), "");
    assert_eq!(
        words.reason(),
        Some("the term is not linear, which was not tried at points: one point would take more than 2e7 evaluations")
    );
}

#[test]
fn noise_that_jumps_with_the_state_is_not_additive() {
    let s = found("x", "W", "0", &[("x", "0", "(if x < 0 then 1 else 2)*dW")]);
    assert_eq!(s.noise.class(), NoiseClass::Scalar);
    assert!(matches!(s.noise.additive, Finding::No(_)));
}

#[test]
fn kinetic_langevin() {
    let mut b = builder();
    b.states("q v");
    b.noises("W");
    let s = b.system("0", &[("q", "v", "0"), ("v", "-4*q*(q^2 - 1) - gamma*v", "sqrt(2*gamma)*dW")]);
    let kinetic = look(&mut b, &s).kinetic.expect("the kinetic form");
    let [pair] = &kinetic.pairs[..] else { panic!("one pair") };
    assert_eq!((pair.q, pair.v, pair.scale), (0, 1, None));
    let env = b.env(&[("q", 0.4), ("gamma", 1.3)]);
    let value = |id| eval(&b.g, id, &env).expect("a value").values[0];
    assert!((value(pair.force) + 4.0 * 0.4 * (0.16 - 1.0)).abs() < 1e-15);
    assert_eq!(value(pair.gamma), 1.3);
    assert_eq!(value(pair.sigma), 2.6f64.sqrt());
}

#[test]
fn kinetic_langevin_of_arrays_with_momenta() {
    let mut b = builder();
    b.declare("p0", VarKind::State, &[64]);
    b.declare("x", VarKind::State, &[64]);
    b.declare("W", VarKind::Noise, &[64]);
    // the momentum is declared first; dx = p/m
    let s = b.system(
        "0",
        &[
            (
                "p0",
                "[i<64: x[(i + 1) % 64] - 2*x[i] + x[(i + 63) % 64] - gamma*p0[i]]",
                "[i<64: sqrt(2*gamma*m)*dW[i]]",
            ),
            ("x", "[i<64: p0[i]/m]", "[i<64: 0*dW[i]]"),
        ],
    );
    let kinetic = look(&mut b, &s).kinetic.expect("the kinetic form");
    let pair = &kinetic.pairs[0];
    assert_eq!((pair.q, pair.v), (1, 0));
    let env = b.env(&[("gamma", 1.3), ("m", 2.0)]);
    let value = |id| eval(&b.g, id, &env).expect("a value").values;
    assert_eq!(value(pair.scale.expect("a mass")), [0.5]);
    assert_eq!(value(pair.gamma), [1.3]);
    assert_eq!(value(pair.sigma), [5.2f64.sqrt()]);
    assert_eq!(b.g.shape(pair.force), [64]);
}

#[test]
fn several_pairs_in_any_order() {
    let mut b = builder();
    b.states("u x y v");
    b.noises("W V");
    let s = b.system(
        "0",
        &[("u", "-x - y - gamma*u", "s*dW"), ("x", "u", "0"), ("y", "v", "0"), ("v", "-x*y - a*v", "p*dV")],
    );
    let kinetic = look(&mut b, &s).kinetic.expect("the kinetic form");
    let pairs: Vec<(usize, usize)> = kinetic.pairs.iter().map(|p| (p.q, p.v)).collect();
    assert_eq!(pairs, [(1, 0), (2, 3)]);
    assert_eq!(pretty::text(&b.g, kinetic.pairs[1].force), "-x*y");
    assert_eq!(pretty::text(&b.g, kinetic.pairs[1].gamma), "a");
    assert_eq!(pretty::text(&b.g, kinetic.pairs[0].sigma), "s");
}

#[test]
fn systems_that_are_not_kinetic() {
    let reason = |equations: &[(&str, &str, &str)]| found("q v z", "W V", "0", equations).kinetic.expect_err("no form");
    assert_eq!(reason(&[("q", "-q", "dW")]), "it has one state, and the form has a position and a velocity");
    assert_eq!(
        reason(&[("q", "-v^2", "dW"), ("v", "-q", "dV")]),
        "no state is a position: none has the equation dq = v dt for another state v"
    );
    assert_eq!(
        reason(&[("q", "v", "0"), ("v", "-q - v", "dW"), ("z", "q^2", "0")]),
        "z is neither a position nor a velocity"
    );
    assert!(reason(&[("q", "v", "0"), ("v", "-q - v^3", "dW")]).starts_with("the drift of dv is not a force"));
    // flat in pieces, so that a derivative does not show it
    assert!(reason(&[("q", "v", "0"), ("v", "-q - (if v < 0 then 0 else 1)", "dW")]).starts_with("the drift of dv"));
    assert_eq!(
        reason(&[("q", "v", "0"), ("v", "-q - v", "q*dW")]),
        "the noise is not additive: the coefficient q of dW in dv depends on q"
    );
    assert_eq!(reason(&[("q", "v", "0"), ("v", "-q - t*v", "dW")]), "the friction of dv depends on the time");
}
