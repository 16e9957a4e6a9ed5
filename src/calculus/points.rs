//! Random points at which identities are tried. The same seed gives the same points.

use crate::math::array::Array;
use crate::math::eval::Env;
use crate::math::{Graph, VarId, VarKind};

use super::system::size;

/// A generator of random numbers, splitmix64 (Steele, Lea and Flood, Fast splittable pseudorandom number generators,
/// OOPSLA 2014). Its quality is more than trial points need.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    pub fn new(seed: u64) -> Random {
        Random { state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform on (0, 1).
    pub fn uniform(&mut self) -> f64 {
        ((self.next() >> 12) as f64 + 0.5) / (1u64 << 52) as f64
    }

    /// Standard normal.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// Where the components of the states of one point come from. Densities live on different sets and at different
/// scales, so points of all kinds are tried and those that do not serve are passed over.
const KINDS: [fn(&mut Random, f64) -> f64; 7] = [
    |r, _| r.normal(),
    |r, start| start + 0.3 * r.normal() * start.abs().max(0.1),
    |r, _| 0.3 * r.normal(),
    |r, _| 3.0 * r.normal(),
    |r, start| start.abs().max(0.1) * (0.5 * r.normal()).exp(),
    |r, _| r.uniform(),
    |r, _| r.normal().abs(),
];

/// Points for the variables of some graphs: given inputs stay as they are, states and whatever has no value are drawn.
#[derive(Clone, Debug)]
pub struct Points {
    random: Random,
    inputs: Env,
    drawn: Vec<VarId>,
    attempt: usize,
}

impl Points {
    /// `inputs` has values of parameters, and of states those that are typical (where they start).
    pub fn new(g: &Graph, vars: &[VarId], inputs: &Env, seed: u64) -> Points {
        let always = |v: VarId| matches!(g.var_info(v).kind, VarKind::State | VarKind::Time);
        let drawn = vars.iter().copied().filter(|v| always(*v) || inputs.get(*v).is_none()).collect();
        Points { random: Random::new(seed), inputs: inputs.clone(), drawn, attempt: 0 }
    }

    /// The next point.
    pub fn draw(&mut self, g: &Graph) -> Env {
        let kind = KINDS[self.attempt % KINDS.len()];
        self.attempt += 1;
        let mut env = self.inputs.clone();
        for var in &self.drawn {
            let info = g.var_info(*var);
            let start = self.inputs.get(*var).cloned();
            let start = start.filter(|s| s.shape == info.shape && info.kind == VarKind::State);
            let value = |k: usize, random: &mut Random| match info.kind {
                VarKind::State => kind(random, start.as_ref().map_or(1.0, |s| s.values[k])),
                VarKind::Time | VarKind::TimeNext | VarKind::Dt => random.uniform(),
                VarKind::Param | VarKind::Result => 0.5 + random.uniform(),
                VarKind::StepIndex => 0.0,
                _ => random.normal(),
            };
            let values = (0..size(&info.shape)).map(|k| value(k, &mut self.random)).collect();
            env.set(*var, Array::new(info.shape.clone(), values));
        }
        env
    }
}
