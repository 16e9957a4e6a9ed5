//! Densities written generatively, `x[..] ~ law` on every component: in which order the pieces can be drawn, if in any.

use crate::math::{Id, Node, VarId};
use crate::model::elab::Elab;
use crate::model::indexing::Axis;
use crate::model::target::{Parts, Piece, Target, TargetKind};

/// A half-open box of components.
type Region = Vec<(usize, usize)>;

impl Elab<'_> {
    /// The pieces in an order in which each law depends only on components drawn before; `None` where there is no such
    /// order, or where the pieces do not cover every component once.
    pub(super) fn in_drawing_order(&self, pieces: Vec<Piece>, var: VarId, shape: &[usize]) -> Option<Vec<Piece>> {
        let regions: Vec<Region> = pieces.iter().map(|p| self.region_of(p)).collect::<Option<_>>()?;
        if !covers(&regions, shape) {
            return None;
        }
        let reads: Vec<Vec<Region>> = pieces.iter().map(|p| self.regions_read(&p.law, var, shape)).collect();
        let mut waiting: Vec<(Piece, Region, Vec<Region>)> =
            pieces.into_iter().zip(regions).zip(reads).map(|((p, own), read)| (p, own, read)).collect();
        let mut drawn: Vec<Region> = Vec::new();
        let mut ordered = Vec::new();
        while !waiting.is_empty() {
            let next = waiting.iter().position(|(_, _, read)| read.iter().all(|r| contained(r, &drawn)))?;
            let (piece, own, _) = waiting.remove(next);
            drawn.push(own);
            ordered.push(piece);
        }
        Some(ordered)
    }

    /// The first component that no piece is about, as it is written.
    pub(super) fn without_law(&self, pieces: &[Piece], name: &str, shape: &[usize]) -> Option<String> {
        let regions: Vec<Region> = pieces.iter().map(|p| self.region_of(p)).collect::<Option<_>>()?;
        let total: usize = shape.iter().product();
        let place = |mut flat: usize| -> Vec<usize> {
            let mut at = vec![0; shape.len()];
            for k in (0..shape.len()).rev() {
                at[k] = flat % shape[k];
                flat /= shape[k];
            }
            at
        };
        let inside = |at: &[usize], r: &Region| r.iter().zip(at).all(|((lo, hi), i)| lo <= i && i < hi);
        let at = (0..total.min(1 << 16)).map(place).find(|at| !regions.iter().any(|r| inside(at, r)))?;
        let words: Vec<String> = at.iter().map(usize::to_string).collect();
        Some(if words.is_empty() { name.to_string() } else { format!("{name}[{}]", words.join(", ")) })
    }

    /// The components of a piece; `None` at an index that is not constant.
    fn region_of(&self, piece: &Piece) -> Option<Region> {
        let one = |axis: &Axis| match axis {
            Axis::Slice { start, len } => Some((*start, start + len)),
            Axis::At(id) => match self.interval(*id) {
                Some((lo, hi)) if lo == hi && lo >= 0 => Some((lo as usize, lo as usize + 1)),
                _ => None,
            },
        };
        piece.axes.iter().map(one).collect()
    }

    /// The components of `var` that a law depends on.
    fn regions_read(&self, law: &Target, var: VarId, shape: &[usize]) -> Vec<Region> {
        let mut ids = Vec::new();
        parameters(law, &mut ids);
        let mut regions = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for id in ids {
            self.collect_reads(id, var, shape, &mut regions, &mut seen);
        }
        regions
    }

    fn collect_reads(
        &self,
        id: Id,
        var: VarId,
        shape: &[usize],
        regions: &mut Vec<Region>,
        seen: &mut std::collections::HashSet<Id>,
    ) {
        if !self.g.depends_on(id, var) || !seen.insert(id) {
            return;
        }
        let whole = || shape.iter().map(|n| (0, *n)).collect::<Region>();
        match self.g.node(id) {
            Node::Var(_) | Node::Partial { .. } | Node::Jvp { .. } => regions.push(whole()),
            Node::Get(array, at) if *self.g.node(*array) == Node::Var(var) => {
                let interval = |(i, n): (&Id, &usize)| match self.interval(*i) {
                    Some((lo, hi)) => (lo.max(0) as usize, (hi + 1).clamp(0, *n as i64) as usize),
                    None => (0, *n),
                };
                regions.push(at.iter().zip(shape).map(interval).collect());
                for i in at {
                    self.collect_reads(*i, var, shape, regions, seen);
                }
            }
            _ => {
                for part in self.g.parts(id) {
                    self.collect_reads(part, var, shape, regions, seen);
                }
            }
        }
    }
}

/// Everything that a law's draws are worked out from.
fn parameters(law: &Target, ids: &mut Vec<Id>) {
    match &law.kind {
        TargetKind::Scalar { params, .. } | TargetKind::Vector { params, .. } => ids.extend(params),
        TargetKind::Density { log_density, pieces, .. } => {
            ids.push(*log_density);
            pieces.iter().flatten().for_each(|p| parameters(&p.law, ids));
        }
        TargetKind::Mixture { weights, parts } => {
            ids.push(*weights);
            match parts {
                Parts::List(list) => list.iter().for_each(|p| parameters(p, ids)),
                Parts::Family { body, .. } => parameters(body, ids),
            }
        }
        TargetKind::Product { part } | TargetKind::Tilt { part, .. } | TargetKind::Rows { body: part, .. } => {
            parameters(part, ids);
        }
        TargetKind::Temper { part, power: by } | TargetKind::Shift { part, by } | TargetKind::Scale { part, by } => {
            ids.push(*by);
            parameters(part, ids);
        }
    }
}

fn volume(region: &Region) -> usize {
    region.iter().map(|(lo, hi)| hi.saturating_sub(*lo)).product()
}

fn overlap(a: &Region, b: &Region) -> usize {
    a.iter().zip(b).map(|(x, y)| x.1.min(y.1).saturating_sub(x.0.max(y.0))).product()
}

/// Whether a region lies in the union of others that do not meet each other.
fn contained(region: &Region, others: &[Region]) -> bool {
    others.iter().map(|o| overlap(region, o)).sum::<usize>() == volume(region)
}

/// Whether boxes cover an array exactly once (by counting; their number is small).
fn covers(regions: &[Region], shape: &[usize]) -> bool {
    let total: usize = shape.iter().product();
    let disjoint = regions.iter().enumerate().all(|(i, a)| regions[i + 1..].iter().all(|b| overlap(a, b) == 0));
    disjoint && regions.iter().map(volume).sum::<usize>() == total
}

#[cfg(test)]
mod tests {
    use crate::model::elab::Elab;
    use crate::model::value::Value;
    use crate::session::load::{Options, load_text};
    use crate::source::Span;

    fn drawable(body: &str) -> bool {
        let loaded = load_text("t.sde", &format!("target p() on x: real[4] {{ {body} }}"), &Options::default());
        assert!(!loaded.has_errors(), "{:?}", loaded.problems);
        let mut elab = Elab::new(&loaded.library, &loaded.sources);
        let scope = elab.root_scope(false);
        let call = crate::syntax::parse_expr(loaded.main, "p()").expect("an expression");
        let value = elab.expr(&call, &scope);
        match value {
            Ok(Value::Target(t)) => t.drawable(),
            other => panic!("{other:?} {:?} {:?}", elab.diagnostics, Span::default()),
        }
    }

    #[test]
    fn laws_that_look_back_can_be_drawn_from() {
        assert!(drawable("x ~ normal(0, 1)"));
        assert!(drawable("x[0] ~ normal(0, 1); x[1..4] ~ normal(0, exp(x[0]))"));
        assert!(drawable("x[0..2] ~ normal(0, 1); x[2..4] ~ normal(x[0..2], 1)"));
    }

    #[test]
    fn the_order_of_the_text_is_no_matter() {
        assert!(drawable("x[1..4] ~ normal(0, exp(x[0])); x[0] ~ normal(0, 1)"));
    }

    #[test]
    fn laws_of_components_not_drawn_yet_cannot() {
        assert!(!drawable("x[0] ~ normal(0, 1); x[1..4] ~ normal(x[0..3], 1)"));
        assert!(!drawable("x[0] ~ normal(x[1], 1); x[1..4] ~ normal(x[0], 1)"));
        assert!(!drawable("x ~ normal(sum(x), 1)"));
    }

    #[test]
    fn every_component_once() {
        assert!(!drawable("x[0..3] ~ normal(0, 1)"));
        assert!(!drawable("x[0..3] ~ normal(0, 1); x[2..4] ~ normal(0, 1)"));
    }
}
