//! Vector registers: each value gets one when it is made or needed; when none is free, the value goes whose next use is
//! farthest away (Belady, IBM Systems Journal 5, 1966). Values that are in memory already, constants among them, go
//! without a store and are read as operands where that is as good.

use super::emit::{Emitter, slots};
use super::encode::*;
use super::shape::REGISTERS;
use super::vector::{Place, Val, Vector};
use crate::step::program::Fused;

/// Where a value is.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub reg: Option<Ymm>,
    pub place: Option<Place>,
    /// a place on the stack that goes back when the value is dead
    owned: Option<i32>,
    /// number of uses that are done
    done: usize,
}

#[derive(Default)]
pub struct Registers {
    pub holds: [Option<Val>; REGISTERS],
    /// registers whose values stay until the end of the loop
    pub pinned: u16,
    /// registers that carried values start and end in
    pub homes: u16,
    /// where values would best be made
    pub hints: Vec<(Val, Ymm)>,
    /// places on the stack where values are wanted, with the values that lie there before
    pub destined: Vec<(Val, Val, i32)>,
    free_slots: Vec<i32>,
}

/// Where a vector comes from.
#[derive(Clone, Debug, PartialEq)]
enum Origin {
    Reg(Ymm),
    Place(Place),
}

fn bit(r: Ymm) -> u16 {
    1 << r.0
}

impl State {
    pub fn at(place: Option<Place>) -> State {
        State { place, ..State::default() }
    }
}

impl Emitter<'_> {
    pub fn state(&mut self, val: Val) -> &mut State {
        &mut self.states[val as usize]
    }

    /// The next position at which a value is read.
    fn next_use(&self, val: Val) -> Option<u32> {
        self.vals[val as usize].uses.get(self.states[val as usize].done).copied()
    }

    /// Whether a value is read after a position, or in the next turn of a loop.
    fn is_needed(&self, val: Val, after: u32) -> bool {
        self.vals[val as usize].until > after
    }

    fn hint(&self, val: Val) -> Option<Ymm> {
        self.registers.hints.iter().find(|h| h.0 == val).map(|h| h.1)
    }

    /// Room for a vector on the stack.
    pub fn new_slot(&mut self) -> i32 {
        self.registers.free_slots.pop().unwrap_or_else(|| {
            let at = self.stack;
            self.stack += 32;
            at
        })
    }

    pub fn free_slot(&mut self, slot: i32) {
        self.registers.free_slots.push(slot);
    }

    pub fn own_slot(&mut self, val: Val, slot: i32) {
        let state = self.state(val);
        (state.place, state.owned) = (Some(Place::Stack(slot)), Some(slot));
    }

    /// Stores a value that is only in a register.
    fn save(&mut self, val: Val) {
        let Some(reg) = self.states[val as usize].reg else { return };
        if self.states[val as usize].place.is_some() {
            return;
        }
        // a carried value goes where it is wanted once the one that lies there is dead
        let destined = self.registers.destined.iter().find(|d| d.0 == val).copied();
        let slot = match destined {
            Some((_, before, slot)) if before != val && self.next_use(before).is_none() => {
                self.state(val).place = Some(Place::Stack(slot));
                slot
            }
            _ => {
                let slot = self.new_slot();
                self.own_slot(val, slot);
                slot
            }
        };
        self.asm.store(Mem::at(RSP, slot), reg);
    }

    /// Takes the value out of a register.
    fn drop_reg(&mut self, r: Ymm) {
        if let Some(val) = self.registers.holds[r.0 as usize].take() {
            self.state(val).reg = None;
        }
    }

    pub fn put(&mut self, val: Val, r: Ymm) {
        self.registers.holds[r.0 as usize] = Some(val);
        self.state(val).reg = Some(r);
    }

    /// A free register, made free if need be. Those in `locked` stay as they are.
    fn take(&mut self, hint: Option<Ymm>, locked: u16) -> Ymm {
        let busy = self.registers.pinned | locked;
        let free = |r: &Ymm| busy & bit(*r) == 0 && self.registers.holds[r.0 as usize].is_none();
        let all = || (0..REGISTERS as u8).map(Ymm);
        if let Some(r) = hint.filter(free) {
            return r;
        }
        let homes = self.registers.homes;
        if let Some(r) = all().filter(free).min_by_key(|r| (homes & bit(*r) != 0, r.0)) {
            return r;
        }
        let distance = |r: &Ymm| {
            let val = self.registers.holds[r.0 as usize].expect("it is not free");
            let clean = self.states[val as usize].place.is_some();
            (self.next_use(val).unwrap_or(u32::MAX), clean)
        };
        let r = all().filter(|r| busy & bit(*r) == 0).max_by_key(distance).expect("some register is not locked");
        let val = self.registers.holds[r.0 as usize].expect("it is not free");
        self.save(val);
        self.drop_reg(r);
        r
    }

    /// The memory operand of a place.
    fn mem(&mut self, place: &Place) -> Mem {
        match place {
            Place::Constant(bits) => self.asm.constant(*bits),
            Place::Stack(at) => Mem::at(RSP, *at),
            Place::Row(space, row, v) => self.row(*space, row, *v),
        }
    }

    fn load_place(&mut self, r: Ymm, place: &Place) {
        let mem = self.mem(place);
        self.asm.load(r, mem);
    }

    fn place_of(&self, val: Val) -> Place {
        self.states[val as usize].place.clone().expect("a value is in a register or in memory")
    }

    /// The register with a value, loaded if need be.
    pub fn ensure(&mut self, val: Val, locked: u16) -> Ymm {
        if let Some(r) = self.states[val as usize].reg {
            return r;
        }
        let r = self.take(None, locked);
        let place = self.place_of(val);
        self.load_place(r, &place);
        self.put(val, r);
        r
    }

    /// Whether a value in memory is better read as an operand: it is not read again here, or no register is free.
    fn folds(&self, val: Val, at: u32) -> bool {
        let state = &self.states[val as usize];
        if state.reg.is_some() {
            return false;
        }
        let again = self.vals[val as usize].uses[state.done..].iter().find(|u| **u > at);
        let free = self.registers.holds.iter().filter(|h| h.is_none()).count();
        again.is_none() || free <= 1
    }

    /// Marks the uses at a position as done; what is dead gives its register and its place back.
    pub fn release(&mut self, vals: &[Val], at: u32) {
        for val in vals {
            let uses = &self.vals[*val as usize].uses;
            let done = &mut self.states[*val as usize].done;
            while uses.get(*done).is_some_and(|u| *u <= at) {
                *done += 1;
            }
            if self.next_use(*val).is_none() {
                self.retire(*val, at);
            }
        }
    }

    fn retire(&mut self, val: Val, at: u32) {
        if let Some(r) = self.states[val as usize].reg
            && self.registers.pinned & bit(r) == 0
            && (!self.is_needed(val, at) || self.states[val as usize].place.is_some())
        {
            self.drop_reg(r);
        }
        if !self.is_needed(val, at)
            && let Some(slot) = self.state(val).owned.take()
        {
            self.state(val).place = None;
            self.free_slot(slot);
        }
    }

    fn locked(&self, vals: &[Val]) -> u16 {
        vals.iter().filter_map(|v| self.states[*v as usize].reg).fold(0, |bits, r| bits | bit(r))
    }

    /// Registers of the arguments, but for one that may be read from memory.
    fn operands<const N: usize>(&mut self, args: [Val; N], fold: Option<usize>) -> [Option<Ymm>; N] {
        let mut regs = [None; N];
        for (k, arg) in args.iter().enumerate() {
            if Some(k) != fold {
                let locked = self.locked(&args);
                regs[k] = Some(self.ensure(*arg, locked));
            }
        }
        regs
    }

    fn operand(&mut self, val: Val, reg: Option<Ymm>) -> Operand {
        match reg {
            Some(r) => Operand::Reg(r),
            None => {
                let place = self.place_of(val);
                Operand::Mem(self.mem(&place))
            }
        }
    }

    /// The register for a result; arguments that are dead have given theirs back.
    fn result(&mut self, dst: Val) -> Ymm {
        let hint = self.hint(dst);
        let r = self.take(hint, 0);
        self.put(dst, r);
        r
    }

    pub fn vector(&mut self, at: u32, vector: &Vector) {
        match vector {
            Vector::One { op, dst, a, number } => self.one(at, *op, *dst, *a, *number),
            Vector::Two { op, dst, args, number } => self.two(at, *op, *dst, *args, *number),
            Vector::Fused { form, dst, args } => self.fused(at, *form, *dst, *args),
            Vector::Blend { dst, mask, a, b } => self.blend(at, *dst, [*mask, *a, *b]),
            Vector::Splat { dst, table, at: cell } => {
                let r = self.result(*dst);
                let mem = self.cell(*table, cell);
                self.asm.splat_cell(r, mem);
            }
            Vector::Count { dst, index } => {
                let r = self.result(*dst);
                self.value(index, 0);
                self.asm.splat_integer(r, RAX);
            }
            Vector::Load { dst, space, row, v } => {
                let r = self.result(*dst);
                let mem = self.row(*space, row, *v);
                self.asm.load(r, mem);
            }
            Vector::Store { space, row, v, value } => {
                let r = self.ensure(*value, 0);
                let mem = self.row(*space, row, *v);
                self.asm.store(mem, r);
                self.release(&[*value], at);
            }
            Vector::Argument { area, at: k, value } => {
                let r = self.ensure(*value, 0);
                self.asm.store(Mem::at(RSP, area + 32 * *k as i32), r);
                self.release(&[*value], at);
            }
            Vector::Gather { dst, from, first, v, at: numbers } => {
                let r = self.ensure(*numbers, 0);
                self.asm.store(Mem::at(RSP, slots::GATHER), r);
                self.release(&[*numbers], at);
                let r = self.result(*dst);
                self.gather(r, *from, first, *v);
            }
        }
        if let Some(dst) = vector.dst()
            && self.vals[dst as usize].uses.is_empty()
        {
            self.retire(dst, at);
        }
    }

    fn one(&mut self, at: u32, op: Op, dst: Val, a: Val, number: Option<u8>) {
        let fold = (op != SHIFT_LEFT && self.folds(a, at)).then_some(0);
        let [reg] = self.operands([a], fold);
        let source = self.operand(a, reg);
        let place_lives = matches!(source, Operand::Mem(_));
        if !place_lives {
            self.release(&[a], at);
        }
        let r = self.result(dst);
        match number {
            Some(n) => self.asm.one_with(op, r, source, n),
            None => self.asm.one(op, r, source),
        }
        if place_lives {
            self.release(&[a], at);
        }
    }

    fn two(&mut self, at: u32, op: Op, dst: Val, [mut a, mut b]: [Val; 2], number: Option<u8>) {
        let commutes = [ADD, MUL, AND, OR, XOR, ADD_INTEGERS].contains(&op);
        if commutes && self.folds(a, at) && !self.folds(b, at) {
            (a, b) = (b, a);
        }
        let fold = (a != b && self.folds(b, at)).then_some(1);
        let [ra, rb] = self.operands([a, b], fold);
        let ra = ra.expect("only the second is folded");
        self.release_registers(&[a, b], at);
        // a result may take the place of an argument, but not while the other is still to be read from memory
        let r = self.result(dst);
        let source = self.operand(b, rb);
        match number {
            Some(n) => self.asm.two_with(op, r, ra, source, n),
            None => self.asm.two(op, r, ra, source),
        }
        self.release(&[a, b], at);
    }

    /// Gives the registers of arguments that are dead back before the result is placed; their places in memory stay
    /// until the instruction is done.
    fn release_registers(&mut self, vals: &[Val], at: u32) {
        for val in vals {
            let state = &self.states[*val as usize];
            let again = self.vals[*val as usize].uses[state.done..].iter().any(|u| *u > at);
            if again || (self.is_needed(*val, at) && state.place.is_none()) {
                continue;
            }
            if let Some(r) = state.reg
                && self.registers.pinned & bit(r) == 0
            {
                self.drop_reg(r);
            }
        }
    }

    /// Whether the register of a value is free after a position.
    fn dies(&self, val: Val, at: u32) -> bool {
        let state = &self.states[val as usize];
        let again = self.vals[val as usize].uses[state.done..].iter().any(|u| *u > at);
        let pinned = state.reg.is_some_and(|r| self.registers.pinned & bit(r) != 0);
        !again && !pinned && (!self.is_needed(val, at) || state.place.is_some())
    }

    /// A fused operation overwrites one of its arguments: one that is dead, or else a copy.
    fn fused(&mut self, at: u32, form: Fused, dst: Val, args: [Val; 3]) {
        let [a, b, c] = args;
        let distinct = a != b && b != c && a != c;
        let mut fold = (0..3).find(|k| distinct && self.folds(args[*k], at));
        let mut regs = self.operands(args, fold);
        let hint = self.hint(dst);
        let dying = |e: &Self, k: usize| regs[k].is_some() && e.dies(args[k], at);
        let best = (0..3).filter(|k| dying(self, *k)).min_by_key(|k| (regs[*k] != hint, *k != 2));
        let (over, r) = match best {
            Some(k) => {
                let r = regs[k].expect("a dead argument is in a register");
                self.drop_reg(r);
                (k, r)
            }
            None => {
                let locked = regs.iter().flatten().fold(0, |bits, r| bits | bit(*r));
                let r = self.take(hint, locked);
                // what would be read from memory is rather loaded where the result goes
                let k = fold.take().unwrap_or(2);
                match regs[k] {
                    Some(from) => self.asm.copy(r, from),
                    None => {
                        let place = self.place_of(args[k]);
                        self.load_place(r, &place);
                    }
                }
                (k, r)
            }
        };
        let negated = matches!(form, Fused::NegMulAdd | Fused::NegMulSub);
        let subtracted = matches!(form, Fused::MulSub | Fused::NegMulSub);
        // the argument from memory must be the last
        let (order, second, third) = match over {
            2 if fold == Some(0) => (Order::O231, 1, 0),
            2 => (Order::O231, 0, 1),
            k => {
                let other = 1 - k;
                if fold == Some(other) { (Order::O132, 2, other) } else { (Order::O213, other, 2) }
            }
        };
        // an argument that is given twice may just have been overwritten in name only
        regs[over] = Some(r);
        let second = regs[second].expect("only the last is folded");
        let source = self.operand(args[third], regs[third]);
        self.asm.two(fused(negated, subtracted, order), r, second, source);
        self.release(&args, at);
        self.put(dst, r);
    }

    fn blend(&mut self, at: u32, dst: Val, args: [Val; 3]) {
        let [mask, a, b] = args;
        let fold = (a != b && a != mask && self.folds(a, at)).then_some(1);
        let [rm, ra, rb] = self.operands([mask, a, b], fold);
        self.release_registers(&args, at);
        let r = self.result(dst);
        let source = self.operand(a, ra);
        let (rm, rb) = (rm.expect("in a register"), rb.expect("in a register"));
        self.asm.blend(r, rb, source, rm);
        self.release(&args, at);
    }

    /// Brings everything that is needed later to memory; the registers keep what they have.
    pub fn save_all(&mut self, at: u32) {
        for r in 0..REGISTERS {
            if let Some(val) = self.registers.holds[r]
                && self.is_needed(val, at)
            {
                self.save(val);
            }
        }
    }

    pub fn clear(&mut self) {
        for r in 0..REGISTERS as u8 {
            self.drop_reg(Ymm(r));
        }
        self.registers.pinned = 0;
        self.registers.homes = 0;
    }

    /// Moves values to registers at once, as if in parallel.
    pub fn move_to_homes(&mut self, moves: &[(Val, Ymm)]) {
        let from = |e: &Self, val: Val| match e.states[val as usize].reg {
            Some(r) => Origin::Reg(r),
            None => Origin::Place(e.place_of(val)),
        };
        let mut left: Vec<(Origin, Ymm)> = moves.iter().map(|(val, to)| (from(self, *val), *to)).collect();
        left.retain(|(from, to)| *from != Origin::Reg(*to));
        while let Some(k) = (0..left.len()).find(|k| matches!(left[*k].0, Origin::Reg(_))) {
            let is_read = |to: Ymm| left.iter().any(|(from, _)| *from == Origin::Reg(to));
            let free = left.iter().position(|(from, to)| matches!(from, Origin::Reg(_)) && !is_read(*to));
            match free {
                Some(k) => {
                    let (from, to) = left.swap_remove(k);
                    if let Origin::Reg(from) = from {
                        self.asm.copy(to, from);
                    }
                }
                None => {
                    // all that is left waits for something: one goes over the stack, and one slot is enough as it
                    // is read at the end
                    let slot = self.new_slot();
                    let Origin::Reg(from) = left[k].0 else { unreachable!("it was asked for a register") };
                    self.asm.store(Mem::at(RSP, slot), from);
                    for (other, _) in &mut left {
                        if *other == Origin::Reg(from) {
                            *other = Origin::Place(Place::Stack(slot));
                        }
                    }
                }
            }
        }
        for (from, to) in left {
            if let Origin::Place(place) = from {
                self.load_place(to, &place);
            }
        }
    }

    /// Copies carried values to their places on the stack at once, as if in parallel.
    /// `moves` are read afterwards.
    pub fn copy_to_slots(&mut self, copies: &[(Val, i32)], moves: &[(Val, Ymm)]) {
        let all = copies.iter().map(|(val, slot)| (val, Some(*slot))).chain(moves.iter().map(|(val, _)| (val, None)));
        for (val, slot) in all {
            // a value that lies in another's place would be overwritten before it is read
            let lies = self.states[*val as usize].place.clone();
            let other = copies.iter().any(|(_, s)| Some(*s) != slot && lies == Some(Place::Stack(*s)));
            if other {
                let r = self.ensure(*val, 0);
                let slot = self.new_slot();
                self.asm.store(Mem::at(RSP, slot), r);
                self.state(*val).place = Some(Place::Stack(slot));
            }
        }
        for (val, slot) in copies {
            if self.states[*val as usize].place != Some(Place::Stack(*slot)) {
                let r = self.ensure(*val, 0);
                self.asm.store(Mem::at(RSP, *slot), r);
            }
        }
    }
}
