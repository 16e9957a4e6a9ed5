//! What each operation does to a number: the meaning that every back end reproduces bit for bit (the sign and payload
//! of NaN excepted).

use crate::kernels::lane::Lane;

use super::program::{Binary, Fused, Logic, Relation, Unary};

impl Unary {
    pub fn apply<T: Lane>(self, a: T) -> T {
        match self {
            Unary::Neg => -a,
            Unary::Abs => a.abs(),
            Unary::Floor => a.floor(),
            Unary::Ceil => a.ceil(),
            Unary::Sqrt => a.sqrt(),
        }
    }
}

impl Binary {
    pub fn apply<T: Lane>(self, a: T, b: T) -> T {
        match self {
            Binary::Add => a + b,
            Binary::Sub => a - b,
            Binary::Mul => a * b,
            Binary::Div => a / b,
            Binary::Min if a < b || a.is_nan() => a,
            Binary::Max if a > b || a.is_nan() => a,
            Binary::Min | Binary::Max => b,
        }
    }
}

impl Fused {
    pub fn apply<T: Lane>(self, a: T, b: T, c: T) -> T {
        match self {
            Fused::MulAdd => a.mul_add(b, c),
            Fused::MulSub => a.mul_add(b, -c),
            Fused::NegMulAdd => (-a).mul_add(b, c),
            Fused::NegMulSub => (-a).mul_add(b, -c),
        }
    }
}

impl Relation {
    pub fn apply<T: Lane>(self, a: T, b: T) -> bool {
        match self {
            Relation::Lt => a < b,
            Relation::Le => a <= b,
            Relation::Eq => a == b,
            Relation::Ne => a != b,
        }
    }
}

impl Logic {
    pub fn apply(self, a: bool, b: bool) -> bool {
        match self {
            Logic::And => a && b,
            Logic::Or => a || b,
            Logic::AndNot => a && !b,
        }
    }
}

/// The row offset that a lane's `at` selects: brought into `0..len` (NaN is 0), fractions cut.
pub fn gather_offset<T: Lane>(at: T, len: usize) -> usize {
    let at = at.wide();
    if at > 0.0 { (at as usize).min(len - 1) } else { 0 }
}
