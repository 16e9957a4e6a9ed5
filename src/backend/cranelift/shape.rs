//! How a program is laid out on the machine: vectors interleaved, where states and constants live.

use std::collections::{HashMap, HashSet};

use crate::step::program::*;

/// Cranelift's own optimisation. Everything it could find has been done already.
pub const OPT_LEVEL: &str = "speed";

/// Vector registers that values of the body may take.
const REGISTERS: usize = 16;

#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Layout {
    /// vectors of two lanes that are interleaved
    pub vectors: usize,
    /// whether states stay in registers from step to step
    pub registers: bool,
    /// whether values that are the same for all lanes are kept in registers throughout
    pub hoisted: bool,
}

impl Layout {
    pub fn of(program: &Program) -> Layout {
        let live = Liveness::of(program);
        let straight = program.is_straight();
        let fits = |v: usize, extra: usize| live.lanes * v + extra <= REGISTERS;
        let vectors = if fits(4, 2) { 4 } else { 2 };
        Layout {
            vectors,
            registers: straight && program.state_rows * vectors <= REGISTERS / 2,
            hoisted: straight && fits(vectors, live.uniform.min(8)),
        }
    }

    /// Lanes of a group.
    pub fn lanes(self) -> usize {
        2 * self.vectors
    }

    /// Bytes of a row of a group.
    pub fn row_bytes(self) -> usize {
        16 * self.vectors
    }
}

/// How many values are alive at once.
struct Liveness {
    /// greatest number of lane values, states included
    lanes: usize,
    /// values that are the same for all lanes
    uniform: usize,
}

impl Liveness {
    fn of(program: &Program) -> Liveness {
        let mut uniform = HashSet::new();
        mark_uniform(&program.body, &mut uniform);
        let mut lanes = program.states.iter().filter(|s| s.renewed).map(|s| s.shape.iter().product::<usize>()).sum();
        if !program.is_straight() {
            lanes = 0;
        }
        lanes += widest(&program.body, &uniform, program.is_straight());
        Liveness { lanes, uniform: uniform.len() }
    }
}

/// Registers that hold the same for all lanes, apart from constants made on the spot.
pub fn mark_uniform(body: &[Inst], uniform: &mut HashSet<Reg>) {
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
