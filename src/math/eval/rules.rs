//! Derivatives of the scalar operations, for dual numbers. Written apart from `math::derivative`, which they check.

use super::number::{Num, Number};
use super::scalar::Functions;
use crate::math::Op;
use std::f64::consts::{FRAC_2_SQRT_PI, PI};

/// Operations whose derivative is 0 wherever it exists, or by definition.
pub fn flat(op: Op) -> bool {
    use Op::*;
    matches!(op, Sign | Floor | Ceil | IntDiv | StopGrad | ToReal | Lt | Le | Eq | Ne | And | Or | Not)
}

/// The derivative of `op` by its argument `k` at `x`, where its value is `value`. Linear, choosing and flat operations
/// have rules of their own in [`Number::apply`].
pub fn partial(functions: Functions, op: Op, k: usize, x: &[Num], value: &Num) -> Num {
    let call = |op: Op, a: &Num| Num::apply(functions, op, std::slice::from_ref(a));
    let real = Num::Real;
    let a = &x[0];
    let square = |a: &Num| a.mul(a);
    match op {
        Op::Pow => power(functions, k, x, value),
        // the exponent is a constant
        Op::Powi if k == 1 || x[1].value() == 0.0 => real(0.0),
        Op::Powi => x[1].mul(&Num::apply(functions, Op::Powi, &[a.clone(), x[1].sub(&real(1.0))])),
        Op::Abs => call(Op::Sign, a),
        Op::Exp => value.clone(),
        Op::Expm1 => call(Op::Exp, a),
        Op::Log => real(1.0).div(a),
        Op::Log1p => real(1.0).div(&real(1.0).add(a)),
        Op::Sqrt => real(0.5).div(value),
        Op::Cbrt => real(1.0 / 3.0).div(&square(value)),
        Op::Sin => call(Op::Cos, a),
        Op::Cos => call(Op::Sin, a).neg(),
        Op::Tan => real(1.0).add(&square(value)),
        Op::Asin => real(1.0).div(&call(Op::Sqrt, &one_minus_square(a))),
        Op::Acos => real(-1.0).div(&call(Op::Sqrt, &one_minus_square(a))),
        Op::Atan => real(1.0).div(&real(1.0).add(&square(a))),
        // atan2(y, x)
        Op::Atan2 if k == 0 => x[1].div(&square(a).add(&square(&x[1]))),
        Op::Atan2 => a.neg().div(&square(a).add(&square(&x[1]))),
        Op::Sinh => call(Op::Cosh, a),
        Op::Cosh => call(Op::Sinh, a),
        // cosh would overflow, and the derivative is below the smallest double
        Op::Tanh if a.value().abs() > 400.0 => real(0.0),
        Op::Tanh => square(&real(1.0).div(&call(Op::Cosh, a))),
        Op::Erf => real(FRAC_2_SQRT_PI).mul(&call(Op::Exp, &square(a).neg())),
        Op::Erfc => real(-FRAC_2_SQRT_PI).mul(&call(Op::Exp, &square(a).neg())),
        Op::Erfinv => real(PI.sqrt() / 2.0).mul(&call(Op::Exp, &square(value))),
        Op::Sigmoid => value.mul(&call(Op::Sigmoid, &a.neg())),
        Op::Softplus => call(Op::Sigmoid, a),
        Op::Logit => real(1.0).div(&a.mul(&real(1.0).sub(a))),
        Op::Logaddexp => share(functions, &x[k], &x[1 - k]),
        Op::Lgamma => call(Op::Digamma, a),
        Op::Digamma => Num::apply(functions, Op::Polygamma, &[real(1.0), a.clone()]),
        Op::Polygamma if k == 0 => real(0.0),
        Op::Polygamma => Num::apply(functions, Op::Polygamma, &[a.add(&real(1.0)), x[1].clone()]),
        // by x only; by a it is differentiated as an algorithm
        Op::GammaP => gamma_density(functions, a, &x[1]),
        Op::LogI0 => call(Op::BesselRatio, a),
        _ => unreachable!("{} is not differentiated by a table", op.name()),
    }
}

/// (1 - a)(1 + a), without cancellation near 1.
fn one_minus_square(a: &Num) -> Num {
    let one = Num::Real(1.0);
    one.sub(a).mul(&one.add(a))
}

/// The derivative of `a^b`: `b a^(b - 1)` by a (0 for the exponent 0), `a^b log a` by b (0 at a = 0 for b > 0).
fn power(functions: Functions, k: usize, x: &[Num], value: &Num) -> Num {
    let (a, b) = (&x[0], &x[1]);
    if k == 0 {
        if matches!(b, Num::Real(b) if *b == 0.0) {
            return Num::Real(0.0);
        }
        return b.mul(&Num::apply(functions, Op::Pow, &[a.clone(), b.sub(&Num::Real(1.0))]));
    }
    if a.value() == 0.0 && b.value() > 0.0 {
        return Num::Real(0.0);
    }
    value.mul(&Num::apply(functions, Op::Log, std::slice::from_ref(a)))
}

/// exp(a)/(exp(a) + exp(b)), a half at equal infinities.
fn share(functions: Functions, a: &Num, b: &Num) -> Num {
    if a.value() == b.value() && a.value().is_infinite() {
        return Num::Real(0.5);
    }
    Num::apply(functions, Op::Sigmoid, &[a.sub(b)])
}

/// x^(a - 1) exp(-x)/Gamma(a).
fn gamma_density(functions: Functions, a: &Num, x: &Num) -> Num {
    let call = |op: Op, v: &Num| Num::apply(functions, op, std::slice::from_ref(v));
    let below = a.sub(&Num::Real(1.0));
    let rest = x.neg().sub(&call(Op::Lgamma, a));
    if x.value() > 0.0 {
        return call(Op::Exp, &below.mul(&call(Op::Log, x)).add(&rest));
    }
    Num::apply(functions, Op::Pow, &[x.clone(), below]).mul(&call(Op::Exp, &rest))
}
