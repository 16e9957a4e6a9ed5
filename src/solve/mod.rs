//! Solvers: a declaration and the form of a model that it needs become one step, still as mathematics.

pub mod block;
pub mod estimate;
pub mod form;
pub mod rule;

pub use form::{Form, Structured};
pub use rule::{Orders, Rule, Step};
