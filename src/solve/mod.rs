//! Solvers: a declaration and the form of a model that it needs become one step, still as mathematics.

pub mod auto;
pub mod block;
pub mod consistent;
pub mod estimate;
pub mod form;
pub mod implicit;
pub mod integral;
pub mod linear;
pub mod rule;
pub mod split;
pub mod wiener;

pub use form::{Form, Structured};
pub use rule::{Orders, Rule, Step};
