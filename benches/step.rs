//! Time of compiled steps without the filling of noise, in nanoseconds for one step of one path, beside a loop written
//! by hand. `cargo bench --bench step`

use std::hint::black_box;
use std::time::Instant;

use fokker::backend::{Block, Code, cranelift, interpreter::Interpreter, wide};
use fokker::math::{Base, Graph, Id, Op, Ty, VarId, VarKind};
use fokker::step::{Program, Spec, lower};

const LANES: usize = 64;
const STEPS: usize = 64;

/// The least time of a run of `f`, over many.
fn best(mut f: impl FnMut(), repeats: usize) -> f64 {
    let mut least = f64::INFINITY;
    for _ in 0..repeats {
        let start = Instant::now();
        f();
        least = least.min(start.elapsed().as_secs_f64());
    }
    least
}

/// Numbers that begin where a line of the cache begins.
struct Rows {
    all: Vec<f64>,
    first: usize,
    len: usize,
}

impl Rows {
    fn new(len: usize, f: impl Fn(usize) -> f64) -> Rows {
        let mut all = vec![0.0; len + 8];
        let first = all.as_ptr().align_offset(64);
        (0..len).for_each(|k| all[first + k] = f(k));
        Rows { all, first, len }
    }

    fn get(&mut self) -> &mut [f64] {
        &mut self.all[self.first..self.first + self.len]
    }
}

struct Memory {
    lanes: usize,
    steps: usize,
    state: Rows,
    out: Rows,
    run: Rows,
    step: Rows,
    noise: Rows,
    scratch: Rows,
}

impl Memory {
    fn new(p: &Program, lanes: usize, steps: usize) -> Memory {
        Memory {
            lanes,
            steps,
            state: Rows::new(p.state_rows * lanes, |_| 0.5),
            out: Rows::new(p.out_rows * lanes, |_| 0.0),
            run: Rows::new(p.run_len, |_| 0.01),
            step: Rows::new(p.step_len * steps, |_| 0.01),
            noise: Rows::new(steps * p.draw_rows * lanes, |k| ((k * 7919) % 1000) as f64 / 500.0 - 1.0),
            scratch: Rows::new(p.scratch_rows * lanes, |_| 0.0),
        }
    }

    fn run(&mut self, code: &dyn Code) {
        code.run(Block {
            lanes: self.lanes,
            steps: self.steps,
            state: self.state.get(),
            out: self.out.get(),
            run: self.run.get(),
            step: self.step.get(),
            noise: self.noise.get(),
            scratch: self.scratch.get(),
            first_path: 0,
            first_step: 0,
            key: (0, 0),
        });
    }
}

/// Fewer runs of what takes long.
fn repeats(program: &Program) -> usize {
    if program.state_rows > 8 { 100 } else { 2000 }
}

/// The least times of codes that take turns, so that a busy machine slows all alike.
fn race(program: &Program, codes: &[&dyn Code], lanes: usize) -> Vec<f64> {
    let mut memories: Vec<Memory> = codes.iter().map(|_| Memory::new(program, lanes, STEPS)).collect();
    let mut least = vec![f64::INFINITY; codes.len()];
    for _ in 0..repeats(program) {
        for ((code, memory), least) in codes.iter().zip(&mut memories).zip(&mut least) {
            *least = least.min(best(|| memory.run(black_box(*code)), 1));
        }
    }
    least.into_iter().map(|t| t * 1e9 / (lanes * STEPS) as f64).collect()
}

fn measure(name: &str, program: &Program, lanes: usize, by_hand: Option<f64>) {
    let start = Instant::now();
    let narrow = cranelift::compile(program).expect("a program compiles");
    let compile = start.elapsed().as_secs_f64() * 1e3;
    let start = Instant::now();
    let wide = wide::compile(program);
    let compile_wide = start.elapsed().as_secs_f64() * 1e3;
    let codes: Vec<&dyn Code> = std::iter::once(&*narrow).chain(wide.as_deref()).collect();
    let ns = race(program, &codes, lanes);
    let mut memory = Memory::new(program, lanes, STEPS);
    let oracle = Interpreter::new(program);
    let slow = best(|| memory.run(black_box(&oracle)), repeats(program) / 100) * 1e9 / (lanes * STEPS) as f64;
    let by_hand = by_hand.map_or(String::new(), |t| format!(", by hand {t:.3}"));
    let (narrow, wide) = (ns[0], ns.get(1).copied().unwrap_or(f64::NAN));
    println!(
        "{name:29} cranelift {narrow:8.3} ns, avx2 {wide:8.3} ns ({:.2}), interpreter {slow:.1}{by_hand}; \
         compiled in {compile:.2} and {compile_wide:.2} ms",
        narrow / wide
    );
}

fn normal(g: &mut Graph, site: u32) -> Id {
    let z = g.new_var("z", VarKind::Draw { base: Base::Normal, site, turn: 0 }, Ty::Real, vec![]);
    g.var(z)
}

fn gbm() -> Program {
    let mut g = Graph::new();
    let x = g.new_var("x", VarKind::State, Ty::Real, vec![]);
    let [mu, sigma] = ["mu", "sigma"].map(|n| g.new_var(n, VarKind::Param, Ty::Real, vec![]));
    let dt = g.new_var("dt", VarKind::Dt, Ty::Real, vec![]);
    let (xv, mu, sigma, dt) = (g.var(x), g.var(mu), g.var(sigma), g.var(dt));
    let z = normal(&mut g, 0);
    let root = g.op(Op::Sqrt, &[dt]);
    let dw = g.op(Op::Mul, &[root, z]);
    let drift = g.op(Op::Mul, &[mu, xv]);
    let drift = g.op(Op::Mul, &[drift, dt]);
    let noise = g.op(Op::Mul, &[sigma, xv]);
    let noise = g.op(Op::Mul, &[noise, dw]);
    let sum = g.op(Op::Add, &[xv, drift]);
    let sum = g.op(Op::Add, &[sum, noise]);
    lower(&mut g, &Spec { states: vec![x], renew: vec![(x, sum)], outs: vec![] })
}

fn double_well() -> Program {
    let mut g = Graph::new();
    let x = g.new_var("x", VarKind::State, Ty::Real, vec![]);
    let sigma = g.new_var("sigma", VarKind::Param, Ty::Real, vec![]);
    let dt = g.new_var("dt", VarKind::Dt, Ty::Real, vec![]);
    let (xv, sigma, dt) = (g.var(x), g.var(sigma), g.var(dt));
    let z = normal(&mut g, 0);
    let root = g.op(Op::Sqrt, &[dt]);
    let dw = g.op(Op::Mul, &[root, z]);
    let three = g.int(3);
    let cube = g.op(Op::Powi, &[xv, three]);
    let force = g.op(Op::Sub, &[xv, cube]);
    let drift = g.op(Op::Mul, &[force, dt]);
    let noise = g.op(Op::Mul, &[sigma, dw]);
    let sum = g.op(Op::Add, &[xv, drift]);
    let sum = g.op(Op::Add, &[sum, noise]);
    lower(&mut g, &Spec { states: vec![x], renew: vec![(x, sum)], outs: vec![] })
}

/// Sums and products without ceremony.
struct Terms {
    g: Graph,
}

impl Terms {
    fn sum(&mut self, terms: &[Id]) -> Id {
        let mut sum = terms[0];
        for t in &terms[1..] {
            sum = self.g.op(Op::Add, &[sum, *t]);
        }
        sum
    }

    fn product(&mut self, factors: &[Id]) -> Id {
        let mut product = factors[0];
        for f in &factors[1..] {
            product = self.g.op(Op::Mul, &[product, *f]);
        }
        product
    }

    fn sub(&mut self, a: Id, b: Id) -> Id {
        self.g.op(Op::Sub, &[a, b])
    }

    fn var(&mut self, name: &str, kind: VarKind) -> (VarId, Id) {
        let var = self.g.new_var(name, kind, Ty::Real, vec![]);
        (var, self.g.var(var))
    }
}

/// The Lorenz system with additive noise by Heun's scheme.
fn lorenz() -> Program {
    let mut t = Terms { g: Graph::new() };
    let states: Vec<(VarId, Id)> = ["x", "y", "z"].map(|n| t.var(n, VarKind::State)).to_vec();
    let [sigma, rho, beta, noise] = ["sigma", "rho", "beta", "noise"].map(|n| t.var(n, VarKind::Param).1);
    let (_, dt) = t.var("dt", VarKind::Dt);
    let half = t.g.real(0.5);
    let root = t.g.op(Op::Sqrt, &[dt]);
    let kicks: Vec<Id> = (0..3)
        .map(|k| {
            let z = normal(&mut t.g, k);
            t.product(&[noise, root, z])
        })
        .collect();
    let drift = |t: &mut Terms, s: &[Id]| {
        let d = t.sub(s[1], s[0]);
        let a = t.product(&[sigma, d]);
        let d = t.sub(rho, s[2]);
        let d = t.product(&[s[0], d]);
        let b = t.sub(d, s[1]);
        let xy = t.product(&[s[0], s[1]]);
        let bz = t.product(&[beta, s[2]]);
        [a, b, t.sub(xy, bz)]
    };
    let old: Vec<Id> = states.iter().map(|s| s.1).collect();
    let first = drift(&mut t, &old);
    let predicted: Vec<Id> = (0..3)
        .map(|k| {
            let step = t.product(&[first[k], dt]);
            t.sum(&[old[k], step, kicks[k]])
        })
        .collect();
    let second = drift(&mut t, &predicted);
    let renew = (0..3)
        .map(|k| {
            let both = t.sum(&[first[k], second[k]]);
            let step = t.product(&[half, dt, both]);
            (states[k].0, t.sum(&[old[k], step, kicks[k]]))
        })
        .collect();
    lower(&mut t.g, &Spec { states: states.iter().map(|s| s.0).collect(), renew, outs: vec![] })
}

/// Heston's model, log price and full truncation, by Euler's scheme.
fn heston() -> Program {
    let mut t = Terms { g: Graph::new() };
    let [(x, xv), (v, vv)] = ["x", "v"].map(|n| t.var(n, VarKind::State));
    let [mu, kappa, theta, xi, rho, rho2] =
        ["mu", "kappa", "theta", "xi", "rho", "rho2"].map(|n| t.var(n, VarKind::Param).1);
    let (_, dt) = t.var("dt", VarKind::Dt);
    let [z1, z2] = [0, 1].map(|k| normal(&mut t.g, k));
    let (zero, half) = (t.g.real(0.0), t.g.real(0.5));
    let plus = t.g.op(Op::Max, &[vv, zero]);
    let root = t.g.op(Op::Sqrt, &[plus]);
    let rdt = t.g.op(Op::Sqrt, &[dt]);
    let a = t.product(&[half, plus]);
    let a = t.sub(mu, a);
    let a = t.product(&[a, dt]);
    let b = t.product(&[root, rdt, z1]);
    let x1 = t.sum(&[xv, a, b]);
    let a = t.sub(theta, plus);
    let a = t.product(&[kappa, a, dt]);
    let (p, q) = (t.product(&[rho, z1]), t.product(&[rho2, z2]));
    let w = t.sum(&[p, q]);
    let b = t.product(&[xi, root, rdt, w]);
    let v1 = t.sum(&[vv, a, b]);
    lower(&mut t.g, &Spec { states: vec![x, v], renew: vec![(x, x1), (v, v1)], outs: vec![] })
}

/// Langevin in a mixture of eight Gaussians in the plane: the score is a softmax.
fn mixture() -> Program {
    use fokker::math::Red;
    let mut t = Terms { g: Graph::new() };
    let x = t.g.new_var("x", VarKind::State, Ty::Real, vec![2]);
    let xv = t.g.var(x);
    let m = t.g.new_var("m", VarKind::Param, Ty::Real, vec![8, 2]);
    let w = t.g.new_var("w", VarKind::Param, Ty::Real, vec![8]);
    let (m, w) = (t.g.var(m), t.g.var(w));
    let (_, s) = t.var("s", VarKind::Param);
    let (_, dt) = t.var("dt", VarKind::Dt);
    let z = t.g.new_var("z", VarKind::Draw { base: Base::Normal, site: 0, turn: 0 }, Ty::Real, vec![2]);
    let z = t.g.var(z);
    let (two, half) = (t.g.int(2), t.g.real(0.5));
    let variance = t.product(&[s, s]);
    let exponent = |t: &mut Terms, k: Id| {
        let d = t.g.fresh_index(2);
        let di = t.g.index(d);
        let (a, b) = (t.g.get(xv, &[di]), t.g.get(m, &[k, di]));
        let diff = t.sub(a, b);
        let square = t.g.op(Op::Powi, &[diff, two]);
        let r = t.g.reduce(Red::Sum, &[d], square);
        let r = t.product(&[half, r]);
        let r = t.g.op(Op::Div, &[r, variance]);
        let wk = t.g.get(w, &[k]);
        t.sub(wk, r)
    };
    let k = t.g.fresh_index(8);
    let ki = t.g.index(k);
    let e = exponent(&mut t, ki);
    let whole = t.g.reduce(Red::LogSumExp, &[k], e);
    let i = t.g.fresh_index(2);
    let ii = t.g.index(i);
    let k = t.g.fresh_index(8);
    let ki = t.g.index(k);
    let e = exponent(&mut t, ki);
    let p = t.sub(e, whole);
    let p = t.g.op(Op::Exp, &[p]);
    let (xi, mi) = (t.g.get(xv, &[ii]), t.g.get(m, &[ki, ii]));
    let d = t.sub(mi, xi);
    let d = t.product(&[p, d]);
    let d = t.g.op(Op::Div, &[d, variance]);
    let score = t.g.reduce(Red::Sum, &[k], d);
    let drift = t.product(&[half, dt, score]);
    let root = t.g.op(Op::Sqrt, &[dt]);
    let zi = t.g.get(z, &[ii]);
    let kick = t.product(&[root, zi]);
    let next = t.sum(&[xi, drift, kick]);
    let next = t.g.map(&[i], next);
    lower(&mut t.g, &Spec { states: vec![x], renew: vec![(x, next)], outs: vec![] })
}

/// Underdamped motion of a phi^4 ring by BAOAB; the arrays between the half steps are maps of their own.
fn ring(n: usize) -> Program {
    let mut t = Terms { g: Graph::new() };
    let [q, p] = ["q", "p"].map(|name| t.g.new_var(name, VarKind::State, Ty::Real, vec![n]));
    let (_, dt) = t.var("dt", VarKind::Dt);
    let (_, gamma) = t.var("gamma", VarKind::Param);
    let z = t.g.new_var("z", VarKind::Draw { base: Base::Normal, site: 0, turn: 0 }, Ty::Real, vec![n]);
    let (qv, pv, z) = (t.g.var(q), t.g.var(p), t.g.var(z));
    let (half, one) = (t.g.real(0.5), t.g.real(1.0));
    let h = t.product(&[half, dt]);
    let friction = t.product(&[gamma, dt]);
    let friction = t.g.op(Op::Neg, &[friction]);
    let keep = t.g.op(Op::Exp, &[friction]);
    let square = t.product(&[keep, keep]);
    let rest = t.sub(one, square);
    let rest = t.g.op(Op::Sqrt, &[rest]);
    let i = t.g.fresh_index(n);
    let ii = t.g.index(i);
    let kick = |t: &mut Terms, p: Id, q: Id| {
        let shifted = |t: &mut Terms, d: i64| {
            let (d, n) = (t.g.int(d), t.g.int(n as i64));
            let k = t.g.op(Op::Add, &[ii, d]);
            let k = t.g.op(Op::Mod, &[k, n]);
            t.g.get(q, &[k])
        };
        let (left, right, here) = (shifted(t, -1), shifted(t, 1), t.g.get(q, &[ii]));
        let (two, three) = (t.g.real(2.0), t.g.int(3));
        let cube = t.g.op(Op::Powi, &[here, three]);
        let sides = t.sum(&[left, right]);
        let twice = t.product(&[two, here]);
        let force = t.sub(sides, twice);
        let force = t.sub(force, cube);
        let force = t.sum(&[force, here]);
        let pi = t.g.get(p, &[ii]);
        let step = t.product(&[h, force]);
        let body = t.sum(&[pi, step]);
        t.g.map(&[i], body)
    };
    let drift = |t: &mut Terms, q: Id, p: Id| {
        let (qi, pi) = (t.g.get(q, &[ii]), t.g.get(p, &[ii]));
        let step = t.product(&[h, pi]);
        let body = t.sum(&[qi, step]);
        t.g.map(&[i], body)
    };
    let p1 = kick(&mut t, pv, qv);
    let q1 = drift(&mut t, qv, p1);
    let (pi, zi) = (t.g.get(p1, &[ii]), t.g.get(z, &[ii]));
    let (a, b) = (t.product(&[keep, pi]), t.product(&[rest, zi]));
    let body = t.sum(&[a, b]);
    let p2 = t.g.map(&[i], body);
    let q2 = drift(&mut t, q1, p2);
    let p3 = kick(&mut t, p2, q2);
    lower(&mut t.g, &Spec { states: vec![q, p], renew: vec![(q, q2), (p, p3)], outs: vec![] })
}

/// Langevin in the posterior of a logistic regression with `n` rows and `k` coefficients.
fn logistic(n: usize, k: usize) -> Program {
    use fokker::math::Red;
    let mut t = Terms { g: Graph::new() };
    let beta = t.g.new_var("beta", VarKind::State, Ty::Real, vec![k]);
    let values: Vec<f64> = (0..n * k).map(|j| ((j * 7919) % 1000) as f64 / 500.0 - 1.0).collect();
    let x = t.g.new_data("x", vec![n, k], values.into());
    let y = t.g.new_data("y", vec![n], (0..n).map(|j| (j % 2) as f64).collect::<Vec<_>>().into());
    let (_, dt) = t.var("dt", VarKind::Dt);
    let z = t.g.new_var("z", VarKind::Draw { base: Base::Normal, site: 0, turn: 0 }, Ty::Real, vec![k]);
    let (b, x, y, z) = (t.g.var(beta), t.g.data_node(x), t.g.data_node(y), t.g.var(z));
    let (row, col) = (t.g.fresh_index(n), t.g.fresh_index(k));
    let (ri, ci) = (t.g.index(row), t.g.index(col));
    let (xe, be) = (t.g.get(x, &[ri, ci]), t.g.get(b, &[ci]));
    let term = t.product(&[xe, be]);
    let line = t.g.reduce(Red::Sum, &[col], term);
    let p = t.g.op(Op::Sigmoid, &[line]);
    let ye = t.g.get(y, &[ri]);
    let r = t.sub(ye, p);
    let residual = t.g.map(&[row], r);
    let re = t.g.get(residual, &[ri]);
    let term = t.product(&[xe, re]);
    let score = t.g.reduce(Red::Sum, &[row], term);
    let score = t.sub(score, be);
    let step = t.product(&[dt, score]);
    let root = t.g.op(Op::Sqrt, &[dt]);
    let zi = t.g.get(z, &[ci]);
    let kick = t.product(&[root, zi]);
    let body = t.sum(&[be, step, kick]);
    let next = t.g.map(&[col], body);
    lower(&mut t.g, &Spec { states: vec![beta], renew: vec![(beta, next)], outs: vec![] })
}

/// A step over a block by hand: sixteen lanes in registers, all steps.
macro_rules! by_hand {
    ($name:ident, |$x:ident, $z:ident, $a:ident, $b:ident| $next:expr) => {
        #[cfg_attr(target_arch = "x86_64", target_feature(enable = "avx2,fma"))]
        fn $name(state: &mut [f64], noise: &[f64], $a: f64, $b: f64) {
            for (group, lanes) in state.chunks_exact_mut(16).enumerate() {
                let mut x: [f64; 16] = lanes.try_into().expect("sixteen lanes");
                for row in noise.chunks_exact(LANES) {
                    let z: &[f64; 16] = row[16 * group..][..16].try_into().expect("sixteen draws");
                    for k in 0..16 {
                        let ($x, $z) = (x[k], z[k]);
                        x[k] = $next;
                    }
                }
                lanes.copy_from_slice(&x);
            }
        }
    };
}

by_hand!(gbm_by_hand, |x, z, a, b| f64::mul_add(b, x * z, f64::mul_add(x, a, x)));
by_hand!(well_by_hand, |x, z, a, b| f64::mul_add(b, z, f64::mul_add(a, f64::mul_add(-x, x * x, x), x)));

fn time_by_hand(f: impl Fn(&mut [f64], &[f64])) -> f64 {
    let mut state = vec![0.5; LANES];
    let noise: Vec<f64> = (0..STEPS * LANES).map(|k| ((k * 7919) % 1000) as f64 / 500.0 - 1.0).collect();
    best(|| f(black_box(&mut state), black_box(&noise)), 2000) * 1e9 / (LANES * STEPS) as f64
}

fn main() {
    // SAFETY: the loops by hand need AVX2 and FMA on x86-64, which is asked first
    #[cfg(target_arch = "x86_64")]
    assert!(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"), "a machine with AVX2");
    let hand = time_by_hand(|state, noise| unsafe { gbm_by_hand(state, noise, 0.01, 0.01) });
    measure("gbm, euler", &gbm(), LANES, Some(hand));
    let hand = time_by_hand(|state, noise| unsafe { well_by_hand(state, noise, 0.01, 0.01) });
    measure("double well, langevin", &double_well(), LANES, Some(hand));
    measure("lorenz, heun", &lorenz(), LANES, None);
    measure("heston, euler", &heston(), LANES, None);
    measure("mixture of 8, langevin", &mixture(), LANES, None);
    for lanes in [8, 16, 64] {
        measure(&format!("phi^4, 64 sites, {lanes} lanes"), &ring(64), lanes, None);
    }
    measure("phi^4, 1600 sites", &ring(1600), 8, None);
    for lanes in [8, 32] {
        measure(&format!("logistic, 569 x 31, {lanes} lanes"), &logistic(569, 31), lanes, None);
    }
    if std::env::args().any(|a| a == "--text") {
        for program in [lorenz(), heston(), mixture(), ring(64), logistic(569, 31)] {
            println!("{program}\n{}", wide::text(&program).unwrap_or_default());
        }
    }
}
