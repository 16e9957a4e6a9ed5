//! Formulas with ordinary operators, for the rows of the table: a handle on a node that knows its graph.

use std::cell::RefCell;
use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::math::{Dense, Graph, Id, Op, Red};

/// A node under construction. Copying it copies the handle.
#[derive(Copy, Clone)]
pub struct Ex<'a> {
    graph: &'a RefCell<Graph>,
    id: Id,
}

/// Builds a node from the parameters of a law and one more argument (the point, or the raw draw).
pub fn formula<const N: usize>(
    g: &mut Graph,
    params: &[Id],
    x: Id,
    body: impl for<'a> Fn([Ex<'a>; N], Ex<'a>) -> Ex<'a>,
) -> Id {
    build(g, |graph| {
        assert_eq!(params.len(), N, "one value for each parameter");
        let handles = std::array::from_fn(|k| Ex { graph, id: params[k] });
        body(handles, Ex { graph, id: x }).id
    })
}

/// Builds a node from the parameters alone.
pub fn of_params<const N: usize>(g: &mut Graph, params: &[Id], body: impl for<'a> Fn([Ex<'a>; N]) -> Ex<'a>) -> Id {
    formula(g, params, params[0], |p, _| body(p))
}

/// Lends the graph to handles and takes it back.
fn build(g: &mut Graph, body: impl FnOnce(&RefCell<Graph>) -> Id) -> Id {
    let cell = RefCell::new(std::mem::take(g));
    let id = body(&cell);
    *g = cell.into_inner();
    id
}

impl<'a> Ex<'a> {
    fn with(self, id: Id) -> Ex<'a> {
        Ex { id, ..self }
    }

    pub fn op(self, op: Op, rest: &[Ex<'a>]) -> Ex<'a> {
        let args: Vec<Id> = std::iter::once(self.id).chain(rest.iter().map(|r| r.id)).collect();
        let id = self.graph.borrow_mut().op(op, &args);
        self.with(id)
    }

    /// A real constant of the same graph.
    pub fn real(self, value: f64) -> Ex<'a> {
        let id = self.graph.borrow_mut().real(value);
        self.with(id)
    }

    pub fn square(self) -> Ex<'a> {
        let two = self.graph.borrow_mut().int(2);
        self.op(Op::Powi, &[self.with(two)])
    }

    pub fn log(self) -> Ex<'a> {
        self.op(Op::Log, &[])
    }

    pub fn log1p(self) -> Ex<'a> {
        self.op(Op::Log1p, &[])
    }

    pub fn exp(self) -> Ex<'a> {
        self.op(Op::Exp, &[])
    }

    pub fn abs(self) -> Ex<'a> {
        self.op(Op::Abs, &[])
    }

    pub fn lgamma(self) -> Ex<'a> {
        self.op(Op::Lgamma, &[])
    }

    pub fn lt(self, other: Ex<'a>) -> Ex<'a> {
        self.op(Op::Lt, &[other])
    }

    pub fn le(self, other: Ex<'a>) -> Ex<'a> {
        self.op(Op::Le, &[other])
    }

    pub fn equals(self, other: Ex<'a>) -> Ex<'a> {
        self.op(Op::Eq, &[other])
    }

    pub fn and(self, other: Ex<'a>) -> Ex<'a> {
        self.op(Op::And, &[other])
    }

    pub fn or(self, other: Ex<'a>) -> Ex<'a> {
        self.op(Op::Or, &[other])
    }

    /// `self ? a : b`
    pub fn select(self, a: Ex<'a>, b: Ex<'a>) -> Ex<'a> {
        self.op(Op::Select, &[a, b])
    }

    /// `value` where this condition holds, minus infinity elsewhere.
    pub fn supports(self, value: Ex<'a>) -> Ex<'a> {
        self.select(value, self.real(f64::NEG_INFINITY))
    }

    /// `self*x`, which is 0 where `self` is not positive, even if `x` is infinite (as in `0*log(0)`).
    pub fn times(self, x: Ex<'a>) -> Ex<'a> {
        self.real(0.0).lt(self).select(self * x, self.real(0.0))
    }

    pub fn is_integer(self) -> Ex<'a> {
        self.op(Op::Floor, &[]).equals(self)
    }

    /// An integer as a real.
    pub fn to_real(self) -> Ex<'a> {
        self.op(Op::ToReal, &[])
    }

    /// Extent of an axis of an array.
    pub fn extent(self, axis: usize) -> usize {
        self.graph.borrow().shape(self.id)[axis]
    }

    pub fn at(self, index: &[Ex<'a>]) -> Ex<'a> {
        let index: Vec<Id> = index.iter().map(|i| i.id).collect();
        let id = self.graph.borrow_mut().get(self.id, &index);
        self.with(id)
    }

    pub fn dense(self, op: Dense) -> Ex<'a> {
        let id = self.graph.borrow_mut().dense(op, &[self.id]);
        self.with(id)
    }

    /// The vector of `body(i)` for `i` in `0..n`.
    pub fn vector(self, n: usize, body: impl FnOnce(Ex<'a>) -> Ex<'a>) -> Ex<'a> {
        let bound = self.graph.borrow_mut().fresh_index(n);
        let index = self.graph.borrow_mut().index(bound);
        let value = body(self.with(index));
        let id = self.graph.borrow_mut().map(&[bound], value.id);
        self.with(id)
    }

    /// A reduction of `body(i)` over `i` in `0..n`.
    pub fn reduce(self, red: Red, n: usize, body: impl FnOnce(Ex<'a>) -> Ex<'a>) -> Ex<'a> {
        let bound = self.graph.borrow_mut().fresh_index(n);
        let index = self.graph.borrow_mut().index(bound);
        let value = body(self.with(index));
        let id = self.graph.borrow_mut().reduce(red, &[bound], value.id);
        self.with(id)
    }

    pub fn sum(self, n: usize, body: impl FnOnce(Ex<'a>) -> Ex<'a>) -> Ex<'a> {
        self.reduce(Red::Sum, n, body)
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident;)*) => {$(
        impl<'a> $trait for Ex<'a> {
            type Output = Ex<'a>;
            fn $method(self, other: Ex<'a>) -> Ex<'a> {
                self.op(Op::$trait, &[other])
            }
        }
        impl<'a> $trait<f64> for Ex<'a> {
            type Output = Ex<'a>;
            fn $method(self, other: f64) -> Ex<'a> {
                self.op(Op::$trait, &[self.real(other)])
            }
        }
        impl<'a> $trait<Ex<'a>> for f64 {
            type Output = Ex<'a>;
            fn $method(self, other: Ex<'a>) -> Ex<'a> {
                other.real(self).op(Op::$trait, &[other])
            }
        }
    )*};
}

operators! { Add add; Sub sub; Mul mul; Div div; }

impl<'a> Neg for Ex<'a> {
    type Output = Ex<'a>;
    fn neg(self) -> Ex<'a> {
        self.op(Op::Neg, &[])
    }
}
