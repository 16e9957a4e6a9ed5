//! Matrices by colours; vectors against time.

use crate::plot::figure::Heat;
use crate::plot::{Axis, Figure, Ink, Layer, Mark, Panel};
use crate::session::figures::curves::sentence;
use crate::session::figures::gather::Gathered;
use crate::session::figures::parts::{first_of, label, when};
use crate::session::figures::plane::alike;

/// Cells of a side of an image, beyond which they are averaged.
const PIXELS: usize = 160;

/// Matrices as colours; a vector against time.
pub(super) fn images(g: &Gathered) -> Vec<Figure> {
    let shape = g.facts.shapes.first().cloned().unwrap_or_default();
    if let Some(value) = g.values.first() {
        let image = image(g, &value.values, shape[0], shape[1], None);
        return vec![Figure { title: when(g, 0), panels: vec![image], ..Figure::default() }];
    }
    let (looks, rows) = (g.record.looks, g.record.rows);
    let caption = sentence(&first_of(g));
    if let [n] = shape[..] {
        // index upwards, time to the right
        let values: Vec<f64> =
            (0..n).flat_map(|i| (0..looks).map(move |l| (l, i))).map(|(l, i)| g.record.values[l * rows + i]).collect();
        let mut panel = image(g, &values, n, looks, None);
        panel.equal = false;
        let time = g.times.first().zip(g.times.last()).map_or((0.0, 1.0), |(a, b)| (*a, *b));
        for layer in &mut panel.layers {
            if let Mark::Heat(heat) = &mut layer.mark {
                (heat.x, heat.y) = (time, (-0.5, n as f64 - 0.5));
            }
        }
        panel.x = Axis::new("t");
        panel.y = Axis::index("index");
        return vec![Figure { caption, panels: vec![panel], ..Figure::default() }];
    }
    let finite = || g.record.values.iter().copied().filter(|v| v.is_finite());
    let range = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    let figure = |look: usize| {
        let values = &g.record.values[look * rows..(look + 1) * rows];
        let panel = image(g, values, shape[0], shape[1], g.facts.animated.then_some(range));
        Figure { title: when(g, look), caption: caption.clone(), panels: vec![panel] }
    };
    (0..if g.record.paths.is_empty() { 0 } else { looks }).map(figure).collect()
}

/// A matrix as it is written: the first index downwards.
fn image(g: &Gathered, values: &[f64], rows: usize, columns: usize, range: Option<(f64, f64)>) -> Panel {
    let (values, small_rows, small_columns) = averaged(values, rows, columns);
    // a cell is around its index
    let ends = |n: usize| (-0.5, n as f64 - 0.5);
    let heat = Heat { x: ends(columns), y: ends(rows), columns: small_columns, values, range };
    debug_assert_eq!(heat.rows(), small_rows);
    Panel {
        x: Axis::index("second index"),
        y: Axis { range: Some((rows as f64 - 0.5, -0.5)), ..Axis::index("first index") },
        layers: vec![Layer::new(Ink::Series(0), Mark::Heat(heat))],
        equal: alike([ends(columns), ends(rows)]),
        colours: Some(label(g, 0).to_string()),
        ..Panel::default()
    }
}

/// A matrix that is no larger than can be seen: cells of a large one are averages.
fn averaged(values: &[f64], rows: usize, columns: usize) -> (Vec<f64>, usize, usize) {
    let (by_row, by_column) = (rows.div_ceil(PIXELS).max(1), columns.div_ceil(PIXELS).max(1));
    let (r, c) = (rows.div_ceil(by_row), columns.div_ceil(by_column));
    let mean = |i: usize, j: usize| {
        let of = |i0: usize, n: usize, by: usize| (i0 * by..((i0 + 1) * by).min(n)).collect::<Vec<usize>>();
        let (is, js) = (of(i, rows, by_row), of(j, columns, by_column));
        let sum: f64 = is.iter().flat_map(|a| js.iter().map(move |b| values[a * columns + b])).sum();
        sum / (is.len() * js.len()) as f64
    };
    ((0..r).flat_map(|i| (0..c).map(move |j| (i, j))).map(|(i, j)| mean(i, j)).collect(), r, c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_images_are_averaged() {
        let values: Vec<f64> = (0..320 * 2).map(|k| f64::from(k / 2 % 2)).collect();
        let (small, rows, columns) = averaged(&values, 320, 2);
        assert_eq!((rows, columns), (160, 2));
        assert!(small.iter().all(|v| *v == 0.5));
        assert_eq!(averaged(&[1.0, 2.0, 3.0, 4.0], 2, 2).0, [1.0, 2.0, 3.0, 4.0]);
    }
}
