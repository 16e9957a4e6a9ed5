//! The frame of the compiled function: groups of lanes, and for each the steps.
//!
//! ```text
//! for each group of lanes (some vectors)
//!     states of the group into registers, or into two working copies
//!     for each step
//!         the body; the new states take the place of the old (the copies change roles)
//!     states back to the block
//! ```

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use ::cranelift::codegen::ir::{BlockArg, Function, MemFlagsData, StackSlotData, StackSlotKind};
use ::cranelift::codegen::isa::TargetFrontendConfig;
use ::cranelift::prelude::*;

use super::Context;
use super::address::Place;
use super::shape::Layout;
use crate::step::program::{self as step, Index, Inst, Kind, Loop, Precision, Program, Reg, Space, Table};

/// Where the memory of the group is.
#[derive(Copy, Clone)]
pub struct Bases {
    pub run: Value,
    /// table of the step
    pub step: Value,
    /// draws of the step, at the group's lanes
    pub noise: Value,
    /// outputs, at the group's lanes
    pub out: Value,
    /// working copy with the old states
    pub state: Value,
    /// working copy with the new states
    pub next: Value,
    /// rows of the body
    pub scratch: Value,
    /// bytes from one row of the block to the next
    pub row_bytes: Value,
    /// the context
    pub context: Value,
    /// bytes from the first lane of a row of the block to the group
    pub offset: Value,
    /// steps still to do, this one included
    pub left: Value,
}

/// What a register is in machine code.
#[derive(Clone)]
pub enum Slot {
    Unset,
    /// the same for all lanes
    Uniform(Value),
    /// a vector for each few lanes, as far as they have been made
    Lanes(Vec<Option<Value>>),
    /// one vector on the stack, the same for all lanes
    Pooled(i32),
    /// a row on the stack
    Row(i32),
}

pub struct Emitter<'f, 'p> {
    pub b: FunctionBuilder<'f>,
    pub program: &'p Program,
    pub layout: Layout,
    pub slots: Vec<Slot>,
    pub counters: HashMap<u32, Value>,
    pub base: Bases,
    /// states in registers: the old rows, and the new ones as far as they are known
    pub state: Vec<Vec<Value>>,
    pub next: Vec<Vec<Option<Value>>>,
    /// the vectors that are worked on
    pub window: Range<usize>,
    pub stack: Stack,
    pub config: TargetFrontendConfig,
    /// registers that are the same for all lanes
    pub uniform: HashSet<Reg>,
    /// registers that are made before the body
    early: HashSet<Reg>,
    /// addresses made in the body at hand: of rows, and of the moving parts of addresses
    pub places: HashMap<(Space, Index), Place>,
    pub starts: HashMap<(Value, Index, usize), Value>,
    /// rows of the group that registers have been loaded from, and that have not been written since
    pub loaded: HashMap<Reg, (Space, Index)>,
}

/// Memory on the stack: constants, arguments and results of calls.
pub struct Stack {
    pub base: Value,
    bytes: usize,
}

impl Stack {
    /// The offset of room for some rows.
    pub fn rows(&mut self, rows: usize, row_bytes: usize) -> i32 {
        let offset = self.bytes.next_multiple_of(32);
        self.bytes = offset + rows * row_bytes;
        offset as i32
    }
}

/// Bytes of a field of the context.
macro_rules! field {
    ($name:ident) => {
        std::mem::offset_of!(Context, $name) as i32
    };
}

pub fn build(
    program: &Program,
    func: &mut Function,
    context: &mut FunctionBuilderContext,
    config: TargetFrontendConfig,
) {
    let mut b = FunctionBuilder::new(func, context);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    let layout = Layout::of(program);
    let bases = load_context(&mut b, entry);
    let slot = b.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, 0, 5));
    let base = b.ins().stack_addr(types::I64, slot, 0);
    let mut e = Emitter {
        b,
        program,
        layout,
        slots: vec![Slot::Unset; program.regs.len()],
        counters: HashMap::new(),
        base: bases,
        state: Vec::new(),
        next: Vec::new(),
        window: 0..layout.vectors,
        stack: Stack { base, bytes: 0 },
        config,
        uniform: super::shape::uniform(program),
        early: HashSet::new(),
        places: HashMap::new(),
        starts: HashMap::new(),
        loaded: HashMap::new(),
    };
    e.before_body(&program.body, Table::Run);
    e.groups();
    e.b.func.sized_stack_slots[slot].size = e.stack.bytes as u32;
    e.b.seal_all_blocks();
    e.b.finalize(config);
}

fn load_context(b: &mut FunctionBuilder<'_>, entry: Block) -> Bases {
    let context = b.block_params(entry)[0];
    let flags = MemFlagsData::new().with_notrap().with_readonly();
    let mut load = |offset: i32| b.ins().load(types::I64, flags, context, offset);
    let scratch = load(field!(scratch));
    // the places that change hold anything until the loops set them
    Bases {
        offset: scratch,
        left: scratch,
        run: load(field!(run)),
        step: load(field!(step)),
        noise: load(field!(noise)),
        out: load(field!(out)),
        state: load(field!(state)),
        next: scratch,
        scratch,
        row_bytes: load(field!(row_bytes)),
        context,
    }
}

fn args(values: &[Value]) -> Vec<BlockArg> {
    values.iter().map(|v| BlockArg::Value(*v)).collect()
}

impl Emitter<'_, '_> {
    /// A number of a lane.
    pub fn number(&self) -> Type {
        match self.program.precision {
            Precision::Single => types::F32,
            Precision::Double => types::F64,
        }
    }

    /// A vector of numbers.
    pub fn real(&self) -> Type {
        match self.program.precision {
            Precision::Single => types::F32X4,
            Precision::Double => types::F64X2,
        }
    }

    /// A vector of truth values: lanes of ones or zeros.
    pub fn mask(&self) -> Type {
        match self.program.precision {
            Precision::Single => types::I32X4,
            Precision::Double => types::I64X2,
        }
    }

    /// Flags of a load of the block's memory: it neither traps nor need be aligned.
    pub fn reading(&self) -> MemFlagsData {
        MemFlagsData::new().with_notrap()
    }

    pub fn writing(&self) -> MemFlagsData {
        MemFlagsData::new().with_notrap()
    }

    /// Makes constants and cells of a table whose places are known before the body: in registers, or on the stack.
    fn before_body(&mut self, body: &[Inst], table: Table) {
        for inst in body {
            match inst {
                Inst::Let(dst, step::Value::Const(bits)) if table == Table::Run => {
                    let value = self.splat(f64::from_bits(*bits));
                    self.keep(*dst, value);
                }
                Inst::Let(dst, step::Value::Cell(t, at)) if *t == table && at.known().is_some() => {
                    let value = self.splat_cell(table, at);
                    self.keep(*dst, value);
                }
                Inst::Loop(l) => self.before_body(&l.body, table),
                _ => {}
            }
        }
    }

    fn keep(&mut self, reg: Reg, value: Value) {
        self.early.insert(reg);
        if self.layout.hoisted {
            self.set_uniform(reg, value);
            return;
        }
        let offset = match self.slots[reg.0 as usize] {
            Slot::Pooled(offset) => offset,
            _ => self.stack.rows(1, 16),
        };
        let flags = self.writing();
        self.b.ins().store(flags, value, self.stack.base, offset);
        self.slots[reg.0 as usize] = Slot::Pooled(offset);
    }

    /// Whether a register is made before the body.
    pub fn is_early(&self, reg: Reg) -> bool {
        self.early.contains(&reg)
    }

    fn forget_places(&mut self) {
        self.places.clear();
        self.starts.clear();
        self.loaded.clear();
    }

    /// For each group of lanes, at an offset in bytes into the rows of the block. Where a group is wider than the
    /// multiple that blocks come in, half a group may be left over at the end.
    fn groups(&mut self) {
        let blocks = self.base;
        let zero = self.b.ins().iconst(types::I64, 0);
        let left = self.group_loop(blocks, zero);
        let multiple = self.program.precision.lane_multiple();
        if self.layout.lanes() > multiple {
            assert_eq!(self.layout.lanes(), 2 * multiple, "half a group is one multiple");
            self.layout = self.layout.halved();
            self.window = 0..self.layout.vectors;
            self.group_loop(blocks, left);
        }
        self.b.ins().return_(&[]);
    }

    /// As many groups as there are from an offset on; gives the offset after them.
    fn group_loop(&mut self, blocks: Bases, start: Value) -> Value {
        let bytes = self.layout.row_bytes() as i64;
        let head = self.b.create_block();
        let body = self.b.create_block();
        let done = self.b.create_block();
        let offset = self.b.append_block_param(head, types::I64);
        self.b.ins().jump(head, &args(&[start]));
        self.b.switch_to_block(head);
        let end = self.b.ins().iadd_imm_s(offset, bytes);
        let more = self.b.ins().icmp(IntCC::UnsignedLessThanOrEqual, end, blocks.row_bytes);
        self.b.ins().brif(more, body, &[], done, &[]);
        self.b.switch_to_block(body);
        let group_state = self.b.ins().iadd(blocks.state, offset);
        self.base.noise = self.b.ins().iadd(blocks.noise, offset);
        self.base.out = self.b.ins().iadd(blocks.out, offset);
        self.base.step = blocks.step;
        self.base.offset = offset;
        let states = self.bring_states(group_state);
        let states = self.steps(&states);
        self.return_states(group_state, &states);
        self.b.ins().jump(head, &args(&[end]));
        self.b.switch_to_block(done);
        offset
    }

    /// The states that the steps start with: vectors in registers, or the addresses of the working copies.
    fn bring_states(&mut self, group: Value) -> Vec<Value> {
        if self.layout.registers {
            return (0..self.program.state_rows)
                .flat_map(|row| {
                    let place = self.far_row(group, &Index::of(row as i64));
                    self.load_vectors(place)
                })
                .collect();
        }
        let body = (self.program.body_scratch * self.layout.row_bytes()) as i64;
        let size = (self.program.state_rows * self.layout.row_bytes()) as i64;
        let first = self.b.ins().iadd_imm_s(self.base.scratch, body);
        let second = self.b.ins().iadd_imm_s(self.base.scratch, body + size);
        self.copy_rows(group, |e| e.base.row_bytes, first, |e| e.near_bytes());
        if self.program.states.iter().any(|s| !s.renewed) {
            self.copy_rows(group, |e| e.base.row_bytes, second, |e| e.near_bytes());
        }
        vec![first, second]
    }

    fn return_states(&mut self, group: Value, states: &[Value]) {
        if self.layout.registers {
            for (row, vectors) in states.chunks(self.layout.vectors).enumerate() {
                let place = self.far_row(group, &Index::of(row as i64));
                self.store_vectors(place, vectors);
            }
            return;
        }
        self.copy_rows(states[0], |e| e.near_bytes(), group, |e| e.base.row_bytes);
    }

    fn near_bytes(&mut self) -> Value {
        self.b.ins().iconst(types::I64, self.layout.row_bytes() as i64)
    }

    /// Copies all state rows of the group, one after the other.
    fn copy_rows(
        &mut self,
        from: Value,
        from_bytes: impl Fn(&mut Self) -> Value,
        to: Value,
        to_bytes: impl Fn(&mut Self) -> Value,
    ) {
        if self.program.state_rows == 0 {
            return;
        }
        let (from_bytes, to_bytes) = (from_bytes(self), to_bytes(self));
        let count = self.b.ins().iconst(types::I64, self.program.state_rows as i64);
        let head = self.b.create_block();
        let params: Vec<Value> = (0..3).map(|_| self.b.append_block_param(head, types::I64)).collect();
        self.b.ins().jump(head, &args(&[from, to, count]));
        self.b.switch_to_block(head);
        let vectors = self.load_vectors(Place { base: params[0], offset: 0 });
        self.store_vectors(Place { base: params[1], offset: 0 }, &vectors);
        let from = self.b.ins().iadd(params[0], from_bytes);
        let to = self.b.ins().iadd(params[1], to_bytes);
        let left = self.b.ins().iadd_imm_s(params[2], -1);
        let done = self.b.create_block();
        self.b.ins().brif(left, head, &args(&[from, to, left]), done, &[]);
        self.b.switch_to_block(done);
    }

    /// The loop over steps; gives the states at the end, in the form in which they came.
    fn steps(&mut self, states: &[Value]) -> Vec<Value> {
        let flags = MemFlagsData::new().with_notrap().with_readonly();
        let count = self.b.ins().load(types::I64, flags, self.base.context, field!(steps));
        let head = self.b.create_block();
        let left = self.b.append_block_param(head, types::I64);
        let step = self.b.append_block_param(head, types::I64);
        let noise = self.b.append_block_param(head, types::I64);
        let carried: Vec<Value> = states
            .iter()
            .map(|s| {
                let ty = self.b.func.dfg.value_type(*s);
                self.b.append_block_param(head, ty)
            })
            .collect();
        let start: Vec<Value> = [count, self.base.step, self.base.noise].iter().chain(states).copied().collect();
        self.b.ins().jump(head, &args(&start));
        self.b.switch_to_block(head);
        (self.base.step, self.base.noise, self.base.left) = (step, noise, left);
        self.begin_step(&carried);
        self.forget_places();
        let program = self.program;
        self.before_body(&program.body, Table::Step);
        self.body(&program.body);
        let renewed = self.end_step(&carried);
        let step = self.b.ins().iadd_imm_s(step, (self.program.step_len * size_of::<f64>()) as i64);
        let draws = self.b.ins().imul_imm_s(self.base.row_bytes, self.program.draw_rows as i64);
        let noise = self.b.ins().iadd(noise, draws);
        let left = self.b.ins().iadd_imm_s(left, -1);
        let next: Vec<Value> = [left, step, noise].iter().chain(&renewed).copied().collect();
        let done = self.b.create_block();
        self.b.ins().brif(left, head, &args(&next), done, &[]);
        self.b.switch_to_block(done);
        renewed
    }

    fn begin_step(&mut self, carried: &[Value]) {
        if self.layout.registers {
            self.state = carried.chunks(self.layout.vectors).map(<[Value]>::to_vec).collect();
            self.next = vec![vec![None; self.layout.vectors]; self.program.state_rows];
        } else {
            (self.base.state, self.base.next) = (carried[0], carried[1]);
        }
    }

    fn end_step(&mut self, carried: &[Value]) -> Vec<Value> {
        if !self.layout.registers {
            return vec![carried[1], carried[0]];
        }
        let next = std::mem::take(&mut self.next);
        let rows = next.into_iter().zip(&self.state);
        rows.flat_map(|(new, old)| new.into_iter().zip(old).map(|(new, old)| new.unwrap_or(*old))).collect()
    }

    /// A body: stretches without calls and loops vector by vector, calls and loops for all vectors at once.
    pub fn body(&mut self, body: &[Inst]) {
        for stretch in body.chunk_by(|a, b| !is_whole(a) && !is_whole(b)) {
            if is_whole(&stretch[0]) {
                self.inst(&stretch[0]);
            } else {
                self.stretch(stretch);
            }
        }
    }

    /// Instructions for one vector after the other: the processor overlaps them, and few registers are needed at a
    /// time. What is the same for all lanes is done with the first.
    fn stretch(&mut self, stretch: &[Inst]) {
        let all = self.window.clone();
        for first in all.clone().step_by(self.layout.interleaved) {
            self.window = first..(first + self.layout.interleaved).min(all.end);
            for inst in stretch {
                let done = first > 0 && matches!(inst, Inst::Let(dst, _) if self.uniform.contains(dst));
                if !done {
                    self.inst(inst);
                }
            }
        }
        self.window = all;
    }

    /// A loop of the program.
    pub fn run_loop(&mut self, l: &Loop) {
        let vectors = self.layout.vectors;
        let zero = self.b.ins().iconst(types::I64, 0);
        let mut start = vec![zero];
        for c in &l.carried {
            start.extend(self.vectors(c.init));
        }
        let head = self.b.create_block();
        let counter = self.b.append_block_param(head, types::I64);
        self.b.ins().jump(head, &args(&start));
        self.b.switch_to_block(head);
        for c in &l.carried {
            let ty = if self.program.kind(c.inner) == Kind::Mask { self.mask() } else { self.real() };
            let params = (0..vectors).map(|_| self.b.append_block_param(head, ty)).collect();
            self.set(c.inner, params);
        }
        self.counters.insert(l.counter.id, counter);
        self.forget_places();
        self.body(&l.body);
        self.forget_places();
        let mut next = vec![self.b.ins().iadd_imm_s(counter, 1)];
        for c in &l.carried {
            next.extend(self.vectors(c.next));
        }
        let more = self.b.ins().icmp_imm_s(IntCC::SignedLessThan, next[0], l.counter.extent as i64);
        let done = self.b.create_block();
        self.b.ins().brif(more, head, &args(&next), done, &[]);
        self.b.switch_to_block(done);
        for (k, c) in l.carried.iter().enumerate() {
            self.set(c.result, next[1 + k * vectors..][..vectors].to_vec());
        }
    }
}

/// Instructions that are done for all vectors at once.
fn is_whole(inst: &Inst) -> bool {
    matches!(inst, Inst::Call(_) | Inst::Loop(_) | Inst::Dense(_) | Inst::Product(_) | Inst::Sample(_))
}
