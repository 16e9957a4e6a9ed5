//! Which programs there is 256-bit code for, and how a group of lanes is laid out.

use crate::step::program::*;

/// Vector registers of the machine.
pub const REGISTERS: usize = 16;

/// Bytes that the rows of a group may take, so that more vectors at once pay.
const NEAR_BYTES: usize = 96 << 10;

/// Instructions of a body of which eight copies are made.
const LIGHT: usize = 150;

#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Layout {
    /// vectors of four lanes in a group: 2, 4 or 8
    pub vectors: usize,
    /// how many of them go through a stretch of the body together
    pub interleaved: usize,
    /// whether states are values carried from step to step; otherwise they lie in two working copies
    pub registers: bool,
}

impl Layout {
    /// The layout of a program, if there is code for all of it.
    pub fn of(program: &Program) -> Option<Layout> {
        if !program.body.iter().all(supported) {
            return None;
        }
        let registers = program.is_straight() && program.state_rows <= REGISTERS;
        let rows = 2 * program.state_rows + program.body_scratch;
        // light bodies wait for their own results: the more lanes are under way the better, one vector after the other;
        // heavy ones have long chains, which vectors taken together hide
        let light = program.state_rows <= 4 && program.size() <= LIGHT && !has_calls(&program.body);
        let (vectors, interleaved) = match registers {
            true if light => (8, 1),
            true => (4, 4),
            false if rows * 4 * 32 <= NEAR_BYTES => (4, 2),
            false => (2, 2),
        };
        Some(Layout { vectors, interleaved, registers })
    }

    /// The layout with half as many lanes.
    pub fn halved(self) -> Layout {
        let vectors = self.vectors / 2;
        Layout { vectors, interleaved: self.interleaved.min(vectors), ..self }
    }

    /// Lanes of a group.
    pub fn lanes(self) -> usize {
        4 * self.vectors
    }

    /// Bytes of a row of a group.
    pub fn row_bytes(self) -> usize {
        32 * self.vectors
    }
}

fn has_calls(body: &[Inst]) -> bool {
    body.iter().any(|i| match i {
        Inst::Call(_) => true,
        Inst::Loop(l) => has_calls(&l.body),
        _ => false,
    })
}

fn supported(inst: &Inst) -> bool {
    match inst {
        Inst::Let(_, value) => value.index().is_none_or(plain),
        Inst::Store { row, .. } => plain(row),
        Inst::Call(_) => true,
        Inst::Loop(l) => l.body.iter().all(supported),
        Inst::ScatterAdd { .. } | Inst::Dense(_) | Inst::Product(_) | Inst::Sample(_) => false,
    }
}

/// Depth to which remainders and quotients may be nested in an index.
pub const NESTING: usize = 8;

/// Whether an index is made of counters alone.
fn plain(index: &Index) -> bool {
    let mut cells = false;
    index.cells(&mut |_, _| cells = true);
    !cells && nesting(index) < NESTING
}

fn nesting(index: &Index) -> usize {
    let inner = |atom: &Atom| match atom {
        Atom::Counter(_) => 0,
        Atom::Mod(e, _) | Atom::Div(e, _) | Atom::Clamp(e, _, _) | Atom::Cell(_, e) => 1 + nesting(e),
    };
    index.terms.iter().map(|(atom, _)| inner(atom)).max().unwrap_or(0)
}
