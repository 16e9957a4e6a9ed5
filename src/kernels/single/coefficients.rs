//! Minimax polynomials in single precision, constant term first. Written by `coefficients.py` beside this file; the
//! stated error is that of the polynomial before its coefficients are rounded.

// a coefficient may happen to be a constant of the library
#![allow(clippy::approx_constant)]

/// (e^r - 1 - r)/r^2 on |r| <= ln(2)/2; error relative to r. Error 2^-23.92.
pub const EXP: [f32; 5] = [0.5, 0.16666576, 0.041666374, 0.008363298, 0.001394132];
/// (log(1 + f) - f + f^2/2)/f^3 on sqrt(1/2) <= 1 + f <= sqrt(2). Error 2^-22.76.
pub const LOG: [f32; 8] =
    [0.33333325, -0.25000283, 0.20001897, -0.16643387, 0.14189616, -0.12944187, 0.12804471, -0.08309757];
/// (sin(r)/r - 1)/z, z = r^2, on |r| <= pi/4. Error 2^-25.56.
pub const SIN: [f32; 3] = [-0.16666664, 0.008332744, -0.00019587002];
/// (cos(r) - 1 + z/2)/z^2 on the same z. Error 2^-28.88.
pub const COS: [f32; 3] = [0.041666664, -0.0013888299, 2.4547031e-05];
/// erf(x)/x - 1, in x^2, on |x| <= 0.9. Error 2^-31.67.
pub const ERF: [f32; 7] =
    [0.12837917, -0.37612635, 0.112837195, -0.026860753, 0.0052044364, -0.00081819296, 8.53884e-05];
/// log(erfc(x)) in x - 1, on 0.9 <= x <= 4; error times erfc(x). Error 2^-33.87.
pub const LOG_ERFC: [f32; 8] =
    [-1.8496056, -2.6389675, -0.84310734, -0.04156144, 0.010040829, -0.0020048055, 0.00028533096, -2.077677e-05];
/// -2 log(1 + f)/f on sqrt(1/2) <= 1 + f <= sqrt(2). Error 2^-24.16.
pub const MINUS_2_LOG: [f32; 9] =
    [-2.0, 0.9999995, -0.6666833, 0.50005955, -0.3991646, 0.3308574, -0.2983712, 0.28978062, -0.17929752];
/// sin(pi t)/t in t^2, on |t| <= 1/2. Error 2^-26.15.
pub const SIN_PI: [f32; 5] = [3.1415927, -5.1677103, 2.5500777, -0.5982922, 0.077659406];
/// cos(pi t) in t^2, on |t| <= 1/2. Error 2^-24.36.
pub const COS_PI: [f32; 5] = [0.99999994, -4.934793, 4.058412, -1.3318802, 0.2196968];
