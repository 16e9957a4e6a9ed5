//! Sums in fewer operations, where lanes share coefficients or terms share factors:
//!
//! - `x + h*(a*x + b*y)` is `(1 + h*a)*x + (h*b)*y`, with coefficients that are worked out once a run or a step;
//! - `a*x - x^3` is `x*(a - x^2)`.
//!
//! Both only where that takes fewer operations. They add in another order, and round coefficients once more.

use super::Lowering;
use super::scalar::Factors;
use crate::math::{Id, Node, Op, Rate};

/// A sum with more terms than this is left as it stands.
const MOST_TERMS: usize = 24;
/// Powers up to this are taken apart into factors.
const LARGEST_POWER: i64 = 3;

/// A term: a sign, factors that are the same for all lanes, and others.
#[derive(Clone, Debug)]
struct Entry {
    negative: bool,
    uniform: Vec<Id>,
    lanes: Vec<Id>,
    /// operations of a sum that was made to be a factor here
    inner: usize,
}

impl Entry {
    /// Operations that it takes in a sum: its multiplications, of which the last is fused with the addition.
    fn cost(&self) -> usize {
        let factors = self.lanes.len() + usize::from(!self.uniform.is_empty());
        self.inner + factors.saturating_sub(1).max(1)
    }

    /// Not a product of different rates or lanes: the first product of a sum can be added to it.
    fn is_plain(&self) -> bool {
        self.lanes.is_empty() || self.lanes.len() + self.uniform.len() == 1
    }
}

fn cost(entries: &[Entry]) -> usize {
    // what is the same for all lanes is one term in the end
    let uniform = entries.iter().filter(|e| e.lanes.is_empty()).count();
    let all: usize = entries.iter().map(Entry::cost).sum();
    all - uniform.saturating_sub(1) - usize::from(entries.iter().any(Entry::is_plain))
}

impl Lowering<'_> {
    /// The terms of a sum in fewer operations; nothing where they are as few as can be found.
    pub fn condensed(&mut self, terms: &[(bool, Id)]) -> Option<Vec<(bool, Id)>> {
        let nested = self.entries(terms);
        let (mut flat, mut sums) = (Vec::new(), Vec::new());
        self.flatten(nested.clone(), &[], &mut flat, &mut sums);
        let before: usize = sums.iter().map(|s| cost(s)).sum();
        if flat.len() > MOST_TERMS {
            return None;
        }
        let below = before - cost(&nested);
        let nested = self.factored(nested);
        let flat = self.like_terms(flat);
        let flat = self.factored(flat);
        let (best, least) =
            if cost(&flat) < cost(&nested) + below { (&flat, cost(&flat)) } else { (&nested, cost(&nested) + below) };
        (least < before).then(|| best.iter().map(|e| (e.negative, self.term_node(e))).collect())
    }

    fn entries(&mut self, terms: &[(bool, Id)]) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (negative, id) in terms {
            let mut f = Factors { negative: *negative, ..Factors::default() };
            self.collect(*id, &mut f);
            let lanes = f.lanes.iter().flat_map(|l| self.power_factors(*l)).collect();
            entries.push(Entry { negative: f.negative, uniform: f.uniform, lanes, inner: 0 });
        }
        entries
    }

    /// `x^3` as `x`, `x`, `x`.
    fn power_factors(&self, id: Id) -> Vec<Id> {
        if let Node::Op(Op::Powi, args) = self.g.node(id)
            && let Node::Int(n @ 2..=LARGEST_POWER) = self.g.node(args[1])
        {
            return vec![args[0]; *n as usize];
        }
        vec![id]
    }

    /// The terms of a sum, and those of the sums in it that stand nowhere else, times uniform factors. Also the sums.
    fn flatten(&mut self, entries: Vec<Entry>, outer: &[Id], out: &mut Vec<Entry>, sums: &mut Vec<Vec<Entry>>) {
        sums.push(entries.clone());
        for entry in entries {
            let uniform: Vec<Id> = outer.iter().chain(&entry.uniform).copied().collect();
            match entry.lanes[..] {
                [inner] if !entry.uniform.is_empty() && self.is_own_sum(inner) && out.len() <= MOST_TERMS => {
                    let mut terms = Vec::new();
                    self.spine(inner, entry.negative, true, &mut terms);
                    let entries = self.entries(&terms);
                    self.flatten(entries, &uniform, out, sums);
                }
                _ => out.push(Entry { uniform, ..entry }),
            }
        }
    }

    /// A sum that nothing else needs.
    fn is_own_sum(&self, id: Id) -> bool {
        matches!(self.g.node(id), Node::Op(Op::Add | Op::Sub, _)) && self.uses(id) == 1 && self.g.rate(id) == Rate::Lane
    }

    /// Terms of the same lane factors as one, with the sum of their coefficients.
    fn like_terms(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let mut out: Vec<Entry> = Vec::new();
        for mut entry in entries {
            entry.lanes.sort_unstable();
            let Some(same) = out.iter_mut().find(|e| e.lanes == entry.lanes && !e.lanes.is_empty()) else {
                out.push(entry);
                continue;
            };
            let (a, b) = (self.product_of(&same.uniform), self.product_of(&entry.uniform));
            let op = if same.negative == entry.negative { Op::Add } else { Op::Sub };
            same.uniform = vec![self.g.op(op, &[a, b])];
        }
        out
    }

    /// Terms with a lane factor in common as a product of it and a sum, as long as that saves something.
    fn factored(&mut self, mut entries: Vec<Entry>) -> Vec<Entry> {
        loop {
            let before = cost(&entries);
            let mut factors: Vec<Id> = entries.iter().flat_map(|e| e.lanes.clone()).collect();
            factors.sort_unstable();
            factors.dedup();
            let mut best: Option<(usize, Vec<Entry>)> = None;
            for factor in factors {
                if let Some(after) = self.without_factor(&entries, factor) {
                    let cost = cost(&after);
                    if cost < best.as_ref().map_or(before, |b| b.0) {
                        best = Some((cost, after));
                    }
                }
            }
            match best {
                Some((_, after)) => entries = after,
                None => return entries,
            }
        }
    }

    fn without_factor(&mut self, entries: &[Entry], factor: Id) -> Option<Vec<Entry>> {
        let (with, mut rest): (Vec<Entry>, Vec<Entry>) =
            entries.iter().cloned().partition(|e| e.lanes.contains(&factor));
        if with.len() < 2 {
            return None;
        }
        let inner: Vec<Entry> = with
            .into_iter()
            .map(|mut e| {
                let place = e.lanes.iter().position(|l| *l == factor).expect("it has the factor");
                e.lanes.remove(place);
                e
            })
            .collect();
        let mut sum: Option<Id> = None;
        for e in inner.iter().filter(|e| !e.negative).chain(inner.iter().filter(|e| e.negative)) {
            let term = self.term_node(e);
            sum = Some(match (sum, e.negative) {
                (None, false) => term,
                (None, true) => self.g.op(Op::Neg, &[term]),
                (Some(s), false) => self.g.op(Op::Add, &[s, term]),
                (Some(s), true) => self.g.op(Op::Sub, &[s, term]),
            });
        }
        let lanes = vec![factor, sum.expect("there are terms")];
        rest.push(Entry { negative: false, uniform: Vec::new(), lanes, inner: cost(&inner) });
        Some(rest)
    }

    fn product_of(&mut self, factors: &[Id]) -> Id {
        let mut sorted = factors.to_vec();
        sorted.sort_by_key(|u| self.g.rate(*u));
        match sorted.split_first() {
            None => self.g.real(1.0),
            Some((first, rest)) => rest.iter().fold(*first, |p, f| self.g.op(Op::Mul, &[p, *f])),
        }
    }

    fn term_node(&mut self, entry: &Entry) -> Id {
        let coefficient = if entry.uniform.is_empty() { None } else { Some(self.product_of(&entry.uniform)) };
        let mut all = coefficient.into_iter().chain(entry.lanes.iter().copied());
        let first = all.next().unwrap_or_else(|| self.g.real(1.0));
        all.fold(first, |p, f| self.g.op(Op::Mul, &[p, f]))
    }
}
