//! Which of the values that are needed several times keep their names: the program that takes least is the one.

use super::cost::cost;
use super::{Program, Spec, lower};
use crate::math::named::{Names, dissolved, restored};
use crate::math::share::share;
use crate::math::simplify::{weights, written_out};
use crate::math::{Graph, Id};

/// Sums and arrays of at most this many values are written out.
const SHORT: usize = 4;
/// With more names than this, all are kept.
const MOST_NAMES: usize = 12;
/// Up to this many instructions, names are tried one by one.
const SMALL: usize = 400;
/// Another program is taken if it costs less than this part of what the best so far does.
const GAIN: f64 = 0.999;

/// The cheapest program found for a specification whose values are simplified, with names in them.
///
/// A sum that is put in where it is read can merge with the sums around it, as in the predictor of a linear equation; one
/// that is kept is worked out once. So the two are compared: all names kept, none, and then one less at a time.
pub fn cheapest(g: &mut Graph, spec: &Spec, names: &Names) -> Program {
    let mut roots: Vec<Id> = spec.renew.iter().map(|r| r.1).chain(spec.outs.iter().copied()).collect();
    roots.extend(names.iter().map(|n| n.1));
    let mut roots = written_out(g, &roots, SHORT);
    let values = roots.split_off(roots.len() - names.len());
    let names: Names = names.iter().map(|n| n.0).zip(values).collect();
    let (roots, names) = weights(g, &roots, &names);
    let mut best = Candidate::new(g, spec, roots.clone(), names.clone());
    if names.is_empty() || names.len() > MOST_NAMES {
        return best.program;
    }
    let (plain, none) = dissolved(g, &roots, &names, |_| true);
    best = best.or(Candidate::new(g, spec, plain, none));
    if best.program.size() > SMALL {
        return best.program;
    }
    for (var, _) in &names {
        if best.names.iter().any(|n| n.0 == *var) {
            let (fewer, left) = dissolved(g, &best.roots.clone(), &best.names.clone(), |v| v == *var);
            best = best.or(Candidate::new(g, spec, fewer, left));
        }
    }
    best.program
}

struct Candidate {
    roots: Vec<Id>,
    names: Names,
    program: Program,
    cost: f64,
}

impl Candidate {
    fn new(g: &mut Graph, spec: &Spec, roots: Vec<Id>, names: Names) -> Candidate {
        // values are shared between all that is worked out
        let all: Vec<Id> = roots.iter().copied().chain(names.iter().map(|n| n.1)).collect();
        let mut shared = share(g, &all);
        let values = shared.split_off(roots.len());
        let known: Names = names.iter().map(|n| n.0).zip(values).collect();
        let mut whole = restored(g, &shared, &known);
        let outs = whole.split_off(spec.renew.len());
        let renew = spec.renew.iter().map(|r| r.0).zip(whole).collect();
        let program = lower(g, &Spec { states: spec.states.clone(), renew, outs });
        let cost = cost(&program);
        Candidate { roots, names, program, cost }
    }

    fn or(self, other: Candidate) -> Candidate {
        if other.cost < GAIN * self.cost { other } else { self }
    }
}
