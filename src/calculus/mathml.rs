//! Formulas as MathML, for pages that a browser shows.

use crate::math::Red;

use super::explanation::html_text;
use super::formula::{Equation, Formula, Range, Relation, Term};
use super::latex::{Level, Named, greek, has_big, is_tall, level, named};
use super::numerals::{Numeral, decimal};

/// A formula as a `math` element.
pub fn formula(f: &Formula) -> String {
    format!("<math>{}</math>", open(f))
}

/// An equation as a `math` element, with the index space it holds on.
pub fn equation(e: &Equation) -> String {
    let line = format!("{}{}{}", open(&e.left), sign("="), open(&e.right));
    let over = if e.over.is_empty() { String::new() } else { format!("{}{}", space(2.0), ranges(&e.over)) };
    format!("<math display=\"block\">{line}{over}</math>")
}

fn open(f: &Formula) -> String {
    write(f, Level::Open)
}

fn write(f: &Formula, wanted: Level) -> String {
    let plain = bare(f);
    if level(f) < wanted { fenced("(", &plain, ")") } else { plain }
}

fn row(inside: &str) -> String {
    format!("<mrow>{inside}</mrow>")
}

fn sign(text: &str) -> String {
    format!("<mo>{}</mo>", html_text(text))
}

fn word(text: &str) -> String {
    format!("<mi>{}</mi>", html_text(text))
}

fn digits(text: &str) -> String {
    format!("<mn>{}</mn>", html_text(text))
}

fn space(ems: f64) -> String {
    format!("<mspace width=\"{ems}em\"/>")
}

fn fenced(left: &str, inside: &str, right: &str) -> String {
    row(&format!("<mo fence=\"true\">{left}</mo>{inside}<mo fence=\"true\">{right}</mo>"))
}

fn fraction(above: &str, below: &str) -> String {
    format!("<mfrac>{}{}</mfrac>", row(above), row(below))
}

fn raised(base: &str, exponent: &str) -> String {
    format!("<msup>{}{}</msup>", row(base), row(exponent))
}

fn bare(f: &Formula) -> String {
    match f {
        Formula::Number(n) => number(*n),
        Formula::Name(name) => symbol(name, "", ""),
        Formula::Differential(name) => symbol(name, "d", ""),
        Formula::Element(array, at) => element(array, at),
        Formula::Negative(inner) => format!("{}{}", sign("−"), write(inner, Level::Along)),
        Formula::Sum(terms) => sum(terms),
        Formula::Product { over, under } => product(over, under),
        Formula::Power(base, exponent) => raised(&write(base, Level::Atom), &open(exponent)),
        Formula::Call(name, args) => call(name, args),
        Formula::Modulo(value, divisor) => {
            format!("{}{}{}", write(value, Level::Power), sign("mod"), write(divisor, Level::Power))
        }
        Formula::Big { red, over, given, body } => big(*red, over, given.as_deref(), body),
        Formula::Family { over, body } => {
            format!("<msub>{}{}</msub>", fenced("[", &open(body), "]"), row(&ranges(over)))
        }
        Formula::Array(shape, elements) => array(shape, elements),
        Formula::Cases { cases, otherwise } => cases_of(cases, otherwise),
        Formula::Relation(relation, left, right) => {
            let own = level(f);
            let side = |s: &Formula| if own == Level::Compare { write(s, Level::Sum) } else { write(s, own) };
            format!("{}{}{}", side(left), sign(relation_sign(*relation)), side(right))
        }
        Formula::Not(condition) => format!("{}{}", sign("¬"), write(condition, Level::Atom)),
        Formula::Indicator(condition) => {
            format!("<msub><mn mathvariant=\"bold\">1</mn>{}</msub>", row(&open(condition)))
        }
        Formula::Along { coefficient, differential, circle } => {
            let between = if *circle { sign("∘") } else { space(0.17) };
            format!("{}{between}{}", write(coefficient, Level::Big), open(differential))
        }
        Formula::Derivative { of, by } => derivative(of, by),
    }
}

fn list(parts: &[Formula]) -> String {
    parts.iter().map(open).collect::<Vec<_>>().join(&sign(","))
}

fn ranges(over: &[Range]) -> String {
    let range = |r: &Range| {
        format!("{}{}{}{}{}", digits("0"), sign("≤"), symbol(&r.name, "", ""), sign("<"), digits(&r.extent.to_string()))
    };
    over.iter().map(range).collect::<Vec<_>>().join(&format!("{}{}", sign(","), space(0.3)))
}

fn element(array: &Formula, at: &[Formula]) -> String {
    match array {
        Formula::Name(name) => symbol(name, "", &list(at)),
        Formula::Differential(name) => symbol(name, "d", &list(at)),
        _ => format!("<msub>{}{}</msub>", row(&write(array, Level::Atom)), row(&list(at))),
    }
}

fn number(n: Numeral) -> String {
    match n {
        Numeral::Decimal(value) => match decimal(value).split_once('e') {
            Some((front, exponent)) => {
                let power = raised(&digits("10"), &digits(&exponent.replace('-', "−")));
                if front == "1" { power } else { format!("{}{}{power}", digits(front), sign("·")) }
            }
            None => digits(&decimal(value)),
        },
        Numeral::Fraction(p, q) => fraction(&digits(&p.to_string()), &digits(&q.to_string())),
        Numeral::Pi(p, q) => {
            let above = if p == 1 { word("π") } else { format!("{}{}", digits(&p.to_string()), word("π")) };
            if q == 1 { above } else { fraction(&above, &digits(&q.to_string())) }
        }
        Numeral::Root(n) => format!("<msqrt>{}</msqrt>", digits(&n.to_string())),
        Numeral::Infinite => word("∞"),
        Numeral::NotANumber => word("NaN"),
    }
}

fn sum(terms: &[Term]) -> String {
    let mut line = String::new();
    for (k, term) in terms.iter().enumerate() {
        line += &match (k, term.minus) {
            (0, false) => String::new(),
            (_, true) => sign("−"),
            (_, false) => sign("+"),
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
            let number = matches!(part, Formula::Number(_)) || written.starts_with("<mn>");
            line += &if number { sign("·") } else { space(0.12) };
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
        [] => digits("1"),
        [one] => open(one),
        _ => factors(inside),
    };
    let below = if let [one] = under { open(one) } else { factors(under) };
    let beside = beside.map_or(String::new(), |f| format!("{}{}", space(0.12), write(f, Level::Big)));
    fraction(&above, &below) + &beside
}

fn call(name: &str, args: &[Formula]) -> String {
    let joined = list(args);
    let applied = |name: &str| format!("{}{}", word(name), fenced("(", &joined, ")"));
    match name {
        "sqrt" => format!("<msqrt>{joined}</msqrt>"),
        "cbrt" => format!("<mroot>{}{}</mroot>", row(&joined), digits("3")),
        "abs" => fenced("|", &joined, "|"),
        "floor" => fenced("⌊", &joined, "⌋"),
        "ceil" => fenced("⌈", &joined, "⌉"),
        "exp" if has_big(&args[0]) || is_tall(&args[0]) => applied("exp"),
        "exp" => raised(&word("e"), &joined),
        "expm1" => format!("{}{}{}", raised(&word("e"), &joined), sign("−"), digits("1")),
        "log1p" => {
            let inner = Formula::sum([Formula::integer(1), args[0].clone()]);
            format!("{}{}", word("log"), fenced("(", &open(&inner), ")"))
        }
        "lgamma" => format!("{}{}", word("log"), applied("Γ")),
        "asin" | "acos" | "atan" => applied(&format!("arc{}", &name[1..])),
        "inv" => raised(&write(&args[0], Level::Atom), &format!("{}{}", sign("−"), digits("1"))),
        "solve" => {
            let inverse = raised(&write(&args[0], Level::Atom), &format!("{}{}", sign("−"), digits("1")));
            format!("{inverse}{}{}", space(0.12), write(&args[1], Level::Product))
        }
        _ => applied(name),
    }
}

fn big(red: Red, over: &[Range], given: Option<&Formula>, body: &Formula) -> String {
    let operator = match red {
        Red::Sum => sign("∑"),
        Red::Prod => sign("∏"),
        Red::Any => sign("⋁"),
        Red::All => sign("⋀"),
        Red::Max => sign("max"),
        Red::Min => sign("min"),
        Red::Argmax => sign("arg max"),
        Red::Argmin => sign("arg min"),
        Red::LogSumExp => sign("logsumexp"),
    };
    let plain = matches!(red, Red::Sum | Red::Prod);
    let head = match given {
        None if plain => {
            let one = |r: &Range| {
                let below = format!("{}{}{}", symbol(&r.name, "", ""), sign("="), digits("0"));
                let above = digits(&r.extent.saturating_sub(1).to_string());
                format!("<munderover>{operator}{}{}</munderover>", row(&below), row(&above))
            };
            over.iter().map(one).collect()
        }
        None => format!("<munder>{operator}{}</munder>", row(&ranges(over))),
        Some(condition) => {
            let below = format!("{}{}{}", ranges(over), sign(","), open(condition));
            format!("<munder>{operator}{}</munder>", row(&below))
        }
    };
    let body = if plain { write(body, Level::Along) } else { fenced("(", &open(body), ")") };
    row(&format!("{head}{body}"))
}

fn table(rows: &[Vec<String>], style: &str) -> String {
    let cell = |c: &String| format!("<mtd>{c}</mtd>");
    let line = |r: &Vec<String>| format!("<mtr>{}</mtr>", r.iter().map(cell).collect::<String>());
    format!("<mtable{style}>{}</mtable>", rows.iter().map(line).collect::<String>())
}

fn cases_of(cases: &[(Formula, Formula)], otherwise: &Formula) -> String {
    let text = |t: &str| format!("<mtext>{t}</mtext>");
    let mut rows: Vec<Vec<String>> =
        cases.iter().map(|(c, value)| vec![open(value), text("if\u{a0}") + &open(c)]).collect();
    rows.push(vec![open(otherwise), text("otherwise")]);
    row(&format!("<mo fence=\"true\">{{</mo>{}", table(&rows, " class=\"cases\"")))
}

/// Vectors as columns, matrices as such, higher arrays as columns of arrays; long ones show their ends.
fn array(shape: &[usize], elements: &[Formula]) -> String {
    let rows = shape.first().copied().unwrap_or(1);
    let size = elements.len() / rows.max(1);
    let line = |k: usize| -> Vec<String> {
        let part = &elements[k * size..(k + 1) * size];
        match shape.len() {
            0 | 1 => vec![list(part)],
            2 if size > 8 => vec![open(&part[0]), open(&part[1]), sign("⋯"), open(&part[size - 1])],
            2 => part.iter().map(open).collect(),
            _ => vec![array(&shape[1..], part)],
        }
    };
    let lines: Vec<Vec<String>> = match rows {
        0..=8 => (0..rows).map(line).collect(),
        _ => vec![line(0), line(1), vec![sign("⋮")], line(rows - 1)],
    };
    fenced("(", &table(&lines, ""), ")")
}

fn relation_sign(relation: Relation) -> &'static str {
    match relation {
        Relation::Less => "<",
        Relation::LessOrEqual => "≤",
        Relation::Greater => ">",
        Relation::GreaterOrEqual => "≥",
        Relation::Equal => "=",
        Relation::NotEqual => "≠",
        Relation::And => "∧",
        Relation::Or => "∨",
    }
}

fn derivative(of: &Formula, by: &[(Formula, u32)]) -> String {
    let order: u32 = by.iter().map(|(_, n)| n).sum();
    let partial = word("∂");
    let power = |base: &str, n: u32| if n == 1 { base.to_string() } else { raised(base, &digits(&n.to_string())) };
    let below: String =
        by.iter().map(|(variable, n)| format!("{partial}{}", power(&write(variable, Level::Atom), *n))).collect();
    let above = power(&partial, order);
    match of {
        Formula::Name(_) | Formula::Call(..) => fraction(&format!("{above}{}", open(of)), &below),
        _ => format!("{}{}", fraction(&above, &below), fenced("[", &open(of), "]")),
    }
}

/// A name with its subscripts; `more` joins them.
fn symbol(name: &str, prefix: &str, more: &str) -> String {
    let Named { base, below, primes } = named(name);
    let letter = |w: &str| match greek(w) {
        Some((_, sign)) => word(sign),
        None if w.chars().all(|c| c.is_ascii_digit()) => digits(w),
        None => word(w),
    };
    let mut below: Vec<String> = below.into_iter().map(letter).collect();
    if !more.is_empty() {
        below.push(more.to_string());
    }
    let front = if prefix.is_empty() { String::new() } else { word(prefix) };
    let base = letter(if base.is_empty() { "_" } else { base });
    let primed = sign(&"′".repeat(primes));
    let below = row(&below.join(&sign(",")));
    let own = match (below == row(""), primes) {
        (true, 0) => base,
        (true, _) => format!("<msup>{base}{primed}</msup>"),
        (false, 0) => format!("<msub>{base}{below}</msub>"),
        (false, _) => format!("<msubsup>{base}{below}{primed}</msubsup>"),
    };
    row(&format!("{front}{own}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_their_letters_and_subscripts() {
        assert_eq!(symbol("sigma", "", ""), "<mrow><mi>σ</mi></mrow>");
        assert_eq!(symbol("x0", "", ""), "<mrow><msub><mi>x</mi><mrow><mn>0</mn></mrow></msub></mrow>");
        assert_eq!(symbol("W", "d", ""), "<mrow><mi>d</mi><mi>W</mi></mrow>");
        assert_eq!(symbol("x'", "", ""), "<mrow><msup><mi>x</mi><mo>′</mo></msup></mrow>");
    }

    #[test]
    fn sums_in_products_stand_in_parentheses() {
        let sum = Formula::sum([Formula::name("a"), Formula::name("b")]);
        let f = Formula::product([sum, Formula::name("c")]);
        let text = formula(&f);
        assert!(text.contains("<mo fence=\"true\">(</mo>"), "{text}");
        assert!(text.starts_with("<math>") && text.ends_with("</math>"));
    }

    #[test]
    fn signs_of_html_are_literal() {
        let f = Formula::Relation(Relation::Less, Formula::name("a").into(), Formula::name("b").into());
        assert!(formula(&f).contains("<mo>&lt;</mo>"));
    }
}
