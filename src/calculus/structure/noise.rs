//! The class of the noise.

use rustc_hash::FxHashSet as HashSet;

use crate::calculus::clean;
use crate::calculus::polynomial::without_dust;
use crate::calculus::system::{System, open, places, size};
use crate::calculus::written_out::written_out;
use crate::math::eval::Env;
use crate::math::{Graph, Id, IndexVar, Op, Red, Ty, VarId, VarKind};

use super::entries::{Entries, Entry, entries, read_only_at};
use super::probe::{Trial, magnitude, vanishes};
use super::{Finding, along, directions, elsewhere, has_state, is_zero, same, tidy, vars};

/// The narrowest name of a noise. Additive, scalar and diagonal noise is commutative too.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum NoiseClass {
    /// no noise: an ordinary differential equation
    None,
    /// the noise matrix does not depend on the states
    Additive,
    /// one noise
    Scalar,
    /// each component meets a noise of its own, with a coefficient of that component alone
    Diagonal,
    /// the Lie brackets of the columns vanish
    Commutative,
    General,
    /// commutative or general, which is not proved
    Unproved,
}

impl NoiseClass {
    pub fn name(self) -> &'static str {
        match self {
            NoiseClass::None => "none",
            NoiseClass::Additive => "additive",
            NoiseClass::Scalar => "scalar",
            NoiseClass::Diagonal => "diagonal",
            NoiseClass::Commutative => "commutative",
            NoiseClass::General => "general",
            NoiseClass::Unproved => "not proved",
        }
    }
}

/// What is known of the noise of a system.
#[derive(Clone, Debug)]
pub struct Noise {
    /// number of independent noises that enter
    pub dim: usize,
    /// which states have noise in their equation
    pub noisy: Vec<bool>,
    pub none: Finding,
    pub additive: Finding,
    pub scalar: Finding,
    pub diagonal: Finding,
    pub commutative: Finding,
    /// for diagonal noise: per state the array of coefficients, each of a noise of its own (zero where there is none)
    pub coefficients: Option<Vec<Id>>,
    /// for one noise: per state the array of its coefficients
    pub column: Option<Vec<Id>>,
}

impl Noise {
    pub fn class(&self) -> NoiseClass {
        let named = [
            (&self.additive, NoiseClass::Additive),
            (&self.scalar, NoiseClass::Scalar),
            (&self.diagonal, NoiseClass::Diagonal),
            (&self.commutative, NoiseClass::Commutative),
        ];
        if self.dim == 0 {
            return NoiseClass::None;
        }
        if let Some((_, class)) = named.iter().find(|(finding, _)| finding.proved()) {
            return *class;
        }
        match self.commutative {
            Finding::Open { .. } => NoiseClass::Unproved,
            _ => NoiseClass::General,
        }
    }

    /// Whether a method for noise of this class applies: the classes nest.
    pub fn fits(&self, class: NoiseClass) -> &Finding {
        match class {
            NoiseClass::Additive => &self.additive,
            NoiseClass::Scalar => &self.scalar,
            NoiseClass::Diagonal => &self.diagonal,
            NoiseClass::Commutative => &self.commutative,
            NoiseClass::General | NoiseClass::Unproved => &Finding::Yes,
            NoiseClass::None => &self.none,
        }
    }
}

/// The coefficients of diagonal noise (see [`Noise::coefficients`]), where the noise is diagonal.
pub fn diagonal_coefficients(g: &mut Graph, system: &System, inputs: &Env) -> Option<Vec<Id>> {
    let entries = entries(g, system);
    diagonal(g, system, &entries, inputs).proved().then(|| arrays(g, system, &entries))
}

pub fn noise(g: &mut Graph, system: &System, inputs: &Env) -> Noise {
    let entries = entries(g, system);
    let dim = active(g, system, &entries).len();
    let noisy = (0..system.states.len()).map(|s| entries.list.iter().any(|e| e.state == s)).collect();
    let none = match entries.list.first() {
        None => Finding::Yes,
        Some(e) => Finding::No(format!("{} is not zero", describe(g, system, e))),
    };
    let additive = additive(g, system, &entries, inputs);
    let scalar = scalar(g, system, &entries);
    let diagonal = diagonal(g, system, &entries, inputs);
    let commutative = match additive.proved() || scalar.proved() || diagonal.proved() {
        true => Finding::Yes,
        false if entries.unrolled => commutative_unrolled(g, system, &entries, inputs),
        false => commutative_blocks(g, system, inputs),
    };
    let coefficients = diagonal.proved().then(|| arrays(g, system, &entries));
    let column = scalar.proved().then(|| arrays(g, system, &entries));
    Noise { dim, noisy, none, additive, scalar, diagonal, commutative, coefficients, column }
}

/// The noises that enter, each with its place in its array.
fn active(g: &mut Graph, system: &System, entries: &Entries) -> Vec<(usize, Vec<Id>)> {
    let mut found = Vec::new();
    for (n, noise) in system.noises.iter().enumerate() {
        let used: HashSet<Vec<Id>> = entries.list.iter().filter(|e| e.noise == n).map(|e| e.k.clone()).collect();
        if !used.is_empty() {
            let all = places(g, &noise.shape).into_iter().map(|k| (n, k));
            found.extend(all.filter(|(_, k)| !entries.unrolled || used.contains(k)));
        }
    }
    found
}

fn noise_name(g: &mut Graph, system: &System, n: usize, k: &[Id], bounds: &[IndexVar]) -> String {
    let var = g.var(system.noises[n].var);
    let element = g.get(var, k);
    system.show(g, &[element], bounds).remove(0)
}

/// `sigma*x of dW in dx`.
fn describe(g: &mut Graph, system: &System, e: &Entry) -> String {
    let value = system.show(g, &[e.value], &e.bounds).remove(0);
    let noise = noise_name(g, system, e.noise, &e.k, &e.bounds);
    format!("the coefficient {value} of {noise} in {}", system.differential(g, e.state, &e.at, &e.bounds))
}

fn states_in(g: &Graph, system: &System, id: Id) -> String {
    let names: Vec<&str> = system.states.iter().filter(|s| g.depends_on(id, s.var)).map(|s| s.name.as_str()).collect();
    names.join(", ")
}

/// The first finding that is not a proof, preferring a refutation.
fn all(findings: impl Iterator<Item = Finding>) -> Finding {
    let mut open = Finding::Yes;
    for finding in findings {
        match finding {
            Finding::No(_) => return finding,
            Finding::Open { .. } if open.proved() => open = finding,
            _ => {}
        }
    }
    open
}

fn additive(g: &mut Graph, system: &System, entries: &Entries, inputs: &Env) -> Finding {
    let holes = directions(g, system);
    let y = vars(g, &holes);
    all(entries.list.iter().map(|e| {
        unchanged(g, system, e, &y, inputs, |g| {
            format!("{} depends on {}", describe(g, system, e), states_in(g, system, e.value))
        })
    }))
}

/// Whether an entry is the same with the states replaced by `y`.
fn unchanged(
    g: &mut Graph,
    system: &System,
    e: &Entry,
    y: &[Id],
    inputs: &Env,
    reason: impl FnOnce(&mut Graph) -> String,
) -> Finding {
    if !has_state(g, system, e.value) {
        return Finding::Yes;
    }
    let moved = elsewhere(g, system, &[e.value], y)[0];
    match same(g, e.value, moved, &e.bounds) {
        Ok(()) => Finding::Yes,
        Err((difference, size)) => vanishes(g, difference, size, inputs).finding(reason(g), "though not"),
    }
}

fn scalar(g: &mut Graph, system: &System, entries: &Entries) -> Finding {
    let noises = active(g, system, entries);
    let mut name = |at: usize| noise_name(g, system, noises[at].0, &noises[at].1, &[]);
    let list = match noises.len() {
        0 | 1 => return Finding::Yes,
        n @ 2..4 => (0..n).map(name).collect::<Vec<_>>().join(", "),
        n => format!("{}, ..., {}", name(0), name(n - 1)),
    };
    Finding::No(format!("there are {} independent noises: {list}", noises.len()))
}

fn diagonal(g: &mut Graph, system: &System, entries: &Entries, inputs: &Env) -> Finding {
    if let Some(reason) = shared_noise(g, system, entries) {
        return Finding::No(reason);
    }
    all(entries.list.iter().map(|e| own_coordinate(g, system, e, inputs)))
}

/// A component that meets two noises, or a noise that meets two components.
fn shared_noise(g: &mut Graph, system: &System, entries: &Entries) -> Option<String> {
    for (n, e) in entries.list.iter().enumerate() {
        let equation = |g: &Graph, e: &Entry| system.differential(g, e.state, &e.at, &e.bounds);
        if e.is_block() && size(&system.noises[e.noise].shape) > 1 {
            return Some(format!("{} meets all components of d{}", equation(g, e), system.noises[e.noise].name));
        }
        if e.is_block() {
            return Some(format!(
                "d{} enters all components of d{}",
                system.noises[e.noise].name, system.states[e.state].name
            ));
        }
        for other in &entries.list[..n] {
            let same_row = e.state == other.state && (!entries.unrolled || e.at == other.at);
            let same_noise = e.noise == other.noise && (!entries.unrolled || e.k == other.k);
            let first = noise_name(g, system, other.noise, &other.k, &other.bounds);
            if same_row {
                let second = noise_name(g, system, e.noise, &e.k, &e.bounds);
                return Some(format!("{} meets both {first} and {second}", equation(g, e)));
            }
            if same_noise {
                return Some(format!("{first} enters both {} and {}", equation(g, other), equation(g, e)));
            }
        }
    }
    None
}

/// Whether an entry depends on no other component than the one whose equation it stands in.
fn own_coordinate(g: &mut Graph, system: &System, e: &Entry, inputs: &Env) -> Finding {
    let own = |s: usize| s == e.state && read_only_at(g, e.value, system.states[s].var, &e.at);
    let clear = (0..system.states.len()).all(|s| !g.depends_on(e.value, system.states[s].var) || own(s));
    if clear {
        return Finding::Yes;
    }
    let holes = directions(g, system);
    let y: Vec<Id> = (0..holes.len()).map(|s| other_coordinates(g, system, &holes, s, e)).collect();
    unchanged(g, system, e, &y, inputs, |g| {
        let others = states_in(g, system, e.value);
        let own = system.differential(g, e.state, &e.at, &e.bounds);
        format!("{} depends on more than {} (on {others})", describe(g, system, e), &own[1..])
    })
}

/// Values of a state that differ from it in all components but the entry's own.
fn other_coordinates(g: &mut Graph, system: &System, holes: &[VarId], s: usize, e: &Entry) -> Id {
    let other = g.var(holes[s]);
    if s != e.state {
        return other;
    }
    let (bounds, at) = open(g, &system.states[s].shape);
    let mut same = g.boolean(true);
    for (i, own) in at.iter().zip(&e.at) {
        let equal = g.op(Op::Eq, &[*i, *own]);
        same = g.op(Op::And, &[same, equal]);
    }
    let here = g.var(system.states[s].var);
    let (here, other) = (g.get(here, &at), g.get(other, &at));
    let body = g.op(Op::Select, &[same, here, other]);
    g.map(&bounds, body)
}

/// The entries as an array for each state: the coefficients of diagonal noise, or the one column.
fn arrays(g: &mut Graph, system: &System, entries: &Entries) -> Vec<Id> {
    column_of(g, system, entries, |_| true)
}

/// The entries of a column (those that `belongs` chooses) as an array for each state.
fn column_of(g: &mut Graph, system: &System, entries: &Entries, belongs: impl Fn(&Entry) -> bool) -> Vec<Id> {
    let mut parts = Vec::new();
    for (s, state) in system.states.iter().enumerate() {
        let here: Vec<&Entry> = entries.list.iter().filter(|e| e.state == s && belongs(e)).collect();
        let zero = g.real(0.0);
        let part = match here.first() {
            Some(e) if !entries.unrolled => g.map(&e.bounds, e.value),
            None if !entries.unrolled => {
                let (bounds, _) = open(g, &state.shape);
                g.map(&bounds, zero)
            }
            _ => {
                let at = places(g, &state.shape);
                let value = |at: &Vec<Id>| here.iter().find(|e| e.at == *at).map_or(zero, |e| e.value);
                let values: Vec<Id> = at.iter().map(value).collect();
                if state.shape.is_empty() { values[0] } else { g.lit(state.shape.clone(), values) }
            }
        };
        parts.push(part);
    }
    clean(g, &parts)
}

fn commutative_unrolled(g: &mut Graph, system: &System, entries: &Entries, inputs: &Env) -> Finding {
    let mut columns: Vec<(usize, Vec<Id>)> = Vec::new();
    for e in &entries.list {
        if !columns.contains(&(e.noise, e.k.clone())) {
            columns.push((e.noise, e.k.clone()));
        }
    }
    let fields: Vec<Vec<Id>> =
        columns.iter().map(|(n, k)| column_of(g, system, entries, |e| e.noise == *n && e.k == *k)).collect();
    let mut open = Finding::Yes;
    for second in 0..columns.len() {
        for first in 0..second {
            let names = [first, second].map(|c| noise_name(g, system, columns[c].0, &columns[c].1, &[]));
            match brackets(g, system, &fields[first], &fields[second], &names, inputs) {
                Finding::Yes => {}
                no @ Finding::No(_) => return no,
                unsure => open = unsure,
            }
        }
    }
    open
}

/// Whether the Lie bracket `[u, w] = (u . grad) w - (w . grad) u` of two columns vanishes.
fn brackets(g: &mut Graph, system: &System, u: &[Id], w: &[Id], names: &[String; 2], inputs: &Env) -> Finding {
    let mut open = Finding::Yes;
    for (s, state) in system.states.iter().enumerate() {
        for at in places(g, &state.shape) {
            let (from, to) = (g.get(u[s], &at), g.get(w[s], &at));
            let (a, b) = (along(g, system, to, u), along(g, system, from, w));
            let raw = g.op(Op::Sub, &[a, b]);
            let bracket = written_out(g, raw);
            if is_zero(g, bracket) {
                continue;
            }
            let [a, b] = [a, b].map(|id| tidy(g, id)).map(|id| magnitude(g, id));
            let size = g.op(Op::Add, &[a, b]);
            let plain = without_dust(g, bracket);
            let shown = system.show(g, &[plain], &[]).remove(0);
            let place = &system.differential(g, s, &at, &[])[1..].to_string();
            let trial = vanishes(g, bracket, size, inputs);
            let [first, second] = names;
            let reason = match trial {
                Trial::NotZero => format!(
                    "the columns of {first} and {second} do not commute: their Lie bracket has the {place} component {shown}"
                ),
                _ => {
                    format!("the Lie bracket of the columns of {first} and {second} has the {place} component {shown}")
                }
            };
            match trial.finding(reason, "which is zero") {
                no @ Finding::No(_) => return no,
                unsure => open = unsure,
            }
        }
    }
    open
}

/// The same for two arbitrary combinations of columns: the bracket is bilinear in them, so that it vanishes for all when
/// it does for these.
fn commutative_blocks(g: &mut Graph, system: &System, inputs: &Env) -> Finding {
    let total = system.total_diffusion(g);
    let combination = |g: &mut Graph| {
        let mut pairs = Vec::new();
        for noise in &system.noises {
            let hole = g.new_var("u", VarKind::Hole, Ty::Real, noise.shape.clone());
            pairs.push((noise.var, g.var(hole)));
        }
        let moved = g.substitute_vars(&total, &pairs);
        clean(g, &moved)
    };
    let (u, w) = (combination(g), combination(g));
    let (mut value, mut size) = (g.real(0.0), g.real(0.0));
    let mut shown = String::new();
    for (s, state) in system.states.iter().enumerate() {
        let (bounds, at) = open(g, &state.shape);
        let (from, to) = (g.get(u[s], &at), g.get(w[s], &at));
        let (a, b) = (along(g, system, to, &u), along(g, system, from, &w));
        let (a, b) = (tidy(g, a), tidy(g, b));
        let raw = g.op(Op::Sub, &[a, b]);
        let bracket = tidy(g, raw);
        if is_zero(g, bracket) {
            continue;
        }
        if shown.is_empty() {
            shown = system.differential(g, s, &at, &bounds);
        }
        let (a, b, bracket) = (magnitude(g, a), magnitude(g, b), g.op(Op::Abs, &[bracket]));
        let sizes = g.op(Op::Add, &[a, b]);
        for (sum, part) in [(&mut value, bracket), (&mut size, sizes)] {
            let part = if bounds.is_empty() { part } else { g.reduce(Red::Sum, &bounds, part) };
            *sum = g.op(Op::Add, &[*sum, part]);
        }
    }
    if shown.is_empty() {
        return Finding::Yes;
    }
    let trial = vanishes(g, value, size, inputs);
    let reason = match trial {
        Trial::NotZero => {
            format!("the columns of the noise matrix do not commute: their Lie brackets have components in {shown}")
        }
        _ => format!("the Lie brackets of the columns of the noise matrix have components in {shown}"),
    };
    trial.finding(reason, "which is zero")
}
