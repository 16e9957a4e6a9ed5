//! Flow equations: `dx = a dt + b dW`, read as expressions that are linear in their differentials.

use crate::diagnostics::{Diagnostic, Edit, codes};
use crate::math::{Id, IndexVar, Node, Op};
use crate::model::elab::{Elab, Reported, Try, shape_text};
use crate::model::indexing::Axis;
use crate::model::messages;
use crate::model::system::{Model, Noise, Part};
use crate::model::value::{Entry, Scope, Value};
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, Expr, ExprKind, Sub};

/// One equation: the piece of a state that it moves, and its right side under the opened indices.
#[derive(Debug)]
pub struct Equation {
    pub state: usize,
    pub axes: Vec<Axis>,
    pub bounds: Vec<IndexVar>,
    pub rhs: Id,
    pub span: Span,
    /// the part of the model that it belongs to, where that is named
    pub part: Option<ast::Ident>,
    /// half-open boxes of the components that it moves
    region: Vec<(usize, usize)>,
}

impl Elab<'_> {
    /// Works out one equation.
    pub fn flow(&mut self, flow: &ast::Flow, model: &mut Model, scope: &Scope) -> Try<Equation> {
        let name = &flow.differential.name[1..];
        let Some(state) = model.states.iter().position(|s| s.name == name) else {
            return self.not_a_state(name, flow, model, scope);
        };
        let opened = match &flow.comp {
            Some(comp) => {
                let opened = self.open(comp, scope)?;
                self.close(&opened);
                if opened.condition.is_some() {
                    return self.unsupported("a condition on an equation's indices", comp.span);
                }
                (opened.bounds, opened.scope)
            }
            None => (Vec::new(), scope.child()),
        };
        let (bounds, inner) = opened;
        let shape = model.states[state].shape.clone();
        if flow.subs.len() > shape.len() {
            let message = format!("{} indices for the state `{name}` of shape {}", flow.subs.len(), shape_text(&shape));
            return self.error(codes::BAD_INDEX, message, flow.differential.span, "too many indices");
        }
        let axes = self.subscripts(&shape, &flow.subs, &inner)?;
        let region = self.region(&axes, &bounds, flow)?;
        let element: Vec<usize> =
            axes.iter().filter_map(|a| if let Axis::Slice { len, .. } = a { Some(*len) } else { None }).collect();
        self.check_linear(&flow.value, model, &inner)?;
        self.implicit_noises(&flow.value, &element, model, &inner, flow.span)?;
        let dt = self.g.var(model.dt);
        inner.define("dt", Value::Num(dt), Span::default());
        for noise in &model.noises {
            inner.define(format!("d{}", noise.name), Value::Num(self.g.var(noise.seen)), Span::default());
            inner.define(format!("∘d{}", noise.name), Value::Num(self.g.var(noise.seen_strat)), Span::default());
        }
        let rhs = self.real_expr(&without_juxtaposition(&flow.value), &inner)?;
        let have = self.g.shape(rhs).to_vec();
        if !have.is_empty() && have != element {
            return self.fail(
                Diagnostic::error(
                    codes::SHAPE_MISMATCH,
                    format!(
                        "`{}` has the shape {}, and its right side {}",
                        flow.differential.name,
                        shape_text(&element),
                        shape_text(&have)
                    ),
                    flow.value.span,
                    format!("this has the shape {}", shape_text(&have)),
                )
                .label(model.states[state].span, format!("`{name}` has the shape {}", shape_text(&shape))),
            );
        }
        let rhs = if have.is_empty() { self.tabulate(&element, |_, _| rhs) } else { rhs };
        Ok(Equation { state, axes, bounds, rhs, span: flow.span, part: None, region })
    }

    fn not_a_state<T>(&mut self, name: &str, flow: &ast::Flow, model: &Model, scope: &Scope) -> Try<T> {
        if matches!(scope.get(name), Some(Entry::Broken)) {
            return Err(Reported);
        }
        let known: Vec<&str> = model.states.iter().map(|s| s.name.as_str()).collect();
        let first = match scope.get(name) {
            Some(Entry::Value(_, first)) if first != Span::default() => Some(first),
            _ => None,
        };
        self.fail(messages::flow_of_no_state(&flow.differential, &known, first))
    }

    /// The components that an equation moves: along each axis a constant, a slice or the range of one index.
    fn region(&mut self, axes: &[Axis], bounds: &[IndexVar], flow: &ast::Flow) -> Try<Vec<(usize, usize)>> {
        let mut region = Vec::new();
        let mut seen = Vec::new();
        for axis in axes {
            match axis {
                Axis::Slice { start, len } => region.push((*start, start + len)),
                Axis::At(id) => match index_and_offset(&self.g, *id) {
                    Some((None, k)) => region.push((k as usize, k as usize + 1)),
                    Some((Some(index), k)) if bounds.contains(&index) && !seen.contains(&index.id) => {
                        seen.push(index.id);
                        region.push((k as usize, k as usize + index.extent));
                    }
                    _ => {
                        return self.fail(
                            Diagnostic::error(
                                codes::BAD_INDEX,
                                "an equation's index is a number or one of its `for` indices",
                                flow.differential.span,
                                "another expression",
                            )
                            .help("write `dx[i] = ... for i in 0..n`"),
                        );
                    }
                },
            }
        }
        match bounds.iter().find(|b| !seen.contains(&b.id)) {
            Some(_) => self.error(
                codes::BAD_INDEX,
                "an index of `for` does not appear on the left of the equation",
                flow.differential.span,
                "would give the same component many equations",
            ),
            None => Ok(region),
        }
    }

    // Linearity in the differentials, on the text so that the offending term can be shown.

    /// Every term has exactly one differential.
    fn check_linear(&mut self, e: &Expr, model: &Model, scope: &Scope) -> Try<()> {
        match &e.kind {
            ExprKind::Binary(BinaryOp::Add | BinaryOp::Sub, a, b) => {
                let (x, y) = (self.check_linear(a, model, scope), self.check_linear(b, model, scope));
                x.and(y)
            }
            ExprKind::Unary(_, a) => self.check_linear(a, model, scope),
            ExprKind::Paren(a) if self.degree(a, model, scope)? != Some(0) => self.check_linear(a, model, scope),
            _ => match self.degree(e, model, scope)? {
                Some(1) => Ok(()),
                Some(0) => self.fail(
                    Diagnostic::error(
                        codes::NO_DIFFERENTIAL,
                        "a term of a flow without a differential",
                        e.span,
                        "neither `dt` nor a noise multiplies this",
                    )
                    .help("drift terms end in `dt`, noise terms in `dW`: `dx = -x dt + dW`"),
                ),
                Some(_) => {
                    let d = Diagnostic::error(codes::TWO_DIFFERENTIALS, "a term of a flow with two differentials", e.span, "a product of differentials")
                        .note("a flow is linear in its differentials; products such as `dW*dW` have a meaning only in the Ito table");
                    let mut uses = Vec::new();
                    self.differentials(e, scope, &mut uses);
                    let unknown = |u: &&Use| u.name != "dt" && !model.noises.iter().any(|n| n.name == u.name[1..]);
                    self.fail(match uses.iter().find(unknown) {
                        Some(u) => d.help(format!(
                            "`{}` is read as the increment of a noise, as nothing of this name is declared",
                            u.name
                        )),
                        None => d,
                    })
                }
                None => self.fail(
                    Diagnostic::error(
                        codes::NO_DIFFERENTIAL,
                        "terms with and without a differential are added here",
                        e.span,
                        "not linear and homogeneous in the differentials",
                    )
                    .help("multiply out, so that every term has exactly one of `dt`, `dW`"),
                ),
            },
        }
    }

    /// The number of differentials in a product; `None` for a sum of terms that differ in it.
    fn degree(&mut self, e: &Expr, model: &Model, scope: &Scope) -> Try<Option<usize>> {
        match &e.kind {
            ExprKind::Name(n) => Ok(Some(usize::from(self.is_differential(n, scope)))),
            ExprKind::Juxtapose { coefficient, differential, .. } => {
                self.known_differential(differential, model, scope)?;
                Ok(self.degree(coefficient, model, scope)?.map(|d| d + 1))
            }
            ExprKind::Paren(a) | ExprKind::Unary(_, a) | ExprKind::Index(a, _) => self.degree(a, model, scope),
            ExprKind::Binary(op, a, b) => {
                let (x, y) = (self.degree(a, model, scope)?, self.degree(b, model, scope)?);
                let (Some(x), Some(y)) = (x, y) else { return Ok(None) };
                match op {
                    BinaryOp::Add | BinaryOp::Sub => Ok((x == y).then_some(x)),
                    BinaryOp::Mul | BinaryOp::MatMul => Ok(Some(x + y)),
                    BinaryOp::Div if y == 0 => Ok(Some(x)),
                    _ if x + y == 0 => Ok(Some(0)),
                    BinaryOp::Pow if x == 0 && matches!(b.kind, ExprKind::Name(_)) => self.fail(
                        Diagnostic::error(
                            codes::NOISE_MISUSE,
                            format!("the `^` before `{}` has no exponent", crate::syntax::print::expr(b)),
                            b.span,
                            "read as the exponent",
                        )
                        .help("write the exponent, as in `x^2 dt`"),
                    ),
                    _ => self.misused(e.span),
                }
            }
            ExprKind::If(c, a, b) => {
                let condition = self.degree(c, model, scope)?;
                if condition != Some(0) {
                    return self.misused(c.span);
                }
                let (x, y) = (self.degree(a, model, scope)?, self.degree(b, model, scope)?);
                Ok(if x == y { x } else { None })
            }
            ExprKind::Comprehension(body, _) => self.degree(body, model, scope),
            ExprKind::List(items) => {
                let mut all = Vec::new();
                for item in items {
                    all.push(self.degree(item, model, scope)?);
                }
                Ok(all
                    .first()
                    .copied()
                    .flatten()
                    .filter(|d| all.iter().all(|x| *x == Some(*d)))
                    .or(if all.is_empty() { Some(0) } else { None }))
            }
            ExprKind::Call(f, args) => {
                let mut total = Some(0);
                for arg in args {
                    total = self.degree(&arg.value, model, scope)?.and_then(|d| total.map(|t: usize| t.max(d)));
                }
                let linear = matches!(&f.kind, ExprKind::Name(n) if matches!(n.as_str(), "sum" | "avg" | "roll" | "append" | "dot"));
                if total != Some(0) && !linear { self.misused(e.span) } else { Ok(total) }
            }
            _ => Ok(Some(0)),
        }
    }

    fn misused<T>(&mut self, span: Span) -> Try<T> {
        self.fail(
            Diagnostic::error(
                codes::NOISE_MISUSE,
                "a differential inside an expression that is not linear in it",
                span,
                "not a sum of products",
            )
            .note("the right side of a flow is linear in `dt` and the noises: sums, products and `@` only"),
        )
    }

    /// Whether a name in a flow is a differential: `dt`, or `d` and a name that is no value itself.
    fn is_differential(&mut self, name: &str, scope: &Scope) -> bool {
        let long = name.chars().count() > 1 && name.starts_with('d');
        let known = matches!(scope.get(name), Some(Entry::Value(..) | Entry::OpenSize(_)));
        let value = name != "dt" && (known || !self.library.lookup_in(name, scope.in_library()).is_empty());
        let table =
            crate::model::functions::lookup(name).is_some() || crate::model::distributions::lookup(name).is_some();
        long && !value && !table
    }

    /// `dF` of a state or a `let` is a later stage; `e dname` of a plain value is a slip.
    fn known_differential(&mut self, differential: &ast::Ident, model: &Model, scope: &Scope) -> Try<()> {
        let name = &differential.name[1..];
        if name == "t" || model.noises.iter().any(|n| n.name == name) {
            return Ok(());
        }
        if model.states.iter().any(|s| s.name == name) || model.lets.iter().any(|l| l.0 == name) {
            return self.unsupported(
                &format!("the differential `{}` of a state or a `let` on the right of a flow", differential.name),
                differential.span,
            );
        }
        if self.is_differential(&differential.name, scope) {
            return Ok(());
        }
        self.fail(
            Diagnostic::error(
                codes::NOISE_MISUSE,
                format!("`{}` is a value, not a differential", differential.name),
                differential.span,
                "stands where a differential would",
            )
            .help("a product needs its `*`"),
        )
    }

    // Noises that are not declared.

    fn implicit_noises(
        &mut self,
        e: &Expr,
        element: &[usize],
        model: &mut Model,
        scope: &Scope,
        span: Span,
    ) -> Try<()> {
        let mut uses = Vec::new();
        self.differentials(e, scope, &mut uses);
        for used in uses {
            let name = used.name[1..].to_string();
            if name == "t" {
                continue;
            }
            if matches!(scope.get(&used.name), Some(Entry::Broken)) {
                return Err(Reported);
            }
            if let Some(noise) = model.noises.iter().find(|n| n.name == name) {
                if !noise.declared && !span_contains(span, noise.span) {
                    return self.fail(shared_noise(noise, used.span));
                }
                continue;
            }
            if model.states.iter().any(|s| s.name == name) || model.lets.iter().any(|l| l.0 == name) {
                return self.unsupported(
                    &format!("the differential `{}` of a state or a `let` on the right of a flow", used.name),
                    used.span,
                );
            }
            let shape = self.implicit_shape(&used, element, scope)?;
            self.add_noise(model, &name, used.span, shape, None, false);
        }
        Ok(())
    }

    /// The shape of an undeclared noise: that of its term.
    fn implicit_shape(&mut self, used: &Use, element: &[usize], scope: &Scope) -> Try<Vec<usize>> {
        if let Some(matrix) = &used.matrix {
            let b = self.real_expr(matrix, scope)?;
            return Ok(self.g.shape(b).last().map(|n| vec![*n]).unwrap_or_default());
        }
        let mut shape = Vec::new();
        for sub in &used.subs {
            let extent = match sub {
                Sub::All(_) => None,
                Sub::At(e) => {
                    let value = self.expr(e, scope)?;
                    let id = self.num(&value, e.span)?;
                    match index_and_offset(&self.g, id) {
                        Some((Some(index), k)) => Some((index.extent as i64 + k) as usize),
                        _ => None,
                    }
                }
            };
            let Some(extent) = extent else {
                return self.fail(
                    Diagnostic::error(
                        codes::SIZE_UNKNOWN,
                        format!("the size of the noise `{}` cannot be told from its use", &used.name[1..]),
                        used.span,
                        "indexed here",
                    )
                    .help(format!("declare it: `noise {}: wiener[n]`", &used.name[1..])),
                );
            };
            shape.push(extent);
        }
        shape.extend_from_slice(element);
        Ok(shape)
    }

    fn differentials(&mut self, e: &Expr, scope: &Scope, out: &mut Vec<Use>) {
        match &e.kind {
            ExprKind::Name(n) if self.is_differential(n, scope) => {
                out.push(Use { name: n.clone(), span: e.span, subs: Vec::new(), matrix: None });
            }
            ExprKind::Index(a, subs) => match &a.kind {
                ExprKind::Name(n) if self.is_differential(n, scope) => {
                    out.push(Use { name: n.clone(), span: a.span, subs: subs.clone(), matrix: None });
                }
                _ => self.differentials(a, scope, out),
            },
            ExprKind::Juxtapose { coefficient, differential, subs, .. } => {
                self.differentials(coefficient, scope, out);
                if self.is_differential(&differential.name, scope) {
                    out.push(Use {
                        name: differential.name.clone(),
                        span: differential.span,
                        subs: subs.clone(),
                        matrix: None,
                    });
                }
            }
            ExprKind::Binary(BinaryOp::MatMul, a, b) => {
                self.differentials(a, scope, out);
                let before = out.len();
                self.differentials(b, scope, out);
                for used in &mut out[before..] {
                    used.matrix = Some((**a).clone());
                }
            }
            ExprKind::Paren(a) | ExprKind::Unary(_, a) | ExprKind::Comprehension(a, _) => {
                self.differentials(a, scope, out)
            }
            ExprKind::Binary(_, a, b) => {
                self.differentials(a, scope, out);
                self.differentials(b, scope, out);
            }
            ExprKind::If(_, a, b) => {
                self.differentials(a, scope, out);
                self.differentials(b, scope, out);
            }
            ExprKind::List(items) => items.iter().for_each(|i| self.differentials(i, scope, out)),
            ExprKind::Call(_, args) => args.iter().for_each(|a| self.differentials(&a.value, scope, out)),
            _ => {}
        }
    }

    // Putting the equations of a state together.

    /// Gives each state the whole right side of its equations; components without one, or with two, are errors.
    pub fn assemble_flows(&mut self, model: &mut Model, equations: Vec<Equation>) -> Try<()> {
        let mut broken = false;
        for k in 0..model.states.len() {
            let own: Vec<&Equation> = equations.iter().filter(|e| e.state == k).collect();
            if own.is_empty() {
                continue;
            }
            broken |= self.check_cover(&model.states[k], &own).is_err();
            if broken {
                continue;
            }
            let mixed: Vec<_> = model.noises.iter().filter_map(|n| n.mixed).flatten().collect();
            let mut whole: Option<Id> = None;
            for group in groups(&own) {
                let flow = self.grouped(&group, &model.states[k].shape.clone());
                let independent = self.g.substitute_vars(&[flow], &mixed)[0];
                whole = Some(match whole {
                    None => flow,
                    Some(sum) => self.elementwise_raw(&[sum, flow], |g, a| g.op(Op::Add, a)),
                });
                let state = &model.states[k];
                let (name, span) = match &group[0].part {
                    Some(part) => (part.name.clone(), part.span),
                    None => (state.name.clone(), group[0].span),
                };
                match model.parts.iter_mut().find(|p| p.name == name) {
                    Some(part) => part.flows.push((k, independent)),
                    None => model.parts.push(Part { name, span, flows: vec![(k, independent)] }),
                }
            }
            model.states[k].written = whole;
            model.states[k].flow = whole.map(|flow| self.g.substitute_vars(&[flow], &mixed)[0]);
            model.states[k].flow_span = Some(own[0].span);
        }
        if broken { Err(Reported) } else { Ok(()) }
    }

    /// `part A { dx = ... }`: equations that are added to those of the other parts.
    pub fn part(
        &mut self,
        name: &ast::Ident,
        statements: &[ast::ModelStmt],
        model: &mut Model,
        scope: &Scope,
        equations: &mut Vec<Equation>,
    ) -> Try<()> {
        if let Some(first) = equations.iter().find_map(|e| e.part.as_ref().filter(|p| p.name == name.name)) {
            return self.fail(
                Diagnostic::error(
                    codes::DUPLICATE_NAME,
                    format!("two parts `{}`", name.name),
                    name.span,
                    "a second one",
                )
                .label(first.span, "the first")
                .help("put the equations together, or give one of the parts another name"),
            );
        }
        let inner = scope.child();
        let mut broken = false;
        for statement in statements {
            broken |= match statement {
                ast::ModelStmt::Flow(flow) => self.flow(flow, model, &inner).map(|equation| {
                    equations.push(Equation { part: Some(name.clone()), ..equation });
                }),
                ast::ModelStmt::Let(l) => self.define_let(l, &inner).map(|_| ()),
                _ => unreachable!("the grammar has flows and lets in parts"),
            }
            .is_err();
        }
        if broken { Err(Reported) } else { Ok(()) }
    }

    /// The right side of some equations of one part for a state.
    fn grouped(&mut self, group: &[&Equation], shape: &[usize]) -> Id {
        let mut whole: Option<Id> = None;
        for equation in group.iter().rev() {
            whole = Some(self.spread(equation, shape, whole));
        }
        whole.expect("a group has an equation")
    }

    fn check_cover(&mut self, state: &crate::model::system::State, own: &[&Equation]) -> Try<()> {
        let same = |a: &Equation, b: &Equation| a.part.as_ref().map(|p| &p.name) == b.part.as_ref().map(|p| &p.name);
        let overlap = |a: &Equation, b: &Equation| {
            same(a, b) && a.region.iter().zip(&b.region).all(|(x, y)| x.0 < y.1 && y.0 < x.1)
        };
        for (i, a) in own.iter().enumerate() {
            if let Some(b) = own[i + 1..].iter().find(|b| overlap(a, b)) {
                let (name, first, second) = (state.name.clone(), a.span, b.span);
                return self.fail(
                    Diagnostic::error(
                        codes::TWO_EQUATIONS,
                        format!("two equations for `{name}`"),
                        second,
                        "a second equation",
                    )
                    .label(first, "the first equation")
                    .help("add the terms in one equation, or index the components that each equation moves"),
                );
            }
        }
        let volume: usize = own.iter().map(|e| e.region.iter().map(|(a, b)| b - a).product::<usize>()).sum();
        let parted = own.iter().any(|e| e.part.is_some());
        if volume == state.shape.iter().product::<usize>() && !parted {
            return Ok(());
        }
        let total: usize = state.shape.iter().product();
        let missing = (0..total)
            .map(|flat| crate::model::indexing::unravel(flat, &state.shape))
            .find(|at| !own.iter().any(|e| e.region.iter().zip(at).all(|((a, b), i)| a <= i && i < b)));
        if parted && missing.is_none() {
            return Ok(());
        }
        let text = missing.unwrap_or_default().iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
        let (name, span, first) = (state.name.clone(), state.span, own[0].span);
        self.fail(
            Diagnostic::error(
                codes::MISSING_EQUATION,
                format!("the component `{name}[{text}]` has no equation"),
                span,
                format!("of shape {}", shape_text(&state.shape)),
            )
            .label(first, "equations are given for other components only")
            .help(format!("add `d{name}[{text}] = ...`; a component that does not move has `0 dt`"))
            .fix(
                format!("add `d{name}[{text}] = 0 dt`"),
                Edit::StatementBefore(first, format!("d{name}[{text}] = 0 dt")),
            ),
        )
    }

    /// An equation's right side over the whole state, `rest` elsewhere.
    fn spread(&mut self, equation: &Equation, shape: &[usize], rest: Option<Id>) -> Id {
        let whole = equation.region.iter().zip(shape).all(|((a, b), n)| *a == 0 && b == n);
        self.tabulate(shape, |s, at| {
            let mut inner = Vec::new();
            let mut pairs = Vec::new();
            let mut inside: Option<Id> = None;
            for ((axis, i), (lo, hi)) in equation.axes.iter().zip(at).zip(&equation.region) {
                let low = s.g.int(*lo as i64);
                let shifted = if *lo == 0 { *i } else { s.g.op(Op::Sub, &[*i, low]) };
                match axis {
                    Axis::Slice { .. } => inner.push(shifted),
                    Axis::At(id) => {
                        if let Some((Some(index), _)) = index_and_offset(&s.g, *id) {
                            pairs.push((index.id, shifted));
                        }
                    }
                }
                let high = s.g.int(*hi as i64);
                let (above, below) = (s.g.op(Op::Le, &[low, *i]), s.g.op(Op::Lt, &[*i, high]));
                let here = s.g.op(Op::And, &[above, below]);
                inside = Some(match inside {
                    None => here,
                    Some(other) => s.g.op(Op::And, &[other, here]),
                });
            }
            let element = s.element(equation.rhs, &inner);
            let value = s.g.substitute_indices(&[element], &pairs)[0];
            match (whole, inside, rest) {
                (false, Some(inside), Some(rest)) => {
                    let other = s.element(rest, at);
                    s.g.op(Op::Select, &[inside, value, other])
                }
                (false, Some(inside), None) => {
                    let zero = s.g.real(0.0);
                    s.g.op(Op::Select, &[inside, value, zero])
                }
                _ => value,
            }
        })
    }
}

/// The equations of a state by their parts, in the order of the text.
fn groups<'e>(own: &[&'e Equation]) -> Vec<Vec<&'e Equation>> {
    let name = |e: &Equation| e.part.as_ref().map(|p| p.name.clone());
    let mut all: Vec<Vec<&Equation>> = Vec::new();
    for equation in own {
        match all.iter_mut().find(|g| name(g[0]) == name(equation)) {
            Some(group) => group.push(equation),
            None => all.push(vec![equation]),
        }
    }
    all
}

/// A use of a differential in an equation.
struct Use {
    name: String,
    span: Span,
    subs: Vec<Sub>,
    /// the matrix on its left, in `B @ dW`
    matrix: Option<Expr>,
}

fn span_contains(outer: Span, inner: Span) -> bool {
    outer.file == inner.file && outer.start <= inner.start && inner.end <= outer.end
}

/// `index + constant`, or a constant.
fn index_and_offset(g: &crate::math::Graph, id: Id) -> Option<(Option<IndexVar>, i64)> {
    match g.node(id) {
        Node::Int(n) if *n >= 0 => Some((None, *n)),
        Node::Index(i) => Some((Some(*i), 0)),
        Node::Op(Op::Add, args) => match (index_and_offset(g, args[0])?, index_and_offset(g, args[1])?) {
            ((Some(i), a), (None, b)) | ((None, a), (Some(i), b)) => Some((Some(i), a + b)),
            ((None, a), (None, b)) => Some((None, a + b)),
            _ => None,
        },
        _ => None,
    }
}

/// The same expression with `e dW[i]` as `e*dW[i]`, and `e ∘ dW` as `e*∘dW` (a name that no text can spell).
fn without_juxtaposition(e: &Expr) -> Expr {
    let map = |e: &Expr| Box::new(without_juxtaposition(e));
    let kind = match &e.kind {
        ExprKind::Juxtapose { coefficient, stratonovich, differential, subs } => {
            let name = if *stratonovich { format!("∘{}", differential.name) } else { differential.name.clone() };
            let mut d = Expr { kind: ExprKind::Name(name), span: differential.span };
            if !subs.is_empty() {
                d = Expr { kind: ExprKind::Index(Box::new(d), subs.clone()), span: differential.span };
            }
            ExprKind::Binary(BinaryOp::Mul, map(coefficient), Box::new(d))
        }
        ExprKind::Paren(a) => ExprKind::Paren(map(a)),
        ExprKind::Unary(op, a) => ExprKind::Unary(*op, map(a)),
        ExprKind::Binary(op, a, b) => ExprKind::Binary(*op, map(a), map(b)),
        ExprKind::If(c, a, b) => ExprKind::If(c.clone(), map(a), map(b)),
        ExprKind::List(items) => ExprKind::List(items.iter().map(without_juxtaposition).collect()),
        ExprKind::Comprehension(a, comp) => ExprKind::Comprehension(map(a), comp.clone()),
        ExprKind::Call(f, args) => ExprKind::Call(
            f.clone(),
            args.iter()
                .map(|a| ast::Arg {
                    name: a.name.clone(),
                    value: without_juxtaposition(&a.value),
                    comp: a.comp.clone(),
                })
                .collect(),
        ),
        other => other.clone(),
    };
    Expr { kind, span: e.span }
}

/// A noise that two equations use and nothing declares.
fn shared_noise(noise: &Noise, again: Span) -> Diagnostic {
    let name = &noise.name;
    let size = if noise.shape.is_empty() { String::new() } else { format!("{:?}", noise.shape) };
    let declaration = format!("noise {name}: wiener{size}");
    let message = format!("the noise `{name}` is used in two equations without a declaration");
    let other = if name == "B" { "W" } else { "B" };
    let help = format!(
        "one noise for both is declared: `noise {name}: wiener`; independent ones have names of their own, as `d{name}` and \
         `d{other}`"
    );
    Diagnostic::error(codes::SHARED_NOISE, message, again, "used again")
        .label(noise.span, "used here")
        .note("whether the two share one noise or have independent ones is yours to say")
        .help(help)
        .fix(format!("declare the noise `{name}`, shared"), Edit::StatementBefore(noise.span, declaration))
        .fix(format!("make it another noise, `{name}2`"), Edit::Replace(again, format!("d{name}2")))
}
