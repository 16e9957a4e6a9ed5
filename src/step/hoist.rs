//! Work that a loop repeats although it does not depend on the loop's index becomes an array of its own.
//!
//! In `map (k) sum (n) X[n, k]*r(n)` with an `r(n)` that holds a loop itself, `r` does not change with k. It is written as
//! the element n of `map (n) r(n)`; whether that array is then stored is for `lower` to decide. Values do not change: the
//! same operations are done, fewer times.

use std::collections::HashMap;

use crate::math::{Graph, Id, IndexVar, Node, Rate};

/// The roots with invariant inner loops taken out of outer ones.
pub fn hoist(g: &mut Graph, roots: &[Id]) -> Vec<Id> {
    let mut pass = Pass::default();
    roots.iter().map(|r| pass.visit(g, *r)).collect()
}

#[derive(Default)]
struct Pass {
    /// binders around, from the outermost
    around: Vec<IndexVar>,
    memo: HashMap<Id, Id>,
}

impl Pass {
    fn visit(&mut self, g: &mut Graph, id: Id) -> Id {
        if g.height(id) == 0 {
            return id;
        }
        if let Some(done) = self.memo.get(&id) {
            return *done;
        }
        let new = match self.invariant(g, id) {
            Some(own) => self.taken_out(g, id, &own),
            None => self.rebuild(g, id),
        };
        self.memo.insert(id, new);
        new
    }

    /// The indices of a scalar with a loop in it that does not depend on some loop further out than its own indices.
    fn invariant(&self, g: &Graph, id: Id) -> Option<Vec<IndexVar>> {
        if !g.is_scalar(id) || g.rate(id) != Rate::Lane {
            return None;
        }
        let own: Vec<usize> = (0..self.around.len()).filter(|k| g.has_free(id, self.around[*k].id)).collect();
        match own.first() {
            Some(first) if *first > 0 => Some(own.into_iter().map(|k| self.around[k]).collect()),
            _ => None,
        }
    }

    fn taken_out(&mut self, g: &mut Graph, id: Id, own: &[IndexVar]) -> Id {
        let at: Vec<Id> = own.iter().map(|b| g.index(*b)).collect();
        let array = g.map(own, id);
        let before = std::mem::take(&mut self.around);
        let array = self.rebuild(g, array);
        self.around = before;
        g.get(array, &at)
    }

    fn all(&mut self, g: &mut Graph, ids: &[Id]) -> Vec<Id> {
        ids.iter().map(|i| self.visit(g, *i)).collect()
    }

    fn under(&mut self, g: &mut Graph, bounds: &[IndexVar], parts: &[Id]) -> (Vec<IndexVar>, Vec<Id>) {
        let (bounds, parts) = g.open(bounds, parts);
        self.around.extend(&bounds);
        let parts = self.all(g, &parts);
        self.around.truncate(self.around.len() - bounds.len());
        (bounds, parts)
    }

    fn rebuild(&mut self, g: &mut Graph, id: Id) -> Id {
        match g.node(id).clone() {
            Node::Op(op, args) => {
                let args = self.all(g, &args);
                g.op(op, &args)
            }
            Node::Lit(shape, elements) => {
                let elements = self.all(g, &elements);
                g.lit(shape, elements)
            }
            Node::Get(array, at) => {
                let (array, at) = (self.visit(g, array), self.all(g, &at));
                g.get(array, &at)
            }
            Node::Map(bounds, body) => {
                let (bounds, parts) = self.under(g, &bounds, &[body]);
                g.map(&bounds, parts[0])
            }
            Node::Reduce(red, bounds, body) => {
                let (bounds, parts) = self.under(g, &bounds, &[body]);
                g.reduce(red, &bounds, parts[0])
            }
            Node::Scatter { shape, bounds, at, body } => {
                let parts: Vec<Id> = at.into_iter().chain([body]).collect();
                let (bounds, mut parts) = self.under(g, &bounds, &parts);
                let body = parts.pop().expect("the body is the last part");
                g.scatter(shape, &bounds, &parts, body)
            }
            Node::Dense(op, args) => {
                let args = self.all(g, &args);
                g.dense(op, &args)
            }
            _ => id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::array::Array;
    use crate::math::eval::{Env, eval};
    use crate::math::{Op, Red, Ty, VarKind};

    /// `map (k < 3) sum (n < 5) x[k]*exp(sum (j < 3) x[j]*n)`: the exponential does not depend on k.
    #[test]
    fn an_inner_loop_that_does_not_change_is_taken_out() {
        let mut g = Graph::new();
        let var = g.new_var("x", VarKind::State, Ty::Real, vec![3]);
        let x = g.var(var);
        let [k, n, j] = [3, 5, 3].map(|e| g.fresh_index(e));
        let [ki, ni, ji] = [k, n, j].map(|i| g.index(i));
        let xj = g.get(x, &[ji]);
        let real = g.op(Op::ToReal, &[ni]);
        let term = g.op(Op::Mul, &[xj, real]);
        let inner = g.reduce(Red::Sum, &[j], term);
        let e = g.op(Op::Exp, &[inner]);
        let xk = g.get(x, &[ki]);
        let product = g.op(Op::Mul, &[xk, e]);
        let sum = g.reduce(Red::Sum, &[n], product);
        let root = g.map(&[k], sum);
        let new = hoist(&mut g, &[root])[0];
        let inner_array = g.reachable(&[new]).into_iter().any(|id| g.shape(id) == [5]);
        assert!(inner_array, "the exponentials are an array over n");
        let mut env = Env::new();
        env.set(var, Array::new(vec![3], vec![0.1, -0.2, 0.3]));
        assert_eq!(eval(&g, root, &env).unwrap().values, eval(&g, new, &env).unwrap().values);
    }
}
