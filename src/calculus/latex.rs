//! Formulas as LaTeX (with amsmath).

use crate::math::{Graph, Id, Red};

use super::formula::{Equation, Formula, Range, Relation, Term};
use super::numerals::{Numeral, decimal};
use super::reader::Reader;

/// A clean node as LaTeX.
pub fn latex(g: &Graph, id: Id) -> String {
    formula(&Reader::new(g, &[id]).read(id))
}

/// A formula as LaTeX.
pub fn formula(f: &Formula) -> String {
    write(f, Level::Open)
}

/// An equation as LaTeX, with the index space it holds on.
pub fn equation(e: &Equation) -> String {
    let line = format!("{} = {}", formula(&e.left), formula(&e.right));
    if e.over.is_empty() { line } else { format!("{line}, \\qquad {}", ranges(&e.over)) }
}

#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Open,
    Or,
    And,
    Compare,
    Sum,
    Along,
    Big,
    Product,
    Power,
    Atom,
}

pub(super) fn level(f: &Formula) -> Level {
    match f {
        Formula::Relation(Relation::Or, ..) => Level::Or,
        Formula::Relation(Relation::And, ..) | Formula::Not(_) => Level::And,
        Formula::Relation(..) => Level::Compare,
        Formula::Sum(_) | Formula::Negative(_) => Level::Sum,
        Formula::Call("expm1", _) => Level::Sum,
        Formula::Along { .. } => Level::Along,
        Formula::Big { red: Red::Sum | Red::Prod, .. } => Level::Big,
        Formula::Product { .. } | Formula::Modulo(..) | Formula::Derivative { .. } => Level::Product,
        Formula::Number(Numeral::Fraction(..)) => Level::Product,
        Formula::Number(Numeral::Pi(p, q)) if (*p, *q) != (1, 1) => Level::Product,
        Formula::Number(Numeral::Decimal(value)) if decimal(*value).contains('e') => Level::Product,
        Formula::Power(..) | Formula::Call("exp", _) => Level::Power,
        _ => Level::Atom,
    }
}

fn write(f: &Formula, wanted: Level) -> String {
    let plain = bare(f);
    if level(f) < wanted { parentheses(f, &plain) } else { plain }
}

fn parentheses(f: &Formula, plain: &str) -> String {
    if is_tall(f) { format!("\\left({plain}\\right)") } else { format!("({plain})") }
}

/// Whether a formula is higher than a line: it has a fraction, a large operator, cases or an array in it.
pub(super) fn is_tall(f: &Formula) -> bool {
    match f {
        Formula::Number(n) => matches!(n, Numeral::Fraction(..)) || matches!(n, Numeral::Pi(_, q) if *q > 1),
        Formula::Name(_) | Formula::Differential(_) => false,
        Formula::Element(array, _) => is_tall(array),
        Formula::Negative(inner) | Formula::Not(inner) | Formula::Indicator(inner) => is_tall(inner),
        Formula::Sum(terms) => terms.iter().any(|t| is_tall(&t.body)),
        Formula::Product { over, under } => !under.is_empty() || over.iter().any(is_tall),
        Formula::Power(base, exponent) => is_tall(base) || is_tall(exponent),
        Formula::Call(_, args) => args.iter().any(is_tall),
        Formula::Modulo(a, b) | Formula::Relation(_, a, b) => is_tall(a) || is_tall(b),
        Formula::Along { coefficient, .. } => is_tall(coefficient),
        Formula::Family { body, .. } => is_tall(body),
        Formula::Big { .. } | Formula::Array(..) | Formula::Cases { .. } | Formula::Derivative { .. } => true,
    }
}

fn bare(f: &Formula) -> String {
    match f {
        Formula::Number(n) => number(*n),
        Formula::Name(name) => symbol(name),
        Formula::Differential(name) => format!("d{}", symbol(name)),
        Formula::Element(array, at) => element(array, at),
        Formula::Negative(inner) => format!("-{}", write(inner, Level::Along)),
        Formula::Sum(terms) => sum(terms),
        Formula::Product { over, under } => product(over, under),
        Formula::Power(base, exponent) => format!("{}^{{{}}}", write(base, Level::Atom), formula(exponent)),
        Formula::Call(name, args) => call(name, args),
        Formula::Modulo(value, divisor) => {
            format!("{} \\bmod {}", write(value, Level::Power), write(divisor, Level::Power))
        }
        Formula::Big { red, over, given, body } => big(*red, over, given.as_deref(), body),
        Formula::Family { over, body } => {
            format!("{}_{{{}}}", brackets(body, &formula(body)), ranges(over))
        }
        Formula::Array(shape, elements) => array(shape, elements),
        Formula::Cases { cases, otherwise } => {
            let mut rows: Vec<String> =
                cases.iter().map(|(c, value)| format!("{} & \\text{{if }} {}", formula(value), formula(c))).collect();
            rows.push(format!("{} & \\text{{otherwise}}", formula(otherwise)));
            format!("\\begin{{cases}} {} \\end{{cases}}", rows.join(" \\\\ "))
        }
        Formula::Relation(relation, left, right) => {
            let own = level(f);
            let side = |s: &Formula| if own == Level::Compare { write(s, Level::Sum) } else { write(s, own) };
            format!("{} {} {}", side(left), sign(*relation), side(right))
        }
        Formula::Not(condition) => format!("\\lnot {}", write(condition, Level::Atom)),
        Formula::Indicator(condition) => format!("\\mathbf{{1}}_{{{}}}", formula(condition)),
        Formula::Along { coefficient, differential, circle } => {
            let between = if *circle { " \\circ " } else { " \\, " };
            format!("{}{between}{}", write(coefficient, Level::Big), formula(differential))
        }
        Formula::Derivative { of, by } => derivative(of, by),
    }
}

fn brackets(f: &Formula, plain: &str) -> String {
    if is_tall(f) { format!("\\left[{plain}\\right]") } else { format!("[{plain}]") }
}

fn list(parts: &[Formula]) -> String {
    parts.iter().map(formula).collect::<Vec<_>>().join(", ")
}

fn ranges(over: &[Range]) -> String {
    let range = |r: &Range| format!("0 \\le {} < {}", symbol(&r.name), r.extent);
    over.iter().map(range).collect::<Vec<_>>().join(", \\; ")
}

/// A subscript; that of a name which has one already joins it.
fn element(array: &Formula, at: &[Formula]) -> String {
    match array {
        Formula::Name(name) => with_subscript(name, "", &list(at)),
        Formula::Differential(name) => with_subscript(name, "d", &list(at)),
        _ => format!("{}_{{{}}}", write(array, Level::Atom), list(at)),
    }
}

fn number(n: Numeral) -> String {
    match n {
        Numeral::Decimal(value) => match decimal(value).split_once('e') {
            Some(("1", exponent)) => format!("10^{{{exponent}}}"),
            Some((digits, exponent)) => format!("{digits} \\cdot 10^{{{exponent}}}"),
            None => decimal(value),
        },
        Numeral::Fraction(p, q) => format!("\\frac{{{p}}}{{{q}}}"),
        Numeral::Pi(p, q) => {
            let over = if p == 1 { "\\pi".to_string() } else { format!("{p} \\pi") };
            if q == 1 { over } else { format!("\\frac{{{over}}}{{{q}}}") }
        }
        Numeral::Root(n) => format!("\\sqrt{{{n}}}"),
        Numeral::Infinite => "\\infty".to_string(),
        Numeral::NotANumber => "\\mathrm{NaN}".to_string(),
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

/// Factors side by side, with a dot where a number would run into one before it.
fn factors(parts: &[Formula]) -> String {
    let mut line = String::new();
    for (k, part) in parts.iter().enumerate() {
        let wanted = if k + 1 == parts.len() { Level::Big } else { Level::Product };
        let written = write(part, wanted);
        if k > 0 {
            let starts_with_digit = written.starts_with(|c: char| c.is_ascii_digit());
            line += if starts_with_digit { " \\cdot " } else { " " };
        }
        line += &written;
    }
    line
}

fn product(over: &[Formula], under: &[Formula]) -> String {
    if under.is_empty() {
        return factors(over);
    }
    // a large operator or cases stand beside the fraction, not in it
    let beside = over.last().filter(|f| matches!(f, Formula::Big { .. } | Formula::Cases { .. }));
    let inside = if beside.is_some() { &over[..over.len() - 1] } else { over };
    let above = match inside {
        [] => "1".to_string(),
        [one] => formula(one),
        _ => factors(inside),
    };
    let below = if let [one] = under { formula(one) } else { factors(under) };
    let fraction = format!("\\frac{{{above}}}{{{below}}}");
    match beside {
        Some(f) => format!("{fraction} {}", write(f, Level::Big)),
        None => fraction,
    }
}

fn call(name: &str, args: &[Formula]) -> String {
    let joined = list(args);
    let tall = args.iter().any(is_tall);
    let wrap = |open: &str, close: &str| match tall {
        true => format!("\\left{open}{joined}\\right{close}"),
        false => format!("{open}{joined}{close}"),
    };
    match name {
        "sqrt" => format!("\\sqrt{{{joined}}}"),
        "cbrt" => format!("\\sqrt[3]{{{joined}}}"),
        "abs" => wrap("|", "|"),
        "floor" => wrap("\\lfloor ", " \\rfloor"),
        "ceil" => wrap("\\lceil ", " \\rceil"),
        "exp" if has_big(&args[0]) => format!("\\exp\\left({joined}\\right)"),
        "exp" => format!("e^{{{joined}}}"),
        "expm1" => format!("e^{{{joined}}} - 1"),
        "log1p" => {
            let inner = Formula::sum([Formula::integer(1), args[0].clone()]);
            format!("\\log{}", parentheses_always(&inner))
        }
        "lgamma" => format!("\\log \\Gamma{}", wrap("(", ")")),
        "sin" | "cos" | "tan" | "sinh" | "cosh" | "tanh" | "log" | "min" | "max" | "det" => {
            format!("\\{name}{}", wrap("(", ")"))
        }
        "asin" | "acos" | "atan" => format!("\\arc{}{}", &name[1..], wrap("(", ")")),
        "inv" => format!("{}^{{-1}}", write(&args[0], Level::Atom)),
        "solve" => format!("{}^{{-1}} {}", write(&args[0], Level::Atom), write(&args[1], Level::Product)),
        _ => format!("\\operatorname{{{}}}{}", name.replace('_', "\\_"), wrap("(", ")")),
    }
}

fn parentheses_always(f: &Formula) -> String {
    parentheses(f, &formula(f))
}

pub(super) fn has_big(f: &Formula) -> bool {
    match f {
        Formula::Big { .. } | Formula::Cases { .. } => true,
        Formula::Negative(inner) => has_big(inner),
        Formula::Sum(terms) => terms.iter().any(|t| has_big(&t.body)),
        Formula::Product { over, under } => over.iter().chain(under).any(has_big),
        _ => false,
    }
}

fn big(red: Red, over: &[Range], given: Option<&Formula>, body: &Formula) -> String {
    let operator = match red {
        Red::Sum => "\\sum",
        Red::Prod => "\\prod",
        Red::Max => "\\max",
        Red::Min => "\\min",
        Red::Any => "\\bigvee",
        Red::All => "\\bigwedge",
        Red::Argmax => "\\operatorname*{arg\\,max}",
        Red::Argmin => "\\operatorname*{arg\\,min}",
        Red::LogSumExp => "\\operatorname*{logsumexp}",
    };
    let head = match (given, red) {
        (None, Red::Sum | Red::Prod) => {
            let one = |r: &Range| format!("{operator}_{{{}=0}}^{{{}}}", symbol(&r.name), r.extent.saturating_sub(1));
            over.iter().map(one).collect::<Vec<_>>().join(" ")
        }
        (None, _) => format!("{operator}_{{{}}}", ranges(over)),
        (Some(condition), _) => format!("{operator}_{{{}, \\; {}}}", ranges(over), formula(condition)),
    };
    match red {
        Red::Sum | Red::Prod => format!("{head} {}", write(body, Level::Along)),
        _ => format!("{head} {}", parentheses_always(body)),
    }
}

/// Vectors as columns, matrices as such, higher arrays as columns of arrays; long ones show their ends.
fn array(shape: &[usize], elements: &[Formula]) -> String {
    let rows = shape.first().copied().unwrap_or(1);
    let size = elements.len() / rows.max(1);
    let row = |k: usize| -> String {
        let part = &elements[k * size..(k + 1) * size];
        match shape.len() {
            0 | 1 => list(part),
            2 if size > 8 => {
                format!("{} & {} & \\cdots & {}", formula(&part[0]), formula(&part[1]), formula(&part[size - 1]))
            }
            2 => part.iter().map(formula).collect::<Vec<_>>().join(" & "),
            _ => array(&shape[1..], part),
        }
    };
    let lines: Vec<String> = match rows {
        0..=8 => (0..rows).map(row).collect(),
        _ => vec![row(0), row(1), "\\vdots".to_string(), row(rows - 1)],
    };
    format!("\\begin{{pmatrix}} {} \\end{{pmatrix}}", lines.join(" \\\\ "))
}

fn sign(relation: Relation) -> &'static str {
    match relation {
        Relation::Less => "<",
        Relation::LessOrEqual => "\\le",
        Relation::Greater => ">",
        Relation::GreaterOrEqual => "\\ge",
        Relation::Equal => "=",
        Relation::NotEqual => "\\ne",
        Relation::And => "\\land",
        Relation::Or => "\\lor",
    }
}

fn derivative(of: &Formula, by: &[(Formula, u32)]) -> String {
    let order: u32 = by.iter().map(|(_, n)| n).sum();
    let power = |n: u32| if n == 1 { String::new() } else { format!("^{{{n}}}") };
    let below: Vec<String> =
        by.iter().map(|(variable, n)| format!("\\partial {}{}", write(variable, Level::Atom), power(*n))).collect();
    let below = below.join(" \\, ");
    match of {
        Formula::Name(_) | Formula::Call(..) => {
            format!("\\frac{{\\partial{} {}}}{{{below}}}", power(order), formula(of))
        }
        _ => format!("\\frac{{\\partial{}}}{{{below}}} {}", power(order), brackets(of, &formula(of))),
    }
}

/// A name as a symbol: Greek letters by their commands, what follows an underscore and trailing digits as subscripts,
/// words upright.
pub fn symbol(name: &str) -> String {
    with_subscript(name, "", "")
}

fn with_subscript(name: &str, prefix: &str, more: &str) -> String {
    let Named { base, below, primes } = named(name);
    let mut below: Vec<String> = below.into_iter().map(letter).collect();
    if !more.is_empty() {
        below.push(more.to_string());
    }
    let base = if base.is_empty() { "\\_".to_string() } else { letter(base) };
    let gap = if prefix.is_empty() || !base.starts_with('\\') || base.starts_with("\\mathrm") { "" } else { " " };
    let primes = "'".repeat(primes);
    let below = if below.is_empty() { String::new() } else { format!("_{{{}}}", below.join(",")) };
    format!("{prefix}{gap}{base}{primes}{below}")
}

/// A name taken apart: what follows an underscore, and trailing digits, are subscripts.
pub(super) struct Named<'n> {
    pub base: &'n str,
    pub below: Vec<&'n str>,
    pub primes: usize,
}

pub(super) fn named(name: &str) -> Named<'_> {
    let primes = name.chars().rev().take_while(|c| *c == '\'').count();
    let mut parts = name[..name.len() - primes].split('_').filter(|p| !p.is_empty());
    let head = parts.next().unwrap_or_default();
    let letters = head.trim_end_matches(|c: char| c.is_ascii_digit());
    let (base, digits) = if letters.is_empty() { (head, "") } else { head.split_at(letters.len()) };
    let below = (!digits.is_empty()).then_some(digits).into_iter().chain(parts).collect();
    Named { base, below, primes }
}

fn letter(word: &str) -> String {
    if let Some((command, _)) = greek(word) {
        return format!("\\{command}");
    }
    match word.chars().count() {
        1 => word.to_string(),
        _ if word.chars().all(|c| c.is_ascii_digit()) => word.to_string(),
        _ => format!("\\mathrm{{{word}}}"),
    }
}

/// The command and the sign of a Greek letter, given by its name or as itself.
pub(super) fn greek(word: &str) -> Option<(&'static str, &'static str)> {
    const LETTERS: [(&str, &str); 35] = [
        ("alpha", "α"),
        ("beta", "β"),
        ("gamma", "γ"),
        ("delta", "δ"),
        ("epsilon", "ϵ"),
        ("varepsilon", "ε"),
        ("zeta", "ζ"),
        ("eta", "η"),
        ("theta", "θ"),
        ("iota", "ι"),
        ("kappa", "κ"),
        ("lambda", "λ"),
        ("mu", "μ"),
        ("nu", "ν"),
        ("xi", "ξ"),
        ("pi", "π"),
        ("rho", "ρ"),
        ("sigma", "σ"),
        ("tau", "τ"),
        ("upsilon", "υ"),
        ("phi", "ϕ"),
        ("varphi", "φ"),
        ("chi", "χ"),
        ("psi", "ψ"),
        ("omega", "ω"),
        ("Gamma", "Γ"),
        ("Delta", "Δ"),
        ("Theta", "Θ"),
        ("Lambda", "Λ"),
        ("Xi", "Ξ"),
        ("Pi", "Π"),
        ("Sigma", "Σ"),
        ("Phi", "Φ"),
        ("Psi", "Ψ"),
        ("Omega", "Ω"),
    ];
    LETTERS.iter().find(|(name, sign)| *name == word || *sign == word).copied()
}
