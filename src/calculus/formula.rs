//! Formulas: what a person would write for a clean graph, before a choice of notation. `reader` makes them from graphs,
//! `pretty` writes them as text and `latex` as LaTeX.

use crate::math::{Red, Shape};

use super::numerals::Numeral;

/// A bound index with the extent it runs over: `i < n`.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    pub name: String,
    pub extent: usize,
}

/// A term of a sum with its sign.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    pub minus: bool,
    pub body: Formula,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Formula {
    /// non-negative
    Number(Numeral),
    /// as the author wrote it
    Name(String),
    /// `dW`, `dt`
    Differential(String),
    Element(Box<Formula>, Vec<Formula>),
    Negative(Box<Formula>),
    Sum(Vec<Term>),
    /// the product of `over` divided by that of `under`
    Product {
        over: Vec<Formula>,
        under: Vec<Formula>,
    },
    Power(Box<Formula>, Box<Formula>),
    Call(&'static str, Vec<Formula>),
    Modulo(Box<Formula>, Box<Formula>),
    /// a reduction over the index space, restricted to where `given` holds
    Big {
        red: Red,
        over: Vec<Range>,
        given: Option<Box<Formula>>,
        body: Box<Formula>,
    },
    /// the array of the values of `body`
    Family {
        over: Vec<Range>,
        body: Box<Formula>,
    },
    Array(Shape, Vec<Formula>),
    /// the first value whose condition holds
    Cases {
        cases: Vec<(Formula, Formula)>,
        otherwise: Box<Formula>,
    },
    Relation(Relation, Box<Formula>, Box<Formula>),
    Not(Box<Formula>),
    /// 1 where the condition holds, else 0
    Indicator(Box<Formula>),
    /// `e dW`, or `e ∘ dW` with `circle`
    Along {
        coefficient: Box<Formula>,
        differential: Box<Formula>,
        circle: bool,
    },
    /// a partial derivative; each variable with its order
    Derivative {
        of: Box<Formula>,
        by: Vec<(Formula, u32)>,
    },
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Relation {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    And,
    Or,
}

/// `left = right`, for every value of the indices in `over`.
#[derive(Clone, Debug, PartialEq)]
pub struct Equation {
    pub left: Formula,
    pub right: Formula,
    pub over: Vec<Range>,
}

impl Formula {
    pub fn integer(value: u32) -> Formula {
        Formula::Number(Numeral::Decimal(f64::from(value)))
    }

    pub fn name(name: impl Into<String>) -> Formula {
        Formula::Name(name.into())
    }

    pub fn is_zero(&self) -> bool {
        *self == Formula::integer(0)
    }

    pub fn is_one(&self) -> bool {
        *self == Formula::integer(1)
    }

    pub fn is_two(&self) -> bool {
        *self == Formula::integer(2)
    }

    /// `e d`, with a sign of the coefficient brought to the front and a coefficient of one left out.
    pub fn along(self, differential: Formula, circle: bool) -> Formula {
        match self {
            Formula::Negative(inner) => Formula::Negative(Box::new(inner.along(differential, circle))),
            coefficient if coefficient.is_one() && !circle => differential,
            coefficient => {
                Formula::Along { coefficient: Box::new(coefficient), differential: Box::new(differential), circle }
            }
        }
    }

    pub fn negated(self) -> Formula {
        match self {
            Formula::Negative(inner) => *inner,
            Formula::Sum(terms) => {
                let flipped =
                    terms.into_iter().map(|t| if t.minus { t.body } else { Formula::Negative(t.body.into()) });
                Formula::sum(flipped)
            }
            other if other.is_zero() => other,
            other => Formula::Negative(Box::new(other)),
        }
    }

    /// The sum of formulas, without zeros, nested sums opened, and a term without a minus in front where there is one.
    pub fn sum(parts: impl IntoIterator<Item = Formula>) -> Formula {
        let mut terms = Vec::new();
        for part in parts {
            push_terms(part, false, &mut terms);
        }
        if let Some(first) = terms.iter().position(|t| !t.minus) {
            let front = terms.remove(first);
            terms.insert(0, front);
        }
        Formula::of_terms(terms)
    }

    /// The sum of formulas in the order given, as in an equation whose terms have their places.
    pub fn sum_in_order(parts: impl IntoIterator<Item = Formula>) -> Formula {
        let mut terms = Vec::new();
        for part in parts {
            push_terms(part, false, &mut terms);
        }
        Formula::of_terms(terms)
    }

    fn of_terms(mut terms: Vec<Term>) -> Formula {
        match terms.len() {
            0 => Formula::integer(0),
            1 => {
                let Term { minus, body } = terms.remove(0);
                if minus { Formula::Negative(Box::new(body)) } else { body }
            }
            _ => Formula::Sum(terms),
        }
    }

    /// The product of formulas, with their signs brought to the front and factors of one left out.
    pub fn product(parts: impl IntoIterator<Item = Formula>) -> Formula {
        let (mut minus, mut over, mut under) = (false, Vec::new(), Vec::new());
        for part in parts {
            push_factors(part, &mut minus, &mut over, &mut under);
        }
        if over.iter().any(Formula::is_zero) {
            return Formula::integer(0);
        }
        let body = Formula::quotient(over, under);
        if minus { body.negated() } else { body }
    }

    /// The product of `over` divided by that of `under`.
    pub fn quotient(mut over: Vec<Formula>, under: Vec<Formula>) -> Formula {
        match (over.len(), under.len()) {
            (0, 0) => Formula::integer(1),
            (1, 0) => over.remove(0),
            _ => Formula::Product { over, under },
        }
    }

    pub fn squared(self) -> Formula {
        match self {
            Formula::Negative(inner) => inner.squared(),
            Formula::Power(base, n) if n.is_two() => Formula::Power(base, Box::new(Formula::integer(4))),
            Formula::Call("sqrt", mut args) => args.remove(0),
            Formula::Number(Numeral::Root(n)) => Formula::integer(n),
            Formula::Product { over, under } => {
                let square = |parts: Vec<Formula>| parts.into_iter().map(Formula::squared).collect();
                Formula::product([Formula::Product { over: square(over), under: square(under) }])
            }
            one if one.is_one() => one,
            other => Formula::Power(Box::new(other), Box::new(Formula::integer(2))),
        }
    }

    pub fn derivative(self, by: Vec<(Formula, u32)>) -> Formula {
        Formula::Derivative { of: Box::new(self), by }
    }
}

fn push_terms(part: Formula, minus: bool, terms: &mut Vec<Term>) {
    match part {
        Formula::Sum(inner) => {
            for Term { minus: inside, body } in inner {
                push_terms(body, minus != inside, terms);
            }
        }
        Formula::Negative(inner) => push_terms(*inner, !minus, terms),
        zero if zero.is_zero() => {}
        body => terms.push(Term { minus, body }),
    }
}

fn push_factors(part: Formula, minus: &mut bool, over: &mut Vec<Formula>, under: &mut Vec<Formula>) {
    match part {
        Formula::Product { over: above, under: below } => {
            for factor in above {
                push_factors(factor, minus, over, under);
            }
            for factor in below {
                push_factors(factor, minus, under, over);
            }
        }
        Formula::Negative(inner) => {
            *minus = !*minus;
            push_factors(*inner, minus, over, under);
        }
        one if one.is_one() => {}
        factor => over.push(factor),
    }
}
