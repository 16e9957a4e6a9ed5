//! Statements, from pest's tree to ours.

use super::ast::*;
use super::build::{Builder, FnStmt};
use super::build_expr::unquote;
use super::grammar::{Kids, Node, Rule};

/// All of these give `None` only after a report.
impl<'t> Builder<'t> {
    pub fn fn_stmt(&mut self, node: Node<'_, 't>) -> Option<FnStmt> {
        let node = node.only();
        if node.rule() == Rule::let_decl {
            return Some(FnStmt::Let(self.let_decl(node)));
        }
        let span = node.span(self.file);
        let value = node.kids().nth(1)?;
        Some(FnStmt::Return(self.expr(value), span))
    }

    pub fn target_stmt(&mut self, node: Node<'_, 't>) -> Option<TargetStmt> {
        let node = node.only();
        Some(match node.rule() {
            Rule::let_decl => TargetStmt::Let(self.let_decl(node)),
            Rule::const_decl => TargetStmt::Const(self.const_decl(node)),
            Rule::data_decl => TargetStmt::Data(self.data_decl(node)),
            Rule::fn_decl => TargetStmt::Fn(self.fn_decl(node)?),
            Rule::log_density => TargetStmt::LogDensity(self.headed(node)),
            Rule::potential => TargetStmt::Potential(self.headed(node)),
            _ => {
                let (left, right) = self.law(node);
                TargetStmt::Tilde(left, right)
            }
        })
    }

    pub fn model_stmt(&mut self, node: Node<'_, 't>) -> Option<ModelStmt> {
        let node = node.only();
        let span = node.span(self.file);
        Some(match node.rule() {
            Rule::part => {
                let mut kids = node.kids();
                kids.word(Rule::kw_part);
                let name = self.ident(&kids.need(Rule::name));
                let statements = self.part_block(kids.need(Rule::part_block));
                ModelStmt::Part { name, statements, span }
            }
            Rule::flow => ModelStmt::Flow(self.flow(node)),
            Rule::step => ModelStmt::Step(self.step(node), span),
            Rule::convention => ModelStmt::Convention(self.headed(node), span),
            Rule::noise => ModelStmt::Noise(self.noise(node)),
            Rule::state => ModelStmt::State(self.state(node)),
            Rule::event => {
                let mut kids = node.kids();
                let trigger = self.trigger(kids.need(Rule::trigger));
                ModelStmt::On(trigger, self.block(kids.need(Rule::block)), span)
            }
            Rule::let_decl => ModelStmt::Let(self.let_decl(node)),
            Rule::const_decl => ModelStmt::Const(self.const_decl(node)),
            Rule::data_decl => ModelStmt::Data(self.data_decl(node)),
            Rule::fn_decl => ModelStmt::Fn(self.fn_decl(node)?),
            rule => unreachable!("{rule:?} is not a statement of a model"),
        })
    }

    pub fn solver_stmt(&mut self, node: Node<'_, 't>) -> Option<SolverStmt> {
        let node = node.only();
        let span = node.span(self.file);
        Some(match node.rule() {
            Rule::order => {
                let mut kids = node.kids();
                kids.word(Rule::kw_order);
                let fields = self.fields(kids.need(Rule::fields));
                let noise = kids.word(Rule::kw_for).then(|| self.ident(&kids.need(Rule::name)));
                SolverStmt::Order { fields, noise, span }
            }
            Rule::step => SolverStmt::Step(self.step(node), span),
            Rule::state => SolverStmt::State(self.state(node)),
            Rule::let_decl => SolverStmt::Let(self.let_decl(node)),
            Rule::const_decl => SolverStmt::Const(self.const_decl(node)),
            Rule::fn_decl => SolverStmt::Fn(self.fn_decl(node)?),
            rule => unreachable!("{rule:?} is not a statement of a solver"),
        })
    }

    pub fn block_stmt(&mut self, node: Node<'_, 't>) -> Option<BlockStmt> {
        let node = node.only();
        let span = node.span(self.file);
        Some(match node.rule() {
            Rule::let_decl => BlockStmt::Let(self.let_decl(node)),
            Rule::fn_decl => BlockStmt::Fn(self.fn_decl(node)?),
            Rule::state => BlockStmt::State(self.state(node)),
            Rule::if_stmt => {
                let mut kids = node.kids();
                kids.word(Rule::kw_if);
                let condition = self.expr(kids.need(Rule::expr));
                let then = self.block(kids.need(Rule::block));
                let otherwise = kids.word(Rule::kw_else).then(|| self.block(kids.need(Rule::block)));
                BlockStmt::If { condition, then, otherwise, span }
            }
            Rule::for_stmt => {
                let mut kids = node.kids();
                let (name, over) = self.for_head(&mut kids);
                BlockStmt::For { name, over, body: self.block(kids.need(Rule::block)), span }
            }
            Rule::renew => self.renew(node),
            Rule::law => {
                let (left, right) = self.law(node);
                BlockStmt::Tilde(left, right)
            }
            Rule::error => BlockStmt::Error(self.headed(node), span),
            Rule::solve => {
                let mut kids = node.kids();
                kids.word(Rule::kw_solve);
                let name = self.ident(&kids.need(Rule::name));
                let equation = self.expr(kids.need(Rule::expr));
                kids.word(Rule::kw_from);
                let guess = self.expr(kids.need(Rule::expr));
                let method = kids.word(Rule::kw_by).then(|| self.expr(kids.need(Rule::expr)));
                BlockStmt::Solve { name, equation, guess, method, span }
            }
            Rule::stop => BlockStmt::Stop(span),
            rule => unreachable!("{rule:?} is not a statement of a block"),
        })
    }

    // ---- pieces of statements ----

    /// The expression after the word that a statement begins with.
    fn headed(&mut self, node: Node<'_, 't>) -> Expr {
        let expr = node.kids().find(|n| n.rule() == Rule::expr).expect("the statement has an expression");
        self.expr(expr)
    }

    fn law(&mut self, node: Node<'_, 't>) -> (Expr, Expr) {
        let mut kids = node.kids();
        let left = self.expr(kids.need(Rule::expr));
        kids.word(Rule::tilde);
        (left, self.expr(kids.need(Rule::expr)))
    }

    fn flow(&mut self, node: Node<'_, 't>) -> Flow {
        let span = node.span(self.file);
        let mut kids = node.kids();
        let differential = self.ident(&kids.need(Rule::diff));
        let subs = kids.maybe(Rule::index).map(|n| self.subs(n)).unwrap_or_default();
        let value = self.expr(kids.need(Rule::expr));
        let comp = kids.maybe(Rule::comp).map(|n| self.comp(n));
        Flow { differential, subs, value, comp, span }
    }

    fn renew(&mut self, node: Node<'_, 't>) -> BlockStmt {
        let span = node.span(self.file);
        let mut kids = node.kids();
        let name = self.ident(&kids.need(Rule::primed).kids().need(Rule::name));
        let subs = kids.maybe(Rule::index).map(|n| self.subs(n)).unwrap_or_default();
        let value = self.expr(kids.need(Rule::expr));
        let comp = kids.maybe(Rule::comp).map(|n| self.comp(n));
        BlockStmt::Prime { name, subs, value, comp, span }
    }

    fn step(&mut self, node: Node<'_, 't>) -> Block {
        let mut kids = node.kids();
        kids.word(Rule::kw_step);
        self.block(kids.need(Rule::block))
    }

    fn noise(&mut self, node: Node<'_, 't>) -> Noise {
        let span = node.span(self.file);
        let mut kids = node.kids();
        kids.word(Rule::kw_noise);
        let name = self.ident(&kids.need(Rule::name));
        let kind = self.expr(kids.need(Rule::expr));
        let structure = kids.word(Rule::kw_with).then(|| {
            let correlation = kids.word(Rule::kw_correlation);
            kids.word(Rule::kw_covariance);
            let matrix = self.expr(kids.need(Rule::expr));
            (if correlation { NoiseStructure::Correlation } else { NoiseStructure::Covariance }, matrix)
        });
        Noise { name, kind, structure, span }
    }

    fn state(&mut self, node: Node<'_, 't>) -> State {
        let span = node.span(self.file);
        let mut kids = node.kids();
        let weight = kids.word(Rule::kw_weight);
        kids.word(Rule::kw_state);
        let name = self.ident(&kids.need(Rule::name));
        let ty = kids.maybe(Rule::type_).map(|n| self.type_(n));
        let space = kids.word(Rule::kw_in).then(|| self.expr(kids.need(Rule::expr)));
        let boundary = kids.word(Rule::kw_by).then(|| self.ident(&kids.need(Rule::name)));
        let start = self.start(&mut kids);
        State { name, weight, ty, space, boundary, start, span }
    }

    /// `= e` or `~ law`, where there is one.
    fn start(&mut self, kids: &mut Kids<'_, 't>) -> Option<Start> {
        let law = kids.word(Rule::tilde);
        let expr = self.expr(kids.maybe(Rule::expr)?);
        Some(if law { Start::Law(expr) } else { Start::Value(expr) })
    }

    fn trigger(&mut self, node: Node<'_, 't>) -> Trigger {
        let node = node.only();
        let steps = node.rule() == Rule::every && node.clone().kids().any(|n| n.rule() == Rule::kw_steps);
        let rule = node.rule();
        let expr = self.headed(node);
        match rule {
            Rule::every => Trigger::Every { period: expr, steps },
            Rule::at_rate => Trigger::AtRate(expr),
            Rule::at => Trigger::At(expr),
            _ => Trigger::When(expr),
        }
    }

    fn for_head(&mut self, kids: &mut Kids<'_, 't>) -> (Ident, Expr) {
        kids.word(Rule::kw_for);
        let name = self.ident(&kids.need(Rule::name));
        kids.word(Rule::kw_in);
        (name, self.expr(kids.need(Rule::expr)))
    }

    fn fields(&mut self, node: Node<'_, 't>) -> Vec<(Ident, Expr)> {
        let mut kids = node.kids();
        let mut fields = Vec::new();
        while let Some(name) = kids.maybe(Rule::name) {
            fields.push((self.ident(&name), self.expr(kids.need(Rule::expr))));
        }
        fields
    }

    fn path(&self, node: Node<'_, 't>) -> Path {
        Path { parts: self.idents(node) }
    }

    // ---- runs ----

    pub fn run_stmt(&mut self, node: Node<'_, 't>) -> Option<RunStmt> {
        let node = node.only();
        let span = node.span(self.file);
        let rule = node.rule();
        let mut kids = node.clone().kids();
        Some(match rule {
            Rule::let_run => {
                let value = self.let_decl(kids.need(Rule::let_decl));
                RunStmt::Let(value, self.pool(kids))
            }
            Rule::report => {
                kids.word(Rule::kw_report);
                RunStmt::Report(self.exprs(kids.need(Rule::exprs)), self.pool(kids))
            }
            Rule::plot => {
                kids.word(Rule::kw_plot);
                let what = self.exprs(kids.need(Rule::exprs));
                let pool = kids.maybe(Rule::pool).map(|node| self.pool_of(node));
                let path = kids.word(Rule::kw_to).then(|| unquote(kids.need(Rule::string).text()).to_string());
                RunStmt::Plot { what, pool, path, span }
            }
            Rule::check => {
                kids.word(Rule::kw_check);
                RunStmt::Check(self.expr(kids.need(Rule::expr)), self.pool(kids))
            }
            Rule::save => self.save(node),
            Rule::estimate => {
                kids.word(Rule::kw_estimate);
                let value = self.expr(kids.need(Rule::expr));
                kids.word(Rule::kw_to);
                RunStmt::Estimate { value, error: self.expr(kids.need(Rule::expr)), span }
            }
            Rule::init => {
                kids.word(Rule::kw_init);
                let name = self.ident(&kids.need(Rule::name));
                RunStmt::Init { name, start: self.start(&mut kids)? }
            }
            Rule::sweep => {
                kids.word(Rule::kw_sweep);
                let mut sets = Vec::new();
                while let Some(path) = kids.maybe(Rule::path) {
                    sets.push((self.path(path), self.expr(kids.need(Rule::expr))));
                }
                RunStmt::Sweep(sets, span)
            }
            Rule::converge => {
                kids.word(Rule::kw_converge);
                RunStmt::Converge(self.fields(kids.need(Rule::fields)), span)
            }
            Rule::train => self.train(node),
            Rule::phase => {
                kids.word(Rule::kw_phase);
                let name = self.ident(&kids.need(Rule::name));
                RunStmt::Phase { name, statements: self.run_block(kids.need(Rule::run_block)), span }
            }
            Rule::for_run => {
                let (name, over) = self.for_head(&mut kids);
                RunStmt::For { name, over, statements: self.run_block(kids.need(Rule::run_block)), span }
            }
            Rule::setting => self.setting(node),
            rule => unreachable!("{rule:?} is not a statement of a run"),
        })
    }

    fn save(&mut self, node: Node<'_, 't>) -> RunStmt {
        let span = node.span(self.file);
        let mut kids = node.kids();
        kids.word(Rule::kw_save);
        let value = self.expr(kids.need(Rule::expr));
        let every = kids.word(Rule::kw_every).then(|| self.expr(kids.need(Rule::expr)));
        let first = kids.word(Rule::kw_first).then(|| self.expr(kids.need(Rule::expr)));
        kids.word(Rule::kw_to);
        let path = kids.need(Rule::string);
        let path_span = path.span(self.file);
        RunStmt::Save { value, every, first, path: unquote(path.text()).to_string(), path_span, span }
    }

    fn train(&mut self, node: Node<'_, 't>) -> RunStmt {
        let span = node.span(self.file);
        let mut kids = node.kids();
        kids.word(Rule::kw_train);
        let mut names = Vec::new();
        while let Some(path) = kids.maybe(Rule::path) {
            names.push(self.path(path));
        }
        kids.word(Rule::kw_to);
        let minimise = kids.word(Rule::kw_minimise);
        kids.word(Rule::kw_maximise);
        let objective = self.expr(kids.need(Rule::expr));
        kids.word(Rule::kw_by);
        let optimiser = self.expr(kids.need(Rule::expr));
        kids.word(Rule::kw_for);
        let steps = self.expr(kids.need(Rule::expr));
        RunStmt::Train { names, minimise, objective, optimiser, steps, span }
    }

    fn setting(&mut self, node: Node<'_, 't>) -> RunStmt {
        let mut kids = node.kids();
        let name = self.ident(&kids.need(Rule::name));
        let value = self.expr(kids.need(Rule::expr));
        let unit = if kids.word(Rule::kw_step) {
            Some(SettingUnit::Step(self.expr(kids.need(Rule::expr))))
        } else if kids.word(Rule::kw_tol) {
            Some(SettingUnit::Tol(self.expr(kids.need(Rule::expr))))
        } else {
            kids.word(Rule::kw_steps).then_some(SettingUnit::Steps)
        };
        RunStmt::Setting { name, value, unit }
    }

    fn pool(&mut self, mut kids: Kids<'_, 't>) -> Option<Pool> {
        kids.maybe(Rule::pool).map(|node| self.pool_of(node))
    }

    fn pool_of(&mut self, node: Node<'_, 't>) -> Pool {
        let mut kids = node.kids();
        if kids.word(Rule::kw_at) {
            return Pool::At(self.expr(kids.need(Rule::expr)));
        }
        kids.word(Rule::kw_over);
        Pool::Over(kids.map(|n| self.pool_span(n)).collect())
    }

    fn pool_span(&mut self, node: Node<'_, 't>) -> PoolSpan {
        let node = node.only();
        let last = node.rule() == Rule::last_steps;
        let mut kids = node.kids();
        if last {
            kids.word(Rule::kw_last);
            return PoolSpan::Last(self.expr(kids.need(Rule::expr)));
        }
        let name = self.ident(&kids.need(Rule::name));
        kids.word(Rule::kw_in);
        let range = self.expr(kids.need(Rule::expr));
        let every = kids.word(Rule::kw_every).then(|| self.expr(kids.need(Rule::expr)));
        PoolSpan::In { name, range, every }
    }
}
