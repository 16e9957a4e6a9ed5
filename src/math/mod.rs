//! The math graph: the one IR for mathematics, from the typed model to the back ends.

pub mod array;
pub mod derivative;
pub mod eval;
pub mod expand;
pub mod affine;
pub mod graph;
pub mod ops;
pub mod simplify;

pub use graph::{Base, DataId, FRESH, Graph, Id, IndexVar, Node, Rate, Sampler, Shape, VarId, VarInfo, VarKind};
pub use expand::{NotDifferentiable, clean};
pub use ops::{Dense, Op, Red, Ty};
