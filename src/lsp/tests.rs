//! Every place of programs, whole and unfinished: an editor shows nothing else.

use super::document::{Shared, Studied};
use super::place::Units;
use super::{actions, complete, hints, hover, rename, signature, symbols, tell};
use crate::session::load::Options;
use crate::syntax::{TokenKind, lex};

fn shared() -> Shared {
    let (options, units) = (Options::default(), Units::Utf16);
    Shared { options, units, library: None, standard: None, clock: Default::default() }
}

/// Expressions are recursive: as on the command line.
fn deep(work: fn()) {
    let thread = std::thread::Builder::new().stack_size(1 << 30).spawn(work).expect("a thread");
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

/// Everything that a client could ask about a place.
fn ask(studied: &Studied, at: usize) {
    hover::hover(studied, at);
    rename::definitions(studied, at);
    rename::references(studied, &[], at, true);
    let _ = rename::renamable(studied, at);
    complete::complete(studied, at, true);
    signature::signature(studied, at);
    actions::actions(studied, at, at);
}

/// And about a text as a whole.
fn ask_whole(studied: &Studied) {
    tell::problems(studied);
    hints::hints(studied, 0, studied.text.len());
    symbols::symbols(studied);
}

fn studied(text: &str, shared: &mut Shared) -> Studied {
    Studied::new(&"file:///tmp/a.sde".parse().expect("an address"), text, shared)
}

#[test]
fn texts_that_end_anywhere_are_served() {
    deep(|| {
        let mut shared = shared();
        let programs = [
            include_str!("../../examples/heston.sde"),
            include_str!("../../examples/custom_solver.sde"),
            include_str!("../../tests/data/programs/page_fragments.sde"),
        ];
        for text in programs {
            let mut serve = |text: &str| {
                let studied = studied(text, &mut shared);
                ask(&studied, text.len());
                ask_whole(&studied);
            };
            text.char_indices().step_by(13).for_each(|(end, _)| serve(&text[..end]));
            // With a hole in place of a line.
            for line in text.lines().step_by(3).filter(|l| !l.trim().is_empty()) {
                serve(&text.replacen(line, "  dx = (", 1));
            }
        }
    });
}

#[test]
fn every_word_of_programs_is_served() {
    deep(|| {
        let mut shared = shared();
        let programs = [
            include_str!("../../examples/adaptive.sde"),
            include_str!("../../examples/ring_mixture.sde"),
            include_str!("../../examples/talay_tubaro.sde"),
            include_str!("../../stdlib/solvers/baoab.sde"),
            include_str!("../../stdlib/models/underdamped.sde"),
        ];
        for text in programs {
            let studied = studied(text, &mut shared);
            ask_whole(&studied);
            for token in lex(crate::source::FileId(0), text).tokens {
                ask(&studied, token.start);
                ask(&studied, token.end);
                if token.kind == TokenKind::Name {
                    let uses = rename::references(&studied, &[], token.start, true);
                    let own = studied.units.position(text, token.start);
                    // `x` in `dx` begins after the `d`
                    let here = uses
                        .iter()
                        .any(|u| u.range.start <= own && own <= u.range.end || u.range.start.line == own.line);
                    assert!(uses.is_empty() || here, "{} is no place of itself", &text[token.start..token.end]);
                }
            }
        }
    });
}
