//! Values by hand, laziness, sharing, reuse; derivatives have a file of their own.

mod derivatives;

use super::*;
use crate::math::{Dense, IndexVar, Op, Red, Ty, VarKind};
use std::sync::Arc;

fn state(g: &mut Graph, name: &str, shape: &[usize]) -> VarId {
    g.new_var(name, VarKind::State, Ty::Real, shape.to_vec())
}

fn value(g: &Graph, root: Id, env: &Env) -> f64 {
    let a = eval(g, root, env).expect("the graph has a value");
    assert!(a.is_scalar());
    a.values[0]
}

fn element(g: &mut Graph, array: Id, i: IndexVar) -> Id {
    let i = g.index(i);
    g.get(array, &[i])
}

/// sum(0.5*(phi - roll(phi, 1))^2 + 0.25*phi^4 - 0.5*phi^2) as the elaborator writes it, array by array.
fn phi4(g: &mut Graph, n: usize) -> (VarId, Id) {
    let v = state(g, "phi", &[n]);
    let phi = g.var(v);
    let i = g.fresh_index(n);
    let (at, one, extent) = (g.index(i), g.int(1), g.int(n as i64));
    let before = g.op(Op::Sub, &[at, one]);
    let before = g.op(Op::Mod, &[before, extent]);
    let moved = g.get(phi, &[before]);
    let rolled = g.map(&[i], moved);
    let i = g.fresh_index(n);
    let (p, q) = (element(g, phi, i), element(g, rolled, i));
    let d = g.op(Op::Sub, &[p, q]);
    let difference = g.map(&[i], d);
    let i = g.fresh_index(n);
    let (p, d) = (element(g, phi, i), element(g, difference, i));
    let (half, quarter, two, four) = (g.real(0.5), g.real(0.25), g.int(2), g.int(4));
    let d2 = g.op(Op::Powi, &[d, two]);
    let p4 = g.op(Op::Powi, &[p, four]);
    let p2 = g.op(Op::Powi, &[p, two]);
    let (a, b, c) = (g.op(Op::Mul, &[half, d2]), g.op(Op::Mul, &[quarter, p4]), g.op(Op::Mul, &[half, p2]));
    let s = g.op(Op::Add, &[a, b]);
    let s = g.op(Op::Sub, &[s, c]);
    (v, g.reduce(Red::Sum, &[i], s))
}

fn phi4_value(x: &[f64]) -> f64 {
    let n = x.len();
    (0..n)
        .map(|i| {
            let d = x[i] - x[(i + n - 1) % n];
            0.5 * d * d + 0.25 * x[i].powi(4) - 0.5 * x[i] * x[i]
        })
        .sum()
}

#[test]
fn a_lattice_of_1600_sites() {
    let mut g = Graph::new();
    let (v, energy) = phi4(&mut g, 1600);
    let x: Vec<f64> = (0..1600).map(|i| (0.1 * i as f64).sin()).collect();
    let env = Env::from_iter([(v, x.clone())]);
    let wanted = phi4_value(&x);
    assert!((value(&g, energy, &env) - wanted).abs() < 1e-11 * wanted.abs());
}

#[test]
fn the_gradient_of_a_lattice() {
    let mut g = Graph::new();
    let (v, energy) = phi4(&mut g, 30);
    let i = g.fresh_index(30);
    let at = g.index(i);
    let p = g.partial(energy, v, &[at]);
    let gradient = g.map(&[i], p);
    let x: Vec<f64> = (0..30).map(|i| (0.7 * i as f64).cos()).collect();
    let got = eval(&g, gradient, &Env::from_iter([(v, x.clone())])).expect("a gradient");
    for k in 0..30 {
        let wanted = 2.0 * x[k] - x[(k + 29) % 30] - x[(k + 1) % 30] + x[k].powi(3) - x[k];
        assert!((got.values[k] - wanted).abs() < 1e-14);
    }
}

#[test]
fn products_of_matrices_and_scatter() {
    let mut g = Graph::new();
    let data = g.new_data("A", vec![2, 3], Arc::from([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    let (a, x) = (g.data_node(data), state(&mut g, "x", &[3]));
    let xs = g.var(x);
    let (i, j) = (g.fresh_index(2), g.fresh_index(3));
    let (ii, jj) = (g.index(i), g.index(j));
    let (aij, xj) = (g.get(a, &[ii, jj]), g.get(xs, &[jj]));
    let term = g.op(Op::Mul, &[aij, xj]);
    let row = g.reduce(Red::Sum, &[j], term);
    let ax = g.map(&[i], row);
    let env = Env::from_iter([(x, vec![1.0, 0.0, -1.0])]);
    assert_eq!(eval(&g, ax, &env), Ok(Array::vector(vec![-2.0, -2.0])));
    // sums of the columns, by adding row after row
    let columns = g.scatter(vec![3], &[i, j], &[jj], aij);
    assert_eq!(eval(&g, columns, &env), Ok(Array::vector(vec![5.0, 7.0, 9.0])));
}

#[test]
fn reductions() {
    let mut g = Graph::new();
    let x = state(&mut g, "x", &[4]);
    let xs = g.var(x);
    let i = g.fresh_index(4);
    let xi = element(&mut g, xs, i);
    let zero = g.real(0.0);
    let positive = g.op(Op::Lt, &[zero, xi]);
    let env = Env::from_iter([(x, vec![2.0, -1.0, 3.0, 3.0])]);
    let cases = [
        (Red::Sum, xi, 7.0),
        (Red::Prod, xi, -18.0),
        (Red::Max, xi, 3.0),
        (Red::Min, xi, -1.0),
        (Red::Argmax, xi, 2.0),
        (Red::Argmin, xi, 1.0),
        (Red::Any, positive, 1.0),
        (Red::All, positive, 0.0),
    ];
    for (red, body, wanted) in cases {
        let r = g.reduce(red, &[i], body);
        assert_eq!(value(&g, r, &env), wanted, "{}", red.name());
    }
    let lse = g.reduce(Red::LogSumExp, &[i], xi);
    let wanted = [2.0f64, -1.0, 3.0, 3.0].iter().map(|x| x.exp()).sum::<f64>().ln();
    assert!((value(&g, lse, &env) - wanted).abs() < 1e-15);
    let env = Env::from_iter([(x, vec![-2000.0, -2000.0, f64::NEG_INFINITY, -2000.0])]);
    assert!((value(&g, lse, &env) - (3f64.ln() - 2000.0)).abs() < 1e-12);
    let env = Env::from_iter([(x, vec![1.0, f64::NAN, 9.0, 0.0])]);
    let top = g.reduce(Red::Max, &[i], xi);
    assert!(value(&g, top, &env).is_nan());
}

#[test]
fn reductions_of_nothing() {
    let mut g = Graph::new();
    let i = g.fresh_index(0);
    let at = g.index(i);
    let body = g.op(Op::ToReal, &[at]);
    let env = Env::new();
    for (red, wanted) in [(Red::Sum, 0.0), (Red::Prod, 1.0), (Red::Max, f64::NEG_INFINITY), (Red::All, 1.0)] {
        let r = g.reduce(red, &[i], body);
        assert_eq!(value(&g, r, &env), wanted);
    }
    let r = g.reduce(Red::Argmax, &[i], body);
    assert_eq!(eval(&g, r, &env), Err(EvalError::Empty));
}

#[test]
fn a_branch_that_is_not_taken_is_not_worked_out() {
    let mut g = Graph::new();
    let (x, unset) = (state(&mut g, "x", &[3]), state(&mut g, "unset", &[]));
    let xs = g.var(x);
    let i = g.fresh_index(3);
    let (at, one, zero) = (g.index(i), g.int(1), g.int(0));
    let before = g.op(Op::Sub, &[at, one]);
    let outside = g.get(xs, &[before]);
    let inside = g.op(Op::Lt, &[zero, at]);
    let nothing = g.real(0.0);
    let safe = g.op(Op::Select, &[inside, outside, nothing]);
    let shifted = g.map(&[i], safe);
    let env = Env::from_iter([(x, vec![1.0, 2.0, 3.0])]);
    assert_eq!(eval(&g, shifted, &env), Ok(Array::vector(vec![0.0, 1.0, 2.0])));
    // `and` asks for its second argument only where it matters
    let big = g.op(Op::Lt, &[nothing, outside]);
    let both = g.op(Op::And, &[inside, big]);
    let flags = g.map(&[i], both);
    assert_eq!(eval(&g, flags, &env), Ok(Array::vector(vec![0.0, 1.0, 1.0])));
    // without the guard
    let bare = g.map(&[i], outside);
    assert_eq!(eval(&g, bare, &env), Err(EvalError::Index { index: -1.0, extent: 3 }));
    // not even a missing variable, or NaN in a derivative, has influence
    let (yes, u) = (g.boolean(true), g.var(unset));
    let choice = g.op(Op::Select, &[yes, nothing, u]);
    assert_eq!(value(&g, choice, &env), 0.0);
}

#[test]
fn errors_name_their_cause() {
    let mut g = Graph::new();
    let x = state(&mut g, "speed", &[2]);
    let xs = g.var(x);
    assert_eq!(eval(&g, xs, &Env::new()), Err(EvalError::Missing { name: "speed".into() }));
    let env = Env::from_iter([(x, 1.0)]);
    let wrong = EvalError::Shape { name: "speed".into(), wanted: vec![2], given: vec![] };
    assert_eq!(eval(&g, xs, &env), Err(wrong));
    let i = g.fresh_index(2);
    let free = element(&mut g, xs, i);
    assert_eq!(eval(&g, free, &env), Err(EvalError::FreeIndex));
    assert_eq!(EvalError::Missing { name: "speed".into() }.to_string(), "`speed` has no value");
}

/// Each level doubles the one before by reading it twice: 2^60 paths through 60 nodes.
#[test]
fn shared_parts_are_worked_out_once() {
    let mut g = Graph::new();
    let x = state(&mut g, "x", &[3]);
    let xs = g.var(x);
    let i = g.fresh_index(3);
    let mut y = element(&mut g, xs, i);
    for _ in 0..60 {
        y = g.op(Op::Add, &[y, y]);
    }
    let doubled = g.map(&[i], y);
    let env = Env::from_iter([(x, vec![1.0, 2.0, 3.0])]);
    let unit = 2f64.powi(60);
    assert_eq!(eval(&g, doubled, &env), Ok(Array::vector(vec![unit, 2.0 * unit, 3.0 * unit])));
    let at = g.int(1);
    let sum = g.reduce(Red::Sum, &[i], y);
    let slope = g.partial(sum, x, &[at]);
    assert_eq!(value(&g, slope, &env), unit);
}

/// The inner array depends on the outer index: its values may not be kept from one turn to the next.
#[test]
fn values_under_loops_follow_the_indices() {
    let mut g = Graph::new();
    let (i, j, k) = (g.fresh_index(3), g.fresh_index(4), g.fresh_index(4));
    let (ii, jj, kk) = (g.index(i), g.index(j), g.index(k));
    let product = g.op(Op::Mul, &[ii, jj]);
    let row = g.map(&[j], product);
    let shifted = g.get(row, &[kk]);
    let with_i = g.op(Op::Add, &[shifted, ii]);
    let sum = g.reduce(Red::Sum, &[k], with_i);
    let all = g.map(&[i], sum);
    // sum_k (i k + i) = 10 i
    assert_eq!(eval(&g, all, &Env::new()), Ok(Array::vector(vec![0.0, 10.0, 20.0])));
}

#[test]
fn elements_that_are_not_read_are_not_worked_out() {
    let mut g = Graph::new();
    let unset = state(&mut g, "unset", &[]);
    let (u, one, at) = (g.var(unset), g.real(1.0), g.int(1));
    let pair = g.lit(vec![2], vec![u, one]);
    let second = g.get(pair, &[at]);
    assert_eq!(value(&g, second, &Env::new()), 1.0);
}

#[test]
fn long_chains_take_no_stack() {
    let mut g = Graph::new();
    let x = state(&mut g, "x", &[]);
    let xs = g.var(x);
    let mut y = xs;
    for _ in 0..50_000 {
        y = g.op(Op::Add, &[y, xs]);
    }
    let env = Env::from_iter([(x, 1.0)]);
    assert_eq!(value(&g, y, &env), 50_001.0);
    let slope = g.partial(y, x, &[]);
    assert_eq!(value(&g, slope, &env), 50_001.0);
    // 3,000 turns of a loop written out, on an array
    let v = state(&mut g, "v", &[2]);
    let mut w = g.var(v);
    for _ in 0..3_000 {
        let i = g.fresh_index(2);
        let e = element(&mut g, w, i);
        let s = g.op(Op::Add, &[e, xs]);
        w = g.map(&[i], s);
    }
    let mut env = env;
    env.set(v, vec![0.0, 1.0]);
    assert_eq!(eval(&g, w, &env), Ok(Array::vector(vec![3_000.0, 3_001.0])));
}

/// Branches inside branches cannot be worked out ahead; they end in an error, not in an exhausted stack.
#[test]
fn deep_nesting_is_an_error() {
    let mut g = Graph::new();
    let x = state(&mut g, "x", &[]);
    let xs = g.var(x);
    let mut y = xs;
    for k in 0..20_000 {
        let limit = g.real(f64::from(k));
        let c = g.op(Op::Lt, &[limit, xs]);
        y = g.op(Op::Select, &[c, limit, y]);
    }
    assert_eq!(eval(&g, y, &Env::from_iter([(x, -1.0)])), Err(EvalError::TooDeep));
    let slope = g.partial(y, x, &[]);
    assert_eq!(eval(&g, slope, &Env::from_iter([(x, -1.0)])), Err(EvalError::TooDeep));
    let mut z = xs;
    for k in 0..20_000 {
        let v = g.real(f64::from(k));
        let c = g.op(Op::Lt, &[v, xs]);
        let i = g.fresh_index(1);
        let inner = g.op(Op::Select, &[c, v, z]);
        z = g.reduce(Red::LogSumExp, &[i], inner);
        z = g.op(Op::Neg, &[z]);
        let i = g.int(0);
        let pair = g.lit(vec![1], vec![z]);
        z = g.get(pair, &[i]);
    }
    let slope = g.partial(z, x, &[]);
    assert_eq!(eval(&g, slope, &Env::from_iter([(x, -1.0)])), Err(EvalError::TooDeep));
}

#[test]
fn an_evaluator_follows_its_inputs() {
    let mut g = Graph::new();
    let k = g.new_var("k", VarKind::Param, Ty::Real, vec![]);
    let t = g.new_var("t", VarKind::Time, Ty::Real, vec![]);
    let a = g.new_var("a", VarKind::Param, Ty::Real, vec![2, 2]);
    let (kk, tt, aa) = (g.var(k), g.var(t), g.var(a));
    let det = g.dense(Dense::Det, &[aa]);
    let kt = g.op(Op::Mul, &[kk, tt]);
    let root = g.op(Op::Add, &[kt, det]);
    let mut e = Evaluator::new(Functions::Libm);
    e.set_scalar(&g, k, 2.0);
    assert_eq!(e.scalar(&g, root), Err(EvalError::Missing { name: "t".into() }));
    e.set_scalar(&g, t, 3.0);
    e.set(&g, a, Array::new(vec![2, 2], vec![1.0, 2.0, 3.0, 4.0]));
    assert_eq!(e.scalar(&g, root), Ok(4.0));
    e.set_scalar(&g, t, 5.0);
    assert_eq!(e.scalar(&g, root), Ok(8.0));
    e.set_scalar(&g, k, -1.0);
    assert_eq!(e.scalar(&g, root), Ok(-7.0));
    e.set(&g, a, Array::new(vec![2, 2], vec![1.0, 0.0, 0.0, 1.0]));
    assert_eq!(e.scalar(&g, root), Ok(-4.0));
    // the graph may grow
    let twice = g.op(Op::Add, &[root, root]);
    assert_eq!(e.scalar(&g, twice), Ok(-8.0));
    assert_eq!(e.eval(&g, aa), Ok(Array::new(vec![2, 2], vec![1.0, 0.0, 0.0, 1.0])));
}

/// The rate of work of the plain path, with room for a slow machine and an unoptimised build.
#[test]
fn a_step_table_is_quick() {
    let mut g = Graph::new();
    let t = g.new_var("t", VarKind::Time, Ty::Real, vec![]);
    let mut y = g.var(t);
    for k in 0..100 {
        let c = g.real(0.9 + 1e-4 * f64::from(k));
        let m = g.op(Op::Mul, &[y, c]);
        y = g.op(Op::Add, &[m, c]);
    }
    let mut e = Evaluator::new(Functions::Libm);
    let start = std::time::Instant::now();
    for step in 0..1000 {
        e.set_scalar(&g, t, f64::from(step));
        e.scalar(&g, y).expect("a value");
    }
    let per_op = start.elapsed().as_secs_f64() / 200_000.0;
    assert!(per_op < 5e-6, "{per_op} s an operation");
}
