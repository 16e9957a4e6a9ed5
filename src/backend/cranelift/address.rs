//! Addresses: index expressions as integer code, and the places of rows and cells.

use ::cranelift::prelude::*;

use super::function::Emitter;
use crate::step::program::{Atom, Counter, Index, Space, Table};

/// An address as a base and a constant distance from it.
#[derive(Copy, Clone)]
pub struct Place {
    pub base: Value,
    pub offset: i32,
}

impl Emitter<'_, '_> {
    /// The value of an index expression.
    pub fn index(&mut self, index: &Index) -> Value {
        let sum = self.index_terms(index);
        match (sum, index.constant) {
            (None, c) => self.b.ins().iconst(types::I64, c),
            (Some(sum), 0) => sum,
            (Some(sum), c) => self.b.ins().iadd_imm_s(sum, c),
        }
    }

    /// The value without the constant; nothing if that is all.
    fn index_terms(&mut self, index: &Index) -> Option<Value> {
        let mut sum = None;
        for (atom, c) in &index.terms {
            let value = self.atom(atom);
            let value = if *c == 1 { value } else { self.b.ins().imul_imm_s(value, *c) };
            sum = Some(match sum {
                None => value,
                Some(sum) => self.b.ins().iadd(sum, value),
            });
        }
        sum
    }

    fn counter(&self, counter: Counter) -> Value {
        self.counters[&counter.id]
    }

    fn atom(&mut self, atom: &Atom) -> Value {
        match atom {
            Atom::Counter(c) => self.counter(*c),
            Atom::Mod(e, n) => {
                let (lo, hi) = e.range();
                let value = self.index(e);
                if lo >= -n && hi < 2 * n {
                    self.near_remainder(value, *n, (lo, hi))
                } else {
                    self.remainder(value, *n)
                }
            }
            Atom::Div(e, n) => {
                let value = self.index(e);
                let rest = self.remainder(value, *n);
                let whole = self.b.ins().isub(value, rest);
                self.b.ins().sdiv_imm_s(whole, *n)
            }
            Atom::Clamp(e, lo, hi) => {
                let value = self.index(e);
                let lo = self.b.ins().iconst(types::I64, *lo);
                let hi = self.b.ins().iconst(types::I64, *hi);
                let value = self.b.ins().smax(value, lo);
                self.b.ins().smin(value, hi)
            }
            Atom::Cell(table, at) => {
                let place = self.cell(*table, at);
                let flags = self.reading();
                let value = self.b.ins().load(types::F64, flags, place.base, place.offset);
                let value = self.b.ins().fcvt_to_sint_sat(types::I64, value);
                let far = self.b.ins().iconst(types::I64, 1 << 52);
                let value = self.b.ins().smin(value, far);
                let far = self.b.ins().iconst(types::I64, -(1 << 52));
                self.b.ins().smax(value, far)
            }
        }
    }

    /// The remainder of a value at most one period away.
    fn near_remainder(&mut self, value: Value, n: i64, (lo, hi): (i64, i64)) -> Value {
        let mut value = value;
        if lo < 0 {
            let up = self.b.ins().iadd_imm_s(value, n);
            let below = self.b.ins().icmp_imm_s(IntCC::SignedLessThan, value, 0);
            value = self.b.ins().select(below, up, value);
        }
        if hi >= n {
            let down = self.b.ins().iadd_imm_s(value, -n);
            let above = self.b.ins().icmp_imm_s(IntCC::SignedGreaterThanOrEqual, value, n);
            value = self.b.ins().select(above, down, value);
        }
        value
    }

    fn remainder(&mut self, value: Value, n: i64) -> Value {
        let rest = self.b.ins().srem_imm_s(value, n);
        let up = self.b.ins().iadd_imm_s(rest, n);
        let below = self.b.ins().icmp_imm_s(IntCC::SignedLessThan, rest, 0);
        self.b.ins().select(below, up, rest)
    }

    /// The place `index * scale` bytes from a base, with what is constant apart. Addresses that differ by a constant
    /// share the rest.
    fn scaled(&mut self, base: Value, index: &Index, scale: usize) -> Place {
        let constant = index.constant * scale as i64;
        if index.terms.is_empty() {
            return self.at(base, constant);
        }
        let moving = Index { constant: 0, terms: index.terms.clone() };
        let key = (base, moving, scale);
        let start = match self.starts.get(&key) {
            Some(start) => *start,
            None => {
                let terms = self.index_terms(index).expect("there are terms");
                let bytes = self.b.ins().imul_imm_s(terms, scale as i64);
                let start = self.b.ins().iadd(base, bytes);
                self.starts.insert(key, start);
                start
            }
        };
        self.at(start, constant)
    }

    fn at(&mut self, base: Value, offset: i64) -> Place {
        match i32::try_from(offset) {
            Ok(offset) => Place { base, offset },
            Err(_) => Place { base: self.b.ins().iadd_imm_s(base, offset), offset: 0 },
        }
    }

    /// The place of a cell of a table.
    pub fn cell(&mut self, table: Table, at: &Index) -> Place {
        let base = match table {
            Table::Run => self.base.run,
            Table::Step => self.base.step,
        };
        self.scaled(base, at, size_of::<f64>())
    }

    /// The place of a row of the group: of vector 0 of it. Places are remembered within a body.
    pub fn row(&mut self, space: Space, row: &Index) -> Place {
        let key = (space, row.clone());
        if let Some(place) = self.places.get(&key) {
            return *place;
        }
        let near = self.layout.row_bytes();
        let place = match space {
            Space::State => self.scaled(self.base.state, row, near),
            Space::Next => self.scaled(self.base.next, row, near),
            Space::Scratch => self.scaled(self.base.scratch, row, near),
            Space::Out => self.far_row(self.base.out, row),
            Space::Draw => self.far_row(self.base.noise, row),
        };
        self.places.insert(key, place);
        place
    }

    /// A row of the block's own memory, where rows are as long as the block is wide.
    pub fn far_row(&mut self, base: Value, row: &Index) -> Place {
        if row.known() == Some(0) {
            return Place { base, offset: 0 };
        }
        let row = self.index(row);
        let bytes = self.b.ins().imul(row, self.base.row_bytes);
        Place { base: self.b.ins().iadd(base, bytes), offset: 0 }
    }
}
