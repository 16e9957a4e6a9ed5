//! The random numbers of runs: the ARS-5 kernels behind the runtime's seam.

use crate::kernels::normal;
use crate::runtime::noise::{DrawRows, NoiseSource};

pub struct Ars;

fn rows(r: &DrawRows) -> normal::Rows {
    normal::Rows {
        key: normal::Key { seed: r.key.0, stream: r.key.1 },
        first: normal::Coord { path: r.path, step: r.step, site: r.site, component: 0, turn: r.turn },
        lanes: r.lanes,
        components: r.components,
        steps: r.steps,
        step_stride: r.step_stride,
    }
}

impl NoiseSource for Ars {
    fn normals(&self, r: &DrawRows, out: &mut [f64]) {
        normal::fill_normals(&rows(r), out);
    }

    fn uniforms(&self, r: &DrawRows, out: &mut [f64]) {
        normal::fill_uniforms(&rows(r), out);
    }
}
