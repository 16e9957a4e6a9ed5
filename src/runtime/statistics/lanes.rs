//! Moments of each lane of a block by itself: what a path says when several of its values are pooled.

use super::moments::{Moments, Pairs};

/// Moments up to `order` of each lane.
#[derive(Clone, Debug)]
pub struct LaneMoments {
    order: u8,
    lanes: Vec<Moments>,
}

impl LaneMoments {
    /// `order` is 1 (means only), 2 or 4; higher moments stay zero.
    pub fn new(order: u8, lanes: usize) -> LaneMoments {
        LaneMoments { order, lanes: vec![Moments::default(); lanes] }
    }

    /// One value a lane, where `ok` says so.
    pub fn push(&mut self, row: &[f64], ok: &[bool]) {
        for ((m, x), ok) in self.lanes.iter_mut().zip(row).zip(ok) {
            match (ok, self.order) {
                (false, _) => {}
                (true, 1) => push_mean(m, *x),
                (true, 2) => push_two(m, *x),
                (true, _) => m.push(*x),
            }
        }
    }

    pub fn lane(&self, lane: usize) -> &Moments {
        &self.lanes[lane]
    }

    pub fn clear(&mut self) {
        self.lanes.fill(Moments::default());
    }
}

fn push_mean(m: &mut Moments, x: f64) {
    m.n += 1;
    m.mean += (x - m.mean) / m.n as f64;
}

fn push_two(m: &mut Moments, x: f64) {
    m.n += 1;
    let d = x - m.mean;
    m.mean += d / m.n as f64;
    m.m2 += d * (x - m.mean);
}

/// Co-moments of each lane.
#[derive(Clone, Debug)]
pub struct LanePairs {
    lanes: Vec<Pairs>,
}

impl LanePairs {
    pub fn new(lanes: usize) -> LanePairs {
        LanePairs { lanes: vec![Pairs::default(); lanes] }
    }

    pub fn push(&mut self, x: &[f64], y: &[f64], ok: &[bool]) {
        for (((m, x), y), ok) in self.lanes.iter_mut().zip(x).zip(y).zip(ok) {
            if *ok {
                m.push(*x, *y);
            }
        }
    }

    pub fn lane(&self, lane: usize) -> &Pairs {
        &self.lanes[lane]
    }

    pub fn clear(&mut self) {
        self.lanes.fill(Pairs::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_apart_and_masked() {
        for order in [1, 2, 4] {
            let mut lanes = LaneMoments::new(order, 2);
            lanes.push(&[1.0, 5.0], &[true, true]);
            lanes.push(&[3.0, f64::NAN], &[true, false]);
            lanes.push(&[8.0, 7.0], &[true, true]);
            let (a, b) = (lanes.lane(0), lanes.lane(1));
            assert_eq!((a.n, b.n), (3, 2));
            assert!((a.mean - 4.0).abs() < 1e-15 && b.mean == 6.0);
            let m2 = if order == 1 { 0.0 } else { 26.0 };
            assert!((a.m2 - m2).abs() < 1e-13);
            lanes.clear();
            assert_eq!(lanes.lane(0).n, 0);
        }
    }
}
