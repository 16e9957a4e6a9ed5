//! Sums in fewer operations: how many are left, and that the values stay.

use super::*;
use crate::step::program::{Inst, Value};

/// Names for one step of a scalar model.
struct Model {
    g: Graph,
    x: VarId,
    y: VarId,
    a: Id,
    b: Id,
    dt: Id,
}

impl Model {
    fn new() -> Model {
        let mut g = Graph::new();
        let [x, y] = ["x", "y"].map(|n| g.new_var(n, VarKind::State, Ty::Real, vec![]));
        let [a, b] = ["a", "b"].map(|n| g.new_var(n, VarKind::Param, Ty::Real, vec![]));
        let dt = g.new_var("dt", VarKind::Dt, Ty::Real, vec![]);
        let [a, b, dt] = [a, b, dt].map(|v| g.var(v));
        Model { g, x, y, a, b, dt }
    }

    fn op(&mut self, op: Op, a: Id, b: Id) -> Id {
        self.g.op(op, &[a, b])
    }

    /// The arithmetic of the step `x' = root`, which both back ends agree on and the evaluator confirms.
    fn operations(self, root: Id) -> usize {
        let states = vec![self.x, self.y];
        let case = Case::new(self.g, Spec { states, renew: vec![(self.x, root)], outs: vec![] });
        agree(&case, 3);
        near_eval(&case, 3, 1e-13);
        let arithmetic = |i: &&Inst| {
            matches!(i, Inst::Let(_, Value::Unary(..) | Value::Binary(..) | Value::Fused(..) | Value::Select(..)))
        };
        case.program.body.iter().filter(arithmetic).count()
    }
}

#[test]
fn like_terms_with_uniform_coefficients_are_one_term() {
    // x + dt*(a*(y - x) - b*x)
    let mut m = Model::new();
    let (x, y) = (m.g.var(m.x), m.g.var(m.y));
    let pull = m.op(Op::Sub, y, x);
    let pull = m.op(Op::Mul, m.a, pull);
    let decay = m.op(Op::Mul, m.b, x);
    let drift = m.op(Op::Sub, pull, decay);
    let drift = m.op(Op::Mul, m.dt, drift);
    let root = m.op(Op::Add, x, drift);
    assert_eq!(m.operations(root), 2);
}

#[test]
fn factors_that_terms_share_come_out() {
    // a*x - x^3 + b*x*y
    let mut m = Model::new();
    let (x, y) = (m.g.var(m.x), m.g.var(m.y));
    let three = m.g.int(3);
    let linear = m.op(Op::Mul, m.a, x);
    let cube = m.op(Op::Powi, x, three);
    let cross = m.op(Op::Mul, x, y);
    let cross = m.op(Op::Mul, m.b, cross);
    let root = m.op(Op::Sub, linear, cube);
    let root = m.op(Op::Add, root, cross);
    assert_eq!(m.operations(root), 3);
}

#[test]
fn sums_that_are_needed_elsewhere_stay() {
    // s = x + a*y is stored, and x + dt*s as well
    let mut m = Model::new();
    let (x, y) = (m.g.var(m.x), m.g.var(m.y));
    let term = m.op(Op::Mul, m.a, y);
    let s = m.op(Op::Add, x, term);
    let drift = m.op(Op::Mul, m.dt, s);
    let root = m.op(Op::Add, x, drift);
    let states = vec![m.x, m.y];
    let case = Case::new(m.g, Spec { states, renew: vec![(m.x, root), (m.y, s)], outs: vec![] });
    near_eval(&case, 3, 1e-13);
    let fused = case.program.body.iter().filter(|i| matches!(i, Inst::Let(_, Value::Fused(..)))).count();
    assert_eq!(fused, 2, "{}", case.program);
}

#[test]
fn products_with_a_zero_by_its_form_are_zero() {
    // sum(j) [j == 0]*a*(x, y)[j], with the bounds written out here
    let mut m = Model::new();
    let (x, y) = (m.g.var(m.x), m.g.var(m.y));
    let vector = m.g.lit(vec![2], vec![x, y]);
    let j = m.g.fresh_index(2);
    let (jj, zero) = (m.g.index(j), m.g.int(0));
    let here = m.op(Op::Eq, jj, zero);
    let nothing = m.g.real(0.0);
    let coefficient = m.g.op(Op::Select, &[here, m.a, nothing]);
    let element = m.g.get(vector, &[jj]);
    let term = m.op(Op::Mul, coefficient, element);
    let root = m.g.reduce(crate::math::Red::Sum, &[j], term);
    assert_eq!(m.operations(root), 1);
}
