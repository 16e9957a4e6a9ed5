//! Runs whose paths choose their steps, and noise that runs with other steps share.

use std::sync::atomic::AtomicBool;

use fokker::output::result::{AdaptiveResult, RunResult};
use fokker::session::compile::Backend;
use fokker::session::load::{Options, load_text};
use fokker::session::{Request, run_program};

/// The variants of the runs of a program.
fn run(text: &str, request: &Request) -> Vec<RunResult> {
    let loaded = load_text("test.sde", text, &Options::default());
    let mut out = Vec::new();
    let finished = run_program(&loaded, request, &AtomicBool::new(false), &mut |ran| out.append(&mut ran.variants));
    assert!(finished.problems.is_empty(), "{:?}", finished.problems);
    out
}

fn values(r: &RunResult) -> Vec<f64> {
    r.reports.iter().flat_map(|r| r.value.values.iter().copied()).collect()
}

fn steps(r: &RunResult) -> AdaptiveResult {
    r.adaptive.expect("an adaptive run")
}

const MODELS: &str = "
model osc() { state x = 1.0; state v = 0.0; dx = v dt; dv = -x dt }
model vdp(mu = 100.0) { state x = 2.0; state v = 0.0; dx = v dt; dv = (mu*(1 - x^2)*v - x) dt }
model lorenz() {
  state x = 1.0; state y = 1.0; state z = 1.0
  dx = 10*(y - x) dt
  dy = (x*(28 - z) - y) dt
  dz = (x*y - 8/3*z) dt
}
model gbm(mu = 0.2, sigma = 0.8) {
  convention stratonovich
  noise W: wiener
  state w = 0.0
  state x = 1.0
  dw = dW
  dx = mu*x dt + sigma*x dW
}
model ou(sigma = 0.5) { state x = 1.0; dx = (sin(3*t) - x - x^3) dt + sigma dW }
";

/// The error of the oscillator at 10 and its steps.
fn oscillator(solver: &str, tol: &str) -> (f64, AdaptiveResult) {
    let text = format!(
        "{MODELS}
run r {{ model = osc(); solver = {solver}; time = 0 .. 10 tol {tol}; paths = 8; report mean(x) - cos(10), mean(v) + sin(10) }}"
    );
    let all = run(&text, &Request::default());
    let error = values(&all[0]).iter().fold(0.0f64, |m, e| m.max(e.abs()));
    (error, steps(&all[0]))
}

/// The global error falls in proportion to the tolerance, and its cost rises as the order says.
#[test]
fn errors_of_equations_without_noise_follow_the_tolerance() {
    for (solver, order) in [("heun", 2.0), ("bosh3", 3.0), ("dopri5", 5.0), ("tsit5", 5.0), ("dopri8", 8.0)] {
        let (coarse, few) = oscillator(solver, "1e-5");
        let (fine, many) = oscillator(solver, "1e-8");
        assert!(coarse < 100.0 * 1e-5 && fine < 100.0 * 1e-8, "{solver}: {coarse} {fine}");
        assert!(coarse / fine > 30.0, "{solver}: {coarse} {fine}");
        let slope = (many.accepted / few.accepted).ln() / 1e3f64.ln();
        assert!((slope - 1.0 / order).abs() < 0.12, "{solver}: work grows with the power {slope}");
        assert!(few.rejected < 0.2 * few.accepted, "{solver}");
    }
}

/// Against steps that are so small that their error does not matter.
#[test]
fn lorenz_and_van_der_pol_agree_with_tiny_steps() {
    for (model, end, solver, h, tol) in [("lorenz", "2", "dopri8", "1e-4", 1e-8), ("vdp", "100", "rk4", "2e-4", 1e-8)] {
        let text = format!(
            "{MODELS}
run a {{ model = {model}(); solver = dopri5; time = 0 .. {end} tol {tol}; paths = 8; report mean(x), mean(y) }}
run b {{ model = {model}(); solver = {solver}; time = 0 .. {end} step {h}; paths = 8; report mean(x), mean(y) }}"
        );
        let text = if model == "vdp" { text.replace("mean(y)", "mean(v)") } else { text };
        let all = run(&text, &Request::default());
        for (a, b) in values(&all[0]).iter().zip(values(&all[1])) {
            assert!((a - b).abs() < 2e-4 * (1.0 + b.abs()), "{model}: {a} {b}");
        }
    }
}

/// A stiff relaxation takes steps of very different lengths: equal ones of the same error cost far more.
#[test]
fn steps_adapt_to_the_stiffness() {
    let text = format!(
        "{MODELS}
run a {{ model = vdp(); solver = dopri5; time = 0 .. 100 tol 1e-6; paths = 8; report mean(x) }}
run b {{ model = vdp(); solver = dopri5; time = 0 .. 100 step 0.01; paths = 8; report mean(x) }}"
    );
    let loaded = load_text("test.sde", &text, &Options::default());
    let mut out = Vec::new();
    run_program(&loaded, &Request::default(), &AtomicBool::new(false), &mut |ran| out.append(&mut ran.variants));
    let all = steps(&out[0]);
    // Equal steps of 0.01 leave the region of stability.
    assert!(all.accepted + all.rejected < 10_000.0 && out[0].diverged == 0);
    assert!(out[1].diverged == 8);
}

fn along_the_path(solver: &str, tol: &str, seed: u64) -> (f64, f64, AdaptiveResult) {
    let text = format!(
        "{MODELS}
run r {{ model = gbm(); solver = {solver}; time = 0 .. 1 tol {tol}; paths = 400
  report mean(abs(x - exp(0.2 + 0.8*w))), mean(w) }}"
    );
    let all = run(&text, &Request { seed: Some(seed), ..Request::default() });
    let v = values(&all[0]);
    (v[0], v[1], steps(&all[0]))
}

/// The closed form along the tree's own path: the limit is the right one, whatever the steps looked at.
#[test]
fn errors_along_a_path_follow_the_tolerance() {
    for solver in ["heun", "midpoint", "ralston", "reversible_heun", "spark", "general_shark", "slow_rk"] {
        let (coarse, w, _) = along_the_path(solver, "1e-2", 3);
        let (fine, same, many) = along_the_path(solver, "1e-4", 3);
        assert!(coarse < 0.1 && fine < coarse / 20.0, "{solver}: {coarse} {fine}");
        assert!(many.rejected < 0.3 * many.accepted, "{solver}: {many:?}");
        // the end of the path does not know of the steps
        assert!((w - same).abs() < 1e-12, "{solver}: {w} {same}");
    }
}

/// Additive noise: paths of a coarse and a fine tolerance, and of another solver, meet.
#[test]
fn paths_of_additive_noise_meet() {
    let one = |solver: &str, tol: &str| {
        let text = format!(
            "{MODELS}
run r {{ model = ou(); solver = {solver}; time = 0 .. 2 tol {tol}; paths = 16; report mean(x), std(x) at [1, 2] }}"
        );
        values(&run(&text, &Request::default())[0])
    };
    let far = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    let best = one("shark", "1e-6");
    let errors: Vec<f64> = ["1e-2", "1e-3", "1e-4"].iter().map(|tol| far(&one("shark", tol), &best)).collect();
    assert!(errors[0] < 0.02 && errors[1] < 0.5 * errors[0] && errors[2] < 0.5 * errors[1], "{errors:?}");
    assert!(far(&one("heun", "1e-5"), &best) < 2e-4);
    assert!(far(&one("spark", "1e-5"), &best) < 2e-4);
}

/// The same bits for all threads, blocks and back ends, also where paths wait for each other and where some fail.
#[test]
fn numbers_do_not_depend_on_lanes_threads_or_back_ends() {
    let text = format!(
        "{MODELS}
model blow_up() {{ state x ~ normal(0, 1); dx = x^2 dt + 0.1 dW }}
run a {{ model = gbm(); solver = heun; time = 0 .. 1 tol 1e-2; paths = 100; report mean(x), std(x) at [0.1, 0.55, 1] }}
run b {{ model = blow_up(); solver = shark; time = 0 .. 2 tol 1e-3; paths = 100; report mean(x) at [0.5, 2] }}
run c {{ model = lorenz(); solver = dopri5; time = 0 .. 1 tol 1e-5; paths = 20; report mean(x) over t in [0, 1] every 0.1 }}"
    );
    let bits = |request: &Request| -> Vec<_> {
        let one = |r: &RunResult| {
            let v: Vec<u64> = values(r).iter().map(|x| x.to_bits()).collect();
            (v, r.diverged, r.first_divergence.map(f64::to_bits), r.adaptive)
        };
        run(&text, request).iter().map(one).collect()
    };
    let first = bits(&Request { threads: Some(1), lanes: Some(64), ..Request::default() });
    assert!(first[1].1 > 5 && first[1].1 < 95, "some paths blow up: {}", first[1].1);
    for backend in [Backend::Auto, Backend::Cranelift, Backend::Interpreter] {
        for (threads, lanes) in [(1, 8), (2, 16), (2, 32)] {
            let request = Request { threads: Some(threads), lanes: Some(lanes), backend, ..Request::default() };
            assert_eq!(bits(&request), first, "{} {threads} {lanes}", backend.name());
        }
    }
}

#[test]
fn single_precision_runs_too() {
    let text = format!(
        "{MODELS}
run a {{ model = gbm(); solver = heun; time = 0 .. 1 tol 1e-2; paths = 50; precision = f32; report mean(x), mean(w) }}
run b {{ model = gbm(); solver = heun; time = 0 .. 1 tol 1e-2; paths = 50; report mean(x), mean(w) }}"
    );
    let all = run(&text, &Request::default());
    for (a, b) in values(&all[0]).iter().zip(values(&all[1])) {
        assert!((a - b).abs() < 0.01, "{a} {b}");
    }
}

/// Runs with `noise = tree` share their path: with other steps they differ by the strong error.
#[test]
fn fixed_steps_of_any_length_share_a_path() {
    let error = |solver: &str, h: &str, end: u32| {
        let text = format!(
            "{MODELS}
run r {{ model = gbm(); solver = {solver}; time = 0 .. {end} step {h}; paths = 400; noise = tree
  report mean(abs(x - exp(0.2 + 0.8*w))), mean(w), std(w) at 1 }}"
        );
        values(&run(&text, &Request::default())[0])
    };
    for (solver, order) in [("heun", 1.0), ("euler_maruyama", 0.5), ("milstein", 1.0), ("spark", 1.0)] {
        let all: Vec<_> = ["0.04", "0.01", "0.0025"].iter().map(|h| error(solver, h, 1)).collect();
        for w in all.windows(2) {
            let measured = (w[0][0] / w[1][0]).log2() / 2.0;
            assert!((measured - order).abs() < 0.25, "{solver}: order {measured}");
            assert!((w[0][1] - w[1][1]).abs() < 1e-12 && (w[0][2] - w[1][2]).abs() < 1e-12);
        }
    }
    // a longer run has the same path
    let (short, long) = (error("heun", "0.01", 1), error("heun", "0.01", 3));
    for (a, b) in short.iter().zip(&long) {
        assert!((a - b).abs() < 1e-10, "{short:?} {long:?}");
    }
    // and so have adaptive runs
    let (_, w, _) = along_the_path("heun", "1e-2", 0);
    assert!((w - short[1]).abs() < 1e-12);
}

/// Exact solutions of additive noise need nothing but W: another solver, another step, the same numbers.
#[test]
fn brownian_motion_is_the_same_under_all_solvers() {
    let text = "
model bm() { state x = 0.0; dx = dW }
run a { model = bm(); solver = euler_maruyama; time = -1 .. 2 step 0.1; paths = 50; noise = tree; report mean(x), std(x) }
run b { model = bm(); solver = taylor_15; time = -1 .. 2 step 0.3; paths = 50; noise = tree; report mean(x), std(x) }
run c { model = bm(); solver = heun; time = -1 .. 2 tol 0.1; paths = 50; report mean(x), std(x) }";
    let all = run(text, &Request::default());
    for r in &all[1..] {
        for (a, b) in values(&all[0]).iter().zip(values(r)) {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }
}

/// Pieces of a splitting meet the path over their own parts of the step.
#[test]
fn pieces_of_a_step_are_pieces_of_the_path() {
    let text = "
model bm() { noise W: wiener[2]; state x = 0.0; state y = 0.0; state z = 0.0
  part N { dx = dW[0] }; part M { dy = dW[1] }; part T { dz = x dt } }
run a { model = bm(); solver = euler_maruyama; time = 0 .. 3 step 0.1; paths = 50; noise = tree; report mean(x), std(x), mean(x*y) }
run b { model = bm(); solver = split([N/4, M/2, T, N/2, M/2, N/4]); time = 0 .. 3 step 0.3; paths = 50; noise = tree
  report mean(x), std(x), mean(x*y) }
run c { model = bm(); solver = split([N/2, T, N/2, M], N = split([N/3, N*2/3])); time = 0 .. 3 step 0.5; paths = 50; noise = tree
  report mean(x), std(x), mean(x*y) }";
    let all = run(text, &Request::default());
    for r in &all[1..] {
        for (a, b) in values(&all[0]).iter().zip(values(r)) {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }
    // The integral of x, by the trapezium rule of the pieces: it sees the middle of the path.
    let integral = |solver: &str, h: &str| {
        let text = format!(
            "model bm() {{ noise W: wiener; state x = 0.0; state z = 0.0; part N {{ dx = dW }}; part T {{ dz = x dt }} }}
run a {{ model = bm(); solver = {solver}; time = 0 .. 1 step {h}; paths = 200; noise = tree; report mean(z), std(z) }}"
        );
        values(&run(&text, &Request::default())[0])
    };
    let (a, b) = (integral("split([N/2, T, N/2])", "0.01"), integral("euler_maruyama", "0.0005"));
    // The difference of the means has the deviation h/sqrt(12)/sqrt(paths) = 2e-4.
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-3), "{a:?} {b:?}");
}

/// Without `noise = tree` nothing has changed.
#[test]
fn estimates_do_not_change_fixed_steps() {
    let text = "
model gbm() { convention stratonovich; state x = 1.0; dx = 0.2*x dt + 0.8*x dW }
solver plain() on stratonovich(a, b) {
  step {
    let e = x + a(t, x)*dt + b(t, x) @ dW
    x' = x + (a(t, x) + a(t', e))/2*dt + ((b(t, x) + b(t', e))/2) @ dW
  }
}
run r { model = gbm(); solver = [plain, heun]; time = 0 .. 1 step 0.01; paths = 64; report mean(x), std(x) }";
    let all = run(text, &Request::default());
    assert_eq!(values(&all[0]), values(&all[1]));
}

/// A tolerance that no step can meet.
#[test]
fn paths_that_no_step_helps_are_told_of() {
    let text = "
model m() { state x = 1.0; dx = -x dt }
solver never() on ito(a) for none {
  order strong = 1
  step {
    x' = x + a(t, x)*dt
    error if t' > 0.7 then 1.0 else 0.0
  }
}
run r { model = m(); solver = never; time = 0 .. 1 tol 1e-3; paths = 8; report mean(x) at [0.5, 1] }";
    let loaded = load_text("test.sde", text, &Options::default());
    let mut out = Vec::new();
    run_program(&loaded, &Request::default(), &AtomicBool::new(false), &mut |ran| out.append(&mut ran.variants));
    let a = steps(&out[0]);
    assert_eq!((out[0].diverged, a.stuck), (8, 8));
    let first = out[0].first_divergence.expect("a time");
    assert!((0.6..=0.7).contains(&first), "{first}");
}
