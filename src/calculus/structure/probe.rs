//! Identities tried at random points.

use crate::math::eval::{Env, eval_all};
use crate::math::{Graph, Id};

use crate::calculus::points::Points;

const WANTED: usize = 12;
const TRIES: usize = 20;

/// A derivative that vanishes identically is a difference of equal terms; what rounding leaves of it is far below this
/// share of their size, and a derivative that does not vanish is far above it at most points.
const ZERO: f64 = 1e-9;

/// Whether a scalar is zero at random points, in comparison with `size`, a scalar of the size of what cancels in it.
/// None when it has a value nowhere that was tried. Variables without a value in `inputs` are drawn.
pub fn vanishes(g: &Graph, value: Id, size: Id, inputs: &Env) -> Option<bool> {
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
