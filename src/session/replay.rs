//! Kept values in place of draws: a start that draws from this begins where the paths of an earlier run ended, or where
//! they began, and a step that draws from this goes where they went.

use crate::runtime::noise::{DrawRows, NoiseSource};
use crate::runtime::{Recorded, START_STEP};

/// For each site the values of paths.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    pub rows: Vec<Row>,
}

/// The values of a site, `[paths][looks][components]`.
#[derive(Clone, Debug, Default)]
pub struct Row {
    components: usize,
    looks: usize,
    values: Vec<f64>,
}

impl Row {
    /// Some rows of a record: the first look is that of starts, the others are those of steps.
    pub fn of(record: &Recorded, first: usize, components: usize) -> Row {
        let looks = record.values.chunks_exact(record.rows.max(1));
        let values = looks.flat_map(|look| look[first..first + components].iter().copied()).collect();
        Row { components, looks: record.looks.max(1), values }
    }

    fn value(&self, path: usize, look: usize, component: usize) -> f64 {
        let at = (path * self.looks + look) * self.components + component;
        self.values.get(at).copied().filter(|_| look < self.looks).unwrap_or(0.0)
    }
}

impl NoiseSource for Replay {
    /// Lanes that are no path get zeros.
    fn normals(&self, rows: &DrawRows, out: &mut [f64]) {
        let Some(row) = self.rows.get(rows.site as usize) else {
            return out.fill(0.0);
        };
        for step in 0..rows.steps {
            let look = if rows.step == START_STEP { 0 } else { rows.step as usize + step + 1 };
            let out = &mut out[step * rows.step_stride..];
            for component in 0..rows.components {
                for lane in 0..rows.lanes {
                    out[component * rows.lanes + lane] = row.value(rows.path as usize + lane, look, component);
                }
            }
        }
    }

    fn uniforms(&self, _: &DrawRows, out: &mut [f64]) {
        out.fill(0.5);
    }
}
