//! From raw graphs to clean ones: derivatives worked out, everything rebuilt by the smart constructors.

use std::collections::HashMap;

use super::derivative::{Differentiable, Forward, gradient};
use super::graph::{Graph, Id, Node, VarId};
use super::simplify;

pub use super::derivative::NotDifferentiable;

/// Works out all derivatives below the roots, innermost first, and simplifies.
pub fn clean(g: &mut Graph, roots: &[Id]) -> Result<Vec<Id>, NotDifferentiable> {
    let mut pass = Clean::default();
    roots.iter().map(|r| pass.visit(g, *r)).collect()
}

#[derive(Default)]
struct Clean {
    memo: HashMap<Id, Id>,
    /// gradients of (clean body, variable): one reverse pass serves all the elements
    gradients: HashMap<(Id, VarId), Id>,
}

impl Clean {
    fn visit(&mut self, g: &mut Graph, id: Id) -> Differentiable<Id> {
        if let Some(done) = self.memo.get(&id) {
            return Ok(*done);
        }
        let new = self.rebuild(g, id)?;
        self.memo.insert(id, new);
        self.memo.insert(new, new);
        Ok(new)
    }

    fn all(&mut self, g: &mut Graph, ids: &[Id]) -> Differentiable<Vec<Id>> {
        ids.iter().map(|i| self.visit(g, *i)).collect()
    }

    fn rebuild(&mut self, g: &mut Graph, id: Id) -> Differentiable<Id> {
        Ok(match g.node(id).clone() {
            Node::Real(_) | Node::Int(_) | Node::Bool(_) | Node::Var(_) | Node::Data(_) | Node::Index(_) => id,
            Node::Op(op, args) => {
                let args = self.all(g, &args)?;
                simplify::op(g, op, &args)
            }
            Node::Lit(shape, elements) => {
                let elements = self.all(g, &elements)?;
                simplify::lit(g, shape, elements)
            }
            Node::Get(array, at) => {
                let array = self.visit(g, array)?;
                let at = self.all(g, &at)?;
                simplify::get(g, array, &at)
            }
            Node::Map(bounds, body) => {
                let (bounds, parts) = g.open(&bounds, &[body]);
                let body = self.visit(g, parts[0])?;
                simplify::map(g, &bounds, body)
            }
            Node::Reduce(red, bounds, body) => {
                let (bounds, parts) = g.open(&bounds, &[body]);
                let body = self.visit(g, parts[0])?;
                simplify::reduce(g, red, &bounds, body)
            }
            Node::Scatter { shape, bounds, at, body } => {
                let parts: Vec<Id> = at.into_iter().chain([body]).collect();
                let (bounds, parts) = g.open(&bounds, &parts);
                let mut parts = self.all(g, &parts)?;
                let body = parts.pop().expect("the body is the last part");
                simplify::scatter(g, shape, &bounds, &parts, body)
            }
            Node::Dense(op, args) => {
                let args = self.all(g, &args)?;
                simplify::dense(g, op, &args)
            }
            Node::Partial { of, var, point, at } => {
                let of = self.visit(g, of)?;
                let array = match self.gradients.get(&(of, var)) {
                    Some(done) => *done,
                    None => {
                        let array = gradient(g, of, var)?;
                        self.gradients.insert((of, var), array);
                        array
                    }
                };
                let (at, point) = (self.all(g, &at)?, self.visit(g, point)?);
                let array = at_point(g, array, var, point);
                simplify::get(g, array, &at)
            }
            Node::Jvp { of, var, point, tangent } => {
                let of = self.visit(g, of)?;
                let (tangent, point) = (self.visit(g, tangent)?, self.visit(g, point)?);
                // The tangent is a value outside the derivative: the variable in it is not the bound one.
                let info = g.var_info(var).clone();
                let along = g.new_var("tangent", crate::math::VarKind::Hole, info.ty, info.shape);
                let direction = g.var(along);
                match Forward::new(var, direction).of(g, of)? {
                    None => g.real(0.0),
                    Some(dot) => {
                        let dot = at_point(g, dot, var, point);
                        simplify::substitute(g, &[dot], &[], &[(along, tangent)])[0]
                    }
                }
            }
        })
    }
}

/// A derivative at the value of its variable.
fn at_point(g: &mut Graph, value: Id, var: VarId, point: Id) -> Id {
    if *g.node(point) == Node::Var(var) || !g.depends_on(value, var) {
        return value;
    }
    simplify::substitute(g, &[value], &[], &[(var, point)])[0]
}
