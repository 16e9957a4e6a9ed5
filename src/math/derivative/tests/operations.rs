//! Every operation by every argument.

use super::kit::*;
use crate::math::Op;
use crate::math::array::Array;
use crate::math::eval::Env;

/// Points over the domain, away from kinks by more than the stencil of [`slope`], and how many arguments are varied.
fn points(op: Op) -> (Vec<Vec<f64>>, usize) {
    use Op::*;
    let line = |points: &[f64]| points.iter().map(|x| vec![*x]).collect::<Vec<_>>();
    let everywhere = [-8.5, -2.3, -1.3, -0.4, 0.0, 0.2, 0.7, 1.9, 6.5];
    let plane: Vec<Vec<f64>> = [[0.7, -1.3], [-2.0, 0.4], [3.5, 2.5], [-0.3, -6.0], [0.0, 1.5]].map(Vec::from).into();
    match op {
        Add | Sub | Mul | Div | Atan2 | Logaddexp | Min | Max => (plane, 2),
        Neg | Expm1 | Exp | Sin | Cos | Tan | Atan | Sinh | Cosh | Tanh | Erf | Erfc | Sigmoid | Softplus => {
            (line(&everywhere), 1)
        }
        LogI0 | BesselRatio => (line(&[-300.0, -40.0, -1.3, 0.0, 0.05, 0.7, 3.0, 11.0, 80.0]), 1),
        Abs | Sign | Floor | Ceil => (line(&[-8.5, -2.3, -0.4, 0.2, 6.5]), 1),
        Pow => (vec![vec![1.7, 2.3], vec![0.2, -1.5], vec![3.0, 0.0], vec![0.5, 4.0]], 2),
        Powi => ([[-1.7, 3.0], [0.4, -2.0], [0.0, 1.0], [0.0, 2.0], [0.3, 0.0], [2.5, 7.0]].map(Vec::from).into(), 1),
        Mod => (vec![vec![7.3, 2.0], vec![-1.2, 0.7], vec![2.2, -1.5]], 2),
        Log | Sqrt => (line(&[0.02, 0.7, 3.1, 200.0]), 1),
        Cbrt => (line(&[-3.0, -0.1, 0.7, 3.1, 200.0]), 1),
        Lgamma | Digamma => (line(&[0.1, 0.7, 1.4, 3.1, 30.0]), 1),
        Log1p => (line(&[-0.9, -0.4, 0.0, 3.1]), 1),
        Asin | Acos | Erfinv => (line(&[-0.95, -0.3, 0.0, 0.3, 0.8]), 1),
        Logit => (line(&[0.1, 0.3, 0.8, 0.9]), 1),
        Polygamma => ([[1.0, 0.7], [1.0, 12.0], [2.0, 3.1], [3.0, 0.4]].map(Vec::from).into(), 1),
        GammaP => ([[1.7, 0.9], [0.6, 3.0], [4.0, 7.0], [30.0, 25.0]].map(Vec::from).into(), 1),
        StopGrad | ToReal | IntDiv | Lt | Le | Eq | Ne | And | Or | Not | Select => (vec![], 0),
    }
}

const REAL: [Op; 42] = {
    use Op::*;
    [
        Add,
        Sub,
        Mul,
        Div,
        Neg,
        Pow,
        Powi,
        Abs,
        Sign,
        Floor,
        Ceil,
        Min,
        Max,
        Mod,
        Exp,
        Expm1,
        Log,
        Log1p,
        Sqrt,
        Cbrt,
        Sin,
        Cos,
        Tan,
        Asin,
        Acos,
        Atan,
        Atan2,
        Sinh,
        Cosh,
        Tanh,
        Erf,
        Erfc,
        Erfinv,
        Sigmoid,
        Softplus,
        Logit,
        Logaddexp,
        Lgamma,
        Digamma,
        LogI0,
        BesselRatio,
        Polygamma,
    ]
};

/// `op` of states, with constants for the arguments that are not varied: the integer power, the order of polygamma, the
/// shape of the incomplete gamma function.
fn call<'k>(k: &'k Kit, op: Op, point: &[f64]) -> (Vec<V<'k>>, E<'k>, Env) {
    let mut states = Vec::new();
    let mut args = Vec::new();
    let mut env = Env::new();
    for (a, x) in point.iter().enumerate() {
        match (op, a) {
            (Op::Powi, 1) | (Op::Polygamma, 0) => args.push(k.int(*x as i64)),
            (Op::GammaP, 0) => args.push(k.real(*x)),
            _ => {
                let v = k.state(&format!("x{a}"), &[]);
                env.set(v.var, *x);
                args.push(v.e);
                states.push(v);
            }
        }
    }
    (states, k.op(op, &args), env)
}

/// Sixth-order central difference with step `h`: for functions of the size of 1 that change over lengths of 1, its
/// truncation is about `h^6/140` and its rounding `1e-16/h`.
fn slope(f: impl Fn(f64) -> f64, x: f64, h: f64) -> f64 {
    let d = |k: f64| f(x + k * h) - f(x - k * h);
    (45.0 * d(1.0) - 9.0 * d(2.0) + d(3.0)) / (60.0 * h)
}

#[test]
fn all_are_here() {
    assert!(REAL.iter().all(|op| !points(*op).0.is_empty()));
}

/// By the duals to rounding: the two differ in the form of a rule, `1 - tanh^2` for `1/cosh^2`, so by some ulps of 1. By
/// differences of the clean value itself to their own error, which grows near the ends of a domain.
#[test]
fn first_derivatives() {
    for op in REAL.into_iter().chain([Op::GammaP]) {
        let (at, varied) = points(op);
        for point in at {
            let k = Kit::default();
            let (states, y, env) = call(&k, op, &point);
            assert_eq!(states.len(), varied);
            let y_clean = k.clean(y);
            for v in states {
                let d = agree_within(k.grad(y, v), &env, 4e-15 * spread(op, &point));
                agree_within(k.jvp(y, v, k.real(1.0)), &env, 4e-15 * spread(op, &point));
                let x = env.get(v.var).expect("set above").values[0];
                let along = |x: f64| {
                    let mut env = env.clone();
                    env.set(v.var, x);
                    y_clean.value(&env).values[0]
                };
                let h = 2e-3 * x.abs().clamp(0.1, 3.0);
                let (got, wanted) = (d.value(&env).values[0], slope(along, x, h));
                assert!(close(got, wanted, 2e-8), "{}{point:?}: {got}, {wanted}", op.name());
            }
        }
    }
}

/// How far the rounding of an intermediate result is spread by a rule.
fn spread(op: Op, point: &[f64]) -> f64 {
    match op {
        // exp of a difference of terms of this size
        Op::GammaP => 1e2,
        // 1 - y loses what y has near 1
        Op::Sigmoid | Op::Tanh => 4.0,
        // differences of terms of this size
        Op::BesselRatio => 1.0 + point[0].abs(),
        _ => 1.0,
    }
}

/// By every pair of arguments.
#[test]
fn second_derivatives() {
    for op in REAL.into_iter().chain([Op::GammaP]) {
        for point in points(op).0 {
            let k = Kit::default();
            let (states, y, env) = call(&k, op, &point);
            for v in &states {
                for w in &states {
                    let d = k.grad(k.grad(y, *v), *w);
                    agree_within(d, &env, 1e-13 * spread(op, &point).powi(2));
                }
            }
        }
    }
}

/// Third derivatives of the smooth operations, by the first argument.
#[test]
fn third_derivatives() {
    use Op::*;
    for op in REAL {
        if matches!(op, BesselRatio | LogI0) {
            continue;
        }
        for point in points(op).0 {
            let k = Kit::default();
            let (states, y, env) = call(&k, op, &point);
            let v = states[0];
            let d = k.grad(k.grad(k.grad(y, v), v), v);
            agree_within(d, &env, 1e-11);
        }
    }
}

/// x = 0 is a removable singularity of the rule: the derivatives of I1/I0 there are 1/2, 0, -3/8, 0, those of log I0 one
/// order later.
#[test]
fn bessel_functions_at_zero() {
    for (op, wanted) in [(Op::BesselRatio, [0.5, 0.0, -0.375, 0.0]), (Op::LogI0, [0.0, 0.5, 0.0, -0.375])] {
        let k = Kit::default();
        let (states, mut y, env) = call(&k, op, &[0.0]);
        for d in wanted {
            y = k.grad(y, states[0]);
            assert!(close(k.clean(y).value(&env).values[0], d, 1e-15), "{}", op.name());
        }
    }
}

/// At kinks, any number between the slopes on both sides.
#[test]
fn subgradients_at_kinks() {
    let k = Kit::default();
    let (x, y) = (k.state("x", &[]), k.state("y", &[]));
    let env = env_of(&[(x, vec![0.0]), (y, vec![0.0])]);
    let at = |e: E<'_>| k.clean(e).value(&env).values[0];
    assert_eq!(at(k.grad(x.e.f(Op::Abs), x)), 0.0);
    for op in [Op::Min, Op::Max] {
        let f = x.e.f2(op, y.e);
        let (dx, dy) = (at(k.grad(f, x)), at(k.grad(f, y)));
        assert_eq!((dx + dy, dx * dy), (1.0, 0.0), "one of the two has it all");
        let d = at(k.grad(x.e.f2(op, k.real(0.0)), x));
        assert!((0.0..=1.0).contains(&d));
    }
}

#[test]
fn powers_at_zero() {
    let k = Kit::default();
    let (x, p) = (k.state("x", &[]), k.param("p", &[]));
    let at = |e: E<'_>, x0: f64, p0: f64| k.clean(e).value(&env_of(&[(x, vec![x0]), (p, vec![p0])])).values[0];
    let y = x.e.f2(Op::Pow, p.e);
    // p x^(p - 1) and x^p log x
    assert_eq!(at(k.grad(y, x), 0.0, 2.5), 0.0);
    assert_eq!(at(k.grad(y, p), 0.0, 2.5), 0.0);
    assert!((at(k.grad(y, p), 2.0, 3.0) - 8.0 * 2f64.ln()).abs() < 1e-14);
    assert_eq!(at(k.grad(x.e.powi(3), x), 0.0, 1.0), 0.0);
    assert_eq!(at(k.grad(x.e.powi(1), x), 0.0, 1.0), 1.0);
    assert_eq!(at(k.grad(x.e.powi(0), x), 0.0, 1.0), 0.0);
}

#[test]
fn what_has_no_slope() {
    let k = Kit::default();
    let x = k.state("x", &[]);
    for op in [Op::Sign, Op::Floor, Op::Ceil, Op::StopGrad] {
        let d = k.clean(k.grad(x.e.f(op), x));
        assert_eq!(d.id, k.real(0.0).id, "{}", op.name());
    }
    let still = k.clean(k.grad(x.e * x.e.f(Op::StopGrad), x));
    assert_eq!(still.value(&env_of(&[(x, vec![3.0])])), Array::scalar(3.0));
    let test = k.select(x.e.less(k.real(1.0)), k.real(1.0), k.real(0.0));
    assert_eq!(k.clean(k.grad(test, x)).id, k.real(0.0).id);
}

#[test]
fn what_is_refused() {
    let k = Kit::default();
    let (a, x) = (k.state("a", &[]), k.state("x", &[]));
    let p = a.e.f2(Op::GammaP, x.e);
    let refused = k.try_clean(k.grad(p, a)).err().expect("no rule by the shape");
    assert!(refused.reason.contains("gamma_p"), "{}", refused.reason);
    let twice = k.grad(k.grad(p, x), a);
    agree_within(twice, &env_of(&[(a, vec![1.7]), (x, vec![0.9])]), 1e-13);
}
