//! Elementary functions as the step program names them.
//!
//! A stand-in with the shape of `crate::kernels` until that is there.

use crate::math::Op;

/// An elementary function.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kernel {
    Exp,
    Log,
    Sin,
    Cos,
    Tanh,
    Sigmoid,
    Softplus,
    Pow,
    Atan2,
}

pub type One = unsafe extern "C" fn(usize, *const f64, *mut f64);
pub type Two = unsafe extern "C" fn(usize, *const f64, *const f64, *mut f64);

/// Applies a function to arrays. Input and output may be the same array.
#[derive(Copy, Clone)]
pub enum KernelFn {
    One(One),
    Two(Two),
}

macro_rules! one {
    ($name:ident, $f:expr) => {
        unsafe extern "C" fn $name(n: usize, x: *const f64, out: *mut f64) {
            let f: fn(f64) -> f64 = $f;
            for i in 0..n {
                // SAFETY: the caller gives n readable and n writable elements
                unsafe { *out.add(i) = f(*x.add(i)) }
            }
        }
    };
}

macro_rules! two {
    ($name:ident, $f:expr) => {
        unsafe extern "C" fn $name(n: usize, x: *const f64, y: *const f64, out: *mut f64) {
            let f: fn(f64, f64) -> f64 = $f;
            for i in 0..n {
                // SAFETY: as above
                unsafe { *out.add(i) = f(*x.add(i), *y.add(i)) }
            }
        }
    };
}

one!(exp, libm::exp);
one!(log, libm::log);
one!(sin, libm::sin);
one!(cos, libm::cos);
one!(tanh, libm::tanh);
one!(sigmoid, |x| 1.0 / (1.0 + libm::exp(-x)));
one!(softplus, |x| libm::log1p(libm::exp(x)));
two!(pow, libm::pow);
two!(atan2, libm::atan2);

impl Kernel {
    pub fn of(op: Op) -> Option<Kernel> {
        Some(match op {
            Op::Exp => Kernel::Exp,
            Op::Log => Kernel::Log,
            Op::Sin => Kernel::Sin,
            Op::Cos => Kernel::Cos,
            Op::Tanh => Kernel::Tanh,
            Op::Sigmoid => Kernel::Sigmoid,
            Op::Softplus => Kernel::Softplus,
            Op::Pow => Kernel::Pow,
            Op::Atan2 => Kernel::Atan2,
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Kernel::Exp => "exp",
            Kernel::Log => "log",
            Kernel::Sin => "sin",
            Kernel::Cos => "cos",
            Kernel::Tanh => "tanh",
            Kernel::Sigmoid => "sigmoid",
            Kernel::Softplus => "softplus",
            Kernel::Pow => "pow",
            Kernel::Atan2 => "atan2",
        }
    }

    pub fn array_fn(self) -> KernelFn {
        match self {
            Kernel::Exp => KernelFn::One(exp),
            Kernel::Log => KernelFn::One(log),
            Kernel::Sin => KernelFn::One(sin),
            Kernel::Cos => KernelFn::One(cos),
            Kernel::Tanh => KernelFn::One(tanh),
            Kernel::Sigmoid => KernelFn::One(sigmoid),
            Kernel::Softplus => KernelFn::One(softplus),
            Kernel::Pow => KernelFn::Two(pow),
            Kernel::Atan2 => KernelFn::Two(atan2),
        }
    }
}

/// The function of whole rows.
pub fn apply(kernel: Kernel, args: &[&[f64]]) -> Vec<f64> {
    let mut out = vec![0.0; args[0].len()];
    // SAFETY: all rows have the length of the first
    match kernel.array_fn() {
        KernelFn::One(f) => unsafe { f(out.len(), args[0].as_ptr(), out.as_mut_ptr()) },
        KernelFn::Two(f) => {
            assert_eq!(args[0].len(), args[1].len());
            unsafe { f(out.len(), args[0].as_ptr(), args[1].as_ptr(), out.as_mut_ptr()) }
        }
    }
    out
}
