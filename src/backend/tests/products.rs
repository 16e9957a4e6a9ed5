//! Products of matrices: which sums become one, and that they mean what the sums mean.

use super::*;
use crate::math::Red;
use crate::step::program::{Factor, Index, Inst, Product, Space};

/// A model under construction, with one state.
struct Model {
    g: Graph,
    state: VarId,
    x: Id,
}

impl Model {
    fn new(shape: &[usize]) -> Model {
        let mut g = Graph::new();
        let state = g.new_var("x", VarKind::State, Ty::Real, shape.to_vec());
        let x = g.var(state);
        Model { g, state, x }
    }

    fn data(&mut self, shape: &[usize], seed: u64) -> Id {
        let count = shape.iter().product::<usize>() as u64;
        let values: Vec<f64> = (0..count).map(|k| number(seed, k)).collect();
        let data = self.g.new_data("d", shape.to_vec(), values.into());
        self.g.data_node(data)
    }

    /// An array over some extents, from the nodes of its indices.
    fn map(&mut self, extents: &[usize], body: impl FnOnce(&mut Model, &[Id]) -> Id) -> Id {
        let bounds: Vec<_> = extents.iter().map(|n| self.g.fresh_index(*n)).collect();
        let at: Vec<Id> = bounds.iter().map(|b| self.g.index(*b)).collect();
        let body = body(self, &at);
        self.g.map(&bounds, body)
    }

    fn sum(&mut self, n: usize, body: impl FnOnce(&mut Model, Id) -> Id) -> Id {
        let j = self.g.fresh_index(n);
        let at = self.g.index(j);
        let body = body(self, at);
        self.g.reduce(Red::Sum, &[j], body)
    }

    fn mul(&mut self, a: Id, b: Id) -> Id {
        self.g.op(Op::Mul, &[a, b])
    }

    /// The sum of `a[i, j]*x[j]` over `j`.
    fn times(&mut self, a: Id, x: Id, i: Id) -> Id {
        let n = self.g.shape(x)[0];
        self.sum(n, |m, j| {
            let (a, x) = (m.g.get(a, &[i, j]), m.g.get(x, &[j]));
            m.mul(a, x)
        })
    }

    fn case(self, next: Id) -> Case {
        let spec = Spec { states: vec![self.state], renew: vec![(self.state, next)], outs: vec![] };
        Case::new(self.g, spec)
    }
}

fn products(p: &Program) -> Vec<&Product> {
    p.body.iter().filter_map(|i| if let Inst::Product(p) = i { Some(p) } else { None }).collect()
}

/// Both back ends and the evaluator agree, and there are as many products as expected.
fn check(case: &Case, count: usize) {
    assert_eq!(products(&case.program).len(), count, "{}", case.program);
    agree(case, 3);
    near_eval(case, 3, 1e-11);
}

#[test]
fn a_matrix_and_its_transpose_share_a_table() {
    let (n, k) = (23, 18);
    let mut m = Model::new(&[k]);
    let (a, y) = (m.data(&[n, k], 5), m.data(&[n], 6));
    let x = m.x;
    let residual = m.map(&[n], |m, i| {
        let line = m.times(a, x, i[0]);
        let p = m.g.op(Op::Sigmoid, &[line]);
        let y = m.g.get(y, i);
        m.g.op(Op::Sub, &[y, p])
    });
    let next = m.map(&[k], |m, i| {
        let back = m.sum(n, |m, j| {
            let (a, r) = (m.g.get(a, &[j, i[0]]), m.g.get(residual, &[j]));
            m.mul(a, r)
        });
        let x = m.g.get(x, i);
        m.g.op(Op::Add, &[x, back])
    });
    let case = m.case(next);
    check(&case, 2);
    assert_eq!(case.program.run_len, n * k + n, "{}", case.program);
    let steps: Vec<[usize; 2]> = products(&case.program).iter().map(|p| p.shape.a).collect();
    assert_eq!(steps, [[k, 1], [1, k]]);
}

#[test]
fn what_is_no_array_yet_is_written_first() {
    let n = 20;
    let mut m = Model::new(&[n]);
    let (a, s, x) = (m.data(&[n, n], 5), m.data(&[n], 6), m.x);
    // scaled columns and a sign go to the table; the square of the state is a row of its own
    let next = m.map(&[n], |m, i| {
        m.sum(n, |m, j| {
            let (a, s, x) = (m.g.get(a, &[i[0], j]), m.g.get(s, &[j]), m.g.get(x, &[j]));
            let weight = m.mul(a, s);
            let square = m.mul(x, x);
            let term = m.mul(weight, square);
            m.g.op(Op::Neg, &[term])
        })
    });
    check(&m.case(next), 1);
}

#[test]
fn layers_follow_one_another() {
    let n = 24;
    let mut m = Model::new(&[n]);
    let (a, b, x) = (m.data(&[n, n], 5), m.data(&[n, n], 6), m.x);
    let hidden = m.map(&[n], |m, i| {
        let line = m.times(a, x, i[0]);
        m.g.op(Op::Tanh, &[line])
    });
    let next = m.map(&[n], |m, i| m.times(b, hidden, i[0]));
    check(&m.case(next), 2);
}

#[test]
fn particles_with_features_are_one_product() {
    let (p, d, k) = (5, 7, 19);
    let mut m = Model::new(&[p, d]);
    let (w, v, x) = (m.data(&[d, k], 5), m.data(&[k, d], 6), m.x);
    let features = m.map(&[p, k], |m, at| {
        m.sum(d, |m, j| {
            let (x, w) = (m.g.get(x, &[at[0], j]), m.g.get(w, &[j, at[1]]));
            m.mul(x, w)
        })
    });
    let next = m.map(&[p, d], |m, at| {
        m.sum(k, |m, j| {
            let (f, v) = (m.g.get(features, &[at[0], j]), m.g.get(v, &[j, at[1]]));
            let f = m.g.op(Op::Sin, &[f]);
            m.mul(f, v)
        })
    });
    let case = m.case(next);
    check(&case, 2);
    let columns: Vec<usize> = products(&case.program).iter().map(|q| q.shape.columns).collect();
    assert_eq!(columns, [p, p]);
}

#[test]
fn matrices_of_states() {
    let n = 17;
    let mut m = Model::new(&[n, n]);
    let x = m.x;
    let square = m.map(&[n, n], |m, at| {
        m.sum(n, |m, j| {
            let (a, b) = (m.g.get(x, &[at[0], j]), m.g.get(x, &[j, at[1]]));
            m.mul(a, b)
        })
    });
    let case = m.case(square);
    check(&case, 1);
    let product = products(&case.program)[0];
    assert_eq!(product.a, Factor::Rows(Space::State, Index::of(0)));
    assert_eq!(product.shape.columns, n);
}

/// The new positions are multiplied in the same step: they have to be written before.
#[test]
fn new_states_that_are_multiplied_are_written_first() {
    let n = 21;
    let mut g = Graph::new();
    let [q, p] = ["q", "p"].map(|name| g.new_var(name, VarKind::State, Ty::Real, vec![n]));
    let (qv, pv) = (g.var(q), g.var(p));
    let mut m = Model { g, state: q, x: qv };
    let a = m.data(&[n, n], 5);
    let moved = m.map(&[n], |m, i| {
        let (q, p) = (m.g.get(qv, i), m.g.get(pv, i));
        let p = m.g.op(Op::Sin, &[p]);
        m.g.op(Op::Add, &[q, p])
    });
    let kicked = m.map(&[n], |m, i| {
        let force = m.times(a, moved, i[0]);
        let p = m.g.get(pv, i);
        m.g.op(Op::Sub, &[p, force])
    });
    let spec = Spec { states: vec![q, p], renew: vec![(q, moved), (p, kicked)], outs: vec![] };
    let case = Case::new(m.g, spec);
    check(&case, 1);
    assert_eq!(products(&case.program)[0].space, Space::Next, "{}", case.program);
}

/// The gradient of a quadratic form, `(k + k')@x`, takes one product.
#[test]
fn products_with_the_same_rows_are_one() {
    let n = 19;
    let mut m = Model::new(&[n]);
    let (a, x) = (m.data(&[n, n], 5), m.x);
    let next = m.map(&[n], |m, i| {
        let half = m.g.real(0.5);
        let there = m.times(a, x, i[0]);
        let back = m.sum(n, |m, j| {
            let (a, x) = (m.g.get(a, &[j, i[0]]), m.g.get(x, &[j]));
            m.mul(a, x)
        });
        let (there, back) = (m.mul(half, there), m.mul(half, back));
        m.g.op(Op::Sub, &[there, back])
    });
    check(&m.case(next), 1);
}

#[test]
fn small_sums_stay_code() {
    for n in [3, 7] {
        let mut m = Model::new(&[n]);
        let (a, x) = (m.data(&[n, n], 5), m.x);
        let next = m.map(&[n], |m, i| m.times(a, x, i[0]));
        check(&m.case(next), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// A sum has the same bits as a product and as a loop, which a second index of extent one keeps it.
    #[test]
    fn products_have_the_bits_of_loops(n in 8usize..40, k in 17usize..40, seed in 0u64..1000) {
        let run = |looped: bool| {
            let mut m = Model::new(&[k]);
            let (a, x) = (m.data(&[n, k], seed), m.x);
            let product = m.map(&[n], |m, i| {
                let (one, j) = (m.g.fresh_index(1), m.g.fresh_index(k));
                let at = m.g.index(j);
                let (a, x) = (m.g.get(a, &[i[0], at]), m.g.get(x, &[at]));
                let term = m.mul(a, x);
                m.g.reduce(Red::Sum, &[one, j][usize::from(!looped)..], term)
            });
            let spec = Spec { states: vec![m.state], renew: vec![], outs: vec![product] };
            let case = Case::new(m.g, spec);
            assert_eq!(products(&case.program).len(), usize::from(!looped), "{}", case.program);
            agree(&case, seed);
            let mut memory = case.memory(8, 1, seed, true);
            memory.run(&interpreter::Interpreter::new(&case.program));
            (memory.out, case.program)
        };
        let ((product, program), (sum, _)) = (run(false), run(true));
        assert_same("out", &product, &sum, &program);
    }
}
