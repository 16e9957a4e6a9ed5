//! Fokker: a language and compiler for stochastic differential equations.
//!
//! The layers, in the order of the data flow, are drawn in `ARCHITECTURE.md`.

pub mod backend;
pub mod calculus;
pub mod cli;
pub mod diagnostics;
pub mod kernels;
pub mod math;
pub mod model;
pub mod output;
pub mod runtime;
pub mod session;
pub mod solve;
pub mod source;
pub mod step;
pub mod syntax;
