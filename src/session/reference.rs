//! Programs held against the plain evaluator of the raw graph, which knows nothing of the simplifier, of symbolic
//! derivatives, of lowering and of back ends.
//!
//! The interpreter takes a few paths along; at each step the start, the step and what the statements observe are worked
//! out once more from the raw nodes, at the same states, draws and parameters. The two agree within rounding: a value
//! may differ by [`ROUNDING`] of `1 + |value|`, and by as much as it moves when each input moves by [`ROUNDING`] of its
//! size (the condition of the formula; draws and the clock count as inputs).

use std::sync::Arc;

use crate::backend;
use crate::diagnostics::Diagnostic;
use crate::kernels::normal::{self, Coord, Key};
use crate::math::array::Array;
use crate::math::eval::{Env, eval, eval_all};
use crate::math::{Base, Graph, Id, Sampler, VarId, VarKind};
use crate::model::elab::{Elab, Try};
use crate::runtime::memory::Memory;
use crate::runtime::noise::{Ars5, Fill};
use crate::runtime::{START_STEP, Stage};
use crate::session::compile::{Backend, Build, Grid, parameters, stage};
use crate::session::load::Loaded;
use crate::session::plan::{Overrides, Plan, Statement, TimeSpec};
use crate::step::Spec;

/// Some thousand roundings: sums and products are re-ordered freely.
pub const ROUNDING: f64 = 1e-11;

/// Times that the condition is felt for by moved inputs, and by how much more than the largest move seen.
const MOVES: u64 = 3;
const SAFETY: f64 = 10.0;

const LANES: usize = backend::LANE_MULTIPLE;

/// How far paths are followed.
#[derive(Copy, Clone, Debug)]
pub struct Extent {
    pub steps: u64,
    /// at most eight
    pub paths: usize,
    /// specifications that take more operations than this are left out
    pub most_operations: f64,
}

/// A value that is not that of the raw graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Deviation {
    /// run, solver, what, where
    pub place: String,
    pub got: f64,
    pub wanted: f64,
    pub bound: f64,
}

/// What came of a comparison.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    /// numbers that were compared
    pub values: u64,
    /// specifications left out for their size
    pub skipped: u64,
    pub deviations: Vec<Deviation>,
    pub problems: Vec<Diagnostic>,
}

/// Compares all runs of a program.
pub fn compare(loaded: &Loaded, extent: Extent) -> Compared {
    let mut compared = Compared { problems: loaded.problems.clone(), ..Compared::default() };
    if loaded.has_errors() {
        return compared;
    }
    for (_, run) in loaded.library.runs() {
        let mut elab = Elab::new(&loaded.library, &loaded.sources);
        if let Ok(plan) = elab.plan(run, &Overrides::default()) {
            for k in 0..plan.steps.len().max(1) {
                // A failure is among the elaborator's diagnostics.
                let _ = elab.follow(&plan, k, extent, &mut compared);
            }
        }
        compared.problems.append(&mut elab.diagnostics);
    }
    compared
}

/// A specification of raw nodes, and its program.
struct Pair {
    what: String,
    spec: Spec,
    stage: Stage,
}

impl Pair {
    fn roots(&self) -> Vec<Id> {
        self.spec.renew.iter().map(|r| r.1).chain(self.spec.outs.iter().copied()).collect()
    }
}

/// Where and when a program runs.
#[derive(Copy, Clone)]
struct Moment {
    fill: Fill,
    /// of the clock: t, t', dt and the index of the step
    clock: [f64; 4],
}

impl Elab<'_> {
    fn follow(&mut self, plan: &Plan, k: usize, extent: Extent, out: &mut Compared) -> Try<()> {
        let starts = self.starts(plan, k);
        let states: Vec<VarId> = starts.iter().map(|s| s.0).collect();
        let solver = plan.steps.get(k).map_or("drawn", |s| s.solver.as_str());
        let name = |what: &str| format!("{} by {solver}, {what}", plan.name);
        let mut specs = vec![(name("start"), Spec { states: states.clone(), renew: starts, outs: vec![] })];
        if let Some(step) = plan.steps.get(k) {
            specs.push((name("step"), Spec { states: states.clone(), renew: step.renew.clone(), outs: vec![] }));
        }
        specs.push((name("observed"), Spec { states, renew: vec![], outs: self.looked_at(plan, k)? }));
        let params = parameters(self, &[]);
        let grid = self.short_grid(plan, &params, extent)?;
        let mut programs = Vec::new();
        for (_, spec) in &specs {
            programs.push(self.compiled::<f64>(spec, Build::by(Backend::Interpreter), plan.span)?);
        }
        let g = Arc::new(self.g.clone());
        let mut pairs = Vec::new();
        for (k, ((what, spec), compiled)) in specs.into_iter().zip(&programs).enumerate() {
            let observer = k + 1 == programs.len();
            match stage(&g, compiled, &params, self.clock(), &grid, observer) {
                Ok(stage) => pairs.push(Pair { what, spec, stage }),
                Err(_) => return Ok(()),
            }
        }
        let mut walk = Walk { elab: self, g: &g, params: &params, extent, out };
        walk.along(&pairs, plan, &grid);
        Ok(())
    }

    /// Everything that statements look at.
    fn looked_at(&mut self, plan: &Plan, k: usize) -> Try<Vec<Id>> {
        let mut outs = Vec::new();
        for asked in &plan.context.asked {
            outs.extend(self.observed_args(plan, k, asked)?);
        }
        for statement in &plan.statements {
            if let Statement::Save(save) = statement {
                outs.extend(save.columns.iter().map(|c| c.1));
            }
        }
        outs.sort_unstable();
        outs.dedup();
        // Those that are averaged over an axis have an index of their own, which only an observer knows.
        outs.retain(|id| self.g.free(*id).is_empty());
        Ok(outs)
    }

    /// The first steps of the grid of a plan.
    fn short_grid(&mut self, plan: &Plan, params: &Env, extent: Extent) -> Try<Grid> {
        let grid = match (&plan.time, &plan.converge) {
            (Some(TimeSpec::Ends { from, to, .. }), Some(converge)) => {
                let end = |id: &Id| eval(&self.g, *id, params).map_or(0.0, |v| v.values[0]);
                Grid::equal(end(from), end(to), converge.reference)
            }
            _ => self.grid(plan, params)?,
        };
        let n = grid.steps.len().min(extent.steps as usize);
        Ok(Grid { times: grid.times[..=n].into(), steps: grid.steps[..n].into() })
    }
}

struct Walk<'a, 'p> {
    elab: &'a Elab<'p>,
    g: &'a Graph,
    params: &'a Env,
    extent: Extent,
    out: &'a mut Compared,
}

impl Walk<'_, '_> {
    fn along(&mut self, pairs: &[Pair], plan: &Plan, grid: &Grid) {
        let (start, rest) = pairs.split_first().expect("a start");
        let (observed, step) = rest.split_last().expect("what is observed");
        let mut memory = Memory::new(pairs.iter().map(|p| (&p.stage, 1)), LANES);
        let fill = |first_step| Fill { key: (plan.seed, 0), first_path: 0, first_step, steps: 1, lanes: LANES };
        let last = |k: usize| grid.steps.get(k).or(grid.steps.last()).copied().unwrap_or(0.0);
        let next = grid.times.get(1).copied().unwrap_or(grid.times[0]);
        let begin = Moment { fill: fill(START_STEP), clock: [grid.times[0], next, last(0), 0.0] };
        self.one(start, &mut memory, begin, 0);
        for (k, t) in grid.times.iter().enumerate() {
            let look = Moment { fill: fill(k as u64), clock: [*t, *t, last(k), k as f64] };
            self.one(observed, &mut memory, look, k as u64);
            if let (Some(h), [step]) = (grid.steps.get(k), step) {
                let clock = [*t, grid.times[k + 1], *h, k as f64];
                self.one(step, &mut memory, Moment { fill: fill(k as u64), clock }, k as u64);
            }
        }
    }

    /// Runs a program once, and compares what it gives.
    fn one(&mut self, pair: &Pair, memory: &mut Memory, at: Moment, row: u64) {
        let roots = pair.roots();
        let before = memory.state.clone();
        memory.draw(&Ars5, &pair.stage, at.fill);
        let table = (pair.stage.rows)(row..row + 1);
        memory.call(&pair.stage, at.fill, &table, 0);
        let operations: f64 = roots.iter().map(|r| self.elab.cost(*r)).sum();
        if operations > self.extent.most_operations {
            self.out.skipped += 1;
            return;
        }
        for lane in 0..self.extent.paths.min(LANES) {
            let alive = |rows: &[f64]| rows.chunks_exact(LANES).all(|row| row[lane].is_finite());
            if alive(&before) && alive(&memory.state) {
                let got = results(pair, memory, lane);
                self.held_against(pair, &roots, &got, &before, at, lane, row);
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn held_against(
        &mut self,
        pair: &Pair,
        roots: &[Id],
        got: &[f64],
        before: &[f64],
        at: Moment,
        lane: usize,
        row: u64,
    ) {
        let wanted = match self.raw(pair, roots, before, at, lane, None) {
            Ok(values) => values,
            Err(reason) => {
                let place = format!("{} at {row}, path {lane}: {reason}", pair.what);
                self.out.deviations.push(Deviation { place, got: f64::NAN, wanted: f64::NAN, bound: 0.0 });
                return;
            }
        };
        let moved: Vec<Vec<f64>> =
            (0..MOVES).filter_map(|k| self.raw(pair, roots, before, at, lane, Some(k)).ok()).collect();
        for (k, (got, wanted)) in got.iter().zip(&wanted).enumerate() {
            let felt = moved.iter().map(|m| (m[k] - wanted).abs()).fold(0.0, f64::max);
            let bound = ROUNDING * (1.0 + wanted.abs()) + SAFETY * felt;
            self.out.values += 1;
            // where the raw formula is not a number, a simpler one may be
            let near = (got - wanted).abs() <= bound;
            if wanted.is_finite() && !near {
                let place = format!("{} at {row}, path {lane}, value {k}", pair.what);
                self.out.deviations.push(Deviation { place, got: *got, wanted: *wanted, bound });
            }
        }
    }

    /// The values of the raw nodes; with `moves`, at inputs that are moved a little.
    fn raw(
        &self,
        pair: &Pair,
        roots: &[Id],
        before: &[f64],
        at: Moment,
        lane: usize,
        moves: Option<u64>,
    ) -> Result<Vec<f64>, String> {
        let mut dice = moves.map(|k| k.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ lane as u64);
        let mut moved = |values: Vec<f64>| -> Vec<f64> {
            let Some(dice) = &mut dice else { return values };
            let mut nudge = |x: f64| {
                *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                x * (1.0 + ROUNDING * ((*dice >> 32) as f64 / 2f64.powi(31) - 1.0))
            };
            values.into_iter().map(&mut nudge).collect()
        };
        let mut env = Env::default();
        for var in self.g.var_ids() {
            if let Some(value) = self.params.get(var) {
                env.set(var, Array::new(value.shape.clone(), moved(value.values.clone())));
            }
        }
        let clock = [self.elab.time, self.elab.time_next, self.elab.dt];
        for (var, value) in clock.into_iter().zip(at.clock) {
            env.set(var, Array::new(vec![], moved(vec![value])));
        }
        env.set(self.elab.step_index, at.clock[3]);
        for slot in &pair.stage.program.states {
            let len = slot.shape.iter().product::<usize>();
            let values = (slot.first_row..slot.first_row + len).map(|row| before[row * LANES + lane]).collect();
            env.set(slot.var, Array::new(slot.shape.clone(), moved(values)));
        }
        for var in draws(self.g, roots) {
            let values = self.draw(var, &env, at.fill, lane)?;
            let info = self.g.var_info(var);
            let law = matches!(info.kind, VarKind::Draw { base: Base::Law(..), .. });
            let values = if law { values } else { moved(values) };
            env.set(var, Array::new(info.shape.clone(), values));
        }
        let values = eval_all(self.g, roots, &env).map_err(|e| e.to_string())?;
        Ok(values.into_iter().flat_map(|v| v.values).collect())
    }

    /// The values of a draw, by its coordinates.
    fn draw(&self, var: VarId, env: &Env, fill: Fill, lane: usize) -> Result<Vec<f64>, String> {
        let info = self.g.var_info(var);
        let VarKind::Draw { base, site, turn } = &info.kind else { unreachable!("a draw") };
        let key = Key { seed: fill.key.0, stream: fill.key.1 };
        let coord = |k: usize| Coord {
            path: fill.first_path + lane as u64,
            step: fill.first_step,
            site: *site,
            component: k as u32,
            turn: *turn,
        };
        let all = 0..info.shape.iter().product::<usize>();
        Ok(match base {
            Base::Normal => all.map(|k| normal::normal(key, coord(k))).collect(),
            Base::Uniform => all.map(|k| normal::uniform(key, coord(k))).collect(),
            Base::Law(sampler, params) => {
                let params = eval_all(self.g, params, env).map_err(|e| e.to_string())?;
                let of = |k: usize| -> Vec<f64> {
                    match sampler {
                        Sampler::Categorical => params[0].values.clone(),
                        _ => params.iter().map(|p| p.values[if p.values.len() == 1 { 0 } else { k }]).collect(),
                    }
                };
                all.map(|k| backend::draw_of_law(*sampler, key, coord(k), &of(k))).collect()
            }
        })
    }
}

/// The new states of a lane, and what it gives out, in the order of the roots.
fn results(pair: &Pair, memory: &Memory, lane: usize) -> Vec<f64> {
    let program = &pair.stage.program;
    let mut values = Vec::new();
    for (var, _) in &pair.spec.renew {
        let slot = program.states.iter().find(|s| s.var == *var).expect("a renewed state has rows");
        let rows = slot.first_row..slot.first_row + slot.shape.iter().product::<usize>();
        values.extend(rows.map(|row| memory.state[row * LANES + lane]));
    }
    for slot in &program.outs {
        let rows = slot.first_row..slot.first_row + slot.shape.iter().product::<usize>();
        values.extend(rows.map(|row| memory.out[row * LANES + lane]));
    }
    values
}

/// The draws below some nodes; one whose law has parameters comes after the draws in these.
fn draws(g: &Graph, roots: &[Id]) -> Vec<VarId> {
    let mut found: Vec<VarId> = Vec::new();
    for root in roots {
        for var in g.vars_of(*root) {
            if let VarKind::Draw { base, .. } = &g.var_info(*var).kind
                && !found.contains(var)
            {
                if let Base::Law(_, params) = base {
                    found.extend(draws(g, params));
                }
                found.push(*var);
            }
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|v| seen.insert(*v));
    found
}
