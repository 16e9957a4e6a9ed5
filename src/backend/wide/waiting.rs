//! Loads that wait until their values are used, and can then be operands of the instructions that use them.

use std::collections::{HashMap, HashSet};

use super::elementary::is_inlined;
use crate::step::program::{self as step, Inst, Space};

/// Instructions that are done for all vectors at once.
pub fn is_whole(inst: &Inst) -> bool {
    matches!(inst, Inst::Call(_) | Inst::Loop(_)) && !is_inlined(inst)
}

/// Loads whose values are read at most so many instructions later wait where the row may be written.
const PATIENCE: usize = 256;

/// Loads of a stretch that can wait until they are used: nothing is stored in the row meanwhile. States and draws are
/// only read.
pub fn waiting(insts: &[Inst], escaping: &HashSet<step::Reg>) -> HashSet<step::Reg> {
    let mut last: HashMap<step::Reg, usize> = HashMap::new();
    for (k, inst) in insts.iter().enumerate() {
        inst.reads(&mut |r| {
            last.insert(r, k);
        });
    }
    let mut found = HashSet::new();
    for (k, inst) in insts.iter().enumerate() {
        let Inst::Let(dst, step::Value::Load(space, row)) = inst else { continue };
        let end = last.get(dst).copied().unwrap_or(k);
        let apart = |i: &Inst| match i {
            Inst::Store { space: s, row: r, .. } if s == space => {
                let (lo, hi) = r.sub(row).range();
                lo > 0 || hi < 0
            }
            _ => true,
        };
        let only_read = matches!(space, Space::State | Space::Draw);
        if only_read || (!escaping.contains(dst) && end - k < PATIENCE && insts[k..end].iter().all(apart)) {
            found.insert(*dst);
        }
    }
    found
}

#[derive(Default)]
struct Escaping {
    made: HashMap<step::Reg, usize>,
    stretch: usize,
    found: HashSet<step::Reg>,
}

/// Registers that are read outside the stretch that makes them.
pub fn escaping(body: &[Inst]) -> HashSet<step::Reg> {
    let mut all = Escaping::default();
    all.body(body);
    all.found
}

impl Escaping {
    fn body(&mut self, body: &[Inst]) {
        self.stretch += 1;
        for inst in body {
            match inst {
                Inst::Loop(l) => {
                    self.found.extend(l.carried.iter().map(|c| c.init));
                    self.body(&l.body);
                    self.found.extend(l.carried.iter().map(|c| c.next));
                    self.stretch += 1;
                }
                _ if is_whole(inst) => {
                    inst.reads(&mut |r| {
                        self.found.insert(r);
                    });
                    self.stretch += 1;
                }
                _ => {
                    inst.reads(&mut |r| {
                        if self.made.get(&r) != Some(&self.stretch) {
                            self.found.insert(r);
                        }
                    });
                    inst.defines(&mut |r| {
                        self.made.insert(r, self.stretch);
                    });
                }
            }
        }
    }
}
