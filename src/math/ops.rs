//! The scalar operations of the math graph. One row each: name, arity, result type.
//! Derivatives stand in `math::derivative`, user-facing names and docs in `model::functions`.

/// A scalar operation. Arguments are scalars; arrays enter through `Get` under a `Map` or a `Reduce`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Op {
    Add,
    Sub,
    Mul,
    Div,
    Neg,
    /// real power `a^b` for any real exponent
    Pow,
    /// `a^n` with an integer constant exponent
    Powi,
    Abs,
    Sign,
    Floor,
    Ceil,
    Min,
    Max,
    /// `a - b*floor(a/b)`: the sign of the divisor
    Mod,
    /// floor division of integers (index arithmetic)
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
    /// `polygamma(n, x)`, the n-th derivative of digamma
    Polygamma,
    /// regularised lower incomplete gamma function `P(a, x)`
    GammaP,
    /// log of the modified Bessel function I0
    LogI0,
    /// I1(x)/I0(x), the derivative of `LogI0`
    BesselRatio,
    /// the identity in value, a constant in derivatives
    StopGrad,
    /// integer or boolean to real
    ToReal,
    Lt,
    Le,
    Eq,
    Ne,
    And,
    Or,
    Not,
    /// `c ? a : b`; the branch not taken has no influence, not even through NaN
    Select,
}

/// The scalar types.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ty {
    Real,
    Int,
    Bool,
}

impl Op {
    /// Name as in `--emit ir`, and the number of arguments.
    pub fn row(self) -> (&'static str, usize) {
        use Op::*;
        match self {
            Add => ("add", 2),
            Sub => ("sub", 2),
            Mul => ("mul", 2),
            Div => ("div", 2),
            Neg => ("neg", 1),
            Pow => ("pow", 2),
            Powi => ("powi", 2),
            Abs => ("abs", 1),
            Sign => ("sign", 1),
            Floor => ("floor", 1),
            Ceil => ("ceil", 1),
            Min => ("min", 2),
            Max => ("max", 2),
            Mod => ("mod", 2),
            IntDiv => ("intdiv", 2),
            Exp => ("exp", 1),
            Expm1 => ("expm1", 1),
            Log => ("log", 1),
            Log1p => ("log1p", 1),
            Sqrt => ("sqrt", 1),
            Cbrt => ("cbrt", 1),
            Sin => ("sin", 1),
            Cos => ("cos", 1),
            Tan => ("tan", 1),
            Asin => ("asin", 1),
            Acos => ("acos", 1),
            Atan => ("atan", 1),
            Atan2 => ("atan2", 2),
            Sinh => ("sinh", 1),
            Cosh => ("cosh", 1),
            Tanh => ("tanh", 1),
            Erf => ("erf", 1),
            Erfc => ("erfc", 1),
            Erfinv => ("erfinv", 1),
            Sigmoid => ("sigmoid", 1),
            Softplus => ("softplus", 1),
            Logit => ("logit", 1),
            Logaddexp => ("logaddexp", 2),
            Lgamma => ("lgamma", 1),
            Digamma => ("digamma", 1),
            Polygamma => ("polygamma", 2),
            GammaP => ("gamma_p", 2),
            LogI0 => ("log_i0", 1),
            BesselRatio => ("bessel_ratio", 1),
            StopGrad => ("stop_grad", 1),
            ToReal => ("to_real", 1),
            Lt => ("lt", 2),
            Le => ("le", 2),
            Eq => ("eq", 2),
            Ne => ("ne", 2),
            And => ("and", 2),
            Or => ("or", 2),
            Not => ("not", 1),
            Select => ("select", 3),
        }
    }

    pub fn name(self) -> &'static str {
        self.row().0
    }

    pub fn arity(self) -> usize {
        self.row().1
    }

    /// Type of the result for arguments of the given types.
    pub fn ty(self, args: &[Ty]) -> Ty {
        use Op::*;
        match self {
            Lt | Le | Eq | Ne | And | Or | Not => Ty::Bool,
            Select => args[1],
            IntDiv => Ty::Int,
            Add | Sub | Mul | Neg | Mod | Abs | Min | Max | StopGrad if args.iter().all(|t| *t == Ty::Int) => Ty::Int,
            _ => Ty::Real,
        }
    }
}

/// Reductions over index spaces.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Red {
    Sum,
    Prod,
    Max,
    Min,
    Any,
    All,
    /// index of the first largest element (one bound)
    Argmax,
    /// index of the first smallest element (one bound)
    Argmin,
    LogSumExp,
}

impl Red {
    pub fn name(self) -> &'static str {
        match self {
            Red::Sum => "sum",
            Red::Prod => "prod",
            Red::Max => "max",
            Red::Min => "min",
            Red::Any => "any",
            Red::All => "all",
            Red::Argmax => "argmax",
            Red::Argmin => "argmin",
            Red::LogSumExp => "logsumexp",
        }
    }

    pub fn ty(self) -> Ty {
        match self {
            Red::Any | Red::All => Ty::Bool,
            Red::Argmax | Red::Argmin => Ty::Int,
            _ => Ty::Real,
        }
    }
}

/// Small dense linear algebra on whole arrays (and other operations that no loop of scalars says well).
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dense {
    /// lower Cholesky factor of `A: [n, n]`
    Cholesky,
    /// inverse of `A: [n, n]`
    Inverse,
    /// `A^-1 b` for `A: [n, n]`, `b: [n]` or `[n, m]`
    Solve,
    /// determinant of `A: [n, n]`, a scalar
    Det,
    /// log of the absolute determinant of `A: [n, n]`, a scalar
    LogDet,
    /// matrix exponential of `A: [n, n]`
    Expm,
    /// elements of `v: [n]` in increasing order
    Sort,
}

impl Dense {
    pub fn name(self) -> &'static str {
        match self {
            Dense::Cholesky => "cholesky",
            Dense::Inverse => "inv",
            Dense::Solve => "solve",
            Dense::Det => "det",
            Dense::LogDet => "logdet",
            Dense::Expm => "expm",
            Dense::Sort => "sort",
        }
    }
}
