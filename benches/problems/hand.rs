//! The problems written out by hand, each for its one model: what a person who knows the machine would write in Rust, with
//! the noise of the library. Blocks of 64 paths; the normals of some steps are filled into the first cache, then groups of
//! 16 paths take these steps with their states in registers. For x86-64 with AVX2 and FMA, which `main` asks for first.
#![allow(clippy::needless_range_loop, reason = "several arrays go in step, in loops that are written out")]
#![allow(clippy::excessive_precision, reason = "coefficients as they were fitted")]

use std::arch::x86_64::*;
use std::ops::{Add, Mul, Neg, Sub};

use fokker::kernels::normal::{Coord, Key, Rows, fill_normals};

const LANES: usize = 64;
/// Paths that are stepped together: four vectors of 256 bits.
const GROUP: usize = 16;
/// Vectors of a group.
const VECTORS: usize = 4;
/// Rows of normals that are filled at once: 16 KB.
const ROWS: usize = 32;

/// Normals of the library, as `[steps][components][lanes]`.
struct Noise {
    key: Key,
    lanes: usize,
    components: usize,
    rows: Vec<f64>,
}

impl Noise {
    fn new(seed: u64, lanes: usize, components: usize, steps: usize) -> Noise {
        Noise { key: Key { seed, stream: 0 }, lanes, components, rows: vec![0.0; lanes * components * steps] }
    }

    fn fill(&mut self, path: usize, step: usize, steps: usize) -> &[f64] {
        let first = Coord { path: path as u64, step: step as u64, site: 0, component: 0, turn: 0 };
        let (lanes, components) = (self.lanes, self.components);
        let rows = Rows { key: self.key, first, lanes, components, steps, step_stride: lanes * components };
        fill_normals(&rows, &mut self.rows);
        &self.rows[..steps * lanes * components]
    }
}

/// Four numbers.
#[derive(Copy, Clone)]
struct V(__m256d);

/// The four numbers from `at` on.
#[inline(always)]
fn load(row: &[f64], at: usize) -> V {
    let four: &[f64; 4] = row[at..][..4].try_into().expect("four");
    // SAFETY: four numbers; `main` has asked for the instructions, here and below
    V(unsafe { _mm256_loadu_pd(four.as_ptr()) })
}

#[inline(always)]
fn all(x: f64) -> V {
    V(unsafe { _mm256_set1_pd(x) })
}

#[inline(always)]
fn fma(a: V, b: V, c: V) -> V {
    V(unsafe { _mm256_fmadd_pd(a.0, b.0, c.0) })
}

impl V {
    fn numbers(self) -> [f64; 4] {
        // SAFETY: both are 32 bytes of numbers
        unsafe { std::mem::transmute(self) }
    }

    #[inline(always)]
    fn sqrt(self) -> V {
        V(unsafe { _mm256_sqrt_pd(self.0) })
    }

    #[inline(always)]
    fn over(self, other: V) -> V {
        V(unsafe { _mm256_div_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn max(self, other: V) -> V {
        V(unsafe { _mm256_max_pd(self.0, other.0) })
    }
}

macro_rules! operator {
    ($name:ident, $method:ident, $intrinsic:ident) => {
        impl $name for V {
            type Output = V;
            #[inline(always)]
            fn $method(self, other: V) -> V {
                V(unsafe { $intrinsic(self.0, other.0) })
            }
        }
    };
}
operator!(Add, add, _mm256_add_pd);
operator!(Sub, sub, _mm256_sub_pd);
operator!(Mul, mul, _mm256_mul_pd);

impl Neg for V {
    type Output = V;
    #[inline(always)]
    fn neg(self) -> V {
        V(unsafe { _mm256_xor_pd(self.0, _mm256_set1_pd(-0.0)) })
    }
}

/// A step of `S` states with `Z` normals for four paths.
trait Step<const S: usize, const Z: usize>: Copy {
    fn step(self, x: [V; S], z: [V; Z]) -> [V; S];
}

/// Steps blocks of paths from one start; `end` sees the states of four paths at the end.
#[target_feature(enable = "avx2,fma")]
fn drive<const S: usize, const Z: usize>(
    (paths, steps): (usize, usize),
    start: [f64; S],
    seed: u64,
    kernel: impl Step<S, Z>,
    mut end: impl FnMut([V; S]),
) {
    let chunk = ROWS / Z;
    let mut noise = Noise::new(seed, LANES, Z, chunk);
    for block in 0..paths / LANES {
        let mut state = [[start.map(all); VECTORS]; LANES / GROUP];
        let mut done = 0;
        while done < steps {
            let now = chunk.min(steps - done);
            let rows = noise.fill(block * LANES, done, now);
            for (group, lanes) in state.iter_mut().enumerate() {
                let mut x = *lanes;
                for row in rows.chunks_exact(Z * LANES) {
                    for v in 0..VECTORS {
                        let mut z = [x[v][0]; Z];
                        for c in 0..Z {
                            z[c] = load(row, c * LANES + group * GROUP + 4 * v);
                        }
                        x[v] = kernel.step(x[v], z);
                    }
                }
                *lanes = x;
            }
            done += now;
        }
        state.as_flattened().iter().for_each(|x| end(*x));
    }
}

/// Mean of a number of each path.
#[derive(Default)]
struct Mean {
    count: f64,
    sum: f64,
}

impl Mean {
    fn add(&mut self, x: V) {
        self.count += 4.0;
        self.sum += x.numbers().iter().sum::<f64>();
    }

    fn value(&self) -> f64 {
        self.sum / self.count
    }
}

#[derive(Copy, Clone)]
struct Gbm {
    drift: V,
    spread: V,
}

impl Step<1, 1> for Gbm {
    #[inline(always)]
    fn step(self, [x]: [V; 1], [z]: [V; 1]) -> [V; 1] {
        [x * fma(z, self.spread, self.drift)]
    }
}

pub fn p1(paths: usize, steps: usize, seed: u64) -> f64 {
    let dt = 1e-3f64;
    let mut mean = Mean::default();
    let kernel = Gbm { drift: all(1.0 + 0.05 * dt), spread: all(0.2 * dt.sqrt()) };
    // SAFETY: `main` has asked for the features
    unsafe { drive((paths, steps), [1.0], seed, kernel, |[x]| mean.add(x)) };
    mean.value()
}

#[derive(Copy, Clone)]
struct Well {
    square: V,
    one: V,
    spread: V,
}

impl Step<1, 1> for Well {
    #[inline(always)]
    fn step(self, [x]: [V; 1], [z]: [V; 1]) -> [V; 1] {
        [fma(z, self.spread, x * fma(x * x, self.square, self.one))]
    }
}

pub fn p2(paths: usize, steps: usize, seed: u64) -> f64 {
    let dt = 1e-3f64;
    let mut mean = Mean::default();
    let kernel = Well { square: all(-4.0 * dt), one: all(1.0 + 4.0 * dt), spread: all((2.0 * dt).sqrt()) };
    // SAFETY: as above
    unsafe { drive((paths, steps), [-1.0], seed, kernel, |[x]| mean.add(x * x)) };
    mean.value()
}

/// exp for |x| < 700, to about one unit in the last place.
#[inline(always)]
fn exp(x: V) -> V {
    const C: [f64; 12] = [
        1.0,
        1.0,
        0.500_000_000_000_001_8,
        0.166_666_666_666_666_8,
        0.041_666_666_666_488_09,
        0.008_333_333_333_319_6,
        0.001_388_888_895_231_474_5,
        0.000_198_412_698_900_471_1,
        2.480_148_548_232_849e-5,
        2.755_724_091_857_898e-6,
        2.763_263_963_904_103e-7,
        2.511_003_760_596_377_7e-8,
    ];
    const ROUND: f64 = 6755399441055744.0;
    let k = fma(x, all(std::f64::consts::LOG2_E), all(ROUND));
    let n = k - all(ROUND);
    let r = fma(n, all(-6.931_471_803_691_238_2e-1), x);
    let r = fma(n, all(-1.908_214_929_270_587_7e-10), r);
    let y = r * r;
    let (mut even, mut odd) = (all(C[10]), all(C[11]));
    for j in (0..5).rev() {
        even = fma(even, y, all(C[2 * j]));
        odd = fma(odd, y, all(C[2 * j + 1]));
    }
    let p = fma(odd, r, even);
    // SAFETY: as above
    unsafe {
        let power = _mm256_slli_epi64::<52>(_mm256_castpd_si256(k.0));
        V(_mm256_castsi256_pd(_mm256_add_epi64(_mm256_castpd_si256(p.0), power)))
    }
}

#[derive(Copy, Clone)]
struct Modes {
    centres: [[f64; 2]; 8],
    dt: f64,
}

impl Step<2, 2> for Modes {
    /// The factor exp(-|x|^2/2s^2) is common to all modes and drops out of the score.
    #[inline(always)]
    fn step(self, [x, y]: [V; 2], [z, w]: [V; 2]) -> [V; 2] {
        let narrow = 1.0 / 0.49;
        let (xs, ys) = (x * all(narrow), y * all(narrow));
        let (mut sum, mut sx, mut sy) = (all(0.0), all(0.0), all(0.0));
        for [cx, cy] in self.centres {
            let e = exp(fma(xs, all(cx), ys * all(cy)));
            sum = sum + e;
            sx = fma(e, all(cx), sx);
            sy = fma(e, all(cy), sy);
        }
        let inverse = all(1.0).over(sum);
        let (rate, spread) = (all(narrow * self.dt), all((2.0 * self.dt).sqrt()));
        let next = |x: V, s: V, z: V| fma(z, spread, fma(fma(s, inverse, -x), rate, x));
        [next(x, sx, z), next(y, sy, w)]
    }
}

pub fn p3(paths: usize, steps: usize, seed: u64) -> f64 {
    let angle = |k: usize| std::f64::consts::TAU * k as f64 / 8.0;
    let centres = std::array::from_fn(|k| [5.0 * angle(k).cos(), 5.0 * angle(k).sin()]);
    let mut mean = Mean::default();
    // SAFETY: as above
    unsafe {
        drive((paths, steps), [0.0, 0.0], seed, Modes { centres, dt: 1e-2 }, |[x, y]| mean.add(fma(x, x, y * y)));
    }
    mean.value()
}

#[derive(Copy, Clone)]
struct Lorenz {
    dt: V,
    half: V,
    root: V,
}

impl Step<3, 3> for Lorenz {
    #[inline(always)]
    fn step(self, s: [V; 3], z: [V; 3]) -> [V; 3] {
        let drift =
            |[x, y, z]: [V; 3]| [(y - x) * all(10.0), fma(x, all(28.0) - z, -y), fma(x, y, -(z * all(8.0 / 3.0)))];
        let f = drift(s);
        let kick = [z[0] * self.root, z[1] * self.root, z[2] * self.root];
        let predicted = |k: usize| fma(f[k], self.dt, s[k]) + kick[k];
        let g = drift([predicted(0), predicted(1), predicted(2)]);
        let corrected = |k: usize| fma(f[k] + g[k], self.half, s[k]) + kick[k];
        [corrected(0), corrected(1), corrected(2)]
    }
}

pub fn p4(paths: usize, steps: usize, seed: u64) -> f64 {
    let dt = 1e-3f64;
    let mut mean = Mean::default();
    let kernel = Lorenz { dt: all(dt), half: all(0.5 * dt), root: all(dt.sqrt()) };
    // SAFETY: as above
    unsafe { drive((paths, steps), [1.0; 3], seed, kernel, |[_, _, z]| mean.add(z)) };
    mean.value()
}

#[derive(Copy, Clone)]
struct Heston {
    dt: f64,
    root: V,
}

impl Step<2, 2> for Heston {
    #[inline(always)]
    fn step(self, [l, v]: [V; 2], [z, w]: [V; 2]) -> [V; 2] {
        let (rho, other) = (all(-0.7 * 0.3), all(0.51f64.sqrt() * 0.3));
        let plus = v.max(all(0.0));
        let vol = plus.sqrt() * self.root;
        let l = fma(vol, z, l + fma(plus, all(-0.5 * self.dt), all(0.03 * self.dt)));
        let v = fma(vol, fma(z, rho, w * other), fma(all(0.04) - plus, all(2.0 * self.dt), v));
        [l, v]
    }
}

pub fn p5(paths: usize, steps: usize, seed: u64) -> f64 {
    let dt = 1.0 / 250.0f64;
    let mut mean = Mean::default();
    let call = |[l, _]: [V; 2]| {
        let price = all(100.0) * exp(l);
        mean.add((price - all(100.0)).max(all(0.0)) * all((-0.03f64).exp()));
    };
    // SAFETY: as above
    unsafe { drive((paths, steps), [0.0, 0.04], seed, Heston { dt, root: all(dt.sqrt()) }, call) };
    mean.value()
}

/// BAOAB on a ring of 64 sites. The closing kick of a step and the opening kick of the next are one.
pub fn p6(paths: usize, steps: usize, seed: u64) -> f64 {
    // SAFETY: as above
    unsafe { ring(paths, steps, seed) }
}

#[target_feature(enable = "avx2,fma")]
fn ring(paths: usize, steps: usize, seed: u64) -> f64 {
    const SITES: usize = 64;
    let dt = 0.02f64;
    let half = all(dt / 2.0);
    let (keep, spread) = (all((-dt).exp()), all((1.0 - (-2.0 * dt).exp()).sqrt()));
    let mut mean = Mean::default();
    let mut noise = Noise::new(seed, GROUP, SITES, 1);
    for block in 0..paths / GROUP {
        // the two sites beyond the ends are copies
        let mut q = [[all(0.0); VECTORS]; SITES + 2];
        let mut p = [[all(0.0); VECTORS]; SITES];
        let rows = noise.fill(block * GROUP, steps, 1);
        p.as_flattened_mut().iter_mut().enumerate().for_each(|(k, p)| *p = load(rows, 4 * k));
        for step in 0..steps {
            let rows = noise.fill(block * GROUP, step, 1);
            for site in 0..SITES {
                let (q, p) = (&mut q[site + 1], &mut p[site]);
                for k in 0..VECTORS {
                    let z = load(rows, site * GROUP + 4 * k);
                    let middle = fma(p[k], half, q[k]);
                    p[k] = fma(p[k], keep, z * spread);
                    q[k] = fma(p[k], half, middle);
                }
            }
            (q[0], q[SITES + 1]) = (q[SITES], q[1]);
            let kick = if step + 1 == steps { half } else { all(dt) };
            for site in 0..SITES {
                for k in 0..VECTORS {
                    let x = q[site + 1][k];
                    let force = fma(-x * x, x, q[site][k] + q[site + 2][k] - x);
                    p[site][k] = fma(force, kick, p[site][k]);
                }
            }
        }
        p.as_flattened().iter().for_each(|p| mean.add(*p * *p));
    }
    mean.value()
}

/// The design matrix of P7 and its transpose, both by rows, and the responses.
pub struct Design {
    pub rows: usize,
    pub columns: usize,
    x: Vec<f64>,
    transposed: Vec<f64>,
    y: Vec<f64>,
}

impl Design {
    pub fn new(columns: usize, x: Vec<f64>, y: Vec<f64>) -> Design {
        let rows = y.len();
        let transposed = (0..columns).flat_map(|j| (0..rows).map(move |i| (i, j))).map(|(i, j)| x[i * columns + j]);
        let transposed = transposed.collect();
        Design { rows, columns, x, transposed, y }
    }
}

/// `out = a @ b` for `[n, k] @ [k, LANES]`, in tiles of four rows and eight lanes.
#[target_feature(enable = "avx2,fma")]
fn product(a: &[f64], k: usize, b: &[f64], out: &mut [f64]) {
    for (a, out) in a.chunks(4 * k).zip(out.chunks_mut(4 * LANES)) {
        // rows beyond the last one are the last one again
        let last = a.len() / k - 1;
        let rows = [0, 1, 2, 3].map(|i: usize| &a[i.min(last) * k..][..k]);
        for first in (0..LANES).step_by(8) {
            let mut sums = [[all(0.0); 2]; 4];
            for j in 0..k {
                let v = [load(b, j * LANES + first), load(b, j * LANES + first + 4)];
                for i in 0..4 {
                    let factor = all(rows[i][j]);
                    sums[i] = [fma(factor, v[0], sums[i][0]), fma(factor, v[1], sums[i][1])];
                }
            }
            for (sums, out) in sums.iter().zip(out.chunks_exact_mut(LANES)) {
                out[first..first + 4].copy_from_slice(&sums[0].numbers());
                out[first + 4..first + 8].copy_from_slice(&sums[1].numbers());
            }
        }
    }
}

pub fn p7(design: &Design, steps: usize, seed: u64) -> f64 {
    // SAFETY: as above
    unsafe { posterior(design, steps, seed) }
}

#[target_feature(enable = "avx2,fma")]
fn posterior(design: &Design, steps: usize, seed: u64) -> f64 {
    let (dt, spread) = (1e-3, 2e-3f64.sqrt());
    let k = design.columns;
    let mut noise = Noise::new(seed, LANES, k, 1);
    let mut beta = vec![0.0; k * LANES];
    let mut score = vec![0.0; k * LANES];
    let mut lines = vec![0.0; design.rows * LANES];
    for step in 0..steps {
        product(&design.x, k, &beta, &mut lines);
        for (line, y) in lines.chunks_exact_mut(LANES).zip(&design.y) {
            for x in line.as_chunks_mut::<4>().0 {
                let p = all(1.0).over(all(1.0) + exp(-load(x, 0)));
                *x = (all(*y) - p).numbers();
            }
        }
        product(&design.transposed, design.rows, &lines, &mut score);
        for ((b, s), z) in beta.iter_mut().zip(&score).zip(noise.fill(0, step, 1)) {
            *b = z * spread + (s - *b) * dt + *b;
        }
    }
    beta[..LANES].iter().sum::<f64>() / LANES as f64
}
