//! A sketch of a distribution: counts of values in bins of bounded relative width.
//!
//! A value goes to a bin by the leading bits of its ordered bit pattern, an integer that grows with the value (the idea
//! of HDR histograms and of DDSketch: C. Masson, J. E. Rim, H. K. Lee, PVLDB 12 (2019) 2195). All bits are kept while the
//! distinct values fit into [`CAPACITY`] bins: then quantiles are exact. When they do not, as many low bits are dropped
//! as are needed, in steps of [`STRIDE`]. That number depends only on the multiset of values, so a sketch is the same
//! whatever the order of pushes and merges. With 2^15 bins and values spread over a dozen octaves of each sign, about ten bits of the mantissa
//! are left: the middle of a bin is within a relative 2^-11 of all its values.

/// Bins of a sketch at full resolution.
pub const CAPACITY: usize = 1 << 15;

/// Bits are dropped so many at a time.
const STRIDE: u32 = 3;

/// Slots of the first table.
const FIRST: usize = 256;

/// Counts of values in bins.
#[derive(Clone, Debug)]
pub struct Sketch {
    capacity: usize,
    /// low bits dropped
    shift: u32,
    /// number of bins in use
    used: usize,
    /// open addressing; a count of zero is an empty slot. Its length is a power of two
    slots: Vec<(u64, u64)>,
    total: u64,
}

impl Sketch {
    /// A sketch with at most `capacity` bins (at least two).
    pub fn new(capacity: usize) -> Sketch {
        assert!(capacity >= 2, "one bin for each sign");
        Sketch { capacity, shift: 0, used: 0, slots: Vec::new(), total: 0 }
    }

    /// Number of values.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Adds a finite value.
    pub fn push(&mut self, x: f64) {
        self.add(ordered(x) >> self.shift, 1);
    }

    /// Adds all that `other` holds.
    pub fn merge(&mut self, other: &Sketch) {
        if self.total == 0 && self.capacity == other.capacity {
            *self = other.clone();
            return;
        }
        self.coarsen(other.shift);
        for (key, count) in other.slots.iter().filter(|s| s.1 > 0) {
            let up = self.shift - other.shift.min(self.shift);
            self.add(key >> up, *count);
        }
    }

    fn add(&mut self, key: u64, count: u64) {
        if 2 * (self.used + 1) > self.slots.len() {
            self.grow();
        }
        let slot = self.find(key);
        if self.slots[slot].1 == 0 {
            self.slots[slot].0 = key;
            self.used += 1;
        }
        self.slots[slot].1 += count;
        self.total += count;
        if self.used > self.capacity {
            self.shrink();
        }
    }

    fn find(&self, key: u64) -> usize {
        let mask = self.slots.len() - 1;
        // four neighbours stand side by side, as most values lie close together: fewer lines of the cache are in use
        let place = (key >> 2).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let mut at = (place << 2 | key & 3) as usize & mask;
        while self.slots[at].1 != 0 && self.slots[at].0 != key {
            at = (at + 1) & mask;
        }
        at
    }

    fn grow(&mut self) {
        let len = (2 * self.slots.len()).max(FIRST);
        let old = std::mem::replace(&mut self.slots, vec![(0, 0); len]);
        self.refill(old, 0);
    }

    /// Puts bins back into the (empty) table, with `drop` bits fewer.
    fn refill(&mut self, bins: Vec<(u64, u64)>, drop: u32) {
        self.used = 0;
        for (key, count) in bins.into_iter().filter(|s| s.1 > 0) {
            let key = shifted(key, drop);
            let slot = self.find(key);
            self.used += usize::from(self.slots[slot].1 == 0);
            self.slots[slot].0 = key;
            self.slots[slot].1 += count;
        }
    }

    /// Drops the fewest bits with which the bins fit. At first that is many bits, counted from the sorted bins; later
    /// one or two strides.
    fn shrink(&mut self) {
        let drop = if self.shift == 0 { self.bits_too_many().next_multiple_of(STRIDE) } else { STRIDE };
        self.coarsen(self.shift + drop);
        while self.used > self.capacity {
            self.coarsen(self.shift + STRIDE);
        }
    }

    /// The fewest bits to drop so that the bins fit.
    fn bits_too_many(&self) -> u32 {
        let mut keys: Vec<u64> = self.slots.iter().filter(|s| s.1 > 0).map(|s| s.0).collect();
        keys.sort_unstable();
        // `split[b]`: neighbours whose highest different bit is b; they are one bin once more than b bits are dropped.
        let mut split = [0usize; 64];
        keys.windows(2).for_each(|w| split[63 - (w[0] ^ w[1]).leading_zeros() as usize] += 1);
        let mut bins = keys.len();
        let mut drop = 0;
        while bins > self.capacity {
            bins -= split[drop];
            drop += 1;
        }
        drop as u32
    }

    fn coarsen(&mut self, shift: u32) {
        if shift > self.shift {
            let len = self.slots.len();
            let old = std::mem::replace(&mut self.slots, vec![(0, 0); len]);
            self.refill(old, shift - self.shift);
            self.shift = shift;
            // a table as large as for all bins that there were would not stay in a cache
            let fitting = (4 * self.used).next_power_of_two().max(FIRST);
            if fitting < len {
                let old = std::mem::replace(&mut self.slots, vec![(0, 0); fitting]);
                self.refill(old, 0);
            }
        }
    }

    /// The bins in increasing order.
    pub fn sorted(&self) -> Bins {
        let mut bins: Vec<(u64, u64)> = self.slots.iter().copied().filter(|s| s.1 > 0).collect();
        bins.sort_unstable();
        let mut below = Vec::with_capacity(bins.len() + 1);
        let mut sum = 0;
        below.push(0);
        for (_, count) in &bins {
            sum += count;
            below.push(sum);
        }
        Bins { shift: self.shift, keys: bins.into_iter().map(|b| b.0).collect(), below }
    }
}

/// The bins of a sketch in increasing order, for reading.
#[derive(Clone, Debug)]
pub struct Bins {
    shift: u32,
    keys: Vec<u64>,
    /// number of values below each bin, and in all
    below: Vec<u64>,
}

impl Bins {
    pub fn total(&self) -> u64 {
        self.below[self.keys.len()]
    }

    /// Whether every bin holds one value only, so that nothing was rounded.
    pub fn exact(&self) -> bool {
        self.shift == 0
    }

    /// All values, where they are exact and no more than `most` different ones.
    pub fn few_values(&self, most: usize) -> Option<Vec<f64>> {
        let few = self.exact() && (1..=most).contains(&self.keys.len());
        few.then(|| self.keys.iter().map(|key| unordered(*key)).collect())
    }

    /// Least and greatest value of a bin.
    fn edges(&self, bin: usize) -> (f64, f64) {
        let low = self.keys[bin] << self.shift;
        let high = low + (((1u128 << self.shift) - 1) as u64);
        (unordered(low).max(-f64::MAX), unordered(high).min(f64::MAX))
    }

    /// The middle of a bin, within [`Bins::half_width`] of all its values.
    fn middle(&self, bin: usize) -> f64 {
        let (low, high) = self.edges(bin);
        low + (high - low) / 2.0
    }

    /// The value of rank `rank` (0 is the least), to the width of its bin.
    fn at_rank(&self, rank: u64) -> f64 {
        self.middle(self.below.partition_point(|b| *b <= rank) - 1)
    }

    /// The quantile `q`, interpolated between the values of the neighbouring ranks (R. J. Hyndman and Y. Fan, The
    /// American Statistician 50 (1996) 361, definition 7). NaN for an empty sketch.
    pub fn quantile(&self, q: f64) -> f64 {
        if self.total() == 0 {
            return f64::NAN;
        }
        let place = q.clamp(0.0, 1.0) * (self.total() - 1) as f64;
        let rank = place.floor();
        let low = self.at_rank(rank as u64);
        let high = self.at_rank((rank as u64 + 1).min(self.total() - 1));
        let part = place - rank;
        if low == high { low } else { low * (1.0 - part) + high * part }
    }

    /// Half the width of the bin of the quantile `q`: how far it may be off for being sketched.
    pub fn half_width(&self, q: f64) -> f64 {
        if self.total() == 0 || self.exact() {
            return 0.0;
        }
        let rank = (q.clamp(0.0, 1.0) * (self.total() - 1) as f64).round() as u64;
        let (low, high) = self.edges(self.below.partition_point(|b| *b <= rank) - 1);
        (high - low) / 2.0
    }

    /// The number of values below `x`, interpolated in the bin that holds it.
    pub fn count_below(&self, x: f64) -> f64 {
        let key = ordered(x) >> self.shift;
        let bin = self.keys.partition_point(|k| *k < key);
        let below = self.below[bin] as f64;
        if bin == self.keys.len() || self.keys[bin] != key || self.exact() {
            return below;
        }
        let (low, high) = self.edges(bin);
        let inside = ((x - low) / (high - low)).clamp(0.0, 1.0);
        below + inside * (self.below[bin + 1] - self.below[bin]) as f64
    }
}

/// The integer that orders finite numbers as they are ordered; the two zeros are one.
pub fn ordered(x: f64) -> u64 {
    let bits = (x + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn unordered(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

fn shifted(key: u64, by: u32) -> u64 {
    key.checked_shr(by).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::testing::Uniforms;

    fn sketch_of(values: &[f64], capacity: usize) -> Sketch {
        let mut s = Sketch::new(capacity);
        values.iter().for_each(|v| s.push(*v));
        s
    }

    fn contents(s: &Sketch) -> (u32, Vec<u64>, Vec<u64>) {
        let bins = s.sorted();
        (bins.shift, bins.keys, bins.below)
    }

    fn exact_quantile(sorted: &[f64], q: f64) -> f64 {
        let place = q * (sorted.len() - 1) as f64;
        let k = place.floor() as usize;
        let next = sorted[(k + 1).min(sorted.len() - 1)];
        sorted[k] + (next - sorted[k]) * (place - k as f64)
    }

    #[test]
    fn the_mapping_keeps_the_order() {
        let values = [-f64::MAX, -1.0, -f64::MIN_POSITIVE, -5e-324, 0.0, 5e-324, 1.0, 1.5, f64::MAX];
        let keys: Vec<u64> = values.iter().map(|v| ordered(*v)).collect();
        assert!(keys.is_sorted());
        assert_eq!(ordered(-0.0), ordered(0.0));
        values.iter().for_each(|v| assert_eq!(unordered(ordered(*v)), *v));
    }

    #[test]
    fn few_values_are_kept_exactly() {
        let mut u = Uniforms::new(3);
        let mut values: Vec<f64> = (0..5001).map(|_| 1e6 + u.normal()).collect();
        let bins = sketch_of(&values, CAPACITY).sorted();
        values.sort_by(f64::total_cmp);
        assert!(bins.exact());
        for q in [0.0, 0.1, 0.25, 0.5, 0.95, 1.0] {
            let want = exact_quantile(&values, q);
            assert!((bins.quantile(q) - want).abs() <= 1e-15 * want, "at {q}");
        }
    }

    #[test]
    fn many_values_are_within_the_stated_error() {
        let mut u = Uniforms::new(4);
        let mut values: Vec<f64> = (0..400_000).map(|_| u.normal()).collect();
        let bins = sketch_of(&values, CAPACITY).sorted();
        values.sort_by(f64::total_cmp);
        assert!(!bins.exact());
        for k in 1..100 {
            let q = f64::from(k) / 100.0;
            let want = exact_quantile(&values, q);
            let off = (bins.quantile(q) - want).abs();
            assert!(off <= bins.half_width(q) * 1.0001 + 1e-12, "{off} at {q}");
            assert!(off <= 2f64.powi(-11) * want.abs() * 1.001 + 1e-12, "{off} at {q}");
        }
    }

    #[test]
    fn the_order_of_pushes_and_merges_does_not_matter() {
        let mut u = Uniforms::new(5);
        let values: Vec<f64> = (0..3000).map(|_| (2.0 * u.normal()).exp() - 1.0).collect();
        let whole = contents(&sketch_of(&values, 100));
        assert!(whole.0 > 0 && whole.1.len() <= 100);
        let mut backwards = values.clone();
        backwards.reverse();
        assert_eq!(contents(&sketch_of(&backwards, 100)), whole);
        let mut merged = Sketch::new(100);
        for part in values.chunks(37).rev() {
            merged.merge(&sketch_of(part, 100));
        }
        assert_eq!(contents(&merged), whole);
        let mut fine_into_coarse = sketch_of(&values[..2990], 100);
        fine_into_coarse.merge(&sketch_of(&values[2990..], 100));
        assert_eq!(contents(&fine_into_coarse), whole);
    }

    #[test]
    fn counts_below_a_value() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let exact = sketch_of(&values, 1000).sorted();
        assert_eq!(exact.count_below(10.0), 10.0);
        assert_eq!(exact.count_below(10.5), 11.0);
        assert_eq!(exact.count_below(-1.0), 0.0);
        assert_eq!(exact.count_below(1e9), 100.0);
        let coarse = sketch_of(&values, 16).sorted();
        assert!((coarse.count_below(50.0) - 50.0).abs() < 10.0);
    }

    #[test]
    fn extreme_values_stay_finite() {
        let values = [-f64::MAX, f64::MAX, 0.0, 5e-324, -5e-324, 1.0];
        let bins = sketch_of(&values, 2).sorted();
        assert!(bins.quantile(0.0).is_finite() && bins.quantile(1.0).is_finite());
        assert_eq!(sketch_of(&[], 4).sorted().total(), 0);
        assert!(sketch_of(&[], 4).sorted().quantile(0.5).is_nan());
    }
}
