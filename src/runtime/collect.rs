//! Gathering what observers see: by each worker for its block, and in what all workers share.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::layout::{Layout, Place};
use super::plan::{Gather, Plan, Tally, Tape};
use super::statistics::lanes::{LaneMoments, LanePairs};
use super::statistics::moments::{Moments, Pairs};
use super::statistics::sketch::{CAPACITY, Sketch};
use super::tree::{Merge, Tree, fold};
use crate::kernels::welford::all_finite;

/// Bins of the sketch of a group.
const GROUP_CAPACITY: usize = 1 << 11;

/// Values that wait in a block before they go to sketches: those of 2,000 looks at most runs. A block that has more needs
/// a sketch of its own, which costs more than to push its values.
const WAITING: usize = 1 << 17;

/// What some paths say: one cell a look and element of each tally.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    pub moments: Vec<Moments>,
    pub pairs: Vec<Pairs>,
    /// values of each tally that were not finite
    pub lost: Vec<u64>,
}

impl Node {
    pub fn new(plan: &Plan) -> Node {
        Node {
            moments: vec![Moments::default(); plan.moment_cells],
            pairs: vec![Pairs::default(); plan.pair_cells],
            lost: vec![0; plan.tallies.len()],
        }
    }

    fn clear(&mut self) {
        self.moments.fill(Moments::default());
        self.pairs.fill(Pairs::default());
        self.lost.fill(0);
    }
}

impl Merge for Node {
    fn merge(&mut self, right: &Node) {
        self.moments.iter_mut().zip(&right.moments).for_each(|(a, b)| *a = a.merge(b));
        self.pairs.iter_mut().zip(&right.pairs).for_each(|(a, b)| *a = a.merge(b));
        self.lost.iter_mut().zip(&right.lost).for_each(|(a, b)| *a += b);
    }
}

/// The sketch of a cell; where it is wanted, also of each group by itself.
#[derive(Clone, Debug)]
pub struct CellSketch {
    pub all: Sketch,
    pub groups: BTreeMap<u64, Sketch>,
}

impl CellSketch {
    fn new() -> CellSketch {
        CellSketch { all: Sketch::new(CAPACITY), groups: BTreeMap::new() }
    }

    fn push(&mut self, group: Option<u64>, x: &[f64]) {
        x.iter().for_each(|x| self.all.push(*x));
        if let Some(group) = group {
            let sketch = self.groups.entry(group).or_insert_with(|| Sketch::new(GROUP_CAPACITY));
            x.iter().for_each(|x| sketch.push(*x));
        }
    }

    fn merge(&mut self, other: &CellSketch) {
        self.all.merge(&other.all);
        for (group, sketch) in &other.groups {
            self.groups.entry(*group).or_insert_with(|| Sketch::new(GROUP_CAPACITY)).merge(sketch);
        }
    }
}

/// The draws of one path on a tape, `[looks][rows]`.
pub type Reel = Box<[f64]>;

/// What all workers bring together.
pub struct Gathered {
    tree: Mutex<Tree<Node>>,
    sketches: Mutex<Vec<CellSketch>>,
    /// for each tape, the reels of positions
    reels: Vec<Mutex<BTreeMap<u64, Reel>>>,
}

/// The same at the end.
pub struct Harvest {
    /// one node a group
    pub groups: Vec<(u64, Node)>,
    pub sketches: Vec<CellSketch>,
    pub reels: Vec<BTreeMap<u64, Reel>>,
}

/// A worker that panicked has already failed the run, so what it left behind is never read.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

impl Gathered {
    pub fn new(plan: &Plan) -> Gathered {
        Gathered {
            tree: Mutex::default(),
            sketches: Mutex::new(vec![CellSketch::new(); plan.sketch_cells]),
            reels: plan.tapes.iter().map(|_| Mutex::default()).collect(),
        }
    }

    pub fn finish(self) -> Harvest {
        Harvest {
            groups: into_inner(self.tree).finish(),
            sketches: into_inner(self.sketches),
            reels: self.reels.into_iter().map(into_inner).collect(),
        }
    }
}

/// What lanes say by themselves until their values are brought together.
enum Lanes {
    None,
    /// for each element
    Moments(Vec<LaneMoments>),
    Pairs(Vec<LanePairs>),
}

impl Lanes {
    fn new(tally: &Tally, lanes: usize) -> Lanes {
        match tally.kind {
            _ if !tally.clustered => Lanes::None,
            Gather::Moments(order) => Lanes::Moments(vec![LaneMoments::new(order, lanes); tally.elements]),
            Gather::Units => Lanes::Moments(vec![LaneMoments::new(1, lanes); tally.elements]),
            Gather::Pairs => Lanes::Pairs(vec![LanePairs::new(lanes); tally.elements]),
            Gather::Sketch => Lanes::None,
        }
    }
}

/// Values on their way to a sketch: the cell, the group if groups are kept, the number of values.
type Waiting = (u32, u32, usize);

const NO_GROUP: u32 = u32::MAX;

/// What an observer sees at some looks in a row.
#[derive(Copy, Clone)]
pub struct Seen<'a> {
    /// `[out_rows][looks][lanes]`
    pub rows: &'a [f64],
    pub first_look: usize,
    pub looks: usize,
    /// which lanes count
    pub alive: &'a [bool],
}

impl<'a> Seen<'a> {
    /// A row at looks from the `from`-th to the `to`-th of these.
    fn stretch(&self, row: usize, from: usize, to: usize) -> &'a [f64] {
        let lanes = self.alive.len();
        &self.rows[(row * self.looks + from) * lanes..(row * self.looks + to) * lanes]
    }

    /// A row at one of these looks.
    fn row(&self, row: usize, look: usize) -> &'a [f64] {
        self.stretch(row, look, look + 1)
    }
}

/// What one worker gathers. A block counts only when it is committed.
pub struct Collector<'a> {
    plan: &'a Plan,
    layout: &'a Layout,
    gathered: &'a Gathered,
    lanes: usize,
    /// position of the first lane of the block
    position: u64,
    /// places of the pieces of the block for each batch of times, `[pieces][batches]`
    nodes: Vec<(Place, Node)>,
    by_lane: Vec<Lanes>,
    waiting: Vec<Waiting>,
    /// the values themselves
    waiting_values: Vec<f64>,
    /// sketches of the values of this block that did not fit into `waiting`
    spilled: BTreeMap<u32, CellSketch>,
    /// sketches of the committed blocks of this worker
    sketches: Vec<CellSketch>,
    /// for each tape the lanes of the block that it keeps, and their values `[looks][rows][kept lanes]`
    tapes: Vec<(Vec<usize>, Vec<f64>)>,
    ok: Vec<bool>,
}

impl<'a> Collector<'a> {
    pub fn new(plan: &'a Plan, layout: &'a Layout, gathered: &'a Gathered, lanes: usize) -> Collector<'a> {
        let pieces = lanes / layout.piece as usize * layout.batches as usize;
        Collector {
            plan,
            layout,
            gathered,
            lanes,
            position: 0,
            nodes: vec![(Place { group: 0, index: 0 }, Node::new(plan)); pieces],
            by_lane: plan.tallies.iter().map(|t| Lanes::new(t, lanes)).collect(),
            waiting: Vec::new(),
            waiting_values: Vec::new(),
            spilled: BTreeMap::new(),
            sketches: vec![CellSketch::new(); plan.sketch_cells],
            tapes: vec![(Vec::new(), Vec::new()); plan.tapes.len()],
            ok: vec![false; lanes],
        }
    }

    /// Begins a block whose first lane is at `position`, and forgets a block that was not committed.
    pub fn begin(&mut self, position: u64) {
        self.position = position;
        let batches = self.layout.batches;
        for (k, (place, node)) in self.nodes.iter_mut().enumerate() {
            let (piece, batch) = (k as u64 / batches, k as u64 % batches);
            *place = self.layout.place(position + piece * self.layout.piece, batch);
            node.clear();
        }
        for lanes in &mut self.by_lane {
            match lanes {
                Lanes::None => {}
                Lanes::Moments(all) => all.iter_mut().for_each(LaneMoments::clear),
                Lanes::Pairs(all) => all.iter_mut().for_each(LanePairs::clear),
            }
        }
        self.waiting.clear();
        self.waiting_values.clear();
        self.spilled.clear();
        for (tape, (kept, values)) in self.plan.tapes.iter().zip(&mut self.tapes) {
            let wanted = |lane: &usize| {
                let position = position + *lane as u64;
                tape.keeps(position) && self.layout.holds(position)
            };
            *kept = (0..self.lanes).filter(wanted).collect();
            values.clear();
        }
    }

    /// Whether any path of the block is wanted by an observer that has no requests, only a record.
    pub fn records(&self, observer: usize) -> bool {
        self.plan.records[observer].is_some_and(|tape| self.plan.tapes[tape].keeps(self.position))
    }

    /// Takes what an observer sees.
    pub fn look(&mut self, observer: usize, seen: Seen<'_>) {
        let plan = self.plan;
        for (k, tally) in plan.tallies.iter().enumerate().filter(|(_, t)| t.observer == observer) {
            let mut from = 0;
            while from < seen.looks {
                from = self.tally(k, tally, seen, from);
            }
        }
        for (tape, (kept, values)) in plan.tapes.iter().zip(&mut self.tapes).filter(|(t, _)| t.observer == observer) {
            for look in (0..seen.looks).filter(|k| (seen.first_look + k).is_multiple_of(tape.every_look)) {
                keep(tape, kept, values, seen, look);
            }
        }
    }

    /// Takes what a tally wants of looks from the `from`-th on, at once where it can; returns the look to go on with.
    fn tally(&mut self, k: usize, tally: &Tally, seen: Seen<'_>, from: usize) -> usize {
        let last = |look: &usize| self.is_last_of_stretch(tally, seen.first_look + look);
        let end = (from..seen.looks).find(last).map_or(seen.looks, |look| look + 1);
        let end = if self.push_looks(k, tally, seen, from, end) { end } else { from + 1 };
        let look = seen.first_look + end - 1;
        if tally.clustered && self.is_last_of_stretch(tally, look) {
            self.flush(k, look);
        }
        end
    }

    /// Pushes all values of some looks; where that is not done for all at once, of the first only, and returns so.
    /// Rows that share an element come look by look, so that the order of their values is always the same.
    fn push_looks(&mut self, k: usize, tally: &Tally, seen: Seen<'_>, from: usize, end: usize) -> bool {
        let apart = tally.rows.len() == tally.elements && !seen.alive.contains(&false);
        let finite = |row: &(usize, usize, usize)| all_finite(seen.stretch(row.0, from, end));
        if let Lanes::Moments(all) = &mut self.by_lane[k] {
            if apart && end > from + 1 && tally.rows.iter().all(finite) {
                for row in &tally.rows {
                    all[row.2].push_rows(seen.stretch(row.0, from, end));
                }
                return true;
            }
        }
        for row in &tally.rows {
            self.push(k, tally, seen, from, *row);
        }
        false
    }

    /// Whether the values of a path so far are to be brought together now.
    fn is_last_of_stretch(&self, tally: &Tally, look: usize) -> bool {
        let (look, looks) = (look as u64, tally.looks as u64);
        !tally.pool_times || look + 1 == looks || self.layout.batch(look, looks) != self.layout.batch(look + 1, looks)
    }

    fn batch(&self, tally: &Tally, look: usize) -> usize {
        if tally.pool_times { self.layout.batch(look as u64, tally.looks as u64) as usize } else { 0 }
    }

    fn push(&mut self, k: usize, tally: &Tally, seen: Seen<'_>, at: usize, row: (usize, usize, usize)) {
        let look = seen.first_look + at;
        let (x, y) = (seen.row(row.0, at), seen.row(row.1, at));
        let all = self.mark(k, tally, look, [x, y], seen.alive);
        match (&mut self.by_lane[k], tally.kind) {
            (_, Gather::Sketch) => self.wait(tally, look, row.2, x, all),
            (Lanes::Moments(of), _) if all => of[row.2].push_rows(x),
            (Lanes::Moments(of), _) => of[row.2].push(x, &self.ok),
            (Lanes::Pairs(of), _) => of[row.2].push(x, y, &self.ok),
            (Lanes::None, _) => self.direct(tally, tally.cell(look, row.2), x, y),
        }
    }

    /// Says in `ok` which values count, and counts those that are not finite. Returns whether all count.
    fn mark(&mut self, k: usize, tally: &Tally, look: usize, values: [&[f64]; 2], alive: &[bool]) -> bool {
        let [x, y] = values;
        if !alive.contains(&false) && all_finite(x) && (std::ptr::eq(x, y) || all_finite(y)) {
            self.ok.fill(true);
            return true;
        }
        let mut lost = false;
        for (lane, ok) in self.ok.iter_mut().enumerate() {
            *ok = alive[lane] && values[0][lane].is_finite() && values[1][lane].is_finite();
            lost |= *ok != alive[lane];
        }
        if lost {
            let (piece, batches, batch) =
                (self.layout.piece as usize, self.layout.batches as usize, self.batch(tally, look));
            for lane in (0..self.lanes).filter(|l| alive[*l] && !self.ok[*l]) {
                self.nodes[lane / piece * batches + batch].1.lost[k] += 1;
            }
        }
        false
    }

    /// One value a path: straight to the cell of its piece.
    fn direct(&mut self, tally: &Tally, cell: usize, x: &[f64], y: &[f64]) {
        let (piece, batches) = (self.layout.piece as usize, self.layout.batches as usize);
        for (k, start) in (0..self.lanes).step_by(piece).enumerate() {
            let lanes = start..start + piece;
            let node = &mut self.nodes[k * batches].1;
            if tally.kind == Gather::Pairs {
                let wanted = lanes.filter(|l| self.ok[*l]).map(|l| [x[l], y[l]]);
                node.pairs[cell] = Pairs::of(&wanted.collect::<Vec<_>>());
            } else if self.ok[lanes.clone()].iter().all(|ok| *ok) {
                node.moments[cell] = Moments::of_few(&x[lanes]);
            } else {
                let wanted = lanes.filter(|l| self.ok[*l]).map(|l| x[l]);
                node.moments[cell] = Moments::of_few(&wanted.collect::<Vec<_>>());
            }
        }
    }

    /// Brings the values of each lane together in the cells of its piece.
    fn flush(&mut self, k: usize, look: usize) {
        let plan = self.plan;
        let tally = &plan.tallies[k];
        let (piece, batches, batch) =
            (self.layout.piece as usize, self.layout.batches as usize, self.batch(tally, look));
        for element in 0..tally.elements {
            let cell = tally.cell(look, element);
            for lane in 0..self.lanes {
                let node = &mut self.nodes[lane / piece * batches + batch].1;
                match (&self.by_lane[k], tally.kind) {
                    (Lanes::Moments(all), Gather::Units) => {
                        let m = all[element].lane(lane);
                        if m.n > 0 {
                            node.pairs[cell].push(m.n as f64, m.n as f64 * m.mean);
                        }
                    }
                    (Lanes::Moments(all), _) => node.moments[cell] = node.moments[cell].merge(&all[element].lane(lane)),
                    (Lanes::Pairs(all), _) => node.pairs[cell] = node.pairs[cell].merge(all[element].lane(lane)),
                    (Lanes::None, _) => {}
                }
            }
            match &mut self.by_lane[k] {
                Lanes::Moments(all) => all[element].clear(),
                Lanes::Pairs(all) => all[element].clear(),
                Lanes::None => {}
            }
        }
    }

    /// Puts values on their way to a sketch: all, or those that count.
    fn wait(&mut self, tally: &Tally, look: usize, element: usize, x: &[f64], all: bool) {
        let cell = tally.cell(look, element) as u32;
        let (piece, batches, batch) =
            (self.layout.piece as usize, self.layout.batches as usize, self.batch(tally, look));
        for (k, first) in (0..self.lanes).step_by(piece).enumerate() {
            let group = if tally.by_group { self.nodes[k * batches + batch].0.group as u32 } else { NO_GROUP };
            let before = self.waiting_values.len();
            let lanes = first..first + piece;
            if all {
                self.waiting_values.extend_from_slice(&x[lanes]);
            } else {
                self.waiting_values.extend(lanes.filter(|l| self.ok[*l]).map(|l| x[l]));
            }
            let count = self.waiting_values.len() - before;
            match self.waiting.last_mut() {
                _ if count == 0 => {}
                Some(last) if (last.0, last.1) == (cell, group) => last.2 += count,
                _ => self.waiting.push((cell, group, count)),
            }
        }
        if self.waiting_values.len() >= WAITING {
            let spilled = &mut self.spilled;
            let sketch = |cell, group: Option<u64>, x: &[f64]| {
                spilled.entry(cell).or_insert_with(CellSketch::new).push(group, x);
            };
            arrive(&mut self.waiting, &mut self.waiting_values, sketch);
        }
    }

    /// The block is finished: what it says counts.
    pub fn commit(&mut self) {
        let sketches = &mut self.sketches;
        let sketch = |cell: u32, group: Option<u64>, x: &[f64]| sketches[cell as usize].push(group, x);
        arrive(&mut self.waiting, &mut self.waiting_values, sketch);
        for (cell, sketch) in std::mem::take(&mut self.spilled) {
            self.sketches[cell as usize].merge(&sketch);
        }
        self.commit_reels();
        let positions = self.layout.positions() - self.position;
        let batches = self.layout.batches;
        let pieces = positions.div_ceil(self.layout.piece).min(self.lanes as u64 / self.layout.piece) * batches;
        let mut left = Vec::new();
        fold(&mut self.nodes[..pieces as usize], |place, level, node| left.push((place, level, node.clone())));
        let mut tree = lock(&self.gathered.tree);
        left.into_iter().for_each(|(place, level, node)| tree.insert(place, level, node));
    }

    fn commit_reels(&mut self) {
        for ((kept, values), shared) in self.tapes.iter().zip(&self.gathered.reels) {
            let mut shared = lock(shared);
            for (k, lane) in kept.iter().enumerate() {
                let reel = values.iter().skip(k).step_by(kept.len()).copied().collect();
                shared.insert(self.position + *lane as u64, reel);
            }
        }
    }

    /// The worker is done.
    pub fn finish(self) {
        let mut shared = lock(&self.gathered.sketches);
        shared.iter_mut().zip(&self.sketches).for_each(|(a, b)| a.merge(b));
    }
}

/// Calls `push` with the cell, the group and the values of all that waits.
fn arrive(waiting: &mut Vec<Waiting>, values: &mut Vec<f64>, mut push: impl FnMut(u32, Option<u64>, &[f64])) {
    let mut rest = &values[..];
    for (cell, group, count) in waiting.drain(..) {
        let (now, later) = rest.split_at(count);
        push(cell, (group != NO_GROUP).then_some(u64::from(group)), now);
        rest = later;
    }
    values.clear();
}

/// Adds a look to a tape; dead lanes leave NaN.
fn keep(tape: &Tape, kept: &[usize], values: &mut Vec<f64>, seen: Seen<'_>, look: usize) {
    for row in tape.first_row..tape.first_row + tape.rows {
        let row = seen.row(row, look);
        values.extend(kept.iter().map(|lane| if seen.alive[*lane] { row[*lane] } else { f64::NAN }));
    }
}
