//! Which expressions have values, and finite slopes, wherever their variables have.

use rustc_hash::FxHashMap as HashMap;

use crate::math::affine;
use crate::math::graph::{Graph, Id, Node};
use crate::math::ops::{Op, Red};

/// Remembers what was found.
#[derive(Debug, Default)]
pub struct Total {
    found: HashMap<Id, bool>,
}

impl Total {
    /// Whether a node and its slopes are finite for all finite values of the variables, overflow in sums, products and
    /// powers aside. `false` where that is not plain.
    pub fn holds(&mut self, g: &Graph, root: Id) -> bool {
        let mut stack = vec![(root, false)];
        while let Some((node, ready)) = stack.pop() {
            if ready {
                let all = g.parts(node).iter().all(|p| self.found[p]);
                self.found.insert(node, all && locally(g, node));
            } else if !self.found.contains_key(&node) {
                stack.push((node, true));
                stack.extend(g.parts(node).into_iter().map(|p| (p, false)));
            }
        }
        self.found[&root]
    }
}

/// Whether a node is finite where its parts are.
fn locally(g: &Graph, node: Id) -> bool {
    use Op::*;
    match g.node(node) {
        Node::Op(op, args) => match op {
            Add | Sub | Mul | Neg | Abs | Sign | Floor | Ceil | Min | Max | Sin | Cos | Atan | Tanh | Erf | Erfc
            | Sigmoid | Softplus | Logaddexp | LogI0 | BesselRatio | StopGrad | ToReal | Lt | Le | Eq | Ne | And
            | Or | Not | Select => true,
            Powi => matches!(g.node(args[1]), Node::Int(n) if *n >= 0),
            Div => matches!(g.node(args[1]), Node::Real(bits) if f64::from_bits(*bits) != 0.0),
            Mod | IntDiv => matches!(g.node(args[1]), Node::Int(n) if *n != 0),
            _ => false,
        },
        Node::Get(array, at) => {
            let shape = g.shape(*array);
            at.iter().zip(shape).all(|(e, n)| matches!(affine::range(g, *e), Some((a, b)) if a >= 0 && b < *n as i64))
        }
        Node::Reduce(Red::Max | Red::Min | Red::LogSumExp | Red::Argmax | Red::Argmin, bounds, _) => {
            bounds.iter().all(|b| b.extent > 0)
        }
        Node::Dense(..) | Node::Partial { .. } | Node::Jvp { .. } => false,
        _ => true,
    }
}
