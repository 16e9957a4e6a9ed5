//! Pure numerics.
pub mod arith;
pub mod ars;
pub mod array;
mod coefficients;
pub mod elementary;
pub mod normal;
pub mod special;
pub mod table;
