//! Clean scalars multiplied out over the parts that are not sums, products or integer powers. The simplifier does not do
//! that, as it makes most expressions longer; a proof that something is zero may, and so may a formula that gets shorter.

use rustc_hash::FxHashMap as HashMap;
use std::collections::BTreeMap;

use crate::math::{Graph, Id, Node, Op, Ty, simplify};

/// Powers of parts, sorted; a part is a node that is not opened.
type Monomial = BTreeMap<Id, i64>;

/// Each monomial with its coefficient, and the sum of the sizes of what was added up in it.
type Polynomial = BTreeMap<Vec<(Id, i64)>, (f64, f64)>;

/// Products with more terms than this are not worked out.
const TERMS: usize = 4000;

/// Denominators and roots that are worked out; one may bring further ones to light.
const ROUNDS: usize = 50;

/// A coefficient that is below this share of what cancelled in it is zero: constants such as `sqrt(2)` are rounded before
/// they are multiplied.
const ROUNDING: f64 = 1e-13;

/// Whether a scalar is proved to vanish wherever it has a value.
pub fn is_zero(g: &Graph, id: Id) -> bool {
    let expand = Expand { g };
    expand.numerator(id).is_some_and(|p| p.values().all(|(c, size)| c.abs() <= ROUNDING * size))
}

/// The same scalar without terms that are what rounding left of nothing, by what cancelled in them, or beside the largest
/// term where that was worked out before. For the display of derived things: what a person wrote may be as small.
pub fn without_dust(g: &mut Graph, id: Id) -> Id {
    let expanded = (Expand { g }).polynomial(id);
    let Some(mut p) = expanded.filter(|p| p.len() <= 64) else { return id };
    let (all, largest) = (p.len(), p.values().map(|(c, _)| c.abs()).fold(0.0, f64::max));
    p.retain(|_, (c, size)| c.abs() > ROUNDING * *size && c.abs() > 4.0 * f64::EPSILON * largest);
    if p.is_empty() || p.len() == all { id } else { built(g, p) }
}

/// The same scalar, with those terms added up that are less when multiplied out together. For display: the rounding is
/// another.
pub fn collected(g: &mut Graph, id: Id) -> Id {
    let (op, args) = match g.node(id) {
        Node::Op(op, args) if g.ty(id) == Ty::Real => (*op, args.clone()),
        _ => return id,
    };
    if !matches!(op, Op::Add | Op::Sub) {
        let args: Vec<Id> = args.iter().map(|a| collected(g, *a)).collect();
        return simplify::op(g, op, &args);
    }
    let mut terms = Vec::new();
    split_terms(g, id, false, &mut terms);
    let mut terms: Vec<Id> = terms
        .into_iter()
        .map(|(minus, term)| {
            let term = collected(g, term);
            if minus { simplify::op(g, Op::Neg, &[term]) } else { term }
        })
        .collect();
    if terms.len() > 24 {
        return id;
    }
    while let Some((i, j, sum)) = shorter_pair(g, &terms) {
        terms[i] = sum;
        terms.remove(j);
    }
    let sum = terms.into_iter().reduce(|a, b| simplify::op(g, Op::Add, &[a, b])).unwrap_or(id);
    if weight(g, sum) < weight(g, id) { sum } else { id }
}

fn split_terms(g: &Graph, id: Id, minus: bool, terms: &mut Vec<(bool, Id)>) {
    match g.node(id) {
        Node::Op(Op::Add, args) => args.iter().for_each(|a| split_terms(g, *a, minus, terms)),
        Node::Op(Op::Sub, args) => {
            split_terms(g, args[0], minus, terms);
            split_terms(g, args[1], !minus, terms);
        }
        Node::Op(Op::Neg, args) => split_terms(g, args[0], !minus, terms),
        _ => terms.push((minus, id)),
    }
}

/// Two terms whose sum is less than either written apart.
fn shorter_pair(g: &mut Graph, terms: &[Id]) -> Option<(usize, usize, Id)> {
    for j in 1..terms.len() {
        for i in 0..j {
            let sum = g.op(Op::Add, &[terms[i], terms[j]]);
            let expanded = (Expand { g }).polynomial(sum);
            let Some(sum) = expanded.filter(|p| p.len() <= 8).map(|p| built(g, p)) else { continue };
            if weight(g, sum) < weight(g, terms[i]) + weight(g, terms[j]) {
                return Some((i, j, sum));
            }
        }
    }
    None
}

fn built(g: &mut Graph, p: Polynomial) -> Id {
    let mut sum = g.real(0.0);
    for (monomial, (c, size)) in p {
        if c.abs() <= ROUNDING * size {
            continue;
        }
        let mut product = g.real(c);
        for (part, n) in monomial {
            let factor = match g.node(part).clone() {
                Node::Op(Op::Sqrt, args) if n % 2 == 0 => powi(g, args[0], n / 2),
                _ => powi(g, part, n),
            };
            product = simplify::op(g, Op::Mul, &[product, factor]);
        }
        sum = simplify::op(g, Op::Add, &[sum, product]);
    }
    sum
}

fn powi(g: &mut Graph, base: Id, n: i64) -> Id {
    let n = g.int(n);
    simplify::op(g, Op::Powi, &[base, n])
}

/// The number of parts written out.
fn weight(g: &Graph, id: Id) -> usize {
    let mut sizes: HashMap<Id, usize> = HashMap::default();
    for id in g.reachable(&[id]) {
        let size = g.parts(id).iter().fold(1usize, |sum, p| sum.saturating_add(sizes[p]));
        sizes.insert(id, size);
    }
    sizes[&id]
}

struct Expand<'a> {
    g: &'a Graph,
}

impl Expand<'_> {
    /// The polynomial that the scalar is a multiple of, all denominators being sums brought to the other side.
    fn numerator(&self, id: Id) -> Option<Polynomial> {
        let mut p = self.polynomial(id)?;
        for _ in 0..ROUNDS {
            let powers = || p.keys().flatten().copied();
            // denominators that are sums, and powers of square roots other than the first
            if let Some((sum, _)) = powers().find(|(part, n)| *n < 0 && self.is_sum(*part)) {
                p = self.times_denominator(p, sum)?;
            } else if let Some((root, _)) =
                powers().find(|(part, n)| !(0..2).contains(n) && self.root_of(*part).is_some())
            {
                p = self.without_squares(p, root)?;
            } else if let Some((square, value)) = self.circle(&p) {
                p = self.replaced(p, square, |n| (n.max(0) / 2, n - 2 * (n.max(0) / 2)), &value)?;
            } else {
                return Some(p);
            }
        }
        None
    }

    fn is_sum(&self, id: Id) -> bool {
        matches!(self.g.node(id), Node::Op(Op::Add | Op::Sub, _))
    }

    /// A sine whose square stands beside the cosine of the same angle, with that square: `1 - cos(u)^2`. Likewise the
    /// hyperbolic cosine: `1 + sinh(u)^2`.
    fn circle(&self, p: &Polynomial) -> Option<(Id, Polynomial)> {
        let powers = || p.keys().flatten().copied();
        powers().filter(|(_, n)| *n > 1).find_map(|(square, _)| {
            let Node::Op(op, angle) = self.g.node(square) else { return None };
            let (partner, sign) = match op {
                Op::Sin => (Op::Cos, -1.0),
                Op::Cosh => (Op::Sinh, 1.0),
                _ => return None,
            };
            let is_partner = |id: Id| matches!(self.g.node(id), Node::Op(op, args) if *op == partner && args == angle);
            let (other, _) = powers().find(|(part, _)| is_partner(*part))?;
            Some((square, plus(constant(1.0), part(other, 2), sign)))
        })
    }

    fn root_of(&self, id: Id) -> Option<Id> {
        match self.g.node(id) {
            Node::Op(Op::Sqrt, args) => Some(args[0]),
            _ => None,
        }
    }

    fn polynomial(&self, id: Id) -> Option<Polynomial> {
        match self.g.node(id) {
            Node::Real(bits) => Some(constant(f64::from_bits(*bits))),
            Node::Op(Op::Add, args) => Some(plus(self.polynomial(args[0])?, self.polynomial(args[1])?, 1.0)),
            Node::Op(Op::Sub, args) => Some(plus(self.polynomial(args[0])?, self.polynomial(args[1])?, -1.0)),
            Node::Op(Op::Neg, args) => Some(plus(Polynomial::new(), self.polynomial(args[0])?, -1.0)),
            Node::Op(Op::Mul, args) => times(&self.polynomial(args[0])?, &self.polynomial(args[1])?),
            Node::Op(Op::Div, args) => times(&self.polynomial(args[0])?, &self.inverse(args[1], 1)?),
            Node::Op(Op::Powi, args) => match self.g.node(args[1]) {
                Node::Int(n) if *n < 0 => self.inverse(args[0], -n),
                Node::Int(n) => power(&self.polynomial(args[0])?, *n),
                _ => Some(part(id, 1)),
            },
            _ => Some(part(id, 1)),
        }
    }

    /// The power `-n` of a node: of each factor of a product, and of a sum as a part.
    fn inverse(&self, id: Id, n: i64) -> Option<Polynomial> {
        match self.g.node(id) {
            Node::Real(bits) => Some(constant(f64::from_bits(*bits).powi(-(n as i32)))),
            Node::Op(Op::Neg, args) => {
                let p = self.inverse(args[0], n)?;
                Some(if n % 2 == 0 { p } else { plus(Polynomial::new(), p, -1.0) })
            }
            Node::Op(Op::Mul, args) => times(&self.inverse(args[0], n)?, &self.inverse(args[1], n)?),
            Node::Op(Op::Div, args) => times(&self.inverse(args[0], n)?, &power(&self.polynomial(args[1])?, n)?),
            Node::Op(Op::Powi, args) => match self.g.node(args[1]) {
                Node::Int(m) if *m > 0 => self.inverse(args[0], n * m),
                Node::Int(m) => power(&self.polynomial(args[0])?, -n * m),
                _ => Some(part(id, -n)),
            },
            _ => Some(part(id, -n)),
        }
    }

    /// Every term times the highest power of `sum` in a denominator, with the powers that are left multiplied out.
    fn times_denominator(&self, p: Polynomial, sum: Id) -> Option<Polynomial> {
        let exponent = |m: &[(Id, i64)]| m.iter().find(|(part, _)| *part == sum).map_or(0, |(_, n)| *n);
        let lowest = p.keys().map(|m| exponent(m)).min()?.min(0);
        let expanded = self.polynomial(sum)?;
        self.replaced(p, sum, |n| (n - lowest, 0), &expanded)
    }

    fn without_squares(&self, p: Polynomial, root: Id) -> Option<Polynomial> {
        let inside = self.polynomial(self.root_of(root)?)?;
        let lowest = p.keys().flatten().filter(|(part, _)| *part == root).map(|(_, n)| *n).min()?.min(0);
        let lowest = lowest - lowest.rem_euclid(2);
        self.replaced(p, root, |n| ((n - lowest) / 2, (n - lowest) % 2), &inside)
    }

    /// Replaces the power `n` of a part by a power of `value` and one of the part, as `split` says.
    fn replaced(
        &self,
        p: Polynomial,
        old: Id,
        split: impl Fn(i64) -> (i64, i64),
        value: &Polynomial,
    ) -> Option<Polynomial> {
        let mut result = Polynomial::new();
        for (monomial, (c, size)) in p {
            let mut rest: Monomial = monomial.into_iter().collect();
            let (out, stay) = split(rest.remove(&old).unwrap_or(0));
            if stay != 0 {
                rest.insert(old, stay);
            }
            let rest = Polynomial::from([(rest.into_iter().collect(), (c, size))]);
            result = plus(result, times(&rest, &power(value, out)?)?, 1.0);
            if result.len() > TERMS {
                return None;
            }
        }
        Some(result)
    }
}

fn constant(value: f64) -> Polynomial {
    Polynomial::from([(vec![], (value, value.abs()))])
}

fn part(id: Id, n: i64) -> Polynomial {
    Polynomial::from([(vec![(id, n)], (1.0, 1.0))])
}

fn plus(mut a: Polynomial, b: Polynomial, sign: f64) -> Polynomial {
    for (monomial, (c, size)) in b {
        let (sum, sizes) = a.entry(monomial).or_insert((0.0, 0.0));
        *sum += sign * c;
        *sizes += size;
    }
    a
}

fn times(a: &Polynomial, b: &Polynomial) -> Option<Polynomial> {
    if a.len() * b.len() > TERMS {
        return None;
    }
    let mut result = Polynomial::new();
    for (x, (c, c_size)) in a {
        for (y, (d, d_size)) in b {
            let mut monomial: Monomial = x.iter().copied().collect();
            for (part, n) in y {
                *monomial.entry(*part).or_insert(0) += n;
            }
            let monomial = monomial.into_iter().filter(|(_, n)| *n != 0).collect();
            let (sum, size) = result.entry(monomial).or_insert((0.0, 0.0));
            *sum += c * d;
            *size += c_size * d_size;
        }
    }
    Some(result)
}

fn power(p: &Polynomial, n: i64) -> Option<Polynomial> {
    let mut result = constant(1.0);
    if n > 64 {
        return None;
    }
    for _ in 0..n {
        result = times(&result, p)?;
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::is_zero;
    use crate::calculus::testing::Builder;

    fn zero(source: &str) -> bool {
        let mut b = Builder::new();
        b.states("x y z");
        b.params("a c");
        let id = b.expr(source);
        is_zero(&b.g, id)
    }

    #[test]
    fn identities_of_rational_functions() {
        for source in [
            "(x + 1)^2 - x^2 - 2*x - 1",
            "1/(1 + x) - 1/(1 + x)^2 - x/(1 + x)^2",
            "1/(1 + 1/x) - x/(1 + x)",
            "sqrt(1 + x)^2 - 1 - x",
            "x/sqrt(x + 1) + 1/sqrt(x + 1) - sqrt(x + 1)",
            "exp(x)*(a + c) - c*exp(x) - exp(x)*a",
            "(x - y)^5 + (y - x)^5",
            "1.4142135623730951*1.4142135623730951*x - 2*x",
            "x/(y*(1 - z)) - x/y/(1 - z)",
            "sin(x)^2 + cos(x)^2 - 1",
            "y*sin(x)^4 + 2*y*sin(x)^2*cos(x)^2 + y*cos(x)^4 - y",
            "cosh(x)^2 - sinh(x)^2 - 1",
        ] {
            assert!(zero(source), "{source}");
        }
    }

    #[test]
    fn terms_are_collected_where_that_is_shorter() {
        for (source, wanted) in [
            ("2*c*x/(x^2 + 1)^2 + 2*(1 - c)*x/(x^2 + 1)^2", "2*x/(x^2 + 1)^2"),
            ("a*(c - x)", "a*(c - x)"),
            ("a^2*c^2*x + a^2*(1 - c^2)*x", "a^2*x"),
            ("exp(x*c + x*(1 - c))", "exp(x)"),
            ("(x^2 - 1)^2 + x", "x + (x^2 - 1)^2"),
        ] {
            let mut b = Builder::new();
            b.states("x");
            b.params("a c");
            let id = b.expr(source);
            let id = crate::calculus::clean(&mut b.g, &[id])[0];
            let id = super::collected(&mut b.g, id);
            assert_eq!(crate::calculus::pretty::text(&b.g, id), wanted, "{source}");
        }
    }

    #[test]
    fn what_is_not_zero_is_not_proved_to_be() {
        for source in ["x", "x - y", "sin(x)^2 + cos(y)^2 - 1", "(x + y)^200", "1/(1 + x) - 1/(1 + y)", "0.0001*x"] {
            assert!(!zero(source), "{source}");
        }
    }
}
