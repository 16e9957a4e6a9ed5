//! From the statements of the layout pass to the tree: parses each by itself, with the blocks in it emptied, and then
//! the statements of those blocks.

use super::ast::*;
use super::explain::{Failure, explain};
use super::grammar::{Grammar, Node, Place, Rule};
use super::layout::{Block as Braces, Layout, Piece};
use crate::diagnostics::{Diagnostic, codes};
use crate::source::{FileId, Span};
use pest::Parser;

pub struct Builder<'t> {
    pub file: FileId,
    pub text: &'t str,
    pub layout: &'t Layout,
    pub problems: Vec<Diagnostic>,
}

impl<'t> Builder<'t> {
    pub fn new(file: FileId, text: &'t str, layout: &'t Layout) -> Builder<'t> {
        Builder { file, text, layout, problems: Vec::new() }
    }

    pub fn file(&mut self) -> File {
        let mut items: Vec<Item> = self.statements(&self.layout.items, Place::File, Self::item);
        let mut after = 0;
        for item in &mut items {
            item.doc = self.doc(after, item.span.start as usize);
            after = item.span.end as usize;
        }
        File { items }
    }

    /// The `##` lines between two places of the text: the last run of them.
    pub fn doc(&self, from: usize, to: usize) -> Option<String> {
        let comments = &self.layout.comments;
        let (low, high) = (
            comments.partition_point(|c| (c.span.start as usize) < from),
            comments.partition_point(|c| (c.span.start as usize) < to),
        );
        let is_doc = |i: usize| comments[i].own_line && comments[i].text.starts_with("##");
        let last = (low..high).rev().find(|&i| is_doc(i))?;
        let adjacent = |i: usize| {
            let gap = &self.text[comments[i].span.end as usize..comments[i + 1].span.start as usize];
            gap.matches('\n').count() == 1
        };
        let first = (low..last).rev().take_while(|&i| is_doc(i) && adjacent(i)).last().unwrap_or(last);
        let line = |i: usize| {
            let text = &comments[i].text[2..];
            text.strip_prefix(' ').unwrap_or(text)
        };
        Some((first..=last).map(line).collect::<Vec<_>>().join("\n"))
    }

    // ---- one statement at a time ----

    /// Parses statements one by one; those that fail are reported and left out.
    pub fn statements<T>(
        &mut self,
        pieces: &'t [Piece],
        place: Place,
        build: fn(&mut Self, Node<'_, 't>) -> Option<T>,
    ) -> Vec<T> {
        pieces.iter().filter_map(|piece| self.statement(piece, place, build)).collect()
    }

    pub fn statement<T>(
        &mut self,
        piece: &'t Piece,
        place: Place,
        build: fn(&mut Self, Node<'_, 't>) -> Option<T>,
    ) -> Option<T> {
        let text = if piece.too_deep { String::new() } else { piece.text(&self.layout.masked) };
        match self.parse(piece, place, &text) {
            Some(node) => build(self, node),
            None => {
                self.look_inside(piece, place);
                None
            }
        }
    }

    /// The node of the statement itself, or nothing after a report.
    fn parse<'p>(&mut self, piece: &'t Piece, place: Place, text: &'p str) -> Option<Node<'p, 't>> {
        if piece.too_deep {
            return None;
        }
        match Grammar::parse(place.rule(), text) {
            Ok(mut pairs) => {
                let one = Node { pair: pairs.next().expect("a parse has a root"), piece };
                Some(one.only())
            }
            Err(error) => {
                if !piece.broken {
                    let failure = Failure::new(self.file, self.text, self.layout, piece, place, text, &error);
                    self.problems.push(explain(&failure));
                }
                None
            }
        }
    }

    /// Reports the mistakes in the blocks of a statement that could not be read itself.
    fn look_inside(&mut self, piece: &'t Piece, place: Place) {
        let token = self.layout.tokens[piece.tokens.start];
        let Some(inside) = place.inside(&self.layout.masked[token.start..token.end]) else { return };
        for block in &piece.blocks {
            match inside {
                Place::File => {}
                Place::Function => drop(self.statements(&block.statements, inside, Self::fn_stmt)),
                Place::Target => drop(self.statements(&block.statements, inside, Self::target_stmt)),
                Place::Model | Place::Part => drop(self.statements(&block.statements, inside, Self::model_stmt)),
                Place::Block => drop(self.statements(&block.statements, inside, Self::block_stmt)),
                Place::Solver => drop(self.statements(&block.statements, inside, Self::solver_stmt)),
                Place::Run => drop(self.statements(&block.statements, inside, Self::run_stmt)),
            }
        }
    }

    /// The statements between the braces that a block node stands for.
    fn braces(&self, node: &Node<'_, 't>) -> &'t [Piece] {
        let piece: &'t Piece = node.piece;
        let block: Option<&'t Braces> = piece.blocks.iter().find(|b| b.open == node.start());
        block.map_or(&[], |b| &b.statements)
    }

    pub fn block(&mut self, node: Node<'_, 't>) -> Block {
        self.statements(self.braces(&node), Place::Block, Self::block_stmt)
    }

    pub fn model_block(&mut self, node: Node<'_, 't>) -> Vec<ModelStmt> {
        self.statements(self.braces(&node), Place::Model, Self::model_stmt)
    }

    pub fn part_block(&mut self, node: Node<'_, 't>) -> Vec<ModelStmt> {
        self.statements(self.braces(&node), Place::Part, Self::model_stmt)
    }

    pub fn run_block(&mut self, node: Node<'_, 't>) -> Vec<RunStmt> {
        self.statements(self.braces(&node), Place::Run, Self::run_stmt)
    }

    // ---- declarations ----

    pub fn item(&mut self, node: Node<'_, 't>) -> Option<Item> {
        let span = node.span(self.file);
        let node = node.only();
        let kind = match node.rule() {
            Rule::use_item => {
                let string = node.kids().nth(1)?;
                ItemKind::Use(super::build_expr::unquote(string.text()).to_string(), string.span(self.file))
            }
            Rule::const_decl => ItemKind::Const(self.const_decl(node)),
            Rule::data_decl => ItemKind::Data(self.data_decl(node)),
            Rule::fn_decl => ItemKind::Fn(self.fn_decl(node)?),
            Rule::target_item => ItemKind::Target(self.target(node)),
            Rule::model_item => ItemKind::Model(self.model(node)),
            Rule::solver_item => ItemKind::Solver(self.solver(node)),
            Rule::run_item => ItemKind::Run(self.run(node)),
            rule => unreachable!("{rule:?} is not a declaration"),
        };
        Some(Item { doc: None, span, kind })
    }

    fn target(&mut self, node: Node<'_, 't>) -> Target {
        let mut kids = node.kids();
        kids.word(Rule::kw_target);
        let name = self.ident(&kids.need(Rule::name));
        let header = self.header(kids.maybe(Rule::header));
        if let Some(expr) = kids.maybe(Rule::expr) {
            return Target { name, header, body: TargetBody::Alias(self.expr(expr)) };
        }
        let mut kids = kids.need(Rule::density).kids();
        kids.word(Rule::kw_on);
        let variable = self.ident(&kids.need(Rule::name));
        let ty = self.type_(kids.need(Rule::type_));
        let space = kids.word(Rule::kw_in).then(|| self.expr(kids.need(Rule::expr)));
        let pieces = self.braces(&kids.need(Rule::target_block));
        let statements = self.statements(pieces, Place::Target, Self::target_stmt);
        Target { name, header, body: TargetBody::Density { variable, ty, space, statements } }
    }

    fn model(&mut self, node: Node<'_, 't>) -> Model {
        let mut kids = node.kids();
        kids.word(Rule::kw_model);
        let name = self.ident(&kids.need(Rule::name));
        let header = self.header(kids.maybe(Rule::header));
        let alias = kids.maybe(Rule::expr).map(|n| self.expr(n));
        kids.word(Rule::kw_with);
        let statements = kids.maybe(Rule::model_block).map(|n| self.model_block(n)).unwrap_or_default();
        let body = match alias {
            Some(expr) => ModelBody::Alias(expr, statements),
            None => ModelBody::System(statements),
        };
        Model { name, header, body }
    }

    fn solver(&mut self, node: Node<'_, 't>) -> Solver {
        let mut kids = node.kids();
        kids.word(Rule::kw_solver);
        let name = self.ident(&kids.need(Rule::name));
        let header = self.header(kids.maybe(Rule::header));
        if let Some(expr) = kids.maybe(Rule::expr) {
            return Solver { name, header, body: SolverBody::Alias(self.expr(expr)) };
        }
        let mut kids = kids.need(Rule::step_rule).kids();
        kids.word(Rule::kw_on);
        let form = self.ident(&kids.need(Rule::name));
        let args = self.idents(kids.need(Rule::names));
        let noise = kids.word(Rule::kw_for).then(|| self.ident(&kids.need(Rule::name)));
        let pieces = self.braces(&kids.need(Rule::solver_block));
        let statements = self.statements(pieces, Place::Solver, Self::solver_stmt);
        Solver { name, header, body: SolverBody::Rule { form, args, noise, statements } }
    }

    fn run(&mut self, node: Node<'_, 't>) -> Run {
        let mut kids = node.kids();
        kids.word(Rule::kw_run);
        let name = self.ident(&kids.need(Rule::name));
        let header = self.header(kids.maybe(Rule::header));
        let statements = self.run_block(kids.need(Rule::run_block));
        Run { name, header, statements }
    }

    pub fn const_decl(&mut self, node: Node<'_, 't>) -> Const {
        let mut kids = node.kids();
        kids.word(Rule::kw_const);
        Const { name: self.ident(&kids.need(Rule::name)), value: self.expr(kids.need(Rule::expr)) }
    }

    pub fn data_decl(&mut self, node: Node<'_, 't>) -> Data {
        let mut kids = node.kids();
        kids.word(Rule::kw_data);
        let name = self.ident(&kids.need(Rule::name));
        let ty = self.type_(kids.need(Rule::type_));
        Data { name, ty, value: self.expr(kids.need(Rule::expr)) }
    }

    pub fn let_decl(&mut self, node: Node<'_, 't>) -> Let {
        let mut kids = node.kids();
        kids.word(Rule::kw_let);
        let name = self.ident(&kids.need(Rule::name));
        let ty = kids.maybe(Rule::type_).map(|n| self.type_(n));
        Let { name, ty, value: self.expr(kids.need(Rule::expr)) }
    }

    pub fn fn_decl(&mut self, node: Node<'_, 't>) -> Option<Fn> {
        let mut kids = node.kids();
        kids.word(Rule::kw_fn);
        let name = self.ident(&kids.need(Rule::name));
        let header = self.header(kids.maybe(Rule::header));
        if let Some(value) = kids.maybe(Rule::expr) {
            return Some(Fn { name, header, lets: Vec::new(), value: self.expr(value), block: false });
        }
        let node = kids.need(Rule::fn_block);
        let before = self.problems.len();
        let pieces = self.braces(&node);
        let statements = self.statements(pieces, Place::Function, Self::fn_stmt);
        let broken = self.problems.len() > before || pieces.iter().any(|p| p.broken || p.too_deep);
        self.function_body(name, header, statements, broken)
    }

    /// A block of `let`s that ends in its one `return`.
    fn function_body(&mut self, name: Ident, header: Vec<Param>, statements: Vec<FnStmt>, broken: bool) -> Option<Fn> {
        let mut lets = Vec::new();
        let mut result: Option<(Expr, Span)> = None;
        for statement in statements {
            let (place, what) = match &statement {
                FnStmt::Let(l) => (l.name.span, "a `let`"),
                FnStmt::Return(_, span) => (*span, "a second `return`"),
            };
            if let Some((_, first)) = &result {
                let message = format!("{what} after `return`");
                let problem = Diagnostic::error(codes::SYNTAX, message, place, "never reached");
                self.problems.push(problem.label(*first, "the function ends here"));
                return None;
            }
            match statement {
                FnStmt::Let(l) => lets.push(l),
                FnStmt::Return(value, span) => result = Some((value, span)),
            }
        }
        if result.is_none() && !broken {
            let message = format!("the function `{}` returns nothing", name.name);
            let problem = Diagnostic::error(codes::SYNTAX, message, name.span, "its block has no `return`");
            self.problems.push(problem.help("end the block with `return e`, or write `fn f(x) = e`"));
        }
        result.map(|(value, _)| Fn { name, header, lets, value, block: true })
    }
}

/// A statement of a function's block.
pub enum FnStmt {
    Let(Let),
    Return(Expr, Span),
}
