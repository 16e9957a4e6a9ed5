//! Pure numerics.
pub mod arith;
pub mod array;
pub mod ars;
mod coefficients;
pub mod elementary;
pub mod normal;
pub mod special;
pub mod table;
