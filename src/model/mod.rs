//! The typed model: names resolved, templates instantiated, shapes inferred.

pub mod functions;
