//! Kernels in single precision against those of double precision, over all binades and at special values.

use crate::kernels::table::{Kernel, KernelFn, Level};

fn double(kernel: Kernel, x: &[f32], y: &[f32]) -> Vec<f64> {
    let wide = |v: &[f32]| -> Vec<f64> { v.iter().map(|v| f64::from(*v)).collect() };
    let (x, y) = (wide(x), wide(y));
    let mut out = vec![0.0; x.len()];
    // SAFETY: arrays of one length
    match kernel.array_fn() {
        KernelFn::One(f) => unsafe { f(x.len(), x.as_ptr(), out.as_mut_ptr()) },
        KernelFn::Two(f) => unsafe { f(x.len(), x.as_ptr(), y.as_ptr(), out.as_mut_ptr()) },
    }
    out
}

fn single(f: KernelFn<f32>, x: &[f32], y: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    // SAFETY: arrays of one length
    match f {
        KernelFn::One(f) => unsafe { f(x.len(), x.as_ptr(), out.as_mut_ptr()) },
        KernelFn::Two(f) => unsafe { f(x.len(), x.as_ptr(), y.as_ptr(), out.as_mut_ptr()) },
    }
    out
}

/// Distance in units of the last place of `want`; infinite where a special value is missed. An overflow counts as the
/// first number beyond the largest.
fn ulps(have: f32, want: f64) -> f64 {
    if want.is_nan() || want.is_infinite() || want == 0.0 {
        let same = have.to_bits() == (want as f32).to_bits() || want.is_nan() && have.is_nan();
        return if same { 0.0 } else { f64::INFINITY };
    }
    let size = (want.abs() as f32).clamp(f32::MIN_POSITIVE, f32::MAX);
    let ulp = 2f64.powi((size.to_bits() >> 23) as i32 - 127 - 23);
    let end = 2f64.powi(128);
    let have = f64::from(have).clamp(-end, end);
    (have - want.clamp(-end, end)).abs() / ulp
}

const SPECIAL: [f32; 16] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    f32::MAX,
    f32::MIN,
    f32::MIN_POSITIVE,
    1e-45,
    -1e-45,
    1e-40,
    32768.0,
    -32769.0,
];

/// Numbers whose bits are `stride` apart, over all there are, and special ones.
fn sample(stride: usize) -> Vec<f32> {
    (0..=u32::MAX).step_by(stride).map(f32::from_bits).chain(SPECIAL).collect()
}

fn check(kernel: Kernel, x: &[f32], y: &[f32]) {
    let mut want = double(kernel, x, y);
    if kernel == Kernel::Exp {
        want.iter_mut().filter(|y| **y < f64::from(f32::MIN_POSITIVE)).for_each(|y| *y = 0.0);
    }
    let have = single(kernel.array_fn_single(), x, y);
    let limit = kernel.accuracy_single();
    for ((x, y), (h, w)) in x.iter().zip(y).zip(have.iter().zip(want)) {
        let e = ulps(*h, w);
        assert!(e <= limit, "{}({x:e}, {y:e}): {h:e} for {w:e}, {e} ulp", kernel.name());
    }
    let plain = single(kernel.array_fn_single_at(Level::Portable), x, y);
    let bits = |v: &f32| if v.is_nan() { f32::NAN.to_bits() } else { v.to_bits() };
    for ((x, a), b) in x.iter().zip(&have).zip(&plain) {
        assert_eq!(bits(a), bits(b), "{} at {x:e}: instruction sets differ", kernel.name());
    }
}

#[test]
fn functions_of_one_argument() {
    // those of their own densely, the others to see that they are there
    for kernel in Kernel::ALL.iter().filter(|k| k.arity() == 1) {
        let own = kernel.accuracy_single() > 0.51;
        let x = sample(if own { 8191 } else { 1_000_003 });
        check(*kernel, &x, &x);
    }
}

/// Every number of a stretch where the argument or the result turns: near 1, thresholds of methods, overflow.
#[test]
fn functions_of_one_argument_where_methods_change() {
    let around = [
        0.9f32,
        1.0,
        1.414,
        0.707,
        0.3466,
        4.0,
        12.0,
        88.72,
        -87.3,
        -103.9,
        32768.0,
        2.9e-8,
        std::f32::consts::FRAC_PI_2,
        17.0,
    ];
    for kernel in Kernel::ALL.iter().filter(|k| k.arity() == 1 && k.accuracy_single() > 0.51) {
        for a in around {
            let bits = a.to_bits();
            let x: Vec<f32> = (bits - 1500..bits + 1500).map(f32::from_bits).collect();
            check(*kernel, &x, &x);
        }
    }
}

#[test]
fn functions_of_two_arguments() {
    let few: Vec<f32> = sample(150_000_001);
    let x: Vec<f32> = few.iter().flat_map(|x| vec![*x; few.len()]).collect();
    let y: Vec<f32> = few.iter().cycle().take(x.len()).copied().collect();
    for kernel in [Kernel::Pow, Kernel::Atan2, Kernel::Logaddexp] {
        check(kernel, &x, &y);
    }
}

/// Calls in place and with any number of elements give the same.
#[test]
fn lengths_do_not_matter() {
    let x: Vec<f32> = (0..67).map(|k| 0.37 * k as f32 - 9.0).collect();
    for kernel in Kernel::ALL.iter().filter(|k| k.arity() == 1) {
        let KernelFn::One(f) = kernel.array_fn_single() else { panic!("one argument") };
        let whole = single(KernelFn::One(f), &x, &x);
        for n in [1, 3, 4, 7, 16, 21, 66] {
            let mut part = x.clone();
            // SAFETY: n elements, in place
            unsafe { f(n, part.as_ptr(), part.as_mut_ptr()) };
            for k in 0..x.len() {
                let want = if k < n { whole[k] } else { x[k] };
                assert!(part[k].to_bits() == want.to_bits() || want.is_nan(), "{} of {n}, {k}", kernel.name());
            }
        }
    }
}
