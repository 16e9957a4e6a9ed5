//! Expressions, types and headers, from pest's tree to ours.

use super::ast::*;
use super::build::Builder;
use super::grammar::{Node, Rule};
use super::lex::number_value;
use crate::diagnostics::{Diagnostic, codes};

impl<'t> Builder<'t> {
    pub fn ident(&self, node: &Node) -> Ident {
        Ident { name: node.text().to_string(), span: node.span(self.file) }
    }

    pub fn idents(&self, node: Node) -> Vec<Ident> {
        node.kids().map(|n| self.ident(&n)).collect()
    }

    /// Any of the rules from `expr` down to `atom`.
    pub fn expr(&mut self, node: Node<'_, 't>) -> Expr {
        let node = descend(node);
        let span = node.span(self.file);
        let kind = match node.rule() {
            Rule::number => number(node.text()),
            Rule::string => ExprKind::Text(unquote(node.text()).to_string()),
            Rule::kw_true => ExprKind::Bool(true),
            Rule::kw_false => ExprKind::Bool(false),
            Rule::variable => return self.variable(node),
            Rule::paren => ExprKind::Paren(Box::new(self.expr(node.only()))),
            Rule::list => self.list(node),
            Rule::lambda => self.lambda(node),
            Rule::if_expr => self.if_expr(node),
            Rule::range => self.range(node),
            Rule::not_expr | Rule::unary => self.prefix(node),
            Rule::term => return self.term(node),
            Rule::postfix => return self.postfix(node),
            Rule::power | Rule::or_expr | Rule::and_expr | Rule::comparison | Rule::sum | Rule::product => {
                return self.binary(node);
            }
            rule => unreachable!("{rule:?} is not an expression"),
        };
        Expr { kind, span }
    }

    fn variable(&self, node: Node) -> Expr {
        let span = node.span(self.file);
        let mut kids = node.kids();
        let name = self.ident(&kids.need(Rule::name));
        let plain = Expr { span: name.span, kind: ExprKind::Name(name.name) };
        if kids.word(Rule::prime) { Expr { kind: ExprKind::Prime(Box::new(plain)), span } } else { plain }
    }

    fn list(&mut self, node: Node<'_, 't>) -> ExprKind {
        let mut items = Vec::new();
        for kid in node.kids() {
            if kid.rule() == Rule::comp {
                let comp = self.comp(kid);
                let body = items.pop().expect("a comprehension has a body");
                return ExprKind::Comprehension(Box::new(body), comp);
            }
            items.push(self.expr(kid));
        }
        ExprKind::List(items)
    }

    fn lambda(&mut self, node: Node<'_, 't>) -> ExprKind {
        let mut kids = node.kids();
        let names = match kids.maybe(Rule::name) {
            Some(name) => vec![self.ident(&name)],
            None => kids.maybe(Rule::names).map(|n| self.idents(n)).unwrap_or_default(),
        };
        ExprKind::Lambda(names, Box::new(self.expr(kids.need(Rule::expr))))
    }

    fn if_expr(&mut self, node: Node<'_, 't>) -> ExprKind {
        let mut parts = node.kids().filter(|n| n.rule() == Rule::expr);
        let mut next = || Box::new(self.expr(parts.next().expect("a choice has three parts")));
        ExprKind::If(next(), next(), next())
    }

    fn range(&mut self, node: Node<'_, 't>) -> ExprKind {
        let mut kids = node.kids();
        let from = self.expr(kids.need(Rule::or_expr));
        kids.word(Rule::range_op);
        let to = kids.next().map(|n| Box::new(self.expr(n)));
        ExprKind::Range(Box::new(from), to)
    }

    fn prefix(&mut self, node: Node<'_, 't>) -> ExprKind {
        let mut kids = node.kids();
        let op = match kids.next().map_or("", |n| n.text()) {
            "-" => UnaryOp::Neg,
            "+" => UnaryOp::Plus,
            _ => UnaryOp::Not,
        };
        ExprKind::Unary(op, Box::new(self.expr(kids.next().expect("a sign has an operand"))))
    }

    /// Operators of one rank, grouped from the left (`power` has at most one).
    fn binary(&mut self, node: Node<'_, 't>) -> Expr {
        let mut kids = node.kids();
        let mut left = self.expr(kids.next().expect("an operation has a left side"));
        while let (Some(op), Some(right)) = (kids.next(), kids.next()) {
            let right = self.expr(right);
            let span = left.span.to(right.span);
            left = Expr { kind: ExprKind::Binary(binary_op(op.text()), Box::new(left), Box::new(right)), span };
        }
        left
    }

    /// A product with a differential behind it.
    fn term(&mut self, node: Node<'_, 't>) -> Expr {
        let mut kids = node.kids();
        let coefficient = self.expr(kids.need(Rule::product));
        let stratonovich = kids.word(Rule::strat_op);
        let differential = self.ident(&kids.need(Rule::diff));
        let mut span = coefficient.span.to(differential.span);
        let gap = &self.text[coefficient.span.end as usize..differential.span.start as usize];
        if gap.contains('\n') && !stratonovich {
            let message = format!("`{}` stands on another line than what it multiplies", differential.name);
            let problem = Diagnostic::error(codes::SYNTAX, message, differential.span, "begins a line");
            let problem = problem.label(coefficient.span, "the product before it");
            self.problems.push(problem.help("a comma is missing, or write both on one line"));
        }
        let subs = kids.maybe(Rule::index);
        if let Some(index) = &subs {
            span = span.to(index.span(self.file));
        }
        let subs = subs.map(|n| self.subs(n)).unwrap_or_default();
        Expr {
            kind: ExprKind::Juxtapose { coefficient: Box::new(coefficient), stratonovich, differential, subs },
            span,
        }
    }

    fn postfix(&mut self, node: Node<'_, 't>) -> Expr {
        let mut kids = node.kids();
        let mut base = self.expr(kids.need(Rule::atom));
        for kid in kids {
            let span = base.span.to(kid.span(self.file));
            base = match kid.rule() {
                Rule::index => Expr { kind: ExprKind::Index(Box::new(base), self.subs(kid)), span },
                Rule::call => {
                    let args = kid.kids().map(|n| self.arg(n)).collect();
                    Expr { kind: ExprKind::Call(Box::new(base), args), span }
                }
                _ => self.field(base, kid),
            };
        }
        base
    }

    fn field(&mut self, base: Expr, node: Node) -> Expr {
        let span = base.span.to(node.span(self.file));
        let mut kids = node.only().kids();
        let name = self.ident(&kids.need(Rule::name));
        let field_span = base.span.to(name.span);
        let field = Expr { kind: ExprKind::Field(Box::new(base), name), span: field_span };
        if kids.word(Rule::prime) { Expr { kind: ExprKind::Prime(Box::new(field)), span } } else { field }
    }

    fn arg(&mut self, node: Node<'_, 't>) -> Arg {
        let mut kids = node.kids();
        if let Some(named) = kids.maybe(Rule::named_arg) {
            let mut kids = named.kids();
            let name = Some(self.ident(&kids.need(Rule::name)));
            return Arg { name, value: self.expr(kids.need(Rule::expr)), comp: None };
        }
        let value = self.expr(kids.need(Rule::expr));
        Arg { name: None, value, comp: kids.maybe(Rule::comp).map(|n| self.comp(n)) }
    }

    pub fn comp(&mut self, node: Node<'_, 't>) -> Comp {
        let span = node.span(self.file);
        let mut kids = node.kids();
        kids.word(Rule::kw_for);
        let mut clauses = Vec::new();
        while let Some(clause) = kids.maybe(Rule::clause) {
            let mut parts = clause.kids();
            let name = self.ident(&parts.need(Rule::name));
            parts.word(Rule::kw_in);
            clauses.push((name, self.expr(parts.need(Rule::expr))));
        }
        let condition = kids.word(Rule::kw_if).then(|| Box::new(self.expr(kids.need(Rule::expr))));
        Comp { clauses, condition, span }
    }

    /// The subscripts of an `index` node.
    pub fn subs(&mut self, node: Node<'_, 't>) -> Vec<Sub> {
        let subs = node.only().kids();
        subs.map(|sub| {
            let span = sub.span(self.file);
            sub.kids().next().map_or(Sub::All(span), |e| Sub::At(self.expr(e)))
        })
        .collect()
    }

    /// The expressions of an `exprs` node.
    pub fn exprs(&mut self, node: Node<'_, 't>) -> Vec<Expr> {
        node.kids().map(|n| self.expr(n)).collect()
    }

    // ---- types and headers ----

    pub fn type_(&mut self, node: Node<'_, 't>) -> Type {
        let span = node.span(self.file);
        let node = node.only();
        let function = node.rule() == Rule::function_type;
        let mut kids = node.kids();
        if function {
            let mut types: Vec<Type> = kids.map(|n| self.type_(n)).collect();
            let result = types.pop().expect("a function type has a result");
            return Type { kind: TypeKind::Function(types, Box::new(result)), span };
        }
        let name = self.ident(&kids.need(Rule::name));
        let sizes = kids.maybe(Rule::exprs).map(|n| self.exprs(n)).unwrap_or_default();
        Type { kind: TypeKind::Named(name, sizes), span }
    }

    pub fn header(&mut self, node: Option<Node<'_, 't>>) -> Vec<Param> {
        node.map(|n| n.kids().map(|p| self.param(p)).collect()).unwrap_or_default()
    }

    fn param(&mut self, node: Node<'_, 't>) -> Param {
        let mut kids = node.kids();
        Param {
            name: self.ident(&kids.need(Rule::name)),
            ty: kids.maybe(Rule::type_).map(|n| self.type_(n)),
            default: kids.maybe(Rule::expr).map(|n| self.expr(n)),
            range: kids.maybe(Rule::param_range).map(|n| self.param_range(n)),
        }
    }

    fn param_range(&mut self, node: Node<'_, 't>) -> ParamRange {
        let span = node.span(self.file);
        let bracket = |rule| node.pair.clone().into_inner().any(|p| p.as_rule() == rule);
        let (lo_closed, hi_closed) = (bracket(Rule::bracket_open), bracket(Rule::bracket_close));
        let mut kids = node.kids();
        kids.word(Rule::kw_in);
        let lo = self.expr(kids.need(Rule::expr));
        let hi = self.expr(kids.need(Rule::expr));
        ParamRange { lo, hi, lo_closed, hi_closed, span }
    }
}

/// Passes through the nodes of the precedence ladder that do nothing.
fn descend<'p, 't>(mut node: Node<'p, 't>) -> Node<'p, 't> {
    use Rule::*;
    loop {
        let pass = match node.rule() {
            expr | atom => true,
            range | or_expr | and_expr | not_expr | comparison | sum | term | product | unary | power | postfix => {
                node.pair.clone().into_inner().nth(1).is_none()
            }
            _ => false,
        };
        if !pass {
            return node;
        }
        node = node.only();
    }
}

fn number(text: &str) -> ExprKind {
    let integer = !text.contains(['.', 'e', 'E']);
    ExprKind::Number { value: number_value(text), text: text.to_string(), integer }
}

pub fn unquote(text: &str) -> &str {
    text.trim_matches('"')
}

fn binary_op(text: &str) -> BinaryOp {
    match text {
        "+" => BinaryOp::Add,
        "-" => BinaryOp::Sub,
        "*" => BinaryOp::Mul,
        "/" => BinaryOp::Div,
        "@" => BinaryOp::MatMul,
        "^" => BinaryOp::Pow,
        "and" => BinaryOp::And,
        "or" => BinaryOp::Or,
        "<" => BinaryOp::Lt,
        "<=" => BinaryOp::Le,
        ">" => BinaryOp::Gt,
        ">=" => BinaryOp::Ge,
        "==" => BinaryOp::Eq,
        "!=" => BinaryOp::Ne,
        other => unreachable!("`{other}` is not an operator of the grammar"),
    }
}
