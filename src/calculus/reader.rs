//! From clean graphs to formulas: sums with signs, products with fractions, names for indices, and names for large
//! parts that occur more than once.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use crate::math::{Graph, Id, IndexVar, Node, Op, Rate, Red, VarId, VarKind};

use super::formula::{Equation, Formula, Range, Relation, Term};
use super::numerals::{Numeral, binary_share, numeral};

/// A formula with more parts than this has its large common parts named.
const LONG: usize = 160;
/// A part that is named has at least so many parts itself.
const LARGE: usize = 16;

const INDEX_NAMES: [&str; 8] = ["i", "j", "k", "l", "m", "n", "p", "q"];

/// Reads nodes of one graph as formulas, with the same names throughout.
pub struct Reader<'a> {
    g: &'a Graph,
    /// names that stand in place of those of the variables
    renamed: HashMap<VarId, Formula>,
    /// open indices with their names, innermost last
    scope: Vec<(u32, String)>,
    taken: HashSet<String>,
    /// common parts with their names
    shared: HashMap<Id, String>,
    definitions: Vec<Equation>,
}

impl<'a> Reader<'a> {
    /// A reader for the given roots (and whatever lies below them).
    pub fn new(g: &'a Graph, roots: &[Id]) -> Reader<'a> {
        let mut reader = Reader {
            g,
            renamed: HashMap::default(),
            scope: Vec::new(),
            taken: names_below(g, roots),
            shared: HashMap::default(),
            definitions: Vec::new(),
        };
        reader.name_common_parts(roots);
        reader
    }

    pub fn graph(&self) -> &'a Graph {
        self.g
    }

    /// Shows a variable by another formula.
    pub fn rename(&mut self, var: VarId, shown: Formula) {
        self.renamed.insert(var, shown);
    }

    /// The definitions of the parts that were named on the way, in an order in which each uses earlier ones only.
    pub fn definitions(&self) -> &[Equation] {
        &self.definitions
    }

    /// Gives an open index a name that nothing in scope has, until [`Reader::close`].
    pub fn open(&mut self, index: IndexVar) -> Range {
        let free = |name: &str| !self.taken.contains(name) && self.scope.iter().all(|(_, used)| used != name);
        let name = INDEX_NAMES.iter().map(|n| n.to_string()).find(|n| free(n));
        let name = name.or_else(|| (1..).map(|k| format!("i{k}")).find(|n| free(n))).expect("names do not run out");
        self.scope.push((index.id, name.clone()));
        Range { name, extent: index.extent }
    }

    /// Forgets the names of the last `count` open indices.
    pub fn close(&mut self, count: usize) {
        self.scope.truncate(self.scope.len() - count);
    }

    pub fn read(&mut self, id: Id) -> Formula {
        if let Some(name) = self.shared.get(&id) {
            let (name, at) = (Formula::name(name), self.g.free(id).to_vec());
            return element(name, at.into_iter().map(|i| self.index_name(i)).collect());
        }
        self.expand(id)
    }

    fn expand(&mut self, id: Id) -> Formula {
        match self.g.node(id).clone() {
            Node::Real(bits) => signed(f64::from_bits(bits)),
            Node::Int(value) => signed(value as f64),
            Node::Bool(value) => Formula::name(value.to_string()),
            Node::Var(var) => self.variable(var),
            Node::Data(data) => Formula::name(&self.g.data_info(data).name),
            Node::Index(index) => self.index_name(index.id),
            Node::Op(op, args) => self.operation(id, op, &args),
            Node::Lit(shape, elements) => Formula::Array(shape, self.all(&elements)),
            Node::Get(array, at) => {
                let array = self.read(array);
                element(array, self.all(&at))
            }
            Node::Map(bounds, body) => {
                let over = self.open_all(&bounds);
                let body = Box::new(self.read(body));
                self.close(bounds.len());
                Formula::Family { over, body }
            }
            Node::Reduce(red, bounds, body) => self.big(red, &bounds, body),
            Node::Scatter { shape, bounds, at, body } => self.scatter(&shape, &bounds, &at, body),
            Node::Dense(op, args) => Formula::Call(op.name(), self.all(&args)),
            Node::Partial { of, var, at, .. } => {
                let by = self.variable(var);
                let by = element(by, self.all(&at));
                self.read(of).derivative(vec![(by, 1)])
            }
            Node::Jvp { of, var, tangent, .. } => {
                let args = vec![self.read(of), self.variable(var), self.read(tangent)];
                Formula::Call("jvp", args)
            }
        }
    }

    fn all(&mut self, ids: &[Id]) -> Vec<Formula> {
        ids.iter().map(|i| self.read(*i)).collect()
    }

    fn variable(&self, var: VarId) -> Formula {
        if let Some(shown) = self.renamed.get(&var) {
            return shown.clone();
        }
        let info = self.g.var_info(var);
        match info.kind {
            VarKind::Noise => Formula::Differential(info.name.clone()),
            _ => Formula::name(&info.name),
        }
    }

    fn index_name(&self, id: u32) -> Formula {
        let known = self.scope.iter().rev().find(|(index, _)| *index == id);
        Formula::name(known.map_or_else(|| format!("i{}", id & 0xffff), |(_, name)| name.clone()))
    }

    fn open_all(&mut self, bounds: &[IndexVar]) -> Vec<Range> {
        bounds.iter().map(|b| self.open(*b)).collect()
    }

    fn operation(&mut self, id: Id, op: Op, args: &[Id]) -> Formula {
        match op {
            Op::Add | Op::Sub => {
                let mut terms = Vec::new();
                self.terms(id, false, &mut terms);
                Formula::sum(terms.into_iter().map(|t| if t.minus { t.body.negated() } else { t.body }))
            }
            Op::Mul | Op::Div | Op::Neg => self.product(id),
            Op::Powi | Op::Pow => self.power(id, args),
            Op::Mod => self.modulo(args),
            Op::Select => self.cases(args),
            Op::Lt | Op::Le | Op::Eq | Op::Ne | Op::And | Op::Or => {
                let (left, right) = (self.read(args[0]), self.read(args[1]));
                Formula::Relation(relation(op), Box::new(left), Box::new(right))
            }
            Op::Not => negation(self.read(args[0])),
            Op::ToReal if self.g.ty(args[0]) == crate::math::Ty::Bool => {
                Formula::Indicator(Box::new(self.read(args[0])))
            }
            Op::ToReal => self.read(args[0]),
            Op::Min | Op::Max => {
                let mut list = Vec::new();
                self.flatten(op, id, &mut list);
                Formula::Call(op.name(), list)
            }
            _ => Formula::Call(op.name(), self.all(args)),
        }
    }

    fn flatten(&mut self, op: Op, id: Id, list: &mut Vec<Formula>) {
        match self.g.node(id).clone() {
            Node::Op(inner, args) if inner == op => args.iter().for_each(|a| self.flatten(op, *a, list)),
            _ => list.push(self.read(id)),
        }
    }

    fn terms(&mut self, id: Id, minus: bool, terms: &mut Vec<Term>) {
        match self.g.node(id).clone() {
            _ if self.shared.contains_key(&id) => terms.push(Term { minus, body: self.read(id) }),
            Node::Op(Op::Add, args) => args.iter().for_each(|a| self.terms(*a, minus, terms)),
            Node::Op(Op::Sub, args) => {
                self.terms(args[0], minus, terms);
                self.terms(args[1], !minus, terms);
            }
            Node::Op(Op::Neg, args) => self.terms(args[0], !minus, terms),
            _ => match self.read(id) {
                Formula::Negative(body) => terms.push(Term { minus: !minus, body: *body }),
                body => terms.push(Term { minus, body }),
            },
        }
    }

    fn power(&mut self, id: Id, args: &[Id]) -> Formula {
        match self.read(args[1]) {
            Formula::Negative(_) if matches!(self.g.node(args[1]), Node::Int(_)) => self.product(id),
            one if one.is_one() => self.read(args[0]),
            exponent => match self.read(args[0]) {
                base @ (Formula::Product { .. } | Formula::Call("sqrt", _)) if exponent.is_two() => base.squared(),
                base => Formula::Power(Box::new(base), Box::new(exponent)),
            },
        }
    }

    /// `i + 63 mod 64` is written as `i - 1 mod 64`.
    fn modulo(&mut self, args: &[Id]) -> Formula {
        let (value, divisor) = (self.read(args[0]), self.read(args[1]));
        let value = match (self.g.node(args[1]), value) {
            (Node::Int(n), Formula::Sum(terms)) => {
                let n = *n as f64;
                Formula::sum(terms.into_iter().map(|t| wrapped(t, n)))
            }
            (_, value) => value,
        };
        Formula::Modulo(Box::new(value), Box::new(divisor))
    }

    fn cases(&mut self, args: &[Id]) -> Formula {
        let first = (self.read(args[0]), self.read(args[1]));
        match self.read(args[2]) {
            Formula::Cases { mut cases, otherwise } => {
                cases.insert(0, first);
                Formula::Cases { cases, otherwise }
            }
            otherwise => Formula::Cases { cases: vec![first], otherwise: Box::new(otherwise) },
        }
    }

    /// A sum or product whose body is neutral where a condition fails is one over the places where the condition holds.
    fn big(&mut self, red: Red, bounds: &[IndexVar], body: Id) -> Formula {
        let over = self.open_all(bounds);
        let neutral = match red {
            Red::Sum => 0.0,
            Red::Prod => 1.0,
            Red::Max | Red::LogSumExp => f64::NEG_INFINITY,
            _ => f64::NAN,
        };
        let (given, body) = match self.g.node(body).clone() {
            Node::Op(Op::Select, args) if *self.g.node(args[2]) == Node::Real(neutral.to_bits()) => {
                (Some(Box::new(self.read(args[0]))), self.read(args[1]))
            }
            _ => (None, self.read(body)),
        };
        self.close(bounds.len());
        match body {
            Formula::Negative(body) if red == Red::Sum => Formula::Big { red, over, given, body }.negated(),
            body => Formula::Big { red, over, given, body: Box::new(body) },
        }
    }

    fn scatter(&mut self, shape: &[usize], bounds: &[IndexVar], at: &[Id], body: Id) -> Formula {
        // the places are indices of their own: any id that is not in use will do, as only their names are read
        let places: Vec<IndexVar> =
            shape.iter().enumerate().map(|(k, n)| IndexVar { id: u32::MAX - k as u32, extent: *n }).collect();
        let family = self.open_all(&places);
        let over = self.open_all(bounds);
        let same = at.iter().zip(&family).map(|(at, place)| {
            Formula::Relation(Relation::Equal, Box::new(self.read(*at)), Box::new(Formula::name(&place.name)))
        });
        let given =
            same.collect::<Vec<_>>().into_iter().reduce(|a, b| Formula::Relation(Relation::And, a.into(), b.into()));
        let body = Box::new(self.read(body));
        self.close(places.len() + bounds.len());
        let sum = Formula::Big { red: Red::Sum, over, given: given.map(Box::new), body };
        Formula::Family { over: family, body: Box::new(sum) }
    }

    fn product(&mut self, id: Id) -> Formula {
        let mut factors = Factors::default();
        self.factors(id, false, true, &mut factors);
        factors.finish()
    }

    /// Collects the factors of a node, or of its inverse. The root of a product is opened even if it has a name.
    fn factors(&mut self, id: Id, inverse: bool, root: bool, factors: &mut Factors) {
        if self.shared.contains_key(&id) && !root {
            return self.factor(id, inverse, factors);
        }
        match self.g.node(id).clone() {
            Node::Real(bits) => factors.number(f64::from_bits(bits), inverse),
            Node::Op(Op::Mul, args) => args.iter().for_each(|a| self.factors(*a, inverse, false, factors)),
            Node::Op(Op::Div, args) => {
                self.factors(args[0], inverse, false, factors);
                self.factors(args[1], !inverse, false, factors);
            }
            Node::Op(Op::Neg, args) => {
                factors.minus = !factors.minus;
                self.factors(args[0], inverse, false, factors);
            }
            Node::Op(Op::Powi, args) => match self.g.node(args[1]) {
                Node::Int(-1) => self.factors(args[0], !inverse, false, factors),
                Node::Int(n) if *n < 0 => {
                    let exponent = Formula::Number(Numeral::Decimal(-(*n as f64)));
                    let power = Formula::Power(Box::new(self.read(args[0])), Box::new(exponent));
                    factors.push(self.rank(args[0], &power), power, !inverse);
                }
                _ => self.factor(id, inverse, factors),
            },
            _ => self.factor(id, inverse, factors),
        }
    }

    fn factor(&mut self, id: Id, inverse: bool, factors: &mut Factors) {
        let formula = self.read(id);
        let formula = match formula {
            Formula::Negative(inner) => {
                factors.minus = !factors.minus;
                *inner
            }
            other => other,
        };
        let rank = self.rank(id, &formula);
        factors.push(rank, formula, inverse);
    }

    /// The order of factors: numbers, parameters, what depends on them alone, states, functions, sums, large operators.
    fn rank(&self, id: Id, formula: &Formula) -> u8 {
        let simple = is_simple(formula);
        match formula {
            Formula::Big { .. } => 6,
            _ if self.g.rate(id) <= Rate::Run && self.g.free(id).is_empty() => 2 - u8::from(simple),
            _ if simple => 3,
            Formula::Sum(_) | Formula::Cases { .. } => 5,
            _ => 4,
        }
    }

    fn name_common_parts(&mut self, roots: &[Id]) {
        let order = self.g.reachable(roots);
        let sizes = tree_sizes(self.g, &order);
        if roots.iter().map(|r| sizes[r]).max().unwrap_or(0) <= LONG {
            return;
        }
        let mut uses: HashMap<Id, usize> = HashMap::default();
        for id in &order {
            for part in self.g.parts(*id) {
                *uses.entry(part).or_default() += 1;
            }
        }
        for id in order {
            let worth = uses.get(&id).copied().unwrap_or(0) > 1 && sizes[&id] >= LARGE && self.g.is_scalar(id);
            if worth && self.g.ty(id) == crate::math::Ty::Real {
                self.define(id);
            }
        }
    }

    fn define(&mut self, id: Id) {
        let name = (1..).map(|k| format!("u{k}")).find(|n| !self.taken.contains(n)).expect("names do not run out");
        self.taken.insert(name.clone());
        let free = self.g.free(id).to_vec();
        let extents = index_extents(self.g, id);
        let over: Vec<Range> =
            free.iter().map(|f| self.open(IndexVar { id: *f, extent: extents.get(f).copied().unwrap_or(0) })).collect();
        let right = self.expand(id);
        self.close(free.len());
        let left = element(Formula::name(&name), over.iter().map(|r| Formula::name(&r.name)).collect());
        self.definitions.push(Equation { left, right, over });
        self.shared.insert(id, name);
    }
}

/// `array[at]`, or the array itself where there is no index.
pub fn element(array: Formula, at: Vec<Formula>) -> Formula {
    if at.is_empty() { array } else { Formula::Element(Box::new(array), at) }
}

#[derive(Default)]
struct Factors {
    minus: bool,
    over: Vec<(u8, Formula)>,
    under: Vec<(u8, Formula)>,
    /// `dW`, which stands last, and of which a term has one
    differential: Option<Formula>,
}

impl Factors {
    fn push(&mut self, rank: u8, formula: Formula, inverse: bool) {
        if formula.is_one() {
            return;
        }
        if is_differential(&formula) && !inverse && self.differential.is_none() {
            self.differential = Some(formula);
        } else if inverse {
            self.under.push((rank, formula));
        } else {
            self.over.push((rank, formula));
        }
    }

    fn number(&mut self, value: f64, inverse: bool) {
        self.minus ^= value < 0.0;
        let value = value.abs();
        let integer = |n: u32| Formula::integer(n);
        if let (Some(q), false) = (binary_share(value), inverse) {
            return self.push(0, integer(q), true);
        }
        match numeral(value) {
            Numeral::Fraction(p, q) => {
                self.push(0, integer(p), inverse);
                self.push(0, integer(q), !inverse);
            }
            Numeral::Pi(p, q) => {
                self.push(0, integer(p), inverse);
                self.push(1, Formula::Number(Numeral::Pi(1, 1)), inverse);
                self.push(0, integer(q), !inverse);
            }
            other => self.push(0, Formula::Number(other), inverse),
        }
    }

    fn finish(mut self) -> Formula {
        self.over.sort_by_key(|(rank, _)| *rank);
        self.under.sort_by_key(|(rank, _)| *rank);
        let strip = |parts: Vec<(u8, Formula)>| parts.into_iter().map(|(_, f)| f).collect();
        let body = Formula::quotient(strip(self.over), strip(self.under));
        let body = match self.differential {
            Some(differential) => body.along(differential, false),
            None => body,
        };
        if self.minus { body.negated() } else { body }
    }
}

fn is_simple(formula: &Formula) -> bool {
    match formula {
        Formula::Name(_) | Formula::Element(..) | Formula::Number(_) => true,
        Formula::Power(base, exponent) => is_simple(base) && matches!(**exponent, Formula::Number(_)),
        _ => false,
    }
}

fn is_differential(formula: &Formula) -> bool {
    match formula {
        Formula::Differential(_) => true,
        Formula::Element(array, _) => matches!(**array, Formula::Differential(_)),
        _ => false,
    }
}

fn signed(value: f64) -> Formula {
    let magnitude = match binary_share(value.abs()) {
        Some(_) => Numeral::Decimal(value.abs()),
        None => numeral(value.abs()),
    };
    if value < 0.0 { Formula::Number(magnitude).negated() } else { Formula::Number(magnitude) }
}

fn wrapped(term: Term, n: f64) -> Formula {
    match term {
        Term { minus: false, body: Formula::Number(Numeral::Decimal(c)) } if 2.0 * c > n && c < n => {
            Formula::Number(Numeral::Decimal(n - c)).negated()
        }
        Term { minus: true, body } => body.negated(),
        Term { minus: false, body } => body,
    }
}

fn relation(op: Op) -> Relation {
    match op {
        Op::Lt => Relation::Less,
        Op::Le => Relation::LessOrEqual,
        Op::Eq => Relation::Equal,
        Op::Ne => Relation::NotEqual,
        Op::And => Relation::And,
        _ => Relation::Or,
    }
}

fn negation(condition: Formula) -> Formula {
    match condition {
        Formula::Relation(Relation::Less, a, b) => Formula::Relation(Relation::GreaterOrEqual, a, b),
        Formula::Relation(Relation::LessOrEqual, a, b) => Formula::Relation(Relation::Greater, a, b),
        Formula::Relation(Relation::Equal, a, b) => Formula::Relation(Relation::NotEqual, a, b),
        Formula::Relation(Relation::NotEqual, a, b) => Formula::Relation(Relation::Equal, a, b),
        other => Formula::Not(Box::new(other)),
    }
}

fn names_below(g: &Graph, roots: &[Id]) -> HashSet<String> {
    let mut names = HashSet::default();
    for id in g.reachable(roots) {
        match g.node(id) {
            Node::Var(v) | Node::Partial { var: v, .. } | Node::Jvp { var: v, .. } => {
                names.insert(g.var_info(*v).name.clone());
            }
            Node::Data(d) => {
                names.insert(g.data_info(*d).name.clone());
            }
            _ => {}
        }
    }
    names
}

/// The number of parts that each node has when written out without sharing. Saturates.
fn tree_sizes(g: &Graph, order: &[Id]) -> HashMap<Id, usize> {
    let mut sizes: HashMap<Id, usize> = HashMap::default();
    for id in order {
        let below = g.parts(*id).iter().fold(1usize, |sum, p| sum.saturating_add(sizes[p]));
        sizes.insert(*id, below);
    }
    sizes
}

fn index_extents(g: &Graph, id: Id) -> HashMap<u32, usize> {
    let indices = g.reachable(&[id]).into_iter().filter_map(|n| match g.node(n) {
        Node::Index(i) => Some((i.id, i.extent)),
        _ => None,
    });
    indices.collect()
}
