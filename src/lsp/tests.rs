//! Unfinished texts: an editor shows nothing else.

use super::document::{Shared, Studied};
use super::place::Units;
use super::{actions, complete, hints, hover, rename, signature, symbols, tell};
use crate::session::load::Options;

/// Everything that a client could ask about the end of a text.
fn ask_all(text: &str, shared: &mut Shared) {
    let uri = "file:///tmp/a.sde".parse().expect("an address");
    let studied = Studied::new(&uri, text, shared);
    let at = text.len();
    tell::problems(&studied);
    hover::hover(&studied, at);
    rename::definitions(&studied, at);
    rename::references(&studied, at, true);
    complete::complete(&studied, at, true);
    signature::signature(&studied, at);
    hints::hints(&studied, 0, at);
    symbols::symbols(&studied);
    actions::actions(&studied, 0, at);
}

#[test]
fn texts_that_end_anywhere_are_served() {
    let options = Options::default();
    let mut shared = Shared { options, units: Units::Utf16, library: None, standard: None };
    let programs = [
        include_str!("../../examples/heston.sde"),
        include_str!("../../examples/custom_solver.sde"),
        include_str!("../../tests/data/programs/page_fragments.sde"),
    ];
    for text in programs {
        let ends = text.char_indices().map(|(i, _)| i).step_by(13);
        for end in ends {
            ask_all(&text[..end], &mut shared);
        }
        // With a hole in place of a line.
        for line in text.lines().step_by(3).filter(|l| !l.trim().is_empty()) {
            ask_all(&text.replacen(line, "  dx = (", 1), &mut shared);
        }
    }
}
