//! Derivatives on the clean graph: scalar rules, reverse mode with loops kept, forward mode.

pub mod dense;
pub mod forward;
pub mod reverse;
pub mod rules;
pub mod scope;
mod share;
#[cfg(test)]
mod tests;

use super::graph::Id;

/// Why a derivative cannot be taken, and at which node.
#[derive(Clone, Debug, PartialEq)]
pub struct NotDifferentiable {
    pub node: Id,
    pub reason: String,
}

pub type Differentiable<T> = Result<T, NotDifferentiable>;

pub use forward::Forward;
pub use reverse::gradient;
