//! Usual slips at the level of tokens: operators of other languages, typographic characters, a prime in the wrong place.

use super::lex::{Token, TokenKind};
use crate::diagnostics::{Diagnostic, Edit, codes};
use crate::source::Span;

/// A recognised slip: how long it is, what is said of it, and what the parser is to see in its stead.
pub struct Slip {
    pub length: usize,
    pub label: &'static str,
    pub help: &'static str,
    /// At most as long as the slip; empty for nothing.
    pub instead: &'static str,
    /// What is right in its place, without any other change.
    pub mended: Option<&'static str>,
    /// The rest of the line is to be passed over, as a comment.
    pub rest_of_line: bool,
}

/// Operators of other languages: text, label, help, what the parser sees in its stead, and what an author can write there without
/// any other change. Longer ones first.
const FOREIGN: &[(&str, &str, &str, &str, Option<&str>)] = &[
    ("...", "ranges have two points", "write `a..b`", "..", Some("..")),
    ("===", "equality is `==`", "write `==`", "==", Some("==")),
    ("**", "powers are written with `^`", "write `x^2`", "^", Some("^")),
    ("&&", "conditions are joined by words", "write `and`", "+", Some("and")),
    ("||", "conditions are joined by words", "write `or`", "+", Some("or")),
    (
        "+=",
        "there is no assignment in place",
        "write `x' = x + e` in a block: `x'` is the new value of a state",
        "=",
        None,
    ),
    (
        "-=",
        "there is no assignment in place",
        "write `x' = x - e` in a block: `x'` is the new value of a state",
        "=",
        None,
    ),
    (
        "*=",
        "there is no assignment in place",
        "write `x' = x*e` in a block: `x'` is the new value of a state",
        "=",
        None,
    ),
    ("/=", "there is no assignment in place", "write `x' = x/e`, or `!=` for \"not equal\"", "=", None),
    (":=", "a value is given with `=`", "write `=`", "=", Some("=")),
    ("=>", "an anonymous function is written with `->`", "write `x -> e`, or `>=` for \"at least\"", "->", None),
    ("=<", "\"at most\" is `<=`", "write `<=`", "<", Some("<=")),
    ("<>", "\"not equal\" is `!=`", "write `!=`", "<", Some("!=")),
    ("::", "fields are written with a point", "write `a.b`", ":", Some(".")),
    ("!", "negation is a word", "write `not`", "-", Some("not")),
    ("%", "the remainder is a function", "write `mod(a, b)`; a percentage is a fraction, as 0.05", "*", None),
    ("&", "conditions are joined by words", "write `and`", "+", Some("and")),
    ("|", "conditions are joined by words", "write `or`, and `abs(x)` for an absolute value", "+", None),
    ("?", "a choice is written with words", "write `if c then a else b`", "", None),
];

/// The slip at the start of `rest`, if there is one.
pub fn operator(rest: &str, previous: Option<TokenKind>) -> Option<Slip> {
    if rest.starts_with("!=") && !rest.starts_with("!==") {
        return None;
    }
    if rest.starts_with("//") {
        return Some(Slip {
            length: 2,
            label: "comments begin with `#`",
            help: "write `# ...` for a comment, `floor(a/b)` for a whole quotient",
            instead: "",
            mended: Some("#"),
            rest_of_line: true,
        });
    }
    let operand = matches!(previous, Some(TokenKind::Name | TokenKind::Close));
    if operand && (rest.starts_with("++") || rest.starts_with("--")) && ends_statement(&rest[2..]) {
        return Some(Slip {
            length: 2,
            label: "there is no assignment in place",
            help: "write `n' = n + 1` in a block: `n'` is the new value of a state",
            instead: "",
            mended: None,
            rest_of_line: false,
        });
    }
    let &(text, label, help, instead, mended) = FOREIGN.iter().find(|(text, ..)| rest.starts_with(text))?;
    Some(Slip { length: text.len(), label, help, instead, mended, rest_of_line: false })
}

/// The text in "write `text`".
pub fn first_written(help: &str) -> Option<&str> {
    help.strip_prefix("write `")?.split('`').next()
}

fn ends_statement(rest: &str) -> bool {
    let rest = rest.trim_start_matches([' ', '\t', '\r']);
    rest.is_empty() || rest.starts_with(['\n', ';', '}', '#'])
}

/// A `'` that does not follow a name at once.
pub fn stray_prime(span: Span, text: &str, previous: Option<Token>) -> Diagnostic {
    let at = span.start as usize;
    let written = previous.map_or("", |t| &text[t.start..t.end]);
    let touches = previous.is_some_and(|t| t.end == at);
    let line = text[at + 1..].split('\n').next().unwrap_or("");
    if !touches && line.contains('\'') && !line.starts_with(' ') {
        return Diagnostic::error(codes::BAD_TOKEN, "a text stands in double quotes", span, "a single quote")
            .help("write `\"...\"`; `'` after a name is its new value");
    }
    if let Some(name) = previous.filter(|t| t.kind == TokenKind::Name) {
        let gap = Span { start: name.end as u32, ..span };
        return Diagnostic::error(codes::BAD_TOKEN, "a prime must follow a name at once", span, "apart from its name")
            .help(format!("write `{written}'`, without a space"))
            .instead(gap, "'");
    }
    let (label, help) = match previous.map(|t| t.kind) {
        Some(TokenKind::Operator) if written == "'" && touches => {
            ("a second prime".to_string(), "the new value of `x` is `x'`; there is none after it".to_string())
        }
        Some(TokenKind::Close) if touches => (
            "after a bracket".to_string(),
            "the prime comes first: `x'[i]` is element `i` of the new value".to_string(),
        ),
        _ => ("no name before it".to_string(), "`x'` is the new value of the state `x`".to_string()),
    };
    Diagnostic::error(codes::BAD_TOKEN, "a prime must follow a name at once", span, label).help(help)
}

/// Typographic characters and what to type for them.
const TYPOGRAPHIC: &[(&str, &str)] = &[
    ("−–—‐‑‒―", "write `-`"),
    ("×·⋅∙•", "write `*`"),
    ("÷∕⁄", "write `/`"),
    ("≤⩽", "write `<=`"),
    ("≥⩾", "write `>=`"),
    ("≠", "write `!=`"),
    ("→⇒↦", "write `->`"),
    ("∼≈", "write `~` for \"distributed as\""),
    ("“”„‟«»", "write `\"`"),
    ("‘’‚‛′`´", "write `'` for a new value, `\"` around a string"),
    ("…‥", "write `..`"),
    ("∞", "write `inf`"),
    ("√", "write `sqrt(x)`"),
    ("∑", "write `sum(f(i) for i in 0..n)`"),
    ("∏", "write `prod(f(i) for i in 0..n)`"),
    ("∫", "write `integral(f(s) ds for s in a .. b)`"),
    ("∂∇", "write `grad(e, x)`"),
    ("∈", "write `in`"),
    ("¬", "write `not`"),
    ("∧", "write `and`"),
    ("∨", "write `or`"),
    ("²³¹⁰⁴⁵⁶⁷⁸⁹⁻", "write a power as `x^2`"),
    ("½⅓¼", "write a fraction as `1/2`"),
    ("\\", "write `x -> e` for a function; a long line may break after an operator or inside brackets"),
    ("$", "names are written plainly"),
];

/// A run of characters that the language does not have.
pub fn bad_characters(span: Span, text: &str) -> Diagnostic {
    let first = text.chars().next().unwrap_or(' ');
    let shown = show(first);
    let label = if text.chars().count() > 1 { "these characters mean nothing here" } else { "means nothing here" };
    let problem = Diagnostic::error(codes::BAD_TOKEN, format!("the language has no {shown}"), span, label);
    if let Some((_, help)) = TYPOGRAPHIC.iter().find(|(set, _)| set.contains(first)) {
        let mended = first_written(help).filter(|t| !t.contains(['(', 'x', '1']) && text.chars().count() == 1);
        let problem = problem.help(*help);
        return match mended.filter(|t| *help == format!("write `{t}`")) {
            Some(mended) => problem.instead(span, mended),
            None => problem,
        };
    }
    if first.is_whitespace() {
        return problem.help("replace it by a plain space").fix("change to a space", Edit::Replace(span, " ".into()));
    }
    if is_invisible(first) {
        return problem.help("delete it: it is not seen on the screen").instead(span, "");
    }
    problem
}

fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// A character as it can be shown in a message.
pub fn show(c: char) -> String {
    let number = format!("U+{:04X}", c as u32);
    if c.is_whitespace() && !c.is_control() {
        return format!("space character {number}");
    }
    if is_invisible(c) {
        return format!("invisible character {number}");
    }
    if c == '`' { format!("character {c} ({number})") } else { format!("character `{c}` ({number})") }
}
