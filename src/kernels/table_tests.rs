//! Tests of all kernels: against reference values, at special values, and between instruction sets.

use super::table::{Accuracy, Kernel, KernelFn, Level};

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

/// One number after another, of every exponent: a Weyl sequence through a mixing function.
struct Numbers(u64);

impl Numbers {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In [lo, hi).
    fn between(&mut self, lo: f64, hi: f64) -> f64 {
        lo + (hi - lo) * (self.bits() >> 11) as f64 * 2f64.powi(-53)
    }

    /// Special values, any bits, and numbers of moderate size, in turn.
    fn any(&mut self) -> f64 {
        const SPECIAL: [f64; 14] =
            [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, INF, -INF, NAN, f64::MIN_POSITIVE, 5e-324, -5e-324, f64::MAX, f64::MIN];
        match self.bits() % 8 {
            0 => SPECIAL[(self.bits() % 14) as usize],
            1 | 2 => f64::from_bits(self.bits()),
            3 => self.between(-1.0, 1.0),
            4 => self.between(-800.0, 800.0),
            _ => self.between(-9.0, 9.0),
        }
    }
}

fn apply(f: KernelFn, x: &[f64], y: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; x.len()];
    // SAFETY: all arrays have the length of x
    unsafe {
        match f {
            KernelFn::One(f) => f(x.len(), x.as_ptr(), out.as_mut_ptr()),
            KernelFn::Two(f) => f(x.len(), x.as_ptr(), y.as_ptr(), out.as_mut_ptr()),
        }
    }
    out
}

fn eval(k: Kernel, x: f64, y: f64) -> f64 {
    apply(k.array_fn(), &[x], &[y])[0]
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

/// Distance between neighbouring numbers at |x|.
fn ulp(x: f64) -> f64 {
    let x = x.abs().max(f64::MIN_POSITIVE);
    f64::from_bits(x.to_bits() & (0x7ff << 52)) * f64::EPSILON
}

#[test]
fn accuracy_at_reference_values() {
    let mut worst: Vec<(Kernel, f64, f64)> = Kernel::ALL.iter().map(|k| (*k, 0.0, 0.0)).collect();
    for line in include_str!("reference.csv").lines() {
        let fields: Vec<&str> = line.split(',').collect();
        let kernel = Kernel::by_name(fields[0]).expect("a kernel's name");
        let [x, y, value, rest] = [1, 2, 3, 4].map(|i| fields[i].parse::<f64>().expect("a number"));
        let error = ((eval(kernel, x, y) - value) - rest).abs();
        let relative = match kernel.accuracy() {
            Accuracy::Ulp(bound) => error / ulp(value) / bound,
            Accuracy::Mixed(bound) => error / value.abs().max(1.0) / bound,
        };
        let entry = &mut worst[kernel as usize];
        if relative > entry.1 || relative.is_nan() {
            *entry = (kernel, relative, x);
        }
    }
    for (kernel, relative, x) in worst {
        assert!(relative > 0.0, "{} has no reference values", kernel.name());
        assert!(relative <= 1.0, "{}({x}): {relative} of the stated error", kernel.name());
    }
}

/// More points, against functions written by others.
#[test]
fn agreement_with_libm() {
    type Case = (Kernel, fn(f64) -> f64, f64, f64);
    let cases: [Case; 14] = [
        (Kernel::Exp, libm::exp, -745.0, 709.7),
        (Kernel::Expm1, libm::expm1, -2.0, 2.0),
        (Kernel::Log, libm::log, 0.0, 4.0),
        (Kernel::Log1p, libm::log1p, -1.0, 3.0),
        (Kernel::Sin, libm::sin, -100.0, 100.0),
        (Kernel::Cos, libm::cos, -1e9, 1e9),
        (Kernel::Tan, libm::tan, -100.0, 100.0),
        (Kernel::Asin, libm::asin, -1.0, 1.0),
        (Kernel::Acos, libm::acos, -1.0, 1.0),
        (Kernel::Atan, libm::atan, -5.0, 5.0),
        (Kernel::Cbrt, libm::cbrt, -9.0, 9.0),
        (Kernel::Erf, libm::erf, -3.0, 3.0),
        (Kernel::Erfc, libm::erfc, -3.0, 27.0),
        (Kernel::Tanh, libm::tanh, -20.0, 20.0),
    ];
    let mut numbers = Numbers(1);
    for (kernel, f, lo, hi) in cases {
        let x: Vec<f64> = (0..4000).map(|_| numbers.between(lo, hi)).collect();
        for (x, v) in x.iter().zip(apply(kernel.array_fn(), &x, &x)) {
            let Accuracy::Ulp(bound) = kernel.accuracy() else { panic!("stated in ulp") };
            let reference = f(*x);
            let error = (v - reference).abs() / ulp(reference);
            // libm's own error is below one ulp, of tanh a little above
            assert!(error <= bound + 1.5, "{}({x}) = {v}, not {reference}", kernel.name());
        }
    }
}

#[test]
fn special_values_of_one_argument() {
    use Kernel::*;
    use std::f64::consts::{FRAC_PI_2, LN_2, PI};
    let table: &[(Kernel, &[(f64, f64)])] = &[
        (
            Exp,
            &[(0.0, 1.0), (INF, INF), (-INF, 0.0), (710.0, INF), (-746.0, 0.0), (-745.13, 5e-324), (1.0, 1f64.exp())],
        ),
        (Expm1, &[(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -1.0), (5e-324, 5e-324), (-50.0, -1.0), (710.0, INF)]),
        (Log, &[(1.0, 0.0), (0.0, -INF), (-0.0, -INF), (-1.0, NAN), (INF, INF), (-INF, NAN), (2.0, LN_2)]),
        (Log1p, &[(0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (-2.0, NAN), (INF, INF), (-5e-324, -5e-324)]),
        (Sin, &[(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (5e-324, 5e-324)]),
        (Cos, &[(0.0, 1.0), (-0.0, 1.0), (INF, NAN), (5e-324, 1.0)]),
        (Tan, &[(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-5e-324, -5e-324)]),
        (
            Asin,
            &[(0.0, 0.0), (-0.0, -0.0), (1.0, FRAC_PI_2), (-1.0, -FRAC_PI_2), (1.5, NAN), (INF, NAN), (5e-324, 5e-324)],
        ),
        (Acos, &[(1.0, 0.0), (-1.0, PI), (0.0, FRAC_PI_2), (-1.5, NAN), (-INF, NAN)]),
        (
            Atan,
            &[(0.0, 0.0), (-0.0, -0.0), (INF, FRAC_PI_2), (-INF, -FRAC_PI_2), (f64::MAX, FRAC_PI_2), (5e-324, 5e-324)],
        ),
        (Sinh, &[(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (-5e-324, -5e-324), (711.0, INF)]),
        (Cosh, &[(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, INF), (711.0, INF)]),
        (Tanh, &[(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (5e-324, 5e-324), (30.0, 1.0)]),
        (Sqrt, &[(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-1.0, NAN), (4.0, 2.0)]),
        (Cbrt, &[(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (27.0, 3.0), (-8.0, -2.0), (8e-300, 2e-100)]),
        (Erf, &[(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (7.0, 1.0)]),
        (Erfc, &[(0.0, 1.0), (INF, 0.0), (-INF, 2.0), (-7.0, 2.0), (28.0, 0.0)]),
        (NormCdf, &[(0.0, 0.5), (INF, 1.0), (-INF, 0.0), (9.0, 1.0), (-40.0, 0.0)]),
        (Sigmoid, &[(0.0, 0.5), (-0.0, 0.5), (INF, 1.0), (-INF, 0.0), (40.0, 1.0), (-745.0, 5e-324)]),
        (Softplus, &[(0.0, LN_2), (INF, INF), (-INF, 0.0), (800.0, 800.0), (-745.0, 5e-324)]),
        (Logit, &[(0.5, 0.0), (0.0, -INF), (1.0, INF), (-0.1, NAN), (1.1, NAN), (INF, NAN)]),
        (Erfinv, &[(0.0, 0.0), (-0.0, -0.0), (1.0, INF), (-1.0, -INF), (1.5, NAN), (INF, NAN)]),
        (Lgamma, &[(1.0, 0.0), (2.0, 0.0), (0.0, INF), (-1.0, INF), (INF, INF)]),
        (Digamma, &[(0.0, -INF), (-0.0, INF), (-1.0, NAN), (INF, INF), (-INF, NAN), (5e-324, -INF)]),
        (LogI0, &[(0.0, 0.0), (-0.0, 0.0), (INF, INF), (-INF, INF), (5e-324, 0.0)]),
        (BesselRatio, &[(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0)]),
    ];
    assert_eq!(table.len(), Kernel::ALL.iter().filter(|k| k.arity() == 1).count());
    for (kernel, rows) in table {
        for (x, expected) in *rows {
            let v = eval(*kernel, *x, 0.0);
            assert!(same(v, *expected), "{}({x}) = {v}, not {expected}", kernel.name());
        }
        assert!(eval(*kernel, NAN, 0.0).is_nan(), "{}", kernel.name());
    }
}

#[test]
fn special_values_of_two_arguments() {
    use Kernel::*;
    use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, LN_2, PI};
    let odd = 9007199254740991.0;
    let table: &[(Kernel, f64, f64, f64)] = &[
        (Pow, NAN, 0.0, 1.0),
        (Pow, 1.0, NAN, 1.0),
        (Pow, NAN, 1.0, NAN),
        (Pow, 2.0, NAN, NAN),
        (Pow, -1.0, INF, 1.0),
        (Pow, 0.5, INF, 0.0),
        (Pow, 0.5, -INF, INF),
        (Pow, 2.0, INF, INF),
        (Pow, -2.0, -INF, 0.0),
        (Pow, 0.0, -3.0, INF),
        (Pow, -0.0, -3.0, -INF),
        (Pow, -0.0, -2.0, INF),
        (Pow, -0.0, 3.0, -0.0),
        (Pow, 0.0, 0.5, 0.0),
        (Pow, -INF, 3.0, -INF),
        (Pow, -INF, -3.0, -0.0),
        (Pow, -INF, 2.5, INF),
        (Pow, -8.0, 1.0 / 3.0, NAN),
        (Pow, -2.0, 3.0, -8.0),
        (Pow, -1.0, odd, -1.0),
        (Pow, -1.0, 2.0 * odd, 1.0),
        (Pow, 2.0, -1074.0, 5e-324),
        (Pow, 2.0, 1024.0, INF),
        (Pow, 10.0, 15.0, 1e15),
        (Atan2, 0.0, 1.0, 0.0),
        (Atan2, -0.0, 1.0, -0.0),
        (Atan2, 0.0, -1.0, PI),
        (Atan2, -0.0, -0.0, -PI),
        (Atan2, 0.0, 0.0, 0.0),
        (Atan2, 1.0, 0.0, FRAC_PI_2),
        (Atan2, -1.0, -0.0, -FRAC_PI_2),
        (Atan2, INF, INF, FRAC_PI_4),
        (Atan2, -INF, -INF, -3.0 * FRAC_PI_4),
        (Atan2, 1.0, INF, 0.0),
        (Atan2, 1.0, -INF, PI),
        (Atan2, INF, -3.0, FRAC_PI_2),
        (Atan2, 5e-324, 5e-324, FRAC_PI_4),
        (Atan2, f64::MAX, f64::MAX, FRAC_PI_4),
        (Atan2, NAN, 1.0, NAN),
        (Atan2, INF, NAN, NAN),
        (Logaddexp, 0.0, 0.0, LN_2),
        (Logaddexp, -INF, -INF, -INF),
        (Logaddexp, -INF, 3.0, 3.0),
        (Logaddexp, INF, INF, INF),
        (Logaddexp, -INF, INF, INF),
        (Logaddexp, 1e300, -1e300, 1e300),
        (Logaddexp, NAN, INF, NAN),
        (Logaddexp, 0.0, NAN, NAN),
        (Polygamma, 1.0, 0.0, INF),
        (Polygamma, 2.0, -3.0, NAN),
        (Polygamma, 1.5, 2.0, NAN),
        (Polygamma, -1.0, 2.0, NAN),
        (Polygamma, 1.0, INF, 0.0),
        (GammaP, 2.0, 0.0, 0.0),
        (GammaP, 2.0, INF, 1.0),
        (GammaP, 0.0, 1.0, 1.0),
        (GammaP, -1.0, 1.0, NAN),
        (GammaP, 1.0, -1.0, NAN),
        (GammaP, NAN, 1.0, NAN),
    ];
    for (kernel, x, y, expected) in table {
        let v = eval(*kernel, *x, *y);
        assert!(same(v, *expected), "{}({x}, {y}) = {v}, not {expected}", kernel.name());
    }
}

/// Every instruction set gives the same bits, for any input, whatever the length, and in place.
#[test]
fn levels_agree_to_the_bit() {
    let mut numbers = Numbers(7);
    for kernel in Kernel::ALL {
        let x: Vec<f64> = (0..2500).map(|_| numbers.any()).collect();
        let y: Vec<f64> = (0..2500).map(|_| numbers.any()).collect();
        let portable = apply(kernel.array_fn_at(Level::Portable), &x, &y);
        let best = apply(kernel.array_fn(), &x, &y);
        for level in Level::available() {
            let other = apply(kernel.array_fn_at(*level), &x, &y);
            for i in 0..x.len() {
                let (a, b) = (portable[i], other[i]);
                assert!(same(a, b), "{}({}, {}): {a} and {b} ({level:?})", kernel.name(), x[i], y[i]);
            }
        }
        for n in 0..40 {
            let mut buffer = x[..n].to_vec();
            let p = buffer.as_mut_ptr();
            // SAFETY: the buffer and y have at least n elements
            unsafe {
                match kernel.array_fn() {
                    KernelFn::One(f) => f(n, p, p),
                    KernelFn::Two(f) => f(n, p, y.as_ptr(), p),
                }
            }
            assert!(buffer.iter().zip(&best).all(|(a, b)| same(*a, *b)), "{} of {n}", kernel.name());
        }
    }
}

/// A block of near arguments, which may go another way, has the values that each of them has beside a far one.
#[test]
fn near_and_far_ways_agree_to_the_bit() {
    let mut numbers = Numbers(8);
    for kernel in Kernel::ALL.iter().filter(|k| k.arity() == 1) {
        for (lo, hi) in [(-750.0, 750.0), (-45.0, 30.0), (-3.0, 3.0), (-1e-15, 1e-15), (0.0, 1e10)] {
            let x: Vec<f64> = (0..960).map(|_| numbers.between(lo, hi)).collect();
            let far: Vec<f64> = x.iter().flat_map(|x| [*x, INF, f64::MAX, -INF]).collect();
            for level in Level::available() {
                let f = kernel.array_fn_at(*level);
                let (near, far) = (apply(f, &x, &[]), apply(f, &far, &[]));
                for (i, x) in x.iter().enumerate() {
                    let (a, b) = (near[i], far[4 * i]);
                    assert!(same(a, b), "{}({x}): {a} and {b} ({level:?})", kernel.name());
                }
            }
        }
    }
}

#[test]
fn odd_functions_are_odd() {
    use Kernel::*;
    let mut numbers = Numbers(9);
    for kernel in [Sin, Tan, Asin, Atan, Sinh, Tanh, Cbrt, Erf, Erfinv, BesselRatio] {
        for _ in 0..300 {
            let x = numbers.any();
            assert!(same(kernel.scalar1(-x), -kernel.scalar1(x)), "{}({x})", kernel.name());
        }
    }
}

/// Values that many programs take for granted.
#[test]
fn exact_values() {
    assert_eq!(Kernel::Exp.scalar1(0.0), 1.0);
    for k in 0..=60 {
        assert_eq!(Kernel::Pow.scalar2(2.0, f64::from(k)), 2f64.powi(k));
        assert_eq!(Kernel::Pow.scalar2(3.0, f64::from(k.min(33))), 3f64.powi(k.min(33)));
    }
    for k in 1..=100 {
        let x = f64::from(k);
        assert_eq!(Kernel::Pow.scalar2(x, 2.0), x * x);
        assert_eq!(Kernel::Pow.scalar2(x, 1.0), x);
        assert_eq!(Kernel::Cbrt.scalar1(x * x * x), x);
    }
}

/// gamma_p and gamma_q add up to one, also in the expansion for large shapes.
#[test]
fn incomplete_gammas_are_complementary() {
    use super::special::{gamma_p, gamma_q};
    for a in [0.1, 1.0, 30.0, 9e3, 2e4, 1e8, 1e12] {
        for z in [-4.0, -0.5, 0.0, 0.5, 4.0] {
            let x = f64::max(a + z * f64::sqrt(a), 0.01);
            assert!((gamma_p(a, x) + gamma_q(a, x) - 1.0).abs() < 1e-14, "{a} {x}");
        }
    }
}

#[test]
fn names_and_arities() {
    for kernel in Kernel::ALL {
        assert_eq!(Kernel::by_name(kernel.name()), Some(*kernel));
        assert_eq!(matches!(kernel.array_fn(), KernelFn::Two(_)), kernel.arity() == 2);
    }
    assert_eq!(Kernel::by_name("sine"), None);
}
