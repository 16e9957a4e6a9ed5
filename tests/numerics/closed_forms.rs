//! The programs of this folder: systems with closed forms. They run in every profile, and their checks hold.

use std::path::{Path, PathBuf};

use crate::running::{check, names, run};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/numerics")
}

fn program(name: &str) {
    let path = folder().join(name).with_extension("sde");
    check(&path);
    run(&path, None);
}

macro_rules! programs {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];
        $(#[test] fn $name() { program(stringify!($name)); })*
    };
}

programs! { conventions exact finance kernels lattice linear mean_field regression }

#[test]
fn every_program_has_its_test() {
    assert_eq!(names(&folder()), NAMES, "the names in this file and the files of the folder");
}
