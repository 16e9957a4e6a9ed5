//! Splitting: the parts of a model, each moved by a solver of its own for a share of the step, while the other states stand
//! still (R. I. McLachlan, G. R. W. Quispel, Acta Numerica 11, 2002; for Langevin dynamics B. Leimkuhler, C. Matthews,
//! Molecular Dynamics, 2015, chapter 7).
//!
//! A part is a model with fewer equations. Its step is made like any other and then put in its place: its states are what
//! the pieces before it left, its clock is the part's own, its draws are told from those of the other pieces by their turn.

use std::collections::HashMap;

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Id, Op, VarId, VarKind};
use crate::model::elab::{Elab, Try};
use crate::model::split::{Piece, Split};
use crate::model::system::{Model, Part};
use crate::model::value::AppliedSolver;
use crate::solve::form::{Form, Structured};
use crate::solve::rule::{Orders, Step};
use crate::source::Span;

/// How far the shares of a part may be from one in all.
const ROUNDING: f64 = 1e-12;

impl Elab<'_> {
    /// The step of a splitting solver.
    pub fn split_step(&mut self, solver: &AppliedSolver, split: &Split, model: &Model) -> Try<Step> {
        self.check_split(split, model, solver.span)?;
        let mut current: HashMap<VarId, Id> = HashMap::new();
        let mut clocks: HashMap<String, Id> = HashMap::new();
        let zero = self.g.real(0.0);
        let mut whole = Step {
            solver: solver.name.clone(),
            renew: Vec::new(),
            memory: Vec::new(),
            acceptance: None,
            orders: Orders::default(),
            part_of_step: None,
            why: None,
            form: Form::Ito,
            estimate: None,
        };
        for (turn, piece) in split.pieces.iter().enumerate() {
            let part = model.parts.iter().find(|p| p.name == piece.part.name).expect("checked before").clone();
            let step = self.part_step(&part, split, model)?;
            let begin = *clocks.entry(part.name.clone()).or_insert(zero);
            let end = self.g.op(Op::Add, &[begin, piece.share]);
            clocks.insert(part.name.clone(), end);
            let values: Vec<Id> = step.renew.iter().map(|r| r.1).collect();
            let values =
                self.placed(&values, &current, [begin, end, piece.share], (turn, split.pieces.len()), piece)?;
            for ((var, _), value) in step.renew.iter().zip(values) {
                current.insert(*var, value);
            }
            whole.memory.extend(step.memory);
            whole.part_of_step = whole.part_of_step.or(step.part_of_step);
            if let Some(both) = step.acceptance {
                whole.acceptance = Some(both);
            }
        }
        // In the order of the states, so that equal programs are the same text.
        let mut renew: Vec<(VarId, Id)> = current.into_iter().collect();
        renew.sort_by_key(|r| r.0);
        whole.renew = renew;
        Ok(whole)
    }

    fn check_split(&mut self, split: &Split, model: &Model, span: Span) -> Try<()> {
        let known: Vec<&str> = model.parts.iter().map(|p| p.name.as_str()).collect();
        let named = split.pieces.iter().map(|p| &p.part).chain(split.rules.iter().map(|r| &r.0));
        if let Some(part) = named.clone().find(|p| !known.contains(&p.name.as_str())) {
            let d = Diagnostic::error(
                codes::SOLVER_MISFIT,
                format!("the model `{}` has no part `{}`", model.name, part.name),
                part.span,
                "no such part",
            );
            let near = crate::diagnostics::suggest(&part.name, known.iter().copied());
            let d = d.note(format!("its parts are {}", known.join(", ")));
            return self.fail(if near.is_empty() {
                d.help(
                    "parts are written `part A { dx = ... }`; an equation outside of them is a part named by its state",
                )
            } else {
                d.did_you_mean(&near, part.span)
            });
        }
        for part in &model.parts {
            let shares: Vec<Id> = split.pieces.iter().filter(|p| p.part.name == part.name).map(|p| p.share).collect();
            if shares.is_empty() {
                return self.fail(
                    Diagnostic::error(
                        codes::SOLVER_MISFIT,
                        format!("the part `{}` is left out of the step", part.name),
                        span,
                        "this splitting",
                    )
                    .label(part.span, "the part"),
                );
            }
            let zero = self.g.real(0.0);
            let total = shares.into_iter().fold(zero, |sum, s| self.g.op(Op::Add, &[sum, s]));
            let value = self.cheap_value(total, &self.default_env()).map(|v| v.values[0]);
            if let Some(value) = value
                && (value - 1.0).abs() > ROUNDING
            {
                return self.fail(
                    Diagnostic::error(
                        codes::SOLVER_MISFIT,
                        format!("the shares of `{}` add up to {value} steps, and not to one", part.name),
                        span,
                        "this splitting",
                    )
                    .help("a part that comes twice has half a step each time: `[B/2, A, B/2]`"),
                );
            }
        }
        self.shared_noise(model, span)
    }

    /// Two parts with one noise cannot be moved one after the other: the noise is one process.
    fn shared_noise(&mut self, model: &Model, span: Span) -> Try<()> {
        for noise in &model.noises {
            let uses = |s: &Self, p: &Part| {
                p.flows.iter().any(|(_, rhs)| s.g.depends_on(*rhs, noise.var) || s.g.depends_on(*rhs, noise.strat))
            };
            let with: Vec<&Part> = model.parts.iter().filter(|p| uses(self, p)).collect();
            if let [a, b, ..] = with.as_slice() {
                return self.fail(
                    Diagnostic::error(
                        codes::SOLVER_MISFIT,
                        format!("the parts `{}` and `{}` share the noise `{}`", a.name, b.name, noise.name),
                        span,
                        "splits them",
                    )
                    .label(a.span, "one part")
                    .label(b.span, "the other")
                    .help("put the equations that a noise drives into one part"),
                );
            }
        }
        Ok(())
    }

    /// The step of a part by itself, for a whole step.
    fn part_step(&mut self, part: &Part, split: &Split, model: &Model) -> Try<Step> {
        let own = self.part_model(part, model);
        let structured = self.structured(&own);
        let named = split.rules.iter().find(|r| r.0.name == part.name).map(|r| r.1.clone());
        let solver = match named {
            Some(solver) => solver,
            None => {
                let exact = AppliedSolver::named("exact", Vec::new(), part.span);
                let fits = self.silently(|s| s.choose(&exact, &own, &structured).is_ok());
                let name = if fits && !self.is_frozen(&own, &structured) { "exact" } else { "euler_maruyama" };
                AppliedSolver::named(name, Vec::new(), part.span).into()
            }
        };
        if let Some(inner) = solver.split.clone() {
            return self.split_step(&solver, &inner, &own);
        }
        self.step(&solver, &own, &structured)
    }

    /// Whether what moves a part does not change while it moves: Euler's rule is then exact.
    fn is_frozen(&self, own: &Model, structured: &Structured) -> bool {
        let system = &structured.system;
        let all = structured.structure.ito.iter().chain(&system.diffusion);
        let vars: Vec<VarId> = own.states.iter().map(|s| s.var).chain([system.time]).collect();
        all.into_iter().all(|id| !vars.iter().any(|v| self.g.depends_on(*id, *v)))
    }

    /// A part as a model.
    fn part_model(&mut self, part: &Part, model: &Model) -> Model {
        let flows: HashMap<usize, Id> = part.flows.iter().copied().collect();
        let mut states = Vec::new();
        for (k, state) in model.states.iter().enumerate() {
            if let Some(flow) = flows.get(&k) {
                let mut state = state.clone();
                (state.flow, state.flow_span) = (Some(*flow), Some(part.span));
                states.push(state);
            }
        }
        let uses = |noise: &&crate::model::system::Noise| {
            flows.values().any(|f| self.g.depends_on(*f, noise.var) || self.g.depends_on(*f, noise.strat))
        };
        let noises = model.noises.iter().filter(uses).cloned().collect();
        Model {
            name: format!("{}.{}", model.name, part.name),
            span: part.span,
            states,
            noises,
            lets: Vec::new(),
            alpha: model.alpha,
            dt: model.dt,
            scope: model.scope.clone(),
            target: None,
            law: None,
            parts: Vec::new(),
        }
    }

    /// The values of a part's step where it stands among the pieces.
    fn placed(
        &mut self,
        values: &[Id],
        current: &HashMap<VarId, Id>,
        [begin, end, share]: [Id; 3],
        (turn, count): (usize, usize),
        piece: &Piece,
    ) -> Try<Vec<Id>> {
        let (t, dt) = (self.g.var(self.time), self.g.var(self.dt));
        let moment = |s: &mut Self, c: Id| {
            let passed = s.g.op(Op::Mul, &[c, dt]);
            s.g.op(Op::Add, &[t, passed])
        };
        let (from, to) = (moment(self, begin), moment(self, end));
        let length = self.g.op(Op::Mul, &[share, dt]);
        let mut pairs: Vec<(VarId, Id)> = current.iter().map(|(var, id)| (*var, *id)).collect();
        pairs.extend([(self.time, from), (self.time_next, to), (self.dt, length)]);
        let mut pairs = self.with_draws(values, pairs);
        let moved = self.g.substitute_vars(values, &pairs);
        let mut draws: Vec<VarId> = moved.iter().flat_map(|id| self.g.vars_of(*id).to_vec()).collect();
        draws.sort_unstable();
        draws.dedup();
        pairs.clear();
        for var in draws {
            let info = self.g.var_info(var).clone();
            let VarKind::Draw { base, site, turn: own } = info.kind else { continue };
            // those of the pieces before have their turns
            if current.values().any(|id| self.g.depends_on(*id, var)) {
                continue;
            }
            let Ok(turn) = u16::try_from(usize::from(own) * count + turn) else {
                return self.unsupported("loops of so many turns in a split step", piece.part.span);
            };
            if turn == own {
                continue;
            }
            let kind = VarKind::Draw { base, site, turn };
            let fresh = self.g.new_var(info.name, kind, info.ty, info.shape);
            let node = self.g.var(fresh);
            pairs.push((var, node));
        }
        Ok(self.g.substitute_vars(&moved, &pairs))
    }

    /// Tries something whose problems nobody is to hear of.
    fn silently<T>(&mut self, f: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.diagnostics.len();
        let result = f(self);
        self.diagnostics.truncate(before);
        result
    }
}
