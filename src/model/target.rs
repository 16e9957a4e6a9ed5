//! Targets: laws given by an unnormalised log density.

use std::cell::RefCell;
use std::rc::Rc;

use crate::diagnostics::codes;
use crate::math::{Id, IndexVar, VarId};
use crate::model::distributions::Distribution;
use crate::model::elab::{Elab, Reported, Try};
use crate::model::indexing::Axis;
use crate::model::value::{BoundArg, Value};
use crate::source::Span;

/// A law over a variable of a fixed shape.
#[derive(Debug)]
pub struct Target {
    pub name: String,
    /// shape of the variable; a scalar law used on an array is applied to every element
    pub shape: Vec<usize>,
    pub kind: TargetKind,
    pub span: Span,
    /// the log density as a function of a hole, once it is worked out
    pub(super) cache: RefCell<Option<(VarId, Id)>>,
}

#[derive(Debug)]
pub enum TargetKind {
    /// a row of the table of distributions; parameters are scalars or arrays of the target's shape
    Scalar {
        law: &'static Distribution,
        params: Vec<Id>,
    },
    Vector {
        law: &'static Distribution,
        params: Vec<Id>,
    },
    /// a `target` declaration
    Density {
        var: VarId,
        log_density: Id,
        pieces: Option<Vec<Piece>>,
        /// where all is written with `~` but for a component: `x[2]`
        uncovered: Option<String>,
    },
    Mixture {
        weights: Id,
        parts: Parts,
    },
    Product {
        part: Rc<Target>,
    },
    /// independent rows, each with parameters of its own: those of `body` at `index`
    Rows {
        index: IndexVar,
        body: Rc<Target>,
    },
    /// log density times a number
    Temper {
        part: Rc<Target>,
        power: Id,
    },
    /// log density plus a function
    Tilt {
        part: Rc<Target>,
        tilt: Value,
        span: Span,
    },
    Shift {
        part: Rc<Target>,
        by: Id,
    },
    Scale {
        part: Rc<Target>,
        by: Id,
    },
}

/// A piece of a generative density: `var[axes] ~ law`, whose parameters may use the pieces before.
#[derive(Debug)]
pub struct Piece {
    pub axes: Vec<Axis>,
    pub law: Rc<Target>,
}

/// Components of a mixture.
#[derive(Debug)]
pub enum Parts {
    List(Vec<Rc<Target>>),
    Family { index: IndexVar, body: Rc<Target> },
}

impl Target {
    pub fn new(name: impl Into<String>, shape: Vec<usize>, kind: TargetKind, span: Span) -> Target {
        Target { name: name.into(), shape, kind, span, cache: RefCell::default() }
    }

    pub fn unit_uniform(elab: &mut Elab<'_>, span: Span) -> Try<Target> {
        let law = crate::model::distributions::lookup("uniform").expect("a row of the table");
        let params = vec![elab.g.real(0.0), elab.g.real(1.0)];
        Ok(Target::new("uniform", vec![], TargetKind::Scalar { law, params }, span))
    }

    /// Whether exact draws are possible.
    pub fn drawable(&self) -> bool {
        match &self.kind {
            TargetKind::Scalar { .. } | TargetKind::Vector { .. } => true,
            TargetKind::Density { pieces, .. } => pieces.as_ref().is_some_and(|p| p.iter().all(|p| p.law.drawable())),
            TargetKind::Mixture { parts: Parts::List(parts), .. } => parts.iter().all(|p| p.drawable()),
            TargetKind::Mixture { parts: Parts::Family { body, .. }, .. } | TargetKind::Rows { body, .. } => {
                body.drawable()
            }
            TargetKind::Product { part } | TargetKind::Shift { part, .. } | TargetKind::Scale { part, .. } => {
                part.drawable()
            }
            TargetKind::Temper { .. } | TargetKind::Tilt { .. } => false,
        }
    }
}

impl Elab<'_> {
    /// A target among the arguments of a composition.
    pub fn target_arg(&mut self, arg: &BoundArg) -> Try<Rc<Target>> {
        match &arg.value {
            Value::Target(t) => Ok(t.clone()),
            other => {
                let message = format!("a target is wanted here, and this is {}", other.kind());
                let _: Try<()> = self.error(codes::TYPE_MISMATCH, message, arg.span, "not a target");
                Err(Reported)
            }
        }
    }
}
