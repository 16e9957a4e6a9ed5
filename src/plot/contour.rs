//! Lines of equal height of a function on a grid, by marching squares; and the heights that hold shares of a density.

use std::collections::HashMap;

/// Values at the points of a grid: `values[row * columns + column]` at `(x[column], y[row])`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grid {
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    pub values: Vec<f64>,
}

/// An edge of a cell: from a point of the grid to the right, or up.
type Edge = (usize, usize, bool);

/// The lines on which the values are `level`, through points on the edges of cells. Cells with a value that is not finite
/// have none.
pub fn lines(grid: &Grid, level: f64) -> Vec<Vec<(f64, f64)>> {
    let mut next: HashMap<Edge, Vec<Edge>> = HashMap::new();
    for row in 0..grid.y.len().saturating_sub(1) {
        for column in 0..grid.x.len().saturating_sub(1) {
            for (a, b) in segments(grid, level, row, column) {
                next.entry(a).or_default().push(b);
                next.entry(b).or_default().push(a);
            }
        }
    }
    let mut edges: Vec<Edge> = next.keys().copied().collect();
    // open lines are followed from an end, the rest from anywhere
    edges.sort_unstable_by_key(|e| (next[e].len(), *e));
    let mut found = Vec::new();
    for begin in edges {
        while let Some(line) = follow(&mut next, begin) {
            found.push(line.into_iter().map(|e| crossing(grid, level, e)).collect());
        }
    }
    found
}

/// Takes the segments of one line out, from an edge on.
fn follow(next: &mut HashMap<Edge, Vec<Edge>>, begin: Edge) -> Option<Vec<Edge>> {
    let mut line = vec![begin];
    let mut at = begin;
    while let Some(to) = next.get_mut(&at).and_then(Vec::pop) {
        if let Some(back) = next.get_mut(&to) {
            back.iter().position(|e| *e == at).map(|k| back.swap_remove(k));
        }
        line.push(to);
        at = to;
    }
    (line.len() > 1).then_some(line)
}

fn value(grid: &Grid, row: usize, column: usize) -> f64 {
    grid.values[row * grid.x.len() + column]
}

/// The pieces of lines inside a cell, between its edges.
fn segments(grid: &Grid, level: f64, row: usize, column: usize) -> Vec<(Edge, Edge)> {
    let corners = [(0, 0), (0, 1), (1, 1), (1, 0)].map(|(r, c)| value(grid, row + r, column + c));
    if corners.iter().any(|v| !v.is_finite()) {
        return Vec::new();
    }
    let above = corners.map(|v| v >= level);
    let edges: [Edge; 4] =
        [(row, column, true), (row, column + 1, false), (row + 1, column, true), (row, column, false)];
    let crossed: Vec<usize> = (0..4).filter(|k| above[*k] != above[(k + 1) % 4]).collect();
    match crossed.as_slice() {
        [a, b] => vec![(edges[*a], edges[*b])],
        // a saddle: the middle tells which corners belong together
        [_, _, _, _] => {
            let middle = corners.iter().sum::<f64>() / 4.0 >= level;
            if middle == above[0] {
                vec![(edges[0], edges[1]), (edges[2], edges[3])]
            } else {
                vec![(edges[3], edges[0]), (edges[1], edges[2])]
            }
        }
        _ => Vec::new(),
    }
}

/// Where a level is crossed on an edge.
fn crossing(grid: &Grid, level: f64, (row, column, right): Edge) -> (f64, f64) {
    let (r, c) = if right { (row, column + 1) } else { (row + 1, column) };
    let (a, b) = (value(grid, row, column), value(grid, r, c));
    let share = if a == b { 0.5 } else { (level - a) / (b - a) };
    let between = |from: f64, to: f64| from + share * (to - from);
    (between(grid.x[column], grid.x[c]), between(grid.y[row], grid.y[r]))
}

/// The heights of a density (its values on an even grid) above which the given shares of it lie, within the grid.
pub fn levels(density: &[f64], shares: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = density.iter().copied().filter(|v| v.is_finite() && *v > 0.0).collect();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    let total: f64 = sorted.iter().sum();
    let level = |share: &f64| {
        let mut sum = 0.0;
        sorted.iter().copied().find(|v| {
            sum += v;
            sum >= share * total
        })
    };
    let mut found: Vec<f64> = shares.iter().filter_map(level).collect();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bump(n: usize) -> Grid {
        let axis: Vec<f64> = (0..n).map(|k| -3.0 + 6.0 * k as f64 / (n - 1) as f64).collect();
        let values = axis.iter().flat_map(|y| axis.iter().map(move |x| (-0.5 * (x * x + y * y)).exp())).collect();
        Grid { x: axis.clone(), y: axis, values }
    }

    #[test]
    fn the_contour_of_a_round_bump_is_a_circle() {
        let found = lines(&bump(121), (-0.5f64).exp());
        assert_eq!(found.len(), 1, "one closed line");
        assert_eq!(found[0].first(), found[0].last());
        assert!(found[0].iter().all(|(x, y)| (x.hypot(*y) - 1.0).abs() < 1e-3));
    }

    #[test]
    fn levels_hold_their_shares() {
        // of a round normal, the share 1 - exp(-r^2/2) lies within r
        let grid = bump(241);
        for (share, level) in [0.5, 0.9].iter().zip(levels(&grid.values, &[0.5, 0.9])) {
            let wanted = 1.0 - share;
            assert!((level - wanted).abs() < 0.02, "{share}: {level}");
        }
    }

    #[test]
    fn a_saddle_is_parted_and_gaps_are_left_out() {
        let grid = Grid { x: vec![0.0, 1.0], y: vec![0.0, 1.0], values: vec![1.0, 0.0, 0.0, 1.0] };
        assert_eq!(lines(&grid, 0.6).len(), 2);
        let gap = Grid { values: vec![1.0, f64::NAN, 0.0, 1.0], ..grid };
        assert!(lines(&gap, 0.5).is_empty());
    }
}
