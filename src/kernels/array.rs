//! Loops over arrays, written so that the compiler turns the inlined function into vector code.
//!
//! Elements pass through small blocks on the stack: input and output may then be the same array and the loops still
//! vectorise. A last partial block is filled up with copies of one of its elements.
//! These are macros because a function passed as a value would be compiled for the baseline instruction set before it
//! is inlined into its caller.

/// Elements of a full block.
pub const BLOCK: usize = 16;
/// Elements of a block at the end.
pub const TAIL: usize = 4;

/// The first `m` elements at `x`, then copies of the first.
///
/// # Safety
/// `x` is valid for `m` reads, 1 <= m <= N.
#[inline(always)]
pub unsafe fn load<T: Copy, const N: usize>(x: *const T, m: usize) -> [T; N] {
    // SAFETY: m <= N elements are read, m >= 1
    unsafe {
        let mut a = [*x; N];
        std::ptr::copy_nonoverlapping(x, a.as_mut_ptr(), m);
        a
    }
}

/// Writes the first `m` elements of `a`.
///
/// # Safety
/// `out` is valid for `m` writes, m <= N.
#[inline(always)]
pub unsafe fn store<T: Copy, const N: usize>(a: [T; N], out: *mut T, m: usize) {
    // SAFETY: m <= N
    unsafe { std::ptr::copy_nonoverlapping(a.as_ptr(), out, m) }
}

/// Runs `$body` for blocks of `$m` elements from `$i`, with `$N` the constant size of the block.
macro_rules! in_blocks {
    ($n:expr, $i:ident, $m:ident, $N:ident => $body:block) => {{
        let mut $i = 0;
        while $n - $i >= $crate::kernels::array::BLOCK {
            const $N: usize = $crate::kernels::array::BLOCK;
            let $m = $N;
            $body
            $i += $N;
        }
        while $i < $n {
            const $N: usize = $crate::kernels::array::TAIL;
            let $m = $N.min($n - $i);
            $body
            $i += $m;
        }
    }};
}

/// `out[i] = f(x[i])` for i < n; unsafe: `x` is valid for n reads and `out` for n writes, the same array or apart.
macro_rules! map1 {
    ($n:expr, $x:expr, $out:expr, $f:path) => {
        in_blocks!($n, i, m, N => {
            let a = $crate::kernels::array::load::<_, N>($x.add(i), m);
            let mut r = [0.0; N];
            for k in 0..N {
                r[k] = $f(a[k]);
            }
            $crate::kernels::array::store::<_, N>(r, $out.add(i), m);
        })
    };
}

/// As `map1!`; in blocks where `$far` holds nowhere by `$fast`, which has the values of `$f` there.
macro_rules! map1_guarded {
    ($n:expr, $x:expr, $out:expr, $f:path, $fast:path, $far:path) => {
        in_blocks!($n, i, m, N => {
            let a = $crate::kernels::array::load::<_, N>($x.add(i), m);
            let mut r = [0.0; N];
            let mut far = false;
            for k in 0..N {
                far |= $far(a[k]);
            }
            if far {
                for k in 0..N {
                    r[k] = $f(a[k]);
                }
            } else {
                for k in 0..N {
                    r[k] = $fast(a[k]);
                }
            }
            $crate::kernels::array::store::<_, N>(r, $out.add(i), m);
        })
    };
}

/// `out[i] = f(x[i], y[i])` for i < n; unsafe as `map1!`.
macro_rules! map2 {
    ($n:expr, $x:expr, $y:expr, $out:expr, $f:path) => {
        in_blocks!($n, i, m, N => {
            let a = $crate::kernels::array::load::<_, N>($x.add(i), m);
            let b = $crate::kernels::array::load::<_, N>($y.add(i), m);
            let mut r = [0.0; N];
            for k in 0..N {
                r[k] = $f(a[k], b[k]);
            }
            $crate::kernels::array::store::<_, N>(r, $out.add(i), m);
        })
    };
}

/// `map1!` element by element, for functions with branches and loops.
macro_rules! plain1 {
    ($n:expr, $x:expr, $out:expr, $f:path) => {
        for i in 0..$n {
            *$out.add(i) = $f(*$x.add(i));
        }
    };
}

/// `map2!` element by element.
macro_rules! plain2 {
    ($n:expr, $x:expr, $y:expr, $out:expr, $f:path) => {
        for i in 0..$n {
            *$out.add(i) = $f(*$x.add(i), *$y.add(i));
        }
    };
}

pub(crate) use {in_blocks, map1, map1_guarded, map2, plain1, plain2};
