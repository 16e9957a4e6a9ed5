//! A model's flow as mathematics: `dx = drift dt + diffusion`, where the diffusion is linear in the noise inputs.
//! Several states are kept as they are; `x: real[d]`, all of them in the order of the text, is a view that solvers take.

use crate::math::{Graph, Id, IndexVar, Op, Shape, Ty, VarId, VarKind};

/// A state that flows.
#[derive(Clone, Debug)]
pub struct Component {
    pub name: String,
    pub var: VarId,
    pub shape: Shape,
}

/// The increment of independent standard Wiener processes: covariance `dt` times the identity. Correlations of the
/// model are part of the diffusion.
#[derive(Clone, Debug)]
pub struct NoiseInput {
    pub name: String,
    pub var: VarId,
    pub shape: Shape,
}

#[derive(Clone, Debug)]
pub struct System {
    pub time: VarId,
    /// the states that flow, in the order of the text
    pub states: Vec<Component>,
    pub noises: Vec<NoiseInput>,
    /// for each state an array of its shape
    pub drift: Vec<Id>,
    /// for each state an array of its shape, linear and homogeneous in the noises, read by the convention `alpha`
    pub diffusion: Vec<Id>,
    /// 0 Ito, 1/2 Stratonovich, 1 anti-Ito; a scalar of parameters
    pub alpha: Id,
    /// terms marked `∘`, read as Stratonovich whatever `alpha` is
    pub strat_terms: Vec<Option<Id>>,
    /// the equations in the noises that they are written in, where these are correlated
    pub written: Option<Box<Written>>,
}

/// Equations as they are written.
#[derive(Clone, Debug)]
pub struct Written {
    pub system: System,
    pub correlated: Vec<Correlated>,
}

/// A noise whose components are not independent: `d` of it is the Cholesky factor of its matrix times the increments of
/// independent ones.
#[derive(Clone, Debug)]
pub struct Correlated {
    pub name: String,
    pub independent: String,
    /// a covariance, else a correlation
    pub covariance: bool,
    pub matrix: Id,
}

pub fn size(shape: &[usize]) -> usize {
    shape.iter().product()
}

impl System {
    /// Number of components of the state vector.
    pub fn dim(&self) -> usize {
        self.states.iter().map(|s| size(&s.shape)).sum()
    }

    /// Number of independent noises.
    pub fn noise_dim(&self) -> usize {
        self.noises.iter().map(|n| size(&n.shape)).sum()
    }

    pub fn state_vars(&self) -> Vec<VarId> {
        self.states.iter().map(|s| s.var).collect()
    }

    /// The diffusion of each state with the terms of both kinds.
    pub fn total_diffusion(&self, g: &mut Graph) -> Vec<Id> {
        (0..self.states.len())
            .map(|s| match self.strat_terms.get(s).copied().flatten() {
                Some(circled) => zip(g, Op::Add, self.diffusion[s], circled),
                None => self.diffusion[s],
            })
            .collect()
    }

    /// The coefficient of the noise `n` at `k` in a scalar that is linear in the noises.
    pub fn coefficient(&self, g: &mut Graph, of: Id, n: usize, k: &[Id]) -> Id {
        let var = self.noises[n].var;
        if !g.depends_on(of, var) {
            return g.real(0.0);
        }
        let noises: Vec<VarId> = self.noises.iter().map(|n| n.var).collect();
        coefficient(g, of, var, k, &noises)
    }

    /// Per state, the array of coefficients of the noise `n` at `k`: a column of the noise matrix.
    pub fn column(&self, g: &mut Graph, diffusion: &[Id], n: usize, k: &[Id]) -> Vec<Id> {
        let mut parts = Vec::new();
        for (state, array) in self.states.iter().zip(diffusion) {
            let (bounds, at) = open(g, &state.shape);
            let element = g.get(*array, &at);
            let coefficient = self.coefficient(g, element, n, k);
            parts.push(g.map(&bounds, coefficient));
        }
        parts
    }

    // The view as one vector.

    /// The states as parts of a vector `x: real[d]`.
    pub fn split(&self, g: &mut Graph, x: Id) -> Vec<Id> {
        let shapes: Vec<Shape> = self.states.iter().map(|s| s.shape.clone()).collect();
        split(g, x, &shapes)
    }

    /// The vector `real[d]` of arrays, one for each state.
    pub fn join(&self, g: &mut Graph, parts: &[Id]) -> Id {
        join(g, parts)
    }

    /// The states replaced by the parts of `x`, the noises by those of `dw` (where it is given), and the time.
    fn placed(&self, g: &mut Graph, roots: &[Id], time: Id, x: Id, dw: Option<Id>) -> Vec<Id> {
        let mut pairs = vec![(self.time, time)];
        pairs.extend(self.state_vars().into_iter().zip(self.split(g, x)));
        if let Some(dw) = dw {
            let shapes: Vec<Shape> = self.noises.iter().map(|n| n.shape.clone()).collect();
            let parts = split(g, dw, &shapes);
            pairs.extend(self.noises.iter().map(|n| n.var).zip(parts));
        }
        g.substitute_vars(roots, &pairs)
    }

    /// `a(t, x): real[d]` for the drift of some convention (see `convention`), given per state.
    pub fn drift_at(&self, g: &mut Graph, drift: &[Id], time: Id, x: Id) -> Id {
        let parts = self.placed(g, drift, time, x, None);
        join(g, &parts)
    }

    /// `b(t, x) @ dW: real[d]` for `dw: real[m]`.
    pub fn diffusion_at(&self, g: &mut Graph, time: Id, x: Id, dw: Id) -> Id {
        let total = self.total_diffusion(g);
        let parts = self.placed(g, &total, time, x, Some(dw));
        join(g, &parts)
    }

    /// `b(t, x): real[d, m]`, the noise matrix.
    pub fn matrix_at(&self, g: &mut Graph, time: Id, x: Id) -> Id {
        let (d, m) = (self.dim(), self.noise_dim());
        let dw = g.new_var("dW", VarKind::Hole, Ty::Real, vec![m]);
        let value = g.var(dw);
        let moved = self.diffusion_at(g, time, x, value);
        if d * m <= UNROLLED * UNROLLED {
            let places: Vec<(i64, i64)> = (0..d as i64).flat_map(|i| (0..m as i64).map(move |k| (i, k))).collect();
            let entries = places.into_iter().map(|(i, k)| {
                let (i, k) = (g.int(i), g.int(k));
                let row = g.get(moved, &[i]);
                coefficient(g, row, dw, &[k], &[dw])
            });
            let entries = entries.collect();
            return g.lit(vec![d, m], entries);
        }
        let (i, k) = (g.fresh_index(d), g.fresh_index(m));
        let (at, column) = (g.index(i), g.index(k));
        let row = g.get(moved, &[at]);
        let entry = coefficient(g, row, dw, &[column], &[dw]);
        g.map(&[i, k], entry)
    }
}

/// The coefficient of `var[k]` in a scalar that is linear in the `noises`: its derivative, taken where all of them are
/// zero, so that the result contains none.
fn coefficient(g: &mut Graph, of: Id, var: VarId, k: &[Id], noises: &[VarId]) -> Id {
    let derivative = g.partial(of, var, k);
    let zero = g.real(0.0);
    let mut pairs = Vec::new();
    for noise in noises {
        let shape = g.var_info(*noise).shape.clone();
        let (bounds, _) = open(g, &shape);
        pairs.push((*noise, g.map(&bounds, zero)));
    }
    g.substitute_vars(&[derivative], &pairs)[0]
}

/// Vectors with at most so many components are written out.
pub const UNROLLED: usize = 8;

/// Fresh indices for an array of this shape, and their nodes.
pub fn open(g: &mut Graph, shape: &[usize]) -> (Vec<IndexVar>, Vec<Id>) {
    let bounds: Vec<IndexVar> = shape.iter().map(|n| g.fresh_index(*n)).collect();
    let at = bounds.iter().map(|b| g.index(*b)).collect();
    (bounds, at)
}

/// All the places of an array of this shape, in row-major order.
pub fn places(g: &mut Graph, shape: &[usize]) -> Vec<Vec<Id>> {
    (0..size(shape))
        .map(|flat| {
            let mut rest = flat;
            let mut at: Vec<Id> = Vec::new();
            for n in shape.iter().rev() {
                at.push(g.int((rest % n) as i64));
                rest /= n;
            }
            at.reverse();
            at
        })
        .collect()
}

/// A binary operation on two arrays of one shape, element by element.
pub fn zip(g: &mut Graph, op: Op, a: Id, b: Id) -> Id {
    let shape = g.shape(a).to_vec();
    let (bounds, at) = open(g, &shape);
    let (x, y) = (g.get(a, &at), g.get(b, &at));
    let body = g.op(op, &[x, y]);
    g.map(&bounds, body)
}

/// Parts of the vector `x` with these shapes, one after the other, each in row-major order.
fn split(g: &mut Graph, x: Id, shapes: &[Shape]) -> Vec<Id> {
    if let [shape] = shapes
        && shape.as_slice() == g.shape(x)
    {
        return vec![x];
    }
    let mut offset = 0;
    let mut parts = Vec::new();
    for shape in shapes {
        let (bounds, at) = open(g, shape);
        let mut flat = g.int(offset as i64);
        let mut stride = size(shape);
        for (n, i) in shape.iter().zip(&at) {
            stride /= n;
            let scaled = times(g, *i, stride);
            flat = plus(g, flat, scaled);
        }
        let value = g.get(x, &[flat]);
        parts.push(g.map(&bounds, value));
        offset += size(shape);
    }
    parts
}

/// The inverse of [`split`].
fn join(g: &mut Graph, parts: &[Id]) -> Id {
    if let [one] = parts
        && g.shape(*one).len() == 1
    {
        return *one;
    }
    let shapes: Vec<Shape> = parts.iter().map(|p| g.shape(*p).to_vec()).collect();
    let total: usize = shapes.iter().map(|s| size(s)).sum();
    if total <= UNROLLED {
        let mut elements = Vec::new();
        for (part, shape) in parts.iter().zip(&shapes) {
            for at in places(g, shape) {
                elements.push(g.get(*part, &at));
            }
        }
        return g.lit(vec![total], elements);
    }
    let bound = g.fresh_index(total);
    let i = g.index(bound);
    let mut end = total;
    let mut body = None;
    for (part, shape) in parts.iter().zip(&shapes).rev() {
        let start = end - size(shape);
        let value = element_of(g, *part, shape, i, start);
        body = Some(match body {
            None => value,
            Some(later) => {
                let end = g.int(end as i64);
                let here = g.op(Op::Lt, &[i, end]);
                g.op(Op::Select, &[here, value, later])
            }
        });
        end = start;
    }
    let body = body.expect("a system has a state");
    g.map(&[bound], body)
}

/// The element of `part` that stands at `i` of a vector in which the part starts at `start`. The remainders keep every
/// index inside its axis for any `i`, so the choice between parts may be made after reading.
fn element_of(g: &mut Graph, part: Id, shape: &[usize], i: Id, start: usize) -> Id {
    let shift = g.int(-(start as i64));
    let local = if start == 0 { i } else { g.op(Op::Add, &[i, shift]) };
    let mut stride = size(shape);
    let mut at = Vec::new();
    for n in shape {
        stride /= n;
        let (n, s) = (g.int(*n as i64), g.int(stride as i64));
        let quotient = if stride == 1 { local } else { g.op(Op::IntDiv, &[local, s]) };
        at.push(g.op(Op::Mod, &[quotient, n]));
    }
    g.get(part, &at)
}

fn times(g: &mut Graph, i: Id, factor: usize) -> Id {
    if factor == 1 {
        return i;
    }
    let factor = g.int(factor as i64);
    g.op(Op::Mul, &[i, factor])
}

fn plus(g: &mut Graph, a: Id, b: Id) -> Id {
    if a == g.int(0) { b } else { g.op(Op::Add, &[a, b]) }
}
