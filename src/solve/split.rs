//! Splitting: the parts of a model, each moved by a solver of its own for a share of the step, while the other states stand
//! still (R. I. McLachlan, G. R. W. Quispel, Acta Numerica 11, 2002; for Langevin dynamics B. Leimkuhler, C. Matthews,
//! Molecular Dynamics, 2015, chapter 7).
//!
//! A part is a model with fewer equations. Its step is made like any other and then put in its place: its states are what
//! the pieces before it left, its clock is the part's own, its draws are told from those of the other pieces by their turn.

use std::collections::HashMap;

use crate::calculus::system::open;
use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Id, Node, Op, VarId, VarKind};
use crate::model::elab::{Elab, Try};
use crate::model::split::{Piece, Split};
use crate::model::system::{LEVY_SITE, Model, Noise, Part};
use crate::model::value::AppliedSolver;
use crate::solve::form::{Form, Structured};
use crate::solve::rule::Step;
use crate::source::Span;

/// Of noises with more components it is not asked which of them a part meets.
const MOST_COMPONENTS: usize = 64;

/// How far the shares of a part may be from one in all.
const ROUNDING: f64 = 1e-12;

/// Where a piece stands: what its part has moved through before and after it, as shares of the step, and its place among
/// the pieces.
struct Placing {
    begin: Id,
    end: Id,
    share: Id,
    turn: usize,
    count: usize,
}

fn shared(noise: &Noise, a: &Part, b: &Part, span: Span) -> Diagnostic {
    let message = format!("the parts `{}` and `{}` share the noise `{}`", a.name, b.name, noise.name);
    Diagnostic::error(codes::SOLVER_MISFIT, message, span, "splits them")
        .label(a.span, "one part")
        .label(b.span, "the other")
        .help("put the equations that a noise drives into one part")
}

impl Elab<'_> {
    /// The step of a splitting solver.
    pub fn split_step(&mut self, solver: &AppliedSolver, split: &Split, model: &Model) -> Try<Step> {
        self.check_split(split, model, solver.span)?;
        let mut current: HashMap<VarId, Id> = HashMap::new();
        let mut clocks: HashMap<String, Id> = HashMap::new();
        let zero = self.g.real(0.0);
        let mut whole = Step::plain(&solver.name, Form::Ito, Vec::new());
        for (turn, piece) in split.pieces.iter().enumerate() {
            let part = model.parts.iter().find(|p| p.name == piece.part.name).expect("checked before").clone();
            let step = self.part_step(&part, split, model)?;
            let begin = *clocks.entry(part.name.clone()).or_insert(zero);
            let end = self.g.op(Op::Add, &[begin, piece.share]);
            clocks.insert(part.name.clone(), end);
            let values: Vec<Id> = step.renew.iter().map(|r| r.1).collect();
            let place = Placing { begin, end, share: piece.share, turn, count: split.pieces.len() };
            let values = self.placed(&values, &current, &place, piece)?;
            whole.parts.extend(self.noise_parts(&step, &place, piece)?);
            for ((var, _), value) in step.renew.iter().zip(values) {
                current.insert(*var, value);
            }
            whole.implicit |= step.implicit;
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
        self.shared_noise(model, span)?;
        self.backward_noise(split, model)
    }

    /// A noise has no law backwards in time.
    fn backward_noise(&mut self, split: &Split, model: &Model) -> Try<()> {
        let env = self.default_env();
        for piece in &split.pieces {
            let value = self.cheap_value(piece.share, &env).map_or(0.0, |v| v.values[0]);
            let part = model.parts.iter().find(|p| p.name == piece.part.name).expect("checked before");
            let noisy = |s: &Self, n: &Noise| {
                part.flows.iter().any(|(_, rhs)| s.g.depends_on(*rhs, n.var) || s.g.depends_on(*rhs, n.strat))
            };
            if value < 0.0 && model.noises.iter().any(|n| noisy(self, n)) {
                return self.fail(
                    Diagnostic::error(
                        codes::SOLVER_MISFIT,
                        format!("the part `{}` goes {} steps back, and it has noise", part.name, -value),
                        piece.part.span,
                        "a negative share",
                    )
                    .label(part.span, "the part")
                    .note("a Wiener process cannot be followed backwards from its end")
                    .help("let only parts without noise go back, or take a splitting with positive shares"),
                );
            }
        }
        Ok(())
    }

    /// Two parts with one noise cannot be moved one after the other: the noise is one process.
    fn shared_noise(&mut self, model: &Model, span: Span) -> Try<()> {
        for noise in &model.noises {
            let mut owners: Vec<Option<&Part>> = vec![None; noise.shape.iter().product()];
            for part in &model.parts {
                for (owner, used) in owners.iter_mut().zip(self.components_used(part, noise)) {
                    match owner {
                        Some(other) if used => return self.fail(shared(noise, other, part, span)),
                        None if used => *owner = Some(part),
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }

    /// Which components of a noise the equations of a part meet.
    fn components_used(&mut self, part: &Part, noise: &Noise) -> Vec<bool> {
        let count: usize = noise.shape.iter().product();
        let flows: Vec<Id> = part.flows.iter().map(|f| f.1).collect();
        let seen = |s: &Self, v: VarId| flows.iter().any(|rhs| s.g.depends_on(*rhs, v));
        let vars: Vec<VarId> = [noise.var, noise.strat].into_iter().filter(|v| seen(self, *v)).collect();
        if vars.is_empty() || count > MOST_COMPONENTS {
            return vec![!vars.is_empty(); count];
        }
        let mut used = vec![false; count];
        for (rhs, var) in flows.iter().flat_map(|rhs| vars.iter().map(|v| (*rhs, *v))).collect::<Vec<_>>() {
            let shape = self.g.shape(rhs).to_vec();
            let (_, at) = open(&mut self.g, &shape);
            let element = self.element(rhs, &at);
            for (k, used) in used.iter_mut().enumerate() {
                let place = if noise.shape.is_empty() { Vec::new() } else { vec![self.g.int(k as i64)] };
                let slope = self.g.partial(element, var, &place);
                let clean = crate::math::clean(&mut self.g, &[slope]).map_or(slope, |c| c[0]);
                *used |= !crate::calculus::structure::is_nothing(&self.g, clean);
            }
        }
        used
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
        let mut own = Vec::new();
        for (k, state) in model.states.iter().enumerate() {
            if let Some(flow) = flows.get(&k) {
                own.push((states.len(), *flow));
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
            // in shares of its own, where a splitting of the part is named
            parts: vec![Part { flows: own, ..part.clone() }],
        }
    }

    /// The values of a part's step where it stands among the pieces.
    fn placed(&mut self, values: &[Id], current: &HashMap<VarId, Id>, place: &Placing, piece: &Piece) -> Try<Vec<Id>> {
        let (t, dt) = (self.g.var(self.time), self.g.var(self.dt));
        let moment = |s: &mut Self, c: Id| {
            let passed = s.g.op(Op::Mul, &[c, dt]);
            s.g.op(Op::Add, &[t, passed])
        };
        let (from, to) = (moment(self, place.begin), moment(self, place.end));
        let length = self.g.op(Op::Mul, &[place.share, dt]);
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
            let turn = match site {
                _ if site < LEVY_SITE => self.noise_turn(own, place),
                _ => u16::try_from(usize::from(own) * place.count + place.turn).ok(),
            };
            let Some(turn) = turn else {
                return self.unsupported("loops of so many turns in a split step", piece.part.span);
            };
            // Parts that meet different components of one noise meet one draw.
            let known = current.values().flat_map(|id| self.g.vars_of(*id)).copied().find(|v| {
                matches!(&self.g.var_info(*v).kind, VarKind::Draw { site: s, turn: n, .. } if (*s, *n) == (site, turn))
            });
            let of_piece = known.unwrap_or_else(|| match turn == own {
                true => var,
                false => self.g.new_var(info.name, VarKind::Draw { base, site, turn }, info.ty, info.shape),
            });
            if of_piece != var {
                let node = self.g.var(of_piece);
                pairs.push((var, node));
            }
        }
        Ok(self.g.substitute_vars(&moved, &pairs))
    }

    /// The turn of a Wiener process in a piece: 0 where it is met over the whole step, so that runs of other step sizes and
    /// solvers share it, and a turn of its own otherwise.
    fn noise_turn(&mut self, own: u16, place: &Placing) -> Option<u16> {
        match own {
            0 if self.is_whole_step(place) => Some(0),
            _ => u16::try_from(1 + usize::from(own) * place.count + place.turn).ok(),
        }
    }

    fn is_whole_step(&mut self, place: &Placing) -> bool {
        [(place.begin, 0.0), (place.end, 1.0)].into_iter().all(|(id, wanted)| {
            let clean = crate::math::clean(&mut self.g, &[id]).map_or(id, |c| c[0]);
            matches!(self.g.node(clean), Node::Real(bits) if f64::from_bits(*bits) == wanted)
        })
    }

    /// The parts of the whole step over which a piece meets the noise, with their turns.
    fn noise_parts(&mut self, step: &Step, place: &Placing, piece: &Piece) -> Try<Vec<(u16, [Id; 2])>> {
        let whole = (0, [self.g.real(0.0), self.g.real(1.0)]);
        let mut all = Vec::new();
        for (own, ends) in [&[whole], step.parts.as_slice()].concat() {
            let ends = ends.map(|end| {
                let passed = self.g.op(Op::Mul, &[place.share, end]);
                self.g.op(Op::Add, &[place.begin, passed])
            });
            match self.noise_turn(own, place) {
                Some(0) => {}
                Some(turn) => all.push((turn, ends)),
                None => return self.unsupported("splittings of so many pieces", piece.part.span),
            }
        }
        Ok(all)
    }

    /// Tries something whose problems nobody is to hear of.
    fn silently<T>(&mut self, f: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.diagnostics.len();
        let result = f(self);
        self.diagnostics.truncate(before);
        result
    }
}
