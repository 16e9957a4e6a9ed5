//! What both back ends do lane by lane by the same function: dense algebra on scratch rows.

use crate::math::Dense;
use crate::math::eval::dense_value;
use crate::step::program::DenseCall;

/// Number of elements of each argument.
fn lengths(call: &DenseCall) -> Vec<usize> {
    let (n, m) = (call.n, call.m);
    match call.op {
        Dense::Sort => vec![n],
        Dense::Solve => vec![n * n, n * m],
        Dense::Cholesky | Dense::Inverse | Dense::Det | Dense::LogDet | Dense::Expm => vec![n * n],
    }
}

/// Dense algebra on scratch rows of `lanes` lanes each.
pub fn dense(call: &DenseCall, scratch: &mut [f64], lanes: usize) {
    let lengths = lengths(call);
    for lane in 0..lanes {
        let args: Vec<Vec<f64>> = call
            .args
            .iter()
            .zip(&lengths)
            .map(|(first, len)| (*first..first + len).map(|row| plain(scratch[row * lanes + lane])).collect())
            .collect();
        for (k, x) in dense_value(call.op, call.n, &args).into_iter().enumerate() {
            scratch[(call.out + k) * lanes + lane] = x;
        }
    }
}

/// A number with no sign on NaN: back ends differ in that, and a sort looks at it.
fn plain(x: f64) -> f64 {
    if x.is_nan() { f64::NAN } else { x }
}
