//! Values that are the same for all lanes: constants folded here, the rest cells of the tables.

use super::super::program::*;
use super::Lowering;
use super::build::Val;
use crate::math::{Id, IndexVar, Node, Op, Rate, Ty, simplify};

/// A table array may have this many elements; a larger one is worked out lane by lane instead.
const LARGEST_RUN: usize = 1 << 22;
const LARGEST_STEP: usize = 1 << 14;

/// Elements that an array in a table may have.
pub fn largest(table: Table) -> usize {
    if table == Table::Run { LARGEST_RUN } else { LARGEST_STEP }
}

impl Lowering<'_> {
    /// A scalar of run or step rate. Nothing if it would need too large a table.
    pub fn uniform(&mut self, id: Id) -> Option<Val> {
        if let Some(known) = self.fold(id) {
            return Some(known);
        }
        if self.g.ty(id) == Ty::Int && self.g.rate(id) == Rate::Compile {
            if let Some(index) = self.index_of(id) {
                return Some(Val::Reg(self.b.emit(Value::Count(index))));
            }
        }
        let id = self.instance(id);
        if let Some(known) = self.fold(id) {
            return Some(known);
        }
        let (table, at) = self.place(id)?;
        let cell = Val::Reg(self.b.emit(Value::Cell(table, at)));
        Some(if self.g.ty(id) == Ty::Bool { self.b.as_mask(cell) } else { cell })
    }

    /// A value with the values of its indices put in, where all are known: equal elements of a matrix have one cell then,
    /// and zeros by their form are seen. Elements of parameters and data have their cells already.
    fn instance(&mut self, id: Id) -> Id {
        let free = self.g.free(id).to_vec();
        if free.is_empty() || self.reads_closed(id) {
            return id;
        }
        let known: Option<Vec<(u32, i64)>> = free.iter().map(|i| Some((*i, self.env[i].1.known()?))).collect();
        let Some(known) = known else { return id };
        let pairs: Vec<(u32, Id)> = known.into_iter().map(|(i, k)| (i, self.g.int(k))).collect();
        simplify::substitute(self.g, &[id], &pairs, &[])[0]
    }

    /// Whether a scalar is an element of a parameter or of data.
    fn reads_closed(&self, id: Id) -> bool {
        match self.g.node(id) {
            Node::Get(array, _) => matches!(self.g.node(*array), Node::Var(_) | Node::Data(_)),
            _ => false,
        }
    }

    pub fn table_of(&self, id: Id) -> Table {
        if self.g.rate(id) <= Rate::Run { Table::Run } else { Table::Step }
    }

    /// The cell that holds a uniform scalar.
    fn place(&mut self, id: Id) -> Option<(Table, Index)> {
        let table = self.table_of(id);
        if self.g.free(id).is_empty() {
            return Some((table, Index::of(self.slot(table, id) as i64)));
        }
        if let Node::Get(array, at) = self.g.node(id).clone()
            && self.g.free(array).is_empty()
            && self.table_of(array) == table
        {
            let shape = self.g.shape(array).to_vec();
            if let Some(at) = at.iter().map(|a| self.index_of(*a)).collect::<Option<Vec<_>>>() {
                let offset = self.slot(table, array) as i64;
                return Some((table, linear(&shape, &clamped(&shape, at)).plus(offset)));
            }
        }
        let bounds: Vec<IndexVar> =
            self.g.free(id).to_vec().iter().map(|i| IndexVar { id: *i, extent: self.env[i].0 }).collect();
        let shape: Vec<usize> = bounds.iter().map(|b| b.extent).collect();
        if shape.iter().product::<usize>() > largest(table) {
            return None;
        }
        let at: Vec<Index> = bounds.iter().map(|b| self.env[&b.id].1.clone()).collect();
        let array = self.g.map(&bounds, id);
        let offset = self.slot(table, array) as i64;
        Some((table, linear(&shape, &at).plus(offset)))
    }

    /// The offset at which the table holds a closed value.
    pub fn slot(&mut self, table: Table, id: Id) -> usize {
        if let Some(offset) = self.slots.get(&(table, id)) {
            return *offset;
        }
        let len = self.g.shape(id).iter().product::<usize>();
        let (slots, end) = match table {
            Table::Run => (&mut self.program.run_table, &mut self.program.run_len),
            Table::Step => (&mut self.program.step_table, &mut self.program.step_len),
        };
        let offset = *end;
        slots.push(super::super::program::TableSlot { value: id, offset, len });
        *end += len;
        self.slots.insert((table, id), offset);
        offset
    }

    /// An integer that is the same for all lanes, as an index expression.
    pub fn index_of(&mut self, id: Id) -> Option<Index> {
        if self.g.rate(id) > Rate::Step || self.g.ty(id) != Ty::Int {
            return None;
        }
        match self.g.node(id).clone() {
            Node::Int(c) => return Some(Index::of(c)),
            Node::Index(i) => return Some(self.env[&i.id].1.clone()),
            Node::Op(op, args) => {
                if let Some(index) = self.index_op(op, &args) {
                    return Some(index);
                }
            }
            _ => {}
        }
        if let Some(Val::Real(x)) = self.fold(id) {
            return Some(Index::of(x as i64));
        }
        let (table, at) = self.place(id)?;
        Some(Index::cell(table, at))
    }

    fn index_op(&mut self, op: Op, args: &[Id]) -> Option<Index> {
        let a = self.index_of(args[0])?;
        match op {
            Op::Neg => return Some(a.times(-1)),
            Op::StopGrad => return Some(a),
            Op::Add | Op::Sub | Op::Mul | Op::Mod | Op::IntDiv | Op::Min | Op::Max => {}
            _ => return None,
        }
        let b = self.index_of(args[1])?;
        match (op, a.known(), b.known()) {
            (Op::Add, ..) => Some(a.add(&b)),
            (Op::Sub, ..) => Some(a.sub(&b)),
            (Op::Mul, Some(c), _) => Some(b.times(c)),
            (Op::Mul, _, Some(c)) => Some(a.times(c)),
            (Op::Mod, _, Some(n)) if n > 0 => Some(a.modulo(n)),
            (Op::IntDiv, _, Some(n)) if n > 0 => Some(a.quotient(n)),
            (Op::Min, _, Some(c)) => Some(a.bounded(a.range().0.min(c), c)),
            (Op::Min, Some(c), _) => Some(b.bounded(b.range().0.min(c), c)),
            (Op::Max, _, Some(c)) => Some(a.bounded(c, a.range().1.max(c))),
            (Op::Max, Some(c), _) => Some(b.bounded(c, b.range().1.max(c))),
            _ => None,
        }
    }

    /// The value of a scalar that is known now, with the indices that are.
    pub fn fold(&mut self, id: Id) -> Option<Val> {
        if self.g.rate(id) > Rate::Compile {
            return None;
        }
        match self.g.node(id) {
            Node::Real(bits) => return Some(Val::Real(f64::from_bits(*bits))),
            Node::Int(c) => return Some(Val::Real(*c as f64)),
            Node::Bool(b) => return Some(Val::Truth(*b)),
            Node::Index(i) => return self.env[&i.id].1.known().map(|k| Val::Real(k as f64)),
            _ => {}
        }
        let key = self.key(id);
        if key.1.iter().any(|i| i.known().is_none()) {
            return None;
        }
        if let Some(known) = self.folded.get(&key) {
            return *known;
        }
        let value = self.fold_parts(id);
        self.folded.insert(key, value);
        value
    }

    fn fold_parts(&mut self, id: Id) -> Option<Val> {
        match self.g.node(id).clone() {
            Node::Op(op, args) => self.fold_op(op, &args),
            Node::Get(array, at) => {
                let Node::Lit(shape, elements) = self.g.node(array).clone() else { return None };
                let at = at.iter().map(|a| self.index_of(*a)).collect::<Option<Vec<_>>>()?;
                let k = linear(&shape, &clamped(&shape, at)).known()?;
                self.fold(elements[k as usize])
            }
            _ => None,
        }
    }

    fn fold_op(&mut self, op: Op, args: &[Id]) -> Option<Val> {
        let first = self.fold(args[0])?;
        if let (Op::Select, Val::Truth(c)) = (op, first) {
            return self.fold(args[if c { 1 } else { 2 }]);
        }
        let types: Vec<Ty> = args.iter().map(|a| self.g.ty(*a)).collect();
        if types.contains(&Ty::Bool) {
            let b = args.get(1).map(|b| self.fold(*b));
            return match (op, first, b) {
                (Op::Not, Val::Truth(a), _) => Some(Val::Truth(!a)),
                (Op::ToReal, Val::Truth(a), _) => Some(Val::Real(f64::from(a))),
                (Op::And, Val::Truth(a), Some(Some(Val::Truth(b)))) => Some(Val::Truth(a && b)),
                (Op::Or, Val::Truth(a), Some(Some(Val::Truth(b)))) => Some(Val::Truth(a || b)),
                _ => None,
            };
        }
        let Val::Real(a) = first else { return None };
        let b = match args.get(1) {
            Some(b) => match self.fold(*b)? {
                Val::Real(b) => b,
                _ => return None,
            },
            None => 0.0,
        };
        Some(match op {
            Op::Add => Val::Real(a + b),
            Op::Sub => Val::Real(a - b),
            Op::Mul => Val::Real(a * b),
            Op::Div => Val::Real(a / b),
            Op::Neg => Val::Real(-a),
            Op::Abs => Val::Real(a.abs()),
            Op::Sqrt => Val::Real(a.sqrt()),
            Op::Floor => Val::Real(a.floor()),
            Op::Ceil => Val::Real(a.ceil()),
            Op::Min => Val::Real(Binary::Min.apply(a, b)),
            Op::Max => Val::Real(Binary::Max.apply(a, b)),
            Op::Mod => Val::Real(super::scalar::modulo(a, b)),
            Op::IntDiv => Val::Real((a / b).floor()),
            Op::ToReal | Op::StopGrad => Val::Real(a),
            Op::Lt => Val::Truth(a < b),
            Op::Le => Val::Truth(a <= b),
            Op::Eq => Val::Truth(a == b),
            Op::Ne => Val::Truth(a != b),
            _ => return None,
        })
    }
}

/// The row-major offset of an element.
pub fn linear(shape: &[usize], at: &[Index]) -> Index {
    shape.iter().zip(at).fold(Index::of(0), |sum, (n, i)| sum.times(*n as i64).add(i))
}

/// Indices brought inside an array, so that an element that is never used may still be read.
pub fn clamped(shape: &[usize], at: Vec<Index>) -> Vec<Index> {
    shape.iter().zip(at).map(|(n, i)| i.bounded(0, *n as i64 - 1)).collect()
}
