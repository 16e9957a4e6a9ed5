//! Forward mode: the tangent of any node along a tangent of a variable. Loops stay loops.

use rustc_hash::FxHashMap as HashMap;

use crate::math::graph::{Graph, Id, IndexVar, Node, VarId};
use crate::math::ops::{Op, Red};
use crate::math::simplify;

use super::dense::{self, tabulate};
use super::scope::Scopes;
use super::{Differentiable, rules};

/// Tangents along one direction; nodes met twice share theirs.
pub struct Forward {
    var: VarId,
    tangent: Id,
    scopes: Scopes,
    /// tangents worked out; `None` for zero
    done: HashMap<Id, Option<Id>>,
}

impl Forward {
    /// The direction in which `var` moves, an array of its shape without free indices.
    pub fn new(var: VarId, tangent: Id) -> Forward {
        Forward { var, tangent, scopes: Scopes::of_derivative(), done: HashMap::default() }
    }

    /// The tangent of a clean node; `None` where it is zero. Needs no more stack for deeper graphs.
    pub fn of(&mut self, g: &mut Graph, root: Id) -> Differentiable<Option<Id>> {
        let mut stack = vec![(root, false)];
        while let Some((node, ready)) = stack.pop() {
            if ready {
                let dot = self.work_out(g, node)?;
                self.done.insert(node, dot);
            } else if g.depends_on(node, self.var) && !self.done.contains_key(&node) {
                stack.push((node, true));
                stack.extend(self.parts(g, node).into_iter().map(|p| (p, false)));
            }
        }
        Ok(self.dot(root))
    }

    fn dot(&self, part: Id) -> Option<Id> {
        self.done.get(&part).copied().flatten()
    }

    /// Parts through which the derivative flows.
    fn parts(&mut self, g: &mut Graph, node: Id) -> Vec<Id> {
        match g.node(node) {
            Node::Op(Op::StopGrad, _) => Vec::new(),
            Node::Op(_, args) | Node::Lit(_, args) | Node::Dense(_, args) => args.clone(),
            Node::Get(array, _) => vec![*array],
            Node::Map(..) | Node::Reduce(..) | Node::Scatter { .. } => {
                let (_, parts) = self.scopes.open(g, node);
                parts[parts.len() - 1..].to_vec()
            }
            _ => Vec::new(),
        }
    }

    /// The tangent of a node whose parts have theirs.
    fn work_out(&mut self, g: &mut Graph, node: Id) -> Differentiable<Option<Id>> {
        Ok(match g.node(node).clone() {
            Node::Var(_) => Some(self.tangent),
            Node::Op(op, args) => self.operation(g, node, op, &args)?,
            Node::Lit(shape, elements) => {
                let zero = g.real(0.0);
                let dots = elements.into_iter().map(|e| self.dot(e).unwrap_or(zero)).collect();
                Some(simplify::lit(g, shape, dots))
            }
            Node::Get(array, at) => self.dot(array).map(|dot| simplify::get(g, dot, &at)),
            Node::Map(..) => {
                let (bounds, parts) = self.scopes.open(g, node);
                self.dot(parts[0]).map(|dot| simplify::map(g, &bounds, dot))
            }
            Node::Reduce(red, ..) => {
                let (bounds, parts) = self.scopes.open(g, node);
                self.dot(parts[0]).and_then(|dot| reduction(g, node, red, &bounds, parts[0], dot))
            }
            Node::Scatter { shape, .. } => {
                let (bounds, mut parts) = self.scopes.open(g, node);
                let body = parts.pop().expect("the body is the last part");
                self.dot(body).map(|dot| simplify::scatter(g, shape, &bounds, &parts, dot))
            }
            Node::Dense(op, args) => {
                let dots: Vec<Option<Id>> = args.iter().map(|a| self.dot(*a)).collect();
                dense::tangent(g, node, op, &args, &dots)
            }
            _ => None,
        })
    }

    fn operation(&mut self, g: &mut Graph, node: Id, op: Op, args: &[Id]) -> Differentiable<Option<Id>> {
        if op == Op::Select {
            let (a, b) = (self.dot(args[1]), self.dot(args[2]));
            if a.is_none() && b.is_none() {
                return Ok(None);
            }
            let zero = g.real(0.0);
            return Ok(Some(simplify::op(g, Op::Select, &[args[0], a.unwrap_or(zero), b.unwrap_or(zero)])));
        }
        let mut sum: Option<Id> = None;
        for (k, arg) in args.iter().enumerate() {
            let Some(dot) = self.dot(*arg) else { continue };
            let Some(slope) = rules::partial(g, op, args, node, k)? else { continue };
            let term = simplify::op(g, Op::Mul, &[slope, dot]);
            sum = Some(match sum {
                None => term,
                Some(before) => simplify::op(g, Op::Add, &[before, term]),
            });
        }
        Ok(sum)
    }
}

/// The tangent of a reduction from that of its body.
fn reduction(g: &mut Graph, node: Id, red: Red, bounds: &[IndexVar], body: Id, dot: Id) -> Option<Id> {
    let weight = weight(g, node, red, bounds, body)?;
    let term = simplify::op(g, Op::Mul, &[weight, dot]);
    Some(simplify::reduce(g, Red::Sum, bounds, term))
}

/// The derivative of a reduction by its body at the opened indices; `None` where it is zero everywhere.
pub fn weight(g: &mut Graph, node: Id, red: Red, bounds: &[IndexVar], body: Id) -> Option<Id> {
    Some(match red {
        Red::Sum => g.real(1.0),
        Red::LogSumExp => {
            let d = simplify::op(g, Op::Sub, &[body, node]);
            simplify::op(g, Op::Exp, &[d])
        }
        Red::Max => extremal(g, Red::Max, Red::Argmax, bounds, body),
        Red::Min => extremal(g, Red::Min, Red::Argmin, bounds, body),
        Red::Prod => others(g, bounds, body),
        Red::Any | Red::All | Red::Argmax | Red::Argmin => return None,
    })
}

/// 1 at the first of the extremal terms, 0 elsewhere: a subgradient. Its place is found axis by axis.
fn extremal(g: &mut Graph, red: Red, place: Red, bounds: &[IndexVar], body: Id) -> Id {
    let mut here = g.boolean(true);
    let mut rest = body;
    for (k, bound) in bounds.iter().enumerate() {
        // the rest at the places found so far, as a function of this index alone
        let inner = simplify::reduce(g, red, &bounds[k + 1..], rest);
        let first = simplify::reduce(g, place, &[*bound], inner);
        let i = g.index(*bound);
        let found = simplify::op(g, Op::Eq, &[i, first]);
        here = simplify::op(g, Op::And, &[here, found]);
        rest = simplify::substitute(g, &[rest], &[(bound.id, first)], &[])[0];
    }
    let (one, zero) = (g.real(1.0), g.real(0.0));
    simplify::op(g, Op::Select, &[here, one, zero])
}

/// The product of all terms but the one at the opened indices. Not the quotient of the product and the term: zeros do no
/// harm here, in derivatives of any order.
fn others(g: &mut Graph, bounds: &[IndexVar], body: Id) -> Id {
    let fresh: Vec<IndexVar> = bounds.iter().map(|b| g.fresh_index(b.extent)).collect();
    let pairs: Vec<(u32, Id)> = bounds.iter().zip(&fresh).map(|(a, b)| (a.id, g.index(*b))).collect();
    let other = simplify::substitute(g, &[body], &pairs, &[])[0];
    let mut same = g.boolean(true);
    for (a, b) in bounds.iter().zip(&fresh) {
        let (i, j) = (g.index(*a), g.index(*b));
        let eq = simplify::op(g, Op::Eq, &[i, j]);
        same = simplify::op(g, Op::And, &[same, eq]);
    }
    let one = g.real(1.0);
    let term = simplify::op(g, Op::Select, &[same, one, other]);
    simplify::reduce(g, Red::Prod, &fresh, term)
}

/// A zero array (or scalar) of a shape.
pub fn zeros(g: &mut Graph, shape: &[usize]) -> Id {
    let zero = g.real(0.0);
    tabulate(g, shape, |_, _| zero)
}
