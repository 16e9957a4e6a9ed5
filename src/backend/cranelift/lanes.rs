//! Instructions on lanes: each becomes one instruction for each of the interleaved vectors.

use ::cranelift::codegen::ir::{ConstantData, SigRef};
use ::cranelift::prelude::*;

use super::address::Place;
use super::function::{Emitter, Slot};
use crate::step::program::{self as step, Binary, Fused, Inst, Logic, Precision, Reg, Relation, Space, Unary};

impl Emitter<'_, '_> {
    /// The vectors at hand of a row.
    pub fn load_vectors(&mut self, place: Place) -> Vec<Value> {
        let flags = self.reading();
        let real = self.real();
        let offset = |v: usize| place.offset + 16 * v as i32;
        self.window.clone().map(|v| self.b.ins().load(real, flags, place.base, offset(v))).collect()
    }

    pub fn store_vectors(&mut self, place: Place, vectors: &[Value]) {
        let flags = self.writing();
        for (v, value) in self.window.clone().zip(vectors) {
            self.b.ins().store(flags, *value, place.base, place.offset + 16 * v as i32);
        }
    }

    /// All lanes of a vector with one number, rounded to the precision of the program.
    pub fn splat(&mut self, x: f64) -> Value {
        let bytes = match self.program.precision {
            Precision::Single => (x as f32).to_le_bytes().repeat(4),
            Precision::Double => x.to_le_bytes().repeat(2),
        };
        let constant = self.b.func.dfg.constants.insert(ConstantData::from(bytes.as_slice()));
        let real = self.real();
        self.b.ins().vconst(real, constant)
    }

    /// A number of a table as a number of a lane.
    pub fn rounded(&mut self, x: Value) -> Value {
        match self.program.precision {
            Precision::Single => self.b.ins().fdemote(types::F32, x),
            Precision::Double => x,
        }
    }

    /// A number of a lane as that of a table.
    pub fn widened(&mut self, x: Value) -> Value {
        match self.program.precision {
            Precision::Single => self.b.ins().fpromote(types::F64, x),
            Precision::Double => x,
        }
    }

    pub fn splat_cell(&mut self, table: step::Table, at: &step::Index) -> Value {
        let place = self.cell(table, at);
        let flags = self.reading();
        let value = self.b.ins().load(types::F64, flags, place.base, place.offset);
        let value = self.rounded(value);
        let real = self.real();
        self.b.ins().splat(real, value)
    }

    /// Vector `v` of a register. What lies on the stack is loaded here, so that the load can be part of the instruction
    /// that uses it.
    pub fn get(&mut self, reg: Reg, v: usize) -> Value {
        let (flags, real) = (self.reading(), self.real());
        match &self.slots[reg.0 as usize] {
            Slot::Uniform(value) => *value,
            Slot::Lanes(vectors) => vectors[v].expect("a verified program reads what it has named"),
            Slot::Pooled(offset) => {
                let (base, offset) = (self.stack.base, *offset);
                self.b.ins().load(real, flags, base, offset)
            }
            Slot::Row(offset) => {
                let (base, offset) = (self.stack.base, offset + 16 * v as i32);
                self.b.ins().load(real, flags, base, offset)
            }
            Slot::Unset => unreachable!("a verified program reads what it has named"),
        }
    }

    /// The vectors at hand of a register.
    pub fn vectors(&mut self, reg: Reg) -> Vec<Value> {
        self.window.clone().map(|v| self.get(reg, v)).collect()
    }

    /// Names the vectors at hand of a register.
    pub fn set(&mut self, reg: Reg, vectors: Vec<Value>) {
        let slot = &mut self.slots[reg.0 as usize];
        if !matches!(slot, Slot::Lanes(_)) {
            *slot = Slot::Lanes(vec![None; self.layout.vectors]);
        }
        if let Slot::Lanes(all) = slot {
            for (v, value) in self.window.clone().zip(vectors) {
                all[v] = Some(value);
            }
        }
    }

    pub fn set_uniform(&mut self, reg: Reg, value: Value) {
        self.slots[reg.0 as usize] = Slot::Uniform(value);
    }

    pub fn inst(&mut self, inst: &Inst) {
        if !matches!(inst, Inst::Let(..) | Inst::Call(_)) {
            self.loaded.clear();
        }
        match inst {
            Inst::Let(dst, value) => self.define(*dst, value),
            Inst::Store { space, row, value } => self.store(*space, row, *value),
            Inst::Call(call) => self.call(call),
            Inst::Loop(l) => self.run_loop(l),
            Inst::ScatterAdd { first, len, at, value } => self.scatter_add(first, *len, *at, *value),
            Inst::Dense(call) => self.dense(call),
            Inst::Product(p) => self.product(p),
            Inst::Sample(call) => self.sample(call),
        }
    }

    fn store(&mut self, space: Space, row: &step::Index, value: Reg) {
        let vectors = self.vectors(value);
        if space == Space::Next && self.layout.registers {
            let row = row.known().expect("rows of straight-line code are known");
            for (v, value) in self.window.clone().zip(vectors) {
                self.next[row as usize][v] = Some(value);
            }
            return;
        }
        let place = self.row(space, row);
        self.store_vectors(place, &vectors);
    }

    fn define(&mut self, dst: Reg, value: &step::Value) {
        match value {
            _ if self.is_early(dst) => {}
            step::Value::Const(bits) => {
                let value = self.splat(f64::from_bits(*bits));
                self.set_uniform(dst, value);
            }
            step::Value::Cell(table, at) => {
                let value = self.splat_cell(*table, at);
                self.set_uniform(dst, value);
            }
            step::Value::Load(Space::State, row) if self.layout.registers => {
                let row = row.known().expect("rows of straight-line code are known");
                let vectors = self.state[row as usize][self.window.clone()].to_vec();
                self.set(dst, vectors);
            }
            step::Value::Load(space, row) => {
                let place = self.row(*space, row);
                let vectors = self.load_vectors(place);
                self.set(dst, vectors);
                if !matches!(space, Space::Out | Space::Draw) {
                    self.loaded.insert(dst, (*space, row.clone()));
                }
            }
            step::Value::Gather { .. } | step::Value::GatherCell { .. } => self.gather(dst, value),
            _ if self.uniform.contains(&dst) => {
                let value = self.operation(value, self.window.start);
                self.set_uniform(dst, value);
            }
            _ => {
                let vectors = self.window.clone().map(|v| self.operation(value, v)).collect();
                self.set(dst, vectors);
            }
        }
    }

    /// One vector of an operation on registers.
    fn operation(&mut self, value: &step::Value, v: usize) -> Value {
        match value {
            step::Value::Truth(b) => {
                let bytes = [if *b { 0xff } else { 0 }; 16];
                let constant = self.b.func.dfg.constants.insert(ConstantData::from(bytes.as_slice()));
                let mask = self.mask();
                self.b.ins().vconst(mask, constant)
            }
            step::Value::Count(index) => {
                let index = self.index(index);
                let number = self.b.ins().fcvt_from_sint(types::F64, index);
                let (number, real) = (self.rounded(number), self.real());
                self.b.ins().splat(real, number)
            }
            step::Value::Unary(op, a) => {
                let a = self.get(*a, v);
                self.unary(*op, a)
            }
            step::Value::Binary(op, a, b) => {
                let (a, b) = (self.get(*a, v), self.get(*b, v));
                self.binary(*op, a, b)
            }
            step::Value::Fused(form, a, b, c) => {
                let (a, b, c) = (self.get(*a, v), self.get(*b, v), self.get(*c, v));
                self.fused(*form, a, b, c)
            }
            step::Value::Compare(op, a, b) => {
                let (a, b) = (self.get(*a, v), self.get(*b, v));
                self.b.ins().fcmp(condition(*op), a, b)
            }
            step::Value::Logic(op, a, b) => {
                let (a, b) = (self.get(*a, v), self.get(*b, v));
                match op {
                    Logic::And => self.b.ins().band(a, b),
                    Logic::Or => self.b.ins().bor(a, b),
                    Logic::AndNot => {
                        let not = self.b.ins().bnot(b);
                        self.b.ins().band(a, not)
                    }
                }
            }
            step::Value::Not(a) => {
                let a = self.get(*a, v);
                self.b.ins().bnot(a)
            }
            step::Value::Select(m, a, b) => {
                let (m, a, b) = (self.get(*m, v), self.get(*a, v), self.get(*b, v));
                self.choose(m, a, b)
            }
            _ => unreachable!("made elsewhere: {value}"),
        }
    }

    /// `mask ? a : b`, bit by bit.
    fn choose(&mut self, mask: Value, a: Value, b: Value) -> Value {
        let (flags, real) = (MemFlagsData::new(), self.real());
        let mask = self.b.ins().bitcast(real, flags, mask);
        self.b.ins().bitselect(mask, a, b)
    }

    fn unary(&mut self, op: Unary, a: Value) -> Value {
        match op {
            Unary::Neg => self.b.ins().fneg(a),
            Unary::Abs => self.b.ins().fabs(a),
            Unary::Floor => self.b.ins().floor(a),
            Unary::Ceil => self.b.ins().ceil(a),
            Unary::Sqrt => self.b.ins().sqrt(a),
        }
    }

    fn binary(&mut self, op: Binary, a: Value, b: Value) -> Value {
        match op {
            Binary::Add => self.b.ins().fadd(a, b),
            Binary::Sub => self.b.ins().fsub(a, b),
            Binary::Mul => self.b.ins().fmul(a, b),
            Binary::Div => self.b.ins().fdiv(a, b),
            Binary::Min | Binary::Max => {
                // the instruction of the machine gives the second if one is NaN, so the first is looked at
                let (low, high) = if op == Binary::Min { (a, b) } else { (b, a) };
                let first = self.b.ins().fcmp(FloatCC::LessThan, low, high);
                let chosen = self.choose(first, a, b);
                let nan = self.b.ins().fcmp(FloatCC::Unordered, a, a);
                self.choose(nan, a, chosen)
            }
        }
    }

    fn fused(&mut self, form: Fused, a: Value, b: Value, c: Value) -> Value {
        let a = if matches!(form, Fused::NegMulAdd | Fused::NegMulSub) { self.b.ins().fneg(a) } else { a };
        let c = if matches!(form, Fused::MulSub | Fused::NegMulSub) { self.b.ins().fneg(c) } else { c };
        self.b.ins().fma(a, b, c)
    }

    /// Calls an elementary function once for all its rows. The results stay on the stack.
    fn call(&mut self, call: &step::Call) {
        let row = self.layout.row_bytes() as i32;
        let rows = call.dsts.len() as i32;
        let first = self.stack.rows(call.kernel.arity() * call.dsts.len(), row as usize);
        let base = self.stack.base;
        let area = self.b.ins().iadd_imm_s(base, i64::from(first));
        let count = self.b.ins().iconst(types::I64, i64::from(rows) * self.layout.lanes() as i64);
        let source = self.rows_of_arguments(call);
        if source.is_none() {
            self.store_arguments(call, first);
        }
        let function = call.kernel.address(self.program.precision);
        if call.kernel.arity() == 1 {
            self.native(function, &[count, source.unwrap_or(area), area]);
        } else {
            let second = self.b.ins().iadd_imm_s(area, i64::from(rows * row));
            self.native(function, &[count, area, second, area]);
        }
        for (k, dst) in call.dsts.iter().enumerate() {
            self.slots[dst.0 as usize] = Slot::Row(first + k as i32 * row);
        }
    }

    /// Arguments go to the stack: first ones of all rows, then second ones.
    fn store_arguments(&mut self, call: &step::Call, first: i32) {
        let (base, row, rows) = (self.stack.base, self.layout.row_bytes() as i32, call.dsts.len() as i32);
        for (k, args) in call.args.iter().enumerate() {
            for (j, arg) in args.iter().enumerate() {
                let vectors = self.vectors(*arg);
                let offset = first + (j as i32 * rows + k as i32) * row;
                self.store_vectors(Place { base, offset }, &vectors);
            }
        }
    }

    /// Where the arguments of a function of one argument are, if they are rows in memory that follow one another.
    fn rows_of_arguments(&mut self, call: &step::Call) -> Option<Value> {
        if call.kernel.arity() != 1 {
            return None;
        }
        let (space, first) = self.loaded.get(&call.args[0][0])?.clone();
        let follows = |k: usize, arg: Reg| self.loaded.get(&arg) == Some(&(space, first.plus(k as i64)));
        if !call.args.iter().enumerate().all(|(k, args)| follows(k, args[0])) {
            return None;
        }
        let place = self.row(space, &first);
        Some(self.b.ins().iadd_imm_s(place.base, i64::from(place.offset)))
    }

    /// A call of a native function that takes words and gives nothing.
    pub fn native(&mut self, address: usize, args: &[Value]) {
        let signature = self.signature(args.len());
        let address = self.b.ins().iconst(types::I64, address as i64);
        self.b.ins().call_indirect(signature, address, args);
    }

    fn signature(&mut self, params: usize) -> SigRef {
        let mut signature = Signature::new(self.config.default_call_conv);
        signature.params = vec![AbiParam::new(types::I64); params];
        self.b.import_signature(signature)
    }
}

fn condition(op: Relation) -> FloatCC {
    match op {
        Relation::Lt => FloatCC::LessThan,
        Relation::Le => FloatCC::LessThanOrEqual,
        Relation::Eq => FloatCC::Equal,
        Relation::Ne => FloatCC::NotEqual,
    }
}
