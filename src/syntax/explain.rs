//! From a failure of the grammar to a message: what was found, what was expected, and the slip behind it where one is
//! recognised (`mistakes.rs`).

use super::grammar::{Place, Rule};
use super::layout::{Layout, Piece};
use super::lex::TokenKind;
use super::mistakes;
use crate::diagnostics::{Diagnostic, codes};
use crate::source::{FileId, Span};
use pest::error::{Error, ErrorVariant, InputLocation};

/// The words that can never be names.
pub const RESERVED: [&str; 14] =
    ["let", "const", "fn", "if", "then", "else", "for", "in", "and", "or", "not", "return", "true", "false"];

/// A token of the statement that failed.
#[derive(Copy, Clone, Debug)]
pub struct Word<'t> {
    pub kind: TokenKind,
    pub text: &'t str,
    pub span: Span,
}

/// A statement that does not fit the grammar.
pub struct Failure<'t> {
    pub file: FileId,
    /// The original text of the file.
    pub text: &'t str,
    pub place: Place,
    /// The statement as the grammar read it.
    pub read: &'t str,
    /// Its tokens, without those in its blocks.
    pub words: Vec<Word<'t>>,
    /// Index of the token where the grammar gave up; `words.len()` at the end.
    pub here: usize,
    /// The rules that could have gone on there.
    pub wanted: Vec<Rule>,
    /// The parser ran out of stack.
    pub exhausted: bool,
}

impl<'t> Failure<'t> {
    pub fn new(
        file: FileId,
        text: &'t str,
        layout: &'t Layout,
        piece: &Piece,
        place: Place,
        read: &'t str,
        error: &Error<Rule>,
    ) -> Failure<'t> {
        let own = layout.tokens[piece.tokens.clone()].iter().filter(|t| piece.owns(t.start));
        let own = own.filter(|t| t.kind != TokenKind::Newline);
        let words: Vec<Word> = own
            .map(|t| {
                let text = layout.masked[t.start..t.end].trim_end();
                Word { kind: t.kind, text, span: Span::new(file, t.start, t.end) }
            })
            .collect();
        let (InputLocation::Pos(at) | InputLocation::Span((at, _))) = error.location;
        let at = piece.start + at;
        let here = words.iter().position(|w| w.span.end as usize > at).unwrap_or(words.len());
        let (wanted, exhausted) = match &error.variant {
            ErrorVariant::ParsingError { positives, .. } => (positives.clone(), false),
            ErrorVariant::CustomError { .. } => (Vec::new(), true),
        };
        Failure { file, text, place, read, words, here, wanted, exhausted }
    }

    /// The text of token `i`, empty past the end.
    pub fn word(&self, i: usize) -> &'t str {
        self.words.get(i).map_or("", |w| w.text)
    }

    pub fn kind(&self, i: usize) -> Option<TokenKind> {
        self.words.get(i).map(|w| w.kind)
    }

    pub fn found(&self) -> &'t str {
        self.word(self.here)
    }

    pub fn previous(&self) -> &'t str {
        self.here.checked_sub(1).map_or("", |i| self.word(i))
    }

    /// What stands before, as a reader sees it: a prime with its name.
    fn before(&self) -> String {
        match self.previous() {
            "'" => format!("{}'", self.here.checked_sub(2).map_or("", |i| self.word(i))),
            word => word.to_string(),
        }
    }

    pub fn previous_is_operator(&self) -> bool {
        self.here.checked_sub(1).and_then(|i| self.kind(i)) == Some(TokenKind::Operator)
    }

    pub fn wants(&self, rule: Rule) -> bool {
        self.wanted.contains(&rule)
    }

    /// Whether what stands before is a whole value that an operator could continue.
    pub fn after_value(&self) -> bool {
        use Rule::*;
        [mul_op, add_op, cmp_op, or_op, and_op, pow_op].iter().any(|r| self.wants(*r))
    }

    pub fn wants_value(&self) -> bool {
        self.wanted.iter().any(|r| is_value(*r))
    }

    /// A place to point at: the token found, or the last one when the statement ends too early.
    pub fn span(&self) -> Span {
        let word = self.words.get(self.here).or(self.words.last());
        word.map_or(Span::new(self.file, 0, 0), |w| w.span)
    }

    pub fn span_of(&self, i: usize) -> Span {
        self.words.get(i).map_or(self.span(), |w| w.span)
    }

    /// Whether token `i` stands on a later line than the one before it.
    pub fn begins_line(&self, i: usize) -> bool {
        let (Some(word), Some(before)) = (self.words.get(i), i.checked_sub(1).and_then(|b| self.words.get(b))) else {
            return false;
        };
        self.text[before.span.end as usize..word.span.start as usize].contains('\n')
    }
}

pub fn explain(failure: &Failure) -> Diagnostic {
    if failure.exhausted {
        let message = "this statement is nested too deeply";
        let problem = Diagnostic::error(codes::TOO_DEEP, message, failure.span(), "too deep here");
        return problem.help("name parts of it with `let`");
    }
    mistakes::recognise(failure).unwrap_or_else(|| plain(failure))
}

/// "expected ... after ..., found ...".
pub fn plain(failure: &Failure) -> Diagnostic {
    let expected = expected(failure);
    let before = failure.before();
    let after = if before.is_empty() { String::new() } else { format!(" after `{before}`") };
    let (message, label) = if failure.here < failure.words.len() {
        (format!("expected {expected}{after}, found {}", found(failure)), format!("expected {expected}"))
    } else {
        (format!("expected {expected}{after}, but the statement ends"), format!("expected {expected} after this"))
    };
    let mut problem = Diagnostic::error(codes::SYNTAX, message, failure.span(), label);
    if let Some(help) = mistakes::hint(failure) {
        problem = problem.help(help);
    }
    if let Some((span, text)) = mistakes::mended(failure) {
        problem = problem.instead(span, text);
    }
    problem
}

/// The token at which the grammar gave up, in words.
pub fn found(failure: &Failure) -> String {
    let text = failure.found();
    match failure.kind(failure.here) {
        None => "the end of the statement".to_string(),
        Some(TokenKind::Number) => format!("the number `{text}`"),
        Some(TokenKind::Text) => format!("the string {text}"),
        Some(TokenKind::Name) if RESERVED.contains(&text) => format!("the word `{text}`"),
        Some(_) => format!("`{text}`"),
    }
}

/// What could have stood there, in words.
fn expected(failure: &Failure) -> String {
    if failure.here == 0 {
        return match failure.place {
            Place::File => format!("a declaration ({})", list(failure.place.heads())),
            _ => "a statement".to_string(),
        };
    }
    let mut terms: Vec<&str> = Vec::new();
    let after_value = failure.after_value();
    if failure.wants_value() {
        terms.push("an expression");
    }
    for (rule, term, optional) in TERMS {
        let optional = *optional && (after_value || failure.wants(Rule::EOI));
        if failure.wants(*rule) && !optional && !beside_the_point(failure, *rule) && !terms.contains(term) {
            terms.push(term);
        }
    }
    if after_value {
        terms.push("an operator");
    }
    if failure.wants(Rule::EOI) {
        terms.push("the end of the statement");
    }
    terms.truncate(5);
    match terms.split_last() {
        None => "something else".to_string(),
        Some((last, [])) => last.to_string(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// Things that could stand there but that nobody means: `phase = 3` is a setting, `f(x = 1)` has a named argument.
fn beside_the_point(failure: &Failure, rule: Rule) -> bool {
    let in_brackets = failure.wants(Rule::paren_close) || failure.wants(Rule::comma);
    rule == Rule::eq && (failure.wants(Rule::name) || failure.wants_value() || failure.after_value() && in_brackets)
}

fn list(words: &[&str]) -> String {
    words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ")
}

/// Rules in the language's own terms; the last column marks what may always be left out.
const TERMS: &[(Rule, &str, bool)] = &[
    (Rule::name, "a name", false),
    (Rule::path, "a name", false),
    (Rule::names, "a name", false),
    (Rule::fields, "a name with its value", false),
    (Rule::param, "a parameter", false),
    (Rule::clause, "a name with its range", false),
    (Rule::string, "a string", false),
    (Rule::type_, "a type", false),
    (Rule::named_type, "a type", false),
    (Rule::function_type, "a type", false),
    (Rule::header, "`(`", true),
    (Rule::eq, "`=`", false),
    (Rule::tilde, "`~`", false),
    (Rule::colon, "`:`", true),
    (Rule::arrow, "`->`", true),
    (Rule::comma, "`,`", false),
    (Rule::paren_open, "`(`", true),
    (Rule::bracket_open, "`[`", true),
    (Rule::paren_close, "`)`", false),
    (Rule::bracket_close, "`]`", false),
    (Rule::range_op, "`..`", true),
    (Rule::density, "`on`", false),
    (Rule::step_rule, "`on`", false),
    (Rule::kw_on, "`on`", false),
    (Rule::kw_then, "`then`", false),
    (Rule::kw_else, "`else`", false),
    (Rule::kw_in, "`in`", true),
    (Rule::kw_to, "`to`", false),
    (Rule::kw_by, "`by`", false),
    (Rule::kw_from, "`from`", false),
    (Rule::kw_minimise, "`minimise`", false),
    (Rule::kw_maximise, "`maximise`", false),
    (Rule::kw_correlation, "`correlation`", false),
    (Rule::kw_covariance, "`covariance`", false),
    (Rule::kw_steps, "`steps`", true),
    (Rule::kw_for, "`for`", true),
    (Rule::pool_span, "`last` or a name with its range", false),
    (Rule::open, "`{`", false),
    (Rule::fn_block, "`{`", false),
    (Rule::target_block, "`{`", false),
    (Rule::model_block, "`{`", false),
    (Rule::part_block, "`{`", false),
    (Rule::block, "`{`", false),
    (Rule::solver_block, "`{`", false),
    (Rule::run_block, "`{`", false),
];

/// The rules that begin an expression.
fn is_value(rule: Rule) -> bool {
    use Rule::*;
    matches!(
        rule,
        expr | exprs
            | lambda
            | if_expr
            | range
            | or_expr
            | and_expr
            | not_expr
            | comparison
            | sum
            | term
            | product
            | unary
            | power
            | postfix
            | atom
            | variable
            | arg
            | sub
            | subs
    )
}
