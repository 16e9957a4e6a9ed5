//! Names in prime blocks: steps of solvers and models, events.

use super::{Resolver, What};
use crate::model::{later, messages};
use crate::source::Span;
use crate::syntax::ast::{Block, BlockStmt, Expr, ExprKind};

impl<'p> Resolver<'p> {
    /// A block that can renew the named states.
    pub(super) fn block_with(&mut self, states: Vec<String>, block: &'p Block) {
        let before = self.renewable.replace(states);
        self.within(|s| s.block(block));
        self.renewable = before;
    }

    fn block(&mut self, block: &'p Block) {
        for statement in block {
            match later::block(statement) {
                Some((what, span)) => self.later(what, span, |s| s.block_statement(statement)),
                None => self.block_statement(statement),
            }
        }
    }

    /// A block inside another; what it declares ends with it.
    fn inner_block(&mut self, block: &'p Block) {
        let before = self.renewable.clone();
        self.within(|s| s.block(block));
        self.renewable = before;
    }

    fn block_statement(&mut self, statement: &'p BlockStmt) {
        match statement {
            BlockStmt::Let(l) => self.let_statement(l),
            BlockStmt::Fn(f) => self.function(f),
            BlockStmt::State(state) => {
                self.state(state);
                self.renewable.get_or_insert_default().push(state.name.name.clone());
            }
            BlockStmt::If { condition, then, otherwise, .. } => {
                self.expr(condition);
                self.inner_block(then);
                if let Some(block) = otherwise {
                    self.inner_block(block);
                }
            }
            BlockStmt::For { name, over, body, .. } => {
                self.expr(over);
                self.within(|s| {
                    s.declare(name, What::Value);
                    s.inner_block(body);
                });
            }
            BlockStmt::Prime { name, subs, value, comp, .. } => {
                let states = self.renewable.clone().unwrap_or_default();
                self.note(&name.name, name.span);
                if !states.contains(&name.name) && !self.is_wild() {
                    let first = self.find(&name.name).map(|k| k.span).filter(|s| *s != Span::default());
                    let names: Vec<&str> = states.iter().map(String::as_str).collect();
                    self.report(messages::not_renewable(name, &names, first));
                }
                let body = |s: &mut Self| {
                    s.subscripts(subs);
                    s.expr(value);
                };
                match comp {
                    Some(comp) => self.comprehension(comp, body),
                    None => body(self),
                }
            }
            BlockStmt::Tilde(e, law) => {
                self.expr(e);
                self.expr(law);
            }
            BlockStmt::Error(e, _) => self.expr(e),
            BlockStmt::Solve { name, equation, guess, method, .. } => {
                self.expr(guess);
                // `newton(6)` is no function: what it is called with is an expression.
                if let Some(Expr { kind: ExprKind::Call(_, args), .. }) = method {
                    self.arguments(args);
                }
                self.declare(name, What::Value);
                self.expr(equation);
            }
            BlockStmt::Stop(_) => {}
        }
    }
}
