//! Special functions that `libm` lacks. Those that take a [`Number`] are differentiated by running them on duals.

use super::number::Number;
use super::scalar::Functions;
use crate::math::Op;
use std::f64::consts::PI;

/// The inverse of erf: a rational start (`puruspe`), then two Halley steps.
pub fn erfinv(y: f64) -> f64 {
    if y.is_nan() || y.abs() >= 1.0 {
        return if y.abs() == 1.0 { f64::INFINITY.copysign(y) } else { f64::NAN };
    }
    if y == 0.0 {
        return y;
    }
    let mut x = puruspe::inverf(y.abs());
    for _ in 0..2 {
        // Near 1 the complement carries the digits.
        let residual = if y.abs() < 0.5 { libm::erf(x) - y.abs() } else { (1.0 - y.abs()) - libm::erfc(x) };
        let newton = residual * (x * x).exp() * PI.sqrt() / 2.0;
        x -= newton / (1.0 + x * newton);
    }
    x.copysign(y)
}

/// The derivative of lgamma: recurrence up to 12, then the asymptotic series (Abramowitz and Stegun 6.3.18); reflection
/// below 0.
pub fn digamma(x: f64) -> f64 {
    if x <= 0.0 {
        return if x == x.floor() { f64::NAN } else { digamma(1.0 - x) - PI / libm::tan(PI * x) };
    }
    let mut shift = 0.0;
    let mut z = x;
    while z < 12.0 {
        shift -= 1.0 / z;
        z += 1.0;
    }
    // B_2k/(2k)
    const C: [f64; 8] = [
        1.0 / 12.0,
        -1.0 / 120.0,
        1.0 / 252.0,
        -1.0 / 240.0,
        1.0 / 132.0,
        -691.0 / 32760.0,
        1.0 / 12.0,
        -3617.0 / 8160.0,
    ];
    let w = 1.0 / (z * z);
    let tail = C.iter().rev().fold(0.0, |sum, c| (sum + c) * w);
    shift + libm::log(z) - 0.5 / z - tail
}

/// The n-th derivative of digamma (Abramowitz and Stegun 6.4.11), for whole `n >= 0` and `x > -10_000`.
pub fn polygamma(n: f64, x: f64) -> f64 {
    if n == 0.0 {
        return digamma(x);
    }
    if x.is_nan() || n.is_nan() || n < 0.0 || n != n.floor() || x < -1e4 || (x <= 0.0 && x == x.floor()) {
        return f64::NAN;
    }
    let factorial = libm::tgamma(n + 1.0);
    let mut z = x;
    let mut sum = 0.0;
    while z < 20.0 + n {
        sum += factorial * z.powf(-(n + 1.0));
        z += 1.0;
    }
    // B_2k
    const B: [f64; 10] = [
        1.0 / 6.0,
        -1.0 / 30.0,
        1.0 / 42.0,
        -1.0 / 30.0,
        5.0 / 66.0,
        -691.0 / 2730.0,
        7.0 / 6.0,
        -3617.0 / 510.0,
        43867.0 / 798.0,
        -174611.0 / 330.0,
    ];
    let power = z.powf(-n);
    sum += libm::tgamma(n) * power + factorial / 2.0 * power / z;
    // (2k + n - 1)!/(2k)! z^-(2k + n)
    let mut term = factorial * (n + 1.0) / 2.0 * power / (z * z);
    for (k, b) in B.iter().enumerate() {
        sum += b * term;
        let j = 2.0 * (k as f64 + 1.0);
        term *= (j + n) * (j + n + 1.0) / ((j + 1.0) * (j + 2.0)) / (z * z);
    }
    if n % 2.0 == 0.0 { -sum } else { sum }
}

/// The regularised lower incomplete gamma function: a series below `a + 1`, Lentz' continued fraction above
/// (Abramowitz and Stegun 6.5.29 and 6.5.31).
pub fn gamma_p<N: Number>(functions: Functions, a: &N, x: &N) -> N {
    let (a0, x0) = (a.value(), x.value());
    if a0.is_nan() || x0.is_nan() || a0 <= 0.0 || x0 < 0.0 {
        return N::real(f64::NAN);
    }
    if x0 == 0.0 || x0 == f64::INFINITY {
        return N::real(if x0 == 0.0 { 0.0 } else { 1.0 });
    }
    let one = N::real(1.0);
    let log = |v: &N| N::apply(functions, Op::Log, std::slice::from_ref(v));
    let lgamma = N::apply(functions, Op::Lgamma, std::slice::from_ref(a));
    let power = a.mul(&log(x)).sub(x).sub(&lgamma);
    let front = N::apply(functions, Op::Exp, &[power]);
    if x0 < a0 + 1.0 {
        let mut term = one.div(a);
        let mut sum = term.clone();
        for n in 1..20_000 {
            term = term.mul(x).div(&a.add(&N::real(f64::from(n))));
            sum = sum.add(&term);
            if term.magnitude() < 1e-17 * sum.magnitude() {
                break;
            }
        }
        return front.mul(&sum);
    }
    let mut b = x.add(&one).sub(a);
    let mut c = N::real(1e300);
    let mut d = one.div(&b);
    let mut h = d.clone();
    for n in 1..20_000 {
        let n = N::real(f64::from(n));
        let an = n.mul(&a.sub(&n));
        b = b.add(&N::real(2.0));
        d = one.div(&an.mul(&d).add(&b));
        c = b.add(&an.div(&c));
        let factor = d.mul(&c);
        h = h.mul(&factor);
        if factor.sub(&one).magnitude() < 2e-16 {
            break;
        }
    }
    one.sub(&front.mul(&h))
}

/// Where the asymptotic series of I0 and I1 reach double precision.
const FAR: f64 = 25.0;

/// The sum of the asymptotic series of `I_nu(x) sqrt(2 pi x) exp(-x)` (Abramowitz and Stegun 9.7.1).
fn bessel_tail<N: Number>(nu: f64, x: &N) -> N {
    let mut term = N::real(1.0);
    let mut sum = N::real(1.0);
    for k in 1..30 {
        let k = f64::from(k);
        let odd = 2.0 * k - 1.0;
        term = term.mul(&N::real(-(4.0 * nu * nu - odd * odd) / (8.0 * k))).div(x);
        sum = sum.add(&term);
    }
    sum
}

/// The logarithm of the modified Bessel function I0: its power series, which has no cancellation, or the asymptotic one.
pub fn log_i0(x: f64) -> f64 {
    let x = x.abs();
    if x > FAR {
        return x - 0.5 * (2.0 * PI * x).ln() + bessel_tail(0.0, &x).ln();
    }
    let q = x * x / 4.0;
    let mut term = 1.0;
    let mut sum = 0.0;
    for k in 1..200 {
        term *= q / f64::from(k * k);
        sum += term;
        if term < 1e-18 * sum {
            break;
        }
    }
    libm::log1p(sum)
}

/// I1(x)/I0(x): Gauss' continued fraction x/(2 + x^2/(4 + x^2/(6 + ...))), from the far end; the asymptotic series
/// beyond 25.
pub fn bessel_ratio<N: Number>(x: &N) -> N {
    if x.value().abs() > FAR {
        let size = if x.value() < 0.0 { x.neg() } else { x.clone() };
        let ratio = bessel_tail(1.0, &size).div(&bessel_tail(0.0, &size));
        return if x.value() < 0.0 { ratio.neg() } else { ratio };
    }
    let square = x.mul(x);
    let mut tail = N::real(0.0);
    for k in (1..=60).rev() {
        tail = N::real(2.0 * f64::from(k)).add(&square.mul(&tail));
        tail = N::real(1.0).div(&tail);
    }
    x.mul(&tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64, tolerance: f64) {
        assert!((a - b).abs() <= tolerance * b.abs().max(1e-300), "{a} and {b}");
    }

    #[test]
    fn erfinv_inverts() {
        for y in [1e-10, 0.1, 0.499, 0.501, 0.9, 0.999_999, 1.0 - 1e-12] {
            close(libm::erf(erfinv(y)), y, 4e-16);
            close(erfinv(-y), -erfinv(y), 0.0);
        }
        // where erf itself is flat, by the complement
        close(libm::erfc(erfinv(1.0 - 2f64.powi(-40))), 2f64.powi(-40), 1e-13);
        assert_eq!(erfinv(1.0), f64::INFINITY);
        assert!(erfinv(1.5).is_nan());
    }

    #[test]
    fn digamma_agrees_with_a_second_source() {
        for x in [1e-3, 0.3, 1.0, 2.5, 11.9, 12.1, 1e6, -0.5, -3.7] {
            close(digamma(x), statrs::function::gamma::digamma(x), 2e-13);
        }
        assert!(digamma(-2.0).is_nan());
    }

    #[test]
    fn polygamma_closed_forms() {
        let pi2 = PI * PI;
        close(polygamma(1.0, 1.0), pi2 / 6.0, 1e-15);
        close(polygamma(1.0, 0.5), pi2 / 2.0, 1e-15);
        close(polygamma(2.0, 1.0), -2.0 * 1.2020569031595942, 1e-15);
        close(polygamma(3.0, 1.0), pi2 * pi2 / 15.0, 1e-15);
        // reflection: psi_1(1 - x) + psi_1(x) = pi^2/sin(pi x)^2
        let x = 2.3;
        close(polygamma(1.0, 1.0 - x) + polygamma(1.0, x), pi2 / (PI * x).sin().powi(2), 1e-14);
        // recurrence across the switch to the asymptotic series, even n below 0
        close(polygamma(2.0, -0.5) - polygamma(2.0, 0.5), -2.0 / (-0.5f64).powi(3), 1e-14);
    }

    #[test]
    fn gamma_p_agrees_with_a_second_source() {
        for a in [0.1, 0.5, 1.0, 3.7, 20.0, 150.0] {
            for x in [1e-3, 0.4, 1.0, 4.0, 19.0, 160.0] {
                let got = gamma_p(Functions::Libm, &a, &x);
                let wanted = statrs::function::gamma::gamma_lr(a, x);
                assert!((got - wanted).abs() <= 1e-12 * wanted.max(1e-30), "P({a}, {x}): {got} and {wanted}");
            }
        }
        assert_eq!(gamma_p(Functions::Libm, &2.0, &0.0), 0.0);
        assert!(gamma_p(Functions::Libm, &-1.0, &1.0).is_nan());
    }

    #[test]
    fn bessel_functions_agree_on_both_sides_of_the_switch() {
        // Values of I0 and I1 from the tables of Abramowitz and Stegun (9.8, 9.11), with more digits.
        close(log_i0(5.0), 27.239871823604442f64.ln(), 1e-14);
        close(bessel_ratio(&5.0), 24.335642142450528 / 27.239871823604442, 1e-14);
        for x in [FAR - 1e-9, 7.0, 0.3] {
            close(log_i0(x), puruspe::In(0, x).ln(), 1e-12);
        }
        close(log_i0(FAR - 1e-12), log_i0(FAR + 1e-12), 1e-13);
        close(bessel_ratio(&(FAR - 1e-12)), bessel_ratio(&(FAR + 1e-12)), 1e-14);
        close(bessel_ratio(&-3.0), -bessel_ratio(&3.0), 0.0);
    }
}
