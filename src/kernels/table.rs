//! The table of kernels: each function by name, as a scalar and as an array kernel compiled for the machine at hand.
//!
//! An array kernel is the inlined function in a loop, compiled three times: for AVX-512, for AVX2 with FMA, and for the
//! baseline of the target, where a fused multiply-add may be a (slow, exact) call. All give the same bits. A long function
//! keeps a processor waiting for its chain of dependent operations, as few vectors fit into the window in which it reorders
//! instructions. With 512 bits twice the numbers do: on Zen 4, whose units have 256, `exp` takes 0.66 ns in place of 1.42,
//! `sigmoid` 1.28 in place of 2.68 (docs/performance.md).

use super::array::{in_blocks, map1, map1_guarded, map2, plain1, plain2};
use super::lane::Precision;
use super::single::elementary as single;
use super::{elementary, special};

/// `out[i] = f(x[i])` for i < n. `x` and `out` are valid for n elements, the same array or apart. Never unwinds.
pub type Fn1<T = f64> = unsafe extern "C" fn(n: usize, x: *const T, out: *mut T);

/// `out[i] = f(x[i], y[i])` for i < n; `out` may be the same array as either input. Never unwinds.
pub type Fn2<T = f64> = unsafe extern "C" fn(n: usize, x: *const T, y: *const T, out: *mut T);

/// An array kernel by its number of inputs.
#[derive(Clone, Copy, Debug)]
pub enum KernelFn<T = f64> {
    One(Fn1<T>),
    Two(Fn2<T>),
}

impl<T> KernelFn<T> {
    fn address(self) -> usize {
        match self {
            KernelFn::One(f) => f as usize,
            KernelFn::Two(f) => f as usize,
        }
    }
}

/// The instruction sets that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// the baseline of the compilation target
    Portable,
    /// x86-64 with AVX2 and FMA
    Avx2,
    /// x86-64 with AVX-512: F, DQ and VL
    Avx512,
}

impl Level {
    /// The best level that this machine can run.
    pub fn best() -> Level {
        *Level::available().last().expect("the portable one is there")
    }

    /// The levels that this machine can run, the best one last.
    pub fn available() -> &'static [Level] {
        const ALL: [Level; 3] = [Level::Portable, Level::Avx2, Level::Avx512];
        &ALL[..Level::count()]
    }

    fn count() -> usize {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            let wide = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            return if wide { 3 } else { 2 };
        }
        1
    }
}

/// Largest error of a kernel, as tested.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Accuracy {
    /// units in the last place of the result, over the whole domain
    Ulp(f64),
    /// error relative to the larger of 1 and the result, where terms may cancel; see the function's comment
    Mixed(f64),
}

/// The body of one array kernel on numbers of type `$t`.
macro_rules! array_kernel {
    (one, $t:ty, $variant:ident, $f:path $(, $attr:meta)?) => {
        $(#[$attr])?
        pub unsafe extern "C" fn $variant(n: usize, x: *const $t, out: *mut $t) {
            // SAFETY: the caller's arrays have n elements, as the type says
            unsafe { map1!(n, x, out, $f) }
        }
    };
    (guarded($fast:path, $far:path), $t:ty, $variant:ident, $f:path $(, $attr:meta)?) => {
        $(#[$attr])?
        pub unsafe extern "C" fn $variant(n: usize, x: *const $t, out: *mut $t) {
            // SAFETY: the caller's arrays have n elements, as the type says
            unsafe { map1_guarded!(n, x, out, $f, $fast, $far) }
        }
    };
    (plain, $t:ty, $variant:ident, $f:path $(, $attr:meta)?) => {
        $(#[$attr])?
        pub unsafe extern "C" fn $variant(n: usize, x: *const $t, out: *mut $t) {
            // SAFETY: the caller's arrays have n elements, as the type says
            unsafe { plain1!(n, x, out, $f) }
        }
    };
    (plain_two, $t:ty, $variant:ident, $f:path $(, $attr:meta)?) => {
        $(#[$attr])?
        pub unsafe extern "C" fn $variant(n: usize, x: *const $t, y: *const $t, out: *mut $t) {
            // SAFETY: the caller's arrays have n elements, as the type says
            unsafe { plain2!(n, x, y, out, $f) }
        }
    };
    (two, $t:ty, $variant:ident, $f:path $(, $attr:meta)?) => {
        $(#[$attr])?
        pub unsafe extern "C" fn $variant(n: usize, x: *const $t, y: *const $t, out: *mut $t) {
            // SAFETY: the caller's arrays have n elements, as the type says
            unsafe { map2!(n, x, y, out, $f) }
        }
    };
}

/// A function of single precision from one of double precision: between two conversions, so rounded once more.
macro_rules! widened {
    ($name:ident, $f:path, one) => {
        #[inline(always)]
        fn $name(x: f32) -> f32 {
            $f(f64::from(x)) as f32
        }
    };
    ($name:ident, $f:path, two) => {
        #[inline(always)]
        fn $name(x: f32, y: f32) -> f32 {
            $f(f64::from(x), f64::from(y)) as f32
        }
    };
}

/// The array kernel in single precision: of a function of its own (in brackets), or of the double one.
macro_rules! single_kernel {
    ([$own:path, $near:path], guarded($fast:path, $far:path), $variant:ident, $f:path $(, $attr:meta)?) => {
        pub mod $variant {
            use super::*;
            array_kernel!(guarded($near, single::is_far), f32, kernel, $own $(, $attr)?);
        }
    };
    ([$own:path], guarded($fast:path, $far:path), $variant:ident, $f:path $(, $attr:meta)?) => {
        pub mod $variant {
            use super::*;
            array_kernel!(one, f32, kernel, $own $(, $attr)?);
        }
    };
    ([$own:path], $kind:ident, $variant:ident, $f:path $(, $attr:meta)?) => {
        pub mod $variant {
            use super::*;
            array_kernel!($kind, f32, kernel, $own $(, $attr)?);
        }
    };
    ([], guarded($fast:path, $far:path), $variant:ident, $f:path $(, $attr:meta)?) => {
        pub mod $variant {
            use super::*;
            widened!(all, $f, one);
            widened!(near, $fast, one);
            #[inline(always)]
            fn far(x: f32) -> bool {
                $far(f64::from(x))
            }
            array_kernel!(guarded(near, far), f32, kernel, all $(, $attr)?);
        }
    };
    ([], one, $variant:ident, $f:path $(, $attr:meta)?) => {
        pub mod $variant {
            use super::*;
            widened!(all, $f, one);
            array_kernel!(one, f32, kernel, all $(, $attr)?);
        }
    };
    ([], plain, $variant:ident, $f:path $(, $attr:meta)?) => {
        pub mod $variant {
            use super::*;
            widened!(all, $f, one);
            array_kernel!(plain, f32, kernel, all $(, $attr)?);
        }
    };
    ([], $kind:ident, $variant:ident, $f:path $(, $attr:meta)?) => {
        pub mod $variant {
            use super::*;
            widened!(all, $f, two);
            array_kernel!($kind, f32, kernel, all $(, $attr)?);
        }
    };
}

/// Largest error in single precision, in units in its last place.
macro_rules! single_ulp {
    () => {
        // rounded once more, where the first error moves a tie at most
        0.502
    };
    ($ulp:literal) => {
        $ulp
    };
}

macro_rules! arity {
    (two) => {
        2
    };
    (plain_two) => {
        2
    };
    ($kind:ident $(($fast:path, $far:path))?) => {
        1
    };
}

macro_rules! array_fn {
    (two, $f:path) => {
        KernelFn::Two($f)
    };
    (plain_two, $f:path) => {
        KernelFn::Two($f)
    };
    ($kind:ident $(($fast:path, $far:path))?, $f:path) => {
        KernelFn::One($f)
    };
}

/// One row for each kernel: variant, name, function, kind (`one` or `two` arguments, `plain` where vectors gain
/// nothing, `guarded` with its version for near arguments and what tells the others), accuracy; and, where there is one,
/// the function of single precision with its error in ulp.
macro_rules! kernels {
    ($($variant:ident $name:literal $f:path, $kind:ident $(($fast:path, $far:path))?, $accuracy:expr
        $(, single $ulp:literal $($own:path),+)?;)*) => {
        /// A function with kernels.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Kernel {
            $($variant,)*
        }

        #[allow(non_snake_case)]
        mod portable {
            use super::*;
            $(array_kernel!($kind $(($fast, $far))?, f64, $variant, $f);)*
        }

        #[allow(non_snake_case)]
        #[cfg(target_arch = "x86_64")]
        mod avx2 {
            use super::*;
            $(array_kernel!($kind $(($fast, $far))?, f64, $variant, $f, target_feature(enable = "avx2,fma"));)*
        }

        #[allow(non_snake_case)]
        #[cfg(target_arch = "x86_64")]
        mod avx512 {
            use super::*;
            $(array_kernel!($kind $(($fast, $far))?, f64, $variant, $f, target_feature(enable = "avx2,fma,avx512f,avx512dq,avx512vl"));)*
        }

        #[allow(non_snake_case)]
        mod portable_single {
            use super::*;
            $(single_kernel!([$($($own),+)?], $kind $(($fast, $far))?, $variant, $f);)*
        }

        #[allow(non_snake_case)]
        #[cfg(target_arch = "x86_64")]
        mod avx2_single {
            use super::*;
            $(single_kernel!([$($($own),+)?], $kind $(($fast, $far))?, $variant, $f, target_feature(enable = "avx2,fma"));)*
        }

        #[allow(non_snake_case)]
        #[cfg(target_arch = "x86_64")]
        mod avx512_single {
            use super::*;
            $(single_kernel!([$($($own),+)?], $kind $(($fast, $far))?, $variant, $f, target_feature(enable = "avx2,fma,avx512f,avx512dq,avx512vl"));)*
        }

        impl Kernel {
            /// All kernels, in the order of the table.
            pub const ALL: &[Kernel] = &[$(Kernel::$variant),*];

            /// Name in the language and in `--emit step`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Kernel::$variant => $name,)*
                }
            }

            /// Number of arguments, 1 or 2.
            pub const fn arity(self) -> usize {
                match self {
                    $(Kernel::$variant => arity!($kind $(($fast, $far))?),)*
                }
            }

            /// The stated accuracy.
            pub const fn accuracy(self) -> Accuracy {
                use Accuracy::*;
                match self {
                    $(Kernel::$variant => $accuracy,)*
                }
            }

            /// The stated accuracy in single precision, in ulp of the larger of the result and the smallest normal number.
            pub const fn accuracy_single(self) -> f64 {
                match self {
                    $(Kernel::$variant => single_ulp!($($ulp)?),)*
                }
            }

            /// The array kernel for `level`, which this machine must support.
            pub fn array_fn_at(self, level: Level) -> KernelFn {
                match (level, self) {
                    #[cfg(target_arch = "x86_64")]
                    $((Level::Avx2, Kernel::$variant) => array_fn!($kind $(($fast, $far))?, avx2::$variant),)*
                    #[cfg(target_arch = "x86_64")]
                    $((Level::Avx512, Kernel::$variant) => array_fn!($kind $(($fast, $far))?, avx512::$variant),)*
                    $((_, Kernel::$variant) => array_fn!($kind $(($fast, $far))?, portable::$variant),)*
                }
            }

            /// The array kernel in single precision for `level`, which this machine must support.
            pub fn array_fn_single_at(self, level: Level) -> KernelFn<f32> {
                match (level, self) {
                    #[cfg(target_arch = "x86_64")]
                    $((Level::Avx2, Kernel::$variant) => array_fn!($kind $(($fast, $far))?, avx2_single::$variant::kernel),)*
                    #[cfg(target_arch = "x86_64")]
                    $((Level::Avx512, Kernel::$variant) => array_fn!($kind $(($fast, $far))?, avx512_single::$variant::kernel),)*
                    $((_, Kernel::$variant) => array_fn!($kind $(($fast, $far))?, portable_single::$variant::kernel),)*
                }
            }
        }
    };
}

kernels! {
    Exp "exp" elementary::exp, guarded(elementary::exp_near, elementary::is_beyond_exp), Ulp(0.9), single 1.2 single::exp;
    Expm1 "expm1" elementary::expm1, guarded(elementary::expm1_near, elementary::is_beyond_expm1), Ulp(1.2), single 1.5 single::expm1;
    Log "log" elementary::log, one, Ulp(1.0), single 1.2 single::log;
    Log1p "log1p" elementary::log1p, one, Ulp(1.0), single 1.2 single::log1p;
    Sin "sin" elementary::sin, guarded(elementary::sin_fast, elementary::is_far), Ulp(1.0), single 1.0 single::sin, single::sin_fast;
    Cos "cos" elementary::cos, guarded(elementary::cos_fast, elementary::is_far), Ulp(1.0), single 1.0 single::cos, single::cos_fast;
    Tan "tan" elementary::tan, guarded(elementary::tan_fast, elementary::is_far), Ulp(1.2);
    Asin "asin" elementary::asin, one, Ulp(1.3);
    Acos "acos" elementary::acos, one, Ulp(1.3);
    Atan "atan" elementary::atan, one, Ulp(1.0);
    Atan2 "atan2" elementary::atan2, two, Ulp(1.5);
    Sinh "sinh" elementary::sinh, one, Ulp(1.0);
    Cosh "cosh" elementary::cosh, one, Ulp(1.0);
    Tanh "tanh" elementary::tanh, one, Ulp(1.0), single 1.2 single::tanh;
    Sqrt "sqrt" elementary::sqrt, one, Ulp(0.5);
    Cbrt "cbrt" elementary::cbrt, one, Ulp(0.6);
    Pow "pow" elementary::pow, two, Ulp(1.5);
    Erf "erf" elementary::erf, one, Ulp(1.0), single 1.5 single::erf;
    Erfc "erfc" elementary::erfc, one, Ulp(1.5);
    NormCdf "norm_cdf" elementary::norm_cdf, one, Ulp(1.5);
    Sigmoid "sigmoid" elementary::sigmoid, guarded(elementary::sigmoid_near, elementary::is_beyond_sigmoid), Ulp(1.0), single 1.0 single::sigmoid;
    Softplus "softplus" elementary::softplus, guarded(elementary::softplus_near, elementary::is_beyond_sigmoid), Ulp(1.5), single 1.5 single::softplus;
    Logaddexp "logaddexp" elementary::logaddexp, two, Mixed(5e-16);
    Logit "logit" elementary::logit, one, Ulp(1.5);
    Erfinv "erfinv" special::erfinv, one, Ulp(2.0);
    Lgamma "lgamma" special::lgamma, plain, Mixed(1e-15);
    Digamma "digamma" special::digamma, plain, Mixed(1e-15);
    Polygamma "polygamma" special::polygamma, plain_two, Mixed(4e-15);
    GammaP "gamma_p" special::gamma_p, plain_two, Mixed(1e-14);
    LogI0 "log_i0" special::log_i0, one, Ulp(2.0);
    BesselRatio "bessel_ratio" special::bessel_ratio, one, Ulp(4.0);
}

impl Kernel {
    /// The kernel of that name.
    pub fn by_name(name: &str) -> Option<Kernel> {
        Kernel::ALL.iter().copied().find(|k| k.name() == name)
    }

    /// The array kernel, compiled for the best instruction set of this machine.
    pub fn array_fn(self) -> KernelFn {
        self.array_fn_at(Level::best())
    }

    /// The array kernel in single precision, compiled for the best instruction set of this machine.
    pub fn array_fn_single(self) -> KernelFn<f32> {
        self.array_fn_single_at(Level::best())
    }

    /// The address of the array kernel in a precision, for compiled code.
    pub fn address(self, precision: Precision) -> usize {
        match precision {
            Precision::Single => self.array_fn_single().address(),
            Precision::Double => self.array_fn().address(),
        }
    }

    /// f(x), for a kernel of one argument.
    pub fn scalar1(self, x: f64) -> f64 {
        let KernelFn::One(f) = self.array_fn() else {
            panic!("{} has two arguments", self.name());
        };
        let mut out = 0.0;
        // SAFETY: one element each
        unsafe { f(1, &x, &mut out) };
        out
    }

    /// f(x, y), for a kernel of two arguments.
    pub fn scalar2(self, x: f64, y: f64) -> f64 {
        let KernelFn::Two(f) = self.array_fn() else {
            panic!("{} has one argument", self.name());
        };
        let mut out = 0.0;
        // SAFETY: one element each
        unsafe { f(1, &x, &y, &mut out) };
        out
    }
}
