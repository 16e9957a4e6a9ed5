//! Embeds the standard library: every `.sde` file below `stdlib/` becomes a row of a table.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=stdlib");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut files = Vec::new();
    collect(&root.join("stdlib"), &mut files);
    files.sort();
    let rows: Vec<String> = files
        .iter()
        .map(|f| {
            let name = f.strip_prefix(&root).expect("below the root").to_string_lossy().replace('\\', "/");
            format!("    ({name:?}, include_str!({:?})),\n", f.to_string_lossy())
        })
        .collect();
    let text = format!("pub const FILES: &[(&str, &str)] = &[\n{}];\n", rows.concat());
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("stdlib.rs");
    fs::write(out, text).expect("the build folder can be written");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "sde") {
            files.push(path);
        }
    }
}
