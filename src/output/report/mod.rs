//! A page about the runs of a program: one HTML file that needs nothing else.

mod html;
mod variants;

use super::number::{count, plain};
use super::result::{Check, RunResult};
use html::{code, table, text};

/// What a page tells.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub file: String,
    /// version of the program that made it
    pub fokker: String,
    /// the text of the program
    pub source: String,
    /// properties of the style sheet for the colours: light and dark
    pub colours: [String; 2],
    /// fragments of HTML: the models with their equations
    pub mathematics: Vec<String>,
    pub runs: Vec<Section>,
}

/// A run with all its variants.
#[derive(Clone, Debug, Default)]
pub struct Section {
    pub name: String,
    pub results: Vec<RunResult>,
    /// all settings that were in force
    pub settings: Vec<Setting>,
    /// parameters that no argument fixed
    pub parameters: Vec<Setting>,
    pub notes: Vec<String>,
    pub figures: Vec<Picture>,
    /// as JSON
    pub manifest: String,
}

/// A setting or a parameter with its value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Setting {
    pub name: String,
    pub value: String,
    /// where the value is from, unless it stands in the program: `default`, `--paths`
    pub from: String,
}

/// A figure, or the frames of an animation, as SVG.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    pub frames: Vec<String>,
    /// panels beside each other
    pub columns: usize,
}

const STYLE: &str = include_str!("page.css");

/// Shows one frame of an animation at a time.
const SCRIPT: &str = "for (const a of document.querySelectorAll('.frames')) {
  const frames = a.querySelectorAll('svg'), slider = a.querySelector('input');
  const show = () => frames.forEach((f, k) => f.style.display = k == slider.value ? '' : 'none');
  slider.addEventListener('input', show);
  show();
}";

/// Models whose equations are unfolded without being asked.
const OPEN: usize = 2;

/// The page as HTML.
pub fn html(page: &Page) -> String {
    let title = text(&page.file);
    let [light, dark] = &page.colours;
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n:root {{ color-scheme: light dark; {light} }}\n\
         @media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n{STYLE}</style>\n</head>\n<body>\n<main>\n<header><h1>{title}</h1>\n"
    );
    out += &summary(page);
    out += "</header>\n";
    page.runs.iter().for_each(|run| out += &section(run));
    if !page.mathematics.is_empty() {
        out += "<section id=\"mathematics\"><h2>The models as mathematics</h2>\n<div class=\"models\">\n";
        for (k, model) in page.mathematics.iter().enumerate() {
            let model = if k < OPEN { model.clone() } else { model.replacen("<details open>", "<details>", 1) };
            out += &format!("<article>{model}</article>\n");
        }
        out += "</div>\n</section>\n";
    }
    out += &format!(
        "<section id=\"program\"><h2>The program</h2>\n<pre class=\"program\">{}</pre></section>\n",
        text(&page.source)
    );
    out += &format!(
        "<footer>made by fokker {}</footer>\n</main>\n<script>\n{SCRIPT}\n</script>\n</body>\n</html>\n",
        text(&page.fokker)
    );
    out
}

/// The runs, with what came of their checks, and where the rest is.
fn summary(page: &Page) -> String {
    let mut rows = Vec::new();
    for run in &page.runs {
        let checks: Vec<&Check> = run.results.iter().flat_map(|r| &r.checks).collect();
        let failed = checks.iter().filter(|c| !c.passed).count();
        let verdict = match (checks.len(), failed) {
            (0, _) => String::new(),
            (n, 0) => format!("<span class=\"good\">✓ all {n} hold</span>"),
            (n, f) => format!("<span class=\"bad\">✗ {f} of {n} fail</span>"),
        };
        let seconds: f64 = run.results.iter().map(|r| r.seconds).sum();
        let name = text(&run.name);
        rows.push(vec![
            format!("<a href=\"#run-{name}\">{name}</a>"),
            about(run),
            verdict,
            format!("{} s", rounded(seconds)),
        ]);
    }
    let mut links = Vec::new();
    if !page.mathematics.is_empty() {
        links.push("<a href=\"#mathematics\">the models as mathematics</a>");
    }
    links.push("<a href=\"#program\">the program</a>");
    let runs = if rows.is_empty() { String::new() } else { table(&["run", "model", "checks", "time"], &rows) };
    format!("{runs}<p class=\"links\">{}</p>\n", links.join(" · "))
}

/// The model of a run, and how many variants it has.
fn about(run: &Section) -> String {
    let first = run.results.first().map_or(String::new(), |r| text(&r.model));
    match run.results.len() {
        0 | 1 => first,
        n => format!("{first}, {n} variants"),
    }
}

fn rounded(seconds: f64) -> String {
    plain((seconds * 1e3).round() / 1e3)
}

fn section(run: &Section) -> String {
    let name = text(&run.name);
    let mut out = format!("<section id=\"run-{name}\"><h2>{name}</h2>\n{}", variants::lead(&run.results));
    let results = variants::results(&run.results);
    let results = if results.is_empty() { results } else { format!("<div class=\"results\">\n{results}</div>\n") };
    let facts = format!(
        "<div>{}</div>\n<div>{}</div>\n",
        settings("Settings", &run.settings),
        settings("Parameters", &run.parameters)
    );
    out += &match results.is_empty() {
        true => format!("<div class=\"facts columns\">\n{facts}</div>\n"),
        false => format!("<div class=\"columns\">\n<div class=\"facts\">\n{facts}</div>\n{results}</div>\n"),
    };
    let errors = variants::errors(&run.results);
    if !errors.is_empty() {
        out += &format!("<div class=\"results\">\n{errors}</div>\n");
    }
    for note in &run.notes {
        out += &format!("<p class=\"faint\">{}</p>\n", text(note));
    }
    if !run.figures.is_empty() {
        out += &format!("<div class=\"figures\">\n{}</div>\n", run.figures.iter().map(figure).collect::<String>());
    }
    out += &timings(run);
    out += &format!("<details><summary>Manifest</summary><pre>{}</pre></details>\n</section>\n", text(&run.manifest));
    out
}

fn settings(title: &str, all: &[Setting]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let from = |s: &Setting| match s.from.as_str() {
        "" => String::new(),
        from => format!("<span class=\"faint\">{}</span>", text(from)),
    };
    let rows: Vec<Vec<String>> = all.iter().map(|s| vec![text(&s.name), code(&s.value), from(s)]).collect();
    format!("<h3>{title}</h3>\n{}", table(&["", "", ""], &rows))
}

fn figure(picture: &Picture) -> String {
    let frames = if picture.frames.len() > 1 { "frames " } else { "" };
    let width = match picture.columns {
        0 | 1 => "",
        2 => "several",
        _ => "wide",
    };
    let class = match format!("{frames}{width}").trim() {
        "" => String::new(),
        words => format!(" class=\"{words}\""),
    };
    let slider = match picture.frames.len() {
        0 | 1 => String::new(),
        n => format!("<input type=\"range\" min=\"0\" max=\"{}\" value=\"0\" aria-label=\"frame\">", n - 1),
    };
    format!("<figure{class}>{}{slider}</figure>\n", picture.frames.concat())
}

fn timings(run: &Section) -> String {
    let row = |r: &RunResult| {
        let sweep = r.sweep.iter().map(|(n, v)| format!("{n} = {}", plain(*v)));
        let words: Vec<String> = r.solver.iter().cloned().chain(sweep).collect();
        vec![
            text(&words.join(", ")),
            count(r.paths),
            count(r.steps),
            format!("{} s", rounded(r.compile_seconds)),
            format!("{} s", rounded(r.seconds)),
            count(r.path_steps_per_second.max(0.0).round() as u64),
        ]
    };
    let rows: Vec<Vec<String>> = run.results.iter().map(row).collect();
    let head = ["", "paths", "steps", "compiling", "running", "path-steps a second"];
    format!("<details><summary>Timings</summary>\n{}</details>\n", table(&head, &rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_whole_and_literal() {
        let result = RunResult {
            name: "r".into(),
            model: "m".into(),
            checks: vec![Check {
                expr: "a < b".into(),
                passed: false,
                left: Some(2.0),
                right: Some(1.0),
                ..Check::default()
            }],
            ..RunResult::default()
        };
        let seed = Setting { name: "seed".into(), value: "0".into(), from: "default".into() };
        let run = Section {
            name: "r".into(),
            results: vec![result],
            settings: vec![seed],
            figures: vec![Picture { frames: vec!["<svg></svg>".into(); 3], columns: 1 }],
            ..Section::default()
        };
        let page = Page { file: "a & b.sde".into(), source: "x < y".into(), runs: vec![run], ..Page::default() };
        let html = html(&page);
        for wanted in [
            "<h1>a &amp; b.sde</h1>",
            "a &lt; b",
            "✗ 1 of 1 fail",
            "2 and 1",
            "max=\"2\"",
            "x &lt; y",
            "<td>seed</td><td><code>0</code></td><td><span class=\"faint\">default</span></td>",
            "</html>",
        ] {
            assert!(html.contains(wanted), "{wanted} in {html}");
        }
        assert!(!html.contains("http"), "nothing is fetched");
    }
}
