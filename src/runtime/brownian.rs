//! Brownian paths from one seed: the increment W and the areas H and K of any interval, as a pure function of the seed,
//! the path, the noise and the ends of the interval.
//!
//! Over an interval from s to u of length h, with the bridge B(r) = W(s, r) - (r - s)/h W(s, u),
//!
//! ```text
//! W = W(u) - W(s),    H = 1/h int B(r) dr,    K = 1/h^2 int B(r) ((s + u)/2 - r) dr
//! ```
//!
//! are independent, with variances h, h/12 and h/720 (J. Foster, T. Lyons, H. Oberhauser, SIAM J. Numer. Anal. 58
//! (2020) 1393). Those of two neighbouring intervals give those of both together ([`Area::join`], Chen's relation), and
//! given those of the whole, those of its parts are Gaussian ([`Area::split`]; A. Jelinčič, J. Foster, P. Kidger,
//! "Single-seed generation of Brownian paths and integrals for adaptive and high order SDE solvers", 2024).
//!
//! The time axis is cut into pieces in one way for all runs: 0 to 1, and the binades from 2^e to 2^(e+1) after it, each
//! drawn by itself; the piece from 0 to 1 is halved towards zero, into the binades below 1; and each binade is halved
//! [`DEPTH`] times. A piece knows its normals by its sign, exponent and place alone. So a path depends neither on what a
//! run begins or ends with, nor on its steps, nor on the order of questions. Negative times have a tree of their own.

use crate::kernels::ars::Block;
use crate::kernels::normal::{self, Coord, Key};

/// Halvings of a binade. A run has at most 10^8 steps, so that the steps of an even grid from zero are hundreds of leaves
/// long; inside a leaf a path is smooth.
pub const DEPTH: u32 = 34;

/// The piece from zero to two to this is a leaf of the halvings towards zero, and halved like a binade.
const FLOOR: i32 = -100;

/// Set in the stream of the tree's draws, which so are none of a run's.
const TREE_STREAM: u64 = 1 << 63;

/// What tells the tree of one noise from all others.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// seed and stream of the run
    pub key: (u64, u64),
    /// the (first) path
    pub path: u64,
    /// which noise of the model, and which component of it
    pub noise: u32,
    pub component: u32,
}

/// W, H and K of an interval, for `L` neighbouring paths.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Area<const L: usize> {
    pub w: [f64; L],
    pub h: [f64; L],
    pub k: [f64; L],
}

/// The three normals of a halving.
type Normals<const L: usize> = [[f64; L]; 3];

impl<const L: usize> Area<L> {
    fn of(one: impl Fn(usize) -> [f64; 3]) -> Area<L> {
        let mut all = Area { w: [0.0; L], h: [0.0; L], k: [0.0; L] };
        for i in 0..L {
            [all.w[i], all.h[i], all.k[i]] = one(i);
        }
        all
    }

    /// An interval of length `h` that nothing is known of.
    fn drawn(h: f64, z: &Normals<L>) -> Area<L> {
        let [w, a, k] = [h.sqrt(), (h / 12.0).sqrt(), (h / 720.0).sqrt()];
        Area::of(|i| [w * z[0][i], a * z[1][i], k * z[2][i]])
    }

    /// Neighbouring intervals of lengths `p` and `q` as one.
    pub fn join(&self, p: f64, next: &Area<L>, q: f64) -> Area<L> {
        let h = p + q;
        let (a, b) = (p / h, q / h);
        Area::of(|i| {
            // twice the area between the chord of both and that of the whole, over h
            let c = b * self.w[i] - a * next.w[i];
            [
                self.w[i] + next.w[i],
                a * self.h[i] + b * next.h[i] + 0.5 * c,
                a * a * self.k[i] + b * b * next.k[i] + 0.5 * a * b * (self.h[i] - next.h[i]) + (b - a) / 12.0 * c,
            ]
        })
    }

    /// The two halves of an interval of length `h`, by three normals for each path.
    fn halves(&self, h: f64, z: &Normals<L>) -> [Area<L>; 2] {
        // Cholesky's factor of the covariance of the first half, which is that of `Split` at the middle
        const HH: f64 = 0.036084391824351615; // 768^(-1/2)
        const KH: f64 = -0.018042195912175804; // -768^(1/2)/1536
        const KK: f64 = 0.018633899812498247; // 2880^(-1/2)
        let root = h.sqrt();
        let noise = |i: usize| {
            let w = 0.25 * z[0][i];
            [root * w, root * (HH * z[1][i] - 0.5 * w), root * (KH * z[1][i] + KK * z[2][i])]
        };
        let left = Area::of(|i| {
            let [w, a, k] = noise(i);
            [0.5 * self.w[i] + 1.5 * self.h[i] + w, 0.25 * self.h[i] + 3.75 * self.k[i] + a, 0.125 * self.k[i] + k]
        });
        // What `join` leaves for the other half, without the cancellation.
        let right = Area::of(|i| {
            let [w, a, k] = noise(i);
            [
                0.5 * self.w[i] - 1.5 * self.h[i] - w,
                0.25 * self.h[i] - 3.75 * self.k[i] - a - w,
                0.125 * self.k[i] - k - a - 0.5 * w,
            ]
        });
        [left, right]
    }

    /// The parts of lengths `p` and `q` of an interval, by three normals for each path.
    fn split(&self, p: f64, q: f64, z: &Normals<L>) -> [Area<L>; 2] {
        let s = Split::new(p, q);
        let left = Area::of(|i| {
            let [m, n] = [s.mean(self.w[i], self.h[i], self.k[i]), s.noise([z[0][i], z[1][i], z[2][i]])];
            [m[0] + n[0], m[1] + n[1], m[2] + n[2]]
        });
        [left, self.without(&left, p, q)]
    }

    /// What is left of an interval without its first part: the inverse of [`Area::join`].
    fn without(&self, first: &Area<L>, p: f64, q: f64) -> Area<L> {
        let h = p + q;
        let (a, b) = (p / h, q / h);
        Area::of(|i| {
            let w = self.w[i] - first.w[i];
            let c = b * first.w[i] - a * w;
            let area = (self.h[i] - a * first.h[i] - 0.5 * c) / b;
            let second = self.k[i] - a * a * first.k[i] - 0.5 * a * b * (first.h[i] - area) - (b - a) / 12.0 * c;
            [w, area, second / (b * b)]
        })
    }

    /// The same interval with time running backwards from its end.
    fn mirrored(&self) -> Area<L> {
        Area { w: self.w.map(|w| -w), h: self.h, k: self.k.map(|k| -k) }
    }
}

/// The law of W, H and K of the first part, of length p, of an interval whose W, H and K are known: the mean's
/// coefficients, and Cholesky's factor of the covariance.
struct Split {
    rho: f64,
    theta: f64,
    factor: [[f64; 3]; 3],
}

impl Split {
    fn new(p: f64, q: f64) -> Split {
        let h = p + q;
        let (rho, theta) = (p / h, q / h);
        let cov = Split::covariance(p, q);
        let mut l = [[0.0f64; 3]; 3];
        for i in 0..3 {
            for j in 0..=i {
                let rest = cov[i][j] - (0..j).map(|k| l[i][k] * l[j][k]).sum::<f64>();
                l[i][j] = if i == j {
                    rest.max(0.0).sqrt()
                } else if l[j][j] > 0.0 {
                    rest / l[j][j]
                } else {
                    0.0
                };
            }
        }
        Split { rho, theta, factor: l }
    }

    fn covariance(p: f64, q: f64) -> [[f64; 3]; 3] {
        let h = p + q;
        let (a, b) = (p / h, q / h);
        let (d, e, cube) = ((a - b) * (a - b), a * b, a * a * a);
        let ww = h * e * (d * d + 4.0 * e * e);
        let wh = -0.5 * h * cube * b * (a * a - 3.0 * e + 6.0 * b * b);
        let wk = h / 12.0 * (cube * a) * b * (a - b);
        let hh = p / 12.0 * (1.0 - cube * (a * a + 2.0 * e + 16.0 * b * b));
        let hk = -q / 24.0 * (cube * a * a);
        let kk = p / 720.0 * (1.0 - cube * a * a);
        [[ww, wh, wk], [wh, hh, hk], [wk, hk, kk]]
    }

    fn mean(&self, w: f64, h: f64, k: f64) -> [f64; 3] {
        let (a, b) = (self.rho, self.theta);
        [a * w + 6.0 * a * b * h + 120.0 * a * b * (0.5 - a) * k, a * a * (h + 30.0 * b * k), a * a * a * k]
    }

    fn noise(&self, z: [f64; 3]) -> [f64; 3] {
        self.factor.map(|row| row[0] * z[0] + row[1] * z[1] + row[2] * z[2])
    }
}

/// A piece of the axis of positive times.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Place {
    /// from 0 to two to this
    Spine(i32),
    /// a piece of the binade of an exponent (or of the piece below all binades); the root is 1, the halves of n are 2n and
    /// 2n + 1
    Heap(i32, u64),
}

impl Place {
    fn is_leaf(self) -> bool {
        matches!(self, Place::Heap(_, n) if n >> DEPTH != 0)
    }

    fn halves(self) -> [Place; 2] {
        match self {
            Place::Spine(e) if e - 1 == FLOOR => [Place::Heap(FLOOR - 1, 1), Place::Heap(e - 1, 1)],
            Place::Spine(e) => [Place::Spine(e - 1), Place::Heap(e - 1, 1)],
            Place::Heap(e, n) => [Place::Heap(e, 2 * n), Place::Heap(e, 2 * n + 1)],
        }
    }

    /// Exponent and place of the normals by which it is halved.
    fn numbers(self) -> (i32, u64) {
        match self {
            Place::Spine(e) => (e - 1, 0),
            Place::Heap(e, n) => (e, n),
        }
    }
}

/// A tree whose normals are known by their coordinates.
#[derive(Copy, Clone, Debug)]
struct Source<const L: usize> {
    of: Identity,
    negative: bool,
}

/// Exponent and place of some pieces, and their normals.
#[derive(Clone, Debug, Default)]
struct Batch {
    numbers: Vec<(i32, u64)>,
    counters: Vec<Block>,
    pairs: Vec<[f64; 2]>,
}

impl<const L: usize> Source<L> {
    /// Blocks of one normal: a block is of two paths.
    const BLOCKS: usize = L.div_ceil(2);

    /// Draws the normals of all pieces of a batch together: that is cheaper than one after the other.
    fn draw(&self, batch: &mut Batch) {
        let sign = u16::from(self.negative) << 15;
        batch.counters.clear();
        for (exponent, place) in &batch.numbers {
            let turn = sign | (exponent - FLOOR + 1) as u16;
            for k in 0..3 {
                for pair in 0..Self::BLOCKS as u64 {
                    let at = Coord {
                        path: self.of.path + 2 * pair,
                        step: place << 2 | k,
                        site: self.of.noise,
                        component: self.of.component,
                        turn,
                    };
                    batch.counters.push(at.counter());
                }
            }
        }
        batch.pairs.resize(batch.counters.len(), [0.0; 2]);
        let key = Key { seed: self.of.key.0, stream: self.of.key.1 ^ TREE_STREAM };
        normal::normals_of_blocks(key, &batch.counters, &mut batch.pairs);
    }

    /// The normals of the k-th piece of a batch that was drawn.
    fn normals_of(&self, batch: &Batch, k: usize) -> Normals<L> {
        let pairs = &batch.pairs[3 * k * Self::BLOCKS..];
        let first = (self.of.path & 1) as usize;
        std::array::from_fn(|z| {
            let pairs = pairs[z * Self::BLOCKS..][..Self::BLOCKS].as_flattened();
            std::array::from_fn(|lane| pairs[first + lane])
        })
    }

    fn normals(&self, exponent: i32, place: u64) -> Normals<L> {
        let mut batch = Batch { numbers: vec![(exponent, place)], ..Batch::default() };
        self.draw(&mut batch);
        self.normals_of(&batch, 0)
    }

    /// The piece drawn by itself that a time lies in.
    fn root_of(&self, t: f64) -> Piece<L> {
        // Nothing else has the first number of the piece below all binades.
        let (place, exponent, start, len) = if t < 1.0 {
            (Place::Spine(0), FLOOR - 1, 0.0, 1.0)
        } else {
            let e = (t.to_bits() >> 52) as i32 - 1023;
            let start = f64::from_bits(t.to_bits() >> 52 << 52);
            (Place::Heap(e, 1), e, start, start)
        };
        Piece { place, start, len, area: Area::drawn(len, &self.normals(exponent, 0)), right: None }
    }

    /// A leaf before and after a time in it.
    fn parts(&self, leaf: &Piece<L>, t: f64) -> [Area<L>; 2] {
        let (exponent, place) = leaf.place.numbers();
        leaf.area.split(t - leaf.start, leaf.end() - t, &self.normals(exponent, place))
    }
}

/// A piece on the way from a root to a time.
#[derive(Copy, Clone, Debug)]
struct Piece<const L: usize> {
    place: Place,
    start: f64,
    len: f64,
    area: Area<L>,
    /// the second half, where the way goes on in the first
    right: Option<Area<L>>,
}

impl<const L: usize> Piece<L> {
    fn end(&self) -> f64 {
        self.start + self.len
    }

    fn first_half(&self, area: Area<L>) -> Piece<L> {
        Piece { place: self.place.halves()[0], start: self.start, len: 0.5 * self.len, area, right: None }
    }

    fn second_half(&self, area: Area<L>) -> Piece<L> {
        let len = 0.5 * self.len;
        Piece { place: self.place.halves()[1], start: self.start + len, len, area, right: None }
    }

    /// The numbers of this piece and of all that are halved on the way from it to a time in it.
    fn numbers_to(&self, t: f64, numbers: &mut Vec<(i32, u64)>) {
        numbers.clear();
        let (mut place, mut start, mut len) = (self.place, self.start, self.len);
        while start != t {
            numbers.push(place.numbers());
            if place.is_leaf() {
                return;
            }
            len *= 0.5;
            let second = t >= start + len;
            place = place.halves()[usize::from(second)];
            start += if second { len } else { 0.0 };
        }
    }
}

/// An interval that grows at its end.
#[derive(Copy, Clone, Debug)]
struct Sum<const L: usize>(Option<(f64, Area<L>)>);

impl<const L: usize> Sum<L> {
    fn area(&self) -> Area<L> {
        self.0.expect("some time between").1
    }

    fn add(&mut self, len: f64, area: &Area<L>) {
        self.0 = Some(match &self.0 {
            None => (len, *area),
            Some((p, first)) => (p + len, first.join(*p, area, len)),
        });
    }
}

/// A time on the axis of times from zero, with the way to it from its root: neighbouring questions share most of it.
#[derive(Clone, Debug)]
struct Cursor<const L: usize> {
    source: Source<L>,
    at: f64,
    way: Vec<Piece<L>>,
    /// from `at` to the end of the leaf that it lies in
    rest: Option<Area<L>>,
    batch: Batch,
}

impl<const L: usize> Cursor<L> {
    fn new(of: Identity, negative: bool) -> Cursor<L> {
        Cursor { source: Source { of, negative }, at: f64::NAN, way: Vec::new(), rest: None, batch: Batch::default() }
    }

    /// Goes to a time. The way ends at the largest piece that begins there, however one comes to it.
    fn seek(&mut self, t: f64) {
        if self.at == t {
            return;
        }
        while let [.., last] = &self.way[..] {
            let begins_higher = self.way.len() > 1 && self.way[self.way.len() - 2].start == t;
            if last.start <= t && t < last.end() && !begins_higher {
                break;
            }
            self.way.pop();
        }
        if self.way.is_empty() {
            self.way.push(self.source.root_of(t));
        }
        self.descend(t, &mut Sum(None));
    }

    /// From the end of the way down to a time inside it; adds what lies before it.
    fn descend(&mut self, t: f64, sum: &mut Sum<L>) {
        (self.at, self.rest) = (t, None);
        let top = self.way.last().expect("a piece that the time is in");
        top.numbers_to(t, &mut self.batch.numbers);
        self.source.draw(&mut self.batch);
        for k in 0..self.batch.numbers.len() {
            let z = self.source.normals_of(&self.batch, k);
            let top = self.way.last_mut().expect("a piece that the time is in");
            if top.place.is_leaf() {
                let [left, right] = top.area.split(t - top.start, top.end() - t, &z);
                sum.add(t - top.start, &left);
                self.rest = Some(right);
                return;
            }
            let [left, right] = top.area.halves(top.len, &z);
            let half = 0.5 * top.len;
            let next = if t < top.start + half {
                top.right = Some(right);
                top.first_half(left)
            } else {
                top.right = None;
                sum.add(half, &left);
                top.second_half(right)
            };
            self.way.push(next);
        }
    }

    /// Goes forward to a later time; what lies between.
    fn advance(&mut self, to: f64) -> Area<L> {
        let (from, top) = (self.at, *self.way.last().expect("a time was sought"));
        let mut sum = Sum(None);
        match self.rest {
            Some(_) if to < top.end() => {
                let before = self.source.parts(&top, from)[0];
                self.descend(to, &mut sum);
                return sum.area().without(&before, from - top.start, to - from);
            }
            None if to < top.end() => self.descend(to, &mut sum),
            rest => {
                sum.add(top.end() - from, &rest.unwrap_or(top.area));
                self.way.pop();
                self.climb(top.end(), to, &mut sum);
            }
        }
        sum.area()
    }

    /// From the end of the piece that was left last to a time that is not before it.
    fn climb(&mut self, mut end: f64, to: f64, sum: &mut Sum<L>) {
        loop {
            let next = match self.way.last_mut() {
                None => self.source.root_of(end),
                Some(parent) => match parent.right.take() {
                    Some(area) => parent.second_half(area),
                    None => {
                        self.way.pop();
                        continue;
                    }
                },
            };
            if to < next.end() {
                self.way.push(next);
                return self.descend(to, sum);
            }
            sum.add(next.len, &next.area);
            end = next.end();
        }
    }
}

/// A Brownian path (or `L` neighbouring ones), which remembers where it was asked last.
#[derive(Clone, Debug)]
pub struct Path<const L: usize> {
    forward: Cursor<L>,
    backward: Cursor<L>,
}

impl<const L: usize> Path<L> {
    pub fn new(of: Identity) -> Path<L> {
        Path { forward: Cursor::new(of, false), backward: Cursor::new(of, true) }
    }

    /// The interval from `s` to a later `u`.
    pub fn over(&mut self, s: f64, u: f64) -> Area<L> {
        if s >= 0.0 {
            return Self::between(&mut self.forward, s, u);
        }
        if u <= 0.0 {
            return Self::between(&mut self.backward, -u, -s).mirrored();
        }
        let before = Self::between(&mut self.backward, 0.0, -s).mirrored();
        before.join(-s, &Self::between(&mut self.forward, 0.0, u), u)
    }

    fn between(cursor: &mut Cursor<L>, s: f64, u: f64) -> Area<L> {
        cursor.seek(s.abs());
        cursor.advance(u)
    }
}

impl<const L: usize> Area<L> {
    /// The standard normals that stand for an interval of length `h`, in the order W, H, K.
    pub fn normals(&self, h: f64) -> [[f64; L]; 3] {
        let [w, a, k] = [h, h / 12.0, h / 720.0].map(|v| 1.0 / v.sqrt());
        [self.w.map(|x| w * x), self.h.map(|x| a * x), self.k.map(|x| k * x)]
    }
}

#[cfg(test)]
#[path = "brownian_tests.rs"]
mod tests;
