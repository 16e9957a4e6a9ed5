//! Arrays: elements on demand, and arrays that are stored in rows.
//!
//! An array is stored where its elements would otherwise be worked out more than once (`plan`), where lanes choose
//! their own elements, and where dense algebra wants it whole. Arrays of one shape that are due together are written by
//! one nest of loops, a *group*. A group is lowered on trial: an array that turns out to be needed by it at the element
//! at hand joins it, a member that is needed elsewhere first leaves it and is written before.

use super::super::program::*;
use super::build::{Builder, Key, Val};
use super::table::{clamped, linear};
use super::{Lowering, unravel};
use crate::math::{Base, Dense, Id, IndexVar, Node, Rate, Sampler, Ty, VarId, VarKind};

/// Arrays with up to this many elements are chosen from by selects.
const LARGEST_CHAIN: usize = 16;

/// Rows that an array has, or will have.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Rows {
    pub space: Space,
    pub first: usize,
    /// the scope in which they are written
    pub level: usize,
    /// written, or being written by an open group
    pub done: bool,
}

/// An array that a group writes.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    pub array: Id,
    pub space: Space,
    pub first: usize,
}

/// Loops that are writing arrays of one shape.
#[derive(Clone, Debug)]
pub struct Group {
    bounds: Vec<IndexVar>,
    level: usize,
    /// arrays that could be written along
    found: Vec<Id>,
    /// members that have been asked for at another element
    pub conflicts: Vec<Id>,
    members: Vec<Member>,
}

impl Group {
    pub fn writes(&self, array: Id) -> bool {
        self.members.iter().any(|m| m.array == array)
    }
}

/// What a trial may change.
pub struct Snapshot {
    b: Builder,
    program: Program,
    slots: rustc_hash::FxHashMap<(Table, Id), usize>,
    arrays: rustc_hash::FxHashMap<Key, Rows>,
    products: rustc_hash::FxHashMap<Id, Rows>,
    softmax: rustc_hash::FxHashMap<(Reg, Reg), (Val, Val)>,
    softmax_rows: rustc_hash::FxHashMap<Key, (usize, Val)>,
}

impl<'g> Lowering<'g> {
    fn snapshot(&self) -> Snapshot {
        Snapshot {
            b: self.b.clone(),
            program: self.program.clone(),
            slots: self.slots.clone(),
            arrays: self.arrays.clone(),
            products: self.products.clone(),
            softmax: self.softmax.clone(),
            softmax_rows: self.softmax_rows.clone(),
        }
    }

    fn restore(&mut self, s: Snapshot) {
        self.b = s.b;
        self.program = s.program;
        self.slots = s.slots;
        self.arrays = s.arrays;
        self.products = s.products;
        self.softmax = s.softmax;
        self.softmax_rows = s.softmax_rows;
    }

    /// Scratch rows that nothing else uses.
    pub fn scratch(&mut self, rows: usize) -> usize {
        let first = self.program.body_scratch;
        self.program.body_scratch += rows;
        first
    }

    /// An element of an array; the indices are inside.
    pub fn element(&mut self, array: Id, at: &[Index]) -> Val {
        if at.is_empty() {
            return self.scalar(array);
        }
        match self.g.node(array).clone() {
            Node::Var(var) => self.variable(array, var, at),
            _ if self.g.rate(array) < Rate::Lane => match self.uniform_element(array, at) {
                Some(val) => val,
                None => self.inline(array, at),
            },
            Node::Map(..) => self.map_element(array, at),
            Node::Lit(shape, elements) => match linear(&shape, at).known() {
                Some(k) => self.scalar(elements[k as usize]),
                None => self.stored_element(array, at),
            },
            _ => self.stored_element(array, at),
        }
    }

    /// A cell of a uniform array.
    fn uniform_element(&mut self, array: Id, at: &[Index]) -> Option<Val> {
        let (axes, element) = self.g_element(array);
        self.bound(&axes, at, |l| l.uniform(element))
    }

    /// The element of an array at new indices.
    fn g_element(&mut self, array: Id) -> (Vec<IndexVar>, Id) {
        if let Some(done) = self.elements.get(&array) {
            return done.clone();
        }
        let axes: Vec<IndexVar> = self.g.shape(array).to_vec().into_iter().map(|n| self.g.fresh_index(n)).collect();
        let at: Vec<Id> = axes.iter().map(|a| self.g.index(*a)).collect();
        let element = self.g.get(array, &at);
        self.elements.insert(array, (axes.clone(), element));
        (axes, element)
    }

    /// The body of a map with its indices bound.
    fn inline(&mut self, array: Id, at: &[Index]) -> Val {
        match self.g.node(array).clone() {
            Node::Map(bounds, body) => self.bound(&bounds, at, |l| l.scalar(body)),
            _ => self.stored_element(array, at),
        }
    }

    fn map_element(&mut self, array: Id, at: &[Index]) -> Val {
        let key = self.key(array);
        match self.arrays.get(&key).copied() {
            Some(rows) if rows.done => self.load_element(array, rows, at),
            Some(_) => {
                if self.group_at(array, at).is_none() {
                    // the group that writes it cannot have come to this element
                    let group = self.groups.iter_mut().rev().find(|g| g.members.iter().any(|m| m.array == array));
                    group.expect("a group writes it").conflicts.push(array);
                }
                self.inline(array, at)
            }
            None if !self.plan.shared.contains(&array) => self.inline(array, at),
            None => self.shared_element(array, at),
        }
    }

    /// An element of an array that is worth storing: worked out here if a group can write it along.
    fn shared_element(&mut self, array: Id, at: &[Index]) -> Val {
        let level = self.b.key_level(&self.key(array));
        if let Some(k) = self.group_at(array, at)
            && self.groups[k].level >= level
        {
            if !self.groups[k].found.contains(&array) {
                self.groups[k].found.push(array);
            }
            return self.inline(array, at);
        }
        self.stored_element(array, at)
    }

    /// The open group of an array's shape that is at this element.
    fn group_at(&self, array: Id, at: &[Index]) -> Option<usize> {
        let shape = self.g.shape(array);
        (0..self.groups.len()).rev().find(|k| {
            let bounds = &self.groups[*k].bounds;
            bounds.len() == shape.len()
                && bounds.iter().zip(shape).zip(at).all(|((b, n), i)| {
                    let here = self.env.get(&b.id).is_some_and(|(_, value)| value == i);
                    b.extent == *n && (here || (self.plan.unrolls(b) && i.known().is_some()))
                })
        })
    }

    fn stored_element(&mut self, array: Id, at: &[Index]) -> Val {
        let rows = self.rows(array);
        self.load_element(array, rows, at)
    }

    fn load_element(&mut self, array: Id, rows: Rows, at: &[Index]) -> Val {
        let row = linear(self.g.shape(array), at).plus(rows.first as i64);
        let val = Val::Reg(self.b.emit_below(Value::Load(rows.space, row), rows.level));
        if self.g.ty(array) == Ty::Bool { self.b.as_mask(val) } else { val }
    }

    /// The rows of an array, which is written first if it has none.
    pub fn rows(&mut self, array: Id) -> Rows {
        let key = self.key(array);
        if let Some(rows) = self.arrays.get(&key)
            && rows.done
        {
            return *rows;
        }
        let level = self.b.key_level(&key);
        let first = self.scratch(self.g.shape(array).iter().product());
        let aside = self.b.set_aside(level);
        match self.g.node(array).clone() {
            Node::Scatter { shape, bounds, at, body } => self.scatter(&shape, &bounds, &at, body, first, level),
            Node::Dense(op, args) => self.dense(op, &args, first),
            Node::Lit(_, elements) => self.write_out(&elements, first),
            _ => self.write(vec![Member { array, space: Space::Scratch, first }]),
        }
        self.b.put_back(aside);
        let rows = Rows { space: Space::Scratch, first, level, done: true };
        self.arrays.insert(key, rows);
        rows
    }

    /// The values of indices bound now.
    pub fn here(&self, bounds: &[IndexVar]) -> Vec<Index> {
        bounds.iter().map(|b| self.env[&b.id].1.clone()).collect()
    }

    /// Stores scalars in rows that follow one another.
    fn write_out(&mut self, elements: &[Id], first: usize) {
        for (k, e) in elements.iter().enumerate() {
            let val = self.scalar(*e);
            self.store(Space::Scratch, Index::of((first + k) as i64), val);
        }
    }

    pub fn store(&mut self, space: Space, row: Index, val: Val) {
        let val = self.b.as_real(val);
        let value = self.b.reg(val);
        self.b.push(Inst::Store { space, row, value });
    }

    /// Writes arrays of one shape, in the innermost scope.
    pub fn write(&mut self, members: Vec<Member>) {
        let mut members = members;
        while !members.is_empty() {
            let before = self.snapshot();
            let group = self.try_group(&members);
            if group.found.is_empty() && group.conflicts.is_empty() {
                return;
            }
            self.restore(before);
            if group.conflicts.is_empty() {
                for array in group.found {
                    let first = self.scratch(self.g.shape(array).iter().product());
                    members.push(Member { array, space: Space::Scratch, first });
                }
                continue;
            }
            // those that others wait for go first, each alone
            for array in group.conflicts {
                if let Some(k) = members.iter().position(|m| m.array == array) {
                    let first = members.remove(k);
                    self.write(vec![first]);
                }
            }
        }
    }

    /// Lowers the loops of a group.
    fn try_group(&mut self, members: &[Member]) -> Group {
        let shape = self.g.shape(members[0].array).to_vec();
        let bounds: Vec<IndexVar> = shape.iter().map(|n| self.g.fresh_index(*n)).collect();
        let level = self.b.level();
        let mut keys = Vec::new();
        for m in members {
            let key = self.key(m.array);
            let rows = Rows { space: m.space, first: m.first, level, done: false };
            // an array may have two places; then the second is a copy
            let copied = self.arrays.contains_key(&key);
            if !copied {
                self.arrays.insert(key.clone(), rows);
                keys.push(key);
            }
        }
        let group = Group {
            bounds: bounds.clone(),
            level,
            found: Vec::new(),
            conflicts: Vec::new(),
            members: members.to_vec(),
        };
        self.groups.push(group);
        let turn = members.iter().map(|m| self.turn_for(m.array)).max().unwrap_or(1);
        self.nest(&bounds, turn, Vec::new(), &mut |l, _| {
            let at = l.here(&bounds);
            for m in members {
                let val = l.element(m.array, &at);
                l.store(m.space, linear(&shape, &at).plus(m.first as i64), val);
            }
            Vec::new()
        });
        for key in keys {
            if let Some(rows) = self.arrays.get_mut(&key) {
                rows.done = true;
            }
        }
        self.groups.pop().expect("the group just opened")
    }

    /// Sums at places: rows of zeros, then one addition for each element of the index space.
    fn scatter(&mut self, shape: &[usize], bounds: &[IndexVar], at: &[Id], body: Id, first: usize, level: usize) {
        let axes: Vec<IndexVar> = shape.iter().map(|n| self.g.fresh_index(*n)).collect();
        self.nest(&axes, 1, Vec::new(), &mut |l, _| {
            let place = l.here(&axes);
            l.store(Space::Scratch, linear(shape, &place).plus(first as i64), Val::Real(0.0));
            Vec::new()
        });
        let count = shape.iter().product();
        self.nest(bounds, 1, Vec::new(), &mut |l, _| {
            let value = l.scalar(body);
            let value = l.b.as_real(value);
            let places: Option<Vec<Index>> = at.iter().map(|a| l.index_of(*a)).collect();
            let inside = |p: &Vec<Index>| p.iter().zip(shape).all(|(i, n)| i.range().0 >= 0 && i.range().1 < *n as i64);
            match places.filter(inside) {
                Some(place) => {
                    let row = linear(shape, &place).plus(first as i64);
                    let old = l.b.read_again(Space::Scratch, row.clone());
                    let sum = l.b.add(Val::Reg(old), value);
                    l.store(Space::Scratch, row, sum);
                }
                None => {
                    let at = l.checked_place(shape, at);
                    let (at, value) = (l.b.reg(at), l.b.reg(value));
                    l.b.push(Inst::ScatterAdd { first: Index::of(first as i64), len: count, at, value });
                }
            }
            Vec::new()
        });
        debug_assert_eq!(level, self.b.level());
    }

    /// The row-major offset of an element chosen by each lane; -1 outside the array.
    fn checked_place(&mut self, shape: &[usize], at: &[Id]) -> Val {
        let (mut place, mut inside) = (Val::Real(0.0), Val::Truth(true));
        for (n, a) in shape.iter().zip(at) {
            let i = self.scalar(*a);
            let low = self.b.compare(Relation::Le, Val::Real(0.0), i);
            let high = self.b.compare(Relation::Lt, i, Val::Real(*n as f64));
            let both = self.b.logic(Logic::And, low, high);
            inside = self.b.logic(Logic::And, inside, both);
            place = self.b.fused(Fused::MulAdd, place, Val::Real(*n as f64), i);
        }
        self.b.select(inside, place, Val::Real(-1.0))
    }

    /// The row-major offset of an element chosen by each lane, brought into the array.
    fn clamped_place(&mut self, shape: &[usize], at: &[Id]) -> Val {
        let mut place = Val::Real(0.0);
        for (n, a) in shape.iter().zip(at) {
            let i = self.scalar(*a);
            // NaN becomes 0 in the comparison with 0
            let positive = self.b.compare(Relation::Lt, Val::Real(0.0), i);
            let i = self.b.select(positive, i, Val::Real(0.0));
            let i = self.b.binary(Binary::Min, i, Val::Real((n - 1) as f64));
            place = self.b.fused(Fused::MulAdd, place, Val::Real(*n as f64), i);
        }
        place
    }

    pub fn get(&mut self, array: Id, at: &[Id]) -> Val {
        let shape = self.g.shape(array).to_vec();
        match at.iter().map(|a| self.index_of(*a)).collect::<Option<Vec<_>>>() {
            Some(at) => self.element(array, &clamped(&shape, at)),
            None => self.chosen(array, &shape, at),
        }
    }

    /// An element at indices that differ from lane to lane.
    fn chosen(&mut self, array: Id, shape: &[usize], at: &[Id]) -> Val {
        let place = self.clamped_place(shape, at);
        let count = shape.iter().product::<usize>();
        if count <= LARGEST_CHAIN {
            return self.chosen_by_selects(array, shape, place);
        }
        let at = self.b.reg(place);
        let gathered = if self.g.rate(array) < Rate::Lane && self.g.free(array).is_empty() {
            let table = self.table_of(array);
            let first = Index::of(self.slot(table, array) as i64);
            self.b.emit(Value::GatherCell { table, first, len: count, at })
        } else {
            let rows = self.rows_of_any(array);
            let first = Index::of(rows.first as i64);
            self.b.emit_below(Value::Gather { space: rows.space, first, len: count, at }, rows.level)
        };
        let val = Val::Reg(gathered);
        if self.g.ty(array) == Ty::Bool { self.b.as_mask(val) } else { val }
    }

    fn chosen_by_selects(&mut self, array: Id, shape: &[usize], place: Val) -> Val {
        let mut chosen = None;
        for k in (0..shape.iter().product()).rev() {
            let at: Vec<Index> = unravel(shape, k).into_iter().map(|i| Index::of(i as i64)).collect();
            let val = self.element(array, &at);
            chosen = Some(match chosen {
                None => val,
                Some(rest) => {
                    let here = self.b.compare(Relation::Lt, place, Val::Real(k as f64 + 1.0));
                    self.b.select(here, val, rest)
                }
            });
        }
        chosen.expect("an array that is read has elements")
    }

    /// Rows of any array, variables included.
    pub fn rows_of_any(&mut self, array: Id) -> Rows {
        if let Node::Var(var) = self.g.node(array)
            && let Some(first) = self.first_rows.get(var)
        {
            let space = if self.g.var_info(*var).kind == VarKind::State { Space::State } else { Space::Draw };
            return Rows { space, first: *first, level: 0, done: true };
        }
        self.rows(array)
    }

    fn variable(&mut self, node: Id, var: VarId, at: &[Index]) -> Val {
        let info = self.g.var_info(var);
        let (ty, shape, kind) = (info.ty, info.shape.clone(), info.kind.clone());
        let space = match kind {
            VarKind::State => Space::State,
            VarKind::Draw { base: Base::Law(sampler, params), site, turn } => {
                let whole = sampler == Sampler::Categorical;
                return self.sample(&params, whole, at, |dst, first, len, component| SampleCall {
                    dst,
                    sampler,
                    first,
                    len,
                    site,
                    turn,
                    component: linear(&shape, &component),
                });
            }
            VarKind::Draw { .. } => Space::Draw,
            _ => return self.uniform_element(node, at).expect("a variable has a table"),
        };
        let row = linear(&shape, at).plus(self.first_rows[&var] as i64);
        let val = Val::Reg(self.b.emit(Value::Load(space, row)));
        if ty == Ty::Bool { self.b.as_mask(val) } else { val }
    }

    /// The value of a scalar variable.
    pub fn scalar_variable(&mut self, id: Id, var: VarId) -> Val {
        self.variable(id, var, &[])
    }

    /// A draw with parameters: they go to scratch rows, from which a native function takes them lane by lane. They are
    /// arrays like the draw, or one array that is a parameter as a `whole`.
    fn sample(
        &mut self,
        params: &[Id],
        whole: bool,
        at: &[Index],
        call: impl FnOnce(Reg, Index, usize, Vec<Index>) -> SampleCall,
    ) -> Val {
        let level = at.iter().map(|i| self.b.level_of(i)).max().unwrap_or(0);
        let aside = self.b.set_aside(level);
        let mut values = Vec::new();
        for p in params {
            let shape = self.g.shape(*p).to_vec();
            if !whole {
                let place = if shape.is_empty() { Vec::new() } else { clamped(&shape, at.to_vec()) };
                values.push(self.element(*p, &place));
            } else {
                for k in 0..shape.iter().product() {
                    let place: Vec<Index> = unravel(&shape, k).into_iter().map(|i| Index::of(i as i64)).collect();
                    values.push(self.element(*p, &place));
                }
            }
        }
        let first = self.scratch(values.len());
        for (k, val) in values.iter().enumerate() {
            self.store(Space::Scratch, Index::of((first + k) as i64), *val);
        }
        let dst = self.b.fresh(Kind::Real);
        let first = Index::of(if values.is_empty() { 0 } else { first as i64 });
        self.b.push(Inst::Sample(call(dst, first, values.len(), at.to_vec())));
        self.b.put_back(aside);
        Val::Reg(dst)
    }

    /// Dense algebra on rows; the result goes to scratch rows from `out`.
    fn dense(&mut self, op: Dense, args: &[Id], out: usize) {
        let n = self.g.shape(args[0])[0];
        let m = match op {
            Dense::Solve => self.g.shape(args[1]).get(1).copied().unwrap_or(1),
            _ => 1,
        };
        let args = args.iter().map(|a| self.scratch_rows_of(*a)).collect();
        self.b.push(Inst::Dense(DenseCall { op, n, m, args, out }));
    }

    /// Scratch rows that hold an array.
    fn scratch_rows_of(&mut self, array: Id) -> usize {
        let known = !matches!(self.g.node(array), Node::Var(_)) && self.g.rate(array) == Rate::Lane;
        if known {
            let rows = self.rows(array);
            if rows.space == Space::Scratch {
                return rows.first;
            }
        }
        let first = self.scratch(self.g.shape(array).iter().product());
        self.write(vec![Member { array, space: Space::Scratch, first }]);
        first
    }

    /// A scalar of dense algebra: a determinant or its logarithm.
    pub fn dense_scalar(&mut self, id: Id, op: Dense, args: &[Id]) -> Val {
        let level = self.b.key_level(&self.key(id));
        let out = self.scratch(1);
        let aside = self.b.set_aside(level);
        self.dense(op, args, out);
        self.b.put_back(aside);
        Val::Reg(self.b.emit_below(Value::Load(Space::Scratch, Index::of(out as i64)), level))
    }
}
