//! Whole graphs through the smart constructors, with or without replacements.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::super::graph::{FRESH, Graph, Id, IndexVar, Node, Rate, VarId, VarKind};
use super::super::ops::{Op, Red, Ty};
use super::array::any_below;

/// Rewrites graphs that were built raw. Recurses as deep as loops are nested.
pub fn simplify(g: &mut Graph, roots: &[Id]) -> Vec<Id> {
    let mut r = Rebuild::new(g, &[], &[], true);
    roots.iter().map(|id| r.apply(g, *id)).collect()
}

/// Writes out the sums and arrays of at most `most` values that differ from path to path: what is zero by its form goes, and
/// terms with a factor in common meet. Sums over data keep their loops. Called on simplified graphs.
pub fn written_out(g: &mut Graph, roots: &[Id], most: usize) -> Vec<Id> {
    let order = g.reachable(roots);
    if !order.iter().any(|id| is_short(g, *id, most)) {
        return roots.to_vec();
    }
    let mut r = Rebuild::new(g, &[], &[], true);
    r.short = most;
    roots.iter().map(|id| r.apply(g, *id)).collect()
}

fn is_short(g: &Graph, id: Id, most: usize) -> bool {
    let (Node::Reduce(Red::Sum, bounds, body) | Node::Map(bounds, body)) = g.node(id) else { return false };
    let turns = bounds.iter().map(|b| b.extent).product::<usize>();
    (1..=most).contains(&turns)
        && g.rate(id) == Rate::Lane
        && g.ty(id) == Ty::Real
        && !any_below(g, *body, |node| matches!(node, Node::Data(_)))
}

/// Replaces free indices and variables in simplified graphs. Nothing is captured: binders are opened on the way.
pub fn substitute(g: &mut Graph, roots: &[Id], indices: &[(u32, Id)], vars: &[(VarId, Id)]) -> Vec<Id> {
    let mut r = Rebuild::new(g, indices, vars, false);
    roots.iter().map(|id| r.apply(g, *id)).collect()
}

/// Opens binders by names that depend on the terms alone, so that opening equal terms gives equal terms: the bound `h`
/// is named after `h`, unless that name is free in a part or one of those to avoid.
pub fn open(g: &mut Graph, bounds: &[IndexVar], parts: &[Id], avoid: &HashSet<u32>) -> (Vec<IndexVar>, Vec<Id>) {
    let named: Vec<IndexVar> = bounds
        .iter()
        .map(|b| {
            let mut id = OPENED + (b.id << 8);
            while avoid.contains(&id) || parts.iter().any(|p| g.has_free(*p, id)) {
                id += 1;
            }
            IndexVar { id, extent: b.extent }
        })
        .collect();
    let pairs: Vec<(u32, Id)> = bounds.iter().zip(&named).map(|(old, new)| (old.id, g.index(*new))).collect();
    let parts = g.substitute_indices(parts, &pairs);
    (named, parts)
}

/// The parts of a node that are in no narrower scope.
fn outside_binders(g: &Graph, id: Id) -> Vec<Id> {
    match g.node(id) {
        Node::Map(..) | Node::Reduce(..) | Node::Scatter { .. } => Vec::new(),
        Node::Partial { .. } | Node::Jvp { .. } => g.parts(id)[1..].to_vec(),
        _ => g.parts(id),
    }
}

/// Names given by [`open`] start here, above those of `Graph::fresh_index`.
const OPENED: u32 = FRESH + (1 << 30);

struct Rebuild {
    indices: HashMap<u32, Id>,
    vars: HashMap<VarId, Id>,
    /// what is put in, to keep from capturing
    values: Vec<Id>,
    /// indices that are replaced or occur in what is put in
    avoid: HashSet<u32>,
    /// also rebuild where nothing is replaced
    all: bool,
    /// sums and arrays of up to so many values are written out
    short: usize,
    memo: HashMap<Id, Id>,
}

impl Rebuild {
    fn new(g: &Graph, indices: &[(u32, Id)], vars: &[(VarId, Id)], all: bool) -> Rebuild {
        let values: Vec<Id> = indices.iter().map(|p| p.1).chain(vars.iter().map(|p| p.1)).collect();
        let mut avoid: HashSet<u32> = indices.iter().map(|p| p.0).collect();
        avoid.extend(values.iter().flat_map(|v| g.free(*v)));
        Rebuild {
            indices: indices.iter().copied().collect(),
            vars: vars.iter().copied().collect(),
            values,
            avoid,
            all,
            short: 0,
            memo: HashMap::default(),
        }
    }

    fn touches(&self, g: &Graph, id: Id) -> bool {
        self.all
            || g.free(id).iter().any(|f| self.indices.contains_key(f))
            || g.vars_of(id).iter().any(|v| self.vars.contains_key(v))
    }

    /// The new form of a node. Works through its parts with a stack of its own; only binders recurse.
    fn apply(&mut self, g: &mut Graph, id: Id) -> Id {
        let mut stack = vec![id];
        while let Some(top) = stack.last().copied() {
            if self.memo.contains_key(&top) || !self.touches(g, top) {
                stack.pop();
                continue;
            }
            let before = stack.len();
            stack.extend(
                outside_binders(g, top).into_iter().filter(|p| self.touches(g, *p) && !self.memo.contains_key(p)),
            );
            if stack.len() == before {
                let new = self.rebuild(g, top);
                self.memo.insert(top, new);
                stack.pop();
            }
        }
        self.memo.get(&id).copied().unwrap_or(id)
    }

    fn each(&mut self, g: &mut Graph, ids: &[Id]) -> Vec<Id> {
        ids.iter().map(|i| self.apply(g, *i)).collect()
    }

    fn rebuild(&mut self, g: &mut Graph, id: Id) -> Id {
        match g.node(id).clone() {
            Node::Real(_) | Node::Int(_) | Node::Bool(_) | Node::Data(_) => id,
            Node::Var(v) => self.vars.get(&v).copied().unwrap_or(id),
            Node::Index(i) => match self.indices.get(&i.id) {
                Some(new) => *new,
                None if i.extent <= 1 => g.int(0),
                None => id,
            },
            Node::Op(op, args) => {
                let args = self.each(g, &args);
                super::op(g, op, &args)
            }
            Node::Lit(shape, elements) => {
                let elements = self.each(g, &elements);
                super::lit(g, shape, elements)
            }
            Node::Get(array, at) => {
                let array = self.apply(g, array);
                let at = self.each(g, &at);
                super::get(g, array, &at)
            }
            Node::Map(bounds, body) => {
                let short = is_short(g, id, self.short);
                let (bounds, parts) = self.under(g, &bounds, &[body]);
                if short { elements(g, &bounds, parts[0]) } else { super::map(g, &bounds, parts[0]) }
            }
            Node::Reduce(red, bounds, body) => {
                let short = is_short(g, id, self.short);
                let (bounds, parts) = self.under(g, &bounds, &[body]);
                if short { sum_of_terms(g, &bounds, parts[0]) } else { super::reduce(g, red, &bounds, parts[0]) }
            }
            Node::Scatter { shape, bounds, at, body } => {
                let mut parts = at;
                parts.push(body);
                let (bounds, mut parts) = self.under(g, &bounds, &parts);
                let body = parts.pop().expect("the body is the last part");
                super::scatter(g, shape, &bounds, &parts, body)
            }
            Node::Dense(op, args) => {
                let args = self.each(g, &args);
                super::dense(g, op, &args)
            }
            Node::Partial { of, var, point, at } => {
                let point = self.apply(g, point);
                let at = self.each(g, &at);
                let (of, var) = self.derivative_body(g, of, var);
                g.partial_at(of, var, point, &at)
            }
            Node::Jvp { of, var, point, tangent } => {
                let point = self.apply(g, point);
                let tangent = self.apply(g, tangent);
                let (of, var) = self.derivative_body(g, of, var);
                g.jvp_at(of, var, point, tangent)
            }
        }
    }

    fn under(&mut self, g: &mut Graph, bounds: &[IndexVar], parts: &[Id]) -> (Vec<IndexVar>, Vec<Id>) {
        let (bounds, parts) = open(g, bounds, parts, &self.avoid);
        (bounds, self.each(g, &parts))
    }

    /// The body of a derivative: its own variable stays, and is renamed where a value would be captured by it.
    fn derivative_body(&mut self, g: &mut Graph, of: Id, var: VarId) -> (Id, VarId) {
        let mut vars = self.vars.clone();
        vars.remove(&var);
        let captured = self.values.iter().any(|value| g.depends_on(*value, var));
        let (of, var) = if captured {
            let info = g.var_info(var).clone();
            let fresh = g.new_var(info.name, VarKind::Hole, info.ty, info.shape);
            let value = g.var(fresh);
            (g.substitute_vars(&[of], &[(var, value)])[0], fresh)
        } else {
            (of, var)
        };
        let mut inner = Rebuild {
            indices: self.indices.clone(),
            vars,
            values: self.values.clone(),
            avoid: self.avoid.clone(),
            all: self.all,
            short: 0,
            memo: HashMap::default(),
        };
        (inner.apply(g, of), var)
    }
}

/// A body at each place of an index space, in order.
fn instances(g: &mut Graph, bounds: &[IndexVar], body: Id) -> Vec<Id> {
    let Some((bound, rest)) = bounds.split_first() else { return vec![body] };
    let mut all = Vec::new();
    for k in 0..bound.extent {
        let k = g.int(k as i64);
        let here = substitute(g, &[body], &[(bound.id, k)], &[])[0];
        all.extend(instances(g, rest, here));
    }
    all
}

fn sum_of_terms(g: &mut Graph, bounds: &[IndexVar], body: Id) -> Id {
    let zero = g.real(0.0);
    instances(g, bounds, body).into_iter().fold(zero, |sum, term| super::op(g, Op::Add, &[sum, term]))
}

fn elements(g: &mut Graph, bounds: &[IndexVar], body: Id) -> Id {
    let all = instances(g, bounds, body);
    super::lit(g, bounds.iter().map(|b| b.extent).collect(), all)
}
