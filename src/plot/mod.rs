//! Plots: figures as plain data, drawn as SVG, PNG or in braille. Nothing here knows of runs: `session::figures` makes
//! figures from what a run gathered.

pub mod colour;
pub mod contour;
pub mod figure;
mod font;
mod frame;
mod legend;
mod marks;
pub mod png;
mod scale;
pub mod smooth;
pub mod smooth_plane;
pub mod svg;
pub mod terminal;
pub mod theme;
mod ticks;

pub use figure::{Axis, Figure, Ink, Layer, Mark, Panel, Scale};
