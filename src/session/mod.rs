//! A session.
pub mod plan;
