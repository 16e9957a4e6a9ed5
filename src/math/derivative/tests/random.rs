//! Random nested programs: reverse mode, forward mode, the evaluator's dual numbers and differences agree, and Hessians
//! are symmetric.

use proptest::prelude::*;

use super::kit::*;
use crate::math::array::Array;
use crate::math::eval::Env;
use crate::math::{Op, Red};

/// Elements of the state.
const N: usize = 3;

/// Where the programs are differentiated: away from the threshold of [`Tree::Choice`] by more than the widest stencil.
const POINTS: [[f64; N]; 2] = [[0.62, 1.31, 0.85], [1.4, 0.7, 1.2]];
const THRESHOLD: f64 = 1.0;

/// A smooth program, apart from choices. Functions are composed so that values and slopes stay moderate.
#[derive(Clone, Debug)]
enum Tree {
    Number(f64),
    Param,
    /// the element `k` places after that of the loop around, wrapped
    Element(usize),
    Function(Op, Box<Tree>),
    /// `f(1 + a^2)`, for functions of positive numbers
    Positive(Op, Box<Tree>),
    Sum(Box<Tree>, Box<Tree>),
    Difference(Box<Tree>, Box<Tree>),
    Product(Box<Tree>, Box<Tree>),
    Quotient(Box<Tree>, Box<Tree>),
    /// `(1 + a^2)^tanh(b)`
    Power(Box<Tree>, Box<Tree>),
    Square(Box<Tree>),
    /// `x[k] < threshold ? a : b`
    Choice(usize, Box<Tree>, Box<Tree>),
    /// over a loop of its own
    Loop(Red, Box<Tree>),
    /// an element of an array made by a loop
    Array(usize, Box<Tree>),
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        prop::sample::select(vec![0.5, -1.0, 2.0]).prop_map(Tree::Number),
        Just(Tree::Param),
        (0..N).prop_map(Tree::Element),
        (0..N).prop_map(Tree::Element),
    ];
    leaf.prop_recursive(5, 24, 2, |inner| {
        let one = inner.prop_map(Box::new);
        let two = (one.clone(), one.clone());
        let functions = vec![Op::Sin, Op::Cos, Op::Tanh, Op::Atan, Op::Erf, Op::Sigmoid, Op::Softplus, Op::LogI0];
        let positive = vec![Op::Log, Op::Sqrt, Op::Cbrt, Op::Lgamma, Op::Digamma, Op::Log1p];
        prop_oneof![
            2 => (prop::sample::select(functions), one.clone()).prop_map(|(op, a)| Tree::Function(op, a)),
            1 => (prop::sample::select(positive), one.clone()).prop_map(|(op, a)| Tree::Positive(op, a)),
            1 => two.clone().prop_map(|(a, b)| Tree::Sum(a, b)),
            1 => two.clone().prop_map(|(a, b)| Tree::Difference(a, b)),
            2 => two.clone().prop_map(|(a, b)| Tree::Product(a, b)),
            1 => two.clone().prop_map(|(a, b)| Tree::Quotient(a, b)),
            1 => two.clone().prop_map(|(a, b)| Tree::Power(a, b)),
            1 => one.clone().prop_map(Tree::Square),
            1 => (0..N, two).prop_map(|(k, (a, b))| Tree::Choice(k, a, b)),
            2 => (prop::sample::select(vec![Red::Sum, Red::Prod, Red::LogSumExp]), one.clone())
                .prop_map(|(red, a)| Tree::Loop(red, a)),
            1 => (0..N, one).prop_map(|(k, a)| Tree::Array(k, a)),
        ]
    })
}

/// The state, the parameter and the loop around.
#[derive(Copy, Clone)]
struct Here<'k> {
    kit: &'k Kit,
    x: E<'k>,
    p: E<'k>,
    i: Option<E<'k>>,
}

impl<'k> Here<'k> {
    fn element(self, k: usize) -> E<'k> {
        let place = match self.i {
            Some(i) => (i + k as i64).modulo(N as i64),
            None => self.kit.int(k as i64),
        };
        self.x.at(&[place])
    }

    fn build(self, tree: &Tree) -> E<'k> {
        let kit = self.kit;
        let one_and_square = |a: E<'k>| a.powi(2) + 1.0;
        match tree {
            Tree::Number(c) => kit.real(*c),
            Tree::Param => self.p,
            Tree::Element(k) => self.element(*k),
            Tree::Function(op, a) => self.build(a).f(*op),
            Tree::Positive(op, a) => one_and_square(self.build(a)).f(*op),
            Tree::Sum(a, b) => self.build(a) + self.build(b),
            Tree::Difference(a, b) => self.build(a) - self.build(b),
            Tree::Product(a, b) => self.build(a) * self.build(b),
            Tree::Quotient(a, b) => self.build(a) / one_and_square(self.build(b)),
            Tree::Power(a, b) => one_and_square(self.build(a)).f2(Op::Pow, self.build(b).f(Op::Tanh)),
            Tree::Square(a) => self.build(a).powi(2),
            Tree::Choice(k, a, b) => {
                let below = self.element(*k).less(kit.real(THRESHOLD));
                kit.select(below, self.build(a), self.build(b))
            }
            Tree::Loop(red, a) => kit.reduce(*red, &[N], |at| Here { i: Some(at[0]), ..self }.build(a)),
            Tree::Array(k, a) => {
                let array = kit.map(N, |i| Here { i: Some(i), ..self }.build(a));
                let place = self.i.map_or(kit.int(*k as i64), |i| (i * 2 + *k as i64).modulo(N as i64));
                array.at(&[place])
            }
        }
    }
}

/// The slope of `f` at 0 by central differences, extrapolated to no step (Ridders 1982).
fn slope(f: impl Fn(f64) -> f64) -> f64 {
    let (shrink, mut h) = (1.4f64, 0.08);
    let mut last: Vec<f64> = Vec::new();
    let (mut best, mut error) = (f64::NAN, f64::INFINITY);
    for _ in 0..12 {
        let mut row = vec![(f(h) - f(-h)) / (2.0 * h)];
        let mut factor = shrink * shrink;
        for (k, old) in last.iter().enumerate() {
            let new = (factor * row[k] - old) / (factor - 1.0);
            let moved = (new - row[k]).abs().max((new - old).abs());
            if moved < error {
                (best, error) = (new, moved);
            }
            row.push(new);
            factor *= shrink * shrink;
        }
        last = row;
        h /= shrink;
    }
    best
}

/// Programs whose values or slopes are huge lose too many digits to be compared.
fn moderate(a: &Array) -> bool {
    a.values.iter().all(|v| v.abs() < 1e4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn all_ways_agree(tree in tree()) {
        let k = Kit::default();
        let (x, p) = (k.state("x", &[N]), k.param("p", &[]));
        let f = Here { kit: &k, x: x.e, p: p.e, i: None }.build(&tree);
        for point in POINTS {
            agree_at(f, x, |moved| env_of(&[(x, moved.to_vec()), (p, vec![0.7])]), point)?;
        }
    }
}

fn agree_at(f: E<'_>, x: V<'_>, env_at: impl Fn([f64; N]) -> Env, point: [f64; N]) -> Result<(), TestCaseError> {
    let (k, env) = (f.kit, env_at(point));
    prop_assume!([f, k.grad(f, x), k.hessian(f, x)].into_iter().all(|e| moderate(&e.value(&env))));
    // the largest partial results are some orders above the values
    let reverse = agree_within(k.grad(f, x), &env, 1e-9).value(&env);
    agree_within(k.forward(f, x), &env, 1e-9);
    for (j, got) in reverse.values.iter().enumerate() {
        let wanted = slope(|h| {
            let mut moved = point;
            moved[j] += h;
            f.value(&env_at(moved)).values[0]
        });
        prop_assert!(close(*got, wanted, 1e-6), "{}: by element {j} {got}, not {wanted}", f.text());
    }
    let hessian = agree_within(k.hessian(f, x), &env, 1e-8).value(&env).values;
    for (a, b) in (0..N).flat_map(|a| (0..a).map(move |b| (a, b))) {
        let (one, other) = (hessian[a * N + b], hessian[b * N + a]);
        prop_assert!(close(one, other, 1e-8), "{}: {one} and {other} at {a}, {b}", f.text());
    }
    Ok(())
}
