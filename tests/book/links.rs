//! Every link of the book and of the README leads to a file and a heading, and every page is in the summary.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{docs, page};

#[test]
fn every_link_leads_somewhere() {
    let readme = docs().join("../README.md");
    let wrong: Vec<String> =
        pages().into_iter().chain([docs().join("SUMMARY.md"), readme]).flat_map(|p| dead(&p)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_page_is_in_the_summary() {
    let text = std::fs::read_to_string(docs().join("SUMMARY.md")).expect("the summary exists");
    let listed: BTreeSet<PathBuf> = page::prose(&text).flat_map(links).map(|link| docs().join(link)).collect();
    let there: BTreeSet<PathBuf> = pages().into_iter().collect();
    assert_eq!(listed, there, "the pages of the summary and of the folder");
}

/// All pages but the summary.
fn pages() -> Vec<PathBuf> {
    let folders = ["", "tutorial", "howto", "theory"].map(|folder| docs().join(folder));
    folders.iter().flat_map(|folder| page::names(folder).into_iter().map(|name| folder.join(name))).collect()
}

/// The links of a file that lead nowhere, or out of the book.
fn dead(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).expect("the page exists");
    let inside = file.starts_with(docs()) && !file.ends_with("README.md");
    let wrong = |link: &str| {
        let (name, heading) = link.split_once('#').unwrap_or((link, ""));
        let to = if name.is_empty() { file.to_path_buf() } else { file.parent().expect("a folder").join(name) };
        match std::fs::read_to_string(&to) {
            Err(_) => Some("no such file"),
            Ok(_) if inside && !to.canonicalize().is_ok_and(|to| to.starts_with(docs())) => Some("it leaves the book"),
            Ok(there) if !heading.is_empty() && !headings(&there).contains(heading) => Some("no such heading"),
            Ok(_) => None,
        }
    };
    page::prose(&text)
        .flat_map(links)
        .filter(|link| !link.contains("://"))
        .filter_map(|link| wrong(link).map(|why| format!("{}: `{link}`: {why}", file.display())))
        .collect()
}

/// The targets of the links in a line of text.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(link, _)| link))
}

/// The anchors of the headings of a page, as mdBook makes them.
fn headings(text: &str) -> BTreeSet<String> {
    let anchor = |heading: &str| -> String {
        let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).flat_map(char::to_lowercase).collect()
    };
    page::prose(text).filter(|line| line.starts_with('#')).map(|line| anchor(line.trim_start_matches('#'))).collect()
}
