//! Formulas as text, close to how the language itself writes them, with no more parentheses than needed.

use crate::math::{Graph, Id, Red};

use super::formula::{Equation, Formula, Range, Relation, Term};
use super::numerals::{Numeral, decimal};
use super::reader::Reader;

/// A clean node as text.
pub fn text(g: &Graph, id: Id) -> String {
    formula(&Reader::new(g, &[id]).read(id))
}

/// A formula as text.
pub fn formula(f: &Formula) -> String {
    write(f, Level::Open)
}

/// An equation as text, with the index space it holds on: `x[i] = ... for i < 64`.
pub fn equation(e: &Equation) -> String {
    let line = format!("{} = {}", formula(&e.left), formula(&e.right));
    if e.over.is_empty() { line } else { format!("{line}  for {}", ranges(&e.over)) }
}

/// How tightly a formula binds; a formula stands in parentheses where something tighter is wanted.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Open,
    Or,
    And,
    Compare,
    Sum,
    Along,
    Big,
    Product,
    Factor,
    Power,
    Atom,
}

fn level(f: &Formula) -> Level {
    match f {
        Formula::Cases { .. } => Level::Open,
        Formula::Relation(Relation::Or, ..) => Level::Or,
        Formula::Relation(Relation::And, ..) | Formula::Not(_) => Level::And,
        Formula::Relation(..) => Level::Compare,
        Formula::Sum(_) | Formula::Negative(_) => Level::Sum,
        Formula::Along { .. } => Level::Along,
        Formula::Big { red: Red::Sum | Red::Prod, .. } => Level::Big,
        Formula::Product { .. } | Formula::Modulo(..) => Level::Product,
        Formula::Number(Numeral::Fraction(..) | Numeral::Pi(..)) => numeral_level(f),
        Formula::Derivative { .. } => Level::Factor,
        Formula::Power(..) => Level::Power,
        _ => Level::Atom,
    }
}

fn numeral_level(f: &Formula) -> Level {
    match f {
        Formula::Number(Numeral::Pi(1, 1)) => Level::Atom,
        _ => Level::Product,
    }
}

fn write(f: &Formula, wanted: Level) -> String {
    let plain = bare(f);
    if level(f) < wanted { format!("({plain})") } else { plain }
}

fn bare(f: &Formula) -> String {
    match f {
        Formula::Number(n) => number(*n),
        Formula::Name(name) => name.clone(),
        Formula::Differential(name) => format!("d{name}"),
        Formula::Element(array, at) => format!("{}[{}]", write(array, Level::Atom), list(at)),
        Formula::Negative(inner) => format!("-{}", write(inner, Level::Along)),
        Formula::Sum(terms) => sum(terms),
        Formula::Product { over, under } => product(over, under),
        Formula::Power(base, exponent) => format!("{}^{}", write(base, Level::Atom), write(exponent, Level::Atom)),
        Formula::Call(name, args) => format!("{name}({})", list(args)),
        Formula::Modulo(value, divisor) => {
            format!("{} mod {}", write(value, Level::Power), write(divisor, Level::Power))
        }
        Formula::Big { red, over, given, body } => big(*red, over, given.as_deref(), body),
        Formula::Family { over, body } => format!("[{} for {}]", write(body, Level::Or), ranges(over)),
        Formula::Array(shape, elements) => array(shape, elements),
        Formula::Cases { cases, otherwise } => {
            let cases: String = cases
                .iter()
                .map(|(c, value)| format!("if {} then {} else ", write(c, Level::Or), write(value, Level::Or)))
                .collect();
            cases + &write(otherwise, Level::Or)
        }
        Formula::Relation(relation, left, right) => {
            let own = level(f);
            let side = |s: &Formula| if own == Level::Compare { write(s, Level::Sum) } else { write(s, own) };
            format!("{} {} {}", side(left), sign(*relation), side(right))
        }
        Formula::Not(condition) => format!("not {}", write(condition, Level::Compare)),
        Formula::Indicator(condition) => format!("1{{{}}}", formula(condition)),
        Formula::Along { coefficient, differential, circle } => {
            let coefficient = write(coefficient, Level::Big);
            let between = if *circle { " ∘ " } else { " " };
            format!("{coefficient}{between}{}", write(differential, Level::Factor))
        }
        Formula::Derivative { of, by } => derivative(of, by),
    }
}

fn list(parts: &[Formula]) -> String {
    parts.iter().map(formula).collect::<Vec<_>>().join(", ")
}

fn ranges(over: &[Range]) -> String {
    over.iter().map(|r| format!("{} < {}", r.name, r.extent)).collect::<Vec<_>>().join(", ")
}

fn number(n: Numeral) -> String {
    match n {
        Numeral::Decimal(value) => decimal(value),
        Numeral::Fraction(p, q) => format!("{p}/{q}"),
        Numeral::Pi(p, q) => {
            let over = if p == 1 { "pi".to_string() } else { format!("{p}*pi") };
            if q == 1 { over } else { format!("{over}/{q}") }
        }
        Numeral::Root(n) => format!("sqrt({n})"),
        Numeral::Infinite => "inf".to_string(),
        Numeral::NotANumber => "nan".to_string(),
    }
}

fn sum(terms: &[Term]) -> String {
    let mut line = String::new();
    for (k, term) in terms.iter().enumerate() {
        line += match (k, term.minus) {
            (0, false) => "",
            (0, true) => "-",
            (_, false) => " + ",
            (_, true) => " - ",
        };
        line += &write(&term.body, Level::Along);
    }
    line
}

/// Factors joined by `*`. A large operator reaches to the end of the product, so it needs no parentheses at its end.
fn factors(parts: &[Formula], last_open: bool) -> String {
    let wanted = |k: usize| if last_open && k + 1 == parts.len() { Level::Big } else { Level::Factor };
    parts.iter().enumerate().map(|(k, f)| write(f, wanted(k))).collect::<Vec<_>>().join("*")
}

fn product(over: &[Formula], under: &[Formula]) -> String {
    let above = match over {
        [] => "1".to_string(),
        _ => factors(over, under.is_empty()),
    };
    match under {
        [] => above,
        [one] => format!("{above}/{}", write(one, Level::Factor)),
        _ => format!("{above}/({})", factors(under, true)),
    }
}

fn big(red: Red, over: &[Range], given: Option<&Formula>, body: &Formula) -> String {
    let space: Vec<String> =
        over.iter().map(|r| format!("{}<{}", r.name, r.extent)).chain(given.map(formula)).collect();
    let head = format!("{}_{{{}}}", red.name(), space.join(", "));
    match red {
        Red::Sum | Red::Prod => format!("{head} {}", write(body, Level::Along)),
        _ => format!("{head}({})", formula(body)),
    }
}

/// Rows in brackets; long arrays show their ends.
fn array(shape: &[usize], elements: &[Formula]) -> String {
    if shape.is_empty() {
        return list(elements);
    }
    let rows = shape[0];
    let size = elements.len() / rows.max(1);
    let row = |k: usize| match shape.len() {
        1 => formula(&elements[k]),
        _ => array(&shape[1..], &elements[k * size..(k + 1) * size]),
    };
    let parts: Vec<String> = match rows {
        0..=12 => (0..rows).map(row).collect(),
        _ => vec![row(0), row(1), "...".to_string(), row(rows - 1)],
    };
    format!("[{}]", parts.join(", "))
}

fn sign(relation: Relation) -> &'static str {
    match relation {
        Relation::Less => "<",
        Relation::LessOrEqual => "<=",
        Relation::Greater => ">",
        Relation::GreaterOrEqual => ">=",
        Relation::Equal => "==",
        Relation::NotEqual => "!=",
        Relation::And => "and",
        Relation::Or => "or",
    }
}

fn derivative(of: &Formula, by: &[(Formula, u32)]) -> String {
    let order: u32 = by.iter().map(|(_, n)| n).sum();
    let power = |n: u32| if n == 1 { String::new() } else { format!("^{n}") };
    let below: Vec<String> =
        by.iter().map(|(variable, n)| format!("∂{}{}", write(variable, Level::Atom), power(*n))).collect();
    let below = if below.len() == 1 { below[0].clone() } else { format!("({})", below.join(" ")) };
    match of {
        Formula::Name(_) | Formula::Call(..) => {
            let gap = if order == 1 { "" } else { " " };
            format!("∂{}{gap}{}/{below}", power(order), formula(of))
        }
        _ => format!("∂{}/{below} ({})", power(order), formula(of)),
    }
}
