//! The one font of figures: a subset of DejaVu Sans, inside the binary, so that a figure is the same on every machine.

use std::sync::{Arc, LazyLock};

use resvg::usvg::{Options, Tree, fontdb};

/// Families for a viewer of an SVG file; the second has the widths of the first.
pub const FAMILIES: &str = "'DejaVu Sans', Verdana, sans-serif";

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(include_bytes!("font/DejaVuSans-subset.ttf").to_vec());
    fonts.set_sans_serif_family("DejaVu Sans");
    Arc::new(fonts)
});

/// An SVG text read, with the font of figures. Errors: not SVG.
pub fn tree(svg: &str) -> Result<Tree, String> {
    let options = Options { fontdb: FONTS.clone(), font_family: "DejaVu Sans".into(), ..Options::default() };
    Tree::from_str(svg, &options).map_err(|e| e.to_string())
}

/// The width of a line of text.
pub fn width(text: &str, size: f64) -> f64 {
    let text = super::svg::escaped(text);
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><text xml:space=\"preserve\" font-family=\"DejaVu Sans\" font-size=\"100\">{text}</text></svg>"
    );
    let found = tree(&svg).ok().and_then(|t| t.root().children().first().map(|n| f64::from(n.bounding_box().width())));
    found.unwrap_or(0.0) * size / 100.0
}

/// A text cut into lines that are no wider than `most`.
pub fn lines(text: &str, size: f64, most: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), size) <= most => *line = format!("{line} {word}"),
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        // all digits are 1303/2048 of the size wide, but for the side bearings of the ends
        assert!((width("00000", 10.0) - 5.0 * 6.36).abs() < 1.5);
        assert!(width("iii", 10.0) < width("mmm", 10.0));
        assert!(width("σ²·10⁻³ − ±", 10.0) > 50.0);
        assert_eq!(width("", 10.0), 0.0);
    }

    #[test]
    fn lines_are_cut_between_words() {
        let cut = lines("one two three four", 10.0, 60.0);
        assert!(cut.len() > 1 && cut.iter().all(|l| width(l, 10.0) <= 60.0), "{cut:?}");
        assert_eq!(cut.join(" "), "one two three four");
    }
}
