//! Wiener integrals of a step, drawn jointly.
//!
//! A rule may ask for any `integral(f(s) dW for s in a .. b)` with an f that is free of the state. Polynomials of degree
//! two over the whole step are sums of W, H and K. The others have a part along those of W, H and K that the step uses,
//! and a rest: its covariance is a matrix of integrals of products, factored (by Cholesky) once per step size, or for each
//! path where the ends are random.

use crate::calculus::integrate::{self, Term};
use crate::diagnostics::{Diagnostic, codes};
use crate::math::{Id, Node, Op, VarId};
use crate::model::elab::{Elab, Try, WienerIntegral};
use crate::model::system::{AREA_SITE, INTEGRAL_SITE, Model, NOISE_SITE, REST_SITE};
use crate::solve::form::Structured;
use crate::solve::rule::Rule;
use crate::solve::wiener::Wiener;
use crate::source::Span;

/// A variance below this fraction of the whole is rounding: the integral is a sum of the others.
const NOTHING: f64 = 1e-13;

/// The Wiener integrals of a step, and what must be known of it to draw them.
pub struct Asked<'a> {
    pub integrals: &'a [WienerIntegral],
    /// what the step computes
    pub roots: &'a [Id],
    /// what depends on the state
    pub old: &'a [VarId],
}

/// What stands for the integrals of a step.
pub struct Joint {
    pub values: Vec<(VarId, Id)>,
    /// the turns of the draws of parts of the step, with the ends of each as shares of it
    pub parts: Vec<(u16, [Id; 2])>,
    /// an integral over a part of the step that no path is known to have
    pub open: Option<Span>,
}

/// A part of the step over which the noise is met by itself.
#[derive(Clone)]
struct Section {
    shares: [f64; 2],
    turn: u16,
    areas: Wiener,
}

impl Elab<'_> {
    /// What stands for the integrals of a step, and the parts of the step whose areas some of them are made of.
    pub fn joint_integrals(
        &mut self,
        rule: &Rule,
        model: &Model,
        structured: &Structured,
        wiener: &Wiener,
        asked: &Asked<'_>,
    ) -> Try<Joint> {
        let Asked { integrals, roots, old } = *asked;
        for i in integrals {
            self.free_of_state(i, wiener, old, integrals)?;
        }
        let mut values = Vec::new();
        let mut others = Vec::new();
        let mut parts: Vec<Section> = Vec::new();
        for i in integrals {
            let whole = if self.is_whole(i) { self.in_areas(i, wiener) } else { None };
            let found = match whole {
                None if self.coupled_noise => self.in_section(rule, model, structured, i, &mut parts)?,
                found => found,
            };
            match found {
                Some(value) => values.push((i.stands, value)),
                None => others.push(i.clone()),
            }
        }
        let parts = parts.into_iter().map(|p| (p.turn, p.shares.map(|share| self.g.real(share)))).collect();
        let open = others.iter().find(|i| !self.is_whole(i)).map(|i| i.span);
        if others.is_empty() {
            return Ok(Joint { values, parts, open });
        }
        let roots = self.g.substitute_vars(roots, &values);
        let used = |s: &Self, k: usize| roots.iter().any(|r| wiener.inputs[k].iter().any(|v| s.g.depends_on(*r, *v)));
        let known: Vec<usize> = (0..3).filter(|k| self.coupled_noise || used(self, *k)).collect();
        let fresh = self.fresh_normals(rule, model, structured, wiener, &known, others.len())?;
        let joint = self.drawn(&others, wiener, &known, &fresh);
        values.extend(others.iter().map(|i| i.stands).zip(joint));
        Ok(Joint { values, parts, open })
    }

    /// An integral of a polynomial over a section of the step with fixed shares, as a sum of the W, H and K of that section:
    /// a Brownian path knows them too. `None` for others.
    fn in_section(
        &mut self,
        rule: &Rule,
        model: &Model,
        structured: &Structured,
        i: &WienerIntegral,
        known: &mut Vec<Section>,
    ) -> Try<Option<Id>> {
        let Some(shares) = self.shares(i) else { return Ok(None) };
        let section = match known.iter().find(|s| s.shares == shares) {
            Some(section) => section.clone(),
            None => {
                let turn = known.len() as u16 + 1;
                let mut normals = Vec::new();
                for (site, name) in [(NOISE_SITE, "z"), (INTEGRAL_SITE, "w"), (AREA_SITE, "k")] {
                    let (_, nodes) = self.normals(model, site, turn, name);
                    normals.push(self.noise_seen(rule, structured, &nodes)?);
                }
                let shape = self.g.shape(normals[0]).to_vec();
                let areas = Wiener { u: normals[0], v: normals[1], w: normals[2], shape, inputs: Default::default() };
                Section { shares, turn, areas }
            }
        };
        let dt = self.g.var(self.dt);
        let [from, length] = [shares[0], shares[1] - shares[0]].map(|share| {
            let share = self.g.real(share);
            self.g.op(Op::Mul, &[share, dt])
        });
        // the same integral, with its variable counted from the beginning of the section
        let s = self.g.var(i.variable);
        let moved = self.g.op(Op::Add, &[from, s]);
        let integrand = self.g.substitute_vars(&[i.integrand], &[(i.variable, moved)])[0];
        let value = self.of_areas(integrand, i.variable, length, &section.areas);
        if value.is_some() && !known.iter().any(|s| s.turn == section.turn) {
            known.push(section);
        }
        Ok(value)
    }

    /// The ends of an integral as shares of the step, where they are numbers.
    fn shares(&mut self, i: &WienerIntegral) -> Option<[f64; 2]> {
        let share = |s: &mut Self, end: Id| -> Option<f64> {
            let end = crate::math::clean(&mut s.g, &[end]).ok()?[0];
            let terms = integrate::terms(&mut s.g, end, s.dt)?;
            let mut sum = 0.0;
            for term in terms {
                let coef = crate::math::clean(&mut s.g, &[term.coef]).ok()?[0];
                let coef = match s.g.node(coef) {
                    Node::Real(bits) => f64::from_bits(*bits),
                    Node::Int(n) => *n as f64,
                    _ => return None,
                };
                if coef != 0.0 && (term.power != 1 || term.exponent.is_some()) {
                    return None;
                }
                sum += coef;
            }
            Some(sum)
        };
        let shares = [share(self, i.from)?, share(self, i.to)?];
        (0.0 <= shares[0] && shares[0] < shares[1] && shares[1] <= 1.0).then_some(shares)
    }

    fn free_of_state(&mut self, i: &WienerIntegral, wiener: &Wiener, old: &[VarId], all: &[WienerIntegral]) -> Try<()> {
        let noise = wiener.inputs.iter().flatten();
        let banned: Vec<VarId> = old.iter().chain(noise).chain(all.iter().map(|i| &i.stands)).copied().collect();
        let parts = [i.integrand, i.from, i.to];
        if !parts.iter().any(|p| banned.iter().any(|v| self.g.depends_on(*p, *v))) {
            return Ok(());
        }
        self.fail(
            Diagnostic::error(
                codes::BAD_STEP_RULE,
                "a Wiener integral whose integrand or ends depend on the state or on the noise",
                i.span,
                "is not Gaussian",
            )
            .help("the integrand may depend on s, on the time, the parameters and on other draws"),
        )
    }

    /// An integral over the whole step of a polynomial of degree two at most, as a sum of W, H and K.
    fn in_areas(&mut self, i: &WienerIntegral, wiener: &Wiener) -> Option<Id> {
        let dt = self.g.var(self.dt);
        self.of_areas(i.integrand, i.variable, dt, wiener)
    }

    /// The integral of a polynomial of degree two at most over an interval of some length, by the areas of that interval.
    fn of_areas(&mut self, integrand: Id, variable: VarId, length: Id, wiener: &Wiener) -> Option<Id> {
        let one = |s: &mut Self, f: Id, u: Id, v: Id, w: Id| -> Option<Id> {
            let f = crate::math::clean(&mut s.g, &[f]).ok()?[0];
            let terms = integrate::terms(&mut s.g, f, variable)?;
            let c = coefficients(s, &terms)?;
            Some(s.by_areas(c, length, [u, v, w]))
        };
        if self.g.is_scalar(integrand) {
            let shape = wiener.shape.clone();
            let mut found = Some(());
            let all = self.tabulate(&shape, |s, at| {
                let [u, v, w] = [wiener.u, wiener.v, wiener.w].map(|z| s.element(z, at));
                match one(s, integrand, u, v, w) {
                    Some(value) => value,
                    None => {
                        found = None;
                        s.g.real(0.0)
                    }
                }
            });
            return found.map(|()| all);
        }
        let parts = self.elements(integrand);
        let [u, v, w] = [wiener.u, wiener.v, wiener.w].map(|z| self.elements(z));
        let mut values = Vec::new();
        for (k, f) in parts.into_iter().enumerate() {
            values.push(one(self, f, u[k], v[k], w[k])?);
        }
        Some(self.g.lit(wiener.shape.clone(), values))
    }

    fn is_whole(&mut self, i: &WienerIntegral) -> bool {
        let dt = self.g.var(self.dt);
        let ends = crate::math::clean(&mut self.g, &[i.from, i.to]);
        ends.is_ok_and(|e| e[1] == dt && matches!(self.g.node(e[0]), Node::Real(bits) if f64::from_bits(*bits) == 0.0))
    }

    /// `int (c0 + c1 s + c2 s^2) dW`: with W, H and K over a step of length h, `int s dW = h (W/2 - H)` and
    /// `int s^2 dW = h^2 (W/3 - H + 2 K)`.
    fn by_areas(&mut self, c: [Id; 3], dt: Id, [u, v, w]: [Id; 3]) -> Id {
        let root = self.g.op(Op::Sqrt, &[dt]);
        let [c0, c1, c2] = c;
        let (c1, square) = (self.g.op(Op::Mul, &[c1, dt]), self.g.op(Op::Mul, &[dt, dt]));
        let c2 = self.g.op(Op::Mul, &[c2, square]);
        let weigh = |s: &mut Self, weights: [f64; 3]| {
            let mut sum = s.g.real(0.0);
            for (k, c) in weights.into_iter().zip([c0, c1, c2]).filter(|(k, _)| *k != 0.0) {
                let k = s.g.real(k);
                let term = s.g.op(Op::Mul, &[k, c]);
                sum = s.g.op(Op::Add, &[sum, term]);
            }
            sum
        };
        let along_w = weigh(self, [1.0, 0.5, 1.0 / 3.0]);
        let along_h = weigh(self, [0.0, -1.0, -1.0]);
        let along_k = weigh(self, [0.0, 0.0, 2.0]);
        let mut sum = self.g.real(0.0);
        for (c, z, variance) in [(along_w, u, 1.0f64), (along_h, v, 1.0 / 12.0), (along_k, w, 1.0 / 720.0)] {
            let c = crate::math::clean(&mut self.g, &[c]).map_or(c, |c| c[0]);
            if matches!(self.g.node(c), Node::Real(bits) if f64::from_bits(*bits) == 0.0) {
                continue;
            }
            let deviation = self.g.real(variance.sqrt());
            let spread = self.g.op(Op::Mul, &[deviation, root]);
            let c = self.g.op(Op::Mul, &[c, spread]);
            let term = self.g.op(Op::Mul, &[c, z]);
            sum = self.g.op(Op::Add, &[sum, term]);
        }
        sum
    }

    /// Normals for the rests of some integrals, of the shape of `dW`. Where no other part of the step uses the increments,
    /// the first integral takes theirs: paths of solvers with one seed stay close.
    fn fresh_normals(
        &mut self,
        rule: &Rule,
        model: &Model,
        structured: &Structured,
        wiener: &Wiener,
        known: &[usize],
        count: usize,
    ) -> Try<Vec<Id>> {
        let mut all = Vec::new();
        for k in 0..count {
            if k == 0 && known.is_empty() {
                all.push(wiener.u);
                continue;
            }
            let (_, normals) = self.normals(model, REST_SITE, k as u16, "rest");
            all.push(self.noise_seen(rule, structured, &normals)?);
        }
        Ok(all)
    }

    /// The integrals in terms of W, H, K (those in `known`) and fresh normals.
    fn drawn(&mut self, integrals: &[WienerIntegral], wiener: &Wiener, known: &[usize], fresh: &[Id]) -> Vec<Id> {
        let basis = [wiener.u, wiener.v, wiener.w];
        let along: Vec<Vec<Id>> =
            integrals.iter().map(|i| known.iter().map(|k| self.along_legendre(i, *k)).collect()).collect();
        let n = integrals.len();
        let mut factor: Vec<Vec<Id>> = vec![Vec::new(); n];
        let floor = self.g.real(NOTHING);
        for j in 0..n {
            let whole = self.covariance(&integrals[j], &integrals[j]);
            let mut left = whole;
            let explained: Vec<Id> = along[j].iter().chain(&factor[j]).copied().collect();
            for c in explained {
                left = self.each(&[left, c], |g, a| {
                    let square = g.op(Op::Mul, &[a[1], a[1]]);
                    g.op(Op::Sub, &[a[0], square])
                });
            }
            let pivot = self.each(&[left, whole], |g, a| {
                let least = g.op(Op::Mul, &[floor, a[1]]);
                let enough = g.op(Op::Lt, &[least, a[0]]);
                let zero = g.real(0.0);
                let kept = g.op(Op::Select, &[enough, a[0], zero]);
                g.op(Op::Sqrt, &[kept])
            });
            factor[j].push(pivot);
            for i in j + 1..n {
                let mut rest = self.covariance(&integrals[i], &integrals[j]);
                let pairs: Vec<(Id, Id)> = along[i].iter().copied().zip(along[j].iter().copied()).collect();
                let done: Vec<(Id, Id)> = factor[i].iter().copied().zip(factor[j].iter().copied()).take(j).collect();
                for (a, b) in pairs.into_iter().chain(done) {
                    rest = self.each(&[rest, a, b], |g, a| {
                        let product = g.op(Op::Mul, &[a[1], a[2]]);
                        g.op(Op::Sub, &[a[0], product])
                    });
                }
                let entry = self.each(&[rest, pivot], |g, a| {
                    let zero = g.real(0.0);
                    let some = g.op(Op::Lt, &[zero, a[1]]);
                    let ratio = g.op(Op::Div, &[a[0], a[1]]);
                    g.op(Op::Select, &[some, ratio, zero])
                });
                factor[i].push(entry);
            }
        }
        (0..n)
            .map(|i| {
                let normals = known.iter().map(|k| basis[*k]).chain(fresh.iter().copied());
                let coefficients: Vec<Id> = along[i].iter().chain(&factor[i]).copied().collect();
                let mut sum = self.filled(&wiener.shape, 0.0);
                for (c, z) in coefficients.into_iter().zip(normals) {
                    sum = self.each(&[sum, c, z], |g, a| {
                        let term = g.op(Op::Mul, &[a[1], a[2]]);
                        g.op(Op::Add, &[a[0], term])
                    });
                }
                sum
            })
            .collect()
    }

    fn each(&mut self, args: &[Id], f: impl FnOnce(&mut crate::math::Graph, &[Id]) -> Id) -> Id {
        self.elementwise_raw(args, f)
    }

    /// The coefficient of an integral along the normal of W, H or K.
    fn along_legendre(&mut self, i: &WienerIntegral, k: usize) -> Id {
        let (dt, s) = (self.g.var(self.dt), self.g.var(i.variable));
        let part = self.g.op(Op::Div, &[s, dt]);
        // Legendre's polynomials of s/h, with norm one on (0, h) up to the factor h^(-1/2): 1, 1 - 2 r, 1 - 6 r + 6 r^2.
        let (one, two, six) = (self.g.real(1.0), self.g.real(2.0), self.g.real(6.0));
        let shape = match k {
            0 => one,
            1 => {
                let twice = self.g.op(Op::Mul, &[two, part]);
                self.g.op(Op::Sub, &[one, twice])
            }
            _ => {
                let square = self.g.op(Op::Mul, &[part, part]);
                let bend = self.g.op(Op::Sub, &[square, part]);
                let bend = self.g.op(Op::Mul, &[six, bend]);
                self.g.op(Op::Add, &[one, bend])
            }
        };
        let norm = self.g.real([1.0, 3f64.sqrt(), 5f64.sqrt()][k]);
        let root = self.g.op(Op::Sqrt, &[dt]);
        let scale = self.g.op(Op::Div, &[norm, root]);
        let shape = self.g.op(Op::Mul, &[scale, shape]);
        self.integrated(&[i.integrand, shape], i.variable, i.from, i.to)
    }

    /// The covariance of two integrals: that of the product over what their intervals have in common.
    fn covariance(&mut self, i: &WienerIntegral, j: &WienerIntegral) -> Id {
        let s = self.g.var(i.variable);
        let second = self.g.substitute_vars(&[j.integrand], &[(j.variable, s)])[0];
        let ends = [i.from, j.from, i.to, j.to];
        let ends = crate::math::clean(&mut self.g, &ends).map_or(ends.to_vec(), |e| e);
        let zero = |s: &Self, id: Id| matches!(s.g.node(id), Node::Real(bits) if f64::from_bits(*bits) == 0.0);
        let dt = self.g.var(self.dt);
        let from = match (ends[0], ends[1]) {
            (a, b) if a == b || zero(self, b) => a,
            (a, b) if zero(self, a) => b,
            (a, b) => self.g.op(Op::Max, &[a, b]),
        };
        let to = match (ends[2], ends[3]) {
            (a, b) if a == b || b == dt => a,
            (a, b) if a == dt => b,
            (a, b) => self.g.op(Op::Min, &[a, b]),
        };
        let one_interval = ends[0] == ends[1] && ends[2] == ends[3];
        let to = if one_interval { to } else { self.g.op(Op::Max, &[from, to]) };
        self.integrated(&[i.integrand, second], i.variable, from, to)
    }
}

/// `c0, c1, c2` of a polynomial of degree two.
fn coefficients(s: &mut Elab<'_>, terms: &[Term]) -> Option<[Id; 3]> {
    let zero = s.g.real(0.0);
    let mut c = [zero; 3];
    for t in terms {
        if t.exponent.is_some() || t.power > 2 {
            return None;
        }
        let at = &mut c[t.power as usize];
        *at = s.g.op(Op::Add, &[*at, t.coef]);
    }
    Some(c)
}
