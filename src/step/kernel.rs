//! Elementary functions as the step program names them: the kernels, by operation.

use crate::kernels::lane::Lane;
pub use crate::kernels::table::{Kernel, KernelFn};
use crate::math::Op;

/// The kernel of an operation. Sums, products, comparisons and the like have none: they are instructions, as is the
/// square root.
pub fn kernel_of(op: Op) -> Option<Kernel> {
    if op == Op::Sqrt { None } else { Kernel::by_name(op.name()) }
}

/// The function of whole rows.
pub fn apply<T: Lane>(kernel: Kernel, args: &[&[T]]) -> Vec<T> {
    let mut out = vec![T::default(); args[0].len()];
    assert!(args.iter().all(|a| a.len() == out.len()) && args.len() == kernel.arity(), "rows of one length");
    // SAFETY: all rows have the length of the first
    match T::kernel(kernel) {
        KernelFn::One(f) => unsafe { f(out.len(), args[0].as_ptr(), out.as_mut_ptr()) },
        KernelFn::Two(f) => unsafe { f(out.len(), args[0].as_ptr(), args[1].as_ptr(), out.as_mut_ptr()) },
    }
    out
}
