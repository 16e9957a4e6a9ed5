//! The results of a run as HTML: those of all variants in one table, with variants as rows or as columns.

use super::super::number::{count, counted, plain};
use super::super::result::{Check, Convergence, RunResult};
use super::super::style::Style;
use super::super::table as tables;
use super::html::{code, table, text};

/// Columns beside those that name the variants, at most; of more the table is turned.
const MOST_COLUMNS: usize = 6;

/// What a run was, in a line, and what a reader should know of it before its numbers.
pub(super) fn lead(all: &[RunResult]) -> String {
    let (facts, warnings) = match all {
        [] => return String::new(),
        [one] => {
            let facts = tables::headline(one, Style::PLAIN);
            (facts.strip_prefix(one.name.as_str()).unwrap_or(&facts).trim().to_string(), tables::warnings(one))
        }
        many => (headline(many), Vec::new()),
    };
    let warnings: String = warnings.iter().map(|w| format!("<p class=\"bad\">{}</p>\n", text(w))).collect();
    format!("<p class=\"lead\">{}</p>\n{warnings}", text(&facts))
}

/// What was found: one variant with its statistics one below the other, several in tables.
pub(super) fn results(all: &[RunResult]) -> String {
    match all {
        [] => String::new(),
        [one] => single(one),
        many => several(many),
    }
}

fn single(r: &RunResult) -> String {
    let mut out = String::new();
    let row = |[expr, index, when, value]: [String; 4]| {
        vec![code(&expr), text(&index), if r.has_time() { text(&when) } else { String::new() }, text(&value)]
    };
    let rows: Vec<Vec<String>> = r.reports.iter().flat_map(tables::report_rows).map(row).collect();
    if !rows.is_empty() {
        out += &format!("<h3>Results</h3>\n{}", table(&["statistic", "", "when", "value ± standard error"], &rows));
    }
    for note in tables::notes(&r.reports) {
        out += &format!("<p class=\"faint\">{}</p>\n", text(&note));
    }
    out += &orders(std::slice::from_ref(r), &[Vec::new()], &[]);
    if !r.checks.is_empty() {
        let rows: Vec<Vec<String>> = r.checks.iter().map(check).collect();
        out += &format!("<h3>Checks</h3>\n{}", table(&["", "check", "sides", ""], &rows));
    }
    out
}

fn check(c: &Check) -> Vec<String> {
    let at = c.at.map_or_else(String::new, |t| format!(" at {}", plain(t)));
    let note = text(c.note.as_deref().unwrap_or_default());
    vec![mark(c), format!("{}{at}", code(&c.expr)), sides(c), note]
}

fn mark(c: &Check) -> String {
    let (class, sign) = if c.passed { ("good", "✓") } else { ("bad", "✗") };
    format!("<span class=\"{class}\">{sign}</span>")
}

fn sides(c: &Check) -> String {
    match (c.left, c.right) {
        (Some(l), Some(r)) => format!("{} and {}", plain(l), plain(r)),
        _ => String::new(),
    }
}

/// A table of variants before its direction is chosen: what names them, and columns.
#[derive(Default)]
struct Matrix {
    names: Vec<String>,
    keys: Vec<Vec<String>>,
    columns: Vec<Column>,
}

/// What is told of each variant.
struct Column {
    /// as it stands in the program
    expr: String,
    /// which element, and when
    part: String,
    /// one a variant
    cells: Vec<String>,
}

impl Matrix {
    fn html(&self) -> String {
        let variants = self.keys.len();
        if self.columns.len() <= MOST_COLUMNS.max(variants) {
            let title = |c: &Column| format!("{} {}", c.expr, c.part).trim().to_string();
            let head: Vec<String> = self.names.iter().cloned().chain(self.columns.iter().map(title)).collect();
            let row = |k: usize| {
                self.keys[k].iter().cloned().chain(self.columns.iter().map(|c| c.cells[k].clone())).collect()
            };
            return table(&head, &(0..variants).map(row).collect::<Vec<_>>());
        }
        let head: Vec<String> =
            [String::new(), String::new()].into_iter().chain(self.keys.iter().map(|k| self.words(k))).collect();
        let row = |(k, c): (usize, &Column)| {
            let again = k > 0 && self.columns[k - 1].expr == c.expr;
            let expr = if again { String::new() } else { c.expr.clone() };
            [expr, c.part.clone()].into_iter().chain(c.cells.iter().cloned()).collect()
        };
        table(&head, &self.columns.iter().enumerate().map(row).collect::<Vec<_>>())
    }

    /// A variant in one cell: `milstein, k = 2`.
    fn words(&self, key: &[String]) -> String {
        let word = |(name, value): (&String, &String)| match name.as_str() {
            SOLVER => value.clone(),
            _ => format!("{name} = {value}"),
        };
        self.names.iter().zip(key).map(word).collect::<Vec<_>>().join(", ")
    }
}

const SOLVER: &str = "solver";

/// What tells variants apart: the solver where there are several, and the parameters that were swept.
fn naming(all: &[RunResult]) -> (Vec<String>, Vec<Vec<String>>) {
    let solvers = all.iter().any(|r| r.solver != all[0].solver);
    let swept = all[0].sweep.iter().map(|s| text(&s.0));
    let names = solvers.then(|| SOLVER.to_string()).into_iter().chain(swept).collect();
    let key = |r: &RunResult| {
        let solver = r.solver.iter().filter(|_| solvers).map(|s| text(s));
        solver.chain(r.sweep.iter().map(|s| text(&plain(s.1)))).collect()
    };
    (names, all.iter().map(key).collect())
}

fn several(all: &[RunResult]) -> String {
    let (names, keys) = naming(all);
    let matrix = |columns| Matrix { names: names.clone(), keys: keys.clone(), columns };
    let mut out = String::new();
    let lost = lost(all);
    let (values, when) = statistics(all);
    if !values.is_empty() || lost.is_some() {
        let words = when.map_or(String::new(), |w| format!(", {}", text(&w)));
        out += &format!("<h3>Results</h3>\n<p class=\"faint\">value ± standard error{words}</p>\n");
        out += &matrix(values.into_iter().chain(lost).collect()).html();
    }
    let plain_matrix = matrix(Vec::new());
    let told: Vec<Vec<String>> =
        all.iter().map(|r| [tables::warnings(r), tables::notes(&r.reports)].concat()).collect();
    for (variants, note) in grouped(&told) {
        let which = match variants.len() == all.len() {
            true => String::new(),
            false => variants.iter().map(|k| plain_matrix.words(&keys[*k])).collect::<Vec<_>>().join("; ") + ": ",
        };
        out += &format!("<p class=\"faint\">{which}{}</p>\n", text(&note));
    }
    out += &orders(all, &keys, &names);
    let checks = checks(all);
    if !checks.is_empty() {
        out += &format!("<h3>Checks</h3>\n{}", matrix(checks).html());
    }
    out
}

/// What all variants have in common.
fn headline(all: &[RunResult]) -> String {
    let first = &all[0];
    let same = |of: fn(&RunResult) -> u64| all.iter().all(|r| of(r) == of(first));
    let mut words = vec![first.model.clone()];
    if let Some(solver) = first.solver.as_ref().filter(|s| all.iter().all(|r| r.solver.as_ref() == Some(s))) {
        words[0] += &format!(" by {solver}");
    }
    words.push(format!("{} variants", all.len()));
    if same(|r| r.paths) {
        let steps = if first.steps > 0 && same(|r| r.steps) {
            format!(" of {}", counted(first.steps, "step"))
        } else {
            String::new()
        };
        words.push(format!("each {}{steps}", counted(first.paths, "path")));
    }
    words.push(format!("seed {}", first.seed));
    words.join(", ")
}

/// The columns of statistics, and when they all looked where that is at one time.
fn statistics(all: &[RunResult]) -> (Vec<Column>, Option<String>) {
    // expression, index, when
    let mut keys: Vec<[String; 3]> = Vec::new();
    let mut cells: Vec<Vec<String>> = Vec::new();
    for (k, r) in all.iter().enumerate() {
        for report in &r.reports {
            for [_, index, when, value] in
                tables::report_rows(report).into_iter().scan(String::new(), |last, mut row| {
                    // a report says when in its first line
                    if row[2].is_empty() {
                        row[2].clone_from(last);
                    }
                    last.clone_from(&row[2]);
                    Some(row)
                })
            {
                let key = [report.expr.clone(), index, if r.has_time() { when } else { String::new() }];
                let at = keys.iter().position(|other| *other == key).unwrap_or_else(|| {
                    keys.push(key);
                    cells.push(vec![String::new(); all.len()]);
                    keys.len() - 1
                });
                cells[at][k] = text(&value);
            }
        }
    }
    let when = keys.first().map(|k| k[2].clone()).filter(|w| keys.iter().all(|k| k[2] == *w));
    let column = |([expr, index, own], cells): (&[String; 3], Vec<String>)| {
        let own = if when.is_some() { "" } else { own.as_str() };
        let part: Vec<&str> = [index.as_str(), own].into_iter().filter(|t| !t.is_empty()).collect();
        Column { expr: code(expr), part: text(&part.join(" ")), cells }
    };
    let columns = keys.iter().zip(cells).map(column).collect();
    (columns, when.filter(|w| !w.is_empty()))
}

/// A column of the paths that diverged, where some did.
fn lost(all: &[RunResult]) -> Option<Column> {
    let cells = || all.iter().map(|r| count(r.diverged)).collect();
    let some = all.iter().any(|r| r.diverged > 0);
    some.then(|| Column { expr: "diverged".into(), part: String::new(), cells: cells() })
}

/// The columns of checks.
fn checks(all: &[RunResult]) -> Vec<Column> {
    let most = all.iter().map(|r| r.checks.len()).max().unwrap_or(0);
    let column = |k: usize| {
        let head = all.iter().find_map(|r| r.checks.get(k)).map_or(String::new(), |c| check(c).swap_remove(1));
        let cell = |r: &RunResult| {
            r.checks.get(k).map_or(String::new(), |c| {
                let note = c.note.as_ref().map_or(String::new(), |n| format!("<br>{}", text(n)));
                format!("{} <span class=\"faint\">{}</span>{note}", mark(c), sides(c))
            })
        };
        Column { expr: head, part: String::new(), cells: all.iter().map(cell).collect() }
    };
    (0..most).map(column).collect()
}

/// Texts with the variants that have them, each once.
fn grouped(told: &[Vec<String>]) -> Vec<(Vec<usize>, String)> {
    let mut found: Vec<(Vec<usize>, String)> = Vec::new();
    for (k, note) in told.iter().enumerate().flat_map(|(k, notes)| notes.iter().map(move |n| (k, n))) {
        match found.iter_mut().find(|f| f.1 == *note) {
            Some(same) => same.0.push(k),
            None => found.push((vec![k], note.clone())),
        }
    }
    found
}

/// Variants with `converge`, with what tells them apart.
type Named<'a> = (&'a Convergence, &'a [String]);

fn measured<'a>(all: &'a [RunResult], keys: &'a [Vec<String>]) -> Vec<Named<'a>> {
    all.iter().zip(keys).filter_map(|(r, key)| r.converge.as_ref().map(|c| (c, key.as_slice()))).collect()
}

/// Measured orders, beside those that the solvers state.
fn orders(all: &[RunResult], keys: &[Vec<String>], names: &[String]) -> String {
    let row = |(c, key): &Named<'_>| -> Vec<String> {
        let stated = |order: Option<f64>| order.map_or(String::new(), plain);
        let found = [
            tables::order(&c.strong_order),
            stated(c.stated.strong),
            tables::order(&c.weak_order),
            stated(c.stated.weak),
        ];
        key.iter().cloned().chain(found).collect()
    };
    let rows: Vec<Vec<String>> = measured(all, keys).iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let titles = ["strong order", "stated", "weak order", "stated"];
    let head: Vec<&str> = names.iter().map(String::as_str).chain(titles).collect();
    format!("<h3>Orders</h3>\n{}", table(&head, &rows))
}

/// The errors that orders are of: tables too wide to stand beside anything. Those without samples have other columns.
pub(super) fn errors(all: &[RunResult]) -> String {
    let (names, keys) = if all.len() > 1 { naming(all) } else { (Vec::new(), vec![Vec::new(); all.len()]) };
    let mut out = String::new();
    for (title, listed) in [("Errors", false), ("Errors from all outcomes of a step", true)] {
        let (mut head, mut rows) = (names.clone(), Vec::new());
        let own = measured(all, &keys).into_iter().filter(|(c, _)| c.enumerated.is_some() == listed);
        for (k, (c, key)) in own.enumerate() {
            let mut lines = tables::convergence_rows(c).into_iter().map(|row| row.map(|cell| text(&cell)));
            let titles = lines.next();
            head.extend(titles.filter(|_| k == 0).into_iter().flatten());
            rows.extend(lines.map(|row| key.iter().cloned().chain(row).collect::<Vec<String>>()));
        }
        // columns without a title are those of the others
        let shown: Vec<usize> = (0..head.len()).filter(|k| !head[*k].is_empty()).collect();
        let picked = |row: &Vec<String>| shown.iter().map(|k| row[*k].clone()).collect::<Vec<String>>();
        if !rows.is_empty() {
            let rows: Vec<Vec<String>> = rows.iter().map(picked).collect();
            out += &format!("<h3>{title}</h3>\n{}", table(&picked(&head), &rows));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::super::result::{Report, Values, When};
    use super::*;

    fn variant(sigma: f64, statistics: usize) -> RunResult {
        let report = |k: usize| Report {
            expr: format!("mean(x^{k})"),
            when: When::At(1.0),
            value: Values::scalar(sigma, 0.01),
            notes: vec!["few".into()],
        };
        RunResult {
            name: "r".into(),
            model: "gbm".into(),
            solver: Some("milstein".into()),
            steps: 10,
            paths: 100,
            sweep: vec![("sigma".into(), sigma)],
            reports: (0..statistics).map(report).collect(),
            checks: vec![Check { expr: "a < b".into(), passed: sigma < 0.3, ..Check::default() }],
            ..RunResult::default()
        }
    }

    #[test]
    fn variants_share_a_table() {
        let all: Vec<RunResult> = (1..=8).map(|k| variant(0.1 * f64::from(k), 2)).collect();
        let page = results(&all);
        assert_eq!(page.matches("<table>").count(), 2, "results and checks: {page}");
        assert!(page.contains("<th>sigma</th><th><code>mean(x^0)</code></th>"), "{page}");
        assert!(page.contains("<tr><td>0.2</td><td>0.200 ± 0.010</td>"), "{page}");
        assert!(page.contains("value ± standard error, at 1"), "{page}");
        assert_eq!(page.matches("mean(x^0): few").count(), 1, "what is true of all is told once");
        let page = lead(&all);
        assert!(page.contains("gbm by milstein, 8 variants, each 100 paths of 10 steps, seed 0"), "{page}");
    }

    #[test]
    fn many_statistics_turn_the_table() {
        let page = results(&[variant(0.1, 12), variant(0.4, 12)]);
        assert!(page.contains("<th>sigma = 0.1</th><th>sigma = 0.4</th>"), "{page}");
        assert!(page.contains("<tr><td><code>mean(x^11)</code></td><td>0.100 ± 0.010</td>"), "{page}");
    }
}
