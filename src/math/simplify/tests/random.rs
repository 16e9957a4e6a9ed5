//! Random raw graphs: their values are those of the simplified ones.
//!
//! Inputs lie in `0.5..1.5`, quotients and powers are built so that results stay moderate. Re-ordered sums and collected
//! terms move a result by some ulps of its largest partial result; those are below `1e5` here, so that `1e-9` of
//! `1 + |value|` leaves three digits.

use super::super::super::array::Array;
use super::super::super::eval::{Env, eval};
use super::super::super::expand::clean_named;
use super::super::super::named::{dissolved, restored};
use super::super::super::share::share;
use super::super::super::verify::verify;
use super::super::{weights, written_out};
use super::*;

/// A linear congruential generator (Knuth, MMIX constants).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }

    fn unit(&mut self) -> f64 {
        self.roll(1 << 30) as f64 / (1u64 << 30) as f64
    }
}

struct Gen {
    b: B,
    dice: Dice,
    scalars: Vec<Id>,
    vectors: Vec<Id>,
    vars: Vec<VarId>,
    /// loop indices in scope
    indices: Vec<IndexVar>,
}

const N: usize = 5;

impl Gen {
    fn new(seed: u64) -> Gen {
        let mut b = B::new();
        let mut vars = Vec::new();
        let mut make = |b: &mut B, name: &str, kind, shape: &[usize]| {
            let (v, id) = b.var(name, kind, shape);
            vars.push(v);
            id
        };
        let scalars = vec![make(&mut b, "p", VarKind::Param, &[]), make(&mut b, "x", VarKind::State, &[])];
        let vectors = vec![make(&mut b, "u", VarKind::State, &[N]), make(&mut b, "v", VarKind::Param, &[N])];
        Gen { b, dice: Dice(seed), scalars, vectors, vars, indices: Vec::new() }
    }

    fn pick(&mut self, ids: &[Id]) -> Id {
        ids[self.dice.roll(ids.len())]
    }

    fn env(&mut self) -> Env {
        let mut env = Env::new();
        for v in self.vars.clone() {
            let shape = self.b.g.var_info(v).shape.clone();
            let values = (0..shape.iter().product::<usize>()).map(|_| 0.5 + self.dice.unit()).collect();
            env.set(v, Array::new(shape, values));
        }
        env
    }

    /// An index into an axis of `N`, mostly affine with wrap-around.
    fn place(&mut self) -> Id {
        let n = self.b.int(N as i64);
        if self.indices.is_empty() || self.dice.roll(6) == 0 {
            let k = self.dice.roll(N) as i64;
            return self.b.int(k);
        }
        let k = self.dice.roll(self.indices.len());
        let i = self.indices[k];
        let i = self.b.g.index(i);
        let c = self.dice.roll(7) as i64 - 3;
        let c = self.b.int(c);
        match self.dice.roll(5) {
            0 | 1 => i,
            2 => {
                let s = self.b.add(i, c);
                self.b.op(Op::Mod, &[s, n])
            }
            3 => {
                let s = self.b.sub(c, i);
                self.b.op(Op::Mod, &[s, n])
            }
            _ => {
                let other = self.place();
                let two = self.b.int(2);
                let s = self.b.mul(two, other);
                let s = self.b.add(s, i);
                let three = self.b.int(3);
                let q = self.b.op(Op::IntDiv, &[s, three]);
                self.b.op(Op::Mod, &[q, n])
            }
        }
    }

    fn condition(&mut self, depth: usize) -> Id {
        match self.dice.roll(6) {
            0..=2 => {
                let (a, b) = (self.place(), self.place());
                self.b.op(Op::Eq, &[a, b])
            }
            3 => {
                let (a, b) = (self.place(), self.place());
                let op = [Op::Lt, Op::Le, Op::Ne][self.dice.roll(3)];
                self.b.op(op, &[a, b])
            }
            4 => {
                let (a, b) = (self.condition(0), self.condition(0));
                let op = [Op::And, Op::Or][self.dice.roll(2)];
                let c = self.b.op(op, &[a, b]);
                if self.dice.roll(2) == 0 { self.b.op(Op::Not, &[c]) } else { c }
            }
            _ if depth > 0 => {
                let (a, b) = (self.scalar(depth - 1), self.scalar(depth - 1));
                self.b.op(Op::Lt, &[a, b])
            }
            _ => self.b.g.boolean(true),
        }
    }

    fn leaf(&mut self) -> Id {
        match self.dice.roll(4) {
            0 => {
                let c = [0.0, 1.0, 2.0, -1.0, 0.5, 3.0][self.dice.roll(6)];
                self.b.real(c)
            }
            1 => {
                let ids = self.scalars.clone();
                self.pick(&ids)
            }
            _ => {
                let ids = self.vectors.clone();
                let (v, at) = (self.pick(&ids), self.place());
                self.b.get(v, &[at])
            }
        }
    }

    fn vector(&mut self, depth: usize) -> Id {
        let i = self.b.g.fresh_index(N);
        self.indices.push(i);
        let body = self.scalar(depth);
        self.indices.pop();
        self.b.g.map(&[i], body)
    }

    fn scalar(&mut self, depth: usize) -> Id {
        if depth == 0 {
            return self.leaf();
        }
        let d = depth - 1;
        match self.dice.roll(16) {
            0 | 1 => {
                let (a, b) = (self.scalar(d), self.scalar(d));
                self.b.add(a, b)
            }
            2 | 3 => {
                let (a, b) = (self.scalar(d), self.scalar(d));
                self.b.sub(a, b)
            }
            4 | 5 => {
                let (a, b) = (self.scalar(d), self.scalar(d));
                self.b.mul(a, b)
            }
            6 => {
                // a positive denominator
                let (a, b) = (self.scalar(d), self.leaf());
                let one = self.b.real(1.0);
                let b = self.b.powi(b, 2);
                let b = self.b.add(b, one);
                self.b.div(a, b)
            }
            7 => {
                let a = self.scalar(d.min(1));
                let n = self.dice.roll(4) as i64;
                self.b.powi(a, n)
            }
            8 => {
                let a = self.scalar(d);
                self.b.neg(a)
            }
            9 => {
                let a = self.scalar(d);
                let op = [Op::Sin, Op::Tanh, Op::Cos, Op::Sigmoid, Op::Abs, Op::Erf][self.dice.roll(6)];
                self.b.op(op, &[a])
            }
            10 => {
                let (c, a) = (self.condition(d), self.scalar(d));
                let zero = self.b.real(0.0);
                let b = if self.dice.roll(3) > 0 { zero } else { self.scalar(d) };
                let (a, b) = if self.dice.roll(4) == 0 { (b, a) } else { (a, b) };
                self.b.op(Op::Select, &[c, a, b])
            }
            11 if self.indices.len() < 4 => {
                let (v, at) = (self.vector(d), self.place());
                self.b.get(v, &[at])
            }
            12 | 13 if self.indices.len() < 3 => {
                let bounds: Vec<IndexVar> = (0..1 + self.dice.roll(2))
                    .map(|_| self.b.g.fresh_index([N, N, 2, 1][self.indices.len() % 4]))
                    .collect();
                let before = self.indices.len();
                self.indices.extend(&bounds);
                let body = self.scalar(d);
                self.indices.truncate(before);
                let red = [Red::Sum, Red::Sum, Red::Sum, Red::Max, Red::LogSumExp][self.dice.roll(5)];
                self.b.g.reduce(red, &bounds, body)
            }
            14 => {
                let c = self.condition(d);
                self.b.op(Op::ToReal, &[c])
            }
            _ => self.leaf(),
        }
    }
}

fn close(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= 1e-9 * (1.0 + a.abs()) || (a.is_nan() && b.is_nan())
}

fn check(seed: u64, depth: usize) {
    let mut random = Gen::new(seed);
    let raw = if seed.is_multiple_of(3) { random.vector(depth) } else { random.scalar(depth) };
    let env = random.env();
    let simple = random.b.simple(raw);
    let shared = share(&mut random.b.g, &[simple])[0];
    let g = &mut random.b.g;
    let written = written_out(g, &[simple], N)[0];
    let (roots, names) = clean_named(g, &[raw]).expect("there are no derivatives");
    let named = restored(g, &roots, &names)[0];
    let (put_in, left) = dissolved(g, &roots, &names, |v| v.0 % 2 == 0);
    let put_in = restored(g, &put_in, &left)[0];
    let (roots, names) = weights(g, &roots, &names);
    let weighted = restored(g, &roots, &names)[0];
    let g = &random.b.g;
    let old = eval(g, raw, &env).expect("the raw graph has a value");
    let forms = [
        ("simplified", simple),
        ("shared", shared),
        ("with short sums written out", written),
        ("with names", named),
        ("with names put in", put_in),
        ("with weights", weighted),
    ];
    for (what, id) in forms {
        assert_eq!(verify(g, &[id]), Ok(()), "seed {seed}, {what}");
        let texts = || format!("{}\n----\n{}", expression(g, raw), expression(g, id));
        let new = eval(g, id, &env).unwrap_or_else(|e| panic!("seed {seed}, {what}: {e}\n{}", texts()));
        for (a, b) in old.values.iter().zip(&new.values) {
            assert!(close(*a, *b) || !a.is_finite(), "seed {seed}, {what}: {a} became {b}\n{}", texts());
        }
    }
    assert_eq!(random.b.simple(simple), simple, "seed {seed}: simplified once more, it stays");
}

#[test]
fn small_graphs_keep_their_values() {
    for seed in 0..2000 {
        check(seed, 3);
    }
}

#[test]
fn larger_graphs_keep_their_values() {
    for seed in 10_000..10_500 {
        check(seed, 6);
    }
}
