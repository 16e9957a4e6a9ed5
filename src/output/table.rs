//! Results for a reader at a terminal.

use super::number::{count, counted, estimate, plain};
use super::paths::subscript;
use super::result::{Check, Convergence, EnumerationLevel, Pair, Report, RunResult, When};
use super::style::Style;
use crate::kernels::lane::Precision;

/// Elements of an array that are all shown; of more, the first [`HEAD`] and the last.
const WHOLE: usize = 8;
const HEAD: usize = 4;

/// A variant of a run: what it was, its statistics, its checks.
pub fn run(r: &RunResult, style: Style) -> String {
    let mut text = format!("{}\n", headline(r, style));
    text += &indented(&reports(&r.reports, r.has_time(), style));
    if let Some(c) = &r.converge {
        text += &indented(&convergence(c, style));
    }
    for check in &r.checks {
        text += &format!("  {}\n", check_line(check, style));
    }
    for file in &r.saved {
        text += &format!("  {}\n", style.faint(&format!("saved {file}")));
    }
    for plot in &r.plots {
        let frames = plot.frames.map_or(String::new(), |n| format!(" and {} further frames", n - 1));
        text += &format!("  {}\n", style.faint(&format!("plotted {}{frames}", plot.file)));
    }
    for warning in warnings(r) {
        text += &format!("  {}\n", style.warning(&warning));
    }
    text
}

/// What a variant was, in one line.
pub(super) fn headline(r: &RunResult, style: Style) -> String {
    let with = r.solver.as_ref().map_or_else(String::new, |s| format!(" by {s}"));
    let sweep: String = r.sweep.iter().map(|(name, value)| format!(", {name} = {}", plain(*value))).collect();
    let steps = match r.adaptive {
        Some(a) => {
            let number = |n: f64| if n < 1000.0 { plain((n * 10.0).round() / 10.0) } else { count(n.round() as u64) };
            let [accepted, rejected] = [a.accepted, a.rejected].map(number);
            format!(" of {accepted} steps and {rejected} rejected ones at tol {}", plain(a.tol))
        }
        None if r.steps > 0 => format!(" of {}", counted(r.steps, "step")),
        None => String::new(),
    };
    let paths = match r.converge.as_ref().and_then(|c| c.enumerated.as_ref()) {
        Some(e) => {
            format!("all {} of a step from {}", counted(e.ways as u64, "outcome"), counted(e.starts as u64, "state"))
        }
        None => format!("{}{steps}", counted(r.paths, "path")),
    };
    let mut facts = format!("{}{with}{sweep}: {paths}, seed {}", r.model, r.seed);
    if r.precision == Precision::Single {
        facts += ", f32";
    }
    if r.seconds > 0.0 {
        facts += &format!(", {} s", plain((r.seconds * 1e3).round() / 1e3));
    }
    format!("{}  {}", style.heading(&r.name), style.faint(&facts))
}

/// What a reader should know of a variant before its numbers.
pub(super) fn warnings(r: &RunResult) -> Vec<String> {
    let mut all = Vec::new();
    if r.interrupted {
        all.push(match r.paths {
            0 => "interrupted before any path was finished".to_string(),
            1 => "interrupted: 1 path was finished and is in these results".to_string(),
            n => format!("interrupted: {} paths were finished and are in these results", count(n)),
        });
    }
    if r.diverged > 0 {
        let first = r.first_divergence.map_or_else(String::new, |t| format!(", the first at t = {}", plain(t)));
        let verb = if r.diverged == 1 { "path" } else { "paths" };
        all.push(format!(
            "{} {verb} of {} diverged{first}; from then on left out of the statistics",
            count(r.diverged),
            count(r.paths)
        ));
    }
    if let Some(stuck) = r.adaptive.map(|a| a.stuck).filter(|n| *n > 0) {
        let (paths, their) = if stuck == 1 { ("path", "its") } else { ("paths", "their") };
        all.push(format!(
            "{} {paths} of these had finite states, and no step, however short, met {their} tolerance",
            count(stuck)
        ));
    }
    all
}

fn check_line(check: &Check, style: Style) -> String {
    let mark = if check.passed { style.good("✓") } else { style.bad("✗") };
    let sides = match (check.left, check.right) {
        (Some(l), Some(r)) => style.faint(&format!("  ({} and {})", plain(l), plain(r))),
        _ => String::new(),
    };
    let at = check.at.map_or_else(String::new, |t| style.faint(&format!(" at {}", plain(t))));
    let note = check.note.as_ref().map_or_else(String::new, |n| format!("\n    {}", style.faint(n)));
    let code = check.code.map_or_else(String::new, |code| style.faint(&format!("  [{code}]")));
    format!("{mark} {}{at}{sides}{code}{note}", check.expr)
}

/// Statistics without their times: expression, index, value.
pub fn estimates(reports: &[Report]) -> String {
    let rows = reports.iter().flat_map(report_rows).map(|[name, index, _, value]| [name, index, value]);
    aligned(&rows.collect::<Vec<_>>())
}

/// The statistics as aligned columns: expression, index, time, value. Blocks of arrays at several times stand apart; what
/// is drawn once has no time.
fn reports(reports: &[Report], timed: bool, style: Style) -> String {
    let mut rows: Vec<[String; 4]> = Vec::new();
    let mut before: Option<(&When, usize)> = None;
    for (k, report) in reports.iter().enumerate() {
        let own = report_rows(report);
        let again = reports[..k].iter().any(|r| r.expr == report.expr);
        if again && before.is_some_and(|(when, lines)| *when != report.when && lines.max(own.len()) > 1) {
            rows.push(Default::default());
        }
        before = Some((&report.when, own.len()));
        rows.extend(own);
    }
    if !timed {
        rows.iter_mut().for_each(|row| row[2].clear());
    }
    let notes = notes(reports).into_iter().map(|n| format!("{}\n", style.faint(&n)));
    aligned(&rows) + &notes.collect::<String>()
}

/// The notes of reports, each once, with the times that it is of where these are not all.
pub(super) fn notes(reports: &[Report]) -> Vec<String> {
    let mut found: Vec<(&str, &str, Vec<&When>)> = Vec::new();
    for (report, note) in reports.iter().flat_map(|r| r.notes.iter().map(move |n| (r, n))) {
        match found.iter_mut().find(|f| f.0 == report.expr && f.1 == note) {
            Some(same) => same.2.push(&report.when),
            None => found.push((&report.expr, note, vec![&report.when])),
        }
    }
    let text = |(expr, note, whens): (&str, &str, Vec<&When>)| {
        let all = reports.iter().filter(|r| r.expr == expr).count();
        let times: Vec<String> = whens.iter().map(|w| when_words(w)).collect();
        let times: Vec<&str> = times.iter().map(|t| t.strip_prefix("at ").unwrap_or(t)).collect();
        match all == whens.len() {
            true => format!("{expr}: {note}"),
            false => format!("{expr} at {}: {note}", times.join(", ")),
        }
    };
    found.into_iter().map(text).collect()
}

/// When a report looked: `at 1`, `over last 1 500 steps`.
fn when_words(when: &When) -> String {
    match when {
        When::At(t) => format!("at {}", plain(*t)),
        When::Over(span) => {
            let steps = span.strip_prefix("last ").and_then(|s| s.strip_suffix(" steps")?.parse().ok());
            steps.map_or_else(|| format!("over {span}"), |n| format!("over last {}", counted(n, "step")))
        }
    }
}

/// A measured order, or that there is none.
pub(super) fn order(p: &Pair) -> String {
    if p.value.is_nan() { "not measured".into() } else { estimate(p.value, p.se) }
}

/// Expression, index, time and value of each line of a report.
pub(super) fn report_rows(report: &Report) -> Vec<[String; 4]> {
    let when = when_words(&report.when);
    let v = &report.value;
    if !v.edges.is_empty() {
        return histogram_rows(report, &when);
    }
    let count = v.values.len();
    let shown: Vec<usize> = if count <= WHOLE { (0..count).collect() } else { (0..HEAD).chain([count - 1]).collect() };
    let mut rows = Vec::new();
    for (k, element) in shown.iter().enumerate() {
        let first = k == 0;
        if k > 0 && *element != shown[k - 1] + 1 {
            rows.push([String::new(), format!("... {count} in all"), String::new(), String::new()]);
        }
        let name = if first { report.expr.clone() } else { String::new() };
        let time = if first { when.clone() } else { String::new() };
        let value = estimate(v.values[*element], v.se.get(*element).copied().unwrap_or(f64::NAN));
        rows.push([name, subscript(&v.shape, *element), time, value]);
    }
    rows
}

/// One line a histogram: the range and the densities as bars.
fn histogram_rows(report: &Report, when: &str) -> Vec<[String; 4]> {
    let v = &report.value;
    let bins = v.shape.last().copied().unwrap_or(0);
    let element_shape = &v.shape[..v.shape.len().saturating_sub(1)];
    let row = |(k, edges): (usize, &Vec<f64>)| {
        let name = if k == 0 { report.expr.clone() } else { String::new() };
        let text = match (edges.first(), edges.last()) {
            (Some(low), Some(high)) => {
                format!("{} {} {}", plain(*low), bars(&v.values[k * bins..(k + 1) * bins]), plain(*high))
            }
            _ => "no values".to_string(),
        };
        [name, subscript(element_shape, k), when.to_string(), text]
    };
    v.edges.iter().enumerate().take(WHOLE).map(row).collect()
}

/// Bars of eight heights.
pub fn bars(values: &[f64]) -> String {
    const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = values.iter().copied().filter(|x| x.is_finite()).fold(0.0, f64::max);
    let height = |x: &f64| if *x > 0.0 && most > 0.0 { ((x / most * 8.0).ceil() as usize).min(8) } else { 0 };
    values.iter().filter(|x| x.is_finite()).map(|x| BARS[height(x)]).collect()
}

/// The levels of a measured convergence, with a head.
pub(super) fn convergence_rows(c: &Convergence) -> Vec<[String; 6]> {
    if let Some(e) = &c.enumerated {
        let head = ["h", "weak error", "order", "", "", ""].map(String::from);
        let order = |l: &EnumerationLevel| l.order.map_or(String::new(), |p| format!("{p:.3}"));
        let error = |l: &EnumerationLevel| {
            if l.rounding { "rounding".into() } else { plain((l.error * 1e12).round() / 1e12) }
        };
        let row = |l: &EnumerationLevel| [plain(l.h), error(l), order(l), String::new(), String::new(), String::new()];
        return std::iter::once(head).chain(e.levels.iter().map(row)).collect();
    }
    let path = |text: String| if c.pathless { String::new() } else { text };
    let head = ["steps", "h", "E|x - ref|", "rms", "|E x - E ref|", "µs a path"].map(String::from);
    let [a, b, strong, rms, weak, cost] = head;
    let head = [a, b, path(strong), path(rms), weak, cost];
    let rows = c.levels.iter().map(|l| {
        [
            count(l.steps),
            plain(l.h),
            path(estimate(l.strong.value, l.strong.se)),
            path(estimate(l.rms.value, l.rms.se)),
            l.weak_of_mean().map_or(String::new(), |w| estimate(w.value.abs(), w.se)),
            if l.cost.is_nan() { String::new() } else { format!("{:.3}", l.cost * 1e6) },
        ]
    });
    std::iter::once(head).chain(rows).collect()
}

/// The orders, with what the solver states.
fn orders(c: &Convergence) -> Vec<String> {
    let line = |(name, p, stated): (&str, &Pair, Option<f64>)| {
        let stated = stated.map_or(String::new(), |p| format!(", stated {}", plain(p)));
        let of = c.enumerated.as_ref().map_or(String::new(), |e| {
            let [slowest, highest] = e.degrees;
            format!(", by moments of degree {slowest} (of 1 to {highest})")
        });
        // the column beside it is of means alone
        let both = if name == "weak" && !c.weak_is_of_one() { ", fitted to the errors of x and of x^2" } else { "" };
        format!("{name} order {}{stated}{of}{both}", order(p))
    };
    let both = [("strong", &c.strong_order, c.stated.strong), ("weak", &c.weak_order, c.stated.weak)];
    both.into_iter().skip(usize::from(c.pathless)).map(line).collect()
}

fn convergence(c: &Convergence, style: Style) -> String {
    let rows = convergence_rows(c);
    let mut text = aligned(&rows);
    orders(c).iter().for_each(|line| text += &format!("{line}\n"));
    let mut note = |steps: &[u64], what: &dyn Fn(&str) -> String| {
        if !steps.is_empty() {
            let steps: Vec<String> = steps.iter().map(u64::to_string).collect();
            text += &format!("{}\n", style.faint(&what(&steps.join(", "))));
        }
    };
    note(&c.rounding, &|steps| format!("the errors at {steps} steps are rounding and not in the fits"));
    note(&c.too_noisy, &|steps| format!("the weak errors at {steps} steps are below their noise and not in the fit"));
    text
}

/// Columns padded to their widest cells; columns that are empty throughout take no room.
pub fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |k: usize| rows.iter().map(|r| r[k].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let mut text = String::new();
        for (cell, width) in row.iter().zip(&widths).filter(|(_, w)| **w > 0) {
            text += cell;
            text.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
        }
        text.trim_end().to_string() + "\n"
    };
    rows.iter().map(line).collect()
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", format!("  {line}").trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::super::result::{AdaptiveResult, ConvergenceLevel, Orders, Values};
    use super::*;

    fn report(expr: &str, when: When, value: Values) -> Report {
        Report { expr: expr.to_string(), when, value, notes: vec![] }
    }

    fn array(n: usize) -> Values {
        let values = (0..n).map(|k| k as f64 / 8.0).collect();
        Values { shape: vec![n], values, se: vec![0.01; n], edges: vec![] }
    }

    #[test]
    fn a_run_as_a_table() {
        let result = RunResult {
            name: "terminal".to_string(),
            model: "gbm".to_string(),
            solver: Some("milstein".to_string()),
            paths: 200_000,
            steps: 100,
            seed: 1,
            seconds: 0.4123,
            diverged: 3,
            first_divergence: Some(0.25),
            sweep: vec![("sigma".to_string(), 0.2)],
            reports: vec![
                report("mean(x)", When::At(1.0), Values::scalar(1.051_27, 0.000_451)),
                report("quantile(x, [0.05, 0.95])", When::At(1.0), array(2)),
                report("mean(q)", When::Over("last 1000 steps".to_string()), array(30)),
            ],
            checks: vec![Check {
                at: None,
                note: None,
                code: None,
                expr: "a < b".to_string(),
                passed: false,
                left: Some(2.0),
                right: Some(1.5),
            }],
            saved: vec!["paths.csv".to_string()],
            ..RunResult::default()
        };
        let want = "\
terminal  gbm by milstein, sigma = 0.2: 200 000 paths of 100 steps, seed 1, 0.412 s
  mean(x)                                   at 1                   1.05127 ± 0.00045
  quantile(x, [0.05, 0.95])  [0]            at 1                   0.000 ± 0.010
                             [1]                                   0.125 ± 0.010
  mean(q)                    [0]            over last 1 000 steps  0.000 ± 0.010
                             [1]                                   0.125 ± 0.010
                             [2]                                   0.250 ± 0.010
                             [3]                                   0.375 ± 0.010
                             ... 30 in all
                             [29]                                  3.625 ± 0.010
  ✗ a < b  (2 and 1.5)
  saved paths.csv
  3 paths of 200 000 diverged, the first at t = 0.25; from then on left out of the statistics
";
        assert_eq!(run(&result, Style::PLAIN), want);
    }

    #[test]
    fn steps_that_paths_chose_are_told() {
        let adaptive = AdaptiveResult { tol: 1e-3, accepted: 1234.4, rejected: 5.25, stuck: 1 };
        let result = RunResult {
            name: "r".to_string(),
            model: "gbm".to_string(),
            solver: Some("heun".to_string()),
            paths: 100,
            diverged: 1,
            adaptive: Some(adaptive),
            ..RunResult::default()
        };
        let want = "\
r  gbm by heun: 100 paths of 1 234 steps and 5.3 rejected ones at tol 0.001, seed 0
  1 path of 100 diverged; from then on left out of the statistics
  1 path of these had finite states, and no step, however short, met its tolerance
";
        assert_eq!(run(&result, Style::PLAIN), want);
    }

    #[test]
    fn histograms_are_bars() {
        let value = Values {
            shape: vec![4],
            values: vec![0.0, 0.5, 1.0, 0.01],
            se: vec![0.0; 4],
            edges: vec![vec![-1.0, 0.0, 1.0, 2.0, 3.0]],
        };
        let histogram = [report("histogram(x)", When::At(0.0), value)];
        assert_eq!(reports(&histogram, true, Style::PLAIN), "histogram(x)  at 0  -1  ▄█▁ 3\n");
        assert_eq!(reports(&histogram, false, Style::PLAIN), "histogram(x)  -1  ▄█▁ 3\n");
    }

    #[test]
    fn notes_name_their_times_and_arrays_stand_apart() {
        let at = |t: f64, expr: &str, value: Values, notes: &[&str]| Report {
            notes: notes.iter().map(|n| n.to_string()).collect(),
            ..report(expr, When::At(t), value)
        };
        let number = Values::scalar(1.0, 0.25);
        let all = [
            at(1.0, "a", number.clone(), &["few"]),
            at(1.0, "b", array(2), &["all"]),
            at(2.0, "a", number.clone(), &[]),
            at(2.0, "b", array(2), &["all"]),
            at(3.0, "a", number, &["few"]),
        ];
        let want = "\
a       at 1  1.00 ± 0.25
b  [0]  at 1  0.000 ± 0.010
   [1]        0.125 ± 0.010

a       at 2  1.00 ± 0.25
b  [0]  at 2  0.000 ± 0.010
   [1]        0.125 ± 0.010

a       at 3  1.00 ± 0.25
a at 1, 3: few
b: all
";
        assert_eq!(reports(&all, true, Style::PLAIN), want);
    }

    #[test]
    fn orders_and_their_levels() {
        let pair = |value, se| Pair { value, se };
        let level = |steps, strong| ConvergenceLevel {
            steps,
            h: 1.0 / steps as f64,
            strong: pair(strong, 0.001),
            rms: pair(strong, 0.001),
            weak: vec![[pair(-strong / 10.0, 0.001), pair(0.0, 0.0)]],
            diverged: 0,
            cost: 1e-9 * steps as f64,
        };
        let c = Convergence {
            strong_order: pair(0.98, 0.02),
            rms_order: pair(0.97, 0.02),
            weak_order: pair(f64::NAN, f64::NAN),
            levels: vec![level(16, 0.1), level(32, 0.05)],
            too_noisy: vec![16, 32],
            rounding: vec![],
            pathless: false,
            stated: Orders { strong: Some(1.0), weak: None },
            enumerated: None,
        };
        let want = "\
steps  h        E|x - ref|       rms              |E x - E ref|    µs a path
16     0.0625   0.1000 ± 0.0010  0.1000 ± 0.0010  0.0100 ± 0.0010  0.016
32     0.03125  0.0500 ± 0.0010  0.0500 ± 0.0010  0.0050 ± 0.0010  0.032
strong order 0.980 ± 0.020, stated 1
weak order not measured
the weak errors at 16, 32 steps are below their noise and not in the fit
";
        assert_eq!(convergence(&c, Style::PLAIN), want);
    }
}
