//! Integer index expressions: affine combinations with bounds.
