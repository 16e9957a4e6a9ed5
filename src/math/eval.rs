//! Values of graphs in plain scalar code.
//!
//! The evaluator takes any graph, simplified or not, and knows nothing of the simplifier or of symbolic derivatives:
//! `Partial` and `Jvp` are worked out with nested dual numbers. So it is the reference that compiled programs are held
//! against, and it fills the tables of what changes once per run or once per step.

mod dense;
mod machine;
mod number;
mod rules;
mod scalar;
mod special;

#[cfg(test)]
mod tests;

use std::fmt;

use super::array::Array;
use super::graph::{Graph, Id, Shape, VarId};
use machine::{Machine, Memos};

pub use scalar::{Functions, scalar};

/// The value of a dense operation on row-major arrays of numbers; `n` is the extent of the first axis of the first
/// argument.
pub fn dense_value(op: super::Dense, n: usize, args: &[Vec<f64>]) -> Vec<f64> {
    dense::dense(Functions::default(), op, n, args)
}

/// Values of variables.
#[derive(Clone, Debug, Default)]
pub struct Env {
    values: Vec<Option<Array>>,
}

impl Env {
    pub fn new() -> Env {
        Env::default()
    }

    pub fn set(&mut self, var: VarId, value: impl Into<Array>) {
        let k = var.0 as usize;
        if self.values.len() <= k {
            self.values.resize(k + 1, None);
        }
        self.values[k] = Some(value.into());
    }

    pub fn get(&self, var: VarId) -> Option<&Array> {
        self.values.get(var.0 as usize)?.as_ref()
    }

    /// The number behind a scalar variable, to be written in place.
    fn scalar_mut(&mut self, var: VarId) -> Option<&mut f64> {
        let array = self.values.get_mut(var.0 as usize)?.as_mut()?;
        if array.is_scalar() { array.values.first_mut() } else { None }
    }
}

impl<A: Into<Array>> FromIterator<(VarId, A)> for Env {
    fn from_iter<I: IntoIterator<Item = (VarId, A)>>(pairs: I) -> Env {
        let mut env = Env::new();
        for (var, value) in pairs {
            env.set(var, value);
        }
        env
    }
}

/// Why a graph has no value.
#[derive(Clone, Debug, PartialEq)]
pub enum EvalError {
    /// a variable without a value
    Missing { name: String },
    /// a variable whose value has another shape
    Shape { name: String, wanted: Shape, given: Shape },
    /// an index outside the axis
    Index { index: f64, extent: usize },
    /// `argmin` or `argmax` of nothing
    Empty,
    /// a loop index outside its loop
    FreeIndex,
    /// too many branches or loops inside each other
    TooDeep,
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EvalError::Missing { name } => write!(f, "`{name}` has no value"),
            EvalError::Shape { name, wanted, given } => {
                write!(f, "`{name}` has shape {wanted:?}, its value {given:?}")
            }
            EvalError::Index { index, extent } => write!(f, "index {index} is outside 0..{extent}"),
            EvalError::Empty => f.write_str("the smallest or largest of nothing"),
            EvalError::FreeIndex => f.write_str("a loop index outside its loop"),
            EvalError::TooDeep => f.write_str("branches or loops nested too deeply"),
        }
    }
}

impl std::error::Error for EvalError {}

/// The value of a node.
pub fn eval(g: &Graph, root: Id, env: &Env) -> Result<Array, EvalError> {
    let mut memos = Memos::default();
    let values = Machine::new(g, env, Functions::default(), &mut memos).root(root)?;
    Ok(Array::new(g.shape(root).to_vec(), values))
}

/// The values of several nodes, sharing what they have in common.
pub fn eval_all(g: &Graph, roots: &[Id], env: &Env) -> Result<Vec<Array>, EvalError> {
    let mut memos = Memos::default();
    let mut machine = Machine::new(g, env, Functions::default(), &mut memos);
    roots.iter().map(|r| Ok(Array::new(g.shape(*r).to_vec(), machine.root(*r)?))).collect()
}

/// An evaluator that keeps its values between calls: after a change of an input, only what changes at least as often as
/// that input (by [`Rate`](super::Rate)) is worked out again. All calls are about one graph, which may grow meanwhile.
#[derive(Clone, Debug, Default)]
pub struct Evaluator {
    functions: Functions,
    env: Env,
    memos: Memos,
}

impl Evaluator {
    pub fn new(functions: Functions) -> Evaluator {
        Evaluator { functions, ..Evaluator::default() }
    }

    pub fn set(&mut self, g: &Graph, var: VarId, value: impl Into<Array>) {
        self.env.set(var, value);
        self.memos.touch(g.var_info(var).kind.rate());
    }

    /// Sets a scalar variable; allocates at the first time only.
    pub fn set_scalar(&mut self, g: &Graph, var: VarId, value: f64) {
        match self.env.scalar_mut(var) {
            Some(old) => *old = value,
            None => self.env.set(var, value),
        }
        self.memos.touch(g.var_info(var).kind.rate());
    }

    pub fn get(&self, var: VarId) -> Option<&Array> {
        self.env.get(var)
    }

    pub fn eval(&mut self, g: &Graph, root: Id) -> Result<Array, EvalError> {
        let values = Machine::new(g, &self.env, self.functions, &mut self.memos).root(root)?;
        Ok(Array::new(g.shape(root).to_vec(), values))
    }

    /// Likewise, with NaN for the elements of a map that read outside their arrays: of a table of values, those that
    /// only branches not taken ask for.
    pub fn eval_where_inside(&mut self, g: &Graph, root: Id) -> Result<Array, EvalError> {
        let values = Machine::new(g, &self.env, self.functions, &mut self.memos).root_where_inside(root)?;
        Ok(Array::new(g.shape(root).to_vec(), values))
    }

    /// The value of a scalar node; allocates nothing on graphs without arrays.
    pub fn scalar(&mut self, g: &Graph, root: Id) -> Result<f64, EvalError> {
        Machine::new(g, &self.env, self.functions, &mut self.memos).root_scalar(root)
    }
}
