//! The walk over a graph: values by demand, remembered for as long as nothing below them changes.
//!
//! Time is a counter. A node remembers when its value was worked out; the value holds while no index that is free in it
//! and no input that it reads has been set since. So a node under a loop is worked out once for each value of the loops
//! that it really depends on, however often it is shared. What is not asked for is not worked out: the branch that a
//! `select` does not take, the elements of a written-out array that nobody reads.

use std::cmp::Ordering;

use super::dense::dense;
use super::number::{Num, Number};
use super::scalar::Functions;
use super::{Env, EvalError};
use crate::math::{Graph, Id, IndexVar, Node, Op, Rate, Red, VarId};

type Res<T> = Result<T, EvalError>;

/// Nesting beyond this is refused, so that the stack is never exhausted.
const MAX_DEPTH: u32 = 800;
/// Every so many levels down, what is surely needed further down is worked out first, from the far end: long chains of
/// operations take no stack.
const CHAIN: u32 = 80;

/// Remembered values by node, in pages that are made when they are first written: a short evaluation in a large graph
/// costs little.
#[derive(Clone, Debug)]
pub struct Memo<N> {
    pages: Vec<Option<Box<[Entry<N>]>>>,
}

/// The value of a scalar or the elements of an array, and the time at which they were worked out.
#[derive(Clone, Debug)]
struct Entry<N> {
    stamp: u64,
    scalar: N,
    array: Vec<N>,
}

const PAGE: usize = 64;

impl<N> Default for Memo<N> {
    fn default() -> Memo<N> {
        Memo { pages: Vec::new() }
    }
}

impl<N: Number> Memo<N> {
    fn get(&self, id: Id) -> Option<&Entry<N>> {
        let k = id.0 as usize;
        self.pages.get(k / PAGE)?.as_ref().map(|page| &page[k % PAGE])
    }

    fn entry(&mut self, id: Id) -> &mut Entry<N> {
        let k = id.0 as usize;
        if self.pages.len() <= k / PAGE {
            self.pages.resize(k / PAGE + 1, None);
        }
        let blank = || vec![Entry { stamp: 0, scalar: N::real(0.0), array: Vec::new() }; PAGE].into_boxed_slice();
        &mut self.pages[k / PAGE].get_or_insert_with(blank)[k % PAGE]
    }

    /// An array that is known to be remembered.
    fn array(&self, id: Id) -> &[N] {
        self.get(id).map_or(&[], |e| &e.array)
    }
}

/// A derivative that is being taken: its variable has a value with slopes here.
#[derive(Clone, Debug)]
pub struct Frame {
    var: VarId,
    value: Vec<Num>,
    level: u32,
    /// the frame that the derivative stands in; 0 is the outermost, which is no frame
    parent: usize,
    start: u64,
    pub memo: Memo<Num>,
}

/// All that is kept between evaluations.
#[derive(Clone, Debug)]
pub struct Memos {
    now: u64,
    /// when an input of at most this rate was last set, by [`Rate`]
    changed: [u64; 4],
    /// value and time of setting of the loop indices, by id
    indices: Vec<(usize, u64)>,
    pub base: Memo<f64>,
    pub frames: Vec<Frame>,
    spare: Vec<Memo<Num>>,
}

impl Default for Memos {
    fn default() -> Memos {
        Memos {
            now: 1,
            changed: [1; 4],
            indices: Vec::new(),
            base: Memo::default(),
            frames: Vec::new(),
            spare: Vec::new(),
        }
    }
}

impl Memos {
    /// Something of this rate was set: all that changes at least as often is out of date.
    pub fn touch(&mut self, rate: Rate) {
        self.now += 1;
        self.changed[rate as usize..].fill(self.now);
    }
}

pub struct Machine<'a> {
    g: &'a Graph,
    env: &'a Env,
    functions: Functions,
    memos: &'a mut Memos,
    depth: u32,
}

impl<'a> Machine<'a> {
    pub fn new(g: &'a Graph, env: &'a Env, functions: Functions, memos: &'a mut Memos) -> Machine<'a> {
        Machine { g, env, functions, memos, depth: 0 }
    }

    /// The elements of a closed node in the outermost frame.
    pub fn root(&mut self, id: Id) -> Res<Vec<f64>> {
        self.closed(id)?;
        self.whole::<f64>(0, id)
    }

    /// Likewise, with NaN for the elements of a map that read outside their arrays.
    pub fn root_where_inside(&mut self, id: Id) -> Res<Vec<f64>> {
        let Node::Map(bounds, body) = self.g.node(id) else { return self.root(id) };
        self.closed(id)?;
        let (mut out, depth) = (Vec::with_capacity(self.g.shape(id).iter().product()), self.depth);
        self.each(bounds, |m| {
            out.push(match m.scalar::<f64>(0, *body) {
                Err(EvalError::Index { .. }) => f64::NAN,
                value => value?,
            });
            m.depth = depth;
            Ok(())
        })?;
        Ok(out)
    }

    pub fn root_scalar(&mut self, id: Id) -> Res<f64> {
        self.closed(id)?;
        self.scalar::<f64>(0, id)
    }

    fn closed(&self, id: Id) -> Res<()> {
        if self.g.free(id).is_empty() { Ok(()) } else { Err(EvalError::FreeIndex) }
    }

    /// The frame where a node has its value: the innermost whose variable it reads.
    fn home(&self, mut frame: usize, id: Id) -> usize {
        while frame > 0 && !self.g.depends_on(id, self.memos.frames[frame - 1].var) {
            frame = self.memos.frames[frame - 1].parent;
        }
        frame
    }

    /// What is remembered of a node, where it still holds.
    fn held<N: Number>(&self, frame: usize, id: Id) -> Option<&Entry<N>> {
        let entry = N::memo(self.memos, frame).get(id)?;
        let start = match frame {
            0 => self.memos.changed[self.g.rate(id) as usize],
            _ => self.memos.frames[frame - 1].start,
        };
        let indices = &self.memos.indices;
        let holds = entry.stamp >= start && self.g.free(id).iter().all(|i| indices[*i as usize].1 <= entry.stamp);
        holds.then_some(entry)
    }

    /// The value of a scalar node.
    fn scalar<N: Number>(&mut self, frame: usize, id: Id) -> Res<N> {
        match self.g.node(id) {
            Node::Real(bits) => return Ok(N::real(f64::from_bits(*bits))),
            Node::Int(n) => return Ok(N::real(*n as f64)),
            Node::Bool(b) => return Ok(N::real(f64::from(u8::from(*b)))),
            Node::Index(i) => return Ok(N::real(self.index(*i)? as f64)),
            Node::Var(_) | Node::Data(_) => return self.element(frame, id, 0),
            _ => {}
        }
        let frame = if N::DUAL { self.home(frame, id) } else { 0 };
        if N::DUAL && frame == 0 {
            return self.scalar::<f64>(0, id).map(N::real);
        }
        if let Some(entry) = self.held::<N>(frame, id) {
            return Ok(entry.scalar.clone());
        }
        let value = self.deeper::<N, N>(frame, id, |m| m.worked_out(frame, id))?;
        let now = self.memos.now;
        let entry = N::memo_mut(self.memos, frame).entry(id);
        entry.stamp = now;
        entry.scalar = value.clone();
        Ok(value)
    }

    fn index(&self, i: IndexVar) -> Res<usize> {
        match self.memos.indices.get(i.id as usize) {
            Some((value, _)) => Ok(*value),
            None => Err(EvalError::FreeIndex),
        }
    }

    fn worked_out<N: Number>(&mut self, frame: usize, id: Id) -> Res<N> {
        let g = self.g;
        match g.node(id) {
            Node::Op(op, args) => self.op(frame, *op, args),
            Node::Get(array, at) => {
                let place = self.place(frame, g.shape(*array), at)?;
                self.element(frame, *array, place)
            }
            Node::Reduce(red, bounds, body) => self.reduce(frame, *red, bounds, *body),
            Node::Partial { of, var, point, at } => {
                let place = self.place(frame, &g.var_info(*var).shape, at)?;
                self.derivative::<N>(frame, *of, *var, *point, |_, k| Ok((k == place).then_some(Num::Real(1.0))))
            }
            Node::Jvp { of, var, point, tangent } => self.derivative::<N>(frame, *of, *var, *point, |m, k| {
                Ok(Some(m.element::<N>(frame, *tangent, k)?.into_num()))
            }),
            // arrays without axes
            Node::Lit(_, elements) => self.scalar(frame, elements[0]),
            _ => Ok(self.elements::<N>(frame, id)?[0].clone()),
        }
    }

    /// One level down, towards the parts of a node.
    fn deeper<N: Number, T>(&mut self, frame: usize, id: Id, f: impl FnOnce(&mut Self) -> Res<T>) -> Res<T> {
        self.depth += 1;
        if self.depth >= MAX_DEPTH {
            return Err(EvalError::TooDeep);
        }
        if self.depth.is_multiple_of(CHAIN) {
            self.far_end::<N>(frame, id)?;
        }
        let value = f(self);
        self.depth -= 1;
        value
    }

    fn op<N: Number>(&mut self, frame: usize, op: Op, args: &[Id]) -> Res<N> {
        let first = self.scalar::<N>(frame, args[0])?;
        match op {
            Op::Select => self.scalar(frame, if first.value() != 0.0 { args[1] } else { args[2] }),
            // the second is asked for only where the first leaves it open
            Op::And | Op::Or if (first.value() != 0.0) == (op == Op::Or) => Ok(N::real(first.value())),
            Op::And | Op::Or => self.scalar(frame, args[1]),
            _ => match args {
                [_] => Ok(N::apply(self.functions, op, &[first])),
                [_, b] => {
                    let second = self.scalar::<N>(frame, *b)?;
                    Ok(N::apply(self.functions, op, &[first, second]))
                }
                _ => unreachable!("{} has one or two arguments", op.name()),
            },
        }
    }

    /// Works out what `id` surely needs and what depends on no loop inside it, parts before wholes, without recursion
    /// over the length of the chain.
    fn far_end<N: Number>(&mut self, frame: usize, id: Id) -> Res<()> {
        let g = self.g;
        let mut seen = rustc_hash::FxHashSet::from_iter([id]);
        let mut stack: Vec<(Id, bool)> = self.surely_needed(id).into_iter().map(|p| (p, false)).collect();
        while let Some((next, done)) = stack.pop() {
            if done {
                if g.is_scalar(next) {
                    self.scalar::<N>(frame, next)?;
                } else {
                    self.ready::<N>(frame, next)?;
                }
                continue;
            }
            // values of the outermost frame, and of other derivatives, have far ends of their own
            let home = if N::DUAL { self.home(frame, next) } else { 0 };
            if (home > 0) != N::DUAL || !seen.insert(next) {
                continue;
            }
            let outside = g.free(next).iter().all(|i| g.has_free(id, *i));
            if outside && self.held::<N>(home, next).is_some() {
                continue;
            }
            if outside && !matches!(g.node(next), Node::Lit(..)) {
                stack.push((next, true));
            }
            stack.extend(self.surely_needed(next).into_iter().map(|p| (p, false)));
        }
        Ok(())
    }

    /// The parts of a node that have to be worked out whatever their values, leaves aside.
    fn surely_needed(&self, id: Id) -> Vec<Id> {
        let g = self.g;
        let mut parts = match g.node(id) {
            Node::Op(Op::Select | Op::And | Op::Or, args) => args[..1].to_vec(),
            Node::Map(bounds, _) | Node::Reduce(_, bounds, _) | Node::Scatter { bounds, .. }
                if bounds.iter().any(|b| b.extent == 0) =>
            {
                Vec::new()
            }
            Node::Get(array, at) => match g.node(*array) {
                // one element is read; which is known when its indices are constants
                Node::Lit(shape, elements) => {
                    let known: Option<Vec<usize>> = at.iter().map(|i| constant(g, *i)).collect();
                    let element = known.and_then(|k| elements.get(flat(shape, &k)).copied());
                    at.iter().copied().chain(element).collect()
                }
                _ => g.parts(id),
            },
            // the body has its value in a frame of its own
            Node::Partial { point, at, .. } => at.iter().copied().chain([*point]).collect(),
            Node::Jvp { point, tangent, .. } => vec![*point, *tangent],
            _ => g.parts(id),
        };
        let leaf = |p: &Id| {
            let n = g.node(*p);
            matches!(n, Node::Real(_) | Node::Int(_) | Node::Bool(_) | Node::Var(_) | Node::Data(_) | Node::Index(_))
        };
        parts.retain(|p| !leaf(p));
        parts
    }

    /// The place of an element in row-major order.
    fn place(&mut self, frame: usize, shape: &[usize], at: &[Id]) -> Res<usize> {
        let mut flat = 0;
        for (i, n) in at.iter().zip(shape) {
            // indices are whole numbers without slopes
            let i = if frame == 0 { self.scalar::<f64>(0, *i)? } else { self.scalar::<Num>(frame, *i)?.value() };
            if !(i >= 0.0 && i < *n as f64 && i == i.floor()) {
                return Err(EvalError::Index { index: i, extent: *n });
            }
            flat = flat * n + i as usize;
        }
        Ok(flat)
    }

    /// One element of an array, by its place.
    fn element<N: Number>(&mut self, frame: usize, array: Id, flat: usize) -> Res<N> {
        let g = self.g;
        match g.node(array) {
            Node::Var(v) => self.var_element(frame, *v, flat),
            Node::Data(d) => Ok(N::real(g.data_info(*d).values[flat])),
            Node::Lit(_, elements) => self.scalar(frame, elements[flat]),
            _ if g.is_scalar(array) => self.scalar(frame, array),
            _ => {
                let home = self.ready::<N>(frame, array)?;
                if N::DUAL && home == 0 {
                    return Ok(N::real(self.memos.base.array(array)[flat]));
                }
                Ok(N::memo(self.memos, home).array(array)[flat].clone())
            }
        }
    }

    fn var_element<N: Number>(&mut self, frame: usize, var: VarId, flat: usize) -> Res<N> {
        let mut frame = if N::DUAL { frame } else { 0 };
        while frame > 0 {
            let f = &self.memos.frames[frame - 1];
            if f.var == var {
                return Ok(N::from_num(f.value[flat].clone()));
            }
            frame = f.parent;
        }
        let info = self.g.var_info(var);
        let Some(value) = self.env.get(var) else {
            return Err(EvalError::Missing { name: info.name.clone() });
        };
        if value.shape != info.shape {
            return Err(EvalError::Shape {
                name: info.name.clone(),
                wanted: info.shape.clone(),
                given: value.shape.clone(),
            });
        }
        Ok(N::real(value.values[flat]))
    }

    /// Sees that the elements of an array are remembered, and says in which frame.
    fn ready<N: Number>(&mut self, frame: usize, array: Id) -> Res<usize> {
        let home = if N::DUAL { self.home(frame, array) } else { 0 };
        if N::DUAL && home == 0 {
            return self.ready::<f64>(0, array);
        }
        if self.held::<N>(home, array).is_none() {
            let elements = self.deeper::<N, _>(home, array, |m| m.elements(home, array))?;
            let now = self.memos.now;
            let entry = N::memo_mut(self.memos, home).entry(array);
            entry.stamp = now;
            entry.array = elements;
        }
        Ok(home)
    }

    /// All elements of a node, a scalar as one.
    fn whole<N: Number>(&mut self, frame: usize, id: Id) -> Res<Vec<N>> {
        let size = self.g.shape(id).iter().product();
        (0..size).map(|k| self.element(frame, id, k)).collect()
    }

    /// Works out the elements of an array.
    fn elements<N: Number>(&mut self, frame: usize, id: Id) -> Res<Vec<N>> {
        let g = self.g;
        match g.node(id) {
            Node::Map(bounds, body) => {
                let mut out = std::mem::take(&mut N::memo_mut(self.memos, frame).entry(id).array);
                out.clear();
                self.each(bounds, |m| {
                    let value = m.scalar(frame, *body)?;
                    out.push(value);
                    Ok(())
                })?;
                Ok(out)
            }
            Node::Scatter { shape, bounds, at, body } => {
                let mut out = vec![N::real(0.0); shape.iter().product()];
                self.each(bounds, |m| {
                    let place = m.place(frame, shape, at)?;
                    let value: N = m.scalar(frame, *body)?;
                    out[place] = out[place].add(&value);
                    Ok(())
                })?;
                Ok(out)
            }
            Node::Dense(op, args) => {
                let n = g.shape(args[0]).first().copied().unwrap_or(0);
                let values = args.iter().map(|a| self.whole(frame, *a)).collect::<Res<Vec<Vec<N>>>>()?;
                Ok(dense(self.functions, *op, n, &values))
            }
            _ => self.whole(frame, id),
        }
    }

    /// Runs over an index space in row-major order.
    fn each(&mut self, bounds: &[IndexVar], mut f: impl FnMut(&mut Self) -> Res<()>) -> Res<()> {
        if bounds.iter().any(|b| b.extent == 0) {
            return Ok(());
        }
        for b in bounds {
            self.set_index(*b, 0);
        }
        loop {
            f(self)?;
            let mut k = bounds.len();
            loop {
                if k == 0 {
                    return Ok(());
                }
                k -= 1;
                let next = self.memos.indices[bounds[k].id as usize].0 + 1;
                if next < bounds[k].extent {
                    self.set_index(bounds[k], next);
                    break;
                }
                self.set_index(bounds[k], 0);
            }
        }
    }

    fn set_index(&mut self, index: IndexVar, value: usize) {
        let id = index.id as usize;
        debug_assert!(index.id < crate::math::FRESH, "bound indices are canonical");
        if self.memos.indices.len() <= id {
            self.memos.indices.resize(id + 1, (0, 0));
        }
        self.memos.now += 1;
        self.memos.indices[id] = (value, self.memos.now);
    }

    fn reduce<N: Number>(&mut self, frame: usize, red: Red, bounds: &[IndexVar], body: Id) -> Res<N> {
        match red {
            Red::Sum | Red::Prod => {
                let op = if red == Red::Sum { N::add } else { N::mul };
                let mut total = N::real(if red == Red::Sum { 0.0 } else { 1.0 });
                self.each(bounds, |m| {
                    total = op(&total, &m.scalar(frame, body)?);
                    Ok(())
                })?;
                Ok(total)
            }
            Red::Any | Red::All => {
                let mut found = false;
                self.each(bounds, |m| {
                    // the first that decides is enough
                    found = found || (m.scalar::<N>(frame, body)?.value() != 0.0) == (red == Red::Any);
                    Ok(())
                })?;
                Ok(N::real(f64::from(u8::from(found == (red == Red::Any)))))
            }
            Red::Max | Red::Min => Ok(self.extreme(frame, red, bounds, body)?.map_or_else(
                || N::real(if red == Red::Max { f64::NEG_INFINITY } else { f64::INFINITY }),
                |(_, value)| value,
            )),
            Red::Argmax | Red::Argmin => match self.extreme::<N>(frame, red, bounds, body)? {
                Some((at, _)) => Ok(N::real(at as f64)),
                None => Err(EvalError::Empty),
            },
            Red::LogSumExp => self.log_sum_exp(frame, bounds, body),
        }
    }

    /// The first largest or smallest value and its place; the first NaN where there is one.
    fn extreme<N: Number>(&mut self, frame: usize, red: Red, bounds: &[IndexVar], body: Id) -> Res<Option<(usize, N)>> {
        let wanted = if matches!(red, Red::Max | Red::Argmax) { Ordering::Greater } else { Ordering::Less };
        let mut best: Option<(usize, N)> = None;
        let mut place = 0;
        self.each(bounds, |m| {
            let value: N = m.scalar(frame, body)?;
            let better = best.as_ref().is_none_or(|(_, b)| {
                !b.value().is_nan() && value.value().partial_cmp(&b.value()).is_none_or(|o| o == wanted)
            });
            if better {
                best = Some((place, value));
            }
            place += 1;
            Ok(())
        })?;
        Ok(best)
    }

    fn log_sum_exp<N: Number>(&mut self, frame: usize, bounds: &[IndexVar], body: Id) -> Res<N> {
        let mut values: Vec<N> = Vec::new();
        self.each(bounds, |m| {
            let value = m.scalar(frame, body)?;
            values.push(value);
            Ok(())
        })?;
        let top = values.iter().map(N::value).fold(f64::NEG_INFINITY, |a, b| if b > a || b.is_nan() { b } else { a });
        if !top.is_finite() {
            return Ok(N::real(top));
        }
        let f = self.functions;
        let top = N::real(top);
        let sum = values.iter().fold(N::real(0.0), |sum, v| sum.add(&N::apply(f, Op::Exp, &[v.sub(&top)])));
        Ok(N::apply(f, Op::Log, &[sum]).add(&top))
    }

    /// The slope of `of` where `var` has the value of `point`, with the slopes that `seed` gives its elements.
    fn derivative<N: Number>(
        &mut self,
        frame: usize,
        of: Id,
        var: VarId,
        point: Id,
        seed: impl Fn(&mut Self, usize) -> Res<Option<Num>>,
    ) -> Res<N> {
        let level = if frame == 0 { 1 } else { self.memos.frames[frame - 1].level + 1 };
        let mut value = Vec::new();
        for (k, x) in self.whole::<N>(frame, point)?.into_iter().enumerate() {
            let slope = seed(self, k)?;
            value.push(Num::dual(level, x.into_num(), slope));
        }
        let memo = self.memos.spare.pop().unwrap_or_default();
        self.memos.now += 1;
        let start = self.memos.now;
        self.memos.frames.push(Frame { var, value, level, parent: frame, start, memo });
        let inner = self.memos.frames.len();
        let result = self.scalar::<Num>(inner, of);
        let done = self.memos.frames.pop().expect("the frame of this derivative");
        self.memos.spare.push(done.memo);
        let (_, slope) = result?.split(level);
        Ok(N::from_num(slope.unwrap_or(Num::Real(0.0))))
    }
}

/// The value of an integer constant that is not negative.
fn constant(g: &Graph, id: Id) -> Option<usize> {
    match g.node(id) {
        Node::Int(n) => usize::try_from(*n).ok(),
        _ => None,
    }
}

fn flat(shape: &[usize], at: &[usize]) -> usize {
    at.iter().zip(shape).fold(0, |flat, (i, n)| flat * n + i)
}
