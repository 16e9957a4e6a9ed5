//! Mathematics about a model: conventions, structure, generator and invariance, and formulas as people write them.

pub mod convention;
pub mod formula;
pub mod generator;
pub mod invariance;
pub mod latex;
pub mod numerals;
pub mod points;
pub mod pretty;
pub mod reader;
pub mod system;

#[cfg(test)]
mod convention_tests;
#[cfg(test)]
mod formula_tests;
#[cfg(test)]
mod invariance_tests;
#[cfg(test)]
mod testing;
