//! The programs of `tests/programs`: systems whose answers are known. In debug builds each is worked out without being
//! run, in release builds it runs and its checks hold.

mod running;

use std::path::{Path, PathBuf};

use running::{check, run};

/// Programs that take minutes: they run when `FOKKER_LONG` is set.
const LONG: [&str; 1] = ["logistic"];

/// Programs that wait for something, and the code of the diagnostic that says so. One that waits no longer fails here,
/// so that it is taken off the list.
const WAITING: [(&str, &str); 1] = [("spiral", "E0409")];

fn program(name: &str) {
    let path = folder().join(name).with_extension("sde");
    if let Some((_, code)) = WAITING.iter().find(|(n, _)| *n == name) {
        return waits(&path, code);
    }
    check(&path);
    if cfg!(debug_assertions) || (LONG.contains(&name) && std::env::var_os("FOKKER_LONG").is_none()) {
        return;
    }
    run(&path, None);
}

fn waits(path: &Path, code: &str) {
    let loaded = fokker::session::load::load_file(path, &Default::default());
    let told: Vec<&str> = fokker::session::check_loaded(&loaded).iter().map(|p| p.code.0).collect();
    assert!(told.contains(&code), "{} waits no longer, or for another reason: {told:?}", path.display());
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
    active basket bessel bond bridge cameron_martin catalogue conjugate conventions coupling diagonal exact_draws free_field
    functions ginzburg_landau grid group heat_equation invariant kernels laws levy_area linear_regression
    logistic magnetic multistep oscillators phi4_chain random_coefficients rotors shear single_precision sinh
    spin spiral stein time_dependent torus verlet
}

#[test]
fn every_program_has_its_test() {
    assert_eq!(running::names(&folder()), NAMES, "the names in this file and the files of the folder");
}
