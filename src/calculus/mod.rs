//! Mathematics about a model: conventions, structure, generator and invariance, and formulas as people write them.

pub mod convention;
pub mod formula;
pub mod generator;
pub mod latex;
pub mod numerals;
pub mod pretty;
pub mod reader;
pub mod system;

#[cfg(test)]
mod formula_tests;
#[cfg(test)]
mod testing;
