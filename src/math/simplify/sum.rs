//! Sums of reals: like terms collected, positive terms first, constants and uniform terms grouped at the end.

use super::super::graph::{Graph, Id, Node, Rate};
use super::super::ops::Op;
use super::number::{is_zero, known, real};
use super::product::{scale, split};
use super::{order, select};

/// A sum with more terms than this is not gathered.
const MOST_TERMS: usize = 32;

/// Nodes looked at for one sum, so that long chains cost little and recursion is bounded.
const MOST_VISITS: usize = 4 * MOST_TERMS;

/// A sum of `coefficient * base`; the bases are distinct and have no coefficient of their own; that of the constant is 1.
#[derive(Clone, Debug)]
pub struct Sum {
    pub terms: Vec<(f64, Id)>,
}

impl Sum {
    /// Reads a scalar as a sum; one of too many terms is a single term.
    pub fn of(g: &mut Graph, id: Id) -> Sum {
        Sum::gathered(g, id).unwrap_or_else(|| Sum { terms: vec![(1.0, id)] })
    }

    /// Reads a scalar as a sum; none if it has too many terms.
    pub fn gathered(g: &mut Graph, id: Id) -> Option<Sum> {
        let mut s = Sum { terms: Vec::new() };
        s.gather(g, id, 1.0).then_some(s)
    }

    /// Adds a scalar, taken apart; false if there are too many terms.
    fn gather(&mut self, g: &mut Graph, id: Id, sign: f64) -> bool {
        self.gather_within(g, id, sign, &mut { MOST_VISITS })
    }

    fn gather_within(&mut self, g: &mut Graph, id: Id, sign: f64, visits: &mut usize) -> bool {
        let Some(left) = visits.checked_sub(1) else { return false };
        *visits = left;
        let (second, first, factor) = match g.node(id) {
            Node::Op(Op::Add, args) => (Some(args[1]), args[0], sign),
            Node::Op(Op::Sub, args) => (Some(args[1]), args[0], -sign),
            Node::Op(Op::Neg, args) => (None, args[0], -sign),
            _ => return self.gather_term(g, id, sign),
        };
        match second {
            Some(second) => self.gather_within(g, second, factor, visits) && self.gather_within(g, first, sign, visits),
            None => self.gather_within(g, first, factor, visits),
        }
    }

    fn gather_term(&mut self, g: &mut Graph, id: Id, sign: f64) -> bool {
        let (c, base) = split(g, id);
        self.plus(sign * c, base);
        self.terms.len() <= MOST_TERMS
    }

    /// Adds `c*base`. Where terms cancel, what is left is 0 also for infinite ones.
    fn plus(&mut self, c: f64, base: Id) {
        match self.terms.iter().position(|t| t.1 == base) {
            Some(k) => {
                self.terms[k].0 += c;
                if self.terms[k].0 == 0.0 {
                    self.terms.remove(k);
                }
            }
            None if c != 0.0 => self.terms.push((c, base)),
            None => {}
        }
    }

    /// Sums of selects on one condition, where each has a zero branch, as one select.
    fn join_selects(&mut self, g: &mut Graph) {
        let mut k = 0;
        while k < self.terms.len() {
            let later = (k + 1..self.terms.len()).find(|l| self.same_condition(g, k, *l));
            let Some(l) = later else {
                k += 1;
                continue;
            };
            let (second, first) = (self.terms.remove(l), self.terms.remove(k));
            let [(c, a, b), (_, x, y)] = [first, second].map(|t| {
                let (c, a, b) = select::parts(g, t.1).expect("a select");
                (c, scale(g, t.0, a), scale(g, t.0, b))
            });
            let (a, b) = (add(g, a, x), add(g, b, y));
            let joined = select::select(g, c, a, b);
            let (c, base) = split(g, joined);
            self.plus(c, base);
            k = 0;
        }
    }

    fn same_condition(&self, g: &Graph, k: usize, l: usize) -> bool {
        let (x, y) = (self.terms[k].1, self.terms[l].1);
        match (select::parts(g, x), select::parts(g, y)) {
            (Some(p), Some(q)) => p.0 == q.0 && select::opens(g, x, false) && select::opens(g, y, false),
            _ => false,
        }
    }

    pub fn negated(mut self) -> Sum {
        self.terms.iter_mut().for_each(|t| t.0 = -t.0);
        self
    }

    pub fn finish(mut self, g: &mut Graph) -> Id {
        self.join_selects(g);
        if let [(c, base)] = self.terms[..] {
            return scale(g, c, base);
        }
        // a bare sum among the terms: its coefficient has become 1
        if self.terms.iter().any(|t| t.0.abs() == 1.0 && is_sum(g, t.1)) {
            let mut flat = Sum { terms: Vec::new() };
            if self.terms.iter().all(|(c, base)| {
                if c.abs() == 1.0 {
                    flat.gather(g, *base, *c)
                } else {
                    flat.plus(*c, *base);
                    true
                }
            }) {
                return flat.finish(g);
            }
        }
        self.terms.sort_by(|a, b| order::compare(g, a.1, b.1));
        let mut group: Vec<(bool, Id)> = Vec::new();
        for rates in [Rate::Compile..=Rate::Run, Rate::Step..=Rate::Step, Rate::Lane..=Rate::Lane] {
            let mut items: Vec<(bool, Id)> = Vec::new();
            let here = self.terms.iter().filter(|t| rates.contains(&g.rate(t.1))).copied().collect::<Vec<_>>();
            // among the terms of one rate, the constant comes last
            let (constants, others): (Vec<_>, Vec<_>) = here.into_iter().partition(|t| known(g, t.1).is_some());
            for (c, base) in others.into_iter().chain(constants) {
                let term = scale(g, c.abs(), base);
                items.push((c < 0.0, term));
            }
            items.extend(written(g, &group));
            group = items;
        }
        match written(g, &group) {
            None => real(g, 0.0),
            Some((false, sum)) => sum,
            Some((true, sum)) => g.op(Op::Neg, &[sum]),
        }
    }
}

fn is_sum(g: &Graph, id: Id) -> bool {
    matches!(g.node(id), Node::Op(Op::Add | Op::Sub | Op::Neg, _))
}

/// A sum of signed terms, with its sign: the first positive one leads; with none, the sum is that of the sizes, negated.
fn written(g: &mut Graph, items: &[(bool, Id)]) -> Option<(bool, Id)> {
    let first = items.iter().position(|i| !i.0);
    let negated = first.is_none();
    let first = first.unwrap_or(0);
    let mut sum = items.get(first)?.1;
    for (k, (negative, term)) in items.iter().enumerate() {
        if k != first {
            let op = if *negative && !negated { Op::Sub } else { Op::Add };
            sum = g.op(op, &[sum, *term]);
        }
    }
    Some((negated, sum))
}

pub fn add(g: &mut Graph, a: Id, b: Id) -> Id {
    combine(g, a, b, 1.0)
}

pub fn sub(g: &mut Graph, a: Id, b: Id) -> Id {
    combine(g, a, b, -1.0)
}

fn combine(g: &mut Graph, a: Id, b: Id, sign: f64) -> Id {
    if is_zero(g, b) {
        return a;
    }
    if is_zero(g, a) {
        return scale(g, sign, b);
    }
    if let (Some(x), Some(y)) = (known(g, a), known(g, b)) {
        return real(g, x + sign * y);
    }
    // like terms that are sums themselves: `2*(x + y) - (x + y)`
    let ((c, x), (d, y)) = (split(g, a), split(g, b));
    if x == y {
        return scale(g, c + sign * d, x);
    }
    let mut s = Sum { terms: Vec::new() };
    if s.gather(g, a, 1.0) && s.gather(g, b, sign) {
        return s.finish(g);
    }
    if sign < 0.0 {
        return g.op(Op::Sub, &[a, b]);
    }
    g.op(Op::Add, &[a, b])
}
