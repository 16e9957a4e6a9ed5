//! What one core of the machine at hand does at best, to hold measurements against: the least time of many short repeats.

use std::hint::black_box;
use std::time::Instant;

use super::normal::{Coord, Key, Rows, fill_normals, fill_uniforms};
use super::table::{Kernel, KernelFn};

/// Seconds of the fastest of some runs of `f`.
fn best(mut f: impl FnMut()) -> f64 {
    let run = |f: &mut dyn FnMut()| {
        let begin = Instant::now();
        f();
        begin.elapsed().as_secs_f64()
    };
    (0..200).map(|_| run(&mut f)).fold(f64::INFINITY, f64::min)
}

/// Numbers that are worked on side by side: twelve vectors of 256 bits.
const WIDE: usize = 48;
const TURNS: usize = 500;

#[inline(always)]
fn fused_loop(x: &mut [f64; WIDE], a: f64, b: f64) {
    for _ in 0..TURNS {
        for x in x.iter_mut() {
            *x = x.mul_add(a, b);
        }
    }
}

#[inline(always)]
fn division_loop(x: &mut [f64; WIDE], a: f64) {
    for _ in 0..TURNS {
        for x in x.iter_mut() {
            *x = a / *x;
        }
    }
}

/// Runs a loop compiled for AVX2 and FMA where the machine has them.
macro_rules! dispatched {
    ($name:ident($($arg:ident: $ty:ty),*)) => {{
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            #[target_feature(enable = "avx2,fma")]
            fn wide($($arg: $ty),*) {
                $name($($arg),*)
            }
            // SAFETY: the features were just detected
            return unsafe { wide($($arg),*) };
        }
        $name($($arg),*)
    }};
}

fn fused(x: &mut [f64; WIDE], a: f64, b: f64) {
    dispatched!(fused_loop(x: &mut [f64; WIDE], a: f64, b: f64))
}

fn divided(x: &mut [f64; WIDE], a: f64) {
    dispatched!(division_loop(x: &mut [f64; WIDE], a: f64))
}

/// Nanoseconds of a fused multiply-add of one number, in vectors.
pub fn fused_ns() -> f64 {
    let mut x = [1.0; WIDE];
    best(|| fused(black_box(&mut x), black_box(0.5), 0.5)) * 1e9 / (WIDE * TURNS) as f64
}

/// Nanoseconds of a division of one number, in vectors.
pub fn division_ns() -> f64 {
    let mut x = [1.5; WIDE];
    best(|| divided(black_box(&mut x), black_box(2.0))) * 1e9 / (WIDE * TURNS) as f64
}

/// Nanoseconds of a byte that is read or written, where `bytes` of memory are in use.
pub fn byte_ns(bytes: usize) -> f64 {
    let half = (bytes / 16).max(64);
    let (from, mut to) = (vec![1.0f64; half], vec![0.0f64; half]);
    let repeats = (1 << 14) / half + 1;
    let copy = || (0..repeats).for_each(|_| black_box(&mut to).copy_from_slice(black_box(&from)));
    best(copy) * 1e9 / (repeats * 16 * half) as f64
}

/// Nanoseconds of a normal and of a uniform number, in rows of `lanes`.
pub fn draw_ns(lanes: usize) -> [f64; 2] {
    let steps = 4096 / lanes;
    let first = Coord { path: 0, step: 0, site: 0, component: 0, turn: 0 };
    let key = Key { seed: 1, stream: 0 };
    let rows = Rows { key, first, lanes, components: 1, steps, step_stride: lanes };
    let mut out = vec![0.0; steps * lanes];
    let each = 1e9 / out.len() as f64;
    let normal = best(|| fill_normals(black_box(&rows), black_box(&mut out)));
    let uniform = best(|| fill_uniforms(black_box(&rows), black_box(&mut out)));
    [normal * each, uniform * each]
}

/// Nanoseconds of one value of an elementary function, in rows of 64.
pub fn kernel_ns(kernel: Kernel) -> f64 {
    const N: usize = 64;
    let x: [f64; N] = std::array::from_fn(|k| 0.25 + k as f64 / 128.0);
    let mut out = [0.0; N];
    let f = kernel.array_fn();
    let call = || {
        let (x, out) = (black_box(&x), black_box(&mut out));
        // SAFETY: all rows have N numbers
        match f {
            KernelFn::One(f) => unsafe { f(N, x.as_ptr(), out.as_mut_ptr()) },
            KernelFn::Two(f) => unsafe { f(N, x.as_ptr(), x.as_ptr(), out.as_mut_ptr()) },
        }
    };
    best(call) * 1e9 / N as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_rates_are_positive() {
        let rates = [fused_ns(), division_ns(), byte_ns(1 << 14), kernel_ns(Kernel::Exp), kernel_ns(Kernel::Pow)];
        for rate in rates.into_iter().chain(draw_ns(64)) {
            assert!(rate.is_finite() && rate > 0.0, "{rates:?}");
        }
    }
}
