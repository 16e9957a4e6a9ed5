//! Pure numerics: elementary and special functions, array kernels, random numbers. Knows no other module of the crate.
//!
//! Everything here is deterministic to the bit: a function has one sequence of correctly rounded operations (fused
//! multiply-adds included), whatever instruction set it is compiled for, so interpreter, compiled code and another
//! machine agree.
//!
//! - `lane`: single and double precision
//! - `elementary`, `special`: the functions, inlined and mostly branch-free, so that loops over them vectorise
//! - `single`: elementary functions and draws in single precision
//! - `table`: each function by name, as a scalar and as an array kernel for the machine at hand, with its accuracy
//! - `ars`, `normal`, `normal_wide`: random bits, uniforms and normals as functions of coordinates; fills of rows
//! - `product`: matrices with rows of lanes
//! - `welford`: moments of rows of lanes
//! - `rates`: what the machine at hand does at best, for measurements
//! - `dist`: laws that need inversion or rejection
//!
//! `coefficients.py` and `reference.py` made the polynomials and the reference values.

pub mod arith;
mod array;
pub mod ars;
pub mod coefficients;
pub mod dist;
pub mod elementary;
pub mod lane;
pub mod normal;
#[cfg(target_arch = "x86_64")]
mod normal_wide;
pub mod product;
pub mod rates;
pub mod single;
pub mod special;
pub mod table;
#[cfg(test)]
mod table_tests;
pub mod welford;
