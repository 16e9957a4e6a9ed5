//! The rows: elementary functions, reducers, arrays, calculus, targets and draws.

use super::{Builtin as B, Function, FunctionKind, Reducer};
use crate::math::{Dense, Op, Red};

type Text = &'static str;

const fn op(name: Text, signature: Text, doc: Text, example: Text, op: Op) -> Function {
    Function::new(name, signature, doc, example, FunctionKind::Elementwise(op))
}

const fn built(name: Text, signature: Text, doc: Text, example: Text, kind: B) -> Function {
    Function::new(name, signature, doc, example, FunctionKind::Builtin(kind))
}

/// An elementary function of one argument.
macro_rules! unary {
    ($name:literal, $op:ident, $doc:literal, $example:literal) => {
        op($name, concat!($name, "(x: real[..]) -> real[..]"), $doc, $example, Op::$op)
    };
}

const fn red(red: Red) -> Reducer {
    Reducer::Plain(red)
}

/// Every function of the language. Laws (`normal`, ...), statistics (`mean`, ...) and process operators have tables of
/// their own.
pub const TABLE: &[Function] = &[
    // Exponentials and logarithms.
    unary!("exp", Exp, "The exponential.", "exp(-x^2/2)"),
    unary!("expm1", Expm1, "exp(x) - 1, accurate near 0.", "expm1(-k*t)/k"),
    unary!("log", Log, "The natural logarithm.", "log(x)"),
    unary!("log1p", Log1p, "log(1 + x), accurate near 0.", "log1p(x^2)"),
    op(
        "logaddexp",
        "logaddexp(x: real[..], y: real[..]) -> real[..]",
        "log(exp(x) + exp(y)) without overflow.",
        "logaddexp(a, b)",
        Op::Logaddexp,
    ),
    unary!("sigmoid", Sigmoid, "The logistic function 1/(1 + exp(-x)).", "sigmoid(z)"),
    unary!("softplus", Softplus, "log(1 + exp(x)) without overflow.", "softplus(z)"),
    unary!("logit", Logit, "log(x/(1 - x)), the inverse of sigmoid.", "logit(p)"),
    // Powers and roots.
    unary!("sqrt", Sqrt, "The square root; not a number below 0.", "sqrt(2/beta)"),
    unary!("cbrt", Cbrt, "The real cube root.", "cbrt(x)"),
    // Trigonometry; angles in radians.
    unary!("sin", Sin, "The sine of an angle in radians.", "sin(omega*t)"),
    unary!("cos", Cos, "The cosine of an angle in radians.", "cos(omega*t)"),
    unary!("tan", Tan, "The tangent of an angle in radians.", "tan(x)"),
    unary!("asin", Asin, "The inverse sine, in [-pi/2, pi/2].", "asin(x)"),
    unary!("acos", Acos, "The inverse cosine, in [0, pi].", "acos(x)"),
    unary!("atan", Atan, "The inverse tangent, in (-pi/2, pi/2).", "atan(x)"),
    op(
        "atan2",
        "atan2(y: real[..], x: real[..]) -> real[..]",
        "The angle of the point (x, y), in [-pi, pi].",
        "atan2(y, x)",
        Op::Atan2,
    ),
    unary!("sinh", Sinh, "The hyperbolic sine.", "sinh(x)"),
    unary!("cosh", Cosh, "The hyperbolic cosine.", "cosh(x)"),
    unary!("tanh", Tanh, "The hyperbolic tangent.", "tanh(x)"),
    // Special functions.
    unary!("erf", Erf, "The error function 2/sqrt(pi) times the integral of exp(-s^2) from 0 to x.", "erf(x/sqrt(2))"),
    unary!("erfc", Erfc, "1 - erf(x), accurate for large x.", "erfc(x/sqrt(2))/2"),
    unary!("erfinv", Erfinv, "The inverse of erf on (-1, 1).", "sqrt(2)*erfinv(2*u - 1)"),
    unary!("lgamma", Lgamma, "The logarithm of the absolute value of the gamma function.", "lgamma(nu/2)"),
    unary!("digamma", Digamma, "The derivative of lgamma.", "digamma(a)"),
    op(
        "polygamma",
        "polygamma(n: int, x: real[..]) -> real[..]",
        "The n-th derivative of digamma; n is known when the file is compiled.",
        "polygamma(1, a)",
        Op::Polygamma,
    ),
    op(
        "gamma_p",
        "gamma_p(a: real[..], x: real[..]) -> real[..]",
        "The regularised lower incomplete gamma function P(a, x).",
        "gamma_p(H + 1/2, g*T)",
        Op::GammaP,
    ),
    unary!("log_i0", LogI0, "The logarithm of the modified Bessel function I0.", "log_i0(kappa)"),
    unary!("bessel_ratio", BesselRatio, "I1(x)/I0(x), the derivative of log_i0.", "bessel_ratio(kappa)"),
    // Pieces.
    unary!("abs", Abs, "The absolute value.", "abs(x)"),
    unary!("sign", Sign, "-1, 0 or 1; its derivative is 0.", "sign(x)"),
    unary!("floor", Floor, "The largest whole number that is not above x; its derivative is 0.", "floor(x)"),
    unary!("ceil", Ceil, "The smallest whole number that is not below x; its derivative is 0.", "ceil(x)"),
    op(
        "mod",
        "mod(x: real[..], y: real[..]) -> real[..]",
        "x - y*floor(x/y): the remainder with the sign of y. Of whole numbers it is one.",
        "mod(i + 1, n)",
        Op::Mod,
    ),
    op(
        "min",
        "min(x: real[..], y: real[..]) -> real[..] or min(a: real[..]) -> real",
        "The smaller of two numbers, or the smallest of an array or of a comprehension.",
        "min(x, 1)",
        Op::Min,
    )
    .reducer(red(Red::Min)),
    op(
        "max",
        "max(x: real[..], y: real[..]) -> real[..] or max(a: real[..]) -> real",
        "The larger of two numbers, or the largest of an array or of a comprehension.",
        "max(v, 0)",
        Op::Max,
    )
    .reducer(red(Red::Max)),
    built(
        "clamp",
        "clamp(x: real[..], lo: real[..], hi: real[..]) -> real[..]",
        "x, but not below lo and not above hi.",
        "clamp(x, -1, 1)",
        B::Clamp,
    ),
    op(
        "stop_grad",
        "stop_grad(x: real[..]) -> real[..]",
        "x, taken as a constant by every derivative.",
        "x*stop_grad(x)",
        Op::StopGrad,
    ),
    // Reducers.
    built("sum", "sum(a: real[..]) -> real", "The sum of an array or of a comprehension.", "sum(x^2)", B::Sum)
        .reducer(red(Red::Sum)),
    built(
        "prod",
        "prod(a: real[..]) -> real",
        "The product of an array or of a comprehension.",
        "prod(x[i] for i in 0..n)",
        B::Prod,
    )
    .reducer(red(Red::Prod)),
    built("avg", "avg(a: real[..]) -> real", "The average of an array or of a comprehension.", "avg(x)", B::Avg)
        .reducer(Reducer::Average),
    built(
        "logsumexp",
        "logsumexp(a: real[..]) -> real",
        "The logarithm of the sum of the exponentials of an array or of a comprehension, without overflow.",
        "logsumexp(-(x - m[k])^2/2 for k in 0..K)",
        B::Logsumexp,
    )
    .reducer(red(Red::LogSumExp)),
    built("any", "any(a: bool[..]) -> bool", "Whether some element is true.", "any(x[i] > 1 for i in 0..n)", B::Any)
        .reducer(red(Red::Any)),
    built("all", "all(a: bool[..]) -> bool", "Whether every element is true.", "all(x[i] > 0 for i in 0..n)", B::All)
        .reducer(red(Red::All)),
    built("argmin", "argmin(a: real[n]) -> int", "The index of the first smallest element.", "argmin(x)", B::Argmin)
        .reducer(red(Red::Argmin)),
    built("argmax", "argmax(a: real[n]) -> int", "The index of the first largest element.", "argmax(x)", B::Argmax)
        .reducer(red(Red::Argmax)),
    // Vectors and matrices.
    built(
        "norm",
        "norm(x: real[..]) -> real",
        "The square root of the sum of the squares of all elements.",
        "norm(x - y)",
        B::Norm,
    ),
    built("dot", "dot(x: real[n], y: real[n]) -> real", "The inner product; also x @ y.", "dot(x, y)", B::Dot),
    built(
        "outer",
        "outer(x: real[n], y: real[m]) -> real[n, m]",
        "The matrix of the products x[i]*y[j].",
        "outer(x, x)",
        B::Outer,
    ),
    built(
        "cross",
        "cross(x: real[3], y: real[3]) -> real[3]",
        "The vector product of two vectors in space.",
        "cross(m, h)",
        B::Cross,
    ),
    built("trace", "trace(A: real[n, n]) -> real", "The sum of the diagonal.", "trace(A)", B::Trace),
    built("det", "det(A: real[n, n]) -> real", "The determinant.", "det(A)", B::Dense(Dense::Det)),
    built(
        "logdet",
        "logdet(A: real[n, n]) -> real",
        "The logarithm of the absolute value of the determinant.",
        "logdet(S)",
        B::Dense(Dense::LogDet),
    ),
    built("inv", "inv(A: real[n, n]) -> real[n, n]", "The inverse matrix.", "inv(A)", B::Dense(Dense::Inverse)),
    built(
        "cholesky",
        "cholesky(A: real[n, n]) -> real[n, n]",
        "The lower triangular L with L @ L.T = A, for a symmetric positive definite A (its lower triangle is read).",
        "cholesky(S) @ z",
        B::Dense(Dense::Cholesky),
    ),
    built(
        "solve",
        "solve(A: real[n, n], b: real[n]) -> real[n] or solve(A: real[n, n], B: real[n, m]) -> real[n, m]",
        "The solution x of A @ x = b.",
        "solve(A, b)",
        B::Dense(Dense::Solve),
    ),
    built("expm", "expm(A: real[n, n]) -> real[n, n]", "The matrix exponential.", "expm(t*A)", B::Dense(Dense::Expm)),
    // Arrays.
    built(
        "softmax",
        "softmax(x: real[n]) -> real[n]",
        "exp(x) divided by its sum, without overflow.",
        "softmax(w)",
        B::Softmax,
    ),
    built(
        "roll",
        "roll(x: real[n, ..], k: int) -> real[n, ..]",
        "The array moved by k places along its first axis, around the end: element i is x[mod(i - k, n)].",
        "phi - roll(phi, 1)",
        B::Roll,
    ),
    built(
        "sort",
        "sort(x: real[n]) -> real[n]",
        "The elements in increasing order.",
        "sort(x)[0]",
        B::Dense(Dense::Sort),
    ),
    built(
        "append",
        "append(x: real[n, ..], y: real[m, ..]) -> real[n + m, ..]",
        "One array after the other along the first axis; a number stands for an array of one element.",
        "append(x, 0)",
        B::Append,
    ),
    built(
        "zeros",
        "zeros(n: int, ..) -> real[n, ..]",
        "An array of zeros with the given extents.",
        "zeros(n)",
        B::Zeros,
    ),
    built("ones", "ones(n: int, ..) -> real[n, ..]", "An array of ones with the given extents.", "ones(n, m)", B::Ones),
    built("eye", "eye(n: int) -> real[n, n]", "The identity matrix.", "0.5*eye(2)", B::Eye),
    built(
        "diag",
        "diag(v: real[n]) -> real[n, n] or diag(A: real[n, n]) -> real[n]",
        "The matrix with this diagonal, or the diagonal of this matrix.",
        "diag(v)",
        B::Diag,
    ),
    built(
        "linspace",
        "linspace(a: real, b: real, n: int) -> real[n]",
        "n equally spaced numbers from a to b, both included.",
        "linspace(0, 1, 11)",
        B::Linspace,
    ),
    // Time grids.
    built(
        "geometric",
        "geometric(a: real, b: real, n: int) -> real[n + 1]",
        "n + 1 numbers from a to b, each the one before times the same factor.",
        "geometric(20, 0.1, 9)",
        B::Geometric,
    ),
    built(
        "karras",
        "karras(n: int, hi: real, lo: real) -> real[n + 1]",
        "n + 1 noise levels from hi to lo, equally spaced in their seventh root (Karras et al. 2022).",
        "karras(20, 80, 0.002)",
        B::Karras,
    ),
    built(
        "equal_in",
        "equal_in(f: (real) -> real, a: real, b: real, n: int) -> real[n + 1]",
        "n + 1 times from a to b at which the monotone f takes equally spaced values.",
        "equal_in(t -> log(t), 10, 1e-3, 80)",
        B::EqualIn,
    ),
    // Data.
    built(
        "csv",
        "csv(path: text, column = text, columns = text .. text) -> real[n] or real[n, k]",
        "Numbers from a CSV file with a header: one column, a range of neighbouring columns, or all of them.",
        "csv(\"data.csv\", column = \"y\")",
        B::Csv,
    ),
    built(
        "standardize",
        "standardize(X: real[n, k]) -> real[n, k] or standardize(x: real[n]) -> real[n]",
        "Each column with its average taken off, divided by its standard deviation (over n); a constant one becomes 0.",
        "standardize(X)",
        B::Standardize,
    ),
    built(
        "with_intercept",
        "with_intercept(X: real[n, k]) -> real[n, k + 1]",
        "The matrix with a column of ones put before it.",
        "with_intercept(X) @ beta",
        B::WithIntercept,
    ),
    // Calculus; x is a state, the variable of a target, or an argument of a function.
    built(
        "grad",
        "grad(e: real, x: real[..]) -> real[..]",
        "The derivative of e by each element of x.",
        "-grad(U, x)",
        B::Grad,
    ),
    built(
        "jacobian",
        "jacobian(e: real[m], x: real[n]) -> real[m, n]",
        "The matrix of the derivatives of e[i] by x[j].",
        "jacobian(f(x), x)",
        B::Jacobian,
    ),
    built(
        "hessian",
        "hessian(e: real, x: real[n]) -> real[n, n]",
        "The matrix of the second derivatives of e.",
        "hessian(U, x)",
        B::Hessian,
    ),
    built(
        "div",
        "div(e: real[n], x: real[n]) -> real",
        "The divergence: the sum of the derivatives of e[i] by x[i].",
        "div(f(x), x)",
        B::Div,
    ),
    built(
        "laplacian",
        "laplacian(e: real, x: real[n]) -> real",
        "The sum of the second derivatives of e by each x[i].",
        "laplacian(U, x)",
        B::Laplacian,
    ),
    built(
        "jvp",
        "jvp(e: real[..], x: real[n], v: real[n]) -> real[..]",
        "The derivative of e along v: the Jacobian times v.",
        "jvp(f(x), x, v)",
        B::Jvp,
    ),
    built(
        "vjp",
        "vjp(e: real[m], x: real[n], w: real[m]) -> real[n]",
        "The gradient of w @ e: the transposed Jacobian times w.",
        "vjp(f(x), x, w)",
        B::Vjp,
    ),
    built(
        "hvp",
        "hvp(e: real, x: real[n], v: real[n]) -> real[n]",
        "The Hessian of e times v.",
        "hvp(U, x, v)",
        B::Hvp,
    ),
    built(
        "ddt",
        "ddt(e: real[..]) -> real[..]",
        "The derivative by the time t, all else held fixed.",
        "ddt(r(t, x))",
        B::Ddt,
    ),
    built(
        "integral",
        "integral(e ds for s in a .. b) -> real",
        "The integral of e by s from a to b; of e dW, a Wiener integral over a part of the step.",
        "integral(exp(-s) ds for s in 0 .. dt)",
        B::Integral,
    ),
    // Targets.
    built(
        "score",
        "score(p: target, x: real[d]) -> real[d]",
        "The gradient of the log density of p at x.",
        "score(p, x)",
        B::Score,
    ),
    built(
        "logpdf",
        "logpdf(p: target, x: real[d]) -> real",
        "The log density of p at x, normalised where that of p is.",
        "logpdf(normal(0, 1), x)",
        B::Logpdf,
    ),
    built(
        "potential",
        "potential(p: target, x: real[d]) -> real",
        "Minus the log density of p at x.",
        "potential(p, x)",
        B::Potential,
    ),
    built(
        "expect",
        "expect(p: target, f: (real[d]) -> real[..]) -> real[..]",
        "The expectation of f under p: a sum for laws of integers, quadrature up to two dimensions (told with its error where \
         it is not exact to 7 digits), else exact draws.",
        "expect(p, x -> x^2)",
        B::Expect,
    ),
    // Draws.
    built("sample", "sample(p: target) -> real[d]", "A fresh exact draw from p.", "sample(p)", B::Sample),
    built(
        "choose",
        "choose(from: int .. int or real[n], weights = real[n], count = int) -> int or real",
        "A random index of a range, or element of an array: uniform, or in proportion to the weights.",
        "choose(0..n)",
        B::Choose,
    )
    .stage(2),
    built(
        "accept",
        "accept(log_ratio: real) -> bool",
        "True with probability min(1, exp(log_ratio)); counted by acceptance().",
        "if accept(a) then y else x",
        B::Accept,
    ),
    // Functions of functions.
    built(
        "scan",
        "scan(f: (real[..], real[..]) -> real[..], start: real[..], xs: real[n, ..]) -> real[..]",
        "The last value of a fold: f(... f(f(start, xs[0]), xs[1]) ..., xs[n - 1]).",
        "scan((a, x) -> 0.9*a + x, 0, xs)",
        B::Scan,
    )
    .stage(2),
    // Weights.
    built(
        "weight_ess",
        "weight_ess(w: real[n]) -> real",
        "The effective number of elements with these log-weights: (sum exp(w))^2/sum exp(2 w).",
        "weight_ess(w) < n/2",
        B::WeightEss,
    )
    .stage(2),
    built(
        "logmeanexp",
        "logmeanexp(w: real[n]) -> real",
        "The logarithm of the average of the exponentials.",
        "logmeanexp(w)",
        B::Logmeanexp,
    )
    .stage(2),
    built(
        "ancestors",
        "ancestors(w: real[n]) -> int[n]",
        "Indices drawn by systematic resampling with these log-weights.",
        "x[ancestors(w)]",
        B::Ancestors,
    )
    .stage(2),
    // Functions with parameters of their own, shaped by their use.
    built(
        "mlp",
        "mlp(width: int, layers: int) -> function",
        "A fully connected network with hidden layers of the given width.",
        "control(m, u = mlp(32, 2))",
        B::Mlp,
    )
    .stage(2),
    built("affine", "affine() -> function", "An affine function of its arguments.", "f(c = affine())", B::Affine)
        .stage(2),
    built(
        "fourier",
        "fourier(k: int) -> function",
        "A Fourier series with k frequencies in each argument.",
        "f(c = fourier(4))",
        B::Fourier,
    )
    .stage(2),
];
