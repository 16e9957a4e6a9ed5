//! Colours and sizes of figures. The palette is that of M. Okabe and K. Ito (2008), which people with any of the usual
//! kinds of colour blindness can tell apart.

/// The colours of a figure, as SVG takes them, and its sizes in points.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Theme {
    pub background: &'static str,
    /// text, axes and references
    pub ink: &'static str,
    /// ticks and captions
    pub faint: &'static str,
    pub grid: &'static str,
    pub series: [&'static str; 7],
    pub text_size: f64,
}

/// Black on white, for paper.
pub const LIGHT: Theme = Theme {
    background: "#ffffff",
    ink: "#1a1a1a",
    faint: "#595959",
    grid: "#e4e4e4",
    series: ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c7a00"],
    text_size: 13.0,
};

pub const DARK: Theme = Theme {
    background: "#16181d",
    ink: "#eceff4",
    faint: "#a9b1bd",
    grid: "#2d323b",
    series: ["#56b4e9", "#e69f00", "#2bc49a", "#e39ac4", "#f07f2e", "#7fa8ff", "#f0e442"],
    text_size: 13.0,
};

/// For a page that sets the colours itself, light or dark, by `properties`.
pub const PAGE: Theme = Theme {
    background: "none",
    ink: "var(--ink)",
    faint: "var(--faint)",
    grid: "var(--grid)",
    series: [
        "var(--series-0)",
        "var(--series-1)",
        "var(--series-2)",
        "var(--series-3)",
        "var(--series-4)",
        "var(--series-5)",
        "var(--series-6)",
    ],
    text_size: 13.0,
};

impl Theme {
    /// The theme of a name: `light` or `dark`.
    pub fn by_name(name: &str) -> Option<&'static Theme> {
        match name {
            "light" => Some(&LIGHT),
            "dark" => Some(&DARK),
            _ => None,
        }
    }

    pub fn series(&self, k: usize) -> &'static str {
        self.series[k % self.series.len()]
    }

    /// The colours as the properties of a style sheet that [`PAGE`] refers to.
    pub fn properties(&self) -> String {
        let series = self.series.iter().enumerate().map(|(k, c)| format!("--series-{k}: {c};")).collect::<Vec<_>>();
        format!(
            "--background: {}; --ink: {}; --faint: {}; --grid: {}; {}",
            self.background,
            self.ink,
            self.faint,
            self.grid,
            series.join(" ")
        )
    }
}
