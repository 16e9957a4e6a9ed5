//! The numbers that programs compute with: double or single precision.

use std::fmt::{Debug, LowerExp};
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::table::{Kernel, KernelFn};
use super::welford;

/// The precision of states and steps. Tables, times and statistics are always double.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    Single,
    #[default]
    Double,
}

impl Precision {
    pub fn by_name(name: &str) -> Option<Precision> {
        [Precision::Single, Precision::Double].into_iter().find(|p| p.name() == name)
    }

    /// As it is written in a program.
    pub const fn name(self) -> &'static str {
        match self {
            Precision::Single => "f32",
            Precision::Double => "f64",
        }
    }

    /// Bytes of a number.
    pub const fn bytes(self) -> usize {
        match self {
            Precision::Single => 4,
            Precision::Double => 8,
        }
    }

    /// Blocks have a multiple of this many lanes: two vectors of 256 bits.
    pub const fn lane_multiple(self) -> usize {
        64 / self.bytes()
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// Rows of either kind.
pub enum RowsMut<'a> {
    Single(&'a mut [f32]),
    Double(&'a mut [f64]),
}

/// What a lane holds: f32 or f64. Each operation is that of IEEE 754 in its own format, rounded once.
pub trait Lane:
    sealed::Sealed
    + Copy
    + Debug
    + LowerExp
    + Default
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + 'static
{
    const PRECISION: Precision;

    /// The nearest number.
    fn of(x: f64) -> Self;
    /// The same number.
    fn wide(self) -> f64;
    /// `self*b + c`, rounded once.
    fn mul_add(self, b: Self, c: Self) -> Self;
    fn abs(self) -> Self;
    fn floor(self) -> Self;
    fn ceil(self) -> Self;
    fn sqrt(self) -> Self;
    fn is_nan(self) -> bool;
    /// The array kernel of a function.
    fn kernel(kernel: Kernel) -> KernelFn<Self>;
    /// Rows, with their kind told.
    fn rows(rows: &mut [Self]) -> RowsMut<'_>;
    /// Makes `wide` the numbers of `rows`: for f64 the rows themselves, until they are taken back.
    fn lend(rows: &mut Vec<Self>, wide: &mut Vec<f64>);
    /// Whether all numbers are finite.
    fn all_finite(rows: &[Self]) -> bool;
    /// Ends [`Lane::lend`].
    fn take_back(rows: &mut Vec<Self>, wide: &mut Vec<f64>);
}

macro_rules! operations {
    ($float:ident) => {
        #[inline(always)]
        fn mul_add(self, b: Self, c: Self) -> Self {
            $float::mul_add(self, b, c)
        }

        #[inline(always)]
        fn abs(self) -> Self {
            $float::abs(self)
        }

        #[inline(always)]
        fn floor(self) -> Self {
            $float::floor(self)
        }

        #[inline(always)]
        fn ceil(self) -> Self {
            $float::ceil(self)
        }

        #[inline(always)]
        fn sqrt(self) -> Self {
            $float::sqrt(self)
        }

        #[inline(always)]
        fn is_nan(self) -> bool {
            $float::is_nan(self)
        }
    };
}

impl Lane for f64 {
    const PRECISION: Precision = Precision::Double;

    operations!(f64);

    #[inline(always)]
    fn of(x: f64) -> f64 {
        x
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }

    fn kernel(kernel: Kernel) -> KernelFn {
        kernel.array_fn()
    }

    fn rows(rows: &mut [f64]) -> RowsMut<'_> {
        RowsMut::Double(rows)
    }

    fn lend(rows: &mut Vec<f64>, wide: &mut Vec<f64>) {
        std::mem::swap(rows, wide);
    }

    fn all_finite(rows: &[f64]) -> bool {
        welford::all_finite(rows)
    }

    fn take_back(rows: &mut Vec<f64>, wide: &mut Vec<f64>) {
        std::mem::swap(rows, wide);
    }
}

impl Lane for f32 {
    const PRECISION: Precision = Precision::Single;

    operations!(f32);

    #[inline(always)]
    fn of(x: f64) -> f32 {
        x as f32
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }

    fn kernel(kernel: Kernel) -> KernelFn<f32> {
        kernel.array_fn_single()
    }

    fn rows(rows: &mut [f32]) -> RowsMut<'_> {
        RowsMut::Single(rows)
    }

    fn lend(rows: &mut Vec<f32>, wide: &mut Vec<f64>) {
        wide.clear();
        wide.extend(rows.iter().map(|x| f64::from(*x)));
    }

    fn all_finite(rows: &[f32]) -> bool {
        // as `welford::all_finite`, bit by bit so that the order does not matter
        rows.iter().fold(0, |bits, x| bits | (x * 0.0).to_bits()) << 1 == 0
    }

    fn take_back(_rows: &mut Vec<f32>, _wide: &mut Vec<f64>) {}
}
