//! Forward mode: the tangent of any node along a tangent of a variable. Loops stay loops.

use std::collections::HashMap;

use crate::math::graph::{Graph, Id, IndexVar, Node, VarId};
use crate::math::ops::{Op, Red};
use crate::math::simplify;

use super::dense::{self, tabulate};
use super::{Differentiable, rules};

/// Tangents along one direction; nodes met twice share theirs.
pub struct Forward {
    var: VarId,
    tangent: Id,
    memo: HashMap<Id, Option<Id>>,
}

impl Forward {
    /// The direction in which `var` moves, an array of its shape.
    pub fn new(var: VarId, tangent: Id) -> Forward {
        Forward { var, tangent, memo: HashMap::new() }
    }

    /// The tangent of a clean node; `None` where it is zero.
    pub fn of(&mut self, g: &mut Graph, node: Id) -> Differentiable<Option<Id>> {
        if !g.depends_on(node, self.var) {
            return Ok(None);
        }
        if let Some(done) = self.memo.get(&node) {
            return Ok(*done);
        }
        let result = self.work_out(g, node)?;
        self.memo.insert(node, result);
        Ok(result)
    }

    fn work_out(&mut self, g: &mut Graph, node: Id) -> Differentiable<Option<Id>> {
        match g.node(node).clone() {
            Node::Var(_) => Ok(Some(self.tangent)),
            Node::Op(op, args) => self.operation(g, node, op, &args),
            Node::Lit(shape, elements) => {
                let mut dots = Vec::new();
                for e in elements {
                    let zero = g.real(0.0);
                    dots.push(self.of(g, e)?.unwrap_or(zero));
                }
                Ok(Some(simplify::lit(g, shape, dots)))
            }
            Node::Get(array, at) => Ok(self.of(g, array)?.map(|dot| simplify::get(g, dot, &at))),
            Node::Map(bounds, body) => {
                let (bounds, parts) = g.open(&bounds, &[body]);
                Ok(self.of(g, parts[0])?.map(|dot| simplify::map(g, &bounds, dot)))
            }
            Node::Reduce(red, bounds, body) => {
                let (bounds, parts) = g.open(&bounds, &[body]);
                let Some(dot) = self.of(g, parts[0])? else { return Ok(None) };
                Ok(reduction(g, node, red, &bounds, parts[0], dot))
            }
            Node::Scatter { shape, bounds, at, body } => {
                let mut parts = at;
                parts.push(body);
                let (bounds, mut parts) = g.open(&bounds, &parts);
                let body = parts.pop().expect("the body is the last part");
                Ok(self.of(g, body)?.map(|dot| simplify::scatter(g, shape, &bounds, &parts, dot)))
            }
            Node::Dense(op, args) => {
                let mut dots = Vec::new();
                for arg in &args {
                    dots.push(self.of(g, *arg)?);
                }
                dense::tangent(g, node, op, &args, &dots)
            }
            _ => Ok(None),
        }
    }

    fn operation(&mut self, g: &mut Graph, node: Id, op: Op, args: &[Id]) -> Differentiable<Option<Id>> {
        if op == Op::StopGrad {
            return Ok(None);
        }
        if op == Op::Select {
            let (a, b) = (self.of(g, args[1])?, self.of(g, args[2])?);
            let zero = g.real(0.0);
            if a.is_none() && b.is_none() {
                return Ok(None);
            }
            return Ok(Some(simplify::op(g, Op::Select, &[args[0], a.unwrap_or(zero), b.unwrap_or(zero)])));
        }
        let mut sum: Option<Id> = None;
        for (k, arg) in args.iter().enumerate() {
            let Some(dot) = self.of(g, *arg)? else { continue };
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
    match red {
        Red::Sum => Some(simplify::reduce(g, Red::Sum, bounds, dot)),
        Red::Any | Red::All | Red::Argmax | Red::Argmin => None,
        _ => {
            let weight = weight(g, node, red, bounds, body);
            let term = simplify::op(g, Op::Mul, &[weight, dot]);
            Some(simplify::reduce(g, Red::Sum, bounds, term))
        }
    }
}

/// The derivative of a reduction by its body at the opened indices.
pub fn weight(g: &mut Graph, node: Id, red: Red, bounds: &[IndexVar], body: Id) -> Id {
    let mut f = rules::Formula(g);
    match red {
        Red::LogSumExp => {
            let d = f.sub(body, node);
            f.op(Op::Exp, &[d])
        }
        Red::Max | Red::Min => {
            // Shared equally between the extremal terms: a subgradient.
            let here = f.op(Op::Eq, &[body, node]);
            let one = f.num(1.0);
            let mark = f.where_(here, one);
            let count = simplify::reduce(f.0, Red::Sum, bounds, mark);
            let share = f.recip(count);
            f.where_(here, share)
        }
        Red::Prod => others(g, bounds, body),
        _ => g.real(1.0),
    }
}

/// The product of all terms but the one at the opened indices (so that zeros do no harm).
fn others(g: &mut Graph, bounds: &[IndexVar], body: Id) -> Id {
    let fresh: Vec<IndexVar> = bounds.iter().map(|b| g.fresh_index(b.extent)).collect();
    let pairs: Vec<(u32, Id)> = bounds.iter().zip(&fresh).map(|(a, b)| (a.id, g.index(*b))).collect();
    let other = g.substitute_indices(&[body], &pairs)[0];
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
