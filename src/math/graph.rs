//! The math graph: pure expressions over arrays, hash-consed in an arena.
//!
//! Every operation is on scalars; arrays are made by `Map` over index spaces and read by `Get`, so loops stay loops
//! whatever their extents. The constructors here only share equal nodes; they rewrite nothing (`math::simplify` does).
//!
//! Bound indices are named by height: the bound of a `Map` or `Reduce` is one more than any bound inside its body,
//! so terms that differ only in the names of their indices are one node. A rewrite that looks under a binder opens it
//! with a fresh index ([`Graph::open`]) and closes the result by the ordinary constructors.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::sync::Arc;

use super::ops::{Dense, Op, Red, Ty};

/// A node of a [`Graph`].
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub u32);

/// An input of the graph: a state, a parameter, the time, a draw, ...
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VarId(pub u32);

/// An array of data.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DataId(pub u32);

/// A loop index with its extent: its value runs over `0..extent`. Bound ones are canonical (small ids), opened ones are
/// fresh (`id >= FRESH`).
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndexVar {
    pub id: u32,
    pub extent: usize,
}

/// Ids of opened indices start here.
pub const FRESH: u32 = 1 << 31;

pub type Shape = Vec<usize>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// a real constant, by its bits
    Real(u64),
    Int(i64),
    Bool(bool),
    Var(VarId),
    Data(DataId),
    /// the value of a loop index, an integer
    Index(IndexVar),
    Op(Op, Vec<Id>),
    /// an array written out: scalars in row-major order
    Lit(Shape, Vec<Id>),
    /// one element; as many indices (integer scalars) as the array has axes
    Get(Id, Vec<Id>),
    /// the array of the values of a scalar body, one axis a bound
    Map(Vec<IndexVar>, Id),
    /// a reduction of a scalar body over all bounds
    Reduce(Red, Vec<IndexVar>, Id),
    /// the array of `shape` that has at each place the sum of the bodies whose indices `at` point there
    Scatter {
        shape: Shape,
        bounds: Vec<IndexVar>,
        at: Vec<Id>,
        body: Id,
    },
    Dense(Dense, Vec<Id>),
    /// derivative of the scalar `of` by the element `at` of a variable, where that has the value `point`; not yet worked
    /// out. The variable is bound in `of`
    Partial {
        of: Id,
        var: VarId,
        point: Id,
        at: Vec<Id>,
    },
    /// derivative of the scalar `of` along `tangent` (of the variable's shape), likewise
    Jvp {
        of: Id,
        var: VarId,
        point: Id,
        tangent: Id,
    },
}

/// How often a value can change.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rate {
    /// known when the file is compiled
    Compile,
    /// once per run: parameters and data
    Run,
    /// once per step, the same for all paths: t, dt, the step index
    Step,
    /// per path
    Lane,
}

/// A law that a draw comes from; everything else is a transformation of one of these.
#[derive(Clone, Debug, PartialEq)]
pub enum Base {
    /// standard normal
    Normal,
    /// uniform on (0, 1)
    Uniform,
    /// a law that needs rejection; parameters are scalars, or arrays of the draw's shape
    Law(Sampler, Vec<Id>),
}

/// Laws drawn by their own kernels.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Sampler {
    /// shape; unit scale
    Gamma,
    /// a, b
    Beta,
    /// rate
    Poisson,
    /// n, p
    Binomial,
    /// kappa; centred at 0
    VonMises,
    /// degrees of freedom
    StudentT,
    /// weights `[n]`, not normalised (one array parameter); gives an index
    Categorical,
}

/// What an input stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum VarKind {
    /// a state of a path
    State,
    /// a real parameter of the run
    Param,
    /// t: the time at the start of the step
    Time,
    /// t': the time at its end
    TimeNext,
    /// dt, the length of the step
    Dt,
    /// the index of the step
    StepIndex,
    /// the increment of a noise of the model, as its equations see it
    Noise,
    /// a fresh draw for each path at each step. `site` is its coordinate, `turn` that of the loops around it
    Draw { base: Base, site: u32, turn: u16 },
    /// an argument of a function that is still abstract
    Hole,
    /// a number that a run works out later (a statistic)
    Result,
}

#[derive(Clone, Debug)]
pub struct VarInfo {
    pub name: String,
    pub kind: VarKind,
    pub ty: Ty,
    pub shape: Shape,
}

#[derive(Clone, Debug)]
pub struct DataInfo {
    pub name: String,
    pub shape: Shape,
    pub values: Arc<[f64]>,
}

/// What is known of a node without looking below it.
#[derive(Clone, Debug)]
struct Info {
    ty: Ty,
    shape: Shape,
    /// ids of the indices that occur free, sorted
    free: Arc<[u32]>,
    /// variables that occur, sorted
    vars: Arc<[VarId]>,
    /// one more than the highest bound index inside; 0 without binders
    height: u32,
    rate: Rate,
    /// whether a derivative that is not yet worked out occurs
    derivative: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    info: Vec<Info>,
    ids: HashMap<Node, Id>,
    vars: Vec<VarInfo>,
    data: Vec<DataInfo>,
    fresh: u32,
    /// values that are cleaned by themselves
    kept: HashSet<Id>,
}

impl Graph {
    pub fn new() -> Graph {
        Graph::default()
    }

    /// Number of nodes in the arena.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id.0 as usize]
    }

    pub fn ty(&self, id: Id) -> Ty {
        self.info[id.0 as usize].ty
    }

    pub fn shape(&self, id: Id) -> &[usize] {
        &self.info[id.0 as usize].shape
    }

    pub fn is_scalar(&self, id: Id) -> bool {
        self.shape(id).is_empty()
    }

    /// Ids of the indices that occur free in a node, sorted.
    pub fn free(&self, id: Id) -> &[u32] {
        &self.info[id.0 as usize].free
    }

    pub fn has_free(&self, id: Id, index: u32) -> bool {
        self.free(id).binary_search(&index).is_ok()
    }

    /// Variables that occur in a node, sorted.
    pub fn vars_of(&self, id: Id) -> &[VarId] {
        &self.info[id.0 as usize].vars
    }

    pub fn depends_on(&self, id: Id, var: VarId) -> bool {
        self.vars_of(id).binary_search(&var).is_ok()
    }

    pub fn height(&self, id: Id) -> u32 {
        self.info[id.0 as usize].height
    }

    /// Whether a derivative that is not yet worked out occurs in a node.
    pub fn has_derivative(&self, id: Id) -> bool {
        self.info[id.0 as usize].derivative
    }

    pub fn rate(&self, id: Id) -> Rate {
        self.info[id.0 as usize].rate
    }

    pub fn new_var(&mut self, name: impl Into<String>, kind: VarKind, ty: Ty, shape: Shape) -> VarId {
        self.vars.push(VarInfo { name: name.into(), kind, ty, shape });
        VarId((self.vars.len() - 1) as u32)
    }

    pub fn var_info(&self, var: VarId) -> &VarInfo {
        &self.vars[var.0 as usize]
    }

    pub fn var_ids(&self) -> impl Iterator<Item = VarId> + use<> {
        (0..self.vars.len() as u32).map(VarId)
    }

    pub fn new_data(&mut self, name: impl Into<String>, shape: Shape, values: Arc<[f64]>) -> DataId {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "data fill their shape");
        self.data.push(DataInfo { name: name.into(), shape, values });
        DataId((self.data.len() - 1) as u32)
    }

    /// Gives data the name that a program has for them.
    pub fn rename_data(&mut self, data: DataId, name: impl Into<String>) {
        self.data[data.0 as usize].name = name.into();
    }

    pub fn data_info(&self, data: DataId) -> &DataInfo {
        &self.data[data.0 as usize]
    }

    /// Keeps a value whole: nothing is simplified through it, so what reads it costs no more for what is behind it. What
    /// becomes of it when variables in it are replaced is kept too. For values without free indices.
    pub fn keep(&mut self, id: Id) {
        debug_assert!(self.free(id).is_empty(), "a kept value stands by itself");
        self.kept.insert(id);
    }

    pub fn is_kept(&self, id: Id) -> bool {
        self.kept.contains(&id)
    }

    pub fn keeps_any(&self) -> bool {
        !self.kept.is_empty()
    }

    /// A new opened index.
    pub fn fresh_index(&mut self, extent: usize) -> IndexVar {
        self.fresh += 1;
        IndexVar { id: FRESH + self.fresh, extent }
    }

    // Constructors. They share equal nodes and check types and shapes by assertion.

    pub fn real(&mut self, value: f64) -> Id {
        self.add(Node::Real(value.to_bits()))
    }

    pub fn int(&mut self, value: i64) -> Id {
        self.add(Node::Int(value))
    }

    pub fn boolean(&mut self, value: bool) -> Id {
        self.add(Node::Bool(value))
    }

    pub fn var(&mut self, var: VarId) -> Id {
        self.add(Node::Var(var))
    }

    pub fn data_node(&mut self, data: DataId) -> Id {
        self.add(Node::Data(data))
    }

    pub fn index(&mut self, index: IndexVar) -> Id {
        self.add(Node::Index(index))
    }

    pub fn op(&mut self, op: Op, args: &[Id]) -> Id {
        debug_assert_eq!(args.len(), op.arity(), "{}", op.name());
        debug_assert!(args.iter().all(|a| self.is_scalar(*a)), "{} takes scalars", op.name());
        self.add(Node::Op(op, args.to_vec()))
    }

    pub fn lit(&mut self, shape: Shape, elements: Vec<Id>) -> Id {
        debug_assert_eq!(shape.iter().product::<usize>(), elements.len());
        self.add(Node::Lit(shape, elements))
    }

    pub fn get(&mut self, array: Id, at: &[Id]) -> Id {
        debug_assert_eq!(self.shape(array).len(), at.len(), "one index an axis");
        if at.is_empty() {
            return array;
        }
        self.add(Node::Get(array, at.to_vec()))
    }

    /// The array of `body` over `bounds`. The bounds may be opened or bound ids; they are renamed by height.
    pub fn map(&mut self, bounds: &[IndexVar], body: Id) -> Id {
        debug_assert!(self.is_scalar(body), "the body of a map is a scalar");
        if bounds.is_empty() {
            return body;
        }
        let (bounds, parts) = self.close(bounds, &[body]);
        self.add(Node::Map(bounds, parts[0]))
    }

    pub fn reduce(&mut self, red: Red, bounds: &[IndexVar], body: Id) -> Id {
        debug_assert!(self.is_scalar(body), "the body of a reduction is a scalar");
        debug_assert!(!bounds.is_empty());
        let (bounds, parts) = self.close(bounds, &[body]);
        self.add(Node::Reduce(red, bounds, parts[0]))
    }

    pub fn scatter(&mut self, shape: Shape, bounds: &[IndexVar], at: &[Id], body: Id) -> Id {
        debug_assert_eq!(shape.len(), at.len());
        let mut parts = at.to_vec();
        parts.push(body);
        let (bounds, mut parts) = self.close(bounds, &parts);
        let body = parts.pop().expect("the body is the last part");
        self.add(Node::Scatter { shape, bounds, at: parts, body })
    }

    pub fn dense(&mut self, op: Dense, args: &[Id]) -> Id {
        self.add(Node::Dense(op, args.to_vec()))
    }

    /// The derivative of `of` by `var[at]`.
    pub fn partial(&mut self, of: Id, var: VarId, at: &[Id]) -> Id {
        debug_assert_eq!(self.var_info(var).shape.len(), at.len());
        let point = self.var(var);
        self.add(Node::Partial { of, var, point, at: at.to_vec() })
    }

    /// The derivative of `of` along `tangent`.
    pub fn jvp(&mut self, of: Id, var: VarId, tangent: Id) -> Id {
        debug_assert_eq!(self.var_info(var).shape, self.shape(tangent));
        let point = self.var(var);
        self.add(Node::Jvp { of, var, point, tangent })
    }

    /// The derivative of `of` by `var[at]`, where the variable has the value `point`.
    pub fn partial_at(&mut self, of: Id, var: VarId, point: Id, at: &[Id]) -> Id {
        self.add(Node::Partial { of, var, point, at: at.to_vec() })
    }

    /// The derivative of `of` along `tangent`, where the variable has the value `point`.
    pub fn jvp_at(&mut self, of: Id, var: VarId, point: Id, tangent: Id) -> Id {
        self.add(Node::Jvp { of, var, point, tangent })
    }

    // Binders.

    /// Renames bounds by height: the canonical bounds and the parts under them.
    fn close(&mut self, bounds: &[IndexVar], parts: &[Id]) -> (Vec<IndexVar>, Vec<Id>) {
        let base = parts.iter().map(|p| self.height(*p)).max().unwrap_or(0);
        let named: Vec<IndexVar> =
            bounds.iter().enumerate().map(|(k, b)| IndexVar { id: base + k as u32, extent: b.extent }).collect();
        if named == bounds {
            return (named, parts.to_vec());
        }
        let pairs: Vec<(u32, Id)> = bounds.iter().zip(&named).map(|(old, new)| (old.id, self.index(*new))).collect();
        let parts = self.substitute_indices(parts, &pairs);
        (named, parts)
    }

    /// Bounds replaced by fresh indices, and the parts under them.
    pub fn open(&mut self, bounds: &[IndexVar], parts: &[Id]) -> (Vec<IndexVar>, Vec<Id>) {
        let fresh: Vec<IndexVar> = bounds.iter().map(|b| self.fresh_index(b.extent)).collect();
        let pairs: Vec<(u32, Id)> = bounds.iter().zip(&fresh).map(|(old, new)| (old.id, self.index(*new))).collect();
        let parts = self.substitute_indices(parts, &pairs);
        (fresh, parts)
    }

    /// Replaces free indices by integer scalars, without rewriting anything else.
    pub fn substitute_indices(&mut self, roots: &[Id], pairs: &[(u32, Id)]) -> Vec<Id> {
        let mut s = Substitution {
            indices: pairs.iter().copied().collect(),
            vars: HashMap::default(),
            memo: HashMap::default(),
        };
        roots.iter().map(|r| s.apply(self, *r)).collect()
    }

    /// Replaces variables by nodes of the same shape, without rewriting anything else.
    pub fn substitute_vars(&mut self, roots: &[Id], pairs: &[(VarId, Id)]) -> Vec<Id> {
        for (var, value) in pairs {
            debug_assert_eq!(self.var_info(*var).shape, self.shape(*value), "a variable and its value have one shape");
        }
        let mut s = Substitution {
            indices: HashMap::default(),
            vars: pairs.iter().copied().collect(),
            memo: HashMap::default(),
        };
        // in order, so that a chain of them is no deeper for being long
        for kept in self.kept_below(roots, |g, id| s.touches(g, id)) {
            s.apply(self, kept);
        }
        roots.iter().map(|r| s.apply(self, *r)).collect()
    }

    /// Replaces nodes, as they are outside of binders, by others of the same type and shape, without rewriting anything else.
    pub fn replace(&mut self, roots: &[Id], pairs: &[(Id, Id)]) -> Vec<Id> {
        let vars: Vec<VarId> = pairs.iter().flat_map(|p| self.vars_of(p.0).to_vec()).collect();
        let vars = vars.into_iter().map(|v| (v, self.var(v))).collect();
        let mut s = Substitution { indices: HashMap::default(), vars, memo: pairs.iter().copied().collect() };
        roots.iter().map(|r| s.apply(self, *r)).collect()
    }

    /// The direct parts of a node, in order.
    pub fn parts(&self, id: Id) -> Vec<Id> {
        match self.node(id) {
            Node::Real(_) | Node::Int(_) | Node::Bool(_) | Node::Var(_) | Node::Data(_) | Node::Index(_) => Vec::new(),
            Node::Op(_, args) | Node::Dense(_, args) | Node::Lit(_, args) => args.clone(),
            Node::Get(array, at) => std::iter::once(*array).chain(at.iter().copied()).collect(),
            Node::Map(_, body) | Node::Reduce(_, _, body) => vec![*body],
            Node::Scatter { at, body, .. } => at.iter().copied().chain([*body]).collect(),
            Node::Partial { of, point, at, .. } => [*of, *point].into_iter().chain(at.iter().copied()).collect(),
            Node::Jvp { of, point, tangent, .. } => vec![*of, *point, *tangent],
        }
    }

    /// The nodes below the roots, each once, parts before wholes.
    pub fn reachable(&self, roots: &[Id]) -> Vec<Id> {
        let mut seen = vec![false; self.nodes.len()];
        let mut order = Vec::new();
        let mut stack: Vec<(Id, bool)> = roots.iter().rev().map(|r| (*r, false)).collect();
        while let Some((id, done)) = stack.pop() {
            if done {
                order.push(id);
            } else if !std::mem::replace(&mut seen[id.0 as usize], true) {
                stack.push((id, true));
                stack.extend(self.parts(id).into_iter().rev().map(|p| (p, false)));
            }
        }
        order
    }

    /// The kept values below the roots, by way of some of the nodes, parts before wholes.
    fn kept_below(&self, roots: &[Id], through: impl Fn(&Graph, Id) -> bool) -> Vec<Id> {
        let mut order = Vec::new();
        if self.kept.is_empty() {
            return order;
        }
        let mut seen: HashSet<Id> = HashSet::default();
        let mut stack: Vec<(Id, bool)> = roots.iter().rev().map(|r| (*r, false)).collect();
        while let Some((id, done)) = stack.pop() {
            if done {
                order.extend(self.is_kept(id).then_some(id));
            } else if through(self, id) && seen.insert(id) {
                stack.push((id, true));
                stack.extend(self.parts(id).into_iter().rev().map(|p| (p, false)));
            }
        }
        order
    }

    fn add(&mut self, node: Node) -> Id {
        if let Some(id) = self.ids.get(&node) {
            return *id;
        }
        let info = self.describe(&node);
        let id = Id(self.nodes.len() as u32);
        self.nodes.push(node.clone());
        self.info.push(info);
        self.ids.insert(node, id);
        id
    }

    fn describe(&self, node: &Node) -> Info {
        let leaf = |ty: Ty, shape: Shape, rate: Rate| Info {
            ty,
            shape,
            free: Arc::from([]),
            vars: Arc::from([]),
            height: 0,
            rate,
            derivative: false,
        };
        match node {
            Node::Real(_) => leaf(Ty::Real, vec![], Rate::Compile),
            Node::Int(_) => leaf(Ty::Int, vec![], Rate::Compile),
            Node::Bool(_) => leaf(Ty::Bool, vec![], Rate::Compile),
            Node::Var(v) => {
                let info = self.var_info(*v);
                Info { vars: Arc::from([*v]), ..leaf(info.ty, info.shape.clone(), info.kind.rate()) }
            }
            Node::Data(d) => leaf(Ty::Real, self.data_info(*d).shape.clone(), Rate::Run),
            Node::Index(i) => Info { free: Arc::from([i.id]), ..leaf(Ty::Int, vec![], Rate::Compile) },
            Node::Op(op, args) => {
                let types: Vec<Ty> = args.iter().map(|a| self.ty(*a)).collect();
                self.joined(op.ty(&types), vec![], args, &[])
            }
            Node::Lit(shape, elements) => {
                let ty = elements.first().map_or(Ty::Real, |e| self.ty(*e));
                self.joined(ty, shape.clone(), elements, &[])
            }
            Node::Get(array, at) => {
                let parts: Vec<Id> = std::iter::once(*array).chain(at.iter().copied()).collect();
                self.joined(self.ty(*array), vec![], &parts, &[])
            }
            Node::Map(bounds, body) => {
                self.joined(self.ty(*body), bounds.iter().map(|b| b.extent).collect(), &[*body], bounds)
            }
            Node::Reduce(red, bounds, body) => {
                let ty = match red {
                    Red::Sum | Red::Prod | Red::Max | Red::Min if self.ty(*body) == Ty::Int => Ty::Int,
                    _ => red.ty(),
                };
                self.joined(ty, vec![], &[*body], bounds)
            }
            Node::Scatter { shape, bounds, at, body } => {
                let parts: Vec<Id> = at.iter().copied().chain([*body]).collect();
                self.joined(Ty::Real, shape.clone(), &parts, bounds)
            }
            Node::Dense(op, args) => {
                let shape = match op {
                    Dense::Det | Dense::LogDet => vec![],
                    Dense::Solve => self.shape(args[1]).to_vec(),
                    _ => self.shape(args[0]).to_vec(),
                };
                self.joined(Ty::Real, shape, args, &[])
            }
            Node::Partial { of, var, point, at } => {
                let outer: Vec<Id> = std::iter::once(*point).chain(at.iter().copied()).collect();
                self.derivative_info(*of, *var, &outer)
            }
            Node::Jvp { of, var, point, tangent } => self.derivative_info(*of, *var, &[*point, *tangent]),
        }
    }

    /// A derivative binds its variable in the body only.
    fn derivative_info(&self, of: Id, var: VarId, outer: &[Id]) -> Info {
        let mut parts = outer.to_vec();
        parts.push(of);
        let all = self.joined(Ty::Real, vec![], &parts, &[]);
        let body: Arc<[VarId]> = self.vars_of(of).iter().copied().filter(|v| *v != var).collect();
        let sets: Vec<Arc<[VarId]>> =
            outer.iter().map(|o| self.info[o.0 as usize].vars.clone()).chain([body]).collect();
        Info { vars: union(sets.iter()), derivative: true, ..all }
    }

    fn joined(&self, ty: Ty, shape: Shape, parts: &[Id], bounds: &[IndexVar]) -> Info {
        let mut free = union(parts.iter().map(|p| &self.info[p.0 as usize].free));
        if !bounds.is_empty() {
            free = free.iter().copied().filter(|f| bounds.iter().all(|b| b.id != *f)).collect();
        }
        let vars = union(parts.iter().map(|p| &self.info[p.0 as usize].vars));
        let inner = parts.iter().map(|p| self.height(*p)).max().unwrap_or(0);
        let bound = bounds.iter().map(|b| b.id + 1).max().unwrap_or(0);
        let rate = parts.iter().map(|p| self.rate(*p)).max().unwrap_or(Rate::Compile);
        let derivative = parts.iter().any(|p| self.has_derivative(*p));
        Info { ty, shape, free, vars, height: inner.max(bound), rate, derivative }
    }
}

/// The union of sorted sets, sharing one of them where it is the whole.
fn union<'a, T: Copy + Ord + 'a>(sets: impl Iterator<Item = &'a Arc<[T]>>) -> Arc<[T]> {
    let mut all: Option<Arc<[T]>> = None;
    for set in sets {
        all = Some(match all {
            None => set.clone(),
            Some(a) if a == *set || set.is_empty() => a,
            Some(a) if a.is_empty() => set.clone(),
            Some(a) => {
                let mut joined: Vec<T> = a.iter().chain(set.iter()).copied().collect();
                joined.sort_unstable();
                joined.dedup();
                joined.into()
            }
        });
    }
    all.unwrap_or_else(|| Arc::from([]))
}

impl VarKind {
    pub fn rate(&self) -> Rate {
        match self {
            VarKind::Param | VarKind::Result => Rate::Run,
            VarKind::Time | VarKind::TimeNext | VarKind::Dt | VarKind::StepIndex => Rate::Step,
            VarKind::State | VarKind::Noise | VarKind::Draw { .. } | VarKind::Hole => Rate::Lane,
        }
    }
}

/// Replaces free indices and variables. Binders whose heights could change are opened on the way, so nothing is captured.
struct Substitution {
    indices: HashMap<u32, Id>,
    vars: HashMap<VarId, Id>,
    memo: HashMap<Id, Id>,
}

impl Substitution {
    fn touches(&self, g: &Graph, id: Id) -> bool {
        g.free(id).iter().any(|f| self.indices.contains_key(f))
            || g.vars_of(id).iter().any(|v| self.vars.contains_key(v))
    }

    /// Values with binders of their own, or with free bound indices, may not go under a binder as it stands.
    fn plain_values(&self, g: &Graph) -> bool {
        self.indices.values().chain(self.vars.values()).all(|v| g.height(*v) == 0)
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
            if let Node::Op(..) | Node::Get(..) | Node::Lit(..) | Node::Dense(..) = g.node(top) {
                let parts = g.parts(top).into_iter();
                stack.extend(parts.filter(|p| self.touches(g, *p) && !self.memo.contains_key(p)));
            }
            if stack.len() == before {
                let new = self.rebuild(g, top);
                if g.is_kept(top) {
                    g.keep(new);
                }
                self.memo.insert(top, new);
                stack.pop();
            }
        }
        self.memo.get(&id).copied().unwrap_or(id)
    }

    fn all(&mut self, g: &mut Graph, ids: &[Id]) -> Vec<Id> {
        ids.iter().map(|i| self.apply(g, *i)).collect()
    }

    fn rebuild(&mut self, g: &mut Graph, id: Id) -> Id {
        match g.node(id).clone() {
            Node::Real(_) | Node::Int(_) | Node::Bool(_) | Node::Data(_) => id,
            Node::Var(v) => self.vars.get(&v).copied().unwrap_or(id),
            Node::Index(i) => self.indices.get(&i.id).copied().unwrap_or(id),
            Node::Op(op, args) => {
                let args = self.all(g, &args);
                g.op(op, &args)
            }
            Node::Lit(shape, elements) => {
                let elements = self.all(g, &elements);
                g.lit(shape, elements)
            }
            Node::Get(array, at) => {
                let array = self.apply(g, array);
                let at = self.all(g, &at);
                g.get(array, &at)
            }
            Node::Map(bounds, body) => {
                let (bounds, parts) = self.under(g, &bounds, &[body]);
                g.map(&bounds, parts[0])
            }
            Node::Reduce(red, bounds, body) => {
                let (bounds, parts) = self.under(g, &bounds, &[body]);
                g.reduce(red, &bounds, parts[0])
            }
            Node::Scatter { shape, bounds, at, body } => {
                let mut parts = at;
                parts.push(body);
                let (bounds, mut parts) = self.under(g, &bounds, &parts);
                let body = parts.pop().expect("the body is the last part");
                g.scatter(shape, &bounds, &parts, body)
            }
            Node::Dense(op, args) => {
                let args = self.all(g, &args);
                g.dense(op, &args)
            }
            Node::Partial { of, var, point, at } => {
                let point = self.apply(g, point);
                let at = self.all(g, &at);
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

    /// The body of a derivative: its own variable stays, and is renamed where a value would be captured by it.
    fn derivative_body(&mut self, g: &mut Graph, of: Id, var: VarId) -> (Id, VarId) {
        let mut vars = self.vars.clone();
        vars.remove(&var);
        let captured = vars.iter().any(|(v, value)| g.depends_on(of, *v) && g.depends_on(*value, var))
            || self.indices.iter().any(|(i, value)| g.has_free(of, *i) && g.depends_on(*value, var));
        let (of, var) = if captured {
            let VarInfo { name, ty, shape, .. } = g.var_info(var).clone();
            let fresh = g.new_var(name, VarKind::Hole, ty, shape);
            let value = g.var(fresh);
            (g.substitute_vars(&[of], &[(var, value)])[0], fresh)
        } else {
            (of, var)
        };
        let mut inner = Substitution { indices: self.indices.clone(), vars, memo: HashMap::default() };
        (inner.apply(g, of), var)
    }

    /// Parts under a binder. The indices that the binder binds are never free outside it, so they are not replaced here.
    fn under(&mut self, g: &mut Graph, bounds: &[IndexVar], parts: &[Id]) -> (Vec<IndexVar>, Vec<Id>) {
        let shadowed = bounds.iter().any(|b| self.indices.contains_key(&b.id));
        if self.plain_values(g) && !shadowed {
            return (bounds.to_vec(), self.all(g, parts));
        }
        let (fresh, parts) = g.open(bounds, parts);
        (fresh, self.all(g, &parts))
    }
}
