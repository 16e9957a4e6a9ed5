//! Standard errors of formulas of statistics.
//!
//! Statistics of one run are of the same paths, so their errors are not independent. A formula of several is worked out
//! again from the statistics of all paths but those of one group, for each group in turn: the delete-a-group jackknife of
//! `runtime::statistics::jackknife`. What has no such replicates (effective sample sizes, expectations by draws of their
//! own) enters to first order, as independent of the rest.

use crate::math::array::Array;
use crate::math::eval::{Env, eval};
use crate::math::{Id, Node, VarId};
use crate::model::elab::Elab;
use crate::runtime::StatResult;
use crate::runtime::statistics::jackknife;
use crate::session::plan::{Plan, Statement};

/// Elements of an array that are changed one after the other.
const MOST_MOVED: usize = 4096;

/// For each statistic that a run asks for, what one look of one statement sees of it.
pub(super) type Seen<'a> = [Option<&'a StatResult>];

impl Elab<'_> {
    /// The statistics of paths in an expression, as indices of what the run asks for.
    fn statistics_in(&self, plan: &Plan, value: Id) -> Vec<usize> {
        (0..plan.context.asked.len()).filter(|k| self.g.depends_on(value, plan.context.asked[*k].value)).collect()
    }

    /// Whether an expression is one statistic and nothing else.
    pub(super) fn as_statistic(&self, plan: &Plan, value: Id) -> Option<usize> {
        plan.context.asked.iter().position(|a| *self.g.node(value) == Node::Var(a.value))
    }

    /// Which statistics are wanted without each group of paths too: those of formulas whose error is told.
    pub(super) fn replicated(&self, plan: &Plan) -> Vec<bool> {
        let mut wanted = vec![false; plan.context.asked.len()];
        let items = plan.statements.iter().flat_map(Statement::items);
        for id in items.map(|i| i.value).chain(plan.context.formulas.iter().map(|f| f.of)) {
            let inside = self.statistics_in(plan, id);
            if self.as_statistic(plan, id).is_none() && !self.is_one_number(plan, &inside) {
                inside.iter().for_each(|k| wanted[*k] = true);
            }
        }
        wanted
    }

    /// One statistic of one number: its own standard error tells that of a formula.
    fn is_one_number(&self, plan: &Plan, inside: &[usize]) -> bool {
        matches!(inside, [k] if self.g.var_info(plan.context.asked[*k].value).shape.is_empty())
    }

    /// Standard errors of a formula, element by element; none where no statistic is in it. `env` has the statistics of
    /// all paths, and is left as it was.
    pub(super) fn formula_error(&self, plan: &Plan, value: Id, seen: &Seen<'_>, env: &mut Env) -> Vec<f64> {
        let inside = self.statistics_in(plan, value);
        let drawn =
            plan.context.expectations.iter().filter(|e| self.g.depends_on(value, e.value) && has_error(env, e.se));
        let given = plan.context.given.iter().filter(|g| self.g.depends_on(value, g.value) && has_error(env, g.se));
        let mut alone: Vec<(VarId, VarId)> =
            drawn.map(|e| (e.value, e.se)).chain(given.map(|g| (g.value, g.se))).collect();
        let Ok(whole) = eval(&self.g, value, env) else { return Vec::new() };
        if inside.is_empty() && alone.is_empty() {
            return Vec::new();
        }
        let one_number = self.is_one_number(plan, &inside);
        let (joint, rest): (Vec<usize>, Vec<usize>) =
            inside.iter().partition(|k| !one_number && seen[**k].is_some_and(|r| !r.without.is_empty()));
        alone.extend(rest.iter().map(|k| (plan.context.asked[*k].value, plan.context.asked[*k].se)));
        let mut variance = self.joint_variance(plan, value, &whole.values, &joint, seen, env);
        for (var, se) in alone {
            let change = self.change(value, &whole.values, var, se, env);
            variance.iter_mut().zip(change).for_each(|(v, d)| *v += d * d);
        }
        variance.iter().map(|v| v.sqrt()).collect()
    }

    /// The variance that statistics with replicates give a formula.
    fn joint_variance(
        &self,
        plan: &Plan,
        value: Id,
        whole: &[f64],
        joint: &[usize],
        seen: &Seen<'_>,
        env: &mut Env,
    ) -> Vec<f64> {
        let results: Vec<(VarId, &StatResult)> =
            joint.iter().filter_map(|k| Some((plan.context.asked[*k].value, seen[*k]?))).collect();
        let Some((_, first)) = results.first() else { return vec![0.0; whole.len()] };
        let before: Vec<(VarId, Option<Array>)> = results.iter().map(|(v, _)| (*v, env.get(*v).cloned())).collect();
        let mut parts: Vec<(f64, Vec<f64>)> = Vec::new();
        for group in 0..first.without.len() {
            let weight = results.iter().map(|(_, r)| share(r, group)).fold(0.0, f64::max);
            if weight == 0.0 {
                continue;
            }
            for (var, r) in &results {
                env.set(*var, Array::new(r.shape.clone(), r.without[group].values.clone()));
            }
            let without = eval(&self.g, value, env).map_or(vec![f64::NAN; whole.len()], |a| a.values);
            parts.push((weight, without));
        }
        for (var, value) in before {
            env.set(var, value.expect("every statistic has its value"));
        }
        let total: f64 = parts.iter().map(|p| p.0).sum();
        let element = |k: usize| {
            let parts: Vec<(f64, f64)> = parts.iter().map(|(w, values)| (*w, values[k])).collect();
            jackknife::from_parts(whole[k], total, &parts).powi(2)
        };
        (0..whole.len()).map(element).collect()
    }

    /// How much a formula changes when one number in it changes by its standard error: the mean of both directions. The
    /// elements of an array are not independent, and how they depend on one another is not kept: their changes are added
    /// up, which is the most that they can be together.
    fn change(&self, value: Id, whole: &[f64], var: VarId, se: VarId, env: &mut Env) -> Vec<f64> {
        let (Some(at), Some(error)) = (env.get(var).cloned(), env.get(se).cloned()) else {
            return vec![f64::NAN; whole.len()];
        };
        if at.values.len() != error.values.len() || at.values.len() > MOST_MOVED {
            return vec![f64::NAN; whole.len()];
        }
        if *self.g.node(value) == Node::Var(var) {
            return error.values;
        }
        let mut total = vec![0.0; whole.len()];
        for (k, s) in error.values.iter().enumerate() {
            for by in [*s, -s] {
                let mut moved = at.clone();
                moved.values[k] += by;
                env.set(var, moved);
                let values = eval(&self.g, value, env).map_or(vec![f64::NAN; whole.len()], |a| a.values);
                total.iter_mut().zip(values.iter().zip(whole)).for_each(|(t, (a, b))| *t += 0.5 * (a - b).abs());
            }
        }
        env.set(var, at.clone());
        total
    }
}

fn has_error(env: &Env, se: VarId) -> bool {
    env.get(se).is_some_and(|s| s.values.iter().any(|x| *x != 0.0))
}

/// The part of a statistic's values that a group has.
fn share(result: &StatResult, group: usize) -> f64 {
    let total: f64 = result.without.iter().map(|r| r.weight).sum();
    if total > 0.0 { result.without[group].weight / total } else { 0.0 }
}
