//! Dense linear algebra where the structure of the matrix gives the result.

use super::super::graph::{Graph, Id};
use super::super::ops::Dense;

pub fn dense(g: &mut Graph, op: Dense, args: &[Id]) -> Id {
    g.dense(op, args)
}
