//! Single against double precision: normals and elementary functions, in nanoseconds a number. The two are timed in
//! turn, the least of many repeats counts. `cargo bench --bench single`

use std::hint::black_box;
use std::time::Instant;

use fokker::kernels::normal::{self, Coord, Key, Rows};
use fokker::kernels::single;
use fokker::kernels::table::{Kernel, KernelFn};

const REPEATS: usize = 400;
/// Calls of one timing, so that its rows are in the first cache.
const CALLS: usize = 10;
const LANES: usize = 64;
const STEPS: usize = 64;

/// Least times of two functions that take turns, for each of `count` numbers.
fn both(count: usize, mut double: impl FnMut(), mut single: impl FnMut()) -> [f64; 2] {
    let mut least = [f64::INFINITY; 2];
    for _ in 0..REPEATS {
        let start = Instant::now();
        (0..CALLS).for_each(|_| double());
        let middle = Instant::now();
        (0..CALLS).for_each(|_| single());
        let times = [middle - start, middle.elapsed()].map(|t| t.as_secs_f64() * 1e9 / (CALLS * count) as f64);
        least = [least[0].min(times[0]), least[1].min(times[1])];
    }
    least
}

fn tell(name: &str, [double, single]: [f64; 2]) {
    println!("{name:10} f64 {double:7.3} ns, f32 {single:7.3} ns, {:.2} of it", single / double);
}

fn draws() {
    let first = Coord { path: 0, step: 0, site: 0, component: 0, turn: 0 };
    let key = Key { seed: 1, stream: 0 };
    let rows = Rows { key, first, lanes: LANES, components: 1, steps: STEPS, step_stride: LANES };
    let (mut wide, mut narrow) = (vec![0f64; LANES * STEPS], vec![0f32; LANES * STEPS]);
    let normals = both(
        LANES * STEPS,
        || normal::fill_normals(black_box(&rows), &mut wide),
        || single::normal::fill_normals(black_box(&rows), &mut narrow),
    );
    tell("normals", normals);
    let uniforms = both(
        LANES * STEPS,
        || normal::fill_uniforms(black_box(&rows), &mut wide),
        || single::normal::fill_uniforms(black_box(&rows), &mut narrow),
    );
    tell("uniforms", uniforms);
}

fn function(kernel: Kernel) {
    let n = 1024;
    let x: Vec<f64> = (0..n).map(|k| 0.05 + 4.0 * k as f64 / n as f64).collect();
    let y: Vec<f32> = x.iter().map(|x| *x as f32).collect();
    let (mut wide, mut narrow) = (vec![0f64; n], vec![0f32; n]);
    let (KernelFn::One(double), KernelFn::One(single)) = (kernel.array_fn(), kernel.array_fn_single()) else { return };
    let times = both(
        n,
        // SAFETY: arrays of n elements
        || unsafe { double(n, black_box(x.as_ptr()), wide.as_mut_ptr()) },
        // SAFETY: as above
        || unsafe { single(n, black_box(y.as_ptr()), narrow.as_mut_ptr()) },
    );
    tell(kernel.name(), times);
}

fn main() {
    draws();
    for kernel in Kernel::ALL {
        function(*kernel);
    }
}
