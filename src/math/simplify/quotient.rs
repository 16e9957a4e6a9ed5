//! Quotients of reals.

use super::super::graph::{Graph, Id, Node, Rate};
use super::super::ops::Op;
use super::number::{is_zero, known, known_int, real};
use super::product::{Product, mul};
use super::{power, select};

/// `a/b`. Common factors cancel (a zero of one is a removable singularity); `0/b` is 0 even where `b` is 0.
pub fn quotient(g: &mut Graph, a: Id, b: Id) -> Id {
    match (known(g, a), known(g, b)) {
        (Some(x), Some(y)) => return real(g, x / y),
        (_, Some(0.0)) => return g.op(Op::Div, &[a, b]),
        (_, Some(1.0)) => return a,
        _ => {}
    }
    if is_zero(g, a) {
        return a;
    }
    if select::opens(g, a, known(g, b).is_some()) {
        let (c, x, y) = select::parts(g, a).expect("a select");
        let branches = [x, y].map(|x| quotient(g, x, b));
        return select::select(g, c, branches[0], branches[1]);
    }
    if let Some(id) = nested(g, a, b) {
        return id;
    }
    let (mut above, mut below) = (Product::of(g, a), Product::of(g, b));
    cancel(&mut above, &mut below);
    let c = ratio(&mut above, &mut below);
    assemble(g, c, above, below)
}

/// One division in place of two.
fn nested(g: &mut Graph, a: Id, b: Id) -> Option<Id> {
    match g.node(b).clone() {
        // a / (n/d)
        Node::Op(Op::Div, args) => {
            let above = mul(g, a, args[1]);
            return Some(quotient(g, above, args[0]));
        }
        // a / x^-n
        Node::Op(Op::Powi, args) => {
            if let Some(n) = known_int(g, args[1]).filter(|n| *n < 0) {
                let factor = power::powi(g, args[0], n.checked_neg()?);
                return Some(mul(g, a, factor));
            }
        }
        _ => {}
    }
    // (n/d)*c / b, unless n/d is uniform and b is not
    let mut p = Product::of(g, a);
    let k = p.factors.iter().position(|(base, n)| {
        *n == 1
            && matches!(g.node(*base), Node::Op(Op::Div, _))
            && (g.rate(*base) == Rate::Lane || g.rate(b) < Rate::Lane)
    })?;
    let Node::Op(Op::Div, args) = g.node(p.factors.remove(k).0).clone() else { return None };
    let rest = p.finish(g);
    let above = mul(g, rest, args[0]);
    let below = mul(g, args[1], b);
    Some(quotient(g, above, below))
}

/// Powers that numerator and denominator share.
fn cancel(above: &mut Product, below: &mut Product) {
    for f in &mut above.factors {
        if let Some(d) = below.factors.iter_mut().find(|d| d.0 == f.0 && d.1 > 0 && f.1 > 0) {
            let shared = f.1.min(d.1);
            f.1 -= shared;
            d.1 -= shared;
        }
    }
    above.factors.retain(|f| f.1 != 0);
    below.factors.retain(|f| f.1 != 0);
}

/// Takes both coefficients out as one, unless that would round `1/c`: then `c` stays below.
fn ratio(above: &mut Product, below: &mut Product) -> f64 {
    let (a, b) = (above.coefficient, below.coefficient);
    above.coefficient = 1.0;
    let c = a / b;
    let exact = c.mul_add(b, -a) == 0.0;
    if a.abs() == 1.0 && !exact {
        below.coefficient = b.abs();
        return a * b.signum();
    }
    below.coefficient = 1.0;
    c
}

/// `c*above/below`. Uniform factors of the numerator come out, over the denominator if that is uniform too.
fn assemble(g: &mut Graph, c: f64, above: Product, below: Product) -> Id {
    let constant_below = below.factors.is_empty();
    if constant_below && below.coefficient == 1.0 {
        return Product { coefficient: c, ..above }.finish(g);
    }
    let below = below.finish(g);
    let (uniform, lane): (Vec<_>, Vec<_>) = above.factors.into_iter().partition(|f| g.rate(f.0) < Rate::Lane);
    let mut result = Product { coefficient: c, factors: Vec::new() };
    let with = |factors| Product { coefficient: 1.0, factors };
    let fraction = |g: &mut Graph, factors| {
        let above = with(factors).finish(g);
        g.op(Op::Div, &[above, below])
    };
    if lane.is_empty() {
        let whole = fraction(g, uniform);
        result.times(whole, 1);
    } else if g.rate(below) < Rate::Lane && !(uniform.is_empty() && c.abs() == 1.0) {
        let whole = fraction(g, uniform);
        result.times(whole, 1);
        lane.iter().for_each(|f| result.times(f.0, f.1));
    } else {
        let whole = fraction(g, lane);
        result.times(whole, 1);
        uniform.iter().for_each(|f| result.times(f.0, f.1));
    }
    result.finish(g)
}
