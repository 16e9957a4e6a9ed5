//! The problems P1 to P7, each by Fokker and by a kernel written by hand for its one model, interleaved in one run.
//! `cargo bench --bench problems [-- p1 p4 ...]`
//!
//! Fokker goes the way of a user: the text in `problems/`, the compiler, the engine on one thread. The kernels by hand
//! (`problems/hand.rs`) have the same noise, so what is compared is the code of the step and the driver. Repeats are
//! short, as a machine is seldom quiet: the fastest repeat of each side counts, and the middle of the ratios of
//! neighbouring repeats stands beside it. Then: nanoseconds for a normal, start-up of the program, time to compile.

#[cfg(target_arch = "x86_64")]
#[path = "problems/hand.rs"]
mod hand;

#[cfg(target_arch = "x86_64")]
fn main() {
    let ready = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    if ready {
        measure::all();
    } else {
        println!("skipped: the kernels by hand need AVX2 and FMA");
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn main() {
    println!("skipped: the kernels by hand are for x86-64");
}

#[cfg(target_arch = "x86_64")]
mod measure {
    use std::hint::black_box;
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::time::Instant;

    use fokker::kernels::normal::{Coord, Key, Rows, fill_normals};
    use fokker::runtime::{Control, engine};
    use fokker::session::Request;
    use fokker::session::bench::{Prepared, prepared};
    use fokker::session::load::{Options, load_file};

    use super::hand;

    const REPEATS: usize = 41;

    /// A kernel by hand, of a number of paths and of steps.
    type ByHand<'a> = &'a dyn Fn(usize, usize) -> f64;

    fn seconds(f: impl FnOnce()) -> f64 {
        let begin = Instant::now();
        f();
        begin.elapsed().as_secs_f64()
    }

    /// Least and middle.
    fn least_and_middle(mut times: Vec<f64>) -> (f64, f64) {
        times.sort_unstable_by(f64::total_cmp);
        (times[0], times[times.len() / 2])
    }

    fn file(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/problems").join(format!("{name}.sde"))
    }

    fn load(name: &str) -> Prepared {
        let request = Request { threads: Some(1), ..Request::default() };
        let (mut all, problems) = prepared(&load_file(&file(name), &Options::default()), &request);
        assert!(problems.is_empty(), "{problems:#?}");
        all.remove(0)
    }

    /// Both sides of a problem with `paths` paths, in turn.
    fn compare(name: &str, paths: usize, by_hand: impl Fn(usize, usize) -> f64) {
        let Prepared { mut job, .. } = load(name);
        job.paths = paths as u64;
        let steps = job.steps() as usize;
        let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..REPEATS {
            let a = seconds(|| _ = black_box(engine::run(&job, Control::default())));
            let b = seconds(|| _ = black_box(by_hand(paths, steps)));
            ours.push(a);
            theirs.push(b);
            ratios.push(b / a);
        }
        let ((ours, _), (theirs, _), (_, ratio)) =
            (least_and_middle(ours), least_and_middle(theirs), least_and_middle(ratios));
        let count = (paths * steps) as f64;
        println!("{name}  {:>11.3e}  {:>11.3e}  {:>6.2}  {ratio:>6.2}", count / ours, count / theirs, theirs / ours);
    }

    /// The design of P7: an intercept and standardised columns, as the program makes them.
    fn design() -> hand::Design {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/breast_cancer.csv");
        let text = std::fs::read_to_string(path).expect("the data are there");
        let mut lines = text.lines();
        let names: Vec<&str> = lines.next().expect("a header").split(',').collect();
        let at = |name: &str| names.iter().position(|n| *n == name).expect("a column");
        let (first, last, y) = (at("mean_radius"), at("worst_fractal_dimension"), at("benign"));
        let number = |text: &str| text.trim().parse::<f64>().expect("a number");
        let table: Vec<Vec<f64>> = lines.map(|l| l.split(',').map(number).collect()).collect();
        let n = table.len() as f64;
        let columns = last - first + 1;
        let mean: Vec<f64> = (0..columns).map(|j| table.iter().map(|r| r[first + j]).sum::<f64>() / n).collect();
        let spread = |j: usize| (table.iter().map(|r| (r[first + j] - mean[j]).powi(2)).sum::<f64>() / n).sqrt();
        let spread: Vec<f64> = (0..columns).map(spread).collect();
        let row = |r: &Vec<f64>| -> Vec<f64> {
            std::iter::once(1.0).chain((0..columns).map(|j| (r[first + j] - mean[j]) / spread[j])).collect()
        };
        hand::Design::new(columns + 1, table.iter().flat_map(row).collect(), table.iter().map(|r| r[y]).collect())
    }

    /// Nanoseconds for a normal in rows of 64 and of 8 lanes.
    fn normals() {
        let first = Coord { path: 0, step: 0, site: 0, component: 0, turn: 0 };
        let mut out = vec![0.0; 4096];
        for lanes in [64, 8] {
            let key = Key { seed: 1, stream: 0 };
            let rows = Rows { key, first, lanes, components: 1, steps: 4096 / lanes, step_stride: lanes };
            let times = (0..2000).map(|_| seconds(|| fill_normals(black_box(&rows), black_box(&mut out)))).collect();
            println!("ns for a normal, rows of {lanes}: {:.3}", least_and_middle(times).0 * 1e9 / 4096.0);
        }
    }

    /// The whole process on P1 with 10,000 paths, and what compiling takes of each problem.
    fn start_up() {
        let run = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_fokker"));
            let output = command.arg("run").arg(file("p1")).args(["--threads", "1"]).output();
            assert!(output.is_ok_and(|o| o.status.success()));
        };
        let (least, middle) = least_and_middle((0..15).map(|_| seconds(run)).collect());
        println!("start-up, P1 with 10 000 paths: {:.1} ms (middle {:.1} ms)", least * 1e3, middle * 1e3);
        for name in ["p1", "p2", "p3", "p4", "p5", "p6", "p7"] {
            let (least, _) = least_and_middle((0..5).map(|_| load(name).compile_seconds).collect());
            println!("compile {name}: {:.2} ms", least * 1e3);
        }
    }

    pub fn all() {
        let asked: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
        let wanted = |name: &str| asked.is_empty() || asked.iter().any(|a| a == name);
        println!("    path-steps/s of Fokker and by hand, ratio of the fastest, middle ratio");
        let design = design();
        let problems: [(&str, usize, ByHand<'_>); 7] = [
            ("p1", 4096, &|paths, steps| hand::p1(paths, steps, 1)),
            ("p2", 4096, &|paths, steps| hand::p2(paths, steps, 2)),
            ("p3", 512, &|paths, steps| hand::p3(paths, steps, 3)),
            ("p4", 1024, &|paths, steps| hand::p4(paths, steps, 4)),
            ("p5", 8192, &|paths, steps| hand::p5(paths, steps, 5)),
            ("p6", 64, &|paths, steps| hand::p6(paths, steps, 6)),
            ("p7", 64, &|_, steps| hand::p7(&design, steps, 7)),
        ];
        for (name, paths, by_hand) in problems {
            if wanted(name) {
                compare(name, paths, by_hand);
            }
        }
        if wanted("normal") {
            normals();
        }
        if wanted("start") {
            start_up();
        }
    }
}
