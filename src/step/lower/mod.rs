//! From clean math graphs to step programs.
//!
//! Values that are the same for all paths go to tables that the host fills (`table`), the rest is lane code. Scalars
//! are lowered on demand and remembered with the values of their free indices (`scalar`, `build`), small arrays element
//! by element, large ones as loops (`array`, `reduce`). What is a loop and what is written out is decided first (`plan`).

mod array;
mod build;
mod contraction;
mod linear;
mod plan;
mod reduce;
mod scalar;
mod table;

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::program::*;
use crate::math::{Base, Graph, Id, IndexVar, Node, Rate, Red, VarId, VarKind};
use array::{Group, Member, Rows};
use build::{Builder, Key, Val};

/// Stored arrays that are read by one another, at most, for groups to be sought by trial.
const DEEP: usize = 8;

/// What a program computes. Variables of lane rate are only states and draws; `renew` and `outs` are functions of the
/// old states. States without a new value keep theirs.
#[derive(Clone, Debug, Default)]
pub struct Spec {
    pub states: Vec<VarId>,
    pub renew: Vec<(VarId, Id)>,
    pub outs: Vec<Id>,
}

/// Lowers a specification. The graph gains the nodes of table values.
pub fn lower(g: &mut Graph, spec: &Spec) -> Program {
    let mut roots: Vec<Id> = spec.renew.iter().map(|(_, id)| *id).collect();
    roots.extend(&spec.outs);
    add_parameters(g, &mut roots);
    let plan = plan::plan(g, &roots);
    let mut l = Lowering {
        uses: plan::uses(g, &roots),
        exact_quotients: plan::exact_quotients(g, &roots),
        plan,
        program: Program::default(),
        b: Builder::new(),
        env: HashMap::default(),
        slots: HashMap::default(),
        folded: HashMap::default(),
        first_rows: HashMap::default(),
        softmax: HashMap::default(),
        softmax_rows: HashMap::default(),
        arrays: HashMap::default(),
        groups: Vec::new(),
        elements: HashMap::default(),
        contractions: HashMap::default(),
        products: HashMap::default(),
        g,
    };
    l.declare(spec, &roots);
    l.write_deep(&roots);
    l.define(spec);
    let mut program = l.finish();
    super::schedule::schedule(&mut program);
    debug_assert_eq!(super::verify::verify(&program), Ok(()), "{program}");
    program
}

/// Adds the parameters of draws, which are no parts of the nodes that read them.
fn add_parameters(g: &Graph, roots: &mut Vec<Id>) {
    let mut seen = HashSet::default();
    let mut next = 0;
    while next < roots.len() {
        for var in g.vars_of(roots[next]) {
            if let VarKind::Draw { base: Base::Law(_, params), .. } = &g.var_info(*var).kind
                && seen.insert(*var)
            {
                roots.extend(params);
            }
        }
        next += 1;
    }
}

struct Lowering<'g> {
    g: &'g mut Graph,
    plan: plan::Plan,
    program: Program,
    b: Builder,
    /// extents and values of the canonical indices that are bound here
    env: HashMap<u32, (usize, Index)>,
    /// offsets of table values
    slots: HashMap<(Table, Id), usize>,
    folded: HashMap<Key, Option<Val>>,
    /// first rows of states and draws
    first_rows: HashMap<VarId, usize>,
    /// where a logsumexp was worked out: by exponent and it, the exponential and the sum of all
    softmax: HashMap<(Reg, Reg), (Val, Val)>,
    /// likewise in loops: by logsumexp, the first scratch row of its exponentials and the sum of all
    softmax_rows: HashMap<Key, (usize, Val)>,
    /// arrays in rows
    arrays: HashMap<Key, Rows>,
    /// groups of arrays that are being written, innermost last
    groups: Vec<Group>,
    /// elements of arrays at indices of their own
    elements: HashMap<Id, (Vec<IndexVar>, Id)>,
    /// sums that have been looked at: as products
    contractions: HashMap<Id, Option<contraction::Contraction>>,
    /// where products have been written, by the array of all their values
    products: HashMap<Id, Rows>,
    /// how many nodes read each node
    uses: HashMap<Id, usize>,
    exact_quotients: HashSet<Id>,
}

impl Lowering<'_> {
    /// Rows for states, outputs and draws.
    fn declare(&mut self, spec: &Spec, roots: &[Id]) {
        for var in &spec.states {
            let shape = self.g.var_info(*var).shape.clone();
            let first_row = self.program.state_rows;
            self.program.state_rows += shape.iter().product::<usize>();
            self.first_rows.insert(*var, first_row);
            let renewed = spec.renew.iter().any(|(v, _)| v == var);
            self.program.states.push(StateSlot { var: *var, shape, first_row, renewed });
        }
        for out in &spec.outs {
            let shape = self.g.shape(*out).to_vec();
            let first_row = self.program.out_rows;
            self.program.out_rows += shape.iter().product::<usize>();
            self.program.outs.push(OutSlot { shape, first_row });
        }
        let mut draws: Vec<VarId> = roots.iter().flat_map(|r| self.g.vars_of(*r).to_vec()).collect();
        draws.sort_unstable();
        draws.dedup();
        for var in draws {
            let info = self.g.var_info(var);
            if let VarKind::Draw { base, site, turn } = info.kind.clone()
                && !matches!(base, Base::Law(..))
            {
                let components = info.shape.iter().product::<usize>();
                let first_row = self.program.draw_rows;
                self.program.draw_rows += components;
                self.first_rows.insert(var, first_row);
                self.program.draws.push(DrawSlot { var, base, site, turn, components, first_row });
            }
        }
    }

    /// Writes the stored arrays that do not depend on a loop, each before what reads it, where they are deep in one another.
    ///
    /// Groups find what they need by trial, and each trial of a reader tries again what it reads: that is the shortest
    /// program for a few stages, and takes time that doubles with each of many (the flows along ten noises, one after the
    /// other, are forty).
    fn write_deep(&mut self, roots: &[Id]) {
        let mut depths: HashMap<Id, usize> = HashMap::default();
        let mut stored = Vec::new();
        for id in self.g.reachable(roots) {
            let below = self.g.parts(id).iter().map(|p| depths[p]).max().unwrap_or(0);
            let whole = self.plan.shared.contains(&id) && self.g.free(id).is_empty() && !roots.contains(&id);
            depths.insert(id, below + usize::from(whole));
            if whole {
                stored.push(id);
            }
        }
        if depths.values().any(|depth| *depth > DEEP) {
            for array in stored {
                self.rows(array);
            }
        }
    }

    /// The values of all rows that are written: large arrays by loops, those of one shape together, the rest one by one.
    fn define(&mut self, spec: &Spec) {
        let mut roots: Vec<Member> = Vec::new();
        for (var, array) in &spec.renew {
            roots.push(Member { array: *array, space: Space::Next, first: self.first_rows[var] });
        }
        for (slot, array) in self.program.outs.iter().zip(&spec.outs) {
            roots.push(Member { array: *array, space: Space::Out, first: slot.first_row });
        }
        let (mut large, small): (Vec<Member>, Vec<Member>) =
            roots.into_iter().partition(|m| self.g.shape(m.array).iter().any(|n| *n > self.plan.limit));
        while let Some(first) = large.first() {
            let shape = self.g.shape(first.array).to_vec();
            let (group, rest) = large.into_iter().partition(|m| self.g.shape(m.array) == shape);
            self.write(group);
            large = rest;
        }
        let mut stores = Vec::new();
        for m in small {
            let shape = self.g.shape(m.array).to_vec();
            for k in 0..shape.iter().product::<usize>() {
                let at: Vec<Index> = unravel(&shape, k).into_iter().map(|i| Index::of(i as i64)).collect();
                let val = self.element(m.array, &at);
                stores.push((m.space, m.first + k, val));
            }
        }
        for (space, row, val) in stores {
            self.store(space, Index::of(row as i64), val);
        }
    }

    fn finish(self) -> Program {
        let mut program = self.program;
        (program.regs, program.body) = self.b.finish();
        super::schedule::remove_dead(&mut program);
        super::schedule::remove_dead_stores(&mut program);
        program.scratch_rows = program.body_scratch + 2 * program.state_rows;
        program
    }

    fn uses(&self, id: Id) -> usize {
        self.uses.get(&id).copied().unwrap_or(1)
    }

    fn key(&self, id: Id) -> Key {
        (id, self.g.free(id).iter().map(|i| self.env[i].1.clone()).collect())
    }

    /// The value of a scalar with the indices bound now.
    fn scalar(&mut self, id: Id) -> Val {
        let key = self.key(id);
        if let Some(val) = self.b.remembered(&key) {
            return val;
        }
        let val = self.compute(id);
        self.b.remember(key, val);
        val
    }

    fn compute(&mut self, id: Id) -> Val {
        if self.g.rate(id) < Rate::Lane
            && let Some(val) = self.uniform(id)
        {
            return val;
        }
        match self.g.node(id).clone() {
            Node::Real(bits) => Val::Real(f64::from_bits(bits)),
            Node::Int(c) => Val::Real(c as f64),
            Node::Bool(b) => Val::Truth(b),
            Node::Index(_) => {
                let index = self.index_of(id).expect("a loop index is an index");
                Val::Reg(self.b.emit(Value::Count(index)))
            }
            Node::Var(var) => self.scalar_variable(id, var),
            Node::Op(op, args) => self.scalar_op(id, op, &args),
            Node::Get(array, at) => self.get(array, &at),
            Node::Reduce(red, bounds, body) => {
                if red == Red::Sum
                    && let Some(val) = self.contraction(id, &bounds, body)
                {
                    return val;
                }
                let level = self.b.key_level(&self.key(id));
                let aside = self.b.set_aside(level);
                let val = self.reduce(id, red, &bounds, body);
                self.b.put_back(aside);
                val
            }
            Node::Dense(op, args) => self.dense_scalar(id, op, &args),
            node => unreachable!("not a scalar of a clean graph: {node:?}"),
        }
    }

    /// Runs `f` with indices bound to values.
    fn bound<T>(&mut self, bounds: &[IndexVar], at: &[Index], f: impl FnOnce(&mut Self) -> T) -> T {
        let old: Vec<_> =
            bounds.iter().zip(at).map(|(b, i)| (b.id, self.env.insert(b.id, (b.extent, i.clone())))).collect();
        let result = f(self);
        for (id, old) in old.into_iter().rev() {
            match old {
                Some(old) => self.env.insert(id, old),
                None => self.env.remove(&id),
            };
        }
        result
    }
}

/// The indices of the element at a row-major offset.
fn unravel(shape: &[usize], mut k: usize) -> Vec<usize> {
    let mut at = vec![0; shape.len()];
    for (i, n) in at.iter_mut().zip(shape).rev() {
        *i = k % n;
        k /= n;
    }
    at
}
