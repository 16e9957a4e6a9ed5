//! Kept values in place of draws: a start that draws from this begins where the paths of an earlier run ended.

use crate::runtime::noise::{DrawRows, NoiseSource};
use crate::runtime::{Recorded, START_STEP};

/// For each site the values of paths.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    pub rows: Vec<Row>,
}

/// The values of a site, `[paths][components]`.
#[derive(Clone, Debug, Default)]
pub struct Row {
    components: usize,
    values: Vec<f64>,
}

impl Row {
    /// Some rows of a record of one look.
    pub fn of(record: &Recorded, first: usize, components: usize) -> Row {
        let paths = record.values.chunks_exact(record.rows.max(1));
        Row { components, values: paths.flat_map(|path| path[first..first + components].iter().copied()).collect() }
    }
}

impl NoiseSource for Replay {
    /// Lanes that are no path get zeros.
    fn normals(&self, rows: &DrawRows, out: &mut [f64]) {
        let Some(row) = self.rows.get(rows.site as usize).filter(|_| rows.step == START_STEP) else {
            return out.fill(0.0);
        };
        for component in 0..rows.components {
            for lane in 0..rows.lanes {
                let at = (rows.path as usize + lane) * row.components + component;
                out[component * rows.lanes + lane] = row.values.get(at).copied().unwrap_or(0.0);
            }
        }
    }

    fn uniforms(&self, _: &DrawRows, out: &mut [f64]) {
        out.fill(0.5);
    }
}
