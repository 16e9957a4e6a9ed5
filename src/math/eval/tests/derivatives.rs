//! Dual numbers against central differences and closed forms.

use super::*;

/// Points at which an operation is differentiated, and its arguments that are varied.
fn points(op: Op) -> (&'static [&'static [f64]], usize) {
    use Op::*;
    match op {
        Add | Sub | Mul => (&[&[0.7, -1.3]], 2),
        Div => (&[&[0.7, -1.3], &[-2.0, 0.4]], 2),
        Neg | Exp | Expm1 | Sin | Cos | Tan | Atan | Sinh | Cosh | Tanh | Erf | Erfc | Sigmoid | Softplus => {
            (&[&[0.7], &[-1.3], &[0.0]], 1)
        }
        Pow => (&[&[1.7, 2.3], &[0.2, -1.5]], 2),
        Powi => (&[&[-1.7, 3.0], &[0.4, -2.0], &[0.0, 1.0], &[0.3, 0.0]], 1),
        Abs | Sign => (&[&[0.7], &[-1.3]], 1),
        Floor | Ceil => (&[&[0.7], &[-1.3]], 1),
        Min | Max => (&[&[0.7, -1.3], &[-0.7, 1.3]], 2),
        Mod => (&[&[7.3, 2.0], &[-1.2, 0.7]], 2),
        Log | Sqrt | Cbrt | Lgamma | Digamma => (&[&[0.7], &[3.1]], 1),
        Log1p => (&[&[-0.4], &[3.1]], 1),
        Asin | Acos | Erfinv => (&[&[0.3], &[-0.8]], 1),
        Atan2 => (&[&[0.3, 0.9], &[-0.4, -1.1], &[1.0, 0.0]], 2),
        Logit => (&[&[0.3], &[0.8]], 1),
        Logaddexp => (&[&[0.3, -0.8], &[-2.0, 1.5]], 2),
        // the order is a constant
        Polygamma => (&[&[1.0, 0.7], &[2.0, 3.1]], 0),
        GammaP => (&[&[1.7, 0.9], &[0.6, 3.0], &[4.0, 7.0]], 2),
        LogI0 | BesselRatio => (&[&[0.0], &[0.7], &[-1.3], &[40.0]], 1),
        StopGrad | ToReal | IntDiv | Lt | Le | Eq | Ne | And | Or | Not | Select => (&[], 0),
    }
}

const ALL: [Op; 53] = {
    use Op::*;
    [
        Add,
        Sub,
        Mul,
        Div,
        Neg,
        Pow,
        Powi,
        Abs,
        Sign,
        Floor,
        Ceil,
        Min,
        Max,
        Mod,
        IntDiv,
        Exp,
        Expm1,
        Log,
        Log1p,
        Sqrt,
        Cbrt,
        Sin,
        Cos,
        Tan,
        Asin,
        Acos,
        Atan,
        Atan2,
        Sinh,
        Cosh,
        Tanh,
        Erf,
        Erfc,
        Erfinv,
        Sigmoid,
        Softplus,
        Logit,
        Logaddexp,
        Lgamma,
        Digamma,
        Polygamma,
        GammaP,
        LogI0,
        BesselRatio,
        StopGrad,
        ToReal,
        Lt,
        Le,
        Eq,
        Ne,
        And,
        Or,
        Not,
    ]
};

/// `op` of the elements of a variable.
fn call(g: &mut Graph, op: Op) -> (VarId, Id) {
    let x = state(g, "x", &[op.arity()]);
    let xs = g.var(x);
    let args: Vec<Id> = (0..op.arity())
        .map(|k| {
            let k = g.int(k as i64);
            g.get(xs, &[k])
        })
        .collect();
    (x, g.op(op, &args))
}

/// Sixth-order central difference. For functions of the size of 1 the truncation, about (2e-3)^6, is below the rounding,
/// about 1e-16/2e-3; the points keep away from kinks and singularities by more than the stencil.
fn slope(f: impl Fn(f64) -> f64, x: f64) -> f64 {
    let h = 2e-3 * x.abs().max(0.5);
    let d = |k: f64| f(x + k * h) - f(x - k * h);
    (45.0 * d(1.0) - 9.0 * d(2.0) + d(3.0)) / (60.0 * h)
}

#[test]
fn every_operation_against_differences() {
    for op in ALL {
        let (at, varied) = points(op);
        let mut g = Graph::new();
        let (x, y) = call(&mut g, op);
        let last = op.arity() - varied.min(op.arity());
        for point in at {
            let arguments = if varied == 0 { last - 1..last } else { 0..varied };
            for k in arguments {
                let place = g.int(k as i64);
                let partial = g.partial(y, x, &[place]);
                let got = value(&g, partial, &Env::from_iter([(x, point.to_vec())]));
                let along = |v: f64| {
                    let mut moved = point.to_vec();
                    moved[k] = v;
                    value(&g, y, &Env::from_iter([(x, moved)]))
                };
                let wanted = slope(along, point[k]);
                assert!(
                    (got - wanted).abs() < 2e-9 * (1.0 + wanted.abs()),
                    "{}{point:?} by {k}: {got}, {wanted}",
                    op.name()
                );
            }
        }
    }
}

/// The rules are themselves differentiated: the second derivative against differences of the first.
#[test]
fn second_derivatives_against_differences() {
    for op in ALL {
        let (at, varied) = points(op);
        let mut g = Graph::new();
        let (x, y) = call(&mut g, op);
        for point in at {
            for k in 0..varied {
                for l in 0..varied {
                    let (first, second) = (g.int(k as i64), g.int(l as i64));
                    let partial = g.partial(y, x, &[first]);
                    let twice = g.partial(partial, x, &[second]);
                    let got = value(&g, twice, &Env::from_iter([(x, point.to_vec())]));
                    let along = |v: f64| {
                        let mut moved = point.to_vec();
                        moved[l] = v;
                        value(&g, partial, &Env::from_iter([(x, moved)]))
                    };
                    let wanted = slope(along, point[l]);
                    assert!(
                        (got - wanted).abs() < 1e-8 * (1.0 + wanted.abs()),
                        "{}{point:?} by {k}, {l}: {got}, {wanted}",
                        op.name()
                    );
                }
            }
        }
    }
}

struct Scalar {
    g: Graph,
    x: VarId,
}

impl Scalar {
    fn new() -> (Scalar, Id) {
        let mut g = Graph::new();
        let x = state(&mut g, "x", &[]);
        let xs = g.var(x);
        (Scalar { g, x }, xs)
    }

    fn derivative(&mut self, mut y: Id, times: usize, at: f64) -> f64 {
        for _ in 0..times {
            y = self.g.partial(y, self.x, &[]);
        }
        value(&self.g, y, &Env::from_iter([(self.x, at)]))
    }
}

#[test]
fn third_derivatives_of_composite_functions() {
    // exp(sin x)
    let (mut s, x) = Scalar::new();
    let sin = s.g.op(Op::Sin, &[x]);
    let y = s.g.op(Op::Exp, &[sin]);
    let (a, at) = (0.8f64, 0.8f64.sin());
    let c = a.cos();
    let wanted = at.exp() * (c.powi(3) - 3.0 * at * c - c);
    assert!((s.derivative(y, 3, a) - wanted).abs() < 1e-14);

    // x/(1 + x^2)
    let (mut s, x) = Scalar::new();
    let (one, two) = (s.g.real(1.0), s.g.int(2));
    let square = s.g.op(Op::Powi, &[x, two]);
    let below = s.g.op(Op::Add, &[one, square]);
    let y = s.g.op(Op::Div, &[x, below]);
    let a = 0.6f64;
    let wanted = -6.0 * (a.powi(4) - 6.0 * a * a + 1.0) / (1.0 + a * a).powi(4);
    assert!((s.derivative(y, 3, a) - wanted).abs() < 1e-14);

    // log(erfc x): its derivative is -h with h = exp(-x^2) 2/sqrt(pi)/erfc(x), and h' = h (h - 2 x)
    let (mut s, x) = Scalar::new();
    let e = s.g.op(Op::Erfc, &[x]);
    let y = s.g.op(Op::Log, &[e]);
    let a = 0.7f64;
    let h = std::f64::consts::FRAC_2_SQRT_PI * (-a * a).exp() / libm::erfc(a);
    let h1 = h * (h - 2.0 * a);
    let h2 = h1 * (h - 2.0 * a) + h * (h1 - 2.0);
    assert!((s.derivative(y, 3, a) + h2).abs() < 1e-13);

    // lgamma, four times: polygamma(3, x)
    let (mut s, x) = Scalar::new();
    let y = s.g.op(Op::Lgamma, &[x]);
    let wanted = std::f64::consts::PI.powi(4) / 15.0;
    assert!((s.derivative(y, 4, 1.0) - wanted).abs() < 1e-13);

    // log I0 at 0: x^2/4 - x^4/64 + ...
    let (mut s, x) = Scalar::new();
    let y = s.g.op(Op::LogI0, &[x]);
    assert!((s.derivative(y, 2, 0.0) - 0.5).abs() < 1e-15);
    assert!((s.derivative(y, 4, 0.0) + 24.0 / 64.0).abs() < 1e-15);

    // |x|^3 through abs, at a negative point
    let (mut s, x) = Scalar::new();
    let size = s.g.op(Op::Abs, &[x]);
    let three = s.g.real(3.0);
    let y = s.g.op(Op::Pow, &[size, three]);
    assert!((s.derivative(y, 3, -2.0) + 6.0).abs() < 1e-14);
}

/// d/dx (x d/dy (x + y)) is 1: the inner derivative does not see the outer one's perturbation.
#[test]
fn perturbations_are_not_confused() {
    let mut g = Graph::new();
    let (x, y) = (state(&mut g, "x", &[]), state(&mut g, "y", &[]));
    let (xs, ys) = (g.var(x), g.var(y));
    let sum = g.op(Op::Add, &[xs, ys]);
    let inner = g.partial(sum, y, &[]);
    let product = g.op(Op::Mul, &[xs, inner]);
    let outer = g.partial(product, x, &[]);
    assert_eq!(value(&g, outer, &Env::from_iter([(x, 3.0), (y, 5.0)])), 1.0);
}

/// A derivative taken at a point that depends on the variable of an outer one: d/dx [d/dy y^3 at y = x^2] = 12 x^3.
#[test]
fn points_carry_slopes() {
    let mut g = Graph::new();
    let (x, y) = (state(&mut g, "x", &[]), state(&mut g, "y", &[]));
    let (xs, ys) = (g.var(x), g.var(y));
    let (two, three) = (g.int(2), g.int(3));
    let cube = g.op(Op::Powi, &[ys, three]);
    let inner = g.partial(cube, y, &[]);
    let square = g.op(Op::Powi, &[xs, two]);
    let moved = g.substitute_vars(&[inner], &[(y, square)])[0];
    let env = Env::from_iter([(x, 1.5)]);
    assert!((value(&g, moved, &env) - 3.0 * 1.5f64.powi(4)).abs() < 1e-13);
    let outer = g.partial(moved, x, &[]);
    assert!((value(&g, outer, &env) - 12.0 * 1.5f64.powi(3)).abs() < 1e-13);
}

#[test]
fn derivatives_along_a_vector() {
    // d/de f(x + e v) twice, f = x0^2 x1: v'Hv = 2 x1 v0^2 + 4 x0 v0 v1
    let mut g = Graph::new();
    let (x, v) = (state(&mut g, "x", &[2]), state(&mut g, "v", &[2]));
    let (xs, vs) = (g.var(x), g.var(v));
    let (zero, one, two) = (g.int(0), g.int(1), g.int(2));
    let (a, b) = (g.get(xs, &[zero]), g.get(xs, &[one]));
    let a2 = g.op(Op::Powi, &[a, two]);
    let f = g.op(Op::Mul, &[a2, b]);
    let first = g.jvp(f, x, vs);
    let second = g.jvp(first, x, vs);
    let env = Env::from_iter([(x, vec![3.0, 5.0]), (v, vec![0.5, -2.0])]);
    assert_eq!(value(&g, first, &env), 2.0 * 3.0 * 5.0 * 0.5 - 2.0 * 9.0);
    assert_eq!(value(&g, second, &env), 2.0 * 5.0 * 0.25 - 4.0 * 3.0 * 0.5 * 2.0);
}

#[test]
fn constants_for_derivatives() {
    let (mut s, x) = Scalar::new();
    let still = s.g.op(Op::StopGrad, &[x]);
    let y = s.g.op(Op::Mul, &[x, still]);
    assert_eq!(s.derivative(y, 1, 3.0), 3.0);
    assert_eq!(s.derivative(y, 2, 3.0), 0.0);
    // the branch taken alone has a slope, though the other has none that is finite
    let zero = s.g.real(0.0);
    let c = s.g.op(Op::Lt, &[zero, x]);
    let root = s.g.op(Op::Sqrt, &[x]);
    let choice = s.g.op(Op::Select, &[c, root, x]);
    assert_eq!(s.derivative(choice, 1, -1.0), 1.0);
    assert_eq!(s.derivative(choice, 1, 4.0), 0.25);
    // the larger of two equal numbers is the second
    let largest = s.g.op(Op::Max, &[x, zero]);
    assert_eq!(s.derivative(largest, 1, 0.0), 0.0);
}

#[test]
fn reductions_have_derivatives() {
    let mut g = Graph::new();
    let x = state(&mut g, "x", &[3]);
    let xs = g.var(x);
    let i = g.fresh_index(3);
    let xi = element(&mut g, xs, i);
    let point = vec![0.3, -1.0, 2.0];
    let env = Env::from_iter([(x, point.clone())]);
    let at = g.int(2);
    let total: f64 = point.iter().map(|x| x.exp()).sum();
    for (red, wanted) in [
        (Red::Sum, 1.0),
        (Red::Prod, -0.3),
        (Red::Max, 1.0),
        (Red::Min, 0.0),
        (Red::LogSumExp, 2f64.exp() / total),
        (Red::Argmax, 0.0),
    ] {
        let r = g.reduce(red, &[i], xi);
        let d = g.partial(r, x, &[at]);
        assert!((value(&g, d, &env) - wanted).abs() < 1e-15, "{}", red.name());
    }
}

/// A matrix `A + t B` written out, `n` by `n`.
fn pencil(g: &mut Graph, t: VarId, a: &[f64], b: &[f64], n: usize) -> Id {
    let tt = g.var(t);
    let elements = a
        .iter()
        .zip(b)
        .map(|(a, b)| {
            let (a, b) = (g.real(*a), g.real(*b));
            let tb = g.op(Op::Mul, &[tt, b]);
            g.op(Op::Add, &[a, tb])
        })
        .collect();
    g.lit(vec![n, n], elements)
}

const A: [f64; 9] = [4.0, 0.3, -0.6, 0.3, 3.0, 0.8, -0.6, 0.8, 2.5];
const B: [f64; 9] = [0.5, -0.2, 0.1, -0.2, 0.9, 0.4, 0.1, 0.4, -0.3];

/// Every element of every dense operation, first and second derivative along a line of matrices, against differences.
#[test]
fn dense_operations_have_derivatives() {
    for op in [Dense::Cholesky, Dense::Inverse, Dense::Solve, Dense::Det, Dense::LogDet, Dense::Expm] {
        let mut g = Graph::new();
        let t = state(&mut g, "t", &[]);
        let m = pencil(&mut g, t, &A, &B, 3);
        let mut args = vec![m];
        if op == Dense::Solve {
            let tt = g.var(t);
            let right = vec![tt, g.real(1.0), g.real(-2.0)];
            args.push(g.lit(vec![3], right));
        }
        let d = g.dense(op, &args);
        let scalars: Vec<Id> = match g.shape(d).to_vec()[..] {
            [] => vec![d],
            [n] => (0..n).map(|i| at(&mut g, d, &[i])).collect(),
            [n, m] => (0..n * m).map(|k| at(&mut g, d, &[k / m, k % m])).collect(),
            _ => unreachable!("arrays have at most two axes here"),
        };
        for y in scalars {
            let first = g.partial(y, t, &[]);
            let second = g.partial(first, t, &[]);
            let f = |node: Id, v: f64| value(&g, node, &Env::from_iter([(t, v)]));
            let (got, wanted) = (f(first, 0.4), slope(|v| f(y, v), 0.4));
            assert!((got - wanted).abs() < 1e-9 * (1.0 + wanted.abs()), "{}: {got}, {wanted}", op.name());
            let (got, wanted) = (f(second, 0.4), slope(|v| f(first, v), 0.4));
            assert!((got - wanted).abs() < 1e-9 * (1.0 + wanted.abs()), "{}: {got}, {wanted}", op.name());
        }
    }
}

fn at(g: &mut Graph, array: Id, place: &[usize]) -> Id {
    let place: Vec<Id> = place.iter().map(|k| g.int(*k as i64)).collect();
    g.get(array, &place)
}

#[test]
fn sorting_has_derivatives() {
    let mut g = Graph::new();
    let x = state(&mut g, "x", &[3]);
    let xs = g.var(x);
    let sorted = g.dense(Dense::Sort, &[xs]);
    let largest = at(&mut g, sorted, &[2]);
    let (zero, one) = (g.int(0), g.int(1));
    let (by_first, by_second) = (g.partial(largest, x, &[zero]), g.partial(largest, x, &[one]));
    let env = Env::from_iter([(x, vec![5.0, 9.0, 7.0])]);
    assert_eq!((value(&g, by_first, &env), value(&g, by_second, &env)), (0.0, 1.0));
}

/// The derivative of a determinant at a singular matrix is its cofactor.
#[test]
fn a_singular_determinant_has_a_derivative() {
    let mut g = Graph::new();
    let x = state(&mut g, "x", &[2, 2]);
    let xs = g.var(x);
    let d = g.dense(Dense::Det, &[xs]);
    let zero = g.int(0);
    let cofactor = g.partial(d, x, &[zero, zero]);
    let env = Env::from_iter([(x, Array::new(vec![2, 2], vec![0.0, 0.0, 0.0, 7.0]))]);
    assert_eq!(value(&g, cofactor, &env), 7.0);
}
