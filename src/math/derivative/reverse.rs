//! Reverse mode for scalars, with loops kept.
//!
//! Every binder below the root is opened once, which gives a graph of nodes that each have some free indices F(n). The
//! adjoint of a node is an expression in F(n) and in the root's own free indices. What a user u hands to a part n is
//! summed over the indices of u that n does not have, whether or not the expression mentions them: n has one value for
//! each setting of F(n) only. What is handed to an element of an array becomes an array by solving the element's
//! indices for loop indices (`contribution`), so stencils, slices and contractions stay reads; what cannot be solved is
//! a scatter.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::math::graph::{Graph, Id, IndexVar, Node, VarId};
use crate::math::ops::{Op, Red};
use crate::math::simplify;

use super::dense::{self, tabulate};
use super::forward::{weight, zeros};
use super::{Differentiable, rules};

/// The gradient of the clean scalar `of` by a variable: an array of the variable's shape. Free indices of `of` stay free.
pub fn gradient(g: &mut Graph, of: Id, var: VarId) -> Differentiable<Id> {
    let shape = g.var_info(var).shape.clone();
    if !g.depends_on(of, var) {
        return Ok(zeros(g, &shape));
    }
    let mut tape = Tape {
        var,
        root_free: g.free(of).iter().copied().collect(),
        opened: HashMap::new(),
        extents: HashMap::new(),
        adjoints: HashMap::new(),
    };
    let order = tape.order(g, of);
    let one = g.real(1.0);
    tape.adjoints.insert(of, one);
    for node in order.into_iter().rev() {
        if let Some(adjoint) = tape.adjoints.get(&node).copied() {
            tape.propagate(g, node, adjoint)?;
        }
    }
    let x = g.var(var);
    Ok(match tape.adjoints.get(&x) {
        Some(adjoint) => *adjoint,
        None => zeros(g, &shape),
    })
}

struct Tape {
    var: VarId,
    root_free: BTreeSet<u32>,
    /// binders with their opened bounds and parts
    opened: HashMap<Id, (Vec<IndexVar>, Vec<Id>)>,
    extents: HashMap<u32, IndexVar>,
    adjoints: HashMap<Id, Id>,
}

impl Tape {
    /// Opens a binder, always in the same way.
    fn open(&mut self, g: &mut Graph, node: Id, bounds: &[IndexVar], parts: &[Id]) -> (Vec<IndexVar>, Vec<Id>) {
        if let Some(done) = self.opened.get(&node) {
            return done.clone();
        }
        let opened = g.open(bounds, parts);
        self.extents.extend(opened.0.iter().map(|b| (b.id, *b)));
        self.opened.insert(node, opened.clone());
        opened
    }

    /// Parts through which the derivative flows.
    fn parts(&mut self, g: &mut Graph, node: Id) -> Vec<Id> {
        match g.node(node).clone() {
            Node::Op(_, args) | Node::Lit(_, args) | Node::Dense(_, args) => args,
            Node::Get(array, _) => vec![array],
            Node::Map(bounds, body) | Node::Reduce(_, bounds, body) => self.open(g, node, &bounds, &[body]).1,
            Node::Scatter { bounds, at, body, .. } => {
                let parts: Vec<Id> = at.into_iter().chain([body]).collect();
                let (_, opened) = self.open(g, node, &bounds, &parts);
                vec![opened[opened.len() - 1]]
            }
            _ => Vec::new(),
        }
    }

    /// The nodes that depend on the variable, parts before wholes.
    fn order(&mut self, g: &mut Graph, root: Id) -> Vec<Id> {
        let mut seen = HashSet::new();
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

    fn add(&mut self, g: &mut Graph, part: Id, value: Id) {
        let sum = match self.adjoints.get(&part) {
            None => value,
            Some(before) if g.is_scalar(value) => simplify::op(g, Op::Add, &[*before, value]),
            Some(before) => dense::elementwise(g, Op::Add, *before, value),
        };
        self.adjoints.insert(part, sum);
    }

    /// Hands `value` (an expression in `context`) to a scalar part.
    fn give(&mut self, g: &mut Graph, context: &BTreeSet<u32>, part: Id, value: Id) {
        if !g.depends_on(part, self.var) {
            return;
        }
        let over = self.surplus(g, context, part);
        let value = if over.is_empty() { value } else { simplify::reduce(g, Red::Sum, &over, value) };
        self.add(g, part, value);
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
        self.add(g, part, value);
    }

    fn propagate(&mut self, g: &mut Graph, node: Id, adjoint: Id) -> Differentiable<()> {
        match g.node(node).clone() {
            Node::Op(op, args) => self.operation(g, node, op, &args, adjoint)?,
            Node::Get(array, at) => {
                if g.depends_on(array, self.var) {
                    let context = self.context(g, node, &[]);
                    let over = self.surplus(g, &context, array);
                    let value = contribution(g, array, &at, over, adjoint);
                    self.add(g, array, value);
                }
            }
            Node::Map(bounds, body) => {
                let (bounds, parts) = self.open(g, node, &bounds, &[body]);
                let at: Vec<Id> = bounds.iter().map(|b| g.index(*b)).collect();
                let value = simplify::get(g, adjoint, &at);
                let context = self.context(g, node, &bounds);
                self.give(g, &context, parts[0], value);
            }
            Node::Reduce(red, bounds, body) => {
                let (bounds, parts) = self.open(g, node, &bounds, &[body]);
                if matches!(red, Red::Any | Red::All | Red::Argmax | Red::Argmin) {
                    return Ok(());
                }
                let w = weight(g, node, red, &bounds, parts[0]);
                let value = simplify::op(g, Op::Mul, &[adjoint, w]);
                let context = self.context(g, node, &bounds);
                self.give(g, &context, parts[0], value);
            }
            Node::Lit(shape, elements) => {
                let context = self.context(g, node, &[]);
                for (flat, element) in elements.into_iter().enumerate() {
                    if g.depends_on(element, self.var) {
                        let at = place(g, flat, &shape);
                        let value = simplify::get(g, adjoint, &at);
                        self.give(g, &context, element, value);
                    }
                }
            }
            Node::Scatter { bounds, at, body, .. } => {
                let parts: Vec<Id> = at.into_iter().chain([body]).collect();
                let (bounds, mut parts) = self.open(g, node, &bounds, &parts);
                let body = parts.pop().expect("the body is the last part");
                let value = simplify::get(g, adjoint, &parts);
                let context = self.context(g, node, &bounds);
                self.give(g, &context, body, value);
            }
            Node::Dense(op, args) => {
                let bars = dense::adjoints(g, node, op, &args, adjoint)?;
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

fn place(g: &mut Graph, mut flat: usize, shape: &[usize]) -> Vec<Id> {
    let mut at = Vec::new();
    for n in shape.iter().rev() {
        at.push((flat % n) as i64);
        flat /= n;
    }
    at.into_iter().rev().map(|i| g.int(i)).collect()
}

/// The array over the shape of `array` that has `value`, summed over `over`, at the places `at`.
fn contribution(g: &mut Graph, array: Id, at: &[Id], over: Vec<IndexVar>, value: Id) -> Id {
    let shape = g.shape(array).to_vec();
    let solvable =
        at.iter().all(|e| over.iter().filter(|i| g.has_free(*e, i.id)).count() == 0) || solve_order(g, at, &over);
    if !solvable {
        return simplify::scatter(g, shape, &over, at, value);
    }
    let bounds: Vec<IndexVar> = shape.iter().map(|n| g.fresh_index(*n)).collect();
    let mut rest = over;
    let mut pending: Vec<(Id, Id)> = at.iter().copied().zip(bounds.iter().map(|b| g.index(*b))).collect();
    let mut body = value;
    let mut conditions: Vec<Id> = Vec::new();
    while !pending.is_empty() {
        let found = pending.iter().enumerate().find_map(|(p, (e, k))| {
            rest.iter().enumerate().find_map(|(c, index)| invert(g, *e, *index, *k).map(|s| (p, c, s)))
        });
        match found {
            Some((p, c, inverse)) => {
                pending.remove(p);
                let index = rest.remove(c);
                let Inverse { value: solved, wrapped } = inverse.build(g);
                if !wrapped {
                    let (zero, n) = (g.int(0), g.int(index.extent as i64));
                    conditions.push(simplify::op(g, Op::Le, &[zero, solved]));
                    conditions.push(simplify::op(g, Op::Lt, &[solved, n]));
                }
                let pairs = [(index.id, solved)];
                body = simplify::substitute(g, &[body], &pairs, &[])[0];
                for (e, _) in &mut pending {
                    *e = simplify::substitute(g, &[*e], &pairs, &[])[0];
                }
                for c in &mut conditions {
                    *c = simplify::substitute(g, &[*c], &pairs, &[])[0];
                }
            }
            None => {
                // No loop index is left in it: a place known from outside.
                let (e, k) = pending.remove(0);
                conditions.push(simplify::op(g, Op::Eq, &[k, e]));
            }
        }
    }
    for c in conditions.into_iter().rev() {
        let zero = g.real(0.0);
        body = simplify::op(g, Op::Select, &[c, body, zero]);
    }
    if !rest.is_empty() {
        body = simplify::reduce(g, Red::Sum, &rest, body);
    }
    simplify::map(g, &bounds, body)
}

/// Whether every index expression can be solved for a loop index of its own, or has none.
fn solve_order(g: &mut Graph, at: &[Id], over: &[IndexVar]) -> bool {
    let mut free: Vec<IndexVar> = over.to_vec();
    let mut open: Vec<Id> = at.to_vec();
    loop {
        let k = g.int(0);
        let found = open
            .iter()
            .enumerate()
            .find_map(|(p, e)| free.iter().enumerate().find_map(|(c, i)| invert(g, *e, *i, k).map(|_| (p, c))));
        match found {
            Some((p, c)) => {
                open.remove(p);
                free.remove(c);
            }
            None => return open.iter().all(|e| free.iter().all(|i| !g.has_free(*e, i.id))),
        }
    }
}

/// `index = sign*(k - rest)`, wrapped around `modulus` if there is one.
struct Solution {
    k: Id,
    terms: Vec<(Id, i64)>,
    constant: i64,
    sign: i64,
    modulus: Option<i64>,
}

struct Inverse {
    value: Id,
    wrapped: bool,
}

/// Solves `e == k` for a loop index with unit stride.
fn invert(g: &Graph, e: Id, index: IndexVar, k: Id) -> Option<Solution> {
    if !g.has_free(e, index.id) {
        return None;
    }
    let (inner, modulus) = match g.node(e) {
        Node::Op(Op::Mod, args) => match *g.node(args[1]) {
            Node::Int(n) if n == index.extent as i64 => (args[0], Some(n)),
            _ => return None,
        },
        _ => (e, None),
    };
    let (mut terms, constant) = linear(g, inner)?;
    let at = terms.iter().position(|(t, _)| matches!(g.node(*t), Node::Index(i) if i.id == index.id))?;
    let (_, sign) = terms.remove(at);
    if sign.abs() != 1 || terms.iter().any(|(t, _)| g.has_free(*t, index.id)) {
        return None;
    }
    Some(Solution { k, terms, constant, sign, modulus })
}

impl Solution {
    fn build(self, g: &mut Graph) -> Inverse {
        let mut value = self.k;
        for (t, c) in &self.terms {
            let c = g.int(*c);
            let scaled = simplify::op(g, Op::Mul, &[c, *t]);
            value = simplify::op(g, Op::Sub, &[value, scaled]);
        }
        let constant = g.int(self.constant);
        value = simplify::op(g, Op::Sub, &[value, constant]);
        if self.sign < 0 {
            value = simplify::op(g, Op::Neg, &[value]);
        }
        if let Some(n) = self.modulus {
            let n = g.int(n);
            value = simplify::op(g, Op::Mod, &[value, n]);
        }
        Inverse { value, wrapped: self.modulus.is_some() }
    }
}

/// An integer expression as a combination of atoms.
fn linear(g: &Graph, e: Id) -> Option<(Vec<(Id, i64)>, i64)> {
    match g.node(e) {
        Node::Int(n) => Some((Vec::new(), *n)),
        Node::Op(Op::Add | Op::Sub, args) => {
            let (mut terms, mut constant) = linear(g, args[0])?;
            let (right, c) = linear(g, args[1])?;
            let sign = if matches!(g.node(e), Node::Op(Op::Sub, _)) { -1 } else { 1 };
            constant += sign * c;
            for (t, k) in right {
                match terms.iter_mut().find(|(u, _)| *u == t) {
                    Some((_, m)) => *m += sign * k,
                    None => terms.push((t, sign * k)),
                }
            }
            terms.retain(|(_, k)| *k != 0);
            Some((terms, constant))
        }
        Node::Op(Op::Neg, args) => {
            let (terms, c) = linear(g, args[0])?;
            Some((terms.into_iter().map(|(t, k)| (t, -k)).collect(), -c))
        }
        Node::Op(Op::Mul, args) => {
            let ((a, ca), (b, cb)) = (linear(g, args[0])?, linear(g, args[1])?);
            match (a.is_empty(), b.is_empty()) {
                (true, _) => Some((b.into_iter().map(|(t, k)| (t, k * ca)).collect(), ca * cb)),
                (_, true) => Some((a.into_iter().map(|(t, k)| (t, k * cb)).collect(), ca * cb)),
                _ => None,
            }
        }
        _ => Some((vec![(e, 1)], 0)),
    }
}
