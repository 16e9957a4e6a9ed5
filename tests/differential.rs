//! The same program, run in different ways: both back ends, other numbers of threads and sizes of blocks, and a sweep
//! value by value give the same bits; the plain evaluator of the raw graph gives the same within rounding.

mod random;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use fokker::diagnostics::{Diagnostic, render};
use fokker::kernels::lane::Precision;
use fokker::math::Op;
use fokker::model::elab::Elab;
use fokker::model::results::{Pool, Times};
use fokker::session::compile::Backend;
use fokker::session::execute::Execution;
use fokker::session::load::{Loaded, Options, load_file, load_text};
use fokker::session::plan::{Overrides, Plan, Save, Statement, TimeSpec};
use fokker::session::reference::{Extent, compare};
use fokker::session::results::Ran;
use fokker::session::{Request, check_loaded, run_program};
use fokker::syntax::ast::{ItemKind, Param};

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
    finished.runs.iter().flat_map(numbers).collect()
}

fn numbers(ran: &Ran) -> Vec<Vec<(String, u64)>> {
    let mut all = Vec::new();
    for (index, variant) in ran.variants.iter().enumerate() {
        let mut found = vec![("diverged".to_string(), variant.diverged)];
        for report in &variant.reports {
            for x in report.value.values.iter().chain(&report.value.se) {
                found.push((format!("{}, {}", ran.name, report.expr), x.to_bits()));
            }
        }
        for level in variant.converge.iter().flat_map(|c| &c.levels) {
            let errors = [level.strong, level.rms].map(|pair| pair.value);
            found.extend(errors.map(|x| (format!("{}, {} steps", ran.name, level.steps), x.to_bits())));
        }
        for saved in ran.saved.iter().filter(|s| s.variant == index) {
            found.extend(saved.recorded.values.iter().map(|x| (format!("saved in {}", saved.path), x.to_bits())));
        }
        all.push(found);
    }
    all
}

/// The runs of a program, cut short, as bits: few paths and steps, everything looked at in the end, and the new states
/// saved.
fn short_bits(
    loaded: &Loaded,
    precision: Precision,
    backend: Backend,
    threads: usize,
    lanes: Option<usize>,
) -> Vec<Vec<(String, u64)>> {
    let mut all = Vec::new();
    for (_, run) in loaded.library.runs() {
        let mut elab = Elab::new(&loaded.library, &loaded.sources);
        let overrides = Overrides {
            paths: Some(PATHS),
            threads: Some(threads),
            precision: Some(precision),
            ..Overrides::default()
        };
        let ran = elab.plan(run, &overrides).and_then(|mut plan| {
            cut_short(&mut elab, &mut plan);
            elab.execute(&plan, Execution { backend, lanes, stop: &AtomicBool::new(false), set: &[], progress: None })
        });
        all.extend(numbers(&ran.unwrap_or_else(|_| panic!("{}", told(loaded, &elab.diagnostics)))));
    }
    all
}

const PATHS: u64 = 11;
const STEPS: u64 = 6;

fn cut_short(elab: &mut Elab<'_>, plan: &mut Plan) {
    match &mut plan.time {
        Some(TimeSpec::Count { steps }) => *steps = STEPS.min(*steps),
        Some(TimeSpec::Stepped { from, to, step, .. }) => {
            let n = elab.g.real(STEPS as f64);
            let length = elab.g.op(Op::Mul, &[n, *step]);
            let end = elab.g.op(Op::Add, &[*from, length]);
            *to = elab.g.op(Op::Min, &[end, *to]);
        }
        _ => {}
    }
    if let Some(converge) = &mut plan.converge {
        (converge.steps, converge.reference) = (vec![2, 4], 8);
    }
    let at_the_end = |pool: &Pool| Rc::new(Pool { times: Times::End, ..pool.clone() });
    for asked in &mut plan.context.asked {
        asked.pool = at_the_end(&asked.pool);
    }
    // numbers that no path is needed for are none of the back ends' business
    plan.context.expectations.clear();
    plan.context.invariances.clear();
    plan.statements.retain(|s| !matches!(s, Statement::Save(_)));
    for statement in &mut plan.statements {
        if let Statement::Report { pool, .. } | Statement::Check { pool, .. } = statement {
            *pool = at_the_end(pool);
        }
    }
    let columns = plan.model.states.iter().map(|s| (s.name.clone(), elab.g.var(s.var))).collect();
    let path = "states.csv".to_string();
    plan.statements.push(Statement::Save(Save {
        columns,
        every: None,
        points: None,
        first: PATHS,
        path,
        span: plan.span,
    }));
    plan.sweeps.iter_mut().for_each(|(_, values)| values.truncate(2));
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
        ("cranelift", Request { backend: Backend::Cranelift, ..base.clone() }),
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
        let precision = Some(if seed % 2 == 0 { Precision::Double } else { Precision::Single });
        agree_in_all_ways(&loaded(&program.text), &program.text, &Request { precision, ..Request::default() });
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

/// Programs of the project, by their paths.
fn shipped() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["examples", "tests/programs"].map(|f| root.join(f));
    let entries = folders.iter().flat_map(|f| std::fs::read_dir(f).expect("a folder of programs").flatten());
    let mut all: Vec<PathBuf> =
        entries.map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "sde")).collect();
    all.sort();
    all
}

/// A run of each model and of each target of the library that need no arguments, and of dynamics on a target.
fn of_the_library() -> String {
    let library = load_text("none.sde", "", &Options::default()).library;
    let mut text = String::new();
    let mut run = |model: &str, solver: &str, time: &str| {
        let n = text.matches("run ").count();
        let _ = writeln!(text, "run r{n} {{\n  model = {model}\n  solver = {solver}\n  time = {time}\n}}\n");
    };
    for decl in library.decls() {
        let plain = |header: &[Param]| header.iter().all(|p| p.default.is_some());
        match &decl.item.kind {
            ItemKind::Model(m) if plain(&m.header) => {
                run(&format!("{}()", m.name.name), "euler_maruyama", "0 .. 0.1 step 0.01");
            }
            ItemKind::Target(t) if plain(&t.header) => run(&format!("{}()", t.name.name), "mala(h = 0.01)", "6 steps"),
            _ => {}
        }
    }
    run("langevin(phi4(n = 6))", "[heun, sra1]", "0 .. 0.1 step 0.01");
    run("underdamped(banana())", "[baoab, obabo]", "0 .. 0.1 step 0.01");
    text
}

fn agree_cut_short(loaded: &Loaded, name: &str) {
    for precision in [Precision::Double, Precision::Single] {
        let short = |backend, threads, lanes| short_bits(loaded, precision, backend, threads, lanes);
        let first = short(Backend::Auto, 1, None);
        assert!(!first.is_empty() || loaded.library.runs().next().is_none(), "{name}");
        assert_same("interpreter", name, &first, &short(Backend::Interpreter, 1, None));
        assert_same("cranelift", name, &first, &short(Backend::Cranelift, 1, None));
        assert_same("threads and lanes", name, &first, &short(Backend::Auto, 3, Some(8)));
    }
}

/// A few roundings are amplified by nothing in so few steps; large arrays take the plain evaluator too long.
const FEW: Extent = Extent { steps: 2, paths: 1, most_operations: 1e6 };

#[test]
fn programs_of_the_project_agree() {
    for path in shipped() {
        let (loaded, name) = (load_file(&path, &Options::default()), path.display().to_string());
        // what is not supported yet has its own tests
        if check_loaded(&loaded).iter().all(|p| !p.is_error()) {
            agree_cut_short(&loaded, &name);
            near_the_reference(&loaded, &name, FEW);
        }
    }
}

#[test]
fn models_and_targets_of_the_library_agree() {
    let text = of_the_library();
    let loaded = loaded(&text);
    assert!(loaded.library.runs().count() > 40, "the library is there");
    agree_cut_short(&loaded, &text);
    near_the_reference(&loaded, &text, FEW);
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
