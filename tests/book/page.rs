//! Pages as lines and fenced blocks.

use std::path::Path;

/// A fenced block: where its fence stands (from one), what stands after the fence, and its text.
pub struct Block {
    pub line: usize,
    info: String,
    pub text: String,
}

impl Block {
    pub fn language(&self) -> &str {
        self.info.split(',').next().unwrap_or("")
    }

    /// The value of `name=value` after the fence.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.info.split(',').find_map(|o| o.strip_prefix(name)?.strip_prefix('='))
    }

    pub fn has(&self, word: &str) -> bool {
        self.info.split(',').any(|o| o == word)
    }
}

/// The fenced blocks of a page.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (k, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(info), None) => {
                open = Some(Block { line: k + 1, info: info.trim().to_string(), text: String::new() });
            }
            (Some(_), Some(block)) => found.push(block),
            (None, Some(mut block)) => {
                block.text += line;
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block without its end");
    found
}

/// The lines of a page outside of blocks.
pub fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    page.lines().filter(move |line| {
        let fence = line.starts_with("```");
        inside ^= fence;
        !inside && !fence
    })
}

/// The files of a folder that are pages, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder of pages")
        .map(|entry| entry.expect("an entry of the folder").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".md") && name != "SUMMARY.md")
        .collect();
    names.sort();
    names
}

/// New texts of blocks, by the lines of their fences.
#[derive(Default)]
pub struct Edits(Vec<(usize, String)>);

impl Edits {
    pub fn put(&mut self, block: &Block, text: String) {
        self.0.push((block.line, text));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The page with the new texts.
    pub fn apply(&self, page: &str) -> String {
        let mut out = String::new();
        let mut skip = false;
        for (k, line) in page.lines().enumerate() {
            skip &= !line.starts_with("```");
            if !skip {
                out += line;
                out.push('\n');
            }
            if let Some((_, text)) = self.0.iter().find(|(at, _)| *at == k + 1) {
                out += text;
                skip = true;
            }
        }
        out
    }
}
