//! Checks of a graph: types, shapes, scopes, canonical bounds. What fails here is a fault of the compiler.

use rustc_hash::FxHashSet as HashSet;
use std::fmt;

use super::graph::{Graph, Id, IndexVar, Node};
use super::ops::{Dense, Op, Red, Ty};
use super::print::expression;

/// A node that breaks a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub node: Id,
    pub reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {}: {}", self.node.0, self.reason)
    }
}

/// Checks everything below the roots; these may have no free indices.
pub fn verify(g: &Graph, roots: &[Id]) -> Result<(), Fault> {
    for id in g.reachable(roots) {
        node(g, id).map_err(|reason| Fault { node: id, reason: format!("{reason}: {}", shown(g, id)) })?;
    }
    for root in roots {
        if let Some(index) = g.free(*root).first() {
            return Err(Fault { node: *root, reason: format!("index {index} is free: {}", shown(g, *root)) });
        }
    }
    Ok(())
}

/// The first part of the text of a node.
fn shown(g: &Graph, id: Id) -> String {
    expression(g, id).chars().take(200).collect()
}

type Check = Result<(), String>;

fn ensure(holds: bool, reason: &str) -> Check {
    if holds { Ok(()) } else { Err(reason.into()) }
}

fn node(g: &Graph, id: Id) -> Check {
    match g.node(id) {
        Node::Real(_) | Node::Int(_) | Node::Bool(_) | Node::Var(_) | Node::Data(_) | Node::Index(_) => Ok(()),
        Node::Op(op, args) => operation(g, *op, args),
        Node::Lit(shape, elements) => {
            ensure(shape.iter().product::<usize>() == elements.len(), "elements do not fill the shape")?;
            scalars(g, elements)?;
            ensure(elements.windows(2).all(|w| g.ty(w[0]) == g.ty(w[1])), "elements of different types")
        }
        Node::Get(array, at) => {
            ensure(g.shape(*array).len() == at.len() && !at.is_empty(), "not one index an axis")?;
            indices(g, at)
        }
        Node::Map(bounds, body) => binder(g, bounds, &[*body]),
        Node::Reduce(red, bounds, body) => {
            binder(g, bounds, &[*body])?;
            let truth = matches!(red, Red::Any | Red::All);
            ensure(truth == (g.ty(*body) == Ty::Bool), "a reduction of the wrong type")?;
            let place = matches!(red, Red::Argmax | Red::Argmin);
            ensure(!place || bounds.len() == 1, "the place of an extreme needs one bound")
        }
        Node::Scatter { shape, bounds, at, body } => {
            ensure(shape.len() == at.len(), "not one index an axis")?;
            indices(g, at)?;
            let parts: Vec<Id> = at.iter().copied().chain([*body]).collect();
            binder(g, bounds, &parts)
        }
        Node::Dense(op, args) => dense(g, *op, args),
        Node::Partial { of, var, point, at } => {
            scalars(g, &[*of])?;
            let shape = &g.var_info(*var).shape;
            ensure(shape == g.shape(*point), "a point of another shape")?;
            ensure(shape.len() == at.len(), "not one index an axis")?;
            indices(g, at)
        }
        Node::Jvp { of, var, point, tangent } => {
            scalars(g, &[*of])?;
            let shape = &g.var_info(*var).shape;
            ensure(shape == g.shape(*point) && shape == g.shape(*tangent), "a point or tangent of another shape")
        }
    }
}

fn scalars(g: &Graph, ids: &[Id]) -> Check {
    ensure(ids.iter().all(|i| g.is_scalar(*i)), "an array in place of a scalar")
}

fn indices(g: &Graph, at: &[Id]) -> Check {
    scalars(g, at)?;
    ensure(at.iter().all(|e| g.ty(*e) == Ty::Int), "an index that is no integer")
}

fn operation(g: &Graph, op: Op, args: &[Id]) -> Check {
    ensure(args.len() == op.arity(), "the wrong number of arguments")?;
    scalars(g, args)?;
    let truth = |id: &Id| g.ty(*id) == Ty::Bool;
    let number = |id: &Id| g.ty(*id) != Ty::Bool;
    let ok = match op {
        Op::And | Op::Or | Op::Not => args.iter().all(truth),
        Op::Select => truth(&args[0]) && g.ty(args[1]) == g.ty(args[2]),
        Op::Eq | Op::Ne => truth(&args[0]) == truth(&args[1]),
        Op::ToReal => true,
        Op::IntDiv => args.iter().all(|a| g.ty(*a) == Ty::Int),
        Op::Powi => number(&args[0]) && matches!(g.node(args[1]), Node::Int(_)),
        _ => args.iter().all(number),
    };
    ensure(ok, "arguments of the wrong type")
}

/// Bounds are named upwards from the height of what they bind, and their indices have their extents.
fn binder(g: &Graph, bounds: &[IndexVar], parts: &[Id]) -> Check {
    scalars(g, &parts[parts.len() - 1..])?;
    ensure(!bounds.is_empty(), "a loop without bounds")?;
    let base = parts.iter().map(|p| g.height(*p)).max().unwrap_or(0);
    let canonical = bounds.iter().enumerate().all(|(k, b)| b.id == base + k as u32);
    ensure(canonical, "bounds that are not named by height")?;
    for b in bounds {
        extents(g, *b, parts)?;
    }
    Ok(())
}

fn extents(g: &Graph, bound: IndexVar, parts: &[Id]) -> Check {
    let mut seen = HashSet::default();
    let mut stack: Vec<Id> = parts.to_vec();
    while let Some(id) = stack.pop() {
        if !g.has_free(id, bound.id) || !seen.insert(id) {
            continue;
        }
        if let Node::Index(i) = g.node(id) {
            ensure(*i == bound, "an index with another extent than its loop")?;
        }
        stack.extend(g.parts(id));
    }
    Ok(())
}

fn dense(g: &Graph, op: Dense, args: &[Id]) -> Check {
    let count = if op == Dense::Solve { 2 } else { 1 };
    ensure(args.len() == count, "the wrong number of arguments")?;
    let shape = g.shape(args[0]);
    if op == Dense::Sort {
        return ensure(shape.len() == 1, "not a vector");
    }
    ensure(shape.len() == 2 && shape[0] == shape[1], "not a square matrix")?;
    if op == Dense::Solve {
        let right = g.shape(args[1]);
        return ensure((1..=2).contains(&right.len()) && right[0] == shape[0], "a right-hand side of another size");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(build: impl FnOnce(&mut Graph) -> Id) -> String {
        let mut g = Graph::new();
        let id = build(&mut g);
        verify(&g, &[id]).expect_err("a fault").reason
    }

    #[test]
    fn accepts_nested_loops() {
        let mut g = Graph::new();
        let (i, j) = (g.fresh_index(3), g.fresh_index(4));
        let (a, b) = (g.index(i), g.index(j));
        let sum = g.op(Op::Add, &[a, b]);
        let body = g.op(Op::ToReal, &[sum]);
        let inner = g.reduce(Red::Sum, &[j], body);
        let outer = g.map(&[i], inner);
        assert_eq!(verify(&g, &[outer]), Ok(()));
    }

    #[test]
    fn finds_free_indices() {
        let reason = fault(|g| {
            let i = g.fresh_index(3);
            g.index(i)
        });
        assert!(reason.contains("is free"), "{reason}");
    }

    #[test]
    fn finds_wrong_types() {
        let reason = fault(|g| {
            let (one, yes) = (g.real(1.0), g.boolean(true));
            g.op(Op::Add, &[one, yes])
        });
        assert!(reason.contains("wrong type"), "{reason}");
        let reason = fault(|g| {
            let body = g.real(1.0);
            let i = g.fresh_index(2);
            g.reduce(Red::Any, &[i], body)
        });
        assert!(reason.contains("wrong type"), "{reason}");
    }
}
