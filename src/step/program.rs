//! The types of a step program: its tables of rows, and its instructions.
//!
//! A program reads and writes *rows*: one number for each path ("lane") of a block. Values that are the same for all
//! paths come from two tables that the host fills: `run` once a run, `step` once a step. Lanes are of the program's
//! precision. Tables are double, so that integers in them are exact; what lanes read of them is rounded. Draws come as rows too, filled
//! by the noise kernels, so a program is a pure function of its inputs.
//!
//! The instructions say everything that a result depends on: which products are fused into sums, the order of every
//! sum, what NaN does. Each back end executes them one by one and so gives the same bits.

use crate::kernels::product;
use crate::math::{Base, Dense, Id, Sampler, Shape, VarId};

pub use super::index::{Atom, Counter, Index, IndexEnv, Table};
pub use super::kernel::Kernel;
pub use crate::kernels::lane::Precision;

/// A state variable: `shape.product()` rows from `first_row`, in row-major order of its elements.
#[derive(Clone, Debug)]
pub struct StateSlot {
    pub var: VarId,
    pub shape: Shape,
    pub first_row: usize,
    /// whether the step gives it a new value; otherwise it keeps its own
    pub renewed: bool,
}

/// An output that is not a state (something observed): rows of the `out` block.
#[derive(Clone, Debug)]
pub struct OutSlot {
    pub shape: Shape,
    pub first_row: usize,
}

/// Rows of one draw variable; component `k` of the draw is row `first_row + k`.
#[derive(Clone, Debug)]
pub struct DrawSlot {
    pub var: VarId,
    pub base: Base,
    pub site: u32,
    pub turn: u16,
    pub components: usize,
    pub first_row: usize,
}

/// A value that the host works out (by `math::eval`) and writes at `offset` of the run or step table. Truth values are
/// written as 1 and 0, arrays in row-major order.
#[derive(Clone, Debug)]
pub struct TableSlot {
    pub value: Id,
    pub offset: usize,
    pub len: usize,
}

/// A lane value: one number, or one truth value, for each lane. Named once.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reg(pub u32);

/// What a register holds.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Real,
    Mask,
}

/// Where rows live.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Space {
    /// the states at the start of the step; read only
    State,
    /// the states at its end: each row of a renewed state is written once, and may then be read
    Next,
    /// what is observed; each row is written once, and may then be read
    Out,
    /// the draws of the step; read only
    Draw,
    /// rows of the program's own
    Scratch,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Unary {
    Neg,
    Abs,
    Floor,
    Ceil,
    Sqrt,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    /// the lesser; NaN if one is NaN; the second if they are equal (which tells the zeros apart)
    Min,
    /// the greater; NaN if one is NaN; the second if they are equal
    Max,
}

/// A product and a sum, rounded once.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fused {
    /// `a*b + c`
    MulAdd,
    /// `a*b - c`
    MulSub,
    /// `c - a*b`
    NegMulAdd,
    /// `-(a*b) - c`
    NegMulSub,
}

/// Comparisons; false with a NaN except `Ne`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Relation {
    Lt,
    Le,
    Eq,
    Ne,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Logic {
    And,
    Or,
    /// `a and not b`
    AndNot,
}

/// Operations that make one register from others and from memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// a constant, by its bits as f64; rounded to the precision of the program
    Const(u64),
    /// a mask that is the same for all lanes
    Truth(bool),
    /// a cell of a table, the same for all lanes; rounded to the precision of the program
    Cell(Table, Index),
    /// an integer as a number
    Count(Index),
    Load(Space, Index),
    Unary(Unary, Reg),
    Binary(Binary, Reg, Reg),
    Fused(Fused, Reg, Reg, Reg),
    Compare(Relation, Reg, Reg),
    Logic(Logic, Reg, Reg),
    Not(Reg),
    /// `mask ? a : b`, bit by bit
    Select(Reg, Reg, Reg),
    /// row `first + at` where each lane has its own `at`, brought into `0..len` (NaN is 0)
    Gather {
        space: Space,
        first: Index,
        len: usize,
        at: Reg,
    },
    /// likewise from a table
    GatherCell {
        table: Table,
        first: Index,
        len: usize,
        at: Reg,
    },
}

/// Calls of an elementary function on several rows at once.
#[derive(Clone, Debug)]
pub struct Call {
    pub kernel: Kernel,
    pub dsts: Vec<Reg>,
    /// `args[k]` are the arguments of `dsts[k]`
    pub args: Vec<Vec<Reg>>,
}

/// A loop over `0..counter.extent`.
#[derive(Clone, Debug)]
pub struct Loop {
    pub counter: Counter,
    pub carried: Vec<Carried>,
    pub body: Vec<Inst>,
}

/// A value carried around a loop: `inner` is `init` at first and then `next` of the turn before; `result` is the last
/// `next` (`init` without turns).
#[derive(Clone, Debug)]
pub struct Carried {
    pub init: Reg,
    pub inner: Reg,
    pub next: Reg,
    pub result: Reg,
}

/// Dense algebra on arrays in scratch rows, lane by lane. Matrices are in row-major order.
#[derive(Clone, Debug)]
pub struct DenseCall {
    pub op: Dense,
    /// extent of the square matrix, or of the vector that is sorted
    pub n: usize,
    /// columns of the right-hand side
    pub m: usize,
    /// first scratch row of each argument
    pub args: Vec<usize>,
    /// first scratch row of the result
    pub out: usize,
}

/// `out[i, c] = sum over j of a[i, j] * x[j, c]`, lane by lane, into scratch rows that are none of its operands.
///
/// The order of each sum is that of sums written out (`lower::reduce`): terms with an even and with an odd `j` have an
/// accumulator each, which starts at -0 and takes its terms in order by fused multiply-adds; at the end the odd one is
/// added to the even one.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    /// extents, and the steps from element to element
    pub shape: product::Shape,
    pub a: Factor,
    /// where the rows of `x` are
    pub space: Space,
    pub x: Index,
    /// the first scratch row of the result
    pub out: Index,
}

/// The left factor of a product, from its first element on.
#[derive(Clone, Debug, PartialEq)]
pub enum Factor {
    /// the same for all lanes
    Cells(Table, Index),
    Rows(Space, Index),
}

/// A draw of a law that needs rejection, lane by lane, by its coordinates.
#[derive(Clone, Debug)]
pub struct SampleCall {
    pub dst: Reg,
    pub sampler: Sampler,
    /// scratch rows of the parameters: from `first`, `len` of them
    pub first: Index,
    pub len: usize,
    pub site: u32,
    pub turn: u16,
    pub component: Index,
}

#[derive(Clone, Debug)]
pub enum Inst {
    Let(Reg, Value),
    Store {
        space: Space,
        row: Index,
        value: Reg,
    },
    /// adds to the scratch row `first + at`, each lane with its own `at`; a lane whose `at` is not in `0..len` adds
    /// nothing
    ScatterAdd {
        first: Index,
        len: usize,
        at: Reg,
        value: Reg,
    },
    Call(Call),
    Loop(Loop),
    Dense(DenseCall),
    Product(Product),
    Sample(SampleCall),
}

#[derive(Clone, Debug, Default)]
pub struct Program {
    pub precision: Precision,
    pub states: Vec<StateSlot>,
    pub state_rows: usize,
    pub outs: Vec<OutSlot>,
    pub out_rows: usize,
    pub draws: Vec<DrawSlot>,
    pub draw_rows: usize,
    pub run_table: Vec<TableSlot>,
    pub run_len: usize,
    pub step_table: Vec<TableSlot>,
    pub step_len: usize,
    /// rows of scratch that a block must bring: those of the body, and room for the back end's working copies of the
    /// states
    pub scratch_rows: usize,
    /// rows of scratch that the body itself uses, the first ones
    pub body_scratch: usize,
    /// what each register holds
    pub regs: Vec<Kind>,
    pub body: Vec<Inst>,
}

impl Program {
    /// Whether the outs are the states, row by row.
    pub fn is_identity(&self) -> bool {
        let mut loads: Vec<(Reg, i64)> = Vec::new();
        let mut stored = vec![false; self.out_rows];
        for inst in &self.body {
            match inst {
                Inst::Let(dst, Value::Load(Space::State, row)) => loads.extend(row.known().map(|row| (*dst, row))),
                Inst::Store { space: Space::Out, row, value } => match row.known() {
                    Some(row) if loads.contains(&(*value, row)) => stored[row as usize] = true,
                    _ => return false,
                },
                _ => return false,
            }
        }
        self.out_rows == self.state_rows && !stored.contains(&false)
    }

    /// The same steps with the states after them as outs; only of straight-line code that renews all states and has no
    /// outs of its own.
    pub fn traced(&self) -> Option<Program> {
        let renewed = self.states.iter().all(|s| s.renewed);
        if !self.is_straight() || !renewed || self.out_rows > 0 {
            return None;
        }
        let mut traced = self.clone();
        traced.outs = vec![OutSlot { shape: vec![self.state_rows], first_row: 0 }];
        traced.out_rows = self.state_rows;
        traced.body.clear();
        for inst in &self.body {
            traced.body.push(inst.clone());
            if let Inst::Store { space: Space::Next, row, value } = inst {
                traced.body.push(Inst::Store { space: Space::Out, row: row.clone(), value: *value });
            }
        }
        Some(traced)
    }
}

impl Value {
    /// Calls `f` for each register that is read.
    pub fn reads(&self, f: &mut impl FnMut(Reg)) {
        match self {
            Value::Const(_) | Value::Truth(_) | Value::Cell(..) | Value::Count(_) | Value::Load(..) => {}
            Value::Unary(_, a) | Value::Not(a) => f(*a),
            Value::Binary(_, a, b) | Value::Compare(_, a, b) | Value::Logic(_, a, b) => {
                f(*a);
                f(*b);
            }
            Value::Fused(_, a, b, c) | Value::Select(a, b, c) => {
                f(*a);
                f(*b);
                f(*c);
            }
            Value::Gather { at, .. } | Value::GatherCell { at, .. } => f(*at),
        }
    }

    /// Index expressions inside.
    pub fn index(&self) -> Option<&Index> {
        match self {
            Value::Cell(_, i) | Value::Count(i) | Value::Load(_, i) => Some(i),
            Value::Gather { first, .. } | Value::GatherCell { first, .. } => Some(first),
            _ => None,
        }
    }
}

impl Inst {
    /// Calls `f` for each register that is read, those of a loop's body included.
    pub fn reads(&self, f: &mut impl FnMut(Reg)) {
        match self {
            Inst::Let(_, value) => value.reads(f),
            Inst::Store { value, .. } => f(*value),
            Inst::ScatterAdd { at, value, .. } => {
                f(*at);
                f(*value);
            }
            Inst::Call(call) => call.args.iter().flatten().for_each(|r| f(*r)),
            Inst::Loop(l) => {
                l.carried.iter().for_each(|c| f(c.init));
                l.body.iter().for_each(|i| i.reads(f));
                l.carried.iter().for_each(|c| f(c.next));
            }
            Inst::Dense(_) | Inst::Product(_) | Inst::Sample(_) => {}
        }
    }

    /// Calls `f` for each register that is named and can be seen after the instruction.
    pub fn defines(&self, f: &mut impl FnMut(Reg)) {
        match self {
            Inst::Let(dst, _) => f(*dst),
            Inst::Call(call) => call.dsts.iter().for_each(|r| f(*r)),
            Inst::Loop(l) => l.carried.iter().for_each(|c| f(c.result)),
            Inst::Sample(s) => f(s.dst),
            Inst::Store { .. } | Inst::ScatterAdd { .. } | Inst::Dense(_) | Inst::Product(_) => {}
        }
    }
}

impl Program {
    /// The program in a precision.
    pub fn at(self, precision: Precision) -> Program {
        Program { precision, ..self }
    }

    pub fn kind(&self, reg: Reg) -> Kind {
        self.regs[reg.0 as usize]
    }

    /// Whether the body has neither loops nor memory of its own, nor rows that a table chooses, so that states can stay in
    /// registers.
    pub fn is_straight(&self) -> bool {
        self.body_scratch == 0
            && self.body.iter().all(|i| match i {
                Inst::Let(_, Value::Gather { .. } | Value::Load(Space::Next | Space::Out, _)) => false,
                Inst::Let(_, Value::Load(_, row)) | Inst::Store { row, .. } => row.known().is_some(),
                Inst::Let(..) | Inst::Call(_) => true,
                _ => false,
            })
    }

    /// Number of instructions, those of loop bodies included once.
    pub fn size(&self) -> usize {
        fn count(body: &[Inst]) -> usize {
            body.iter().map(|i| if let Inst::Loop(l) = i { 1 + count(&l.body) } else { 1 }).sum()
        }
        count(&self.body)
    }
}
