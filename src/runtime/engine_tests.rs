use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::*;
use crate::runtime::job::{Observer, Rows, Stage};
use crate::runtime::noise::{DrawRows, NoiseSource, START_STEP};
use crate::runtime::statistics::{Request, StatKind, StatResult};
use crate::runtime::testing::{HashNoise, Lane, no_rows, stage};

/// Steps of equal length.
fn grid(end: f64, steps: usize) -> Vec<f64> {
    (0..=steps).map(|k| end * k as f64 / steps as f64).collect()
}

/// Step rows with the one value dt.
fn dt_rows(grid: &[f64]) -> Rows {
    let grid = grid.to_vec();
    Arc::new(move |range| range.map(|k| grid[k as usize + 1] - grid[k as usize]).collect())
}

fn job(grid: Vec<f64>, paths: u64, init: Stage, step: Stage, observers: Vec<Observer>) -> Job {
    Job {
        init,
        step: Some(step),
        observers,
        grid,
        first_path: 0,
        paths,
        seed: 1,
        stream: 0,
        threads: 1,
        noise: Arc::new(HashNoise),
        adaptive: None,
        lanes: None,
    }
}

fn observer(stage: Stage, looks: Vec<u64>, requests: Vec<Request>) -> Observer {
    Observer { stage, looks, requests, record_first: 0 }
}

/// Geometric Brownian motion by its exact solution, mu = 0.05, sigma = 0.2.
fn gbm_step(grid: &[f64]) -> Stage {
    stage(1, &[], 1, 1, dt_rows(grid), |l: Lane<'_>| {
        let dt = l.step[0];
        l.state[0] *= ((0.05 - 0.02) * dt + 0.2 * dt.sqrt() * l.noise[0]).exp();
    })
}

fn constant_start(states: usize, value: f64) -> Stage {
    stage(states, &[], 0, 0, no_rows(), move |l: Lane<'_>| l.state.fill(value))
}

/// Observes the first state as it is.
fn first_state(states: usize) -> Stage {
    stage(states, &[&[]], 0, 0, no_rows(), |l: Lane<'_>| l.out[0] = l.state[0])
}

fn within(result: &StatResult, want: f64) {
    let off = (result.values[0] - want).abs();
    assert!(off < 4.5 * result.se[0], "{} ± {} for {want}", result.values[0], result.se[0]);
}

#[test]
fn moments_of_geometric_brownian_motion() {
    let times = grid(1.0, 50);
    let requests = vec![
        Request::of(StatKind::Mean, 0),
        Request::of(StatKind::Std, 0),
        Request::of(StatKind::Var, 0),
        Request::of(StatKind::Quantile { at: vec![0.05, 0.5, 0.95], list: true }, 0),
    ];
    let looks = observer(first_state(1), vec![25, 50], requests);
    let job = job(times.clone(), 20_000, constant_start(1, 1.0), gbm_step(&times), vec![looks]);
    let outcome = run(&job, Control::default());
    assert_eq!((outcome.finished, outcome.interrupted, outcome.path_steps), (20_000, false, 1_000_000));
    let results = &outcome.observed[0].results;
    for (k, t) in [0.5f64, 1.0].iter().enumerate() {
        let mean = (0.05 * t).exp();
        within(&results[0][k], mean);
        within(&results[1][k], mean * ((0.04 * t).exp() - 1.0).sqrt());
        within(&results[2][k], mean * mean * ((0.04 * t).exp() - 1.0));
        let expected_se = results[1][k].values[0] / 20_000f64.sqrt();
        assert!((results[0][k].se[0] / expected_se - 1.0).abs() < 1e-12);
        assert_eq!(results[3][k].shape, [3]);
        for (q, z) in [-1.644_853_6, 0.0, 1.644_853_6].iter().enumerate() {
            let want = (0.03 * t + 0.2 * t.sqrt() * z).exp();
            let (got, se) = (results[3][k].values[q], results[3][k].se[q]);
            assert!((got - want).abs() < 4.5 * se, "{got} ± {se} for {want}");
        }
    }
}

/// An Ornstein-Uhlenbeck vector of three states; states differ in their rate. It starts in equilibrium.
fn ou_job(paths: u64, requests: Vec<Request>, threads: usize, lanes: Option<usize>) -> Job {
    let times = grid(10.0, 200);
    let init = stage(3, &[], 3, 0, no_rows(), |l: Lane<'_>| l.state.copy_from_slice(l.noise));
    let step = stage(3, &[], 3, 1, dt_rows(&times), |l: Lane<'_>| {
        for k in 0..3 {
            let decay = (-l.step[0] * (1.0 + k as f64)).exp();
            l.state[k] = decay * l.state[k] + (1.0 - decay * decay).sqrt() * l.noise[k];
        }
    });
    // Outs: the vector; a scalar; one that is sometimes not finite.
    let looks = stage(3, &[&[3], &[], &[]], 0, 0, no_rows(), |l: Lane<'_>| {
        l.out[..3].copy_from_slice(l.state);
        l.out[3] = l.state[0] + l.state[1];
        l.out[4] = (l.state[0] + 2.0).ln();
    });
    let mut all = observer(looks, (0..=200).step_by(5).collect(), requests);
    all.record_first = 3;
    let mut job = job(times, paths, init, step, vec![all]);
    (job.threads, job.lanes) = (threads, lanes);
    job
}

fn every_request() -> Vec<Request> {
    let one = |s: StatKind| Request::of(s, 0);
    let pooled_axis =
        |s: StatKind| Request { stat: s, args: vec![0], pool_times: true, pool_axes: vec![0], replicates: false };
    let two =
        |s: StatKind| Request { stat: s, args: vec![0, 1], pool_times: false, pool_axes: vec![], replicates: false };
    vec![
        one(StatKind::Mean),
        one(StatKind::Mean).pooled(),
        Request::of(StatKind::Mean, 2).pooled(),
        one(StatKind::Std),
        one(StatKind::Std).pooled(),
        pooled_axis(StatKind::Var),
        pooled_axis(StatKind::Mean),
        one(StatKind::Skewness),
        one(StatKind::Kurtosis).pooled(),
        two(StatKind::Cov),
        two(StatKind::Corr).pooled(),
        one(StatKind::Quantile { at: vec![0.1, 0.9], list: true }),
        one(StatKind::Quantile { at: vec![0.5], list: false }).pooled(),
        one(StatKind::Histogram { bins: Some(12) }).pooled(),
        one(StatKind::Autocorr { lag: 2 }).pooled(),
        one(StatKind::Ess).pooled(),
        one(StatKind::Rhat).pooled(),
        Request { stat: StatKind::Divergences, args: vec![], pool_times: true, pool_axes: vec![], replicates: false },
    ]
}

/// Outcomes are compared as text, in which NaN equals NaN and numbers are written to the last bit.
fn bits(job: &Job) -> String {
    let outcome = run(job, Control::default());
    format!("{:?} {:?} {:?}", outcome.observed, outcome.diverged, outcome.finished)
}

#[test]
fn the_same_bits_for_any_threads_and_blocks() {
    for paths in [1, 5, 61, 333, 2500] {
        let want = bits(&ou_job(paths, every_request(), 1, Some(8)));
        for (threads, lanes) in [(2, Some(8)), (3, Some(16)), (1, Some(32)), (2, Some(64)), (2, None)] {
            let got = bits(&ou_job(paths, every_request(), threads, lanes));
            assert!(got == want, "{paths} paths, {threads} threads, {lanes:?} lanes");
        }
    }
}

#[test]
fn pooled_statistics_of_an_equilibrium() {
    let outcome = run(&ou_job(1000, every_request(), 2, None), Control::default());
    let results = &outcome.observed[0].results;
    for k in 0..3 {
        let element = |r: usize| StatResult {
            values: vec![results[r][0].values[k]],
            se: vec![results[r][0].se[k]],
            ..StatResult::default()
        };
        within(&element(1), 0.0);
        within(&element(4), 1.0);
        within(&element(8), 3.0);
        within(&element(12), 0.0);
        within(&element(14), (-0.5 * (1.0 + k as f64)).exp());
        // Draws 0.25 apart with correlation exp(-rate * 0.25); 20 draws of half a chain do not show all of it.
        let phi = (-0.25 * (1.0 + k as f64)).exp();
        let ess = 41_000.0 * (1.0 - phi) / (1.0 + phi);
        let got = element(15).values[0];
        assert!((got / ess - 1.0).abs() < 0.35, "{got} for {ess}");
        // Split chains of 20 correlated draws differ in their means by (1 + phi)/(1 - phi)/20 of the variance.
        let rhat = (1.0 + (1.0 + phi) / (1.0 - phi) / 20.0).sqrt();
        assert!((element(16).values[0] / rhat - 1.0).abs() < 0.1, "{} for {rhat}", element(16).values[0]);
    }
    within(&results[5][0], 1.0);
    // The mean of three independent processes over time: the standard error must see the correlation in time.
    let naive = 1.0 / (3.0 * 41.0 * 1000.0f64).sqrt();
    assert!(results[6][0].se[0] > 1.5 * naive);
    assert!(results[2][0].notes[0].contains("not finite"), "{:?}", results[2][0].notes);
    assert_eq!(results[13][0].shape, [3, 12]);
    // Cov of x with x[0] + x[1] at the last look: 1, 1, 0.
    let last = &results[9][40];
    for (k, want) in [1.0, 1.0, 0.0].iter().enumerate() {
        assert!((last.values[k] - want).abs() < 4.5 * last.se[k]);
    }
    assert_eq!(results[17][0].values, [0.0]);
    let record = &outcome.observed[0].record;
    assert_eq!((record.paths.as_slice(), record.looks, record.rows), ([0, 1, 2].as_slice(), 41, 5));
    assert_eq!(record.values.len(), 3 * 41 * 5);
}

#[test]
fn a_single_path_has_batch_means() {
    // One path of 20,000 steps of an AR(1): the standard error of its mean is sqrt((1 + phi)/(1 - phi)/n).
    let times = grid(1.0, 20_000);
    let init = stage(1, &[], 1, 0, no_rows(), |l: Lane<'_>| l.state[0] = l.noise[0]);
    let step = stage(1, &[], 1, 0, no_rows(), |l: Lane<'_>| l.state[0] = 0.8 * l.state[0] + 0.6 * l.noise[0]);
    let requests = vec![Request::of(StatKind::Mean, 0).pooled(), Request::of(StatKind::Var, 0).pooled()];
    let looks = observer(first_state(1), (1..=20_000).collect(), requests);
    let outcome = run(&job(times, 1, init, step, vec![looks]), Control::default());
    let results = &outcome.observed[0].results;
    let want = (1.8f64 / 0.2 / 20_000.0).sqrt();
    let se = results[0][0].se[0];
    // 32 batches: the estimate has a relative spread of 1/8.
    assert!((se / want - 1.0).abs() < 0.45, "{se} for {want}");
    within(&results[0][0], 0.0);
    within(&results[1][0], 1.0);
}

/// A state that becomes infinite or NaN at a step known for each path.
#[test]
fn the_first_bad_step_of_each_path_is_found() {
    let times = grid(1.0, 300);
    // State 0: the path's number of steps to live (0 to 399, by its draw); state 1 counts; state 2 breaks.
    let init = stage(3, &[], 1, 0, no_rows(), |l: Lane<'_>| {
        l.state[0] = (l.noise[0].abs() * 1e4).floor() % 400.0;
        l.state[2] = if l.state[0] == 0.0 { f64::NAN } else { 1.0 };
    });
    let step = stage(3, &[], 1, 0, no_rows(), |l: Lane<'_>| {
        l.state[1] += 1.0;
        if l.state[1] == l.state[0] {
            l.state[2] = if l.state[0] % 2.0 == 0.0 { f64::NAN } else { f64::NEG_INFINITY };
        }
    });
    let lives = stage(3, &[&[], &[]], 0, 0, no_rows(), |l: Lane<'_>| {
        l.out[0] = l.state[0];
        l.out[1] = 1.0;
    });
    let paths = 3000;
    let requests = vec![Request::of(StatKind::Mean, 1), Request::of(StatKind::Mean, 1).pooled()];
    let looks = vec![0, 100, 300];
    let mut all = observer(lives, looks.clone(), requests);
    all.record_first = 8;
    let make = |lanes| {
        let mut j = job(times.clone(), paths, init.clone(), step.clone(), vec![]);
        (j.lanes, j.threads) = (lanes, 2);
        j
    };
    let mut with = make(None);
    with.observers.push(all);
    let outcome = run(&with, Control::default());
    let noise: Vec<f64> = {
        let mut row = vec![0.0; paths as usize];
        let rows = DrawRows {
            key: (1, 0),
            path: 0,
            step: START_STEP,
            site: 0,
            turn: 0,
            components: 1,
            lanes: paths as usize,
            steps: 1,
            step_stride: 0,
        };
        HashNoise.normals(&rows, &mut row);
        row
    };
    let life: Vec<u64> = noise.iter().map(|z| (z.abs() * 1e4).floor() as u64 % 400).collect();
    let dead_by = |step: u64| life.iter().filter(|l| **l <= step).count() as u64;
    assert_eq!(outcome.diverged.paths, dead_by(300));
    let first = life.iter().enumerate().map(|(k, l)| (*l, k as u64)).min();
    assert_eq!(outcome.diverged.first, first);
    let results = &outcome.observed[0].results;
    let alive: Vec<u64> = looks.iter().map(|s| paths - dead_by(*s)).collect();
    for (result, n) in results[0].iter().zip(&alive) {
        assert_eq!((result.values[0], result.n), (1.0, *n));
    }
    assert_eq!(results[1][0].n, alive.iter().sum::<u64>());
    let record = &outcome.observed[0].record;
    for (k, path) in record.values.chunks_exact(3 * 2).enumerate() {
        for (look, step) in looks.iter().enumerate() {
            assert_eq!(path[2 * look].is_nan(), life[k] <= *step, "path {k} at step {step}");
        }
    }
    // Without looks, chunks are longer; what is found is the same.
    for lanes in [Some(8), Some(64)] {
        assert_eq!(run(&make(lanes), Control::default()).diverged, outcome.diverged);
    }
    let early = life.iter().copied().filter(|l| *l > 0).min();
    assert!(early.is_some(), "some path breaks on the way");
}

/// States that wait for their observers give what single steps give, also where paths diverge on the way and where
/// values are left out. An observer that reads a table makes all steps go one by one.
#[test]
fn steps_that_wait_for_observers_change_nothing() {
    for (paths, lanes, first) in [(61, 8, 0), (500, 16, 3), (500, 64, 17)] {
        let make = |alone: bool| {
            let mut job = ou_job(paths, every_request(), 1, Some(lanes));
            let step = job.step.take().expect("it moves");
            let rule = stage(3, &[], 3, 1, step.rows.clone(), |l: Lane<'_>| {
                let kick = l.step[0].sqrt();
                l.state.iter_mut().zip(l.noise).for_each(|(x, z)| *x = 0.9 * *x + kick * z);
                if l.noise[0] > 3.4 {
                    l.state[2] = f64::INFINITY;
                }
            });
            job.step = Some(rule);
            job.observers[0].looks = (first..=150).chain([180, 190]).collect();
            if alone {
                let table = stage(3, &[&[]], 0, 1, Arc::new(|range| range.map(|_| 0.0).collect()), |_| {});
                job.observers.push(observer(table, vec![0], vec![]));
            }
            let mut outcome = run(&job, Control::default());
            assert!(outcome.diverged.paths > 0);
            format!("{:?} {:?}", outcome.observed.swap_remove(0), outcome.diverged)
        };
        assert!(make(false) == make(true), "{paths} paths, {lanes} lanes");
    }
}

#[test]
fn a_lone_path_is_the_same_as_among_others() {
    let requests = || vec![Request::of(StatKind::Mean, 1)];
    let mut all = ou_job(64, requests(), 1, None);
    all.observers[0].record_first = 64;
    let together = run(&all, Control::default());
    for path in [0, 7, 13, 63] {
        let mut lone = ou_job(1, requests(), 1, None);
        lone.first_path = path;
        lone.observers[0].record_first = 1;
        let outcome = run(&lone, Control::default());
        let record = &outcome.observed[0].record;
        assert_eq!(record.paths, [path]);
        let per = 41 * 5;
        let among = &together.observed[0].record.values[path as usize * per..][..per];
        assert!(record.values.iter().zip(among).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
}

#[test]
fn a_stopped_run_keeps_finished_blocks() {
    let times = grid(1.0, 10);
    let stop = AtomicBool::new(false);
    let calls = Arc::new(AtomicU64::new(0));
    let requests = vec![Request::of(StatKind::Mean, 0), Request::of(StatKind::Skewness, 0)];
    let looks = observer(first_state(1), vec![10], requests);
    let mut j = job(times.clone(), 100_000, constant_start(1, 1.0), gbm_step(&times), vec![looks]);
    j.lanes = Some(64);
    // The flag is raised by the run itself, in the middle of a block.
    let seen = calls.clone();
    let flag: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
    let inner = j.step.take().expect("a step");
    let rule = move |l: Lane<'_>| {
        if seen.fetch_add(1, Ordering::Relaxed) == 64 * 10 * 100 + 5 {
            flag.store(true, Ordering::Relaxed);
        }
        l.state[0] += l.noise[0];
    };
    j.step = Some(stage(1, &[], 1, 1, inner.rows, rule));
    let outcome = run(&j, Control { stop: Some(flag), progress: None });
    assert!(outcome.interrupted);
    assert!((6400..=6464).contains(&outcome.finished), "{}", outcome.finished);
    let result = &outcome.observed[0].results[0][0];
    assert_eq!(result.n, outcome.finished);
    assert!(outcome.observed[0].results[1][0].se[0].is_finite());
    // Stopped before it began.
    stop.store(true, Ordering::Relaxed);
    let nothing = run(&j, Control { stop: Some(&stop), progress: None });
    assert_eq!(nothing.finished, 0);
    assert!(nothing.observed[0].results[0][0].values[0].is_nan());
}

#[test]
fn progress_is_counted() {
    let progress = Progress::default();
    let walk = stage(1, &[], 1, 0, no_rows(), |l: Lane<'_>| {
        l.state[0] += l.noise[0];
        if l.noise[0] > 3.5 {
            l.state[0] = f64::NAN;
        }
    });
    let j = job(grid(1.0, 100), 4000, constant_start(1, 1.0), walk, vec![]);
    let outcome = run(&j, Control { stop: None, progress: Some(&progress) });
    let reached = progress.reached();
    assert_eq!((reached.paths, reached.of_paths, reached.fraction), (4000, 4000, 1.0));
    assert_eq!(reached.path_steps, outcome.path_steps);
    assert!(outcome.diverged.paths > 0);
    assert_eq!(reached.diverged, outcome.diverged.paths);
}

#[test]
fn a_job_without_steps_looks_at_the_start() {
    let init = stage(1, &[], 1, 0, no_rows(), |l: Lane<'_>| l.state[0] = 2.0 + l.noise[0]);
    let looks = observer(first_state(1), vec![0], vec![Request::of(StatKind::Mean, 0)]);
    let mut j = job(vec![0.0], 10_000, init.clone(), init, vec![looks]);
    j.step = None;
    let outcome = run(&j, Control::default());
    within(&outcome.observed[0].results[0][0], 2.0);
    assert_eq!(outcome.path_steps, 0);
}

#[test]
fn coverage_of_standard_errors() {
    // 400 replicas of 300 paths: how often the truth is within one standard error. For a normal estimate and an exact
    // error it is 0.683; errors from 32 groups or skewed estimates lose a little. The count has a spread of 0.023.
    let replicas = 400;
    let kinds = [
        (StatKind::Mean, 0.0, true),
        (StatKind::Var, 1.0, true),
        (StatKind::Std, 1.0, false),
        (StatKind::Quantile { at: vec![0.8], list: false }, 0.841_621, true),
        (StatKind::Quantile { at: vec![0.8], list: false }, 0.841_621, false),
        (StatKind::Mean, 0.0, false),
    ];
    let times = grid(2.0, 8);
    let init = stage(1, &[], 1, 0, no_rows(), |l: Lane<'_>| l.state[0] = l.noise[0]);
    let step = stage(1, &[], 1, 1, dt_rows(&times), |l: Lane<'_>| {
        let decay = (-l.step[0]).exp();
        l.state[0] = decay * l.state[0] + (1.0 - decay * decay).sqrt() * l.noise[0];
    });
    let mut inside = vec![0; kinds.len()];
    for replica in 0..replicas {
        let requests =
            kinds.iter().map(|(s, _, pooled)| Request { pool_times: *pooled, ..Request::of(s.clone(), 0) }).collect();
        let looks = observer(first_state(1), vec![2, 4, 6, 8], requests);
        let mut j = job(times.clone(), 300, init.clone(), step.clone(), vec![looks]);
        j.seed = replica;
        let outcome = run(&j, Control::default());
        for (k, (_, truth, _)) in kinds.iter().enumerate() {
            let r = &outcome.observed[0].results[k][0];
            inside[k] += u32::from((r.values[0] - truth).abs() < r.se[0]);
        }
    }
    for (count, kind) in inside.iter().zip(&kinds) {
        let coverage = f64::from(*count) / replicas as f64;
        assert!((coverage - 0.683).abs() < 5.0 * 0.0233, "{kind:?}: {coverage}");
    }
}

#[test]
fn what_never_happens_has_a_bound() {
    let times = grid(1.0, 2);
    let never = stage(1, &[&[]], 0, 0, no_rows(), |l: Lane<'_>| l.out[0] = f64::from(l.state[0] < 0.0));
    let looks = observer(never, vec![2], vec![Request::of(StatKind::Prob, 0)]);
    let j = job(times.clone(), 299, constant_start(1, 1.0), gbm_step(&times), vec![looks]);
    let result = &run(&j, Control::default()).observed[0].results[0][0];
    assert_eq!((result.values[0], result.se[0]), (0.0, 0.0));
    // The rule of three: 3/299 is about 1.0e-2.
    assert!(result.notes[0].contains("1.0e-2"), "{:?}", result.notes);
}

#[test]
fn diagnostics_at_one_time() {
    let requests = vec![Request::of(StatKind::Ess, 1), Request::of(StatKind::Rhat, 1)];
    let outcome = run(&ou_job(200, requests, 1, None), Control::default());
    let results = &outcome.observed[0].results;
    assert_eq!(results[0].len(), 41);
    assert_eq!(results[0][7].values, [200.0]);
    assert!(results[1][7].values[0].is_nan() && !results[1][7].notes.is_empty());
}
