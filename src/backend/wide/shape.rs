//! Which programs there is 256-bit code for, and how a group of lanes is laid out.

use crate::step::program::*;

/// Vector registers of the machine.
pub const REGISTERS: usize = 16;

/// Bytes that the rows of a group may take, to stay in the nearest cache, and in the one behind it.
const NEAR_BYTES: usize = 24 << 10;
const FAR_BYTES: usize = 128 << 10;

/// Instructions of a body of which eight copies are made.
const LIGHT: usize = 150;

#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Layout {
    /// of the lanes
    pub precision: Precision,
    /// vectors in a group: 2, 4 or 8
    pub vectors: usize,
    /// how many of them go through a stretch of the body together
    pub interleaved: usize,
    /// whether states are values carried from step to step; otherwise they lie in two working copies
    pub registers: bool,
}

impl Layout {
    /// The layout of a program, if there is code for all of it.
    pub fn of(program: &Program) -> Option<Layout> {
        let precision = program.precision;
        if !program.body.iter().all(|i| supported(i, precision)) || !fits(program) {
            return None;
        }
        let registers = program.is_straight() && program.state_rows <= REGISTERS;
        let rows = 2 * program.state_rows + program.body_scratch;
        // Light bodies wait for their own results: the more lanes are under way the better, one vector after the other
        // (Lorenz by Heun: 0.78 ns with eight vectors, 0.94 with four, 1.25 with two). Heavy ones have long chains, which
        // vectors taken together hide (mixture of eight: 13.0 ns for four together, 14.1 for two, 16.4 for one).
        let light = program.state_rows <= 4 && program.size() <= LIGHT && !has_calls(&program.body);
        let (vectors, interleaved) = match registers {
            true if light => (8, 1),
            true => (4, 4),
            // sums in loops wait for themselves too (569 x 31 logistic: 2.4 times faster)
            false if rows * 4 * 32 <= if sums(&program.body) { FAR_BYTES } else { NEAR_BYTES } => (4, 2),
            false => (2, 2),
        };
        Some(Layout { precision, vectors, interleaved, registers })
    }

    /// The layout with half as many lanes.
    pub fn halved(self) -> Layout {
        let vectors = self.vectors / 2;
        Layout { vectors, interleaved: self.interleaved.min(vectors), ..self }
    }

    /// Lanes of a group.
    pub fn lanes(self) -> usize {
        self.row_bytes() / self.precision.bytes()
    }

    /// Bytes of a row of a group.
    pub fn row_bytes(self) -> usize {
        32 * self.vectors
    }
}

/// Whether values are carried around loops.
fn sums(body: &[Inst]) -> bool {
    body.iter().any(|i| matches!(i, Inst::Loop(l) if !l.carried.is_empty() || sums(&l.body)))
}

fn has_calls(body: &[Inst]) -> bool {
    body.iter().any(|i| match i {
        Inst::Call(_) => true,
        Inst::Loop(l) => has_calls(&l.body),
        _ => false,
    })
}

fn supported(inst: &Inst, precision: Precision) -> bool {
    match inst {
        // the last number must be one of the precision
        Inst::Let(_, Value::Gather { len, .. } | Value::GatherCell { len, .. })
            if precision == Precision::Single && *len > 1 << f32::MANTISSA_DIGITS =>
        {
            false
        }
        Inst::Let(_, value) => value.index().is_none_or(plain),
        Inst::Store { row, .. } => plain(row),
        Inst::Call(_) => true,
        Inst::Loop(l) => l.body.iter().all(|i| supported(i, precision)),
        Inst::ScatterAdd { .. } | Inst::Dense(_) | Inst::Product(_) | Inst::Sample(_) => false,
    }
}

/// Whether distances between rows and between cells are numbers of 32 bits.
fn fits(program: &Program) -> bool {
    let rows = 2 * program.state_rows + program.body_scratch;
    let far = program.out_rows.max(program.draw_rows);
    let cells = program.run_len.max(program.step_len);
    (rows.max(far) as i64) < LARGEST_FACTOR && (cells as i64) < LARGEST_CELL
}

/// Factors and moduli in indices are smaller, so that times the bytes of a row they have 31 bits.
pub const LARGEST_FACTOR: i64 = 1 << 22;

/// Numbers of cells are smaller.
const LARGEST_CELL: i64 = 1 << 27;

/// Depth to which remainders and quotients may be nested in an index.
pub const NESTING: usize = 8;

/// Whether the code of an index is known to hold all that lies between.
fn plain(index: &Index) -> bool {
    nesting(index) < NESTING && is_small(index)
}

fn is_small(index: &Index) -> bool {
    let factor = |n: i64| n.abs() < LARGEST_FACTOR;
    let atom = |atom: &Atom| match atom {
        Atom::Counter(c) => factor(c.extent as i64),
        Atom::Mod(e, n) | Atom::Div(e, n) => factor(*n) && is_small(e),
        Atom::Clamp(e, lo, hi) => factor(*lo) && factor(*hi) && is_small(e),
        Atom::Cell(_, e) => is_small(e),
    };
    index.constant.abs() < LARGEST_CELL && index.terms.iter().all(|(a, c)| factor(*c) && atom(a))
}

fn nesting(index: &Index) -> usize {
    let inner = |atom: &Atom| match atom {
        Atom::Counter(_) => 0,
        Atom::Mod(e, _) | Atom::Div(e, _) | Atom::Clamp(e, _, _) | Atom::Cell(_, e) => 1 + nesting(e),
    };
    index.terms.iter().map(|(atom, _)| inner(atom)).max().unwrap_or(0)
}
