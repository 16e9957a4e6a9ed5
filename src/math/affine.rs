//! Integer index expressions as affine combinations, with bounds from the extents of loops.
//!
//! An expression is `constant + sum of coefficient * atom`; atoms are loop indices and whatever is not affine: remainders
//! and quotients, elements of data, products. Indices run over non-empty ranges (the body of an empty loop has no value),
//! and numbers stay far from the ends of `i64`: where a coefficient would overflow, the expression is left as it stands.

use super::graph::{Graph, Id, IndexVar, Node};
use super::ops::{Op, Red, Ty};
use super::simplify::order;

/// `constant + sum of coefficient * atom`. Atoms are distinct, in the order of [`order::compare`], and their
/// coefficients are not zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Affine {
    pub terms: Vec<(Id, i64)>,
    pub constant: i64,
}

/// An interval of integers, both ends inside.
pub type Range = (i64, i64);

/// More atoms than this are not gathered.
const MOST_TERMS: usize = 32;

impl Affine {
    pub fn constant(c: i64) -> Affine {
        Affine { terms: Vec::new(), constant: c }
    }

    fn atom(id: Id) -> Affine {
        Affine { terms: vec![(id, 1)], constant: 0 }
    }

    /// Reads a simplified integer scalar.
    pub fn of(g: &Graph, id: Id) -> Affine {
        Affine::read(g, id).unwrap_or_else(|| Affine::atom(id))
    }

    fn read(g: &Graph, id: Id) -> Option<Affine> {
        match g.node(id) {
            Node::Int(c) => Some(Affine::constant(*c)),
            Node::Index(i) if i.extent <= 1 => Some(Affine::constant(0)),
            Node::Op(op, args) if g.ty(id) == Ty::Int => match (op, args.as_slice()) {
                (Op::Add, [a, b]) => Affine::of(g, *a).plus(g, &Affine::of(g, *b), 1),
                (Op::Sub, [a, b]) => Affine::of(g, *a).plus(g, &Affine::of(g, *b), -1),
                (Op::Neg, [a]) => Affine::of(g, *a).times(-1),
                (Op::Mul, [a, b]) => {
                    let (a, b) = (Affine::of(g, *a), Affine::of(g, *b));
                    match (a.known(), b.known()) {
                        (Some(c), _) => b.times(c),
                        (_, Some(c)) => a.times(c),
                        _ => None,
                    }
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// `self + scale * other`; nothing on overflow or with too many terms.
    pub fn plus(&self, g: &Graph, other: &Affine, scale: i64) -> Option<Affine> {
        let mut sum = self.clone();
        sum.constant = sum.constant.checked_add(other.constant.checked_mul(scale)?)?;
        for (atom, c) in &other.terms {
            let c = c.checked_mul(scale)?;
            match sum.terms.iter().position(|t| t.0 == *atom) {
                Some(k) => sum.terms[k].1 = sum.terms[k].1.checked_add(c)?,
                None => sum.terms.push((*atom, c)),
            }
        }
        sum.terms.retain(|t| t.1 != 0);
        sum.terms.sort_by(|a, b| order::compare(g, a.0, b.0));
        (sum.terms.len() <= MOST_TERMS).then_some(sum)
    }

    pub fn times(&self, scale: i64) -> Option<Affine> {
        if scale == 0 {
            return Some(Affine::constant(0));
        }
        let terms =
            self.terms.iter().map(|(a, c)| c.checked_mul(scale).map(|c| (*a, c))).collect::<Option<Vec<_>>>()?;
        Some(Affine { terms, constant: self.constant.checked_mul(scale)? })
    }

    /// Its value, if it is a constant.
    pub fn known(&self) -> Option<i64> {
        self.terms.is_empty().then_some(self.constant)
    }

    pub fn range(&self, g: &Graph) -> Option<Range> {
        let (mut low, mut high) = (self.constant, self.constant);
        for (atom, c) in &self.terms {
            let (a, b) = atom_range(g, *atom)?;
            let (a, b) = (a.checked_mul(*c)?, b.checked_mul(*c)?);
            low = low.checked_add(a.min(b))?;
            high = high.checked_add(a.max(b))?;
        }
        Some((low, high))
    }

    /// The coefficient of a loop index, if the index occurs in no other atom.
    pub fn coefficient(&self, g: &Graph, index: u32) -> Option<i64> {
        let mut found = 0;
        for (atom, c) in &self.terms {
            match g.node(*atom) {
                Node::Index(i) if i.id == index => found = *c,
                _ if g.has_free(*atom, index) => return None,
                _ => {}
            }
        }
        Some(found)
    }

    /// The node in its one canonical form: positive terms, negative terms, constant; `k - 1`, `2*i + j`, `3 - k`.
    pub fn build(&self, g: &mut Graph) -> Id {
        let (positive, negative): (Vec<_>, Vec<_>) = self.terms.iter().copied().partition(|t| t.1 > 0);
        let mut sum = None;
        if positive.is_empty() && (self.constant > 0 || self.terms.is_empty()) {
            sum = Some(g.int(self.constant));
        }
        for (atom, c) in positive {
            let term = scaled(g, atom, c);
            sum = Some(sum.map_or(term, |s| g.op(Op::Add, &[s, term])));
        }
        for (atom, c) in negative {
            sum = Some(match sum {
                Some(s) => {
                    let term = scaled(g, atom, -c);
                    g.op(Op::Sub, &[s, term])
                }
                None => scaled(g, atom, c),
            });
        }
        let sum = sum.expect("a constant or a term");
        match self.constant {
            0 => sum,
            _ if matches!(g.node(sum), Node::Int(_)) => sum,
            c if c > 0 && self.terms.iter().all(|t| t.1 < 0) => sum,
            c if c > 0 => {
                let c = g.int(c);
                g.op(Op::Add, &[sum, c])
            }
            c => {
                let c = g.int(-c);
                g.op(Op::Sub, &[sum, c])
            }
        }
    }
}

fn scaled(g: &mut Graph, atom: Id, c: i64) -> Id {
    match c {
        1 => atom,
        -1 => g.op(Op::Neg, &[atom]),
        _ => {
            let c = g.int(c);
            g.op(Op::Mul, &[c, atom])
        }
    }
}

/// The range of an integer scalar, if it has a known one.
pub fn range(g: &Graph, id: Id) -> Option<Range> {
    Affine::of(g, id).range(g)
}

fn atom_range(g: &Graph, atom: Id) -> Option<Range> {
    match g.node(atom) {
        Node::Index(i) => Some(index_range(*i)),
        Node::Op(op, args) => op_range(g, *op, args),
        Node::Get(array, _) => match g.node(*array) {
            Node::Lit(_, elements) => {
                elements.iter().map(|e| constant(g, *e)).try_fold((i64::MAX, i64::MIN), |r, e| {
                    let e = e?;
                    Some((r.0.min(e), r.1.max(e)))
                })
            }
            _ => None,
        },
        Node::Reduce(Red::Argmax | Red::Argmin, bounds, _) => Some(index_range(bounds[0])),
        _ => None,
    }
}

fn index_range(i: IndexVar) -> Range {
    (0, (i.extent as i64 - 1).max(0))
}

fn constant(g: &Graph, id: Id) -> Option<i64> {
    if let Node::Int(c) = g.node(id) { Some(*c) } else { None }
}

fn op_range(g: &Graph, op: Op, args: &[Id]) -> Option<Range> {
    match op {
        Op::Mod => {
            let n = constant(g, args[1]).filter(|n| *n > 0)?;
            Some((0, n - 1))
        }
        Op::IntDiv => {
            let n = constant(g, args[1]).filter(|n| *n > 0)?;
            let (a, b) = range(g, args[0])?;
            Some((a.div_euclid(n), b.div_euclid(n)))
        }
        Op::Abs => {
            let (a, b) = range(g, args[0])?;
            let top = a.checked_abs()?.max(b.checked_abs()?);
            Some((if a <= 0 && b >= 0 { 0 } else { a.abs().min(b.abs()) }, top))
        }
        Op::Min | Op::Max => {
            let ((a, b), (c, d)) = (range(g, args[0])?, range(g, args[1])?);
            Some(if op == Op::Min { (a.min(c), b.min(d)) } else { (a.max(c), b.max(d)) })
        }
        Op::Select => {
            let ((a, b), (c, d)) = (range(g, args[1])?, range(g, args[2])?);
            Some((a.min(c), b.max(d)))
        }
        Op::StopGrad => range(g, args[0]),
        _ => None,
    }
}
