//! Prime blocks of step rules: simultaneous right sides, `x` the value when the block began, `x'` the newest.

use std::collections::BTreeMap;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Id, Op, Rate, Ty, VarId, VarKind};
use crate::model::elab::{Elab, Reported, Try, shape_text};
use crate::model::value::{Entry, Scope, Value};
use crate::model::{later, messages};
use crate::solve::implicit::Stage;
use crate::source::Span;
use crate::syntax::ast::{self, BlockStmt};

/// The newest values of what a block can renew, by name.
pub type Newest = BTreeMap<String, Id>;

/// A loop in a step rule is written out up to so many turns.
const MAX_TURNS: i64 = 4096;

/// What a longer loop gives the states are values of their own: simplified through one another, they would take time that
/// grows much faster than the turns.
const FEW_TURNS: usize = 4;

impl Elab<'_> {
    /// Runs the statements of a block; `newest` holds the values of all that can be renewed.
    pub fn block(&mut self, statements: &[BlockStmt], scope: &Scope, newest: &mut Newest) -> Try<()> {
        let mut broken = false;
        for statement in statements {
            broken |= self.block_statement(statement, scope, newest).is_err();
        }
        if broken { Err(Reported) } else { Ok(()) }
    }

    fn block_statement(&mut self, statement: &BlockStmt, scope: &Scope, newest: &mut Newest) -> Try<()> {
        match statement {
            BlockStmt::Let(l) => {
                if let Value::Num(id) = self.define_let(l, scope)?
                    && self.g.has_derivative(id)
                {
                    let settled = self.settled(id);
                    scope.define(&l.name.name, Value::Num(settled), l.name.span);
                }
                Ok(())
            }
            BlockStmt::Fn(f) => {
                let closure = self.closure(f, scope);
                scope.define(&f.name.name, closure, f.name.span);
                Ok(())
            }
            BlockStmt::State(s) => {
                let result = self.local_state(s, scope, newest);
                if result.is_err() {
                    scope.set(&s.name.name, Entry::Broken);
                    scope.set(format!("{}'", s.name.name), Entry::Broken);
                }
                result
            }
            BlockStmt::Prime { name, subs, value, comp, span } => {
                self.prime_statement(name, subs, value, comp.as_ref(), *span, scope, newest)
            }
            BlockStmt::If { condition, then, otherwise, .. } => {
                let value = self.expr(condition, scope)?;
                let c = self.boolean(&value, condition.span)?;
                self.branch((c, condition.span), then, otherwise.as_ref(), scope, newest)
            }
            BlockStmt::For { name, over, body, span } => self.turns(name, over, body, *span, scope, newest),
            BlockStmt::Error(e, _) => self.error_estimate(e, scope),
            BlockStmt::Solve { name, equation, guess, method, span } => {
                let stage = Stage { name, equation, guess, method: method.as_ref(), span: *span };
                self.implicit(&stage, scope)
            }
            BlockStmt::Tilde(..) | BlockStmt::Stop(_) => {
                let (what, span) = later::block(statement).expect("these are of a later version");
                self.unsupported(what, span)
            }
        }
    }

    fn local_state(&mut self, s: &ast::State, scope: &Scope, newest: &mut Newest) -> Try<()> {
        self.state_shape(s, scope)?;
        let Some(ast::Start::Value(e) | ast::Start::Law(e)) = &s.start else {
            return self.error(
                codes::BAD_STEP_RULE,
                format!("the state `{}` has no start", s.name.name),
                s.name.span,
                "no `=` and no `~`",
            );
        };
        let l = ast::Let { name: s.name.clone(), ty: s.ty.clone(), value: e.clone() };
        let value = self.define_let(&l, scope)?;
        let id = self.real(&value, e.span)?;
        scope.define(&s.name.name, Value::Num(id), s.name.span);
        newest.insert(s.name.name.clone(), id);
        scope.define(format!("{}'", s.name.name), Value::Num(id), s.name.span);
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    fn prime_statement(
        &mut self,
        name: &ast::Ident,
        subs: &[ast::Sub],
        value: &ast::Expr,
        comp: Option<&ast::Comp>,
        span: Span,
        scope: &Scope,
        newest: &mut Newest,
    ) -> Try<()> {
        let Some(old) = newest.get(&name.name).copied() else {
            if matches!(scope.get(&name.name), Some(Entry::Broken)) {
                return Err(Reported);
            }
            let known: Vec<&str> = newest.keys().map(String::as_str).collect();
            let first = match scope.get(&name.name) {
                Some(Entry::Value(_, first)) if first != Span::default() => Some(first),
                _ => None,
            };
            return self.fail(messages::not_renewable(name, &known, first));
        };
        if let Some(comp) = comp {
            return self.unsupported(later::PRIMES_OF_INDICES, comp.span);
        }
        let shape = self.g.shape(old).to_vec();
        let axes = self.subscripts(&shape, subs, scope)?;
        let piece: Vec<usize> = axes
            .iter()
            .filter_map(|a| if let crate::model::indexing::Axis::Slice { len, .. } = a { Some(*len) } else { None })
            .collect();
        let v = self.expr(value, scope)?;
        let v = match &v {
            Value::Draw(_) | Value::Target(_) => Value::Num(self.draw_at(&v, &piece, value.span)?),
            _ => v,
        };
        let id = self.real(&v, value.span)?;
        let have = self.g.shape(id).to_vec();
        if !have.is_empty() && have != piece {
            return self.fail(
                Diagnostic::error(
                    codes::SHAPE_MISMATCH,
                    format!(
                        "`{}'` has the shape {}, and its new value {}",
                        name.name,
                        shape_text(&piece),
                        shape_text(&have)
                    ),
                    value.span,
                    format!("this has the shape {}", shape_text(&have)),
                )
                .label(span, "renewed here"),
            );
        }
        let id = if have.is_empty() && !piece.is_empty() { self.tabulate(&piece, |_, _| id) } else { id };
        let id = self.settled(id);
        let new = if subs.is_empty() {
            self.in_turn(&name.name, id)
        } else {
            self.turns.pieces.insert(name.name.clone());
            self.with_piece(old, &axes, id)
        };
        newest.insert(name.name.clone(), new);
        scope.define(format!("{}'", name.name), Value::Num(new), name.span);
        Ok(())
    }

    /// Both branches are worked out; what they renew is chosen by the condition.
    fn branch(
        &mut self,
        (c, span): (Id, Span),
        then: &[BlockStmt],
        otherwise: Option<&ast::Block>,
        scope: &Scope,
        newest: &mut Newest,
    ) -> Try<()> {
        let mut yes = newest.clone();
        let mut no = newest.clone();
        let first = self.block(then, &scope.child(), &mut yes);
        let second = match otherwise {
            Some(block) => self.block(block, &scope.child(), &mut no),
            None => Ok(()),
        };
        first.and(second)?;
        for (name, value) in newest.iter_mut() {
            let (a, b) = (yes[name], no[name]);
            if a == b {
                *value = a;
            } else if self.g.is_scalar(c) {
                let chosen = self.elementwise_raw(&[a, b], |g, v| g.op(Op::Select, &[c, v[0], v[1]]));
                *value = self.in_turn(name, chosen);
            } else if self.g.shape(c) == self.g.shape(a) {
                let chosen = self.elementwise_raw(&[c, a, b], |g, v| g.op(Op::Select, v));
                *value = self.in_turn(name, chosen);
            } else {
                let (have, own) = (shape_text(self.g.shape(c)), shape_text(self.g.shape(a)));
                let message = format!("the condition has the shape {have}, and `{name}`, which it chooses, has {own}");
                return self.fail(
                    Diagnostic::error(codes::SHAPE_MISMATCH, message, span, "one truth value for each element")
                        .help("give one condition, as in `x[0] > 0`, or one of the shape of what is renewed"),
                );
            }
            scope.define(format!("{name}'"), Value::Num(*value), Span::default());
        }
        Ok(())
    }

    /// A loop over a compile-time range or an array, turn by turn; each turn begins with the newest values.
    fn turns(
        &mut self,
        name: &ast::Ident,
        over: &ast::Expr,
        body: &[BlockStmt],
        span: Span,
        scope: &Scope,
        newest: &mut Newest,
    ) -> Try<()> {
        let value = self.expr(over, scope)?;
        let items: Vec<Value> = match &value {
            Value::Range(lo, hi) if hi - lo <= MAX_TURNS => (*lo..*hi).map(Value::Int).collect(),
            Value::Num(id) if !self.g.is_scalar(*id) && (self.g.shape(*id)[0] as i64) <= MAX_TURNS => {
                let n = self.g.shape(*id)[0];
                let array = *id;
                (0..n)
                    .map(|k| {
                        let k = self.g.int(k as i64);
                        Value::Num(self.row(array, k))
                    })
                    .collect()
            }
            Value::Range(..) | Value::Num(_) => {
                return self.unsupported("a loop of so many turns in a step rule", span);
            }
            other => return self.fail(not_run_over(over, other)),
        };
        // Sites stay with the text; the turn tells the draws of one site apart.
        let first = self.draws.clone();
        let turns = self.draws.as_ref().map_or(0, |d| usize::from(d.turn)) * items.len() + items.len();
        let Ok(count) = u16::try_from(turns).map(|_| items.len() as u16) else {
            return self.unsupported("nested loops of so many turns in a step rule", span);
        };
        let long = self.turns.long || items.len() > FEW_TURNS;
        let around = std::mem::replace(&mut self.turns.long, long);
        for (k, item) in items.into_iter().enumerate() {
            let inner = scope.child();
            inner.define(&name.name, item, name.span);
            for (state, id) in newest.iter() {
                inner.define(state.clone(), Value::Num(*id), Span::default());
                inner.define(format!("{state}'"), Value::Num(*id), Span::default());
            }
            if let (Some(draws), Some(first)) = (&mut self.draws, &first) {
                draws.next_site = first.next_site;
                draws.turn = first.turn * count + k as u16 + 1;
            }
            let before: Vec<String> = newest.keys().cloned().collect();
            let result = self.block(body, &inner, newest);
            newest.retain(|n, _| before.contains(n));
            if result.is_err() {
                self.turns.long = around;
                return result;
            }
        }
        self.turns.long = around;
        if let (Some(draws), Some(first)) = (&mut self.draws, &first) {
            draws.turn = first.turn;
        }
        for (state, id) in newest.iter() {
            scope.define(format!("{state}'"), Value::Num(*id), Span::default());
        }
        Ok(())
    }

    /// A variable for the new value of a state, in a long loop and where that differs from path to path; else the value.
    /// One that is renewed piece by piece stays as it is: its pieces are told apart by the simplifier.
    fn in_turn(&mut self, name: &str, id: Id) -> Id {
        let leaf = self.g.parts(id).is_empty();
        if !self.turns.long || leaf || self.turns.pieces.contains(name) {
            return id;
        }
        if self.g.rate(id) < Rate::Lane || self.g.ty(id) != Ty::Real || !self.g.free(id).is_empty() {
            return id;
        }
        let shape = self.g.shape(id).to_vec();
        let var = self.g.new_var(name, VarKind::Hole, Ty::Real, shape);
        self.turns.values.push((var, id));
        self.g.var(var)
    }

    /// Puts the values of the turns of loops back in the place of their variables. They are kept whole.
    pub(super) fn with_turns(&mut self, turns: &[(VarId, Id)], roots: &[Id]) -> Vec<Id> {
        let mut values: Vec<(VarId, Id)> = Vec::new();
        for (var, value) in turns {
            values = self.with_draws(&[*value], values);
            let used: Vec<_> = values.iter().filter(|p| self.g.depends_on(*value, p.0)).copied().collect();
            let value = self.g.substitute_vars(&[*value], &used)[0];
            self.g.keep(value);
            values.push((*var, value));
        }
        let values = self.with_draws(roots, values);
        self.g.substitute_vars(roots, &values)
    }
}

/// A `for` over something that has no turns to count.
fn not_run_over(over: &ast::Expr, value: &Value) -> Diagnostic {
    let message = format!("`for` runs over a range or an array, and this is {}", value.kind());
    let d = Diagnostic::error(codes::TYPE_MISMATCH, message, over.span, "cannot be run over");
    match &over.kind {
        ast::ExprKind::Range(..) => d.help(
            "its ends are whole numbers that are known when the file is compiled: `0..8`, or `0..n` with the parameter \
             `n: int = 8`",
        ),
        _ => d.help("write `for k in 0..8`, or `for c in [0.1, 0.5, 1]`"),
    }
}
