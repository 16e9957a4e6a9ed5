//! A page about the runs of a program: one HTML file that needs nothing else.

use std::collections::BTreeMap;

use super::number::{count, plain};
use super::result::{Check, RunResult};
use super::style::Style;
use super::table;

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
    pub settings: BTreeMap<String, String>,
    pub notes: Vec<String>,
    /// each a figure, or the frames of an animation, as SVG
    pub figures: Vec<Vec<String>>,
    /// as JSON
    pub manifest: String,
}

const STYLE: &str = include_str!("report.css");

/// Shows one frame of an animation at a time.
const SCRIPT: &str = "for (const a of document.querySelectorAll('.frames')) {
  const frames = a.querySelectorAll('svg'), slider = a.querySelector('input');
  const show = () => frames.forEach((f, k) => f.style.display = k == slider.value ? '' : 'none');
  slider.addEventListener('input', show);
  show();
}";

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
    if !page.mathematics.is_empty() {
        out += "<section id=\"mathematics\"><h2>The models as mathematics</h2>\n";
        page.mathematics.iter().for_each(|m| out += &format!("<article>{m}</article>\n"));
        out += "</section>\n";
    }
    page.runs.iter().for_each(|run| out += &section(run));
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

fn text(plain: &str) -> String {
    plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The runs, with what came of their checks.
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
        rows.push([
            format!("<a href=\"#run-{name}\">{name}</a>"),
            variants(run),
            verdict,
            format!("{} s", rounded(seconds)),
        ]);
    }
    if rows.is_empty() { String::new() } else { grid(&["run", "", "checks", "time"], &rows) }
}

fn variants(run: &Section) -> String {
    let first = run.results.first().map_or(String::new(), |r| text(&r.model));
    match run.results.len() {
        0 | 1 => first,
        n => format!("{first}, {n} variants"),
    }
}

fn rounded(seconds: f64) -> String {
    plain((seconds * 1e3).round() / 1e3)
}

/// A table; cells are HTML.
fn grid<const N: usize>(head: &[&str; N], rows: &[[String; N]]) -> String {
    let used: Vec<usize> = (0..N).filter(|k| rows.iter().any(|r| !r[*k].is_empty())).collect();
    let line = |cells: Vec<String>, tag: &str| {
        format!("<tr>{}</tr>\n", cells.iter().map(|c| format!("<{tag}>{c}</{tag}>")).collect::<String>())
    };
    let mut out = String::from("<table>\n<thead>");
    out += &line(used.iter().map(|k| head[*k].to_string()).collect(), "th");
    out += "</thead>\n<tbody>\n";
    rows.iter().for_each(|r| out += &line(used.iter().map(|k| r[*k].clone()).collect(), "td"));
    out + "</tbody>\n</table>\n"
}

fn section(run: &Section) -> String {
    let name = text(&run.name);
    let mut out = format!("<section id=\"run-{name}\"><h2>{name}</h2>\n");
    let settings: Vec<[String; 2]> =
        run.settings.iter().map(|(k, v)| [text(k), format!("<code>{}</code>", text(v))]).collect();
    if !settings.is_empty() {
        out += &format!(
            "<details open><summary>Settings</summary>\n{}</details>\n",
            grid(&["setting", "value"], &settings)
        );
    }
    for result in &run.results {
        out += &variant(result);
    }
    for figures in &run.figures {
        out += &figure(figures);
    }
    for note in &run.notes {
        out += &format!("<p class=\"faint\">{}</p>\n", text(note));
    }
    out += &timings(run);
    out += &format!("<details><summary>Manifest</summary><pre>{}</pre></details>\n</section>\n", text(&run.manifest));
    out
}

fn variant(r: &RunResult) -> String {
    let facts = table::headline(r, Style::PLAIN);
    let facts = facts.strip_prefix(r.name.as_str()).unwrap_or(&facts).trim();
    let mut out = format!("<h3>{}</h3>\n", text(facts));
    for warning in table::warnings(r) {
        out += &format!("<p class=\"bad\">{}</p>\n", text(&warning));
    }
    let timeless = |mut row: [String; 4]| {
        if !r.has_time() {
            row[2].clear();
        }
        row
    };
    let rows: Vec<[String; 4]> =
        r.reports.iter().flat_map(table::report_rows).map(|row| timeless(row).map(|c| text(&c))).collect();
    if !rows.is_empty() {
        out += &grid(&["statistic", "", "when", "value ± standard error"], &rows);
    }
    for note in table::notes(&r.reports) {
        out += &format!("<p class=\"faint\">{}</p>\n", text(&note));
    }
    if let Some(c) = &r.converge {
        let mut rows = table::convergence_rows(c).into_iter().map(|row| row.map(|cell| text(&cell)));
        let head = rows.next().unwrap_or_default();
        out += &grid(&head.each_ref().map(String::as_str), &rows.collect::<Vec<_>>());
        out += &format!("<p>{}</p>\n", text(&table::orders(c).join("; ")));
    }
    if !r.checks.is_empty() {
        let rows: Vec<[String; 4]> = r.checks.iter().map(check).collect();
        out += &grid(&["", "check", "sides", ""], &rows);
    }
    out
}

fn check(c: &Check) -> [String; 4] {
    let mark = if c.passed { "<span class=\"good\">✓</span>" } else { "<span class=\"bad\">✗</span>" };
    let at = c.at.map_or_else(String::new, |t| format!(" at {}", plain(t)));
    let sides = match (c.left, c.right) {
        (Some(l), Some(r)) => format!("{} and {}", plain(l), plain(r)),
        _ => String::new(),
    };
    [mark.into(), format!("<code>{}</code>{at}", text(&c.expr)), sides, text(c.note.as_deref().unwrap_or_default())]
}

fn figure(frames: &[String]) -> String {
    match frames {
        [one] => format!("<figure>{one}</figure>\n"),
        many => {
            let slider = format!(
                "<input type=\"range\" min=\"0\" max=\"{}\" value=\"0\" aria-label=\"frame\">",
                many.len().saturating_sub(1)
            );
            format!("<figure class=\"frames\">{}{slider}</figure>\n", many.concat())
        }
    }
}

fn timings(run: &Section) -> String {
    let row = |r: &RunResult| {
        let sweep = r.sweep.iter().map(|(n, v)| format!("{n} = {}", plain(*v)));
        let words: Vec<String> = r.solver.iter().cloned().chain(sweep).collect();
        [
            text(&words.join(", ")),
            count(r.paths),
            count(r.steps),
            format!("{} s", rounded(r.compile_seconds)),
            format!("{} s", rounded(r.seconds)),
            count(r.path_steps_per_second.max(0.0).round() as u64),
        ]
    };
    let rows: Vec<[String; 6]> = run.results.iter().map(row).collect();
    let head = ["", "paths", "steps", "compiling", "running", "path-steps a second"];
    format!("<details><summary>Timings</summary>\n{}</details>\n", grid(&head, &rows))
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
        let run = Section {
            name: "r".into(),
            results: vec![result],
            figures: vec![vec!["<svg></svg>".into(); 3]],
            ..Section::default()
        };
        let page = Page { file: "a & b.sde".into(), source: "x < y".into(), runs: vec![run], ..Page::default() };
        let html = html(&page);
        for wanted in
            ["<h1>a &amp; b.sde</h1>", "a &lt; b", "✗ 1 of 1 fail", "2 and 1", "max=\"2\"", "x &lt; y", "</html>"]
        {
            assert!(html.contains(wanted), "{wanted} in {html}");
        }
        assert!(!html.contains("http"), "nothing is fetched");
    }
}
