//! Figures as PNG: their SVG, painted.

use resvg::tiny_skia::{Pixmap, Transform};

use super::font;

/// Pixels a point.
const ZOOM: f32 = 2.0;

/// An SVG text as the bytes of a PNG file. Errors: not SVG, or without a size.
pub fn paint(svg: &str) -> Result<Vec<u8>, String> {
    let tree = font::tree(svg)?;
    let size = tree.size();
    let (w, h) = ((size.width() * ZOOM).ceil() as u32, (size.height() * ZOOM).ceil() as u32);
    let mut pixels = Pixmap::new(w, h).ok_or("a picture without a size")?;
    resvg::render(&tree, Transform::from_scale(ZOOM, ZOOM), &mut pixels.as_mut());
    pixels.encode_png().map_err(|e| e.to_string())
}
