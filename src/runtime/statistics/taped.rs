//! Statistics of draws that were kept: effective sample size, R-hat, autocorrelation.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::chains::{self, Chains, Estimate, Scores, UNKNOWN};
use super::{Request, StatKind, StatResult};
use crate::runtime::collect::Reel;
use crate::runtime::job::Observer;
use crate::runtime::layout::Layout;
use crate::runtime::plan::{self, Tape};

/// The kept draws of a run.
pub struct Tapes<'a> {
    tapes: &'a [Tape],
    layout: &'a Layout,
    /// for each tape
    reels: &'a [BTreeMap<u64, Reel>],
    /// paths that finished and did not diverge
    alive: u64,
    threads: usize,
    /// ESS and R-hat share the normal scores of the draws, so they are worked out together: for a tape and pooled axes,
    /// one a result element
    diagnoses: RefCell<HashMap<(usize, Vec<usize>), Diagnoses>>,
}

type Diagnoses = Rc<Vec<Diagnosis>>;

/// What was found about the chains of one result element.
#[derive(Copy, Clone, Debug)]
struct Diagnosis {
    ess: Estimate,
    rhat: Estimate,
    about: About,
}

#[derive(Copy, Clone, Debug)]
struct About {
    draws: u64,
    /// chains that are not finite
    left_out: u64,
}

impl<'a> Tapes<'a> {
    pub fn new(
        tapes: &'a [Tape],
        layout: &'a Layout,
        reels: &'a [BTreeMap<u64, Reel>],
        alive: u64,
        threads: usize,
    ) -> Tapes<'a> {
        Tapes { tapes, layout, reels, alive, threads, diagnoses: RefCell::default() }
    }

    /// The answer to a request that pools all looks.
    pub fn result(&self, k: usize, of: &Observer, request: &Request, shape: Vec<usize>) -> StatResult {
        let tape = &self.tapes[k];
        let mut result = StatResult { shape, ..StatResult::default() };
        let mut left_out = 0;
        for (estimate, about) in self.estimates(k, of, request) {
            result.values.push(estimate.value);
            result.se.push(estimate.se);
            result.n = result.n.max(about.draws);
            left_out = left_out.max(about.left_out);
        }
        result.notes = self.notes(k, request);
        if left_out > 0 {
            result.notes.push(format!("{left_out} chains have values that are not finite and are left out"));
        }
        if tape.looks == 1 && request.stat == StatKind::Ess {
            result.notes.push("at one time every path is an independent draw".to_string());
        }
        result
    }

    fn estimates(&self, k: usize, of: &Observer, request: &Request) -> Vec<(Estimate, About)> {
        if let StatKind::Autocorr { lag } = request.stat {
            let every = self.tapes[k].every_look;
            let kept_lag = lag.is_multiple_of(every).then_some(lag / every);
            let one = |chains: &Chains| kept_lag.map_or(UNKNOWN, |lag| chains::autocorrelation(chains, lag));
            return self.each_element(k, of, request, |chains, about| (one(chains), about));
        }
        let scale = self.scale(k);
        let pick = |d: &Diagnosis| match request.stat {
            StatKind::Rhat => (d.rhat, d.about),
            _ => (Estimate { value: d.ess.value * scale, se: d.ess.se * scale }, d.about),
        };
        self.diagnoses(k, of, request).iter().map(pick).collect()
    }

    /// What the kept chains stand for: paths for each of them.
    fn scale(&self, k: usize) -> f64 {
        let rows = self.tapes[k].rows;
        let lives = |reel: &&Reel| reel.iter().rev().take(rows).any(|x| !x.is_nan());
        let kept = self.reels[k].values().filter(lives).count();
        if kept > 0 { (self.alive as f64 / kept as f64).max(1.0) } else { 1.0 }
    }

    fn diagnoses(&self, k: usize, of: &Observer, request: &Request) -> Diagnoses {
        let key = (k, request.pool_axes.clone());
        if let Some(known) = self.diagnoses.borrow().get(&key) {
            return known.clone();
        }
        let asked = |stat: StatKind| {
            let same = |r: &Request| r.stat == stat && r.args == request.args && r.pool_axes == request.pool_axes;
            of.requests.iter().any(same)
        };
        let (ess, rhat) = (asked(StatKind::Ess), asked(StatKind::Rhat));
        let found = Rc::new(self.each_element(k, of, request, |chains, about| diagnose(chains, about, ess, rhat)));
        self.diagnoses.borrow_mut().insert(key, found.clone());
        found
    }

    /// Works out something for each result element, on all threads.
    fn each_element<T: Send>(
        &self,
        k: usize,
        of: &Observer,
        request: &Request,
        work: impl Fn(&Chains, About) -> T + Sync,
    ) -> Vec<T> {
        let slot = &of.stage.program.outs[request.args[0]];
        let (elements, count) = plan::elements(&slot.shape, &request.pool_axes);
        let (tape, layout, reels) = (&self.tapes[k], self.layout, &self.reels[k]);
        in_parallel(self.threads, count, |element| {
            let rows: Vec<usize> = (0..elements.len()).filter(|r| elements[*r] == element).collect();
            let (chains, left_out) = chains_of(tape, layout, reels, &rows);
            work(&chains, About { draws: chains.draws.len() as u64, left_out })
        })
    }

    fn notes(&self, k: usize, request: &Request) -> Vec<String> {
        let tape = &self.tapes[k];
        let mut notes = Vec::new();
        let kept = self.reels[k].len() as u64;
        if let plan::TapePaths::Every(every) = tape.paths
            && every > 1
        {
            notes.push(format!("from one in {every} paths, {kept} in all"));
        }
        if tape.every_look > 1 {
            notes.push(format!("from one in {} of the times", tape.every_look));
        }
        match request.stat {
            StatKind::Autocorr { lag }
                if !lag.is_multiple_of(tape.every_look) || lag / tape.every_look >= tape.looks =>
            {
                notes.push(format!("the kept times have no lag of {lag}"));
            }
            StatKind::Ess | StatKind::Rhat if tape.looks > 1 && tape.looks < chains::SHORTEST => {
                notes.push(format!("needs at least {} times", chains::SHORTEST));
            }
            _ => {}
        }
        notes
    }
}

fn diagnose(chains: &Chains, about: About, ess: bool, rhat: bool) -> Diagnosis {
    if chains.len == 1 {
        return Diagnosis { ess: Estimate { value: chains.count() as f64, se: 0.0 }, rhat: UNKNOWN, about };
    }
    let scores = Scores::of(chains);
    let estimate = |wanted: bool, of: fn(&Scores) -> Estimate| match &scores {
        Some(scores) if wanted => of(scores),
        _ => UNKNOWN,
    };
    Diagnosis { ess: estimate(ess, Scores::ess), rhat: estimate(rhat, Scores::rhat), about }
}

/// The draws of some rows, one chain a path and row; and how many chains are not finite and left out.
fn chains_of(tape: &Tape, layout: &Layout, reels: &BTreeMap<u64, Reel>, rows: &[usize]) -> (Chains, u64) {
    let mut chains = Chains { len: tape.looks, ..Chains::default() };
    let mut left_out = 0;
    for (position, reel) in reels {
        // With very few paths groups are stretches of time; chains are whole, so each path is a group.
        let group = if layout.batches > 1 { *position } else { layout.place(*position, 0).group };
        for row in rows {
            let start = chains.draws.len();
            chains.draws.extend(reel.iter().skip(*row).step_by(tape.rows));
            if chains.draws[start..].iter().all(|x| x.is_finite()) {
                chains.groups.push(group);
            } else {
                chains.draws.truncate(start);
                left_out += 1;
            }
        }
    }
    (chains, left_out)
}

/// The values of `work` at `0..count`, in order.
fn in_parallel<T: Send>(threads: usize, count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(count));
    let take = || {
        loop {
            let k = next.fetch_add(1, Ordering::Relaxed);
            if k >= count {
                return;
            }
            let value = work(k);
            done.lock().expect("no worker panicked").push((k, value));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(count) {
            scope.spawn(take);
        }
        take();
    });
    let mut done = done.into_inner().expect("no worker panicked");
    done.sort_unstable_by_key(|(k, _)| *k);
    done.into_iter().map(|(_, value)| value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parallel_work_keeps_its_order() {
        for threads in [1, 2, 7] {
            let squares = in_parallel(threads, 100, |k| k * k);
            assert!(squares.iter().enumerate().all(|(k, s)| *s == k * k));
        }
        assert!(in_parallel(3, 0, |k| k).is_empty());
    }
}
