//! How a program is laid out on the machine: vectors interleaved, where states and constants live.

use std::collections::{HashMap, HashSet};

use crate::step::program::*;

/// Cranelift's own optimisation. What it could find has been done already, and it would move instructions.
pub const OPT_LEVEL: &str = "none";

/// Vector registers that values of the body may take.
const REGISTERS: usize = 16;

#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Layout {
    /// bytes of a lane
    pub lane_bytes: usize,
    /// vectors that are interleaved
    pub vectors: usize,
    /// how many of them go through the body at once. Straight-line code without calls takes one after the other: the
    /// processor overlaps them, and few registers are needed at a time
    pub interleaved: usize,
    /// whether states stay in registers from step to step
    pub registers: bool,
    /// whether values that are the same for all lanes are kept in registers throughout
    pub hoisted: bool,
}

impl Layout {
    pub fn of(program: &Program) -> Layout {
        let live = Liveness::of(program);
        let straight = program.is_straight();
        let alone = straight && !has_calls(&program.body);
        // light bodies wait for their own results: the more lanes are under way the better
        let light = alone && 8 * program.state_rows + live.temporaries <= REGISTERS;
        let vectors = if light { 8 } else { 4 };
        Layout {
            lane_bytes: program.precision.bytes(),
            vectors,
            interleaved: 1,
            registers: straight && program.state_rows * vectors <= REGISTERS,
            hoisted: constants(&program.body) <= REGISTERS / 2,
        }
    }

    /// The layout with half as many lanes.
    pub fn halved(self) -> Layout {
        let vectors = self.vectors / 2;
        Layout { vectors, interleaved: self.interleaved.min(vectors), ..self }
    }

    /// Lanes of a group.
    pub fn lanes(self) -> usize {
        self.row_bytes() / self.lane_bytes
    }

    /// Lanes of a vector.
    pub fn lanes_of_vector(self) -> usize {
        16 / self.lane_bytes
    }

    /// Bytes of a row of a group.
    pub fn row_bytes(self) -> usize {
        16 * self.vectors
    }
}

/// How many values are alive at once.
struct Liveness {
    /// greatest number of values of one vector, without the states
    temporaries: usize,
}

impl Liveness {
    fn of(program: &Program) -> Liveness {
        let uniform = uniform(program);
        let temporaries = widest(&program.body, &uniform, program.is_straight());
        Liveness { temporaries }
    }
}

fn has_calls(body: &[Inst]) -> bool {
    body.iter().any(|i| match i {
        Inst::Call(_) | Inst::Dense(_) | Inst::Product(_) | Inst::Sample(_) => true,
        Inst::Loop(l) => has_calls(&l.body),
        _ => false,
    })
}

/// Number of constants, and of cells whose places are known.
fn constants(body: &[Inst]) -> usize {
    body.iter()
        .map(|i| match i {
            Inst::Let(_, Value::Const(_)) => 1,
            Inst::Let(_, Value::Cell(_, at)) => usize::from(at.known().is_some()),
            Inst::Loop(l) => constants(&l.body),
            _ => 0,
        })
        .sum()
}

/// Registers that hold the same for all lanes.
pub fn uniform(program: &Program) -> HashSet<Reg> {
    let mut uniform = HashSet::new();
    mark_uniform(&program.body, &mut uniform);
    uniform
}

fn mark_uniform(body: &[Inst], uniform: &mut HashSet<Reg>) {
    for inst in body {
        match inst {
            Inst::Let(dst, value) => {
                let mut all = !matches!(value, Value::Load(..) | Value::Gather { .. } | Value::GatherCell { .. });
                value.reads(&mut |r| all &= uniform.contains(&r));
                if all {
                    uniform.insert(*dst);
                }
            }
            Inst::Loop(l) => mark_uniform(&l.body, uniform),
            _ => {}
        }
    }
}

/// The greatest number of lane registers alive at once in straight-line code.
fn widest(body: &[Inst], uniform: &HashSet<Reg>, states_counted: bool) -> usize {
    let mut last: HashMap<Reg, usize> = HashMap::new();
    for (k, inst) in body.iter().enumerate() {
        inst.reads(&mut |r| {
            last.insert(r, k);
        });
    }
    let mut alive: HashSet<Reg> = HashSet::new();
    let mut most = 0;
    for (k, inst) in body.iter().enumerate() {
        let mut here = alive.len();
        match inst {
            Inst::Loop(l) => here += widest(&l.body, uniform, false) + l.carried.len(),
            Inst::Let(_, Value::Load(Space::State, _)) if states_counted => continue,
            _ => {}
        }
        inst.defines(&mut |r| {
            if !uniform.contains(&r) {
                alive.insert(r);
            }
        });
        here = here.max(alive.len());
        most = most.max(here);
        alive.retain(|r| last.get(r).is_some_and(|end| *end > k));
    }
    most
}
