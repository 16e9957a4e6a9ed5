//! Expressions and types as text. Brackets are added only where a tree that was not parsed needs them.

use super::ast::*;

/// How tightly an expression binds; the ladder of the grammar from the outside in.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Expr,
    Range,
    Or,
    And,
    Not,
    Comparison,
    Sum,
    Term,
    Product,
    Unary,
    Power,
    Postfix,
    /// Binds tighter than anything: always in brackets.
    Atom,
}

/// One expression as Fokker text; parses back to the same tree.
pub fn expr(e: &Expr) -> String {
    let mut out = String::new();
    write(&mut out, e, Rank::Expr);
    out
}

/// Like [`expr`], with spaces around the `..` of a range that is not inside anything (`0 .. 1 step 1e-3`).
pub fn spaced(e: &Expr) -> String {
    match &e.kind {
        ExprKind::Range(a, b) => {
            let mut out = String::new();
            range(&mut out, a, b.as_deref(), true);
            out
        }
        _ => expr(e),
    }
}

fn write(out: &mut String, e: &Expr, least: Rank) {
    if rank(e) < least {
        out.push('(');
        bare(out, e);
        out.push(')');
    } else {
        bare(out, e);
    }
}

fn rank(e: &Expr) -> Rank {
    match &e.kind {
        ExprKind::Lambda(..) | ExprKind::If(..) => Rank::Expr,
        ExprKind::Range(..) => Rank::Range,
        ExprKind::Unary(UnaryOp::Not, _) => Rank::Not,
        ExprKind::Unary(..) => Rank::Unary,
        ExprKind::Juxtapose { .. } => Rank::Term,
        ExprKind::Binary(op, ..) => binary_rank(*op),
        _ => Rank::Postfix,
    }
}

fn binary_rank(op: BinaryOp) -> Rank {
    match op {
        BinaryOp::Or => Rank::Or,
        BinaryOp::And => Rank::And,
        BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge | BinaryOp::Eq | BinaryOp::Ne => Rank::Comparison,
        BinaryOp::Add | BinaryOp::Sub => Rank::Sum,
        BinaryOp::Mul | BinaryOp::Div | BinaryOp::MatMul => Rank::Product,
        BinaryOp::Pow => Rank::Power,
    }
}

fn bare(out: &mut String, e: &Expr) {
    match &e.kind {
        ExprKind::Number { text, .. } => out.push_str(text),
        ExprKind::Text(text) => quoted(out, text),
        ExprKind::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        ExprKind::Name(name) => out.push_str(name),
        ExprKind::Paren(inner) => {
            out.push('(');
            bare(out, inner);
            out.push(')');
        }
        ExprKind::List(items) => {
            out.push('[');
            separated(out, items, |out, e| write(out, e, Rank::Expr));
            out.push(']');
        }
        ExprKind::Comprehension(body, c) => {
            out.push('[');
            write(out, body, Rank::Expr);
            comp(out, c);
            out.push(']');
        }
        ExprKind::Range(a, b) => {
            let simple = is_simple(a) && b.as_deref().is_none_or(is_simple);
            range(out, a, b.as_deref(), !simple);
        }
        ExprKind::Lambda(names, body) => lambda(out, names, body),
        ExprKind::If(condition, then, otherwise) => {
            out.push_str("if ");
            write(out, condition, Rank::Expr);
            out.push_str(" then ");
            write(out, then, Rank::Expr);
            out.push_str(" else ");
            write(out, otherwise, Rank::Expr);
        }
        ExprKind::Unary(op, operand) => unary(out, *op, operand),
        ExprKind::Binary(op, left, right) => binary(out, *op, left, right),
        ExprKind::Call(function, args) => {
            write(out, function, Rank::Postfix);
            out.push('(');
            separated(out, args, arg);
            out.push(')');
        }
        ExprKind::Index(base, indices) => {
            write(out, base, Rank::Postfix);
            subs(out, indices);
        }
        ExprKind::Prime(base) => {
            write(out, base, Rank::Postfix);
            out.push('\'');
        }
        ExprKind::Field(base, name) => {
            // `1.x` would read as a number.
            let number = matches!(base.kind, ExprKind::Number { .. });
            write(out, base, if number { Rank::Atom } else { Rank::Postfix });
            out.push('.');
            out.push_str(&name.name);
        }
        ExprKind::Juxtapose { coefficient, stratonovich, differential, subs: indices } => {
            write(out, coefficient, Rank::Product);
            out.push_str(if *stratonovich { " ∘ " } else { " " });
            out.push_str(&differential.name);
            subs(out, indices);
        }
    }
}

fn range(out: &mut String, from: &Expr, to: Option<&Expr>, spaces: bool) {
    write(out, from, Rank::Or);
    out.push_str(if spaces { " .." } else { ".." });
    if let Some(to) = to {
        out.push_str(if spaces { " " } else { "" });
        write(out, to, Rank::Or);
    }
}

fn is_simple(e: &Expr) -> bool {
    matches!(&e.kind, ExprKind::Name(_) | ExprKind::Number { integer: true, .. })
}

fn lambda(out: &mut String, names: &[Ident], body: &Expr) {
    match names {
        [one] => out.push_str(&one.name),
        _ => {
            out.push('(');
            separated(out, names, |out, n| out.push_str(&n.name));
            out.push(')');
        }
    }
    out.push_str(" -> ");
    write(out, body, Rank::Expr);
}

fn unary(out: &mut String, op: UnaryOp, operand: &Expr) {
    let (sign, least) = match op {
        UnaryOp::Neg => ("-", Rank::Unary),
        UnaryOp::Plus => ("+", Rank::Unary),
        UnaryOp::Not => ("not ", Rank::Not),
    };
    out.push_str(sign);
    // `--x` and `++x` would read as slips at the end of a line.
    if matches!(&operand.kind, ExprKind::Unary(UnaryOp::Neg | UnaryOp::Plus, _)) {
        out.push(' ');
    }
    write(out, operand, least);
}

fn binary(out: &mut String, op: BinaryOp, left: &Expr, right: &Expr) {
    let (left_least, right_least) = match op {
        BinaryOp::Or => (Rank::Or, Rank::And),
        BinaryOp::And => (Rank::And, Rank::Not),
        BinaryOp::Add | BinaryOp::Sub => (Rank::Sum, Rank::Term),
        BinaryOp::Mul | BinaryOp::Div | BinaryOp::MatMul => (Rank::Product, Rank::Unary),
        BinaryOp::Pow => (Rank::Postfix, Rank::Unary),
        _ => (Rank::Comparison, Rank::Sum),
    };
    write(out, left, left_least);
    out.push_str(operator(op));
    write(out, right, right_least);
}

fn operator(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => " + ",
        BinaryOp::Sub => " - ",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::MatMul => " @ ",
        BinaryOp::Pow => "^",
        BinaryOp::And => " and ",
        BinaryOp::Or => " or ",
        BinaryOp::Lt => " < ",
        BinaryOp::Le => " <= ",
        BinaryOp::Gt => " > ",
        BinaryOp::Ge => " >= ",
        BinaryOp::Eq => " == ",
        BinaryOp::Ne => " != ",
    }
}

fn arg(out: &mut String, a: &Arg) {
    if let Some(name) = &a.name {
        out.push_str(&name.name);
        out.push_str(" = ");
    }
    write(out, &a.value, Rank::Expr);
    if let Some(c) = &a.comp {
        comp(out, c);
    }
}

/// ` for i in r, j in s if c`, with the space before it.
pub fn comp(out: &mut String, c: &Comp) {
    out.push_str(" for ");
    separated(out, &c.clauses, |out, (name, over)| {
        out.push_str(&name.name);
        out.push_str(" in ");
        write(out, over, Rank::Expr);
    });
    if let Some(condition) = &c.condition {
        out.push_str(" if ");
        write(out, condition, Rank::Expr);
    }
}

/// `[i, :]`, or nothing when there are none.
pub fn subs(out: &mut String, indices: &[Sub]) {
    if indices.is_empty() {
        return;
    }
    out.push('[');
    separated(out, indices, |out, sub| match sub {
        Sub::All(_) => out.push(':'),
        Sub::At(e) => write(out, e, Rank::Expr),
    });
    out.push(']');
}

/// A string in quotes. The language has no escapes, so a text with a quote or a newline in it cannot be written.
pub fn quoted(out: &mut String, text: &str) {
    out.push('"');
    out.push_str(text);
    out.push('"');
}

fn separated<T>(out: &mut String, items: &[T], mut one: impl FnMut(&mut String, &T)) {
    for (i, item) in items.iter().enumerate() {
        out.push_str(if i > 0 { ", " } else { "" });
        one(out, item);
    }
}

/// `real[n, m]`, `(real) -> real`
pub fn type_(ty: &Type) -> String {
    let mut out = String::new();
    match &ty.kind {
        TypeKind::Named(name, sizes) => {
            out.push_str(&name.name);
            if !sizes.is_empty() {
                out.push('[');
                separated(&mut out, sizes, |out, e| write(out, e, Rank::Expr));
                out.push(']');
            }
        }
        TypeKind::Function(args, result) => {
            out.push('(');
            separated(&mut out, args, |out, t| out.push_str(&type_(t)));
            out.push_str(") -> ");
            out.push_str(&type_(result));
        }
    }
    out
}

/// `(a = 1, b: int = 2 in [0, 10))`
pub fn header(params: &[Param]) -> String {
    let mut out = String::from("(");
    separated(&mut out, params, |out, p| {
        out.push_str(&p.name.name);
        if let Some(ty) = &p.ty {
            out.push_str(": ");
            out.push_str(&type_(ty));
        }
        if let Some(default) = &p.default {
            out.push_str(" = ");
            write(out, default, Rank::Expr);
        }
        if let Some(r) = &p.range {
            out.push_str(if r.lo_closed { " in [" } else { " in (" });
            write(out, &r.lo, Rank::Expr);
            out.push_str(", ");
            write(out, &r.hi, Rank::Expr);
            out.push(if r.hi_closed { ']' } else { ')' });
        }
    });
    out.push(')');
    out
}
