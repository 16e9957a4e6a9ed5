//! Special functions: those of the gamma family, modified Bessel functions of order 0 and 1, the inverse of erf.
//!
//! As the elementary functions they are inlined into their array kernels. Those with loops or branches run at scalar
//! speed there.

mod bessel;
mod erfinv;
mod gamma;
mod incomplete_gamma;

pub use bessel::{bessel_ratio, log_i0};
pub use erfinv::erfinv;
pub use gamma::{digamma, lgamma, polygamma};
pub use incomplete_gamma::{gamma_p, gamma_q, poisson_pmf};
