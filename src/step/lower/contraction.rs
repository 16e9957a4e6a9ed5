//! Contractions: sums over one index of products of two factors, `sum over j of a[i, j]*x[j, c]`.
//!
//! Such a sum stands in loops over its free indices, the rows `i` and the columns `c`. It is worked out for all their
//! values at once, before those loops, by an instruction for which there are tiled kernels; the loops then load the
//! sums. Factors that are the same for all lanes make the left side, a table; the rest the right side, rows that are
//! written first where they are no array yet. Without a table both sides are rows.

use super::super::program::*;
use super::Lowering;
use super::array::Rows;
use super::build::Val;
use super::scalar::Factors;
use super::table::{clamped, largest, linear};
use crate::kernels::product::Shape;
use crate::math::{Graph, Id, IndexVar, Node, Op, Rate, Red, Ty};

/// Sums with fewer products in all are left to loops.
const LEAST_PRODUCTS: usize = 64;
/// Rows that a side or the result may take.
const MOST_ROWS: usize = 1 << 15;
/// Columns from which on it pays to store a left side that is no array.
const ENOUGH_COLUMNS: usize = 4;

/// A sum as an element of a product.
#[derive(Clone, Debug)]
pub struct Contraction {
    /// the array of all its values: the rows' axes, then the columns'
    whole: Id,
    rows: Vec<IndexVar>,
    columns: Vec<IndexVar>,
    term: IndexVar,
    left: Id,
    right: Id,
}

/// A sum over `bound` of a weight times lane values.
struct Weighted {
    weight: Id,
    bound: IndexVar,
    lanes: Vec<Id>,
}

/// Where a side begins, and its steps along two indices.
struct Side<P> {
    place: P,
    first: Index,
    steps: [usize; 2],
}

impl Lowering<'_> {
    /// The value of a sum, if it is an element of a product that is worth an instruction.
    pub fn contraction(&mut self, id: Id, bounds: &[IndexVar], body: Id) -> Option<Val> {
        let known = match self.contractions.get(&id) {
            Some(known) => known.clone(),
            None => {
                let found = self.find_contraction(id, bounds, body);
                self.contractions.insert(id, found.clone());
                found
            }
        };
        let c = known?;
        let rows = self.product_rows(&c)?;
        let axes: Vec<IndexVar> = c.rows.iter().chain(&c.columns).copied().collect();
        let shape: Vec<usize> = axes.iter().map(|a| a.extent).collect();
        let row = linear(&shape, &self.here(&axes)).plus(rows.first as i64);
        Some(Val::Reg(self.b.emit_below(Value::Load(rows.space, row), rows.level)))
    }

    /// Adds up terms that multiply the same rows: `a@x + b@x` is `(a + b)@x`, whose table is worked out once a run.
    pub fn join_contractions(&mut self, terms: &mut Vec<(bool, Id)>) {
        let mut k = 0;
        while k < terms.len() {
            if let Some(first) = self.weighted(terms[k]) {
                let mut weight = first.weight;
                let mut joined = false;
                let mut j = k + 1;
                while j < terms.len() {
                    match self.weighted(terms[j]).filter(|t| t.bound == first.bound && t.lanes == first.lanes) {
                        Some(other) => {
                            weight = self.g.op(Op::Add, &[weight, other.weight]);
                            terms.remove(j);
                            joined = true;
                        }
                        None => j += 1,
                    }
                }
                if joined {
                    let body = first.lanes.iter().fold(weight, |a, b| self.g.op(Op::Mul, &[a, *b]));
                    terms[k] = (false, self.g.reduce(Red::Sum, &[first.bound], body));
                }
            }
            k += 1;
        }
    }

    /// A term as a sum of weights, all known once a run, times lane values.
    fn weighted(&mut self, (negative, id): (bool, Id)) -> Option<Weighted> {
        let mut outer = Factors::default();
        self.collect(id, &mut outer);
        let [sum] = outer.lanes[..] else { return None };
        let Node::Reduce(Red::Sum, bounds, body) = self.g.node(sum).clone() else { return None };
        let [bound] = bounds[..] else { return None };
        if self.g.free(sum).is_empty() || self.uses(sum) > 1 || self.plan.unrolls(&bound) {
            return None;
        }
        let mut inner = Factors::default();
        self.collect(body, &mut inner);
        let uniform = [outer.uniform, inner.uniform].concat();
        let weight = uniform.into_iter().reduce(|a, b| self.g.op(Op::Mul, &[a, b]))?;
        if self.g.rate(weight) > Rate::Run || !self.g.has_free(weight, bound.id) {
            return None;
        }
        let minus = negative ^ outer.negative ^ inner.negative;
        let weight = if minus { self.g.op(Op::Neg, &[weight]) } else { weight };
        Some(Weighted { weight, bound, lanes: inner.lanes })
    }

    fn find_contraction(&mut self, id: Id, bounds: &[IndexVar], body: Id) -> Option<Contraction> {
        let [term] = bounds else { return None };
        let free: Vec<IndexVar> = self.g.free(id).iter().map(|i| IndexVar { id: *i, extent: self.env[i].0 }).collect();
        let written_out = free.iter().all(|i| self.plan.unrolls(i)) && self.plan.unrolls(term);
        let values = count(&free);
        if written_out || values * term.extent < LEAST_PRODUCTS || values > MOST_ROWS || self.g.ty(body) != Ty::Real {
            return None;
        }
        let mut factors = Factors::default();
        self.collect(body, &mut factors);
        let (left, right) = self.sides(factors, *term)?;
        let [rows, columns] =
            [left, right].map(|s| free.iter().copied().filter(|i| self.g.has_free(s, i.id)).collect::<Vec<_>>());
        let apart = rows.iter().all(|i| !columns.contains(i));
        if !apart || count(&rows) < 2 || count(&columns) * term.extent > MOST_ROWS {
            return None;
        }
        if self.g.rate(left) == Rate::Lane {
            let direct = matches!(self.g.node(left), Node::Get(array, _) if self.g.free(*array).is_empty());
            let stored = count(&rows) * term.extent;
            if !direct && (count(&columns) < ENOUGH_COLUMNS || stored > MOST_ROWS) {
                return None;
            }
        }
        let axes: Vec<IndexVar> = rows.iter().chain(&columns).copied().collect();
        let whole = self.g.map(&axes, id);
        Some(Contraction { whole, rows, columns, term: *term, left, right })
    }

    /// The two sides of a product, both with the index that is summed over.
    fn sides(&mut self, factors: Factors, term: IndexVar) -> Option<(Id, Id)> {
        let Factors { negative, mut uniform, mut lanes } = factors;
        uniform.sort_by_key(|u| self.g.rate(*u));
        let table = uniform.into_iter().reduce(|a, b| self.g.op(Op::Mul, &[a, b]));
        let left = match table {
            Some(table) => table,
            None => self.left_of_lanes(&mut lanes, term)?,
        };
        let right = lanes.into_iter().reduce(|a, b| self.g.op(Op::Mul, &[a, b]))?;
        if !self.g.has_free(left, term.id) || !self.g.has_free(right, term.id) {
            return None;
        }
        Some((if negative { self.g.op(Op::Neg, &[left]) } else { left }, right))
    }

    /// Takes the left side out of factors that differ from lane to lane: those whose indices are not among the others'.
    fn left_of_lanes(&mut self, lanes: &mut Vec<Id>, term: IndexVar) -> Option<Id> {
        let g: &Graph = self.g;
        let first = lanes.iter().position(|l| g.free(*l).iter().any(|i| *i != term.id) && g.has_free(*l, term.id))?;
        let mut indices: Vec<u32> = g.free(lanes[first]).iter().copied().filter(|i| *i != term.id).collect();
        // factors that share an index with the side belong to it
        loop {
            let before = indices.len();
            for l in lanes.iter() {
                if g.free(*l).iter().any(|i| indices.contains(i)) {
                    indices.extend(g.free(*l).iter().filter(|i| **i != term.id));
                }
            }
            indices.sort_unstable();
            indices.dedup();
            if indices.len() == before {
                break;
            }
        }
        let (side, rest): (Vec<Id>, Vec<Id>) =
            lanes.iter().partition(|l| g.free(**l).iter().any(|i| indices.contains(i)));
        *lanes = rest;
        side.into_iter().reduce(|a, b| self.g.op(Op::Mul, &[a, b]))
    }

    /// The rows of all values of a contraction, which are worked out first if need be. Nothing if a table would be too
    /// large.
    fn product_rows(&mut self, c: &Contraction) -> Option<Rows> {
        let array = self.arrays.get(&(c.whole, Vec::new())).filter(|rows| rows.done);
        if let Some(rows) = self.products.get(&c.whole).or(array) {
            return Some(*rows);
        }
        let aside = self.b.set_aside(0);
        let made = self.emit_product(c);
        self.b.put_back(aside);
        let rows = Rows { space: Space::Scratch, first: made?, level: 0, done: true };
        self.products.insert(c.whole, rows);
        Some(rows)
    }

    fn emit_product(&mut self, c: &Contraction) -> Option<usize> {
        let term = std::slice::from_ref(&c.term);
        let (a, a_steps) = if self.g.rate(c.left) < Rate::Lane {
            let side = self.table_side(c.left, &c.rows, term)?;
            (Factor::Cells(side.place, side.first), side.steps)
        } else {
            let side = self.row_side(c.left, &c.rows, term);
            (Factor::Rows(side.place, side.first), side.steps)
        };
        let x = self.row_side(c.right, term, &c.columns);
        let (rows, columns) = (count(&c.rows), count(&c.columns));
        let first = self.scratch(rows * columns);
        let shape = Shape { rows, terms: c.term.extent, columns, a: a_steps, x: x.steps, out: [columns, 1] };
        let out = Index::of(first as i64);
        self.b.push(Inst::Product(Product { shape, a, space: x.place, x: x.first, out }));
        Some(first)
    }

    /// A side in a table.
    fn table_side(&mut self, side: Id, rows: &[IndexVar], terms: &[IndexVar]) -> Option<Side<Table>> {
        let table = self.table_of(side);
        if let Some((array, first, steps)) = self.direct(side, rows, terms)
            && self.table_of(array) == table
        {
            let offset = self.slot(table, array);
            return Some(Side { place: table, first: first.plus(offset as i64), steps });
        }
        if count(rows) * count(terms) > largest(table) {
            return None;
        }
        // a transposed product has the same table
        let flat = self.g.map(&[rows, terms].concat(), side);
        let turned = self.g.map(&[terms, rows].concat(), side);
        if self.slots.contains_key(&(table, turned)) {
            let first = Index::of(self.slot(table, turned) as i64);
            return Some(Side { place: table, first, steps: [1, count(rows)] });
        }
        let first = Index::of(self.slot(table, flat) as i64);
        Some(Side { place: table, first, steps: [count(terms), 1] })
    }

    /// A side in rows, which are written first unless it is an array already.
    fn row_side(&mut self, side: Id, outer: &[IndexVar], inner: &[IndexVar]) -> Side<Space> {
        if let Some((array, first, steps)) = self.direct(side, outer, inner) {
            self.wait_for(array);
            let rows = self.rows_of_any(array);
            return Side { place: rows.space, first: first.plus(rows.first as i64), steps };
        }
        let array = self.g.map(&[outer, inner].concat(), side);
        if self.plan.calls.contains(&side) {
            self.plan.calls.insert(array);
        }
        let rows = self.rows(array);
        Side { place: rows.space, first: Index::of(rows.first as i64), steps: [count(inner), 1] }
    }

    /// An array that is still being written is wanted whole: it has to go first.
    fn wait_for(&mut self, array: Id) {
        if self.arrays.get(&(array, Vec::new())).is_some_and(|rows| !rows.done) {
            let group = self.groups.iter_mut().rev().find(|g| g.writes(array));
            group.expect("a group writes it").conflicts.push(array);
        }
    }

    /// A side that is an array read at places a constant step apart: the array, the first place and the steps.
    fn direct(&mut self, side: Id, outer: &[IndexVar], inner: &[IndexVar]) -> Option<(Id, Index, [usize; 2])> {
        let Node::Get(array, at) = self.g.node(side).clone() else { return None };
        if !self.g.free(array).is_empty() || self.g.ty(array) != Ty::Real {
            return None;
        }
        let shape = self.g.shape(array).to_vec();
        let all = [outer, inner].concat();
        // counters of no loop, to see how the place moves with each index
        let counter = |k: usize| Counter { id: u32::MAX - k as u32, extent: all[k].extent };
        let values: Vec<Index> = (0..all.len()).map(|k| Index::counter(counter(k))).collect();
        let place = self.bound(&all, &values, |l| {
            let at = at.iter().map(|a| l.index_of(*a)).collect::<Option<Vec<_>>>()?;
            Some(linear(&shape, &clamped(&shape, at)))
        })?;
        let mut strides = vec![0; all.len()];
        for (atom, step) in &place.terms {
            let k = (0..all.len()).find(|k| *atom == Atom::Counter(counter(*k)))?;
            strides[k] = usize::try_from(*step).ok()?;
        }
        let (a, b) = strides.split_at(outer.len());
        let steps = [one_step(outer, a)?, one_step(inner, b)?];
        Some((array, Index::of(place.constant), steps))
    }
}

fn count(indices: &[IndexVar]) -> usize {
    indices.iter().map(|i| i.extent).product()
}

/// The step of several indices taken as one, in row-major order.
fn one_step(indices: &[IndexVar], strides: &[usize]) -> Option<usize> {
    let (mut step, mut extent) = (0, 1);
    for (index, stride) in indices.iter().zip(strides).rev().filter(|(i, _)| i.extent > 1) {
        if extent == 1 {
            step = *stride;
        } else if *stride != step * extent {
            return None;
        }
        extent *= index.extent;
    }
    Some(step)
}
