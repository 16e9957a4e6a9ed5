//! Results as text and files: tables for readers, JSON for programs, saved paths, manifests.

pub mod bar;
pub mod csv;
pub mod json;
pub mod manifest;
pub mod npy;
pub mod number;
pub mod paths;
pub mod reference;
pub mod report;
pub mod result;
pub mod style;
pub mod table;
pub mod titles;
pub mod width;
