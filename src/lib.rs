//! Fokker: a language and compiler for stochastic differential equations.
//!
//! The layers, in the order of the data flow, are drawn in `ARCHITECTURE.md`.

// Tables of loop and memo keys are plain tuples on purpose; nested conditions are kept where they read as steps.
#![allow(clippy::type_complexity, clippy::collapsible_if, clippy::collapsible_match)]

pub mod backend;
pub mod calculus;
pub mod cli;
pub mod diagnostics;
pub mod kernels;
pub mod lsp;
pub mod math;
pub mod model;
pub mod output;
pub mod plot;
pub mod repl;
pub mod runtime;
pub mod session;
pub mod solve;
pub mod source;
pub mod step;
pub mod syntax;
