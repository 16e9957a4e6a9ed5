//! Sums over rows of lanes for statistics: Welford's updates of the moments of each lane, and the search for numbers that
//! are not finite. Compiled for AVX2 and for the baseline; both give the same bits, as nothing is fused.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

/// Moments of lanes, as columns of one length; those beyond the order are empty.
pub struct Columns<'a> {
    pub mean: &'a mut [f64],
    pub m2: &'a mut [f64],
    pub m3: &'a mut [f64],
    pub m4: &'a mut [f64],
}

/// Lanes whose moments are kept in registers while rows go by: several vectors, as each waits for its own results.
const GROUP: usize = 32;
/// The same for lanes that are left over.
const FEW: usize = 8;

/// Adds rows `[..][lanes]` to the moments of each lane, up to `order` (1, 2 or 4), where each has `count` numbers already.
/// See `runtime::statistics::moments` for the formulas. Lanes are a multiple of eight.
pub fn push_rows(order: u8, columns: Columns<'_>, rows: &[f64], count: f64) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the feature was just detected
        return unsafe { push_rows_avx2(order, columns, rows, count) };
    }
    push_rows_plain(order, columns, rows, count)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn push_rows_avx2(order: u8, columns: Columns<'_>, rows: &[f64], count: f64) {
    push_rows_plain(order, columns, rows, count)
}

#[inline(always)]
fn push_rows_plain(order: u8, mut columns: Columns<'_>, rows: &[f64], count: f64) {
    let lanes = columns.mean.len();
    let mut first = 0;
    while first < lanes {
        let left = lanes - first;
        match (order, left >= GROUP) {
            (1, true) => group::<1, GROUP>(&mut columns, rows, first, count),
            (1, false) => group::<1, FEW>(&mut columns, rows, first, count),
            (2, true) => group::<2, GROUP>(&mut columns, rows, first, count),
            (2, false) => group::<2, FEW>(&mut columns, rows, first, count),
            (_, _) => group::<4, FEW>(&mut columns, rows, first, count),
        }
        first += if order <= 2 && left >= GROUP { GROUP } else { FEW };
    }
}

/// Adds a number to the moments of one lane.
pub fn push_lane(order: u8, mut columns: Columns<'_>, x: f64, count: f64) {
    match order {
        1 => group::<1, 1>(&mut columns, &[x], 0, count),
        2 => group::<2, 1>(&mut columns, &[x], 0, count),
        _ => group::<4, 1>(&mut columns, &[x], 0, count),
    }
}

/// The `N` numbers from `first` on.
#[inline(always)]
fn load<const N: usize>(column: &[f64], first: usize) -> [f64; N] {
    column[first..first + N].try_into().expect("N numbers")
}

#[inline(always)]
fn group<const ORDER: u8, const N: usize>(columns: &mut Columns<'_>, rows: &[f64], first: usize, count: f64) {
    let lanes = columns.mean.len();
    let mut mean: [f64; N] = load(columns.mean, first);
    let mut m2: [f64; N] = if ORDER >= 2 { load(columns.m2, first) } else { [0.0; N] };
    let mut m3: [f64; N] = if ORDER >= 4 { load(columns.m3, first) } else { [0.0; N] };
    let mut m4: [f64; N] = if ORDER >= 4 { load(columns.m4, first) } else { [0.0; N] };
    let mut n = count;
    for row in rows.chunks_exact(lanes) {
        let x: [f64; N] = load(row, first);
        n += 1.0;
        // one division for all lanes: it is most of the work
        let each = 1.0 / n;
        for k in 0..N {
            let d = x[k] - mean[k];
            let dn = d * each;
            if ORDER >= 4 {
                let term = d * dn * (n - 1.0);
                m4[k] += term * dn * dn * (n * n - 3.0 * n + 3.0) + 6.0 * dn * dn * m2[k] - 4.0 * dn * m3[k];
                m3[k] += term * dn * (n - 2.0) - 3.0 * dn * m2[k];
                m2[k] += term;
            }
            mean[k] += dn;
            if ORDER == 2 {
                m2[k] += d * (x[k] - mean[k]);
            }
        }
    }
    columns.mean[first..first + N].copy_from_slice(&mean);
    if ORDER >= 2 {
        columns.m2[first..first + N].copy_from_slice(&m2);
    }
    if ORDER >= 4 {
        columns.m3[first..first + N].copy_from_slice(&m3);
        columns.m4[first..first + N].copy_from_slice(&m4);
    }
}

/// Whether all numbers are finite, without branches: a product with zero is a zero, of either sign, or NaN.
pub fn all_finite(row: &[f64]) -> bool {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the feature was just detected
        return unsafe { all_finite_avx2(row) };
    }
    all_finite_plain(row)
}

fn all_finite_plain(row: &[f64]) -> bool {
    row.iter().fold(0, |bits, x| bits | (x * 0.0).to_bits()) << 1 == 0
}

/// By hand: the compiler makes vectors of what lies sixteen numbers apart, and takes four times as long.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn all_finite_avx2(row: &[f64]) -> bool {
    let (groups, rest) = row.as_chunks::<16>();
    let zero = _mm256_setzero_pd();
    let mut found = [zero; 4];
    for group in groups {
        for (k, found) in found.iter_mut().enumerate() {
            // SAFETY: the four numbers from 4k on are in the group
            let x = unsafe { _mm256_loadu_pd(group.as_ptr().add(4 * k)) };
            *found = _mm256_or_pd(*found, _mm256_mul_pd(x, zero));
        }
    }
    let any = _mm256_or_pd(_mm256_or_pd(found[0], found[1]), _mm256_or_pd(found[2], found[3]));
    // whatever it is joined with, NaN stays NaN
    _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_UNORD_Q>(any, any)) == 0 && all_finite_plain(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn infinities_and_nans_are_seen() {
        for len in [8, 16, 40] {
            let mut row: Vec<f64> = [-0.0, 1e308, -1e308, 5e-324, 0.0, 1.0, -1.0, 2.0].repeat(len / 8);
            assert!(all_finite(&row));
            for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -f64::NAN] {
                for k in 0..row.len() {
                    let kept = std::mem::replace(&mut row[k], bad);
                    assert!(!all_finite(&row) && !all_finite_plain(&row), "{bad} at {k}");
                    row[k] = kept;
                }
            }
        }
    }
}
