//! Machine code by Cranelift: vectors of 128 bits (two lanes, or four of single precision), several of them
//! interleaved.
//!
//! The unsafe code of this back end is here and in what it calls through pointers: the compiled function gets the
//! addresses of a block's memory, whose extents have been checked against the program.

mod address;
mod function;
mod lanes;
mod scattered;
mod shape;

use std::ffi::c_void;
use std::mem::ManuallyDrop;

use ::cranelift::codegen::Context as CodegenContext;
use ::cranelift::codegen::isa::OwnedTargetIsa;
use ::cranelift::codegen::settings::{self, Configurable};
use ::cranelift::frontend::FunctionBuilderContext;
use ::cranelift::prelude::{AbiParam, types};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Linkage, Module, default_libcall_names};

use super::{Block, Code, check};
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
    first_path: u64,
    first_step: u64,
    key: [u64; 2],
}

type Entry = unsafe extern "C" fn(*const Context);

/// Machine code of a program. It holds the pages of the code until it is dropped.
pub struct Compiled {
    /// the code has the addresses of descriptions of calls in its body
    program: Program,
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
        check(&self.program, &block);
        if block.steps == 0 {
            return;
        }
        let context = Context {
            state: block.state.as_mut_ptr().cast(),
            out: block.out.as_mut_ptr().cast(),
            run: block.run.as_ptr(),
            step: block.step.as_ptr(),
            noise: block.noise.as_ptr().cast(),
            scratch: block.scratch.as_mut_ptr().cast(),
            row_bytes: (block.lanes * size_of::<T>()) as i64,
            steps: block.steps as i64,
            first_path: block.first_path,
            first_step: block.first_step,
            key: [block.key.0, block.key.1],
        };
        // SAFETY: `check` has compared the precision and the extents of all slices with those that the program was
        // compiled for, and the program's verifier that every address lies inside them
        unsafe { (self.entry)(&context) }
    }
}

/// Settings of the code generator. Errors are those of a machine that Cranelift does not know.
fn isa() -> Result<OwnedTargetIsa, String> {
    let mut flags = settings::builder();
    let set =
        |flags: &mut settings::Builder, name: &str, value: &str| flags.set(name, value).map_err(|e| e.to_string());
    set(&mut flags, "opt_level", shape::OPT_LEVEL)?;
    set(&mut flags, "is_pic", "false")?;
    set(&mut flags, "use_colocated_libcalls", "false")?;
    set(&mut flags, "unwind_info", "false")?;
    set(&mut flags, "enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" })?;
    let builder = cranelift_native::builder()?;
    builder.finish(settings::Flags::new(flags)).map_err(|e| e.to_string())
}

/// Whether vectors are multiplied and added with one rounding by an instruction; without it a program is interpreted.
fn has_fma() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::is_x86_feature_detected!("fma") && std::is_x86_feature_detected!("avx");
    #[cfg(not(target_arch = "x86_64"))]
    return cfg!(target_arch = "aarch64");
}

/// Compiles a program. Where the machine has no fused multiply-add on vectors, gives the interpreter, which has the
/// same results.
///
/// # Errors
/// What the code generator says; a program that verifies compiles.
pub fn compile<T: Lane>(program: &Program) -> Result<Box<dyn Code<T>>, String> {
    if !has_fma() {
        return Ok(Box::new(super::interpreter::Interpreter::new(program)));
    }
    let program = program.clone();
    let mut module = JITModule::new(JITBuilder::with_isa(isa()?, default_libcall_names()));
    let mut context = build(&program, &module);
    let id = module.declare_function("step", Linkage::Export, &context.func.signature).map_err(|e| e.to_string())?;
    let defined = module.define_function(id, &mut context).map_err(|e| format!("{e:?}"));
    if let Err(e) = defined.and_then(|_| module.finalize_definitions().map_err(|e| e.to_string())) {
        // SAFETY: no code of this module was or will be called
        unsafe { module.free_memory() };
        return Err(e);
    }
    let address = module.get_finalized_function(id);
    // SAFETY: the function was defined with the signature of `Entry`
    let entry = unsafe { std::mem::transmute::<*const u8, Entry>(address) };
    Ok(Box::new(Compiled { program, module: ManuallyDrop::new(module), entry }))
}

/// The function of a program in Cranelift's intermediate form.
fn build(program: &Program, module: &JITModule) -> CodegenContext {
    let mut context = module.make_context();
    context.func.signature.params.push(AbiParam::new(types::I64));
    let mut builder = FunctionBuilderContext::new();
    function::build(program, &mut context.func, &mut builder, module.target_config());
    context
}

/// The texts of `--emit clif` and `--emit asm`.
///
/// # Errors
/// As [`compile`].
pub fn texts(program: &Program) -> Result<(String, String), String> {
    let module = JITModule::new(JITBuilder::with_isa(isa()?, default_libcall_names()));
    let mut context = build(program, &module);
    let clif = context.func.display().to_string();
    context.set_disasm(true);
    let asm = match context.compile(module.isa(), &mut Default::default()) {
        Ok(code) => Ok(code.vcode.clone().unwrap_or_default()),
        Err(e) => Err(format!("{:?}", e.inner)),
    };
    // SAFETY: the module holds no code
    unsafe { module.free_memory() };
    Ok((clif, asm?))
}
