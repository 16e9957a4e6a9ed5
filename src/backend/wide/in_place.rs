//! Whether the new states of a step may be written over the old ones: then they need no second copy, which would take
//! room in the nearest cache.

use crate::step::program::{Atom, Index, Inst, Loop, Program, Space, Value};

/// Rows of states that an instruction touches: `len` from `first` on.
struct Access<'p> {
    /// the instruction of the program's body, or the loop around, and the position in that
    place: (usize, usize),
    around: Option<&'p Loop>,
    first: &'p Index,
    len: usize,
}

#[derive(Default)]
struct Accesses<'p> {
    reads: Vec<Access<'p>>,
    writes: Vec<Access<'p>>,
}

/// Whether all old states are read before the new ones of their rows are written.
pub fn is_in_place(program: &Program) -> bool {
    let mut all = Accesses::default();
    for (k, inst) in program.body.iter().enumerate() {
        match inst {
            Inst::Loop(l) => l.body.iter().enumerate().for_each(|(j, inst)| all.add(inst, (k, j), Some(l))),
            _ => all.add(inst, (k, 0), None),
        }
    }
    // what lies in loops within loops is not looked at
    let flat = |l: &Loop| !l.body.iter().any(|i| matches!(i, Inst::Loop(_)));
    program.body.iter().all(|i| !matches!(i, Inst::Loop(l) if !flat(l)))
        && all.writes.iter().all(|write| all.reads.iter().all(|read| comes_first(read, write)))
}

impl<'p> Accesses<'p> {
    fn add(&mut self, inst: &'p Inst, place: (usize, usize), around: Option<&'p Loop>) {
        match inst {
            Inst::Let(_, Value::Load(Space::State, first)) => {
                self.reads.push(Access { place, around, first, len: 1 });
            }
            Inst::Let(_, Value::Gather { space: Space::State, first, len, .. }) => {
                self.reads.push(Access { place, around, first, len: *len });
            }
            Inst::Store { space: Space::Next, row, .. } => {
                self.writes.push(Access { place, around, first: row, len: 1 });
            }
            _ => {}
        }
    }
}

/// Whether no read of a row comes after it is written.
fn comes_first(read: &Access<'_>, write: &Access<'_>) -> bool {
    if read.place.0 < write.place.0 {
        return true;
    }
    let ((low, high), (written_low, written_high)) = (read.first.range(), write.first.range());
    if high + (read.len as i64) <= written_low || written_high < low {
        return true;
    }
    // in one turn of a loop, the same row, which is that of no other turn
    let moves = |l: &Loop| matches!(write.first.terms.as_slice(), [(Atom::Counter(c), _)] if *c == l.counter);
    let same = read.len == 1 && read.first == write.first;
    read.place.0 == write.place.0 && read.place.1 < write.place.1 && same && write.around.is_some_and(moves)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::program::{Counter, Reg};

    fn body(read: Index, write: Index) -> Vec<Inst> {
        let load = Inst::Let(Reg(0), Value::Load(Space::State, read));
        vec![load, Inst::Store { space: Space::Next, row: write, value: Reg(0) }]
    }

    fn program(body: Vec<Inst>) -> Program {
        Program { body, ..Program::default() }
    }

    #[test]
    fn rows_are_read_before_they_are_written() {
        let counter = Counter { id: 0, extent: 8 };
        let row = |k: i64| Index::counter(counter).plus(k);
        let turns = |read, write| {
            let body = body(read, write);
            program(vec![Inst::Loop(Loop { counter, carried: Vec::new(), body })])
        };
        assert!(is_in_place(&turns(row(0), row(0))));
        assert!(is_in_place(&turns(row(8), row(0))), "other rows");
        assert!(!is_in_place(&turns(row(1), row(0))), "the neighbour may have been written");
        assert!(!is_in_place(&turns(row(0), Index::of(3))), "one row in all turns");
        assert!(is_in_place(&program(body(Index::of(1), Index::of(1)))));
        let again = [body(Index::of(0), Index::of(0)), body(Index::of(0), Index::of(1))].concat();
        assert!(!is_in_place(&program(again)), "a row is read when it is written");
    }
}
