//! The problems P1 to P7, each by Fokker and by a kernel written by hand for its one model, and by Fokker in single
//! precision; under criterion. `cargo bench --bench problems [-- [--quick] [FILTER]]`, where a filter is a part of a name or
//! a regular expression: `p4`, `'p[45]'`, `normal`, `compile`.
//!
//! Fokker goes the way of a user: the text in `problems/`, the compiler, the engine on one thread. The kernels by hand
//! (`problems/hand.rs`) have the same noise, so what is compared is the code of the step and the driver. A machine is
//! seldom quiet: whichever side criterion measures, all take turns. What they took is told in one line for a problem: the
//! fastest of each counts, and the middle of the ratios of neighbours stands beside it. Then: normals, start-up of the
//! program, time to compile.

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
    use std::cell::RefCell;
    use std::hint::black_box;
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::time::{Duration, Instant};

    use criterion::{Criterion, Throughput};
    use fokker::kernels::lane::Lane;
    use fokker::kernels::normal::{Coord, Key, Rows, fill_normals};
    use fokker::runtime::{Control, Job, engine};
    use fokker::session::Request;
    use fokker::session::bench::{Prepared, prepared};
    use fokker::session::load::{Options, load_file};

    use super::hand;

    /// A kernel by hand, of a number of paths and of steps.
    type ByHand<'a> = &'a dyn Fn(usize, usize) -> f64;

    fn seconds(f: impl FnOnce()) -> f64 {
        let begin = Instant::now();
        f();
        begin.elapsed().as_secs_f64()
    }

    fn least_and_middle(times: impl Iterator<Item = f64>) -> (f64, f64) {
        let mut times: Vec<f64> = times.collect();
        times.sort_unstable_by(f64::total_cmp);
        (times[0], times[times.len() / 2])
    }

    fn file(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/problems").join(format!("{name}.sde"))
    }

    fn load<T: Lane>(name: &str) -> Prepared<T> {
        let request = Request { threads: Some(1), ..Request::default() };
        let (mut all, problems) = prepared(&load_file(&file(name), &Options::default()), &request);
        assert!(problems.is_empty(), "{problems:#?}");
        all.remove(0)
    }

    fn job<T: Lane>(name: &str, paths: usize) -> Job<T> {
        Job { paths: paths as u64, ..load(name).job }
    }

    const SIDES: [&str; 3] = ["fokker", "by hand", "fokker in f32"];

    /// All sides of a problem with `paths` paths.
    fn compare(c: &mut Criterion, name: &str, paths: usize, by_hand: ByHand<'_>) {
        let (double, single) = (job::<f64>(name, paths), job::<f32>(name, paths));
        let steps = double.steps() as usize;
        let count = (paths * steps) as f64;
        let taken: RefCell<Vec<[f64; 3]>> = RefCell::default();
        let turn = |side: usize| {
            let times = [
                seconds(|| _ = black_box(engine::run(&double, Control::default()))),
                seconds(|| _ = black_box(by_hand(paths, steps))),
                seconds(|| _ = black_box(engine::run(&single, Control::default()))),
            ];
            taken.borrow_mut().push(times);
            Duration::from_secs_f64(times[side])
        };
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Elements(count as u64));
        for (side, what) in SIDES.into_iter().enumerate() {
            group.bench_function(what, |b| b.iter_custom(|n| (0..n).map(|_| turn(side)).sum()));
        }
        group.finish();
        tell(name, count, &taken.borrow());
    }

    /// A line with what the sides took for so many path-steps, if the problem was asked for.
    fn tell(name: &str, count: f64, taken: &[[f64; 3]]) {
        if taken.is_empty() {
            return;
        }
        let rate = |side: usize| count / least_and_middle(taken.iter().map(|t| t[side])).0;
        let ratio = |over: usize, under: usize| {
            let (_, middle) = least_and_middle(taken.iter().map(|t| t[under] / t[over]));
            format!("{:.2} (middle {middle:.2})", rate(over) / rate(under))
        };
        let [ours, by_hand, single] = [0, 1, 2].map(rate);
        println!("{name}: {ours:.3e} path-steps/s, by hand {by_hand:.3e}, ratio {}", ratio(0, 1));
        println!("{name}: {single:.3e} path-steps/s in f32, {} times f64\n", ratio(2, 0));
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

    /// Normals in rows of 64 and of 8 lanes.
    fn normals(c: &mut Criterion) {
        let first = Coord { path: 0, step: 0, site: 0, component: 0, turn: 0 };
        let mut out = vec![0.0; 4096];
        let mut group = c.benchmark_group("normal");
        group.throughput(Throughput::Elements(out.len() as u64));
        for lanes in [64, 8] {
            let key = Key { seed: 1, stream: 0 };
            let rows = Rows { key, first, lanes, components: 1, steps: 4096 / lanes, step_stride: lanes };
            group.bench_function(format!("rows of {lanes}"), |b| {
                b.iter(|| fill_normals(black_box(&rows), black_box(&mut out)));
            });
        }
    }

    /// The whole process on P1 with 10,000 paths, and what compiling takes of each problem.
    fn start_up(c: &mut Criterion, names: &[&str]) {
        let run = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_fokker"));
            let output = command.arg("run").arg(file("p1")).args(["--threads", "1"]).output();
            assert!(output.is_ok_and(|o| o.status.success()));
        };
        c.bench_function("start-up, p1 with 10 000 paths", |b| b.iter(run));
        let mut group = c.benchmark_group("compile");
        for name in names {
            let compile = |_| Duration::from_secs_f64(load::<f64>(name).compile_seconds);
            group.bench_function(*name, |b| b.iter_custom(|n| (0..n).map(compile).sum()));
        }
    }

    pub fn all() {
        let times = (Duration::from_millis(300), Duration::from_secs(1));
        let mut c = Criterion::default()
            .without_plots()
            .sample_size(20)
            .warm_up_time(times.0)
            .measurement_time(times.1)
            .configure_from_args();
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
            compare(&mut c, name, paths, by_hand);
        }
        normals(&mut c);
        start_up(&mut c, &problems.map(|p| p.0));
        c.final_summary();
    }
}
