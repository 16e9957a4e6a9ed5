//! The Wiener processes of a step as a rule sees them: their increments, time integrals and Levy areas.
//!
//! Over a step of length h, three independent standard normals u, v, w stand for the increment of each process, its
//! space-time area H and its space-time-time area K (J. Foster, T. Lyons, H. Oberhauser, SIAM J. Numer. Anal. 58, 2020):
//!
//! ```text
//! dW = h^(1/2) u,    H = (h/12)^(1/2) v,    K = (h/720)^(1/2) w,    dZ = int (W_s - W_0) ds = h dW/2 + h H
//! ```
//!
//! The noise kernels, the Brownian tree and coupled paths of several step sizes all know these three.

use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Base, Id, Op, Ty, VarId, VarKind};
use crate::model::elab::{Elab, Try};
use crate::model::system::{AREA_SITE, INTEGRAL_SITE, LEVY_SITE, Model, NOISE_SITE};
use crate::model::value::{Scope, Value};
use crate::solve::form::{Form, NoiseClass, Structured};
use crate::solve::rule::Rule;
use crate::source::Span;

/// Levy areas are written out, pair by pair.
const MOST_LEVY: usize = 64;

/// The normals of the model's processes in the shape in which a rule meets `dW`.
#[derive(Clone, Debug)]
pub struct Wiener {
    pub u: Id,
    pub v: Id,
    pub w: Id,
    pub shape: Vec<usize>,
    /// the inputs behind u, v and w
    pub inputs: [Vec<VarId>; 3],
}

impl Elab<'_> {
    /// Standard normals, an array for each noise of a model. `site` is that of the first.
    pub fn normals(&mut self, model: &Model, site: u32, turn: u16, name: &str) -> (Vec<VarId>, Vec<Id>) {
        let draw = |noise: &crate::model::system::Noise| {
            let kind = VarKind::Draw { base: Base::Normal, site: site + noise.place, turn };
            let var = self.g.new_var(format!("{name}{}", noise.name), kind, Ty::Real, noise.shape.clone());
            (var, self.g.var(var))
        };
        model.noises.iter().map(draw).unzip()
    }

    /// Arrays of the noises as a rule meets them: a number, one for each component, or one vector.
    pub fn noise_seen(&mut self, rule: &Rule, structured: &Structured, noises: &[Id]) -> Try<Id> {
        let system = &structured.system;
        match (rule.form, rule.class) {
            (Form::Kinetic, _) => {
                let kinetic = structured.kinetic().expect("the fit was checked").clone();
                let mut own = Vec::new();
                for p in &kinetic.pairs {
                    own.push(self.own_noise(system, p.v, noises)?);
                }
                Ok(self.kinetic_join(system, &own))
            }
            (_, NoiseClass::Scalar) => {
                let mut flat = Vec::new();
                for n in noises {
                    flat.extend(self.elements(*n));
                }
                // A model without noise is within the class, and has no increment to show.
                Ok(flat.first().copied().unwrap_or_else(|| self.g.real(0.0)))
            }
            (Form::Geometric | Form::SquareRoot, _) | (_, NoiseClass::Diagonal) => {
                let mut own = Vec::new();
                for state in 0..system.states.len() {
                    own.push(self.own_noise(system, state, noises)?);
                }
                Ok(system.join(&mut self.g, &own))
            }
            _ => Ok(system.join(&mut self.g, noises)),
        }
    }

    /// Names the noise of a step in a rule's scope: `dW`, `dZ`, and `levy` where the rule meets the whole vector.
    pub fn define_wiener(&mut self, rule: &Rule, model: &Model, structured: &Structured, scope: &Scope) -> Try<Wiener> {
        let mut parts = Vec::new();
        let mut inputs = Vec::new();
        for (site, name) in [(NOISE_SITE, "z"), (INTEGRAL_SITE, "w"), (AREA_SITE, "k")] {
            let (vars, nodes) = self.normals(model, site, 0, name);
            parts.push(self.noise_seen(rule, structured, &nodes)?);
            inputs.push(vars);
        }
        let shape = self.g.shape(parts[0]).to_vec();
        let inputs = <[Vec<VarId>; 3]>::try_from(inputs).expect("three kinds of normals");
        let wiener = Wiener { u: parts[0], v: parts[1], w: parts[2], shape, inputs };
        let dt = self.g.var(self.dt);
        let root = self.g.op(Op::Sqrt, &[dt]);
        let dw = self.elementwise_raw(&[wiener.u], |g, a| g.op(Op::Mul, &[root, a[0]]));
        // Kloeden & Platen (1992), section 10.4: the integral of W over a step is dt/2 (dW + sqrt(dt/3) v).
        let (half, third) = (self.g.real(0.5), self.g.real(1.0 / 3f64.sqrt()));
        let spread = self.g.op(Op::Mul, &[third, root]);
        let scale = self.g.op(Op::Mul, &[half, dt]);
        let dz = self.elementwise_raw(&[dw, wiener.v], |g, a| {
            let second = g.op(Op::Mul, &[spread, a[1]]);
            let sum = g.op(Op::Add, &[a[0], second]);
            g.op(Op::Mul, &[scale, sum])
        });
        scope.define("dW", Value::Num(dw), Span::default());
        scope.define("dZ", Value::Num(dz), Span::default());
        let own = matches!(rule.form, Form::Kinetic | Form::Geometric | Form::SquareRoot);
        let vector = !own && !matches!(rule.class, NoiseClass::Scalar | NoiseClass::Diagonal);
        if vector && wiener.shape[0] <= MOST_LEVY {
            for (name, order) in [("levy", 1), ("levy_foster", 2)] {
                let area = self.levy_area(&wiener, dt, order);
                scope.define(name, Value::Num(area), Span::default());
            }
        }
        Ok(wiener)
    }

    /// The antisymmetric matrix of Levy areas `A[i, j] = 1/2 int (W_i dW_j - W_j dW_i)` over a step, approximated: the first
    /// terms of its expansion in u, v (and w, for the order 2), and a normal of the right variance for the others
    /// (A. M. Davie, in Stochastic Analysis and Applications 2014; Foster, Lyons & Oberhauser 2020).
    fn levy_area(&mut self, wiener: &Wiener, dt: Id, order: u32) -> Id {
        let m = wiener.shape[0];
        let pairs = m * m.saturating_sub(1) / 2;
        let kind = VarKind::Draw { base: Base::Normal, site: LEVY_SITE, turn: order as u16 - 1 };
        let rest = self.g.new_var("levy", kind, Ty::Real, vec![pairs]);
        let rest = self.g.var(rest);
        let scale = |s: &mut Self, c: f64| {
            let c = s.g.real(c);
            s.g.op(Op::Mul, &[c, dt])
        };
        // The coefficients of the expansion are h/(2 sqrt(4 k^2 - 1)), for each k, and the sum of the variances h^2/4.
        let (first, second) = (scale(self, 1.0 / 12f64.sqrt()), scale(self, 1.0 / 60f64.sqrt()));
        let left = scale(self, (0.25 / f64::from(2 * order + 1)).sqrt());
        let [u, v, w] = [wiener.u, wiener.v, wiener.w].map(|all| self.elements(all));
        let rest = self.elements(rest);
        let zero = self.g.real(0.0);
        let mut area = vec![zero; m * m];
        let mut next = rest.into_iter();
        for i in 0..m {
            for j in i + 1..m {
                let mut sum = next.next().map_or(zero, |z| self.g.op(Op::Mul, &[left, z]));
                let mut terms = vec![(first, v[i], u[j], v[j], u[i])];
                if order == 2 {
                    terms.push((second, w[i], v[j], w[j], v[i]));
                }
                for (c, a, b, d, e) in terms {
                    let (one, other) = (self.g.op(Op::Mul, &[a, b]), self.g.op(Op::Mul, &[d, e]));
                    let difference = self.g.op(Op::Sub, &[one, other]);
                    let term = self.g.op(Op::Mul, &[c, difference]);
                    sum = self.g.op(Op::Add, &[sum, term]);
                }
                area[i * m + j] = sum;
                area[j * m + i] = self.g.op(Op::Neg, &[sum]);
            }
        }
        self.g.lit(vec![m, m], area)
    }

    /// Why `levy` has no meaning here.
    pub fn no_levy<T>(&mut self, span: Span) -> Try<T> {
        self.fail(
            Diagnostic::error(codes::BAD_STEP_RULE, "there are no Levy areas here", span, "used here")
                .note(format!(
                    "`levy` is an antisymmetric matrix for the vector `dW` of at most {MOST_LEVY} components: rules for \
                     `scalar` and `diagonal` noise, kinetic rules and kernels on densities have none"
                ))
                .help("write the rule `on ito(a, b)` for any noise"),
        )
    }
}
