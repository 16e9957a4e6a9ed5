//! Tests of the simplifier.

mod arrays;
mod densities;
mod named;
mod parse;
mod random;
mod rules;
mod sharing;
mod weights;

use super::super::graph::{Graph, Id, IndexVar, VarId, VarKind};
use super::super::ops::{Op, Red, Ty};
use super::super::print::expression;
use super::simplify;

/// A graph with raw builders that read like mathematics.
struct B {
    g: Graph,
}

impl B {
    fn new() -> B {
        B { g: Graph::new() }
    }

    fn var(&mut self, name: &str, kind: VarKind, shape: &[usize]) -> (VarId, Id) {
        let v = self.g.new_var(name, kind, Ty::Real, shape.to_vec());
        (v, self.g.var(v))
    }

    fn state(&mut self, name: &str, shape: &[usize]) -> Id {
        self.var(name, VarKind::State, shape).1
    }

    fn param(&mut self, name: &str, shape: &[usize]) -> Id {
        self.var(name, VarKind::Param, shape).1
    }

    fn real(&mut self, x: f64) -> Id {
        self.g.real(x)
    }

    fn int(&mut self, x: i64) -> Id {
        self.g.int(x)
    }

    fn op(&mut self, op: Op, args: &[Id]) -> Id {
        self.g.op(op, args)
    }

    fn add(&mut self, a: Id, b: Id) -> Id {
        self.op(Op::Add, &[a, b])
    }

    fn sub(&mut self, a: Id, b: Id) -> Id {
        self.op(Op::Sub, &[a, b])
    }

    fn mul(&mut self, a: Id, b: Id) -> Id {
        self.op(Op::Mul, &[a, b])
    }

    fn div(&mut self, a: Id, b: Id) -> Id {
        self.op(Op::Div, &[a, b])
    }

    fn neg(&mut self, a: Id) -> Id {
        self.op(Op::Neg, &[a])
    }

    fn powi(&mut self, a: Id, n: i64) -> Id {
        let n = self.int(n);
        self.op(Op::Powi, &[a, n])
    }

    fn get(&mut self, a: Id, at: &[Id]) -> Id {
        self.g.get(a, at)
    }

    fn index(&mut self, extent: usize) -> (IndexVar, Id) {
        let i = self.g.fresh_index(extent);
        (i, self.g.index(i))
    }

    fn map(&mut self, extent: usize, body: impl FnOnce(&mut B, Id) -> Id) -> Id {
        let (i, at) = self.index(extent);
        let body = body(self, at);
        self.g.map(&[i], body)
    }

    fn reduce(&mut self, red: Red, extent: usize, body: impl FnOnce(&mut B, Id) -> Id) -> Id {
        let (i, at) = self.index(extent);
        let body = body(self, at);
        self.g.reduce(red, &[i], body)
    }

    fn sum(&mut self, extent: usize, body: impl FnOnce(&mut B, Id) -> Id) -> Id {
        self.reduce(Red::Sum, extent, body)
    }

    fn simple(&mut self, id: Id) -> Id {
        simplify(&mut self.g, &[id])[0]
    }

    /// The text of the simplified form.
    fn text(&mut self, id: Id) -> String {
        let id = self.simple(id);
        expression(&self.g, id)
    }
}
