//! Programs with changed tokens never make the compiler panic, hang or fill the memory: they run, or they are told what
//! is wrong. Sizes that no machine holds are mistakes like any other.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use fokker::diagnostics::render;
use fokker::session::load::{Options, load_bytes};
use fokker::session::{Request, check_loaded, run_program};

/// A run is stopped after this time; it may then take as long again.
const RUN: Duration = Duration::from_millis(300);
/// No case takes longer, on a busy machine in a debug build.
const LIMIT: Duration = Duration::from_secs(20);
/// Bytes that a case may add to the memory of the process.
const MOST_MEMORY: u64 = 1 << 30;
/// As the command line has it.
const STACK: usize = 1 << 30;

/// A linear congruential generator (Knuth, MMIX constants).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }
}

fn corpus() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("examples"), root.join("tests/programs"), root.join("tests/ui")];
    let mut all = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of programs").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "sde")
                && let Ok(text) = std::fs::read_to_string(&path)
            {
                all.push((path, text));
            }
        }
    }
    all.sort();
    all
}

/// Names, numbers, runs of blanks, and single characters; comments stay with the line.
fn tokens(text: &str) -> Vec<String> {
    let kind = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '_' => 0,
        '0'..='9' => 1,
        ' ' => 2,
        _ => 3,
    };
    let mut all: Vec<String> = Vec::new();
    for c in text.lines().map(|l| l.split('#').next().unwrap_or("")).flat_map(|l| l.chars().chain(['\n'])) {
        match all.last_mut() {
            Some(last) if kind(c) < 3 && last.chars().next_back().is_some_and(|d| kind(d) == kind(c)) => last.push(c),
            Some(last) if kind(c) == 1 && last.starts_with(|d: char| kind(d) == 0) => last.push(c),
            _ => all.push(c.to_string()),
        }
    }
    all
}

const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "1",
    "2",
    "7",
    "0.5",
    "1e308",
    "1e-308",
    "1e18",
    "1_000_000_000",
    "9223372036854775807",
    "0/0",
    "1/0",
    "(-inf)",
    "65536",
    "3.7",
    "1e9",
];
const OPERATORS: &[&str] = &["+", "-", "*", "/", "^", "@", "<", "==", "and", "..", ",", ".T", "~", "=", "'"];
const PIECES: &[&str] = &[
    "real[1000000000]",
    "real[0]",
    "real[2, 2]",
    "zeros(0)",
    "zeros(3)",
    "ones(2, 2)",
    "grad(x, x)",
    "sum(x)",
    "(x -> x)",
    "[i for i in 0..1000000000]",
    "sum(i for i in 0..1000000000)",
    "normal(0, 1)",
    "dt",
    "dW",
    "t",
    "inf",
    "true",
    "p.dim",
    "hessian(x, x)",
    "inv(x)",
    "x[0]",
    "x[1..]",
    "mean(x)",
    "if true then 1 else x",
    "[]",
    "[[1, 2], [3]]",
];

fn mutated(text: &str, dice: &mut Dice) -> String {
    let mut all = tokens(text);
    for _ in 0..1 + dice.roll(3) {
        let words: Vec<usize> = (0..all.len()).filter(|k| !all[*k].trim().is_empty()).collect();
        if words.is_empty() {
            break;
        }
        let at = words[dice.roll(words.len())];
        let other = words[dice.roll(words.len())];
        let is_name = |k: usize| all[k].starts_with(|c: char| c.is_alphabetic());
        let numbers: Vec<usize> =
            words.iter().copied().filter(|k| all[*k].starts_with(|c: char| c.is_ascii_digit())).collect();
        match dice.roll(9) {
            0 => all[at].clear(),
            1 => all[at] = all[at].repeat(2),
            2 => all.swap(at, other),
            3 | 4 if !numbers.is_empty() => {
                all[numbers[dice.roll(numbers.len())]] = NUMBERS[dice.roll(NUMBERS.len())].into();
            }
            5 => all[at] = OPERATORS[dice.roll(OPERATORS.len())].into(),
            6 => all[at] = PIECES[dice.roll(PIECES.len())].into(),
            _ => {
                let names: Vec<usize> = words.iter().copied().filter(|k| is_name(*k)).collect();
                if let (true, false) = (is_name(at), names.is_empty()) {
                    all[at] = all[names[dice.roll(names.len())]].clone();
                }
            }
        }
    }
    all.concat()
}

/// Resident bytes of the process at their most, where the system tells.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) << 10
}

/// Checks a program and, if it has no errors, runs it for a moment.
fn work_out(path: &Path, text: &str, stop: &AtomicBool) -> Vec<&'static str> {
    let loaded = load_bytes("changed.sde", Some(path.to_path_buf()), text.as_bytes(), &Options::default());
    let mut problems = check_loaded(&loaded);
    if !problems.iter().any(|p| p.is_error()) {
        let request = Request { paths: Some(8), threads: Some(1), ..Request::default() };
        problems.extend(run_program(&loaded, &request, stop, &mut |_| {}).problems);
    }
    problems.iter().take(3).for_each(|p| drop(render(p, &loaded.sources, false)));
    problems.iter().filter(|p| p.is_error()).map(|p| p.code.0).collect()
}

/// The codes of the errors of a program, which is worked out within limits.
fn survives(path: &Path, text: &str) -> Vec<&'static str> {
    let before = memory();
    let stop = Arc::new(AtomicBool::new(false));
    let (send, done) = channel();
    let (thread_stop, thread_path, thread_text) = (stop.clone(), path.to_path_buf(), text.to_string());
    let run = move || send.send(work_out(&thread_path, &thread_text, &thread_stop));
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(run).expect("a thread starts");
    let mut found = done.recv_timeout(RUN);
    if found == Err(RecvTimeoutError::Timeout) {
        stop.store(true, Ordering::Relaxed);
        found = done.recv_timeout(LIMIT);
    }
    match found {
        Ok(codes) => {
            thread.join().expect("it has ended").expect("nobody has hung up");
            let grown = memory().saturating_sub(before);
            assert!(grown < MOST_MEMORY, "{grown} bytes for, from {}:\n{text}", path.display());
            codes
        }
        Err(RecvTimeoutError::Timeout) => panic!("no end, from {}:\n{text}", path.display()),
        Err(RecvTimeoutError::Disconnected) => panic!("a panic, from {}:\n{text}", path.display()),
    }
}

#[test]
fn changed_programs_are_answered() {
    let corpus = corpus();
    assert!(corpus.len() > 100, "the programs are where they are expected");
    let seed = std::env::var("FOKKER_FUZZ_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let cases = std::env::var("FOKKER_FUZZ_CASES").ok().and_then(|s| s.parse().ok()).unwrap_or(250);
    let mut dice = Dice(seed);
    for _ in 0..cases {
        let (path, text) = &corpus[dice.roll(corpus.len())];
        let changed = mutated(text, &mut dice);
        survives(path, &changed);
    }
}

/// A program with something very large at one of its places.
fn large(header: &str, model: &str, run: &str) -> String {
    let time = if run.contains("time") || run.contains("converge") { "" } else { "  time = 0 .. 1 step 0.5\n" };
    format!(
        "{header}\nmodel m() {{\n  state x = 0.0\n{model}\n  dx = -x dt + dW\n}}\n\
         run r {{\n  model = m()\n  solver = euler_maruyama\n{time}{run}\n}}\n"
    )
}

#[test]
fn what_no_machine_holds_is_a_mistake() {
    let models = [
        "  state y: real[1000000000] = 0",
        "  state y: real[100000, 100000] = 0",
        "  state y: real[9223372036854775807, 9223372036854775807] = 0",
        "  let y = zeros(1000000000)",
        "  let y = eye(1000000)",
        "  let y = ones(9223372036854775807)",
        "  let y = [i for i in 0..1000000000]",
        "  let y = [i + j + k for i in 0..10000, j in 0..10000, k in 0..10000]",
        "  let y = sum(x + i for i in 0..9223372036854775807)",
        "  let y = sum(x + i*j for i in 0..4000000000, j in 0..4000000000)",
        "  let y = linspace(0, 1, 1000000000)",
        "  let y = geometric(1, 2, 9223372036854775807)",
        "  let y = outer(zeros(100000), zeros(100000))",
        "  noise V: wiener[1000000000]",
    ];
    for model in models {
        let text = large("", model, "  report mean(x)");
        assert!(!survives(Path::new("large.sde"), &text).is_empty(), "{text}");
    }
    let runs = [
        "  time = 1000000000000000000 steps",
        "  time = 9223372036854775807 steps",
        "  time = 0 .. 1 step 1e-300",
        "  time = 0 .. 1e300 step 1",
        "  time = linspace(0, 1, 10000000000)",
        "  converge steps = [1000000000], reference = 4000000000000000000",
        "  report mean(x) over last 9223372036854775807 steps",
        "  report mean(x) over t in [0, 1] every 1e-300",
        "  save x every 1e-300 to \"a.csv\"",
        "  sweep q = linspace(0, 1, 10000000000)",
    ];
    for run in runs {
        let text = large("", "", run);
        assert!(!survives(Path::new("large.sde"), &text).is_empty(), "{text}");
    }
    let targets =
        ["product(gaussian([0], [[1]]), 1000000000)", "phi4_plane(n = 1000000)", "ar1(n = 9223372036854775807)"];
    for target in targets {
        let text = format!("run r {{\n  model = langevin({target})\n  solver = ula(h = 0.1)\n  time = 10 steps\n}}\n");
        assert!(!survives(Path::new("large.sde"), &text).is_empty(), "{text}");
    }
}

/// More paths or steps than anyone waits for are stopped as the user stops them.
#[test]
fn long_runs_can_be_stopped() {
    for run in ["  time = 0 .. 10 step 1e-6", "  time = 0 .. 1 step 1e-3\n  sweep x0 = linspace(0, 1, 1000)"] {
        let text = format!("run r {{\n  model = ou()\n  solver = euler_maruyama\n  paths = 1000000000\n{run}\n}}\n");
        assert_eq!(survives(Path::new("long.sde"), &text), [""; 0], "{text}");
    }
}
