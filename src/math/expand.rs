//! From raw graphs to clean ones: derivatives worked out, everything rebuilt by the smart constructors.

use rustc_hash::FxHashMap as HashMap;

use super::derivative::rules::may_refuse;
use super::derivative::scope::Scopes;
use super::derivative::{Differentiable, Forward, gradient};
use super::graph::{Graph, Id, Node, VarId, VarKind};
use super::named::{Names, Naming, restored_kept};
use super::simplify;

pub use super::derivative::NotDifferentiable;

/// Works out all derivatives below the roots, innermost first, and simplifies. Takes time in proportion to the graph and
/// no more stack for deeper ones. What the graph keeps whole is cleaned by itself, and stays kept.
pub fn clean(g: &mut Graph, roots: &[Id]) -> Result<Vec<Id>, NotDifferentiable> {
    let mut pass = Clean::new(Naming::of_kept(g, roots));
    let roots = pass.all(g, roots)?;
    Ok(restored_kept(g, &roots, &pass.naming.names))
}

/// Whether [`clean`] can take all derivatives. It is only tried where some operation could refuse: no other derivative comes to
/// have one of these.
pub fn differentiable(g: &mut Graph, roots: &[Id]) -> Result<(), NotDifferentiable> {
    let refuses = |id: &Id| matches!(g.node(*id), Node::Op(op, _) if may_refuse(*op));
    if g.reachable(roots).iter().any(refuses) { clean(g, roots).map(|_| ()) } else { Ok(()) }
}

/// As [`clean`], with names for the values that are needed several times (see `math::named`).
pub fn clean_named(g: &mut Graph, roots: &[Id]) -> Result<(Vec<Id>, Names), NotDifferentiable> {
    let mut pass = Clean::new(Naming::of(g, roots));
    let roots = pass.all(g, roots)?;
    Ok((roots, pass.naming.names))
}

struct Clean {
    scopes: Scopes,
    naming: Naming,
    /// clean forms of raw nodes, loops opened
    done: HashMap<Id, Id>,
    /// gradients of (clean body, variable): one reverse pass serves all the elements
    gradients: HashMap<(Id, VarId), Id>,
    /// for each variable, one that stands for the direction in which it moves
    directions: HashMap<VarId, VarId>,
    /// derivatives of (clean body, variable) along the variable's direction
    tangents: HashMap<(Id, VarId), Option<Id>>,
}

impl Clean {
    fn new(naming: Naming) -> Clean {
        Clean {
            scopes: Scopes::of_expansion(),
            naming,
            done: HashMap::default(),
            gradients: HashMap::default(),
            directions: HashMap::default(),
            tangents: HashMap::default(),
        }
    }

    fn all(&mut self, g: &mut Graph, roots: &[Id]) -> Result<Vec<Id>, NotDifferentiable> {
        roots.iter().map(|r| self.of(g, *r)).collect()
    }

    fn of(&mut self, g: &mut Graph, root: Id) -> Differentiable<Id> {
        let mut stack = vec![(root, false)];
        while let Some((node, ready)) = stack.pop() {
            if self.done.contains_key(&node) {
                continue;
            }
            if ready {
                let new = self.rebuild(g, node)?;
                let new = self.naming.name(g, node, new);
                self.done.insert(node, new);
                continue;
            }
            stack.push((node, true));
            let parts = self.parts(g, node);
            stack.extend(parts.into_iter().rev().map(|p| (p, false)));
        }
        Ok(self.done[&root])
    }

    fn parts(&mut self, g: &mut Graph, node: Id) -> Vec<Id> {
        match g.node(node) {
            Node::Map(..) | Node::Reduce(..) | Node::Scatter { .. } => self.scopes.open(g, node).1,
            _ => g.parts(node),
        }
    }

    fn each(&self, ids: &[Id]) -> Vec<Id> {
        ids.iter().map(|i| self.done[i]).collect()
    }

    /// The clean form of a node whose parts have theirs.
    fn rebuild(&mut self, g: &mut Graph, node: Id) -> Differentiable<Id> {
        Ok(match g.node(node).clone() {
            Node::Real(_) | Node::Int(_) | Node::Bool(_) | Node::Var(_) | Node::Data(_) => node,
            Node::Index(_) => simplify::simplify(g, &[node])[0],
            Node::Op(op, args) => simplify::op(g, op, &self.each(&args)),
            Node::Lit(shape, elements) => simplify::lit(g, shape, self.each(&elements)),
            Node::Get(array, at) => simplify::get(g, self.done[&array], &self.each(&at)),
            Node::Map(..) => {
                let (bounds, parts) = self.scopes.open(g, node);
                simplify::map(g, &bounds, self.done[&parts[0]])
            }
            Node::Reduce(red, ..) => {
                let (bounds, parts) = self.scopes.open(g, node);
                simplify::reduce(g, red, &bounds, self.done[&parts[0]])
            }
            Node::Scatter { shape, .. } => {
                let (bounds, parts) = self.scopes.open(g, node);
                let mut parts = self.each(&parts);
                let body = parts.pop().expect("the body is the last part");
                simplify::scatter(g, shape, &bounds, &parts, body)
            }
            Node::Dense(op, args) => simplify::dense(g, op, &self.each(&args)),
            Node::Partial { of, var, point, at } => {
                let array = self.gradient(g, self.done[&of], var)?;
                let array = at_values(g, array, &[(var, self.done[&point])]);
                simplify::get(g, array, &self.each(&at))
            }
            Node::Jvp { of, var, point, tangent } => {
                let direction = self.direction(g, var);
                match self.along(g, self.done[&of], var, direction)? {
                    None => g.real(0.0),
                    // at once: in the tangent, the variable is not the bound one
                    Some(dot) => {
                        let (point, tangent) = (self.done[&point], self.done[&tangent]);
                        at_values(g, dot, &[(var, point), (direction, tangent)])
                    }
                }
            }
        })
    }

    fn gradient(&mut self, g: &mut Graph, of: Id, var: VarId) -> Differentiable<Id> {
        if let Some(done) = self.gradients.get(&(of, var)) {
            return Ok(*done);
        }
        let array = gradient(g, of, var)?;
        self.gradients.insert((of, var), array);
        Ok(array)
    }

    fn direction(&mut self, g: &mut Graph, var: VarId) -> VarId {
        *self.directions.entry(var).or_insert_with(|| {
            let info = g.var_info(var).clone();
            g.new_var(format!("d{}", info.name), VarKind::Hole, info.ty, info.shape)
        })
    }

    fn along(&mut self, g: &mut Graph, of: Id, var: VarId, direction: VarId) -> Differentiable<Option<Id>> {
        if let Some(done) = self.tangents.get(&(of, var)) {
            return Ok(*done);
        }
        let tangent = g.var(direction);
        let dot = Forward::new(var, tangent).of(g, of)?;
        self.tangents.insert((of, var), dot);
        Ok(dot)
    }
}

/// A derivative at the values of its variables.
fn at_values(g: &mut Graph, value: Id, values: &[(VarId, Id)]) -> Id {
    let moved: Vec<(VarId, Id)> = values.iter().copied().filter(|(var, to)| *g.node(*to) != Node::Var(*var)).collect();
    simplify::substitute(g, &[value], &[], &moved)[0]
}
