//! The programs of `tests/programs`: systems whose answers are known. In debug builds each is worked out without being
//! run, in release builds it runs and its checks hold.

mod running;

use std::path::{Path, PathBuf};

use running::{check, run};

fn program(name: &str) {
    let path = folder().join(name).with_extension("sde");
    check(&path);
    if !cfg!(debug_assertions) {
        run(&path, None);
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs")
}

macro_rules! programs {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];
        $(#[test] fn $name() { program(stringify!($name)); })*
    };
}

programs! {
    active basket bessel bond bridge cameron_martin catalogue chosen conjugate conventions coupling diagonal exact_draws
    expectations free_field functions ginzburg_landau grid group heat_equation implicit invariant jumps kernels laws levy_area
    linear_regression logistic magnetic multistep names oscillators phi4_chain random_coefficients rotors rows schedules
    shear single_precision sinh spin spiral splitting stability stein time_dependent torus transforms turns verlet
    wiener_integrals
}

#[test]
fn every_program_has_its_test() {
    assert_eq!(running::names(&folder()), NAMES, "the names in this file and the files of the folder");
}
