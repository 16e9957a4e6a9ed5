//! Declarations, names and values: from the syntax tree to the typed model.

pub mod distributions;
