//! The typed model: names resolved, templates instantiated, shapes inferred; expressions are nodes of a raw graph.

pub mod distributions;
pub mod functions;
