//! Compositions of targets and operators on processes, by name.

use std::rc::Rc;

use crate::diagnostics::codes;
use crate::math::Id;
use crate::model::elab::{Elab, Try, shape_text};
use crate::model::target::{Parts, Target, TargetKind};
use crate::model::value::{BoundArg, Value};
use crate::source::Span;

/// A row: a name, what it gives, and whether this version works it out.
pub struct Operator {
    pub name: &'static str,
    pub signature: &'static str,
    pub doc: &'static str,
    pub supported: bool,
}

const fn row(name: &'static str, signature: &'static str, doc: &'static str, supported: bool) -> Operator {
    Operator { name, signature, doc, supported }
}

/// All compositions and operators of the language.
pub const TABLE: &[Operator] = &[
    row("mixture", "mixture(weights: real[k], parts: target[k]) -> target", "The weighted mixture of targets.", true),
    row("product", "product(p: target, n: int) -> target", "n independent copies on a new first axis.", true),
    row("temper", "temper(p: target, beta) -> target", "The law whose log density is beta times that of p.", true),
    row("tilt", "tilt(p: target, f) -> target", "The law whose log density is that of p plus f(x).", true),
    row("shift", "shift(p: target, m) -> target", "The law of x + m for x of law p.", true),
    row("scale", "scale(p: target, s) -> target", "The law of s*x for x of law p.", true),
    row(
        "empirical",
        "empirical(X: real[n, d], bandwidth) -> target",
        "Normals of one bandwidth around the rows of X.",
        true,
    ),
    row("condition", "condition(p, x[1] == y) -> target", "A law given the value of a part.", false),
    row(
        "minibatch",
        "minibatch(p: target, m: int) -> target",
        "The law with its data terms subsampled at every step.",
        false,
    ),
    row("forward", "forward(m: model, p: target) -> model", "m with its first state started from p.", false),
    row("marginal", "marginal(m: model, t) -> target", "The joint law at t of the states that flow.", false),
    row("posterior", "posterior(m: model, t, x) -> target", "The law of the start given the state at t.", false),
    row("reverse", "reverse(m: model, eta = 1) -> model", "The time reversal of a process.", false),
    row("flow", "flow(m: model) -> model", "The ODE with the marginals of m.", false),
    row("bridge", "bridge(m: model, y, T) -> model", "m pinned to y at T.", false),
    row("control", "control(m: model, u) -> model", "m with the noise shifted by u(t, x) dt, weighted.", false),
    row("generator", "generator(m: model, e)", "The generator of m applied to e.", false),
    row("fokker_planck", "fokker_planck(m: model, rho)", "The right side of the Fokker-Planck equation.", false),
    row("replicate", "replicate(m: model, n: int) -> model", "n copies on a leading axis.", false),
    row("retime", "retime(m: model, c) -> model", "m with its clock run at the rate c(t, x).", false),
];

pub fn lookup(name: &str) -> Option<&'static Operator> {
    TABLE.iter().find(|o| o.name == name)
}

impl Elab<'_> {
    /// Applies an operator to evaluated arguments.
    pub fn operator(&mut self, op: &'static Operator, args: &[BoundArg], span: Span) -> Try<Value> {
        if !op.supported {
            return self.unsupported(&format!("`{}`", op.name), span);
        }
        match op.name {
            "mixture" => self.mixture(args, span),
            "empirical" => self.empirical(args, span),
            name => self.compose_target(name, args, span),
        }
    }

    /// Equally weighted normals around the rows of a data matrix.
    fn empirical(&mut self, args: &[BoundArg], span: Span) -> Try<Value> {
        let [data, width] = args else {
            return self.error(codes::WRONG_ARITY, "`empirical` takes data and a bandwidth", span, "called here");
        };
        let (x, sd) = (self.real(&data.value, data.span)?, self.scalar(&width.value, width.span)?);
        let shape = self.g.shape(x).to_vec();
        if shape.is_empty() || shape.len() > 2 {
            let message = format!("`empirical` wants data of shape [n] or [n, d], and this has {}", shape_text(&shape));
            return self.error(codes::SHAPE_MISMATCH, message, data.span, "another shape");
        }
        let law = crate::model::distributions::lookup("normal").expect("a row of the table");
        let index = self.g.fresh_index(shape[0]);
        let ki = self.g.index(index);
        let centre: Id = if shape.len() == 1 { self.g.get(x, &[ki]) } else { self.row(x, ki) };
        let body =
            Target::new("normal", shape[1..].to_vec(), TargetKind::Scalar { law, params: vec![centre, sd] }, span);
        let weights = self.filled(&shape[..1], 1.0);
        let kind = TargetKind::Mixture { weights, parts: Parts::Family { index, body: Rc::new(body) } };
        Ok(Value::Target(Rc::new(Target::new("empirical", shape[1..].to_vec(), kind, span))))
    }
}
