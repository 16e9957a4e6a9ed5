//! Derivatives against the evaluator's dual numbers, which know nothing of the rules here, and against differences.

mod arrays;
mod conditions;
mod dense;
mod kit;
mod nested;
mod operations;
mod random;
mod reductions;
mod size;
