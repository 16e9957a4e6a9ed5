//! Raw graphs written like mathematics, and the comparison that the tests make.

use std::cell::RefCell;
use std::ops::{Add, Div, Mul, Neg, Sub};
use std::sync::Arc;

use crate::math::array::Array;
use crate::math::eval::{Env, eval};
use crate::math::print::expression;
use crate::math::verify::verify;
use crate::math::{Dense, Graph, Id, IndexVar, Node, NotDifferentiable, Op, Red, Ty, VarId, VarKind, clean};

/// A graph that expressions share.
#[derive(Default)]
pub struct Kit {
    pub g: RefCell<Graph>,
}

/// A node, raw or clean.
#[derive(Copy, Clone)]
pub struct E<'k> {
    pub kit: &'k Kit,
    pub id: Id,
}

/// A variable with its value.
#[derive(Copy, Clone)]
pub struct V<'k> {
    pub var: VarId,
    pub e: E<'k>,
}

impl Kit {
    fn wrap(&self, id: Id) -> E<'_> {
        E { kit: self, id }
    }

    fn build(&self, f: impl FnOnce(&mut Graph) -> Id) -> E<'_> {
        let id = f(&mut self.g.borrow_mut());
        self.wrap(id)
    }

    pub fn var(&self, name: &str, kind: VarKind, shape: &[usize]) -> V<'_> {
        let var = self.g.borrow_mut().new_var(name, kind, Ty::Real, shape.to_vec());
        V { var, e: self.build(|g| g.var(var)) }
    }

    pub fn state(&self, name: &str, shape: &[usize]) -> V<'_> {
        self.var(name, VarKind::State, shape)
    }

    pub fn param(&self, name: &str, shape: &[usize]) -> V<'_> {
        self.var(name, VarKind::Param, shape)
    }

    pub fn data(&self, name: &str, shape: &[usize], values: Vec<f64>) -> E<'_> {
        self.build(|g| {
            let data = g.new_data(name, shape.to_vec(), Arc::from(values));
            g.data_node(data)
        })
    }

    pub fn real(&self, x: f64) -> E<'_> {
        self.build(|g| g.real(x))
    }

    pub fn int(&self, x: i64) -> E<'_> {
        self.build(|g| g.int(x))
    }

    fn bounds(&self, shape: &[usize]) -> (Vec<IndexVar>, Vec<E<'_>>) {
        let bounds: Vec<IndexVar> = shape.iter().map(|n| self.g.borrow_mut().fresh_index(*n)).collect();
        let at = bounds.iter().map(|b| self.build(|g| g.index(*b))).collect();
        (bounds, at)
    }

    pub fn table<'k>(&'k self, shape: &[usize], f: impl FnOnce(&[E<'k>]) -> E<'k>) -> E<'k> {
        let (bounds, at) = self.bounds(shape);
        let body = f(&at);
        self.build(|g| g.map(&bounds, body.id))
    }

    pub fn map<'k>(&'k self, n: usize, f: impl FnOnce(E<'k>) -> E<'k>) -> E<'k> {
        self.table(&[n], |at| f(at[0]))
    }

    pub fn reduce<'k>(&'k self, red: Red, shape: &[usize], f: impl FnOnce(&[E<'k>]) -> E<'k>) -> E<'k> {
        let (bounds, at) = self.bounds(shape);
        let body = f(&at);
        self.build(|g| g.reduce(red, &bounds, body.id))
    }

    pub fn sum<'k>(&'k self, n: usize, f: impl FnOnce(E<'k>) -> E<'k>) -> E<'k> {
        self.reduce(Red::Sum, &[n], |at| f(at[0]))
    }

    pub fn scatter<'k>(
        &'k self,
        shape: &[usize],
        over: &[usize],
        f: impl FnOnce(&[E<'k>]) -> (Vec<E<'k>>, E<'k>),
    ) -> E<'k> {
        let (bounds, at) = self.bounds(over);
        let (places, body) = f(&at);
        let places: Vec<Id> = places.iter().map(|e| e.id).collect();
        self.build(|g| g.scatter(shape.to_vec(), &bounds, &places, body.id))
    }

    pub fn lit<'k>(&'k self, shape: &[usize], elements: &[E<'k>]) -> E<'k> {
        let ids = elements.iter().map(|e| e.id).collect();
        self.build(|g| g.lit(shape.to_vec(), ids))
    }

    pub fn op<'k>(&'k self, op: Op, args: &[E<'k>]) -> E<'k> {
        let ids: Vec<Id> = args.iter().map(|e| e.id).collect();
        self.build(|g| g.op(op, &ids))
    }

    pub fn select<'k>(&'k self, c: E<'k>, a: E<'k>, b: E<'k>) -> E<'k> {
        self.op(Op::Select, &[c, a, b])
    }

    pub fn dense<'k>(&'k self, op: Dense, args: &[E<'k>]) -> E<'k> {
        let ids: Vec<Id> = args.iter().map(|e| e.id).collect();
        self.build(|g| g.dense(op, &ids))
    }

    /// Row `i` times a vector, summed: `A x`.
    pub fn product<'k>(&'k self, a: E<'k>, x: E<'k>) -> E<'k> {
        let shape = a.shape();
        self.map(shape[0], |i| self.sum(shape[1], |j| a.at(&[i, j]) * x.at(&[j])))
    }

    pub fn partial<'k>(&'k self, of: E<'k>, by: V<'k>, at: &[E<'k>]) -> E<'k> {
        let at: Vec<Id> = at.iter().map(|e| e.id).collect();
        self.build(|g| g.partial(of.id, by.var, &at))
    }

    pub fn jvp<'k>(&'k self, of: E<'k>, by: V<'k>, along: E<'k>) -> E<'k> {
        self.build(|g| g.jvp(of.id, by.var, along.id))
    }

    /// The derivatives of a scalar by all elements.
    pub fn grad<'k>(&'k self, of: E<'k>, by: V<'k>) -> E<'k> {
        self.table(&by.e.shape(), |at| self.partial(of, by, at))
    }

    /// The derivatives of all elements of an array by all elements of a variable.
    pub fn jacobian<'k>(&'k self, of: E<'k>, by: V<'k>) -> E<'k> {
        let (rows, columns) = (of.shape(), by.e.shape());
        let all: Vec<usize> = rows.iter().chain(&columns).copied().collect();
        self.table(&all, |at| {
            let (row, column) = at.split_at(rows.len());
            self.partial(of.at(row), by, column)
        })
    }

    pub fn hessian<'k>(&'k self, of: E<'k>, by: V<'k>) -> E<'k> {
        self.jacobian(self.grad(of, by), by)
    }

    /// The sum of the derivatives of elements by elements of the same index.
    pub fn divergence<'k>(&'k self, of: E<'k>, by: V<'k>) -> E<'k> {
        if by.e.shape().is_empty() {
            return self.partial(of, by, &[]);
        }
        self.reduce(Red::Sum, &by.e.shape(), |at| self.partial(of.at(at), by, at))
    }

    pub fn laplacian<'k>(&'k self, of: E<'k>, by: V<'k>) -> E<'k> {
        self.divergence(self.grad(of, by), by)
    }

    /// The gradient column by column in forward mode.
    pub fn forward<'k>(&'k self, of: E<'k>, by: V<'k>) -> E<'k> {
        let shape = by.e.shape();
        self.table(&shape, |at| {
            let unit = self.table(&shape, |k| {
                let here = at.iter().zip(k).map(|(a, b)| a.equals(*b)).reduce(|a, b| a.and(b));
                here.map_or(self.real(1.0), |here| self.select(here, self.real(1.0), self.real(0.0)))
            });
            self.jvp(of, by, unit)
        })
    }

    pub fn substitute<'k>(&'k self, e: E<'k>, var: V<'k>, value: E<'k>) -> E<'k> {
        self.build(|g| g.substitute_vars(&[e.id], &[(var.var, value.id)])[0])
    }

    pub fn try_clean<'k>(&'k self, e: E<'k>) -> Result<E<'k>, NotDifferentiable> {
        let id = clean(&mut self.g.borrow_mut(), &[e.id])?[0];
        Ok(self.wrap(id))
    }

    /// The clean form, which has no fault and no derivative left in it.
    pub fn clean<'k>(&'k self, e: E<'k>) -> E<'k> {
        let new = self.try_clean(e).expect("differentiable");
        assert_eq!(verify(&self.g.borrow(), &[new.id]), Ok(()));
        let g = self.g.borrow();
        assert!(
            g.reachable(&[new.id]).iter().all(|id| !matches!(g.node(*id), Node::Partial { .. } | Node::Jvp { .. })),
            "derivatives are worked out"
        );
        new
    }
}

impl<'k> E<'k> {
    pub fn shape(self) -> Vec<usize> {
        self.kit.g.borrow().shape(self.id).to_vec()
    }

    pub fn at(self, places: &[E<'k>]) -> E<'k> {
        let ids: Vec<Id> = places.iter().map(|e| e.id).collect();
        self.kit.build(|g| g.get(self.id, &ids))
    }

    /// The element at constant places.
    pub fn el(self, places: &[i64]) -> E<'k> {
        let places: Vec<E<'k>> = places.iter().map(|k| self.kit.int(*k)).collect();
        self.at(&places)
    }

    pub fn f(self, op: Op) -> E<'k> {
        self.kit.op(op, &[self])
    }

    pub fn f2(self, op: Op, other: E<'k>) -> E<'k> {
        self.kit.op(op, &[self, other])
    }

    pub fn powi(self, n: i64) -> E<'k> {
        self.f2(Op::Powi, self.kit.int(n))
    }

    pub fn exp(self) -> E<'k> {
        self.f(Op::Exp)
    }

    pub fn sin(self) -> E<'k> {
        self.f(Op::Sin)
    }

    pub fn modulo(self, n: i64) -> E<'k> {
        self.f2(Op::Mod, self.kit.int(n))
    }

    pub fn less(self, other: E<'k>) -> E<'k> {
        self.f2(Op::Lt, other)
    }

    pub fn equals(self, other: E<'k>) -> E<'k> {
        self.f2(Op::Eq, other)
    }

    pub fn and(self, other: E<'k>) -> E<'k> {
        self.f2(Op::And, other)
    }

    pub fn value(self, env: &Env) -> Array {
        eval(&self.kit.g.borrow(), self.id, env).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub fn text(self) -> String {
        expression(&self.kit.g.borrow(), self.id)
    }

    /// Number of nodes below.
    pub fn size(self) -> usize {
        self.kit.g.borrow().reachable(&[self.id]).len()
    }

    pub fn has(self, wanted: impl Fn(&Node) -> bool) -> bool {
        let g = self.kit.g.borrow();
        g.reachable(&[self.id]).iter().any(|id| wanted(g.node(*id)))
    }
}

impl From<E<'_>> for Id {
    fn from(e: E<'_>) -> Id {
        e.id
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident) => {
        impl<'k> $trait for E<'k> {
            type Output = E<'k>;
            fn $method(self, other: E<'k>) -> E<'k> {
                self.f2(Op::$trait, other)
            }
        }
        impl<'k> $trait<f64> for E<'k> {
            type Output = E<'k>;
            fn $method(self, other: f64) -> E<'k> {
                self.f2(Op::$trait, self.kit.real(other))
            }
        }
        impl<'k> $trait<i64> for E<'k> {
            type Output = E<'k>;
            fn $method(self, other: i64) -> E<'k> {
                self.f2(Op::$trait, self.kit.int(other))
            }
        }
        impl<'k> $trait<E<'k>> for f64 {
            type Output = E<'k>;
            fn $method(self, other: E<'k>) -> E<'k> {
                other.kit.real(self).f2(Op::$trait, other)
            }
        }
    };
}

operator!(Add, add);
operator!(Sub, sub);
operator!(Mul, mul);
operator!(Div, div);

impl<'k> Neg for E<'k> {
    type Output = E<'k>;
    fn neg(self) -> E<'k> {
        self.f(Op::Neg)
    }
}

/// Equal up to `tol` of 1 and the size; both infinite or not numbers in the same way.
pub fn close(a: f64, b: f64, tol: f64) -> bool {
    a == b || (a - b).abs() <= tol * (1.0 + a.abs().max(b.abs())) || (a.is_nan() && b.is_nan())
}

pub fn assert_close(got: &Array, wanted: &Array, tol: f64, what: &str) {
    assert_eq!(got.shape, wanted.shape, "{what}");
    for (k, (a, b)) in got.values.iter().zip(&wanted.values).enumerate() {
        assert!(close(*a, *b, tol), "{what}, element {k}: {a}, not {b}");
    }
}

/// The clean form has the value that the evaluator gives the raw one. Rules re-order sums and products, which moves
/// results by some ulps of their largest terms; where tests give no other bound, terms are below 1e3.
pub fn agree<'k>(raw: E<'k>, env: &Env) -> E<'k> {
    agree_within(raw, env, 1e-11)
}

pub fn agree_within<'k>(raw: E<'k>, env: &Env, tol: f64) -> E<'k> {
    let new = raw.kit.clean(raw);
    assert_close(&new.value(env), &raw.value(env), tol, &new.text());
    new
}

/// Gradients in reverse and in forward mode against the evaluator's.
pub fn gradients_agree<'k>(of: E<'k>, by: V<'k>, env: &Env) -> E<'k> {
    let reverse = agree(of.kit.grad(of, by), env);
    agree(of.kit.forward(of, by), env);
    reverse
}

/// Numbers in `low..high`, the same every time.
pub fn numbers(n: usize, low: f64, high: f64) -> Vec<f64> {
    // the golden ratio's multiples are spread evenly
    (1..=n).map(|k| low + (high - low) * (k as f64 * 0.618_033_988_749_894_9).fract()).collect()
}

pub fn env_of(values: &[(V<'_>, Vec<f64>)]) -> Env {
    values.iter().map(|(v, x)| (v.var, Array::new(v.e.shape(), x.clone()))).collect()
}
