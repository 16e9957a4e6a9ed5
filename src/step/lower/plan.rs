//! Decisions made before lowering: which index spaces are written out and which become loops.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use crate::math::{Graph, Id, IndexVar, Node, Op, Rate};

/// Index spaces up to this extent may be written out.
const LARGEST_UNROLLED: usize = 16;
/// Straight-line code is wanted up to this many operations.
const LARGEST_CODE: usize = 500;

#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// indices with at most this extent are written out
    pub limit: usize,
    /// nodes whose code contains calls of elementary functions
    pub calls: HashSet<Id>,
    /// arrays that are stored, since their elements would be worked out several times
    pub shared: HashSet<Id>,
    /// logsumexps whose exponentials are needed again
    pub softmax: HashSet<Id>,
}

impl Plan {
    pub fn unrolls(&self, bound: &IndexVar) -> bool {
        bound.extent <= self.limit
    }
}

pub fn plan(g: &Graph, roots: &[Id]) -> Plan {
    let order = g.reachable(roots);
    let free = free_indices(g, &order);
    let mut extents: Vec<usize> = order.iter().flat_map(|id| bounds(g, *id)).map(|b| b.extent).collect();
    extents.extend(roots.iter().flat_map(|r| g.shape(*r).to_vec()));
    extents.retain(|e| *e <= LARGEST_UNROLLED);
    extents.push(1);
    extents.sort_unstable();
    extents.dedup();
    let limit = extents.into_iter().rev().find(|limit| size(g, &order, &free, *limit) <= LARGEST_CODE);
    let mut plan = Plan { limit: limit.unwrap_or(1), ..Plan::default() };
    plan.shared = shared(g, roots, &order, &plan);
    plan.calls = calls(g, &order, &plan);
    for id in &order {
        if let Node::Op(Op::Exp, args) = g.node(*id)
            && let Some((_, whole, _)) = crate::math::simplify::softmax_of(g, args[0])
        {
            plan.softmax.insert(whole);
        }
    }
    plan
}

/// Arrays whose elements would be worked out more often than there are, and take more than a few operations.
fn shared(g: &Graph, roots: &[Id], order: &[Id], plan: &Plan) -> HashSet<Id> {
    const CHEAP: usize = 2;
    // one cheap array that reads another that reads another ... is worked out from the first each time
    const CHAIN: usize = 12;
    let mut shared = HashSet::default();
    // how often the elements of an array are read, in all
    let mut reads: HashMap<Id, f64> = HashMap::default();
    // how many operations come before the next stored array, in what reads an array
    let mut behind: HashMap<Id, usize> = HashMap::default();
    for root in roots {
        *reads.entry(*root).or_insert(0.0) += g.shape(*root).iter().product::<usize>() as f64;
        if g.is_scalar(*root) {
            let (seen, chain) = (HashSet::default(), 0);
            Walk { g, reads: &mut reads, behind: &mut behind, seen, factor: 1.0, chain }.visit(*root, &[]);
        }
    }
    // readers come before what they read
    for id in order.iter().rev().filter(|id| g.rate(**id) == Rate::Lane && !g.is_scalar(**id)) {
        let size = g.shape(*id).iter().product::<usize>() as f64;
        let mut evaluations = reads.get(id).copied().unwrap_or(0.0);
        let (bounds, bodies) = match g.node(*id) {
            Node::Map(bounds, body) => (bounds.clone(), vec![*body]),
            Node::Scatter { bounds, .. } => (bounds.clone(), g.parts(*id)),
            _ => (Vec::new(), g.parts(*id)),
        };
        let mut chain = 0;
        let stored = if let Node::Map(bounds, body) = g.node(*id) {
            let looped = bounds.iter().any(|b| !plan.unrolls(b));
            // an array that is written anyway is there to be read
            let cheap = if roots.contains(id) { CHEAP - 1 } else { CHEAP };
            let work = work(g, *body, plan);
            chain = behind.get(id).copied().unwrap_or(0) + work;
            looped && evaluations > size && (work > cheap || chain > CHAIN)
        } else {
            true
        };
        if stored {
            evaluations = evaluations.min(size);
            chain = 0;
            if matches!(g.node(*id), Node::Map(..)) {
                shared.insert(*id);
            }
        }
        let factor = if size > 0.0 { evaluations / size } else { 0.0 };
        let seen = HashSet::default();
        let mut walk = Walk { g, reads: &mut reads, behind: &mut behind, seen, factor, chain };
        for body in bodies {
            walk.visit(body, &bounds);
        }
    }
    shared
}

/// Counts how often the elements of arrays are read in one body.
struct Walk<'a> {
    g: &'a Graph,
    reads: &'a mut HashMap<Id, f64>,
    behind: &'a mut HashMap<Id, usize>,
    seen: HashSet<Id>,
    factor: f64,
    /// operations from here to the next stored array
    chain: usize,
}

impl Walk<'_> {
    /// A node inside loops over `nest`, outermost first.
    fn visit(&mut self, id: Id, nest: &[IndexVar]) {
        if self.g.rate(id) < Rate::Lane || !self.seen.insert(id) {
            return;
        }
        // code goes to the outermost loop in which its indices are known
        let inner = nest.iter().rposition(|b| self.g.has_free(id, b.id)).map_or(0, |k| k + 1);
        let nest = &nest[..inner];
        match self.g.node(id).clone() {
            Node::Get(array, at) => {
                let times = nest.iter().map(|b| b.extent as f64).product::<f64>() * self.factor;
                *self.reads.entry(array).or_insert(0.0) += times;
                let behind = self.behind.entry(array).or_default();
                *behind = self.chain.max(*behind);
                at.iter().for_each(|a| self.visit(*a, nest));
            }
            Node::Reduce(_, bounds, body) => {
                let nest: Vec<IndexVar> = nest.iter().chain(&bounds).copied().collect();
                self.visit(body, &nest);
            }
            Node::Op(_, args) => args.iter().for_each(|a| self.visit(*a, nest)),
            Node::Dense(_, args) => args.iter().for_each(|a| self.visit(*a, nest)),
            // an array that something wants whole
            _ if !self.g.is_scalar(id) => {
                let size = self.g.shape(id).iter().product::<usize>() as f64;
                *self.reads.entry(id).or_insert(0.0) += size * self.factor;
            }
            _ => {}
        }
    }
}

/// Roughly how many operations a scalar takes.
fn work(g: &Graph, body: Id, plan: &Plan) -> usize {
    let (mut seen, mut stack, mut work) = (HashSet::default(), vec![body], 0);
    while let Some(id) = stack.pop() {
        if g.rate(id) < Rate::Lane || !seen.insert(id) {
            continue;
        }
        match g.node(id) {
            Node::Op(op, args) => {
                work += if super::super::kernel::kernel_of(*op).is_some() { 10 } else { 1 };
                stack.extend(args);
            }
            Node::Reduce(_, bounds, body) => {
                let looped = bounds.iter().any(|b| !plan.unrolls(b));
                work += if looped { 100 } else { bounds.iter().map(|b| b.extent).product() };
                stack.push(*body);
            }
            Node::Get(_, at) => stack.extend(at),
            Node::Dense(..) => work += 100,
            _ => {}
        }
    }
    work
}

fn bounds(g: &Graph, id: Id) -> Vec<IndexVar> {
    match g.node(id) {
        Node::Map(bounds, _) | Node::Reduce(_, bounds, _) | Node::Scatter { bounds, .. } => bounds.clone(),
        _ => Vec::new(),
    }
}

/// The free indices of each node, with their extents.
fn free_indices(g: &Graph, order: &[Id]) -> HashMap<Id, Vec<IndexVar>> {
    let mut free: HashMap<Id, Vec<IndexVar>> = HashMap::default();
    for id in order {
        let mut all = match g.node(*id) {
            Node::Index(i) => vec![*i],
            _ => g.parts(*id).iter().flat_map(|p| free[p].clone()).collect(),
        };
        all.retain(|i| g.has_free(*id, i.id));
        all.sort_unstable();
        all.dedup();
        free.insert(*id, all);
    }
    free
}

/// How many operations the code has if indices up to `limit` are written out: each node once for every value of its
/// free indices that are.
fn size(g: &Graph, order: &[Id], free: &HashMap<Id, Vec<IndexVar>>, limit: usize) -> usize {
    let copies = |indices: &[IndexVar]| {
        indices.iter().map(|i| i.extent).filter(|e| *e <= limit).fold(1usize, |n, e| n.saturating_mul(e))
    };
    let lane = order.iter().filter(|id| g.rate(**id) == Rate::Lane);
    lane.map(|id| match g.node(*id) {
        Node::Op(..) => copies(&free[id]),
        Node::Reduce(_, bounds, _) => copies(&free[id]).saturating_mul(copies(bounds)),
        _ => 0,
    })
    .fold(0, usize::saturating_add)
}

/// Nodes whose own code calls elementary functions, not counting stored arrays and inner loops.
fn calls(g: &Graph, order: &[Id], plan: &Plan) -> HashSet<Id> {
    let mut calls = HashSet::default();
    for id in order.iter().filter(|id| g.rate(**id) == Rate::Lane) {
        let inside = |p: &Id| calls.contains(p);
        let has = match g.node(*id) {
            Node::Op(op, args) => super::super::kernel::kernel_of(*op).is_some() || args.iter().any(inside),
            Node::Get(array, at) => (calls.contains(array) && !plan.shared.contains(array)) || at.iter().any(inside),
            Node::Reduce(_, bounds, body) => bounds.iter().all(|b| plan.unrolls(b)) && calls.contains(body),
            Node::Map(_, body) => calls.contains(body),
            _ => false,
        };
        if has {
            calls.insert(*id);
        }
    }
    calls
}

/// How many nodes read each node.
pub fn uses(g: &Graph, roots: &[Id]) -> HashMap<Id, usize> {
    let mut uses = HashMap::default();
    for id in roots {
        *uses.entry(*id).or_insert(0) += 1;
    }
    for id in g.reachable(roots) {
        for part in g.parts(id) {
            *uses.entry(part).or_insert(0) += 1;
        }
    }
    uses
}

/// Quotients that are rounded to integers or compared: a product with the reciprocal would put 3/3 below 1.
pub fn exact_quotients(g: &Graph, roots: &[Id]) -> HashSet<Id> {
    let mut exact = HashSet::default();
    for id in g.reachable(roots) {
        let Node::Op(op, args) = g.node(id) else { continue };
        if matches!(op, Op::Floor | Op::Ceil | Op::Mod | Op::IntDiv | Op::Lt | Op::Le | Op::Eq | Op::Ne) {
            exact.extend(args.iter().filter(|a| matches!(g.node(**a), Node::Op(Op::Div, _))));
        }
    }
    exact
}
