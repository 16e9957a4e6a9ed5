//! Random models with arrays.

use proptest::prelude::*;

use super::*;
use crate::backend::wide;
use crate::math::{Dense, Red};

struct Model {
    g: Graph,
    n: usize,
    arrays: Vec<Id>,
    scalars: Vec<Id>,
}

impl Model {
    fn array(&self, k: u8) -> Id {
        self.arrays[self.arrays.len() - 1 - k as usize % self.arrays.len().min(6)]
    }

    fn scalar(&self, k: u8) -> Id {
        self.scalars[self.scalars.len() - 1 - k as usize % self.scalars.len().min(6)]
    }

    /// An element at `i + shift` on the ring.
    fn shifted(&mut self, array: Id, i: Id, shift: i64) -> Id {
        if shift == 0 {
            return self.g.get(array, &[i]);
        }
        let (d, n) = (self.g.int(shift), self.g.int(self.n as i64));
        let k = self.g.op(Op::Add, &[i, d]);
        let k = self.g.op(Op::Mod, &[k, n]);
        self.g.get(array, &[k])
    }

    fn binary(&mut self, op: u8, x: Id, y: Id) -> Id {
        use Op::*;
        let ops = [Add, Sub, Mul, Add, Sub, Mul, Div, Min, Max];
        self.g.op(ops[op as usize % ops.len()], &[x, y])
    }

    fn unary(&mut self, op: u8, x: Id) -> Id {
        use Op::*;
        let ops = [Neg, Abs, Exp, Tanh, Sin, Sigmoid, Floor, Sqrt];
        self.g.op(ops[op as usize % ops.len()], &[x])
    }

    /// A map of one index with a body made from it.
    fn map(&mut self, body: impl FnOnce(&mut Model, Id) -> Id) -> Id {
        let i = self.g.fresh_index(self.n);
        let index = self.g.index(i);
        let body = body(self, index);
        self.g.map(&[i], body)
    }

    fn reduce(&mut self, red: Red, body: impl FnOnce(&mut Model, Id) -> Id) -> Id {
        let i = self.g.fresh_index(self.n);
        let index = self.g.index(i);
        let body = body(self, index);
        self.g.reduce(red, &[i], body)
    }

    /// Appends something random.
    fn grow(&mut self, (op, a, b, c): (u8, u8, u8, u8)) {
        let (x, y, s) = (self.array(a), self.array(b), self.scalar(c));
        let shift = |k: u8| i64::from(k / 16 % 5) - 2;
        match op % 16 {
            0..=2 => {
                let new = self.map(|m, i| {
                    let (p, q) = (m.shifted(x, i, shift(a)), m.shifted(y, i, shift(b)));
                    m.binary(c, p, q)
                });
                self.arrays.push(new);
            }
            3 => {
                let new = self.map(|m, i| {
                    let p = m.g.get(x, &[i]);
                    m.unary(c, p)
                });
                self.arrays.push(new);
            }
            4 | 5 => {
                let reds = [Red::Sum, Red::Sum, Red::Prod, Red::Max, Red::Min, Red::LogSumExp];
                let new = self.reduce(reds[c as usize % reds.len()], |m, i| {
                    let (p, q) = (m.g.get(x, &[i]), m.g.get(y, &[i]));
                    m.binary(b, p, q)
                });
                self.scalars.push(new);
            }
            6 => {
                let (t, u) = (self.scalar(a), self.scalar(b));
                let new = self.binary(c, t, u);
                self.scalars.push(new);
            }
            7 => {
                let new = self.map(|m, i| {
                    let here = m.g.get(x, &[i]);
                    m.reduce(if c % 3 == 0 { Red::Max } else { Red::Sum }, |m, j| {
                        let there = m.g.get(y, &[j]);
                        let d = m.g.op(Op::Sub, &[here, there]);
                        m.binary(c, d, s)
                    })
                });
                self.arrays.push(new);
            }
            8 => {
                // the last element has no neighbour; what stands there instead of one may not matter
                let new = self.map(|m, i| {
                    let one = m.g.int(1);
                    let last = m.g.int(m.n as i64 - 1);
                    let inside = m.g.op(Op::Lt, &[i, last]);
                    let next = m.g.op(Op::Add, &[i, one]);
                    let (there, here) = (m.g.get(x, &[next]), m.g.get(y, &[i]));
                    m.g.op(Op::Select, &[inside, there, here])
                });
                self.arrays.push(new);
            }
            9 => {
                let i = self.g.fresh_index(self.n);
                let index = self.g.index(i);
                let (k, n) = (self.g.int(i64::from(c % 5)), self.g.int(self.n as i64));
                let at = self.g.op(Op::Mul, &[index, k]);
                let at = self.g.op(Op::Mod, &[at, n]);
                let body = self.shifted(x, index, shift(b));
                let new = self.g.scatter(vec![self.n], &[i], &[at], body);
                self.arrays.push(new);
            }
            10 => {
                // each lane has an element of its own
                let red = if c % 2 == 0 { Red::Argmax } else { Red::Argmin };
                let place = self.reduce(red, |m, i| m.g.get(x, &[i]));
                let new = self.g.get(y, &[place]);
                self.scalars.push(new);
                let i = self.g.fresh_index(self.n);
                let index = self.g.index(i);
                let body = self.g.get(x, &[index]);
                let new = self.g.scatter(vec![self.n], &[i], &[place], body);
                self.arrays.push(new);
            }
            11 | 12 => {
                let new = self.map(|m, i| {
                    let p = m.g.get(x, &[i]);
                    m.binary(b, p, s)
                });
                self.arrays.push(new);
            }
            13 => {
                let new = self.map(|m, i| {
                    let p = m.g.get(x, &[i]);
                    let k = m.g.op(Op::ToReal, &[i]);
                    let k = m.binary(b, k, s);
                    m.binary(c, p, k)
                });
                self.arrays.push(new);
            }
            14 if self.n <= 8 => {
                let new = self.g.dense(Dense::Sort, &[x]);
                self.arrays.push(new);
            }
            _ if self.n <= 8 => {
                let (i, j) = (self.g.fresh_index(self.n), self.g.fresh_index(self.n));
                let (ii, jj) = (self.g.index(i), self.g.index(j));
                let same = self.g.op(Op::Eq, &[ii, jj]);
                let (p, q) = (self.g.get(x, &[ii]), self.g.get(x, &[jj]));
                let (pq, big) = (self.g.op(Op::Mul, &[p, q]), self.g.real(9.0));
                let body = self.g.op(Op::Select, &[same, big, pq]);
                let matrix = self.g.map(&[i, j], body);
                let new = self.g.dense(Dense::Solve, &[matrix, y]);
                self.arrays.push(new);
                let new = self.g.dense(Dense::Det, &[matrix]);
                self.scalars.push(new);
            }
            _ => {
                let red = if c % 2 == 0 { Red::Argmax } else { Red::Argmin };
                let place = self.reduce(red, |m, i| m.g.get(x, &[i]));
                let new = self.g.get(y, &[place]);
                self.scalars.push(new);
            }
        }
    }
}

/// A random model with arrays of `n` elements.
fn model(n: usize, choices: &[(u8, u8, u8, u8)]) -> Case {
    let mut g = Graph::new();
    let states: Vec<VarId> =
        ["x", "y"].iter().map(|name| g.new_var(*name, VarKind::State, Ty::Real, vec![n])).collect();
    let scalar = g.new_var("s", VarKind::State, Ty::Real, vec![]);
    let param = g.new_var("p", VarKind::Param, Ty::Real, vec![n]);
    let rate = g.new_var("r", VarKind::Param, Ty::Real, vec![]);
    let dt = g.new_var("dt", VarKind::Dt, Ty::Real, vec![]);
    let data = g.new_data("d", vec![n], (0..n as u64).map(|k| number(3, k)).collect::<Vec<_>>().into());
    let mut arrays = vec![g.data_node(data), g.var(param), normal(&mut g, "z", 0, vec![n])];
    arrays.extend(states.iter().map(|s| g.var(*s)));
    let scalars = vec![g.var(rate), g.var(dt), g.real(0.5), g.var(scalar)];
    let mut m = Model { g, n, arrays, scalars };
    for choice in choices {
        m.grow(*choice);
    }
    let (a, b) = (m.array(0), m.array(1));
    let renew = vec![(states[0], a), (states[1], b), (scalar, m.scalar(0))];
    let outs = vec![m.array(2), m.scalar(1)];
    let spec = Spec { states: states.into_iter().chain([scalar]).collect(), renew, outs };
    Case::new(m.g, spec)
}

fn extent() -> impl Strategy<Value = usize> {
    prop::sample::select(vec![1usize, 2, 3, 4, 5, 8, 17, 20, 33])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn back_ends_agree(
        n in extent(), choices in prop::collection::vec(any::<(u8, u8, u8, u8)>(), 1..14), seed in 0u64..1000,
    ) {
        agree(&model(n, &choices), seed);
    }

    /// Without what 256-bit code leaves to others (scatter, dense algebra), so that it is what is compared.
    #[test]
    fn wide_loops_agree(
        n in extent(), choices in prop::collection::vec(any::<(u8, u8, u8, u8)>(), 1..14), seed in 0u64..1000,
    ) {
        let left = |c: &(u8, u8, u8, u8)| matches!(c.0 % 16, 9 | 10) || (n <= 8 && c.0 % 16 >= 14);
        let choices: Vec<_> = choices.into_iter().filter(|c| !left(c)).collect();
        let case = model(n, &choices);
        prop_assert!(!wide::is_available() || wide::compile::<f64>(&case.program).is_some(), "{}", case.program);
        agree(&case, seed);
    }

    #[test]
    fn loops_mean_what_the_graph_says(
        n in extent(), choices in prop::collection::vec(any::<(u8, u8, u8, u8)>(), 1..5), seed in 0u64..1000,
    ) {
        // no choice by size and no rounding down, which make small differences large; no roots, since sorts look at the
        // sign of NaN
        let rough = |c: &(u8, u8, u8, u8)| c.0 % 16 == 10 || (c.0 % 16 == 3 && c.3 % 8 >= 6);
        let smooth: Vec<_> = choices.into_iter().filter(|c| !rough(c)).collect();
        near_eval(&model(n, &smooth), seed, 1e-9);
    }
}
