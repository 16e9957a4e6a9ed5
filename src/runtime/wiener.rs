//! Noise of steps that comes from Brownian paths, so that runs with other steps share it.
//!
//! A step of length h sees a Wiener process by standard normals u, v and w that stand for its areas (see
//! [`super::brownian`]): W = sqrt(h) u, H = sqrt(h/12) v and K = sqrt(h/720) w. All other draws come by their coordinates.

use std::sync::Arc;

use super::brownian::{Area, Identity, Path};
use super::noise::{Ars5, DrawRows, Fill, NoiseSource};
use crate::kernels::lane::Lane;
use crate::math::Base;
use crate::step::program::{DrawSlot, Program};

/// The whole of a step.
const WHOLE: [f64; 2] = [0.0, 1.0];

/// Which draws of a step stand for Wiener processes: noise k has u, v and w at the k-th site from each of these.
#[derive(Clone, Debug, PartialEq)]
pub struct WienerSites {
    pub first: [u32; 3],
    pub noises: u32,
    /// the turns of draws that stand for a part of the step, with its ends as shares of the step; turn 0 is the whole step
    pub parts: Arc<[(u16, [f64; 2])]>,
}

impl WienerSites {
    /// The noise of a draw, which of its normals it is, and the part of the step.
    fn of(&self, slot: &DrawSlot) -> Option<(u32, usize, [f64; 2])> {
        if slot.base != Base::Normal {
            return None;
        }
        let which = self.first.iter().position(|first| (*first..first + self.noises).contains(&slot.site))?;
        let part = match slot.turn {
            0 => WHOLE,
            turn => self.parts.iter().find(|p| p.0 == turn)?.1,
        };
        Some((slot.site - self.first[which], which, part))
    }

    /// The draws of a program that are of Wiener processes, in the order of the noises.
    pub fn wanted(&self, program: &Program) -> Vec<Wanted> {
        let mut all: Vec<Wanted> = Vec::new();
        for slot in &program.draws {
            let Some((noise, which, part)) = self.of(slot) else { continue };
            let at = all.iter().position(|w| (w.noise, w.part) == (noise, part)).unwrap_or_else(|| {
                all.push(Wanted { noise, part, components: slot.components, rows: [None; 3] });
                all.len() - 1
            });
            all[at].rows[which] = Some(slot.first_row);
        }
        all.sort_by(|a, b| a.noise.cmp(&b.noise).then(a.part[0].total_cmp(&b.part[0])));
        all
    }
}

/// What a program wants of one noise over the step or a part of it.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Wanted {
    pub noise: u32,
    /// the ends, as shares of the step
    pub part: [f64; 2],
    pub components: usize,
    /// first rows of u, v and w
    pub rows: [Option<usize>; 3],
}

impl Wanted {
    /// The ends in time of the part of a step from `a` to `b`.
    fn ends(&self, a: f64, b: f64) -> [f64; 2] {
        if self.part == WHOLE {
            [a, b]
        } else {
            self.part.map(|share| if share == 1.0 { b } else { a + share * (b - a) })
        }
    }

    pub fn identity(&self, key: (u64, u64), path: u64, component: usize) -> Identity {
        Identity { key, path, noise: self.noise, component: component as u32 }
    }

    /// Writes the normals of a step, or of the part of it that is wanted, to the rows of a component; `lanes` from one row to
    /// the next, `lane` the first.
    pub fn put<T: Lane, const L: usize>(
        &self,
        paths: &mut Path<L>,
        [from, to]: [f64; 2],
        component: usize,
        noise: &mut [T],
        lanes: usize,
        lane: usize,
    ) {
        let [from, to] = self.ends(from, to);
        let normals = if to > from {
            paths.over(from, to).normals(to - from)
        } else {
            // what becomes of a part without length does not depend on its normals
            Area { w: [0.0; L], h: [0.0; L], k: [0.0; L] }.normals(1.0)
        };
        for (normals, row) in normals.iter().zip(self.rows) {
            let Some(row) = row else { continue };
            let to = &mut noise[(row + component) * lanes + lane..][..L];
            to.iter_mut().zip(normals).for_each(|(to, x)| *to = T::of(*x));
        }
    }
}

/// The noise of a run whose Wiener processes come from Brownian paths, on a fixed grid of times.
#[derive(Clone, Debug)]
pub struct TreeNoise {
    pub sites: WienerSites,
    pub times: Arc<[f64]>,
}

impl TreeNoise {
    /// Fills the draws of Wiener processes of a call.
    pub fn fill<T: Lane>(&self, program: &Program, fill: Fill, noise: &mut [T]) {
        match fill.lanes % 16 {
            0 => self.fill_by::<T, 16>(program, fill, noise),
            _ => self.fill_by::<T, 8>(program, fill, noise),
        }
    }

    /// Follows `L` paths together: the number of lanes is a multiple of it.
    fn fill_by<T: Lane, const L: usize>(&self, program: &Program, fill: Fill, noise: &mut [T]) {
        let stride = program.draw_rows * fill.lanes;
        for wanted in self.sites.wanted(program) {
            let first = fill.first_step as usize;
            let times = &self.times[first..=first + fill.steps];
            for component in 0..wanted.components {
                for lane in (0..fill.lanes).step_by(L) {
                    let of = wanted.identity(fill.key, fill.first_path + lane as u64, component);
                    let mut paths: Path<L> = Path::new(of);
                    for (step, ends) in times.windows(2).enumerate() {
                        let noise = &mut noise[step * stride..];
                        wanted.put(&mut paths, [ends[0], ends[1]], component, noise, fill.lanes, lane);
                    }
                }
            }
        }
    }

    pub fn fills(&self, slot: &DrawSlot) -> bool {
        self.sites.of(slot).is_some()
    }
}

impl NoiseSource for TreeNoise {
    fn normals(&self, rows: &DrawRows, out: &mut [f64]) {
        Ars5.normals(rows, out);
    }

    fn uniforms(&self, rows: &DrawRows, out: &mut [f64]) {
        Ars5.uniforms(rows, out);
    }

    fn normals_single(&self, rows: &DrawRows, out: &mut [f32]) {
        Ars5.normals_single(rows, out);
    }

    fn uniforms_single(&self, rows: &DrawRows, out: &mut [f32]) {
        Ars5.uniforms_single(rows, out);
    }

    fn tree(&self) -> Option<&TreeNoise> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::VarId;
    use crate::runtime::noise;

    #[test]
    fn draws_of_wiener_processes_come_from_their_paths() {
        let slot = |site, components, first_row| DrawSlot {
            var: VarId(site),
            base: Base::Normal,
            site,
            turn: 0,
            components,
            first_row,
        };
        let sites = WienerSites { first: [0, 512, 768], noises: 2, parts: Arc::new([]) };
        let program = Program {
            draws: vec![slot(513, 2, 2), slot(1, 2, 0), slot(2048, 1, 4)],
            draw_rows: 5,
            ..Program::default()
        };
        let tree = TreeNoise { sites, times: vec![0.0, 0.1, 0.3, 0.4].into() };
        let request = Fill { key: (11, 7), first_path: 64, first_step: 1, steps: 2, lanes: 16 };
        let mut rows = vec![f64::NAN; 2 * 5 * 16];
        noise::fill(&tree, &program, request, &mut rows);
        let mut streamed = vec![f64::NAN; 2 * 5 * 16];
        noise::fill(&Ars5, &program, request, &mut streamed);
        for (step, ends) in [(0.1, 0.3), (0.3, 0.4)].into_iter().enumerate() {
            for lane in 0..16 {
                for component in 0..2 {
                    let of = Identity { key: (11, 7), path: 64 + lane as u64, noise: 1, component };
                    let z = Path::<1>::new(of).over(ends.0, ends.1).normals(ends.1 - ends.0);
                    let at = |row: usize| rows[(step * 5 + row + component as usize) * 16 + lane];
                    assert_eq!([at(0), at(2)], [z[0][0], z[1][0]]);
                }
                let at = (step * 5 + 4) * 16 + lane;
                assert_eq!(rows[at], streamed[at]);
            }
        }
    }
}
