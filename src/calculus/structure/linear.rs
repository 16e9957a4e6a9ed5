//! The linear part of a drift: `a(t, x) = A(t) x + f(t, x)`, with A diagonal where it is.
//!
//! The terms of each component that are affine in the states go to A (and what they have at zero to f); all the others
//! are f.

use crate::calculus::system::{System, open, places, size};
use crate::math::{Graph, Id, Node, Op, VarId};

use super::entries::read_only_at;
use super::{has_state, is_zero, jumps, tidy};

/// A full matrix is written out, so it has at most so many rows.
pub const MOST_ROWS: usize = 64;

/// `A(t)`.
#[derive(Clone, Debug)]
pub enum Matrix {
    /// for each state an array of its shape
    Diagonal(Vec<Id>),
    /// the rows and columns are the components of all states
    Full(Vec<Vec<Id>>),
}

#[derive(Clone, Debug)]
pub struct Linear {
    pub matrix: Matrix,
    /// `f`, for each state an array of its shape
    pub rest: Vec<Id>,
}

impl Linear {
    /// All entries of A.
    pub fn entries(&self) -> Vec<Id> {
        match &self.matrix {
            Matrix::Diagonal(parts) => parts.clone(),
            Matrix::Full(rows) => rows.concat(),
        }
    }
}

/// The linear part of a (clean, Ito) drift; none where it is coupled and has too many components.
pub fn linear_part(g: &mut Graph, system: &System, drift: &[Id]) -> Option<Linear> {
    let by_loops = diagonal(g, system, drift);
    // With all of the drift in A there is nothing to be gained from looking at each component.
    if let Some(found) = &by_loops
        && !found.rest.iter().any(|r| has_state(g, system, *r))
    {
        return by_loops;
    }
    if system.dim() > MOST_ROWS {
        return by_loops;
    }
    let written_out = full(g, system, drift);
    Some(as_diagonal(g, system, &written_out).unwrap_or(written_out))
}

/// Each component by itself, loops kept. None where a term that is linear couples two components.
fn diagonal(g: &mut Graph, system: &System, drift: &[Id]) -> Option<Linear> {
    let (mut matrix, mut rest) = (Vec::new(), Vec::new());
    for (state, array) in system.states.iter().zip(drift) {
        let (bounds, at) = open(g, &state.shape);
        let element = g.get(*array, &at);
        let element = tidy(g, element);
        let (zero, others) = (g.real(0.0), system.states.iter().map(|s| s.var).filter(|v| *v != state.var));
        let others: Vec<VarId> = others.collect();
        let (mut slope, mut left) = (zero, zero);
        for (term, sign) in signed_terms(g, element) {
            let alone = read_only_at(g, term, state.var, &at) && !others.iter().any(|v| g.depends_on(term, *v));
            let own = g.partial(term, state.var, &at);
            let own = tidy(g, own);
            if alone && !has_state(g, system, own) && !jumps(g, system, term) {
                slope = added(g, slope, own, sign);
                let at_zero = without_states(g, system, term);
                left = added(g, left, at_zero, sign);
            } else if !alone && may_be_linear(g, system, term) {
                return None;
            } else {
                left = added(g, left, term, sign);
            }
        }
        let (slope, left) = (tidy(g, slope), tidy(g, left));
        matrix.push(g.map(&bounds, slope));
        rest.push(g.map(&bounds, left));
    }
    Some(Linear { matrix: Matrix::Diagonal(matrix), rest })
}

/// Whether a term might belong to a full matrix: all its derivatives are free of the states, and it has no jumps.
fn may_be_linear(g: &mut Graph, system: &System, term: Id) -> bool {
    let tangents = super::directions(g, system);
    let tangents = super::vars(g, &tangents);
    let slope = super::along(g, system, term, &tangents);
    let slope = tidy(g, slope);
    !has_state(g, system, slope) && !jumps(g, system, term)
}

fn full(g: &mut Graph, system: &System, drift: &[Id]) -> Linear {
    let components: Vec<(VarId, Vec<Id>)> = system
        .states
        .iter()
        .flat_map(|s| places(g, &s.shape).into_iter().map(|at| (s.var, at)).collect::<Vec<_>>())
        .collect();
    let zero = g.real(0.0);
    let (mut rows, mut rest) = (Vec::new(), Vec::new());
    for (state, array) in system.states.iter().zip(drift) {
        let mut left_parts = Vec::new();
        for at in places(g, &state.shape) {
            let element = g.get(*array, &at);
            let element = tidy(g, element);
            let (mut row, mut left) = (vec![zero; components.len()], zero);
            for (term, sign) in signed_terms(g, element) {
                let columns = read(g, term, &components);
                let slopes: Vec<Id> = columns
                    .iter()
                    .map(|k| {
                        let (var, at) = &components[*k];
                        let slope = g.partial(term, *var, at);
                        tidy(g, slope)
                    })
                    .collect();
                if jumps(g, system, term) || slopes.iter().any(|s| has_state(g, system, *s)) {
                    left = added(g, left, term, sign);
                    continue;
                }
                for (k, slope) in columns.into_iter().zip(slopes) {
                    row[k] = added(g, row[k], slope, sign);
                }
                let at_zero = without_states(g, system, term);
                left = added(g, left, at_zero, sign);
            }
            rows.push(row.into_iter().map(|e| tidy(g, e)).collect());
            left_parts.push(tidy(g, left));
        }
        debug_assert_eq!(left_parts.len(), size(&state.shape));
        rest.push(if state.shape.is_empty() { left_parts[0] } else { g.lit(state.shape.clone(), left_parts) });
    }
    Linear { matrix: Matrix::Full(rows), rest }
}

/// A full matrix whose entries off the diagonal are zero, by its diagonal.
fn as_diagonal(g: &mut Graph, system: &System, linear: &Linear) -> Option<Linear> {
    let Matrix::Full(rows) = &linear.matrix else { return None };
    let off = rows.iter().enumerate().any(|(i, row)| row.iter().enumerate().any(|(j, e)| i != j && !is_zero(g, *e)));
    if off {
        return None;
    }
    let mut entries = rows.iter().enumerate().map(|(i, row)| row[i]);
    let parts = system.states.iter().map(|s| {
        let own: Vec<Id> = entries.by_ref().take(size(&s.shape)).collect();
        if s.shape.is_empty() { own[0] } else { g.lit(s.shape.clone(), own) }
    });
    let parts = parts.collect();
    Some(Linear { matrix: Matrix::Diagonal(parts), rest: linear.rest.clone() })
}

/// The elements of the states that a term reads, by their index among all components: all of a state where its places
/// are not known.
fn read(g: &Graph, term: Id, components: &[(VarId, Vec<Id>)]) -> Vec<usize> {
    let mut whole = Vec::new();
    let mut places = Vec::new();
    let mut seen = rustc_hash::FxHashSet::default();
    let mut stack = vec![term];
    while let Some(id) = stack.pop() {
        if !seen.insert(id) {
            continue;
        }
        match g.node(id) {
            Node::Get(array, at)
                if matches!(g.node(*array), Node::Var(_)) && at.iter().all(|i| matches!(g.node(*i), Node::Int(_))) =>
            {
                if let Node::Var(v) = g.node(*array) {
                    places.push((*v, at.clone()));
                }
            }
            Node::Var(v) => whole.push(*v),
            _ => stack.extend(g.parts(id)),
        }
    }
    let reads = |(var, at): &(VarId, Vec<Id>)| whole.contains(var) || places.iter().any(|p| p.0 == *var && p.1 == *at);
    (0..components.len()).filter(|k| reads(&components[*k])).collect()
}

/// The terms of a sum, with their signs.
fn signed_terms(g: &Graph, id: Id) -> Vec<(Id, bool)> {
    let turned = |all: Vec<(Id, bool)>| all.into_iter().map(|(t, s)| (t, !s)).collect::<Vec<_>>();
    match g.node(id) {
        Node::Op(Op::Add, args) => args.iter().flat_map(|a| signed_terms(g, *a)).collect(),
        Node::Op(Op::Sub, args) => {
            let mut all = signed_terms(g, args[0]);
            all.extend(turned(signed_terms(g, args[1])));
            all
        }
        Node::Op(Op::Neg, args) => turned(signed_terms(g, args[0])),
        _ => vec![(id, true)],
    }
}

fn added(g: &mut Graph, sum: Id, term: Id, sign: bool) -> Id {
    if is_zero(g, term) {
        return sum;
    }
    match (is_zero(g, sum), sign) {
        (true, true) => term,
        (true, false) => g.op(Op::Neg, &[term]),
        (false, true) => g.op(Op::Add, &[sum, term]),
        (false, false) => g.op(Op::Sub, &[sum, term]),
    }
}

/// An affine term where all states are zero.
fn without_states(g: &mut Graph, system: &System, term: Id) -> Id {
    let zero = g.real(0.0);
    let mut pairs = Vec::new();
    for state in &system.states {
        let (bounds, _) = open(g, &state.shape);
        pairs.push((state.var, g.map(&bounds, zero)));
    }
    let value = g.substitute_vars(&[term], &pairs)[0];
    tidy(g, value)
}
