//! Identities tried at random points.

use crate::math::eval::{Env, eval_all};
use crate::math::{Graph, Id, Node};

use crate::calculus::points::Points;

const WANTED: usize = 12;
const TRIES: usize = 20;

/// A derivative that vanishes identically is a difference of equal terms; what rounding leaves of it is far below this
/// share of their size, and a derivative that does not vanish is far above it at most points.
const ZERO: f64 = 1e-9;

/// Forms that would take more turns of loops than this at a point are not tried: the answer is then open.
const MOST_TURNS: f64 = 1e8;

/// At most so many turns of the innermost loops, all values taken as often as the deepest.
fn turns(g: &Graph, roots: &[Id]) -> f64 {
    let order = g.reachable(roots);
    let mut depth: rustc_hash::FxHashMap<Id, f64> = Default::default();
    for id in &order {
        let inner = g.parts(*id).iter().map(|p| depth.get(p).copied().unwrap_or(1.0)).fold(1.0, f64::max);
        let own = match g.node(*id) {
            Node::Map(bounds, _) | Node::Reduce(_, bounds, _) => bounds.iter().map(|b| b.extent as f64).product(),
            _ => 1.0,
        };
        depth.insert(*id, inner * own);
    }
    roots.iter().filter_map(|r| depth.get(r)).fold(1.0, |a: f64, b| a.max(*b))
}

/// Whether a scalar is zero at random points, in comparison with `size`, a scalar of the size of what cancels in it.
/// None when it has a value nowhere that was tried. Variables without a value in `inputs` are drawn.
pub fn vanishes(g: &Graph, value: Id, size: Id, inputs: &Env) -> Option<bool> {
    if turns(g, &[value, size]) > MOST_TURNS {
        return None;
    }
    let mut vars = g.vars_of(value).to_vec();
    vars.extend(g.vars_of(size));
    vars.sort_unstable();
    vars.dedup();
    let mut points = Points::new(g, &vars, inputs, 7);
    let mut count = 0;
    for _ in 0..WANTED * TRIES {
        let values = eval_all(g, &[value, size], &points.draw(g)).ok()?;
        let (value, size) = (values[0].values[0], values[1].values[0]);
        if !(value.is_finite() && size.is_finite()) {
            continue;
        }
        if value.abs() > ZERO * size {
            return Some(false);
        }
        count += 1;
        if count == WANTED {
            break;
        }
    }
    (count > 0).then_some(true)
}
