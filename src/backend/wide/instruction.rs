//! Registers, operands and the table of instructions, with their names in listings.

use std::fmt;

/// A general register by its number.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Gpr(pub u8);

pub const RAX: Gpr = Gpr(0);
pub const RCX: Gpr = Gpr(1);
pub const RDX: Gpr = Gpr(2);
pub const RBX: Gpr = Gpr(3);
pub const RSP: Gpr = Gpr(4);
pub const RBP: Gpr = Gpr(5);
pub const RSI: Gpr = Gpr(6);
pub const RDI: Gpr = Gpr(7);
pub const R8: Gpr = Gpr(8);
pub const R9: Gpr = Gpr(9);
pub const R10: Gpr = Gpr(10);
pub const R11: Gpr = Gpr(11);
pub const R12: Gpr = Gpr(12);
pub const R13: Gpr = Gpr(13);
pub const R14: Gpr = Gpr(14);
pub const R15: Gpr = Gpr(15);

/// A vector register by its number.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ymm(pub u8);

/// A place in memory.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Mem {
    /// `base + index*scale + disp`
    At { base: Gpr, index: Option<(Gpr, u8)>, disp: i32 },
    /// four copies of a constant behind the code
    Constant(usize),
}

impl Mem {
    pub fn at(base: Gpr, disp: i32) -> Mem {
        Mem::At { base, index: None, disp }
    }
}

/// The last source of an instruction.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Operand {
    Reg(Ymm),
    Mem(Mem),
}

/// A vector instruction: its name, opcode map (1: 0F, 2: 0F38, 3: 0F3A), the W bit, its opcode,
/// prefix and length.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Op {
    pub name: &'static str,
    pub map: u8,
    pub wide: bool,
    pub code: u8,
    /// 1 for the prefix 66, 2 for F3, 3 for F2
    pub prefix: u8,
    /// 256 bits
    pub long: bool,
}

pub const fn op(name: &'static str, map: u8, wide: bool, code: u8) -> Op {
    Op { name, map, wide, code, prefix: 1, long: true }
}

pub const ADD: Op = op("vaddpd", 1, false, 0x58);
pub const MUL: Op = op("vmulpd", 1, false, 0x59);
pub const SUB: Op = op("vsubpd", 1, false, 0x5c);
pub const MIN: Op = op("vminpd", 1, false, 0x5d);
pub const DIV: Op = op("vdivpd", 1, false, 0x5e);
pub const MAX: Op = op("vmaxpd", 1, false, 0x5f);
pub const SQRT: Op = op("vsqrtpd", 1, false, 0x51);
pub const AND: Op = op("vandpd", 1, false, 0x54);
pub const AND_NOT: Op = op("vandnpd", 1, false, 0x55);
pub const OR: Op = op("vorpd", 1, false, 0x56);
pub const XOR: Op = op("vxorpd", 1, false, 0x57);
pub const COMPARE: Op = op("vcmppd", 1, false, 0xc2);
pub const ROUND: Op = op("vroundpd", 3, false, 0x09);
pub const BLEND: Op = op("vblendvpd", 3, false, 0x4b);
pub const ADD_INTEGERS: Op = op("vpaddq", 1, false, 0xd4);
/// of each 64 bits; the source is a register
pub const SHIFT_LEFT: Op = op("vpsllq", 1, false, 0x73);
pub const BROADCAST: Op = op("vbroadcastsd", 2, false, 0x19);
pub const FROM_INTEGER: Op = Op { prefix: 3, long: false, ..op("vcvtsi2sd", 1, true, 0x2a) };
pub const TO_INTEGER: Op = Op { prefix: 3, long: false, ..op("vcvttsd2si", 1, true, 0x2c) };
pub const LOAD: Op = op("vmovupd", 1, false, 0x10);
pub const STORE: Op = op("vmovupd", 1, false, 0x11);
pub const MOVE: Op = op("vmovapd", 1, false, 0x28);

/// The order of the operands of a fused multiply-add: which of the destination `d` and the sources `s`, `t` are
/// multiplied.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// `d*t + s`
    O132,
    /// `s*d + t`
    O213,
    /// `s*t + d`
    O231,
}

/// A fused instruction by the signs of the product and of the addend.
pub fn fused(negated: bool, subtracted: bool, order: Order) -> Op {
    const NAMES: [[&str; 3]; 4] = [
        ["vfmadd132pd", "vfmadd213pd", "vfmadd231pd"],
        ["vfmsub132pd", "vfmsub213pd", "vfmsub231pd"],
        ["vfnmadd132pd", "vfnmadd213pd", "vfnmadd231pd"],
        ["vfnmsub132pd", "vfnmsub213pd", "vfnmsub231pd"],
    ];
    let sign = 2 * usize::from(negated) + usize::from(subtracted);
    op(NAMES[sign][order as usize], 2, true, 0x98 + 2 * sign as u8 + 0x10 * order as u8)
}

/// Conditions of jumps and conditional moves, by their code.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Cond {
    Below = 2,
    Above = 7,
    NotZero = 5,
    Less = 12,
    GreaterOrEqual = 13,
}

/// Two-operand integer instructions, by the opcode of the form `reg, reg/mem`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Int {
    Add = 0x03,
    Sub = 0x2b,
    Cmp = 0x3b,
}

impl Int {
    /// The extension of the opcode in the form with a number.
    pub fn extension(self) -> u8 {
        self as u8 >> 3
    }
}

impl Int {
    pub fn name(self) -> &'static str {
        match self {
            Int::Add => "add",
            Int::Sub => "sub",
            Int::Cmp => "cmp",
        }
    }
}

impl fmt::Display for Gpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 8] = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"];
        match NAMES.get(self.0 as usize) {
            Some(name) => f.write_str(name),
            None => write!(f, "r{}", self.0),
        }
    }
}

impl fmt::Display for Ymm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ymm{}", self.0)
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Reg(r) => write!(f, "{r}"),
            Operand::Mem(Mem::Constant(k)) => write!(f, "[constant {k}]"),
            Operand::Mem(Mem::At { base, index: None, disp }) => write!(f, "[{base}{disp:+}]"),
            Operand::Mem(Mem::At { base, index: Some((index, scale)), disp }) => {
                write!(f, "[{base} + {scale}*{index}{disp:+}]")
            }
        }
    }
}
