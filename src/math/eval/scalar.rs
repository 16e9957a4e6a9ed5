//! Values of the scalar operations on doubles.

use super::special;
use crate::kernels::table::Kernel;
use crate::math::Op;

/// Whose elementary functions an evaluation uses.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub enum Functions {
    /// the `libm` crate and the series of `special`: independent of the compiler's own kernels
    #[default]
    Libm,
    /// the compiler's own kernels, with the bits of compiled programs; as above where there is none
    Kernels,
}

/// The value of an operation. Truth values are 0 and 1.
///
/// `min` and `max` are NaN where an argument is; at ties they take the second argument, in derivatives too.
pub fn scalar(functions: Functions, op: Op, x: &[f64]) -> f64 {
    debug_assert_eq!(x.len(), op.arity(), "{}", op.name());
    match op {
        Op::Add => x[0] + x[1],
        Op::Sub => x[0] - x[1],
        Op::Mul => x[0] * x[1],
        Op::Div => x[0] / x[1],
        Op::Neg => -x[0],
        Op::Abs => x[0].abs(),
        Op::Sign => sign(x[0]),
        Op::Floor => x[0].floor(),
        Op::Ceil => x[0].ceil(),
        Op::Min => x[second(op, x[0], x[1]) as usize],
        Op::Max => x[second(op, x[0], x[1]) as usize],
        Op::Mod => x[0] - x[1] * (x[0] / x[1]).floor(),
        Op::IntDiv => (x[0] / x[1]).floor(),
        Op::Sqrt => x[0].sqrt(),
        Op::StopGrad | Op::ToReal => x[0],
        Op::Lt => truth(x[0] < x[1]),
        Op::Le => truth(x[0] <= x[1]),
        Op::Eq => truth(x[0] == x[1]),
        Op::Ne => truth(x[0] != x[1]),
        Op::And => truth(x[0] != 0.0 && x[1] != 0.0),
        Op::Or => truth(x[0] != 0.0 || x[1] != 0.0),
        Op::Not => truth(x[0] == 0.0),
        Op::Select => x[if x[0] != 0.0 { 1 } else { 2 }],
        _ => match functions {
            Functions::Libm => elementary(op, x),
            Functions::Kernels => kernel(op, x).unwrap_or_else(|| elementary(op, x)),
        },
    }
}

pub fn truth(b: bool) -> f64 {
    f64::from(u8::from(b))
}

/// Whether `min` or `max` of two numbers is the second.
pub fn second(op: Op, a: f64, b: f64) -> bool {
    let first = if op == Op::Min { a < b } else { a > b };
    !(first || a.is_nan())
}

fn sign(x: f64) -> f64 {
    if x == 0.0 || x.is_nan() { x } else { x.signum() }
}

fn kernel(op: Op, x: &[f64]) -> Option<f64> {
    let kernel = match op {
        Op::Pow => Kernel::Pow,
        Op::Exp => Kernel::Exp,
        Op::Expm1 => Kernel::Expm1,
        Op::Log => Kernel::Log,
        Op::Log1p => Kernel::Log1p,
        Op::Cbrt => Kernel::Cbrt,
        Op::Sin => Kernel::Sin,
        Op::Cos => Kernel::Cos,
        Op::Tan => Kernel::Tan,
        Op::Asin => Kernel::Asin,
        Op::Acos => Kernel::Acos,
        Op::Atan => Kernel::Atan,
        Op::Atan2 => Kernel::Atan2,
        Op::Sinh => Kernel::Sinh,
        Op::Cosh => Kernel::Cosh,
        Op::Tanh => Kernel::Tanh,
        Op::Erf => Kernel::Erf,
        Op::Erfc => Kernel::Erfc,
        Op::Sigmoid => Kernel::Sigmoid,
        Op::Softplus => Kernel::Softplus,
        Op::Logit => Kernel::Logit,
        Op::Logaddexp => Kernel::Logaddexp,
        _ => return None,
    };
    Some(match x {
        [a, b] => kernel.scalar2(*a, *b),
        _ => kernel.scalar1(x[0]),
    })
}

fn elementary(op: Op, x: &[f64]) -> f64 {
    let a = x[0];
    match op {
        Op::Pow => libm::pow(a, x[1]),
        Op::Powi => powi(a, x[1]),
        Op::Exp => libm::exp(a),
        Op::Expm1 => libm::expm1(a),
        Op::Log => libm::log(a),
        Op::Log1p => libm::log1p(a),
        Op::Cbrt => libm::cbrt(a),
        Op::Sin => libm::sin(a),
        Op::Cos => libm::cos(a),
        Op::Tan => libm::tan(a),
        Op::Asin => libm::asin(a),
        Op::Acos => libm::acos(a),
        Op::Atan => libm::atan(a),
        Op::Atan2 => libm::atan2(a, x[1]),
        Op::Sinh => libm::sinh(a),
        Op::Cosh => libm::cosh(a),
        Op::Tanh => libm::tanh(a),
        Op::Erf => libm::erf(a),
        Op::Erfc => libm::erfc(a),
        Op::Erfinv => special::erfinv(a),
        Op::Sigmoid => sigmoid(a),
        Op::Softplus if a > 0.0 => a + libm::log1p(libm::exp(-a)),
        Op::Softplus => libm::log1p(libm::exp(a)),
        Op::Logit => libm::log(a) - libm::log1p(-a),
        Op::Logaddexp => logaddexp(a, x[1]),
        Op::Lgamma => libm::lgamma(a),
        Op::Digamma => special::digamma(a),
        Op::Polygamma => special::polygamma(a, x[1]),
        Op::GammaP => special::gamma_p(Functions::Libm, &a, &x[1]),
        Op::LogI0 => special::log_i0(a),
        Op::BesselRatio => special::bessel_ratio(&a),
        _ => unreachable!("{} is not an elementary function", op.name()),
    }
}

/// A whole power by repeated squaring.
fn powi(x: f64, n: f64) -> f64 {
    match n {
        n if n.abs() <= 1024.0 => {
            let mut base = if n < 0.0 { 1.0 / x } else { x };
            let mut left = n.abs() as u32;
            let mut product = 1.0;
            while left > 0 {
                if left & 1 == 1 {
                    product *= base;
                }
                base *= base;
                left >>= 1;
            }
            product
        }
        n => libm::pow(x, n),
    }
}

fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + libm::exp(-x))
    } else {
        let e = libm::exp(x);
        e / (1.0 + e)
    }
}

fn logaddexp(a: f64, b: f64) -> f64 {
    if a == b {
        return a + std::f64::consts::LN_2;
    }
    let (hi, lo) = if a > b { (a, b) } else { (b, a) };
    // NaN of either is kept by the sum
    hi + libm::log1p(libm::exp(lo - hi))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(op: Op, x: &[f64]) -> f64 {
        scalar(Functions::Libm, op, x)
    }

    #[test]
    fn values_by_hand() {
        let pi = std::f64::consts::PI;
        let cases: &[(Op, &[f64], f64)] = &[
            (Op::Pow, &[2.0, 0.5], 2f64.sqrt()),
            (Op::Powi, &[-3.0, 3.0], -27.0),
            (Op::Powi, &[2.0, -2.0], 0.25),
            (Op::Powi, &[0.0, 0.0], 1.0),
            (Op::Sign, &[-2.5], -1.0),
            (Op::Sign, &[0.0], 0.0),
            (Op::Mod, &[-1.0, 5.0], 4.0),
            (Op::Mod, &[7.5, -2.0], -0.5),
            (Op::IntDiv, &[-7.0, 2.0], -4.0),
            (Op::Min, &[2.0, 3.0], 2.0),
            (Op::Max, &[2.0, 3.0], 3.0),
            (Op::Cbrt, &[-27.0], -3.0),
            (Op::Tan, &[pi / 4.0], 1.0),
            (Op::Atan2, &[1.0, -1.0], 0.75 * pi),
            (Op::Erf, &[0.5], 0.5204998778130465),
            (Op::Erfc, &[3.0], 2.209049699858544e-5),
            (Op::Erfinv, &[0.5], 0.4769362762044699),
            (Op::Sigmoid, &[-800.0], 0.0),
            (Op::Softplus, &[0.0], std::f64::consts::LN_2),
            (Op::Softplus, &[800.0], 800.0),
            (Op::Logit, &[0.25], -(3f64.ln())),
            (Op::Logaddexp, &[1000.0, 1000.0], 1000.0 + std::f64::consts::LN_2),
            (Op::Logaddexp, &[f64::NEG_INFINITY, 2.0], 2.0),
            (Op::Logaddexp, &[f64::NEG_INFINITY, f64::NEG_INFINITY], f64::NEG_INFINITY),
            (Op::Lgamma, &[0.5], 0.5 * pi.ln()),
            (Op::Digamma, &[1.0], -0.5772156649015329),
            (Op::Polygamma, &[1.0, 1.0], pi * pi / 6.0),
            (Op::GammaP, &[1.0, 2.0], 1.0 - (-2f64).exp()),
            (Op::LogI0, &[1.0], 1.2660658777520084f64.ln()),
            (Op::BesselRatio, &[1.0], 0.4463899658965345),
            (Op::Select, &[0.0, f64::NAN, 3.0], 3.0),
            (Op::Not, &[0.0], 1.0),
            (Op::Le, &[1.0, 1.0], 1.0),
        ];
        for (op, x, wanted) in cases {
            let got = value(*op, x);
            let close = got == *wanted || (got - wanted).abs() <= 4e-15 * wanted.abs();
            assert!(close, "{}{x:?} = {got}, not {wanted}", op.name());
        }
    }

    /// Both sources agree to the accuracies that they state.
    #[test]
    fn kernels_and_libm_agree() {
        use Op::*;
        let one = [
            Exp, Expm1, Log, Log1p, Cbrt, Sin, Cos, Tan, Asin, Acos, Atan, Sinh, Cosh, Tanh, Erf, Erfc, Sigmoid,
            Softplus, Logit,
        ];
        for op in one {
            for x in [0.3, 0.7, 0.99, -0.4, 1e-6] {
                let (a, b) = (value(op, &[x]), scalar(Functions::Kernels, op, &[x]));
                assert!((a - b).abs() <= 1e-15 * a.abs() || a.is_nan() && b.is_nan(), "{}({x}): {a}, {b}", op.name());
            }
        }
        for op in [Pow, Atan2, Logaddexp] {
            let (a, b) = (value(op, &[1.3, -2.7]), scalar(Functions::Kernels, op, &[1.3, -2.7]));
            assert!((a - b).abs() <= 1e-15 * a.abs(), "{}: {a}, {b}", op.name());
        }
        // where there is no kernel
        assert_eq!(scalar(Functions::Kernels, Lgamma, &[4.5]), value(Lgamma, &[4.5]));
    }

    #[test]
    fn nan_is_kept() {
        for op in [Op::Min, Op::Max, Op::Logaddexp, Op::Pow, Op::Atan2, Op::Mod] {
            assert!(value(op, &[f64::NAN, 2.0]).is_nan(), "{}", op.name());
            assert!(value(op, &[2.0, f64::NAN]).is_nan(), "{}", op.name());
        }
        for op in [Op::Sign, Op::Softplus, Op::Sigmoid, Op::Exp, Op::Erfinv, Op::Digamma, Op::LogI0, Op::BesselRatio] {
            assert!(value(op, &[f64::NAN]).is_nan(), "{}", op.name());
        }
    }
}
