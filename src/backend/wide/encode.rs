//! An assembler for the instructions that the emitter needs: AVX2 and FMA on 256-bit registers in the VEX encoding, and
//! integer code for addresses and loops (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2).

use std::fmt::{self, Write};

pub use super::instruction::*;
use crate::kernels::lane::Precision;

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Label(usize);

enum Target {
    Label(Label),
    Constant(usize),
}

/// A distance of 32 bits that is written at the end; it counts from `end`, the end of its instruction.
struct Fixup {
    at: usize,
    end: usize,
    target: Target,
}

pub struct Assembler {
    /// of the numbers in vectors
    precision: Precision,
    bytes: Vec<u8>,
    labels: Vec<Option<usize>>,
    fixups: Vec<Fixup>,
    constants: Vec<u64>,
    /// a line for each instruction, on request
    listing: Option<String>,
}

/// What stands in the register-or-memory field.
#[derive(Copy, Clone)]
pub enum Rm {
    Reg(u8),
    Mem(Mem),
}

/// An operand of an integer instruction.
#[derive(Copy, Clone)]
pub enum Arg {
    Rm(Rm),
    Number(i32),
}

impl Rm {
    /// Numbers of the index and of the base or register, for the prefixes.
    fn numbers(self) -> (u8, u8) {
        match self {
            Rm::Reg(r) => (0, r),
            Rm::Mem(Mem::At { base, index, .. }) => (index.map_or(0, |i| i.0.0), base.0),
            Rm::Mem(Mem::Constant(_)) => (0, 0),
        }
    }
}

impl From<Operand> for Rm {
    fn from(operand: Operand) -> Rm {
        match operand {
            Operand::Reg(r) => Rm::Reg(r.0),
            Operand::Mem(m) => Rm::Mem(m),
        }
    }
}

impl From<Gpr> for Arg {
    fn from(r: Gpr) -> Arg {
        Arg::Rm(Rm::Reg(r.0))
    }
}

impl From<Mem> for Arg {
    fn from(mem: Mem) -> Arg {
        Arg::Rm(Rm::Mem(mem))
    }
}

impl From<i32> for Arg {
    fn from(n: i32) -> Arg {
        Arg::Number(n)
    }
}

impl fmt::Display for Arg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Arg::Rm(Rm::Reg(r)) => Gpr(*r).fmt(f),
            Arg::Rm(Rm::Mem(mem)) => Operand::Mem(*mem).fmt(f),
            Arg::Number(n) => n.fmt(f),
        }
    }
}

impl Assembler {
    pub fn new(precision: Precision, listing: bool) -> Assembler {
        let (bytes, labels, fixups, constants) = Default::default();
        Assembler { precision, bytes, labels, fixups, constants, listing: listing.then(String::new) }
    }

    /// The text of the code, if it was asked for.
    pub fn text(&mut self) -> String {
        self.listing.take().unwrap_or_default()
    }

    fn note(&mut self, line: fmt::Arguments<'_>) {
        if let Some(text) = &mut self.listing {
            // writing to a string does not fail
            let _ = writeln!(text, "{line}");
        }
    }

    /// The place of a constant, 64 bits that are repeated.
    pub fn constant(&mut self, bits: u64) -> Mem {
        let k = self.constants.iter().position(|c| *c == bits).unwrap_or_else(|| {
            self.constants.push(bits);
            self.constants.len() - 1
        });
        Mem::Constant(k)
    }

    /// The code with its constants. Its address must be a multiple of 32.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.resize(self.bytes.len().next_multiple_of(32), 0xcc);
        let first = self.bytes.len();
        for bits in &self.constants {
            self.bytes.extend(bits.to_le_bytes().repeat(4));
        }
        for fixup in &self.fixups {
            let target = match fixup.target {
                Target::Label(label) => self.labels[label.0].expect("a label that is jumped to is bound"),
                Target::Constant(k) => first + 32 * k,
            };
            let distance = (target as i64 - fixup.end as i64) as i32;
            self.bytes[fixup.at..fixup.at + 4].copy_from_slice(&distance.to_le_bytes());
        }
        self.bytes
    }

    /// The byte with register and addressing mode, and what follows it; `tail` bytes of a number come after.
    fn mod_rm(&mut self, reg: u8, rm: Rm, tail: usize) {
        let reg = (reg & 7) << 3;
        match rm {
            Rm::Reg(r) => self.bytes.push(0xc0 | reg | (r & 7)),
            Rm::Mem(Mem::Constant(k)) => {
                self.bytes.push(reg | 5);
                let at = self.bytes.len();
                self.bytes.extend([0; 4]);
                self.fixups.push(Fixup { at, end: at + 4 + tail, target: Target::Constant(k) });
            }
            Rm::Mem(Mem::At { base, index, disp }) => {
                // without a distance, base 5 would mean something else
                let (mode, bytes) = match i8::try_from(disp) {
                    Ok(0) if base.0 & 7 != 5 => (0, 0),
                    Ok(_) => (0x40, 1),
                    Err(_) => (0x80, 4),
                };
                match index {
                    None if base.0 & 7 != 4 => self.bytes.push(mode | reg | (base.0 & 7)),
                    _ => {
                        let (index, scale) = index.unwrap_or((RSP, 1));
                        self.bytes.push(mode | reg | 4);
                        self.bytes.push((scale.trailing_zeros() as u8) << 6 | (index.0 & 7) << 3 | (base.0 & 7));
                    }
                }
                self.bytes.extend(&disp.to_le_bytes()[..bytes]);
            }
        }
    }

    /// A vector instruction: prefix, opcode, operands.
    fn vex(&mut self, op: Op, reg: u8, second: u8, rm: Rm, tail: &[u8]) {
        self.vex_on(self.precision, op, reg, second, rm, tail);
    }

    /// A vector instruction on numbers of a precision.
    fn vex_on(&mut self, precision: Precision, op: Op, reg: u8, second: u8, rm: Rm, tail: &[u8]) {
        let (index, base) = rm.numbers();
        let form = precision as usize;
        let (prefix, wide) = (op.prefixes[form], op.wide[form]);
        let last = (!second & 15) << 3 | u8::from(op.long) << 2 | prefix;
        let r = !reg & 8;
        if op.map == 1 && !wide && (index | base) < 8 {
            self.bytes.extend([0xc5, r << 4 | last]);
        } else {
            let extensions = r << 4 | (!index & 8) << 3 | (!base & 8) << 2;
            self.bytes.extend([0xc4, extensions | op.map, u8::from(wide) << 7 | last]);
        }
        self.bytes.push(op.codes[form]);
        self.mod_rm(reg, rm, tail.len());
        self.bytes.extend(tail);
    }

    /// `dst = op(a, b)`
    pub fn two(&mut self, op: Op, dst: Ymm, a: Ymm, b: Operand) {
        self.note(format_args!("{} {dst}, {a}, {b}", op.name(self.precision)));
        self.vex(op, dst.0, a.0, b.into(), &[]);
    }

    /// `dst = op(a, b)` with a number that chooses the variant.
    pub fn two_with(&mut self, op: Op, dst: Ymm, a: Ymm, b: Operand, number: u8) {
        self.note(format_args!("{} {dst}, {a}, {b}, {number}", op.name(self.precision)));
        self.vex(op, dst.0, a.0, b.into(), &[number]);
    }

    /// `dst = op(a)`
    pub fn one(&mut self, op: Op, dst: Ymm, a: Operand) {
        self.note(format_args!("{} {dst}, {a}", op.name(self.precision)));
        self.vex(op, dst.0, 0, a.into(), &[]);
    }

    pub fn one_with(&mut self, op: Op, dst: Ymm, a: Operand, number: u8) {
        self.note(format_args!("{} {dst}, {a}, {number}", op.name(self.precision)));
        // the field of the destination is part of the opcode of a shift
        let (reg, second) = if op == SHIFT_LEFT { (6, dst.0) } else { (dst.0, 0) };
        self.vex(op, reg, second, a.into(), &[number]);
    }

    /// `dst = mask ? b : a`
    pub fn blend(&mut self, dst: Ymm, a: Ymm, b: Operand, mask: Ymm) {
        self.note(format_args!("{} {dst}, {a}, {b}, {mask}", BLEND.name(self.precision)));
        self.vex(BLEND, dst.0, a.0, b.into(), &[mask.0 << 4]);
    }

    pub fn load(&mut self, dst: Ymm, from: Mem) {
        self.one(LOAD, dst, Operand::Mem(from));
    }

    pub fn store(&mut self, to: Mem, value: Ymm) {
        self.note(format_args!("{} {}, {value}", STORE.name(self.precision), Operand::Mem(to)));
        self.vex(STORE, value.0, 0, Rm::Mem(to), &[]);
    }

    pub fn copy(&mut self, dst: Ymm, from: Ymm) {
        self.one(MOVE, dst, Operand::Reg(from));
    }

    /// An instruction on the number in the lowest lane, of a precision of its own.
    fn lane(&mut self, precision: Precision, op: Op, [reg, second]: [u8; 2], rm: Rm, operands: fmt::Arguments<'_>) {
        self.note(format_args!("{} {operands}", op.name(precision)));
        self.vex_on(precision, op, reg, second, rm, &[]);
    }

    /// A number of a row in the lowest lane.
    pub fn load_lane(&mut self, dst: Ymm, from: Mem) {
        self.load_number(self.precision, dst, from);
    }

    fn load_number(&mut self, precision: Precision, dst: Ymm, from: Mem) {
        let operands = format_args!("{dst}, {}", Operand::Mem(from));
        self.lane(precision, LOAD_LANE, [dst.0, 0], Rm::Mem(from), operands);
    }

    pub fn store_lane(&mut self, to: Mem, value: Ymm) {
        let operands = format_args!("{}, {value}", Operand::Mem(to));
        self.lane(self.precision, STORE_LANE, [value.0, 0], Rm::Mem(to), operands);
    }

    /// The number of a cell in the lowest lane, rounded to the precision.
    pub fn load_cell(&mut self, dst: Ymm, from: Mem) {
        self.load_number(Precision::Double, dst, from);
        self.round_lane(dst);
    }

    fn round_lane(&mut self, r: Ymm) {
        if self.precision == Precision::Single {
            let operands = format_args!("{r}, {r}, {r}");
            self.lane(Precision::Double, CONVERT, [r.0, r.0], Rm::Reg(r.0), operands);
        }
    }

    /// The number of a cell in all lanes.
    pub fn splat_cell(&mut self, dst: Ymm, from: Mem) {
        match self.precision {
            Precision::Double => self.one(BROADCAST, dst, Operand::Mem(from)),
            Precision::Single => {
                self.load_cell(dst, from);
                self.one(BROADCAST, dst, Operand::Reg(dst));
            }
        }
    }

    /// An integer as a number in all lanes.
    pub fn splat_integer(&mut self, dst: Ymm, from: Gpr) {
        let operands = format_args!("{dst}, {dst}, {from}");
        self.lane(Precision::Double, FROM_INTEGER, [dst.0, dst.0], Rm::Reg(from.0), operands);
        self.round_lane(dst);
        self.one(BROADCAST, dst, Operand::Reg(dst));
    }

    /// A number of a row in memory as an integer, cut towards zero.
    pub fn integer_of_lane(&mut self, dst: Gpr, from: Mem) {
        self.integer_of(self.precision, dst, from);
    }

    /// The number of a cell likewise.
    pub fn integer_of_cell(&mut self, dst: Gpr, from: Mem) {
        self.integer_of(Precision::Double, dst, from);
    }

    fn integer_of(&mut self, precision: Precision, dst: Gpr, from: Mem) {
        let operands = format_args!("{dst}, {}", Operand::Mem(from));
        self.lane(precision, TO_INTEGER, [dst.0, 0], Rm::Mem(from), operands);
    }

    pub fn zero_upper(&mut self) {
        self.note(format_args!("vzeroupper"));
        self.bytes.extend([0xc5, 0xf8, 0x77]);
    }

    /// An integer instruction on 64 bits: opcode, operands.
    fn rex(&mut self, code: &[u8], reg: u8, rm: Rm, tail: &[u8]) {
        let (index, base) = rm.numbers();
        self.bytes.push(0x48 | (reg & 8) >> 1 | (index & 8) >> 2 | (base & 8) >> 3);
        self.bytes.extend(code);
        self.mod_rm(reg, rm, tail.len());
        self.bytes.extend(tail);
    }

    /// `dst = from`, or `dst = dst op from`; one of both is a register, or `from` a number.
    fn int(&mut self, op: Int, dst: Arg, from: Arg) {
        self.note(format_args!("{} {dst}, {from}", op.name()));
        match (dst, from) {
            (Arg::Rm(dst), Arg::Number(n)) => match i8::try_from(n) {
                _ if op == Int::Mov => self.rex(&[0xc7], 0, dst, &n.to_le_bytes()),
                Ok(n) => self.rex(&[0x83], op.extension(), dst, &n.to_le_bytes()),
                Err(_) => self.rex(&[0x81], op.extension(), dst, &n.to_le_bytes()),
            },
            (Arg::Rm(Rm::Reg(dst)), Arg::Rm(from)) => self.rex(&[op as u8], dst, from, &[]),
            // the form the other way round
            (Arg::Rm(dst), Arg::Rm(Rm::Reg(from))) => self.rex(&[op as u8 ^ 2], from, dst, &[]),
            _ => unreachable!("there is no such instruction"),
        }
    }

    pub fn mov(&mut self, dst: impl Into<Arg>, from: impl Into<Arg>) {
        self.int(Int::Mov, dst.into(), from.into());
    }

    pub fn arith(&mut self, op: Int, dst: impl Into<Arg>, from: impl Into<Arg>) {
        self.int(op, dst.into(), from.into());
    }

    pub fn lea(&mut self, dst: Gpr, from: Mem) {
        self.int(Int::Lea, dst.into(), from.into());
    }

    pub fn mov_number(&mut self, dst: Gpr, number: i64) {
        match i32::try_from(number) {
            Ok(n) => self.mov(dst, n),
            Err(_) => {
                self.note(format_args!("mov {dst}, {number}"));
                self.bytes.extend([0x48 | dst.0 >> 3, 0xb8 | (dst.0 & 7)]);
                self.bytes.extend(number.to_le_bytes());
            }
        }
    }

    pub fn multiply(&mut self, dst: Gpr, b: Gpr) {
        self.note(format_args!("imul {dst}, {b}"));
        self.rex(&[0x0f, 0xaf], dst.0, Rm::Reg(b.0), &[]);
    }

    pub fn multiply_number(&mut self, dst: Gpr, a: Gpr, number: i32) {
        self.note(format_args!("imul {dst}, {a}, {number}"));
        self.rex(&[0x69], dst.0, Rm::Reg(a.0), &number.to_le_bytes());
    }

    /// `rax, rdx = rax / b, rax % b`, towards zero.
    pub fn divide(&mut self, b: Gpr) {
        self.note(format_args!("cqo; idiv {b}"));
        self.bytes.extend([0x48, 0x99]);
        self.rex(&[0xf7], 7, Rm::Reg(b.0), &[]);
    }

    pub fn move_if(&mut self, cond: Cond, dst: Gpr, from: Gpr) {
        self.note(format_args!("cmov {cond:?} {dst}, {from}"));
        self.rex(&[0x0f, 0x40 | cond as u8], dst.0, Rm::Reg(from.0), &[]);
    }

    pub fn exchange(&mut self, a: Gpr, b: Gpr) {
        self.note(format_args!("xchg {a}, {b}"));
        self.rex(&[0x87], a.0, Rm::Reg(b.0), &[]);
    }

    pub fn push(&mut self, r: Gpr) {
        self.note(format_args!("push {r}"));
        self.bytes.extend([0x40 | r.0 >> 3, 0x50 | (r.0 & 7)]);
    }

    pub fn pop(&mut self, r: Gpr) {
        self.note(format_args!("pop {r}"));
        self.bytes.extend([0x40 | r.0 >> 3, 0x58 | (r.0 & 7)]);
    }

    pub fn call(&mut self, r: Gpr) {
        self.note(format_args!("call {r}"));
        self.bytes.extend([0x40 | r.0 >> 3, 0xff, 0xd0 | (r.0 & 7)]);
    }

    pub fn ret(&mut self) {
        self.note(format_args!("ret"));
        self.bytes.push(0xc3);
    }

    /// Rounds the stack pointer down to a multiple of 64.
    pub fn align_stack(&mut self) {
        self.note(format_args!("and rsp, -64"));
        self.bytes.extend([0x48, 0x83, 0xe4, 0xc0]);
    }

    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    pub fn bind(&mut self, label: Label) {
        self.note(format_args!("L{}:", label.0));
        self.labels[label.0] = Some(self.bytes.len());
    }

    pub fn jump(&mut self, label: Label) {
        self.note(format_args!("jmp L{}", label.0));
        self.bytes.push(0xe9);
        self.distance(label);
    }

    pub fn jump_if(&mut self, cond: Cond, label: Label) {
        self.note(format_args!("j {cond:?} L{}", label.0));
        self.bytes.extend([0x0f, 0x80 | cond as u8]);
        self.distance(label);
    }

    fn distance(&mut self, label: Label) {
        let at = self.bytes.len();
        self.bytes.extend([0; 4]);
        self.fixups.push(Fixup { at, end: at + 4, target: Target::Label(label) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of some instructions.
    fn bytes(f: impl FnOnce(&mut Assembler)) -> String {
        bytes_in(Precision::Double, f)
    }

    fn bytes_in(precision: Precision, f: impl FnOnce(&mut Assembler)) -> String {
        let mut asm = Assembler::new(precision, false);
        f(&mut asm);
        asm.bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ")
    }

    fn mem(base: Gpr, index: Option<(Gpr, u8)>, disp: i32) -> Operand {
        Operand::Mem(Mem::At { base, index, disp })
    }

    /// Bytes as a disassembler reads them back.
    #[test]
    fn vector_instructions_are_encoded() {
        let r = |k| Operand::Reg(Ymm(k));
        let y = Ymm;
        let two = |op, d, a, b| bytes(|asm| asm.two(op, y(d), y(a), b));
        assert_eq!(two(ADD, 1, 2, r(3)), "c5 ed 58 cb");
        assert_eq!(two(MUL, 9, 2, r(11)), "c4 41 6d 59 cb");
        assert_eq!(two(SUB, 0, 15, mem(RSP, None, 1024)), "c5 85 5c 84 24 00 04 00 00");
        assert_eq!(two(DIV, 12, 3, mem(R13, None, 0)), "c4 41 65 5e 65 00");
        assert_eq!(two(MAX, 1, 2, mem(RBX, Some((R11, 2)), 64)), "c4 a1 6d 5f 4c 5b 40");
        assert_eq!(two(MIN, 1, 2, mem(R12, Some((RSI, 1)), -128)), "c4 c1 6d 5d 4c 34 80");
        assert_eq!(two(AND_NOT, 1, 2, r(3)), "c5 ed 55 cb");
        assert_eq!(two(ADD_INTEGERS, 1, 2, r(3)), "c5 ed d4 cb");
        assert_eq!(two(fused(false, false, Order::O231), 1, 2, r(3)), "c4 e2 ed b8 cb");
        assert_eq!(two(fused(false, true, Order::O213), 9, 2, mem(RAX, None, 0)), "c4 62 ed aa 08");
        assert_eq!(two(fused(true, false, Order::O132), 1, 12, mem(RDI, None, 8)), "c4 e2 9d 9c 4f 08");
        assert_eq!(two(fused(true, true, Order::O231), 1, 2, r(13)), "c4 c2 ed be cd");
        assert_eq!(bytes(|asm| asm.two_with(COMPARE, y(4), y(5), r(6), 17)), "c5 d5 c2 e6 11");
        assert_eq!(bytes(|asm| asm.one(SQRT, y(8), r(1))), "c5 7d 51 c1");
        assert_eq!(bytes(|asm| asm.one_with(ROUND, y(8), r(1), 9)), "c4 63 7d 09 c1 09");
        assert_eq!(bytes(|asm| asm.one_with(SHIFT_LEFT, y(9), r(12), 52)), "c4 c1 35 73 f4 34");
        let cell = mem(R15, Some((R10, 8)), 8);
        assert_eq!(bytes(|asm| asm.one(BROADCAST, y(7), cell)), "c4 82 7d 19 7c d7 08");
        assert_eq!(bytes(|asm| asm.one(BROADCAST, y(7), r(7))), "c4 e2 7d 19 ff");
        assert_eq!(bytes(|asm| asm.blend(y(4), y(5), mem(RBP, None, 32), y(15))), "c4 e3 55 4b 65 20 f0");
        assert_eq!(bytes(|asm| asm.load(y(10), Mem::at(R12, 0))), "c4 41 7d 10 14 24");
        assert_eq!(bytes(|asm| asm.store(Mem::at(RSP, 32), y(10))), "c5 7d 11 54 24 20");
        assert_eq!(bytes(|asm| asm.copy(y(3), y(12))), "c4 c1 7d 28 dc");
        assert_eq!(bytes(|asm| asm.splat_integer(y(9), RAX)), "c4 61 b3 2a c8 c4 42 7d 19 c9");
        assert_eq!(bytes(|asm| asm.integer_of_lane(RAX, Mem::at(RSP, 64))), "c4 e1 fb 2c 44 24 40");
        assert_eq!(bytes(|asm| asm.load_lane(y(9), Mem::at(RCX, 8))), "c5 7b 10 49 08");
        assert_eq!(bytes(|asm| asm.store_lane(Mem::at(RSP, 96), y(1))), "c5 fb 11 4c 24 60");
    }

    /// The same in single precision.
    #[test]
    fn vector_instructions_have_two_forms() {
        let r = |k| Operand::Reg(Ymm(k));
        let y = Ymm;
        let bytes = |f: &dyn Fn(&mut Assembler)| bytes_in(Precision::Single, f);
        let two = |op, d, a, b| bytes(&|asm| asm.two(op, y(d), y(a), b));
        assert_eq!(two(ADD, 1, 2, r(3)), "c5 ec 58 cb");
        assert_eq!(two(AND_NOT, 1, 2, r(3)), "c5 ec 55 cb");
        assert_eq!(two(ADD_INTEGERS, 1, 2, r(3)), "c5 ed fe cb");
        assert_eq!(two(fused(false, false, Order::O231), 1, 2, r(3)), "c4 e2 6d b8 cb");
        assert_eq!(bytes(&|asm| asm.two_with(COMPARE, y(4), y(5), r(6), 17)), "c5 d4 c2 e6 11");
        assert_eq!(bytes(&|asm| asm.one(SQRT, y(8), r(1))), "c5 7c 51 c1");
        assert_eq!(bytes(&|asm| asm.one_with(ROUND, y(8), r(1), 9)), "c4 63 7d 08 c1 09");
        assert_eq!(bytes(&|asm| asm.one_with(SHIFT_LEFT, y(9), r(12), 23)), "c4 c1 35 72 f4 17");
        assert_eq!(bytes(&|asm| asm.blend(y(4), y(5), r(6), y(15))), "c4 e3 55 4a e6 f0");
        assert_eq!(bytes(&|asm| asm.load(y(10), Mem::at(R12, 0))), "c4 41 7c 10 14 24");
        assert_eq!(bytes(&|asm| asm.store(Mem::at(RSP, 32), y(10))), "c5 7c 11 54 24 20");
        assert_eq!(bytes(&|asm| asm.copy(y(3), y(12))), "c4 c1 7c 28 dc");
        let to_all = "c4 e2 7d 18 ff";
        let cell = bytes(&|asm| asm.splat_cell(y(7), Mem::at(R15, 8)));
        assert_eq!(cell, format!("c4 c1 7b 10 7f 08 c5 c3 5a ff {to_all}"));
        assert_eq!(bytes(&|asm| asm.splat_integer(y(7), RAX)), format!("c4 e1 c3 2a f8 c5 c3 5a ff {to_all}"));
        assert_eq!(bytes(&|asm| asm.integer_of_lane(RAX, Mem::at(RSP, 64))), "c4 e1 fa 2c 44 24 40");
        assert_eq!(bytes(&|asm| asm.integer_of_cell(RAX, Mem::at(RSP, 64))), "c4 e1 fb 2c 44 24 40");
        assert_eq!(bytes(&|asm| asm.load_lane(y(9), Mem::at(RCX, 8))), "c5 7a 10 49 08");
        assert_eq!(bytes(&|asm| asm.store_lane(Mem::at(RSP, 96), y(1))), "c5 fa 11 4c 24 60");
    }

    #[test]
    fn integer_instructions_are_encoded() {
        assert_eq!(bytes(|asm| asm.mov(R9, RAX)), "4c 8b c8");
        assert_eq!(bytes(|asm| asm.mov_number(RAX, -5)), "48 c7 c0 fb ff ff ff");
        assert_eq!(bytes(|asm| asm.mov_number(R10, 0x1234_5678_9abc)), "49 ba bc 9a 78 56 34 12 00 00");
        assert_eq!(bytes(|asm| asm.mov(RAX, Mem::at(RSP, 48))), "48 8b 44 24 30");
        assert_eq!(bytes(|asm| asm.mov(Mem::at(R12, 8), R11)), "4d 89 5c 24 08");
        assert_eq!(bytes(|asm| asm.mov(Mem::at(RSP, 48), 0)), "48 c7 44 24 30 00 00 00 00");
        let sum = Mem::At { base: RAX, index: Some((R9, 1)), disp: -4 };
        assert_eq!(bytes(|asm| asm.lea(RCX, sum)), "4a 8d 4c 08 fc");
        assert_eq!(bytes(|asm| asm.arith(Int::Add, RSI, R11)), "49 03 f3");
        assert_eq!(bytes(|asm| asm.arith(Int::Sub, RAX, Mem::at(RSP, 8))), "48 2b 44 24 08");
        assert_eq!(bytes(|asm| asm.arith(Int::Cmp, R10, 1000)), "49 81 fa e8 03 00 00");
        assert_eq!(bytes(|asm| asm.arith(Int::Add, Mem::at(RSP, 128), 1)), "48 83 84 24 80 00 00 00 01");
        assert_eq!(bytes(|asm| asm.multiply(RAX, R11)), "49 0f af c3");
        assert_eq!(bytes(|asm| asm.multiply_number(R8, R11, 64)), "4d 69 c3 40 00 00 00");
        assert_eq!(bytes(|asm| asm.divide(RCX)), "48 99 48 f7 f9");
        assert_eq!(bytes(|asm| asm.move_if(Cond::Less, RAX, RDX)), "48 0f 4c c2");
        assert_eq!(bytes(|asm| asm.exchange(RBX, RBP)), "48 87 dd");
        assert_eq!(bytes(|asm| asm.push(R12)), "41 54");
        assert_eq!(bytes(|asm| asm.call(RAX)), "40 ff d0");
    }

    #[test]
    fn distances_are_filled_in() {
        let mut asm = Assembler::new(Precision::Double, true);
        let (back, on) = (asm.label(), asm.label());
        asm.bind(back);
        asm.jump_if(Cond::NotZero, on);
        let one = asm.constant(1.0f64.to_bits());
        assert_eq!(one, asm.constant(1.0f64.to_bits()), "a constant is kept once");
        asm.two_with(COMPARE, Ymm(0), Ymm(1), Operand::Mem(one), 3);
        asm.jump(back);
        asm.bind(on);
        assert_eq!(asm.text().lines().count(), 5);
        let code = asm.finish();
        let distance = |at: usize| i32::from_le_bytes(code[at..at + 4].try_into().expect("four bytes"));
        // 6 bytes of jump, 9 of comparison (its distance counts from behind the number at its end), 5 of jump
        assert_eq!((distance(2), distance(10), distance(16)), (14, 32 - 15, -20));
        assert_eq!(code.len(), 64);
        assert_eq!(code[32..40], 1.0f64.to_le_bytes());
    }
}
