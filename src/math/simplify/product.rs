//! Products of reals: the constant first, equal factors as powers, what changes rarely grouped on the left.

use super::super::graph::{Graph, Id, Node, Rate};
use super::super::ops::Op;
use super::number::{is_zero, known, known_int, real};
use super::quotient::quotient;
use super::sum::Sum;
use super::{order, power, select};

/// A product with more factors than this is not gathered.
const MOST_FACTORS: usize = 32;

/// Nodes looked at for one product, so that long chains cost little and recursion is bounded.
const MOST_VISITS: usize = 4 * MOST_FACTORS;

/// `coefficient * product of base^exponent`; bases are distinct and not constants.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    pub coefficient: f64,
    pub factors: Vec<(Id, i64)>,
}

impl Product {
    pub fn one() -> Product {
        Product { coefficient: 1.0, factors: Vec::new() }
    }

    /// Reads a scalar as a product; one of too many factors is a single factor.
    pub fn of(g: &mut Graph, id: Id) -> Product {
        let mut p = Product::one();
        if p.gather(g, id) { p } else { Product { coefficient: 1.0, factors: vec![(id, 1)] } }
    }

    /// Multiplies by a scalar, taken apart; false if there are too many factors.
    fn gather(&mut self, g: &mut Graph, id: Id) -> bool {
        self.gather_within(g, id, &mut { MOST_VISITS })
    }

    fn gather_within(&mut self, g: &mut Graph, id: Id, visits: &mut usize) -> bool {
        let Some(left) = visits.checked_sub(1) else { return false };
        *visits = left;
        match g.node(id).clone() {
            Node::Real(bits) => self.coefficient *= f64::from_bits(bits),
            Node::Op(Op::Neg, args) => {
                self.coefficient = -self.coefficient;
                return self.gather_within(g, args[0], visits);
            }
            Node::Op(Op::Mul, args) => {
                return self.gather_within(g, args[1], visits) && self.gather_within(g, args[0], visits);
            }
            Node::Op(Op::Powi, args) => match known_int(g, args[1]) {
                Some(n) => self.times(args[0], n),
                None => self.times(id, 1),
            },
            Node::Op(Op::Div, args) => {
                let (c, rest) = split(g, args[0]);
                self.coefficient *= c;
                let rest = if c == 1.0 { id } else { g.op(Op::Div, &[rest, args[1]]) };
                self.times(rest, 1);
            }
            _ => self.times(id, 1),
        }
        self.factors.len() <= MOST_FACTORS
    }

    /// Multiplies by `base^n`. Where powers cancel, a zero of the base is a removable singularity.
    pub fn times(&mut self, base: Id, n: i64) {
        match self.factors.iter().position(|f| f.0 == base) {
            Some(k) => {
                self.factors[k].1 += n;
                if self.factors[k].1 == 0 {
                    self.factors.remove(k);
                }
            }
            None => self.factors.push((base, n)),
        }
    }

    /// The node, with the rules for products of selects and quotients.
    pub fn finish(self, g: &mut Graph) -> Id {
        if self.coefficient == 0.0 {
            return real(g, 0.0);
        }
        if let (-1.0, [(base, 1)]) = (self.coefficient, self.factors.as_slice())
            && matches!(g.node(*base), Node::Op(Op::Add | Op::Sub, _))
            && let Some(sum) = Sum::gathered(g, *base)
        {
            return sum.negated().finish(g);
        }
        if let Some(id) = self.through_select(g) {
            return id;
        }
        if let Some(id) = self.cancelled(g) {
            return id;
        }
        self.build(g)
    }

    /// `b * select(c, a, 0)` is `select(c, b*a, 0)`: a zero wins over infinities.
    fn through_select(&self, g: &mut Graph) -> Option<Id> {
        let constant = self.factors.len() == 1;
        let k = self.factors.iter().position(|(base, n)| *n > 0 && select::opens(g, *base, constant))?;
        let mut rest = self.clone();
        let (base, n) = rest.factors.remove(k);
        let (c, a, b) = select::parts(g, base).expect("a select");
        let rest = rest.finish(g);
        let branches = [a, b].map(|x| {
            let x = power::powi(g, x, n);
            mul(g, rest, x)
        });
        Some(select::select(g, c, branches[0], branches[1]))
    }

    /// `(a/b) * c` where `b` and `c` have a factor in common, or are both constants.
    fn cancelled(&self, g: &mut Graph) -> Option<Id> {
        for k in 0..self.factors.len() {
            let (base, n) = self.factors[k];
            let Node::Op(Op::Div, args) = g.node(base).clone() else { continue };
            if let (Some(d), 1) = (known(g, args[1]), n)
                && self.coefficient.abs() != 1.0
            {
                let mut rest = Product { coefficient: self.coefficient / d, ..self.clone() };
                rest.factors.remove(k);
                if rest.gather(g, args[0]) {
                    return Some(rest.finish(g));
                }
            }
            let below = Product::of(g, args[1]);
            let shared = self.factors.iter().any(|f| f.1 > 0 && below.factors.iter().any(|b| b.0 == f.0 && b.1 > 0));
            if n == 1 && shared {
                let mut rest = self.clone();
                rest.factors.remove(k);
                let rest = rest.build(g);
                let above = mul(g, rest, args[0]);
                return Some(quotient(g, above, args[1]));
            }
        }
        None
    }

    /// The node. Uniform factors come first, as one product, so that they are worked out once.
    fn build(&self, g: &mut Graph) -> Id {
        let mut nodes: Vec<Id> = self.factors.iter().map(|(base, n)| power::powi(g, *base, *n)).collect();
        if nodes.iter().any(|n| matches!(g.node(*n), Node::Real(_) | Node::Op(Op::Mul | Op::Neg | Op::Powi, _))) {
            // a power may have become a product, or a power of another base
            let mut again = Product { coefficient: self.coefficient, factors: Vec::new() };
            if nodes.iter().all(|n| again.gather(g, *n)) && again != *self {
                return again.finish(g);
            }
        }
        let mut coefficient = self.coefficient;
        absorb(g, &mut coefficient, &mut nodes);
        if nodes.is_empty() {
            return real(g, coefficient);
        }
        nodes.sort_by(|a, b| order::compare_factors(g, *a, *b));
        let (mut uniform, lane): (Vec<Id>, Vec<Id>) = nodes.into_iter().partition(|n| g.rate(*n) < Rate::Lane);
        if coefficient.abs() != 1.0 {
            uniform.insert(0, real(g, coefficient));
        }
        let groups: Vec<Id> = [uniform, lane].iter().filter_map(|group| chain(g, group)).collect();
        let node = chain(g, &groups).expect("a factor");
        if coefficient == -1.0 { g.op(Op::Neg, &[node]) } else { node }
    }
}

/// Takes a coefficient into the numerator of a uniform `1/b`, or of a single factor `a/b` with uniform `a`.
fn absorb(g: &mut Graph, coefficient: &mut f64, nodes: &mut [Id]) {
    if coefficient.abs() == 1.0 {
        return;
    }
    let alone = nodes.len() == 1;
    for node in nodes {
        let Node::Op(Op::Div, args) = g.node(*node).clone() else { continue };
        let one = known(g, args[0]).is_some();
        if (one && (alone || g.rate(*node) < Rate::Lane)) || (alone && g.rate(args[0]) < Rate::Lane) {
            // the sign stays outside
            let size = real(g, coefficient.abs());
            let above = mul(g, size, args[0]);
            *node = g.op(Op::Div, &[above, args[1]]);
            *coefficient = coefficient.signum();
            return;
        }
    }
}

fn chain(g: &mut Graph, factors: &[Id]) -> Option<Id> {
    let (first, rest) = factors.split_first()?;
    Some(rest.iter().fold(*first, |node, f| g.op(Op::Mul, &[node, *f])))
}

/// A scalar as a coefficient and the rest, which is 1 for a constant.
pub fn split(g: &mut Graph, id: Id) -> (f64, Id) {
    if let Some(c) = known(g, id) {
        return (c, g.real(1.0));
    }
    if !matches!(g.node(id), Node::Op(Op::Neg | Op::Mul | Op::Div, _)) {
        return (1.0, id);
    }
    let p = Product::of(g, id);
    if p.coefficient == 1.0 {
        return (1.0, id);
    }
    (p.coefficient, Product { coefficient: 1.0, ..p }.finish(g))
}

pub fn mul(g: &mut Graph, a: Id, b: Id) -> Id {
    if is_zero(g, a) || is_zero(g, b) {
        return real(g, 0.0);
    }
    if let (Some(x), Some(y)) = (known(g, a), known(g, b)) {
        return real(g, x * y);
    }
    let mut p = Product::one();
    if p.gather(g, a) && p.gather(g, b) {
        return p.finish(g);
    }
    let (a, b) = if order::compare_factors(g, a, b).is_gt() { (b, a) } else { (a, b) };
    g.op(Op::Mul, &[a, b])
}

/// `c*x`.
pub fn scale(g: &mut Graph, c: f64, x: Id) -> Id {
    let c = real(g, c);
    mul(g, c, x)
}

pub fn neg(g: &mut Graph, x: Id) -> Id {
    scale(g, -1.0, x)
}
