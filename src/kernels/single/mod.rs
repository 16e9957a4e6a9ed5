//! What single precision has of its own: elementary functions and draws. Other functions are those of double precision
//! between two conversions.

pub mod arith;
pub mod coefficients;
pub mod elementary;
pub mod normal;
#[cfg(test)]
mod tests;
