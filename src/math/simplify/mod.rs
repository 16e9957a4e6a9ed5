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

mod array;
mod delta;
mod dense;
mod function;
mod int;
mod number;
pub mod order;
mod power;
mod product;
mod quotient;
mod rebuild;
mod reduce;
mod select;
mod sum;
mod weights;

use super::graph::{Graph, Id, IndexVar, Shape};
use super::ops::{Dense, Op, Red, Ty};

pub use array::reads_inside;
pub use rebuild::{open, simplify, substitute, written_out};
pub use weights::{softmax_of, weights};

/// A scalar operation.
pub fn op(g: &mut Graph, op: Op, args: &[Id]) -> Id {
    use Op::*;
    match op {
        And => return select::and(g, args[0], args[1]),
        Or => return select::or(g, args[0], args[1]),
        Not => return select::not(g, args[0]),
        ToReal => return select::to_real(g, args[0]),
        Select => return select::select(g, args[0], args[1], args[2]),
        _ => {}
    }
    let integers = args.iter().all(|a| g.ty(*a) == Ty::Int);
    if integers && matches!(op, Add | Sub | Mul | Neg | Mod | IntDiv | Min | Max | Abs) {
        return int::arithmetic(g, op, args).unwrap_or_else(|| g.op(op, args));
    }
    match *args {
        [a, b] if matches!(op, Lt | Le | Eq | Ne) => {
            let [a, b] = if integers { [a, b] } else { [a, b].map(|x| number_of(g, x)) };
            select::compare(g, op, a, b)
        }
        [a, n] if op == Powi => match number::known_int(g, n) {
            Some(n) => {
                let a = select::to_real(g, a);
                power::powi(g, a, n)
            }
            None => g.op(op, args),
        },
        _ if matches!(op, Polygamma | IntDiv) || (integers && op == StopGrad) => g.op(op, args),
        [x] => {
            let x = select::to_real(g, x);
            function::unary(g, op, x)
        }
        [a, b] => {
            let (a, b) = (select::to_real(g, a), select::to_real(g, b));
            match op {
                Add => sum::add(g, a, b),
                Sub => sum::sub(g, a, b),
                Mul => product::mul(g, a, b),
                Div => quotient::quotient(g, a, b),
                _ => function::binary(g, op, a, b),
            }
        }
        _ => g.op(op, args),
    }
}

/// A number as a real, a truth value as itself.
fn number_of(g: &mut Graph, x: Id) -> Id {
    if g.ty(x) == Ty::Int { select::to_real(g, x) } else { x }
}

/// One element of an array; a read of a map is the map's body there.
pub fn get(g: &mut Graph, array: Id, at: &[Id]) -> Id {
    array::get(g, array, at)
}

/// The array of `body` over opened `bounds`.
pub fn map(g: &mut Graph, bounds: &[IndexVar], body: Id) -> Id {
    array::map(g, bounds, body)
}

/// A reduction of `body` over opened `bounds`.
pub fn reduce(g: &mut Graph, red: Red, bounds: &[IndexVar], body: Id) -> Id {
    reduce::reduce(g, red, bounds, body)
}

/// The array of `shape` that sums bodies where they point; see `Node::Scatter`.
pub fn scatter(g: &mut Graph, shape: Shape, bounds: &[IndexVar], at: &[Id], body: Id) -> Id {
    array::scatter(g, shape, bounds, at, body)
}

/// An array written out.
pub fn lit(g: &mut Graph, shape: Shape, elements: Vec<Id>) -> Id {
    array::lit(g, shape, elements)
}

/// Small dense linear algebra.
pub fn dense(g: &mut Graph, op: Dense, args: &[Id]) -> Id {
    dense::dense(g, op, args)
}

#[cfg(test)]
mod tests;
