//! The examples: in debug builds each is worked out without being run, in release builds it runs and its checks hold.

mod running;

use std::path::Path;

use running::{check, run};

/// Where an example has more work than a test should do: its paths, in place of its own.
const FEWER_PATHS: [(&str, u64); 1] = [("logistic_regression", 8)];

fn example(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name).with_extension("sde");
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
    cir colloid custom_solver double_well gbm heston kubo logistic_regression lorenz mala phi4 ring_mixture
    talay_tubaro
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
