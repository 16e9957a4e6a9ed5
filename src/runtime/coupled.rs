//! Coupled paths at several step sizes.
