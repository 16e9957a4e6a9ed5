//! Moments of each lane of a block by itself: what a path says when several of its values are pooled.

use std::ops::Range;

use super::moments::{Moments, Pairs};

/// Moments up to `order` of each lane, as columns so that the loops over lanes are vector loops.
#[derive(Clone, Debug)]
pub struct LaneMoments {
    order: u8,
    /// all lanes have as many values
    even: bool,
    n: Vec<f64>,
    mean: Vec<f64>,
    m2: Vec<f64>,
    m3: Vec<f64>,
    m4: Vec<f64>,
}

impl LaneMoments {
    /// `order` is 1 (means only), 2 or 4; higher moments stay zero.
    pub fn new(order: u8, lanes: usize) -> LaneMoments {
        let column = |wanted: bool| vec![0.0; if wanted { lanes } else { 0 }];
        LaneMoments {
            order,
            even: true,
            n: column(true),
            mean: column(true),
            m2: column(order >= 2),
            m3: column(order >= 4),
            m4: column(order >= 4),
        }
    }

    /// One value a lane, where `ok` says so; all where it is `None`. A lane's bits do not depend on whether others are
    /// left out.
    pub fn push(&mut self, row: &[f64], ok: Option<&[bool]>) {
        if let (None, true) = (ok, self.even) {
            // one division for all lanes: it is most of the work
            let each = 1.0 / (self.n[0] + 1.0);
            return self.push_range(row, 0..row.len(), each);
        }
        self.even = false;
        for k in (0..row.len()).filter(|k| ok.is_none_or(|ok| ok[*k])) {
            self.push_range(row, k..k + 1, 1.0 / (self.n[k] + 1.0));
        }
    }

    /// Welford's update of the mean and the higher moments; see [`Moments::push`]. `each` is one over the new count.
    fn push_range(&mut self, row: &[f64], lanes: Range<usize>, each: f64) {
        let (row, n, mean) = (&row[lanes.clone()], &mut self.n[lanes.clone()], &mut self.mean[lanes.clone()]);
        n.iter_mut().for_each(|n| *n += 1.0);
        match self.order {
            1 => {
                for (x, mean) in row.iter().zip(mean) {
                    *mean += (x - *mean) * each;
                }
            }
            2 => {
                for ((x, mean), m2) in row.iter().zip(mean).zip(&mut self.m2[lanes]) {
                    let d = x - *mean;
                    *mean += d * each;
                    *m2 += d * (x - *mean);
                }
            }
            _ => {
                let n = n[0];
                let higher =
                    self.m2[lanes.clone()].iter_mut().zip(&mut self.m3[lanes.clone()]).zip(&mut self.m4[lanes]);
                for ((x, mean), ((m2, m3), m4)) in row.iter().zip(mean).zip(higher) {
                    let d = x - *mean;
                    let dn = d * each;
                    let term = d * dn * (n - 1.0);
                    *m4 += term * dn * dn * (n * n - 3.0 * n + 3.0) + 6.0 * dn * dn * *m2 - 4.0 * dn * *m3;
                    *m3 += term * dn * (n - 2.0) - 3.0 * dn * *m2;
                    *m2 += term;
                    *mean += dn;
                }
            }
        }
    }

    pub fn lane(&self, lane: usize) -> Moments {
        let at = |column: &[f64]| column.get(lane).copied().unwrap_or(0.0);
        Moments { n: self.n[lane] as u64, mean: self.mean[lane], m2: at(&self.m2), m3: at(&self.m3), m4: at(&self.m4) }
    }

    pub fn clear(&mut self) {
        self.even = true;
        for column in [&mut self.n, &mut self.mean, &mut self.m2, &mut self.m3, &mut self.m4] {
            column.fill(0.0);
        }
    }
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
            lanes.push(&[1.0, 5.0], None);
            lanes.push(&[3.0, f64::NAN], Some(&[true, false]));
            lanes.push(&[8.0, 7.0], Some(&[true, true]));
            let (a, b) = (lanes.lane(0), lanes.lane(1));
            assert_eq!((a.n, b.n), (3, 2));
            assert!((a.mean - 4.0).abs() < 1e-15 && b.mean == 6.0);
            let m2 = if order == 1 { 0.0 } else { 26.0 };
            assert!((a.m2 - m2).abs() < 1e-13);
            lanes.clear();
            assert_eq!(lanes.lane(0).n, 0);
        }
    }

    #[test]
    fn the_bits_of_a_lane_are_its_own() {
        for order in [1, 2, 4] {
            let (mut whole, mut masked) = (LaneMoments::new(order, 8), LaneMoments::new(order, 8));
            for turn in 0..20 {
                let row: [f64; 8] = std::array::from_fn(|k| (f64::from(turn) * 0.7 + k as f64).sin());
                whole.push(&row, None);
                let ok: [bool; 8] = std::array::from_fn(|k| k != 5 || turn % 3 == 0);
                masked.push(&row, if turn < 10 { Some(&ok) } else { None });
            }
            for lane in (0..8).filter(|k| *k != 5) {
                assert_eq!(whole.lane(lane), masked.lane(lane), "order {order}");
            }
        }
    }
}
