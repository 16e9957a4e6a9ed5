//! Short sums over arrays that are written out, term by term: `sum_{j<2} [[1, 0], [r, s]][1, j]*x[j]` is what no one
//! writes, and what hides from a proof that two such sums are the same.

use rustc_hash::FxHashMap as HashMap;

use crate::calculus::clean;
use crate::calculus::system::{UNROLLED, places, size};
use crate::math::{Graph, Id, IndexVar, Node, Op, Red};

/// How deep products of matrices are followed.
const DEPTH: usize = 6;

/// The same scalar, clean, without such sums.
pub fn written_out(g: &mut Graph, id: Id) -> Id {
    let mut id = clean(g, &[id])[0];
    for _ in 0..DEPTH {
        let terms = Terms { done: HashMap::default() }.of(g, id);
        // only now can an element of an array be looked up that is itself such a sum
        let next = clean(g, &[terms])[0];
        if next == id {
            break;
        }
        id = next;
    }
    id
}

struct Terms {
    done: HashMap<Id, Id>,
}

impl Terms {
    fn of(&mut self, g: &mut Graph, id: Id) -> Id {
        if let Some(done) = self.done.get(&id) {
            return *done;
        }
        let result = match g.node(id).clone() {
            Node::Op(op, args) => {
                let args: Vec<Id> = args.iter().map(|a| self.of(g, *a)).collect();
                g.op(op, &args)
            }
            Node::Get(array, at) => match g.node(array).clone() {
                Node::Map(bounds, body) => {
                    let element = at_place(g, body, &bounds, at);
                    self.of(g, element)
                }
                _ => id,
            },
            Node::Reduce(Red::Sum, bounds, body) if is_short(&bounds) && reads_literal(g, body, &bounds) => {
                let mut sum = g.real(0.0);
                for place in places(g, &extents(&bounds)) {
                    let term = at_place(g, body, &bounds, place);
                    let term = self.of(g, term);
                    sum = g.op(Op::Add, &[sum, term]);
                }
                sum
            }
            _ => id,
        };
        self.done.insert(id, result);
        result
    }
}

fn at_place(g: &mut Graph, body: Id, bounds: &[IndexVar], place: Vec<Id>) -> Id {
    let pairs: Vec<(u32, Id)> = bounds.iter().map(|b| b.id).zip(place).collect();
    g.substitute_indices(&[body], &pairs)[0]
}

fn extents(bounds: &[IndexVar]) -> Vec<usize> {
    bounds.iter().map(|b| b.extent).collect()
}

fn is_short(bounds: &[IndexVar]) -> bool {
    size(&extents(bounds)) <= UNROLLED
}

/// Whether a body reads an array that is written out at a place that depends on the bound indices.
pub fn reads_literal(g: &Graph, body: Id, bounds: &[IndexVar]) -> bool {
    g.reachable(&[body]).into_iter().any(|id| match g.node(id) {
        Node::Get(array, at) => {
            let bound = |i: &Id| bounds.iter().any(|b| g.has_free(*i, b.id));
            matches!(g.node(*array), Node::Lit(..)) && at.iter().any(bound)
        }
        _ => false,
    })
}
