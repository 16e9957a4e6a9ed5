//! The order in which operands of sums and products are written.
//!
//! It goes by structure, not by the age of nodes, so that the same terms under differently named loops come in the same
//! order. Equal parts are one node, so a comparison goes down one path only.

use std::cmp::Ordering;

use super::super::graph::{Graph, Id, Node};
use super::super::ops::Op;

/// Below this depth the age of nodes decides.
const DEPTH: usize = 64;

/// A total order; equal only for one node.
pub fn compare(g: &Graph, a: Id, b: Id) -> Ordering {
    at_depth(g, a, b, DEPTH)
}

/// Factors of a product: what changes rarely comes first, what depends on few loops before what depends on many.
pub fn compare_factors(g: &Graph, a: Id, b: Id) -> Ordering {
    let key = |id: Id| (g.rate(id), g.free(id).len());
    key(a).cmp(&key(b)).then_with(|| compare(g, a, b))
}

fn at_depth(g: &Graph, a: Id, b: Id, depth: usize) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    if depth == 0 {
        return a.cmp(&b);
    }
    let (x, y) = (split_power(g, a), split_power(g, b));
    if x.0 != y.0 {
        return leaves(g, x.0, y.0, depth);
    }
    // the same base: the higher power first
    y.1.cmp(&x.1).then(a.cmp(&b))
}

/// `x^n` as `(x, n)`.
fn split_power(g: &Graph, id: Id) -> (Id, i64) {
    if let Node::Op(Op::Powi, args) = g.node(id)
        && let Node::Int(n) = g.node(args[1])
    {
        return (args[0], *n);
    }
    (id, 1)
}

fn leaves(g: &Graph, a: Id, b: Id, depth: usize) -> Ordering {
    let (x, y) = (g.node(a), g.node(b));
    rank(x)
        .cmp(&rank(y))
        .then_with(|| match (x, y) {
            (Node::Real(p), Node::Real(q)) => f64::from_bits(*p).total_cmp(&f64::from_bits(*q)),
            (Node::Int(p), Node::Int(q)) => p.cmp(q),
            (Node::Bool(p), Node::Bool(q)) => p.cmp(q),
            (Node::Index(p), Node::Index(q)) => p.cmp(q),
            (Node::Var(p), Node::Var(q)) => p.cmp(q),
            (Node::Data(p), Node::Data(q)) => p.cmp(q),
            // the last factor of a product is the one that changes most
            (Node::Op(Op::Mul, p), Node::Op(Op::Mul, q)) => {
                lists(g, &[p[1], p[0]], &[q[1], q[0]], depth).then(a.cmp(&b))
            }
            (Node::Op(o, p), Node::Op(r, q)) => o.cmp(r).then_with(|| lists(g, p, q, depth)),
            (Node::Get(x, p), Node::Get(y, q)) => at_depth(g, *x, *y, depth - 1).then_with(|| lists(g, p, q, depth)),
            (Node::Dense(o, p), Node::Dense(r, q)) => o.cmp(r).then_with(|| lists(g, p, q, depth)),
            (Node::Lit(s, p), Node::Lit(t, q)) => s.cmp(t).then_with(|| lists(g, p, q, depth)),
            (Node::Map(s, p), Node::Map(t, q)) => s.cmp(t).then_with(|| at_depth(g, *p, *q, depth - 1)),
            (Node::Reduce(o, s, p), Node::Reduce(r, t, q)) => {
                o.cmp(r).then_with(|| s.cmp(t)).then_with(|| at_depth(g, *p, *q, depth - 1))
            }
            _ => Ordering::Equal,
        })
        .then(a.cmp(&b))
}

fn lists(g: &Graph, p: &[Id], q: &[Id], depth: usize) -> Ordering {
    let differing = p.iter().zip(q).find(|(a, b)| a != b);
    differing.map_or(p.len().cmp(&q.len()), |(a, b)| at_depth(g, *a, *b, depth - 1))
}

fn rank(node: &Node) -> u8 {
    match node {
        Node::Real(_) | Node::Int(_) | Node::Bool(_) => 0,
        Node::Index(_) => 1,
        Node::Var(_) => 2,
        Node::Data(_) => 3,
        Node::Get(..) => 4,
        Node::Lit(..) => 5,
        Node::Op(..) => 6,
        Node::Reduce(..) => 7,
        Node::Map(..) => 8,
        Node::Scatter { .. } => 9,
        Node::Dense(..) => 10,
        Node::Partial { .. } => 11,
        Node::Jvp { .. } => 12,
    }
}
