//! Our own elementary functions in f64: branch-free, without tables, with fused multiply-adds in one fixed order.
//!
//! Each is `#[inline(always)]`, so that a loop over it is vectorised with whatever width the caller is compiled for, and
//! rounds alike in each. The largest error, in units in the last place, stands with each function and in
//! `kernels::table`; special values (NaN, infinities, zeros, subnormals) are those of C. The payload and the sign of a
//! NaN are not defined.

mod error;
mod exp;
mod hyperbolic;
mod inverse_trig;
mod log;
mod logistic;
mod power;
mod trig;

pub use error::{erf, erfc, norm_cdf};
pub use exp::{exp, exp_near, expm1, expm1_near, is_beyond_exp, is_beyond_expm1};
pub use hyperbolic::{cosh, sinh, tanh};
pub use inverse_trig::{acos, asin, atan, atan2};
pub use log::{log, log1p, log1p_parts};
pub use logistic::{is_beyond_sigmoid, logaddexp, logit, sigmoid, sigmoid_near, softplus, softplus_near};
pub use power::{cbrt, pow, sqrt};
pub use trig::{FAST_LIMIT, cos, cos_fast, is_far, sin, sin_fast, tan, tan_fast};
