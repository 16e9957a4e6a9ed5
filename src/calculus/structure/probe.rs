//! Identities tried at random points.

use rustc_hash::FxHashMap as HashMap;

use crate::calculus::points::Points;
use crate::math::eval::{Env, EvalError, eval_all};
use crate::math::{Graph, Id, IndexVar, Node, Op, Red};

use super::Finding;

const WANTED: usize = 12;
const TRIES: usize = 20;

/// A derivative that vanishes identically is a difference of equal terms; what rounding leaves of it is far below this
/// share of their size, and a derivative that does not vanish is far above it at most points.
const ZERO: f64 = 1e-9;

/// Points may take so many evaluations of nodes in all, which is a second or so. Forms over many rows of data take fewer
/// points than others, and those that would not get through one are not tried: the answer is then open.
pub const MOST_EVALUATIONS: f64 = 2e7;

/// What trying an identity says.
#[derive(Clone, Debug, PartialEq)]
pub enum Trial {
    /// zero at all the points that have a value
    Zero,
    NotZero,
    /// no point that was tried has a finite value
    NoValue,
    /// one point would take more than [`MOST_EVALUATIONS`]
    TooLong,
    Failed(EvalError),
}

impl Trial {
    /// The finding when zero is what would prove it, in words: `reason` is what stands in the way of a proof, `zero` what
    /// zero at all points says against it.
    pub fn finding(self, reason: String, zero: &str) -> Finding {
        let (seems, why) = match self {
            Trial::NotZero => return Finding::No(reason),
            Trial::Zero => (Some(true), format!("{zero} at the points that were tried")),
            Trial::NoValue => (None, "but it has no finite value at the points tried".to_string()),
            Trial::TooLong => (None, too_long()),
            Trial::Failed(e) => (None, format!("and it cannot be worked out at points: {e}")),
        };
        Finding::Open { seems, reason: format!("{reason}, {why}") }
    }
}

/// Why something was not tried.
pub fn too_long() -> String {
    format!("which was not tried at points: one point would take more than {MOST_EVALUATIONS:e} evaluations")
}

/// About how many evaluations of nodes a point takes. A value is remembered until an index that is free in it changes, so
/// that it is worked out as often as the loops around it turn, down to the innermost that it depends on.
pub fn evaluations(g: &Graph, roots: &[Id]) -> f64 {
    let turns = |loops: &[IndexVar]| loops.iter().map(|b| b.extent as f64).product::<f64>();
    let mut around: HashMap<Id, Vec<IndexVar>> = roots.iter().map(|r| (*r, Vec::new())).collect();
    let mut total = 0.0;
    for id in g.reachable(roots).into_iter().rev() {
        let mut loops = around.remove(&id).unwrap_or_default();
        total += turns(&loops);
        if let Node::Map(bounds, _) | Node::Reduce(_, bounds, _) | Node::Scatter { bounds, .. } = g.node(id) {
            loops.extend(bounds);
        }
        for part in g.parts(id) {
            let depth = loops.iter().rposition(|b| g.has_free(part, b.id)).map_or(0, |last| last + 1);
            let known = around.entry(part).or_default();
            if turns(&loops[..depth]) > turns(known) {
                *known = loops[..depth].to_vec();
            }
        }
    }
    total
}

/// Whether a scalar is zero at random points, in comparison with `size`, a scalar of the size of what cancels in it.
/// Variables without a value in `inputs` are drawn.
pub fn vanishes(g: &Graph, value: Id, size: Id, inputs: &Env) -> Trial {
    let points_allowed = MOST_EVALUATIONS / evaluations(g, &[value, size]);
    if points_allowed < 1.0 {
        return Trial::TooLong;
    }
    let mut vars = g.vars_of(value).to_vec();
    vars.extend(g.vars_of(size));
    vars.sort_unstable();
    vars.dedup();
    let mut points = Points::new(g, &vars, inputs, 7);
    let mut count = 0;
    for _ in 0..(points_allowed as usize).min(WANTED * TRIES) {
        let values = match eval_all(g, &[value, size], &points.draw(g)) {
            Ok(values) => values,
            Err(e) => return Trial::Failed(e),
        };
        let (value, size) = (values[0].values[0], values[1].values[0]);
        if !(value.is_finite() && size.is_finite()) {
            continue;
        }
        if value.abs() > ZERO * size {
            return Trial::NotZero;
        }
        count += 1;
        if count == WANTED {
            break;
        }
    }
    if count > 0 { Trial::Zero } else { Trial::NoValue }
}

/// The size of what cancels in a scalar: its absolute value with every sum and difference in it, down to the arguments of
/// functions, replaced by the sum of the sizes of its terms. What rounding leaves of a zero is small beside it.
pub fn magnitude(g: &mut Graph, id: Id) -> Id {
    let mut known: HashMap<Id, Id> = HashMap::default();
    // parts before wholes, so that long sums take no stack
    for part in g.reachable(&[id]) {
        if !g.is_scalar(part) {
            continue;
        }
        let of = |p: &Id| known[p];
        let size = match g.node(part).clone() {
            Node::Op(Op::Add | Op::Sub, args) => g.op(Op::Add, &[of(&args[0]), of(&args[1])]),
            Node::Op(Op::Neg | Op::Abs, args) => of(&args[0]),
            Node::Op(Op::Mul, args) => g.op(Op::Mul, &[of(&args[0]), of(&args[1])]),
            Node::Op(Op::Div, args) => {
                let under = g.op(Op::Abs, &[args[1]]);
                g.op(Op::Div, &[of(&args[0]), under])
            }
            Node::Op(Op::Select, args) if args.iter().all(|a| g.is_scalar(*a)) => {
                g.op(Op::Select, &[args[0], of(&args[1]), of(&args[2])])
            }
            Node::Reduce(Red::Sum, bounds, body) => g.reduce(Red::Sum, &bounds, of(&body)),
            _ if g.ty(part) == crate::math::Ty::Real => g.op(Op::Abs, &[part]),
            _ => part,
        };
        known.insert(part, size);
    }
    known[&id]
}
