//! Scalar operations: sums and products with their fused forms, and everything made of a few instructions.

use super::super::kernel::kernel_of;
use super::super::program::*;
use super::Lowering;
use super::build::Val;
use crate::math::{Id, Node, Op, Rate, Ty};

/// Integer powers up to this are products.
const LARGEST_POWER: i64 = 64;

/// A lane-rate product: sign, and the two factors of its last multiplication.
struct Product {
    negative: bool,
    a: Val,
    b: Val,
}

/// A term of a sum.
enum Term {
    Plain(bool, Val),
    Product(Product),
}

/// The factors of a product of lane rate.
#[derive(Default)]
pub struct Factors {
    pub negative: bool,
    /// the same for all lanes
    pub uniform: Vec<Id>,
    pub lanes: Vec<Id>,
}

impl Lowering<'_> {
    pub fn scalar_op(&mut self, id: Id, op: Op, args: &[Id]) -> Val {
        match op {
            Op::Add | Op::Sub => self.sum(id),
            Op::Neg if self.g.ty(id) == Ty::Real => self.sum(id),
            Op::Mul => self.product(id),
            Op::Div => self.quotient(id, args),
            Op::Select => self.select(args),
            Op::Powi | Op::Pow => self.power(id, args),
            Op::And | Op::Or => {
                let (a, b) = (self.scalar(args[0]), self.scalar(args[1]));
                self.b.logic(if op == Op::And { Logic::And } else { Logic::Or }, a, b)
            }
            Op::Not => {
                let a = self.scalar(args[0]);
                self.b.not(a)
            }
            Op::StopGrad => self.scalar(args[0]),
            Op::ToReal => {
                let a = self.scalar(args[0]);
                self.b.as_real(a)
            }
            Op::Lt | Op::Le | Op::Eq | Op::Ne => self.comparison(op, args),
            _ => self.plain_op(op, args),
        }
    }

    fn plain_op(&mut self, op: Op, args: &[Id]) -> Val {
        if op == Op::Exp
            && let Some(val) = self.softmax_term(args[0])
        {
            return val;
        }
        let vals: Vec<Val> = args.iter().map(|a| self.scalar(*a)).collect();
        let a = vals[0];
        let b = &mut self.b;
        match op {
            Op::Neg => b.neg(a),
            Op::Abs => b.unary(Unary::Abs, a),
            Op::Floor => b.unary(Unary::Floor, a),
            Op::Ceil => b.unary(Unary::Ceil, a),
            Op::Sqrt => b.unary(Unary::Sqrt, a),
            Op::Min => b.binary(Binary::Min, a, vals[1]),
            Op::Max => b.binary(Binary::Max, a, vals[1]),
            Op::Sign => {
                let negative = b.compare(Relation::Lt, a, Val::Real(0.0));
                let positive = b.compare(Relation::Lt, Val::Real(0.0), a);
                let low = b.select(negative, Val::Real(-1.0), a);
                b.select(positive, Val::Real(1.0), low)
            }
            Op::Mod => {
                let quotient = b.binary(Binary::Div, a, vals[1]);
                let floor = b.unary(Unary::Floor, quotient);
                b.fused(Fused::NegMulAdd, vals[1], floor, a)
            }
            Op::IntDiv => {
                let quotient = b.binary(Binary::Div, a, vals[1]);
                b.unary(Unary::Floor, quotient)
            }
            _ => self.kernel(op, &vals),
        }
    }

    pub fn kernel(&mut self, op: Op, args: &[Val]) -> Val {
        let kernel = kernel_of(op).unwrap_or_else(|| panic!("{} has a kernel", op.name()));
        let args = args.iter().map(|a| self.b.reg(*a)).collect();
        Val::Reg(self.b.call(kernel, args))
    }

    fn comparison(&mut self, op: Op, args: &[Id]) -> Val {
        let (x, y) = (self.scalar(args[0]), self.scalar(args[1]));
        if self.b.is_mask(x) || self.b.is_mask(y) {
            let left = self.b.logic(Logic::AndNot, x, y);
            let right = self.b.logic(Logic::AndNot, y, x);
            let differ = self.b.logic(Logic::Or, left, right);
            return match op {
                Op::Ne => differ,
                Op::Eq => self.b.not(differ),
                Op::Lt => right,
                _ => self.b.not(left),
            };
        }
        let relation = match op {
            Op::Lt => Relation::Lt,
            Op::Le => Relation::Le,
            Op::Eq => Relation::Eq,
            _ => Relation::Ne,
        };
        self.b.compare(relation, x, y)
    }

    fn select(&mut self, args: &[Id]) -> Val {
        match self.scalar(args[0]) {
            Val::Truth(c) => self.scalar(args[if c { 1 } else { 2 }]),
            mask => {
                let (a, b) = (self.scalar(args[1]), self.scalar(args[2]));
                self.b.select(mask, a, b)
            }
        }
    }

    fn power(&mut self, id: Id, args: &[Id]) -> Val {
        if let Some(n) = self.integer_power(args[1]) {
            if n >= 0 {
                return self.product(id);
            }
            let x = self.scalar(args[0]);
            let p = self.powi(x, -n);
            return self.b.binary(Binary::Div, Val::Real(1.0), p);
        }
        let vals: Vec<Val> = args.iter().map(|a| self.scalar(*a)).collect();
        self.kernel(Op::Pow, &vals)
    }

    /// A constant exponent that is made of products.
    fn integer_power(&mut self, exponent: Id) -> Option<i64> {
        match self.fold(exponent) {
            Some(Val::Real(n)) if n.fract() == 0.0 && n.abs() <= LARGEST_POWER as f64 => Some(n as i64),
            _ => None,
        }
    }

    /// `x^n` by squaring.
    fn powi(&mut self, x: Val, n: i64) -> Val {
        match n {
            0 => Val::Real(1.0),
            1 => x,
            _ => {
                let (a, b) = self.powi_factors(x, n);
                self.b.mul(a, b)
            }
        }
    }

    fn powi_factors(&mut self, x: Val, n: i64) -> (Val, Val) {
        if n % 2 == 0 {
            let root = self.powi(x, n / 2);
            return (root, root);
        }
        (self.powi(x, n - 1), x)
    }

    /// A quotient. By a value that is the same for all lanes it is a product with the reciprocal, unless it must be
    /// exact where the true one is.
    fn quotient(&mut self, id: Id, args: &[Id]) -> Val {
        if self.g.rate(args[1]) < Rate::Lane && !self.exact_quotients.contains(&id) {
            return self.product(id);
        }
        let (x, y) = (self.scalar(args[0]), self.scalar(args[1]));
        self.b.binary(Binary::Div, x, y)
    }

    fn product(&mut self, id: Id) -> Val {
        match self.product_view(id) {
            Term::Plain(negative, v) => {
                if negative {
                    self.b.neg(v)
                } else {
                    v
                }
            }
            Term::Product(p) => {
                let v = self.b.mul(p.a, p.b);
                if p.negative { self.b.neg(v) } else { v }
            }
        }
    }

    /// A node as the last multiplication of a product, if it is one.
    fn product_view(&mut self, id: Id) -> Term {
        let mut factors = Factors::default();
        self.collect(id, &mut factors);
        let coefficient = self.coefficient(&mut factors);
        if let (None, [only]) = (coefficient, factors.lanes.as_slice()) {
            return self.lone_factor(*only, factors.negative);
        }
        // a zero by its form wins, as in the simplifier: a product with an infinite factor is 0 too
        if coefficient == Some(Val::Real(0.0)) {
            return Term::Plain(false, Val::Real(0.0));
        }
        let mut vals: Vec<Val> = factors.lanes.iter().map(|l| self.scalar(*l)).collect();
        if vals.contains(&Val::Real(0.0)) {
            return Term::Plain(false, Val::Real(0.0));
        }
        let last = match coefficient {
            Some(c) => c,
            None => vals.pop().expect("a product of lane rate has a factor of lane rate"),
        };
        let first = vals.into_iter().reduce(|a, b| self.b.mul(a, b)).expect("two factors");
        Term::Product(Product { negative: factors.negative, a: last, b: first })
    }

    fn lone_factor(&mut self, id: Id, negative: bool) -> Term {
        if let Node::Op(Op::Powi | Op::Pow, args) = self.g.node(id).clone()
            && let Some(n) = self.integer_power(args[1])
        {
            let x = self.scalar(args[0]);
            match n {
                0 => return Term::Plain(negative, Val::Real(1.0)),
                1 => return Term::Plain(negative, x),
                2.. => {
                    let (a, b) = self.powi_factors(x, n);
                    return Term::Product(Product { negative, a, b });
                }
                _ => {}
            }
        }
        Term::Plain(negative, self.scalar(id))
    }

    /// The factors of a product, through inner products that nothing else needs.
    pub fn collect(&mut self, id: Id, out: &mut Factors) {
        if self.g.rate(id) < Rate::Lane {
            out.uniform.push(id);
            return;
        }
        match self.g.node(id).clone() {
            Node::Op(Op::Mul, args) => {
                for a in args {
                    self.collect_inner(a, out);
                }
            }
            Node::Op(Op::Neg, args) if self.g.ty(id) == Ty::Real => {
                out.negative = !out.negative;
                self.collect_inner(args[0], out);
            }
            Node::Op(Op::Div, args) if self.g.rate(args[1]) < Rate::Lane && !self.exact_quotients.contains(&id) => {
                self.collect_inner(args[0], out);
                let one = self.g.real(1.0);
                let reciprocal = self.g.op(Op::Div, &[one, args[1]]);
                out.uniform.push(reciprocal);
            }
            _ => out.lanes.push(id),
        }
    }

    fn collect_inner(&mut self, id: Id, out: &mut Factors) {
        if self.uses(id) > 1 && self.lane_factors(id) > 1 {
            out.lanes.push(id);
        } else {
            self.collect(id, out);
        }
    }

    fn lane_factors(&self, id: Id) -> usize {
        if self.g.rate(id) < Rate::Lane {
            return 0;
        }
        match self.g.node(id) {
            Node::Op(Op::Mul, args) => args.iter().map(|a| self.lane_factors(*a)).sum(),
            Node::Op(Op::Neg | Op::Div, args) => self.lane_factors(args[0]),
            _ => 1,
        }
    }

    /// The product of the uniform factors: run rate first, so that as much as possible is worked out once. A factor
    /// that is a negative constant gives its sign away where that saves nothing.
    fn coefficient(&mut self, factors: &mut Factors) -> Option<Val> {
        let mut sorted = std::mem::take(&mut factors.uniform);
        sorted.sort_by_key(|u| self.g.rate(*u));
        let node = sorted.into_iter().reduce(|a, b| self.g.op(Op::Mul, &[a, b]))?;
        match self.scalar(node) {
            Val::Real(1.0) => None,
            Val::Real(-1.0) => {
                factors.negative = !factors.negative;
                None
            }
            Val::Real(c) if factors.negative => {
                factors.negative = false;
                Some(Val::Real(-c))
            }
            c => Some(c),
        }
    }

    fn sum(&mut self, id: Id) -> Val {
        let mut terms = Vec::new();
        self.spine(id, false, true, &mut terms);
        self.join_contractions(&mut terms);
        if let Some(fewer) = self.condensed(&terms) {
            terms = fewer;
        }
        self.gather_uniform(&mut terms);
        let mut terms: Vec<Term> = terms.into_iter().map(|(negative, id)| self.term(negative, id)).collect();
        // products after the first are fused; the first too, if it has something to be added to
        if let Some(k) = terms.iter().position(|t| matches!(t, Term::Plain(..))).filter(|k| *k > 1) {
            terms[..=k].rotate_right(1);
        }
        let mut sum: Option<Term> = None;
        for term in terms {
            sum = Some(match sum {
                None => term,
                Some(sum) => self.join(sum, term),
            });
        }
        match sum.expect("a sum has terms") {
            Term::Plain(true, v) => self.b.neg(v),
            Term::Plain(false, v) => v,
            Term::Product(p) => {
                let v = self.b.mul(p.a, p.b);
                if p.negative { self.b.neg(v) } else { v }
            }
        }
    }

    /// The terms of `((a + b) - c) + ...`, in order: through left operands that nothing else needs.
    pub fn spine(&mut self, id: Id, negative: bool, top: bool, out: &mut Vec<(bool, Id)>) {
        let inner = top || (self.uses(id) == 1 && self.g.rate(id) == Rate::Lane);
        match self.g.node(id).clone() {
            Node::Op(Op::Add, args) if inner => {
                self.spine(args[0], negative, false, out);
                out.push((negative, args[1]));
            }
            Node::Op(Op::Sub, args) if inner => {
                self.spine(args[0], negative, false, out);
                out.push((!negative, args[1]));
            }
            Node::Op(Op::Neg, args) if inner => self.spine(args[0], !negative, false, out),
            _ => out.push((negative, id)),
        }
    }

    /// Terms that are the same for all lanes are added up outside.
    fn gather_uniform(&mut self, terms: &mut Vec<(bool, Id)>) {
        let lane = |g: &crate::math::Graph, id: Id| g.rate(id) == Rate::Lane;
        let uniform: Vec<(bool, Id)> = terms.iter().copied().filter(|(_, id)| !lane(self.g, *id)).collect();
        if uniform.len() < 2 {
            return;
        }
        let place = terms.iter().position(|(_, id)| !lane(self.g, *id)).expect("there are some");
        let mut parts = uniform.into_iter();
        let (negative, first) = parts.next().expect("there are two");
        let total = parts
            .fold(first, |sum, (sign, id)| self.g.op(if sign == negative { Op::Add } else { Op::Sub }, &[sum, id]));
        terms.retain(|(_, id)| lane(self.g, *id));
        terms.insert(place, (negative, total));
    }

    fn term(&mut self, negative: bool, id: Id) -> Term {
        if self.g.rate(id) < Rate::Lane {
            return match self.scalar(id) {
                Val::Real(c) if negative => Term::Plain(false, Val::Real(-c)),
                v => Term::Plain(negative, v),
            };
        }
        let is_product = matches!(self.g.node(id), Node::Op(Op::Mul | Op::Div | Op::Powi | Op::Pow, _))
            || (matches!(self.g.node(id), Node::Op(Op::Neg, _)) && self.g.ty(id) == Ty::Real);
        if !is_product {
            return Term::Plain(negative, self.scalar(id));
        }
        match self.product_view(id) {
            Term::Plain(n, v) => Term::Plain(n != negative, v),
            Term::Product(p) => Term::Product(Product { negative: p.negative != negative, ..p }),
        }
    }

    /// The sum of two terms; a product and another term are fused, the first of two products is rounded.
    fn join(&mut self, x: Term, y: Term) -> Term {
        match (x, y) {
            (Term::Plain(m, v), Term::Plain(n, w)) => match (m, n) {
                (false, false) => Term::Plain(false, self.b.add(v, w)),
                (false, true) => Term::Plain(false, self.b.sub(v, w)),
                (true, false) => Term::Plain(false, self.b.sub(w, v)),
                (true, true) => Term::Plain(true, self.b.add(v, w)),
            },
            (Term::Plain(m, v), Term::Product(p)) | (Term::Product(p), Term::Plain(m, v)) => {
                let form = match (p.negative, m) {
                    (false, false) => Fused::MulAdd,
                    (false, true) => Fused::MulSub,
                    (true, false) => Fused::NegMulAdd,
                    (true, true) => Fused::NegMulSub,
                };
                Term::Plain(false, self.b.fused(form, p.a, p.b, v))
            }
            (Term::Product(p), q) => {
                let v = self.b.mul(p.a, p.b);
                self.join(Term::Plain(p.negative, v), q)
            }
        }
    }

    /// `sum + term`, as accumulators of a reduction do it.
    pub fn accumulate(&mut self, sum: Val, term: Id) -> Val {
        let term = self.term(false, term);
        match self.join(Term::Plain(false, sum), term) {
            Term::Plain(false, v) => v,
            _ => unreachable!("a positive sum stays one"),
        }
    }
}

/// `a - b*floor(a/b)`, as the instructions do it.
pub fn modulo(a: f64, b: f64) -> f64 {
    Fused::NegMulAdd.apply(b, (a / b).floor(), a)
}
