//! Mathematics about a model: conventions, structure, generator and invariance, and formulas as people write them.

pub mod convention;
pub mod edge;
pub mod explain;
pub mod explanation;
pub mod formula;
pub mod generator;
pub mod integrate;
pub mod invariance;
pub mod latex;
pub mod mathml;
pub mod numerals;
pub mod points;
mod polynomial;
pub mod pretty;
pub mod reader;
pub mod structure;
pub mod system;
mod written_out;

#[cfg(test)]
mod convention_tests;
#[cfg(test)]
mod explain_tests;
#[cfg(test)]
mod formula_tests;
#[cfg(test)]
mod invariance_tests;
#[cfg(test)]
mod structure_tests;
#[cfg(test)]
mod testing;

use crate::math::{Graph, Id};

/// Clean nodes; where a derivative cannot be taken, the node as it is (nothing is then proved of it, and values are found
/// by the evaluator, which needs no symbolic derivative).
pub fn clean(g: &mut Graph, roots: &[Id]) -> Vec<Id> {
    match crate::math::clean(g, roots) {
        Ok(clean) => clean,
        Err(_) => roots.iter().map(|r| crate::math::clean(g, &[*r]).map_or(*r, |c| c[0])).collect(),
    }
}
