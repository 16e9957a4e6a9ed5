//! Lagged products of sequences by the fast Fourier transform.

use std::f64::consts::TAU;

/// A radix-2 transform of a fixed length.
struct Fft {
    roots: Vec<(f64, f64)>,
}

impl Fft {
    fn new(len: usize) -> Fft {
        let angle = |k: usize| -TAU * k as f64 / len as f64;
        Fft { roots: (0..len / 2).map(|k| (angle(k).cos(), angle(k).sin())).collect() }
    }

    /// The forward transform in place, `X_k = sum_j x_j exp(-2 pi i j k/len)`.
    fn forward(&self, x: &mut [(f64, f64)]) {
        let len = x.len();
        let bits = len.trailing_zeros();
        for i in 0..len {
            let j = i.reverse_bits() >> (usize::BITS - bits);
            if i < j {
                x.swap(i, j);
            }
        }
        let mut half = 1;
        while half < len {
            let stride = len / (2 * half);
            for chunk in x.chunks_exact_mut(2 * half) {
                let (low, high) = chunk.split_at_mut(half);
                for (k, (a, b)) in low.iter_mut().zip(high).enumerate() {
                    let w = self.roots[k * stride];
                    let t = (b.0 * w.0 - b.1 * w.1, b.0 * w.1 + b.1 * w.0);
                    *b = (a.0 - t.0, a.1 - t.1);
                    *a = (a.0 + t.0, a.1 + t.1);
                }
            }
            half *= 2;
        }
    }
}

/// Sums of lagged products, `sum_i x_i x_{i + lag}` for `lag` in `0..lags`, added up over sequences.
pub struct LaggedProducts {
    fft: Fft,
    lags: usize,
    len: usize,
    /// the cross spectrum so far
    spectrum: Vec<(f64, f64)>,
    buffer: Vec<(f64, f64)>,
}

impl LaggedProducts {
    /// For sequences of up to `longest` values.
    pub fn new(lags: usize, longest: usize) -> LaggedProducts {
        let whole = (longest + lags).next_power_of_two();
        let len = whole.min((4 * lags).next_power_of_two()).max(4);
        LaggedProducts { fft: Fft::new(len), lags, len, spectrum: vec![(0.0, 0.0); len], buffer: vec![(0.0, 0.0); len] }
    }

    pub fn clear(&mut self) {
        self.spectrum.fill((0.0, 0.0));
    }

    /// Adds a sequence. It is cut into stretches; a stretch and what it can meet within the lags go through one
    /// transform, as the real and the imaginary part.
    pub fn add(&mut self, x: &[f64]) {
        let stretch = self.len - self.lags;
        for start in (0..x.len()).step_by(stretch) {
            for (k, place) in self.buffer.iter_mut().enumerate() {
                let value = x.get(start + k).copied().unwrap_or(0.0);
                *place = (if k < stretch { value } else { 0.0 }, value);
            }
            self.fft.forward(&mut self.buffer);
            self.accumulate();
        }
    }

    /// Adds `conj(A) B` of the two real sequences whose joint transform is in the buffer.
    fn accumulate(&mut self) {
        for k in 0..self.len {
            let (z, m) = (self.buffer[k], self.buffer[(self.len - k) % self.len]);
            let a = ((z.0 + m.0) / 2.0, (z.1 - m.1) / 2.0);
            let b = ((z.1 + m.1) / 2.0, (m.0 - z.0) / 2.0);
            self.spectrum[k].0 += a.0 * b.0 + a.1 * b.1;
            self.spectrum[k].1 += a.0 * b.1 - a.1 * b.0;
        }
    }

    /// The sums so far.
    pub fn sums(&mut self) -> Vec<f64> {
        // The inverse transform is the forward one of the conjugate; the sums are real.
        self.buffer.iter_mut().zip(&self.spectrum).for_each(|(b, s)| *b = (s.0, -s.1));
        self.fft.forward(&mut self.buffer);
        self.buffer[..self.lags].iter().map(|x| x.0 / self.len as f64).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::testing::Uniforms;

    #[test]
    fn sums_are_those_of_the_definition() {
        let mut u = Uniforms::new(1);
        for (n, lags) in [(1, 1), (5, 3), (64, 64), (100, 7), (1000, 16), (1000, 1000)] {
            let sequences: Vec<Vec<f64>> = (0..3).map(|_| (0..n).map(|_| u.normal()).collect()).collect();
            let mut products = LaggedProducts::new(lags, n);
            sequences.iter().for_each(|x| products.add(x));
            for (lag, sum) in products.sums().iter().enumerate() {
                let want: f64 = sequences.iter().flat_map(|x| x.iter().zip(&x[lag.min(n)..]).map(|(a, b)| a * b)).sum();
                assert!((sum - want).abs() < 1e-10 * n as f64, "{n} values, lag {lag}: {sum} is not {want}");
            }
            products.clear();
            assert!(products.sums().iter().all(|s| *s == 0.0));
        }
    }
}
