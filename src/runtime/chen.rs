//! The Wiener increments, areas and Levy areas of a long step from those of the short steps that make it up.
//!
//! A program draws standard normals u, v, w for each process, which stand for W, H and K (see `solve::wiener`). With r the
//! time in a step of length one, they are the moments
//!
//! ```text
//! M0 = int dW = W,    M1 = int r dW = W/2 - H,    M2 = int r^2 dW = W/3 - H + 2 K,
//! ```
//!
//! and the moments of a step made of m such steps follow by moving the origin of r. The area `A = 1/2 int (W_i dW_j -
//! W_j dW_i)` of two pieces is the sum of theirs and `1/2 (W_i W'_j - W_j W'_i)` (Chen's relation). So what a long step is
//! told has exactly the joint law that it would have drawn.

use crate::kernels::lane::Lane;

/// Where a program wants its normals.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    pub draw_rows: usize,
    /// for each process the first row of u, of v and of w
    pub of: Vec<[Option<usize>; 3]>,
    /// the first row of the normals of the Levy areas, one for each pair of components
    pub levy: Option<usize>,
}

/// The processes of a model: the first component of each among those of all, and the number of its components.
#[derive(Clone, Debug, Default)]
pub struct Processes {
    pub spans: Vec<(usize, usize)>,
    /// components of all together
    pub dims: usize,
    /// how many terms of the expansion of Levy areas are not in their normals, where a program uses them
    pub levy: Option<u16>,
}

impl Processes {
    pub fn new(dims: impl Iterator<Item = usize>, levy: Option<u16>) -> Processes {
        let mut all = Processes { levy, ..Processes::default() };
        for n in dims {
            all.spans.push((all.dims, n));
            all.dims += n;
        }
        all
    }

    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let n = self.dims;
        (0..n).flat_map(move |i| (i + 1..n).map(move |j| (i, j)))
    }
}

/// Normals u, v, w.
type Normals = [f64; 3];

fn moments([u, v, w]: Normals) -> [f64; 3] {
    let (h, k) = (v / 12f64.sqrt(), w / 720f64.sqrt());
    [u, u / 2.0 - h, u / 3.0 - h + 2.0 * k]
}

/// The normals of a step of length `m` with these moments.
fn normals([m0, m1, m2]: [f64; 3], m: f64) -> Normals {
    let h = m0 / 2.0 - m1 / m;
    let k = (m2 / (m * m) - m0 / 3.0 + h) / 2.0;
    let root = m.sqrt();
    [m0 / root, h * 12f64.sqrt() / root, k * 720f64.sqrt() / root]
}

/// What the expansion of a Levy area says without its normal: the first terms, and the deviation of the rest.
fn expansion(order: u16, [u, v, w]: Normals, [x, y, z]: Normals) -> (f64, f64) {
    let mut sum = (v * x - y * u) / 12f64.sqrt();
    if order > 1 {
        sum += (w * y - z * v) / 60f64.sqrt();
    }
    (sum, (0.25 / f64::from(2 * order + 1)).sqrt())
}

/// The noise of a long step in the making, for the lanes of a block.
pub struct Coarse {
    /// short steps of a long one
    pub ratio: u64,
    pub seen: u64,
    /// long steps whose noise is ready
    pub ready: usize,
    lanes: usize,
    /// `[dims][lanes]` moments so far
    moments: Vec<[f64; 3]>,
    /// `[pairs][lanes]`
    areas: Vec<f64>,
    /// the normals of the short step, `[dims][lanes]`
    fine: Vec<Normals>,
}

impl Coarse {
    pub fn new(ratio: u64, processes: &Processes, lanes: usize) -> Coarse {
        let pairs = if processes.levy.is_some() { processes.pairs().count() } else { 0 };
        Coarse {
            ratio,
            seen: 0,
            ready: 0,
            lanes,
            moments: vec![[0.0; 3]; processes.dims * lanes],
            areas: vec![0.0; pairs * lanes],
            fine: vec![[0.0; 3]; processes.dims * lanes],
        }
    }

    pub fn clear(&mut self) {
        self.seen = 0;
        self.moments.fill([0.0; 3]);
        self.areas.fill(0.0);
    }

    /// Adds a short step, whose normals stand at `rows` of `noise`.
    pub fn add<T: Lane>(&mut self, processes: &Processes, rows: &Rows, noise: &[T]) {
        let lanes = self.lanes;
        for ((first, dims), of) in processes.spans.iter().zip(&rows.of) {
            for dim in 0..*dims {
                for lane in 0..lanes {
                    let value = |row: Option<usize>| row.map_or(0.0, |r| noise[(r + dim) * lanes + lane].wide());
                    self.fine[(first + dim) * lanes + lane] = of.map(value);
                }
            }
        }
        if let (Some(order), Some(row)) = (processes.levy, rows.levy) {
            self.add_areas(processes, order, &noise[row * lanes..]);
        }
        let before = self.seen as f64;
        for (sum, fine) in self.moments.iter_mut().zip(&self.fine) {
            let [m0, m1, m2] = moments(*fine);
            sum[0] += m0;
            sum[1] += before * m0 + m1;
            sum[2] += before * (before * m0 + 2.0 * m1) + m2;
        }
        self.seen += 1;
    }

    /// Chen's relation; the moments are still those before the step.
    fn add_areas<T: Lane>(&mut self, processes: &Processes, order: u16, noise: &[T]) {
        let lanes = self.lanes;
        for (pair, (i, j)) in processes.pairs().enumerate() {
            for lane in 0..lanes {
                let (a, b) = (i * lanes + lane, j * lanes + lane);
                let (known, deviation) = expansion(order, self.fine[a], self.fine[b]);
                let own = known + deviation * noise[pair * lanes + lane].wide();
                let crossed = self.moments[a][0] * self.fine[b][0] - self.moments[b][0] * self.fine[a][0];
                self.areas[pair * lanes + lane] += own + 0.5 * crossed;
            }
        }
    }

    /// The long step is complete: its normals, where a program wants them.
    pub fn put<T: Lane>(&mut self, processes: &Processes, rows: &Rows, noise: &mut [T]) {
        let (lanes, m) = (self.lanes, self.ratio as f64);
        let noise = &mut noise[self.ready * rows.draw_rows * lanes..];
        for ((first, dims), of) in processes.spans.iter().zip(&rows.of) {
            for dim in 0..*dims {
                for lane in 0..lanes {
                    let values = normals(self.moments[(first + dim) * lanes + lane], m);
                    for (row, value) in of.iter().zip(values) {
                        if let Some(row) = row {
                            noise[(row + dim) * lanes + lane] = T::of(value);
                        }
                    }
                }
            }
        }
        if let (Some(order), Some(row)) = (processes.levy, rows.levy) {
            for (pair, (i, j)) in processes.pairs().enumerate() {
                for lane in 0..lanes {
                    let of = |dim: usize| normals(self.moments[dim * lanes + lane], m);
                    let (known, deviation) = expansion(order, of(i), of(j));
                    let rest = self.areas[pair * lanes + lane] / m - known;
                    noise[(row + pair) * lanes + lane] = T::of(rest / deviation);
                }
            }
        }
        self.ready += 1;
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::normal::{Coord, Key, normal};

    const LANES: usize = 1;

    fn draw(step: u64, row: u32) -> f64 {
        normal(Key { seed: 5, stream: 0 }, Coord { path: 0, step, site: row, component: 0, turn: 0 })
    }

    /// The normals of long steps of `ratio` short ones, `count` of them, for two processes with Levy areas.
    fn long_steps(order: u16, ratio: u64, count: u64) -> Vec<Vec<f64>> {
        let processes = Processes::new([1, 1].into_iter(), Some(order));
        let rows =
            Rows { draw_rows: 7, of: vec![[Some(0), Some(1), Some(2)], [Some(3), Some(4), Some(5)]], levy: Some(6) };
        let mut coarse = Coarse::new(ratio, &processes, LANES);
        let mut all = Vec::new();
        for k in 0..count {
            for s in 0..ratio {
                let noise: Vec<f64> = (0..7).map(|row| draw(k * ratio + s, row)).collect();
                coarse.add(&processes, &rows, &noise);
            }
            let mut noise = vec![0.0; 7];
            coarse.ready = 0;
            coarse.put(&processes, &rows, &mut noise);
            all.push(noise);
        }
        all
    }

    #[test]
    fn what_a_long_step_is_told_is_white() {
        // Second moments of 7 numbers that should be independent with variance one; the error of each is about
        // sqrt(2/n) (the rest of a Levy area has other fourth moments, but not far from those of a normal).
        let n = 20_000;
        for order in [1, 2] {
            let all = long_steps(order, 3, n);
            for a in 0..7 {
                for b in 0..=a {
                    let mean = all.iter().map(|x| x[a] * x[b]).sum::<f64>() / n as f64;
                    let want = if a == b { 1.0 } else { 0.0 };
                    assert!((mean - want).abs() < 5.0 * (2.0 / n as f64).sqrt(), "order {order}, {a} and {b}: {mean}");
                }
            }
        }
    }

    #[test]
    fn one_short_step_stays_what_it_is() {
        for (k, noise) in long_steps(2, 1, 4).into_iter().enumerate() {
            for (row, value) in noise.into_iter().enumerate() {
                assert!((value - draw(k as u64, row as u32)).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn steps_of_steps_are_steps() {
        // Six short steps at once, and two long ones of three each.
        let processes = Processes::new([1, 1].into_iter(), Some(1));
        let rows =
            Rows { draw_rows: 7, of: vec![[Some(0), Some(1), Some(2)], [Some(3), Some(4), Some(5)]], levy: Some(6) };
        let mut twice = Coarse::new(2, &processes, LANES);
        for noise in long_steps(1, 3, 2) {
            twice.add(&processes, &rows, &noise);
        }
        let mut noise = vec![0.0; 7];
        twice.put(&processes, &rows, &mut noise);
        for (a, b) in noise.iter().zip(&long_steps(1, 6, 1)[0]) {
            assert!((a - b).abs() < 1e-12, "{a} is not {b}");
        }
    }
}
