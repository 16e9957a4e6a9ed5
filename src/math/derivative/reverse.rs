//! Reverse mode for scalars, with loops kept.
//!
//! Every binder below the root is opened, which gives a graph of nodes that each have some free indices F(n). The
//! adjoint of a node is an expression in F(n) and in the root's own free indices. What a user u hands to a part n is
//! summed over the indices of u that n does not have, whether or not the expression mentions them: n has one value for
//! each setting of F(n) only. What is handed to an element of an array becomes an array by solving the element's
//! indices for loop indices (`share`), so stencils, slices and contractions stay reads; what cannot be solved is a
//! scatter.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::collections::BTreeSet;

use crate::math::graph::{Graph, Id, IndexVar, Node, VarId};
use crate::math::ops::{Op, Red};
use crate::math::simplify;
use crate::math::total::Total;

use super::dense::{self, tabulate};
use super::forward::{weight, zeros};
use super::scope::{Opened, Scopes};
use super::share::{self, Share};
use super::{Differentiable, rules};

/// The gradient of the clean scalar `of` by a variable: an array of the variable's shape. Free indices of `of` stay free.
pub fn gradient(g: &mut Graph, of: Id, var: VarId) -> Differentiable<Id> {
    let mut tape = Tape {
        var,
        root_free: g.free(of).iter().copied().collect(),
        scopes: Scopes::of_derivative(),
        extents: HashMap::default(),
        shares: HashMap::default(),
        total: Total::default(),
    };
    let order = tape.order(g, of);
    let one = g.real(1.0);
    tape.shares.insert(of, vec![Share::Whole(one)]);
    for node in order.into_iter().rev() {
        let Some(shares) = tape.shares.remove(&node) else { continue };
        let adjoint = share::whole(g, node, &shares, &mut tape.total);
        if *g.node(node) == Node::Var(var) {
            return Ok(adjoint);
        }
        tape.propagate(g, node, adjoint)?;
    }
    let shape = g.var_info(var).shape.clone();
    Ok(zeros(g, &shape))
}

struct Tape {
    var: VarId,
    root_free: BTreeSet<u32>,
    scopes: Scopes,
    /// the opened indices
    extents: HashMap<u32, IndexVar>,
    /// what has been handed to each node by its users
    shares: HashMap<Id, Vec<Share>>,
    total: Total,
}

impl Tape {
    fn open(&mut self, g: &mut Graph, node: Id) -> Opened {
        let opened = self.scopes.open(g, node);
        self.extents.extend(opened.0.iter().map(|b| (b.id, *b)));
        opened
    }

    /// Parts through which the derivative flows.
    fn parts(&mut self, g: &mut Graph, node: Id) -> Vec<Id> {
        match g.node(node) {
            Node::Op(_, args) | Node::Lit(_, args) | Node::Dense(_, args) => args.clone(),
            Node::Get(array, _) => vec![*array],
            Node::Map(..) | Node::Reduce(..) | Node::Scatter { .. } => {
                let (_, parts) = self.open(g, node);
                parts[parts.len() - 1..].to_vec()
            }
            _ => Vec::new(),
        }
    }

    /// The nodes that depend on the variable, parts before wholes: in reverse, the variable comes after all nodes through
    /// which it has influence.
    fn order(&mut self, g: &mut Graph, root: Id) -> Vec<Id> {
        let mut seen = HashSet::default();
        let mut order = Vec::new();
        let mut stack = vec![(root, false)];
        while let Some((node, done)) = stack.pop() {
            if done {
                order.push(node);
            } else if g.depends_on(node, self.var) && seen.insert(node) {
                stack.push((node, true));
                let parts = self.parts(g, node);
                stack.extend(parts.into_iter().map(|p| (p, false)));
            }
        }
        order
    }

    fn context(&self, g: &Graph, node: Id, bounds: &[IndexVar]) -> BTreeSet<u32> {
        g.free(node).iter().copied().chain(bounds.iter().map(|b| b.id)).collect()
    }

    /// Indices of a context that a part does not have.
    fn surplus(&self, g: &Graph, context: &BTreeSet<u32>, part: Id) -> Vec<IndexVar> {
        context
            .iter()
            .filter(|i| !g.has_free(part, **i) && !self.root_free.contains(i))
            .map(|i| self.extents[i])
            .collect()
    }

    fn add(&mut self, part: Id, share: Share) {
        self.shares.entry(part).or_default().push(share);
    }

    /// Hands `value` (an expression in `context`) to a scalar part.
    fn give(&mut self, g: &mut Graph, context: &BTreeSet<u32>, part: Id, value: Id) {
        if !g.depends_on(part, self.var) {
            return;
        }
        let over = self.surplus(g, context, part);
        let value = if over.is_empty() { value } else { self.summed(g, &over, part, value) };
        self.add(part, Share::Whole(value));
    }

    /// The sum of what is handed to a part. If no term counts, neither does the sum (see `share::whole`).
    fn summed(&mut self, g: &mut Graph, over: &[IndexVar], part: Id, value: Id) -> Id {
        let sum = simplify::reduce(g, Red::Sum, over, value);
        match share::condition(g, value) {
            Some(c)
                if over.iter().any(|i| g.has_free(c, i.id))
                    && share::condition(g, sum).is_none()
                    && !self.total.holds(g, part) =>
            {
                let any = simplify::reduce(g, Red::Any, over, c);
                share::guarded(g, any, sum)
            }
            _ => sum,
        }
    }

    /// Hands an array to an array part.
    fn give_array(&mut self, g: &mut Graph, context: &BTreeSet<u32>, part: Id, value: Id) {
        if !g.depends_on(part, self.var) {
            return;
        }
        let over = self.surplus(g, context, part);
        let value = if over.is_empty() {
            value
        } else {
            let shape = g.shape(value).to_vec();
            tabulate(g, &shape, |g, at| {
                let x = simplify::get(g, value, at);
                simplify::reduce(g, Red::Sum, &over, x)
            })
        };
        self.add(part, Share::Whole(value));
    }

    fn propagate(&mut self, g: &mut Graph, node: Id, adjoint: Id) -> Differentiable<()> {
        match g.node(node).clone() {
            Node::Op(op, args) => self.operation(g, node, op, &args, adjoint)?,
            Node::Get(array, at) => {
                if g.depends_on(array, self.var) {
                    let context = self.context(g, node, &[]);
                    let over = self.surplus(g, &context, array);
                    if let Some(share) = share::of_element(g, array, &at, &over, adjoint) {
                        self.add(array, share);
                    }
                }
            }
            Node::Map(..) => {
                let (bounds, parts) = self.open(g, node);
                let at: Vec<Id> = bounds.iter().map(|b| g.index(*b)).collect();
                let value = simplify::get(g, adjoint, &at);
                let context = self.context(g, node, &bounds);
                self.give(g, &context, parts[0], value);
            }
            Node::Reduce(red, ..) => {
                let (bounds, parts) = self.open(g, node);
                if let Some(w) = weight(g, node, red, &bounds, parts[0]) {
                    let value = simplify::op(g, Op::Mul, &[adjoint, w]);
                    let context = self.context(g, node, &bounds);
                    self.give(g, &context, parts[0], value);
                }
            }
            Node::Lit(shape, elements) => {
                let context = self.context(g, node, &[]);
                for (place, element) in elements.into_iter().enumerate() {
                    if g.depends_on(element, self.var) {
                        let at: Vec<Id> = share::unflat(&shape, place).into_iter().map(|k| g.int(k as i64)).collect();
                        let value = simplify::get(g, adjoint, &at);
                        self.give(g, &context, element, value);
                    }
                }
            }
            Node::Scatter { .. } => {
                let (bounds, mut parts) = self.open(g, node);
                let body = parts.pop().expect("the body is the last part");
                let value = simplify::get(g, adjoint, &parts);
                let context = self.context(g, node, &bounds);
                self.give(g, &context, body, value);
            }
            Node::Dense(op, args) => {
                let bars = dense::adjoints(g, node, op, &args, adjoint);
                let context = self.context(g, node, &[]);
                for (arg, bar) in args.into_iter().zip(bars) {
                    self.give_array(g, &context, arg, bar);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn operation(&mut self, g: &mut Graph, node: Id, op: Op, args: &[Id], adjoint: Id) -> Differentiable<()> {
        let context = self.context(g, node, &[]);
        if op == Op::Select {
            // The choice stays outermost, so that the branch not taken has no influence, not even through NaN.
            let zero = g.real(0.0);
            for (k, part) in args.iter().enumerate().skip(1) {
                if g.depends_on(*part, self.var) {
                    let (a, b) = if k == 1 { (adjoint, zero) } else { (zero, adjoint) };
                    let value = simplify::op(g, Op::Select, &[args[0], a, b]);
                    self.give(g, &context, *part, value);
                }
            }
            return Ok(());
        }
        for (k, part) in args.iter().enumerate() {
            if !g.depends_on(*part, self.var) || op == Op::StopGrad {
                continue;
            }
            let Some(slope) = rules::partial(g, op, args, node, k)? else { continue };
            let value = simplify::op(g, Op::Mul, &[adjoint, slope]);
            self.give(g, &context, *part, value);
        }
        Ok(())
    }
}
