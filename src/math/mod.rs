//! The math graph: the one IR for mathematics, from the typed model to the back ends.

pub mod affine;
pub mod array;
pub mod derivative;
pub mod eval;
pub mod expand;
pub mod graph;
pub mod named;
pub mod ops;
pub mod print;
pub mod share;
pub mod simplify;
mod total;
pub mod verify;

pub use expand::{NotDifferentiable, clean, clean_named, differentiable};
pub use graph::{Base, DataId, FRESH, Graph, Id, IndexVar, Node, Rate, Sampler, Shape, VarId, VarInfo, VarKind};
pub use ops::{Dense, Op, Red, Ty};
