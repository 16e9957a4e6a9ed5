//! Names as they are shown: declarations by their heads, and what the tables of the language say of theirs.

use crate::model::{distributions, functions, operators, results, statistics};
use crate::syntax::ast::{Fn, Item, ItemKind, TargetBody};
use crate::syntax::print_expr::{expr, header, type_};

/// What is said of a name of the language.
pub struct About {
    /// `exp(x: real[..]) -> real[..]`
    pub signature: String,
    /// Markdown
    pub doc: String,
}

/// A function, law, operator or statistic by its name.
pub fn builtin(name: &str) -> Option<About> {
    if let Some(f) = functions::lookup(name) {
        let doc = format!("{}\n\nFor example `{}`.", f.doc, f.example);
        return Some(About { signature: f.signature.to_string(), doc });
    }
    if let Some(law) = distributions::lookup(name) {
        let doc = format!("{}\n\nSupport: {}.", law.doc, law.support);
        return Some(About { signature: law_signature(law), doc });
    }
    if let Some(o) = operators::lookup(name) {
        return Some(About { signature: o.signature.to_string(), doc: o.doc.to_string() });
    }
    if let Some(row) = statistics::find(name) {
        return Some(About { signature: statistic_signature(row), doc: row.doc.to_string() });
    }
    results::statistic(name)?;
    Some(About { signature: format!("{name}(...)"), doc: "A statistic of a run.".to_string() })
}

pub fn law_signature(law: &distributions::Distribution) -> String {
    let one = |p: &distributions::DistParam| p.default.map_or(p.name.to_string(), |v| format!("{} = {v}", p.name));
    let params: Vec<String> = law.params.iter().map(one).collect();
    format!("{}({})", law.name, params.join(", "))
}

pub fn statistic_signature(row: &statistics::Row) -> String {
    let args = match row.arity {
        statistics::Arity::None => String::new(),
        statistics::Arity::One => "x".into(),
        statistics::Arity::Condition => "condition".into(),
        statistics::Arity::OneAnd(more) => format!("x, {more}"),
        statistics::Arity::Two => "x, y".into(),
    };
    format!("{}({args})", row.name)
}

/// The head of a declaration, as it could begin: `model gbm(mu = 0.05)`.
pub fn head(item: &Item) -> String {
    match &item.kind {
        ItemKind::Use(path, _) => format!("use \"{path}\""),
        ItemKind::Const(c) => format!("const {} = {}", c.name.name, expr(&c.value)),
        ItemKind::Data(d) => format!("data {}: {}", d.name.name, type_(&d.ty)),
        ItemKind::Fn(f) => function_head(f),
        ItemKind::Target(t) => {
            let on = match &t.body {
                TargetBody::Density { variable, ty, .. } => format!(" on {}: {}", variable.name, type_(ty)),
                TargetBody::Alias(_) => String::new(),
            };
            format!("target {}{}{on}", t.name.name, header(&t.header))
        }
        ItemKind::Model(m) => format!("model {}{}", m.name.name, header(&m.header)),
        ItemKind::Solver(s) => format!("solver {}{}", s.name.name, header(&s.header)),
        ItemKind::Run(r) => format!("run {}", r.name.name),
    }
}

pub fn function_head(f: &Fn) -> String {
    let body = if f.block { String::new() } else { format!(" = {}", expr(&f.value)) };
    format!("fn {}{}{body}", f.name.name, header(&f.header))
}

/// The arguments in the brackets of a signature, as ranges of it.
pub fn parameters(signature: &str) -> Vec<(usize, usize)> {
    let Some(open) = signature.find('(') else { return Vec::new() };
    let (mut depth, mut start, mut found) = (0, open + 1, Vec::new());
    for (i, c) in signature.char_indices().skip_while(|(i, _)| *i < open) {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 || depth == 1 && c == ',' {
            let piece = &signature[start..i];
            let skipped = piece.len() - piece.trim_start().len();
            if !piece.trim().is_empty() {
                found.push((start + skipped, i));
            }
            start = i + 1;
        }
        if depth == 0 {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_signatures() {
        let texts = |s: &'static str| parameters(s).into_iter().map(|(a, b)| &s[a..b]).collect::<Vec<_>>();
        assert_eq!(texts("f(x: real[n, m], y = (1, 2)) -> real"), ["x: real[n, m]", "y = (1, 2)"]);
        assert_eq!(texts("zeros()"), Vec::<&str>::new());
        assert_eq!(texts("pi"), Vec::<&str>::new());
    }

    #[test]
    fn the_tables_are_told() {
        for name in ["exp", "normal", "mixture", "quantile", "se"] {
            assert!(builtin(name).is_some_and(|a| a.signature.starts_with(name) && !a.doc.is_empty()), "{name}");
        }
        assert!(builtin("banana").is_none());
    }
}
