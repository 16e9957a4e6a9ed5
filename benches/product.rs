//! Time of steps that are matrix products for the most part, beside the same step written by hand with register tiles
//! and the library's elementary functions. Both are timed in turn; the least times are compared.
//! `cargo bench --bench product`

use std::hint::black_box;
use std::time::Instant;

use fokker::backend::{Block, Code, cranelift};
use fokker::kernels::table::{Kernel, KernelFn};
use fokker::math::{Base, Graph, Id, Op, Red, Ty, VarId, VarKind};
use fokker::step::{Program, Spec, lower};

const LANES: usize = 64;
const STEPS: usize = 4;
/// Lanes that the loops by hand work on at once: two vectors of AVX2.
const PANEL: usize = 8;

/// A model with data, ready for a step.
struct Model {
    g: Graph,
    dt: Id,
}

impl Model {
    fn new() -> Model {
        let mut g = Graph::new();
        let dt = g.new_var("dt", VarKind::Dt, Ty::Real, vec![]);
        let dt = g.var(dt);
        Model { g, dt }
    }

    fn data(&mut self, name: &str, shape: &[usize]) -> Id {
        let data = self.g.new_data(name, shape.to_vec(), numbers(shape.iter().product()).into());
        self.g.data_node(data)
    }

    fn op(&mut self, op: Op, args: &[Id]) -> Id {
        self.g.op(op, args)
    }

    /// The sum of `a[i, j]*x[j]`, or of `a[j, i]*x[j]`, for an index `i`.
    fn product(&mut self, a: Id, x: Id, at: Id, turned: bool) -> Id {
        let n = self.g.shape(x)[0];
        let j = self.g.fresh_index(n);
        let jj = self.g.index(j);
        let place = if turned { [jj, at] } else { [at, jj] };
        let (a, x) = (self.g.get(a, &place), self.g.get(x, &[jj]));
        let term = self.op(Op::Mul, &[a, x]);
        self.g.reduce(Red::Sum, &[j], term)
    }

    fn map(&mut self, n: usize, body: impl FnOnce(&mut Model, Id) -> Id) -> Id {
        let i = self.g.fresh_index(n);
        let ii = self.g.index(i);
        let body = body(self, ii);
        self.g.map(&[i], body)
    }

    /// One step of the Langevin equation by Euler's scheme for the given score at an index.
    fn step(mut self, x: VarId, score: impl FnOnce(&mut Model, Id) -> Id) -> Program {
        let n = self.g.var_info(x).shape[0];
        let z = VarKind::Draw { base: Base::Normal, site: 0, turn: 0 };
        let z = self.g.new_var("z", z, Ty::Real, vec![n]);
        let (xv, z, dt) = (self.g.var(x), self.g.var(z), self.dt);
        let next = self.map(n, |m, i| {
            let (xi, zi) = (m.g.get(xv, &[i]), m.g.get(z, &[i]));
            let score = score(m, i);
            let drift = m.op(Op::Mul, &[dt, score]);
            let root = m.op(Op::Sqrt, &[dt]);
            let kick = m.op(Op::Mul, &[root, zi]);
            let sum = m.op(Op::Add, &[xi, drift]);
            m.op(Op::Add, &[sum, kick])
        });
        lower(&mut self.g, &Spec { states: vec![x], renew: vec![(x, next)], outs: vec![] })
    }
}

fn numbers(n: usize) -> Vec<f64> {
    (0..n).map(|k| ((k * 7919) % 1000) as f64 / 5000.0 - 0.1).collect()
}

/// The posterior of a logistic regression with `n` rows and `k` coefficients.
fn logistic(n: usize, k: usize) -> Program {
    let mut m = Model::new();
    let beta = m.g.new_var("beta", VarKind::State, Ty::Real, vec![k]);
    let (x, y, b) = (m.data("x", &[n, k]), m.data("y", &[n]), m.g.var(beta));
    let residual = m.map(n, |m, i| {
        let line = m.product(x, b, i, false);
        let p = m.op(Op::Sigmoid, &[line]);
        let yi = m.g.get(y, &[i]);
        m.op(Op::Sub, &[yi, p])
    });
    m.step(beta, |m, i| {
        let score = m.product(x, residual, i, true);
        let bi = m.g.get(b, &[i]);
        m.op(Op::Sub, &[score, bi])
    })
}

/// A Gaussian density: minus the precision matrix times the state.
fn quadratic(n: usize) -> Program {
    let mut m = Model::new();
    let x = m.g.new_var("x", VarKind::State, Ty::Real, vec![n]);
    let (k, xv) = (m.data("k", &[n, n]), m.g.var(x));
    m.step(x, |m, i| {
        let force = m.product(k, xv, i, false);
        m.op(Op::Neg, &[force])
    })
}

/// A drift by a network of two hidden layers.
fn network(n: usize) -> Program {
    let mut m = Model::new();
    let x = m.g.new_var("x", VarKind::State, Ty::Real, vec![n]);
    let weights = ["a", "b", "c"].map(|name| m.data(name, &[n, n]));
    let mut layer = m.g.var(x);
    for w in &weights[..2] {
        let input = layer;
        layer = m.map(n, |m, i| {
            let sum = m.product(*w, input, i, false);
            m.op(Op::Tanh, &[sum])
        });
    }
    m.step(x, |m, i| m.product(weights[2], layer, i, false))
}

/// Memory of a block in the form that both the code and the loops by hand take.
struct Memory {
    state: Vec<f64>,
    out: Vec<f64>,
    run: Vec<f64>,
    step: Vec<f64>,
    noise: Vec<f64>,
    scratch: Vec<f64>,
}

impl Memory {
    fn new(p: &Program) -> Memory {
        Memory {
            state: numbers(p.state_rows * LANES),
            out: vec![0.0; p.out_rows * LANES],
            run: numbers(p.run_len),
            step: vec![0.01; p.step_len * STEPS],
            noise: numbers(STEPS * p.draw_rows * LANES),
            scratch: vec![0.0; p.scratch_rows * LANES],
        }
    }

    fn run(&mut self, code: &dyn Code) {
        code.run(Block {
            lanes: LANES,
            steps: STEPS,
            state: &mut self.state,
            out: &mut self.out,
            run: &self.run,
            step: &self.step,
            noise: &self.noise,
            scratch: &mut self.scratch,
            first_path: 0,
            first_step: 0,
            key: (0, 0),
        });
    }
}

/// What the loops by hand work on: some matrices, the states of a panel of lanes, room for the layers between.
struct Hand {
    matrices: Vec<Vec<f64>>,
    y: Vec<f64>,
    /// `[panels][rows][PANEL]`
    state: Vec<f64>,
    noise: Vec<f64>,
    layers: Vec<Vec<f64>>,
}

// an index runs over several arrays at once
#[allow(clippy::needless_range_loop)]
#[cfg(target_arch = "x86_64")]
mod by_hand {
    use super::*;
    use std::arch::x86_64::*;

    /// `R` rows of `out (+)= a*x` at one panel of lanes; steps of `a` along rows and terms.
    ///
    /// # Safety
    /// `a` has `R` rows of `terms` numbers, `x` has `terms` rows of a panel, `out` has `R`.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn tile<const R: usize, const ADD: bool>(
        a: *const f64,
        [down, across]: [usize; 2],
        x: *const f64,
        terms: usize,
        out: *mut f64,
    ) {
        // SAFETY: by the caller
        unsafe {
            let mut sums = [[_mm256_setzero_pd(); 2]; R];
            if ADD {
                for r in 0..R {
                    sums[r] = [0, 4].map(|v| _mm256_loadu_pd(out.add(r * PANEL + v)));
                }
            }
            for j in 0..terms {
                let xs = [0, 4].map(|v| _mm256_loadu_pd(x.add(j * PANEL + v)));
                for r in 0..R {
                    let factor = _mm256_broadcast_sd(&*a.add(r * down + j * across));
                    for v in 0..2 {
                        sums[r][v] = _mm256_fmadd_pd(factor, xs[v], sums[r][v]);
                    }
                }
            }
            for r in 0..R {
                for v in 0..2 {
                    _mm256_storeu_pd(out.add(r * PANEL + 4 * v), sums[r][v]);
                }
            }
        }
    }

    /// `out (+)= a*x` for all rows.
    ///
    /// # Safety
    /// As for `tile`, with `rows` rows.
    #[target_feature(enable = "avx2,fma")]
    pub unsafe fn multiply<const ADD: bool>(
        a: *const f64,
        steps: [usize; 2],
        rows: usize,
        x: *const f64,
        terms: usize,
        out: *mut f64,
    ) {
        let count = rows.div_ceil(6);
        for k in 0..count {
            let (i, end) = (k * rows / count, (k + 1) * rows / count);
            // SAFETY: rows `i..end`
            unsafe {
                let (a, out) = (a.add(i * steps[0]), out.add(i * PANEL));
                match end - i {
                    1 => tile::<1, ADD>(a, steps, x, terms, out),
                    2 => tile::<2, ADD>(a, steps, x, terms, out),
                    3 => tile::<3, ADD>(a, steps, x, terms, out),
                    4 => tile::<4, ADD>(a, steps, x, terms, out),
                    5 => tile::<5, ADD>(a, steps, x, terms, out),
                    _ => tile::<6, ADD>(a, steps, x, terms, out),
                }
            }
        }
    }

    fn apply(kernel: Kernel, rows: &mut [f64]) {
        let KernelFn::One(f) = kernel.array_fn() else { unreachable!("one argument") };
        // SAFETY: a kernel may work in place
        unsafe { f(rows.len(), rows.as_ptr(), rows.as_mut_ptr()) }
    }

    /// `x += dt*score + root*z`.
    #[target_feature(enable = "avx2,fma")]
    fn advance(x: &mut [f64], score: &[f64], noise: &[f64]) {
        for ((x, s), z) in x.iter_mut().zip(score).zip(noise) {
            *x = 0.01f64.mul_add(*s, 0.1f64.mul_add(*z, *x));
        }
    }

    /// All steps of all panels of a model whose score is worked out by `score(matrices, state, layers)`.
    #[target_feature(enable = "avx2,fma")]
    fn steps(h: &mut Hand, rows: usize, score: impl Fn(&[Vec<f64>], &[f64], &[f64], &mut [Vec<f64>])) {
        let Hand { matrices, y, state, noise, layers } = h;
        for (panel, x) in state.chunks_exact_mut(rows * PANEL).enumerate() {
            for step in 0..STEPS {
                score(matrices, y, x, layers);
                let draws = &noise[(step * LANES / PANEL + panel) * rows * PANEL..][..rows * PANEL];
                advance(x, layers.last().expect("the score"), draws);
            }
        }
    }

    // SAFETY, below: matrices and layers have the extents that `main` gives them

    /// Rows of data in stretches that stay in the first cache from the one product to the other.
    const STRETCH: usize = 48;

    #[target_feature(enable = "avx2,fma")]
    pub fn logistic(h: &mut Hand, n: usize, k: usize) {
        steps(h, k, |m, y, x, layers| {
            let [residual, score] = layers else { unreachable!("two layers") };
            for (s, b) in score.iter_mut().zip(x) {
                *s = -b;
            }
            for first in (0..n).step_by(STRETCH) {
                let rows = STRETCH.min(n - first);
                let a = m[0][first * k..].as_ptr();
                unsafe { multiply::<false>(a, [k, 1], rows, x.as_ptr(), k, residual.as_mut_ptr()) };
                let residual = &mut residual[..rows * PANEL];
                apply(Kernel::Sigmoid, residual);
                for (r, y) in residual.chunks_exact_mut(PANEL).zip(&y[first..]) {
                    r.iter_mut().for_each(|r| *r = y - *r);
                }
                unsafe { multiply::<true>(a, [1, k], k, residual.as_ptr(), rows, score.as_mut_ptr()) };
            }
        });
    }

    #[target_feature(enable = "avx2,fma")]
    pub fn quadratic(h: &mut Hand, n: usize) {
        steps(h, n, |m, _, x, layers| unsafe {
            multiply::<false>(m[0].as_ptr(), [n, 1], n, x.as_ptr(), n, layers[0].as_mut_ptr());
        });
    }

    #[target_feature(enable = "avx2,fma")]
    pub fn network(h: &mut Hand, n: usize) {
        steps(h, n, |m, _, x, layers| {
            let [a, b, c] = layers else { unreachable!("three layers") };
            unsafe { multiply::<false>(m[0].as_ptr(), [n, 1], n, x.as_ptr(), n, a.as_mut_ptr()) };
            apply(Kernel::Tanh, a);
            unsafe { multiply::<false>(m[1].as_ptr(), [n, 1], n, a.as_ptr(), n, b.as_mut_ptr()) };
            apply(Kernel::Tanh, b);
            unsafe { multiply::<false>(m[2].as_ptr(), [n, 1], n, b.as_ptr(), n, c.as_mut_ptr()) };
        });
    }
}

/// Times the compiled step and the one by hand in turn. `products` of one step of one path.
fn compare(name: &str, program: &Program, products: usize, mut hand: impl FnMut()) {
    let start = Instant::now();
    let code = cranelift::compile(program).expect("a program compiles");
    let compile = start.elapsed().as_secs_f64() * 1e3;
    let mut memory = Memory::new(program);
    let (mut ours, mut theirs) = (f64::INFINITY, f64::INFINITY);
    let time = |f: &mut dyn FnMut()| {
        let start = Instant::now();
        f();
        start.elapsed().as_secs_f64()
    };
    for _ in 0..300 {
        ours = ours.min(time(&mut || memory.run(black_box(&*code))));
        theirs = theirs.min(time(&mut hand));
    }
    let rate = |t: f64| 2.0 * (products * LANES * STEPS) as f64 / t * 1e-9;
    let ns = ours * 1e9 / (LANES * STEPS) as f64;
    println!(
        "{name:22} {ns:9.1} ns a step, {:5.1} GF/s; by hand {:5.1} GF/s; ratio {:.2}; compiled in {compile:.1} ms",
        rate(ours),
        rate(theirs),
        theirs / ours
    );
    if std::env::args().any(|a| a == "--text") {
        println!("{program}");
    }
}

fn hand(matrices: &[usize], rows: usize, layers: &[usize]) -> Hand {
    Hand {
        matrices: matrices.iter().map(|n| numbers(*n)).collect(),
        y: numbers(matrices[0]),
        state: numbers(rows * LANES),
        noise: numbers(STEPS * rows * LANES),
        layers: layers.iter().map(|n| vec![0.0; n * PANEL]).collect(),
    }
}

#[cfg(target_arch = "x86_64")]
fn main() {
    assert!(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"), "a machine with AVX2");
    // SAFETY, below: the instruction sets that the loops by hand need have been asked for
    let (n, k) = (569, 31);
    let mut h = hand(&[n * k], k, &[n, k]);
    compare("logistic, 569 x 31", &logistic(n, k), 2 * n * k, || unsafe { by_hand::logistic(black_box(&mut h), n, k) });
    for n in [100, 250] {
        let mut h = hand(&[n * n], n, &[n]);
        let name = format!("quadratic form, {n}");
        compare(&name, &quadratic(n), n * n, || unsafe { by_hand::quadratic(black_box(&mut h), n) });
    }
    for n in [32, 64, 128] {
        let mut h = hand(&[n * n; 3], n, &[n; 3]);
        let name = format!("three layers of {n}");
        compare(&name, &network(n), 3 * n * n, || unsafe { by_hand::network(black_box(&mut h), n) });
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn main() {
    println!("the loops by hand need AVX2");
}
