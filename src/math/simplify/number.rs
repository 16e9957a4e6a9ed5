//! What is known of numbers: constants, and signs that hold for all inputs.

use super::super::graph::{Graph, Id, Node};
use super::super::ops::{Op, Ty};

/// A real constant; zero without a sign.
pub fn real(g: &mut Graph, x: f64) -> Id {
    g.real(if x == 0.0 { 0.0 } else { x })
}

pub fn known(g: &Graph, id: Id) -> Option<f64> {
    if let Node::Real(bits) = g.node(id) { Some(f64::from_bits(*bits)) } else { None }
}

pub fn known_int(g: &Graph, id: Id) -> Option<i64> {
    if let Node::Int(c) = g.node(id) { Some(*c) } else { None }
}

pub fn known_bool(g: &Graph, id: Id) -> Option<bool> {
    if let Node::Bool(b) = g.node(id) { Some(*b) } else { None }
}

/// The zero of either number type.
pub fn is_zero(g: &Graph, id: Id) -> bool {
    known(g, id) == Some(0.0) || known_int(g, id) == Some(0)
}

/// A zero of the type of `id`.
pub fn zero_like(g: &mut Graph, id: Id) -> Id {
    match g.ty(id) {
        Ty::Int => g.int(0),
        Ty::Bool => g.boolean(false),
        Ty::Real => g.real(0.0),
    }
}

/// How deep signs are looked for.
const DEPTH: usize = 6;

/// `x > 0` wherever `x` is a number and does not underflow.
pub fn positive(g: &Graph, id: Id) -> bool {
    positive_at(g, id, DEPTH)
}

/// `x >= 0` wherever `x` is a number.
pub fn not_negative(g: &Graph, id: Id) -> bool {
    not_negative_at(g, id, DEPTH)
}

fn positive_at(g: &Graph, id: Id, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let Node::Op(op, args) = g.node(id) else { return known(g, id).is_some_and(|x| x > 0.0) };
    let all = |ids: &[Id]| ids.iter().all(|a| positive_at(g, *a, depth));
    match op {
        Op::Exp | Op::Cosh | Op::Sigmoid | Op::Softplus | Op::Erfc => true,
        Op::Mul | Op::Div | Op::Min => all(args),
        Op::Add => {
            let (a, b) = (args[0], args[1]);
            (positive_at(g, a, depth) && not_negative_at(g, b, depth))
                || (positive_at(g, b, depth) && not_negative_at(g, a, depth))
        }
        Op::Max => args.iter().any(|a| positive_at(g, *a, depth)),
        Op::Sqrt | Op::Cbrt | Op::Powi | Op::Pow | Op::StopGrad => positive_at(g, args[0], depth),
        Op::Select => all(&args[1..]),
        _ => false,
    }
}

fn not_negative_at(g: &Graph, id: Id, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let Node::Op(op, args) = g.node(id) else { return known(g, id).is_some_and(|x| x >= 0.0) };
    let all = |ids: &[Id]| ids.iter().all(|a| not_negative_at(g, *a, depth));
    match op {
        Op::Abs | Op::Sqrt | Op::Exp | Op::Cosh | Op::Sigmoid | Op::Softplus | Op::Erfc | Op::LogI0 => true,
        Op::Powi if known_int(g, args[1]).is_some_and(|n| n % 2 == 0) => true,
        Op::Mul if args[0] == args[1] => true,
        Op::Mul | Op::Div | Op::Add | Op::Min => all(args),
        Op::Max => args.iter().any(|a| not_negative_at(g, *a, depth)),
        Op::Powi | Op::Pow | Op::Cbrt | Op::StopGrad => not_negative_at(g, args[0], depth),
        Op::Select => all(&args[1..]),
        _ => false,
    }
}
