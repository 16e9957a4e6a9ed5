//! Smart constructors: each builds a node and rewrites it by local rules, in a fixed order.
//!
//! The parts that a constructor is given are taken to be simplified already, so building bottom-up visits every node
//! once. [`simplify`] does so for whole graphs that were built raw, [`substitute`] while replacing indices or variables.
//!
//! Rules keep the value of an expression for all inputs where it is finite, up to rounding. What else they may assume is
//! written at each rule; three things hold throughout:
//! - a symbolic zero wins: `0*x` is 0 even where `x` is infinite or not a number;
//! - the sign of a zero is not kept;
//! - sums and products may be re-ordered and like terms collected.

mod rebuild;

use super::graph::{Graph, Id, IndexVar, Shape};
use super::ops::{Dense, Op, Red};

pub use rebuild::{simplify, substitute};

/// A scalar operation.
pub fn op(g: &mut Graph, op: Op, args: &[Id]) -> Id {
    g.op(op, args)
}

/// One element of an array; a read of a map is the map's body there.
pub fn get(g: &mut Graph, array: Id, at: &[Id]) -> Id {
    g.get(array, at)
}

/// The array of `body` over opened `bounds`.
pub fn map(g: &mut Graph, bounds: &[IndexVar], body: Id) -> Id {
    g.map(bounds, body)
}

/// A reduction of `body` over opened `bounds`.
pub fn reduce(g: &mut Graph, red: Red, bounds: &[IndexVar], body: Id) -> Id {
    if bounds.is_empty() { body } else { g.reduce(red, bounds, body) }
}

/// The array of `shape` that sums bodies where they point; see `Node::Scatter`.
pub fn scatter(g: &mut Graph, shape: Shape, bounds: &[IndexVar], at: &[Id], body: Id) -> Id {
    g.scatter(shape, bounds, at, body)
}

/// An array written out.
pub fn lit(g: &mut Graph, shape: Shape, elements: Vec<Id>) -> Id {
    g.lit(shape, elements)
}

/// Small dense linear algebra.
pub fn dense(g: &mut Graph, op: Dense, args: &[Id]) -> Id {
    g.dense(op, args)
}
