//! The book in `docs/`: its programs run, its consoles show what is printed, its links lead somewhere.

mod console;
mod links;
mod page;
mod program;

use std::path::{Path, PathBuf};

use page::Block;

/// Languages of blocks that are here to be read: other systems' programs, formulas, what is typed before Fokker is there.
const READ_ONLY: &[&str] = &["text", "sh", "python", "julia", "stan", "xml"];

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// Works through the blocks of every page of a folder of `docs`, in order.
fn work_through(folder: &str) {
    let mut wrong = Vec::new();
    for name in page::names(&docs().join(folder)) {
        let page = Path::new(folder).join(name);
        wrong.extend(blocks_of(&page).into_iter().map(|e| format!("docs/{}:{e}", page.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What is wrong with the blocks of a page. They share a folder of their own, where blocks with `file=NAME` are written.
fn blocks_of(page: &Path) -> Vec<String> {
    let path = docs().join(page);
    let text = std::fs::read_to_string(&path).expect("the page exists");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("book").join(page);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    let mut wrong = Vec::new();
    let mut new = page::Edits::default();
    for block in page::blocks(&text) {
        let found = block_of(&block, &folder, &mut new);
        wrong.extend(found.err().map(|e| format!("{}: {e}", block.line)));
    }
    if !new.is_empty() {
        std::fs::write(&path, new.apply(&text)).expect("the page can be written");
    }
    wrong
}

fn block_of(block: &Block, folder: &Path, new: &mut page::Edits) -> Result<(), String> {
    if let Some(name) = block.option("file") {
        std::fs::write(folder.join(name), &block.text).expect("a file can be written");
    }
    match block.language() {
        "sde" => program::try_out(block, folder),
        "console" => console::compare(block, folder, new),
        "csv" => block.option("file").map(|_| ()).ok_or_else(|| "data without `file=NAME`".to_string()),
        other if READ_ONLY.contains(&other) => Ok(()),
        other => Err(format!("a block in the language `{other}`, which is not tested")),
    }
}

#[test]
fn the_reference_pages_hold() {
    work_through("");
}

#[test]
fn the_tutorial_holds() {
    work_through("tutorial");
}

#[test]
fn the_guides_hold() {
    work_through("howto");
}

#[test]
fn the_theory_holds() {
    work_through("theory");
}
