//! Plots and reports as files: every kind draws something that a viewer reads, and a browser shows the page.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::AtomicBool;

use fokker::plot::{Figure, Ink, Layer, Mark, Scale};
use fokker::session::figures::{Drawn, figures_of};
use fokker::session::load::{Options, load_text};
use fokker::session::{Request, run_program};
use resvg::usvg;
use serde_json::Value;

const OU: &str = "model ou(k = 1.0) { state x = 1.0; dx = -k*x dt + sqrt(2) dW }\n";

/// Runs a program and draws its plots.
fn drawn(text: &str) -> Vec<Drawn> {
    let loaded = load_text("test.sde", text, &Options::default());
    let request = Request { plots: true, ..Request::default() };
    let finished = run_program(&loaded, &request, &AtomicBool::new(false), &mut |_| {});
    assert!(finished.problems.is_empty(), "{:?}", finished.problems);
    finished.runs.iter().flat_map(figures_of).collect()
}

fn run_of(statements: &str) -> String {
    format!(
        "{OU}run r {{ model = ou(); solver = euler_maruyama; time = 0 .. 4 step 0.1; paths = 200; seed = 3\n{statements}\n}}"
    )
}

fn lines(f: &Figure) -> Vec<&Layer> {
    f.panels[0].layers.iter().filter(|l| matches!(l.mark, Mark::Line(_))).collect()
}

fn points(layer: &Layer) -> &[(f64, f64)] {
    match &layer.mark {
        Mark::Line(points) | Mark::Dots(points) => points,
        other => panic!("no line: {other:?}"),
    }
}

/// The integral of a curve by trapezia.
fn integral(curve: &[(f64, f64)]) -> f64 {
    curve.windows(2).map(|w| 0.5 * (w[1].0 - w[0].0) * (w[0].1 + w[1].1)).sum()
}

#[test]
fn paths_are_the_first_ones_and_the_caption_says_so() {
    let all = drawn(&run_of("plot paths(x), paths(x, n = 3), trace(x) at [1, 2, 4]"));
    assert_eq!(lines(&all[0].figure).len(), 50);
    assert_eq!(all[0].figure.caption, "The first 50 of 200 paths");
    assert_eq!(lines(&all[1].figure).len(), 3);
    assert_eq!(points(lines(&all[2].figure)[0]).iter().map(|p| p.0).collect::<Vec<_>>(), [1.0, 2.0, 4.0]);
}

#[test]
fn paths_are_those_that_save_writes() {
    let run = run_of("plot paths(x, n = 2) at [1, 2]\nsave x every 1 first 2 to \"x.csv\"");
    let loaded = load_text("test.sde", &run, &Options::default());
    let request = Request { plots: true, ..Request::default() };
    let finished = run_program(&loaded, &request, &AtomicBool::new(false), &mut |_| {});
    let saved = &finished.runs[0].saved[0];
    let figure = &figures_of(&finished.runs[0])[0].figure;
    for path in 0..2 {
        for (k, (t, x)) in points(lines(figure)[path]).iter().enumerate() {
            assert_eq!(*t, saved.times[k + 1]);
            assert_eq!(*x, saved.recorded.values[path * 5 + k + 1]);
        }
    }
}

#[test]
fn a_fan_holds_its_quantiles_and_a_report_agrees() {
    let loaded = load_text("t.sde", &run_of("plot fan(x) at [2, 4]\nreport quantile(x, 0.95)"), &Options::default());
    let request = Request { plots: true, ..Request::default() };
    let finished = run_program(&loaded, &request, &AtomicBool::new(false), &mut |_| {});
    let figure = &figures_of(&finished.runs[0])[0].figure;
    let Mark::Band(outer) = &figure.panels[0].layers[0].mark else { panic!("a band") };
    assert_eq!(outer[1].2, finished.runs[0].variants[0].reports[0].value.values[0]);
    let names: Vec<&str> = figure.panels[0].legend().map(|l| l.0).collect();
    assert_eq!(names, ["5 to 95 %", "25 to 75 %", "median"]);
}

#[test]
fn the_density_of_a_target_is_normalised() {
    let well = "target well(h = 1.0) on x: real { potential h*(x^2 - 1)^2 }\n";
    let text = format!(
        "{well}run r {{ model = langevin(well()); solver = euler_maruyama; time = 0 .. 5 step 0.01; paths = 4_000
           plot histogram(x), histogram(x^2), density(x, reference = well(h = 1)) }}"
    );
    let all = drawn(&text);
    let reference = |d: &Drawn| d.figure.panels[0].layers.iter().find(|l| l.ink == Ink::Reference).cloned();
    let own = reference(&all[0]).expect("the state of a model over a target has its density");
    assert_eq!(own.name.as_deref(), Some("well"));
    assert!((integral(points(&own)) - 1.0).abs() < 0.01, "{}", integral(points(&own)));
    assert!(reference(&all[1]).is_none(), "the law of a function of the state is another one");
    let Mark::Bars { edges, heights } = &all[0].figure.panels[0].layers[0].mark else { panic!("bars") };
    let mass: f64 = edges.windows(2).zip(heights).map(|(e, h)| (e[1] - e[0]) * h).sum();
    assert!((mass - 1.0).abs() < 1e-9);
    let smooth = points(lines(&all[2].figure)[0]);
    assert!((integral(smooth) - 1.0).abs() < 0.02, "{}", integral(smooth));
    assert_eq!(reference(&all[2]).and_then(|l| l.name).as_deref(), Some("well(h = 1)"));
}

#[test]
fn contours_hold_what_they_say() {
    let text = "run r { model = gaussian([0, 0], eye(2)); paths = 8_000; plot scatter(x), density(x) }";
    let all = drawn(text);
    let Mark::Contours(found) = &all[0].figure.panels[0].layers[1].mark else { panic!("contours") };
    // within r lies the share 1 - exp(-r^2/2)
    for (line, share) in found.iter().zip([0.99f64, 0.9, 0.5]) {
        let r = (-2.0 * (1.0 - share).ln()).sqrt();
        assert!(line.iter().all(|(x, y)| (x.hypot(*y) - r).abs() < 0.05), "{share}");
    }
    assert_eq!(found.len(), 3);
    assert_eq!(points(&all[0].figure.panels[0].layers[0]).len(), 5_000);
    assert!(all[1].figure.panels[0].colours.is_some());
}

#[test]
fn a_ladder_is_of_all_variants_and_animations_have_one_pair_of_axes() {
    let all = drawn(&run_of("sweep k = [0.5, 1, 2]\nplot ladder(var(x), reference = k -> 1/k)"));
    assert_eq!(all.len(), 1);
    let Mark::Estimates(points) = &all[0].figure.panels[0].layers[0].mark else { panic!("estimates") };
    assert_eq!(points.iter().map(|p| p.0).collect::<Vec<_>>(), [0.5, 1.0, 2.0]);
    assert!(points.iter().all(|p| p.2 > 0.0));
    let Mark::Line(reference) = &all[0].figure.panels[0].layers[1].mark else { panic!("a line") };
    assert_eq!(reference, &[(0.5, 2.0), (1.0, 1.0), (2.0, 0.5)]);
    let swept =
        "sweep k = [0.01, 0.1, 1]\nplot ladder(mean(x)) at [1, 2]\nplot ladder(var(x)), image(mean([[x, 1], [1, x]]))";
    let several = drawn(&run_of(swept));
    let names: Vec<&str> = several[0].figure.panels[0].legend().map(|l| l.0).collect();
    assert_eq!(names, ["t = 1", "t = 2"]);
    assert_eq!(several[1].figure.caption, "200 paths for each value, at t = 4; bars: standard errors");
    assert_eq!(several[1].figure.panels[0].x.scale, Scale::Log);
    assert!(several[2].figure.title.ends_with(" at t = 4"), "{}", several[2].figure.title);
    let frames = drawn(&run_of("plot animation(histogram(x), frames = 4)"));
    assert_eq!(frames.iter().map(|d| d.name.as_str()).collect::<Vec<_>>()[3], "r-animation-histogram-x-frames-4-004");
    assert!(frames.iter().all(|d| d.figure.panels[0].ranges() == frames[0].figure.panels[0].ranges()));
}

#[test]
fn ranks_of_all_chains_are_even_on_the_whole() {
    let all = drawn(&run_of(
        "plot rank(x) over t in [1, 4] every 0.1\nplot autocorr(x, lags = 5) over t in [1, 4] every 0.1",
    ));
    let total: f64 = all[0]
        .figure
        .panels
        .iter()
        .map(|p| match &p.layers[0].mark {
            Mark::Bars { heights, .. } => heights.iter().sum::<f64>(),
            other => panic!("no bars: {other:?}"),
        })
        .sum();
    assert_eq!(total, 4.0 * 31.0);
    let Mark::Estimates(lags) = &all[1].figure.panels[0].layers[0].mark else { panic!("estimates") };
    assert_eq!(lags.len(), 6);
    assert!((lags[0].1 - 1.0).abs() < 1e-9 && (lags[5].0 - 0.5).abs() < 1e-9);
}

#[test]
fn plots_do_not_change_the_numbers() {
    let value = |statements: &str| {
        let loaded = load_text("t.sde", &run_of(statements), &Options::default());
        let request = Request { plots: true, ..Request::default() };
        let finished = run_program(&loaded, &request, &AtomicBool::new(false), &mut |_| {});
        finished.runs[0].variants[0].reports[0].value.clone()
    };
    assert_eq!(value("report mean(x)"), value("report mean(x)\nplot fan(x), paths(x), scatter(x, x^2), density(x)"));
}

#[test]
fn panels_have_the_names_of_the_user() {
    let pair = "model pair() { state s = 1.0; state v = 0.0; ds = v dt; dv = -s dt + dW }
run r { model = pair(); solver = euler_maruyama; time = 0 .. 1 step 0.1; paths = 50
  plot fan([s, v]), histogram([s, v]), phase([s, v]), paths([[s, v], [s^2, v^2]]), fan([s, 2*s]), scatter(s, v) }";
    let all = drawn(pair);
    let labels = |k: usize| -> Vec<&str> { all[k].figure.panels.iter().map(|p| p.y.label.as_str()).collect() };
    assert_eq!(labels(0), ["s", "v"]);
    assert_eq!(all[1].figure.panels[1].x.label, "v");
    assert_eq!((all[2].figure.panels[0].x.label.as_str(), labels(2)[0]), ("s", "v"));
    assert_eq!(labels(3), ["s", "v", "s^2", "v^2"]);
    assert_eq!(labels(4), ["s", "2*s"]);
    assert!(all.iter().all(|d| d.figure.panels.iter().all(|p| p.title.is_empty())), "what an axis says is no title");
}

#[test]
fn modes_stay_apart_and_point_masses_are_lines() {
    let text = "target modes() = mixture([0.5, 0.5], [gaussian([-1], [[0.01]]), gaussian([1], [[0.01]])])
run r { model = modes(); paths = 5_000; seed = 1
  plot density(x[0]), density(max(x[0], 0)), density(floor(x[0])), histogram(0*x[0]) }";
    let all = drawn(text);
    let layers = |k: usize| &all[k].figure.panels[0].layers;
    let top = points(lines(&all[0].figure)[0]).iter().map(|p| p.1).fold(0.0, f64::max);
    // half of a normal of standard deviation 0.1
    assert!((top - 1.995).abs() < 0.15, "{top}");
    let Mark::Stems(mass) = &layers(1)[2].mark else { panic!("a mass beside a curve") };
    assert_eq!((mass.len(), mass[0].0), (1, 0.0));
    assert!(layers(1)[2].name.as_deref().is_some_and(|n| n.ends_with("% of the values are 0")));
    let left = integral(points(&layers(1)[1]));
    assert!((left - 0.5).abs() < 0.02, "{left}");
    let Mark::Stems(whole) = &layers(2)[0].mark else { panic!("masses alone") };
    assert!((whole.iter().map(|m| m.1).sum::<f64>() - 1.0).abs() < 1e-9 && whole.len() >= 3);
    assert_eq!(all[2].figure.panels[0].y.label, "probability");
    assert!(!all[2].figure.caption.contains("smoothed"));
    assert_eq!(layers(3)[0].mark, Mark::Stems(vec![(0.0, 1.0)]));
}

#[test]
fn paths_that_explode_are_told_and_hide_nothing() {
    let text = "model wild() { state x = 0.5; dx = (x^3 - x) dt + 0.8 dW }
run r { model = wild(); solver = euler_maruyama; time = 0 .. 5 step 0.01; paths = 100; seed = 1
  plot paths(x), fan(x), histogram(x) }";
    let all = drawn(text);
    assert!(all.iter().all(|d| d.figure.caption.contains(" of 100 paths diverged, the first at t = ")), "{all:?}");
    let (low, high) = all[0].figure.panels[0].ranges()[1];
    assert!(low > -100.0 && high < 100.0, "{low} {high}");
}

// Files.

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("fokker-plots-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the temporary folder can be written");
        Folder(path)
    }

    fn run(&self, text: &str, args: &[&str]) -> Output {
        std::fs::write(self.0.join("p.sde"), text).expect("the temporary folder can be written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_fokker"));
        command.current_dir(&self.0).args(["run", "p.sde"]).args(args).output().expect("fokker starts")
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn tree(svg: &[u8]) -> usvg::Tree {
    usvg::Tree::from_data(svg, &usvg::Options::default()).expect("an SVG that is read")
}

const EVERY: &str =
    "plot paths(x), fan(x), histogram(x), density(x), phase(x, x^2), trace(x), scatter(x, x^2), density(x, x^2)
plot rank(x), autocorr(x) over t in [1, 4] every 0.1
plot image([x, 2*x, 3*x]), image([[x, 2*x], [3*x, 4*x]]), image(mean([[x, 2*x], [3*x, 4*x]]))
plot animation(scatter(x, x^2), frames = 3)
plot histogram(x) at [1, 2]
plot fan(x) to \"deep/own.png\"";

#[test]
fn every_kind_is_a_file_that_is_listed() {
    let folder = Folder::new("every");
    let output = folder.run(&run_of(EVERY), &["--json", "--paths", "40"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let plots = told["runs"][0]["plots"].as_array().expect("plots");
    assert_eq!(plots.len(), 17);
    for plot in plots {
        let name = plot["file"].as_str().expect("a file");
        let bytes = folder.read(name);
        match name.ends_with(".png") {
            true => assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.len() > 5_000, "{name}"),
            false => {
                let size = tree(&bytes).size();
                assert!(size.width() > 300.0 && size.height() > 200.0, "{name}");
            }
        }
    }
    assert_eq!(plots[0], serde_json::json!({ "plot": "paths(x)", "file": "./r-paths-x.svg" }));
    let frames = plots.iter().find(|p| !p["frames"].is_null()).expect("an animation");
    assert_eq!(frames["frames"], 3);
    let manifest: Value = serde_json::from_slice(&folder.read("r.manifest.json")).expect("JSON");
    assert_eq!(manifest["results"].as_array().expect("files").len(), 19);
}

#[test]
fn text_in_a_plot_is_text_and_themes_differ() {
    let folder = Folder::new("themes");
    let fan = run_of("plot fan(x, reference = t -> exp(-t))");
    assert!(folder.run(&fan, &[]).status.success());
    let light = String::from_utf8(folder.read("r-fan-x.svg")).expect("text");
    for wanted in [">t</text>", ">x</text>", ">median</text>", ">exp(-t)</text>", ">r: ou by euler_maruyama</text>"] {
        assert!(light.contains(wanted), "{wanted} in {light}");
    }
    assert!(folder.run(&fan, &["--plot-theme", "dark"]).status.success());
    let dark = String::from_utf8(folder.read("r-fan-x.svg")).expect("text");
    assert!(light.contains("#ffffff") && !dark.contains("#ffffff"));
    assert!(folder.run(&fan, &["--plot-format", "png"]).status.success());
    assert!(folder.read("r-fan-x.png").starts_with(b"\x89PNG"));
}

#[test]
fn the_terminal_takes_the_place_of_files() {
    let folder = Folder::new("terminal");
    let output = folder.run(&run_of("plot fan(x), histogram(x)"), &["--plot-terminal"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c)) && text.contains("median"), "{text}");
    assert!(!folder.0.join("r-fan-x.svg").exists());
}

#[test]
fn the_terminal_says_how_wide_it_is() {
    let folder = Folder::new("wide");
    std::fs::write(folder.0.join("p.sde"), run_of("plot fan(x), scatter(x, x^2)")).expect("written");
    for width in [30usize, 64, 120] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fokker"));
        command.current_dir(&folder.0).args(["run", "p.sde", "--plot-terminal"]).env("COLUMNS", width.to_string());
        let output = command.output().expect("fokker starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let axis = text.lines().find(|l| l.contains('└')).map(|l| l.chars().count());
        assert_eq!(axis, Some(width), "{text}");
    }
}

/// A rectangle or a text of an SVG file by its attributes.
fn attribute(element: &str, name: &str) -> f64 {
    let from = element.split(&format!(" {name}=\"")).nth(1).unwrap_or_else(|| panic!("{name} in {element}"));
    from.split('"').next().and_then(|v| v.parse().ok()).expect("a number")
}

#[test]
fn a_legend_without_a_free_place_is_above_the_panel() {
    let folder = Folder::new("legend");
    // the bands fill all of the panel
    let text =
        "run r { model = bm(); solver = euler_maruyama; time = 0 .. 1 step 0.1; paths = 100; init x ~ normal(0, 1)
plot fan(x), fan([x, 2*x]) }";
    assert!(folder.run(text, &[]).status.success());
    let frame = |svg: &str| attribute(svg.split("<clipPath").nth(1).expect("a frame"), "y");
    let word = |svg: &str| {
        let line = svg.lines().find(|l| l.contains(">median<")).expect("a legend").to_string();
        attribute(&line, "y")
    };
    for name in ["r-fan-x.svg", "r-fan-x-2-x.svg"] {
        let svg = String::from_utf8(folder.read(name)).expect("text");
        assert!(word(&svg) < frame(&svg), "{name}: {} below {}", word(&svg), frame(&svg));
        assert_eq!(svg.matches(">median<").count(), 1);
    }
    let two = String::from_utf8(folder.read("r-fan-x-2-x.svg")).expect("text");
    let frames: Vec<(f64, f64)> =
        two.split("<clipPath").skip(1).map(|c| (attribute(c, "y"), attribute(c, "height"))).collect();
    assert_eq!(frames[0], frames[1], "panels of one size");
}

#[test]
fn a_folder_that_cannot_be_written_is_told_before_the_run() {
    let folder = Folder::new("unwritable");
    std::fs::write(folder.0.join("file"), "").expect("written");
    let output = folder.run(&run_of("plot fan(x) to \"file/fan.svg\""), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("E0606"));
}

// The report.

const MODEL: &str = "run two { model = ou(k = 2); solver = [euler_maruyama, heun]; time = 0 .. 1
  converge steps = [4, 8, 16], reference = 64; paths = 50 }";

fn report(folder: &Folder) -> String {
    let statements =
        "report mean(x), quantile(x, [0.1, 0.9])\ncheck mean(x) < 5\nplot fan(x), animation(histogram(x), frames = 3)";
    let output = folder.run(&format!("{}\n{MODEL}", run_of(statements)), &["--report", "out.html"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(folder.read("out.html")).expect("text")
}

#[test]
fn the_report_is_one_file_with_everything() {
    let folder = Folder::new("report");
    let page = report(&folder);
    assert_eq!(page.matches("<svg").count(), 1 + 3 + 2, "a fan, three frames, and the orders without being asked for");
    for wanted in ["<math", "mean(x)", "✓ all 1 hold", "strong order", "&quot;seed&quot;: 3", "step 0.1", "Timings"] {
        assert!(page.contains(wanted), "{wanted}");
    }
    let fetched = page.matches("src=").count() + page.matches("href=\"http").count() + page.matches("@import").count();
    assert_eq!(fetched, 0, "nothing is fetched");
    // every id is there once
    let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|t| t.split('"').next()).collect();
    let mut apart = ids.clone();
    apart.sort_unstable();
    apart.dedup();
    assert_eq!(apart.len(), ids.len(), "{ids:?}");
}

#[test]
fn the_report_tells_all_settings_and_one_table_for_a_sweep() {
    let folder = Folder::new("sweep");
    let text = format!(
        "{OU}run r {{ model = ou(); solver = euler_maruyama; time = 0 .. 1 step 0.1
  sweep k = [0.5, 1, 2, 3, 4, 5, 6, 7]; report mean(x), var(x); check mean(x) < 5 }}
run s {{ model = ou(); solver = auto; time = 0 .. 1 step 0.1; report mean(x) }}"
    );
    let output = folder.run(&text, &["--report", "out.html", "--seed", "7", "--set", "s.k=3", "--run", "r"]);
    assert_eq!(output.status.code(), Some(2), "`s.k` is no parameter of `r`");
    let output = folder.run(&text, &["--report", "out.html", "--seed", "7"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = String::from_utf8(folder.read("out.html")).expect("text");
    let row = |name: &str, value: &str, from: &str| {
        let from = if from.is_empty() { String::new() } else { format!("<span class=\"faint\">{from}</span>") };
        format!("<tr><td>{name}</td><td><code>{value}</code></td><td>{from}</td></tr>")
    };
    for wanted in [
        row("sweep k", "[0.5, 1, 2, 3, 4, 5, 6, 7]", ""),
        row("time", "0 .. 1 step 0.1", "10 steps"),
        row("paths", "1000", "default"),
        row("seed", "7", "--seed"),
        row("precision", "f64", "default"),
        row("k", "1", "default"),
    ] {
        assert!(page.contains(&wanted), "{wanted} in {page}");
    }
    assert!(page.contains("chosen: "), "the solver of `auto`");
    let run = page.split("<section id=\"run-r\">").nth(1).and_then(|p| p.split("Timings").next()).expect("the run");
    assert_eq!(run.matches("<h3>").count(), 3, "settings, results and checks: {run}");
    assert!(run.contains("<th>k</th><th><code>mean(x)</code></th><th><code>var(x)</code></th>"), "{run}");
    assert!(!run.contains(">k</td><td><code>1<"), "what is swept has no one value");
}

fn browser() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let folders: Vec<PathBuf> =
        std::env::var_os("PATH").map(|p| std::env::split_paths(&p).collect()).unwrap_or_default();
    folders.iter().flat_map(|f| names.map(|n| f.join(n))).find(|p| p.is_file())
}

/// What a browser makes of a page, by its own account.
fn shown(browser: &Path, folder: &Folder, action: &str) -> Output {
    Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--window-size=1000,3000",
        ])
        .arg(format!("--user-data-dir={}", folder.0.join("profile").display()))
        .arg(action)
        .arg(format!("file://{}", folder.0.join("out.html").display()))
        .output()
        .expect("the browser starts")
}

#[test]
fn a_browser_shows_the_report() {
    let Some(browser) = browser() else {
        eprintln!("skipped: there is no browser here (chromium or google-chrome) to show the report");
        return;
    };
    let folder = Folder::new("browser");
    report(&folder);
    // the script has run: of three frames one is shown
    let dom = String::from_utf8_lossy(&shown(&browser, &folder, "--dump-dom").stdout).into_owned();
    assert_eq!(dom.matches("style=\"display: none;\"").count(), 2, "frames that are hidden");
    let picture = folder.0.join("page.png");
    shown(&browser, &folder, &format!("--screenshot={}", picture.display()));
    let bytes = std::fs::read(&picture).expect("a photograph");
    assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 40_000, "{} bytes: more than an empty page", bytes.len());
}
