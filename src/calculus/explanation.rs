//! What there is to tell about a model, in sections, and its two renderings.

use super::formula::Equation;
use super::{latex, mathml, pretty};

#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    pub title: String,
    pub sections: Vec<Section>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    pub title: String,
    pub lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    Text(String),
    Equation(Equation),
    /// the definition of a part that the equations above name
    Where(Equation),
}

impl Section {
    pub fn new(title: impl Into<String>) -> Section {
        Section { title: title.into(), lines: Vec::new() }
    }

    pub fn text(&mut self, line: impl Into<String>) {
        self.lines.push(Line::Text(line.into()));
    }

    pub fn equation(&mut self, equation: Equation) {
        self.lines.push(Line::Equation(equation));
    }
}

impl Explanation {
    pub fn text(&self) -> String {
        let mut out = format!("{}\n", self.title);
        for section in &self.sections {
            out += &format!("\n{}\n", section.title);
            for line in &section.lines {
                out += &match line {
                    Line::Text(text) => format!("  {text}\n"),
                    Line::Equation(e) => format!("  {}\n", pretty::equation(e)),
                    Line::Where(e) => format!("  where {}\n", pretty::equation(e)),
                };
            }
        }
        out
    }

    /// A fragment of an HTML page, with equations as MathML.
    pub fn html(&self) -> String {
        let mut out = format!("<details open><summary>{}</summary>\n", html_text(&self.title));
        for section in &self.sections {
            out += &format!("<section><h4>{}</h4>\n", html_text(&section.title));
            for lines in section.lines.chunk_by(|a, b| matches!((a, b), (Line::Text(_), Line::Text(_)))) {
                out += &match &lines[0] {
                    Line::Text(_) => findings(lines),
                    Line::Equation(e) => format!("<div class=\"equation\">{}</div>\n", mathml::equation(e)),
                    Line::Where(e) => {
                        format!("<div class=\"equation\"><span>where</span> {}</div>\n", mathml::equation(e))
                    }
                };
            }
            out += "</section>\n";
        }
        out + "</details>\n"
    }

    /// A fragment of a LaTeX document (amsmath).
    pub fn latex(&self) -> String {
        let mut out = format!("\\section*{{{}}}\n", escaped(&self.title));
        for section in &self.sections {
            out += &format!("\n\\subsection*{{{}}}\n", escaped(&section.title));
            for line in &section.lines {
                out += &match line {
                    Line::Text(text) => format!("{}\n\n", escaped(text)),
                    Line::Equation(e) => format!("\\[ {} \\]\n", latex::equation(e)),
                    Line::Where(e) => format!("where\n\\[ {} \\]\n", latex::equation(e)),
                };
            }
        }
        out
    }
}

/// Lines of text as a paragraph or a list; those that say `also` are one.
fn findings(lines: &[Line]) -> String {
    let mut items: Vec<String> = Vec::new();
    for line in lines {
        let Line::Text(text) = line else { continue };
        match (items.last_mut(), text.strip_prefix("also ")) {
            (Some(last), Some(more)) if last.starts_with("also ") => *last += &format!(", {}", html_text(more)),
            _ => items.push(html_text(text)),
        }
    }
    match &items[..] {
        [one] => format!("<p>{one}</p>\n"),
        many => format!("<ul>\n{}</ul>\n", many.iter().map(|i| format!("<li>{i}</li>\n")).collect::<String>()),
    }
}

/// Text with the signs that HTML reads as its own made literal.
pub fn html_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Text with the signs that LaTeX reads as commands made literal.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '_' | '&' | '%' | '#' | '$' | '{' | '}' => out.extend(['\\', c]),
            '^' => out += "\\textasciicircum{}",
            '~' => out += "\\textasciitilde{}",
            '\\' => out += "\\textbackslash{}",
            '<' => out += "\\textless{}",
            '>' => out += "\\textgreater{}",
            '∘' => out += "$\\circ$",
            '∂' => out += "$\\partial$",
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_a_list_in_html() {
        let mut section = Section::new("Noise");
        for line in ["additive", "also scalar", "also diagonal", "not a < b"] {
            section.text(line);
        }
        let html = Explanation { title: "m".into(), sections: vec![section] }.html();
        assert!(
            html.contains("<ul>\n<li>additive</li>\n<li>also scalar, diagonal</li>\n<li>not a &lt; b</li>\n</ul>"),
            "{html}"
        );
        let mut one = Section::new("Drift");
        one.text("linear");
        assert!(Explanation { title: "m".into(), sections: vec![one] }.html().contains("<p>linear</p>"));
    }
}
