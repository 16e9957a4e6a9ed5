//! Steps that each path chooses by their errors.
//!
//! A step of a lane from t to t + h is tried; its code also gives the error in units of the tolerance. Up to 1 the step is
//! accepted, else the lane goes back and tries a smaller one. The next length follows from this error and the last one, by
//! a proportional-integral controller (K. Gustafsson, ACM Trans. Math. Softw. 17 (1991) 533; E. Hairer, G. Wanner, Solving
//! Ordinary Differential Equations II, section IV.2; for stochastic equations S. Ilie, K. R. Jackson, W. H. Enright, Numer.
//! Algorithms 68 (2015) 791). Lanes wait for each other where something looks at the states, and step exactly there.
//!
//! The noise is the Brownian path of the lane, so a step that is tried again meets the same path. A rejected step has seen
//! the path at its end, and what was seen must not be skipped, or the accepted increments are not those of a path: the lane
//! steps on that end before it goes beyond it (J. Foster, A. Jelinčič, "On the convergence of adaptive approximations for
//! stochastic differential equations", 2024).

use std::sync::atomic::{AtomicBool, Ordering};

use super::brownian::Path;
use super::job::Job;
use super::memory::Memory;
use super::noise::Fill;
use super::wiener::{Wanted, WienerSites};
use crate::kernels::lane::Lane;

/// The state rows that hold the clock of each lane, and the error of its step.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct ClockRows {
    pub time: usize,
    pub next: usize,
    pub dt: usize,
    pub error: usize,
}

/// How the steps of a job are chosen. Its grid is then the times at which something looks.
#[derive(Clone, Debug, PartialEq)]
pub struct Adaptive {
    pub rows: ClockRows,
    pub sites: WienerSites,
    /// the power of the step length that its error goes with
    pub order: f64,
    /// the steps meet a path
    pub noisy: bool,
    /// a path that needs more fails
    pub most_steps: u64,
}

/// Steps that were tried.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct Attempts {
    pub accepted: u64,
    pub rejected: u64,
    /// paths that diverged because no step met the tolerance, though their states were finite
    pub stuck: u64,
    /// when the first path was given up, and which
    pub first_failure: Option<(f64, u64)>,
}

impl Attempts {
    pub fn merge(&mut self, other: &Attempts) {
        self.accepted += other.accepted;
        self.rejected += other.rejected;
        self.stuck += other.stuck;
        let earlier = |a: (f64, u64), b: (f64, u64)| if (a.0, a.1) <= (b.0, b.1) { a } else { b };
        self.first_failure = match (self.first_failure, other.first_failure) {
            (Some(a), Some(b)) => Some(earlier(a, b)),
            (a, b) => a.or(b),
        };
    }
}

/// The part of the error's own size that a new step aims at, and the least and greatest change of a length.
const SAFETY: f64 = 0.9;
const LEAST: f64 = 0.2;
const MOST: f64 = 5.0;
/// Until a step is rejected the first guess may be far off.
const MOST_AT_FIRST: f64 = 10.0;
/// Exponents of the controller, over the order of the error.
const INTEGRAL: f64 = 0.7;
const PROPORTIONAL: f64 = 0.4;
/// The least error that the controller remembers.
const FLOOR: f64 = 1e-4;
/// What a step that gave no number is cut to.
const CUT: f64 = 0.25;
/// A step that is shorter than this part of what was wanted was cut short, because something looks at its end.
const CUT_SHORT: f64 = 0.9;
/// A step may be stretched to a time that is looked at if its length is this part of the way.
const STRETCH: f64 = 0.8;
/// Of the whole run, the first step that is tried and the shortest; a step is also no shorter than this part of the time.
const FIRST: f64 = 1e-3;
const SHORTEST: f64 = 1e-15;
const RESOLUTION: f64 = 1e-14;
/// The same where a path is met, which is resolved to some leaves of its tree.
const RESOLUTION_OF_PATHS: f64 = 1e-9;
/// Ends of steps lie on the multiples of a power of two that is so much shorter than the step: there a path is known by few
/// halvings.
const FINER: i32 = 4;

/// The clock of one lane.
#[derive(Clone, Debug, Default)]
struct Clock {
    t: f64,
    /// where the step goes that is being tried
    next: f64,
    /// the length to try
    h: f64,
    /// the last accepted error
    last: f64,
    /// ends of rejected steps that lie ahead, the nearest last
    seen: Vec<f64>,
    /// the last step was rejected, any was
    rejected: bool,
    ever: bool,
    steps: u64,
}

/// What came of a step of a lane.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Accepted,
    Rejected,
    /// rejected, and there is no shorter step
    Lost,
}

impl Clock {
    fn begin(&mut self, t: f64, span: f64) {
        self.seen.clear();
        *self = Clock { t, h: FIRST * span, last: 1.0, seen: std::mem::take(&mut self.seen), ..Clock::default() };
    }

    /// The furthest time that the next step may go to.
    fn target(&self, end: f64) -> f64 {
        self.seen.last().copied().unwrap_or(end).min(end)
    }

    /// Chooses the end of the next step.
    fn choose(&mut self, end: f64, noisy: bool) {
        let target = self.target(end);
        let left = target - self.t;
        // Two equal steps rather than one and a rest of no length; but one where little is missing, as halves of halves would
        // never arrive. (A step that was rejected must become shorter.)
        let enough = if self.rejected { 1.0 } else { STRETCH };
        let h = if self.h >= enough * left { left } else { self.h.min(0.5 * left) };
        self.next = if h == left {
            target
        } else if noisy {
            round_down(self.t + h, h)
        } else {
            self.t + h
        };
    }

    /// Judges the step by its error; `None` where it gave no number.
    fn judge(&mut self, error: Option<f64>, how: &Adaptive, end: f64, span: f64) -> Verdict {
        let h = self.next - self.t;
        let Some(error) = error.filter(|e| *e <= 1.0) else {
            return self.reject(error, how, end, span);
        };
        let cut = h < CUT_SHORT * self.h;
        let most = if self.ever { MOST } else { MOST_AT_FIRST };
        let now = error.max(1e-10);
        let factor = SAFETY * exp2((PROPORTIONAL * log2(self.last) - INTEGRAL * log2(now)) / how.order);
        let factor = factor.clamp(LEAST, if self.rejected { 1.0 } else { most });
        // A step that was cut short says little of the next one.
        self.h = if cut && factor >= 1.0 { self.h.max(h * factor) } else { h * factor };
        if !cut {
            self.last = error.max(FLOOR);
        }
        (self.t, self.rejected) = (self.next, false);
        self.steps += 1;
        if self.seen.last() == Some(&self.t) {
            self.seen.pop();
        }
        if self.steps >= how.most_steps { Verdict::Lost } else { Verdict::Accepted }
    }

    fn reject(&mut self, error: Option<f64>, how: &Adaptive, end: f64, span: f64) -> Verdict {
        let h = self.next - self.t;
        let factor = error.map_or(CUT, |e| (SAFETY * exp2(-log2(e) / how.order)).clamp(LEAST, SAFETY));
        if how.noisy && self.next < self.target(end) {
            self.seen.push(self.next);
        }
        self.h = h * factor;
        (self.rejected, self.ever) = (true, true);
        let resolution = if how.noisy { RESOLUTION_OF_PATHS } else { RESOLUTION };
        let shortest = (SHORTEST * span).max(resolution * self.t.abs());
        if self.h < shortest { Verdict::Lost } else { Verdict::Rejected }
    }
}

/// The binary logarithm to a hundredth: a controller needs no more, and these are the same bits everywhere at little cost.
fn log2(x: f64) -> f64 {
    let mantissa = f64::from_bits(x.to_bits() << 12 >> 12 | 1023 << 52);
    ((x.to_bits() >> 52) as f64 - 1023.0) + (2.0 - mantissa / 3.0) * mantissa - 5.0 / 3.0
}

/// Two to a power, to four parts in a thousand.
fn exp2(x: f64) -> f64 {
    let whole = x.clamp(-1000.0, 1000.0).floor();
    let rest = x.clamp(-1000.0, 1000.0) - whole;
    f64::from_bits(((whole as i64 + 1023) as u64) << 52) * (1.0 + rest * (2.0 + rest) / 3.0)
}

/// A multiple of a power of two, which is short beside `h`, that is not above `x`.
fn round_down(x: f64, h: f64) -> f64 {
    let exponent = (h.to_bits() >> 52) as i32 - FINER;
    let unit = f64::from_bits((exponent.max(1) as u64) << 52);
    (x / unit).floor() * unit
}

/// Takes the lanes of a block through adaptive steps.
pub struct Pilot<T> {
    how: Adaptive,
    lanes: usize,
    key: (u64, u64),
    span: f64,
    begin: f64,
    wanted: Vec<Wanted>,
    /// the row of the step's table: its values are those of the run
    table: Vec<f64>,
    /// components of all noises that the steps want
    components: usize,
    clocks: Vec<Clock>,
    /// `[lanes][components]`
    paths: Vec<Path<1>>,
    old: Vec<T>,
    pub attempts: Attempts,
    /// lanes that were given up in the last interval
    pub lost: Vec<usize>,
}

impl<T: Lane> Pilot<T> {
    pub fn new(job: &Job<T>, lanes: usize) -> Option<Pilot<T>> {
        let (how, stage) = (job.adaptive.clone()?, job.step.as_ref()?);
        let wanted = how.sites.wanted(&stage.program);
        let (begin, end) = (job.grid[0], job.grid[job.grid.len() - 1]);
        Some(Pilot {
            how,
            lanes,
            key: job.key(),
            span: end - begin,
            begin,
            components: wanted.iter().map(|w| w.components).sum(),
            wanted,
            table: (stage.rows)(0..1),
            clocks: vec![Clock::default(); lanes],
            paths: Vec::new(),
            old: Vec::new(),
            attempts: Attempts::default(),
            lost: Vec::new(),
        })
    }

    /// Begins a block.
    pub fn begin(&mut self, first_path: u64) {
        self.attempts = Attempts::default();
        self.clocks.iter_mut().for_each(|clock| clock.begin(self.begin, self.span));
        self.paths.clear();
        for lane in 0..self.lanes as u64 {
            for wanted in &self.wanted {
                let one = |c| Path::new(wanted.identity(self.key, first_path + lane, c));
                self.paths.extend((0..wanted.components).map(one));
            }
        }
    }

    /// Takes all lanes that are alive to a time, which it leaves in `lost` if no step leads there. `false` if it was
    /// stopped midway.
    pub fn go(
        &mut self,
        job: &Job<T>,
        memory: &mut Memory<T>,
        fill: Fill,
        alive: &[bool],
        end: f64,
        stop: &AtomicBool,
    ) -> bool {
        let Some(stage) = &job.step else { return true };
        let mut active: Vec<bool> = alive.to_vec();
        self.lost.clear();
        while active.contains(&true) {
            if stop.load(Ordering::Relaxed) {
                return false;
            }
            for lane in (0..self.lanes).filter(|lane| active[*lane]) {
                self.prepare(memory, lane, end);
            }
            self.old.clone_from(&memory.state);
            memory.call(stage, fill, &self.table, 0);
            for (lane, active) in active.iter_mut().enumerate() {
                if !*active {
                    self.restore(memory, lane);
                    continue;
                }
                let (finite, error) = self.result(memory, lane);
                let clock = &mut self.clocks[lane];
                match clock.judge(error, &self.how, end, self.span) {
                    Verdict::Accepted => self.attempts.accepted += 1,
                    verdict => {
                        self.attempts.rejected += 1;
                        if verdict == Verdict::Lost {
                            *active = false;
                            self.lose(lane, finite, fill.first_path);
                        }
                        self.restore(memory, lane);
                    }
                }
                *active &= self.clocks[lane].t < end;
            }
        }
        true
    }

    /// Chooses the next step of a lane, sets its clock, and fills its noise.
    fn prepare(&mut self, memory: &mut Memory<T>, lane: usize, end: f64) {
        let clock = &mut self.clocks[lane];
        clock.choose(end, self.how.noisy);
        let (t, next, h) = (clock.t, clock.next, clock.next - clock.t);
        let rows = self.how.rows;
        for (row, value) in [(rows.time, t), (rows.next, next), (rows.dt, h)] {
            memory.state[row * self.lanes + lane] = T::of(value);
        }
        let mut paths = self.paths[lane * self.components..][..self.components].iter_mut();
        for wanted in &self.wanted {
            for (component, path) in paths.by_ref().take(wanted.components).enumerate() {
                wanted.put(path, [t, next], component, &mut memory.noise, self.lanes, lane);
            }
        }
    }

    /// Whether the states of a lane are finite, and the error if all is.
    fn result(&self, memory: &Memory<T>, lane: usize) -> (bool, Option<f64>) {
        let at = self.how.rows.error;
        let mut rows = memory.state.chunks_exact(self.lanes).enumerate().filter(|(row, _)| *row != at);
        let finite = rows.all(|(_, row)| row[lane].wide().is_finite());
        let error = memory.state[at * self.lanes + lane].wide();
        (finite, (finite && error.is_finite()).then_some(error))
    }

    fn restore(&self, memory: &mut Memory<T>, lane: usize) {
        let old = self.old.iter().skip(lane).step_by(self.lanes);
        memory.state.iter_mut().skip(lane).step_by(self.lanes).zip(old).for_each(|(x, old)| *x = *old);
    }

    fn lose(&mut self, lane: usize, finite: bool, first_path: u64) {
        self.lost.push(lane);
        let failure = Some((self.clocks[lane].t, first_path + lane as u64));
        self.attempts.merge(&Attempts { stuck: u64::from(finite), first_failure: failure, ..Attempts::default() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn how(noisy: bool) -> Adaptive {
        let rows = ClockRows { time: 0, next: 1, dt: 2, error: 3 };
        let sites = WienerSites { first: [0, 512, 768], noises: 1, parts: std::sync::Arc::new([]) };
        Adaptive { rows, sites, order: 2.0, noisy, most_steps: 1000 }
    }

    fn clock(h: f64) -> Clock {
        Clock { h, last: 1.0, ..Clock::default() }
    }

    #[test]
    fn rough_logarithms_and_powers() {
        for k in -400..400 {
            let x = 1.07f64.powi(k);
            assert!((log2(x) - x.log2()).abs() < 0.011, "{x}");
            let y = 0.13 * f64::from(k);
            assert!((exp2(y) / y.exp2() - 1.0).abs() < 0.004, "{y}");
        }
        assert_eq!((log2(1.0), exp2(0.0), exp2(-1.0)), (0.0, 1.0, 0.5));
        assert!(exp2(f64::INFINITY) > 1e300 && exp2(f64::NEG_INFINITY) < 1e-300);
    }

    #[test]
    fn steps_end_where_paths_are_known_by_few_halvings() {
        for (t, h) in [(0.3, 0.01), (1.7, 1e-5), (0.0, 3.0)] {
            let end = round_down(t + h, h);
            assert!(end > t + h * (1.0 - 1.0 / 16.0) && end <= t + h, "{t} {h} {end}");
        }
    }

    #[test]
    fn lanes_step_exactly_to_the_looks() {
        let mut c = clock(0.3);
        let mut ends = Vec::new();
        while c.t < 1.0 {
            c.choose(1.0, true);
            assert_eq!(c.judge(Some(0.9), &how(true), 1.0, 1.0), Verdict::Accepted);
            ends.push(c.t);
        }
        assert_eq!(ends.last(), Some(&1.0));
        assert!(ends.len() < 6, "{ends:?}");
    }

    #[test]
    fn small_errors_make_longer_steps_and_large_ones_shorter() {
        let (mut a, mut b) = (clock(0.01), clock(0.01));
        a.choose(1.0, false);
        b.choose(1.0, false);
        assert_eq!(a.judge(Some(1e-3), &how(false), 1.0, 1.0), Verdict::Accepted);
        assert!(a.h > 0.05 && a.h <= 0.1);
        assert_eq!(b.judge(Some(4.0), &how(false), 1.0, 1.0), Verdict::Rejected);
        assert!((b.h - 0.0045).abs() < 1e-12, "{}", b.h);
        // after a rejection the next accepted step does not grow
        b.choose(1.0, false);
        assert_eq!(b.judge(Some(1e-3), &how(false), 1.0, 1.0), Verdict::Accepted);
        assert!(b.h < 0.0045 + 1e-12);
    }

    #[test]
    fn ends_that_were_seen_are_not_skipped() {
        let mut c = clock(0.4);
        c.choose(1.0, true);
        let first = c.next;
        assert_eq!(c.judge(Some(9.0), &how(true), 1.0, 1.0), Verdict::Rejected);
        let mut ends = Vec::new();
        while c.t < 1.0 {
            c.choose(1.0, true);
            c.judge(Some(0.01), &how(true), 1.0, 1.0);
            ends.push(c.t);
        }
        assert!(ends.contains(&first), "{first}: {ends:?}");
        assert!(c.seen.is_empty());
    }

    #[test]
    fn a_rejected_step_becomes_shorter() {
        let mut c = clock(0.9);
        c.choose(1.0, false);
        assert_eq!(c.next, 1.0);
        assert_eq!(c.judge(Some(1.01), &how(false), 1.0, 1.0), Verdict::Rejected);
        c.choose(1.0, false);
        assert!(c.next < 0.9, "{}", c.next);
    }

    #[test]
    fn a_path_without_a_step_is_given_up() {
        let mut c = clock(0.4);
        let mut tries = 0;
        loop {
            c.choose(1.0, false);
            tries += 1;
            match c.judge(None, &how(false), 1.0, 1.0) {
                Verdict::Lost => break,
                verdict => assert_eq!(verdict, Verdict::Rejected),
            }
        }
        assert!(tries < 60, "{tries}");
        assert_eq!(c.t, 0.0);
    }
}
