//! Moments of each lane of a block by itself: what a path says when several of its values are pooled.

use std::ops::Range;

use super::moments::{Moments, Pairs};
use crate::kernels::welford::{self, Columns};

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

    /// Values of all lanes, `[..][lanes]`. A lane's bits do not depend on whether others have values left out, nor on how
    /// many rows come at once.
    pub fn push_rows(&mut self, rows: &[f64]) {
        let lanes = self.n.len();
        if self.even {
            let count = self.n[0];
            self.n.fill(count + (rows.len() / lanes) as f64);
            welford::push_rows(self.order, self.columns(0..lanes), rows, count);
        } else {
            rows.chunks_exact(lanes).for_each(|row| (0..lanes).for_each(|k| self.push_lane(k, row[k])));
        }
    }

    /// One value a lane, where `ok` says so.
    pub fn push(&mut self, row: &[f64], ok: &[bool]) {
        self.even = false;
        (0..row.len()).filter(|k| ok[*k]).for_each(|k| self.push_lane(k, row[k]));
    }

    fn push_lane(&mut self, lane: usize, x: f64) {
        let count = self.n[lane];
        self.n[lane] += 1.0;
        welford::push_lane(self.order, self.columns(lane..lane + 1), x, count);
    }

    fn columns(&mut self, lanes: Range<usize>) -> Columns<'_> {
        fn part(column: &mut [f64], lanes: Range<usize>) -> &mut [f64] {
            if column.is_empty() { column } else { &mut column[lanes] }
        }
        Columns {
            mean: part(&mut self.mean, lanes.clone()),
            m2: part(&mut self.m2, lanes.clone()),
            m3: part(&mut self.m3, lanes.clone()),
            m4: part(&mut self.m4, lanes),
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
            let mut lanes = LaneMoments::new(order, 8);
            let row = |a: f64, b: f64| [a, b, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
            lanes.push_rows(&row(1.0, 5.0));
            lanes.push(&row(3.0, f64::NAN), &[true, false, true, true, true, true, true, true]);
            lanes.push(&row(8.0, 7.0), &[true; 8]);
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
        for (order, lanes) in [1, 2, 4].into_iter().flat_map(|order| [8, 32, 48, 64].map(|lanes| (order, lanes))) {
            let [mut whole, mut masked, mut at_once] = [(); 3].map(|()| LaneMoments::new(order, lanes));
            let value = |turn: usize, k: usize| (turn as f64 * 0.7 + k as f64).sin();
            let rows: Vec<f64> = (0..20).flat_map(|turn| (0..lanes).map(move |k| value(turn, k))).collect();
            for (turn, row) in rows.chunks(lanes).enumerate() {
                whole.push_rows(row);
                let ok: Vec<bool> = (0..lanes).map(|k| k != 5 || turn % 3 == 0).collect();
                if turn < 10 { masked.push(row, &ok) } else { masked.push_rows(row) }
            }
            at_once.push_rows(&rows[..7 * lanes]);
            at_once.push_rows(&rows[7 * lanes..]);
            for lane in 0..lanes {
                assert_eq!(whole.lane(lane), at_once.lane(lane), "order {order}");
                assert!(lane == 5 || whole.lane(lane) == masked.lane(lane), "order {order}");
            }
        }
    }
}
