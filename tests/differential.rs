//! The same program, run in different ways: both back ends, other numbers of threads and sizes of blocks, and a sweep
//! value by value give the same bits; the plain evaluator of the raw graph gives the same within rounding.

mod random;

use std::sync::atomic::AtomicBool;

use fokker::diagnostics::{Diagnostic, render};
use fokker::session::compile::Backend;
use fokker::session::load::{Loaded, Options, load_text};
use fokker::session::reference::{Extent, compare};
use fokker::session::{Request, run_program};

const CASES: u64 = 48;

fn told(loaded: &Loaded, problems: &[Diagnostic]) -> String {
    let told = problems.iter().map(|p| render(p, &loaded.sources, false)).collect::<Vec<_>>().join("\n");
    format!("{told}\n{}", loaded.sources.iter().next().map_or("", |main| &main.1.text))
}

/// Every number of every variant of a run, as bits, each with what it is.
fn bits(loaded: &Loaded, request: &Request) -> Vec<Vec<(String, u64)>> {
    let finished = run_program(loaded, request, &AtomicBool::new(false), &mut |_| {});
    let errors: Vec<Diagnostic> = finished.problems.iter().filter(|p| p.is_error()).cloned().collect();
    assert!(errors.is_empty(), "{}", told(loaded, &errors));
    let mut all = Vec::new();
    for ran in &finished.runs {
        for (index, variant) in ran.variants.iter().enumerate() {
            let mut found = vec![("diverged".to_string(), variant.diverged)];
            for report in &variant.reports {
                for x in report.value.values.iter().chain(&report.value.se) {
                    found.push((format!("{}, {}", ran.name, report.expr), x.to_bits()));
                }
            }
            for saved in ran.saved.iter().filter(|s| s.variant == index) {
                found.extend(saved.recorded.values.iter().map(|x| (format!("saved in {}", saved.path), x.to_bits())));
            }
            all.push(found);
        }
    }
    all
}

fn assert_same(what: &str, text: &str, a: &[Vec<(String, u64)>], b: &[Vec<(String, u64)>]) {
    assert_eq!(a.len(), b.len(), "variants, {what}\n{text}");
    for (one, other) in a.iter().zip(b) {
        assert_eq!(one.len(), other.len(), "numbers, {what}\n{text}");
        for ((name, x), (_, y)) in one.iter().zip(other) {
            let (v, w) = (f64::from_bits(*x), f64::from_bits(*y));
            assert_eq!(x, y, "{name}: {v} and {w}, {what}\n{text}");
        }
    }
}

fn loaded(text: &str) -> Loaded {
    load_text("random.sde", text, &Options::default())
}

fn agree_in_all_ways(loaded: &Loaded, text: &str, base: &Request) {
    let first = bits(loaded, base);
    assert!(first.iter().map(Vec::len).sum::<usize>() > 1, "something is compared\n{text}");
    let ways = [
        ("interpreter", Request { backend: Backend::Interpreter, ..base.clone() }),
        ("three threads", Request { threads: Some(3), ..base.clone() }),
        ("8 lanes", Request { lanes: Some(8), threads: Some(1), ..base.clone() }),
        ("64 lanes", Request { lanes: Some(64), threads: Some(2), ..base.clone() }),
    ];
    for (what, request) in ways {
        assert_same(what, text, &first, &bits(loaded, &request));
    }
}

#[test]
fn random_programs_have_the_same_bits() {
    for seed in 0..CASES {
        let program = random::program(seed);
        agree_in_all_ways(&loaded(&program.text), &program.text, &Request::default());
    }
}

#[test]
fn sweeps_are_runs_with_set_values() {
    for seed in 0..CASES / 2 {
        let program = random::program(seed);
        let together = bits(&loaded(&program.swept()), &Request::default());
        let plain = loaded(&program.text);
        let one_by_one: Vec<_> = program
            .values
            .iter()
            .flat_map(|v| {
                bits(&plain, &Request { set: vec![format!("{}={v}", program.parameter)], ..Request::default() })
            })
            .collect();
        assert_same("sweep and --set", &program.swept(), &together, &one_by_one);
    }
}

fn near_the_reference(loaded: &Loaded, text: &str, extent: Extent) -> (u64, u64) {
    let compared = compare(loaded, extent);
    let errors: Vec<Diagnostic> = compared.problems.iter().filter(|p| p.is_error()).cloned().collect();
    assert!(errors.is_empty(), "{}\n{text}", told(loaded, &errors));
    if let Some(d) = compared.deviations.first() {
        panic!("{}: {:e}, not {:e} (within {:e})\n{text}", d.place, d.got, d.wanted, d.bound);
    }
    (compared.values, compared.skipped)
}

#[test]
fn random_programs_are_near_the_plain_evaluator() {
    let extent = Extent { steps: 3, paths: 2, most_operations: f64::INFINITY };
    let (mut values, mut skipped) = (0, 0);
    for seed in 0..CASES {
        let program = random::program(seed);
        let (some, none) = near_the_reference(&loaded(&program.text), &program.text, extent);
        values += some;
        skipped += none;
    }
    assert!(values > 50 * CASES && skipped == 0, "{values} values, {skipped} left out");
}
