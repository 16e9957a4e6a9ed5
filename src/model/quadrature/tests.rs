use super::*;
use std::f64::consts::PI;

static GO: AtomicBool = AtomicBool::new(false);

/// A density and a list of functions, as closures.
struct Closures<L, F> {
    log: L,
    functions: F,
    count: usize,
}

impl<const D: usize, L: FnMut([f64; D]) -> f64, F: FnMut([f64; D]) -> Vec<f64>> Density<D> for Closures<L, F> {
    fn components(&self) -> usize {
        self.count
    }

    fn log(&mut self, points: &[[f64; D]]) -> Vec<f64> {
        points.iter().map(|x| (self.log)(*x)).collect()
    }

    fn all(&mut self, points: &[[f64; D]]) -> Vec<Vec<f64>> {
        let values: Vec<Vec<f64>> = points.iter().map(|x| (self.functions)(*x)).collect();
        let of = |k: usize| values.iter().map(|v| v[k]).collect();
        std::iter::once(self.log(points)).chain((0..values[0].len()).map(of)).collect()
    }
}

fn expect1(mut logp: impl FnMut(f64) -> f64, mut f: impl FnMut(f64) -> Vec<f64>) -> Quadrature {
    let count = f(0.0).len();
    on_the_line(&mut Closures { count, log: |[x]: [f64; 1]| logp(x), functions: |[x]: [f64; 1]| f(x) }, &GO)
}

fn expect2(mut logp: impl FnMut(f64, f64) -> f64, mut f: impl FnMut(f64, f64) -> Vec<f64>) -> Quadrature {
    let count = f(0.0, 0.0).len();
    in_the_plane(
        &mut Closures { count, log: |[x, y]: [f64; 2]| logp(x, y), functions: |[x, y]: [f64; 2]| f(x, y) },
        &GO,
    )
}

/// The value is right to `tolerance`, and its error estimate covers the true error without being absurd.
fn check(q: &Quadrature, wanted: &[f64], tolerance: f64) {
    assert_eq!(q.value.len(), wanted.len());
    for ((v, e), w) in q.value.iter().zip(&q.error).zip(wanted) {
        let scale = 1.0 + w.abs();
        assert!((v - w).abs() <= tolerance * scale, "{v} for {w}, error {e}");
        assert!((v - w).abs() <= e + 1e-13 * scale, "{v} for {w}: the error {e} is too small");
        assert!(*e <= 100.0 * tolerance * scale, "{v} for {w}: the error {e} is too large");
    }
}

#[test]
fn normal_laws_of_any_place_and_width() {
    for (m, s) in [(0.0, 1.0), (3.0, 0.01), (-1e6, 1.0), (1e-4, 1e-7), (20.0, 300.0)] {
        let q = expect1(
            |x| -0.5 * ((x - m) / s).powi(2),
            |x| vec![(x - m) / s, ((x - m) / s).powi(2), ((x - m) / s).powi(4)],
        );
        check(&q, &[0.0, 1.0, 3.0], 1e-10);
        assert!((q.log_mass - (s * (2.0 * PI).sqrt()).ln()).abs() < 1e-10);
    }
}

/// E x^2 of exp(-h (x^2 - 1)^2) against a fine trapezoidal sum, which converges exponentially here.
#[test]
fn double_wells() {
    for h in [0.5, 1.0, 4.0, 10.0, 100.0] {
        let p = |x: f64| (-h * (x * x - 1.0) * (x * x - 1.0)).exp();
        let sum = |f: &dyn Fn(f64) -> f64| (-6000..=6000).map(|k| f(f64::from(k) * 1e-3)).sum::<f64>();
        let wanted = sum(&|x| x * x * p(x)) / sum(&p);
        let q = expect1(|x| -h * (x * x - 1.0).powi(2), |x| vec![x * x, x, f64::from(u8::from(x > 0.0))]);
        check(&q, &[wanted, 0.0, 0.5], 1e-10);
    }
}

#[test]
fn far_modes_of_unequal_weight() {
    let one = |x: f64, m: f64, s: f64, w: f64| w.ln() - s.ln() - 0.5 * ((x - m) / s).powi(2);
    let logp = |x: f64| {
        let (a, b) = (one(x, -400.0, 0.5, 0.2), one(x, 70.0, 2.0, 0.8));
        a.max(b) + (-(a - b).abs()).exp().ln_1p()
    };
    check(&expect1(logp, |x| vec![x, f64::from(u8::from(x > 0.0))]), &[-400.0 * 0.2 + 70.0 * 0.8, 0.8], 1e-9);
}

#[test]
fn heavy_tails() {
    let nu = 5.0;
    let q = expect1(|x| -(nu + 1.0) / 2.0 * (x * x / nu).ln_1p(), |x| vec![x, x * x, x.powi(4)]);
    // variance nu/(nu - 2), fourth moment 3 nu^2/((nu - 2)(nu - 4))
    check(&q, &[0.0, 5.0 / 3.0, 25.0], 1e-9);
    // the second moment of nu = 2 does not exist, and that shows
    let q = expect1(|x| -1.5 * (x * x / 2.0).ln_1p(), |x| vec![x * x]);
    assert!(q.error[0] > 0.01 * q.value[0]);
}

#[test]
fn edges_and_poles() {
    // uniform on (0, 3)
    let q = expect1(|x| if x > 0.0 && x < 3.0 { 0.0 } else { f64::NEG_INFINITY }, |x| vec![x, x * x]);
    check(&q, &[1.5, 3.0], 1e-10);
    // exponential
    let q = expect1(|x| if x > 0.0 { -2.0 * x } else { f64::NEG_INFINITY }, |x| vec![x]);
    check(&q, &[0.5], 1e-10);
    // gamma with shape 1/2: a pole at 0; log of a negative number is NaN
    let q = expect1(|x: f64| -0.5 * x.ln() - x, |x| vec![x, x * x]);
    check(&q, &[0.5, 0.75], 1e-6);
}

#[test]
fn nothing_to_integrate() {
    let q = expect1(|_| f64::NEG_INFINITY, |x| vec![x]);
    assert!(q.value[0].is_nan() && q.error[0] == f64::INFINITY);
    // a constant has no normalisation
    let q = expect1(|_| 0.0, |x| vec![x.abs()]);
    assert!(q.error[0].is_nan() || q.error[0] > 0.01 * q.value[0]);
}

#[test]
fn a_correlated_normal_law_in_the_plane() {
    for rho in [0.0f64, 0.9, 0.99] {
        let c = 1.0 - rho * rho;
        let q = expect2(
            |x, y| -(x * x - 2.0 * rho * x * y + y * y) / (2.0 * c),
            |x, y| vec![x, x * x, x * y, x * x * y * y],
        );
        check(&q, &[0.0, 1.0, rho, 1.0 + 2.0 * rho * rho], 1e-7);
        assert!((q.log_mass - (2.0 * PI * c.sqrt()).ln()).abs() < 1e-7);
    }
}

/// Eight modes on a circle, unequal weights.
#[test]
fn a_ring_of_modes() {
    let w = [0.05, 0.1, 0.1, 0.25, 0.05, 0.15, 0.2, 0.1];
    let (r, s) = (5.0, 0.7f64);
    let m: Vec<(f64, f64)> =
        (0..8).map(|k| (r * (PI * f64::from(k) / 4.0).cos(), r * (PI * f64::from(k) / 4.0).sin())).collect();
    let logp = |x: f64, y: f64| {
        let e = |k: usize| w[k] * (-((x - m[k].0).powi(2) + (y - m[k].1).powi(2)) / (2.0 * s * s)).exp();
        (0..8).map(e).sum::<f64>().ln()
    };
    let q = expect2(logp, |x, y| vec![x, y, x * x + y * y]);
    let mean = |f: &dyn Fn(&(f64, f64)) -> f64| (0..8).map(|k| w[k] * f(&m[k])).sum::<f64>();
    check(&q, &[mean(&|m| m.0), mean(&|m| m.1), r * r + 2.0 * s * s], 1e-7);
}

/// x0 ~ normal(0, 3), x1 ~ normal(b (x0^2 - 9), 1).
#[test]
fn a_banana() {
    let b = 0.1;
    let logp = |x: f64, y: f64| -x * x / 18.0 - (y - b * (x * x - 9.0)).powi(2) / 2.0;
    let q = expect2(logp, |x, y| vec![x, y, x * x, y * y]);
    // var x1 = 1 + b^2 var(x0^2), var(x0^2) = 2*81
    check(&q, &[0.0, 0.0, 9.0, 1.0 + b * b * 162.0], 1e-7);
}

#[test]
fn heavy_tails_in_the_plane() {
    // the product of two student_t laws with 5 degrees of freedom, moved and scaled
    let t = |z: f64| -3.0 * (z * z / 5.0).ln_1p();
    let q = expect2(|x, y| t((x - 2.0) / 0.1) + t((y + 30.0) / 4.0), |x, y| vec![x, (y + 30.0).powi(2)]);
    check(&q, &[2.0, 16.0 * 5.0 / 3.0], 1e-6);
}

/// A circle of radius r and width s, without modes: E |x|^2 by the radial integral, which for r >> s is r^2 + 3 s^2.
#[test]
fn a_ridge_without_modes() {
    let (r, s) = (5.0, 0.1f64);
    let q = expect2(|x, y| -(x.hypot(y) - r).powi(2) / (2.0 * s * s), |x, y| vec![x, y, x * x + y * y]);
    check(&q, &[0.0, 0.0, r * r + 3.0 * s * s], 1e-6);
}

/// x0 ~ normal(0, 3), x1 ~ normal(0, exp(x0/2)): widths from 0.01 to 100.
#[test]
fn a_funnel() {
    let logp = |x: f64, y: f64| -x * x / 18.0 - x / 2.0 - y * y * (-x).exp() / 2.0;
    let q = expect2(logp, |x, y| vec![x, x * x, y * y * (-x).exp(), y * y]);
    check(&q, &[0.0, 9.0, 1.0, 4.5f64.exp()], 1e-6);
}

/// A jump along a curve cannot be met by boxes: the answer is worse, and its error says so.
#[test]
fn a_disk() {
    let inside = |x: f64, y: f64| if x * x + y * y < 4.0 { 0.0 } else { f64::NEG_INFINITY };
    check(&expect2(inside, |x, _| vec![x, x * x]), &[0.0, 1.0], 1e-2);
}

/// Jumps and poles at edges, at 0 and elsewhere: closed forms of gamma, exponential and beta laws.
#[test]
fn edges_wherever_they_are() {
    for edge in [0.0, 3.0, -7.5] {
        let q = expect1(
            |x| if x >= edge { -(x - edge) } else { f64::NEG_INFINITY },
            |x| vec![x - edge, (x - edge).powi(2), (x - edge).powi(4)],
        );
        check(&q, &[1.0, 2.0, 24.0], 1e-10);
    }
    let q = expect1(|x: f64| -0.9 * x.ln() - x, |x| vec![x, x * x]);
    check(&q, &[0.1, 0.11], 1e-10);
    for (a, b) in [(0.5f64, 0.5), (0.9, 0.9), (0.5, 3.0), (2.0, 5.0)] {
        let q = expect1(|x: f64| (a - 1.0) * x.ln() + (b - 1.0) * (1.0 - x).ln(), |x| vec![x, x * x]);
        let mean = a / (a + b);
        check(&q, &[mean, mean * (a + 1.0) / (a + b + 1.0)], 1e-6);
    }
}

/// An exponential law with a normal law about it.
#[test]
fn an_edge_in_the_plane() {
    let q = expect2(
        |x, y| if x >= 0.0 { -x - 0.5 * (y - x) * (y - x) } else { f64::NEG_INFINITY },
        |x, y| vec![x, y, y * y],
    );
    check(&q, &[1.0, 1.0, 3.0], 1e-6);
}

/// What has no finite expectation lies behind the ends of the space.
#[test]
fn expectations_that_do_not_exist() {
    let q = expect1(|x: f64| -(x * x).ln_1p(), |x| vec![x, x * x]);
    assert!((0..2).all(|k| q.behind[k] > 1e-3 * q.absolute[k]), "{q:?}");
    let q = expect1(|x: f64| -(x * x).ln_1p(), |x| vec![f64::from(u8::from(x > 0.0))]);
    check(&q, &[0.5], 1e-8);
}

#[test]
fn laws_of_integers() {
    let whole = |x: f64| x == x.floor() && x >= 0.0;
    for rate in [0.3, 7.0, 1000.5, 2.5e5] {
        let poisson = |x: f64| {
            if whole(x) { x * f64::ln(rate) - rate - libm::lgamma(x + 1.0) } else { f64::NEG_INFINITY }
        };
        let q = expect1(poisson, |x| vec![x, x * x]);
        check(&q, &[rate, rate * rate + rate], 1e-8);
    }
    let bernoulli = |x: f64| {
        if x == 1.0 {
            f64::ln(0.3)
        } else if x == 0.0 {
            f64::ln(0.7)
        } else {
            f64::NEG_INFINITY
        }
    };
    check(&expect1(bernoulli, |x| vec![x]), &[0.3], 1e-12);
}

/// A pole so steep that a part of the mass lies nearer to it than numbers reach: the error covers it.
#[test]
fn a_pole_beyond_the_numbers() {
    let q = expect1(|x: f64| -0.99 * x.ln() - x, |x| vec![x]);
    assert!((q.value[0] - 0.01).abs() <= q.error[0] && q.error[0] < 1e-3, "{q:?}");
}
