//! What both back ends do lane by lane by the same function: dense algebra on scratch rows, draws with parameters.

use crate::kernels::dist;
use crate::kernels::lane::Lane;
use crate::kernels::normal::{Coord, Key};
use crate::math::eval::dense_value;
use crate::math::{Dense, Sampler};
use crate::step::program::{DenseCall, SampleCall};

/// Number of elements of each argument.
fn lengths(call: &DenseCall) -> Vec<usize> {
    let (n, m) = (call.n, call.m);
    match call.op {
        Dense::Sort => vec![n],
        Dense::Solve => vec![n * n, n * m],
        Dense::Cholesky | Dense::Inverse | Dense::Det | Dense::LogDet | Dense::Expm => vec![n * n],
    }
}

/// Dense algebra on scratch rows of `lanes` lanes each, worked out in double precision.
pub fn dense<T: Lane>(call: &DenseCall, scratch: &mut [T], lanes: usize) {
    let lengths = lengths(call);
    for lane in 0..lanes {
        let args: Vec<Vec<f64>> = call
            .args
            .iter()
            .zip(&lengths)
            .map(|(first, len)| (*first..first + len).map(|row| plain(scratch[row * lanes + lane].wide())).collect())
            .collect();
        for (k, x) in dense_value(call.op, call.n, &args).into_iter().enumerate() {
            scratch[(call.out + k) * lanes + lane] = T::of(x);
        }
    }
}

/// A number with no sign on NaN: back ends differ in that, and a sort looks at it.
fn plain(x: f64) -> f64 {
    if x.is_nan() { f64::NAN } else { x }
}

/// Where the draws of a call are: the key, and the coordinates of the first lane.
#[derive(Copy, Clone, Debug)]
pub struct Origin {
    pub key: (u64, u64),
    pub path: u64,
    pub step: u64,
    pub component: u32,
}

/// One draw for each lane, rounded to its precision; its parameters are in `params`, rows as long as `out`.
pub fn sample<T: Lane>(call: &SampleCall, origin: Origin, params: &[T], out: &mut [T]) {
    let lanes = out.len();
    let key = Key { seed: origin.key.0, stream: origin.key.1 };
    for (lane, out) in out.iter_mut().enumerate() {
        let coord = Coord {
            path: origin.path + lane as u64,
            step: origin.step,
            site: call.site,
            component: origin.component,
            turn: call.turn,
        };
        let p: Vec<f64> = (0..call.len).map(|k| params[k * lanes + lane].wide()).collect();
        *out = T::of(draw(call.sampler, key, coord, &p));
    }
}

/// One draw of a law by its coordinates and its parameters.
pub fn draw(sampler: Sampler, key: Key, coord: Coord, p: &[f64]) -> f64 {
    match sampler {
        Sampler::Gamma => dist::sample_gamma(key, coord, p[0]),
        Sampler::Beta => dist::sample_beta(key, coord, p[0], p[1]),
        Sampler::Poisson => dist::sample_poisson(key, coord, p[0]),
        Sampler::Binomial => dist::sample_binomial(key, coord, p[0], p[1]),
        Sampler::VonMises => dist::sample_von_mises(key, coord, p[0]),
        Sampler::StudentT => dist::sample_student_t(key, coord, p[0]),
        Sampler::Categorical => dist::sample_discrete(key, coord, p),
    }
}
