//! A figure as plain data: panels with axes and layers.

/// A figure of one or several panels, with a title above and a caption below.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figure {
    pub title: String,
    /// what is shown, and what was left out
    pub caption: String,
    /// in rows, from the top left
    pub panels: Vec<Panel>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    /// above the panel; empty where there is one panel
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    /// drawn in order
    pub layers: Vec<Layer>,
    /// a unit is as long on both axes
    pub equal: bool,
    /// what the colours of a heat map mean, for a bar beside the panel
    pub colours: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    pub label: String,
    pub scale: Scale,
    /// the ends; those of the layers with a margin where they are not given. The first may be the larger: the axis is turned
    pub range: Option<(f64, f64)>,
}

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    #[default]
    Linear,
    /// of whole numbers: linear, with ticks at these alone
    Index,
    Log,
}

/// Something drawn, with its name in the legend.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    pub name: Option<String>,
    pub ink: Ink,
    pub mark: Mark,
}

/// What a layer is drawn with.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Ink {
    /// a colour of the palette
    Series(usize),
    /// the same, thin and see-through: one of many
    Faint(usize),
    /// dashed, in the colour of the text
    Reference,
    /// white, over a heat map
    Over,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// a curve; it breaks where a number is not finite
    Line(Vec<(f64, f64)>),
    /// between two curves: x, lower and upper y
    Band(Vec<(f64, f64, f64)>),
    Dots(Vec<(f64, f64)>),
    /// points on a line, with standard errors in y
    Estimates(Vec<(f64, f64, f64)>),
    /// bars from zero: edges, one more than heights
    Bars {
        edges: Vec<f64>,
        heights: Vec<f64>,
    },
    /// point masses: lines from zero, with their heights
    Stems(Vec<(f64, f64)>),
    /// cells of equal size over a rectangle
    Heat(Heat),
    /// lines of equal height; each is drawn apart
    Contours(Vec<Vec<(f64, f64)>>),
}

/// A heat map: `values[row * columns + column]`, the first row at the lower end of y.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heat {
    pub x: (f64, f64),
    pub y: (f64, f64),
    pub columns: usize,
    pub values: Vec<f64>,
    /// ends of the colours; those of the values where they are not given
    pub range: Option<(f64, f64)>,
}

impl Heat {
    /// The ends of the colours.
    pub fn ends(&self) -> (f64, f64) {
        let finite = || self.values.iter().copied().filter(|v| v.is_finite());
        let (low, high) =
            self.range.unwrap_or((finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max)));
        if low < high { (low, high) } else { (low - 0.5, low + 0.5) }
    }

    pub fn rows(&self) -> usize {
        self.values.len() / self.columns.max(1)
    }
}

impl Axis {
    pub fn new(label: impl Into<String>) -> Axis {
        Axis { label: label.into(), ..Axis::default() }
    }

    pub fn index(label: impl Into<String>) -> Axis {
        Axis { label: label.into(), scale: Scale::Index, range: None }
    }

    pub fn log(label: impl Into<String>) -> Axis {
        Axis { label: label.into(), scale: Scale::Log, range: None }
    }
}

impl Layer {
    pub fn new(ink: Ink, mark: Mark) -> Layer {
        Layer { name: None, ink, mark }
    }

    pub fn named(mut self, name: impl Into<String>) -> Layer {
        self.name = Some(name.into());
        self
    }
}

impl Mark {
    /// The least and the largest coordinates, of `x` or of `y`; those that a scale cannot show are left out.
    pub fn extent(&self, of_x: bool, scale: Scale) -> Option<(f64, f64)> {
        let mut values: Vec<f64> = Vec::new();
        match self {
            Mark::Line(points) | Mark::Dots(points) => {
                values.extend(points.iter().map(|p| if of_x { p.0 } else { p.1 }))
            }
            Mark::Contours(lines) => values.extend(lines.iter().flatten().map(|p| if of_x { p.0 } else { p.1 })),
            Mark::Band(points) if of_x => values.extend(points.iter().map(|p| p.0)),
            Mark::Band(points) => values.extend(points.iter().flat_map(|p| [p.1, p.2])),
            Mark::Estimates(points) if of_x => values.extend(points.iter().map(|p| p.0)),
            Mark::Estimates(points) => values.extend(points.iter().flat_map(|p| {
                let se = if p.2.is_finite() { p.2 } else { 0.0 };
                [p.1, p.1 - se, p.1 + se]
            })),
            Mark::Stems(points) if of_x => values.extend(points.iter().map(|p| p.0)),
            Mark::Stems(points) => values.extend(points.iter().map(|p| p.1).chain([0.0])),
            Mark::Bars { edges, .. } if of_x => values.extend(edges),
            Mark::Bars { heights, .. } => values.extend(heights.iter().chain([&0.0])),
            Mark::Heat(heat) => values.extend(if of_x { [heat.x.0, heat.x.1] } else { [heat.y.0, heat.y.1] }),
        }
        let shown = |v: &f64| v.is_finite() && (scale != Scale::Log || *v > 0.0);
        values.into_iter().filter(shown).fold(None, |ends, v| match ends {
            None => Some((v, v)),
            Some((low, high)) => Some((low.min(v), high.max(v))),
        })
    }
}

impl Mark {
    /// The share of an axis that is left free beside it: signs, bars, and curves that do not just go to the right would stick to
    /// the sides of a panel.
    fn margin(&self) -> f64 {
        match self {
            Mark::Estimates(_) | Mark::Dots(_) | Mark::Stems(_) => 0.05,
            Mark::Line(points) if points.windows(2).any(|w| w[1].0 < w[0].0) => 0.05,
            Mark::Bars { .. } => 0.02,
            _ => 0.0,
        }
    }
}

impl Panel {
    /// The ends of both axes: those given, else those of the layers, with a margin where they are of points and lines.
    pub fn ranges(&self) -> [(f64, f64); 2] {
        let filled = self.layers.iter().any(|l| matches!(l.mark, Mark::Heat(_)));
        [(true, &self.x), (false, &self.y)].map(|(of_x, axis)| {
            if let Some(range) = axis.range {
                return range;
            }
            let ends = self.layers.iter().filter_map(|l| l.mark.extent(of_x, axis.scale));
            let ends = ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
            let standing = |l: &Layer| match &l.mark {
                Mark::Bars { .. } | Mark::Stems(_) => true,
                Mark::Band(points) => points.iter().all(|p| p.1 == 0.0),
                _ => false,
            };
            let floor = !of_x && self.layers.iter().any(standing) && ends.is_some_and(|e| e.0 >= 0.0);
            let margin = if of_x { self.layers.iter().map(|l| l.mark.margin()).fold(0.0, f64::max) } else { 0.05 };
            match ends {
                None if axis.scale == Scale::Log => (1.0, 10.0),
                None => (0.0, 1.0),
                Some(ends) if filled => ends,
                Some(ends) => {
                    let (low, high) = axis.scale.widened(ends, margin);
                    if floor { (0.0, high) } else { (low, high) }
                }
            }
        })
    }

    /// Layers that a legend names.
    pub fn legend(&self) -> impl Iterator<Item = (&str, &Layer)> {
        self.layers.iter().filter_map(|l| l.name.as_deref().map(|name| (name, l)))
    }

    /// Whether some layer has a name.
    pub fn is_named(&self) -> bool {
        self.layers.iter().any(|l| l.name.is_some())
    }

    pub fn heat(&self) -> Option<&Heat> {
        self.layers.iter().find_map(|l| match &l.mark {
            Mark::Heat(heat) => Some(heat),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_what_is_drawn() {
        let line = Layer::new(Ink::Series(0), Mark::Line(vec![(0.0, 1.0), (2.0, f64::NAN), (4.0, 3.0)]));
        let mut panel = Panel { layers: vec![line], ..Panel::default() };
        let [x, y] = panel.ranges();
        assert_eq!(x, (0.0, 4.0));
        assert!(y.0 < 1.0 && y.0 > 0.8 && y.1 > 3.0 && y.1 < 3.2, "{y:?}");
        panel.layers.push(Layer::new(Ink::Series(1), Mark::Bars { edges: vec![0.0, 1.0], heights: vec![2.0] }));
        assert_eq!(panel.ranges()[1].0, 0.0, "bars stand on zero");
        panel.y.range = Some((-1.0, 9.0));
        assert_eq!(panel.ranges()[1], (-1.0, 9.0));
    }

    #[test]
    fn curves_that_turn_have_a_margin() {
        let curve = |points: Vec<(f64, f64)>| Panel {
            layers: vec![Layer::new(Ink::Series(0), Mark::Line(points))],
            ..Panel::default()
        };
        assert_eq!(curve(vec![(0.0, 0.0), (1.0, 1.0)]).ranges()[0], (0.0, 1.0));
        let [x, _] = curve(vec![(0.0, 0.0), (1.0, 1.0), (0.5, 0.0)]).ranges();
        assert!(x.0 < -0.04 && x.1 > 1.04, "{x:?}");
    }

    #[test]
    fn a_log_axis_leaves_out_what_it_cannot_show() {
        let line = Mark::Line(vec![(0.0, -1.0), (1.0, 10.0), (2.0, 1000.0)]);
        assert_eq!(line.extent(false, Scale::Log), Some((10.0, 1000.0)));
        assert_eq!(Mark::Line(vec![(0.0, f64::NAN)]).extent(false, Scale::Linear), None);
    }
}
