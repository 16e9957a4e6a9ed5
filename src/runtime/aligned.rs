//! Numbers that begin where a line of the cache begins, so that vectors of 32 bytes never lie across two.

use std::ops::{Deref, DerefMut};

/// Bytes of a line.
const LINE: usize = 64;

#[derive(Default)]
pub struct Aligned<T> {
    all: Vec<T>,
    first: usize,
    len: usize,
}

impl<T: Copy + Default> Aligned<T> {
    /// At least so many numbers; what they are is not kept.
    pub fn grow(&mut self, len: usize) {
        if len > self.len {
            self.all = vec![T::default(); len + LINE / size_of::<T>()];
            self.first = self.all.as_ptr().align_offset(LINE).min(self.all.len() - len);
            self.len = len;
        }
    }
}

impl<T> Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.all[self.first..][..self.len]
    }
}

impl<T> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.all[self.first..][..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_begin_at_a_line() {
        let mut rows = Aligned::<f64>::default();
        for len in [0, 1, 7, 64, 1000] {
            rows.grow(len);
            assert_eq!(rows.len(), len);
            assert!(len == 0 || (rows.as_ptr() as usize).is_multiple_of(LINE));
        }
    }
}
