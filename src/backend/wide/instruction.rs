//! Registers, operands and the table of instructions, with their names in listings.

use std::fmt;

use crate::kernels::lane::Precision;

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
    /// a constant behind the code, the same in all lanes
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

/// A vector instruction, in the forms for single and for double precision: opcodes, prefixes (1: 66, 2: F3, 3: F2) and W
/// bits stand in this order.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Op {
    name: &'static str,
    endings: [&'static str; 2],
    /// opcode map (1: 0F, 2: 0F38, 3: 0F3A)
    pub map: u8,
    pub codes: [u8; 2],
    pub prefixes: [u8; 2],
    pub wide: [bool; 2],
    /// 256 bits
    pub long: bool,
}

impl Op {
    pub fn name(self, precision: Precision) -> String {
        format!("{}{}", self.name, self.endings[precision as usize])
    }
}

/// Numbers whose precision the opcode tells.
const fn coded(name: &'static str, endings: [&'static str; 2], map: u8, codes: [u8; 2]) -> Op {
    Op { name, endings, map, codes, prefixes: [1, 1], wide: [false, false], long: true }
}

/// Numbers whose precision the prefix tells.
const fn packed(name: &'static str, code: u8) -> Op {
    Op { prefixes: [0, 1], ..coded(name, ["ps", "pd"], 1, [code, code]) }
}

/// Numbers in the lowest lane.
const fn scalar(name: &'static str, wide: bool, code: u8) -> Op {
    Op { prefixes: [2, 3], wide: [wide, wide], long: false, ..coded(name, ["ss", "sd"], 1, [code, code]) }
}

pub const ADD: Op = packed("vadd", 0x58);
pub const MUL: Op = packed("vmul", 0x59);
pub const SUB: Op = packed("vsub", 0x5c);
pub const MIN: Op = packed("vmin", 0x5d);
pub const DIV: Op = packed("vdiv", 0x5e);
pub const MAX: Op = packed("vmax", 0x5f);
pub const SQRT: Op = packed("vsqrt", 0x51);
pub const AND: Op = packed("vand", 0x54);
pub const AND_NOT: Op = packed("vandn", 0x55);
pub const OR: Op = packed("vor", 0x56);
pub const XOR: Op = packed("vxor", 0x57);
pub const COMPARE: Op = packed("vcmp", 0xc2);
/// comparisons that raise nothing: less, and with anything that is NaN
pub const LESS: u8 = 0x11;
pub const UNORDERED: u8 = 3;
pub const LOAD: Op = packed("vmovu", 0x10);
pub const STORE: Op = packed("vmovu", 0x11);
pub const MOVE: Op = packed("vmova", 0x28);
pub const ROUND: Op = coded("vround", ["ps", "pd"], 3, [0x08, 0x09]);
pub const BLEND: Op = coded("vblendv", ["ps", "pd"], 3, [0x4a, 0x4b]);
pub const BROADCAST: Op = coded("vbroadcast", ["ss", "sd"], 2, [0x18, 0x19]);
/// of integers as long as the numbers
pub const ADD_INTEGERS: Op = coded("vpadd", ["d", "q"], 1, [0xfe, 0xd4]);
/// likewise; the source is a register
pub const SHIFT_LEFT: Op = coded("vpsll", ["d", "q"], 1, [0x72, 0x73]);
pub const LOAD_LANE: Op = scalar("vmov", false, 0x10);
pub const STORE_LANE: Op = scalar("vmov", false, 0x11);
pub const FROM_INTEGER: Op = scalar("vcvtsi2", true, 0x2a);
pub const TO_INTEGER: Op = Op { endings: ["ss2si", "sd2si"], ..scalar("vcvtt", true, 0x2c) };
/// to the other precision
pub const CONVERT: Op = Op { endings: ["ss2sd", "sd2ss"], ..scalar("vcvt", false, 0x5a) };

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
        ["vfmadd132", "vfmadd213", "vfmadd231"],
        ["vfmsub132", "vfmsub213", "vfmsub231"],
        ["vfnmadd132", "vfnmadd213", "vfnmadd231"],
        ["vfnmsub132", "vfnmsub213", "vfnmsub231"],
    ];
    let sign = 2 * usize::from(negated) + usize::from(subtracted);
    let code = 0x98 + 2 * sign as u8 + 0x10 * order as u8;
    // the W bit tells the precision
    Op { wide: [false, true], ..coded(NAMES[sign][order as usize], ["ps", "pd"], 2, [code, code]) }
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
    Mov = 0x8b,
    Lea = 0x8d,
    Add = 0x03,
    Sub = 0x2b,
    Cmp = 0x3b,
}

impl Int {
    /// The extension of the opcode in the form with a number.
    pub fn extension(self) -> u8 {
        self as u8 >> 3
    }

    pub fn name(self) -> &'static str {
        match self {
            Int::Mov => "mov",
            Int::Lea => "lea",
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
