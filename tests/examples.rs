//! The examples: in debug builds each is worked out without being run, in release builds it runs and its checks hold.

mod running;

use std::path::{Path, PathBuf};

use fokker::session::inspect;
use fokker::session::load::{Options, load_file};
use running::{check, run};

/// Where an example has more work than a test should do: its paths, in place of its own.
const FEWER_PATHS: [(&str, u64); 1] = [("logistic_regression", 8)];

fn path_of(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name).with_extension("sde")
}

fn example(name: &str) {
    let path = path_of(name);
    check(&path);
    if !cfg!(debug_assertions) {
        let paths = FEWER_PATHS.iter().find(|(n, _)| *n == name).map(|(_, paths)| *paths);
        run(&path, paths);
    }
}

macro_rules! examples {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];
        $(#[test] fn $name() { example(stringify!($name)); })*
    };
}

examples! {
    adaptive cir colloid custom_solver double_well gbm heston heston_andersen heston_exact_variance kubo logistic_regression lorenz
    mala phi4 ring_mixture talay_tubaro
}

/// `fokker check` and `fokker explain` have something to say about each, and no errors. Only chains have no equations.
#[test]
fn every_example_is_checked_and_explained() {
    for name in NAMES {
        let loaded = load_file(&path_of(name), &Options::default());
        let (facts, problems) = inspect::facts(&loaded);
        assert!(!problems.iter().any(|p| p.is_error()), "{name}: {problems:#?}");
        let (explained, problems) = inspect::explanations(&loaded);
        assert!(!problems.iter().any(|p| p.is_error()), "{name}: {problems:#?}");
        assert_eq!(facts.len(), explained.len(), "{name}");
        assert_eq!(facts.is_empty(), *name == "mala", "{name}");
    }
}

/// Of a posterior over many rows nothing is claimed that was not tried.
#[test]
fn what_is_not_tried_is_said_not_to_be() {
    let (facts, _) = inspect::facts(&load_file(&path_of("logistic_regression"), &Options::default()));
    for answer in [&facts[0].linear_drift, &facts[0].gradient_drift] {
        assert!(answer.starts_with("not proved: ") && answer.contains("not tried at points"), "{answer}");
    }
}

#[test]
fn every_example_has_its_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    assert_eq!(running::names(&folder), NAMES, "the names in this file and the files of the folder");
}

#[test]
fn systems_of_the_literature() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/systems");
    for name in running::names(&folder) {
        example(&format!("systems/{name}"));
    }
}
