//! The positions of vector instructions, by which the next use of a value is found.

use super::vector::{Info, Loop, Node, Val};

/// Gives the instructions their positions, and the values their uses.
pub fn number(steps: &mut Loop, results: &[Val], vals: &mut [Info]) {
    let mut n = Numbering { vals, position: 0, outside: Vec::new() };
    n.run(steps);
    let after = n.tick();
    results.iter().for_each(|val| n.read(*val, after));
}

struct Numbering<'a> {
    vals: &'a mut [Info],
    position: u32,
    /// for each open loop, values from outside that are read in it
    outside: Vec<Vec<Val>>,
}

impl Numbering<'_> {
    fn tick(&mut self) -> u32 {
        self.position += 1;
        self.position
    }

    fn make(&mut self, val: Val) {
        self.vals[val as usize].depth = self.outside.len();
    }

    fn read(&mut self, val: Val, at: u32) {
        let info = &mut self.vals[val as usize];
        info.uses.push(at);
        info.until = info.until.max(at);
        // needed again in the next turn of each loop that it comes from outside of
        for depth in info.depth..self.outside.len() {
            self.outside[depth].push(val);
        }
    }

    fn run(&mut self, l: &mut Loop) {
        l.start = self.tick();
        l.carried.iter().for_each(|c| self.read(c.init, l.start));
        self.outside.push(Vec::new());
        l.carried.iter().for_each(|c| self.make(c.inner));
        for node in &mut l.body {
            match node {
                Node::Vector(at, vector) => {
                    *at = self.tick();
                    vector.reads(&mut |v| self.read(v, *at));
                    if let Some(dst) = vector.dst() {
                        self.make(dst);
                    }
                }
                Node::Call(call) => call.at = self.tick(),
                Node::Loop(inner) => self.run(inner),
            }
        }
        l.end = self.tick();
        l.carried.iter().for_each(|c| self.read(c.next, l.end));
        for val in self.outside.pop().expect("an open loop") {
            let info = &mut self.vals[val as usize];
            info.until = info.until.max(l.end);
        }
        l.carried.iter().for_each(|c| self.make(c.result));
    }
}
