//! Products of matrices with rows of lanes: `out[i, c] = sum over j of a[i, j] * x[j, c]`, lane by lane.
//!
//! The order of each sum is fixed. Terms with an even and with an odd `j` have an accumulator each, which starts at -0
//! and takes its terms in order, product and sum rounded once; at the end the odd one is added to the even one. That is
//! the order of the sums that are written out, so it does not matter which way a sum is done.
//!
//! The kernel for AVX2 works on tiles of outputs whose accumulators stay in registers: twelve are enough to hide the
//! latency of the fused multiply-add, and a load then serves several of them (Goto and van de Geijn, "Anatomy of
//! high-performance matrix multiplication", 2008). A tile does the even terms first and the odd ones after them.

use std::ffi::c_void;

use super::lane::{Lane, Precision};
use super::table::Level;

/// Extents of a product, and the steps from one element to the next along each of its indices.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Shape {
    /// extents of `i`, `j`, `c`
    pub rows: usize,
    pub terms: usize,
    pub columns: usize,
    /// steps of `a` along `i` and `j`
    pub a: [usize; 2],
    /// steps of `x` along `j` and `c`, in rows
    pub x: [usize; 2],
    /// steps of `out` along `i` and `c`, in rows
    pub out: [usize; 2],
}

impl Shape {
    /// How many elements `a`, `x` and `out` reach over, from the first to the last.
    pub fn reaches(&self) -> [usize; 3] {
        let reach = |n: [usize; 2], d: [usize; 2]| (n[0] - 1) * d[0] + (n[1] - 1) * d[1] + 1;
        [
            reach([self.rows, self.terms], self.a),
            reach([self.terms, self.columns], self.x),
            reach([self.rows, self.columns], self.out),
        ]
    }
}

/// Where the operands of a product are. Distances are in numbers.
#[derive(Copy, Clone, Debug)]
#[repr(C)]
pub struct Operands<T = f64> {
    /// cells of a table, which are double whatever the precision of the rows is, or rows
    pub a: *const c_void,
    pub x: *const T,
    pub out: *mut T,
    /// from one element of `a` to the next: 1 for a table, else the length of its rows
    pub a_row: usize,
    pub x_row: usize,
    pub out_row: usize,
    pub lanes: usize,
}

/// A product by the descriptions of its extents and of its operands. Never unwinds.
///
/// Callers see to it that `a` and `x` are valid for reads at all places that the extents reach, `lanes` numbers at each
/// (one for a table); that `out` is valid for writes likewise, and apart from both.
pub type ProductFn<T = f64> = unsafe extern "C" fn(shape: *const Shape, operands: *const Operands<T>);

/// The address of the kernel for this machine: of a table of numbers with rows, or of rows with rows.
pub fn address(precision: Precision, table: bool) -> usize {
    match precision {
        Precision::Double => product_fn_at(Level::best(), table) as usize,
        Precision::Single => single_fn_at(Level::best(), table) as usize,
    }
}

/// The kernel of single precision for `level`, which this machine must support.
pub fn single_fn_at(level: Level, table: bool) -> ProductFn<f32> {
    match (level, table) {
        #[cfg(target_arch = "x86_64")]
        (Level::Avx2 | Level::Avx512, true) => avx2_single::of_table,
        #[cfg(target_arch = "x86_64")]
        (Level::Avx2 | Level::Avx512, false) => avx2_single::of_rows,
        (_, true) => portable::<f32, true>,
        (_, false) => portable::<f32, false>,
    }
}

/// The kernel of double precision for `level`, which this machine must support.
pub fn product_fn_at(level: Level, table: bool) -> ProductFn {
    match (level, table) {
        #[cfg(target_arch = "x86_64")]
        (Level::Avx2 | Level::Avx512, true) => avx2::of_table,
        #[cfg(target_arch = "x86_64")]
        (Level::Avx2 | Level::Avx512, false) => avx2::of_rows,
        (_, true) => portable::<f64, true>,
        (_, false) => portable::<f64, false>,
    }
}

/// Lanes that the plain loops take at a time.
const LANES: usize = 8;

/// As [`ProductFn`]. `TABLE`: one number of `a` for all lanes.
///
/// # Safety
/// As [`ProductFn`].
#[inline(always)]
unsafe fn plain<T: Lane, const TABLE: bool>(s: &Shape, o: &Operands<T>) {
    // SAFETY: all places that are read or written are within the extents; lanes come in multiples of eight
    unsafe {
        for i in 0..s.rows {
            for c in 0..s.columns {
                for lane in (0..o.lanes).step_by(LANES) {
                    let mut sums = [[T::of(-0.0); LANES]; 2];
                    for j in 0..s.terms {
                        let at = (i * s.a[0] + j * s.a[1]) * o.a_row;
                        let x = o.x.add((j * s.x[0] + c * s.x[1]) * o.x_row + lane);
                        for (k, sum) in sums[j % 2].iter_mut().enumerate() {
                            let factor = match TABLE {
                                true => T::of(*o.a.cast::<f64>().add(at)),
                                false => *o.a.cast::<T>().add(at + lane + k),
                            };
                            *sum = factor.mul_add(*x.add(k), *sum);
                        }
                    }
                    let out = o.out.add((i * s.out[0] + c * s.out[1]) * o.out_row + lane);
                    let [even, odd] = sums;
                    for (k, (a, b)) in even.into_iter().zip(odd).enumerate() {
                        *out.add(k) = a + b;
                    }
                }
            }
        }
    }
}

/// As [`ProductFn`].
unsafe extern "C" fn portable<T: Lane, const TABLE: bool>(shape: *const Shape, operands: *const Operands<T>) {
    // SAFETY: as the type says
    unsafe { plain::<T, TABLE>(&*shape, &*operands) }
}

/// Names for the instructions of each precision.
#[cfg(target_arch = "x86_64")]
mod double {
    pub use std::arch::x86_64::{
        __m256d as Vector, _mm256_add_pd as add, _mm256_broadcast_sd as cell, _mm256_fmadd_pd as fma,
        _mm256_loadu_pd as load, _mm256_set1_pd as all, _mm256_storeu_pd as store,
    };
    pub type Real = f64;
    /// Numbers of a vector.
    pub const WIDTH: usize = 4;
}

/// As `double`.
#[cfg(target_arch = "x86_64")]
mod single {
    pub use std::arch::x86_64::{
        __m256 as Vector, _mm256_add_ps as add, _mm256_fmadd_ps as fma, _mm256_loadu_ps as load, _mm256_set1_ps as all,
        _mm256_storeu_ps as store,
    };
    pub type Real = f32;
    pub const WIDTH: usize = 8;

    /// A number of a table in all lanes.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn cell(x: &f64) -> Vector {
        all(*x as f32)
    }
}

/// The kernels by AVX2 and FMA in one precision.
#[cfg(target_arch = "x86_64")]
macro_rules! tiles {
    ($name:ident, $numbers:ident) => {
        // an index runs over several arrays at once
        #[allow(clippy::needless_range_loop)]
        mod $name {
            use super::$numbers::*;
            use super::{Operands, Shape, c_void, plain};

            /// Output rows of a tile at most, by its columns.
            const TALLEST: usize = 6;
            const TALLEST_WIDE: usize = 4;
            /// Columns of a tile of rows with rows.
            const WIDEST: usize = 3;

            /// The first places of a tile, and steps in numbers.
            #[derive(Copy, Clone)]
            struct Tile {
                /// cells or numbers
                a: *const c_void,
                x: *const Real,
                out: *mut Real,
                terms: usize,
                /// along the rows and the terms
                a_steps: [usize; 2],
                /// along the terms and the columns
                x_steps: [usize; 2],
                /// along the rows and the columns
                out_steps: [usize; 2],
            }

            /// So many elements of the left factor on.
            #[inline(always)]
            fn moved<const TABLE: bool>(a: *const c_void, by: usize) -> *const c_void {
                a.wrapping_byte_add(by * if TABLE { size_of::<f64>() } else { size_of::<Real>() })
            }

            /// Accumulators of `R` rows, `C` columns and `V` vectors of lanes.
            type Sums<const R: usize, const C: usize, const V: usize> = [[[Vector; V]; C]; R];

            impl Tile {
                fn of(s: &Shape, o: &Operands<Real>) -> Tile {
                    Tile {
                        a: o.a,
                        x: o.x,
                        out: o.out,
                        terms: s.terms,
                        a_steps: s.a.map(|d| d * o.a_row),
                        x_steps: s.x.map(|d| d * o.x_row),
                        out_steps: s.out.map(|d| d * o.out_row),
                    }
                }

                /// The tile whose first output is row `i` and column `c`, at `lane`.
                ///
                /// # Safety
                /// There is such an output.
                unsafe fn at<const TABLE: bool>(&self, i: usize, c: usize, lane: usize) -> Tile {
                    // SAFETY: places of an output that exists
                    unsafe {
                        Tile {
                            a: moved::<TABLE>(self.a, i * self.a_steps[0] + if TABLE { 0 } else { lane }),
                            x: self.x.add(c * self.x_steps[1] + lane),
                            out: self.out.add(i * self.out_steps[0] + c * self.out_steps[1] + lane),
                            ..*self
                        }
                    }
                }
            }

            /// Adds one term to each accumulator; `a` and `x` are where it begins.
            ///
            /// # Safety
            /// The term is one of the tile.
            #[inline]
            #[target_feature(enable = "avx2,fma")]
            unsafe fn add_term<const TABLE: bool, const R: usize, const C: usize, const V: usize>(
                t: &Tile,
                a: *const c_void,
                x: *const Real,
                sums: &mut Sums<R, C, V>,
            ) {
                // SAFETY: elements of the term for the rows, columns and lanes of the tile
                unsafe {
                    let mut xs = [[all(0.0); V]; C];
                    for c in 0..C {
                        for v in 0..V {
                            xs[c][v] = load(x.add(c * t.x_steps[1] + v * WIDTH));
                        }
                    }
                    for r in 0..R {
                        for v in 0..V {
                            let factor = match TABLE {
                                true => cell(&*a.cast::<f64>().add(r * t.a_steps[0])),
                                false => load(a.cast::<Real>().add(r * t.a_steps[0] + v * WIDTH)),
                            };
                            for c in 0..C {
                                sums[r][c][v] = fma(factor, xs[c][v], sums[r][c][v]);
                            }
                        }
                    }
                }
            }

            /// Every other term from `first` on.
            ///
            /// # Safety
            /// The tile lies inside the operands.
            #[inline]
            #[target_feature(enable = "avx2,fma")]
            unsafe fn chain<const TABLE: bool, const R: usize, const C: usize, const V: usize>(
                t: &Tile,
                first: usize,
            ) -> Sums<R, C, V> {
                let mut sums = [[[all(-0.0); V]; C]; R];
                let mut a = moved::<TABLE>(t.a, first * t.a_steps[1]);
                let mut x = t.x.wrapping_add(first * t.x_steps[0]);
                for _ in 0..(t.terms + 1 - first) / 2 {
                    // SAFETY: a term of the tile
                    unsafe { add_term::<TABLE, R, C, V>(t, a, x, &mut sums) };
                    a = moved::<TABLE>(a, 2 * t.a_steps[1]);
                    x = x.wrapping_add(2 * t.x_steps[0]);
                }
                sums
            }

            /// Both chains at once, for tiles with so few accumulators that one would wait for itself.
            ///
            /// # Safety
            /// As for `chain`.
            #[inline]
            #[target_feature(enable = "avx2,fma")]
            unsafe fn chains<const TABLE: bool, const R: usize, const C: usize, const V: usize>(
                t: &Tile,
            ) -> [Sums<R, C, V>; 2] {
                let [mut even, mut odd] = [[[[all(-0.0); V]; C]; R]; 2];
                let (mut a, mut x) = (t.a, t.x);
                // SAFETY: terms of the tile
                unsafe {
                    for _ in 0..t.terms / 2 {
                        add_term::<TABLE, R, C, V>(t, a, x, &mut even);
                        add_term::<TABLE, R, C, V>(t, moved::<TABLE>(a, t.a_steps[1]), x.add(t.x_steps[0]), &mut odd);
                        a = moved::<TABLE>(a, 2 * t.a_steps[1]);
                        x = x.wrapping_add(2 * t.x_steps[0]);
                    }
                    if t.terms % 2 == 1 {
                        add_term::<TABLE, R, C, V>(t, a, x, &mut even);
                    }
                }
                [even, odd]
            }

            /// # Safety
            /// As for `chain`.
            #[inline]
            #[target_feature(enable = "avx2,fma")]
            unsafe fn tile<const TABLE: bool, const R: usize, const C: usize, const V: usize>(t: &Tile) {
                // SAFETY: by the caller
                unsafe {
                    let [even, odd] = if R * C * V <= 6 {
                        chains::<TABLE, R, C, V>(t)
                    } else {
                        [chain::<TABLE, R, C, V>(t, 0), chain::<TABLE, R, C, V>(t, 1)]
                    };
                    for r in 0..R {
                        for c in 0..C {
                            for v in 0..V {
                                let out = t.out.add(r * t.out_steps[0] + c * t.out_steps[1] + v * WIDTH);
                                store(out, add(even[r][c][v], odd[r][c][v]));
                            }
                        }
                    }
                }
            }

            /// A tile of `rows` rows and one column, at the lanes of two vectors.
            ///
            /// # Safety
            /// As for `chain`; 1 <= rows <= TALLEST.
            #[target_feature(enable = "avx2,fma")]
            unsafe fn tall<const TABLE: bool>(t: &Tile, rows: usize) {
                // SAFETY: by the caller
                unsafe {
                    match rows {
                        1 => tile::<TABLE, 1, 1, 2>(t),
                        2 => tile::<TABLE, 2, 1, 2>(t),
                        3 => tile::<TABLE, 3, 1, 2>(t),
                        4 => tile::<TABLE, 4, 1, 2>(t),
                        5 => tile::<TABLE, 5, 1, 2>(t),
                        _ => tile::<TABLE, 6, 1, 2>(t),
                    }
                }
            }

            /// A tile of rows with rows at the lanes of a vector.
            ///
            /// # Safety
            /// As for `chain`; 1 <= rows <= TALLEST_WIDE, 1 <= columns <= WIDEST.
            #[target_feature(enable = "avx2,fma")]
            unsafe fn wide(t: &Tile, rows: usize, columns: usize) {
                // SAFETY: by the caller
                unsafe {
                    match (rows, columns) {
                        (1, 1) => tile::<false, 1, 1, 1>(t),
                        (1, 2) => tile::<false, 1, 2, 1>(t),
                        (1, _) => tile::<false, 1, 3, 1>(t),
                        (2, 1) => tile::<false, 2, 1, 1>(t),
                        (2, 2) => tile::<false, 2, 2, 1>(t),
                        (2, _) => tile::<false, 2, 3, 1>(t),
                        (3, 1) => tile::<false, 3, 1, 1>(t),
                        (3, 2) => tile::<false, 3, 2, 1>(t),
                        (3, _) => tile::<false, 3, 3, 1>(t),
                        (_, 1) => tile::<false, 4, 1, 1>(t),
                        (_, 2) => tile::<false, 4, 2, 1>(t),
                        (_, _) => tile::<false, 4, 3, 1>(t),
                    }
                }
            }

            /// Cuts `0..n` into as few parts of at most `most` as can be, of nearly one size: (first, length) of each.
            fn parts(n: usize, most: usize) -> impl Iterator<Item = (usize, usize)> + Clone {
                let count = n.div_ceil(most);
                (0..count).map(move |k| (k * n / count, (k + 1) * n / count - k * n / count))
            }

            /// # Safety
            /// As [`super::ProductFn`]; the machine has AVX2 and FMA.
            #[target_feature(enable = "avx2,fma")]
            unsafe fn columnwise<const TABLE: bool>(s: &Shape, o: &Operands<Real>) {
                let whole = Tile::of(s, o);
                for (i, rows) in parts(s.rows, TALLEST) {
                    for c in 0..s.columns {
                        for lane in (0..o.lanes).step_by(2 * WIDTH) {
                            // SAFETY: the parts cover the outputs, lanes come in multiples of two vectors
                            unsafe { tall::<TABLE>(&whole.at::<TABLE>(i, c, lane), rows) };
                        }
                    }
                }
            }

            /// A table with rows.
            ///
            /// # Safety
            /// As [`super::ProductFn`]; the machine has AVX2 and FMA.
            #[target_feature(enable = "avx2,fma")]
            pub unsafe extern "C" fn of_table(shape: *const Shape, operands: *const Operands<Real>) {
                // SAFETY: by the caller
                unsafe {
                    if (*operands).lanes % (2 * WIDTH) == 0 {
                        columnwise::<true>(&*shape, &*operands)
                    } else {
                        plain::<Real, true>(&*shape, &*operands)
                    }
                }
            }

            /// Rows with rows.
            ///
            /// # Safety
            /// As [`super::ProductFn`]; the machine has AVX2 and FMA.
            #[target_feature(enable = "avx2,fma")]
            pub unsafe extern "C" fn of_rows(shape: *const Shape, operands: *const Operands<Real>) {
                // SAFETY: by the caller; the parts cover the outputs
                unsafe {
                    let (s, o) = (&*shape, &*operands);
                    if o.lanes % (2 * WIDTH) != 0 {
                        return plain::<Real, false>(s, o);
                    }
                    if s.columns == 1 {
                        return columnwise::<false>(s, o);
                    }
                    let whole = Tile::of(s, o);
                    for lane in (0..o.lanes).step_by(WIDTH) {
                        for (i, rows) in parts(s.rows, TALLEST_WIDE) {
                            for (c, columns) in parts(s.columns, WIDEST) {
                                wide(&whole.at::<false>(i, c, lane), rows, columns);
                            }
                        }
                    }
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
tiles!(avx2, double);
#[cfg(target_arch = "x86_64")]
tiles!(avx2_single, single);

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a kernel on numbers that make every rounding matter; rows are longer than the lanes in use.
    fn run(level: Level, table: bool, s: &Shape, lanes: usize) -> Vec<f64> {
        let [a, x, out] = s.reaches();
        let row = lanes + 8;
        let number = |k: usize| ((k * 7919 + 13) % 1009) as f64 / 504.0 - 1.0;
        let a_row = if table { 1 } else { row };
        let a: Vec<f64> = (0..a * a_row).map(number).collect();
        let x: Vec<f64> = (0..x * row).map(|k| number(k + 500)).collect();
        let mut out = vec![7.0; out * row];
        let operands = Operands {
            a: a.as_ptr().cast(),
            x: x.as_ptr(),
            out: out.as_mut_ptr(),
            a_row,
            x_row: row,
            out_row: row,
            lanes,
        };
        // SAFETY: the arrays have all rows that the extents reach
        unsafe { product_fn_at(level, table)(s, &operands) };
        out
    }

    #[test]
    fn tiles_have_the_bits_of_plain_loops() {
        for table in [true, false] {
            for rows in [1, 2, 3, 4, 5, 6, 7, 13, 31] {
                for terms in [1, 2, 3, 8, 33] {
                    for columns in [1, 2, 3, 5] {
                        for lanes in [8, 16, 24] {
                            let flat =
                                Shape { rows, terms, columns, a: [terms, 1], x: [columns, 1], out: [columns, 1] };
                            let turned = Shape { a: [1, rows], x: [1, terms], out: [1, rows], ..flat };
                            for s in [flat, turned] {
                                let want = run(Level::Portable, table, &s, lanes);
                                assert_eq!(want, run(Level::best(), table, &s, lanes), "{s:?}, {lanes} lanes");
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn single_precision_rounds_cells_and_has_the_bits_of_the_definition() {
        let s = Shape { rows: 3, terms: 5, columns: 2, a: [5, 1], x: [2, 1], out: [2, 1] };
        let a: Vec<f64> = (0..15).map(|k| 1.0 / (3 + k) as f64).collect();
        let x: Vec<f32> = (0..10 * 8).map(|k| 1.0 / (7 + k) as f32).collect();
        for level in [Level::Portable, Level::best()] {
            let mut out = [0.0f32; 6 * 8];
            let (a_row, x_row, out_row, lanes) = (1, 8, 8, 8);
            let operands =
                Operands { a: a.as_ptr().cast(), x: x.as_ptr(), out: out.as_mut_ptr(), a_row, x_row, out_row, lanes };
            // SAFETY: ten rows come in, six go out
            unsafe { single_fn_at(level, true)(&s, &operands) };
            for (k, got) in out.iter().enumerate() {
                let (i, c, lane) = (k / 16, k / 8 % 2, k % 8);
                let mut sums = [-0.0f32; 2];
                for j in 0..5 {
                    sums[j % 2] = (a[i * 5 + j] as f32).mul_add(x[(j * 2 + c) * 8 + lane], sums[j % 2]);
                }
                assert_eq!(*got, sums[0] + sums[1]);
            }
        }
    }

    #[test]
    fn a_product_is_what_it_should_be() {
        let s = Shape { rows: 2, terms: 3, columns: 1, a: [3, 1], x: [1, 1], out: [1, 1] };
        let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let x: Vec<f64> = (0..24).map(|k| (k / 8) as f64 + (k % 8) as f64).collect();
        let mut out = [0.0; 16];
        let operands = Operands {
            a: a.as_ptr().cast(),
            x: x.as_ptr(),
            out: out.as_mut_ptr(),
            a_row: 1,
            x_row: 8,
            out_row: 8,
            lanes: 8,
        };
        // SAFETY: three rows come in, two go out
        unsafe { product_fn_at(Level::best(), true)(&s, &operands) };
        for lane in 0..8 {
            assert_eq!([out[lane], out[8 + lane]], [8.0 + 6.0 * lane as f64, 17.0 + 15.0 * lane as f64]);
        }
    }
}
