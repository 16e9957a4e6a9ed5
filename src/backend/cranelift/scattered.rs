//! Memory at places that differ from lane to lane, and native functions that work lane by lane.

use std::mem::offset_of;

use ::cranelift::prelude::*;

use super::Context;
use super::address::Place;
use super::function::{Emitter, Slot};
use crate::backend::native;
use crate::kernels::lane::Lane;
use crate::kernels::product::{self, Operands};
use crate::step::program::{self as step, DenseCall, Factor, Index, Precision, Product, Reg, SampleCall, Space};

impl Emitter<'_, '_> {
    /// Each lane loads from a place of its own.
    pub fn gather(&mut self, dst: Reg, value: &step::Value) {
        let vectors = self.window.clone().map(|v| self.gather_vector(value, v)).collect();
        self.set(dst, vectors);
    }

    fn gather_vector(&mut self, value: &step::Value, v: usize) -> Value {
        let mut vector = self.splat(0.0);
        for lane in 0..self.layout.lanes_of_vector() {
            let place = match value {
                step::Value::Gather { space, first, len, at } => {
                    let place = self.row(*space, first);
                    let bytes = self.row_distance(*space);
                    let place = self.lane_place(place, bytes, *at, *len, v, lane);
                    Place { offset: place.offset + self.lane_offset(v, lane), ..place }
                }
                step::Value::GatherCell { table, first, len, at } => {
                    let place = self.cell(*table, first);
                    let bytes = self.b.ins().iconst(types::I64, size_of::<f64>() as i64);
                    self.lane_place(place, bytes, *at, *len, v, lane)
                }
                _ => unreachable!("a gather"),
            };
            let flags = self.reading();
            let number = if matches!(value, step::Value::GatherCell { .. }) {
                let number = self.b.ins().load(types::F64, flags, place.base, place.offset);
                self.rounded(number)
            } else {
                let number = self.number();
                self.b.ins().load(number, flags, place.base, place.offset)
            };
            vector = self.b.ins().insertlane(vector, number, lane as u8);
        }
        vector
    }

    /// Bytes from vector 0 of a row to a lane.
    fn lane_offset(&self, v: usize, lane: usize) -> i32 {
        (16 * v + self.layout.lane_bytes * lane) as i32
    }

    /// Bytes from one row to the next.
    fn row_distance(&mut self, space: Space) -> Value {
        match space {
            Space::Out | Space::Draw => self.base.row_bytes,
            Space::State | Space::Next | Space::Scratch => {
                self.b.ins().iconst(types::I64, self.layout.row_bytes() as i64)
            }
        }
    }

    /// The place that is a lane's number `at` steps on, brought into `0..len`.
    fn lane_place(&mut self, place: Place, step: Value, at: Reg, len: usize, v: usize, lane: usize) -> Place {
        let at = self.get(at, v);
        let at = self.b.ins().extractlane(at, lane as u8);
        // NaN becomes 0
        let at = self.b.ins().fcvt_to_sint_sat(types::I64, at);
        let zero = self.b.ins().iconst(types::I64, 0);
        let top = self.b.ins().iconst(types::I64, len as i64 - 1);
        let at = self.b.ins().smax(at, zero);
        let at = self.b.ins().smin(at, top);
        let bytes = self.b.ins().imul(at, step);
        Place { base: self.b.ins().iadd(place.base, bytes), offset: place.offset }
    }

    /// Each lane adds to a row of its own; lanes whose place is not inside add nothing.
    pub fn scatter_add(&mut self, first: &Index, len: usize, at: Reg, value: Reg) {
        for v in self.window.clone() {
            for lane in 0..self.layout.lanes_of_vector() {
                self.scatter_lane(first, len, at, value, v, lane);
            }
        }
    }

    fn scatter_lane(&mut self, first: &Index, len: usize, at: Reg, value: Reg, v: usize, lane: usize) {
        let (number, added) = (self.get(at, v), self.get(value, v));
        let number = self.b.ins().extractlane(number, lane as u8);
        let number = self.widened(number);
        let added = self.b.ins().extractlane(added, lane as u8);
        let (zero, end) = (self.b.ins().f64const(0.0), self.b.ins().f64const(len as f64));
        let low = self.b.ins().fcmp(FloatCC::LessThanOrEqual, zero, number);
        let high = self.b.ins().fcmp(FloatCC::LessThan, number, end);
        let inside = self.b.ins().band(low, high);
        let place = self.row(Space::Scratch, first);
        let bytes = self.row_distance(Space::Scratch);
        let place = self.lane_place(place, bytes, at, len, v, lane);
        let offset = place.offset + self.lane_offset(v, lane);
        let flags = self.reading();
        let ty = self.number();
        let old = self.b.ins().load(ty, flags, place.base, offset);
        let sum = self.b.ins().fadd(old, added);
        let new = self.b.ins().select(inside, sum, old);
        let flags = self.writing();
        self.b.ins().store(flags, new, place.base, offset);
    }

    /// Dense algebra by a native function on the group's scratch rows. The description is part of the program, which
    /// lives as long as its code.
    pub fn dense(&mut self, call: &DenseCall) {
        let call = self.b.ins().iconst(types::I64, std::ptr::from_ref(call) as i64);
        let rows = self.b.ins().iconst(types::I64, self.program.body_scratch as i64);
        let lanes = self.b.ins().iconst(types::I64, self.layout.lanes() as i64);
        let scratch = self.base.scratch;
        let function = match self.program.precision {
            Precision::Single => dense_rows::<f32> as *const (),
            Precision::Double => dense_rows::<f64> as *const (),
        };
        self.native(function as usize, &[call, scratch, rows, lanes]);
    }

    /// A product by a native kernel: a description of the operands goes to the stack.
    pub fn product(&mut self, p: &Product) {
        let one = self.b.ins().iconst(types::I64, 1);
        let (a, a_row, table) = match &p.a {
            Factor::Cells(table, first) => (self.cell(*table, first), one, true),
            Factor::Rows(space, first) => (self.row(*space, first), self.row_length(*space), false),
        };
        let (x, out) = (self.row(p.space, &p.x), self.row(Space::Scratch, &p.out));
        let (x_row, out_row) = (self.row_length(p.space), self.row_length(Space::Scratch));
        let lanes = self.b.ins().iconst(types::I64, self.layout.lanes() as i64);
        let [a, x, out] = [a, x, out].map(|place| self.b.ins().iadd_imm_s(place.base, i64::from(place.offset)));
        let first = self.stack.rows(1, size_of::<Operands<f64>>());
        let (base, flags) = (self.stack.base, self.writing());
        let mut put = |word, offset| {
            self.b.ins().store(flags, word, base, first + offset as i32);
        };
        put(a, offset_of!(Operands<f64>, a));
        put(x, offset_of!(Operands<f64>, x));
        put(out, offset_of!(Operands<f64>, out));
        put(a_row, offset_of!(Operands<f64>, a_row));
        put(x_row, offset_of!(Operands<f64>, x_row));
        put(out_row, offset_of!(Operands<f64>, out_row));
        put(lanes, offset_of!(Operands<f64>, lanes));
        let shape = self.b.ins().iconst(types::I64, std::ptr::from_ref(&p.shape) as i64);
        let operands = self.b.ins().iadd_imm_s(base, i64::from(first));
        self.native(product::address(self.program.precision, table), &[shape, operands]);
    }

    /// Numbers from one row to the next.
    fn row_length(&mut self, space: Space) -> Value {
        let bytes = self.row_distance(space);
        let shift = self.program.precision.bytes().trailing_zeros();
        self.b.ins().ushr_imm_u(bytes, i64::from(shift))
    }

    /// Draws with parameters by a native function; where the group is goes to the stack after the room for the result.
    pub fn sample(&mut self, call: &SampleCall) {
        let row = self.layout.row_bytes();
        let first = self.stack.rows(1, row + size_of::<GroupPlace>());
        let base = self.stack.base;
        let component = self.index(&call.component);
        let flags = self.writing();
        for (k, word) in [self.base.offset, self.base.left, component].into_iter().enumerate() {
            self.b.ins().store(flags, word, base, first + (row + 8 * k) as i32);
        }
        let params = self.row(Space::Scratch, &call.first);
        let params = self.b.ins().iadd_imm_s(params.base, i64::from(params.offset));
        let description = self.b.ins().iconst(types::I64, std::ptr::from_ref(call) as i64);
        let area = self.b.ins().iadd_imm_s(base, i64::from(first));
        let place = self.b.ins().iadd_imm_s(area, row as i64);
        let lanes = self.b.ins().iconst(types::I64, self.layout.lanes() as i64);
        let context = self.base.context;
        let function = match self.program.precision {
            Precision::Single => sample_rows::<f32> as *const (),
            Precision::Double => sample_rows::<f64> as *const (),
        };
        self.native(function as usize, &[description, context, place, params, lanes, area]);
        self.slots[call.dst.0 as usize] = Slot::Row(first);
    }
}

/// Where a group is, written to the stack for the draws.
#[repr(C)]
pub struct GroupPlace {
    /// bytes from the first lane of the block
    offset: u64,
    /// steps still to do, this one included
    left: u64,
    component: u64,
}

/// Called by compiled code: draws for the lanes of a group, by their coordinates.
///
/// # Safety
/// `call` points to a description, `context` to the context of the call, `place` to where the group is; `params` to as
/// many rows of `lanes` numbers as the description says, `out` to one.
pub unsafe extern "C" fn sample_rows<T: Lane>(
    call: *const SampleCall,
    context: *const Context,
    place: *const GroupPlace,
    params: *const T,
    lanes: usize,
    out: *mut T,
) {
    // SAFETY: as above; `out` is stack memory of the caller, apart from the parameters
    unsafe {
        let (call, context, place) = (&*call, &*context, &*place);
        let origin = native::Origin {
            key: (context.key[0], context.key[1]),
            path: context.first_path + place.offset / size_of::<T>() as u64,
            step: context.first_step + (context.steps as u64 - place.left),
            component: place.component as u32,
        };
        let params = std::slice::from_raw_parts(params, call.len * lanes);
        native::sample(call, origin, params, std::slice::from_raw_parts_mut(out, lanes));
    }
}

/// Called by compiled code: dense algebra on the scratch rows of a group.
///
/// # Safety
/// `call` points to a description, `scratch` to `rows` rows of `lanes` numbers that nothing else touches.
pub unsafe extern "C" fn dense_rows<T: Lane>(call: *const DenseCall, scratch: *mut T, rows: usize, lanes: usize) {
    // SAFETY: as above; the description is kept by the code that calls
    let (call, scratch) = unsafe { (&*call, std::slice::from_raw_parts_mut(scratch, rows * lanes)) };
    native::dense(call, scratch, lanes);
}
