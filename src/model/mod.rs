//! The typed model: names resolved, templates instantiated, shapes inferred; expressions are nodes of a raw graph.

pub mod builtins;
pub mod call;
pub mod csv;
pub mod data;
pub mod derivative;
pub mod distributions;
pub mod elab;
pub mod expr;
pub mod flow;
pub mod forms;
pub mod functions;
mod generative;
pub mod habits;
pub mod instance;
pub mod integral;
pub mod later;
pub mod library;
pub mod messages;
pub mod operators;
pub mod quadrature;
pub mod resolve;
pub mod results;
pub mod statistics;
pub mod system;
pub mod target;
pub mod types;
pub mod value;
