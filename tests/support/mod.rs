//! What the tests of syntax share.

use std::path::Path;

/// Every program that ships with the project or stands in the design of the language: name and text.
pub fn programs() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["examples", "tests/data/programs"] {
        for entry in std::fs::read_dir(root.join(folder)).expect("the folder of programs exists") {
            let path = entry.expect("the folder can be read").path();
            if path.extension().is_some_and(|e| e == "sde") {
                let text = std::fs::read_to_string(&path).expect("a program can be read");
                found.push((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), text));
            }
        }
    }
    found.sort();
    assert!(found.len() > 30, "the programs are where they are expected");
    found
}

/// The debug text of a tree without its places in the text.
pub fn without_spans(debug: &str) -> String {
    let mut out = String::new();
    let mut rest = debug;
    while let Some(at) = rest.find("Span {") {
        out.push_str(&rest[..at]);
        // `Span { file: FileId(0), start: 1, end: 2 }` has no braces inside.
        let end = rest[at..].find('}').map_or(rest.len(), |i| at + i + 1);
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}
