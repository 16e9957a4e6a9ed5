//! Back ends against each other, bit for bit, and against the plain evaluator.

mod arrays;
mod products;
mod sums;
mod wide;

use proptest::prelude::*;

use super::*;
use crate::kernels::lane::Precision;
use crate::math::array::Array;
use crate::math::eval::{Env, eval};
use crate::math::{Base, Graph, Id, Op, Sampler, Ty, VarId, VarKind};
use crate::step::program::{Table, TableSlot};
use crate::step::{Spec, lower};

/// A model with its program, and numbers for its inputs that depend on nothing but a seed.
pub struct Case {
    pub g: Graph,
    pub spec: Spec,
    pub program: Program,
    pub params: Vec<(VarId, Array)>,
    pub dt: Option<VarId>,
    pub time: Option<VarId>,
}

/// Memory of a block.
#[derive(Clone)]
pub struct Memory<T = f64> {
    pub lanes: usize,
    pub steps: usize,
    pub first_path: u64,
    pub first_step: u64,
    pub state: Vec<T>,
    pub out: Vec<T>,
    pub run: Vec<f64>,
    pub step: Vec<f64>,
    pub noise: Vec<T>,
    pub scratch: Vec<T>,
}

/// Numbers between -2 and 2, some of them special.
pub fn number(seed: u64, k: u64) -> f64 {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ k.wrapping_mul(0xd134_2543_de82_ef95);
    x = (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^= x >> 32;
    4.0 * (x >> 11) as f64 / (1u64 << 53) as f64 - 2.0
}

impl Case {
    pub fn new(mut g: Graph, spec: Spec) -> Case {
        let program = lower(&mut g, &spec);
        let (mut params, mut dt, mut time) = (Vec::new(), None, None);
        for var in g.var_ids() {
            let info = g.var_info(var);
            let n = info.shape.iter().product::<usize>() as u64;
            match info.kind {
                VarKind::Param => {
                    let values = (0..n).map(|k| number(7 + u64::from(var.0), k)).collect();
                    params.push((var, Array::new(info.shape.clone(), values)));
                }
                VarKind::Dt => dt = Some(var),
                VarKind::Time => time = Some(var),
                _ => {}
            }
        }
        Case { g, spec, program, params, dt, time }
    }

    pub fn env(&self, step: usize) -> Env {
        let mut env: Env = self.params.iter().cloned().collect();
        if let Some(dt) = self.dt {
            env.set(dt, 0.125);
        }
        if let Some(time) = self.time {
            env.set(time, 0.125 * step as f64);
        }
        env
    }

    fn table(&self, slots: &[TableSlot], len: usize, step: usize) -> Vec<f64> {
        let mut table = vec![f64::NAN; len];
        for slot in slots {
            let value = eval(&self.g, slot.value, &self.env(step)).expect("table values have values");
            table[slot.offset..][..slot.len].copy_from_slice(&value.values);
        }
        table
    }

    /// Memory with numbers in it, on request some special ones.
    pub fn memory(&self, lanes: usize, steps: usize, seed: u64, specials: bool) -> Memory {
        let p = &self.program;
        let special = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 1e300, 5e-324, -1.0];
        let fill = |n: usize, salt: u64| -> Vec<f64> {
            (0..n as u64)
                .map(|k| match (seed + 5 * k + k / 7) % 41 {
                    0 if specials => special[(k / 41 % 8) as usize],
                    _ => number(seed + salt, k),
                })
                .collect()
        };
        let step = (0..steps).flat_map(|s| self.table(&p.step_table, p.step_len, s)).collect();
        Memory {
            lanes,
            steps,
            first_path: 10,
            first_step: 20,
            state: fill(p.state_rows * lanes, 1),
            out: vec![0.0; p.out_rows * lanes],
            run: self.table(&p.run_table, p.run_len, 0),
            step,
            noise: fill(steps * p.draw_rows * lanes, 2),
            scratch: vec![f64::NAN; p.scratch_rows * lanes],
        }
    }
}

impl Memory {
    /// The same numbers, rounded.
    pub fn rounded<T: Lane>(&self) -> Memory<T> {
        let rounded = |rows: &[f64]| rows.iter().map(|x| T::of(*x)).collect();
        Memory {
            lanes: self.lanes,
            steps: self.steps,
            first_path: self.first_path,
            first_step: self.first_step,
            state: rounded(&self.state),
            out: rounded(&self.out),
            run: self.run.clone(),
            step: self.step.clone(),
            noise: rounded(&self.noise),
            scratch: rounded(&self.scratch),
        }
    }
}

impl<T: Lane> Memory<T> {
    pub fn run(&mut self, code: &dyn Code<T>) {
        code.run(Block {
            lanes: self.lanes,
            steps: self.steps,
            state: &mut self.state,
            out: &mut self.out,
            run: &self.run,
            step: &self.step,
            noise: &self.noise,
            scratch: &mut self.scratch,
            first_path: self.first_path,
            first_step: self.first_step,
            key: (1, 2),
        });
    }

    /// Some of the lanes, from a step on.
    pub fn part(&self, p: &Program, lanes: std::ops::Range<usize>, steps: std::ops::Range<usize>) -> Memory<T> {
        let cut =
            |rows: &[T]| -> Vec<T> { rows.chunks(self.lanes).flat_map(|row| row[lanes.clone()].to_vec()).collect() };
        let draws = p.draw_rows * self.lanes;
        Memory {
            lanes: lanes.len(),
            steps: steps.len(),
            first_path: self.first_path + lanes.start as u64,
            first_step: self.first_step + steps.start as u64,
            state: cut(&self.state),
            out: cut(&self.out),
            run: self.run.clone(),
            step: self.step[steps.start * p.step_len..steps.end * p.step_len].to_vec(),
            noise: cut(&self.noise[steps.start * draws..steps.end * draws]),
            scratch: vec![T::of(f64::NAN); p.scratch_rows * lanes.len()],
        }
    }
}

/// Bits, with all NaN alike.
pub fn bits(x: f64) -> u64 {
    if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }
}

pub fn assert_same<T: Lane>(what: &str, a: &[T], b: &[T], program: &Program) {
    for (k, (x, y)) in a.iter().zip(b).enumerate() {
        assert!(bits(x.wide()) == bits(y.wide()), "{what}, number {k}: {x:e} and {y:e} in\n{program}");
    }
}

/// The back ends agree in both precisions, on whole blocks and on parts of them.
pub fn agree(case: &Case, seed: u64) {
    agree_in::<f64>(case, seed);
    agree_in::<f32>(case, seed);
}

fn agree_in<T: Lane>(case: &Case, seed: u64) {
    let p = &case.program.clone().at(T::PRECISION);
    crate::step::verify::verify(p).unwrap_or_else(|e| panic!("{e}\n{p}"));
    let code = cranelift::compile::<T>(p).unwrap_or_else(|e| panic!("{e}\n{p}"));
    agrees::<T>(case, seed, &*code);
    if let Some(code) = super::wide::compile::<T>(p) {
        agrees::<T>(case, seed, &*code);
    }
}

fn agrees<T: Lane>(case: &Case, seed: u64, code: &dyn Code<T>) {
    let p = &case.program.clone().at(T::PRECISION);
    let oracle = interpreter::Interpreter::new(p);
    let few = T::PRECISION.lane_multiple();
    let (lanes, steps) = (7 * few, 3);
    let start: Memory<T> = case.memory(lanes, steps, seed, true).rounded();
    let mut want = start.clone();
    want.run(&oracle);
    let mut have = start.clone();
    have.run(code);
    assert_same("state", &want.state, &have.state, p);
    assert_same("out", &want.out, &have.out, p);
    // few lanes at a time, one step at a time
    for first in (0..lanes).step_by(few) {
        let mut state = None;
        for step in 0..steps {
            let mut part = start.part(p, first..first + few, step..step + 1);
            if let Some(state) = state {
                part.state = state;
            }
            part.run(code);
            state = Some(part.state);
            if step + 1 == steps {
                let whole = want.part(p, first..first + few, 0..steps);
                assert_same("state of a part", &whole.state, state.as_ref().expect("set above"), p);
                assert_same("out of a part", &whole.out, &part.out, p);
            }
        }
    }
}

/// One step of the interpreter is close to what the evaluator says, where both are ordinary numbers.
pub fn near_eval(case: &Case, seed: u64, tolerance: f64) {
    let p = &case.program;
    let lanes = 8;
    let start = case.memory(lanes, 1, seed, false);
    let mut end = start.clone();
    end.run(&interpreter::Interpreter::new(p));
    for lane in 0..lanes {
        let mut env = case.env(0);
        let row = |rows: &[f64], first: usize, n: usize| -> Vec<f64> {
            (first..first + n).map(|r| rows[r * lanes + lane]).collect()
        };
        for s in &p.states {
            let n = s.shape.iter().product();
            env.set(s.var, Array::new(s.shape.clone(), row(&start.state, s.first_row, n)));
        }
        for d in &p.draws {
            let shape = case.g.var_info(d.var).shape.clone();
            env.set(d.var, Array::new(shape, row(&start.noise, d.first_row, d.components)));
        }
        let compare = |root: Id, have: Vec<f64>| {
            let want = eval(&case.g, root, &env).expect("a value").values;
            for (w, h) in want.iter().zip(&have) {
                let near = (w - h).abs() <= tolerance * (1.0 + w.abs());
                assert!(near || !w.is_finite(), "{w:e} and {h:e} in\n{p}");
            }
        };
        for (var, value) in &case.spec.renew {
            let slot = p.states.iter().find(|s| s.var == *var).expect("a state");
            compare(*value, row(&end.state, slot.first_row, slot.shape.iter().product()));
        }
        for (slot, value) in p.outs.iter().zip(&case.spec.outs) {
            compare(*value, row(&end.out, slot.first_row, slot.shape.iter().product()));
        }
    }
}

/// One step in single precision is close to one in double precision from the same numbers, where all stay in range.
fn near_double(case: &Case, seed: u64, tolerance: f64) {
    let p = &case.program;
    let mut single: Memory<f32> = case.memory(16, 1, seed, false).rounded();
    let mut double: Memory<f64> = case.memory(16, 1, seed, false);
    let widen = |rows: &[f32]| -> Vec<f64> { rows.iter().map(|x| f64::from(*x)).collect() };
    (double.state, double.noise) = (widen(&single.state), widen(&single.noise));
    double.run(&interpreter::Interpreter::new(p));
    single.run(&interpreter::Interpreter::new(&p.clone().at(Precision::Single)));
    let pairs = double.state.iter().zip(&single.state).chain(double.out.iter().zip(&single.out));
    for (w, h) in pairs {
        let near = (w - h.wide()).abs() <= tolerance * (1.0 + w.abs());
        assert!(near || !w.is_finite() || !h.wide().is_finite(), "{w:e} and {h:e} in\n{p}");
    }
}

pub fn normal(g: &mut Graph, name: &str, site: u32, shape: Vec<usize>) -> Id {
    let var = g.new_var(name, VarKind::Draw { base: Base::Normal, site, turn: 0 }, Ty::Real, shape);
    g.var(var)
}

/// Geometric Brownian motion by Euler's scheme.
pub fn gbm() -> Case {
    let mut g = Graph::new();
    let x = g.new_var("x", VarKind::State, Ty::Real, vec![]);
    let [mu, sigma] = ["mu", "sigma"].map(|n| g.new_var(n, VarKind::Param, Ty::Real, vec![]));
    let dt = g.new_var("dt", VarKind::Dt, Ty::Real, vec![]);
    let (xv, mu, sigma, dt) = (g.var(x), g.var(mu), g.var(sigma), g.var(dt));
    let z = normal(&mut g, "z", 0, vec![]);
    let root = g.op(Op::Sqrt, &[dt]);
    let dw = g.op(Op::Mul, &[root, z]);
    let drift = g.op(Op::Mul, &[mu, xv]);
    let drift = g.op(Op::Mul, &[drift, dt]);
    let noise = g.op(Op::Mul, &[sigma, xv]);
    let noise = g.op(Op::Mul, &[noise, dw]);
    let sum = g.op(Op::Add, &[xv, drift]);
    let sum = g.op(Op::Add, &[sum, noise]);
    Case::new(g, Spec { states: vec![x], renew: vec![(x, sum)], outs: vec![] })
}

/// Overdamped motion in a double well.
pub fn double_well() -> Case {
    let mut g = Graph::new();
    let x = g.new_var("x", VarKind::State, Ty::Real, vec![]);
    let sigma = g.new_var("sigma", VarKind::Param, Ty::Real, vec![]);
    let dt = g.new_var("dt", VarKind::Dt, Ty::Real, vec![]);
    let (xv, sigma, dt) = (g.var(x), g.var(sigma), g.var(dt));
    let z = normal(&mut g, "z", 0, vec![]);
    let root = g.op(Op::Sqrt, &[dt]);
    let dw = g.op(Op::Mul, &[root, z]);
    let three = g.int(3);
    let cube = g.op(Op::Powi, &[xv, three]);
    let force = g.op(Op::Sub, &[xv, cube]);
    let drift = g.op(Op::Mul, &[force, dt]);
    let noise = g.op(Op::Mul, &[sigma, dw]);
    let sum = g.op(Op::Add, &[xv, drift]);
    let sum = g.op(Op::Add, &[sum, noise]);
    Case::new(g, Spec { states: vec![x], renew: vec![(x, sum)], outs: vec![] })
}

#[test]
fn geometric_brownian_motion() {
    let case = gbm();
    agree(&case, 1);
    near_eval(&case, 1, 1e-14);
    near_double(&case, 1, 1e-6);
    // parameters and step are gathered outside: x*((1 + mu*dt) + (sigma*sqrt(dt))*z)
    assert_eq!(case.program.run_table.len() + case.program.step_table.len(), 2, "{}", case.program);
    assert_eq!(case.program.size(), 7, "{}", case.program);
    assert!(case.program.step_table.iter().all(|s| s.len == 1));
    let _ = Table::Run;
}

#[test]
fn a_double_well() {
    let case = double_well();
    agree(&case, 1);
    near_eval(&case, 1, 1e-14);
    near_double(&case, 1, 1e-6);
}

/// A random scalar model from numbers that choose operations and operands.
fn scalar_model(choices: &[(u8, u8, u8, u8)]) -> Case {
    let mut g = Graph::new();
    let states: Vec<VarId> = ["x", "y"].iter().map(|n| g.new_var(*n, VarKind::State, Ty::Real, vec![])).collect();
    let param = g.new_var("p", VarKind::Param, Ty::Real, vec![]);
    let dt = g.new_var("dt", VarKind::Dt, Ty::Real, vec![]);
    let time = g.new_var("t", VarKind::Time, Ty::Real, vec![]);
    let mut reals: Vec<Id> = states.iter().map(|s| g.var(*s)).collect();
    reals.push(normal(&mut g, "z", 0, vec![]));
    reals.push(normal(&mut g, "w", 1, vec![]));
    for var in [param, dt, time] {
        reals.push(g.var(var));
    }
    for c in [0.5, -1.0, 0.0, 1.0, 3.0] {
        reals.push(g.real(c));
    }
    let mut masks = Vec::new();
    for (op, a, b, c) in choices {
        random_op(&mut g, &mut reals, &mut masks, *op, [*a, *b, *c]);
    }
    let last = |k: usize| reals[reals.len() - 1 - k];
    let spec = Spec { renew: vec![(states[0], last(0)), (states[1], last(1))], states, outs: vec![last(2)] };
    Case::new(g, spec)
}

/// Appends a random operation on what there is.
fn random_op(g: &mut Graph, reals: &mut Vec<Id>, masks: &mut Vec<Id>, op: u8, args: [u8; 3]) {
    use Op::*;
    let pick = |from: &[Id], k: u8| from[from.len() - 1 - k as usize % from.len().min(12)];
    let [x, y, z] = args.map(|k| pick(reals, k));
    let binary = [Add, Sub, Mul, Div, Add, Sub, Mul, Mul, Min, Max, Mod, Pow, Atan2];
    let unary = [Neg, Abs, Sign, Floor, Ceil, Sqrt, Exp, Log, Sin, Cos, Tanh, Sigmoid, Softplus, StopGrad];
    let new = match op {
        0..=119 => g.op(binary[op as usize % binary.len()], &[x, y]),
        120..=189 => g.op(unary[op as usize % unary.len()], &[x]),
        190..=209 => {
            let n = g.int(i64::from(args[1] % 9) - 2);
            g.op(Powi, &[x, n])
        }
        210..=229 if !masks.is_empty() => {
            let m = pick(masks, args[2]);
            g.op(Select, &[m, x, y])
        }
        230..=235 if !masks.is_empty() => {
            let m = pick(masks, args[0]);
            g.op(ToReal, &[m])
        }
        236..=240 if !masks.is_empty() => {
            let (m, n) = (pick(masks, args[0]), pick(masks, args[1]));
            let m = match op % 3 {
                0 => g.op(And, &[m, n]),
                1 => g.op(Or, &[m, n]),
                _ => g.op(Not, &[m]),
            };
            masks.push(m);
            g.op(Select, &[m, y, z])
        }
        _ => {
            let m = g.op([Lt, Le, Eq, Ne][op as usize % 4], &[x, y]);
            masks.push(m);
            g.op(Select, &[m, y, z])
        }
    };
    reals.push(new);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn random_scalar_models(choices in prop::collection::vec(any::<(u8, u8, u8, u8)>(), 1..60), seed in 0u64..1000) {
        agree(&scalar_model(&choices), seed);
    }

    /// Small programs, so that rounding errors stay small against the tolerance.
    #[test]
    fn random_scalar_models_mean_what_they_say(
        choices in prop::collection::vec((0u8..80, any::<u8>(), any::<u8>(), any::<u8>()), 1..5), seed in 0u64..1000,
    ) {
        // no floor, modulus or comparison: they make small differences large
        let smooth: Vec<_> = choices.iter().filter(|c| !matches!(c.0 % 13, 3 | 10 | 11)).copied().collect();
        prop_assume!(!smooth.is_empty());
        near_eval(&scalar_model(&smooth), seed, 1e-12);
        near_double(&scalar_model(&smooth), seed, 1e-3);
    }
}

/// A ring of sites that feel their neighbours, one step of Euler's scheme.
pub fn ring(n: usize) -> Case {
    let mut g = Graph::new();
    let phi = g.new_var("phi", VarKind::State, Ty::Real, vec![n]);
    let dt = g.new_var("dt", VarKind::Dt, Ty::Real, vec![]);
    let (x, dt) = (g.var(phi), g.var(dt));
    let z = normal(&mut g, "z", 0, vec![n]);
    let i = g.fresh_index(n);
    let ii = g.index(i);
    let at = |g: &mut Graph, d: i64| {
        let (d, n) = (g.int(d), g.int(n as i64));
        let k = g.op(Op::Add, &[ii, d]);
        let k = g.op(Op::Mod, &[k, n]);
        g.get(x, &[k])
    };
    let here = g.get(x, &[ii]);
    let (left, right) = (at(&mut g, -1), at(&mut g, 1));
    let two = g.real(2.0);
    let pull = g.op(Op::Add, &[left, right]);
    let twice = g.op(Op::Mul, &[two, here]);
    let pull = g.op(Op::Sub, &[pull, twice]);
    let three = g.int(3);
    let cube = g.op(Op::Powi, &[here, three]);
    let force = g.op(Op::Sub, &[pull, cube]);
    let force = g.op(Op::Add, &[force, here]);
    let drift = g.op(Op::Mul, &[dt, force]);
    let root = g.op(Op::Sqrt, &[dt]);
    let zi = g.get(z, &[ii]);
    let kick = g.op(Op::Mul, &[root, zi]);
    let sum = g.op(Op::Add, &[here, drift]);
    let sum = g.op(Op::Add, &[sum, kick]);
    let next = g.map(&[i], sum);
    Case::new(g, Spec { states: vec![phi], renew: vec![(phi, next)], outs: vec![] })
}

#[test]
fn neighbours_see_old_values() {
    for n in [1, 2, 3, 5, 17, 40, 64] {
        let case = ring(n);
        agree(&case, n as u64);
        near_eval(&case, 3, 1e-13);
        near_double(&case, 3, 1e-5);
    }
}

/// Draws with parameters: one from a state, an array of them, and one with an array as its parameter.
#[test]
fn draws_with_parameters() {
    for n in [3, 20] {
        let mut g = Graph::new();
        let states = [vec![], vec![n], vec![]].map(|shape| g.new_var("x", VarKind::State, Ty::Real, shape));
        let [x, y, k] = states.map(|s| g.var(s));
        let size = g.op(Op::Abs, &[x]);
        let law = |g: &mut Graph, sampler, params, site, shape: &[usize]| {
            let kind = VarKind::Draw { base: Base::Law(sampler, params), site, turn: 1 };
            let var = g.new_var("draw", kind, Ty::Real, shape.to_vec());
            g.var(var)
        };
        let gamma = law(&mut g, Sampler::Gamma, vec![size], 3, &[]);
        let i = g.fresh_index(n);
        let ii = g.index(i);
        let yi = g.get(y, &[ii]);
        let rate = g.op(Op::Exp, &[yi]);
        let rates = g.map(&[i], rate);
        let counts = law(&mut g, Sampler::Poisson, vec![rates], 4, &[n]);
        let ci = g.get(counts, &[ii]);
        let next = g.op(Op::Sub, &[ci, yi]);
        let next = g.map(&[i], next);
        let pick = law(&mut g, Sampler::Categorical, vec![rates], 5, &[]);
        let sum = g.op(Op::Add, &[pick, k]);
        let renew = vec![(states[0], gamma), (states[1], next), (states[2], sum)];
        let case = Case::new(g, Spec { states: states.to_vec(), renew, outs: vec![] });
        agree(&case, 5);
        let mut memory = case.memory(8, 1, 5, false);
        let weights: Vec<f64> = (0..n).map(|k| memory.state[(1 + k) * 8].exp()).collect();
        let old = memory.state[(1 + n) * 8];
        memory.run(&interpreter::Interpreter::new(&case.program));
        let key = crate::kernels::normal::Key { seed: 1, stream: 2 };
        let coord = crate::kernels::normal::Coord { path: 10, step: 20, site: 5, component: 0, turn: 1 };
        let want = crate::kernels::dist::sample_discrete(key, coord, &weights);
        assert_eq!(memory.state[(1 + n) * 8], want + old);
    }
}

#[test]
fn a_large_lattice_compiles_quickly() {
    let start = std::time::Instant::now();
    let case = ring(1600);
    cranelift::compile::<f64>(&case.program).expect("it compiles");
    println!("{:?}\n{}", start.elapsed(), case.program);
    assert!(case.program.size() < 40, "{}", case.program);
}
