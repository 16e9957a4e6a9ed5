//! Reductions. Their order is defined by the innermost index: elements with an even and with an odd value of it have
//! an accumulator each, taken in order, and the two are joined at the end. Written out or as a loop, the order is the
//! same.

use super::super::program::*;
use super::Lowering;
use super::build::Val;
use super::table::{clamped, linear};
use crate::math::simplify::softmax_of;
use crate::math::{Id, IndexVar, Node, Op, Red};

/// Number of accumulators.
const STRIDE: usize = 2;
/// Elements done in one turn of a loop whose body calls elementary functions, so that a call does several.
const TURN_WITH_CALLS: usize = 4;

/// Takes the values carried so far and gives the next ones, for the element whose indices are bound.
type Step<'a, 'g> = &'a mut dyn FnMut(&mut Lowering<'g>, &[Val]) -> Vec<Val>;

impl<'g> Lowering<'g> {
    pub fn reduce(&mut self, id: Id, red: Red, bounds: &[IndexVar], body: Id) -> Val {
        if bounds.iter().any(|b| b.extent == 0) {
            return empty(red);
        }
        match red {
            Red::Argmax | Red::Argmin => self.arg_extreme(red, bounds[0], body),
            Red::LogSumExp => self.log_sum_exp(id, bounds, body),
            _ => {
                let turn = self.turn_for(body).max(STRIDE);
                self.strided(red, bounds, turn, &mut |l, sum| l.joined(red, sum, body))
            }
        }
    }

    /// An accumulator with one element more.
    fn joined(&mut self, red: Red, sum: Val, element: Id) -> Val {
        if red == Red::Sum {
            return self.accumulate(sum, element);
        }
        let x = self.scalar(element);
        self.join_values(red, sum, x)
    }

    fn join_values(&mut self, red: Red, a: Val, b: Val) -> Val {
        match red {
            Red::Sum => self.b.add(a, b),
            Red::Prod => self.b.mul(a, b),
            Red::Max => self.b.binary(Binary::Max, a, b),
            Red::Min => self.b.binary(Binary::Min, a, b),
            Red::Any => self.b.logic(Logic::Or, a, b),
            Red::All => self.b.logic(Logic::And, a, b),
            Red::Argmax | Red::Argmin | Red::LogSumExp => unreachable!("not joined pairwise"),
        }
    }

    /// A reduction in the defined order, by a function that joins an element to an accumulator.
    fn strided(
        &mut self,
        red: Red,
        bounds: &[IndexVar],
        turn: usize,
        join: &mut dyn FnMut(&mut Self, Val) -> Val,
    ) -> Val {
        let last = bounds[bounds.len() - 1];
        let mut accumulators = vec![identity(red); STRIDE.min(last.extent)];
        accumulators = self.nest(bounds, turn, accumulators, &mut |l, values| {
            // the parity of the innermost index is known in every copy of the body
            let place = l.env[&last.id].1.modulo(STRIDE as i64).known().expect("turns are a multiple of the stride");
            let mut values = values.to_vec();
            values[place as usize] = join(l, values[place as usize]);
            values
        });
        accumulators.into_iter().reduce(|a, b| self.join_values(red, a, b)).expect("one accumulator")
    }

    /// Runs a step for each element of an index space, in order, written out or as loops. A turn of the innermost loop
    /// does `turn` elements.
    pub fn nest(&mut self, bounds: &[IndexVar], turn: usize, mut values: Vec<Val>, step: Step<'_, 'g>) -> Vec<Val> {
        let Some((bound, rest)) = bounds.split_first() else { return step(self, &values) };
        let per_turn = match rest.is_empty() {
            _ if self.plan.unrolls(bound) => bound.extent,
            true => turn.min(bound.extent),
            false => 1,
        };
        let turns = if per_turn == bound.extent { 0 } else { bound.extent / per_turn };
        values = self.looped(turns, values, &mut |l, i, mut values| {
            for u in 0..per_turn {
                let at = i.times(per_turn as i64).plus(u as i64);
                values = l.bound(&[*bound], &[at], |l| l.nest(rest, turn, values, step));
            }
            values
        });
        for k in turns * per_turn..bound.extent {
            values = self.bound(&[*bound], &[Index::of(k as i64)], |l| l.nest(rest, turn, values, step));
        }
        values
    }

    /// A loop that carries values.
    fn looped(
        &mut self,
        turns: usize,
        values: Vec<Val>,
        body: &mut dyn FnMut(&mut Self, &Index, Vec<Val>) -> Vec<Val>,
    ) -> Vec<Val> {
        if turns <= 1 {
            return if turns == 1 { body(self, &Index::of(0), values) } else { values };
        }
        let inits: Vec<Reg> = values.into_iter().map(|v| self.b.reg(v)).collect();
        let counter = self.b.open_loop(turns);
        let inner: Vec<Reg> = inits.iter().map(|r| self.b.carry(*r)).collect();
        let next = body(self, &Index::counter(counter), inner.iter().map(|r| Val::Reg(*r)).collect());
        let next: Vec<Reg> = next.into_iter().map(|v| self.b.reg(v)).collect();
        let carried: Vec<(Reg, Reg, Reg)> =
            inits.into_iter().zip(inner).zip(next).map(|((init, inner), next)| (init, inner, next)).collect();
        self.b.close_loop(&carried).into_iter().map(Val::Reg).collect()
    }

    /// The place of the first largest (smallest) element. NaN is never chosen; 0 if nothing is.
    fn arg_extreme(&mut self, red: Red, bound: IndexVar, body: Id) -> Val {
        let worst = if red == Red::Argmax { f64::NEG_INFINITY } else { f64::INFINITY };
        let turn = self.turn_for(body);
        let values = self.nest(&[bound], turn, vec![Val::Real(worst), Val::Real(0.0)], &mut |l, values| {
            let x = l.scalar(body);
            let (low, high) = if red == Red::Argmax { (values[0], x) } else { (x, values[0]) };
            let better = l.b.compare(Relation::Lt, low, high);
            let at = l.env[&bound.id].1.clone();
            let at = match at.known() {
                Some(k) => Val::Real(k as f64),
                None => Val::Reg(l.b.emit(Value::Count(at))),
            };
            vec![l.b.select(better, x, values[0]), l.b.select(better, at, values[1])]
        });
        values[1]
    }

    /// Greatest element first, then the sum of the exponentials of the differences. Loops keep the elements in scratch
    /// rows, and the exponentials where a softmax wants them.
    fn log_sum_exp(&mut self, id: Id, bounds: &[IndexVar], body: Id) -> Val {
        let shape: Vec<usize> = bounds.iter().map(|b| b.extent).collect();
        let count = shape.iter().product::<usize>();
        let loops = bounds.iter().any(|b| !self.plan.unrolls(b));
        let turn = if loops { 4 } else { 1 };
        let elements = if loops { self.scratch(count) } else { 0 };
        let row = |l: &Self, first: usize| linear(&shape, &l.here(bounds)).plus(first as i64);
        let greatest = self.strided(Red::Max, bounds, turn, &mut |l, m| {
            let x = l.scalar(body);
            if loops {
                l.store(Space::Scratch, row(l, elements), x);
            }
            l.b.binary(Binary::Max, m, x)
        });
        // an infinite element is not subtracted: inf - inf is NaN
        let size = self.b.unary(Unary::Abs, greatest);
        let infinite = self.b.compare(Relation::Eq, size, Val::Real(f64::INFINITY));
        let shift = self.b.select(infinite, Val::Real(0.0), greatest);
        let kept = if loops && self.plan.softmax.contains(&id) { Some(self.scratch(count)) } else { None };
        let mut terms = Vec::new();
        let sum = self.strided(Red::Sum, bounds, turn, &mut |l, sum| {
            let x = if loops { Val::Reg(l.b.read_again(Space::Scratch, row(l, elements))) } else { l.scalar(body) };
            let difference = l.b.sub(x, shift);
            let e = l.kernel(Op::Exp, &[difference]);
            if let Some(first) = kept {
                l.store(Space::Scratch, row(l, first), e);
            }
            terms.push((x, e));
            l.b.add(sum, e)
        });
        let log = self.kernel(Op::Log, &[sum]);
        let result = self.b.add(log, shift);
        if let Some(first) = kept {
            let key = self.key(id);
            self.softmax_rows.insert(key, (first, sum));
        } else if let Val::Reg(result) = result {
            for (x, e) in terms {
                if let Val::Reg(x) = x {
                    self.softmax.insert((x, result), (e, sum));
                }
            }
        }
        result
    }

    /// `exp(x - logsumexp(..., x, ...))`, where the logsumexp has been worked out: its own exponential by its sum.
    pub fn softmax_term(&mut self, difference: Id) -> Option<Val> {
        let (x, whole, at) = softmax_of(self.g, difference)?;
        let Node::Reduce(_, bounds, _) = self.g.node(whole).clone() else { return None };
        let log = self.scalar(whole);
        let (e, sum) = match self.softmax_rows.get(&self.key(whole)).copied() {
            Some((first, sum)) => {
                let shape: Vec<usize> = bounds.iter().map(|b| b.extent).collect();
                let at = at.iter().map(|a| self.index_of(*a)).collect::<Option<Vec<_>>>()?;
                let row = linear(&shape, &clamped(&shape, at)).plus(first as i64);
                let level = self.b.key_level(&self.key(whole));
                (Val::Reg(self.b.emit_below(Value::Load(Space::Scratch, row), level)), sum)
            }
            None => {
                let (Val::Reg(log), Val::Reg(x)) = (log, self.scalar(x)) else { return None };
                *self.softmax.get(&(x, log))?
            }
        };
        let reciprocal = self.b.binary(Binary::Div, Val::Real(1.0), sum);
        Some(self.b.mul(e, reciprocal))
    }

    pub fn turn_for(&self, body: Id) -> usize {
        if self.plan.calls.contains(&body) { TURN_WITH_CALLS } else { 1 }
    }
}

/// What joined to an element gives that element, bit for bit.
fn identity(red: Red) -> Val {
    match red {
        Red::Sum => Val::Real(-0.0),
        Red::Prod => Val::Real(1.0),
        Red::Max => Val::Real(f64::NEG_INFINITY),
        Red::Min => Val::Real(f64::INFINITY),
        Red::Any => Val::Truth(false),
        Red::All => Val::Truth(true),
        Red::Argmax | Red::Argmin | Red::LogSumExp => unreachable!("not joined pairwise"),
    }
}

/// The reduction of nothing.
fn empty(red: Red) -> Val {
    match red {
        Red::Sum | Red::Argmax | Red::Argmin => Val::Real(0.0),
        Red::LogSumExp => Val::Real(f64::NEG_INFINITY),
        _ => identity(red),
    }
}
