//! The inverse of the error function.

use crate::kernels::arith::*;
use crate::kernels::coefficients::{ERFINV_CENTRE, ERFINV_TAIL};
use crate::kernels::elementary::{erf, erfc, exp, log};
use std::f64::consts::FRAC_2_SQRT_PI;

/// y with erf(y) = x; NaN outside [-1, 1], infinite at its ends. Error below 2 ulp.
///
/// A polynomial in w = -log(1 - x^2) (Giles, "Approximating the erfinv function", 2011) and one step of Halley's method,
/// on erf near 0 and on erfc near 1, where 1 - x is exact.
#[inline(always)]
pub fn erfinv(x: f64) -> f64 {
    let a = x.abs();
    let w = -log((1.0 - a) * (1.0 + a));
    let centre = poly(w - 2.5, &ERFINV_CENTRE);
    let tail = poly(w.sqrt() - 4.0, &ERFINV_TAIL);
    let y = a * select(w < 5.0, centre, tail);
    let excess = select(a < 0.5, erf(y) - a, (1.0 - a) - erfc(y));
    let d = excess * (exp(y * y) / FRAC_2_SQRT_PI);
    let r = y - d / fma(y, d, 1.0);
    let r = select(a == 1.0, f64::INFINITY, r);
    // a subnormal a loses nothing in a product
    select(a < 1e-290, a / FRAC_2_SQRT_PI, r).copysign(x)
}
