//! The grammar of `grammar/sde.pest` as a parser, and the few steps in its trees that every builder needs.

use super::layout::Piece;
use crate::source::{FileId, Span};
use pest::iterators::{Pair, Pairs};
use std::sync::LazyLock;

// The derived code has public items without documentation.
#[allow(missing_docs, clippy::all)]
mod derived {
    #[derive(pest_derive::Parser)]
    #[grammar = "grammar/sde.pest"]
    pub struct Grammar;
}

pub use derived::{Grammar, Rule};

/// Where a statement stands, which decides what it may be.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    #[default]
    File,
    Function,
    Target,
    Model,
    Part,
    Block,
    Solver,
    Run,
}

impl Place {
    pub const ALL: [Place; 8] = [
        Place::File,
        Place::Function,
        Place::Target,
        Place::Model,
        Place::Part,
        Place::Block,
        Place::Solver,
        Place::Run,
    ];

    /// The rule that reads one statement here.
    pub fn rule(self) -> Rule {
        match self {
            Place::File => Rule::one_item,
            Place::Function => Rule::one_fn_stmt,
            Place::Target => Rule::one_target_stmt,
            Place::Model => Rule::one_model_stmt,
            Place::Part => Rule::one_part_stmt,
            Place::Block => Rule::one_block_stmt,
            Place::Solver => Rule::one_solver_stmt,
            Place::Run => Rule::one_run_stmt,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Place::File => "the top level of a file",
            Place::Function => "a function",
            Place::Target => "a target",
            Place::Model => "a model",
            Place::Part => "a part of a model",
            Place::Block => "a block of primes (`step`, `every`, `at`, `when`)",
            Place::Solver => "a solver",
            Place::Run => "a run",
        }
    }

    /// As in "it can stand ...".
    pub fn location(self) -> String {
        if self == Place::File { "at the top level of a file".to_string() } else { format!("in {}", self.name()) }
    }

    /// The words that can begin a statement here (besides names and expressions).
    pub fn heads(self) -> &'static [&'static str] {
        match self {
            Place::File => &["use", "const", "data", "fn", "target", "model", "solver", "run"],
            Place::Function => &["let", "return"],
            Place::Target => &["let", "const", "data", "fn", "log_density", "potential"],
            Place::Model => &[
                "part",
                "step",
                "convention",
                "noise",
                "state",
                "weight",
                "every",
                "at",
                "when",
                "let",
                "const",
                "data",
                "fn",
            ],
            Place::Part => &["let"],
            Place::Block => &["let", "fn", "state", "weight", "if", "for", "error", "solve", "stop"],
            Place::Solver => &["order", "step", "state", "let", "const", "fn"],
            Place::Run => &[
                "let", "report", "plot", "check", "save", "estimate", "init", "sweep", "converge", "train", "phase",
                "for",
            ],
        }
    }

    /// What the block of a statement with this head, standing here, holds.
    pub fn inside(self, head: &str) -> Option<Place> {
        Some(match (self, head) {
            (_, "fn") => Place::Function,
            (Place::File, "target") => Place::Target,
            (Place::File, "model") => Place::Model,
            (Place::File, "solver") => Place::Solver,
            (Place::File, "run") => Place::Run,
            (Place::Model, "part") => Place::Part,
            (Place::Model | Place::Solver, "step" | "every" | "at" | "when") => Place::Block,
            (Place::Block, "if" | "for") => Place::Block,
            (Place::Run, "phase" | "for") => Place::Run,
            _ => return None,
        })
    }
}

/// Every word that the grammar knows, reserved or not: its rules that begin with `kw_`, and the words that are operators.
pub fn keywords() -> &'static [&'static str] {
    static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let rules = include_str!("../../grammar/sde.pest").lines();
        let rules = rules.filter_map(|line| line.strip_prefix("kw_")?.split_once(' '));
        rules.map(|(word, _)| word).chain(["and", "or", "not"]).collect()
    });
    &WORDS
}

/// A node of pest's tree with the statement that it was read from, which knows where in the file it stands.
#[derive(Clone)]
pub struct Node<'p, 't> {
    pub pair: Pair<'p, Rule>,
    pub piece: &'t Piece,
}

impl<'p, 't> Node<'p, 't> {
    pub fn rule(&self) -> Rule {
        self.pair.as_rule()
    }

    pub fn text(&self) -> &'p str {
        self.pair.as_str().trim_end()
    }

    pub fn start(&self) -> usize {
        self.piece.start + self.pair.as_span().start()
    }

    /// Its place in the file. Pest counts the white space before an absent option to the node; it is left out here.
    pub fn span(&self, file: FileId) -> Span {
        Span::new(file, self.start(), self.start() + self.text().len())
    }

    pub fn kids(self) -> Kids<'p, 't> {
        Kids { inner: self.pair.into_inner(), piece: self.piece }
    }

    /// The only child.
    pub fn only(self) -> Node<'p, 't> {
        self.kids().next().expect("the grammar gives this node a child")
    }
}

/// The children of a node without punctuation that carries no meaning.
#[derive(Clone)]
pub struct Kids<'p, 't> {
    inner: Pairs<'p, Rule>,
    piece: &'t Piece,
}

impl<'p, 't> Iterator for Kids<'p, 't> {
    type Item = Node<'p, 't>;

    fn next(&mut self) -> Option<Node<'p, 't>> {
        let pair = self.inner.by_ref().find(|p| !is_punctuation(p.as_rule()))?;
        Some(Node { pair, piece: self.piece })
    }
}

impl<'p, 't> Kids<'p, 't> {
    /// The next child, if it is of this rule.
    pub fn maybe(&mut self, rule: Rule) -> Option<Node<'p, 't>> {
        while self.inner.peek().is_some_and(|p| is_punctuation(p.as_rule())) {
            self.inner.next();
        }
        let found = self.inner.peek().is_some_and(|p| p.as_rule() == rule);
        if found { self.next() } else { None }
    }

    /// The next child, which the grammar promises to be of this rule.
    pub fn need(&mut self, rule: Rule) -> Node<'p, 't> {
        self.maybe(rule).unwrap_or_else(|| panic!("the grammar promises {rule:?}"))
    }

    /// Passes over a keyword; true if it is there.
    pub fn word(&mut self, rule: Rule) -> bool {
        self.maybe(rule).is_some()
    }
}

fn is_punctuation(rule: Rule) -> bool {
    use Rule::*;
    matches!(
        rule,
        open | close | comma | colon | arrow | eq | dot | paren_open | paren_close | bracket_open | bracket_close | EOI
    )
}
