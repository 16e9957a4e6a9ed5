//! Machine code of 256-bit vectors for x86-64 with AVX2 and FMA: an emitter of its own, as Cranelift has vectors of two
//! lanes. It takes programs of lane arithmetic, loops and calls of array kernels; for others `compile` gives nothing.
//!
//! The code follows the System V calling convention. Its unsafe parts are here: the compiled function gets the
//! addresses of a block's memory, whose extents have been checked against the program.

mod address;
mod allocate;
mod elementary;
mod emit;
mod encode;
mod expand;
mod instruction;
mod shape;
mod uses;
mod vector;
mod waiting;

use std::ffi::c_void;
use std::mem::ManuallyDrop;

use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Linkage, Module, default_libcall_names};

use crate::backend::{Block, Code};
use crate::kernels::lane::Lane;
use crate::step::Program;

/// What the compiled function gets: addresses and extents of a block's memory.
#[repr(C)]
struct Context {
    state: *mut c_void,
    out: *mut c_void,
    run: *const f64,
    step: *const f64,
    noise: *const c_void,
    scratch: *mut c_void,
    /// bytes from one row to the next
    row_bytes: i64,
    steps: i64,
    /// bytes from the outs of one step to those of the next
    out_bytes: i64,
}

type Entry = unsafe extern "sysv64" fn(*const Context);

/// Machine code of a program. It holds the pages of the code until it is dropped.
struct Compiled {
    program: Program,
    /// the outs of all steps are kept, one after the other
    traced: bool,
    module: ManuallyDrop<JITModule>,
    entry: Entry,
}

// SAFETY: the module is not touched between construction and drop; the code itself only reads its own constants and
// the memory that a call is given, so it may run on many threads at once.
unsafe impl Sync for Compiled {}

impl Drop for Compiled {
    fn drop(&mut self) {
        // SAFETY: nobody can call the code any more, and the module is not used after this
        unsafe { ManuallyDrop::take(&mut self.module).free_memory() }
    }
}

impl<T: Lane> Code<T> for Compiled {
    fn run(&self, block: Block<'_, T>) {
        crate::backend::check(&self.program, &block);
        if block.steps == 0 {
            return;
        }
        let row_bytes = block.lanes * size_of::<T>();
        let out_bytes = if self.traced { self.program.out_rows * row_bytes } else { 0 };
        assert!(block.steps * out_bytes <= size_of_val(block.out), "rows for the outs of all steps");
        let context = Context {
            state: block.state.as_mut_ptr().cast(),
            out: block.out.as_mut_ptr().cast(),
            run: block.run.as_ptr(),
            step: block.step.as_ptr(),
            noise: block.noise.as_ptr().cast(),
            scratch: block.scratch.as_mut_ptr().cast(),
            row_bytes: row_bytes as i64,
            steps: block.steps as i64,
            out_bytes: out_bytes as i64,
        };
        // SAFETY: `check` has compared the precision and the extents of all slices with those that the program was compiled
        // for, and the program's verifier that every address lies inside them; the outs of all steps were asked for above
        unsafe { (self.entry)(&context) }
    }

    fn traced(&self) -> Option<Box<dyn Code<T>>> {
        Some(Box::new(build(&self.program.traced()?, true)?))
    }
}

/// Whether this machine runs the code.
pub fn is_available() -> bool {
    #[cfg(all(target_arch = "x86_64", unix))]
    return std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma");
    #[cfg(not(all(target_arch = "x86_64", unix)))]
    return false;
}

/// Compiles a program, if the machine has the instructions and the emitter knows all that is in it.
pub fn compile<T: Lane>(program: &Program) -> Option<Box<dyn Code<T>>> {
    if !is_available() {
        return None;
    }
    Some(Box::new(build(program, false)?))
}

fn build(program: &Program, traced: bool) -> Option<Compiled> {
    let (bytes, _) = emit::emit(program, shape::Layout::of(program)?, false)?;
    let mut module = JITModule::new(JITBuilder::new(default_libcall_names()).ok()?);
    let Some(address) = define(&mut module, &bytes) else {
        // SAFETY: no code of this module was or will be called
        unsafe { module.free_memory() };
        return None;
    };
    // SAFETY: the bytes are a function with the signature of `Entry`, and need no relocations
    let entry = unsafe { std::mem::transmute::<*const u8, Entry>(address) };
    Some(Compiled { program: program.clone(), traced, module: ManuallyDrop::new(module), entry })
}

/// Makes the bytes executable; gives their address.
fn define(module: &mut JITModule, bytes: &[u8]) -> Option<*const u8> {
    let signature = module.make_signature();
    let id = module.declare_function("step", Linkage::Export, &signature).ok()?;
    module.define_function_bytes(id, 64, bytes, &[]).ok()?;
    module.finalize_definitions().ok()?;
    Some(module.get_finalized_function(id))
}

/// A line for each instruction, if there is code for the program.
pub fn text(program: &Program) -> Option<String> {
    if !is_available() {
        return None;
    }
    let (_, text) = emit::emit(program, shape::Layout::of(program)?, true)?;
    Some(text)
}
