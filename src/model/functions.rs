//! The functions that every program can call: one row each with name, shapes, documentation and what it stands for.
//!
//! Documentation, completion, highlighting and `fokker help` are made from this table. In signatures `real[..]` is a
//! number or an array of any shape; a function of several such arguments is elementwise, takes arrays of one shape, and
//! combines a number with every element of an array. Derivatives stand in `math::derivative`, vector code in `kernels`.

mod table;

pub use table::TABLE;

use crate::kernels::table::{Accuracy, Kernel};
use crate::math::{Dense, Op, Red};

/// A row of [`TABLE`].
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    pub name: &'static str,
    /// arguments with their shapes, and the result
    pub signature: &'static str,
    /// one line
    pub doc: &'static str,
    /// an expression of the language that uses it
    pub example: &'static str,
    pub kind: FunctionKind,
    /// set where the name is also a reducer: `name(e for i in a)`, and `name(array)` over all elements
    pub reducer: Option<Reducer>,
    /// language stage at which it works: 1, 2 or 3
    pub stage: u8,
}

/// How a call becomes a graph.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum FunctionKind {
    /// one operation for each element
    Elementwise(Op),
    /// built by the elaborator
    Builtin(Builtin),
}

/// A reduction over an index space or over all elements of an array.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Reducer {
    Plain(Red),
    /// the sum divided by the number of terms
    Average,
}

/// Functions that are more than one operation for each element.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Builtin {
    // reducers that are nothing else
    Sum,
    Prod,
    Avg,
    Any,
    All,
    Argmin,
    Argmax,
    Logsumexp,
    // vectors and matrices
    Norm,
    Dot,
    Outer,
    Cross,
    Trace,
    Dense(Dense),
    // arrays
    Clamp,
    Softmax,
    Roll,
    Append,
    Zeros,
    Ones,
    Eye,
    Diag,
    Linspace,
    // time grids
    Geometric,
    Karras,
    EqualIn,
    // data
    Csv,
    Standardize,
    WithIntercept,
    // calculus
    Grad,
    Jacobian,
    Hessian,
    Div,
    Laplacian,
    Jvp,
    Vjp,
    Hvp,
    Ddt,
    Integral,
    // targets
    Score,
    Logpdf,
    Potential,
    Expect,
    // draws
    Sample,
    Choose,
    Accept,
    // functions of functions
    Scan,
    // weights
    WeightEss,
    Logmeanexp,
    Ancestors,
    // functions with parameters of their own
    Mlp,
    Affine,
    Fourier,
}

/// The function of a name.
pub fn lookup(name: &str) -> Option<&'static Function> {
    TABLE.iter().find(|f| f.name == name)
}

/// The names of all functions, in the order of the table (for suggestions and completion).
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|f| f.name)
}

impl Function {
    /// Arity of an elementwise function.
    pub fn arity(&self) -> Option<usize> {
        match self.kind {
            FunctionKind::Elementwise(op) => Some(op.arity()),
            FunctionKind::Builtin(_) => None,
        }
    }

    /// The stated accuracy of the value in f64, where the function is an elementary kernel.
    pub fn accuracy(&self) -> Option<Accuracy> {
        match self.kind {
            FunctionKind::Elementwise(op) => Kernel::by_name(op.name()).map(Kernel::accuracy),
            FunctionKind::Builtin(_) => None,
        }
    }

    const fn new(
        name: &'static str,
        signature: &'static str,
        doc: &'static str,
        example: &'static str,
        kind: FunctionKind,
    ) -> Function {
        Function { name, signature, doc, example, kind, reducer: None, stage: 1 }
    }

    const fn reducer(mut self, reducer: Reducer) -> Function {
        self.reducer = Some(reducer);
        self
    }

    const fn stage(mut self, stage: u8) -> Function {
        self.stage = stage;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique() {
        let mut seen = HashSet::new();
        for f in TABLE {
            assert!(seen.insert(f.name), "{} stands twice in the table", f.name);
        }
    }

    #[test]
    fn every_row_documents_itself() {
        for f in TABLE {
            assert!(f.signature.starts_with(&format!("{}(", f.name)), "{}: {}", f.name, f.signature);
            assert!(f.signature.contains(" -> "), "{}: {}", f.name, f.signature);
            assert!(f.example.contains(&format!("{}(", f.name)), "{}: {}", f.name, f.example);
            assert!(f.doc.ends_with('.') && !f.doc.contains('\n'), "{}: {}", f.name, f.doc);
            assert!((1..=3).contains(&f.stage), "{}", f.name);
        }
    }

    #[test]
    fn every_example_parses() {
        for f in TABLE {
            let parsed = crate::syntax::parse_expr(crate::source::FileId(0), f.example);
            assert!(parsed.is_ok(), "{}: {:?}", f.example, parsed);
        }
    }

    #[test]
    fn elementwise_rows_show_all_their_arguments() {
        for f in TABLE {
            if let Some(arity) = f.arity() {
                let first = f.signature.split(" or ").next().unwrap_or_default();
                let arguments = first.split("->").next().unwrap_or_default();
                assert_eq!(arguments.matches(':').count(), arity, "{}: {}", f.name, f.signature);
            }
        }
    }

    /// Operators of the language, conversions and comparisons are written otherwise; every other operation has a name.
    #[test]
    fn every_operation_can_be_called() {
        use Op::*;
        let called: HashSet<Op> = TABLE
            .iter()
            .filter_map(|f| match f.kind {
                FunctionKind::Elementwise(op) => Some(op),
                FunctionKind::Builtin(_) => None,
            })
            .collect();
        let wanted = [
            Abs,
            Sign,
            Floor,
            Ceil,
            Min,
            Max,
            Mod,
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
        ];
        for op in wanted {
            assert!(called.contains(&op), "{} has no row", op.name());
        }
        for f in TABLE {
            if let FunctionKind::Elementwise(op) = f.kind {
                assert_eq!(f.name, op.name());
            }
        }
    }

    #[test]
    fn kernels_state_their_accuracy() {
        let accuracy = |name: &str| lookup(name).and_then(Function::accuracy);
        assert_eq!(accuracy("sqrt"), Some(Accuracy::Ulp(0.5)));
        assert!(matches!(accuracy("exp"), Some(Accuracy::Ulp(bound)) if bound <= 2.0));
        assert_eq!(accuracy("norm"), None);
    }

    #[test]
    fn min_and_max_are_functions_and_reducers() {
        let f = lookup("max").expect("max is in the table");
        assert_eq!(f.kind, FunctionKind::Elementwise(Op::Max));
        assert_eq!(f.reducer, Some(Reducer::Plain(Red::Max)));
        let f = lookup("min").expect("min is in the table");
        assert_eq!(f.reducer, Some(Reducer::Plain(Red::Min)));
        assert_eq!(lookup("no_such_function"), None);
    }
}
