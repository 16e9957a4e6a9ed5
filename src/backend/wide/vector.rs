//! Vector instructions and the values that they make: what the program of a group of lanes consists of.

use super::encode::Op;
use crate::step::program::{self as step, Counter, Fused, Index, Space};

/// A vector value, named once.
pub type Val = u32;

/// Where a value is in memory.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    Constant(u64),
    /// bytes from the stack pointer
    Stack(i32),
    /// vector of a row that is not written while the value is needed
    Row(Space, Index, usize),
}

/// A vector instruction.
#[derive(Clone, Debug)]
pub enum Vector {
    One {
        op: Op,
        dst: Val,
        a: Val,
        number: Option<u8>,
    },
    Two {
        op: Op,
        dst: Val,
        args: [Val; 2],
        number: Option<u8>,
    },
    Fused {
        form: Fused,
        dst: Val,
        args: [Val; 3],
    },
    /// `dst = mask ? a : b`
    Blend {
        dst: Val,
        mask: Val,
        a: Val,
        b: Val,
    },
    /// a cell of a table in all lanes
    Splat {
        dst: Val,
        table: step::Table,
        at: Index,
    },
    /// an integer as a number in all lanes
    Count {
        dst: Val,
        index: Index,
    },
    Load {
        dst: Val,
        space: Space,
        row: Index,
        v: usize,
    },
    Store {
        space: Space,
        row: Index,
        v: usize,
        value: Val,
    },
    /// an argument of the call that follows: `at` is the number of the vector in the area of the call
    Argument {
        area: i32,
        at: usize,
        value: Val,
    },
    /// each lane from a row or cell of its own; `at` holds numbers in the span
    Gather {
        dst: Val,
        from: Source,
        first: Index,
        v: usize,
        at: Val,
    },
}

#[derive(Copy, Clone, Debug)]
pub enum Source {
    Row(Space),
    Cell(step::Table),
}

#[derive(Clone, Debug)]
pub enum Node {
    Vector(u32, Vector),
    Call(Call),
    Loop(Loop),
}

#[derive(Clone, Debug)]
pub struct Call {
    pub at: u32,
    pub kernel: step::Kernel,
    pub rows: usize,
    pub area: i32,
}

#[derive(Clone, Debug)]
pub struct Loop {
    /// nothing for the loop over steps
    pub counter: Option<Counter>,
    pub carried: Vec<Carried>,
    pub body: Vec<Node>,
    pub start: u32,
    pub end: u32,
}

/// A vector carried around a loop.
#[derive(Copy, Clone, Debug)]
pub struct Carried {
    pub init: Val,
    pub inner: Val,
    pub next: Val,
    pub result: Val,
}

impl Loop {
    /// Whether the body is straight-line code without calls.
    pub fn is_leaf(&self) -> bool {
        self.body.iter().all(|n| matches!(n, Node::Vector(..)))
    }
}

impl Vector {
    pub fn dst(&self) -> Option<Val> {
        match self {
            Vector::One { dst, .. }
            | Vector::Two { dst, .. }
            | Vector::Fused { dst, .. }
            | Vector::Blend { dst, .. }
            | Vector::Splat { dst, .. }
            | Vector::Count { dst, .. }
            | Vector::Load { dst, .. }
            | Vector::Gather { dst, .. } => Some(*dst),
            Vector::Store { .. } | Vector::Argument { .. } => None,
        }
    }

    pub fn reads(&self, f: &mut impl FnMut(Val)) {
        match self {
            Vector::One { a, .. } => f(*a),
            Vector::Two { args, .. } => args.iter().for_each(|a| f(*a)),
            Vector::Fused { args, .. } => args.iter().for_each(|a| f(*a)),
            Vector::Blend { mask, a, b, .. } => [mask, a, b].into_iter().for_each(|a| f(*a)),
            Vector::Store { value, .. } | Vector::Argument { value, .. } => f(*value),
            Vector::Gather { at, .. } => f(*at),
            Vector::Splat { .. } | Vector::Count { .. } | Vector::Load { .. } => {}
        }
    }
}

/// What is known of a value before it is given a register.
#[derive(Clone, Debug, Default)]
pub struct Info {
    /// where it lies in memory from the start
    pub place: Option<Place>,
    /// positions of the instructions that read it, in order
    pub uses: Vec<u32>,
    /// the last position at which it must still be somewhere: in a loop, the end of the loop it is from outside of
    pub until: u32,
    /// number of loops inside which it is made
    pub depth: usize,
}
