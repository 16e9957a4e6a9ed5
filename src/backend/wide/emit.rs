//! The frame of the machine code: groups of lanes, and for each the steps.
//!
//! ```text
//! for each group of lanes (some vectors)
//!     states of the group into their homes (registers, slots of the stack), or into two working copies
//!     for each step
//!         the body; the new states take the places of the old (the copies change roles)
//!     states back to the block
//! ```
//!
//! Where a group is wider than the multiple that blocks come in, the rest is done by the same code for half a group.

use super::Context;
use super::address::Addresses;
use super::allocate::{Registers, State};
use super::encode::*;
use super::expand::{self, Expanded};
use super::shape::{Layout, NESTING, REGISTERS};
use super::vector::{Call, Carried, Info, Loop, Node, Place, Source, Val};
use crate::step::program::{Counter, Index, Program, Space};

/// Bytes from one row of the block to the next.
pub const ROW_BYTES: Gpr = R11;
/// The counter of a loop without calls.
pub const COUNTER: Gpr = R10;

/// Words of the frame, in bytes from the stack pointer.
pub mod slots {
    pub const CONTEXT: i32 = 0;
    /// outputs of the step, at the group's lanes
    pub const OUT: i32 = 8;
    /// steps still to do
    pub const LEFT: i32 = 16;
    /// bytes from the draws of one step to those of the next
    pub const DRAWS: i32 = 24;
    /// states of the group in the block
    pub const GROUP: i32 = 32;
    /// the stack pointer of the caller
    pub const CALLER: i32 = 40;
    /// bytes from the first lane of a row of the block to the group
    pub const OFFSET: i32 = 48;
    pub const ROW_BYTES: i32 = 56;
    /// the numbers that a gather goes by, and what it has found
    pub const GATHER: i32 = 64;
    /// parts of index expressions
    pub const INDEX: i32 = 128;
    /// counters of loops and offsets that have no register
    pub const FIRST: i32 = INDEX + 8 * (super::NESTING as i32 + 1);
    pub const END: i32 = 1024;
}

/// Frames larger than this are not made: threads have small stacks.
const LARGEST_FRAME: i32 = 256 << 10;

/// Registers that carried values of a loop without calls may have as their homes.
const HOMES: usize = 10;

/// Registers that the caller wants back.
const SAVED: [Gpr; 6] = [RBX, RBP, R12, R13, R14, R15];

/// Bytes of a field of the context.
macro_rules! field {
    ($name:ident) => {
        std::mem::offset_of!(Context, $name) as i32
    };
}

/// How many values that a loop carries have registers as their homes.
fn homes(l: &Loop) -> usize {
    if l.is_leaf() { HOMES.min(l.carried.len()) } else { 0 }
}

pub struct Emitter<'p> {
    pub asm: Assembler,
    program: &'p Program,
    pub layout: Layout,
    pub vals: Vec<Info>,
    pub states: Vec<State>,
    pub registers: Registers,
    pub addresses: Addresses,
    /// the counter of the loop without calls that is open
    pub leaf: Option<Counter>,
    /// bytes of the stack in use
    pub stack: i32,
    words: i32,
    most_words: i32,
}

/// The code of a program, and its text if asked for.
pub fn emit(program: &Program, layout: Layout, listing: bool) -> Option<(Vec<u8>, String)> {
    let mut frame = slots::END;
    // the code does not depend on the frame's size but in one number: a first pass tells it
    for last in [false, true] {
        let mut e = Emitter {
            asm: Assembler::new(layout.precision, listing && last),
            program,
            layout,
            vals: Vec::new(),
            states: Vec::new(),
            registers: Registers::default(),
            addresses: Addresses::default(),
            leaf: None,
            stack: slots::END,
            words: slots::FIRST,
            most_words: slots::FIRST,
        };
        let used = e.function(frame);
        if used > LARGEST_FRAME || e.most_words > slots::END {
            return None;
        }
        if last {
            let text = e.asm.text();
            return Some((e.asm.finish(), text));
        }
        frame = used;
    }
    None
}

impl Emitter<'_> {
    /// A word of the frame.
    pub fn word(&mut self) -> i32 {
        let word = self.words;
        self.words += 8;
        self.most_words = self.most_words.max(self.words);
        word
    }

    /// The whole function; gives the bytes of stack that it uses.
    fn function(&mut self, frame: i32) -> i32 {
        SAVED.into_iter().for_each(|r| self.asm.push(r));
        self.asm.mov(RAX, RSP);
        self.asm.align_stack();
        self.asm.arith(Int::Sub, RSP, (frame + 63) & !63);
        self.asm.mov(Mem::at(RSP, slots::CALLER), RAX);
        self.asm.mov(Mem::at(RSP, slots::CONTEXT), RDI);
        self.asm.mov(R15, Mem::at(RDI, field!(run)));
        self.asm.mov(R12, Mem::at(RDI, field!(scratch)));
        self.asm.mov(ROW_BYTES, Mem::at(RDI, field!(row_bytes)));
        self.asm.mov(Mem::at(RSP, slots::ROW_BYTES), ROW_BYTES);
        self.asm.multiply_number(RAX, ROW_BYTES, self.program.draw_rows as i32);
        self.asm.mov(Mem::at(RSP, slots::DRAWS), RAX);
        self.asm.mov(Mem::at(RSP, slots::OFFSET), 0);
        let mut most = self.stack;
        loop {
            most = most.max(self.groups());
            if self.layout.vectors == 2 {
                break;
            }
            self.layout = self.layout.halved();
        }
        self.asm.zero_upper();
        self.asm.mov(RSP, Mem::at(RSP, slots::CALLER));
        SAVED.into_iter().rev().for_each(|r| self.asm.pop(r));
        self.asm.ret();
        most
    }

    /// As many groups as there are from the offset on.
    fn groups(&mut self) -> i32 {
        let expanded = expand::expand(self.program, self.layout, slots::END);
        self.states = expanded.vals.iter().map(|v| State::at(v.place.clone())).collect();
        let Expanded { steps, vals, pool, results, stack } = expanded;
        (self.vals, self.stack, self.words) = (vals, stack, slots::FIRST);
        (self.registers, self.addresses) = (Registers::default(), Addresses::default());
        for (cell, at) in pool {
            self.asm.splat_cell(Ymm(0), Mem::at(R15, 8 * cell as i32));
            self.asm.store(Mem::at(RSP, at), Ymm(0));
        }
        let (head, done) = (self.asm.label(), self.asm.label());
        self.asm.bind(head);
        self.asm.mov(RAX, Mem::at(RSP, slots::OFFSET));
        self.asm.lea(RCX, Mem::at(RAX, self.layout.row_bytes() as i32));
        self.asm.arith(Int::Cmp, RCX, ROW_BYTES);
        self.asm.jump_if(Cond::Above, done);
        self.start_group();
        if !self.layout.registers {
            self.bring_states();
        }
        self.run_loop(&steps);
        if self.layout.registers {
            for (row, v, val) in results {
                let r = self.ensure(val, 0);
                let mem = self.row(Space::State, &Index::of(row as i64), v);
                self.asm.store(mem, r);
                self.release(&[val], u32::MAX);
            }
        } else {
            self.return_states();
        }
        self.asm.arith(Int::Add, Mem::at(RSP, slots::OFFSET), self.layout.row_bytes() as i32);
        self.asm.jump(head);
        self.asm.bind(done);
        self.stack
    }

    /// Addresses of the group, whose offset is in `rax`.
    fn start_group(&mut self) {
        self.asm.mov(RCX, Mem::at(RSP, slots::CONTEXT));
        self.asm.mov(R13, Mem::at(RCX, field!(noise)));
        self.asm.arith(Int::Add, R13, RAX);
        self.asm.mov(RDX, Mem::at(RCX, field!(out)));
        self.asm.arith(Int::Add, RDX, RAX);
        self.asm.mov(Mem::at(RSP, slots::OUT), RDX);
        self.asm.mov(RBX, Mem::at(RCX, field!(state)));
        self.asm.arith(Int::Add, RBX, RAX);
        self.asm.mov(Mem::at(RSP, slots::GROUP), RBX);
        self.asm.mov(R14, Mem::at(RCX, field!(step)));
        self.asm.mov(RDX, Mem::at(RCX, field!(steps)));
        self.asm.mov(Mem::at(RSP, slots::LEFT), RDX);
    }

    /// Copies the states of the group into the working copies behind the rows of the body.
    fn bring_states(&mut self) {
        let near = self.layout.row_bytes() as i32;
        self.asm.lea(RBX, Mem::at(R12, self.program.body_scratch as i32 * near));
        self.asm.lea(RBP, Mem::at(RBX, self.program.state_rows as i32 * near));
        self.asm.mov_number(R9, i64::from(near));
        let mut copies = vec![RBX];
        if self.program.states.iter().any(|s| !s.renewed) {
            copies.push(RBP);
        }
        for to in copies {
            self.asm.mov(RSI, Mem::at(RSP, slots::GROUP));
            self.asm.mov(RDI, to);
            self.copy_rows(ROW_BYTES, R9);
        }
    }

    fn return_states(&mut self) {
        self.asm.mov_number(R9, self.layout.row_bytes() as i64);
        self.asm.mov(RDI, Mem::at(RSP, slots::GROUP));
        self.asm.mov(RSI, RBX);
        self.copy_rows(R9, ROW_BYTES);
    }

    /// Copies all state rows of the group from `rsi` to `rdi`.
    fn copy_rows(&mut self, from_bytes: Gpr, to_bytes: Gpr) {
        if self.program.state_rows == 0 {
            return;
        }
        self.asm.mov_number(RCX, self.program.state_rows as i64);
        let head = self.asm.label();
        self.asm.bind(head);
        for v in 0..self.layout.vectors as i32 {
            self.asm.load(Ymm(v as u8), Mem::at(RSI, 32 * v));
        }
        for v in 0..self.layout.vectors as i32 {
            self.asm.store(Mem::at(RDI, 32 * v), Ymm(v as u8));
        }
        self.asm.arith(Int::Add, RSI, from_bytes);
        self.asm.arith(Int::Add, RDI, to_bytes);
        self.asm.arith(Int::Sub, RCX, 1);
        self.asm.jump_if(Cond::NotZero, head);
    }

    fn body(&mut self, nodes: &[Node]) {
        for node in nodes {
            match node {
                Node::Vector(at, vector) => self.vector(*at, vector),
                Node::Call(call) => self.call(call),
                Node::Loop(l) => self.run_loop(l),
            }
        }
    }

    /// A native function on rows that lie in the call's area; it keeps none of the vector registers.
    fn call(&mut self, call: &Call) {
        self.save_all(call.at);
        self.clear();
        let rows = call.rows as i32;
        self.asm.mov_number(RDI, i64::from(rows) * self.layout.lanes() as i64);
        self.asm.lea(RSI, Mem::at(RSP, call.area));
        if call.kernel.arity() == 1 {
            self.asm.mov(RDX, RSI);
        } else {
            self.asm.lea(RDX, Mem::at(RSP, call.area + rows * self.layout.row_bytes() as i32));
            self.asm.mov(RCX, RSI);
        }
        self.asm.zero_upper();
        self.asm.mov_number(RAX, call.kernel.address(self.layout.precision) as i64);
        self.asm.call(RAX);
        self.asm.mov(ROW_BYTES, Mem::at(RSP, slots::ROW_BYTES));
        self.forget_addresses();
    }

    /// A loop of the program, or that over steps. Carried values have homes, where they are when a turn begins and where
    /// the next ones are brought when it ends.
    fn run_loop(&mut self, l: &Loop) {
        let words = self.words;
        self.save_all(l.start);
        let in_registers = homes(l);
        let (first, rest) = l.carried.split_at(in_registers);
        let homes: Vec<(Carried, Ymm)> = first.iter().enumerate().map(|(k, c)| (*c, Ymm(k as u8))).collect();
        let mut slots: Vec<(Carried, i32)> = Vec::new();
        for c in rest {
            slots.push((*c, self.new_slot()));
        }
        let inits: Vec<(Val, i32)> = slots.iter().map(|(c, slot)| (c.init, *slot)).collect();
        self.copy_to_slots(&inits, &[]);
        let inits: Vec<(Val, Ymm)> = homes.iter().map(|(c, r)| (c.init, *r)).collect();
        self.move_to_homes(&inits);
        let inits: Vec<Val> = l.carried.iter().map(|c| c.init).collect();
        self.release(&inits, l.start);
        self.clear();
        let pins = if l.is_leaf() { self.pins(l) } else { Vec::new() };
        self.settle(&homes, &slots, &pins);
        self.forget_addresses();
        let head = self.asm.label();
        let word = self.start_counter(l);
        self.asm.bind(head);
        self.body(&l.body);
        let copies: Vec<(Val, i32)> = slots.iter().map(|(c, slot)| (c.next, *slot)).collect();
        let moves: Vec<(Val, Ymm)> = homes.iter().map(|(c, r)| (c.next, *r)).collect();
        self.copy_to_slots(&copies, &moves);
        self.move_to_homes(&moves);
        self.end_counter(l, word, head);
        let next: Vec<Val> = l.carried.iter().map(|c| c.next).collect();
        self.release(&next, l.end);
        self.clear();
        self.registers.hints.clear();
        self.registers.destined.retain(|d| !slots.iter().any(|s| s.1 == d.2));
        for (c, r) in &homes {
            self.put(c.result, *r);
        }
        for (c, slot) in &slots {
            self.own_slot(c.result, *slot);
        }
        for c in &l.carried {
            self.release(&[c.result], l.end);
        }
        self.forget_addresses();
        self.words = words;
    }

    /// The state of the registers at the head of a loop.
    fn settle(&mut self, homes: &[(Carried, Ymm)], slots: &[(Carried, i32)], pins: &[Val]) {
        for (c, r) in homes {
            self.put(c.inner, *r);
            self.registers.homes |= 1 << r.0;
            self.registers.hints.push((c.next, *r));
        }
        for (c, slot) in slots {
            self.state(c.inner).place = Some(Place::Stack(*slot));
            self.registers.destined.push((c.next, c.inner, *slot));
        }
        for val in pins {
            let r = self.ensure(*val, 0);
            self.registers.pinned |= 1 << r.0;
        }
        for (c, _) in homes {
            self.release(&[c.inner], 0);
        }
    }

    /// Sets the counter; where it is not in a register, gives its word.
    fn start_counter(&mut self, l: &Loop) -> Option<i32> {
        if l.is_leaf() {
            self.leaf = l.counter;
            if l.counter.is_some() {
                self.asm.mov_number(COUNTER, 0);
            }
            self.start_running(l);
            return None;
        }
        let word = self.open_counter(l.counter?);
        self.asm.mov(Mem::at(RSP, word), 0);
        Some(word)
    }

    fn end_counter(&mut self, l: &Loop, word: Option<i32>, head: Label) {
        let Some(counter) = l.counter else {
            self.stop_running();
            return self.end_step(head);
        };
        match word {
            None => {
                self.advance_running();
                self.asm.arith(Int::Add, COUNTER, 1);
                self.asm.arith(Int::Cmp, COUNTER, counter.extent as i32);
                self.leaf = None;
                self.stop_running();
            }
            Some(word) => {
                self.asm.arith(Int::Add, Mem::at(RSP, word), 1);
                self.asm.arith(Int::Cmp, Mem::at(RSP, word), counter.extent as i32);
                self.close_counter();
            }
        }
        self.asm.jump_if(Cond::Less, head);
    }

    fn end_step(&mut self, head: Label) {
        self.asm.arith(Int::Add, R13, Mem::at(RSP, slots::DRAWS));
        if self.program.step_len > 0 {
            self.asm.arith(Int::Add, R14, 8 * self.program.step_len as i32);
        }
        if self.program.out_rows > 0 {
            self.asm.mov(RAX, Mem::at(RSP, slots::CONTEXT));
            self.asm.mov(RAX, Mem::at(RAX, field!(out_bytes)));
            self.asm.arith(Int::Add, RAX, Mem::at(RSP, slots::OUT));
            self.asm.mov(Mem::at(RSP, slots::OUT), RAX);
        }
        if !self.layout.registers {
            self.asm.exchange(RBX, RBP);
        }
        self.asm.arith(Int::Sub, Mem::at(RSP, slots::LEFT), 1);
        self.asm.jump_if(Cond::NotZero, head);
    }

    /// Values from outside that a loop without calls keeps in registers: those that are read most, as far as the body
    /// leaves registers free.
    fn pins(&self, l: &Loop) -> Vec<Val> {
        let mut made: Vec<bool> = vec![false; self.vals.len()];
        for node in &l.body {
            if let Node::Vector(_, vector) = node
                && let Some(dst) = vector.dst()
            {
                made[dst as usize] = true;
            }
        }
        l.carried.iter().for_each(|c| made[c.inner as usize] = true);
        let mut found: Vec<(Val, usize)> = Vec::new();
        for node in &l.body {
            let Node::Vector(_, vector) = node else { continue };
            vector.reads(&mut |val| {
                let outside = !made[val as usize] && !matches!(self.vals[val as usize].place, Some(Place::Row(..)));
                match found.iter_mut().find(|f| f.0 == val) {
                    _ if !outside => {}
                    Some(f) => f.1 += 1,
                    None => found.push((val, 1)),
                }
            });
        }
        found.sort_by_key(|f| std::cmp::Reverse(f.1));
        // homes are filled anew at the end of a turn, and an instruction may load two of its arguments
        let free = REGISTERS.saturating_sub((self.pressure(l, &made) + 1).max(homes(l)).max(5));
        found.into_iter().take(free).map(|f| f.0).collect()
    }

    /// The greatest number of values of a body alive at once, without those from outside.
    fn pressure(&self, l: &Loop, made: &[bool]) -> usize {
        let mut alive: std::collections::HashSet<Val> = l
            .carried
            .iter()
            .take(homes(l))
            .map(|c| c.inner)
            .filter(|v| !self.vals[*v as usize].uses.is_empty())
            .collect();
        let mut most = alive.len();
        for node in &l.body {
            let Node::Vector(at, vector) = node else { continue };
            // what lies in memory is alive from its first use to its last
            vector.reads(&mut |v| {
                let row = matches!(self.vals[v as usize].place, Some(Place::Row(..)));
                if row && self.vals[v as usize].uses.len() > 1 {
                    alive.insert(v);
                }
            });
            most = most.max(alive.len());
            alive.retain(|v| self.vals[*v as usize].uses.last().is_some_and(|u| *u > *at));
            if let Some(dst) = vector.dst().filter(|d| made[*d as usize]) {
                alive.insert(dst);
                most = most.max(alive.len());
            }
        }
        most
    }

    /// Each lane from a row or cell of its own: the numbers to go by lie on the stack, and what is found comes together
    /// over it.
    pub fn gather(&mut self, dst: Ymm, from: Source, first: &Index, v: usize) {
        let mem = match from {
            Source::Row(space) => self.row(space, first, v),
            Source::Cell(table) => self.cell(table, first),
        };
        self.asm.lea(RCX, mem);
        let bytes = self.layout.precision.bytes() as i32;
        for lane in 0..32 / bytes {
            self.asm.integer_of_lane(RAX, Mem::at(RSP, slots::GATHER + bytes * lane));
            match from {
                Source::Row(Space::Out | Space::Draw) => self.asm.multiply(RAX, ROW_BYTES),
                Source::Row(_) => self.asm.multiply_number(RAX, RAX, self.layout.row_bytes() as i32),
                Source::Cell(_) => self.asm.multiply_number(RAX, RAX, 8),
            }
            let place = |disp| Mem::At { base: RCX, index: Some((RAX, 1)), disp };
            match from {
                Source::Row(_) => self.asm.load_lane(dst, place(bytes * lane)),
                Source::Cell(_) => self.asm.load_cell(dst, place(0)),
            }
            self.asm.store_lane(Mem::at(RSP, slots::GATHER + 32 + bytes * lane), dst);
        }
        self.asm.load(dst, Mem::at(RSP, slots::GATHER + 32));
    }
}
