//! Values that several others need, kept as names while those are simplified.
//!
//! A step rule names its values: the predictor of Heun's method is one, the new position of a splitting another. Put in
//! where it is read, such a value is taken apart. Its terms are collected with the terms around it, and one array that is
//! read at `i` and at `i - 1` becomes all its terms at both. So values that are needed several times become variables
//! before what reads them is simplified. [`dissolved`] puts them in by the rules of the simplifier, [`restored`] as they
//! are, as scalars and arrays that the lowering works out once. Which of the two takes fewer operations is for the
//! lowering to say.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::graph::{Graph, Id, Node, Rate, VarId, VarKind};
use super::ops::{Op, Ty};
use super::simplify;

/// Named values with the variables that stand for them: each reads only those before it.
pub type Names = Vec<(VarId, Id)>;

/// A value of fewer operations than this is worked out wherever it is needed.
const WORTH: usize = 2;

/// Which raw nodes may get names, and the names given.
#[derive(Debug, Default)]
pub struct Naming {
    candidates: HashSet<Id>,
    /// these get names whatever they are worth
    kept: HashSet<Id>,
    pub names: Names,
}

impl Naming {
    /// Candidates are the values that differ from path to path, have no loop index free, and are needed by two nodes or
    /// more. A derivative needs its point several times. What depends on the variable of a derivative inside its body is
    /// none: behind a name, the derivative would not see it.
    pub fn of(g: &Graph, roots: &[Id]) -> Naming {
        let mut uses: HashMap<Id, usize> = HashMap::default();
        roots.iter().for_each(|r| *uses.entry(*r).or_default() += 1);
        for id in g.reachable(roots) {
            let mut parts = g.parts(id);
            parts.sort_unstable();
            parts.dedup();
            parts.into_iter().for_each(|p| *uses.entry(p).or_default() += 1);
            if let Node::Partial { point, .. } | Node::Jvp { point, .. } = g.node(id) {
                *uses.entry(*point).or_default() += 1;
            }
        }
        let candidates: HashSet<Id> =
            uses.into_iter().filter(|(id, uses)| *uses > 1 && may_be_named(g, *id)).map(|(id, _)| id).collect();
        Naming { candidates, ..Naming::of_kept(g, roots) }.outside_bodies(g, roots)
    }

    /// Names for the values that the graph keeps (`Graph::keep`), and for no others.
    pub fn of_kept(g: &Graph, roots: &[Id]) -> Naming {
        if !g.keeps_any() {
            return Naming::default();
        }
        let kept = g.reachable(roots).into_iter().filter(|id| g.is_kept(*id)).collect();
        Naming { kept, ..Naming::default() }.outside_bodies(g, roots)
    }

    /// Without what depends on the variable of a derivative in the derivative's body.
    fn outside_bodies(mut self, g: &Graph, roots: &[Id]) -> Naming {
        if self.candidates.is_empty() && self.kept.is_empty() {
            return self;
        }
        let mut bodies: HashSet<(Id, VarId)> = HashSet::default();
        for id in g.reachable(roots) {
            if let Node::Partial { of, var, .. } | Node::Jvp { of, var, .. } = g.node(id) {
                bodies.insert((*of, *var));
            }
        }
        for (of, var) in bodies {
            for id in g.reachable(&[of]) {
                if g.depends_on(id, var) {
                    self.candidates.remove(&id);
                    self.kept.remove(&id);
                }
            }
        }
        self
    }

    /// The variable for the clean form of a raw node, if it is worth a name; else the clean form.
    pub fn name(&mut self, g: &mut Graph, raw: Id, clean: Id) -> Id {
        let kept = self.kept.contains(&raw) && g.rate(clean) == Rate::Lane && !g.parts(clean).is_empty();
        let worthy = self.candidates.contains(&raw) && worth(g, clean);
        if !(kept || worthy) {
            return clean;
        }
        if let Some((var, _)) = self.names.iter().rev().find(|n| n.1 == clean) {
            return g.var(*var);
        }
        let shape = g.shape(clean).to_vec();
        let var = g.new_var(format!("value {}", self.names.len()), VarKind::Hole, Ty::Real, shape);
        self.names.push((var, clean));
        g.var(var)
    }
}

fn may_be_named(g: &Graph, id: Id) -> bool {
    let named = matches!(
        g.node(id),
        Node::Op(..) | Node::Map(..) | Node::Lit(..) | Node::Reduce(..) | Node::Partial { .. } | Node::Jvp { .. }
    );
    let rate = g.rate(id);
    named
        && g.free(id).is_empty()
        && g.ty(id) == Ty::Real
        && (rate == Rate::Lane || rate > Rate::Compile && is_product(g, id))
}

/// Whether each element of an array is a sum, as in a product of matrices. What is the same for all paths is worked out by
/// the host, once; but a product put into a product, again and again, would be many sums in one another.
fn is_product(g: &Graph, id: Id) -> bool {
    let is_sum = |id: Id| matches!(g.node(id), Node::Reduce(..));
    match g.node(id) {
        Node::Map(_, body) => match g.node(*body) {
            Node::Op(_, args) => args.iter().any(|a| is_sum(*a)),
            _ => is_sum(*body),
        },
        _ => false,
    }
}

/// Whether a clean value keeps its name: it takes some operations, and has no zeros by its form (`sum(j) b[i, j]*w[j]` of a
/// diagonal matrix needs no loop, where the simplifier sees that it is one).
fn worth(g: &Graph, id: Id) -> bool {
    let sparse = match g.node(id) {
        Node::Map(_, body) => match g.node(*body) {
            Node::Op(Op::Select, args) => g.rate(args[0]) == Rate::Compile,
            _ => false,
        },
        Node::Lit(shape, elements) => shape.len() > 1 && elements.iter().any(|e| *g.node(*e) == Node::Real(0)),
        Node::Op(..) | Node::Reduce(..) => false,
        _ => true,
    };
    !sparse && (is_product(g, id) || g.rate(id) == Rate::Lane && takes(g, id, WORTH))
}

/// Whether a value takes at least so many operations.
fn takes(g: &Graph, id: Id, least: usize) -> bool {
    let (mut seen, mut stack, mut work) = (HashSet::default(), vec![id], 0);
    while let Some(id) = stack.pop() {
        if g.rate(id) < Rate::Lane || !seen.insert(id) {
            continue;
        }
        match g.node(id) {
            Node::Op(Op::Add | Op::Sub | Op::Mul | Op::Neg, _) => work += 1,
            Node::Op(..) | Node::Reduce(..) | Node::Dense(..) => work += 2,
            _ => {}
        }
        if work >= least {
            return true;
        }
        stack.extend(g.parts(id));
    }
    false
}

/// Puts some of the names in by the rules of the simplifier: the roots and the names that are left.
pub fn dissolved(g: &mut Graph, roots: &[Id], names: &Names, which: impl Fn(VarId) -> bool) -> (Vec<Id>, Names) {
    let mut gone: HashMap<VarId, Id> = HashMap::default();
    let mut left = Names::new();
    for (var, value) in names {
        let value = put_in(g, *value, &gone);
        if which(*var) {
            gone.insert(*var, value);
        } else {
            left.push((*var, value));
        }
    }
    (roots.iter().map(|r| put_in(g, *r, &gone)).collect(), left)
}

fn put_in(g: &mut Graph, id: Id, values: &HashMap<VarId, Id>) -> Id {
    let pairs = pairs(g, id, values);
    if pairs.is_empty() { id } else { simplify::substitute(g, &[id], &[], &pairs)[0] }
}

/// Puts all names in as they are. The results are for reading only: simplified again, they would dissolve.
pub fn restored(g: &mut Graph, roots: &[Id], names: &Names) -> Vec<Id> {
    put_back(g, roots, names, |_, _| {})
}

/// Puts the names of kept values in as they are, and keeps them.
pub fn restored_kept(g: &mut Graph, roots: &[Id], names: &Names) -> Vec<Id> {
    put_back(g, roots, names, Graph::keep)
}

fn put_back(g: &mut Graph, roots: &[Id], names: &Names, each: impl Fn(&mut Graph, Id)) -> Vec<Id> {
    let mut values: HashMap<VarId, Id> = HashMap::default();
    for (var, value) in names {
        let pairs = pairs(g, *value, &values);
        let value = g.substitute_vars(&[*value], &pairs)[0];
        each(g, value);
        values.insert(*var, value);
    }
    let mut used: Vec<(VarId, Id)> = Vec::new();
    for root in roots {
        used.extend(pairs(g, *root, &values));
    }
    g.substitute_vars(roots, &used)
}

fn pairs(g: &Graph, id: Id, values: &HashMap<VarId, Id>) -> Vec<(VarId, Id)> {
    g.vars_of(id).iter().filter_map(|v| values.get(v).map(|value| (*v, *value))).collect()
}
