//! Declarations as they are shown: by their heads, and the parameters in these.

use crate::syntax::ast::{Fn, Item, ItemKind, TargetBody};
use crate::syntax::print_expr::{expr, header, type_};

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

/// `normal(mean = 0, sd = 1)`
pub use crate::session::help::signature_of_law as law_signature;

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
}
